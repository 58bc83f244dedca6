// SPDX-License-Identifier: Apache-2.0
/* aim: the adaptive and iterative mechanism (McKenna et al. 2022).
 *
 * R. McKenna, B. Mullins, D. Sheldon, G. Miklau, "AIM: an adaptive and iterative mechanism for
 * differentially private synthetic data", PVLDB 15(11), 2022, Algorithm 2 with the annealing of
 * Algorithm 3.
 *
 * ALGORITHM (method card "aim").  Numbers are cut into `bins` bins of their public bounds.  rho is
 * the budget in zCDP, T = rounds d, sigma^2 = T / (1.8 rho), e^2 = 0.8 rho / T.
 *  1. Measure every one-way marginal with deviation sigma; merge its small cells (as mst does);
 *     fit the model (kit/graph_model.h).
 *  2. As long as budget is left: of the workload's tables and their subsets, keep those whose
 *     junction tree has at most max_mb times the share of the budget that is then spent, and those
 *     inside a clique of the model.  Draw one by the exponential mechanism with epsilon e and score
 *         w_r (|true counts - model|_1 - sqrt(2/pi) sigma n_r),
 *     n_r its cells, w_r = sum over the workload's tables t of c_t |r and t|.  Measure it with
 *     deviation sigma and fit again, from where the model stands.  If the table has moved by less
 *     than noise alone would (sqrt(2/pi) sigma n_r): sigma /= 2, e *= 2.  A round that would leave
 *     less than one more round takes all that is left, 90% of it for the table.
 *  3. Fit to the end; sample rows along the junction tree.
 * The workload is all pairs (degree=3: triples) of columns of at most max_cells cells; c_t is 1, or
 * label_weight where t holds the label.
 *
 * PRIVACY ARGUMENT.  Neighbours: add or remove one record.
 *  "one-way" d Gaussian histograms of sensitivity 1.
 *  "rounds"  a cap on zCDP under the ledger's privacy filter: sigma and e follow from earlier
 *            releases, each call is charged before it is made (e^2/8 and 1/(2 sigma^2)), and the
 *            ledger refuses what the cap does not hold.  A record moves |true counts - model|_1 by
 *            at most 1; scores are divided by the largest weight on offer: sensitivity 1.
 *  Which tables are on offer follows from the schema and from releases.  The cost is the cap.
 *
 * SETTINGS.  settings=fast (`aim_fast`: models of 4 MB, 4 d rounds, 100 steps per fit) and
 * settings=published (80 MB, 16 d rounds, 1,000 steps: hours); `describe` and the record name them.
 *
 * DEVIATIONS.  Small cells are merged after step 1 (the authors compress the domain beforehand).
 * Rows are independent draws from the model instead of rounded counts.
 *
 * COST.  A pass over the codes for every candidate; per round the marginals of all candidates and
 * one fit; memory 4 n (d + 1) bytes, the counts of all candidates and twice the model. */
#include <math.h>

#include "core/base/alloc.h"
#include "generators/kit/marginal_model.h"

enum { FAST, PUBLISHED };

typedef struct opts {
	int settings;
	int64_t bins, degree, max_cells, rounds, iterations, final_iterations;
	double max_mb, label_weight;
} opts;

static const iso_option options[] = {
	ISO_OPT_ENUM(opts, settings, "fast", "fast|published",
		     "defaults of max_mb, rounds and iterations: 4, 4, 100 or 80, 16, 1000"),
	ISO_OPT_INT(opts, degree, "2", 1, 3, "columns of the workload's tables"),
	ISO_OPT_REAL(opts, label_weight, "1", 1, 1000,
		     "weight of the workload's tables that hold the label; others: 1"),
	ISO_OPT_INT(opts, max_cells, "10000", 2, 1000000,
		    "tables of more cells are not in the workload"),
	ISO_OPT_REAL(opts, max_mb, "0", 0, 1000, "largest model in MB; 0: by settings"),
	ISO_OPT_INT(opts, rounds, "0", 0, 1000, "planned rounds per column; 0: by settings"),
	ISO_OPT_INT(opts, iterations, "0", 0, 100000,
		    "steps of mirror descent per fit; 0: by settings"),
	ISO_OPT_INT(opts, final_iterations, "1000", 1, 100000, "steps of the last fit"),
	ISO_OPT_INT(opts, bins, "32", 2, 4096, "equal-width bins of a numeric column"),
	{0},
};

