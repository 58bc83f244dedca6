// SPDX-License-Identifier: Apache-2.0
/* Suite files: parse and validate.  Whatever needs data or options tables is judged by plan.c. */
#include "suites/suite_parts.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/io/file.h"
#include "core/io/share.h"

#define SEED_MAX 4294967295.0

static const cJSON *get(const cJSON *obj, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(obj, key);
}

static iso_status check_label(const char *label, const char *where, iso_error *err)
{
	const char *fault = iso_label_fault(label);

	ISO_FAIL_IF(fault, err, ISO_E_CONFIG, "bad label (%s): \"%.64s\": %s; choose another",
		    where, label, fault);
	return ISO_OK;
}

static iso_status read_split(const cJSON *obj, iso_suite_split *split, const char *where,
			     iso_error *err)
{
	static const char *const keys[] = {"train",  "holdout",	      "aux",
					   "public", "official_test", "dedup"};
	const cJSON *v;
	char here[ISO_WHERE_MAX + 16];

	ISO_TRY(iso_suite_object(obj, "split", &v, where, err));
	if (!v)
		return ISO_OK;
	snprintf(here, sizeof(here), "%s: split", where);
	ISO_TRY(iso_json_only_keys(v, keys, ISO_COUNT(keys), here, err));
	ISO_TRY(iso_json_get_number(v, "train", 0, 1e-6, 1, &split->train, here, err));
	ISO_TRY(iso_json_get_number(v, "holdout", 0, 0, 1, &split->holdout, here, err));
	ISO_TRY(iso_json_get_number(v, "aux", 0, 0, 1, &split->aux, here, err));
	ISO_TRY(iso_json_get_number(v, "public", 0, 0, 1, &split->public_rows, here, err));
	ISO_TRY(iso_suite_bool(v, "official_test", &split->official_test, here, err));
	ISO_TRY(iso_suite_bool(v, "dedup", &split->dedup, here, err));
	ISO_FAIL_IF(!(split->train + split->holdout + split->aux + split->public_rows <= 1 + 1e-9),
		    err, ISO_E_CONFIG,
		    "shares too large (%s): train + holdout + aux + public is %g, at most 1 is "
		    "allowed; "
		    "lower one (defaults are 0.5, 0.25, "
		    "0.25)",
		    here, split->train + split->holdout + split->aux + split->public_rows);
	return ISO_OK;
}

/* A file named in the suite: relative to the suite's own directory if it is there, else as it
 * stands. */
static iso_status resolve_file(iso_suite_place *p, const char **path)
{
	char full[PATH_MAX];

	if (!*path || **path == '/' || !p->dir || !*p->dir)
		return ISO_OK;
	if ((size_t)snprintf(full, sizeof(full), "%s/%s", p->dir, *path) >= sizeof(full) ||
	    !iso_file_exists(full))
		return ISO_OK;
	*path = iso_arena_strdup(&p->s->arena, full);
	return *path ? ISO_OK : iso_no_memory(p->err, "a suite");
}

