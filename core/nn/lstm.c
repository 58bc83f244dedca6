// SPDX-License-Identifier: Apache-2.0
/* LSTM (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000):
 *
 *     z_t = [x_t, h_{t-1}] W + b,  W [c + hidden][4 hidden], gates i, f, o, g side by side
 *     i, f, o = sigmoid(z),  g = tanh(z),  c_t = f c_{t-1} + i g,  h_t = o tanh(c_t)
 *
 * Back through time: with dh_t from above and from step t+1,
 *
 *     dc_t = dh_t o (1 - tanh(c_t)^2) + dc_{t+1} f_{t+1},   dz = the gates' derivatives times
 *     (dc g, dc c_{t-1}, dh tanh(c_t), dc i),   [dx_t, dh_{t-1}] = dz_t W^T
 *
 * One factor row per step: a = [x_t, h_{t-1}], e = dz_t.  The rows of a batch go side by side, step
 * by step. */
#include <string.h>

#include "core/math/vmath.h"
#include "core/nn/factor.h"
#include "core/nn/layer.h"
#include "core/nn/loops.h"

/* keep, one array after the other, each [cap rows][...]. */
typedef struct lstm {
	size_t t, c, h, k; /* steps, inputs, hidden, c + h */
	float *a;	   /* [t][k] */
	float *z;	   /* [t][4h] gates after their functions */
	float *cell, *tc;  /* [t][h] cell state and its tanh */
	float *dz;	   /* [t][4h] */
	float *dh, *dc;	   /* [h] carried from step to step */
} lstm;

static lstm view(const iso_layer *y, const iso_pass *p)
{
	lstm s = {.t = y->in.h * y->in.w, .c = y->in.c, .h = y->spec.out};
	s.k = s.c + s.h;
	s.a = p->keep;
	s.z = s.a + p->cap * s.t * s.k;
	s.cell = s.z + p->cap * s.t * 4 * s.h;
	s.tc = s.cell + p->cap * s.t * s.h;
	s.dz = s.tc + p->cap * s.t * s.h;
	s.dh = s.dz + p->cap * s.t * 4 * s.h;
	s.dc = s.dh + p->cap * s.h;
	return s;
}

static iso_status init(iso_layer *y, iso_error *err)
{
	const size_t h = y->spec.out, k = y->in.c + h, t = y->in.h * y->in.w;
	ISO_FAIL_IF(h == 0, err, ISO_E_CONFIG,
		    "bad network (layer %zu, LSTM: no hidden units): want at least 1", y->index);
	y->out = y->spec.last ? iso_flat(h) : iso_sequence(t, h);
	y->act = ISO_ACT_LINEAR;
	y->tensor[0] =
		(iso_layer_tensor){.name = "w", .n = k * 4 * h, .fan_in = k, .fan_out = 4 * h};
	y->tensor[1] = (iso_layer_tensor){.name = "b", .at = k * 4 * h, .n = 4 * h};
	y->ntensor = 2;
	y->nparam = (k + 1) * 4 * h;
	y->keep = t * (k + 10 * h) + 2 * h;
	y->scratch = iso_factor_scratch(k, 4 * h);
	return ISO_OK;
}

/* Gates of one row and step from z; cell, its tanh and h. */
static void cell_step(size_t h, float *z, const float *before, float *cell, float *tc, float *out)
{
	const float *const i = z, *const f = z + h, *const o = z + 2 * h, *const g = z + 3 * h;
	iso_vsigmoid(3 * h, z, z);
	iso_vtanh(h, z + 3 * h, z + 3 * h);
	for (size_t u = 0; u < h; u++)
		cell[u] = (before ? f[u] * before[u] : 0.0f) + i[u] * g[u];
	iso_vtanh(h, cell, tc);
	for (size_t u = 0; u < h; u++)
		out[u] = o[u] * tc[u];
}

static void forward(const iso_layer *y, const iso_pass *p, float *theta, float *out2)
{
	const lstm s = view(y, p);
	const iso_epilogue e = {.bias = theta + y->tensor[1].at};
	for (size_t r = 0; r < p->rows; r++) {
		float *const a = s.a + r * s.t * s.k;
		for (size_t t = 0; t < s.t; t++)
			memcpy(a + t * s.k, p->x + r * p->x_ld + t * s.c, s.c * sizeof(float));
		memset(a + s.c, 0, s.h * sizeof(float));
	}
	for (size_t t = 0; t < s.t; t++) {
		iso_gemm(ISO_NN, p->rows, 4 * s.h, s.k, s.a + t * s.k, s.t * s.k, theta, 4 * s.h, 0,
			 s.z + t * 4 * s.h, s.t * 4 * s.h, &e);
		for (size_t r = 0; r < p->rows; r++) {
			const size_t at = r * s.t + t;
			float *const cell = s.cell + at * s.h;
			float *const out = y->spec.last ? p->h + r * s.h : p->h + at * s.h;
			cell_step(s.h, s.z + at * 4 * s.h, t ? cell - s.h : NULL, cell,
				  s.tc + at * s.h, out);
			if (t + 1 < s.t)
				memcpy(s.a + (at + 1) * s.k + s.c, out, s.h * sizeof(float));
		}
	}
	if (out2)
		iso_row_norms2(p->rows, y->nout, p->h, y->nout, 0, out2);
}

