// SPDX-License-Identifier: Apache-2.0
/* All records of a directory: an index of small entries, and the records read one after another in
 * its order, so that memory does not grow with raw scores. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/log.h"
#include "core/io/file.h"
#include "results/record.h"

static const cJSON *get(const cJSON *obj, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(obj, key);
}

static double number_or_inf(const cJSON *v)
{
	return cJSON_IsNumber(v) ? v->valuedouble : INFINITY;
}

static int compare_entries(const void *pa, const void *pb)
{
	const iso_index_entry *a = pa, *b = pb;
	int c = a->foreign - b->foreign;

	if (!c)
		c = strcmp(a->dataset, b->dataset);
	if (!c)
		c = strcmp(a->generator, b->generator);
	if (!c)
		c = strcmp(a->label, b->label);
	if (!c)
		c = (a->epsilon > b->epsilon) - (a->epsilon < b->epsilon);
	if (!c)
		c = (a->seed > b->seed) - (a->seed < b->seed);
	return c ? c : strcmp(a->key, b->key);
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted keys of DIR/suite.json's "cells", borrowed from *suite; none when the file or the list is
 * not there. */
static iso_status planned_keys(const char *dir, cJSON **suite, const char ***keys, size_t *n,
			       iso_error *err)
{
	iso_str path = {0};
	iso_error why = {0};
	const cJSON *list, *item;
	iso_status st;

	*suite = NULL;
	*keys = NULL;
	*n = 0;
	iso_str_addf(&path, "%s/suite.json", dir);
	st = iso_str_check(&path, err);
	if (st == ISO_OK && iso_file_exists(path.p) && iso_json_read(path.p, suite, &why) != ISO_OK)
		iso_warn("%s", why.text);
	iso_str_free(&path);
	ISO_TRY(st);
	list = get(*suite, "cells");
	if (!cJSON_IsArray(list) || !list->child)
		return ISO_OK;
	*keys = iso_alloc((size_t)cJSON_GetArraySize(list), sizeof(**keys));
	if (!*keys)
		return iso_no_memory(err, "the list of cells");
	cJSON_ArrayForEach(item, list) if (cJSON_IsString(item))(*keys)[(*n)++] = item->valuestring;
	qsort(*keys, *n, sizeof(**keys), compare_keys);
	return ISO_OK;
}

/* The same string for the same name: an index of 10,000 records has a handful of them. */
static const char *intern(iso_index *x, const char *text, const char *last)
{
	return last && strcmp(last, text) == 0 ? last : iso_arena_strdup(&x->arena, text);
}

static iso_status fill_entry(iso_index *x, const cJSON *r, iso_index_entry *e, iso_error *err)
{
	const iso_index_entry *last = x->n + x->foreign ? e - 1 : NULL;
	const cJSON *c = get(r, "config");

	memcpy(e->key, get(r, "key")->valuestring, 33);
	snprintf(e->status, sizeof(e->status), "%s", get(r, "status")->valuestring);
	e->epsilon = number_or_inf(get(c, "epsilon"));
	e->seed = number_or_inf(get(c, "seed"));
	e->dataset =
		intern(x, get(get(c, "dataset"), "name")->valuestring, last ? last->dataset : NULL);
	e->generator = intern(x, get(get(c, "generator"), "name")->valuestring,
			      last ? last->generator : NULL);
	e->label = intern(x, get(r, "label")->valuestring, last ? last->label : NULL);
	if (!e->dataset || !e->generator || !e->label)
		return iso_no_memory(err, "the list of records");
	return ISO_OK;
}

/* Reads and checks one file; damaged ones are counted. */
static iso_status take(iso_index *x, const char *name, const char **keys, size_t nkeys,
		       iso_error *err)
{
	char key[64] = "";
	const char *k = key;
	const size_t n = strlen(name);
	iso_index_entry *e = &x->v[x->n + x->foreign];
	cJSON *r = NULL;

	if (n == 37)
		memcpy(key, name, 32);
	ISO_TRY(iso_record_read_parts(x->dir, key, ISO_RECORD_HEAD, &r, err));
	if (!r) {
		x->damaged++;
		return ISO_OK;
	}
	e->foreign = nkeys && !bsearch(&k, keys, nkeys, sizeof(*keys), compare_keys);
	iso_status st = fill_entry(x, r, e, err);

	cJSON_Delete(r);
	x->foreign += (size_t)e->foreign;
	x->n += !e->foreign;
	return st;
}

static int same_setting(const iso_index_entry *a, const iso_index_entry *b)
{
	return strcmp(a->dataset, b->dataset) == 0 && strcmp(a->generator, b->generator) == 0 &&
	       strcmp(a->label, b->label) == 0 && a->epsilon == b->epsilon && a->seed == b->seed;
}

static iso_status read_config(const iso_index *x, size_t i, cJSON **out, iso_error *err)
{
	cJSON *r;

	ISO_TRY(iso_record_read_parts(x->dir, x->v[i].key, ISO_RECORD_HEAD, &r, err));
	*out = cJSON_DetachItemFromObjectCaseSensitive(r, "config");
	cJSON_Delete(r);
	return ISO_OK;
}

