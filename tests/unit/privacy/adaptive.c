// SPDX-License-Identifier: Apache-2.0
/* Entries by name, caps under the privacy filter, noise of the call, per-part epsilons. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/math/special.h"
#include "core/privacy/mechanism.h"
#include "core/privacy/mechanism_trusted.h"
#include "core/privacy/noise.h"
#include "core/privacy/release_key.h"
#include "core/privacy/replay.h"
#include "tests/support/testkit.h"

static iso_error err;

static iso_ledger *ledger_of(iso_plan *p, iso_adjacency adj)
{
	iso_release_key key;
	iso_ledger *l;

	tk_ok(iso_release_key_plain(9, "adaptive", 0, &key, &err));
	tk_ok(iso_ledger_new(p, "adaptive", adj, &key, &l, &err));
	iso_plan_free(p);
	return l;
}

static iso_event gaussian(double sigma, double rate, uint64_t count)
{
	return (iso_event){.mechanism = ISO_MECH_GAUSSIAN,
			   .noise = sigma,
			   .rate = rate,
			   .sampling = rate < 1 ? ISO_SAMPLING_POISSON : ISO_SAMPLING_NONE,
			   .count = count};
}

static int handle_of(const iso_ledger *l, const char *why)
{
	int h;

	tk_ok(iso_ledger_find(l, (iso_entry){.why = why}, &h, &err));
	return h;
}

/* ------------------------------------------------------------------ names */

START_TEST(entries_are_named_by_why_group_and_part)
{
	iso_plan p = {0};
	iso_ledger *l;
	int a, b, c;

	tk_ok(iso_plan_gaussian(&p, (iso_entry){"step", 1, 0, 0}, 1, 1, 1, 1, &err));
	tk_ok(iso_plan_gaussian(&p, (iso_entry){"step", 2, 0, 0}, 1, 1, 1, 1, &err));
	tk_ok(iso_plan_gaussian(&p, (iso_entry){"step", 2, 1, 0}, 1, 1, 1, 1, &err));
	tk_fails(iso_plan_gaussian(&p, (iso_entry){"step", 2, 1, 0}, 1, 1, 1, 1, &err),
		 ISO_E_PLUGIN, "planned twice");
	tk_fails(iso_plan_gaussian(&p, (iso_entry){"c", 0, 0, ISO_UNIT_CLIENT}, 1, 1, 1, 1, &err),
		 ISO_E_PLUGIN, "two units");
	l = ledger_of(&p, ISO_ADD_REMOVE);
	tk_ok(iso_ledger_find(l, (iso_entry){"step", 1, 0, 0}, &a, &err));
	tk_ok(iso_ledger_find(l, (iso_entry){"step", 2, 0, 0}, &b, &err));
	tk_ok(iso_ledger_find(l, (iso_entry){"step", 2, 1, 0}, &c, &err));
	ck_assert(a == 0 && b == 1 && c == 2);
	tk_fails(iso_ledger_find(l, (iso_entry){"step", 0, 0, 0}, &a, &err), ISO_E_BUDGET,
		 "not planned");
	tk_fails(iso_ledger_find(l, (iso_entry){"step", 1, 0, ISO_UNIT_CLIENT}, &a, &err),
		 ISO_E_BUDGET, "other unit");
	iso_ledger_free(l);
}
END_TEST

/* Plan, events and ledger of 30,000 parts.  The processor time is printed, not judged: the
 * quadratic way took 7 s. */
START_TEST(thirty_thousand_parts)
{
	const clock_t start = clock();
	iso_plan p = {0};
	iso_events e;
	iso_ledger *l;
	double took;
	int h, refused = 0;

	for (int k = 0; k < 30000; k++) /* a check writes to a pipe: not 30,000 of them */
		refused += iso_plan_gaussian(&p, (iso_entry){"part", 1, k, 0}, 1 + k % 7, 1, 1, 1,
					     &err) != ISO_OK;
	ck_assert_int_eq(refused, 0);
	tk_ok(iso_plan_events(&p, 0, &e, &err));
	l = ledger_of(&p, ISO_ADD_REMOVE);
	tk_ok(iso_ledger_find(l, (iso_entry){"part", 1, 29999, 0}, &h, &err));
	took = (double)(clock() - start) / CLOCKS_PER_SEC;
	ck_assert_int_eq(h, 29999);
	ck_assert_uint_eq(e.n, 1);
	ck_assert_uint_eq(e.v[0].nparts, 30000);
	printf("30,000 parts: %.1f ms\n", 1e3 * took);
	iso_events_free(&e);
	iso_ledger_free(l);
}
END_TEST

