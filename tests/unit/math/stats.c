// SPDX-License-Identifier: Apache-2.0
/* core/math/stats.c against frozen scipy/scikit-learn values (oracle_stats.json) and against the
 * definitions, written as quadratic loops. */
#include "core/math/stats.h"

#include <string.h>

#include "core/math/special.h"
#include "tests/support/testkit.h"

static uint64_t seed = 1;

static double uniform(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (double)(seed >> 11) * 0x1p-53;
}

/* Scores on a coarse grid (so that ties happen), positives shifted up. */
static void fake_scores(size_t n, double levels, double shift, double *s, uint8_t *y)
{
	for (size_t i = 0; i < n; i++) {
		y[i] = uniform() < 0.4;
		s[i] = floor(uniform() * levels + (y[i] ? shift : 0));
	}
	y[0] = y[1] = 0;
	y[2] = y[3] = 1;
}

static void load_roc(const cJSON *v, double *s, uint8_t *y, size_t *n)
{
	const cJSON *js = cJSON_GetObjectItem(v, "s"), *jy = cJSON_GetObjectItem(v, "y"), *e;
	*n = 0;
	cJSON_ArrayForEach(e, js) s[(*n)++] = e->valuedouble;
	*n = 0;
	cJSON_ArrayForEach(e, jy) y[(*n)++] = e->valuedouble > 0;
}

START_TEST(roc_goldens)
{
	cJSON *g = tk_golden("oracle_stats.json.gz");
	const cJSON *v;
	static double s[4000];
	static uint8_t y[4000];
	size_t seen = 0, n;
	iso_error err = {0};
	cJSON_ArrayForEach(v, cJSON_GetObjectItem(g, "roc"))
	{
		iso_roc r;
		load_roc(v, s, y, &n);
		tk_ok(iso_roc_of(s, y, n, &r, &err));
		tk_assert_close(r.auc, tk_number(v, "auc"), 0, 1e-12);
		tk_assert_close(iso_auc(s, y, n), tk_number(v, "auc"), 0, 1e-12);
		tk_assert_close(r.se, tk_number(v, "delong_se"), 0, 1e-12);
		tk_assert_close(r.advantage, tk_number(v, "advantage_max"), 0, 1e-12);
		tk_assert_close(iso_average_precision(s, y, n), tk_number(v, "average_precision"),
				0, 1e-12);
		const cJSON *t = cJSON_GetObjectItem(v, "tpr_strict");
		tk_assert_close(r.tpr_fpr_10, tk_number(t, "0.1"), 0, 1e-12);
		tk_assert_close(r.tpr_fpr_1, tk_number(t, "0.01"), 0, 1e-12);
		tk_assert_close(r.tpr_fpr_0_1, tk_number(t, "0.001"), 0, 1e-12);
		t = cJSON_GetObjectItem(v, "tpr_interp");
		tk_assert_close(r.interp_fpr_10, tk_number(t, "0.1"), 0, 1e-12);
		tk_assert_close(r.interp_fpr_1, tk_number(t, "0.01"), 0, 1e-12);
		tk_assert_close(r.interp_fpr_0_1, tk_number(t, "0.001"), 0, 1e-12);
		tk_assert_close(iso_hanley_se(r.auc, (double)r.n_pos, (double)r.n_neg),
				tk_number(v, "hanley_se"), 0, 1e-12);
		ck_assert(r.low <= r.auc && r.auc <= r.high);
		ck_assert(r.low < r.high);
		ck_assert(r.tpr_fpr_10_low <= r.tpr_fpr_10 && r.tpr_fpr_10 <= r.tpr_fpr_10_high);
		seen++;
	}
	ck_assert_uint_eq(seen, 8);
	cJSON_Delete(g);
}
END_TEST

