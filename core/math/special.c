// SPDX-License-Identifier: Apache-2.0
/* Special functions.
 *
 * erfc rests on one Chebyshev series for the scaled function e^(z^2) erfc(z), which is smooth on
 * [0, inf); the normal CDF and its logarithm then keep their relative accuracy in the whole lower
 * tail.  Incomplete beta and gamma functions use the saddle-point form of their prefactor (C.
 * Loader 2000, "Fast and accurate computation of binomial probabilities"), so that large parameters
 * do not cancel.
 */
#include "core/math/special.h"

#include <math.h>

#include "core/math/vmath.h"

#define LOG_SQRT_2PI 0.91893853320467274178
#define LOG_2 0.69314718055994530942
#define SQRT_HALF 0.70710678118654752440
#define EPS 2.220446049250313e-16

double iso_log_add(double a, double b)
{
	const double hi = a > b ? a : b, lo = a > b ? b : a;

	if (isnan(a) || isnan(b))
		return NAN;
	if (hi == -INFINITY || hi == INFINITY)
		return hi;
	return hi + iso_log1p(iso_exp(lo - hi));
}

double iso_log1mexp(double x)
{
	/* Maechler 2012: the switch at log 2 keeps full accuracy on both sides. */
	if (x > 0)
		return NAN;
	return x < -LOG_2 ? iso_log1p(-iso_exp(x)) : iso_log(-iso_expm1(x));
}

double iso_log_sub(double a, double b)
{
	if (isnan(a) || isnan(b) || a < b)
		return NAN;
	if (b == -INFINITY)
		return a;
	if (a == b)
		return -INFINITY;
	return a == INFINITY ? a : a + iso_log1mexp(b - a);
}

double iso_log_sum(const double *x, size_t n)
{
	double hi = -INFINITY;
	iso_sum k = {0};

	for (size_t i = 0; i < n; i++) {
		if (isnan(x[i]))
			return NAN;
		if (x[i] > hi)
			hi = x[i];
	}
	if (hi == -INFINITY || hi == INFINITY)
		return hi;
	for (size_t i = 0; i < n; i++)
		iso_sum_add(&k, iso_exp(x[i] - hi));
	return hi + iso_log(iso_sum_value(&k));
}

void iso_sum_add(iso_sum *k, double x)
{
	const double t = k->s + x;

	if (fabs(k->s) >= fabs(x))
		k->c += (k->s - t) + x;
	else
		k->c += (x - t) + k->s;
	k->s = t;
}

double iso_sum_value(const iso_sum *k)
{
	return k->s + k->c;
}

/* Stirling's remainder S(x) = lgamma(x) - [(x - 1/2) log x - x + log sqrt(2 pi)] for x >= 10:
 * Bernoulli numbers, Abramowitz and Stegun 6.1.40; the next term is below 1e-17. */
static double stirling_tail(double x)
{
	static const double c[] = {1.0 / 12,	-1.0 / 360,	  1.0 / 1260,
				   -1.0 / 1680, 1.0 / 1188,	  -691.0 / 360360,
				   1.0 / 156,	-3617.0 / 122400, 43867.0 / 244188};
	const double y = 1 / (x * x);
	double s = c[8];

	for (int i = 7; i >= 0; i--)
		s = s * y + c[i];
	return s / x;
}

/* Gamma(x) for 0 < x < 10 by the recurrence from [1, 2] with the series of log Gamma about 1 and 2
 * would need zeta values; shifting up to 10 keeps 1e-15 absolute in the logarithm, which is what
 * the users need. */
double iso_lgamma(double x)
{
	double p = 1;

	if (!(x > 0))
		return x == 0 ? INFINITY : NAN;
	if (x == INFINITY)
		return x;
	if (x == 1 || x == 2)
		return 0;
	while (x < 10) {
		p *= x;
		x += 1;
	}
	return (x - 0.5) * iso_log(x) - x + LOG_SQRT_2PI + stirling_tail(x) - iso_log(p);
}

