// SPDX-License-Identifier: Apache-2.0
/* Pairs of discrete columns: which may be measured together, which join two parts of a forest, and
 * how far their true counts are from independence. */
#ifndef ISO_GENERATORS_KIT_PAIRS_H
#define ISO_GENERATORS_KIT_PAIRS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

/* Union-find with path halving: the representative of v; root[v] = v at the start. */
size_t iso_forest_find(size_t *root, size_t v);
void iso_forest_join(size_t *root, size_t a, size_t b);
/* Edges of every maximal forest over the n columns when only pairs of at most max_cells cells may
 * be joined: a function of public sizes. */
iso_status iso_forest_edges(const size_t *cells, size_t n, double max_cells, size_t *edges,
			    iso_error *err) ISO_MUST_CHECK;

/* Rows as codes.  All borrowed. */
typedef struct iso_pair_data {
	const uint32_t *code; /* PRIVATE [n][d], code j below cells[j] */
	size_t n, d;
	const size_t *cells;	    /* [d] */
	const size_t *public_cells; /* [d] sizes that decide whether a pair is allowed */
	double max_cells;
	const double *share; /* released share of every cell, column after column */
	const size_t *first; /* [d] offset of a column in `share` */
	double total;	     /* released number of rows */
} iso_pair_data;

/* All allowed pairs in the order (0,1), (0,2), ..  score = |true counts - total share_i share_j|_1:
 * one record more or less moves it by at most 1.  PRIVATE. */
typedef struct iso_pair_scores {
	uint32_t *pair; /* [n][2] owned */
	double *score;	/* [n] owned */
	size_t n;
} iso_pair_scores;
/* On failure *out is empty. */
iso_status iso_pair_scores_new(const iso_pair_data *p, iso_pair_scores *out,
			       iso_error *err) ISO_MUST_CHECK;
void iso_pair_scores_free(iso_pair_scores *s);

#endif
