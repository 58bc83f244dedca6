// SPDX-License-Identifier: Apache-2.0
#include "suites/trial.h"

#include <errno.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/io/file.h"
#include "results/record.h"
#include "suites/output_dir.h"

#define STEPS_SECONDS 1.0   /* of training seen in progress */
#define STEP_PATIENCE 20.0  /* until its first step */
#define VERIFY_SECONDS 10.0 /* of one verification */
#define JUDGE_SECONDS 40.0  /* of one whole cell */

static void nap(void)
{
	const struct timespec pause = {.tv_nsec = 5000000L};

	nanosleep(&pause, NULL);
}

/* ------------------------------------------------------------------ a training */

void iso_trial_watch(iso_worker *w, iso_trial_training *out)
{
	const double start = iso_clock_wall();
	double first = 0, first_share = 0, now = start, share = 0;
	iso_finished done;

	while (now - start < STEP_PATIENCE &&
	       !(share > first_share && now - first > STEPS_SECONDS)) {
		nap();
		now = iso_clock_wall();
		if (iso_worker_poll(w, &done)) {
			if (done.outcome == ISO_TASK_DONE && done.code == ISO_OK) {
				out->before = first > 0 ? first - start : now - start;
				out->steps = first > 0 ? now - first : 0;
			}
			return;
		}
		share = iso_worker_share(w);
		if (share > 0 && first == 0) {
			first = now;
			first_share = share;
		}
	}
	out->open = !(share > first_share);
	out->before = first > 0 ? first - start : now - start;
	if (!out->open)
		out->steps = (now - first) * (1 - first_share) / (share - first_share);
}

iso_status iso_trial_train(const iso_agenda *a, const iso_cell *c, iso_trial_training *out,
			   iso_error *err)
{
	const iso_limits limits = {a->suite->limit_seconds, a->suite->limit_bytes};
	iso_cell_rows rows = {0};
	iso_cell_job job = {
		.agenda = a, .cell = c, .rows = &rows, .dir = "", .jobs = 1, .train_only = 1};
	iso_worker w;
	iso_status st;

	*out = (iso_trial_training){0};
	ISO_TRY(iso_worker_init(&w, err));
	st = iso_cell_rows_new(a, c->dataset, c->seed_index, &rows, err);
	if (st == ISO_OK)
		st = iso_worker_start(&w, iso_cell_task, &job, &limits, 0, err);
	if (st == ISO_OK) {
		iso_trial_watch(&w, out);
		iso_workers_stop(&w, 1);
	}
	iso_cell_rows_free(&rows);
	iso_worker_close(&w);
	return st;
}

/* ------------------------------------------------------------------ tasks that end or do not */

/* Seconds until the task ended, or the limit and *open. */
static iso_status time_task(iso_task_fn fn, void *job, double limit, const iso_suite *s,
			    double *seconds, int *open, iso_error *err)
{
	const iso_limits limits = {s->limit_seconds, s->limit_bytes};
	const double start = iso_clock_wall();
	iso_finished done;
	iso_worker w;
	iso_status st;

	*open = 1;
	ISO_TRY(iso_worker_init(&w, err));
	st = iso_worker_start(&w, fn, job, &limits, 0, err);
	while (st == ISO_OK && *open && iso_clock_wall() - start < limit) {
		nap();
		*open = !iso_worker_poll(&w, &done);
	}
	*seconds = iso_clock_wall() - start;
	if (st == ISO_OK)
		iso_workers_stop(&w, 1);
	iso_worker_close(&w);
	return st;
}

iso_status iso_trial_verify(const iso_agenda *a, const iso_verdict_entry *e, const char *dir,
			    iso_trial_verdict *out, iso_error *err)
{
	iso_verdict_job job = {.agenda = a, .entry = e, .dir = dir};

	*out = (iso_trial_verdict){0};
	return time_task(iso_verdict_task, &job, VERIFY_SECONDS, a->suite, &out->seconds,
			 &out->open, err);
}

static double sum_of(const cJSON *run, const char *key)
{
	const cJSON *v;
	double sum = 0;

	cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(run, key)) sum +=
		cJSON_IsNumber(v) && isfinite(v->valuedouble) ? v->valuedouble : 0;
	return sum;
}

static iso_status read_cell(const char *dir, const char *key, double seconds, iso_trial_cell *out,
			    iso_error *err)
{
	cJSON *record = NULL;
	const cJSON *run;
	char path[4096], **names = NULL;
	iso_error unread = {0};

	ISO_TRY(iso_record_read_parts(dir, key, ISO_RECORD_LIGHT, &record, err));
	run = cJSON_GetObjectItemCaseSensitive(record, "run");
	out->judging = sum_of(run, "attack_seconds") + sum_of(run, "metric_seconds");
	out->rest = fmax(seconds - out->judging, 0); /* training comes off in the estimate */
	cJSON_Delete(record);
	snprintf(path, sizeof(path), "%s/shadows", dir);
	if (iso_list_dir(path, "", &names, &out->shadows, &unread) != ISO_OK)
		out->shadows = 0;
	for (size_t i = 0; i < out->shadows; i++)
		iso_free(names[i]);
	iso_free(names);
	return ISO_OK;
}

iso_status iso_trial_judge(const iso_agenda *a, const iso_cell *c, const char *dir,
			   iso_trial_cell *out, iso_error *err)
{
	iso_cell_rows rows = {0};
	iso_cell_job job = {.agenda = a, .cell = c, .rows = &rows, .dir = dir, .jobs = 1};
	double seconds = 0;
	iso_status st;

	*out = (iso_trial_cell){0};
	ISO_TRY(iso_cell_rows_new(a, c->dataset, c->seed_index, &rows, err));
	st = time_task(iso_cell_task, &job, JUDGE_SECONDS, a->suite, &seconds, &out->open, err);
	if (st == ISO_OK && out->open)
		out->judging = seconds;
	else if (st == ISO_OK)
		st = read_cell(dir, c->key, seconds, out, err);
	iso_cell_rows_free(&rows);
	return st;
}

/* ------------------------------------------------------------------ the directory */

iso_status iso_trial_dir(char *path, size_t size, iso_error *err)
{
	const char *base = getenv("TMPDIR");
	iso_dir_lock lock;

	snprintf(path, size, "%s/isoeps-trial-XXXXXX", base && *base ? base : "/tmp");
	ISO_FAIL_IF(!mkdtemp(path), err, ISO_E_IO,
		    "no temporary directory (%s): %s; set TMPDIR to a directory that can be "
		    "written",
		    path, strerror(errno));
	ISO_TRY(iso_output_open(path, 1, 1, &lock, err));
	iso_output_close(&lock);
	return ISO_OK;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

void iso_trial_dir_remove(const char *path)
{
	(void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
