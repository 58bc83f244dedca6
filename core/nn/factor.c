// SPDX-License-Identifier: Apache-2.0
#include "core/nn/factor.h"

#include <math.h>

#include "core/nn/loops.h"

#define STRIP 28 /* rows of the Gram matrices at a time: whole tiles of every kernel */

/* |a|^2 and |d|^2 as stored, lifted above their true values: a sum of n squares in whatever order
 * is off by less than n 2^-24 relative, plus n 2^-149 where it underflows (Higham 2002,
 * section 3.1). */
static inline double lifted(float norm2, size_t n)
{
	return norm2 + (double)n * 0x1p-149;
}

/* Relative slack of |d|^2 (|a|^2 + 1). */
static double slack_of(const iso_factors *f)
{
	return 1.02 * (double)(f->na + f->nd + 4) * 0x1p-24;
}

/* sum over pairs of rows s < t of one record: 2 (d_s . d_t) (a_s . a_t + b_s b_t). */
static double cross_terms(const iso_factors *f, size_t first, size_t m)
{
	const iso_nn_loops *const loops = iso_nn_loops_now();
	const size_t biased = first + m - f->nobias;
	double sum = 0;
	for (size_t s = first; s < first + m; s++) {
		for (size_t t = s + 1; t < first + m; t++) {
			const double dd = loops->dot(f->nd, f->d + s * f->d_ld, f->d + t * f->d_ld);
			const double aa = loops->dot(f->na, f->a + s * f->a_ld, f->a + t * f->a_ld);
			sum += 2 * dd * (aa + (t < biased));
		}
	}
	return sum;
}

/* The rounding of a cross term is at most slack times g_s g_t with g^2 = |d|^2 (|a|^2 + 1), and
 * (sum_s g_s)^2 <= m sum_s g_s^2. */
void iso_factor_norms2(const iso_factors *f, size_t m, size_t first, size_t n, double *total)
{
	const float *const a2 = f->a2 + first * m, *const d2 = f->d2 + first * m;
	const double slack = slack_of(f) * (double)m;
	if (m == 1 && !f->nobias) {
		for (size_t k = 0; k < n; k++)
			total[k] += lifted(d2[k], f->nd) * (lifted(a2[k], f->na) + 1) * (1 + slack);
		return;
	}
	for (size_t k = 0; k < n; k++) {
		double rows = 0;
		for (size_t i = k * m; i < (k + 1) * m; i++)
			rows += lifted(d2[i], f->nd) *
				(lifted(a2[i], f->na) + (i < (k + 1) * m - f->nobias));
		const double value = rows + cross_terms(f, (first + k) * m, m);
		total[k] += (value < 0 ? 0 : value) + slack * rows;
	}
}

/* Above 1 by the rounding of |a|^2 and |d|^2, in any order of summation. */
static double lift_of(const iso_factors *f)
{
	return 1 + 1.02 * (double)(f->na + f->nd + 8) * 0x1p-24;
}

/* sum_s g_s with g_s^2 = |d_s|^2 (|a_s|^2 + b_s), from above. */
static double sum_of_norms(const iso_factors *f, size_t rows)
{
	enum { BLOCK = 64 };
	const size_t biased = rows - f->nobias;
	double sum = 0;
	for (size_t at = 0; at < rows; at += BLOCK) {
		const size_t n = rows - at < BLOCK ? rows - at : BLOCK;
		float a2[BLOCK], d2[BLOCK];
		iso_row_norms2(n, f->na, f->a + at * f->a_ld, f->a_ld, 0, a2);
		iso_row_norms2(n, f->nd, f->d + at * f->d_ld, f->d_ld, 0, d2);
		for (size_t i = 0; i < n; i++)
			sum += sqrt(lifted(d2[i], f->nd) *
				    (lifted(a2[i], f->na) + (at + i < biased)));
	}
	return sum * lift_of(f);
}

/* Rows s = i0 .. i0+n-1 of the Gram matrices aa, dd [n][i0 + n]: the sum over t <= s of (d_s . d_t)
 * (a_s . a_t + b_s b_t), pairs t < s twice; *norms += sum_s g_s, off their diagonals. */
