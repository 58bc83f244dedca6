// SPDX-License-Identifier: Apache-2.0
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "core/base/alloc.h"
#include "core/data/sources.h"
#include "core/io/json.h"

#define MAX_NAMES 64

static const iso_verb_help help = {
	.verb = "data",
	.operands = "list|get|check [NAME...]",
	.summary = "data sets by name: list them, fetch them, check their files",
	.text = "list   every data set that a suite may name, and whether it can be used here\n"
		"get    download the named sets into $ISOEPS_DATA (else ~/.cache/isoeps/data) and "
		"check their SHA-256\n"
		"check  read the named sets (default: all that are present) against their pins and "
		"their public schemas\n\n"
		"Files are looked for in $ISOEPS_DATA, then ../shared/data beside the source tree "
		"and the working directory, the\n"
		"cache, and /usr/share/datasets.  Embedded sets need no file.\n\n"
		"Examples:\n"
		"  isoeps data list\n"
		"  isoeps data get adult mushroom\n"
		"  ISOEPS_DATA=/data isoeps data check adult\n",
	.min_operands = 1,
	.max_operands = MAX_NAMES,
};

static const char *state_of(const iso_dataset_info *d, int present)
{
	return d->embedded ? "embedded" : present ? "present" : "absent";
}

static int add_info(cJSON *list, const iso_dataset_info *d, int present, const char *where)
{
	cJSON *v = cJSON_CreateObject();

	if (!v || !cJSON_AddItemToArray(list, v)) {
		cJSON_Delete(v);
		return 0;
	}
	return cJSON_AddStringToObject(v, "name", d->name) &&
	       cJSON_AddStringToObject(v, "title", d->title) &&
	       cJSON_AddStringToObject(v, "state", state_of(d, present)) &&
	       cJSON_AddNumberToObject(v, "rows", (double)d->rows) &&
	       cJSON_AddBoolToObject(v, "test_part", d->has_test) &&
	       cJSON_AddStringToObject(v, "licence", d->licence) &&
	       cJSON_AddStringToObject(v, "citation", d->citation) &&
	       cJSON_AddStringToObject(v, "where", where);
}

static iso_status list_sets(iso_str *out, cJSON *json, iso_error *err)
{
	if (!json)
		iso_str_addf(out, "%-16s %-9s %7s  %s\n", "name", "state", "rows", "title");
	for (size_t i = 0; i < iso_dataset_count(); i++) {
		const iso_dataset_info *d = iso_dataset_at(i);
		iso_str where = {0};
		int present = 0, good = 1;
		char rows[32];
		iso_status st = iso_dataset_locate(d->name, &where, &present, err);

		snprintf(rows, sizeof(rows), "%zu", d->rows);
		if (st == ISO_OK && json)
			good = add_info(json, d, present, where.p);
		else if (st == ISO_OK)
			iso_str_addf(out, "%-16s %-9s %7s  %s\n", d->name, state_of(d, present),
				     d->rows ? rows : "any", d->title);
		iso_str_free(&where);
		ISO_TRY(st);
		if (!good)
			return iso_no_memory(err, "the list of data sets");
	}
	return ISO_OK;
}

static iso_status get_one(const char *name, iso_str *out, cJSON *json, iso_error *err)
{
	const iso_data_source *s;
	char home[PATH_MAX];
	size_t fetched = 0;

	ISO_TRY(iso_data_source_need(name, &s, err));
	if (!s->info.embedded)
		ISO_TRY(iso_data_fetch(s, &fetched, err));
	if (json) {
		cJSON *v = cJSON_CreateObject();

		if (!v || !cJSON_AddItemToArray(json, v) ||
		    !cJSON_AddStringToObject(v, "name", name) ||
		    !cJSON_AddNumberToObject(v, "fetched", (double)fetched))
			return iso_no_memory(err, "the result");
		return ISO_OK;
	}
	if (fetched) {
		ISO_TRY(iso_data_home(home, sizeof(home), err));
		iso_str_addf(out, "%s: %zu file%s fetched into %s\n", name, fetched,
			     fetched == 1 ? "" : "s", home);
	} else {
		iso_str_addf(out, "%s: already here%s\n", name,
			     s->info.embedded ? " (embedded)" : "");
	}
	return ISO_OK;
}

