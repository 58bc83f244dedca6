// SPDX-License-Identifier: Apache-2.0
/* What every layer must do, over the registry: gradients by finite differences; a row alone as in a
 * batch; rows in any order; the same bits on every instruction set; norms never below the gradient
 * that is summed, for records of one to three rows; rows left out; NaN and infinity; no rows; odd
 * shapes; no allocation in a pass. */
#include "core/nn/layer.h"

#include <math.h>
#include <string.h>

#include "core/math/vmath.h"
#include "tests/support/testkit.h"

enum { ROWS = 12, MAX_CELLS = 600, MAX_P = 6000 };

static const iso_head heads[] = {{ISO_HEAD_TANH, 2},
				 {ISO_HEAD_SOFTMAX, 3},
				 {ISO_HEAD_SIGMOID, 1},
				 {ISO_HEAD_GUMBEL, 4},
				 {ISO_HEAD_LINEAR, 1}};

/* The layer under test comes second: something below it that its dx reaches. */
typedef struct form {
	const char *name;
	iso_shape in; /* of the first layer */
	iso_layer_spec below, spec, above;
	int codes; /* inputs are codes: nothing below */
} form;

static form forms[32];
static size_t nform;
static iso_error err;

static void add(const char *name, iso_shape in, iso_layer_spec below, iso_layer_spec spec)
{
	forms[nform++] = (form){name, in, below, spec, iso_dense(3, ISO_ACT_LINEAR), 0};
}

static iso_layer_spec same(iso_act act)
{
	return iso_activation(act);
}

/* Shapes are odd on purpose: no multiple of a vector, borders that a filter does not fill. */
static void list(void)
{
	const iso_layer_spec t = iso_activation(ISO_ACT_TANH);
	nform = 0;
	add("dense", iso_flat(13), iso_dense(7, ISO_ACT_TANH), iso_dense(19, ISO_ACT_SIGMOID));
	add("dense elu", iso_flat(13), iso_dense(17, ISO_ACT_ELU), iso_dense(5, ISO_ACT_SELU));
	add("dense softplus", iso_flat(3), iso_dense(33, ISO_ACT_SOFTPLUS),
	    iso_dense(2, ISO_ACT_TANH));
	add("conv", iso_image(7, 5, 2), t, iso_conv(3, 3, 2, 1, ISO_ACT_TANH));
	add("conv wide", iso_image(6, 6, 1), t, iso_conv(17, 4, 2, 1, ISO_ACT_SIGMOID));
	add("conv no padding", iso_image(5, 4, 3), t, iso_conv(2, 2, 1, 0, ISO_ACT_ELU));
	add("conv materialised", iso_image(9, 9, 1), t, iso_conv(2, 2, 1, 1, ISO_ACT_LINEAR));
	add("dense each", iso_sequence(6, 5), t, iso_dense_each(4, ISO_ACT_TANH));
	add("transposed", iso_image(3, 2, 5), t, iso_conv_transposed(2, 4, 2, 1, ISO_ACT_TANH));
	add("transposed one", iso_image(4, 3, 3), t,
	    iso_conv_transposed(1, 3, 2, 0, ISO_ACT_SIGMOID));
	add("lstm", iso_sequence(5, 3), t, iso_lstm(6));
	add("lstm last", iso_sequence(4, 2), t, iso_lstm_last(5));
	add("lstm one step", iso_sequence(1, 2), t, iso_lstm(3));
	add("layer norm", iso_flat(9), t, iso_layer_norm(ISO_ACT_TANH));
	add("group norm", iso_image(3, 2, 6), t, iso_group_norm(3, ISO_ACT_LINEAR));
	add("instance norm", iso_image(3, 3, 4), t, iso_instance_norm(ISO_ACT_ELU));
	add("batch norm", iso_image(2, 2, 3), t, iso_batch_norm(ISO_ACT_TANH));
	add("dropout", iso_flat(21), t, iso_dropout(0.4f));
	add("gaussian noise", iso_flat(21), t, iso_gaussian_noise(0.3f));
	add("heads", iso_flat(11), t, iso_mixed_heads(heads, ISO_COUNT(heads), 0.7f));
	add("reshape", iso_flat(12), t, iso_reshape(iso_image(2, 3, 2)));
	add("planes", iso_flat(15), t, iso_planes(iso_image(2, 3, 2)));
	add("norm clip", iso_flat(12), t, iso_norm_clip(0.9f));
	add("norm clip wide", iso_flat(12), t, iso_norm_clip(90));
	add("activation", iso_flat(12), t, same(ISO_ACT_SOFTPLUS));
	add("embedding", iso_sequence(7, 2), iso_embedding(4, 3), iso_reshape(iso_flat(42)));
	forms[nform - 1].codes = 1;
}

