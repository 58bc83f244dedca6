// SPDX-License-Identifier: Apache-2.0
/* Renyi curves and the RDP accountants against golden values: 50-digit truths, and Python
 * references as bounds. */
#include "tests/support/testkit.h"

#include <stdio.h>
#include <string.h>

#include "core/math/special.h"
#include "core/math/vmath.h"
#include "core/privacy/account_private.h"

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

static void one_sgm(iso_events *list, double q, double sigma, double steps)
{
	const iso_event e = {.mechanism = ISO_MECH_GAUSSIAN,
			     .noise = sigma,
			     .sampling = q < 1 ? ISO_SAMPLING_POISSON : ISO_SAMPLING_NONE,
			     .rate = q,
			     .count = (uint64_t)steps};
	iso_error err = {0};

	tk_ok(iso_events_add(list, &e, &err));
}

/* rdp_sgm: every order of rdp_truth to 1e-10; the references only as bounds, where they are known
 * to be loose. */
START_TEST(sgm_curve)
{
	cJSON *golden = tk_golden("accounting_rdp_sgm.json.gz");
	const cJSON *r;
	size_t compared = 0;
	double worst = 0;

	cJSON_ArrayForEach(r, get(golden, "records"))
	{
		const double q = tk_number(r, "q"), s = tk_number(r, "sigma");
		const cJSON *orders = get(r, "orders"), *truth = get(r, "rdp_truth"),
			    *google = get(r, "rdp_dp_accounting");
		const int n = cJSON_GetArraySize(orders);

		for (int i = 0; i < n; i++) {
			const double a = at(orders, i), t = at(truth, i),
				     ours = iso_rdp_sgm(a, q, s);

			if (isnan(t))
				continue;
			ck_assert_msg(tk_close(ours, t, 1e-10, 0),
				      "q %g sigma %g order %g: %.17g, truth %.17g", q, s, a, ours,
				      t);
			worst = fmax(worst, fabs(ours / t - 1));
			if (at(google, i) < INFINITY) {
				ck_assert_msg(ours <= at(google, i) * (1 + 1e-9) + 1e-15 / (a - 1),
					      "above the reference at %g", a);
				if (a == floor(a))
					ck_assert(tk_close(ours, at(google, i), 1e-8,
							   1e-15 / (a - 1)));
			}
			compared++;
		}
	}
	ck_assert_msg(compared > 4000, "only %zu values", compared);
	ck_assert(worst < 1e-11);
	cJSON_Delete(golden);
}
END_TEST

/* Independent oracle: the integer-order sum of positive terms (Mironov, Talwar and Zhang 2019,
 * section 3.3). */
static double sgm_integer(int alpha, double q, double s)
{
	double log_sum = -INFINITY;

	for (int k = 2; k <= alpha; k++) {
		const double e = k * (k - 1) / (2 * s * s);
		const double le = e > 30 ? e + log1p(-exp(-e)) : log(expm1(e));
		const double lc = lgamma(alpha + 1.0) - lgamma(k + 1.0) - lgamma(alpha - k + 1.0);

		log_sum = iso_log_add(log_sum, lc + (alpha - k) * log1p(-q) + k * log(q) + le);
	}
	return (log_sum > 30 ? log_sum : log1p(exp(log_sum))) / (alpha - 1);
}

