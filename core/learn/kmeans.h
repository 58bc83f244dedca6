// SPDX-License-Identifier: Apache-2.0
/* Lloyd's k-means with k-means++ seeding (Arthur and Vassilvitskii 2007), in double precision and
 * one fixed order. */
#ifndef ISO_LEARN_KMEANS_H
#define ISO_LEARN_KMEANS_H

#include "core/base/status.h"
#include "core/rand/rand.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_kmeans {
	size_t k, d;
	double *centre; /* owned [k][d] */
	double inertia; /* sum of squared distances of the rows to their centres */
} iso_kmeans;

/* x [n][d], n >= 1.  At most min(k, n) centres; the best of `starts` seedings, each of at most 100
 * rounds.  An empty cell takes the row that is farthest from its centre. */
iso_status iso_kmeans_fit(const float *x, size_t n, size_t d, size_t k, size_t starts, iso_key key,
			  iso_kmeans *out, iso_error *err) ISO_MUST_CHECK;
void iso_kmeans_free(iso_kmeans *m);
/* The nearest centre of a row x [d]; ties: the first.  *dist2 (NULL: not wanted) its square. */
size_t iso_kmeans_cell(const iso_kmeans *m, const float *x, double *dist2);
/* Adjusted Rand index (Hubert and Arabie 1985) of two partitions of n rows into cells below ka and
 * kb: 1 for equal ones, 0 on average for independent ones; 1 when both have a single cell. NaN: n <
 * 2 or out of memory. */
double iso_adjusted_rand(const uint32_t *a, size_t ka, const uint32_t *b, size_t kb, size_t n);

#ifdef __cplusplus
}
#endif

#endif
