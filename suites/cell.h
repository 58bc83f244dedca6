// SPDX-License-Identifier: Apache-2.0
/* One cell: train or load, sample, measure, attack, record. */
#ifndef ISO_SUITES_CELL_H
#define ISO_SUITES_CELL_H

#include "suites/flow/train.h"
#include "suites/plan.h"

/* The points of a training's curves. */
#define ISO_CURVES 16
typedef struct iso_curve {
	char *name;
	double *step, *value;
	size_t n, cap_step, cap_value;
} iso_curve;
typedef struct iso_curves {
	iso_curve v[ISO_CURVES];
	size_t n;
	int failed;
} iso_curves;
void iso_curves_take(void *ctx, double step, const char *name, double value);
void iso_curves_free(iso_curves *all);

/* What a cell cost: trainings and judgements done, and those taken from earlier runs. */
typedef struct iso_cell_counts {
	unsigned trained, judged, reused;
} iso_cell_counts;

typedef struct iso_cell_job { /* all borrowed */
	const iso_agenda *agenda;
	const iso_cell *cell;
	const iso_cell_rows *rows;
	const char *dir;      /* output directory */
	const cJSON *host;    /* facts of the machine and the build, for "run" */
	const cJSON *verdict; /* of the method's promise; NULL = not checked */
	const cJSON *audit;   /* of the method at this epsilon; NULL = not audited */
	int jobs;
	int force;		/* take nothing from earlier runs */
	iso_progress *progress; /* of the training; may lie in memory shared with the parent */
	/* NULL, or the noise scale: above 0 it was calibrated for another seed of the same plan and
	 * is taken; else filled in. May lie in memory shared with the parent. */
	double *scale;
	iso_cell_counts *counts; /* likewise; NULL = not wanted */
	/* NULL, or of each metric and then each attack NULL or how it brought an earlier attempt
	 * down: it is recorded as failed, and is not tried */
	const char *const *lost;
	int *judging; /* NULL, or 1 + the place of the judgement under way, 0 between them */
	int (*cancelled)(void *ctx); /* NULL, or non-zero when the training should stop */
	int train_only;		     /* a probe: stop after the training and write nothing */
} iso_cell_job;

/* How the caveat begins that says that an audit contradicts the accounted epsilon. */
#define ISO_AUDIT_WARNING "audit: "

/* A record without results: status "error".  The caller deletes it. */
iso_status iso_cell_record(const iso_cell_job *job, cJSON **out, iso_error *err) ISO_MUST_CHECK;
/* Sets status and error text, keeping what else the record holds. */
iso_status iso_cell_failed(cJSON *record, const char *status, const char *text,
			   iso_error *err) ISO_MUST_CHECK;
/* The whole cell: trains, or takes the model of an earlier run; draws the rows; judges what was not
 * judged before; fills the record (status "ok") and writes model and kept samples.  The record
 * itself is written by the caller. */
iso_status iso_cell_execute(const iso_cell_job *job, cJSON *record, iso_error *err) ISO_MUST_CHECK;
/* Is the record (light or whole) all that the plan asks of the cell?  Its judgements, verdict,
 * labels and kept samples; not whether the samples' file is there. */
iso_status iso_cell_complete(const iso_cell_job *job, const cJSON *record, int *complete,
			     iso_error *err) ISO_MUST_CHECK;
/* Does the record promise differential privacy while its audit found a violation? */
int iso_cell_violated(const cJSON *record);
/* Audited epsilon into the record of a finished cell, and a caveat when the audit contradicts the
 * accounted one. */
iso_status iso_cell_add_audit(cJSON *record, const cJSON *audit, iso_error *err) ISO_MUST_CHECK;
/* An earlier record (or NULL) to which nothing but another audit is to be added is copied with it:
 * *taken, and nothing else is to be done for the cell. */
iso_status iso_cell_renew_audit(const iso_cell_job *job, cJSON *record, const cJSON *earlier,
				int *taken, iso_error *err) ISO_MUST_CHECK;
/* nearest.c.  Has a row of the schema an image? */
int iso_has_image(const iso_schema *s);
/* For each of the samples the training row whose features are nearest (Euclidean, encoded), under
 * the sample's label, so that both tables have rows of the same labels in the same order.  These
 * are private rows.  train has at least one row; *out is new. */
iso_status iso_nearest_images(const iso_table *samples, const iso_table *train, iso_table **out,
			      iso_error *err) ISO_MUST_CHECK;
/* "samples/KEY.csv.gz": where the cell's kept rows are, below the output directory. */
void iso_cell_samples(const iso_cell_job *job, char out[64]);
/* "verified", "refuted", "claimed" or "none": see results/README.md. */
const char *iso_verified_name(const char *guarantee, const cJSON *verdict);

/* The part of a record that the training alone determines, and its times under "run": sizes,
 * privacy, ledger, guarantee, curves, model, caveats. */
iso_status iso_training_facts(const iso_cell_job *job, const iso_training *t,
			      const iso_curves *curves, cJSON **out, iso_error *err) ISO_MUST_CHECK;

/* What (epsilon, delta) allows of TPR - FPR in expectation: (e^epsilon - 1 + 2 delta) /
 * (e^epsilon + 1) (Kairouz, Oh and Viswanath 2015, Theorem 2.1); 1 for an infinite epsilon. */
double iso_advantage_allowed(double epsilon, double delta);
/* The lower end of a one-sided 97.5 % interval of max_t TPR - FPR found on n_pos members and n_neg
 * others, whatever threshold was taken (Dvoretzky-Kiefer-Wolfowitz with Massart's constant, 1.25 %
 * for each class); at least 0. */
double iso_advantage_low(double advantage, double n_pos, double n_neg);
/* Adds a caveat that begins with ISO_ADVANTAGE_WARNING for every membership attack of a record
 * whose lower end exceeds what the accounted epsilon allows.  A pure function of the record. */
iso_status iso_advantage_caveats(cJSON *record, iso_error *err) ISO_MUST_CHECK;

/* Facts of the machine and the build. */
iso_status iso_host_facts(cJSON **out, iso_error *err) ISO_MUST_CHECK;

/* Values that depend on real rows alone, kept in DIR/cache: the services of iso_metric_view. */
typedef struct iso_cache {
	const char *dir;
	char prefix[65]; /* hash of data, split, seed and the metric with its options and code */
} iso_cache;
/* data: iso_agenda.data_text; judge: iso_metric_setup.judge. */
iso_status iso_cache_open(const char *dir, const char *data, uint64_t seed, const char *judge,
			  iso_cache *out, iso_error *err) ISO_MUST_CHECK;
int iso_cache_get(void *ctx, const char *name, double *v, size_t n);
void iso_cache_put(void *ctx, const char *name, const double *v, size_t n);

#endif
