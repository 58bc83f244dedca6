// SPDX-License-Identifier: Apache-2.0
/* Inside core/data: what a scan of a CSV remembers of each column, and what is made of it. */
#ifndef ISO_DATA_INFER_H
#define ISO_DATA_INFER_H

#include "core/data/date.h"
#include "core/data/schema.h"

#define ISO_INFER_DISTINCT 256 /* a text column with more values is taken for an identifier */
#define ISO_INFER_CLASSES 32   /* a label of at most as many whole values is categorical */

/* The first text that is not what the rest of a column is. */
typedef struct iso_odd {
	char *text; /* owned; NULL = none */
	size_t line, count;
	int several; /* more than one distinct text */
} iso_odd;

typedef struct iso_guess {
	char *name;
	char **value; /* distinct non-missing texts, in order of appearance; owned */
	size_t nvalue, cap;
	int many;      /* more than ISO_INFER_DISTINCT */
	char *code[8]; /* missing codes met, owned */
	size_t ncode;
	size_t count, numbers; /* non-missing values; those that are numbers */
	iso_odd text;	       /* not a number */
	iso_odd exact; /* a number that a double does not give back: digits, leading zeros */
	iso_odd money, percent, thousands;
	iso_odd time; /* a date with a time behind it */
	int whole, increasing, decimals;
	double lo, hi, lo2, hi2, last; /* extremes, and the next ones inwards */
	size_t lo_line, hi_line;
	size_t dates[ISO_DATE_FORMATS];
	double first_date[ISO_DATE_FORMATS], last_date[ISO_DATE_FORMATS];
	int header_is_number, header_is_value; /* the name of the column as a cell */
} iso_guess;

typedef struct iso_scan {
	iso_guess *g; /* [n] owned */
	size_t n, rows;
	const char *path;
	const iso_infer_options *options;
	iso_csv_format csv;
} iso_scan;

/* The draft of what was scanned. */
iso_status iso_draft_schema(iso_scan *f, iso_schema **out, iso_str *notes,
			    iso_error *err) ISO_MUST_CHECK;

#endif
