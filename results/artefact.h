// SPDX-License-Identifier: Apache-2.0
/* Trained models on disk: DIR/models/KEY, where KEY is the key of the cell, and DIR/shadows/KEY for
 * the shadow models of attacks.  A file holds what the training contributes to the record (ledger,
 * epsilons, curves, times; of a shadow only what it is) and the bytes that the generator's `save`
 * wrote, so that a judgement added later needs no training.
 *
 * Layout: "isoeps-model 1 HASH LENGTH\n", then LENGTH bytes of JSON, then the model's bytes; HASH
 * is SHA-256 over everything behind the first line.  A file that is absent or damaged costs a
 * training, never an error. */
#ifndef ISO_RESULTS_ARTEFACT_H
#define ISO_RESULTS_ARTEFACT_H

#include "core/io/json.h"

typedef struct iso_artefact {
	cJSON *facts;	   /* owned; NULL: there is none */
	char *file;	   /* owned: the whole text */
	const char *bytes; /* of the model, within `file` */
	size_t n;
} iso_artefact;

/* folder: "models" or "shadows".  `private`: the bytes hold private rows or were not released under
 * a guarantee: owner only. */
iso_status iso_artefact_write(const char *dir, const char *folder, const char *key,
			      const cJSON *facts, const char *bytes, size_t n, int private,
			      iso_error *err) ISO_MUST_CHECK;
/* out->facts = NULL when there is no usable file (a warning says why one is not used). */
iso_status iso_artefact_read(const char *dir, const char *folder, const char *key,
			     iso_artefact *out, iso_error *err) ISO_MUST_CHECK;
void iso_artefact_free(iso_artefact *a);

#endif
