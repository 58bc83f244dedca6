// SPDX-License-Identifier: Apache-2.0
/* Attribute inference: the secret column of members and of non-members is blanked, the attack
 * guesses it from the other columns.  Only success on members beyond that on non-members is a leak
 * (Giomi, Boenisch, Wehmeyer & Tasnadi 2023; attacks.md section 4.3).  The naive baseline is the
 * best constant guess that the released table suggests: its commonest category, or its median. */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "suites/referee/blank.h"

static iso_status deal(iso_game *g, const iso_attack *a, const void *options, iso_deal *d,
		       iso_error *err)
{
	const iso_schema *s = iso_game_rules(g)->members->schema;
	int c;

	ISO_TRY(iso_game_secret(g, a, options, &c, err));
	ISO_TRY(iso_game_mix(g, &d->targets, &d->truth, err));
	d->n = d->targets->n;
	d->column = c;
	d->secret = iso_alloc(d->n, sizeof(*d->secret));
	if (!d->secret)
		return iso_no_memory(err, "the secrets");
	for (size_t i = 0; i < d->n; i++) {
		double *cell = &d->targets->cells[i * s->ncol + (size_t)c];

		d->secret[i] = *cell;
		*cell = NAN;
	}
	return ISO_OK;
}

static iso_status constant_guess(const iso_table *t, size_t c, double *guess, iso_error *err)
{
	const iso_column *col = &t->schema->column[c];
	double *x = iso_alloc(t->n + col->ncategory, sizeof(*x));
	size_t n = 0;

	*guess = NAN;
	if (!x)
		return iso_no_memory(err, "the naive guess");
	for (size_t r = 0; r < t->n; r++) {
		const double v = iso_table_cell(t, r, c);

		if (isnan(v))
			continue;
		if (iso_is_discrete(col))
			x[(size_t)v]++;
		else
			x[n++] = v;
	}
	if (!iso_is_discrete(col)) {
		*guess = iso_quantile(x, n, 0.5);
	} else {
		size_t best = 0;

		for (size_t k = 1; k < col->ncategory; k++)
			best = x[k] > x[best] ? k : best;
		*guess = (double)best;
	}
	iso_free(x);
	return ISO_OK;
}

static iso_status judge(const iso_game *g, const iso_deal *d, const iso_guess *guess, iso_play *p,
			iso_error *err)
{
	const iso_game_setup *s = iso_game_rules(g);
	const iso_column *c = &s->members->schema->column[d->column];
	double hits[3] = {0}, n[3] = {0}, constant;

	ISO_TRY(constant_guess(s->synthetic, (size_t)d->column, &constant, err));
	for (size_t i = 0; i < d->n; i++) {
		const int side = d->truth[i] ? 0 : 1;

		n[side]++;
		hits[side] += iso_guess_right(c, d->secret[i], guess[i].value);
		if (d->truth[i] && !isnan(constant)) {
			n[2]++;
			hits[2] += iso_guess_right(c, d->secret[i], constant);
		}
	}
	return iso_judge_risk(hits, n, &p->measures, err);
}

const iso_game_type iso_game_attribute = {
	.goal = ISO_GOAL_ATTRIBUTE,
	.title = "Attribute inference",
	.control = 1,
	.outputs = iso_risk_outputs,
	.deal = deal,
	.judge = judge,
};
