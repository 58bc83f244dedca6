// SPDX-License-Identifier: Apache-2.0
/* Positions in errors are FILE:LINE:FIELD, line and field from 1. libcsv splits the text; it is fed
 * one physical line at a time, so that the line of every callback is known. */
#include "core/io/csv.h"

#include <csv.h>
#include <stdint.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/io/file.h"

typedef struct iso_csv_stream {
	struct csv_parser parser;
	const char *name;
	const iso_csv_format *format;
	iso_csv_row_fn fn;
	void *ctx;
	iso_error *err;
	iso_status st;
	size_t line, row_line;	   /* of the byte being fed; of the first byte of the row */
	size_t row, nfield, width; /* rows done; fields of this row; fields of the header */
	char *text;		   /* the row's fields, each with its terminator */
	size_t used, text_cap;
	size_t *start; /* [nfield] offsets in text */
	size_t start_cap;
	char **field;
	size_t field_cap;
	char *line_text; /* a line whose end has not come yet */
	size_t line_used, line_cap;
	int begun; /* a byte order mark would have been seen */
} iso_csv_stream;

typedef iso_csv_stream reader;

/* Length of the valid UTF-8 sequence at p, 0 if it is none (Unicode 15, table 3-7). */
static size_t utf8_length(const unsigned char *p, size_t n)
{
	size_t more = p[0] < 0x80		     ? 0
		      : p[0] >= 0xc2 && p[0] < 0xe0  ? 1
		      : (p[0] & 0xf0) == 0xe0	     ? 2
		      : p[0] >= 0xf0 && p[0] <= 0xf4 ? 3
						     : 9;

	if (more >= n)
		return 0;
	for (size_t i = 1; i <= more; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return more + 1;
}

static int is_utf8(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t step = utf8_length(p + i, n - i);

		if (!step)
			return 0;
		i += step;
	}
	return 1;
}

static void on_field(void *data, size_t n, void *ctx)
{
	reader *r = ctx;

	if (r->st != ISO_OK)
		return;
	if (n > ISO_CSV_FIELD_MAX || r->nfield >= ISO_CSV_FIELDS_MAX) {
		r->st = iso_fail(r->err, ISO_E_DATA,
				 "too large (%s:%zu:%zu): %s; see docs/limits.md", r->name, r->line,
				 r->nfield + 1,
				 n > ISO_CSV_FIELD_MAX ? "a field of more than 1 MiB"
						       : "a row of more than 2^24 fields");
		return;
	}
	if (n && memchr(data, 0, n)) {
		r->st = iso_fail(r->err, ISO_E_DATA,
				 "malformed CSV (%s:%zu:%zu): a zero byte in the field; save the "
				 "file as UTF-8 text",
				 r->name, r->line, r->nfield + 1);
		return;
	}
	if (n && !is_utf8(data, n)) {
		r->st = iso_fail(
			r->err, ISO_E_DATA,
			"malformed CSV (%s:%zu:%zu): the field is not UTF-8; convert the file",
			r->name, r->line, r->nfield + 1);
		return;
	}
	r->st = iso_grow(&r->text, &r->text_cap, r->used + n + 1, 1, r->err);
	if (r->st == ISO_OK)
		r->st = iso_grow(&r->start, &r->start_cap, r->nfield + 1, sizeof(*r->start),
				 r->err);
	if (r->st != ISO_OK)
		return;
	if (n)
		memcpy(r->text + r->used, data, n);
	r->text[r->used + n] = 0;
	r->start[r->nfield++] = r->used;
	r->used += n + 1;
}

/* Offsets of the header's fields; the first gets the name "row_names" if it has none. */
static iso_status name_first(reader *r)
{
	static const char name[] = "row_names";
	const int insert = r->format->row_names;

	if (!insert && (!r->format->name_first || r->nfield < 2 || r->text[r->start[0]]))
		return ISO_OK;
	ISO_TRY(iso_grow(&r->text, &r->text_cap, r->used + sizeof(name), 1, r->err));
	ISO_TRY(iso_grow(&r->start, &r->start_cap, r->nfield + 1, sizeof(*r->start), r->err));
	memcpy(r->text + r->used, name, sizeof(name));
	if (insert) {
		memmove(r->start + 1, r->start, r->nfield * sizeof(*r->start));
		r->nfield++;
	}
	r->start[0] = r->used;
	return ISO_OK;
}

