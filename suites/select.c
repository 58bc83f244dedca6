// SPDX-License-Identifier: Apache-2.0
/* Which cells a run does: shard, --only, and what earlier runs left. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/io/file.h"
#include "results/record.h"
#include "suites/runner.h"

static const char *const only_keys[] = {"dataset", "generator", "epsilon", "seed"};

/* Does the cell's value of the filter's key equal the filter's value? */
static int value_matches(const iso_agenda *a, const iso_cell *c, size_t key, const char *value)
{
	char *end;
	double x = strtod(value, &end);
	const int number = end != value && *end == 0;

	switch (key) {
	case 0:
		return strcmp(a->suite->dataset[c->dataset].label, value) == 0;
	case 1:
		return strcmp(a->suite->generator[c->generator].label, value) == 0;
	case 2:
		return number && x == c->epsilon;
	default:
		return number && x == (double)c->seed;
	}
}

static iso_status only_key(const char *filter, size_t *key, const char **value, iso_error *err)
{
	const char *equal = strchr(filter, '=');
	char name[32];

	ISO_FAIL_IF(!equal || equal == filter || !equal[1] || equal - filter >= (long)sizeof(name),
		    err, ISO_E_USAGE,
		    "bad filter (--only %s): KEY=VALUE is expected, with a key of dataset, "
		    "generator, epsilon, seed; for example "
		    "--only generator=dp-cgan",
		    filter);
	snprintf(name, sizeof(name), "%.*s", (int)(equal - filter), filter);
	*value = equal + 1;
	for (*key = 0; *key < ISO_COUNT(only_keys); ++*key)
		if (strcmp(only_keys[*key], name) == 0)
			return ISO_OK;
	const char *near = iso_nearest_word(name, only_keys, ISO_COUNT(only_keys));

	return iso_fail(err, ISO_E_USAGE, "bad filter (--only %s): cells have no \"%s\"; %s%s%s",
			filter, name,
			near ? "did you mean " : "use dataset, generator, epsilon or seed",
			near ? near : "", near ? "?" : "");
}

static int passes(const iso_agenda *a, const iso_cell *c, const iso_run_options *o)
{
	int wanted[ISO_COUNT(only_keys)] = {0}, met[ISO_COUNT(only_keys)] = {0};
	iso_error ignored = {0};

	for (size_t i = 0; i < o->nonly; i++) {
		const char *value;
		size_t key;

		if (only_key(o->only[i], &key, &value, &ignored) != ISO_OK)
			return 0;
		wanted[key] = 1;
		met[key] |= value_matches(a, c, key, value);
	}
	for (size_t k = 0; k < ISO_COUNT(only_keys); k++)
		if (wanted[k] && !met[k])
			return 0;
	return c->rank % o->shards == o->shard - 1;
}

/* Every filter must fit some cell of the suite: a typing error must not look like "nothing to do".
 */
static iso_status check_filters(const iso_agenda *a, const iso_run_options *o, iso_error *err)
{
	for (size_t i = 0; i < o->nonly; i++) {
		const char *value;
		size_t key, fits = 0;

		ISO_TRY(only_key(o->only[i], &key, &value, err));
		for (size_t c = 0; c < a->ncell; c++)
			fits += (size_t)value_matches(a, &a->cell[c], key, value);
		ISO_FAIL_IF(fits == 0, err, ISO_E_USAGE,
			    "no such cell (--only %s): no cell of the suite has that %s; --dry-run "
			    "lists them",
			    o->only[i], only_keys[key]);
	}
	return ISO_OK;
}

static int has_samples(const iso_run_options *o, const iso_cell *c)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/samples/%s.csv.gz", o->dir, c->key);
	return c->keep == 0 || iso_file_exists(path);
}

static int text_is(const cJSON *record, const char *key, const char *want)
{
	const char *v = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(record, key));

	return v && strcmp(v, want) == 0;
}

/* Does the record on disk hold all that the plan asks of the cell? */
static iso_status look(const iso_agenda *a, const iso_run_options *o, const iso_verdicts *v,
		       const iso_audits *audits, const iso_cell *c, int *finished,
		       iso_run_summary *sum, iso_error *err)
{
	const iso_cell_job job = {.agenda = a,
				  .cell = c,
				  .dir = o->dir,
				  .verdict = iso_verdicts_expected(v, a, c),
				  .audit = iso_audits_expected(audits, a, c)};
	cJSON *record;
	iso_status st = ISO_OK;

	ISO_TRY(iso_record_read_parts(o->dir, c->key, ISO_RECORD_HEAD, &record, err));
	if (!record)
		return ISO_OK;
	if (c->unsupported)
		*finished = text_is(record, "status", "unsupported");
	else
		st = iso_cell_complete(&job, record, finished, err);
	*finished = *finished && has_samples(o, c);
	if (*finished) {
		sum->refuted += (size_t)text_is(record, "verified", "refuted");
		sum->violated += (size_t)iso_cell_violated(record);
		sum->unsupported_before += c->unsupported != NULL;
		sum->reused += c->unsupported ? 0 : 1 + (unsigned)(a->nattack + a->nmetric);
	}
	cJSON_Delete(record);
	return st;
}

iso_status iso_run_select(const iso_agenda *a, const iso_run_options *o, const iso_verdicts *v,
			  const iso_audits *audits, uint8_t **todo, iso_run_summary *sum,
			  iso_error *err)
{
	iso_status st = check_filters(a, o, err);
	uint8_t *on_disk = NULL;

	memset(sum, 0, sizeof(*sum));
	*todo = NULL;
	ISO_TRY(st);
	sum->cells = a->ncell;
	*todo = iso_alloc(a->ncell + 1, 1);
	if (!*todo)
		return iso_no_memory(err, "the plan");
	if (!o->force)
		st = iso_cells_on_disk(a, o->dir, &on_disk, err);
	for (size_t i = 0; i < a->ncell && st == ISO_OK; i++) {
		int finished = 0;

		if (!passes(a, &a->cell[i], o))
			continue;
		sum->selected++;
		if (on_disk && on_disk[i])
			st = look(a, o, v, audits, &a->cell[i], &finished, sum, err);
		sum->finished += (size_t)finished;
		(*todo)[i] = !finished;
	}
	iso_free(on_disk);
	if (st != ISO_OK) {
		iso_free(*todo);
		*todo = NULL;
	}
	return st;
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

iso_status iso_cells_on_disk(const iso_agenda *a, const char *dir, uint8_t **out, iso_error *err)
{
	iso_str path = {0};
	char **names = NULL;
	size_t n = 0;
	iso_status st;

	*out = NULL;
	iso_str_addf(&path, "%s/cells", dir);
	ISO_TRY_OUT(iso_str_check(&path, err));
	if (iso_file_exists(path.p))
		ISO_TRY_OUT(iso_list_dir(path.p, ".json", &names, &n, err));
	*out = iso_alloc(a->ncell + 1, 1);
	if (!*out) {
		st = iso_no_memory(err, "the plan");
		goto out;
	}
	for (size_t i = 0; i < a->ncell && n > 0; i++) {
		char name[40];
		const char *p = name;

		snprintf(name, sizeof(name), "%s.json", a->cell[i].key);
		(*out)[i] = bsearch(&p, names, n, sizeof(*names), compare_text) != NULL;
	}
out:
	for (size_t i = 0; i < n; i++)
		iso_free(names[i]);
	iso_free(names);
	iso_str_free(&path);
	return st;
}
