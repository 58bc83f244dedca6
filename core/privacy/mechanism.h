// SPDX-License-Identifier: Apache-2.0
/* The only doors through which private data leave: each call clips, adds noise and books, in one.
 *
 * `entry` names the planned entry.  Every call is refused before it touches data when the plan does
 * not allow it.  On an adaptive entry, iso_ledger_spend first charges the event of the calls that
 * follow.  What an entry may be, door by door:
 *
 *     histogram, sums, rank correlations     GAUSSIAN, ZCDP (L2); LAPLACE, PURE (L1)
 *     streamed sum on a Poisson sample       GAUSSIAN with a rate below 1
 *     exponential, bounds                    EXPONENTIAL
 *     noisy maximum, open histogram          PURE (open histogram: with a delta)
 *     randomised response                    RANDOMIZED_RESPONSE
 *     votes                                  PATE_LNMAX, PATE_GNMAX
 *
 * Mechanism file = one family: mechanism_sum.c (histograms, sums), mechanism_rank.c (rank
 * correlations), mechanism_select.c (choices, votes, reports), mechanism_schema.c (open categories,
 * bounds).  The gradient sums of DP-SGD are core/nn/dpsgd.h, on mechanism_trusted.h.
 */
#ifndef ISO_PRIVACY_MECHANISM_H
#define ISO_PRIVACY_MECHANISM_H

#include "core/privacy/ledger.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Noisy histogram: row r adds 1 to each of its `per_row` cells cell[r * per_row + c] < ncell (one
 * per column; cells of different columns are disjoint).  Sensitivity per_row (L1) or sqrt(per_row)
 * (L2).  out [ncell]. */
iso_status iso_mech_histogram(iso_ledger *l, iso_entry entry, const uint32_t *cell, size_t n,
			      size_t per_row, size_t ncell, double *out,
			      iso_error *err) ISO_MUST_CHECK;

/* Noisy sum of rows x [n][dim], each clipped to norm `clip` (L2 for Gaussian, L1 for Laplace).  out
 * [dim].  The noise follows `clip`, which is at most the planned sensitivity and public. */
iso_status iso_mech_vector_sum(iso_ledger *l, iso_entry entry, const double *x, size_t n,
			       size_t dim, double clip, double *out, iso_error *err) ISO_MUST_CHECK;

/* Kendall's tau-a of all pairs of columns, jointly: tau_ij = sum over pairs of rows of
 * sign(x_i - x'_i) sign(x_j - x'_j) / (N (N-1) / 2), i < j, ties counting zero, with N the PUBLIC
 * number of rows, at least 2.  code [n][ncode] below cells[j].  One record more, beside at most N
 * others, moves each by at most N / (N (N-1)/2) = 2/(N-1); more than N + 1 rows are refused.
 * Sensitivity iso_kendall_moves: (pairs of columns, or their square root) * 2/(N-1).
 * out [ncode (ncode-1) / 2]. */
iso_status iso_mech_kendall(iso_ledger *l, iso_entry entry, const uint32_t *code, size_t n,
			    size_t ncode, const size_t *cells, size_t public_n, double *out,
			    iso_error *err) ISO_MUST_CHECK;
double iso_kendall_moves(size_t n, size_t ncode, iso_norm norm);

/* ---- streamed sums: rows one by one, memory of one sum; optionally on a Poisson sample ---- */

/* A block of a row's vector with a clip bound of its own.  Several blocks are released jointly:
 * block b is clipped to `clip` in `norm`, divided by it and multiplied by w_b, where sum w_b^2 = 1
 * (Gaussian; an L1 bound is an L2 bound) or sum w_b = 1 (Laplace; L1 only).  The whole then moves
 * by at most 1, so plan sensitivity 1; block b gets noise of multiplier * clip / w_b.  One block
 * alone keeps its own unit: plan its clip bound.  share: w_b^2 (w_b) up to a common factor; 0 in
 * all blocks = equal. */
typedef struct iso_sum_block {
	size_t dim;
	double clip;
	iso_norm norm;
	double share;
} iso_sum_block;
typedef struct iso_sum_stream iso_sum_stream;

/* Books the call and, on a Poisson entry, draws the batch from the n records id[0..n). */
iso_status iso_mech_sum_begin(iso_ledger *l, iso_entry entry, const uint64_t *id, size_t n,
			      const iso_sum_block *block, size_t nblock, iso_sum_stream **out,
			      iso_error *err) ISO_MUST_CHECK;
/* The positions in id that take part, in order; borrowed until finish. */
const uint32_t *iso_mech_sum_rows(const iso_sum_stream *s, size_t *count);
/* Clips and adds the vector x [sum of dim] of the record at `position`.  ISO_E_PLUGIN for a record
 * that does not take part or was added before.  A block whose norm is not finite counts as zero. */
