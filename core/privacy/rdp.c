// SPDX-License-Identifier: Apache-2.0
/* Renyi curves of single releases (Mironov 2017, arXiv 1702.07476), each a pure function of its
 * parameters. */
#include <math.h>

#include "core/math/special.h"
#include "core/math/vmath.h"
#include "core/privacy/account_private.h"

#define SQRT_2PI 2.50662827463100050242
#define PI2 9.86960440108935861883

/* Mironov 2017, Proposition 7. */
double iso_rdp_gaussian(double alpha, double sigma)
{
	return sigma > 0 ? alpha / (2 * sigma * sigma) : INFINITY;
}

/* Laplace with scale b per unit of sensitivity: Mironov 2017, Proposition 6, rearranged so that
 * orders near 1 and small 1/b keep their digits:  e + log1p((a-1) expm1((1-2a)e) / (2a-1)) / (a-1),
 * e = 1/b. */
double iso_rdp_laplace(double alpha, double b)
{
	const double e = 1 / b;
	double x;

	if (!(b > 0) || e == INFINITY)
		return INFINITY;
	if (alpha == INFINITY)
		return e;
	if (alpha == 1)
		return e + iso_expm1(-e);
	x = iso_expm1((1 - 2 * alpha) * e) / (2 * alpha - 1);
	return fmax(0, e + iso_log1p((alpha - 1) * x) / (alpha - 1));
}

/* log(cosh(y)), y >= 0. */
static double log_cosh(double y)
{
	/* cosh y = 1 + 2 sinh^2(y/2), and 2 sinh(y/2) = expm1(y/2) + (1 - e^(-y/2)) */
	if (y < 1) {
		const double d = 0.5 * (iso_expm1(0.5 * y) - iso_expm1(-0.5 * y));

		return iso_log1p(2 * d * d);
	}
	return y + iso_log1p(iso_exp(-2 * y)) - 0.69314718055994530942;
}

/* Worst case of pure epsilon-DP, binary randomized response: with p = e^e/(1+e^e) the Renyi
 * divergence is [log cosh((a-1/2) e) - log cosh(e/2)] / (a-1), the symmetric form of the usual [a e
 * + log(1+e^(e(1-2a))) - log(1+e^e)] / (a-1). */
double iso_rdp_pure(double alpha, double epsilon)
{
	double c;

	if (epsilon == 0)
		return 0;
	if (!(epsilon < INFINITY))
		return INFINITY;
	if (alpha == INFINITY)
		return epsilon;
	if (alpha == 1)
		return epsilon * iso_tanh(epsilon / 2);
	/* log cosh A - log cosh B = log(1 + 2 sinh((A+B)/2) sinh((A-B)/2) / cosh B), A+B = a e, A-B
	 * = (a-1) e */
	if (alpha * epsilon < 20) {
		const double s = 0.5 * (iso_expm1(0.5 * alpha * epsilon) -
					iso_expm1(-0.5 * alpha * epsilon));
		const double d = 0.5 * (iso_expm1(0.5 * (alpha - 1) * epsilon) -
					iso_expm1(-0.5 * (alpha - 1) * epsilon));

		c = iso_log1p(2 * s * d / iso_exp(log_cosh(0.5 * epsilon)));
	} else {
		c = log_cosh((alpha - 0.5) * epsilon) - log_cosh(0.5 * epsilon);
	}
	return fmin(epsilon, c / (alpha - 1));
}

double iso_rdp_randomized_response(double alpha, double epsilon)
{
	return iso_rdp_pure(alpha, epsilon);
}

/* Exponential mechanism: epsilon-bounded range, hence xi + alpha e^2/8 with
 * xi = r - 1 - log r - e^2/8 <= 0, r = e/(e^e - 1) (Cesar and Rogers 2021; Dong, Durfee and Rogers
 * 2020), and never more than the worst case of epsilon-DP.  With g = log((e^e-1)/e) = e/2 +
 * log(sinh(e/2)/(e/2)): xi = e^-g - 1 + g - e^2/8; the series for small e starts at -e^4/576. */