static opts settled(const iso_gen_env *env)
{
	opts o = *(const opts *)env->options;
	const int fast = o.settings == FAST;
	if (!(o.max_mb > 0))
		o.max_mb = fast ? 4 : 80;
	if (o.rounds == 0)
		o.rounds = fast ? 4 : 16;
	if (o.iterations == 0)
		o.iterations = fast ? 100 : 1000;
	return o;
}

static iso_status resolve(const iso_gen_env *env, void *out, iso_error *err)
{
	(void)err;
	*(opts *)out = settled(env);
	return ISO_OK;
}

/* The budget in rho at free scale s, with sensitivities doubled under replace-one. */
static double unit_of(const iso_gen_env *env)
{
	return env->adjacency == ISO_REPLACE_ONE ? 2 : 1;
}

static double rho_of(const iso_gen_env *env, double scale)
{
	return unit_of(env) * unit_of(env) / (2 * scale * scale);
}

static double sigma_of(const iso_gen_env *env, const opts *o, double scale, size_t d)
{
	return unit_of(env) * sqrt((double)o->rounds * (double)d / (1.8 * rho_of(env, scale)));
}

static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	const opts o = settled(env);
	iso_discrete cols;
	ISO_TRY(iso_discrete_new(env->schema, (size_t)o.bins, &cols, err));
	const size_t d = cols.bin.ncode;
	iso_discrete_free(&cols);
	ISO_TRY(iso_plan_gaussian(out, (iso_entry){.why = "one-way"}, sigma_of(env, &o, scale, d),
				  1, d, 1, err));
	return iso_plan_adaptive_zcdp(out, (iso_entry){.why = "rounds"},
				      rho_of(env, scale) * (1 - 0.9 / (double)o.rounds), 1, err);
}

/* ------------------------------------------------------------------ candidates */

typedef struct candidate {
	iso_scope scope;
	double weight;
	double *truth; /* PRIVATE counts; owned */
} candidate;

typedef struct fitting {
	const iso_fit *f;
	opts o;
	iso_marginals *m;
	iso_binning rows; /* PRIVATE codes of merged cells */
	candidate *c;	  /* [n] owned */
	size_t n, cap;
	double sigma, e, rho; /* of the next round; the whole budget */
	int handle;	      /* of "rounds" */
} fitting;

static iso_status add_candidate(fitting *t, const iso_scope *s, iso_error *err)
{
	const size_t *cells = t->m->merged.cells;
	ISO_TRY(iso_grow(&t->c, &t->cap, t->n + 1, sizeof *t->c, err));
	candidate *c = &t->c[t->n];
	*c = (candidate){.scope = *s};
	c->truth = iso_alloc((size_t)iso_scope_cells(s, cells), sizeof *c->truth);
	if (!c->truth)
		return iso_no_memory(err, "counts of a table");
	t->n++;
	iso_discrete_count(&t->rows, t->f->train->n, cells, s, c->truth);
	return ISO_OK;
}

static int in_workload(const fitting *t, const iso_scope *s)
{
	return iso_scope_cells(s, t->m->cols.bin.cells) <= (double)t->o.max_cells;
}

/* Adds every set of `left` more columns from `from` on; all sets on the way are subsets of tables
 * of the workload, or stand for it where no larger one fits. */
static iso_status add_sets(fitting *t, iso_scope s, size_t from, size_t left, iso_error *err)
{
	for (size_t j = from; left > 0 && j < t->m->cols.bin.ncode; j++) {
		iso_scope next = s;
		next.v[next.n++] = (uint32_t)j;
		if (next.n > 1 && !in_workload(t, &next))
			continue;
		ISO_TRY(add_candidate(t, &next, err));
		ISO_TRY(add_sets(t, next, j + 1, left - 1, err));
	}
	return ISO_OK;
}

