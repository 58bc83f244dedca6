// SPDX-License-Identifier: Apache-2.0
/* The statistics kernel of attacks.md section 1.  Larger score = more likely positive; NaN scores
 * are refused. */
#ifndef ISO_MATH_STATS_H
#define ISO_MATH_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Receiver operating characteristic of n scores with truths 0/1. */
typedef struct iso_roc {
	double auc;	       /* Mann-Whitney with mid-ranks */
	double se;	       /* DeLong */
	double low, high;      /* 95 %, logit-transformed; one-sided rule when auc is 0 or 1 */
	double advantage;      /* max_t TPR - FPR, biased upwards */
	double bal_acc_median; /* balanced accuracy at the median score */
	double tpr_fpr_10, tpr_fpr_1,
		tpr_fpr_0_1; /* strict: max TPR over thresholds with FPR <= f */
	/* linear interpolation along the empirical curve: a mixture of two thresholds */
	double interp_fpr_10, interp_fpr_1, interp_fpr_0_1;
	double tpr_fpr_10_low, tpr_fpr_10_high; /* Clopper-Pearson 95 % at the chosen threshold */
	double tpr_fpr_1_low, tpr_fpr_1_high;
	size_t n_pos, n_neg;
} iso_roc;
iso_status iso_roc_of(const double *score, const uint8_t *truth, size_t n, iso_roc *out,
		      iso_error *err) ISO_MUST_CHECK;
/* Area under the curve alone; 0.5 if a class is empty. O(n log n). */
double iso_auc(const double *score, const uint8_t *truth, size_t n);
/* AUC over the places 0, 2, 4 .. (auc[0]) and 1, 3, 5 .. (auc[1]); NaN where a class is missing. */
iso_status iso_auc_halves(const double *score, const uint8_t *truth, size_t n, double auc[2],
			  iso_error *err) ISO_MUST_CHECK;
/* Average precision (area under precision-recall as scikit-learn defines it). */
double iso_average_precision(const double *score, const uint8_t *truth, size_t n);

/* One-sided Clopper-Pearson limits at tail a. */
double iso_cp_upper(uint64_t k, uint64_t n, double a);
double iso_cp_lower(uint64_t k, uint64_t n, double a);
void iso_wilson(double k, double n, double z, double *low, double *high);

/* The standard error of an area by Hanley & McNeil 1982, from the area and the counts alone. */
double iso_hanley_se(double auc, double n_pos, double n_neg);
/* The 95 % interval of an area with standard error se (0: Hanley-McNeil instead), never of width
 * zero: on the logit scale, at 0 and 1 by the one-sided slack 1 - 0.05^(1 / min n). */
void iso_auc_interval(double auc, double se, size_t n_pos, size_t n_neg, double *low, double *high);
/* Quantile p of Student's t, dof > 0. */
double iso_t_ppf(double p, double dof);
/* Mean of n independent values and its 95 % interval by Student's t with n - 1 degrees of freedom;
 * NaN bounds for n < 2 or when all values are equal, where the spread cannot be estimated. */
double iso_mean_interval(const double *x, size_t n, double *low, double *high);

/* Percentile bootstrap, for statistics without a formula (attacks.md section 1.8): the interval of
 * confidence `level` of f over `resamples` resamples of the items 0..n-1, drawn with replacement
 * through below(draw, n) = uniform 0..n-1.  f sees n item numbers; a resample where it is NaN is
 * left out; NaN bounds when fewer than half are left. */
typedef double (*iso_resample_fn)(void *ctx, const size_t *item, size_t n);
typedef struct iso_bootstrap {
	size_t n, resamples;
	double level;
	iso_resample_fn f;
	void *ctx;
	uint64_t (*below)(void *draw, uint64_t n);
	void *draw;
} iso_bootstrap;
iso_status iso_bootstrap_interval(const iso_bootstrap *b, double *low, double *high,
				  iso_error *err) ISO_MUST_CHECK;

/* Set membership (Hilprecht et al. 2019, section 3.3): of m members and m non-members drawn from
 * the targets, all of one side form a set; the one that holds more of the m highest of the 2m
 * scores is called the members' (equally many: half a point, equal scores share the places left).
 * Returns the share of `games` that are won; NaN when a side has fewer than m targets. */
iso_status iso_set_accuracy(const double *score, const uint8_t *truth, size_t n, size_t m,
			    size_t games, uint64_t (*below)(void *draw, uint64_t n), void *draw,
			    double *out, iso_error *err) ISO_MUST_CHECK;

/* The risk of an attack beyond the same attack on a control, (r_a - r_c) / (1 - r_c) of the Wilson
 * centres, with the error propagated from both half-widths at 95 %, all clipped to [0, 1] (Giomi et
 * al. 2023, section 3; attacks.md section 4.3). */
typedef struct iso_risk {
	double attack, control; /* Wilson centres */
	double raw;		/* unclipped */
	double error, risk, low, high;
} iso_risk;
void iso_risk_of(double hits, double n, double control_hits, double control_n, iso_risk *out);

double iso_mean(const double *x, size_t n);
double iso_sd(const double *x, size_t n); /* ddof 1; 0 for n < 2 */
/* Quantile, linear interpolation (numpy type 7); sorts a copy; NaN if n = 0 or out of memory. */
double iso_quantile(const double *x, size_t n, double p);
/* Indices 0..n-1 sorted by x ascending, ties by index (stable). */
iso_status iso_argsort(const double *x, size_t n, size_t *index, iso_error *err) ISO_MUST_CHECK;

/* Wilcoxon's signed-rank test (1945) of differences that are as likely to have either sign, one by
 * one, whatever their sizes (they need not be of one distribution): zeros leave the sample, ties
 * share the mean rank.  Exact up to 100 differences; above, a normal tail with
 * continuity correction, which errs to the safe side. */
typedef struct iso_signed_rank_test {
	size_t n;     /* differences other than zero */
	double p;     /* one-sided: probability of a rank sum of the positive ones as large */
	double least; /* 2^-n: the smallest p that n differences can give */
} iso_signed_rank_test;
/* d: no NaN; infinities are the largest differences. */
iso_status iso_signed_rank(const double *d, size_t n, iso_signed_rank_test *out,
			   iso_error *err) ISO_MUST_CHECK;
/* The smallest common shift of differences that scatter as d does (about their mean) at which the
 * test's p is at most `level`; infinite where n is too small for any.  d: finite. */
iso_status iso_signed_rank_visible(const double *d, size_t n, double level, double *shift,
				   iso_error *err) ISO_MUST_CHECK;

/* Goodness of fit, p-values: chi-square of counts, Kolmogorov-Smirnov of sorted u against U(0,1).
 */
double iso_chi2_test(const double *observed, const double *expected, size_t n, size_t dof);
double iso_ks_test(const double *sorted_u, size_t n);

#ifdef __cplusplus
}
#endif

#endif
