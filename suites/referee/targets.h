// SPDX-License-Identifier: Apache-2.0
/* Who is asked about: equally many members and non-members, so chosen that a row's value alone says
 * nothing about its side.
 *
 * A value (a whole record, ids aside) that occurs on both sides has no truth: it leaves the targets
 * of BOTH.  Dropping it from the non-members alone would leave the rarer rows there, and an attack
 * that looks at no model would win.  A value repeated within one side is one target, paired with a
 * value of the other side that is repeated equally often: given how often a value occurs, which
 * side all its copies fell on is a coin toss that does not depend on the value. */
#ifndef ISO_SUITES_REFEREE_TARGETS_H
#define ISO_SUITES_REFEREE_TARGETS_H

#include "core/data/table.h"
#include "core/rand/rand.h"

typedef struct iso_targets {
	uint32_t *member, *nonmember; /* [n] rows of the two tables; owned */
	size_t n;		      /* pairs */
	/* Rows whose value also occurs on the other side. */
	size_t shared_members, shared_nonmembers;
} iso_targets;

/* At most `most` pairs, drawn by key.  dedup 0: every row is a candidate. */
iso_status iso_targets_choose(const iso_table *members, const iso_table *nonmembers, int dedup,
			      size_t most, iso_key key, iso_targets *out,
			      iso_error *err) ISO_MUST_CHECK;
void iso_targets_free(iso_targets *t);

/* How many rows of a equal a row of b. */
iso_status iso_rows_shared(const iso_table *a, const iso_table *b, size_t *out,
			   iso_error *err) ISO_MUST_CHECK;
/* The rows of a that equal no row of b, in order: *row is new (iso_free), *n their number. */
iso_status iso_rows_without(const iso_table *a, const iso_table *b, uint32_t **row, size_t *n,
			    iso_error *err) ISO_MUST_CHECK;

#endif
