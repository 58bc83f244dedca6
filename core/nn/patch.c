// SPDX-License-Identifier: Apache-2.0
#include "core/nn/patch.h"

#include <string.h>

/* Columns first .. first + n - 1 of the patch lie inside the image, from image column x on. */
typedef struct span {
	size_t first, n, x;
} span;

static span columns(const iso_patches *g, size_t ox)
{
	const size_t left = ox * g->stride; /* in the padded image */
	const size_t first = left < g->pad ? g->pad - left : 0;
	const size_t end = g->image.w + g->pad > left ? g->image.w + g->pad - left : 0;
	const size_t last = end < g->kernel ? end : g->kernel;
	return (span){first, last > first ? last - first : 0, left + first - g->pad};
}

/* Row ky of the patches at grid row oy: the image row, or NULL outside. */
static int image_row(const iso_patches *g, size_t oy, size_t ky, size_t *row)
{
	const size_t y = oy * g->stride + ky;
	*row = y - g->pad;
	return y >= g->pad && *row < g->image.h;
}

void iso_patches_get(const iso_patches *g, const float *image, float *out)
{
	const size_t c = g->image.c, line = g->image.w * c, segment = g->kernel * c,
		     size = g->kernel * segment;
	for (size_t ox = 0; ox < g->ow; ox++) {
		const span s = columns(g, ox);
		for (size_t oy = 0; oy < g->oh; oy++) {
			float *to = out + (oy * g->ow + ox) * size;
			for (size_t ky = 0; ky < g->kernel; ky++, to += segment) {
				size_t row;
				if (!image_row(g, oy, ky, &row)) {
					memset(to, 0, segment * sizeof(float));
					continue;
				}
				const size_t end = s.first + s.n;
				if (s.n < g->kernel) {
					memset(to, 0, s.first * c * sizeof(float));
					memset(to + end * c, 0,
					       (g->kernel - end) * c * sizeof(float));
				}
				memcpy(to + s.first * c, image + row * line + s.x * c,
				       s.n * c * sizeof(float));
			}
		}
	}
}

void iso_patches_add(const iso_patches *g, const float *patch, float *image)
{
	const size_t c = g->image.c, line = g->image.w * c, segment = g->kernel * c,
		     size = g->kernel * segment;
	for (size_t oy = 0; oy < g->oh; oy++) {
		for (size_t ox = 0; ox < g->ow; ox++) {
			const span s = columns(g, ox);
			const float *from = patch + (oy * g->ow + ox) * size + s.first * c;
			for (size_t ky = 0; ky < g->kernel; ky++, from += segment) {
				size_t row;
				if (!image_row(g, oy, ky, &row))
					continue;
				float *const to = image + row * line + s.x * c;
				for (size_t i = 0; i < s.n * c; i++)
					to[i] += from[i];
			}
		}
	}
}
