// SPDX-License-Identifier: Apache-2.0
/* The PUBLIC description of a data set: types, bounds, closed category lists.  Nothing here may
 * come from private rows; what `schema infer` learned from data is marked and every result built on
 * it carries the caveat.
 *
 * JSON:  {"name": "adult", "title": "..", "columns": [
 *   {"name": "age", "type": "integer", "role": "feature", "bounds": [0, 120], "missing": ["?"],
 * "learned": false},
 *   {"name": "sex", "type": "binary", "categories": ["Female", "Male"]},
 *   {"name": "seen", "type": "date", "format": "YYYY-MM-DD", "bounds": ["2019-01-01",
 * "2021-12-31"]},
 *   {"name": "image", "type": "pixel", "shape": [28, 28]},          or [height, width, channels]
 *   {"name": "stay", "type": "sequence", "shape": [24], "length": "variable", "variables": [
 *     {"name": "pulse", "type": "continuous", "bounds": [20, 250]},
 *     {"name": "ward", "type": "categorical", "categories": ["A", "B"]}]},
 *   {"name": "hospital", "role": "client", "categories": ["north", "south"]},
 *   {"name": "income", "type": "binary", "role": "label", "categories": ["<=50K", ">50K"],
 * "positive": ">50K"}]}
 */
#ifndef ISO_DATA_SCHEMA_H
#define ISO_DATA_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

#include "core/io/csv.h"
#include "core/io/json.h"

#ifdef __cplusplus
extern "C" {
#endif

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
	 * step.  With "variables", the columns are NAME_VARIABLE_STEP, step after step, each of its
	 * variable's own type.  All of them have `sequence` set. */
	ISO_SEQUENCE,
	/* an image of "shape": [height, width] or [height, width, channels], bytes 0..255, the
	 * channels of a pixel side by side */
	ISO_PIXEL,
	ISO_DATE /* whole days since 1970-01-01; "format", and bounds as texts of that format */
} iso_type;
/* Ids and clients are read and then dropped: they are no part of what a generator models or makes.
 * A client column says whose record it is; its categories are the public list of clients. */
typedef enum iso_role { ISO_FEATURE, ISO_LABEL, ISO_ID, ISO_CLIENT } iso_role;

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
	size_t offset;	 /* PIXEL: first byte of this column in a row of iso_table.pixels; SEQUENCE:
			    the step */
	int positive;	 /* label: index of the positive category, -1 = none named */
	int learned;	 /* 1: bounds or categories were read off data */
	size_t channels; /* PIXEL: 1 unless the shape has a third number */
	size_t sequence; /* step of schema->sequence[sequence - 1]; 0 = of none */
	size_t step;	 /* of a sequence */
	int date_format; /* DATE: an iso_date_format */
	/* 0: a value outside the domain is an error.  Otherwise a number is rounded and clipped to
	 * the bounds (a text is the middle of them), and a category that is not listed becomes
	 * category[outside - 1].  Each cell by itself, so that a record changes its own row only.
	 */
	size_t outside;
} iso_column;

/* What `schema infer --private` paid: `count` releases, each (epsilon, delta)-private. */
typedef struct iso_schema_cost {
	size_t count;
	double epsilon, delta;
} iso_schema_cost;
typedef struct iso_schema_release {
	double epsilon, delta;		/* of all together */
	int replace_one;		/* the adjacency; 0 = add-remove */
	int seeded;			/* 1: whoever knows the seed can recompute the noise */
	iso_schema_cost types, columns; /* columns.count 0: no such release */
} iso_schema_release;

/* Columns first .. first + steps * variables - 1, step after step. */
typedef struct iso_series {
	char *name; /* owned */
	size_t first, steps, variables;
	/* 1: a row may end early.  The cells of the steps behind its end are missing, and no other
	 * cell of it is; every row has at least one step. */
	int variable_length;
	char **variable; /* [variables] names, owned; NULL: one variable without a name */
} iso_series;

typedef struct iso_schema {
	char *name, *title;
	iso_csv_format csv; /* of the files under this schema */
	iso_column *column;
	size_t ncol;
	int label;     /* index of THE label column (the first with role label), -1 = none */
	int client;    /* index of the column with role client, -1 = none */
	size_t npixel; /* bytes per row of all pixel columns */
	iso_series *sequence;
	size_t nsequence;
	int learned; /* any column learned */
	/* Bounds and categories were estimated privately from the rows of the data set: every
	 * training under this schema has to pay for it. */
	iso_schema_release release;
} iso_schema;

/* Private rows under a schema that was estimated from them: {"private": {"epsilon": 0.5, "delta":
 * 1e-6, "adjacency": "add-remove", "types": {"count": 3, "epsilon": 0.02}, "columns": {"count": 3,
 * "epsilon": 0.14, "delta": 1e-7}}} */
iso_status iso_schema_from_json(const cJSON *v, const char *where, iso_schema **out,
				iso_error *err) ISO_MUST_CHECK;
iso_status iso_schema_read(const char *path, iso_schema **out, iso_error *err) ISO_MUST_CHECK;
iso_status iso_schema_to_json(const iso_schema *s, cJSON **out, iso_error *err) ISO_MUST_CHECK;
void iso_schema_free(iso_schema *s);
/* What a user tells a draft; all zero: everything is guessed. */
typedef struct iso_infer_options {
	iso_csv_format csv;
	const char *const *missing; /* [nmissing] codes that mean missing, beside the usual ones */
	size_t nmissing;
	const char *label; /* NULL: guessed from the name of a column */
} iso_infer_options;
/* Draft from a CSV ("-" = standard input): types guessed, bounds and categories marked learned.
 * Every guess that could be another one is a line in notes (NULL: not wanted). */
iso_status iso_schema_infer(const char *csv_path, const iso_infer_options *options,
			    iso_schema **out, iso_str *notes, iso_error *err) ISO_MUST_CHECK;
int iso_names_label(const char *name); /* 1: a usual name of a column to predict */
int iso_schema_find(const iso_schema *s, const char *name); /* index or -1 */
#define ISO_TYPES ((size_t)ISO_DATE + 1)
#define ISO_ROLES ((size_t)ISO_CLIENT + 1)
extern const char *const iso_type_names[ISO_TYPES], *const iso_role_names[ISO_ROLES];
const char *iso_type_name(iso_type t);
const char *iso_role_name(iso_role r);
int iso_is_discrete(const iso_column *c);      /* categorical, ordinal or binary */
int iso_is_whole(const iso_column *c);	       /* integer, date or pixel: whole numbers only */
int iso_is_dropped(const iso_column *c);       /* role id or client */
size_t iso_column_pixels(const iso_column *c); /* bytes of an image, 0 of any other column */
/* Steps of one row of a variable-length sequence: the cells (one row of a table) up to the first
 * step that is missing; `steps` of a sequence of fixed length. */
size_t iso_sequence_length(const iso_series *q, const double *cells);
/* NULL if a row obeys its variable-length sequences; else what is wrong ("is empty", "has a gap"),
 * with the name of the sequence and the step. */
const char *iso_sequences_fault(const iso_schema *s, const double *cells, const char **name,
				size_t *step);
/* Makes a row obey its variable-length sequences: what is behind the first missing step goes, and a
 * missing first step gets the middle of its bounds or its first category. */
void iso_sequences_settle(const iso_schema *s, double *cells);
/* Number of classes of the label (0 without a discrete label). */
size_t iso_schema_classes(const iso_schema *s);

#ifdef __cplusplus
}
#endif

#endif
