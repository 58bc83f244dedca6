// SPDX-License-Identifier: Apache-2.0
/* From a suite to its cells.  Order: what needs no data first (names, options), so that a typing
 * error is found before a large file is read; then data, splits, and every cell's checks. */
#include "suites/plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/io/jsonw.h"
#include "results/record.h"
#include "suites/flow/train.h"

/* ------------------------------------------------------------------ plug-ins */

static int runs_on(const iso_suite_generator *g, const char *dataset)
{
	for (size_t i = 0; i < g->ndataset; i++)
		if (strcmp(g->dataset[i], dataset) == 0)
			return 1;
	return g->dataset == NULL;
}

static iso_status make_setups(iso_agenda *a, iso_error *err)
{
	const iso_suite *s = a->suite;

	a->setup = iso_alloc(s->ngenerator * s->ndataset, sizeof(*a->setup));
	if (!a->setup)
		return iso_no_memory(err, "the plan");
	for (size_t i = 0; i < s->ngenerator; i++) {
		const iso_suite_generator *sg = &s->generator[i];

		for (size_t d = 0; d < s->ndataset; d++) {
			iso_setup *u = &a->setup[i * s->ndataset + d];
			const char *label = s->dataset[d].label;
			char where[192];

			snprintf(where, sizeof(where), "generators[%zu] %s", i, sg->label);
			ISO_TRY(iso_setup_new(
				sg->name, sg->options,
				cJSON_GetObjectItemCaseSensitive(sg->per_dataset, label), where, u,
				err));
			u->used = runs_on(sg, label);
		}
	}
	return ISO_OK;
}

static iso_status make_judges(iso_agenda *a, iso_error *err)
{
	const iso_suite *s = a->suite;
	const int all_attacks = s->nattack == SIZE_MAX, all_metrics = s->nmetric == SIZE_MAX;

	a->nattack = all_attacks ? iso_attack_count() : s->nattack;
	a->nmetric = all_metrics ? iso_metric_count() : s->nmetric;
	a->attack = iso_alloc(a->nattack, sizeof(*a->attack));
	a->metric = iso_alloc(a->nmetric, sizeof(*a->metric));
	if (!a->attack || !a->metric)
		return iso_no_memory(err, "the plan");
	for (size_t i = 0; i < a->nattack; i++) {
		const char *name = all_attacks ? iso_attack_at(i)->name : NULL;
		const iso_suite_item any = {.name = name, .label = name};

		char where[160];

		snprintf(where, sizeof(where), "attacks[%zu] %s", i,
			 all_attacks ? name : s->attack[i].label);
		ISO_TRY(iso_attack_setup_new(all_attacks ? &any : &s->attack[i], where,
					     &a->attack[i], err));
	}
	for (size_t i = 0; i < a->nmetric; i++) {
		const char *name = all_metrics ? iso_metric_at(i)->name : NULL;
		const iso_suite_item any = {.name = name, .label = name};

		char where[160];

		snprintf(where, sizeof(where), "metrics[%zu] %s", i,
			 all_metrics ? name : s->metric[i].label);
		ISO_TRY(iso_metric_setup_new(all_metrics ? &any : &s->metric[i], where,
					     &a->metric[i], err));
	}
	return ISO_OK;
}

/* ------------------------------------------------------------------ data */

static iso_status check_dataset_names(const iso_suite *s, iso_error *err)
{
	for (size_t i = 0; i < s->ndataset; i++) {
		const iso_suite_dataset *d = &s->dataset[i];
		const char *words[128], *near;
		size_t n = 0;

		if (d->csv || iso_dataset_find(d->name))
			continue;
		while (n < iso_dataset_count() && n < ISO_COUNT(words)) {
			words[n] = iso_dataset_at(n)->name;
			n++;
		}
		near = iso_nearest_word(d->name, words, n);
		return iso_fail(err, ISO_E_CONFIG,
				"unknown data set (datasets[%zu]): \"%s\" is not in the catalogue; "
				"%s%s%s, or give \"csv\" and "
				"\"schema\"",
				i, d->name,
				near ? "did you mean \"" : "isoeps list datasets shows it",
				near ? near : "", near ? "\"?" : "");
	}
	return ISO_OK;
}

