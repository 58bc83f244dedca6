// SPDX-License-Identifier: Apache-2.0
#include "suites/runner.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/io/file.h"
#include "results/record.h"

#define POLL_NANOSECONDS 50000000L

/* ------------------------------------------------------------------ selection */

static const char *const only_keys[] = {"dataset", "generator", "epsilon", "seed"};

/* Does the cell's value of the filter's key equal the filter's value? */
static int value_matches(const iso_agenda *a, const iso_cell *c, size_t key, const char *value)
{
	char *end;
	double x = strtod(value, &end);
	const int number = end != value && *end == 0;

	switch (key) {
	case 0:
		return strcmp(a->suite->dataset[c->dataset].label, value) == 0;
	case 1:
		return strcmp(a->suite->generator[c->generator].label, value) == 0;
	case 2:
		return number && x == c->epsilon;
	default:
		return number && x == (double)c->seed;
	}
}

static iso_status only_key(const char *filter, size_t *key, const char **value, iso_error *err)
{
	const char *equal = strchr(filter, '=');
	char name[32];

	ISO_FAIL_IF(!equal || equal == filter || !equal[1] || equal - filter >= (long)sizeof(name),
		    err, ISO_E_USAGE,
		    "bad filter (--only %s): KEY=VALUE is expected, with a key of dataset, "
		    "generator, epsilon, seed; for example "
		    "--only generator=dp-cgan",
		    filter);
	snprintf(name, sizeof(name), "%.*s", (int)(equal - filter), filter);
	*value = equal + 1;
	for (*key = 0; *key < ISO_COUNT(only_keys); ++*key)
		if (strcmp(only_keys[*key], name) == 0)
			return ISO_OK;
	const char *near = iso_nearest_word(name, only_keys, ISO_COUNT(only_keys));

	return iso_fail(err, ISO_E_USAGE, "bad filter (--only %s): cells have no \"%s\"; %s%s%s",
			filter, name,
			near ? "did you mean " : "use dataset, generator, epsilon or seed",
			near ? near : "", near ? "?" : "");
}

static int passes(const iso_agenda *a, const iso_cell *c, const iso_run_options *o)
{
	int wanted[ISO_COUNT(only_keys)] = {0}, met[ISO_COUNT(only_keys)] = {0};
	iso_error ignored = {0};

	for (size_t i = 0; i < o->nonly; i++) {
		const char *value;
		size_t key;

		if (only_key(o->only[i], &key, &value, &ignored) != ISO_OK)
			return 0;
		wanted[key] = 1;
		met[key] |= value_matches(a, c, key, value);
	}
	for (size_t k = 0; k < ISO_COUNT(only_keys); k++)
		if (wanted[k] && !met[k])
			return 0;
	return c->rank % o->shards == o->shard - 1;
}

/* Every filter must fit some cell of the suite: a typing error must not look like "nothing to do".
 */
static iso_status check_filters(const iso_agenda *a, const iso_run_options *o, iso_error *err)
{
	for (size_t i = 0; i < o->nonly; i++) {
		const char *value;
		size_t key, fits = 0;

		ISO_TRY(only_key(o->only[i], &key, &value, err));
		for (size_t c = 0; c < a->ncell; c++)
			fits += (size_t)value_matches(a, &a->cell[c], key, value);
		ISO_FAIL_IF(fits == 0, err, ISO_E_USAGE,
			    "no such cell (--only %s): no cell of the suite has that %s; --dry-run "
			    "lists them",
			    o->only[i], only_keys[key]);
	}
	return ISO_OK;
}

static iso_status is_finished(const char *dir, const iso_cell *c, int *finished, iso_error *err)
{
	const cJSON *status;
	cJSON *record;

	ISO_TRY(iso_record_read(dir, c->key, &record, err));
	status = cJSON_GetObjectItemCaseSensitive(record, "status");
	*finished = cJSON_IsString(status) && strcmp(status->valuestring, "ok") == 0;
	cJSON_Delete(record);
	return ISO_OK;
}

iso_status iso_run_select(const iso_agenda *a, const iso_run_options *o, uint8_t **todo,
			  iso_run_summary *sum, iso_error *err)
{
	iso_status st = check_filters(a, o, err);

	memset(sum, 0, sizeof(*sum));
	*todo = NULL;
	ISO_TRY(st);
	sum->cells = a->ncell;
	*todo = iso_alloc(a->ncell + 1, 1);
	if (!*todo)
		return iso_no_memory(err, "the plan");
	for (size_t i = 0; i < a->ncell && st == ISO_OK; i++) {
		int finished = 0;

		if (!passes(a, &a->cell[i], o))
			continue;
		sum->selected++;
		if (!o->force)
			st = is_finished(o->dir, &a->cell[i], &finished, err);
		sum->finished += (size_t)finished;
		(*todo)[i] = !finished;
	}
	if (st != ISO_OK) {
		iso_free(*todo);
		*todo = NULL;
	}
	return st;
}

