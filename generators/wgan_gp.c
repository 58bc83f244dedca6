// SPDX-License-Identifier: Apache-2.0
/* wgan-gp: Wasserstein GAN with gradient penalty, without privacy (Gulrajani et al. 2017).
 *
 * ALGORITHM (their Algorithm 1; loop in kit/gan_loop.c, penalty in core/nn/penalty.h).
 *     n_critic = 5 times: Adam on the batch mean of
 *         D(x~_i) - D(x_i) + lambda (|grad D(x^_i)| - 1)^2,  x~_i = G(z_i),
 *         x^_i = e_i x_i + (1 - e_i) x~_i, one e_i ~ U[0,1] per record
 *     once:               Adam on -mean D(G(z)),  z ~ N(0, I)
 * lambda 10, Adam with beta1 0, B = 64.  No normalisation in the critic.
 *
 * PRIVACY ARGUMENT.  None.
 *
 * NETS.  net=conv: convolutions for rows that are one image (kit/nets.h).
 *
 * DEVIATIONS.  Dense networks (128-128) by default, Adam at 5e-4 with beta2 0.999 instead of 1e-4
 * and 0.9; categories of fakes are relaxed draws; averaged weights are given out.
 *
 * COST.  One more row per record in D, forward, backward and tangent.
 */
#include "generators/kit/gan_loop.h"

static const iso_option options[] = {
	ISO_GAN_OPT_STEPS("D steps; 0: 300 epochs, at most 20000"),
	ISO_GAN_OPT_ND("5"),
	ISO_GAN_OPT_LABEL,
	ISO_GAN_OPT_NETS("128,128", "128"),
	ISO_GAN_OPT_CONV(ISO_NET_CHOICES, "16,32"),
	ISO_GAN_OPT_RATES("5e-4", "5e-4"),
	ISO_GAN_OPT_PENALTY,
	ISO_GAN_OPT_AVERAGE("0.2"),
	{0},
};

static iso_gan_spec spec_of(const iso_gen_env *env)
{
	iso_gan_spec s = iso_wgan_spec("wgan-gp", env, ISO_ADAM);
	s.is_private = 0;
	s.o.labels = ISO_LABELS_EXACT;
	return s;
}

ISO_GAN_SLOT_FUNCTIONS(spec_of)

const iso_generator iso_generator_wgan_gp = {
	.abi = ISO_GENERATOR_ABI,
	.name = "wgan-gp",
	.title = "Wasserstein GAN with gradient penalty, not private",
	.citation = "I. Gulrajani, F. Ahmed, M. Arjovsky, V. Dumoulin, A. Courville, \"Improved "
		    "Training of Wasserstein GANs\", NIPS 2017, arXiv:1704.00028",
	.card = "The critic is held near slope one by a penalty at random interpolates: the base "
		"of dp-gan-zhang and cdp-gan.\n"
		"Privacy: none.\n"
		"net=conv: convolutions on images.\n"
		"Deviations: dense networks by default, learning rate 5e-4, beta2 0.999, relaxed "
		"draws of "
		"categories, averaged weights.",
	.guarantee = ISO_GUARANTEE_NONE,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	ISO_GAN_SLOTS,
};