START_TEST(sgm_extremes)
{
	const double sigmas[] = {0.05, 0.2, 1, 30, 1e4}, rates[] = {1e-8, 1e-4, 0.01, 0.5, 0.999};
	const int orders[] = {2, 3, 7, 33, 200, 1500};

	for (size_t i = 0; i < ISO_COUNT(sigmas); i++)
		for (size_t j = 0; j < ISO_COUNT(rates); j++)
			for (size_t k = 0; k < ISO_COUNT(orders); k++) {
				const double ours = iso_rdp_sgm(orders[k], rates[j], sigmas[i]);
				const double theirs = sgm_integer(orders[k], rates[j], sigmas[i]);

				ck_assert_msg(tk_close(ours, theirs, 1e-9, 1e-300),
					      "sigma %g q %g order %d: %.15g against %.15g",
					      sigmas[i], rates[j], orders[k], ours, theirs);
			}
	ck_assert(iso_rdp_sgm(2, 0, 1) == 0);
	ck_assert(iso_rdp_sgm(2, 0.1, 0) == INFINITY);
	tk_assert_close(iso_rdp_sgm(3.7, 1, 2), 3.7 / 8, 1e-15, 0);
	/* all orders of the search, up to 1e5: finite, nondecreasing, below the unsampled value */
	for (size_t i = 0; i < ISO_COUNT(sigmas); i++) {
		double last = 0;

		for (double a = 1.0005; a < 1e5; a = 1 + (a - 1) * 1.7) {
			const double r = iso_rdp_sgm(a, 0.01, sigmas[i]);

			ck_assert_msg(r >= last * (1 - 1e-9) && r <= iso_rdp_gaussian(a, sigmas[i]),
				      "order %g sigma %g", a, sigmas[i]);
			last = r;
		}
	}
}
END_TEST

/* The grid of accounting.md 2.2. */
static size_t default_orders(double *a)
{
	size_t n = 0;

	for (int i = 11; i <= 109; i++)
		a[n++] = i / 10.0;
	for (int i = 11; i <= 63; i++)
		a[n++] = i;
	for (int i = 128; i <= 1024; i *= 2)
		a[n++] = i;
	return n;
}

static double on_grid(const iso_events *list, double delta, int classic, int integer)
{
	double a[256], best = INFINITY;
	size_t n = default_orders(a);

	if (integer)
		for (n = 0; n < 32; n++)
			a[n] = 2 + (double)n;
	for (size_t i = 0; i < n; i++) {
		const double r = iso_events_rdp(list, ISO_ADD_REMOVE, a[i], 0);

		best = fmin(best, classic ? iso_rdp_to_epsilon_classic(a[i], r, delta)
					  : iso_rdp_to_epsilon(a[i], r, delta));
	}
	return best;
}

/* eps_grid: rdp_tight_exact, rdp_classic_exact, rdp_tight_integer_2_33, abadi_moments_lambda_1_32,
 * gdp_clt_poisson; and continuous orders are never worse than the grid nor than dp_accounting. */
START_TEST(grid_epsilons)
{
	cJSON *golden = tk_golden("accounting_eps_grid.json.gz");
	const cJSON *r;
	size_t compared = 0;
	iso_error err = {0};

	cJSON_ArrayForEach(r, get(golden, "records"))
	{
		const double delta = tk_number(r, "delta"),
			     tight = tk_number(get(r, "rdp_tight_exact"), "eps");
		const double gdp = tk_number(get(r, "gdp_clt_poisson"), "eps");
		iso_events list = {0};
		iso_epsilons e;

		one_sgm(&list, tk_number(r, "q"), tk_number(r, "sigma"), tk_number(r, "steps"));
		tk_assert_close(on_grid(&list, delta, 0, 0), tight, 1e-8, 0);
		tk_assert_close(on_grid(&list, delta, 1, 0),
				tk_number(get(r, "rdp_classic_exact"), "eps"), 1e-8, 0);
		tk_assert_close(on_grid(&list, delta, 0, 1),
				tk_number(get(r, "rdp_tight_integer_2_33"), "eps"), 1e-8, 0);
		tk_ok(iso_account_epsilon(&list, ISO_ADD_REMOVE, delta,
					  ISO_WANT_RDP | ISO_WANT_MOMENTS | ISO_WANT_GDP, &e,
					  &err));
		tk_assert_close(e.moments, tk_number(get(r, "abadi_moments_lambda_1_32"), "eps"),
				1e-8, 0);
		ck_assert(isnan(gdp) || tk_close(e.gdp, gdp, 1e-8, 0) || tk_number(r, "q") == 1);
		ck_assert(e.rdp <= tight * (1 + 1e-9));
		ck_assert(e.rdp <= tk_number(get(r, "rdp_dp_accounting"), "eps") * (1 + 1e-9));
		ck_assert(e.rdp <= e.rdp_classic && e.rdp_classic <= e.moments * (1 + 1e-9));
		ck_assert(isnan(e.pld_upper) && isnan(e.data_dependent_rdp));
		iso_events_free(&list);
		compared++;
	}
	ck_assert_uint_eq(compared, 110);
	cJSON_Delete(golden);
}
END_TEST

