// SPDX-License-Identifier: Apache-2.0
#include "suites/game.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "suites/referee/targets.h"

struct iso_game {
	iso_game_setup setup;
	iso_table *targets;   /* NULL when there is no membership game */
	iso_table *auxiliary; /* owned copy without the targets; NULL: the setup's own has none */
	uint8_t *truth;
	size_t n;
	size_t shared_members, shared_nonmembers;
};

/* ------------------------------------------------------------------ targets */

/* Mixes the pairs; the position in the mixture is all that an attack sees. */
static iso_status fill_targets(iso_game *g, iso_key key, const iso_targets *t, iso_error *err)
{
	const iso_game_setup *s = &g->setup;
	iso_stream mix = iso_stream_new(iso_key_child(key, "mix", 0));
	const size_t m = t->n;
	uint32_t *place = iso_alloc(2 * m, sizeof(*place));
	iso_status st;

	g->truth = iso_alloc(2 * m, 1);
	st = place && g->truth ? iso_table_new(s->members->schema, 2 * m, &g->targets, err)
			       : iso_no_memory(err, "the targets");
	if (st == ISO_OK) {
		g->n = 2 * m;
		for (size_t i = 0; i < 2 * m; i++)
			place[i] = (uint32_t)i;
		iso_shuffle(&mix, place, 2 * m);
		for (size_t i = 0; i < m; i++) {
			iso_table_copy_row(s->members, t->member[i], g->targets, place[i]);
			iso_table_copy_row(s->nonmembers, t->nonmember[i], g->targets,
					   place[m + i]);
			g->truth[place[i]] = 1;
		}
	}
	iso_free(place);
	return st;
}

static iso_status choose_targets(iso_game *g, iso_error *err)
{
	const iso_game_setup *s = &g->setup;
	const iso_key key = iso_key_new(s->seed, "referee/targets");
	iso_targets t;
	iso_status st;

	ISO_TRY(iso_targets_choose(s->members, s->nonmembers, s->dedup, s->max_targets, key, &t,
				   err));
	g->shared_members = t.shared_members;
	g->shared_nonmembers = t.shared_nonmembers;
	st = t.n ? fill_targets(g, key, &t, err) : ISO_OK;
	iso_targets_free(&t);
	return st;
}

/* The attacker's own rows hold no target. */
static iso_status hide_targets(iso_game *g, iso_error *err)
{
	const iso_table *aux = g->setup.auxiliary;
	uint32_t *row;
	size_t n;
	iso_status st = ISO_OK;

	if (!g->setup.dedup || !aux || !g->n)
		return ISO_OK;
	ISO_TRY(iso_rows_without(aux, g->targets, &row, &n, err));
	if (n < aux->n) {
		st = iso_table_select(aux, row, n, &g->auxiliary, err);
		g->setup.auxiliary = g->auxiliary;
	}
	iso_free(row);
	return st;
}

iso_status iso_game_new(const iso_game_setup *setup, iso_game **out, iso_error *err)
{
	iso_game *g = iso_alloc(1, sizeof(*g));
	iso_status st = ISO_OK;

	*out = NULL;
	if (!g)
		return iso_no_memory(err, "the referee");
	g->setup = *setup;
	if (setup->nonmembers && setup->nonmembers->n && setup->members->n)
		st = choose_targets(g, err);
	if (st == ISO_OK)
		st = hide_targets(g, err);
	if (st != ISO_OK) {
		iso_game_free(g);
		return st;
	}
	*out = g;
	return ISO_OK;
}

void iso_game_free(iso_game *g)
{
	if (!g)
		return;
	iso_table_free(g->targets);
	iso_table_free(g->auxiliary);
	iso_free(g->truth);
	iso_free(g);
}

size_t iso_game_targets(const iso_game *g)
{
	return g->n;
}

int iso_game_note(const iso_game *g, char *text, size_t size)
{
	const iso_game_setup *s = &g->setup;

	if (!g->shared_nonmembers)
		return 0;
	snprintf(text, size,
		 "equal rows: %zu of %zu non-members equal a member (and %zu of %zu members a "
		 "non-member); such values are targets of attacks on neither side, which leaves "
		 "%zu members and %zu non-members",
		 g->shared_nonmembers, s->nonmembers->n, g->shared_members, s->members->n, g->n / 2,
		 g->n / 2);
	return 1;
}

const uint8_t *iso_game_truth(const iso_game *g)
{
	return g->truth;
}

/* ------------------------------------------------------------------ what an attack may call */

typedef struct oracle {
	const iso_game *game;
	iso_key key;		 /* of this attack */
	uint64_t draws, shadows; /* calls so far */
} oracle;

static iso_status oracle_draw(void *ctx, size_t n, iso_table **out, iso_error *err)
{
	oracle *o = ctx;
	const iso_game_setup *s = &o->game->setup;

	return iso_training_sample(s->training, s->members->schema,
				   iso_key_child(o->key, "draw", o->draws++).k, n, out, err);
}

static iso_status oracle_score(void *ctx, const iso_table *rows, double *out, iso_error *err)
{
	const oracle *o = ctx;

	return iso_training_score(o->game->setup.training, rows, out, err);
}

static iso_status oracle_decode(void *ctx, const float *z, const uint32_t *label, size_t n,
				iso_table *out, iso_error *err)
{
	const oracle *o = ctx;
	const iso_training *t = o->game->setup.training;

	return t->generator->decode(t->model, z, label, n, out, err);
}