static void on_row(int terminator, void *ctx)
{
	reader *r = ctx;

	(void)terminator;
	if (r->st != ISO_OK)
		return;
	if (r->row == 0) {
		r->st = name_first(r);
		r->width = r->nfield;
	}
	if (r->st != ISO_OK)
		return;
	if (r->nfield != r->width) {
		size_t at = (r->nfield < r->width ? r->nfield : r->width) + (r->nfield > r->width);

		r->st = iso_fail(
			r->err, ISO_E_DATA,
			"ragged CSV row (%s:%zu:%zu): %zu fields, the header has %zu; "
			"correct the row, quote its separators, or give the separator of the "
			"file",
			r->name, r->row_line, at, r->nfield, r->width);
		return;
	}
	r->st = iso_grow(&r->field, &r->field_cap, r->nfield + 1, sizeof(*r->field), r->err);
	if (r->st != ISO_OK)
		return;
	for (size_t i = 0; i < r->nfield; i++)
		r->field[i] = r->text + r->start[i];
	r->st = r->fn(r->ctx, r->row, r->row_line, r->field, r->nfield, r->err);
	r->row++;
	r->nfield = r->used = 0;
}

/* Spaces belong to the field (RFC 4180 section 2.4), so none is stripped. */
static int no_space(unsigned char c)
{
	(void)c;
	return 0;
}

static iso_status parse_error(reader *r)
{
	int code = csv_error(&r->parser);

	if (r->st != ISO_OK)
		return r->st;
	if (code == CSV_ENOMEM || code == CSV_ETOOBIG)
		return iso_no_memory(r->err, "a CSV field");
	return iso_fail(r->err, ISO_E_DATA,
			"malformed CSV (%s:%zu:%zu): a quote inside an unquoted field or text "
			"after a closing quote; quote the "
			"whole field and double the quotes in it",
			r->name, r->line, r->nfield + 1);
}

/* Whole lines, but for the last of the text. */
static iso_status feed(reader *r, const char *text, size_t n)
{
	for (size_t at = 0; at < n;) {
		const char *end = memchr(text + at, '\n', n - at);
		size_t len = end ? (size_t)(end - (text + at)) + 1 : n - at;

		r->line++;
		if (r->nfield == 0 && !r->parser.pstate) {
			r->row_line = r->line;
			if (r->format->comment && text[at] == r->format->comment) {
				at += len;
				continue;
			}
		}
		if (r->parser.entry_pos > ISO_CSV_FIELD_MAX)
			on_field(NULL, r->parser.entry_pos, r);
		if (csv_parse(&r->parser, text + at, len, on_field, on_row, r) != len)
			return parse_error(r);
		if (r->st != ISO_OK)
			return r->st;
		at += len;
	}
	return ISO_OK;
}

static iso_status finish(reader *r)
{
	if (csv_fini(&r->parser, on_field, on_row, r) != 0 && r->st == ISO_OK)
		return csv_error(&r->parser) == CSV_EPARSE
			       ? iso_fail(r->err, ISO_E_DATA,
					  "malformed CSV (%s:%zu:%zu): the quote opened in this "
					  "row is never closed; close it",
					  r->name, r->row_line, r->nfield + 1)
			       : parse_error(r);
	if (r->st == ISO_OK && r->row == 0)
		return iso_fail(
			r->err, ISO_E_DATA,
			"empty CSV file (%s:1:1): no header row; add one with the column names",
			r->name);
	return r->st;
}

/* Behind the byte order mark, if there is one. */
static const char *skip_mark(const char *text, size_t *n)
{
	const size_t mark = *n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	*n -= mark;
	return text + mark;
}

