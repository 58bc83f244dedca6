// SPDX-License-Identifier: Apache-2.0
/* Everything here follows from the schema; nothing is estimated from rows.
 *
 * Precision: a value x of [lo, hi] is carried by the float (x - lo) / (hi - lo), whose rounding
 * error is at most 2^-25. Decoding is therefore off by at most (hi - lo) * 2^-25 before it is
 * rounded to the column's grain, and the inverse is exact when the grain 10^-decimals is coarser
 * than twice that: (hi - lo) * 10^decimals < 2^24. */
#include "core/data/encode.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/wide.h"

#define SQRT_HALF 0.70710678118654752440

/* Columns that the flags ask for; ids never. */
static int wanted(const iso_schema *s, size_t c, unsigned flags)
{
	if (iso_is_dropped(&s->column[c]))
		return 0;
	return (int)c == s->label ? (flags & ISO_ENC_LABEL) != 0 : (flags & ISO_ENC_FEATURES) != 0;
}

/* Bits of an integer column's code; 0: it has too many values, or is no such column. */
static size_t bits_of(const iso_column *c)
{
	const double values = c->hi - c->lo + 1;
	size_t bits = 1;

	if (c->type != ISO_INTEGER || !(values >= 2) || !(values < 15))
		return 0;
	while (values > (double)(1u << bits))
		bits++;
	return bits;
}

static size_t fill_blocks(iso_encoder *e, iso_block *block)
{
	size_t n = 0;

	e->dim = 0;
	for (size_t k = 0; k < e->schema->ncol; k++) {
		const iso_column *c = &e->schema->column[k];
		iso_block b = {.column = k, .first = e->dim, .width = 1, .kind = ISO_BLOCK_NUMERIC};

		if (!wanted(e->schema, k, e->flags))
			continue;
		if (iso_is_discrete(c)) {
			b.kind = ISO_BLOCK_ONEHOT;
			b.width = c->ncategory + (c->nmissing > 0);
		} else if (c->type == ISO_PIXEL) {
			b.kind = ISO_BLOCK_PIXEL;
			b.width = iso_column_pixels(c);
		} else if ((e->flags & ISO_ENC_BITS) && bits_of(c)) {
			b.kind = ISO_BLOCK_BITS;
			b.width = bits_of(c);
		}
		if (block)
			block[n] = b;
		n++;
		e->dim += b.width;
		if (b.kind == ISO_BLOCK_ONEHOT || b.kind == ISO_BLOCK_PIXEL || !c->nmissing)
			continue;
		if (block)
			block[n] = (iso_block){.kind = ISO_BLOCK_INDICATOR,
					       .column = k,
					       .first = e->dim,
					       .width = 1};
		n++;
		e->dim++;
	}
	return n;
}

static int same_span(const iso_schema *s, size_t a, size_t b)
{
	const iso_column *x = &s->column[a], *y = &s->column[b];

	return !iso_column_pixels(x) && !iso_column_pixels(y) && x->sequence == y->sequence;
}

static void fill_spans(iso_encoder *e)
{
	for (size_t i = 0; i < e->nblock; i++) {
		const iso_block *b = &e->block[i];
		const iso_column *c = &e->schema->column[b->column];
		iso_span *h = &e->span[e->nspan];

		if (i > 0 && same_span(e->schema, e->block[i - 1].column, b->column)) {
			h--;
		} else {
			*h = (iso_span){.first = b->first, .block = i};
			e->nspan++;
		}
		h->nblock++;
		h->width += b->width;
		h->kind = iso_column_pixels(c) ? ISO_SPAN_IMAGE
			  : c->sequence	       ? ISO_SPAN_SEQUENCE
					       : ISO_SPAN_FLAT;
		h->sequence = c->sequence ? &e->schema->sequence[c->sequence - 1] : NULL;
		h->dim[0] = c->sequence ? h->sequence->steps : h->width;
		h->dim[1] = c->sequence ? h->width / h->sequence->steps : 1;
		h->dim[2] = 1;
		if (h->kind == ISO_SPAN_IMAGE) {
			h->dim[0] = c->height;
			h->dim[1] = c->width;
			h->dim[2] = c->channels;
		}
	}
}

