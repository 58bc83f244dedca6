// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "core/base/alloc.h"
#include "core/base/clock.h"
#include "core/data/catalogue.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "suites/flow/verify.h"
#include "results/record.h"
#include "suites/plugin.h"
#include "suites/recheck.h"

static const iso_verb_help help = {
	.verb = "verify",
	.operands = "NAME|DIR",
	.summary = "does private data flow around the ledger?",
	.text = "verify NAME trains the generator on a table while every noisy release is "
		"recorded, then on "
		"neighbouring tables\n"
		"with the recorded releases given back.  Every aggregate may move by its declared "
		"sensitivity at most; "
		"the model\n"
		"and its samples must be the same bytes.  Deterministic, seconds; docs/privacy.md "
		"says what it "
		"proves.\n"
		"verify DIR --ledger recomputes the epsilon of every cell of a run from its stored "
		"ledger, and compares\n"
		"the ledger with the plan of the suite.  A number that is missing does not pass.\n"
		"Exit status 1 whenever private data flow around the ledger, also for generators "
		"that claim "
		"nothing.\n\n"
		"Examples:\n"
		"  isoeps verify dp-cgan\n"
		"  isoeps verify dp-cgan --set mode=paper\n"
		"  isoeps verify out/demo --ledger\n",
	.min_operands = 1,
	.max_operands = 1,
};

typedef struct settings {
	const char *data, *schema, *plugin, *adjacency, *accountant;
	double epsilon, delta;
	int64_t pairs, rows, seed;
	int json, ledger, thorough;
	iso_arg_list set;
} settings;

/* ------------------------------------------------------------------ the table D */

/* The first data sets without files that a method accepts; made small, since runs are many. */
static const char *const embedded[] = {"sim-census", "wdbc", "sim-mixture", "digits", "sim-series"};

static iso_status load_embedded(const char *name, double rows, double seed, iso_dataset **out,
				iso_error *err)
{
	cJSON *o = cJSON_CreateObject();
	iso_status st;

	if (!o || (strncmp(name, "sim-", 4) == 0 && (!iso_json_add_number(o, "rows", rows) ||
						     !iso_json_add_number(o, "seed", seed)))) {
		cJSON_Delete(o);
		return iso_no_memory(err, "options of a data set");
	}
	st = iso_dataset_load(name, o, out, err);
	cJSON_Delete(o);
	return st;
}

/* Does the method accept this schema?  Asked of `accepts` and of check, before any training. */
static int accepts(const iso_generator *g, const void *options, const iso_dataset *d,
		   const settings *s, size_t n)
{
	const iso_gen_env env = {.schema = d->schema,
				 .n = n,
				 .options = options,
				 .epsilon = s->epsilon,
				 .delta = s->delta,
				 .adjacency = ISO_ADD_REMOVE};
	iso_error unused = {0};

	return iso_generator_accepts(g, &env, &unused) == ISO_OK &&
	       (!g->check || g->check(&env, &unused) == ISO_OK);
}

static iso_status find_data(const iso_generator *g, const void *options, const settings *s,
			    iso_dataset **out, iso_error *err)
{
	if (s->data && s->schema)
		return iso_dataset_from_files(s->data, s->schema, out, err);
	ISO_FAIL_IF(s->schema, err, ISO_E_USAGE,
		    "--schema without --data (verify): give both, or neither for embedded data");
	if (s->data)
		return load_embedded(s->data, (double)s->rows, (double)s->seed, out, err);
	for (size_t i = 0; i < ISO_COUNT(embedded); i++) {
		ISO_TRY(load_embedded(embedded[i], (double)s->rows, (double)s->seed, out, err));
		if (i + 1 == ISO_COUNT(embedded) || accepts(g, options, *out, s, (size_t)s->rows))
			return ISO_OK;
		iso_dataset_free(*out);
		*out = NULL;
	}
	return ISO_OK;
}

/* `rows` rows of the table, drawn by the seed. */
static iso_status take_rows(const iso_table *t, int64_t rows, int64_t seed, iso_table **out,
			    iso_error *err)
{
	const size_t n = t->n < (size_t)rows ? t->n : (size_t)rows;
	iso_stream s = iso_stream_new(iso_key_new((uint64_t)seed, "verify/rows"));
	uint32_t *row = iso_alloc(t->n + 1, sizeof(*row));
	iso_status st;

	if (!row)
		return iso_no_memory(err, "rows of a verification");
	for (size_t r = 0; r < t->n; r++)
		row[r] = (uint32_t)r;
	if (n < t->n)
		iso_shuffle(&s, row, t->n);
	st = iso_table_select(t, row, n, out, err);
	iso_free(row);
	return st;
}