/* w_r; the workload's tables are the candidates of the full degree. */
static void weigh(fitting *t)
{
	const uint32_t label = (uint32_t)t->m->cols.label;
	for (size_t r = 0; r < t->n; r++)
		for (size_t k = 0; k < t->n; k++) {
			const iso_scope *w = &t->c[k].scope;
			const iso_scope both = iso_scope_meet(&t->c[r].scope, w);
			const int labelled =
				t->m->cols.label != SIZE_MAX && iso_scope_has(w, label);
			if (w->n == (size_t)t->o.degree)
				t->c[r].weight +=
					(double)both.n * (labelled ? t->o.label_weight : 1);
		}
	for (size_t r = 0; r < t->n; r++) /* a column whose pairs are all too large */
		if (!(t->c[r].weight > 0))
			t->c[r].weight = 1;
}

/* ------------------------------------------------------------------ rounds */

/* sqrt(2/pi) sigma n_r: what |noise|_1 is on average. */
static double noise_of(const fitting *t, const iso_scope *s)
{
	return 0.79788456080286535588 * t->sigma * iso_scope_cells(s, t->m->merged.cells);
}

/* Step 2, the choice. */
static iso_status choose(fitting *t, double limit, size_t *chosen, iso_error *err)
{
	const iso_event event = {.mechanism = ISO_MECH_EXPONENTIAL, .epsilon = t->e, .count = 1};
	double *score = iso_alloc(t->n, sizeof *score), most = 0;
	size_t *index = iso_alloc(t->n, sizeof *index), n = 0, k = 0;
	iso_status st = ISO_OK;
	if (!score || !index) {
		st = iso_no_memory(err, "scores of tables");
		goto out;
	}
	for (size_t i = 0; i < t->n; i++) {
		int yes;
		double distance;
		ISO_TRY_OUT(iso_marginals_fits(t->m, &t->c[i].scope, limit, &yes, err));
		if (!yes)
			continue;
		ISO_TRY_OUT(iso_marginals_distance(t->m, &t->c[i].scope, t->c[i].truth, &distance,
						   err));
		score[n] = t->c[i].weight * (distance - noise_of(t, &t->c[i].scope));
		most = fmax(most, t->c[i].weight);
		index[n++] = i;
	}
	for (size_t i = 0; i < n; i++)
		score[i] /= most;
	ISO_TRY_OUT(iso_ledger_spend(t->f->ledger, t->handle, &event, err));
	ISO_TRY_OUT(iso_mech_exponential(t->f->ledger, (iso_entry){.why = "rounds"}, score, n, &k,
					 err));
	*chosen = index[k];
out:
	iso_free(score);
	iso_free(index);
	return st;
}

/* Step 2, the measurement and the fit; *moved = |model now - model before|_1 of the table. */
static iso_status measure(fitting *t, const iso_scope *s, double *moved, iso_error *err)
{
	const iso_event event = {.mechanism = ISO_MECH_GAUSSIAN, .noise = t->sigma, .count = 1};
	const size_t n = (size_t)iso_scope_cells(s, t->m->merged.cells);
	double *before = iso_alloc(n, sizeof *before);
	iso_status st;
	if (!before)
		return iso_no_memory(err, "a marginal of the model");
	ISO_TRY_OUT(iso_graph_marginal(&t->m->graph, s, before, err));
	ISO_TRY_OUT(iso_ledger_spend(t->f->ledger, t->handle, &event, err));
	ISO_TRY_OUT(iso_marginals_measure(t->m, t->f->ledger, (iso_entry){.why = "rounds"},
					  t->sigma, &t->rows, t->f->train->n, s, err));
	ISO_TRY_OUT(iso_marginals_fit(t->m, (size_t)t->o.iterations, err));
	ISO_TRY_OUT(iso_marginals_distance(t->m, s, before, moved, err));
out:
	iso_free(before);
	return st;
}

/* What `describe` says: the settings, and the limit of the last round. */
static void name_settings(iso_marginals *m, const opts *o)
{
	m->shape = o->settings == FAST ? "aim_fast" : "published";
	m->limit = o->max_mb * (1 << 20) / 8;
}

