// SPDX-License-Identifier: Apache-2.0
/* One step for class c (Lomurno et al. 2022, section III.A; DP-Adam of Abadi et al. 2016):
 *
 *   each record x of a Poisson(q_c) batch of class c:  (mu, lv) = enc(x), lv clamped to [-6, 2],
 *       z = mu + exp(lv/2) e, e ~ N(0, I) addressed by the record's identity,   x^ = dec(z)
 *       L = recon(x, x^) + beta/2 sum_k (exp lv_k + mu_k^2 - 1 - lv_k)
 *       dL/dmu = dz + beta mu,     dL/dlv = dz e exp(lv/2) / 2 + beta/2 (exp lv - 1)   (0 where
 * clamped) clip_C over encoder and decoder together, sum, noise, / (expected batch), Adam. Nothing
 * is allocated inside a step.
 */
#include "generators/train_vae.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/vmath.h"

#define MOST_ROWS 4096
#define NUMERIC_VARIANCE 0.01f /* of the Gaussian log loss: sd 0.1 of the unit range */

/* Table I of the paper: encoder layers, latent dimensions, beta.  auto: by the width of the encoded
 * row. */
typedef struct preset {
	int64_t hidden[2], latent;
	double beta;
} preset;

static preset preset_of(int net, size_t dim)
{
	static const preset table[] = {
		{{64, 32}, 3, 0.1},    {{64, 32}, 3, 0.05}, {{64, 32}, 3, 0.1},
		{{128, 64}, 7, 0.005}, {{64, 32}, 4, 0.05},
	};
	static const preset image = {
		{256, 128}, 16, 0.05}; /* not in the paper: rows as wide as images */
	if (net > 0)
		return table[net - 1];
	return dim >= 300 ? image : dim >= 100 ? table[3] : table[4];
}

/* ---- One VAE
 * --------------------------------------------------------------------------------------------------
 */

void iso_vae_idle(iso_vae *v)
{
	iso_ws_free(v->wenc);
	iso_ws_free(v->wdec);
	v->wenc = v->wdec = NULL;
	float **const p[] = {&v->noise, &v->z, &v->dz, &v->xhat, &v->dx};
	for (size_t i = 0; i < ISO_COUNT(p); i++) {
		iso_free(*p[i]);
		*p[i] = NULL;
	}
}

void iso_vae_deinit(iso_vae *v)
{
	iso_vae_idle(v);
	iso_net_free(v->enc);
	iso_net_free(v->dec);
	v->enc = v->dec = NULL;
}

iso_status iso_vae_init(iso_vae *v, const iso_encoder *rows, const iso_vae_options *o,
			iso_error *err)
{
	const preset p = preset_of(o->net, rows->dim);
	const size_t nh = o->hidden[0] ? (size_t)o->hidden[0] : 2;
	size_t es[ISO_MAX_LAYERS + 1], ds[ISO_MAX_LAYERS + 1];
	iso_act ea[ISO_MAX_LAYERS], da[ISO_MAX_LAYERS];
	*v = (iso_vae){.heads = iso_heads_new(rows, o->heads), .recon = o->recon};
	ISO_FAIL_IF(nh + 1 > ISO_MAX_LAYERS, err, ISO_E_CONFIG,
		    "hidden (VAE): %zu layers, at most %d; shorten the list", nh,
		    ISO_MAX_LAYERS - 1);
	v->latent = (size_t)(o->latent ? o->latent : p.latent);
	v->beta = (float)(o->beta < 0 ? p.beta : o->beta);
	es[0] = ds[nh + 1] = rows->dim;
	for (size_t i = 0; i < nh; i++) {
		es[i + 1] = ds[nh - i] = (size_t)(o->hidden[0] ? o->hidden[i + 1] : p.hidden[i]);
		ea[i] = da[i] = ISO_ACT_TANH;
	}
	es[nh + 1] = 2 * v->latent;
	ds[0] = v->latent;
	ea[nh] = ISO_ACT_LINEAR;
	da[nh] = iso_heads_act(&v->heads);
	ISO_TRY(iso_net_new_dense(nh + 1, es, ea, &v->enc, err));
	const iso_status st = iso_net_new_dense(nh + 1, ds, da, &v->dec, err);
	if (st != ISO_OK) {
		iso_net_free(v->enc);
		v->enc = NULL;
	}
	return st;
}