double iso_rdp_exponential(double alpha, double epsilon)
{
	const double e2 = epsilon * epsilon;
	double xi;

	if (epsilon == 0)
		return 0;
	if (!(epsilon < 1e154))
		return epsilon;
	if (epsilon < 0.2) {
		/* Taylor series of xi in e, computed symbolically */
		xi = e2 * e2 * (-1.0 / 576 + e2 * (1.0 / 51840 - e2 / 2488320.0));
		xi = fmin(0, xi);
	} else {
		const double r = epsilon / iso_expm1(epsilon);
		/* log r = log e - e - log(1 - e^-e) stays finite when r underflows */
		const double log_r = iso_log(epsilon) - epsilon - iso_log1mexp(-epsilon);

		xi = r - 1 - log_r - e2 / 8;
	}
	return fmax(0, fmin(xi + alpha * e2 / 8, iso_rdp_pure(alpha, epsilon)));
}

/* ---- Poisson-subsampled Gaussian ---- */

typedef struct sgm {
	double q, s; /* rate, noise multiplier */
	double log_q, log_1q;
	int replace; /* replace-one pair instead of (mixture, N(0)) */
} sgm;

/* u = e^L - 1 and l = L, the privacy loss at x, and the log density of the reference Q relative to
 * N(0, s^2). */
static void sgm_loss(const sgm *g, double x, double *u, double *l, double *ref)
{
	const double s2 = 2 * g->s * g->s, t = (2 * x - 1) / s2;
	double lp, up;

	up = g->q * iso_expm1(t);
	if (t < 1) {
		lp = iso_log1p(up);
	} else {
		const double a = g->log_q + t;

		lp = a > g->log_1q + 40 ? a : iso_log_add(g->log_1q, a);
	}
	if (!g->replace) {
		*u = up;
		*l = lp;
		*ref = 0;
		return;
	}
	const double tm = (-2 * x - 1) / s2, um = g->q * iso_expm1(tm);

	*ref = tm < 1 ? iso_log1p(um) : iso_log_add(g->log_1q, g->log_q + tm);
	*l = lp - *ref;
	/* (P - Q)/Q = q (e^t - e^tm) / (Q/N0) */
	*u = fabs(*l) < 0.5 ? g->q * (up - um) / g->q / iso_exp(*ref) : iso_expm1(*l);
}

/* (1+u)^alpha - 1 - alpha u >= 0, for |alpha l| below overflow. */
static double excess(double alpha, double u, double l)
{
	if (fabs(alpha * u) < 0.05) {
		double c = alpha * (alpha - 1) / 2 * u * u, sum = c;

		for (int j = 3; j <= 9; j++) {
			c *= (alpha - (j - 1)) / j * u;
			sum += c;
		}
		return sum;
	}
	return iso_expm1(alpha * l) - alpha * u;
}

/* Its logarithm, for large alpha l as e^(alpha l) (1 - alpha e^(-(alpha-1) l) + (alpha-1) e^(-alpha
 * l)). */
static double log_excess(double alpha, double u, double l)
{
	if (l < 1 && alpha * l < 30)
		return iso_log(fmax(excess(alpha, u, l), 1e-320));
	return alpha * l +
	       iso_log1p(-alpha * iso_exp(-(alpha - 1) * l) + (alpha - 1) * iso_exp(-alpha * l));
}

