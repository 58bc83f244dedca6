// SPDX-License-Identifier: Apache-2.0
/* Dense double-precision linear algebra whose bits do not depend on the CPU: separate multiply and
 * add (no contraction), loops in axpy form so that any vector width gives the same sums. */
#ifndef ISO_MATH_LINALG_H
#define ISO_MATH_LINALG_H

#include <stddef.h>

#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Row-major.  y[n][p] = x[n][d] * w[d][p];  g[d][p] (+)= x[n][d]^T * r[n][p]. */
void iso_dmul(size_t n, size_t d, size_t p, const double *x, const double *w, double *y);
void iso_dmul_tn(size_t n, size_t d, size_t p, const double *x, const double *r, int beta,
		 double *g);
/* h[d][d] (+)= x^T diag(w) x, symmetric, both triangles filled. */
void iso_dsyrk_weighted(size_t n, size_t d, const double *x, const double *w, int beta, double *h);
/* Cholesky in place (lower triangle); ISO_E_NUMERIC if not positive definite. */
iso_status iso_cholesky(double *a, size_t n, iso_error *err) ISO_MUST_CHECK;
/* Solve L L^T x = b in place. */
void iso_cholesky_solve(const double *l, size_t n, double *b);
double iso_ddot(size_t n, const double *a, const double *b);
/* Symmetric eigenproblem by cyclic Jacobi: values descending, vectors in the rows of v [n][n]; a is
 * destroyed. */
iso_status iso_eigen_symmetric(double *a, size_t n, double *values, double *v,
			       iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
