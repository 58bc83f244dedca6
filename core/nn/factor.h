// SPDX-License-Identifier: Apache-2.0
/* Private to core/nn: squared norms of sums of factor rows, never below the true value.
 *
 * A record's gradient is G = sum_s a_s^T d_s (weights) and g = sum_s b_s d_s (bias; b_s is 0 for
 * tangent rows and 1 for all others) over its factor rows, so
 *
 *     |G|^2 + |g|^2 = sum_{s,t} (d_s . d_t) (a_s . a_t + b_s b_t).
 */
#ifndef ISO_NN_FACTOR_H
#define ISO_NN_FACTOR_H

#include <stddef.h>

#include "core/nn/layer.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_factors {
	const float *a; /* [rows][a_ld], na of each */
	size_t a_ld, na;
	const float *d; /* [rows][d_ld], nd of each */
	size_t d_ld, nd;
	const float *a2, *d2; /* [rows] their squared norms, summed in any order */
	size_t nobias;	      /* of a record's rows, the last */
} iso_factors;

/* Few rows a record: total[k] += the squared norm for record first + k, k < n, whose rows are
 * (first + k) m .. + m-1, by the pairs. */
void iso_factor_norms2(const iso_factors *f, size_t m, size_t first, size_t n, double *total);

/* Many rows: the squared norm of one record whose rows are 0 .. rows-1 (a2, d2 unused), by the Gram
 * matrices or by the gradient itself, whichever takes fewer operations.  scratch:
 * iso_factor_scratch floats. */
double iso_factor_record(const iso_factors *f, size_t rows, float *scratch);
size_t iso_factor_scratch(size_t na, size_t nd);

/* out [nd] (+)= sum of the biased factor rows of rows from .. to-1, `per` of each; d stands at the
 * first. */
void iso_factor_bias(const iso_pass *p, const float *d, size_t nd, size_t per, size_t from,
		     size_t to, int beta, float *out);

#ifdef __cplusplus
}
#endif

#endif
