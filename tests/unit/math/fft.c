// SPDX-License-Identifier: Apache-2.0
/* The real FFT against the naive DFT, and its errors. */
#include "core/math/fft.h"

#include "tests/support/testkit.h"

#include <string.h>

static double value(size_t i)
{
	return sin(1.7 * (double)i * (double)i + 0.3) + 0.25 * cos((double)i);
}

static void compare(size_t n)
{
	double *x = calloc(n, sizeof(*x)), *y = calloc(n, sizeof(*y)),
	       *re = calloc(n / 2 + 1, sizeof(*re));
	double *im = calloc(n / 2 + 1, sizeof(*im));
	iso_fft *f = NULL;
	iso_error err = {0};

	for (size_t i = 0; i < n; i++)
		x[i] = value(i);
	tk_ok(iso_fft_new(n, &f, &err));
	iso_fft_forward(f, x, re, im);
	for (size_t k = 0; k <= n / 2; k++) {
		long double a = 0, b = 0;

		for (size_t j = 0; j < n; j++) {
			const long double t = -2 * 3.14159265358979323846264338327950288L *
					      (long double)((k * j) % n) / (long double)n;

			a += x[j] * cosl(t);
			b += x[j] * sinl(t);
		}
		ck_assert_msg(
			fabs(re[k] - (double)a) < 2e-15 * (double)n &&
				fabs(im[k] - (double)b) < 2e-15 * (double)n,
			"length %zu, frequency %zu: (%.17g, %.17g), expected (%.17Lg, %.17Lg)", n,
			k, re[k], im[k], a, b);
	}
	iso_fft_inverse(f, re, im, y);
	for (size_t i = 0; i < n; i++)
		tk_assert_close(y[i], x[i], 0, 4e-15);
	iso_fft_free(f);
	free(x);
	free(y);
	free(re);
	free(im);
}

START_TEST(naive)
{
	const size_t n[] = {2,	 4,   6,   8,	10,  12,  16,	18,   20,   24,	 30,
			    32,	 36,  40,  50,	54,  60,  64,	90,   100,  128, 150,
			    162, 250, 256, 360, 512, 750, 1000, 1024, 1500, 2048};

	for (size_t i = 0; i < ISO_COUNT(n); i++)
		compare(n[i]);
}
END_TEST

/* A large transform: a delta gives a flat spectrum, and there and back is the identity. */
START_TEST(large)
{
	const size_t n = iso_fft_good_size(300000);
	double *x = calloc(n, sizeof(*x)), *re = calloc(n / 2 + 1, sizeof(*re)),
	       *im = calloc(n / 2 + 1, sizeof(*im));
	iso_fft *f = NULL;
	iso_error err = {0};

	x[5] = 1;
	tk_ok(iso_fft_new(n, &f, &err));
	iso_fft_forward(f, x, re, im);
	for (size_t k = 0; k <= n / 2; k++) {
		const double t = -2 * M_PI * 5 * (double)k / (double)n;

		tk_assert_close(re[k], cos(t), 0, 1e-14);
		tk_assert_close(im[k], sin(t), 0, 1e-14);
	}
	iso_fft_inverse(f, re, im, x);
	for (size_t i = 0; i < n; i++)
		tk_assert_close(x[i], i == 5, 0, 1e-14);
	iso_fft_free(f);
	free(x);
	free(re);
	free(im);
}
END_TEST

START_TEST(sizes)
{
	iso_fft *f = NULL;
	iso_error err = {0};

	ck_assert_uint_eq(iso_fft_good_size(0), 2);
	ck_assert_uint_eq(iso_fft_good_size(7), 8);
	ck_assert_uint_eq(iso_fft_good_size(11), 12);
	ck_assert_uint_eq(iso_fft_good_size(1025), 1080);
	for (size_t n = 1; n < 5000; n += 13) {
		size_t g = iso_fft_good_size(n), left = g;

		ck_assert(g >= n && g % 2 == 0 && g <= 2 * n + 2);
		for (size_t p = 2; p <= 5; p++)
			while (left % p == 0)
				left /= p;
		ck_assert_uint_eq(left, 1);
	}
	tk_fails(iso_fft_new(0, &f, &err), ISO_E_USAGE, "transform length");
	tk_fails(iso_fft_new(15, &f, &err), ISO_E_USAGE, "transform length");
	tk_fails(iso_fft_new(14, &f, &err), ISO_E_USAGE, "factor");
	for (uint64_t i = 1; i <= 9; i++) {
		iso_alloc_fail_after(i);
		tk_fails(iso_fft_new(64, &f, &err), ISO_E_NOMEM, "out of memory");
	}
	iso_alloc_fail_after(0);
	ck_assert_ptr_null(f);
	iso_fft_free(NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("fft");
	TCase *t = tcase_create("fft");

	tcase_add_test(t, naive);
	tcase_add_test(t, large);
	tcase_add_test(t, sizes);
	suite_add_tcase(s, t);
	return tk_run(s);
}
