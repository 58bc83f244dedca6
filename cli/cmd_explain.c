// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "cli/table.h"
#include "core/base/alloc.h"
#include "results/record.h"

static const iso_verb_help help = {
	.verb = "explain",
	.operands = "DIR CELL",
	.summary = "one cell traced to its seeds, data and ledger",
	.text = "CELL is the cell's key or any unambiguous beginning of it (isoeps status and "
		"results.csv show keys).  Prints where every\n"
		"number of the cell comes from: configuration, hash of the data, sizes of the "
		"split, every release of the ledger,\n"
		"epsilon under every accountant, each metric and attack with its interval, "
		"caveats, and the machine and build.\n\n"
		"Example:\n"
		"  isoeps explain out/demo 3f2a91\n",
	.min_operands = 2,
	.max_operands = 2,
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

/* A JSON value on one line: texts bare, null as a dash, all else as JSON. */
static void short_value(const cJSON *v, iso_str *out)
{
	iso_error ignored = {0};

	if (!v || cJSON_IsNull(v))
		iso_str_add(out, "-");
	else if (cJSON_IsString(v))
		iso_str_add(out, v->valuestring);
	else if (iso_json_canonical(v, out, &ignored) != ISO_OK)
		out->failed = 1;
}

static void print_members(const cJSON *obj, int indent, iso_str *out)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, obj)
	{
		if (cJSON_IsObject(item) && item->child) {
			iso_str_addf(out, "%*s%s:\n", indent, "", item->string);
			print_members(item, indent + 2, out);
			continue;
		}
		iso_str_addf(out, "%*s%s: ", indent, "", item->string);
		short_value(item, out);
		iso_str_add(out, "\n");
	}
}

static void grid_value(iso_grid *g, const cJSON *v)
{
	iso_str s = {0};

	short_value(v, &s);
	iso_grid_add(g, "%s", s.p ? s.p : "");
	iso_str_free(&s);
}

/* The array as a table of the named members. */
static void print_table(const cJSON *list, const char *const *keys, size_t n, iso_str *out)
{
	iso_grid g = {.columns = n};
	const cJSON *item;

	for (size_t i = 0; i < n; i++)
		iso_grid_add(&g, "%s", keys[i]);
	cJSON_ArrayForEach(item, list) for (size_t i = 0; i < n; i++)
		grid_value(&g, get(item, keys[i]));
	iso_grid_print(&g, out);
}

static void print_record(const cJSON *r, iso_str *out)
{
	static const char *const ledger[] = {"why",  "part",  "mechanism", "noise",
					     "rate", "count", "norm",	   "sensitivity"};
	static const char *const metric[] = {"metric", "name", "value",	    "low",
					     "high",   "unit", "direction", "reason"};
	static const char *const attack[] = {"label",	   "knows",	"status",  "n_pos",
					     "n_neg",	   "auc",	"auc_low", "auc_high",
					     "tpr_fpr_10", "tpr_fpr_1", "reason"};
	const cJSON *item, *error = get(r, "error");

	iso_str_addf(out, "cell %s of suite %s: %s on %s, status %s\n", text_of(r, "key"),
		     text_of(r, "suite"), text_of(r, "label"),
		     text_of(get(get(r, "config"), "dataset"), "name"), text_of(r, "status"));
	if (cJSON_IsString(error))
		iso_str_addf(out, "error: %s\n", error->valuestring);
	iso_str_add(
		out,
		"\nconfiguration (its hash is the key; equal configurations give equal bytes)\n");
	print_members(get(r, "config"), 2, out);
	iso_str_add(out, "\nrows\n");
	print_members(get(r, "n"), 2, out);
	iso_str_addf(out, "\nprivacy: guarantee %s\n", text_of(r, "guarantee"));
	print_members(get(r, "privacy"), 2, out);
	iso_str_add(out, "\nledger (every release of private data; isoeps verify DIR --ledger "
			 "recomputes epsilon from it)\n");
	print_table(get(r, "ledger"), ledger, ISO_COUNT(ledger), out);
	iso_str_add(out, "\nmetrics\n");
	print_table(get(r, "metrics"), metric, ISO_COUNT(metric), out);
	iso_str_add(out, "\nattacks\n");
	print_table(get(r, "attacks"), attack, ISO_COUNT(attack), out);
	iso_str_add(out, "\nmodel\n");
	print_members(get(r, "model"), 2, out);
	iso_str_add(out, "\ncaveats\n");
	cJSON_ArrayForEach(item, get(r, "caveats")) iso_fold(out, item->valuestring, 2, 118);
	iso_str_add(out, "\nthis run (may differ between two correct runs)\n");
	print_members(get(r, "run"), 2, out);
}

static iso_status find_cell(const iso_records *r, const char *dir, const char *key,
			    const cJSON **out, iso_error *err)
{
	size_t found = 0;

	for (size_t i = 0; i < r->n; i++)
		if (strncmp(text_of(r->v[i], "key"), key, strlen(key)) == 0) {
			*out = r->v[i];
			found++;
		}
	ISO_FAIL_IF(found == 0, err, ISO_E_USAGE,
		    "no such cell (%s in %s): no record's key begins so; results.csv lists the "
		    "keys in its first column",
		    key, dir);
	ISO_FAIL_IF(found > 1, err, ISO_E_USAGE,
		    "ambiguous cell (%s in %s): %zu keys begin so; give more digits", key, dir,
		    found);
	return ISO_OK;
}

int cmd_explain(int argc, char **argv)
{
	int json = 0, helped, status;
	const iso_arg table[] = {{"--json", ISO_ARG_FLAG, &json, NULL, "the record as it is"}, {0}};
	const char *operand[2] = {NULL, NULL};
	const cJSON *record = NULL;
	iso_records r;
	iso_error err = {0};
	iso_str out = {0};
	size_t n;

	if (iso_args_read(&help, table, argc, argv, operand, &n, &helped, &err) != ISO_OK)
		return iso_cli_fail(&err);
	if (helped)
		return 0;
	if (iso_records_load(operand[0], &r, &err) != ISO_OK)
		return iso_cli_fail(&err);
	if (find_cell(&r, operand[0], operand[1], &record, &err) != ISO_OK) {
		status = iso_cli_fail(&err);
	} else if (json) {
		cJSON *copy = cJSON_Duplicate(record, 1);

		status = iso_cli_json(copy, copy != NULL, 0);
	} else {
		print_record(record, &out);
		status = iso_cli_print(&out, 0);
	}
	iso_records_free(&r);
	return status;
}
