// SPDX-License-Identifier: Apache-2.0
/* The referee: who is a target, what an attack is shown, and that its statistics are those of the
 * raw scores. */
#include <stdio.h>
#include <string.h>

#include "core/data/catalogue.h"
#include "core/data/split.h"
#include "suites/game.h"
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
	tk_ok(iso_split_make(data->table, 1, 0.5, 0.25, 0.25, 1, &split, &err));
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

static iso_status look_before(const iso_attack_view *v, const void *o, void **state, iso_error *e)
{
	(void)o;
	(void)e;
	seen_before = *v;
	*state = &seen;
	return ISO_OK;
}

static iso_status look(const iso_attack_view *v, const void *o, void *state, double *score,
		       iso_error *e)
{
	(void)o;
	(void)state;
	seen = *v;
	for (size_t i = 0; i < v->targets->n; i++) {
		ck_assert_uint_eq(v->targets->id[i], i); /* positions, not identities */
		if (!isnan(give))
			score[i] = give + iso_table_cell(v->targets, i, 0);
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
			    .score = look,
			    .destroy = forget};
}

START_TEST(targets)
{
	iso_game_setup s = game_setup();
	iso_game *g, *again;
	const iso_attack a = attack(0);
	double score[80];
	iso_roc roc;
	size_t positives = 0;

	tk_ok(iso_game_new(&s, &g, &err));
	tk_ok(iso_game_new(&s, &again, &err));
	ck_assert_uint_eq(iso_game_targets(g), 80);
	give = 0;
	tk_ok(iso_game_attack(g, &a, "a", NULL, score, &roc, &err));
	for (size_t i = 0; i < 80; i++) {
		const int truth = iso_game_truth(g)[i];

		positives += (size_t)truth;
		ck_assert_int_eq(truth, iso_game_truth(again)[i]);
		ck_assert_uint_ge(same_rows(seen.targets, i, truth ? members : others), 1);
		if (!truth)
			ck_assert_uint_eq(same_rows(seen.targets, i, members), 0);
	}
	ck_assert_uint_eq(positives, 40);
	/* mixed: neither half is all members */
	positives = 0;
	for (size_t i = 0; i < 40; i++)
		positives += iso_game_truth(g)[i];
	ck_assert(positives > 5 && positives < 35);
	iso_game_free(g);
	iso_game_free(again);
	s.max_targets = 100000; /* then all non-members that equal no member, and as many members */
	tk_ok(iso_game_new(&s, &g, &err));
	ck_assert_uint_le(iso_game_targets(g), 2 * others->n);
	ck_assert_uint_gt(iso_game_targets(g), others->n);
	iso_game_free(g);
}
END_TEST

