// SPDX-License-Identifier: Apache-2.0
/* Choice among checkpoints of a generator by a task on reserved rows (Boob, Cummings, Kimpara,
 * Tantipongpipat, Waites, Zimmerman 2018, section 4.4).
 *
 * A share of the rows, drawn by a keyed hash of each row's identity, is reserved: it takes no part
 * in the training.  Of T checkpoints, Q are picked, and the model's Q generators take turns.
 *
 *   TASK     a classifier is trained on rows of each checkpoint and its right answers on the
 * reserved rows are counted (one record moves a count by 1); Q times report-noisy-maximum without
 *            replacement, entry "checkpoint-choice", pure, choice_share of epsilon in all
 *   PRIVATE  a softmax regression is trained by DP-SGD on the reserved rows, entry
 *            "evaluator-step"; it judges rows of each checkpoint, which is post-processing
 *
 * Reserved and training rows are disjoint, so both entries stand in one group with the training
 * step under add/remove, and a record pays for the dearer of the two.
 */
#ifndef ISO_GENERATORS_KIT_CHOICE_H
#define ISO_GENERATORS_KIT_CHOICE_H

#include "generators/kit/federation.h"
#include "generators/kit/latent_model.h"

#ifdef __cplusplus
extern "C" {
#endif

enum iso_evaluator { ISO_EVALUATE_TASK, ISO_EVALUATE_PRIVATE };
#define ISO_CHOICE_GROUP 1 /* of the plan; part 0 trains, part 1 chooses */

typedef struct iso_choice_options {
	int64_t picks;	     /* Q; 0: no choice */
	int64_t checkpoints; /* T */
	int64_t rows;	     /* synthetic rows that judge a checkpoint */
	int evaluator;
	double holdout; /* share of the rows that is reserved */
	double share;	/* of epsilon for the picks (TASK) */
} iso_choice_options;

/* Rows of the training part and of the reserved part, as public expectations, at least 1. */
size_t iso_choice_training_rows(const iso_choice_options *o, size_t n);
/* Entries of the choice; noise, rate and steps are those of the training step, whose cost the
 * evaluator's steps are made to match. */
iso_status iso_choice_plan(const iso_choice_options *o, const iso_gen_env *env, double noise,
			   double rate, double steps, iso_plan *plan,
			   iso_error *err) ISO_MUST_CHECK;

typedef struct iso_choice {
	iso_choice_options o;
	const iso_fit *f;
	iso_federation parts; /* PRIVATE: part 0 trains, part 1 is reserved */
	size_t nparam, kept;
	float *theta;	/* [checkpoints][nparam] owned */
	uint64_t every; /* steps between two checkpoints */
} iso_choice;
iso_status iso_choice_init(iso_choice *c, const iso_choice_options *o, const iso_fit *f,
			   const iso_net *generator, uint64_t steps, iso_error *err) ISO_MUST_CHECK;
void iso_choice_free(iso_choice *c);
/* After `done` steps: keeps the generator when a checkpoint is due. */
void iso_choice_keep(iso_choice *c, const iso_net *generator, uint64_t done);
/* Picks, and gives the model's decoders the picked weights.  Notes the picked checkpoints. */
iso_status iso_choice_finish(iso_choice *c, iso_latent_model *m, iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