/* ------------------------------------------------------------------ printing */

static const char *verdict_of(const iso_check_result *k)
{
	return k->failed ? "FAIL" : k->runs ? "pass" : "-";
}

static void say_detail(const iso_verdict *v, iso_check c, iso_str *out)
{
	const iso_check_result *k = &v->check[c];

	if (k->failed) {
		iso_str_addf(out, "%zu of %zu: %s", k->failed, k->runs, k->what);
		return;
	}
	if (k->runs == 0) {
		iso_str_add(out, "nothing to test");
		return;
	}
	if (c == ISO_CHECK_LEDGER && v->calls == 0) {
		iso_str_add(out, "empty, as planned");
		return;
	}
	if (c == ISO_CHECK_SENSITIVITY)
		iso_str_addf(out, "%zu neighbours, worst move %.4g of what is declared", k->runs,
			     k->value);
	else if (c == ISO_CHECK_LEDGER)
		iso_str_addf(out, "epsilon %.6g of %g, equal to the plan, nothing uncharged",
			     k->value, v->target);
	else if (c == ISO_CHECK_NOISE || c == ISO_CHECK_SAMPLING)
		iso_str_addf(out, "%zu tests, smallest tail probability %.2g (alarm at %.0e)",
			     k->runs, k->value, ISO_VERIFY_ALPHA);
	else if (c == ISO_CHECK_ORDINARY)
		iso_str_addf(out, "%zu trainings outside the verifier, identical output", k->runs);
	else if (c == ISO_CHECK_ISOLATION)
		iso_str_addf(out, "%zu processes, none reached for anything outside", k->runs);
	else if (c == ISO_CHECK_BLIND)
		iso_str_addf(out, "%zu unrelated tables, identical output", k->runs);
	else
		iso_str_addf(out, "%zu neighbours", k->runs);
}

static void say_text(const char *name, const iso_dataset *d, const settings *s,
		     const iso_verdict *v, const char *note, double seconds, iso_str *out)
{
	iso_str_addf(out, "%s on %s: %zu rows, epsilon %g, delta %g, %s, guarantee %s\n", name,
		     d->name, v->rows, s->epsilon, s->delta, s->adjacency,
		     iso_guarantee_name(v->guarantee));
	if (note && note[0])
		iso_str_addf(out, "made small for this check: %s (choose with --set)\n", note);
	iso_str_addf(out,
		     "%zu trainings on %zu tables: %zu releases recorded, %zu numbers; %zu "
		     "neighbours replayed\n\n",
		     v->trainings, v->tables, v->calls, v->numbers, v->pairs);
	for (int c = 0; c < ISO_CHECK_COUNT; c++) {
		iso_str_addf(out, "  %-13s %-5s ", iso_check_name((iso_check)c),
			     verdict_of(&v->check[c]));
		say_detail(v, (iso_check)c, out);
		iso_str_add(out, "\n");
	}
	if (v->skipped[0])
		iso_str_addf(out, "  note: not tried: %s\n", v->skipped);
	iso_str_addf(out, "\n%s (%.2f s)\n",
		     v->flows ? "PRIVATE DATA FLOW AROUND THE LEDGER"
			      : "no flow of private data around the ledger was found",
		     seconds);
}

static iso_status say_json(const char *name, const iso_dataset *d, const settings *s,
			   const iso_verdict *v, const char *note, iso_str *out, iso_error *err)
{
	cJSON *o = cJSON_CreateObject(), *checks;
	iso_status st;

	cJSON_AddStringToObject(o, "generator", name);
	cJSON_AddStringToObject(o, "dataset", d->name);
	iso_json_add_number(o, "rows", (double)v->rows);
	cJSON_AddStringToObject(o, "guarantee", iso_guarantee_name(v->guarantee));
	iso_json_add_number(o, "target_epsilon", s->epsilon);
	iso_json_add_number(o, "delta", s->delta);
	cJSON_AddStringToObject(o, "adjacency", s->adjacency);
	iso_json_add_number(o, "epsilon", v->epsilon);
	cJSON_AddStringToObject(o, "changed_options", note ? note : "");
	iso_json_add_number(o, "releases", (double)v->calls);
	iso_json_add_number(o, "neighbours", (double)v->pairs);
	iso_json_add_number(o, "tables", (double)v->tables);
	iso_json_add_number(o, "trainings", (double)v->trainings);
	checks = cJSON_AddObjectToObject(o, "checks");
	for (int c = 0; c < ISO_CHECK_COUNT; c++) {
		const iso_check_result *k = &v->check[c];
		cJSON *x = cJSON_AddObjectToObject(checks, iso_check_name((iso_check)c));

		cJSON_AddStringToObject(x, "result",
					k->failed ? "fail"
					: k->runs ? "pass"
						  : "none");
		iso_json_add_number(x, "runs", (double)k->runs);
		iso_json_add_number(x, "failed", (double)k->failed);
		if (!isnan(k->value))
			iso_json_add_number(x, "value", k->value);
		cJSON_AddStringToObject(x, "what", k->what);
	}
	if (v->skipped[0])
		cJSON_AddStringToObject(o, "not_tried", v->skipped);
	cJSON_AddBoolToObject(o, "flows", v->flows);
	st = iso_json_pretty(o, out, err);
	cJSON_Delete(o);
	return st;
}

