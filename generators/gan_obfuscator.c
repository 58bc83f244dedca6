// SPDX-License-Identifier: Apache-2.0
/* gan-obfuscator: a Wasserstein GAN whose critic gradients are pruned at a public bound (Xu et al.
 * 2019).
 *
 * ALGORITHM (card "gan-obfuscator" section 7, a reconstruction: the paper is not open; loop in
 * kit/gan_loop.c).  n_d = 5 times per generator step:
 *     c <- mean over a public batch of |grad_w [ f(G(z)) - f(x) ]|, at least bound_floor
 *     g_i = grad_w [ f(G(z_i)) - f(x_i) ],  g_i <- g_i / max(1, |g_i| / c), i in a Poisson batch
 *     w <- RMSProp on (1/B) [ sum_i g_i + N(0, (sigma c)^2 I) ];  w <- clip(w, -c_p, c_p)
 *   theta <- RMSProp on -mean f(G(z)),  z ~ N(0, I)
 *
 * PRIVACY ARGUMENT.  Neighbours: add or remove one record.
 *  - "disc-step": the bound c is a function of the released critic and of public rows; the pair
 * (x_i, z_i) stands under one clip at c and the noise is in proportion to c, so the event is a
 * Poisson-subsampled Gaussian of multiplier sigma whatever c is.
 *  - Clipped weights, optimiser, G: post-processing.  label=input (the default): one noisy
 * histogram.
 *
 * DEVIATIONS.  bound=auto falls back to the fixed bound `clip` when there are no public rows (the
 * paper always has them); bound=public refuses then.  "AdaptRate" is read as RMSProp.  Dense
 * networks, relaxed draws of categories, averaged weights.
 *
 * COST.  As dp-gan-xie plus one pass over at most 256 public pairs per step.
 */
#include "generators/kit/gan_loop.h"

static const iso_option options[] = {
	ISO_OPT_ENUM(iso_gan_options, bound, "auto", "fixed|decay|public|auto",
		     "bound of a record's gradient: clip; clip with decay; the public rows' mean "
		     "norm; public where there are public rows"),
	ISO_OPT_REAL(iso_gan_options, bound_floor, "1e-3", 1e-9, 1e6, "least public bound"),
	ISO_OPT_REAL(iso_gan_options, decay, "0", 0, 1, "with bound=decay: share lost per epoch"),
	ISO_GAN_OPT_STEPS("critic steps; 0: 300 epochs, at most 20000"),
	ISO_GAN_OPT_ND("5"),
	ISO_GAN_OPT_LABEL,
	ISO_GAN_OPT_LABELS,
	ISO_GAN_OPT_NETS("128,128", "100"),
	ISO_GAN_OPT_NOISE("1"),
	ISO_GAN_OPT_RATES("5e-4", "5e-4"),
	ISO_GAN_OPT_CLIP_WEIGHTS("0.1"),
	ISO_GAN_OPT_AVERAGE("0.2"),
	{0},
};

static iso_gan_spec spec_of(const iso_gen_env *env)
{
	return iso_wgan_spec("gan-obfuscator", env, ISO_RMSPROP);
}

ISO_GAN_SLOT_FUNCTIONS(spec_of)

const iso_generator iso_generator_gan_obfuscator = {
	.abi = ISO_GENERATOR_ABI,
	.name = "gan-obfuscator",
	.title = "GANobfuscator: Wasserstein GAN with a public adaptive gradient bound",
	.citation = "C. Xu, J. Ren, D. Zhang, Y. Zhang, Z. Qin, K. Ren, \"GANobfuscator: "
		    "Mitigating Information Leakage Under GAN via Differential Privacy\", IEEE "
		    "TIFS 14(9), 2019, doi 10.1109/TIFS.2019.2897874",
	.card = "As dp-gan-xie, with the gradient bound of every step taken from public rows.\n"
		"Privacy: Poisson-subsampled Gaussians on pairs; the bound is public, the noise "
		"in proportion to it.\n"
		"Deviations: a reconstruction; without public rows the bound is fixed.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL | ISO_ACCEPTS_PUBLIC,
	.version = 1,
	ISO_GAN_SLOTS,
};
