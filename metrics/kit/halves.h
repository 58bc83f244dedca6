// SPDX-License-Identifier: Apache-2.0
/* Pooled rows in two halves for classifiers that tell real from synthetic: one to learn from, one
 * to be judged on; equal rows fall into one half, since a copy of a judged row among the learning
 * ones, with the other answer, would push every score on perfect rows below chance. */
#ifndef ISO_METRICS_KIT_HALVES_H
#define ISO_METRICS_KIT_HALVES_H

#include "core/learn/classifier.h"
#include "metrics/kit/sample.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_halves {
	float *x;	      /* owned [rows][d], learning rows first */
	uint32_t *y;	      /* owned [rows] 1 = real */
	size_t n, d, rows;    /* learning rows; width; all rows */
	double *prob, *score; /* owned [rows][2], [rows]: of the judged rows */
	uint8_t *truth;	      /* owned [rows] of the judged rows */
} iso_halves;
/* p has been encoded. */
iso_status iso_halves_new(const iso_pooled *p, iso_key key, iso_halves *out,
			  iso_error *err) ISO_MUST_CHECK;
void iso_halves_free(iso_halves *h);
/* 1: a half holds rows of one side only, and nothing can be learned or judged. */
int iso_halves_one_sided(const iso_halves *h);
/* Learns from the first half and fills prob, score (probability of real) and truth of the second;
 * *judged = its rows. */
iso_status iso_halves_judge(iso_halves *h, const iso_classifier *c, iso_key key, size_t *judged,
			    iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
