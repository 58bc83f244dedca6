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
#include "core/privacy/release_key.h"
#include "results/record.h"
#include "suites/output_dir.h"

#define POLL_NANOSECONDS 50000000L

/* What a worker is busy with: a cell, or a verification or an audit when `entry` is set. */
typedef struct slot {
	const iso_cell *cell;
	iso_verdict_entry *entry;
	int audit; /* the entry is an audit */
	iso_cell_job job;
	iso_verdict_job verdict_job;
	char **lost; /* [nmetric + nattack] of the cell; see iso_cell_job.  NULL = none */
} slot;

typedef struct runner {
	const iso_agenda *a;
	const iso_run_options *o;
	uint8_t *todo; /* [ncell]; cleared as cells are started */
	iso_run_summary *sum;
	iso_worker *worker; /* [jobs] */
	slot *slot;	    /* [jobs] */
	iso_verdicts *verdicts;
	iso_audits *audits;
	double *scale; /* [ncell] calibrated by an earlier seed of the same plan; 0 = not known */
	cJSON *host;
	iso_cell_rows rows; /* of the data set and seed that were used last */
	size_t rows_dataset, rows_seed;
	int rows_valid;
	size_t next, running, total, ended;
	size_t to_verify, verified; /* verifications and audits of this run */
	iso_progress progress;
	int stop; /* no new tasks: interrupted, or results cannot be written */
} runner;

