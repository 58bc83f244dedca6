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

static int shown(const void *ctx, const char *kind, const char *name)
{
	return iso_select_value(ctx, kind, name);
}

/* results.csv follows the records; in a directory that cannot be written it stays as it is. */
static iso_status read_records(const char *dir, iso_records *out, iso_error *err)
{
	iso_index x;
	iso_error why = {0};
	iso_status st;

	ISO_TRY(iso_index_load(dir, &x, err));
	st = iso_results_renew_from(&x, &why);
	if (st == ISO_E_NOMEM) {
		iso_index_free(&x);
		return iso_fail(err, st, "%s", why.text);
	}
	if (st != ISO_OK)
		iso_warn("%s", why.text);
	st = iso_records_of_index(&x, out, err);
	iso_index_free(&x);
	return st;
}

iso_status iso_report_write(const char *dir, const char *out, unsigned formats,
			    const iso_report_select *select, iso_report_summary *summary,
			    iso_error *err)
{
	iso_records all = {0}, records = {0};
	iso_aggregate a = {0};
	iso_rtables tables = {0};
	iso_figures figures = {0};
	iso_str place = {0};
	iso_about ab = {0};
	iso_status st;

	memset(summary, 0, sizeof(*summary));
	iso_str_addf(&place, out ? "%s" : "%s/report", out ? out : dir);
	ISO_TRY_OUT(iso_str_check(&place, err));
	ISO_TRY_OUT(iso_select_check(select, err));
	ISO_TRY_OUT(read_records(dir, &all, err));
	ISO_TRY_OUT(iso_select_records(select, &all, &records, err));
	if (records.n == 0) {
		st = iso_fail(err, ISO_E_DATA,
			      "nothing to report (%s/cells): no valid record%s; run a suite into "
			      "it first",
			      dir, all.n ? " is selected" : "");
		goto out;
	}
	ISO_TRY_OUT(iso_about_read(dir, &records, &ab, err));
	ISO_TRY_OUT(iso_aggregate_of(&records, shown, select, &a, err));
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
	iso_free(records.v); /* a view */
	iso_records_free(&all);
	iso_str_free(&place);
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
