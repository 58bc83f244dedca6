// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "attacks/attack.h"
#include "cli/args.h"
#include "cli/cmd.h"
#include "cli/table.h"
#include "core/base/alloc.h"
#include "core/data/catalogue.h"
#include "generators/generator.h"
#include "metrics/metric.h"
#include "results/record.h"
#include "suites/plugin.h"
#include "suites/suite.h"

#define FOLD 110

static const iso_verb_help help = {
	.verb = "describe",
	.operands = "NAME",
	.summary = "one method, metric, data set or suite: what it does, options, guarantee",
	.text = "NAME is a generator, attack, metric, data set or suite.  A card says what it "
		"does, where it is from, what its guarantee\n"
		"rests on, how it deviates from the paper, and its options with defaults and "
		"ranges.  `isoeps describe record`\n"
		"prints the fields of a record.\n\n"
		"Examples:\n"
		"  isoeps describe dp-cgan\n"
		"  isoeps describe gan-leaks --json\n",
	.min_operands = 1,
	.max_operands = 1,
};

/* ------------------------------------------------------------------ text */

static void heading(iso_str *out, const char *kind, const char *name, const char *title)
{
	iso_str_addf(out, "%s%s (%s): %s\n", out->n ? "\n" : "", name, kind, title);
}

static void section(iso_str *out, const char *head, const char *text)
{
	if (!text || !*text)
		return;
	iso_str_addf(out, "\n%s\n", head);
	iso_fold(out, text, 2, FOLD);
}

static void options(iso_str *out, const iso_option *table)
{
	iso_str_add(out, "\nOptions\n");
	if (!table || !table->key)
		iso_str_add(out, "  none\n");
	else
		iso_options_describe(table, out);
}

static void describe_generator(const iso_generator *g, iso_str *out)
{
	const char *const slot[] = {g->score ? "score" : NULL, g->decode ? "decode" : NULL,
				    g->encode ? "encode" : NULL,
				    g->log_density ? "log_density" : NULL, g->load ? "load" : NULL};
	int any = 0;

	heading(out, "generator", g->name, g->title);
	section(out, "Citation", g->citation);
	iso_str_addf(out, "\nGuarantee (default options)\n  %s: %s\n",
		     iso_guarantee_name(g->guarantee),
		     g->guarantee == ISO_GUARANTEE_DP
			     ? "declared differentially private, with every release in the ledger; "
			       "`isoeps verify` tries the claim"
		     : g->guarantee == ISO_GUARANTEE_HEURISTIC ? "adds noise, without a proof"
							       : "no privacy claim");
	iso_str_add(out, "\nAccepts\n  ");
	iso_generator_accepts_text(g, out);
	iso_str_add(out, "\n");
	iso_str_add(out, "\nWhite-box access\n  ");
	for (size_t i = 0; i < ISO_COUNT(slot); i++)
		if (slot[i]) {
			iso_str_addf(out, "%s%s", any ? ", " : "", slot[i]);
			any = 1;
		}
	iso_str_add(out, any ? "\n" : "none\n");
	section(out, "Card", g->card);
	options(out, g->options);
}

static void describe_attack(const iso_attack *a, iso_str *out)
{
	static const char *const names[] = {"released rows", "auxiliary rows", "sampling oracle",
					    "score of rows", "latent access",  "shadow trainings"};
	int any = 0;

	heading(out, "attack", a->name, a->title);
	section(out, "Citation", a->citation);
	iso_str_addf(out, "\nGoal\n  %s\n\nKnows\n  %s: ", iso_goal_name(a->goal), a->knowledge);
	for (size_t i = 0; i < ISO_COUNT(names); i++)
		if (a->knows & (1u << i)) {
			iso_str_addf(out, "%s%s", any ? ", " : "", names[i]);
			any = 1;
		}
	iso_str_add(out, any ? ", and the public schema\n" : "the public schema\n");
	section(out, "Card", a->card);
	options(out, a->options);
}

