// SPDX-License-Identifier: Apache-2.0
/* A worker: one process for one cell.  It shares the parent's loaded data read-only (copy on
 * write), runs under time and memory limits, and writes its own record; whatever becomes of it,
 * only its cell is concerned. */
#ifndef ISO_SUITES_WORKER_H
#define ISO_SUITES_WORKER_H

#include <sys/types.h>

#include "suites/cell.h"

typedef enum iso_outcome {
	ISO_CELL_OK,
	ISO_CELL_FAILED, /* a record says how */
	ISO_CELL_LOST	 /* not even a record could be written */
} iso_outcome;

typedef struct iso_worker {
	pid_t pid; /* 0 = idle */
	const iso_cell *cell;
	double started, limit_seconds;
	int timed_out;
	int stderr_fd;		/* what the worker wrote to standard error */
	iso_progress *progress; /* shared with the worker */
	double *scale;		/* likewise; see iso_cell_job */
} iso_worker;

typedef struct iso_finished {
	iso_outcome outcome;
	iso_status code; /* of what went wrong */
	char text[768];
} iso_finished;

/* Shared memory for the worker's progress and noise scale; once per slot. */
iso_status iso_worker_init(iso_worker *w, iso_error *err) ISO_MUST_CHECK;
void iso_worker_close(iso_worker *w);
iso_status iso_worker_start(iso_worker *w, const iso_cell_job *job, iso_error *err) ISO_MUST_CHECK;
/* 1 and *done filled if the worker has ended (its limits are enforced here), 0 while it runs. */
int iso_worker_poll(iso_worker *w, const iso_cell_job *job, iso_finished *done);
/* Ends the worker and waits; its cell stays undone. */
void iso_worker_kill(iso_worker *w);
/* Share of the training that is done, 0 to 1. */
double iso_worker_share(const iso_worker *w);

#endif