/* Each statistic straight from its definition. */
static void check_against_definitions(const double *s, const uint8_t *y, size_t n)
{
	iso_error err = {0};
	iso_roc r;
	tk_ok(iso_roc_of(s, y, n, &r, &err));
	static double v10[400], v01[400];
	size_t n1 = 0, n0 = 0;
	double u = 0, advantage = 0, strict = 0, bal = NAN;
	const double median = iso_quantile(s, n, 0.5);
	for (size_t i = 0; i < n; i++) {
		double place = 0, other = 0, tp = 0, fp = 0, p = 0, q = 0;
		for (size_t j = 0; j < n; j++) {
			const double half = s[i] > s[j] ? 1 : s[i] == s[j] ? 0.5 : 0;
			other += y[j] != y[i];
			place += y[j] != y[i] ? (y[i] ? half : 1 - half) : 0;
			p += y[j];
			q += !y[j];
			tp += y[j] && s[j] >= s[i];
			fp += !y[j] && s[j] >= s[i];
		}
		u += y[i] ? place : 0;
		if (y[i])
			v10[n1++] = place / other;
		else
			v01[n0++] = place / other;
		advantage = fmax(advantage, tp / p - fp / q);
		if (fp / q <= 0.1)
			strict = fmax(strict, tp / p);
	}
	double tpr = 0, tnr = 0;
	for (size_t i = 0; i < n; i++) {
		tpr += y[i] && s[i] >= median;
		tnr += !y[i] && s[i] < median;
	}
	bal = 0.5 * (tpr / (double)n1 + tnr / (double)n0);
	tk_assert_close(r.auc, u / ((double)n1 * (double)n0), 0, 1e-12);
	const double s1 = iso_sd(v10, n1), s0 = iso_sd(v01, n0);
	tk_assert_close(r.se, sqrt(s1 * s1 / (double)n1 + s0 * s0 / (double)n0), 0, 1e-12);
	tk_assert_close(r.advantage, advantage, 0, 1e-12);
	tk_assert_close(r.tpr_fpr_10, strict, 0, 1e-12);
	tk_assert_close(r.bal_acc_median, bal, 0, 1e-12);
	ck_assert_uint_eq(r.n_pos, n1);
	ck_assert_uint_eq(r.n_neg, n0);
}

START_TEST(roc_definitions)
{
	static double s[400];
	static uint8_t y[400];
	for (int rep = 0; rep < 60; rep++) {
		const size_t n = 5 + (size_t)(uniform() * 200);
		fake_scores(n,
			    rep % 3 == 0   ? 4
			    : rep % 3 == 1 ? 30
					   : 1e9,
			    rep % 3 == 0   ? 1
			    : rep % 3 == 1 ? 9
					   : 4e8,
			    s, y);
		check_against_definitions(s, y, n);
	}
}
END_TEST

/* The logit interval of a known case, and the one-sided rule at the ends. */
START_TEST(roc_intervals)
{
	iso_error err = {0};
	iso_roc r;
	const double s[] = {4, 3, 2, 1};
	const uint8_t best[] = {1, 1, 0, 0}, worst[] = {0, 0, 1, 1}, mid[] = {1, 0, 1, 0};
	tk_ok(iso_roc_of(s, best, 4, &r, &err));
	tk_assert_close(r.low, pow(0.05, 0.5), 1e-12, 0);
	tk_assert_close(r.high, 1, 0, 0);
	tk_ok(iso_roc_of(s, worst, 4, &r, &err));
	tk_assert_close(r.low, 0, 0, 0);
	tk_assert_close(r.high, 1 - pow(0.05, 0.5), 1e-12, 0);
	tk_ok(iso_roc_of(s, mid, 4, &r,
			 &err)); /* auc 3/4, V10 = {1, 1/2}, V01 = {1/2, 1}: se^2 = 1/16 + 1/16 */
	tk_assert_close(r.auc, 0.75, 0, 1e-15);
	tk_assert_close(r.se, sqrt(0.125), 1e-12, 0);
	const double l = log(3), h = 1.959963984540054 * sqrt(0.125) / (0.75 * 0.25);
	tk_assert_close(r.low, 1 / (1 + exp(h - l)), 1e-12, 0);
	tk_assert_close(r.high, 1 / (1 + exp(-h - l)), 1e-12, 0);
}
END_TEST

