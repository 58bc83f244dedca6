// SPDX-License-Identifier: Apache-2.0
/* Networks against a naive double-precision twin, finite differences, and per-example gradients of
 * batches of one. */
#include "core/nn/layer.h"

#include <string.h>

#include "core/math/vmath.h"
#include "tests/support/testkit.h"

enum { MAX_P = 20000, MAX_ROWS = 40, MAX_IN = 64 };

static const struct shape {
	size_t nlayer, sizes[5];
	iso_act act[4];
} shapes[] = {
	{1, {3, 1}, {ISO_ACT_LINEAR}},
	{2, {7, 5, 1}, {ISO_ACT_LRELU, ISO_ACT_LINEAR}},
	{2, {33, 19, 17}, {ISO_ACT_TANH, ISO_ACT_SIGMOID}},
	{4, {20, 16, 3, 18, 20}, {ISO_ACT_RELU, ISO_ACT_TANH, ISO_ACT_LRELU, ISO_ACT_SIGMOID}},
	{3, {1, 64, 40, 2}, {ISO_ACT_SIGMOID, ISO_ACT_RELU, ISO_ACT_LINEAR}},
};

static float x[MAX_ROWS * MAX_IN], target[MAX_ROWS * MAX_IN];

static float *bias_of(const iso_net *net, size_t l)
{
	const iso_layer *const y = iso_net_layer(net, l);
	return iso_net_theta(net) + y->first + y->tensor[1].at;
}

static void setup(const struct shape *s, size_t rows, int norms, iso_net **out, iso_ws **ws)
{
	iso_error err = {0};
	const iso_key key = iso_key_new(3, "net");
	tk_ok(iso_net_new_dense(s->nlayer, s->sizes, s->act, out, &err));
	iso_net *const net = *out;
	ck_assert_uint_lt(iso_net_params(net), MAX_P);
	iso_net_randomize(net, ISO_INIT_GLOROT, key);
	for (size_t l = 0; l < s->nlayer; l++) /* biases that matter */
		iso_rand_fill_normal(key, l, 0, 0.3f, bias_of(net, l), s->sizes[l + 1]);
	tk_ok(iso_ws_new(net, rows, norms, ws, &err));
	iso_rand_fill_normal(key, 100, 0, 1, x, ISO_COUNT(x));
	iso_rand_fill_uniform(key, 101, 0, 1, target, ISO_COUNT(target));
}

static void teardown(iso_net *net, iso_ws *ws)
{
	iso_ws_free(ws);
	iso_net_free(net);
}

/* Loss of the tests: sum of w_i (h - target)^2 / 2, so dLoss/dh = w_i (h - target). */
static double row_weight(size_t i)
{
	return 0.5 + 0.25 * (double)(i % 5);
}

/* ---- the naive twin, in double ---- */

static double act_double(iso_act act, double s)
{
	switch (act) {
	case ISO_ACT_RELU:
		return s > 0 ? s : 0;
	case ISO_ACT_LRELU:
		return s > 0 ? s : (double)ISO_LRELU_SLOPE * s;
	case ISO_ACT_TANH:
		return tanh(s);
	case ISO_ACT_SIGMOID:
		return 1 / (1 + exp(-s));
	default:
		return s;
	}
}

static double deriv_double(iso_act act, double s)
{
	const double h = act_double(act, s);
	switch (act) {
	case ISO_ACT_RELU:
		return s > 0;
	case ISO_ACT_LRELU:
		return s > 0 ? 1 : (double)ISO_LRELU_SLOPE;
	case ISO_ACT_TANH:
		return 1 - h * h;
	case ISO_ACT_SIGMOID:
		return h * (1 - h);
	default:
		return 1;
	}
}

static double pre[5][MAX_IN], hid[5][MAX_IN], del[5][MAX_IN];

