// SPDX-License-Identifier: Apache-2.0
/* What a network is built from: block shapes and a list of layer specifications.
 *
 * A discriminator of 28 x 28 images, the DCGAN generator against it, an LSTM generator of 24 steps:
 *
 *     const iso_layer_spec disc[] = {
 *         iso_conv(64, 4, 2, 1, ISO_ACT_LRELU),     28 x 28 x 1 -> 14 x 14 x 64
 *         iso_conv(128, 4, 2, 1, ISO_ACT_LRELU),    -> 7 x 7 x 128
 *         iso_dense(1, ISO_ACT_LINEAR),
 *     };
 *     ISO_TRY(iso_net_new(disc, ISO_COUNT(disc), iso_image(28, 28, 1), &d, err));
 *
 *     const iso_layer_spec gen[] = {
 *         iso_dense(7 * 7 * 128, ISO_ACT_RELU),
 *         iso_reshape(iso_image(7, 7, 128)),
 *         iso_conv_transposed(64, 4, 2, 1, ISO_ACT_RELU),
 *         iso_conv_transposed(1, 4, 2, 1, ISO_ACT_SIGMOID),
 *     };
 *     ISO_TRY(iso_net_new(gen, ISO_COUNT(gen), iso_flat(100), &g, err));
 *
 *     const iso_layer_spec rnn[] = {iso_lstm(64), iso_dense_each(6, ISO_ACT_SIGMOID)};
 *     ISO_TRY(iso_net_new(rnn, ISO_COUNT(rnn), iso_sequence(24, 16), &r, err));
 *
 * A step of the first under differential privacy: dpsgd.h.  A critic's step with a gradient
 * penalty: penalty.h.
 */
#ifndef ISO_NN_SPEC_H
#define ISO_NN_SPEC_H

#include <stddef.h>

#include "core/math/gemm.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Shape of one row: an image is h x w x c with the channels side by side (row-major, channel last),
 * a sequence is h steps of c variables (w = 1), a flat row is 1 x 1 x c. */
typedef struct iso_shape {
	size_t h, w, c;
} iso_shape;

static inline iso_shape iso_flat(size_t n)
{
	return (iso_shape){1, 1, n};
}

static inline iso_shape iso_image(size_t h, size_t w, size_t c)
{
	return (iso_shape){h, w, c};
}

static inline iso_shape iso_sequence(size_t steps, size_t variables)
{
	return (iso_shape){steps, 1, variables};
}

/* Floats of a row; 0 when it would overflow. */
static inline size_t iso_shape_size(iso_shape s)
{
	size_t n;
	return __builtin_mul_overflow(s.h, s.w, &n) || __builtin_mul_overflow(n, s.c, &n) ? 0 : n;
}

typedef struct iso_layer_ops iso_layer_ops;

/* One output head of a mixed row: `width` neighbouring outputs. */
typedef enum iso_head_kind {
	ISO_HEAD_LINEAR,
	ISO_HEAD_TANH,
	ISO_HEAD_SIGMOID,
	ISO_HEAD_SOFTMAX,
	/* softmax((s + g) / temperature), g Gumbel noise in training and none else (Jang et al.
	   2017) */
	ISO_HEAD_GUMBEL
} iso_head_kind;
typedef struct iso_head {
	iso_head_kind kind;
	size_t width;
} iso_head;

/* One layer; fields that a kind of layer does not name are 0. */
typedef struct iso_layer_spec {
	const iso_layer_ops *ops;
	size_t out;		    /* units, channels, hidden units */
	size_t kernel, stride, pad; /* of a convolution, both ways */
	size_t groups;		    /* of a normalisation; levels of an embedding */
	float rate;		    /* dropout: share; noise: sd; heads: temperature */
	iso_act act;		    /* of the output */
	float slope;		    /* of a leaky ReLU (0: 0.2) or of an ELU (0: 1) */
	int last;		    /* LSTM: the last step only; dense: once per position */
	iso_shape shape;
	const iso_head *head; /* [heads] copied when the network is built */
	size_t heads;
} iso_layer_spec;

extern const iso_layer_ops iso_layer_dense, iso_layer_conv, iso_layer_conv_transposed,
	iso_layer_lstm, iso_layer_embedding, iso_layer_group_norm, iso_layer_batch_norm,
	iso_layer_dropout, iso_layer_gaussian_noise, iso_layer_heads, iso_layer_reshape,
	iso_layer_planes, iso_layer_norm_clip;

/* y = act(x W + b) on the row taken as one vector. */
static inline iso_layer_spec iso_dense(size_t units, iso_act act)
{
	return (iso_layer_spec){.ops = &iso_layer_dense, .out = units, .act = act};
}

/* The same layer with another slope of its leaky ReLU or ELU: iso_sloped(iso_dense(64,
 * ISO_ACT_LRELU), 0.1f). */
