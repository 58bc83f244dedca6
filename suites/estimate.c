// SPDX-License-Identifier: Apache-2.0
/* How long will it take?  Finished cells of the same data set and generator know best; without them
 * each generator is trained for a moment in a worker, and the share of its training that was done
 * in that time is extrapolated. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "results/record.h"
#include "suites/runner.h"

#define PROBE_SECONDS 1.0   /* of training seen in progress */
#define PROBE_PATIENCE 15.0 /* until the first progress */

typedef struct guess {
	double sum;
	size_t n;     /* finished cells */
	double peak;  /* bytes of memory, the most of them */
	double probe; /* seconds by a probe; NaN = not probed or no answer */
} guess;

static guess *guess_of(guess *g, const iso_agenda *a, const iso_cell *c)
{
	return &g[c->generator * a->suite->ndataset + c->dataset];
}

static iso_status read_times(const iso_agenda *a, const char *dir, guess *g, iso_error *err)
{
	uint8_t *on_disk;
	iso_status st = iso_cells_on_disk(a, dir, &on_disk, err);

	for (size_t i = 0; i < a->ncell && st == ISO_OK; i++) {
		cJSON *record = NULL;
		const cJSON *run, *t;

		if (!on_disk[i])
			continue;
		st = iso_record_read_parts(dir, a->cell[i].key, ISO_RECORD_LIGHT, &record, err);
		run = cJSON_GetObjectItemCaseSensitive(record, "run");
		t = cJSON_GetObjectItemCaseSensitive(run, "total_seconds");
		if (cJSON_IsNumber(t) && isfinite(t->valuedouble)) {
			guess_of(g, a, &a->cell[i])->sum += t->valuedouble;
			guess_of(g, a, &a->cell[i])->n++;
		}
		t = cJSON_GetObjectItemCaseSensitive(run, "peak_memory_bytes");
		if (cJSON_IsNumber(t))
			guess_of(g, a, &a->cell[i])->peak =
				fmax(guess_of(g, a, &a->cell[i])->peak, t->valuedouble);
		cJSON_Delete(record);
	}
	iso_free(on_disk);
	return st;
}

/* Watches a training for a moment: its whole time if it ends, else what it took until it made
 * progress plus the rest at the rate that was seen; NaN if nothing could be learned. */
static double watch(iso_worker *w)
{
	const struct timespec pause = {.tv_nsec = 5000000L};
	const double start = iso_clock_wall();
	double first = 0, first_share = 0, now = start, share = 0;
	iso_finished done;

	while (now - start < PROBE_PATIENCE && !(share > 0 && now - first > PROBE_SECONDS)) {
		nanosleep(&pause, NULL);
		if (iso_worker_poll(w, &done))
			return done.outcome == ISO_TASK_DONE && done.code == ISO_OK
				       ? iso_clock_wall() - start
				       : NAN;
		now = iso_clock_wall();
		if (iso_worker_share(w) > 0 && first == 0) {
			first = now;
			first_share = iso_worker_share(w);
		}
		share = iso_worker_share(w);
	}
	if (!(share > first_share))
		return NAN;
	return first - start + (now - first) * (1 - first_share) / (share - first_share);
}

static double probe(const iso_agenda *a, const iso_cell *c, iso_error *err)
{
	iso_worker w;
	iso_cell_rows rows = {0};
	double seconds = NAN;
	iso_cell_job job = {
		.agenda = a, .cell = c, .rows = &rows, .dir = "", .jobs = 1, .train_only = 1};

	const iso_limits limits = {a->suite->limit_seconds, a->suite->limit_bytes};

	if (iso_worker_init(&w, err) != ISO_OK)
		return NAN;
	if (iso_cell_rows_new(a, c->dataset, c->seed_index, &rows, err) == ISO_OK &&
	    iso_worker_start(&w, iso_cell_task, &job, &limits, 0, err) == ISO_OK) {
		seconds = watch(&w);
		iso_workers_stop(&w, 1);
	}
	iso_cell_rows_free(&rows);
	iso_worker_close(&w);
	return seconds;
}

static void run_probes(const iso_agenda *a, const uint8_t *todo, guess *g)
{
	iso_progress progress;
	size_t total = 0, done = 0;

	for (size_t i = 0; i < a->ncell; i++)
		total += todo[i] && guess_of(g, a, &a->cell[i])->n == 0;
	if (total == 0)
		return;
	iso_progress_start(&progress, "estimating", (double)total);
	for (size_t i = 0; i < a->ncell; i++) {
		guess *x = guess_of(g, a, &a->cell[i]);
		iso_error ignored = {0};

		if (!todo[i] || x->n || a->cell[i].unsupported)
			continue;
		if (isnan(x->probe))
			x->probe = probe(a, &a->cell[i], &ignored);
		if (isnan(x->probe))
			x->probe = -1;
		iso_progress_update(&progress, (double)++done);
	}
	iso_progress_finish(&progress);
}

iso_status iso_run_estimate(const iso_agenda *a, const iso_run_options *o, const uint8_t *todo,
			    iso_estimate *out, iso_error *err)
{
	const size_t n = a->suite->ngenerator * a->suite->ndataset;
	guess *g = iso_alloc(n, sizeof(*g));
	iso_status st;

	memset(out, 0, sizeof(*out));
	if (!g)
		return iso_no_memory(err, "the estimate");
	for (size_t i = 0; i < n; i++)
		g[i].probe = NAN;
	st = read_times(a, o->dir, g, err);
	if (st == ISO_OK)
		run_probes(a, todo, g);
	for (size_t i = 0; i < a->ncell && st == ISO_OK; i++) {
		const guess *x = guess_of(g, a, &a->cell[i]);

		if (!todo[i] || a->cell[i].unsupported)
			continue;
		out->longest = fmax(out->longest, x->n ? x->sum / (double)x->n : x->probe);
		out->peak_bytes = fmax(out->peak_bytes, x->peak);
		if (x->n) {
			out->seconds += x->sum / (double)x->n;
			out->from_records++;
		} else if (x->probe >= 0) {
			out->seconds += x->probe;
			out->from_probes++;
		} else {
			out->unknown++;
		}
	}
	out->seconds /= o->jobs;
	iso_free(g);
	return st;
}
