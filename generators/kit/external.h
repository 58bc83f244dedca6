// SPDX-License-Identifier: Apache-2.0
/* Any program as a generator: the name "external:PATH" (docs/external.md).
 *
 * ALGORITHM.  fit writes train.csv, schema.json, request.json (and public.csv, where there are
 * public rows) into a fresh directory, runs the program in it (kit/sandbox.h), and reads what it
 * left: synthetic.csv with exactly the rows that were asked for, and ledger.jsonl, one event a
 * line. Those rows are the model: a sample is a keyed permutation of them, then another one.
 *
 * PRIVACY ARGUMENT.  None of isoeps: the program draws its own noise, so that `verify` cannot
 * replay it, and its ledger is what it says of itself.  claim=dp: a program that writes a ledger
 * has an accounted epsilon, by our accountant, and is refused above the target; one that writes
 * none has an infinite one.  Its label is "claimed" in both cases, since nobody has verified it.
 * claim=none: no epsilon is asked for, none is accounted.  `audit` tries the claim.
 */
#ifndef ISO_GENERATORS_KIT_EXTERNAL_H
#define ISO_GENERATORS_KIT_EXTERNAL_H

#include "generators/generator.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A new descriptor for the program at `path` (relative to the working directory, or absolute),
 * which lives for the process; its options hold the SHA-256 of the program, so that a changed
 * program is another generator.  ISO_E_CONFIG: no file, not executable, or a name that cannot stand
 * in a record. */
iso_status iso_external_new(const char *path, const iso_generator **out,
			    iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
