// SPDX-License-Identifier: Apache-2.0
/* Elementary functions with the same bits on every CPU: own polynomials, explicit fma, IEEE + - * / sqrt only.
 * All code outside core/math uses these instead of libm's exp, log, pow, tanh, sin, cos (whose bits depend on the
 * CPU); a lint checks it.  Free to use from libm: sqrt, fabs, floor, ceil, rint, fma, ldexp, frexp, fmin, fmax,
 * isnan, isfinite, copysign.  Special values as in C99 Annex F.
 */
#ifndef ISO_MATH_VMATH_H
#define ISO_MATH_VMATH_H

#include <stddef.h>
#include <stdint.h>

/* Double precision, scalar; error at most 2 ULP (stated per function in vmath.c, tested against libm). */
double iso_exp(double x);
double iso_expm1(double x);
double iso_log(double x);
double iso_log1p(double x);
double iso_pow(double x, double y);
double iso_tanh(double x);
double iso_sin(double x);
double iso_cos(double x);
double iso_sigmoid(double x); /* 1 / (1 + e^-x), no overflow */
double iso_softplus(double x); /* log(1 + e^x), no overflow */

/* Single precision, arrays; y may equal x.  Error at most 2 ULP.  Dispatched like the GEMM, same bits everywhere. */
void iso_vexp(size_t n, const float *x, float *y);
void iso_vlog(size_t n, const float *x, float *y);
void iso_vtanh(size_t n, const float *x, float *y);
void iso_vsigmoid(size_t n, const float *x, float *y);
/* Box-Muller: n standard normals from 64-bit random words, one word per value pair element:
 * words[2i], words[2i+1] give out[2i], out[2i+1].  u1 keeps 52 bits, so the tail reaches 8.4 sigma.  n even. */
void iso_vbox_muller(size_t n, const uint64_t *words, float *out);

#endif
