// SPDX-License-Identifier: Apache-2.0
/* Bugs of the core itself, put in by the linker (--wrap) into the mutants test alone: nothing in
 * the product can switch them. */
#ifndef ISO_TESTS_PLUGINS_CORE_MUTANTS_H
#define ISO_TESTS_PLUGINS_CORE_MUTANTS_H

typedef enum core_bug {
	CORE_CLEAN,
	CORE_NOISE_SQRT2,    /* standard deviation short by sqrt 2 */
	CORE_NOISE_BY_BATCH, /* divided by the batch size once more */
	CORE_NOISE_NONE,     /* no noise at all */
	CORE_NOISE_REUSED,   /* the same noise in every step */
	CORE_LAPLACE_SCALE,  /* Laplace scale and its inverse mixed up */
	CORE_DOUBLE_RATE,    /* the sampler draws at 2q */
	CORE_FIXED_SIZE,     /* the sampler draws nq records every time */
	CORE_CALIBRATION,    /* the solver returns half the noise that the budget needs */
	CORE_BOOKING,	     /* every second release is booked under no count */
	CORE_SHARED_KEY,     /* all releases of a seed share their noise */
	CORE_COUNT
} core_bug;
extern core_bug core_bug_now;

#endif
