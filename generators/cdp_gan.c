// SPDX-License-Identifier: Apache-2.0
/* cdp-gan: WGAN-GP under DP-SGD with a clipping bound that decays (Frigerio et al. 2019).
 *
 * ALGORITHM (card "cdp-gan" section 7; loop in kit/gan_loop.c).  n_disc = 5 critic steps per
 * generator step, epoch e:
 *     C_e = C_0 max(0.35, (1 - decay)^e)
 *     g_i = grad_w [ D(x~_i) - D(x_i) + 10 (|grad D(x^_i)| - 1)^2 ],  clipped at C_e
 *     w <- Adam on (1/B) [ sum_i g_i + N(0, (sigma C_e)^2 I) ]
 *   theta <- Adam on -mean D(G(z)),  z ~ N(0, I)
 *
 * net=lstm, for rows that are one sequence of T steps: G reads noise of z_dim / T (and the label)
 * in every step, an LSTM of `lstm` units and one dense layer per step make the series; D is dense
 * on the flat row (section "time series" of the paper).
 *
 * PRIVACY ARGUMENT.  Neighbours: add or remove one record.
 *  - "disc-step": real row, fake and interpolate of record i stand under one clip; z_i and e_i are
 * addressed by its identity.  The schedule of C_e is fixed and the noise is in proportion to it, so
 * every step is a Poisson-subsampled Gaussian of the one multiplier sigma: the decay costs nothing.
 * (The published code decays sigma too, clips rows of weight matrices instead of records, and has
 * no guarantee.)
 *  - G, optimisers: post-processing.  label=input (the default): one noisy histogram.
 *
 * DEVIATIONS.  The form of the decay is not stated; geometric with a floor of 0.35 here.  Adam at
 * 1e-3 and 5e-4 (their table has DP-SGD at 5e-3); n_disc is reduced by their rule with n_d=0 only;
 * no class balancing.  The
 * label is an input of both networks by default (label=column: one more generated column, as
 * published).  Two hidden layers of 128 (theirs: three of 512); averaged weights are given out.
 *
 * COST.  Three rows per record in D, forward, backward and tangent.
 */
#include "generators/kit/gan_loop.h"

static const iso_option options[] = {
	ISO_OPT_ENUM(iso_gan_options, bound, "decay", "fixed|decay",
		     "bound of a record's gradient: constant, or decaying by the epoch"),
	ISO_OPT_REAL(iso_gan_options, decay, "0.01", 0, 1, "share of the bound lost per epoch"),
	ISO_GAN_OPT_STEPS("critic steps; 0: 300 epochs, at most 20000"),
	ISO_GAN_OPT_ND("5"),
	ISO_GAN_OPT_LABEL,
	ISO_GAN_OPT_LABELS,
	ISO_GAN_OPT_NETS("128,128", "64"),
	ISO_OPT_ENUM(iso_gan_options, net, "dense", "dense|conv|lstm",
		     "layers of G and D; lstm: a recurrent G for rows that are one sequence; conv: "
		     "rows that are one image"),
	ISO_OPT_INTS(iso_gan_options, channels, "16,32", 1, 1024,
		     "net=conv: channels of D's convolutions, two of stride 2 first; G's are their "
		     "mirror"),
	ISO_OPT_INT(iso_gan_options, lstm, "48", 1, 4096, "net=lstm: hidden units of G"),
	ISO_GAN_OPT_NOISE("1"),
	ISO_GAN_OPT_RATES("1e-3", "5e-4"),
	ISO_GAN_OPT_PENALTY,
	ISO_GAN_OPT_AVERAGE("0.2"),
	{0},
};

static iso_gan_spec spec_of(const iso_gen_env *env)
{
	return iso_wgan_spec("cdp-gan", env, ISO_ADAM);
}

ISO_GAN_SLOT_FUNCTIONS(spec_of)

const iso_generator iso_generator_cdp_gan = {
	.abi = ISO_GENERATOR_ABI,
	.name = "cdp-gan",
	.title = "cdp-GAN: private WGAN-GP with clipping decay",
	.citation = "L. Frigerio, A. Santana de Oliveira, L. Gomez, P. Duverger, \"Differentially "
		    "Private Generative Adversarial Networks for Time Series, Continuous, and "
		    "Discrete Open Data\", IFIP SEC 2019, arXiv:1901.02477",
	.card = "WGAN-GP whose critic is trained by DP-SGD; the clipping bound, and the noise with "
		"it, shrinks by the epoch.\n"
		"Privacy: real row, fake and penalty of a record under one clip; the multiplier is "
		"constant, so the decay changes no epsilon.\n"
		"net=lstm: a recurrent generator for series.\n"
		"Deviations: the label is an input of both networks by default (label=column: a "
		"generated column, as published); geometric decay with a floor; Adam; smaller "
		"networks; averaged weights.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	ISO_GAN_SLOTS,
};
