// SPDX-License-Identifier: Apache-2.0
#include "attacks/kit/masked.h"

#include <math.h>

#include "core/base/alloc.h"

static int blank_everywhere(const iso_table *t, size_t c)
{
	for (size_t r = 0; r < t->n; r++)
		if (!isnan(iso_table_cell(t, r, c)))
			return 0;
	return 1;
}

iso_status iso_masked_new(const iso_table *t, const iso_table *synthetic, iso_masked *out,
			  iso_error *err)
{
	const iso_schema *s = t->schema;
	uint32_t *row = iso_alloc(synthetic->n, sizeof(*row));
	iso_table *copy = NULL;
	iso_status st = row ? ISO_OK : iso_no_memory(err, "masked rows");

	*out = (iso_masked){.hidden = iso_alloc(s->ncol, 1)};
	if (st == ISO_OK && !out->hidden)
		st = iso_no_memory(err, "masked rows");
	ISO_TRY_OUT(st);
	for (size_t i = 0; i < synthetic->n; i++)
		row[i] = (uint32_t)i;
	ISO_TRY_OUT(iso_table_select(synthetic, row, synthetic->n, &copy, err));
	for (size_t c = 0; c < s->ncol; c++) {
		out->hidden[c] = s->column[c].type != ISO_PIXEL && blank_everywhere(t, c);
		for (size_t r = 0; out->hidden[c] && r < copy->n; r++)
			copy->cells[r * s->ncol + c] = NAN;
	}
	ISO_TRY_OUT(iso_rowset_new(t, &out->known, err));
	ISO_TRY_OUT(iso_rowset_new(copy, &out->synthetic, err));
out:
	iso_free(row);
	iso_table_free(copy);
	if (st != ISO_OK)
		iso_masked_free(out);
	return st;
}

void iso_masked_free(iso_masked *m)
{
	iso_rowset_free(&m->known);
	iso_rowset_free(&m->synthetic);
	iso_free(m->hidden);
	*m = (iso_masked){0};
}

iso_status iso_needs_synthetic(const iso_attack_view *v, const char *attack, size_t least,
			       iso_error *err)
{
	ISO_FAIL_IF(!v->synthetic || v->synthetic->n < least, err, ISO_E_UNSUPPORTED,
		    "%s: at least %zu synthetic rows are needed", attack, least);
	return ISO_OK;
}
