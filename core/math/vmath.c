// SPDX-License-Identifier: Apache-2.0
/* Elementary functions in double precision, the same bits on every CPU.
 *
 * Method: reduce the argument to a small interval exactly or in double-double, sum a Taylor series
 * that is longer than needed there (the coefficients are the exact rationals, rounded), add the
 * largest term last.  Error bounds are for round-to-nearest; tests/unit/math/vmath.c measures them
 * against 100-bit references and libm:
 *
 *     exp 0.6   expm1 1.0   log 0.9   log1p 0.9   pow 0.6   tanh 1.0   sin, cos 0.8   sigmoid 0.6
 * softplus 1.7 ULP and 1.0 where the result is subnormal
 */
#include "core/math/vmath.h"

#include <math.h>

#include "core/math/gemm.h"
#include "core/math/vmath_double.h"
#include "core/math/vmath_table.h"

#define LN2_HI 0x1.62e42fefa3800p-1 /* 42 bits: k * LN2_HI is exact for |k| < 2^11 */
#define LN2_LO 0x1.ef35793c76730p-45
#define INV_LN2 0x1.71547652b82fep+0
#define ROUND_SHIFT 0x1.8p52	     /* (x + shift) - shift rounds |x| < 2^51 to an integer */
#define EXP_MAX 0x1.62e42fefa39efp+9 /* largest x with e^x finite */
#define EXP_MIN (-745.2)

static inline double to_int(double x)
{
	return (x + ROUND_SHIFT) - ROUND_SHIFT;
}

/* e^(x + xl) = 2^k (1 + s.hi + s.lo), |s| < 0.42: r = x - k ln 2; s = r + r^2 (1/2! + r/3! + ... +
 * r^11/13!). Truncation: 0.3466^14 / 14! = 4e-18. */
static inline dd exp_reduced(double x, double xl, int *k)
{
	const double n = to_int(x * INV_LN2);
	const double r0 = x - n * LN2_HI, b = n * LN2_LO - xl;
	const double r = r0 - b, c = (r0 - r) - b;
	const double z = r * r;
	const double p0 = 1.0 / 2 + r * (1.0 / 6), p1 = 1.0 / 24 + r * (1.0 / 120);
	const double p2 = 1.0 / 720 + r * (1.0 / 5040), p3 = 1.0 / 40320 + r * (1.0 / 362880);
	const double p4 = 1.0 / 3628800 + r * (1.0 / 39916800),
		     p5 = 1.0 / 479001600 + r * (1.0 / 6227020800.0);
	const double q = p0 + z * (p1 + z * (p2 + z * (p3 + z * (p4 + z * p5))));
	*k = (int)n;
	return fast_two_sum(r, z * q + (c + c * r));
}

/* 1 + s rounded once. */
static inline double one_plus(dd s)
{
	const dd t = fast_two_sum(1, s.hi);
	return t.hi + (t.lo + s.lo);
}

/* 2^k y with one rounding, for y near 1 and any k that exp can need. */
static inline double scale_2k(double y, int k)
{
	if (k > 1022)
		return y * pow2i(k - 1) * 2.0;
	if (k < -1021)
		return y * pow2i(k + 200) * 0x1p-200;
	return y * pow2i(k);
}

double iso_exp(double x)
{
	if (!(x <= EXP_MAX))
		return x != x ? x : INFINITY;
	if (x < EXP_MIN)
		return 0;
	int k;
	const dd s = exp_reduced(x, 0, &k);
	return scale_2k(one_plus(s), k);
}

/* e^x - 1 for |x| < 50, in double-double. */
static inline dd expm1_dd(double x)
{
	int k;
	const dd s = exp_reduced(x, 0, &k);
	if (k == 0)
		return s;
	const double a = pow2i(k);
	const dd b = two_sum(a, -1), t = two_sum(b.hi, a * s.hi);
	return fast_two_sum(t.hi, t.lo + (b.lo + a * s.lo));
}

double iso_expm1(double x)
{
	if (x != x || fabs(x) < 0x1p-54)
		return x;
	if (x > 40)
		return iso_exp(x);
	if (x < -45)
		return -1;
	const dd e = expm1_dd(x);
	return e.hi;
}

/* x = 2^k m with sqrt(1/2) <= m < sqrt(2); x > 0 and finite. */
static inline double split_log(double x, int *k)
{
	uint64_t u = bits_of(x);
	int e = 0;
	if (u < (uint64_t)1 << 52) { /* subnormal */
		u = bits_of(x * 0x1p54);
		e = -54;
	}
	e += (int)(u >> 52) - 1023;
	u &= 0xfffffffffffffu;
	const int high = u >= 0x6a09e667f3bcdu; /* fraction of sqrt(2) */
	*k = e + high;
	return of_bits(u | (uint64_t)(1023 - high) << 52);
}

