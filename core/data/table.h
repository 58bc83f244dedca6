// SPDX-License-Identifier: Apache-2.0
/* A table of records under a schema. Role id columns are read and dropped (cells hold NaN for
 * them). */
#ifndef ISO_DATA_TABLE_H
#define ISO_DATA_TABLE_H

#include "core/data/schema.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_table {
	const iso_schema *schema; /* borrowed, outlives the table */
	size_t n;
	double *cells; /* [n][ncol] category index or value; missing = NaN; pixel columns: 0. Owned.
			*/
	uint8_t *pixels; /* [n][npixel], NULL without pixel columns.  Owned. */
	uint64_t *id;	 /* [n] identity of each record, stable under removal of others.  Owned. */
	/* federated data: the client of each row, 0..nclient-1, [n]; NULL and 0 where no column
	 * has the role client and iso_partition_make dealt none.  Owned. */
	uint32_t *client;
	size_t nclient; /* public: the number of clients, also of those without a row here */
} iso_table;

iso_status iso_table_new(const iso_schema *s, size_t n, iso_table **out,
			 iso_error *err) ISO_MUST_CHECK; /* ids 0..n-1 */
void iso_table_free(iso_table *t);
/* Row `r` of `from` becomes row `at` of `to` (which may be the same table): cells, pixels and
 * client, under one schema.  The identity of the row `at` stays what it is. */
void iso_table_copy_row(const iso_table *from, size_t r, iso_table *to, size_t at);
/* Every row a client of `nclient`, all 0 at first; does nothing where the table has clients. */
iso_status iso_table_add_clients(iso_table *t, size_t nclient, iso_error *err) ISO_MUST_CHECK;
/* New table with the given rows of t, ids kept. */
iso_status iso_table_select(const iso_table *t, const uint32_t *row, size_t n, iso_table **out,
			    iso_error *err) ISO_MUST_CHECK;
/* The rows of a, then those of b; with clients where both have them. */
iso_status iso_table_concat(const iso_table *a, const iso_table *b, iso_table **out,
			    iso_error *err) ISO_MUST_CHECK;
/* CSV in (header must name every schema column, in any order; unknown columns are errors with a
 * suggestion) and out (ids and clients are left out; pixels expand to NAME_0, NAME_1, ...; missing
 * = the first missing code or empty). Values outside the schema: ISO_E_DATA with file, line, column
 * number, column name, value and what is allowed. */
iso_status iso_table_read_csv(const char *path, const iso_schema *s, iso_table **out,
			      iso_error *err) ISO_MUST_CHECK;
iso_status iso_table_parse_csv(const char *text, size_t n, const char *name, const iso_schema *s,
			       iso_table **out, iso_error *err) ISO_MUST_CHECK;
iso_status iso_table_to_csv(const iso_table *t, iso_str *out, iso_error *err) ISO_MUST_CHECK;
/* Every cell inside its column's domain (NaN only where missing is allowed); ISO_E_DATA names the
 * first that is not. */
iso_status iso_table_check(const iso_table *t, iso_error *err) ISO_MUST_CHECK;
/* SHA-256 (hex) over schema and cells: the data hash of records. */
iso_status iso_table_hash(const iso_table *t, char hex[65], iso_error *err) ISO_MUST_CHECK;
/* Row r's label index; (size_t)-1 if missing. */
size_t iso_table_label(const iso_table *t, size_t r);
/* A decimal number: strtod's hexadecimal, infinities, NaN and leading spaces are refused.  decimal:
 * ',' for decimal commas (then a point is refused), else 0. */
int iso_number_read(const char *text, char decimal, double *x);
/* A bound or value of a numeric column as the CSV has it. */
void iso_bound_text(const iso_column *c, double x, char text[32]);
double iso_table_cell(const iso_table *t, size_t r, size_t c);

#ifdef __cplusplus
}
#endif

#endif
