// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "cli/evaluation.h"
#include "cli/tolerant.h"
#include "core/base/alloc.h"
#include "suites/judge.h"

static const iso_verb_help help = {
	.verb = "evaluate",
	.operands = "",
	.summary = "judge a synthetic CSV without its generator",
	.text = "Measures synthetic rows, from any program, against the real ones, and attacks "
		"them: --train are the rows that the\n"
		"generator was trained on (members), --holdout rows of the same population that it "
		"never saw (non-members and test\n"
		"rows), --aux rows that an attacker may have.  Attacks that can do with the table "
		"alone (option source=table) do so;\n"
		"those that need the generator are listed as not applicable.  Options follow a "
		"name after colons:\n"
		"--attacks gan-leaks,gan-leaks:calibrated=true --aux aux.csv\n\n"
		"What breaks the schema in any of the files is counted and named, never fatal: "
		"numbers out "
		"of bounds are clipped, fractions of\n"
		"integers rounded, rows with unknown categories or missing values left out, "
		"columns "
		"may come in any order, an index\n"
		"column is ignored, a label is not needed.  --report DIR writes a page, its data "
		"and a CSV table.\n\n"
		"A membership attack on one synthetic table describes that table; it does not "
		"bound "
		"epsilon.\n\n"
		"Example:\n"
		"  isoeps evaluate --train train.csv --holdout holdout.csv --synthetic "
		"synthetic.csv --schema people.json\n",
	.min_operands = 0,
	.max_operands = 0,
};

typedef struct command {
	const char *train, *holdout, *synthetic, *aux, *schema, *metrics, *attacks, *report;
	int64_t seed, targets;
	int json;
} command;

typedef struct evaluation {
	iso_schema *schema;
	iso_table *train, *holdout, *synthetic, *aux;
	iso_attack_setup attack[ISO_ARG_LIST_MAX];
	iso_metric_setup metric[ISO_ARG_LIST_MAX];
	size_t nattack, nmetric;
	char names[4][1024]; /* labels of --metrics and --attacks, and copies to cut */
	iso_validity found;  /* in the synthetic file */
	cJSON *notes;	     /* on the files; the result's then */
	cJSON *root;
	iso_judgement result;
} evaluation;

static iso_status read_command(int argc, char **argv, command *c, int *helped, iso_error *err)
{
	const iso_arg table[] = {
		{"--train", ISO_ARG_TEXT, &c->train, "FILE", "the generator's training rows, CSV"},
		{"--holdout", ISO_ARG_TEXT, &c->holdout, "FILE",
		 "real rows that it never saw, CSV"},
		{"--synthetic", ISO_ARG_TEXT, &c->synthetic, "FILE", "the synthetic rows, CSV"},
		{"--schema", ISO_ARG_TEXT, &c->schema, "FILE",
		 "the public schema of all of them, JSON"},
		{"--aux", ISO_ARG_TEXT, &c->aux, "FILE",
		 "an attacker's own rows of the population, CSV"},
		{"--metrics", ISO_ARG_TEXT, &c->metrics, "A,B",
		 "which metrics (default: all; \"\" = none)"},
		{"--attacks", ISO_ARG_TEXT, &c->attacks, "A,B",
		 "which attacks (default: all; \"\" = none)"},
		{"--targets", ISO_ARG_INT, &c->targets, "N",
		 "at most so many members and non-members (default 1000)", 1, 1e7},
		{"--seed", ISO_ARG_INT, &c->seed, "S", "master seed (default 1)", 0, 4294967295.0},
		{"--report", ISO_ARG_TEXT, &c->report, "DIR",
		 "write DIR/index.html, evaluation.json and evaluation.csv"},
		{"--json", ISO_ARG_FLAG, &c->json, NULL, "machine-readable output"},
		{0}};
	size_t n;

	ISO_TRY(iso_args_read(&help, table, argc, argv, NULL, &n, helped, err));
	if (*helped)
		return ISO_OK;
	ISO_FAIL_IF(!c->train || !c->holdout || !c->synthetic || !c->schema, err, ISO_E_USAGE,
		    "option missing (isoeps evaluate): %s is needed; see isoeps evaluate --help",
		    !c->train	    ? "--train"
		    : !c->holdout   ? "--holdout"
		    : !c->synthetic ? "--synthetic"
				    : "--schema");
	return ISO_OK;
}

/* One entry of a list, "NAME:OPTION=VALUE:...", cut in place; its options go into an object. */
static iso_status entry_of(char *text, const char **name, cJSON *options, iso_error *err)
{
	char *colon = strchr(text, ':');

	*name = text;
	while (colon) {
		char *option = colon + 1;

		*colon = 0;
		colon = strchr(option, ':');
		if (colon)
			*colon = 0;
		ISO_TRY(iso_options_set(options, option, err));
		if (colon)
			*colon = ':'; /* is cut in the next round */
	}
	return ISO_OK;
}

