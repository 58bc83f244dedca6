// SPDX-License-Identifier: Apache-2.0
/* Parts of attacks against values computed elsewhere or by hand. */
#include <string.h>

#include "attacks/attack.h"
#include "attacks/kit/scott.h"
#include "attacks/kit/table_features.h"
#include "tests/support/testkit.h"

static iso_error err;

static size_t load(const cJSON *list, double *x, size_t most)
{
	const cJSON *row, *v;
	size_t n = 0;

	cJSON_ArrayForEach(row, list) cJSON_ArrayForEach(v, row)
	{
		ck_assert_uint_lt(n, most);
		x[n++] = v->valuedouble;
	}
	return n;
}

/* scipy.stats.gaussian_kde of the real rows at five held-out rows. */
START_TEST(scott)
{
	cJSON *g = tk_golden("oracle_stats.json.gz");
	const cJSON *s = cJSON_GetObjectItem(g, "small_dataset"),
		    *want = cJSON_GetObjectItem(s, "scipy_gaussian_kde_scott_pdf_first5_holdout");
	static double x[3000], y[3000];
	double p[5];
	const size_t n = load(cJSON_GetObjectItem(s, "real"), x, 3000) / 3;

	load(cJSON_GetObjectItem(s, "holdout"), y, 3000);
	tk_ok(iso_scott_log_density(x, n, 3, 0, y, 5, p, &err));
	for (int i = 0; i < 5; i++)
		tk_assert_close(exp(p[i]), cJSON_GetArrayItem(want, i)->valuedouble, 1e-8, 0);
	cJSON_Delete(g);
}
END_TEST

/* Points on a line of slope 2 in two columns: one axis holds all the spread; the normal of its
 * coordinates -2.236 0 2.236 (variance 5) at 0. */
START_TEST(axes)
{
	const float x[] = {-1, -2, 0, 0, 1, 2}, at[] = {0, 0};
	double z[3], origin, p;
	iso_axes a;

	tk_ok(iso_axes_fit(x, 3, 2, 1, &a, &err));
	iso_axes_project(&a, x, 3, z);
	tk_assert_close(fabs(z[0]), sqrt(5), 1e-12, 0);
	tk_assert_close(z[0], -z[2], 1e-12, 0);
	tk_assert_close(z[1], 0, 0, 1e-12);
	iso_axes_project(&a, at, 1, &origin);
	iso_normal_log_density(z, 3, 1, &origin, 1, &p);
	tk_assert_close(p, -0.5 * log(2 * M_PI * 5), 1e-12, 0);
	iso_axes_free(&a);
}
END_TEST

static const char schema_text[] =
	"{\"name\":\"two\",\"columns\":[{\"name\":\"x\",\"type\":\"continuous\",\"bounds\":[0,10]},"
	"{\"name\":\"c\",\"type\":\"categorical\",\"categories\":[\"p\",\"q\",\"r\"]},"
	"{\"name\":\"y\",\"type\":\"continuous\",\"bounds\":[0,1],\"missing\":[\"?\"]}]}";

static iso_table *table_of(iso_schema **s, const double *cells, size_t n)
{
	cJSON *v = cJSON_Parse(schema_text);
	iso_table *t;

	tk_ok(iso_schema_from_json(v, "two", s, &err));
	cJSON_Delete(v);
	tk_ok(iso_table_new(*s, n, &t, &err));
	memcpy(t->cells, cells, n * 3 * sizeof(*cells));
	return t;
}

