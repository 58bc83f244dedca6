// SPDX-License-Identifier: Apache-2.0
/* privbayes: scores by hand and by trying every small table, the sum of the plan's epsilons, a
 * known chain that must be found, and noise in cells that the data do not touch. */
#include <string.h>

#include "generators/kit/pairs.h"
#include "tests/oracle/gen_support.h"

static iso_error err;

/* Counts 2 0 / 1 3: products of the margins over 6 are 1 1 / 2 2, so the distance is 4/2 = 2; and
 * 2 ln(2 6/(2 3)) + ln(6/(4 3)) + 3 ln(3 6/(4 3)) = 2 ln 2 - ln 2 + 3 ln 1.5. */
START_TEST(scores_by_hand)
{
	static const double t[] = {2, 0, 1, 3}, none[4] = {0};
	tk_assert_close(iso_pair_distance(t, 2, 2), 2, 1e-14, 0);
	tk_assert_close(iso_pair_information(t, 2, 2), log(2) + 3 * log(1.5), 1e-14, 0);
	tk_assert_close(iso_pair_distance(none, 2, 2), 0, 0, 0);
	tk_assert_close(iso_pair_information(none, 2, 2), 0, 0, 0);
}
END_TEST

/* All tables of six cells with at most `most` rows, and one row more in every cell: the largest
 * moves stay within what is declared, and that of the information reaches it. */
static void try_tables(double *t, size_t cell, size_t left, double *far, double *gain)
{
	if (cell < 6) {
		for (size_t k = 0; k <= left; k++) {
			t[cell] = (double)k;
			try_tables(t, cell + 1, left - k, far, gain);
		}
		return;
	}
	const double d = iso_pair_distance(t, 2, 3), g = iso_pair_information(t, 2, 3);
	for (size_t c = 0; c < 6; c++) {
		t[c] += 1;
		*far = fmax(*far, fabs(iso_pair_distance(t, 2, 3) - d));
		*gain = fmax(*gain, fabs(iso_pair_information(t, 2, 3) - g));
		t[c] -= 1;
	}
}

START_TEST(a_record_moves_a_score_by_at_most_what_is_declared)
{
	for (size_t most = 1; most <= 8; most++) {
		double t[6], far = 0, gain = 0;
		try_tables(t, 0, most, &far, &gain);
		ck_assert(far <= iso_pair_distance_moves());
		ck_assert(gain <= iso_pair_information_moves((double)most) + 1e-12);
		if (most == 8) { /* all rows in one corner, the new one in the opposite one */
			ck_assert(far > 0.8);
			tk_assert_close(gain, 9 * log(9) - 8 * log(8), 1e-9, 0);
		}
	}
}
END_TEST

/* Choices: share / s over d - 1 of them; tables: Laplace of scale s d / (1 - share), d of them.
 * Their pure epsilons add up to 1 / s. */
START_TEST(epsilons_add_up)
{
	const iso_generator *g = gen_find("privbayes");
	void *o = iso_alloc(1, g->options_size);
	iso_plan p = {0};
	double sum = 0;
	tk_ok(iso_options_resolve(g->options, NULL, g->name, o, g->options_size, NULL, &err));
	const iso_gen_env env = {.schema = fx_schema(), .n = 100, .options = o, .epsilon = 2};
	tk_ok(g->plan(&env, 0.5, &p, &err));
	ck_assert_uint_eq(p.n, 2);
	for (size_t i = 0; i < p.n; i++) {
		const iso_event *e = &p.v[i].event;
		sum += (double)e->count *
		       (e->mechanism == ISO_MECH_LAPLACE ? 1 / e->noise : e->epsilon);
	}
	tk_assert_close(sum, 2, 1e-12, 0);
	iso_plan_free(&p);
	iso_free(o);
}
END_TEST

/* A chain a -> b -> c -> d of four-valued columns in the order c, a, d, b, as in gen_mst.c: the
 * child equals its parent with probability .8, else it is uniform. */
static const size_t place[] = {1, 3, 0, 2}; /* of a, b, c, d */

