// SPDX-License-Identifier: Apache-2.0
/* core/learn/mlp_classifier.c: areas beside scikit-learn's (frozen), edge cases. */
#include "core/learn/mlp_classifier.h"

#include <string.h>

#include "core/learn/assess.h"
#include "tests/support/testkit.h"

#define D 8
static iso_error err;
static float x[1500 * D];
static uint32_t y[1500];
static double prob[1500 * 4];

static size_t load(const cJSON *v)
{
	const cJSON *e;
	size_t n = 0;
	cJSON_ArrayForEach(e, cJSON_GetObjectItem(v, "x")) x[n++] = (float)(e->valuedouble / 16);
	n = 0;
	cJSON_ArrayForEach(e, cJSON_GetObjectItem(v, "y")) y[n++] = (uint32_t)e->valuedouble;
	return n;
}

static double area(const iso_mlp_config *c, size_t ntrain, size_t n, size_t classes)
{
	const iso_source train = iso_source_floats(x, D, ntrain, D),
			 test = iso_source_floats(x + ntrain * D, D, n - ntrain, D);
	iso_mlp m;
	iso_assessment a;
	tk_ok(iso_mlp_fit(c, &train, y, classes, &m, &err));
	tk_ok(iso_mlp_predict(&m, &test, prob, &err));
	tk_ok(iso_assess(prob, y + ntrain, n - ntrain, classes, 1, &a, &err));
	iso_mlp_free(&m);
	return a.auroc_macro;
}

START_TEST(beside_scikit)
{
	static const char *const sets[] = {"two", "three"};
	cJSON *g = tk_golden("oracle_mlp.json.gz");
	for (size_t s = 0; s < 2; s++) {
		const cJSON *v = cJSON_GetObjectItem(g, sets[s]), *run;
		const size_t n = load(v), ntrain = (size_t)tk_number(v, "ntrain"),
			     k = (size_t)tk_number(v, "classes");
		ck_assert_uint_eq(n, 1200);
		cJSON_ArrayForEach(run, cJSON_GetObjectItem(v, "runs"))
		{
			iso_mlp_config c = iso_mlp_default();
			double mean = 0;
			c.epochs = (size_t)tk_number(run, "epochs");
			c.alpha = tk_number(run, "alpha");
			for (uint64_t seed = 0; seed < 5; seed++) {
				c.key = iso_key_new(seed, "test/mlp");
				mean += area(&c, ntrain, n, k) / 5;
			}
			tk_assert_close(mean, tk_number(run, "auroc"), 0, 0.01);
		}
	}
	cJSON_Delete(g);
}
END_TEST

/* Probabilities sum to one; standardising undoes a change of units; a source may scale its rows. */
START_TEST(options)
{
	cJSON *g = tk_golden("oracle_mlp.json.gz");
	const size_t n = load(cJSON_GetObjectItem(g, "three")), ntrain = 700;
	iso_mlp_config c = iso_mlp_default();
	c.standardise = 1;
	const double before = area(&c, ntrain, n, 3);
	for (size_t i = 0; i < n - ntrain; i++)
		tk_assert_close(prob[3 * i] + prob[3 * i + 1] + prob[3 * i + 2], 1, 0, 1e-6);
	iso_source twice = iso_source_floats(x, D, n, D);
	float row[2 * D];
	twice.scale = 2;
	iso_source_get(&twice, NULL, 5, 2, row, D);
	for (size_t j = 0; j < 2 * D; j++)
		ck_assert(row[j] == 2 * x[5 * D + j]);
	for (size_t i = 0; i < n; i++)
		x[i * D + 2] = x[i * D + 2] * 1024 + 2048; /* exact in binary */
	tk_assert_close(area(&c, ntrain, n, 3), before, 0, 0.002);
	c.standardise = 0;
	ck_assert(area(&c, ntrain, n, 3) < before - 0.05);
	cJSON_Delete(g);
}
END_TEST

START_TEST(edges)
{
	iso_mlp_config c = iso_mlp_default();
	iso_mlp m;
	for (size_t e = 0; e < 10 * D; e++)
		x[e] = (float)e;
	for (size_t i = 0; i < 10; i++)
		y[i] = 2;
	const iso_source s = iso_source_floats(x, D, 10, D), none = iso_source_floats(x, D, 0, D);
	tk_ok(iso_mlp_fit(&c, &s, y, 3, &m, &err));
	tk_ok(iso_mlp_predict(&m, &s, prob, &err));
	ck_assert(prob[2] == 1 && prob[0] == 0 && prob[3 * 9 + 2] == 1);
	iso_mlp_free(&m);
	tk_fails(iso_mlp_fit(&c, &none, y, 3, &m, &err), ISO_E_DATA, "without training rows");
	y[4] = 3;
	tk_fails(iso_mlp_fit(&c, &s, y, 3, &m, &err), ISO_E_DATA, "label 3 of training row 4");
	y[4] = 0;
	x[5] = NAN;
	tk_fails(iso_mlp_fit(&c, &s, y, 3, &m, &err), ISO_E_NUMERIC, "not finite");
	x[5] = 1;
	c.standardise = 1;
	for (uint64_t k = 1; k < 20; k++) {
		iso_alloc_fail_after(k);
		const iso_status st = iso_mlp_fit(&c, &s, y, 3, &m, &err);
		iso_alloc_fail_after(0);
		ck_assert(st == ISO_OK || st == ISO_E_NOMEM);
		iso_error_clear(&err);
		if (st == ISO_OK) {
			ck_assert(k > 8);
			iso_mlp_free(&m);
			break;
		}
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mlp");
	TCase *t = tcase_create("mlp");
	tcase_add_test(t, beside_scikit);
	tcase_add_test(t, options);
	tcase_add_test(t, edges);
	suite_add_tcase(s, t);
	return tk_run(s);
}