static iso_status read_dataset(iso_suite_place *p, const cJSON *v, iso_suite_dataset *d,
			       const char *where)
{
	static const char *const keys[] = {"name", "label",  "options",	   "split",
					   "csv",  "schema", "public_csv", "clients"};

	d->split = (iso_suite_split){.train = -1};
	if (cJSON_IsString(v)) {
		d->name = d->label = v->valuestring;
		return check_label(d->label, where, p->err);
	}
	ISO_FAIL_IF(!cJSON_IsObject(v), p->err, ISO_E_CONFIG,
		    "wrong type (%s): a name or an object is expected", where);
	ISO_TRY(iso_json_only_keys(v, keys, ISO_COUNT(keys), where, p->err));
	ISO_TRY(iso_json_get_string(v, "name", 1, &d->name, where, p->err));
	d->label = d->name;
	ISO_TRY(iso_json_get_string(v, "label", 0, &d->label, where, p->err));
	ISO_TRY(check_label(d->label, where, p->err));
	ISO_TRY(iso_suite_object(v, "options", &d->options, where, p->err));
	ISO_TRY(iso_json_get_string(v, "csv", 0, &d->csv, where, p->err));
	if (cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(v, "schema")))
		ISO_TRY(iso_suite_private(p, cJSON_GetObjectItemCaseSensitive(v, "schema"), d,
					  where));
	else
		ISO_TRY(iso_json_get_string(v, "schema", 0, &d->schema, where, p->err));
	ISO_TRY(iso_json_get_string(v, "public_csv", 0, &d->public_csv, where, p->err));
	ISO_TRY(resolve_file(p, &d->public_csv));
	ISO_TRY(iso_suite_clients(v, d, where, p->err));
	ISO_FAIL_IF(!d->csv != (!d->schema && !d->private_schema), p->err, ISO_E_CONFIG,
		    "incomplete data set (%s): \"csv\" and \"schema\" go together; add \"%s\" "
		    "(isoeps schema infer drafts a schema)",
		    where, d->csv ? "schema" : "csv");
	ISO_FAIL_IF(d->csv && d->options, p->err, ISO_E_CONFIG,
		    "options of a file (%s): \"options\" belong to data sets of the catalogue; "
		    "remove them",
		    where);
	ISO_TRY(resolve_file(p, &d->csv));
	return resolve_file(p, &d->schema);
}

static iso_status read_item(iso_suite_place *p, const cJSON *v, iso_suite_item *item,
			    const char *where)
{
	static const char *const keys[] = {"name", "label", "options"};

	if (cJSON_IsString(v)) {
		item->name = item->label = v->valuestring;
		return check_label(item->label, where, p->err);
	}
	ISO_FAIL_IF(!cJSON_IsObject(v), p->err, ISO_E_CONFIG,
		    "wrong type (%s): a name or an object is expected", where);
	ISO_TRY(iso_json_only_keys(v, keys, ISO_COUNT(keys), where, p->err));
	ISO_TRY(iso_json_get_string(v, "name", 1, &item->name, where, p->err));
	item->label = item->name;
	ISO_TRY(iso_json_get_string(v, "label", 0, &item->label, where, p->err));
	ISO_TRY(check_label(item->label, where, p->err));
	return iso_suite_object(v, "options", &item->options, where, p->err);
}

static iso_status unknown_dataset(iso_suite_place *p, const char *label, const char *where)
{
	const char *words[64], *near;
	size_t n = 0;

	for (size_t i = 0; i < p->s->ndataset && n < ISO_COUNT(words); i++)
		words[n++] = p->s->dataset[i].label;
	near = iso_nearest_word(label, words, n);
	return iso_fail(p->err, ISO_E_CONFIG,
			"unknown data set (%s): \"%s\" is not a data set of this suite; %s%s%s",
			where, label,
			near ? "did you mean \"" : "add it to \"datasets\" or remove it",
			near ? near : "", near ? "\"?" : "");
}

/* "external:PATH": the path as for other files of a suite, the label the name of the file. */
static iso_status external_program(iso_suite_place *p, iso_suite_generator *g)
{
	static const char prefix[] = "external:";
	const size_t n = sizeof(prefix) - 1;
	const char *path = g->name + n, *slash;
	char *full;

	if (strncmp(g->name, prefix, n) != 0)
		return ISO_OK;
	slash = strrchr(path, '/');
	g->label = slash ? slash + 1 : path;
	ISO_TRY(resolve_file(p, &path));
	full = iso_arena_alloc(&p->s->arena, 1, n + strlen(path) + 1);
	if (!full)
		return iso_no_memory(p->err, "a suite");
	memcpy(full, prefix, n);
	memcpy(full + n, path, strlen(path) + 1);
	g->name = full;
	return ISO_OK;
}

