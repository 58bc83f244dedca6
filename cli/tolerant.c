// SPDX-License-Identifier: Apache-2.0
#include "cli/tolerant.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/io/csv.h"
#include "core/io/file.h"

enum { CLIPPED, ROUNDED, UNKNOWN, UNREADABLE, MISSING, KINDS };

typedef struct reader {
	const iso_schema *s;
	const char *path, *what;
	size_t *column; /* [nfield] schema column of each field; SIZE_MAX: not in the schema */
	size_t nfield, ignored;
	double *cells; /* [cap] */
	size_t n, cap, dropped, broken, found;
	char separator;
	size_t commas;		/* numbers with a decimal comma that the schema does not announce */
	size_t (*count)[KINDS]; /* [ncol] */
	size_t *last;		/* [ncol] the category seen last: most files repeat themselves */
} reader;

static void bump(reader *r, size_t c, int kind)
{
	r->count[c][kind]++;
	r->found++;
}

static int is_simple(const iso_column *c)
{
	return iso_is_dropped(c) || iso_is_discrete(c) || c->type == ISO_CONTINUOUS ||
	       c->type == ISO_INTEGER || c->type == ISO_LATITUDE || c->type == ISO_LONGITUDE;
}

static iso_status take_header(reader *r, char **field, size_t nfield, iso_error *err)
{
	r->column = iso_alloc(nfield, sizeof(*r->column));
	if (!r->column)
		return iso_no_memory(err, "a table");
	r->nfield = nfield;
	for (size_t i = 0; i < nfield; i++) {
		const int c = iso_schema_find(r->s, field[i]);

		r->column[i] = c < 0 ? SIZE_MAX : (size_t)c;
		r->ignored += c < 0;
	}
	for (size_t c = 0; c < r->s->ncol; c++) {
		int seen = iso_is_dropped(&r->s->column[c]);

		for (size_t i = 0; i < nfield; i++)
			seen |= r->column[i] == c;
		ISO_FAIL_IF(
			!seen, err, ISO_E_DATA,
			"missing column (%s:1): the header lacks \"%s\" of schema \"%s\"; add it",
			r->path, r->s->column[c].name, r->s->name);
	}
	return ISO_OK;
}

static int is_missing(const iso_column *c, const char *text)
{
	for (size_t i = 0; i < c->nmissing; i++)
		if (strcmp(c->missing[i], text) == 0)
			return 1;
	return text[0] == 0 || strcmp(text, "NA") == 0 || strcmp(text, "NaN") == 0 ||
	       strcmp(text, "nan") == 0;
}

/* A number with the file's decimal sign; NaN: unreadable.  Where the schema names none, a file with
 * semicolons may have decimal commas (R's write.csv2). */
static double number_of(reader *r, char *text)
{
	const char sign = r->s->csv.decimal ? r->s->csv.decimal : r->separator == ';' ? ',' : 0;
	char *end = NULL, *comma = sign ? strchr(text, sign) : NULL;
	double v;

	if (comma)
		*comma = '.';
	r->commas += comma && !r->s->csv.decimal;
	v = strtod(text, &end);
	while (*end == ' ')
		end++;
	return end == text || *end || !isfinite(v) ? NAN : v;
}

static double read_number(reader *r, size_t c, char *text, int *keep)
{
	const iso_column *col = &r->s->column[c];
	double v = number_of(r, text);

	if (isnan(v)) {
		bump(r, c, UNREADABLE);
		*keep = 0;
		return v;
	}
	if (col->type == ISO_INTEGER && v != rint(v)) {
		bump(r, c, ROUNDED);
		v = rint(v);
	}
	if (v < col->lo || v > col->hi) {
		bump(r, c, CLIPPED);
		v = v < col->lo ? col->lo : col->hi;
	}
	return v;
}

static double read_category(reader *r, size_t c, const char *text, int *keep)
{
	const iso_column *col = &r->s->column[c];

	if (r->last[c] < col->ncategory && strcmp(col->category[r->last[c]], text) == 0)
		return (double)r->last[c];
	for (size_t i = 0; i < col->ncategory; i++)
		if (strcmp(col->category[i], text) == 0)
			return (double)(r->last[c] = i);
	/* 3 and 3.0 are one category to a program that writes numbers */
	char *end = NULL;
	const double v = strtod(text, &end);
	for (size_t i = 0; end != text && !*end && i < col->ncategory; i++) {
		char *stop = NULL;

		if (strtod(col->category[i], &stop) == v && stop != col->category[i] && !*stop)
			return (double)(r->last[c] = i);
	}
	bump(r, c, UNKNOWN);
	*keep = 0;
	return NAN;
}

