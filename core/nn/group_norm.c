// SPDX-License-Identifier: Apache-2.0
/* Group normalisation (Wu and He 2018): within a row, the channels of a group over all positions
 * get mean 0 and variance 1, then a scale and a shift per channel.
 *
 *     z = (x - mean) / sqrt(var + 1e-5),  s = gamma z + beta
 *     dx = (u - mean(u) - z mean(u z)) / sqrt(var + 1e-5),  u = gamma d
 *
 * Nothing crosses rows, so it is allowed under differential privacy.  A record's gradient, two
 * vectors of one float per channel, is formed as it is for its norm. */
#include <math.h>
#include <string.h>

#include "core/nn/channels.h"
#include "core/nn/layer.h"
#include "core/nn/loops.h"

static size_t groups_of(const iso_layer *y)
{
	return y->spec.groups == (size_t)-1 ? y->in.c : y->spec.groups;
}

static iso_status init(iso_layer *y, iso_error *err)
{
	const size_t groups = groups_of(y), c = y->in.c;
	ISO_FAIL_IF(groups == 0 || c % groups, err, ISO_E_CONFIG,
		    "bad network (layer %zu, normalisation: %zu groups of %zu channels): the "
		    "groups must divide the channels",
		    y->index, groups, c);
	ISO_FAIL_IF(y->nin / groups < 2, err, ISO_E_CONFIG,
		    "bad network (layer %zu, normalisation): one value per group has no variance; "
		    "use fewer groups",
		    y->index);
	iso_channels_init(y);
	y->keep = y->nin + groups; /* z, 1 / sqrt(var + eps) */
	y->scratch = 4 * c;	   /* two doubles per channel */
	return ISO_OK;
}

/* Channel sums of v, and of v w or (v - mean of its group)^2, folded into the first channel of each
 * group. */
static void fold(const iso_layer *y, double *sum)
{
	const size_t groups = groups_of(y), wide = y->in.c / groups;
	for (size_t g = 0; g < groups; g++) {
		double total = 0;
		for (size_t u = 0; u < wide; u++)
			total += sum[g * wide + u];
		sum[g] = total / (double)(y->nin / groups);
	}
}

static void normalise(const iso_layer *y, const float *x, double *mean, double *var, float *z)
{
	const size_t c = y->in.c, groups = groups_of(y), wide = c / groups;
	float *const inverse = z + y->nin;
	iso_channel_sums(c, y->nin, x, NULL, mean);
	fold(y, mean);
	for (size_t u = c; u-- > 0;) /* backwards: group g stands at or before its channels */
		mean[u] = mean[u / wide];
	for (size_t q = 0; q < y->nin; q += c)
		for (size_t u = 0; u < c; u++)
			z[q + u] = (float)(x[q + u] - mean[u]);
	iso_channel_sums(c, y->nin, z, z, var);
	fold(y, var);
	for (size_t g = 0; g < groups; g++)
		inverse[g] = (float)(1 / sqrt(var[g] + ISO_NORM_EPS));
	for (size_t q = 0; q < y->nin; q += c)
		for (size_t g = 0; g < groups; g++)
			for (size_t u = g * wide; u < (g + 1) * wide; u++)
				z[q + u] *= inverse[g];
}

static void forward(const iso_layer *y, const iso_pass *p, float *theta, float *out2)
{
	double *const sum = (double *)(void *)p->scratch;
	for (size_t r = 0; r < p->rows; r++) {
		float *const z = p->keep + r * p->keep_ld;
		normalise(y, p->x + r * p->x_ld, sum, sum + y->in.c, z);
		iso_channels_affine(y, theta, z, p->h + r * y->nout);
	}
	iso_layer_finish(y, p, out2);
}

static void backward(const iso_layer *y, const iso_pass *p, const float *theta, float *dx,
		     size_t dx_ld, const iso_epilogue *e)
{
	const size_t c = y->in.c, groups = groups_of(y), wide = c / groups;
	double *const mean = (double *)(void *)p->scratch, *const along = mean + c;
	(void)e;
	for (size_t r = 0; dx && r < p->rows; r++) {
		const float *const z = p->keep + r * p->keep_ld, *const inverse = z + y->nin;
		const float *const d = p->d + r * y->nout;
		float *const to = dx + r * dx_ld;
		for (size_t q = 0; q < y->nin; q += c)
			for (size_t u = 0; u < c; u++)
				to[q + u] = theta[u] * d[q + u];
		iso_channel_sums(c, y->nin, to, NULL, mean);
		iso_channel_sums(c, y->nin, to, z, along);
		fold(y, mean);
		fold(y, along);
		for (size_t q = 0; q < y->nin; q += c)
			for (size_t g = 0; g < groups; g++) {
				const float m = (float)mean[g], a = (float)along[g];
				for (size_t u = q + g * wide; u < q + (g + 1) * wide; u++)
					to[u] = (to[u] - m - z[u] * a) * inverse[g];
			}
	}
}

const iso_layer_ops iso_layer_group_norm = {
	.name = "group_norm",
	.init = init,
	.forward = forward,
	.backward = backward,
	.norms2 = iso_channels_norms2,
	.weighted_grad = iso_channels_weighted_grad,
};
