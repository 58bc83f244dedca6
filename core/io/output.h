// SPDX-License-Identifier: Apache-2.0
/* What a metric or a game measures, declared before it measures: from these tables alone records,
 * results.csv, tables, figures and pages are made. */
#ifndef ISO_IO_OUTPUT_H
#define ISO_IO_OUTPUT_H

#include "core/io/jsonw.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum iso_direction { ISO_HIGHER, ISO_LOWER, ISO_NEITHER } iso_direction;

typedef struct iso_output {
	const char *key;   /* NULL ends the table; "lr.auroc_micro" */
	const char *title; /* for a table head: "LR AUROC (micro)" */
	const char *unit;  /* "share", "nats", "" */
	iso_direction direction;
	double lo, hi;	    /* possible range */
	double ideal;	    /* value for perfect synthetic data; NaN = none */
	const char *caveat; /* printed under any table that shows it; NULL = none */
	/* The table of the page that shows it: "utility", "fidelity", "validity", "attacks", or a
	 * word of its own. NULL: "fidelity" for a metric, "attacks" for a game. */
	const char *section;
	int headline;	  /* 1: methods are ranked on it, and it has figures of its own */
	const char *real; /* key of the output that is the same value for the real training rows
			   * (the ceiling of this one), or NULL */
	double chance;	  /* value of a guess that knows nothing; 0 = none */
} iso_output;

/* "higher", "lower", "neither". */
const char *iso_direction_name(iso_direction d);
/* Adds title, unit, direction, section, headline, range, ideal, chance and real of `o` to a
 * record's value; `section` where the output names none. */
void iso_output_json(iso_jsonw *w, cJSON *value, const iso_output *o, const char *section);

#ifdef __cplusplus
}
#endif

#endif
