// SPDX-License-Identifier: Apache-2.0
/* privbayes: a Bayesian network of noisy low-dimensional tables (Zhang et al. 2014, 2017).
 *
 * ALGORITHM (method card "privbayes").  Numbers are cut into `bins` bins of their public bounds.
 *  1. Root: a column drawn from the key; V = {root}.
 *  2. d - 1 times: among the pairs (X, P), X outside V and P a parent set within V, draw one by the
 *     exponential mechanism and put X into V.  A parent set has at most k columns, the table of X
 *     and P at most tau cells, and no further column of V fits.
 *  3. Release the counts of every table (X, P) with Laplace (or Gaussian) noise, clip at zero,
 *     normalise per value of the parents (uniform where nothing is left).
 *  4. Sample along the network.
 * Scores (TODS section 4; N rows, c counts):
 *     r   R = 1/2 sum |c(x,p) - c(x) c(p) / N|, the distance from independence in rows
 *     mi  N I(X; P) = sum c(x,p) ln(c(x,p) N / (c(x) c(p))), in nats
 * tau is the usefulness rule in cells, n epsilon_2 / (2 d theta): the mean count is at least theta
 * times the noise's scale.  k=0 means 2 with more than 10 columns, else 3.
 *
 * PRIVACY ARGUMENT.  Neighbours: add or remove one record.
 *  "edge"  d - 1 choices with epsilon_1 / (d - 1) each, in proportion to exp(score epsilon / (2
 * S)). r: a record moves c by 1 in one cell; with p, q the marginal laws and a, b the indicators of
 *       its cells, (Np + a)(Nq + b)/(N+1) - Npq = (-Npq + Npb + Naq + ab)/(N+1), of L1 norm below
 *       3.  So S = (1 + 3)/2 = 2.
 *    mi: with g(t) = t ln t, N I = sum g(c(x,p)) - sum g(c(x)) - sum g(c(p)) + g(N); one record
 *       moves it by [D(N) - D(c(x))] - [D(c(p)) - D(c(x,p))], D(t) = g(t+1) - g(t) increasing,
 *       both brackets between 0 and D(N).  So S = D(n + 1); n is public.
 *  "table" d histograms, sensitivity 1 each.
 * With free scale s: epsilon_1 = share / s and epsilon_2 = (1 - share) / s.  Which pairs are on
 * offer follows from the schema, epsilon, n, the key and earlier choices.
 *
 * mode=paper.  A widely used implementation adds noise of scale 2 (d - k) / (n epsilon_2) to
 * COUNTS, though that is the scale for shares: n times too little.  The noise is not booked, the
 * entry "table" stands uncharged in the ledger, and verify sees the tables move with a record.
 *
 * DEVIATIONS.  The first k + 1 columns have tables of their own (the authors read them off the
 * last of these), so that the number of tables does not depend on the choices.  At most
 * `candidates` pairs are scored per step, drawn from the key. */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/vmath.h"
#include "generators/kit/network.h"
#include "generators/kit/pairs.h"

enum { SOUND, PAPER };
enum { SCORE_R, SCORE_MI };
enum { LAPLACE, GAUSSIAN };

typedef struct opts {
	int mode, score, noise;
	int64_t bins, degree, candidates;
	double share, theta;
} opts;

static const iso_option options[] = {
	ISO_OPT_ENUM(opts, mode, "sound", "sound|paper",
		     "paper: noise on counts at the scale of shares; not private"),
	ISO_OPT_ENUM(opts, score, "r", "r|mi",
		     "of a pair: distance from independence, or mutual information"),
	ISO_OPT_ENUM(opts, noise, "laplace", "laplace|gaussian", "of the tables"),
	ISO_OPT_INT(opts, bins, "16", 2, 4096, "equal-width bins of a numeric column"),
	ISO_OPT_INT(opts, degree, "0", 0, 4, "parents k; 0: 2 with more than 10 columns, else 3"),
	ISO_OPT_INT(opts, candidates, "4000", 1, 1000000, "pairs that are scored per step"),
	ISO_OPT_REAL(opts, share, "0.5", 0.01, 0.99, "share of epsilon of the choices"),
	ISO_OPT_REAL(opts, theta, "4", 0.01, 1000, "usefulness: mean count by scale of the noise"),
	{0},
};