iso_status iso_vae_busy(iso_vae *v, size_t cap, int norms, iso_error *err)
{
	const size_t dim = v->heads.enc->dim;
	iso_vae_idle(v);
	ISO_TRY(iso_ws_new(v->enc, cap, norms, &v->wenc, err));
	ISO_TRY(iso_ws_new(v->dec, cap, norms, &v->wdec, err));
	v->noise = iso_alloc(cap * v->latent, sizeof *v->noise);
	v->z = iso_alloc(cap * v->latent, sizeof *v->z);
	v->dz = iso_alloc(cap * v->latent, sizeof *v->dz);
	v->xhat = iso_alloc(cap * dim, sizeof *v->xhat);
	v->dx = iso_alloc(cap * dim, sizeof *v->dx);
	if (v->noise && v->z && v->dz && v->xhat && v->dx)
		return ISO_OK;
	return iso_no_memory(err, "workspaces of a VAE");
}

static float clamp_logvar(float lv)
{
	return lv < ISO_LOGVAR_LO ? ISO_LOGVAR_LO : lv > ISO_LOGVAR_HI ? ISO_LOGVAR_HI : lv;
}

/* z = mu + exp(lv/2) e; noise becomes exp(lv/2) e, which dL/dlv needs.  sd: scratch [n][latent]. */
static void draw_latents(iso_vae *v, const float *out, size_t n, float *sd)
{
	const size_t k = v->latent;
	for (size_t r = 0; r < n; r++)
		for (size_t j = 0; j < k; j++)
			sd[r * k + j] = 0.5f * clamp_logvar(out[r * 2 * k + k + j]);
	iso_vexp(n * k, sd, sd);
	for (size_t r = 0; r < n; r++)
		for (size_t j = 0; j < k; j++) {
			v->noise[r * k + j] *= sd[r * k + j];
			v->z[r * k + j] = out[r * 2 * k + j] + v->noise[r * k + j];
		}
}

/* Is output block b scored by cross-entropy? */
static int by_entropy(const iso_vae *v, const iso_block *b)
{
	return v->recon == ISO_RECON_CE ||
	       (v->recon == ISO_RECON_MIXED &&
		(b->kind == ISO_BLOCK_ONEHOT || b->kind == ISO_BLOCK_INDICATOR));
}

/* Weight of a squared error: 1, or 1 / (2 var) in the Gaussian log loss. */
static float square_weight(const iso_vae *v)
{
	return v->recon == ISO_RECON_MIXED ? 0.5f / NUMERIC_VARIANCE : 1.0f;
}

/* Reconstruction loss of one row; -x log x^ - (1-x) log(1-x^) for sigmoids, -sum x log p for a
 * softmax block. */
static double recon_loss(const iso_vae *v, const float *x, const float *y)
{
	double sum = 0;
	for (size_t b = 0; b < v->heads.enc->nblock; b++) {
		const iso_block *k = &v->heads.enc->block[b];
		const int softmax = !v->heads.plain && k->kind == ISO_BLOCK_ONEHOT;
		for (size_t j = k->first; j < k->first + k->width; j++) {
			const double e = (double)y[j] - x[j], p = y[j] > 1e-7f ? y[j] : 1e-7;
			if (!by_entropy(v, k))
				sum += square_weight(v) * e * e;
			else if (softmax)
				sum -= x[j] * iso_log(p);
			else
				sum -= x[j] * iso_log(p) +
				       (1 - x[j]) *
					       iso_log(y[j] < 1 - 1e-7f ? 1 - (double)y[j] : 1e-7);
		}
	}
	return sum;
}

/* the delta of wdec = dLoss/d(pre-activation).  Cross-entropy of a sigmoid or a softmax: x^ - x. */
static void recon_deltas(iso_vae *v, const float *x, size_t n)
{
	const iso_encoder *e = v->heads.enc;
	const size_t dim = e->dim;
	float *d = iso_ws_delta(v->wdec);
	const float w = 2 * square_weight(v);
	for (size_t i = 0; i < n * dim; i++)
		v->dx[i] = w * (v->xhat[i] - x[i]);
	iso_heads_backward(&v->heads, v->xhat, dim, v->dx, dim, n, d);
	for (size_t b = 0; v->recon != ISO_RECON_MSE && b < e->nblock; b++) {
		const iso_block *k = &e->block[b];
		if (!by_entropy(v, k))
			continue;
		for (size_t r = 0; r < n; r++)
			for (size_t j = r * dim + k->first; j < r * dim + k->first + k->width; j++)
				d[j] = v->xhat[j] - x[j];
	}
}

