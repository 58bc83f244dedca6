// SPDX-License-Identifier: Apache-2.0
/* Private to core/nn: the patches of an image that a filter sees.
 *
 * Position (oy, ox) of the oh x ow grid sees the kernel x kernel patch at (oy stride - pad,
 * ox stride - pad); a patch is one row of kernel * kernel * c floats, zero outside the image.  The
 * patches of a few images at a time are laid out in scratch memory that stays in the L2 cache and
 * is multiplied at once. */
#ifndef ISO_NN_PATCH_H
#define ISO_NN_PATCH_H

#include <stddef.h>

#include "core/nn/spec.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_patches {
	iso_shape image;
	size_t kernel, stride, pad, oh, ow;
} iso_patches;

/* out [oh * ow][kernel * kernel * c] */
void iso_patches_get(const iso_patches *g, const float *image, float *out);
/* The adjoint: image += every patch at its place. */
void iso_patches_add(const iso_patches *g, const float *patch, float *image);
/* Is a patch a pixel and the grid the image, so that nothing is to be laid out? */
static inline int iso_patches_plain(const iso_patches *g)
{
	return g->kernel == 1 && g->stride == 1 && g->pad == 0;
}

#ifdef __cplusplus
}
#endif

#endif
