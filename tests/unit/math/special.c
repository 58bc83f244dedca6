// SPDX-License-Identifier: Apache-2.0
/* Special functions against 60-digit values (tests/data/special.json) and identities. */
#include "core/math/special.h"

#include "tests/support/testkit.h"

static double at(const cJSON *row, int i)
{
	return cJSON_GetArrayItem(row, i)->valuedouble;
}

static const cJSON *rows(const cJSON *golden, const char *name)
{
	const cJSON *r = cJSON_GetObjectItemCaseSensitive(
		cJSON_GetObjectItemCaseSensitive(golden, "records"), name);

	ck_assert_msg(cJSON_GetArraySize(r) > 5, "%s is missing", name);
	return r;
}

START_TEST(golden)
{
	cJSON *g = tk_golden("special.json");
	const cJSON *r;

	cJSON_ArrayForEach(r, rows(g, "log_ndtr"))
		tk_assert_close(iso_log_ndtr(at(r, 0)), at(r, 1), 1e-14, 0);
	cJSON_ArrayForEach(r, rows(g, "erfc"))
		tk_assert_close(iso_erfc(at(r, 0)), at(r, 1), 2e-15, 0);
	cJSON_ArrayForEach(r, rows(g, "lgamma"))
		tk_assert_close(iso_lgamma(at(r, 0)), at(r, 1), 1e-14, 5e-15);
	cJSON_ArrayForEach(r, rows(g, "norm_ppf"))
		tk_assert_close(iso_norm_ppf(at(r, 0)), at(r, 1), 1e-13, 0);
	cJSON_ArrayForEach(r, rows(g, "log_choose"))
		tk_assert_close(iso_log_choose(at(r, 0), at(r, 1)), at(r, 2), 1e-13, 0);
	cJSON_ArrayForEach(r, rows(g, "beta_inc"))
		tk_assert_close(iso_beta_inc(at(r, 0), at(r, 1), at(r, 2)), at(r, 3), 1e-12, 0);
	cJSON_ArrayForEach(r, rows(g, "gamma_inc_upper"))
		tk_assert_close(iso_gamma_inc_upper(at(r, 0), at(r, 1)), at(r, 2), 1e-12, 0);
	cJSON_ArrayForEach(r, rows(g, "binom_sf")) tk_assert_close(
		iso_binom_sf((uint64_t)at(r, 0), (uint64_t)at(r, 1), at(r, 2)), at(r, 3), 1e-12, 0);
	cJSON_Delete(g);
}
END_TEST

/* Accuracy over the whole axis against libm where libm is good. */
START_TEST(against_libm)
{
	for (double x = -8; x < 26; x += 0.0137)
		tk_assert_close(iso_erfc(x), erfc(x), 4e-15, 1e-305);
	for (double z = -37; z < 8; z += 0.0173)
		tk_assert_close(iso_norm_cdf(z), 0.5 * erfc(-z / sqrt(2)), 3e-13, 1e-305);
	for (double x = 0.01; x < 400; x *= 1.07)
		tk_assert_close(iso_lgamma(x), lgamma(x), 2e-15, 4e-15);
}
END_TEST

START_TEST(logarithms)
{
	const double x[] = {-1000, 3, -INFINITY, 2.5, 3};

	tk_assert_close(iso_log_add(700, 710), 710 + log1p(exp(-10)), 1e-15, 0);
	ck_assert(iso_log_add(-INFINITY, 4) == 4 && iso_log_add(4, -INFINITY) == 4);
	ck_assert(iso_log_add(-INFINITY, -INFINITY) == -INFINITY &&
		  iso_log_add(INFINITY, 1) == INFINITY);
	ck_assert(isnan(iso_log_add(NAN, 1)) && isnan(iso_log_sub(1, 2)) && isnan(iso_log1mexp(1)));
	tk_assert_close(iso_log_sub(3, 1), log(exp(3) - exp(1)), 1e-15, 0);
	ck_assert(iso_log_sub(3, 3) == -INFINITY && iso_log_sub(3, -INFINITY) == 3);
	tk_assert_close(iso_log1mexp(-1e-20), log(1e-20), 1e-14, 0);
	tk_assert_close(iso_log1mexp(-50), -exp(-50), 1e-14, 0);
	ck_assert(iso_log1mexp(0) == -INFINITY && iso_log1mexp(-INFINITY) == 0);
	tk_assert_close(iso_log_sum(x, 5), log(2 * exp(3) + exp(2.5)), 1e-15, 0);
	ck_assert(iso_log_sum(x, 0) == -INFINITY);
	ck_assert(iso_log_choose(3, 5) == -INFINITY && iso_log_choose(3, 0) == 0 &&
		  isnan(iso_log_choose(NAN, 1)));
}
END_TEST

