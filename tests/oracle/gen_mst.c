// SPDX-License-Identifier: Apache-2.0
/* mst and its pieces against brute force: pair scores by counting, the tree's marginals by
 * enumeration, the fit by exponentiated gradients on the whole joint table, and a known chain that
 * must be found. */
#include <string.h>

#include "core/data/encode.h"
#include "generators/kit/merged.h"
#include "generators/kit/pairs.h"
#include "generators/kit/tree_model.h"
#include "tests/oracle/gen_support.h"

static iso_error err;

/* ------------------------------------------------------------------ the model of a tree */

/* A chain 0 - 1 - 2 with 2, 3 and 2 cells: joint probabilities of every combination. */
static const double joint[2][3][2] = {{{.08, .02}, {.05, .15}, {.12, .03}},
				      {{.16, .04}, {.0125, .0375}, {.24, .06}}};

/* Exact one-way and edge counts are reproduced, and the law of the third variable given the second
 * is the joint's. */
START_TEST(exact_counts_are_reproduced)
{
	const size_t cells[] = {2, 3, 2};
	double y[7] = {0}, w[7], y01[6] = {0}, y12[6] = {0};
	iso_tree_model m;
	for (size_t a = 0; a < 2; a++)
		for (size_t b = 0; b < 3; b++)
			for (size_t c = 0; c < 2; c++) {
				const double x = 1000 * joint[a][b][c];
				y[a] += x, y[2 + b] += x, y[5 + c] += x;
				y01[3 * a + b] += x;
				y12[2 * b + c] += x;
			}
	for (size_t i = 0; i < 7; i++)
		w[i] = 1;
	/* the second edge is given as (2, 1): its table is transposed */
	double y21[6];
	for (size_t b = 0; b < 3; b++)
		for (size_t c = 0; c < 2; c++)
			y21[3 * c + b] = y12[2 * b + c];
	const iso_tree_edge edge[] = {{0, 1, y01, 1}, {2, 1, y21, 1}};
	const iso_tree_problem p = {.nvar = 3,
				    .nedge = 2,
				    .cells = cells,
				    .y = y,
				    .weight = w,
				    .edge = edge,
				    .total = 1000,
				    .iterations = 50};
	tk_ok(iso_tree_fit(&p, &m, &err));
	ck_assert_uint_eq(m.order[0], 0);
	ck_assert(m.parent[0] == SIZE_MAX);
	ck_assert_uint_eq(m.parent[1], 0);
	ck_assert_uint_eq(m.parent[2], 1);
	tk_assert_close(m.loss, 0, 0, 1e-12);
	for (size_t a = 0; a < 2; a++) {
		tk_assert_close(iso_tree_law(&m, 0, 0)[a], y[a] / 1000, 1e-12, 0);
		for (size_t b = 0; b < 3; b++)
			tk_assert_close(iso_tree_law(&m, 1, a)[b], y01[3 * a + b] / y[a], 1e-12, 0);
	}
	for (size_t b = 0; b < 3; b++)
		for (size_t c = 0; c < 2; c++)
			tk_assert_close(iso_tree_law(&m, 2, b)[c], y12[2 * b + c] / y[2 + b], 1e-12,
					0);
	iso_tree_free(&m);
}
END_TEST

/* Loss of a joint table of two variables (2 x 3) against one-way and two-way counts. */
static double joint_loss(const double *p, double total, const double *y, const double *y01,
			 double *grad)
{
	double mu[5] = {0}, loss = 0;
	for (size_t a = 0; a < 2; a++)
		for (size_t b = 0; b < 3; b++) {
			mu[a] += total * p[3 * a + b];
			mu[2 + b] += total * p[3 * a + b];
		}
	for (size_t i = 0; i < 5; i++)
		loss += 0.5 * 0.2 * (mu[i] - y[i]) * (mu[i] - y[i]);
	for (size_t a = 0; a < 2; a++)
		for (size_t b = 0; b < 3; b++) {
			const double d = total * p[3 * a + b] - y01[3 * a + b];
			loss += 0.5 * 0.7 * d * d;
			grad[3 * a + b] =
				0.7 * d + 0.2 * (mu[a] - y[a]) + 0.2 * (mu[2 + b] - y[2 + b]);
		}
	return loss;
}

/* Counts that contradict each other, one of them negative: the loss must come down to that of the
 * best joint table, found by 400,000 small exponentiated-gradient steps on all six cells. */
