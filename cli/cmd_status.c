// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "cli/summary.h"
#include "core/base/alloc.h"
#include "core/io/file.h"

static const iso_verb_help help = {
	.verb = "status",
	.operands = "DIR",
	.summary = "how far a run is",
	.text = "Reads DIR/suite.json and DIR/cells: how many cells are done, which failed and "
		"why, and the results so far.  It can be\n"
		"asked while a run is going on.  Exit status 0 if all cells of the suite are done, "
		"else 1.\n\n"
		"Example:\n"
		"  isoeps status out/demo\n",
	.min_operands = 1,
	.max_operands = 1,
};

static const cJSON *get(const cJSON *obj, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(obj, key);
}

static const char *text_of(const cJSON *obj, const char *key)
{
	const cJSON *v = get(obj, key);

	return cJSON_IsString(v) ? v->valuestring : "";
}

typedef struct counts {
	size_t cells; /* of the suite; 0 = unknown */
	size_t ok, failed;
} counts;

/* Cells that the suite has, by DIR/suite.json; 0 without one. */
static iso_status planned(const char *dir, size_t *n, iso_error *err)
{
	iso_str path = {0};
	cJSON *suite = NULL;
	iso_status st;

	*n = 0;
	iso_str_addf(&path, "%s/suite.json", dir);
	st = iso_str_check(&path, err);
	if (st == ISO_OK && iso_file_exists(path.p))
		st = iso_json_read(path.p, &suite, err);
	if (st == ISO_OK)
		*n = (size_t)cJSON_GetArraySize(get(suite, "cells"));
	cJSON_Delete(suite);
	iso_str_free(&path);
	return st;
}

static void failure_lines(const iso_records *r, iso_str *out)
{
	for (size_t i = 0; i < r->n; i++) {
		const cJSON *c = get(r->v[i], "config"), *e = get(c, "epsilon");
		char eps[32];

		if (strcmp(text_of(r->v[i], "status"), "ok") == 0)
			continue;
		iso_eps_text(cJSON_IsNumber(e) ? e->valuedouble : INFINITY, eps);
		iso_str_addf(out, "  %s: %.8s %s, %s, epsilon %s, seed %.0f: %s\n",
			     text_of(r->v[i], "status"), text_of(r->v[i], "key"),
			     text_of(get(c, "dataset"), "name"), text_of(r->v[i], "label"), eps,
			     get(c, "seed")->valuedouble, text_of(r->v[i], "error"));
	}
}

static int status_json(const iso_records *r, const counts *n, int status)
{
	cJSON *root = cJSON_CreateObject(), *results = NULL, *list;
	iso_error err = {0};
	int ok = root && cJSON_AddNumberToObject(root, "cells", (double)n->cells) &&
		 cJSON_AddNumberToObject(root, "done", (double)n->ok) &&
		 cJSON_AddNumberToObject(root, "failed", (double)n->failed) &&
		 cJSON_AddNumberToObject(root, "damaged", (double)r->damaged) &&
		 cJSON_AddNumberToObject(root, "foreign", (double)r->foreign);

	list = ok ? cJSON_AddArrayToObject(root, "failures") : NULL;
	ok = list != NULL;
	for (size_t i = 0; ok && i < r->n; i++) {
		cJSON *o;

		if (strcmp(text_of(r->v[i], "status"), "ok") == 0)
			continue;
		o = cJSON_CreateObject();
		ok = o && cJSON_AddStringToObject(o, "key", text_of(r->v[i], "key")) &&
		     cJSON_AddStringToObject(o, "status", text_of(r->v[i], "status")) &&
		     cJSON_AddStringToObject(o, "error", text_of(r->v[i], "error")) &&
		     cJSON_AddItemToArray(list, o);
	}
	ok = ok && iso_summary_json(r, &results, &err) == ISO_OK &&
	     cJSON_AddItemToObject(root, "results", results);
	return iso_cli_json(root, ok, status);
}

int cmd_status(int argc, char **argv)
{
	int json = 0, helped, status = 1;
	const iso_arg table[] = {{"--json", ISO_ARG_FLAG, &json, NULL, "machine-readable output"},
				 {0}};
	const char *dir = NULL;
	iso_records r;
	counts n = {0};
	iso_error err = {0};
	iso_str out = {0};
	size_t operands;

	if (iso_args_read(&help, table, argc, argv, &dir, &operands, &helped, &err) != ISO_OK)
		return iso_cli_fail(&err);
	if (helped)
		return 0;
	if (iso_records_load(dir, &r, &err) != ISO_OK)
		return iso_cli_fail(&err);
	if (planned(dir, &n.cells, &err) != ISO_OK) {
		iso_records_free(&r);
		return iso_cli_fail(&err);
	}
	for (size_t i = 0; i < r.n; i++)
		n.ok += strcmp(text_of(r.v[i], "status"), "ok") == 0;
	n.failed = r.n - n.ok;
	if (n.cells == 0)
		n.cells = r.n + r.damaged;
	status = n.ok == n.cells ? 0 : 1;
	if (json) {
		status = status_json(&r, &n, status);
	} else if (iso_summary_text(&r, &out, &err) != ISO_OK) {
		iso_str_free(&out);
		status = iso_cli_fail(&err);
	} else {
		iso_str_addf(&out, "%s%zu of %zu cells done, %zu failed, %zu to go",
			     out.n ? "\n" : "", n.ok, n.cells, n.failed,
			     n.cells > n.ok + n.failed ? n.cells - n.ok - n.failed : 0);
		iso_str_addf(&out,
			     r.damaged ? ", %zu damaged files (they will be run again)\n" : "\n",
			     r.damaged);
		failure_lines(&r, &out);
		status = iso_cli_print(&out, status);
	}
	iso_records_free(&r);
	return status;
}