START_TEST(roc_refuses)
{
	iso_error err = {0};
	iso_roc r;
	const double s[] = {1, NAN, 2}, ok[] = {1, 3, 2}, inf[] = {INFINITY, -INFINITY, 0};
	const uint8_t y[] = {0, 1, 1}, one[] = {1, 1, 1};
	tk_fails(iso_roc_of(s, y, 3, &r, &err), ISO_E_NUMERIC, "not a number");
	tk_fails(iso_roc_of(ok, one, 3, &r, &err), ISO_E_DATA, "0 negatives");
	tk_fails(iso_roc_of(ok, one, 0, &r, &err), ISO_E_DATA, "0 positives");
	ck_assert(isnan(iso_auc(s, y, 3)));
	tk_assert_close(iso_auc(ok, one, 3), 0.5, 0, 0);
	tk_ok(iso_roc_of(inf, y, 3, &r, &err));
	tk_assert_close(r.auc, 0, 0, 0);
	for (uint64_t k = 1; k < 4; k++) {
		iso_alloc_fail_after(k);
		tk_fails(iso_roc_of(ok, y, 3, &r, &err), ISO_E_NOMEM, "out of memory");
	}
	iso_alloc_fail_after(0);
}
END_TEST

/* 90 goldens, then the defining tail equations down to tails of 1e-8. */
START_TEST(clopper_pearson)
{
	cJSON *g = tk_golden("oracle_stats.json.gz");
	const cJSON *v;
	size_t seen = 0;
	cJSON_ArrayForEach(v, cJSON_GetObjectItem(g, "clopper_pearson"))
	{
		const uint64_t k = (uint64_t)tk_number(v, "k"), n = (uint64_t)tk_number(v, "n");
		const double a = tk_number(v, "tail");
		tk_assert_close(iso_cp_lower(k, n, a), tk_number(v, "lower"), 1e-8, 0);
		tk_assert_close(iso_cp_upper(k, n, a), tk_number(v, "upper"), 1e-8, 0);
		seen++;
	}
	ck_assert_uint_eq(seen, 90);
	cJSON_Delete(g);
	const uint64_t kn[][2] = {{1, 10},     {9, 10},		{37, 400},
				  {1, 100000}, {99999, 100000}, {5000, 10000}};
	for (size_t i = 0; i < ISO_COUNT(kn); i++)
		for (double a = 0.05; a > 1e-9; a /= 10) {
			const uint64_t k = kn[i][0], n = kn[i][1];
			const double lo = iso_cp_lower(k, n, a), hi = iso_cp_upper(k, n, a);
			tk_assert_close(iso_binom_sf(k, n, lo), a, 1e-7, 0);
			/* P[X <= k; hi] = P[n - X >= n - k; 1 - hi]; hi near 1 is known to half a
			 * unit of 2^-53 */
			tk_assert_close(iso_binom_sf(n - k, n, 1 - hi), a,
					1e-7 + 1e-15 * (double)(n - k) / (1 - hi), 0);
			ck_assert(lo < (double)k / (double)n && (double)k / (double)n < hi);
		}
	tk_assert_close(iso_cp_upper(0, 0, 0.05), 1, 0, 0);
	tk_assert_close(iso_cp_lower(0, 0, 0.05), 0, 0, 0);
}
END_TEST

START_TEST(wilson)
{
	cJSON *g = tk_golden("oracle_stats.json.gz");
	const cJSON *v;
	size_t seen = 0;
	double lo, hi;
	cJSON_ArrayForEach(v, cJSON_GetObjectItem(g, "wilson"))
	{
		const double z = iso_norm_ppf(0.5 + 0.5 * tk_number(v, "conf"));
		const double c = tk_number(v, "center"), h = tk_number(v, "half");
		iso_wilson(tk_number(v, "k"), tk_number(v, "n"), z, &lo, &hi);
		tk_assert_close(lo, fmax(0, c - h), 0, 1e-10);
		tk_assert_close(hi, fmin(1, c + h), 0, 1e-10);
		seen++;
	}
	ck_assert_uint_eq(seen, 5);
	cJSON_Delete(g);
	iso_wilson(0, 0, 1.96, &lo, &hi);
	ck_assert(lo == 0 && hi == 1);
}
END_TEST

