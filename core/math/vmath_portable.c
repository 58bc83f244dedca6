// SPDX-License-Identifier: Apache-2.0
/* The fp32 kernels without any instruction-set flag.
 *
 * The fused multiply-add is computed exactly in double: a b is exact (48 bits), a b + c is rounded
 * to odd (Boldo and Melquiond 2008, "Emulation of FMA and correctly rounded sums: proved algorithms
 * using rounding to odd"), and rounding that to float equals one rounding of the exact value,
 * because 53 >= 2 * 24 + 2. */
#include <math.h>
#include <stdint.h>

#define V_LANES 4
typedef float vf __attribute__((vector_size(16), may_alias));
typedef int32_t vi __attribute__((vector_size(16), may_alias));
typedef uint32_t vu __attribute__((vector_size(16), may_alias));
typedef double vd __attribute__((
	vector_size(16), may_alias)); /* 16 bytes: what every CPU compares without branches */
typedef int64_t vl __attribute__((vector_size(16), may_alias));

/* a b + c, rounded to odd in double. */
static inline vd odd_sum(vd a, vd b, vd c)
{
	const vd p = a * b, s = p + c, t = s - p, zero = {0};
	const vd lost = (p - (s - t)) + (c - t); /* NaN when s is not finite: no adjustment then */
	const vl inexact = (lost > zero) | (lost < zero), even = ((vl)s & 1) - 1;
	const vl away = (lost < zero) ^ (s < zero); /* -1: s was rounded away from zero */
	return (vd)((vl)s + (inexact & even & (away | 1)));
}

#ifdef __SSE2__
#include <emmintrin.h>

static inline vd low_half(vf a)
{
	return (vd)_mm_cvtps_pd((__m128)a);
}

static inline vd high_half(vf a)
{
	return (vd)_mm_cvtps_pd(_mm_movehl_ps((__m128)a, (__m128)a));
}

static inline vf join(vd low, vd high)
{
	return (vf)_mm_movelh_ps(_mm_cvtpd_ps((__m128d)low), _mm_cvtpd_ps((__m128d)high));
}
#else
static inline vd low_half(vf a)
{
	return (vd){a[0], a[1]};
}

static inline vd high_half(vf a)
{
	return (vd){a[2], a[3]};
}

static inline vf join(vd low, vd high)
{
	return (vf){(float)low[0], (float)low[1], (float)high[0], (float)high[1]};
}
#endif

static inline vf v_fma(vf a, vf b, vf c)
{
	return join(odd_sum(low_half(a), low_half(b), low_half(c)),
		    odd_sum(high_half(a), high_half(b), high_half(c)));
}

static inline vf v_sqrt(vf a)
{
	vf r;
	for (int l = 0; l < V_LANES; l++)
		r[l] = sqrtf(a[l]);
	return r;
}

#define KERNELS iso_vmath_portable
#include "core/math/vmath_kernels.h"
