// SPDX-License-Identifier: Apache-2.0
/* mst and its pieces: merged cells and forests by hand, and a known chain that must be found. */
#include <string.h>

#include "core/data/encode.h"
#include "generators/kit/merged.h"
#include "generators/kit/pairs.h"
#include "tests/oracle/gen_support.h"

static iso_error err;

/* ------------------------------------------------------------------ pairs and merged cells */

/* Columns of 2, 3, 4 and 50 cells.  Without a hub and with at most 100 cells a pair, the last
 * column goes with the first alone: three edges.  With column 0 as hub it pairs with all others
 * (100 cells); pairs then count twice as many cells, so that of 1 and 2 fits (24) and those with 3
 * do not: one edge. */
START_TEST(allowed_pairs_follow_from_public_sizes)
{
	const size_t cells[] = {2, 3, 4, 50};
	iso_pair_rule r = {.cells = cells, .n = 4, .hub = SIZE_MAX, .max_cells = 100};
	size_t edges;
	tk_ok(iso_forest_edges(&r, &edges, &err));
	ck_assert_uint_eq(edges, 3);
	ck_assert(iso_pair_allowed(&r, 0, 3) && !iso_pair_allowed(&r, 1, 3));
	ck_assert(!iso_pair_with_hub(&r, 1));
	r.hub = 0;
	tk_ok(iso_forest_edges(&r, &edges, &err));
	ck_assert_uint_eq(edges, 1);
	ck_assert(iso_pair_with_hub(&r, 3) && !iso_pair_with_hub(&r, 0));
	ck_assert(iso_pair_allowed(&r, 1, 2) && !iso_pair_allowed(&r, 0, 1));
	r.max_cells = 23;
	tk_ok(iso_forest_edges(&r, &edges, &err));
	ck_assert_uint_eq(edges, 0);
}
END_TEST

/* Five cells with counts 40, 2, -3, 30 and 5 of standard deviation 10: the first and the fourth
 * stay, the others become cell 2 with count 4 and deviation 10 sqrt 3. */
START_TEST(small_cells_are_merged)
{
	size_t cells[] = {5}, column[] = {0}, first[] = {0};
	uint32_t code[] = {0, 1, 2, 3, 4};
	const iso_binning b = {.ncode = 1,
			       .cells = cells,
			       .column = column,
			       .first = first,
			       .total = 5,
			       .code = code};
	const double one[] = {40, 2, -3, 30, 5};
	const uint32_t want[] = {0, 2, 2, 1, 2};
	iso_merged m;
	tk_ok(iso_merged_new(&b, one, 10, &m, &err));
	ck_assert_uint_eq(m.cells[0], 3);
	tk_assert_close(m.count[0], 40, 0, 0);
	tk_assert_close(m.count[1], 30, 0, 0);
	tk_assert_close(m.count[2], 4, 1e-12, 0);
	tk_assert_close(m.weight[0], 0.1, 1e-12, 0);
	tk_assert_close(m.weight[2], 1 / (10 * sqrt(3)), 1e-12, 0);
	tk_assert_close(m.total, 74, 1e-12, 0);
	iso_merged_codes(&m, &b, 5);
	for (size_t i = 0; i < 5; i++)
		ck_assert_uint_eq(code[i], want[i]);
	ck_assert_uint_eq(iso_merged_undo(&m, &b, 0, 1, .5), 3);
	ck_assert_uint_eq(iso_merged_undo(&m, &b, 0, 2, .1), 1);
	ck_assert_uint_eq(iso_merged_undo(&m, &b, 0, 2, .5), 2);
	ck_assert_uint_eq(iso_merged_undo(&m, &b, 0, 2, .9), 4);
	iso_merged_free(&m);
}
END_TEST

/* ------------------------------------------------------------------ the generator */

/* A chain a -> b -> c -> d of four-valued columns: the child equals its parent with probability
 * .8, else it is uniform.  At epsilon 1e6 the tree must be the chain (adjacent pairs are farther
 * from independence than others), and the shares of equal neighbours must come back: .85 each, and
 * .7225 + (1 - .85)^2 / 3 = .73 two steps apart.  20,000 draws: standard error .0025 and .0031,
 * 5 standard errors. */
START_TEST(a_known_chain_is_found)
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
	static const size_t place[] = {1, 3, 0, 2}; /* of a, b, c, d */
	const size_t n = 20000;
	const iso_key key = iso_key_new(3, "chain");
	cJSON *v = cJSON_Parse(text), *facts = cJSON_CreateObject();
	iso_schema *s;
	iso_table *t, *out;
	double next = 0, two = 0;
	void *o;
	tk_ok(iso_schema_from_json(v, "chain", &s, &err));
	tk_ok(iso_table_new(s, n, &t, &err));
	for (size_t r = 0; r < n; r++) {
		double x = floor(4 * iso_rand_u01(key, r, 0));
		for (size_t k = 0; k < 4; k++) {
			if (k && iso_rand_u01(key, r, 2 * k) >= .8)
				x = floor(4 * iso_rand_u01(key, r, 2 * k + 1));
			t->cells[r * 4 + place[k]] = x;
		}
	}
	iso_training m = gen_train(gen_find("mst"), "", t, 1e6, 0, NULL, &o);
	tk_ok(m.generator->describe(m.model, facts, &err));
	char *said = cJSON_PrintUnformatted(facts);
	ck_assert_msg(strstr(said, "a - b") && strstr(said, "c - b") && strstr(said, "c - d"), "%s",
		      said);
	cJSON_free(said);
	out = gen_sample(&m, s, n);
	for (size_t r = 0; r < n; r++) {
		const double *x = out->cells + r * 4;
		for (size_t k = 0; k < 3; k++)
			next += (x[place[k]] == x[place[k + 1]]) / (3.0 * (double)n);
		two += (x[place[0]] == x[place[2]]) / (double)n;
	}
	/* the training rows themselves have the same standard error, hence sqrt 2 */
	tk_assert_close(next, .85, 0, .0125);
	tk_assert_close(two, .73, 0, .022);
	iso_training_free(&m);
	iso_free(o);
	iso_table_free(t);
	iso_table_free(out);
	iso_schema_free(s);
	cJSON_Delete(v);
	cJSON_Delete(facts);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mst");
	TCase *c = tcase_create("mst");
	tcase_set_timeout(c, 120);
	tcase_add_test(c, allowed_pairs_follow_from_public_sizes);
	tcase_add_test(c, small_cells_are_merged);
	tcase_add_test(c, a_known_chain_is_found);
	suite_add_tcase(s, c);
	return tk_run(s);
}
