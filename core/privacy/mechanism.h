// SPDX-License-Identifier: Apache-2.0
/* The only doors through which private data leave: each call clips, adds noise and books, in one.
 *
 * `why` and `part` name the planned entry.  Every call is refused before it touches data when the
 * plan does not allow it.  Mechanism file = one family: mechanism_sum.c (histograms, vector sums),
 * mechanism_select.c (exponential mechanism, votes).  The gradient sums of DP-SGD are
 * core/nn/dpsgd.h, on mechanism_trusted.h.
 */
#ifndef ISO_PRIVACY_MECHANISM_H
#define ISO_PRIVACY_MECHANISM_H

#include "core/privacy/ledger.h"

/* Noisy histogram: row r adds 1 to each of its `per_row` cells cell[r * per_row + c] < ncell (one
 * per column; cells of different columns are disjoint).  Sensitivity per_row (L1) or sqrt(per_row)
 * (L2).  Gaussian or Laplace as planned. out [ncell]. */
iso_status iso_mech_histogram(iso_ledger *l, const char *why, int part, const uint32_t *cell,
			      size_t n, size_t per_row, size_t ncell, double *out,
			      iso_error *err) ISO_MUST_CHECK;

/* Noisy sum of rows x [n][dim], each clipped to norm `clip` (L2 for Gaussian, L1 for Laplace).  out
 * [dim]. */
iso_status iso_mech_vector_sum(iso_ledger *l, const char *why, int part, const double *x, size_t n,
			       size_t dim, double clip, double *out, iso_error *err) ISO_MUST_CHECK;

/* Exponential mechanism over `n` candidates: scores with sensitivity as planned.  *chosen = index.
 */
iso_status iso_mech_exponential(iso_ledger *l, const char *why, int part, const double *score,
				size_t n, size_t *chosen, iso_error *err) ISO_MUST_CHECK;

/* PATE: votes [queries][classes] counts; label[q] = argmax of counts plus noise (LNMax: Laplace,
 * GNMax: Gaussian, on every count).  Books `queries`.  The noise is planned per count, so the
 * entry's sensitivity does not enter. */
iso_status iso_mech_votes(iso_ledger *l, const char *why, int part, const double *votes,
			  size_t queries, size_t classes, uint32_t *label,
			  iso_error *err) ISO_MUST_CHECK;

/* Post-processing of a noisy histogram: clip at zero and normalise to the simplex (uniform if
 * nothing is left). */
void iso_simplex_from_counts(double *counts, size_t n);

#endif
