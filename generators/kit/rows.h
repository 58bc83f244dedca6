// SPDX-License-Identifier: Apache-2.0
/* Batches of encoded rows, and the sizes of batches. */
#ifndef ISO_GENERATORS_KIT_ROWS_H
#define ISO_GENERATORS_KIT_ROWS_H

#include "core/data/encode.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Width of a row that is encoded with these ISO_ENC_* columns. */
iso_status iso_rows_width(const iso_schema *s, unsigned columns, size_t *dim,
			  iso_error *err) ISO_MUST_CHECK;

/* Encodes once when the matrix stays under `keep` bytes, else on demand, batch by batch. */
typedef struct iso_rows {
	const iso_table *table; /* borrowed */
	const iso_encoder *enc; /* borrowed */
	float *x;		/* [n][dim] or NULL; owned */
	uint32_t *label;	/* [n] class of each row, or the number of classes; owned */
} iso_rows;
#define ISO_ROWS_KEEP ((size_t)64 << 20)
iso_status iso_rows_open(iso_rows *r, const iso_table *t, const iso_encoder *enc, size_t keep,
			 iso_error *err) ISO_MUST_CHECK;
void iso_rows_close(iso_rows *r);
/* Rows row[0..n-1] into x [n][ld]. */
void iso_rows_get(const iso_rows *r, const uint32_t *row, size_t n, float *x, size_t ld);
/* One-hot of a label in out [classes]; all zero when the label is missing or out of range. */
void iso_one_hot(size_t label, size_t classes, float *out);

/* An encoded row drawn uniformly over the public domain: numbers, indicators and pixels in [0,1],
 * one category per block.  A function of key and index. */
void iso_probe_row(const iso_encoder *enc, iso_key key, uint64_t index, float *x);

/* PRIVATE: the rows of one class: their positions in the table, and their identities. */
typedef struct iso_class_rows {
	uint32_t *row; /* [n] owned */
	uint64_t *id;  /* [n] owned */
	size_t n;
} iso_class_rows;
/* Of class `c`; SIZE_MAX: all rows. */
iso_status iso_class_rows_take(const iso_table *t, size_t c, iso_class_rows *out,
			       iso_error *err) ISO_MUST_CHECK;
void iso_class_rows_free(iso_class_rows *r);

/* The asked batch, or for 0: min(dflt, n / 8), at least 1. */
size_t iso_batch_of(size_t asked, size_t dflt, size_t n);
double iso_rate_of(size_t batch, size_t n); /* min(1, batch / n) */
/* Rows of a workspace for Poisson batches of this expected size: larger ones come in pieces. */
size_t iso_chunk_of(double expected);

#ifdef __cplusplus
}
#endif

#endif
