// SPDX-License-Identifier: Apache-2.0
/* isoeps VERB ...: dispatch, and the help that needs no verb. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "core/base/log.h"
#include "core/math/blas.h"

typedef struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *operands, *summary;
} verb;

static const verb verbs[] = {
	{"compare", cmd_compare, "FILE.csv",
	 "compare methods on your own table: from the CSV to the page"},
	{"run", cmd_run, "SUITE", "train, attack and judge all cells of a suite"},
	{"slurm", cmd_slurm, "SUITE", "the same as a job array of a Slurm cluster"},
	{"report", cmd_report, "DIR", "tables and figures of a finished run"},
	{"status", cmd_status, "DIR", "how far a run is"},
	{"check", cmd_check, "DIR", "compute again what the records of a run state"},
	{"gate", cmd_gate, "DIR",
	 "compare the results of a run with a baseline: red when privacy or utility is worse"},
	{"explain", cmd_explain, "DIR CELL", "one cell traced to its seeds, data and ledger"},
	{"list", cmd_list, "KIND", "generators, attacks, metrics, datasets or suites"},
	{"describe", cmd_describe, "NAME",
	 "one method, metric, data set or suite: what it does, options, guarantee"},
	{"generate", cmd_generate, "NAME",
	 "synthetic rows from your own CSV, at the epsilon that you ask for"},
	{"evaluate", cmd_evaluate, "", "judge a synthetic CSV without its generator"},
	{"account", cmd_account, "[FILE]", "the accountant as a calculator"},
	{"verify", cmd_verify, "NAME|DIR",
	 "record/replay check of a generator; recompute a run's ledgers"},
	{"audit", cmd_audit, "NAME",
	 "a lower bound on epsilon from many trainings: does the claim hold?"},
	{"data", cmd_data, "list|get|check", "data sets and where their files are"},
	{"split", cmd_split, "CSV", "train, hold-out and auxiliary files as run makes them"},
	{"schema", cmd_schema, "infer|check", "draft or check the public schema of a CSV"},
};

static int usage(void)
{
	iso_str text = {0};

	iso_str_add(&text, "isoeps " ISO_VERSION
			   ": generators of synthetic data compared at equal epsilon.\n\n"
			   "usage: isoeps VERB [OPERAND]... [OPTION]...\n\n");
	for (size_t i = 0; i < ISO_COUNT(verbs); i++) {
		char left[64];

		snprintf(left, sizeof(left), "%s %s", verbs[i].name, verbs[i].operands);
		iso_str_addf(&text, "  %-24s %s\n", left, verbs[i].summary);
	}
	iso_str_add(&text, "\nisoeps VERB --help explains a verb, with an example.  --quiet and "
			   "--verbose go before the verb.\n"
			   "Start with:  isoeps run demo && isoeps report out/demo\n\n"
			   "Exit status: 0 done; 1 a check failed; 2 usage or configuration; 3 bad "
			   "data; 4 internal or environment.\n");
	return iso_cli_print(&text, 0);
}

static int unknown(const char *word)
{
	const char *names[ISO_COUNT(verbs) + 1], *near;
	iso_error err = {0};

	for (size_t i = 0; i < ISO_COUNT(verbs); i++)
		names[i] = verbs[i].name;
	names[ISO_COUNT(verbs)] = "help";
	near = iso_nearest_word(word, names, ISO_COUNT(names));
	(void)iso_fail(&err, ISO_E_USAGE, "unknown %s (%s): isoeps has no such %s; %s%s%s",
		       *word == '-' ? "option" : "verb", word,
		       *word == '-' ? "option before the verb" : "verb",
		       near ? "did you mean " : "see isoeps --help", near ? near : "",
		       near ? "?" : "");
	return iso_cli_fail(&err);
}

int main(int argc, char **argv)
{
	int at = 1;

	iso_blas_fix_core(argv);
	/* Buffers that come and go keep their pages: mapped anew each time, they cost a fifth of a
	 * calibration. */
	mallopt(M_MMAP_THRESHOLD, 16 << 20);
	mallopt(M_TRIM_THRESHOLD, 16 << 20);
	signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of the write, with a message */
	for (; at < argc && argv[at][0] == '-'; at++) {
		if (strcmp(argv[at], "--quiet") == 0 || strcmp(argv[at], "-q") == 0)
			iso_log_set_level(ISO_LOG_QUIET);
		else if (strcmp(argv[at], "--verbose") == 0 || strcmp(argv[at], "-v") == 0)
			iso_log_set_level(ISO_LOG_VERBOSE);
		else if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0)
			return usage();
		else if (strcmp(argv[at], "--version") == 0) {
			iso_str text = {0};

			iso_str_add(&text, "isoeps " ISO_VERSION "\n");
			return iso_cli_print(&text, 0);
		} else
			return unknown(argv[at]);
	}
	if (at == argc) {
		iso_error err = {0};

		(void)iso_fail(&err, ISO_E_USAGE,
			       "no verb (isoeps): say what to do; see isoeps --help");
		return iso_cli_fail(&err);
	}
	if (strcmp(argv[at], "help") == 0) {
		char *help[] = {argv[at], "--help", NULL};

		if (at + 1 == argc)
			return usage();
		for (size_t i = 0; i < ISO_COUNT(verbs); i++)
			if (strcmp(verbs[i].name, argv[at + 1]) == 0)
				return verbs[i].run(2, help);
		return unknown(argv[at + 1]);
	}
	for (size_t i = 0; i < ISO_COUNT(verbs); i++)
		if (strcmp(verbs[i].name, argv[at]) == 0)
			return verbs[i].run(argc - at, argv + at);
	return unknown(argv[at]);
}