double iso_log_choose(double n, double k)
{
	if (!(k >= 0) || !(k <= n))
		return isnan(n) || isnan(k) ? NAN : -INFINITY;
	if (k == 0 || k == n)
		return 0;
	if (k > n - k)
		k = n - k;
	if (k <= 16 && k == floor(k)) { /* short products: exact to rounding */
		double s = 1;

		for (int i = 0; i < (int)k; i++)
			s *= (n - i) / (i + 1);
		if (isfinite(s))
			return iso_log(s);
	}
	if (k < 10)
		return iso_lgamma(n + 1) - iso_lgamma(k + 1) - iso_lgamma(n - k + 1);
	/* Stirling on the three factorials, so that the large parts do not cancel */
	return 0.5 * iso_log(n / k / (n - k)) - LOG_SQRT_2PI + stirling_tail(n) - stirling_tail(k) -
	       stirling_tail(n - k) + k * iso_log(n / k) - (n - k) * iso_log1p(-k / n);
}

/* e^(z^2) erfc(z), z >= 0.  Chebyshev series of (1 + 2z) e^(z^2) erfc(z) in y = (z-3)/(z+3)
 * (Shepherd and Laframboise 1981, "Chebyshev approximation of (1+2x) exp(x^2) erfc(x)";
 * coefficients computed anew with 50 digits). */
static double erfcx(double z)
{
	static const double c[] = {
		1.177562574196560046,	   0.005353904539615676769,   -0.09377550342284209052,
		0.0543665255574432205,	   -0.01897659670784520739,   0.00445342606146271157,
		-0.000633553171055314694,  0.00001766171952317159185, 0.00001284153286405667073,
		-2.007228565905991444e-6,  -1.807522790414837102e-7,  7.549828343825092828e-8,
		1.885668523838602791e-9,   -2.699519049798363997e-9,  -1.460079119939104941e-11,
		1.036160744596948968e-10,  1.475715976623473009e-12,  -4.277340064396910825e-12,
		-2.079224928597989978e-13, 1.813450200317696242e-13,  1.973425574544738834e-14,
		-7.287943737592673157e-15, -1.516987869022811568e-15, 2.351411225878140352e-16,
		1.000611169182166761e-16,  -2.05725281695385462e-18,  -5.608608218863182949e-18};
	const double y = (z - 3) / (z + 3);
	double b1 = 0, b2 = 0;

	if (z > 1e8)
		return 0.56418958354775628695 / z;
	for (int i = 26; i > 0; i--) {
		const double t = 2 * y * b1 - b2 + c[i];

		b2 = b1;
		b1 = t;
	}
	return (y * b1 - b2 + c[0]) / (1 + 2 * z);
}

/* e^(-z^2) with z^2 split, so that its rounding does not spoil the tail. */
static double exp_minus_square(double z)
{
	const double hi = (double)(float)z;

	return iso_exp(-hi * hi) * iso_exp(-(z - hi) * (z + hi));
}

double iso_erfc(double x)
{
	const double z = fabs(x);
	double v;

	if (isnan(x))
		return x;
	v = z > 27.3 ? 0 : exp_minus_square(z) * erfcx(z);
	return x < 0 ? 2 - v : v;
}

/* Upper normal tail for z >= 0; the exponent is formed from z itself, since z / sqrt 2 is rounded.
 */
static double upper_tail(double z)
{
	const double hi = (double)(float)z;

	return z > 39 ? 0
		      : 0.5 * erfcx(z * SQRT_HALF) * iso_exp(-0.5 * hi * hi) *
				iso_exp(-0.5 * (z - hi) * (z + hi));
}

double iso_norm_cdf(double z)
{
	if (isnan(z))
		return z;
	return z < 0 ? upper_tail(-z) : 1 - upper_tail(z);
}

