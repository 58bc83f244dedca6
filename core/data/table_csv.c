// SPDX-License-Identifier: Apache-2.0
/* Tables from CSV and back.  Every value is checked against the schema as it is read. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/data/table.h"
#include "core/data/date.h"
#include "core/data/schema_private.h"
#include "core/io/csv.h"
#include "core/io/file.h"

/* A field of the file: a cell of a column, or one byte of a pixel column. */
typedef struct target {
	size_t column;
	size_t pixel; /* offset in the row's bytes */
} target;

typedef struct reader {
	const iso_schema *s;
	const char *name;
	target *field; /* per field of the file */
	size_t nfield;
	size_t **order; /* per column: its categories sorted, for the binary search */
	iso_table *t;
	size_t cells_cap, pixels_cap, client_cap;
	iso_csv_format format;
} reader;

static int compare_category(const void *a, const void *b, void *ctx)
{
	char *const *category = ctx;

	return strcmp(category[*(const size_t *)a], category[*(const size_t *)b]);
}

static iso_status sort_categories(reader *r, iso_error *err)
{
	r->order = iso_alloc(r->s->ncol, sizeof(*r->order));
	if (!r->order)
		return iso_no_memory(err, "a table");
	for (size_t c = 0; c < r->s->ncol; c++) {
		const iso_column *col = &r->s->column[c];

		r->order[c] = iso_alloc(col->ncategory, sizeof(**r->order));
		if (!r->order[c])
			return iso_no_memory(err, "a table");
		for (size_t i = 0; i < col->ncategory; i++)
			r->order[c][i] = i;
		if (col->ncategory)
			qsort_r(r->order[c], col->ncategory, sizeof(**r->order), compare_category,
				col->category);
	}
	return ISO_OK;
}

static void close_reader(reader *r)
{
	for (size_t c = 0; r->order && c < r->s->ncol; c++)
		iso_free(r->order[c]);
	iso_free(r->order);
	iso_free(r->field);
	iso_table_free(r->t);
}

/* "NAME_17" of a pixel column: 1 and the place of the byte. */
static int find_pixel(const iso_schema *s, const char *name, target *out)
{
	const char *bar = strrchr(name, '_');
	char *end = NULL;
	unsigned long k;

	if (!bar || bar[1] < '0' || bar[1] > '9' || (bar[1] == '0' && bar[2]))
		return 0;
	k = strtoul(bar + 1, &end, 10);
	if (*end)
		return 0;
	for (size_t c = 0; c < s->ncol; c++) {
		const iso_column *col = &s->column[c];

		if (iso_column_pixels(col) > 0 && strlen(col->name) == (size_t)(bar - name) &&
		    memcmp(col->name, name, (size_t)(bar - name)) == 0 &&
		    k < iso_column_pixels(col)) {
			*out = (target){c, col->offset + k};
			return 1;
		}
	}
	return 0;
}

static iso_status unknown_column(const reader *r, const char *name, size_t line, size_t field,
				 iso_error *err)
{
	const char **words = iso_alloc(r->s->ncol, sizeof(*words)), *near = NULL;

	if (!words)
		return iso_no_memory(err, "an error text");
	for (size_t c = 0; c < r->s->ncol; c++)
		words[c] = r->s->column[c].name;
	near = iso_nearest_word(name, words, r->s->ncol);
	iso_free(words);
	if (strpbrk(name, ";\t|"))
		return iso_fail(
			err, ISO_E_DATA,
			"wrong separator (%s:%zu:%zu): the header reads as one name, "
			"\"%.80s\"; give the schema \"csv\": {\"separator\": \"%s\"}, or draft "
			"it anew with `isoeps schema infer`",
			r->name, line, field, name,
			strchr(name, ';')    ? ";"
			: strchr(name, '\t') ? "\\t"
					     : "|");
	if (near)
		return iso_fail(err, ISO_E_DATA,
				"unknown column (%s:%zu:%zu): \"%.80s\" is not in schema \"%s\"; "
				"did you mean "
				"\"%s\"?",
				r->name, line, field, name, r->s->name, near);
	return iso_fail(err, ISO_E_DATA,
			"unknown column (%s:%zu:%zu): \"%.80s\" is not in schema \"%s\"; add it "
			"there (role id "
			"to drop it) or remove it here",
			r->name, line, field, name, r->s->name);
}