/* ------------------------------------------------------------------ verify NAME */

typedef struct job {
	const iso_generator *g;
	cJSON *values;
	iso_str note;
	void *options, *full; /* made small; as the user gave them */
	iso_dataset *data;
	iso_table *rows;
} job;

static void job_free(job *j)
{
	cJSON_Delete(j->values);
	iso_str_free(&j->note);
	iso_free(j->options);
	iso_free(j->full);
	iso_table_free(j->rows);
	iso_dataset_free(j->data);
}

static iso_status prepare(const char *name, const settings *s, job *j, iso_error *err)
{
	if (s->plugin)
		ISO_TRY(iso_plugin_load(s->plugin, err));
	ISO_TRY(iso_generator_find(name, &j->g, err));
	j->values = cJSON_CreateObject();
	j->options = iso_alloc(1, j->g->options_size + 1);
	j->full = iso_alloc(1, j->g->options_size + 1);
	if (!j->values || !j->options || !j->full)
		return iso_no_memory(err, "options");
	for (size_t i = 0; i < s->set.n; i++)
		ISO_TRY(iso_options_set(j->values, s->set.v[i], err));
	ISO_TRY(iso_options_resolve(j->g->options, j->values, j->g->name, j->full,
				    j->g->options_size, NULL, err));
	ISO_TRY(iso_verify_shrink(j->g, j->values, &j->note, err));
	ISO_TRY(iso_options_resolve(j->g->options, j->values, j->g->name, j->options,
				    j->g->options_size, NULL, err));
	ISO_TRY(find_data(j->g, j->options, s, &j->data, err));
	return take_rows(j->data->table, s->rows, s->seed, &j->rows, err);
}

static iso_status verify_generator(const char *name, const settings *s, iso_str *text, int *flows,
				   iso_error *err)
{
	const double start = iso_clock_wall();
	iso_verdict v;
	job j = {0};
	iso_status st;

	ISO_TRY_OUT(prepare(name, s, &j, err));
	const iso_verify_request r = {
		.generator = j.g,
		.options = j.options,
		.data = j.rows,
		.epsilon = s->epsilon,
		.delta = s->delta,
		.adjacency = strcmp(s->adjacency, iso_adjacency_name(ISO_REPLACE_ONE)) == 0
				     ? ISO_REPLACE_ONE
				     : ISO_ADD_REMOVE,
		.accountant = strcmp(s->accountant, iso_accountant_name(ISO_ACC_RDP)) == 0
				      ? ISO_ACC_RDP
				      : ISO_ACC_PLD,
		.seed = (uint64_t)s->seed,
		.pairs = (size_t)s->pairs,
		.full_options = j.note.n ? j.full : NULL,
		.thorough = s->thorough};
	ISO_TRY_OUT(iso_verify(&r, &v, err));
	*flows = v.flows;
	if (s->json)
		ISO_TRY_OUT(say_json(name, j.data, s, &v, j.note.p, text, err));
	else
		say_text(name, j.data, s, &v, j.note.p, iso_clock_wall() - start, text);
out:
	job_free(&j);
	return st;
}

/* ------------------------------------------------------------------ verify DIR --ledger */

typedef struct tally {
	size_t good, bad, without;
	cJSON *cells; /* for --json */
	iso_suite *suite;
	iso_agenda *agenda; /* NULL: the suite cannot be planned here */
} tally;

