// SPDX-License-Identifier: Apache-2.0
/* CSV by libcsv: RFC 4180, UTF-8, header first, plain or gzip.  A streaming reader with positions.
 */
#ifndef ISO_IO_CSV_H
#define ISO_IO_CSV_H

#include <stddef.h>

#include "core/base/str.h"

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
/* Append a field, quoted where needed, then a comma or newline. */
void iso_csv_field(iso_str *out, const char *text, int last);

#endif
