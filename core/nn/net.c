// SPDX-License-Identifier: Apache-2.0
/* Dense networks: every pass is one matrix product per layer with its neighbours fused
 * (core/math/gemm.h).
 *
 * Layer l: a_l its input, s = a_l W + b, h = act(s); delta d_l = dLoss/ds.
 *     dW = sum_i a_i^T d_i,  db = sum_i d_i,  d_{l-1} = (d_l W^T) * act'(h_{l-1})
 * A record's gradient of the layer is a^T d and d, so its squared norm is |d|^2 (|a|^2 + 1):
 * Goodfellow 2015, "Efficient per-example gradient computations"; for several rows of one record
 * the Gram form of Bu et al. 2023. */
#include "core/nn/net.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/nn/loops.h"

#define MAX_WIDTH ((size_t)1 << 20)

iso_status iso_net_init(iso_net *net, size_t nlayer, const size_t *sizes, const iso_act *act,
			iso_error *err)
{
	*net = (iso_net){.nlayer = nlayer};
	ISO_FAIL_IF(nlayer == 0 || nlayer > ISO_MAX_LAYERS, err, ISO_E_CONFIG,
		    "bad network (%zu layers): want 1 to %d; change the hidden sizes", nlayer,
		    ISO_MAX_LAYERS);
	for (size_t l = 0; l < nlayer; l++) {
		iso_layer *const y = &net->layer[l];
		*y = (iso_layer){
			.in = sizes[l], .out = sizes[l + 1], .act = act[l], .w = net->nparam};
		ISO_FAIL_IF(y->in == 0 || y->out == 0 || y->in > MAX_WIDTH || y->out > MAX_WIDTH ||
				    (unsigned)y->act > ISO_ACT_SIGMOID,
			    err, ISO_E_CONFIG,
			    "bad network (layer %zu: %zu to %zu): want widths 1 to %zu; change its "
			    "sizes",
			    l, y->in, y->out, MAX_WIDTH);
		y->b = y->w + y->in * y->out;
		net->nparam = y->b + y->out;
	}
	net->theta = iso_alloc(net->nparam, sizeof(float));
	net->grad = iso_alloc(net->nparam, sizeof(float));
	if (!net->theta || !net->grad) {
		iso_net_deinit(net);
		return iso_no_memory(err, "the network's parameters");
	}
	return ISO_OK;
}

void iso_net_deinit(iso_net *net)
{
	iso_free(net->theta);
	iso_free(net->grad);
	*net = (iso_net){0};
}

void iso_net_randomize(iso_net *net, iso_init how, iso_key key)
{
	for (size_t l = 0; l < net->nlayer; l++) {
		const iso_layer *const y = &net->layer[l];
		const iso_key k = iso_key_child(key, "layer", l);
		float *const w = net->theta + y->w;
		const double in = (double)y->in, out = (double)y->out;
		if (how == ISO_INIT_GLOROT) {
			const float r = (float)sqrt(6 / (in + out));
			iso_rand_fill_uniform(k, 0, -r, r, w, y->in * y->out);
		} else { /* sqrt(2 / in) is also 1 / sqrt(in / 2) */
			iso_rand_fill_normal(k, 0, 0, (float)sqrt(2 / in), w, y->in * y->out);
		}
		memset(net->theta + y->b, 0, y->out * sizeof(float));
	}
}

iso_status iso_ws_init(iso_ws *ws, const iso_net *net, size_t cap, int norms, iso_error *err)
{
	*ws = (iso_ws){.net = net, .cap = cap, .norms = norms};
	int ok = 1;
	for (size_t l = 0; l < net->nlayer; l++) {
		const size_t out = net->layer[l].out;
		const size_t cells = cap <= SIZE_MAX / out ? cap * out : SIZE_MAX;
		ws->h[l] = iso_alloc(cells, sizeof(float));
		ws->d[l] = iso_alloc(cells, sizeof(float));
		ok = ok && ws->h[l] && ws->d[l];
		if (norms) {
			ws->a2[l] = iso_alloc(cap, sizeof(float));
			ws->d2[l] = iso_alloc(cap, sizeof(float));
			ok = ok && ws->a2[l] && ws->d2[l];
		}
	}
	if (!ok) {
		iso_ws_deinit(ws);
		return iso_no_memory(err, "a network's workspace");
	}
	return ISO_OK;
}

