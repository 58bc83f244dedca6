// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/rbm.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/vmath.h"
#include "generators/kit/labels.h"

#define NORM_SLACK 1e-6 /* of a norm from fp32 factors, relative to the sum of its terms */

void iso_rbm_free(iso_rbm *m)
{
	iso_free(m->theta);
	*m = (iso_rbm){0};
}

iso_status iso_rbm_new(const iso_encoder *enc, size_t hidden, iso_key key, iso_rbm *m,
		       iso_error *err)
{
	*m = (iso_rbm){.heads = iso_heads_new(enc, ISO_HEADS_SOFTMAX, 0, 1),
		       .visible = enc->dim,
		       .hidden = hidden,
		       .nparam = enc->dim * hidden + enc->dim + hidden};
	m->theta = iso_alloc(m->nparam, sizeof *m->theta);
	if (!m->theta)
		return iso_no_memory(err, "a restricted Boltzmann machine");
	iso_rand_fill_normal(key, 0, 0, 0.01f, m->theta, m->visible * hidden);
	return ISO_OK;
}

void iso_rbms_free(iso_rbm *m, size_t k)
{
	for (size_t c = 0; m && c < k; c++)
		iso_rbm_free(&m[c]);
	iso_free(m);
}

iso_status iso_rbms_new(const iso_encoder *enc, size_t hidden, iso_key key, size_t k, iso_rbm **out,
			iso_error *err)
{
	iso_rbm *const m = iso_alloc(k, sizeof *m);
	iso_status st = m ? ISO_OK : iso_no_memory(err, "machines");
	for (size_t c = 0; st == ISO_OK && c < k; c++)
		st = iso_rbm_new(enc, hidden, iso_key_child(key, "init", c), &m[c], err);
	if (st == ISO_OK)
		*out = m;
	else
		iso_rbms_free(m, k);
	return st;
}

void iso_rbms_save(iso_str *out, const iso_rbm *m, size_t k)
{
	for (size_t c = 0; m && c < k; c++)
		iso_part_add(out, "machine", m[c].theta, m[c].nparam * sizeof *m[c].theta);
}

iso_status iso_rbms_take(iso_parts *in, iso_rbm *m, size_t k, iso_error *err)
{
	for (size_t c = 0; m && c < k; c++)
		ISO_TRY(iso_part_take(in, "machine", m[c].theta, m[c].nparam * sizeof *m[c].theta,
				      err));
	return ISO_OK;
}

static const float *visible_bias(const iso_rbm *m)
{
	return m->theta + m->visible * m->hidden;
}

static const float *hidden_bias(const iso_rbm *m)
{
	return visible_bias(m) + m->visible;
}

double iso_rbm_free_energy(const iso_rbm *m, const float *v)
{
	const float *a = visible_bias(m), *b = hidden_bias(m);
	double f = 0;
	for (size_t i = 0; i < m->visible; i++)
		f -= (double)a[i] * v[i];
	for (size_t k = 0; k < m->hidden; k++) {
		double s = b[k];
		for (size_t i = 0; i < m->visible; i++)
			s += (double)v[i] * m->theta[i * m->hidden + k];
		f -= iso_softplus(s);
	}
	return f;
}

void iso_rbm_ws_free(iso_rbm_ws *ws)
{
	float *const p[] = {ws->v0, ws->v1, ws->raw, ws->h0, ws->h1, ws->draw};
	for (size_t i = 0; i < ISO_COUNT(p); i++)
		iso_free(p[i]);
	*ws = (iso_rbm_ws){0};
}

iso_status iso_rbm_ws_new(const iso_rbm *m, size_t cap, iso_rbm_ws *ws, iso_error *err)
{
	*ws = (iso_rbm_ws){.m = m,
			   .cap = cap,
			   .v0 = iso_alloc(cap * m->visible, sizeof(float)),
			   .v1 = iso_alloc(cap * m->visible, sizeof(float)),
			   .raw = iso_alloc(cap * m->visible, sizeof(float)),
			   .h0 = iso_alloc(cap * m->hidden, sizeof(float)),
			   .h1 = iso_alloc(cap * m->hidden, sizeof(float)),
			   .draw = iso_alloc(cap * m->hidden, sizeof(float))};
	if (ws->v0 && ws->v1 && ws->raw && ws->h0 && ws->h1 && ws->draw)
		return ISO_OK;
	iso_rbm_ws_free(ws);
	return iso_no_memory(err, "workspace of a restricted Boltzmann machine");
}

