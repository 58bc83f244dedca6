// SPDX-License-Identifier: Apache-2.0
#include "attacks/kit/table_features.h"

#include <math.h>

#include "core/base/alloc.h"
#include "core/math/stats.h"

#define CELLS 10  /* of a numeric column */
#define WIDEST 64 /* columns of more cells are left out */
#define PAIRED 64 /* encoded columns whose correlations are taken */
#define NEAR 0.05 /* of the public range */

/* ---- moments and correlations of encoded columns ---- */

/* Encoded columns that count: column [d] of them. */
static size_t encoded_columns(const iso_encoder *e, uint32_t *column)
{
	size_t d = 0;

	for (size_t b = 0; b < e->nblock; b++)
		for (size_t j = 0; e->block[b].width <= WIDEST && j < e->block[b].width; j++)
			column[d++] = (uint32_t)(e->block[b].first + j);
	return d;
}

/* x [d][n]: column by column. */
static iso_status columns_of(const iso_encoder *e, const iso_table *t, const uint32_t *column,
			     size_t d, double *x, iso_error *err)
{
	float *rows;

	ISO_TRY(iso_encode_new(e, t, &rows, err));
	for (size_t k = 0; k < d; k++)
		for (size_t r = 0; r < t->n; r++)
			x[k * t->n + r] = (double)rows[r * e->dim + column[k]];
	iso_free(rows);
	return ISO_OK;
}

static void put_moments(const double *x, size_t d, size_t n, float *out)
{
	for (size_t k = 0; k < d; k++) {
		const double sd = iso_sd(x + k * n, n);

		out[3 * k] = n ? (float)iso_mean(x + k * n, n) : 0;
		out[3 * k + 1] = n ? (float)iso_quantile(x + k * n, n, 0.5) : 0;
		out[3 * k + 2] = (float)(sd * sd);
	}
}

/* Centres the columns in place. */
static void put_correlations(double *x, size_t d, size_t n, float *out)
{
	double norm[PAIRED];

	for (size_t k = 0; k < d; k++) {
		const double mean = n ? iso_mean(x + k * n, n) : 0;

		norm[k] = 0;
		for (size_t r = 0; r < n; r++) {
			x[k * n + r] -= mean;
			norm[k] += x[k * n + r] * x[k * n + r];
		}
	}
	for (size_t i = 0; i < d; i++)
		for (size_t j = i + 1; j < d; j++) {
			const double scale = sqrt(norm[i] * norm[j]);
			double s = 0;

			for (size_t r = 0; r < n; r++)
				s += x[i * n + r] * x[j * n + r];
			*out++ = scale > 1e-12 ? (float)(s / scale) : 0;
		}
}

/* ---- all features ---- */

typedef struct sizes {
	size_t naive, histogram, correlation, paired;
} sizes;

static iso_status put_features(const iso_table *t, const iso_encoder *e, const uint32_t *column,
			       size_t d, const sizes *z, float *out, iso_error *err)
{
	double *x = iso_alloc(d * (t->n + 1), sizeof(*x));
	iso_status st =
		x ? columns_of(e, t, column, d, x, err) : iso_no_memory(err, "features of a table");

	if (st == ISO_OK && z->naive)
		put_moments(x, d, t->n, out);
	if (st == ISO_OK && z->correlation)
		put_correlations(x, z->paired, t->n, out + z->naive + z->histogram);
	iso_free(x);
	return st;
}

static size_t histogram_size(const iso_binning *b)
{
	size_t n = 0;

	for (size_t j = 0; j < b->ncode; j++)
		n += b->cells[j] <= WIDEST ? b->cells[j] : 0;
	return n;
}

static void put_histogram(const iso_binning *b, size_t rows, float *out)
{
	size_t at = 0;

	for (size_t j = 0; j < b->ncode; j++) {
		if (b->cells[j] > WIDEST)
			continue;
		for (size_t r = 0; r < rows; r++)
			out[at + b->code[r * b->ncode + j]] += 1 / (float)rows;
		at += b->cells[j];
	}
}

