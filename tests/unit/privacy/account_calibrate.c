// SPDX-License-Identifier: Apache-2.0
/* Calibration inverts the accountants. */
#include "tests/support/testkit.h"

#include <stdio.h>
#include <string.h>

#include "core/privacy/account_private.h"

static const cJSON *get(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

struct plan {
	double q, steps, laplace;
};

static iso_status build(void *ctx, double s, iso_events *out, iso_error *err)
{
	const struct plan *p = ctx;
	const iso_event e = {.mechanism = ISO_MECH_GAUSSIAN,
			     .noise = s,
			     .sampling = p->q < 1 ? ISO_SAMPLING_POISSON : ISO_SAMPLING_NONE,
			     .rate = p->q,
			     .count = (uint64_t)p->steps};
	const iso_event l = {.mechanism = ISO_MECH_LAPLACE, .noise = p->laplace, .count = 1};

	if (p->laplace > 0)
		ISO_TRY(iso_events_add(out, &l, err));
	return iso_events_add(out, &e, err);
}

/* Ten significant digits, and the upper end. */
static void check_digits(double s)
{
	char text[32];

	snprintf(text, sizeof(text), "%.9e", s);
	ck_assert_msg(strtod(text, NULL) == s, "%.17g has more than ten digits", s);
}

/* calibrate: sigma_rdp_dp_accounting and the default grid as upper bounds (continuous orders are
 * better), and in [0.999 eps, eps] by account. */
START_TEST(rdp)
{
	cJSON *golden = tk_golden("accounting_calibrate.json.gz");
	const cJSON *r;
	int n = 0;
	iso_error err = {0};

	cJSON_ArrayForEach(r, get(golden, "records"))
	{
		struct plan p = {.q = tk_number(r, "q"), .steps = tk_number(r, "steps")};
		const double eps = tk_number(r, "target_eps"), delta = tk_number(r, "target_delta");
		const double grid = tk_number(r, "sigma_rdp_tight_exact_default_orders");
		double s, e;

		tk_ok(iso_calibrate(build, &p, ISO_ADD_REMOVE, eps, delta, ISO_ACC_RDP, &s, &e,
				    &err));
		ck_assert_msg(e <= eps && e >= eps * (1 - 1e-7), "reached %.12g of %.12g", e, eps);
		check_digits(s);
		ck_assert_msg(s <= grid * (1 + 1e-7) && s >= grid * 0.9, "%.12g against %.12g", s,
			      grid);
		ck_assert(s <= tk_number(r, "sigma_rdp_dp_accounting") * (1 + 1e-6));
		n++;
	}
	ck_assert_int_eq(n, 84);
	cJSON_Delete(golden);
}
END_TEST

/* calibrate: sigma_best (rel max(1e-5, 2 err)), sigma_gaussian_analytic, sigma_pld_1e-4 (rel 1e-3
 * for eps >= 0.5). */
START_TEST(pld)
{
	cJSON *golden = tk_golden("accounting_calibrate.json.gz");
	const cJSON *r;
	int n = 0, references = 0;
	iso_error err = {0};

	cJSON_ArrayForEach(r, get(golden, "records"))
	{
		struct plan p = {.q = tk_number(r, "q"), .steps = tk_number(r, "steps")};
		const double eps = tk_number(r, "target_eps"), delta = tk_number(r, "target_delta");
		const double best = tk_number(r, "sigma_best"),
			     error = tk_number(r, "sigma_best_err");
		const double analytic = tk_number(r, "sigma_gaussian_analytic"),
			     reference = tk_number(r, "sigma_pld_1e-4");
		double s, e;

		tk_ok(iso_calibrate(build, &p, ISO_ADD_REMOVE, eps, delta, ISO_ACC_PLD, &s, &e,
				    &err));
		ck_assert_msg(e <= eps && e >= eps * 0.99999, "reached %.12g of %.12g", e, eps);
		check_digits(s);
		ck_assert_msg(s >= best * (1 - 1e-7) - error && s <= best * (1 + 1e-5) + 2 * error,
			      "%s: %.12g, best %.12g +- %.2g", cJSON_GetStringValue(get(r, "id")),
			      s, best, error);
		if (!isnan(analytic))
			tk_assert_close(s, analytic, 1e-7, 0);
		if (!isnan(reference) && eps >= 0.5) {
			tk_assert_close(s, reference, 1e-3, 0);
			references++;
		}
		n++;
	}
	ck_assert(n == 84 && references >= 20);
	cJSON_Delete(golden);
}
END_TEST

/* A plan with a part that is paid as declared. */
START_TEST(fixed_part)
{
	struct plan p = {.q = 0.02, .steps = 300, .laplace = 4};
	iso_error err = {0};
	double s, e, plain, unused;

	tk_ok(iso_calibrate(build, &p, ISO_ADD_REMOVE, 1, 1e-5, ISO_ACC_PLD, &s, &e, &err));
	ck_assert(e <= 1 && e >= 0.999);
	p.laplace = 0;
	tk_ok(iso_calibrate(build, &p, ISO_ADD_REMOVE, 1, 1e-5, ISO_ACC_PLD, &plain, &unused,
			    &err));
	ck_assert(s > plain * 1.05);
	p.laplace = 0.5; /* costs 2 by itself */
	tk_fails(iso_calibrate(build, &p, ISO_ADD_REMOVE, 1, 1e-5, ISO_ACC_PLD, &s, &e, &err),
		 ISO_E_BUDGET, "budget out of reach");
	tk_fails(iso_calibrate(build, &p, ISO_ADD_REMOVE, 0, 1e-5, ISO_ACC_PLD, &s, &e, &err),
		 ISO_E_CONFIG, "epsilon");
	tk_fails(iso_calibrate(build, &p, ISO_ADD_REMOVE, NAN, 1e-5, ISO_ACC_PLD, &s, &e, &err),
		 ISO_E_CONFIG, "epsilon");
	tk_fails(iso_calibrate(build, &p, ISO_ADD_REMOVE, 1, 1, ISO_ACC_RDP, &s, &e, &err),
		 ISO_E_CONFIG, "delta");
	p = (struct plan){.q = 0, .steps = 1};
	tk_fails(iso_calibrate(build, &p, ISO_ADD_REMOVE, 1, 1e-5, ISO_ACC_RDP, &s, &e, &err),
		 ISO_E_BUDGET, "far below");
}
END_TEST

/* Wide range: tiny and huge budgets, both adjacencies, both accountants land in [0.999 eps, eps].
 */
START_TEST(lands)
{
	const struct plan plans[] = {
		{.q = 1, .steps = 1}, {.q = 0.3, .steps = 20}, {.q = 1e-3, .steps = 50000}};
	const double targets[] = {0.05, 0.7, 8, 100};
	iso_error err = {0};

	for (size_t i = 0; i < ISO_COUNT(plans); i++)
		for (size_t k = 0; k < ISO_COUNT(targets); k++)
			for (int which = 0; which < 2; which++)
				for (int adj = 0; adj < 2; adj++) {
					struct plan p = plans[i];
					iso_events list = {0};
					double s, e, again;

					tk_ok(iso_calibrate(build, &p, (iso_adjacency)adj,
							    targets[k], 1e-6, (iso_accountant)which,
							    &s, &e, &err));
					ck_assert_msg(e <= targets[k] && e >= 0.999 * targets[k],
						      "plan %zu target %g: %.12g", i, targets[k],
						      e);
					tk_ok(build(&p, s, &list, &err));
					tk_ok(iso_account_one(&list, (iso_adjacency)adj, 1e-6,
							      (iso_accountant)which, &again, &err));
					ck_assert(again == e);
					iso_events_free(&list);
				}
}
END_TEST

struct votes {
	double scale;
	iso_mech mechanism;
};

static iso_status build_votes(void *ctx, uint64_t k, iso_events *out, iso_error *err)
{
	const struct votes *v = ctx;
	const iso_event e = {.mechanism = v->mechanism, .noise = v->scale, .count = k};

	return k ? iso_events_add(out, &e, err) : ISO_OK;
}

START_TEST(count)
{
	struct votes v = {.scale = 40, .mechanism = ISO_MECH_PATE_GNMAX};
	iso_error err = {0};
	uint64_t k;
	double e, more;

	for (int which = 0; which < 2; which++)
		for (int m = 0; m < 2; m++) {
			iso_events list = {0};

			v.mechanism = m ? ISO_MECH_PATE_LNMAX : ISO_MECH_PATE_GNMAX;
			tk_ok(iso_calibrate_count(build_votes, &v, ISO_ADD_REMOVE, 2, 1e-5,
						  (iso_accountant)which, 100000, &k, &e, &err));
			ck_assert(k > 10 && k < 100000 && e <= 2);
			tk_ok(build_votes(&v, k + 1, &list, &err));
			tk_ok(iso_account_one(&list, ISO_ADD_REMOVE, 1e-5, (iso_accountant)which,
					      &more, &err));
			ck_assert(more > 2);
			iso_events_free(&list);
		}
	tk_ok(iso_calibrate_count(build_votes, &v, ISO_ADD_REMOVE, 2, 1e-5, ISO_ACC_RDP, 5, &k, &e,
				  &err));
	ck_assert(k == 5 && e < 2);
	v.scale = 0.1;
	tk_ok(iso_calibrate_count(build_votes, &v, ISO_ADD_REMOVE, 2, 1e-5, ISO_ACC_RDP, 5, &k, &e,
				  &err));
	ck_assert(k == 0 && e == 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("account_calibrate");
	TCase *t = tcase_create("calibrate");

	tcase_add_test(t, rdp);
	tcase_add_test(t, pld);
	tcase_add_test(t, fixed_part);
	tcase_add_test(t, lands);
	tcase_add_test(t, count);
	suite_add_tcase(s, t);
	return tk_run(s);
}
