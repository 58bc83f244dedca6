// SPDX-License-Identifier: Apache-2.0
/* Layers without parameters that look at a whole row: label planes (Mirza and Osindero 2014 for
 * convolutions), and the clip of a row to an L2 ball (Triastcyn and Faltings 2018, section 4.2). */
#include <math.h>
#include <string.h>

#include "core/nn/layer.h"

/* ---- planes: [h w c | k] -> h x w x (c + k), the k floats beside every position ---- */

static iso_status planes_init(iso_layer *y, iso_error *err)
{
	const iso_shape s = y->spec.shape;
	const size_t image = iso_shape_size(s);
	ISO_FAIL_IF(image == 0 || y->nin < image, err, ISO_E_CONFIG,
		    "bad network (layer %zu, planes: %zu floats for %zu x %zu x %zu): the image "
		    "must fit into the row",
		    y->index, y->nin, s.h, s.w, s.c);
	y->out = (iso_shape){s.h, s.w, s.c + (y->nin - image)};
	return ISO_OK;
}

static void spread(const iso_layer *y, size_t rows, const float *x, size_t ld, float *out)
{
	const size_t c = y->spec.shape.c, places = y->spec.shape.h * y->spec.shape.w,
		     k = y->out.c - c;
	for (size_t r = 0; r < rows; r++, x += ld)
		for (size_t p = 0; p < places; p++, out += c + k) {
			memcpy(out, x + p * c, c * sizeof *out);
			memcpy(out + c, x + places * c, k * sizeof *out);
		}
}

static void planes_forward(const iso_layer *y, const iso_pass *p, float *theta, float *out2)
{
	(void)theta;
	spread(y, p->rows, p->x, p->x_ld, p->h);
	iso_layer_finish(y, p, out2);
}

static void planes_backward(const iso_layer *y, const iso_pass *p, const float *theta, float *dx,
			    size_t dx_ld, const iso_epilogue *e)
{
	const size_t c = y->spec.shape.c, places = y->spec.shape.h * y->spec.shape.w,
		     k = y->out.c - c;
	(void)theta, (void)e;
	for (size_t r = 0; dx && r < p->rows; r++) {
		const float *d = p->d + r * y->nout;
		float *const to = dx + r * dx_ld, *const label = to + places * c;
		memset(label, 0, k * sizeof *label);
		for (size_t q = 0; q < places; q++, d += c + k) {
			memcpy(to + q * c, d, c * sizeof *d);
			for (size_t j = 0; j < k; j++)
				label[j] += d[c + j];
		}
	}
}

static void planes_tangent(const iso_layer *y, const iso_pass *p, const float *theta, size_t n,
			   const float *xdot, size_t xdot_ld, size_t row, size_t step, float *sdot)
{
	(void)p, (void)theta, (void)row, (void)step;
	spread(y, n, xdot, xdot_ld, sdot);
}

const iso_layer_ops iso_layer_planes = {
	.name = "planes",
	.init = planes_init,
	.forward = planes_forward,
	.backward = planes_backward,
	.tangent = planes_tangent,
};

/* ---- norm clip: h = x min(1, C / |x|) ---- */

static iso_status clip_init(iso_layer *y, iso_error *err)
{
	ISO_FAIL_IF(!(y->spec.rate > 0 && y->spec.rate < INFINITY), err, ISO_E_CONFIG,
		    "bad network (layer %zu, norm clip: bound %g): want a finite one above 0",
		    y->index, (double)y->spec.rate);
	y->out = y->in;
	y->keep = 1; /* |x|^2 */
	return ISO_OK;
}

static double dot(const float *a, const float *b, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (double)a[i] * b[i];
	return sum;
}

static float factor_of(const iso_layer *y, float norm2)
{
	const float c = y->spec.rate;
	return norm2 > c * c ? c / sqrtf(norm2) : 1;
}

static void clip_forward(const iso_layer *y, const iso_pass *p, float *theta, float *out2)
{
	(void)theta;
	for (size_t r = 0; r < p->rows; r++) {
		const float *const x = p->x + r * p->x_ld;
		const float norm2 = (float)dot(x, x, y->nin), f = factor_of(y, norm2);
		p->keep[r * p->keep_ld] = norm2;
		for (size_t i = 0; i < y->nin; i++)
			p->h[r * y->nout + i] = f * x[i];
	}
	iso_layer_finish(y, p, out2);
}

/* Inside the ball dx = d; outside dx = C / |x| (d - x (x.d) / |x|^2). */
static void clip_backward(const iso_layer *y, const iso_pass *p, const float *theta, float *dx,
			  size_t dx_ld, const iso_epilogue *e)
{
	(void)theta, (void)e;
	for (size_t r = 0; dx && r < p->rows; r++) {
		const float *const x = p->x + r * p->x_ld, *const d = p->d + r * y->nout;
		const float norm2 = p->keep[r * p->keep_ld], f = factor_of(y, norm2);
		const float along = f < 1 ? (float)(dot(x, d, y->nin) / (double)norm2) : 0;
		for (size_t i = 0; i < y->nin; i++)
			dx[r * dx_ld + i] = f * (d[i] - along * x[i]);
	}
}

const iso_layer_ops iso_layer_norm_clip = {
	.name = "norm_clip",
	.init = clip_init,
	.forward = clip_forward,
	.backward = clip_backward,
};
