// SPDX-License-Identifier: Apache-2.0
/* The expected privacy loss of a generator, estimated after training (Triastcyn and Faltings 2019,
 * "Generating Artificial Data for Private Deep Learning").  Reads private rows without noise: a
 * diagnostic, and no differential privacy. */
#ifndef ISO_GENERATORS_KIT_EXPECTED_LOSS_H
#define ISO_GENERATORS_KIT_EXPECTED_LOSS_H

#include "generators/kit/latent_model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* KL(P || Q) in nats from samples p [n][d] of P and q [m][d] of Q (Perez-Cruz 2008,
 * "Kullback-Leibler divergence estimation of continuous distributions", equation 14): (d / n) sum_i
 * log( nu_k(p_i) / rho_k(p_i) ) + log( m / (n - 1) ) rho_k, nu_k the distances of p_i to its k-th
 * neighbour among the other p and among q.  Distances of zero are taken as the smallest normal
 * float.  n > k, m >= k >= 1, k <= 16. */
double iso_knn_divergence(const float *p, size_t n, const float *q, size_t m, size_t d, size_t k);

typedef struct iso_expected_loss {
	size_t pairs;
	double gamma;
} iso_expected_loss;

/* Mean and variance over pairs, then mu = mean + sqrt(variance / gamma) (Chebyshev). */
double iso_expected_loss_mu(const double *loss, size_t pairs, double gamma, double *mean,
			    double *variance);

/* Divergence of P from Q less what the estimator says of P from itself: p, again of P, and q, of Q
 * from the latents of `again`, [n][d] each.  0 for equal laws, whatever the estimator's noise. */
double iso_knn_divergence_from(const float *p, const float *again, const float *q, size_t n,
			       size_t d, size_t k);

/* For `pairs` records: `train` again on f without the record, with f's randomness.  Notes
 * "uncharged_mu", "uncharged_loss_mean", "uncharged_loss_variance", "gamma" and "pairs" in model.
 */
iso_status iso_expected_loss_note(const iso_expected_loss *e, const iso_fit *f,
				  iso_status (*train)(const iso_fit *f, void **model,
						      iso_error *err),
				  iso_latent_model *model, iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
