// SPDX-License-Identifier: Apache-2.0
/* Private to core/nn: squared norms of sums of factor rows, never below the true value.
 *
 * A record's gradient is G = sum_s a_s^T d_s (weights) and g = sum_s d_s (bias) over its m factor
 * rows, so
 *     |G|^2 + |g|^2 = sum_{s,t} (d_s . d_t) (a_s . a_t + 1). */
#ifndef ISO_NN_FACTOR_H
#define ISO_NN_FACTOR_H

#include <stddef.h>

typedef struct iso_factors {
	const float *a; /* [rows][a_ld], na of each */
	size_t a_ld, na;
	const float *d; /* [rows][d_ld], nd of each */
	size_t d_ld, nd;
	const float *a2, *d2; /* [rows] their squared norms, summed in any order */
} iso_factors;

/* total[k] += the squared norm for record first + k, whose rows are (first + k) m .. + m-1; k < n.
 */
void iso_factor_norms2(const iso_factors *f, size_t m, size_t first, size_t n, double *total);

#endif
