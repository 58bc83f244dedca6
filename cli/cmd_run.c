// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "cli/summary.h"
#include "cli/table.h"
#include "core/base/log.h"
#include "core/io/jsonw.h"
#include "results/record.h"
#include "suites/plugin.h"
#include "suites/runner.h"

static const iso_verb_help help = {
	.verb = "run",
	.operands = "SUITE",
	.summary = "train, attack and judge all cells of a suite",
	.text = "SUITE is a JSON file (docs/suite-format.md) or the name of a suite that comes "
		"with isoeps (isoeps list suites).\n"
		"Every cell (data set x generator x epsilon x seed) is trained in a worker process "
		"of its own, attacked by the\n"
		"referee and measured; its record is DIR/cells/KEY.json.  A cell that crashes, "
		"fails, or exceeds its limits is a\n"
		"recorded outcome and stops nothing else.  Finished cells are skipped, so the same "
		"command resumes an\n"
		"interrupted run; failed cells are tried again.  The same suite gives the same "
		"bytes for any --jobs.\n\n"
		"Shards: run the same suite with --shard 1/2 and --shard 2/2 on two machines, then "
		"copy cells/, models/ and\n"
		"samples/ of one into the other.\n\n"
		"Examples:\n"
		"  isoeps run demo                      the demo suite, into out/demo\n"
		"  isoeps run my.json --dry-run         what would be run, and how long it takes\n"
		"  isoeps run my.json --only generator=dp-cgan --only epsilon=1 --jobs 4\n",
	.min_operands = 1,
	.max_operands = 1,
};

typedef struct command {
	int64_t jobs;
	const char *shard, *out;
	iso_arg_list only, plugin;
	int dry_run, force, json;
	char dir[4096];
} command;

static iso_status parse_shard(const char *text, iso_run_options *o, iso_error *err)
{
	unsigned long i = 0, n = 0;
	char rest;

	o->shard = o->shards = 1;
	if (!text)
		return ISO_OK;
	ISO_FAIL_IF(sscanf(text, "%lu/%lu%c", &i, &n, &rest) != 2 || n < 1 || n > 1000000 ||
			    i < 1 || i > n || *text == '-',
		    err, ISO_E_USAGE,
		    "bad shard (--shard %s): i/N with i from 1 to N is expected; for example "
		    "--shard 1/4",
		    text);
	o->shard = i;
	o->shards = n;
	return ISO_OK;
}

static iso_status read_command(int argc, char **argv, command *c, const char **suite, int *helped,
			       iso_error *err)
{
	const iso_arg table[] = {
		{"--jobs", ISO_ARG_INT, &c->jobs, "N",
		 "worker processes at a time (default: one per core)", 1, 4096},
		{"--shard", ISO_ARG_TEXT, &c->shard, "i/N",
		 "the i-th of N parts of the cells, i from 1"},
		{"--out", ISO_ARG_TEXT, &c->out, "DIR",
		 "output directory (default: out/NAME of the suite)"},
		{"--only", ISO_ARG_TEXTS, &c->only, "KEY=VALUE",
		 "cells with that dataset, generator, epsilon or seed"},
		{"--dry-run", ISO_ARG_FLAG, &c->dry_run, NULL,
		 "print the plan and an estimate of the time; run nothing"},
		{"--force", ISO_ARG_FLAG, &c->force, NULL, "run finished cells again"},
		{"--plugin", ISO_ARG_TEXTS, &c->plugin, "FILE.so",
		 "load a generator, attack or metric from a shared object"},
		{"--json", ISO_ARG_FLAG, &c->json, NULL,
		 "machine-readable summary on standard output"},
		{0}};
	size_t n;

	return iso_args_read(&help, table, argc, argv, suite, &n, helped, err);
}

/* ------------------------------------------------------------------ plan */

