// SPDX-License-Identifier: Apache-2.0
/* One table in four formats. */
#include <math.h>
#include <string.h>

#include "core/io/csv.h"
#include "reports/tables.h"

/* Notes hold one caveat a line: calls for each. */
static void each_note(const iso_rtable *t, iso_str *out, const char *before, const char *after,
		      void (*escape)(const char *text, iso_str *out))
{
	const char *p = t->notes.p;

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

void iso_rtable_html(const iso_rtable *t, iso_str *out)
{
	iso_str_addf(out, "<section id=\"");
	iso_html_escape(t->file, out);
	iso_str_add(out, "\"><h3>");
	iso_html_escape(t->title, out);
	iso_str_add(out, "</h3>\n<div class=\"scroll\"><table class=\"sortable\"><thead><tr>");
	for (size_t j = 0; j < t->ncol; j++) {
		iso_str_add(out, "<th scope=\"col\"><button type=\"button\">");
		iso_html_escape(t->head[j].text, out);
		iso_str_add(out, "</button></th>");
	}
	iso_str_add(out, "</tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < t->nrow; i++) {
		iso_str_add(out, "<tr>");
		for (size_t j = 0; j < t->ncol; j++) {
			const iso_rcell *c = &t->cell[i * t->ncol + j];

			if (isnan(c->sort))
				iso_str_add(out, "<td>");
			else if (isinf(c->sort))
				iso_str_addf(out, "<td class=\"n\" data-v=\"%s1e308\">",
					     c->sort < 0 ? "-" : "");
			else
				iso_str_addf(out, "<td class=\"n\" data-v=\"%.17g\">", c->sort);
			iso_html_escape(c->text, out);
			iso_str_add(out, "</td>");
		}
		iso_str_add(out, "</tr>\n");
	}
	iso_str_add(out, "</tbody></table></div>\n");
	each_note(t, out, "<p class=\"note\">", "</p>\n", iso_html_escape);
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
		iso_str_add(out, t->nrow && !isnan(t->cell[j].sort) ? " ---: |" : " --- |");
	iso_str_add(out, "\n");
	for (size_t i = 0; i < t->nrow; i++) {
		iso_str_add(out, "|");
		for (size_t j = 0; j < t->ncol; j++) {
			iso_str_add(out, " ");
			iso_markdown_escape(t->cell[i * t->ncol + j].text, out);
			iso_str_add(out, " |");
		}
		iso_str_add(out, "\n");
	}
	iso_str_add(out, "\n");
	each_note(t, out, "*", "*\n\n", iso_markdown_escape);
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

static void latex_cell(const char *text, iso_str *out)
{
	if (strcmp(text, "inf") == 0)
		iso_str_add(out, "$\\infty$");
	else
		iso_latex_escape(text, out);
}

void iso_rtable_latex(const iso_rtable *t, iso_str *out)
{
	iso_str_add(out, "% needs \\usepackage{booktabs}\n\\begin{table}\n\\caption{");
	iso_latex_escape(t->title, out);
	iso_str_add(out, "}\n\\begin{tabular}{");
	for (size_t j = 0; j < t->ncol; j++)
		iso_str_add(out, t->nrow && !isnan(t->cell[j].sort) ? "r" : "l");
	iso_str_add(out, "}\n\\toprule\n");
	for (size_t j = 0; j < t->ncol; j++) {
		iso_latex_escape(t->head[j].text, out);
		iso_str_add(out, j + 1 == t->ncol ? " \\\\\n\\midrule\n" : " & ");
	}
	for (size_t i = 0; i < t->nrow; i++)
		for (size_t j = 0; j < t->ncol; j++) {
			latex_cell(t->cell[i * t->ncol + j].text, out);
			iso_str_add(out, j + 1 == t->ncol ? " \\\\\n" : " & ");
		}
	iso_str_add(out, "\\bottomrule\n\\end{tabular}\n");
	each_note(t, out, "\\par\\footnotesize ", "\n", iso_latex_escape);
	iso_str_add(out, "\\end{table}\n");
}
