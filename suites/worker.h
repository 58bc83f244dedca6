// SPDX-License-Identifier: Apache-2.0
/* A worker: one process for one task.  It shares the parent's loaded data read-only (copy on
 * write), runs under time and memory limits, and leads a process group of its own; whatever becomes
 * of it and of what it starts, only its task is concerned. */
#ifndef ISO_SUITES_WORKER_H
#define ISO_SUITES_WORKER_H

#include <sys/types.h>

#include "core/base/log.h"
#include "suites/cell.h"

/* Memory that the worker shares with its parent. */
typedef struct iso_worker_page {
	iso_progress progress;
	double scale;		/* see iso_cell_job */
	iso_cell_counts counts; /* likewise */
	int judging;		/* likewise */
	int finished;		/* the task's function returned: status and text are its own */
	int lost;		/* set by the task: not even its failure could be recorded */
	iso_status status;
	char text[768];
} iso_worker_page;

/* What a worker does, in its own process. */
typedef iso_status (*iso_task_fn)(void *ctx, iso_worker_page *page, iso_error *err);

typedef struct iso_limits {
	double seconds;
	size_t bytes; /* over what the parent had */
} iso_limits;

typedef enum iso_outcome {
	ISO_TASK_DONE,	  /* the function returned; `code` is its status */
	ISO_TASK_TIMEOUT, /* stopped at its time limit */
	ISO_TASK_CRASH	  /* ended otherwise: a signal, exit() in a plug-in */
} iso_outcome;

typedef struct iso_worker {
	pid_t pid; /* 0 = idle */
	double started;
	iso_limits limits;
	double stop_at; /* when it is killed after it was asked to stop; 0 = not asked */
	int timed_out;
	int output;	       /* the beginning of what it wrote to standard output and error */
	iso_worker_page *page; /* shared */
} iso_worker;

typedef struct iso_finished {
	iso_outcome outcome;
	iso_status code; /* of what went wrong */
	char text[768];
} iso_finished;

/* The shared page; once per slot. */
iso_status iso_worker_init(iso_worker *w, iso_error *err) ISO_MUST_CHECK;
void iso_worker_close(iso_worker *w);
/* The page is cleared, but for `scale`, which is set. */
iso_status iso_worker_start(iso_worker *w, iso_task_fn fn, void *ctx, const iso_limits *limits,
			    double scale, iso_error *err) ISO_MUST_CHECK;
/* 1 and *done filled if the worker has ended (its limits are enforced here), 0 while it runs. */
int iso_worker_poll(iso_worker *w, iso_finished *done);
/* Ends the workers and waits: first asks (iso_worker_cancelled), then kills. */
void iso_workers_stop(iso_worker *w, size_t n);
/* Share of the training that is done, 0 to 1. */
double iso_worker_share(const iso_worker *w);

/* In a worker: non-zero once it was asked to stop. */
int iso_worker_cancelled(void *ctx);

/* A cell (ctx: iso_cell_job; progress, scale, counts and cancelled are filled in here): executes it
 * and writes its record, also that of a failure. */
iso_status iso_cell_task(void *ctx, iso_worker_page *page, iso_error *err) ISO_MUST_CHECK;
/* The record of a cell that did not end by itself. */
iso_status iso_cell_write_failure(const iso_cell_job *job, const char *status, const char *text,
				  iso_error *err) ISO_MUST_CHECK;
const char *iso_failure_name(iso_status code);

/* While workers run, processes that they leave behind become children of this one, to be ended by
 * iso_orphans_kill; it ends every child but the n workers and those there were at the start. */
void iso_orphans_adopt(int adopt);
void iso_orphans_kill(const iso_worker *w, size_t n);

#endif
