// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/counts_layout.h"

#include "core/base/alloc.h"

void iso_counts_layout_free(iso_counts_layout *l)
{
	iso_binning_free(&l->bin);
	iso_free(l->first);
	iso_free(l->pixel);
}

/* The layout is a function of schema and options: it is read off an empty table. */
iso_status iso_counts_layout_new(const iso_schema *s, size_t bins, int joint, iso_counts_layout *l,
				 iso_error *err)
{
	iso_status st = ISO_OK;
	iso_table *empty = NULL;
	*l = (iso_counts_layout){.joint = joint, .bins = bins};
	ISO_TRY(iso_table_new(s, 0, &empty, err));
	ISO_TRY_OUT(iso_bin_table(empty, bins, ISO_ENC_FEATURES | ISO_ENC_LABEL, &l->bin, err));
	l->first = iso_alloc(l->bin.ncode, sizeof *l->first);
	l->pixel = iso_alloc(l->bin.ncode, sizeof *l->pixel);
	if (!l->first || !l->pixel) {
		st = iso_no_memory(err, "layout of marginals");
		goto out;
	}
	const size_t n = l->bin.ncode;
	for (size_t j = 0; l->joint && j < n; j++)
		if ((int)l->bin.column[j] == s->label)
			l->label = j;
	for (size_t j = 0; j < n; j++) {
		l->pixel[j] =
			j && l->bin.column[j] == l->bin.column[j - 1] ? l->pixel[j - 1] + 1 : 0;
		l->first[j] = l->total;
		if (l->joint && j == l->label)
			continue;
		l->total += l->bin.cells[j] * (l->joint ? l->bin.cells[l->label] : 1);
		l->ntable++;
	}
out:
	iso_table_free(empty);
	if (st != ISO_OK)
		iso_counts_layout_free(l);
	return st;
}

/* The write position never overtakes the read position. */
void iso_counts_cells(const iso_counts_layout *l, uint32_t *code, size_t n)
{
	uint32_t *w = code;
	for (size_t r = 0; r < n; r++) {
		const uint32_t *c = code + r * l->bin.ncode;
		const size_t y = l->joint ? c[l->label] : 0;
		for (size_t j = 0; j < l->bin.ncode; j++)
			if (!l->joint || j != l->label)
				*w++ = (uint32_t)(l->first[j] + y * l->bin.cells[j] + c[j]);
	}
}

void iso_counts_put(const iso_counts_layout *l, iso_table *t, size_t row, size_t j, size_t code,
		    double u)
{
	const iso_schema *const s = t->schema;
	const size_t c = l->bin.column[j];
	const double v = iso_unbin(s, c, l->bins, code, u);
	if (s->column[c].type == ISO_PIXEL)
		t->pixels[row * s->npixel + s->column[c].offset + l->pixel[j]] = (uint8_t)v;
	else
		t->cells[row * s->ncol + c] = v;
}
