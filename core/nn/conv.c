// SPDX-License-Identifier: Apache-2.0
/* Convolution: a product of the patches (patch.h) with W [channels][kernel kernel c].  The wide
 * side of W comes last since patches are mostly wider than the channels are many, and products that
 * are wide run faster than tall ones.
 *
 *     s = patches(x) W^T + b;   dW = d^T patches(x),  db = sum of d over positions,
 *     dx = patches^T (d W)
 *
 * One factor row per position: a = its patch, e = its delta. */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/nn/act.h"
#include "core/nn/factor.h"
#include "core/nn/layer.h"
#include "core/nn/loops.h"
#include "core/nn/patch.h"

#define BLOCK_FLOATS ((size_t)160 << 10) /* patches laid out at a time: they stay in L2 */

typedef struct conv {
	iso_patches g;
	size_t k, n, t; /* floats of a patch, channels, positions */
	size_t images;	/* of a block */
} conv;

static iso_status grid(iso_layer *y, conv *c, iso_error *err)
{
	const iso_layer_spec *const s = &y->spec;
	const size_t h = y->in.h + 2 * s->pad, w = y->in.w + 2 * s->pad;
	ISO_FAIL_IF(s->out == 0 || s->kernel == 0 || s->stride == 0 || s->pad >= s->kernel, err,
		    ISO_E_CONFIG,
		    "bad network (layer %zu, convolution: %zu channels, kernel %zu, stride %zu, "
		    "padding %zu): want at least 1 of each and a padding below the kernel",
		    y->index, s->out, s->kernel, s->stride, s->pad);
	ISO_FAIL_IF(h < s->kernel || w < s->kernel || (h - s->kernel) % s->stride ||
			    (w - s->kernel) % s->stride,
		    err, ISO_E_CONFIG,
		    "bad network (layer %zu, convolution: kernel %zu, stride %zu and padding %zu "
		    "do not fit an image of %zu x %zu): (size + 2 padding - kernel) must be a "
		    "multiple of the stride",
		    y->index, s->kernel, s->stride, s->pad, y->in.h, y->in.w);
	c->g = (iso_patches){.image = y->in,
			     .kernel = s->kernel,
			     .stride = s->stride,
			     .pad = s->pad,
			     .oh = (h - s->kernel) / s->stride + 1,
			     .ow = (w - s->kernel) / s->stride + 1};
	return ISO_OK;
}

static iso_status init(iso_layer *y, iso_error *err)
{
	conv *const c = iso_alloc(1, sizeof(*c));
	if (!c)
		return iso_no_memory(err, "a convolution");
	y->own = c;
	ISO_TRY(grid(y, c, err));
	c->k = y->spec.kernel * y->spec.kernel * y->in.c;
	c->n = y->spec.out;
	c->t = c->g.oh * c->g.ow;
	y->out = (iso_shape){c->g.oh, c->g.ow, c->n};
	const size_t w = c->k * c->n;
	y->tensor[0] = (iso_layer_tensor){.name = "w", .n = w, .fan_in = c->k, .fan_out = c->n};
	y->tensor[1] = (iso_layer_tensor){.name = "b", .at = w, .n = c->n};
	y->ntensor = 2;
	y->nparam = w + c->n;
	const size_t fit = BLOCK_FLOATS / (c->t * c->k);
	c->images = y->most_rows = fit > 4 ? fit : 4; /* a record of up to four rows at least */
	y->scratch = c->images * c->t * c->k + iso_factor_scratch(c->k, c->n);
	return ISO_OK;
}

/* The factor rows of images x [n][ld]: their patches, in `room` unless the image itself serves.
 * Returns how many images are covered, at most n. */
static size_t lay_out(const conv *c, const float *x, size_t ld, size_t n, float *room,
		      const float **a)
{
	if (iso_patches_plain(&c->g) && (ld == c->t * c->k || n == 1)) {
		*a = x;
		return n;
	}
	n = n < c->images ? n : c->images;
	for (size_t i = 0; i < n; i++)
		iso_patches_get(&c->g, x + i * ld, room + i * c->t * c->k);
	*a = room;
	return n;
}

