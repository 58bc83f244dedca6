// SPDX-License-Identifier: Apache-2.0
/* The scan behind a draft of a schema.  It reads private rows, so every bound and list in the draft
 * is marked learned; the user is to replace them by public ones. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/alloc.h"
#include "core/data/infer.h"
#include "core/data/table.h"
#include "core/io/file.h"

static const char *const missing_codes[] = {"",	    "?",    "NA",   "N/A", "NaN",
					    "null", "#N/A", "<NA>", "\\N"};

static int is_missing(const iso_scan *f, const char *text)
{
	for (size_t i = 0; i < ISO_COUNT(missing_codes); i++)
		if (strcasecmp(missing_codes[i], text) == 0)
			return 1;
	for (size_t i = 0; i < f->options->nmissing; i++)
		if (strcmp(f->options->missing[i], text) == 0)
			return 1;
	return 0;
}

static iso_status note_missing(iso_guess *g, const char *text, iso_error *err)
{
	for (size_t i = 0; i < g->ncode; i++)
		if (strcmp(g->code[i], text) == 0)
			return ISO_OK;
	if (g->ncode == ISO_COUNT(g->code))
		return ISO_OK;
	g->code[g->ncode] = iso_strdup(text);
	return g->code[g->ncode++] ? ISO_OK : iso_no_memory(err, "a schema draft");
}

static iso_status note_value(iso_guess *g, const char *text, iso_error *err)
{
	if (g->many)
		return ISO_OK;
	for (size_t i = g->nvalue; i-- > 0;)
		if (strcmp(g->value[i], text) == 0)
			return ISO_OK;
	if (g->nvalue == ISO_INFER_DISTINCT) {
		g->many = 1;
		return ISO_OK;
	}
	ISO_TRY(iso_grow(&g->value, &g->cap, g->nvalue + 1, sizeof(*g->value), err));
	g->value[g->nvalue] = iso_strdup(text);
	return g->value[g->nvalue++] ? ISO_OK : iso_no_memory(err, "a schema draft");
}

static iso_status note_odd(iso_odd *o, const char *text, size_t line, iso_error *err)
{
	o->count++;
	if (o->text) {
		o->several |= strcmp(o->text, text) != 0;
		return ISO_OK;
	}
	o->line = line;
	o->text = iso_strdup(text);
	return o->text ? ISO_OK : iso_no_memory(err, "a schema draft");
}

static void note_range(iso_guess *g, double x, size_t line)
{
	if (g->numbers == 0) {
		g->lo = g->hi = g->lo2 = g->hi2 = x;
		g->lo_line = g->hi_line = line;
	}
	if (x < g->lo) {
		g->lo2 = g->lo;
		g->lo = x;
		g->lo_line = line;
	} else if (x > g->lo && (g->lo2 == g->lo || x < g->lo2)) {
		g->lo2 = x;
	}
	if (x > g->hi) {
		g->hi2 = g->hi;
		g->hi = x;
		g->hi_line = line;
	} else if (x < g->hi && (g->hi2 == g->hi || x > g->hi2)) {
		g->hi2 = x;
	}
	g->increasing &= g->numbers == 0 || x > g->last;
	g->last = x;
}

/* Digits that a double does not give back: beyond 2^53, or behind a leading zero. */
static int is_inexact(const char *text, double x)
{
	const char *digits = text + (*text == '-' || *text == '+');
	const size_t n = strlen(digits);

	if (strspn(digits, "0123456789") != n)
		return 0;
	return (n > 1 && *digits == '0') || fabs(x) >= 0x1p53;
}

static iso_status note_number(iso_guess *g, const char *text, double x, char decimal, size_t line,
			      iso_error *err)
{
	const char *dot = strchr(text, decimal ? decimal : '.');

	if (is_inexact(text, x))
		ISO_TRY(note_odd(&g->exact, text, line, err));
	note_range(g, x, line);
	g->whole &= x == floor(x) && fabs(x) < 0x1p53;
	if (dot && (int)strspn(dot + 1, "0123456789") > g->decimals)
		g->decimals = (int)strspn(dot + 1, "0123456789");
	if (strpbrk(text, "eE"))
		g->decimals = 99; /* no fixed grain */
	g->numbers++;
	return ISO_OK;
}

/* "$1,200.50", "1200 EUR": a number with a sign of money around it. */
static int is_money(const char *text)
{
	static const char *const signs[] = {"$",   "\xe2\x82\xac", "\xc2\xa3", "\xc2\xa5",
					    "EUR", "USD",	   "CHF",      "GBP"};
	const char *digits = text + strcspn(text, "0123456789");

	if (!*digits)
		return 0;
	for (size_t i = 0; i < ISO_COUNT(signs); i++) {
		const char *at = strstr(text, signs[i]);
		const size_t n = strlen(signs[i]);

		if (at && strspn(text, "-+ 0123456789.,'") == (size_t)(at - text) &&
		    at[n + strspn(at + n, "-+ 0123456789.,'")] == 0)
			return 1;
	}
	return 0;
}

