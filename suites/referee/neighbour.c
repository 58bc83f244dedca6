// SPDX-License-Identifier: Apache-2.0
/* In and out worlds: the victim's generator is trained again and again on the members without the
 * targets, to which every target is added with probability one half, independently (attacks.md
 * section 2.7).  One set of worlds serves all targets and all attacks; its models come from the
 * pool.  The attack says for each (world, target) how likely the target is in. */
#include <math.h>

#include "core/base/alloc.h"
#include "suites/referee/game.h"

#define TARGETS \
	20 /* half from the most isolated rows would be kinder to the attack; random here \
	    */
#define WORLDS 16

static const iso_output outputs[] = {
	{"auc", "AUC over worlds and targets", "", ISO_LOWER, 0, 1, 0.5,
	 "the targets of one world share a model: the interval is too narrow for a bound on "
	 "epsilon"},
	{"advantage", "advantage", "share", ISO_LOWER, 0, 1, 0, NULL},
	{"auc_worst", "AUC of the most exposed target", "share", ISO_LOWER, 0, 1, 0.5,
	 "the maximum over targets, without correction: never compare it with one half"},
	{0}};

static iso_status world_rows(const iso_game_setup *s, const uint32_t *order, size_t k,
			     const uint8_t *in, iso_table **out, iso_error *err)
{
	uint32_t *row = iso_alloc(s->members->n, sizeof(*row));
	size_t n = 0;
	iso_status st;

	if (!row)
		return iso_no_memory(err, "a world");
	for (size_t i = k; i < s->members->n; i++)
		row[n++] = order[i];
	for (size_t t = 0; t < k; t++)
		if (in[t])
			row[n++] = order[t];
	st = iso_table_select(s->members, row, n, out, err);
	iso_free(row);
	return st;
}

static iso_status train_worlds(iso_game *g, const uint32_t *order, size_t k, iso_deal *d,
			       iso_error *err)
{
	const iso_game_setup *s = iso_game_rules(g);
	iso_stream coin = iso_stream_new(iso_key_new(s->seed, "referee/worlds"));

	for (size_t w = 0; w < d->nworld; w++) {
		uint8_t *in = d->truth + w * k;
		iso_table *rows;
		iso_status st;

		for (size_t t = 0; t < k; t++)
			in[t] = (uint8_t)iso_next_below(&coin, 2);
		ISO_TRY(world_rows(s, order, k, in, &rows, err));
		st = iso_game_train(g, rows, w, &d->world[w], err);
		iso_table_free(rows);
		ISO_TRY(st);
	}
	return ISO_OK;
}

static iso_status deal(iso_game *g, const iso_attack *a, const void *options, iso_deal *d,
		       iso_error *err)
{
	const iso_game_setup *s = iso_game_rules(g);
	const size_t n = s->members->n, k = n / 4 < TARGETS ? n / 4 : TARGETS;
	iso_stream mix = iso_stream_new(iso_key_new(s->seed, "referee/worlds/targets"));
	uint32_t *order = iso_alloc(n, sizeof(*order));
	iso_status st = order ? ISO_OK : iso_no_memory(err, "the targets");

	(void)a;
	(void)options;
	d->nworld = s->worlds ? s->worlds : WORLDS;
	d->n = d->nworld * k;
	d->truth = iso_alloc(d->n, 1);
	d->world = iso_alloc(d->nworld, sizeof(*d->world));
	if (st == ISO_OK && (!d->truth || !d->world))
		st = iso_no_memory(err, "the worlds");
	if (st == ISO_OK && k == 0)
		st = iso_fail(err, ISO_E_UNSUPPORTED, "too few members (%zu) for in and out worlds",
			      n);
	if (st == ISO_OK) {
		for (size_t i = 0; i < n; i++)
			order[i] = (uint32_t)i;
		iso_shuffle(&mix, order, n);
		st = iso_table_new(s->members->schema, k, &d->targets, err);
	}
	for (size_t t = 0; st == ISO_OK && t < k; t++)
		iso_table_copy_row(s->members, order[t], d->targets, t);
	if (st == ISO_OK)
		st = train_worlds(g, order, k, d, err);
	iso_free(order);
	return st;
}

static iso_status worst_target(const iso_deal *d, const iso_guess *guess, double *worst,
			       iso_error *err)
{
	const size_t k = d->targets->n;
	double *score = iso_alloc(d->nworld, sizeof(*score));
	uint8_t *truth = iso_alloc(d->nworld, 1);

	*worst = NAN;
	if (!score || !truth) {
		iso_free(score);
		iso_free(truth);
		return iso_no_memory(err, "the scores of a target");
	}
	for (size_t t = 0; t < k; t++) {
		size_t in = 0;

		for (size_t w = 0; w < d->nworld; w++) {
			score[w] = guess[w * k + t].score;
			truth[w] = d->truth[w * k + t];
			in += truth[w];
		}
		if (in && in < d->nworld)
			*worst = fmax(isnan(*worst) ? 0 : *worst, iso_auc(score, truth, d->nworld));
	}
	iso_free(score);
	iso_free(truth);
	return ISO_OK;
}

static iso_status judge(const iso_game *g, const iso_deal *d, const iso_guess *guess, iso_play *p,
			iso_error *err)
{
	double worst;

	(void)g;
	ISO_TRY(worst_target(d, guess, &worst, err));
	ISO_TRY(iso_measure_set(&p->measures, "auc", p->roc.auc, p->roc.low, p->roc.high, err));
	ISO_TRY(iso_measure_set(&p->measures, "advantage", p->roc.advantage, NAN, NAN, err));
	if (isnan(worst))
		return iso_measure_undefined(&p->measures, "auc_worst",
					     "no target is in one world and out of another", err);
	return iso_measure_set(&p->measures, "auc_worst", worst, NAN, NAN, err);
}

const iso_game_type iso_game_neighbour = {
	.goal = ISO_GOAL_NEIGHBOUR,
	.title = "In and out worlds",
	.ranks = 1,
	.outputs = outputs,
	.deal = deal,
	.judge = judge,
};
