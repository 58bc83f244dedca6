// SPDX-License-Identifier: Apache-2.0
/* Disjoint stratified splits, made before any preprocessing: train (members), hold-out
 * (non-members, test), auxiliary (attacker's). A record's part depends on (seed, its id) through
 * its rank within its label class. */
#ifndef ISO_DATA_SPLIT_H
#define ISO_DATA_SPLIT_H

#include "core/data/table.h"

typedef struct iso_split {
	uint32_t *train, *holdout, *aux; /* owned: rows of the table, ascending */
	size_t ntrain, nholdout, naux;
} iso_split;
/* Shares of the rows (sum <= 1; the rest is unused).  Rows stay where they are drawn even when
 * equal rows stand in several parts: dropping those from one part alone would make that part the
 * rarer rows. The referee keeps shared values out of the targets of both sides (suites/referee). */
iso_status iso_split_make(const iso_table *t, uint64_t seed, double train, double holdout,
			  double aux, iso_split *out, iso_error *err) ISO_MUST_CHECK;
void iso_split_free(iso_split *s);

#endif