/* One release, drawn with the first seed: every cell of the data set pays for it. */
static iso_status load_private(const iso_suite *s, const iso_suite_dataset *d, iso_dataset **out,
			       iso_error *err)
{
	iso_private_schema q = *d->private_schema;
	iso_schema *schema;

	ISO_FAIL_IF(s->secure, err, ISO_E_CONFIG,
		    "private schema in a secure suite (data set %s): its noise could not be drawn "
		    "again when the run is resumed; write the schema once with `isoeps schema "
		    "infer --private` and name the file",
		    d->label);
	q.csv = d->csv;
	q.adjacency = s->adjacency;
	q.seed = s->seed[0];
	ISO_TRY(iso_schema_infer_private(&q, &schema, NULL, err));
	return iso_dataset_from_schema(d->csv, schema, out, err);
}

static iso_status load_data(iso_agenda *a, iso_error *err)
{
	const iso_suite *s = a->suite;

	a->data = iso_alloc(s->ndataset, sizeof(*a->data));
	a->division = iso_alloc(s->ndataset * s->nseed, sizeof(*a->division));
	a->data_text = iso_alloc(s->ndataset, sizeof(*a->data_text));
	if (!a->data || !a->division || !a->data_text)
		return iso_no_memory(err, "the plan");
	for (size_t i = 0; i < s->ndataset; i++) {
		const iso_suite_dataset *d = &s->dataset[i];

		if (d->private_schema)
			ISO_TRY(load_private(s, d, &a->data[i], err));
		else if (d->csv)
			ISO_TRY(iso_dataset_from_files(d->csv, d->schema, &a->data[i], err));
		else
			ISO_TRY(iso_dataset_load(d->name, d->options, &a->data[i], err));
	}
	return ISO_OK;
}

/* Public rows: a second file, none of whose rows may be private, or a share of the split. */
static iso_status find_public(const iso_suite_dataset *d, const iso_table *t, iso_division *v,
			      iso_error *err)
{
	ISO_FAIL_IF(d->public_csv && d->split.public_rows > 0, err, ISO_E_CONFIG,
		    "public rows given twice (data set %s): \"public_csv\" and a share \"public\" "
		    "of the split; keep one",
		    d->label);
	if (!d->public_csv)
		return v->split.npublic ? iso_table_select(t, v->split.public_rows,
							   v->split.npublic, &v->public_rows, err)
					: ISO_OK;
	ISO_TRY(iso_table_read_csv(d->public_csv, t->schema, &v->public_rows, err));
	ISO_FAIL_IF(v->public_rows->n == 0, err, ISO_E_DATA,
		    "no public rows (%s): the file has a header and no rows; add rows",
		    d->public_csv);
	ISO_TRY(iso_public_check(t, v->public_rows, err));
	return iso_table_hash(v->public_rows, v->public_hash, err);
}

static iso_status divide(iso_agenda *a, size_t dataset, size_t seed_index, iso_error *err)
{
	const iso_suite_dataset *d = &a->suite->dataset[dataset];
	const iso_table *t = a->data[dataset]->table;
	const size_t classes = iso_schema_classes(t->schema);
	iso_division *v = &a->division[dataset * a->suite->nseed + seed_index];

	ISO_TRY(iso_split_shares(
		t, a->suite->seed[seed_index],
		&(iso_shares){d->split.train, d->split.holdout, d->split.aux, d->split.public_rows},
		&v->split, err));
	ISO_TRY(find_public(d, t, v, err));
	ISO_FAIL_IF(v->split.ntrain < 2, err, ISO_E_DATA,
		    "too few rows (data set %s): %zu of %zu rows are for training; enlarge the "
		    "data or the share \"train\"",
		    d->label, v->split.ntrain, t->n);
	ISO_TRY(iso_division_clients(d, t, a->suite->seed[seed_index], v, err));
	if (classes == 0)
		return ISO_OK;
	v->class_count = iso_alloc(classes, sizeof(*v->class_count));
	if (!v->class_count)
		return iso_no_memory(err, "the plan");
	for (size_t i = 0; i < v->split.ntrain; i++) {
		size_t c = iso_table_label(t, v->split.train[i]);

		if (c < classes)
			v->class_count[c]++;
	}
	return ISO_OK;
}