static void describe_metric(const iso_metric *m, iso_str *out)
{
	heading(out, "metric", m->name, m->title);
	section(out, "Citation", m->citation);
	section(out, "Card", m->card);
	iso_str_add(out, "\nOutputs\n");
	for (const iso_output *o = m->outputs; o->key; o++) {
		iso_str_addf(out, "  %-26s %s; %s is better; range %g to %g", o->key, o->title,
			     o->direction == ISO_HIGHER	 ? "higher"
			     : o->direction == ISO_LOWER ? "lower"
							 : "neither",
			     o->lo, o->hi);
		if (!isnan(o->ideal))
			iso_str_addf(out, "; ideal %g", o->ideal);
		iso_str_add(out, "\n");
		if (o->caveat)
			iso_fold(out, o->caveat, 30, FOLD);
	}
	options(out, m->options);
}

static void describe_dataset(const iso_dataset_info *d, iso_str *out)
{
	iso_str where = {0};
	iso_error ignored = {0};
	int present;

	heading(out, "data set", d->name, d->title);
	section(out, "Citation", d->citation);
	section(out, "Licence", d->licence);
	if (d->rows)
		iso_str_addf(out, "\nRows\n  %zu%s\n", d->rows,
			     d->has_test ? ", with a test part of its own" : "");
	if (iso_dataset_locate(d->name, &where, &present, &ignored) == ISO_OK && where.n)
		section(out, "Where", where.p);
	iso_str_free(&where);
}

static void describe_suite(const iso_suite *s, iso_str *out)
{
	heading(out, "suite", s->name, s->title);
	section(out, "Description", s->description);
	iso_str_add(out, "\nData sets\n ");
	for (size_t i = 0; i < s->ndataset; i++)
		iso_str_addf(out, " %s", s->dataset[i].label);
	iso_str_add(out, "\n\nGenerators\n ");
	for (size_t i = 0; i < s->ngenerator; i++)
		iso_str_addf(out, "%s %s", i ? "," : "", s->generator[i].label);
	iso_str_add(out, "\n\nEpsilons\n ");
	for (size_t i = 0; i < s->nepsilon; i++)
		iso_str_addf(out, " %g", s->epsilon[i]);
	iso_str_addf(out, "\n\nisoeps run %s --dry-run shows its cells.\n", s->name);
}

/* ------------------------------------------------------------------ JSON */

typedef struct facts {
	cJSON *list;
	int failed;
} facts;

static cJSON *fact(facts *f, const char *kind, const char *name, const char *title,
		   const char *citation, const char *card, const iso_option *table)
{
	cJSON *o = cJSON_CreateObject(),
	      *opts = table ? iso_options_json(table) : cJSON_CreateArray();

	if (!o || !opts || !cJSON_AddStringToObject(o, "kind", kind) ||
	    !cJSON_AddStringToObject(o, "name", name) ||
	    !cJSON_AddStringToObject(o, "title", title) ||
	    !cJSON_AddStringToObject(o, "citation", citation ? citation : "") ||
	    !cJSON_AddStringToObject(o, "card", card ? card : "") ||
	    !cJSON_AddItemToObject(o, "options", opts)) {
		cJSON_Delete(o);
		f->failed = 1;
		return NULL;
	}
	if (!cJSON_AddItemToArray(f->list, o)) {
		cJSON_Delete(o);
		f->failed = 1;
		return NULL;
	}
	return o;
}

static void add_fact(facts *f, cJSON *o, const char *key, const char *text)
{
	if (o && !cJSON_AddStringToObject(o, key, text))
		f->failed = 1;
}

static void outputs_json(facts *f, cJSON *o, const iso_metric *m)
{
	cJSON *list = o ? cJSON_AddArrayToObject(o, "outputs") : NULL;

	for (const iso_output *x = m->outputs; list && x->key; x++) {
		cJSON *e = cJSON_CreateObject();

		if (!e || !cJSON_AddItemToArray(list, e)) {
			cJSON_Delete(e);
			f->failed = 1;
			return;
		}
		add_fact(f, e, "key", x->key);
		add_fact(f, e, "title", x->title);
		add_fact(f, e, "unit", x->unit);
		add_fact(f, e, "direction",
			 x->direction == ISO_HIGHER  ? "higher"
			 : x->direction == ISO_LOWER ? "lower"
						     : "neither");
		add_fact(f, e, "caveat", x->caveat ? x->caveat : "");
	}
}

/* ------------------------------------------------------------------ lookup */

