// SPDX-License-Identifier: Apache-2.0
/* dp-auto-gan, dp-ctgan and pate-ctgan: what is planned, what is released, what stays fixed, by
 * their cards. */
#include <string.h>

#include "generators/kit/latent_model.h"
#include "tests/oracle/gen_support.h"

static iso_error err;

static void plan_of(const char *name, const char *set, const iso_schema *s, double scale,
		    iso_plan *p, iso_guarantee *promise, double *claim)
{
	const iso_generator *g = gen_find(name);
	cJSON *v = cJSON_CreateObject();
	void *o = iso_alloc(1, g->options_size);
	if (set)
		tk_ok(iso_options_set(v, set, &err));
	tk_ok(iso_options_resolve(g->options, v, "t", o, g->options_size, NULL, &err));
	const iso_gen_env env = {
		.schema = s, .n = 32561, .options = o, .epsilon = 2, .delta = 1e-5};
	*p = (iso_plan){0};
	tk_ok(g->plan(&env, scale, p, &err));
	*promise = iso_generator_guarantee(g, o);
	*claim = g->claimed_epsilon(&env);
	iso_free(o);
	cJSON_Delete(v);
}

/* ---- dp-auto-gan ---- */

/* mu^2 of an entry is q^2 T / s^2: the auto-encoder has ae_share of the sum. */
START_TEST(two_phases_share_the_budget)
{
	iso_plan p;
	iso_guarantee promise;
	double claim, mu[2];
	plan_of("dp-auto-gan", NULL, fx_schema(), 3, &p, &promise, &claim);
	ck_assert_int_eq(promise, ISO_GUARANTEE_DP);
	ck_assert(isnan(claim));
	ck_assert_uint_eq(p.n, 2);
	ck_assert_str_eq(p.v[0].why, "ae-step");
	ck_assert_str_eq(p.v[1].why, "disc-step");
	ck_assert_uint_eq(p.v[0].event.count, 10000);
	ck_assert_uint_eq(p.v[1].event.count, 15000);
	tk_assert_close(p.v[0].event.rate, 64.0 / 32561, 1e-12, 0);
	tk_assert_close(p.v[1].event.rate, 128.0 / 32561, 1e-12, 0);
	tk_assert_close(p.v[1].event.noise, 3, 0, 0);
	for (size_t i = 0; i < 2; i++)
		mu[i] = pow(p.v[i].event.rate / p.v[i].event.noise, 2) * (double)p.v[i].event.count;
	tk_assert_close(mu[0] / (mu[0] + mu[1]), 0.4, 1e-9, 0);
	iso_plan_free(&p);
	plan_of("dp-auto-gan", "mode=paper", fx_schema(), 3, &p, &promise, &claim);
	ck_assert_int_eq(promise, ISO_GUARANTEE_HEURISTIC);
	tk_assert_close(claim, 2, 0, 0);
	ck_assert_uint_eq(p.n, 3);
	ck_assert_str_eq(p.v[1].why, "unsound-encoder");
	ck_assert_int_eq(p.v[1].event.mechanism, ISO_MECH_UNCHARGED);
	iso_plan_free(&p);
}
END_TEST

/* The fixture's rows are 1 + 2 + 4 + 3 + 2 = 12 floats wide: the decoder is 15 - 13 - 12. */
#define DECODER (16 * 13 + 14 * 12)

typedef struct nets {
	float *g, *d;
	size_t ng, nd;
} nets;

static nets trained(const char *options, const iso_table *t)
{
	void *o;
	iso_training m = gen_train(gen_find("dp-auto-gan"), options, t, 5, 0, NULL, &o);
	const iso_latent_model *l = m.model;
	nets out = {.ng = iso_net_params(l->decoder[0]), .nd = iso_net_params(l->scorer)};
	out.g = iso_alloc(out.ng, sizeof(float));
	out.d = iso_alloc(out.nd, sizeof(float));
	memcpy(out.g, iso_net_theta(l->decoder[0]), out.ng * sizeof(float));
	memcpy(out.d, iso_net_theta(l->scorer), out.nd * sizeof(float));
	iso_training_free(&m);
	iso_free(o);
	return out;
}

static int same(const float *a, const float *b, size_t n)
{
	return memcmp(a, b, n * sizeof *a) == 0;
}

static double largest(const float *w, size_t n)
{
	double top = 0;
	for (size_t i = 0; i < n; i++)
		top = fmax(top, fabs((double)w[i]));
	return top;
}