/* Every schema column once; ids and clients may be absent, since they are dropped anyway. */
static iso_status check_header(const reader *r, const size_t *seen, size_t line, iso_error *err)
{
	for (size_t c = 0; c < r->s->ncol; c++) {
		const iso_column *col = &r->s->column[c];
		size_t want = iso_column_pixels(col) ? iso_column_pixels(col) : 1;

		if (!iso_is_dropped(col) && seen[c] < want)
			return iso_fail(err, ISO_E_DATA,
					"missing column (%s:%zu:1): the header lacks \"%s%s\" of "
					"schema \"%s\"; add "
					"it",
					r->name, line, col->name,
					col->type == ISO_PIXEL ? "_0\" to \"_..." : "", r->s->name);
		if (seen[c] > want)
			return iso_fail(err, ISO_E_DATA,
					"duplicate column (%s:%zu:1): the header names \"%s\" "
					"twice; remove one",
					r->name, line, col->name);
	}
	return ISO_OK;
}

static iso_status read_header(reader *r, size_t line, char **field, size_t nfield, iso_error *err)
{
	size_t *seen = iso_alloc(r->s->ncol, sizeof(*seen));
	uint8_t *byte_seen = iso_alloc(r->s->npixel, 1);
	iso_status st = ISO_OK;

	r->field = iso_alloc(nfield, sizeof(*r->field));
	r->nfield = nfield;
	if (!seen || !byte_seen || !r->field)
		st = iso_no_memory(err, "a table");
	for (size_t i = 0; i < nfield && st == ISO_OK; i++) {
		int c = iso_schema_find(r->s, field[i]);

		if (c >= 0 && !iso_column_pixels(&r->s->column[c]))
			r->field[i].column = (size_t)c;
		else if (!find_pixel(r->s, field[i], &r->field[i]))
			st = unknown_column(r, field[i], line, i + 1, err);
		else if (byte_seen[r->field[i].pixel]++)
			st = iso_fail(err, ISO_E_DATA,
				      "duplicate column (%s:%zu:%zu): the header names \"%s\" "
				      "twice; remove one",
				      r->name, line, i + 1, field[i]);
		if (st == ISO_OK)
			seen[r->field[i].column]++;
		if (st == ISO_OK && (int)r->field[i].column == r->s->client)
			r->t->nclient = r->s->column[r->s->client].ncategory;
	}
	if (st == ISO_OK)
		st = check_header(r, seen, line, err);
	iso_free(seen);
	iso_free(byte_seen);
	return st;
}

static iso_status bad_value(const reader *r, const iso_column *c, const char *text, size_t line,
			    size_t field, iso_error *err)
{
	char lo[32], hi[32];
	const char *near;

	if (iso_is_discrete(c)) {
		near = iso_nearest_word(text, (const char *const *)c->category, c->ncategory);
		if (near)
			return iso_fail(err, ISO_E_DATA,
					"value outside the schema (%s:%zu:%zu): %s is \"%.80s\", "
					"the schema has %zu "
					"categories; did you mean \"%.80s\"?",
					r->name, line, field, c->name, text, c->ncategory, near);
		return iso_fail(
			err, ISO_E_DATA,
			"value outside the schema (%s:%zu:%zu): %s is \"%.80s\", the "
			"schema allows %zu "
			"categories such as \"%.80s\"%s; correct the row or extend the list",
			r->name, line, field, c->name, text, c->ncategory, c->category[0],
			*text ? "" : " and no missing value");
	}
	iso_bound_text(c, c->lo, lo);
	iso_bound_text(c, c->hi, hi);
	return iso_fail(err, ISO_E_DATA,
			"value outside the schema (%s:%zu:%zu): %s is \"%.80s\", the schema allows "
			"%s %s to %s%s; "
			"correct the row or widen the bounds",
			r->name, line, field, c->name, text,
			c->type == ISO_DATE ? "dates"
			: iso_is_whole(c)   ? "integers"
					    : "numbers",
			lo, hi, c->nmissing ? "" : " and no missing value");
}

