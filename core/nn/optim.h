// SPDX-License-Identifier: Apache-2.0
/* Optimisers: theta -= update(grad * scale); state belongs to the optimiser. */
#ifndef ISO_NN_OPTIM_H
#define ISO_NN_OPTIM_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum iso_opt_rule { ISO_SGD, ISO_MOMENTUM, ISO_RMSPROP, ISO_ADAM } iso_opt_rule;
typedef struct iso_optim {
	iso_opt_rule rule;
	float lr, beta1, beta2, eps,
		decay; /* momentum uses beta1; decay = L2 weight decay (decoupled) */
	size_t n;
	uint64_t step;
	float *m, *v; /* [n] owned */
} iso_optim;
iso_status iso_optim_init(iso_optim *o, iso_opt_rule rule, float lr, size_t n,
			  iso_error *err) ISO_MUST_CHECK;
void iso_optim_deinit(iso_optim *o);
/* One step on all n parameters; piece-wise use: begin once, then pieces in any order. */
void iso_optim_step(iso_optim *o, float *theta, const float *grad, float scale);
void iso_optim_begin(iso_optim *o);
void iso_optim_piece(iso_optim *o, float *theta, const float *grad, float scale, size_t first,
		     size_t n);

#ifdef __cplusplus
}
#endif

#endif
