// SPDX-License-Identifier: Apache-2.0
#include "cli/evaluation.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/table.h"
#include "core/base/alloc.h"
#include "core/io/file.h"
#include "reports/escape.h"
#include "reports/html.h"

static const cJSON *get(const cJSON *obj, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(obj, key);
}

static const char *text_of(const cJSON *obj, const char *key)
{
	const cJSON *v = get(obj, key);

	return cJSON_IsString(v) ? v->valuestring : "";
}

static void number_text(const cJSON *v, char text[32])
{
	if (cJSON_IsNumber(v))
		snprintf(text, 32, "%.4f", v->valuedouble);
	else
		snprintf(text, 32, "-");
}

static void number_cell(iso_grid *g, const cJSON *v)
{
	char text[32];

	number_text(v, text);
	iso_grid_add(g, "%s", text);
}

/* One output of an attack's game, or NULL. */
static const cJSON *value_of(const cJSON *attack, const char *name)
{
	const cJSON *v;

	cJSON_ArrayForEach(v, get(attack, "values"))
	{
		if (strcmp(text_of(v, "name"), name) == 0)
			return v;
	}
	return NULL;
}

/* ---- metrics: a run of undefined values with one reason is one row ---- */

static int continues(const cJSON *first, const cJSON *m)
{
	return m && !cJSON_IsNumber(get(m, "value")) && !cJSON_IsNumber(get(first, "value")) &&
	       strcmp(text_of(first, "metric"), text_of(m, "metric")) == 0 &&
	       strcmp(text_of(first, "reason"), text_of(m, "reason")) == 0;
}

/* The last entry of the row that begins with m, and how many entries it stands for. */
static const cJSON *last_of(const cJSON *m, size_t *n)
{
	const cJSON *last = m;

	*n = 1;
	while (*text_of(m, "reason") && continues(m, last->next)) {
		last = last->next;
		(*n)++;
	}
	return last;
}

static void title_of(const cJSON *m, size_t n, char *out, size_t size)
{
	if (n > 1)
		snprintf(out, size, "%s: %zu values", text_of(m, "metric"), n);
	else
		snprintf(out, size, "%s: %s", text_of(m, "metric"), text_of(m, "title"));
}

static void print_metrics(const cJSON *metrics, iso_str *out)
{
	static const char *const head[] = {"metric", "value", "low", "high", "better", "note"};
	iso_grid g = {.columns = 6};

	for (size_t i = 0; i < 6; i++)
		iso_grid_add(&g, "%s", head[i]);
	for (const cJSON *m = metrics->child; m; m = m->next) {
		char title[256];
		size_t n;
		const cJSON *first = m;

		m = last_of(first, &n);
		title_of(first, n, title, sizeof(title));
		iso_grid_add(&g, "%s", title);
		number_cell(&g, get(first, "value"));
		number_cell(&g, get(first, "low"));
		number_cell(&g, get(first, "high"));
		iso_grid_add(&g, "%s", n > 1 ? "" : text_of(first, "direction"));
		iso_grid_add(&g, "%s", text_of(first, "reason"));
	}
	iso_grid_print(&g, out);
}

/* ---- attacks ---- */

static const char *const rank_head[] = {"attack", "AUC", "low", "high", "TPR at FPR 10 %", "note"},
			 *const rank_key[] = {"auc", "auc_low", "auc_high", "tpr_fpr_10"},
			 *const risk_head[] = {"attack", "on members", "on others", "naive",
					       "risk",	 "low",	       "high",	    "note"},
			 *const risk_key[] = {"main", "control", "naive"};

static void print_ranks(const cJSON *attacks, iso_str *out)
{
	iso_grid g = {.columns = 6};
	const cJSON *m;

	for (size_t i = 0; i < 6; i++)
		iso_grid_add(&g, "%s", rank_head[i]);
	cJSON_ArrayForEach(m, attacks)
	{
		if (value_of(m, "risk"))
			continue;
		iso_grid_add(&g, "%s", text_of(m, "label"));
		for (size_t i = 0; i < 4; i++)
			number_cell(&g, get(m, rank_key[i]));
		iso_grid_add(&g, "%s", text_of(m, "reason"));
	}
	iso_grid_print(&g, out);
}

