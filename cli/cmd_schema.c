// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "core/base/alloc.h"
#include "core/base/log.h"
#include "core/data/table.h"
#include "core/io/file.h"
#include "suites/flow/schema_private.h"

static const iso_verb_help help = {
	.verb = "schema",
	.operands = "infer CSV | check SCHEMA [CSV]",
	.summary = "draft a public schema from a CSV, or check one",
	.text = "infer  writes a draft: types are guessed, bounds and categories are read off the "
		"rows and marked \"learned\".\n"
		"       Bounds learned from private rows leak them: replace them by public ones, "
		"then remove the mark.\n"
		"       Separator, decimal sign, comment lines, row names, dates and missing codes "
		"are detected; every guess\n"
		"       is a note on standard error.\n"
		"check  reads a schema, and a CSV against it; the first fault is named with file, "
		"line and field.\n\n"
		"Examples:\n"
		"  isoeps schema infer people.csv --out people.json\n"
		"  isoeps schema infer people.csv --private --epsilon 0.5 --delta 1e-6 --type "
		"id=id --out people.json\n"
		"  isoeps schema check people.json people.csv\n",
	.min_operands = 2,
	.max_operands = 3,
};

typedef struct draft {
	const char *path, *separator, *decimal, *label;
	iso_arg_list missing, type;
	int private;
	double epsilon, delta;
	const char *adjacency, *seed;
} draft;

/* One note a line. */
static void print_notes(char *text)
{
	for (char *end; text && (end = strchr(text, '\n')); text = end + 1) {
		*end = 0;
		iso_note("%s", text);
	}
}

/* "tab", "\\t" or the character itself. */
static char separator_of(const char *text)
{
	return strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0 ? '\t' : *text;
}

static iso_status read_options(const draft *d, iso_infer_options *o, iso_error *err)
{
	static const char *const known[] = {",", ";", "|", "\t", "tab", "\\t"};
	int good = !d->separator;

	for (size_t i = 0; i < ISO_COUNT(known) && !good; i++)
		good = strcmp(d->separator, known[i]) == 0;
	ISO_FAIL_IF(!good, err, ISO_E_USAGE,
		    "unknown separator (--separator %.20s): use one of \",\", \";\", \"|\" and tab",
		    d->separator);
	ISO_FAIL_IF(d->decimal && strcmp(d->decimal, ".") != 0 && strcmp(d->decimal, ",") != 0, err,
		    ISO_E_USAGE, "unknown decimal sign (--decimal %.20s): use . or ,", d->decimal);
	*o = (iso_infer_options){.label = d->label,
				 .missing = d->missing.v,
				 .nmissing = d->missing.n,
				 .csv = {.separator = d->separator ? separator_of(d->separator) : 0,
					 .decimal = d->decimal ? *d->decimal : 0}};
	return ISO_OK;
}

/* "NAME=TYPE" of --type; the names are copied into `room`. */
static iso_status read_hints(const iso_arg_list *list, iso_column_hint *hint, iso_arena *room,
			     iso_error *err)
{
	for (size_t i = 0; i < list->n; i++) {
		char *name = iso_arena_strdup(room, list->v[i]), *sign;

		if (!name)
			return iso_no_memory(err, "the types of columns");
		sign = strrchr(name, '=');
		ISO_FAIL_IF(!sign || sign == name, err, ISO_E_USAGE,
			    "wrong type (--type %.80s): write COLUMN=TYPE", list->v[i]);
		*sign = 0;
		hint[i] = (iso_column_hint){.name = name, .type = sign + 1};
	}
	return ISO_OK;
}

