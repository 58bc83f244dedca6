// SPDX-License-Identifier: Apache-2.0
/* PATE curves against golden values (Papernot et al. 2017 and 2018 reference code). */
#include "tests/support/testkit.h"

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

static iso_event event_of(const cJSON *r, int gaussian)
{
	const cJSON *rows = get(r, "histograms");
	iso_event e = {.mechanism = gaussian ? ISO_MECH_PATE_GNMAX : ISO_MECH_PATE_LNMAX,
		       .noise = tk_number(r, gaussian ? "sigma" : "lambda_"),
		       .queries = (size_t)cJSON_GetArraySize(rows),
		       .classes = (size_t)tk_number(r, "classes")};

	e.count = e.queries;
	e.votes = iso_alloc(e.queries * e.classes, sizeof(double));
	for (size_t i = 0; i < e.queries; i++)
		for (size_t k = 0; k < e.classes; k++)
			e.votes[i * e.classes + k] = at(cJSON_GetArrayItem(rows, (int)i), (int)k);
	return e;
}

/* pate: logq_mpmath, rdp_per_query, rdp_total (rel 1e-9); the account's diagnostic against the
 * golden grid. */
static void check_votes(const cJSON *r, int gaussian)
{
	const cJSON *orders = get(r, "orders"), *logq = get(r, "logq_mpmath");
	const double delta = tk_number(r, "delta");
	const cJSON *dependent =
		get(r, gaussian ? "eps_data_dependent" : "eps_data_dependent_2018");
	iso_event e = event_of(r, gaussian);
	iso_events list = {0};
	iso_error err = {0};
	iso_epsilons o;

	for (size_t i = 0; i < e.queries; i++) {
		const double *v = e.votes + i * e.classes;
		const double ours = gaussian ? iso_pate_logq_gnmax(v, e.classes, e.noise)
					     : iso_pate_logq_lnmax(v, e.classes, e.noise);

		tk_assert_close(ours, at(logq, (int)i), 1e-9, 1e-15);
		for (int k = 0; k < cJSON_GetArraySize(orders); k++) {
			const double a = at(orders, k);

			const double theirs =
				at(cJSON_GetArrayItem(get(r, "rdp_per_query"), (int)i), k);

			tk_assert_close(gaussian ? iso_rdp_gnmax(a, e.noise, v, e.classes)
						 : iso_rdp_lnmax_logq(a, 2 / e.noise, ours),
					theirs, 1e-9, 1e-18);
			/* the release itself is also capped by the curve of pure DP */
			if (!gaussian)
				tk_assert_close(iso_rdp_lnmax(a, e.noise, v, e.classes),
						fmin(theirs, iso_rdp_pure(a, 2 / e.noise)), 1e-9,
						1e-18);
		}
	}
	tk_ok(iso_events_add(&list, &e, &err));
	for (int k = 0; k < cJSON_GetArraySize(orders); k++) {
		const double ours = iso_events_rdp(&list, ISO_ADD_REMOVE, at(orders, k), 1),
			     total = at(get(r, "rdp_total"), k);

		ck_assert(tk_close(ours, total, 1e-9, 1e-18) || (!gaussian && ours < total));
	}
	tk_ok(iso_account_epsilon(&list, ISO_ADD_REMOVE, delta, ISO_WANT_RDP, &o, &err));
	/* the golden orders are a grid from 1.5 or 2 up: continuous ones are never worse, the pure
	 * cap aside */
	ck_assert_msg(o.data_dependent_rdp <= tk_number(dependent, "eps_tight") * (1 + 1e-8),
		      "%s: %.12g above %.12g", cJSON_GetStringValue(get(r, "id")),
		      o.data_dependent_rdp, tk_number(dependent, "eps_tight"));
	ck_assert(o.data_dependent_rdp <= o.rdp * (1 + 1e-9) && o.data_dependent_rdp >= 0);
	if (gaussian)
		ck_assert(o.rdp <=
			  tk_number(get(r, "eps_data_independent"), "eps_tight") * (1 + 1e-8));
	iso_free(e.votes);
	iso_events_free(&list);
}

START_TEST(votes)
{
	cJSON *golden = tk_golden("accounting_pate.json.gz");
	const cJSON *r;
	int gnmax = 0, lnmax = 0;

	cJSON_ArrayForEach(r, get(golden, "records"))
	{
		const char *kind = cJSON_GetStringValue(get(r, "kind"));

		if (strcmp(kind, "gnmax") == 0) {
			check_votes(r, 1);
			gnmax++;
		} else if (strcmp(kind, "lnmax") == 0) {
			check_votes(r, 0);
			lnmax++;
		}
	}
	ck_assert(gnmax == 26 && lnmax == 29);
	cJSON_Delete(golden);
}
END_TEST

