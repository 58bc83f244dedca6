// SPDX-License-Identifier: Apache-2.0
/* From the scores of an audit to its verdict. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "suites/flow/audit.h"

#define GRID 19	 /* quantiles of the Bonferroni rule; odd, so that the median is one */
#define FINE 199 /* of the hold-out rule, whose choice costs nothing */

const char *iso_audit_verdict_name(iso_audit_verdict v)
{
	static const char *const name[] = {"violation", "tight", "saturated", "underpowered",
					   "loose"};

	return name[v];
}

const char *iso_statistic_name(iso_statistic s)
{
	static const char *const name[] = {"rows", "score", "releases"};

	return name[s];
}

typedef struct column {
	const double *scores;
	size_t runs, stat;
} column;

static double score_of(const column *c, size_t world, size_t run)
{
	return c->scores[(world * c->runs + run) * ISO_STAT_COUNT + c->stat];
}

static int is_in(double score, double threshold, int reversed)
{
	return reversed ? score < threshold : score > threshold;
}

static iso_counts count(const column *c, size_t first, size_t end, double threshold, int reversed)
{
	iso_counts k = {.n_out = end - first, .n_in = end - first};

	for (size_t i = first; i < end; i++) {
		k.fp += (size_t)is_in(score_of(c, 0, i), threshold, reversed);
		k.fn += (size_t)!is_in(score_of(c, 1, i), threshold, reversed);
	}
	return k;
}

static int ascending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Thresholds between `grid` quantiles of the runs first..end of both worlds. */
static size_t thresholds(const column *c, size_t first, size_t end, size_t grid, double *out)
{
	const size_t n = 2 * (end - first);
	double *v = iso_alloc(n + 1, sizeof(*v));
	size_t m = 0;

	if (!v)
		return 0;
	for (size_t i = first; i < end; i++) {
		v[m++] = score_of(c, 0, i);
		v[m++] = score_of(c, 1, i);
	}
	qsort(v, n, sizeof(*v), ascending);
	m = 0;
	for (size_t k = 1; k <= grid; k++) {
		const size_t at = k * (n - 1) / (grid + 1);
		size_t up = at;

		while (up + 1 < n && v[up] == v[at])
			up++;
		out[m++] = isfinite(v[at]) && isfinite(v[up]) ? (v[at] + v[up]) / 2 : v[up];
	}
	iso_free(v);
	return m;
}

/* What a threshold is worth.  mu looks at both kinds of errors at once, as the profile test does;
 * the epsilon at a small delta would choose a corner where few runs decide. */
static double worth(const iso_counts *k, double delta)
{
	return iso_audit_mu(k, 0.025) + 1e-3 * iso_audit_epsilon(k, delta, 0.025);
}

static void choose(const column *c, size_t first, size_t end, double delta, iso_audit_test *t)
{
	double grid[FINE], best = -1;
	const size_t n = thresholds(c, first, end, FINE, grid);

	for (size_t i = 0; i < n; i++)
		for (int reversed = 0; reversed < 2; reversed++) {
			const iso_counts k = count(c, first, end, grid[i], reversed);
			const double w = worth(&k, delta) -
					 1e-6 * (double)(k.fp + k.fn) / (double)(end - first);

			if (w > best) {
				best = w;
				t->threshold = grid[i];
				t->reversed = reversed;
			}
		}
}

/* NaN marks a statistic that the generator does not have: known before any run. */
static int exists(const column *c)
{
	for (size_t i = 0; i < 2 * c->runs; i++)
		if (isnan(score_of(c, i / c->runs, i % c->runs)))
			return 0;
	return 1;
}

static int varies(const column *c)
{
	for (size_t i = 1; i < 2 * c->runs; i++)
		if (score_of(c, i / c->runs, i % c->runs) != score_of(c, 0, 0))
			return 1;
	return 0;
}

static void bounds(iso_audit_test *t, const iso_profile *claim, double delta, double tail)
{
	size_t at;

	t->epsilon = iso_audit_epsilon(&t->counts, delta, tail);
	t->mu = iso_audit_mu(&t->counts, tail);
	t->gdp = iso_gdp_epsilon(t->mu, delta);
	t->rejected = iso_profile_rejects(&t->counts, claim, tail, &at);
	t->at_epsilon = t->rejected ? claim->epsilon[at] : NAN;
}

