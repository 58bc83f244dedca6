// SPDX-License-Identifier: Apache-2.0
/* Classifiers without synthetic rows: against logistic regression without privacy, and the metric
 * that judges them against a count by hand. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/learn/logreg.h"
#include "metrics/metric.h"
#include "tests/oracle/gen_support.h"

static iso_error err;

/* Share of the rows whose label is the largest of the classifier's probabilities, which sum to 1.
 */
static double accuracy(const iso_training *m, const iso_table *t)
{
	double *p = iso_alloc(2 * t->n, sizeof *p), right = 0;
	tk_ok(m->generator->classify(m->model, t, p, &err));
	for (size_t r = 0; r < t->n; r++) {
		ck_assert(fabs(p[2 * r] + p[2 * r + 1] - 1) < 1e-9);
		right += (p[2 * r + 1] > p[2 * r]) == (iso_table_label(t, r) == 1);
	}
	iso_free(p);
	return right / (double)t->n;
}

static double without_privacy(const iso_table *from, const iso_table *test)
{
	const iso_logreg_config c = iso_logreg_default();
	iso_encoder *e;
	float *x, *xt;
	iso_design d, dt;
	iso_logreg m;
	double right = 0, *p = iso_alloc(2 * test->n, sizeof *p);
	uint32_t *y = iso_alloc(from->n, sizeof *y);
	tk_ok(iso_encoder_new(from->schema, ISO_ENC_FEATURES, &e, &err));
	tk_ok(iso_encode_new(e, from, &x, &err));
	tk_ok(iso_encode_new(e, test, &xt, &err));
	const iso_source a = iso_source_floats(x, e->dim, from->n, e->dim),
			 b = iso_source_floats(xt, e->dim, test->n, e->dim);
	for (size_t r = 0; r < from->n; r++)
		y[r] = (uint32_t)iso_table_label(from, r);
	tk_ok(iso_design_new(&a, &d, &err));
	tk_ok(iso_design_new(&b, &dt, &err));
	tk_ok(iso_logreg_fit(&c, &d, NULL, from->n, y, 2, &m, &err));
	tk_ok(iso_logreg_predict(&m, &dt, NULL, test->n, p, &err));
	for (size_t r = 0; r < test->n; r++)
		right += (p[2 * r + 1] > p[2 * r]) == (iso_table_label(test, r) == 1);
	iso_logreg_free(&m);
	iso_design_free(&d);
	iso_design_free(&dt);
	iso_encoder_free(e);
	iso_free(x);
	iso_free(xt);
	iso_free(y);
	iso_free(p);
	return right / (double)test->n;
}

/* Almost without noise both models answer as logistic regression does: within 3 points on 2,000
 * other rows (the standard error of a paired difference where a tenth of the answers differ is .7
 * points).  At epsilon 1 they are not better than that, and better than the majority class. */
static void learns(const char *options, const char *name, double private_loss)
{
	iso_table *t = fx_table(fx_schema(), 3000, 3), *test = fx_table(fx_schema(), 2000, 4);
	const double lr = without_privacy(t, test);
	double ones = 0;
	void *o, *p;
	for (size_t r = 0; r < test->n; r++)
		ones += iso_table_label(test, r) == 1;
	const double guess = fmax(ones, (double)test->n - ones) / (double)test->n;
	iso_training loud = gen_train(gen_find(name), options, t, 1, 0, NULL, &p),
		     m = gen_train(gen_find(name), options, t, 1e4, 0, NULL, &o);
	const double a = accuracy(&m, test), b = accuracy(&loud, test);
	ck_assert_msg(a > lr - 0.03, "%.3f, logistic regression %.3f", a, lr);
	ck_assert_msg(b > guess && b > lr - private_loss && b < a + 0.02,
		      "epsilon 1: %.3f, 10,000: %.3f, majority %.3f", b, a, guess);
	iso_training_free(&m);
	iso_training_free(&loud);
	iso_free(o);
	iso_free(p);
	iso_table_free(t);
	iso_table_free(test);
}

START_TEST(logistic_regression_learns)
{
	learns("model=lr", "direct", 0.08);
}
END_TEST

START_TEST(network_learns)
{
	learns("model=mlp", "direct", 0.08);
}
END_TEST

/* The same of ten clients together, who add their noise up. */
START_TEST(federated_averages_learn)
{
	learns("clients=5", "fedavg", 0.12);
}
END_TEST

/* The weights of a saved logistic regression. */
static size_t weights(const iso_training *m, float *w, size_t cap)
{
	iso_str s = {0};
	size_t n = 0;
	tk_ok(m->generator->save(m->model, &s, &err));
	for (const char *at = s.p, *line; at < s.p + s.n;) {
		unsigned long size;
		char name[64];
		line = (const char *)memchr(at, '\n', (size_t)(s.p + s.n - at)) + 1;
		ck_assert_int_eq(sscanf(at, "%63s %lu", name, &size), 2);
		ck_assert_uint_le(n + size / sizeof *w, cap);
		if (strncmp(name, "classifier", 10) == 0) {
			memcpy(w + n, line, size);
			n += size / sizeof *w;
		}
		at = line + size;
	}
	iso_str_free(&s);
	return n;
}

