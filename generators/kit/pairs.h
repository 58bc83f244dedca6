// SPDX-License-Identifier: Apache-2.0
/* Pairs of discrete columns: which may be measured together, and which join two parts of a forest:
 * functions of public sizes. */
#ifndef ISO_GENERATORS_KIT_PAIRS_H
#define ISO_GENERATORS_KIT_PAIRS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Union-find with path halving: the representative of v; root[v] = v at the start. */
size_t iso_forest_find(size_t *root, size_t v);
void iso_forest_join(size_t *root, size_t a, size_t b);

typedef struct iso_pair_rule {
	const size_t *cells; /* [n] borrowed */
	size_t n;
	size_t hub; /* a column that is paired with every other one and takes no part in the
		       forest; SIZE_MAX: none */
	double max_cells;
} iso_pair_rule;
/* May column j be measured with the hub? */
int iso_pair_with_hub(const iso_pair_rule *r, size_t j);
/* May i and j be an edge of the forest?  Their table, times the hub where both go with it, has at
 * most max_cells cells. */
int iso_pair_allowed(const iso_pair_rule *r, size_t i, size_t j);
/* Edges of every maximal forest of allowed pairs. */
iso_status iso_forest_edges(const iso_pair_rule *r, size_t *edges, iso_error *err) ISO_MUST_CHECK;

/* Scores of a two-way table of counts t [rows][n], in rows of the data (Zhang et al. 2017, section
 * 4): half the L1 distance from the product of its margins; and N times the mutual information, in
 * nats.  PRIVATE where the counts are. */
double iso_pair_distance(const double *t, size_t rows, size_t n);
double iso_pair_information(const double *t, size_t rows, size_t n);
/* How far one record more or less moves them, with at most `most` records before: 2, and
 * (most + 1) ln(most + 1) - most ln(most) (derived in privbayes.c). */
double iso_pair_distance_moves(void);
double iso_pair_information_moves(double most);

#ifdef __cplusplus
}
#endif

#endif
