// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/maker.h"

#include <string.h>

#include "core/base/alloc.h"
#include "generators/kit/labels.h"

iso_status iso_maker_init(iso_maker *k, iso_latent_model *m, size_t cap, double lr, iso_key key,
			  iso_error *err)
{
	const size_t dim = m->enc->dim;
	*k = (iso_maker){.m = m, .key = iso_key_child(key, "fakes", 0)};
	ISO_TRY(iso_optim_init(&k->opt, ISO_ADAM, (float)lr, iso_net_params(m->decoder[0]), err));
	k->opt.beta1 = 0.5f;
	ISO_TRY(iso_ws_new(m->decoder[0], cap, 0, &k->gen, err));
	ISO_TRY(iso_ws_new(m->scorer, cap, 0, &k->judge, err));
	k->z = iso_alloc(cap * m->zw, sizeof *k->z);
	k->g = iso_alloc(cap * dim, sizeof *k->g);
	k->x = iso_alloc(cap * dim, sizeof *k->x);
	k->dx = iso_alloc(cap * dim, sizeof *k->dx);
	k->in = iso_alloc(cap * m->width, sizeof *k->in);
	k->din = iso_alloc(cap * m->width, sizeof *k->din);
	k->back = iso_alloc(cap * iso_heads_width(&m->heads), sizeof *k->back);
	k->label = iso_alloc(cap, sizeof *k->label);
	return k->z && k->g && k->x && k->dx && k->in && k->din && k->back && k->label
		       ? ISO_OK
		       : iso_no_memory(err, "fakes");
}

void iso_maker_deinit(iso_maker *k)
{
	void *const v[] = {k->z, k->g, k->x, k->dx, k->in, k->din, k->back, k->label};
	for (size_t i = 0; i < ISO_COUNT(v); i++)
		iso_free(v[i]);
	iso_ws_free(k->gen);
	iso_ws_free(k->judge);
	iso_optim_deinit(&k->opt);
}

/* Latents and labels of the next n fakes through the decoder. */
static void decode(iso_maker *k, size_t n, int balanced)
{
	const iso_latent_model *const m = k->m;
	const iso_key law = iso_key_child(k->key, "label", 0);
	iso_latent_draw_z(m, iso_key_child(k->key, "z", 0), k->at, n, k->z);
	for (size_t j = 0; m->shape.conditional && j < n; j++) {
		const uint64_t at = k->at + j;
		k->label[j] = balanced && !m->shape.by_column
				      ? (uint32_t)(at % m->classes)
				      : iso_law_draw(m->law, m->conds, iso_rand_u01(law, at, 0));
		iso_one_hot(k->label[j], m->conds, k->z + j * m->zw + m->shape.latent);
	}
	k->at += n;
	iso_net_forward(m->decoder[0], k->gen, k->z, m->zw, n, NULL);
}

/* Every category of a row at its largest value. */
static void harden(const iso_encoder *enc, float *x)
{
	for (size_t b = 0; b < enc->nblock; b++) {
		const iso_block *const k = &enc->block[b];
		float *const v = x + k->first;
		size_t top = 0;
		if (k->kind != ISO_BLOCK_ONEHOT)
			continue;
		for (size_t i = 1; i < k->width; i++)
			top = v[i] > v[top] ? i : top;
		iso_one_hot(top, k->width, v);
	}
}

void iso_maker_fakes(iso_maker *k, size_t n, int hard, int balanced)
{
	const iso_latent_model *const m = k->m;
	const size_t dim = m->enc->dim;
	const iso_key draw = iso_key_child(k->key, "draw", 0);
	const uint64_t at = k->at;
	decode(k, n, balanced);
	for (size_t j = 0; j < n; j++)
		iso_rand_fill_uniform(draw, at + j, 0, 1, k->g + j * dim, dim);
	iso_heads_forward(&m->heads, iso_ws_out(k->gen), n, k->g, k->x, dim);
	for (size_t j = 0; j < n; j++) {
		if (hard)
			harden(m->enc, k->x + j * dim);
		iso_latent_scored(m, k->x + j * dim, k->label[j], k->in + j * m->width);
	}
}

/* The decoder's step from its delta. */
static void descend(iso_maker *k, size_t n)
{
	iso_net *const net = k->m->decoder[0];
	iso_net_backward(net, k->gen, 0, NULL, 0);
	iso_net_weight_grad(net, k->gen, NULL, 0, iso_net_grad(net));
	iso_optim_step(&k->opt, iso_net_theta(net), iso_net_grad(net), 1.0f / (float)n);
}