/* log(1 + f) + k ln 2 + c.  With s = f / (2 + f): log(1 + f) = 2 atanh(s) = f - f^2/2 + s (f^2/2 +
 * R), R = 2 s^2/3 + 2 s^4/5 + ... + 2 s^20/21.  Truncation: 0.1716^22 / 23 = 6e-19. */
static inline double log_sum(double f, double k, double c)
{
	const double s = f / (2 + f), z = s * s, w = z * z, half = 0.5 * f * f;
	const double even =
		2.0 / 3 + w * (2.0 / 7 + w * (2.0 / 11 + w * (2.0 / 15 + w * (2.0 / 19))));
	const double odd =
		2.0 / 5 + w * (2.0 / 9 + w * (2.0 / 13 + w * (2.0 / 17 + w * (2.0 / 21))));
	const double r = z * (even + z * odd);
	return k * LN2_HI - ((half - (s * (half + r) + (k * LN2_LO + c))) - f);
}

double iso_log(double x)
{
	if (!(x > 0) || x == INFINITY) {
		if (x == 0)
			return -INFINITY;
		return x < 0 ? NAN : x;
	}
	int k;
	const double m = split_log(x, &k);
	return log_sum(m - 1, k, 0);
}

double iso_log1p(double x)
{
	if (!(x > -1) || x == INFINITY) {
		if (x == -1)
			return -INFINITY;
		return x < -1 ? NAN : x;
	}
	if (fabs(x) < 0x1p-54)
		return x;
	if (x > -0.29 && x < 0.41)
		return log_sum(x, 0, 0);
	/* u = fl(1 + x); log(1 + x) = log(u) + (1 + x - u) / u */
	const dd u = two_sum(1, x);
	int k;
	const double m = split_log(u.hi, &k);
	return log_sum(m - 1, k, u.lo / u.hi);
}

/* log(x) in double-double, relative error below 2^-67: the first two terms of 2 atanh(s) in
 * double-double. */
static inline dd log_dd(double x)
{
	int k;
	const double m = split_log(x, &k), f = m - 1;
	const dd s = dd_div((dd){f, 0}, two_sum(2, f)), z = dd_mul(s, s);
	const double w = z.hi;
	const double tail =
		2.0 / 7 +
		w * (2.0 / 9 +
		     w * (2.0 / 11 +
			  w * (2.0 / 13 +
			       w * (2.0 / 15 +
				    w * (2.0 / 17 +
					 w * (2.0 / 19 + w * (2.0 / 21 + w * (2.0 / 23))))))));
	const dd two_fifths = {0x1.999999999999ap-2, -0x1.999999999999ap-56};
	const dd two_thirds = {0x1.5555555555555p-1, 0x1.5555555555555p-55};
	const dd a = dd_add(two_fifths, (dd){w * tail, 0});
	const dd b = dd_add(two_thirds, dd_mul(z, a));
	const dd cubic = dd_mul(dd_mul(s, z), b);
	const dd lg = dd_add((dd){2 * s.hi, 2 * s.lo}, cubic);
	return dd_add(dd_add((dd){k * LN2_HI, 0}, (dd){k * LN2_LO, 0}), lg);
}

/* 0: y is no integer; 1: odd; 2: even.  y finite. */
static int integer_kind(double y)
{
	const double a = fabs(y);
	if (a >= 0x1p53)
		return 2;
	if (a < 1 || a != floor(a))
		return a == 0 ? 2 : 0;
	return ((uint64_t)a & 1) ? 1 : 2;
}

/* x^y for finite x > 0 and finite y. */
static double pow_positive(double x, double y)
{
	if (x == 1 || fabs(y) < 0x1p-70)
		return 1;
	if (fabs(y) > 0x1p66) /* |log x| >= 2^-54: far beyond overflow or underflow */
		return (x > 1) == (y > 0) ? INFINITY : 0;
	const dd p = dd_mul(log_dd(x), (dd){y, 0});
	if (p.hi > 709.9)
		return INFINITY;
	if (p.hi < EXP_MIN)
		return 0;
	int k;
	const dd s = exp_reduced(p.hi, p.lo, &k);
	return scale_2k(one_plus(s), k);
}

/* Special cases: C99 F.9.4.4. */
double iso_pow(double x, double y)
{
	if (y == 0 || x == 1)
		return 1;
	if (x != x || y != y)
		return x + y;
	if (isinf(y)) {
		const double a = fabs(x);
		if (a == 1)
			return 1;
		return (a > 1) == (y > 0) ? INFINITY : 0;
	}
	const int kind = integer_kind(y), negate = signbit(x) && kind == 1;
	if (x == 0 || isinf(x)) {
		const double v = (x == 0) == (y > 0) ? 0 : INFINITY;
		return negate ? -v : v;
	}
	if (x < 0 && kind == 0)
		return NAN;
	const double v = pow_positive(fabs(x), y);
	return negate ? -v : v;
}

