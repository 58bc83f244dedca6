// SPDX-License-Identifier: Apache-2.0
/* What every classifier and regressor must do, over the table: probabilities, a law whose Bayes
 * rule is known, an absent class, one class, one row, the key, failing allocations.  Oracles that
 * share no code: the Bayes rule of two Gaussians, an exhaustive stump, a forest on parity, normal
 * equations. */
#include <string.h>

#include "core/learn/trees.h"
#include "core/math/stats.h"
#include "tests/support/testkit.h"

#define N 600
#define D 6

static iso_error err;

/* Two classes at +-0.5 in every column, sd 1. */
static void two_normals(float *x, uint32_t *y, double *t, size_t n, uint64_t seed)
{
	iso_stream s = iso_stream_new(iso_key_new(seed, "classifier"));

	for (size_t i = 0; i < n; i++) {
		y[i] = (uint32_t)iso_next_below(&s, 2);
		for (size_t j = 0; j < D; j++)
			x[i * D + j] = (float)((y[i] ? 0.5 : -0.5) + iso_next_normal(&s));
		t[i] = 2 * (double)x[i * D] - 3 * (double)x[i * D + 1] + 0.1 * iso_next_normal(&s);
	}
}

typedef struct bed {
	float x[N * D], test[N * D];
	uint32_t y[N], truth[N];
	double t[N], test_t[N], out[3 * N], again[3 * N];
} bed;
static bed b;

static iso_examples examples(size_t n, size_t classes, const iso_classifier *c)
{
	return (iso_examples){.x = b.x,
			      .n = n,
			      .d = D,
			      .y = b.y,
			      .classes = classes,
			      .t = c->regresses ? b.t : NULL};
}

static double area(const double *p, size_t classes)
{
	double s[N];
	uint8_t y[N];

	for (size_t i = 0; i < N; i++) {
		s[i] = p[i * classes + 1];
		y[i] = b.truth[i] == 1;
	}
	return iso_auc(s, y, N);
}

/* The difference of the class means is D columns of 1, sd 1: the best area is Phi(sqrt(D / 2)) =
 * .9584. With 600 rows a sound linear learner comes within .03 (se .008), trees within .06, one
 * tree is poor. */
START_TEST(learns)
{
	two_normals(b.x, b.y, b.t, N, 1);
	two_normals(b.test, b.truth, b.test_t, N, 2);
	ck_assert_uint_gt(iso_classifier_count(), 10);
	for (size_t i = 0; i < iso_classifier_count(); i++) {
		const iso_classifier *c = iso_classifier_at(i);
		const iso_examples e = examples(N, 2, c);

		ck_assert_ptr_eq(iso_classifier_find(c->name), c);
		tk_ok(iso_classify(c, &e, iso_key_new(1, "k"), b.test, N, b.out, &err));
		tk_ok(iso_classify(c, &e, iso_key_new(1, "k"), b.test, N, b.again, &err));
		ck_assert_msg(!memcmp(b.out, b.again, (c->regresses ? 1 : 2) * N * sizeof(double)),
			      "%s: two runs, two answers", c->name);
		if (c->regresses) {
			double left = 0, all = 0, mean = iso_mean(b.test_t, N);

			for (size_t r = 0; r < N; r++) {
				left += pow(b.test_t[r] - b.out[r], 2);
				all += pow(b.test_t[r] - mean, 2);
			}
			ck_assert_msg(1 - left / all > (strcmp(c->name, "ridge") ? 0.8 : 0.98),
				      "%s: R2 %g", c->name, 1 - left / all);
			continue;
		}
		for (size_t r = 0; r < N; r++) {
			ck_assert(b.out[2 * r] >= -1e-12 && b.out[2 * r] <= 1 + 1e-12);
			tk_assert_close(b.out[2 * r] + b.out[2 * r + 1], 1, 0, 1e-9);
		}
		const double a = area(b.out, 2);
		const double least = !strcmp(c->name, "tree")	 ? 0.75
				     : !strcmp(c->name, "knn")	 ? 0.88
				     : !strcmp(c->name, "mlp")	 ? 0.90
				     : c == &iso_learn_bernoulli ? 0.83 /* cut at 1/2: coarse */
				     : c == &iso_learn_adaboost	 ? 0.90
				     : c == &iso_learn_forest	 ? 0.92
				     : c == &iso_learn_boosting	 ? 0.91
				     : c == &iso_learn_bagging	 ? 0.90
								 : 0.935;
		ck_assert_msg(a > least && a < 0.985, "%s: area %g", c->name, a);
	}
}
END_TEST

