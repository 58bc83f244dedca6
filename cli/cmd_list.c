// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "attacks/attack.h"
#include "cli/args.h"
#include "cli/cmd.h"
#include "cli/table.h"
#include "core/base/alloc.h"
#include "core/data/catalogue.h"
#include "core/io/file.h"
#include "generators/generator.h"
#include "metrics/metric.h"
#include "suites/plugin.h"
#include "suites/suite.h"

static const iso_verb_help help = {
	.verb = "list",
	.operands = "KIND",
	.summary = "generators, attacks, metrics, datasets or suites",
	.text = "KIND is generators, attacks, metrics, datasets or suites.  isoeps describe NAME "
		"tells more about each.\n\n"
		"Example:\n"
		"  isoeps list generators\n",
	.min_operands = 1,
	.max_operands = 1,
};

/* Every lister fills one row per entry: name, note, title. */
typedef struct listing {
	iso_grid grid; /* text */
	cJSON *list;   /* JSON */
	int json, failed;
} listing;

static void row(listing *l, const char *name, const char *note_key, const char *note,
		const char *title)
{
	if (l->json) {
		cJSON *o = cJSON_CreateObject();

		if (!o || !cJSON_AddStringToObject(o, "name", name) ||
		    !cJSON_AddStringToObject(o, note_key, note) ||
		    !cJSON_AddStringToObject(o, "title", title) ||
		    !cJSON_AddItemToArray(l->list, o)) {
			cJSON_Delete(o);
			l->failed = 1;
		}
		return;
	}
	if (l->grid.n == 0) {
		iso_grid_add(&l->grid, "name");
		iso_grid_add(&l->grid, "%s", note_key);
		iso_grid_add(&l->grid, "title");
	}
	iso_grid_add(&l->grid, "%s", name);
	iso_grid_add(&l->grid, "%s", note);
	iso_grid_add(&l->grid, "%s", title);
}

static iso_status list_generators(listing *l, iso_error *err)
{
	(void)err;
	for (size_t i = 0; i < iso_generator_count(); i++) {
		const iso_generator *g = iso_generator_at(i);

		row(l, g->name, "guarantee", iso_guarantee_name(g->guarantee), g->title);
	}
	return ISO_OK;
}

static iso_status list_attacks(listing *l, iso_error *err)
{
	(void)err;
	for (size_t i = 0; i < iso_attack_count(); i++) {
		const iso_attack *a = iso_attack_at(i);
		char note[64];

		snprintf(note, sizeof(note), "%s, %s", iso_goal_name(a->goal), a->knowledge);
		row(l, a->name, "goal", note, a->title);
	}
	return ISO_OK;
}

static iso_status list_metrics(listing *l, iso_error *err)
{
	(void)err;
	for (size_t i = 0; i < iso_metric_count(); i++) {
		const iso_metric *m = iso_metric_at(i);
		size_t n = 0;
		char note[32];

		while (m->outputs[n].key)
			n++;
		snprintf(note, sizeof(note), "%zu", n);
		row(l, m->name, "outputs", note, m->title);
	}
	return ISO_OK;
}

static iso_status list_datasets(listing *l, iso_error *err)
{
	for (size_t i = 0; i < iso_dataset_count(); i++) {
		const iso_dataset_info *d = iso_dataset_at(i);
		iso_str where = {0};
		int present = d->embedded;

		if (!d->embedded && iso_dataset_locate(d->name, &where, &present, err) != ISO_OK)
			return err->code;
		row(l, d->name, "there",
		    d->embedded ? "embedded"
		    : present	? "on disk"
				: "to be fetched",
		    d->title);
		iso_str_free(&where);
	}
	return ISO_OK;
}

static iso_status list_suites(listing *l, iso_error *err)
{
	char **names;
	size_t n;
	iso_status st = ISO_OK;

	ISO_TRY(iso_list_dir(iso_suite_directory(), ".json", &names, &n, err));
	for (size_t i = 0; i < n; i++) {
		iso_suite *s = NULL;
		iso_error why = {0};
		char path[4096], note[64];

		snprintf(path, sizeof(path), "%s/%s", iso_suite_directory(), names[i]);
		if (iso_suite_read(path, &s, &why) == ISO_OK) {
			snprintf(note, sizeof(note), "%zu x %zu", s->ndataset, s->ngenerator);
			row(l, s->name, "data sets x generators", note, s->title);
		} else {
			row(l, names[i], "data sets x generators", "unreadable", why.text);
		}
		iso_suite_free(s);
		iso_free(names[i]);
	}
	iso_free(names);
	return st;
}

static const struct {
	const char *name;
	iso_status (*fill)(listing *l, iso_error *err);
} kinds[] = {{"generators", list_generators},
	     {"attacks", list_attacks},
	     {"metrics", list_metrics},
	     {"datasets", list_datasets},
	     {"suites", list_suites}};

static iso_status fill(const char *kind, listing *l, iso_error *err)
{
	const char *words[ISO_COUNT(kinds)], *near;

	for (size_t i = 0; i < ISO_COUNT(kinds); i++) {
		words[i] = kinds[i].name;
		if (strcmp(kind, kinds[i].name) == 0)
			return kinds[i].fill(l, err);
	}
	near = iso_nearest_word(kind, words, ISO_COUNT(words));
	return iso_fail(err, ISO_E_USAGE, "unknown kind (%s): %s%s%s", kind,
			near ? "did you mean "
			     : "it must be generators, attacks, metrics, datasets or suites",
			near ? near : "", near ? "?" : "");
}

int cmd_list(int argc, char **argv)
{
	listing l = {.grid = {.columns = 3}};
	iso_arg_list plugin = {0};
	const iso_arg table[] = {{"--plugin", ISO_ARG_TEXTS, &plugin, "FILE.so",
				  "load a generator, attack or metric from a shared object"},
				 {"--json", ISO_ARG_FLAG, &l.json, NULL, "machine-readable output"},
				 {0}};
	const char *kind = NULL;
	iso_error err = {0};
	iso_str out = {0};
	size_t n;
	int helped;
	iso_status st = iso_args_read(&help, table, argc, argv, &kind, &n, &helped, &err);

	if (st == ISO_OK && helped)
		return 0;
	for (size_t i = 0; i < plugin.n && st == ISO_OK; i++)
		st = iso_plugin_load(plugin.v[i], &err);
	if (l.json)
		l.list = cJSON_CreateArray();
	if (st == ISO_OK)
		st = fill(kind, &l, &err);
	iso_grid_print(&l.grid, &out);
	if (st != ISO_OK) {
		iso_str_free(&out);
		cJSON_Delete(l.list);
		return iso_cli_fail(&err);
	}
	if (!l.json)
		return iso_cli_print(&out, 0);
	iso_str_free(&out);
	return iso_cli_json(l.list, !l.failed, 0);
}
