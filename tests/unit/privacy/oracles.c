// SPDX-License-Identifier: Apache-2.0
/* Ledgers whose epsilon is known by hand: parallel groups of Laplace and pure events, a ledger with
 * something uncharged, and pieces of a release whose sample was never drawn. */
#include <string.h>

#include "core/privacy/mechanism.h"
#include "core/privacy/mechanism_trusted.h"
#include "core/privacy/release_key.h"
#include "tests/support/testkit.h"

static iso_error err;
#define TINY 1e-12

static iso_ledger *ledger_of(iso_plan *p, iso_adjacency adj)
{
	iso_release_key key;
	iso_ledger *l;

	tk_ok(iso_release_key_plain(2, "oracles", 0, &key, &err));
	tk_ok(iso_ledger_new(p, "oracles", adj, &key, &l, &err));
	iso_plan_free(p);
	return l;
}

/* Uses every entry once. */
static void release_all(iso_ledger *l)
{
	const iso_plan *p = iso_ledger_items(l);
	double out[1];

	for (size_t i = 0; i < p->n; i++) {
		iso_entry e = {.group = p->v[i].group, .part = p->v[i].part};
		char why[48];

		strcpy(why, p->v[i].why);
		e.why = why;
		tk_ok(iso_mech_vector_sum(l, e, NULL, 0, 1, 1, out, &err));
	}
	tk_ok(iso_ledger_settled(l, &err));
}

static iso_epsilons epsilon(const iso_ledger *l, double delta)
{
	iso_epsilons e;

	tk_ok(iso_ledger_epsilon(l, delta, ISO_WANT_PLD | ISO_WANT_RDP, &e, &err));
	return e;
}

static iso_ledger *laplace_groups(iso_adjacency adj)
{
	iso_plan p = {0};
	iso_ledger *l;

	for (int part = 0; part < 2; part++)
		tk_ok(iso_plan_laplace(&p, (iso_entry){.why = "sum", .group = 1, .part = part}, 10,
				       1, 1, &err));
	l = ledger_of(&p, adj);
	release_all(l);
	return l;
}

/* delta(t) of one Laplace release that moves by m scales: 1 - e^((t - m) / 2) for |t| <= m. */
static double one_laplace(double t, double m)
{
	return t >= m ? 0 : t <= -m ? 1 - exp(t) : 1 - exp((t - m) / 2);
}

/* delta(e) of two of them: the mean of one_laplace(e - L) over the loss L of the other, which is m
 * with probability 1/2, -m with e^-m / 2, and m - 2x with density e^-x / 2 between (midpoints). */
static double two_laplaces(double e, double m)
{
	const int steps = 200000;
	double sum = one_laplace(e - m, m) / 2 + exp(-m) * one_laplace(e + m, m) / 2;

	for (int i = 0; i < steps; i++) {
		const double x = m * (i + 0.5) / steps;

		sum += m / steps * exp(-x) / 2 * one_laplace(e - m + 2 * x, m);
	}
	return sum;
}

/* One record more or less lies in one part and moves it by one tenth of a scale: 0.1.  Under
 * replace-one a part is charged for a record that is replaced within it, two tenths, and two parts
 * may change: the accountants bound the group by 0.4.  (A record that changes parts moves each by
 * one tenth, so 0.2 is the true cost of this plan; 0.4 is the bound of two whole parts.) */
START_TEST(two_laplace_groups)
{
	const double delta = 0.01;
	iso_ledger *l = laplace_groups(ISO_ADD_REMOVE);
	iso_epsilons e = epsilon(l, TINY);

	tk_assert_close(e.rdp, 0.1, 1e-12, 0);
	tk_assert_close(e.pld_upper, 0.1, 1e-4, 0);
	tk_assert_close(e.pld_lower, 0.1, 1e-4, 0);
	e = epsilon(l, delta); /* 1 - e^((t - 0.1) / 2) = delta */
	tk_assert_close(e.pld_upper, 0.1 + 2 * log1p(-delta), 1e-3, 0);
	tk_assert_close(e.pld_lower, 0.1 + 2 * log1p(-delta), 1e-3, 0);
	iso_ledger_free(l);
	l = laplace_groups(ISO_REPLACE_ONE);
	e = epsilon(l, TINY);
	tk_assert_close(e.rdp, 0.4, 1e-12, 0);
	tk_assert_close(e.pld_upper, 0.4, 1e-4, 0);
	e = epsilon(l, delta);
	ck_assert_msg(two_laplaces(e.pld_upper, 0.2) <= delta, "not an upper bound");
	tk_assert_close(two_laplaces(e.pld_upper, 0.2), delta, 1e-2, 0);
	/* a record that is replaced within its part */
	tk_ok(iso_ledger_epsilon_of(l, 1, 1, TINY, ISO_WANT_PLD | ISO_WANT_RDP, &e, &err));
	tk_assert_close(e.rdp, 0.2, 1e-12, 0);
	tk_assert_close(e.pld_upper, 0.2, 1e-4, 0);
	iso_ledger_free(l);
}
END_TEST

static void add_pure(iso_plan *p, const char *why, int group, int part, double eps)
{
	const iso_event e = {.mechanism = ISO_MECH_PURE, .epsilon = eps, .count = 1};

	tk_ok(iso_plan_event(p, (iso_entry){.why = why, .group = group, .part = part}, &e, 1,
			     &err));
}

