// SPDX-License-Identifier: Apache-2.0
/* A schema from private data: which categories occur, and how far values reach. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/vmath.h"
#include "core/privacy/ledger_private.h"
#include "core/privacy/mechanism.h"
#include "core/privacy/mechanism_trusted.h"

/* ------------------------------------------------------------------ open categories */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The different texts of value[n], sorted, with their counts; returns how many. */
static size_t count_texts(const char *const *value, size_t n, const char **text, double *count)
{
	size_t kept = 0, distinct = 0;

	for (size_t i = 0; i < n; i++)
		if (value[i])
			text[kept++] = value[i];
	qsort(text, kept, sizeof(*text), by_text);
	for (size_t i = 0; i < kept; i++) {
		if (distinct && strcmp(text[distinct - 1], text[i]) == 0) {
			count[distinct - 1] += 1;
			continue;
		}
		text[distinct] = text[i];
		count[distinct++] = 1;
	}
	return distinct;
}

void iso_open_counts_free(iso_open_counts *c)
{
	for (size_t i = 0; i < c->n; i++)
		iso_free(c->name[i]);
	iso_free(c->name);
	iso_free(c->count);
	*c = (iso_open_counts){0};
}

static iso_status keep_large(const char *const *text, const double *count, size_t n, size_t room,
			     iso_open_counts *out, iso_error *err)
{
	out->name = iso_alloc(room + 1, sizeof(*out->name));
	out->count = iso_alloc(room + 1, sizeof(*out->count));
	if (!out->name || !out->count)
		return iso_no_memory(err, "the categories of a column");
	for (size_t i = 0; i < n; i++) {
		const size_t len = strlen(text[i]);

		if (!(count[i] >= out->threshold))
			continue;
		out->name[out->n] = iso_alloc(len + 1, 1);
		if (!out->name[out->n])
			return iso_no_memory(err, "the categories of a column");
		memcpy(out->name[out->n], text[i], len + 1);
		out->count[out->n++] = count[i];
	}
	return ISO_OK;
}

static iso_status check_open(const iso_ledger *l, const char *why, int handle, iso_error *err)
{
	const iso_event *e = iso_ledger_event(l, handle);

	ISO_FAIL_IF(
		!(e->delta > 0 && e->delta < 0.5) || !(e->epsilon > 0), err, ISO_E_BUDGET,
		"open histogram (%s: %s): planned with epsilon %g and delta %g; a category that "
		"one record holds may show with probability delta, so plan epsilon above 0 and "
		"delta between 0 and 1/2",
		l->who, why, e->epsilon, e->delta);
	ISO_FAIL_IF(l->replay, err, ISO_E_UNSUPPORTED,
		    "open histogram under record/replay (%s: %s): what occurs has no fixed length "
		    "to compare; take the categories from a schema",
		    l->who, why);
	return ISO_OK;
}

iso_status iso_mech_open_histogram(iso_ledger *l, iso_entry entry, const char *const *value,
				   size_t n, iso_open_counts *out, iso_error *err)
{
	const char **text = NULL;
	double *count = NULL, b;
	const iso_event *e;
	size_t distinct;
	uint32_t call;
	int handle;
	iso_status st;

	*out = (iso_open_counts){0};
	ISO_TRY(iso_ledger_mechanism(l, entry, ISO_SET(ISO_MECH_PURE), 0, &handle, err));
	ISO_TRY(check_open(l, entry.why, handle, err));
	e = iso_ledger_event(l, handle);
	text = iso_alloc(n + 1, sizeof(*text));
	count = iso_alloc(n + 1, sizeof(*count));
	if (!text || !count) {
		st = iso_no_memory(err, "the categories of a column");
		goto out;
	}
	ISO_TRY_OUT(iso_release_begin(l, handle, 1, 1, &call, err));
	distinct = count_texts(value, n, text, count);
	b = iso_ledger_unit(l) / e->epsilon;
	/* Pr[1 + Laplace(b) >= threshold] = delta */
	out->threshold = 1 + b * iso_log(1 / (2 * e->delta));
	ISO_TRY_OUT(iso_release_finish(l, handle, call, count, distinct, err));
	ISO_TRY_OUT(keep_large(text, count, distinct, distinct, out, err));
out:
	iso_free(text);
	iso_free(count);
	if (st != ISO_OK)
		iso_open_counts_free(out);
	return st;
}

