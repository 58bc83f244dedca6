// SPDX-License-Identifier: Apache-2.0
/* Command lines by table: one table per verb is the source of parsing, checks, suggestions and
 * --help.
 *
 *     int json = 0; int64_t jobs = 0; const char *out = NULL; iso_arg_list set = {0};
 *     const iso_arg table[] = {
 *         {"--jobs", ISO_ARG_INT, &jobs, "N", "workers (default: one per core)", 1, 1024},
 *         {"--set", ISO_ARG_TEXTS, &set, "OPTION=VALUE", "an option of the generator"},
 *         {"--json", ISO_ARG_FLAG, &json, NULL, "machine-readable output"},
 *         {0}};
 */
#ifndef ISO_CLI_ARGS_H
#define ISO_CLI_ARGS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"
#include "core/base/str.h"

typedef enum iso_arg_kind {
	ISO_ARG_FLAG, /* int: set to 1 */
	ISO_ARG_TEXT, /* const char *: borrowed from argv */
	ISO_ARG_INT,  /* int64_t */
	ISO_ARG_REAL, /* double */
	ISO_ARG_TEXTS /* iso_arg_list: may be given many times */
} iso_arg_kind;

#define ISO_ARG_LIST_MAX 128
typedef struct iso_arg_list {
	const char *v[ISO_ARG_LIST_MAX];
	size_t n;
} iso_arg_list;

typedef struct iso_arg {
	const char *flag; /* NULL ends the table */
	iso_arg_kind kind;
	void *out;
	const char *value; /* name of the value in --help; NULL for flags */
	const char *help;  /* one line */
	double lo, hi;	   /* inclusive range of numbers; lo == hi == 0: any */
} iso_arg;

/* What --help of a verb says. */
typedef struct iso_verb_help {
	const char *verb;     /* "run" */
	const char *operands; /* "SUITE" or "" */
	const char *summary;  /* one line */
	const char *text;     /* paragraphs, and at least one example; ends in a newline */
	size_t min_operands, max_operands;
} iso_verb_help;

/* Reads argv[1..].  --flag VALUE and --flag=VALUE; "--" ends the flags.  operand[max_operands] gets
 * the rest.  --help prints the help and sets *helped: the caller returns 0.  Faults are ISO_E_USAGE
 * with the nearest flag. */
iso_status iso_args_read(const iso_verb_help *help, const iso_arg *table, int argc, char **argv,
			 const char **operand, size_t *noperand, int *helped,
			 iso_error *err) ISO_MUST_CHECK;
/* Documentation: until it is set to NULL again, iso_args_read hands its table to `visit` and
 * returns with *helped, whatever argv says. */
typedef void (*iso_args_visit_fn)(void *ctx, const iso_verb_help *help, const iso_arg *table);
void iso_args_visit(iso_args_visit_fn visit, void *ctx);
/* Options that every verb takes, before it or after it: --help, --quiet, --verbose, --version. */
extern const iso_arg iso_common_args[];
/* Obeys a common option, or returns 0: not one of them.  --help is left to the caller. */
int iso_args_common(const char *word);
/* The same text that --help prints. */
iso_status iso_args_help(const iso_verb_help *help, const iso_arg *table, iso_str *out,
			 iso_error *err) ISO_MUST_CHECK;

#endif
