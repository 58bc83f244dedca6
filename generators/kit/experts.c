// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/experts.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"

iso_bound iso_bound_of(double clip, double cap, double least, double ratio)
{
	const double b = cap > 0 ? 1 / sqrt(1 + ratio * ratio) : 0;
	return (iso_bound){.clip = clip, .cap = cap, .least = least, .a = sqrt(1 - b * b), .b = b};
}

static size_t params_of(const iso_expert_nets *n, size_t c)
{
	return n->vae ? iso_net_params(n->vae->encoder[c]) + iso_net_params(n->vae->decoder[c])
		      : n->rbm[c].nparam;
}

static size_t total(const iso_experts *e)
{
	return e->first[e->hi];
}

void iso_experts_deinit(iso_experts *e)
{
	for (size_t c = e->lo; c < e->hi; c++) {
		if (e->vae)
			iso_vae_deinit(&e->vae[c]);
		if (e->ws)
			iso_rbm_ws_free(&e->ws[c]);
		for (size_t i = 0; e->opt && i < 2; i++)
			iso_optim_deinit(&e->opt[2 * c + i]);
	}
	void *const p[] = {e->vae,  e->ws, e->opt,  e->first, e->grad, e->rows,
			   e->slot, e->of, e->norm, e->part,  e->x,    e->id};
	for (size_t i = 0; i < ISO_COUNT(p); i++)
		iso_free(p[i]);
	*e = (iso_experts){0};
}

static iso_status open_expert(iso_experts *e, size_t c, float lr, iso_error *err)
{
	const iso_expert_nets *n = &e->net;
	if (!n->vae) {
		ISO_TRY(iso_rbm_ws_new(&n->rbm[c], e->chunk, &e->ws[c], err));
		return iso_optim_init(&e->opt[2 * c], ISO_ADAM, lr, n->rbm[c].nparam, err);
	}
	iso_net *const enc = n->vae->encoder[c], *const dec = n->vae->decoder[c];
	ISO_TRY(iso_vae_init(&e->vae[c], enc, dec, &n->vae->heads, n->vae->shape.recon, n->beta,
			     e->chunk, 1, err));
	ISO_TRY(iso_optim_init(&e->opt[2 * c], ISO_ADAM, lr, iso_net_params(enc), err));
	return iso_optim_init(&e->opt[2 * c + 1], ISO_ADAM, lr, iso_net_params(dec), err);
}

iso_status iso_experts_init(iso_experts *e, const iso_expert_nets *net, size_t lo, size_t hi,
			    iso_bound bound, size_t chunk, float lr, iso_key key, iso_error *err)
{
	const size_t k = net->k, dim = net->vae ? net->vae->enc->dim : net->rbm[0].visible;
	*e = (iso_experts){.net = *net,
			   .lo = lo,
			   .hi = hi,
			   .bound = bound,
			   .key = key,
			   .chunk = chunk,
			   .dim = dim,
			   .vae = iso_alloc(k, sizeof *e->vae),
			   .ws = iso_alloc(k, sizeof *e->ws),
			   .opt = iso_alloc(2 * k, sizeof *e->opt),
			   .first = iso_alloc(k + 1, sizeof *e->first),
			   .rows = iso_alloc(k, sizeof *e->rows),
			   .slot = iso_alloc(chunk, sizeof *e->slot),
			   .of = iso_alloc(chunk, sizeof *e->of),
			   .norm = iso_alloc(chunk, sizeof *e->norm),
			   .part = iso_alloc(chunk, sizeof *e->part),
			   .x = iso_alloc((hi - lo) * chunk, dim * sizeof *e->x),
			   .id = iso_alloc((hi - lo) * chunk, sizeof *e->id)};
	if (!e->vae || !e->ws || !e->opt || !e->first || !e->rows || !e->slot || !e->of ||
	    !e->norm || !e->part || !e->x || !e->id)
		return iso_no_memory(err, "experts");
	for (size_t c = lo; c < hi; c++) {
		e->first[c + 1] = e->first[c] + params_of(net, c);
		ISO_TRY(open_expert(e, c, lr, err));
	}
	e->grad = iso_alloc(total(e) + 1, sizeof *e->grad);
	return e->grad ? ISO_OK : iso_no_memory(err, "gradient of the experts");
}

/* ---- Forward and backward ---- */

void iso_experts_rows(iso_experts *e, const float *x, const uint64_t *id, const uint32_t *of,
		      const uint32_t *rec, size_t n, uint64_t step)
{
	const iso_key key = iso_key_child(e->key, "step", step);
	memset(e->rows, 0, e->net.k * sizeof *e->rows);
	for (size_t r = 0; r < n; r++) {
		const uint32_t c = e->of[r] = of[rec[r]];
		const size_t at = e->slot[r] = e->rows[c]++;
		const size_t place = (c - e->lo) * e->chunk + at;
		memcpy(e->x + place * e->dim, x + rec[r] * e->dim, e->dim * sizeof *x);
		e->id[place] = id[rec[r]];
	}
	for (size_t c = e->lo; c < e->hi; c++) {
		const size_t own = e->rows[c], place = (c - e->lo) * e->chunk;
		if (own == 0)
			continue;
		if (!e->net.vae) {
			memcpy(e->ws[c].v0, e->x + place * e->dim, own * e->dim * sizeof *x);
			iso_rbm_phases(&e->ws[c], own, key, e->id + place);
			continue;
		}
		iso_vae *const v = &e->vae[c];
		for (size_t r = 0; r < own; r++)
			iso_rand_fill_normal(key, e->id[place + r], 0, 1, v->noise + r * v->latent,
					     v->latent);
		iso_vae_backward(v, e->x + place * e->dim, own, NULL);
	}
}

