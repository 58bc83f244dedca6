// SPDX-License-Identifier: Apache-2.0
/* wgan: Wasserstein GAN with weight clipping, without privacy (Arjovsky, Chintala, Bottou 2017).
 *
 * ALGORITHM (their Algorithm 1; loop in kit/gan_loop.c).  Repeat:
 *     n_critic = 5 times: w <- RMSProp on mean f(G(z)) - mean f(x);  w <- clip(w, -c, c)
 *     once:               theta <- RMSProp on -mean f(G(z)),  z ~ N(0, I)
 * alpha 5e-5, B = 64.  All parameters of the critic are clipped, biases too.
 *
 * PRIVACY ARGUMENT.  None: clipped weights bound the gradients, they do not hide a record.
 *
 * NETS.  net=conv: convolutions for rows that are one image (kit/nets.h).
 *
 * DEVIATIONS.  Dense networks of 128 units with c = 0.1 (0.01 is made for deep ones); the learning
 * rate is 5e-4 (5e-5 of the paper is made for 10^5 steps); categories of fakes are relaxed draws;
 * averaged weights are given out.
 *
 * COST.  As gan, with five D steps per G step.
 */
#include "generators/kit/gan_loop.h"

static const iso_option options[] = {
	ISO_GAN_OPT_STEPS("D steps; 0: 300 epochs, at most 20000"),
	ISO_GAN_OPT_ND("5"),
	ISO_GAN_OPT_LABEL,
	ISO_GAN_OPT_NETS("128", "100"),
	ISO_GAN_OPT_CONV(ISO_NET_CHOICES, "16,32"),
	ISO_GAN_OPT_RATES("5e-4", "5e-4"),
	ISO_GAN_OPT_CLIP_WEIGHTS("0.1"),
	ISO_GAN_OPT_AVERAGE("0.2"),
	{0},
};

static iso_gan_spec spec_of(const iso_gen_env *env)
{
	iso_gan_spec s = iso_wgan_spec("wgan", env, ISO_RMSPROP);
	s.fakes = ISO_FAKES_PUBLIC;
	s.is_private = 0;
	s.o.labels = ISO_LABELS_EXACT;
	return s;
}

ISO_GAN_SLOT_FUNCTIONS(spec_of)

const iso_generator iso_generator_wgan = {
	.abi = ISO_GENERATOR_ABI,
	.name = "wgan",
	.title = "Wasserstein GAN with weight clipping, not private",
	.citation = "M. Arjovsky, S. Chintala, L. Bottou, \"Wasserstein GAN\", ICML 2017, "
		    "arXiv:1701.07875",
	.card = "A critic of clipped weights estimates the Wasserstein distance: the base of "
		"dp-gan-xie, gan-obfuscator and fl-gan.\n"
		"Privacy: none.\n"
		"net=conv: convolutions on images.\n"
		"Deviations: dense networks by default, learning rate 5e-4, relaxed draws of "
		"categories, "
		"averaged weights.",
	.guarantee = ISO_GUARANTEE_NONE,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	ISO_GAN_SLOTS,
};