void iso_vae_backward(iso_vae *v, const float *x, size_t n, double *loss)
{
	const size_t k = v->latent, dim = v->heads.enc->dim;
	iso_net_forward(v->enc, v->wenc, x, dim, n, NULL);
	const float *out = iso_ws_out(v->wenc);
	float *d = iso_ws_delta(v->wenc);
	draw_latents(v, out, n, v->dz);
	iso_net_forward(v->dec, v->wdec, v->z, k, n, NULL);
	iso_heads_forward(&v->heads, iso_ws_out(v->wdec), n, v->xhat, dim);
	recon_deltas(v, x, n);
	iso_net_backward(v->dec, v->wdec, 0, v->dz, k);
	for (size_t r = 0; r < n; r++) {
		double kl = 0;
		for (size_t j = 0; j < k; j++) {
			const float mu = out[r * 2 * k + j], raw = out[r * 2 * k + k + j],
				    lv = clamp_logvar(raw);
			const float var = (float)iso_exp(lv);
			const float g = v->dz[r * k + j];
			kl += 0.5 * ((double)var + (double)mu * mu - 1 - lv);
			d[r * 2 * k + j] = g + v->beta * mu;
			d[r * 2 * k + k + j] = raw == lv ? 0.5f * g * v->noise[r * k + j] +
								   0.5f * v->beta * (var - 1)
							 : 0;
		}
		if (loss)
			loss[r] = recon_loss(v, x + r * dim, v->xhat + r * dim) + v->beta * kl;
	}
	iso_net_backward(v->enc, v->wenc, 0, NULL, 0);
}

/* ---- The model
 * ------------------------------------------------------------------------------------------------
 */

typedef struct bvae {
	const iso_schema *schema; /* borrowed: public */
	iso_encoder *enc;
	size_t labels; /* classes of the label, 0 without */
	size_t k;      /* VAEs: one per class, or 1 when pooled */
	int pooled;    /* one VAE; the label is part of the row */
	int balanced, argmax, has_encoder;
	iso_vae *vae;	/* [k] */
	double *law;	/* [labels] cumulative, as released */
	uint32_t *live; /* [nlive] classes that are generated */
	size_t nlive;
	uint64_t rows; /* mode=paper: chosen number of synthetic rows */
} bvae;

void iso_bvae_destroy(void *model)
{
	bvae *m = model;
	if (!m)
		return;
	for (size_t c = 0; m->vae && c < m->k; c++)
		iso_vae_deinit(&m->vae[c]);
	iso_encoder_free(m->enc);
	iso_free(m->vae);
	iso_free(m->law);
	iso_free(m->live);
	iso_free(m);
}

static iso_status bvae_alloc(bvae *m, const iso_gen_env *env, const iso_vae_spec *s, iso_error *err)
{
	m->vae = iso_alloc(m->k, sizeof *m->vae);
	m->law = iso_alloc(m->labels + 1, sizeof *m->law);
	m->live = iso_alloc(m->labels + 1, sizeof *m->live);
	if (!m->vae || !m->law || !m->live)
		return iso_no_memory(err, "a VAE per class");
	ISO_TRY(iso_encoder_new(env->schema, ISO_ENC_FEATURES | (m->pooled ? ISO_ENC_LABEL : 0),
				&m->enc, err));
	ISO_FAIL_IF(m->enc->dim == 0, err, ISO_E_UNSUPPORTED,
		    "no feature columns (%s): there is nothing to generate; add a feature to the "
		    "schema",
		    s->who);
	for (size_t c = 0; c < m->k; c++)
		ISO_TRY(iso_vae_init(&m->vae[c], m->enc, s->o, err));
	/* a class that is publicly empty is not generated */
	for (size_t c = 0; c < m->labels; c++)
		if (s->counts != ISO_LABELS_PUBLIC || env->class_count[c] > 0)
			m->live[m->nlive++] = (uint32_t)c;
	return ISO_OK;
}

static iso_status bvae_new(const iso_gen_env *env, const iso_vae_spec *s, bvae **out,
			   iso_error *err)
{
	bvae *m = iso_alloc(1, sizeof *m);
	if (!m)
		return iso_no_memory(err, "a VAE per class");
	m->schema = env->schema;
	m->labels = iso_schema_classes(env->schema);
	m->pooled = s->o->single || m->labels == 0;
	m->k = m->pooled ? 1 : m->labels;
	m->balanced = s->o->classes == ISO_CLASSES_BALANCED;
	m->argmax = s->o->categories;
	const iso_status st = bvae_alloc(m, env, s, err);
	if (st != ISO_OK)
		iso_bvae_destroy(m);
	else
		*out = m;
	return st;
}