static iso_status resolve(const iso_gen_env *env, void *out, iso_error *err)
{
	opts *o = out;
	iso_discrete cols;
	ISO_TRY(iso_discrete_new(env->schema, (size_t)o->bins, &cols, err));
	if (o->degree == 0)
		o->degree = cols.bin.ncode > 10 ? 2 : 3;
	iso_discrete_free(&cols);
	return ISO_OK;
}

/* n is public; a neighbour has one row more. */
static double sensitivity(const opts *o, size_t n)
{
	return o->score == SCORE_R ? iso_pair_distance_moves()
				   : iso_pair_information_moves((double)n + 1);
}

static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	const opts *o = env->options;
	const iso_entry table = {.why = "table"};
	iso_discrete cols;
	iso_status st = ISO_OK;
	ISO_TRY(iso_discrete_new(env->schema, (size_t)o->bins, &cols, err));
	const size_t d = cols.bin.ncode;
	const iso_event choice = {.mechanism = ISO_MECH_EXPONENTIAL,
				  .epsilon = o->share / (scale * (double)(d - 1)),
				  .count = d - 1};
	iso_discrete_free(&cols);
	if (d > 1)
		ISO_TRY(iso_plan_event(out, (iso_entry){.why = "edge"}, &choice,
				       sensitivity(o, env->n), err));
	if (o->mode == PAPER)
		st = iso_plan_uncharged(out, table.why, err);
	else if (o->noise == LAPLACE)
		st = iso_plan_laplace(out, table, scale * (double)d / (1 - o->share), d, 1, err);
	else
		st = iso_plan_gaussian(out, table, scale * sqrt((double)d) / (1 - o->share), 1, d,
				       1, err);
	return st;
}

static iso_guarantee guarantee_of(const void *o)
{
	return ((const opts *)o)->mode == PAPER ? ISO_GUARANTEE_NONE : ISO_GUARANTEE_DP;
}

static double claimed_epsilon(const iso_gen_env *env)
{
	const opts *o = env->options;
	return o->mode == PAPER && isfinite(env->epsilon) ? env->epsilon : NAN;
}

/* ------------------------------------------------------------------ choices */

typedef struct search {
	const iso_fit *f;
	opts o;
	iso_network *m;
	iso_binning rows; /* PRIVATE */
	double tau;
	iso_scope *pair; /* [n] X first, then the parents, as listed; owned */
	size_t n, cap, offered;
	uint32_t *inside; /* [m->at] V; owned */
	uint8_t *in;	  /* [d] 1 in V; owned */
	iso_stream draw;  /* which pairs are kept when there are too many */
	iso_error *err;
} search;

/* Keeps a uniform sample of `candidates` of all pairs that are offered (reservoir). */
static iso_status offer(search *s, uint32_t x, const uint32_t *p, size_t np)
{
	iso_scope pair = {.n = (uint32_t)np + 1, .v = {x}};
	size_t at = s->n;
	memcpy(pair.v + 1, p, np * sizeof *p);
	s->offered++;
	if (s->n == (size_t)s->o.candidates) {
		at = iso_next_below(&s->draw, s->offered);
		if (at >= s->n)
			return ISO_OK;
	} else {
		ISO_TRY(iso_grow(&s->pair, &s->cap, s->n + 1, sizeof *s->pair, s->err));
		s->n++;
	}
	s->pair[at] = pair;
	return ISO_OK;
}

/* Could another column of V join the np parents? */
static int extends(const search *s, const uint32_t *p, size_t np, double size)
{
	for (size_t i = 0; i < s->m->at && np < (size_t)s->o.degree; i++) {
		int taken = 0;
		for (size_t k = 0; k < np; k++)
			taken |= p[k] == s->inside[i];
		if (!taken && size * (double)s->m->cols.bin.cells[s->inside[i]] <= s->tau)
			return 1;
	}
	return 0;
}