static void plan_rows(const iso_agenda *a, const uint8_t *todo, iso_str *out)
{
	const iso_suite *s = a->suite;
	iso_grid g = {.columns = 6};
	static const char *const head[] = {"data set", "generator", "guarantee",
					   "epsilon",  "cells",	    "to run"};

	for (size_t i = 0; i < ISO_COUNT(head); i++)
		iso_grid_add(&g, "%s", head[i]);
	for (size_t d = 0; d < s->ndataset; d++)
		for (size_t k = 0; k < s->ngenerator; k++) {
			size_t cells = 0, run = 0;
			iso_str eps = {0};
			double last = NAN;

			for (size_t i = 0; i < a->ncell; i++) {
				char text[32];

				if (a->cell[i].dataset != d || a->cell[i].generator != k)
					continue;
				cells++;
				run += todo[i];
				iso_eps_text(a->cell[i].epsilon, text);
				if (a->cell[i].seed_index == 0 && a->cell[i].epsilon != last)
					iso_str_addf(&eps, "%s%s", eps.n ? ", " : "", text);
				last = a->cell[i].epsilon;
			}
			if (cells) {
				iso_grid_add(&g, "%s", s->dataset[d].label);
				iso_grid_add(&g, "%s", s->generator[k].label);
				iso_grid_add(
					&g, "%s",
					iso_guarantee_name(iso_agenda_setup(a, k, d)->guarantee));
				iso_grid_add(&g, "%s ", eps.p ? eps.p : "");
				iso_grid_add(&g, "%zu", cells);
				iso_grid_add(&g, "%zu", run);
			}
			iso_str_free(&eps);
		}
	iso_grid_print(&g, out);
}

static void duration_text(double s, char *out, size_t size)
{
	if (s < 90)
		snprintf(out, size, "%.0f s", s);
	else if (s < 5400)
		snprintf(out, size, "%.0f min", s / 60);
	else
		snprintf(out, size, "%.1f h", s / 3600);
}

static void plan_text(const iso_agenda *a, const command *c, const iso_run_options *o,
		      const uint8_t *todo, const iso_run_summary *sum, const iso_estimate *e,
		      iso_str *out)
{
	char time[32];

	iso_str_addf(out,
		     "suite %s: %zu cells, %zu selected, %zu finished, %zu to run; output %s\n\n",
		     a->suite->name, sum->cells, sum->selected, sum->finished,
		     sum->selected - sum->finished, c->dir);
	plan_rows(a, todo, out);
	duration_text(e->seconds, time, sizeof(time));
	iso_str_addf(out, "\nestimate: about %s with --jobs %d (", time, o->jobs);
	if (e->from_records)
		iso_str_addf(out, "%zu cells by the times of finished ones%s", e->from_records,
			     e->from_probes || e->unknown ? ", " : "");
	if (e->from_probes)
		iso_str_addf(out,
			     "%zu cells by training each generator for a moment, attacks and "
			     "metrics not counted%s",
			     e->from_probes, e->unknown ? ", " : "");
	if (e->unknown)
		iso_str_addf(out, "%zu cells unknown, left out", e->unknown);
	iso_str_add(out, sum->selected == sum->finished ? "nothing to run)\n" : ")\n");
}

static int add_cell(const iso_agenda *a, const iso_cell *x, int todo, cJSON *list)
{
	cJSON *o = cJSON_CreateObject();

	if (o && cJSON_AddStringToObject(o, "key", x->key) &&
	    cJSON_AddStringToObject(o, "dataset", a->suite->dataset[x->dataset].label) &&
	    cJSON_AddStringToObject(o, "generator", a->suite->generator[x->generator].label) &&
	    iso_json_add_number(o, "epsilon", x->epsilon) &&
	    cJSON_AddNumberToObject(o, "seed", (double)x->seed) &&
	    cJSON_AddBoolToObject(o, "to_run", todo) && cJSON_AddItemToArray(list, o))
		return 1;
	cJSON_Delete(o);
	return 0;
}

static int plan_json(const iso_agenda *a, const command *c, const uint8_t *todo,
		     const iso_run_summary *sum, const iso_estimate *e)
{
	cJSON *root = cJSON_CreateObject(),
	      *list = root ? cJSON_AddArrayToObject(root, "cells") : NULL;
	int ok = list && cJSON_AddStringToObject(root, "suite", a->suite->name) &&
		 cJSON_AddStringToObject(root, "dir", c->dir) &&
		 cJSON_AddNumberToObject(root, "selected", (double)sum->selected) &&
		 cJSON_AddNumberToObject(root, "finished", (double)sum->finished) &&
		 cJSON_AddNumberToObject(root, "estimate_seconds", e->seconds) &&
		 cJSON_AddNumberToObject(root, "estimated_from_records", (double)e->from_records) &&
		 cJSON_AddNumberToObject(root, "estimated_from_probes", (double)e->from_probes) &&
		 cJSON_AddNumberToObject(root, "not_estimated", (double)e->unknown);

	for (size_t i = 0; ok && i < a->ncell; i++)
		ok = add_cell(a, &a->cell[i], todo[i], list);
	return iso_cli_json(root, ok, 0);
}

