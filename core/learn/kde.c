// SPDX-License-Identifier: Apache-2.0
#include "core/learn/kde.h"

#include <math.h>

#include "core/base/alloc.h"
#include "core/base/wide.h"
#include "core/learn/kfold.h"
#include "core/math/vmath.h"

#define GRID 20 /* h = 1, 2^-1/2, ..., 2^-9.5 */
#define QUERIES 500
#define GROUP 8 /* queries that share a pass over the rows */

ISO_WIDE static void exponents(const float *restrict d2, size_t n, float least, float scale,
			       float *restrict out)
{
	for (size_t r = 0; r < n; r++)
		out[r] = (d2[r] - least) * scale;
}

/* Eight partial sums, term t in sum t mod 8, then a fixed tree. */
ISO_WIDE static double sum_of(const float *x, size_t n)
{
	double s[8] = {0};
	size_t r = 0;

	for (; r + 8 <= n; r += 8)
		for (size_t l = 0; l < 8; l++)
			s[l] += (double)x[r + l];
	for (size_t l = 0; r < n; r++, l++)
		s[l] += (double)x[r];
	return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

double iso_log_kernel_sum(const float *d2, size_t n, double h, size_t skip, float *scratch)
{
	const float scale = (float)(-0.5 / (h * h));
	const float before = iso_least_distance(d2, skip < n ? skip : n),
		    after = skip < n ? iso_least_distance(d2 + skip + 1, n - skip - 1) : INFINITY,
		    least = before < after ? before : after;

	if (!(least < INFINITY))
		return -INFINITY;
	exponents(d2, n, least, scale, scratch);
	if (skip < n)
		scratch[skip] = -INFINITY;
	iso_vexp(n, scratch, scratch);
	return (double)least * (double)scale + iso_log(sum_of(scratch, n));
}

static iso_status leave_one_out(const iso_rowset *x, iso_key key, double *h, iso_error *err)
{
	const size_t m = x->n < QUERIES ? x->n : QUERIES;
	float *d2 = iso_alloc(x->n, sizeof(*d2)), *scratch = iso_alloc(x->n, sizeof(*scratch));
	double fit[GRID] = {0};
	uint32_t *row = NULL;
	iso_status st = d2 && scratch ? iso_subset(key, x->n, m, &row, err)
				      : iso_no_memory(err, "a bandwidth");

	for (size_t i = 0; st == ISO_OK && i < m; i++) {
		iso_pair_distances(x, row[i], x, d2);
		for (int g = 0; g < GRID; g++)
			fit[g] += iso_log_kernel_sum(d2, x->n, iso_exp(-0.34657359028 * g), row[i],
						     scratch);
	}
	size_t best = 0;
	for (int g = 0; g < GRID; g++) {
		fit[g] += 0.34657359028 * g * (double)m * (double)x->d;
		best = fit[g] > fit[best] ? (size_t)g : best;
	}
	*h = iso_exp(-0.34657359028 * (double)best);
	iso_free(d2);
	iso_free(scratch);
	iso_free(row);
	return st;
}

iso_status iso_kde_init(iso_kde *k, const iso_rowset *rows, double h, iso_key key, iso_error *err)
{
	*k = (iso_kde){rows, h};
	ISO_FAIL_IF(rows->n < 2, err, ISO_E_UNSUPPORTED,
		    "a density needs at least two rows (got %zu)", rows->n);
	return h > 0 ? ISO_OK : leave_one_out(rows, key, &k->h, err);
}

iso_status iso_kde_log_density(const iso_kde *k, const iso_rowset *q, double *out, iso_error *err)
{
	const size_t n = k->rows->n;
	float *d2 = iso_alloc(GROUP * n, sizeof(*d2)), *scratch = iso_alloc(n, sizeof(*scratch));
	const int ok = d2 && scratch;

	for (size_t i = 0; ok && i < q->n; i += GROUP) {
		const size_t m = q->n - i < GROUP ? q->n - i : GROUP;

		iso_pair_distances_of(q, i, m, k->rows, d2);
		for (size_t j = 0; j < m; j++)
			out[i + j] = iso_log_kernel_sum(d2 + j * n, n, k->h, SIZE_MAX, scratch) -
				     iso_log((double)n) - (double)k->rows->d * iso_log(k->h);
	}
	iso_free(d2);
	iso_free(scratch);
	return ok ? ISO_OK : iso_no_memory(err, "a density");
}
