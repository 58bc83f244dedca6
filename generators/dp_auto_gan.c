// SPDX-License-Identifier: Apache-2.0
/* dp-auto-gan: a GAN whose generator makes codes of a private auto-encoder (Tantipongpipat et al.
 * 2019).
 *
 * ALGORITHM (card "dp-auto-gan"; phase 2 in kit/gan_loop.c).
 *   1. Auto-encoder d - (d + k)/2 - k - (d + k)/2 - d, T_1 steps: g_i = grad CE(dec(enc(x_i)),
 * x_i), i in a Poisson batch, g_i <- g_i / max(1, |g_i| / C_1);  Adam on (1/B_1) [ sum_i g_i + N(0,
 * (sigma_1 C_1)^2 I) ]
 *   2. A Wasserstein GAN: G makes codes, fakes are dec(G(z)), z ~ N(0, I), with the decoder fixed.
 *      The critic is trained on rows: n_d times per step of G
 *      f_i = grad f(x_i) clipped to C, RMSProp on (1/B) [ sum_i -f_i + N(0, (sigma C)^2 I) ] and
 *      as many fakes; weights into [-c, c]
 * The label is one of the columns.
 *
 * ENCODER.  joint: encoder and decoder under one clip, one event per step.  frozen: a random
 * encoder that is never trained (the authors' MIMIC script); only the decoder is in the step.
 *
 * PRIVACY ARGUMENT (mode=sound).  Neighbours: add or remove one record.  "ae-step": T_1
 * Poisson-subsampled Gaussians of sensitivity C_1; all that a gradient depends on besides its
 * record was released by earlier steps, or is random.  "disc-step": the same for the critic, with
 * sensitivity C; fakes, weight clipping, G and samples are post-processing.  ae_share of the budget
 * is the auto-encoder's.
 *
 * MODE=PAPER (guarantee "heuristic", epsilon infinite).  As published the encoder learns from raw
 * gradients and only the decoder's are clipped and noised.  The encoder is not released, but every
 * later gradient of every record goes through it: a record moves all of them, and the sum by up to
 * 2 B C_1.  Booked as "unsound-encoder", uncharged; the claim is the epsilon that was asked for.
 * `verify` finds sums of batches without the record changed.
 *
 * DEVIATIONS.  G is dense with biases, without layer norm and residual additions.  Cross-entropy is
 * summed over a row, so C_1 is 1 instead of 0.012.  Softmax blocks and relaxed draws in training
 * (heads=sigmoid: as published).  n_d is 5 instead of 15.  A running average of G's weights is
 * given out.  Bounds are public.
 *
 * COST.  About 4 B_1 T_1 d k rows through the auto-encoder, then as dp-gan-xie.
 */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/nn/dpsgd.h"
#include "generators/kit/gan_loop.h"

enum { JOINT, FROZEN }; /* encoder */

typedef struct opts {
	iso_gan_options gan; /* first: the kit reads it */
	int encoder;
	int64_t code, ae_steps, ae_batch, generator[ISO_OPT_LIST_MAX + 1];
	double ae_clip, ae_lr, ae_share;
} opts;

static const iso_option options[] = {
	ISO_GAN_OPT_MODE("paper: the encoder learns from raw gradients; not private"),
	ISO_OPT_ENUM(opts, encoder, "joint", "joint|frozen",
		     "mode=sound: under one clip with the decoder, or random and fixed"),
	ISO_OPT_INT(opts, code, "0", 0, 1024,
		    "dimensions of a code; 0: 15, and 64 for rows of 300 and more"),
	ISO_OPT_INT(opts, ae_steps, "0", 0, 10000000,
		    "steps of the auto-encoder; 0: 200 epochs, at most 10000"),
	ISO_OPT_INT(opts, ae_batch, "0", 0, 65536, "its expected batch; 0: 64, at most n/8"),
	ISO_OPT_REAL(opts, ae_clip, "1", 1e-6, 1e6, "L2 bound of a record's gradient in it"),
	ISO_OPT_REAL(opts, ae_lr, "5e-3", 0, 100, "its learning rate (Adam)"),
	ISO_OPT_REAL(opts, ae_share, "0.4", 0.01, 0.99, "its share of the budget"),
	ISO_GAN_OPT_STEPS("critic steps; 0: 300 epochs, at most 15000"),
	ISO_OPT_INT(iso_gan_options, n_d, "5", 1, 100000,
		    "critic steps per generator step (published: 15)"),
	ISO_OPT_INTS(opts, generator, "64,64", 1, 8192, "hidden layers of G"),
	ISO_OPT_INTS(iso_gan_options, hidden, "", 1, 8192,
		     "hidden layers of the critic; empty: 2d/3 and d/3, at least 64 and 32"),
	ISO_GAN_OPT_LATENT("64"),
	ISO_GAN_OPT_CATEGORIES,
	ISO_GAN_OPT_NOISE("1"),
	ISO_GAN_OPT_RATES("2e-3", "2e-3"),
	ISO_GAN_OPT_CLIP_WEIGHTS("0.1"),
	ISO_GAN_OPT_AVERAGE("0.2"),
	{0},
};

