// SPDX-License-Identifier: Apache-2.0
#include "cli/args.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "core/base/alloc.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/io/file.h"

#define HELP_COLUMN 30

const iso_arg iso_common_args[] = {
	{"--help", ISO_ARG_FLAG, NULL, NULL, "this text"},
	{"--quiet", ISO_ARG_FLAG, NULL, NULL, "no notes, warnings and progress"},
	{"--verbose", ISO_ARG_FLAG, NULL, NULL, "more of them"},
	{"--version", ISO_ARG_FLAG, NULL, NULL, "the version, and nothing else"},
	{0}};

static iso_args_visit_fn visitor;
static void *visitor_ctx;

void iso_args_visit(iso_args_visit_fn visit, void *ctx)
{
	visitor = visit;
	visitor_ctx = ctx;
}

int iso_args_common(const char *word)
{
	const int quiet = strcmp(word, "--quiet") == 0 || strcmp(word, "-q") == 0;

	if (!quiet && strcmp(word, "--verbose") != 0 && strcmp(word, "-v") != 0)
		return 0;
	iso_log_set_level(quiet ? ISO_LOG_QUIET : ISO_LOG_VERBOSE);
	return 1;
}

static void help_line(const iso_arg *a, iso_str *out)
{
	char left[96];

	snprintf(left, sizeof(left), "  %s%s%s%s", a->flag, a->value ? " " : "",
		 a->value ? a->value : "", a->kind == ISO_ARG_TEXTS ? " ..." : "");
	iso_str_addf(out, "%-*s %s\n", HELP_COLUMN, left, a->help);
}

iso_status iso_args_help(const iso_verb_help *help, const iso_arg *table, iso_str *out,
			 iso_error *err)
{
	iso_str_addf(out, "isoeps %s%s%s [OPTION]...\n%s\n\n%s\nOptions:\n", help->verb,
		     *help->operands ? " " : "", help->operands, help->summary, help->text);
	for (const iso_arg *a = table; a->flag; a++)
		help_line(a, out);
	for (const iso_arg *a = iso_common_args; a->flag; a++)
		help_line(a, out);
	return iso_str_check(out, err);
}

static iso_status unknown_flag(const iso_verb_help *help, const iso_arg *table, const char *flag,
			       iso_error *err)
{
	const char *words[64], *near;
	size_t n = 0;

	for (const iso_arg *a = iso_common_args; a->flag; a++)
		words[n++] = a->flag;
	for (const iso_arg *a = table; a->flag && n < ISO_COUNT(words); a++)
		words[n++] = a->flag;
	near = iso_nearest_word(flag, words, n);
	if (near)
		return iso_fail(err, ISO_E_USAGE,
				"unknown option (%s): `%s` has no such option; did you mean %s?",
				flag, help->verb, near);
	return iso_fail(err, ISO_E_USAGE,
			"unknown option (%s): `%s` has no such option; see isoeps %s --help", flag,
			help->verb, help->verb);
}

static iso_status read_number(const iso_arg *a, const char *text, double *x, iso_error *err)
{
	char *end;

	errno = 0;
	*x = strtod(text, &end);
	if (end == text || *end || isnan(*x))
		return iso_fail(err, ISO_E_USAGE,
				"not a number (%s %s): a number is expected here; see --help",
				a->flag, text);
	if (a->kind == ISO_ARG_INT && (*x != floor(*x) || fabs(*x) > 9007199254740992.0))
		return iso_fail(
			err, ISO_E_USAGE,
			"not a whole number (%s %s): a whole number is expected here; see --help",
			a->flag, text);
	if (!(a->lo == 0 && a->hi == 0) && !(*x >= a->lo && *x <= a->hi))
		return iso_fail(
			err, ISO_E_USAGE,
			"out of range (%s %s): allowed are %g to %g; choose a value in that range",
			a->flag, text, a->lo, a->hi);
	return ISO_OK;
}

static iso_status store(const iso_arg *a, const char *text, iso_error *err)
{
	double x;
	iso_arg_list *list;

	switch (a->kind) {
	case ISO_ARG_FLAG:
		*(int *)a->out = 1;
		return ISO_OK;
	case ISO_ARG_TEXT:
		*(const char **)a->out = text;
		return ISO_OK;
	case ISO_ARG_INT:
		ISO_TRY(read_number(a, text, &x, err));
		*(int64_t *)a->out = (int64_t)x;
		return ISO_OK;
	case ISO_ARG_REAL:
		return read_number(a, text, a->out, err);
	case ISO_ARG_TEXTS:
		list = a->out;
		ISO_FAIL_IF(list->n == ISO_ARG_LIST_MAX, err, ISO_E_USAGE,
			    "too many values (%s): at most %d; give fewer", a->flag,
			    ISO_ARG_LIST_MAX);
		list->v[list->n++] = text;
		return ISO_OK;
	}
	return iso_fail(err, ISO_E_INTERNAL, "bad table (%s): unknown kind of option; report it",
			a->flag);
}

