// SPDX-License-Identifier: Apache-2.0
/* dp-ctgan: CTGAN, a GAN conditioned on a category of one column, with a discriminator by DP-SGD
 * (Xu et al. 2019; Rosenblatt et al. 2020).
 *
 * ALGORITHM (card "dp-ctgan"; loop in kit/gan_loop.c).  A condition c is a discrete column, all as
 * likely, and a category of it; its one-hot over all categories is an input of G and of D.
 *     r_i = grad CE(D(x_i, c_i), 1), i in a Poisson(q) batch,  r_i <- r_i / max(1, |r_i| / C)
 *     f_j = grad CE(D(G(z_j, c_j), c_j), 0), j = 1..B
 *     D: Adam on (1/B) [ sum_i r_i + N(0, (sigma C)^2 I) + sum_j f_j ]
 *     G: Adam on mean_j CE(D(G(z_j, c_j), c_j), 1),  z ~ N(0, I)
 * The record comes first: c_i is the category of record i in a column drawn by the record's
 * identity and the step.  c_j follows the released frequencies, in training and in a sample; the
 * label is one of the columns.
 *
 * PRIVACY ARGUMENT (mode=sound).  Neighbours: add or remove one record.
 *  - "disc-step": one record adds one r_i, whatever its c_i: L2 sensitivity C, Poisson rate q.
 *  - "category-histograms": the frequencies of all discrete columns, one Gaussian release to which
 * a record adds 1 per column: L2 sensitivity sqrt(columns), share label_share of the budget.
 * labels=uniform releases nothing.
 *  - The f_j, G and samples are functions of released things: post-processing.
 *
 * MODE=PAPER (guarantee "heuristic", epsilon infinite).  As in the released code the frequencies
 * are exact and uncharged; the claim is the epsilon that was asked for.  `verify` sees them differ.
 *
 * DEVIATIONS.  The code draws the condition first, then a row that has it, with replacement, while
 * its accountant assumes Poisson batches.  It makes a noisy step on the fakes too, which protects
 * nothing.  One clip for all tensors instead of one each.  Numbers are min-max scaled (the code's
 * transforms need bounds as well), never by mode.  Plain dense layers: without the residual batch
 * norm of G and the dropout of D.  A running average of G's weights is given out.
 *
 * COST.  As dp-cgan.
 */
#include <math.h>

#include "generators/kit/categories.h"
#include "generators/kit/gan_loop.h"

static const iso_option options[] = {
	ISO_GAN_OPT_MODE("paper: exact frequencies of the categories, uncharged; not private"),
	ISO_OPT_ENUM(iso_gan_options, labels, "histogram", "histogram|uniform",
		     "law of the conditions: noisy histograms of all discrete columns, or uniform"),
	ISO_OPT_REAL(iso_gan_options, label_share, "0.05", 1e-6, 0.9,
		     "share of the budget of these histograms"),
	ISO_OPT_ENUM(iso_gan_options, loss, "ce", "ce|wasserstein",
		     "cross-entropy, or Wasserstein without a penalty"),
	ISO_GAN_OPT_STEPS("D steps; 0: 300 epochs, at most 20000"),
	ISO_GAN_OPT_ND("2"),
	ISO_GAN_OPT_NETS("256,256", "128"),
	ISO_GAN_OPT_NOISE("1"),
	ISO_GAN_OPT_RATES("5e-4", "5e-4"),
	ISO_OPT_REAL(iso_gan_options, beta1, "0.5", 0, 0.999, "first-moment decay of Adam"),
	ISO_GAN_OPT_AVERAGE("0.2"),
	{0},
};

static iso_gan_spec spec_of(const iso_gen_env *env)
{
	iso_gan_spec s = {.who = "dp-ctgan",
			  .o = *(const iso_gan_options *)env->options,
			  .conditional = iso_categories_columns(env->schema) > 0,
			  .by_column = 1,
			  .is_private = 1,
			  .rule_d = ISO_ADAM,
			  .rule_g = ISO_ADAM,
			  .act_g = ISO_ACT_RELU,
			  .act_d = ISO_ACT_LRELU,
			  .normal = 1,
			  .init = ISO_INIT_HE};
	s.loss = s.o.loss;
	if (s.o.mode == 1)
		s.o.labels = ISO_LABELS_EXACT;
	iso_gan_settle(&s.o, env->n, 500, 300, 20000);
	return s;
}

static iso_guarantee guarantee_of(const void *o)
{
	return ((const iso_gan_options *)o)->mode == 1 ? ISO_GUARANTEE_HEURISTIC : ISO_GUARANTEE_DP;
}

static double claimed_epsilon(const iso_gen_env *env)
{
	return guarantee_of(env->options) == ISO_GUARANTEE_DP ? NAN : env->epsilon;
}

ISO_GAN_SLOT_FUNCTIONS(spec_of)

const iso_generator iso_generator_dp_ctgan = {
	.abi = ISO_GENERATOR_ABI,
	.name = "dp-ctgan",
	.title = "DP-CTGAN: a GAN conditioned on a category of one column",
	.citation = "L. Xu, M. Skoularidou, A. Cuesta-Infante, K. Veeramachaneni, \"Modeling "
		    "Tabular data using Conditional GAN\", NeurIPS 2019, arXiv:1907.00503; L. "
		    "Rosenblatt et al., \"Differentially Private Synthetic Data: Applied "
		    "Evaluations and Enhancements\", 2020, arXiv:2011.05537",
	.card = "Generator and discriminator are told a category of one discrete column, drawn at "
		"random; the discriminator is trained by DP-SGD.\n"
		"Privacy (sound): each step is a Poisson-subsampled Gaussian of sensitivity C, the "
		"record drawn first and then the column; the frequencies of all categories are "
		"one noisy release.\n"
		"mode=paper uses the exact frequencies, as the released code does: epsilon is "
		"infinite; verify finds it.\n"
		"Deviations: Poisson batches, one noisy step per iteration, one clip for all "
		"tensors, min-max scaling, dense layers without normalisation and dropout.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_TABULAR | ISO_ACCEPTS_SEQUENCE | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	.guarantee_of = guarantee_of,
	.claimed_epsilon = claimed_epsilon,
	ISO_GAN_SLOTS,
};
