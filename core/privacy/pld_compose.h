// SPDX-License-Identifier: Apache-2.0
/* Private to the accountants: composition of privacy loss laws by a tilted Fourier transform. */
#ifndef ISO_PRIVACY_PLD_COMPOSE_H
#define ISO_PRIVACY_PLD_COMPOSE_H

#include "core/math/fft.h"
#include "core/privacy/pld_law.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Transform and buffers, kept between compositions.  Zero-initialise. */
typedef struct iso_pld_work {
	iso_fft *fft;
	size_t length;		   /* of the transform */
	double *x;		   /* [length] */
	double *re, *im, *fr, *fi; /* [length/2+1] */
	double coarse; /* factor on the grid step; 0 = 1.  Above 1: quicker, still certified */
} iso_pld_work;
void iso_pld_work_free(iso_pld_work *w);

/* Laws composed independently, each `count` times. */
typedef struct iso_mix {
	iso_law *v; /* owned */
	size_t n, cap;
	iso_pld_work *work; /* borrowed; NULL: `own` is used */
	iso_pld_work own;
} iso_mix;

typedef struct iso_pld_bounds {
	double lower, upper; /* epsilon or delta */
	double step;	     /* grid step used */
} iso_pld_bounds;

void iso_mix_free(iso_mix *m);
/* Quadratures; delta and the number of releases set how much of the tails is kept. */
iso_status iso_mix_prepare(iso_mix *m, double delta, iso_error *err) ISO_MUST_CHECK;
/* Renyi bound over continuous orders from the quadratures: epsilon at delta, or log delta at
 * epsilon; *theta = the minimising order less one. */
double iso_mix_renyi_epsilon(const iso_mix *m, double delta, double *theta);
double iso_mix_renyi_log_delta(const iso_mix *m, double epsilon, double *theta);
/* Largest finite loss of the composition, and its mass at infinity. */
double iso_mix_supremum(const iso_mix *m);
double iso_mix_infinite(const iso_mix *m);
/* step <= 0: chosen from the data. */
iso_status iso_mix_epsilon(iso_mix *m, double delta, double step, int want_lower,
			   iso_pld_bounds *out, iso_error *err) ISO_MUST_CHECK;
iso_status iso_mix_delta(iso_mix *m, double epsilon, double step, iso_pld_bounds *out,
			 iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
