// SPDX-License-Identifier: Apache-2.0
/* The pool of shadow models: a model is a function of (rows, seed) under the victim's generator,
 * options, epsilon and delta.  Trained when first asked for and kept, for every attack alike. */
#ifndef ISO_SUITES_REFEREE_POOL_H
#define ISO_SUITES_REFEREE_POOL_H

#include "attacks/attack.h"
#include "suites/flow/train.h"

typedef struct iso_pool iso_pool;
/* request: borrowed; its train, seed and scale are replaced for each model. */
iso_status iso_pool_new(const iso_training_request *request, iso_pool **out,
			iso_error *err) ISO_MUST_CHECK;
void iso_pool_free(iso_pool *p);
iso_status iso_pool_train(iso_pool *p, const iso_table *rows, uint64_t seed, const iso_model **out,
			  iso_error *err) ISO_MUST_CHECK;
size_t iso_pool_trained(const iso_pool *p); /* trainings so far */
const iso_models *iso_pool_models(iso_pool *p);

#endif