/* Without a full round of n_d steps G is as it was drawn; with one, at a rate of 50, its layers are
 * thrown far away and the decoder's are not; the critic's weights stay in their box. */
START_TEST(decoder_is_fixed_while_g_learns)
{
	iso_table *t = fx_table(fx_schema(), 300, 4);
#define SET \
	"ae_steps=30 ae_batch=16 batch=16 generator=8 z_dim=4 average=0 weight_clip=0.01 " \
	"steps=15 lr_g=50 "
	nets a = trained(SET "n_d=16", t), b = trained(SET "n_d=17", t),
	     c = trained(SET "n_d=15", t);
	const size_t front = a.ng - DECODER;
	ck_assert_uint_eq(front, 5 * 8 + 9 * 15);
	ck_assert(same(a.g, b.g, front));
	ck_assert(largest(a.g, front) < 5);
	ck_assert(largest(c.g, front) > 20);
	ck_assert(largest(c.g + front, DECODER) < 5);
	ck_assert(largest(a.d, a.nd) <= 0.01f);
	nets *const all[] = {&a, &b, &c};
	for (size_t i = 0; i < 3; i++) {
		iso_free(all[i]->g);
		iso_free(all[i]->d);
	}
	iso_table_free(t);
}
END_TEST

/* ---- dp-ctgan ---- */

/* One Gaussian of sensitivity sqrt(columns) for all histograms; none without a discrete column or
 * under a uniform law; as many noisy steps as D has. */
START_TEST(category_histograms_are_planned)
{
	iso_plan p;
	iso_guarantee promise;
	double claim;
	plan_of("dp-ctgan", NULL, fx_schema(), 3, &p, &promise, &claim);
	ck_assert_uint_eq(p.n, 2);
	ck_assert_uint_eq(p.v[0].event.count, 19537); /* 300 epochs of 32561 / 500 */
	tk_assert_close(p.v[0].sensitivity, 1, 0, 0);
	ck_assert_str_eq(p.v[1].why, "category-histograms");
	tk_assert_close(p.v[1].sensitivity, sqrt(3), 1e-15, 0); /* city, job, member */
	const double q = 500.0 / 32561;
	tk_assert_close(p.v[1].event.noise, 3 / (q * sqrt(19537 * 0.05)), 1e-12, 0);
	iso_plan_free(&p);
	plan_of("dp-ctgan", "labels=uniform", fx_schema(), 3, &p, &promise, &claim);
	ck_assert_uint_eq(p.n, 1);
	iso_plan_free(&p);
	plan_of("dp-ctgan", NULL, fx_schema_single(), 3, &p, &promise, &claim);
	ck_assert_uint_eq(p.n, 1);
	iso_plan_free(&p);
	plan_of("dp-ctgan", "mode=paper", fx_schema(), 3, &p, &promise, &claim);
	ck_assert_int_eq(promise, ISO_GUARANTEE_HEURISTIC);
	tk_assert_close(claim, 2, 0, 0);
	ck_assert_int_eq(p.v[1].event.mechanism, ISO_MECH_UNCHARGED);
	iso_plan_free(&p);
}
END_TEST

static const size_t cells[] = {4, 3, 2}, column[] = {2, 3, 4};

/* With next to no noise the law of the conditions is the data's: (count / n) / 3 for a category of
 * one of three columns. */
START_TEST(law_of_conditions_is_that_of_the_categories)
{
	iso_table *t = fx_table(fx_schema(), 500, 6);
	void *o;
	iso_training m =
		gen_train(gen_find("dp-ctgan"), "steps=2 hidden=8 z_dim=4", t, 1, 1e-9, NULL, &o);
	const iso_latent_model *l = m.model;
	ck_assert_uint_eq(l->blocks, 3);
	ck_assert_uint_eq(l->conds, 9);
	ck_assert_uint_eq(l->zw, 4 + 9);
	ck_assert_uint_eq(l->width, 12 + 9);
	double before = 0;
	for (size_t b = 0, k = 0; b < 3; b++)
		for (size_t c = 0; c < cells[b]; c++, k++) {
			size_t n = 0;
			for (size_t r = 0; r < t->n; r++)
				n += (size_t)iso_table_cell(t, r, column[b]) == c;
			tk_assert_close(l->law[k] - before, (double)n / 500 / 3, 0, 1e-6);
			before = l->law[k];
		}
	iso_training_free(&m);
	iso_table_free(t);
	iso_free(o);
}
END_TEST