static iso_status read_generator(iso_suite_place *p, const cJSON *v, iso_suite_generator *g,
				 const char *where)
{
	static const char *const keys[] = {"name",     "label",	   "options",
					   "epsilons", "datasets", "per_dataset"};
	const cJSON *list, *item;
	size_t i = 0;

	if (cJSON_IsString(v)) {
		g->name = g->label = v->valuestring;
		ISO_TRY(external_program(p, g));
		return check_label(g->label, where, p->err);
	}
	ISO_FAIL_IF(!cJSON_IsObject(v), p->err, ISO_E_CONFIG,
		    "wrong type (%s): a name or an object is expected", where);
	ISO_TRY(iso_json_only_keys(v, keys, ISO_COUNT(keys), where, p->err));
	ISO_TRY(iso_json_get_string(v, "name", 1, &g->name, where, p->err));
	g->label = g->name;
	ISO_TRY(external_program(p, g));
	ISO_TRY(iso_json_get_string(v, "label", 0, &g->label, where, p->err));
	ISO_TRY(check_label(g->label, where, p->err));
	ISO_TRY(iso_suite_object(v, "options", &g->options, where, p->err));
	ISO_TRY(iso_suite_epsilons(p, v, &g->epsilon, &g->nepsilon, where));
	ISO_TRY(iso_suite_object(v, "per_dataset", &g->per_dataset, where, p->err));
	cJSON_ArrayForEach(item, g->per_dataset)
	{
		if (iso_suite_find_dataset(p->s, item->string) == SIZE_MAX)
			return unknown_dataset(p, item->string, where);
		ISO_FAIL_IF(!cJSON_IsObject(item), p->err, ISO_E_CONFIG,
			    "wrong type (%s: per_dataset): \"%s\" must be an object of options",
			    where, item->string);
	}
	ISO_TRY(iso_suite_list(v, "datasets", &list, &g->ndataset, where, p->err));
	if (!list)
		return ISO_OK;
	g->dataset = iso_suite_room(p, g->ndataset, sizeof(*g->dataset));
	if (!g->dataset)
		return iso_no_memory(p->err, "a suite");
	cJSON_ArrayForEach(item, list)
	{
		ISO_FAIL_IF(!cJSON_IsString(item), p->err, ISO_E_CONFIG,
			    "wrong type (%s): \"datasets\" must list labels of data sets", where);
		if (iso_suite_find_dataset(p->s, item->valuestring) == SIZE_MAX)
			return unknown_dataset(p, item->valuestring, where);
		g->dataset[i++] = item->valuestring;
	}
	return ISO_OK;
}

size_t iso_suite_find_dataset(const iso_suite *s, const char *label)
{
	for (size_t i = 0; i < s->ndataset; i++)
		if (s->dataset[i].label && strcmp(s->dataset[i].label, label) == 0)
			return i;
	return SIZE_MAX;
}

/* The i-th label of a table whose entries are `stride` bytes apart; every entry starts with name,
 * label. */
static const char *label_at(const void *table, size_t stride, size_t i)
{
	const iso_suite_item *item = (const void *)((const char *)table + i * stride);

	return item->label;
}

static iso_status unique_labels(const void *table, size_t stride, size_t n, const char *kind,
				const char *file, iso_error *err)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			ISO_FAIL_IF(
				strcmp(label_at(table, stride, i), label_at(table, stride, j)) == 0,
				err, ISO_E_CONFIG,
				"label used twice (%s: %s[%zu]): \"%s\" is also %s[%zu]; give one "
				"of them another \"label\"",
				file, kind, i, label_at(table, stride, i), kind, j);
	return ISO_OK;
}

static iso_status read_datasets(iso_suite_place *p)
{
	iso_suite *s = p->s;
	const cJSON *list, *v;
	iso_suite_split split = {
		.train = 0.5, .holdout = 0.25, .aux = 0.25, .official_test = 1, .dedup = 1};
	size_t i = 0;

	ISO_TRY(read_split(s->root, &split, p->file, p->err));
	ISO_TRY(iso_suite_list(s->root, "datasets", &list, &s->ndataset, p->file, p->err));
	ISO_FAIL_IF(s->ndataset == 0, p->err, ISO_E_CONFIG,
		    "no data set (%s): \"datasets\" must name at least one; isoeps list datasets "
		    "shows what there is",
		    p->file);
	s->dataset = iso_suite_room(p, s->ndataset, sizeof(*s->dataset));
	if (!s->dataset)
		return iso_no_memory(p->err, "a suite");
	cJSON_ArrayForEach(v, list)
	{
		char where[ISO_WHERE_MAX];
		iso_suite_dataset *d = &s->dataset[i];

		snprintf(where, sizeof(where), "%.200s: datasets[%zu]", p->file, i);
		ISO_TRY(read_dataset(p, v, d, where));
		d->split = split;
		if (cJSON_IsObject(v))
			ISO_TRY(read_split(v, &d->split, where, p->err));
		i++;
	}
	return unique_labels(s->dataset, sizeof(*s->dataset), s->ndataset, "datasets", p->file,
			     p->err);
}