/* ---- Plan
 * -----------------------------------------------------------------------------------------------------
 */

typedef struct pace {
	double q;
	uint64_t steps;
} pace;

/* Of a class that is taken to have n rows: batch 64 or n/8, q = B/n, epochs/q steps; epochs 0:
 * 50/q, at least 2400. */
static pace pace_of(const iso_vae_options *o, size_t n)
{
	const size_t rows = n ? n : 1;
	const double q = iso_rate_of(iso_batch_of((size_t)o->batch, 64, rows), rows);
	const double steps = ceil((double)(o->epochs ? o->epochs : 50) / q);
	return (pace){q, (uint64_t)(o->epochs == 0 && steps < 2400 ? 2400 : steps)};
}

/* 0: 1e-3 or more, so that T steps of Adam (at most lr each) can carry a logit over 4 units, from
 * 0.5 to 0.02 and back: public bounds are wide and the rows may sit near one end of them. */
static float rate_of(const iso_vae_options *o, pace p)
{
	const double far = 4 / (double)p.steps;
	return (float)(o->lr > 0 ? o->lr : far < 1e-3 ? 1e-3 : far > 1e-2 ? 1e-2 : far);
}

/* Rows of class c as far as the plan may know: public counts, else n / k.  Noisy counts come too
 * late for a rate. */
static size_t planned_rows(const iso_gen_env *env, const iso_vae_spec *s, size_t k, size_t c)
{
	return k > 1 && s->counts == ISO_LABELS_PUBLIC ? env->class_count[c] : (env->n + k - 1) / k;
}

static size_t vaes_of(const iso_gen_env *env, const iso_vae_spec *s)
{
	const size_t labels = iso_schema_classes(env->schema);
	return s->o->single || labels == 0 ? 1 : labels;
}

/* All parts shall cost the same, so the slowest class sets the scale: by the central-limit account
 * of T subsampled Gaussians, mu^2 = q^2 T (exp(1/sigma^2) - 1) (Bu, Dong, Long, Su 2020, Corollary
 * 4), the multiplier of class c is sigma_c = 1 / sqrt(log(1 + rho (exp(1/s^2) - 1))),  rho =
 * q_ref^2 T_ref / (q_c^2 T_c) >= 1. Only a division of labour: the ledger accounts every part
 * exactly. */
static double multiplier(pace ref, pace c, double s)
{
	const double rho = ref.q * ref.q * (double)ref.steps / (c.q * c.q * (double)c.steps),
		     inv = 1 / (s * s);
	if (rho == 1)
		return s;
	return 1 / sqrt(inv > 500 ? inv + iso_log(rho) : iso_log1p(rho * iso_expm1(inv)));
}

static pace reference_pace(const iso_gen_env *env, const iso_vae_spec *s, size_t k)
{
	pace ref = {0};
	for (size_t c = 0; c < k; c++) {
		const size_t rows = planned_rows(env, s, k, c);
		const pace p = pace_of(s->o, rows);
		if (rows && p.q * p.q * (double)p.steps > ref.q * ref.q * (double)ref.steps)
			ref = p;
	}
	return ref;
}

iso_status iso_bvae_check(const iso_gen_env *env, const iso_vae_spec *s, iso_error *err)
{
	ISO_FAIL_IF(env->n == 0, err, ISO_E_DATA,
		    "no rows (%s): the training table is empty; give it at least one row", s->who);
	return iso_schema_classes(env->schema) ? iso_labels_check(env, s->counts, s->who, err)
					       : ISO_OK;
}

iso_status iso_bvae_plan(const iso_gen_env *env, const iso_vae_spec *s, double scale,
			 iso_plan *plan, iso_error *err)
{
	const size_t k = vaes_of(env, s);
	const pace ref = reference_pace(env, s, k);
	/* Replacing a record may move it to another class: two parts change, so the parts compose
	 * in sequence. */
	const int group = env->adjacency == ISO_ADD_REMOVE && k > 1;
	if (!s->is_private)
		return ISO_OK;
	for (size_t c = 0; c < k; c++) {
		const size_t rows = planned_rows(env, s, k, c);
		const pace p = pace_of(s->o, rows);
		if (rows)
			ISO_TRY(iso_plan_gaussian(
				plan, "vae-step", group, (int)c, multiplier(ref, p, scale), p.q,
				p.steps, (float)s->o->clip, err)); /* as the step proves it */
	}
	if (k == 1)
		return ISO_OK;
	return iso_labels_plan(env, s->counts,
			       scale * iso_noise_ratio(ref.q, (double)ref.steps, s->o->label_share),
			       0, plan, err);
}