iso_status iso_mech_sum_add(iso_sum_stream *s, uint32_t position, const double *x,
			    iso_error *err) ISO_MUST_CHECK;
/* Adds the noise and frees the stream, also on failure.  out [sum of dim], in data units. */
iso_status iso_mech_sum_finish(iso_sum_stream *s, double *out, iso_error *err) ISO_MUST_CHECK;
/* Frees a stream that was not finished; its call stays booked and open, so the ledger never
 * settles. */
void iso_mech_sum_cancel(iso_sum_stream *s);

/* ---- choices ---- */

/* Exponential mechanism over `n` candidates: scores with sensitivity as planned.  *chosen = index.
 */
iso_status iso_mech_exponential(iso_ledger *l, iso_entry entry, const double *score, size_t n,
				size_t *chosen, iso_error *err) ISO_MUST_CHECK;
/* Report noisy maximum: Laplace noise of scale 2 sensitivity / epsilon on every score, the index of
 * the largest is epsilon-DP (Dwork and Roth 2014, Claim 3.9, for scores that may move both ways).
 */
iso_status iso_mech_noisy_max(iso_ledger *l, iso_entry entry, const double *score, size_t n,
			      size_t *chosen, iso_error *err) ISO_MUST_CHECK;
/* Randomised response over k categories: out[i] is value[i] with probability e^eps / (e^eps + k -
 * 1), else one of the others, uniformly.  A list of reports shows how many there are, so the ledger
 * must be one of replace-one adjacency, and the entry a sequential one (a part of a group loses a
 * record to another part). */
iso_status iso_mech_randomized_response(iso_ledger *l, iso_entry entry, const uint32_t *value,
					size_t n, uint32_t k, uint32_t *out,
					iso_error *err) ISO_MUST_CHECK;
/* PATE: votes [queries][classes] counts; label[q] = argmax of counts plus noise (LNMax: Laplace,
 * GNMax: Gaussian, on every count).  Books `queries`.  The noise is planned per count, so the
 * entry's sensitivity does not enter. */
iso_status iso_mech_votes(iso_ledger *l, iso_entry entry, const double *votes, size_t queries,
			  size_t classes, uint32_t *label, iso_error *err) ISO_MUST_CHECK;

/* ---- a schema from private data (`schema infer --private`) ---- */

/* Noisy counts of an OPEN set of categories, stability based (Korolova et al. 2009; Bun, Nissim and
 * Stemmer 2016, section 3.1): Laplace noise of scale b = 1/epsilon (2/epsilon under replace-one) on
 * the count of every category that occurs, and those at or above 1 + b ln(1 / (2 delta)) are
 * released. A category that only one record holds shows with probability at most delta: the delta
 * of the planned PURE event, which has to be above 0.  value[n]: the text of each row, NULL =
 * missing (no part).  One column is one call; plan one entry (or a count) per column.  Not under
 * record/replay: what occurs has no fixed length. */
typedef struct iso_open_counts {
	char **name;   /* [n] ascending by bytes; owned */
	double *count; /* [n] noisy, at or above the threshold; owned */
	size_t n;
	double threshold;
} iso_open_counts;
iso_status iso_mech_open_histogram(iso_ledger *l, iso_entry entry, const char *const *value,
				   size_t n, iso_open_counts *out, iso_error *err) ISO_MUST_CHECK;
void iso_open_counts_free(iso_open_counts *c);

/* Bounds of a numeric column by the exponential mechanism over the public grid {0, +-2^k : -20 <= k
 * <= 60}: two choices (plan EXPONENTIAL with count 2, sensitivity 1), each of the first grid point
 * that leaves at most about t = 9.1 / epsilon rows beyond it (twice that under replace-one): score
 * min(t - beyond(g), beyond(g's inner neighbour) - t).  A grid point that leaves out none while its
 * inner neighbour leaves out 2 t or more is missed with probability below 0.02.  So a bound may
 * leave about t outliers out (clip to it), and a column with fewer than 2 t = 18 / epsilon rows
 * gets bounds that say nothing.  Values that are not finite take no part.  *low < *high: one grid
 * step is put between them when they fall together. */
iso_status iso_mech_bounds(iso_ledger *l, iso_entry entry, const double *x, size_t n, double *low,
			   double *high, iso_error *err) ISO_MUST_CHECK;

/* Post-processing of a noisy histogram: clip at zero and normalise to the simplex (uniform if
 * nothing is left). */
void iso_simplex_from_counts(double *counts, size_t n);

#ifdef __cplusplus
}
#endif

#endif