/* tanh |x| = -t / (2 + t), t = e^(-2|x|) - 1. */
double iso_tanh(double x)
{
	const double a = fabs(x);
	if (!(a >= 0x1p-28)) /* tanh x = x - x^3/3; also NaN */
		return x;
	if (a > 22)
		return copysign(1, x);
	const dd t = expm1_dd(-2 * a);
	const dd den = dd_add((dd){2, 0}, t);
	return copysign(dd_div((dd){-t.hi, -t.lo}, den).hi, x);
}

/* e^-|x| as double-double, |x| < 700. */
static inline dd exp_neg_dd(double a)
{
	int k;
	const dd s = exp_reduced(-a, 0, &k);
	const double p = pow2i(k);
	const dd t = fast_two_sum(1, s.hi);
	const dd e = fast_two_sum(t.hi, t.lo + s.lo);
	return (dd){p * e.hi, p * e.lo};
}

double iso_sigmoid(double x)
{
	const double a = fabs(x);
	if (!(a < 700)) {
		if (x != x)
			return x;
		return x > 0 ? 1 : iso_exp(x);
	}
	const dd e = exp_neg_dd(a);
	const dd den = dd_add((dd){1, 0}, e);
	if (x < 0)
		return a > 400 ? e.hi : dd_div(e, den).hi; /* below 2^-400 the denominator is 1 */
	return dd_div((dd){1, 0}, den).hi;
}

double iso_softplus(double x)
{
	if (x != x)
		return x;
	return fmax(x, 0) + iso_log1p(iso_exp(-fabs(x)));
}

/* The first 1280 bits of 2/pi after the binary point. */
static const uint64_t two_over_pi[20] = {
	0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561,
	0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484,
	0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b, 0x1ff897ffde05980f,
	0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d, 0x7527bac7ebe5f17b,
	0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab, 0xf0cfbc209af4361d,
};

/* 64 bits of 2/pi from bit position p (0 = first after the point; negative positions are zeros). */
static uint64_t pi_word(int p)
{
	if (p < 0)
		return p <= -64 ? 0 : two_over_pi[0] >> -p;
	const int w = p / 64, s = p % 64;
	return s ? two_over_pi[w] << s | two_over_pi[w + 1] >> (64 - s) : two_over_pi[w];
}

/* Payne and Hanek 1983: |x| 2/pi modulo 4 in integers.  With |x| = m 2^e, only the bits of 2/pi
 * between weights 2^(1-e) and 2^-(e+190) matter; the 137 bits left below the point exceed the worst
 * cancellation of a double, about 2^-62. */
static int reduce_huge(double a, dd *y)
{
	const uint64_t u = bits_of(a), m = (u & 0xfffffffffffffu) | (uint64_t)1 << 52;
	const int e = (int)(u >> 52) - 1075, p = e - 2; /* skip bits of weight >= 4 after scaling */
	const unsigned __int128 lo = (unsigned __int128)m * pi_word(p + 128);
	const unsigned __int128 mid = (unsigned __int128)m * pi_word(p + 64) + (uint64_t)(lo >> 64);
	const uint64_t top = m * pi_word(p) + (uint64_t)(mid >> 64);
	/* top:mid:lo / 2^192 is |x| 2/pi / 4 modulo 1: 2 bits of quadrant, then the fraction */
	unsigned __int128 f = (unsigned __int128)top << 64 | (uint64_t)mid;
	int n = (int)(top >> 62);
	f <<= 2;
	f |= (uint64_t)lo >> 62;
	const int negative = (int)(f >> 127);
	if (negative) { /* fraction >= 1/2: go to the next multiple */
		f = ~f + 1;
		n++;
	}
	const double f1 = (double)(uint64_t)(f >> 75); /* 53 bits */
	const double f2 = (double)(uint64_t)((f >> 22) & 0x1fffffffffffffu);
	const double f3 = (double)(uint64_t)(f & 0x3fffffu);
	const dd sum = two_sum(f1 * 0x1p-53, f2 * 0x1p-106);
	const dd t = dd_mul((dd){sum.hi, sum.lo + f3 * 0x1p-128},
			    (dd){0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54});
	*y = negative ? (dd){-t.hi, -t.lo} : t;
	return n & 3;
}

/* x = n pi/2 + y.hi + y.lo with |y| <= pi/4, returns n mod 4.  Up to 2^19 by Cody and Waite's
 * three-part pi/2 (33 bits each, so that n * part is exact). */
