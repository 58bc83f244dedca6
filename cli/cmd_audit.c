// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "cli/summary.h"
#include "core/base/alloc.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/data/catalogue.h"
#include "core/io/json.h"
#include "suites/flow/audit.h"
#include "suites/flow/verify.h"
#include "suites/plugin.h"

static const iso_verb_help help = {
	.verb = "audit",
	.operands = "NAME",
	.summary = "a lower bound on epsilon from many trainings: does the claim hold?",
	.text = "Trains the generator many times without and with one record, and tries to tell "
		"the two "
		"from what is released: synthetic\n"
		"rows, the score of the record, and all noisy sums and votes.  The bounds hold "
		"with "
		"probability 1 - alpha.  The claim\n"
		"is the accountant's whole curve delta(epsilon) of what was booked; a generator "
		"without "
		"a finite epsilon is held to\n"
		"--epsilon.  The default is the worst case that is quick: four equal rows of three "
		"columns, and a record that\n"
		"differs in every one (micro); gradient scales its gradient to ten times the clip "
		"bound as well.  Verdicts: violation, tight, saturated, underpowered, loose "
		"(docs/privacy.md).\n"
		"Exit status 1 on a violation.\n\n"
		"Examples:\n"
		"  isoeps audit dp-cgan\n"
		"  isoeps audit memorise\n"
		"  isoeps audit pate-gan --epsilon 1 --runs 1000 --jobs 2 --out out/audit\n",
	.min_operands = 1,
	.max_operands = 1,
};

typedef struct settings {
	const char *data, *schema, *plugin, *adjacency, *accountant, *threshold, *canary, *out;
	double epsilon, delta, alpha;
	int64_t runs, rows, seed, jobs, one_run;
	int json;
	iso_arg_list set;
} settings;

static iso_status one_of(const char *flag, const char *value, const char *const *names, size_t n,
			 int *out, iso_error *err)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(value, names[i]) == 0) {
			*out = (int)i;
			return ISO_OK;
		}
	return iso_fail(err, ISO_E_USAGE, "unknown value (%s %.40s): see isoeps audit --help", flag,
			value);
}

/* ------------------------------------------------------------------ the worlds */

typedef struct worlds {
	iso_schema *schema; /* owned in the micro world */
	iso_dataset *data;  /* owned otherwise */
	iso_world world;
	iso_table *table, *target;
	int micro;
} worlds;

static void worlds_free(worlds *w)
{
	if (w->micro) {
		iso_table_free(w->table);
		iso_table_free(w->target);
	}
	iso_world_free(&w->world);
	iso_dataset_free(w->data);
	iso_schema_free(w->schema);
}

/* Real rows, and a record at alternate bounds: a natural table with a target that stands apart. */
static iso_status natural(const settings *s, worlds *w, iso_error *err)
{
	iso_table *some = NULL;
	uint32_t *row;
	size_t n;
	iso_status st;

	if (s->data && s->schema)
		ISO_TRY(iso_dataset_from_files(s->data, s->schema, &w->data, err));
	else
		ISO_TRY(iso_dataset_load(s->data ? s->data : "wdbc", NULL, &w->data, err));
	n = w->data->table->n < (size_t)s->rows ? w->data->table->n : (size_t)s->rows;
	row = iso_alloc(n + 1, sizeof(*row));
	if (!row)
		return iso_no_memory(err, "rows of an audit");
	for (size_t i = 0; i < n; i++)
		row[i] = (uint32_t)(i * w->data->table->n / n);
	st = iso_table_select(w->data->table, row, n, &some, err);
	iso_free(row);
	if (st == ISO_OK)
		st = iso_world_natural(some, (uint64_t)s->seed, 12, &w->world, err);
	iso_table_free(some);
	ISO_TRY(st);
	w->table = w->world.base;
	for (size_t i = 0; i < w->world.npair; i++)
		if (w->world.pair[i].op == ISO_PAIR_ADD &&
		    strstr(w->world.pair[i].name, "alternate"))
			w->target = w->world.pair[i].record;
	ISO_FAIL_IF(!w->target, err, ISO_E_INTERNAL, "no target (audit): none was crafted");
	return ISO_OK;
}

