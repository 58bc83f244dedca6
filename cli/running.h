// SPDX-License-Identifier: Apache-2.0
/* What `run` and `compare` share: the plan of a suite, its run, and what is said at the end. */
#ifndef ISO_CLI_RUNNING_H
#define ISO_CLI_RUNNING_H

#include "cli/summary.h"
#include "core/io/jsonw.h"
#include "suites/runner.h"

/* Set `options` (its dir is the output directory), zero the rest. */
typedef struct iso_running {
	iso_run_options options;
	iso_run_summary sum;
	iso_summary results;
} iso_running;

/* --dry-run: prints the plan and the estimate of the time; the exit status. */
int iso_running_plan(const iso_agenda *a, const iso_running *r, int json);
/* Trains and judges; failed cells are in `sum`. */
iso_status iso_running_start(const iso_agenda *a, iso_running *r, iso_error *err) ISO_MUST_CHECK;
/* The exit status of design section 9 for what happened. */
int iso_running_status(const iso_running *r);
/* Counts, failures and results as an object of w; owned by the caller. */
cJSON *iso_running_json(const iso_agenda *a, const iso_running *r, iso_jsonw *w);
/* The table of results; nothing when no cell is finished. */
iso_status iso_running_table(const iso_running *r, iso_str *out, iso_error *err) ISO_MUST_CHECK;
/* Counts and failures as text. */
void iso_running_counts(const iso_agenda *a, const iso_running *r, iso_str *out);
/* Says on standard error how to go on after an interruption. */
void iso_running_warn(const iso_running *r);
void iso_running_free(iso_running *r);

#endif
