// SPDX-License-Identifier: Apache-2.0
/* The referee: it alone holds members, non-members and secrets.
 *
 * An attack's goal selects a game.  The game deals targets (in random order, drawn by a key of the
 * cell's seed, so that every attack on every generator of that data set and seed is asked about the
 * same rows), the attack gets a view with what its `knows` declares and nothing else, and the game
 * judges the guesses.  A game's outputs are declared like a metric's. */
#ifndef ISO_SUITES_REFEREE_GAME_H
#define ISO_SUITES_REFEREE_GAME_H

#include "attacks/attack.h"
#include "core/math/stats.h"
#include "metrics/metric.h"
#include "suites/flow/train.h"

typedef struct iso_game_setup { /* all borrowed, for the life of the referee */
	const iso_table *members;
	const iso_table *nonmembers; /* NULL or empty: no games that need a control */
	const iso_table *auxiliary;  /* NULL or empty: attacks that need it are not applicable */
	const iso_table *synthetic;
	const iso_training
		*training; /* the generator under attack; NULL: only its rows are at hand */
	const iso_training_request
		*request; /* how it was trained, for shadow trainings; NULL: none */
	const struct iso_pool_store *store; /* where shadow models are kept; NULL: in memory */
	size_t max_targets;
	size_t worlds; /* neighbour games: models to be told apart; 0 = 16 */
	int dedup;     /* values that stand on both sides are targets of neither (targets.h) */
	uint64_t seed;
} iso_game_setup;

typedef struct iso_game iso_game; /* the referee of one released table */
iso_status iso_game_new(const iso_game_setup *setup, iso_game **out, iso_error *err) ISO_MUST_CHECK;
void iso_game_free(iso_game *g);
/* A caveat on rows that stand on both sides: 1 and the text, or 0 when there are none. */
int iso_game_note(const iso_game *g, char *text, size_t size);

/* One attack's game, judged. */
typedef struct iso_play {
	const struct iso_game_type *type;
	size_t n;	       /* guesses */
	iso_guess *guess;      /* [n] owned */
	uint8_t *truth;	       /* [n] owned: 1 = member (world, record) */
	iso_roc roc;	       /* of games that rank */
	iso_measures measures; /* owned v; of type->outputs */
} iso_play;
/* ISO_E_UNSUPPORTED when the attack does not apply here, its text says why; ISO_E_PLUGIN when a
 * score is not finite. */
iso_status iso_game_attack(iso_game *g, const iso_attack *a, const char *label, const void *options,
			   iso_play *out, iso_error *err) ISO_MUST_CHECK;
void iso_play_free(iso_play *p);

/* ---- games ---- */

/* What a game deals for one attack. */
typedef struct iso_deal {
	iso_table *targets;	 /* owned */
	iso_table *partners;	 /* owned, or NULL */
	iso_table *rebuilt;	 /* owned, or NULL */
	size_t n;		 /* guesses wanted */
	uint8_t *truth;		 /* owned [n] */
	double *secret;		 /* owned [targets->n], or NULL: the blanked cells */
	uint8_t *group;		 /* owned [targets->n], or NULL: see the game */
	iso_table *full;	 /* owned, or NULL: the targets before anything was blanked */
	int column;		 /* the secret column, or -1 */
	const iso_model **world; /* owned [nworld], or NULL */
	size_t nworld;
	/* The game's own release, in place of the victim's: rows (owned) and the model that gave
	 * them, which is then the oracle; or NULL. */
	iso_table *synthetic;
	const iso_model *model;
	iso_predicate *predicate; /* owned [targets->n], or NULL */
	double share[2];
} iso_deal;
void iso_deal_free(iso_deal *d);

/* THE CONTRACT of games: one immutable descriptor a file. */
typedef struct iso_game_type {
	iso_goal goal;		   /* required */
	const char *title;	   /* required */
	int ranks;		   /* guesses are judged by their order: roc is filled */
	int control;		   /* needs non-members */
	int trains;		   /* trains models by the victim's request */
	const iso_output *outputs; /* required */
	/* required: fills the deal; on failure the caller frees what is there */
	iso_status (*deal)(iso_game *g, const iso_attack *a, const void *options, iso_deal *d,
			   iso_error *err);
	/* optional: between the attack's prepare and its guess, what it takes part in */
	iso_status (*meet)(iso_game *g, const iso_attack *a, const void *options, void *state,
			   iso_deal *d, iso_error *err);
	/* required: sets every output */
	iso_status (*judge)(const iso_game *g, const iso_deal *d, const iso_guess *guess,
			    iso_play *p, iso_error *err);
} iso_game_type;

extern const iso_game_type iso_game_membership, iso_game_federated, iso_game_attribute,
	iso_game_linkage, iso_game_reconstruction, iso_game_neighbour, iso_game_redrawn,
	iso_game_singling_out, iso_game_property, iso_game_inversion;
/* Of the games judged by ranking alone. */
extern const iso_output iso_rank_outputs[];
/* The game of a goal. */
const iso_game_type *iso_game_of(iso_goal goal);

/* ---- for the games ---- */

const iso_game_setup *iso_game_rules(const iso_game *g);
/* Members and non-members mixed: *targets and *truth are new. */
iso_status iso_game_mix(const iso_game *g, iso_table **targets, uint8_t **truth,
			iso_error *err) ISO_MUST_CHECK;
size_t iso_game_pairs(const iso_game *g); /* members among the targets */
/* A model of the pool, a function of (rows, seed); valid as long as the referee. */
iso_status iso_game_train(iso_game *g, const iso_table *rows, uint64_t seed, const iso_model **out,
			  iso_error *err) ISO_MUST_CHECK;
/* The same with a client that chooses its own rows (core/learn/insider.h), or NULL. */
iso_status iso_game_train_with(iso_game *g, const iso_table *rows, uint64_t seed,
			       const iso_insider *insider, const iso_model **out,
			       iso_error *err) ISO_MUST_CHECK;
/* Rows of a model of the pool; the caller frees *out. */
iso_status iso_game_draw(iso_game *g, const iso_model *m, uint64_t stream, size_t n,
			 iso_table **out, iso_error *err) ISO_MUST_CHECK;
/* The column that an attack calls its secret (attack.h); ISO_E_UNSUPPORTED where it cannot be
 * guessed. */
iso_status iso_game_secret(const iso_game *g, const iso_attack *a, const void *options, int *column,
			   iso_error *err) ISO_MUST_CHECK;
/* roc of the scores against the truth. */
iso_status iso_game_rank(const iso_deal *d, const iso_guess *guess, iso_roc *out,
			 iso_error *err) ISO_MUST_CHECK;

#endif