/* One row: its loss; grad [P] += scale dLoss/dtheta, dx [in] = dLoss/dx when not NULL. */
static double naive_row(const iso_net *net, const double *theta, const float *row,
			const float *want, double weight, double scale, double *grad, double *dx)
{
	const size_t last = iso_net_layers(net) - 1;
	for (size_t k = 0; k < iso_net_in(net); k++)
		hid[0][k] = row[k];
	for (size_t l = 0; l <= last; l++) {
		const iso_layer *const y = iso_net_layer(net, l);
		for (size_t j = 0; j < y->nout; j++) {
			double s = theta[y->first + y->tensor[1].at + j];
			for (size_t k = 0; k < y->nin; k++)
				s += hid[l][k] * theta[y->first + k * y->nout + j];
			pre[l][j] = s;
			hid[l + 1][j] = act_double(y->act, s);
		}
	}
	double loss = 0;
	for (size_t j = 0; j < iso_net_out(net); j++) {
		const double e = hid[last + 1][j] - want[j];
		loss += 0.5 * weight * e * e;
		del[last][j] =
			weight * e * deriv_double(iso_net_layer(net, last)->act, pre[last][j]);
	}
	for (size_t l = last + 1; grad && l-- > 0;) {
		const iso_layer *const y = iso_net_layer(net, l);
		for (size_t j = 0; j < y->nout; j++)
			grad[y->first + y->tensor[1].at + j] += scale * del[l][j];
		for (size_t k = 0; k < y->nin; k++) {
			double back = 0;
			for (size_t j = 0; j < y->nout; j++) {
				grad[y->first + k * y->nout + j] += scale * hid[l][k] * del[l][j];
				back += del[l][j] * theta[y->first + k * y->nout + j];
			}
			if (l)
				del[l - 1][k] = back * deriv_double(iso_net_layer(net, l - 1)->act,
								    pre[l - 1][k]);
			else if (dx)
				dx[k] = back;
		}
	}
	return loss;
}

static double theta64[MAX_P], grad64[MAX_P];

static void widen(const iso_net *net)
{
	for (size_t p = 0; p < iso_net_params(net); p++)
		theta64[p] = iso_net_theta(net)[p];
}

/* Forward and backward of `rows` rows from row `first` on. */
static void run(const iso_net *net, iso_ws *ws, size_t first, size_t rows, float *dx)
{
	const size_t in = iso_net_in(net), out = iso_net_out(net);
	iso_net_forward(net, ws, x + first * in, in, rows, NULL);
	for (size_t i = 0; i < rows; i++)
		for (size_t j = 0; j < out; j++)
			iso_ws_delta(ws)[i * out + j] =
				(float)row_weight(first + i) *
				(iso_ws_out(ws)[i * out + j] - target[(first + i) * out + j]);
	iso_net_backward(net, ws, 1, dx, in);
}

static double norm2_of(const double *v, size_t n)
{
	double sum = 0;
	for (size_t p = 0; p < n; p++)
		sum += v[p] * v[p];
	return sum;
}

/* ---- tests ---- */

START_TEST(test_gradients)
{
	const struct shape *const s = &shapes[_i];
	enum { ROWS = 37 };
	iso_net *net;
	iso_ws *ws;
	setup(s, ROWS, 0, &net, &ws);
	widen(net);
	static float scale[ROWS], dx[ROWS * MAX_IN];
	static double dx64[MAX_IN];
	const size_t in = iso_net_in(net), out = iso_net_out(net);
	for (size_t i = 0; i < ROWS; i++)
		scale[i] = i % 7 == 3 ? 0 : 0.1f * (float)(i + 1);
	run(net, ws, 0, ROWS, dx);
	memset(grad64, 0, sizeof(grad64));
	for (size_t i = 0; i < ROWS; i++) {
		naive_row(net, theta64, x + i * in, target + i * out, row_weight(i), scale[i],
			  grad64, dx64);
		for (size_t j = 0; j < out; j++)
			tk_assert_close(iso_ws_out(ws)[i * out + j], hid[iso_net_layers(net)][j],
					3e-6, 1e-6);
		for (size_t k = 0; k < in; k++)
			tk_assert_close(dx[i * in + k], dx64[k], 1e-4, 2e-6);
	}
	memset(iso_net_grad(net), 0xff,
	       iso_net_params(net) * sizeof(float)); /* NaN: beta = 0 must not read it */
	iso_net_weight_grad(net, ws, scale, 0, iso_net_grad(net));
	const double tol = 3e-6 * sqrt(norm2_of(grad64, iso_net_params(net)));
	for (size_t p = 0; p < iso_net_params(net); p++)
		ck_assert_msg(tk_close(iso_net_grad(net)[p], grad64[p], 1e-5, tol),
			      "parameter %zu: %g, want %g", p, iso_net_grad(net)[p], grad64[p]);
	teardown(net, ws);
}
END_TEST

