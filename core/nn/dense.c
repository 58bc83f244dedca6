// SPDX-License-Identifier: Apache-2.0
/* Dense: every pass is one matrix product with its neighbours fused (core/math/gemm.h).
 *
 *     s = x W + b, h = act(s);   dW = sum_i x_i^T d_i,  db = sum_i d_i,  dx = d W^T
 *
 * One factor row per row: |d|^2 (|x|^2 + 1) is its squared norm (Goodfellow 2015, "Efficient
 * per-example gradient computations"); several rows of one record in the Gram form of Bu et al.
 * 2023, "Differentially private optimization on large model at small cost". */
#include <string.h>

#include "core/nn/act.h"
#include "core/nn/factor.h"
#include "core/nn/layer.h"
#include "core/nn/loops.h"

static iso_status init(iso_layer *y, iso_error *err)
{
	y->out = iso_flat(y->spec.out);
	ISO_FAIL_IF(y->spec.out == 0, err, ISO_E_CONFIG,
		    "bad network (layer %zu, dense: no units): want widths of at least 1; change "
		    "its sizes",
		    y->index);
	const size_t w = y->nin * y->spec.out;
	y->tensor[0] =
		(iso_layer_tensor){.name = "w", .n = w, .fan_in = y->nin, .fan_out = y->spec.out};
	y->tensor[1] = (iso_layer_tensor){.name = "b", .at = w, .n = y->spec.out};
	y->ntensor = 2;
	y->nparam = w + y->spec.out;
	y->wants_input_norms = y->wants_delta_norms = 1;
	return ISO_OK;
}

static void forward(const iso_layer *y, const iso_pass *p, float *theta, float *out2)
{
	const int fused = iso_nn_act_fused(y->act, y->slope);
	iso_epilogue e = {.bias = theta + y->tensor[1].at, .act = fused ? y->act : ISO_ACT_LINEAR};
	if (fused && out2 && p->rows) {
		e.row_norm2 = out2;
		memset(out2, 0, p->rows * sizeof(float));
	}
	iso_gemm(ISO_NN, p->rows, y->nout, y->nin, p->x, p->x_ld, theta, y->nout, 0, p->h, y->nout,
		 &e);
	if (!fused)
		iso_layer_finish(y, p, out2);
}

static void backward(const iso_layer *y, const iso_pass *p, const float *theta, float *dx,
		     size_t dx_ld, const iso_epilogue *e)
{
	if (dx)
		iso_gemm(ISO_NT, p->rows, y->nin, y->nout, p->d, y->nout, theta, y->nout, 0, dx,
			 dx_ld, e);
}

static void tangent(const iso_layer *y, const iso_pass *p, const float *theta, size_t n,
		    const float *xdot, size_t xdot_ld, size_t row, size_t step, float *sdot)
{
	(void)p, (void)row, (void)step;
	iso_gemm(ISO_NN, n, y->nout, y->nin, xdot, xdot_ld, theta, y->nout, 0, sdot, y->nout, NULL);
}

static void weighted_grad(const iso_layer *y, const iso_pass *p, const float *scale, size_t from,
			  size_t to, int beta, float *grad)
{
	float *const d = p->d + from * y->nout;
	if (scale)
		iso_nn_loops_now()->scale_rows(to - from, y->nout, scale + from, d);
	iso_gemm(ISO_TN, y->nin, y->nout, to - from, p->x + from * p->x_ld, p->x_ld, d, y->nout,
		 beta, grad, y->nout, NULL);
	iso_factor_bias(p, d, y->nout, 1, from, to, beta, grad + y->tensor[1].at);
}

static void norms2(const iso_layer *y, const iso_pass *p, size_t first, size_t n, double *total)
{
	const iso_factors f = {.a = p->x,
			       .a_ld = p->x_ld,
			       .na = y->nin,
			       .d = p->d,
			       .d_ld = y->nout,
			       .nd = y->nout,
			       .a2 = p->a2,
			       .d2 = p->d2,
			       .nobias = p->nobias};
	iso_factor_norms2(&f, p->m, first, n, total);
}

const iso_layer_ops iso_layer_dense = {
	.name = "dense",
	.init = init,
	.forward = forward,
	.backward = backward,
	.norms2 = norms2,
	.weighted_grad = weighted_grad,
	.tangent = tangent,
	.fuses = 1,
};