double iso_log_ndtr(double z)
{
	if (z > 0)
		return iso_log1p(-upper_tail(z));
	if (z == -INFINITY)
		return z;
	return iso_log(0.5 * erfcx(-z * SQRT_HALF)) - 0.5 * z * z;
}

/* Phi(z) - 1/2 for small z by its series; Phi(z) = 1/2 + phi(0) sum (-1)^k z^(2k+1) / (2^k k!
 * (2k+1)). */
static double central_ppf(double d)
{
	const double target = d * 2.50662827463100050242;
	double z = target;

	for (int i = 0; i < 5; i++) {
		const double y = -0.5 * z * z;
		double term = z, sum = z;

		for (int k = 1; k < 12; k++) {
			term *= y / k;
			sum += term / (2 * k + 1);
		}
		z -= (sum - target) / iso_exp(y);
	}
	return z;
}

/* Newton steps on log Phi(z) = log p, concave and increasing: from the left of the root they
 * converge monotonely. */
double iso_norm_ppf(double p)
{
	double z, t, lp;

	if (!(p >= 0) || !(p <= 1))
		return NAN;
	if (p == 0 || p == 1)
		return p == 0 ? -INFINITY : INFINITY;
	if (p > 0.6)
		return -iso_norm_ppf(1 - p);
	if (p > 0.4)
		return central_ppf(p - 0.5);
	lp = iso_log(p);
	t = sqrt(-2 * lp); /* Abramowitz and Stegun 26.2.23: |error| < 4.5e-4 */
	z = -(t - (2.515517 + t * (0.802853 + t * 0.010328)) /
			  (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))));
	for (int i = 0; i < 4; i++) {
		const double l = iso_log_ndtr(z);
		/* slope of log Phi: phi/Phi = sqrt(2/pi) / erfcx(-z/sqrt 2) */
		const double slope = 0.79788456080286535588 / erfcx(-z * SQRT_HALF);
		const double step = (l - lp) / slope;

		z -= step *
		     (1 - 0.5 * step * (z + slope)); /* Halley: (log Phi)'' = -slope (z + slope) */
	}
	return z;
}

/* S(x) for every x > 0. */
static double stirling_any(double x)
{
	return x >= 10 ? stirling_tail(x)
		       : iso_lgamma(x) - ((x - 0.5) * iso_log(x) - x + LOG_SQRT_2PI);
}

/* x log(x/m) + m - x, without cancellation near x = m (Loader's bd0). */
static double deviance(double x, double m)
{
	if (fabs(x - m) < 0.1 * (x + m)) {
		const double v = (x - m) / (x + m);
		double s = (x - m) * v, ej = 2 * x * v;

		for (int j = 1; j < 1000; j++) {
			double s1;

			ej *= v * v;
			s1 = s + ej / (2 * j + 1);
			if (s1 == s)
				return s;
			s = s1;
		}
	}
	return x * iso_log(x / m) + m - x;
}

/* Lentz's continued fraction of I_x(a,b), convergent fast for x < (a+1)/(a+b+2) (DLMF 8.17.22). */
static double beta_fraction(double a, double b, double x)
{
	const double tiny = 1e-300;
	double c = 1, d = 1 - (a + b) * x / (a + 1), h;

	if (fabs(d) < tiny)
		d = tiny;
	d = 1 / d;
	h = d;
	for (int m = 1; m < 100000; m++) {
		double k = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), step;

		d = 1 + k * d;
		c = 1 + k / c;
		d = 1 / (fabs(d) < tiny ? tiny : d);
		c = fabs(c) < tiny ? tiny : c;
		h *= d * c;
		k = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		d = 1 + k * d;
		c = 1 + k / c;
		d = 1 / (fabs(d) < tiny ? tiny : d);
		c = fabs(c) < tiny ? tiny : c;
		step = d * c;
		h *= step;
		if (fabs(step - 1) < 2 * EPS)
			break;
	}
	return h;
}

