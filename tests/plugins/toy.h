// SPDX-License-Identifier: Apache-2.0
/* Three small, right generators and the bugs that are seeded into them, one at a time (attacks.md
 * section 11).
 *
 * toy-ae: an autoencoder trained by DP-SGD written out by hand on mechanism_trusted.h, so that a
 * bug can sit anywhere in the step; labels by a noisy histogram.  toy-pate: nearest-centroid
 * teachers on disjoint parts, noisy votes on public points.  toy-sum: steps on clipped sums.
 * Without a bug all are (epsilon, delta)-DP, and verify must find nothing. */
#ifndef ISO_TESTS_PLUGINS_TOY_H
#define ISO_TESTS_PLUGINS_TOY_H

#include "generators/generator.h"

typedef enum toy_bug {
	TOY_CLEAN,
	/* the clipped sum */
	TOY_NO_CLIP,
	TOY_BATCH_CLIP,	    /* clips the batch's mean gradient, not each record's */
	TOY_LAYER_CLIP,	    /* clips two layers apart, each to C */
	TOY_SQRT2,	    /* the clipped sum is scaled by sqrt 2: noise short by that factor */
	TOY_ADAPTIVE_CLIP,  /* C = median of the batch's own norms */
	TOY_BATCH_NORM,	    /* activations are normalised by the batch's mean */
	TOY_POSITION_KEYED, /* a record's dropout mask is drawn by its position, not its id */
	/* sampling */
	TOY_WRONG_RATE,	 /* trains on a batch of its own, drawn at three times the rate */
	TOY_FIXED_BATCH, /* shuffled epochs of one batch size, accounted as Poisson */
	TOY_DOUBLED,	 /* offers every record twice to the sampler */
	/* around the release */
	TOY_UNCOUNTED_STEP,   /* one step more than planned, booked honestly: refused */
	TOY_FREE_STEP,	      /* one step more, on the raw gradient, not booked */
	TOY_ACTIVATION_NOISE, /* noise on activations, raw gradient, releases spent on zeros
				 (FP-GAN) */
	TOY_LAST_LAYER_ONLY,  /* noise on the last layer's gradient, the first layer's is raw */
	TOY_MOMENTUM,	      /* momentum over raw gradients */
	TOY_ZERO_RELEASE,     /* releases zeros, adds the private sum to what comes back */
	TOY_PENALTY,	      /* a penalty on real rows outside the clip */
	TOY_EARLY_STOP,	      /* stops when the loss on real rows rises */
	TOY_BEST_STEP,	      /* keeps the parameters of the step with the best loss on real rows */
	TOY_SIZE_LEAK,	      /* divides by the real number of rows, not the public one */
	TOY_CURVE,	      /* reports the loss on real rows as if it were released */
	/* around the labels and the schema */
	TOY_BATCH_LABELS, /* samples carry the labels of the last batch */
	TOY_EXACT_LABELS, /* samples follow the exact class counts */
	TOY_MIN_MAX,	  /* scales by the minimum and maximum of the rows */
	TOY_CATEGORIES,	  /* gives out only categories that occur in the rows */
	TOY_COPY,	  /* one row of a hundred of a sample is the first training row */
	TOY_SHARED_PART,  /* both parts of a parallel group read every row */
	TOY_ORDER,	  /* releases the labels first when a record sits at every upper bound */
	TOY_REFUSES,	  /* fails when a record sits at every upper bound */
	/* votes */
	TOY_PATE_CLEAN,
	TOY_OVERLAP,	       /* a row reaches two teachers */
	TOY_PART_BY_POSITION,  /* parts by position: a removal shifts the rows behind it to other
				  teachers */
	TOY_STUDENT_SEES_ROWS, /* the student also learns from real rows */
	TOY_FREE_VOTES,	       /* a clear majority is taken without noise and not charged */
	TOY_VOTE_STOP,	       /* asks until the teachers agree, then stops */
	/* votes, as published code has them */
	TOY_PATE_LAPLACE, /* right, with Laplace noise */
	TOY_STALE_PART,	  /* a stale index: every teacher learns from the last part */
	TOY_DEALT_ANEW,	  /* parts are dealt anew in every round, teachers keep what they learned */
	TOY_SHARED_TEACHER, /* one discriminator on all rows votes for every teacher */
	TOY_TARGET_NOISE,   /* labels are the true majority with noise of its own, nothing of it
			       booked */
	/* sums, as published code has them: toy_published.c */
	TOY_SUM_CLEAN,
	TOY_SIGMA_C,	   /* clips at 1.1 C and says C */
	TOY_ROW_CLIP,	   /* clips each row of the summed gradient */
	TOY_SQRT_BATCH,	   /* sensitivity C, said to be C / sqrt(batch) */
	TOY_BUDGET_AFTER,  /* one step more, with noise that is not booked */
	TOY_PROBABILITIES, /* counts with the noise of probabilities */
	TOY_TERMS_APART,   /* two loss terms clipped to C each */
	TOY_TERM_FREE,	   /* one of them not clipped */
	TOY_ENCODER,	   /* an encoder trained on raw sums is released with the decoder */
	TOY_CLIENT_FREE,   /* clients do not clip */
	TOY_SERVER_NOISE,  /* clients send raw sums, the server adds the noise */
	TOY_ONE_CLIENT,	   /* noise shared by four clients, one of them aggregated alone */
	TOY_COUNT
} toy_bug;

/* The descriptor of one bug; both live for the process.  A bug of the votes gives a toy-pate, one
 * of the sums a toy-sum, all others a toy-ae. */
const iso_generator *toy_generator(toy_bug bug);
int toy_is_pate(toy_bug bug);
void toy_pate_fill(iso_generator *g); /* toy_pate.c: its plan, fit, sample, save, destroy */
void toy_sum_fill(iso_generator *g);  /* toy_published.c: the same */

#endif