static void print_risks(const cJSON *attacks, iso_str *out)
{
	iso_grid g = {.columns = 8};
	const cJSON *m;
	int any = 0;

	cJSON_ArrayForEach(m, attacks)
	{
		const cJSON *risk = value_of(m, "risk");

		if (!risk)
			continue;
		for (size_t i = 0; i < 8 && !any; i++)
			iso_grid_add(&g, "%s", risk_head[i]);
		any = 1;
		iso_grid_add(&g, "%s", text_of(m, "label"));
		for (size_t i = 0; i < 3; i++)
			number_cell(&g, get(value_of(m, risk_key[i]), "value"));
		number_cell(&g, get(risk, "value"));
		number_cell(&g, get(risk, "low"));
		number_cell(&g, get(risk, "high"));
		iso_grid_add(&g, "%s", text_of(risk, "reason"));
	}
	if (any) {
		iso_str_add(out, "\n");
		iso_grid_print(&g, out);
	}
}

/* ---- caveats: "NAME.OUTPUT: text" of several outputs with one text is one ---- */

/* Length of "NAME.OUTPUT: ", or 0. */
static size_t prefix_of(const char *caveat)
{
	const char *colon = strstr(caveat, ": "), *space = strchr(caveat, ' ');

	return colon && space == colon + 1 && memchr(caveat, '.', (size_t)(colon - caveat))
		       ? (size_t)(colon - caveat) + 2
		       : 0;
}

static int shares_text(const char *a, const char *b)
{
	const size_t na = prefix_of(a), nb = prefix_of(b);

	return na && nb && strcmp(a + na, b + nb) == 0;
}

/* Calls show once for every different text. */
static void each_caveat(const cJSON *caveats, void (*show)(const char *text, iso_str *out),
			iso_str *out)
{
	const cJSON *c, *o;

	cJSON_ArrayForEach(c, caveats)
	{
		iso_str text = {0};
		size_t more = 0;
		int earlier = 0;

		for (o = caveats->child; o && o != c; o = o->next)
			earlier |= shares_text(o->valuestring, c->valuestring);
		for (o = c->next; o; o = o->next)
			more += (size_t)shares_text(o->valuestring, c->valuestring);
		if (earlier)
			continue;
		const size_t n = prefix_of(c->valuestring);
		if (more)
			iso_str_addf(&text, "%.*s and %zu more value%s: %s", (int)n - 2,
				     c->valuestring, more, more == 1 ? "" : "s",
				     c->valuestring + n);
		else
			iso_str_add(&text, c->valuestring);
		out->failed |= text.failed;
		if (!text.failed)
			show(text.p, out);
		iso_str_free(&text);
	}
}

static void fold_caveat(const char *text, iso_str *out)
{
	iso_fold(out, text, 2, 118);
}

void iso_evaluation_print(const cJSON *result, iso_str *out)
{
	const cJSON *metrics = get(result, "metrics"), *attacks = get(result, "attacks"),
		    *caveats = get(result, "caveats");

	if (metrics->child)
		print_metrics(metrics, out);
	if (attacks->child) {
		iso_str_add(out, metrics->child ? "\n" : "");
		print_ranks(attacks, out);
		print_risks(attacks, out);
	}
	if (caveats->child)
		iso_str_add(out, "\ncaveats\n");
	each_caveat(caveats, fold_caveat, out);
}

/* ---- the page ---- */

static void html_head(iso_str *out, const char *caption, const char *const *head, size_t n)
{
	iso_str_add(out,
		    "<div class=\"scroll\" tabindex=\"0\"><table class=\"sortable\"><caption>");
	iso_html_escape(caption, out);
	iso_str_add(out, "</caption><thead><tr>");
	for (size_t i = 0; i < n; i++)
		iso_str_addf(out, "<th scope=\"col\"><button>%s</button></th>", head[i]);
	iso_str_add(out, "</tr></thead><tbody>\n");
}

static void html_cell(iso_str *out, const char *text, int is_head)
{
	iso_str_add(out, is_head ? "<th scope=\"row\">" : "<td>");
	iso_html_escape_long(text, out);
	iso_str_add(out, is_head ? "</th>" : "</td>");
}

static void html_number(iso_str *out, const cJSON *v)
{
	char text[32];

	number_text(v, text);
	iso_str_addf(out, "<td class=\"n\">%s</td>", text);
}

static int in_section(const cJSON *m, const char *section)
{
	return strcmp(text_of(m, "section"), section) == 0;
}

