// SPDX-License-Identifier: Apache-2.0
#include "suites/referee/game.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "results/record.h"
#include "suites/referee/pool.h"
#include "suites/referee/targets.h"

struct iso_game {
	iso_game_setup setup;
	iso_table *targets;   /* of the membership game; NULL when there is none */
	iso_table *auxiliary; /* owned copy without the targets; NULL: the setup's own has none */
	uint8_t *truth;
	size_t n;
	size_t shared_members, shared_nonmembers;
	iso_pool *pool;			/* NULL without a request */
	iso_rowset synthetic, aux_rows; /* encoded when first asked for */
};

static const iso_game_type *const games[] = {
	[ISO_GOAL_MEMBERSHIP] = &iso_game_membership,
	[ISO_GOAL_ATTRIBUTE] = &iso_game_attribute,
	[ISO_GOAL_RECONSTRUCTION] = &iso_game_reconstruction,
	[ISO_GOAL_LINKAGE] = &iso_game_linkage,
	[ISO_GOAL_NEIGHBOUR] = &iso_game_neighbour,
	[ISO_GOAL_FEDERATED] = &iso_game_federated,
	[ISO_GOAL_REDRAWN] = &iso_game_redrawn,
	[ISO_GOAL_SINGLING_OUT] = &iso_game_singling_out,
	[ISO_GOAL_PROPERTY] = &iso_game_property,
	[ISO_GOAL_INVERSION] = &iso_game_inversion,
};

const iso_game_type *iso_game_of(iso_goal goal)
{
	return (size_t)goal < ISO_COUNT(games) ? games[goal] : NULL;
}

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
	if (st == ISO_OK && setup->request)
		st = iso_pool_new(setup->request, setup->store, &g->pool, err);
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
	iso_pool_free(g->pool);
	iso_rowset_free(&g->synthetic);
	iso_rowset_free(&g->aux_rows);
	iso_free(g->truth);
	iso_free(g);
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

const iso_game_setup *iso_game_rules(const iso_game *g)
{
	return &g->setup;
}

size_t iso_game_pairs(const iso_game *g)
{
	return g->n / 2;
}

iso_status iso_game_mix(const iso_game *g, iso_table **targets, uint8_t **truth, iso_error *err)
{
	uint32_t *row = iso_alloc(g->n, sizeof(*row));
	iso_status st;

	*targets = NULL;
	*truth = iso_alloc(g->n, 1);
	if (!row || !*truth) {
		iso_free(row);
		return iso_no_memory(err, "the targets");
	}
	memcpy(*truth, g->truth, g->n);
	for (size_t i = 0; i < g->n; i++)
		row[i] = (uint32_t)i;
	st = iso_table_select(g->targets, row, g->n, targets, err);
	iso_free(row);
	return st;
}

iso_status iso_game_train(iso_game *g, const iso_table *rows, uint64_t seed, const iso_model **out,
			  iso_error *err)
{
	ISO_FAIL_IF(!g->pool, err, ISO_E_UNSUPPORTED,
		    "the generator is not at hand, so no shadow can be trained");
	return iso_pool_train(g->pool, rows, seed, out, err);
}

iso_status iso_game_train_with(iso_game *g, const iso_table *rows, uint64_t seed,
			       const iso_insider *insider, const iso_model **out, iso_error *err)
{
	ISO_FAIL_IF(!g->pool, err, ISO_E_UNSUPPORTED,
		    "the generator is not at hand, so nothing can be trained");
	return iso_pool_train_with(g->pool, rows, seed, insider, out, err);
}

iso_status iso_game_draw(iso_game *g, const iso_model *m, uint64_t stream, size_t n,
			 iso_table **out, iso_error *err)
{
	return iso_pool_models(g->pool)->draw(m, stream, n, out, err);
}

static int guessable(const iso_column *c)
{
	return !iso_is_dropped(c) && c->type != ISO_PIXEL;
}

