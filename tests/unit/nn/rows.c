// SPDX-License-Identifier: Apache-2.0
/* Normalisations, dropout, noise, heads and embedding against their definitions: training and
 * inference, what is drawn and by whose identity. */
#include <math.h>
#include <string.h>

#include "core/nn/layer.h"
#include "tests/support/testkit.h"

enum { ROWS = 6, MOST = 4000 };
static iso_error err;
static float x[ROWS * MOST];

static iso_net *net_of(iso_layer_spec spec, iso_shape in, iso_ws **ws)
{
	iso_net *net;
	tk_ok(iso_net_new(&spec, 1, in, &net, &err));
	iso_net_randomize(net, ISO_INIT_HE, iso_key_new(2, "theta"));
	tk_ok(iso_ws_new(net, ROWS, 0, ws, &err));
	iso_rand_fill_normal(iso_key_new(2, "x"), 0, 1, 2, x, ROWS * iso_net_in(net));
	return net;
}

static void end(iso_net *net, iso_ws *ws)
{
	iso_ws_free(ws);
	iso_net_free(net);
}

/* _i: layer, group (2 of 3 channels), instance.  Every group of a row: mean 0, variance 1 but for
 * eps, then scale and shift. */
START_TEST(test_within_rows)
{
	enum { H = 3, W = 2, C = 6 };
	const iso_layer_spec spec[] = {iso_layer_norm(ISO_ACT_LINEAR),
				       iso_group_norm(2, ISO_ACT_LINEAR),
				       iso_instance_norm(ISO_ACT_LINEAR)};
	const size_t wide = _i == 0 ? C : _i == 1 ? 3 : 1;
	iso_ws *ws;
	iso_net *const net = net_of(spec[_i], iso_image(H, W, C), &ws);
	for (size_t u = 0; u < C; u++) {
		ck_assert(iso_net_theta(net)[u] == 1 && iso_net_theta(net)[C + u] == 0);
		iso_net_theta(net)[u] = 0.5f + 0.25f * (float)u;
		iso_net_theta(net)[C + u] = (float)u - 2;
	}
	iso_net_forward(net, ws, x, H * W * C, ROWS, NULL);
	for (size_t r = 0; r < ROWS; r++)
		for (size_t i = 0; i < H * W * C; i++) {
			const size_t g = i % C / wide;
			double mean = 0, var = 0;
			for (size_t k = 0; k < H * W * C; k++)
				mean += k % C / wide == g ? x[r * H * W * C + k] : 0;
			mean /= (double)(H * W * wide);
			for (size_t k = 0; k < H * W * C; k++) {
				const double away = x[r * H * W * C + k] - mean;
				var += k % C / wide == g ? away * away : 0;
			}
			var /= (double)(H * W * wide);
			const double want = (0.5 + 0.25 * (double)(i % C)) *
						    (x[r * H * W * C + i] - mean) /
						    sqrt(var + 1e-5) +
					    (double)(i % C) - 2;
			tk_assert_close(iso_ws_out(ws)[r * H * W * C + i], want, 1e-5, 1e-5);
		}
	end(net, ws);
}
END_TEST