/* An attack that can work on the released table alone is told to: there is no generator to ask. */
static iso_status use_table(const char *name, cJSON *options, iso_error *err)
{
	const iso_attack *a;

	ISO_TRY(iso_attack_find(name, &a, err));
	for (const iso_option *o = a->options; o && o->key; o++)
		if (strcmp(o->key, "source") == 0 && o->kind == ISO_OPTION_ENUM &&
		    strstr(o->choices, "table") && !cJSON_HasObjectItem(options, "source"))
			return iso_options_set(options, "source=table", err);
	return ISO_OK;
}

static iso_status add_entry(evaluation *e, char *text, const char *label, int attack,
			    iso_error *err)
{
	cJSON *options = cJSON_CreateObject();
	iso_suite_item item = {.label = label, .options = options};
	iso_status st =
		options ? entry_of(text, &item.name, options, err) : iso_no_memory(err, "options");

	if (st == ISO_OK && attack)
		st = use_table(item.name, options, err);
	if (st == ISO_OK && (attack ? e->nattack : e->nmetric) == ISO_ARG_LIST_MAX)
		st = iso_fail(err, ISO_E_USAGE,
			      "list too long (%s): at most %d entries; name fewer",
			      attack ? "--attacks" : "--metrics", ISO_ARG_LIST_MAX);
	if (st == ISO_OK)
		st = attack ? iso_attack_setup_new(&item, "--attacks", &e->attack[e->nattack++],
						   err)
			    : iso_metric_setup_new(&item, "--metrics", &e->metric[e->nmetric++],
						   err);
	cJSON_Delete(options);
	return st;
}

/* The entries of a comma list; `buffer` holds the labels, a second copy is cut. */
static iso_status add_entries(evaluation *e, const char *list, int attack, iso_error *err)
{
	char *labels = e->names[attack], *copy = e->names[2 + attack];
	const size_t size = sizeof(e->names[0]);

	ISO_FAIL_IF(strlen(list) >= size, err, ISO_E_USAGE,
		    "list too long (%s): at most %zu characters; name fewer",
		    attack ? "--attacks" : "--metrics", size - 1);
	snprintf(labels, size, "%s", list);
	snprintf(copy, size, "%s", list);
	while (*labels) {
		const size_t n = strcspn(labels, ",");
		const int last = labels[n] == 0;

		labels[n] = copy[n] = 0;
		ISO_TRY(add_entry(e, copy, labels, attack, err));
		if (last)
			break;
		labels += n + 1;
		copy += n + 1;
	}
	return ISO_OK;
}

static iso_status choose(const command *c, evaluation *e, iso_error *err)
{
	char name[ISO_OPT_TEXT_MAX];

	if (c->metrics)
		ISO_TRY(add_entries(e, c->metrics, 0, err));
	for (size_t i = 0; !c->metrics && i < iso_metric_count(); i++) {
		snprintf(name, sizeof(name), "%s", iso_metric_at(i)->name);
		ISO_TRY(add_entry(e, name, iso_metric_at(i)->name, 0, err));
	}
	if (c->attacks)
		return add_entries(e, c->attacks, 1, err);
	for (size_t i = 0; i < iso_attack_count(); i++) {
		snprintf(name, sizeof(name), "%s", iso_attack_at(i)->name);
		ISO_TRY(add_entry(e, name, iso_attack_at(i)->name, 1, err));
	}
	return ISO_OK;
}

static iso_status add_note(void *ctx, const char *text, iso_error *err)
{
	evaluation *e = ctx;

	return iso_caveat_add(e->notes, text, err);
}

static iso_status read_tables(const command *c, evaluation *e, iso_error *err)
{
	e->notes = cJSON_CreateArray();
	if (!e->notes)
		return iso_no_memory(err, "the output");
	ISO_TRY(iso_schema_read(c->schema, &e->schema, err));
	ISO_TRY(iso_read_tolerant(c->synthetic, "synthetic", e->schema, add_note, e, &e->found,
				  &e->synthetic, err));
	ISO_TRY(iso_read_tolerant(c->train, "training", e->schema, add_note, e, NULL, &e->train,
				  err));
	ISO_TRY(iso_read_tolerant(c->holdout, "hold-out", e->schema, add_note, e, NULL, &e->holdout,
				  err));
	if (c->aux)
		ISO_TRY(iso_read_tolerant(c->aux, "auxiliary", e->schema, add_note, e, NULL,
					  &e->aux, err));
	ISO_FAIL_IF(e->train->n == 0 || e->holdout->n == 0 || e->synthetic->n == 0, err, ISO_E_DATA,
		    "no rows (%s): the file holds a header only; give rows",
		    e->train->n == 0	 ? c->train
		    : e->holdout->n == 0 ? c->holdout
					 : c->synthetic);
	return ISO_OK;
}