/* ------------------------------------------------------------------ filter */

START_TEST(zcdp_filter_adds_and_refuses)
{
	iso_plan p = {0};
	iso_event e = gaussian(2, 1, 1); /* rho = 1/8 */
	const iso_event choice = {.mechanism = ISO_MECH_EXPONENTIAL, .epsilon = 1, .count = 2};
	double out[1], x[] = {1};
	iso_epsilons eps;
	iso_ledger *l;
	size_t chosen;
	int h;

	tk_ok(iso_plan_adaptive_zcdp(&p, (iso_entry){.why = "cap"}, 0.5, 1, &err));
	l = ledger_of(&p, ISO_ADD_REMOVE);
	h = handle_of(l, "cap");
	tk_assert_close(iso_ledger_left(l, h), 0.5, 1e-15, 0);
	tk_fails(iso_mech_vector_sum(l, (iso_entry){.why = "cap"}, x, 1, 1, 1, out, &err),
		 ISO_E_BUDGET, "not charged");
	tk_ok(iso_ledger_spend(l, h, &e, &err));
	tk_assert_close(iso_ledger_left(l, h), 0.375, 1e-15, 0);
	tk_fails(iso_ledger_spend(l, h, &e, &err), ISO_E_BUDGET, "before the last one was used");
	tk_ok(iso_mech_vector_sum(l, (iso_entry){.why = "cap"}, x, 1, 1, 1, out, &err));
	tk_fails(iso_mech_vector_sum(l, (iso_entry){.why = "cap"}, x, 1, 1, 1, out, &err),
		 ISO_E_BUDGET, "not charged");
	/* two choices of epsilon 1 at epsilon^2 / 8 each */
	tk_ok(iso_ledger_spend(l, h, &choice, &err));
	tk_assert_close(iso_ledger_left(l, h), 0.125, 1e-15, 0);
	tk_fails(iso_mech_vector_sum(l, (iso_entry){.why = "cap"}, x, 1, 1, 1, out, &err),
		 ISO_E_BUDGET, "other mechanism");
	for (int k = 0; k < 2; k++)
		tk_ok(iso_mech_exponential(l, (iso_entry){.why = "cap"}, x, 1, &chosen, &err));
	/* beyond the cap: refused, nothing charged; exactly the cap: allowed */
	e.noise = 1.99;
	tk_fails(iso_ledger_spend(l, h, &e, &err), ISO_E_BUDGET, "cap exceeded");
	tk_assert_close(iso_ledger_left(l, h), 0.125, 1e-15, 0);
	e = gaussian(2, 0.5, 1);
	tk_fails(iso_ledger_spend(l, h, &e, &err), ISO_E_UNSUPPORTED, "plan the cap in rdp");
	e = gaussian(2, 1, 1);
	tk_ok(iso_ledger_spend(l, h, &e, &err));
	tk_assert_close(iso_ledger_left(l, h), 0, 0, 1e-15);
	tk_ok(iso_ledger_settled(l, &err)); /* a paid call may stay unmade */
	/* the cost is the cap: zCDP 0.5, as one Gaussian of sigma 1 in Renyi terms */
	tk_ok(iso_ledger_epsilon(l, 1e-5, ISO_WANT_RDP | ISO_WANT_PLD, &eps, &err));
	ck_assert(isnan(eps.pld_upper));
	{
		iso_events one = {0};
		double want;

		e = gaussian(1, 1, 1);
		tk_ok(iso_events_add(&one, &e, &err));
		tk_ok(iso_account_one(&one, ISO_ADD_REMOVE, 1e-5, ISO_ACC_RDP, &want, &err));
		tk_assert_close(eps.rdp, want, 1e-9, 0);
		iso_events_free(&one);
	}
	iso_ledger_free(l);
}
END_TEST

