// SPDX-License-Identifier: Apache-2.0
/* Perturbed rows and negatives of rows (Zhang, He and Lee 2018).  Not private. */
#ifndef ISO_GENERATORS_KIT_DISTURB_H
#define ISO_GENERATORS_KIT_DISTURB_H

#include "generators/generator.h"

typedef struct iso_disturb {
	double rows, features;	 /* share of the rows, and of the features of each of them */
	double sigma, sigma_neg; /* noise on numbers and on negatives, in half ranges */
	double resample;	 /* chance that a chosen category is drawn anew */
} iso_disturb;

/* Changes the first n rows of t in place; the randomness of a row follows its identity.  Numbers
 * are clipped to the public bounds, missing values stay.  place: scratch [ncol + npixel]. */
void iso_disturb_rows(const iso_disturb *o, iso_key key, iso_table *t, size_t n, uint32_t *place);
/* Rows n .. n + m - 1 of t, n = f->train->n: negatives of the training rows of class g, which come
 * in a keyed order and again from the first.  Returns how many there are (none without a row of the
 * class).  row: scratch [n]. */
size_t iso_disturb_append(const iso_disturb *o, const iso_fit *f, iso_table *t, int g, size_t m,
			  uint32_t *row, uint32_t *place);

#endif
