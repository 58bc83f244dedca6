// SPDX-License-Identifier: Apache-2.0
/* Fakes of a latent model's first decoder and the decoder's own step: what a method needs that
 * trains a generator against a scorer of its own. */
#ifndef ISO_GENERATORS_KIT_MAKER_H
#define ISO_GENERATORS_KIT_MAKER_H

#include "generators/kit/latent_model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_maker {
	iso_latent_model *m; /* borrowed */
	iso_ws *gen, *judge; /* of the decoder and of the scorer; owned */
	float *z, *g;	     /* [cap][zw] latents and labels, [cap][dim] uniform draws; owned */
	float *x, *dx;	     /* [cap][dim] rows, dLoss/dx; owned */
	float *in, *din;     /* [cap][width] the scorer's inputs, dLoss/d(in); owned */
	float *back;	     /* [cap][width of the heads]; owned */
	uint32_t *label;     /* [cap] labels of the fakes; 0 without a label; owned */
	iso_key key;
	uint64_t at; /* fakes so far */
	iso_optim opt;
} iso_maker;

/* Adam at `lr` with beta1 = 0.5.  key: all randomness of the fakes. */
iso_status iso_maker_init(iso_maker *k, iso_latent_model *m, size_t cap, double lr, iso_key key,
			  iso_error *err) ISO_MUST_CHECK;
void iso_maker_deinit(iso_maker *k);
/* The next n <= cap fakes into k->x, k->label and k->in; categories as relaxed draws, or `hard`:
 * one-hot at the largest.  Labels take turns (balanced), or follow the model's law. */
void iso_maker_fakes(iso_maker *k, size_t n, int hard, int balanced);
/* The start that knows nothing: the decoder learns, in `steps` steps, to give the uniform law over
 * the public domain: number j copies latent j (again from the first when there are more numbers),
 * categories get equal probabilities.  No data. */
void iso_maker_start_uniform(iso_maker *k, size_t n, size_t steps);
/* One step of the decoder on n fresh fakes, balanced, against max(0, 1 - S(x)) + anchor |p -
 * u(z)|^2: a fake moves until the scorer takes it for real, as far as that is worth the way from
 * the uniform row u(z) where it began.  agree (conditions by column): plus
 * its weight times the cross entropy between a fake and its condition.  Returns the mean of the
 * first term. */
double iso_maker_step(iso_maker *k, size_t n, double anchor, double agree);

#ifdef __cplusplus
}
#endif

#endif