static int reduce_pi(double x, dd *y)
{
	const double a = fabs(x);
	int n;
	if (a <= 0x1.921fb54442d18p-1) {
		*y = (dd){x, 0};
		return 0;
	}
	if (a < 0x1p19) {
		const double k = to_int(a * 0x1.45f306dc9c883p-1);
		const dd t1 = two_sum(a - k * 0x1.921fb544p+0, -(k * 0x1.0b4611a6p-34));
		const dd t2 = two_sum(t1.hi, -(k * 0x1.3198a2ep-69));
		*y = fast_two_sum(t2.hi, t2.lo + t1.lo - k * 0x1.b839a252049c1p-104);
		n = (int)k & 3;
	} else {
		n = reduce_huge(a, y);
	}
	if (x < 0) {
		*y = (dd){-y->hi, -y->lo};
		n = -n & 3;
	}
	return n;
}

/* sin(y.hi + y.lo), |y| <= pi/4: Taylor to y^19, error below 2^-66 relative. */
static inline double sin_kernel(dd y)
{
	const double x = y.hi, z = x * x, v = z * x;
	const double r =
		1.0 / 120 +
		z * (-1.0 / 5040 +
		     z * (1.0 / 362880 +
			  z * (-1.0 / 39916800 +
			       z * (1.0 / 6227020800.0 + z * (-1.0 / 1307674368000.0 +
							      z * (1.0 / 355687428096000.0))))));
	return x - ((z * (0.5 * y.lo - v * r) - y.lo) + v * (1.0 / 6));
}

/* cos, Taylor to y^18: 1 - y^2/2 with its rounding error kept. */
static inline double cos_kernel(dd y)
{
	const double x = y.hi, z = x * x, h = 0.5 * z, w = 1 - h;
	const double r =
		1.0 / 24 +
		z * (-1.0 / 720 +
		     z * (1.0 / 40320 + z * (-1.0 / 3628800 +
					     z * (1.0 / 479001600 +
						  z * (-1.0 / 87178291200.0 +
						       z * (1.0 / 20922789888000.0 +
							    z * (-1.0 / 6402373705728000.0)))))));
	return w + (((1 - w) - h) + (z * (z * r) - x * y.lo));
}

static double quadrant(int n, dd y)
{
	const double v = (n & 1) ? cos_kernel(y) : sin_kernel(y);
	return (n & 2) ? -v : v;
}

double iso_sin(double x)
{
	if (!isfinite(x))
		return NAN;
	if (fabs(x) < 0x1p-27) /* x - x^3/6 */
		return x;
	dd y;
	const int n = reduce_pi(x, &y);
	return quadrant(n, y);
}

double iso_cos(double x)
{
	if (!isfinite(x))
		return NAN;
	dd y;
	const int n = reduce_pi(x, &y);
	return quadrant(n + 1, y);
}

static const iso_vmath_table *table(void)
{
#ifdef __x86_64__
	const iso_isa isa = iso_isa_active();
	if (isa == ISO_ISA_AVX512)
		return &iso_vmath_avx512;
	if (isa == ISO_ISA_AVX2)
		return &iso_vmath_avx2;
#endif
	return &iso_vmath_portable;
}

void iso_vexp(size_t n, const float *x, float *y)
{
	table()->exp(n, x, y);
}

void iso_vlog(size_t n, const float *x, float *y)
{
	table()->log(n, x, y);
}

void iso_vtanh(size_t n, const float *x, float *y)
{
	table()->tanh(n, x, y);
}

void iso_vsigmoid(size_t n, const float *x, float *y)
{
	table()->sigmoid(n, x, y);
}

int iso_vbox_muller(size_t n, const uint32_t *words, float *out)
{
	return table()->box_muller(n, words, out);
}

/* The angle as in the kernel: bit 31 is a sign, the rest is x = pi w' / 2^32. */
static void box_muller(double u, uint32_t angle, float *a, float *b)
{
	const double r = sqrt(-2 * iso_log(u)),
		     x = (double)(int32_t)(angle << 1) * 0x1.921fb54442d18p-31;
	const double sign = angle >> 31 ? -1 : 1;

	*a = (float)(sign * r * iso_cos(x));
	*b = (float)(sign * r * iso_sin(x));
}

void iso_box_muller_tail(uint32_t radius, uint32_t angle, uint32_t more, float *a, float *b)
{
	const double u = ((double)((uint64_t)(radius >> 1) << 32 | more) + 0.5) * 0x1p-63;

	box_muller(u, angle, a, b);
}

void iso_box_muller_deep(uint32_t angle, const uint32_t more[3], float *a, float *b)
{
	const double low = ((double)((uint64_t)more[1] << 32 | more[2]) + 0.5) * 0x1p-64;

	box_muller(((double)more[0] + low) * 0x1p-63, angle, a, b);
}
