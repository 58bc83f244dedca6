// SPDX-License-Identifier: Apache-2.0
/* vae: beta-VAEs without privacy, the twin of ddp-bvae.
 *
 * WHAT.  The same code as ddp-bvae with no clipping and no noise: the ceiling for it.  single=true
 * trains one VAE on all rows with the label as one more block of the row (the plain tabular VAE of
 * the card "vae").
 *
 * ALGORITHM (Kingma and Welling 2014; beta as in Lomurno et al. 2022; loop in train_vae.c).
 *     Adam on the batch mean of recon(x, dec(z)) + beta KL(enc(x) || N(0, I)),  z = mu + sigma e,
 * log var in [-6, 2] Sample: z ~ N(0, I), decode, categories drawn in proportion to the block's
 * outputs (argmax would delete rare ones). The card's network for single=true: hidden=128,64
 * recon=mixed heads=softmax beta=1 latent=8 to 32.
 *
 * PRIVACY ARGUMENT.  None: guarantee "none".  The model keeps its encoders, so that white-box
 * attacks can score rows by reconstruction error.
 *
 * DEVIATIONS.  No early stopping on a validation part; decoded numbers are means, without
 * observation noise.
 *
 * COST.  As ddp-bvae without norms and noise.
 */
#include "generators/train_vae.h"

static const iso_option options[] = {
	ISO_OPT_BOOL(iso_vae_options, single, "false",
		     "one VAE for all rows, the label in the row"),
	ISO_OPT_ENUM(
		iso_vae_options, net, "auto", ISO_VAE_NETS,
		"networks, latent size and beta of the paper's Table I; auto: by the row's width"),
	ISO_OPT_INTS(iso_vae_options, hidden, "", 1, 8192,
		     "hidden layers of the encoder, reversed in the decoder; "
		     "empty: of the net"),
	ISO_OPT_INT(iso_vae_options, latent, "0", 0, 1024, "latent dimensions; 0: of the net"),
	ISO_OPT_REAL(iso_vae_options, beta, "-1", -1, 1000,
		     "weight of the KL term; -1: of the net"),
	ISO_OPT_ENUM(iso_vae_options, recon, "mse", "mse|ce|mixed",
		     "reconstruction: squared error; cross-entropy; mixed: cross-entropy for "
		     "categories, Gaussian sd 0.1 "
		     "for numbers"),
	ISO_OPT_ENUM(iso_vae_options, heads, "softmax", "sigmoid|softmax", "output of categories"),
	ISO_OPT_INT(iso_vae_options, batch, "0", 0, 65536,
		    "expected batch of a class; 0: 64, at most an eighth of it"),
	ISO_OPT_INT(iso_vae_options, epochs, "0", 0, 100000,
		    "passes over each class; 0: 50, but at least 2400 steps"),
	ISO_OPT_REAL(iso_vae_options, lr, "0", 0, 100,
		     "learning rate (Adam); 0: 4/steps within [1e-3, 1e-2]"),
	ISO_OPT_REAL(iso_vae_options, average, "0", 0, 1,
		     "horizon of the average of the weights as a share of the steps; 0: none"),
	ISO_OPT_ENUM(iso_vae_options, classes, "balanced", "balanced|prior",
		     "classes of a sample (single=false)"),
	ISO_OPT_ENUM(iso_vae_options, categories, "draw", "draw|argmax", "categories of a sample"),
	{0},
};

static iso_vae_spec spec_of(const void *options_)
{
	const iso_vae_options *o = options_;
	return (iso_vae_spec){.who = "vae",
			      .o = o,
			      .counts = ISO_LABELS_EXACT,
			      .average = o->average,
			      .keep_encoder = 1};
}

static iso_status check(const iso_gen_env *env, iso_error *err)
{
	const iso_vae_spec s = spec_of(env->options);
	return iso_bvae_check(env, &s, err);
}

static iso_status fit(const iso_fit *f, void **model, iso_error *err)
{
	const iso_vae_spec s = spec_of(f->env.options);
	return iso_bvae_fit(f, &s, model, err);
}

static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **model,
		       iso_error *err)
{
	const iso_vae_spec s = spec_of(env->options);
	return iso_bvae_load(env, &s, bytes, n, model, err);
}

const iso_generator iso_generator_vae = {
	.abi = ISO_GENERATOR_ABI,
	.name = "vae",
	.title = "beta-VAE per class (or one for all), not private",
	.citation = "D. P. Kingma, M. Welling, \"Auto-Encoding Variational Bayes\", ICLR 2014, "
		    "arXiv:1312.6114; per-class "
		    "beta form of E. Lomurno et al. 2022",
	.card = "The non-private twin of ddp-bvae: the same networks, loss and sampling without "
		"clipping and noise; "
		"with single=true one VAE over rows that include the label.\n"
		"Privacy: none. The encoders stay in the model, so white-box attacks can use "
		"reconstruction errors.\n"
		"Deviations: no early stopping; decoded numbers carry no observation noise.",
	.guarantee = ISO_GUARANTEE_NONE,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	.options = options,
	.options_size = sizeof(iso_vae_options),
	.check = check,
	.fit = fit,
	.sample = iso_bvae_sample,
	.destroy = iso_bvae_destroy,
	.score = iso_bvae_score,
	.latent_dim = iso_bvae_latent_dim,
	.encode = iso_bvae_encode,
	.decode = iso_bvae_decode,
	.save = iso_bvae_save,
	.load = load,
	.describe = iso_bvae_describe,
};
