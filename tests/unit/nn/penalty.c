// SPDX-License-Identifier: Apache-2.0
/* Gradient penalties.  The factor rows of core/nn/penalty.h, written out in double precision,
 * against central differences of the penalty itself; the engine against the double form; norms of
 * whole records; convolutions and dropout by differences. */
#include "core/nn/penalty.h"

#include <math.h>
#include <string.h>

#include "core/nn/layer.h"
#include "tests/support/testkit.h"

enum { IN = 5, MAX_P = 900, L = 3, N = 6, WIDE = 11 };
static const size_t sizes[] = {IN, 11, 7, 1};

static const iso_act acts[][L] = {
	{ISO_ACT_LRELU, ISO_ACT_RELU, ISO_ACT_LINEAR},
	{ISO_ACT_TANH, ISO_ACT_SIGMOID, ISO_ACT_LINEAR},
	{ISO_ACT_SOFTPLUS, ISO_ACT_LRELU, ISO_ACT_LINEAR},
	{ISO_ACT_ELU, ISO_ACT_SELU, ISO_ACT_LINEAR},
};
static const float lambda = 10;

static double act(iso_act a, double s, int order)
{
	const double scale = a == ISO_ACT_SELU ? 1.0507009873554805 : 1,
		     alpha = a == ISO_ACT_SELU ? 1.6732632423543772 : 1;
	const double h = tanh(s), q = 1 / (1 + exp(-s));
	switch (a) {
	case ISO_ACT_RELU:
		return order == 0 ? fmax(s, 0) : order == 1 ? s > 0 : 0;
	case ISO_ACT_LRELU:
		return order == 0   ? (s > 0 ? s : (double)0.2f * s)
		       : order == 1 ? (s > 0 ? 1 : (double)0.2f)
				    : 0;
	case ISO_ACT_TANH:
		return order == 0 ? h : order == 1 ? 1 - h * h : -2 * h * (1 - h * h);
	case ISO_ACT_SIGMOID:
		return order == 0 ? q : order == 1 ? q * (1 - q) : q * (1 - q) * (1 - 2 * q);
	case ISO_ACT_SOFTPLUS:
		return order == 0 ? log1p(exp(s)) : order == 1 ? q : q * (1 - q);
	case ISO_ACT_ELU:
	case ISO_ACT_SELU:
		if (s > 0)
			return order == 0 ? scale * s : order == 1 ? scale : 0;
		return scale * alpha * (order == 0 ? exp(s) - 1 : exp(s));
	default:
		return order == 0 ? s : order == 1;
	}
}

static double s_[L][WIDE], a_[L + 1][WIDE], delta[L][WIDE], back[L][WIDE], g[IN];

/* W of layer l. */
static const double *weight(const double *theta, size_t l, const double **bias)
{
	for (size_t k = 0; k < l; k++)
		theta += (sizes[k] + 1) * sizes[k + 1];
	*bias = theta + sizes[l] * sizes[l + 1];
	return theta;
}

/* Forward, backward from 1, g = dD/dx: returns the penalty at x. */
static double penalty(const iso_act *f, const double *theta, const float *x)
{
	const double *b;
	for (size_t k = 0; k < IN; k++)
		a_[0][k] = x[k];
	for (size_t l = 0; l < L; l++) {
		const double *const w = weight(theta, l, &b);
		for (size_t j = 0; j < sizes[l + 1]; j++) {
			s_[l][j] = b[j];
			for (size_t k = 0; k < sizes[l]; k++)
				s_[l][j] += a_[l][k] * w[k * sizes[l + 1] + j];
			a_[l + 1][j] = act(f[l], s_[l][j], 0);
		}
	}
	back[L - 1][0] = 1; /* dD/da */
	for (size_t l = L; l-- > 0;) {
		const double *const w = weight(theta, l, &b);
		for (size_t j = 0; j < sizes[l + 1]; j++)
			delta[l][j] = back[l][j] * act(f[l], s_[l][j], 1);
		for (size_t k = 0; k < sizes[l]; k++) {
			double sum = 0;
			for (size_t j = 0; j < sizes[l + 1]; j++)
				sum += delta[l][j] * w[k * sizes[l + 1] + j];
			if (l)
				back[l - 1][k] = sum;
			else
				g[k] = sum;
		}
	}
	double norm2 = 0;
	for (size_t k = 0; k < IN; k++)
		norm2 += g[k] * g[k];
	return lambda * (sqrt(norm2) - 1) * (sqrt(norm2) - 1);
}