/* ------------------------------------------------------------------ printing */

static void say_test(const iso_audit_result *x, int s, iso_str *out)
{
	const iso_audit_test *t = &x->test[s];

	iso_str_addf(out, "  %-9s ", iso_statistic_name((iso_statistic)s));
	if (!t->applies) {
		iso_str_add(out, "nothing to tell the worlds apart by\n");
		return;
	}
	iso_str_addf(
		out,
		"FP %zu of %zu, FN %zu of %zu; epsilon >= %.3f; mu >= %.3f (%s epsilon >= %.3f); "
		"credible %.3f%s",
		t->counts.fp, t->counts.n_out, t->counts.fn, t->counts.n_in, t->epsilon, t->mu,
		x->gaussian ? "Gaussian:" : "if Gaussian,", t->gdp, t->zanella,
		t->rejected ? "" : "\n");
	if (t->rejected)
		iso_str_addf(out, "\n            the claim is rejected at its point epsilon %.3f\n",
			     t->at_epsilon);
}

static const char *explain(iso_audit_verdict v)
{
	static const char *const words[] = {"the claim does not hold",
					    "the bound reaches 80 % of the accounted epsilon",
					    "a perfect attack; more runs would raise the bound",
					    "not even a perfect attack on so many runs could "
					    "refute the claim; use more runs, or a "
					    "smaller --epsilon",
					    "the attacks do not find as much as is allowed"};

	return words[v];
}

static void say_text(const char *name, const settings *s, const iso_audit_result *x, double seconds,
		     iso_str *out)
{
	char eps[32];

	iso_eps_text(x->accounted, eps);
	iso_str_addf(out, "%s: %lld runs without the record and as many with it, %s, %s canary\n",
		     name, (long long)s->runs, s->adjacency, s->canary);
	iso_str_addf(
		out,
		"target epsilon %g, accounted %s at delta %g, guarantee %s\naudited epsilon %.3f, "
		"with probability %g; ceiling of %zu judged runs %.3f\n",
		x->target, eps, s->delta, iso_guarantee_name(x->guarantee), x->epsilon,
		1 - s->alpha, x->judged, x->ceiling);
	if (x->gaussian)
		iso_str_addf(out, "the claim is Gaussian: by the GDP bound epsilon >= %.3f\n",
			     x->gdp_epsilon);
	if (x->failed[0] + x->failed[1])
		iso_str_addf(out, "runs that failed, counted as outcomes: %zu without, %zu with\n",
			     x->failed[0], x->failed[1]);
	for (int k = 0; k < ISO_STAT_COUNT; k++)
		say_test(x, k, out);
	iso_str_addf(out, "\n%s: %s (%.1f s)\n", iso_audit_verdict_name(x->verdict),
		     explain(x->verdict), seconds);
}

