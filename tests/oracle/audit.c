// SPDX-License-Identifier: Apache-2.0
/* The bounds of an audit against golden values, and its verdicts on scores of known distribution.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/math/special.h"
#include "core/math/stats.h"
#include "suites/flow/audit.h"
#include "tests/support/testkit.h"

static const cJSON *list(const cJSON *golden, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(golden, key);

	ck_assert_msg(cJSON_IsArray(v) && cJSON_GetArraySize(v) > 0, "%s", key);
	return v;
}

static iso_counts counts_of(const cJSON *x)
{
	return (iso_counts){.fp = (size_t)tk_number(x, "fp"),
			    .n_out = (size_t)tk_number(x, "n_out"),
			    .fn = (size_t)tk_number(x, "fn"),
			    .n_in = (size_t)tk_number(x, "n_in")};
}

START_TEST(bounds_from_counts)
{
	cJSON *g = tk_golden("audit.json");
	const cJSON *x, *e;

	cJSON_ArrayForEach(x, list(g, "clopper_pearson"))
		tk_assert_close(iso_cp_upper((size_t)tk_number(x, "k"), (size_t)tk_number(x, "n"),
					     tk_number(x, "tail")),
				tk_number(x, "upper"), 1e-8, 0);
	cJSON_ArrayForEach(x, list(g, "eps_from_counts"))
	{
		const iso_counts c = counts_of(x);
		const double tail = tk_number(x, "tail");
		const double mu = tk_number(x, "mu_lb");

		cJSON_ArrayForEach(e, cJSON_GetObjectItem(x, "eps_cp")) tk_assert_close(
			iso_audit_epsilon(&c, atof(e->string), tail), e->valuedouble, 0, 1e-6);
		tk_assert_close(iso_audit_mu(&c, tail), mu > 0 ? mu : 0, 0, 1e-6);
	}
	cJSON_ArrayForEach(x, list(g, "published"))
	{
		const iso_counts c = {.fp = (size_t)tk_number(x, "fp"),
				      .fn = (size_t)tk_number(x, "fn"),
				      .n_out = 400,
				      .n_in = 400};

		tk_assert_close(iso_audit_epsilon(&c, 1e-5, 0.025), tk_number(x, "eps"), 0, 6e-7);
	}
	cJSON_ArrayForEach(x, list(g, "ceiling"))
		tk_assert_close(iso_audit_ceiling((size_t)tk_number(x, "n_per_world"),
						  tk_number(x, "delta"), tk_number(x, "tail")),
				tk_number(x, "eps"), 0, 1e-7);
	cJSON_ArrayForEach(x, list(g, "gdp"))
		tk_assert_close(iso_gdp_epsilon(tk_number(x, "mu"), tk_number(x, "delta")),
				tk_number(x, "eps"), 1e-7, 1e-9);
	cJSON_Delete(g);
}
END_TEST

START_TEST(one_run)
{
	cJSON *g = tk_golden("audit.json");
	const cJSON *x, *p;

	cJSON_ArrayForEach(x, list(g, "one_run"))
	{
		const size_t m = (size_t)tk_number(x, "m"), r = (size_t)tk_number(x, "r"),
			     v = (size_t)tk_number(x, "v");
		const double delta = tk_number(x, "delta");

		tk_assert_close(iso_one_run_epsilon(m, r, v, delta, tk_number(x, "p")),
				tk_number(x, "eps_lb"), 0, 1e-4);
		cJSON_ArrayForEach(p, cJSON_GetObjectItem(x, "p_values"))
			tk_assert_close(iso_one_run_p(m, r, v, tk_number(p, "eps"), delta),
					tk_number(p, "p"), 1e-7, 1e-12);
	}
	cJSON_ArrayForEach(x, list(g, "one_run_fdp_gaussian")) tk_assert_close(
		iso_gdp_epsilon(iso_one_run_mu((size_t)tk_number(x, "m"), (size_t)tk_number(x, "r"),
					       (size_t)tk_number(x, "v"), tk_number(x, "p")),
				tk_number(x, "delta")),
		tk_number(x, "eps_lb"), 0, 1e-4);
	cJSON_Delete(g);
}
END_TEST

START_TEST(credible_bound)
{
	cJSON *g = tk_golden("audit.json");
	const cJSON *x;

	cJSON_ArrayForEach(x, list(g, "zanella_beguelin_joint_beta"))
	{
		const iso_counts c = counts_of(x);

		/* a midpoint rule over 400 quantiles */
		tk_assert_close(
			iso_zanella_epsilon(&c, tk_number(x, "delta"), tk_number(x, "alpha")),
			tk_number(x, "eps_lo"), 0, 0.02);
	}
	cJSON_Delete(g);
}
END_TEST