/* The numbers before the digest, so that an edit is named by what it changed. */
static iso_status check_cell(const char *path, const tally *n, int *trained, double *eps,
			     iso_error *err)
{
	char *bytes = NULL;
	size_t size = 0;
	cJSON *record = NULL;
	const char *key;
	iso_status st = iso_file_read(path, 0, &bytes, &size, err);

	*trained = 1;
	ISO_TRY(st);
	ISO_TRY_OUT(iso_json_parse(bytes, size, path, &record, err));
	ISO_TRY_OUT(iso_record_check(record, path, err));
	key = cJSON_GetObjectItemCaseSensitive(record, "key")->valuestring;
	*trained =
		strcmp(cJSON_GetObjectItemCaseSensitive(record, "status")->valuestring, "ok") == 0;
	if (*trained) {
		ISO_TRY_OUT(iso_record_recheck(n->agenda, iso_agenda_find(n->agenda, key), record,
					       NULL, err));
		ISO_TRY_OUT(iso_verify_record(record, NULL, eps, err));
	}
	st = iso_record_check_digest(bytes, size, path, err);
out:
	cJSON_Delete(record);
	iso_free(bytes);
	return st;
}

static iso_status verify_cell(const char *path, const char *name, int json, tally *n, iso_str *text,
			      iso_error *err)
{
	cJSON *o;
	iso_error own = {0};
	const char *result = "pass";
	double eps = NAN;
	int trained;
	const iso_status st = check_cell(path, n, &trained, &eps, &own);

	if (st == ISO_OK && !trained) { /* a cell that failed to train has no ledger to check */
		result = "none";
		n->without++;
	}
	if (st == ISO_E_NOMEM)
		return iso_fail(err, st, "%s", own.text);
	if (st != ISO_OK)
		result = "fail";
	n->good += strcmp(result, "pass") == 0;
	n->bad += st != ISO_OK;
	if (!json) {
		iso_str_addf(text, "%-4s %s ", result, name);
		if (st != ISO_OK)
			iso_str_addf(text, "%s\n", own.text);
		else
			iso_str_addf(text, isnan(eps) ? "no ledger\n" : "epsilon %.6g\n", eps);
		return ISO_OK;
	}
	o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "cell", name);
	cJSON_AddStringToObject(o, "result", result);
	if (!isnan(eps))
		iso_json_add_number(o, "accounted_epsilon", eps);
	if (st != ISO_OK)
		cJSON_AddStringToObject(o, "why", own.text);
	cJSON_AddItemToArray(n->cells, o);
	return ISO_OK;
}

static iso_status verify_cells(const char *dir, char **names, size_t count, int json, tally *n,
			       iso_str *text, iso_error *err)
{
	for (size_t i = 0; i < count; i++) {
		iso_str path = {0};
		iso_status st;

		iso_str_addf(&path, "%s/%s", dir, names[i]);
		st = iso_str_check(&path, err);
		if (st == ISO_OK)
			st = verify_cell(path.p, names[i], json, n, text, err);
		iso_str_free(&path);
		ISO_TRY(st);
	}
	return ISO_OK;
}

static iso_status finish_tally(tally *n, int json, iso_str *text, iso_error *err)
{
	cJSON *o;
	iso_status st;

	if (!json) {
		iso_str_addf(text,
			     "\n%zu cells: %zu borne out by their ledgers, %zu not, %zu without a "
			     "ledger\n",
			     n->good + n->bad + n->without, n->good, n->bad, n->without);
		return iso_str_check(text, err);
	}
	o = cJSON_CreateObject();
	cJSON_AddItemToObject(o, "cells", n->cells);
	n->cells = NULL;
	iso_json_add_number(o, "passed", (double)n->good);
	iso_json_add_number(o, "failed", (double)n->bad);
	st = iso_json_pretty(o, text, err);
	cJSON_Delete(o);
	return st;
}

/* Without a plan the stored ledgers can still be checked against the stored numbers. */
static void plan_again(const char *dir, int json, tally *n, iso_str *text)
{
	iso_error why = {0};

	if (iso_agenda_reread(dir, &n->suite, &n->agenda, &why) != ISO_OK && !json)
		iso_str_addf(text,
			     "the suite cannot be planned here, so ledgers are not compared with "
			     "plans: %s\n",
			     why.text);
}

