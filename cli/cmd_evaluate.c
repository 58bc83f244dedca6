// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "cli/table.h"
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
		"What breaks the schema in the synthetic file is counted and named, never fatal: "
		"numbers out "
		"of bounds are clipped, fractions of\n"
		"integers rounded, rows with unknown categories or missing values left out, "
		"columns "
		"may come in any order, an index\n"
		"column is ignored.\n\n"
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
	const char *train, *holdout, *synthetic, *aux, *schema, *metrics, *attacks;
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
	cJSON *notes;	     /* on the synthetic file; the result's then */
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
	ISO_TRY(iso_table_read_csv(c->train, e->schema, &e->train, err));
	ISO_TRY(iso_table_read_csv(c->holdout, e->schema, &e->holdout, err));
	ISO_TRY(iso_read_tolerant(c->synthetic, e->schema, add_note, e, &e->synthetic, err));
	if (c->aux)
		ISO_TRY(iso_table_read_csv(c->aux, e->schema, &e->aux, err));
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
				      .synthetic = e->synthetic};
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

static void number_cell(iso_grid *g, const cJSON *v)
{
	if (cJSON_IsNumber(v))
		iso_grid_add(g, "%.4f", v->valuedouble);
	else
		iso_grid_add(g, "-");
}

static const char *text_of(const cJSON *obj, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(obj, key);

	return cJSON_IsString(v) ? v->valuestring : "";
}

/* One output of an attack's game, or NULL. */
static const cJSON *value_of(const cJSON *attack, const char *name)
{
	const cJSON *v;

	cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(attack, "values"))
	{
		if (strcmp(text_of(v, "name"), name) == 0)
			return v;
	}
	return NULL;
}

/* Judged by a risk beyond a control, not by a ranking. */
static int has_risk(const cJSON *attack)
{
	return value_of(attack, "risk") != NULL;
}

static void print_risks(const evaluation *e, iso_str *out)
{
	static const char *const name[] = {"main", "control", "naive", "risk"},
				 *const head[] = {"attack", "on members", "on others", "naive",
						  "risk",   "low",	  "high",      "note"};
	iso_grid g = {.columns = 8};
	const cJSON *m;
	int any = 0;

	cJSON_ArrayForEach(m, e->result.attacks)
	{
		const cJSON *risk = value_of(m, "risk");

		if (!risk)
			continue;
		for (size_t i = 0; i < 8 && !any; i++)
			iso_grid_add(&g, "%s", head[i]);
		any = 1;
		iso_grid_add(&g, "%s", text_of(m, "label"));
		for (size_t i = 0; i < 4; i++)
			number_cell(&g, cJSON_GetObjectItemCaseSensitive(value_of(m, name[i]),
									 "value"));
		number_cell(&g, cJSON_GetObjectItemCaseSensitive(risk, "low"));
		number_cell(&g, cJSON_GetObjectItemCaseSensitive(risk, "high"));
		iso_grid_add(&g, "%s", text_of(risk, "reason"));
	}
	if (any) {
		iso_str_add(out, "\n");
		iso_grid_print(&g, out);
	}
}

static void print_result(const evaluation *e, iso_str *out)
{
	iso_grid g = {.columns = 6};
	const cJSON *m;
	static const char *const metric_head[] = {"metric", "value",  "low",
						  "high",   "better", "note"},
				 *const attack_head[] = {"attack",	    "AUC", "low", "high",
							 "TPR at FPR 10 %", "note"};

	for (size_t i = 0; i < 6; i++)
		iso_grid_add(&g, "%s", metric_head[i]);
	cJSON_ArrayForEach(m, e->result.metrics)
	{
		iso_grid_add(&g, "%s: %s", text_of(m, "metric"), text_of(m, "title"));
		number_cell(&g, cJSON_GetObjectItemCaseSensitive(m, "value"));
		number_cell(&g, cJSON_GetObjectItemCaseSensitive(m, "low"));
		number_cell(&g, cJSON_GetObjectItemCaseSensitive(m, "high"));
		iso_grid_add(&g, "%s", text_of(m, "direction"));
		iso_grid_add(&g, "%s", text_of(m, "reason"));
	}
	if (e->nmetric)
		iso_grid_print(&g, out);
	g.columns = 6;
	if (e->nattack) {
		iso_str_add(out, e->nmetric ? "\n" : "");
		for (size_t i = 0; i < 6; i++)
			iso_grid_add(&g, "%s", attack_head[i]);
	}
	cJSON_ArrayForEach(m, e->result.attacks)
	{
		if (has_risk(m))
			continue;
		iso_grid_add(&g, "%s", text_of(m, "label"));
		number_cell(&g, cJSON_GetObjectItemCaseSensitive(m, "auc"));
		number_cell(&g, cJSON_GetObjectItemCaseSensitive(m, "auc_low"));
		number_cell(&g, cJSON_GetObjectItemCaseSensitive(m, "auc_high"));
		number_cell(&g, cJSON_GetObjectItemCaseSensitive(m, "tpr_fpr_10"));
		iso_grid_add(&g, "%s", text_of(m, "reason"));
	}
	if (e->nattack)
		iso_grid_print(&g, out);
	print_risks(e, out);
	if (e->result.caveats->child)
		iso_str_add(out, "\ncaveats\n");
	cJSON_ArrayForEach(m, e->result.caveats) iso_fold(out, m->valuestring, 2, 118);
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
	if (st != ISO_OK) {
		status = iso_cli_fail(&err);
	} else if (c.json && !helped) {
		status = iso_cli_json(e->root, 1, 0);
		e->root = NULL;
	} else if (!helped) {
		print_result(e, &out);
		status = iso_cli_print(&out, 0);
	}
	if (e)
		release(e);
	return status;
}
