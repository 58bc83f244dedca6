// SPDX-License-Identifier: Apache-2.0
/* A synthetic table as a vector of numbers, for attacks that learn to tell tables apart
 * (attacks.md section 2.6).
 *
 *     naive        mean, median and variance of every encoded column (one-hot columns too, as in
 *                  TAPAS)
 *     histogram    relative frequencies: ten equal cells of the public bounds, or the categories,
 *                  in their order
 *     correlation  Pearson's correlation of every pair of encoded columns, 0 where one is constant
 *     ensemble     the three one after the other
 *
 * All from the public schema; columns of more than 64 cells are left out, and correlations are
 * taken of the first 64 encoded columns.
 */
#ifndef ISO_ATTACKS_KIT_TABLE_FEATURES_H
#define ISO_ATTACKS_KIT_TABLE_FEATURES_H

#include "core/data/encode.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	ISO_TABLE_NAIVE = 1,
	ISO_TABLE_HISTOGRAM = 2,
	ISO_TABLE_CORRELATION = 4,
	ISO_TABLE_ENSEMBLE = 7
};

/* *out is new (iso_free), [*n]; *n depends on the schema and `which` alone. */
iso_status iso_table_features(const iso_table *t, unsigned which, float **out, size_t *n,
			      iso_error *err) ISO_MUST_CHECK;

/* Queries of Houssiau et al. 2022: shares of rows that agree with a target in some columns.  A row
 * agrees in a column when the category is equal, both are missing, or a number lies within 5 % of
 * the public range. */
typedef struct iso_queries {
	uint64_t *mask; /* owned [n]: which of the columns */
	size_t n;
	uint32_t *column; /* owned [ncolumn]: of the schema, at most 64 */
	size_t ncolumn;
} iso_queries;
/* All subsets of one column, then of two, then of three drawn by key, at most `most` in all. */
iso_status iso_queries_new(const iso_schema *s, size_t most, iso_key key, iso_queries *out,
			   iso_error *err) ISO_MUST_CHECK;
void iso_queries_free(iso_queries *q);
/* bits[r] bit j: row r of t agrees with row `target` of x in column[j]. */
void iso_queries_agree(const iso_queries *q, const iso_table *x, size_t target, const iso_table *t,
		       uint64_t *bits);
/* out [q->n]: the share of the rows' bits [rows] that hold each mask. */
void iso_queries_answer(const iso_queries *q, const uint64_t *bits, size_t rows, float *out);

#ifdef __cplusplus
}
#endif

#endif
