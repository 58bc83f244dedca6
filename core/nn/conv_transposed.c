// SPDX-License-Identifier: Apache-2.0
/* Transposed convolution, the adjoint of a convolution from its output image to its input grid:
 *
 *     s = b + patches^T (x W),  W [c][kernel kernel channels];
 *     dW = x^T patches(d),  db = sum of d over pixels,  dx = patches(d) W^T
 *
 * One factor row per input position, without bias: a = its channels, e = the patch of d that it
 * wrote to.  The bias sees every output pixel and is summed by itself. */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/nn/factor.h"
#include "core/nn/layer.h"
#include "core/nn/loops.h"
#include "core/nn/patch.h"

#define BLOCK_FLOATS ((size_t)160 << 10)

typedef struct convt {
	iso_patches g;	/* of the output image; its grid is the input */
	size_t k, c, t; /* floats of a patch, input channels, positions */
	size_t images;	/* of a block */
} convt;

static iso_status init(iso_layer *y, iso_error *err)
{
	const iso_layer_spec *const s = &y->spec;
	convt *const c = iso_alloc(1, sizeof(*c));
	if (!c)
		return iso_no_memory(err, "a transposed convolution");
	y->own = c;
	ISO_FAIL_IF(s->out == 0 || s->kernel == 0 || s->stride == 0 || s->pad >= s->kernel, err,
		    ISO_E_CONFIG,
		    "bad network (layer %zu, transposed convolution: %zu channels, kernel %zu, "
		    "stride %zu, padding %zu): want at least 1 of each and a padding below the "
		    "kernel",
		    y->index, s->out, s->kernel, s->stride, s->pad);
	const size_t h = (y->in.h - 1) * s->stride + s->kernel,
		     w = (y->in.w - 1) * s->stride + s->kernel;
	ISO_FAIL_IF(h <= 2 * s->pad || w <= 2 * s->pad, err, ISO_E_CONFIG,
		    "bad network (layer %zu, transposed convolution): padding %zu leaves nothing "
		    "of an image of %zu x %zu; lower it",
		    y->index, s->pad, h, w);
	y->out = (iso_shape){h - 2 * s->pad, w - 2 * s->pad, s->out};
	c->g = (iso_patches){.image = y->out,
			     .kernel = s->kernel,
			     .stride = s->stride,
			     .pad = s->pad,
			     .oh = y->in.h,
			     .ow = y->in.w};
	c->k = s->kernel * s->kernel * s->out;
	c->c = y->in.c;
	c->t = y->in.h * y->in.w;
	const size_t n = c->c * c->k;
	/* a pixel is reached from kernel^2 / stride^2 positions: that is what its sum is over */
	const size_t reach = s->kernel / s->stride ? s->kernel / s->stride : 1;
	y->tensor[0] = (iso_layer_tensor){.name = "w",
					  .n = n,
					  .fan_in = c->c * reach * reach,
					  .fan_out = s->out * s->kernel * s->kernel};
	y->tensor[1] = (iso_layer_tensor){.name = "b", .at = n, .n = s->out};
	y->ntensor = 2;
	y->nparam = n + s->out;
	const size_t fit = BLOCK_FLOATS / (c->t * c->k);
	c->images = y->most_rows = fit > 4 ? fit : 4;
	y->scratch = c->images * c->t * c->k + iso_factor_scratch(c->c, c->k);
	return ISO_OK;
}

static size_t block(const convt *c, size_t rows)
{
	return rows < c->images ? rows : c->images;
}

/* x W over images x [n][ld], into the room. */
static void spread(const convt *c, const float *w, size_t n, const float *x, size_t ld, float *room)
{
	if (ld == c->t * c->c) {
		iso_gemm(ISO_NN, n * c->t, c->k, c->c, x, c->c, w, c->k, 0, room, c->k, NULL);
		return;
	}
	for (size_t i = 0; i < n; i++)
		iso_gemm(ISO_NN, c->t, c->k, c->c, x + i * ld, c->c, w, c->k, 0,
			 room + i * c->t * c->k, c->k, NULL);
}

static void transpose(const iso_layer *y, const float *w, const float *bias, float *room,
		      size_t rows, const float *x, size_t ld, float *out)
{
	const convt *const c = y->own;
	const size_t channels = y->out.c;
	for (size_t i = 0, n; i < rows; i += n) {
		n = block(c, rows - i);
		spread(c, w, n, x + i * ld, ld, room);
		for (size_t j = 0; j < n; j++) {
			float *const image = out + (i + j) * y->nout;
			memset(image, 0, y->nout * sizeof(float));
			iso_patches_add(&c->g, room + j * c->t * c->k, image);
			for (size_t q = 0; bias && q < y->nout; q += channels)
				for (size_t u = 0; u < channels; u++)
					image[q + u] += bias[u];
		}
	}
}

