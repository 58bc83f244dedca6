// SPDX-License-Identifier: Apache-2.0
/* What must hold whatever the numbers are: orderings, monotony, composition, inverses, and no NaN
 * at the edges. */
#include "tests/support/testkit.h"

#include <stdio.h>

#include "core/privacy/account_private.h"

static iso_event sgm(double q, double sigma, double steps)
{
	return (iso_event){.mechanism = ISO_MECH_GAUSSIAN,
			   .noise = sigma,
			   .sampling = q < 1 ? ISO_SAMPLING_POISSON : ISO_SAMPLING_NONE,
			   .rate = q,
			   .count = (uint64_t)steps};
}

static void account(const iso_event *e, size_t n, iso_adjacency adj, double delta,
		    iso_epsilons *out)
{
	iso_events list = {0};
	iso_error err = {0};

	for (size_t i = 0; i < n; i++)
		tk_ok(iso_events_add(&list, &e[i], &err));
	tk_ok(iso_account_epsilon(&list, adj, delta, ISO_WANT_ALL, out, &err));
	iso_events_free(&list);
}

/* lower <= upper <= rdp <= classic <= moments. */
static void check_order(const iso_epsilons *o, const char *what)
{
	ck_assert_msg(o->pld_lower >= 0 && o->pld_lower <= o->pld_upper, "%s: pld %.12g to %.12g",
		      what, o->pld_lower, o->pld_upper);
	ck_assert_msg(o->pld_upper <= o->rdp, "%s: pld %.12g above rdp %.12g", what, o->pld_upper,
		      o->rdp);
	ck_assert_msg(o->rdp <= o->rdp_classic * (1 + 1e-12), "%s: rdp %.12g above classic %.12g",
		      what, o->rdp, o->rdp_classic);
	ck_assert_msg(o->rdp_classic <= o->moments * (1 + 1e-9),
		      "%s: classic %.12g above moments %.12g", what, o->rdp_classic, o->moments);
}

START_TEST(orderings)
{
	const iso_event e[] = {
		sgm(0.01, 0.8, 500),
		sgm(1, 3, 7),
		sgm(0.5, 2, 30),
		{.mechanism = ISO_MECH_LAPLACE, .noise = 3, .count = 5},
		{.mechanism = ISO_MECH_EXPONENTIAL, .epsilon = 0.2, .count = 12},
		{.mechanism = ISO_MECH_PURE, .epsilon = 0.3, .delta = 1e-9, .count = 4},
		{.mechanism = ISO_MECH_RANDOMIZED_RESPONSE, .epsilon = 1, .count = 3},
		{.mechanism = ISO_MECH_PATE_LNMAX, .noise = 20, .count = 100},
		{.mechanism = ISO_MECH_PATE_GNMAX, .noise = 40, .count = 100}};
	char what[64];
	iso_epsilons o;

	for (int adj = 0; adj < 2; adj++)
		for (size_t i = 0; i < ISO_COUNT(e); i++) {
			snprintf(what, sizeof(what), "%s, %s", iso_mech_name(e[i].mechanism),
				 iso_adjacency_name((iso_adjacency)adj));
			account(&e[i], 1, (iso_adjacency)adj, 1e-6, &o);
			check_order(&o, what);
			ck_assert_msg(o.pld_upper > 0, "%s", what);
			if (i + 1 < ISO_COUNT(e)) { /* and pairs of neighbours in the table */
				account(&e[i], 2, (iso_adjacency)adj, 1e-6, &o);
				check_order(&o, what);
			}
		}
}
END_TEST

/* One step of a parameter in the direction of more privacy must not raise any bound. */
static void check_monotone(iso_event more, iso_event less, double delta_more, double delta_less,
			   const char *what)
{
	iso_epsilons a, b;

	account(&more, 1, ISO_ADD_REMOVE, delta_more, &a);
	account(&less, 1, ISO_ADD_REMOVE, delta_less, &b);
	ck_assert_msg(a.pld_upper > b.pld_upper, "%s: pld %.12g, %.12g", what, a.pld_upper,
		      b.pld_upper);
	ck_assert_msg(a.pld_lower > b.pld_lower, "%s: lower %.12g, %.12g", what, a.pld_lower,
		      b.pld_lower);
	ck_assert_msg(a.rdp > b.rdp, "%s: rdp %.12g, %.12g", what, a.rdp, b.rdp);
	ck_assert_msg(a.rdp_classic > b.rdp_classic, "%s: classic", what);
	ck_assert_msg(a.moments > b.moments, "%s: moments", what);
	if (!isnan(a.gdp))
		ck_assert_msg(a.gdp > b.gdp, "%s: gdp", what);
}