/* ---- The source ---- */

static size_t expert_rows(const void *self)
{
	const iso_experts *e = self;
	size_t n = 0;
	for (size_t c = e->lo; c < e->hi; c++)
		n += e->rows[c];
	return n;
}

/* Norms in units of C: the private step clips to 1. */
static void expert_norms2(void *self, size_t m, int beta, float *norm2)
{
	iso_experts *const e = self;
	const size_t n = expert_rows(e);
	const double unit = 1 / (e->bound.clip * e->bound.clip);
	(void)m; /* one row per record */
	(void)beta;
	for (size_t c = e->lo; c < e->hi; c++) {
		if (e->rows[c] == 0)
			continue;
		if (e->net.vae) {
			iso_net_grad_norms2(e->net.vae->encoder[c], e->vae[c].wenc, 1, 0, e->part);
			iso_net_grad_norms2(e->net.vae->decoder[c], e->vae[c].wdec, 1, 1, e->part);
		} else {
			iso_rbm_norms2(&e->ws[c], e->part);
		}
		for (size_t r = 0; r < n; r++)
			if (e->of[r] == c) {
				const double own = e->part[e->slot[r]];
				e->norm[r] = (float)sqrt(own);
				norm2[r] = nextafterf((float)(own * unit * (1 + 1e-12)), INFINITY);
			}
	}
}

/* g: the block of expert c. */
static void expert_grad(iso_experts *e, size_t c, const float *scale, int beta, float *g)
{
	if (!e->net.vae) {
		iso_rbm_weighted_grad(&e->ws[c], scale, beta, g);
		return;
	}
	iso_net *const enc = e->net.vae->encoder[c], *const dec = e->net.vae->decoder[c];
	iso_net_weight_grad(enc, e->vae[c].wenc, scale, beta, g);
	iso_net_weight_grad(dec, e->vae[c].wdec, scale, beta, g + iso_net_params(enc));
}

static void expert_weighted_grad(void *self, const float *scale, int beta, float *grad)
{
	iso_experts *const e = self;
	const size_t n = expert_rows(e), last = total(e);
	const float unit = (float)(e->bound.a / e->bound.clip * (1 - 1e-7));
	double norms = 0;
	for (size_t c = e->lo; c < e->hi; c++) {
		if (e->rows[c] == 0 && !beta)
			memset(grad + e->first[c], 0, params_of(&e->net, c) * sizeof *grad);
		if (e->rows[c] == 0)
			continue;
		for (size_t r = 0; r < n; r++)
			if (e->of[r] == c)
				e->part[e->slot[r]] = scale ? scale[r] * unit : unit;
		expert_grad(e, c, e->part, beta, grad + e->first[c]);
	}
	if (e->bound.cap > 0) {
		for (size_t r = 0; r < n; r++)
			if (!scale || scale[r] > 0)
				norms += fmin((double)e->norm[r] / e->bound.cap, 1);
		grad[last] = (beta ? grad[last] : 0) + (float)(e->bound.b * norms);
	}
}

iso_grad_source iso_experts_source(iso_experts *e)
{
	return (iso_grad_source){.self = e,
				 .nparam = total(e) + (e->bound.cap > 0),
				 .grad = e->grad,
				 .rows = expert_rows,
				 .norms2 = expert_norms2,
				 .weighted_grad = expert_weighted_grad};
}

void iso_experts_update(iso_experts *e, const double *batch, double all)
{
	iso_bound *const b = &e->bound;
	const iso_expert_nets *n = &e->net;
	for (size_t c = e->lo; c < e->hi; c++) {
		const float scale = (float)(b->clip / b->a / (batch[c] > 1 ? batch[c] : 1)),
			    *g = e->grad + e->first[c];
		iso_optim *const o = &e->opt[2 * c];
		if (!n->vae) {
			iso_optim_step(o, n->rbm[c].theta, g, scale);
			continue;
		}
		iso_optim_step(o, iso_net_theta(n->vae->encoder[c]), g, scale);
		iso_optim_step(o + 1, iso_net_theta(n->vae->decoder[c]),
			       g + iso_net_params(n->vae->encoder[c]), scale);
	}
	if (b->cap > 0) {
		const double mean = e->grad[total(e)] * b->cap / (b->b * (all > 1 ? all : 1));
		b->clip = fmax(b->least, 0.9 * b->clip + 0.1 * fmin(b->cap, mean));
	}
}
