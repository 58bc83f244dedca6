// SPDX-License-Identifier: Apache-2.0
/* Linkability: two parties hold different columns of the same people; does the synthetic table tell
 * that two halves belong together?  (Giomi et al. 2023; attacks.md section 4.3.)  Each target is a
 * pair of halves: of one member, of one non-member (control), or of two members (naive baseline,
 * where a claim is wrong).  guess.value 1 = "one record". */
#include <math.h>

#include "core/base/alloc.h"
#include "suites/referee/blank.h"

enum { MAIN, CONTROL, BROKEN };

/* Target i of the mixture becomes pair `at`: the left half, and the right half of target j. */
static void put_pair(iso_deal *d, const iso_table *mixed, size_t i, size_t j, uint32_t at,
		     int group)
{
	iso_table_copy_row(mixed, i, d->targets, at);
	iso_table_copy_row(mixed, j, d->partners, at);
	d->group[at] = (uint8_t)group;
	d->truth[at] = group == MAIN;
}

static iso_status put_pairs(const iso_table *mixed, const uint8_t *truth, iso_key key, iso_deal *d,
			    iso_error *err)
{
	uint32_t *place = iso_alloc(d->n, sizeof(*place));
	iso_stream s = iso_stream_new(key);
	size_t at = 0, last = SIZE_MAX, first = SIZE_MAX;

	if (!place)
		return iso_no_memory(err, "the targets");
	for (size_t i = 0; i < d->n; i++)
		place[i] = (uint32_t)i;
	iso_shuffle(&s, place, d->n);
	for (size_t i = 0; i < mixed->n; i++) {
		put_pair(d, mixed, i, i, place[at++], truth[i] ? MAIN : CONTROL);
		if (!truth[i])
			continue;
		if (last != SIZE_MAX) /* the right half of the member before */
			put_pair(d, mixed, i, last, place[at++], BROKEN);
		first = first == SIZE_MAX ? i : first;
		last = i;
	}
	put_pair(d, mixed, first, last, place[at], BROKEN);
	iso_free(place);
	return ISO_OK;
}

static iso_status deal(iso_game *g, const iso_attack *a, const void *options, iso_deal *d,
		       iso_error *err)
{
	const iso_game_setup *s = iso_game_rules(g);
	const iso_schema *schema = s->members->schema;
	const iso_key key = iso_key_new(s->seed, "referee/linkage");
	uint8_t *hide = iso_alloc(schema->ncol, 1), *truth = NULL;
	iso_table *mixed = NULL;
	iso_status st = hide ? ISO_OK : iso_no_memory(err, "the halves");

	(void)a;
	(void)options;
	if (st == ISO_OK && (!iso_split_columns(schema, iso_key_child(key, "columns", 0), hide) ||
			     iso_game_pairs(g) < 2))
		st = iso_fail(
			err, ISO_E_UNSUPPORTED,
			"not applicable: linkage needs two columns beside ids and pixels, and "
			"two members");
	ISO_TRY_OUT(st);
	d->n = 3 * iso_game_pairs(g);
	ISO_TRY_OUT(iso_game_mix(g, &mixed, &truth, err));
	ISO_TRY_OUT(iso_table_new(schema, d->n, &d->targets, err));
	ISO_TRY_OUT(iso_table_new(schema, d->n, &d->partners, err));
	d->truth = iso_alloc(d->n, 1);
	d->group = iso_alloc(d->n, 1);
	if (!d->truth || !d->group) {
		st = iso_no_memory(err, "the targets");
		goto out;
	}
	ISO_TRY_OUT(put_pairs(mixed, truth, iso_key_child(key, "mix", 0), d, err));
	iso_blank(d->targets, hide);
	for (size_t c = 0; c < schema->ncol; c++)
		hide[c] = !hide[c];
	iso_blank(d->partners, hide);
out:
	iso_free(hide);
	iso_free(truth);
	iso_table_free(mixed);
	return st;
}

static iso_status judge(const iso_game *g, const iso_deal *d, const iso_guess *guess, iso_play *p,
			iso_error *err)
{
	double hits[3] = {0}, n[3] = {0};

	(void)g;
	for (size_t i = 0; i < d->n; i++) {
		n[d->group[i]]++;
		hits[d->group[i]] += guess[i].value > 0.5;
	}
	return iso_judge_risk(hits, n, &p->measures, err);
}

const iso_game_type iso_game_linkage = {
	.goal = ISO_GOAL_LINKAGE,
	.title = "Linkability",
	.control = 1,
	.outputs = iso_risk_outputs,
	.deal = deal,
	.judge = judge,
};
