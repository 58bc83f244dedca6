// SPDX-License-Identifier: Apache-2.0
/* cgan-basic-dp: conditional GAN under plain DP-SGD, the baseline of DP-CGAN (Torkzadehmahani et
 * al. 2019, Table 1).
 *
 * WHAT.  As dp-cgan, with the standard clipping rule (Abadi et al. 2016): the gradient of the sum
 * of a record's real and fake loss is clipped once.  The control that isolates what separate
 * clipping does.
 *
 * ALGORITHM (loop in kit/gan_loop.c).  q = B/n, T steps:
 *     g_i = grad [ CE(D(x_i, y_i), 1) + CE(D(G(z_i, y_i), y_i), 0) ], i in a Poisson(q) batch,
 *           z_i ~ U[-1,1]^z, clipped at C as one
 *     D: SGD on (1/B) [ sum_i g_i + N(0, (sigma C)^2 I) ]
 *     G: Adam on mean_j CE(D(G(z_j, y_j), y_j), 1), j = 1..B, y_j ~ released label law
 * |g_i|^2 = sum over layers |d|^2 |a|^2 + |d'|^2 |a'|^2 + 2 (d.d')(a.a') by book-keeping
 * (core/nn/dpsgd.h).
 *
 * CLASSIFY.  D is not told the label but has an output per class and one for fakes (Salimans et al.
 * 2016, section 5), the loss of a real row is the cross-entropy of its class: a variant, in which
 * more D steps per G step help.  The label is read under the clip of its row, as before.
 *
 * PRIVACY ARGUMENT (mode=sound).  Neighbours: add or remove one record.
 *  - "disc-step": both halves of record i stand under one clip, so a record moves the sum by at
 * most C although its label is in both; z_i is addressed by the record's identity.  T
 * Poisson-subsampled Gaussians of multiplier sigma, rate q.
 *  - "label-histogram": one Gaussian histogram, L2 sensitivity 1.
 *  - G's step draws its labels from the released law: post-processing.
 *
 * MODE=PAPER (guarantee "heuristic", epsilon infinite, claimed 9.6).  As the authors' code has it:
 * G is trained on the batch's own labels and samples follow the exact class counts
 * ("label-histogram", uncharged).  D's step is sound, but the labels reach G around the noise;
 * `verify` sees the generator differ.
 *
 * DEVIATIONS.  The code clips per tensor and tells the accountant sigma once per tensor; here the
 * clip is joint in both modes.  Learning rate: the paper's schedule (the code has 0.05 constant).
 * sigma is not stated in the paper; 1.12 matches dp-cgan, and C = 2.2 is its bound of 1.1 for each
 * half.  Two D steps per G step, G at 5e-4, relaxed draws of categories (free).  Poisson batches.
 * mode=sound: average of G's weights, Adam's beta1 = 0.5 (post-processing).
 *
 * COST.  As dp-cgan plus a forward pass of G on the batch.
 */
#include <math.h>

#include "generators/kit/gan_loop.h"

static const iso_option options[] = {
	ISO_OPT_ENUM(
		iso_gan_options, mode, "sound", "sound|paper",
		"paper: the generator sees the batch's labels, exact class counts; not private"),
	ISO_GAN_OPT_LABELS,
	ISO_GAN_OPT_STEPS("D steps; 0: 300 epochs, at most 30000"),
	ISO_GAN_OPT_ND("2"),
	ISO_GAN_OPT_CLASSIFY,
	ISO_GAN_OPT_NETS("128", "100"),
	ISO_GAN_OPT_CONV(ISO_NET_CHOICES, "16,32"),
	ISO_GAN_OPT_NOISE("2.2"),
	ISO_OPT_ENUM(iso_gan_options, optimizer_d, "sgd", "sgd|adam",
		     "optimiser of D; adam: at lr_d, without the schedule"),
	ISO_GAN_OPT_RATES("0.15", "5e-4"),
	ISO_OPT_REAL(iso_gan_options, lr_d_end, "0.052", 0, 100, "last learning rate of D"),
	ISO_OPT_INT(iso_gan_options, lr_d_steps, "10000", 0, 10000000,
		    "steps over which it falls; 0: it does not"),
	ISO_OPT_REAL(iso_gan_options, beta1, "-1", -1, 0.999,
		     "first-moment decay of Adam; -1: 0.5 (mode=paper: 0.9)"),
	ISO_GAN_OPT_AVERAGE("-1"),
	{0},
};

#define PUBLISHED_SIGMA 1.12
#define PUBLISHED_EPSILON 9.6

static iso_gan_spec spec_of(const iso_gen_env *env)
{
	iso_gan_spec s = iso_cgan_spec("cgan-basic-dp", env, PUBLISHED_SIGMA);
	s.fakes = ISO_FAKES_PAIRED;
	return s;
}

static iso_guarantee guarantee_of(const void *o)
{
	return ((const iso_gan_options *)o)->mode == 1 ? ISO_GUARANTEE_HEURISTIC : ISO_GUARANTEE_DP;
}

static double claimed_epsilon(const iso_gen_env *env)
{
	const iso_gan_options o = spec_of(env).o;
	return o.mode == 1 && o.sigma == PUBLISHED_SIGMA ? PUBLISHED_EPSILON : NAN;
}

ISO_GAN_SLOT_FUNCTIONS(spec_of)

const iso_generator iso_generator_cgan_basic_dp = {
	.abi = ISO_GENERATOR_ABI,
	.name = "cgan-basic-dp",
	.title = "CGAN with basic DP: real and fake gradient of a record under one clip",
	.citation = "baseline \"CGAN with basic DP\" of R. Torkzadehmahani, P. Kairouz, B. Paten, "
		    "CVPR Workshops 2019, "
		    "arXiv:2001.09700; mechanism of Abadi et al., CCS 2016, arXiv:1607.00133",
	.card = "A conditional GAN whose discriminator is trained by DP-SGD on the sum of a "
		"record's real and fake "
		"loss, "
		"clipped once.\n"
		"Privacy (sound): each step is a Poisson-subsampled Gaussian of sensitivity C, "
		"label sharing between "
		"the halves included; the label law is one noisy histogram, which the generator's "
		"step uses.\n"
		"mode=paper trains the generator on the batch's labels and samples the exact class "
		"counts: epsilon is "
		"infinite although 9.6 is claimed; verify finds it.\n"
		"Deviations: joint clipping (the code clips per tensor), the paper's learning-rate "
		"schedule, Poisson "
		"batches.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_CLASSES,
	.version = 2,
	.guarantee_of = guarantee_of,
	.claimed_epsilon = claimed_epsilon,
	ISO_GAN_SLOTS,
};
