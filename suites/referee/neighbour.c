// SPDX-License-Identifier: Apache-2.0
/* In and out worlds: the victim's generator is trained again and again on the members without the
 * targets, to which every target is added with probability one half, independently (attacks.md
 * section 2.7).  One set of worlds serves all targets and all attacks; its models come from the
 * pool.  The attack says for each (world, target) how likely the target is in.
 *
 * Outliers are at the highest risk (Meeus et al. 2023), so half of the targets are the members with
 * the largest mean distance to their five nearest other members, the other half are drawn at random
 * from the rest; both have an area of their own. */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "suites/referee/game.h"

#define TARGETS 20	/* half of them the most isolated members, half drawn at random */
#define CANDIDATES 5000 /* members among which the isolated ones are looked for */
#define NEIGHBOURS 5
#define WORLDS 16

static const iso_output outputs[] = {
	{"auc", "AUC over worlds and targets", "", ISO_LOWER, 0, 1, 0.5,
	 "the targets of one world share a model: the interval is too narrow for a bound on "
	 "epsilon"},
	{"advantage", "advantage", "share", ISO_LOWER, 0, 1, 0, NULL},
	{"auc_worst", "AUC of the most exposed target", "share", ISO_LOWER, 0, 1, 0.5,
	 "the maximum over targets, without correction: never compare it with one half"},
	{"auc_isolated", "AUC over the most isolated targets", "share", ISO_LOWER, 0, 1, 0.5, NULL},
	{"auc_random", "AUC over targets drawn at random", "share", ISO_LOWER, 0, 1, 0.5, NULL},
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

/* Mean distance of each candidate to its nearest other candidates. */
static iso_status isolation(const iso_table *t, double *out, iso_error *err)
{
	double *dist = iso_alloc(t->n * NEIGHBOURS, sizeof(*dist));
	iso_rowset rows = {0};
	iso_status st = dist ? iso_rowset_new(t, &rows, err) : iso_no_memory(err, "isolated rows");

	if (st == ISO_OK)
		st = iso_pair_nearest(&rows, &rows, NEIGHBOURS, 1, dist, NULL, err);
	for (size_t i = 0; st == ISO_OK && i < t->n; i++)
		out[i] = iso_mean(dist + i * NEIGHBOURS, NEIGHBOURS);
	iso_rowset_free(&rows);
	iso_free(dist);
	return st;
}

/* Moves the `most` most isolated of the first n rows of order to its front. */
static iso_status isolated_first(const iso_table *members, uint32_t *order, size_t n, size_t most,
				 iso_error *err)
{
	double *score = iso_alloc(n, sizeof(*score));
	uint8_t *used = iso_alloc(n, 1);
	size_t *rank = iso_alloc(n, sizeof(*rank)), at = 0;
	uint32_t *copy = iso_alloc(n, sizeof(*copy));
	iso_table *t = NULL;
	iso_status st =
		score && used && rank && copy ? ISO_OK : iso_no_memory(err, "isolated rows");

	ISO_TRY_OUT(st);
	ISO_TRY_OUT(iso_table_select(members, order, n, &t, err));
	ISO_TRY_OUT(isolation(t, score, err));
	ISO_TRY_OUT(iso_argsort(score, n, rank, err));
	for (size_t i = 0; i < most; i++) {
		copy[at++] = order[rank[n - 1 - i]];
		used[rank[n - 1 - i]] = 1;
	}
	for (size_t i = 0; i < n; i++)
		if (!used[i])
			copy[at++] = order[i];
	memcpy(order, copy, n * sizeof(*order));
out:
	iso_free(score);
	iso_free(used);
	iso_free(rank);
	iso_free(copy);
	iso_table_free(t);
	return st;
}

/* order [n]: the targets first. */
static iso_status choose(const iso_game_setup *s, size_t k, uint32_t *order, iso_error *err)
{
	const size_t n = s->members->n, near = n < CANDIDATES ? n : CANDIDATES;
	iso_stream mix = iso_stream_new(iso_key_new(s->seed, "referee/worlds/targets"));

	for (size_t i = 0; i < n; i++)
		order[i] = (uint32_t)i;
	iso_shuffle(&mix, order, n);
	return near > NEIGHBOURS ? isolated_first(s->members, order, near, k / 2, err) : ISO_OK;
}

static iso_status deal(iso_game *g, const iso_attack *a, const void *options, iso_deal *d,
		       iso_error *err)
{
	const iso_game_setup *s = iso_game_rules(g);
	const size_t n = s->members->n, k = n / 4 < TARGETS ? n / 4 : TARGETS;
	uint32_t *order;
	iso_status st;

	(void)a;
	(void)options;
	ISO_FAIL_IF(k == 0, err, ISO_E_UNSUPPORTED, "too few members (%zu) for in and out worlds",
		    n);
	d->nworld = s->worlds ? s->worlds : WORLDS;
	d->n = d->nworld * k;
	d->truth = iso_alloc(d->n, 1);
	d->world = iso_alloc(d->nworld, sizeof(*d->world));
	order = iso_alloc(n, sizeof(*order));
	if (!d->truth || !d->world || !order) {
		iso_free(order);
		return iso_no_memory(err, "the worlds");
	}
	ISO_TRY_OUT(choose(s, k, order, err));
	ISO_TRY_OUT(iso_table_new(s->members->schema, k, &d->targets, err));
	for (size_t t = 0; t < k; t++)
		iso_table_copy_row(s->members, order[t], d->targets, t);
	ISO_TRY_OUT(train_worlds(g, order, k, d, err));
out:
	iso_free(order);
	return st;
}

/* The area over targets from .. to-1 of all worlds. */
static iso_status put_part(const iso_deal *d, const iso_guess *guess, size_t from, size_t to,
			   const char *key, iso_measures *m, iso_error *err)
{
	const size_t k = d->targets->n, each = to - from, n = d->nworld * each;
	double *score = iso_alloc(n, sizeof(*score));
	uint8_t *truth = iso_alloc(n, 1);
	iso_roc roc;
	size_t in = 0;
	iso_status st = score && truth ? ISO_OK : iso_no_memory(err, "the scores of targets");

	for (size_t i = 0; st == ISO_OK && i < n; i++) {
		const size_t at = i / each * k + from + i % each;

		score[i] = guess[at].score;
		truth[i] = d->truth[at];
		in += truth[i];
	}
	if (st == ISO_OK && (in == 0 || in == n)) {
		st = iso_measure_undefined(m, key, "no target is in one world and out of another",
					   err);
	} else if (st == ISO_OK) {
		st = iso_roc_of(score, truth, n, &roc, err);
		if (st == ISO_OK)
			st = iso_measure_set(m, key, roc.auc, roc.low, roc.high, err);
	}
	iso_free(score);
	iso_free(truth);
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
	const size_t k = d->targets->n;
	double worst;

	(void)g;
	ISO_TRY(put_part(d, guess, 0, k / 2, "auc_isolated", &p->measures, err));
	ISO_TRY(put_part(d, guess, k / 2, k, "auc_random", &p->measures, err));
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
	.trains = 1,
	.title = "In and out worlds",
	.ranks = 1,
	.outputs = outputs,
	.deal = deal,
	.judge = judge,
};
