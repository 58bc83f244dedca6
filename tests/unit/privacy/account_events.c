// SPDX-License-Identifier: Apache-2.0
/* Events: deep copies, and every illegal event is refused with its place and its field. */
#include "tests/support/testkit.h"

#include <string.h>

#include "core/privacy/accountant.h"

static iso_event gaussian(double noise)
{
	return (iso_event){.mechanism = ISO_MECH_GAUSSIAN, .noise = noise, .rate = 1, .count = 1};
}

/* The event at position 1 of a list must be refused with `part` in the text, by the check and by
 * every accountant. */
static void refused(iso_event e, iso_adjacency adj, const char *part)
{
	iso_event v[2] = {gaussian(1), e};
	const iso_events list = {.v = v, .n = 2, .cap = 2};
	iso_error err = {0};
	iso_epsilons o = {.rdp = -7};
	double x = -7, y = -7;

	tk_fails(iso_events_check(&list, adj, &err), ISO_E_CONFIG, part);
	tk_fails(iso_events_check(&list, adj, &err), ISO_E_CONFIG, "events[1]");
	tk_fails(iso_account_epsilon(&list, adj, 1e-5, ISO_WANT_ALL, &o, &err), ISO_E_CONFIG, part);
	tk_fails(iso_account_delta(&list, adj, 1, &x, &y, &err), ISO_E_CONFIG, part);
	tk_fails(iso_account_one(&list, adj, 1e-5, ISO_ACC_PLD, &x, &err), ISO_E_CONFIG, part);
	tk_fails(iso_account_one(&list, adj, 1e-5, ISO_ACC_RDP, &x, &err), ISO_E_CONFIG, part);
	ck_assert(o.rdp == -7 && x == -7 && y == -7); /* never a number */
}

START_TEST(illegal)
{
	const double bad[] = {-1, NAN, INFINITY, -INFINITY, 1e200};
	iso_event e;
	iso_events none[1] = {{0}};

	for (size_t i = 0; i < ISO_COUNT(bad); i++) {
		refused(gaussian(bad[i]), ISO_ADD_REMOVE, "noise multiplier");
		refused((iso_event){.mechanism = ISO_MECH_LAPLACE, .noise = bad[i], .count = 1},
			ISO_ADD_REMOVE, "scale");
		refused((iso_event){.mechanism = ISO_MECH_EXPONENTIAL,
				    .epsilon = bad[i],
				    .count = 1},
			ISO_ADD_REMOVE, "epsilon");
		refused((iso_event){.mechanism = ISO_MECH_PURE, .epsilon = bad[i], .count = 1},
			ISO_ADD_REMOVE, "epsilon");
		refused((iso_event){.mechanism = ISO_MECH_ZCDP, .rho = bad[i], .count = 1},
			ISO_ADD_REMOVE, "rho");
		refused((iso_event){.mechanism = ISO_MECH_RANDOMIZED_RESPONSE,
				    .epsilon = bad[i],
				    .count = 1},
			ISO_ADD_REMOVE, "epsilon");
		refused((iso_event){.mechanism = ISO_MECH_PATE_GNMAX, .noise = bad[i], .count = 1},
			ISO_ADD_REMOVE, "noise scale");
		e = gaussian(1);
		e.sampling = ISO_SAMPLING_POISSON;
		e.rate = i ? bad[i] : 1.0001;
		refused(e, ISO_ADD_REMOVE, "sampling rate");
	}
	refused((iso_event){.mechanism = ISO_MECH_LAPLACE, .noise = 0, .count = 1}, ISO_ADD_REMOVE,
		"scale");
	refused((iso_event){.mechanism = ISO_MECH_PURE, .epsilon = 1, .delta = 1, .count = 1},
		ISO_ADD_REMOVE, "delta");
	refused((iso_event){.mechanism = ISO_MECH_PURE, .epsilon = 1, .delta = NAN, .count = 1},
		ISO_ADD_REMOVE, "delta");
	e = gaussian(1);
	e.count = 0;
	refused(e, ISO_ADD_REMOVE, "count");
	e.count = 2000000000000ull;
	refused(e, ISO_ADD_REMOVE, "count");
	e = gaussian(1);
	e.sampling = ISO_SAMPLING_WITHOUT_REPLACEMENT;
	e.rate = 0.1;
	refused(e, ISO_ADD_REMOVE, "without replacement");
	e.sampling = (iso_sampling)9;
	refused(e, ISO_ADD_REMOVE, "sampling");
	e = gaussian(1);
	e.mechanism = (iso_mech)99;
	refused(e, ISO_ADD_REMOVE, "mechanism");
	refused((iso_event){.mechanism = ISO_MECH_PARALLEL, .count = 1}, ISO_ADD_REMOVE,
		"without groups");
	refused((iso_event){.mechanism = ISO_MECH_PARALLEL, .count = 2, .parts = none, .nparts = 1},
		ISO_ADD_REMOVE, "count");
	refused((iso_event){.mechanism = ISO_MECH_LAPLACE,
			    .noise = 1,
			    .count = 1,
			    .sampling = ISO_SAMPLING_POISSON,
			    .rate = 0.5},
		ISO_ADD_REMOVE, "sampling");
}
END_TEST

