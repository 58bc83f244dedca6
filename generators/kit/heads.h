// SPDX-License-Identifier: Apache-2.0
/* Output heads: raw outputs of a decoder to an encoded row, block by block of the encoder.
 *
 * Numbers, indicators and pixels get a sigmoid.  Categories get
 *   SIGMOID  a sigmoid each;
 *   SOFTMAX  a softmax over their one-hot block;
 *   GUMBEL   a relaxed draw from that softmax, softmax((o + g) / tau) with g = -log(-log u) (Jang,
 *            Gu, Poole 2017, "Categorical reparameterization with Gumbel-softmax", equation 2).  A
 *            discriminator that sees a plain softmax beside real one-hot rows learns "soft = fake",
 *            and the generator then answers with one category for all latents.
 * Where every output is a sigmoid the network's last layer applies it itself.  With `spread` the
 * decoder has one more output per number, the logarithm of its standard deviation.
 */
#ifndef ISO_GENERATORS_KIT_HEADS_H
#define ISO_GENERATORS_KIT_HEADS_H

#include "core/data/encode.h"
#include "core/math/gemm.h"

#ifdef __cplusplus
extern "C" {
#endif

enum iso_heads_kind { ISO_HEADS_SIGMOID, ISO_HEADS_SOFTMAX, ISO_HEADS_GUMBEL };

#define ISO_LOGSD_LO (-5.0f)
#define ISO_LOGSD_HI 0.0f

typedef struct iso_heads {
	const iso_encoder *enc; /* borrowed */
	int kind;		/* iso_heads_kind */
	int plain;		/* every output is a sigmoid, applied by the network */
	size_t nspread;		/* outputs behind the row: log sd of each number, in block order */
	float tau;		/* temperature of GUMBEL */
} iso_heads;

iso_heads iso_heads_new(const iso_encoder *enc, int kind, int spread, double tau);
/* Raw outputs per row: the row's width and nspread. */
size_t iso_heads_width(const iso_heads *h);
/* Activation of the network's last layer under these heads. */
iso_act iso_heads_act(const iso_heads *h);
/* x [n][x_ld] = heads(out [n][width]), out as the last layer left it.  u [n][dim]: uniform draws in
 * (0,1) for GUMBEL, or NULL for the softmax itself. */
void iso_heads_forward(const iso_heads *h, const float *out, size_t n, const float *u, float *x,
		       size_t x_ld);
/* d [n][width] = dLoss/d(pre-activation of the last layer) from x = heads(...) and dx = dLoss/dx;
 * zero for the spread outputs.  drawn: x was made with u. */
void iso_heads_backward(const iso_heads *h, const float *x, size_t x_ld, const float *dx,
			size_t dx_ld, size_t n, int drawn, float *d);
/* The sigmoid of one raw output. */
float iso_heads_number(float out);
/* Clamped log sd of the j-th number from raw outputs of one row. */
float iso_heads_logsd(const iso_heads *h, const float *out, size_t j);

#ifdef __cplusplus
}
#endif

#endif