static int dry_run(const iso_agenda *a, const command *c, const iso_run_options *o, iso_error *err)
{
	iso_run_summary sum;
	iso_estimate e;
	uint8_t *todo;
	iso_str text = {0};
	int status;

	iso_verdicts verdicts;
	iso_status st = iso_verdicts_new(a, &verdicts, err);

	if (st == ISO_OK)
		st = iso_run_select(a, o, &verdicts, &todo, &sum, err);
	iso_verdicts_free(&verdicts);
	if (st != ISO_OK)
		return iso_cli_fail(err);
	if (iso_run_estimate(a, o, todo, &e, err) != ISO_OK) {
		iso_free(todo);
		return iso_cli_fail(err);
	}
	if (c->json) {
		status = plan_json(a, c, todo, &sum, &e);
	} else {
		plan_text(a, c, o, todo, &sum, &e, &text);
		status = iso_cli_print(&text, 0);
	}
	iso_free(todo);
	return status;
}

/* ------------------------------------------------------------------ summary */

static int exit_status(const iso_run_summary *sum)
{
	int worst = sum->lost ? iso_status_exit(ISO_E_PLUGIN) : sum->refuted ? 1 : 0;

	if (sum->interrupted)
		return ISO_EXIT_INTERRUPTED;
	for (size_t i = 0; i < sum->nfailure; i++) {
		int e = iso_status_exit(sum->failure[i].code);

		worst = e > worst ? e : worst;
	}
	return worst;
}

static int summary_json(const iso_agenda *a, const command *c, const iso_run_summary *sum,
			const iso_summary *results)
{
	iso_jsonw w = {0};
	cJSON *root = iso_jsonw_object(&w, NULL, NULL), *failures, *list = NULL;
	iso_error err = {0};
	const struct {
		const char *key;
		size_t value;
	} count[] = {{"cells", sum->cells},
		     {"selected", sum->selected},
		     {"finished_before", sum->finished},
		     {"done", sum->done},
		     {"failed", sum->failed},
		     {"unsupported", sum->unsupported + sum->unsupported_before},
		     {"trained", sum->trained},
		     {"judged", sum->judged},
		     {"reused", sum->reused},
		     {"lost", sum->lost},
		     {"refuted", sum->refuted}};

	iso_jsonw_text(&w, root, "suite", a->suite->name);
	iso_jsonw_text(&w, root, "dir", c->dir);
	for (size_t i = 0; i < ISO_COUNT(count); i++)
		iso_jsonw_number(&w, root, count[i].key, (double)count[i].value);
	iso_jsonw_bool(&w, root, "interrupted", sum->interrupted);
	iso_jsonw_number(&w, root, "seconds", sum->seconds);
	failures = iso_jsonw_array(&w, root, "failures");
	for (size_t i = 0; !w.failed && i < sum->nfailure; i++) {
		w.failed |= !add_cell(a, sum->failure[i].cell, 1, failures);
		iso_jsonw_text(&w, cJSON_GetArrayItem(failures, (int)i), "error",
			       sum->failure[i].text);
	}
	w.failed |= iso_summary_json(results, &list, &err) != ISO_OK;
	iso_jsonw_add(&w, root, "results", list);
	return iso_cli_json(root, !w.failed, exit_status(sum));
}