START_TEST(moments_and_quantiles)
{
	const double x[] = {3, 1, 2, 10}, big[] = {1e9 + 1, 1e9 + 2, 1e9 + 3};
	tk_assert_close(iso_mean(x, 4), 4, 0, 0);
	tk_assert_close(iso_sd(x, 4), sqrt(50.0 / 3), 1e-15, 0);
	tk_assert_close(iso_sd(big, 3), 1, 1e-12, 0);
	tk_assert_close(iso_sd(x, 1), 0, 0, 0);
	tk_assert_close(iso_quantile(x, 4, 0), 1, 0, 0);
	tk_assert_close(iso_quantile(x, 4, 0.5), 2.5, 1e-15, 0);
	tk_assert_close(iso_quantile(x, 4, 0.9), 3 + 0.7 * 7, 1e-14, 0); /* position 2.7 */
	tk_assert_close(iso_quantile(x, 4, 1), 10, 0, 0);
	ck_assert(isnan(iso_quantile(x, 0, 0.5)));
	ck_assert(isnan(iso_quantile(x, 4, 1.5)));
	const double nan_in[] = {1, NAN, 2};
	ck_assert(isnan(iso_quantile(nan_in, 3, 0.5)));
}
END_TEST

START_TEST(argsort)
{
	iso_error err = {0};
	for (size_t n = 0; n < 300; n += n < 40 ? 1 : 37) {
		static double x[300];
		static size_t index[300];
		static int used[300];
		memset(used, 0, sizeof(used));
		for (size_t i = 0; i < n; i++)
			x[i] = floor(uniform() * 20);
		tk_ok(iso_argsort(x, n, index, &err));
		for (size_t i = 0; i < n; i++) {
			ck_assert(index[i] < n && !used[index[i]]++);
			if (!i)
				continue;
			ck_assert(x[index[i - 1]] <= x[index[i]]);
			ck_assert(x[index[i - 1]] < x[index[i]] || index[i - 1] < index[i]);
		}
	}
	const double nan_in[] = {NAN, 1, -INFINITY};
	size_t index[3];
	tk_ok(iso_argsort(nan_in, 3, index, &err));
	ck_assert(index[0] == 2 && index[1] == 1 && index[2] == 0);
	iso_alloc_fail_after(1);
	tk_fails(iso_argsort(nan_in, 3, index, &err), ISO_E_NOMEM, "out of memory");
	iso_alloc_fail_after(0);
}
END_TEST

/* p-values against scipy 1.10.1: chisquare([16,18,16,14,12,12], [16,16,16,16,16,8]); kstwobign.sf.
 */
START_TEST(goodness_of_fit)
{
	const double o[] = {16, 18, 16, 14, 12, 12}, e[] = {16, 16, 16, 16, 16, 8},
		     zero[] = {16, 16, 16, 16, 24, 0};
	tk_assert_close(iso_chi2_test(o, e, 6, 5), 0.6233876277495822, 1e-9, 0); /* statistic 3.5 */
	tk_assert_close(iso_chi2_test(o, zero, 6, 5), 0, 0, 0);
	static double u[1000];
	for (size_t i = 0; i < 1000; i++)
		u[i] = ((double)i + 0.5) / 1000;
	ck_assert(iso_ks_test(u, 1000) > 0.999999);
	for (size_t i = 0; i < 1000; i++)
		u[i] = u[i] * u[i];
	ck_assert(iso_ks_test(u, 1000) < 1e-50); /* D = 1/4 */
	/* D = 0.05 at n = 1000: lambda = (sqrt 1000 + 0.12 + 0.11 / sqrt 1000) * 0.05 = 1.58731;
	 * kstwobign.sf 0.012958845703741699 */
	for (size_t i = 0; i < 1000; i++)
		u[i] = (double)i / 1000 * 0.95 + 0.05;
	tk_assert_close(iso_ks_test(u, 1000), 0.012958845703741699, 1e-9, 0);
	ck_assert(iso_ks_test(u, 0) == 1);
	u[3] = NAN;
	ck_assert(iso_ks_test(u, 1000) == 0);
}
END_TEST