/* ------------------------------------------------------------------ the run */

typedef struct runner {
	const iso_agenda *a;
	const iso_run_options *o;
	const uint8_t *todo;
	iso_run_summary *sum;
	iso_worker *worker; /* [jobs] */
	double *scale; /* [ncell] calibrated by an earlier seed of the same plan; 0 = not known */
	cJSON *host;
	iso_cell_rows rows; /* of the data set and seed that were used last */
	size_t rows_dataset, rows_seed;
	int rows_valid;
	size_t next, running, total;
	iso_progress progress;
	int stop; /* no new cells: interrupted, or results cannot be written */
} runner;

static iso_cell_job job_of(const runner *r, const iso_cell *c, iso_worker *w)
{
	return (iso_cell_job){.agenda = r->a,
			      .cell = c,
			      .rows = &r->rows,
			      .dir = r->o->dir,
			      .host = r->host,
			      .jobs = r->o->jobs,
			      .progress = w->progress,
			      .scale = w->scale};
}

static iso_status get_rows(runner *r, const iso_cell *c, iso_error *err)
{
	if (r->rows_valid && r->rows_dataset == c->dataset && r->rows_seed == c->seed_index)
		return ISO_OK;
	iso_cell_rows_free(&r->rows); /* running workers hold their own copy on write */
	r->rows_valid = 0;
	ISO_TRY(iso_cell_rows_new(r->a, c->dataset, c->seed_index, &r->rows, err));
	r->rows_dataset = c->dataset;
	r->rows_seed = c->seed_index;
	r->rows_valid = 1;
	return ISO_OK;
}

/* A plan depends on the seed only through the number of rows (and the class counts, when these are
 * public): the other seeds need not calibrate again.  What a training then spends is accounted from
 * its ledger all the same. */
static void note_scale(runner *r, const iso_cell *c, double scale)
{
	const iso_agenda *a = r->a;

	if (a->suite->public_class_counts || !(scale > 0))
		return;
	for (size_t i = r->next; i < a->ncell; i++) {
		const iso_cell *o = &a->cell[i];

		if (o->dataset == c->dataset && o->generator == c->generator &&
		    o->epsilon == c->epsilon && o->delta == c->delta &&
		    iso_agenda_division(a, o->dataset, o->seed_index)->split.ntrain ==
			    iso_agenda_division(a, c->dataset, c->seed_index)->split.ntrain)
			r->scale[i] = scale;
	}
}

static iso_status start_next(runner *r, iso_worker *w, iso_error *err)
{
	const iso_cell *c;
	iso_cell_job job;

	while (r->next < r->a->ncell && !r->todo[r->next])
		r->next++;
	if (r->next == r->a->ncell)
		return ISO_OK;
	*w->scale = r->scale[r->next];
	c = &r->a->cell[r->next++];
	ISO_TRY(get_rows(r, c, err));
	job = job_of(r, c, w);
	ISO_TRY(iso_worker_start(w, &job, err));
	r->running++;
	return ISO_OK;
}

void iso_run_summary_free(iso_run_summary *sum)
{
	iso_free(sum->failure);
	sum->failure = NULL;
	sum->nfailure = sum->failure_cap = 0;
}

static iso_status note_end(runner *r, const iso_worker *w, const iso_finished *done, iso_error *err)
{
	iso_run_summary *sum = r->sum;
	const iso_suite *s = r->a->suite;
	const iso_cell *c = w->cell;

	r->running--;
	if (done->outcome == ISO_CELL_OK) {
		note_scale(r, c, *w->scale);
		sum->done++;
		return ISO_OK;
	}
	sum->failed++;
	ISO_TRY(iso_grow(&sum->failure, &sum->failure_cap, sum->nfailure + 1, sizeof(*sum->failure),
			 err));
	sum->failure[sum->nfailure] = (iso_failure){.cell = c, .code = done->code};
	snprintf(sum->failure[sum->nfailure].text, sizeof(sum->failure->text), "%s", done->text);
	sum->nfailure++;
	iso_warn("cell %.8s (%s, %s, epsilon %g, seed %llu): %s", c->key,
		 s->dataset[c->dataset].label, s->generator[c->generator].label, c->epsilon,
		 (unsigned long long)c->seed, done->text);
	if (done->outcome == ISO_CELL_LOST && !r->stop) {
		iso_warn("results cannot be written to %s: no further cells are started; mend that "
			 "and run the same command again",
			 r->o->dir);
		r->stop = 1;
	}
	return ISO_OK;
}

static iso_status poll_workers(runner *r, iso_error *err)
{
	double running = 0;

	for (int i = 0; i < r->o->jobs; i++) {
		iso_worker *w = &r->worker[i];
		iso_cell_job job;
		iso_finished done;

		if (w->pid) {
			job = job_of(r, w->cell, w);
			if (iso_worker_poll(w, &job, &done))
				ISO_TRY(note_end(r, w, &done, err));
		}
		if (!w->pid && !r->stop)
			ISO_TRY(start_next(r, w, err));
		running += iso_worker_share(w);
	}
	/* A running cell counts up to nine tenths: training is not all of it. */
	iso_progress_update(&r->progress, (double)(r->sum->done + r->sum->failed) + 0.9 * running);
	return ISO_OK;
}

