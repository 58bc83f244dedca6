// SPDX-License-Identifier: Apache-2.0
/* Convolutions, their transposes and the LSTM against loops in double precision that follow the
 * definition, on rows with gaps between them; their initial weights. */
#include <math.h>
#include <string.h>

#include "core/nn/layer.h"
#include "tests/support/testkit.h"

enum { ROWS = 5, MOST = 1200 };
static iso_error err;

static const struct {
	iso_shape in, out;
	size_t kernel, stride, pad;
} conv[] = {
	{{7, 5, 2}, {4, 3, 3}, 3, 2, 1},     {{6, 4, 1}, {3, 2, 17}, 4, 2, 1},
	{{5, 4, 3}, {4, 3, 2}, 2, 1, 0},     {{4, 3, 5}, {4, 3, 6}, 1, 1, 0},
	{{28, 28, 1}, {14, 14, 4}, 4, 2, 1}, {{3, 9, 2}, {3, 9, 2}, 5, 1, 2},
};

static float x[ROWS * MOST], dx[ROWS * MOST];

/* Rows lie `gap` floats apart from one another. */
static iso_net *net_of(iso_layer_spec spec, iso_shape in, iso_ws **ws)
{
	iso_net *net;
	tk_ok(iso_net_new(&spec, 1, in, &net, &err));
	iso_rand_fill_normal(iso_key_new(2, "theta"), 0, 0, 0.5f, iso_net_theta(net),
			     iso_net_params(net));
	tk_ok(iso_ws_new(net, ROWS, ISO_WS_NORMS, ws, &err));
	iso_rand_fill_normal(iso_key_new(2, "x"), 0, 0, 1, x, ROWS * MOST);
	return net;
}

/* w of filter o at (ky, kx, c): [channels][kernel][kernel][c] */
START_TEST(test_conv)
{
	const size_t k = conv[_i].kernel, st = conv[_i].stride, pad = conv[_i].pad;
	const iso_shape in = conv[_i].in, out = conv[_i].out;
	iso_ws *ws;
	iso_net *const net = net_of(iso_conv(out.c, k, st, pad, ISO_ACT_LINEAR), in, &ws);
	const iso_shape got = iso_net_out_shape(net);
	ck_assert(got.h == out.h && got.w == out.w && got.c == out.c);
	const float *const w = iso_net_theta(net), *const b = w + out.c * k * k * in.c;
	const size_t ld = iso_net_in(net) + 7;
	iso_net_forward(net, ws, x, ld, ROWS, NULL);
	for (size_t r = 0; r < ROWS; r++)
		for (size_t oy = 0; oy < out.h; oy++)
			for (size_t ox = 0; ox < out.w; ox++)
				for (size_t o = 0; o < out.c; o++) {
					double want = b[o];
					for (size_t i = 0; i < k * k * in.c; i++) {
						const size_t y = oy * st + i / (k * in.c) - pad,
							     q = ox * st + i / in.c % k - pad;
						if (y < in.h && q < in.w)
							want += (double)w[o * k * k * in.c + i] *
								x[r * ld + (y * in.w + q) * in.c +
								  i % in.c];
					}
					tk_assert_close(iso_ws_out(ws)[((r * out.h + oy) * out.w +
									ox) * out.c +
								       o],
							want, 1e-5, 1e-5);
				}
	iso_ws_free(ws);
	iso_net_free(net);
}
END_TEST

/* The transposed layer is the adjoint: input position (iy, ix) adds its patch at (iy st - pad,
 * ix st - pad).  w [c][kernel][kernel][channels]. */
