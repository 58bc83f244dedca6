// SPDX-License-Identifier: Apache-2.0
/* pmse and c2st: scikit-learn's numbers, closed forms under the null, rows that are told apart by
 * their digits alone. */
#include <string.h>

#include "core/rand/rand.h"
#include "tests/oracle/metric_support.h"

START_TEST(pmse_golden)
{
	ms_small m = ms_small_new();
	const ms_result r = ms_measure("pmse", NULL, m.real, m.real, m.synthetic);

	tk_assert_close(ms_value(&r, "pmse"), tk_number(m.golden, "pmse_unpenalised"), 1e-5, 0);
	tk_assert_close(ms_value(&r, "ratio"), tk_number(m.golden, "pmse_ratio_two_sample"), 1e-5,
			0);
	tk_assert_close(ms_value(&r, "ratio_fitted"), tk_number(m.golden, "pmse_ratio"), 1e-5, 0);
	const double mean = tk_number(m.golden, "pmse_null_mean_independent_two_sample"),
		     sd = tk_number(m.golden, "pmse_null_sd_independent_two_sample");
	tk_assert_close(ms_value(&r, "z"), (tk_number(m.golden, "pmse_unpenalised") - mean) / sd,
			1e-4, 0);
	tk_assert_close(ms_value(&r, "parameters"), 4, 0, 0);
	tk_assert_close(ms_value(&r, "separated"), 0, 0, 0);
	ms_small_free(&m);
}
END_TEST

static const char *const two =
	"{\"name\":\"two\",\"columns\":[{\"name\":\"a\",\"type\":\"continuous\",\"bounds\":[0,1]},"
	"{\"name\":\"k\",\"type\":\"categorical\",\"categories\":[\"x\",\"y\",\"z\"]},"
	"{\"name\":\"j\",\"type\":\"binary\",\"categories\":[\"0\",\"1\"]}]}";

static iso_table *fresh(const iso_schema *s, size_t n, uint64_t seed)
{
	iso_stream r = iso_stream_new(iso_key_new(seed, "separability"));
	double *cells = iso_alloc(n * 3, sizeof(*cells));

	for (size_t i = 0; i < n; i++) {
		cells[3 * i] = iso_next_u01(&r);
		cells[3 * i + 1] = (double)iso_next_below(&r, 3);
		cells[3 * i + 2] = (double)iso_next_below(&r, 2);
	}
	iso_table *t = ms_table(s, n, cells);
	iso_free(cells);
	return t;
}

/* Columns a, k=x, k=y, j and the five products across columns: k = 10.  Over 60 pairs of samples of
 * one law the ratio has mean 1 and standard deviation sqrt(2/9) a sample, so the mean of 60 lies
 * within 4 standard errors, .25 (false alarm 6e-5); the other null would give 2.  A swapped pair of
 * columns is seen through the products alone. */
START_TEST(pmse_null)
{
	iso_schema *s = ms_schema(two);
	double sum = 0;

	for (uint64_t i = 0; i < 60; i++) {
		iso_table *a = fresh(s, 300, 2 * i), *b = fresh(s, 300, 2 * i + 1);
		const ms_result r = ms_measure("pmse", NULL, a, a, b);

		tk_assert_close(ms_value(&r, "parameters"), 10, 0, 0);
		sum += ms_value(&r, "ratio") / 60;
		iso_table_free(a);
		iso_table_free(b);
	}
	tk_assert_close(sum, 1, 0, 4 * sqrt(2.0 / 9 / 60));
	iso_table *a = fresh(s, 600, 1000), *b = fresh(s, 600, 1001);
	for (size_t i = 0; i < 600; i++) { /* in a: j = 1 exactly where a is above 1/2 */
		a->cells[3 * i + 2] = a->cells[3 * i] > 0.5;
		b->cells[3 * i + 2] = b->cells[3 * i] <= 0.5;
	}
	const ms_result with = ms_measure("pmse", NULL, a, a, b),
			without = ms_measure("pmse", "{\"interactions\":false}", a, a, b);
	ck_assert_msg(ms_value(&with, "pmse") > 0.15 && ms_value(&without, "pmse") < 0.01, "%g %g",
		      ms_value(&with, "pmse"), ms_value(&without, "pmse"));
	const ms_result copy = ms_measure("pmse", NULL, a, a, a);
	tk_assert_close(ms_value(&copy, "pmse"), 0, 0, 1e-12);
	iso_table_free(a);
	iso_table_free(b);
	iso_schema_free(s);
}
END_TEST

/* A category that only the real rows have, and a number that lies apart: every row is told, and
 * pMSE is 1/4 but for what the ridge leaves. */