/* grad += the penalty's gradient in theta: tangent and curvature rows. */
static void factor_form(const iso_act *f, const double *theta, const float *x, double *grad)
{
	double adot[L + 1][WIDE], sdot[L][WIDE], bent[L][WIDE], norm = 0;
	const double *b;
	penalty(f, theta, x);
	for (size_t k = 0; k < IN; k++)
		norm += g[k] * g[k];
	norm = sqrt(norm);
	for (size_t k = 0; k < IN; k++)
		adot[0][k] = 2 * lambda * (norm - 1) / norm * g[k];
	for (size_t l = 0; l < L; l++) {
		const double *const w = weight(theta, l, &b);
		for (size_t j = 0; j < sizes[l + 1]; j++) {
			sdot[l][j] = 0;
			for (size_t k = 0; k < sizes[l]; k++)
				sdot[l][j] += adot[l][k] * w[k * sizes[l + 1] + j];
			adot[l + 1][j] = sdot[l][j] * act(f[l], s_[l][j], 1);
		}
	}
	for (size_t l = L; l-- > 0;) {
		for (size_t j = 0; j < sizes[l + 1]; j++) {
			double q = 0;
			const double *const w = l + 1 < L ? weight(theta, l + 1, &b) : NULL;
			for (size_t i = 0; w && i < sizes[l + 2]; i++)
				q += bent[l + 1][i] * w[j * sizes[l + 2] + i];
			bent[l][j] = q * act(f[l], s_[l][j], 1) +
				     act(f[l], s_[l][j], 2) * sdot[l][j] * back[l][j];
		}
		double *const w = grad + (weight(theta, l, &b) - theta);
		for (size_t j = 0; j < sizes[l + 1]; j++) {
			for (size_t k = 0; k < sizes[l]; k++)
				w[k * sizes[l + 1] + j] +=
					adot[l][k] * delta[l][j] + a_[l][k] * bent[l][j];
			w[sizes[l] * sizes[l + 1] + j] += bent[l][j];
		}
	}
}

static double theta64[MAX_P], grad64[MAX_P];
static iso_error err;

static iso_net *net_of(size_t i)
{
	iso_net *net;
	tk_ok(iso_net_new_dense(L, sizes, acts[i], &net, &err));
	ck_assert_uint_lt(iso_net_params(net), MAX_P);
	iso_net_randomize(net, ISO_INIT_GLOROT, iso_key_new(8, "penalty"));
	for (size_t k = 0; k < iso_net_tensors(net); k++) {
		const iso_tensor t = iso_net_tensor(net, k);
		if (!t.fan_in)
			iso_rand_fill_normal(iso_key_new(8, "bias"), k, 0, 0.5f,
					     iso_net_theta(net) + t.first, t.n);
	}
	for (size_t p = 0; p < iso_net_params(net); p++)
		theta64[p] = iso_net_theta(net)[p];
	return net;
}

static void rows_of(float *x, size_t n)
{
	iso_rand_fill_normal(iso_key_new(8, "rows"), 0, 0, 1, x, n * IN);
}