static void hidden_of(const iso_rbm *m, const float *v, size_t n, float *h)
{
	const iso_epilogue e = {.bias = hidden_bias(m), .act = ISO_ACT_SIGMOID};
	iso_gemm(ISO_NN, n, m->hidden, m->visible, v, m->visible, m->theta, m->hidden, 0, h,
		 m->hidden, &e);
}

/* Probabilities of the visible units under hidden states s; raw [n][visible]: scratch. */
static void visible_of(const iso_rbm *m, const float *s, size_t n, float *raw, float *v)
{
	const iso_epilogue e = {.bias = visible_bias(m), .act = iso_heads_act(&m->heads)};
	iso_gemm(ISO_NT, n, m->visible, m->hidden, s, m->hidden, m->theta, m->hidden, 0, raw,
		 m->visible, &e);
	iso_heads_forward(&m->heads, raw, n, NULL, v, m->visible);
}

/* s = 1 with probability h, from uniform words u of the same place. */
static void draw_hidden(const float *h, const float *u, size_t n, float *s)
{
	for (size_t k = 0; k < n; k++)
		s[k] = u[k] < h[k];
}

void iso_rbm_phases(iso_rbm_ws *ws, size_t n, iso_key key, const uint64_t *id)
{
	const iso_rbm *const m = ws->m;
	ws->rows = n;
	hidden_of(m, ws->v0, n, ws->h0);
	for (size_t r = 0; r < n; r++)
		iso_rand_fill_uniform(key, id[r], 0, 1, ws->draw + r * m->hidden, m->hidden);
	draw_hidden(ws->h0, ws->draw, n * m->hidden, ws->draw);
	visible_of(m, ws->draw, n, ws->raw, ws->v1);
	hidden_of(m, ws->v1, n, ws->h1);
}

static double dot(const float *a, const float *b, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (double)a[i] * b[i];
	return sum;
}

void iso_rbm_norms2(const iso_rbm_ws *ws, float *norm2)
{
	const size_t d = ws->m->visible, k = ws->m->hidden;
	for (size_t r = 0; r < ws->rows; r++) {
		const float *v0 = ws->v0 + r * d, *v1 = ws->v1 + r * d, *h0 = ws->h0 + r * k,
			    *h1 = ws->h1 + r * k;
		const double v00 = dot(v0, v0, d), v11 = dot(v1, v1, d), v01 = dot(v0, v1, d),
			     h00 = dot(h0, h0, k), h11 = dot(h1, h1, k), h01 = dot(h0, h1, k);
		const double sum = v00 * h00 + v11 * h11 - 2 * v01 * h01 + v00 + v11 - 2 * v01 +
				   h00 + h11 - 2 * h01 +
				   NORM_SLACK * ((v00 + 1) * (h00 + 1) + (v11 + 1) * (h11 + 1));
		norm2[r] = nextafterf((float)sum, INFINITY);
	}
}

/* -v0 h0^T + v1 h1^T and the biases likewise; rows of scale 0 hold nothing any more. */
void iso_rbm_weighted_grad(iso_rbm_ws *ws, const float *scale, int beta, float *grad)
{
	const size_t d = ws->m->visible, k = ws->m->hidden, n = ws->rows;
	for (size_t r = 0; r < n; r++) {
		const float w = scale ? scale[r] : 1;
		for (size_t j = 0; j < d; j++) { /* v becomes w v, for all three sums */
			ws->v0[r * d + j] = w == 0 ? 0 : -w * ws->v0[r * d + j];
			ws->v1[r * d + j] = w == 0 ? 0 : w * ws->v1[r * d + j];
		}
		for (size_t j = 0; w == 0 && j < k; j++)
			ws->h0[r * k + j] = ws->h1[r * k + j] = 0;
	}
	iso_gemm(ISO_TN, d, k, n, ws->v0, d, ws->h0, k, beta, grad, k, NULL);
	iso_gemm(ISO_TN, d, k, n, ws->v1, d, ws->h1, k, 1, grad, k, NULL);
	iso_col_sums(n, d, ws->v0, d, beta, grad + d * k);
	iso_col_sums(n, d, ws->v1, d, 1, grad + d * k);
	for (size_t i = 0; i < n * k; i++)
		ws->h1[i] = (scale ? scale[i / k] : 1) * (ws->h1[i] - ws->h0[i]);
	iso_col_sums(n, k, ws->h1, k, beta, grad + d * k + d);
}