/* x^a (1-x)^b / B(a,b); y = 1 - x is passed so that neither side loses digits. */
static double beta_prefactor(double a, double b, double x, double y)
{
	const double n = a + b;

	if (n * x < 1e-290 || n * y < 1e-290)
		return iso_exp(a * iso_log(x) + b * iso_log(y) + iso_lgamma(n) - iso_lgamma(a) -
			       iso_lgamma(b));
	return sqrt(a * (b / n)) * iso_exp(stirling_any(n) - stirling_any(a) - stirling_any(b) -
					   deviance(a, n * x) - deviance(b, n * y) - LOG_SQRT_2PI);
}

double iso_beta_inc(double a, double b, double x)
{
	if (!(a > 0) || !(b > 0) || !(x >= 0) || !(x <= 1))
		return NAN;
	if (x == 0 || x == 1)
		return x;
	if (x <= (a + 1) / (a + b + 2))
		return beta_prefactor(a, b, x, 1 - x) * beta_fraction(a, b, x) / a;
	return 1 - beta_prefactor(b, a, 1 - x, x) * beta_fraction(b, a, 1 - x) / b;
}

double iso_beta_ppf(double a, double b, double p)
{
	double lo = 0, hi = 1, x;

	if (!(a > 0) || !(b > 0) || !(p >= 0) || !(p <= 1))
		return NAN;
	if (p == 0 || p == 1)
		return p;
	x = a / (a + b);
	for (int i = 0; i < 1100; i++) {
		const double f = iso_beta_inc(a, b, x) - p;
		const double slope = beta_prefactor(a, b, x, 1 - x) / (x * (1 - x));
		double next;

		if (f == 0)
			return x;
		if (f > 0)
			hi = x;
		else
			lo = x;
		next = x - f / slope;
		if (!(next > lo &&
		      next < hi)) /* outside the bracket: bisect, in ratio when it spans decades */
			next = lo > 0 && hi / lo > 16 ? sqrt(lo * hi)
			       : lo == 0	      ? hi / 256
						      : 0.5 * (lo + hi);
		if (fabs(next - x) <= 2 * EPS * x || hi - lo <= EPS * hi)
			return next;
		x = next;
	}
	return x;
}

/* Regularised Q(a,x): series of P for x < a + 1, else Lentz's fraction (DLMF 8.11.4, 8.9.2). */
double iso_gamma_inc_upper(double a, double x)
{
	double pre;

	if (!(a > 0) || !(x >= 0))
		return NAN;
	if (x == 0)
		return 1;
	if (x == INFINITY)
		return 0;
	/* x^a e^-x / Gamma(a) */
	pre = sqrt(a) * iso_exp(-deviance(a, x) - stirling_any(a) - LOG_SQRT_2PI);
	if (x < a + 1) {
		double term = 1 / a, sum = term;

		for (int i = 1; i < 100000; i++) {
			term *= x / (a + i);
			sum += term;
			if (term < sum * EPS)
				break;
		}
		return 1 - pre * sum;
	}
	double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;

	for (int i = 1; i < 100000; i++) {
		const double an = -i * (i - a);
		double step;

		b += 2;
		d = an * d + b;
		d = 1 / (fabs(d) < 1e-300 ? 1e-300 : d);
		c = b + an / c;
		if (fabs(c) < 1e-300)
			c = 1e-300;
		step = d * c;
		h *= step;
		if (fabs(step - 1) < 2 * EPS)
			break;
	}
	return pre * h;
}

double iso_chi2_sf(double x, double dof)
{
	return x <= 0 ? 1 : iso_gamma_inc_upper(dof / 2, x / 2);
}

double iso_binom_sf(uint64_t v, uint64_t n, double p)
{
	if (!(p >= 0) || !(p <= 1))
		return NAN;
	if (v == 0)
		return 1;
	if (v > n || p == 0)
		return 0;
	return iso_beta_inc((double)v, (double)(n - v) + 1, p);
}