iso_status iso_cell_rows_new(const iso_agenda *a, size_t dataset, size_t seed_index,
			     iso_cell_rows *out, iso_error *err)
{
	const iso_dataset *d = a->data[dataset];
	const iso_division *v = iso_agenda_division(a, dataset, seed_index);
	const int official =
		a->suite->dataset[dataset].split.official_test && d->test && d->test->n > 0;
	iso_status st;

	memset(out, 0, sizeof(*out));
	out->schema = d->table->schema;
	ISO_TRY_OUT(iso_table_select(d->table, v->split.train, v->split.ntrain, &out->train, err));
	if (v->client) {
		ISO_TRY_OUT(iso_table_add_clients(out->train, v->nclient, err));
		memcpy(out->train->client, v->client, out->train->n * sizeof(*v->client));
	}
	ISO_TRY_OUT(iso_table_select(d->table, v->split.holdout, v->split.nholdout, &out->holdout,
				     err));
	ISO_TRY_OUT(iso_table_select(d->table, v->split.aux, v->split.naux, &out->aux, err));
	out->nonmembers = out->holdout->n ? out->holdout : official ? d->test : NULL;
	out->test = official ? d->test : out->holdout->n ? out->holdout : NULL;
	out->class_count = v->class_count;
	return ISO_OK;
out:
	iso_cell_rows_free(out);
	return st;
}

void iso_cell_rows_free(iso_cell_rows *r)
{
	iso_table_free(r->train);
	iso_table_free(r->holdout);
	iso_table_free(r->aux);
	memset(r, 0, sizeof(*r));
}

/* ------------------------------------------------------------------ cells */

/* What was found right once need not be judged again for another seed. */
typedef struct memo {
	size_t n;
	double epsilon;
	const char *unsupported, *generator_text;
	int valid;
} memo;

iso_gen_env iso_cell_env(const iso_agenda *a, const iso_cell *c)
{
	const iso_suite *s = a->suite;
	const iso_division *v = iso_agenda_division(a, c->dataset, c->seed_index);
	const uint32_t accepts = iso_agenda_setup(a, c->generator, c->dataset)->generator->accepts;
	const int clients = (accepts & (ISO_ACCEPTS_CLIENTS | ISO_REQUIRES_CLIENTS)) != 0;

	return (iso_gen_env){.schema = a->data[c->dataset]->table->schema,
			     .n = v->split.ntrain,
			     .public_rows = v->public_rows,
			     .class_count = s->public_class_counts ? v->class_count : NULL,
			     .nclient = clients ? v->nclient : 0,
			     .client_count = clients ? v->client_count : NULL,
			     .options = iso_agenda_setup(a, c->generator, c->dataset)->options,
			     .epsilon = c->epsilon,
			     .delta = c->delta,
			     .adjacency = s->adjacency,
			     .accountant = s->accountant};
}

/* The options that fit works with: "choose for me" made values (the resolve slot). */
static iso_status effective_options(const iso_agenda *a, const iso_cell *c, cJSON **out,
				    iso_error *err)
{
	const iso_generator *g = iso_agenda_setup(a, c->generator, c->dataset)->generator;
	const iso_gen_env whole = iso_cell_env(a, c), env = iso_env_left(&whole);
	iso_status st = ISO_OK;
	void *copy = iso_alloc(1, g->options_size + 1);

	if (!copy)
		return iso_no_memory(err, "the effective options");
	memcpy(copy, env.options, g->options_size);
	if (g->resolve)
		st = g->resolve(&env, copy, err);
	if (st == ISO_OK)
		st = iso_options_values(g->options, copy, out, err);
	iso_free(copy);
	return st;
}

/* The method's part of the configuration, in the agenda's arena. */
static iso_status generator_text(iso_agenda *a, iso_cell *c, iso_error *err)
{
	const iso_setup *u = iso_agenda_setup(a, c->generator, c->dataset);
	cJSON *options = NULL;
	char *text = NULL;
	iso_status st;

	if (c->unsupported)
		st = iso_setup_text(u, u->resolved, &text, err);
	else
		st = effective_options(a, c, &options, err);
	if (st == ISO_OK && !text)
		st = iso_setup_text(u, options, &text, err);
	cJSON_Delete(options);
	ISO_TRY(st);
	c->generator_text = iso_arena_strdup(&a->arena, text);
	iso_free(text);
	return c->generator_text ? ISO_OK : iso_no_memory(err, "the plan");
}

/* A method that cannot take the data is an outcome of the cell, with its reason; any other fault is
 * one of the suite. */