/* Everything of that name, as text or as facts; how many were found. */
static size_t describe_all(const char *name, iso_str *out, facts *f)
{
	size_t found = 0;
	const iso_dataset_info *d = iso_dataset_find(name);

	for (size_t i = 0; i < iso_generator_count(); i++) {
		const iso_generator *g = iso_generator_at(i);

		if (strcmp(g->name, name) != 0)
			continue;
		found++;
		if (f)
			add_fact(f,
				 fact(f, "generator", g->name, g->title, g->citation, g->card,
				      g->options),
				 "guarantee", iso_guarantee_name(g->guarantee));
		else
			describe_generator(g, out);
	}
	for (size_t i = 0; i < iso_attack_count(); i++) {
		const iso_attack *a = iso_attack_at(i);

		if (strcmp(a->name, name) != 0)
			continue;
		found++;
		if (f)
			add_fact(f,
				 fact(f, "attack", a->name, a->title, a->citation, a->card,
				      a->options),
				 "knows", a->knowledge);
		else
			describe_attack(a, out);
	}
	for (size_t i = 0; i < iso_metric_count(); i++) {
		const iso_metric *m = iso_metric_at(i);

		if (strcmp(m->name, name) != 0)
			continue;
		found++;
		if (f)
			outputs_json(f,
				     fact(f, "metric", m->name, m->title, m->citation, m->card,
					  m->options),
				     m);
		else
			describe_metric(m, out);
	}
	if (d) {
		found++;
		if (f)
			add_fact(f, fact(f, "dataset", d->name, d->title, d->citation, "", NULL),
				 "licence", d->licence);
		else
			describe_dataset(d, out);
	}
	return found;
}

static iso_status unknown(const char *name, iso_error *err)
{
	const char *words[256], *near;
	size_t n = 0;

	for (size_t i = 0; i < iso_generator_count() && n < ISO_COUNT(words); i++)
		words[n++] = iso_generator_at(i)->name;
	for (size_t i = 0; i < iso_attack_count() && n < ISO_COUNT(words); i++)
		words[n++] = iso_attack_at(i)->name;
	for (size_t i = 0; i < iso_metric_count() && n < ISO_COUNT(words); i++)
		words[n++] = iso_metric_at(i)->name;
	for (size_t i = 0; i < iso_dataset_count() && n < ISO_COUNT(words); i++)
		words[n++] = iso_dataset_at(i)->name;
	near = iso_nearest_word(name, words, n);
	return iso_fail(err, ISO_E_USAGE,
			"unknown name (%s): no generator, attack, metric, data set or suite is "
			"called so; %s%s%s",
			name, near ? "did you mean " : "see isoeps list --help", near ? near : "",
			near ? "?" : "");
}

int cmd_describe(int argc, char **argv)
{
	int json = 0, helped;
	iso_arg_list plugin = {0};
	const iso_arg table[] = {{"--plugin", ISO_ARG_TEXTS, &plugin, "FILE.so",
				  "load a generator, attack or metric from a shared object"},
				 {"--json", ISO_ARG_FLAG, &json, NULL, "machine-readable output"},
				 {0}};
	const char *name = NULL;
	iso_error err = {0}, ignored = {0};
	iso_suite *suite = NULL;
	iso_str out = {0};
	facts f = {0};
	size_t n, found;
	iso_status st = iso_args_read(&help, table, argc, argv, &name, &n, &helped, &err);

	if (st == ISO_OK && helped)
		return 0;
	for (size_t i = 0; i < plugin.n && st == ISO_OK; i++)
		st = iso_plugin_load(plugin.v[i], &err);
	if (st != ISO_OK)
		return iso_cli_fail(&err);
	if (strcmp(name, "record") == 0) {
		iso_record_describe(&out);
		return iso_cli_print(&out, 0);
	}
	if (json)
		f.list = cJSON_CreateArray();
	found = describe_all(name, &out, json ? &f : NULL);
	if (iso_suite_read(name, &suite, &ignored) == ISO_OK) {
		found++;
		if (json)
			(void)fact(&f, "suite", suite->name, suite->title, "", suite->description,
				   NULL);
		else
			describe_suite(suite, &out);
		iso_suite_free(suite);
	}
	if (found == 0) {
		cJSON_Delete(f.list);
		iso_str_free(&out);
		(void)unknown(name, &err);
		return iso_cli_fail(&err);
	}
	return json ? iso_cli_json(f.list, !f.failed, 0) : iso_cli_print(&out, 0);
}
