// SPDX-License-Identifier: Apache-2.0
/* Reconstruction: half of the columns are blanked, the attack completes the rows (view.rebuilt).  A
 * row is rebuilt when every blanked category is right and every blanked number lies within 5 % of
 * its public range (attacks.md section 5.1).  The leak is the difference between members and
 * non-members; the naive baseline completes a row with the cells of a synthetic row drawn blindly.
 */
#include <math.h>

#include "core/base/alloc.h"
#include "suites/referee/blank.h"

static iso_status deal(iso_game *g, const iso_attack *a, const void *options, iso_deal *d,
		       iso_error *err)
{
	const iso_game_setup *s = iso_game_rules(g);
	const iso_schema *schema = s->members->schema;
	uint8_t *hide = iso_alloc(schema->ncol, 1), *again = NULL;
	iso_status st = hide ? ISO_OK : iso_no_memory(err, "the blanked columns");

	(void)a;
	(void)options;
	if (st == ISO_OK &&
	    !iso_split_columns(schema, iso_key_new(s->seed, "referee/reconstruction"), hide))
		st = iso_fail(
			err, ISO_E_UNSUPPORTED,
			"not applicable: reconstruction needs two columns beside ids and pixels");
	ISO_TRY_OUT(st);
	ISO_TRY_OUT(iso_game_mix(g, &d->full, &d->truth, err));
	ISO_TRY_OUT(iso_game_mix(g, &d->targets, &again, err));
	iso_free(again);
	again = NULL;
	ISO_TRY_OUT(iso_game_mix(g, &d->rebuilt, &again, err));
	d->n = d->targets->n;
	iso_blank(d->targets, hide);
	iso_blank(d->rebuilt, hide);
out:
	iso_free(hide);
	iso_free(again);
	return st;
}

/* Row r of `rebuilt`, or row k of another table, against the blanked cells of target r. */
static int row_right(const iso_deal *d, const iso_table *t, size_t k, size_t r)
{
	const iso_schema *s = d->full->schema;

	for (size_t c = 0; c < s->ncol; c++) {
		const double truth = iso_table_cell(d->full, r, c);

		if (iso_is_dropped(&s->column[c]) || s->column[c].type == ISO_PIXEL ||
		    !isnan(iso_table_cell(d->targets, r, c)))
			continue;
		if (isnan(truth) ? !isnan(iso_table_cell(t, k, c))
				 : !iso_guess_right(&s->column[c], truth, iso_table_cell(t, k, c)))
			return 0;
	}
	return 1;
}

static iso_status judge(const iso_game *g, const iso_deal *d, const iso_guess *guess, iso_play *p,
			iso_error *err)
{
	const iso_game_setup *s = iso_game_rules(g);
	iso_stream blind = iso_stream_new(iso_key_new(s->seed, "referee/reconstruction/naive"));
	double hits[3] = {0}, n[3] = {0};

	(void)guess;
	for (size_t r = 0; r < d->n; r++) {
		const int side = d->truth[r] ? 0 : 1;

		n[side]++;
		hits[side] += row_right(d, d->rebuilt, r, r);
		if (d->truth[r] && s->synthetic && s->synthetic->n) {
			n[2]++;
			hits[2] += row_right(d, s->synthetic,
					     (size_t)iso_next_below(&blind, s->synthetic->n), r);
		}
	}
	return iso_judge_risk(hits, n, &p->measures, err);
}

const iso_game_type iso_game_reconstruction = {
	.goal = ISO_GOAL_RECONSTRUCTION,
	.title = "Reconstruction",
	.control = 1,
	.outputs = iso_risk_outputs,
	.deal = deal,
	.judge = judge,
};
