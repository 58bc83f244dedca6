// SPDX-License-Identifier: Apache-2.0
/* Validity first: do the synthetic rows obey the public schema, and do they hold what it allows?
 *
 * Tables that a generator made have been checked before they come here; what another program's
 * file broke was counted by its reader and stands in view->found.  Beside that, from the tables:
 * levels of the real rows that never come, values that stand on a bound, constant columns, repeated
 * rows.
 */
#include <math.h>

#include "core/base/alloc.h"
#include "core/data/rows.h"
#include "metrics/kit/sample.h"

static const iso_output outputs[] = {
	{"valid_rows", "rows that obey the schema", "share", ISO_HIGHER, 0, 1, 1, NULL, "validity",
	 1},
	{"out_of_bounds", "values out of bounds (clipped)", "share", ISO_LOWER, 0, 1, 0, NULL,
	 "validity"},
	{"fractions", "fractions in integer columns (rounded)", "share", ISO_LOWER, 0, 1, 0, NULL,
	 "validity"},
	{"unknown_categories", "unknown categories (row left out)", "share", ISO_LOWER, 0, 1, 0,
	 NULL, "validity"},
	{"unreadable", "unreadable numbers (row left out)", "share", ISO_LOWER, 0, 1, 0, NULL,
	 "validity"},
	{"missing", "missing values that the schema forbids (row left out)", "share", ISO_LOWER, 0,
	 1, 0, NULL, "validity"},
	{"levels", "levels of the real rows that occur", "share", ISO_HIGHER, 0, 1, 1, NULL,
	 "validity"},
	{"at_bounds", "difference of the share of numbers on a bound, mean", "share", ISO_LOWER, 0,
	 1, 0, NULL, "validity"},
	{"missing_gap", "difference of the share of missing values, mean", "share", ISO_LOWER, 0, 1,
	 0, NULL, "validity"},
	{"constant_columns", "columns that are constant and vary in the real rows", "share",
	 ISO_LOWER, 0, 1, 0, NULL, "validity"},
	{"repeated_rows", "rows that repeat an earlier row", "share", ISO_NEITHER, 0, 1, NAN, NULL,
	 "validity"},
	{"real.repeated_rows", "real rows that repeat an earlier row", "share", ISO_NEITHER, 0, 1,
	 NAN, NULL, "validity"},
	{0}};
#define WHY "no such column, or no rows"

/* ---- what the reader counted ---- */

static iso_status put_found(const iso_validity *f, iso_measures *out, iso_error *err)
{
	const iso_validity clean = {.rows = 1, .cells = 1};
	const iso_validity *g = f && f->rows && f->cells ? f : &clean;
	const double rows = (double)g->rows, cells = (double)g->cells;

	ISO_TRY(iso_put(out, "valid_rows", 1 - (double)g->broken_rows / rows, WHY, err));
	ISO_TRY(iso_put(out, "out_of_bounds", (double)g->clipped / cells, WHY, err));
	ISO_TRY(iso_put(out, "fractions", (double)g->rounded / cells, WHY, err));
	ISO_TRY(iso_put(out, "unknown_categories", (double)g->unknown / cells, WHY, err));
	ISO_TRY(iso_put(out, "unreadable", (double)g->unreadable / cells, WHY, err));
	return iso_put(out, "missing", (double)g->missing / cells, WHY, err);
}

/* ---- columns ---- */

static double share_missing(const iso_table *t, size_t c)
{
	double n = 0;

	for (size_t r = 0; r < t->n; r++)
		n += isnan(iso_table_cell(t, r, c));
	return n / (double)t->n;
}

static double share_at_bounds(const iso_table *t, size_t c)
{
	const iso_column *col = &t->schema->column[c];
	double n = 0;

	for (size_t r = 0; r < t->n; r++) {
		const double v = iso_table_cell(t, r, c);
		n += v == col->lo || v == col->hi;
	}
	return n / (double)t->n;
}

static int is_constant(const iso_table *t, size_t c)
{
	const double first = iso_table_cell(t, 0, c);

	for (size_t r = 1; r < t->n; r++) {
		const double v = iso_table_cell(t, r, c);
		if (v != first && !(isnan(v) && isnan(first)))
			return 0;
	}
	return 1;
}

/* Levels of column c that the real rows have, and how many of them the synthetic rows have;
 * seen [levels]. */
