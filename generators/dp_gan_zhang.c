// SPDX-License-Identifier: Apache-2.0
/* dp-gan-zhang: dp-GAN, a private WGAN-GP with public bounds and a public warm start (Zhang, Ji,
 * Wang 2018).
 *
 * ALGORITHM (their Algorithm 1 with the three advanced parts; loop in kit/gan_loop.c).
 *   warm_steps generator steps of ordinary WGAN-GP on the public rows; then n_critic = 4 times per
 *   generator step:
 *     C <- mean over a public batch of |grad_w l|, at least bound_floor   (bound=public)
 *     l_i = D(x~_i) - D(x_i) + 10 (|grad D(x^_i)| - 1)^2,  g_i = grad_w l_i clipped at C
 *     w <- Adam on (1/B) [ sum_i g_i + N(0, (sigma C)^2 I) ],  beta1 0.5
 *   theta <- Adam on -mean D(G(z)),  z ~ N(0, I)
 * With cluster=weight-bias or tensor the parameters fall into groups, each clipped at the public
 * mean norm c_j of its part of the gradient (tensor: weight clustering, the two groups of the least
 * ratio of bounds are merged until `groups` are left).  Group j gets noise of s_j on its
 * coordinates (kit/groups.h):
 *     allocation=equal     s_j = sigma sqrt(L) c_j
 *     allocation=optimal   s_j = sigma sqrt( c_j / sqrt(P_j) sum_k c_k sqrt(P_k) ), P_j
 * coordinates: the least sum_j P_j s_j^2 for the same privacy
 *
 * PRIVACY ARGUMENT.  Neighbours: add or remove one record.
 *  - "disc-step": the penalty and both rows of record i stand under one clip; z_i and the mixing
 * weight are addressed by its identity.  Bounds and warm start read public rows and released
 * weights only.  Each step is a Poisson-subsampled Gaussian of multiplier sigma; the groups of a
 * step are ONE release, sum_j c_j^2 / s_j^2 = 1 / sigma^2, so grouping changes no epsilon (the
 * released code asks the accountant once per group).
 *  - G, optimisers: post-processing.  label=input (the default): one noisy histogram.
 *
 * DEVIATIONS.  The noise is sigma C on the sum (Algorithm 1 adds it per example, the released code
 * divides it by sqrt(B) and tells the accountant sigma).  Without public rows: fixed bound `clip`,
 * no groups, no warm start (bound=public, cluster, or warm_steps above 0, refuse then).  Groups are
 * formed every `regroup` steps, on at most 64 public records.  One clip for all parameters is the
 * default: with equal multipliers groups cost more noise than they save, with the optimal
 * allocation tensor groups save about a tenth.  Dense networks unless net=conv; averaged weights.
 *
 * COST.  Three rows per record in D, and one pass over at most 256 public records per step; with
 * groups every record's gradient is written out.
 */
#include "generators/kit/gan_loop.h"

static const iso_option options[] = {
	ISO_OPT_ENUM(iso_gan_options, bound, "auto", "fixed|decay|public|auto",
		     "bound of a record's gradient: clip; clip with decay; the public rows' mean "
		     "norm; public where there are public rows"),
	ISO_OPT_REAL(iso_gan_options, bound_floor, "1e-3", 1e-9, 1e6, "least public bound"),
	ISO_OPT_REAL(iso_gan_options, decay, "0", 0, 1, "with bound=decay: share lost per epoch"),
	ISO_GAN_OPT_WARM,
	ISO_GAN_OPT_STEPS("critic steps; 0: 300 epochs, at most 20000"),
	ISO_GAN_OPT_ND("4"),
	ISO_GAN_OPT_LABEL,
	ISO_GAN_OPT_LABELS,
	ISO_GAN_OPT_NETS("128,128", "128"),
	ISO_GAN_OPT_CONV(ISO_NET_CHOICES, "16,32"),
	ISO_GAN_OPT_GROUPS("none"),
	ISO_GAN_OPT_NOISE("4"),
	ISO_GAN_OPT_RATES("1e-3", "5e-4"),
	ISO_OPT_REAL(iso_gan_options, penalty, "10", 0, 1e6, "weight of the gradient penalty"),
	ISO_OPT_REAL(iso_gan_options, beta1, "0.5", 0, 0.999, "first-moment decay of Adam"),
	ISO_GAN_OPT_AVERAGE("0.2"),
	{0},
};

static iso_gan_spec spec_of(const iso_gen_env *env)
{
	return iso_wgan_spec("dp-gan-zhang", env, ISO_ADAM);
}

ISO_GAN_SLOT_FUNCTIONS(spec_of)

const iso_generator iso_generator_dp_gan_zhang = {
	.abi = ISO_GENERATOR_ABI,
	.name = "dp-gan-zhang",
	.title = "dp-GAN: private WGAN-GP with public bounds and warm start",
	.citation = "X. Zhang, S. Ji, T. Wang, \"Differentially Private Releasing via Deep "
		    "Generative Model\", 2018, arXiv:1801.01594",
	.card = "WGAN-GP whose critic is trained by DP-SGD, warm-started on public rows, with the "
		"bound of every step from public rows.\n"
		"Privacy: real row, fake and penalty of a record under one clip; bounds and groups "
		"of parameters are public, and the groups of a step are one Gaussian release.\n"
		"Deviations: one clip for all parameters unless cluster is given; without public "
		"rows a fixed bound and no warm start; dense networks unless net=conv.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL | ISO_ACCEPTS_PUBLIC,
	.version = 1,
	ISO_GAN_SLOTS,
};
