// SPDX-License-Identifier: Apache-2.0
/* Rows to floats in [0,1] and back, from the schema alone.
 *
 * Blocks in column order: numeric -> (x - lo)/(hi - lo), plus one missing-indicator when the column
 * has missing codes (value 0.5 where missing); discrete -> one-hot over the categories, plus one
 * more when missing is allowed; pixel -> byte/255; id columns are skipped.  The label column is a
 * block of its own (kept or left out by flag).
 */
#ifndef ISO_DATA_ENCODE_H
#define ISO_DATA_ENCODE_H

#include "core/data/table.h"
#include "core/rand/rand.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum iso_block_kind {
	ISO_BLOCK_NUMERIC,
	ISO_BLOCK_ONEHOT,
	ISO_BLOCK_INDICATOR,
	ISO_BLOCK_PIXEL,
	ISO_BLOCK_BITS /* binary code of value - lo, the lowest bit first; 0.5 where missing */
} iso_block_kind;
typedef struct iso_block {
	iso_block_kind kind;
	size_t column;	     /* of the schema */
	size_t first, width; /* in the encoded row */
} iso_block;

/* How stretches of an encoded row hang together, for methods that convolve or recur: the blocks of
 * an image, of a sequence, or of neighbouring flat columns.  They cover the row in order. */
typedef enum iso_span_kind {
	ISO_SPAN_FLAT,	/* dim = {width, 1, 1} */
	ISO_SPAN_IMAGE, /* dim = {height, width, channels}; float (y * width + x) * channels + c */
	ISO_SPAN_SEQUENCE /* dim = {steps, floats per step, 1}; every step has the same blocks */
} iso_span_kind;
typedef struct iso_span {
	iso_span_kind kind;
	size_t first, width; /* in the encoded row */
	size_t block, nblock;
	size_t dim[3];
	const iso_series *sequence; /* SEQUENCE: names, variable length; borrowed */
} iso_span;

enum {
	ISO_ENC_FEATURES = 1, /* feature columns */
	ISO_ENC_LABEL = 2,    /* the label column's one-hot */
	ISO_ENC_BITS = 8,     /* integers of 2 to 14 values as bits, not as one number */
	ISO_ENC_ATTACK = 4 /* one-hot blocks times 1/sqrt(2): a category mismatch costs distance 1
			      (attacks.md section 0) */
};

typedef struct iso_encoder {
	const iso_schema *schema; /* borrowed */
	unsigned flags;
	size_t dim;	  /* width of an encoded row */
	iso_block *block; /* owned */
	size_t nblock;
	iso_span *span; /* owned */
	size_t nspan;
} iso_encoder;

iso_status iso_encoder_new(const iso_schema *s, unsigned flags, iso_encoder **out,
			   iso_error *err) ISO_MUST_CHECK;
void iso_encoder_free(iso_encoder *e);
/* Rows row[0..n-1] of t (row NULL = 0..n-1) into x [n][ld]. */
void iso_encode(const iso_encoder *e, const iso_table *t, const uint32_t *row, size_t n, float *x,
		size_t ld);
/* Whole table, new array [n][dim]; free with iso_free. */
iso_status iso_encode_new(const iso_encoder *e, const iso_table *t, float **x,
			  iso_error *err) ISO_MUST_CHECK;
/* x [n][ld] into rows at, at+1, ... of t: numeric clamped to the bounds and rounded to the column's
 * grain (integers, decimals, bytes); discrete by argmax when draw is NULL, else drawn in proportion
 * to the block's (non-negative) values with addressed draws (draw, row index, block).  Exact
 * inverse of iso_encode on encoded rows. */
void iso_decode(const iso_encoder *e, const float *x, size_t ld, size_t n, const iso_key *draw,
		iso_table *t, size_t at);
/* v to the grain of a numeric column (whole numbers, decimals) and into its bounds; NaN gives the
 * lower bound. */
double iso_to_grain(const iso_column *c, double v);
/* Sets the label column of rows at.. from label[n]. */
void iso_set_labels(iso_table *t, size_t at, const uint32_t *label, size_t n);
/* Integer codes for histograms: row r, column c -> bin; numeric columns in `bins` equal-width bins
 * of the public bounds (last bin closed; an integer column of fewer values has one bin per value),
 * one extra bin when missing is allowed.  Pixel columns give width*height codes of `bins` bins. */
typedef struct iso_binning {
	size_t ncode;	/* codes per row */
	size_t *cells;	/* [ncode] number of bins of each */
	size_t *column; /* [ncode] schema column */
	size_t *first;	/* [ncode] offset of its cells in one concatenated histogram */
	size_t total;	/* sum of cells */
	uint32_t *code; /* [n][ncode] */
} iso_binning;
iso_status iso_bin_table(const iso_table *t, size_t bins, unsigned flags, iso_binning *out,
			 iso_error *err) ISO_MUST_CHECK;
void iso_binning_free(iso_binning *b);
/* The value that a bin stands for, drawn uniformly inside it (u in (0,1)) and rounded to the
 * column's grain. */
double iso_unbin(const iso_schema *s, size_t column, size_t bins, size_t code, double u);

#ifdef __cplusplus
}
#endif

#endif
