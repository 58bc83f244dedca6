// SPDX-License-Identifier: Apache-2.0
/* independent and the controls: noise level, laws, what is copied and what is not; the template
 * under verify. */
#include <string.h>

#include "suites/flow/verify.h"
#include "tests/oracle/gen_support.h"

static iso_error err;

extern const iso_generator iso_generator_template;

#define CELLS_ALL \
	(32 + 33 + 4 + 3 + \
	 2) /* of fx_schema at 32 bins: age, income + missing, city, job, member */

static void marginals(const iso_training *t, double *out)
{
	iso_str s = {0};
	tk_ok(t->generator->save(t->model, &s, &err));
	const char *body = strchr(s.p, '\n') + 1;
	ck_assert_uint_eq((size_t)(s.p + s.n - body), CELLS_ALL * sizeof *out);
	memcpy(out, body, CELLS_ALL * sizeof *out);
	iso_str_free(&s);
}

/* E|N(0, s^2)| = s sqrt(2 / pi) per cell; s = scale sqrt(d), d = 5 tables.  4,000 cells: the mean
 * is within 5 % with probability 1 - 3e-5. */
START_TEST(error_per_cell_is_the_planned_noise)
{
	iso_table *t = fx_table(fx_schema(), 2000, 1);
	const double scale = 4;
	double exact[CELLS_ALL], got[CELLS_ALL], sum = 0;
	size_t n = 0;
	void *o;
	iso_training m =
		gen_train(gen_find("independent"), "mechanism=gaussian", t, 1, 1e-9, NULL, &o);
	marginals(&m, exact);
	iso_training_free(&m);
	iso_free(o);
	const iso_generator *g = gen_find("independent");
	for (uint64_t seed = 0; seed < 55; seed++) {
		cJSON *v = cJSON_CreateObject();
		o = iso_alloc(1, g->options_size);
		cJSON_AddStringToObject(v, "mechanism", "gaussian");
		tk_ok(iso_options_resolve(g->options, v, "t", o, g->options_size, NULL, &err));
		cJSON_Delete(v);
		const iso_training_request r = {.generator = g,
						.options = o,
						.train = t,
						.epsilon = 1,
						.delta = 1e-5,
						.seed = seed,
						.scale = scale};
		tk_ok(iso_train(&r, &m, &err));
		marginals(&m, got);
		for (size_t k = 0; k < CELLS_ALL; k++, n++)
			sum += fabs(got[k] - rint(exact[k]));
		iso_training_free(&m);
		iso_free(o);
	}
	tk_assert_close(sum / (double)n, scale * sqrt(5) * sqrt(2 / M_PI), 0.05, 0);
	iso_table_free(t);
}
END_TEST

/* Without noise the counts are those of the table: 5 cells a row, and one row less changes exactly
 * 5 cells by 1. */
START_TEST(one_row_is_one_cell_per_column)
{
	iso_table *t = fx_table(fx_schema(), 300, 2), *less;
	uint32_t row[299];
	double a[CELLS_ALL], b[CELLS_ALL], total = 0;
	size_t changed = 0;
	void *o;
	for (size_t i = 0; i < 299; i++)
		row[i] = (uint32_t)(i + (i >= 17));
	tk_ok(iso_table_select(t, row, 299, &less, &err));
	iso_training m =
		gen_train(gen_find("independent"), "mechanism=gaussian", t, 1, 1e-9, NULL, &o);
	marginals(&m, a);
	iso_training_free(&m);
	iso_free(o);
	m = gen_train(gen_find("independent"), "mechanism=gaussian", less, 1, 1e-9, NULL, &o);
	marginals(&m, b);
	for (size_t k = 0; k < CELLS_ALL; k++) {
		const double d = rint(a[k]) - rint(b[k]);
		ck_assert(d == 0 || d == 1);
		changed += d == 1;
		total += rint(a[k]);
	}
	ck_assert_uint_eq(changed, 5);
	tk_assert_close(total, 300 * 5, 0, 0);
	iso_training_free(&m);
	iso_free(o);
	iso_table_free(t);
	iso_table_free(less);
}
END_TEST

/* Mutual information of job and member in nats. */
static double information(const iso_table *t)
{
	double n[3][2] = {{0}}, r[3] = {0}, c[2] = {0}, sum = 0;
	for (size_t i = 0; i < t->n; i++) {
		const size_t j = (size_t)iso_table_cell(t, i, 3), y = iso_table_label(t, i);
		n[j][y] += 1.0 / (double)t->n;
		r[j] += 1.0 / (double)t->n;
		c[y] += 1.0 / (double)t->n;
	}
	for (size_t j = 0; j < 3; j++)
		for (size_t y = 0; y < 2; y++)
			sum += n[j][y] > 0 ? n[j][y] * log(n[j][y] / (r[j] * c[y])) : 0;
	return sum;
}

/* _i: 0 plain: no dependence; 1 marg_label: P(x | y) as in the table */
START_TEST(dependence_is_kept_with_the_label_only)
{
	iso_table *t = fx_table(fx_schema(), 5000, 3);
	void *o;
	iso_training m = gen_train(gen_find("independent"), _i ? "marg_label=true" : "", t, 1, 1e-6,
				   NULL, &o);
	iso_table *out = gen_sample(&m, fx_schema(), 50000);
	ck_assert_msg(information(t) > 0.02, "%g nats in the table", information(t));
	if (_i)
		tk_assert_close(information(out), information(t), 0.1, 0);
	else
		ck_assert_msg(information(out) < 3e-4, "%g nats", information(out));
	for (int y = 0; y < 2; y++)
		for (size_t c = 0; c < 3; c++) /* age, income, city: also against the true rows */
			tk_assert_close(gen_mean(out, c, _i ? y : -1), gen_mean(t, c, _i ? y : -1),
					0.03, 0.02);
	tk_assert_close(gen_mean(out, 4, -1), gen_mean(t, 4, -1), 0.03, 0);
	iso_table_free(out);
	iso_table_free(t);
	iso_training_free(&m);
	iso_free(o);
}
END_TEST

