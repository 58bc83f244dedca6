// SPDX-License-Identifier: Apache-2.0
/* dp-cgan: conditional GAN, real and fake gradients of the discriminator clipped apart
 * (Torkzadehmahani et al. 2019).
 *
 * WHAT.  A labelled-data generator whose discriminator D is trained by DP-SGD; the generator G only
 * ever sees D.
 *
 * ALGORITHM (paper Algorithm 1; loop in kit/gan_loop.c).  q = B/n, T steps:
 *     r_i = grad CE(D(x_i, y_i), 1), i in a Poisson(q) batch, clipped at C       (lines 9-12)
 *     f_j = grad CE(D(G(z_j, y_j), y_j), 0), j = 1..B, clipped at C              (lines 13-15)
 *     D: SGD on (1/B) [ sum_i r_i + N(0, (sigma C)^2 I) + sum_j f_j ]            (lines 16-18)
 *     G: Adam on mean_j CE(D(G(z_j, y_j), y_j), 1)                               (lines 21-24)
 * with z ~ U[-1,1]^z, learning rate of D 0.15 falling to 0.052 over 10,000 steps (section 5).
 *
 * CLIPPING.  apart: as above.  joint: one clip for r_i + f_i with a fake of the record's own label
 * (cgan-basic-dp; mode=paper keeps C for the pair).  tensor: the released code, every tensor of D
 * clipped to C by itself; L tensors together move by sqrt(L) C, and that is what is planned:
 * mode=paper, which adds noise of 1.12 C, has the true multiplier 1.12 / sqrt(L) = 0.56.
 *
 * CLASSIFY.  D is not told the label but has an output per class and one for fakes (Salimans et al.
 * 2016, section 5), the loss of a real row is the cross-entropy of its class: a variant, in which
 * more D steps per G step help.  The label is read under the clip of its row, as before.
 *
 * PRIVACY ARGUMENT (mode=sound).  Neighbours: add or remove one record.
 *  - "disc-step": one record adds at most one r_i, |r_i| <= C, to one sum: L2 sensitivity C;
 * iso_dpsgd_step samples, clips, sums, adds noise and books, T times, Poisson rate q.
 *  - The f_j are functions of released things: z_j and y_j are drawn from keys and from the
 * released label law, B of them whatever the batch turned out to be.  Adding them to the released
 * sum is post-processing.
 *  - "label-histogram": one Gaussian histogram over the labels, L2 sensitivity 1 (labels=histogram;
 * the share label_share of the budget).  labels=uniform or public releases nothing.
 *  - G's step and sampling see D and the label law only: post-processing.
 * No batch norm anywhere: a record's gradient depends on that record alone.
 *
 * MODE=PAPER (guarantee "heuristic", epsilon infinite, claimed 9.6).  As Algorithm 1 and the
 * authors' code have it: the fakes carry the labels of the batch and are as many as the batch,
 * their clipped sum is added without noise of its own, G is trained on the batch's labels, and
 * samples follow the exact class counts ("label-histogram", uncharged). One record then moves sum_i
 * r_i + sum_j f_j by 2C while the proof says C, and its label reaches G around the noise; `verify`
 * sees D and G differ.  sigma = 1.12, C = 1.1 unless given.
 *
 * DEVIATIONS.  Loss of G non-saturating, as in the code (the paper prints log(1 - D)).  The code
 * clips per tensor (true sensitivity 2C again; clipping=tensor) and tells its accountant sigma C =
 * 1.232 instead of sigma; both modes here clip all tensors together, as Algorithm 1 prints. Poisson
 * batches instead of shuffled epochs, which is what the accountant assumes.  mode=sound gives out a
 * running average of G's weights and uses Adam's beta1 = 0.5, both post-processing, as are two D
 * steps per G step, G at 5e-4 (paper's code: one, 1e-3) and relaxed draws of categories; mode=paper
 * the last weights, 0.9.
 *
 * COST.  Per step about 2 B (5 |D| + 3 |G|) multiply-adds: 10 to 15 ms on MNIST at B = 600.
 */
#include <math.h>

#include "generators/kit/gan_loop.h"