/* ---- Training
 * -------------------------------------------------------------------------------------------------
 */

typedef struct trainer {
	const iso_fit *f;
	const iso_vae_spec *s;
	iso_vae *v;
	size_t dim, n;
	float *x;     /* PRIVATE [n][dim] encoded rows of the class */
	uint64_t *id; /* PRIVATE [n] */
	float *batch; /* [chunk][dim] */
	iso_key noise;
	iso_optim oe, od;
	iso_average me, md;
	iso_dpsgd dp;
} trainer;

static iso_status vae_rows(void *ctx, const uint32_t *rec, size_t n, uint64_t step, iso_error *err)
{
	trainer *t = ctx;
	const iso_key key = iso_key_child(t->noise, "step", step);
	(void)err;
	for (size_t r = 0; r < n; r++) {
		memcpy(t->batch + r * t->dim, t->x + rec[r] * t->dim, t->dim * sizeof *t->batch);
		iso_rand_fill_normal(key, t->id[rec[r]], 0, 1, t->v->noise + r * t->v->latent,
				     t->v->latent);
	}
	iso_vae_backward(t->v, t->batch, n, NULL);
	return ISO_OK;
}

/* The rows of class c (all rows when pooled), encoded, with their identities. */
static iso_status class_rows(trainer *t, const bvae *m, size_t c, iso_error *err)
{
	const iso_table *table = t->f->train;
	iso_status st = ISO_OK;
	uint32_t *row = iso_alloc(table->n, sizeof *row);
	t->id = iso_alloc(table->n, sizeof *t->id);
	if (!row || !t->id) {
		st = iso_no_memory(err, "rows of a class");
		goto out;
	}
	for (size_t r = 0; r < table->n; r++)
		if (m->pooled || iso_table_label(table, r) == c) {
			t->id[t->n] = table->id[r];
			row[t->n++] = (uint32_t)r;
		}
	t->x = iso_alloc(t->n * t->dim, sizeof *t->x);
	if (!t->x) {
		st = iso_no_memory(err, "encoded rows of a class");
		goto out;
	}
	iso_encode(m->enc, table, row, t->n, t->x, t->dim);
out:
	iso_free(row);
	return st;
}

static iso_status trainer_init(trainer *t, const bvae *m, size_t c, pace p, double rows,
			       iso_error *err)
{
	const iso_vae_spec *s = t->s;
	const double most = p.q * (double)t->f->env.n, room = most + 6 * sqrt(most) + 16;
	const size_t chunk = room < MOST_ROWS ? (size_t)room : MOST_ROWS;
	const double expected = p.q * rows;
	iso_vae *v = t->v;
	ISO_TRY(class_rows(t, m, c, err));
	ISO_TRY(iso_vae_busy(v, chunk, s->is_private, err));
	t->batch = iso_alloc(chunk * t->dim, sizeof *t->batch);
	if (!t->batch)
		return iso_no_memory(err, "batch of a VAE");
	ISO_TRY(iso_optim_init(&t->oe, ISO_ADAM, rate_of(s->o, p), iso_net_params(v->enc), err));
	ISO_TRY(iso_optim_init(&t->od, ISO_ADAM, rate_of(s->o, p), iso_net_params(v->dec), err));
	ISO_TRY(iso_average_init(&t->me, v->enc, s->average, p.steps, err));
	ISO_TRY(iso_average_init(&t->md, v->dec, s->average, p.steps, err));
	t->noise = iso_key_child(t->f->key, "latent", 0);
	t->dp = (iso_dpsgd){
		.ledger = s->is_private ? t->f->ledger : NULL,
		.batch_key = iso_key_child(t->f->key, "batch", c),
		.rate = p.q,
		.id = t->id,
		.n = t->n,
		.rows_per_record = 1,
		.chunk = chunk,
		.clip = (float)s->o->clip,
		.normaliser = expected > 1 ? (float)expected : 1,
		.nparts = 2,
		.part = {{v->enc, v->wenc, &t->oe}, {v->dec, v->wdec, &t->od}},
	};
	if (s->is_private)
		ISO_TRY(iso_ledger_find(t->f->ledger, "vae-step", (int)c, &t->dp.handle, err));
	return iso_dpsgd_init(&t->dp, err);
}

