// SPDX-License-Identifier: Apache-2.0
#include "reports/html.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/io/file.h"

static const cJSON *get(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

/* ------------------------------------------------------------------ head */

static void fact(void *ctx, const char *name, const char *value)
{
	iso_str *out = ctx;

	iso_str_add(out, "<dt>");
	iso_html_escape(name, out);
	iso_str_add(out, "</dt><dd>");
	iso_html_escape_long(value, out);
	iso_str_add(out, "</dd>\n");
}

static void head(const iso_about *ab, const iso_aggregate *a, iso_str *out)
{
	size_t methods = a->nmethod - a->ncontrol;

	iso_str_add(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
			 "<meta name=\"viewport\" "
			 "content=\"width=device-width,initial-scale=1\">\n"
			 "<link rel=\"icon\" href=\"data:,\">\n<title>isoeps: ");
	iso_html_escape(ab->title, out);
	iso_str_add(out, "</title>\n<style>\n");
	iso_str_add(out, iso_page_style);
	iso_str_add(out, "</style></head><body>\n<header><h1>");
	iso_html_escape(ab->title, out);
	iso_str_addf(out,
		     "</h1>\n<details class=\"facts\" open><summary>%zu method%s, %zu control%s, "
		     "%zu data set%s, %zu cells</summary>\n",
		     methods, methods == 1 ? "" : "s", a->ncontrol, a->ncontrol == 1 ? "" : "s",
		     a->ndataset, a->ndataset == 1 ? "" : "s", a->records->n);
	if (*ab->description) {
		iso_str_add(out, "<p class=\"lead\">");
		iso_html_escape_long(ab->description, out);
		iso_str_add(out, "</p>\n");
	}
	iso_str_add(out, "<dl class=\"facts\">\n");
	iso_facts(ab, a, fact, out);
	iso_str_add(out, "</dl></details></header>\n");
}

static void option(iso_str *out, const char *value, const char *text)
{
	iso_str_add(out, "<option value=\"");
	iso_html_escape(value, out);
	iso_str_add(out, "\">");
	iso_html_escape(text, out);
	iso_str_add(out, "</option>");
}

static void filters(const iso_aggregate *a, iso_str *out)
{
	char text[32];

	iso_str_add(out, "<form class=\"filters\"><label>Data set <select name=\"d\">"
			 "<option value=\"\">all</option>");
	for (size_t d = 0; d < a->ndataset; d++) {
		snprintf(text, sizeof(text), "%zu", d);
		option(out, text, a->dataset[d]);
	}
	iso_str_add(out, "</select></label><label>Epsilon <select name=\"e\">"
			 "<option value=\"\">all</option>");
	for (size_t i = 0; i < a->nsetting; i++) {
		size_t k = 0;

		while (k < i && a->setting[k].epsilon != a->setting[i].epsilon)
			k++;
		if (k < i || !isfinite(a->setting[i].epsilon))
			continue;
		iso_epsilon_text(a->setting[i].epsilon, text);
		option(out, text, text);
	}
	iso_str_add(out, "</select></label><label>Method <select name=\"m\">"
			 "<option value=\"\">all</option>");
	for (size_t m = 0; m < a->nmethod; m++)
		for (size_t i = 0; i < a->nsetting; i++)
			if (a->setting[i].method == m) {
				snprintf(text, sizeof(text), "%zu", m);
				option(out, text, a->setting[i].name);
				break;
			}
	iso_str_add(out, "</select></label><button type=\"reset\">Show all</button></form>\n");
}

static void legend(const iso_aggregate *a, iso_str *out)
{
	iso_str_add(
		out,
		"<p class=\"note\"><b>dp, verified</b>: proved, in the ledger, and no way around "
		"the ledger was found. <b>dp, claimed</b>: declared by the method's author, not "
		"tried here. <b>refuted</b>: private data flows around the ledger. "
		"<b>warning</b>: an attack on one training succeeds beyond what epsilon allows in "
		"expectation. "
		"<b>heuristic</b>: noise without a proof. <b>none</b>: no claim.</p>\n");
	if (a->ndataset < 2)
		return;
	iso_str_add(out, "<nav>");
	for (size_t i = 0; i < a->ndataset; i++) {
		iso_str_addf(out, "<a href=\"#d%zu\">", i);
		iso_html_escape(a->dataset[i], out);
		iso_str_add(out, "</a>");
	}
	iso_str_add(out, "</nav>\n");
}

/* ------------------------------------------------------------------ figures */

/* gnuplot's SVG inside a page: names of its parts made unique, black follows the text, a title. */
static void inline_svg(const char *svg, const iso_figure *f, size_t number, iso_str *out)
{
	static const char *const unique[] = {"gnuplot_canvas", "gpDot",	  "gpPt",
					     "gridHatch",      "textbox", "greybox"};
	static const char *const black[][2] = {{"color=\"black\"", "data-c=\"\""},
					       {"stroke=\"black\"", "stroke=\"currentColor\""},
					       {"fill=\"black\"", "fill=\"currentColor\""},
					       {"rgb(  0,   0,   0)", "currentColor"}};
	const char *title = strstr(svg, "<title>"), *end = title ? strstr(title, "</title>") : NULL;

	for (const char *p = svg; *p;) {
		size_t n = 0;

		for (size_t k = 0; k < ISO_COUNT(unique) && !n; k++)
			if (strncmp(p, unique[k], strlen(unique[k])) == 0) {
				n = strlen(unique[k]);
				iso_str_addf(out, "f%zu_%s", number, unique[k]);
			}
		for (size_t k = 0; k < ISO_COUNT(black) && !n; k++)
			if (strncmp(p, black[k][0], strlen(black[k][0])) == 0) {
				n = strlen(black[k][0]);
				iso_str_add(out, black[k][1]);
			}
		if (!n && p == title && end) {
			n = (size_t)(end - p);
			iso_str_add(out, "<title>");
			iso_html_escape_long(f->title, out);
		}
		if (!n)
			iso_str_addn(out, p, n = 1);
		p += n;
	}
}

/* The picture inline: SVG as such, an image grid as a data address. */
static iso_status picture(const iso_figure *f, size_t number, const char *dir, iso_str *out,
			  iso_error *err)
{
	iso_str path = {0};
	char *bytes = NULL, *svg;
	size_t n = 0;
	iso_status st;

	iso_str_addf(&path, "%s/%s.%s", dir, f->stem, f->png_only ? "png" : "svg");
	ISO_TRY_OUT(iso_str_check(&path, err));
	ISO_TRY_OUT(iso_file_read(path.p, 0, &bytes, &n, err));
	iso_str_add(out, "<figure>");
	if (f->png_only) {
		iso_str_add(out, "<img alt=\"");
		iso_html_escape_long(f->title, out);
		iso_str_add(out, "\" src=\"data:image/png;base64,");
		iso_base64((const unsigned char *)bytes, n, out);
		iso_str_add(out, "\">");
	} else if ((svg = strstr(bytes, "<svg")) != NULL) {
		iso_str_add(out, "<svg role=\"img\"");
		inline_svg(svg + strlen("<svg"), f, number, out);
	}
	iso_str_add(out, "<figcaption>");
	iso_html_escape_long(f->title, out);
	iso_str_addf(out,
		     " <a href=\"figures/%s.%s\" tabindex=\"-1\">%s</a></figcaption></figure>\n",
		     f->stem, f->png_only ? "png" : "pdf", f->png_only ? "PNG" : "PDF");
out:
	iso_free(bytes);
	iso_str_free(&path);
	return st;
}

static iso_status pictures(const iso_figures *f, size_t d, const char *dir, iso_str *out,
			   iso_error *err)
{
	iso_str_add(out, "<div class=\"figures\">\n");
	for (size_t k = 0; k < f->n; k++)
		if (f->v[k].drawn && f->v[k].dataset == d)
			ISO_TRY(picture(&f->v[k], k, dir, out, err));
	iso_str_add(out, "</div>\n");
	return ISO_OK;
}

/* ------------------------------------------------------------------ cells */

static iso_status json_line(const char *title, const cJSON *v, iso_str *out, iso_error *err)
{
	iso_str text = {0};
	iso_status st = ISO_OK;

	if (!v || (cJSON_IsArray(v) && cJSON_GetArraySize(v) == 0))
		return ISO_OK;
	st = iso_json_canonical(v, &text, err);
	if (st == ISO_OK) {
		iso_str_addf(out, "<div>%s: <code>", title);
		iso_html_escape_long(text.p, out);
		iso_str_add(out, "</code></div>\n");
	}
	iso_str_free(&text);
	return st;
}

static iso_status cell(const iso_about *ab, const iso_aggregate *a, size_t i, iso_str *out,
		       iso_error *err)
{
	const iso_setting *s = &a->setting[i];
	const cJSON *r = s->record, *c;
	iso_str command = {0};
	char eps[32];
	size_t n = 0;

	iso_epsilon_text(s->epsilon, eps);
	iso_str_addf(out, "<div class=\"cell\" id=\"s%zu\"><b>", i);
	iso_html_escape(s->name, out);
	iso_str_addf(out, "</b>, epsilon %s, %zu seeds, %zu failed\n", eps, s->seeds, s->failed);
	ISO_TRY(json_line("Options in effect", get(get(get(r, "config"), "generator"), "options"),
			  out, err));
	ISO_TRY(json_line("Ledger of the first seed", get(r, "ledger"), out, err));
	ISO_TRY(json_line("Uncharged looks at the data", get(get(r, "privacy"), "uncharged"), out,
			  err));
	if (cJSON_IsString(get(r, "error"))) {
		iso_str_add(out, "<div>Error: ");
		iso_html_escape_long(get(r, "error")->valuestring, out);
		iso_str_add(out, "</div>\n");
	}
	cJSON_ArrayForEach(c, get(r, "caveats"))
	{
		if (!cJSON_IsString(c))
			continue;
		iso_str_add(out, "<div>Caveat: ");
		iso_html_escape_long(c->valuestring, out);
		iso_str_add(out, "</div>\n");
	}
	for (size_t k = 0; k < a->records->n && n < 8; k++)
		if (a->of_record[k] == i) {
			iso_str_addf(&command, "isoeps explain %s %.12s\n", ab->dir,
				     get(a->records->v[k], "key")->valuestring);
			n++;
		}
	iso_str_add(out, "<pre>");
	for (char *p = command.p, *end; p && (end = strchr(p, '\n')) != NULL; p = end + 1) {
		*end = 0;
		iso_html_escape_long(p, out);
		iso_str_add(out, "\n");
	}
	iso_str_add(out, "</pre></div>\n");
	iso_str_free(&command);
	return ISO_OK;
}

static iso_status cells(const iso_about *ab, const iso_aggregate *a, size_t d, iso_str *out,
			iso_error *err)
{
	iso_str_add(out, "<details><summary>Every setting in detail: options, ledger, caveats, "
			 "and how to trace a number</summary>\n");
	for (size_t i = 0; i < a->nsetting; i++)
		if (strcmp(a->setting[i].dataset, a->dataset[d]) == 0)
			ISO_TRY(cell(ab, a, i, out, err));
	iso_str_add(out, "</details>\n");
	return ISO_OK;
}

/* ------------------------------------------------------------------ the page */

static iso_status dataset(const iso_about *ab, const iso_aggregate *a, size_t d,
			  const iso_rtables *tables, const iso_figures *figures, const char *dir,
			  iso_str *out, iso_error *err)
{
	iso_str_addf(out, "<div data-d=\"%zu\"><h2 id=\"d%zu\">", d, d);
	iso_html_escape(a->dataset[d], out);
	iso_str_add(out, "</h2>\n");
	for (int answer = 1; answer >= 0; answer--) {
		for (size_t j = 0; j < tables->n; j++)
			if (tables->v[j].dataset == d &&
			    (tables->v[j].answer || tables->v[j].first) == answer)
				iso_rtable_html(a, &tables->v[j], out);
		if (answer)
			ISO_TRY(pictures(figures, d, dir, out, err));
	}
	ISO_TRY(cells(ab, a, d, out, err));
	iso_str_add(out, "</div>\n");
	return ISO_OK;
}

iso_status iso_html_page(const iso_about *ab, const iso_aggregate *a, const iso_rtables *tables,
			 const iso_figures *figures, const char *dir, iso_str *out, iso_error *err)
{
	int overall = 0;

	head(ab, a, out);
	iso_str_add(out, "<main>\n");
	filters(a, out);
	legend(a, out);
	if (figures->no_gnuplot)
		iso_str_add(out, "<p class=\"note\">gnuplot was not found: the figures' data and "
				 "scripts are in figures/; install "
				 "gnuplot and run the report again to draw them.</p>\n");
	if (figures->failed)
		iso_str_addf(out, "<p class=\"note\">%zu figures could not be drawn.</p>\n",
			     figures->failed);
	for (size_t d = 0; d < a->ndataset; d++)
		ISO_TRY(dataset(ab, a, d, tables, figures, dir, out, err));
	for (size_t k = 0; k < figures->n; k++)
		overall |= figures->v[k].drawn && figures->v[k].dataset == a->ndataset;
	if (overall) {
		iso_str_add(out, "<h2>Over all data sets</h2>\n");
		ISO_TRY(pictures(figures, a->ndataset, dir, out, err));
	}
	iso_str_add(out, "</main>\n<script>");
	iso_str_add(out, iso_page_script);
	iso_str_add(out, "</script></body></html>\n");
	return iso_str_check(out, err);
}