typedef struct rig {
	const form *f;
	iso_net *net;
	iso_ws *ws;
	size_t in, out;
	float x[ROWS * MAX_CELLS], target[ROWS * 3], dx[ROWS * MAX_CELLS];
	uint64_t id[ROWS];
} rig;

static void rig_up(rig *t, size_t i, size_t cap, int norms)
{
	const form *const f = &forms[i];
	const iso_layer_spec spec[] = {f->below, f->spec, f->above};
	const iso_key key = iso_key_new(5, "layer");
	t->f = f;
	tk_ok(iso_net_new(spec, 3, f->in, &t->net, &err));
	ck_assert_uint_lt(iso_net_params(t->net), MAX_P);
	iso_net_randomize(t->net, ISO_INIT_GLOROT, key);
	for (size_t k = 0; k < iso_net_tensors(t->net); k++) { /* biases that matter */
		const iso_tensor w = iso_net_tensor(t->net, k);
		if (!w.fan_in && strcmp(w.name, "var") != 0)
			iso_rand_fill_normal(key, 50 + k, 0.2f, 0.3f,
					     iso_net_theta(t->net) + w.first, w.n);
	}
	tk_ok(iso_ws_new(t->net, cap, norms ? ISO_WS_NORMS : 0, &t->ws, &err));
	t->in = iso_net_in(t->net);
	t->out = iso_net_out(t->net);
	iso_rand_fill_normal(key, 1, 0, 1, t->x, ROWS * t->in);
	for (size_t k = 0; f->codes && k < ROWS * t->in; k++)
		t->x[k] = (float)(k * 7 % 5) - (k % 11 == 0); /* 4 and -1 are no levels */
	iso_rand_fill_normal(key, 2, 0, 1, t->target, ROWS * t->out);
	for (size_t k = 0; k < ROWS; k++)
		t->id[k] = 1000 + 7 * k;
}

static void rig_down(rig *t)
{
	iso_ws_free(t->ws);
	iso_net_free(t->net);
}

static int couples(const rig *t)
{
	return t->f->spec.ops->couples_rows;
}

/* Forward of rows first .. first+n-1; sum over rows and outputs of w (h - target)^2 / 2. */
static double loss(rig *t, size_t first, size_t n)
{
	double sum = 0;
	iso_ws_train(t->ws, iso_key_new(6, "train"), t->id + first);
	iso_net_forward(t->net, t->ws, t->x + first * t->in, t->in, n, NULL);
	for (size_t i = 0; i < n * t->out; i++) {
		const double e = (double)iso_ws_out(t->ws)[i] - t->target[first * t->out + i];
		sum += 0.5 * e * e;
	}
	return sum;
}

static void run(rig *t, size_t first, size_t n)
{
	loss(t, first, n);
	for (size_t i = 0; i < n * t->out; i++)
		iso_ws_delta(t->ws)[i] = iso_ws_out(t->ws)[i] - t->target[first * t->out + i];
	iso_net_backward(t->net, t->ws, 1, t->dx, t->in);
}

/* Along random directions in theta and in x; fp32 losses of size 10 with steps of 2e-3 leave about
 * 1e-3. */
START_TEST(test_finite_differences)
{
	static rig t;
	static float u[MAX_P], keep[MAX_P], keep_x[ROWS * MAX_CELLS], ux[ROWS * MAX_CELLS];
	rig_up(&t, (size_t)_i, ROWS, 0);
	const size_t p = iso_net_params(t.net), cells = ROWS * t.in;
	float *const theta = iso_net_theta(t.net), *const grad = iso_net_grad(t.net);
	run(&t, 0, ROWS);
	memset(grad, 0xff, p * sizeof(float)); /* NaN: beta = 0 must not read it */
	iso_net_weight_grad(t.net, t.ws, NULL, 0, grad);
	for (size_t k = 0; k < 24; k++) {
		const float step = 2e-3f;
		const int by_x = k >= 16;
		double want = 0;
		if (by_x && t.f->codes)
			break;
		iso_rand_fill_normal(iso_key_new(k, "direction"), 0, 0, 1, by_x ? ux : u,
				     by_x ? cells : p);
		for (size_t i = 0; i < p; i++) /* one layer's parameters at a time, by turns */
			if (!by_x && (k % 4) != 3 && i % 3 != k % 3)
				u[i] = 0;
		for (size_t i = 0; i < iso_net_tensors(t.net); i++) {
			const iso_tensor w = iso_net_tensor(t.net, i);
			if (strcmp(w.name, "mean") == 0 || strcmp(w.name, "var") == 0)
				memset(u + w.first, 0, w.n * sizeof(float));
		}
		double size = 0;
		for (size_t i = 0; i < (by_x ? cells : p); i++) {
			const double d = by_x ? t.dx[i] * (double)ux[i] : grad[i] * (double)u[i];
			want += d;
			size += d * d;
		}
		memcpy(keep, theta, p * sizeof(float));
		memcpy(keep_x, t.x, cells * sizeof(float));
		double side[2];
		for (int s = 0; s < 2; s++) {
			for (size_t i = 0; i < p; i++)
				theta[i] = keep[i] + (by_x ? 0 : (s ? step : -step) * u[i]);
			for (size_t i = 0; i < cells; i++)
				t.x[i] = keep_x[i] + (by_x ? (s ? step : -step) * ux[i] : 0);
			side[s] = loss(&t, 0, ROWS);
		}
		memcpy(theta, keep, p * sizeof(float));
		memcpy(t.x, keep_x, cells * sizeof(float));
		const double got = (side[1] - side[0]) / (2 * (double)step);
		ck_assert_msg(fabs(got - want) <= 5e-3 + 1e-2 * sqrt(size),
			      "%s, direction %zu: %g by differences, %g by the gradient", t.f->name,
			      k, got, want);
	}
	rig_down(&t);
}
END_TEST

