// SPDX-License-Identifier: Apache-2.0
/* Groups of parameters that are clipped apart: allocation of the noise, clusters, gradients of
 * single records, against closed forms and brute force. */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/data/catalogue.h"
#include "core/data/encode.h"
#include "generators/kit/groups.h"
#include "tests/support/testkit.h"

static iso_error err;

/* The optimal allocation against a search: no exchange of privacy between two groups lowers the
 * energy; and it is the formula s_j = z sqrt(c_j / sqrt(P_j) sum_k c_k sqrt(P_k)). */
START_TEST(allocation_is_optimal)
{
	static const size_t size[] = {10, 400, 90};
	static const double bound[] = {2, 0.5, 0.03};
	double sum = 0, spent = 0;
	iso_grouping g;
	tk_ok(iso_grouping_init(&g, 500, &err));
	g.n = 3;
	for (size_t j = 0; j < 3; j++) {
		g.size[j] = size[j];
		g.bound[j] = bound[j];
		sum += bound[j] * sqrt((double)size[j]);
	}
	iso_grouping_allocate(&g, ISO_ALLOCATE_EQUAL, 1.5);
	const double equal = iso_grouping_energy(&g);
	for (size_t j = 0; j < 3; j++) /* noise of z sqrt(L) c_j at z = 1 */
		tk_assert_close(1.5 / (double)g.scale[j], sqrt(3) * bound[j], 1e-6, 0);
	iso_grouping_allocate(&g, ISO_ALLOCATE_OPTIMAL, 1.5);
	const double best = iso_grouping_energy(&g);
	for (size_t j = 0; j < 3; j++) {
		const double s = sqrt(bound[j] / sqrt((double)size[j]) * sum);
		tk_assert_close(1.5 / (double)g.scale[j], s, 1e-6, 0);
		spent += bound[j] * bound[j] * (double)g.scale[j] * (double)g.scale[j];
	}
	tk_assert_close(spent, 1.5 * 1.5, 1e-6, 0);
	tk_assert_close(best, sum * sum / (1.5 * 1.5), 1e-6, 0);
	ck_assert(best < equal);
	for (int way = -1; way <= 1; way += 2) {
		iso_grouping other = g;
		const double shift = way * 0.01; /* of the privacy of group 0 to group 1 */
		const double a = (double)g.scale[0] * (double)g.scale[0] * (1 + shift);
		const double b = (double)g.scale[1] * (double)g.scale[1] -
				 bound[0] * bound[0] * (double)g.scale[0] * (double)g.scale[0] *
					 shift / (bound[1] * bound[1]);
		other.scale[0] = (float)sqrt(a);
		other.scale[1] = (float)sqrt(b);
		ck_assert(iso_grouping_energy(&other) > best);
	}
	iso_grouping_free(&g);
}
END_TEST

/* Coordinates of two sizes, a thousand times apart: two groups that are exactly those. */
START_TEST(coordinates_fall_into_their_sizes)
{
	double square[100];
	iso_grouping g;
	tk_ok(iso_grouping_init(&g, 100, &err));
	for (size_t k = 0; k < 100; k++)
		square[k] = k % 4 == 0 ? 4 : 4e-6;
	iso_grouping_coordinates(&g, square, 2);
	ck_assert_uint_eq(g.n, 2);
	for (size_t k = 0; k < 100; k++)
		ck_assert_uint_eq(g.of[k], g.of[k % 4 == 0 ? 0 : 1]);
	tk_assert_close(g.bound[g.of[0]], sqrt(25 * 4.0), 1e-12, 0);
	tk_assert_close(g.bound[g.of[1]], sqrt(75 * 4e-6), 1e-12, 0);
	/* noise energy against one clip at the same norm: (sum_j c_j sqrt P_j)^2 / (c^2 P) */
	iso_grouping_allocate(&g, ISO_ALLOCATE_OPTIMAL, 1);
	const double apart = iso_grouping_energy(&g), c2 = 25 * 4.0 + 75 * 4e-6;
	tk_assert_close(apart, pow(10 * 5 + sqrt(75 * 4e-6) * sqrt(75), 2), 1e-5, 0);
	ck_assert(apart < 0.26 * c2 * 100);
	/* nothing known: one group of all */
	memset(square, 0, sizeof square);
	iso_grouping_coordinates(&g, square, 5);
	ck_assert_uint_eq(g.n, 1);
	ck_assert_uint_eq(g.size[0], 100);
	iso_grouping_free(&g);
}
END_TEST