/* Blocks of the fixture's row: age; income and its indicator; city; job; member. */
START_TEST(condition_of_a_row_is_its_category)
{
	iso_table *t = fx_table(fx_schema(), 20, 6);
	const float x[12] = {0.5f, 0.5f, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0};
	void *o;
	iso_training m = gen_train(gen_find("dp-ctgan"), "steps=1 hidden=4", t, 1, 1, NULL, &o);
	ck_assert_uint_eq(iso_latent_condition(m.model, x, 0), 2);     /* south */
	ck_assert_uint_eq(iso_latent_condition(m.model, x, 1), 4 + 1); /* part */
	ck_assert_uint_eq(iso_latent_condition(m.model, x, 2), 9);     /* missing: none */
	ck_assert_uint_eq(iso_latent_condition(m.model, x, 3), 9);     /* no such column */
	iso_training_free(&m);
	iso_table_free(t);
	iso_free(o);
}
END_TEST

/* Rows of each condition in turn, decoded: how many of n have the category that was asked for. */
static size_t obedient(const iso_training *m, size_t n, size_t latent, int normal)
{
	const iso_key key = iso_key_new(1, "z");
	float *z = iso_alloc(n * latent, sizeof *z);
	iso_table *out;
	size_t right = 0;
	if (normal)
		iso_rand_fill_normal(key, 0, 0, 1, z, n * latent);
	else
		iso_rand_fill_uniform(key, 0, -1, 1, z, n * latent);
	tk_ok(iso_table_new(fx_schema(), n, &out, &err));
	tk_ok(m->generator->decode(m->model, z, NULL, n, out, &err));
	for (size_t r = 0; r < out->n; r++)
		for (size_t b = 0, first = 0; b < 3; first += cells[b++])
			if (r % 9 >= first && r % 9 < first + cells[b])
				right += (size_t)iso_table_cell(out, r, column[b]) == r % 9 - first;
	iso_table_free(out);
	iso_free(z);
	return right;
}

/* G obeys: more than 7 of 10 rows have the category asked for; a third of them would by chance. */
START_TEST(generator_obeys_its_condition)
{
	iso_table *t = fx_table(fx_schema(), 1000, 6);
	void *o;
	iso_training m =
		gen_train(gen_find("dp-ctgan"),
			  "steps=3000 hidden=32 z_dim=8 batch=64 n_d=3 lr_d=2e-3 lr_g=2e-3", t, 1,
			  0.01, NULL, &o);
	ck_assert_uint_gt(obedient(&m, 540, 8, 1), 378);
	iso_training_free(&m);
	iso_table_free(t);
	iso_free(o);
}
END_TEST

/* ---- pate-ctgan ---- */

/* As many votes as planned and one release of all frequencies; with enough of them G obeys: an
 * asked category is had by more than 8 of 10 fakes. */
START_TEST(votes_and_categories)
{
	iso_table *t = fx_table(fx_schema(), 600, 6);
	void *o;
	iso_training m = gen_train(gen_find("pate-ctgan"),
				   "queries=200 teachers=20 iterations=10 start_steps=100", t, 20,
				   0, NULL, &o);
	const iso_plan *const p = iso_ledger_items(m.ledger);
	ck_assert_uint_eq(p->n, 2);
	ck_assert_str_eq(p->v[0].why, "votes");
	ck_assert_uint_eq(p->v[0].used, 200);
	tk_assert_close(p->v[0].sensitivity, sqrt(2), 1e-15, 0);
	ck_assert_str_eq(p->v[1].why, "category-histograms");
	tk_assert_close(p->v[1].sensitivity, sqrt(3), 1e-15, 0);
	ck_assert_uint_gt(obedient(&m, 360, 16, 0), 288);
	iso_training_free(&m);
	iso_table_free(t);
	iso_free(o);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("oracle/gen_modern");
	TCase *c = tcase_create("modern");
	tcase_set_timeout(c, 120);
	tcase_add_test(c, two_phases_share_the_budget);
	tcase_add_test(c, decoder_is_fixed_while_g_learns);
	tcase_add_test(c, category_histograms_are_planned);
	tcase_add_test(c, law_of_conditions_is_that_of_the_categories);
	tcase_add_test(c, condition_of_a_row_is_its_category);
	tcase_add_test(c, generator_obeys_its_condition);
	tcase_add_test(c, votes_and_categories);
	suite_add_tcase(s, c);
	return tk_run(s);
}
