// SPDX-License-Identifier: Apache-2.0
/* THE CONTRACT of attacks.
 *
 * An attack returns scores; it never sees the truth and never computes its success: the referee
 * (suites/game.c) holds members, non-members and auxiliary rows, shuffles the targets, and one
 * place computes AUC, intervals and TPRs for all. The view holds only what `knows` declares;
 * everything else is NULL.
 */
#ifndef ISO_ATTACKS_ATTACK_H
#define ISO_ATTACKS_ATTACK_H

#include "core/data/encode.h"
#include "core/data/table.h"
#include "core/io/options.h"
#include "core/rand/rand.h"

#define ISO_ATTACK_ABI 1

typedef enum iso_goal {
	ISO_GOAL_MEMBERSHIP,
	ISO_GOAL_ATTRIBUTE,
	ISO_GOAL_RECONSTRUCTION,
	ISO_GOAL_LINKAGE,
	ISO_GOAL_FEDERATED
} iso_goal;

enum {				/* knows; the public schema always */
       ISO_KNOWS_SYNTHETIC = 1, /* the released table */
       ISO_KNOWS_AUXILIARY = 2, /* rows of the population, disjoint from members and targets */
       ISO_KNOWS_ORACLE = 4,	/* may sample the generator without limit */
       ISO_KNOWS_SCORE = 8,	/* white-box: the model's score slot */
       ISO_KNOWS_LATENT = 16,	/* white-box: encode/decode slots */
       ISO_KNOWS_SHADOW = 32	/* may train the same generator on own rows */
};

/* What the referee lets the attack see. All borrowed; NULL = not known. */
typedef struct iso_attack_view {
	const iso_schema *schema;
	const iso_table *synthetic;
	const iso_table *auxiliary;
	const iso_table *targets; /* the candidates, shuffled; ids are positions, not identities */
	/* oracle: n fresh rows, deterministic in (cell seed, call number); the caller frees *out */
	iso_status (*draw)(void *ctx, size_t n, iso_table **out, iso_error *err);
	/* white-box score of rows, larger = more real; NULL when the generator has no such slot */
	iso_status (*score)(void *ctx, const iso_table *rows, double *out, iso_error *err);
	/* white-box: decode latent z [n][latent_dim] */
	size_t latent_dim;
	iso_status (*decode)(void *ctx, const float *z, const uint32_t *label, size_t n,
			     iso_table *out, iso_error *err);
	/* train the same generator with the same options on `train` and draw n rows */
	iso_status (*shadow)(void *ctx, const iso_table *train, uint64_t seed, size_t n,
			     iso_table **out, iso_error *err);
	void *ctx;
	iso_key key; /* the attack's own randomness */
} iso_attack_view;

typedef struct iso_attack {
	uint32_t abi;				    /* required */
	const char *name, *title, *citation, *card; /* required */
	iso_goal goal;
	uint32_t knows;
	uint32_t version;
	const char *knowledge; /* required: "NB", "FBB", "PBB", "WB", "SH" (attacks.md section 0) */
	/* optional; default: `knows` for every setting.  What this setting needs: a subset of
	 * `knows`. */
	uint32_t (*knows_of)(const void *options);
	const iso_option *options;
	size_t options_size;
	/* optional; default: accept. ISO_E_UNSUPPORTED makes the runner record "not applicable"
	 * with the reason. */
	iso_status (*check)(const iso_schema *s, const void *options, iso_error *err);
	/* optional; default: state NULL.  View without the synthetic table: training of shadows,
	 * densities of auxiliary rows. */
	iso_status (*prepare)(const iso_attack_view *view, const void *options, void **state,
			      iso_error *err);
	/* required.  score[i]: larger = target i more likely a member (or the statement more likely
	 * true); finite. */
	iso_status (*score)(const iso_attack_view *view, const void *options, void *state,
			    double *score, iso_error *err);
	/* required iff prepare */
	void (*destroy)(void *state);
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

#endif
