// SPDX-License-Identifier: Apache-2.0
/* What a network is built from: block shapes and a list of layer specifications.
 *
 *     const iso_layer_spec disc[] = {iso_dense(128, ISO_ACT_LRELU), iso_dense(1, ISO_ACT_LINEAR)};
 *     ISO_TRY(iso_net_new(disc, ISO_COUNT(disc), iso_flat(784), &net, err));
 */
#ifndef ISO_NN_SPEC_H
#define ISO_NN_SPEC_H

#include <stddef.h>

#include "core/math/gemm.h"

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

/* One layer; fields that a kind of layer does not name are 0. */
typedef struct iso_layer_spec {
	const iso_layer_ops *ops;
	size_t out;  /* units */
	iso_act act; /* of the output */
} iso_layer_spec;

extern const iso_layer_ops iso_layer_dense;

/* y = act(x W + b) on the row taken as one vector. */
static inline iso_layer_spec iso_dense(size_t units, iso_act act)
{
	return (iso_layer_spec){.ops = &iso_layer_dense, .out = units, .act = act};
}

#endif
