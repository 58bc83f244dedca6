// SPDX-License-Identifier: Apache-2.0
/* obfuscate against the arithmetic of its card: what changes, how often, and what it costs. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/oracle/gen_support.h"

static iso_error err;

/* n rows under a key that does not depend on the generator. */
static iso_table *rows_of(const iso_training *m, const iso_schema *s, size_t n)
{
	iso_table *out;
	tk_ok(iso_table_new(s, n, &out, &err));
	tk_ok(m->generator->sample(m->model, iso_key_new(21, "rows"), out, &err));
	return out;
}

/* The obfuscated rows themselves, in the order of `memorise`, and the training rows in the same
 * order: the order depends on the sampling key and the number of rows alone. */
typedef struct pair {
	iso_training a, b;
	void *oa, *ob;
	iso_table *t, *got, *was;
} pair;

static pair run(const char *options, size_t n)
{
	char text[256];
	pair p = {.t = fx_table(fx_schema(), n, 3)};
	snprintf(text, sizeof text, "inner=memorise %s", options);
	p.a = gen_train(gen_find("obfuscate"), text, p.t, 1, 0, NULL, &p.oa);
	p.b = gen_train(gen_find("memorise"), "", p.t, INFINITY, 0, NULL, &p.ob);
	p.got = rows_of(&p.a, p.t->schema, n);
	p.was = rows_of(&p.b, p.t->schema, n);
	return p;
}

static void done(pair *p)
{
	iso_training_free(&p->a);
	iso_training_free(&p->b);
	iso_free(p->oa);
	iso_free(p->ob);
	iso_table_free(p->t);
	iso_table_free(p->got);
	iso_table_free(p->was);
}

/* Acceptance 1: without noise nothing changes, bit for bit. */
START_TEST(no_noise_changes_nothing)
{
	pair p = run("sigma=0 resample=0 features=1", 300);
	ck_assert_int_eq(
		memcmp(p.got->cells, p.was->cells, 300 * p.t->schema->ncol * sizeof(double)), 0);
	done(&p);
}
END_TEST

/* Acceptance 2: of the 4 features of a row, round(0.5 * 4) = 2 are chosen in half of the rows.
 * Income is continuous over [0,1000] with sigma 0.01, so that a chosen income changes by 5 times a
 * standard normal, and a clipped one is rare.  Chance that it changes: r p = 1/4; 4,000 rows, 4.5
 * binomial standard deviations of .0068 (false alarms 7e-6).  The label never changes. */
START_TEST(the_stated_share_of_cells_changes)
{
	pair p = run("rows=0.5 features=0.5 sigma=0.01 resample=1", 4000);
	double seen = 0, changed = 0, sum2 = 0, city = 0;
	for (size_t r = 0; r < 4000; r++) {
		const double d = iso_table_cell(p.got, r, 1) - iso_table_cell(p.was, r, 1);
		city += iso_table_cell(p.got, r, 2) != iso_table_cell(p.was, r, 2);
		ck_assert_uint_eq(iso_table_label(p.got, r), iso_table_label(p.was, r));
		if (isnan(d))
			continue;
		seen++;
		changed += d != 0;
		sum2 += d * d;
	}
	ck_assert_msg(fabs(changed / seen - 0.25) < 4.5 * sqrt(0.25 * 0.75 / seen), "share %g",
		      changed / seen);
	/* the relative standard error of a variance from m normals is sqrt(2 / m) */
	ck_assert_msg(fabs(sum2 / changed / 25 - 1) < 4.5 * sqrt(2 / changed), "variance %g",
		      sum2 / changed);
	/* a chosen city is one of four, uniformly: 3/4 of the 1/4 change */
	ck_assert_msg(fabs(city / 4000 - 0.1875) < 4.5 * sqrt(0.1875 * 0.8125 / 4000), "city %g",
		      city / 4000);
	done(&p);
}
END_TEST

/* Acceptance 3: as many negatives as the group has rows put every numeric mean of the group to the
 * middle of its range: (sum x + sum (lo + hi - x)) / 2n.  Missing stay missing in both. */
START_TEST(mirrored_groups_have_the_middle_as_mean)
{
	iso_table *t = fx_table(fx_schema(), 400, 3);
	size_t count[2] = {0, 0};
	void *o;
	for (size_t r = 0; r < t->n; r++)
		count[iso_table_label(t, r)]++;
	iso_training m = gen_train(gen_find("obfuscate"),
				   "inner=memorise rows=0 group=yes copies=1 sigma_neg=0", t, 1, 0,
				   count, &o);
	iso_table *got = rows_of(&m, t->schema, 400 + count[1]);
	ck_assert(fabs(gen_mean(got, 0, 1) - 50) < 1e-9);
	ck_assert(fabs(gen_mean(got, 1, 1) - 500) < 1e-9);
	ck_assert(fabs(gen_mean(got, 0, 0) - gen_mean(t, 0, 0)) < 1e-9); /* the others stay */
	iso_table_free(got);
	iso_training_free(&m);
	iso_free(o);
	iso_table_free(t);
}
END_TEST