static int is_percent(const char *text)
{
	const size_t n = strlen(text);

	return n > 1 && text[n - 1] == '%' && strspn(text, "-+0123456789., ") == n - 1;
}

/* "1,234,567.5" (or "1.234.567,5" with decimal commas): digits in groups of three. */
static int is_grouped(const char *text, char decimal)
{
	const char group = decimal == ',' ? '.' : ',';
	const char *p = text + (*text == '-' || *text == '+');
	size_t n = strspn(p, "0123456789"), groups = 0;

	if (n < 1 || n > 3)
		return 0;
	for (p += n; *p == group && strspn(p + 1, "0123456789") == 3; p += 4)
		groups++;
	if (*p == (decimal ? decimal : '.'))
		p += 1 + strspn(p + 1, "0123456789");
	return groups > 0 && !*p;
}

/* "2024-01-31 10:00:00", "2024-01-31T10:00Z". */
static int is_time(const char *text)
{
	char date[11];
	double day;

	if (strlen(text) < 13 || (text[10] != ' ' && text[10] != 'T'))
		return 0;
	memcpy(date, text, 10);
	date[10] = 0;
	for (int k = 0; k < ISO_DATE_FORMATS; k++)
		if (iso_date_read(date, (iso_date_format)k, &day))
			return isdigit((unsigned char)text[11]) &&
			       strspn(text + 11, "0123456789:.+-Z UTC") == strlen(text + 11);
	return 0;
}

static void note_date(iso_guess *g, const char *text)
{
	double day;

	for (int k = 0; k < ISO_DATE_FORMATS; k++)
		if (iso_date_read(text, (iso_date_format)k, &day)) {
			if (g->dates[k]++ == 0)
				g->first_date[k] = g->last_date[k] = day;
			g->first_date[k] = fmin(g->first_date[k], day);
			g->last_date[k] = fmax(g->last_date[k], day);
		}
}

static iso_status note_cell(const iso_scan *f, iso_guess *g, const char *text, size_t line,
			    iso_error *err)
{
	double x;

	if (is_missing(f, text))
		return note_missing(g, text, err);
	g->header_is_value |= strcmp(text, g->name) == 0;
	if (iso_number_read(text, f->csv.decimal, &x)) {
		ISO_TRY(note_number(g, text, x, f->csv.decimal, line, err));
	} else {
		ISO_TRY(note_odd(&g->text, text, line, err));
		if (is_money(text))
			ISO_TRY(note_odd(&g->money, text, line, err));
		if (is_percent(text))
			ISO_TRY(note_odd(&g->percent, text, line, err));
		if (is_grouped(text, f->csv.decimal))
			ISO_TRY(note_odd(&g->thousands, text, line, err));
		if (is_time(text))
			ISO_TRY(note_odd(&g->time, text, line, err));
		note_date(g, text);
	}
	g->count++;
	return note_value(g, text, err);
}

static iso_status on_header(iso_scan *f, size_t line, char **field, size_t nfield, iso_error *err)
{
	f->g = iso_alloc(nfield, sizeof(*f->g));
	if (!f->g)
		return iso_no_memory(err, "a schema draft");
	f->n = nfield;
	for (size_t i = 0; i < nfield; i++) {
		double x;

		f->g[i] = (iso_guess){.whole = 1, .increasing = 1, .name = iso_strdup(field[i])};
		if (!f->g[i].name)
			return iso_no_memory(err, "a schema draft");
		f->g[i].header_is_number = iso_number_read(field[i], f->csv.decimal, &x);
		ISO_FAIL_IF(!*field[i], err, ISO_E_DATA,
			    "empty column name (%s:%zu:%zu): the header needs a name for every "
			    "column; name it",
			    f->path, line, i + 1);
	}
	return ISO_OK;
}

static iso_status on_row(void *ctx, size_t row, size_t line, char **field, size_t nfield,
			 iso_error *err)
{
	iso_scan *f = ctx;

	if (row == 0)
		return on_header(f, line, field, nfield, err);
	f->rows++;
	for (size_t i = 0; i < nfield; i++)
		ISO_TRY(note_cell(f, &f->g[i], field[i], line, err));
	return ISO_OK;
}

static void free_scan(iso_scan *f)
{
	for (size_t i = 0; i < f->n; i++) {
		iso_guess *g = &f->g[i];

		for (size_t k = 0; k < g->nvalue; k++)
			iso_free(g->value[k]);
		for (size_t k = 0; k < g->ncode; k++)
			iso_free(g->code[k]);
		iso_free(g->text.text);
		iso_free(g->exact.text);
		iso_free(g->money.text);
		iso_free(g->percent.text);
		iso_free(g->thousands.text);
		iso_free(g->time.text);
		iso_free(g->value);
		iso_free(g->name);
	}
	iso_free(f->g);
}

/* Decimal commas: some field is digits, a comma, digits, and none has a point in that place. */
typedef struct commas {
	size_t comma, point;
} commas;

