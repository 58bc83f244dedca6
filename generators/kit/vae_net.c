// SPDX-License-Identifier: Apache-2.0
/* One VAE: forward, loss, backward. */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/vmath.h"
#include "generators/kit/vae_loop.h"

#define NUMERIC_VARIANCE 0.01f /* of the Gaussian log loss of MIXED: sd 0.1 of the unit range */

void iso_vae_deinit(iso_vae *v)
{
	iso_ws_free(v->wenc);
	iso_ws_free(v->wdec);
	iso_free(v->slope);
	float *const p[] = {v->noise, v->z, v->dz, v->xhat, v->dx};
	for (size_t i = 0; i < ISO_COUNT(p); i++)
		iso_free(p[i]);
	*v = (iso_vae){0};
}

iso_status iso_vae_init(iso_vae *v, iso_net *enc, iso_net *dec, const iso_heads *heads, int recon,
			double beta, size_t cap, int norms, iso_error *err)
{
	const size_t dim = heads->enc->dim, latent = iso_net_in(dec);
	*v = (iso_vae){.enc = enc,
		       .dec = dec,
		       .heads = heads,
		       .recon = recon,
		       .latent = latent,
		       .beta = (float)beta};
	ISO_TRY(iso_ws_new(enc, cap, norms, &v->wenc, err));
	ISO_TRY(iso_ws_new(dec, cap, norms, &v->wdec, err));
	v->noise = iso_alloc(cap * latent, sizeof *v->noise);
	v->z = iso_alloc(cap * latent, sizeof *v->z);
	v->dz = iso_alloc(cap * latent, sizeof *v->dz);
	v->xhat = iso_alloc(cap * dim, sizeof *v->xhat);
	v->dx = iso_alloc(cap * dim, sizeof *v->dx);
	v->slope = iso_alloc(latent, sizeof *v->slope);
	if (v->noise && v->z && v->dz && v->xhat && v->dx && v->slope)
		return ISO_OK;
	return iso_no_memory(err, "workspaces of a VAE");
}

float iso_vae_logvar(float lv)
{
	return lv < ISO_LOGVAR_LO ? ISO_LOGVAR_LO : lv > ISO_LOGVAR_HI ? ISO_LOGVAR_HI : lv;
}

void iso_vae_latents(const float *out, size_t n, size_t k, float *noise, float *z, float *sd)
{
	for (size_t r = 0; r < n; r++)
		for (size_t j = 0; j < k; j++)
			sd[r * k + j] = 0.5f * iso_vae_logvar(out[r * 2 * k + k + j]);
	iso_vexp(n * k, sd, sd);
	for (size_t r = 0; r < n; r++)
		for (size_t j = 0; j < k; j++) {
			noise[r * k + j] *= sd[r * k + j];
			z[r * k + j] = out[r * 2 * k + j] + noise[r * k + j];
		}
}

/* Is output block b scored by cross-entropy? */
static int by_entropy(int recon, const iso_block *b)
{
	if (recon == ISO_RECON_LIKELIHOOD)
		return b->kind != ISO_BLOCK_NUMERIC;
	return recon == ISO_RECON_CE ||
	       (recon == ISO_RECON_MIXED &&
		(b->kind == ISO_BLOCK_ONEHOT || b->kind == ISO_BLOCK_INDICATOR));
}

/* Weight of a squared error: 1, or 1 / (2 var) in the Gaussian log loss. */
static float square_weight(int recon)
{
	return recon == ISO_RECON_MIXED ? 0.5f / NUMERIC_VARIANCE : 1.0f;
}

/* (x - m)^2 / (2 s^2) + log s; -x log x^ - (1-x) log(1-x^) for sigmoids, -sum x log p for a
 * softmax block. */