/* Clipped group by group, never longer than the planned bound, and undone exactly. */
START_TEST(groups_are_clipped_apart)
{
	float grad[] = {3, 4, 0.1f, 0, -0.2f, 30};
	double norm[ISO_GROUPS_MAX];
	iso_grouping g;
	tk_ok(iso_grouping_init(&g, 6, &err));
	g.n = 2;
	g.size[0] = 2;
	g.size[1] = 4;
	memset(g.of + 2, 1, 4);
	g.bound[0] = 1;
	g.bound[1] = 60;
	iso_grouping_allocate(&g, ISO_ALLOCATE_OPTIMAL, 2);
	const double got = iso_grouping_apply(&g, grad);
	ck_assert(got <= 4 * (1 + 1e-6));
	iso_grouping_undo(&g, grad);
	iso_grouping_norms(&g, grad, norm);
	tk_assert_close(norm[0], 1, 1e-6, 0);
	tk_assert_close(grad[0], 0.6, 1e-6, 0);
	tk_assert_close(grad[5], 30, 1e-6, 0);
	grad[3] = NAN;
	ck_assert(!(iso_grouping_apply(&g, grad) < INFINITY));
	iso_grouping_free(&g);
}
END_TEST

/* dp-GAN's weight clustering: bounds 1, 1.1, 8, 9 become two groups of root sums of squares. */
START_TEST(nearest_bounds_are_merged)
{
	static const double bound[] = {8, 1, 9, 1.1};
	iso_grouping g;
	tk_ok(iso_grouping_init(&g, 8, &err));
	g.n = 4;
	for (size_t j = 0; j < 4; j++) {
		g.bound[j] = bound[j];
		g.size[j] = 2;
		g.of[2 * j] = g.of[2 * j + 1] = (uint8_t)j;
	}
	iso_grouping_merge(&g, 2);
	ck_assert_uint_eq(g.n, 2);
	ck_assert_uint_eq(g.of[0], g.of[5]);
	ck_assert_uint_eq(g.of[2], g.of[7]);
	ck_assert_uint_ne(g.of[0], g.of[2]);
	tk_assert_close(g.bound[g.of[0]], sqrt(64 + 81), 1e-12, 0);
	tk_assert_close(g.bound[g.of[2]], sqrt(1 + 1.21), 1e-12, 0);
	iso_grouping_free(&g);
}
END_TEST

/* Noise energy of groups with the optimal allocation over that of one clip at the mean norm, equal
 * privacy, on simulated digits and a critic 784-128-1: at most .95 for tensors, .45 for eight
 * groups of coordinates. */