static void html_section(const cJSON *metrics, const char *section, const char *caption,
			 iso_str *out)
{
	static const char *const head[] = {"metric", "value", "low", "high", "better", "note"};
	int any = 0;

	for (const cJSON *m = metrics->child; m; m = m->next) {
		const cJSON *first = m;
		char title[256];
		size_t n;

		if (!in_section(m, section))
			continue;
		if (!any)
			html_head(out, caption, head, 6);
		any = 1;
		last_of(first, &n);
		while (n > 1 && m->next && continues(first, m->next) &&
		       in_section(m->next, section))
			m = m->next;
		title_of(first, m == first ? 1 : 2, title, sizeof(title));
		if (m != first)
			snprintf(title, sizeof(title), "%s", text_of(first, "metric"));
		iso_str_add(out, "<tr>");
		html_cell(out, title, 1);
		html_number(out, get(first, "value"));
		html_number(out, get(first, "low"));
		html_number(out, get(first, "high"));
		html_cell(out, m == first ? text_of(first, "direction") : "", 0);
		html_cell(out, text_of(first, "reason"), 0);
		iso_str_add(out, "</tr>\n");
	}
	iso_str_add(out, any ? "</tbody></table></div>\n" : "");
}

/* Sections that metrics name beside the usual ones come after them. */
static void html_metrics(const cJSON *metrics, iso_str *out)
{
	static const char *const known[][2] = {
		{"validity", "Validity"},
		{"utility", "Utility"},
		{"fidelity", "Fidelity"},
		{"diagnostic", "Diagnostics: no privacy guarantee, never a gate"}};
	const cJSON *m, *o;

	for (size_t i = 0; i < ISO_COUNT(known); i++)
		html_section(metrics, known[i][0], known[i][1], out);
	cJSON_ArrayForEach(m, metrics)
	{
		int seen = 0;

		for (size_t i = 0; i < ISO_COUNT(known); i++)
			seen |= in_section(m, known[i][0]);
		for (o = metrics->child; o != m; o = o->next)
			seen |= in_section(o, text_of(m, "section"));
		if (!seen)
			html_section(metrics, text_of(m, "section"), text_of(m, "section"), out);
	}
}

static void html_attacks(const cJSON *attacks, iso_str *out)
{
	const cJSON *m;
	int risks = 0;

	html_head(out, "Attacks on this table", rank_head, 6);
	cJSON_ArrayForEach(m, attacks)
	{
		risks |= value_of(m, "risk") != NULL;
		if (value_of(m, "risk"))
			continue;
		iso_str_add(out, "<tr>");
		html_cell(out, text_of(m, "label"), 1);
		for (size_t i = 0; i < 4; i++)
			html_number(out, get(m, rank_key[i]));
		html_cell(out, text_of(m, "reason"), 0);
		iso_str_add(out, "</tr>\n");
	}
	iso_str_add(out, "</tbody></table></div>\n");
	if (!risks)
		return;
	html_head(out, "Attacks judged beside a control", risk_head, 8);
	cJSON_ArrayForEach(m, attacks)
	{
		const cJSON *risk = value_of(m, "risk");

		if (!risk)
			continue;
		iso_str_add(out, "<tr>");
		html_cell(out, text_of(m, "label"), 1);
		for (size_t i = 0; i < 3; i++)
			html_number(out, get(value_of(m, risk_key[i]), "value"));
		html_number(out, get(risk, "value"));
		html_number(out, get(risk, "low"));
		html_number(out, get(risk, "high"));
		html_cell(out, text_of(risk, "reason"), 0);
		iso_str_add(out, "</tr>\n");
	}
	iso_str_add(out, "</tbody></table></div>\n");
}

static void html_caveat(const char *text, iso_str *out)
{
	iso_str_add(out, "<li>");
	iso_html_escape_long(text, out);
	iso_str_add(out, "</li>\n");
}