iso_status iso_table_features(const iso_table *t, unsigned which, float **out, size_t *n,
			      iso_error *err)
{
	const unsigned all = ISO_ENC_FEATURES | ISO_ENC_LABEL;
	iso_encoder *e = NULL;
	iso_binning b = {0};
	uint32_t *column = NULL;
	sizes z = {0};
	size_t d;
	iso_status st;

	*out = NULL;
	*n = 0;
	ISO_TRY_OUT(iso_encoder_new(t->schema, all, &e, err));
	ISO_TRY_OUT(iso_bin_table(t, CELLS, all, &b, err));
	column = iso_alloc(e->dim + 1, sizeof(*column));
	st = column ? ISO_OK : iso_no_memory(err, "features of a table");
	ISO_TRY_OUT(st);
	d = encoded_columns(e, column);
	z.paired = d < PAIRED ? d : PAIRED;
	z.naive = which & ISO_TABLE_NAIVE ? 3 * d : 0;
	z.histogram = which & ISO_TABLE_HISTOGRAM ? histogram_size(&b) : 0;
	z.correlation =
		which & ISO_TABLE_CORRELATION && z.paired ? z.paired * (z.paired - 1) / 2 : 0;
	*n = z.naive + z.histogram + z.correlation;
	*out = iso_alloc(*n + 1, sizeof(**out));
	st = *out ? put_features(t, e, column, d, &z, *out, err)
		  : iso_no_memory(err, "features of a table");
	if (st == ISO_OK && z.histogram)
		put_histogram(&b, t->n, *out + z.naive);
out:
	if (st != ISO_OK) {
		iso_free(*out);
		*out = NULL;
	}
	iso_free(column);
	iso_binning_free(&b);
	iso_encoder_free(e);
	return st;
}

/* ---- queries ---- */

static size_t put_small_subsets(size_t d, size_t most, uint64_t *mask)
{
	size_t n = 0;

	for (size_t i = 0; i < d && n < most; i++)
		mask[n++] = UINT64_C(1) << i;
	for (size_t i = 0; i < d; i++)
		for (size_t j = i + 1; j < d && n < most; j++)
			mask[n++] = UINT64_C(1) << i | UINT64_C(1) << j;
	return n;
}

static size_t put_triples(size_t d, size_t n, size_t most, iso_key key, uint64_t *mask)
{
	const size_t triples = d * (d - 1) * (d - 2) / 6;
	iso_stream s = iso_stream_new(key);

	if (triples <= most - n) {
		for (size_t i = 0; i < d; i++)
			for (size_t j = i + 1; j < d; j++)
				for (size_t k = j + 1; k < d; k++)
					mask[n++] = UINT64_C(1) << i | UINT64_C(1) << j |
						    UINT64_C(1) << k;
		return n;
	}
	while (n < most) {
		const uint64_t m = UINT64_C(1) << iso_next_below(&s, d) |
				   UINT64_C(1) << iso_next_below(&s, d) |
				   UINT64_C(1) << iso_next_below(&s, d);

		if (__builtin_popcountll(m) == 3)
			mask[n++] = m;
	}
	return n;
}

iso_status iso_queries_new(const iso_schema *s, size_t most, iso_key key, iso_queries *out,
			   iso_error *err)
{
	iso_queries q = {.mask = iso_alloc(most, sizeof(*q.mask)),
			 .column = iso_alloc(64, sizeof(*q.column))};

	*out = (iso_queries){0};
	if (!q.mask || !q.column) {
		iso_queries_free(&q);
		return iso_no_memory(err, "queries");
	}
	for (size_t c = 0; c < s->ncol && q.ncolumn < 64; c++)
		if (!iso_is_dropped(&s->column[c]) && s->column[c].type != ISO_PIXEL)
			q.column[q.ncolumn++] = (uint32_t)c;
	q.n = put_small_subsets(q.ncolumn, most, q.mask);
	if (q.ncolumn >= 3 && q.n < most)
		q.n = put_triples(q.ncolumn, q.n, most, key, q.mask);
	*out = q;
	return ISO_OK;
}

void iso_queries_free(iso_queries *q)
{
	iso_free(q->mask);
	iso_free(q->column);
	*q = (iso_queries){0};
}

static int agree(const iso_column *c, double a, double b)
{
	if (isnan(a) || isnan(b))
		return isnan(a) && isnan(b);
	return iso_is_discrete(c) ? a == b : fabs(a - b) <= NEAR * (c->hi - c->lo);
}

void iso_queries_agree(const iso_queries *q, const iso_table *x, size_t target, const iso_table *t,
		       uint64_t *bits)
{
	for (size_t r = 0; r < t->n; r++) {
		bits[r] = 0;
		for (size_t j = 0; j < q->ncolumn; j++) {
			const size_t c = q->column[j];

			if (agree(&t->schema->column[c], iso_table_cell(x, target, c),
				  iso_table_cell(t, r, c)))
				bits[r] |= UINT64_C(1) << j;
		}
	}
}

void iso_queries_answer(const iso_queries *q, const uint64_t *bits, size_t rows, float *out)
{
	for (size_t k = 0; k < q->n; k++) {
		const uint64_t mask = q->mask[k];
		size_t hits = 0;

		for (size_t r = 0; r < rows; r++)
			hits += (bits[r] & mask) == mask;
		out[k] = rows ? (float)hits / (float)rows : 0;
	}
}
