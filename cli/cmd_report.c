// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "core/base/log.h"
#include "core/io/json.h"
#include "reports/report.h"

static const iso_verb_help help = {
	.verb = "report",
	.operands = "DIR",
	.summary = "tables and plots from the records of a run",
	.text = "Reads DIR/cells and writes DIR/report/index.html (one page, no network needed), "
		"report.md, tables/*.csv and\n"
		"*.tex, and figures/*.svg, *.pdf and *.png, each with its data and its gnuplot "
		"script beside it.  Nothing is run\n"
		"again: a report can be made at any time, also while a run is going on.\n\n"
		"Example:\n"
		"  isoeps report out/demo\n"
		"  isoeps report out/demo --format md,csv --out /tmp/tables\n"
		"  isoeps report out/demo --select dataset=wdbc --select epsilon=1 --out paper\n",
	.min_operands = 1,
	.max_operands = 1,
};

static void say_text(const char *out, unsigned formats, const iso_report_summary *s, iso_str *text)
{
	iso_str_addf(text, "%zu records, %zu tables, %zu figures in %s\n", s->records, s->tables,
		     s->figures, out);
	if (formats & ISO_REPORT_HTML)
		iso_str_addf(text, "open %s/index.html\n", out);
	if (s->failed)
		iso_str_addf(text, "%zu cells failed: isoeps status DIR names them\n", s->failed);
	if (s->figures_failed)
		iso_str_addf(text, "%zu figures could not be drawn: see the warnings\n",
			     s->figures_failed);
	if (s->no_gnuplot)
		iso_str_add(text, "gnuplot was not found: data and scripts of the figures are "
				  "written, the pictures are not; install "
				  "gnuplot and run this again\n");
}

static iso_status say_json(const char *out, const iso_report_summary *s, iso_str *text,
			   iso_error *err)
{
	cJSON *v = cJSON_CreateObject();
	iso_status st;

	cJSON_AddStringToObject(v, "out", out);
	iso_json_add_number(v, "records", (double)s->records);
	iso_json_add_number(v, "failed", (double)s->failed);
	iso_json_add_number(v, "damaged", (double)s->damaged);
	iso_json_add_number(v, "tables", (double)s->tables);
	iso_json_add_number(v, "figures", (double)s->figures);
	iso_json_add_number(v, "figures_failed", (double)s->figures_failed);
	cJSON_AddBoolToObject(v, "gnuplot", !s->no_gnuplot);
	st = iso_json_pretty(v, text, err);
	cJSON_Delete(v);
	return st;
}

int cmd_report(int argc, char **argv)
{
	const char *out = NULL, *format = "html,md,csv,latex,figures", *dir[1];
	iso_arg_list chosen = {0};
	int json = 0, helped = 0;
	const iso_arg table[] = {
		{"--out", ISO_ARG_TEXT, &out, "DIR", "where to write (default: DIR/report)"},
		{"--format", ISO_ARG_TEXT, &format, "LIST",
		 "some of html,md,csv,latex,figures (default: all)"},
		{"--select", ISO_ARG_TEXTS, &chosen, "KEY=VALUE",
		 "only this dataset, method, epsilon or value (as in results.csv); may be "
		 "repeated"},
		{"--json", ISO_ARG_FLAG, &json, NULL, "say what was written as JSON"},
		{0}};
	iso_report_select select;
	iso_report_summary summary;
	iso_str text = {0}, place = {0};
	iso_error err = {0};
	unsigned formats;
	size_t n;

	if (iso_args_read(&help, table, argc, argv, dir, &n, &helped, &err) != ISO_OK ||
	    (!helped && iso_report_formats(format, &formats, &err) != ISO_OK))
		return iso_cli_fail(&err);
	if (helped)
		return 0;
	select = (iso_report_select){chosen.v, chosen.n};
	iso_str_addf(&place, out ? "%s" : "%s/report", out ? out : dir[0]);
	if (iso_str_check(&place, &err) != ISO_OK ||
	    iso_report_write(dir[0], out, formats, &select, &summary, &err) != ISO_OK) {
		iso_str_free(&place);
		return iso_cli_fail(&err);
	}
	if (json && say_json(place.p, &summary, &text, &err) != ISO_OK) {
		iso_str_free(&place);
		iso_str_free(&text);
		return iso_cli_fail(&err);
	}
	if (!json)
		say_text(place.p, formats, &summary, &text);
	iso_str_free(&place);
	return iso_cli_print(&text, 0);
}
