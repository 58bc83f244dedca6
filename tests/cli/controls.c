// SPDX-License-Identifier: Apache-2.0
/* Controls in `check`, and the memory of the last ledger. */
#include <stdio.h>

#include "suites/recheck.h"
#include "tests/support/testkit.h"

static iso_error err;

/* A record of one control with two attacks of 500 + 500 targets. */
static cJSON *record(const char *control, const char *goal, double first, double second)
{
	char text[1200];
	const double se = 0.0183; /* sqrt(1001 / (12 * 500 * 500)) */

	snprintf(text, sizeof(text),
		 "{\"key\": \"k\", \"label\": \"m\", \"control\": \"%s\", \"attacks\": ["
		 "{\"label\": \"a\", \"goal\": \"%s\", \"status\": \"ok\", \"n_pos\": 500, "
		 "\"n_neg\": 500, \"auc\": %.6f, \"auc_se\": %.6f, \"auc_low\": %.6f},"
		 "{\"label\": \"b\", \"goal\": \"%s\", \"status\": \"ok\", \"n_pos\": 500, "
		 "\"n_neg\": 500, \"auc\": %.6f, \"auc_se\": 0, \"auc_low\": %.6f},"
		 "{\"label\": \"c\", \"goal\": \"%s\", \"status\": \"error\"}]}",
		 control, goal, first, se, first - 1.96 * se, goal, second, second - 1.96 * se,
		 goal);
	return cJSON_Parse(text);
}

static iso_status verdict(const char *control, const char *goal, double first, double second)
{
	cJSON *r = record(control, goal, first, second);
	const iso_status st = iso_controls_check(r, &err);

	cJSON_Delete(r);
	return st;
}

START_TEST(copies_are_caught)
{
	tk_ok(verdict("copies", "membership", 0.99, 0.5));
	tk_ok(verdict("copies", "membership", 0.5, 0.56));
	tk_fails(verdict("copies", "membership", 0.53, 0.5), ISO_E_CHECK, "not caught");
	tk_fails(verdict("copies", "membership", 0.01, 0.01), ISO_E_CHECK, "2 membership attacks");
	/* a method under comparison, or attacks with another goal, prove nothing */
	tk_ok(verdict("", "membership", 0.5, 0.5));
	tk_ok(verdict("copies", "attribute", 0.5, 0.5));
}
END_TEST

/* 1e-3 over two attacks: z = 3.29, 0.0602 above one half. */
START_TEST(blind_is_not)
{
	tk_ok(verdict("blind", "membership", 0.5, 0.47));
	tk_ok(verdict("blind", "membership", 0.559, 0.559));
	tk_fails(verdict("blind", "membership", 0.5, 0.561), ISO_E_CHECK, "above chance");
	tk_fails(verdict("blind", "membership", 0.99, 0.5), ISO_E_CHECK, "AUC 0.99");
	tk_ok(verdict("", "membership", 0.99, 0.99));
	tk_ok(verdict("floor", "membership", 0.6, 0.6));
}
END_TEST

/* A record of one Laplace release; `factor` falsifies its epsilons. */
static cJSON *accounted(double noise, double factor)
{
	iso_events events = {0};
	const iso_event one = {
		.mechanism = ISO_MECH_LAPLACE, .noise = noise, .rate = 1, .count = 1};
	iso_epsilons e;
	char text[900];

	tk_ok(iso_events_add(&events, &one, &err));
	tk_ok(iso_account_epsilon(&events, ISO_ADD_REMOVE, 1e-5, ISO_WANT_ALL, &e, &err));
	iso_events_free(&events);
	snprintf(text, sizeof(text),
		 "{\"key\": \"k\", \"guarantee\": \"dp\", \"config\": {\"adjacency\": "
		 "\"add-remove\", \"accountant\": \"pld\"}, \"ledger\": [{\"who\": \"g\", \"why\": "
		 "\"w\", \"group\": 0, \"part\": 0, \"mechanism\": \"laplace\", \"noise\": %.12g, "
		 "\"epsilon\": 0, \"delta\": 0, \"rho\": 0, \"sampling\": \"none\", \"rate\": 1, "
		 "\"count\": 1, \"norm\": \"l1\", \"sensitivity\": 1}], \"privacy\": {\"delta\": "
		 "1e-5, \"accounted_epsilon\": %.12g, \"epsilon\": {\"pld\": {\"lower\": %.12g, "
		 "\"upper\": %.12g}, \"rdp\": %.12g, \"rdp_classic\": %.12g, \"moments\": %.12g, "
		 "\"gdp\": null}}}",
		 noise, factor * e.pld_upper, factor * e.pld_lower, factor * e.pld_upper,
		 factor * e.rdp, factor * e.rdp_classic, factor * e.moments);
	return cJSON_Parse(text);
}

/* Laplace noise of scale b costs about 1 / b.  The memory never answers for another ledger. */
START_TEST(memo_is_of_one_ledger)
{
	iso_ledger_memo memo = {0};
	double eps;

	for (int i = 0; i < 6; i++) {
		const double b = i % 3 ? 2 : 4;
		cJSON *good = accounted(b, 1), *bad = accounted(b, 0.5);

		tk_ok(iso_verify_record(good, &memo, &eps, &err));
		tk_assert_close(eps, 1 / b, 1e-3, 0);
		tk_fails(iso_verify_record(bad, &memo, &eps, &err), ISO_E_CHECK, "not borne out");
		cJSON_Delete(good);
		cJSON_Delete(bad);
	}
	iso_ledger_memo_free(&memo);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("controls");
	TCase *c = tcase_create("controls");

	tcase_add_test(c, copies_are_caught);
	tcase_add_test(c, blind_is_not);
	tcase_add_test(c, memo_is_of_one_ledger);
	suite_add_tcase(s, c);
	return tk_run(s);
}
