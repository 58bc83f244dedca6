// SPDX-License-Identifier: Apache-2.0
/* From a table to the page: a suite is written from the command line, run and reported. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "cli/running.h"
#include "core/base/alloc.h"
#include "core/base/log.h"
#include "core/io/file.h"
#include "reports/report.h"
#include "suites/plugin.h"

/* Marginal methods, a network and a mixture, two GANs, an autoencoder: what is ready within minutes
 * on a table of some thousand rows. */
static const char default_methods[] = "mst,aim,privbayes,dp-copula,dp-cgan,ddp-bvae,pate-gan";
static const char default_attacks[] = "gan-leaks,domias,classifier";
static const char default_metrics[] = "tstr,marginals,discriminator";

static const iso_verb_help help = {
	.verb = "compare",
	.operands = "FILE.csv",
	.summary = "compare methods on your own table: from the CSV to the page",
	.text = "Trains every method on half of the rows at each epsilon, attacks it, tests what "
		"its rows are good for on\n"
		"rows that it never saw, prints the ranking and writes the page.  The baseline "
		"`independent` and the\n"
		"controls `memorise` and `uniform` are always among them.\n\n"
		"Without --schema the types, bounds and categories of the columns are estimated "
		"from the rows with\n"
		"noise, and every training pays for that out of its epsilon; the draft is "
		"DIR/schema.json.  Bounds that\n"
		"are publicly known are better: write them into a schema (isoeps schema infer "
		"drafts one).\n\n"
		"What was done is an ordinary run: DIR/suite.json can be extended and run again, "
		"and the same command\n"
		"resumes an interrupted comparison.\n\n"
		"Examples:\n"
		"  isoeps compare people.csv --label ill\n"
		"  isoeps compare people.csv --schema people.json --epsilon 0.5,2,8 --methods "
		"mst,dp-cgan --seeds 5\n",
	.min_operands = 1,
	.max_operands = 1,
};

typedef struct command {
	const char *csv, *schema, *epsilon, *methods, *attacks, *metrics, *out, *label;
	const char *separator, *decimal;
	double delta, schema_epsilon;
	int64_t seeds, jobs;
	iso_arg_list type, plugin;
	int dry_run, json;
	char name[64], dir[4096];
} command;

/* The stem of the file in the characters of a suite's name. */
static void name_of(const char *csv, char out[64])
{
	const char *base = strrchr(csv, '/');
	size_t n = 0;

	for (base = base ? base + 1 : csv; *base && *base != '.' && n < 60; base++)
		out[n++] =
			isalnum((unsigned char)*base) || *base == '-' || *base == '_' ? *base : '_';
	out[n] = 0;
	if (n == 0)
		snprintf(out, 64, "table");
}