static void trainer_free(trainer *t)
{
	iso_free(t->x);
	iso_free(t->id);
	iso_free(t->batch);
	iso_optim_deinit(&t->oe);
	iso_optim_deinit(&t->od);
	iso_average_finish(&t->me, NULL);
	iso_average_finish(&t->md, NULL);
	iso_dpsgd_deinit(&t->dp);
}

static iso_status train_class(const iso_fit *f, const iso_vae_spec *s, bvae *m, size_t c, pace p,
			      double rows, iso_error *err)
{
	trainer t = {.f = f, .s = s, .v = &m->vae[c], .dim = m->enc->dim};
	iso_status st;
	iso_net_randomize(t.v->enc, ISO_INIT_GLOROT, iso_key_child(f->key, "init-enc", c));
	iso_net_randomize(t.v->dec, ISO_INIT_GLOROT, iso_key_child(f->key, "init-dec", c));
	ISO_TRY_OUT(trainer_init(&t, m, c, p, rows, err));
	for (uint64_t step = 0; step < p.steps; step++) {
		if (step % 16 == 0 && f->cancelled && f->cancelled(f->cancelled_ctx)) {
			st = iso_fail(err, ISO_E_CANCELLED,
				      "cancelled (%s): in class %zu; start again", s->who, c);
			goto out;
		}
		ISO_TRY_OUT(iso_dpsgd_step(&t.dp, vae_rows, &t, err));
		iso_average_step(&t.me, t.v->enc, step);
		iso_average_step(&t.md, t.v->dec, step);
		if (f->progress && step % 64 == 0)
			iso_progress_update(f->progress,
					    f->progress->total *
						    ((double)c + (double)step / (double)p.steps) /
						    (double)m->k);
	}
	iso_average_finish(&t.me, t.v->enc);
	iso_average_finish(&t.md, t.v->dec);
out:
	trainer_free(&t);
	iso_vae_idle(&m->vae[c]);
	return st;
}

static iso_status train_all(const iso_fit *f, const iso_vae_spec *s, bvae *m, const double *counts,
			    iso_error *err)
{
	for (size_t c = 0; c < m->k; c++) {
		/* not private: the true size may set the pace */
		const size_t planned = s->is_private || m->pooled
					       ? planned_rows(&f->env, s, m->k, c)
					       : (size_t)counts[c];
		const double rows =
			m->pooled || s->counts == ISO_LABELS_UNIFORM ? (double)planned : counts[c];
		if (planned)
			ISO_TRY(train_class(f, s, m, c, pace_of(s->o, planned), rows, err));
	}
	return ISO_OK;
}

iso_status iso_bvae_fit(const iso_fit *f, const iso_vae_spec *s, void **model, iso_error *err)
{
	bvae *m = NULL;
	iso_status st;
	ISO_TRY(bvae_new(&f->env, s, &m, err));
	double *counts = iso_alloc(m->labels + 1, sizeof *counts);
	if (!counts) {
		st = iso_no_memory(err, "class counts");
		goto out;
	}
	if (!m->pooled) {
		ISO_TRY_OUT(iso_labels_counts(f, s->counts, s->is_private ? f->ledger : NULL,
					      counts, err));
		iso_law_from_counts(counts, m->labels, m->law);
	}
	ISO_TRY_OUT(train_all(f, s, m, counts, err));
	m->has_encoder = s->keep_encoder;
	for (size_t c = 0; !s->keep_encoder && c < m->k; c++) { /* decoders only are kept */
		iso_net_free(m->vae[c].enc);
		m->vae[c].enc = NULL;
	}
	*model = m;
	m = NULL;
out:
	iso_free(counts);
	iso_bvae_destroy(m);
	return st;
}

void iso_bvae_set_rows(void *model, size_t rows)
{
	((bvae *)model)->rows = rows;
}

/* ---- Slots
 * ----------------------------------------------------------------------------------------------------
 */

#define PIECE 256

typedef struct piece {
	iso_ws **ws;		/* [k] owned */
	float *z, *zc, *x, *xc; /* [PIECE][latent], of one class; [PIECE][dim], of one class */
	size_t row[PIECE];
	uint32_t label[PIECE];
} piece;

static void piece_free(piece *p, const bvae *m)
{
	for (size_t c = 0; p->ws && c < m->k; c++)
		iso_ws_free(p->ws[c]);
	iso_free(p->ws);
	iso_free(p->z);
	iso_free(p->zc);
	iso_free(p->x);
	iso_free(p->xc);
}