/* Four rows; encoded columns x/10, p, q, r, y and its indicator of missing. */
START_TEST(table_features)
{
	const double cells[] = {0, 0, 0.5, 10, 0, 0.5, 4, 1, NAN, 6, 2, 0.25};
	iso_schema *s;
	iso_table *t = table_of(&s, cells, 4);
	float *f;
	size_t n;

	tk_ok(iso_table_features(t, ISO_TABLE_NAIVE, &f, &n, &err));
	ck_assert_uint_eq(n, 18);
	tk_assert_close(f[0], 0.5, 0, 1e-7); /* x: 0 1 .4 .6 */
	tk_assert_close(f[1], 0.5, 0, 1e-7);
	tk_assert_close(f[2], 0.52 / 3, 0, 1e-7);
	tk_assert_close(f[3], 0.5, 0, 1e-7); /* p: 1 1 0 0 */
	tk_assert_close(f[4], 0.5, 0, 1e-7);
	tk_assert_close(f[5], 1.0 / 3, 0, 1e-7);
	tk_assert_close(f[15], 0.25, 0, 1e-7); /* y is missing: 0 0 1 0 */
	tk_assert_close(f[16], 0, 0, 1e-7);
	iso_free(f);
	tk_ok(iso_table_features(t, ISO_TABLE_HISTOGRAM, &f, &n, &err));
	ck_assert_uint_eq(n, 10 + 3 + 11);
	tk_assert_close(f[0], 0.25, 0, 1e-7);
	tk_assert_close(f[4], 0.25, 0, 1e-7);
	tk_assert_close(f[9], 0.25, 0, 1e-7);
	tk_assert_close(f[10], 0.5, 0, 1e-7); /* p */
	tk_assert_close(f[13 + 5], 0.5, 0, 1e-7);
	tk_assert_close(f[13 + 10], 0.25, 0, 1e-7); /* missing */
	iso_free(f);
	tk_ok(iso_table_features(t, ISO_TABLE_CORRELATION, &f, &n, &err));
	ck_assert_uint_eq(n, 15);
	tk_assert_close(f[0], 0, 0, 1e-7);	      /* x and p */
	tk_assert_close(f[5], -1 / sqrt(3), 0, 1e-6); /* p and q */
	iso_free(f);
	tk_ok(iso_table_features(t, ISO_TABLE_ENSEMBLE, &f, &n, &err));
	ck_assert_uint_eq(n, 18 + 24 + 15);
	iso_free(f);
	iso_table_free(t);
	iso_schema_free(s);
}
END_TEST

/* Columns 3: masks 001 010 100 011 101 110 111.  The first row agrees with itself everywhere, with
 * the second in c and y, with the third (x within 5 % of the range) in x only. */
START_TEST(queries)
{
	const double cells[] = {1, 0, 0.5, 9, 0, 0.52, 1.4, 1, NAN};
	const float want[] = {2.f / 3, 2.f / 3, 2.f / 3, 1.f / 3, 1.f / 3, 2.f / 3, 1.f / 3};
	iso_schema *s;
	iso_table *t = table_of(&s, cells, 3);
	iso_queries q;
	uint64_t bits[3];
	float share[7];

	tk_ok(iso_queries_new(s, 1000, iso_key_new(1, "q"), &q, &err));
	ck_assert_uint_eq(q.n, 7);
	iso_queries_agree(&q, t, 0, t, bits);
	ck_assert_uint_eq(bits[0], 7);
	ck_assert_uint_eq(bits[1], 6);
	ck_assert_uint_eq(bits[2], 1);
	iso_queries_answer(&q, bits, 3, share);
	for (int i = 0; i < 7; i++)
		tk_assert_close(share[i], want[i], 0, 1e-6);
	iso_queries_free(&q);
	tk_ok(iso_queries_new(s, 4, iso_key_new(1, "q"), &q, &err));
	ck_assert_uint_eq(q.n, 4);
	iso_queries_free(&q);
	iso_table_free(t);
	iso_schema_free(s);
}
END_TEST

/* ---- whole attacks on tables that can be checked by eye ---- */

static const char labelled_text[] =
	"{\"name\":\"three\",\"columns\":[{\"name\":\"x\",\"type\":\"continuous\",\"bounds\":[0,10]"
	"},"
	"{\"name\":\"s\",\"type\":\"binary\",\"categories\":[\"no\",\"yes\"]},"
	"{\"name\":\"y\",\"type\":\"binary\",\"role\":\"label\",\"categories\":[\"a\",\"b\"],"
	"\"positive\":\"b\"}]}";

static iso_guess answer[8];

