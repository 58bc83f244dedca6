// SPDX-License-Identifier: Apache-2.0
/* Output heads: raw network outputs to an encoded row, block by block of the encoder.
 *
 * Numbers, indicators and pixels get a sigmoid, categories a softmax over their one-hot block (or a
 * sigmoid per category when asked).  Where every output is a sigmoid the network's last layer
 * applies it itself.
 */
#ifndef ISO_GENERATORS_HEADS_H
#define ISO_GENERATORS_HEADS_H

#include "core/data/encode.h"
#include "core/math/gemm.h"

typedef struct iso_heads {
	const iso_encoder *enc; /* borrowed */
	int plain;		/* every output is a sigmoid, applied by the network */
} iso_heads;

/* softmax: one softmax per one-hot block; 0: a sigmoid per output. */
iso_heads iso_heads_new(const iso_encoder *enc, int softmax);
/* Activation of the network's last layer under these heads. */
iso_act iso_heads_act(const iso_heads *h);
/* x [n][x_ld] = heads(out [n][dim]), out as the last layer left it. */
void iso_heads_forward(const iso_heads *h, const float *out, size_t n, float *x, size_t x_ld);
/* d [n][dim] = dLoss/d(pre-activation of the last layer) from x = heads(...) and dx = dLoss/dx. */
void iso_heads_backward(const iso_heads *h, const float *x, size_t x_ld, const float *dx,
			size_t dx_ld, size_t n, float *d);

#endif