/* A cap that was never touched costs what it is. */
START_TEST(a_cap_costs_its_cap)
{
	iso_plan p = {0};
	iso_epsilons before, after;
	iso_event e = gaussian(5, 1, 1);
	iso_ledger *l;

	tk_ok(iso_plan_adaptive_zcdp(&p, (iso_entry){.why = "cap"}, 0.1, 1, &err));
	l = ledger_of(&p, ISO_ADD_REMOVE);
	tk_ok(iso_ledger_settled(l, &err));
	tk_ok(iso_ledger_epsilon(l, 1e-5, ISO_WANT_RDP, &before, &err));
	tk_ok(iso_ledger_spend(l, 0, &e, &err));
	tk_ok(iso_ledger_epsilon(l, 1e-5, ISO_WANT_RDP, &after, &err));
	ck_assert_double_gt(before.rdp, 0.5);
	ck_assert_double_eq(before.rdp, after.rdp);
	iso_ledger_free(l);
}
END_TEST

/* Sampled Gaussians whose rate follows a released count: Renyi cap at order 8. */
START_TEST(rdp_filter_takes_sampled_gaussians)
{
	const double order = 8, one = iso_rdp_sgm(order, 0.01, 1.1),
		     two = iso_rdp_sgm(order, 0.02, 1.1);
	iso_plan p = {0};
	iso_event e = gaussian(1.1, 0.01, 100);
	const uint64_t id[] = {1, 2, 3};
	const iso_sum_block block = {.dim = 1, .clip = 1, .norm = ISO_NORM_L2};
	iso_sum_stream *s;
	iso_epsilons eps;
	iso_ledger *l;
	double out[1];
	size_t n;
	int h;

	tk_ok(iso_plan_adaptive_rdp(&p, (iso_entry){.why = "cap"}, order, 100 * one + 10 * two, 1,
				    &err));
	l = ledger_of(&p, ISO_ADD_REMOVE);
	h = handle_of(l, "cap");
	tk_ok(iso_ledger_spend(l, h, &e, &err));
	tk_assert_close(iso_ledger_left(l, h), 10 * two, 1e-9, 0);
	for (int k = 0; k < 100; k++) {
		tk_ok(iso_mech_sum_begin(l, (iso_entry){.why = "cap"}, id, 3, &block, 1, &s, &err));
		(void)iso_mech_sum_rows(s, &n);
		tk_ok(iso_mech_sum_finish(s, out, &err));
	}
	e = gaussian(1.1, 0.02, 11);
	tk_fails(iso_ledger_spend(l, h, &e, &err), ISO_E_BUDGET, "cap exceeded");
	e.count = 10;
	tk_ok(iso_ledger_spend(l, h, &e, &err));
	/* (order, r) alone converts at that order: Canonne, Kamath and Steinke, Proposition 12 */
	tk_ok(iso_ledger_epsilon(l, 1e-5, ISO_WANT_RDP, &eps, &err));
	tk_assert_close(eps.rdp,
			100 * one + 10 * two + log1p(-1 / order) - log(1e-5 * order) / (order - 1),
			1e-6, 0);
	tk_assert_close(eps.rdp_order, order, 1e-6, 0);
	iso_ledger_free(l);
}
END_TEST

START_TEST(spend_refuses_fixed_entries_and_deltas)
{
	iso_plan p = {0};
	const iso_event open = {
		.mechanism = ISO_MECH_PURE, .epsilon = 0.1, .delta = 1e-6, .count = 1};
	const iso_event bad = gaussian(-1, 1, 1), good = gaussian(1, 1, 1);
	iso_ledger *l;

	tk_ok(iso_plan_gaussian(&p, (iso_entry){.why = "fixed"}, 1, 1, 1, 1, &err));
	tk_ok(iso_plan_adaptive_zcdp(&p, (iso_entry){.why = "z"}, 1, 1, &err));
	tk_ok(iso_plan_adaptive_rdp(&p, (iso_entry){.why = "r"}, 3, 1, 1, &err));
	l = ledger_of(&p, ISO_ADD_REMOVE);
	tk_fails(iso_ledger_spend(l, 0, &good, &err), ISO_E_BUDGET, "fixed entry");
	tk_fails(iso_ledger_spend(l, 1, &open, &err), ISO_E_UNSUPPORTED, "no cost");
	tk_fails(iso_ledger_spend(l, 2, &open, &err), ISO_E_UNSUPPORTED, "no cost");
	tk_fails(iso_ledger_spend(l, 1, &bad, &err), ISO_E_CONFIG, "noise multiplier");
	ck_assert_double_eq(iso_ledger_left(l, 0), 0);
	ck_assert_double_eq(iso_ledger_left(l, 99), 0);
	iso_ledger_close(l);
	tk_fails(iso_ledger_spend(l, 1, &good, &err), ISO_E_BUDGET, "closed");
	iso_ledger_free(l);
}
END_TEST