static iso_status read_generators(iso_suite_place *p)
{
	iso_suite *s = p->s;
	const cJSON *list, *v;
	size_t i = 0;

	ISO_TRY(iso_suite_list(s->root, "generators", &list, &s->ngenerator, p->file, p->err));
	ISO_FAIL_IF(s->ngenerator == 0, p->err, ISO_E_CONFIG,
		    "no generator (%s): \"generators\" must name at least one; isoeps list "
		    "generators shows what there is",
		    p->file);
	s->generator = iso_suite_room(p, s->ngenerator, sizeof(*s->generator));
	if (!s->generator)
		return iso_no_memory(p->err, "a suite");
	cJSON_ArrayForEach(v, list)
	{
		char where[ISO_WHERE_MAX];

		snprintf(where, sizeof(where), "%.200s: generators[%zu]", p->file, i);
		ISO_TRY(read_generator(p, v, &s->generator[i++], where));
	}
	return unique_labels(s->generator, sizeof(*s->generator), s->ngenerator, "generators",
			     p->file, p->err);
}

static iso_status read_items(iso_suite_place *p, const char *key, iso_suite_item **out, size_t *n)
{
	const cJSON *list, *v;
	size_t i = 0;

	ISO_TRY(iso_suite_list(p->s->root, key, &list, n, p->file, p->err));
	if (!list) {
		*n = SIZE_MAX; /* all: filled in by the plan, which knows the registries */
		return ISO_OK;
	}
	*out = iso_suite_room(p, *n, sizeof(**out));
	if (!*out)
		return iso_no_memory(p->err, "a suite");
	cJSON_ArrayForEach(v, list)
	{
		char where[ISO_WHERE_MAX];

		snprintf(where, sizeof(where), "%.200s: %s[%zu]", p->file, key, i);
		ISO_TRY(read_item(p, v, &(*out)[i++], where));
	}
	return unique_labels(*out, sizeof(**out), *n, key, p->file, p->err);
}

static iso_status read_seeds(iso_suite_place *p)
{
	iso_suite *s = p->s;
	const cJSON *v = get(s->root, "seeds");
	double *list = NULL, count = 1;
	char where[ISO_WHERE_MAX];

	if (cJSON_IsArray(v)) {
		s->nseed = (size_t)cJSON_GetArraySize(v);
		ISO_FAIL_IF(s->nseed == 0 || s->nseed > ISO_LIST_MAX, p->err, ISO_E_CONFIG,
			    "bad list (%s): \"seeds\" must list 1 to %d seeds (got %zu)", p->file,
			    ISO_LIST_MAX, s->nseed);
		snprintf(where, sizeof(where), "%.200s: seeds", p->file);
		ISO_TRY(iso_suite_numbers(p, v, s->nseed, 0, SEED_MAX, 1, &list, where));
	} else {
		ISO_TRY(iso_suite_whole(s->root, "seeds", 1, ISO_LIST_MAX, &count, p->file,
					p->err));
		s->nseed = (size_t)count;
	}
	s->seed = iso_suite_room(p, s->nseed, sizeof(*s->seed));
	if (!s->seed)
		return iso_no_memory(p->err, "a suite");
	for (size_t i = 0; i < s->nseed; i++)
		s->seed[i] = list ? (uint64_t)list[i] : i + 1;
	return ISO_OK;
}

