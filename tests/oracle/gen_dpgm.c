// SPDX-License-Identifier: Apache-2.0
/* dpgm: features against the kernel, sums of k-means against brute force, the RBM's gradient
 * against the free energy, the bound of the joint vector, what the schemes cost. */
#include <string.h>

#include "generators/kit/experts.h"
#include "generators/kit/fourier_means.h"
#include "tests/oracle/gen_support.h"

static iso_error err;

static const char plane[] = "{\"name\":\"plane\",\"columns\":[{\"name\":\"x\",\"type\":"
			    "\"continuous\",\"bounds\":[0,1]},{\"name\":\"y\",\"type\":"
			    "\"continuous\",\"bounds\":[0,1]}]}";

static iso_encoder *encoder_of(const char *text, iso_schema **s)
{
	cJSON *v = cJSON_Parse(text);
	iso_encoder *e;
	tk_ok(iso_schema_from_json(v, "test", s, &err));
	cJSON_Delete(v);
	tk_ok(iso_encoder_new(*s, ISO_ENC_FEATURES | ISO_ENC_LABEL, &e, &err));
	return e;
}

/* Card, acceptance 1: norm 1, and phi(x) . phi(y) near the Gaussian kernel at D = 2,000 (standard
 * error at most sqrt(1/2000) = .022; .08 is 3.6 of them, over 200 pairs). */
START_TEST(features_are_the_kernel)
{
	iso_schema *s;
	iso_encoder *e = encoder_of(plane, &s);
	iso_means m;
	enum { D = 2000 };
	static double a[2 * D], b[2 * D];
	const double gamma = 0.4;
	tk_ok(iso_means_new(e, 3, D, gamma, iso_key_new(1, "rff"), &m, &err));
	for (uint64_t i = 0; i < 200; i++) {
		float x[2], y[2];
		double dot = 0, norm = 0;
		iso_rand_fill_uniform(iso_key_new(2, "x"), i, 0, 1, x, 2);
		iso_rand_fill_uniform(iso_key_new(2, "y"), i, 0, 1, y, 2);
		iso_means_features(&m, x, a);
		iso_means_features(&m, y, b);
		for (size_t j = 0; j < 2 * D; j++) {
			dot += a[j] * b[j];
			norm += a[j] * a[j];
		}
		const double dx = x[0] - y[0], dy = x[1] - y[1];
		tk_assert_close(norm, 1, 1e-12, 0);
		tk_assert_close(dot, exp(-(dx * dx + dy * dy) / (2 * gamma * gamma)), 0, 0.08);
	}
	iso_means_free(&m);
	iso_encoder_free(e);
	iso_schema_free(s);
}
END_TEST

#define ROWS 500

/* Five blobs. */
static void blobs(float *x, uint64_t *id)
{
	static const float mid[5][2] = {
		{.15f, .15f}, {.85f, .2f}, {.5f, .5f}, {.2f, .85f}, {.85f, .85f}};
	for (size_t i = 0; i < ROWS; i++) {
		float e[2];
		iso_rand_fill_normal(iso_key_new(5, "blob"), i, 0, 0.03f, e, 2);
		id[i] = i;
		x[2 * i] = mid[i % 5][0] + e[0];
		x[2 * i + 1] = mid[i % 5][1] + e[1];
	}
}

/* Without a ledger: one iteration against sums written out, the start given; and twelve iterations
 * find the blobs (every blob lies in one cluster). */