/* ------------------------------------------------------------------ noise of the call */

/* Same place, bounds 1 and 3: the noise is three times as large; a bound above the plan is refused
 * unless the plan sets none. */
START_TEST(noise_follows_the_call)
{
	const double clip[] = {1, 3};
	double z[2], out[1];

	for (int k = 0; k < 2; k++) {
		iso_plan p = {0};
		iso_ledger *l;

		tk_ok(iso_plan_gaussian(&p, (iso_entry){.why = "sum"}, 2, 1, 2, INFINITY, &err));
		l = ledger_of(&p, ISO_ADD_REMOVE);
		tk_ok(iso_mech_vector_sum(l, (iso_entry){.why = "sum"}, NULL, 0, 1, clip[k], &z[k],
					  &err));
		tk_fails(iso_mech_vector_sum(l, (iso_entry){.why = "sum"}, NULL, 0, 1, INFINITY,
					     out, &err),
			 ISO_E_BUDGET, "infinite sensitivity");
		iso_ledger_free(l);
	}
	tk_assert_close(z[1], 3 * z[0], 1e-12, 0);
}
END_TEST

/* zCDP and pure entries through the same doors, under both adjacencies: scale of one known variate
 * against that of the equivalent multiplier. */
START_TEST(declared_costs_set_the_scale)
{
	const iso_event z = {.mechanism = ISO_MECH_ZCDP, .rho = 0.125, .count = 1};
	const iso_event pure = {.mechanism = ISO_MECH_PURE, .epsilon = 0.5, .count = 1};
	const iso_adjacency adj[] = {ISO_ADD_REMOVE, ISO_REPLACE_ONE};

	for (int k = 0; k < 2; k++) {
		iso_plan p = {0}, q = {0};
		double a[2], b[2];
		iso_ledger *l;

		tk_ok(iso_plan_event(&p, (iso_entry){.why = "z"}, &z, 3, &err));
		tk_ok(iso_plan_event(&p, (iso_entry){.why = "p"}, &pure, 3, &err));
		l = ledger_of(&p, adj[k]);
		tk_ok(iso_mech_vector_sum(l, (iso_entry){.why = "z"}, NULL, 0, 1, 3, &a[0], &err));
		tk_ok(iso_mech_vector_sum(l, (iso_entry){.why = "p"}, NULL, 0, 1, 3, &a[1], &err));
		iso_ledger_free(l);
		/* sigma 2 is rho 1/8, scale 2 is epsilon 1/2 */
		tk_ok(iso_plan_gaussian(&q, (iso_entry){.why = "z"}, 2, 1, 1, 3, &err));
		tk_ok(iso_plan_laplace(&q, (iso_entry){.why = "p"}, 2, 1, 3, &err));
		l = ledger_of(&q, adj[k]);
		tk_ok(iso_mech_vector_sum(l, (iso_entry){.why = "z"}, NULL, 0, 1, 3, &b[0], &err));
		tk_ok(iso_mech_vector_sum(l, (iso_entry){.why = "p"}, NULL, 0, 1, 3, &b[1], &err));
		iso_ledger_free(l);
		tk_assert_close(a[0], (k + 1) * b[0], 1e-12, 0);
		tk_assert_close(a[1], (k + 1) * b[1], 1e-12, 0);
	}
}
END_TEST