static iso_cell_job job_of(const runner *r, const iso_cell *c)
{
	return (iso_cell_job){.agenda = r->a,
			      .cell = c,
			      .rows = &r->rows,
			      .dir = r->o->dir,
			      .host = r->host,
			      .verdict = iso_verdicts_expected(r->verdicts, r->a, c),
			      .audit = iso_audits_expected(r->audits, r->a, c),
			      .force = r->o->force,
			      .jobs = r->o->jobs};
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

/* ------------------------------------------------------------------ starting tasks */

static iso_limits limits_of(const runner *r)
{
	return (iso_limits){.seconds = r->a->suite->limit_seconds,
			    .bytes = r->a->suite->limit_bytes};
}

static iso_status start_check(runner *r, size_t i, iso_verdict_entry *e, int audit, iso_error *err)
{
	const iso_limits limits = limits_of(r);
	slot *s = &r->slot[i];

	*s = (slot){.cell = e->cell,
		    .entry = e,
		    .audit = audit,
		    .verdict_job = {.agenda = r->a, .entry = e, .dir = r->o->dir}};
	e->state = ISO_VERDICT_RUNNING;
	r->running++;
	return iso_worker_start(&r->worker[i], audit ? iso_audit_task : iso_verdict_task,
				&s->verdict_job, &limits, 0, err);
}

static iso_status start_cell(runner *r, size_t i, size_t at, iso_error *err)
{
	const iso_limits limits = limits_of(r);
	const iso_cell *c = &r->a->cell[at];
	slot *s = &r->slot[i];

	r->todo[at] = 0;
	ISO_TRY(get_rows(r, c, err));
	*s = (slot){.cell = c, .job = job_of(r, c)};
	r->running++;
	return iso_worker_start(&r->worker[i], iso_cell_task, &s->job, &limits, r->scale[at], err);
}

/* A cell that its method cannot take needs no worker. */
static iso_status note_unsupported(runner *r, size_t at, iso_error *err)
{
	const iso_cell *c = &r->a->cell[at];
	const iso_cell_job job = job_of(r, c);

	r->todo[at] = 0;
	r->sum->unsupported++;
	r->ended++;
	return iso_cell_write_failure(&job, iso_failure_name(ISO_E_UNSUPPORTED), c->unsupported,
				      err);
}

/* Is a verification or an audit under way that the record of the cell is to hold? */
static int awaits(const runner *r, const iso_cell *c)
{
	const iso_verdict_entry *audit = iso_audits_of(r->audits, r->a, c);

	return (r->verdicts->n &&
		iso_verdicts_of(r->verdicts, r->a, c)->state == ISO_VERDICT_RUNNING) ||
	       (audit && audit->state == ISO_VERDICT_RUNNING);
}

/* The next verification, the next audit, else the next cell whose method has been tried. */
static iso_status start_next(runner *r, size_t i, iso_error *err)
{
	for (size_t k = 0; k < r->verdicts->n; k++)
		if (r->verdicts->v[k].state == ISO_VERDICT_PENDING)
			return start_check(r, i, &r->verdicts->v[k], 0, err);
	for (size_t k = 0; k < r->audits->n; k++)
		if (r->audits->v[k].state == ISO_VERDICT_PENDING)
			return start_check(r, i, &r->audits->v[k], 1, err);
	while (r->next < r->a->ncell && !r->todo[r->next])
		r->next++;
	for (size_t at = r->next; at < r->a->ncell; at++) {
		const iso_cell *c = &r->a->cell[at];

		if (!r->todo[at])
			continue;
		if (c->unsupported) {
			ISO_TRY(note_unsupported(r, at, err));
			continue;
		}
		if (awaits(r, c))
			continue;
		return start_cell(r, i, at, err);
	}
	return ISO_OK;
}

/* Entries that no selected cell waits for are left; those of earlier runs are taken. */
static iso_status prepare_entries(runner *r, iso_verdict_entry *v, size_t n, const uint8_t *wanted,
				  iso_error *err)
{
	for (size_t k = 0; k < n; k++) {
		if (v[k].state != ISO_VERDICT_PENDING)
			continue;
		if (!wanted[k])
			v[k].state = ISO_VERDICT_NONE;
		else if (!r->o->force)
			ISO_TRY(iso_verdict_take(r->o->dir, &v[k], err));
		r->to_verify += v[k].state == ISO_VERDICT_PENDING;
	}
	return ISO_OK;
}

static iso_status prepare_checks(runner *r, iso_error *err)
{
	iso_verdicts *v = r->verdicts;
	iso_audits *x = r->audits;
	uint8_t *verdict = iso_alloc(v->n + 1, 1), *audit = iso_alloc(x->n + 1, 1);
	iso_status st = verdict && audit ? ISO_OK : iso_no_memory(err, "the verdicts");

	for (size_t i = 0; i < r->a->ncell && st == ISO_OK; i++) {
		const iso_cell *c = &r->a->cell[i];
		const iso_verdict_entry *e = iso_audits_of(x, r->a, c);

		if (!r->todo[i])
			continue;
		if (v->n)
			verdict[iso_verdicts_of(v, r->a, c) - v->v] = 1;
		if (e)
			audit[e - x->v] = 1;
	}
	if (st == ISO_OK)
		st = prepare_entries(r, v->v, v->n, verdict, err);
	if (st == ISO_OK)
		st = prepare_entries(r, x->v, x->n, audit, err);
	iso_free(verdict);
	iso_free(audit);
	return st;
}

/* ------------------------------------------------------------------ ends of tasks */

void iso_run_summary_free(iso_run_summary *sum)
{
	iso_free(sum->failure);
	sum->failure = NULL;
	sum->nfailure = sum->failure_cap = 0;
}

static iso_status note_failure(runner *r, const iso_cell *c, iso_status code, const char *text,
			       int lost, iso_error *err)
{
	iso_run_summary *sum = r->sum;
	const iso_suite *s = r->a->suite;

	sum->failed++;
	ISO_TRY(iso_grow(&sum->failure, &sum->failure_cap, sum->nfailure + 1, sizeof(*sum->failure),
			 err));
	sum->failure[sum->nfailure] = (iso_failure){.cell = c, .code = code};
	snprintf(sum->failure[sum->nfailure].text, sizeof(sum->failure->text), "%s", text);
	sum->nfailure++;
	iso_warn("cell %.8s (%s, %s, epsilon %g, seed %llu): %s", c->key,
		 s->dataset[c->dataset].label, s->generator[c->generator].label, c->epsilon,
		 (unsigned long long)c->seed, text);
	if (lost && !r->stop) {
		iso_warn("results cannot be written to %s: no further cells are started; make room "
			 "or fix the directory, and run the same command again",
			 r->o->dir);
		r->stop = 1;
	}
	return ISO_OK;
}

/* ------------------------------------------------------------------ lost judgements */

static size_t judges_of(const runner *r)
{
	return r->a->nmetric + r->a->nattack;
}

static void forget_lost(const runner *r, slot *s)
{
	for (size_t i = 0; s->lost && i < judges_of(r); i++)
		iso_free(s->lost[i]);
	iso_free(s->lost);
	s->lost = NULL;
}

/* An attack or metric that took its worker down costs its own judgement: the cell is done again
 * without it (the training is on disk).  *again: it was started. */
static iso_status retry_without(runner *r, size_t i, const iso_finished *done, int *again,
				iso_error *err)
{
	const iso_limits limits = limits_of(r);
	const iso_worker_page *page = r->worker[i].page;
	slot *s = &r->slot[i];
	const size_t at = (size_t)page->judging - 1;
	char text[900];

	*again = 0;
	if (page->judging < 1 || at >= judges_of(r) || r->stop || (s->lost && s->lost[at]))
		return ISO_OK;
	if (!s->lost)
		s->lost = iso_alloc(judges_of(r), sizeof(*s->lost));
	snprintf(text, sizeof(text), "%s: %s",
		 done->outcome == ISO_TASK_TIMEOUT ? "time limit" : "crash", done->text);
	if (!s->lost || !(s->lost[at] = iso_strdup(text)))
		return iso_no_memory(err, "a lost judgement");
	iso_warn("cell %.8s: %s %s is left out of it: %s", s->cell->key,
		 at < r->a->nmetric ? "metric" : "attack",
		 at < r->a->nmetric ? r->a->metric[at].label
				    : r->a->attack[at - r->a->nmetric].label,
		 text);
	r->sum->lost++;
	s->job.lost = (const char *const *)s->lost;
	r->running++;
	*again = 1;
	return iso_worker_start(&r->worker[i], iso_cell_task, &s->job, &limits, page->scale, err);
}

/* The worker died before it could write: the parent records it. */
static iso_status note_death(runner *r, const slot *s, const iso_finished *done, iso_error *err)
{
	const int late = done->outcome == ISO_TASK_TIMEOUT;
	char text[900];
	iso_error why = {0};
	iso_status st;

	snprintf(text, sizeof(text), "%s (%s): %s", late ? "time limit" : "crash", s->cell->key,
		 done->text);
	text[sizeof(why.text) - 1] = 0;
	st = iso_cell_write_failure(&s->job, late ? "timeout" : "crash", text, &why);
	if (st != ISO_OK)
		return note_failure(r, s->cell, st, why.text, 1, err);
	return note_failure(r, s->cell, done->code, text, 0, err);
}

static iso_status note_refuted(runner *r, const slot *s, iso_error *err)
{
	cJSON *record;
	const char *verified;

	if (!s->job.verdict && !s->job.audit)
		return ISO_OK;
	ISO_TRY(iso_record_read_parts(r->o->dir, s->cell->key, ISO_RECORD_HEAD, &record, err));
	verified = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(record, "verified"));
	r->sum->refuted += verified && strcmp(verified, "refuted") == 0;
	r->sum->violated += (size_t)iso_cell_violated(record);
	cJSON_Delete(record);
	return ISO_OK;
}