/* One flag at argv[*i]; takes its value from after '=' or from the next word. */
static iso_status read_flag(const iso_verb_help *help, const iso_arg *table, int argc, char **argv,
			    int *i, iso_error *err)
{
	char *word = argv[*i], name[64];
	const char *value = strchr(word, '=');
	size_t length = value ? (size_t)(value - word) : strlen(word);
	const iso_arg *a = table;

	snprintf(name, sizeof(name), "%.*s", (int)(length < 63 ? length : 63), word);
	while (a->flag && strcmp(a->flag, name) != 0)
		a++;
	if (!a->flag)
		return unknown_flag(help, table, name, err);
	if (a->kind == ISO_ARG_FLAG) {
		ISO_FAIL_IF(value, err, ISO_E_USAGE,
			    "value not expected (%s): %s takes no value; leave it out", word, name);
		return store(a, NULL, err);
	}
	if (value)
		return store(a, value + 1, err);
	ISO_FAIL_IF(*i + 1 >= argc, err, ISO_E_USAGE,
		    "value missing (%s): %s needs %s; see isoeps %s --help", name, name,
		    a->value ? a->value : "a value", help->verb);
	return store(a, argv[++*i], err);
}

/* The help of a verb, or without a table the version. */
static iso_status say(const iso_verb_help *help, const iso_arg *table, iso_error *err)
{
	iso_str text = {0};
	iso_status st = ISO_OK;

	if (table)
		st = iso_args_help(help, table, &text, err);
	else
		iso_str_add(&text, "isoeps " ISO_VERSION "\n");
	if (st == ISO_OK)
		st = iso_stdout_write(text.p, text.n, err);
	iso_str_free(&text);
	return st;
}

iso_status iso_args_read(const iso_verb_help *help, const iso_arg *table, int argc, char **argv,
			 const char **operand, size_t *noperand, int *helped, iso_error *err)
{
	size_t n = 0;
	int flags = 1;

	*helped = 0;
	if (visitor) {
		visitor(visitor_ctx, help, table);
		*helped = 1;
		return ISO_OK;
	}
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0 ||
		    strcmp(argv[i], "--version") == 0) {
			*helped = 1;
			return say(help, argv[i][2] == 'v' ? NULL : table, err);
		}
	for (int i = 1; i < argc; i++) {
		if (flags && strcmp(argv[i], "--") == 0) {
			flags = 0;
			continue;
		}
		if (flags && argv[i][0] == '-' && argv[i][1]) {
			if (iso_args_common(argv[i]))
				continue;
			ISO_TRY(read_flag(help, table, argc, argv, &i, err));
			continue;
		}
		ISO_FAIL_IF(n == help->max_operands, err, ISO_E_USAGE,
			    "unexpected word (%s): `%s` takes %zu operand%s; see isoeps %s --help",
			    argv[i], help->verb, help->max_operands,
			    help->max_operands == 1 ? "" : "s", help->verb);
		operand[n++] = argv[i];
	}
	ISO_FAIL_IF(n < help->min_operands, err, ISO_E_USAGE,
		    "operand missing (isoeps %s): %s is needed; see isoeps %s --help", help->verb,
		    help->operands, help->verb);
	*noperand = n;
	return ISO_OK;
}

int iso_cli_fail(const iso_error *err)
{
	const char *text = err->text[0] ? err->text : iso_status_text(err->code);
	iso_str shown = {0};

	fflush(stdout);
	iso_text_visible_lines(text, &shown);
	fprintf(stderr, "isoeps: error: %s\n", shown.p ? shown.p : text);
	iso_str_free(&shown);
	return err->code == ISO_OK ? 4 : iso_status_exit(err->code);
}

int iso_cli_print(iso_str *text, int status)
{
	const int json = text->p && (text->p[0] == '{' || text->p[0] == '[');
	iso_str shown = {0};
	iso_error err = {0};
	iso_status st = iso_str_check(text, &err);

	if (st == ISO_OK && text->n) {
		(json ? iso_text_visible_json : iso_text_visible_lines)(text->p, &shown);
		st = iso_str_check(&shown, &err);
	}
	if (st == ISO_OK && shown.n)
		st = iso_stdout_write(shown.p, shown.n, &err);
	iso_str_free(&shown);
	iso_str_free(text);
	return st == ISO_OK ? status : iso_cli_fail(&err);
}

int iso_cli_json(cJSON *root, int complete, int status)
{
	iso_error err = {0};
	iso_str text = {0};
	iso_status st = root && complete ? iso_json_pretty(root, &text, &err)
					 : iso_no_memory(&err, "the output");

	cJSON_Delete(root);
	if (st == ISO_OK)
		return iso_cli_print(&text, status);
	iso_str_free(&text);
	return iso_cli_fail(&err);
}
