// SPDX-License-Identifier: Apache-2.0
/* The batch-wise term of a VAE's loss (Takahashi et al. 2020): weight times a divergence between
 * the codes of the batch and the prior, and its gradient in the encoder's parameters. */
#ifndef ISO_GENERATORS_KIT_VAE_TERM_H
#define ISO_GENERATORS_KIT_VAE_TERM_H

#include "core/nn/net.h"
#include "generators/kit/latent_prior.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How the two terms reach the optimiser. */
enum iso_vae_terms {
	ISO_TERMS_APART,   /* clipped and noised apart, one event */
	ISO_TERMS_NAIVE,   /* records' gradients of the coupled loss, at the sensitivity 2 B C */
	ISO_TERMS_COUPLED, /* the same, declared as if a record moved one of them: not private */
};

typedef struct iso_vae_term {
	iso_net *enc; /* borrowed */
	iso_ws *ws;
	int divergence, prior;
	double weight;
	size_t cap, dim, latent; /* at most cap records of a batch take part */
	float *x;		 /* [cap][dim] the caller's rows */
	float *noise;		 /* [cap][latent] the caller's N(0, 1) draws */
	float *z, *lv, *draws;	 /* [cap][latent]; lv: clamped log variances */
	float *grad;		 /* [cap][2 latent] */
	double *scratch;	 /* of the divergence */
} iso_vae_term;

iso_status iso_vae_term_init(iso_vae_term *t, iso_net *enc, size_t cap,
			     iso_error *err) ISO_MUST_CHECK;
void iso_vae_term_deinit(iso_vae_term *t);
/* d [n][2 latent] (+)= gradient of weight times the divergence in the encoder's outputs out
 * [n][2 latent], for the latents z and noise = z - mu (vae_net.c); key: of the prior's draws. */
double iso_vae_term_deltas(iso_vae_term *t, iso_key key, size_t n, const float *out, const float *z,
			   const float *noise, float *d);
/* Gradient in the encoder's parameters for the first n rows of x and noise: out [params]. */
double iso_vae_term_gradient(iso_vae_term *t, iso_key key, size_t n, float *out);

#ifdef __cplusplus
}
#endif

#endif
