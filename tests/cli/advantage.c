// SPDX-License-Identifier: Apache-2.0
/* The advantage that a budget allows, the lower end of a measured one, and the caveat. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "results/record.h"
#include "suites/cell.h"
#include "tests/support/testkit.h"

static iso_error err;

/* (e^epsilon - 1 + 2 delta) / (e^epsilon + 1), computed in another program to 12 digits. */
START_TEST(allowed_values)
{
	ck_assert_double_eq_tol(iso_advantage_allowed(0, 0), 0, 1e-15);
	ck_assert_double_eq_tol(iso_advantage_allowed(1, 0), 0.462117157260, 1e-12);
	ck_assert_double_eq_tol(iso_advantage_allowed(1, 0.1), 0.515905441534, 1e-12);
	ck_assert_double_eq_tol(iso_advantage_allowed(10, 1e-5), 0.999909205171, 1e-12);
	ck_assert_double_eq(iso_advantage_allowed(INFINITY, 0), 1);
	ck_assert_double_eq(iso_advantage_allowed(0, 1), 1);
	ck_assert(isnan(iso_advantage_allowed(NAN, 1e-5)));
}
END_TEST

/* 1 - 2 sqrt(ln 80 / 300) and the like; never below 0. */
START_TEST(lower_ends)
{
	ck_assert_double_eq_tol(iso_advantage_low(1, 150, 150), 0.758283178501, 1e-12);
	ck_assert_double_eq_tol(iso_advantage_low(1, 1e12, 150), 0.879140109043, 1e-9);
	ck_assert_double_eq(iso_advantage_low(0.1, 150, 150), 0);
	ck_assert_double_eq(iso_advantage_low(1, 1, 1), 0);
}
END_TEST

/* Does a record with this attack get the warning? */
static int warned(const char *epsilon, const char *delta, const char *goal, double advantage, int n)
{
	char text[600];
	cJSON *r;
	int yes;

	snprintf(text, sizeof(text),
		 "{\"privacy\":{\"accounted_epsilon\":%s,\"delta\":%s},\"caveats\":[\"other\"],"
		 "\"attacks\":[{\"label\":\"idle\",\"goal\":\"membership\"},{\"label\":\"x\","
		 "\"goal\":\"%s\",\"advantage\":%.17g,\"n_pos\":%d,\"n_neg\":%d}]}",
		 epsilon, delta, goal, advantage, n, n);
	tk_ok(iso_json_parse(text, strlen(text), "record", &r, &err));
	ck_assert(!iso_record_warned(r));
	tk_ok(iso_advantage_caveats(r, &err));
	tk_ok(iso_advantage_caveats(r, &err)); /* said once */
	yes = iso_record_warned(r);
	ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(r, "caveats")),
			 1 + yes);
	cJSON_Delete(r);
	return yes;
}

/* The border at epsilon 1 with 150 and 150 targets: 0.462117 + 0.241716 = 0.703834. */
START_TEST(caveats)
{
	ck_assert(warned("1", "0", "membership", 0.7039, 150));
	ck_assert(!warned("1", "0", "membership", 0.7037, 150));
	ck_assert(!warned("1", "1e-3", "membership", 0.7039, 150));
	ck_assert(!warned("1", "0", "membership", 1, 30));
	ck_assert(!warned("1", "0", "attribute", 1, 150));
	ck_assert(!warned("\"inf\"", "0", "membership", 1, 100000));
	ck_assert(!warned("null", "0", "membership", 1, 150));
	ck_assert(!warned("20", "0", "membership", 1, 150));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("advantage");
	TCase *c = tcase_create("advantage");

	tcase_add_test(c, allowed_values);
	tcase_add_test(c, lower_ends);
	tcase_add_test(c, caveats);
	suite_add_tcase(s, c);
	return tk_run(s);
}
