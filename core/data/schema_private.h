// SPDX-License-Identifier: Apache-2.0
/* Inside core/data: pieces of reading and writing a schema. */
#ifndef ISO_DATA_SCHEMA_PRIVATE_H
#define ISO_DATA_SCHEMA_PRIVATE_H

#include "core/data/schema.h"

/* The object "csv" of a schema (NULL: the usual format), and back (nothing for the usual one). */
iso_status iso_csv_format_read(const cJSON *v, const char *where, iso_csv_format *out,
			       iso_error *err) ISO_MUST_CHECK;
int iso_csv_format_write(cJSON *schema, const iso_csv_format *f);
/* "format" of a date column, and its bounds, which are texts. */
iso_status iso_date_column_read(const cJSON *v, iso_column *c, const char *where,
				iso_error *err) ISO_MUST_CHECK;
/* "private" of a schema (NULL: none; *out is then all zero), and back. */
iso_status iso_schema_release_read(const cJSON *v, iso_schema_release *out, const char *where,
				   iso_error *err) ISO_MUST_CHECK;
int iso_schema_release_write(cJSON *schema, const iso_schema_release *r);
/* "outside" of a column whose domain is read, and back; and the value it stands for. */
iso_status iso_outside_read(const cJSON *v, iso_column *c, const char *where,
			    iso_error *err) ISO_MUST_CHECK;
int iso_outside_write(cJSON *column, const iso_column *c);
double iso_outside_value(const iso_column *c, int is_number, double x);

#endif
