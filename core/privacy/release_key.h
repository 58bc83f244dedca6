// SPDX-License-Identifier: Apache-2.0
/* The key of a release: what its noise, its Poisson batches and, in secure mode, all randomness of
 * its training are drawn from.
 *
 * Two releases that share a noise word give it away: the difference of their outputs is free of it.
 * So the key is a SHA-256 digest of everything that makes a release another release.  Seeded, the
 * digest is reproducible, and whoever knows the seed and guesses the rest (the data included) can
 * recompute the noise.  Secure, 32 bytes of the operating system take the place of the seed.
 */
#ifndef ISO_PRIVACY_RELEASE_KEY_H
#define ISO_PRIVACY_RELEASE_KEY_H

#include "core/privacy/ledger.h"
#include "core/rand/rand.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All members are part of the key; texts are borrowed and may be NULL (which differs from ""). */
typedef struct iso_release_facts {
	uint64_t seed; /* not used in secure mode */
	int secure;
	const char *generator;
	uint32_t version;	   /* of the generator */
	const char *options;	   /* effective options, canonical JSON */
	const char *data;	   /* hash of the private table, schema included */
	size_t n;		   /* public number of rows */
	const size_t *class_count; /* [classes] public counts, or NULL */
	size_t classes;
	double epsilon, delta;
	double scale; /* the free noise scale.  It enters with 40 significant bits, so that the last
		       * bits of another C library do not change the noise of a reproduced run. */
	iso_adjacency adjacency;
	iso_accountant accountant;
	const iso_plan *plan; /* entries and their noise; NULL = none */
} iso_release_facts;

typedef struct iso_release_key {
	uint8_t digest[32];
	int secure; /* 1: noise by the hardened samplers, batches from the AES stream */
} iso_release_key;

/* ISO_E_INTERNAL without secure randomness. */
iso_status iso_release_key_of(const iso_release_facts *f, iso_release_key *out,
			      iso_error *err) ISO_MUST_CHECK;
/* A seed and a label alone, for benches and tests: releases that nobody publishes. */
iso_status iso_release_key_plain(uint64_t seed, const char *label, int secure, iso_release_key *out,
				 iso_error *err) ISO_MUST_CHECK;
/* The key of all other randomness of a secure training.  Positions in a file then say nothing about
 * who shares a batch, a teacher or a latent: records are exchangeable. */
iso_status iso_release_key_fit(const iso_release_key *key, iso_key *out,
			       iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