iso_status iso_game_secret(const iso_game *g, const iso_attack *a, const void *options, int *column,
			   iso_error *err)
{
	const iso_schema *s = g->setup.members->schema;
	const char *name = a->secret ? a->secret(options) : NULL;
	const int feature = name && !strcmp(name, "-");

	*column = -1;
	if (name && name[0] && !feature)
		*column = iso_schema_find(s, name);
	else if (s->label >= 0 && !feature)
		*column = s->label;
	else
		for (size_t c = s->ncol; *column < 0 && c-- > 0;)
			if (guessable(&s->column[c]) && (int)c != s->label)
				*column = (int)c;
	ISO_FAIL_IF(*column < 0 || !guessable(&s->column[*column]), err, ISO_E_UNSUPPORTED,
		    "not applicable: the secret column \"%s\" is not a column that can be guessed; "
		    "name a feature or the label",
		    name ? name : "");
	return ISO_OK;
}

iso_status iso_game_rank(const iso_deal *d, const iso_guess *guess, iso_roc *out, iso_error *err)
{
	double *score = iso_alloc(d->n, sizeof(*score));
	iso_status st;

	if (!score)
		return iso_no_memory(err, "attack scores");
	/* Ranked is what the record holds: its statistics can be computed again, to the bit. */
	for (size_t i = 0; i < d->n; i++)
		score[i] = iso_record_round(guess[i].score);
	st = iso_roc_of(score, d->truth, d->n, out, err);
	iso_free(score);
	return st;
}

void iso_deal_free(iso_deal *d)
{
	iso_table_free(d->targets);
	iso_table_free(d->partners);
	iso_table_free(d->rebuilt);
	iso_table_free(d->full);
	iso_free(d->truth);
	iso_free(d->secret);
	iso_free(d->group);
	iso_free(d->world);
	iso_free(d->predicate);
	iso_table_free(d->synthetic);
	*d = (iso_deal){.column = -1};
}

/* ------------------------------------------------------------------ what an attack may call */

typedef struct oracle {
	const iso_game *game;
	const iso_model *model; /* NULL: the victim's */
	iso_key key;		/* of this attack */
	uint64_t draws;		/* calls so far */
} oracle;

