// SPDX-License-Identifier: Apache-2.0
/* The signed-rank test against R 4.2 (wilcox.test, psignrank), against all sign patterns, and the
 * smallest visible shift. */
#include <math.h>

#include "core/math/stats.h"
#include "tests/support/testkit.h"

static iso_error err;

static double p_of(const double *d, size_t n)
{
	iso_signed_rank_test t;

	tk_ok(iso_signed_rank(d, n, &t, &err));
	return t.p;
}

START_TEST(golden_values)
{
	/* wilcox.test(d, alternative = "greater", exact = TRUE) */
	static const double plain[] = {1.2, -.4, .9, 2.1, -.1, .7, 3, 1.5, .3, -.6},
			    /* all 256 sign patterns of the mid-ranks */
		ties[] = {1, 1, -1, 2, 2, 3, -2, 4};
	double many[100];

	tk_assert_close(p_of(plain, 10), 0.0244140625, 0, 0);
	tk_assert_close(p_of(ties, 8), 0.08203125, 0, 0);
	/* rank sum 3680 of 100: psignrank(3679, 100, lower.tail = FALSE) */
	for (int i = 0, left = 5050 - 3680; i < 100; i++) {
		const int rank = 100 - i, negative = rank <= left;

		many[i] = negative ? -rank : rank;
		left -= negative ? rank : 0;
	}
	tk_assert_close(p_of(many, 100), 2.5313632528699912e-05, 1e-12, 0);
}
END_TEST

START_TEST(edges)
{
	static const double same[] = {0, 0, 0}, worse[] = {0, 3, 1, 2, 0}, inf[] = {INFINITY, 1, 2},
			    better[] = {-1, -INFINITY};
	iso_signed_rank_test t;

	tk_assert_close(p_of(same, 3), 1, 0, 0);
	tk_assert_close(p_of(NULL, 0), 1, 0, 0);
	tk_ok(iso_signed_rank(worse, 5, &t, &err));
	ck_assert_uint_eq(t.n, 3);
	tk_assert_close(t.p, 0.125, 0, 0);
	tk_assert_close(t.least, 0.125, 0, 0);
	tk_assert_close(p_of(inf, 3), 0.125, 0, 0);
	tk_assert_close(p_of(better, 2), 1, 0, 0);
}
END_TEST

/* Above 100 differences the normal tail, which errs to the safe side: rank sum 3781 of 101 against
 * psignrank(3780, 101, lower.tail = FALSE). */
START_TEST(large_samples)
{
	const double exact = 1.5014873537739295e-05;
	double d[101], p;

	for (int i = 0, left = 5151 - 3781; i < 101; i++) {
		const int rank = 101 - i, negative = rank <= left;

		d[i] = negative ? -rank : rank;
		left -= negative ? rank : 0;
	}
	p = p_of(d, 101);
	ck_assert_msg(p >= exact && p <= 1.6 * exact, "%g", p);
}
END_TEST

/* Three differences -1, 0, 1 about their mean and level 1/8: all must be positive after the shift,
 * so it must exceed 1. With level 1/16 nothing is visible. */
START_TEST(visible_shift)
{
	static const double d[] = {4, 5, 6};
	double shift;

	tk_ok(iso_signed_rank_visible(d, 3, 0.125, &shift, &err));
	tk_assert_close(shift, 1, 1e-6, 0);
	tk_ok(iso_signed_rank_visible(d, 3, 0.0625, &shift, &err));
	ck_assert(isinf(shift));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("signed ranks");
	TCase *t = tcase_create("signed ranks");

	tcase_add_test(t, golden_values);
	tcase_add_test(t, edges);
	tcase_add_test(t, large_samples);
	tcase_add_test(t, visible_shift);
	suite_add_tcase(s, t);
	return tk_run(s);
}
