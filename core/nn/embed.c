// SPDX-License-Identifier: Apache-2.0
/* Embedding: input j of a row is a code k, its output the row k of W [levels][dim]; a code that is
 * no level (missing, out of range, NaN) gives zeros.
 *
 *     dW_k = sum of d_j over the inputs with code k
 *
 * so a record's squared norm is the sum of d_s . d_t over pairs of inputs with the same code. */
#include <math.h>
#include <string.h>

#include "core/nn/layer.h"

static iso_status init(iso_layer *y, iso_error *err)
{
	const size_t levels = y->spec.groups, dim = y->spec.out;
	ISO_FAIL_IF(levels == 0 || dim == 0 || levels > ((size_t)1 << 24), err, ISO_E_CONFIG,
		    "bad network (layer %zu, embedding of %zu levels in %zu dimensions): want at "
		    "least 1 of each, and codes that a float holds exactly",
		    y->index, levels, dim);
	y->out = (iso_shape){y->in.h, y->in.w, y->in.c * dim};
	y->tensor[0] = (iso_layer_tensor){
		.name = "w", .n = levels * dim, .fan_in = levels, .fan_out = dim};
	y->ntensor = 1;
	y->nparam = levels * dim;
	return ISO_OK;
}

/* Level of an input, or `levels` for none. */
static size_t level_of(const iso_layer *y, float code)
{
	const size_t levels = y->spec.groups;
	return code >= 0 && code < (float)levels && code == floorf(code) ? (size_t)code : levels;
}

static void forward(const iso_layer *y, const iso_pass *p, float *theta, float *out2)
{
	const size_t dim = y->spec.out;
	for (size_t r = 0; r < p->rows; r++) {
		for (size_t j = 0; j < y->nin; j++) {
			const size_t k = level_of(y, p->x[r * p->x_ld + j]);
			float *const to = p->h + r * y->nout + j * dim;
			if (k < y->spec.groups)
				memcpy(to, theta + k * dim, dim * sizeof(float));
			else
				memset(to, 0, dim * sizeof(float));
		}
	}
	iso_layer_finish(y, p, out2);
}

static void backward(const iso_layer *y, const iso_pass *p, const float *theta, float *dx,
		     size_t dx_ld, const iso_epilogue *e)
{
	(void)theta, (void)e;
	for (size_t r = 0; dx && r < p->rows; r++)
		memset(dx + r * dx_ld, 0, y->nin * sizeof(float));
}

static void weighted_grad(const iso_layer *y, const iso_pass *p, const float *scale, size_t from,
			  size_t to, int beta, float *grad)
{
	const size_t dim = y->spec.out;
	if (!beta)
		memset(grad, 0, y->nparam * sizeof(float));
	for (size_t r = from; r < to; r++) {
		const float s = scale ? scale[r] : 1.0f;
		for (size_t j = 0; j < y->nin; j++) {
			const size_t k = level_of(y, p->x[r * p->x_ld + j]);
			const float *const d = p->d + r * y->nout + j * dim;
			for (size_t u = 0; k < y->spec.groups && u < dim; u++)
				grad[k * dim + u] += s * d[u];
		}
	}
}

/* d of input s of the record that begins at a row, and its level. */
static const float *at(const iso_layer *y, const iso_pass *p, size_t row, size_t s, size_t *level)
{
	const size_t r = row + s / y->nin, j = s % y->nin;
	*level = level_of(y, p->x[r * p->x_ld + j]);
	return p->d + r * y->nout + j * y->spec.out;
}

static void norms2(const iso_layer *y, const iso_pass *p, size_t first, size_t n, double *total)
{
	const size_t inputs = p->m * y->nin, dim = y->spec.out;
	for (size_t k = 0; k < n; k++) {
		const size_t row = (first + k) * p->m;
		double sum = 0, size = 0;
		for (size_t s = 0; s < inputs; s++) {
			size_t ks, kt;
			const float *const ds = at(y, p, row, s, &ks);
			for (size_t t = 0; ks < y->spec.groups && t < inputs; t++) {
				const float *const dt = at(y, p, row, t, &kt);
				for (size_t u = 0; kt == ks && u < dim; u++) {
					sum += (double)ds[u] * dt[u];
					size += fabs((double)ds[u] * dt[u]);
				}
			}
		}
		/* weighted_grad sums in single precision */
		total[k] += (sum < 0 ? 0 : sum) + 2.1 * (double)(inputs + 2) * 0x1p-24 * size;
	}
}

const iso_layer_ops iso_layer_embedding = {
	.name = "embedding",
	.init = init,
	.forward = forward,
	.backward = backward,
	.norms2 = norms2,
	.weighted_grad = weighted_grad,
};