START_TEST(memorise_gives_every_row_back_once)
{
	iso_table *t = fx_table(fx_schema(), 200, 4);
	size_t used[200] = {0};
	void *o;
	iso_training m = gen_train(gen_find("memorise"), "", t, 1, 0, NULL, &o);
	iso_table *out = gen_sample(&m, fx_schema(), 200);
	for (size_t i = 0; i < 200; i++)
		for (size_t r = 0; r < 200; r++)
			if (memcmp(out->cells + i * 5, t->cells + r * 5, 5 * sizeof(double)) == 0)
				used[r]++;
	for (size_t r = 0; r < 200; r++)
		ck_assert_uint_eq(used[r], 1);
	iso_table_free(out);
	iso_table_free(t);
	iso_training_free(&m);
	iso_free(o);
}
END_TEST

/* Means of the domain whatever the data; epsilon 0. */
START_TEST(uniform_is_uniform_and_free)
{
	iso_table *t = fx_table(fx_schema(), 50, 5);
	iso_epsilons e;
	void *o;
	iso_training m = gen_train(gen_find("uniform"), "", t, 1, 0, NULL, &o);
	iso_table *out = gen_sample(&m, fx_schema(), 20000);
	const double want[] = {50, 500, 1.5, 1, 0.5}, sd[] = {29, 289, 1.12, 0.82, 0.5};
	for (size_t c = 0; c < 5; c++)
		tk_assert_close(gen_mean(out, c, -1), want[c], 0, 5 * sd[c] / sqrt(20000));
	tk_ok(iso_ledger_epsilon(m.ledger, 0, ISO_WANT_RDP, &e, &err));
	ck_assert_double_eq(e.rdp, 0);
	ck_assert_int_eq(m.guarantee, ISO_GUARANTEE_DP);
	iso_table_free(out);
	iso_table_free(t);
	iso_training_free(&m);
	iso_free(o);
}
END_TEST

/* The template works as it stands: near the truth without noise, sound under verify. */
START_TEST(template_is_sound_and_right)
{
	const iso_generator *g = &iso_generator_template;
	iso_table *t = fx_table(fx_schema(), 3000, 6);
	iso_verdict v;
	void *o;
	iso_training m = gen_train(g, "clip_share=1", t, 1, 1e-9, NULL, &o);
	iso_table *out = gen_sample(&m, fx_schema(), 20000), *again;
	iso_training back;
	iso_str bytes = {0};
	const iso_training_request load = {
		.generator = g, .options = o, .train = t, .epsilon = 1, .delta = 1e-5};
	tk_ok(g->save(m.model, &bytes, &err));
	tk_ok(iso_training_load(&load, bytes.p, bytes.n, &back, &err));
	again = gen_sample(&back, fx_schema(), 20000);
	ck_assert_mem_eq(out->cells, again->cells, 20000 * fx_schema()->ncol * sizeof(double));
	iso_training_free(&back);
	iso_table_free(again);
	tk_fails(iso_training_load(&load, bytes.p, bytes.n - 1, &back, &err), ISO_E_DATA, "bytes");
	iso_str_free(&bytes);
	tk_assert_close(gen_mean(out, 0, -1), gen_mean(t, 0, -1), 0, 1);
	tk_assert_close(gen_mean(out, 4, -1), gen_mean(t, 4, -1), 0, 0.02);
	iso_table_free(out);
	iso_training_free(&m);
	const iso_verify_request r = {.generator = g,
				      .options = o,
				      .data = t,
				      .epsilon = 1,
				      .delta = 1e-5,
				      .accountant = ISO_ACC_RDP,
				      .seed = 3};
	tk_ok(iso_verify(&r, &v, &err));
	for (int k = 0; k < ISO_CHECK_COUNT; k++)
		ck_assert_msg(v.check[k].failed == 0, "%s: %s", iso_check_name(k), v.check[k].what);
	ck_assert_int_eq(v.flows, 0);
	ck_assert_uint_ge(v.pairs, 10);
	iso_table_free(t);
	iso_free(o);
}
END_TEST

/* d Laplace tables of scale s d cost 1 / s in pure epsilon: at epsilon 10,000 the scale is 1e-4. */
START_TEST(a_budget_of_ten_thousand_is_reached)
{
	iso_table *t = fx_table(fx_schema(), 50, 2);
	void *o;
	iso_training m =
		gen_train(gen_find("independent"), "mechanism=laplace", t, 1e4, 0, NULL, &o);
	tk_assert_close(m.scale, 1e-4, 1e-3, 0);
	iso_training_free(&m);
	iso_free(o);
	iso_table_free(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("oracle/gen_marginals");
	TCase *c = tcase_create("core");
	tcase_set_timeout(c, 300);
	tcase_add_test(c, error_per_cell_is_the_planned_noise);
	tcase_add_test(c, a_budget_of_ten_thousand_is_reached);
	tcase_add_test(c, one_row_is_one_cell_per_column);
	tcase_add_loop_test(c, dependence_is_kept_with_the_label_only, 0, 2);
	tcase_add_test(c, memorise_gives_every_row_back_once);
	tcase_add_test(c, uniform_is_uniform_and_free);
	tcase_add_test(c, template_is_sound_and_right);
	suite_add_tcase(s, c);
	return tk_run(s);
}
