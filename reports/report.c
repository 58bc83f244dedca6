// SPDX-License-Identifier: Apache-2.0
#include "reports/report.h"

#include <string.h>

#include "core/base/alloc.h"
#include "core/base/log.h"
#include "core/io/file.h"
#include "reports/html.h"
#include "reports/select.h"

static iso_status write_below(const char *dir, const char *name, const char *suffix,
			      const iso_str *text, iso_error *err)
{
	iso_str path = {0};
	iso_status st;

	iso_str_addf(&path, "%s/%s%s", dir, name, suffix);
	st = iso_str_check(&path, err);
	if (st == ISO_OK)
		st = iso_str_check(text, err);
	if (st == ISO_OK)
		st = iso_file_write_atomic(path.p, text->p, text->n, err);
	iso_str_free(&path);
	return st;
}

static iso_status write_paper(const iso_aggregate *a, const char *dir, iso_error *err)
{
	iso_str tex = {0};
	iso_status st = iso_paper_table(a, &tex, err);

	if (st == ISO_OK)
		st = write_below(dir, "paper", ".tex", &tex, err);
	iso_str_free(&tex);
	return st;
}

static iso_status write_tables(const iso_rtables *t, const iso_aggregate *a, const char *dir,
			       unsigned formats, iso_error *err)
{
	iso_status st = iso_make_dirs(dir, err);

	if (st == ISO_OK && (formats & ISO_REPORT_LATEX))
		st = write_paper(a, dir, err);

	for (size_t i = 0; i < t->n && st == ISO_OK; i++) {
		iso_str csv = {0}, tex = {0};

		iso_rtable_csv(&t->v[i], &csv);
		iso_rtable_latex(&t->v[i], &tex);
		if (formats & ISO_REPORT_CSV)
			st = write_below(dir, t->v[i].file, ".csv", &csv, err);
		if (st == ISO_OK && (formats & ISO_REPORT_LATEX))
			st = write_below(dir, t->v[i].file, ".tex", &tex, err);
		iso_str_free(&csv);
		iso_str_free(&tex);
	}
	return st;
}

static void markdown_fact(void *ctx, const char *name, const char *value)
{
	iso_str *out = ctx;

	iso_str_addf(out, "- %s: ", name);
	iso_markdown_escape_long(value, out);
	iso_str_add(out, "\n");
}

static iso_status write_markdown(const iso_about *ab, const iso_aggregate *a, const iso_rtables *t,
				 const char *out_dir, iso_error *err)
{
	iso_str md = {0};
	iso_status st;

	iso_str_add(&md, "# ");
	iso_markdown_escape(ab->title, &md);
	iso_str_add(&md, "\n\n");
	iso_markdown_escape_long(ab->description, &md);
	iso_str_add(&md, *ab->description ? "\n\n" : "");
	iso_facts(ab, a, markdown_fact, &md);
	iso_str_add(&md, "\n");
	for (size_t i = 0; i < t->n; i++)
		iso_rtable_markdown(&t->v[i], &md);
	st = write_below(out_dir, "report", ".md", &md, err);
	iso_str_free(&md);
	return st;
}

/* The HTML page shows the figures, so it draws them too. */
static iso_status write_parts(const char *dir, const char *out_dir, unsigned formats,
			      const iso_about *ab, const iso_aggregate *a, iso_rtables *tables,
			      iso_figures *figures, iso_error *err)
{
	iso_str sub = {0}, page = {0};
	iso_status st = ISO_OK;

	ISO_TRY_OUT(iso_make_dirs(out_dir, err));
	ISO_TRY_OUT(iso_tables_build(a, tables, err));
	iso_str_addf(&sub, "%s/figures", out_dir);
	ISO_TRY_OUT(iso_str_check(&sub, err));
	if (formats & (ISO_REPORT_FIGURES | ISO_REPORT_HTML)) {
		ISO_TRY_OUT(iso_figures_write(a, sub.p, figures, err));
		ISO_TRY_OUT(iso_grids_write(a, dir, sub.p, figures, err));
	}
	if (formats & ISO_REPORT_HTML) {
		ISO_TRY_OUT(iso_html_page(ab, a, tables, figures, sub.p, &page, err));
		ISO_TRY_OUT(write_below(out_dir, "index", ".html", &page, err));
	}
	if (formats & ISO_REPORT_MARKDOWN)
		ISO_TRY_OUT(write_markdown(ab, a, tables, out_dir, err));
	iso_str_free(&sub);
	iso_str_addf(&sub, "%s/tables", out_dir);
	ISO_TRY_OUT(iso_str_check(&sub, err));
	if (formats & (ISO_REPORT_CSV | ISO_REPORT_LATEX))
		st = write_tables(tables, a, sub.p, formats, err);
out:
	iso_str_free(&sub);
	iso_str_free(&page);
	return st;
}