/* adjacency: rdp_forward, rdp_one_step (without replacement, rel 1e-7), the Gaussian under
 * replace-one. */
START_TEST(adjacency)
{
	cJSON *golden = tk_golden("accounting_adjacency.json.gz");
	const cJSON *r;
	int wor = 0, poisson = 0;

	cJSON_ArrayForEach(r, get(golden, "records"))
	{
		const char *kind = cJSON_GetStringValue(get(r, "kind"));
		const cJSON *orders = get(r, "orders");

		if (strcmp(kind, "without_replacement_gaussian") == 0) {
			for (int i = 0; i < cJSON_GetArraySize(orders); i++, wor++) {
				const double a = at(orders, i);
				const double ours =
					iso_rdp_wor(a, tk_number(r, "m") / tk_number(r, "n"),
						    tk_number(r, "sigma"));
				const double theirs = at(get(r, "rdp_one_step_dp_accounting"), i);

				ck_assert_msg(tk_close(ours, theirs, 1e-7, 1e-15) ||
						      (ours < theirs &&
						       ours == iso_rdp_gaussian(
								       a, tk_number(r, "sigma"))),
					      "%s order %g: %.15g against %.15g",
					      cJSON_GetStringValue(get(r, "id")), a, ours, theirs);
			}
		} else if (strcmp(kind, "poisson_gaussian") == 0) {
			for (int i = 0; i < cJSON_GetArraySize(orders); i++, poisson++)
				tk_assert_close(iso_rdp_sgm(at(orders, i), tk_number(r, "q"),
							    tk_number(r, "sigma")),
						at(get(r, "rdp_forward"), i), 1e-8, 0);
		}
	}
	ck_assert_int_eq(wor, 110);
	ck_assert_int_eq(poisson, 25);
	cJSON_Delete(golden);
}
END_TEST

/* Replace-one Poisson against direct integration by Simpson's rule on a fine grid. */
START_TEST(replace_one_curve)
{
	const double q[] = {0.01, 0.2, 0.9}, s[] = {0.7, 2}, a[] = {1.3, 2, 5.5, 20};

	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 2; j++)
			for (int k = 0; k < 4; k++) {
				const double h = s[j] / 400, lo = -12 * s[j] - 2,
					     hi = a[k] + 12 * s[j];
				double sum = 0;

				for (double x = lo; x < hi; x += h) {
					const double n0 = -x * x / (2 * s[j] * s[j]);
					const double up = exp((2 * x - 1) / (2 * s[j] * s[j]));
					const double down = exp((-2 * x - 1) / (2 * s[j] * s[j]));
					const double lp = log1p(q[i] * (up - 1)),
						     lq = log1p(q[i] * (down - 1));

					sum += exp(n0 + a[k] * lp + (1 - a[k]) * lq);
				}
				tk_assert_close(iso_rdp_sgm_replace(a[k], q[i], s[j]),
						log(sum * h / (s[j] * sqrt(2 * M_PI))) / (a[k] - 1),
						1e-8, 1e-12);
			}
	tk_assert_close(iso_rdp_sgm_replace(4, 1, 1.5), iso_rdp_gaussian(4, 0.75), 1e-14, 0);
}
END_TEST

