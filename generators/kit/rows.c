// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/rows.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"

#define MOST_ROWS 4096

iso_status iso_rows_width(const iso_schema *s, unsigned columns, size_t *dim, iso_error *err)
{
	iso_encoder *e = NULL;
	ISO_TRY(iso_encoder_new(s, columns, &e, err));
	*dim = e->dim;
	iso_encoder_free(e);
	return ISO_OK;
}

iso_status iso_rows_open(iso_rows *r, const iso_table *t, const iso_encoder *enc, size_t keep,
			 iso_error *err)
{
	*r = (iso_rows){.table = t, .enc = enc, .label = iso_alloc(t->n, sizeof *r->label)};
	if (!r->label)
		return iso_no_memory(err, "labels of the rows");
	for (size_t i = 0; i < t->n; i++)
		r->label[i] = (uint32_t)iso_table_label(t, i);
	if (enc->dim == 0 || t->n > keep / sizeof(float) / enc->dim)
		return ISO_OK;
	return iso_encode_new(enc, t, &r->x, err);
}

void iso_rows_close(iso_rows *r)
{
	iso_free(r->x);
	iso_free(r->label);
	*r = (iso_rows){0};
}

void iso_rows_get(const iso_rows *r, const uint32_t *row, size_t n, float *x, size_t ld)
{
	const size_t dim = r->enc->dim;
	if (!r->x) {
		iso_encode(r->enc, r->table, row, n, x, ld);
		return;
	}
	for (size_t i = 0; i < n; i++)
		memcpy(x + i * ld, r->x + row[i] * dim, dim * sizeof *x);
}

void iso_one_hot(size_t label, size_t classes, float *out)
{
	memset(out, 0, classes * sizeof *out);
	if (label < classes)
		out[label] = 1;
}

void iso_probe_row(const iso_encoder *enc, iso_key key, uint64_t index, float *x)
{
	iso_rand_fill_uniform(key, index, 0, 1, x, enc->dim);
	for (size_t b = 0; b < enc->nblock; b++) {
		const iso_block *k = &enc->block[b];
		if (k->kind == ISO_BLOCK_ONEHOT)
			iso_one_hot((size_t)(x[k->first] * (float)k->width), k->width,
				    x + k->first);
		else if (k->kind == ISO_BLOCK_INDICATOR)
			x[k->first] = x[k->first] < 0.5f ? 0 : 1;
	}
}

void iso_class_rows_free(iso_class_rows *r)
{
	iso_free(r->row);
	iso_free(r->id);
	*r = (iso_class_rows){0};
}

iso_status iso_class_rows_take(const iso_table *t, size_t c, iso_class_rows *out, iso_error *err)
{
	*out = (iso_class_rows){.row = iso_alloc(t->n, sizeof *out->row),
				.id = iso_alloc(t->n, sizeof *out->id)};
	if (!out->row || !out->id) {
		iso_class_rows_free(out);
		return iso_no_memory(err, "rows of a class");
	}
	for (size_t r = 0; r < t->n; r++)
		if (c == SIZE_MAX || iso_table_label(t, r) == c) {
			out->row[out->n] = (uint32_t)r;
			out->id[out->n++] = t->id[r];
		}
	return ISO_OK;
}

size_t iso_batch_of(size_t asked, size_t dflt, size_t n)
{
	if (asked)
		return asked < n ? asked : n;
	const size_t most = n / 8 ? n / 8 : 1;
	return dflt < most ? dflt : most;
}

double iso_rate_of(size_t batch, size_t n)
{
	return batch >= n ? 1.0 : (double)batch / (double)n;
}

size_t iso_chunk_of(double expected)
{
	const double most = expected + 6 * sqrt(expected) + 16;
	return most < MOST_ROWS ? (size_t)most : MOST_ROWS;
}