static void convolve(const conv *c, const float *w, const iso_epilogue *e, float *room, size_t rows,
		     const float *x, size_t ld, float *out)
{
	const float *a;
	for (size_t i = 0, n; i < rows; i += n) {
		n = lay_out(c, x + i * ld, ld, rows - i, room, &a);
		iso_gemm(ISO_NT, n * c->t, c->n, c->k, a, c->k, w, c->k, 0, out + i * c->t * c->n,
			 c->n, e);
	}
}

static void forward(const iso_layer *y, const iso_pass *p, float *theta, float *out2)
{
	const int fused = iso_nn_act_fused(y->act, y->slope);
	const iso_epilogue e = {.bias = theta + y->tensor[1].at,
				.act = fused ? y->act : ISO_ACT_LINEAR};
	convolve(y->own, theta, &e, p->scratch, p->rows, p->x, p->x_ld, p->h);
	if (!fused)
		iso_layer_finish(y, p, out2);
	else if (out2)
		iso_row_norms2(p->rows, y->nout, p->h, y->nout, 0, out2);
}

static void tangent(const iso_layer *y, const iso_pass *p, const float *theta, size_t n,
		    const float *xdot, size_t xdot_ld, size_t row, size_t step, float *sdot)
{
	(void)row, (void)step;
	convolve(y->own, theta, NULL, p->scratch, n, xdot, xdot_ld, sdot);
}

static void backward(const iso_layer *y, const iso_pass *p, const float *theta, float *dx,
		     size_t dx_ld, const iso_epilogue *e)
{
	const conv *const c = y->own;
	(void)e;
	for (size_t i = 0, n; dx && i < p->rows; i += n) {
		n = p->rows - i < c->images ? p->rows - i : c->images;
		iso_gemm(ISO_NN, n * c->t, c->k, c->n, p->d + i * y->nout, c->n, theta, c->k, 0,
			 p->scratch, c->k, NULL);
		for (size_t j = 0; j < n; j++) {
			float *const image = dx + (i + j) * dx_ld;
			memset(image, 0, y->nin * sizeof(float));
			iso_patches_add(&c->g, p->scratch + j * c->t * c->k, image);
		}
	}
}

static void weighted_grad(const iso_layer *y, const iso_pass *p, const float *scale, size_t from,
			  size_t to, int beta, float *grad)
{
	const conv *const c = y->own;
	float *const d = p->d + from * y->nout;
	if (scale)
		iso_nn_loops_now()->scale_rows(to - from, y->nout, scale + from, d);
	const float *a;
	if (from == to && !beta)
		memset(grad, 0, y->nparam * sizeof(float));
	for (size_t i = from, n; i < to; i += n) {
		n = lay_out(c, p->x + i * p->x_ld, p->x_ld, to - i, p->scratch, &a);
		iso_gemm(ISO_TN, c->n, c->k, n * c->t, p->d + i * y->nout, c->n, a, c->k,
			 beta || i > from, grad, c->k, NULL);
	}
	iso_factor_bias(p, d, c->n, c->t, from, to, beta, grad + y->tensor[1].at);
}

static void norms2(const iso_layer *y, const iso_pass *p, size_t first, size_t n, double *total)
{
	const conv *const c = y->own;
	float *const room = p->scratch, *const work = room + c->images * c->t * c->k;
	for (size_t k = 0; k < n; k++) {
		const size_t row = (first + k) * p->m;
		iso_factors f = {.a_ld = c->k,
				 .na = c->k,
				 .d = p->d + row * y->nout,
				 .d_ld = c->n,
				 .nd = c->n,
				 .nobias = p->nobias * c->t};
		const size_t have = lay_out(c, p->x + row * p->x_ld, p->x_ld, p->m, room, &f.a);
		total[k] += have < p->m ? NAN : iso_factor_record(&f, p->m * c->t, work);
	}
}

static void deinit(iso_layer *y)
{
	iso_free(y->own);
}

const iso_layer_ops iso_layer_conv = {
	.name = "conv",
	.init = init,
	.forward = forward,
	.backward = backward,
	.norms2 = norms2,
	.weighted_grad = weighted_grad,
	.tangent = tangent,
	.deinit = deinit,
};