/* dz of one row and step from dh; dc is carried to the step before. */
static void gate_deltas(size_t h, const float *z, const float *tc, const float *before,
			const float *dh, float *dc, float *dz)
{
	const float *const i = z, *const f = z + h, *const o = z + 2 * h, *const g = z + 3 * h;
	for (size_t u = 0; u < h; u++) {
		const float c = dc[u] + dh[u] * o[u] * (1.0f - tc[u] * tc[u]);
		const float was = before ? before[u] : 0.0f;
		dz[u] = c * g[u] * (i[u] * (1.0f - i[u]));
		dz[h + u] = c * was * (f[u] * (1.0f - f[u]));
		dz[2 * h + u] = dh[u] * tc[u] * (o[u] * (1.0f - o[u]));
		dz[3 * h + u] = c * i[u] * (1.0f - g[u] * g[u]);
		dc[u] = c * f[u];
	}
}

static void input_deltas(const lstm *s, const iso_pass *p, const float *theta, float *dx,
			 size_t dx_ld)
{
	if (dx_ld == s->t * s->c) {
		iso_gemm(ISO_NT, p->rows * s->t, s->c, 4 * s->h, s->dz, 4 * s->h, theta, 4 * s->h,
			 0, dx, s->c, NULL);
		return;
	}
	for (size_t r = 0; r < p->rows; r++)
		iso_gemm(ISO_NT, s->t, s->c, 4 * s->h, s->dz + r * s->t * 4 * s->h, 4 * s->h, theta,
			 4 * s->h, 0, dx + r * dx_ld, s->c, NULL);
}

static void backward(const iso_layer *y, const iso_pass *p, const float *theta, float *dx,
		     size_t dx_ld, const iso_epilogue *e)
{
	const lstm s = view(y, p);
	(void)e;
	memset(s.dh, 0, p->rows * s.h * sizeof(float));
	memset(s.dc, 0, p->rows * s.h * sizeof(float));
	for (size_t t = s.t; t-- > 0;) {
		for (size_t r = 0; r < p->rows; r++) {
			const size_t at = r * s.t + t;
			const float *const from = y->spec.last ? p->d + r * s.h : p->d + at * s.h;
			float *const dh = s.dh + r * s.h;
			for (size_t u = 0; (!y->spec.last || t + 1 == s.t) && u < s.h; u++)
				dh[u] += from[u];
			gate_deltas(s.h, s.z + at * 4 * s.h, s.tc + at * s.h,
				    t ? s.cell + (at - 1) * s.h : NULL, dh, s.dc + r * s.h,
				    s.dz + at * 4 * s.h);
		}
		if (t)
			iso_gemm(ISO_NT, p->rows, s.h, 4 * s.h, s.dz + t * 4 * s.h, s.t * 4 * s.h,
				 theta + s.c * 4 * s.h, 4 * s.h, 0, s.dh, s.h, NULL);
	}
	if (dx)
		input_deltas(&s, p, theta, dx, dx_ld);
}

static void weighted_grad(const iso_layer *y, const iso_pass *p, const float *scale, size_t from,
			  size_t to, int beta, float *grad)
{
	const lstm s = view(y, p);
	float *const dz = s.dz + from * s.t * 4 * s.h;
	if (scale)
		iso_nn_loops_now()->scale_rows(to - from, s.t * 4 * s.h, scale + from, dz);
	iso_gemm(ISO_TN, s.k, 4 * s.h, (to - from) * s.t, s.a + from * s.t * s.k, s.k, dz, 4 * s.h,
		 beta, grad, 4 * s.h, NULL);
	iso_factor_bias(p, dz, 4 * s.h, s.t, from, to, beta, grad + y->tensor[1].at);
}

static void norms2(const iso_layer *y, const iso_pass *p, size_t first, size_t n, double *total)
{
	const lstm s = view(y, p);
	for (size_t k = 0; k < n; k++) {
		const size_t row = (first + k) * p->m * s.t;
		const iso_factors f = {.a = s.a + row * s.k,
				       .a_ld = s.k,
				       .na = s.k,
				       .d = s.dz + row * 4 * s.h,
				       .d_ld = 4 * s.h,
				       .nd = 4 * s.h};
		total[k] += iso_factor_record(&f, p->m * s.t, p->scratch);
	}
}

const iso_layer_ops iso_layer_lstm = {
	.name = "lstm",
	.init = init,
	.forward = forward,
	.backward = backward,
	.norms2 = norms2,
	.weighted_grad = weighted_grad,
};