/* Student's t: tabulated quantiles, and the interval of .5 .6 .7 .8, .6500 +- .2054. */
START_TEST(students_t)
{
	static const double table[][3] = {{0.975, 1, 12.706204736432095},
					  {0.975, 3, 3.1824463052842624},
					  {0.95, 10, 1.8124611228107335},
					  {0.995, 100, 2.6258905214380173},
					  {0.975, 1e6, 1.9599663568} /* nearly normal */};
	const double x[] = {0.5, 0.6, 0.7, 0.8}, same[] = {1, 1, 1};
	double low, high;

	for (size_t i = 0; i < ISO_COUNT(table); i++) {
		tk_assert_close(iso_t_ppf(table[i][0], table[i][1]), table[i][2], 1e-8, 0);
		tk_assert_close(iso_t_ppf(1 - table[i][0], table[i][1]), -table[i][2], 1e-8, 0);
	}
	tk_assert_close(iso_t_ppf(0.5, 7), 0, 0, 1e-12);
	tk_assert_close(iso_mean_interval(x, 4, &low, &high), 0.65, 1e-12, 0);
	tk_assert_close(high - 0.65, 0.2054260256760526, 1e-8, 0);
	tk_assert_close(0.65 - low, 0.2054260256760526, 1e-8, 0);
	tk_assert_close(iso_mean_interval(same, 3, &low, &high), 1, 0, 0);
	ck_assert(isnan(low) && isnan(high));
	iso_mean_interval(x, 1, &low, &high);
	ck_assert(isnan(low) && isnan(high));
}
END_TEST

/* Risks of Giomi et al. against the oracle. */
START_TEST(risks)
{
	cJSON *all = tk_golden("oracle_stats.json.gz"), *v;
	size_t n = 0;

	cJSON_ArrayForEach(v, cJSON_GetObjectItem(all, "anonymeter_risk"))
	{
		const double rows = tk_number(v, "n");
		const cJSON *ci = cJSON_GetObjectItem(v, "ci");
		iso_risk r;

		iso_risk_of(tk_number(v, "train_success"), rows, tk_number(v, "control_success"),
			    rows, &r);
		tk_assert_close(r.raw, tk_number(v, "risk_raw"), 1e-10, 1e-12);
		tk_assert_close(r.error, tk_number(v, "err"), 1e-10, 1e-12);
		tk_assert_close(r.risk, tk_number(v, "risk"), 1e-10, 1e-12);
		tk_assert_close(r.low, cJSON_GetArrayItem(ci, 0)->valuedouble, 1e-10, 1e-12);
		tk_assert_close(r.high, cJSON_GetArrayItem(ci, 1)->valuedouble, 1e-10, 1e-12);
		n++;
	}
	ck_assert_uint_gt(n, 1);
	cJSON_Delete(all);
}
END_TEST

/* An interval always has a width, whatever the spread looks like. */
START_TEST(area_intervals_have_a_width)
{
	static const double area[] = {0, 1e-3, 0.5, 0.9, 1};

	for (size_t i = 0; i < ISO_COUNT(area); i++)
		for (size_t n = 1; n <= 1000; n *= 10) {
			double low, high;

			iso_auc_interval(area[i], 0, n, 3 * n, &low, &high);
			ck_assert(low <= area[i] && area[i] <= high && high - low > 1e-4);
			ck_assert(low >= 0 && high <= 1);
		}
	double low, high;
	iso_auc_interval(1, 0, 20, 50, &low, &high); /* 1 - 0.05^(1/20) */
	tk_assert_close(low, 0.8608916593317348, 1e-12, 0);
}
END_TEST

/* A stream that a test can write down. */
static uint64_t below(void *draw, uint64_t n)
{
	(void)draw;
	return (uint64_t)(uniform() * (double)n);
}

static double mean_of(void *ctx, const size_t *item, size_t n)
{
	const double *x = ctx;
	double s = 0;

	for (size_t i = 0; i < n; i++)
		s += x[item[i]];
	return s / (double)n;
}

static double never(void *ctx, const size_t *item, size_t n)
{
	(void)ctx;
	(void)item;
	(void)n;
	return NAN;
}

/* The mean of 0 .. 99: sd of the mean 2.8866; the interval of 4,000 resamples is 49.5 -+ 1.96 of
 * them to 0.3 (six standard errors of a quantile at .025). */