static int say_json(const char *name, const settings *s, const iso_audit_result *x, int status)
{
	cJSON *o = cJSON_CreateObject(), *tests;
	int ok = o && cJSON_AddStringToObject(o, "generator", name) &&
		 cJSON_AddStringToObject(o, "verdict", iso_audit_verdict_name(x->verdict)) &&
		 iso_json_add_number(o, "target_epsilon", x->target) &&
		 iso_json_add_number(o, "accounted_epsilon", x->accounted) &&
		 iso_json_add_number(o, "audited_epsilon", x->epsilon) &&
		 iso_json_add_number(o, "gdp_epsilon", x->gdp_epsilon) &&
		 iso_json_add_number(o, "ceiling", x->ceiling) &&
		 iso_json_add_number(o, "delta", s->delta) &&
		 iso_json_add_number(o, "alpha", s->alpha) &&
		 iso_json_add_number(o, "runs", (double)s->runs) &&
		 iso_json_add_number(o, "judged", (double)x->judged) &&
		 iso_json_add_number(o, "failed_out", (double)x->failed[0]) &&
		 iso_json_add_number(o, "failed_in", (double)x->failed[1]) &&
		 cJSON_AddStringToObject(o, "adjacency", s->adjacency) &&
		 cJSON_AddStringToObject(o, "canary", s->canary) &&
		 cJSON_AddStringToObject(o, "guarantee", iso_guarantee_name(x->guarantee)) &&
		 (tests = cJSON_AddObjectToObject(o, "tests"));

	for (int k = 0; ok && k < ISO_STAT_COUNT; k++) {
		const iso_audit_test *t = &x->test[k];
		cJSON *j;

		if (!t->applies)
			continue;
		j = cJSON_AddObjectToObject(tests, iso_statistic_name((iso_statistic)k));
		ok = j && iso_json_add_number(j, "fp", (double)t->counts.fp) &&
		     iso_json_add_number(j, "fn", (double)t->counts.fn) &&
		     iso_json_add_number(j, "threshold", t->threshold) &&
		     iso_json_add_number(j, "epsilon", t->epsilon) &&
		     iso_json_add_number(j, "mu", t->mu) &&
		     iso_json_add_number(j, "gdp_epsilon", t->gdp) &&
		     iso_json_add_number(j, "credible_epsilon", t->zanella) &&
		     cJSON_AddBoolToObject(j, "rejected", t->rejected);
	}
	return iso_cli_json(o, ok, status);
}

static void say_one_run(const char *name, const settings *s, const iso_one_run_result *x,
			iso_str *out)
{
	char eps[32];

	iso_eps_text(x->accounted, eps);
	iso_str_addf(
		out,
		"%s: one training with %zu canaries, each in with probability 1/2\n"
		"target epsilon %g, accounted %s at delta %g\n"
		"%zu of %zu guesses right: epsilon >= %.3f with probability %g; if Gaussian, mu "
		">= %.3f, epsilon >= %.3f\n\n%s\n",
		name, x->canaries, s->epsilon, eps, s->delta, x->right, x->guesses, x->epsilon,
		1 - s->alpha, x->mu, x->gdp,
		x->violation ? "violation: the claim does not hold"
			     : "loose: one run finds gross faults alone, and found none");
}

static int one_run_json(const char *name, const settings *s, const iso_one_run_result *x)
{
	cJSON *o = cJSON_CreateObject();
	int ok = o && cJSON_AddStringToObject(o, "generator", name) &&
		 cJSON_AddStringToObject(o, "verdict", x->violation ? "violation" : "loose") &&
		 iso_json_add_number(o, "target_epsilon", s->epsilon) &&
		 iso_json_add_number(o, "accounted_epsilon", x->accounted) &&
		 iso_json_add_number(o, "audited_epsilon", x->epsilon) &&
		 iso_json_add_number(o, "mu", x->mu) &&
		 iso_json_add_number(o, "gdp_epsilon", x->gdp) &&
		 iso_json_add_number(o, "canaries", (double)x->canaries) &&
		 iso_json_add_number(o, "guesses", (double)x->guesses) &&
		 iso_json_add_number(o, "right", (double)x->right) &&
		 iso_json_add_number(o, "alpha", s->alpha);

	return iso_cli_json(o, ok, x->violation);
}

/* ------------------------------------------------------------------ the verb */

static void tell(void *ctx, size_t done, size_t all, double seconds)
{
	int *shown = ctx;
	const int percent = (int)(100 * done / all);

	if (done == 0)
		iso_note("%zu runs, estimated %.1f s", all, seconds);
	if (percent < *shown + 10)
		return;
	*shown = percent;
	iso_note("%zu of %zu runs, about %.0f s left", done, all, seconds);
}