/* Double against double: 5e-11, at a scale of about 10. */
START_TEST(test_factor_form)
{
	float x[N * IN];
	iso_net *const net = net_of((size_t)_i);
	rows_of(x, N);
	double worst = 0, largest = 0;
	for (size_t r = 0; r < N; r++) {
		memset(grad64, 0, sizeof(grad64));
		factor_form(acts[_i], theta64, x + r * IN, grad64);
		for (size_t p = 0; p < iso_net_params(net); p++) {
			const double keep = theta64[p], h = 1e-4;
			double side[4];
			for (int k = 0; k < 4; k++) { /* of the fourth order */
				theta64[p] = keep + h * (k < 2 ? k - 2 : k - 1);
				side[k] = penalty(acts[_i], theta64, x + r * IN);
			}
			theta64[p] = keep;
			const double want =
				(side[0] - 8 * side[1] + 8 * side[2] - side[3]) / (12 * h);
			worst = fmax(worst, fabs(grad64[p] - want));
			largest = fmax(largest, fabs(want));
		}
	}
	ck_assert_double_gt(largest, 1);
	ck_assert_msg(worst < 5e-11 * fmax(largest, 1), "off by %g, the largest is %g", worst,
		      largest);
	iso_net_free(net);
}
END_TEST

/* Two plain rows and a penalty per record; deltas of the plain rows -1 and 1. */
static size_t run(iso_net *net, iso_ws *ws, float *x, size_t n, float *dx)
{
	size_t k, in = iso_net_in(net);
	tk_ok(iso_penalty_rows(net, &k, &err));
	const size_t m = 2 + k;
	for (size_t r = 0; k == 2 && r < n; r++) {
		float *const row = x + r * m * in;
		memcpy(row + (m - 1) * in, row + 2 * in, in * sizeof(float));
	}
	iso_net_forward(net, ws, x, in, n * m, NULL);
	for (size_t i = 0; i < n * m; i++)
		iso_ws_delta(ws)[i] = i % m == 0 ? -1 : i % m == 1 || i % m == m - 1;
	iso_net_backward(net, ws, 0, dx, in);
	iso_penalty(n, in, dx + (m - 1) * in, m * in, lambda, 1, 0, x + (m - 1) * in, m * in);
	iso_net_tangent(net, ws, m, x);
	return m;
}

/* The engine's sum over records is that of the double form, and no norm lies below its gradient. */
START_TEST(test_engine)
{
	enum { M = 4 };
	static float x[N * M * IN], keep[N * M * IN], dx[N * M * IN], norm2[N], scale[N * M];
	iso_net *const net = net_of((size_t)_i);
	iso_ws *ws;
	tk_ok(iso_ws_new(net, N * M, ISO_WS_NORMS | ISO_WS_TANGENT, &ws, &err));
	size_t k;
	tk_ok(iso_penalty_rows(net, &k, &err));
	ck_assert_uint_eq(k, _i == 0 ? 1 : 2);
	const size_t m = 2 + k, p = iso_net_params(net);
	iso_rand_fill_normal(iso_key_new(8, "rows"), 1, 0, 1, keep, N * M * IN);
	memcpy(x, keep, sizeof(x));
	run(net, ws, x, N, dx);
	iso_net_grad_norms2(net, ws, m, 0, norm2);
	for (size_t r = 0; r < N; r++) {
		for (size_t i = 0; i < N * m; i++)
			scale[i] = i / m == r ? 1 : 0;
		iso_net_weight_grad(net, ws, scale, 0, iso_net_grad(net));
		/* scaling is in place: rebuild the rows for the next record */
		memset(grad64, 0, sizeof(grad64));
		factor_form(acts[_i], theta64, keep + (r * m + 2) * IN, grad64);
		for (size_t j = 0; j < 2; j++) { /* D on the plain rows */
			const double *b;
			penalty(acts[_i], theta64, keep + (r * m + j) * IN);
			for (size_t l = 0; l < L; l++) {
				double *const w = grad64 + (weight(theta64, l, &b) - theta64);
				for (size_t o = 0; o < sizes[l + 1]; o++) {
					const double d = (j ? 1 : -1) * delta[l][o];
					for (size_t i = 0; i < sizes[l]; i++)
						w[i * sizes[l + 1] + o] += a_[l][i] * d;
					w[sizes[l] * sizes[l + 1] + o] += d;
				}
			}
		}
		double want = 0, got = 0, far = 0;
		for (size_t i = 0; i < p; i++) {
			const double v = iso_net_grad(net)[i];
			want += grad64[i] * grad64[i];
			got += v * v;
			far += (v - grad64[i]) * (v - grad64[i]);
		}
		ck_assert_msg(sqrt(far) < 2e-5 * sqrt(want), "record %zu: off by %g of %g", r,
			      sqrt(far), sqrt(want));
		ck_assert(norm2[r] >= got && norm2[r] <= got * 1.0005);
		memcpy(x, keep, sizeof(x));
		run(net, ws, x, N, dx);
	}
	iso_ws_free(ws);
	iso_net_free(net);
}
END_TEST

