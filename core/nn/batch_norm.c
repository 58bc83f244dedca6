// SPDX-License-Identifier: Apache-2.0
/* Batch normalisation (Ioffe and Szegedy 2015): mean and variance of each channel over the rows and
 * positions of a batch in training passes (iso_ws_train), running averages of them otherwise.
 *
 * It couples the rows: no record has a gradient of its own, so a workspace with norms refuses it,
 * and a released net would carry the private rows' statistics.  For public rows and generators. */
#include <math.h>
#include <string.h>

#include "core/nn/channels.h"
#include "core/nn/layer.h"

#define MOMENTUM 0.1f

enum { RUNNING_MEAN = 2, RUNNING_VAR = 3 };

static iso_status init(iso_layer *y, iso_error *err)
{
	const size_t c = y->in.c;
	(void)err;
	iso_channels_init(y);
	y->tensor[RUNNING_MEAN] = (iso_layer_tensor){.name = "mean", .at = 2 * c, .n = c};
	y->tensor[RUNNING_VAR] = (iso_layer_tensor){.name = "var", .at = 3 * c, .n = c, .fill = 1};
	y->ntensor = 4;
	y->nparam = 4 * c;
	y->keep = y->nin + c; /* z; in row 0 also 1 / sqrt(var + eps) */
	y->scratch = 8 * c;
	return ISO_OK;
}

/* Mean and variance of every channel over the batch. */
static void moments(const iso_layer *y, const iso_pass *p, double *mean, double *var, double *part)
{
	const size_t c = y->in.c;
	const double n = (double)(p->rows * (y->nin / c));
	memset(mean, 0, 2 * c * sizeof(*mean)); /* var lies behind it */
	for (size_t r = 0; r < p->rows; r++) {
		iso_channel_sums(c, y->nin, p->x + r * p->x_ld, NULL, part);
		for (size_t u = 0; u < c; u++)
			mean[u] += part[u];
	}
	for (size_t u = 0; u < c; u++)
		mean[u] /= n;
	for (size_t r = 0; r < p->rows; r++)
		for (size_t q = 0; q < y->nin; q += c)
			for (size_t u = 0; u < c; u++) {
				const double away = p->x[r * p->x_ld + q + u] - mean[u];
				var[u] += away * away;
			}
	for (size_t u = 0; u < c; u++)
		var[u] /= n;
}

static void forward(const iso_layer *y, const iso_pass *p, float *theta, float *out2)
{
	const size_t c = y->in.c;
	double *const mean = (double *)(void *)p->scratch, *const var = mean + c;
	float *const run_mean = theta + 2 * c, *const run_var = theta + 3 * c;
	float *const inverse = p->keep + y->nin;
	if (p->rows == 0)
		return;
	if (p->training)
		moments(y, p, mean, var, var + c);
	for (size_t u = 0; u < c; u++) {
		if (p->training) {
			run_mean[u] += MOMENTUM * ((float)mean[u] - run_mean[u]);
			run_var[u] += MOMENTUM * ((float)var[u] - run_var[u]);
		} else {
			mean[u] = run_mean[u];
			var[u] = run_var[u];
		}
		inverse[u] = (float)(1 / sqrt(var[u] + ISO_NORM_EPS));
	}
	for (size_t r = 0; r < p->rows; r++) {
		float *const z = p->keep + r * p->keep_ld;
		for (size_t q = 0; q < y->nin; q += c)
			for (size_t u = 0; u < c; u++)
				z[q + u] =
					(float)(p->x[r * p->x_ld + q + u] - mean[u]) * inverse[u];
		iso_channels_affine(y, theta, z, p->h + r * y->nout);
	}
	iso_layer_finish(y, p, out2);
}

/* mean(u) and mean(u z) over the batch, u = gamma d; zero outside training, where the statistics do
 * not depend on the rows. */
static void batch_sums(const iso_layer *y, const iso_pass *p, double *mean, double *along,
		       double *part)
{
	const size_t c = y->in.c;
	const double n = (double)(p->rows * (y->nin / c));
	memset(mean, 0, 2 * c * sizeof(*mean));
	for (size_t r = 0; p->training && r < p->rows; r++) {
		const float *const d = p->d + r * y->nout, *const z = p->keep + r * p->keep_ld;
		iso_channel_sums(c, y->nin, d, NULL, part);
		for (size_t u = 0; u < c; u++)
			mean[u] += part[u] / n;
		iso_channel_sums(c, y->nin, d, z, part);
		for (size_t u = 0; u < c; u++)
			along[u] += part[u] / n;
	}
}

static void backward(const iso_layer *y, const iso_pass *p, const float *theta, float *dx,
		     size_t dx_ld, const iso_epilogue *e)
{
	const size_t c = y->in.c;
	double *const mean = (double *)(void *)p->scratch, *const along = mean + c;
	const float *const inverse = p->keep + y->nin;
	(void)e;
	if (!dx || p->rows == 0)
		return;
	batch_sums(y, p, mean, along, along + c);
	for (size_t r = 0; r < p->rows; r++) {
		const float *const d = p->d + r * y->nout, *const z = p->keep + r * p->keep_ld;
		for (size_t q = 0; q < y->nin; q += c)
			for (size_t u = 0; u < c; u++)
				dx[r * dx_ld + q + u] =
					(float)(d[q + u] - mean[u] - z[q + u] * along[u]) *
					(theta[u] * inverse[u]);
	}
}

static void weighted_grad(const iso_layer *y, const iso_pass *p, const float *scale, size_t from,
			  size_t to, int beta, float *grad)
{
	const size_t c = y->in.c;
	iso_channels_weighted_grad(y, p, scale, from, to, beta, grad);
	if (!beta) /* the running statistics are no parameters to descend on */
		memset(grad + 2 * c, 0, 2 * c * sizeof(float));
}

const iso_layer_ops iso_layer_batch_norm = {
	.name = "batch_norm",
	.init = init,
	.forward = forward,
	.backward = backward,
	.weighted_grad = weighted_grad,
	.couples_rows = 1,
};