static iso_status make_result(const command *c, evaluation *e, iso_error *err)
{
	cJSON *r = e->root = cJSON_CreateObject();
	cJSON *rows = r ? cJSON_AddObjectToObject(r, "rows") : NULL, *run;

	e->result.metrics = r ? cJSON_AddArrayToObject(r, "metrics") : NULL;
	e->result.attacks = r ? cJSON_AddArrayToObject(r, "attacks") : NULL;
	if (r && cJSON_AddItemToObject(r, "caveats", e->notes)) {
		e->result.caveats = e->notes;
		e->notes = NULL;
	}
	run = r ? cJSON_AddObjectToObject(r, "run") : NULL;
	e->result.metric_seconds = run ? cJSON_AddObjectToObject(run, "metric_seconds") : NULL;
	e->result.attack_seconds = run ? cJSON_AddObjectToObject(run, "attack_seconds") : NULL;
	if (!rows || !e->result.metrics || !e->result.attacks || !e->result.caveats ||
	    !e->result.metric_seconds || !e->result.attack_seconds ||
	    !cJSON_AddNumberToObject(rows, "train", (double)e->train->n) ||
	    !cJSON_AddNumberToObject(rows, "holdout", (double)e->holdout->n) ||
	    !cJSON_AddNumberToObject(rows, "synthetic", (double)e->synthetic->n) ||
	    !cJSON_AddNumberToObject(r, "seed", (double)c->seed))
		return iso_no_memory(err, "the output");
	if (!e->schema->learned)
		return ISO_OK;
	return iso_caveat_add(
		e->result.caveats,
		"learned bounds: the schema's bounds or categories were read off data", err);
}

static iso_status evaluate(const command *c, evaluation *e, iso_error *err)
{
	const iso_metric_view view = {.schema = e->schema,
				      .train = e->train,
				      .test = e->holdout,
				      .synthetic = e->synthetic,
				      .found = e->found.rows ? &e->found : NULL};
	const iso_game_setup setup = {.members = e->train,
				      .nonmembers = e->holdout,
				      .auxiliary = e->aux,
				      .synthetic = e->synthetic,
				      .max_targets = (size_t)c->targets,
				      .dedup = 1,
				      .seed = (uint64_t)c->seed};
	iso_game *game;
	iso_status st;

	ISO_TRY(iso_judge_metrics(&view, (uint64_t)c->seed, e->metric, e->nmetric, &e->result,
				  err));
	ISO_TRY(iso_game_new(&setup, &game, err));
	st = iso_judge_attacks(game, e->attack, e->nattack, &e->result, err);
	iso_game_free(game);
	return st;
}

static void release(evaluation *e)
{
	for (size_t i = 0; i < ISO_ARG_LIST_MAX; i++) {
		iso_attack_setup_free(&e->attack[i]);
		iso_metric_setup_free(&e->metric[i]);
	}
	iso_table_free(e->train);
	iso_table_free(e->holdout);
	iso_table_free(e->synthetic);
	iso_table_free(e->aux);
	iso_schema_free(e->schema);
	cJSON_Delete(e->notes);
	cJSON_Delete(e->root);
	iso_free(e);
}

int cmd_evaluate(int argc, char **argv)
{
	command c = {.seed = 1, .targets = 1000};
	evaluation *e = iso_alloc(1, sizeof(*e));
	iso_error err = {0};
	iso_str out = {0};
	int helped = 0, status = 0;
	iso_status st = e ? ISO_OK : iso_no_memory(&err, "an evaluation");

	if (st == ISO_OK)
		st = read_command(argc, argv, &c, &helped, &err);
	if (st == ISO_OK && !helped)
		st = choose(&c, e, &err);
	if (st == ISO_OK && !helped)
		st = read_tables(&c, e, &err);
	if (st == ISO_OK && !helped)
		st = make_result(&c, e, &err);
	if (st == ISO_OK && !helped)
		st = evaluate(&c, e, &err);
	if (st == ISO_OK && !helped && c.report)
		st = iso_evaluation_write(e->root, e->schema->name, c.report, &err);
	if (st != ISO_OK) {
		status = iso_cli_fail(&err);
	} else if (c.json && !helped) {
		status = iso_cli_json(e->root, 1, 0);
		e->root = NULL;
	} else if (!helped) {
		iso_evaluation_print(e->root, &out);
		status = iso_cli_print(&out, 0);
	}
	if (e)
		release(e);
	return status;
}
