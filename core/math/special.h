// SPDX-License-Identifier: Apache-2.0
/* Special functions in double precision (accounting.md section 1, attacks.md section 1). */
#ifndef ISO_MATH_SPECIAL_H
#define ISO_MATH_SPECIAL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

double iso_log_add(double a, double b);	       /* log(e^a + e^b); -inf allowed */
double iso_log_sub(double a, double b);	       /* log(e^a - e^b), a >= b */
double iso_log1mexp(double x);		       /* log(1 - e^x), x < 0 */
double iso_log_sum(const double *x, size_t n); /* log sum e^x_i */
double iso_lgamma(double x);		       /* x > 0 */
double iso_log_choose(double n, double k);
double iso_erfc(double x);
double iso_norm_cdf(double z);
double iso_log_ndtr(double z); /* log of the normal CDF, accurate in both tails */
double iso_norm_ppf(double p); /* relative error 1e-12 to p = 1e-12 */
double iso_beta_inc(double a, double b, double x); /* regularised I_x(a,b) */
double iso_beta_ppf(double a, double b, double p);
double iso_gamma_inc_upper(double a, double x); /* regularised Q(a,x): chi-square tails */
double iso_chi2_sf(double x, double dof);
double iso_binom_sf(uint64_t v, uint64_t n, double p); /* P[Bin(n,p) >= v] */
/* Kahan-Neumaier sum. */
typedef struct iso_sum {
	double s, c;
} iso_sum;
void iso_sum_add(iso_sum *k, double x);
double iso_sum_value(const iso_sum *k);

/* Minimum of a unimodal f on [lo, hi] (golden section then parabola: Brent), and root of f with a
 * sign change. */
typedef double (*iso_fn1)(void *ctx, double x);
double iso_brent_min(iso_fn1 f, void *ctx, double lo, double hi, double tol, double *fmin);
/* Returns the root; NaN if f(lo) and f(hi) have the same sign. */
double iso_brent_root(iso_fn1 f, void *ctx, double lo, double hi, double tol);

#ifdef __cplusplus
}
#endif

#endif
