// SPDX-License-Identifier: Apache-2.0
/* Gaussian kernel density over the distances of pairs.h:
 *
 *     log p(q) = log 1/n sum_i exp(-d2(q, x_i) / 2 h^2) - d log h
 *
 * (constants left out; d = columns).  The bandwidth maximises the leave-one-out likelihood of the
 * rows themselves over a grid of halvings by sqrt(2): Scott's rule, made for one normal, blurs the
 * local over-fitting that membership inference looks for. */
#ifndef ISO_LEARN_KDE_H
#define ISO_LEARN_KDE_H

#include "core/learn/pairs.h"
#include "core/rand/rand.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_kde {
	const iso_rowset *rows; /* borrowed */
	double h;
} iso_kde;

/* h 0: by leave-one-out over at most 500 of the rows, drawn by key.  At least two rows. */
iso_status iso_kde_init(iso_kde *k, const iso_rowset *rows, double h, iso_key key,
			iso_error *err) ISO_MUST_CHECK;
iso_status iso_kde_log_density(const iso_kde *k, const iso_rowset *q, double *out,
			       iso_error *err) ISO_MUST_CHECK;
/* log sum exp(-d2 / 2 h^2) over d2 [n], the place `skip` left out; scratch [n]. */
double iso_log_kernel_sum(const float *d2, size_t n, double h, size_t skip, float *scratch);

#ifdef __cplusplus
}
#endif

#endif
