// SPDX-License-Identifier: Apache-2.0
/* How long will it take?  Finished cells of the same data set and generator know best.  Without
 * them short trials stand in (suites/trial.h): each generator is trained for a moment, one whole
 * cell of each data set is judged, and each promise of privacy that is to be verified is. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/log.h"
#include "results/record.h"
#include "suites/runner.h"
#include "suites/trial.h"

typedef struct guess {
	double sum;
	size_t n;    /* finished cells */
	double peak; /* bytes of memory, the most of them */
	iso_trial_training training;
	int tried;
} guess;

typedef struct judged {
	iso_trial_cell cell;
	double trained; /* steps of the training in it */
	int tried;
} judged;

typedef struct estimate {
	const iso_agenda *a;
	const iso_run_options *o;
	const uint8_t *todo;
	iso_estimate *out;
	guess *g;  /* [ngenerator][ndataset] */
	judged *j; /* [ndataset] */
	iso_progress progress;
	double done;
} estimate;

static guess *guess_of(const estimate *e, const iso_cell *c)
{
	return &e->g[c->generator * e->a->suite->ndataset + c->dataset];
}

static int wanted(const estimate *e, size_t i)
{
	return e->todo[i] && !e->a->cell[i].unsupported;
}

static iso_status read_times(estimate *e, iso_error *err)
{
	const iso_agenda *a = e->a;
	uint8_t *on_disk;
	iso_status st = iso_cells_on_disk(a, e->o->dir, &on_disk, err);

	for (size_t i = 0; i < a->ncell && st == ISO_OK; i++) {
		cJSON *record = NULL;
		const cJSON *run, *t;

		if (!on_disk[i])
			continue;
		st = iso_record_read_parts(e->o->dir, a->cell[i].key, ISO_RECORD_LIGHT, &record,
					   err);
		run = cJSON_GetObjectItemCaseSensitive(record, "run");
		t = cJSON_GetObjectItemCaseSensitive(run, "total_seconds");
		if (cJSON_IsNumber(t) && isfinite(t->valuedouble)) {
			guess_of(e, &a->cell[i])->sum += t->valuedouble;
			guess_of(e, &a->cell[i])->n++;
		}
		t = cJSON_GetObjectItemCaseSensitive(run, "peak_memory_bytes");
		if (cJSON_IsNumber(t))
			guess_of(e, &a->cell[i])->peak =
				fmax(guess_of(e, &a->cell[i])->peak, t->valuedouble);
		cJSON_Delete(record);
	}
	iso_free(on_disk);
	return st;
}

/* What did not end in its trial, by name: the total is a lower bound. */
static void leave_open(estimate *e, const char *what, const char *name)
{
	const size_t n = strlen(e->out->open), room = sizeof(e->out->open) - n;

	e->out->at_least = 1;
	(void)snprintf(e->out->open + n, room, "%s%s of %s", n ? ", " : "", what, name);
}

static iso_status try_trainings(estimate *e, iso_error *err)
{
	const iso_agenda *a = e->a;

	for (size_t i = 0; i < a->ncell; i++) {
		guess *g = guess_of(e, &a->cell[i]);

		if (!wanted(e, i) || g->n || g->tried)
			continue;
		ISO_TRY(iso_trial_train(a, &a->cell[i], &g->training, err));
		g->tried = 1;
		if (g->training.open)
			leave_open(e, "the training",
				   a->suite->generator[a->cell[i].generator].label);
		iso_progress_update(&e->progress, ++e->done);
	}
	return ISO_OK;
}

/* The cell of a data set whose training is the shortest. */
static const iso_cell *quickest(const estimate *e, size_t dataset)
{
	const iso_agenda *a = e->a;
	const iso_cell *best = NULL;
	double least = INFINITY;

	for (size_t i = 0; i < a->ncell; i++) {
		const iso_cell *c = &a->cell[i];
		const guess *g = guess_of(e, c);
		const double took = g->training.before + g->training.steps;

		if (c->dataset == dataset && wanted(e, i) && g->tried && !g->training.open &&
		    took < least) {
			least = took;
			best = c;
		}
	}
	return best;
}

static iso_status try_judging(estimate *e, const char *dir, iso_error *err)
{
	const iso_suite *s = e->a->suite;

	for (size_t d = 0; d < s->ndataset; d++) {
		const iso_cell *c = quickest(e, d);
		const iso_trial_training *t;
		judged *j = &e->j[d];

		if (!c)
			continue;
		t = &guess_of(e, c)->training;
		ISO_TRY(iso_trial_judge(e->a, c, dir, &j->cell, err));
		j->tried = 1;
		j->trained = t->steps;
		if (j->cell.open)
			leave_open(e, "the judging", s->dataset[d].label);
		else
			j->cell.rest = fmax(j->cell.rest - t->before - t->steps, 0);
		iso_progress_update(&e->progress, ++e->done);
	}
	return ISO_OK;
}

