// SPDX-License-Identifier: Apache-2.0
/* The header of a report: what was run, on what, under which promise. */
#ifndef ISO_REPORTS_FACTS_H
#define ISO_REPORTS_FACTS_H

#include "reports/aggregate.h"

typedef struct iso_about {
	cJSON *suite; /* owned; NULL when DIR/suite.json is not there */
	const char *title, *description, *dir;
} iso_about;

iso_status iso_about_read(const char *dir, const iso_records *r, iso_about *out,
			  iso_error *err) ISO_MUST_CHECK;
void iso_about_free(iso_about *a);
typedef void (*iso_fact_fn)(void *ctx, const char *name, const char *value);
/* Calls fn for every fact, in order: plain text. */
void iso_facts(const iso_about *ab, const iso_aggregate *a, iso_fact_fn fn, void *ctx);

#endif