/* The rows per class of the attacker's own table, when the victim was told its own. */
static iso_status count_classes(const iso_table *t, size_t **out, iso_error *err)
{
	const size_t classes = iso_schema_classes(t->schema);

	*out = iso_alloc(classes, sizeof(**out));
	if (!*out)
		return iso_no_memory(err, "a shadow training");
	for (size_t r = 0; r < t->n; r++) {
		size_t c = iso_table_label(t, r);

		if (c < classes)
			(*out)[c]++;
	}
	return ISO_OK;
}

static iso_status oracle_shadow(void *ctx, const iso_table *train, uint64_t seed, size_t n,
				iso_table **out, iso_error *err)
{
	oracle *o = ctx;
	iso_training_request r = *o->game->setup.request;
	const iso_key key =
		iso_key_child(iso_key_child(o->key, "shadow", seed), "call", o->shadows++);
	iso_training t;
	size_t *counts = NULL;
	iso_status st;

	r.train = train;
	r.n = 0;
	r.scale = 0; /* other rows, another plan */
	r.seed = key.k;
	r.progress = NULL;
	r.curve = NULL;
	r.replay = NULL;
	if (r.class_count) {
		ISO_TRY(count_classes(train, &counts, err));
		r.class_count = counts;
	}
	st = iso_train(&r, &t, err);
	if (st == ISO_OK) {
		st = iso_training_sample(&t, train->schema, key.k, n, out, err);
		iso_training_free(&t);
	}
	iso_free(counts);
	return st;
}

/* ------------------------------------------------------------------ one attack */

/* Why the attack cannot be made here, or NULL. */
static const char *obstacle(const iso_game *g, const iso_attack *a, uint32_t knows)
{
	const iso_game_setup *s = &g->setup;
	const iso_generator *gen = s->training ? s->training->generator : NULL;

	if (a->goal != ISO_GOAL_MEMBERSHIP)
		return "the referee plays membership games only";
	if (!s->nonmembers || s->nonmembers->n == 0)
		return "there are no non-members: the split has no hold-out";
	if (g->n == 0)
		return "every non-member equals a member, so membership is undefined here";
	if ((knows & ISO_KNOWS_AUXILIARY) && (!s->auxiliary || s->auxiliary->n == 0))
		return "there are no auxiliary rows: the split's share \"aux\" is 0";
	if ((knows & (ISO_KNOWS_ORACLE | ISO_KNOWS_SCORE | ISO_KNOWS_LATENT)) && !gen)
		return "the generator is not at hand, only its rows";
	if ((knows & ISO_KNOWS_SCORE) && !gen->score)
		return "the generator releases nothing that scores rows";
	if ((knows & ISO_KNOWS_LATENT) && (!gen->latent_dim || !gen->decode))
		return "the generator has no latent access";
	if ((knows & ISO_KNOWS_SHADOW) && !s->request)
		return "the generator is not at hand, so no shadow can be trained";
	return NULL;
}

/* What the setting declares to know, and nothing else. */
static iso_attack_view make_view(const iso_game *g, uint32_t knows, oracle *o)
{
	const iso_game_setup *s = &g->setup;
	iso_attack_view v = {
		.schema = s->members->schema, .targets = g->targets, .ctx = o, .key = o->key};

	if (knows & ISO_KNOWS_SYNTHETIC)
		v.synthetic = s->synthetic;
	if (knows & ISO_KNOWS_AUXILIARY)
		v.auxiliary = s->auxiliary;
	if (knows & ISO_KNOWS_ORACLE)
		v.draw = oracle_draw;
	if (knows & ISO_KNOWS_SCORE)
		v.score = oracle_score;
	if (knows & ISO_KNOWS_LATENT) {
		v.latent_dim = s->training->generator->latent_dim(s->training->model);
		v.decode = oracle_decode;
	}
	if (knows & ISO_KNOWS_SHADOW)
		v.shadow = oracle_shadow;
	return v;
}

static iso_status check_scores(const iso_attack *a, const double *score, size_t n, iso_error *err)
{
	for (size_t i = 0; i < n; i++)
		ISO_FAIL_IF(!isfinite(score[i]), err, ISO_E_PLUGIN,
			    "score (%s): target %zu has %g; an attack must score every target with "
			    "a finite number",
			    a->name, i, score[i]);
	return ISO_OK;
}

iso_status iso_game_attack(const iso_game *g, const iso_attack *a, const char *label,
			   const void *options, double *score, iso_roc *roc, iso_error *err)
{
	oracle o = {.game = g,
		    .key = iso_key_child(iso_key_new(g->setup.seed, "attack"), label, 0)};
	const uint32_t knows = iso_attack_knows(a, options);
	const char *why = obstacle(g, a, knows);
	iso_attack_view view;
	void *state = NULL;
	iso_status st = ISO_OK;

	ISO_FAIL_IF(why, err, ISO_E_UNSUPPORTED, "not applicable (%s): %s", label, why);
	if (a->check)
		ISO_TRY(a->check(g->setup.members->schema, options, err));
	view = make_view(g, knows, &o);
	for (size_t i = 0; i < g->n; i++)
		score[i] = NAN;
	if (a->prepare) {
		iso_attack_view before = view;

		before.synthetic = NULL;
		st = a->prepare(&before, options, &state, err);
	}
	if (st == ISO_OK) {
		st = a->score(&view, options, state, score, err);
		if (a->destroy)
			a->destroy(state);
	}
	ISO_TRY(st);
	ISO_TRY(check_scores(a, score, g->n, err));
	return iso_roc_of(score, g->truth, g->n, roc, err);
}