iso_status iso_encoder_new(const iso_schema *s, unsigned flags, iso_encoder **out, iso_error *err)
{
	iso_encoder *e = iso_alloc(1, sizeof(*e));

	*out = NULL;
	if (!e)
		return iso_no_memory(err, "an encoder");
	e->schema = s;
	e->flags = flags;
	e->nblock = fill_blocks(e, NULL);
	if (e->nblock == 0) {
		iso_free(e);
		return iso_fail(
			err, ISO_E_UNSUPPORTED,
			"nothing to encode (schema %s): no column has the role that is asked for; "
			"give one the role feature or label",
			s->name);
	}
	e->block = iso_alloc(e->nblock, sizeof(*e->block));
	e->span = iso_alloc(e->nblock, sizeof(*e->span));
	if (!e->block || !e->span) {
		iso_encoder_free(e);
		return iso_no_memory(err, "an encoder");
	}
	fill_blocks(e, e->block);
	fill_spans(e);
	*out = e;
	return ISO_OK;
}

void iso_encoder_free(iso_encoder *e)
{
	if (!e)
		return;
	iso_free(e->block);
	iso_free(e->span);
	iso_free(e);
}

ISO_WIDE static void encode_pixels(const uint8_t *p, size_t n, float *x)
{
	for (size_t i = 0; i < n; i++)
		x[i] = (float)p[i] / 255.0f;
}

static void encode_row(const iso_encoder *e, const iso_table *t, size_t r, float *x)
{
	const float one = e->flags & ISO_ENC_ATTACK ? (float)SQRT_HALF : 1.0f;
	const iso_schema *s = e->schema;

	for (size_t i = 0; i < e->nblock; i++) {
		const iso_block *b = &e->block[i];
		const iso_column *c = &s->column[b->column];
		float *y = x + b->first;

		if (b->kind == ISO_BLOCK_PIXEL) {
			encode_pixels(t->pixels + r * s->npixel + c->offset, b->width, y);
			continue;
		}
		const double v = t->cells[r * s->ncol + b->column];

		switch (b->kind) {
		case ISO_BLOCK_NUMERIC:
			y[0] = isnan(v) ? 0.5f : (float)((v - c->lo) / (c->hi - c->lo));
			break;
		case ISO_BLOCK_BITS:
			for (size_t k = 0; k < b->width; k++)
				y[k] = isnan(v) ? 0.5f : (float)((unsigned)(v - c->lo) >> k & 1);
			break;
		case ISO_BLOCK_INDICATOR:
			y[0] = isnan(v) ? 1.0f : 0.0f;
			break;
		case ISO_BLOCK_ONEHOT:
			memset(y, 0, b->width * sizeof(*y));
			if (!isnan(v))
				y[(size_t)v] = one;
			else if (c->nmissing)
				y[c->ncategory] = one;
			break;
		default:
			break;
		}
	}
}

/* Rows of a batch lie anywhere in the table: the next one's pixels are fetched while this one is
 * encoded. */
static void prefetch_pixels(const iso_table *t, size_t r)
{
	const uint8_t *p = t->pixels + r * t->schema->npixel;

	for (size_t i = 0; i < t->schema->npixel; i += 64)
		__builtin_prefetch(p + i);
}

void iso_encode(const iso_encoder *e, const iso_table *t, const uint32_t *row, size_t n, float *x,
		size_t ld)
{
	for (size_t i = 0; i < n; i++) {
		if (t->pixels && row && i + 1 < n)
			prefetch_pixels(t, row[i + 1]);
		encode_row(e, t, row ? row[i] : i, x + i * ld);
	}
}

iso_status iso_encode_new(const iso_encoder *e, const iso_table *t, float **x, iso_error *err)
{
	size_t n;

	*x = NULL;
	if (!__builtin_mul_overflow(t->n, e->dim, &n))
		*x = iso_alloc(n, sizeof(**x));
	if (!*x)
		return iso_no_memory(err, "the encoded rows");
	iso_encode(e, t, NULL, t->n, *x, e->dim);
	return ISO_OK;
}

/* rint(v * 10^d) / 10^d divides two exact numbers, so the result is the very double that the
 * decimal text reads as. */
