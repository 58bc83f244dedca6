// SPDX-License-Identifier: Apache-2.0
#include "suites/game.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

struct iso_game {
	iso_game_setup setup;
	iso_table *targets; /* NULL when there is no membership game */
	uint8_t *truth;
	size_t n;
};

/* ------------------------------------------------------------------ targets */

/* FNV-1a over what a row says: cells and pixels, not its identity. */
static uint64_t row_hash(const iso_table *t, size_t r)
{
	uint64_t h = 14695981039346656037u;
	const uint8_t *bytes;

	for (size_t c = 0; c < t->schema->ncol; c++) {
		double x = t->cells[r * t->schema->ncol + c];

		if (t->schema->column[c].role == ISO_ID)
			continue;
		x = isnan(x) ? -1e308
		    : x == 0 ? 0
			     : x; /* one bit pattern for "missing", one for zero */
		bytes = (const uint8_t *)&x;
		for (size_t i = 0; i < sizeof(x); i++)
			h = (h ^ bytes[i]) * 1099511628211u;
	}
	for (size_t i = 0; t->pixels && i < t->schema->npixel; i++)
		h = (h ^ t->pixels[r * t->schema->npixel + i]) * 1099511628211u;
	return h;
}

static int compare_u64(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Non-members that may be targets: rows[n], in order. */
static iso_status candidates(const iso_game_setup *s, uint32_t *rows, size_t *n, iso_error *err)
{
	uint64_t *seen = NULL;

	*n = 0;
	if (s->dedup) {
		seen = iso_alloc(s->members->n, sizeof(*seen));
		if (!seen)
			return iso_no_memory(err, "the targets");
		for (size_t r = 0; r < s->members->n; r++)
			seen[r] = row_hash(s->members, r);
		qsort(seen, s->members->n, sizeof(*seen), compare_u64);
	}
	for (size_t r = 0; r < s->nonmembers->n; r++) {
		uint64_t h = s->dedup ? row_hash(s->nonmembers, r) : 0;

		if (!s->dedup || !bsearch(&h, seen, s->members->n, sizeof(*seen), compare_u64))
			rows[(*n)++] = (uint32_t)r;
	}
	iso_free(seen);
	return ISO_OK;
}

/* Draws m members and m non-members, mixes them; position in the mixture is all that an attack
 * sees. */
static iso_status fill_targets(iso_game *g, uint32_t *in, uint32_t *out, uint32_t *place,
			       size_t nout, iso_error *err)
{
	const iso_game_setup *s = &g->setup;
	const iso_key key = iso_key_new(s->seed, "referee/targets");
	iso_stream members = iso_stream_new(iso_key_child(key, "members", 0));
	iso_stream others = iso_stream_new(iso_key_child(key, "non-members", 0));
	iso_stream mix = iso_stream_new(iso_key_child(key, "mix", 0));
	size_t m = s->members->n < nout ? s->members->n : nout;

	m = m < s->max_targets ? m : s->max_targets;
	if (m == 0)
		return ISO_OK;
	ISO_TRY(iso_table_new(s->members->schema, 2 * m, &g->targets, err));
	g->truth = iso_alloc(2 * m, 1);
	if (!g->truth)
		return iso_no_memory(err, "the targets");
	g->n = 2 * m;
	for (size_t i = 0; i < s->members->n; i++)
		in[i] = (uint32_t)i;
	for (size_t i = 0; i < 2 * m; i++)
		place[i] = (uint32_t)i;
	iso_shuffle(&members, in, s->members->n);
	iso_shuffle(&others, out, nout);
	iso_shuffle(&mix, place, 2 * m);
	for (size_t i = 0; i < m; i++) {
		iso_table_copy_row(s->members, in[i], g->targets, place[i]);
		iso_table_copy_row(s->nonmembers, out[i], g->targets, place[m + i]);
		g->truth[place[i]] = 1;
	}
	return ISO_OK;
}

static iso_status choose_targets(iso_game *g, iso_error *err)
{
	const iso_game_setup *s = &g->setup;
	uint32_t *in = iso_alloc(s->members->n, sizeof(*in));
	uint32_t *out = iso_alloc(s->nonmembers->n, sizeof(*out));
	uint32_t *place = iso_alloc(2 * s->nonmembers->n, sizeof(*place));
	size_t nout = 0;
	iso_status st = ISO_E_NOMEM;

	if (in && out && place)
		st = candidates(s, out, &nout, err);
	else
		(void)iso_no_memory(err, "the targets");
	if (st == ISO_OK)
		st = fill_targets(g, in, out, place, nout, err);
	iso_free(in);
	iso_free(out);
	iso_free(place);
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
	iso_free(g->truth);
	iso_free(g);
}

size_t iso_game_targets(const iso_game *g)
{
	return g->n;
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
	if (g->n == 0)
		return "there are no non-members: the split has no hold-out";
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
