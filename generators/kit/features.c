// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/features.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/gemm.h"
#include "core/math/vmath.h"

iso_status iso_features_new(const iso_encoder *enc, size_t dim, double length, iso_key key,
			    iso_features *out, iso_error *err)
{
	size_t blocks = 0;
	*out = (iso_features){.num = iso_alloc(enc->dim, sizeof *out->num),
			      .cat = iso_alloc(enc->dim, sizeof *out->cat)};
	for (size_t b = 0; b < enc->nblock && out->num && out->cat; b++) {
		const iso_block *k = &enc->block[b];
		const int number = k->kind != ISO_BLOCK_ONEHOT;
		blocks += !number;
		for (size_t j = k->first; j < k->first + k->width; j++)
			if (number)
				out->num[out->nnum++] = (uint32_t)j;
			else
				out->cat[out->ncat++] = (uint32_t)j;
	}
	out->freq = out->nnum ? dim / 2 : 0;
	out->dim = 2 * out->freq + out->ncat;
	out->cat_scale = blocks ? (float)(1 / sqrt((double)blocks)) : 0;
	out->norm = sqrt((double)((out->nnum > 0) + (blocks > 0)));
	out->w = iso_alloc(out->freq * out->nnum, sizeof *out->w);
	if (!out->num || !out->cat || !out->w) {
		iso_features_free(out);
		return iso_no_memory(err, "random features");
	}
	for (size_t k = 0; k < out->freq; k++)
		iso_rand_fill_normal(key, k, 0, (float)(1 / length), out->w + k * out->nnum,
				     out->nnum);
	return ISO_OK;
}

void iso_features_free(iso_features *f)
{
	iso_free(f->num);
	iso_free(f->cat);
	iso_free(f->w);
	*f = (iso_features){0};
}

void iso_features_embed(const iso_features *f, const float *x, size_t ld, size_t n, float *scratch,
			float *e)
{
	const float scale = f->freq ? (float)(1 / sqrt((double)f->freq)) : 0;
	float *u = scratch, *p = scratch + n * f->nnum;
	for (size_t r = 0; r < n; r++)
		for (size_t j = 0; j < f->nnum; j++)
			u[r * f->nnum + j] = x[r * ld + f->num[j]];
	if (f->freq)
		iso_gemm(ISO_NT, n, f->freq, f->nnum, u, f->nnum, f->w, f->nnum, 0, p, f->freq,
			 NULL);
	for (size_t r = 0; r < n; r++) {
		float *row = e + r * f->dim;
		for (size_t k = 0; k < f->freq; k++) {
			row[k] = scale * (float)iso_cos((double)p[r * f->freq + k]);
			row[f->freq + k] = scale * (float)iso_sin((double)p[r * f->freq + k]);
		}
		for (size_t j = 0; j < f->ncat; j++)
			row[2 * f->freq + j] = f->cat_scale * x[r * ld + f->cat[j]];
	}
}

/* d cos(p) = -sin(p) dp, d sin(p) = cos(p) dp, and p = W u. */
void iso_features_backward(const iso_features *f, const float *e, const float *de, size_t n,
			   float *scratch, float *dx, size_t ld)
{
	float *du = scratch, *dp = scratch + n * f->nnum;
	for (size_t r = 0; r < n; r++) {
		const float *er = e + r * f->dim, *dr = de + r * f->dim;
		for (size_t k = 0; k < f->freq; k++)
			dp[r * f->freq + k] = er[k] * dr[f->freq + k] - er[f->freq + k] * dr[k];
	}
	if (f->freq)
		iso_gemm(ISO_NN, n, f->nnum, f->freq, dp, f->freq, f->w, f->nnum, 0, du, f->nnum,
			 NULL);
	for (size_t r = 0; r < n; r++) {
		memset(dx + r * ld, 0, (f->nnum + f->ncat) * sizeof *dx);
		for (size_t j = 0; j < f->nnum; j++)
			dx[r * ld + f->num[j]] = du[r * f->nnum + j];
		for (size_t j = 0; j < f->ncat; j++)
			dx[r * ld + f->cat[j]] = f->cat_scale * de[r * f->dim + 2 * f->freq + j];
	}
}