static iso_status piece_init(piece *p, const bvae *m, int encoder, iso_error *err)
{
	const size_t dim = m->enc->dim, latent = m->vae[0].latent;
	iso_status st = ISO_OK;
	*p = (piece){.ws = iso_alloc(m->k, sizeof *p->ws),
		     .z = iso_alloc(PIECE * latent, sizeof(float)),
		     .zc = iso_alloc(PIECE * latent, sizeof(float)),
		     .x = iso_alloc(PIECE * dim, sizeof(float)),
		     .xc = iso_alloc(PIECE * dim, sizeof(float))};
	if (!p->ws || !p->z || !p->zc || !p->x || !p->xc) {
		st = iso_no_memory(err, "workspace of a VAE");
		goto out;
	}
	for (size_t c = 0; c < m->k; c++)
		ISO_TRY_OUT(iso_ws_new(encoder ? m->vae[c].enc : m->vae[c].dec, PIECE, 0, &p->ws[c],
				       err));
out:
	if (st != ISO_OK)
		piece_free(p, m);
	return st;
}

/* p->x [n][dim] from p->z and p->label: the rows of each class through its own decoder. */
static void decode_piece(const bvae *m, piece *p, size_t n)
{
	const size_t dim = m->enc->dim, latent = m->vae[0].latent;
	for (size_t c = 0; c < m->k; c++) {
		const iso_vae *v = &m->vae[c];
		size_t of_class = 0;
		for (size_t i = 0; i < n; i++)
			if (m->pooled || p->label[i] == c) {
				memcpy(p->zc + of_class * latent, p->z + i * latent,
				       latent * sizeof *p->z);
				p->row[of_class++] = i;
			}
		if (of_class == 0)
			continue;
		iso_net_forward(v->dec, p->ws[c], p->zc, latent, of_class, NULL);
		iso_heads_forward(&v->heads, iso_ws_out(p->ws[c]), of_class, p->xc, dim);
		for (size_t i = 0; i < of_class; i++)
			memcpy(p->x + p->row[i] * dim, p->xc + i * dim, dim * sizeof *p->x);
	}
}

static void write_piece(const bvae *m, const piece *p, size_t n, const iso_key *draw,
			iso_table *out, size_t at)
{
	iso_decode(m->enc, p->x, m->enc->dim, n, draw, out, at);
	if (!m->pooled)
		iso_set_labels(out, at, p->label, n);
}

iso_status iso_bvae_sample(const void *model, iso_key key, iso_table *out, iso_error *err)
{
	const bvae *m = model;
	const iso_key zkey = iso_key_child(key, "z", 0), ykey = iso_key_child(key, "label", 0);
	const iso_key draw = iso_key_child(key, "category", 0);
	const size_t latent = m->vae[0].latent;
	piece p;
	ISO_TRY(piece_init(&p, m, 0, err));
	for (size_t at = 0; at < out->n; at += PIECE) {
		const size_t n = out->n - at < PIECE ? out->n - at : PIECE;
		for (size_t i = 0; i < n; i++) {
			iso_rand_fill_normal(zkey, at + i, 0, 1, p.z + i * latent, latent);
			if (!m->pooled)
				p.label[i] = m->balanced
						     ? m->live[(at + i) % m->nlive]
						     : iso_law_draw(m->law, m->labels,
								    iso_rand_u01(ykey, at + i, 0));
		}
		decode_piece(m, &p, n);
		write_piece(m, &p, n, m->argmax ? NULL : &draw, out, at);
	}
	piece_free(&p, m);
	return ISO_OK;
}

size_t iso_bvae_latent_dim(const void *model)
{
	return ((const bvae *)model)->vae[0].latent;
}

iso_status iso_bvae_decode(const void *model, const float *z, const uint32_t *label, size_t n_all,
			   iso_table *out, iso_error *err)
{
	const bvae *m = model;
	const size_t latent = m->vae[0].latent;
	piece p;
	ISO_TRY(piece_init(&p, m, 0, err));
	for (size_t at = 0; at < n_all; at += PIECE) {
		const size_t n = n_all - at < PIECE ? n_all - at : PIECE;
		memcpy(p.z, z + at * latent, n * latent * sizeof *p.z);
		for (size_t i = 0; !m->pooled && i < n; i++)
			p.label[i] = label ? label[at + i] : m->live[(at + i) % m->nlive];
		decode_piece(m, &p, n);
		write_piece(m, &p, n, NULL, out, at);
	}
	piece_free(&p, m);
	return ISO_OK;
}