static iso_event composed_event(const cJSON *m)
{
	const char *type = cJSON_GetStringValue(get(m, "type"));
	iso_event e = {.count = (uint64_t)tk_number(m, "count")};

	if (strcmp(type, "gaussian") == 0) {
		e.noise = tk_number(m, "sigma");
	} else if (strcmp(type, "poisson_gaussian") == 0) {
		e.noise = tk_number(m, "sigma");
		e.sampling = ISO_SAMPLING_POISSON;
		e.rate = tk_number(m, "q");
	} else if (strcmp(type, "laplace") == 0) {
		e.mechanism = ISO_MECH_LAPLACE;
		e.noise = tk_number(m, "b");
	} else if (strcmp(type, "pure") == 0) {
		e.mechanism = ISO_MECH_PURE;
		e.epsilon = tk_number(m, "eps");
	} else {
		ck_assert_str_eq(type, "expmech");
		e.mechanism = ISO_MECH_EXPONENTIAL;
		e.epsilon = tk_number(m, "eps");
	}
	return e;
}

/* composed: rdp_total_exact, rdp_tight_exact_default_orders, rdp_classic_exact_default_orders (rel
 * 1e-8).  Exponential mechanisms may be below the golden curve, which lacks the cap by the curve of
 * pure epsilon-DP. */
START_TEST(composed)
{
	cJSON *golden = tk_golden("accounting_composed.json.gz");
	const cJSON *r, *m;
	size_t compared = 0;
	iso_error err = {0};

	cJSON_ArrayForEach(r, get(golden, "records"))
	{
		iso_events list = {0};
		int capped = 0;

		cJSON_ArrayForEach(m, get(r, "mechanisms"))
		{
			const iso_event e = composed_event(m);

			capped |= e.mechanism == ISO_MECH_EXPONENTIAL;
			tk_ok(iso_events_add(&list, &e, &err));
		}
		for (int i = 0; i < cJSON_GetArraySize(get(r, "rdp_orders")); i++) {
			const double ours = iso_events_rdp(&list, ISO_ADD_REMOVE,
							   at(get(r, "rdp_orders"), i), 0);
			const double theirs = at(get(r, "rdp_total_exact"), i);

			ck_assert_msg(tk_close(ours, theirs, 1e-8, 0) ||
					      (capped && ours < theirs && ours > 0.5 * theirs),
				      "%s: %.15g against %.15g", cJSON_GetStringValue(get(r, "id")),
				      ours, theirs);
			compared++;
		}
		for (int i = 0; i < cJSON_GetArraySize(get(r, "deltas")); i++) {
			const double d = at(get(r, "deltas"), i),
				     tight = at(get(r, "rdp_tight_exact_default_orders"), i);
			const double ours =
				on_grid(&list, d, 0, 0); /* without the cap, as the golden value */

			ck_assert_msg(tk_close(ours, tight, 1e-8, 0) || (capped && ours < tight),
				      "%.15g against %.15g", ours, tight);
			ck_assert(iso_rdp_epsilon(&list, ISO_ADD_REMOVE, d, 0, 0, NULL) <=
				  tight * (1 + 1e-9));
		}
		iso_events_free(&list);
	}
	ck_assert(compared >= 100);
	cJSON_Delete(golden);
}
END_TEST

