// SPDX-License-Identifier: Apache-2.0
/* The referee: who is a target, what an attack is shown, and that its statistics are those of the
 * raw scores. */
#include <stdio.h>
#include <string.h>

#include "core/data/catalogue.h"
#include "core/data/split.h"
#include "suites/referee/game.h"
#include "suites/referee/targets.h"
#include "tests/support/testkit.h"

static iso_error err;
static iso_dataset *data;
static iso_table *members, *others, *aux;
static iso_training training;
static iso_table *synthetic;

static void setup(void)
{
	cJSON *options = cJSON_Parse("{\"rows\": 600}");
	iso_split split;
	const iso_generator *g;
	int64_t o[32] = {0};
	cJSON *resolved;

	tk_ok(iso_dataset_load("sim-census", options, &data, &err));
	cJSON_Delete(options);
	tk_ok(iso_split_make(data->table, 1, 0.5, 0.25, 0.25, &split, &err));
	tk_ok(iso_table_select(data->table, split.train, split.ntrain, &members, &err));
	tk_ok(iso_table_select(data->table, split.holdout, split.nholdout, &others, &err));
	tk_ok(iso_table_select(data->table, split.aux, split.naux, &aux, &err));
	iso_split_free(&split);
	tk_ok(iso_generator_find("memorise", &g, &err));
	ck_assert_uint_le(g->options_size, sizeof(o));
	tk_ok(iso_options_resolve(g->options, NULL, "memorise", o, g->options_size, &resolved,
				  &err));
	cJSON_Delete(resolved);
	const iso_training_request r = {.generator = g,
					.options = o,
					.train = members,
					.epsilon = INFINITY,
					.delta = 1e-5,
					.seed = 1};

	tk_ok(iso_train(&r, &training, &err));
	tk_ok(iso_training_sample(&training, data->schema, 1, 100, &synthetic, &err));
}

static iso_game_setup game_setup(void)
{
	return (iso_game_setup){.members = members,
				.nonmembers = others,
				.auxiliary = aux,
				.synthetic = synthetic,
				.training = &training,
				.max_targets = 40,
				.dedup = 1,
				.seed = 5};
}

static size_t same_rows(const iso_table *a, size_t r, const iso_table *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		n += memcmp(&a->cells[r * a->schema->ncol], &b->cells[i * b->schema->ncol],
			    a->schema->ncol * sizeof(double)) == 0;
	return n;
}

/* ------------------------------------------------------------------ an attack that looks around */

static iso_attack_view seen, seen_before;
static double give; /* what it scores: NAN = leave untouched */
static iso_table *drawn[2];
static iso_table *seen_targets; /* a copy: the deal is over when the game is */

static iso_status look_before(const iso_attack_view *v, const void *o, void **state, iso_error *e)
{
	(void)o;
	(void)e;
	seen_before = *v;
	*state = &seen;
	return ISO_OK;
}

static iso_status look(const iso_attack_view *v, const void *o, void *state, iso_guess *guess,
		       iso_error *e)
{
	(void)o;
	(void)state;
	uint32_t row[2000];

	seen = *v;
	for (uint32_t i = 0; i < v->targets->n; i++)
		row[i] = i;
	iso_table_free(seen_targets);
	tk_ok(iso_table_select(v->targets, row, v->targets->n, &seen_targets, e));
	for (size_t i = 0; i < v->targets->n; i++) {
		ck_assert_uint_eq(v->targets->id[i], i); /* positions, not identities */
		if (!isnan(give))
			guess[i].score = give + iso_table_cell(v->targets, i, 0);
	}
	for (int i = 0; i < 2 && v->draw; i++)
		ISO_TRY(v->draw(v->ctx, 30, &drawn[i], e));
	return ISO_OK;
}

static void forget(void *state)
{
	(void)state;
}

static iso_attack attack(uint32_t knows)
{
	return (iso_attack){.abi = ISO_ATTACK_ABI,
			    .name = "look",
			    .title = "t",
			    .citation = "c",
			    .card = "c",
			    .goal = ISO_GOAL_MEMBERSHIP,
			    .knows = knows,
			    .version = 1,
			    .knowledge = "FBB",
			    .prepare = look_before,
			    .guess = look,
			    .destroy = forget};
}

/* One attack's game; its outcome stays until the next. */
static iso_play last;
static iso_status play(iso_game *g, const iso_attack *a)
{
	iso_play_free(&last);
	return iso_game_attack(g, a, "a", NULL, &last, &err);
}

