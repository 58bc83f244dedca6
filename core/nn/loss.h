// SPDX-License-Identifier: Apache-2.0
/* Losses, per row: they fill dLoss/d(pre-activation) and return the summed loss (double, for curves
 * only). */
#ifndef ISO_NN_LOSS_H
#define ISO_NN_LOSS_H

#include <stddef.h>

/* logits [n] stride ld; target 0 or 1. */
double iso_loss_bce_logits(const float *logits, size_t ld, size_t n, float target, float *d,
			   size_t d_ld);

#endif
