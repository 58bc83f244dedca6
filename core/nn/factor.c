// SPDX-License-Identifier: Apache-2.0
#include "core/nn/factor.h"

#include "core/nn/loops.h"

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

/* sum over pairs of rows s < t of one record: 2 (d_s . d_t) (a_s . a_t + 1). */
static double cross_terms(const iso_factors *f, size_t first, size_t m)
{
	const iso_nn_loops *const loops = iso_nn_loops_now();
	double sum = 0;
	for (size_t s = first; s < first + m; s++) {
		for (size_t t = s + 1; t < first + m; t++) {
			const double dd = loops->dot(f->nd, f->d + s * f->d_ld, f->d + t * f->d_ld);
			const double aa = loops->dot(f->na, f->a + s * f->a_ld, f->a + t * f->a_ld);
			sum += 2 * dd * (aa + 1);
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
	if (m == 1) {
		for (size_t k = 0; k < n; k++)
			total[k] += lifted(d2[k], f->nd) * (lifted(a2[k], f->na) + 1) * (1 + slack);
		return;
	}
	for (size_t k = 0; k < n; k++) {
		double rows = 0;
		for (size_t i = k * m; i < (k + 1) * m; i++)
			rows += lifted(d2[i], f->nd) * (lifted(a2[i], f->na) + 1);
		const double value = rows + cross_terms(f, (first + k) * m, m);
		total[k] += (value < 0 ? 0 : value) + slack * rows;
	}
}
