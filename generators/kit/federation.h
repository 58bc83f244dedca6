// SPDX-License-Identifier: Apache-2.0
/* Rows dealt to clients: the client of a row is its column of role client, or a keyed hash of its
 * identity, so that one row more or less moves no other. */
#ifndef ISO_GENERATORS_KIT_FEDERATION_H
#define ISO_GENERATORS_KIT_FEDERATION_H

#include "generators/generator.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Clients of the data, or `asked` when the data have none. */
size_t iso_federation_clients(const iso_gen_env *env, size_t asked);
/* Public number of rows of client k: as declared, or n / clients; at least 1. */
size_t iso_federation_rows(const iso_gen_env *env, size_t clients, size_t k);

typedef struct iso_federation {
	size_t clients;
	uint32_t *pos; /* PRIVATE [n] positions grouped by client, in table order; owned */
	uint64_t *id;  /* PRIVATE [n] identities in that order; owned */
	size_t *first; /* PRIVATE [clients + 1] offsets into both; owned */
} iso_federation;
iso_status iso_federation_deal(const iso_fit *f, size_t clients, iso_federation *out,
			       iso_error *err) ISO_MUST_CHECK;
/* The client that a row of this identity is dealt to; for data without clients of their own. */
size_t iso_federation_client(const iso_fit *f, size_t clients, uint64_t id);
void iso_federation_free(iso_federation *d);

#ifdef __cplusplus
}
#endif

#endif