/* Acceptance 4: no finite epsilon in mode=noise, also before a private generator once there is a
 * group; before a private one without a group, that generator's own plan and guarantee. */
START_TEST(only_a_private_inner_generator_promises)
{
	const struct {
		const char *options;
		iso_guarantee want;
		size_t uncharged;
	} cases[] = {{"inner=memorise", ISO_GUARANTEE_NONE, 1},
		     {"inner=independent", ISO_GUARANTEE_DP, 0},
		     {"inner=independent group=yes", ISO_GUARANTEE_HEURISTIC, 1}};
	iso_table *t = fx_table(fx_schema(), 300, 3);
	for (size_t i = 0; i < 3; i++) {
		void *o;
		iso_epsilons e;
		iso_training m =
			gen_train(gen_find("obfuscate"), cases[i].options, t, 1, 0, NULL, &o);
		ck_assert_int_eq(m.guarantee, cases[i].want);
		ck_assert_uint_eq(iso_ledger_uncharged_count(m.ledger), cases[i].uncharged);
		tk_ok(iso_ledger_epsilon(m.ledger, 1e-5, ISO_WANT_RDP, &e, &err));
		ck_assert_msg(cases[i].uncharged ? isinf(e.rdp) : e.rdp > 0.99 && e.rdp <= 1 + 1e-9,
			      "%s: epsilon %g", cases[i].options, e.rdp);
		iso_training_free(&m);
		iso_free(o);
	}
	iso_table_free(t);
}
END_TEST

/* Acceptance 5: in mode=local a city of k = 4 keeps its value with probability e^eps / (e^eps + 3)
 * where eps is the ledger's (5 reports, one a cell, share epsilon 5 in pure composition or better).
 * 4,000 rows, 4.5 binomial standard deviations. */
START_TEST(local_reports_have_their_probabilities)
{
	const iso_generator *g = gen_find("obfuscate");
	iso_table *t = fx_table(fx_schema(), 4000, 3);
	void *o = iso_alloc(1, g->options_size);
	cJSON *v = cJSON_CreateObject();
	iso_training m;
	double kept = 0;
	tk_ok(iso_options_set(v, "mode=local", &err));
	tk_ok(iso_options_set(v, "inner=memorise", &err));
	tk_ok(iso_options_resolve(g->options, v, g->name, o, g->options_size, NULL, &err));
	cJSON_Delete(v);
	iso_training_request r = {.generator = g,
				  .options = o,
				  .train = t,
				  .epsilon = 5,
				  .delta = 1e-5,
				  .accountant = ISO_ACC_PLD,
				  .adjacency = ISO_ADD_REMOVE,
				  .seed = 12};
	tk_fails(iso_train(&r, &m, &err), ISO_E_CONFIG, "replace-one");
	r.adjacency = ISO_REPLACE_ONE;
	tk_ok(iso_train(&r, &m, &err));
	const iso_plan_item *it = &iso_ledger_items(m.ledger)->v[0];
	ck_assert_uint_eq(it->event.count, 5);
	ck_assert(it->event.epsilon >= 0.98 && it->event.epsilon < 2);
	void *ob;
	iso_training twin = gen_train(gen_find("memorise"), "", t, INFINITY, 0, NULL, &ob);
	iso_table *got = rows_of(&m, t->schema, 4000), *was = rows_of(&twin, t->schema, 4000);
	for (size_t i = 0; i < 4000; i++)
		kept += iso_table_cell(got, i, 2) == iso_table_cell(was, i, 2);
	const double p = exp(it->event.epsilon) / (exp(it->event.epsilon) + 3);
	ck_assert_msg(fabs(kept / 4000 - p) < 4.5 * sqrt(p * (1 - p) / 4000), "kept %g, want %g",
		      kept / 4000, p);
	iso_table_free(got);
	iso_table_free(was);
	iso_training_free(&m);
	iso_training_free(&twin);
	iso_free(o);
	iso_free(ob);
	iso_table_free(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("obfuscate");
	TCase *c = tcase_create("obfuscate");
	tcase_set_timeout(c, 60);
	tcase_add_test(c, no_noise_changes_nothing);
	tcase_add_test(c, the_stated_share_of_cells_changes);
	tcase_add_test(c, mirrored_groups_have_the_middle_as_mean);
	tcase_add_test(c, only_a_private_inner_generator_promises);
	tcase_add_test(c, local_reports_have_their_probabilities);
	suite_add_tcase(s, c);
	return tk_run(s);
}
