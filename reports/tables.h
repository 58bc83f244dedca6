// SPDX-License-Identifier: Apache-2.0
/* A table as text: built once, written as HTML, Markdown, CSV and LaTeX. */
#ifndef ISO_REPORTS_TABLES_H
#define ISO_REPORTS_TABLES_H

#include "reports/aggregate.h"
#include "reports/escape.h"

typedef struct iso_rcell {
	char *text;  /* owned */
	double sort; /* numeric sort value; NaN = sort by text */
} iso_rcell;

typedef struct iso_rtable {
	char *file; /* stem of its files: "wdbc-utility" */
	char *title;
	size_t dataset; /* index into the aggregate */
	iso_str notes;	/* caveats, one per line */
	size_t ncol, nrow, cap;
	iso_rcell *head; /* [ncol]; sort unused */
	iso_rcell *cell; /* [nrow][ncol] */
} iso_rtable;

typedef struct iso_rtables {
	iso_rtable *v;
	size_t n, cap;
} iso_rtables;

/* All tables of a report: per data set an overview, then utility, fidelity, attacks, privacy, cost.
 */
iso_status iso_tables_build(const iso_aggregate *a, iso_rtables *out,
			    iso_error *err) ISO_MUST_CHECK;
void iso_tables_free(iso_rtables *t);

void iso_rtable_html(const iso_rtable *t, iso_str *out);
void iso_rtable_markdown(const iso_rtable *t, iso_str *out);
void iso_rtable_csv(const iso_rtable *t, iso_str *out);
void iso_rtable_latex(const iso_rtable *t, iso_str *out);
/* "1", "9.6", "inf". */
void iso_epsilon_text(double epsilon, char out[32]);

#endif