static int is_missing(const iso_column *c, const char *text)
{
	for (size_t i = 0; i < c->nmissing; i++)
		if (strcmp(c->missing[i], text) == 0)
			return 1;
	return 0;
}

static int find_category(const iso_column *c, const size_t *order, const char *text, double *x)
{
	size_t lo = 0, hi = c->ncategory;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int d = strcmp(text, c->category[order[mid]]);

		if (d == 0) {
			*x = (double)order[mid];
			return 1;
		}
		if (d < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return 0;
}

/* 1 if text is admissible in the column. */
static int read_value(const reader *r, size_t column, const char *text, double *x)
{
	const iso_column *c = &r->s->column[column];
	int number;

	*x = NAN;
	if (c->role == ISO_ID || is_missing(c, text))
		return 1;
	if (iso_is_discrete(c)) {
		if (find_category(c, r->order[column], text, x))
			return 1;
		*x = c->outside ? iso_outside_value(c, 0, 0) : NAN;
		return c->outside != 0;
	}
	number = c->type == ISO_DATE ? iso_date_read(text, (iso_date_format)c->date_format, x)
				     : iso_number_read(text, r->s->csv.decimal, x);
	if (c->outside) {
		*x = iso_outside_value(c, number, *x);
		return 1;
	}
	if (!number || !(*x >= c->lo && *x <= c->hi))
		return 0;
	*x += 0.0; /* no negative zero */
	return !iso_is_whole(c) || *x == floor(*x);
}

/* A row of variable length has a first step, and nothing missing before its end. */
static iso_status check_sequences(const reader *r, const double *cells, size_t line, iso_error *err)
{
	const char *name;
	size_t step;
	const char *fault = iso_sequences_fault(r->s, cells, &name, &step);

	if (!fault)
		return ISO_OK;
	return iso_fail(err, ISO_E_DATA, "sequence (%s:%zu): %.80s %s at step %zu; %s", r->name,
			line, name, fault, step,
			step ? "leave out the steps behind the end of the record, and no other"
			     : "remove the row");
}

static iso_status read_row(void *ctx, size_t row, size_t line, char **field, size_t nfield,
			   iso_error *err)
{
	reader *r = ctx;
	size_t ncol = r->s->ncol, npixel = r->s->npixel, at;

	if (row == 0)
		return read_header(r, line, field, nfield, err);
	at = row - 1;
	ISO_FAIL_IF(at >= UINT32_MAX - 1, err, ISO_E_DATA,
		    "too many rows (%s:%zu:1): more than 2^32; split the file", r->name, line);
	ISO_TRY(iso_grow(&r->t->cells, &r->cells_cap, (at + 1) * ncol, sizeof(double), err));
	if (npixel)
		ISO_TRY(iso_grow(&r->t->pixels, &r->pixels_cap, (at + 1) * npixel, 1, err));
	if (r->t->nclient)
		ISO_TRY(iso_grow(&r->t->client, &r->client_cap, at + 1, sizeof(uint32_t), err));
	for (size_t c = 0; c < ncol; c++)
		r->t->cells[at * ncol + c] = iso_is_dropped(&r->s->column[c]) ? NAN : 0;
	for (size_t i = 0; i < nfield; i++) {
		const iso_column *c = &r->s->column[r->field[i].column];
		double x;

		if (!read_value(r, r->field[i].column, field[i], &x))
			return bad_value(r, c, field[i], line, i + 1, err);
		if (iso_column_pixels(c))
			r->t->pixels[at * npixel + r->field[i].pixel] = (uint8_t)x;
		else if (c->role == ISO_CLIENT)
			r->t->client[at] = (uint32_t)x;
		else
			r->t->cells[at * ncol + r->field[i].column] = x;
	}
	r->t->n = at + 1;
	return check_sequences(r, r->t->cells + at * ncol, line, err);
}

/* What we wrote without the dropped row names has a full header: the first lines tell. */
static void settle_format(reader *r, const char *text, size_t n)
{
	iso_csv_format seen;

	r->format = r->s->csv;
	if (!r->format.row_names)
		return;
	seen = r->format;
	seen.row_names = 0;
	iso_csv_sniff(text, n, &seen, &seen);
	r->format.row_names = seen.row_names;
}

static iso_status open_reader(reader *r, iso_error *err)
{
	r->t = iso_alloc(1, sizeof(*r->t));
	if (!r->t)
		return iso_no_memory(err, "a table");
	r->t->schema = r->s;
	return sort_categories(r, err);
}

/* A header alone makes no rows, yet a table. */
static iso_status take_table(reader *r, iso_table **out, iso_error *err)
{
	ISO_TRY(iso_grow(&r->t->cells, &r->cells_cap, 1, sizeof(double), err));
	if (r->s->npixel)
		ISO_TRY(iso_grow(&r->t->pixels, &r->pixels_cap, 1, 1, err));
	r->t->id = iso_alloc(r->t->n, sizeof(*r->t->id));
	if (!r->t->id)
		return iso_no_memory(err, "a table");
	for (size_t i = 0; i < r->t->n; i++)
		r->t->id[i] = i;
	*out = r->t;
	r->t = NULL;
	return ISO_OK;
}

iso_status iso_table_parse_csv(const char *text, size_t n, const char *name, const iso_schema *s,
			       iso_table **out, iso_error *err)
{
	reader r = {.s = s, .name = name};
	iso_status st;

	*out = NULL;
	st = open_reader(&r, err);
	settle_format(&r, text, n);
	if (st == ISO_OK)
		st = iso_csv_parse_as(text, n, name, &r.format, read_row, &r, err);
	if (st == ISO_OK)
		st = take_table(&r, out, err);
	close_reader(&r);
	return st;
}

/* ---- files: counted first, so that the table has its size from the start ---- */

typedef struct passage {
	reader *r;
	iso_csv_stream *csv; /* opened with the first piece, whose lines settle the format */
	size_t lines;
} passage;

static iso_status count_lines(void *ctx, const char *piece, size_t n, iso_error *err)
{
	passage *p = ctx;

	(void)err;
	for (const char *end = piece + n; (piece = memchr(piece, '\n', (size_t)(end - piece)));
	     piece++)
		p->lines++;
	return ISO_OK;
}

static iso_status read_piece(void *ctx, const char *piece, size_t n, iso_error *err)
{
	passage *p = ctx;

	if (!p->csv) {
		settle_format(p->r, piece, n);
		ISO_TRY(iso_csv_open(p->r->name, &p->r->format, read_row, p->r, &p->csv, err));
	}
	return iso_csv_feed(p->csv, piece, n, err);
}

/* Room for n rows at once: an array that doubles would need three times its size on the way. */
static iso_status reserve_rows(reader *r, size_t n, iso_error *err)
{
	const size_t ncol = r->s->ncol, npixel = r->s->npixel;

	if (n == 0 || n > SIZE_MAX / 8 / (ncol + npixel + 1))
		return ISO_OK;
	r->t->cells = iso_alloc(n * ncol, sizeof(double));
	r->t->pixels = npixel ? iso_alloc(n * npixel, 1) : NULL;
	if (!r->t->cells || (npixel && !r->t->pixels))
		return iso_no_memory(err, "a table");
	r->cells_cap = n * ncol;
	r->pixels_cap = n * npixel;
	return ISO_OK;
}

static iso_status read_file(reader *r, const char *path, iso_error *err)
{
	passage p = {.r = r};
	iso_status st;

	ISO_TRY(iso_file_stream(path, 0, count_lines, &p, err));
	ISO_TRY(reserve_rows(r, p.lines, err));
	st = iso_file_stream(path, 0, read_piece, &p, err);
	if (st == ISO_OK && !p.csv) /* an empty file: the reader says so */
		return iso_csv_parse_as("", 0, path, &r->s->csv, read_row, r, err);
	return p.csv ? iso_csv_close(p.csv, st, err) : st;
}

iso_status iso_table_read_csv(const char *path, const iso_schema *s, iso_table **out,
			      iso_error *err)
{
	reader r = {.s = s, .name = path};
	char *text = NULL;
	size_t n = 0;
	iso_status st;

	*out = NULL;
	if (strcmp(path, "-") == 0) {
		ISO_TRY(iso_file_read(path, 0, &text, &n, err));
		st = iso_table_parse_csv(text, n, "standard input", s, out, err);
		iso_free(text);
		return st;
	}
	st = open_reader(&r, err);
	if (st == ISO_OK)
		st = read_file(&r, path, err);
	if (st == ISO_OK)
		st = take_table(&r, out, err);
	close_reader(&r);
	return st;
}

static void write_cell(iso_str *out, const iso_schema *s, const iso_column *c, double x, int last)
{
	char text[400];

	if (isnan(x)) {
		iso_csv_field_as(out, c->nmissing ? c->missing[0] : "", last, &s->csv);
		return;
	}
	if (iso_is_discrete(c)) {
		iso_csv_field_as(out, c->category[(size_t)x], last, &s->csv);
		return;
	}
	/* The grain of the schema if the value has no more digits than that, else all that the
	 * value has. */
	snprintf(text, sizeof(text), "%.*f", c->decimals >= 0 ? c->decimals : 0, x);
	if (c->type == ISO_DATE)
		iso_date_text(x, (iso_date_format)c->date_format, text);
	else if (strtod(text, NULL) != x || fabs(x) >= 1e17)
		iso_json_number_text(x, text);
	if (s->csv.decimal && c->type != ISO_DATE && strchr(text, '.'))
		*strchr(text, '.') = s->csv.decimal;
	iso_csv_field_as(out, text, last, &s->csv);
}

static void write_pixels(iso_str *out, const iso_schema *s, const iso_column *c, const uint8_t *p,
			 int last)
{
	const char separator = s->csv.separator ? s->csv.separator : ',';

	size_t n = iso_column_pixels(c);

	for (size_t i = 0; i < n; i++)
		iso_str_addf(out, "%u%c", p[i], last && i + 1 == n ? '\n' : separator);
}

static void write_header(iso_str *out, const iso_schema *s, size_t last)
{
	for (size_t c = 0; c <= last; c++) {
		const iso_column *col = &s->column[c];
		size_t n = iso_column_pixels(col);

		if (iso_is_dropped(col))
			continue;
		if (!n)
			iso_csv_field_as(out, col->name, c == last, &s->csv);
		for (size_t i = 0; i < n; i++) {
			iso_str name = {0};

			iso_str_addf(&name, "%s_%zu", col->name, i);
			out->failed |= name.failed;
			iso_csv_field_as(out, name.p ? name.p : "", c == last && i + 1 == n,
					 &s->csv);
			iso_str_free(&name);
		}
	}
}

iso_status iso_table_to_csv(const iso_table *t, iso_str *out, iso_error *err)
{
	const iso_schema *s = t->schema;
	size_t last = s->ncol;

	while (last > 0 && iso_is_dropped(&s->column[last - 1]))
		last--;
	ISO_FAIL_IF(last == 0, err, ISO_E_UNSUPPORTED,
		    "nothing to write (schema %s): every column is an id; give one another "
		    "role",
		    s->name);
	last--;
	write_header(out, s, last);
	for (size_t r = 0; r < t->n; r++)
		for (size_t c = 0; c <= last; c++) {
			const iso_column *col = &s->column[c];

			if (iso_is_dropped(col))
				continue;
			if (col->type == ISO_PIXEL)
				write_pixels(out, s, col, t->pixels + r * s->npixel + col->offset,
					     c == last);
			else
				write_cell(out, s, col, iso_table_cell(t, r, c), c == last);
		}
	return iso_str_check(out, err);
}
