// SPDX-License-Identifier: Apache-2.0
/* The PUBLIC description of a data set: types, bounds, closed category lists.  Nothing here may
 * come from private rows; what `schema infer` learned from data is marked and every result built on
 * it carries the caveat.
 *
 * JSON:  {"name": "adult", "title": "..", "columns": [
 *   {"name": "age", "type": "integer", "role": "feature", "bounds": [0, 120], "missing": ["?"],
 * "learned": false},
 *   {"name": "sex", "type": "binary", "categories": ["Female", "Male"]},
 *   {"name": "image", "type": "pixel", "shape": [28, 28]},
 *   {"name": "income", "type": "binary", "role": "label", "categories": ["<=50K", ">50K"],
 * "positive": ">50K"}]}
 */
#ifndef ISO_DATA_SCHEMA_H
#define ISO_DATA_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

#include "core/io/json.h"

typedef enum iso_type {
	ISO_CONTINUOUS,	 /* bounds */
	ISO_INTEGER,	 /* bounds */
	ISO_CATEGORICAL, /* categories */
	ISO_ORDINAL,	 /* categories in order */
	ISO_BINARY,	 /* two categories */
	ISO_LATITUDE,	 /* continuous in [-90, 90] unless bounded tighter */
	ISO_LONGITUDE,	 /* continuous in [-180, 180] */
	/* "shape": [steps], bounds: the JSON's one column NAME becomes `steps` columns NAME_0,
	 * NAME_1, ... of this type, each an ordinary continuous one; width = steps, offset = the
	 * step */
	ISO_SEQUENCE,
	ISO_PIXEL /* an image of "shape": [height, width], bytes 0..255 */
} iso_type;
typedef enum iso_role { ISO_FEATURE, ISO_LABEL, ISO_ID } iso_role;

typedef struct iso_column {
	char *name; /* owned by the schema, as all below */
	iso_type type;
	iso_role role;
	double lo, hi; /* public bounds of numeric columns */
	char **category;
	size_t ncategory;
	char **missing; /* codes that mean "missing" */
	size_t nmissing;
	int decimals;	      /* of printed continuous values; -1 = as many as needed */
	size_t width, height; /* PIXEL and SEQUENCE: shape */
	size_t offset; /* PIXEL: first byte of this column in a row of iso_table.pixels; SEQUENCE:
			  the step */
	int positive;  /* label: index of the positive category, -1 = none named */
	int learned;   /* 1: bounds or categories were read off data */
} iso_column;

typedef struct iso_schema {
	char *name, *title;
	iso_column *column;
	size_t ncol;
	int label;     /* index of THE label column (the first with role label), -1 = none */
	size_t npixel; /* bytes per row of all pixel columns */
	int learned;   /* any column learned */
} iso_schema;

iso_status iso_schema_from_json(const cJSON *v, const char *where, iso_schema **out,
				iso_error *err) ISO_MUST_CHECK;
iso_status iso_schema_read(const char *path, iso_schema **out, iso_error *err) ISO_MUST_CHECK;
iso_status iso_schema_to_json(const iso_schema *s, cJSON **out, iso_error *err) ISO_MUST_CHECK;
void iso_schema_free(iso_schema *s);
/* Draft from a CSV: types guessed, bounds and categories marked learned. */
iso_status iso_schema_infer(const char *csv_path, iso_schema **out, iso_error *err) ISO_MUST_CHECK;
int iso_schema_find(const iso_schema *s, const char *name); /* index or -1 */
const char *iso_type_name(iso_type t);
int iso_is_discrete(const iso_column *c); /* categorical, ordinal or binary */
/* Number of classes of the label (0 without a discrete label). */
size_t iso_schema_classes(const iso_schema *s);

#endif