double iso_vae_recon(const iso_heads *h, int recon, const float *x, const float *raw,
		     const float *xhat)
{
	double sum = 0;
	for (size_t b = 0, number = 0; b < h->enc->nblock; b++) {
		const iso_block *k = &h->enc->block[b];
		const int softmax =
			!h->plain && h->kind != ISO_HEADS_SIGMOID && k->kind == ISO_BLOCK_ONEHOT;
		for (size_t j = k->first; j < k->first + k->width; j++) {
			const double y = xhat[j], e = y - x[j], p = y > 1e-7 ? y : 1e-7;
			if (h->nspread && k->kind == ISO_BLOCK_NUMERIC) {
				const double s = iso_heads_logsd(h, raw, number++);
				sum += 0.5 * e * e * iso_exp(-2 * s) + s;
			} else if (!by_entropy(recon, k)) {
				sum += square_weight(recon) * e * e;
			} else if (softmax) {
				sum -= x[j] * iso_log(p);
			} else {
				sum -= x[j] * iso_log(p) +
				       (1 - x[j]) * iso_log(y < 1 - 1e-7 ? 1 - y : 1e-7);
			}
		}
	}
	return sum;
}

/* Deltas of the numbers with a learned deviation: of the mean's pre-activation and of log s. */
static void spread_deltas(iso_vae *v, const float *x, const float *raw, float *d)
{
	const iso_encoder *e = v->heads->enc;
	for (size_t b = 0, j = 0; b < e->nblock; b++) {
		if (e->block[b].kind != ISO_BLOCK_NUMERIC)
			continue;
		const size_t k = e->block[b].first;
		const float s = iso_heads_logsd(v->heads, raw, j), y = iso_heads_number(raw[k]),
			    inv = (float)iso_exp(-2 * (double)s), err = y - x[k];
		d[k] = err * inv * y * (1 - y);
		d[e->dim + j++] = s > ISO_LOGSD_LO && s < ISO_LOGSD_HI ? 1 - err * err * inv : 0;
	}
}

/* Deltas of the decoder's pre-activations.  Cross-entropy of a sigmoid or a softmax: x^ - x. */
static void recon_deltas(iso_vae *v, const float *x, size_t n)
{
	const iso_encoder *e = v->heads->enc;
	const size_t dim = e->dim, width = iso_heads_width(v->heads);
	float *d = iso_ws_delta(v->wdec);
	const float w = 2 * square_weight(v->recon);
	for (size_t i = 0; i < n * dim; i++)
		v->dx[i] = w * (v->xhat[i] - x[i]);
	iso_heads_backward(v->heads, v->xhat, dim, v->dx, dim, n, 0, d);
	for (size_t r = 0; r < n; r++) {
		for (size_t b = 0; b < e->nblock; b++) {
			const iso_block *k = &e->block[b];
			for (size_t j = k->first;
			     by_entropy(v->recon, k) && j < k->first + k->width; j++)
				d[r * width + j] = v->xhat[r * dim + j] - x[r * dim + j];
		}
		if (v->heads->nspread)
			spread_deltas(v, x + r * dim, iso_ws_out(v->wdec) + r * width,
				      d + r * width);
	}
}

/* KL(N(mu, var) || N(0, I)) of row r, and the row's deltas d. */
static double normal_kl(const iso_vae *v, const float *out, size_t r, float *d)
{
	const size_t k = v->latent;
	double kl = 0;
	for (size_t j = 0; j < k; j++) {
		const float mu = out[r * 2 * k + j], raw = out[r * 2 * k + k + j],
			    lv = iso_vae_logvar(raw);
		const float var = (float)iso_exp(lv);
		const float g = v->dz[r * k + j];
		kl += 0.5 * ((double)var + (double)mu * mu - 1 - lv);
		d[r * 2 * k + j] = g + v->beta * mu;
		d[r * 2 * k + k + j] =
			raw == lv ? 0.5f * g * v->noise[r * k + j] + 0.5f * v->beta * (var - 1) : 0;
	}
	return kl;
}

/* The same by the row's one draw, for a prior without a closed form: log q(z | x) - log p(z), with
 * d/dmu = -d log p / dz and d/dlv = -1/2 - (d log p / dz) e^(lv/2) e / 2. */
