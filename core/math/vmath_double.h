// SPDX-License-Identifier: Apache-2.0
/* Private to core/math/vmath*.c: bits of doubles and arithmetic with a rounding error kept
 * ("double-double").
 *
 * Only + - * / with -ffp-contract=off: no fma, so that a CPU without one gives the same bits at the
 * same speed. Dekker 1971, "A floating-point technique for extending the available precision";
 * Knuth's TwoSum.
 */
#ifndef ISO_MATH_VMATH_DOUBLE_H
#define ISO_MATH_VMATH_DOUBLE_H

#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dd {
	double hi, lo; /* the value is hi + lo, |lo| <= ulp(hi) / 2 or close to it */
} dd;

static inline uint64_t bits_of(double x)
{
	uint64_t u;
	memcpy(&u, &x, sizeof(u));
	return u;
}

static inline double of_bits(uint64_t u)
{
	double x;
	memcpy(&x, &u, sizeof(x));
	return x;
}

/* 2^k for -1022 <= k <= 1023. */
static inline double pow2i(int k)
{
	return of_bits((uint64_t)(k + 1023) << 52);
}

/* a + b exactly, |a| >= |b|. */
static inline dd fast_two_sum(double a, double b)
{
	const double s = a + b;
	return (dd){s, b - (s - a)};
}

static inline dd two_sum(double a, double b)
{
	const double s = a + b, t = s - a;
	return (dd){s, (a - (s - t)) + (b - t)};
}

/* a * b exactly (no overflow: |a|, |b| < 2^490). */
static inline dd two_prod(double a, double b)
{
	const double split = 0x1p27 + 1, p = a * b;
	const double ca = split * a, ah = ca - (ca - a), al = a - ah;
	const double cb = split * b, bh = cb - (cb - b), bl = b - bh;
	return (dd){p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
}

static inline dd dd_add(dd a, dd b)
{
	const dd s = two_sum(a.hi, b.hi);
	return fast_two_sum(s.hi, s.lo + (a.lo + b.lo));
}

static inline dd dd_mul(dd a, dd b)
{
	const dd p = two_prod(a.hi, b.hi);
	return fast_two_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

/* a / b with an error near 2^-100. */
static inline dd dd_div(dd a, dd b)
{
	const double q = a.hi / b.hi;
	const dd p = two_prod(q, b.hi);
	const double r = (((a.hi - p.hi) - p.lo) + a.lo) - q * b.lo;
	return fast_two_sum(q, r / b.hi);
}

#ifdef __cplusplus
}
#endif

#endif