static iso_status read_command(int argc, char **argv, command *c, int *helped, iso_error *err)
{
	const iso_arg table[] = {
		{"--schema", ISO_ARG_TEXT, &c->schema, "FILE",
		 "the public schema of the table, JSON (default: a private one is estimated)"},
		{"--label", ISO_ARG_TEXT, &c->label, "COLUMN",
		 "without --schema: the column to predict (default: by its name)"},
		{"--epsilon", ISO_ARG_TEXT, &c->epsilon, "LIST", "budgets (default: 1,8)"},
		{"--delta", ISO_ARG_REAL, &c->delta, "D", "default: 1e-5", 1e-15, 0.5},
		{"--schema-epsilon", ISO_ARG_REAL, &c->schema_epsilon, "E",
		 "without --schema: what of it the schema costs (default: half of the smallest)",
		 1e-6, 1e6},
		{"--type", ISO_ARG_TEXTS, &c->type, "COLUMN=TYPE",
		 "without --schema: continuous, integer, categorical or id, if publicly known"},
		{"--separator", ISO_ARG_TEXT, &c->separator, "C",
		 "without --schema: , ; | or tab (default: detected)"},
		{"--decimal", ISO_ARG_TEXT, &c->decimal, "C",
		 "without --schema: . or , (default: detected)"},
		{"--methods", ISO_ARG_TEXT, &c->methods, "LIST",
		 "generators (default: mst,aim,privbayes,dp-copula,dp-cgan,ddp-bvae,pate-gan)"},
		{"--attacks", ISO_ARG_TEXT, &c->attacks, "LIST",
		 "default: gan-leaks,domias,classifier; \"all\" for every one, which takes longer"},
		{"--metrics", ISO_ARG_TEXT, &c->metrics, "LIST",
		 "default: tstr,marginals,discriminator; \"all\" for every one"},
		{"--seeds", ISO_ARG_INT, &c->seeds, "N",
		 "trainings of each method at each epsilon (default: 3)", 1, 1000},
		{"--out", ISO_ARG_TEXT, &c->out, "DIR",
		 "output directory (default: out/NAME of the file)"},
		{"--jobs", ISO_ARG_INT, &c->jobs, "N",
		 "worker processes at a time (default: one per core)", 1, 4096},
		{"--dry-run", ISO_ARG_FLAG, &c->dry_run, NULL,
		 "print the plan and an estimate of the time; run nothing"},
		{"--plugin", ISO_ARG_TEXTS, &c->plugin, "FILE.so",
		 "load a generator, attack or metric from a shared object"},
		{"--json", ISO_ARG_FLAG, &c->json, NULL,
		 "machine-readable summary on standard output"},
		{0}};
	size_t n;

	ISO_TRY(iso_args_read(&help, table, argc, argv, &c->csv, &n, helped, err));
	if (*helped)
		return ISO_OK;
	ISO_FAIL_IF(c->schema && (c->label || c->type.n || c->separator || c->decimal ||
				  c->schema_epsilon > 0),
		    err, ISO_E_USAGE,
		    "options that exclude each other (isoeps compare): --label, --type, "
		    "--separator, --decimal and --schema-epsilon describe a table without a "
		    "schema; leave them out or leave --schema out");
	ISO_FAIL_IF(!iso_file_exists(c->csv), err, ISO_E_USAGE,
		    "no such file (%s): a CSV with a header is needed", c->csv);
	name_of(c->csv, c->name);
	snprintf(c->dir, sizeof(c->dir), c->out ? "%s" : "out/%s", c->out ? c->out : c->name);
	return ISO_OK;
}

/* ------------------------------------------------------------------ the suite */

/* "a,b": each word into the list, without what is in it already. */
static void add_words(iso_jsonw *w, cJSON *list, const char *words)
{
	while (*words) {
		const size_t n = strcspn(words, ",");
		char word[128];
		const cJSON *v;
		int known = n == 0;

		snprintf(word, sizeof(word), "%.*s", (int)(n < 127 ? n : 127), words);
		cJSON_ArrayForEach(v, list) known |= strcmp(v->valuestring, word) == 0;
		if (!known)
			iso_jsonw_text(w, list, NULL, word);
		words += n + (words[n] == ',');
	}
}

static iso_status add_epsilons(iso_jsonw *w, cJSON *root, const char *text, double *least,
			       iso_error *err)
{
	cJSON *list = iso_jsonw_array(w, root, "epsilons");

	*least = INFINITY;
	for (const char *p = text; *p;) {
		char *end;
		const double x = strtod(p, &end);

		ISO_FAIL_IF(end == p || (*end && *end != ',') || !(x > 0), err, ISO_E_USAGE,
			    "not a list of budgets (--epsilon %.80s): write numbers above 0 with "
			    "commas between them, such as 1,8",
			    text);
		iso_jsonw_number(w, list, NULL, x);
		*least = fmin(*least, x);
		p = end + (*end == ',');
	}
	ISO_FAIL_IF(isinf(*least), err, ISO_E_USAGE,
		    "no budget (--epsilon): give at least one, such as --epsilon 1");
	return ISO_OK;
}