static void count_levels(const iso_table *real, const iso_table *syn, size_t c, uint8_t *seen,
			 double *have, double *found)
{
	const size_t k = real->schema->column[c].ncategory;

	for (size_t i = 0; i < k; i++)
		seen[i] = 0;
	for (size_t r = 0; r < real->n; r++)
		if (!isnan(iso_table_cell(real, r, c)))
			seen[(size_t)iso_table_cell(real, r, c)] |= 1;
	for (size_t r = 0; r < syn->n; r++)
		if (!isnan(iso_table_cell(syn, r, c)))
			seen[(size_t)iso_table_cell(syn, r, c)] |= 2;
	for (size_t i = 0; i < k; i++) {
		*have += seen[i] & 1;
		*found += seen[i] == 3;
	}
}

typedef struct columns {
	double have, found, bounds, numbers, missing, may_miss, constant, varying;
} columns;

static void look_at(const iso_table *real, const iso_table *syn, size_t c, uint8_t *seen,
		    columns *k)
{
	const iso_column *col = &real->schema->column[c];

	if (!is_constant(real, c)) {
		k->varying++;
		k->constant += syn->n > 1 && is_constant(syn, c);
	}
	if (col->nmissing) {
		k->may_miss++;
		k->missing += fabs(share_missing(real, c) - share_missing(syn, c));
	}
	if (iso_is_discrete(col)) {
		count_levels(real, syn, c, seen, &k->have, &k->found);
	} else {
		k->numbers++;
		k->bounds += fabs(share_at_bounds(real, c) - share_at_bounds(syn, c));
	}
}

static iso_status put_columns(const iso_metric_view *v, iso_measures *out, iso_error *err)
{
	const iso_schema *s = v->schema;
	size_t most = 1;
	columns k = {0};

	for (size_t c = 0; c < s->ncol; c++)
		most = s->column[c].ncategory > most ? s->column[c].ncategory : most;
	uint8_t *seen = iso_alloc(most, 1);
	if (!seen)
		return iso_no_memory(err, "levels");
	for (size_t c = 0; v->train->n && v->synthetic->n && c < s->ncol; c++)
		if (!iso_is_dropped(&s->column[c]) && s->column[c].type != ISO_PIXEL)
			look_at(v->train, v->synthetic, c, seen, &k);
	iso_free(seen);
	ISO_TRY(iso_put(out, "levels", k.have > 0 ? k.found / k.have : NAN, WHY, err));
	ISO_TRY(iso_put(out, "at_bounds", k.numbers > 0 ? k.bounds / k.numbers : NAN, WHY, err));
	ISO_TRY(iso_put(out, "missing_gap", k.may_miss > 0 ? k.missing / k.may_miss : NAN,
			"no column may be missing, or no rows", err));
	return iso_put(out, "constant_columns", k.varying > 0 ? k.constant / k.varying : NAN, WHY,
		       err);
}

static iso_status put_repeats(iso_measures *out, const char *key, const iso_table *t,
			      iso_error *err)
{
	uint32_t *first;
	double n = 0;

	if (!t->n)
		return iso_measure_undefined(out, key, "no rows", err);
	ISO_TRY(iso_rows_first(t, &first, err));
	for (size_t r = 0; r < t->n; r++)
		n += first[r] != r;
	iso_free(first);
	return iso_put(out, key, n / (double)t->n, WHY, err);
}

static iso_status measure(const iso_metric_view *v, const void *opt, iso_measures *out,
			  iso_error *err)
{
	(void)opt;
	ISO_TRY(put_found(v->found, out, err));
	ISO_TRY(put_columns(v, out, err));
	ISO_TRY(put_repeats(out, "repeated_rows", v->synthetic, err));
	return put_repeats(out, "real.repeated_rows", v->train, err);
}

const iso_metric iso_metric_schema_validity = {
	.abi = ISO_METRIC_ABI,
	.name = "schema-validity",
	.title = "Validity",
	.citation = "the public schema of the data set",
	.card = "Whether the synthetic rows obey the public schema. What a file of another program "
		"breaks is counted when it is read, never fatal: numbers out of bounds are "
		"clipped, "
		"fractions in integer columns rounded, rows with unknown categories, unreadable "
		"numbers or forbidden missing values left out; shares are of all values read, of "
		"rows "
		"for `valid_rows`. A generator's own tables are checked and always valid. Beside "
		"that, what the schema allows and the rows lack: levels, spread, missing values.",
	.inputs = ISO_IN_TRAIN | ISO_IN_SYNTHETIC,
	.version = 1,
	.outputs = outputs,
	.measure = measure,
};
