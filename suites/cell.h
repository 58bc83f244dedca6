// SPDX-License-Identifier: Apache-2.0
/* One cell: train, sample, measure, attack, record. */
#ifndef ISO_SUITES_CELL_H
#define ISO_SUITES_CELL_H

#include "suites/plan.h"

typedef struct iso_cell_job { /* all borrowed */
	const iso_agenda *agenda;
	const iso_cell *cell;
	const iso_cell_rows *rows;
	const char *dir;   /* output directory */
	const cJSON *host; /* facts of the machine and the build, for "run" */
	int jobs;
	iso_progress *progress; /* of the training; may lie in memory shared with the parent */
	/* NULL, or the noise scale: above 0 it was calibrated for another seed of the same plan and
	 * is taken; else filled in. May lie in memory shared with the parent. */
	double *scale;
	int train_only; /* a probe: stop after the training and write nothing */
} iso_cell_job;

/* A record without results: status "error".  The caller deletes it. */
iso_status iso_cell_record(const iso_cell_job *job, cJSON **out, iso_error *err) ISO_MUST_CHECK;
/* Sets status and error text, keeping what else the record holds. */
iso_status iso_cell_failed(cJSON *record, const char *status, const char *text,
			   iso_error *err) ISO_MUST_CHECK;
/* The whole cell: fills the record (status "ok") and writes kept samples; the record itself is
 * written by the caller. */
iso_status iso_cell_execute(const iso_cell_job *job, cJSON *record, iso_error *err) ISO_MUST_CHECK;

/* Facts of the machine and the build. */
iso_status iso_host_facts(cJSON **out, iso_error *err) ISO_MUST_CHECK;

/* Values that depend on real rows alone, kept in DIR/cache: the services of iso_metric_view. */
typedef struct iso_cache {
	const char *dir;
	char prefix[65]; /* hash of data, split, seed and metrics */
} iso_cache;
iso_status iso_cache_open(const char *dir, const cJSON *config, iso_cache *out,
			  iso_error *err) ISO_MUST_CHECK;
int iso_cache_get(void *ctx, const char *name, double *v, size_t n);
void iso_cache_put(void *ctx, const char *name, const double *v, size_t n);

#endif
