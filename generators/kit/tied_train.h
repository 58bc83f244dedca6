// SPDX-License-Identifier: Apache-2.0
/* Training a tied auto-encoder (tied.h) by the private step. */
#ifndef ISO_GENERATORS_KIT_TIED_TRAIN_H
#define ISO_GENERATORS_KIT_TIED_TRAIN_H

#include "generators/generator.h"
#include "generators/kit/pace.h"
#include "generators/kit/tied.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_tied_job {
	const iso_fit *f;
	iso_ledger *ledger; /* NULL: no clipping, no noise */
	iso_entry entry;    /* of the steps; its part numbers the batches, too */
	int capped;	    /* the entry is a cap that the pace is charged to (pace.h) */
	iso_tied *net;
	const float *x;	    /* PRIVATE [n][dim] encoded rows */
	const uint64_t *id; /* PRIVATE [n] */
	size_t n, parts;    /* parts: for the progress */
	iso_pace pace;
	double rows; /* public or released number of rows: the batch is q rows */
	double lr, clip, average;
} iso_tied_job;
iso_status iso_tied_train(const iso_tied_job *job, iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