/* What other places print or prove: perfect attacks, published one-run bounds, the case
 * delta = 0 and v = r with eps = logit(p^(1/r)), and the mu whose epsilon is known. */
START_TEST(published_bounds)
{
	cJSON *g = tk_golden("oracle_stats.json.gz");
	const cJSON *x;
	size_t seen = 0;

	cJSON_ArrayForEach(x, list(g, "max_eps_for_perfect_attack"))
	{
		const size_t n = (size_t)tk_number(x, "n_per_world");
		const iso_counts c = {.n_out = n, .n_in = n};

		tk_assert_close(iso_audit_mu(&c, tk_number(x, "tail")), tk_number(x, "mu_lb"), 1e-8,
				0);
		seen++;
	}
	cJSON_ArrayForEach(x, list(g, "one_run_published"))
	{
		tk_assert_close(iso_one_run_epsilon((size_t)tk_number(x, "m"),
						    (size_t)tk_number(x, "r"),
						    (size_t)tk_number(x, "v"),
						    tk_number(x, "delta"), tk_number(x, "p")),
				tk_number(x, "printed"), 0, 1e-3);
		seen++;
	}
	cJSON_ArrayForEach(x, list(cJSON_GetObjectItem(g, "one_run_closed_form"), "pins"))
	{
		const size_t r = (size_t)cJSON_GetArrayItem(x, 0)->valuedouble;

		tk_assert_close(
			iso_one_run_epsilon(r, r, r, 0, cJSON_GetArrayItem(x, 1)->valuedouble),
			cJSON_GetArrayItem(x, 2)->valuedouble, 1e-9, 0);
		seen++;
	}
	cJSON_ArrayForEach(x, list(g, "gdp_inverse"))
	{
		tk_assert_close(iso_gdp_epsilon(tk_number(x, "mu"), tk_number(x, "delta")),
				tk_number(x, "eps"), 1e-7, 1e-9);
		seen++;
	}
	ck_assert_uint_eq(seen, 66 + 6 + 4 + 18);
	cJSON_Delete(g);
}
END_TEST

/* ------------------------------------------------------------------ verdicts */

#define RUNS 750

/* Scores N(0, 1) without and N(mu, 1) with the target, in the releases column alone. */
static iso_audit_result judged(double mu, double claimed_mu, iso_threshold rule, uint64_t seed,
			       double alpha)
{
	static double scores[2 * RUNS * ISO_STAT_COUNT];
	double epsilon[64], delta[64];
	const iso_profile claim = {epsilon, delta, 64};
	const iso_key key = iso_key_new(seed, "test");
	iso_audit_result x = {.accounted = iso_gdp_epsilon(claimed_mu, 1e-5)};

	for (size_t i = 0; i < 64; i++) {
		epsilon[i] = 0.12 * (double)i;
		delta[i] = iso_gdp_delta(claimed_mu, epsilon[i]);
	}
	for (size_t w = 0; w < 2; w++)
		for (size_t r = 0; r < RUNS; r++) {
			double *s = scores + (w * RUNS + r) * ISO_STAT_COUNT;

			s[ISO_STAT_ROWS] = NAN;
			s[ISO_STAT_SCORE] = NAN;
			s[ISO_STAT_RELEASES] =
				iso_norm_ppf(iso_rand_u01(key, w, r)) + mu * ((double)w - 0.5);
		}
	iso_audit_judge(scores, RUNS, &claim, rule, alpha, 1e-5, &x);
	ck_assert_int_eq(x.test[ISO_STAT_ROWS].applies, 0);
	ck_assert_int_eq(x.test[ISO_STAT_SCORE].applies, 0);
	ck_assert_int_eq(x.test[ISO_STAT_RELEASES].applies, 1);
	return x;
}