static void html_page(const cJSON *result, const char *title, iso_str *out)
{
	const cJSON *rows = get(result, "rows"), *caveats = get(result, "caveats");
	static const char *const part[] = {"train", "holdout", "synthetic"}, *const name[] = {
										     "training",
										     "hold-out",
										     "synthetic"};

	iso_str_add(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
			 "<meta name=\"viewport\" "
			 "content=\"width=device-width,initial-scale=1\">\n"
			 "<link rel=\"icon\" href=\"data:,\">\n<title>isoeps evaluate: ");
	iso_html_escape(title, out);
	iso_str_add(out, "</title>\n<style>\n");
	iso_str_add(out, iso_page_style);
	iso_str_add(out, "</style></head><body>\n<header><h1>Evaluation of a synthetic table: ");
	iso_html_escape(title, out);
	iso_str_add(out, "</h1>\n<p class=\"lead\">");
	for (size_t i = 0; i < 3; i++) {
		const cJSON *n = get(rows, part[i]);

		iso_str_addf(out, "%s%.0f %s rows", i ? ", " : "",
			     cJSON_IsNumber(n) ? n->valuedouble : 0, name[i]);
	}
	iso_str_add(out, ". What the file breaks in the schema comes first. An attack on one table "
			 "describes that table: it proves no guarantee.</p></header>\n");
	html_metrics(get(result, "metrics"), out);
	if (get(result, "attacks")->child)
		html_attacks(get(result, "attacks"), out);
	iso_str_add(out, caveats->child ? "<h2>Notes</h2>\n<ul class=\"words\">\n" : "");
	each_caveat(caveats, html_caveat, out);
	iso_str_add(out, caveats->child ? "</ul>\n" : "");
	iso_str_add(out, "<script>\n");
	iso_str_add(out, iso_page_script);
	iso_str_add(out, "</script></body></html>\n");
}

/* ---- files ---- */

static void csv_number(iso_str *out, const cJSON *v)
{
	if (cJSON_IsNumber(v))
		iso_str_addf(out, "%.12g", v->valuedouble);
	iso_str_add(out, ",");
}

static void csv_row(iso_str *out, const char *kind, const char *of, const char *name,
		    const cJSON *v, const char *reason)
{
	iso_csv_text(kind, 0, out);
	iso_csv_text(of, 0, out);
	iso_csv_text(name, 0, out);
	csv_number(out, get(v, "value"));
	csv_number(out, get(v, "low"));
	csv_number(out, get(v, "high"));
	iso_csv_text(text_of(v, "unit"), 0, out);
	iso_csv_text(text_of(v, "direction"), 0, out);
	iso_csv_text(text_of(v, "section"), 0, out);
	iso_csv_text(reason, 1, out);
}

static void csv_table(const cJSON *result, iso_str *out)
{
	const cJSON *m, *v;

	iso_str_add(out, "kind,of,name,value,low,high,unit,direction,section,reason\n");
	cJSON_ArrayForEach(m, get(result, "metrics")) csv_row(
		out, "metric", text_of(m, "metric"), text_of(m, "name"), m, text_of(m, "reason"));
	cJSON_ArrayForEach(m, get(result, "attacks"))
	{
		if (!get(m, "values") || !get(m, "values")->child)
			csv_row(out, "attack", text_of(m, "label"), text_of(m, "status"), NULL,
				text_of(m, "reason"));
		cJSON_ArrayForEach(v, get(m, "values"))
			csv_row(out, "attack", text_of(m, "label"), text_of(v, "name"), v,
				text_of(v, "reason"));
	}
}

static iso_status write_file(const char *dir, const char *name, const iso_str *text, iso_error *err)
{
	iso_str path = {0};
	iso_status st = iso_str_check(text, err);

	iso_str_addf(&path, "%s/%s", dir, name);
	if (st == ISO_OK)
		st = iso_str_check(&path, err);
	if (st == ISO_OK)
		st = iso_file_write_atomic(path.p, text->p, text->n, err);
	iso_str_free(&path);
	return st;
}

iso_status iso_evaluation_write(const cJSON *result, const char *title, const char *dir,
				iso_error *err)
{
	iso_str page = {0}, table = {0}, json = {0};
	iso_status st;

	ISO_TRY_OUT(iso_make_dirs(dir, err));
	html_page(result, title, &page);
	ISO_TRY_OUT(write_file(dir, "index.html", &page, err));
	csv_table(result, &table);
	ISO_TRY_OUT(write_file(dir, "evaluation.csv", &table, err));
	ISO_TRY_OUT(iso_json_pretty(result, &json, err));
	ISO_TRY_OUT(write_file(dir, "evaluation.json", &json, err));
out:
	iso_str_free(&page);
	iso_str_free(&table);
	iso_str_free(&json);
	return st;
}
