// SPDX-License-Identifier: Apache-2.0
/* mst: a maximum spanning tree of noisy two-way marginals (reference method).
 *
 * McKenna, Miklau, Sheldon 2021, "Winning the NIST contest: a scalable and general approach to
 * differentially private synthetic data", JPC 11(3).
 *
 * ALGORITHM (method card "mst").  Numbers are cut into `bins` bins of their public bounds.
 *  1. Measure every one-way marginal.
 *  2. Per column, cells that were measured below three standard deviations are merged into one.
 *  3. label=star: measure every column jointly with the label.
 *  4. Fit the graphical model (kit/graph_model.h) of what was measured.  As often as a spanning
 *     forest has edges: among the pairs that join two components, draw one by the exponential
 *     mechanism with score |true 2-way counts - those of the model|_1.
 *  5. Measure the chosen pairs and fit the model again.
 *  6. Sample rows along the junction tree; a merged cell gives one of its cells, uniformly.
 *
 * PRIVACY ARGUMENT.  Neighbours: add or remove one record.  Shares of the budget (zCDP):
 *  "one-way"  d Gaussian histograms: a record is in one cell of each, sensitivity 1.
 *  "edge"     the choices by the exponential mechanism; a record moves one true count by one and
 *             the model, which follows from releases, not at all: sensitivity 1.
 *  "two-way"  a Gaussian histogram of every pair with the label and of every chosen pair.
 * With free scale s and share f, k histograms have multiplier s sqrt(k/f) each (zCDP f/(2 s^2)
 * together), and one of k choices has epsilon 2 / (s sqrt(k/f)), since epsilon-bounded range is
 * epsilon^2/8 zCDP.  The ledger composes them exactly.  Which pairs may be chosen follows from the
 * schema and from earlier choices; the rest is post-processing.
 *
 * DEVIATIONS.  label=star: a spanning tree need not hold the edges of the label, and a classifier
 * that is trained on its rows then misses most of them.  With the star the model is a
 * tree-augmented naive Bayes (Friedman, Geiger, Goldszmidt 1997): a spanning tree of the other
 * columns, and the label beside every pair.  label=tree: as published.  The tables get most of the
 * budget (the authors give each kind of release a third).  Rows are independent draws from the
 * model instead of the authors' rounding of counts, so that row i does not depend on how many rows
 * are asked for.  The model starts at the measured tables, not at the uniform law.
 *
 * COST.  d^2/2 passes over the codes for the scores; memory 4 n (d + 1) bytes during fit. */
#include <math.h>

#include "core/base/alloc.h"
#include "generators/kit/marginal_model.h"
#include "generators/kit/pairs.h"

enum { STAR, TREE };

typedef struct opts {
	int label;
	int64_t bins, max_cells, iterations;
	double one_share, edge_share;
} opts;

static const iso_option options[] = {
	ISO_OPT_ENUM(opts, label, "star", "star|tree",
		     "star: every column is also measured with the label; tree: as published"),
	ISO_OPT_INT(opts, bins, "32", 2, 4096, "equal-width bins of a numeric column"),
	ISO_OPT_INT(opts, max_cells, "1000000", 4, 100000000,
		    "tables (with label=star: pairs and the label) of more cells are never used"),
	ISO_OPT_INT(opts, iterations, "2000", 1, 100000,
		    "steps of mirror descent when the model is fitted"),
	ISO_OPT_REAL(opts, one_share, "0.2", 0.01, 0.98,
		     "share of the budget (zCDP) of the one-way counts; published: 1/3"),
	ISO_OPT_REAL(opts, edge_share, "0.1", 0.01, 0.98,
		     "share of the choices of pairs; published: 1/3; the tables get the rest"),
	{0},
};

/* What may be measured: a function of schema and options. */
typedef struct layout {
	size_t hub;  /* the label under label=star, else SIZE_MAX */
	size_t star; /* tables with the hub */
	size_t tree; /* edges of every spanning forest of the other columns */
	iso_pair_rule rule;
} layout;

static iso_status layout_of(const iso_discrete *cols, const opts *o, layout *out, iso_error *err)
{
	const size_t hub = o->label == STAR ? cols->label : SIZE_MAX;
	*out = (layout){.hub = hub,
			.rule = {.cells = cols->bin.cells,
				 .n = cols->bin.ncode,
				 .hub = hub,
				 .max_cells = (double)o->max_cells}};
	for (size_t j = 0; j < cols->bin.ncode; j++)
		out->star += iso_pair_with_hub(&out->rule, j);
	return iso_forest_edges(&out->rule, &out->tree, err);
}

