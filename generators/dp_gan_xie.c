// SPDX-License-Identifier: Apache-2.0
/* dp-gan-xie: DPGAN, a Wasserstein GAN whose critic gradient is noised (Xie et al. 2018).
 *
 * ALGORITHM (their Algorithm 1, repaired; loop in kit/gan_loop.c).  For t1 = 1..n_g:
 *   n_d = 5 times (burst=100: 100 times while t1 < 25 and at every 500th t1, as the code has it):
 *     g_i = grad_w [ f(G(z_i)) - f(x_i) ],  g_i <- g_i / max(1, |g_i| / C), i in a Poisson batch
 *     w <- RMSProp on (1/B) [ sum_i g_i + N(0, (sigma C)^2 I) ];  w <- clip(w, -c_p, c_p)
 *   theta <- RMSProp on -mean f(G(z)),  z ~ N(0, I)
 * iterations gives n_g; steps gives the number of critic steps instead.
 *
 * PRIVACY ARGUMENT (mode=sound).  Neighbours: add or remove one record.
 *  - "disc-step": the pair (x_i, z_i) stands under one clip and z_i is addressed by the record's
 * identity, so a record moves the sum by at most C; every inner step of every outer step is booked,
 * bursts too (the card's default, 10,000 outer steps with bursts, is 54,275 events).
 *  - Clipping the weights, the optimiser and G are post-processing.
 *  - label=input (the default): the law of the labels is one noisy histogram.
 *
 * MODE=PAPER (guarantee "none", epsilon infinite).  As published no gradient is clipped: the
 * weights' box is said to bound every gradient by an uncomputed c_g, and Lemma 2 sets the noise for
 * one outer step only (sigma_n = 0.0017 c_g at epsilon 9.6 on MNIST).  Since noise in proportion to
 * an unknown bound cannot be booked, the mode trains without it, and `verify` sees every part of
 * the model differ.  The claim printed is the epsilon that was asked for; the model's description
 * says how many times `clip` the largest gradient of a record was ("uncharged_norm_over_clip").
 *
 * DEVIATIONS.  Per-record clipping; no batch norm; Poisson batches; RMSProp at 5e-4; one GAN with
 * the label as an input (or column) instead of one GAN per digit; relaxed draws of categories;
 * averaged weights (average=0: the last).  No L1 penalty on the
 * weights, and no autoencoder in front (theirs for records of patients is trained on raw rows). c_p
 * 0.1 on tables (0.02 on MNIST in the code).
 *
 * COST.  A D step takes two rows per record through the critic.
 */
#include <math.h>

#include "generators/kit/gan_loop.h"

static const iso_option options[] = {
	ISO_GAN_OPT_MODE("paper: no gradient is clipped or noised by a booked amount; not private"),
	ISO_GAN_OPT_STEPS("critic steps; 0: 300 epochs, at most 20000"),
	ISO_OPT_INT(iso_gan_options, iterations, "0", 0, 1000000,
		    "generator steps n_g; given: the critic steps follow from n_d and burst"),
	ISO_OPT_INT(iso_gan_options, burst, "0", 0, 100000,
		    "critic steps in front of the first 25 generator steps and of every 500th; 0: "
		    "no bursts (code: 100)"),
	ISO_GAN_OPT_ND("5"),
	ISO_GAN_OPT_LABEL,
	ISO_GAN_OPT_LABELS,
	ISO_GAN_OPT_NETS("128,128", "100"),
	ISO_GAN_OPT_NOISE("1"),
	ISO_GAN_OPT_RATES("5e-4", "5e-4"),
	ISO_GAN_OPT_CLIP_WEIGHTS("0.1"),
	ISO_GAN_OPT_AVERAGE("-1"),
	{0},
};

static iso_gan_spec spec_of(const iso_gen_env *env)
{
	iso_gan_spec s = iso_wgan_spec("dp-gan-xie", env, ISO_RMSPROP);
	if (s.o.mode == 1) {
		s.is_private = 0;
		s.measures = 1;
		s.o.labels = ISO_LABELS_EXACT;
	}
	return s;
}

static iso_guarantee guarantee_of(const void *o)
{
	return ((const iso_gan_options *)o)->mode == 1 ? ISO_GUARANTEE_NONE : ISO_GUARANTEE_DP;
}

static double claimed_epsilon(const iso_gen_env *env)
{
	const iso_gan_options *o = env->options;
	return o->mode == 1 && isfinite(env->epsilon) ? env->epsilon : NAN;
}

ISO_GAN_SLOT_FUNCTIONS(spec_of)

const iso_generator iso_generator_dp_gan_xie = {
	.abi = ISO_GENERATOR_ABI,
	.name = "dp-gan-xie",
	.title = "DPGAN: Wasserstein GAN with clipped weights and a noised critic",
	.citation = "L. Xie, K. Lin, S. Wang, F. Wang, J. Zhou, \"Differentially Private "
		    "Generative Adversarial Network\", 2018, arXiv:1802.06739",
	.card = "A critic of clipped weights is trained by DP-SGD.\n"
		"Privacy (sound): every inner step is a Poisson-subsampled Gaussian of "
		"sensitivity C on pairs, bursts included.\n"
		"mode=paper clips no gradient, as published: epsilon is infinite; verify finds "
		"it.\n"
		"Deviations: per-record clipping, no batch norm, one GAN for all classes, dense "
		"networks.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	.guarantee_of = guarantee_of,
	.claimed_epsilon = claimed_epsilon,
	ISO_GAN_SLOTS,
};
