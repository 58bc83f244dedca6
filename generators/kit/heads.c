// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/heads.h"

#include <string.h>

#include "core/math/vmath.h"

#define PIECE 256 /* categories whose Gumbel draws are made at once */

iso_heads iso_heads_new(const iso_encoder *enc, int kind, int spread, double tau)
{
	iso_heads h = {.enc = enc, .kind = kind, .plain = 1, .tau = (float)tau};
	for (size_t b = 0; b < enc->nblock; b++) {
		if (enc->block[b].kind == ISO_BLOCK_ONEHOT && kind != ISO_HEADS_SIGMOID)
			h.plain = 0;
		if (enc->block[b].kind == ISO_BLOCK_NUMERIC && spread)
			h.nspread++;
	}
	if (h.nspread)
		h.plain = 0;
	return h;
}

size_t iso_heads_width(const iso_heads *h)
{
	return h->enc->dim + h->nspread;
}

iso_act iso_heads_act(const iso_heads *h)
{
	return h->plain ? ISO_ACT_SIGMOID : ISO_ACT_LINEAR;
}

float iso_heads_number(float out)
{
	return (float)iso_sigmoid(out);
}

float iso_heads_logsd(const iso_heads *h, const float *out, size_t j)
{
	const float v = out[h->enc->dim + j] - 2; /* a fresh network begins at sd 0.14 */
	return v < ISO_LOGSD_LO ? ISO_LOGSD_LO : v > ISO_LOGSD_HI ? ISO_LOGSD_HI : v;
}

/* p_k = exp(o_k - max o) / sum_j exp(o_j - max o), in place */
static void softmax(float *p, size_t n)
{
	float top = p[0], sum = 0;
	for (size_t k = 1; k < n; k++)
		top = p[k] > top ? p[k] : top;
	for (size_t k = 0; k < n; k++)
		p[k] -= top;
	iso_vexp(n, p, p);
	for (size_t k = 0; k < n; k++)
		sum += p[k];
	for (size_t k = 0; k < n; k++)
		p[k] /= sum;
}

/* p = (o - log(-log u)) / tau */
static void gumbel(const iso_heads *h, const float *o, const float *u, size_t n, float *p)
{
	float g[PIECE];
	for (size_t at = 0; at < n; at += PIECE) {
		const size_t m = n - at < PIECE ? n - at : PIECE;
		for (size_t k = 0; k < m; k++)
			g[k] = u[at + k] < 1e-7f       ? 1e-7f
			       : u[at + k] > 1 - 1e-7f ? 1 - 1e-7f
						       : u[at + k];
		iso_vlog(m, g, g);
		for (size_t k = 0; k < m; k++)
			g[k] = -g[k];
		iso_vlog(m, g, g);
		for (size_t k = 0; k < m; k++)
			p[at + k] = (o[at + k] - g[k]) / h->tau;
	}
}

void iso_heads_forward(const iso_heads *h, const float *out, size_t n, const float *u, float *x,
		       size_t x_ld)
{
	const size_t dim = h->enc->dim, width = iso_heads_width(h);
	for (size_t r = 0; r < n; r++) {
		const float *o = out + r * width;
		float *row = x + r * x_ld;
		if (h->plain) {
			memcpy(row, o, dim * sizeof *row);
			continue;
		}
		iso_vsigmoid(dim, o, row);
		for (size_t b = 0; h->kind != ISO_HEADS_SIGMOID && b < h->enc->nblock; b++) {
			const iso_block *k = &h->enc->block[b];
			if (k->kind != ISO_BLOCK_ONEHOT)
				continue;
			if (u && h->kind == ISO_HEADS_GUMBEL)
				gumbel(h, o + k->first, u + r * dim + k->first, k->width,
				       row + k->first);
			else
				memcpy(row + k->first, o + k->first, k->width * sizeof *row);
			softmax(row + k->first, k->width);
		}
	}
}

/* sigmoid: dL/do = dL/dx x (1 - x);  softmax: dL/do_k = p_k (dL/dp_k - sum_j p_j dL/dp_j), over tau
 * when it was a relaxed draw. */
void iso_heads_backward(const iso_heads *h, const float *x, size_t x_ld, const float *dx,
			size_t dx_ld, size_t n, int drawn, float *d)
{
	const size_t dim = h->enc->dim, width = iso_heads_width(h);
	const float slope = drawn && h->kind == ISO_HEADS_GUMBEL ? 1 / h->tau : 1;
	for (size_t r = 0; r < n; r++) {
		const float *p = x + r * x_ld, *g = dx + r * dx_ld;
		float *o = d + r * width;
		for (size_t k = 0; k < dim; k++)
			o[k] = g[k] * p[k] * (1.0f - p[k]);
		memset(o + dim, 0, h->nspread * sizeof *o);
		for (size_t b = 0; !h->plain && h->kind != ISO_HEADS_SIGMOID && b < h->enc->nblock;
		     b++) {
			const iso_block *k = &h->enc->block[b];
			if (k->kind != ISO_BLOCK_ONEHOT)
				continue;
			float mean = 0;
			for (size_t j = k->first; j < k->first + k->width; j++)
				mean += p[j] * g[j];
			for (size_t j = k->first; j < k->first + k->width; j++)
				o[j] = slope * p[j] * (g[j] - mean);
		}
	}
}