/* The view holds what the attack declares to know, and NULL for everything else. */
START_TEST(view_is_limited)
{
	const iso_game_setup s = game_setup();
	iso_game *g;
	double score[80];
	iso_roc roc;

	tk_ok(iso_game_new(&s, &g, &err));
	give = 0;
	for (uint32_t knows = 0; knows < 8; knows++) {
		const iso_attack a = attack(knows);

		memset(&seen, 0xff, sizeof(seen));
		tk_ok(iso_game_attack(g, &a, "a", NULL, score, &roc, &err));
		ck_assert_ptr_eq(seen.synthetic, knows & ISO_KNOWS_SYNTHETIC ? synthetic : NULL);
		ck_assert_ptr_eq(seen.auxiliary, knows & ISO_KNOWS_AUXILIARY ? aux : NULL);
		ck_assert_int_eq(seen.draw != NULL, (knows & ISO_KNOWS_ORACLE) != 0);
		ck_assert(!seen.score && !seen.decode && !seen.shadow && seen.latent_dim == 0);
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
	double score[80], wins = 0;
	iso_roc roc;

	tk_ok(iso_game_new(&s, &g, &err));
	give = 1;
	tk_ok(iso_game_attack(g, &a, "a", NULL, score, &roc, &err));
	for (size_t i = 0; i < 80; i++)
		for (size_t j = 0; j < 80; j++)
			if (iso_game_truth(g)[i] && !iso_game_truth(g)[j])
				wins += score[i] > score[j] ? 1 : score[i] == score[j] ? 0.5 : 0;
	tk_assert_close(roc.auc, wins / 1600, 1e-12, 0);
	ck_assert(roc.n_pos == 40 && roc.n_neg == 40);
	iso_game_free(g);
}
END_TEST

START_TEST(what_is_refused)
{
	iso_game_setup s = game_setup();
	iso_attack a = attack(0);
	iso_game *g;
	double score[80];
	iso_roc roc;

	tk_ok(iso_game_new(&s, &g, &err));
	give = NAN;
	tk_fails(iso_game_attack(g, &a, "a", NULL, score, &roc, &err), ISO_E_PLUGIN,
		 "target 0 has nan");
	give = INFINITY;
	tk_fails(iso_game_attack(g, &a, "a", NULL, score, &roc, &err), ISO_E_PLUGIN, "finite");
	give = 0;
	a = attack(ISO_KNOWS_SCORE);
	tk_fails(iso_game_attack(g, &a, "a", NULL, score, &roc, &err), ISO_E_UNSUPPORTED,
		 "scores rows");
	a = attack(ISO_KNOWS_LATENT);
	tk_fails(iso_game_attack(g, &a, "a", NULL, score, &roc, &err), ISO_E_UNSUPPORTED, "latent");
	a = attack(ISO_KNOWS_SHADOW);
	tk_fails(iso_game_attack(g, &a, "a", NULL, score, &roc, &err), ISO_E_UNSUPPORTED, "shadow");
	a = attack(0);
	a.goal = ISO_GOAL_ATTRIBUTE;
	tk_fails(iso_game_attack(g, &a, "a", NULL, score, &roc, &err), ISO_E_UNSUPPORTED,
		 "membership");
	iso_game_free(g);

	s.auxiliary = NULL;
	s.training = NULL;
	tk_ok(iso_game_new(&s, &g, &err));
	a = attack(ISO_KNOWS_AUXILIARY);
	tk_fails(iso_game_attack(g, &a, "a", NULL, score, &roc, &err), ISO_E_UNSUPPORTED,
		 "auxiliary");
	a = attack(ISO_KNOWS_ORACLE);
	tk_fails(iso_game_attack(g, &a, "a", NULL, score, &roc, &err), ISO_E_UNSUPPORTED,
		 "not at hand");
	iso_game_free(g);

	s.nonmembers = NULL;
	tk_ok(iso_game_new(&s, &g, &err));
	a = attack(0);
	tk_fails(iso_game_attack(g, &a, "a", NULL, score, &roc, &err), ISO_E_UNSUPPORTED,
		 "hold-out");
	iso_game_free(g);
}
END_TEST

/* Copies of members among the non-members: dropped when dedup is asked for, kept when not. */
START_TEST(copies_are_dropped)
{
	iso_game_setup s = game_setup();
	iso_table *mixed;
	iso_game *g;

	tk_ok(iso_table_concat(members, others, &mixed, &err));
	s.nonmembers = mixed;
	s.max_targets = 10000;
	s.dedup = 0;
	tk_ok(iso_game_new(&s, &g, &err));
	ck_assert_uint_eq(iso_game_targets(g), 2 * members->n);
	iso_game_free(g);
	s.dedup = 1;
	tk_ok(iso_game_new(&s, &g, &err));
	ck_assert_uint_le(iso_game_targets(g), 2 * others->n);
	iso_game_free(g);
	s.nonmembers = members; /* nobody is left */
	tk_ok(iso_game_new(&s, &g, &err));
	ck_assert_uint_eq(iso_game_targets(g), 0);
	iso_game_free(g);
	iso_table_free(mixed);
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
	tcase_add_test(c, copies_are_dropped);
	suite_add_tcase(s, c);
	return tk_run(s);
}
