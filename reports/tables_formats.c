// SPDX-License-Identifier: Apache-2.0
/* One table in four formats. */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/io/csv.h"
#include "reports/tables.h"

/* Notes hold one caveat a line: calls for each. */
static void each_line(const char *p, iso_str *out, const char *before, const char *after,
		      void (*escape)(const char *text, iso_str *out))
{
	while (p && *p) {
		const char *end = strchr(p, '\n');
		size_t n = end ? (size_t)(end - p) : strlen(p);
		iso_str line = {0};

		iso_str_addn(&line, p, n);
		iso_str_add(out, before);
		if (line.p)
			escape(line.p, out);
		iso_str_add(out, after);
		out->failed |= line.failed;
		iso_str_free(&line);
		p = end ? end + 1 : NULL;
	}
}

static int is_numeric(const iso_rtable *t, size_t column)
{
	for (size_t i = 0; i < t->nrow; i++)
		if (!isnan(t->cell[i * t->ncol + column].sort))
			return 1;
	return 0;
}

static void html_row(const iso_aggregate *a, const iso_rtable *t, size_t i, iso_str *out)
{
	const size_t s = t->setting[i];
	const size_t name = t->answer ? 1 : 0; /* the column that heads the row */

	if (s == ISO_NO_SETTING) {
		iso_str_add(out, "<tr class=\"ref\">");
	} else {
		char eps[32];

		iso_epsilon_text(a->setting[s].epsilon, eps);
		iso_str_addf(out, "<tr data-m=\"%zu\" data-e=\"%s\"%s>", a->setting[s].method, eps,
			     *a->setting[s].control ? " class=\"ref\"" : "");
	}
	for (size_t j = 0; j < t->ncol; j++) {
		const iso_rcell *c = &t->cell[i * t->ncol + j];

		iso_str_add(out, j == name ? "<th scope=\"row\"" : "<td");
		if (isinf(c->sort))
			iso_str_addf(out, " class=\"n\" data-v=\"%s1e308\">",
				     c->sort < 0 ? "-" : "");
		else if (!isnan(c->sort))
			iso_str_addf(out, " class=\"n%s\" data-v=\"%.9g\">",
				     c->strong ? " best" : "", c->sort);
		else
			iso_str_add(out, is_numeric(t, j) ? " class=\"n\">" : ">");
		if (j == name && s != ISO_NO_SETTING) {
			iso_str_addf(out, "<a href=\"#s%zu\" tabindex=\"-1\">", s);
			iso_html_escape(c->text, out);
			iso_str_add(out, "</a></th>");
			continue;
		}
		iso_html_escape(c->text, out);
		iso_str_add(out, c->flag ? "<abbr title=\"below chance\">!</abbr>" : "");
		iso_str_add(out, j == name ? "</th>" : "</td>");
	}
	iso_str_add(out, "</tr>\n");
}