START_TEST(monotone)
{
	const double sigmas[] = {0.6, 1.1, 4}, rates[] = {0.002, 0.05, 0.6},
		     steps[] = {1, 300, 20000};

	for (size_t i = 0; i < ISO_COUNT(sigmas); i++)
		for (size_t j = 0; j < ISO_COUNT(rates); j++)
			for (size_t k = 0; k < ISO_COUNT(steps); k++) {
				const iso_event e = sgm(rates[j], sigmas[i], steps[k]);
				char what[96];
				iso_epsilons o;

				snprintf(what, sizeof(what), "sigma %g q %g steps %g", sigmas[i],
					 rates[j], steps[k]);
				account(&e, 1, ISO_ADD_REMOVE, 1e-5, &o);
				if (!(o.pld_lower > 1e-6)) /* clamped at zero */
					continue;
				check_monotone(e, sgm(rates[j], sigmas[i] * 1.02, steps[k]), 1e-5,
					       1e-5, what);
				check_monotone(sgm(rates[j] * 1.02, sigmas[i], steps[k]), e, 1e-5,
					       1e-5, what);
				check_monotone(sgm(rates[j], sigmas[i], ceil(steps[k] * 1.04)), e,
					       1e-5, 1e-5, what);
				check_monotone(e, e, 1e-5, 1.2e-5, what);
			}
}
END_TEST

/* RDP grows with the order, and (alpha - 1) eps(alpha) is convex. */
START_TEST(curve_shape)
{
	for (int m = 0; m < 6; m++) {
		double last = 0, y0 = 0, y1 = 0, x0 = 0, x1 = 0;

		for (double x = 0.01; x < 200; x *= 1.3) {
			const double a = 1 + x;
			const double r = m == 0	  ? iso_rdp_sgm(a, 0.02, 0.9)
					 : m == 1 ? iso_rdp_sgm_replace(a, 0.02, 0.9)
					 : m == 2 ? iso_rdp_laplace(a, 0.7)
					 : m == 3 ? iso_rdp_pure(a, 0.8)
					 : m == 4 ? iso_rdp_wor(a, 0.02, 1.5)
						  : iso_rdp_gaussian(a, 2);

			ck_assert_msg(r >= last * (1 - 1e-12), "curve %d falls at %g", m, a);
			if (y0 > 0 && m != 4) /* slopes grow */
				ck_assert_msg((x * r - y1) / (x - x1) >=
						      (y1 - y0) / (x1 - x0) * (1 - 1e-7),
					      "curve %d not convex at %g", m, a);
			y0 = y1, x0 = x1, y1 = x * r, x1 = x, last = r;
		}
	}
}
END_TEST

/* The whole is the composition of its halves, in any order; q = 1 is the Gaussian; k Gaussians are
 * one. */
START_TEST(composition)
{
	const iso_event whole = sgm(0.03, 1.3, 600),
			halves[] = {sgm(0.03, 1.3, 250), sgm(0.03, 1.3, 350)};
	const iso_event a[] = {sgm(0.03, 1.3, 250),
			       {.mechanism = ISO_MECH_LAPLACE, .noise = 7, .count = 3},
			       sgm(1, 9, 2)};
	const iso_event b[] = {a[2], a[0], a[1]};
	const iso_event split[] = {sgm(1, 3, 2), sgm(1, 4, 5)};
	const iso_event joined = sgm(1, 1 / sqrt(2 / 9.0 + 5 / 16.0), 1);
	iso_event none = sgm(1, 3, 2);
	iso_epsilons x, y;

	account(&whole, 1, ISO_ADD_REMOVE, 1e-5, &x);
	account(halves, 2, ISO_ADD_REMOVE, 1e-5, &y);
	tk_assert_close(y.pld_upper, x.pld_upper, 1e-12, 0);
	tk_assert_close(y.rdp, x.rdp, 1e-10, 0);
	tk_assert_close(y.gdp, x.gdp, 1e-12, 0);
	account(a, 3, ISO_ADD_REMOVE, 1e-5, &x);
	account(b, 3, ISO_ADD_REMOVE, 1e-5, &y);
	tk_assert_close(y.pld_upper, x.pld_upper, 1e-7, 0);
	tk_assert_close(y.pld_lower, x.pld_lower, 1e-5, 0);
	tk_assert_close(y.rdp, x.rdp, 1e-10, 0);
	account(split, 2, ISO_REPLACE_ONE, 1e-7, &x);
	account(&joined, 1, ISO_REPLACE_ONE, 1e-7, &y);
	tk_assert_close(y.pld_upper, x.pld_upper, 1e-11, 0);
	tk_assert_close(y.rdp, x.rdp, 1e-10, 0);
	account(&none, 1, ISO_ADD_REMOVE, 1e-7, &x);
	none.sampling = ISO_SAMPLING_POISSON;
	account(&none, 1, ISO_ADD_REMOVE, 1e-7, &y);
	tk_assert_close(y.pld_upper, x.pld_upper, 1e-14, 0);
	tk_assert_close(y.rdp, x.rdp, 1e-14, 0);
	tk_assert_close(y.gdp, x.gdp, 1e-14, 0);
}
END_TEST