/* {"private": {..}}: what the columns are is paid for. */
static iso_status add_private(const command *c, iso_jsonw *w, cJSON *dataset, double least,
			      iso_error *err)
{
	cJSON *p = iso_jsonw_object(w, iso_jsonw_object(w, dataset, "schema"), "private");
	const double e = c->schema_epsilon > 0 ? c->schema_epsilon : least / 2;
	const char tab = '\t';

	ISO_FAIL_IF(!(e < least), err, ISO_E_USAGE,
		    "nothing left (--schema-epsilon %g): the smallest budget is %g, and a method "
		    "gets what the schema leaves; give less",
		    e, least);
	iso_jsonw_number(w, p, "epsilon", e);
	iso_jsonw_number(w, p, "delta", c->delta / 10);
	if (c->label)
		iso_jsonw_text(w, p, "label", c->label);
	if (c->separator)
		iso_jsonw_text(w, p, "separator",
			       strcmp(c->separator, "tab") == 0 ? (char[]){tab, 0} : c->separator);
	if (c->decimal)
		iso_jsonw_text(w, p, "decimal", c->decimal);
	if (c->type.n)
		p = iso_jsonw_object(w, p, "types");
	for (size_t i = 0; i < c->type.n; i++) {
		const char *sign = strrchr(c->type.v[i], '=');
		char column[256];

		ISO_FAIL_IF(!sign || sign == c->type.v[i], err, ISO_E_USAGE,
			    "wrong type (--type %.80s): write COLUMN=TYPE", c->type.v[i]);
		snprintf(column, sizeof(column), "%.*s", (int)(sign - c->type.v[i]), c->type.v[i]);
		iso_jsonw_text(w, p, column, sign + 1);
	}
	return ISO_OK;
}

static iso_status write_suite(const command *c, iso_str *out, iso_error *err)
{
	iso_jsonw w = {0};
	cJSON *root = iso_jsonw_object(&w, NULL, NULL), *list, *dataset;
	double least;
	iso_status st;

	iso_jsonw_text(&w, root, "name", c->name);
	list = iso_jsonw_array(&w, root, "datasets");
	dataset = iso_jsonw_object(&w, list, NULL);
	iso_jsonw_text(&w, dataset, "name", c->name);
	iso_jsonw_text(&w, dataset, "csv", c->csv);
	ISO_TRY_OUT(add_epsilons(&w, root, c->epsilon, &least, err));
	if (c->schema)
		iso_jsonw_text(&w, dataset, "schema", c->schema);
	else
		ISO_TRY_OUT(add_private(c, &w, dataset, least, err));
	list = iso_jsonw_array(&w, root, "generators");
	add_words(&w, list, c->methods);
	/* in every comparison: the simple private baseline, a copy, a method that sees no data */
	for (size_t i = 0; i < iso_generator_count(); i++)
		if (iso_generator_at(i)->control)
			add_words(&w, list, iso_generator_at(i)->name);
	if (strcmp(c->attacks, "all") != 0)
		add_words(&w, iso_jsonw_array(&w, root, "attacks"), c->attacks);
	if (strcmp(c->metrics, "all") != 0)
		add_words(&w, iso_jsonw_array(&w, root, "metrics"), c->metrics);
	iso_jsonw_number(&w, root, "seeds", (double)c->seeds);
	iso_jsonw_number(&w, root, "delta", c->delta);
	st = w.failed ? iso_no_memory(err, "the suite") : iso_json_pretty(root, out, err);
out:
	cJSON_Delete(root);
	return st;
}

/* ------------------------------------------------------------------ a schema without one */