/* ------------------------------------------------------------------ bounds */

enum { LOW_POWER = -20, HIGH_POWER = 60, POWERS = HIGH_POWER - LOW_POWER + 1 };
#define GRID (2 * POWERS + 1)

/* Ascending: -2^60 .. -2^-20, 0, 2^-20 .. 2^60. */
static void make_grid(double *g)
{
	for (int k = 0; k < POWERS; k++) {
		g[POWERS + 1 + k] = ldexp(1, LOW_POWER + k);
		g[POWERS - 1 - k] = -g[POWERS + 1 + k];
	}
	g[POWERS] = 0;
}

/* First grid index with g[i] >= v (upper) or the last with g[i] <= v; values beyond the grid count
 * at its ends. */
static size_t index_of(const double *g, double v, int upper)
{
	size_t lo = 0, hi = GRID - 1;

	while (lo < hi) {
		const size_t mid = (lo + hi) / 2;

		if (g[mid] >= v)
			hi = mid;
		else
			lo = mid + 1;
	}
	return !upper && lo > 0 && g[lo] > v ? lo - 1 : lo;
}

/* Rows that a bound may leave out.  With noise of scale b, a grid point whose score is 2 t below
 * the best wins with probability at most e^(-2 t / b): t makes that e^-4 over the whole grid. */
static double bound_slack(double b)
{
	return b / 2 * (iso_log(GRID) + 4);
}

/* The first grid point inwards-out that leaves at most about t rows beyond: score[i] = min(t -
 * beyond(g[i]), beyond(the next point inwards) - t), which a row moves by at most 1.  upper: beyond
 * = above. */
static void bound_scores(const double *g, const double *x, size_t n, int upper, double t,
			 double *score)
{
	double reach[GRID] = {0}, beyond = 0;

	for (size_t r = 0; r < n; r++)
		if (isfinite(x[r]))
			reach[index_of(g, x[r], upper)] += 1;
	for (size_t k = 0; k < GRID; k++) {
		const size_t i = upper ? GRID - 1 - k : k; /* from the widest bound inwards */
		const double inner = beyond + reach[i];	   /* beyond the next point */

		score[i] = fmin(t - beyond, inner - t);
		beyond = inner;
	}
}

iso_status iso_mech_bounds(iso_ledger *l, iso_entry entry, const double *x, size_t n, double *low,
			   double *high, iso_error *err)
{
	double g[GRID], score[GRID], t;
	size_t at[2] = {0};
	int handle;

	ISO_TRY(iso_ledger_mechanism(l, entry, ISO_SET(ISO_MECH_EXPONENTIAL), 0, &handle, err));
	/* the choice takes the planned sensitivity for its noise, and a row moves these scores by 1
	 */
	ISO_FAIL_IF(
		!(l->plan.v[handle].sensitivity >= 1), err, ISO_E_BUDGET,
		"bounds (%s: %s): planned with sensitivity %g and a row moves a score by 1; plan "
		"sensitivity 1",
		l->who, entry.why, l->plan.v[handle].sensitivity);
	t = bound_slack(2 * iso_ledger_unit(l) / iso_ledger_event(l, handle)->epsilon);
	make_grid(g);
	for (int upper = 0; upper < 2; upper++) {
		bound_scores(g, x, n, upper, t, score);
		ISO_TRY(iso_mech_exponential(l, entry, score, GRID, &at[upper], err));
	}
	if (at[0] > at[1]) { /* noise crossed them */
		const size_t swap = at[0];

		at[0] = at[1];
		at[1] = swap;
	}
	if (at[0] == at[1])
		at[at[1] + 1 < GRID ? 1 : 0] += at[1] + 1 < GRID ? 1 : (size_t)-1;
	*low = g[at[0]];
	*high = g[at[1]];
	return ISO_OK;
}
