// SPDX-License-Identifier: Apache-2.0
/* A table as text: built once, written as HTML, Markdown, CSV and LaTeX. */
#ifndef ISO_REPORTS_TABLES_H
#define ISO_REPORTS_TABLES_H

#include <stdint.h>

#include "reports/aggregate.h"
#include "reports/escape.h"
#include "reports/numbers.h"

typedef struct iso_rcell {
	char *text;  /* owned */
	double sort; /* numeric sort value; NaN = sort by text */
	int strong;  /* in the best group, and not everybody is */
	int flag;    /* an area below one half: see the note */
} iso_rcell;

#define ISO_NO_SETTING SIZE_MAX /* a row that is no setting: ceiling, chance */

typedef struct iso_rtable {
	char *file;	/* stem of its files: "wdbc-utility" */
	char *title;	/* caption */
	size_t dataset; /* index into the aggregate */
	int answer;	/* one of the tables that come first */
	int first;	/* no answer, but stands with them, in front of the figures */
	double epsilon; /* of an answer; NaN otherwise */
	iso_str notes;	/* caveats, one per line */
	iso_str words;	/* of an answer: what was found, one sentence a line */
	size_t ncol, nrow, cap, cap_setting;
	iso_rcell *head; /* [ncol]; sort unused */
	iso_rcell *cell; /* [nrow][ncol] */
	size_t *setting; /* [nrow] or ISO_NO_SETTING */
} iso_rtable;

typedef struct iso_rtables {
	iso_rtable *v;
	size_t n, cap;
} iso_rtables;

/* All tables of a report: per data set the answers (one per epsilon), then one per section. */
iso_status iso_tables_build(const iso_aggregate *a, iso_rtables *out,
			    iso_error *err) ISO_MUST_CHECK;
void iso_tables_free(iso_rtables *t);

/* answer.c: the answers of one data set. */
iso_status iso_answers_build(const iso_aggregate *a, size_t dataset, iso_rtables *out,
			     iso_error *err) ISO_MUST_CHECK;
/* Competition ranks 1, 1, 3, .. of n settings on a name: a setting shares the rank of a better one
 * from which it cannot be told apart (paired over seeds, Holm within the comparison with each
 * leader, 5 %), and whatever lies between the two. rank 0: not measured. */
void iso_rank_settings(const iso_aggregate *a, const size_t *setting, size_t n, size_t name,
		       unsigned *rank);
/* The attack that is strongest on one half of the targets, judged on the other half: mean AUC over
 * the seeds of a setting, NaN without scores; *label names the attack of the first seed (borrowed
 * from its record). */
double iso_strongest_attack(const iso_aggregate *a, size_t setting, const char **label);

/* Building: a new table, a row, the next cell of the last row. */
iso_status iso_rtable_new(iso_rtables *out, const char *file, const char *title, size_t dataset,
			  size_t ncol, iso_rtable **t, iso_error *err) ISO_MUST_CHECK;
iso_status iso_rtable_row(iso_rtable *t, size_t setting, iso_error *err) ISO_MUST_CHECK;
iso_status iso_rcell_set(iso_rcell *c, const char *text, double sort,
			 iso_error *err) ISO_MUST_CHECK;
/* Whether each line of notes is there already. */
void iso_note_add(iso_str *notes, const char *fmt, ...) ISO_PRINTF(2, 3);

void iso_rtable_html(const iso_aggregate *a, const iso_rtable *t, iso_str *out);
void iso_rtable_markdown(const iso_rtable *t, iso_str *out);
void iso_rtable_csv(const iso_rtable *t, iso_str *out);
void iso_rtable_latex(const iso_rtable *t, iso_str *out);
/* Title, words, and the columns that hold more than dashes. */
void iso_rtable_terminal(const iso_rtable *t, iso_str *out);

/* paper.c: tables/paper.tex, one table per data set that fits a column: methods by epsilons, the
 * first headline value. */
iso_status iso_paper_table(const iso_aggregate *a, iso_str *out, iso_error *err) ISO_MUST_CHECK;
/* summary.csv: one wide row per (data set, method, epsilon). */
iso_status iso_summary_csv(const iso_aggregate *a, iso_str *out, iso_error *err) ISO_MUST_CHECK;
/* "dp, verified", "dp, claimed", "refuted", "heuristic", "none"; with ", warning" when an
 * attack exceeds what the budget allows. */
void iso_label_text(const iso_setting *s, char out[64]);

#endif