/* Adds the nodes from x = a to b; log space with a running maximum when `in_log`. */
static void sgm_panel(const sgm *g, double alpha, double a, double b, double h, int in_log,
		      double *top, iso_sum *sum)
{
	const size_t n = (size_t)ceil((b - a) / h);
	const double inv = 1 / (2 * g->s * g->s);

	for (size_t i = 0; i <= n; i++) {
		const double x = a + (double)i * h;
		double u, l, ref;

		sgm_loss(g, x, &u, &l, &ref);
		if (!in_log) {
			iso_sum_add(sum, iso_exp(ref - x * x * inv) * excess(alpha, u, l));
			continue;
		}
		const double v = log_excess(alpha, u, l) + ref - x * x * inv;

		if (v > *top) {
			const double scale = iso_exp(*top - v);

			sum->s *= scale;
			sum->c *= scale;
			*top = v;
		}
		iso_sum_add(sum, iso_exp(v - *top));
	}
}

/* In a strip of half-width a <= pi s^2 the rule's error is e^(-2 pi a / h + a^2 / (2 s^2)).  At h =
 * s/4 the best a is 8 pi s, inside the strip from s = 8 on, and the error e^-315; below, a = pi s^2
 * and the error e^-50 give the second bound. */
static double sgm_step(double s)
{
	return s >= 8 ? s / 4 : fmin(s / 4, 2 * PI2 * s * s / (50 + PI2 * s * s / 2));
}

/* log E_Q[(P/Q)^alpha] / (alpha-1) by the trapezoidal rule on A - 1 = E[(1+u)^alpha - 1 - alpha u],
 * which is never negative, so tiny values keep their digits.  The integrand is analytic in |Im x| <
 * pi s^2 (branch point of the logarithm): the rule converges geometrically (Trefethen and Weideman
 * 2014), step as in sgm_step.
 *
 * For large alpha/s the integrand has two separate humps.  Stationary points of alpha l(x) - x^2/(2
 * s^2) satisfy x = alpha p(x), p the posterior probability of inclusion; maxima need alpha p (1-p)
 * < s^2, so x < s^2 + 1 or x > alpha - s^2 - 1: the stretch between is skipped. */
static double sgm_divergence(const sgm *g, double alpha)
{
	const double s = g->s, s2 = s * s, reach = 9.5 * s;
	const double h = sgm_step(s);
	const double lo = -reach - (g->replace ? 1 : 0), hi = alpha + reach;
	const double left = 2 * s2 + 2 + reach, right = alpha - 2 * s2 - 2 - reach;
	double u, l, ref, top = -INFINITY, value;
	iso_sum sum = {0};
	int in_log;

	sgm_loss(g, hi, &u, &l, &ref);
	in_log = alpha * l > 300 || hi * hi / (2 * s2) > 300;
	if (left + 8 * h < right) {
		sgm_panel(g, alpha, lo, left, h, in_log, &top, &sum);
		sgm_panel(g, alpha, right, hi, h, in_log, &top, &sum);
	} else {
		sgm_panel(g, alpha, lo, hi, h, in_log, &top, &sum);
	}
	value = iso_sum_value(&sum) * h / (s * SQRT_2PI);
	if (!in_log)
		return iso_log1p(value) / (alpha - 1);
	top += iso_log(value);
	return (top > 30 ? top + iso_log1p(iso_exp(-top)) : iso_log1p(iso_exp(top))) / (alpha - 1);
}

double iso_rdp_sgm(double alpha, double q, double sigma)
{
	const sgm g = {.q = q, .s = sigma, .log_q = iso_log(q), .log_1q = iso_log1p(-q)};

	if (q == 0)
		return 0;
	if (!(sigma > 0))
		return INFINITY;
	if (q >= 1)
		return iso_rdp_gaussian(alpha, sigma);
	/* beyond: no digits left in q^2/s^2, or more nodes than worth it; the unsampled value is a
	 * bound */
	if (sigma > 1e6 || alpha > 1e7 || sigma < 1e-3)
		return iso_rdp_gaussian(alpha, sigma);
	return fmin(sgm_divergence(&g, alpha), iso_rdp_gaussian(alpha, sigma));
}

