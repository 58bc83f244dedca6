// SPDX-License-Identifier: Apache-2.0
/* Layers without parameters that treat every float by itself: reshape and activation, dropout
 * (Srivastava et al. 2014), Gaussian noise. */
#include <math.h>
#include <string.h>

#include "core/nn/layer.h"

static void copy_rows(size_t rows, size_t n, const float *from, size_t ld, float *to, size_t to_ld)
{
	for (size_t r = 0; r < rows; r++)
		memcpy(to + r * to_ld, from + r * ld, n * sizeof(float));
}

static void pass_down(const iso_layer *y, const iso_pass *p, const float *theta, float *dx,
		      size_t dx_ld, const iso_epilogue *e)
{
	(void)theta, (void)e;
	if (dx)
		copy_rows(p->rows, y->nin, p->d, y->nout, dx, dx_ld);
}

static void pass_tangent(const iso_layer *y, const iso_pass *p, const float *theta, size_t n,
			 const float *xdot, size_t xdot_ld, size_t row, size_t step, float *sdot)
{
	(void)p, (void)theta, (void)row, (void)step;
	copy_rows(n, y->nin, xdot, xdot_ld, sdot, y->nout);
}

/* ---- reshape, activation ---- */

static iso_status reshape_init(iso_layer *y, iso_error *err)
{
	const iso_shape s = y->spec.shape;
	const int keep = s.h == 0 && s.w == 0 && s.c == 0;
	ISO_FAIL_IF(!keep && iso_shape_size(s) != y->nin, err, ISO_E_CONFIG,
		    "bad network (layer %zu, reshape: %zu floats to %zu x %zu x %zu): the sizes "
		    "must be equal",
		    y->index, y->nin, s.h, s.w, s.c);
	y->out = keep ? y->in : s;
	return ISO_OK;
}

static void reshape_forward(const iso_layer *y, const iso_pass *p, float *theta, float *out2)
{
	(void)theta;
	copy_rows(p->rows, y->nin, p->x, p->x_ld, p->h, y->nout);
	iso_layer_finish(y, p, out2);
}

const iso_layer_ops iso_layer_reshape = {
	.name = "reshape",
	.init = reshape_init,
	.forward = reshape_forward,
	.backward = pass_down,
	.tangent = pass_tangent,
};

/* ---- dropout ---- */

static iso_status dropout_init(iso_layer *y, iso_error *err)
{
	ISO_FAIL_IF(!(y->spec.rate >= 0 && y->spec.rate < 1), err, ISO_E_CONFIG,
		    "bad network (layer %zu, dropout: rate %g): want at least 0 and below 1",
		    y->index, (double)y->spec.rate);
	y->out = y->in;
	y->keep = y->nin; /* the factor of each float */
	return ISO_OK;
}

static void dropout_forward(const iso_layer *y, const iso_pass *p, float *theta, float *out2)
{
	const float rate = y->spec.rate, kept = 1.0f / (1.0f - rate);
	const iso_key key = iso_pass_key(y, p, "dropout");
	(void)theta;
	for (size_t r = 0; r < p->rows; r++) {
		float *const f = p->keep + r * p->keep_ld;
		if (p->training)
			iso_rand_fill_uniform(key, iso_pass_id(p, r), 0, 1, f, y->nin);
		for (size_t i = 0; i < y->nin; i++) {
			f[i] = !p->training ? 1.0f : f[i] < rate ? 0.0f : kept;
			p->h[r * y->nout + i] = p->x[r * p->x_ld + i] * f[i];
		}
	}
	iso_layer_finish(y, p, out2);
}

static void dropout_backward(const iso_layer *y, const iso_pass *p, const float *theta, float *dx,
			     size_t dx_ld, const iso_epilogue *e)
{
	(void)theta, (void)e;
	for (size_t r = 0; dx && r < p->rows; r++)
		for (size_t i = 0; i < y->nin; i++)
			dx[r * dx_ld + i] = p->d[r * y->nout + i] * p->keep[r * p->keep_ld + i];
}

static void dropout_tangent(const iso_layer *y, const iso_pass *p, const float *theta, size_t n,
			    const float *xdot, size_t xdot_ld, size_t row, size_t step, float *sdot)
{
	(void)theta;
	for (size_t r = 0; r < n; r++)
		for (size_t i = 0; i < y->nin; i++)
			sdot[r * y->nout + i] =
				xdot[r * xdot_ld + i] * p->keep[(row + r * step) * p->keep_ld + i];
}

const iso_layer_ops iso_layer_dropout = {
	.name = "dropout",
	.init = dropout_init,
	.forward = dropout_forward,
	.backward = dropout_backward,
	.tangent = dropout_tangent,
};

/* ---- Gaussian noise ---- */

static iso_status noise_init(iso_layer *y, iso_error *err)
{
	ISO_FAIL_IF(!(y->spec.rate >= 0 && y->spec.rate < INFINITY), err, ISO_E_CONFIG,
		    "bad network (layer %zu, Gaussian noise: standard deviation %g): want a finite "
		    "one of at least 0",
		    y->index, (double)y->spec.rate);
	y->out = y->in;
	return ISO_OK;
}

static void noise_forward(const iso_layer *y, const iso_pass *p, float *theta, float *out2)
{
	const iso_key key = iso_pass_key(y, p, "gaussian-noise");
	(void)theta;
	for (size_t r = 0; r < p->rows; r++) {
		float *const h = p->h + r * y->nout;
		if (p->training)
			iso_rand_fill_normal(key, iso_pass_id(p, r), 0, y->spec.rate, h, y->nin);
		for (size_t i = 0; i < y->nin; i++)
			h[i] = p->x[r * p->x_ld + i] + (p->training ? h[i] : 0.0f);
	}
	iso_layer_finish(y, p, out2);
}

const iso_layer_ops iso_layer_gaussian_noise = {
	.name = "gaussian_noise",
	.init = noise_init,
	.forward = noise_forward,
	.backward = pass_down,
	.tangent = pass_tangent,
};
