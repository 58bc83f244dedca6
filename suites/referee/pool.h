// SPDX-License-Identifier: Apache-2.0
/* The pool of shadow models: a model is a function of (rows, seed) under the victim's generator,
 * options, epsilon and delta.  Trained when first asked for and kept, for every attack alike. */
#ifndef ISO_SUITES_REFEREE_POOL_H
#define ISO_SUITES_REFEREE_POOL_H

#include "attacks/attack.h"
#include "suites/flow/train.h"

/* Where shadow models are kept, in DIR/shadows/KEY: the key is the hash of `method` (canonical JSON
 * of everything but rows and seed: generator, options, code, budget), of the rows, of their
 * identities, of the public rows and of the seed.  So a shadow is one task with one artefact,
 * whichever attack, cell or run asks for it first; one that is absent or damaged is trained. */
typedef struct iso_pool_store {
	const char *dir, *method; /* borrowed */
	int private;		  /* the models were not released under a guarantee: owner only */
} iso_pool_store;

typedef struct iso_pool iso_pool;
/* request: borrowed; its train, seed and scale are replaced for each model.  store: borrowed, or
 * NULL to keep models in memory only. */
iso_status iso_pool_new(const iso_training_request *request, const iso_pool_store *store,
			iso_pool **out, iso_error *err) ISO_MUST_CHECK;
void iso_pool_free(iso_pool *p);
iso_status iso_pool_train(iso_pool *p, const iso_table *rows, uint64_t seed, const iso_model **out,
			  iso_error *err) ISO_MUST_CHECK;
/* The same with a client that chooses its own rows (insider, NULL: none): always trained anew, and
 * kept for this pool alone. */
iso_status iso_pool_train_with(iso_pool *p, const iso_table *rows, uint64_t seed,
			       const iso_insider *insider, const iso_model **out,
			       iso_error *err) ISO_MUST_CHECK;
size_t iso_pool_trained(const iso_pool *p); /* models so far, trained or taken from the store */
size_t iso_pool_taken(const iso_pool *p);   /* of those, taken from the store */
const iso_models *iso_pool_models(iso_pool *p);

#endif
