// SPDX-License-Identifier: Apache-2.0
/* How good predicted class probabilities are, in scikit-learn's definitions with the averaging
 * named; and distances between histograms. */
#ifndef ISO_LEARN_ASSESS_H
#define ISO_LEARN_ASSESS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* NaN = undefined (no row, a class missing among the truths). */
typedef struct iso_assessment {
	size_t n, correct;
	double accuracy, accuracy_low, accuracy_high; /* Wilson 95 % */
	double f1_positive; /* of class `positive`; NaN unless there are two classes */
	double f1_macro; /* mean of the classes' F1, over classes seen in truths or predictions */
	/* Two classes: micro = macro = the plain area for `positive`, with DeLong's interval. More:
	 * micro pools the (row, class) pairs, macro is the mean over the classes that have rows and
	 * counter-rows; no interval. */
	double auroc_micro, auroc_macro, auroc_low, auroc_high;
	double auprc; /* average precision: of `positive`, or the mean over classes with rows */
} iso_assessment;

/* prob [n][classes]; the prediction is the largest, the first among equals. */
iso_status iso_assess(const double *prob, const uint32_t *truth, size_t n, size_t classes,
		      size_t positive, iso_assessment *out, iso_error *err) ISO_MUST_CHECK;
/* Harmonic mean of precision and recall from counts; 0 when nothing is right (scikit-learn's
 * zero_division = 0). */
double iso_f1(double tp, double fp, double fn);

/* KL(p || q) in nats of two histograms of k cells, `smoothing` added to every count; finite for
 * smoothing > 0. */
double iso_kl_counts(const double *p, const double *q, size_t k, double smoothing);
/* The same of two numeric samples over `bins` equal cells between the smallest and the largest of
 * both together (the largest belongs to the last cell), plus a cell for NaN when either has one. A
 * constant pooled sample: 0 between the numbers.  At most 64 bins. */
double iso_kl_samples(const double *p, size_t np, const double *q, size_t nq, size_t bins,
		      double smoothing);
/* Total variation distance 1/2 sum |p - q| of two histograms, each normalised by its own sum; an
 * empty histogram against another: 1. */
double iso_tv_counts(const double *p, const double *q, size_t k);
/* The trade-off of Lomurno et al. (3DGL), TLD = (KLD / accuracy)^(1 - AUC); attacks.md section 7.2.
 * AUC = 1 gives 1 whatever the rest (*degenerate = 1); accuracy that is not above 0 or a NaN gives
 * NaN. */
double iso_tld(double kld, double accuracy, double auc, int *degenerate);

/* exp(mean over rows of KL(p(y|x) || mean p(y))) of prob [n][k]: between 1 and k; NaN for n = 0 or
 * out of memory (Salimans et al. 2016). */
double iso_inception_score(const double *prob, size_t n, size_t k);

#ifdef __cplusplus
}
#endif

#endif
