// SPDX-License-Identifier: Apache-2.0
/* privae: a VAE with a term that compares the codes of a whole batch with the prior, its gradient
 * aggregated term by term (Takahashi, Takagi, Ono, Komatsu 2020).
 *
 * ALGORITHM (their term-wise DP-SGD; loop in kit/vae_loop.c, term in kit/vae_term.c).
 *     loss  sum_i [ recon(x_i, dec(z_i)) + beta KL(q(z|x_i) || p) ]  +  B alpha D(codes, p)
 * with D the dimension-wise MMD or the inclusive KL between batch codes and prior p.  D couples the
 * records: its gradient has no share per record that another record cannot move.  So, per step on
 * one Poisson batch,
 *     G = sum_i clip_C(gradient of i's own terms),      h = clip_C2(alpha grad D) as one vector,
 *     Adam on (G + noise) / B + (h + noise).
 * The whole model is released, encoder and decoder.  Sample: z ~ p, decode, draw.
 *
 * PRIVACY ARGUMENT.  Neighbours: add or remove one record.
 *  - "vae-step": a record moves G by at most C and h, being bounded whatever the batch is, by at
 *    most 2 C2.  (sqrt(1 - f) G / C, sqrt(f) h / (2 C2)) moves by at most 1 in L2 and is released
 *    by ONE Poisson-subsampled Gaussian (core/nn/dpsgd.h, iso_batch_term).  Prior draws come from
 *    the public stream; with fewer than two records h = 0; no batch statistics in the networks.
 *  - per class (the default): as ddp-bvae, classes in parallel and "label-histogram".
 *  - Adam, averages, sampling are post-processing.
 *
 * MODE=NAIVE (guarantee dp): the gradient of the coupled loss per record, each clipped to C.  Every
 * one of them moves when a record goes, so the step declares 2 B C, on the first B records of the
 * batch: noise on G is sqrt(2) B times that of the term-wise step at equal shares.
 * MODE=COUPLED (guarantee heuristic, epsilon infinite): the same gradients, noised as if only the
 * record's own had moved.  That is what plain DP-SGD code does with such a loss; `verify` finds
 * "vae-step" move by more than it declares.
 *
 * DEVIATIONS.  The paper's constants are not known to us: C2 = C / 10, f = 0.2.  term_share=0 puts
 * f where the noise of the sum is least, 2 C2 / (C/B + 2 C2): better for the codes, worse for the
 * decoder, which only G trains.  The paper does not use the model as a generator: one VAE per class
 * instead of one on all rows (single=true).  C2 = C / B would make
 * the two noises alike, but then h is at most 1/B of what G / B may be and the term has no effect,
 * whatever its weight: four arms of a pinwheel fall into four clusters with C2 = C / 10 (adjusted
 * Rand index 0.97) and not with C / B (0.3), both without noise (tests/oracle/gen_privae.c).  The
 * scale of a posterior is exp(lv / 2) with lv in [-6, 2] instead of a softplus; convolutions
 * (layers=conv) have no batch norm and two strided layers; likelihoods as in ddp-bvae.
 *
 * COST.  A divergence takes O(B^2 latent) per step: 6 ms for 256 records and 8 dimensions.
 */
#include <math.h>

#include "generators/kit/vae_loop.h"

static const iso_option options[] = {
	ISO_OPT_ENUM(iso_vae_options, mode, "sound", "sound|naive|coupled",
		     "gradients of the two terms apart; of the coupled loss at its true "
		     "sensitivity 2 B C; of the coupled loss at C, which is not private"),
	ISO_OPT_ENUM(iso_vae_options, divergence, "mmd", "none|mmd|inclusive-kl",
		     "batch-wise term between codes and prior"),
	ISO_OPT_ENUM(iso_vae_options, prior, "normal", "normal|sparse|clusters",
		     "prior of the latents: standard normal; 0.8 N(0, 0.05^2) + 0.2 N(0, 1); four "
		     "clusters in the first two dimensions"),
	ISO_OPT_REAL(iso_vae_options, alpha, "-1", -1, 1e6,
		     "weight of the batch-wise term; -1: 100 for mmd, 1 for inclusive-kl"),
	ISO_OPT_REAL(iso_vae_options, clip_term, "0", 0, 1e6,
		     "L2 bound C2 of the batch-wise gradient; 0: clip / 10"),
	ISO_OPT_REAL(iso_vae_options, term_share, "0.2", 0, 0.99,
		     "share of a step's budget of the batch-wise term; 0: where the noise of the "
		     "sum is least"),
	ISO_OPT_BOOL(iso_vae_options, single, "false",
		     "one VAE with the label in the row; false: one per class"),
	ISO_OPT_ENUM(iso_vae_options, counts, "histogram", ISO_LABEL_CHOICES,
		     "class counts of single=false: a noisy histogram, uniform, or the suite's "
		     "public counts"),
	ISO_OPT_ENUM(iso_vae_options, layers, "dense", ISO_NET_CHOICES,
		     "hidden layers; conv: channels, for rows that are one image (single=false)"),
	ISO_OPT_INTS(iso_vae_options, hidden, "", 1, 8192,
		     "hidden layers of the encoder, reversed in the decoder; empty: 128,64, and "
		     "32,64 channels with layers=conv"),
	ISO_OPT_INT(iso_vae_options, latent, "0", 0, 1024, "latent dimensions; 0: 8, images 50"),
	ISO_OPT_REAL(iso_vae_options, beta, "1", 0, 1000, "weight of the KL term"),
	ISO_OPT_ENUM(iso_vae_options, recon, "likelihood", "likelihood|mse|ce|mixed",
		     "reconstruction, as ddp-bvae"),
	ISO_OPT_ENUM(iso_vae_options, heads, "softmax", "sigmoid|softmax", "output of categories"),
	ISO_OPT_ENUM(iso_vae_options, categories, "draw", "draw|argmax", "categories of a sample"),
	ISO_OPT_INT(iso_vae_options, batch, "0", 0, 65536,
		    "expected batch of a VAE; 0: 64, at most an eighth of its rows"),
	ISO_OPT_INT(iso_vae_options, epochs, "50", 0, 100000,
		    "passes over the rows; 0: 50, but at least 2400 steps"),
	ISO_OPT_REAL(iso_vae_options, lr, "0", 0, 100,
		     "learning rate (Adam); 0: 4/steps within [1e-3, 1e-2]"),
	ISO_OPT_ENUM(iso_vae_options, classes, "prior", "balanced|prior",
		     "classes of a sample, with one VAE per class"),
	ISO_OPT_REAL(iso_vae_options, clip, "1", 1e-6, 1e6, "L2 bound C of a record's gradient"),
	ISO_OPT_REAL(iso_vae_options, label_share, "0.02", 1e-6, 0.9,
		     "share of the budget of the class counts"),
	ISO_OPT_REAL(iso_vae_options, average, "0.2", 0, 1,
		     "horizon of the average of the weights as a share of the steps; 0: none"),
	{0},
};