static iso_status verify_ledgers(const char *dir, int json, iso_str *text, int *flows,
				 iso_error *err)
{
	tally n = {.cells = json ? cJSON_CreateArray() : NULL};
	char **names = NULL;
	size_t count = 0;
	iso_str cells = {0};
	iso_status st;

	iso_str_addf(&cells, "%s/cells", dir);
	ISO_TRY_OUT(iso_str_check(&cells, err));
	ISO_TRY_OUT(iso_list_dir(cells.p, ".json", &names, &count, err));
	if (count == 0)
		ISO_TRY_OUT(iso_fail(
			err, ISO_E_DATA,
			"no cells (%s): nothing to verify; give the output directory of a run",
			dir));
	plan_again(dir, json, &n, text);
	ISO_TRY_OUT(verify_cells(cells.p, names, count, json, &n, text, err));
	ISO_TRY_OUT(finish_tally(&n, json, text, err));
	*flows = n.bad > 0;
out:
	cJSON_Delete(n.cells);
	iso_agenda_free(n.agenda);
	iso_suite_free(n.suite);
	for (size_t i = 0; i < count; i++)
		iso_free(names[i]);
	iso_free(names);
	iso_str_free(&cells);
	return st;
}

/* ------------------------------------------------------------------ the verb */

static iso_status check_settings(const settings *s, iso_error *err)
{
	ISO_FAIL_IF(strcmp(s->adjacency, iso_adjacency_name(ISO_ADD_REMOVE)) != 0 &&
			    strcmp(s->adjacency, iso_adjacency_name(ISO_REPLACE_ONE)) != 0,
		    err, ISO_E_USAGE,
		    "unknown adjacency (--adjacency %.40s): use add-remove or replace-one",
		    s->adjacency);
	ISO_FAIL_IF(strcmp(s->accountant, iso_accountant_name(ISO_ACC_RDP)) != 0 &&
			    strcmp(s->accountant, iso_accountant_name(ISO_ACC_PLD)) != 0,
		    err, ISO_E_USAGE, "unknown accountant (--accountant %.40s): use pld or rdp",
		    s->accountant);
	return ISO_OK;
}

int cmd_verify(int argc, char **argv)
{
	settings s = {.adjacency = "add-remove",
		      .accountant = "rdp",
		      .epsilon = 1,
		      .delta = 1e-5,
		      .pairs = ISO_VERIFY_PAIRS,
		      .rows = ISO_VERIFY_ROWS,
		      .seed = 1};
	const char *operand[1];
	const iso_arg table[] = {
		{"--set", ISO_ARG_TEXTS, &s.set, "OPTION=VALUE", "an option of the generator"},
		{"--data", ISO_ARG_TEXT, &s.data, "F",
		 "a CSV (with --schema) or the name of a data set (default: embedded)"},
		{"--schema", ISO_ARG_TEXT, &s.schema, "F", "its public schema"},
		{"--pairs", ISO_ARG_INT, &s.pairs, "N", "neighbouring tables to try (default 24)",
		 1, 100000},
		{"--rows", ISO_ARG_INT, &s.rows, "N",
		 "rows of D, drawn from the data (default 200)", 8, 100000},
		{"--seed", ISO_ARG_INT, &s.seed, "N", "seed of training and neighbours (default 1)",
		 0, 1e15},
		{"--epsilon", ISO_ARG_REAL, &s.epsilon, "E", "target of the training (default 1)",
		 1e-6, 1e6},
		{"--delta", ISO_ARG_REAL, &s.delta, "D", "delta of the training (default 1e-5)",
		 1e-15, 0.5},
		{"--adjacency", ISO_ARG_TEXT, &s.adjacency, "NAME", "add-remove or replace-one"},
		{"--accountant", ISO_ARG_TEXT, &s.accountant, "NAME",
		 "that calibrates: pld or rdp (default, quick)"},
		{"--plugin", ISO_ARG_TEXT, &s.plugin, "F", "a shared object with a generator"},
		{"--ledger", ISO_ARG_FLAG, &s.ledger, NULL,
		 "operand is a run's directory: recompute every cell's epsilon"},
		{"--thorough", ISO_ARG_FLAG, &s.thorough, NULL,
		 "more seeds, rows and tables, however long the generator's own options take"},
		{"--json", ISO_ARG_FLAG, &s.json, NULL, "machine-readable output"},
		{0}};
	iso_str text = {0};
	iso_error err = {0};
	int helped = 0, flows = 0;
	size_t n;
	iso_status st = iso_args_read(&help, table, argc, argv, operand, &n, &helped, &err);

	if (st == ISO_OK && helped)
		return 0;
	if (st == ISO_OK)
		st = check_settings(&s, &err);
	if (st == ISO_OK && s.ledger && s.plugin)
		st = iso_plugin_load(s.plugin, &err);
	if (st == ISO_OK)
		st = s.ledger ? verify_ledgers(operand[0], s.json, &text, &flows, &err)
			      : verify_generator(operand[0], &s, &text, &flows, &err);
	if (st != ISO_OK) {
		iso_str_free(&text);
		return iso_cli_fail(&err);
	}
	return iso_cli_print(&text, flows);
}