/* pure: laplace_rdp and exponential_mechanism_rdp truths; classic rules for randomized response. */
START_TEST(pure_curves)
{
	cJSON *golden = tk_golden("accounting_pure.json.gz");
	const cJSON *r;
	int laplace = 0, exponential = 0, rr = 0;

	cJSON_ArrayForEach(r, get(golden, "records"))
	{
		const char *kind = cJSON_GetStringValue(get(r, "kind"));
		const cJSON *orders = get(r, "orders");

		if (strcmp(kind, "laplace_rdp") == 0) {
			for (int i = 0; i < cJSON_GetArraySize(orders); i++, laplace++)
				tk_assert_close(iso_rdp_laplace(at(orders, i), tk_number(r, "b")),
						at(get(r, "rdp_truth"), i), 1e-10, 0);
			tk_assert_close(iso_rdp_laplace(1, tk_number(r, "b")),
					tk_number(r, "kl_order_1"), 1e-12, 0);
		} else if (strcmp(kind, "exponential_mechanism_rdp") == 0) {
			for (int i = 0; i < cJSON_GetArraySize(orders); i++, exponential++) {
				const double a = at(orders, i), e = tk_number(r, "eps"),
					     ours = iso_rdp_exponential(a, e);

				tk_assert_close(
					ours,
					fmin(at(get(r, "rdp_bounded_range_dp_accounting"), i),
					     at(get(r, "rdp_pure_dp_randomized_response"), i)),
					1e-10, 0);
				tk_assert_close(iso_rdp_pure(a, e),
						at(get(r, "rdp_pure_dp_randomized_response"), i),
						1e-10, 0);
			}
		} else if (strcmp(kind, "randomized_response") == 0 && tk_number(r, "k") == 1) {
			const cJSON *curve = get(r, "rdp_curve_replace_one");
			const double e = tk_number(r, "pure_eps_replace_one");

			for (int i = 0; i < cJSON_GetArraySize(curve); i++, rr++) {
				const cJSON *point = cJSON_GetArrayItem(curve, i);
				const double ours = iso_rdp_randomized_response(at(point, 0), e);

				if (tk_number(r, "buckets") == 2)
					tk_assert_close(ours, at(point, 1), 1e-9, 0);
				else
					ck_assert(
						ours >=
						at(point, 1) *
							(1 -
							 1e-12)); /* the binary one is the worst */
			}
		}
	}
	ck_assert(laplace >= 44 && exponential >= 11 && rr >= 50);
	cJSON_Delete(golden);
}
END_TEST

/* pure: laplace_composition and exponential_mechanism_composition on the golden orders, with and
 * without the pure cap.
 */
START_TEST(pure_compositions)
{
	cJSON *golden = tk_golden("accounting_pure.json.gz");
	const cJSON *r;
	int laplace = 0, exponential = 0;
	iso_error err = {0};

	cJSON_ArrayForEach(r, get(golden, "records"))
	{
		const char *kind = cJSON_GetStringValue(get(r, "kind"));
		const int is_laplace = strcmp(kind, "laplace_composition") == 0;
		iso_events list = {0};
		iso_event e = {.mechanism = is_laplace ? ISO_MECH_LAPLACE : ISO_MECH_EXPONENTIAL};

		if (!is_laplace && strcmp(kind, "exponential_mechanism_composition") != 0)
			continue;
		e.count = (uint64_t)tk_number(r, "k");
		e.noise = is_laplace ? tk_number(r, "b") : 0;
		e.epsilon = is_laplace ? 0 : tk_number(r, "eps");
		tk_ok(iso_events_add(&list, &e, &err));
		for (int i = 0; i < cJSON_GetArraySize(get(r, "deltas")); i++) {
			const double d = at(get(r, "deltas"), i);
			const double best = iso_rdp_epsilon(&list, ISO_ADD_REMOVE, d, 0, 0, NULL);

			if (is_laplace) {
				tk_assert_close(
					on_grid(&list, d, 0, 0),
					at(get(r, "rdp_tight_default_orders_no_pure_cap"), i), 1e-8,
					0);
				tk_assert_close(on_grid(&list, d, 1, 0),
						at(get(r, "rdp_classic_default_orders"), i), 1e-8,
						0);
				ck_assert(best <=
					  at(get(r, "rdp_tight_default_orders"), i) * (1 + 1e-9));
				laplace++;
			} else {
				ck_assert(best <= at(get(r, "rdp_tight_default_orders_br"), i) *
							  (1 + 1e-9));
				exponential++;
			}
			ck_assert(best <=
				  tk_number(r, is_laplace ? "pure_eps" : "basic") * (1 + 1e-12));
		}
		iso_events_free(&list);
	}
	ck_assert(laplace >= 88 && exponential >= 24);
	cJSON_Delete(golden);
}
END_TEST