/* DIR/summary.csv, beside results.csv. */
static iso_status write_summary(const iso_aggregate *a, const char *dir, iso_error *err)
{
	iso_str csv = {0};
	iso_status st = iso_summary_csv(a, &csv, err);

	if (st == ISO_OK)
		st = write_below(dir, "summary", ".csv", &csv, err);
	iso_str_free(&csv);
	return st;
}

/* ------------------------------------------------------------------ reading */

typedef struct reader {
	const char *dir;
	const iso_report_select *select;
	iso_records *records;
	iso_aggregate *a;
} reader;

static void drop(cJSON *obj, const char *const *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		cJSON_DeleteItemFromObjectCaseSensitive(obj, keys[i]);
}

/* What no table or figure asks of a record that is not the one its setting keeps. */
static void slim(cJSON *r)
{
	static const char *const whole[] = {"metrics", "judged", "privacy", "verdict",
					    "model",   "n",	 "ledger",  "curves"},
				 *const method[] = {"options", "code", "version"},
				 *const run[] = {"attack_seconds", "metric_seconds", "progress"};
	cJSON *attack, *config = cJSON_GetObjectItemCaseSensitive(r, "config");

	drop(r, whole, ISO_COUNT(whole));
	drop(cJSON_GetObjectItemCaseSensitive(config, "generator"), method, ISO_COUNT(method));
	drop(cJSON_GetObjectItemCaseSensitive(r, "run"), run, ISO_COUNT(run));
	cJSON_ArrayForEach(attack, cJSON_GetObjectItemCaseSensitive(r, "attacks"))
	{
		cJSON *item = attack->child, *next;

		for (; item; item = next) {
			next = item->next;
			if (strcmp(item->string, "label") != 0 &&
			    strcmp(item->string, "n_neg") != 0 &&
			    strcmp(item->string, "auc_even") != 0 &&
			    strcmp(item->string, "auc_odd") != 0)
				cJSON_Delete(cJSON_DetachItemViaPointer(attack, item));
		}
	}
}

/* The record that a setting keeps has its curves and its ledger. */
static iso_status complete(const char *dir, cJSON *r, iso_error *err)
{
	static const char *const parts[] = {"curves", "ledger"};
	cJSON *whole;

	ISO_TRY(iso_record_read(dir, cJSON_GetObjectItemCaseSensitive(r, "key")->valuestring,
				&whole, err));
	for (size_t i = 0; whole && i < ISO_COUNT(parts); i++) {
		cJSON *part = cJSON_DetachItemFromObjectCaseSensitive(whole, parts[i]);

		if (part && !cJSON_ReplaceItemInObjectCaseSensitive(r, parts[i], part)) {
			cJSON_Delete(part);
			cJSON_Delete(whole);
			return iso_no_memory(err, "a record");
		}
	}
	cJSON_Delete(whole);
	return ISO_OK;
}

static int shown(const void *ctx, const char *kind, const char *name)
{
	return iso_select_value(ctx, kind, name);
}

/* Memory holds a few kilobytes of each record: ten thousand cells with attacks are a report. */
static iso_status take_record(void *ctx, cJSON **record, iso_error *err)
{
	reader *k = ctx;
	cJSON *r = *record;
	int first;

	if (!iso_select_record(k->select, r))
		return ISO_OK;
	k->records->v[k->records->n++] = r;
	*record = NULL;
	ISO_TRY(iso_aggregate_add(k->a, k->records->n - 1, shown, k->select, &first, err));
	if (first)
		return complete(k->dir, r, err);
	slim(r);
	return ISO_OK;
}

