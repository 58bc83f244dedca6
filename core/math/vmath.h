// SPDX-License-Identifier: Apache-2.0
/* Elementary functions with the same bits on every CPU: own polynomials, IEEE + - * / sqrt and, in
 * the fp32 arrays, explicit fma (emulated exactly where the CPU has none). All code outside
 * core/math uses these instead of libm's exp, log, pow, tanh, sin, cos (whose bits depend on the
 * CPU); a lint checks it.  Free to use from libm: sqrt, fabs, floor, ceil, rint, fma, ldexp, frexp,
 * fmin, fmax, isnan, isfinite, copysign.  Special values as in C99 Annex F.
 */
#ifndef ISO_MATH_VMATH_H
#define ISO_MATH_VMATH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Double precision, scalar; error at most 2 ULP (stated per function in vmath.c, tested against
 * libm). */
double iso_exp(double x);
double iso_expm1(double x);
double iso_log(double x);
double iso_log1p(double x);
double iso_pow(double x, double y);
double iso_tanh(double x);
double iso_sin(double x);
double iso_cos(double x);
double iso_sigmoid(double x);  /* 1 / (1 + e^-x), no overflow */
double iso_softplus(double x); /* log(1 + e^x), no overflow */

/* Single precision, arrays; y may equal x.  Error at most 2 ULP.  Dispatched like the GEMM, same
 * bits everywhere. */
void iso_vexp(size_t n, const float *x, float *y);
void iso_vlog(size_t n, const float *x, float *y);
void iso_vtanh(size_t n, const float *x, float *y);
void iso_vsigmoid(size_t n, const float *x, float *y);

/* Box-Muller: n standard normals from n 32-bit random words, in blocks of ISO_BM_BLOCK (n is a
 * multiple of it): in each block words 0-15 are radii, words 16-31 angles; lane l gives out[l] = r
 * cos(a), out[l + 16] = r sin(a). A radius word keeps 31 bits, u = (w >> 1) + 1/2 over 2^31.  Words
 * below ISO_BM_TAIL (u < 2^-20, |z| may exceed 5.2) carry too few bits for a smooth tail: the call
 * then returns 1, and the caller passes each such pair to iso_box_muller_tail with 32 more random
 * bits, which takes the tail to 9.4 sigma. */
#define ISO_BM_BLOCK 32
#define ISO_BM_TAIL 4096u
int iso_vbox_muller(size_t n, const uint32_t *words, float *out);
/* u = ((radius >> 1) 2^32 + more + 1/2) / 2^63. */
void iso_box_muller_tail(uint32_t radius, uint32_t angle, uint32_t more, float *a, float *b);
/* The same where radius < 2, with 96 random bits: u = (96 bits + 1/2) / 2^127, |z| to 13.3. */
void iso_box_muller_deep(uint32_t angle, const uint32_t more[3], float *a, float *b);

#ifdef __cplusplus
}
#endif

#endif
