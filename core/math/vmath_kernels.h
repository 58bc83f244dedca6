// SPDX-License-Identifier: Apache-2.0
/* Private to core/math/vmath*.c: the fp32 kernels, written once over a vector type and compiled
 * once per instruction set.  The including file defines
 *
 *     V_LANES                   lanes of a vector (a divisor of 16)
 *     v_fma(a, b, c)            a b + c with one rounding
 *     v_sqrt(a)                 IEEE square root
 *     KERNELS                   name of the table of functions
 *
 * Every other operation is IEEE + - * / or integer, so a lane's bits do not depend on the
 * instruction set. Polynomials: minimax (Remez exchange, 50 digits), rounded to fp32; their error
 * is stated beside each.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/math/vmath.h"
#include "core/math/vmath_table.h"

static inline vf v_set(float x)
{
	return (vf){0} + x;
}

static inline vi v_seti(int32_t x)
{
	return (vi){0} + x;
}

static inline vf v_select(vi mask, vf a, vf b)
{
	return (vf)(((vi)a & mask) | ((vi)b & ~mask));
}

static inline vf v_float(vi x)
{
	return __builtin_convertvector(x, vf);
}

static inline vf v_load(const float *p)
{
	vf x;
	memcpy(&x, p, sizeof(x));
	return x;
}

static inline void v_store(float *p, vf x)
{
	memcpy(p, &x, sizeof(x));
}

#define POLY(acc, x, c) ((acc) = v_fma((acc), (x), v_set(c)))

/* e^x.  n = round(x / ln 2), r = x - n ln 2 in two parts, 1 + r + r^2 q(r) (3.1e-9), then 2^n in
 * two factors so that subnormal results round once. */
static inline vf k_exp(vf x)
{
	const vf magic = v_set(0x1.8p23f);
	vf y = v_select(x > v_set(89), v_set(89), x);
	y = v_select(y < v_set(-104), v_set(-104), y);
	const vf t = v_fma(y, v_set(0x1.715476p+0f), magic), n = t - magic;
	const vi k = (vi)((vu)t - (vu)magic); /* anything for NaN, hence no signed arithmetic */
	vf r = v_fma(n, v_set(-0x1.62e4p-1f), y);
	r = v_fma(n, v_set(-0x1.7f7d1cp-20f), r);
	vf q = v_set(0x1.6a2358p-10f);
	POLY(q, r, 0x1.123a6cp-7f);
	POLY(q, r, 0x1.5558f4p-5f);
	POLY(q, r, 0x1.55549p-3f);
	POLY(q, r, 0x1.fffffcp-2f);
	const vf e = v_set(1) + v_fma(r * r, q, r);
	const vi half = k >> 1, rest = (vi)((vu)k - (vu)half);
	const vf v = e * (vf)(((vu)half + 127) << 23) * (vf)(((vu)rest + 127) << 23);
	return v_select(x != x, x, v);
}

/* log(1 + f) - f + f^2/2 = f^3 P(f) on [sqrt(1/2) - 1, sqrt(2) - 1], 5.8e-9. */
static inline vf log_poly(vf f)
{
	vf p = v_set(-0x1.38b564p-4f);
	POLY(p, f, 0x1.055b5ap-3f);
	POLY(p, f, -0x1.0d854p-3f);
	POLY(p, f, 0x1.22da2p-3f);
	POLY(p, f, -0x1.547246p-3f);
	POLY(p, f, 0x1.99a008p-3f);
	POLY(p, f, -0x1.000226p-2f);
	POLY(p, f, 0x1.555554p-2f);
	return p;
}

/* k with x 2^-k in [sqrt(1/2), sqrt(2)): 0x3f3504f3 is sqrt(1/2). */
static inline vi log_exponent(vi bits)
{
	return (vi)((vu)bits - 0x3f3504f3u) >> 23;
}

static inline vf k_log(vf x)
{
	const vi sub = x < v_set(0x1p-126f);
	const vi bits = (vi)v_select(sub, x * v_set(0x1p23f), x);
	const vi k = log_exponent(bits);
	const vf f = (vf)((vu)bits - ((vu)k << 23)) - v_set(1), z = f * f;
	const vf e = v_float(k - (sub & 23));
	vf y = v_fma(f * z, log_poly(f), e * v_set(0x1.7f7d1cp-20f));
	y = f + v_fma(z, v_set(-0.5f), y);
	y = v_fma(e, v_set(0x1.62e4p-1f), y);
	y = v_select(x == v_set(INFINITY), x, y);
	y = v_select(x == v_set(0), v_set(-INFINITY), y);
	y = v_select(x < v_set(0), v_set(NAN), y);
	return v_select(x != x, x, y);
}