static iso_status oracle_draw(void *ctx, size_t n, iso_table **out, iso_error *err)
{
	oracle *o = ctx;
	const iso_game_setup *s = &o->game->setup;

	if (o->model)
		return iso_pool_models(o->game->pool)->draw(o->model, 1 + o->draws++, n, out, err);
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

static iso_status oracle_encode(void *ctx, const iso_table *rows, float *z, iso_error *err)
{
	const oracle *o = ctx;
	const iso_training *t = o->game->setup.training;

	return t->generator->encode(t->model, rows, z, err);
}

/* ------------------------------------------------------------------ one attack */

/* Why the attack cannot be made here, or NULL. */
static const char *obstacle(const iso_game *g, const iso_game_type *type, uint32_t knows)
{
	const iso_game_setup *s = &g->setup;
	const iso_generator *gen = s->training ? s->training->generator : NULL;

	if (type->control && (!s->nonmembers || s->nonmembers->n == 0))
		return "there are no non-members: the split has no hold-out";
	if (type->control && g->n == 0)
		return "every non-member equals a member, so membership is undefined here";
	if ((knows & ISO_KNOWS_AUXILIARY) && (!s->auxiliary || s->auxiliary->n == 0))
		return "there are no auxiliary rows: the split's share \"aux\" is 0";
	if (type->trains && (knows & (ISO_KNOWS_SCORE | ISO_KNOWS_LATENT)))
		return "the game trains models of its own, which are black boxes";
	if ((knows & (ISO_KNOWS_ORACLE | ISO_KNOWS_SCORE | ISO_KNOWS_LATENT)) && !gen &&
	    type->goal != ISO_GOAL_REDRAWN) /* where the game's own model is the oracle */
		return "the generator is not at hand, only its rows";
	if ((knows & ISO_KNOWS_SCORE) && !gen->score)
		return "the generator releases nothing that scores rows";
	if ((knows & ISO_KNOWS_LATENT) && (!gen->latent_dim || !gen->decode))
		return "the generator has no latent access";
	if (((knows & (ISO_KNOWS_SHADOW | ISO_KNOWS_ROUNDS)) || type->trains) && !s->request)
		return "the generator is not at hand, so no shadow can be trained";
	if (((knows & ISO_KNOWS_ROUNDS) || type->goal == ISO_GOAL_FEDERATED) &&
	    !(s->request->generator->accepts & (ISO_ACCEPTS_CLIENTS | ISO_REQUIRES_CLIENTS)))
		return "the training is not federated";
	return NULL;
}

static iso_status encode_once(const iso_table *t, iso_rowset *set, const iso_rowset **out,
			      iso_error *err)
{
	*out = NULL;
	if (!t)
		return ISO_OK;
	if (!set->x)
		ISO_TRY(iso_rowset_new(t, set, err));
	*out = set;
	return ISO_OK;
}

/* What the setting declares to know, and nothing else. */
static iso_status make_view(iso_game *g, const iso_deal *d, uint32_t knows, oracle *o,
			    iso_rowset *targets, iso_rowset *own, iso_encoded *enc,
			    iso_attack_view *v, iso_error *err)
{
	const iso_game_setup *s = &g->setup;

	*v = (iso_attack_view){.schema = s->members->schema,
			       .targets = d->targets,
			       .partners = d->partners,
			       .rebuilt = d->rebuilt,
			       .secret = d->column,
			       .encoded = enc,
			       .world = d->world,
			       .nworld = d->nworld,
			       .predicate = d->predicate,
			       .share = {d->share[0], d->share[1]},
			       .ctx = o,
			       .key = o->key};
	if (knows & ISO_KNOWS_SYNTHETIC)
		v->synthetic = d->synthetic ? d->synthetic : s->synthetic;
	if (knows & ISO_KNOWS_AUXILIARY)
		v->auxiliary = s->auxiliary;
	if (knows & ISO_KNOWS_ORACLE)
		v->draw = oracle_draw;
	if (knows & ISO_KNOWS_SCORE)
		v->score = oracle_score;
	if (knows & ISO_KNOWS_LATENT) {
		v->latent_dim = s->training->generator->latent_dim(s->training->model);
		v->decode = oracle_decode;
		v->encode = s->training->generator->encode ? oracle_encode : NULL;
	}
	if (knows & ISO_KNOWS_SHADOW || d->world)
		v->models = iso_pool_models(g->pool);
	ISO_TRY(encode_once(d->targets, targets, &enc->targets, err));
	ISO_TRY(encode_once(v->synthetic, d->synthetic ? own : &g->synthetic, &enc->synthetic,
			    err));
	ISO_TRY(encode_once(v->auxiliary, &g->aux_rows, &enc->auxiliary, err));
	return ISO_OK;
}

/* Nothing that the victim made. */
static iso_attack_view before_release(const iso_attack_view *v, iso_encoded *enc)
{
	iso_attack_view before = *v;

	*enc = *v->encoded;
	enc->synthetic = NULL;
	before.encoded = enc;
	before.synthetic = NULL;
	before.draw = NULL;
	before.score = NULL;
	before.decode = NULL;
	before.encode = NULL;
	before.latent_dim = 0;
	before.world = NULL;
	before.nworld = 0;
	return before;
}

static iso_status check_scores(const iso_attack *a, const iso_guess *guess, size_t n,
			       iso_error *err)
{
	for (size_t i = 0; i < n; i++)
		ISO_FAIL_IF(!isfinite(guess[i].score), err, ISO_E_PLUGIN,
			    "guess (%s): the score of target %zu is %g; an attack must score every "
			    "target with a finite number",
			    a->name, i, guess[i].score);
	return ISO_OK;
}

static iso_status ask(iso_game *g, const iso_game_type *type, const iso_attack *a,
		      const iso_attack_view *view, const void *options, iso_deal *d,
		      iso_guess *guess, iso_error *err)
{
	iso_encoded enc;
	void *state = NULL;
	iso_status st = ISO_OK;

	if (a->prepare) {
		const iso_attack_view before = before_release(view, &enc);

		st = a->prepare(&before, options, &state, err);
	}
	if (st != ISO_OK)
		return st;
	if (type->meet)
		st = type->meet(g, a, options, state, d, err);
	if (st == ISO_OK)
		st = a->guess(view, options, state, guess, err);
	if (a->destroy)
		a->destroy(state);
	return st;
}

static iso_status measures_new(const iso_output *outputs, iso_measures *m, iso_error *err)
{
	*m = (iso_measures){.outputs = outputs};
	while (outputs[m->n].key)
		m->n++;
	m->v = iso_alloc(m->n, sizeof(*m->v));
	if (!m->v)
		return iso_no_memory(err, "the outcome of a game");
	for (size_t i = 0; i < m->n; i++)
		m->v[i] = (iso_measure){.value = NAN, .low = NAN, .high = NAN};
	return ISO_OK;
}

static iso_status play(iso_game *g, const iso_attack *a, const char *label, const void *options,
		       iso_deal *d, iso_play *p, iso_error *err)
{
	oracle o = {.game = g,
		    .key = iso_key_child(iso_key_new(g->setup.seed, "attack"), label, 0)};
	iso_encoded enc = {0};
	iso_rowset targets = {0}, own = {0};
	iso_attack_view view;
	iso_status st;

	ISO_TRY(p->type->deal(g, a, options, d, err));
	p->n = d->n;
	p->guess = iso_alloc(d->n, sizeof(*p->guess));
	if (!p->guess)
		return iso_no_memory(err, "attack guesses");
	for (size_t i = 0; i < d->n; i++)
		p->guess[i] = (iso_guess){NAN, NAN};
	ISO_TRY(measures_new(p->type->outputs, &p->measures, err));
	o.model = d->model;
	st = make_view(g, d, iso_attack_knows(a, options), &o, &targets, &own, &enc, &view, err);
	if (st == ISO_OK)
		st = ask(g, p->type, a, &view, options, d, p->guess, err);
	iso_rowset_free(&targets);
	iso_rowset_free(&own);
	ISO_TRY(st);
	ISO_TRY(check_scores(a, p->guess, d->n, err));
	if (p->type->ranks)
		ISO_TRY(iso_game_rank(d, p->guess, &p->roc, err));
	return p->type->judge(g, d, p->guess, p, err);
}

iso_status iso_game_attack(iso_game *g, const iso_attack *a, const char *label, const void *options,
			   iso_play *out, iso_error *err)
{
	iso_deal d = {.column = -1};
	const char *why;
	iso_status st;

	*out = (iso_play){.type = iso_game_of(a->goal)};
	ISO_FAIL_IF(!out->type, err, ISO_E_PLUGIN, "attack (%s): its goal %d is not a game",
		    a->name, (int)a->goal);
	why = obstacle(g, out->type, iso_attack_knows(a, options));
	ISO_FAIL_IF(why, err, ISO_E_UNSUPPORTED, "not applicable (%s): %s", label, why);
	if (a->check)
		ISO_TRY(a->check(g->setup.members->schema, options, err));
	st = play(g, a, label, options, &d, out, err);
	if (st == ISO_OK) {
		out->truth = d.truth;
		d.truth = NULL;
	}
	iso_deal_free(&d);
	if (st != ISO_OK)
		iso_play_free(out);
	return st;
}

void iso_play_free(iso_play *p)
{
	iso_free(p->guess);
	iso_free(p->truth);
	iso_free(p->measures.v);
	*p = (iso_play){0};
}