/* The card's networks where none is asked for. */
static iso_status spec_of(const iso_gen_env *env, iso_vae_spec *s, iso_error *err)
{
	iso_vae_options o = *(const iso_vae_options *)env->options;
	iso_gen_env asked = *env;
	size_t dim = 0;
	const int conv = o.layers == ISO_NET_CONV;
	ISO_TRY(iso_rows_width(env->schema, ISO_ENC_FEATURES, &dim, err));
	if (o.hidden[0] == 0) {
		o.hidden[0] = 2;
		o.hidden[1] = conv ? 32 : 128;
		o.hidden[2] = 64;
	}
	if (o.latent == 0)
		o.latent = dim >= 300 ? 50 : 8;
	asked.options = &o;
	ISO_TRY(iso_vae_spec_of("privae", &asked, 1, s, err));
	s->terms = o.mode;
	s->keep_encoder = 1;
	return ISO_OK;
}

#define UNPAID "coupled-gradients"

static int unpaid(const iso_vae_options *o)
{
	return o->mode == ISO_TERMS_COUPLED && o->divergence != ISO_DIVERGENCE_NONE;
}

static iso_guarantee guarantee_of(const void *o)
{
	return unpaid(o) ? ISO_GUARANTEE_HEURISTIC : ISO_GUARANTEE_DP;
}

static double claimed_epsilon(const iso_gen_env *env)
{
	return unpaid(env->options) ? env->epsilon : NAN;
}

ISO_VAE_SLOT_FUNCTIONS(spec_of)

static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	iso_vae_spec s;
	ISO_TRY(spec_of(env, &s, err));
	ISO_TRY(iso_vae_plan(env, &s, scale, out, err));
	return unpaid(env->options) ? iso_plan_uncharged(out, UNPAID, err) : ISO_OK;
}

static iso_status fit(const iso_fit *f, void **model, iso_error *err)
{
	iso_vae_spec s;
	ISO_TRY(spec_of(&f->env, &s, err));
	if (unpaid(f->env.options))
		ISO_TRY(iso_ledger_uncharged(f->ledger, UNPAID, err));
	return iso_vae_fit(f, &s, model, err);
}

const iso_generator iso_generator_privae = {
	.abi = ISO_GENERATOR_ABI,
	.name = "privae",
	.title = "PriVAE: a private VAE with a batch-wise divergence, by term-wise aggregation",
	.citation = "T. Takahashi, S. Takagi, H. Ono, T. Komatsu, \"Differentially Private "
		    "Variational Autoencoders with Term-wise Gradient Aggregation\", 2020, "
		    "arXiv:2006.11204",
	.card = "Trains a VAE whose loss also compares the codes of the batch with the prior (MMD "
		"or inclusive KL); the gradient of that term is clipped as one vector and noised "
		"apart from the records' gradients.\n"
		"Privacy: both sums are released by one Poisson-subsampled Gaussian; the batch "
		"term has the sensitivity 2 C2 whatever the batch is. mode=naive clips the coupled "
		"gradients per record and pays 2 B C; mode=coupled does not pay and is not "
		"private; verify finds it.\n"
		"Deviations: clip bound and budget share of the batch term are not known from the "
		"paper; clamped log variances; no batch norm.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	.guarantee_of = guarantee_of,
	.claimed_epsilon = claimed_epsilon,
	ISO_VAE_SLOTS,
	.plan = plan,
	.score = iso_vae_score,
	.encode = iso_latent_encode,
};