START_TEST(test_transposed)
{
	const size_t k = conv[_i].kernel, st = conv[_i].stride, pad = conv[_i].pad;
	const iso_shape in = conv[_i].out, out = conv[_i].in; /* the other way round */
	static double want[MOST];
	iso_ws *ws;
	iso_net *const net =
		net_of(iso_conv_transposed(out.c, k, st, pad, ISO_ACT_LINEAR), in, &ws);
	const iso_shape got = iso_net_out_shape(net);
	ck_assert(got.h == out.h && got.w == out.w && got.c == out.c);
	const float *const w = iso_net_theta(net), *const b = w + in.c * k * k * out.c;
	const size_t ld = iso_net_in(net) + 3, n = iso_net_out(net);
	iso_net_forward(net, ws, x, ld, ROWS, NULL);
	for (size_t r = 0; r < ROWS; r++) {
		for (size_t i = 0; i < n; i++)
			want[i] = b[i % out.c];
		for (size_t at = 0; at < iso_net_in(net); at++) {
			const size_t c = at % in.c, ix = at / in.c % in.w, iy = at / in.c / in.w;
			for (size_t i = 0; i < k * k * out.c; i++) {
				const size_t y = iy * st + i / (k * out.c) - pad,
					     q = ix * st + i / out.c % k - pad;
				if (y < out.h && q < out.w)
					want[(y * out.w + q) * out.c + i % out.c] +=
						(double)x[r * ld + at] * w[c * k * k * out.c + i];
			}
		}
		for (size_t i = 0; i < n; i++)
			tk_assert_close(iso_ws_out(ws)[r * n + i], want[i], 1e-5, 1e-5);
	}
	iso_ws_free(ws);
	iso_net_free(net);
}
END_TEST

/* _i: all steps, or the last. */
START_TEST(test_lstm)
{
	enum { T = 5, C = 3, H = 4 };
	iso_ws *ws;
	iso_net *const net = net_of(_i ? iso_lstm_last(H) : iso_lstm(H), iso_sequence(T, C), &ws);
	const float *const w = iso_net_theta(net), *const b = w + (C + H) * 4 * H;
	const size_t ld = T * C + 2, n = iso_net_out(net);
	ck_assert_uint_eq(n, _i ? H : T * H);
	iso_net_forward(net, ws, x, ld, ROWS, NULL);
	for (size_t r = 0; r < ROWS; r++) {
		double h[H] = {0}, cell[H] = {0};
		for (size_t t = 0; t < T; t++) {
			double z[4 * H];
			for (size_t g = 0; g < 4 * H; g++) {
				z[g] = b[g];
				for (size_t i = 0; i < C; i++)
					z[g] += (double)x[r * ld + t * C + i] * w[i * 4 * H + g];
				for (size_t i = 0; i < H; i++)
					z[g] += h[i] * w[(C + i) * 4 * H + g];
			}
			for (size_t u = 0; u < H; u++) { /* input, forget, output, candidate */
				const double i = 1 / (1 + exp(-z[u])), f = 1 / (1 + exp(-z[H + u])),
					     o = 1 / (1 + exp(-z[2 * H + u]));
				cell[u] = f * cell[u] + i * tanh(z[3 * H + u]);
				h[u] = o * tanh(cell[u]);
				if (!_i)
					tk_assert_close(iso_ws_out(ws)[r * n + t * H + u], h[u],
							1e-5, 1e-6);
			}
		}
		for (size_t u = 0; _i && u < H; u++)
			tk_assert_close(iso_ws_out(ws)[r * n + u], h[u], 1e-5, 1e-6);
	}
	iso_ws_free(ws);
	iso_net_free(net);
}
END_TEST

/* Gaps between rows change nothing: gradients, dx and norms are those of rows side by side. */
START_TEST(test_gaps)
{
	const iso_layer_spec spec[] = {iso_conv(3, 3, 2, 1, ISO_ACT_TANH),
				       iso_conv_transposed(2, 4, 2, 1, ISO_ACT_TANH),
				       iso_lstm(4),
				       iso_dense_each(3, ISO_ACT_TANH),
				       iso_dense(4, ISO_ACT_TANH),
				       iso_layer_norm(ISO_ACT_LINEAR)};
	const iso_shape in = {5, 7, 2};
	enum { IN = 70, GAP = 11 };
	static float wide[ROWS * (IN + GAP)], dwide[ROWS * (IN + GAP)], grad[MOST];
	float norm2[2][ROWS];
	iso_ws *ws;
	iso_net *const net = net_of(spec[_i], in, &ws);
	const size_t n = iso_net_out(net), p = iso_net_params(net);
	ck_assert_uint_lt(p, MOST);
	for (size_t r = 0; r < ROWS; r++)
		memcpy(wide + r * (IN + GAP), x + r * IN, IN * sizeof(float));
	for (size_t gaps = 0; gaps < 2; gaps++) {
		const size_t ld = gaps ? IN + GAP : IN;
		float *const to = gaps ? dwide : dx;
		memset(dwide, 0, sizeof(dwide));
		iso_net_forward(net, ws, gaps ? wide : x, ld, ROWS, NULL);
		for (size_t i = 0; i < ROWS * n; i++)
			iso_ws_delta(ws)[i] = iso_ws_out(ws)[i] - 0.3f;
		iso_net_backward(net, ws, 1, to, ld);
		iso_net_grad_norms2(net, ws, 1, 0, norm2[gaps]);
		iso_net_weight_grad(net, ws, NULL, 0, iso_net_grad(net));
		if (!gaps)
			memcpy(grad, iso_net_grad(net), p * sizeof(float));
	}
	ck_assert(memcmp(grad, iso_net_grad(net), p * sizeof(float)) == 0);
	ck_assert(memcmp(norm2[0], norm2[1], sizeof(norm2[0])) == 0);
	for (size_t r = 0; r < ROWS; r++) {
		ck_assert(memcmp(dx + r * IN, dwide + r * (IN + GAP), IN * sizeof(float)) == 0);
		for (size_t i = 0; i < GAP; i++) /* and nothing is written there */
			ck_assert(dwide[r * (IN + GAP) + IN + i] == 0);
	}
	iso_ws_free(ws);
	iso_net_free(net);
}
END_TEST