/* Gaussian closed forms: pure.json gaussian_* against 50-digit values. */
START_TEST(gaussian_closed_form)
{
	cJSON *golden = tk_golden("accounting_pure.json.gz");
	const cJSON *r;
	int n = 0;

	cJSON_ArrayForEach(r, get(golden, "records"))
	{
		const char *kind = cJSON_GetStringValue(get(r, "kind"));

		if (strcmp(kind, "gaussian_eps_for_sigma_delta") == 0) {
			tk_assert_close(iso_gaussian_epsilon(1 / tk_number(r, "sigma"),
							     tk_number(r, "delta")),
					tk_number(r, "eps_truth"), 1e-10, 1e-9);
			n++;
		} else if (strcmp(kind, "gaussian_sigma_for_eps_delta") == 0) {
			tk_assert_close(iso_gaussian_epsilon(1 / tk_number(r, "sigma_truth"),
							     tk_number(r, "delta")),
					tk_number(r, "eps"), 1e-10, 1e-9);
			n++;
		} else if (strcmp(kind, "gaussian_delta_for_eps") == 0) {
			for (int i = 0; i < cJSON_GetArraySize(get(r, "eps")); i++, n++)
				tk_assert_close(iso_gaussian_delta(1 / tk_number(r, "sigma"),
								   at(get(r, "eps"), i)),
						at(get(r, "delta_truth"), i), 1e-10, 0);
		}
	}
	ck_assert(n >= 32);
	ck_assert(iso_gaussian_epsilon(0, 1e-5) == 0 &&
		  iso_gaussian_epsilon(INFINITY, 1e-5) == INFINITY);
	ck_assert(isnan(iso_gaussian_epsilon(NAN, 1e-5)) && isnan(iso_gaussian_epsilon(1, 0)));
	cJSON_Delete(golden);
}
END_TEST

/* (epsilon, delta0): the curve of pure DP on what is left of delta; nothing is left -> infinite. */
START_TEST(approximate_dp)
{
	const iso_event e = {
		.mechanism = ISO_MECH_PURE, .epsilon = 0.1, .delta = 1e-6, .count = 10};
	iso_events list = {0};
	iso_error err = {0};

	tk_ok(iso_events_add(&list, &e, &err));
	ck_assert(iso_rdp_epsilon(&list, ISO_ADD_REMOVE, 1e-6, 0, 0, NULL) == INFINITY);
	ck_assert(iso_rdp_epsilon(&list, ISO_ADD_REMOVE, 1.001e-5, 0, 0, NULL) <= 1 + 1e-12);
	ck_assert(iso_rdp_epsilon(&list, ISO_ADD_REMOVE, 0.1, 0, 0, NULL) < 0.8);
	tk_assert_close(iso_rdp_delta(&list, ISO_ADD_REMOVE, 1.0 + 1e-12),
			-expm1(10 * log1p(-1e-6)), 1e-12, 0);
	iso_events_free(&list);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("account_rdp");
	TCase *t = tcase_create("golden");

	tcase_add_test(t, sgm_curve);
	tcase_add_test(t, sgm_extremes);
	tcase_add_test(t, grid_epsilons);
	tcase_add_test(t, adjacency);
	tcase_add_test(t, replace_one_curve);
	tcase_add_test(t, composed);
	tcase_add_test(t, pure_curves);
	tcase_add_test(t, pure_compositions);
	tcase_add_test(t, gaussian_closed_form);
	tcase_add_test(t, approximate_dp);
	suite_add_tcase(s, t);
	return tk_run(s);
}