static iso_status settle(const iso_gen_env *env, opts *o, size_t *dim, iso_error *err)
{
	*o = *(const opts *)env->options;
	ISO_TRY(iso_rows_width(env->schema, ISO_ENC_FEATURES | ISO_ENC_LABEL, dim, err));
	const int64_t d = (int64_t)*dim;
	if (o->code == 0)
		o->code = d < 300 ? 15 : 64;
	if (o->gan.hidden[0] == 0) {
		o->gan.hidden[0] = 2;
		o->gan.hidden[1] = 2 * d / 3 > 64 ? 2 * d / 3 : 64;
		o->gan.hidden[2] = d / 3 > 32 ? d / 3 : 32;
	}
	iso_gan_options ae = {.batch = o->ae_batch, .steps = o->ae_steps};
	iso_gan_settle(&ae, env->n, 64, 200, 10000);
	o->ae_batch = ae.batch;
	o->ae_steps = ae.steps;
	iso_gan_settle(&o->gan, env->n, 128, 300, 15000);
	return ISO_OK;
}

/* ---- Phase 1 ---- */

typedef struct coder {
	const iso_fit *f;
	opts o;
	const iso_latent_model *m;
	iso_rows rows; /* PRIVATE */
	iso_net *enc, *dec;
	iso_ws *wenc, *wdec;
	iso_optim raw, opt_enc, opt_dec; /* raw: of the encoder in mode=paper */
	iso_dpsgd dp;
	float *x, *xhat; /* [chunk][dim] */
} coder;

static void coder_free(coder *c)
{
	iso_dpsgd_deinit(&c->dp);
	iso_rows_close(&c->rows);
	iso_ws_free(c->wenc);
	iso_ws_free(c->wdec);
	iso_net_free(c->enc);
	iso_net_free(c->dec);
	iso_optim_deinit(&c->raw);
	iso_optim_deinit(&c->opt_enc);
	iso_optim_deinit(&c->opt_dec);
	iso_free(c->x);
	iso_free(c->xhat);
}

/* Cross-entropy under softmax and under sigmoids: its gradient is x^ - x in front of the heads. */
static iso_status code_rows(void *ctx, const uint32_t *rec, size_t n, uint64_t step, iso_error *err)
{
	coder *const c = ctx;
	const size_t dim = c->m->enc->dim, code = (size_t)c->o.code;
	float *const d = iso_ws_delta(c->wdec);
	const int trained = c->o.gan.mode == 1 || c->o.encoder == JOINT;
	(void)step, (void)err;
	iso_rows_get(&c->rows, rec, n, c->x, dim);
	iso_net_forward(c->enc, c->wenc, c->x, dim, n, NULL);
	iso_net_forward(c->dec, c->wdec, iso_ws_out(c->wenc), code, n, NULL);
	iso_heads_forward(&c->m->heads, iso_ws_out(c->wdec), n, NULL, c->xhat, dim);
	for (size_t i = 0; i < n * dim; i++)
		d[i] = c->xhat[i] - c->x[i];
	iso_net_backward(c->dec, c->wdec, 0, trained ? iso_ws_delta(c->wenc) : NULL, code);
	if (trained)
		iso_net_backward(c->enc, c->wenc, 1, NULL, 0);
	if (c->o.gan.mode == 1) /* as published: PRIVATE, unclipped, kept */
		iso_net_weight_grad(c->enc, c->wenc, NULL, 1, iso_net_grad(c->enc));
	return ISO_OK;
}

static iso_status coder_nets(coder *c, size_t chunk, iso_error *err)
{
	const size_t dim = c->m->enc->dim, code = (size_t)c->o.code;
	const int64_t half[] = {1, (int64_t)(dim + code) / 2};
	const iso_hidden hidden = {half, ISO_ACT_LRELU};
	const float lr = (float)c->o.ae_lr;
	ISO_TRY(iso_kit_net(&c->enc, dim, hidden, code, ISO_ACT_LRELU, err));
	ISO_TRY(iso_kit_net(&c->dec, code, hidden, iso_heads_width(&c->m->heads),
			    iso_heads_act(&c->m->heads), err));
	iso_net_randomize(c->enc, ISO_INIT_HE, iso_key_child(c->f->key, "init-encoder", 0));
	iso_net_randomize(c->dec, ISO_INIT_HE, iso_key_child(c->f->key, "init-decoder", 0));
	ISO_TRY(iso_ws_new(c->enc, chunk, ISO_WS_NORMS, &c->wenc, err));
	ISO_TRY(iso_ws_new(c->dec, chunk, ISO_WS_NORMS, &c->wdec, err));
	ISO_TRY(iso_optim_init(&c->opt_enc, ISO_ADAM, lr, iso_net_params(c->enc), err));
	ISO_TRY(iso_optim_init(&c->raw, ISO_ADAM, lr / (float)c->o.ae_batch, iso_net_params(c->enc),
			       err));
	return iso_optim_init(&c->opt_dec, ISO_ADAM, lr, iso_net_params(c->dec), err);
}

