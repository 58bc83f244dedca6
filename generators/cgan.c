// SPDX-License-Identifier: Apache-2.0
/* cgan: conditional GAN without privacy (Mirza and Osindero 2014), the ceiling of dp-cgan and
 * cgan-basic-dp.
 *
 * WHAT.  Both networks receive the class label beside their input, so samples come with labels.
 *
 * ALGORITHM (loop in train_gan.c).  min_G max_D E log D(x | y) + E log(1 - D(G(z | y) | y)), z ~
 * U[-1,1]^z: D: Adam on (1/B) [ sum_{i in batch} CE(D(x_i, y_i), 1) + sum_j CE(D(G(z_j, y_j), y_j),
 * 0) ] G: Adam on mean_j CE(D(G(z_j, y_j), y_j), 1) Architecture and settings of the CGAN column of
 * Torkzadehmahani et al. 2019 (their code): two dense layers each, h = 128, z = 100, weights N(0,
 * 2/in), batch 600, Adam 1e-3 for both.
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
#include "generators/train_gan.h"

static const iso_option options[] = {
	ISO_OPT_INT(iso_gan_options, steps, "0", 0, 10000000,
		    "steps; 0: 300 epochs, at most 30000"),
	ISO_OPT_INT(iso_gan_options, batch, "0", 0, 65536, "expected batch; 0: 600, at most n/8"),
	ISO_OPT_INT(iso_gan_options, hidden, "128", 1, 8192, "hidden units of both networks"),
	ISO_OPT_INT(iso_gan_options, z_dim, "100", 1, 4096, "latent dimensions"),
	ISO_OPT_REAL(iso_gan_options, lr_d, "1e-3", 0, 100, "learning rate of D (Adam)"),
	ISO_OPT_REAL(iso_gan_options, lr_g, "1e-3", 0, 100, "learning rate of G (Adam)"),
	ISO_OPT_REAL(iso_gan_options, beta1, "0.5", 0, 0.999,
		     "first-moment decay of Adam (paper: 0.9)"),
	ISO_OPT_REAL(iso_gan_options, average, "0.2", 0, 1,
		     "horizon of the average of G's weights as a share of the steps (paper: 0)"),
	ISO_OPT_ENUM(iso_gan_options, categories, "draw", "draw|argmax", "categories of a sample"),
	{0},
};

static iso_gan_spec spec_of(const void *options_)
{
	const iso_gan_options *o = options_;
	return (iso_gan_spec){
		.who = "cgan",
		.o = o,
		.fakes = ISO_FAKES_PUBLIC,
		.labels = ISO_LABELS_EXACT,
		.adam_d = 1,
		.beta1 = o->beta1,
		.average = o->average,
	};
}

static iso_status check(const iso_gen_env *env, iso_error *err)
{
	const iso_gan_spec s = spec_of(env->options);
	return iso_gan_check(env, &s, err);
}

static iso_status fit(const iso_fit *f, void **model, iso_error *err)
{
	const iso_gan_spec s = spec_of(f->env.options);
	return iso_gan_fit(f, &s, model, err);
}

static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **model,
		       iso_error *err)
{
	const iso_gan_spec s = spec_of(env->options);
	return iso_gan_load(env, &s, bytes, n, model, err);
}

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
	.version = 1,
	.options = options,
	.options_size = sizeof(iso_gan_options),
	.check = check,
	.fit = fit,
	.sample = iso_gan_sample,
	.destroy = iso_gan_destroy,
	.score = iso_gan_score,
	.latent_dim = iso_gan_latent_dim,
	.decode = iso_gan_decode,
	.save = iso_gan_save,
	.load = load,
	.describe = iso_gan_describe,
};