/* A class that never occurs gets nothing, one class gets everything, one row is enough. */
START_TEST(edges)
{
	two_normals(b.x, b.y, b.t, N, 3);
	for (size_t i = 0; i < iso_classifier_count(); i++) {
		const iso_classifier *c = iso_classifier_at(i);
		iso_examples e = examples(200, 3, c);

		if (c->regresses)
			continue;
		tk_ok(iso_classify(c, &e, iso_key_new(1, "k"), b.x, 50, b.out, &err));
		for (size_t r = 0; r < 50; r++)
			ck_assert_msg(b.out[3 * r + 2] < (c == &iso_learn_mlp ? 0.1 : 1e-4),
				      "%s: %g for an absent class", c->name, b.out[3 * r + 2]);
		uint32_t ones[200];
		for (size_t r = 0; r < 200; r++)
			ones[r] = 1;
		e = examples(200, 2, c);
		e.y = ones;
		for (int one = 0; one < 2; one++) {
			e.n = one ? 1 : 200;
			tk_ok(iso_classify(c, &e, iso_key_new(1, "k"), b.x, 50, b.out, &err));
			for (size_t r = 0; r < 50; r++)
				ck_assert_msg(b.out[2 * r + 1] > 0.6, "%s: %g for the only class",
					      c->name, b.out[2 * r + 1]);
		}
		e.n = 0;
		tk_fails(iso_classify(c, &e, iso_key_new(1, "k"), b.x, 1, b.out, &err), ISO_E_DATA,
			 "no row");
	}
}
END_TEST

START_TEST(memory)
{
	two_normals(b.x, b.y, b.t, N, 4);
	for (size_t i = 0; i < iso_classifier_count(); i++) {
		const iso_classifier *c = iso_classifier_at(i);
		const iso_examples e = examples(60, 2, c);

		for (uint64_t k = 1; k < 60; k++) {
			iso_alloc_fail_after(k);
			const iso_status st =
				iso_classify(c, &e, iso_key_new(1, "k"), b.x, 20, b.out, &err);
			iso_alloc_fail_after(0);
			ck_assert_msg(st == ISO_OK || st == ISO_E_NOMEM, "%s: %s", c->name,
				      err.text);
			iso_error_clear(&err);
			if (st == ISO_OK)
				break;
		}
	}
}
END_TEST

/* The first split of a tree is the best of all splits between distinct values, found by trying
 * them. */
