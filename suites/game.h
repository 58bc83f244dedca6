// SPDX-License-Identifier: Apache-2.0
/* The referee: it alone holds members, non-members and the truth.
 *
 * Targets are equally many members and non-members (at most max_targets of each), drawn and
 * shuffled by a key of the cell's seed, so that every attack on every generator of that data set
 * and seed is asked about the same rows.  An attack gets a view with what its `knows` declares and
 * nothing else, and gives scores; the referee checks that they are finite and is the one place that
 * compares them with the truth. */
#ifndef ISO_SUITES_GAME_H
#define ISO_SUITES_GAME_H

#include "attacks/attack.h"
#include "core/math/stats.h"
#include "suites/flow/train.h"

typedef struct iso_game_setup { /* all borrowed, for the life of the game */
	const iso_table *members;
	const iso_table *nonmembers; /* NULL or empty: no membership game */
	const iso_table *auxiliary;  /* NULL or empty: attacks that need it are not applicable */
	const iso_table *synthetic;
	const iso_training
		*training; /* the generator under attack; NULL: only its rows are at hand */
	const iso_training_request
		*request; /* how it was trained, for shadow trainings; NULL: none */
	size_t max_targets;
	int dedup; /* values that stand on both sides are targets of neither (referee/targets.h) */
	uint64_t seed;
} iso_game_setup;

typedef struct iso_game iso_game;
iso_status iso_game_new(const iso_game_setup *setup, iso_game **out, iso_error *err) ISO_MUST_CHECK;
void iso_game_free(iso_game *g);
size_t iso_game_targets(const iso_game *g);
/* A caveat on rows that stand on both sides: 1 and the text, or 0 when there are none. */
int iso_game_note(const iso_game *g, char *text, size_t size);
/* Truth of each target, 1 = member: for the record, never for an attack. */
const uint8_t *iso_game_truth(const iso_game *g);

/* One attack: score [iso_game_targets] and its statistics.  ISO_E_UNSUPPORTED when the attack does
 * not apply here; its text says why.  ISO_E_PLUGIN when a score is not finite. */
iso_status iso_game_attack(const iso_game *g, const iso_attack *a, const char *label,
			   const void *options, double *score, iso_roc *roc,
			   iso_error *err) ISO_MUST_CHECK;

#endif
