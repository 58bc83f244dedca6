// SPDX-License-Identifier: Apache-2.0
/* Property inference: half of the worlds' training rows hold a group (category 1 of a column) with
 * a share of one quarter, half with three quarters; which are which?  (Ganju et al. 2018; "model
 * classification" in section 6.5 of the survey of private synthetic data.)  Worlds are equally
 * large draws without replacement from the members.  Differential privacy hides rows, not shares:
 * success here is no violation. */
#include <math.h>

#include "core/base/alloc.h"
#include "suites/referee/game.h"

#define WORLDS 16
#define LOW 0.25
#define HIGH 0.75

static const iso_output outputs[] = {
	{"auc", "AUC over worlds", "", ISO_LOWER, 0, 1, 0.5,
	 "a share is a fact about the table, which differential privacy of rows does not hide"},
	{"accuracy", "worlds told at the median score", "share", ISO_LOWER, 0, 1, 0.5, NULL},
	{0}};

/* Rows of the group first in row[], the others behind; returns how many of each. */
static void sides(const iso_table *t, size_t c, uint32_t *row[2], size_t n[2])
{
	n[0] = n[1] = 0;
	for (size_t r = 0; r < t->n; r++) {
		const int in = iso_table_cell(t, r, c) == 1;

		row[in][n[in]++] = (uint32_t)r;
	}
}

static iso_status one_world(iso_game *g, uint32_t *row[2], const size_t n[2], double share,
			    size_t w, const iso_model **out, iso_error *err)
{
	const iso_game_setup *s = iso_game_rules(g);
	const size_t least = n[0] < n[1] ? n[0] : n[1];
	const size_t size = (size_t)((double)least / HIGH), in = (size_t)((double)size * share);
	iso_stream mix =
		iso_stream_new(iso_key_child(iso_key_new(s->seed, "referee/property"), "rows", w));
	uint32_t *chosen = iso_alloc(size, sizeof(*chosen));
	iso_table *rows = NULL;
	iso_status st;

	if (!chosen)
		return iso_no_memory(err, "a world");
	iso_shuffle(&mix, row[0], n[0]);
	iso_shuffle(&mix, row[1], n[1]);
	for (size_t i = 0; i < size; i++)
		chosen[i] = i < in ? row[1][i] : row[0][i - in];
	iso_shuffle(&mix, chosen, size);
	st = iso_table_select(s->members, chosen, size, &rows, err);
	if (st == ISO_OK)
		st = iso_game_train(g, rows, w, out, err);
	iso_table_free(rows);
	iso_free(chosen);
	return st;
}

static iso_status train_worlds(iso_game *g, iso_deal *d, iso_error *err)
{
	const iso_game_setup *s = iso_game_rules(g);
	iso_stream coin = iso_stream_new(iso_key_new(s->seed, "referee/property/coins"));
	uint32_t *row[2] = {iso_alloc(s->members->n, sizeof(uint32_t)),
			    iso_alloc(s->members->n, sizeof(uint32_t))};
	size_t n[2];
	iso_status st = row[0] && row[1] ? ISO_OK : iso_no_memory(err, "worlds");

	if (st == ISO_OK)
		sides(s->members, (size_t)d->column, row, n);
	if (st == ISO_OK && (n[0] < 8 || n[1] < 8))
		st = iso_fail(err, ISO_E_UNSUPPORTED,
			      "not applicable: column \"%s\" has %zu members of its second "
			      "category and %zu others; 8 of each are needed",
			      s->members->schema->column[d->column].name, n[1], n[0]);
	for (size_t w = 0; st == ISO_OK && w < d->nworld; w++) {
		/* in pairs, one of each */
		d->truth[w] = w % 2 ? !d->truth[w - 1] : (uint8_t)iso_next_below(&coin, 2);
		st = one_world(g, row, n, d->share[d->truth[w]], w, &d->world[w], err);
	}
	iso_free(row[0]);
	iso_free(row[1]);
	return st;
}

static iso_status deal(iso_game *g, const iso_attack *a, const void *options, iso_deal *d,
		       iso_error *err)
{
	const iso_game_setup *s = iso_game_rules(g);
	int c;

	ISO_TRY(iso_game_secret(g, a, options, &c, err));
	ISO_FAIL_IF(!iso_is_discrete(&s->members->schema->column[c]), err, ISO_E_UNSUPPORTED,
		    "not applicable: the column \"%s\" has no categories; name another",
		    s->members->schema->column[c].name);
	d->column = c;
	d->share[0] = LOW;
	d->share[1] = HIGH;
	d->nworld = s->worlds > 1 ? s->worlds & ~(size_t)1 : WORLDS;
	d->n = d->nworld;
	d->truth = iso_alloc(d->n, 1);
	d->world = iso_alloc(d->nworld, sizeof(*d->world));
	if (!d->truth || !d->world)
		return iso_no_memory(err, "the worlds");
	/* no rows to ask about: one blank row, so that a guess is a world's */
	ISO_TRY(iso_table_new(s->members->schema, 1, &d->targets, err));
	for (size_t i = 0; i < s->members->schema->ncol; i++)
		d->targets->cells[i] = NAN;
	return train_worlds(g, d, err);
}

static iso_status judge(const iso_game *g, const iso_deal *d, const iso_guess *guess, iso_play *p,
			iso_error *err)
{
	(void)g;
	(void)d;
	(void)guess;
	ISO_TRY(iso_measure_set(&p->measures, "auc", p->roc.auc, p->roc.low, p->roc.high, err));
	return iso_measure_set(&p->measures, "accuracy", p->roc.bal_acc_median, NAN, NAN, err);
}

const iso_game_type iso_game_property = {
	.goal = ISO_GOAL_PROPERTY,
	.title = "Property inference",
	.ranks = 1,
	.trains = 1,
	.outputs = outputs,
	.deal = deal,
	.judge = judge,
};