START_TEST(means_are_those_by_brute_force)
{
	static float x[2 * ROWS];
	static uint64_t id[ROWS];
	static uint32_t of[ROWS];
	iso_schema *s;
	iso_encoder *e = encoder_of(plane, &s);
	iso_means m;
	enum { D = 50, K = 8 };
	double start[K][2 * D], sum[K][2 * D] = {{0}}, count[K] = {0}, phi[2 * D];
	blobs(x, id);
	tk_ok(iso_means_new(e, K, D, 0.3, iso_key_new(3, "rff"), &m, &err));
	memcpy(start, m.centre, sizeof start);
	for (size_t i = 0; i < ROWS; i++) {
		size_t best = 0;
		double least = INFINITY;
		iso_means_features(&m, x + 2 * i, phi);
		for (size_t c = 0; c < K; c++) {
			double d = 0;
			for (size_t j = 0; j < 2 * D; j++)
				d += (phi[j] - start[c][j]) * (phi[j] - start[c][j]);
			if (d < least)
				least = d, best = c;
		}
		count[best]++;
		for (size_t j = 0; j < 2 * D; j++)
			sum[best][j] += phi[j];
	}
	tk_ok(iso_means_fit(&m, id, x, ROWS, NULL, (iso_entry){0}, 1, &err));
	for (size_t c = 0; c < K; c++) {
		tk_assert_close(m.count[c], fmax(count[c], 1), 1e-12, 0);
		for (size_t j = 0; j < 2 * D; j++)
			tk_assert_close(m.centre[c * 2 * D + j], sum[c][j] / fmax(count[c], 1),
					1e-9, 1e-12);
	}
	tk_ok(iso_means_fit(&m, id, x, ROWS, NULL, (iso_entry){0}, 12, &err));
	iso_means_drop(&m, 20);
	tk_ok(iso_means_assign(&m, x, ROWS, of, &err));
	for (size_t i = 0; i < ROWS; i++) {
		ck_assert(m.count[of[i]] > 0);
		for (size_t j = 0; j < i; j++)
			ck_assert(of[i] != of[j] || i % 5 == j % 5);
	}
	iso_means_free(&m);
	iso_encoder_free(e);
	iso_schema_free(s);
}
END_TEST

#define N 4
#define H 5

/* The gradient of a record is dF(v0) - dF(v1), v1 held: finite differences of the free energy,
 * itself against the sum over all 2^H hidden states. */
START_TEST(rbm_gradient_is_that_of_the_free_energy)
{
	iso_table *rows = fx_table(fx_schema(), N, 3);
	iso_encoder *e;
	iso_rbm m;
	iso_rbm_ws ws;
	float norm[N];
	const uint64_t id[N] = {3, 1, 4, 9};
	tk_ok(iso_encoder_new(fx_schema(), ISO_ENC_FEATURES | ISO_ENC_LABEL, &e, &err));
	tk_ok(iso_rbm_new(e, H, iso_key_new(4, "rbm"), &m, &err));
	iso_rand_fill_normal(iso_key_new(4, "theta"), 0, 0, 0.3f, m.theta, m.nparam);
	tk_ok(iso_rbm_ws_new(&m, N, &ws, &err));
	iso_encode(e, rows, NULL, N, ws.v0, e->dim);
	iso_rbm_phases(&ws, N, iso_key_new(6, "draw"), id);
	iso_rbm_norms2(&ws, norm);
	const size_t d = m.visible;
	float *v0 = iso_alloc(N * d, sizeof *v0), *v1 = iso_alloc(N * d, sizeof *v1),
	      *grad = iso_alloc(m.nparam, sizeof *grad);
	double *want = iso_alloc(N, m.nparam * sizeof *want), z = 0;
	memcpy(v0, ws.v0, N * d * sizeof *v0);
	memcpy(v1, ws.v1, N * d * sizeof *v1);
	for (unsigned h = 0; h < 1u << H; h++) { /* e^-F = sum_h e^(a v + b h + v W h) */
		double energy = 0;
		for (size_t i = 0; i < d; i++)
			energy += (double)m.theta[d * H + i] * v0[i];
		for (size_t k = 0; k < H; k++)
			for (size_t i = 0; h >> k & 1 && i <= d; i++)
				energy += i < d ? (double)v0[i] * m.theta[i * H + k]
						: m.theta[d * H + d + k];
		z += exp(energy);
	}
	tk_assert_close(iso_rbm_free_energy(&m, v0), -log(z), 1e-6, 0);
	for (size_t j = 0; j < m.nparam; j++) {
		const float keep = m.theta[j], step = 1e-3f;
		for (size_t r = 0; r < N; r++) {
			m.theta[j] = keep + step;
			const double up = iso_rbm_free_energy(&m, v0 + r * d) -
					  iso_rbm_free_energy(&m, v1 + r * d);
			const double above = m.theta[j];
			m.theta[j] = keep - step;
			const double down = iso_rbm_free_energy(&m, v0 + r * d) -
					    iso_rbm_free_energy(&m, v1 + r * d);
			want[r * m.nparam + j] = (up - down) / (above - m.theta[j]);
			m.theta[j] = keep;
		}
	}
	for (size_t r = 0; r < N; r++) {
		double n2 = 0;
		for (size_t j = 0; j < m.nparam; j++)
			n2 += want[r * m.nparam + j] * want[r * m.nparam + j];
		tk_assert_close(norm[r], n2, 1e-4, 0);
	}
	const float scale[N] = {1, 0, 0.5f, 2};
	iso_rbm_weighted_grad(&ws, scale, 0, grad);
	for (size_t j = 0; j < m.nparam; j++) {
		double sum = 0;
		for (size_t r = 0; r < N; r++)
			sum += (double)scale[r] * want[r * m.nparam + j];
		tk_assert_close(grad[j], sum, 1e-3, 1e-4);
	}
	iso_free(v0);
	iso_free(v1);
	iso_free(grad);
	iso_free(want);
	iso_rbm_ws_free(&ws);
	iso_rbm_free(&m);
	iso_encoder_free(e);
	iso_table_free(rows);
}
END_TEST