START_TEST(contradicting_counts_are_compromised_as_by_brute_force)
{
	const size_t cells[] = {2, 3};
	const double y[] = {70, 35, 40, 30, 20}, w[] = {.2, .2, .2, .2, .2};
	const double y01[] = {30, 25, 10, -4, 12, 25};
	const iso_tree_edge edge[] = {{0, 1, y01, .7}};
	const iso_tree_problem problem = {.nvar = 2,
					  .nedge = 1,
					  .cells = cells,
					  .y = y,
					  .weight = w,
					  .edge = edge,
					  .total = 100,
					  .iterations = 20000};
	double p[6], grad[6], best = INFINITY;
	iso_tree_model m;
	for (size_t i = 0; i < 6; i++)
		p[i] = 1.0 / 6;
	for (int t = 0; t < 400000; t++) {
		double sum = 0;
		best = fmin(best, joint_loss(p, 100, y, y01, grad));
		for (size_t i = 0; i < 6; i++)
			sum += p[i] *= exp(-2e-4 * grad[i]);
		for (size_t i = 0; i < 6; i++)
			p[i] /= sum;
	}
	tk_ok(iso_tree_fit(&problem, &m, &err));
	tk_assert_close(m.loss, best, 1e-4, 0);
	for (size_t a = 0; a < 2; a++)
		for (size_t b = 0; b < 3; b++)
			tk_assert_close(iso_tree_law(&m, 0, 0)[a] * iso_tree_law(&m, 1, a)[b],
					p[3 * a + b], 0, 2e-3);
	iso_tree_free(&m);
}
END_TEST

START_TEST(a_circle_is_refused)
{
	const size_t cells[] = {2, 2, 2};
	const double y[6] = {1, 1, 1, 1, 1, 1}, pair[4] = {1, 1, 1, 1};
	const iso_tree_edge edge[] = {{0, 1, pair, 1}, {1, 2, pair, 1}, {2, 0, pair, 1}};
	const iso_tree_problem p = {.nvar = 3,
				    .nedge = 3,
				    .cells = cells,
				    .y = y,
				    .weight = y,
				    .edge = edge,
				    .total = 2,
				    .iterations = 1};
	iso_tree_model m;
	tk_fails(iso_tree_fit(&p, &m, &err), ISO_E_INTERNAL, "circle");
	ck_assert_ptr_null(m.law);
}
END_TEST

/* ------------------------------------------------------------------ pairs and merged cells */

/* Six rows of two columns: by hand.  counts 2 0 / 1 3, shares (1/3, 2/3) and (1/2, 1/2) of 6:
 * expected 1 1 / 2 2, distance 1 + 1 + 1 + 1. */
START_TEST(scores_are_distances_from_independence)
{
	const uint32_t code[] = {0, 0, 0, 0, 1, 0, 1, 1, 1, 1, 1, 1};
	const size_t cells[] = {2, 2}, first[] = {0, 2};
	const double share[] = {1.0 / 3, 2.0 / 3, .5, .5};
	iso_pair_data d = {.code = code,
			   .n = 6,
			   .d = 2,
			   .cells = cells,
			   .public_cells = cells,
			   .max_cells = 4,
			   .share = share,
			   .first = first,
			   .total = 6};
	iso_pair_scores s;
	double full;
	size_t edges;
	tk_ok(iso_pair_scores_new(&d, &s, &err));
	ck_assert_uint_eq(s.n, 1);
	ck_assert_uint_eq(s.pair[0], 0);
	ck_assert_uint_eq(s.pair[1], 1);
	full = s.score[0];
	tk_assert_close(full, 4, 1e-12, 0);
	iso_pair_scores_free(&s);
	d.n = 5; /* one record less: the declared sensitivity of 1 */
	tk_ok(iso_pair_scores_new(&d, &s, &err));
	ck_assert(fabs(s.score[0] - full) <= 1 + 1e-12);
	iso_pair_scores_free(&s);
	d.max_cells = 3; /* too many cells: the pair is not offered */
	tk_ok(iso_pair_scores_new(&d, &s, &err));
	ck_assert_uint_eq(s.n, 0);
	iso_pair_scores_free(&s);
	tk_ok(iso_forest_edges(cells, 2, 4, &edges, &err));
	ck_assert_uint_eq(edges, 1);
	tk_ok(iso_forest_edges(cells, 2, 3, &edges, &err));
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
	tcase_add_test(c, exact_counts_are_reproduced);
	tcase_add_test(c, contradicting_counts_are_compromised_as_by_brute_force);
	tcase_add_test(c, a_circle_is_refused);
	tcase_add_test(c, scores_are_distances_from_independence);
	tcase_add_test(c, small_cells_are_merged);
	tcase_add_test(c, a_known_chain_is_found);
	suite_add_tcase(s, c);
	return tk_run(s);
}