/* Selective SGD: in one round each of two clients moves ceil(u n) coordinates, and no others. */
START_TEST(a_selective_client_sends_its_share)
{
	iso_table *t = fx_table(fx_schema(), 400, 3);
	float w[256];
	void *o;
	iso_training m = gen_train(gen_find("fedavg"),
				   "schedule=turns upload=0.2 rounds=1 clients=2 epochs=2", t, 2, 0,
				   NULL, &o);
	const size_t n = weights(&m, w, 256), share = (size_t)ceil(0.2 * (double)n);
	size_t moved = 0;
	for (size_t i = 0; i < n; i++)
		moved += w[i] != 0;
	ck_assert_msg(n > 10 && moved >= share && moved <= 2 * share, "%zu of %zu moved", moved, n);
	iso_training_free(&m);
	iso_free(o);
	iso_table_free(t);
}
END_TEST

/* 1,000 uniform questions, practically without noise on the votes of 10 teachers of 300 rows:
 * within 8 points of direct.  The ledger holds the questions, one entry, with noise per count. */
START_TEST(student_learns)
{
	iso_table *t = fx_table(fx_schema(), 3000, 3), *test = fx_table(fx_schema(), 2000, 4);
	void *o;
	iso_training m = gen_train(gen_find("pate-student"), "teachers=10 queries=1000", t, 1e4, 0,
				   NULL, &o);
	const double a = accuracy(&m, test), lr = without_privacy(t, test);
	const iso_plan *p = iso_ledger_items(m.ledger);
	ck_assert_msg(a > lr - 0.08, "%.3f, logistic regression %.3f", a, lr);
	ck_assert_uint_eq(p->n, 1);
	ck_assert_str_eq(p->v[0].why, "votes");
	ck_assert_uint_eq(p->v[0].used, 1000);
	iso_training_free(&m);
	iso_free(o);
	iso_table_free(t);
	iso_table_free(test);
}
END_TEST

/* Sampled labels follow the classifier: their count against the sum of its probabilities of the
 * same rows, 4.5 standard deviations of a sum of independent draws (false alarms 7e-6). */
START_TEST(labels_of_a_sample_are_the_classifiers)
{
	iso_table *t = fx_table(fx_schema(), 600, 3);
	void *o;
	iso_training m = gen_train(gen_find("direct"), "", t, 10, 0, NULL, &o);
	iso_table *s = gen_sample(&m, t->schema, 4000);
	double *p = iso_alloc(8000, sizeof *p), want = 0, var = 0, got = 0;
	tk_ok(m.generator->classify(m.model, s, p, &err));
	for (size_t r = 0; r < 4000; r++) {
		want += p[2 * r + 1];
		var += p[2 * r] * p[2 * r + 1];
		got += iso_table_label(s, r) == 1;
	}
	ck_assert(want > 40 && want < 3960);
	ck_assert_msg(fabs(got - want) < 4.5 * sqrt(var), "%g labels, want %g", got, want);
	/* ages are uniform over the public bounds [0, 100]: mean 50, sd 28.9 / sqrt(4000) */
	ck_assert(fabs(gen_mean(s, 0, -1) - 50) < 4.5 * 28.9 / sqrt(4000));
	iso_free(p);
	iso_table_free(s);
	iso_training_free(&m);
	iso_free(o);
	iso_table_free(t);
}
END_TEST

static iso_status fixed_answers(void *ctx, const iso_table *rows, double *prob, iso_error *e)
{
	(void)e;
	for (size_t r = 0; r < rows->n; r++)
		prob[2 * r + 1] = 1 - (prob[2 * r] = 1 - ((const double *)ctx)[r]);
	return ISO_OK;
}

/* Truths 1 1 0 0 with scores .9 .4 .6 .1: half are right, 3 of the 4 pairs are in order. */
START_TEST(metric_counts_right_answers)
{
	iso_table *t = fx_table(fx_schema(), 4, 3);
	const double score[4] = {0.9, 0.4, 0.6, 0.1};
	const iso_metric *x;
	iso_measure v[4];
	for (size_t r = 0; r < 4; r++)
		t->cells[r * t->schema->ncol + (size_t)t->schema->label] = r < 2;
	tk_ok(iso_metric_find("own-classifier", &x, &err));
	iso_measures out = {.outputs = x->outputs, .v = v, .n = 4};
	iso_metric_view view = {.schema = t->schema,
				.test = t,
				.classify = fixed_answers,
				.classify_ctx = (void *)score};
	for (size_t i = 0; i < 4; i++)
		v[i] = (iso_measure){.value = NAN, .low = NAN, .high = NAN};
	tk_ok(x->measure(&view, NULL, &out, &err));
	ck_assert(fabs(v[0].value - 0.5) < 1e-12);
	ck_assert(fabs(v[1].value - 0.75) < 1e-12);
	/* precision at the two ones: 1 and 2/3 */
	ck_assert(fabs(v[2].value - (1 + 2. / 3) / 2) < 1e-12);
	ck_assert(fabs(v[3].value - 0.5) < 1e-12);
	iso_table_free(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("direct");
	TCase *c = tcase_create("direct");
	tcase_set_timeout(c, 60);
	tcase_add_test(c, logistic_regression_learns);
	tcase_add_test(c, network_learns);
	tcase_add_test(c, federated_averages_learn);
	tcase_add_test(c, a_selective_client_sends_its_share);
	tcase_add_test(c, student_learns);
	tcase_add_test(c, labels_of_a_sample_are_the_classifiers);
	tcase_add_test(c, metric_counts_right_answers);
	suite_add_tcase(s, c);
	return tk_run(s);
}