START_TEST(targets)
{
	iso_game_setup s = game_setup();
	iso_game *g, *again;
	const iso_attack a = attack(0);
	size_t positives = 0;
	uint8_t truth_again[80];

	tk_ok(iso_game_new(&s, &g, &err));
	tk_ok(iso_game_new(&s, &again, &err));
	ck_assert_uint_eq(iso_game_pairs(g), 40);
	give = 0;
	tk_ok(play(again, &a));
	memcpy(truth_again, last.truth, 80);
	tk_ok(play(g, &a));
	for (size_t i = 0; i < 80; i++) {
		const int truth = last.truth[i];

		positives += (size_t)truth;
		ck_assert_int_eq(truth, truth_again[i]);
		ck_assert_uint_ge(same_rows(seen_targets, i, truth ? members : others), 1);
		if (!truth)
			ck_assert_uint_eq(same_rows(seen_targets, i, members), 0);
	}
	ck_assert_uint_eq(positives, 40);
	/* mixed: neither half is all members */
	positives = 0;
	for (size_t i = 0; i < 40; i++)
		positives += last.truth[i];
	ck_assert(positives > 5 && positives < 35);
	iso_game_free(g);
	iso_game_free(again);
	s.max_targets = 100000; /* then all non-members that equal no member, and as many members */
	tk_ok(iso_game_new(&s, &g, &err));
	ck_assert_uint_le(2 * iso_game_pairs(g), 2 * others->n);
	ck_assert_uint_gt(2 * iso_game_pairs(g), others->n);
	iso_game_free(g);
}
END_TEST

/* The view holds what the attack declares to know, and NULL for everything else. */
START_TEST(view_is_limited)
{
	const iso_game_setup s = game_setup();
	iso_game *g;

	tk_ok(iso_game_new(&s, &g, &err));
	give = 0;
	for (uint32_t knows = 0; knows < 8; knows++) {
		const iso_attack a = attack(knows);

		memset(&seen, 0xff, sizeof(seen));
		tk_ok(play(g, &a));
		ck_assert_ptr_eq(seen.synthetic, knows & ISO_KNOWS_SYNTHETIC ? synthetic : NULL);
		ck_assert_ptr_eq(seen.auxiliary, knows & ISO_KNOWS_AUXILIARY ? aux : NULL);
		ck_assert_int_eq(seen.draw != NULL, (knows & ISO_KNOWS_ORACLE) != 0);
		ck_assert(!seen.score && !seen.decode && !seen.models && seen.latent_dim == 0);
		ck_assert_ptr_null(seen_before.synthetic);
		ck_assert_ptr_eq(seen.schema, data->schema);
		if (knows & ISO_KNOWS_ORACLE) {
			/* fresh rows each call, not the released ones */
			ck_assert(memcmp(drawn[0]->cells, drawn[1]->cells,
					 30 * data->schema->ncol * sizeof(double)) != 0);
			ck_assert(memcmp(drawn[0]->cells, synthetic->cells,
					 30 * data->schema->ncol * sizeof(double)) != 0);
			iso_table_free(drawn[0]);
			iso_table_free(drawn[1]);
		}
	}
	iso_game_free(g);
}
END_TEST

START_TEST(statistics_are_of_the_raw_scores)
{
	const iso_game_setup s = game_setup();
	const iso_attack a = attack(0);
	iso_game *g;
	double wins = 0;

	tk_ok(iso_game_new(&s, &g, &err));
	give = 1;
	tk_ok(play(g, &a));
	for (size_t i = 0; i < 80; i++)
		for (size_t j = 0; j < 80; j++)
			if (last.truth[i] && !last.truth[j])
				wins += last.guess[i].score > last.guess[j].score    ? 1
					: last.guess[i].score == last.guess[j].score ? 0.5
										     : 0;
	tk_assert_close(last.roc.auc, wins / 1600, 1e-12, 0);
	ck_assert(last.roc.n_pos == 40 && last.roc.n_neg == 40);
	iso_game_free(g);
}
END_TEST