/* All maximal parent sets of x that continue the np given ones with columns of V from `from` on. */
static iso_status list_parents(search *s, uint32_t x, uint32_t *p, size_t np, size_t from,
			       double size)
{
	if (!extends(s, p, np, size))
		return offer(s, x, p, np);
	for (size_t i = from; i < s->m->at; i++) {
		const double next = size * (double)s->m->cols.bin.cells[s->inside[i]];
		p[np] = s->inside[i];
		if (next <= s->tau)
			ISO_TRY(list_parents(s, x, p, np + 1, i + 1, next));
	}
	return ISO_OK;
}

/* PRIVATE */
static iso_status score_of(const search *s, const iso_scope *pair, double *out)
{
	const size_t *cells = s->m->cols.bin.cells;
	const iso_scope x = iso_scope_of(1, pair->v), all = iso_scope_of(pair->n, pair->v);
	const iso_scope parents = iso_scope_minus(&all, &x);
	const size_t n = cells[x.v[0]], rows = (size_t)iso_scope_cells(&parents, cells);
	double *count = iso_alloc(2 * n * rows, sizeof *count), *t = count + n * rows;
	if (!count)
		return iso_no_memory(s->err, "counts of a pair");
	iso_discrete_count(&s->rows, s->f->train->n, cells, &all, count);
	iso_factor_split(cells, &all, count, &parents, &x, t);
	*out = s->o.score == SCORE_R ? iso_pair_distance(t, rows, n)
				     : iso_pair_information(t, rows, n);
	iso_free(count);
	return ISO_OK;
}

/* Step 2. */
static iso_status choose(search *s, iso_scope *chosen)
{
	double *score;
	size_t k = 0;
	iso_status st = ISO_OK;
	s->n = s->offered = 0;
	for (uint32_t x = 0; x < s->m->d; x++) {
		uint32_t p[8];
		if (!s->in[x])
			ISO_TRY(list_parents(s, x, p, 0, 0, (double)s->m->cols.bin.cells[x]));
	}
	score = iso_alloc(s->n, sizeof *score);
	if (!score)
		return iso_no_memory(s->err, "scores of pairs");
	for (size_t i = 0; i < s->n && st == ISO_OK; i++)
		st = score_of(s, &s->pair[i], &score[i]);
	if (st == ISO_OK)
		st = iso_mech_exponential(s->f->ledger, (iso_entry){.why = "edge"}, score, s->n, &k,
					  s->err);
	if (st == ISO_OK)
		*chosen = s->pair[k];
	iso_free(score);
	return st;
}

/* ------------------------------------------------------------------ fit */

/* mode=paper: counts with noise of its own, unbooked, n times too small. */
static void paper_table(search *s, const iso_scope *all, double *out)
{
	const iso_network *m = s->m;
	const double n = (double)s->f->env.n;
	const double scale = 2 *
			     (double)(m->d > (size_t)s->o.degree ? m->d - (size_t)s->o.degree : 1) /
			     (n * (1 - s->o.share) * s->f->env.epsilon);
	const iso_key key = iso_key_child(s->f->key, "paper", m->at);
	iso_discrete_count(&s->rows, s->f->train->n, m->cols.bin.cells, all, out);
	for (size_t i = 0; i < (size_t)iso_scope_cells(all, m->cols.bin.cells); i++) {
		const double u = iso_rand_u01(key, i, 0) - 0.5;
		out[i] -= copysign(scale * iso_log1p(-2 * fabs(u)), u);
	}
}