START_TEST(bootstrap)
{
	iso_error err = {0};
	double x[100], low, high;
	iso_bootstrap b = {100, 4000, 0.95, mean_of, x, below, NULL};

	for (size_t i = 0; i < 100; i++)
		x[i] = (double)i;
	seed = 17;
	tk_ok(iso_bootstrap_interval(&b, &low, &high, &err));
	tk_assert_close(low, 49.5 - 1.959964 * 2.8866, 0, 0.4);
	tk_assert_close(high, 49.5 + 1.959964 * 2.8866, 0, 0.4);
	b.f = never;
	tk_ok(iso_bootstrap_interval(&b, &low, &high, &err));
	ck_assert(isnan(low) && isnan(high));
	b.f = mean_of;
	b.n = 1; /* one item: no spread */
	tk_ok(iso_bootstrap_interval(&b, &low, &high, &err));
	ck_assert(low == 0 && high == 0);
	iso_alloc_fail_after(1);
	tk_fails(iso_bootstrap_interval(&b, &low, &high, &err), ISO_E_NOMEM, "out of memory");
	iso_alloc_fail_after(0);
}
END_TEST

/* Sets of one are a pair: the share won is the area, half for a tie.  Sets of two by hand: members
 * 4 and 2, non-members 3 and 1 share the two highest: half a point.  Members all above: 1. */
START_TEST(set_membership)
{
	iso_error err = {0};
	const double s[] = {4, 3, 2, 1}, tied[] = {1, 1, 1, 1}, top[] = {5, 5, 2, 1};
	const uint8_t y[] = {1, 0, 1, 0}, first[] = {1, 1, 0, 0};
	double won;

	seed = 23;
	tk_ok(iso_set_accuracy(s, y, 4, 2, 10, below, NULL, &won, &err));
	tk_assert_close(won, 0.5, 0, 0);
	tk_ok(iso_set_accuracy(tied, y, 4, 2, 10, below, NULL, &won, &err));
	tk_assert_close(won, 0.5, 0, 0);
	tk_ok(iso_set_accuracy(top, first, 4, 2, 10, below, NULL, &won, &err));
	tk_assert_close(won, 1, 0, 0);
	tk_ok(iso_set_accuracy(s, y, 4, 1, 4000, below, NULL, &won, &err));
	tk_assert_close(won, 0.75, 0, 0.035); /* five standard errors */
	tk_ok(iso_set_accuracy(s, y, 4, 3, 10, below, NULL, &won, &err));
	ck_assert(isnan(won));
	iso_alloc_fail_after(2);
	tk_fails(iso_set_accuracy(s, y, 4, 1, 1, below, NULL, &won, &err), ISO_E_NOMEM,
		 "out of memory");
	iso_alloc_fail_after(0);
}
END_TEST

/* Places 0 2 4: 1 2 3 with truth 0 1 1 (AUC 1); places 1 3 5: 5 4 6 with truth 0 1 1: one of two
 * pairs. */
START_TEST(halves)
{
	const double s[] = {1, 5, 2, 4, 3, 6};
	const uint8_t y[] = {0, 0, 1, 1, 1, 1}, one_class[] = {0, 1, 0, 0, 0, 1};
	iso_error err = {0};
	double auc[2];

	tk_ok(iso_auc_halves(s, y, 6, auc, &err));
	ck_assert(auc[0] == 1 && auc[1] == 0.5);
	tk_ok(iso_auc_halves(s, one_class, 6, auc, &err));
	ck_assert(isnan(auc[0]) && auc[1] == 1);
	tk_ok(iso_auc_halves(s, y, 0, auc, &err));
	ck_assert(isnan(auc[0]) && isnan(auc[1]));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("stats");
	TCase *t = tcase_create("stats");
	tcase_add_test(t, roc_goldens);
	tcase_add_test(t, roc_definitions);
	tcase_add_test(t, roc_intervals);
	tcase_add_test(t, roc_refuses);
	tcase_add_test(t, clopper_pearson);
	tcase_add_test(t, wilson);
	tcase_add_test(t, moments_and_quantiles);
	tcase_add_test(t, argsort);
	tcase_add_test(t, goodness_of_fit);
	tcase_add_test(t, students_t);
	tcase_add_test(t, risks);
	tcase_add_test(t, area_intervals_have_a_width);
	tcase_add_test(t, bootstrap);
	tcase_add_test(t, set_membership);
	tcase_add_test(t, halves);
	suite_add_tcase(s, t);
	return tk_run(s);
}
