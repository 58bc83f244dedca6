// SPDX-License-Identifier: Apache-2.0
/* A suite with every default written out: DIR/suite.json. */
#include <math.h>
#include <string.h>

#include "suites/suite.h"

/* cJSON gives NULL when memory is out; one flag collects it. */
typedef struct builder {
	int failed;
} builder;

static cJSON *keep(builder *b, cJSON *v)
{
	b->failed |= !v;
	return v;
}

static void add(builder *b, cJSON *obj, const char *key, cJSON *v)
{
	if (!v || !obj ||
	    !(key ? cJSON_AddItemToObject(obj, key, v) : cJSON_AddItemToArray(obj, v))) {
		b->failed = 1;
		cJSON_Delete(v);
	}
}

static void add_text(builder *b, cJSON *obj, const char *key, const char *text)
{
	add(b, obj, key, cJSON_CreateString(text));
}

static void add_number(builder *b, cJSON *obj, const char *key, double x)
{
	add(b, obj, key, cJSON_CreateNumber(x));
}

static cJSON *numbers(builder *b, const double *x, size_t n)
{
	cJSON *list = keep(b, cJSON_CreateArray());

	for (size_t i = 0; list && i < n; i++)
		add(b, list, NULL, cJSON_CreateNumber(x[i]));
	return list;
}

static cJSON *split_json(builder *b, const iso_suite_split *s)
{
	cJSON *o = keep(b, cJSON_CreateObject());

	add_number(b, o, "train", s->train);
	add_number(b, o, "holdout", s->holdout);
	add_number(b, o, "aux", s->aux);
	add(b, o, "official_test", cJSON_CreateBool(s->official_test));
	add(b, o, "dedup", cJSON_CreateBool(s->dedup));
	return o;
}

static void add_options(builder *b, cJSON *obj, const char *key, const cJSON *options)
{
	if (options)
		add(b, obj, key, cJSON_Duplicate(options, 1));
}

static cJSON *dataset_json(builder *b, const iso_suite_dataset *d)
{
	cJSON *o = keep(b, cJSON_CreateObject());

	add_text(b, o, "name", d->name);
	add_text(b, o, "label", d->label);
	if (d->csv) {
		add_text(b, o, "csv", d->csv);
		add_text(b, o, "schema", d->schema);
	}
	add_options(b, o, "options", d->options);
	add(b, o, "split", split_json(b, &d->split));
	return o;
}

static cJSON *generator_json(builder *b, const iso_suite_generator *g)
{
	cJSON *o = keep(b, cJSON_CreateObject()), *list;

	add_text(b, o, "name", g->name);
	add_text(b, o, "label", g->label);
	add_options(b, o, "options", g->options);
	if (g->epsilon)
		add(b, o, "epsilons", numbers(b, g->epsilon, g->nepsilon));
	if (g->dataset) {
		list = keep(b, cJSON_CreateArray());
		for (size_t i = 0; list && i < g->ndataset; i++)
			add(b, list, NULL, cJSON_CreateString(g->dataset[i]));
		add(b, o, "datasets", list);
	}
	add_options(b, o, "per_dataset", g->per_dataset);
	return o;
}

static cJSON *items_json(builder *b, const iso_suite_item *item, size_t n)
{
	cJSON *list = keep(b, cJSON_CreateArray());

	for (size_t i = 0; list && i < n; i++) {
		cJSON *o = keep(b, cJSON_CreateObject());

		add_text(b, o, "name", item[i].name);
		add_text(b, o, "label", item[i].label);
		add_options(b, o, "options", item[i].options);
		add(b, list, NULL, o);
	}
	return list;
}

static void add_lists(builder *b, cJSON *root, const iso_suite *s)
{
	cJSON *list = keep(b, cJSON_CreateArray());

	for (size_t i = 0; list && i < s->ndataset; i++)
		add(b, list, NULL, dataset_json(b, &s->dataset[i]));
	add(b, root, "datasets", list);
	list = keep(b, cJSON_CreateArray());
	for (size_t i = 0; list && i < s->ngenerator; i++)
		add(b, list, NULL, generator_json(b, &s->generator[i]));
	add(b, root, "generators", list);
	add(b, root, "epsilons", numbers(b, s->epsilon, s->nepsilon));
	list = keep(b, cJSON_CreateArray());
	for (size_t i = 0; list && i < s->nseed; i++)
		add(b, list, NULL, cJSON_CreateNumber((double)s->seed[i]));
	add(b, root, "seeds", list);
	if (s->nattack != SIZE_MAX)
		add(b, root, "attacks", items_json(b, s->attack, s->nattack));
	if (s->nmetric != SIZE_MAX)
		add(b, root, "metrics", items_json(b, s->metric, s->nmetric));
}

iso_status iso_suite_to_json(const iso_suite *s, cJSON **out, iso_error *err)
{
	builder b = {0};
	cJSON *root = keep(&b, cJSON_CreateObject()), *o;

	*out = NULL;
	add_text(&b, root, "name", s->name);
	add_text(&b, root, "title", s->title);
	add_text(&b, root, "description", s->description);
	add_lists(&b, root, s);
	if (s->delta == ISO_DELTA_ONE_OVER_N)
		add_text(&b, root, "delta", "1/n");
	else
		add_number(&b, root, "delta", s->delta);
	add_text(&b, root, "adjacency", iso_adjacency_name(s->adjacency));
	add_text(&b, root, "accountant", iso_accountant_name(s->accountant));
	if (s->rows == ISO_ROWS_TRAIN)
		add_text(&b, root, "rows", "train");
	else
		add_number(&b, root, "rows", (double)s->rows);
	add_number(&b, root, "attack_targets", (double)s->attack_targets);
	if (s->keep_samples == ISO_KEEP_ALL)
		add(&b, root, "keep_samples", cJSON_CreateTrue());
	else
		add_number(&b, root, "keep_samples", (double)s->keep_samples);
	o = keep(&b, cJSON_CreateObject());
	add_number(&b, o, "seconds", s->limit_seconds);
	add_number(&b, o, "memory_mib", (double)s->limit_bytes / 1048576.0);
	add(&b, root, "limits", o);
	o = keep(&b, cJSON_CreateObject());
	add(&b, o, "class_counts", cJSON_CreateBool(s->public_class_counts));
	add(&b, root, "public", o);
	if (b.failed) {
		cJSON_Delete(root);
		return iso_no_memory(err, "a suite");
	}
	*out = root;
	return ISO_OK;
}