START_TEST(groups_save_noise_on_digits)
{
	enum { N = 64 };
	const iso_layer_spec layer[] = {iso_dense(128, ISO_ACT_LRELU),
					iso_dense(1, ISO_ACT_LINEAR)};
	cJSON *asked = cJSON_Parse("{\"rows\": 64}");
	iso_dataset *digits;
	iso_encoder *enc;
	iso_net *net;
	iso_ws *ws;
	iso_grouping tensor, coordinate;
	float *x;
	double whole = 0, norm[ISO_GROUPS_MAX], mean[2][ISO_GROUPS_MAX] = {{0}};
	tk_ok(iso_dataset_load("sim-digits", asked, &digits, &err));
	tk_ok(iso_encoder_new(digits->schema, ISO_ENC_FEATURES, &enc, &err));
	tk_ok(iso_encode_new(enc, digits->table, &x, &err));
	tk_ok(iso_net_new(layer, 2, iso_flat(enc->dim), &net, &err));
	iso_net_randomize(net, ISO_INIT_HE, iso_key_new(1, "net"));
	tk_ok(iso_ws_new(net, N, 0, &ws, &err));
	const size_t p = iso_net_params(net);
	float *const g = iso_alloc(N * p, sizeof *g);
	double *const square = iso_alloc(p, sizeof *square);
	iso_net_forward(net, ws, x, enc->dim, N, NULL);
	for (size_t r = 0; r < N; r++) /* of softplus(-out) */
		iso_ws_delta(ws)[r] = (float)(-1 / (1 + exp((double)iso_ws_out(ws)[r])));
	iso_net_backward(net, ws, 0, NULL, 0);
	for (size_t r = 0; r < N; r++) {
		double sum = 0;
		iso_net_record_grad(net, ws, 1, r, g + r * p);
		for (size_t k = 0; k < p; k++) {
			const double v = g[r * p + k];
			square[k] += v * v / N;
			sum += v * v;
		}
		whole += sqrt(sum) / N;
	}
	tk_ok(iso_grouping_init(&tensor, p, &err));
	tk_ok(iso_grouping_init(&coordinate, p, &err));
	tk_ok(iso_grouping_tensors(&tensor, net, 0, &err));
	iso_grouping_coordinates(&coordinate, square, 8);
	iso_grouping *const way[] = {&tensor, &coordinate};
	static const double most[] = {0.95, 0.45};
	for (int i = 0; i < 2; i++) {
		for (size_t r = 0; r < N; r++) {
			iso_grouping_norms(way[i], g + r * p, norm);
			for (size_t j = 0; j < way[i]->n; j++)
				mean[i][j] += norm[j] / N;
		}
		for (size_t j = 0; j < way[i]->n; j++)
			way[i]->bound[j] = mean[i][j] > 1e-9 ? mean[i][j] : 1e-9;
		iso_grouping_allocate(way[i], ISO_ALLOCATE_OPTIMAL, 1);
		const double share = iso_grouping_energy(way[i]) / (whole * whole * (double)p);
		ck_assert_msg(share <= most[i] && share > 0.05, "%zu groups: %.3f of one clip",
			      way[i]->n, share);
	}
	ck_assert_uint_eq(coordinate.n, 8);
	iso_grouping_free(&tensor);
	iso_grouping_free(&coordinate);
	iso_free(g);
	iso_free(square);
	iso_free(x);
	iso_ws_free(ws);
	iso_net_free(net);
	iso_encoder_free(enc);
	iso_dataset_free(digits);
	cJSON_Delete(asked);
}
END_TEST

/* A record's gradient alone is the row of the batch's: their sum is the batch's gradient. */
START_TEST(record_gradients_add_up)
{
	const iso_layer_spec layer[] = {iso_conv(3, 3, 1, 1, ISO_ACT_LRELU),
					iso_dense(1, ISO_ACT_LINEAR)};
	iso_net *net;
	iso_ws *ws;
	float x[6 * 16], sum[1000] = {0}, one[1000];
	tk_ok(iso_net_new(layer, 2, iso_image(4, 4, 1), &net, &err));
	iso_net_randomize(net, ISO_INIT_HE, iso_key_new(1, "net"));
	tk_ok(iso_ws_new(net, 6, 0, &ws, &err));
	iso_rand_fill_normal(iso_key_new(2, "x"), 0, 0, 1, x, 96);
	iso_net_forward(net, ws, x, 16, 6, NULL);
	for (size_t r = 0; r < 6; r++)
		iso_ws_delta(ws)[r] = (float)r - 2.5f;
	iso_net_backward(net, ws, 0, NULL, 0);
	for (size_t r = 0; r < 3; r++) { /* records of two rows */
		iso_net_record_grad(net, ws, 2, r, one);
		for (size_t k = 0; k < iso_net_params(net); k++)
			sum[k] += one[k];
	}
	iso_net_weight_grad(net, ws, NULL, 0, iso_net_grad(net));
	for (size_t k = 0; k < iso_net_params(net); k++)
		tk_assert_close(sum[k], iso_net_grad(net)[k], 1e-4, 1e-4);
	iso_ws_free(ws);
	iso_net_free(net);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("oracle/gen_gan_groups");
	TCase *c = tcase_create("core");
	tcase_set_timeout(c, 300);
	tcase_add_test(c, allocation_is_optimal);
	tcase_add_test(c, coordinates_fall_into_their_sizes);
	tcase_add_test(c, groups_are_clipped_apart);
	tcase_add_test(c, nearest_bounds_are_merged);
	tcase_add_test(c, groups_save_noise_on_digits);
	tcase_add_test(c, record_gradients_add_up);
	suite_add_tcase(s, c);
	return tk_run(s);
}
