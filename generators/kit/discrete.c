// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/discrete.h"

#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"

iso_status iso_discrete_new(const iso_schema *s, size_t bins, iso_discrete *out, iso_error *err)
{
	iso_table *empty = NULL;
	*out = (iso_discrete){.schema = s, .bins = bins, .label = SIZE_MAX};
	ISO_TRY(iso_table_new(s, 0, &empty, err));
	const iso_status st = iso_discrete_rows(out, empty, &out->bin, err);
	iso_table_free(empty);
	for (size_t j = 0; st == ISO_OK && j < out->bin.ncode; j++)
		if ((int)out->bin.column[j] == s->label)
			out->label = j;
	return st;
}

void iso_discrete_free(iso_discrete *d)
{
	iso_binning_free(&d->bin);
	*d = (iso_discrete){0};
}

iso_status iso_discrete_rows(const iso_discrete *d, const iso_table *t, iso_binning *out,
			     iso_error *err)
{
	return iso_bin_table(t, d->bins, ISO_ENC_FEATURES | ISO_ENC_LABEL, out, err);
}

void iso_discrete_count(const iso_binning *rows, size_t n, const size_t *cells,
			const iso_scope *scope, double *out)
{
	memset(out, 0, (size_t)iso_scope_cells(scope, cells) * sizeof *out);
	for (size_t r = 0; r < n; r++)
		out[iso_scope_index(scope, cells, rows->code + r * rows->ncode)] += 1;
}

iso_status iso_discrete_release(const iso_binning *rows, size_t n, const size_t *cells,
				const iso_scope *scope, iso_ledger *l, iso_entry entry, double *out,
				iso_error *err)
{
	uint32_t *cell = iso_alloc(n, sizeof *cell);
	if (!cell)
		return iso_no_memory(err, "cells of rows");
	for (size_t r = 0; r < n; r++)
		cell[r] = (uint32_t)iso_scope_index(scope, cells, rows->code + r * rows->ncode);
	const iso_status st = iso_mech_histogram(l, entry, cell, n, 1,
						 (size_t)iso_scope_cells(scope, cells), out, err);
	iso_free(cell);
	return st;
}

void iso_discrete_put(const iso_discrete *d, iso_key key, iso_table *out, size_t i, size_t j,
		      size_t code)
{
	const size_t c = d->bin.column[j];
	out->cells[i * d->schema->ncol + c] =
		iso_unbin(d->schema, c, d->bins, code, iso_rand_u01(key, i, j));
}

void iso_discrete_name(const iso_discrete *d, const iso_scope *scope, char *out, size_t size)
{
	size_t at = 0;
	out[0] = 0;
	for (size_t i = 0; i < scope->n && at + 1 < size; i++) {
		const int n = snprintf(out + at, size - at, "%s%s", i ? " - " : "",
				       d->schema->column[d->bin.column[scope->v[i]]].name);
		at += n > 0 ? (size_t)n : 0;
	}
}
