// SPDX-License-Identifier: Apache-2.0
/* Re-drawn secrets: in up to 1,000 members the secret column is drawn anew, uniformly and
 * independent of everything else; the victim's generator is trained on them, and the attack guesses
 * the secrets from all other columns and the rows that this model releases (the stricter game of
 * TAPAS, Houssiau et al. 2022; the formal game of Annamalai, Gadotti & Rocher 2024, section 3).
 *
 * No regularity of the population says anything about such a secret, so chance is exactly one in as
 * many as there are categories, and every success beyond it is what the release tells about these
 * very rows.  Rows share one model: the interval is that of independent rows. */
#include <math.h>

#include "core/base/alloc.h"
#include "suites/referee/game.h"

#define MOST 1000

static const iso_output outputs[] = {
	{"main", "secrets guessed", "share", ISO_LOWER, 0, 1, NAN, NULL},
	{"chance", "guessed by chance", "share", ISO_NEITHER, 0, 1, NAN,
	 "exact: the secrets were drawn uniformly"},
	{"risk", "beyond chance", "share", ISO_LOWER, 0, 1, 0,
	 "(main - chance) / (1 - chance): individual leakage, since nothing in the population says "
	 "anything about a secret that was drawn anew"},
	{"auc", "AUC of a binary secret", "", ISO_LOWER, 0, 1, 0.5, NULL},
	{0}};

static iso_status redraw(const iso_game_setup *s, int c, iso_deal *d, iso_error *err)
{
	const size_t ncol = s->members->schema->ncol, k = s->members->schema->column[c].ncategory;
	iso_stream coin = iso_stream_new(iso_key_new(s->seed, "referee/redrawn/secrets"));

	d->secret = iso_alloc(d->n, sizeof(*d->secret));
	d->truth = iso_alloc(d->n, 1);
	if (!d->secret || !d->truth)
		return iso_no_memory(err, "the secrets");
	for (size_t i = 0; i < d->n; i++) {
		d->secret[i] = (double)iso_next_below(&coin, k);
		d->truth[i] = d->secret[i] == 1;
		d->full->cells[i * ncol + (size_t)c] = d->secret[i];
		d->targets->cells[i * ncol + (size_t)c] = NAN;
	}
	return ISO_OK;
}

static iso_status choose(const iso_game_setup *s, iso_deal *d, iso_error *err)
{
	const size_t n = s->members->n;
	iso_stream mix = iso_stream_new(iso_key_new(s->seed, "referee/redrawn"));
	uint32_t *row = iso_alloc(n, sizeof(*row));
	iso_status st;

	if (!row)
		return iso_no_memory(err, "the targets");
	for (size_t i = 0; i < n; i++)
		row[i] = (uint32_t)i;
	iso_shuffle(&mix, row, n);
	d->n = n < MOST ? n : MOST;
	st = iso_table_select(s->members, row, d->n, &d->full, err);
	if (st == ISO_OK)
		st = iso_table_select(s->members, row, d->n, &d->targets, err);
	iso_free(row);
	return st;
}

static iso_status deal(iso_game *g, const iso_attack *a, const void *options, iso_deal *d,
		       iso_error *err)
{
	const iso_game_setup *s = iso_game_rules(g);
	int c;

	ISO_TRY(iso_game_secret(g, a, options, &c, err));
	ISO_FAIL_IF(!iso_is_discrete(&s->members->schema->column[c]) ||
			    s->members->schema->column[c].ncategory < 2,
		    err, ISO_E_UNSUPPORTED,
		    "not applicable: the secret column \"%s\" has no categories to draw anew; name "
		    "another column",
		    s->members->schema->column[c].name);
	ISO_FAIL_IF(s->members->n < 2, err, ISO_E_UNSUPPORTED, "not applicable: too few members");
	d->column = c;
	ISO_TRY(choose(s, d, err));
	ISO_TRY(redraw(s, c, d, err));
	ISO_TRY(iso_game_train(g, d->full, 0, &d->model, err));
	return iso_game_draw(g, d->model, 0, d->n, &d->synthetic, err);
}

/* Surety that the secret is category 1, from the guess and its score. */
static iso_status put_auc(const iso_deal *d, const iso_guess *guess, iso_measures *m,
			  iso_error *err)
{
	double *score = iso_alloc(d->n, sizeof(*score));
	iso_roc roc;
	iso_status st;

	if (!score)
		return iso_no_memory(err, "attack scores");
	for (size_t i = 0; i < d->n; i++)
		score[i] = guess[i].value == 1 ? guess[i].score : -guess[i].score;
	st = iso_roc_of(score, d->truth, d->n, &roc, err);
	iso_free(score);
	ISO_TRY(st);
	return iso_measure_set(m, "auc", roc.auc, roc.low, roc.high, err);
}

static iso_status judge(const iso_game *g, const iso_deal *d, const iso_guess *guess, iso_play *p,
			iso_error *err)
{
	const iso_column *c = &iso_game_rules(g)->members->schema->column[d->column];
	const double n = (double)d->n, chance = 1 / (double)c->ncategory, rest = 1 - chance;
	iso_measures *m = &p->measures;
	double hits = 0, low, high;
	size_t ones = 0;

	for (size_t i = 0; i < d->n; i++) {
		hits += guess[i].value == d->secret[i];
		ones += d->truth[i];
	}
	iso_wilson(hits, n, 1.959963984540054, &low, &high);
	ISO_TRY(iso_measure_set(m, "main", hits / n, low, high, err));
	ISO_TRY(iso_measure_set(m, "chance", chance, NAN, NAN, err));
	ISO_TRY(iso_measure_set(m, "risk", fmax(0, (hits / n - chance) / rest),
				fmax(0, (low - chance) / rest), fmax(0, (high - chance) / rest),
				err));
	if (c->ncategory != 2 || ones == 0 || ones == d->n)
		return iso_measure_undefined(m, "auc", "the secret is not binary", err);
	return put_auc(d, guess, m, err);
}

const iso_game_type iso_game_redrawn = {
	.goal = ISO_GOAL_REDRAWN,
	.title = "Re-drawn secrets",
	.trains = 1,
	.outputs = outputs,
	.deal = deal,
	.judge = judge,
};