START_TEST(pmse_separated)
{
	iso_schema *s = ms_schema(two);
	iso_table *a = fresh(s, 100, 1), *b = fresh(s, 100, 2);

	for (size_t i = 0; i < 100; i++) {
		a->cells[3 * i] = 0.3 * a->cells[3 * i];
		b->cells[3 * i] = 0.7 + 0.3 * b->cells[3 * i];
	}
	const ms_result r = ms_measure("pmse", NULL, a, a, b);
	tk_assert_close(ms_value(&r, "pmse"), 0.25, 0, 1e-3);
	tk_assert_close(ms_value(&r, "separated"), 1, 0, 0);
	iso_table_free(a);
	iso_table_free(b);
	iso_schema_free(s);
}
END_TEST

/* Columns a (one decimal), j, and u that makes every row its own. */
static iso_table *decimals(const iso_schema *s, size_t n, uint64_t seed)
{
	iso_stream r = iso_stream_new(iso_key_new(seed, "decimals"));
	double *cells = iso_alloc(n * 3, sizeof(*cells));

	for (size_t i = 0; i < n; i++) {
		cells[3 * i] = rint(10 * iso_next_u01(&r)) / 10;
		cells[3 * i + 1] = iso_next_u01(&r);
		cells[3 * i + 2] = (double)iso_next_below(&r, 2);
	}
	iso_table *t = ms_table(s, n, cells);
	iso_free(cells);
	return t;
}

/* Synthetic numbers carry a second decimal that the real ones do not: trees see it, and not once
 * both are rounded; a turned dependence is seen by trees and not by a line. */
START_TEST(c2st_values)
{
	iso_schema *s =
		ms_schema("{\"name\":\"d\",\"columns\":[{\"name\":\"a\",\"type\":\"continuous\","
			  "\"bounds\":[0,1],\"decimals\":1},"
			  "{\"name\":\"u\",\"type\":\"continuous\",\"bounds\":[0,1]},"
			  "{\"name\":\"j\",\"type\":\"binary\",\"categories\":[\"0\",\"1\"]}]}");
	enum { N = 800 };
	iso_table *a = decimals(s, N, 1), *b = decimals(s, N, 2);
	/* one law: 800 judged rows, se .0177; four of them (false alarm 6e-5 a value) */
	const ms_result null = ms_measure("c2st", NULL, a, a, b);
	static const char *const key[] = {"lr.accuracy", "forest.accuracy", "boosting.accuracy"};

	for (size_t k = 0; k < 3; k++)
		tk_assert_close(ms_value(&null, key[k]), 0.5, 0, 0.071);
	tk_assert_close(ms_value(&null, "lr.z"),
			(ms_value(&null, "lr.accuracy") - 0.5) / sqrt(0.25 / N), 1e-12, 0);
	for (size_t i = 0; i < N; i++)
		b->cells[3 * i] = fmin(b->cells[3 * i] + 0.02, 1);
	const ms_result digits = ms_measure("c2st", NULL, a, a, b);
	ck_assert_msg(ms_value(&digits, "forest.accuracy") > 0.85 &&
			      ms_value(&digits, "boosting.accuracy") > 0.85 &&
			      ms_value(&digits, "lr.accuracy") < 0.6,
		      "%g %g %g", ms_value(&digits, "forest.accuracy"),
		      ms_value(&digits, "boosting.accuracy"), ms_value(&digits, "lr.accuracy"));
	tk_assert_close(ms_value(&digits, "rounded.forest.accuracy"), 0.5, 0, 0.071);
	tk_assert_close(ms_value(&digits, "rounded.boosting.accuracy"), 0.5, 0, 0.071);
	for (size_t i = 0; i < N; i++) {
		a->cells[3 * i + 2] = a->cells[3 * i] > 0.5;
		b->cells[3 * i + 2] = b->cells[3 * i] <= 0.5;
	}
	const ms_result turned = ms_measure("c2st", NULL, a, a, b);
	ck_assert(ms_value(&turned, "rounded.boosting.auc") > 0.95 &&
		  ms_value(&turned, "rounded.forest.auc") > 0.95);
	/* a copy: equal rows stay together, so nothing can be told, exactly */
	const ms_result copy = ms_measure("c2st", NULL, a, a, a);
	for (size_t k = 0; k < 3; k++)
		tk_assert_close(ms_value(&copy, key[k]), 0.5, 0, 1e-12);
	iso_table_free(a);
	iso_table_free(b);
	iso_schema_free(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pmse and c2st");
	TCase *t = tcase_create("separability");

	tcase_add_test(t, pmse_golden);
	tcase_add_test(t, pmse_null);
	tcase_add_test(t, pmse_separated);
	tcase_add_test(t, c2st_values);
	suite_add_tcase(s, t);
	return tk_run(s);
}
