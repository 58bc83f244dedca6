// SPDX-License-Identifier: Apache-2.0
/* The signed-rank test; see stats.h. */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/special.h"
#include "core/math/stats.h"

#define EXACT 100 /* differences; above, the normal tail: 1.5 times the exact one near 1e-5 */

/* Twice the mid-ranks of |d|, whole numbers, for n differences other than zero, and twice the rank
 * sum of the positive ones. */
static iso_status double_ranks(const double *d, size_t n, size_t *rank, size_t *sum, iso_error *err)
{
	double *size = iso_alloc(n, sizeof(*size));
	size_t *order = iso_alloc(n, sizeof(*order));
	iso_status st = size && order ? ISO_OK : iso_no_memory(err, "ranks");

	for (size_t i = 0; st == ISO_OK && i < n; i++)
		size[i] = fabs(d[i]);
	if (st == ISO_OK)
		st = iso_argsort(size, n, order, err);
	*sum = 0;
	for (size_t i = 0, end; st == ISO_OK && i < n; i = end) {
		for (end = i; end < n && size[order[end]] == size[order[i]]; end++)
			;
		for (size_t j = i; j < end; j++) {
			rank[j] = i + 1 + end;
			*sum += d[order[j]] > 0 ? rank[j] : 0;
		}
	}
	iso_free(size);
	iso_free(order);
	return st;
}

/* P[sum of the ranks that a fair coin picks >= at least], by convolution. */
static iso_status exact_tail(const size_t *rank, size_t n, size_t at_least, double *p,
			     iso_error *err)
{
	const size_t most = n * (n + 1);
	double *share = iso_alloc(most + 1, sizeof(*share));
	size_t reached = 0;

	if (!share)
		return iso_no_memory(err, "a rank test");
	share[0] = 1;
	for (size_t i = 0; i < n; i++) {
		reached += rank[i];
		for (size_t s = reached + 1; s-- > 0;)
			share[s] = 0.5 * (share[s] + (s >= rank[i] ? share[s - rank[i]] : 0));
	}
	*p = 0;
	for (size_t s = most + 1; s-- > at_least;)
		*p += share[s];
	iso_free(share);
	return ISO_OK;
}

static double normal_tail(const size_t *rank, size_t n, size_t at_least)
{
	double mean = 0, variance = 0;

	for (size_t i = 0; i < n; i++) {
		mean += 0.5 * (double)rank[i];
		variance += 0.25 * (double)rank[i] * (double)rank[i];
	}
	return iso_norm_cdf(-((double)at_least - 1 - mean) / sqrt(variance));
}

iso_status iso_signed_rank(const double *d, size_t n, iso_signed_rank_test *out, iso_error *err)
{
	double *kept = iso_alloc(n + 1, sizeof(*kept));
	size_t *rank = iso_alloc(n + 1, sizeof(*rank)), sum = 0;
	iso_status st = kept && rank ? ISO_OK : iso_no_memory(err, "a rank test");

	*out = (iso_signed_rank_test){.p = 1, .least = 1};
	for (size_t i = 0; st == ISO_OK && i < n; i++)
		if (d[i] != 0)
			kept[out->n++] = d[i];
	if (st == ISO_OK && out->n > 0)
		st = double_ranks(kept, out->n, rank, &sum, err);
	if (st == ISO_OK && out->n > 0) {
		out->least = ldexp(1, -(int)(out->n < 1000 ? out->n : 1000));
		if (out->n <= EXACT)
			st = exact_tail(rank, out->n, sum, &out->p, err);
		else
			out->p = normal_tail(rank, out->n, sum);
	}
	iso_free(kept);
	iso_free(rank);
	return st;
}

iso_status iso_signed_rank_visible(const double *d, size_t n, double level, double *shift,
				   iso_error *err)
{
	double *moved = iso_alloc(n + 1, sizeof(*moved)), low = 0, high = 0, mean = iso_mean(d, n);
	iso_signed_rank_test test = {.p = 1};
	iso_status st = moved ? ISO_OK : iso_no_memory(err, "a rank test");

	*shift = INFINITY;
	for (size_t i = 0; i < n; i++)
		high = fmax(high, 2 * fabs(d[i] - mean));
	high = high > 0 ? high : 1e-12;
	for (int step = 0; st == ISO_OK && step < 24; step++) {
		const double at = step == 0 ? high : 0.5 * (low + high);

		for (size_t i = 0; i < n; i++)
			moved[i] = d[i] - mean + at;
		st = iso_signed_rank(moved, n, &test, err);
		if (step == 0 && !(test.p <= level))
			break; /* not even when all differences are worse */
		if (test.p <= level)
			*shift = high = at;
		else
			low = at;
	}
	iso_free(moved);
	return st;
}