static iso_status check_cell(iso_agenda *a, iso_cell *c, memo *seen, iso_error *err)
{
	const size_t n = iso_agenda_division(a, c->dataset, c->seed_index)->split.ntrain;
	const iso_setup *u = iso_agenda_setup(a, c->generator, c->dataset);
	const iso_gen_env env = iso_cell_env(a, c);
	iso_error why = {0};
	iso_status st;

	if (seen->valid && seen->n == n && seen->epsilon == c->epsilon && !env.class_count &&
	    !env.client_count) {
		c->unsupported = seen->unsupported;
		c->generator_text = seen->generator_text;
		return ISO_OK;
	}
	st = iso_delta_check(u->generator, c->delta, n, a->suite->allow_large_delta, &why);
	if (st == ISO_OK)
		st = iso_setup_check(u, &env, &why);
	if (st != ISO_OK && st != ISO_E_UNSUPPORTED)
		return iso_fail(err, st, "generators[%zu] %s on %s: %s", c->generator,
				a->suite->generator[c->generator].label,
				a->suite->dataset[c->dataset].label, why.text);
	if (st == ISO_E_UNSUPPORTED) {
		c->unsupported = iso_arena_strdup(&a->arena, why.text);
		if (!c->unsupported)
			return iso_no_memory(err, "the plan");
	}
	ISO_TRY(generator_text(a, c, err));
	*seen = (memo){.n = n,
		       .epsilon = c->epsilon,
		       .unsupported = c->unsupported,
		       .generator_text = c->generator_text,
		       .valid = 1};
	return ISO_OK;
}

static iso_status add_cell(iso_agenda *a, size_t *cap, iso_cell c, memo *seen, iso_error *err)
{
	const iso_suite *s = a->suite;
	const size_t n = iso_agenda_division(a, c.dataset, c.seed_index)->split.ntrain;

	c.seed = s->seed[c.seed_index];
	c.delta = iso_record_round(s->delta == ISO_DELTA_ONE_OVER_N ? 1.0 / (double)n : s->delta);
	c.rows = s->rows == ISO_ROWS_TRAIN ? n : s->rows;
	c.keep = s->keep_samples < c.rows ? s->keep_samples : c.rows;
	ISO_TRY(check_cell(a, &c, seen, err));
	ISO_TRY(iso_grow(&a->cell, cap, a->ncell + 1, sizeof(*a->cell), err));
	ISO_TRY(iso_cell_make_key(a, &c, err));
	a->cell[a->ncell++] = c;
	return ISO_OK;
}

static iso_status make_cells(iso_agenda *a, iso_error *err)
{
	const iso_suite *s = a->suite;
	size_t cap = 0, width = 0;
	memo *seen;
	iso_status st = ISO_OK;

	for (size_t g = 0; g < s->ngenerator; g++)
		width = s->generator[g].nepsilon > width ? s->generator[g].nepsilon : width;
	width = s->nepsilon > width ? s->nepsilon : width;
	seen = iso_alloc(s->ngenerator * s->ndataset * width, sizeof(*seen));
	if (!seen)
		return iso_no_memory(err, "the plan");
	for (size_t d = 0; d < s->ndataset; d++)
		for (size_t k = 0; k < s->nseed; k++)
			for (size_t g = 0; g < s->ngenerator; g++) {
				iso_setup *u = &a->setup[g * s->ndataset + d];
				const double *epsilon = s->generator[g].epsilon
								? s->generator[g].epsilon
								: s->epsilon;
				size_t n = s->generator[g].epsilon ? s->generator[g].nepsilon
								   : s->nepsilon;
				iso_cell c = {.dataset = d,
					      .generator = g,
					      .seed_index = k,
					      .epsilon = INFINITY};

				if (!u->used)
					continue;
				c.delta = s->delta == ISO_DELTA_ONE_OVER_N ? 1e-5 : s->delta;
				u->targeted = iso_setup_targeted(u->generator, iso_cell_env(a, &c));
				for (size_t e = 0; e < (u->targeted ? n : 1); e++) {
					c.epsilon = u->targeted ? iso_record_round(epsilon[e])
								: INFINITY;
					ISO_TRY_OUT(add_cell(
						a, &cap, c,
						&seen[(g * s->ndataset + d) * width + e], err));
				}
			}
out:
	iso_free(seen);
	return st;
}

static int compare_cells(const void *pa, const void *pb)
{
	return strcmp((*(iso_cell *const *)pa)->key, (*(iso_cell *const *)pb)->key);
}