/* He: standard deviation sqrt(2 / fan in); Glorot: uniform of half-width sqrt(6 / (in + out)). */
START_TEST(test_initial_weights)
{
	const struct {
		iso_layer_spec spec;
		iso_shape in;
		double fan_in, fan_out;
	} c[] = {
		{iso_conv(32, 4, 2, 1, ISO_ACT_RELU), {8, 8, 16}, 256, 32},
		/* each output pixel is reached by 2 x 2 positions */
		{iso_conv_transposed(16, 4, 2, 1, ISO_ACT_RELU), {8, 8, 32}, 128, 256},
		{iso_lstm(32), {4, 1, 16}, 48, 128},
		{iso_embedding(200, 30), {1, 1, 3}, 200, 30},
	};
	for (size_t i = 0; i < ISO_COUNT(c); i++) {
		iso_net *net;
		tk_ok(iso_net_new(&c[i].spec, 1, c[i].in, &net, &err));
		const iso_tensor w = iso_net_tensor(net, 0);
		iso_net_randomize(net, ISO_INIT_HE, iso_key_new(1, "w"));
		double m2 = 0, most = 0;
		for (size_t k = 0; k < w.n; k++)
			m2 += (double)iso_net_theta(net)[k] * iso_net_theta(net)[k];
		tk_assert_close(sqrt(m2 / (double)w.n), sqrt(2 / c[i].fan_in), 0.05, 0);
		iso_net_randomize(net, ISO_INIT_GLOROT, iso_key_new(1, "w"));
		for (size_t k = 0; k < w.n; k++)
			most = fmax(most, fabs((double)iso_net_theta(net)[k]));
		tk_assert_close(most, sqrt(6 / (c[i].fan_in + c[i].fan_out)), 0.01, 0);
		for (size_t k = w.n; k < iso_net_params(net); k++)
			ck_assert(iso_net_theta(net)[k] == 0);
		iso_net_free(net);
	}
}
END_TEST

/* A record of five rows through a convolution that lays out four images at a time at most. */
START_TEST(test_most_rows)
{
	const iso_layer_spec spec[] = {iso_conv(8, 5, 1, 0, ISO_ACT_LINEAR),
				       iso_dense(1, ISO_ACT_LINEAR)};
	iso_net *net;
	tk_ok(iso_net_new(spec, 2, iso_image(40, 40, 3), &net, &err));
	ck_assert_uint_eq(iso_net_most_rows(net), 4);
	iso_net_free(net);
	tk_ok(iso_net_new(spec + 1, 1, iso_flat(3), &net, &err));
	ck_assert_uint_eq(iso_net_most_rows(net), 0);
	iso_net_free(net);
}
END_TEST

int main(void)
{
	const int n = (int)ISO_COUNT(conv);
	Suite *s = suite_create("nn/layers");
	TCase *c = tcase_create("definitions");
	tcase_add_loop_test(c, test_conv, 0, n);
	tcase_add_loop_test(c, test_transposed, 0, n);
	tcase_add_loop_test(c, test_lstm, 0, 2);
	tcase_add_loop_test(c, test_gaps, 0, 6);
	tcase_add_test(c, test_initial_weights);
	tcase_add_test(c, test_most_rows);
	suite_add_tcase(s, c);
	return tk_run(s);
}