double iso_to_grain(const iso_column *c, double v)
{
	static const double power[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,	 1e6,  1e7,
				       1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

	if (iso_is_whole(c))
		v = rint(v);
	else if (c->decimals >= 0 && fabs(v) * power[c->decimals] < 9e15)
		v = rint(v * power[c->decimals]) / power[c->decimals];
	v = v > c->hi ? c->hi : v;
	v = v >= c->lo ? v : c->lo; /* also NaN */
	return v + 0.0;
}

static size_t argmax(const float *x, size_t n)
{
	size_t best = 0;

	for (size_t i = 1; i < n; i++)
		if (x[i] > x[best])
			best = i;
	return best;
}

static size_t draw_index(const float *x, size_t n, double u)
{
	double sum = 0, at = 0;
	size_t last = n;

	for (size_t i = 0; i < n; i++)
		if (x[i] > 0) {
			sum += (double)x[i];
			last = i;
		}
	if (last == n || !(sum < INFINITY))
		return argmax(x, n);
	for (size_t i = 0; i < last; i++) {
		at += x[i] > 0 ? (double)x[i] : 0;
		if (u * sum < at)
			return i;
	}
	return last;
}

static void decode_pixels(const float *x, size_t n, uint8_t *p)
{
	for (size_t i = 0; i < n; i++) {
		float v = x[i] * 255.0f;

		v = v > 255.0f ? 255.0f : v;
		p[i] = v >= 0 ? (uint8_t)rintf(v) : 0; /* NaN gives 0 */
	}
}

static double decode_bits(const iso_column *c, const float *x, size_t n)
{
	unsigned code = 0;

	for (size_t k = 0; k < n; k++)
		code |= (unsigned)(x[k] > 0.5f) << k;
	return iso_to_grain(c, c->lo + (double)code);
}

static void decode_row(const iso_encoder *e, const float *x, const iso_key *draw, iso_table *t,
		       size_t r)
{
	const iso_schema *s = e->schema;

	for (size_t i = 0; i < e->nblock; i++) {
		const iso_block *b = &e->block[i];
		const iso_column *c = &s->column[b->column];
		const float *y = x + b->first;
		double *cell = &t->cells[r * s->ncol + b->column];
		size_t k;

		switch (b->kind) {
		case ISO_BLOCK_NUMERIC:
			*cell = iso_to_grain(c, c->lo + (double)y[0] * (c->hi - c->lo));
			break;
		case ISO_BLOCK_BITS:
			*cell = decode_bits(c, y, b->width);
			break;
		case ISO_BLOCK_INDICATOR:
			if (draw ? iso_rand_u01(*draw, r, i) < (double)y[0] : y[0] > 0.5f)
				*cell = NAN;
			break;
		case ISO_BLOCK_ONEHOT:
			k = draw ? draw_index(y, b->width, iso_rand_u01(*draw, r, i))
				 : argmax(y, b->width);
			*cell = k < c->ncategory ? (double)k : NAN;
			break;
		case ISO_BLOCK_PIXEL:
			decode_pixels(y, b->width, t->pixels + r * s->npixel + c->offset);
			break;
		}
	}
}

void iso_decode(const iso_encoder *e, const float *x, size_t ld, size_t n, const iso_key *draw,
		iso_table *t, size_t at)
{
	for (size_t i = 0; i < n; i++) {
		decode_row(e, x + i * ld, draw, t, at + i);
		iso_sequences_settle(t->schema, t->cells + (at + i) * t->schema->ncol);
	}
}

void iso_set_labels(iso_table *t, size_t at, const uint32_t *label, size_t n)
{
	for (size_t i = 0; i < n; i++)
		t->cells[(at + i) * t->schema->ncol + (size_t)t->schema->label] = label[i];
}

/* An integer column with no more values than bins has one bin per value. */
static size_t numeric_bins(const iso_column *c, size_t bins)
{
	double values = c->hi - c->lo + 1;

	return iso_is_whole(c) && values < (double)bins ? (size_t)values : bins;
}

static size_t numeric_bin(const iso_column *c, size_t cells, double x)
{
	double values = c->hi - c->lo + 1;
	double k = iso_is_whole(c) && values == (double)cells
			   ? x - c->lo
			   : floor((x - c->lo) / (c->hi - c->lo) * (double)cells);

	k = k < (double)cells ? k : (double)(cells - 1);
	return k > 0 ? (size_t)k : 0;
}

static size_t column_codes(const iso_column *c)
{
	return c->type == ISO_PIXEL ? iso_column_pixels(c) : 1;
}

static size_t column_cells(const iso_column *c, size_t bins)
{
	if (c->type == ISO_PIXEL)
		return bins;
	return (iso_is_discrete(c) ? c->ncategory : numeric_bins(c, bins)) + (c->nmissing > 0);
}

static void bin_row(const iso_table *t, size_t r, size_t bins, unsigned flags, uint32_t *code)
{
	const iso_schema *s = t->schema;
	size_t at = 0;

	for (size_t k = 0; k < s->ncol; k++) {
		const iso_column *c = &s->column[k];
		double x = iso_table_cell(t, r, k);
		const uint8_t *p = t->pixels + r * s->npixel + c->offset;

		if (!wanted(s, k, flags))
			continue;
		if (c->type == ISO_PIXEL)
			for (size_t i = 0; i < iso_column_pixels(c); i++)
				code[at++] = (uint32_t)(p[i] * bins / 256);
		else if (isnan(x))
			code[at++] = (uint32_t)(column_cells(c, bins) - 1);
		else if (iso_is_discrete(c))
			code[at++] = (uint32_t)x;
		else
			code[at++] = (uint32_t)numeric_bin(c, numeric_bins(c, bins), x);
	}
}

iso_status iso_bin_table(const iso_table *t, size_t bins, unsigned flags, iso_binning *out,
			 iso_error *err)
{
	const iso_schema *s = t->schema;
	iso_binning b = {0};
	size_t total = 0, at = 0;

	memset(out, 0, sizeof(*out));
	ISO_FAIL_IF(bins < 1 || bins > 1 << 20, err, ISO_E_USAGE,
		    "wrong number of bins (binning): %zu; use 1 to 2^20", bins);
	for (size_t k = 0; k < s->ncol; k++)
		b.ncode += wanted(s, k, flags) ? column_codes(&s->column[k]) : 0;
	b.cells = iso_alloc(b.ncode, sizeof(*b.cells));
	b.column = iso_alloc(b.ncode, sizeof(*b.column));
	b.first = iso_alloc(b.ncode, sizeof(*b.first));
	if (!__builtin_mul_overflow(t->n, b.ncode, &total))
		b.code = iso_alloc(total, sizeof(*b.code));
	if (!b.cells || !b.column || !b.first || !b.code) {
		iso_binning_free(&b);
		return iso_no_memory(err, "the histogram codes");
	}
	for (size_t k = 0; k < s->ncol; k++) {
		size_t n = wanted(s, k, flags) ? column_codes(&s->column[k]) : 0;

		for (size_t i = 0; i < n; i++, at++) {
			b.column[at] = k;
			b.cells[at] = column_cells(&s->column[k], bins);
			b.first[at] = b.total;
			b.total += b.cells[at];
		}
	}
	for (size_t r = 0; r < t->n; r++)
		bin_row(t, r, bins, flags, b.code + r * b.ncode);
	*out = b;
	return ISO_OK;
}

void iso_binning_free(iso_binning *b)
{
	iso_free(b->cells);
	iso_free(b->column);
	iso_free(b->first);
	iso_free(b->code);
	memset(b, 0, sizeof(*b));
}

/* The whole numbers of the bin, each as likely. */
static double unbin_integer(const iso_column *c, size_t cells, size_t code, double u)
{
	double width = (c->hi - c->lo) / (double)cells;
	double first = c->lo + ceil((double)code * width),
	       last = c->lo + ceil((double)(code + 1) * width) - 1;

	if (c->hi - c->lo + 1 == (double)cells)
		return c->lo + (double)code;
	if (code + 1 == cells)
		last = c->hi;
	while (first < last && numeric_bin(c, cells, first) < code)
		first++;
	while (first < last && numeric_bin(c, cells, last) > code)
		last--;
	return iso_to_grain(c, first + floor(u * (last - first + 1)));
}

double iso_unbin(const iso_schema *s, size_t column, size_t bins, size_t code, double u)
{
	const iso_column *c = &s->column[column];
	size_t cells = iso_is_discrete(c) ? c->ncategory : numeric_bins(c, bins);
	double width, x, step;

	if (c->type == ISO_PIXEL) { /* bytes p with p * bins / 256 == code */
		size_t first = (code * 256 + bins - 1) / bins,
		       end = ((code + 1) * 256 + bins - 1) / bins;

		return end > first ? (double)first + floor(u * (double)(end - first))
				   : (double)first;
	}
	if (code >= cells)
		return NAN;
	if (iso_is_discrete(c))
		return (double)code;
	if (iso_is_whole(c))
		return unbin_integer(c, cells, code, u);
	width = (c->hi - c->lo) / (double)cells;
	x = iso_to_grain(c, c->lo + ((double)code + u) * width);
	if (c->decimals < 0 || numeric_bin(c, cells, x) == code)
		return x;
	/* Rounding crossed an edge of the bin: one grain back, if the bin is wide enough to hold
	 * it. */
	step = 1;
	for (int i = 0; i < c->decimals; i++)
		step /= 10;
	return iso_to_grain(c, numeric_bin(c, cells, x) > code ? x - step : x + step);
}