void iso_ws_deinit(iso_ws *ws)
{
	for (size_t l = 0; l < ISO_MAX_LAYERS; l++) {
		iso_free(ws->h[l]);
		iso_free(ws->d[l]);
		iso_free(ws->a2[l]);
		iso_free(ws->d2[l]);
	}
	*ws = (iso_ws){0};
}

/* Input of layer l. */
static const float *input_of(const iso_ws *ws, size_t l, size_t *ld)
{
	*ld = l ? ws->net->layer[l].in : ws->x_ld;
	return l ? ws->h[l - 1] : ws->x;
}

void iso_net_forward(const iso_net *net, iso_ws *ws, const float *x, size_t x_ld, size_t rows,
		     const float *x_norm2)
{
	ws->x = x;
	ws->x_ld = x_ld;
	ws->rows = rows;
	if (ws->norms && x_norm2 && rows)
		memcpy(ws->a2[0], x_norm2, rows * sizeof(float));
	for (size_t l = 0; l < net->nlayer; l++) {
		const iso_layer *const y = &net->layer[l];
		iso_epilogue e = {.bias = net->theta + y->b, .act = y->act};
		if (ws->norms && l + 1 < net->nlayer && rows) {
			e.row_norm2 = ws->a2[l + 1];
			memset(e.row_norm2, 0, rows * sizeof(float));
		}
		size_t ld;
		const float *const a = input_of(ws, l, &ld);
		iso_gemm(ISO_NN, rows, y->out, y->in, a, ld, net->theta + y->w, y->out, 0, ws->h[l],
			 y->out, &e);
		if (l == 0 && ws->norms && !x_norm2) /* after the product, which brings x near */
			iso_row_norms2(rows, y->in, x, x_ld, 0, ws->a2[0]);
	}
}

void iso_net_backward(const iso_net *net, iso_ws *ws, int through_act, float *dx, size_t dx_ld)
{
	const size_t rows = ws->rows, last = net->nlayer - 1;
	const iso_layer *const top = &net->layer[last];
	if (through_act && top->act != ISO_ACT_LINEAR)
		iso_act_backward(top->act, rows * top->out, ws->h[last], ws->d[last]);
	if (ws->norms)
		iso_row_norms2(rows, top->out, ws->d[last], top->out, 0, ws->d2[last]);
	for (size_t l = last; l > 0; l--) {
		const iso_layer *const y = &net->layer[l];
		iso_epilogue e = {.deriv_of = ws->h[l - 1],
				  .deriv_ld = y->in,
				  .deriv_act = net->layer[l - 1].act};
		if (ws->norms && rows) {
			e.row_norm2 = ws->d2[l - 1];
			memset(e.row_norm2, 0, rows * sizeof(float));
		}
		iso_gemm(ISO_NT, rows, y->in, y->out, ws->d[l], y->out, net->theta + y->w, y->out,
			 0, ws->d[l - 1], y->in, &e);
	}
	if (dx) {
		const iso_layer *const y = &net->layer[0];
		iso_gemm(ISO_NT, rows, y->in, y->out, ws->d[0], y->out, net->theta + y->w, y->out,
			 0, dx, dx_ld, NULL);
	}
}

/* Rows from .. to-1 of every layer added to the gradient, or stored when beta is 0. */
static void add_rows(iso_net *net, const iso_ws *ws, size_t from, size_t to, int beta)
{
	for (size_t l = 0; l < net->nlayer; l++) {
		const iso_layer *const y = &net->layer[l];
		size_t ld;
		const float *const a = input_of(ws, l, &ld) + from * ld, *const d = ws->d[l] +
										    from * y->out;
		iso_gemm(ISO_TN, y->in, y->out, to - from, a, ld, d, y->out, beta, net->grad + y->w,
			 y->out, NULL);
		iso_col_sums(to - from, y->out, d, y->out, beta, net->grad + y->b);
	}
}

/* A row with scale 0 is left out of the products altogether: 0 times an infinite or NaN activation
 * would be NaN.  The chains over rows (gemm.h) go on through grad, so the result is the same as if
 * the row had never been there. */