START_TEST(best_stump)
{
	for (uint64_t seed = 0; seed < 10; seed++) {
		uint32_t weight[60];
		iso_stream s = iso_stream_new(iso_key_new(seed, "stump"));
		iso_binned cells;
		iso_dtree tree;
		double best = -1, got;

		two_normals(b.x, b.y, b.t, 60, 10 + seed);
		for (size_t i = 0; i < 60; i++)
			weight[i] = 1;
		const iso_dtree_config c = {.k = 2, .y = b.y, .depth = 1, .weight = weight};
		tk_ok(iso_binned_new(b.x, 60, D, &cells, &err));
		tk_ok(iso_dtree_grow(&cells, &c, &s, &tree, &err));
		ck_assert_uint_eq(tree.n, 3);
		for (size_t j = 0; j < D; j++)
			for (size_t r = 0; r < 60; r++) {
				double in[2][2] = {{0}};
				for (size_t i = 0; i < 60; i++)
					in[b.x[i * D + j] > b.x[r * D + j]][b.y[i]]++;
				const double nl = in[0][0] + in[0][1], nr = in[1][0] + in[1][1];
				if (nr == 0)
					continue;
				got = (in[0][0] * in[0][0] + in[0][1] * in[0][1]) / nl +
				      (in[1][0] * in[1][0] + in[1][1] * in[1][1]) / nr;
				best = fmax(best, got);
			}
		double in[2][2] = {{0}};
		for (size_t i = 0; i < 60; i++)
			in[iso_dtree_leaf(&tree, b.x + i * D) == tree.node[0].right][b.y[i]]++;
		got = (in[0][0] * in[0][0] + in[0][1] * in[0][1]) / (in[0][0] + in[0][1]) +
		      (in[1][0] * in[1][0] + in[1][1] * in[1][1]) / (in[1][0] + in[1][1]);
		tk_assert_close(got, best, 1e-12, 0);
		tk_assert_close(tree.value[2 * tree.node[0].left], in[0][0] / (in[0][0] + in[0][1]),
				1e-12, 0);
		iso_dtree_free(&tree);
		iso_binned_free(&cells);
	}
}
END_TEST

/* An unlimited tree fits its training rows exactly; a forest learns parity, which no linear model
 * can. */
START_TEST(trees_fit)
{
	two_normals(b.x, b.y, b.t, N, 5);
	for (size_t i = 0; i < N; i++)
		b.y[i] = (b.x[i * D] > 0) != (b.x[i * D + 1] > 0);
	two_normals(b.test, b.truth, b.test_t, N, 6);
	for (size_t i = 0; i < N; i++)
		b.truth[i] = (b.test[i * D] > 0) != (b.test[i * D + 1] > 0);
	const iso_examples e = examples(60, 2, &iso_learn_tree),
			   all = examples(N, 2, &iso_learn_forest);
	tk_ok(iso_classify(&iso_learn_tree, &e, iso_key_new(1, "k"), b.x, 60, b.out, &err));
	for (size_t i = 0; i < 60; i++)
		tk_assert_close(b.out[2 * i + b.y[i]], 1, 0, 0);
	tk_ok(iso_classify(&iso_learn_forest, &all, iso_key_new(1, "k"), b.test, N, b.out, &err));
	ck_assert_msg(area(b.out, 2) > 0.9, "forest %g", area(b.out, 2));
	tk_ok(iso_classify(&iso_learn_boosting, &all, iso_key_new(1, "k"), b.test, N, b.out, &err));
	ck_assert_msg(area(b.out, 2) > 0.9, "boosting %g", area(b.out, 2));
	tk_ok(iso_classify(&iso_learn_lr, &all, iso_key_new(1, "k"), b.test, N, b.out, &err));
	ck_assert(fabs(area(b.out, 2) - 0.5) < 0.1);
}
END_TEST

/* Naive Bayes and LDA by hand on one column: means 0 and 2, pooled variance 2/3, equal shares. */
START_TEST(by_hand)
{
	static const float x[] = {-1, 0, 1, 1, 2, 3}, at[] = {1, 1.5f};
	static const uint32_t y[] = {0, 0, 0, 1, 1, 1};
	const iso_examples e = {.x = x, .n = 6, .d = 1, .y = y, .classes = 2};
	static const iso_classifier *const both[] = {&iso_learn_naive_bayes, &iso_learn_lda};
	double p[4];

	for (size_t i = 0; i < 2; i++) {
		tk_ok(iso_classify(both[i], &e, iso_key_new(1, "k"), at, 2, p, &err));
		tk_assert_close(p[1], 0.5, 1e-5, 0);
		/* log odds at 1.5: (2.25 - .25) / (2 * 2/3) = 1.5 */
		tk_assert_close(p[3], 1 / (1 + exp(-1.5)), 1e-5, 0);
	}
}
END_TEST