/* Which side of its kink every activation is on. */
static uint64_t kinks(const iso_net *net, const iso_ws *ws)
{
	uint64_t hash = 1;
	for (size_t l = 0; l + 1 < iso_net_layers(net); l++) {
		const size_t n = iso_ws_rows(ws) * iso_net_layer(net, l)->nout;
		for (size_t i = 0; i < n; i++)
			hash = hash * 6364136223846793005u + (iso_ws_pass(ws, l)->h[i] > 0);
	}
	return hash;
}

/* Critics of images: the summed gradient of the penalty along random directions, by differences of
 * the engine's own penalty.  Where a step crosses a kink of a leaky ReLU the penalty jumps, and the
 * direction is passed over. */
START_TEST(test_convolutions)
{
	enum { IMAGE = 36, MOST = 4, P = 3000 };
	static float x[2 * MOST * IMAGE], keep[2 * MOST * IMAGE], dx[2 * MOST * IMAGE], u[P],
		was[P];
	const iso_act f = _i ? ISO_ACT_TANH : ISO_ACT_LRELU;
	const iso_layer_spec spec[] = {iso_conv(4, 4, 2, 1, f), iso_dropout(0.3f),
				       iso_conv(6, 3, 1, 1, f), iso_dense(1, ISO_ACT_LINEAR)};
	iso_net *net;
	iso_ws *ws;
	tk_ok(iso_net_new(spec, ISO_COUNT(spec), iso_image(6, 6, 1), &net, &err));
	const size_t p = iso_net_params(net);
	ck_assert_uint_lt(p, P);
	iso_net_randomize(net, ISO_INIT_HE, iso_key_new(8, "conv"));
	tk_ok(iso_ws_new(net, 2 * MOST, ISO_WS_NORMS | ISO_WS_TANGENT, &ws, &err));
	size_t k;
	tk_ok(iso_penalty_rows(net, &k, &err));
	const size_t m = 2 + k;
	static uint64_t ids[2 * MOST];
	for (size_t i = 0; i < 2 * m; i++)
		ids[i] = i / m; /* one mask for all rows of a record */
	iso_rand_fill_normal(iso_key_new(8, "image"), 0, 0, 1, keep, 2 * MOST * IMAGE);
	memcpy(was, iso_net_theta(net), p * sizeof(float));
	const float width = _i ? 1e-3f : 1e-4f;
	size_t tried = 0;
	for (size_t t = 0; t < 12; t++) {
		double side[2], along = 0, size = 0;
		uint64_t pattern[3];
		float norm2[2];
		iso_rand_fill_normal(iso_key_new(t, "u"), 0, 0, 1, u, p);
		for (int s = 0; s < 3; s++) {
			const float step = s == 2 ? 0 : s ? width : -width;
			for (size_t i = 0; i < p; i++)
				iso_net_theta(net)[i] = was[i] + step * u[i];
			memcpy(x, keep, sizeof(x));
			iso_ws_train(ws, iso_key_new(8, "mask"), ids);
			pattern[s] = 0;
			iso_net_forward(net, ws, x, IMAGE, 2 * m, NULL);
			if (!_i)
				pattern[s] = kinks(net, ws);
			run(net, ws, x, 2, dx);
			/* the plain rows' own loss and the penalty */
			double v = 0;
			for (size_t i = 0; i < 2 * m; i++)
				if (i % m < 2)
					v += (i % m ? 1 : -1) * (double)iso_ws_out(ws)[i];
			for (size_t r = 0; r < 2; r++) {
				double n2 = 0;
				for (size_t i = 0; i < IMAGE; i++) {
					const double gi = dx[(r * m + m - 1) * IMAGE + i];
					n2 += gi * gi;
				}
				v += lambda * (sqrt(n2) - 1) * (sqrt(n2) - 1);
			}
			if (s < 2)
				side[s] = v;
		}
		iso_net_grad_norms2(net, ws, m, 0, norm2);
		iso_net_weight_grad(net, ws, NULL, 0, iso_net_grad(net));
		double got = 0;
		for (size_t i = 0; i < p; i++) {
			const double d = iso_net_grad(net)[i];
			along += d * u[i];
			size += d * d * u[i] * u[i];
			got += d * d;
		}
		if (pattern[0] == pattern[1]) {
			tk_assert_close((side[1] - side[0]) / (2 * (double)width), along, 0,
					1e-2 * sqrt(size) + (_i ? 2e-3 : 0.1));
			tried++;
		}
		ck_assert_double_ge(sqrt(norm2[0]) + sqrt(norm2[1]), sqrt(got));
	}
	ck_assert_uint_ge(tried, 4);
	iso_ws_free(ws);
	iso_net_free(net);
}
END_TEST

