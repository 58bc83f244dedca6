// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "cli/running.h"
#include "suites/plugin.h"

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

/* ------------------------------------------------------------------ run */

static int finish(const iso_agenda *a, const command *c, const iso_running *r, iso_error *err)
{
	const iso_run_summary *sum = &r->sum;
	const size_t over = sum->finished + sum->done + sum->failed + sum->unsupported;
	const size_t left = sum->selected - over;
	const int status = iso_running_status(r);
	iso_jsonw w = {0};
	iso_str text = {0};
	cJSON *root;

	if (c->json) {
		root = iso_running_json(a, r, &w);
		return iso_cli_json(root, !w.failed, status);
	}
	if (iso_running_table(r, &text, err) != ISO_OK) {
		iso_str_free(&text);
		return iso_cli_fail(err);
	}
	iso_str_add(&text, "\n");
	iso_running_counts(a, r, &text);
	iso_str_addf(&text, "records  %s/cells\nvalues   %s/results.csv\n", c->dir, c->dir);
	if (!sum->interrupted && sum->selected > sum->failed + left)
		iso_str_addf(&text, "report   isoeps report %s   (writes %s/report/index.html)\n",
			     c->dir, c->dir);
	return iso_cli_print(&text, status);
}

static int run_plan(const iso_agenda *a, const command *c, iso_running *r, iso_error *err)
{
	int status;

	if (c->dry_run)
		return iso_running_plan(a, r, c->json);
	if (iso_running_start(a, r, err) != ISO_OK)
		return iso_cli_fail(err);
	status = finish(a, c, r, err);
	iso_running_warn(r);
	return status;
}

int cmd_run(int argc, char **argv)
{
	command c = {.jobs = sysconf(_SC_NPROCESSORS_ONLN)};
	iso_running r = {0};
	iso_run_options *o = &r.options;
	iso_error err = {0};
	iso_suite *suite = NULL;
	iso_agenda *agenda = NULL;
	const char *path = NULL;
	int helped, status;
	iso_status st = read_command(argc, argv, &c, &path, &helped, &err);

	if (st == ISO_OK && helped)
		return 0;
	if (st == ISO_OK)
		st = parse_shard(c.shard, o, &err);
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
		o->dir = c.dir;
		o->jobs = (int)(c.jobs > 0 ? c.jobs : 1);
		o->force = c.force;
		o->nonly = c.only.n;
		memcpy(o->only, c.only.v, c.only.n * sizeof(*o->only));
		status = run_plan(agenda, &c, &r, &err);
	} else {
		status = iso_cli_fail(&err);
	}
	iso_running_free(&r);
	iso_agenda_free(agenda);
	iso_suite_free(suite);
	return status;
}
