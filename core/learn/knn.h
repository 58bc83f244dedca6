// SPDX-License-Identifier: Apache-2.0
/* Nearest Euclidean neighbours, exact: a single-precision matrix product with a proven error bound
 * finds the few pairs that can matter, and only those are measured, by direct differences in double
 * precision in one fixed order.  So an identical row has distance exactly 0, and the bits depend
 * neither on the CPU nor on the product's backend. */
#ifndef ISO_LEARN_KNN_H
#define ISO_LEARN_KNN_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ISO_NO_NEIGHBOUR SIZE_MAX

/* Neighbours of nq queries, fed with reference rows in pieces of any size. */
typedef struct iso_knn {
	size_t nq, d, k;
	const float *q; /* [nq][ld] borrowed */
	size_t ld;
	double *dist2; /* owned [nq][k] squared distances, ascending; infinity where fewer were seen
			*/
	size_t *index; /* owned [nq][k] place among all reference rows fed so far; ties: the earlier
			  row */
	size_t seen;
	double *norm2;		 /* owned [nq] */
	float *tile, *tile_norm; /* owned */
} iso_knn;
iso_status iso_knn_init(iso_knn *s, const float *q, size_t ld, size_t nq, size_t d, size_t k,
			iso_error *err) ISO_MUST_CHECK;
/* not_self: query i never meets the reference row whose place is i (a set against itself). */
void iso_knn_feed(iso_knn *s, const float *ref, size_t ld, size_t nref, int not_self);
void iso_knn_free(iso_knn *s);

/* The distance to the nearest row of ref, for each query. */
iso_status iso_nearest_distance(const float *q, size_t nq, const float *ref, size_t nref, size_t d,
				double *dist, iso_error *err) ISO_MUST_CHECK;
/* Squared distance by direct differences: eight partial sums (term t goes to t mod 8), then a fixed
 * tree. */
double iso_distance2(const float *a, const float *b, size_t d);

#ifdef __cplusplus
}
#endif

#endif