static iso_status note_cell(runner *r, size_t i, const iso_finished *done, iso_error *err)
{
	const iso_worker_page *page = r->worker[i].page;
	slot *s = &r->slot[i];
	iso_run_summary *sum = r->sum;
	int again = 0;

	sum->trained += page->counts.trained;
	sum->judged += page->counts.judged;
	sum->reused += page->counts.reused;
	if (done->outcome != ISO_TASK_DONE)
		ISO_TRY(retry_without(r, i, done, &again, err));
	if (again)
		return ISO_OK;
	forget_lost(r, s);
	r->ended++;
	if (done->outcome != ISO_TASK_DONE)
		return note_death(r, s, done, err);
	if (done->code == ISO_E_UNSUPPORTED && !page->lost) {
		sum->unsupported++;
		return ISO_OK;
	}
	if (done->code != ISO_OK)
		return note_failure(r, s->cell, done->code, done->text, page->lost, err);
	note_scale(r, s->cell, page->scale);
	sum->done++;
	return note_refuted(r, s, err);
}

static iso_status note_check(runner *r, const slot *s, const iso_finished *done, iso_error *err)
{
	iso_verdict_entry *e = s->entry;

	r->sum->audited += (size_t)s->audit;
	r->verified++;
	if (done->outcome == ISO_TASK_DONE && done->code == ISO_OK)
		ISO_TRY(iso_verdict_take(r->o->dir, e, err));
	if (e->state == ISO_VERDICT_READY)
		return ISO_OK;
	iso_warn("%s on %s could not be %s: %s", r->a->suite->generator[e->cell->generator].label,
		 r->a->suite->dataset[e->cell->dataset].label, s->audit ? "audited" : "verified",
		 done->text);
	return iso_verdict_give_up(e, done->text, err);
}

/* ------------------------------------------------------------------ the run */

static iso_status poll_workers(runner *r, iso_error *err)
{
	const size_t jobs = (size_t)r->o->jobs;
	double running = 0;

	for (size_t i = 0; i < jobs; i++) {
		iso_worker *w = &r->worker[i];
		iso_finished done;

		if (w->pid && iso_worker_poll(w, &done)) {
			iso_orphans_kill(r->worker, jobs);
			r->running--;
			if (r->slot[i].entry)
				ISO_TRY(note_check(r, &r->slot[i], &done, err));
			else
				ISO_TRY(note_cell(r, i, &done, err));
		}
		if (!w->pid && !r->stop)
			ISO_TRY(start_next(r, i, err));
		if (!r->slot[i].entry)
			running += iso_worker_share(w);
	}
	/* A running cell counts up to nine tenths: training is not all of it. */
	iso_progress_update(&r->progress, (double)(r->ended + r->verified) + 0.9 * running);
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
	iso_orphans_adopt(1);
	iso_progress_start(&r->progress, r->to_verify ? "checks and cells" : "cells",
			   (double)(r->total + r->to_verify));
	do {
		st = poll_workers(r, err);
		if (st == ISO_OK && r->running && wait_for_signal(&set)) {
			r->sum->interrupted = 1;
			break;
		}
	} while (st == ISO_OK && r->running);
	iso_workers_stop(r->worker, (size_t)r->o->jobs);
	iso_orphans_kill(r->worker, (size_t)r->o->jobs);
	iso_orphans_adopt(0);
	iso_progress_finish(&r->progress);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return st;
}