static double drawn_kl(const iso_vae *v, const float *out, size_t r, float *d)
{
	const size_t k = v->latent;
	double kl = -iso_prior_log(v->prior, v->z + r * k, k, v->slope);
	for (size_t j = 0; j < k; j++) {
		const float raw = out[r * 2 * k + k + j], lv = iso_vae_logvar(raw);
		const double e = v->noise[r * k + j] * iso_exp(-0.5 * lv);
		const float g = v->dz[r * k + j] - v->beta * (float)v->slope[j];
		kl -= 0.5 * (e * e + lv + 1.8378770664093454836); /* log 2 pi */
		d[r * 2 * k + j] = g;
		d[r * 2 * k + k + j] =
			raw == lv ? 0.5f * g * v->noise[r * k + j] - 0.5f * v->beta : 0;
	}
	return kl;
}

void iso_vae_backward(iso_vae *v, const float *x, size_t n, double *loss)
{
	const size_t k = v->latent, dim = v->heads->enc->dim, width = iso_heads_width(v->heads);
	iso_net_forward(v->enc, v->wenc, x, dim, n, NULL);
	const float *out = iso_ws_out(v->wenc);
	float *d = iso_ws_delta(v->wenc);
	iso_vae_latents(out, n, k, v->noise, v->z, v->dz);
	iso_net_forward(v->dec, v->wdec, v->z, k, n, NULL);
	iso_heads_forward(v->heads, iso_ws_out(v->wdec), n, NULL, v->xhat, dim);
	recon_deltas(v, x, n);
	iso_net_backward(v->dec, v->wdec, 0, v->dz, k);
	for (size_t r = 0; r < n; r++) {
		const double kl = v->prior > ISO_PRIOR_NORMAL ? drawn_kl(v, out, r, d)
							      : normal_kl(v, out, r, d);
		if (loss)
			loss[r] =
				iso_vae_recon(v->heads, v->recon, x + r * dim,
					      iso_ws_out(v->wdec) + r * width, v->xhat + r * dim) +
				v->beta * kl;
	}
	if (v->couple)
		iso_vae_term_deltas(v->couple, v->couple_key, n, out, v->z, v->noise, d);
	iso_net_backward(v->enc, v->wenc, 0, NULL, 0);
}

/* Minus the reconstruction loss at the mean of the posterior: beta 0 and no latent noise. */
iso_status iso_vae_score(const void *model, const iso_table *rows, double *out, iso_error *err)
{
	const iso_latent_model *m = model;
	iso_status st = ISO_OK;
	ISO_FAIL_IF(!m->encoder, err, ISO_E_UNSUPPORTED,
		    "score (%s): only the decoders are released; use the latent decoder",
		    m->shape.who);
	iso_vae *v = iso_alloc(m->shape.experts, sizeof *v);
	float *x = iso_alloc(m->enc->dim, sizeof *x);
	if (!v || !x) {
		st = iso_no_memory(err, "scores of a VAE");
		goto out;
	}
	for (size_t c = 0; c < m->shape.experts; c++)
		ISO_TRY_OUT(iso_vae_init(&v[c], m->encoder[c], m->decoder[c], &m->heads,
					 m->shape.recon, 0, 1, 0, err));
	for (size_t r = 0; r < rows->n; r++) {
		const size_t y = m->shape.experts > 1 ? iso_table_label(rows, r) : 0,
			     c = y < m->shape.experts ? y : 0;
		const uint32_t row = (uint32_t)r;
		memset(v[c].noise, 0, v[c].latent * sizeof *v[c].noise);
		iso_encode(m->enc, rows, &row, 1, x, m->enc->dim);
		iso_vae_backward(&v[c], x, 1, &out[r]);
		out[r] = -out[r];
	}
out:
	for (size_t c = 0; v && c < m->shape.experts; c++)
		iso_vae_deinit(&v[c]);
	iso_free(v);
	iso_free(x);
	return st;
}