/* One Laplace release in closed form: delta(eps) = 1 - e^((eps - 1/b)/2). */
START_TEST(one_laplace)
{
	for (double b = 0.3; b < 40; b *= 3) {
		const iso_event e = {.mechanism = ISO_MECH_LAPLACE, .noise = b, .count = 1};
		const double exact = fmax(0, 1 / b + 2 * log1p(-1e-6));
		iso_epsilons o;

		account(&e, 1, ISO_ADD_REMOVE, 1e-6, &o);
		tk_assert_close(o.pld_upper, exact, 1e-5, 1e-9);
		tk_assert_close(o.pld_lower, exact, 1e-4, 1e-9);
		ck_assert(o.pld_upper >= exact * (1 - 1e-9) && o.pld_lower <= exact * (1 + 1e-9));
	}
}
END_TEST

/* delta(eps(delta)) = delta. */
START_TEST(inverse)
{
	const iso_event e[] = {sgm(0.01, 1.1, 1000),
			       sgm(1, 2, 3),
			       {.mechanism = ISO_MECH_LAPLACE, .noise = 5, .count = 20},
			       sgm(0.2, 3, 50)};
	iso_error err = {0};

	for (int adj = 0; adj < 2; adj++)
		for (size_t i = 0; i < ISO_COUNT(e); i++)
			for (double delta = 1e-3; delta > 1e-13; delta *= 1e-4) {
				iso_events list = {0};
				iso_epsilons o;
				double pld, rdp;

				tk_ok(iso_events_add(&list, &e[i], &err));
				tk_ok(iso_account_epsilon(&list, (iso_adjacency)adj, delta,
							  ISO_WANT_PLD | ISO_WANT_RDP, &o, &err));
				tk_ok(iso_account_delta(&list, (iso_adjacency)adj, o.pld_upper,
							&pld, NULL, &err));
				ck_assert_msg(tk_close(pld, delta, 1e-3, 0), "%zu: %.6g of %.6g", i,
					      pld, delta);
				tk_ok(iso_account_delta(&list, (iso_adjacency)adj, o.rdp, NULL,
							&rdp, &err));
				ck_assert_msg(tk_close(rdp, delta, 1e-4, 0),
					      "%zu: rdp %.6g of %.6g", i, rdp, delta);
				iso_events_free(&list);
			}
}
END_TEST

/* No NaN, no crash: finite and ordered, or infinite, or refused with a reason. */
START_TEST(edges)
{
	const double sigmas[] = {0.05, 0.3, 1, 100, 1e4}, rates[] = {1e-8, 1e-3, 0.5, 1},
		     steps[] = {1, 1000, 1e7};
	const double deltas[] = {1e-5, 1e-15};
	iso_error err = {0};

	for (size_t i = 0; i < ISO_COUNT(sigmas); i++)
		for (size_t j = 0; j < ISO_COUNT(rates); j++)
			for (size_t k = 0; k < ISO_COUNT(steps); k++)
				for (size_t d = 0; d < ISO_COUNT(deltas); d++) {
					const iso_event e = sgm(rates[j], sigmas[i], steps[k]);
					iso_events list = {0};
					char what[96];
					iso_epsilons o;

					snprintf(what, sizeof(what),
						 "sigma %g q %g steps %g delta %g", sigmas[i],
						 rates[j], steps[k], deltas[d]);
					tk_ok(iso_events_add(&list, &e, &err));
					if (iso_account_epsilon(&list, ISO_ADD_REMOVE, deltas[d],
								ISO_WANT_ALL, &o, &err) != ISO_OK) {
						ck_assert_msg(err.code == ISO_E_NUMERIC &&
								      rates[j] < 1,
							      "%s: %s", what, err.text);
						iso_error_clear(&err);
					} else {
						check_order(&o, what);
						ck_assert_msg(o.gdp >= 0 && o.moments >= 0, "%s",
							      what);
						ck_assert_msg(o.pld_upper < INFINITY &&
								      o.rdp < INFINITY,
							      "%s", what);
					}
					iso_events_free(&list);
				}
}
END_TEST

/* Epsilon near 1000 and a Gaussian as oracle. */
START_TEST(large_epsilon)
{
	iso_event e = sgm(0.9999999, 0.025, 1);
	iso_epsilons o;

	account(&e, 1, ISO_ADD_REMOVE, 1e-5, &o);
	ck_assert(o.pld_upper > 700);
	tk_assert_close(o.pld_upper, iso_gaussian_epsilon(40, 1e-5), 1e-3, 0);
	e = sgm(1, 0.025, 1);
	account(&e, 1, ISO_ADD_REMOVE, 1e-5, &o);
	tk_assert_close(o.pld_upper, iso_gaussian_epsilon(40, 1e-5), 1e-10, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("account_properties");
	TCase *t = tcase_create("properties");

	tcase_add_test(t, orderings);
	tcase_add_test(t, monotone);
	tcase_add_test(t, curve_shape);
	tcase_add_test(t, composition);
	tcase_add_test(t, one_laplace);
	tcase_add_test(t, inverse);
	tcase_add_test(t, edges);
	tcase_add_test(t, large_epsilon);
	suite_add_tcase(s, t);
	return tk_run(s);
}
