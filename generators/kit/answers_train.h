// SPDX-License-Identifier: Apache-2.0
/* DP-SGD on the cross-entropy of a classifier (kit/answers.h), on one table. */
#ifndef ISO_GENERATORS_KIT_ANSWERS_TRAIN_H
#define ISO_GENERATORS_KIT_ANSWERS_TRAIN_H

#include "core/nn/dpsgd.h"
#include "core/nn/optim.h"
#include "generators/kit/answers.h"
#include "generators/kit/rows.h"

typedef struct iso_answers_trainer {
	iso_answers *m; /* borrowed; its network may be another one at every step */
	iso_rows rows;	/* PRIVATE */
	iso_ws *ws;	/* owned */
	iso_optim opt;
	iso_dpsgd dp;
	float *x, *want; /* PRIVATE [chunk][dim], [chunk][classes]; owned */
} iso_answers_trainer;

typedef struct iso_answers_pace {
	iso_ledger *ledger; /* NULL: not private */
	iso_entry entry;    /* planned: Poisson-subsampled Gaussians at `rate` */
	iso_key key;	    /* of the batches that no ledger draws */
	double rate, n;	    /* n: the public number of rows */
	float clip, lr;
	iso_opt_rule rule;
} iso_answers_pace;

/* train: PRIVATE, borrowed until free. */
iso_status iso_answers_trainer_init(iso_answers_trainer *t, iso_answers *m, const iso_table *train,
				    const iso_answers_pace *p, iso_error *err) ISO_MUST_CHECK;
iso_status iso_answers_step(iso_answers_trainer *t, iso_error *err) ISO_MUST_CHECK;
void iso_answers_trainer_free(iso_answers_trainer *t);

#endif
