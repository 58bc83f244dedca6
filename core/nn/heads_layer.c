// SPDX-License-Identifier: Apache-2.0
/* Mixed heads: neighbouring outputs of a row as numbers (linear, tanh, sigmoid) or categories
 * (softmax; Gumbel-softmax of Jang et al. 2017, "Categorical reparameterization with
 * Gumbel-softmax", which draws a nearly one-hot row by y = softmax((s + g) / temperature), g = -log
 * -log u).
 *
 * The row's own functions are applied here, so for the layers above the activation is linear. */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/vmath.h"
#include "core/nn/layer.h"

static iso_status init(iso_layer *y, iso_error *err)
{
	const iso_layer_spec *const s = &y->spec;
	size_t width = 0;
	for (size_t i = 0; i < s->heads; i++) {
		ISO_FAIL_IF(s->head[i].width == 0 || (unsigned)s->head[i].kind > ISO_HEAD_GUMBEL,
			    err, ISO_E_CONFIG,
			    "bad network (layer %zu, head %zu: kind %d, width %zu): want a known "
			    "kind and at least one output",
			    y->index, i, (int)s->head[i].kind, s->head[i].width);
		width += s->head[i].width;
	}
	ISO_FAIL_IF(width != y->nin, err, ISO_E_CONFIG,
		    "bad network (layer %zu, heads: %zu outputs of %zu): the widths must add up to "
		    "the row",
		    y->index, width, y->nin);
	ISO_FAIL_IF(!(s->rate > 0 && s->rate < INFINITY), err, ISO_E_CONFIG,
		    "bad network (layer %zu, heads: temperature %g): want a positive one", y->index,
		    (double)s->rate);
	y->out = y->in;
	y->act = ISO_ACT_LINEAR;
	y->own = iso_alloc(s->heads, sizeof(*s->head));
	if (!y->own)
		return iso_no_memory(err, "output heads");
	memcpy(y->own, s->head, s->heads * sizeof(*s->head));
	y->spec.head = y->own; /* no longer the caller's */
	return ISO_OK;
}

static void softmax(size_t n, float *v)
{
	float top = v[0], sum = 0;
	for (size_t i = 1; i < n; i++)
		top = v[i] > top ? v[i] : top;
	for (size_t i = 0; i < n; i++)
		v[i] -= top;
	iso_vexp(n, v, v);
	for (size_t i = 0; i < n; i++)
		sum += v[i];
	for (size_t i = 0; i < n; i++)
		v[i] /= sum;
}

/* v = (s + g) / temperature; u [n] uniform, overwritten. */
static void add_gumbel(size_t n, float temperature, float *u, float *v)
{
	for (size_t i = 0; i < n; i++)
		u[i] = u[i] < 0x1p-24f ? 0x1p-24f : u[i] > 1 - 0x1p-24f ? 1 - 0x1p-24f : u[i];
	iso_vlog(n, u, u);
	for (size_t i = 0; i < n; i++)
		u[i] = -u[i];
	iso_vlog(n, u, u);
	for (size_t i = 0; i < n; i++)
		v[i] = (v[i] - u[i]) / temperature;
}

static void apply(const iso_layer *y, const iso_head *head, float *u, int training, float *v)
{
	const size_t n = head->width;
	switch (head->kind) {
	case ISO_HEAD_TANH:
		iso_vtanh(n, v, v);
		break;
	case ISO_HEAD_SIGMOID:
		iso_vsigmoid(n, v, v);
		break;
	case ISO_HEAD_GUMBEL:
		if (training)
			add_gumbel(n, y->spec.rate, u, v);
		for (size_t i = 0; !training && i < n; i++)
			v[i] /= y->spec.rate;
		softmax(n, v);
		break;
	case ISO_HEAD_SOFTMAX:
		softmax(n, v);
		break;
	default:
		break;
	}
}

static void forward(const iso_layer *y, const iso_pass *p, float *theta, float *out2)
{
	const iso_head *const head = y->own;
	const iso_key key = iso_pass_key(y, p, "gumbel");
	(void)theta;
	for (size_t r = 0; r < p->rows; r++) {
		float *const h = p->h + r * y->nout,
			     *const u = p->d + r * y->nout; /* not filled before backward */
		memcpy(h, p->x + r * p->x_ld, y->nin * sizeof(float));
		if (p->training)
			iso_rand_fill_uniform(key, iso_pass_id(p, r), 0, 1, u, y->nin);
		for (size_t i = 0, at = 0; i < y->spec.heads; at += head[i++].width)
			apply(y, &head[i], u + at, p->training, h + at);
	}
	if (out2)
		iso_row_norms2(p->rows, y->nout, p->h, y->nout, 0, out2);
}

/* d becomes J^T d. */
static void back(const iso_layer *y, const iso_head *head, const float *h, const float *d,
		 float *to)
{
	const size_t n = head->width;
	const float scale = head->kind == ISO_HEAD_GUMBEL ? 1.0f / y->spec.rate : 1.0f;
	float along = 0;
	switch (head->kind) {
	case ISO_HEAD_TANH:
		for (size_t i = 0; i < n; i++)
			to[i] = d[i] * (1.0f - h[i] * h[i]);
		break;
	case ISO_HEAD_SIGMOID:
		for (size_t i = 0; i < n; i++)
			to[i] = d[i] * (h[i] * (1.0f - h[i]));
		break;
	case ISO_HEAD_SOFTMAX:
	case ISO_HEAD_GUMBEL:
		for (size_t i = 0; i < n; i++)
			along += d[i] * h[i];
		for (size_t i = 0; i < n; i++)
			to[i] = h[i] * (d[i] - along) * scale;
		break;
	default:
		memcpy(to, d, n * sizeof(float));
		break;
	}
}

static void backward(const iso_layer *y, const iso_pass *p, const float *theta, float *dx,
		     size_t dx_ld, const iso_epilogue *e)
{
	const iso_head *const head = y->own;
	(void)theta, (void)e;
	for (size_t r = 0; dx && r < p->rows; r++)
		for (size_t i = 0, at = 0; i < y->spec.heads; at += head[i++].width)
			back(y, &head[i], p->h + r * y->nout + at, p->d + r * y->nout + at,
			     dx + r * dx_ld + at);
}

static void deinit(iso_layer *y)
{
	iso_free(y->own);
}

const iso_layer_ops iso_layer_heads = {
	.name = "heads",
	.init = init,
	.forward = forward,
	.backward = backward,
	.deinit = deinit,
};