START_TEST(what_is_refused)
{
	iso_game_setup s = game_setup();
	iso_attack a = attack(0);
	iso_game *g;

	tk_ok(iso_game_new(&s, &g, &err));
	give = NAN;
	tk_fails(play(g, &a), ISO_E_PLUGIN, "target 0 is nan");
	give = INFINITY;
	tk_fails(play(g, &a), ISO_E_PLUGIN, "finite");
	give = 0;
	a = attack(ISO_KNOWS_SCORE);
	tk_fails(play(g, &a), ISO_E_UNSUPPORTED, "scores rows");
	a = attack(ISO_KNOWS_LATENT);
	tk_fails(play(g, &a), ISO_E_UNSUPPORTED, "latent");
	a = attack(ISO_KNOWS_SHADOW);
	tk_fails(play(g, &a), ISO_E_UNSUPPORTED, "shadow");
	a = attack(0);
	a.goal = ISO_GOAL_NEIGHBOUR;
	tk_fails(play(g, &a), ISO_E_UNSUPPORTED, "no shadow");
	a.goal = ISO_GOAL_FEDERATED;
	tk_fails(play(g, &a), ISO_E_UNSUPPORTED, "no shadow");
	iso_game_free(g);

	s.auxiliary = NULL;
	s.training = NULL;
	tk_ok(iso_game_new(&s, &g, &err));
	a = attack(ISO_KNOWS_AUXILIARY);
	tk_fails(play(g, &a), ISO_E_UNSUPPORTED, "auxiliary");
	a = attack(ISO_KNOWS_ORACLE);
	tk_fails(play(g, &a), ISO_E_UNSUPPORTED, "not at hand");
	iso_game_free(g);

	s.nonmembers = NULL;
	tk_ok(iso_game_new(&s, &g, &err));
	a = attack(0);
	tk_fails(play(g, &a), ISO_E_UNSUPPORTED, "hold-out");
	iso_game_free(g);
}
END_TEST

/* Values on both sides are targets of neither; without dedup every row is a candidate. */
START_TEST(shared_values_leave_both_sides)
{
	iso_game_setup s = game_setup();
	iso_table *mixed, *head;
	uint32_t row[100];
	iso_game *g;
	char note[320];
	const iso_attack a = attack(0);

	for (uint32_t i = 0; i < 100; i++)
		row[i] = i;
	tk_ok(iso_table_select(members, row, 100, &head, &err));
	tk_ok(iso_table_concat(head, others, &mixed, &err)); /* 100 members among the others */
	s.nonmembers = mixed;
	s.max_targets = 10000;
	s.dedup = 0;
	tk_ok(iso_game_new(&s, &g, &err));
	ck_assert_uint_eq(2 * iso_game_pairs(g), 2 * mixed->n);
	ck_assert_int_eq(iso_game_note(g, note, sizeof(note)), 0);
	iso_game_free(g);
	s.dedup = 1;
	tk_ok(iso_game_new(&s, &g, &err));
	ck_assert_uint_gt(2 * iso_game_pairs(g), 50);
	ck_assert_uint_le(2 * iso_game_pairs(g), 2 * others->n);
	give = 0;
	tk_ok(play(g, &a));
	for (size_t i = 0; i < 2 * iso_game_pairs(g); i++) {
		const int truth = last.truth[i];

		ck_assert_uint_ge(same_rows(seen_targets, i, truth ? members : mixed), 1);
		ck_assert_uint_eq(same_rows(seen_targets, i, truth ? mixed : members), 0);
	}
	ck_assert_int_eq(iso_game_note(g, note, sizeof(note)), 1);
	ck_assert_ptr_nonnull(strstr(note, "non-members equal a member"));
	iso_game_free(g);
	s.nonmembers = members; /* nobody is left */
	tk_ok(iso_game_new(&s, &g, &err));
	ck_assert_uint_eq(2 * iso_game_pairs(g), 0);
	tk_fails(play(g, &a), ISO_E_UNSUPPORTED, "every non-member equals a member");
	iso_game_free(g);
	iso_table_free(mixed);
	iso_table_free(head);
}
END_TEST

static void three_columns(iso_table *t, size_t r, uint32_t code)
{
	memset(&t->cells[r * t->schema->ncol], 0, t->schema->ncol * sizeof(*t->cells));
	t->cells[r * t->schema->ncol] = code; /* out of domain is fine: nobody decodes it */
}

/* By hand: codes of members 1 1 2 3 4 4 4 5 6, of non-members 3 7 7 8 4.  3 and 4 stand on both
 * sides. 7 (twice) can only be paired with 1 (twice), 8 (once) with one of 2, 5, 6. */
