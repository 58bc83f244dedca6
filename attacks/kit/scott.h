// SPDX-License-Identifier: Apache-2.0
/* Gaussian kernel density with the full covariance of the sample and Scott's factor n^(-1/(q+4)),
 * as scipy.stats.gaussian_kde, in logs; and the projection of encoded rows on the first principal
 * axes of the attacker's rows (attacks.md section 2.5). */
#ifndef ISO_ATTACKS_KIT_SCOTT_H
#define ISO_ATTACKS_KIT_SCOTT_H

#include <stddef.h>

#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ISO_SCOTT_WIDEST 256 /* encoded columns */

/* Principal axes of x [n][d], at most q of them: project() maps rows to [n][q]. */
typedef struct iso_axes {
	size_t d, q;
	double *mean; /* owned [d] */
	double *axis; /* owned [q][d] */
} iso_axes;
iso_status iso_axes_fit(const float *x, size_t n, size_t d, size_t q, iso_axes *out,
			iso_error *err) ISO_MUST_CHECK;
void iso_axes_free(iso_axes *a);
void iso_axes_project(const iso_axes *a, const float *x, size_t n, double *out);

/* out [m]: log density of the kernels on x [n][q], n >= 2, at y [m][q].  ridge times the mean
 * variance is added to the diagonal of the covariance; ISO_E_NUMERIC where it is singular. */
iso_status iso_scott_log_density(const double *x, size_t n, size_t q, double ridge, const double *y,
				 size_t m, double *out, iso_error *err) ISO_MUST_CHECK;
/* out [m]: log density at y [m][q] of the normal with the mean and the variances of x, independent
 * columns. */
void iso_normal_log_density(const double *x, size_t n, size_t q, const double *y, size_t m,
			    double *out);

#ifdef __cplusplus
}
#endif

#endif