/* The twin itself: central differences of its loss. */
START_TEST(test_finite_differences)
{
	const struct shape *const s = &shapes[_i];
	iso_net *net;
	iso_ws *ws;
	setup(s, 1, 0, &net, &ws);
	widen(net);
	memset(grad64, 0, sizeof(grad64));
	naive_row(net, theta64, x, target, 1.5, 1, grad64, NULL);
	for (size_t p = 0; p < iso_net_params(net); p += 1 + iso_net_params(net) / 60) {
		const double keep = theta64[p], h = 1e-5;
		theta64[p] = keep + h;
		const double up = naive_row(net, theta64, x, target, 1.5, 1, NULL, NULL);
		theta64[p] = keep - h;
		const double down = naive_row(net, theta64, x, target, 1.5, 1, NULL, NULL);
		theta64[p] = keep;
		tk_assert_close(grad64[p], (up - down) / (2 * h), 1e-5, 1e-8);
	}
	teardown(net, ws);
}
END_TEST

/* Ghost norms against materialised gradients, for records of 1, 2 and 3 rows: close, and never
 * below. */
START_TEST(test_ghost_norms)
{
	const struct shape *const s = &shapes[_i];
	enum { ROWS = 36 };
	iso_net *net;
	iso_ws *ws;
	setup(s, ROWS, 1, &net, &ws);
	widen(net);
	const size_t in = iso_net_in(net), out = iso_net_out(net);
	static float norm2[ROWS];
	run(net, ws, 0, ROWS, NULL);
	for (size_t m = 1; m <= 3; m++) {
		for (int beta = 0; beta < 2; beta++) {
			for (size_t r = 0; r < ROWS / m; r++)
				norm2[r] = beta ? 2.5f : NAN;
			iso_net_grad_norms2(net, ws, m, beta, norm2);
			for (size_t r = 0; r < ROWS / m; r++) {
				memset(grad64, 0, sizeof(grad64));
				for (size_t i = r * m; i < (r + 1) * m; i++)
					naive_row(net, theta64, x + i * in, target + i * out,
						  row_weight(i), 1, grad64, NULL);
				const double want =
					norm2_of(grad64, iso_net_params(net)) + (beta ? 2.5 : 0);
				tk_assert_close(norm2[r], want, 5e-5, 1e-9);
			}
		}
	}
	/* never below, given the same activations and deltas: exact sums of products of the floats
	 * at hand */
	iso_net_grad_norms2(net, ws, 1, 0, norm2);
	for (size_t i = 0; i < ROWS; i++) {
		double exact = 0;
		for (size_t l = 0; l < iso_net_layers(net); l++) {
			const iso_layer *const y = iso_net_layer(net, l);
			const float *const a =
				l ? iso_ws_pass(ws, l - 1)->h + i * y->nin : x + i * in;
			double aa = 1, dd = 0;
			for (size_t k = 0; k < y->nin; k++)
				aa += (double)a[k] * a[k];
			for (size_t j = 0; j < y->nout; j++)
				dd += (double)iso_ws_pass(ws, l)->d[i * y->nout + j] *
				      iso_ws_pass(ws, l)->d[i * y->nout + j];
			exact += aa * dd;
		}
		ck_assert_double_ge(norm2[i], exact);
		ck_assert_double_le(norm2[i], exact * (1 + 3e-5));
	}
	teardown(net, ws);
}
END_TEST

