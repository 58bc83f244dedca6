// SPDX-License-Identifier: Apache-2.0
/* Private to the accountants: the law of the privacy loss of one release, and its discretisations.
 */
#ifndef ISO_PRIVACY_PLD_LAW_H
#define ISO_PRIVACY_PLD_LAW_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* L = log P/Q under P, for the dominating pair (P, Q). */
typedef enum iso_law_kind {
	ISO_LAW_REMOVE,	  /* P = (1-q)N(0,s^2) + qN(1,s^2), Q = N(0,s^2); q = 1: the Gaussian
			     mechanism */
	ISO_LAW_ADD,	  /* the same swapped */
	ISO_LAW_REPLACE,  /* P as above, Q = (1-q)N(0,s^2) + qN(-1,s^2) */
	ISO_LAW_LAPLACE,  /* scale s */
	ISO_LAW_TWO_POINT /* +e with probability 1/(1+e^-e), else -e; mass delta0 at infinity */
} iso_law_kind;

typedef struct iso_law {
	iso_law_kind kind;
	double q, s, e, delta0;
	uint64_t count;
	/* The grid's origin, {base + i h}: 0, or the loss that nearly every release of a rarely
	 * sampled record has. */
	double base;
	/* filled by iso_law_prepare */
	double lo, hi;	     /* range of the base variable that is kept */
	double below, above; /* at least the mass left out on either side */
	double *loss, *mass; /* quadrature of the law: for cumulants at design time */
	size_t n;
} iso_law;

/* Point masses on the grid {i h}. */
typedef struct iso_nodes {
	int64_t *at;
	double *mass; /* owned, one block each */
	size_t n, cap;
	double inf; /* mass at infinite loss */
	int64_t min, max;
} iso_nodes;

/* A grid cell [i h, (i+w) h] with its mass split so that both P- and Q-mass are kept: a to the
 * left, b to the right. */
typedef struct iso_cell {
	int64_t i, w;
	double a, b;
} iso_cell;

typedef struct iso_cells {
	iso_cell *v;
	size_t n, cap;
} iso_cells;

/* `reach`: half width of the kept range in standard deviations. */
iso_status iso_law_prepare(iso_law *law, double reach, iso_error *err) ISO_MUST_CHECK;
void iso_law_free(iso_law *law);
/* log E[e^(t L)] by the quadrature (infinite losses left out). */
double iso_law_cumulant(const iso_law *law, double t);
/* Largest finite loss. */
double iso_law_supremum(const iso_law *law);
/* Variance of L under the law tilted by t. */
double iso_law_variance(const iso_law *law, double t);

/* The loss of a release whose batch tells nothing: log(1-q) on removal, -log(1-q) on adding. */
double iso_law_idle_loss(const iso_law *law);
/* About the variance that a grid of step h and origin `base` adds to one release of the law tilted
 * by theta: h^2/6, and less where the loss lies within a cell of the origin. */
double iso_law_spread(const iso_law *law, double base, double h, double theta);

/* Cells of width h where the law tilted by theta has its mass, wider where it has little. */
iso_status iso_law_cells(const iso_law *law, double h, double theta, iso_cells *out,
			 iso_error *err) ISO_MUST_CHECK;
/* The law that dominates (upper) and one that is dominated (lower), from the same cells. */
iso_status iso_nodes_upper(const iso_law *law, const iso_cells *cells, double h, iso_nodes *out,
			   iso_error *err) ISO_MUST_CHECK;
iso_status iso_nodes_lower(const iso_law *law, const iso_cells *cells, double h, iso_nodes *out,
			   iso_error *err) ISO_MUST_CHECK;
void iso_nodes_free(iso_nodes *n);
double iso_nodes_cumulant(const iso_nodes *n, double h, double t);

#ifdef __cplusplus
}
#endif

#endif