static iso_status infer_private(const char *csv, const draft *d, const iso_infer_options *o,
				iso_schema **s, iso_str *notes, iso_error *err)
{
	iso_column_hint hint[ISO_ARG_LIST_MAX];
	iso_arena room = {0};
	iso_private_schema q = {.csv = csv,
				.label = d->label,
				.format = o->csv,
				.hint = hint,
				.nhint = d->type.n,
				.epsilon = d->epsilon,
				.delta = d->delta,
				.secure = !d->seed};
	char *end = NULL;
	iso_status st;

	ISO_FAIL_IF(!(d->epsilon > 0), err, ISO_E_USAGE,
		    "no budget (schema infer --private): give --epsilon, and --delta when there "
		    "are categories");
	ISO_FAIL_IF(d->missing.n, err, ISO_E_USAGE,
		    "--missing with --private (schema infer): the codes are fixed; leave it out");
	ISO_FAIL_IF(d->adjacency && strcmp(d->adjacency, "add-remove") != 0 &&
			    strcmp(d->adjacency, "replace-one") != 0,
		    err, ISO_E_USAGE,
		    "unknown adjacency (--adjacency %.40s): use add-remove or replace-one",
		    d->adjacency);
	q.adjacency = d->adjacency && strcmp(d->adjacency, "replace-one") == 0 ? ISO_REPLACE_ONE
									       : ISO_ADD_REMOVE;
	if (d->seed)
		q.seed = strtoull(d->seed, &end, 10);
	ISO_FAIL_IF(d->seed && (*end || !*d->seed || *d->seed == '-'), err, ISO_E_USAGE,
		    "bad seed (--seed %.40s): give a whole number", d->seed);
	st = read_hints(&d->type, hint, &room, err);
	if (st == ISO_OK)
		st = iso_schema_infer_private(&q, s, notes, err);
	iso_arena_free(&room);
	return st;
}

/* What the draft rests on, for standard error. */
static void say_origin(const draft *d, const iso_schema *s)
{
	const iso_schema_release *r = &s->release;

	if (!r->columns.count) {
		iso_note("bounds and categories were learned from the rows; replace them by public "
			 "ones");
		return;
	}
	iso_note("bounds and categories were estimated for epsilon %g and delta %g (%s), which "
		 "every training under this schema pays for",
		 r->epsilon, r->delta, r->replace_one ? "replace-one" : "add-remove");
	if (d->seed)
		iso_note("who knows the seed can take the noise away again; leave --seed out for "
			 "data that matter");
}

static iso_status infer(const char *csv, const draft *d, iso_str *out, iso_error *err)
{
	const char *path = d->path;
	iso_infer_options options;
	iso_str notes = {0};
	iso_schema *s = NULL;
	cJSON *v = NULL;
	iso_status st;

	ISO_TRY(read_options(d, &options, err));
	ISO_FAIL_IF(!d->private && (d->epsilon > 0 || d->delta > 0 || d->type.n || d->seed ||
				    d->adjacency),
		    err, ISO_E_USAGE,
		    "--private is missing (schema infer): --epsilon, --delta, --type, --seed and "
		    "--adjacency belong to it");
	st = d->private ? infer_private(csv, d, &options, &s, &notes, err)
			: iso_schema_infer(csv, &options, &s, &notes, err);

	if (st == ISO_OK)
		st = iso_schema_to_json(s, &v, err);
	if (st == ISO_OK)
		st = iso_json_pretty(v, out, err);
	if (st == ISO_OK && path) {
		st = iso_file_write_atomic(path, out->p, out->n, err);
		iso_str_free(out);
		iso_str_addf(out, "wrote %s: %zu columns\n", path, s->ncol);
	}
	if (st == ISO_OK) {
		print_notes(notes.p);
		say_origin(d, s);
	}
	iso_str_free(&notes);
	cJSON_Delete(v);
	iso_schema_free(s);
	return st;
}

static size_t count_missing(const iso_table *t, size_t c)
{
	size_t n = 0;

	for (size_t r = 0; r < t->n; r++)
		n += isnan(iso_table_cell(t, r, c)) != 0;
	return n;
}

static void describe(const iso_schema *s, const iso_table *t, iso_str *out)
{
	char lo[32], hi[32];

	iso_str_addf(out, "schema %s: %zu columns, label %s%s\n", s->name, s->ncol,
		     s->label >= 0 ? s->column[s->label].name : "(none)",
		     s->learned ? ", LEARNED bounds" : "");
	if (t)
		iso_str_addf(out, "table: %zu rows, all inside the schema\n", t->n);
	for (size_t c = 0; c < s->ncol; c++) {
		const iso_column *col = &s->column[c];

		iso_bound_text(col, col->lo, lo);
		iso_bound_text(col, col->hi, hi);
		iso_str_addf(out, "  %-24s ", col->name);
		if (iso_is_dropped(col))
			iso_str_addf(out, "%s, dropped", iso_role_name(col->role));
		else if (iso_is_discrete(col))
			iso_str_addf(out, "%s, %zu categories", iso_type_name(col->type),
				     col->ncategory);
		else if (col->type == ISO_PIXEL)
			iso_str_addf(out, "pixel, %zu x %zu%s", col->height, col->width,
				     col->channels > 1 ? " x channels" : "");
		else
			iso_str_addf(out, "%s, %s to %s", iso_type_name(col->type), lo, hi);
		if (t && col->nmissing && !iso_is_dropped(col))
			iso_str_addf(out, ", %zu missing", count_missing(t, c));
		iso_str_addf(out, "%s%s\n", (int)c == s->label ? ", label" : "",
			     col->learned ? ", learned" : "");
	}
}

