// SPDX-License-Identifier: Apache-2.0
/* Records on disk: DIR/cells/KEY.json. */
#include <math.h>
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

iso_status iso_record_path(const char *dir, const char *key, iso_str *out, iso_error *err)
{
	iso_str_addf(out, "%s/cells/%s.json", dir, key);
	return iso_str_check(out, err);
}

iso_status iso_record_write(const char *dir, const cJSON *record, iso_error *err)
{
	iso_str text = {0}, path = {0};
	iso_status st;

	ISO_TRY(iso_record_check(record, "record to be written", err));
	iso_str_addf(&path, "%s/cells", dir);
	ISO_TRY_OUT(iso_str_check(&path, err));
	ISO_TRY_OUT(iso_make_dirs(path.p, err));
	iso_str_addf(&path, "/%s.json", get(record, "key")->valuestring);
	ISO_TRY_OUT(iso_str_check(&path, err));
	ISO_TRY_OUT(iso_record_text(record, &text, err));
	ISO_TRY_OUT(iso_file_write_atomic(path.p, text.p, text.n, err));
out:
	iso_str_free(&text);
	iso_str_free(&path);
	return st;
}

/* *out = NULL with a warning for a file that is no valid record; only memory and the like fail. */
static iso_status read_valid(const char *path, const char *key, cJSON **out, iso_error *err)
{
	iso_error why = {0};
	cJSON *v = NULL;
	iso_status st = iso_json_read(path, &v, &why);

	*out = NULL;
	if (st == ISO_OK)
		st = iso_record_check(v, path, &why);
	if (st == ISO_OK && strcmp(get(v, "key")->valuestring, key) != 0)
		st = iso_fail(&why, ISO_E_DATA,
			      "damaged record (%s): its key is %s; run the cell again", path,
			      get(v, "key")->valuestring);
	if (st == ISO_OK) {
		*out = v;
		return ISO_OK;
	}
	cJSON_Delete(v);
	if (st == ISO_E_NOMEM)
		return iso_fail(err, st, "%s", why.text);
	iso_warn("%s", why.text);
	return ISO_OK;
}

iso_status iso_record_read(const char *dir, const char *key, cJSON **out, iso_error *err)
{
	iso_str path = {0};
	iso_status st;

	*out = NULL;
	st = iso_record_path(dir, key, &path, err);
	if (st == ISO_OK && iso_file_exists(path.p))
		st = read_valid(path.p, key, out, err);
	iso_str_free(&path);
	return st;
}

static int compare_text(const cJSON *a, const cJSON *b)
{
	return strcmp(cJSON_IsString(a) ? a->valuestring : "",
		      cJSON_IsString(b) ? b->valuestring : "");
}

static int compare_number(const cJSON *a, const cJSON *b)
{
	double x = cJSON_IsNumber(a) ? a->valuedouble : INFINITY,
	       y = cJSON_IsNumber(b) ? b->valuedouble : INFINITY;

	return (x > y) - (x < y);
}

static int compare_records(const void *pa, const void *pb)
{
	const cJSON *a = *(cJSON *const *)pa, *b = *(cJSON *const *)pb;
	const cJSON *ca = get(a, "config"), *cb = get(b, "config");
	int c = compare_text(get(get(ca, "dataset"), "name"), get(get(cb, "dataset"), "name"));

	if (!c)
		c = compare_text(get(get(ca, "generator"), "name"),
				 get(get(cb, "generator"), "name"));
	if (!c)
		c = compare_text(get(a, "label"), get(b, "label"));
	if (!c)
		c = compare_number(get(ca, "epsilon"), get(cb, "epsilon"));
	if (!c)
		c = compare_number(get(ca, "seed"), get(cb, "seed"));
	return c ? c : compare_text(get(a, "key"), get(b, "key"));
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

static iso_status load_one(const char *dir, const char *name, const char **keys, size_t nkeys,
			   iso_records *out, iso_error *err)
{
	iso_str path = {0};
	char key[64] = "";
	const char *k = key;
	size_t n = strlen(name);
	iso_status st;

	if (n > 5 && n - 5 < sizeof(key))
		memcpy(key, name, n - 5);
	if (nkeys && !bsearch(&k, keys, nkeys, sizeof(*keys), compare_keys)) {
		out->foreign++;
		return ISO_OK;
	}
	iso_str_addf(&path, "%s/cells/%s", dir, name);
	st = iso_str_check(&path, err);
	if (st == ISO_OK)
		st = read_valid(path.p, key, &out->v[out->n], err);
	if (st == ISO_OK) {
		if (out->v[out->n])
			out->n++;
		else
			out->damaged++;
	}
	iso_str_free(&path);
	return st;
}

iso_status iso_records_load(const char *dir, iso_records *out, iso_error *err)
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
	out->v = iso_alloc(n + 1, sizeof(*out->v));
	if (!out->v) {
		st = iso_no_memory(err, "the records");
		goto out;
	}
	for (size_t i = 0; i < n; i++)
		ISO_TRY_OUT(load_one(dir, names[i], keys, nkeys, out, err));
	qsort(out->v, out->n, sizeof(*out->v), compare_records);
out:
	if (st != ISO_OK)
		iso_records_free(out);
	for (size_t i = 0; i < n; i++)
		iso_free(names[i]);
	iso_free(names);
	iso_free(keys);
	cJSON_Delete(suite);
	iso_str_free(&path);
	return st;
}

void iso_records_free(iso_records *r)
{
	for (size_t i = 0; r->v && i < r->n; i++)
		cJSON_Delete(r->v[i]);
	iso_free(r->v);
	memset(r, 0, sizeof(*r));
}