/* Two rows that nearly cancel: the norm is small beside its terms and the bound must carry their
 * rounding. */
START_TEST(test_ghost_norm_cancels)
{
	const struct shape *const s = &shapes[2];
	iso_net *net;
	iso_ws *ws;
	setup(s, 2, 1, &net, &ws);
	const size_t in = iso_net_in(net);
	for (size_t k = 0; k < in; k++)
		x[in + k] = x[k] * (1 + 1e-6f);
	run(net, ws, 0, 2, NULL);
	float norm2;
	double exact = 0, terms = 0;
	for (size_t l = 0; l < iso_net_layers(net); l++) { /* opposite deltas */
		const iso_layer *const y = iso_net_layer(net, l);
		const float *const a = l ? iso_ws_pass(ws, l - 1)->h : x;
		for (size_t j = 0; j < y->nout; j++)
			iso_ws_pass(ws, l)->d[y->nout + j] = -iso_ws_pass(ws, l)->d[j];
		iso_row_norms2(2, y->nout, iso_ws_pass(ws, l)->d, y->nout, 0,
			       iso_ws_pass(ws, l)->d2);
		double dd = 0, aa = 0, da = 0;
		for (size_t j = 0; j < y->nout; j++)
			dd += (double)iso_ws_pass(ws, l)->d[j] * iso_ws_pass(ws, l)->d[j];
		for (size_t k = 0; k < y->nin; k++) {
			aa += (double)a[k] * a[k];
			da += ((double)a[k] - a[y->nin + k]) * ((double)a[k] - a[y->nin + k]);
		}
		exact += dd * da;
		terms += dd * (aa + 1);
	}
	iso_net_grad_norms2(net, ws, 2, 0, &norm2);
	ck_assert_double_lt(exact, 1e-6 * terms);
	ck_assert_double_ge(norm2, exact);
	ck_assert_double_lt(norm2, exact + 1e-4 * terms);
	teardown(net, ws);
}
END_TEST

/* Rows do not see one another: each row's activations, deltas and norm alone equal those in a
 * batch, bit for bit. */
START_TEST(test_rows_independent)
{
	const struct shape *const s = &shapes[_i];
	enum { ROWS = 23 };
	iso_net *net;
	iso_ws *ws, *one;
	iso_error err = {0};
	setup(s, ROWS, 1, &net, &ws);
	tk_ok(iso_ws_new(net, 1, 1, &one, &err));
	run(net, ws, 0, ROWS, NULL);
	static float norm2[ROWS];
	iso_net_grad_norms2(net, ws, 1, 0, norm2);
	for (size_t i = 0; i < ROWS; i++) {
		float alone;
		run(net, one, i, 1, NULL);
		iso_net_grad_norms2(net, one, 1, 0, &alone);
		ck_assert(alone == norm2[i]);
		for (size_t l = 0; l < iso_net_layers(net); l++) {
			const size_t out = iso_net_layer(net, l)->nout;
			ck_assert(memcmp(iso_ws_pass(one, l)->h, iso_ws_pass(ws, l)->h + i * out,
					 out * sizeof(float)) == 0);
			ck_assert(memcmp(iso_ws_pass(one, l)->d, iso_ws_pass(ws, l)->d + i * out,
					 out * sizeof(float)) == 0);
			ck_assert(iso_ws_pass(one, l)->a2[0] == iso_ws_pass(ws, l)->a2[i] &&
				  iso_ws_pass(one, l)->d2[0] == iso_ws_pass(ws, l)->d2[i]);
		}
	}
	iso_ws_free(one);
	teardown(net, ws);
}
END_TEST

