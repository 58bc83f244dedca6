// SPDX-License-Identifier: Apache-2.0
/* One training of a verification: in a process of its own, with all that left it. */
#ifndef ISO_SUITES_FLOW_VERIFY_RUN_H
#define ISO_SUITES_FLOW_VERIFY_RUN_H

#include "suites/flow/verify.h"

typedef enum iso_outlet {
	ISO_OUT_FAILURE, /* error text of a training that failed, or how its process ended */
	ISO_OUT_MODEL,	 /* save */
	ISO_OUT_ROWS,	 /* samples under several keys */
	ISO_OUT_FAR,	 /* many rows under one key; compared where both runs have them */
	ISO_OUT_FACTS,	 /* describe, canonical */
	ISO_OUT_CURVE,
	ISO_OUT_SCORE, /* on the probes, as all that follow; or the slot's error text */
	ISO_OUT_DENSITY,
	ISO_OUT_ENCODE,
	ISO_OUT_DECODE,
	ISO_OUT_SAID, /* standard output and error */
	ISO_OUT_COUNT
} iso_outlet;

typedef struct iso_released {
	iso_str out[ISO_OUT_COUNT];
	size_t row_bytes; /* of ISO_OUT_ROWS and ISO_OUT_FAR */
	iso_status trained;
	int late; /* the training was stopped by the time limit */
} iso_released;
void iso_released_free(iso_released *x);
/* 1 and the first difference in words; ISO_OUT_FAILURE first. */
int iso_released_differ(const iso_released *a, const iso_released *b, const iso_schema *s,
			char *words, size_t cap);

typedef struct iso_run {
	const iso_verify_request *r;
	const iso_table *table; /* the training table */
	const iso_table
		*before; /* trained on first, in the same process, and thrown away; or NULL */
	const iso_table *probes; /* rows for score, log_density and encode */
	const iso_world *world;	 /* public numbers of rows */
	const void *options;
	uint64_t seed;
	double scale;	    /* 0: calibrate */
	iso_replay *replay; /* NULL: an ordinary training, not sealed */
	int far;	    /* many rows under one key too */
	double seconds;	    /* of processor time; 0 = no limit but that of a hanging process */
} iso_run;

typedef struct iso_run_result {
	iso_released released;
	iso_verdict found; /* checks of this training alone: noise, sampling, ledger, findings */
	iso_finding finding[ISO_FINDING_KINDS];
	double ratio;	    /* worst move, of a replay */
	size_t calls;	    /* of the recording */
	iso_replay *record; /* what a RECORD run recorded; owned; NULL otherwise */
	char touched[160];
	int watched;
} iso_run_result;
/* ISO_OK for a training that failed, crashed or was stopped: its outcome is in the result. */
iso_status iso_run_training(const iso_run *q, iso_run_result *out, iso_error *err) ISO_MUST_CHECK;
void iso_run_result_free(iso_run_result *x);

/* Adds up the checks of one run. */
void iso_verdict_add(iso_verdict *v, const iso_verdict *more);
/* Notes a failed check: the first one keeps its words. */
void iso_verdict_fail(iso_verdict *v, iso_check c, const char *where, const char *what);

#endif
