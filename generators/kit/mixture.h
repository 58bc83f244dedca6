// SPDX-License-Identifier: Apache-2.0
/* Mixtures of products over encoded rows, learned from noisy sufficient statistics.
 *
 * A component draws every block of the row on its own: a numeric block from a Gaussian with its own
 * mean and variance, a one-hot block from a categorical distribution, a missing-indicator from a
 * Bernoulli.  With numbers alone this is the diagonal Gaussian mixture of Park et al. 2017
 * ("DP-EM: Differentially Private Expectation Maximization"), in sum form: per iteration one record
 * adds one vector of bounded norm to the statistics
 *     c_k = sum_i r_ik,   s_k = sum_i r_ik u_i,   q_k = sum_i r_ik v_i^2
 * with u = x for one-hot blocks and indicators, v = u = 2 x - 1 in [-1, 1] for numbers.  The
 * responsibilities r_i sum to 1 and follow from released parameters, so the norm of the vector is
 * at most sqrt(1 + onehots + indicators + 2 numbers): iso_mixture_bound. */
#ifndef ISO_GENERATORS_KIT_MIXTURE_H
#define ISO_GENERATORS_KIT_MIXTURE_H

#include "core/data/encode.h"
#include "core/rand/rand.h"

typedef struct iso_mixture {
	const iso_encoder *enc; /* borrowed */
	size_t k;		/* components */
	double *weight;		/* [k] sum 1 */
	double *mean;		/* [k][dim] probabilities; of numbers the mean in [-1, 1] */
	double *var;		/* [k][dim] of numbers */
	double rows;		/* how many records the last statistics stood for, at least 1 */
	double *log_mean;	/* [k][dim] derived */
	double *base;		/* [k] derived: what does not depend on the row */
} iso_mixture;

/* A start that knows no data: equal weights, means scattered by the key.  On failure *m is empty.
 */
iso_status iso_mixture_new(const iso_encoder *enc, size_t k, iso_key key, iso_mixture *m,
			   iso_error *err) ISO_MUST_CHECK;
void iso_mixture_free(iso_mixture *m);
size_t iso_mixture_stats(const iso_mixture *m); /* numbers in one vector of statistics */
double iso_mixture_bound(const iso_mixture *m); /* its largest L2 norm for one record */
/* E-step of one encoded row x [dim]: fills stat [iso_mixture_stats] unless NULL, returns the log
 * density.  work [k]. */
double iso_mixture_expect(const iso_mixture *m, const float *x, double *work, double *stat);
/* M-step from summed statistics with noise of standard deviation sd in each number. */
void iso_mixture_maximise(iso_mixture *m, const double *stat, double sd);
/* One row x [dim]: numbers in [0, 1], one category of each one-hot block. */
void iso_mixture_draw(const iso_mixture *m, iso_key key, uint64_t row, float *x);
/* The released parameters, in order: weight, mean, var; after reading them back, call restore. */
void iso_mixture_restore(iso_mixture *m);

#endif