static iso_status resolve(const char *name, const settings *s, const iso_generator **g,
			  void **options, iso_str *note, iso_error *err)
{
	cJSON *values;
	iso_status st = ISO_OK;

	if (s->plugin)
		ISO_TRY(iso_plugin_load(s->plugin, err));
	ISO_TRY(iso_generator_find(name, g, err));
	values = cJSON_CreateObject();
	*options = iso_alloc(1, (*g)->options_size + 1);
	if (!values || !*options)
		st = iso_no_memory(err, "options");
	for (size_t i = 0; i < s->set.n && st == ISO_OK; i++)
		st = iso_options_set(values, s->set.v[i], err);
	if (st == ISO_OK)
		st = iso_audit_shrink(*g, values, note, err);
	if (st == ISO_OK)
		st = iso_options_resolve((*g)->options, values, name, *options, (*g)->options_size,
					 NULL, err);
	cJSON_Delete(values);
	return st;
}

static iso_status run(const char *name, const settings *s, iso_audit_request *r,
		      iso_audit_result *out, iso_one_run_result *one, iso_str *note, iso_error *err)
{
	worlds w = {.micro = strcmp(s->canary, "natural") != 0 && !s->one_run};
	void *options = NULL;
	int shown = 0;
	iso_status st;

	ISO_TRY_OUT(resolve(name, s, &r->generator, &options, note, err));
	if (w.micro)
		ISO_TRY_OUT(iso_audit_micro(r->generator, options, &w.schema, &w.table, &w.target,
					    err));
	else
		ISO_TRY_OUT(natural(s, &w, err));
	r->options = options;
	r->table = w.table;
	r->target = w.target;
	r->tell = tell;
	r->tell_ctx = &shown;
	if (s->one_run)
		st = iso_audit_one_run(r, (size_t)s->one_run, one, err);
	else
		st = iso_audit(r, out, err);
out:
	worlds_free(&w);
	iso_free(options);
	return st;
}