/* pate: the bounds as functions of log q, and the confident-GNMax threshold (rel 1e-9). */
START_TEST(functions)
{
	cJSON *golden = tk_golden("accounting_pate.json.gz");
	const cJSON *r;
	int gaussian = 0, pure = 0, threshold = 0;

	cJSON_ArrayForEach(r, get(golden, "records"))
	{
		const char *kind = cJSON_GetStringValue(get(r, "kind"));
		const cJSON *orders = get(r, "orders");

		for (int k = 0; k < cJSON_GetArraySize(orders); k++) {
			const double a = at(orders, k);

			if (strcmp(kind, "rdp_gaussian_function") == 0) {
				tk_assert_close(iso_rdp_gnmax_logq(a, tk_number(r, "sigma"),
								   tk_number(r, "logq")),
						at(get(r, "rdp"), k), 1e-9, 1e-300);
				gaussian++;
			} else if (strcmp(kind, "rdp_pure_eps_function") == 0) {
				tk_assert_close(iso_rdp_lnmax_logq(a, tk_number(r, "pure_eps"),
								   tk_number(r, "logq")),
						at(get(r, "rdp_2018"), k), 1e-9, 1e-300);
				pure++;
			} else if (strcmp(kind, "confident_gnmax_threshold") == 0) {
				const cJSON *rows = get(r, "histograms");
				const double t = tk_number(r, "T"), s = tk_number(r, "sigma1");

				for (int i = 0; i < cJSON_GetArraySize(rows); i++, threshold++) {
					const cJSON *row = cJSON_GetArrayItem(rows, i);
					double top = 0, lp;

					for (int c = 0; c < cJSON_GetArraySize(row); c++)
						top = fmax(top, at(row, c));
					lp = iso_log_ndtr((rint(top) - t) / s);
					tk_assert_close(lp, at(get(r, "log_pr_answered"), i), 1e-9,
							1e-300);
					tk_assert_close(
						iso_rdp_gnmax_logq(a, sqrt(2) * s,
								   fmin(lp, iso_log1mexp(lp))),
						at(cJSON_GetArrayItem(get(r, "rdp_per_query"), i),
						   k),
						1e-9, 1e-300);
				}
			}
		}
	}
	ck_assert(gaussian >= 300 && pure >= 200 && threshold >= 1000);
	cJSON_Delete(golden);
}
END_TEST

/* log_mgf_2017 = lambda times our curve at order lambda + 1, only where q <= 1/(1 + e^eps). */
START_TEST(moments_2017)
{
	cJSON *golden = tk_golden("accounting_pate.json.gz");
	const cJSON *r;
	int compared = 0;

	cJSON_ArrayForEach(r, get(golden, "records"))
	{
		const cJSON *mgf = get(r, "log_mgf_2017"), *lambdas = get(mgf, "lambdas");

		if (!mgf)
			continue;
		for (int i = 0; i < cJSON_GetArraySize(get(mgf, "per_query")); i++) {
			const double e = tk_number(r, "pure_eps_per_query"),
				     lq = at(get(r, "logq_mpmath"), i);

			if (exp(lq) > 1 / (1 + exp(e)))
				continue;
			for (int k = 0; k < cJSON_GetArraySize(lambdas); k++, compared++) {
				const double l = at(lambdas, k),
					     theirs = at(
						     cJSON_GetArrayItem(get(mgf, "per_query"), i),
						     k);

				ck_assert_msg(tk_close(l * iso_rdp_lnmax_logq(l + 1, e, lq), theirs,
						       1e-8, 1e-14),
					      "%.12g, %.12g", l * iso_rdp_lnmax_logq(l + 1, e, lq),
					      theirs);
			}
		}
	}
	ck_assert_msg(compared > 500, "%d", compared);
	cJSON_Delete(golden);
}
END_TEST

/* Votes that nobody doubts cost next to nothing; ties cost the data-independent value; and never
 * NaN. */
START_TEST(extremes)
{
	const double sure[] = {1e6, 0, 0}, tie[] = {5, 5, 5};

	ck_assert(iso_rdp_gnmax(4, 10, sure, 3) < 1e-9 && iso_rdp_lnmax(4, 10, sure, 3) < 1e-9);
	tk_assert_close(iso_rdp_gnmax(4, 10, tie, 3), 0.04, 1e-12, 0);
	tk_assert_close(iso_pate_logq_gnmax(tie, 3, 10), log(2.0 / 3), 1e-12, 0);
	for (double s = 1e-3; s < 1e6; s *= 10)
		for (double a = 1.001; a < 1e5; a *= 3) {
			ck_assert(iso_rdp_gnmax(a, s, tie, 3) >= 0 &&
				  iso_rdp_gnmax(a, s, sure, 3) >= 0);
			ck_assert(iso_rdp_lnmax(a, s, tie, 3) >= 0 &&
				  iso_rdp_lnmax(a, s, sure, 3) >= 0);
			ck_assert(iso_rdp_lnmax(a, s, NULL, 0) >=
				  iso_rdp_lnmax(a, s, sure, 3) * (1 - 1e-12));
		}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("account_pate");
	TCase *t = tcase_create("golden");

	tcase_add_test(t, votes);
	tcase_add_test(t, functions);
	tcase_add_test(t, moments_2017);
	tcase_add_test(t, extremes);
	suite_add_tcase(s, t);
	return tk_run(s);
}
