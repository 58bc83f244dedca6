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

#include "generators/generator.h"
#include "generators/kit/parts.h"

#ifdef __cplusplus
extern "C" {
#endif

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
/* After setting weight, mean and var: what is derived from them. */
void iso_mixture_restore(iso_mixture *m);
/* Parts "rows", "weight", "mean" and "var" of a saved model, and back. */
void iso_mixture_save(iso_str *out, const iso_mixture *m);
iso_status iso_mixture_take(iso_parts *in, iso_mixture *m, iso_error *err) ISO_MUST_CHECK;

/* PRIVATE: the rows of one mixture.  get: encoded rows first .. first + n - 1 into x [n][dim], n at
 * most ISO_MIXTURE_PIECE. */
typedef struct iso_mixture_rows {
	const uint64_t *id; /* [n] */
	size_t n;
	void (*get)(void *ctx, size_t first, size_t n, float *x);
	void *ctx;
} iso_mixture_rows;
#define ISO_MIXTURE_PIECE 64
/* EM: every iteration is one streamed Gaussian sum of sensitivity iso_mixture_bound on `entry`,
 * whose planned multiplier is `noise`; exact sums without a ledger.  Memory of one row. */
iso_status iso_mixture_fit(iso_mixture *m, const iso_mixture_rows *rows, iso_ledger *ledger,
			   iso_entry entry, double noise, size_t iterations,
			   iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