static iso_table *chain(iso_schema **schema, size_t n)
{
	static const char text[] = "{\"name\":\"chain\",\"columns\":["
				   "{\"name\":\"c\",\"type\":\"categorical\",\"categories\":[\"0\","
				   "\"1\",\"2\",\"3\"]},"
				   "{\"name\":\"a\",\"type\":\"categorical\",\"categories\":[\"0\","
				   "\"1\",\"2\",\"3\"]},"
				   "{\"name\":\"d\",\"type\":\"categorical\",\"categories\":[\"0\","
				   "\"1\",\"2\",\"3\"]},"
				   "{\"name\":\"b\",\"type\":\"categorical\",\"categories\":[\"0\","
				   "\"1\",\"2\",\"3\"]}]}";
	const iso_key key = iso_key_new(3, "chain");
	cJSON *v = cJSON_Parse(text);
	iso_table *t;
	tk_ok(iso_schema_from_json(v, "chain", schema, &err));
	cJSON_Delete(v);
	tk_ok(iso_table_new(*schema, n, &t, &err));
	for (size_t r = 0; r < n; r++) {
		double x = floor(4 * iso_rand_u01(key, r, 0));
		for (size_t k = 0; k < 4; k++) {
			if (k && iso_rand_u01(key, r, 2 * k) >= .8)
				x = floor(4 * iso_rand_u01(key, r, 2 * k + 1));
			t->cells[r * 4 + place[k]] = x;
		}
	}
	return t;
}

/* At epsilon 1e9 (scale 1e-9) and one parent each, every arrow is one of the chain's, under both
 * scores; equal neighbours come back: .85, and .73 two steps apart.  20,000 draws from 20,000 rows:
 * standard errors .0036 and .0044, 5 of them. */
START_TEST(a_known_chain_is_found)
{
	static const char *const score[] = {"degree=1 score=r", "degree=1 score=mi"};
	const size_t n = 20000;
	iso_schema *s;
	iso_table *t = chain(&s, n);
	for (size_t k = 0; k < 2; k++) {
		cJSON *facts = cJSON_CreateObject();
		double next = 0, two = 0;
		void *o;
		iso_training m = gen_train(gen_find("privbayes"), score[k], t, 0, 1e-9, NULL, &o);
		tk_ok(m.generator->describe(m.model, facts, &err));
		char *said = cJSON_PrintUnformatted(facts);
		ck_assert_msg((strstr(said, "a <- b") || strstr(said, "b <- a")) &&
				      (strstr(said, "b <- c") || strstr(said, "c <- b")) &&
				      (strstr(said, "c <- d") || strstr(said, "d <- c")),
			      "%s", said);
		cJSON_free(said);
		iso_table *out = gen_sample(&m, s, n);
		for (size_t r = 0; r < n; r++) {
			const double *x = out->cells + r * 4;
			for (size_t i = 0; i < 3; i++)
				next += (x[place[i]] == x[place[i + 1]]) / (3.0 * (double)n);
			two += (x[place[0]] == x[place[2]]) / (double)n;
		}
		tk_assert_close(next, .85, 0, .0125);
		tk_assert_close(two, .73, 0, .022);
		iso_training_free(&m);
		iso_free(o);
		iso_table_free(out);
		cJSON_Delete(facts);
	}
	iso_table_free(t);
	iso_schema_free(s);
}
END_TEST

/* 400 rows that are all the same: at epsilon 1 the noise reaches the cells of the public domain
 * that no row is in, so other categories are sampled, too. */
START_TEST(cells_without_rows_get_noise)
{
	iso_schema *s;
	iso_table *t = chain(&s, 400), *out;
	size_t others = 0;
	void *o;
	for (size_t i = 0; i < 4 * 400; i++)
		t->cells[i] = 1;
	iso_training m = gen_train(gen_find("privbayes"), "", t, 1, 0, NULL, &o);
	out = gen_sample(&m, s, 2000);
	for (size_t i = 0; i < 4 * 2000; i++)
		others += out->cells[i] != 1;
	ck_assert_uint_gt(others, 20);
	ck_assert_uint_lt(others, 4000);
	iso_training_free(&m);
	iso_free(o);
	iso_table_free(t);
	iso_table_free(out);
	iso_schema_free(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("privbayes");
	TCase *c = tcase_create("privbayes");
	tcase_set_timeout(c, 120);
	tcase_add_test(c, scores_by_hand);
	tcase_add_test(c, a_record_moves_a_score_by_at_most_what_is_declared);
	tcase_add_test(c, epsilons_add_up);
	tcase_add_test(c, a_known_chain_is_found);
	tcase_add_test(c, cells_without_rows_get_noise);
	suite_add_tcase(s, c);
	return tk_run(s);
}
