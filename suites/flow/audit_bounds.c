// SPDX-License-Identifier: Apache-2.0
#include "suites/flow/audit_bounds.h"

#include <math.h>
#include <stdint.h>

#include "core/math/special.h"
#include "core/math/stats.h"
#include "core/math/vmath.h"

static double log_ratio(double delta, double a, double b)
{
	const double top = 1 - delta - a;

	return top > 0 && b > 0 ? iso_log(top / b) : -INFINITY;
}

static double larger(double a, double b)
{
	return a > b ? a : b;
}

double iso_audit_epsilon(const iso_counts *c, double delta, double tail)
{
	const double fpr = iso_cp_upper(c->fp, c->n_out, tail),
		     fnr = iso_cp_upper(c->fn, c->n_in, tail);

	return larger(0, larger(log_ratio(delta, fnr, fpr), log_ratio(delta, fpr, fnr)));
}

double iso_audit_mu(const iso_counts *c, double tail)
{
	const double fpr = iso_cp_upper(c->fp, c->n_out, tail),
		     fnr = iso_cp_upper(c->fn, c->n_in, tail);

	if (fpr >= 1 || fnr >= 1)
		return 0;
	return larger(0, -iso_norm_ppf(fpr) - iso_norm_ppf(fnr));
}

double iso_gdp_delta(double mu, double epsilon)
{
	if (!(mu > 0))
		return 0;
	return iso_norm_cdf(-epsilon / mu + mu / 2) -
	       iso_exp(epsilon + iso_log_ndtr(-epsilon / mu - mu / 2));
}

double iso_gdp_epsilon(double mu, double delta)
{
	double lo = 0, hi = 1;

	if (iso_gdp_delta(mu, 0) <= delta)
		return 0;
	while (iso_gdp_delta(mu, hi) > delta && hi < 1e6)
		hi *= 2;
	for (int i = 0; i < 200 && hi - lo > 1e-13 * hi; i++) {
		const double mid = (lo + hi) / 2;

		if (iso_gdp_delta(mu, mid) > delta)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

double iso_audit_ceiling(size_t n, double delta, double tail)
{
	const iso_counts perfect = {.n_out = n, .n_in = n};

	return iso_audit_epsilon(&perfect, delta, tail);
}

int iso_profile_rejects(const iso_counts *c, const iso_profile *p, double tail, size_t *at)
{
	const double fpr = iso_cp_upper(c->fp, c->n_out, tail),
		     fnr = iso_cp_upper(c->fn, c->n_in, tail);
	double worst = 0;

	*at = 0;
	for (size_t i = 0; i < p->n; i++) {
		const double e = iso_exp(p->epsilon[i]);
		const double excess = larger(1 - fnr - e * fpr, 1 - fpr - e * fnr) - p->delta[i];

		if (excess > worst) {
			worst = excess;
			*at = i;
		}
	}
	return worst > 0;
}

/* ------------------------------------------------------------------ one run */

double iso_one_run_p(size_t m, size_t r, size_t v, double epsilon, double delta)
{
	const double q = 1 / (1 + iso_exp(-epsilon));
	const double beta = iso_binom_sf(v, r, q);
	double steepest = 0, p;

	for (size_t i = 1; i <= v && delta > 0; i++) {
		const double mass = (iso_binom_sf(v - i, r, q) - beta) / (double)i;

		if (mass > steepest)
			steepest = mass;
		else if (1 / (double)i < steepest) /* the mass is at most 1 */
			break;
	}
	p = beta + 2 * (double)m * delta * steepest;
	return p < 1 ? p : 1;
}

double iso_one_run_epsilon(size_t m, size_t r, size_t v, double delta, double p)
{
	double lo = 0, hi = 1;

	if (iso_one_run_p(m, r, v, 0, delta) >= p)
		return 0;
	while (iso_one_run_p(m, r, v, hi, delta) < p && hi < 100) {
		lo = hi;
		hi += 1;
	}
	for (int i = 0; i < 50; i++) {
		const double mid = (lo + hi) / 2;

		if (iso_one_run_p(m, r, v, mid, delta) < p)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

/* Algorithm 3 of the paper with k = 2: could a mu-GDP mechanism give v of r with probability p? */
static int mu_possible(size_t m, size_t r, size_t v, double p, double mu)
{
	double right = p * (double)v / (double)m, wrong = p * (double)(r - v) / (double)m;

	for (size_t i = v; i-- > 0;) {
		const double least = right <= 0	  ? 0
				     : right >= 1 ? 1
						  : iso_norm_cdf(iso_norm_ppf(right) - mu);

		right += (double)i / (double)(r - i) * (least - wrong);
		wrong = least;
	}
	return right + wrong <= (double)r / (double)m;
}

double iso_one_run_mu(size_t m, size_t r, size_t v, double p)
{
	double lo = 0, hi = 1;

	if (v == 0 || mu_possible(m, r, v, p, 0))
		return 0;
	while (!mu_possible(m, r, v, p, hi) && hi < 64)
		hi *= 2;
	for (int i = 0; i < 50; i++) {
		const double mid = (lo + hi) / 2;

		if (mu_possible(m, r, v, p, mid))
			hi = mid;
		else
			lo = mid;
	}
	return lo;
}

/* ------------------------------------------------------------------ posterior */

/* Mass of x ~ Beta(a, b) up to x, with the ends of no errors and only errors forced as in the
 * paper.
 */
static double beta_cdf(double a, double b, double x)
{
	return x <= 0 ? 0 : x >= 1 ? 1 : iso_beta_inc(a, b, x);
}

#define STEPS 400

/* P[(FNR, FPR) in the region of (epsilon, delta)]: over quantiles of FPR, the mass of FNR between
 * the two border lines. */
static double region_mass(const iso_counts *c, const double *quantile, double epsilon, double delta)
{
	const double na = 0.5 + (double)c->fn, nb = 0.5 + (double)(c->n_in - c->fn);
	const double e = iso_exp(epsilon);
	double mass = 0;

	for (size_t i = 0; i < STEPS; i++) {
		const double fpr = quantile[i];
		const double low = larger(1 - delta - e * fpr, (1 - delta - fpr) / e);
		const double high_a = e * (1 - fpr) + delta, high_b = 1 - (fpr - delta) / e;
		const double high = high_a < high_b ? high_a : high_b;

		mass += larger(0, beta_cdf(na, nb, high) - beta_cdf(na, nb, low));
	}
	return mass / STEPS;
}

double iso_zanella_epsilon(const iso_counts *c, double delta, double alpha)
{
	double quantile[STEPS], lo = 0, hi = 1;

	for (size_t i = 0; i < STEPS; i++)
		quantile[i] = iso_beta_ppf(0.5 + (double)c->fp, 0.5 + (double)(c->n_out - c->fp),
					   ((double)i + 0.5) / STEPS);
	if (region_mass(c, quantile, 0, delta) >= alpha)
		return 0;
	while (region_mass(c, quantile, hi, delta) < alpha && hi < 64)
		hi *= 2;
	for (int i = 0; i < 30; i++) {
		const double mid = (lo + hi) / 2;

		if (region_mass(c, quantile, mid, delta) < alpha)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}