/* The first cipher of a process costs milliseconds (libcrypto looks for its provider): the parent
 * pays once, and every worker has it. */
static iso_status warm_up(iso_error *err)
{
	const iso_plan nothing = {0};
	iso_release_key key;
	iso_ledger *l;

	ISO_TRY(iso_release_key_plain(0, "warm up", 0, &key, err));
	ISO_TRY(iso_ledger_new(&nothing, "warm up", ISO_ADD_REMOVE, &key, &l, err));
	iso_ledger_free(l);
	return ISO_OK;
}

static iso_status with_workers(runner *r, iso_error *err)
{
	iso_status st = ISO_OK;
	int n = 0;

	r->worker = iso_alloc((size_t)r->o->jobs, sizeof(*r->worker));
	r->slot = iso_alloc((size_t)r->o->jobs, sizeof(*r->slot));
	r->scale = iso_alloc(r->a->ncell + 1, sizeof(*r->scale));
	if (!r->worker || !r->slot || !r->scale) {
		iso_free(r->worker);
		iso_free(r->slot);
		iso_free(r->scale);
		return iso_no_memory(err, "workers");
	}
	while (n < r->o->jobs && st == ISO_OK) {
		st = iso_worker_init(&r->worker[n], err);
		n += st == ISO_OK;
	}
	if (st == ISO_OK)
		st = warm_up(err);
	if (st == ISO_OK)
		st = iso_host_facts(&r->host, err);
	if (st == ISO_OK)
		st = prepare_checks(r, err);
	if (st == ISO_OK)
		st = run_all(r, err);
	for (int i = 0; i < n; i++) {
		iso_worker_close(&r->worker[i]);
		forget_lost(r, &r->slot[i]);
	}
	iso_free(r->worker);
	iso_free(r->slot);
	iso_free(r->scale);
	cJSON_Delete(r->host);
	iso_cell_rows_free(&r->rows);
	return st;
}

/* What lies in the directory and is not of this plan, in one line. */
static void say_foreign(const iso_index *x)
{
	const size_t others = x->foreign - x->other_code;

	if (x->other_code)
		iso_note("%zu record%s made by other code left out: the method, or core, has "
			 "changed since",
			 x->other_code, x->other_code == 1 ? "" : "s");
	if (others)
		iso_note("%zu record%s of other cells (an earlier version of the suite) left out",
			 others, others == 1 ? "" : "s");
}

static iso_status run_locked(runner *r, iso_error *err)
{
	iso_index x;
	iso_status st;

	ISO_TRY(iso_output_write_suite(r->a, r->o->dir, err));
	if (r->total)
		ISO_TRY(with_workers(r, err));
	ISO_TRY(iso_index_load(r->o->dir, &x, err));
	say_foreign(&x);
	st = iso_results_renew_each(&x, r->o->each, r->o->each_ctx, err);
	iso_index_free(&x);
	return st;
}

iso_status iso_run(const iso_agenda *a, const iso_run_options *o, iso_run_summary *sum,
		   iso_error *err)
{
	iso_verdicts verdicts = {0};
	iso_audits audits = {0};
	runner r = {.a = a, .o = o, .sum = sum, .verdicts = &verdicts, .audits = &audits};
	const double start = iso_clock_wall();
	iso_dir_lock lock;
	iso_status st;

	memset(sum, 0, sizeof(*sum));
	ISO_TRY(iso_output_open(o->dir, o->shard, o->shards, &lock, err));
	st = iso_verdicts_new(a, &verdicts, err);
	if (st == ISO_OK)
		st = iso_audits_new(a, &audits, err);
	if (st == ISO_OK)
		st = iso_run_select(a, o, &verdicts, &audits, &r.todo, sum, err);
	r.total = sum->selected - sum->finished;
	if (st == ISO_OK)
		st = run_locked(&r, err);
	sum->seconds = iso_clock_wall() - start;
	iso_free(r.todo);
	iso_verdicts_free(&verdicts);
	iso_audits_free(&audits);
	iso_output_close(&lock);
	return st;
}