/* |x| < 0.625: x + x^3 T(x^2), 6.4e-9; above: 1 - 2 / (e^(2|x|) + 1). */
static inline vf k_tanh(vf x)
{
	const vf z = x * x;
	vf t = v_set(-0x1.6a530cp-8f);
	POLY(t, z, 0x1.4f994p-6f);
	POLY(t, z, -0x1.b7da5p-5f);
	POLY(t, z, 0x1.11044ep-3f);
	POLY(t, z, -0x1.555526p-2f);
	const vf small = v_fma(x * z, t, x);
	const vi sign = (vi)x & v_seti(INT32_MIN);
	vf a = (vf)((vi)x & v_seti(INT32_MAX));
	const vi low = a < v_set(0.625f);
	a = v_select(a > v_set(10), v_set(10), a);
	const vf big = v_set(1) - v_set(2) / (k_exp(a + a) + v_set(1));
	const vf v = v_select(low, small, (vf)((vi)big | sign));
	return v_select(x != x, x, v);
}

/* e = e^-|x|; 1 / (1 + e) or e / (1 + e), with the rounding errors of the sum and of the quotient
 * put back. */
static inline vf k_sigmoid(vf x)
{
	const vf e = k_exp((vf)((vi)x | v_seti(INT32_MIN)));
	const vf one = v_set(1), d = one + e, lost = e - (d - one);
	const vf inverse = one / d, top = v_select(x < v_set(0), e, one);
	const vf q = top * inverse;
	const vf rest = v_fma(-q, d, top) - q * lost;
	return v_select(x != x, x, v_fma(rest, inverse, q));
}

#define KERNEL_ARRAY(name, kernel) \
	static void name(size_t n, const float *x, float *y) \
	{ \
		size_t i = 0; \
		for (; i + V_LANES <= n; i += V_LANES) \
			v_store(y + i, kernel(v_load(x + i))); \
		if (i < n) { \
			float rest[V_LANES] = {0}; \
			memcpy(rest, x + i, (n - i) * sizeof(float)); \
			v_store(rest, kernel(v_load(rest))); \
			memcpy(y + i, rest, (n - i) * sizeof(float)); \
		} \
	}

KERNEL_ARRAY(array_exp, k_exp)
KERNEL_ARRAY(array_log, k_log)
KERNEL_ARRAY(array_tanh, k_tanh)
KERNEL_ARRAY(array_sigmoid, k_sigmoid)

/* sqrt(-2 log u), u = ((w >> 1) + 1/2) / 2^31. */
static inline vf bm_radius(vu w)
{
	const vf u = v_float((vi)(w >> 1)) + v_set(0.5f);
	const vi bits = (vi)u, k = log_exponent(bits);
	const vf f = (vf)((vu)bits - ((vu)k << 23)) - v_set(1), z = f * f;
	vf y = v_fma(z, v_set(-0.5f), f);
	y = v_fma(f * z, log_poly(f), y);
	y = v_fma(v_float(k - 31), v_set(0x1.62e43p-1f), y);
	return v_sqrt(y * v_set(-2));
}

/* Angle: bit 31 is a sign for both values, the 31 bits below are x = pi (w' / 2^32) in [-pi/2,
 * pi/2). sin x = x + x^3 S(x^2), 4.8e-9; cos x = 1 - x^2/2 + x^4 C(x^2), 9.4e-8. */
static inline void bm_pair(vu radius, vu angle, float *a, float *b)
{
	const vf r = (vf)((vi)bm_radius(radius) ^ ((vi)angle & v_seti(INT32_MIN)));
	const vf x = v_float((vi)(angle << 1)) * v_set(0x1.921fb6p-31f), z = x * x;
	vf s = v_set(0x1.5e2a4p-19f), c = v_set(0x1.883db4p-16f);
	POLY(s, z, -0x1.9f781ap-13f);
	POLY(c, z, -0x1.6b77fep-10f);
	POLY(s, z, 0x1.110f02p-7f);
	POLY(c, z, 0x1.5552c2p-5f);
	POLY(s, z, -0x1.55554ep-3f);
	POLY(c, z, -0.5f);
	POLY(c, z, 1.0f);
	v_store(a, r * c);
	v_store(b, r * v_fma(x * z, s, x));
}

static inline vu v_loadu(const uint32_t *p)
{
	vu x;
	memcpy(&x, p, sizeof(x));
	return x;
}

static int array_box_muller(size_t n, const uint32_t *words, float *out)
{
	const size_t half = ISO_BM_BLOCK / 2;
	vi tail = v_seti(0);
	for (size_t at = 0; at < n; at += ISO_BM_BLOCK) {
		for (size_t l = at; l < at + half; l += V_LANES) {
			const vu w = v_loadu(words + l);
			tail |= (vi)(w < ISO_BM_TAIL);
			bm_pair(w, v_loadu(words + l + half), out + l, out + l + half);
		}
	}
	int32_t any = 0, lane[V_LANES];
	memcpy(lane, &tail, sizeof(lane));
	for (int l = 0; l < V_LANES; l++)
		any |= lane[l];
	return any != 0;
}

const iso_vmath_table KERNELS = {array_exp, array_log, array_tanh, array_sigmoid, array_box_muller};
