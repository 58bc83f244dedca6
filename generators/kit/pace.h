// SPDX-License-Identifier: Apache-2.0
/* Rates, steps, step sizes and noise of DP-SGD on the parts of a partition.
 *
 * A part's sampling rate is B / n_part, and n_part is known only after a noisy count.  The plan
 * therefore holds a CAP in Renyi DP at one order for each part (Feldman and Zrnic 2021, Theorem
 * 4.3), and training charges it with the Poisson-subsampled Gaussians that fit under it once the
 * count is known: every part costs the same, small parts get more noise.
 */
#ifndef ISO_GENERATORS_KIT_PACE_H
#define ISO_GENERATORS_KIT_PACE_H

#include "core/privacy/ledger.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_pace {
	double q;
	uint64_t steps;
} iso_pace;

/* Of a part of `rows` rows: batch 64 or rows/8 for `batch` 0, q = B / rows, epochs / q steps;
 * epochs 0: 50 / q, at least 2400. */
iso_pace iso_pace_of(size_t batch, size_t epochs, size_t rows);
/* Adam's step size for `lr` 0: 1e-3 or more, at most 1e-2, so that the steps (at most lr each) can
 * carry a logit over 4 units, from 0.5 to 0.02 and back: public bounds are wide and the rows may
 * sit near one end of them. */
float iso_pace_lr(double lr, iso_pace p);
/* The order of the caps.  With rho of zCDP, epsilon = a rho + log(1/delta) / (a - 1) is smallest at
 * a = 1 + sqrt(log(1/delta) / rho) (Bun and Steinke 2016, Proposition 3); subsampling and the
 * tighter conversion move the best order down, by about a fifth. */
double iso_pace_order(double epsilon, double delta);
/* A cap that costs the share f of rho = 1 / (2 scale^2). */
double iso_pace_cap(double order, double scale, double share);
/* The smallest noise multiplier with which the steps of p stay below `cap` at `order`, under
 * add/remove. */
double iso_pace_noise(double order, double cap, iso_pace p);
/* Charges all that is left of an adaptive entry with the steps of p. */
iso_status iso_pace_spend(iso_ledger *l, int handle, double order, iso_pace p,
			  iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