/* Rows from a source give the very numbers of rows at hand, one after the other too; options say
 * what they say: a strong penalty draws every probability to the class share, one against the rest
 * is no softmax. */
START_TEST(sources_and_options)
{
	two_normals(b.x, b.y, b.t, N, 9);
	const iso_source s = iso_source_floats(b.x, D, N, D);
	for (size_t i = 0; i < iso_classifier_count(); i++) {
		const iso_classifier *c = iso_classifier_at(i);
		iso_examples e = examples(N, 2, c);
		void *model;

		tk_ok(iso_classify(c, &e, iso_key_new(1, "k"), b.x, N, b.out, &err));
		e.x = NULL;
		e.source = &s;
		tk_ok(iso_classifier_fit(c, &e, iso_key_new(1, "k"), &model, &err));
		tk_ok(iso_classifier_predict(c, model, &s, c->regresses ? 1 : 2, b.again, &err));
		c->free(model);
		ck_assert_msg(!memcmp(b.out, b.again, (c->regresses ? 1 : 2) * N * sizeof(double)),
			      "%s: a source gives other numbers", c->name);
	}
	const iso_lr_options tight = {.c = 1e-6, .standardise = 1}, ovr = {.c = 1, .ovr = 1};
	iso_examples e = examples(N, 3, &iso_learn_lr);
	double share = 0;

	for (size_t r = 0; r < N; r++)
		share += b.y[r] == 1 ? 1.0 / N : 0;
	e.classes = 2;
	e.options = &tight;
	tk_ok(iso_classify(&iso_learn_lr, &e, iso_key_new(1, "k"), b.x, 50, b.out, &err));
	for (size_t r = 0; r < 50; r++)
		tk_assert_close(b.out[2 * r + 1], share, 0, 5e-3);
	for (size_t r = 0; r < N; r++)
		if (b.x[r * D] > 0.8f)
			b.y[r] = 2;
	e.classes = 3;
	e.options = &ovr;
	double most = 0;
	tk_ok(iso_classify(&iso_learn_lr, &e, iso_key_new(1, "k"), b.x, 50, b.out, &err));
	for (size_t r = 0; r < 50; r++)
		most = fmax(most, fabs(b.out[3 * r] + b.out[3 * r + 1] + b.out[3 * r + 2] - 1));
	ck_assert_msg(most > 0.05, "one against the rest sums to 1 within %g", most);
}
END_TEST

/* SAMME by hand: x = 0 1 2 3 4, classes 0 0 1 1 0.  No stump has them all, a
 * vote of three has: cuts at 1.5 and 3.5 and a constant. */
START_TEST(adaboost_by_hand)
{
	const float x[] = {0, 1, 2, 3, 4};
	const uint32_t y[] = {0, 0, 1, 1, 0};
	const iso_examples e = {.x = x, .n = 5, .d = 1, .y = y, .classes = 2};
	double p[10];

	tk_ok(iso_classify(&iso_learn_adaboost, &e, iso_key_new(1, "k"), x, 5, p, &err));
	for (size_t r = 0; r < 5; r++) /* fifty stumps learn an interval that one cannot */
		ck_assert_msg((p[2 * r + 1] > 0.5) == (y[r] == 1), "row %zu: %g", r, p[2 * r + 1]);
	/* one cut is enough: one stump, all of the votes */
	const uint32_t z[] = {0, 0, 1, 1, 1};
	const iso_examples one = {.x = x, .n = 5, .d = 1, .y = z, .classes = 2};
	tk_ok(iso_classify(&iso_learn_adaboost, &one, iso_key_new(1, "k"), x, 5, p, &err));
	for (size_t r = 0; r < 5; r++)
		tk_assert_close(p[2 * r + 1], z[r], 0, 1e-12);
}
END_TEST