/* Noise multiplier of each of k histograms that have this share of 1/(2 scale^2) together. */
static double noise_of(double scale, double share, size_t k)
{
	return scale * sqrt((double)k / share);
}

static double table_share(const opts *o)
{
	return 1 - o->one_share - o->edge_share;
}

static iso_status check(const iso_gen_env *env, iso_error *err)
{
	const opts *o = env->options;
	ISO_FAIL_IF(!(table_share(o) > 0), err, ISO_E_CONFIG,
		    "one_share and edge_share (mst): %g and %g leave nothing for the tables; make "
		    "their sum less than 1",
		    o->one_share, o->edge_share);
	return ISO_OK;
}

static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	const opts *o = env->options;
	iso_discrete cols;
	layout l;
	iso_status st;
	ISO_TRY(iso_discrete_new(env->schema, (size_t)o->bins, &cols, err));
	ISO_TRY_OUT(layout_of(&cols, o, &l, err));
	const size_t d = cols.bin.ncode, pairs = l.star + l.tree;
	ISO_TRY_OUT(iso_plan_gaussian(out, (iso_entry){.why = "one-way"},
				      noise_of(scale, o->one_share, d), 1, d, 1, err));
	if (l.tree) {
		const iso_event choice = {.mechanism = ISO_MECH_EXPONENTIAL,
					  .epsilon = 2 / noise_of(scale, o->edge_share, l.tree),
					  .count = l.tree};
		ISO_TRY_OUT(iso_plan_event(out, (iso_entry){.why = "edge"}, &choice, 1, err));
	}
	if (pairs)
		ISO_TRY_OUT(iso_plan_gaussian(out, (iso_entry){.why = "two-way"},
					      noise_of(scale, table_share(o), pairs), 1, pairs, 1,
					      err));
out:
	iso_discrete_free(&cols);
	return st;
}

/* ------------------------------------------------------------------ fit */

typedef struct fitting {
	const iso_fit *f;
	opts o;
	layout l;
	iso_marginals *m;
	iso_binning rows; /* PRIVATE codes, of merged cells after step 2 */
	iso_scope *pair;  /* [npair] candidates */
	double *score;	  /* PRIVATE [npair] */
	size_t npair;
} fitting;

static iso_status measure(fitting *t, const iso_scope *pair, iso_error *err)
{
	return iso_marginals_measure(
		t->m, t->f->ledger, (iso_entry){.why = "two-way"},
		noise_of(t->f->scale, table_share(&t->o), t->l.star + t->l.tree), &t->rows,
		t->f->train->n, pair, err);
}

static iso_status measure_star(fitting *t, iso_error *err)
{
	for (size_t j = 0; j < t->l.rule.n; j++) {
		const iso_scope s = iso_scope_of(2, (uint32_t[]){(uint32_t)j, (uint32_t)t->l.hub});
		if (iso_pair_with_hub(&t->l.rule, j))
			ISO_TRY(measure(t, &s, err));
	}
	return t->l.star ? iso_marginals_fit(t->m, (size_t)t->o.iterations, err) : ISO_OK;
}

/* Scores of step 4. */
static iso_status score_pairs(fitting *t, iso_error *err)
{
	const size_t *cells = t->m->merged.cells;
	const size_t d = t->l.rule.n;
	t->pair = iso_alloc(d * d, sizeof *t->pair);
	t->score = iso_alloc(d * d, sizeof *t->score);
	if (!t->pair || !t->score)
		return iso_no_memory(err, "scores of pairs");
	for (size_t i = 0; i < d; i++)
		for (size_t j = i + 1; j < d; j++) {
			const iso_scope s = {.n = 2, .v = {(uint32_t)i, (uint32_t)j}};
			double *truth;
			iso_status st;
			if (!iso_pair_allowed(&t->l.rule, i, j))
				continue;
			truth = iso_alloc(cells[i] * cells[j], sizeof *truth);
			if (!truth)
				return iso_no_memory(err, "counts of a pair");
			iso_discrete_count(&t->rows, t->f->train->n, cells, &s, truth);
			st = iso_marginals_distance(t->m, &s, truth, &t->score[t->npair], err);
			iso_free(truth);
			ISO_TRY(st);
			t->pair[t->npair++] = s;
		}
	return ISO_OK;
}