static iso_status read_head(iso_suite_place *p)
{
	static const char *const keys[] = {
		"name",
		"title",
		"description",
		"datasets",
		"generators",
		"epsilons",
		"seeds",
		"delta",
		"adjacency",
		"accountant",
		"split",
		"rows",
		"attacks",
		"metrics",
		"attack_targets",
		"keep_samples",
		"limits",
		"public",
		"keep",
		"secure",
		"verify",
		"audits",
		"allow_large_delta",
		"published",
		"cells" /* written into DIR/suite.json: a resolved suite can be run again */};
	iso_suite *s = p->s;

	ISO_FAIL_IF(!cJSON_IsObject(s->root), p->err, ISO_E_CONFIG,
		    "not a suite (%s): a JSON object {...} is expected; see "
		    "docs/suite-format.md",
		    p->file);
	ISO_TRY(iso_json_only_keys(s->root, keys, ISO_COUNT(keys), p->file, p->err));
	ISO_TRY(iso_json_get_string(s->root, "name", 1, &s->name, p->file, p->err));
	ISO_FAIL_IF(!*s->name || strlen(s->name) > 63, p->err, ISO_E_CONFIG,
		    "bad name (%s): \"name\" must have 1 to 63 characters; choose another",
		    p->file);
	for (const char *c = s->name; *c; c++)
		ISO_FAIL_IF(!isalnum((unsigned char)*c) && *c != '-' && *c != '_', p->err,
			    ISO_E_CONFIG,
			    "bad name (%s): \"%s\" names a directory; use letters, digits, - and _ "
			    "only",
			    p->file, s->name);
	s->title = s->name;
	s->description = "";
	ISO_TRY(iso_json_get_string(s->root, "title", 0, &s->title, p->file, p->err));
	return iso_json_get_string(s->root, "description", 0, &s->description, p->file, p->err);
}

iso_status iso_suite_parse(const char *text, size_t n, const char *name, const char *dir,
			   iso_suite **out, iso_error *err)
{
	iso_suite *s = iso_alloc(1, sizeof(*s));
	iso_suite_place p = {.s = s, .file = name, .dir = dir, .err = err};
	iso_status st;

	*out = NULL;
	if (!s)
		return iso_no_memory(err, "a suite");
	ISO_TRY_OUT(iso_json_parse(text, n, name, &s->root, err));
	ISO_TRY_OUT(read_head(&p));
	ISO_TRY_OUT(read_datasets(&p));
	ISO_TRY_OUT(read_generators(&p));
	ISO_TRY_OUT(read_items(&p, "attacks", &s->attack, &s->nattack));
	ISO_TRY_OUT(read_items(&p, "metrics", &s->metric, &s->nmetric));
	ISO_TRY_OUT(read_seeds(&p));
	ISO_TRY_OUT(iso_suite_settings(&p));
	ISO_TRY_OUT(iso_suite_published(&p));
	*out = s;
	return ISO_OK;
out:
	iso_suite_free(s);
	return st;
}

const char *iso_suite_directory(void)
{
	static char found[PATH_MAX];
	const char *dir = getenv("ISOEPS_SUITES");

	if (dir && *dir)
		return dir;
	if (!*found && !iso_share_find("suites", found, sizeof(found)))
		return ".";
	return found;
}

iso_status iso_suite_read(const char *path, iso_suite **out, iso_error *err)
{
	char full[PATH_MAX], dir[PATH_MAX];
	const char *slash;
	char *text = NULL;
	size_t n = 0;
	iso_status st;

	*out = NULL;
	snprintf(full, sizeof(full), "%s", path);
	if (strcmp(path, "-") != 0 && !iso_file_exists(path) && !strchr(path, '/')) {
		snprintf(full, sizeof(full), "%s/%s%s", iso_suite_directory(), path,
			 strstr(path, ".json") ? "" : ".json");
		ISO_FAIL_IF(!iso_file_exists(full), err, ISO_E_CONFIG,
			    "no such suite (%s): there is no file of that name, and no suite that "
			    "comes with isoeps; isoeps list "
			    "suites shows them",
			    path);
	}
	slash = strrchr(full, '/');
	snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - full) : 1, slash ? full : ".");
	ISO_TRY(iso_file_read(full, (size_t)16 << 20, &text, &n, err));
	st = iso_suite_parse(text, n, full, dir, out, err);
	iso_free(text);
	return st;
}

void iso_suite_free(iso_suite *s)
{
	if (!s)
		return;
	cJSON_Delete(s->root);
	iso_arena_free(&s->arena);
	iso_free(s);
}