static double strip_sum(const iso_factors *f, size_t biased, size_t i0, size_t n, const float *aa,
			const float *dd, double *norms)
{
	const size_t ld = i0 + n;
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		const size_t s = i0 + i;
		const float *const ai = aa + i * ld, *const di = dd + i * ld;
		double below = 0;
		for (size_t t = 0; t < s; t++)
			below += (double)di[t] * ai[t];
		for (size_t t = 0; s < biased && t < s; t++)
			below += di[t];
		sum += 2 * below + (double)di[s] * ((double)ai[s] + (s < biased));
		*norms += sqrt(lifted(di[s], f->nd) * (lifted(ai[s], f->na) + (s < biased)));
	}
	return sum;
}

static double by_gram(const iso_factors *f, size_t rows, float *scratch)
{
	const size_t biased = rows - f->nobias;
	float *const aa = scratch, *const dd = scratch + STRIP * rows;
	double value = 0, norms = 0;
	for (size_t i0 = 0; i0 < rows; i0 += STRIP) {
		const size_t n = rows - i0 < STRIP ? rows - i0 : STRIP, ld = i0 + n;
		iso_gemm(ISO_NT, n, ld, f->na, f->a + i0 * f->a_ld, f->a_ld, f->a, f->a_ld, 0, aa,
			 ld, NULL);
		iso_gemm(ISO_NT, n, ld, f->nd, f->d + i0 * f->d_ld, f->d_ld, f->d, f->d_ld, 0, dd,
			 ld, NULL);
		value += strip_sum(f, biased, i0, n, aa, dd, &norms);
	}
	const double g = norms * lift_of(f);
	return (value < 0 ? 0 : value) + slack_of(f) * g * g;
}

/* An element of the sum is off by at most rows 2^-24 times the sum of |a_s||d_s|, so the whole by
 * that times sum_s g_s; a sum of nd squares by (nd / 16 + 5) 2^-24. */
static double by_gradient(const iso_factors *f, size_t rows, float *scratch)
{
	enum { BLOCK = 64 };
	const size_t biased = rows - f->nobias;
	float *const bias = scratch + f->na * f->nd;
	double value = 0;
	iso_gemm(ISO_TN, f->na, f->nd, rows, f->a, f->a_ld, f->d, f->d_ld, 0, scratch, f->nd, NULL);
	iso_col_sums(biased, f->nd, f->d, f->d_ld, 0, bias);
	for (size_t at = 0; at <= f->na; at += BLOCK) { /* the bias is one row more */
		const size_t left = f->na + 1 - at, n = left < BLOCK ? left : BLOCK;
		float norm2[BLOCK];
		iso_row_norms2(n, f->nd, scratch + at * f->nd, f->nd, 0, norm2);
		for (size_t i = 0; i < n; i++)
			value += lifted(norm2[i], f->nd);
	}
	const double norm = sqrt(value * (1 + ((double)f->nd / 16 + 8) * 0x1p-24)) +
			    1.02 * (double)(rows + 2) * 0x1p-24 * sum_of_norms(f, rows);
	return norm * norm;
}

/* Multiply-adds: about rows^2 / 2 of each Gram matrix, at about half the speed of a long product.
 */
static int gram_is_cheaper(size_t rows, size_t na, size_t nd)
{
	return (double)rows * (double)(na + nd) < (double)na * (double)nd;
}

double iso_factor_record(const iso_factors *f, size_t rows, float *scratch)
{
	return gram_is_cheaper(rows, f->na, f->nd) ? by_gram(f, rows, scratch)
						   : by_gradient(f, rows, scratch);
}

/* Enough for every number of rows: the Gram form is taken only below na nd / (na + nd) rows. */
size_t iso_factor_scratch(size_t na, size_t nd)
{
	const size_t gradient = na * nd + nd, most = na * nd / (na + nd) + 1,
		     gram = 2 * STRIP * most;
	return gradient > gram ? gradient : gram;
}

void iso_factor_bias(const iso_pass *p, const float *d, size_t nd, size_t per, size_t from,
		     size_t to, int beta, float *out)
{
	if (!p->nobias) {
		iso_col_sums((to - from) * per, nd, d, nd, beta, out);
		return;
	}
	for (size_t i = from; i < to; i += p->m) {
		iso_col_sums((p->m - p->nobias) * per, nd, d + (i - from) * per * nd, nd,
			     beta || i > from, out);
	}
}