void iso_rtable_html(const iso_aggregate *a, const iso_rtable *t, iso_str *out)
{
	char eps[32];

	iso_epsilon_text(t->epsilon, eps);
	iso_str_addf(out, "<section class=\"%s\" data-e=\"%s\" id=\"",
		     t->answer ? "answer" : "part", eps);
	iso_html_escape(t->file, out);
	iso_str_add(out, "\">\n");
	if (t->words.n) {
		iso_str_add(out, "<ul class=\"words\">\n");
		each_line(t->words.p, out, "<li>", "</li>\n", iso_html_escape_long);
		iso_str_add(out, "</ul>\n");
	}
	iso_str_addf(out, "\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
			  "aria-label=\"");
	iso_html_escape(t->title, out);
	iso_str_addf(out, "\"><table class=\"sortable%s\"><caption>",
		     t->answer ? " lead2 answer" : "");
	iso_html_escape(t->title, out);
	iso_str_add(out, "</caption><thead><tr>");
	for (size_t j = 0; j < t->ncol; j++) {
		iso_str_addf(out, "<th scope=\"col\"%s><button type=\"button\" tabindex=\"-1\">",
			     is_numeric(t, j) ? " class=\"n\"" : "");
		iso_html_escape(t->head[j].text, out);
		iso_str_add(out, "</button></th>");
	}
	iso_str_add(out, "</tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < t->nrow; i++)
		html_row(a, t, i, out);
	iso_str_add(out, "</tbody></table></div>\n");
	each_line(t->notes.p, out, "<p class=\"note\">", "</p>\n", iso_html_escape_long);
	iso_str_add(out, "</section>\n");
}

void iso_rtable_markdown(const iso_rtable *t, iso_str *out)
{
	iso_str_add(out, "### ");
	iso_markdown_escape(t->title, out);
	iso_str_add(out, "\n\n|");
	for (size_t j = 0; j < t->ncol; j++) {
		iso_str_add(out, " ");
		iso_markdown_escape(t->head[j].text, out);
		iso_str_add(out, " |");
	}
	iso_str_add(out, "\n|");
	for (size_t j = 0; j < t->ncol; j++)
		iso_str_add(out, is_numeric(t, j) ? " ---: |" : " --- |");
	iso_str_add(out, "\n");
	for (size_t i = 0; i < t->nrow; i++) {
		iso_str_add(out, "|");
		for (size_t j = 0; j < t->ncol; j++) {
			const iso_rcell *c = &t->cell[i * t->ncol + j];

			iso_str_add(out, c->strong ? " **" : " ");
			iso_markdown_escape(c->text, out);
			iso_str_addf(out, "%s%s |", c->flag ? "!" : "", c->strong ? "**" : "");
		}
		iso_str_add(out, "\n");
	}
	iso_str_add(out, "\n");
	each_line(t->words.p, out, "- ", "\n", iso_markdown_escape_long);
	iso_str_add(out, t->words.n ? "\n" : "");
	each_line(t->notes.p, out, "*", "*\n\n", iso_markdown_escape_long);
}

/* Numbers stay as they are: only text can be taken for a formula. */
static void csv_cell(const iso_rcell *c, int last, iso_str *out)
{
	if (isnan(c->sort))
		iso_csv_text(c->text, last, out);
	else
		iso_csv_field(out, c->text, last);
}

void iso_rtable_csv(const iso_rtable *t, iso_str *out)
{
	for (size_t j = 0; j < t->ncol; j++)
		iso_csv_text(t->head[j].text, j + 1 == t->ncol, out);
	for (size_t i = 0; i < t->nrow; i++)
		for (size_t j = 0; j < t->ncol; j++)
			csv_cell(&t->cell[i * t->ncol + j], j + 1 == t->ncol, out);
}

static void latex_cell(const iso_rcell *c, iso_str *out)
{
	if (strcmp(c->text, "inf") == 0) {
		iso_str_add(out, "$\\infty$");
		return;
	}
	iso_str_add(out, c->strong ? "\\textbf{" : "");
	iso_latex_escape(c->text, out);
	iso_str_add(out, c->strong ? "}" : "");
}

static void latex_head(const iso_rtable *t, const size_t *column, size_t n, iso_str *out)
{
	iso_str_add(out, "\\toprule\n");
	for (size_t j = 0; j < n; j++) {
		iso_latex_escape(t->head[column[j]].text, out);
		iso_str_add(out, j + 1 == n ? " \\\\\n\\midrule\n" : " & ");
	}
}

#define LATEX_COLUMNS 7 /* more make a further longtable that repeats the leading columns */

/* The columns of one longtable: the leading ones and those from `first` on. */
static size_t latex_columns(const iso_rtable *t, size_t lead, size_t first, size_t *column)
{
	size_t n = 0;

	for (size_t j = 0; j < lead && j < t->ncol; j++)
		column[n++] = j;
	for (size_t j = first; j < t->ncol && n < LATEX_COLUMNS; j++)
		column[n++] = j;
	return n;
}

/* A longtable for an appendix; columns share the width of the text. */
static void latex_part(const iso_rtable *t, const size_t *column, size_t n, int more, iso_str *out)
{
	iso_str_add(out, "{\\scriptsize\\setlength{\\tabcolsep}{2pt}\n\\begin{longtable}{");
	for (size_t j = 0; j < n; j++)
		iso_str_addf(out,
			     ">{\\%s\\arraybackslash\\hspace{0pt}}p{\\dimexpr "
			     "%.4f\\linewidth-2\\tabcolsep}",
			     is_numeric(t, column[j]) ? "raggedleft" : "raggedright",
			     0.998 / (double)n);
	iso_str_add(out, "}\n\\caption{");
	iso_latex_escape(t->title, out);
	iso_str_add(out, more ? " (continued)}\\\\\n" : "}\\label{tab:");
	for (const char *p = t->file; *p && !more; p++) /* a stem: letters, digits, - _ . ~ */
		iso_str_addn(out, *p == '_' || *p == '~' ? "-" : p, 1);
	iso_str_add(out, more ? "" : "}\\\\\n");
	latex_head(t, column, n, out);
	iso_str_add(out, "\\endfirsthead\n");
	latex_head(t, column, n, out);
	iso_str_add(out, "\\endhead\n\\bottomrule\n\\endfoot\n");
	for (size_t i = 0; i < t->nrow; i++)
		for (size_t j = 0; j < n; j++) {
			latex_cell(&t->cell[i * t->ncol + column[j]], out);
			iso_str_add(out, j + 1 == n ? " \\\\\n" : " & ");
		}
	iso_str_add(out, "\\end{longtable}}\n");
}

void iso_rtable_latex(const iso_rtable *t, iso_str *out)
{
	const size_t lead = 3;
	size_t column[LATEX_COLUMNS], first = lead, n;

	iso_str_add(out, "% needs \\usepackage{booktabs,longtable,array}\n");
	do {
		n = latex_columns(t, lead, first, column);
		latex_part(t, column, n, first > lead, out);
		first += n - lead;
	} while (first < t->ncol && n > lead);
	iso_str_add(out, "{\\footnotesize\n");
	each_line(t->notes.p, out, "\\noindent ", "\\par\n", iso_latex_escape_long);
	iso_str_add(out, "}\n");
}

/* Columns on the screen: continuation bytes of UTF-8 take none. */
static size_t width_of(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xC0) != 0x80;
	return n;
}