static iso_status coder_init(coder *c, iso_error *err)
{
	const iso_fit *const f = c->f;
	const size_t batch = (size_t)c->o.ae_batch, chunk = iso_chunk_of((double)batch);
	ISO_TRY(iso_rows_open(&c->rows, f->train, c->m->enc, ISO_ROWS_KEEP, err));
	ISO_TRY(coder_nets(c, chunk, err));
	c->x = iso_alloc(chunk * c->m->enc->dim, sizeof *c->x);
	c->xhat = iso_alloc(chunk * c->m->enc->dim, sizeof *c->xhat);
	if (!c->x || !c->xhat)
		return iso_no_memory(err, "rows of an auto-encoder");
	c->dp = (iso_dpsgd){.ledger = f->ledger,
			    .rate = iso_rate_of(batch, f->env.n),
			    .id = f->train->id,
			    .n = f->train->n,
			    .rows_per_record = 1,
			    .chunk = chunk,
			    .clip = (float)c->o.ae_clip,
			    .normaliser = (float)batch,
			    .nparts = 1,
			    .part = {{.net = c->dec, .ws = c->wdec, .opt = &c->opt_dec}}};
	if (c->o.gan.mode == 0 && c->o.encoder == JOINT)
		c->dp.part[c->dp.nparts++] =
			(iso_dpsgd_part){.net = c->enc, .ws = c->wenc, .opt = &c->opt_enc};
	ISO_TRY(iso_ledger_find(f->ledger, (iso_entry){.why = "ae-step"}, &c->dp.handle, err));
	return iso_dpsgd_init(&c->dp, err);
}

static iso_status train_coder(coder *c, iso_error *err)
{
	const iso_fit *const f = c->f;
	float *const raw = iso_net_grad(c->enc);
	const size_t n = iso_net_params(c->enc);
	for (int64_t step = 0; step < c->o.ae_steps; step++) {
		ISO_FAIL_IF(
			f->cancelled && f->cancelled(f->cancelled_ctx), err, ISO_E_CANCELLED,
			"cancelled (dp-auto-gan): in step %lld of the auto-encoder; start again",
			(long long)step);
		if (c->o.gan.mode == 1)
			memset(raw, 0, n * sizeof *raw);
		ISO_TRY(iso_dpsgd_step(&c->dp, code_rows, c, err));
		if (c->o.gan.mode == 1)
			iso_optim_step(&c->raw, iso_net_theta(c->enc), raw,
				       1.0f / (float)c->o.ae_batch);
	}
	return c->o.gan.mode == 1 ? iso_ledger_uncharged(f->ledger, "unsound-encoder", err)
				  : ISO_OK;
}

/* The decoder is the last part of the model's: behind the layers of G. */
static iso_status prepare(const iso_fit *f, const iso_gan_spec *s, iso_latent_model *m,
			  iso_error *err)
{
	size_t dim;
	coder c = {.f = f, .m = m};
	iso_status st;
	ISO_TRY_OUT(settle(&f->env, &c.o, &dim, err));
	ISO_TRY_OUT(coder_init(&c, err));
	ISO_TRY_OUT(train_coder(&c, err));
	memcpy(iso_net_theta(m->decoder[0]) + s->trained_g, iso_net_theta(c.dec),
	       iso_net_params(c.dec) * sizeof(float));
out:
	coder_free(&c);
	return st;
}

/* ---- Both phases ---- */

