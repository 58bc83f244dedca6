// SPDX-License-Identifier: Apache-2.0
/* Random Fourier features of encoded rows (Rahimi and Recht 2007, "Random features for large-scale
 * kernel machines"; Harder, Adamczewski, Park 2021, section 4), for mean embeddings.
 *
 * e(x) = [ cos(W u), sin(W u) ] / sqrt(F)  beside  v / sqrt(m)
 *
 * with u the numbers of the row (indicators and pixels with them), W [F][numbers] of N(0, 1/l^2),
 * and v its m one-hot blocks.  The first part has norm 1, the second at most 1 (1 for one-hot
 * rows); products of the first part estimate exp(-|u - u'|^2 / (2 l^2)), those of the second count
 * equal categories.  Without numbers, or without categories, the other part is all. */
#ifndef ISO_GENERATORS_KIT_FEATURES_H
#define ISO_GENERATORS_KIT_FEATURES_H

#include "core/data/encode.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_features {
	size_t nnum, ncat, freq; /* numbers; floats of one-hot blocks; F, 0 without numbers */
	uint32_t *num, *cat;	 /* places in an encoded row; owned */
	float *w;		 /* [freq][nnum] owned */
	float cat_scale;	 /* 1 / sqrt(blocks) */
	size_t dim;		 /* 2 freq + ncat */
	double norm;		 /* of e(x) for an encoded row: sqrt 2, or 1 */
} iso_features;

/* dim: of the Fourier part, even.  On failure *out is empty. */
iso_status iso_features_new(const iso_encoder *enc, size_t dim, double length, iso_key key,
			    iso_features *out, iso_error *err) ISO_MUST_CHECK;
void iso_features_free(iso_features *f);
/* e [n][dim] of rows x [n][ld].  scratch [n][nnum + freq]. */
void iso_features_embed(const iso_features *f, const float *x, size_t ld, size_t n, float *scratch,
			float *e);
/* dx [n][ld] = dLoss/dx from e as embed left it and de [n][dim]; overwrites scratch. */
void iso_features_backward(const iso_features *f, const float *e, const float *de, size_t n,
			   float *scratch, float *dx, size_t ld);

#ifdef __cplusplus
}
#endif

#endif
