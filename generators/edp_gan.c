// SPDX-License-Identifier: Apache-2.0
/* edp-gan: a GAN with a noisy critic and an estimate of its expected privacy loss (Triastcyn and
 * Faltings 2019).
 *
 * WHAT.  The critic's second-to-last activation is clipped and noised for the sake of diversity;
 * how private the rows are is estimated afterwards, for the data at hand and on average, never in
 * the worst case.
 *
 * ALGORITHM (card "edp-gan" section 7, a reconstruction; loop in kit/gan_loop.c).
 *     h = SELU layers of D,  h <- h min(1, C / |h|) + N(0, (s C)^2 I),  fresh in every pass
 *     D: Adam on f(G(z)) - f(x), weights in [-c, c];  G: Adam on -f(G(z)),  n_critic = 5
 * Estimate (section "ex post" of the card; kit/expected_loss.h).  For `pairs` records, drawn at
 * random: train again without the record and with all other randomness unchanged, and estimate the
 * Kullback-Leibler divergence of the two laws from nearest neighbours, less that of the first law
 * from itself on the same latents.  With M and V the mean and variance over the pairs, Chebyshev's
 * inequality puts the expected loss of a random record below mu = M + sqrt(V / gamma)   with
 * probability 1 - gamma.
 *
 * PRIVACY ARGUMENT.  None: guarantee "none", epsilon infinite.  mu bounds an expectation over
 * records like those seen, outliers are left out by gamma, nearest neighbours underestimate in many
 * dimensions, the weights are not covered, and mu itself is computed from private rows: it is a
 * diagnostic ("uncharged_mu"), not to be published and no epsilon.
 *
 * DEVIATIONS.  The text is not open.  Wasserstein loss with clipped weights instead of a gradient
 * penalty, since the clip of the activation is not linear; the estimate is made on encoded rows,
 * projected to at most 8 dimensions at random.  pairs=0 leaves it out.  Averaged weights.
 *
 * COST.  pairs + 1 trainings.
 */
#include <math.h>

#include "generators/kit/expected_loss.h"
#include "generators/kit/gan_loop.h"

static const iso_option options[] = {
	ISO_GAN_OPT_STEPS("D steps; 0: 300 epochs, at most 20000"),
	ISO_GAN_OPT_ND("5"),
	ISO_GAN_OPT_LABEL,
	ISO_GAN_OPT_NETS("128,64", "128"),
	ISO_GAN_OPT_CONV(ISO_NET_CHOICES, "16,32,32"),
	ISO_OPT_REAL(iso_gan_options, layer_clip, "1", 1e-6, 1e6,
		     "L2 bound C of the second-to-last activation"),
	ISO_OPT_REAL(iso_gan_options, layer_noise, "0.5", 0, 1000, "noise on it, over C"),
	ISO_GAN_OPT_RATES("5e-4", "5e-4"),
	ISO_OPT_REAL(iso_gan_options, beta1, "0.5", 0, 0.999, "first-moment decay of Adam"),
	ISO_GAN_OPT_CLIP_WEIGHTS("0.5"),
	ISO_OPT_INT(iso_gan_options, pairs, "0", 0, 1000,
		    "records whose removal is tried for the estimate of the expected loss, a "
		    "training each; 0: no estimate (the card: 20)"),
	ISO_OPT_REAL(iso_gan_options, gamma, "0.01", 1e-9, 0.5,
		     "share of records for which the estimate may be exceeded"),
	ISO_GAN_OPT_AVERAGE("0.2"),
	{0},
};

static iso_gan_spec spec_of(const iso_gen_env *env)
{
	iso_gan_spec s = iso_wgan_spec("edp-gan", env, ISO_ADAM);
	s.fakes = ISO_FAKES_PUBLIC;
	s.is_private = 0;
	s.o.labels = ISO_LABELS_EXACT;
	s.act_d = ISO_ACT_SELU;
	s.noise = (iso_scorer_noise){
		.at = (size_t)(s.o.net == ISO_NET_CONV ? s.o.channels[0] : s.o.hidden[0]),
		.clip = s.o.layer_clip,
		.sd = s.o.layer_clip * s.o.layer_noise};
	return s;
}

ISO_GAN_SLOT_CHECK(spec_of)
ISO_GAN_SLOTS_OF_ENV(spec_of)

static iso_status train(const iso_fit *f, void **model, iso_error *err)
{
	const iso_gan_spec s = spec_of(&f->env);
	return iso_gan_fit(f, &s, model, err);
}

static iso_status fit(const iso_fit *f, void **model, iso_error *err)
{
	const iso_gan_spec s = spec_of(&f->env);
	const iso_expected_loss e = {.pairs = (size_t)s.o.pairs, .gamma = s.o.gamma};
	ISO_TRY(train(f, model, err));
	const iso_status st =
		s.o.pairs > 0 ? iso_expected_loss_note(&e, f, train, *model, err) : ISO_OK;
	if (st != ISO_OK) {
		iso_latent_destroy(*model);
		*model = NULL;
	}
	return st;
}

const iso_generator iso_generator_edp_gan = {
	.abi = ISO_GENERATOR_ABI,
	.name = "edp-gan",
	.title = "EDP-GAN: a noisy critic and an empirical estimate of the expected privacy loss, "
		 "not private",
	.citation = "A. Triastcyn, B. Faltings, \"Generating Artificial Data for Private Deep "
		    "Learning\", PAL workshop 2019, CEUR-WS 2335 (1st_PAL_paper_7), "
		    "arXiv:1803.03148v3",
	.card = "The critic clips and noises its second-to-last activation in every pass.\n"
		"Privacy: none, epsilon is infinite.  With pairs=K the method is trained again "
		"without each of K records and describes uncharged_mu, an estimate that the "
		"expected loss of a random record exceeds with probability gamma only: an "
		"average over records, computed from private rows, and no epsilon.\n"
		"Deviations: a reconstruction; clipped weights instead of a gradient penalty; the "
		"estimate on at most 8 random projections.",
	.guarantee = ISO_GUARANTEE_NONE,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	ISO_GAN_SLOTS,
};