static iso_status take_row(void *ctx, size_t row, size_t line, char **field, size_t nfield,
			   iso_error *err)
{
	reader *r = ctx;
	const size_t ncol = r->s->ncol;
	const size_t before = r->found;
	double *cells;
	int keep = 1;

	(void)line;
	if (row == 0)
		return take_header(r, field, nfield, err);
	ISO_TRY(iso_grow(&r->cells, &r->cap, (r->n + 1) * ncol, sizeof(*r->cells), err));
	cells = r->cells + r->n * ncol;
	for (size_t c = 0; c < ncol; c++)
		cells[c] = NAN;
	for (size_t i = 0; i < nfield; i++) {
		const size_t c = r->column[i];
		const iso_column *col = c == SIZE_MAX ? NULL : &r->s->column[c];

		if (!col || iso_is_dropped(col))
			continue;
		if (is_missing(col, field[i])) {
			if (col->nmissing == 0)
				bump(r, c, MISSING);
			keep = keep && col->nmissing > 0;
		} else if (iso_is_discrete(col)) {
			cells[c] = read_category(r, c, field[i], &keep);
		} else {
			cells[c] = read_number(r, c, field[i], &keep);
		}
	}
	if (keep)
		r->n++;
	else
		r->dropped++;
	r->broken += r->found > before;
	return ISO_OK;
}

static iso_status tell(const reader *r,
		       iso_status (*note)(void *ctx, const char *text, iso_error *err), void *ctx,
		       iso_error *err)
{
	static const char *const what[KINDS] = {
		"out of bounds (clipped)", "with a fraction in an integer column (rounded)",
		"of an unknown category (row left out)", "unreadable as a number (row left out)",
		"missing where the schema allows none (row left out)"};
	char text[320];

	for (size_t c = 0; c < r->s->ncol; c++)
		for (size_t k = 0; k < KINDS; k++) {
			if (!r->count[c][k])
				continue;
			snprintf(text, sizeof(text), "validity: %zu of %zu %s values of %.80s %s",
				 r->count[c][k], r->n + r->dropped, r->what, r->s->column[c].name,
				 what[k]);
			ISO_TRY(note(ctx, text, err));
		}
	if (r->dropped) {
		snprintf(text, sizeof(text), "validity: %zu of %zu %s rows are left out",
			 r->dropped, r->n + r->dropped, r->what);
		ISO_TRY(note(ctx, text, err));
	}
	if (r->commas) {
		snprintf(text, sizeof(text), "numbers of the %s file have decimal commas", r->what);
		ISO_TRY(note(ctx, text, err));
	}
	if (r->ignored) {
		snprintf(text, sizeof(text),
			 "%zu column%s of the %s file %s not in the schema and %s left out",
			 r->ignored, r->ignored == 1 ? "" : "s", r->what,
			 r->ignored == 1 ? "is" : "are", r->ignored == 1 ? "is" : "are");
		ISO_TRY(note(ctx, text, err));
	}
	return ISO_OK;
}

static iso_status make_table(const reader *r, iso_table **out, iso_error *err)
{
	ISO_FAIL_IF(!r->n, err, ISO_E_DATA,
		    "no valid rows (%s): %zu rows were read and none fits the schema \"%s\"",
		    r->path, r->dropped, r->s->name);
	ISO_TRY(iso_table_new(r->s, r->n, out, err));
	memcpy((*out)->cells, r->cells, r->n * r->s->ncol * sizeof(*r->cells));
	return ISO_OK;
}

static iso_validity counts_of(const reader *r)
{
	iso_validity v = {.rows = r->n + r->dropped, .broken_rows = r->broken};
	size_t kind[KINDS] = {0}, columns = 0;

	for (size_t c = 0; c < r->s->ncol; c++) {
		columns += !iso_is_dropped(&r->s->column[c]);
		for (size_t k = 0; k < KINDS; k++)
			kind[k] += r->count[c][k];
	}
	v.cells = v.rows * columns;
	v.clipped = kind[CLIPPED];
	v.rounded = kind[ROUNDED];
	v.unknown = kind[UNKNOWN];
	v.unreadable = kind[UNREADABLE];
	v.missing = kind[MISSING];
	return v;
}

iso_status iso_read_tolerant(const char *path, const char *what, const iso_schema *s,
			     iso_status (*note)(void *ctx, const char *text, iso_error *err),
			     void *ctx, iso_validity *found, iso_table **out, iso_error *err)
{
	reader r = {.s = s, .path = path, .what = what};
	iso_csv_format format;
	char *text = NULL;
	size_t n = 0;
	iso_status st = ISO_OK;

	*out = NULL;
	if (found)
		*found = (iso_validity){0};
	for (size_t c = 0; c < s->ncol; c++)
		if (!is_simple(&s->column[c]))
			return iso_table_read_csv(path, s, out, err);
	ISO_TRY(iso_file_read(path, 0, &text, &n, err));
	r.count = iso_alloc(s->ncol, sizeof(*r.count));
	r.last = iso_alloc(s->ncol, sizeof(*r.last));
	if (!r.count || !r.last)
		st = iso_no_memory(err, "a table");
	iso_csv_sniff(text, n, &s->csv, &format);
	r.separator = format.separator;
	if (st == ISO_OK)
		st = iso_csv_parse_as(text, n, path, &format, take_row, &r, err);
	if (st == ISO_OK)
		st = make_table(&r, out, err);
	if (st == ISO_OK)
		st = tell(&r, note, ctx, err);
	if (st == ISO_OK && found)
		*found = counts_of(&r);
	if (st != ISO_OK) {
		iso_table_free(*out);
		*out = NULL;
	}
	iso_free(text);
	iso_free(r.column);
	iso_free(r.cells);
	iso_free(r.count);
	iso_free(r.last);
	return st;
}
