// SPDX-License-Identifier: Apache-2.0
/* Private kernel k-means by random Fourier features (Acs et al. 2017; features of Rahimi and Recht
 * 2007): phi(x) = (1/sqrt D) [cos(w_t . x), sin(w_t . x)], w_t ~ N(0, I / gamma^2), of norm exactly
 * 1, so that phi(x) . phi(y) is near exp(-|x - y|^2 / (2 gamma^2)).
 *
 * Per iteration a record adds its phi to the sum, and 1 to the count, of its nearest centre: two
 * blocks of bound 1 each, released jointly; centre_j = sum_j / max(count_j, 1).  The first centres
 * are phi of random points of the public domain, so no start looks at data.  Centres are not of
 * unit norm: nearest is in Euclidean distance.
 */
#ifndef ISO_GENERATORS_KIT_FOURIER_MEANS_H
#define ISO_GENERATORS_KIT_FOURIER_MEANS_H

#include "core/privacy/mechanism.h"
#include "generators/generator.h"
#include "generators/kit/parts.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_means {
	const iso_encoder *enc; /* borrowed */
	size_t k, features;	/* clusters, D */
	double *w;		/* [D][dim] public; owned */
	double *centre;		/* [k][2 D] released; owned */
	double *count; /* [k] released numbers of records of the last iteration, at least 1; 0:
			  dropped; owned */
} iso_means;

/* Width gamma <= 0: sqrt(dim) / 2. */
iso_status iso_means_new(const iso_encoder *enc, size_t k, size_t features, double gamma,
			 iso_key key, iso_means *m, iso_error *err) ISO_MUST_CHECK;
void iso_means_free(iso_means *m);
void iso_means_features(const iso_means *m, const float *x, double *phi); /* [2 D] */
size_t iso_means_nearest(const iso_means *m, const double *phi);
/* `iterations` releases on `entry`, which is planned with sensitivity 1; exact sums without a
 * ledger. id, x [n][dim]: the private rows. */
iso_status iso_means_fit(iso_means *m, const uint64_t *id, const float *x, size_t n,
			 iso_ledger *ledger, iso_entry entry, size_t iterations,
			 iso_error *err) ISO_MUST_CHECK;
/* Clusters that stand for fewer than `least` records (the largest stays) get the count 0 and no
 * record: theirs go to the nearest that is left.  Post-processing. */
void iso_means_drop(iso_means *m, double least);
/* Cluster of each row: of [n]. */
iso_status iso_means_assign(const iso_means *m, const float *x, size_t n, uint32_t *of,
			    iso_error *err) ISO_MUST_CHECK;
void iso_means_save(iso_str *out, const iso_means *m);
iso_status iso_means_take(iso_parts *in, iso_means *m, iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
