// SPDX-License-Identifier: Apache-2.0
/* THE CONTRACT of attacks.
 *
 * An attack guesses; it never sees the truth and never computes its success.  Its `goal` selects a
 * game of the referee (suites/referee/): the referee holds members, non-members and secrets, deals
 * the targets in a random order, shows what `knows` declares (everything else is NULL), and one
 * place judges all guesses alike.
 *
 *   membership      is the target one of the generator's training rows?       guess.score
 *   attribute       what is the target's blanked cell in column `secret`?     guess.value, score
 *   linkage         do targets[i] and partners[i] (other columns) belong to
 *                   one record?                                               guess.value 0 or 1
 *   reconstruction  fill the blanked cells of `rebuilt`                       guess.score
 *   neighbour       which targets were in the training rows of which model?   guess.score, at
 *                   world * targets->n + target
 *   federated       show rows of the class `secret` that another client of
 *                   the training alone holds: fill `rebuilt`, the first half
 *                   from world 0, the rest from a world without them; is the
 *                   target a row of that client?                              guess.score
 *   redrawn         attribute, where the secret of every training row was
 *                   drawn anew, independent of all else                       guess.value, score
 *   singling-out    fill view.predicate with statements that hold of exactly
 *                   one training row                                          guess.score
 *   property        which models were trained on rows with the larger share
 *                   of a group?                                               guess.score, by world
 *   inversion       fill `rebuilt` with one typical row for each class        guess.score
 */
#ifndef ISO_ATTACKS_ATTACK_H
#define ISO_ATTACKS_ATTACK_H

#include "core/data/encode.h"
#include "core/data/table.h"
#include "core/io/options.h"
#include "core/learn/insider.h"
#include "core/learn/pairs.h"
#include "core/rand/rand.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ISO_ATTACK_ABI 3

typedef enum iso_goal {
	ISO_GOAL_MEMBERSHIP,
	ISO_GOAL_ATTRIBUTE,
	ISO_GOAL_RECONSTRUCTION,
	ISO_GOAL_LINKAGE,
	ISO_GOAL_NEIGHBOUR,
	ISO_GOAL_FEDERATED,
	ISO_GOAL_REDRAWN,
	ISO_GOAL_SINGLING_OUT,
	ISO_GOAL_PROPERTY,
	ISO_GOAL_INVERSION
} iso_goal;

enum {				/* knows; the public schema always */
       ISO_KNOWS_SYNTHETIC = 1, /* the released table */
       ISO_KNOWS_AUXILIARY = 2, /* rows of the population, disjoint from members and targets */
       ISO_KNOWS_ORACLE = 4,	/* may sample the generator without limit */
       ISO_KNOWS_SCORE = 8,	/* white-box: the model's score slot */
       ISO_KNOWS_LATENT = 16,	/* white-box: the decode slot */
       ISO_KNOWS_SHADOW = 32,	/* may train the same generator on own rows */
       ISO_KNOWS_ROUNDS = 64	/* takes part in the federated training that it attacks */
};

/* What an attack says of one target. */
typedef struct iso_guess {
	double score; /* larger = surer that the positive statement holds; finite */
	double value; /* the guessed value, where the game asks for one */
} iso_guess;

/* Rows in the attacks' space (core/learn/pairs.h: numbers in [0,1] by public bounds, a category
 * mismatch costs distance 1), made once for all attacks; NULL where the table is not known. */
typedef struct iso_encoded {
	const iso_rowset *targets, *synthetic, *auxiliary;
} iso_encoded;

/* Trained models.  A handle is valid as long as the view; equal (rows, seed) give the same model to
 * every attack, trained once. */
typedef struct iso_model iso_model;
typedef struct iso_models {
	void *ctx;
	/* the victim's generator and options on other rows */
	iso_status (*train)(void *ctx, const iso_table *rows, uint64_t seed, const iso_model **out,
			    iso_error *err);
	/* n rows of stream number `stream`; the caller frees *out */
	iso_status (*draw)(const iso_model *m, uint64_t stream, size_t n, iso_table **out,
			   iso_error *err);
	/* larger = more real; ISO_E_UNSUPPORTED when the generator has no such slot */
	iso_status (*score)(const iso_model *m, const iso_table *rows, double *out, iso_error *err);
} iso_models;

/* A conjunction of clauses on columns, true or false of a row. */
#define ISO_CLAUSES 8
typedef enum iso_relation { ISO_AT_MOST, ISO_EQUALS, ISO_AT_LEAST, ISO_IS_MISSING } iso_relation;
typedef struct iso_clause {
	uint32_t column;
	iso_relation is;
	double value;
} iso_clause;
typedef struct iso_predicate {
	size_t n; /* clauses used; 0: no guess */
	iso_clause clause[ISO_CLAUSES];
} iso_predicate;

