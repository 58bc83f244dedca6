// SPDX-License-Identifier: Apache-2.0
/* Configurations and keys.  The key of a cell is the hash of all that determines its training; the
 * key of a judgement (one attack or metric on one cell) is the hash of the cell's key and of all
 * that determines the judgement.  Both are hashes of canonical JSON that is put together from texts
 * made once per plug-in and data set: a plan may have 100,000 cells. */
#include <math.h>
#include <string.h>

#include "core/io/jsonw.h"
#include "results/record.h"
#include "suites/plan.h"

/* Raised when the split or the keys of randomness change what a configuration means. */
#define HARNESS_VERSION 2

iso_status iso_dataset_text(const iso_suite_dataset *d, const iso_dataset *data,
			    const char *public_hash, char **out, iso_error *err)
{
	iso_jsonw w = {0};
	cJSON *o = iso_jsonw_object(&w, NULL, NULL), *split, *root;
	iso_str text = {0};
	iso_status st;

	iso_jsonw_text(&w, o, "name", d->label);
	iso_jsonw_text(&w, o, "source", d->csv ? "csv" : d->name);
	iso_jsonw_add(&w, o, "options",
		      d->options ? cJSON_Duplicate(d->options, 1) : cJSON_CreateObject());
	iso_jsonw_text(&w, o, "hash", data->hash);
	if (d->clients_json)
		iso_jsonw_copy(&w, o, "clients", d->clients_json);
	split = iso_jsonw_object(&w, o, "split");
	iso_jsonw_number(&w, split, "train", d->split.train);
	iso_jsonw_number(&w, split, "holdout", d->split.holdout);
	iso_jsonw_number(&w, split, "aux", d->split.aux);
	if (d->split.public_rows > 0)
		iso_jsonw_number(&w, split, "public", d->split.public_rows);
	if (public_hash[0])
		iso_jsonw_text(&w, o, "public_hash", public_hash);
	iso_jsonw_bool(&w, split, "official_test", d->split.official_test);
	iso_jsonw_bool(&w, split, "dedup", d->split.dedup);
	ISO_TRY(iso_jsonw_end(&w, o, "a configuration", &root, err));
	st = iso_record_canonical(root, &text, err);
	cJSON_Delete(root);
	*out = text.p;
	return st;
}

static void add_number(iso_str *out, const char *key, double x)
{
	char text[32];

	iso_json_number_text(iso_record_round(x), text);
	iso_str_addf(out, isfinite(x) ? "\"%s\":%s," : "\"%s\":\"%s\",", key, text);
}

/* Keys in alphabetical order: this is canonical JSON. */
static iso_status config_text(const iso_agenda *a, const iso_cell *c, iso_str *out, iso_error *err)
{
	const iso_suite *s = a->suite;

	iso_str_addf(out, "{\"accountant\":\"%s\",\"adjacency\":\"%s\",\"dataset\":",
		     iso_accountant_name(s->accountant), iso_adjacency_name(s->adjacency));
	iso_str_add(out, a->data_text[c->dataset]);
	iso_str_add(out, ",");
	add_number(out, "delta", c->delta);
	add_number(out, "epsilon", c->epsilon);
	iso_str_add(out, "\"generator\":");
	iso_str_add(out, c->generator_text);
	iso_str_add(out, ",");
	add_number(out, "harness", HARNESS_VERSION);
	iso_str_addf(out, "\"public_class_counts\":%s,\"secure\":%s,",
		     s->public_class_counts ? "true" : "false", s->secure ? "true" : "false");
	iso_str_addf(out, "\"seed\":%llu}", (unsigned long long)c->seed);
	return iso_str_check(out, err);
}

iso_status iso_cell_method(const iso_agenda *a, const iso_cell *c, iso_str *out, iso_error *err)
{
	const iso_suite *s = a->suite;

	iso_str_addf(out, "{\"accountant\":\"%s\",\"adjacency\":\"%s\",",
		     iso_accountant_name(s->accountant), iso_adjacency_name(s->adjacency));
	add_number(out, "delta", c->delta);
	add_number(out, "epsilon", c->epsilon);
	iso_str_add(out, "\"generator\":");
	iso_str_add(out, c->generator_text);
	iso_str_addf(out, ",\"harness\":%d,\"public_class_counts\":%s,\"secure\":%s}",
		     HARNESS_VERSION, s->public_class_counts ? "true" : "false",
		     s->secure ? "true" : "false");
	return iso_str_check(out, err);
}

iso_status iso_cell_config(const iso_agenda *a, const iso_cell *c, cJSON **out, iso_error *err)
{
	iso_str text = {0};
	iso_status st = config_text(a, c, &text, err);

	*out = NULL;
	if (st == ISO_OK)
		st = iso_json_parse(text.p, text.n, "configuration", out, err);
	iso_str_free(&text);
	return st;
}

iso_status iso_cell_make_key(const iso_agenda *a, iso_cell *c, iso_error *err)
{
	iso_str text = {0};
	iso_status st = config_text(a, c, &text, err);

	if (st == ISO_OK)
		st = iso_key_of(text.p, text.n, c->key, err);
	iso_str_free(&text);
	return st;
}

iso_status iso_judge_key(const iso_agenda *a, const iso_cell *c, iso_judge_kind kind,
			 const char *judge, char key[33], iso_error *err)
{
	iso_str text = {0};
	iso_status st;

	iso_str_addf(&text, "{\"cell\":\"%s\",\"judge\":", c->key);
	iso_str_add(&text, judge);
	iso_str_addf(&text, ",\"rows\":%zu", c->rows);
	if (kind == ISO_JUDGE_ATTACK)
		iso_str_addf(&text, ",\"targets\":%zu", a->suite->attack_targets);
	iso_str_add(&text, "}");
	st = iso_str_check(&text, err);
	if (st == ISO_OK)
		st = iso_key_of(text.p, text.n, key, err);
	iso_str_free(&text);
	return st;
}