/* Every threshold of the grid is a test of its own. */
static void bonferroni(const column *c, const iso_profile *claim, double delta, double tail,
		       iso_audit_test *t)
{
	double grid[GRID], best = -1;
	const size_t n = thresholds(c, 0, c->runs, GRID, grid);

	for (size_t i = 0; i < 2 * n; i++) {
		iso_audit_test x = {
			.applies = 1, .threshold = grid[i / 2], .reversed = (int)(i % 2)};

		x.counts = count(c, 0, c->runs, x.threshold, x.reversed);
		x.epsilon = iso_audit_epsilon(&x.counts, delta, tail / (2 * GRID));
		if (x.epsilon + 1e-3 * iso_audit_mu(&x.counts, tail / (2 * GRID)) <= best)
			continue;
		best = x.epsilon + 1e-3 * iso_audit_mu(&x.counts, tail / (2 * GRID));
		*t = x;
	}
	bounds(t, claim, delta, tail / (2 * GRID));
}

static void judge_one(const column *c, const iso_profile *claim, iso_threshold rule, double delta,
		      double tail, iso_audit_test *t, size_t *judged)
{
	const size_t chosen = rule == ISO_THRESHOLD_HOLD_OUT ? c->runs / 3 : 0;

	*judged = c->runs - chosen;
	if (rule == ISO_THRESHOLD_BONFERRONI) {
		bonferroni(c, claim, delta, tail, t);
		return;
	}
	t->threshold = c->stat == ISO_STAT_ROWS ? 0.5 : 0;
	if (chosen > 0)
		choose(c, 0, chosen, delta, t);
	t->counts = count(c, chosen, c->runs, t->threshold, t->reversed);
	bounds(t, claim, delta, tail);
}

/* Would the decision rule reject the claim if no run were decided wrongly? */
static int refutable(const iso_audit_result *x, const iso_profile *claim, double tail)
{
	const iso_counts perfect = {.n_out = x->judged, .n_in = x->judged};
	size_t at;

	return iso_profile_rejects(&perfect, claim, tail, &at);
}

static iso_audit_verdict verdict_of(const iso_audit_result *x, double claim, int can)
{
	int perfect = 0;

	for (int s = 0; s < ISO_STAT_COUNT; s++) {
		const iso_audit_test *t = &x->test[s];

		if (t->applies && t->rejected)
			return ISO_AUDIT_VIOLATION;
		perfect |= t->applies && t->counts.fp == 0 && t->counts.fn == 0;
	}
	if (x->epsilon >= 0.8 * claim || x->gdp_epsilon >= 0.8 * claim)
		return ISO_AUDIT_TIGHT;
	if (perfect)
		return ISO_AUDIT_SATURATED;
	return can ? ISO_AUDIT_LOOSE : ISO_AUDIT_UNDERPOWERED;
}

void iso_audit_judge(const double *scores, size_t runs, const iso_profile *claim,
		     iso_threshold rule, double alpha, double delta, iso_audit_result *out)
{
	size_t tests = 0;

	for (size_t s = 0; s < ISO_STAT_COUNT; s++) {
		const column c = {.scores = scores, .runs = runs, .stat = s};

		out->test[s] = (iso_audit_test){.at_epsilon = NAN};
		out->test[s].applies =
			exists(&c) && !(rule == ISO_THRESHOLD_FIXED && s == ISO_STAT_SCORE);
		tests += (size_t)out->test[s].applies;
	}
	out->tail = alpha / (2 * (double)(tests ? tests : 1));
	out->epsilon = 0;
	out->gdp_epsilon = NAN;
	out->judged = rule == ISO_THRESHOLD_HOLD_OUT ? runs - runs / 3 : runs;
	for (size_t s = 0; s < ISO_STAT_COUNT; s++) {
		const column c = {.scores = scores, .runs = runs, .stat = s};

		/* a constant had its share of alpha, and tells nothing */
		out->test[s].applies = out->test[s].applies && varies(&c);
		if (!out->test[s].applies)
			continue;
		judge_one(&c, claim, rule, delta, out->tail, &out->test[s], &out->judged);
		out->test[s].applies = 1;
		if (out->gaussian && !(out->test[s].gdp <= out->gdp_epsilon))
			out->gdp_epsilon = out->test[s].gdp;
		if (out->test[s].epsilon > out->epsilon)
			out->epsilon = out->test[s].epsilon;
	}
	const double tail = rule == ISO_THRESHOLD_BONFERRONI ? out->tail / (2 * GRID) : out->tail;

	out->ceiling = iso_audit_ceiling(out->judged, delta, tail);
	out->verdict = verdict_of(out, isfinite(out->accounted) ? out->accounted : out->target,
				  refutable(out, claim, tail));
}