/* What the referee lets the attack see.  All borrowed; NULL = not known. */
typedef struct iso_attack_view {
	const iso_schema *schema;
	const iso_table *synthetic;
	const iso_table *auxiliary;
	const iso_table *targets;  /* shuffled; ids are positions, not identities */
	const iso_table *partners; /* linkage: the other columns, row by row */
	iso_table *rebuilt;	   /* reconstruction: a copy of the targets to complete */
	int secret;		   /* attribute: the blanked column; else -1 */
	const iso_encoded *encoded;
	/* oracle: n fresh rows, deterministic in (cell seed, call number); the caller frees *out */
	iso_status (*draw)(void *ctx, size_t n, iso_table **out, iso_error *err);
	/* white-box score of rows, larger = more real; NULL when the generator has no such slot */
	iso_status (*score)(void *ctx, const iso_table *rows, double *out, iso_error *err);
	/* white-box: decode latent z [n][latent_dim] */
	size_t latent_dim;
	iso_status (*decode)(void *ctx, const float *z, const uint32_t *label, size_t n,
			     iso_table *out, iso_error *err);
	const iso_models *models;      /* the pool of shadow models */
	const iso_model *const *world; /* neighbour: [nworld] models to be told apart */
	size_t nworld;
	void *ctx;
	iso_key key;		  /* the attack's own randomness */
	iso_predicate *predicate; /* singling-out: [targets->n] to fill; the targets are blank */
	double share[2]; /* property: of category 1 of column `secret`, smaller and larger */
	/* white-box: posterior means z [n][latent_dim]; NULL when no encoder is released */
	iso_status (*encode)(void *ctx, const iso_table *rows, float *z, iso_error *err);
} iso_attack_view;

typedef struct iso_attack {
	uint32_t abi;				    /* required */
	const char *name, *title, *citation, *card; /* required */
	iso_goal goal;
	uint32_t knows;
	uint32_t version;
	const char *knowledge; /* required: "NB", "FBB", "PBB", "WB", "AWB", "SH" (attacks.md
				  section 0) */
	/* optional; default: `knows` for every setting.  What this setting needs: a subset of
	 * `knows`. */
	uint32_t (*knows_of)(const void *options);
	const iso_option *options;
	size_t options_size;
	/* optional; default: accept. ISO_E_UNSUPPORTED makes the runner record "not applicable"
	 * with the reason. */
	iso_status (*check)(const iso_schema *s, const void *options, iso_error *err);
	/* optional; default: state NULL.  The view has nothing that the victim made (no synthetic
	 * rows, oracle or slots): training of shadows, densities of auxiliary rows. */
	iso_status (*prepare)(const iso_attack_view *view, const void *options, void **state,
			      iso_error *err);
	/* required.  guess [targets->n], in neighbour games [nworld * targets->n]: every score
	 * finite.
	 */
	iso_status (*guess)(const iso_attack_view *view, const void *options, void *state,
			    iso_guess *guess, iso_error *err);
	/* required iff prepare */
	void (*destroy)(void *state);
	/* optional; attribute, redrawn, property: the name of the secret column (federated: of the
	 * class, "" or NULL = the positive one, or the last), "" or NULL = the
	 * label, or the last column without one; "-" = the last column that is not the label */
	const char *(*secret)(const void *options);
	/* optional, federated: takes part in the training of world `world`, once a round, before
	 * guess.  Not called where the training has no rounds with a shared classifier.  *rows as
	 * in core/learn/insider.h. */
	iso_status (*join)(const void *options, void *state, size_t world, const iso_shared *shared,
			   iso_table **rows, iso_error *err);
} iso_attack;

size_t iso_attack_count(void);
const iso_attack *iso_attack_at(size_t i);
iso_status iso_attack_find(const char *name, const iso_attack **out, iso_error *err) ISO_MUST_CHECK;
/* Checks ABI and required slots (ISO_E_PLUGIN names the slot), then registers.  A shared object
 * exports `const iso_attack *iso_plugin_attack(void)`. */
iso_status iso_attack_register(const iso_attack *a, iso_error *err) ISO_MUST_CHECK;
const char *iso_goal_name(iso_goal g);
/* What a setting of the attack needs, and its knowledge code: "NB" where a setting asks for tables
 * only. */
uint32_t iso_attack_knows(const iso_attack *a, const void *options);
const char *iso_attack_knowledge(const iso_attack *a, const void *options);

#ifdef __cplusplus
}
#endif

#endif
