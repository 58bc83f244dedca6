// SPDX-License-Identifier: Apache-2.0
/* The nearest training image of every kept sample, for the report's image grid. */
#include "core/base/alloc.h"
#include "core/data/encode.h"
#include "core/learn/knn.h"
#include "suites/cell.h"

int iso_has_image(const iso_schema *s)
{
	for (size_t c = 0; c < s->ncol; c++)
		if (iso_column_pixels(&s->column[c]))
			return 1;
	return 0;
}

iso_status iso_nearest_images(const iso_table *samples, const iso_table *train, iso_table **out,
			      iso_error *err)
{
	const iso_schema *s = train->schema;
	iso_encoder *e = NULL;
	float *x = NULL, *y = NULL;
	iso_knn knn = {0};
	uint32_t *row = iso_alloc(2 * samples->n + 1, sizeof(*row)), *label = row + samples->n;
	iso_status st = row ? ISO_OK : iso_no_memory(err, "nearest images");

	*out = NULL;
	ISO_TRY_OUT(st);
	ISO_TRY_OUT(iso_encoder_new(s, ISO_ENC_FEATURES, &e, err));
	ISO_TRY_OUT(iso_encode_new(e, samples, &x, err));
	ISO_TRY_OUT(iso_encode_new(e, train, &y, err));
	ISO_TRY_OUT(iso_knn_init(&knn, x, e->dim, samples->n, e->dim, 1, err));
	iso_knn_feed(&knn, y, e->dim, train->n, 0);
	for (size_t i = 0; i < samples->n; i++)
		row[i] = (uint32_t)knn.index[i];
	ISO_TRY_OUT(iso_table_select(train, row, samples->n, out, err));
	for (size_t i = 0; iso_schema_classes(s) && i < samples->n; i++)
		label[i] = (uint32_t)iso_table_label(samples, i);
	if (iso_schema_classes(s))
		iso_set_labels(*out, 0, label, samples->n);
out:
	iso_knn_free(&knn);
	iso_encoder_free(e);
	iso_free(x);
	iso_free(y);
	iso_free(row);
	return st;
}
