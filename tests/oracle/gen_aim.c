// SPDX-License-Identifier: Apache-2.0
/* aim: the budget to its last digit, the best table first, the size limit, the halving rule. */
#include <string.h>

#include "generators/kit/marginal_model.h"
#include "tests/oracle/gen_support.h"

static iso_error err;

/* Four columns of four categories.  With `chain`: y copies x with probability .9, w copies z with
 * .6; else all are independent. */
static iso_table *rows(iso_schema **schema, size_t n, int chain)
{
	static const char text[] = "{\"name\":\"four\",\"columns\":["
				   "{\"name\":\"x\",\"type\":\"categorical\",\"categories\":[\"0\","
				   "\"1\",\"2\",\"3\"]},"
				   "{\"name\":\"y\",\"type\":\"categorical\",\"categories\":[\"0\","
				   "\"1\",\"2\",\"3\"]},"
				   "{\"name\":\"z\",\"type\":\"categorical\",\"categories\":[\"0\","
				   "\"1\",\"2\",\"3\"]},"
				   "{\"name\":\"w\",\"type\":\"categorical\",\"categories\":[\"0\","
				   "\"1\",\"2\",\"3\"]}]}";
	const iso_key key = iso_key_new(5, "rows");
	cJSON *v = cJSON_Parse(text);
	iso_table *t;
	tk_ok(iso_schema_from_json(v, "four", schema, &err));
	cJSON_Delete(v);
	tk_ok(iso_table_new(*schema, n, &t, &err));
	for (size_t r = 0; r < n; r++) {
		double *x = t->cells + r * 4;
		for (size_t j = 0; j < 4; j++)
			x[j] = floor(4 * iso_rand_u01(key, r, j));
		if (chain && iso_rand_u01(key, r, 4) < .9)
			x[1] = x[0];
		if (chain && iso_rand_u01(key, r, 5) < .6)
			x[3] = x[2];
	}
	return t;
}

typedef struct trained {
	iso_schema *schema;
	iso_table *table;
	iso_training t;
	void *options;
	const iso_marginals *m;
} trained;

static trained train(const char *options, int chain, double epsilon, double scale)
{
	trained r;
	r.table = rows(&r.schema, 5000, chain);
	r.t = gen_train(gen_find("aim"), options, r.table, epsilon, scale, NULL, &r.options);
	r.m = r.t.model;
	return r;
}

static void done(trained *r)
{
	iso_training_free(&r->t);
	iso_free(r->options);
	iso_table_free(r->table);
	iso_schema_free(r->schema);
}

/* With scale s the whole is 1/(2 s^2) in zCDP: d histograms of deviation s sqrt(T/.9) take
 * .9 d/T of it, T = 4 d, and the rounds spend the rest to its last digit. */
START_TEST(the_budget_is_spent_exactly)
{
	trained r = train("", 1, 0, 5);
	const iso_plan *p = iso_ledger_items(r.t.ledger);
	double rho = 0;
	for (size_t i = 0; i < p->n; i++)
		rho += p->v[i].adaptive ? p->v[i].spent
					: (double)p->v[i].used /
						  (2 * p->v[i].event.noise * p->v[i].event.noise);
	tk_assert_close(rho, 1 / (2 * 25.0), 1e-9, 0);
	tk_assert_close(r.m->sd, 5 * sqrt(16 / .9), 1e-12, 0);
	done(&r);
}
END_TEST

/* Almost without noise the first choice is the pair that is farthest from independence, and the
 * second the other dependent pair. */
START_TEST(the_worst_table_is_chosen_first)
{
	trained r = train("", 1, 0, 1e-3);
	ck_assert_uint_ge(r.m->nset, 2);
	ck_assert_uint_eq(r.m->set[0].scope.n, 2);
	ck_assert_uint_eq(r.m->set[0].scope.v[0], 0);
	ck_assert_uint_eq(r.m->set[0].scope.v[1], 1);
	ck_assert_uint_eq(r.m->set[1].scope.v[0], 2);
	ck_assert_uint_eq(r.m->set[1].scope.v[1], 3);
	/* and it is reproduced: P(x = y) = .9 + .1/4 */
	double mu[16], same = 0;
	tk_ok(iso_graph_marginal(&r.m->graph, &r.m->set[0].scope, mu, &err));
	for (size_t i = 0; i < 4; i++)
		same += mu[5 * i] / 5000;
	tk_assert_close(same, .925, 0, 5 * sqrt(.925 * .075 / 5000));
	done(&r);
}
END_TEST

/* Independent columns bring no news: every round halves the noise, its cost grows fourfold, and the
 * rounds are few.  12 of T = 16 planned ones (the first .9 / 4 go to the columns) would fit without
 * halving. */
START_TEST(without_news_the_noise_is_halved)
{
	trained still = train("", 0, 1, 0);
	ck_assert_uint_le(still.m->nset, 4);
	ck_assert(still.m->set[still.m->nset - 1].sd < 0.6 * still.m->set[0].sd);
	done(&still);
}
END_TEST

/* A pair has 16 cells, the four columns alone 16 together.  With room for 20 cells no pair fits
 * (16 + 4 + 4 = 24); with room for 30, two pairs (32) do not. */
START_TEST(the_tree_stays_within_its_limit)
{
	static const char *const room[] = {"max_mb=0.000152587890625", /* 20 doubles */
					   "max_mb=0.0002288818359375" /* 30 */};
	static const double most[] = {20, 30};
	for (size_t k = 0; k < 2; k++) {
		trained r = train(room[k], 1, 0, 1);
		ck_assert(r.m->graph.tree.total <= most[k]);
		tk_assert_close(r.m->limit, most[k], 1e-9, 0);
		size_t pairs = 0;
		for (size_t i = 0; i < r.m->nset; i++)
			pairs += r.m->set[i].scope.n == 2;
		ck_assert(k == 0 ? pairs == 0 : r.m->nset > 0);
		done(&r);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("aim");
	TCase *c = tcase_create("aim");
	tcase_set_timeout(c, 120);
	tcase_add_test(c, the_budget_is_spent_exactly);
	tcase_add_test(c, the_worst_table_is_chosen_first);
	tcase_add_test(c, without_news_the_noise_is_halved);
	tcase_add_test(c, the_tree_stays_within_its_limit);
	suite_add_tcase(s, c);
	return tk_run(s);
}
