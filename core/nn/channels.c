// SPDX-License-Identifier: Apache-2.0
#include "core/nn/channels.h"

#include <math.h>
#include <string.h>

#include "core/nn/loops.h"

void iso_channels_init(iso_layer *y)
{
	const size_t c = y->in.c;
	y->out = y->in;
	y->tensor[0] = (iso_layer_tensor){.name = "scale", .n = c, .fill = 1};
	y->tensor[1] = (iso_layer_tensor){.name = "shift", .at = c, .n = c};
	y->ntensor = 2;
	y->nparam = 2 * c;
}

void iso_channels_affine(const iso_layer *y, const float *theta, const float *z, float *s)
{
	const size_t c = y->in.c;
	for (size_t q = 0; q < y->nin; q += c)
		for (size_t u = 0; u < c; u++)
			s[q + u] = theta[u] * z[q + u] + theta[c + u];
}

void iso_channel_sums(size_t c, size_t n, const float *v, const float *w, double *sum)
{
	for (size_t u = 0; u < c; u++)
		sum[u] = 0;
	for (size_t q = 0; q < n; q += c)
		for (size_t u = 0; u < c; u++)
			sum[u] += w ? (double)v[q + u] * w[q + u] : v[q + u];
}

void iso_channels_weighted_grad(const iso_layer *y, const iso_pass *p, const float *scale,
				size_t from, size_t to, int beta, float *grad)
{
	const size_t c = y->in.c;
	if (!beta)
		memset(grad, 0, 2 * c * sizeof(float));
	if (scale)
		iso_nn_loops_now()->scale_rows(to - from, y->nout, scale + from,
					       p->d + from * y->nout);
	for (size_t r = from; r < to; r++) {
		const float *const d = p->d + r * y->nout, *const z = p->keep + r * p->keep_ld;
		for (size_t q = 0; q < y->nout; q += c)
			for (size_t u = 0; u < c; u++) {
				grad[u] += d[q + u] * z[q + u];
				grad[c + u] += d[q + u];
			}
	}
}

/* (|sum| + the rounding of its single-precision twin above)^2 */
static double lifted_square(double sum, double size, double terms)
{
	const double s = fabs(sum) + size * (terms + 2) * 1.01 * 0x1p-24;
	return s * s;
}

void iso_channels_norms2(const iso_layer *y, const iso_pass *p, size_t first, size_t n,
			 double *total)
{
	const size_t c = y->in.c;
	const double terms = (double)(p->m * (y->nout / c));
	for (size_t k = 0; k < n; k++) {
		for (size_t u = 0; u < c; u++) {
			double scale = 0, shift = 0, scale_size = 0, shift_size = 0;
			for (size_t r = (first + k) * p->m; r < (first + k + 1) * p->m; r++) {
				const float *const d = p->d + r * y->nout;
				const float *const z = p->keep + r * p->keep_ld;
				for (size_t q = u; q < y->nout; q += c) {
					scale += (double)d[q] * z[q];
					scale_size += fabs((double)d[q] * z[q]);
					shift += d[q];
					shift_size += fabs((double)d[q]);
				}
			}
			total[k] += lifted_square(scale, scale_size, terms) +
				    lifted_square(shift, shift_size, terms);
		}
	}
}
