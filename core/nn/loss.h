// SPDX-License-Identifier: Apache-2.0
/* Losses.  They fill dLoss/d(output) and return the summed loss (double, for curves only). */
#ifndef ISO_NN_LOSS_H
#define ISO_NN_LOSS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* logits [n] stride ld; target 0 or 1. */
double iso_loss_bce_logits(const float *logits, size_t ld, size_t n, float target, float *d,
			   size_t d_ld);

/* A loss as an object, for loops that take any.  Outputs [n][ld] and targets [n][target_ld], width
 * floats of each unless said otherwise; target_ld 0: one row of targets for all.  d [n][d_ld] =
 * dLoss_i/d(output), which iso_net_backward takes with through_act = 1, or 0 where the last
 * activation is linear.  Rows are independent unless couples_rows is set. */
typedef struct iso_loss {
	const char *name;
	int couples_rows; /* not for private rows */
	double (*eval)(size_t n, size_t width, const float *out, size_t ld, const float *target,
		       size_t target_ld, float *d, size_t d_ld);
} iso_loss;

/* Logits z, targets t in [0, 1]: max(z, 0) - t z + log(1 + e^-|z|). */
extern const iso_loss iso_loss_bce;
/* Critic's scores s, target 1 (real): max(0, 1 - s), 0 (fake): max(0, 1 + s) (Lim and Ye 2017). */
extern const iso_loss iso_loss_hinge;
/* Critic's scores, target 1: -s, 0: s (Arjovsky et al. 2017).  With target 1 on fakes it is the
 * generator's loss against a hinge or a Wasserstein critic. */
extern const iso_loss iso_loss_wasserstein;
/* (out - t)^2 */
extern const iso_loss iso_loss_mse;
/* Outputs: width / 2 means, then as many log variances; targets: width / 2 values.
 * (log 2 pi + lv + (t - mu)^2 e^-lv) / 2 */
extern const iso_loss iso_loss_gaussian_nll;
/* Logits of `width` classes, targets: probabilities (one-hot).  -sum t log softmax(z) */
extern const iso_loss iso_loss_cross_entropy;
/* Outputs as for the Gaussian, no targets: KL(N(mu, e^lv) || N(0, 1)) = (e^lv + mu^2 - 1 - lv) / 2
 */
extern const iso_loss iso_loss_kl;
/* Squared maximum mean discrepancy between the n outputs and the n targets (Gretton et al. 2012,
 * biased form), kernel sum over b = 1/4, 1, 4 of exp(-|x - y|^2 / (2 b width)).  target_ld > 0. */
extern const iso_loss iso_loss_mmd;

extern const iso_loss *const iso_losses[];
extern const size_t iso_loss_count;

#ifdef __cplusplus
}
#endif

#endif