START_TEST(test_batch_norm)
{
	enum { P = 4, C = 3 };
	iso_ws *ws;
	iso_net *const net = net_of(iso_batch_norm(ISO_ACT_LINEAR), iso_image(2, 2, C), &ws);
	float *const theta = iso_net_theta(net); /* scale, shift, mean, variance */
	double mean[C] = {0}, var[C] = {0};
	for (size_t i = 0; i < ROWS * P * C; i++)
		mean[i % C] += x[i] / (double)(ROWS * P);
	for (size_t i = 0; i < ROWS * P * C; i++)
		var[i % C] += (x[i] - mean[i % C]) * (x[i] - mean[i % C]) / (double)(ROWS * P);
	theta[1] = 3;
	theta[C + 1] = -1;
	iso_net_forward(net, ws, x, P * C, ROWS, NULL); /* inference: mean 0, variance 1 */
	for (size_t i = 0; i < ROWS * P * C; i++)
		tk_assert_close(iso_ws_out(ws)[i],
				(i % C == 1 ? 3 : 1) * x[i] / sqrt(1 + 1e-5) - (i % C == 1), 1e-5,
				1e-6);
	ck_assert(theta[2 * C] == 0 && theta[3 * C] == 1);
	iso_ws_train(ws, iso_key_new(1, "t"), NULL);
	iso_net_forward(net, ws, x, P * C, ROWS, NULL);
	for (size_t i = 0; i < ROWS * P * C; i++)
		tk_assert_close(iso_ws_out(ws)[i],
				(i % C == 1 ? 3 : 1) * (x[i] - mean[i % C]) /
						sqrt(var[i % C] + 1e-5) -
					(i % C == 1),
				1e-5, 1e-5);
	for (size_t u = 0; u < C; u++) {
		tk_assert_close(theta[2 * C + u], 0.1 * mean[u], 1e-5, 1e-7);
		tk_assert_close(theta[3 * C + u], 0.9 + 0.1 * var[u], 1e-5, 0);
	}
	iso_ws_infer(ws);
	iso_net_forward(net, ws, x, P * C, ROWS, NULL);
	tk_assert_close(iso_ws_out(ws)[0], (x[0] - 0.1 * mean[0]) / sqrt(0.9 + 0.1 * var[0] + 1e-5),
			1e-5, 1e-6);
	end(net, ws);
}
END_TEST

/* Drawn by the identity of the row: position and neighbours do not matter, the key does; in
 * inference nothing is drawn.  3,000 draws a row: five standard errors. */
START_TEST(test_drawn)
{
	enum { N = 3000 };
	static float first[N];
	const uint64_t id[] = {5, 6, 7, 8, 9, 10}, other[] = {7, 5};
	const iso_layer_spec spec = _i ? iso_gaussian_noise(0.5f) : iso_dropout(0.3f);
	iso_ws *ws;
	iso_net *const net = net_of(spec, iso_flat(N), &ws);
	for (size_t i = 0; i < ROWS * N; i++)
		x[i] = 1;
	float *const h = iso_ws_out(ws);
	iso_net_forward(net, ws, x, N, ROWS, NULL);
	ck_assert(memcmp(h, x, ROWS * N * sizeof(float)) == 0);
	iso_ws_train(ws, iso_key_new(1, "t"), id);
	iso_net_forward(net, ws, x, N, ROWS, NULL);
	memcpy(first, h, sizeof(first));
	double sum = 0, square = 0;
	for (size_t i = 0; i < ROWS * N; i++) {
		sum += h[i] / (double)(ROWS * N);
		square += (h[i] - 1) * (h[i] - 1) / (double)(ROWS * N);
		if (!_i)
			ck_assert(h[i] == 0 || h[i] == 1 / (1 - 0.3f));
	}
	const double sd = _i ? 0.5 : sqrt(0.3 / 0.7);
	tk_assert_close(sum, 1, 0, 5 * sd / sqrt(ROWS * N));
	tk_assert_close(square, sd * sd, 0.06, 0);
	ck_assert(memcmp(first, h + N, sizeof(first)) != 0);
	iso_ws_train(ws, iso_key_new(1, "t"), other);
	iso_net_forward(net, ws, x, N, 2, NULL);
	ck_assert(memcmp(first, h + N, sizeof(first)) == 0);
	iso_ws_train(ws, iso_key_new(2, "t"), id);
	iso_net_forward(net, ws, x, N, 1, NULL);
	ck_assert(memcmp(first, h, sizeof(first)) != 0);
	iso_ws_infer(ws);
	iso_net_forward(net, ws, x, N, ROWS, NULL);
	ck_assert(memcmp(h, x, ROWS * N * sizeof(float)) == 0);
	end(net, ws);
}
END_TEST

