// SPDX-License-Identifier: Apache-2.0
/* Losses against hand-computed values and against differences of themselves. */
#include "core/nn/loss.h"

#include <string.h>

#include "core/rand/rand.h"
#include "tests/support/testkit.h"

enum { N = 5, WIDTH = 6, LD = 8 };

static float out[N * LD], target[N * LD], d[N * LD], spare[N * LD];

static void fill(const iso_loss *l)
{
	const iso_key key = iso_key_new(3, "loss");
	iso_rand_fill_normal(key, 0, 0, 1, out, N * LD);
	iso_rand_fill_uniform(key, 1, 0, 1, target, N * LD);
	for (size_t i = 0; l == &iso_loss_cross_entropy && i < N; i++)
		for (size_t j = 0; j < WIDTH; j++)
			target[i * LD + j] = j == i % WIDTH;
	memset(d, 0, sizeof(d));
}

/* The summed loss is what d is the derivative of, and nothing outside the rows is written. */
START_TEST(test_differences)
{
	const iso_loss *const l = iso_losses[_i];
	fill(l);
	l->eval(N, WIDTH, out, LD, target, LD, d, LD);
	for (size_t i = 0; i < N; i++) {
		for (size_t j = 0; j < LD; j++) {
			const float keep = out[i * LD + j], step = 1e-3f;
			if (j >= WIDTH) {
				ck_assert(d[i * LD + j] == 0);
				continue;
			}
			out[i * LD + j] = keep + step;
			const double up = l->eval(N, WIDTH, out, LD, target, LD, spare, LD);
			const double wide = out[i * LD + j];
			out[i * LD + j] = keep - step;
			const double down = l->eval(N, WIDTH, out, LD, target, LD, spare, LD);
			const double width = wide - out[i * LD + j];
			out[i * LD + j] = keep;
			tk_assert_close(d[i * LD + j], (up - down) / width, 1e-3, 2e-4);
		}
	}
}
END_TEST

/* One row of targets for all. */
START_TEST(test_shared_target)
{
	const iso_loss *const l = iso_losses[_i];
	if (l->couples_rows)
		return;
	fill(l);
	for (size_t i = 1; i < N; i++)
		memcpy(target + i * LD, target, sizeof(float) * LD);
	const double each = l->eval(N, WIDTH, out, LD, target, LD, d, LD);
	ck_assert(l->eval(N, WIDTH, out, LD, target, 0, spare, LD) == each);
	for (size_t i = 0; i < N; i++)
		ck_assert(memcmp(spare + i * LD, d + i * LD, WIDTH * sizeof(float)) == 0);
}
END_TEST

START_TEST(test_values)
{
	const float one = 1, zero = 0, s[] = {-2, 0.25f, 3};
	float g[4];
	tk_assert_close(iso_loss_hinge.eval(3, 1, s, 1, &one, 0, g, 1), 3 + 0.75 + 0, 1e-9, 0);
	ck_assert(g[0] == -1 && g[1] == -1 && g[2] == 0);
	tk_assert_close(iso_loss_hinge.eval(3, 1, s, 1, &zero, 0, g, 1), 0 + 1.25 + 4, 1e-9, 0);
	ck_assert(g[0] == 0 && g[1] == 1 && g[2] == 1);
	tk_assert_close(iso_loss_wasserstein.eval(3, 1, s, 1, &one, 0, g, 1), -1.25, 1e-9, 0);
	ck_assert(g[0] == -1 && g[2] == -1);
	tk_assert_close(iso_loss_wasserstein.eval(3, 1, s, 1, &zero, 0, g, 1), 1.25, 1e-9, 0);
	ck_assert(g[0] == 1 && g[2] == 1);
	tk_assert_close(iso_loss_bce.eval(3, 1, s, 1, &one, 0, g, 1),
			2.1269280110429727 + 0.5759394198788437 + 0.04858735157374206, 1e-6, 0);
	tk_assert_close(iso_loss_mse.eval(3, 1, s, 1, &one, 0, g, 1), 9 + 0.5625 + 4, 1e-7, 0);
	/* N(0.5; mean -2, variance e^0.25) */
	const float x = 0.5f, gauss[] = {-2, 0.25f};
	tk_assert_close(iso_loss_gaussian_nll.eval(1, 2, gauss, 2, &x, 1, g, 2),
			0.5 * (1.8378770664093454 + 0.25 + 6.25 * 0.7788007830714049), 1e-9, 0);
	tk_assert_close(iso_loss_kl.eval(1, 2, gauss, 2, NULL, 0, g, 2),
			0.5 * (1.2840254166877414 + 4 - 1 - 0.25), 1e-9, 0);
	/* 3 + log(1 + e^-2.75 + e^-5) - 0.25 */
	const float middle[] = {0, 1, 0};
	tk_assert_close(iso_loss_cross_entropy.eval(1, 3, s, 3, middle, 3, g, 3), 2.818280707, 1e-5,
			0);
	/* two points at distance^2 4 in one dimension: 2 (k(0) - k(4)), k(0) = 3 */
	const float p[] = {0}, q[] = {2};
	tk_assert_close(iso_loss_mmd.eval(1, 1, p, 1, q, 1, g, 1),
			2 * (3 - (3.3546262790251185e-4 + 0.1353352832366127 + 0.6065306597126334)),
			1e-9, 0);
	tk_assert_close(iso_loss_mmd.eval(N, WIDTH, out, LD, out, LD, d, LD), 0, 0, 1e-12);
}
END_TEST

/* NaN is not hidden: a poisoned record must not look harmless. */
START_TEST(test_nan)
{
	const float one[] = {1, 1}, pair[] = {NAN, NAN};
	float g[2];
	for (size_t l = 0; l < iso_loss_count; l++) {
		const int critic = iso_losses[l] == &iso_loss_wasserstein;
		const double v = iso_losses[l]->eval(1, 2, pair, 2, one, 2, g, 2);
		ck_assert_msg(isnan(v) && (critic || isnan(g[0])), "%s hides NaN",
			      iso_losses[l]->name);
	}
}
END_TEST

int main(void)
{
	const int n = (int)iso_loss_count;
	Suite *s = suite_create("nn/loss");
	TCase *c = tcase_create("losses");
	tcase_add_loop_test(c, test_differences, 0, n);
	tcase_add_loop_test(c, test_shared_target, 0, n);
	tcase_add_test(c, test_values);
	tcase_add_test(c, test_nan);
	suite_add_tcase(s, c);
	return tk_run(s);
}