/* Which candidates are left follows from the choices that were released. */
static iso_status choose_edges(fitting *t, iso_error *err)
{
	size_t *root = iso_alloc(t->l.rule.n, sizeof *root);
	size_t *index = iso_alloc(t->npair, sizeof *index);
	double *left = iso_alloc(t->npair, sizeof *left);
	iso_status st = ISO_OK;
	if (!root || !index || !left) {
		st = iso_no_memory(err, "choices of pairs");
		goto out;
	}
	for (size_t v = 0; v < t->l.rule.n; v++)
		root[v] = v;
	for (size_t e = 0; e < t->l.tree; e++) {
		size_t n = 0, k;
		for (size_t i = 0; i < t->npair; i++)
			if (iso_forest_find(root, t->pair[i].v[0]) !=
			    iso_forest_find(root, t->pair[i].v[1])) {
				left[n] = t->score[i];
				index[n++] = i;
			}
		ISO_TRY_OUT(iso_mech_exponential(t->f->ledger, (iso_entry){.why = "edge"}, left, n,
						 &k, err));
		const iso_scope *chosen = &t->pair[index[k]];
		iso_forest_join(root, chosen->v[0], chosen->v[1]);
		ISO_TRY_OUT(measure(t, chosen, err));
	}
out:
	iso_free(root);
	iso_free(index);
	iso_free(left);
	return st;
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	fitting t = {.f = f, .o = *(const opts *)f->env.options};
	iso_status st;
	ISO_TRY(iso_marginals_new(&f->env, "mst", (size_t)t.o.bins, &t.m, err));
	ISO_TRY_OUT(layout_of(&t.m->cols, &t.o, &t.l, err));
	ISO_TRY_OUT(iso_discrete_rows(&t.m->cols, f->train, &t.rows, err));
	ISO_TRY_OUT(iso_marginals_one_way(t.m, f->ledger, (iso_entry){.why = "one-way"},
					  noise_of(f->scale, t.o.one_share, t.rows.ncode), &t.rows,
					  f->train->n, err));
	ISO_TRY_OUT(measure_star(&t, err));
	if (t.l.tree) {
		ISO_TRY_OUT(score_pairs(&t, err));
		ISO_TRY_OUT(choose_edges(&t, err));
		ISO_TRY_OUT(iso_marginals_fit(t.m, (size_t)t.o.iterations, err));
	}
	*out = t.m;
	t.m = NULL;
out:
	iso_binning_free(&t.rows);
	iso_free(t.pair);
	iso_free(t.score);
	iso_marginals_destroy(t.m);
	return st;
}

static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **out,
		       iso_error *err)
{
	const opts *o = env->options;
	return iso_marginals_load(env, "mst", (size_t)o->bins, bytes, n, out, err);
}

const iso_generator iso_generator_mst = {
	.abi = ISO_GENERATOR_ABI,
	.name = "mst",
	.title = "Maximum spanning tree of noisy two-way marginals",
	.citation =
		"R. McKenna, G. Miklau, D. Sheldon, \"Winning the NIST contest: a scalable and "
		"general approach to differentially private synthetic data\", Journal of Privacy "
		"and Confidentiality 11(3), 2021",
	.card = "Measures every one-way marginal and every column jointly with the label, chooses "
		"a spanning tree of the other columns by the exponential mechanism, measures its "
		"edges, fits the graphical model of all tables and samples from it.\n"
		"Privacy: Gaussian histograms of all columns, exponential-mechanism choices whose "
		"scores a record moves by at most one, Gaussian histograms of the pairs, by the "
		"shares in the options. Bins and allowed pairs come from the schema.\n"
		"Deviations: the tables with the label (label=tree: as published, a tree over all "
		"columns); rows are independent draws instead of rounded counts.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_TABULAR | ISO_ACCEPTS_SEQUENCE | ISO_ACCEPTS_ANY_LABEL,
	.version = 2,
	.options = options,
	.options_size = sizeof(opts),
	.check = check,
	.plan = plan,
	.fit = fit,
	.load = load,
	ISO_MARGINALS_SLOTS,
};