START_TEST(test_penalty_values)
{
	const float g2[] = {3, 4, 0, 0, 0.3f, 0.4f};
	float v[6];
	tk_assert_close(iso_penalty(3, 2, g2, 2, 10, 1, 0, v, 2), 10 * (16 + 1 + 0.25), 1e-6, 0);
	tk_assert_close(v[0], 2 * 10 * 4 / 5.0 * 3, 1e-6, 0);
	ck_assert(v[2] == 0 && v[3] == 0);
	tk_assert_close(v[5], -2 * 10 * 0.5 / 0.5 * 0.4, 1e-6, 0);
	tk_assert_close(iso_penalty(3, 2, g2, 2, 10, 1, 1, v, 2), 160, 1e-6, 0);
	ck_assert(v[4] == 0 && v[5] == 0);
	const float bad[] = {NAN, 1};
	ck_assert(isnan(iso_penalty(1, 2, bad, 2, 10, 1, 0, v, 2)) && isnan(v[0]) && isnan(v[1]));
}
END_TEST

START_TEST(test_refusals)
{
	iso_net *net;
	size_t k;
	const iso_layer_spec lstm[] = {iso_lstm_last(3), iso_dense(1, ISO_ACT_LINEAR)},
			     top[] = {iso_dense(1, ISO_ACT_SIGMOID)};
	tk_ok(iso_net_new(lstm, 2, iso_sequence(3, 2), &net, &err));
	tk_fails(iso_penalty_rows(net, &k, &err), ISO_E_UNSUPPORTED, "lstm");
	iso_net_free(net);
	err = (iso_error){0};
	tk_ok(iso_net_new(top, 1, iso_flat(3), &net, &err));
	tk_fails(iso_penalty_rows(net, &k, &err), ISO_E_UNSUPPORTED, "linear");
	iso_net_free(net);
}
END_TEST

START_TEST(test_weight_clipping)
{
	iso_net *const net = net_of(0);
	float *const theta = iso_net_theta(net);
	theta[0] = 0.02f, theta[1] = -7, theta[2] = 7, theta[3] = NAN, theta[4] = -0.01f;
	iso_net_clip_weights(net, 0.05f);
	ck_assert(theta[0] == 0.02f && theta[1] == -0.05f && theta[2] == 0.05f && theta[3] == 0 &&
		  theta[4] == -0.01f);
	iso_net_free(net);
}
END_TEST

int main(void)
{
	const int n = (int)ISO_COUNT(acts);
	Suite *s = suite_create("nn/penalty");
	TCase *c = tcase_create("penalty");
	tcase_add_loop_test(c, test_factor_form, 0, n);
	tcase_add_loop_test(c, test_engine, 0, n);
	tcase_add_loop_test(c, test_convolutions, 0, 2);
	tcase_add_test(c, test_penalty_values);
	tcase_add_test(c, test_refusals);
	tcase_add_test(c, test_weight_clipping);
	suite_add_tcase(s, c);
	return tk_run(s);
}