/* Experts as one source: the vector of each record alone has a norm of at most 1 and, where the
 * norm of its gradient is above C, one of exactly sqrt(a^2 + b^2 min(1, |g|/G)^2); it is zero
 * outside the block of its own expert; the vectors of all add up to that of the batch.  _i: fixed,
 * adaptive. */
START_TEST(one_record_moves_one_block_by_at_most_one)
{
	iso_table *rows = fx_table(fx_schema(), N, 3);
	iso_encoder *e;
	iso_rbm m[3];
	iso_experts x;
	const uint64_t id[N] = {3, 1, 4, 9};
	const uint32_t of[N] = {0, 2, 2, 1};
	tk_ok(iso_encoder_new(fx_schema(), ISO_ENC_FEATURES | ISO_ENC_LABEL, &e, &err));
	for (size_t c = 0; c < 3; c++) {
		tk_ok(iso_rbm_new(e, H, iso_key_new(c, "rbm"), &m[c], &err));
		iso_rand_fill_normal(iso_key_new(c, "t"), 0, 0, 0.3f, m[c].theta, m[c].nparam);
	}
	const iso_expert_nets nets = {NULL, m, 3, 1};
	tk_ok(iso_experts_init(&x, &nets, 0, 3, iso_bound_of(0.5, _i ? 4 : 0, 0.01, 3), N, 1e-3f,
			       iso_key_new(7, "draw"), &err));
	const iso_grad_source s = iso_experts_source(&x);
	ck_assert_uint_eq(s.nparam, 3 * m[0].nparam + (size_t)_i);
	tk_assert_close(x.bound.a * x.bound.a + x.bound.b * x.bound.b, 1, 1e-12, 0);
	tk_assert_close(x.bound.b, _i ? 1 / sqrt(10) : 0, 1e-12, 0);
	float *data, *grad = iso_alloc(s.nparam, sizeof *grad);
	double *sum = iso_alloc(s.nparam, sizeof *sum);
	tk_ok(iso_encode_new(e, rows, &data, &err));
	for (uint32_t r = 0; r < N; r++) {
		float norm2, scale;
		double total = 0, outside = 0;
		iso_experts_rows(&x, data, id, of, &r, 1, 0);
		ck_assert_uint_eq(s.rows(s.self), 1);
		s.norms2(s.self, 1, 0, &norm2);
		ck_assert(norm2 > 1); /* above C = .5: clipped */
		scale = 1 / sqrtf(norm2);
		s.weighted_grad(s.self, &scale, 0, grad);
		for (size_t j = 0; j < s.nparam; j++) {
			const int own = j / m[0].nparam == of[r] || j == 3 * m[0].nparam;
			total += (double)grad[j] * grad[j];
			outside += own ? 0 : fabs((double)grad[j]);
			sum[j] += grad[j];
		}
		const double share = fmin(1, 0.5 * sqrt((double)norm2) / 4);
		tk_assert_close(total, _i ? 0.9 + 0.1 * share * share : 1, 1e-4, 0);
		ck_assert(total <= 1);
		ck_assert(outside == 0);
	}
	const uint32_t all[N] = {0, 1, 2, 3};
	float norms[N];
	iso_experts_rows(&x, data, id, of, all, N, 0);
	s.norms2(s.self, 1, 0, norms);
	for (size_t r = 0; r < N; r++)
		norms[r] = 1 / sqrtf(norms[r]);
	s.weighted_grad(s.self, norms, 0, grad);
	for (size_t j = 0; j < s.nparam; j++)
		tk_assert_close(grad[j], sum[j], 1e-4, 1e-6);
	iso_free(data);
	iso_free(grad);
	iso_free(sum);
	iso_experts_deinit(&x);
	for (size_t c = 0; c < 3; c++)
		iso_rbm_free(&m[c]);
	iso_encoder_free(e);
	iso_table_free(rows);
}
END_TEST