static iso_status check(const char *path, const char *csv, int as_json, iso_str *out,
			iso_error *err)
{
	iso_schema *s = NULL;
	iso_table *t = NULL;
	cJSON *v = NULL;
	char hash[65] = "";
	iso_status st = iso_schema_read(path, &s, err);

	if (st == ISO_OK && csv)
		st = iso_table_read_csv(csv, s, &t, err);
	if (st == ISO_OK && t)
		st = iso_table_hash(t, hash, err);
	if (st == ISO_OK && as_json) {
		v = cJSON_CreateObject();
		if (!v || !cJSON_AddStringToObject(v, "schema", s->name) ||
		    !cJSON_AddNumberToObject(v, "columns", (double)s->ncol) ||
		    !cJSON_AddBoolToObject(v, "learned", s->learned) ||
		    (s->label >= 0 &&
		     !cJSON_AddStringToObject(v, "label", s->column[s->label].name)) ||
		    (t && !cJSON_AddNumberToObject(v, "rows", (double)t->n)) ||
		    (t && !cJSON_AddStringToObject(v, "hash", hash)))
			st = iso_no_memory(err, "the result");
		else
			st = iso_json_pretty(v, out, err);
	} else if (st == ISO_OK) {
		describe(s, t, out);
	}
	cJSON_Delete(v);
	iso_table_free(t);
	iso_schema_free(s);
	return st;
}

int cmd_schema(int argc, char **argv)
{
	const char *operand[3] = {NULL, NULL, NULL};
	draft d = {0};
	int as_json = 0, helped = 0;
	const iso_arg table[] = {
		{"--out", ISO_ARG_TEXT, &d.path, "FILE",
		 "infer: where to write the draft (default: standard output)"},
		{"--label", ISO_ARG_TEXT, &d.label, "COLUMN",
		 "infer: the column to predict (default: guessed by its name)"},
		{"--separator", ISO_ARG_TEXT, &d.separator, "C",
		 "infer: , ; | or tab (default: detected)"},
		{"--decimal", ISO_ARG_TEXT, &d.decimal, "C", "infer: . or , (default: detected)"},
		{"--missing", ISO_ARG_TEXTS, &d.missing, "TOKEN",
		 "infer: a text that means missing (many times)"},
		{"--private", ISO_ARG_FLAG, &d.private, NULL,
		 "infer: estimate types, bounds and categories with noise"},
		{"--epsilon", ISO_ARG_REAL, &d.epsilon, "E", "infer --private: what it may cost"},
		{"--delta", ISO_ARG_REAL, &d.delta, "D", "infer --private: for the categories"},
		{"--type", ISO_ARG_TEXTS, &d.type, "COLUMN=TYPE",
		 "infer --private: continuous, integer, categorical or id, publicly known"},
		{"--adjacency", ISO_ARG_TEXT, &d.adjacency, "A",
		 "infer --private: add-remove (default) or replace-one"},
		{"--seed", ISO_ARG_TEXT, &d.seed, "S",
		 "infer --private: reproducible noise (default: the operating system's)"},
		{"--json", ISO_ARG_FLAG, &as_json, NULL,
		 "check: machine-readable output (a draft is JSON anyway)"},
		{0}};
	iso_str out = {0};
	iso_error err = {0};
	size_t n = 0;
	iso_status st = iso_args_read(&help, table, argc, argv, operand, &n, &helped, &err);

	if (st == ISO_OK && helped)
		return 0;
	if (st != ISO_OK)
		return iso_cli_fail(&err);
	if (strcmp(operand[0], "infer") == 0 && n == 2)
		st = infer(operand[1], &d, &out, &err);
	else if (strcmp(operand[0], "check") == 0 && !d.path)
		st = check(operand[1], n == 3 ? operand[2] : NULL, as_json, &out, &err);
	else
		st = iso_fail(&err, ISO_E_USAGE,
			      "wrong use (schema %.40s): write `schema infer CSV [--out F]` or "
			      "`schema check SCHEMA "
			      "[CSV]`",
			      operand[0]);
	if (st != ISO_OK) {
		iso_str_free(&out);
		return iso_cli_fail(&err);
	}
	return iso_cli_print(&out, 0);
}
