// SPDX-License-Identifier: Apache-2.0
/* PLD bounds against golden values and closed forms. */
#include "tests/support/testkit.h"

#include <stdio.h>
#include <string.h>

#include "core/privacy/account_private.h"
#include "core/privacy/pld.h"
#include "core/privacy/pld_compose.h"

static double at(const cJSON *array, int i)
{
	const cJSON *v = cJSON_GetArrayItem(array, i);

	return cJSON_IsNumber(v)					 ? v->valuedouble
	       : cJSON_IsString(v) && strcmp(v->valuestring, "inf") == 0 ? INFINITY
									 : NAN;
}

static const cJSON *get(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

static iso_event sgm(double q, double sigma, double steps)
{
	return (iso_event){.mechanism = ISO_MECH_GAUSSIAN,
			   .noise = sigma,
			   .sampling = q < 1 ? ISO_SAMPLING_POISSON : ISO_SAMPLING_NONE,
			   .rate = q,
			   .count = (uint64_t)steps};
}

static void bounds(const iso_event *e, size_t n, iso_adjacency adj, double delta, iso_epsilons *out)
{
	iso_events list = {0};
	iso_error err = {0};

	for (size_t i = 0; i < n; i++)
		tk_ok(iso_events_add(&list, &e[i], &err));
	tk_ok(iso_account_epsilon(&list, adj, delta, ISO_WANT_PLD | ISO_WANT_RDP, out, &err));
	iso_events_free(&list);
}

/* eps_grid, field eps_best: the certified upper value lies in [best - 1e-7, best + 1e-4 max(1,
 * eps)], the certified lower value below best + err and close; the golden PRV interval holds best
 * for delta >= 1e-8; exact_gaussian_analytic. */
START_TEST(grid)
{
	cJSON *golden = tk_golden("accounting_eps_grid.json.gz");
	const cJSON *r;
	size_t compared = 0;

	cJSON_ArrayForEach(r, get(golden, "records"))
	{
		const char *id = cJSON_GetStringValue(get(r, "id"));
		const double delta = tk_number(r, "delta"),
			     best = tk_number(get(r, "eps_best"), "eps");
		const double error = tk_number(get(r, "eps_best"), "err"),
			     exact = tk_number(r, "exact_gaussian_analytic");
		const iso_event e =
			sgm(tk_number(r, "q"), tk_number(r, "sigma"), tk_number(r, "steps"));
		iso_epsilons o;

		bounds(&e, 1, ISO_ADD_REMOVE, delta, &o);
		ck_assert_msg(o.pld_upper >= best - 1e-7 - error &&
				      o.pld_upper <= best + 1e-4 * fmax(1, best),
			      "%s: upper %.12g, best %.12g +- %.2g", id, o.pld_upper, best, error);
		ck_assert_msg(o.pld_lower <= best + 1e-7 + error &&
				      o.pld_lower >= best - 0.02 * fmax(1, best),
			      "%s: lower %.12g, best %.12g +- %.2g", id, o.pld_lower, best, error);
		ck_assert(o.pld_lower <= o.pld_upper && o.pld_upper <= o.rdp);
		if (!isnan(exact))
			tk_assert_close(o.pld_upper, exact, 1e-10, 0);
		compared++;
	}
	ck_assert_uint_eq(compared, 110);
	cJSON_Delete(golden);
}
END_TEST

/* Our own best value, Richardson's (4 e(h/2) - e(h))/3, to max(1e-5, 2 err). */
START_TEST(richardson)
{
	cJSON *golden = tk_golden("accounting_eps_grid.json.gz");
	const cJSON *r;
	int compared = 0;
	iso_error err = {0};

	cJSON_ArrayForEach(r, get(golden, "records"))
	{
		const double q = tk_number(r, "q"), sigma = tk_number(r, "sigma"),
			     delta = tk_number(r, "delta");
		const double best = tk_number(get(r, "eps_best"), "eps"),
			     error = tk_number(get(r, "eps_best"), "err");
		iso_mix mix = {0};
		iso_pld_bounds a, b;

		if (q == 1 || compared++ % 3)
			continue;
		mix.v = iso_alloc(1, sizeof(*mix.v));
		mix.n = mix.cap = 1;
		mix.v[0] = (iso_law){.kind = ISO_LAW_REMOVE,
				     .q = q,
				     .s = sigma,
				     .count = (uint64_t)tk_number(r, "steps")};
		tk_ok(iso_mix_prepare(&mix, delta, &err));
		tk_ok(iso_mix_epsilon(&mix, delta, 0, 0, &a, &err));
		tk_ok(iso_mix_epsilon(&mix, delta, a.step / 2, 0, &a, &err));
		tk_ok(iso_mix_epsilon(&mix, delta, a.step / 2, 0, &b, &err));
		if (b.step > a.step * 0.51) { /* the window did not allow the finer grid */
			iso_mix_free(&mix);
			continue;
		}
		ck_assert_msg(tk_close((4 * b.upper - a.upper) / 3, best, 0, fmax(1e-5, 2 * error)),
			      "%s: %.12g and %.12g give %.12g, best %.12g",
			      cJSON_GetStringValue(get(r, "id")), a.upper, b.upper,
			      (4 * b.upper - a.upper) / 3, best);
		iso_mix_free(&mix);
	}
	ck_assert_int_eq(compared, 100);
	cJSON_Delete(golden);
}
END_TEST

/* adjacency: pld_add_remove, pld_replace_one, pld_remove (abs 1e-4), the exact Gaussians. */
START_TEST(adjacency)
{
	cJSON *golden = tk_golden("accounting_adjacency.json.gz");
	const cJSON *r;
	int compared = 0;

	cJSON_ArrayForEach(r, get(golden, "records"))
	{
		const char *kind = cJSON_GetStringValue(get(r, "kind"));
		const int gaussian = strcmp(kind, "gaussian") == 0,
			  poisson = strcmp(kind, "poisson_gaussian") == 0;

		if (!gaussian && !poisson)
			continue;
		for (int i = 0; i < cJSON_GetArraySize(get(r, "deltas")); i++, compared++) {
			const iso_event e =
				sgm(poisson ? tk_number(r, "q") : 1, tk_number(r, "sigma"),
				    tk_number(r, poisson ? "steps" : "k"));
			const double delta = at(get(r, "deltas"), i);
			iso_epsilons one, two;

			bounds(&e, 1, ISO_ADD_REMOVE, delta, &one);
			bounds(&e, 1, ISO_REPLACE_ONE, delta, &two);
			tk_assert_close(two.pld_upper, at(get(r, "pld_replace_one"), i), 1e-4,
					1e-4);
			ck_assert(two.pld_lower <= two.pld_upper &&
				  two.pld_lower > two.pld_upper - 1e-3);
			if (gaussian) {
				tk_assert_close(one.pld_upper, at(get(r, "exact_sensitivity_1"), i),
						1e-9, 0);
				tk_assert_close(two.pld_upper, at(get(r, "exact_sensitivity_2"), i),
						1e-9, 0);
			} else {
				tk_assert_close(
					one.pld_upper,
					fmax(at(get(r, "pld_remove"), i), at(get(r, "pld_add"), i)),
					1e-4, 1e-4);
				ck_assert(two.pld_upper > one.pld_upper);
			}
		}
	}
	ck_assert_int_eq(compared, 14);
	cJSON_Delete(golden);
}
END_TEST

/* Each direction apart, golden pld_remove and pld_add. */
START_TEST(directions)
{
	cJSON *golden = tk_golden("accounting_adjacency.json.gz");
	const cJSON *r;
	int compared = 0;
	iso_error err = {0};

	cJSON_ArrayForEach(r, get(golden, "records"))
	{
		if (strcmp(cJSON_GetStringValue(get(r, "kind")), "poisson_gaussian") != 0)
			continue;
		for (int i = 0; i < 2; i++)
			for (int add = 0; add < 2; add++, compared++) {
				const double delta = at(get(r, "deltas"), i);
				iso_mix mix = {0};
				iso_pld_bounds b;

				mix.v = iso_alloc(1, sizeof(*mix.v));
				mix.n = mix.cap = 1;
				mix.v[0] = (iso_law){.kind = add ? ISO_LAW_ADD : ISO_LAW_REMOVE,
						     .q = tk_number(r, "q"),
						     .s = tk_number(r, "sigma"),
						     .count = (uint64_t)tk_number(r, "steps")};
				tk_ok(iso_mix_prepare(&mix, delta, &err));
				tk_ok(iso_mix_epsilon(&mix, delta, 0, 1, &b, &err));
				tk_assert_close(b.upper,
						at(get(r, add ? "pld_add" : "pld_remove"), i), 1e-4,
						1e-4);
				ck_assert(b.lower <= b.upper && b.lower > b.upper - 1e-3);
				iso_mix_free(&mix);
			}
	}
	ck_assert_int_eq(compared, 20);
	cJSON_Delete(golden);
}
END_TEST

static iso_event composed_event(const cJSON *m)
{
	const char *type = cJSON_GetStringValue(get(m, "type"));
	iso_event e = {.count = (uint64_t)tk_number(m, "count")};

	if (strcmp(type, "gaussian") == 0) {
		e.noise = tk_number(m, "sigma");
	} else if (strcmp(type, "poisson_gaussian") == 0) {
		e = sgm(tk_number(m, "q"), tk_number(m, "sigma"), tk_number(m, "count"));
	} else if (strcmp(type, "laplace") == 0) {
		e.mechanism = ISO_MECH_LAPLACE;
		e.noise = tk_number(m, "b");
	} else {
		/* the golden PLD takes exponential mechanisms for pure ones */
		e.mechanism = ISO_MECH_PURE;
		e.epsilon = tk_number(m, "eps");
	}
	return e;
}

/* composed: eps_best abs max(2e-5, 2 err), pld_delta_at_eps, exact_gaussian 1e-9; order of entries
 * irrelevant. */
START_TEST(composed)
{
	cJSON *golden = tk_golden("accounting_composed.json.gz");
	const cJSON *r, *m;
	int compared = 0;
	iso_error err = {0};

	cJSON_ArrayForEach(r, get(golden, "records"))
	{
		iso_event e[16];
		iso_events list = {0};
		size_t n = 0;

		cJSON_ArrayForEach(m, get(r, "mechanisms"))
		{
			ck_assert(n < ISO_COUNT(e));
			e[n] = composed_event(m);
			tk_ok(iso_events_add(&list, &e[n++], &err));
		}
		for (int i = 0; i < cJSON_GetArraySize(get(r, "deltas")); i++, compared++) {
			const cJSON *best = cJSON_GetArrayItem(get(r, "eps_best"), i);
			const double eps = tk_number(best, "eps"),
				     slack = fmax(2e-5, 2 * tk_number(best, "err"));
			const double exact = at(get(r, "exact_gaussian"), i),
				     delta = at(get(r, "deltas"), i);
			iso_epsilons o, back;
			iso_event reversed[16];

			for (size_t k = 0; k < n; k++)
				reversed[k] = e[n - 1 - k];
			bounds(e, n, ISO_ADD_REMOVE, delta, &o);
			bounds(reversed, n, ISO_ADD_REMOVE, delta, &back);
			ck_assert_msg(o.pld_upper >= eps - slack &&
					      o.pld_upper <= eps + slack + 5e-5 * eps,
				      "%s: upper %.12g, best %.12g",
				      cJSON_GetStringValue(get(r, "id")), o.pld_upper, eps);
			ck_assert_msg(o.pld_lower <= eps + slack &&
					      o.pld_lower >= eps - 0.01 * fmax(1, eps),
				      "%s: lower %.12g, best %.12g",
				      cJSON_GetStringValue(get(r, "id")), o.pld_lower, eps);
			tk_assert_close(back.pld_upper, o.pld_upper, 1e-5, 0);
			tk_assert_close(back.rdp, o.rdp, 1e-10, 0);
			if (!isnan(exact))
				tk_assert_close(o.pld_upper, exact, 1e-9, 0);
		}
		for (int i = 0; i < cJSON_GetArraySize(get(r, "pld_delta_at_eps")); i++) {
			const cJSON *point = cJSON_GetArrayItem(get(r, "pld_delta_at_eps"), i);
			double pld, rdp;

			tk_ok(iso_account_delta(&list, ISO_ADD_REMOVE, at(point, 0), &pld, &rdp,
						&err));
			ck_assert(pld <= rdp);
			if (at(point, 1) > 1e-10) /* the reference has a floor */
				tk_assert_close(pld, at(point, 1), 2e-3, 0);
		}
		iso_events_free(&list);
	}
	ck_assert_int_eq(compared, 30);
	cJSON_Delete(golden);
}
END_TEST

/* pure: kov_optimal_exact to 1e-9 (one kind of atom: the grid is exact), laplace
 * exact_delta_at_eps, PLD of Laplace compositions to 1e-5 of the golden discretised value. */
START_TEST(pure)
{
	cJSON *golden = tk_golden("accounting_pure.json.gz");
	const cJSON *r;
	int kov = 0, laplace = 0;
	iso_error err = {0};

	cJSON_ArrayForEach(r, get(golden, "records"))
	{
		const char *kind = cJSON_GetStringValue(get(r, "kind"));

		if (strcmp(kind, "worst_case_composition") == 0) {
			const iso_event e = {.mechanism = ISO_MECH_PURE,
					     .epsilon = tk_number(r, "eps"),
					     .delta = tk_number(r, "delta0"),
					     .count = (uint64_t)tk_number(r, "k")};

			for (int i = 0; i < cJSON_GetArraySize(get(r, "deltas")); i++, kov++) {
				const double truth = at(get(r, "kov_optimal_exact"), i);
				iso_epsilons o;

				bounds(&e, 1, ISO_ADD_REMOVE, at(get(r, "deltas"), i), &o);
				ck_assert_msg(tk_close(o.pld_upper, truth, 1e-10, 1e-9),
					      "%s: %.15g against %.15g",
					      cJSON_GetStringValue(get(r, "id")), o.pld_upper,
					      truth);
				if (truth < INFINITY)
					tk_assert_close(o.pld_lower, truth, 1e-9, 1e-9);
			}
		} else if (strcmp(kind, "laplace_composition") == 0) {
			const iso_event e = {.mechanism = ISO_MECH_LAPLACE,
					     .noise = tk_number(r, "b"),
					     .count = (uint64_t)tk_number(r, "k")};
			const cJSON *points = get(r, "exact_delta_at_eps");
			iso_events list = {0};

			for (int i = 0; i < cJSON_GetArraySize(get(r, "deltas")); i++, laplace++) {
				const double reference = at(get(r, "pld_pess_1e-4"), i),
					     floor_ = at(get(r, "pld_opt_1e-4"), i);
				iso_epsilons o;

				bounds(&e, 1, ISO_ADD_REMOVE, at(get(r, "deltas"), i), &o);
				ck_assert_msg(
					(isnan(reference) ||
					 o.pld_upper <= reference + 1e-5 + 1e-4 * reference) &&
						(isnan(floor_) || o.pld_upper >= floor_ - 1e-5 ||
						 at(get(r, "deltas"), i) < 1e-8),
					"%s: %.12g against %.12g",
					cJSON_GetStringValue(get(r, "id")), o.pld_upper, reference);
				ck_assert_msg(
					o.pld_lower <= o.pld_upper &&
						o.pld_lower >
							o.pld_upper - 2e-3 * fmax(1, o.pld_upper),
					"%s: %.12g to %.12g", cJSON_GetStringValue(get(r, "id")),
					o.pld_lower, o.pld_upper);
			}
			tk_ok(iso_events_add(&list, &e, &err));
			for (int i = 0; points && i < cJSON_GetArraySize(points); i++) {
				const cJSON *point = cJSON_GetArrayItem(points, i);
				double pld;

				tk_ok(iso_account_delta(&list, ISO_ADD_REMOVE, at(point, 0), &pld,
							NULL, &err));
				ck_assert_msg(pld >= at(point, 1) * (1 - 1e-9) &&
						      pld <= at(point, 1) * (1 + 1e-4) + 1e-12,
					      "%s at %g: %.12g against %.12g",
					      cJSON_GetStringValue(get(r, "id")), at(point, 0), pld,
					      at(point, 1));
			}
			iso_events_free(&list);
		}
	}
	ck_assert(kov >= 24 && laplace >= 88);
	cJSON_Delete(golden);
}
END_TEST

/* A PLD of a Gaussian by the transform (not the closed form) agrees with the closed form. */
START_TEST(transform_of_gaussian)
{
	const double sigma[] = {0.5, 1, 5}, delta[] = {1e-3, 1e-9, 1e-15};
	iso_error err = {0};

	for (int i = 0; i < 3; i++)
		for (int k = 0; k < 3; k++) {
			const double exact = iso_gaussian_epsilon(sqrt(10) / sigma[i], delta[k]);
			iso_mix mix = {0};
			iso_pld_bounds b;

			mix.v = iso_alloc(1, sizeof(*mix.v));
			mix.n = mix.cap = 1;
			mix.v[0] = (iso_law){
				.kind = ISO_LAW_REMOVE, .q = 1, .s = sigma[i], .count = 10};
			tk_ok(iso_mix_prepare(&mix, delta[k], &err));
			tk_ok(iso_mix_epsilon(&mix, delta[k], 0, 1, &b, &err));
			ck_assert_msg(b.upper >= exact * (1 - 1e-9) &&
					      b.upper <= exact * (1 + 2e-5),
				      "%.12g, exact %.12g", b.upper, exact);
			ck_assert_msg(b.lower <= exact * (1 + 1e-9) &&
					      b.lower >= exact * (1 - 5e-5),
				      "%.12g, exact %.12g", b.lower, exact);
			iso_mix_free(&mix);
		}
}
END_TEST

/* Parallel groups. */
START_TEST(parallel)
{
	iso_event small = sgm(0.02, 2, 100), large = sgm(0.02, 2, 400), both = sgm(0.02, 2, 500),
		  first = sgm(1, 4, 1);
	iso_events parts[2] = {{0}, {0}}, list = {0}, plain = {0};
	iso_event group = {.mechanism = ISO_MECH_PARALLEL, .parts = parts, .nparts = 2, .count = 1};
	iso_error err = {0};
	iso_epsilons a, b;

	tk_ok(iso_events_add(&parts[0], &small, &err));
	tk_ok(iso_events_add(&parts[1], &large, &err));
	tk_ok(iso_events_add(&list, &first, &err));
	tk_ok(iso_events_add(&list, &group, &err));
	tk_ok(iso_events_add(&plain, &first, &err));
	tk_ok(iso_events_add(&plain, &large, &err));
	tk_ok(iso_account_epsilon(&list, ISO_ADD_REMOVE, 1e-6, ISO_WANT_ALL, &a, &err));
	tk_ok(iso_account_epsilon(&plain, ISO_ADD_REMOVE, 1e-6, ISO_WANT_ALL, &b, &err));
	tk_assert_close(a.pld_upper, b.pld_upper, 1e-12, 0);
	tk_assert_close(a.pld_lower, b.pld_lower, 1e-12, 0);
	tk_assert_close(a.rdp, b.rdp, 1e-12, 0);
	tk_assert_close(a.moments, b.moments, 1e-12, 0);
	/* replace-one: two parts change */
	iso_events_free(&plain);
	tk_ok(iso_events_add(&plain, &first, &err));
	tk_ok(iso_events_add(&plain, &both, &err));
	tk_ok(iso_account_epsilon(&list, ISO_REPLACE_ONE, 1e-6, ISO_WANT_ALL, &a, &err));
	tk_ok(iso_account_epsilon(&plain, ISO_REPLACE_ONE, 1e-6, ISO_WANT_ALL, &b, &err));
	tk_assert_close(a.pld_upper, b.pld_upper, 1e-12, 0);
	tk_assert_close(a.rdp, b.rdp, 1e-9, 0);
	/* parts that do not order: between the larger part and everything together */
	parts[0].v[0] = sgm(0.05, 3, 50);
	iso_events_free(&list);
	tk_ok(iso_events_add(&list, &group, &err));
	tk_ok(iso_account_epsilon(&list, ISO_ADD_REMOVE, 1e-6, ISO_WANT_ALL, &a, &err));
	bounds(&parts[0].v[0], 1, ISO_ADD_REMOVE, 1e-6, &b);
	ck_assert(a.pld_upper >= b.pld_upper);
	bounds(&large, 1, ISO_ADD_REMOVE, 1e-6, &b);
	ck_assert(a.pld_upper >= b.pld_upper);
	iso_events_free(&list);
	iso_events_free(&plain);
	iso_events_free(&parts[0]);
	iso_events_free(&parts[1]);
}
END_TEST

/* Where no privacy loss distribution exists the answer is NaN, and the one-number door falls back
 * on the RDP bound. */
START_TEST(not_applicable)
{
	const iso_event zcdp = {.mechanism = ISO_MECH_ZCDP, .rho = 0.1, .count = 1};
	iso_events list = {0};
	iso_epsilons o;
	iso_error err = {0};
	double e;

	tk_ok(iso_events_add(&list, &zcdp, &err));
	tk_ok(iso_account_epsilon(&list, ISO_ADD_REMOVE, 1e-5, ISO_WANT_ALL, &o, &err));
	ck_assert(isnan(o.pld_upper) && isnan(o.pld_lower) && o.rdp > 0 && o.rdp < 3);
	tk_ok(iso_account_one(&list, ISO_ADD_REMOVE, 1e-5, ISO_ACC_PLD, &e, &err));
	ck_assert_double_eq(e, o.rdp);
	ck_assert_double_eq(iso_epsilon_bound(&o, ISO_ACC_PLD), o.rdp);
	iso_events_free(&list);
}
END_TEST

/* Rare sampling and little noise: almost every release costs -log(1-q) and a few cost 36 +- 10.  A
 * simulation of 6 million trainings (a Poisson number of releases meets the record) gave delta
 * .49966 +- .00029 at 30.5285, .009992 +- .00004 at 147.991 and 1.1e-5 +- .13e-5 at 291.87.  At
 * 147.991 delta falls by .048 of itself for each unit of epsilon, so that it is .01 at 147.974 with
 * a standard error of .083: the row below allows two. */
START_TEST(rare_and_loud)
{
	static const struct {
		uint64_t count;
		double delta, low, high;
	} row[] = {{1000, 1e-5, 58.701, 58.703},
		   {1000000, 1e-5, 291.85, 291.88},
		   {1000000, 1e-2, 147.81, 148.14},
		   {1000000, 0.5, 30.52, 30.54}};
	iso_epsilons o;

	for (size_t i = 0; i < ISO_COUNT(row); i++) {
		const iso_event e = sgm(1e-6, 0.1, row[i].count);

		bounds(&e, 1, ISO_ADD_REMOVE, row[i].delta, &o);
		ck_assert_double_le(o.pld_lower, o.pld_upper);
		ck_assert_double_ge(o.pld_lower, o.pld_upper * (1 - 1e-4));
		ck_assert_double_ge(o.pld_lower, row[i].low);
		ck_assert_double_le(o.pld_upper, row[i].high);
	}
}
END_TEST

/* No noise: infinite; no noise but rare sampling: infinite mass 1 - (1-q)^T against delta. */
START_TEST(no_noise)
{
	iso_event e = sgm(1, 0, 1);
	iso_epsilons o;

	bounds(&e, 1, ISO_ADD_REMOVE, 1e-5, &o);
	ck_assert(o.pld_upper == INFINITY && o.pld_lower == INFINITY && o.rdp == INFINITY);
	e = sgm(1e-3, 0, 10);
	bounds(&e, 1, ISO_ADD_REMOVE, 1e-5, &o);
	ck_assert(o.pld_upper == INFINITY && o.pld_lower == INFINITY);
	bounds(&e, 1, ISO_ADD_REMOVE, 0.02, &o);
	ck_assert(o.pld_upper == 0);
	e = sgm(0, 0, 10);
	bounds(&e, 1, ISO_ADD_REMOVE, 1e-5, &o);
	ck_assert(o.pld_upper == 0 && o.rdp == 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("account_pld");
	TCase *t = tcase_create("golden");

	tcase_add_test(t, grid);
	tcase_add_test(t, richardson);
	tcase_add_test(t, adjacency);
	tcase_add_test(t, directions);
	tcase_add_test(t, composed);
	tcase_add_test(t, pure);
	tcase_add_test(t, transform_of_gaussian);
	tcase_add_test(t, parallel);
	tcase_add_test(t, rare_and_loud);
	tcase_add_test(t, not_applicable);
	tcase_add_test(t, no_noise);
	suite_add_tcase(s, t);
	return tk_run(s);
}
