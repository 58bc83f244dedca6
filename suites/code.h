// SPDX-License-Identifier: Apache-2.0
/* Hashes of the code that makes results.  They are part of the keys of trainings and judgements, so
 * that changed code is never answered with an old number.
 *
 * A built-in plug-in's code is its source file, the sources it shares with its kind (training loops
 * and kit of generators, the referee of attacks) and all of core/, hashed when the program is
 * built; a shared object's code is its file and the same shared sources. */
#ifndef ISO_SUITES_CODE_H
#define ISO_SUITES_CODE_H

#include "core/base/status.h"

/* The table that the build writes: "core", "generators", "generators/dp_cgan", "attacks", ... */
typedef struct iso_code_row {
	const char *name, *hash; /* NULL ends the table */
} iso_code_row;
extern const iso_code_row iso_code_rows[];

/* kind: "generators", "attacks" or "metrics"; `name` and descriptor of a plug-in.  hex[65]: SHA-256
 * of everything that determines what it computes. */
iso_status iso_code_hash(const char *kind, const char *name, const void *descriptor, char hex[65],
			 iso_error *err) ISO_MUST_CHECK;
/* The hash of the code of a check: "verify" or "audit" (suites/flow). */
iso_status iso_code_check(const char *name, const char **hash, iso_error *err) ISO_MUST_CHECK;

#endif
