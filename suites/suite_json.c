// SPDX-License-Identifier: Apache-2.0
/* A suite with every default written out: DIR/suite.json. */
#include "core/io/jsonw.h"
#include "suites/suite.h"

static cJSON *numbers(iso_jsonw *b, const double *x, size_t n)
{
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; list && i < n; i++)
		iso_jsonw_add(b, list, NULL, cJSON_CreateNumber(x[i]));
	return list;
}

static cJSON *split_json(iso_jsonw *b, const iso_suite_split *s)
{
	cJSON *o = cJSON_CreateObject();

	iso_jsonw_number(b, o, "train", s->train);
	iso_jsonw_number(b, o, "holdout", s->holdout);
	iso_jsonw_number(b, o, "aux", s->aux);
	if (s->public_rows > 0)
		iso_jsonw_number(b, o, "public", s->public_rows);
	iso_jsonw_add(b, o, "official_test", cJSON_CreateBool(s->official_test));
	iso_jsonw_add(b, o, "dedup", cJSON_CreateBool(s->dedup));
	return o;
}

static void add_options(iso_jsonw *b, cJSON *obj, const char *key, const cJSON *options)
{
	if (options)
		iso_jsonw_add(b, obj, key, cJSON_Duplicate(options, 1));
}

static cJSON *dataset_json(iso_jsonw *b, const iso_suite_dataset *d)
{
	cJSON *o = cJSON_CreateObject();

	iso_jsonw_text(b, o, "name", d->name);
	iso_jsonw_text(b, o, "label", d->label);
	if (d->csv) {
		iso_jsonw_text(b, o, "csv", d->csv);
		if (d->private_json)
			iso_jsonw_copy(b, o, "schema", d->private_json);
		else
			iso_jsonw_text(b, o, "schema", d->schema);
	}
	if (d->public_csv)
		iso_jsonw_text(b, o, "public_csv", d->public_csv);
	add_options(b, o, "options", d->options);
	add_options(b, o, "clients", d->clients_json);
	iso_jsonw_add(b, o, "split", split_json(b, &d->split));
	return o;
}

static cJSON *generator_json(iso_jsonw *b, const iso_suite_generator *g)
{
	cJSON *o = cJSON_CreateObject(), *list;

	iso_jsonw_text(b, o, "name", g->name);
	iso_jsonw_text(b, o, "label", g->label);
	add_options(b, o, "options", g->options);
	if (g->epsilon)
		iso_jsonw_add(b, o, "epsilons", numbers(b, g->epsilon, g->nepsilon));
	if (g->dataset) {
		list = cJSON_CreateArray();
		for (size_t i = 0; list && i < g->ndataset; i++)
			iso_jsonw_add(b, list, NULL, cJSON_CreateString(g->dataset[i]));
		iso_jsonw_add(b, o, "datasets", list);
	}
	add_options(b, o, "per_dataset", g->per_dataset);
	return o;
}

static cJSON *items_json(iso_jsonw *b, const iso_suite_item *item, size_t n)
{
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; list && i < n; i++) {
		cJSON *o = cJSON_CreateObject();

		iso_jsonw_text(b, o, "name", item[i].name);
		iso_jsonw_text(b, o, "label", item[i].label);
		add_options(b, o, "options", item[i].options);
		iso_jsonw_add(b, list, NULL, o);
	}
	return list;
}

static void add_lists(iso_jsonw *b, cJSON *root, const iso_suite *s)
{
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; list && i < s->ndataset; i++)
		iso_jsonw_add(b, list, NULL, dataset_json(b, &s->dataset[i]));
	iso_jsonw_add(b, root, "datasets", list);
	list = cJSON_CreateArray();
	for (size_t i = 0; list && i < s->ngenerator; i++)
		iso_jsonw_add(b, list, NULL, generator_json(b, &s->generator[i]));
	iso_jsonw_add(b, root, "generators", list);
	iso_jsonw_add(b, root, "epsilons", numbers(b, s->epsilon, s->nepsilon));
	list = cJSON_CreateArray();
	for (size_t i = 0; list && i < s->nseed; i++)
		iso_jsonw_add(b, list, NULL, cJSON_CreateNumber((double)s->seed[i]));
	iso_jsonw_add(b, root, "seeds", list);
	if (s->nattack != SIZE_MAX)
		iso_jsonw_add(b, root, "attacks", items_json(b, s->attack, s->nattack));
	if (s->nmetric != SIZE_MAX)
		iso_jsonw_add(b, root, "metrics", items_json(b, s->metric, s->nmetric));
}

iso_status iso_suite_to_json(const iso_suite *s, cJSON **out, iso_error *err)
{
	iso_jsonw b = {0};
	cJSON *root = cJSON_CreateObject(), *o;

	*out = NULL;
	iso_jsonw_text(&b, root, "name", s->name);
	iso_jsonw_text(&b, root, "title", s->title);
	iso_jsonw_text(&b, root, "description", s->description);
	add_lists(&b, root, s);
	if (s->delta == ISO_DELTA_ONE_OVER_N)
		iso_jsonw_text(&b, root, "delta", "1/n");
	else
		iso_jsonw_number(&b, root, "delta", s->delta);
	iso_jsonw_text(&b, root, "adjacency", iso_adjacency_name(s->adjacency));
	iso_jsonw_text(&b, root, "accountant", iso_accountant_name(s->accountant));
	if (s->rows == ISO_ROWS_TRAIN)
		iso_jsonw_text(&b, root, "rows", "train");
	else
		iso_jsonw_number(&b, root, "rows", (double)s->rows);
	iso_jsonw_number(&b, root, "attack_targets", (double)s->attack_targets);
	if (s->keep_samples == ISO_KEEP_ALL)
		iso_jsonw_add(&b, root, "keep_samples", cJSON_CreateTrue());
	else
		iso_jsonw_number(&b, root, "keep_samples", (double)s->keep_samples);
	o = cJSON_CreateObject();
	iso_jsonw_number(&b, o, "seconds", s->limit_seconds);
	iso_jsonw_number(&b, o, "memory_mib", (double)s->limit_bytes / 1048576.0);
	iso_jsonw_add(&b, root, "limits", o);
	o = cJSON_CreateObject();
	iso_jsonw_add(&b, o, "class_counts", cJSON_CreateBool(s->public_class_counts));
	iso_jsonw_add(&b, root, "public", o);
	o = iso_jsonw_object(&b, root, "keep");
	iso_jsonw_bool(&b, o, "models", s->keep_models);
	iso_jsonw_bool(&b, root, "secure", s->secure);
	iso_jsonw_bool(&b, root, "verify", s->verify);
	if (s->audits.runs) {
		o = iso_jsonw_object(&b, root, "audits");
		iso_jsonw_number(&b, o, "runs", (double)s->audits.runs);
		iso_jsonw_number(&b, o, "alpha", s->audits.alpha);
		iso_jsonw_text(&b, o, "threshold", s->audits.threshold);
	}
	if (s->allow_large_delta)
		iso_jsonw_bool(&b, root, "allow_large_delta", 1);
	if (s->published)
		iso_jsonw_copy(&b, root, "published", s->published);
	if (b.failed) {
		cJSON_Delete(root);
		return iso_no_memory(err, "a suite");
	}
	*out = root;
	return ISO_OK;
}