/* Brent 1973, "Algorithms for minimization without derivatives", chapter 5. */
double iso_brent_min(iso_fn1 f, void *ctx, double lo, double hi, double tol, double *fmin)
{
	const double golden = 0.38196601125010515180;
	double x = lo + golden * (hi - lo), w = x, v = x, d = 0, e = 0;
	double fx = f(ctx, x), fw = fx, fv = fx;

	for (int i = 0; i < 200; i++) {
		const double m = 0.5 * (lo + hi), t1 = tol * fabs(x) + 1e-300, t2 = 2 * t1;
		double u, fu;

		if (fabs(x - m) <= t2 - 0.5 * (hi - lo))
			break;
		double p = 0, q = 0, r = 0;

		if (fabs(e) > t1) {
			r = (x - w) * (fx - fv);
			q = (x - v) * (fx - fw);
			p = (x - v) * q - (x - w) * r;
			q = 2 * (q - r);
			if (q > 0)
				p = -p;
			else
				q = -q;
			r = e;
			e = d;
		}
		if (fabs(p) < fabs(0.5 * q * r) && p > q * (lo - x) && p < q * (hi - x)) {
			d = p / q;
			u = x + d;
			if (u - lo < t2 || hi - u < t2)
				d = x < m ? t1 : -t1;
		} else {
			e = (x < m ? hi : lo) - x;
			d = golden * e;
		}
		u = x + (fabs(d) >= t1 ? d : d > 0 ? t1 : -t1);
		fu = f(ctx, u);
		if (fu <= fx) {
			if (u < x)
				hi = x;
			else
				lo = x;
			v = w, fv = fw, w = x, fw = fx, x = u, fx = fu;
		} else {
			if (u < x)
				lo = u;
			else
				hi = u;
			if (fu <= fw || w == x)
				v = w, fv = fw, w = u, fw = fu;
			else if (fu <= fv || v == x || v == w)
				v = u, fv = fu;
		}
	}
	if (fmin)
		*fmin = fx;
	return x;
}

/* Brent 1973, chapter 4. */
double iso_brent_root(iso_fn1 f, void *ctx, double lo, double hi, double tol)
{
	double a = lo, b = hi, fa = f(ctx, a), fb = f(ctx, b), c = a, fc = fa, d = b - a, e = d;

	if (fa == 0)
		return a;
	if (fb == 0)
		return b;
	if (!((fa < 0) != (fb < 0)) || isnan(fa) || isnan(fb))
		return NAN;
	for (int i = 0; i < 300; i++) {
		double t, m, s, p, q;

		if (fabs(fc) < fabs(fb)) {
			a = b, b = c, c = a;
			fa = fb, fb = fc, fc = fa;
		}
		t = 2 * EPS * fabs(b) + 0.5 * tol;
		m = 0.5 * (c - b);
		if (fabs(m) <= t || fb == 0)
			return b;
		if (fabs(e) < t || fabs(fa) <= fabs(fb) || !isfinite(fa) || !isfinite(fb)) {
			d = e = m;
		} else {
			s = fb / fa;
			if (a == c) {
				p = 2 * m * s;
				q = 1 - s;
			} else {
				const double r = fb / fc;

				q = fa / fc;
				p = s * (2 * m * q * (q - r) - (b - a) * (r - 1));
				q = (q - 1) * (r - 1) * (s - 1);
			}
			if (p > 0)
				q = -q;
			else
				p = -p;
			s = e;
			e = d;
			if (2 * p < 3 * m * q - fabs(t * q) && p < fabs(0.5 * s * q))
				d = p / q;
			else
				d = e = m;
		}
		a = b, fa = fb;
		b += fabs(d) > t ? d : m > 0 ? t : -t;
		fb = f(ctx, b);
		if (isnan(fb))
			return NAN;
		if ((fb > 0) == (fc > 0)) {
			c = a, fc = fa;
			d = e = b - a;
		}
	}
	return b;
}