static void summary_text(const iso_agenda *a, const command *c, const iso_run_summary *sum,
			 iso_str *out)
{
	const size_t over = sum->finished + sum->done + sum->failed + sum->unsupported;
	const size_t left = sum->selected - over;

	iso_str_addf(out, "\n%zu cells: %zu done now, %zu done before, %zu failed", sum->selected,
		     sum->done, sum->finished, sum->failed);
	if (sum->unsupported + sum->unsupported_before)
		iso_str_addf(out, ", %zu that their method cannot take",
			     sum->unsupported + sum->unsupported_before);
	if (left)
		iso_str_addf(out, ", %zu left", left);
	iso_str_addf(out, "; %zu trained, %zu judged, %zu reused; %.1f s\n", sum->trained,
		     sum->judged, sum->reused, sum->seconds);
	for (size_t i = 0; i < sum->nfailure; i++) {
		const iso_failure *f = &sum->failure[i];
		char eps[32];

		iso_eps_text(f->cell->epsilon, eps);
		iso_str_addf(out, "  failed: %.8s %s, %s, epsilon %s, seed %llu: %s\n",
			     f->cell->key, a->suite->dataset[f->cell->dataset].label,
			     a->suite->generator[f->cell->generator].label, eps,
			     (unsigned long long)f->cell->seed, f->text);
	}
	if (sum->lost)
		iso_str_addf(out,
			     "  lost: %zu judgement%s that crashed or ran out of time (the next "
			     "run tries again; isoeps explain shows why)\n",
			     sum->lost, sum->lost == 1 ? "" : "s");
	if (sum->refuted)
		iso_str_addf(out,
			     "  refuted: %zu cell%s of a method that declares differential "
			     "privacy, and does not keep it (isoeps explain shows the verdict)\n",
			     sum->refuted, sum->refuted == 1 ? "" : "s");
	iso_str_addf(out, "records  %s/cells\nvalues   %s/results.csv\n", c->dir, c->dir);
	if (!sum->interrupted && sum->selected > sum->failed + left)
		iso_str_addf(out, "report   isoeps report %s   (writes %s/report/index.html)\n",
			     c->dir, c->dir);
}

static int finish(const iso_agenda *a, const command *c, const iso_run_summary *sum,
		  const iso_summary *results, iso_error *err)
{
	iso_str text = {0};
	int status;

	if (c->json) {
		status = summary_json(a, c, sum, results);
	} else if (iso_summary_text(results, &text, err) != ISO_OK) {
		iso_str_free(&text);
		status = iso_cli_fail(err);
	} else {
		summary_text(a, c, sum, &text);
		status = iso_cli_print(&text, exit_status(sum));
	}
	if (sum->interrupted)
		fprintf(stderr,
			"isoeps: error: interrupted (%s): running cells were stopped, finished "
			"ones are kept; resume with the "
			"same command\n",
			c->dir);
	return status;
}

static iso_status summarise(void *ctx, cJSON **record, iso_error *err)
{
	return iso_summary_add(ctx, *record, err);
}

static int run_plan(const iso_agenda *a, const command *c, iso_run_options *o, iso_error *err)
{
	iso_run_summary sum = {0};
	iso_summary results = {0};
	int status;

	if (c->dry_run)
		return dry_run(a, c, o, err);
	o->each = summarise;
	o->each_ctx = &results;
	if (iso_run(a, o, &sum, err) != ISO_OK)
		status = iso_cli_fail(err);
	else
		status = finish(a, c, &sum, &results, err);
	iso_summary_free(&results);
	iso_run_summary_free(&sum);
	return status;
}

int cmd_run(int argc, char **argv)
{
	command c = {.jobs = sysconf(_SC_NPROCESSORS_ONLN)};
	iso_run_options o = {0};
	iso_error err = {0};
	iso_suite *suite = NULL;
	iso_agenda *agenda = NULL;
	const char *path = NULL;
	int helped, status;
	iso_status st = read_command(argc, argv, &c, &path, &helped, &err);

	if (st == ISO_OK && helped)
		return 0;
	if (st == ISO_OK)
		st = parse_shard(c.shard, &o, &err);
	for (size_t i = 0; i < c.plugin.n && st == ISO_OK; i++)
		st = iso_plugin_load(c.plugin.v[i], &err);
	if (st == ISO_OK && c.only.n > ISO_ONLY_MAX)
		st = iso_fail(&err, ISO_E_USAGE,
			      "too many filters (--only): at most %d; give fewer", ISO_ONLY_MAX);
	if (st == ISO_OK)
		st = iso_suite_read(path, &suite, &err);
	if (st == ISO_OK)
		st = iso_agenda_new(suite, &agenda, &err);
	if (st == ISO_OK) {
		snprintf(c.dir, sizeof(c.dir), c.out ? "%s" : "out/%s",
			 c.out ? c.out : suite->name);
		o.dir = c.dir;
		o.jobs = (int)(c.jobs > 0 ? c.jobs : 1);
		o.force = c.force;
		o.nonly = c.only.n;
		memcpy(o.only, c.only.v, c.only.n * sizeof(*o.only));
		status = run_plan(agenda, &c, &o, &err);
	} else {
		status = iso_cli_fail(&err);
	}
	iso_agenda_free(agenda);
	iso_suite_free(suite);
	return status;
}
