// SPDX-License-Identifier: Apache-2.0
/* gan: the generative adversarial network without privacy (Goodfellow et al. 2014).
 *
 * ALGORITHM (card "gan" section 7; loop in kit/gan_loop.c).  Repeat:
 *     D: Adam on (1/B) [ sum_{i in batch} softplus(-D(x_i)) + sum_j softplus(D(G(z_j))) ]
 *     G: Adam on mean_j softplus(-D(G(z_j)))          (non-saturating), z ~ N(0, I)
 * The label is an input of both networks (as in cgan); label=column generates it as one more
 * column, as published: without the label to lean on the game loses modes on tables.
 *
 * PRIVACY ARGUMENT.  None: guarantee "none", nothing is clipped, noised or booked.
 *
 * NETS.  net=conv: convolutions for rows that are one image (kit/nets.h).
 *
 * DEVIATIONS.  One hidden layer of 128 (leaky ReLU in D) and two D steps per G step instead of
 * maxout with dropout; a fixed number of steps; categories of fakes are relaxed draws; given out is
 * a running average of G's weights (average=0: the last).
 *
 * COST.  Per step about 2 B (5 |D| + 3 |G|) multiply-adds.
 */
#include "generators/kit/gan_loop.h"

static const iso_option options[] = {
	ISO_GAN_OPT_STEPS("D steps; 0: 300 epochs, at most 20000"),
	ISO_GAN_OPT_ND("2"),
	ISO_GAN_OPT_LABEL,
	ISO_GAN_OPT_NETS("128", "100"),
	ISO_GAN_OPT_CONV(ISO_NET_CHOICES, "16,32"),
	ISO_GAN_OPT_RATES("1e-3", "5e-4"),
	ISO_OPT_REAL(iso_gan_options, beta1, "0.5", 0, 0.999, "first-moment decay of Adam"),
	ISO_GAN_OPT_AVERAGE("0.2"),
	{0},
};

static iso_gan_spec spec_of(const iso_gen_env *env)
{
	iso_gan_spec s = iso_wgan_spec("gan", env, ISO_ADAM);
	s.loss = ISO_GAN_BCE;
	s.fakes = ISO_FAKES_PUBLIC;
	s.is_private = 0;
	s.o.labels = ISO_LABELS_EXACT;
	return s;
}

ISO_GAN_SLOT_FUNCTIONS(spec_of)

const iso_generator iso_generator_gan = {
	.abi = ISO_GENERATOR_ABI,
	.name = "gan",
	.title = "GAN, not private",
	.citation = "I. Goodfellow et al., \"Generative Adversarial Nets\", NIPS 2014, "
		    "arXiv:1406.2661",
	.card = "The plain adversarial game: the ceiling of dp-gan-boob and fp-gan.\n"
		"Privacy: none.\n"
		"net=conv: convolutions on images.\n"
		"Deviations: dense networks by default, a fixed number of steps, relaxed draws of "
		"categories, "
		"averaged weights.",
	.guarantee = ISO_GUARANTEE_NONE,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	ISO_GAN_SLOTS,
};