START_TEST(votes)
{
	double v[4] = {3, 1, 0, 4};
	iso_event e = {.mechanism = ISO_MECH_PATE_LNMAX,
		       .noise = 10,
		       .count = 2,
		       .votes = v,
		       .queries = 2,
		       .classes = 2};
	iso_events list = {0};
	iso_error err = {0};

	tk_ok(iso_events_add(&list, &e, &err));
	v[0] = -1;
	ck_assert(list.v[0].votes[0] == 3); /* a copy */
	tk_ok(iso_events_check(&list, ISO_ADD_REMOVE, &err));
	refused(e, ISO_ADD_REMOVE, "vote 0 of query 0");
	v[0] = NAN;
	refused(e, ISO_REPLACE_ONE, "vote 0 of query 0");
	v[0] = 3;
	e.count = 3;
	refused(e, ISO_ADD_REMOVE, "count 3");
	e.count = 4;
	e.queries = 4;
	e.classes = 1;
	refused(e, ISO_ADD_REMOVE, "classes");
	iso_events_free(&list);
}
END_TEST

START_TEST(nested)
{
	iso_event bad = gaussian(-2), e;
	iso_events part[2] = {{0}, {0}}, list = {0}, outer[1] = {{0}};
	iso_error err = {0};

	tk_ok(iso_events_add(&part[1], &bad, &err));
	e = (iso_event){.mechanism = ISO_MECH_PARALLEL, .count = 1, .parts = part, .nparts = 2};
	tk_ok(iso_events_add(&list, &e, &err));
	part[1].v[0].noise = 5; /* the list holds a deep copy */
	tk_fails(iso_events_check(&list, ISO_ADD_REMOVE, &err), ISO_E_CONFIG,
		 "events[0].groups[1][0]");
	iso_events_free(&list);
	/* nesting has an end */
	tk_ok(iso_events_add(&outer[0], &e, &err));
	for (int i = 0; i < 9; i++) {
		iso_events next = {0};
		const iso_event wrap = {
			.mechanism = ISO_MECH_PARALLEL, .count = 1, .parts = outer, .nparts = 1};

		tk_ok(iso_events_add(&next, &wrap, &err));
		iso_events_free(&outer[0]);
		outer[0] = next;
	}
	tk_fails(iso_events_check(&outer[0], ISO_ADD_REMOVE, &err), ISO_E_CONFIG, "nested deeper");
	iso_events_free(&outer[0]);
	iso_events_free(&part[0]);
	iso_events_free(&part[1]);
}
END_TEST