static iso_status try_verdicts(estimate *e, const char *dir, iso_error *err)
{
	iso_verdicts v = {0};
	iso_status st = iso_verdicts_new(e->a, &v, err);

	for (size_t i = 0; i < v.n && st == ISO_OK; i++) {
		iso_verdict_entry *entry = &v.v[i];
		iso_trial_verdict t;
		int needed = 0;

		if (entry->state != ISO_VERDICT_PENDING)
			continue;
		st = iso_verdict_take(e->o->dir, entry, err);
		for (size_t k = 0; k < e->a->ncell && st == ISO_OK; k++)
			needed |=
				wanted(e, k) && iso_verdicts_of(&v, e->a, &e->a->cell[k]) == entry;
		if (st != ISO_OK || !needed || entry->state == ISO_VERDICT_READY)
			continue;
		st = iso_trial_verify(e->a, entry, dir, &t, err);
		if (st != ISO_OK)
			break;
		e->out->verifying += t.seconds;
		e->out->verifications++;
		e->out->longest = fmax(e->out->longest, t.seconds);
		if (t.open)
			leave_open(e, "the verification",
				   e->a->suite->generator[entry->cell->generator].label);
		iso_progress_update(&e->progress, ++e->done);
	}
	iso_verdicts_free(&v);
	return st;
}

/* Attacks on shadow models train as many of them as in the trial, each as long as the method
 * takes.  The noise of a (method, data set, epsilon) is calibrated once for all its seeds. */
static void add_cell(estimate *e, const iso_cell *c)
{
	const guess *g = guess_of(e, c);
	const judged *j = &e->j[c->dataset];
	double training, judging = 0;

	e->out->peak_bytes = fmax(e->out->peak_bytes, g->peak);
	if (g->n) {
		e->out->training += g->sum / (double)g->n;
		e->out->longest = fmax(e->out->longest, g->sum / (double)g->n);
		e->out->from_records++;
		return;
	}
	training = g->training.steps + (c->seed_index == 0 ? g->training.before : 0);
	if (j->tried)
		judging = fmax(j->cell.judging + j->cell.rest +
				       (double)j->cell.shadows * (g->training.steps - j->trained),
			       0);
	else
		e->out->at_least = 1;
	e->out->training += training;
	e->out->judging += judging;
	e->out->longest = fmax(e->out->longest, training + judging);
	e->out->from_probes++;
	e->out->unknown += g->training.open || !j->tried || j->cell.open;
}

static size_t trials(const estimate *e)
{
	size_t n = 0;

	for (size_t i = 0; i < e->a->suite->ngenerator * e->a->suite->ndataset; i++)
		n += e->g[i].n == 0;
	return n + e->a->suite->ndataset;
}

static iso_status try_all(estimate *e, iso_error *err)
{
	char dir[4096];
	iso_status st = iso_trial_dir(dir, sizeof(dir), err);

	if (st != ISO_OK)
		return st;
	if (e->a->suite->audits.runs)
		leave_open(e, "the audits", e->a->suite->name);
	iso_progress_start(&e->progress, "trials", (double)trials(e));
	st = try_trainings(e, err);
	if (st == ISO_OK)
		st = try_judging(e, dir, err);
	if (st == ISO_OK)
		st = try_verdicts(e, dir, err);
	iso_progress_finish(&e->progress);
	iso_trial_dir_remove(dir);
	return st;
}

iso_status iso_run_estimate(const iso_agenda *a, const iso_run_options *o, const uint8_t *todo,
			    iso_estimate *out, iso_error *err)
{
	const iso_suite *s = a->suite;
	estimate e = {.a = a,
		      .o = o,
		      .todo = todo,
		      .out = out,
		      .g = iso_alloc(s->ngenerator * s->ndataset, sizeof(*e.g)),
		      .j = iso_alloc(s->ndataset, sizeof(*e.j))};
	size_t left = 0;
	iso_status st = e.g && e.j ? ISO_OK : iso_no_memory(err, "the estimate");

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < a->ncell; i++)
		left += (size_t)wanted(&e, i);
	if (st == ISO_OK && left)
		st = read_times(&e, err);
	if (st == ISO_OK && left)
		st = try_all(&e, err);
	for (size_t i = 0; i < a->ncell && st == ISO_OK; i++)
		if (wanted(&e, i))
			add_cell(&e, &a->cell[i]);
	out->seconds =
		fmax((out->training + out->judging + out->verifying) / o->jobs, out->longest);
	iso_free(e.g);
	iso_free(e.j);
	return st;
}