/* Step 3 for a column and its parents. */
static iso_status release(search *s, const iso_scope *pair)
{
	const size_t *cells = s->m->cols.bin.cells;
	const iso_scope all = iso_scope_of(pair->n, pair->v);
	const iso_scope parents = iso_scope_of(pair->n - 1, pair->v + 1);
	double *y = iso_alloc((size_t)iso_scope_cells(&all, cells), sizeof *y);
	iso_status st = ISO_OK;
	if (!y)
		return iso_no_memory(s->err, "a table of a network");
	if (s->o.mode == PAPER)
		paper_table(s, &all, y);
	else
		st = iso_discrete_release(&s->rows, s->f->train->n, cells, &all, s->f->ledger,
					  (iso_entry){.why = "table"}, y, s->err);
	if (st == ISO_OK)
		st = iso_network_add(s->m, pair->v[0], &parents, y, s->err);
	iso_free(y);
	return st;
}

static iso_status grow(search *s)
{
	iso_scope pair = {.n = 1};
	for (size_t i = 0; i < s->m->d; i++) {
		if (i == 0)
			pair.v[0] = (uint32_t)iso_next_below(&s->draw, s->m->d);
		else
			ISO_TRY(choose(s, &pair));
		ISO_TRY(release(s, &pair));
		s->inside[i] = pair.v[0];
		s->in[pair.v[0]] = 1;
	}
	return s->o.mode == PAPER ? iso_ledger_uncharged(s->f->ledger, "table", s->err) : ISO_OK;
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	search s = {.f = f,
		    .o = *(const opts *)f->env.options,
		    .err = err,
		    .draw = iso_stream_new(iso_key_child(f->key, "pairs", 0))};
	iso_status st;
	ISO_TRY(iso_network_new(f->env.schema, (size_t)s.o.bins, &s.m, err));
	ISO_TRY_OUT(resolve(&f->env, &s.o, err));
	s.tau = fmin(1e6, (double)f->env.n * (1 - s.o.share) * f->env.epsilon /
				  (2 * (double)s.m->d * s.o.theta));
	s.inside = iso_alloc(s.m->d, sizeof *s.inside);
	s.in = iso_alloc(s.m->d, 1);
	if (!s.inside || !s.in) {
		st = iso_no_memory(err, "a network");
		goto out;
	}
	ISO_TRY_OUT(iso_discrete_rows(&s.m->cols, f->train, &s.rows, err));
	ISO_TRY_OUT(grow(&s));
	*out = s.m;
	s.m = NULL;
out:
	iso_binning_free(&s.rows);
	iso_free(s.pair);
	iso_free(s.inside);
	iso_free(s.in);
	iso_network_destroy(s.m);
	return st;
}

static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **out,
		       iso_error *err)
{
	const opts *o = env->options;
	return iso_network_load(env->schema, (size_t)o->bins, bytes, n, out, err);
}

const iso_generator iso_generator_privbayes = {
	.abi = ISO_GENERATOR_ABI,
	.name = "privbayes",
	.title = "PrivBayes: a Bayesian network of noisy low-dimensional tables",
	.citation = "J. Zhang, G. Cormode, C. M. Procopiuc, D. Srivastava, X. Xiao, \"PrivBayes: "
		    "Private Data Release via Bayesian Networks\", SIGMOD 2014; ACM Transactions "
		    "on Database Systems 42(4), 2017",
	.card = "Draws a network of columns by the exponential mechanism, one column and its "
		"parents at a time, releases the counts of every column with its parents and "
		"samples along the network.\n"
		"Privacy: the choices' scores move by at most 2 (distance from independence) or "
		"by a logarithm of n (mutual information) with a record; each of d tables is a "
		"histogram of sensitivity 1.\n"
		"mode=paper adds noise at the scale of shares to counts, as a known "
		"implementation does; its tables are uncharged and verify finds them.\n"
		"Deviations: every column has a table of its own; a limit on the pairs scored.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_TABULAR | ISO_ACCEPTS_SEQUENCE | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	.options = options,
	.options_size = sizeof(opts),
	.guarantee_of = guarantee_of,
	.claimed_epsilon = claimed_epsilon,
	.resolve = resolve,
	.plan = plan,
	.fit = fit,
	.load = load,
	ISO_NETWORK_SLOTS,
};