/* Sleeps until something happens; 1 if the user wants to stop. */
static int wait_for_signal(const sigset_t *set)
{
	const struct timespec pause = {.tv_nsec = POLL_NANOSECONDS};
	const int s = sigtimedwait(set, NULL, &pause);

	return s == SIGINT || s == SIGTERM;
}

static iso_status run_all(runner *r, iso_error *err)
{
	sigset_t set, old;
	iso_status st = ISO_OK;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &old);
	iso_progress_start(&r->progress, "cells", (double)r->total);
	do {
		st = poll_workers(r, err);
		if (st == ISO_OK && r->running && wait_for_signal(&set)) {
			r->sum->interrupted = 1;
			break;
		}
	} while (st == ISO_OK && r->running);
	for (int i = 0; i < r->o->jobs; i++)
		iso_worker_kill(&r->worker[i]);
	iso_progress_finish(&r->progress);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return st;
}

static iso_status write_json(const char *dir, const char *name, const cJSON *v, iso_error *err)
{
	iso_str path = {0}, text = {0};
	iso_status st;

	iso_str_addf(&path, "%s/%s", dir, name);
	ISO_TRY_OUT(iso_str_check(&path, err));
	ISO_TRY_OUT(iso_json_pretty(v, &text, err));
	ISO_TRY_OUT(iso_file_write_atomic(path.p, text.p, text.n, err));
out:
	iso_str_free(&path);
	iso_str_free(&text);
	return st;
}

static iso_status prepare(const iso_agenda *a, const char *dir, iso_error *err)
{
	iso_str path = {0};
	cJSON *suite;
	iso_status st;

	iso_str_addf(&path, "%s/cells", dir);
	st = iso_str_check(&path, err);
	if (st == ISO_OK)
		st = iso_make_dirs(path.p, err);
	iso_str_free(&path);
	ISO_TRY(st);
	ISO_TRY(iso_agenda_to_json(a, &suite, err));
	st = write_json(dir, "suite.json", suite, err);
	cJSON_Delete(suite);
	return st;
}

static iso_status write_results(const char *dir, iso_error *err)
{
	iso_records records;
	iso_str text = {0}, path = {0};
	iso_status st;

	ISO_TRY(iso_records_load(dir, &records, err));
	if (records.foreign)
		iso_note("%zu record%s of other cells (an earlier version of the suite) left out",
			 records.foreign, records.foreign == 1 ? "" : "s");
	iso_str_addf(&path, "%s/results.csv", dir);
	ISO_TRY_OUT(iso_str_check(&path, err));
	ISO_TRY_OUT(iso_results_csv(&records, &text, err));
	ISO_TRY_OUT(iso_file_write_atomic(path.p, text.p, text.n, err));
out:
	iso_records_free(&records);
	iso_str_free(&text);
	iso_str_free(&path);
	return st;
}

static iso_status with_workers(runner *r, iso_error *err)
{
	iso_status st = ISO_OK;
	int n = 0;

	r->worker = iso_alloc((size_t)r->o->jobs, sizeof(*r->worker));
	r->scale = iso_alloc(r->a->ncell + 1, sizeof(*r->scale));
	if (!r->worker || !r->scale) {
		iso_free(r->worker);
		iso_free(r->scale);
		return iso_no_memory(err, "workers");
	}
	while (n < r->o->jobs && st == ISO_OK) {
		st = iso_worker_init(&r->worker[n], err);
		n += st == ISO_OK;
	}
	if (st == ISO_OK)
		st = iso_host_facts(&r->host, err);
	if (st == ISO_OK)
		st = run_all(r, err);
	for (int i = 0; i < n; i++)
		iso_worker_close(&r->worker[i]);
	iso_free(r->worker);
	iso_free(r->scale);
	cJSON_Delete(r->host);
	iso_cell_rows_free(&r->rows);
	return st;
}

iso_status iso_run(const iso_agenda *a, const iso_run_options *o, iso_run_summary *sum,
		   iso_error *err)
{
	runner r = {.a = a, .o = o, .sum = sum};
	const double start = iso_clock_wall();
	uint8_t *todo = NULL;
	iso_status st;

	ISO_TRY(iso_run_select(a, o, &todo, sum, err));
	r.todo = todo;
	r.total = sum->selected - sum->finished;
	st = prepare(a, o->dir, err);
	if (st == ISO_OK && r.total)
		st = with_workers(&r, err);
	if (st == ISO_OK)
		st = write_results(o->dir, err);
	sum->seconds = iso_clock_wall() - start;
	iso_free(todo);
	return st;
}