/* Each row alone: the same output, dx and norm, bit for bit; so rows may come in any order. */
START_TEST(test_batch_of_one)
{
	static rig t, one;
	static float norm2[ROWS], dx[ROWS * MAX_CELLS], out[ROWS * 3];
	rig_up(&t, (size_t)_i, ROWS, !forms[_i].spec.ops->couples_rows);
	if (!couples(&t)) {
		rig_up(&one, (size_t)_i, 1, 1);
		run(&t, 0, ROWS);
		iso_net_grad_norms2(t.net, t.ws, 1, 0, norm2);
		memcpy(dx, t.dx, sizeof(dx));
		memcpy(out, iso_ws_out(t.ws), ROWS * t.out * sizeof(float));
		for (size_t k = 0; k < ROWS; k++) {
			const size_t i = k * 5 % ROWS; /* in another order */
			float alone;
			run(&one, i, 1);
			iso_net_grad_norms2(one.net, one.ws, 1, 0, &alone);
			ck_assert_msg(alone == norm2[i], "%s: norm of row %zu", t.f->name, i);
			ck_assert(memcmp(one.dx, dx + i * t.in, t.in * sizeof(float)) == 0);
			ck_assert(memcmp(iso_ws_out(one.ws), out + i * t.out,
					 t.out * sizeof(float)) == 0);
		}
		rig_down(&one);
	}
	rig_down(&t);
}
END_TEST

/* Squared norm of the gradient of rows r m .. r m + m - 1, as it is summed. */
static double summed_norm2(rig *t, size_t r, size_t m)
{
	double sum = 0;
	run(t, r * m, m);
	iso_net_weight_grad(t->net, t->ws, NULL, 0, iso_net_grad(t->net));
	for (size_t i = 0; i < iso_net_params(t->net); i++)
		sum += (double)iso_net_grad(t->net)[i] * iso_net_grad(t->net)[i];
	return sum;
}

START_TEST(test_norms)
{
	static rig t;
	static float norm2[3][ROWS];
	if (forms[_i].spec.ops->couples_rows)
		return;
	rig_up(&t, (size_t)_i, ROWS, 1);
	for (size_t m = 1; m <= 3; m++) {
		run(&t, 0, ROWS);
		for (size_t r = 0; r < ROWS / m; r++)
			norm2[m - 1][r] = m == 2 ? 1.5f : NAN;
		iso_net_grad_norms2(t.net, t.ws, m, m == 2, norm2[m - 1]);
		for (size_t r = 0; r < ROWS / m; r++) {
			const double want = summed_norm2(&t, r, m) + (m == 2 ? 1.5 : 0);
			ck_assert_msg(norm2[m - 1][r] >= want && norm2[m - 1][r] <= want * 1.0005,
				      "%s, %zu rows: norm^2 %.9g of record %zu, its gradient %.9g",
				      t.f->name, m, (double)norm2[m - 1][r], r, want);
		}
	}
	rig_down(&t);
}
END_TEST