static float float_noise(double multiplier, int pieces)
{
	iso_plan p = {0};
	iso_ledger *l;
	uint32_t call;
	float f[1] = {0};

	tk_ok(iso_plan_gaussian(&p, (iso_entry){.why = "f"}, multiplier, 1, 1, 1, &err));
	l = ledger_of(&p, ISO_ADD_REMOVE);
	tk_ok(iso_release_begin(l, 0, 1, 1, &call, &err));
	if (pieces)
		tk_ok(iso_release_piece_f32(l, 0, call, 0, 1, f, &err));
	else
		tk_ok(iso_release_finish_f32(l, 0, call, f, 1, &err));
	iso_ledger_free(l);
	return f[0];
}

/* A float sum carries 1e-4 more noise, for the rounding that a replay tolerates. */
START_TEST(float_sums_pay_for_their_rounding)
{
	iso_release_key key;
	float raw[1] = {0};
	iso_noise *z;

	tk_ok(iso_release_key_plain(9, "adaptive", 0, &key, &err));
	tk_ok(iso_noise_new(key.digest, 0, &z, &err));
	tk_ok(iso_noise_add_gaussian_f32(z, 0, 0, 0, 1, 1, raw, &err));
	iso_noise_free(z);
	for (int pieces = 0; pieces < 2; pieces++)
		tk_assert_close(float_noise(1, pieces) / raw[0], 1.0001, 3e-7, 0);
}
END_TEST

/* ------------------------------------------------------------------ parts */

static double one_epsilon(double sigma, uint64_t count)
{
	const iso_event e = gaussian(sigma, 1, count);
	iso_events list = {0};
	double eps;

	tk_ok(iso_events_add(&list, &e, &err));
	tk_ok(iso_account_one(&list, ISO_ADD_REMOVE, 1e-5, ISO_ACC_PLD, &eps, &err));
	iso_events_free(&list);
	return eps;
}

/* Clients k = 0, 1, 2 with 1, 4 and 9 releases of sigma 5. */
START_TEST(each_part_has_its_epsilon)
{
	const uint64_t count[] = {1, 4, 9};
	iso_plan p = {0};
	iso_epsilons e;
	iso_ledger *l;
	double out[1];

	for (int k = 0; k < 3; k++)
		tk_ok(iso_plan_gaussian(&p, (iso_entry){"sum", 1, k, ISO_UNIT_CLIENT}, 5, 1,
					count[k], 1, &err));
	l = ledger_of(&p, ISO_ADD_REMOVE);
	for (int k = 0; k < 3; k++)
		for (uint64_t c = 0; c < count[k]; c++)
			tk_ok(iso_mech_vector_sum(l, (iso_entry){"sum", 1, k, ISO_UNIT_CLIENT},
						  NULL, 0, 1, 1, out, &err));
	for (int k = 0; k < 3; k++) {
		tk_ok(iso_ledger_epsilon_of(l, 1, k, 1e-5, ISO_WANT_PLD, &e, &err));
		tk_assert_close(e.pld_upper, one_epsilon(5, count[k]), 1e-6, 0);
	}
	tk_ok(iso_ledger_epsilon(l, 1e-5, ISO_WANT_PLD, &e, &err));
	tk_assert_close(e.pld_upper, one_epsilon(5, 9), 1e-6, 0);
	tk_fails(iso_ledger_epsilon_of(l, 0, 0, 1e-5, ISO_WANT_PLD, &e, &err), ISO_E_USAGE,
		 "groups count from 1");
	iso_ledger_free(l);
}
END_TEST

/* ------------------------------------------------------------------ record */

