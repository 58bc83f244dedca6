// SPDX-License-Identifier: Apache-2.0
/* isoeps VERB ...: dispatch, and the help that needs no verb. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "cli/verbs.h"
#include "core/math/blas.h"

static int usage(void)
{
	iso_str text = {0};

	iso_str_add(&text, "isoeps " ISO_VERSION
			   ": generators of synthetic data compared at equal epsilon.\n\n"
			   "usage: isoeps VERB [OPERAND]... [OPTION]...\n\n");
	for (const iso_verb *v = iso_verbs; v->name; v++) {
		char left[64];

		snprintf(left, sizeof(left), "%s %s", v->name, v->operands);
		iso_str_addf(&text, "  %-24s %s\n", left, v->summary);
	}
	iso_str_add(&text,
		    "\nisoeps help VERB explains a verb, with an example.  --quiet and "
		    "--verbose go before or after the verb.\n"
		    "Start with:  isoeps compare mine.csv, or isoeps run demo && isoeps report "
		    "out/demo\n\n"
		    "Exit status: 0 done; 1 a check failed; 2 usage or configuration; 3 bad "
		    "data; 4 internal or environment.\n");
	return iso_cli_print(&text, 0);
}

static int version(void)
{
	iso_str text = {0};

	iso_str_add(&text, "isoeps " ISO_VERSION "\n");
	return iso_cli_print(&text, 0);
}

static int unknown(const char *word)
{
	const char *names[64] = {"help", "version"}, *near;
	const int option = *word == '-';
	iso_error err = {0};
	size_t n = 2;

	for (const iso_verb *v = iso_verbs; v->name && n < ISO_COUNT(names); v++)
		names[n++] = v->name;
	for (const iso_arg *a = iso_common_args; option && a->flag && n < ISO_COUNT(names); a++)
		names[n++] = a->flag;
	near = iso_nearest_word(word, names, n);
	(void)iso_fail(&err, ISO_E_USAGE, "unknown %s (%s): isoeps has no such %s; %s%s%s",
		       option ? "option" : "verb", word, option ? "option before the verb" : "verb",
		       near ? "did you mean " : "see isoeps --help", near ? near : "",
		       near ? "?" : "");
	return iso_cli_fail(&err);
}

static const iso_verb *find(const char *name)
{
	for (const iso_verb *v = iso_verbs; v->name; v++)
		if (strcmp(v->name, name) == 0)
			return v;
	return NULL;
}

static int help(int argc, char **argv)
{
	char *words[] = {argc ? argv[0] : NULL, "--help", NULL};
	const iso_verb *v = argc ? find(argv[0]) : NULL;

	if (argc == 0 || strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "help") == 0)
		return usage();
	return v ? v->run(2, words) : unknown(argv[0]);
}

int main(int argc, char **argv)
{
	const iso_verb *v;
	iso_error err = {0};
	int at = 1;

	iso_blas_fix_core(argv);
	/* Buffers that come and go keep their pages: mapped anew each time, they cost a fifth of a
	 * calibration. */
	mallopt(M_MMAP_THRESHOLD, 16 << 20);
	mallopt(M_TRIM_THRESHOLD, 16 << 20);
	signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of the write, with a message */
	for (; at < argc && argv[at][0] == '-'; at++) {
		if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0)
			return usage();
		if (strcmp(argv[at], "--version") == 0)
			return version();
		if (!iso_args_common(argv[at]))
			return unknown(argv[at]);
	}
	if (at == argc) {
		(void)iso_fail(&err, ISO_E_USAGE,
			       "no verb (isoeps): say what to do; see isoeps --help");
		return iso_cli_fail(&err);
	}
	if (strcmp(argv[at], "help") == 0)
		return help(argc - at - 1, argv + at + 1);
	if (strcmp(argv[at], "version") == 0)
		return version();
	v = find(argv[at]);
	return v ? v->run(argc - at, argv + at) : unknown(argv[at]);
}