static iso_status count_commas(void *ctx, size_t row, size_t line, char **field, size_t nfield,
			       iso_error *err)
{
	commas *c = ctx;
	double x;

	(void)line;
	(void)err;
	for (size_t i = 0; i < nfield && row > 0; i++) {
		c->comma += strchr(field[i], ',') && iso_number_read(field[i], ',', &x);
		c->point += strchr(field[i], '.') && iso_number_read(field[i], 0, &x);
	}
	return ISO_OK;
}

static void find_format(iso_scan *f, const char *text, size_t n)
{
	commas c = {0};
	iso_error unused = {0};

	iso_csv_sniff(text, n, &f->options->csv, &f->csv);
	f->csv.name_first = 1;
	if (f->csv.decimal == '.')
		f->csv.decimal = 0;
	else if (!f->csv.decimal && f->csv.separator &&
		 iso_csv_parse_as(text, n, f->path, &f->csv, count_commas, &c, &unused) == ISO_OK &&
		 c.comma > 0 && c.point == 0)
		f->csv.decimal = ',';
}

/* Names that are numbers, or values of their own columns, all of them: a row of data. */
static iso_status check_header(const iso_scan *f, iso_error *err)
{
	size_t numbers = 0, names = 0;

	for (size_t i = 0; i < f->n; i++) {
		numbers += (size_t)f->g[i].header_is_number;
		names += !f->g[i].header_is_number && !f->g[i].header_is_value;
	}
	ISO_FAIL_IF(
		names == 0 && (numbers > 0 || f->rows > 0), err, ISO_E_DATA,
		"no header (%s:1:1): the first line looks like data (\"%.40s\"%s%.40s%s); put a "
		"line with the names of the columns above it",
		f->path, f->g[0].name, f->n > 1 ? ", \"" : "", f->n > 1 ? f->g[1].name : "",
		f->n > 1 ? "\"" : "");
	ISO_FAIL_IF(f->rows == 0, err, ISO_E_DATA,
		    "nothing to infer from (%s:1:1): the file has a header and no rows; add rows",
		    f->path);
	return ISO_OK;
}

/* Fields of one line between spaces: how many, and how many of them are numbers or in quotes. */
static size_t spaced_fields(const char *p, const char *end, size_t *plain)
{
	size_t n = 0;

	*plain = 0;
	while (p < end) {
		const char *start;

		while (p < end && *p == ' ')
			p++;
		if (p == end || *p == '\r')
			break;
		start = p;
		*plain += isdigit((unsigned char)*p) || *p == '-' || *p == '"';
		if (*p == '"')
			for (p++; p < end && *p != '"'; p += 1 + (*p == '\\'))
				;
		while (p < end && *p != ' ')
			p++;
		n += p > start;
	}
	return n;
}

/* What R's write.table writes without `sep`: the first lines have one number of fields between
 * spaces (the header may lack that of the row names), and most are numbers or in quotes. */
static int is_spaced(const char *text, size_t n)
{
	const char *p = text, *const all = text + n;
	size_t first = 0, lines = 0, plain;

	for (; lines < 5 && p < all; lines++) {
		const char *end = memchr(p, '\n', (size_t)(all - p));
		size_t fields;

		end = end ? end : all;
		if (memchr(p, ',', (size_t)(end - p)) && lines == 0)
			return 0;
		for (const char *q = p; q < end; q++)
			if (lines == 0 && (*q == ';' || *q == '|' || *q == '\t'))
				return 0;
		fields = spaced_fields(p, end, &plain);
		if (lines == 0)
			first = fields;
		else if ((fields != first && fields != first + 1) || 2 * plain <= fields)
			return 0;
		p = end + (end < all);
	}
	return lines > 1 && first > 1;
}

iso_status iso_schema_infer(const char *csv_path, const iso_infer_options *options,
			    iso_schema **out, iso_str *notes, iso_error *err)
{
	static const iso_infer_options guess_all = {0};
	iso_scan f = {.path = strcmp(csv_path, "-") == 0 ? "standard input" : csv_path,
		      .options = options ? options : &guess_all};
	char *text = NULL;
	size_t n = 0;
	iso_status st;

	*out = NULL;
	ISO_TRY(iso_file_read(csv_path, 0, &text, &n, err));
	if (!f.options->csv.separator && is_spaced(text, n)) {
		iso_free(text);
		return iso_fail(err, ISO_E_DATA,
				"no separator (%s:1:1): the fields are separated by spaces; write "
				"the table with commas (write.csv in R) or tabs",
				f.path);
	}
	find_format(&f, text, n);
	st = iso_csv_parse_as(text, n, f.path, &f.csv, on_row, &f, err);
	iso_free(text);
	if (st == ISO_OK)
		st = check_header(&f, err);
	if (st == ISO_OK)
		st = iso_draft_schema(&f, out, notes, err);
	free_scan(&f);
	return st;
}