double iso_rdp_sgm_replace(double alpha, double q, double sigma)
{
	const sgm g = {
		.q = q, .s = sigma, .log_q = iso_log(q), .log_1q = iso_log1p(-q), .replace = 1};

	if (q == 0)
		return 0;
	if (!(sigma > 0))
		return INFINITY;
	if (q >= 1 || sigma > 1e6 || alpha > 1e7 || sigma < 1e-3)
		return iso_rdp_gaussian(alpha, sigma / 2);
	return fmin(sgm_divergence(&g, alpha), iso_rdp_gaussian(alpha, sigma / 2));
}

/* ---- Sampling without replacement, replace-one (Wang, Balle and Kasiviswanathan 2019, Theorem 27)
 * ---- */

/* log B(l), the l-th forward difference at 0 of exp(i(i-1)/(2 s^2)), l even: = E[(e^t - 1)^l] over
 * x ~ N(0, s^2), t = (2x-1)/(2 s^2), because E[e^(it)] = exp(i(i-1)/(2 s^2)).  The integrand is
 * entire and not negative: no cancellation, unlike the alternating sum. */
static double log_difference(int l, double s)
{
	const double h = s / 4, lo = -9.5 * s, hi = l + 9.5 * s, inv = 1 / (2 * s * s);
	const size_t n = (size_t)ceil((hi - lo) / h);
	double top = -INFINITY, sum = 0;

	if (l == 0)
		return 0;
	for (size_t i = 0; i <= n; i++) {
		const double x = lo + (double)i * h, t = (2 * x - 1) * inv;
		const double v = l * (t > 30 ? t + iso_log1p(-iso_exp(-t))
					     : iso_log(fabs(iso_expm1(t)) + 1e-300)) -
				 x * x * inv;

		if (v > top) {
			sum = sum * iso_exp(top - v) + 1;
			top = v;
		} else {
			sum += iso_exp(v - top);
		}
	}
	return top + iso_log(sum * h / (s * SQRT_2PI));
}

#define WOR_MAX_ORDER 1024
#define WOR_MAX_DIFFERENCE 256

static double wor_integer(int a, double q, double s)
{
	const double f2 = 1 / (s * s), log_q = iso_log(q), log_4 = 1.38629436111989061883,
		     log_2 = log_4 / 2;
	double total =
		2 * log_q + iso_log_choose(a, 2) + fmin(log_4 + iso_log(iso_expm1(f2)), log_2 + f2);
	double even = 0, next = 0; /* log B(2 floor(j/2)), log B(2 ceil(j/2)) */

	for (int j = 3; j <= a; j++) {
		double term = log_2 + (j - 1) * (j * f2 / 2);

		if (j <= WOR_MAX_DIFFERENCE && s * 200 > j) {
			if (j == 3 || j % 2 == 0)
				even = j == 3 ? log_difference(2, s) : next;
			if (j % 2)
				next = log_difference(j + 1, s);
			term = fmin(term, log_4 + 0.5 * (even + (j % 2 ? next : even)));
		}
		total = iso_log_add(total, j * log_q + iso_log_choose(a, j) + term);
	}
	return iso_log1p(iso_exp(total)) == INFINITY ? total
	       : total > 30			     ? total + iso_log1p(iso_exp(-total))
						     : iso_log1p(iso_exp(total));
}

double iso_rdp_wor(double alpha, double q, double sigma)
{
	const double plain = iso_rdp_gaussian(alpha, sigma), a = floor(alpha), part = alpha - a;
	double lo, hi;

	if (q == 0)
		return 0;
	if (!(sigma > 0) || q >= 1 || alpha > WOR_MAX_ORDER || sigma < 1e-3 || sigma > 1e6)
		return plain;
	/* (alpha-1) eps(alpha) is convex and 0 at 1: linear interpolation bounds it between
	 * integers */
	lo = a < 2 ? 0 : wor_integer((int)a, q, sigma);
	hi = part > 0 ? wor_integer((int)a + 1, q, sigma) : 0;
	return fmin(plain, ((1 - part) * lo + part * hi) / (alpha - 1));
}