static iso_status read_settings(int argc, char **argv, settings *s, const char **name,
				iso_audit_request *r, int *helped, iso_error *err)
{
	static const char *const adjacencies[] = {"add-remove", "replace-one"},
				 *const accountants[] = {"pld", "rdp"},
				 *const rules[] = {"hold-out", "fixed", "bonferroni"},
				 *const canaries[] = {"gradient", "micro", "natural"};
	const iso_arg table[] = {
		{"--set", ISO_ARG_TEXTS, &s->set, "OPTION=VALUE", "an option of the generator"},
		{"--epsilon", ISO_ARG_REAL, &s->epsilon, "E", "target of the training (default 1)",
		 1e-6, 1e6},
		{"--delta", ISO_ARG_REAL, &s->delta, "D", "delta of the training (default 1e-5)",
		 1e-15, 0.5},
		{"--adjacency", ISO_ARG_TEXT, &s->adjacency, "NAME", "add-remove or replace-one"},
		{"--accountant", ISO_ARG_TEXT, &s->accountant, "NAME", "pld (default) or rdp"},
		{"--canary", ISO_ARG_TEXT, &s->canary, "KIND",
		 "gradient (default), micro or natural (rows of --data)"},
		{"--data", ISO_ARG_TEXT, &s->data, "F",
		 "for natural: a CSV (with --schema) or a data set's name (default wdbc)"},
		{"--schema", ISO_ARG_TEXT, &s->schema, "F", "its public schema"},
		{"--rows", ISO_ARG_INT, &s->rows, "N", "rows of a natural table (default 100)", 8,
		 100000},
		{"--runs", ISO_ARG_INT, &s->runs, "N", "runs of each world (default 750)", 12,
		 1000000},
		{"--one-run", ISO_ARG_INT, &s->one_run, "M",
		 "one training with M canaries instead of many trainings (natural table)", 20,
		 1000000},
		{"--alpha", ISO_ARG_REAL, &s->alpha, "A",
		 "probability of a false alarm, over all statistics (default 1e-3)", 1e-12, 0.5},
		{"--threshold", ISO_ARG_TEXT, &s->threshold, "RULE",
		 "hold-out (default), fixed or bonferroni"},
		{"--seed", ISO_ARG_INT, &s->seed, "N", "seed of the runs (default 1)", 0, 1e12},
		{"--jobs", ISO_ARG_INT, &s->jobs, "N", "processes (default: one per core)", 1,
		 1024},
		{"--out", ISO_ARG_TEXT, &s->out, "DIR",
		 "keep finished runs there, and go on from those that are"},
		{"--plugin", ISO_ARG_TEXT, &s->plugin, "F", "a shared object with a generator"},
		{"--json", ISO_ARG_FLAG, &s->json, NULL, "machine-readable output"},
		{0}};
	int adjacency = 0, accountant = 0, rule = 0, canary = 0;
	size_t n;

	ISO_TRY(iso_args_read(&help, table, argc, argv, name, &n, helped, err));
	if (*helped)
		return ISO_OK;
	ISO_TRY(one_of("--adjacency", s->adjacency, adjacencies, 2, &adjacency, err));
	ISO_TRY(one_of("--accountant", s->accountant, accountants, 2, &accountant, err));
	ISO_TRY(one_of("--threshold", s->threshold, rules, 3, &rule, err));
	ISO_TRY(one_of("--canary", s->canary, canaries, 3, &canary, err));
	*r = (iso_audit_request){.epsilon = s->epsilon,
				 .delta = s->delta,
				 .adjacency = adjacency ? ISO_REPLACE_ONE : ISO_ADD_REMOVE,
				 .accountant = accountant ? ISO_ACC_RDP : ISO_ACC_PLD,
				 .seed = (uint64_t)s->seed,
				 .runs = (size_t)s->runs,
				 .alpha = s->alpha,
				 .threshold = (iso_threshold)rule,
				 .jobs = (size_t)s->jobs,
				 .dir = s->out,
				 .gradient_canary = canary == 0};
	return ISO_OK;
}

int cmd_audit(int argc, char **argv)
{
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);
	settings s = {.adjacency = "add-remove",
		      .accountant = "pld",
		      .threshold = "hold-out",
		      .canary = "gradient",
		      .epsilon = 1,
		      .delta = 1e-5,
		      .alpha = 1e-3,
		      .runs = 750,
		      .rows = 100,
		      .seed = 1,
		      .jobs = cores > 0 ? cores : 1};
	const double start = iso_clock_wall();
	const char *name = NULL;
	iso_audit_request r;
	iso_audit_result x = {0};
	iso_one_run_result one = {0};
	iso_str text = {0}, note = {0};
	iso_error err = {0};
	int helped = 0, status;
	iso_status st = read_settings(argc, argv, &s, &name, &r, &helped, &err);

	if (st == ISO_OK && helped)
		return 0;
	if (st == ISO_OK)
		st = run(name, &s, &r, &x, &one, &note, &err);
	if (st != ISO_OK) {
		iso_str_free(&note);
		return iso_cli_fail(&err);
	}
	status = x.verdict == ISO_AUDIT_VIOLATION;
	if (note.n)
		iso_str_addf(&text, "made small for this audit: %s (choose with --set)\n", note.p);
	iso_str_free(&note);
	if (s.one_run && s.json) {
		iso_str_free(&text);
		return one_run_json(name, &s, &one);
	}
	if (s.one_run) {
		say_one_run(name, &s, &one, &text);
		return iso_cli_print(&text, one.violation);
	}
	if (s.json) {
		iso_str_free(&text);
		return say_json(name, &s, &x, status);
	}
	say_text(name, &s, &x, iso_clock_wall() - start, &text);
	return iso_cli_print(&text, status);
}