START_TEST(test_same_bits)
{
	static rig t;
	static float grad[MAX_P], norm2[2][ROWS], dx[ROWS * MAX_CELLS], out[ROWS * 3];
	const iso_isa best = iso_isa_active();
	const int norms = !forms[_i].spec.ops->couples_rows;
	for (iso_isa isa = ISO_ISA_PORTABLE; isa <= ISO_ISA_AVX512; isa++) {
		if (!iso_isa_force(isa))
			continue;
		const int first = isa == ISO_ISA_PORTABLE;
		rig_up(&t, (size_t)_i, ROWS, norms);
		run(&t, 0, ROWS);
		if (norms)
			iso_net_grad_norms2(t.net, t.ws, 1, 0, norm2[!first]);
		iso_net_weight_grad(t.net, t.ws, NULL, 0, iso_net_grad(t.net));
		if (first) {
			memcpy(grad, iso_net_grad(t.net), iso_net_params(t.net) * sizeof(float));
			memcpy(dx, t.dx, sizeof(dx));
			memcpy(out, iso_ws_out(t.ws), sizeof(out));
		}
		ck_assert(memcmp(out, iso_ws_out(t.ws), ROWS * t.out * sizeof(float)) == 0);
		ck_assert(memcmp(dx, t.dx, ROWS * t.in * sizeof(float)) == 0);
		ck_assert(memcmp(grad, iso_net_grad(t.net),
				 iso_net_params(t.net) * sizeof(float)) == 0);
		ck_assert(memcmp(norm2[0], norm2[!first], sizeof(norm2[0])) == 0);
		rig_down(&t);
	}
	iso_isa_force(best);
}
END_TEST

/* A row with scale 0 is as if it were not there even when it holds NaN, its norm is not finite, and
 * pieces of a batch add up to the same bits. */
START_TEST(test_left_out)
{
	static rig t;
	static float whole[MAX_P], scale[ROWS], norm2[ROWS];
	if (forms[_i].spec.ops->couples_rows)
		return;
	rig_up(&t, (size_t)_i, ROWS, 1);
	float *const grad = iso_net_grad(t.net);
	const size_t bytes = iso_net_params(t.net) * sizeof(float);
	for (size_t i = 0; i < ROWS; i++)
		scale[i] = 0.3f + 0.01f * (float)i;
	run(&t, 0, 5);
	iso_net_weight_grad(t.net, t.ws, scale, 0, grad);
	run(&t, 6, ROWS - 6);
	iso_net_weight_grad(t.net, t.ws, scale + 6, 1, grad);
	memcpy(whole, grad, bytes);
	for (size_t i = 0; i < t.in; i++)
		t.x[5 * t.in + i] = i % 2 ? NAN : INFINITY;
	for (size_t i = 0; i < t.out; i++)
		t.target[5 * t.out + i] = NAN;
	run(&t, 0, ROWS);
	iso_net_grad_norms2(t.net, t.ws, 1, 0, norm2);
	for (size_t i = 0; i < ROWS; i++)
		ck_assert_msg(!isfinite(norm2[i]) == (i == 5), "%s: norm^2 %g of row %zu",
			      t.f->name, (double)norm2[i], i);
	scale[5] = 0;
	iso_net_weight_grad(t.net, t.ws, scale, 0, grad);
	ck_assert_msg(memcmp(whole, grad, bytes) == 0, "%s: the row left a trace", t.f->name);
	run(&t, 0, 0); /* no rows at all */
	iso_net_weight_grad(t.net, t.ws, NULL, 0, grad);
	for (size_t i = 0; i < iso_net_params(t.net); i++)
		ck_assert(grad[i] == 0);
	rig_down(&t);
}
END_TEST

START_TEST(test_no_allocation)
{
	static rig t;
	static float norm2[ROWS];
	const int norms = !forms[_i].spec.ops->couples_rows;
	rig_up(&t, (size_t)_i, ROWS, norms);
	run(&t, 0, ROWS);
	const uint64_t before = iso_alloc_count();
	run(&t, 0, ROWS);
	if (norms)
		iso_net_grad_norms2(t.net, t.ws, 1, 0, norm2);
	iso_net_weight_grad(t.net, t.ws, NULL, 0, iso_net_grad(t.net));
	ck_assert(iso_alloc_count() == before);
	rig_down(&t);
}
END_TEST