static iso_status ask(const char *name, const char *text, iso_attack_view *v)
{
	const iso_attack *a;
	int64_t o[64] = {0};
	cJSON *values = cJSON_Parse(text);

	tk_ok(iso_attack_find(name, &a, &err));
	tk_ok(iso_options_resolve(a->options, values, name, o, a->options_size, NULL, &err));
	cJSON_Delete(values);
	v->key = iso_key_new(1, "test");
	return a->guess(v, o, NULL, answer, &err);
}

/* Rows x, s, y: x = 2 for label a and 8 for b, but for rows i % 5 == 0: 3 and 9; s as asked. */
static iso_table *labelled(iso_schema *s, size_t n, int secret_is_label)
{
	iso_table *t;

	tk_ok(iso_table_new(s, n, &t, &err));
	for (size_t i = 0; i < n; i++) {
		double *c = t->cells + 3 * i;

		c[2] = (double)(i % 2);
		c[0] = (c[2] == 1 ? 8 : 2) + (i % 5 == 0);
		c[1] = secret_is_label ? c[2] : i % 10 < 3;
		if (secret_is_label)
			c[0] = 5;
	}
	return t;
}

/* Where the label follows the secret, the secret that fits the label wins against the marginal;
 * where the label follows x alone, the commoner value (no, 7 of 10) wins whatever the label. */
START_TEST(fredrikson_map)
{
	iso_schema *s;
	cJSON *v = cJSON_Parse(labelled_text);

	tk_ok(iso_schema_from_json(v, "three", &s, &err));
	cJSON_Delete(v);
	for (int follows = 0; follows < 2; follows++) {
		iso_table *t = labelled(s, 200, follows), *q = labelled(s, 4, follows);
		iso_attack_view view = {.schema = s, .synthetic = t, .targets = q, .secret = 1};

		for (size_t i = 0; i < 4; i++)
			q->cells[3 * i + 1] = NAN;
		tk_ok(ask("fredrikson-map", "{}", &view));
		for (size_t i = 0; i < 4; i++)
			ck_assert_msg(answer[i].value == (follows ? (double)(i % 2) : 0),
				      "%d %zu: %g", follows, i, answer[i].value);
		/* equal predictions: the weights are the marginal's, 140.5 against 60.5 */
		if (!follows)
			tk_assert_close(answer[0].score, 140.5 / 201, 1e-9, 0);
		view.secret = 2;
		tk_fails(ask("fredrikson-map", "{}", &view), ISO_E_UNSUPPORTED, "feature");
		iso_table_free(t);
		iso_table_free(q);
	}
	iso_schema_free(s);
}
END_TEST

/* Class means are those of x: of 100 rows each, 20 are one higher.  The descent ends on the side
 * of its class. */
START_TEST(model_inversion)
{
	iso_schema *s;
	cJSON *v = cJSON_Parse(labelled_text);

	tk_ok(iso_schema_from_json(v, "three", &s, &err));
	cJSON_Delete(v);
	iso_table *t = labelled(s, 200, 0), *q = labelled(s, 2, 0);
	iso_attack_view view = {.schema = s, .synthetic = t, .targets = q, .rebuilt = q};

	tk_ok(ask("model-inversion", "{\"target\":\"generator\"}", &view));
	tk_assert_close(q->cells[0], 2.2, 0, 1e-5);
	tk_assert_close(q->cells[3], 8.2, 0, 1e-5);
	tk_ok(ask("model-inversion", "{}", &view));
	ck_assert_msg(q->cells[0] < 4 && q->cells[3] > 6, "%g %g", q->cells[0], q->cells[3]);
	iso_table_free(t);
	iso_table_free(q);
	iso_schema_free(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("oracle/attacks");
	TCase *c = tcase_create("attacks");

	tcase_add_test(c, scott);
	tcase_add_test(c, axes);
	tcase_add_test(c, table_features);
	tcase_add_test(c, queries);
	tcase_add_test(c, fredrikson_map);
	tcase_add_test(c, model_inversion);
	suite_add_tcase(s, c);
	return tk_run(s);
}
