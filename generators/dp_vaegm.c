// SPDX-License-Identifier: Apache-2.0
/* dp-vaegm: one differentially private variational auto-encoder per class (Chen et al. 2018).
 *
 * ALGORITHM (their DP-VaeGM; loop in kit/vae_loop.c).  The table is split by label.  For every
 * class c, with q_c = B / n_c and T_c steps: L(x) = recon(x, dec(z)) + beta KL(enc(x) || N(0, I)),
 * z = mu + sd e Adam on (1/B) [ sum_{x in Poisson(q_c) batch} clip_C(grad L) + N(0, (sigma_c C)^2
 * I) ] Encoders are thrown away.  Sample: class by its noisy count, z ~ N(0, I), row = dec_c(z),
 * label c.
 *
 * PRIVACY ARGUMENT.  Neighbours: add or remove one record.
 *  - "label-histogram": one Gaussian histogram of the classes, sensitivity 1, share label_share.
 *  - "vae-step", part c: a record adds one vector of norm at most C to the sums of its own class.
 * q_c and T_c follow from the noisy count; the plan holds the same cap in RDP for every class, and
 *    sigma_c is the noise with which all T_c steps stay below it (kit/pace.h; Feldman and Zrnic
 * 2021, Theorem 4.3).  So every class costs the same and small classes get more noise.
 *  - Classes are disjoint: they compose in parallel (group 1), the total is the largest.  Under
 *    replace-one two classes may change: they compose in sequence, at rates from public numbers.
 *  - Adam, the averaged decoder and samples are post-processing.
 *
 * DEVIATIONS.  The paper takes exact class counts; rates computed from the whole table (q = B/n)
 * would under-count.  Layer sizes are not stated: d-128-64-z, images d-400-20.  Numbers have a
 * learned deviation, categories a softmax.
 *
 * COST.  About 0.2 ms per step of 64 rows with Adult's columns.
 */
#include "generators/kit/vae_loop.h"

static const iso_option options[] = {
	ISO_OPT_ENUM(iso_vae_options, counts, "histogram", ISO_LABEL_CHOICES,
		     "class counts: a noisy histogram, uniform, or the suite's public counts"),
	ISO_OPT_INTS(
		iso_vae_options, hidden, "", 1, 8192,
		"hidden layers of the encoder, reversed in the decoder; empty: 128,64, and 400 "
		"for images"),
	ISO_OPT_INT(iso_vae_options, latent, "0", 0, 1024,
		    "latent dimensions; 0: 8, 16 or 20 by the row's width"),
	ISO_OPT_REAL(iso_vae_options, beta, "1", 0, 1000, "weight of the KL term"),
	ISO_OPT_ENUM(iso_vae_options, recon, "likelihood", "likelihood|mse|ce|mixed",
		     "reconstruction: cross-entropy and Gaussians of learned deviation; squared "
		     "error; cross-entropy; cross-entropy and Gaussians of sd 0.1"),
	ISO_OPT_ENUM(iso_vae_options, heads, "softmax", "sigmoid|softmax", "output of categories"),
	ISO_OPT_ENUM(iso_vae_options, categories, "draw", "draw|argmax", "categories of a sample"),
	ISO_OPT_INT(iso_vae_options, batch, "0", 0, 65536,
		    "expected batch of a class; 0: 64, at most an eighth of it"),
	ISO_OPT_INT(iso_vae_options, epochs, "50", 0, 100000,
		    "passes over each class; 0: 50, but at least 2400 steps"),
	ISO_OPT_REAL(iso_vae_options, lr, "0", 0, 100,
		     "learning rate (Adam); 0: 4/steps within [1e-3, 1e-2]"),
	ISO_OPT_ENUM(iso_vae_options, classes, "prior", "balanced|prior", "classes of a sample"),
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
	ISO_TRY(iso_rows_width(env->schema, ISO_ENC_FEATURES, &dim, err));
	if (o.hidden[0] == 0) {
		o.hidden[0] = dim >= 300 ? 1 : 2;
		o.hidden[1] = dim >= 300 ? 400 : 128;
		o.hidden[2] = dim >= 300 ? 0 : 64;
	}
	if (o.latent == 0)
		o.latent = dim >= 300 ? 20 : dim >= 50 ? 16 : 8;
	asked.options = &o;
	ISO_TRY(iso_vae_spec_of("dp-vaegm", &asked, 1, s, err));
	s->by_count = 1;
	return ISO_OK;
}

ISO_VAE_SLOT_FUNCTIONS(spec_of)

static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	iso_vae_spec s;
	ISO_TRY(spec_of(env, &s, err));
	return iso_vae_plan(env, &s, scale, out, err);
}

static iso_status fit(const iso_fit *f, void **model, iso_error *err)
{
	iso_vae_spec s;
	ISO_TRY(spec_of(&f->env, &s, err));
	return iso_vae_fit(f, &s, model, err);
}

const iso_generator iso_generator_dp_vaegm = {
	.abi = ISO_GENERATOR_ABI,
	.name = "dp-vaegm",
	.title = "DP-VaeGM: one private variational auto-encoder per class",
	.citation = "Q. Chen, C. Xiang, M. Xue, B. Li, N. Borisov, D. Kaafar, H. Zhu, "
		    "\"Differentially Private Data Generative Models\", 2018, arXiv:1812.02274",
	.card = "Trains one VAE per class by DP-SGD at the class's own sampling rate and decodes "
		"Gaussian noise, labelled by class.\n"
		"Privacy: noisy class counts; per class, Poisson-subsampled Gaussians whose noise "
		"fills the same cap in Renyi DP; classes in parallel.\n"
		"Deviations: noisy instead of exact class counts; layer sizes are not stated in "
		"the "
		"paper.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	ISO_VAE_SLOTS,
	.plan = plan,
};
