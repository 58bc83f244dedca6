// SPDX-License-Identifier: Apache-2.0
/* Distances between all rows of two tables, on codes: numbers scaled to [0,1] by public bounds, a
 * category as its index, so that a column of 50,000 levels costs as much as one of two.
 *
 *     d2(a, b) = sum over numbers (a_j - b_j)^2 + number of categories that differ
 *
 * A missing number is 1/2 with an indicator of its own, a missing category is a category, ids are
 * left out: the distance of the one-hot attack encoding (core/data/encode.h, ISO_ENC_ATTACK). */
#ifndef ISO_LEARN_PAIRS_H
#define ISO_LEARN_PAIRS_H

#include "core/data/table.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_rowset {
	size_t n, d;	/* rows, columns */
	size_t nnumber; /* the first so many columns are numbers, the rest codes */
	float *x;	/* [d][n] owned: column by column */
} iso_rowset;

iso_status iso_rowset_new(const iso_table *t, iso_rowset *out, iso_error *err) ISO_MUST_CHECK;
void iso_rowset_free(iso_rowset *s);

/* d2 [b->n]: row i of a against every row of b. */
void iso_pair_distances(const iso_rowset *a, size_t i, const iso_rowset *b, float *d2);
/* d2 [m][b->n]: rows i .. i+m-1 of a; b is read once for all of them. */
void iso_pair_distances_of(const iso_rowset *a, size_t i, size_t m, const iso_rowset *b, float *d2);
/* The least of d2 [n], none of which is negative; infinity for n = 0. */
float iso_least_distance(const float *d2, size_t n);
/* The k smallest of d2 [n] in ascending order into best [k] with their places (ties: the earlier;
 * infinity and SIZE_MAX where there are fewer); the place `skip` is left out (SIZE_MAX: none). */
void iso_smallest(const float *d2, size_t n, size_t k, size_t skip, float *best, size_t *place);
/* dist [a->n][k]: Euclidean distances from each row of a to its k nearest of b, ascending. */
iso_status iso_pair_nearest(const iso_rowset *a, const iso_rowset *b, size_t k, int not_self,
			    double *dist, size_t *place, iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