static iso_status rank_cells(iso_agenda *a, iso_error *err)
{
	iso_cell **sorted = iso_alloc(a->ncell + 1, sizeof(*sorted));
	iso_status st = ISO_OK;

	if (!sorted)
		return iso_no_memory(err, "the plan");
	for (size_t i = 0; i < a->ncell; i++)
		sorted[i] = &a->cell[i];
	qsort(sorted, a->ncell, sizeof(*sorted), compare_cells);
	for (size_t i = 0; i < a->ncell && st == ISO_OK; i++) {
		sorted[i]->rank = i;
		if (i > 0 && strcmp(sorted[i]->key, sorted[i - 1]->key) == 0)
			st = iso_fail(err, ISO_E_CONFIG,
				      "same cell twice (generators[%zu] %s and generators[%zu] "
				      "%s): they differ in nothing but the "
				      "label; remove one",
				      sorted[i - 1]->generator,
				      a->suite->generator[sorted[i - 1]->generator].label,
				      sorted[i]->generator,
				      a->suite->generator[sorted[i]->generator].label);
	}
	a->by_key = sorted;
	return st;
}

iso_status iso_agenda_new(const iso_suite *suite, iso_agenda **out, iso_error *err)
{
	iso_agenda *a = iso_alloc(1, sizeof(*a));
	iso_status st;

	*out = NULL;
	if (!a)
		return iso_no_memory(err, "the plan");
	a->suite = suite;
	ISO_TRY_OUT(check_dataset_names(suite, err));
	ISO_TRY_OUT(make_setups(a, err));
	ISO_TRY_OUT(make_judges(a, err));
	ISO_TRY_OUT(load_data(a, err));
	for (size_t d = 0; d < suite->ndataset; d++)
		for (size_t k = 0; k < suite->nseed; k++)
			ISO_TRY_OUT(divide(a, d, k, err));
	for (size_t d = 0; d < suite->ndataset; d++)
		ISO_TRY_OUT(iso_dataset_text(&suite->dataset[d], a->data[d],
					     iso_agenda_division(a, d, 0)->public_hash,
					     &a->data_text[d], err));
	ISO_TRY_OUT(make_cells(a, err));
	ISO_TRY_OUT(rank_cells(a, err));
	*out = a;
	return ISO_OK;
out:
	iso_agenda_free(a);
	return st;
}

void iso_agenda_free(iso_agenda *a)
{
	if (!a)
		return;
	for (size_t i = 0; a->setup && i < a->suite->ngenerator * a->suite->ndataset; i++)
		iso_setup_free(&a->setup[i]);
	for (size_t i = 0; a->attack && i < a->nattack; i++)
		iso_attack_setup_free(&a->attack[i]);
	for (size_t i = 0; a->metric && i < a->nmetric; i++)
		iso_metric_setup_free(&a->metric[i]);
	for (size_t i = 0; a->division && i < a->suite->ndataset * a->suite->nseed; i++) {
		iso_split_free(&a->division[i].split);
		iso_table_free(a->division[i].public_rows);
		iso_free(a->division[i].class_count);
		iso_free(a->division[i].client);
		iso_free(a->division[i].client_count);
	}
	for (size_t i = 0; a->data && i < a->suite->ndataset; i++)
		iso_dataset_free(a->data[i]);
	for (size_t i = 0; a->data_text && i < a->suite->ndataset; i++)
		iso_free(a->data_text[i]);
	iso_arena_free(&a->arena);
	iso_free(a->data_text);
	iso_free(a->setup);
	iso_free(a->attack);
	iso_free(a->metric);
	iso_free(a->division);
	iso_free(a->data);
	iso_free(a->by_key);
	iso_free(a->cell);
	iso_free(a);
}

iso_status iso_agenda_to_json(const iso_agenda *a, cJSON **out, iso_error *err)
{
	iso_jsonw b = {0};
	cJSON *root, *list = cJSON_CreateArray();

	ISO_TRY(iso_suite_to_json(a->suite, &root, err));
	for (size_t i = 0; i < a->ncell; i++)
		iso_jsonw_text(&b, list, NULL, a->cell[i].key);
	iso_jsonw_add(&b, root, "cells", list);
	if (b.failed) {
		cJSON_Delete(root);
		return iso_no_memory(err, "the plan");
	}
	*out = root;
	return ISO_OK;
}