static void say_lines(const char *text)
{
	while (text && *text) {
		const size_t n = strcspn(text, "\n");

		iso_note("%.*s", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

/* The release that the run draws again from the same seed, for the notes and for DIR/schema.json.
 */
static iso_status draft_schema(const iso_suite *s, const command *c, iso_error *err)
{
	iso_private_schema q = *s->dataset[0].private_schema;
	iso_str notes = {0}, text = {0}, path = {0};
	iso_schema *schema = NULL;
	cJSON *v = NULL;
	iso_status st;

	q.csv = s->dataset[0].csv;
	q.adjacency = s->adjacency;
	q.seed = s->seed[0];
	ISO_TRY_OUT(iso_schema_infer_private(&q, &schema, &notes, err));
	iso_note("no --schema: what the columns are was estimated with noise, for epsilon %g and "
		 "delta %g of every budget",
		 q.epsilon, q.delta);
	say_lines(notes.p);
	if (c->dry_run)
		goto out;
	ISO_TRY_OUT(iso_schema_to_json(schema, &v, err));
	ISO_TRY_OUT(iso_json_pretty(v, &text, err));
	iso_str_addf(&path, "%s/schema.json", c->dir);
	ISO_TRY_OUT(iso_str_check(&path, err));
	ISO_TRY_OUT(iso_make_dirs(c->dir, err));
	ISO_TRY_OUT(iso_file_write_atomic(path.p, text.p, text.n, err));
	iso_note("the draft is %s; a schema of publicly known bounds costs nothing: see isoeps "
		 "schema infer --help",
		 path.p);
out:
	iso_str_free(&notes);
	iso_str_free(&text);
	iso_str_free(&path);
	cJSON_Delete(v);
	iso_schema_free(schema);
	return st;
}

/* ------------------------------------------------------------------ run, report, say */

static int say_text(const iso_agenda *a, const command *c, const iso_running *r,
		    const iso_report_summary *page, iso_error *err)
{
	iso_str text = {0};

	if (iso_report_answers(c->dir, &text, err) != ISO_OK) {
		iso_str_free(&text);
		return iso_cli_fail(err);
	}
	iso_running_counts(a, r, &text);
	if (page->no_gnuplot)
		iso_str_add(&text, "gnuplot was not found: the page has no figures\n");
	iso_str_addf(&text, "page     %s/report/index.html\nvalues   %s/results.csv\n", c->dir,
		     c->dir);
	return iso_cli_print(&text, iso_running_status(r));
}

static int say_json(const iso_agenda *a, const command *c, const iso_running *r)
{
	iso_jsonw w = {0};
	cJSON *root = iso_running_json(a, r, &w);
	iso_str page = {0};

	iso_str_addf(&page, "%s/report/index.html", c->dir);
	iso_jsonw_text(&w, root, "page", page.p ? page.p : "");
	iso_str_free(&page);
	return iso_cli_json(root, !w.failed, iso_running_status(r));
}

static int compare(const iso_agenda *a, const command *c, iso_running *r, iso_error *err)
{
	iso_report_summary page = {0};
	int status;

	if (c->dry_run)
		return iso_running_plan(a, r, c->json);
	if (iso_running_start(a, r, err) != ISO_OK)
		return iso_cli_fail(err);
	if (r->sum.interrupted) {
		iso_running_warn(r);
		return iso_running_status(r);
	}
	if (iso_report_write(c->dir, NULL, ISO_REPORT_ALL, NULL, &page, err) != ISO_OK)
		return iso_cli_fail(err);
	status = c->json ? say_json(a, c, r) : say_text(a, c, r, &page, err);
	return status;
}

int cmd_compare(int argc, char **argv)
{
	command c = {.epsilon = "1,8",
		     .methods = default_methods,
		     .attacks = default_attacks,
		     .metrics = default_metrics,
		     .delta = 1e-5,
		     .seeds = 3,
		     .jobs = sysconf(_SC_NPROCESSORS_ONLN)};
	iso_running r = {0};
	iso_error err = {0};
	iso_suite *suite = NULL;
	iso_agenda *agenda = NULL;
	iso_str text = {0};
	int helped = 0, status = 0;
	iso_status st = read_command(argc, argv, &c, &helped, &err);

	if (st == ISO_OK && helped)
		return 0;
	for (size_t i = 0; i < c.plugin.n && st == ISO_OK; i++)
		st = iso_plugin_load(c.plugin.v[i], &err);
	if (st == ISO_OK)
		st = write_suite(&c, &text, &err);
	if (st == ISO_OK)
		st = iso_suite_parse(text.p, text.n, "isoeps compare", "", &suite, &err);
	if (st == ISO_OK && suite->dataset[0].private_schema)
		st = draft_schema(suite, &c, &err);
	if (st == ISO_OK)
		st = iso_agenda_new(suite, &agenda, &err);
	if (st == ISO_OK) {
		r.options = (iso_run_options){.dir = c.dir,
					      .jobs = c.jobs > 0 ? (int)c.jobs : 1,
					      .shard = 1,
					      .shards = 1};
		status = compare(agenda, &c, &r, &err);
	} else {
		status = iso_cli_fail(&err);
	}
	iso_running_free(&r);
	iso_agenda_free(agenda);
	iso_suite_free(suite);
	iso_str_free(&text);
	return status;
}