static const iso_option options[] = {
	ISO_OPT_ENUM(iso_gan_options, mode, "sound", "sound|paper",
		     "paper: as published, labels shared with the fakes, exact class counts; not "
		     "private"),
	ISO_GAN_OPT_LABELS,
	ISO_GAN_OPT_STEPS("D steps; 0: 300 epochs, at most 30000"),
	ISO_GAN_OPT_ND("2"),
	ISO_OPT_ENUM(iso_gan_options, clipping, "apart", "apart|joint|tensor",
		     "real and fake gradient clipped apart; together, with the record's label; "
		     "every tensor by itself, as in the released code"),
	ISO_GAN_OPT_CLASSIFY,
	ISO_GAN_OPT_NETS("128", "100"),
	ISO_GAN_OPT_CONV(ISO_NET_CHOICES, "16,32"),
	ISO_GAN_OPT_NOISE("1.1"),
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

enum { APART, JOINT, TENSOR }; /* clipping */

static iso_gan_spec spec_of(const iso_gen_env *env)
{
	iso_gan_spec s = iso_cgan_spec("dp-cgan", env, PUBLISHED_SIGMA);
	s.fakes = s.o.clipping == JOINT ? ISO_FAKES_PAIRED
		  : s.o.mode == 1	? ISO_FAKES_SHARED
					: ISO_FAKES_PUBLIC;
	if (s.o.clipping != TENSOR)
		return s;
	s.o.cluster = ISO_CLUSTER_EACH;
	if (s.o.mode == 1) /* noise of sigma C as in the code, over the true bound */
		s.sigma_share = s.o.clip / iso_gan_sensitivity(&s);
	return s;
}

static iso_guarantee guarantee_of(const void *o)
{
	return ((const iso_gan_options *)o)->mode == 1 ? ISO_GUARANTEE_HEURISTIC : ISO_GUARANTEE_DP;
}

static double claimed_epsilon(const iso_gen_env *env)
{
	const iso_gan_options *o = env->options;
	const int published = !(o->sigma > 0) || o->sigma == PUBLISHED_SIGMA;
	return o->mode == 1 && published ? PUBLISHED_EPSILON : NAN;
}

ISO_GAN_SLOT_FUNCTIONS(spec_of)

const iso_generator iso_generator_dp_cgan = {
	.abi = ISO_GENERATOR_ABI,
	.name = "dp-cgan",
	.title = "DP-CGAN: conditional GAN, real and fake gradients clipped apart",
	.citation = "R. Torkzadehmahani, P. Kairouz, B. Paten, \"DP-CGAN: Differentially Private "
		    "Synthetic Data and Label "
		    "Generation\", CVPR Workshops 2019, arXiv:2001.09700",
	.card = "A conditional GAN whose discriminator is trained by DP-SGD; the gradients on real "
		"rows are clipped, "
		"summed and noised, those on fakes are clipped apart and need no noise.\n"
		"Privacy (sound): each step is a Poisson-subsampled Gaussian of sensitivity C; the "
		"fakes are a fixed "
		"number and carry labels of the released law, so they are post-processing; the "
		"label law is one noisy "
		"histogram.\n"
		"mode=paper shares the batch's labels with the fakes and the generator and samples "
		"the exact class "
		"counts: "
		"the true sensitivity is at least 2C and labels go around the noise, so epsilon is "
		"infinite although "
		"9.6 is "
		"claimed; verify finds it.\n"
		"clipping=joint puts both under one clip, clipping=tensor clips every tensor by "
		"itself as the released code does; both are paid for at their true sensitivity.\n"
		"classify=true: an output per class and one for fakes instead of the label at D's "
		"input, which D overlooks while fakes look wrong anyway; n_d=10 helps then.\n"
		"net=conv: convolutions on images.\n"
		"Deviations: all tensors under one clip as Algorithm 1 prints (the code clips per "
		"tensor and accounts sigma C instead of sigma), Poisson batches.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_CLASSES,
	.version = 2,
	.guarantee_of = guarantee_of,
	.claimed_epsilon = claimed_epsilon,
	ISO_GAN_SLOTS,
};