/* Two columns, counts by hand with one row added to each: class 0: (1+1)/(2+2), (0+1)/4; class 1:
 * (2+1)/(3+2), (3+1)/5; shares 2/5, 3/5. */
START_TEST(bernoulli_by_hand)
{
	const float x[] = {1, 0, 0, 0, 1, 1, 1, 1, 0, 1};
	const uint32_t y[] = {0, 0, 1, 1, 1};
	const iso_examples e = {.x = x, .n = 5, .d = 2, .y = y, .classes = 2};
	double p[2];

	tk_ok(iso_classify(&iso_learn_bernoulli, &e, iso_key_new(1, "k"), x, 1, p, &err));
	const double a = 0.4 * 0.5 * 0.75, c = 0.6 * 0.6 * 0.2;
	tk_assert_close(p[0], a / (a + c), 1e-12, 0);
}
END_TEST

/* Two classes take packed whole numbers, three take sums: with a third class that has no row both
 * must grow the same trees; and rows that go down side by side reach the leaves of single ones. */
START_TEST(same_trees)
{
	static double three[3 * N];
	uint32_t leaf[N];
	iso_binned cells;
	iso_dtree t;

	two_normals(b.x, b.y, b.t, N, 11);
	for (size_t r = 0; r < N; r++) /* columns of two, of five and of many values */
		for (size_t j = 0; j < 4; j++)
			b.x[r * D + j] = j < 2 ? (float)(b.x[r * D + j] > 0)
					       : (float)rint((double)b.x[r * D + j]);
	const iso_classifier *const grown[] = {&iso_learn_forest, &iso_learn_bagging,
					       &iso_learn_tree};
	for (size_t i = 0; i < ISO_COUNT(grown); i++) {
		iso_examples e = examples(N, 2, grown[i]);

		tk_ok(iso_classify(grown[i], &e, iso_key_new(1, "k"), b.x, N, b.out, &err));
		e.classes = 3;
		tk_ok(iso_classify(grown[i], &e, iso_key_new(1, "k"), b.x, N, three, &err));
		for (size_t r = 0; r < N; r++)
			ck_assert_msg(b.out[2 * r] == three[3 * r] &&
					      b.out[2 * r + 1] == three[3 * r + 1],
				      "%s, row %zu: %.17g and %.17g", grown[i]->name, r,
				      b.out[2 * r], three[3 * r]);
	}
	uint32_t one[N];
	for (size_t r = 0; r < N; r++)
		one[r] = 1;
	iso_stream s = iso_stream_new(iso_key_new(1, "t"));
	const iso_dtree_config c = {.k = 2, .y = b.y, .weight = one};
	tk_ok(iso_binned_new(b.x, N, D, &cells, &err));
	tk_ok(iso_dtree_grow(&cells, &c, &s, &t, &err));
	for (size_t n = N - 3; n <= N; n++) { /* also a rest that fills no group */
		iso_dtree_leaves(&t, b.x, D, n, leaf);
		for (size_t r = 0; r < n; r++)
			ck_assert_uint_eq(leaf[r], iso_dtree_leaf(&t, b.x + r * D));
	}
	iso_dtree_free(&t);
	iso_binned_free(&cells);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("conformance of classifiers");
	TCase *t = tcase_create("classifiers");

	tcase_add_test(t, learns);
	tcase_add_test(t, same_trees);
	tcase_add_test(t, sources_and_options);
	tcase_add_test(t, adaboost_by_hand);
	tcase_add_test(t, bernoulli_by_hand);
	tcase_add_test(t, edges);
	tcase_add_test(t, memory);
	tcase_add_test(t, best_stump);
	tcase_add_test(t, trees_fit);
	tcase_add_test(t, by_hand);
	suite_add_tcase(s, t);
	return tk_run(s);
}