START_TEST(test_heads)
{
	const iso_head head[] = {{ISO_HEAD_LINEAR, 1},
				 {ISO_HEAD_TANH, 1},
				 {ISO_HEAD_SIGMOID, 1},
				 {ISO_HEAD_SOFTMAX, 3},
				 {ISO_HEAD_GUMBEL, 2}};
	enum { N = 8, DRAWS = 3000 };
	iso_ws *ws;
	iso_net *const net = net_of(iso_mixed_heads(head, 5, 0.5f), iso_flat(N), &ws);
	const float in[] = {2, 0.5f, -1, 0, 1, 2, 0.3f, -0.2f};
	iso_net_forward(net, ws, in, N, 1, NULL);
	const float *const h = iso_ws_out(ws);
	const double z = 1 + exp(1) + exp(2);
	const double want[] = {
		2,	    tanh(0.5),	       1 / (1 + exp(1)), 1 / z, exp(1) / z,
		exp(2) / z, 1 / (1 + exp(-1)), 1 / (1 + exp(1))}; /* (0.3 + 0.2) / 0.5 = 1 */
	for (size_t i = 0; i < N; i++)
		tk_assert_close(h[i], want[i], 1e-6, 1e-7);
	/* Gumbel's maximum falls on a category as often as the softmax at temperature 1 says */
	size_t hits = 0;
	for (uint64_t t = 0; t < DRAWS; t++) {
		iso_ws_train(ws, iso_key_new(t, "g"), NULL);
		iso_net_forward(net, ws, in, N, 1, NULL);
		tk_assert_close(h[6] + h[7], 1, 1e-6, 0);
		hits += h[6] > h[7];
	}
	const double p = 1 / (1 + exp(-0.5));
	tk_assert_close((double)hits / DRAWS, p, 0, 5 * sqrt(p * (1 - p) / DRAWS));
	end(net, ws);
}
END_TEST

START_TEST(test_embedding)
{
	enum { LEVELS = 4, DIM = 3 };
	const float code[] = {0, 3, 4, -1, NAN, 1.5f};
	iso_ws *ws;
	iso_net *const net = net_of(iso_embedding(LEVELS, DIM), iso_sequence(6, 1), &ws);
	const float *const w = iso_net_theta(net), *const h = iso_ws_out(ws);
	iso_net_forward(net, ws, code, 6, 1, NULL);
	ck_assert(memcmp(h, w, DIM * sizeof(float)) == 0);
	ck_assert(memcmp(h + DIM, w + 3 * DIM, DIM * sizeof(float)) == 0);
	for (size_t i = 2 * DIM; i < 6 * DIM; i++)
		ck_assert(h[i] == 0);
	end(net, ws);
}
END_TEST

/* Slopes: of a leaky ReLU, of an ELU, the constants of SELU; softplus far out. */
START_TEST(test_activations)
{
	const float in[] = {-50, -1, -0.25f, 0, 0.5f, 50};
	const struct {
		iso_act act;
		float slope;
	} a[] = {{ISO_ACT_LRELU, 0},  {ISO_ACT_LRELU, 0.1f}, {ISO_ACT_ELU, 0},
		 {ISO_ACT_ELU, 0.5f}, {ISO_ACT_SELU, 0},     {ISO_ACT_SOFTPLUS, 0}};
	for (size_t k = 0; k < ISO_COUNT(a); k++) {
		iso_ws *ws;
		iso_net *const net =
			net_of(iso_sloped(iso_activation(a[k].act), a[k].slope), iso_flat(6), &ws);
		iso_net_forward(net, ws, in, 6, 1, NULL);
		for (size_t i = 0; i < 6; i++) {
			const double s = in[i], low = exp(s) - 1;
			const double want[] = {s > 0 ? s : 0.2 * s,
					       s > 0 ? s : 0.1 * s,
					       s > 0 ? s : low,
					       s > 0 ? s : 0.5 * low,
					       1.0507009873554805 *
						       (s > 0 ? s : 1.6732632423543772 * low),
					       log1p(exp(s))};
			tk_assert_close(iso_ws_out(ws)[i], want[k], 1e-6, 1e-7);
		}
		end(net, ws);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("nn/rows");
	TCase *c = tcase_create("definitions");
	tcase_add_loop_test(c, test_within_rows, 0, 3);
	tcase_add_test(c, test_batch_norm);
	tcase_add_loop_test(c, test_drawn, 0, 2);
	tcase_add_test(c, test_heads);
	tcase_add_test(c, test_embedding);
	tcase_add_test(c, test_activations);
	suite_add_tcase(s, c);
	return tk_run(s);
}
