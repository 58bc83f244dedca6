// SPDX-License-Identifier: Apache-2.0
/* Correlation matrices from noisy estimates. */
#ifndef ISO_GENERATORS_KIT_CORRELATION_H
#define ISO_GENERATORS_KIT_CORRELATION_H

#include <stddef.h>

#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The symmetric a [n][n] becomes a correlation matrix: eigenvalues below `floor` are raised to it,
 * and rows and columns are scaled to a diagonal of ones. */
iso_status iso_make_correlation(double *a, size_t n, double floor, iso_error *err) ISO_MUST_CHECK;
/* Of a cumulative law [n]: sqrt(1 - sum p^2), the root of the share of pairs that are not tied; and
 * the normal score of every cell, Phi^-1 at the middle of its mass, within [-3, 3]. */
double iso_untied_share(const double *law, size_t n);
void iso_normal_scores(const double *law, size_t n, double *z);
/* Second moments of a row z [n] as a vector of n (n+1)/2 numbers, z_i z_j for i <= j, off the
 * diagonal times sqrt 2: its norm is |z|^2.  z is scaled back to |z|^2 <= most first. */
void iso_moment_vector(const double *z, size_t n, double most, double *out);
/* a [n][n] = correlations from a sum of such vectors; variances are at least `least`. */
void iso_moment_correlations(const double *sum, size_t n, double least, double *a);

#ifdef __cplusplus
}
#endif

#endif