/* Parts of 0.3, 0.2 + 0.15 and 0.1, a second group of 0.05 and 0.02, and 0.4 for all.  Add-remove:
 * 0.4 + 0.35 + 0.05.  Replace-one: 0.4 + (0.35 + 0.3) + (0.05 + 0.02). */
START_TEST(pure_groups)
{
	static const double want[2] = {0.8, 1.12};

	for (int k = 0; k < 2; k++) {
		iso_plan p = {0};
		iso_ledger *l;
		iso_epsilons e;

		add_pure(&p, "a", 1, 0, 0.3);
		add_pure(&p, "a", 1, 1, 0.2);
		add_pure(&p, "b", 1, 1, 0.15);
		add_pure(&p, "a", 1, 2, 0.1);
		add_pure(&p, "c", 2, 0, 0.05);
		add_pure(&p, "c", 2, 1, 0.02);
		add_pure(&p, "all", 0, 0, 0.4);
		l = ledger_of(&p, k ? ISO_REPLACE_ONE : ISO_ADD_REMOVE);
		tk_ok(iso_ledger_epsilon(l, TINY, ISO_WANT_RDP, &e, &err));
		tk_assert_close(e.rdp, 0, 0, 0); /* nothing is released yet */
		release_all(l);
		e = epsilon(l, TINY);
		tk_assert_close(e.rdp, want[k], 1e-12, 0);
		tk_assert_close(e.pld_upper, want[k], 1e-4, 0);
		/* the records of one part: 0.4 + 0.1, and the worst part of the other group */
		tk_ok(iso_ledger_epsilon_of(l, 1, 2, TINY, ISO_WANT_RDP, &e, &err));
		tk_assert_close(e.rdp, k ? 0.4 + 0.1 + 0.07 : 0.4 + 0.1 + 0.05, 1e-12, 0);
		iso_ledger_free(l);
	}
}
END_TEST

static void all_infinite(const iso_ledger *l)
{
	iso_epsilons e;

	tk_ok(iso_ledger_epsilon(l, 1e-5, ISO_WANT_ALL, &e, &err));
	const double field[] = {e.pld_lower, e.pld_upper, e.rdp, e.rdp_classic, e.moments, e.gdp};
	for (size_t i = 0; i < ISO_COUNT(field); i++)
		ck_assert_msg(isinf(field[i]) && field[i] > 0, "field %zu is %g", i, field[i]);
}

/* With something uncharged there is no finite epsilon under any accountant: beside a Gaussian whose
 * six numbers are finite, beside one that no release used yet, and alone. */
START_TEST(uncharged_is_infinite_in_all_fields)
{
	iso_epsilons e;
	iso_ledger *l;
	double out[1];

	for (int k = 0; k < 3; k++) {
		iso_plan p = {0};

		if (k < 2)
			tk_ok(iso_plan_gaussian(&p, (iso_entry){.why = "g"}, 5, 1, 1, 1, &err));
		else
			tk_ok(iso_plan_uncharged(&p, "a look at the rows", &err));
		l = ledger_of(&p, ISO_ADD_REMOVE);
		if (k == 0) {
			tk_ok(iso_mech_vector_sum(l, (iso_entry){.why = "g"}, NULL, 0, 1, 1, out,
						  &err));
			tk_ok(iso_ledger_epsilon(l, 1e-5, ISO_WANT_ALL, &e, &err));
			ck_assert(e.pld_lower > 0 && e.pld_upper < 2 && e.rdp < 2);
			ck_assert(e.rdp_classic < 2 && e.moments < 2 && e.gdp < 2);
		}
		tk_ok(iso_ledger_uncharged(l, "a look at the rows", &err));
		all_infinite(l);
		iso_ledger_free(l);
	}
}
END_TEST

/* A rate that was paid for and a batch that was not drawn: neither pieces nor the whole. */
START_TEST(pieces_need_their_sample)
{
	const uint64_t id[3] = {1, 2, 3};
	float x[4] = {1, 2, 3, 4};
	iso_plan p = {0};
	iso_ledger *l;
	uint32_t call, row[3];
	size_t n;

	tk_ok(iso_plan_gaussian(&p, (iso_entry){.why = "g"}, 1, 0.5, 2, 1, &err));
	l = ledger_of(&p, ISO_ADD_REMOVE);
	for (int t = 0; t < 2; t++) { /* a draw of the call before pays for nothing */
		const float before[4] = {x[0], x[1], x[2], x[3]};

		tk_ok(iso_release_begin(l, 0, 1, 1, &call, &err));
		tk_fails(iso_release_piece_f32(l, 0, call, 0, 4, x, &err), ISO_E_BUDGET,
			 "sampled release without its sample");
		tk_fails(iso_release_finish_f32(l, 0, call, x, 4, &err), ISO_E_BUDGET,
			 "sampled release without its sample");
		ck_assert_int_eq(memcmp(x, before, sizeof(x)), 0);
		tk_ok(iso_release_poisson(l, 0, call, id, 3, row, &n, &err));
		tk_ok(iso_release_piece_f32(l, 0, call, 0, 4, x, &err));
		for (int i = 0; i < 4; i++)
			ck_assert(x[i] != before[i]);
	}
	tk_ok(iso_ledger_settled(l, &err));
	iso_ledger_free(l);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("privacy/oracles");
	TCase *c = tcase_create("oracles");

	tcase_add_test(c, two_laplace_groups);
	tcase_add_test(c, pure_groups);
	tcase_add_test(c, uncharged_is_infinite_in_all_fields);
	tcase_add_test(c, pieces_need_their_sample);
	suite_add_tcase(s, c);
	return tk_run(s);
}