/* scheme=joint costs what DP-SGD on the whole table costs (card, acceptance 4); apart and random
 * book each network's steps at B / n_j, and counting them at B / n would claim less than they cost.
 */
START_TEST(schemes_cost_what_they_cost)
{
	static const char *const options[] = {
		"clusters=3 epochs=2 batch=40 features=20 iterations=2 hidden=8 latent=2",
		"scheme=apart clusters=3 epochs=2 batch=40 features=20 iterations=2 hidden=8 "
		"latent=2",
		"scheme=random clusters=3 epochs=2 batch=40 features=20 iterations=2 hidden=8 "
		"latent=2"};
	iso_table *t = fx_table(fx_schema(), 800, 3);
	void *o;
	iso_training m = gen_train(gen_find("dpgm"), options[_i], t, 2, 0, NULL, &o);
	const iso_plan *items = iso_ledger_items(m.ledger);
	uint64_t steps = 0;
	for (size_t i = 0; i < items->n; i++) {
		const iso_plan_item *it = &items->v[i];
		if (strcmp(it->why, "expert-step") != 0)
			continue;
		steps += it->used;
		ck_assert_int_eq(it->adaptive, _i > 0);
		if (_i == 0)
			tk_assert_close(it->event.rate, 0.05, 1e-12, 0);
		else if (it->used)
			tk_assert_close(it->spent, it->event.epsilon, 1e-6, 0);
	}
	/* joint and random share out 2 / 0.05 = 40 steps; apart: 2 n_j / B_j each, at least 16, as
	 * B_j is at most n_j / 8 */
	ck_assert_msg(_i == 1	? steps >= 40 && steps <= 64
		      : _i == 0 ? steps == 40
				: steps <= 40,
		      "%d steps", (int)steps);
	const double order = 8, honest = 20 * iso_rdp_sgm(order, 40.0 / 400, 1.5),
		     claimed = 40 * iso_rdp_sgm(order, 40.0 / 800, 1.5);
	ck_assert_msg(claimed < 0.9 * honest, "half the steps at B/n_j: %g; all at B/n: %g", honest,
		      claimed);
	iso_training_free(&m);
	iso_free(o);
	iso_table_free(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("dpgm");
	TCase *c = tcase_create("dpgm");
	tcase_set_timeout(c, 120);
	tcase_add_test(c, features_are_the_kernel);
	tcase_add_test(c, means_are_those_by_brute_force);
	tcase_add_test(c, rbm_gradient_is_that_of_the_free_energy);
	tcase_add_loop_test(c, one_record_moves_one_block_by_at_most_one, 0, 2);
	tcase_add_loop_test(c, schemes_cost_what_they_cost, 0, 3);
	suite_add_tcase(s, c);
	return tk_run(s);
}