static void forward(const iso_layer *y, const iso_pass *p, float *theta, float *out2)
{
	transpose(y, theta, theta + y->tensor[1].at, p->scratch, p->rows, p->x, p->x_ld, p->h);
	iso_layer_finish(y, p, out2);
}

static void tangent(const iso_layer *y, const iso_pass *p, const float *theta, size_t n,
		    const float *xdot, size_t xdot_ld, size_t row, size_t step, float *sdot)
{
	(void)row, (void)step;
	transpose(y, theta, NULL, p->scratch, n, xdot, xdot_ld, sdot);
}

static void lay_out(const convt *c, const float *d, size_t d_ld, size_t n, float *room)
{
	for (size_t j = 0; j < n; j++)
		iso_patches_get(&c->g, d + j * d_ld, room + j * c->t * c->k);
}

static void backward(const iso_layer *y, const iso_pass *p, const float *theta, float *dx,
		     size_t dx_ld, const iso_epilogue *e)
{
	const convt *const c = y->own;
	(void)e;
	for (size_t i = 0, n; dx && i < p->rows; i += n) {
		n = block(c, p->rows - i);
		lay_out(c, p->d + i * y->nout, y->nout, n, p->scratch);
		if (dx_ld == y->nin)
			iso_gemm(ISO_NT, n * c->t, c->c, c->k, p->scratch, c->k, theta, c->k, 0,
				 dx + i * dx_ld, c->c, NULL);
		for (size_t j = 0; dx_ld != y->nin && j < n; j++)
			iso_gemm(ISO_NT, c->t, c->c, c->k, p->scratch + j * c->t * c->k, c->k,
				 theta, c->k, 0, dx + (i + j) * dx_ld, c->c, NULL);
	}
}

static void weighted_grad(const iso_layer *y, const iso_pass *p, const float *scale, size_t from,
			  size_t to, int beta, float *grad)
{
	const convt *const c = y->own;
	float *const d = p->d + from * y->nout;
	if (scale)
		iso_nn_loops_now()->scale_rows(to - from, y->nout, scale + from, d);
	if (from == to && !beta)
		memset(grad, 0, y->nparam * sizeof(float));
	for (size_t i = from, n; i < to; i += n) {
		n = p->x_ld == y->nin ? block(c, to - i) : 1;
		lay_out(c, p->d + i * y->nout, y->nout, n, p->scratch);
		iso_gemm(ISO_TN, c->c, c->k, n * c->t, p->x + i * p->x_ld, c->c, p->scratch, c->k,
			 beta || i > from, grad, c->k, NULL);
	}
	iso_factor_bias(p, d, y->out.c, y->out.h * y->out.w, from, to, beta,
			grad + y->tensor[1].at);
}

/* |sum over the pixels of the biased rows of d|^2, from above. */
static double bias_norm2(const iso_layer *y, const iso_pass *p, size_t row)
{
	const size_t channels = y->out.c, n = (p->m - p->nobias) * y->nout;
	const float *const d = p->d + row * y->nout;
	double sum = 0;
	for (size_t u = 0; u < channels; u++) {
		double s = 0, size = 0;
		for (size_t q = u; q < n; q += channels) {
			s += d[q];
			size += fabs((double)d[q]);
		}
		/* weighted_grad sums in single precision */
		s = fabs(s) + size * (double)(n / channels + 1) * 0x1p-24;
		sum += s * s;
	}
	return sum;
}

static void norms2(const iso_layer *y, const iso_pass *p, size_t first, size_t n, double *total)
{
	const convt *const c = y->own;
	float *const room = p->scratch, *const work = room + c->images * c->t * c->k;
	for (size_t k = 0; k < n; k++) {
		const size_t row = (first + k) * p->m;
		const iso_factors f = {.a = p->x + row * p->x_ld,
				       .a_ld = c->c,
				       .na = c->c,
				       .d = room,
				       .d_ld = c->k,
				       .nd = c->k,
				       .nobias = p->m * c->t};
		if (p->m > c->images || (p->m > 1 && p->x_ld != y->nin)) {
			total[k] = NAN;
			continue;
		}
		lay_out(c, p->d + row * y->nout, y->nout, p->m, room);
		total[k] += iso_factor_record(&f, p->m * c->t, work) + bias_norm2(y, p, row);
	}
}

static void deinit(iso_layer *y)
{
	iso_free(y->own);
}

const iso_layer_ops iso_layer_conv_transposed = {
	.name = "conv_transposed",
	.init = init,
	.forward = forward,
	.backward = backward,
	.norms2 = norms2,
	.weighted_grad = weighted_grad,
	.tangent = tangent,
	.deinit = deinit,
};