/* Categories and indicators of a row are drawn; numbers stay means. */
static void draw_visible(const iso_rbm *m, iso_key key, uint64_t row, float *v)
{
	const iso_encoder *e = m->heads.enc;
	double p[1024];
	for (size_t b = 0; b < e->nblock; b++) {
		const iso_block *k = &e->block[b];
		const double u = iso_rand_u01(key, row, b);
		if (k->kind == ISO_BLOCK_INDICATOR)
			v[k->first] = u < (double)v[k->first];
		if (k->kind != ISO_BLOCK_ONEHOT || k->width > ISO_COUNT(p))
			continue;
		for (size_t j = 0; j < k->width; j++)
			p[j] = v[k->first + j];
		const uint32_t own = iso_law_pick(p, k->width, u);
		for (size_t j = 0; j < k->width; j++)
			v[k->first + j] = j == own;
	}
}

void iso_rbm_gibbs(iso_rbm_ws *ws, size_t n, size_t sweeps, iso_key key, const uint64_t *row,
		   float *x)
{
	const iso_rbm *const m = ws->m;
	for (size_t r = 0; r < n; r++)
		iso_rand_fill_uniform(iso_key_child(key, "start", 0), row[r], 0, 1,
				      ws->v0 + r * m->visible, m->visible);
	for (size_t s = 0; s < sweeps; s++) {
		const iso_key units = iso_key_child(key, "hidden", s),
			      blocks = iso_key_child(key, "visible", s);
		hidden_of(m, ws->v0, n, ws->h0);
		for (size_t r = 0; r < n; r++)
			iso_rand_fill_uniform(units, row[r], 0, 1, ws->draw + r * m->hidden,
					      m->hidden);
		draw_hidden(ws->h0, ws->draw, n * m->hidden, ws->draw);
		visible_of(m, ws->draw, n, ws->raw, ws->v0);
		for (size_t r = 0; r < n; r++)
			draw_visible(m, blocks, row[r], ws->v0 + r * m->visible);
	}
	memcpy(x, ws->v0, n * m->visible * sizeof *x);
}

#define PIECE 256 /* rows of a sample at once */

iso_status iso_rbm_sample(const iso_rbm *m, const double *law, size_t k, size_t sweeps, iso_key key,
			  iso_table *out, iso_error *err)
{
	const iso_key part = iso_key_child(key, "machine", 0),
		      gibbs = iso_key_child(key, "gibbs", 0);
	const size_t dim = m->visible;
	iso_status st = ISO_OK;
	uint64_t row[PIECE];
	float *x = iso_alloc(PIECE * dim, sizeof *x);
	if (!x)
		return iso_no_memory(err, "rows of a machine");
	for (size_t c = 0; st == ISO_OK && c < k; c++) {
		iso_rbm_ws ws;
		size_t n = 0;
		st = iso_rbm_ws_new(&m[c], PIECE, &ws, err);
		for (size_t i = 0; st == ISO_OK && i <= out->n; i++) {
			if (i < out->n && iso_law_draw(law, k, iso_rand_u01(part, i, 0)) == c)
				row[n++] = i;
			if (n < PIECE && i < out->n)
				continue;
			iso_rbm_gibbs(&ws, n, sweeps, gibbs, row, x);
			for (size_t r = 0; r < n; r++)
				iso_decode(m->heads.enc, x + r * dim, dim, 1, NULL, out, row[r]);
			n = 0;
		}
		iso_rbm_ws_free(&ws);
	}
	iso_free(x);
	return st;
}
