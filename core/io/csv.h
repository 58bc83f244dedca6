// SPDX-License-Identifier: Apache-2.0
/* CSV by libcsv: RFC 4180, UTF-8, header first, plain or gzip.  A streaming reader with positions.
 */
#ifndef ISO_IO_CSV_H
#define ISO_IO_CSV_H

#include <stddef.h>

#include "core/base/str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How a file departs from RFC 4180; all zero: it does not. */
typedef struct iso_csv_format {
	char separator; /* 0 = comma; or ; | tab */
	char decimal;	/* 0 = point; or comma: the reader of a table heeds it, fields stay as they
			   are */
	char comment;	/* lines that begin with it are skipped; 0 = none */
	int trim;	/* 1: spaces and tabs around a field do not belong to it */
	int row_names;	/* 1: the header has no name for the first field (R's write.table) */
	int name_first; /* 1: a first column with an empty name is called row_names (pandas) */
} iso_csv_format;
/* Separator, comment lines, row names, and spaces, from the first lines of a text; what is given in
 * `asked` stays.  decimal is left alone. */
void iso_csv_sniff(const char *text, size_t n, const iso_csv_format *asked, iso_csv_format *out);

/* The longest field and the most fields of a row that are read; docs/limits.md. */
#define ISO_CSV_FIELD_MAX ((size_t)1 << 20)
#define ISO_CSV_FIELDS_MAX ((size_t)1 << 24)

/* One row of fields (borrowed, valid during the call); line is 1-based in the uncompressed text,
 * row 0 is the header. */
typedef iso_status (*iso_csv_row_fn)(void *ctx, size_t row, size_t line, char **field,
				     size_t nfield, iso_error *err);
/* Calls fn per row; stops at its first failure.  A row whose field count differs from the header's,
 * an unclosed quote or a zero byte is ISO_E_DATA with file, line, column. */
iso_status iso_csv_read(const char *path, iso_csv_row_fn fn, void *ctx,
			iso_error *err) ISO_MUST_CHECK;
/* The same on text in memory; name is used in errors. */
iso_status iso_csv_parse(const char *text, size_t n, const char *name, iso_csv_row_fn fn, void *ctx,
			 iso_error *err) ISO_MUST_CHECK;
iso_status iso_csv_parse_as(const char *text, size_t n, const char *name,
			    const iso_csv_format *format, iso_csv_row_fn fn, void *ctx,
			    iso_error *err) ISO_MUST_CHECK;
/* Text in pieces that end anywhere: open, feed, close, each row as soon as it is there.  Close
 * frees the stream also after a failure, which it returns when given as `st`. */
typedef struct iso_csv_stream iso_csv_stream;
iso_status iso_csv_open(const char *name, const iso_csv_format *format, iso_csv_row_fn fn,
			void *ctx, iso_csv_stream **out, iso_error *err) ISO_MUST_CHECK;
iso_status iso_csv_feed(iso_csv_stream *s, const char *text, size_t n,
			iso_error *err) ISO_MUST_CHECK;
iso_status iso_csv_close(iso_csv_stream *s, iso_status st, iso_error *err) ISO_MUST_CHECK;
/* Append a field, quoted where needed, then a comma or newline. */
void iso_csv_field(iso_str *out, const char *text, int last);
/* The same in another format (NULL: the usual one). */
void iso_csv_field_as(iso_str *out, const char *text, int last, const iso_csv_format *format);

#ifdef __cplusplus
}
#endif

#endif
