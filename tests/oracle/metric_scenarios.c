// SPDX-License-Identifier: Apache-2.0
/* three-scenarios on tables whose answers are known. */
#include "core/rand/rand.h"
#include "tests/oracle/metric_support.h"

static iso_error err;
static const char *const line = "{\"name\":\"line\",\"columns\":["
				"{\"name\":\"a\",\"type\":\"continuous\",\"bounds\":[0,1]},"
				"{\"name\":\"y\",\"type\":\"categorical\",\"role\":\"label\","
				"\"categories\":[\"n\",\"p\"]}]}";

/* a below .4 or above .6; the class is the side, or its opposite in the rows before `wrong`.
 * Every fourth row is of the upper side. */
static iso_table *rows_of(const iso_schema *s, size_t n, size_t wrong, uint64_t seed)
{
	iso_stream r = iso_stream_new(iso_key_new(seed, "line"));
	double *cells = iso_alloc(2 * n, sizeof(*cells));

	for (size_t i = 0; i < n; i++) {
		const int up = i % 4 == 3;

		cells[2 * i] = 0.4 * iso_next_u01(&r) + (up ? 0.6 : 0);
		cells[2 * i + 1] = i < wrong ? !up : up;
	}
	iso_table *t = ms_table(s, n, cells);
	iso_free(cells);
	return t;
}

static iso_table *with_clients(iso_table *t, size_t clients)
{
	tk_ok(iso_table_add_clients(t, clients, &err));
	for (size_t i = 0; i < t->n; i++)
		t->client[i] = (uint32_t)(i / 4 % clients);
	return t;
}

/* The first 200 and 300 synthetic rows have the labels swapped (the 300: two thirds), later ones
 * are right: every client turns to a larger number.  Own rows are separated by a line. */
START_TEST(clients_choose_what_serves_them)
{
	iso_schema *s = ms_schema(line);
	iso_table *train = with_clients(rows_of(s, 240, 0, 1), 3), *test = rows_of(s, 400, 0, 2),
		  *pool = rows_of(s, 2000, 200, 3);
	const ms_result r = ms_measure("three-scenarios", NULL, train, test, pool);

	ck_assert_double_eq(ms_value(&r, "clients"), 3);
	ck_assert(ms_value(&r, "rows") > 300 && ms_value(&r, "rows") <= 2000);
	ck_assert_double_eq(ms_value(&r, "local.real.accuracy"), 1);
	ck_assert_double_eq(ms_value(&r, "local.real.auc"), 1);
	ck_assert_double_eq(ms_value(&r, "local.pool.accuracy"), 1);
	ck_assert_double_eq(ms_value(&r, "test.pool.f1"), 1);
	ck_assert_double_eq(ms_value(&r, "test.real.f1"), 1);
	ck_assert_double_eq(ms_value(&r, "test.oracle.accuracy"), 1);
	iso_table_free(train);
	iso_table_free(test);
	iso_table_free(pool);
	iso_schema_free(s);
}
END_TEST

/* A client whose rows are the opposite of the test rows: it chooses the swapped pool, which is
 * right at home and wrong elsewhere; the oracle chooses the other one. */
START_TEST(choice_at_home_is_judged_abroad)
{
	iso_schema *s = ms_schema(line);
	iso_table *train = with_clients(rows_of(s, 240, 240, 1), 2), *test = rows_of(s, 400, 0, 2),
		  *pool = rows_of(s, 2000, 200, 3);
	const ms_result r = ms_measure("three-scenarios", NULL, train, test, pool);

	ck_assert_double_eq(ms_value(&r, "rows"), 200);
	ck_assert_double_eq(ms_value(&r, "local.pool.accuracy"), 1);
	ck_assert_double_eq(ms_value(&r, "test.pool.accuracy"), 0);
	ck_assert_double_eq(ms_value(&r, "test.real.accuracy"), 0);
	ck_assert_double_eq(ms_value(&r, "test.oracle.accuracy"), 1);
	iso_table_free(train);
	iso_table_free(test);
	iso_table_free(pool);
	iso_schema_free(s);
}
END_TEST

/* x says nothing and one row in four is positive: the plain classifier never says "positive" (F1
 * 0), the balanced one says it of half the rows or so (F1 of chance: 2 * .25 * .5 / .75 = 1/3). */
START_TEST(balance_alone_lifts_f1)
{
	iso_schema *s = ms_schema(line);
	iso_stream r = iso_stream_new(iso_key_new(5, "noise"));
	iso_table *train = with_clients(rows_of(s, 400, 0, 1), 2), *test = rows_of(s, 400, 0, 2);

	for (size_t i = 0; i < 400; i++)
		train->cells[2 * i] = test->cells[2 * i] = iso_next_u01(&r);
	const ms_result m = ms_measure("three-scenarios", NULL, train, test, train);

	ck_assert_double_eq(ms_value(&m, "test.real.f1"), 0);
	ck_assert(ms_value(&m, "test.balanced.f1") > 0.2 && ms_value(&m, "test.balanced.f1") < 0.5);
	iso_table_free(train);
	iso_table_free(test);
	iso_schema_free(s);
}
END_TEST

START_TEST(no_clients_no_scenarios)
{
	iso_schema *s = ms_schema(line);
	iso_table *t = rows_of(s, 60, 0, 1);
	const ms_result m = ms_measure("three-scenarios", NULL, t, t, t);

	ck_assert(isnan(ms_value(&m, "test.pool.accuracy")));
	ck_assert_str_eq(ms_reason(&m, "test.pool.accuracy"), "the training rows have no clients");
	iso_table_free(t);
	iso_schema_free(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("metric_scenarios");
	TCase *c = tcase_create("scenarios");

	tcase_add_test(c, clients_choose_what_serves_them);
	tcase_add_test(c, choice_at_home_is_judged_abroad);
	tcase_add_test(c, balance_alone_lifts_f1);
	tcase_add_test(c, no_clients_no_scenarios);
	suite_add_tcase(s, c);
	return tk_run(s);
}