START_TEST(inverses)
{
	for (double p = 1e-12; p < 1; p = p * 1.9 + 1e-13) {
		tk_assert_close(iso_norm_cdf(iso_norm_ppf(p)), p, 1e-12, 0);
		for (double a = 0.5; a < 2000; a *= 7)
			for (double b = 0.5; b < 2000; b *= 9)
				tk_assert_close(iso_beta_inc(a, b, iso_beta_ppf(a, b, p)), p, 1e-9,
						1e-300);
	}
	ck_assert(iso_norm_ppf(0) == -INFINITY && iso_norm_ppf(1) == INFINITY &&
		  iso_norm_ppf(0.5) == 0);
	ck_assert(isnan(iso_norm_ppf(-0.1)) && isnan(iso_norm_ppf(NAN)) &&
		  isnan(iso_beta_inc(0, 1, 0.5)));
	ck_assert(iso_beta_inc(2, 3, 0) == 0 && iso_beta_inc(2, 3, 1) == 1 &&
		  iso_beta_ppf(2, 3, 0) == 0);
	tk_assert_close(iso_chi2_sf(3.841458820694124, 1), 0.05, 1e-12, 0);
	ck_assert(iso_chi2_sf(-1, 3) == 1 && iso_chi2_sf(INFINITY, 3) == 0 &&
		  iso_binom_sf(0, 0, 0.2) == 1);
	ck_assert(iso_binom_sf(5, 4, 0.2) == 0 && isnan(iso_binom_sf(1, 4, 2)));
}
END_TEST

START_TEST(sums)
{
	iso_sum s = {0};

	iso_sum_add(&s, 1e100);
	for (int i = 0; i < 1000; i++)
		iso_sum_add(&s, 0.1);
	iso_sum_add(&s, -1e100);
	tk_assert_close(iso_sum_value(&s), 100, 1e-12, 0);
}
END_TEST

static double bowl(void *ctx, double x)
{
	(*(int *)ctx)++;
	return cosh(x - 1.25) - 0.1 * x;
}

static double cubic(void *ctx, double x)
{
	(*(int *)ctx)++;
	return x * x * x - 2;
}

static double step(void *ctx, double x)
{
	(void)ctx;
	return x < 0.3 ? -1 : x < 0.4 ? INFINITY : 1;
}

START_TEST(brent)
{
	int calls = 0;
	double f, x = iso_brent_min(bowl, &calls, -10, 20, 1e-9, &f);

	tk_assert_close(x, 1.25 + asinh(0.1), 1e-7, 0);
	tk_assert_close(f, cosh(asinh(0.1)) - 0.1 * (1.25 + asinh(0.1)), 1e-14, 0);
	ck_assert_int_lt(calls, 60);
	calls = 0;
	tk_assert_close(iso_brent_root(cubic, &calls, -5, 9, 1e-15), cbrt(2), 1e-14, 0);
	ck_assert_int_lt(calls, 40);
	ck_assert(isnan(iso_brent_root(cubic, &calls, 3, 9, 1e-15)));
	tk_assert_close(iso_brent_root(step, NULL, 0, 1, 1e-12), 0.3, 1e-10, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("special");
	TCase *t = tcase_create("special");

	tcase_add_test(t, golden);
	tcase_add_test(t, against_libm);
	tcase_add_test(t, logarithms);
	tcase_add_test(t, inverses);
	tcase_add_test(t, sums);
	tcase_add_test(t, brent);
	suite_add_tcase(s, t);
	return tk_run(s);
}
