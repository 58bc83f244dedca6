// SPDX-License-Identifier: Apache-2.0
/* core/learn/kmeans.c: clusters that are seen by eye, the best of all partitions of a line, and
 * Rand indices counted by hand. */
#include "core/learn/kmeans.h"

#include <string.h>

#include "tests/support/testkit.h"

static iso_error err;

/* Three heaps far apart: their means, and the squares around them. */
START_TEST(heaps)
{
	const float x[] = {0, 1, 2, 100, 101, 102, -50, -51, -52};
	iso_kmeans m;
	double sum = 0, d2;

	tk_ok(iso_kmeans_fit(x, 9, 1, 3, 3, iso_key_new(1, "k"), &m, &err));
	ck_assert_uint_eq(m.k, 3);
	for (size_t c = 0; c < 3; c++)
		sum += m.centre[c];
	tk_assert_close(sum, 1 + 101 - 51, 1e-12, 0);
	tk_assert_close(m.inertia, 6, 1e-12, 0);
	const float at = 99;
	tk_assert_close(m.centre[iso_kmeans_cell(&m, &at, &d2)], 101, 1e-12, 0);
	tk_assert_close(d2, 4, 1e-12, 0);
	iso_kmeans_free(&m);
	/* more centres than rows, and rows that are all alike */
	tk_ok(iso_kmeans_fit(x, 2, 1, 5, 1, iso_key_new(1, "k"), &m, &err));
	ck_assert_uint_eq(m.k, 2);
	tk_assert_close(m.inertia, 0, 0, 0);
	iso_kmeans_free(&m);
	const float same[] = {3, 3, 3, 3};
	tk_ok(iso_kmeans_fit(same, 4, 1, 3, 2, iso_key_new(1, "k"), &m, &err));
	ck_assert_uint_eq(m.k, 1);
	tk_assert_close(m.centre[0], 3, 0, 0);
	iso_kmeans_free(&m);
}
END_TEST

static double squares(const float *x, size_t from, size_t to)
{
	double mean = 0, s = 0;

	for (size_t i = from; i < to; i++)
		mean += (double)x[i] / (double)(to - from);
	for (size_t i = from; i < to; i++)
		s += ((double)x[i] - mean) * ((double)x[i] - mean);
	return s;
}

/* On a line the best partition into three is made of intervals: all of them are tried. */
START_TEST(best_on_a_line)
{
	for (uint64_t seed = 1; seed <= 10; seed++) {
		enum { N = 24 };
		float x[N];
		iso_stream s = iso_stream_new(iso_key_new(seed, "line"));
		double best = INFINITY;
		iso_kmeans m;

		for (size_t i = 0; i < N; i++)
			x[i] = (i ? x[i - 1] : 0) + (float)iso_next_u01(&s);
		for (size_t a = 1; a < N - 1; a++)
			for (size_t b = a + 1; b < N; b++)
				best = fmin(best,
					    squares(x, 0, a) + squares(x, a, b) + squares(x, b, N));
		tk_ok(iso_kmeans_fit(x, N, 1, 3, 200, iso_key_new(seed, "k"), &m, &err));
		tk_assert_close(m.inertia, best, 1e-9, 0);
		iso_kmeans_free(&m);
	}
}
END_TEST

/* Hubert and Arabie's formula by hand: cells (2,1 | 0,3): pairs 1+3 = 4, rows 3+3, columns 1+6, of
 * 15: expected 6*7/15 = 2.8, most 6.5. */
START_TEST(rand_index)
{
	const uint32_t a[] = {0, 0, 0, 1, 1, 1}, b[] = {0, 0, 1, 1, 1, 1},
		       turned[] = {1, 1, 1, 0, 0, 0}, one[6] = {0};

	tk_assert_close(iso_adjusted_rand(a, 2, b, 2, 6), (4 - 2.8) / (6.5 - 2.8), 1e-12, 0);
	tk_assert_close(iso_adjusted_rand(a, 2, a, 2, 6), 1, 0, 0);
	tk_assert_close(iso_adjusted_rand(a, 2, turned, 2, 6), 1, 0, 0);
	tk_assert_close(iso_adjusted_rand(a, 2, one, 1, 6), 0, 0, 1e-12);
	tk_assert_close(iso_adjusted_rand(one, 1, one, 1, 6), 1, 0, 0);
	ck_assert(isnan(iso_adjusted_rand(a, 2, b, 2, 1)));
}
END_TEST

START_TEST(memory)
{
	const float x[] = {0, 1, 2, 100, 101, 102};
	iso_kmeans m;

	for (uint64_t k = 1; k <= 6; k++) {
		iso_alloc_fail_after(k);
		const iso_status st = iso_kmeans_fit(x, 6, 1, 2, 1, iso_key_new(1, "k"), &m, &err);
		iso_alloc_fail_after(0);
		ck_assert(st == ISO_E_NOMEM);
		iso_error_clear(&err);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("k-means");
	TCase *t = tcase_create("k-means");

	tcase_add_test(t, heaps);
	tcase_add_test(t, best_on_a_line);
	tcase_add_test(t, rand_index);
	tcase_add_test(t, memory);
	suite_add_tcase(s, t);
	return tk_run(s);
}
