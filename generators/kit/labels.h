// SPDX-License-Identifier: Apache-2.0
/* The law of the labels and what it costs. */
#ifndef ISO_GENERATORS_KIT_LABELS_H
#define ISO_GENERATORS_KIT_LABELS_H

#include "generators/generator.h"

#ifdef __cplusplus
extern "C" {
#endif

enum iso_label_source {
	ISO_LABELS_HISTOGRAM, /* one noisy histogram, entry "label-histogram": each record adds 1 to
				 one cell */
	ISO_LABELS_UNIFORM,   /* no release */
	ISO_LABELS_PUBLIC,    /* the suite's declared class counts, no release */
	ISO_LABELS_EXACT,     /* exact counts of the private rows: not private, for mode=paper and
				 non-private methods */
	ISO_LABELS_COLUMN     /* the label is a generated column: no law, no release */
};
#define ISO_LABEL_CHOICES "histogram|uniform|public"

/* Refuses PUBLIC without public counts; for every source but COLUMN a table without a label. */
iso_status iso_labels_check(const iso_gen_env *env, int source, const char *who,
			    iso_error *err) ISO_MUST_CHECK;
/* Entry "label-histogram" with this noise multiplier (HISTOGRAM), or uncharged (EXACT); nothing
 * otherwise. */
iso_status iso_labels_plan(const iso_gen_env *env, int source, double noise, int fixed,
			   iso_plan *plan, iso_error *err) ISO_MUST_CHECK;
/* counts [classes] >= 0 as known after the release (uniform: all 1).  EXACT books an uncharged
 * entry when `ledger`. */
iso_status iso_labels_counts(const iso_fit *fit, int source, iso_ledger *ledger, double *counts,
			     iso_error *err) ISO_MUST_CHECK;
/* Cumulative law from counts, last entry exactly 1; uniform when all counts are zero. */
void iso_law_from_counts(const double *counts, size_t classes, double *cdf);
/* Counts, then their law: law [classes] cumulative. */
iso_status iso_labels_law(const iso_fit *fit, int source, double *law,
			  iso_error *err) ISO_MUST_CHECK;
/* Label of a uniform draw u in (0,1). */
uint32_t iso_law_draw(const double *cdf, size_t classes, double u);
/* The same from probabilities p [n], which need no cumulative copy. */
uint32_t iso_law_pick(const double *p, size_t n, double u);

/* Ratio r such that a Gaussian of noise multiplier r s costs the share f of T Poisson-subsampled
 * Gaussians of multiplier s at rate q, in the large-noise limit of their central-limit account
 * (mu^2 = q^2 T / s^2; Bu et al. 2020, "Deep learning with Gaussian differential privacy",
 * Corollary 4): r = 1 / (q sqrt(T f)). */
double iso_noise_ratio(double q, double steps, double share);

#ifdef __cplusplus
}
#endif

#endif
