// SPDX-License-Identifier: Apache-2.0
/* Short trials behind an estimate of time: each does in a worker what the run will do, and is
 * stopped at its limit.  Nothing of it is kept. */
#ifndef ISO_SUITES_TRIAL_H
#define ISO_SUITES_TRIAL_H

#include "suites/verdict.h"

typedef struct iso_trial_training {
	double before; /* seconds until the first step: load, plan, calibration */
	double steps;  /* seconds of training behind it, extrapolated where it did not end */
	int open;      /* no step was seen within the limit: `before` is a lower bound */
} iso_trial_training;
/* Watches a worker whose task reports its training's progress, until it ends or enough is known. */
void iso_trial_watch(iso_worker *w, iso_trial_training *out);
/* ISO_OK also when the training fails (then both are 0): the run will tell why. */
iso_status iso_trial_train(const iso_agenda *a, const iso_cell *c, iso_trial_training *out,
			   iso_error *err) ISO_MUST_CHECK;

typedef struct iso_trial_verdict {
	double seconds;
	int open; /* did not end: `seconds` is a lower bound */
} iso_trial_verdict;
/* dir: a temporary directory of iso_trial_dir. */
iso_status iso_trial_verify(const iso_agenda *a, const iso_verdict_entry *e, const char *dir,
			    iso_trial_verdict *out, iso_error *err) ISO_MUST_CHECK;

typedef struct iso_trial_cell {
	double judging; /* seconds of all attacks and metrics */
	double rest;	/* of the cell beside training and judging */
	size_t shadows; /* shadow models that its attacks trained */
	int open;	/* did not end: `judging` is a lower bound */
} iso_trial_cell;
/* A whole cell. */
iso_status iso_trial_judge(const iso_agenda *a, const iso_cell *c, const char *dir,
			   iso_trial_cell *out, iso_error *err) ISO_MUST_CHECK;

/* A directory for trials below $TMPDIR or /tmp, and its end with all that lies in it. */
iso_status iso_trial_dir(char *path, size_t size, iso_error *err) ISO_MUST_CHECK;
void iso_trial_dir_remove(const char *path);

#endif