/* A row with scale 0 is as if it were not there, even when it holds NaN; pieces of a batch add up
 * to the same bits. */
START_TEST(test_weight_grad_pieces)
{
	const struct shape *const s = &shapes[_i];
	enum { ROWS = 20 };
	iso_net *net;
	iso_ws *ws;
	setup(s, ROWS, 1, &net, &ws);
	const size_t in = iso_net_in(net), out = iso_net_out(net);
	static float whole[MAX_P], scale[ROWS];
	for (size_t i = 0; i < ROWS; i++)
		scale[i] = 0.3f + 0.01f * (float)i;
	run(net, ws, 0, ROWS, NULL);
	iso_net_weight_grad(net, ws, scale, 0, iso_net_grad(net));
	memcpy(whole, iso_net_grad(net), iso_net_params(net) * sizeof(float));
	run(net, ws, 0, 7, NULL);
	iso_net_weight_grad(net, ws, scale, 0, iso_net_grad(net));
	run(net, ws, 7, ROWS - 7, NULL);
	iso_net_weight_grad(net, ws, scale + 7, 1, iso_net_grad(net));
	ck_assert(memcmp(whole, iso_net_grad(net), iso_net_params(net) * sizeof(float)) == 0);
	/* now put a poisoned row between: rows 0-9, NaN, rows 10-18 */
	run(net, ws, 0, 10, NULL);
	iso_net_weight_grad(net, ws, scale, 0, iso_net_grad(net));
	run(net, ws, 11, 9, NULL);
	iso_net_weight_grad(net, ws, scale + 11, 1, iso_net_grad(net));
	memcpy(whole, iso_net_grad(net), iso_net_params(net) * sizeof(float));
	for (size_t k = 0; k < in; k++)
		x[10 * in + k] = k % 2 ? NAN : INFINITY;
	for (size_t j = 0; j < out; j++)
		target[10 * out + j] = NAN;
	run(net, ws, 0, ROWS, NULL);
	static float norm2[ROWS];
	iso_net_grad_norms2(net, ws, 1, 0, norm2);
	for (size_t i = 0; i < ROWS; i++)
		ck_assert_int_eq(isfinite(norm2[i]), i != 10);
	scale[10] = 0;
	iso_net_weight_grad(net, ws, scale, 0, iso_net_grad(net));
	ck_assert(memcmp(whole, iso_net_grad(net), iso_net_params(net) * sizeof(float)) == 0);
	/* nothing left at all */
	memset(scale, 0, sizeof(scale));
	iso_net_weight_grad(net, ws, scale, 0, iso_net_grad(net));
	for (size_t p = 0; p < iso_net_params(net); p++)
		ck_assert(iso_net_grad(net)[p] == 0);
	teardown(net, ws);
}
END_TEST