/* Every layer of the registry is in the list, and one that couples rows is refused under norms. */
START_TEST(test_registry)
{
	for (size_t l = 0; l < iso_layer_count; l++) {
		const iso_layer_ops *const ops = iso_layer_registry[l];
		size_t i = 0;
		while (i < nform && forms[i].spec.ops != ops && forms[i].below.ops != ops)
			i++;
		ck_assert_msg(i < nform, "%s has no case here", ops->name);
		ck_assert(ops->norms2 || ops->couples_rows || !ops->weighted_grad);
	}
	for (size_t i = 0; i < nform; i++) {
		const iso_layer_spec spec[] = {forms[i].below, forms[i].spec, forms[i].above};
		iso_net *net;
		iso_ws *ws;
		tk_ok(iso_net_new(spec, 3, forms[i].in, &net, &err));
		err = (iso_error){0};
		if (forms[i].spec.ops->couples_rows)
			tk_fails(iso_ws_new(net, 2, ISO_WS_NORMS, &ws, &err), ISO_E_UNSUPPORTED,
				 "mixes the rows");
		iso_net_free(net);
		for (uint64_t n = 1; n <= 12; n++) { /* every allocation may fail */
			iso_alloc_fail_after(n);
			err = (iso_error){0};
			const iso_status st = iso_net_new(spec, 3, forms[i].in, &net, &err);
			iso_alloc_fail_after(0);
			ck_assert(st == ISO_E_NOMEM || st == ISO_OK);
			iso_net_free(net);
		}
	}
}
END_TEST

START_TEST(test_refusals)
{
	static const struct {
		iso_shape in;
		iso_layer_spec spec;
		const char *text;
	} bad[] = {
		{{0, 1, 3}, {0}, "operations"},
		{{7, 7, 1}, {.ops = &iso_layer_conv, .out = 4, .kernel = 4, .stride = 2}, "fit"},
		{{2, 2, 1}, {.ops = &iso_layer_conv, .out = 4, .kernel = 3, .stride = 1}, "fit"},
		{{4, 4, 1},
		 {.ops = &iso_layer_conv, .out = 4, .kernel = 2, .stride = 1, .pad = 2},
		 "padding"},
		{{4, 4, 1},
		 {.ops = &iso_layer_conv, .out = 0, .kernel = 2, .stride = 1},
		 "channels"},
		{{1, 1, 1},
		 {.ops = &iso_layer_conv_transposed, .out = 1, .kernel = 4, .stride = 1, .pad = 2},
		 "leaves nothing"},
		{{0, 1, 3}, {.ops = &iso_layer_lstm, .out = 4}, "inputs"},
		{{3, 1, 3}, {.ops = &iso_layer_lstm}, "hidden"},
		{{1, 1, 6}, {.ops = &iso_layer_group_norm, .groups = 4}, "divide"},
		{{1, 1, 6}, {.ops = &iso_layer_group_norm, .groups = 6}, "variance"},
		{{1, 1, 6}, {.ops = &iso_layer_dropout, .rate = 1}, "rate"},
		{{1, 1, 6}, {.ops = &iso_layer_gaussian_noise, .rate = -1}, "deviation"},
		{{1, 1, 6}, {.ops = &iso_layer_embedding, .out = 3}, "levels"},
		{{1, 1, 6}, {.ops = &iso_layer_heads, .rate = 1}, "add up"},
		{{1, 1, 6}, {.ops = &iso_layer_reshape, .shape = {1, 1, 5}}, "equal"},
		{{1, 1, 6}, {.ops = &iso_layer_planes, .shape = {1, 1, 7}}, "fit"},
		{{1, 1, 6}, {.ops = &iso_layer_norm_clip, .rate = 0}, "above 0"},
		{{1, 1, 6}, {.ops = &iso_layer_dense, .out = 3, .slope = 0.1f}, "slope"},
		{{1, 1, 6},
		 {.ops = &iso_layer_dense, .out = 3, .act = ISO_ACT_ELU, .slope = -1},
		 "slope"},
		{{1, 1, 6}, {.ops = &iso_layer_dense, .out = 3, .act = 77}, "activation"},
	};
	for (size_t i = 0; i < ISO_COUNT(bad); i++) {
		iso_net *net;
		err = (iso_error){0};
		tk_fails(iso_net_new(&bad[i].spec, 1, bad[i].in, &net, &err),
			 bad[i].spec.ops ? ISO_E_CONFIG : ISO_E_USAGE, bad[i].text);
	}
}
END_TEST

int main(void)
{
	list();
	const int n = (int)nform;
	Suite *s = suite_create("conformance/layer");
	TCase *c = tcase_create("layers");
	tcase_add_loop_test(c, test_finite_differences, 0, n);
	tcase_add_loop_test(c, test_batch_of_one, 0, n);
	tcase_add_loop_test(c, test_norms, 0, n);
	tcase_add_loop_test(c, test_same_bits, 0, n);
	tcase_add_loop_test(c, test_left_out, 0, n);
	tcase_add_loop_test(c, test_no_allocation, 0, n);
	tcase_add_test(c, test_registry);
	tcase_add_test(c, test_refusals);
	suite_add_tcase(s, c);
	return tk_run(s);
}
