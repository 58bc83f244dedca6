// SPDX-License-Identifier: Apache-2.0
/* One word registers a verb. */
#include "cli/verbs.h"

#include "cli/cmd.h"

const iso_verb iso_verbs[] = {
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
	{"new", cmd_new, "KIND NAME", "a plug-in to begin with: template, Makefile"},
	{"manual", cmd_manual, "[VERB]", "the man pages"},
	{"completion", cmd_completion, "bash|zsh|fish", "completions of a shell"},
	{0},
};