static inline iso_layer_spec iso_sloped(iso_layer_spec s, float slope)
{
	s.slope = slope;
	return s;
}

/* `channels` filters of kernel x kernel, zeros `pad` wide around the image; h becomes
 * (h + 2 pad - kernel) / stride + 1 and must divide. */
static inline iso_layer_spec iso_conv(size_t channels, size_t kernel, size_t stride, size_t pad,
				      iso_act act)
{
	return (iso_layer_spec){.ops = &iso_layer_conv,
				.out = channels,
				.kernel = kernel,
				.stride = stride,
				.pad = pad,
				.act = act};
}

/* The adjoint of a convolution: h becomes (h - 1) stride + kernel - 2 pad. */
static inline iso_layer_spec iso_conv_transposed(size_t channels, size_t kernel, size_t stride,
						 size_t pad, iso_act act)
{
	return (iso_layer_spec){.ops = &iso_layer_conv_transposed,
				.out = channels,
				.kernel = kernel,
				.stride = stride,
				.pad = pad,
				.act = act};
}

/* The same dense layer at every position of an image or step of a sequence: a 1 x 1 convolution. */
static inline iso_layer_spec iso_dense_each(size_t units, iso_act act)
{
	return iso_conv(units, 1, 1, 0, act);
}

/* Hidden states of all steps (Hochreiter and Schmidhuber 1997, with forget gates), or of the last
 * step only. */
static inline iso_layer_spec iso_lstm(size_t hidden)
{
	return (iso_layer_spec){.ops = &iso_layer_lstm, .out = hidden};
}

static inline iso_layer_spec iso_lstm_last(size_t hidden)
{
	return (iso_layer_spec){.ops = &iso_layer_lstm, .out = hidden, .last = 1};
}

/* Every input is a code 0 .. levels-1 and becomes a vector of `dim` floats; anything else becomes
 * zeros.  No gradient goes further down. */
static inline iso_layer_spec iso_embedding(size_t levels, size_t dim)
{
	return (iso_layer_spec){.ops = &iso_layer_embedding, .out = dim, .groups = levels};
}

/* Normalisations within one row, so allowed under differential privacy; scale and shift per
 * channel.  Groups of neighbouring channels over all positions (Wu and He 2018); layer: one group
 * (Ba et al. 2016); instance: a group per channel (Ulyanov et al. 2016). */
static inline iso_layer_spec iso_group_norm(size_t groups, iso_act act)
{
	return (iso_layer_spec){.ops = &iso_layer_group_norm, .groups = groups, .act = act};
}

static inline iso_layer_spec iso_layer_norm(iso_act act)
{
	return iso_group_norm(1, act);
}

static inline iso_layer_spec iso_instance_norm(iso_act act)
{
	return (iso_layer_spec){.ops = &iso_layer_group_norm, .groups = (size_t)-1, .act = act};
}

/* Mean and variance over the rows of a batch (Ioffe and Szegedy 2015): public rows only. */
static inline iso_layer_spec iso_batch_norm(iso_act act)
{
	return (iso_layer_spec){.ops = &iso_layer_batch_norm, .act = act};
}

/* In training passes (iso_ws_train): zero with probability `rate`, else times 1 / (1 - rate). */
static inline iso_layer_spec iso_dropout(float rate)
{
	return (iso_layer_spec){.ops = &iso_layer_dropout, .rate = rate};
}

/* In training passes: plus N(0, sd^2).  Not a mechanism: it is no privacy noise. */
static inline iso_layer_spec iso_gaussian_noise(float sd)
{
	return (iso_layer_spec){.ops = &iso_layer_gaussian_noise, .rate = sd};
}

/* Mixed output: head [n], whose widths add up to the row. */
static inline iso_layer_spec iso_mixed_heads(const iso_head *head, size_t n, float temperature)
{
	return (iso_layer_spec){
		.ops = &iso_layer_heads, .rate = temperature, .head = head, .heads = n};
}

/* The same floats under another shape. */
static inline iso_layer_spec iso_reshape(iso_shape shape)
{
	return (iso_layer_spec){.ops = &iso_layer_reshape, .shape = shape};
}

/* A flat row of an image of this shape and, behind it, k more floats (the one-hot of a label) as an
 * image of c + k channels: the k floats stand beside every position. */
static inline iso_layer_spec iso_planes(iso_shape image)
{
	return (iso_layer_spec){.ops = &iso_layer_planes, .shape = image};
}

/* The row times min(1, bound / |row|).  Not a mechanism: what it bounds is no release. */
static inline iso_layer_spec iso_norm_clip(float bound)
{
	return (iso_layer_spec){.ops = &iso_layer_norm_clip, .rate = bound};
}

/* An activation of its own, after a normalisation for instance. */
static inline iso_layer_spec iso_activation(iso_act act)
{
	return (iso_layer_spec){.ops = &iso_layer_reshape, .act = act};
}

#ifdef __cplusplus
}
#endif

#endif