/* Noise short by sqrt 2 at a claim of mu = 2: rejected (95 % power at 500 judged runs); the honest
 * one is not, in 300 audits at alpha 1e-3 (all rules; 0.3 rejections expected at the very most). */
START_TEST(noise_short_by_root_two_is_rejected)
{
	size_t rejected = 0, alarms = 0;

	for (uint64_t seed = 0; seed < 10; seed++)
		rejected += judged(2 * sqrt(2), 2, ISO_THRESHOLD_HOLD_OUT, seed, 1e-3).verdict ==
			    ISO_AUDIT_VIOLATION;
	ck_assert_uint_ge(rejected, 8);
	for (uint64_t seed = 0; seed < 100; seed++)
		for (int rule = 0; rule <= ISO_THRESHOLD_BONFERRONI; rule++)
			alarms += judged(2, 2, (iso_threshold)rule, seed, 1e-3).verdict ==
				  ISO_AUDIT_VIOLATION;
	ck_assert_uint_eq(alarms, 0);
}
END_TEST

START_TEST(verdicts)
{
	iso_audit_result x = judged(30, 40, ISO_THRESHOLD_HOLD_OUT, 1, 1e-3);

	ck_assert_int_eq(x.verdict, ISO_AUDIT_SATURATED);
	tk_assert_close(x.epsilon, x.ceiling, 1e-12, 0);
	ck_assert_uint_eq(x.judged, 500);
	tk_assert_close(x.ceiling, iso_audit_ceiling(500, 1e-5, 1e-3 / 2), 1e-12, 0);
	/* a perfect attack on 500 runs would have refuted mu = 2, at a small epsilon, but not 20 */
	ck_assert_int_eq(judged(2, 2, ISO_THRESHOLD_HOLD_OUT, 1, 1e-3).verdict, ISO_AUDIT_LOOSE);
	ck_assert_int_eq(judged(2, 20, ISO_THRESHOLD_HOLD_OUT, 1, 1e-3).verdict,
			 ISO_AUDIT_UNDERPOWERED);
	ck_assert_int_eq(judged(0.01, 0.5, ISO_THRESHOLD_FIXED, 1, 1e-3).verdict, ISO_AUDIT_LOOSE);
	ck_assert_int_eq(judged(30, 0.5, ISO_THRESHOLD_BONFERRONI, 1, 1e-3).verdict,
			 ISO_AUDIT_VIOLATION);
	/* a perfect attack read the wrong way round is found by the hold-out */
	ck_assert_int_eq(judged(-30, 0.5, ISO_THRESHOLD_HOLD_OUT, 1, 1e-3).verdict,
			 ISO_AUDIT_VIOLATION);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("oracle/audit");
	TCase *c = tcase_create("audit");

	tcase_set_timeout(c, 120);
	tcase_add_test(c, bounds_from_counts);
	tcase_add_test(c, one_run);
	tcase_add_test(c, published_bounds);
	tcase_add_test(c, credible_bound);
	tcase_add_test(c, noise_short_by_root_two_is_rejected);
	tcase_add_test(c, verdicts);
	suite_add_tcase(s, c);
	return tk_run(s);
}
