// SPDX-License-Identifier: Apache-2.0
/* The flow of one training: check, plan, calibrate, arm, fit, settle, close; and what a trained
 * model gives under its closed ledger. */
#ifndef ISO_SUITES_FLOW_TRAIN_H
#define ISO_SUITES_FLOW_TRAIN_H

#include "generators/generator.h"

/* The whole flow in one call, shared by the runner, `generate`, verify and tests: check, plan,
 * calibrate, arm, fit, settle, close. */
typedef struct iso_training {
	void *model;		 /* owned by the training: free with iso_training_free */
	iso_ledger *ledger;	 /* owned */
	double scale;		 /* calibrated; 0 without a plan */
	iso_guarantee guarantee; /* of these options; at most heuristic if anything stands uncharged
				    in the ledger */
	double claimed_epsilon;	 /* NaN = none */
	double fit_seconds;
	const iso_generator *generator;
} iso_training;
typedef struct iso_training_request {
	const iso_generator *generator;
	const void *options;
	const iso_table *train;
	size_t n; /* the public number of rows; 0 = that of train (verify keeps it while the table
		     changes) */
	const size_t *class_count;
	const iso_table *public_rows; /* NULL = none */
	/* [train->nclient] public rows per client; NULL = counted in train (verify keeps it while
	 * the table changes) */
	const size_t *client_count;
	double epsilon, delta;
	iso_adjacency adjacency;
	iso_accountant accountant;
	uint64_t seed;
	int secure;
	struct iso_replay *replay; /* NULL, or record/replay of verify */
	double scale;		   /* > 0: use this scale and do not calibrate */
	iso_progress *progress;
	void (*curve)(void *ctx, double step, const char *name, double value);
	void *curve_ctx;
	int (*cancelled)(void *ctx); /* NULL, or non-zero when the training should stop */
	void *cancelled_ctx;
	const iso_insider *insider; /* games of the referee; NULL otherwise */
	int allow_large_delta;	    /* 1: a delta above 10/n is not refused */
} iso_training_request;
/* What the schema left of the budget in env (basic composition): what a generator may know and
 * plan with.  The same as env unless the schema was inferred privately. */
iso_gen_env iso_env_left(const iso_gen_env *env);
/* The generator's plan at a scale, within what is left, and what the schema has paid: everything
 * that the ledger of a training must hold.  ISO_E_BUDGET when the schema has spent the budget. */
iso_status iso_training_plan(const iso_generator *g, const iso_gen_env *env, double scale,
			     iso_plan *plan, iso_error *err) ISO_MUST_CHECK;
/* A delta of d lets a mechanism publish d * n whole records.  Refused (ISO_E_CONFIG) above 10/n
 * unless allowed by name; does nothing for generators without a plan. */
iso_status iso_delta_check(const iso_generator *g, double delta, size_t n, int allowed,
			   iso_error *err) ISO_MUST_CHECK;
/* What is to be said of a delta above 1/n, into text; 0 if nothing is. */
int iso_delta_caveat(const iso_generator *g, double delta, size_t n, char *text, size_t size);
/* What iso_train would release, without looking at a row: checks, the calibrated scale (0 without a
 * noise to calibrate) and the plan at it.  Free with iso_plan_free. */
iso_status iso_train_dry(const iso_training_request *r, double *scale, iso_plan *plan,
			 iso_error *err) ISO_MUST_CHECK;
iso_status iso_train(const iso_training_request *r, iso_training *out,
		     iso_error *err) ISO_MUST_CHECK;
/* A model again from the bytes that its `save` wrote after iso_train with the same request:
 * samples, scores and latent access are those of the trained model.  The training has no ledger.
 * ISO_E_UNSUPPORTED when the generator cannot load. */
iso_status iso_training_load(const iso_training_request *r, const char *bytes, size_t n,
			     iso_training *out, iso_error *err) ISO_MUST_CHECK;
/* Rows 0..n-1 of the model's stream for `seed`; checked against the schema (ISO_E_PLUGIN). */
iso_status iso_training_sample(const iso_training *t, const iso_schema *s, uint64_t seed, size_t n,
			       iso_table **out, iso_error *err) ISO_MUST_CHECK;
/* The score slot; ISO_E_UNSUPPORTED without one, ISO_E_PLUGIN for a score that is not finite. */
iso_status iso_training_score(const iso_training *t, const iso_table *rows, double *out,
			      iso_error *err) ISO_MUST_CHECK;
void iso_training_free(iso_training *t);

#endif