/* 1 if two configurations differ in the code that trains and in nothing else. */
static int only_code_differs(cJSON *a, cJSON *b)
{
	cJSON *ga = cJSON_GetObjectItemCaseSensitive(a, "generator"),
	      *gb = cJSON_GetObjectItemCaseSensitive(b, "generator");
	const cJSON *ca = get(ga, "code"), *cb = get(gb, "code");
	int differ = cJSON_IsString(ca) && cJSON_IsString(cb) &&
		     strcmp(ca->valuestring, cb->valuestring) != 0;

	cJSON_DeleteItemFromObjectCaseSensitive(ga, "code");
	cJSON_DeleteItemFromObjectCaseSensitive(gb, "code");
	return differ && cJSON_Compare(a, b, 1);
}

/* Foreign records that a change of code has left behind.  Both lists are sorted alike. */
static iso_status count_other_code(iso_index *x, iso_error *err)
{
	size_t at = 0;

	for (size_t i = x->n; i < x->n + x->foreign; i++) {
		iso_index_entry probe = x->v[i];
		cJSON *a = NULL, *b = NULL;

		probe.foreign = 0;
		probe.key[0] = 0;
		while (at < x->n && compare_entries(&x->v[at], &probe) < 0)
			at++;
		if (at == x->n || !same_setting(&x->v[at], &probe))
			continue;
		ISO_TRY(read_config(x, i, &a, err));
		if (read_config(x, at, &b, err) == ISO_OK)
			x->other_code += (size_t)only_code_differs(a, b);
		cJSON_Delete(a);
		cJSON_Delete(b);
	}
	return ISO_OK;
}

iso_status iso_index_load(const char *dir, iso_index *out, iso_error *err)
{
	iso_str path = {0};
	char **names = NULL;
	const char **keys = NULL;
	size_t n = 0, nkeys = 0;
	cJSON *suite = NULL;
	iso_status st;

	memset(out, 0, sizeof(*out));
	iso_str_addf(&path, "%s/cells", dir);
	ISO_TRY_OUT(iso_str_check(&path, err));
	if (!iso_file_exists(path.p)) {
		st = iso_fail(err, ISO_E_IO,
			      "no results (%s): the directory has no cells/; run a suite with "
			      "--out %s first",
			      dir, dir);
		goto out;
	}
	ISO_TRY_OUT(planned_keys(dir, &suite, &keys, &nkeys, err));
	ISO_TRY_OUT(iso_list_dir(path.p, ".json", &names, &n, err));
	out->planned = nkeys;
	out->dir = iso_strdup(dir);
	out->v = iso_alloc(n + 1, sizeof(*out->v));
	if (!out->v || !out->dir) {
		st = iso_no_memory(err, "the records");
		goto out;
	}
	for (size_t i = 0; i < n; i++)
		ISO_TRY_OUT(take(out, names[i], keys, nkeys, err));
	qsort(out->v, out->n + out->foreign, sizeof(*out->v), compare_entries);
	st = count_other_code(out, err);
out:
	if (st != ISO_OK)
		iso_index_free(out);
	for (size_t i = 0; i < n; i++)
		iso_free(names[i]);
	iso_free(names);
	iso_free(keys);
	cJSON_Delete(suite);
	iso_str_free(&path);
	return st;
}

void iso_index_free(iso_index *x)
{
	iso_arena_free(&x->arena);
	iso_free(x->v);
	iso_free(x->dir);
	memset(x, 0, sizeof(*x));
}

iso_status iso_index_each(const iso_index *x, int parts, iso_record_fn fn, void *ctx,
			  iso_error *err)
{
	for (size_t i = 0; i < x->n; i++) {
		cJSON *r = NULL;
		iso_status st;

		ISO_TRY(iso_record_read_parts(x->dir, x->v[i].key, parts, &r, err));
		st = r ? fn(ctx, r, err) : ISO_OK; /* damaged since the index was made */
		cJSON_Delete(r);
		ISO_TRY(st);
	}
	return ISO_OK;
}

/* ------------------------------------------------------------------ all at once */

iso_status iso_records_of_index(const iso_index *x, iso_records *out, iso_error *err)
{
	iso_status st = ISO_OK;

	*out = (iso_records){.v = iso_alloc(x->n + 1, sizeof(*out->v)),
			     .damaged = x->damaged,
			     .foreign = x->foreign,
			     .other_code = x->other_code};
	if (!out->v)
		st = iso_no_memory(err, "the records");
	for (size_t i = 0; i < x->n && st == ISO_OK; i++) {
		st = iso_record_read(x->dir, x->v[i].key, &out->v[out->n], err);
		out->n += out->v[out->n] != NULL;
	}
	if (st != ISO_OK)
		iso_records_free(out);
	return st;
}

iso_status iso_records_load(const char *dir, iso_records *out, iso_error *err)
{
	iso_index x;
	iso_status st;

	memset(out, 0, sizeof(*out));
	ISO_TRY(iso_index_load(dir, &x, err));
	st = iso_records_of_index(&x, out, err);
	iso_index_free(&x);
	return st;
}

void iso_records_free(iso_records *r)
{
	for (size_t i = 0; r->v && i < r->n; i++)
		cJSON_Delete(r->v[i]);
	iso_free(r->v);
	memset(r, 0, sizeof(*r));
}
