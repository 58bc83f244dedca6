// SPDX-License-Identifier: Apache-2.0
/* Private to core/nn: what the normalisations share, the scale gamma and shift beta per channel of
 * s = gamma z + beta, with z [nin] kept per row. */
#ifndef ISO_NN_CHANNELS_H
#define ISO_NN_CHANNELS_H

#include "core/nn/layer.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ISO_NORM_EPS 1e-5

void iso_channels_init(iso_layer *y); /* shape and tensors */
void iso_channels_affine(const iso_layer *y, const float *theta, const float *z, float *s);
/* sum [c] = over the n floats v, channel by channel, of v or (w not NULL) v w. */
void iso_channel_sums(size_t c, size_t n, const float *v, const float *w, double *sum);
void iso_channels_weighted_grad(const iso_layer *y, const iso_pass *p, const float *scale,
				size_t from, size_t to, int beta, float *grad);
void iso_channels_norms2(const iso_layer *y, const iso_pass *p, size_t first, size_t n,
			 double *total);

#ifdef __cplusplus
}
#endif

#endif
