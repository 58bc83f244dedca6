// SPDX-License-Identifier: Apache-2.0
/* Priors of latents, and divergences between the codes of a batch and a prior.
 *
 *   NORMAL    N(0, I)
 *   SPARSE    every dimension 0.8 N(0, 0.05^2) + 0.2 N(0, 1)
 *   CLUSTERS  four Gaussians of variance 0.03 around (0,-1), (0,1), (1,0), (-1,0) in the first two
 *             dimensions; N(0, 1) in the others
 *
 * The last two are those of Mathieu et al. 2019, "Disentangling Disentanglement in Variational
 * Autoencoders", sections 6.2 and 6.1, which Takahashi et al. 2020 train privately.  Everything
 * here is public.
 */
#ifndef ISO_GENERATORS_KIT_LATENT_PRIOR_H
#define ISO_GENERATORS_KIT_LATENT_PRIOR_H

#include "core/base/compiler.h"
#include "core/rand/rand.h"

#ifdef __cplusplus
extern "C" {
#endif

enum iso_prior { ISO_PRIOR_UNIFORM, ISO_PRIOR_NORMAL, ISO_PRIOR_SPARSE, ISO_PRIOR_CLUSTERS };
#define ISO_PRIOR_CLUSTER_COUNT 4

/* z [dims], a function of key and index; UNIFORM: U[-1,1]. */
void iso_prior_draw(int prior, iso_key key, uint64_t index, float *z, size_t dims);
/* log p(z) of NORMAL, SPARSE or CLUSTERS; score [dims] = d log p / dz, or NULL. */
double iso_prior_log(int prior, const float *z, size_t dims, double *score);
/* The cluster whose centre is nearest to the code. */
size_t iso_prior_cluster(const float *z);

enum iso_divergence {
	ISO_DIVERGENCE_NONE,
	ISO_DIVERGENCE_MMD,	    /* of the codes z */
	ISO_DIVERGENCE_INCLUSIVE_KL /* of the posteriors N(mu, e^lv) */
};

/* n records and as many draws from the prior. */
typedef struct iso_codes {
	size_t n, dims;
	const float *mean;   /* [n][2 dims], the first half of each row: an encoder's outputs */
	const float *logvar; /* [n][dims] lv */
	const float *z;	     /* [n][dims] mu + e^(lv/2) e */
	const float *noise;  /* [n][dims] e^(lv/2) e */
	const float *prior;  /* [n][dims] draws */
} iso_codes;

/* Per dimension and summed over dimensions: squared maximum mean discrepancy, unbiased within,
 *     sum_{i != j} (k(z_i, z_j) + k(p_i, p_j)) / (n (n - 1)) - 2 sum_{i, j} k(z_i, p_j) / n^2,
 *     k(a, b) = sum over s in {.1, .2, .5, 1, 2, 5} of 2s / (2s + (a - b)^2)
 * or the inclusive KL divergence of the prior from the mean posterior, without a constant,
 *     mean_b [ log p(p_b) - log mean_i N(p_b; mu_i, e^lv_i) ].
 * grad [n][2 dims] += weight times the gradient in mu and lv.  0 and no gradient for fewer than 2
 * records. scratch [n * (dims + 5)]. */
double iso_divergence(int kind, int prior, const iso_codes *c, double weight, float *grad,
		      double *scratch);

#ifdef __cplusplus
}
#endif

#endif
