// SPDX-License-Identifier: Apache-2.0
/* Tables and plots, from records alone (this folder never sees suites or plug-ins).
 *
 * DIR/report/index.html   one self-contained page: sortable tables, inline figures, light and dark,
 * no network DIR/report/report.md    the same tables in Markdown DIR/report/tables/      every
 * table as .csv and .tex (booktabs) DIR/report/figures/     every figure as .svg .pdf .png by
 * gnuplot, with its data (.csv) and script (.gp) beside it
 */
#ifndef ISO_REPORTS_REPORT_H
#define ISO_REPORTS_REPORT_H

#include "core/base/str.h"

enum {
	ISO_REPORT_HTML = 1,
	ISO_REPORT_MARKDOWN = 2,
	ISO_REPORT_CSV = 4,
	ISO_REPORT_LATEX = 8,
	ISO_REPORT_FIGURES = 16,
	ISO_REPORT_ALL = 31
};

typedef struct iso_report_summary {
	size_t records, failed, damaged, tables, figures;
	size_t figures_failed; /* gnuplot refused them; a warning named each */
	int no_gnuplot; /* figures were asked for and gnuplot is missing: data and scripts are
			   written all the same */
} iso_report_summary;

/* Terms KEY=VALUE with KEY of dataset, method, epsilon, value: terms of one key are alternatives,
 * keys are taken together. `value` is a name as in results.csv; privacy and cost always stay. */
typedef struct iso_report_select {
	const char *const *v;
	size_t n;
} iso_report_select;

/* Reads DIR/cells, writes below `out` (NULL: DIR/report).  formats: bits above.  select: NULL for
 * everything. */
iso_status iso_report_write(const char *dir, const char *out, unsigned formats,
			    const iso_report_select *select, iso_report_summary *summary,
			    iso_error *err) ISO_MUST_CHECK;
/* The tables that rank methods, and what they say in sentences, as text for a terminal. */
iso_status iso_report_answers(const char *dir, iso_str *out, iso_error *err) ISO_MUST_CHECK;
/* "html,md,csv,latex,figures" -> bits. */
iso_status iso_report_formats(const char *text, unsigned *formats, iso_error *err) ISO_MUST_CHECK;

#endif