START_TEST(pairs_by_hand)
{
	static const uint32_t in[] = {1, 1, 2, 3, 4, 4, 4, 5, 6}, out[] = {3, 7, 7, 8, 4};
	iso_table *m, *o;
	iso_targets t;
	uint32_t *row;
	size_t n;

	tk_ok(iso_table_new(data->schema, 9, &m, &err));
	tk_ok(iso_table_new(data->schema, 5, &o, &err));
	for (size_t r = 0; r < 9; r++)
		three_columns(m, r, in[r]);
	for (size_t r = 0; r < 5; r++)
		three_columns(o, r, out[r]);
	for (uint64_t seed = 0; seed < 20; seed++) {
		tk_ok(iso_targets_choose(m, o, 1, 100, iso_key_new(seed, "t"), &t, &err));
		ck_assert_uint_eq(t.n, 2);
		ck_assert_uint_eq(t.shared_members, 4);
		ck_assert_uint_eq(t.shared_nonmembers, 2);
		for (size_t i = 0; i < 2; i++) {
			const uint32_t a = in[t.member[i]], b = out[t.nonmember[i]];

			ck_assert(b == 7 ? a == 1 : b == 8 && (a == 2 || a == 5 || a == 6));
		}
		iso_targets_free(&t);
	}
	tk_ok(iso_rows_shared(o, m, &n, &err));
	ck_assert_uint_eq(n, 2);
	tk_ok(iso_rows_without(o, m, &row, &n, &err));
	ck_assert_uint_eq(n, 3);
	ck_assert(row[0] == 1 && row[1] == 2 && row[2] == 3);
	iso_free(row);
	iso_table_free(m);
	iso_table_free(o);
}
END_TEST

/* A table with many repeated values, split in unequal parts: scores that depend on the value alone
 * (its frequency in the population, the worst case, and a hash) must have an area of one half.  60
 * seeds pooled by the mean of z = (auc - 1/2) / se: sd 0.13, false alarm 6e-5 at 0.52; the former
 * rule (drop shared values from the non-members) gives a mean z above 5. */
START_TEST(value_tells_nothing)
{
	double z = 0, zall = 0;
	size_t games = 0;

	for (uint64_t seed = 0; seed < 60; seed++) {
		iso_stream s = iso_stream_new(iso_key_new(seed, "law"));
		iso_table *m, *o;
		iso_targets t;
		iso_roc roc;
		double score[2000];
		uint8_t truth[2000];

		tk_ok(iso_table_new(data->schema, 1000, &m, &err));
		tk_ok(iso_table_new(data->schema, 400, &o, &err));
		for (size_t r = 0; r < 1400; r++) { /* geometric: many common, many rare values */
			const double u = (double)(iso_next_below(&s, 1000000) + 1) / 1000001;

			three_columns(r < 1000 ? m : o, r < 1000 ? r : r - 1000,
				      (uint32_t)(-120 * log(u)));
		}
		tk_ok(iso_targets_choose(m, o, 1, 1000, iso_key_new(seed, "t"), &t, &err));
		for (size_t i = 0; i < 2 * t.n; i++) {
			const iso_table *side = i < t.n ? m : o;

			truth[i] = i < t.n;
			score[i] = iso_table_cell(side,
						  i < t.n ? t.member[i] : t.nonmember[i - t.n], 0);
		}
		if (t.n > 4) {
			tk_ok(iso_roc_of(score, truth, 2 * t.n, &roc, &err));
			z += roc.se > 0 ? (roc.auc - 0.5) / roc.se : 0;
			games++;
		}
		zall += (double)t.n;
		iso_targets_free(&t);
		iso_table_free(m);
		iso_table_free(o);
	}
	ck_assert_uint_ge(games, 50);
	ck_assert_msg(fabs(z / (double)games) < 0.52, "mean z %g over %zu games, %g pairs",
		      z / (double)games, games, zall / 60);
}
END_TEST

/* Rows of the attacker that equal a target are hidden from it; others stay. */
START_TEST(auxiliary_holds_no_target)
{
	iso_game_setup s = game_setup();
	const iso_attack a = attack(ISO_KNOWS_AUXILIARY);
	iso_table *more;
	iso_game *g;

	tk_ok(iso_table_concat(aux, others, &more, &err));
	s.auxiliary = more;
	tk_ok(iso_game_new(&s, &g, &err));
	give = 0;
	tk_ok(play(g, &a));
	ck_assert_uint_lt(seen.auxiliary->n, more->n);
	ck_assert_uint_gt(seen.auxiliary->n, more->n - 100);
	for (size_t i = 0; i < 80; i++)
		ck_assert_uint_eq(same_rows(seen_targets, i, seen.auxiliary), 0);
	iso_game_free(g);
	iso_table_free(more);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("referee");
	TCase *c = tcase_create("game");

	tcase_add_unchecked_fixture(c, setup, NULL);
	tcase_add_test(c, targets);
	tcase_add_test(c, view_is_limited);
	tcase_add_test(c, statistics_are_of_the_raw_scores);
	tcase_add_test(c, what_is_refused);
	tcase_add_test(c, shared_values_leave_both_sides);
	tcase_add_test(c, pairs_by_hand);
	tcase_add_test(c, value_tells_nothing);
	tcase_add_test(c, auxiliary_holds_no_target);
	suite_add_tcase(s, c);
	return tk_run(s);
}