static iso_status spec_of(const iso_gen_env *env, opts *o, iso_gan_spec *s, iso_error *err)
{
	size_t dim, in;
	ISO_TRY(settle(env, o, &dim, err));
	const int64_t layers = o->generator[0];
	ISO_FAIL_IF(layers + 2 > ISO_OPT_LIST_MAX, err, ISO_E_CONFIG,
		    "generator (dp-auto-gan): %d layers, at most %d; shorten the list", (int)layers,
		    ISO_OPT_LIST_MAX - 2);
	*s = (iso_gan_spec){.who = "dp-auto-gan",
			    .o = o->gan,
			    .loss = ISO_GAN_WASSERSTEIN,
			    .is_private = 1,
			    .rule_d = ISO_RMSPROP,
			    .rule_g = ISO_RMSPROP,
			    .act_g = ISO_ACT_LRELU,
			    .act_d = ISO_ACT_LRELU,
			    .normal = 1,
			    .init = ISO_INIT_HE,
			    .prepare = prepare};
	memcpy(s->hidden_g, o->generator, sizeof s->hidden_g);
	s->hidden_g[0] = layers + 2;
	s->hidden_g[layers + 1] = o->code;
	s->hidden_g[layers + 2] = ((int64_t)dim + o->code) / 2;
	in = (size_t)o->gan.z_dim;
	for (int64_t i = 1; i <= layers + 1; i++) {
		s->trained_g += (in + 1) * (size_t)s->hidden_g[i];
		in = (size_t)s->hidden_g[i];
	}
	return ISO_OK;
}

static iso_status check(const iso_gen_env *env, iso_error *err)
{
	opts o;
	iso_gan_spec s;
	ISO_TRY(spec_of(env, &o, &s, err));
	return iso_gan_check(env, &s, err);
}

static iso_status fit(const iso_fit *f, void **model, iso_error *err)
{
	opts o;
	iso_gan_spec s;
	ISO_TRY(spec_of(&f->env, &o, &s, err));
	return iso_gan_fit(f, &s, model, err);
}

/* mu of T steps at rate q and multiplier s is q sqrt(T) / s: the auto-encoder's mu^2 is
 * share / (1 - share) of the critic's. */
static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	opts o;
	iso_gan_spec s;
	ISO_TRY(spec_of(env, &o, &s, err));
	const double qa = iso_rate_of((size_t)o.ae_batch, env->n),
		     qd = iso_rate_of((size_t)o.gan.batch, env->n),
		     steps = (double)o.ae_steps / (double)o.gan.steps,
		     noise = (o.gan.sigma > 0 ? o.gan.sigma : scale) * qa / qd *
			     sqrt(steps * (1 - o.ae_share) / o.ae_share);
	ISO_TRY(iso_plan_gaussian(out, (iso_entry){.why = "ae-step"}, noise, qa,
				  (uint64_t)o.ae_steps, (float)o.ae_clip, err));
	out->v[out->n - 1].fixed = o.gan.sigma > 0;
	if (o.gan.mode == 1)
		ISO_TRY(iso_plan_uncharged(out, "unsound-encoder", err));
	return iso_gan_plan(env, &s, scale, out, err);
}

static iso_status resolve(const iso_gen_env *env, void *effective, iso_error *err)
{
	size_t dim;
	return settle(env, effective, &dim, err);
}

static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **out,
		       iso_error *err)
{
	opts o;
	iso_gan_spec s;
	ISO_TRY(spec_of(env, &o, &s, err));
	return iso_gan_load(env, &s, bytes, n, out, err);
}

static iso_guarantee guarantee_of(const void *o)
{
	return ((const opts *)o)->gan.mode == 1 ? ISO_GUARANTEE_HEURISTIC : ISO_GUARANTEE_DP;
}

static double claimed_epsilon(const iso_gen_env *env)
{
	const opts *const o = env->options;
	return o->gan.mode == 1 && !(o->gan.sigma > 0) ? env->epsilon : NAN;
}

const iso_generator iso_generator_dp_auto_gan = {
	.abi = ISO_GENERATOR_ABI,
	.name = "dp-auto-gan",
	.title = "DP-auto-GAN: a GAN that makes codes of a private auto-encoder",
	.citation = "U. Tantipongpipat, C. Waites, D. Boob, A. Siva, R. Cummings, \"Differentially "
		    "Private Synthetic Mixed-Type Data Generation for Unsupervised Learning\", "
		    "Intelligent Decision Technologies 15(4), 2021, arXiv:1912.03250",
	.card = "An auto-encoder by DP-SGD, then a Wasserstein GAN whose generator makes codes and "
		"whose fakes pass through the fixed decoder; the critic sees rows and is trained "
		"by DP-SGD.\n"
		"Privacy (sound): two entries of Poisson-subsampled Gaussians; encoder and decoder "
		"stand under one clip, or the encoder is random.\n"
		"mode=paper trains the encoder on raw gradients: it is not released, but every "
		"other record's gradient goes through it, so epsilon is infinite; verify finds "
		"it.\n"
		"Deviations: dense generator, softmax blocks, averaged weights.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	.options = options,
	.options_size = sizeof(opts),
	.guarantee_of = guarantee_of,
	.claimed_epsilon = claimed_epsilon,
	.resolve = resolve,
	.check = check,
	.plan = plan,
	.fit = fit,
	.score = iso_latent_score,
	.load = load,
	ISO_LATENT_SLOTS,
};