/* results.csv follows the records; in a directory that cannot be written it stays as it is. */
static iso_status read_records(reader *k, iso_error *err)
{
	iso_index x;
	iso_error why = {0};
	iso_status st;

	ISO_TRY(iso_index_load(k->dir, &x, err));
	*k->records = (iso_records){.v = iso_alloc(x.n + 1, sizeof(*k->records->v)),
				    .damaged = x.damaged,
				    .foreign = x.foreign,
				    .other_code = x.other_code};
	st = k->records->v ? iso_aggregate_begin(k->records, x.n, k->a, err)
			   : iso_no_memory(err, "the records");
	k->a->dir = k->dir;
	if (st == ISO_OK)
		st = iso_results_renew_each(&x, take_record, k, &why);
	if (st == ISO_E_IO) {
		iso_warn("%s", why.text);
		st = ISO_OK;
	} else if (st != ISO_OK && why.code) {
		st = iso_fail(err, st, "%s", why.text);
	}
	if (st == ISO_OK && k->records->n == 0)
		st = iso_fail(err, ISO_E_DATA,
			      "nothing to report (%s/cells): no valid record%s; run a suite into "
			      "it first",
			      k->dir, x.n ? " is selected" : "");
	if (st == ISO_OK)
		st = iso_aggregate_end(k->a, err);
	iso_index_free(&x);
	return st;
}

iso_status iso_report_write(const char *dir, const char *out, unsigned formats,
			    const iso_report_select *select, iso_report_summary *summary,
			    iso_error *err)
{
	iso_records records = {0};
	iso_aggregate a = {0};
	reader k = {.dir = dir, .select = select, .records = &records, .a = &a};
	iso_rtables tables = {0};
	iso_figures figures = {0};
	iso_str place = {0};
	iso_about ab = {0};
	iso_status st;

	memset(summary, 0, sizeof(*summary));
	iso_str_addf(&place, out ? "%s" : "%s/report", out ? out : dir);
	ISO_TRY_OUT(iso_str_check(&place, err));
	ISO_TRY_OUT(iso_select_check(select, err));
	ISO_TRY_OUT(read_records(&k, err));
	ISO_TRY_OUT(iso_about_read(dir, &records, &ab, err));
	a.published = cJSON_GetObjectItemCaseSensitive(ab.suite, "published");
	ISO_TRY_OUT(write_parts(dir, place.p, formats, &ab, &a, &tables, &figures, err));
	if ((!out && !(select && select->n)) || (out && (formats & ISO_REPORT_CSV)))
		ISO_TRY_OUT(write_summary(&a, out ? place.p : dir, err));
	summary->records = records.n;
	summary->damaged = records.damaged;
	summary->tables = tables.n;
	for (size_t i = 0; i < figures.n; i++)
		summary->figures += (size_t)figures.v[i].drawn;
	for (size_t i = 0; i < a.nsetting; i++)
		summary->failed += a.setting[i].failed;
	summary->no_gnuplot = figures.no_gnuplot;
	summary->figures_failed = figures.failed;
out:
	iso_figures_free(&figures);
	iso_tables_free(&tables);
	iso_aggregate_free(&a);
	iso_about_free(&ab);
	iso_records_free(&records);
	iso_str_free(&place);
	return st;
}

iso_status iso_report_answers(const char *dir, iso_str *out, iso_error *err)
{
	iso_records records = {0};
	iso_aggregate a = {0};
	reader k = {.dir = dir, .records = &records, .a = &a};
	iso_rtables tables = {0};
	iso_status st;

	ISO_TRY_OUT(read_records(&k, err));
	ISO_TRY_OUT(iso_tables_build(&a, &tables, err));
	for (size_t i = 0; i < tables.n; i++)
		if (tables.v[i].answer)
			iso_rtable_terminal(&tables.v[i], out);
	st = iso_str_check(out, err);
out:
	iso_tables_free(&tables);
	iso_aggregate_free(&a);
	iso_records_free(&records);
	return st;
}

iso_status iso_report_formats(const char *text, unsigned *formats, iso_error *err)
{
	static const char *const names[] = {"html", "md", "csv", "latex", "figures"};
	const char *p = text;

	*formats = 0;
	while (*p) {
		size_t n = strcspn(p, ","), k;

		for (k = 0; k < ISO_COUNT(names); k++)
			if (strlen(names[k]) == n && strncmp(p, names[k], n) == 0)
				break;
		ISO_FAIL_IF(k == ISO_COUNT(names), err, ISO_E_USAGE,
			    "unknown report format (--format %s): \"%.*s\" is none of html, md, "
			    "csv, latex, figures; name some of these",
			    text, (int)n, p);
		*formats |= 1u << k;
		p += n + (p[n] == ',');
	}
	ISO_FAIL_IF(*formats == 0, err, ISO_E_USAGE,
		    "no report format (--format): the list is empty; name some of "
		    "html,md,csv,latex,figures");
	return ISO_OK;
}
