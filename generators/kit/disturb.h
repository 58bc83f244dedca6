// SPDX-License-Identifier: Apache-2.0
/* Perturbed rows and negatives of rows (Zhang, He and Lee 2018).  Not private. */
#ifndef ISO_GENERATORS_KIT_DISTURB_H
#define ISO_GENERATORS_KIT_DISTURB_H

#include "generators/generator.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_disturb {
	double rows, features;	 /* share of the rows, and of the features of each of them */
	double sigma, sigma_neg; /* noise on numbers and on negatives, in half ranges */
	double resample;	 /* chance that a chosen category is drawn anew */
} iso_disturb;

/* The training rows, perturbed, and behind them m negatives of the training rows of class g (g < 0:
 * none; none without a row of the class).  The randomness of a row follows its identity; numbers
 * are clipped to the public bounds, missing values stay.  Negatives take the class's rows in a
 * keyed order and begin again when it ends. */
iso_status iso_disturb_table(const iso_disturb *o, const iso_fit *f, int g, size_t m,
			     iso_table **out, iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