START_TEST(caps_and_units_survive_json)
{
	iso_plan p = {0};
	const iso_event e = gaussian(3, 1, 1);
	cJSON *array, *first;
	iso_epsilons want;
	iso_events events;
	size_t uncharged;
	iso_ledger *l;
	double eps;

	tk_ok(iso_plan_adaptive_zcdp(&p, (iso_entry){"z", 0, 0, ISO_UNIT_CLIENT}, 0.3, 1, &err));
	tk_ok(iso_plan_adaptive_rdp(&p, (iso_entry){"r", 0, 0, ISO_UNIT_CLIENT}, 12.5, 0.2,
				    INFINITY, &err));
	l = ledger_of(&p, ISO_ADD_REMOVE);
	tk_ok(iso_ledger_spend(l, 0, &e, &err));
	tk_ok(iso_ledger_to_json(l, &array, &err));
	ck_assert_int_eq(cJSON_GetArraySize(array), 2);
	first = cJSON_GetArrayItem(array, 0);
	ck_assert_str_eq(cJSON_GetObjectItem(first, "unit")->valuestring, "client");
	ck_assert(cJSON_IsTrue(cJSON_GetObjectItem(first, "adaptive")));
	tk_assert_close(tk_number(first, "spent"), 1.0 / 18, 1e-15, 0);
	tk_assert_close(tk_number(first, "rho"), 0.3, 1e-15, 0);
	tk_assert_close(tk_number(cJSON_GetArrayItem(array, 1), "order"), 12.5, 1e-15, 0);
	tk_ok(iso_ledger_events_from_json(array, &events, &uncharged, &err));
	tk_ok(iso_account_one(&events, ISO_ADD_REMOVE, 1e-5, ISO_ACC_RDP, &eps, &err));
	tk_ok(iso_ledger_epsilon(l, 1e-5, ISO_WANT_RDP, &want, &err));
	ck_assert_double_eq(eps, want.rdp);
	iso_events_free(&events);
	/* edited: more spent than the cap; a cap of another mechanism */
	cJSON_SetNumberValue(cJSON_GetObjectItem(first, "spent"), 0.31);
	tk_fails(iso_ledger_events_from_json(array, &events, &uncharged, &err), ISO_E_DATA,
		 "spent");
	cJSON_SetNumberValue(cJSON_GetObjectItem(first, "spent"), 0.1);
	cJSON_ReplaceItemInObject(first, "mechanism", cJSON_CreateString("gaussian"));
	tk_fails(iso_ledger_events_from_json(array, &events, &uncharged, &err), ISO_E_DATA,
		 "adaptive");
	cJSON_Delete(array);
	iso_ledger_free(l);
}
END_TEST

/* ------------------------------------------------------------------ replay */

/* One adaptive call whose multiplier is 2 or follows a private value. */
static void adaptive_run(iso_replay *r, double multiplier)
{
	iso_plan p = {0};
	const iso_event e = gaussian(multiplier, 1, 1);
	const double x[] = {0.5};
	iso_ledger *l;
	double out[1];

	tk_ok(iso_plan_adaptive_zcdp(&p, (iso_entry){.why = "cap"}, 1, 1, &err));
	l = ledger_of(&p, ISO_ADD_REMOVE);
	iso_ledger_set_replay(l, r);
	tk_ok(iso_ledger_spend(l, 0, &e, &err));
	tk_ok(iso_mech_vector_sum(l, (iso_entry){.why = "cap"}, x, 1, 1, 1, out, &err));
	iso_ledger_free(l);
}

START_TEST(replay_sees_a_private_price)
{
	iso_replay *r;

	tk_ok(iso_replay_new(&r, &err));
	adaptive_run(r, 2);
	iso_replay_rewind(r);
	adaptive_run(r, 2);
	iso_replay_end(r);
	ck_assert_int_eq(iso_replay_finding(r)->kind, ISO_FINDING_NONE);
	iso_replay_rewind(r);
	adaptive_run(r, 2.5);
	ck_assert_int_eq(iso_replay_finding(r)->kind, ISO_FINDING_CONTROL_FLOW);
	iso_replay_free(r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("privacy/adaptive");
	TCase *c = tcase_create("adaptive");

	tcase_add_test(c, entries_are_named_by_why_group_and_part);
	tcase_add_test(c, thirty_thousand_parts);
	tcase_add_test(c, zcdp_filter_adds_and_refuses);
	tcase_add_test(c, a_cap_costs_its_cap);
	tcase_add_test(c, rdp_filter_takes_sampled_gaussians);
	tcase_add_test(c, spend_refuses_fixed_entries_and_deltas);
	tcase_add_test(c, noise_follows_the_call);
	tcase_add_test(c, declared_costs_set_the_scale);
	tcase_add_test(c, float_sums_pay_for_their_rounding);
	tcase_add_test(c, each_part_has_its_epsilon);
	tcase_add_test(c, caps_and_units_survive_json);
	tcase_add_test(c, replay_sees_a_private_price);
	suite_add_tcase(s, c);
	return tk_run(s);
}
