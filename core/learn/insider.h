// SPDX-License-Identifier: Apache-2.0
/* A participant of a federated training who keeps to the protocol but chooses its own rows: what a
 * training that is done in rounds shows its clients, and what a game of the referee does with it.
 */
#ifndef ISO_LEARN_INSIDER_H
#define ISO_LEARN_INSIDER_H

#include "core/data/encode.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The shared classifier as a client sees it in a round; valid during the call. */
typedef struct iso_shared {
	const iso_encoder *enc; /* of the features */
	size_t classes;
	size_t round, rounds;
	const iso_table *own; /* the insider's own rows */
	void *ctx;
	/* Of n encoded rows x [n][enc->dim]: log probability of class `of` into value [n], and its
	 * gradient by x into slope [n][enc->dim]. */
	iso_status (*answer)(void *ctx, const float *x, size_t n, size_t of, double *value,
			     float *slope, iso_error *err);
} iso_shared;

typedef struct iso_insider {
	size_t client;
	void *ctx;
	/* Before the client trains in a round.  *rows stays NULL: on its own rows; else on these,
	 * which the training frees. */
	iso_status (*join)(void *ctx, const iso_shared *shared, iso_table **rows, iso_error *err);
} iso_insider;

#ifdef __cplusplus
}
#endif

#endif
