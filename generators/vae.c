// SPDX-License-Identifier: Apache-2.0
/* vae: beta-VAEs without privacy, the twin of ddp-bvae.
 *
 * WHAT.  The same code as ddp-bvae with no clipping and no noise: the ceiling for it.  single=true
 * trains one VAE on all rows with the label as one more block of the row (the plain tabular VAE of
 * the card "vae").
 *
 * ALGORITHM (Kingma and Welling 2014; beta as in Lomurno et al. 2022; loop in kit/vae_loop.c).
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
#include "generators/kit/vae_loop.h"

static const iso_option options[] = {
	ISO_OPT_BOOL(iso_vae_options, single, "false",
		     "one VAE for all rows, the label in the row"),
	ISO_VAE_OPT_NETS,
	ISO_VAE_OPT_STEPS("0", "passes over each class; 0: 50, but at least 2400 steps"),
	ISO_OPT_REAL(iso_vae_options, average, "0.2", 0, 1,
		     "horizon of the average of the weights as a share of the steps; 0: none"),
	{0},
};

static iso_status spec_of(const iso_gen_env *env, iso_vae_spec *s, iso_error *err)
{
	ISO_TRY(iso_vae_spec_of("vae", env, 0, s, err));
	s->counts = ISO_LABELS_EXACT;
	s->keep_encoder = 1;
	return ISO_OK;
}

ISO_VAE_SLOT_FUNCTIONS(spec_of)

static iso_status fit(const iso_fit *f, void **model, iso_error *err)
{
	iso_vae_spec s;
	ISO_TRY(spec_of(&f->env, &s, err));
	return iso_vae_fit(f, &s, model, err);
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
	.version = 2,
	ISO_VAE_SLOTS,
	.score = iso_vae_score,
	.encode = iso_latent_encode,
};