static iso_status check_one(const char *name, iso_str *out, cJSON *json, iso_error *err)
{
	iso_dataset *d = NULL;
	size_t n, test;
	iso_status st;

	ISO_TRY(iso_dataset_load(name, NULL, &d, err));
	n = d->table->n;
	test = d->test ? d->test->n : 0;
	st = iso_table_check(d->table, err);
	if (st == ISO_OK && d->test)
		st = iso_table_check(d->test, err);
	if (st == ISO_OK && json) {
		cJSON *v = cJSON_CreateObject();

		if (!v || !cJSON_AddItemToArray(json, v) ||
		    !cJSON_AddStringToObject(v, "name", name) ||
		    !cJSON_AddNumberToObject(v, "rows", (double)n) ||
		    !cJSON_AddNumberToObject(v, "test_rows", (double)test) ||
		    !cJSON_AddStringToObject(v, "hash", d->hash))
			st = iso_no_memory(err, "the result");
	} else if (st == ISO_OK) {
		iso_str_addf(out, "%-16s ok  %zu rows", name, n);
		if (test)
			iso_str_addf(out, " + %zu test rows", test);
		iso_str_addf(out, ", %zu columns, hash %.16s\n", d->schema->ncol, d->hash);
	}
	iso_dataset_free(d);
	return st;
}

/* Every name given, or all sets that are present.  The first fault is reported; the others are
 * still tried. */
static iso_status each(const char *const *name, size_t n, int get, iso_str *out, cJSON *json,
		       iso_error *err)
{
	iso_status first = ISO_OK;
	size_t count = n ? n : iso_dataset_count();

	for (size_t i = 0; i < count; i++) {
		const char *one = n ? name[i] : iso_dataset_at(i)->name;
		iso_error local = {0};
		iso_str where = {0};
		int present = 1;
		iso_status st = n ? ISO_OK : iso_dataset_locate(one, &where, &present, &local);

		iso_str_free(&where);
		if (st == ISO_OK && present)
			st = get ? get_one(one, out, json, &local)
				 : check_one(one, out, json, &local);
		if (st == ISO_OK)
			continue;
		if (first == ISO_OK)
			*err = local;
		else
			fprintf(stderr, "isoeps: error: %s\n", local.text);
		first = first == ISO_OK ? st : first;
	}
	return first;
}

int cmd_data(int argc, char **argv)
{
	const char *operand[MAX_NAMES];
	int as_json = 0, helped = 0;
	const iso_arg table[] = {
		{"--json", ISO_ARG_FLAG, &as_json, NULL, "machine-readable output"}, {0}};
	iso_str out = {0};
	iso_error err = {0};
	cJSON *json = NULL;
	iso_status st;
	size_t n = 0;
	int status;

	st = iso_args_read(&help, table, argc, argv, operand, &n, &helped, &err);
	if (st == ISO_OK && helped)
		return 0;
	if (st == ISO_OK && as_json && !(json = cJSON_CreateArray()))
		st = iso_no_memory(&err, "the result");
	if (st != ISO_OK)
		return iso_cli_fail(&err);
	if (strcmp(operand[0], "list") == 0 && n == 1)
		st = list_sets(&out, json, &err);
	else if (strcmp(operand[0], "list") == 0)
		st = iso_fail(&err, ISO_E_USAGE,
			      "needless operand (data list %s): list takes none; remove it",
			      operand[1]);
	else if (strcmp(operand[0], "get") == 0 && n == 1)
		st = iso_fail(&err, ISO_E_USAGE,
			      "missing name (data get): which data set? see `isoeps data list`");
	else if (strcmp(operand[0], "get") == 0 || strcmp(operand[0], "check") == 0)
		st = each(operand + 1, n - 1, operand[0][0] == 'g', &out, json, &err);
	else
		st = iso_fail(&err, ISO_E_USAGE,
			      "unknown action (data %.40s): use list, get or check", operand[0]);
	status = st == ISO_OK ? 0 : iso_cli_fail(&err);
	err = (iso_error){0};
	if (json && (st == ISO_OK || cJSON_GetArraySize(json) > 0) &&
	    iso_json_pretty(json, &out, &err) != ISO_OK)
		status = iso_cli_fail(&err);
	cJSON_Delete(json);
	return iso_cli_print(&out, status);
}
