// SPDX-License-Identifier: Apache-2.0
/* cgan-basic-dp: conditional GAN under plain DP-SGD, the baseline of DP-CGAN (Torkzadehmahani et
 * al. 2019, Table 1).
 *
 * WHAT.  As dp-cgan, with the standard clipping rule (Abadi et al. 2016): the gradient of the sum
 * of a record's real and fake loss is clipped once.  The control that isolates what separate
 * clipping does.
 *
 * ALGORITHM (loop in train_gan.c).  q = B/n, T steps; for each i of a Poisson(q) batch, z_i ~
 * U[-1,1]^z: g_i = grad [ CE(D(x_i, y_i), 1) + CE(D(G(z_i, y_i), y_i), 0) ],     g_i <- g_i /
 * max(1, |g_i| / C) D: SGD on (1/B) [ sum_i g_i + N(0, (sigma C)^2 I) ] G: Adam on mean_j
 * CE(D(G(z_j, y_j), y_j), 1), j = 1..B, y_j ~ released label law |g_i|^2 = sum over layers |d|^2
 * |a|^2 + |d'|^2 |a'|^2 + 2 (d.d')(a.a') by book-keeping (core/nn/dpsgd.h).
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
 * sigma is not stated in the paper; 1.12 and C = 1.1 match dp-cgan.  Poisson batches.  mode=sound:
 * average of G's weights, Adam's beta1 = 0.5 (post-processing).
 *
 * COST.  As dp-cgan plus a forward pass of G on the batch.
 */
#include <math.h>

#include "generators/train_gan.h"

static const iso_option options[] = {
	ISO_OPT_ENUM(
		iso_gan_options, mode, "sound", "sound|paper",
		"paper: the generator sees the batch's labels, exact class counts; not private"),
	ISO_OPT_ENUM(iso_gan_options, labels, "histogram", ISO_LABEL_CHOICES,
		     "law of the labels: a noisy histogram, uniform, or the suite's public class "
		     "counts (mode=sound)"),
	ISO_OPT_INT(iso_gan_options, steps, "0", 0, 10000000,
		    "steps; 0: 300 epochs, at most 30000"),
	ISO_OPT_INT(iso_gan_options, batch, "0", 0, 65536, "expected batch; 0: 600, at most n/8"),
	ISO_OPT_INT(iso_gan_options, hidden, "128", 1, 8192, "hidden units of both networks"),
	ISO_OPT_INT(iso_gan_options, z_dim, "100", 1, 4096, "latent dimensions"),
	ISO_OPT_REAL(iso_gan_options, clip, "1.1", 1e-6, 1e6,
		     "L2 bound C of a record's gradient, both halves together"),
	ISO_OPT_REAL(iso_gan_options, sigma, "0", 0, 1e6,
		     "noise multiplier; 0: calibrated to epsilon (mode=paper: 1.12); given: fixed, "
		     "epsilon as it falls"),
	ISO_OPT_REAL(iso_gan_options, label_share, "0.02", 1e-6, 0.9,
		     "share of the budget of the label histogram"),
	ISO_OPT_REAL(iso_gan_options, lr_d, "0.15", 0, 100, "first learning rate of D (SGD)"),
	ISO_OPT_REAL(iso_gan_options, lr_d_end, "0.052", 0, 100, "last learning rate of D"),
	ISO_OPT_INT(iso_gan_options, lr_d_steps, "10000", 0, 10000000, "steps over which it falls"),
	ISO_OPT_REAL(iso_gan_options, lr_g, "1e-3", 0, 100, "learning rate of G (Adam)"),
	ISO_OPT_REAL(iso_gan_options, beta1, "-1", -1, 0.999,
		     "first-moment decay of Adam; -1: 0.5 (mode=paper: 0.9)"),
	ISO_OPT_REAL(iso_gan_options, average, "-1", -1, 1,
		     "horizon of the average of G's weights as a share of the steps; -1: 0.2 "
		     "(mode=paper: none)"),
	ISO_OPT_ENUM(iso_gan_options, categories, "draw", "draw|argmax", "categories of a sample"),
	{0},
};

#define PUBLISHED_SIGMA 1.12
#define PUBLISHED_EPSILON 9.6

/* The option's value, or what stands for "choose for me". */
static double given(double value, double least, double otherwise)
{
	return value >= least ? value : otherwise;
}

static iso_gan_spec spec_of(const void *options_)
{
	const iso_gan_options *o = options_;
	const int paper = o->mode == 1;
	return (iso_gan_spec){
		.who = "cgan-basic-dp",
		.o = o,
		.fakes = ISO_FAKES_PAIRED,
		.labels = paper ? ISO_LABELS_EXACT : o->labels,
		.is_private = 1,
		.private_generator_step = paper,
		.beta1 = given(o->beta1, 0, paper ? 0.9 : 0.5),
		.average = given(o->average, 0, paper ? 0 : 0.2),
		.sigma = given(o->sigma, 1e-300, paper ? PUBLISHED_SIGMA : 0),
	};
}

static iso_guarantee guarantee_of(const void *o)
{
	return ((const iso_gan_options *)o)->mode == 1 ? ISO_GUARANTEE_HEURISTIC : ISO_GUARANTEE_DP;
}

static double claimed_epsilon(const iso_gen_env *env)
{
	const iso_gan_options *o = env->options;
	return o->mode == 1 && (o->sigma == 0 || o->sigma == PUBLISHED_SIGMA) ? PUBLISHED_EPSILON
									      : NAN;
}

static iso_status check(const iso_gen_env *env, iso_error *err)
{
	const iso_gan_spec s = spec_of(env->options);
	return iso_gan_check(env, &s, err);
}

static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	const iso_gan_spec s = spec_of(env->options);
	return iso_gan_plan(env, &s, scale, out, err);
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
	.version = 1,
	.options = options,
	.options_size = sizeof(iso_gan_options),
	.guarantee_of = guarantee_of,
	.claimed_epsilon = claimed_epsilon,
	.check = check,
	.plan = plan,
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