START_TEST(test_known_input_norms)
{
	iso_net *net;
	iso_ws *ws;
	setup(&shapes[3], 8, 1, &net, &ws);
	const float given[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	iso_net_forward(net, ws, x, iso_net_in(net), 8, given);
	ck_assert(memcmp(iso_ws_pass(ws, 0)->a2, given, sizeof(given)) == 0);
	iso_net_forward(net, ws, x, iso_net_in(net), 0, NULL); /* no rows at all */
	iso_net_backward(net, ws, 0, NULL, 0);
	iso_net_weight_grad(net, ws, NULL, 0, iso_net_grad(net));
	for (size_t p = 0; p < iso_net_params(net); p++)
		ck_assert(iso_net_grad(net)[p] == 0);
	teardown(net, ws);
}
END_TEST

START_TEST(test_initialisation)
{
	iso_error err = {0};
	iso_net *a, *b;
	const size_t sizes[] = {200, 100, 10};
	const iso_act act[] = {ISO_ACT_RELU, ISO_ACT_LINEAR};
	tk_ok(iso_net_new_dense(2, sizes, act, &a, &err));
	tk_ok(iso_net_new_dense(2, sizes, act, &b, &err));
	ck_assert_uint_eq(iso_net_params(a), 200 * 100 + 100 + 100 * 10 + 10);
	static const double sd[] = {0.1, 0.0816496580927726, 0.1}; /* of layer 0, by iso_init */
	for (int how = 0; how < 3; how++) {
		iso_net_randomize(a, (iso_init)how, iso_key_new(1, "i"));
		iso_net_randomize(b, (iso_init)how, iso_key_new(1, "i"));
		ck_assert(memcmp(iso_net_theta(a), iso_net_theta(b),
				 iso_net_params(a) * sizeof(float)) == 0);
		double m2 = 0;
		for (size_t p = 0; p < 20000; p++)
			m2 += (double)iso_net_theta(a)[p] * iso_net_theta(a)[p];
		tk_assert_close(sqrt(m2 / 20000), sd[how], 0.03, 0);
		ck_assert(iso_net_theta(a)[200 * 100] == 0 &&
			  iso_net_theta(a)[iso_net_params(a) - 1] == 0);
	}
	iso_net_free(a);
	iso_net_free(b);
	tk_fails(iso_net_new_dense(0, sizes, act, &a, &err), ISO_E_CONFIG, "layers");
	const size_t empty[] = {200, 0, 10};
	tk_fails(iso_net_new_dense(2, empty, act, &a, &err), ISO_E_CONFIG, "layer 0");
	for (uint64_t n = 1; n <= 4; n++) {
		iso_alloc_fail_after(n);
		tk_fails(iso_net_new_dense(2, sizes, act, &a, &err), ISO_E_NOMEM, "");
	}
	tk_ok(iso_net_new_dense(2, sizes, act, &a, &err));
	for (uint64_t n = 1; n <= 10; n++) {
		iso_ws *ws;
		iso_alloc_fail_after(n);
		tk_fails(iso_ws_new(a, 5, 1, &ws, &err), ISO_E_NOMEM, "");
	}
	iso_net_free(a);
}
END_TEST

START_TEST(test_bce)
{
	static const float z[] = {-200, -30, -3, -0.5f, 0, 0.7f, 4, 50, 200};
	enum { N = 9 };
	for (int t = 0; t < 2; t++) {
		float logits[2 * N * 20], d[3 * N * 20];
		double want = 0;
		for (size_t i = 0; i < N * 20; i++) {
			logits[2 * i] = z[i % N];
			const double v = t ? -z[i % N] : z[i % N]; /* -log sigmoid(-v) */
			want += fmax(v, 0) + log1p(exp(-fabs(v)));
		}
		tk_assert_close(iso_loss_bce_logits(logits, 2, N * 20, (float)t, d, 3), want, 1e-6,
				0);
		for (size_t i = 0; i < N * 20; i++)
			tk_assert_close(d[3 * i], 1 / (1 + exp(-(double)z[i % N])) - t, 3e-7, 1e-7);
	}
}
END_TEST

int main(void)
{
	const int n = (int)ISO_COUNT(shapes);
	Suite *s = suite_create("nn/net");
	TCase *c = tcase_create("net");
	tcase_add_loop_test(c, test_finite_differences, 0, n);
	tcase_add_loop_test(c, test_gradients, 0, n);
	tcase_add_loop_test(c, test_ghost_norms, 0, n);
	tcase_add_test(c, test_ghost_norm_cancels);
	tcase_add_loop_test(c, test_rows_independent, 0, n);
	tcase_add_loop_test(c, test_weight_grad_pieces, 0, n);
	tcase_add_test(c, test_known_input_norms);
	tcase_add_test(c, test_initialisation);
	tcase_add_test(c, test_bce);
	suite_add_tcase(s, c);
	return tk_run(s);
}
