// SPDX-License-Identifier: Apache-2.0
/* cgan: conditional GAN without privacy (Mirza and Osindero 2014), the ceiling of dp-cgan and
 * cgan-basic-dp.
 *
 * WHAT.  Both networks receive the class label beside their input, so samples come with labels.
 *
 * ALGORITHM (loop in kit/gan_loop.c).
 *     min_G max_D E log D(x | y) + E log(1 - D(G(z | y) | y)),  z ~ U[-1,1]^z
 *     D: Adam on (1/B) [ sum_{i in batch} CE(D(x_i, y_i), 1) + sum_j CE(D(G(z_j, y_j), y_j), 0) ]
 *     G: Adam on mean_j CE(D(G(z_j, y_j), y_j), 1)
 * Architecture and settings of the CGAN column of Torkzadehmahani et al. 2019 (their code): two
 * dense layers each, h = 128, z = 100, weights N(0, 2/in), batch 600, Adam 1e-3 for both.
 * classify: D is not told the label but has an output per class and one for fakes (Salimans et al.
 * 2016, section 5); a D that is told it looks at 10 of 794 inputs late.
 *
 * PRIVACY ARGUMENT.  None: guarantee "none", nothing is clipped, noised or booked, samples follow
 * the exact class counts.
 *
 * DEVIATIONS.  The paper's MNIST nets (maxout, dropout, SGD with momentum) are not used: the
 * comparison asks for the nets of the private variants.  Labels of the fakes are drawn from the
 * class frequencies, not copied from the batch.  Given out is a running average of G's weights,
 * with Adam's beta1 = 0.5 (average=0 beta1=0.9: as in the paper's code).
 *
 * COST.  As dp-cgan without clipping and noise.
 */
#include "generators/kit/gan_loop.h"

static const iso_option options[] = {
	ISO_GAN_OPT_STEPS("D steps; 0: 300 epochs, at most 30000"),
	ISO_GAN_OPT_ND("2"),
	ISO_GAN_OPT_CLASSIFY,
	ISO_GAN_OPT_NETS("128", "100"),
	ISO_GAN_OPT_CONV(ISO_NET_CHOICES, "16,32"),
	ISO_GAN_OPT_RATES("1e-3", "5e-4"),
	ISO_OPT_REAL(iso_gan_options, beta1, "0.5", 0, 0.999,
		     "first-moment decay of Adam (paper: 0.9)"),
	ISO_GAN_OPT_AVERAGE("0.2"),
	{0},
};

static iso_gan_spec spec_of(const iso_gen_env *env)
{
	iso_gan_spec s = iso_cgan_spec("cgan", env, 0);
	s.is_private = 0;
	s.o.labels = ISO_LABELS_EXACT;
	s.rule_d = ISO_ADAM;
	return s;
}

ISO_GAN_SLOT_FUNCTIONS(spec_of)

const iso_generator iso_generator_cgan = {
	.abi = ISO_GENERATOR_ABI,
	.name = "cgan",
	.title = "CGAN: conditional GAN, not private",
	.citation = "M. Mirza, S. Osindero, \"Conditional Generative Adversarial Nets\", "
		    "arXiv:1411.1784, 2014; "
		    "networks and "
		    "settings of arXiv:2001.09700",
	.card = "A conditional GAN: generator and discriminator both see the class label.\n"
		"Privacy: none; the ceiling that the private variants are measured against.\n"
		"Deviations: the networks of the DP-CGAN paper's comparison, not the maxout nets "
		"of 2014.",
	.guarantee = ISO_GUARANTEE_NONE,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_CLASSES,
	.version = 2,
	ISO_GAN_SLOTS,
};
