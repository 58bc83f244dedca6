// SPDX-License-Identifier: Apache-2.0
#include "generators/heads.h"

#include <string.h>

#include "core/math/vmath.h"

iso_heads iso_heads_new(const iso_encoder *enc, int softmax)
{
	iso_heads h = {.enc = enc, .plain = 1};
	for (size_t b = 0; softmax && b < enc->nblock; b++)
		if (enc->block[b].kind == ISO_BLOCK_ONEHOT)
			h.plain = 0;
	return h;
}

iso_act iso_heads_act(const iso_heads *h)
{
	return h->plain ? ISO_ACT_SIGMOID : ISO_ACT_LINEAR;
}

/* p_k = exp(o_k - max o) / sum_j exp(o_j - max o) */
static void softmax_block(const float *out, size_t n, float *p)
{
	float top = out[0], sum = 0;
	for (size_t k = 1; k < n; k++)
		top = out[k] > top ? out[k] : top;
	for (size_t k = 0; k < n; k++)
		p[k] = out[k] - top;
	iso_vexp(n, p, p);
	for (size_t k = 0; k < n; k++)
		sum += p[k];
	for (size_t k = 0; k < n; k++)
		p[k] /= sum;
}

void iso_heads_forward(const iso_heads *h, const float *out, size_t n, float *x, size_t x_ld)
{
	const size_t dim = h->enc->dim;
	for (size_t r = 0; r < n; r++) {
		const float *o = out + r * dim;
		float *row = x + r * x_ld;
		if (h->plain) {
			memcpy(row, o, dim * sizeof *row);
			continue;
		}
		iso_vsigmoid(dim, o, row);
		for (size_t b = 0; b < h->enc->nblock; b++) {
			const iso_block *k = &h->enc->block[b];
			if (k->kind == ISO_BLOCK_ONEHOT)
				softmax_block(o + k->first, k->width, row + k->first);
		}
	}
}

/* sigmoid: dL/do = dL/dx x (1 - x);  softmax: dL/do_k = p_k (dL/dp_k - sum_j p_j dL/dp_j). */
void iso_heads_backward(const iso_heads *h, const float *x, size_t x_ld, const float *dx,
			size_t dx_ld, size_t n, float *d)
{
	const size_t dim = h->enc->dim;
	for (size_t r = 0; r < n; r++) {
		const float *p = x + r * x_ld, *g = dx + r * dx_ld;
		float *o = d + r * dim;
		for (size_t k = 0; k < dim; k++)
			o[k] = g[k] * p[k] * (1.0f - p[k]);
		for (size_t b = 0; !h->plain && b < h->enc->nblock; b++) {
			const iso_block *k = &h->enc->block[b];
			if (k->kind != ISO_BLOCK_ONEHOT)
				continue;
			float mean = 0;
			for (size_t j = k->first; j < k->first + k->width; j++)
				mean += p[j] * g[j];
			for (size_t j = k->first; j < k->first + k->width; j++)
				o[j] = p[j] * (g[j] - mean);
		}
	}
}