static iso_status run_rounds(fitting *t, iso_error *err)
{
	const double unit = unit_of(&t->f->env), most = t->o.max_mb * (1 << 20) / 8;
	for (int last = 0; !last;) {
		const double left = iso_ledger_left(t->f->ledger, t->handle);
		const double cost = unit * unit / (2 * t->sigma * t->sigma) + t->e * t->e / 8;
		double moved;
		size_t k = 0;
		last = left < 2 * cost;
		if (last) {
			t->sigma = unit * sqrt(1 / (1.8 * left));
			t->e = sqrt(0.8 * left);
		}
		t->m->limit = most * (1 - (last ? 0 : left - cost) / t->rho);
		ISO_TRY(choose(t, t->m->limit, &k, err));
		ISO_TRY(measure(t, &t->c[k].scope, &moved, err));
		if (moved <= noise_of(t, &t->c[k].scope)) {
			t->sigma /= 2;
			t->e *= 2;
		}
		if (t->f->cancelled && t->f->cancelled(t->f->cancelled_ctx))
			return iso_fail(err, ISO_E_CANCELLED, "aim: cancelled");
	}
	return ISO_OK;
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	fitting t = {.f = f, .o = settled(&f->env), .rho = rho_of(&f->env, f->scale)};
	iso_status st;
	ISO_TRY(iso_marginals_new(&f->env, "aim", (size_t)t.o.bins, &t.m, err));
	t.sigma = sigma_of(&f->env, &t.o, f->scale, t.m->cols.bin.ncode);
	t.e = sqrt(0.8 * t.rho / ((double)t.o.rounds * (double)t.m->cols.bin.ncode));
	name_settings(t.m, &t.o);
	ISO_TRY_OUT(iso_discrete_rows(&t.m->cols, f->train, &t.rows, err));
	ISO_TRY_OUT(iso_ledger_find(f->ledger, (iso_entry){.why = "rounds"}, &t.handle, err));
	ISO_TRY_OUT(iso_marginals_one_way(t.m, f->ledger, (iso_entry){.why = "one-way"}, t.sigma,
					  &t.rows, f->train->n, err));
	ISO_TRY_OUT(add_sets(&t, (iso_scope){0}, 0, (size_t)t.o.degree, err));
	weigh(&t);
	ISO_TRY_OUT(run_rounds(&t, err));
	ISO_TRY_OUT(iso_marginals_fit(t.m, (size_t)t.o.final_iterations, err));
	*out = t.m;
	t.m = NULL;
out:
	for (size_t i = 0; i < t.n; i++)
		iso_free(t.c[i].truth);
	iso_free(t.c);
	iso_binning_free(&t.rows);
	iso_marginals_destroy(t.m);
	return st;
}

static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **out,
		       iso_error *err)
{
	const opts o = settled(env);
	ISO_TRY(iso_marginals_load(env, "aim", (size_t)o.bins, bytes, n, out, err));
	name_settings(*out, &o);
	return ISO_OK;
}

const iso_generator iso_generator_aim = {
	.abi = ISO_GENERATOR_ABI,
	.name = "aim",
	.title = "AIM: marginals chosen round by round where the model is worst",
	.citation = "R. McKenna, B. Mullins, D. Sheldon, G. Miklau, \"AIM: an adaptive and "
		    "iterative mechanism for differentially private synthetic data\", Proceedings "
		    "of the VLDB Endowment 15(11), 2022, arXiv:2201.12677",
	.card = "Measures every one-way marginal; then, round by round, draws the table of the "
		"workload that the graphical model explains worst, measures it and fits the model "
		"again. A size limit on the junction tree grows with the budget spent; noise is "
		"halved when a round brings no news.\n"
		"Privacy: Gaussian histograms and exponential-mechanism choices of sensitivity 1 "
		"under a cap in zCDP; the ledger's privacy filter charges every call.\n"
		"settings=fast is `aim_fast` (4 MB, 4 d rounds), not the published 80 MB and 16 d "
		"rounds; results name it.\n"
		"Deviations: small cells are merged; rows are independent draws.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_TABULAR | ISO_ACCEPTS_SEQUENCE | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	.options = options,
	.options_size = sizeof(opts),
	.resolve = resolve,
	.plan = plan,
	.fit = fit,
	.load = load,
	ISO_MARGINALS_SLOTS,
};
