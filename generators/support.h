// SPDX-License-Identifier: Apache-2.0
/* What several generators share: the law of the labels and what it costs, batches of encoded rows,
 * parts of a saved model. */
#ifndef ISO_GENERATORS_SUPPORT_H
#define ISO_GENERATORS_SUPPORT_H

#include "core/nn/net.h"
#include "generators/generator.h"

/* ---- Law of the labels ---- */
enum iso_label_source {
	ISO_LABELS_HISTOGRAM, /* one noisy histogram, entry "label-histogram": each record adds 1 to
				 one cell */
	ISO_LABELS_UNIFORM,   /* no release */
	ISO_LABELS_PUBLIC,    /* the suite's declared class counts, no release */
	ISO_LABELS_EXACT      /* exact counts of the private rows: not private, for mode=paper and
				 non-private methods */
};
#define ISO_LABEL_CHOICES "histogram|uniform|public"

/* Refuses PUBLIC without public counts and more classes than the generators' tables hold. */
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
/* Label of a uniform draw u in (0,1). */
uint32_t iso_law_draw(const double *cdf, size_t classes, double u);

/* Ratio r such that a Gaussian of noise multiplier r s costs the share f of T Poisson-subsampled
 * Gaussians of multiplier s at rate q, in the large-noise limit of their central-limit account
 * (mu^2 = q^2 T / s^2; Bu et al. 2020, "Deep learning with Gaussian differential privacy",
 * Corollary 4): r = 1 / (q sqrt(T f)). */
double iso_noise_ratio(double q, double steps, double share);

/* ---- Encoded rows ---- */
/* Encodes once when the matrix stays under `keep` bytes, else on demand, batch by batch. */
typedef struct iso_rows {
	const iso_table *table; /* borrowed */
	const iso_encoder *enc; /* borrowed */
	float *x;		/* [n][dim] or NULL; owned */
} iso_rows;
iso_status iso_rows_open(iso_rows *r, const iso_table *t, const iso_encoder *enc, size_t keep,
			 iso_error *err) ISO_MUST_CHECK;
void iso_rows_close(iso_rows *r);
void iso_rows_get(const iso_rows *r, const uint32_t *row, size_t n, float *x, size_t ld);
/* One-hot of a label in out [classes]; all zero when the label is missing or out of range. */
void iso_one_hot(size_t label, size_t classes, float *out);

/* ---- Options in common ---- */
/* The asked batch, or for 0: min(dflt, n / 8), at least 1. */
size_t iso_batch_of(size_t asked, size_t dflt, size_t n);
double iso_rate_of(size_t batch, size_t n); /* min(1, batch / n) */

/* ---- Average of weights ---- */
/* Running average of a network's weights over a horizon of `share` of all steps, sampled every 8th
 * step.  A game circles around its solution and private training walks around it at random: in both
 * the average lies nearer (Yazici et al. 2019, "The unusual effectiveness of averaging in GAN
 * training"; De et al. 2022, "Unlocking high-accuracy differentially private image classification
 * through scale", section 3).  Post-processing, so it costs nothing. */
typedef struct iso_average {
	float *mean;	/* owned; NULL = off */
	double horizon; /* in samples */
} iso_average;
iso_status iso_average_init(iso_average *a, const iso_net *net, double share, uint64_t steps,
			    iso_error *err) ISO_MUST_CHECK; /* share 0 = off */
void iso_average_step(iso_average *a, const iso_net *net, uint64_t step);
void iso_average_finish(iso_average *a, iso_net *net); /* the network takes the average; frees */

/* ---- Parts of a saved model: "name bytes\n" and the bytes ---- */
void iso_part_add(iso_str *out, const char *name, const void *bytes, size_t n);
typedef struct iso_parts {
	const char *p, *end;
} iso_parts;
/* The next part must have this name and size. */
iso_status iso_part_take(iso_parts *in, const char *name, void *bytes, size_t n,
			 iso_error *err) ISO_MUST_CHECK;
/* The same for a network: one part per tensor, "NAME.w0", "NAME.b0", ... */
void iso_net_parts(iso_str *out, const char *name, const iso_net *net);
iso_status iso_net_take(iso_parts *in, const char *name, iso_net *net,
			iso_error *err) ISO_MUST_CHECK;

#endif