static void terminal_row(const iso_rtable *t, const iso_rcell *row, const size_t *width,
			 iso_str *out)
{
	int first = 1;

	for (size_t j = 0; j < t->ncol; j++) {
		if (!width[j])
			continue;
		iso_str_addf(out, "%s%s%*s", first ? "" : "  ", row[j].text,
			     (int)(width[j] - width_of(row[j].text)), "");
		first = 0;
	}
	while (out->n && out->p[out->n - 1] == ' ')
		out->p[--out->n] = 0;
	iso_str_add(out, "\n");
}

void iso_rtable_terminal(const iso_rtable *t, iso_str *out)
{
	size_t *width = iso_alloc(t->ncol + 1, sizeof(*width));

	if (!width) {
		out->failed = 1;
		return;
	}
	for (size_t j = 0; j < t->ncol; j++) {
		for (size_t i = 0; i < t->nrow; i++) {
			const char *text = t->cell[i * t->ncol + j].text;

			if (strcmp(text, "-") != 0 && width_of(text) > width[j])
				width[j] = width_of(text);
		}
		if (width[j] && width_of(t->head[j].text) > width[j])
			width[j] = width_of(t->head[j].text);
	}
	iso_str_addf(out, "%s\n\n%s\n", t->title, t->words.p ? t->words.p : "");
	terminal_row(t, t->head, width, out);
	for (size_t i = 0; i < t->nrow; i++)
		terminal_row(t, &t->cell[i * t->ncol], width, out);
	iso_str_add(out, "\n");
	iso_free(width);
}