iso_status iso_csv_open(const char *name, const iso_csv_format *format, iso_csv_row_fn fn,
			void *ctx, iso_csv_stream **out, iso_error *err)
{
	reader *r = iso_alloc(1, sizeof(*r));

	*out = NULL;
	if (!r)
		return iso_no_memory(err, "the CSV reader");
	*r = (reader){.name = name, .format = format, .fn = fn, .ctx = ctx, .err = err};
	if (csv_init(&r->parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
		iso_free(r);
		return iso_no_memory(err, "the CSV reader");
	}
	if (!format->trim)
		csv_set_space_func(&r->parser, no_space);
	if (format->separator)
		csv_set_delim(&r->parser, (unsigned char)format->separator);
	*out = r;
	return ISO_OK;
}

static iso_status keep_line(reader *r, const char *text, size_t n)
{
	ISO_TRY(iso_grow(&r->line_text, &r->line_cap, r->line_used + n + 1, 1, r->err));
	memcpy(r->line_text + r->line_used, text, n);
	r->line_used += n;
	return ISO_OK;
}

/* The kept line, now complete. */
static iso_status feed_kept(reader *r)
{
	const char *text = r->line_text;
	size_t n = r->line_used;

	if (!r->begun)
		text = skip_mark(text, &n);
	r->begun = 1;
	r->line_used = 0;
	return feed(r, text, n);
}

iso_status iso_csv_feed(iso_csv_stream *r, const char *text, size_t n, iso_error *err)
{
	const char *end = n ? memchr(text, '\n', n) : NULL, *last;

	r->err = err;
	if (!end)
		return n ? keep_line(r, text, n) : ISO_OK;
	if (r->line_used || !r->begun) {
		const size_t len = (size_t)(end - text) + 1;

		ISO_TRY(keep_line(r, text, len));
		ISO_TRY(feed_kept(r));
		text += len;
		n -= len;
	}
	last = n ? memrchr(text, '\n', n) : NULL;
	if (last) {
		const size_t len = (size_t)(last - text) + 1;

		ISO_TRY(feed(r, text, len));
		text += len;
		n -= len;
	}
	return n ? keep_line(r, text, n) : ISO_OK;
}

iso_status iso_csv_close(iso_csv_stream *r, iso_status st, iso_error *err)
{
	r->err = err;
	if (st == ISO_OK && r->line_used)
		st = feed_kept(r);
	if (st == ISO_OK)
		st = finish(r);
	csv_free(&r->parser);
	iso_free(r->text);
	iso_free(r->start);
	iso_free(r->field);
	iso_free(r->line_text);
	iso_free(r);
	return st;
}

iso_status iso_csv_parse(const char *text, size_t n, const char *name, iso_csv_row_fn fn, void *ctx,
			 iso_error *err)
{
	return iso_csv_parse_as(text, n, name, &(iso_csv_format){0}, fn, ctx, err);
}

iso_status iso_csv_parse_as(const char *text, size_t n, const char *name,
			    const iso_csv_format *format, iso_csv_row_fn fn, void *ctx,
			    iso_error *err)
{
	iso_csv_stream *r;

	ISO_TRY(iso_csv_open(name, format, fn, ctx, &r, err));
	text = skip_mark(text, &n);
	r->begun = 1;
	return iso_csv_close(r, feed(r, text, n), err);
}

static iso_status feed_piece(void *ctx, const char *piece, size_t n, iso_error *err)
{
	return iso_csv_feed(ctx, piece, n, err);
}

iso_status iso_csv_read(const char *path, iso_csv_row_fn fn, void *ctx, iso_error *err)
{
	static const iso_csv_format usual = {0};
	iso_csv_stream *r;

	ISO_TRY(iso_csv_open(path, &usual, fn, ctx, &r, err));
	return iso_csv_close(r, iso_file_stream(path, 0, feed_piece, r, err), err);
}

void iso_csv_field(iso_str *out, const char *text, int last)
{
	iso_csv_field_as(out, text, last, NULL);
}

/* A row of one empty field would be a blank line, which readers skip; a byte order mark at the
 * start, too; and what the format takes off a field must be quoted. */
static int needs_quotes(const iso_str *out, const char *text, int last, const iso_csv_format *f)
{
	const int first = out->n == 0 || out->p[out->n - 1] == '\n';
	const char special[] = {f && f->separator ? f->separator : ',', '"', '\r', '\n', 0};
	const size_t n = strlen(text);

	return text[strcspn(text, special)] || (first && last && !*text) ||
	       (out->n == 0 && (unsigned char)*text == 0xef) ||
	       (f && f->comment && first && *text == f->comment) ||
	       (f && f->trim && n && (strchr(" \t", text[0]) || strchr(" \t", text[n - 1])));
}

void iso_csv_field_as(iso_str *out, const char *text, int last, const iso_csv_format *f)
{
	const char separator = f && f->separator ? f->separator : ',';

	if (needs_quotes(out, text, last, f)) {
		iso_str_add(out, "\"");
		for (const char *p = text; *p; p++)
			iso_str_addn(out, *p == '"' ? "\"\"" : p, *p == '"' ? 2 : 1);
		iso_str_add(out, "\"");
	} else {
		iso_str_add(out, text);
	}
	iso_str_addn(out, last ? "\n" : &separator, 1);
}