/* mu [latent] of row r, and its VAE; rows without a label take the first. */
static const iso_vae *encode_row(const bvae *m, piece *p, const iso_table *rows, size_t r)
{
	const size_t y = m->pooled ? 0 : iso_table_label(rows, r), c = y < m->k ? y : 0;
	const iso_vae *v = &m->vae[c];
	const uint32_t row = (uint32_t)r;
	iso_encode(m->enc, rows, &row, 1, p->x, m->enc->dim);
	iso_net_forward(v->enc, p->ws[c], p->x, m->enc->dim, 1, NULL);
	memcpy(p->z, iso_ws_out(p->ws[c]), v->latent * sizeof *p->z);
	p->label[0] = (uint32_t)c;
	return v;
}

static iso_status need_encoder(const bvae *m, const char *what, iso_error *err)
{
	ISO_FAIL_IF(!m->has_encoder, err, ISO_E_UNSUPPORTED,
		    "%s (VAE): only the decoders are released; use the latent decoder", what);
	return ISO_OK;
}

iso_status iso_bvae_encode(const void *model, const iso_table *rows, float *z, iso_error *err)
{
	const bvae *m = model;
	piece p;
	ISO_TRY(need_encoder(m, "encode", err));
	ISO_TRY(piece_init(&p, m, 1, err));
	for (size_t r = 0; r < rows->n; r++) {
		const iso_vae *v = encode_row(m, &p, rows, r);
		memcpy(z + r * v->latent, p.z, v->latent * sizeof *z);
	}
	piece_free(&p, m);
	return ISO_OK;
}

/* Minus the reconstruction loss at the mean of the posterior. */
iso_status iso_bvae_score(const void *model, const iso_table *rows, double *out, iso_error *err)
{
	const bvae *m = model;
	piece e = {0}, d = {0};
	iso_status st;
	ISO_TRY(need_encoder(m, "score", err));
	ISO_TRY_OUT(piece_init(&e, m, 1, err));
	ISO_TRY_OUT(piece_init(&d, m, 0, err));
	for (size_t r = 0; r < rows->n; r++) {
		const iso_vae *v = encode_row(m, &e, rows, r);
		memcpy(d.z, e.z, v->latent * sizeof *d.z);
		d.label[0] = e.label[0];
		decode_piece(m, &d, 1);
		out[r] = -recon_loss(v, e.x, d.x);
	}
out:
	piece_free(&e, m);
	piece_free(&d, m);
	return st;
}

iso_status iso_bvae_save(const void *model, iso_str *out, iso_error *err)
{
	const bvae *m = model;
	iso_part_add(out, "labels", m->law, m->labels * sizeof *m->law);
	iso_part_add(out, "rows", &m->rows, sizeof m->rows);
	for (size_t c = 0; c < m->k; c++) {
		char name[64];
		(void)snprintf(name, sizeof name, "decoder%zu", c);
		iso_net_parts(out, name, m->vae[c].dec);
	}
	return iso_str_check(out, err);
}

iso_status iso_bvae_load(const iso_gen_env *env, const iso_vae_spec *s, const char *bytes, size_t n,
			 void **model, iso_error *err)
{
	iso_parts in = {bytes, bytes + n};
	bvae *m = NULL;
	iso_status st;
	ISO_TRY(bvae_new(env, s, &m, err));
	ISO_TRY_OUT(iso_part_take(&in, "labels", m->law, m->labels * sizeof *m->law, err));
	ISO_TRY_OUT(iso_part_take(&in, "rows", &m->rows, sizeof m->rows, err));
	for (size_t c = 0; c < m->k; c++) {
		char name[64];
		(void)snprintf(name, sizeof name, "decoder%zu", c);
		ISO_TRY_OUT(iso_net_take(&in, name, m->vae[c].dec, err));
	}
	*model = m;
	m = NULL;
out:
	iso_bvae_destroy(m);
	return st;
}

iso_status iso_bvae_describe(const void *model, cJSON *out, iso_error *err)
{
	const bvae *m = model;
	if (!cJSON_AddNumberToObject(out, "decoders", (double)m->k) ||
	    !cJSON_AddNumberToObject(out, "decoder_parameters",
				     (double)iso_net_params(m->vae[0].dec)) ||
	    !cJSON_AddNumberToObject(out, "latent", (double)m->vae[0].latent) ||
	    !cJSON_AddNumberToObject(out, "beta", m->vae[0].beta) ||
	    (m->rows && !cJSON_AddNumberToObject(out, "selected_rows", (double)m->rows)))
		return iso_no_memory(err, "description of a VAE");
	return ISO_OK;
}