void iso_net_weight_grad(iso_net *net, iso_ws *ws, const float *scale, int beta)
{
	const size_t rows = ws->rows;
	const iso_nn_loops *const loops = iso_nn_loops_now();
	if (!scale) {
		add_rows(net, ws, 0, rows, beta);
		return;
	}
	for (size_t l = 0; l < net->nlayer; l++)
		loops->scale_rows(rows, net->layer[l].out, scale, ws->d[l]);
	size_t from = 0;
	while (from < rows) {
		size_t to = from;
		while (to < rows && scale[to] != 0)
			to++;
		if (to > from) {
			add_rows(net, ws, from, to, beta);
			beta = 1;
		}
		from = to + 1;
	}
	if (!beta)
		memset(net->grad, 0, net->nparam * sizeof(float));
}

/* |a|^2 and |d|^2 as stored, lifted above their true values: a sum of n squares in whatever order
 * is off by less than n 2^-24 relative, plus n 2^-149 where it underflows (Higham 2002,
 * section 3.1). */
static inline double lifted(float norm2, size_t n)
{
	return norm2 + (double)n * 0x1p-149;
}

/* Relative slack of |d|^2 (|a|^2 + 1). */
static double slack_of(const iso_layer *y)
{
	return 1.02 * (double)(y->in + y->out + 4) * 0x1p-24;
}

/* sum over pairs of rows s < t of one record: 2 (d_s . d_t) (a_s . a_t + 1). */
static double cross_terms(const iso_ws *ws, size_t l, size_t first, size_t m)
{
	const iso_nn_loops *const loops = iso_nn_loops_now();
	const iso_layer *const y = &ws->net->layer[l];
	size_t ld;
	const float *const a = input_of(ws, l, &ld);
	double sum = 0;
	for (size_t s = first; s < first + m; s++) {
		for (size_t t = s + 1; t < first + m; t++) {
			const double dd =
				loops->dot(y->out, ws->d[l] + s * y->out, ws->d[l] + t * y->out);
			const double aa = loops->dot(y->in, a + s * ld, a + t * ld);
			sum += 2 * dd * (aa + 1);
		}
	}
	return sum;
}

/* total[k] += squared norm of record first + k in layer l, never below the true one.  The rounding
 * of a cross term is at most slack times g_s g_t with g^2 = |d|^2 (|a|^2 + 1), and (sum_s g_s)^2 <=
 * m sum_s g_s^2. */
static void add_layer_norms(const iso_ws *ws, size_t l, size_t m, size_t first, size_t n,
			    double *total)
{
	const iso_layer *const y = &ws->net->layer[l];
	const float *const a2 = ws->a2[l] + first * m, *const d2 = ws->d2[l] + first * m;
	const double slack = slack_of(y) * (double)m;
	if (m == 1) {
		for (size_t k = 0; k < n; k++)
			total[k] +=
				lifted(d2[k], y->out) * (lifted(a2[k], y->in) + 1) * (1 + slack);
		return;
	}
	for (size_t k = 0; k < n; k++) {
		double rows = 0;
		for (size_t i = k * m; i < (k + 1) * m; i++)
			rows += lifted(d2[i], y->out) * (lifted(a2[i], y->in) + 1);
		const double value = rows + cross_terms(ws, l, (first + k) * m, m);
		total[k] += (value < 0 ? 0 : value) + slack * rows;
	}
}

void iso_net_grad_norms2(const iso_net *net, const iso_ws *ws, size_t m, int beta, float *norm2)
{
	enum { BLOCK = 64 };
	const size_t records = m ? ws->rows / m : 0;
	for (size_t first = 0; first < records; first += BLOCK) {
		const size_t n = records - first < BLOCK ? records - first : BLOCK;
		double total[BLOCK];
		for (size_t k = 0; k < n; k++)
			total[k] = beta ? norm2[first + k] : 0;
		for (size_t l = 0; l < net->nlayer; l++)
			add_layer_norms(ws, l, m, first, n, total);
		for (size_t k = 0; k < n; k++)
			norm2[first + k] = (float)(total[k] * (1 + 0x1p-22));
	}
}