/* The row that the uniform law asks of the latent z, on average over its categories. */
static void uniform_row(const iso_latent_model *m, const float *z, float *want)
{
	size_t numbers = 0;
	for (size_t b = 0; b < m->enc->nblock; b++) {
		const iso_block *const k = &m->enc->block[b];
		for (size_t i = k->first; i < k->first + k->width; i++)
			want[i] = k->kind == ISO_BLOCK_ONEHOT ? 1 / (float)k->width
				  : k->kind == ISO_BLOCK_NUMERIC
					  ? (z[numbers % m->shape.latent] + 1) / 2
					  : 0.5f;
		numbers += k->kind == ISO_BLOCK_NUMERIC;
	}
}

/* d [n][width] = the gradient of weight |p - u(z)|^2, p the decoder's row with its categories'
 * probabilities, u(z) the uniform row.  Uses k->x and k->dx. */
static void pull(iso_maker *k, size_t n, float weight, float *d)
{
	const iso_latent_model *const m = k->m;
	const size_t dim = m->enc->dim;
	iso_heads_forward(&m->heads, iso_ws_out(k->gen), n, NULL, k->x, dim);
	for (size_t j = 0; j < n; j++)
		uniform_row(m, k->z + j * m->zw, k->dx + j * dim);
	for (size_t i = 0; i < n * dim; i++)
		k->dx[i] = 2 * weight * (k->x[i] - k->dx[i]);
	iso_heads_backward(&m->heads, k->x, dim, k->dx, dim, n, 0, d);
}

void iso_maker_start_uniform(iso_maker *k, size_t n, size_t steps)
{
	const float lr = k->opt.lr;
	k->opt.lr = 3e-3f;
	for (size_t step = 0; step < steps; step++) {
		decode(k, n, 1);
		pull(k, n, 1, iso_ws_delta(k->gen));
		descend(k, n);
	}
	k->opt.lr = lr;
}

/* d += weight times the gradient of -log p_c, p the decoder's probabilities of the column to which
 * the condition c belongs.  Uses k->x. */
static void obey(iso_maker *k, size_t n, float weight, float *d)
{
	const iso_latent_model *const m = k->m;
	const size_t dim = m->enc->dim, width = iso_heads_width(&m->heads);
	iso_heads_forward(&m->heads, iso_ws_out(k->gen), n, NULL, k->x, dim);
	for (size_t j = 0; j < n; j++) {
		const size_t cell = iso_latent_cell(m, k->label[j]);
		for (size_t b = 0; b < m->enc->nblock; b++) {
			const iso_block *const block = &m->enc->block[b];
			if (cell < block->first || cell >= block->first + block->width)
				continue;
			for (size_t i = block->first; i < block->first + block->width; i++)
				d[j * width + i] += weight * (k->x[j * dim + i] - (i == cell));
		}
	}
}

double iso_maker_step(iso_maker *k, size_t n, double anchor, double agree)
{
	const iso_latent_model *const m = k->m;
	const size_t dim = m->enc->dim, width = iso_heads_width(&m->heads);
	float *const d = iso_ws_delta(k->gen);
	double loss = 0;
	iso_maker_fakes(k, n, 0, 1);
	iso_net_forward(m->scorer, k->judge, k->in, m->width, n, NULL);
	for (size_t j = 0; j < n; j++) {
		const double l = iso_ws_out(k->judge)[j];
		loss += l < 1 ? 1 - l : 0;
		iso_ws_delta(k->judge)[j] = l < 1 ? -1 : 0;
	}
	iso_net_backward(m->scorer, k->judge, 0, k->din, m->width);
	for (size_t j = 0; j < n; j++)
		memcpy(k->dx + j * dim,
		       k->din + j * m->width + (m->shape.crossed ? k->label[j] * (dim + 1) : 0),
		       dim * sizeof *k->dx);
	iso_heads_backward(&m->heads, k->x, dim, k->dx, dim, n, 1, d);
	if (anchor > 0) {
		pull(k, n, (float)anchor, k->back);
		for (size_t i = 0; i < n * width; i++)
			d[i] += k->back[i];
	}
	if (agree > 0 && m->shape.conditional)
		obey(k, n, (float)agree, d);
	descend(k, n);
	return loss / (double)n;
}