START_TEST(delta_and_epsilon)
{
	const double bad[] = {0, 1, -1e-5, 2, NAN, INFINITY};
	iso_event e = gaussian(2);
	const iso_events list = {.v = &e, .n = 1, .cap = 1}, empty = {0};
	iso_error err = {0};
	iso_epsilons o;
	double x, y;

	for (size_t i = 0; i < ISO_COUNT(bad); i++) {
		tk_fails(iso_account_epsilon(&list, ISO_ADD_REMOVE, bad[i], ISO_WANT_ALL, &o, &err),
			 ISO_E_CONFIG, "delta");
		tk_fails(iso_account_one(&list, ISO_ADD_REMOVE, bad[i], ISO_ACC_PLD, &x, &err),
			 ISO_E_CONFIG, "delta");
	}
	tk_fails(iso_account_delta(&list, ISO_ADD_REMOVE, -1, &x, &y, &err), ISO_E_CONFIG,
		 "epsilon");
	tk_fails(iso_account_delta(&list, ISO_ADD_REMOVE, NAN, &x, &y, &err), ISO_E_CONFIG,
		 "epsilon");
	tk_fails(iso_account_epsilon(&list, (iso_adjacency)7, 1e-5, ISO_WANT_ALL, &o, &err),
		 ISO_E_CONFIG, "adjacency");
	/* nothing released costs nothing */
	tk_ok(iso_account_epsilon(&empty, ISO_ADD_REMOVE, 1e-5, ISO_WANT_ALL, &o, &err));
	ck_assert(o.pld_upper == 0 && o.pld_lower == 0 && o.rdp == 0 && o.gdp == 0);
}
END_TEST

/* Whatever allocation fails, the answer is ISO_E_NOMEM (or right) and nothing leaks; run under
 * ASan. */
START_TEST(no_memory)
{
	iso_event part = gaussian(2), e, sampled = gaussian(1);
	iso_events parts[2] = {{0}, {0}}, list = {0};
	iso_error err = {0};
	iso_epsilons o;
	int failed = 0;

	sampled.sampling = ISO_SAMPLING_POISSON;
	sampled.rate = 0.1;
	sampled.count = 10;
	tk_ok(iso_events_add(&parts[0], &part, &err));
	tk_ok(iso_events_add(&parts[1], &sampled, &err));
	e = (iso_event){.mechanism = ISO_MECH_PARALLEL, .count = 1, .parts = parts, .nparts = 2};
	tk_ok(iso_events_add(&list, &e, &err));
	tk_ok(iso_events_add(&list, &sampled, &err));
	for (uint64_t i = 1; i < 400; i++) {
		iso_events copy = {0};
		iso_status st;

		iso_alloc_fail_after(i);
		st = iso_account_epsilon(&list, ISO_ADD_REMOVE, 1e-5, ISO_WANT_ALL, &o, &err);
		if (st == ISO_OK)
			st = iso_events_add(&copy, &e, &err);
		iso_alloc_fail_after(0);
		iso_events_free(&copy);
		ck_assert_msg(st == ISO_OK || st == ISO_E_NOMEM, "%s", err.text);
		failed += st == ISO_E_NOMEM;
		iso_error_clear(&err);
	}
	ck_assert_msg(failed > 20, "only %d allocations failed", failed);
	iso_events_free(&list);
	iso_events_free(&parts[0]);
	iso_events_free(&parts[1]);
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(iso_mech_name(ISO_MECH_PATE_GNMAX), "pate-gnmax");
	ck_assert_str_eq(iso_mech_name((iso_mech)77), "unknown");
	ck_assert_str_eq(iso_adjacency_name(ISO_REPLACE_ONE), "replace-one");
	ck_assert_str_eq(iso_sampling_name(ISO_SAMPLING_WITHOUT_REPLACEMENT),
			 "without-replacement");
	ck_assert_str_eq(iso_accountant_name(ISO_ACC_RDP), "rdp");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("account_events");
	TCase *t = tcase_create("events");

	tcase_add_test(t, illegal);
	tcase_add_test(t, votes);
	tcase_add_test(t, nested);
	tcase_add_test(t, delta_and_epsilon);
	tcase_add_test(t, no_memory);
	tcase_add_test(t, names);
	suite_add_tcase(s, t);
	return tk_run(s);
}
