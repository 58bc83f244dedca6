// SPDX-License-Identifier: Apache-2.0
/* The utility metrics that are not a mean of learners, beside laws whose answers are known. */
#include <string.h>

#include "core/learn/assess.h"
#include "core/rand/rand.h"
#include "tests/oracle/metric_support.h"

/* ---- dimensions ---- */

static const char *const chain =
	"{\"name\":\"chain\",\"columns\":["
	"{\"name\":\"a\",\"type\":\"continuous\",\"bounds\":[0,1]},"
	"{\"name\":\"b\",\"type\":\"continuous\",\"bounds\":[0,1]},"
	"{\"name\":\"j\",\"type\":\"binary\",\"categories\":[\"0\",\"1\"]}]}";

/* b = a and j = (a > 1/2), or three columns that know nothing of one another. */
static iso_table *chained(const iso_schema *s, size_t n, int linked, uint64_t seed)
{
	iso_stream r = iso_stream_new(iso_key_new(seed, "chain"));
	double *cells = iso_alloc(3 * n, sizeof(*cells));

	for (size_t i = 0; i < n; i++) {
		const double a = iso_next_u01(&r), b = iso_next_u01(&r), c = iso_next_u01(&r);

		cells[3 * i] = a;
		cells[3 * i + 1] = linked ? a : b;
		cells[3 * i + 2] = linked ? a > 0.5 : c > 0.5;
	}
	iso_table *t = ms_table(s, n, cells);
	iso_free(cells);
	return t;
}

/* Means by hand; and the trap of a public program that judged the real model twice: with synthetic
 * noise the prediction must collapse to chance (an area of 300 rows: se .033, four of them) while
 * the real one is perfect. */
START_TEST(dimensions_values)
{
	iso_schema *s = ms_schema(chain);
	iso_table *train = chained(s, 400, 1, 1), *test = chained(s, 300, 1, 2),
		  *noise = chained(s, 400, 0, 3);
	const ms_result copy = ms_measure("dimensions", NULL, train, test, train),
			r = ms_measure("dimensions", NULL, train, test, noise);

	tk_assert_close(ms_value(&copy, "probability_rmse"), 0, 0, 0);
	tk_assert_close(ms_value(&copy, "prediction_rmse"), 0, 0, 0);
	tk_assert_close(ms_value(&copy, "prediction_columns"), 3, 0, 0);
	ck_assert_msg(ms_value(&r, "real.prediction_auroc") > 0.98, "%g",
		      ms_value(&r, "real.prediction_auroc"));
	/* noise gives weights of either sign: an area far from 1, and the gap of a perfect one */
	ck_assert_msg(ms_value(&r, "prediction_rmse") > 0.15, "%g",
		      ms_value(&r, "prediction_rmse"));
	double square = 0, all = 0, mean[2][4] = {{0}}, middle = 0;
	for (size_t i = 0; i < 400; i++)
		for (int k = 0; k < 2; k++) {
			const double *c = (k ? noise : train)->cells + 3 * i;
			const double x[4] = {c[0], c[1], 1 - c[2], c[2]};
			for (int j = 0; j < 4; j++)
				mean[k][j] += (double)(float)x[j] / 400;
		}
	for (int j = 0; j < 4; j++) {
		square += pow(mean[0][j] - mean[1][j], 2);
		middle += mean[0][j] / 4;
	}
	for (int j = 0; j < 4; j++)
		all += pow(mean[0][j] - middle, 2);
	tk_assert_close(ms_value(&r, "probability_rmse"), sqrt(square / 4), 1e-6, 0);
	tk_assert_close(ms_value(&r, "probability_r2"), 1 - square / all, 1e-5, 0);
	iso_table_free(train);
	iso_table_free(test);
	iso_table_free(noise);
	iso_schema_free(s);
}
END_TEST

/* ---- clustering ---- */

static const char *const heaps = "{\"name\":\"heaps\",\"columns\":["
				 "{\"name\":\"a\",\"type\":\"continuous\",\"bounds\":[0,1]},"
				 "{\"name\":\"label\",\"type\":\"categorical\",\"role\":\"label\","
				 "\"categories\":[\"p\",\"q\"]}]}";

static iso_table *two_heaps(const iso_schema *s, size_t n, double low, double high, uint64_t seed)
{
	iso_stream r = iso_stream_new(iso_key_new(seed, "heaps"));
	double *cells = iso_alloc(2 * n, sizeof(*cells));

	for (size_t i = 0; i < n; i++) {
		cells[2 * i] = (i % 2 ? high : low) + 0.1 * (iso_next_u01(&r) - 0.5);
		cells[2 * i + 1] = (double)(i % 2);
	}
	iso_table *t = ms_table(s, n, cells);
	iso_free(cells);
	return t;
}

/* Heaps of classes at .2 and .8: clusters are the labels.  Synthetic rows in one heap at .2: their
 * two centres cut that heap, all q rows go to one of them; with a cut at its middle the cells are
 * (1/4, 1/4 + 1/2): the index by hand is small. */
START_TEST(clustering_values)
{
	iso_schema *s = ms_schema(heaps);
	iso_table *train = two_heaps(s, 200, 0.2, 0.8, 1), *test = two_heaps(s, 200, 0.2, 0.8, 2),
		  *one = two_heaps(s, 200, 0.2, 0.2, 3);
	const ms_result copy = ms_measure("clustering", "{\"clusters\":2}", train, test, train),
			r = ms_measure("clustering", "{\"clusters\":2}", train, test, one);

	tk_assert_close(ms_value(&copy, "ari_label"), 1, 0, 0);
	tk_assert_close(ms_value(&copy, "real.ari_label"), 1, 0, 0);
	tk_assert_close(ms_value(&copy, "ari_partition"), 1, 0, 0);
	tk_assert_close(ms_value(&copy, "inertia_ratio"), 1, 0, 0);
	tk_assert_close(ms_value(&r, "real.ari_label"), 1, 0, 0);
	/* cells (h, 100 - h | 0, 100) with h near 50: for h = 50 it is .25; 40..60 gives .17 to .34
	 */
	ck_assert_msg(ms_value(&r, "ari_label") > 0.15 && ms_value(&r, "ari_label") < 0.36, "%g",
		      ms_value(&r, "ari_label"));
	/* q rows lie .6 - .025 from the upper centre: 100 * .575^2 against 200 * .1^2 / 12 */
	tk_assert_close(ms_value(&r, "inertia_ratio"), 0.575 * 0.575 * 100 / (200 * 0.01 / 12), 0.1,
			0);
	iso_table_free(train);
	iso_table_free(test);
	iso_table_free(one);
	iso_schema_free(s);
}
END_TEST

/* ---- scores ---- */

START_TEST(inception_golden)
{
	cJSON *g = tk_golden("oracle_stats.json.gz");
	const cJSON *v = cJSON_GetObjectItem(g, "inception_score"), *row, *cell;
	double p[1000];
	size_t n = 0, rows = 0;

	cJSON_ArrayForEach(row, cJSON_GetObjectItem(v, "probs"))
	{
		rows++;
		cJSON_ArrayForEach(cell, row)
		{
			ck_assert(n < ISO_COUNT(p));
			p[n++] = cell->valuedouble;
		}
	}
	tk_assert_close(iso_inception_score(p, rows, n / rows), tk_number(v, "is"), 1e-9, 0);
	const double sure[] = {1, 0, 0, 0, 1, 0, 0, 0, 1}, flat[] = {0.5, 0.5, 0.5, 0.5};
	tk_assert_close(iso_inception_score(sure, 3, 3), 3, 1e-12, 0);
	tk_assert_close(iso_inception_score(flat, 2, 2), 1, 1e-12, 0);
	ck_assert(isnan(iso_inception_score(flat, 0, 2)));
	cJSON_Delete(g);
}
END_TEST

/* Clear classes: near 2 for both; one class only: near 1.  Rows that lie apart are told with
 * certainty: the Jensen-Shannon score is near ln 2; a copy: 0 exactly. */
START_TEST(scores_values)
{
	iso_schema *s = ms_schema(heaps);
	iso_table *train = two_heaps(s, 300, 0.2, 0.8, 1), *test = two_heaps(s, 300, 0.2, 0.8, 2),
		  *one = two_heaps(s, 300, 0.2, 0.2, 3), *apart = two_heaps(s, 300, 0.4, 0.6, 4);
	const ms_result copy = ms_measure("gan-scores", NULL, train, test, train),
			r = ms_measure("gan-scores", NULL, train, test, one),
			far = ms_measure("gan-scores", NULL, train, test, apart);

	ck_assert_msg(ms_value(&copy, "inception") > 1.8 && ms_value(&copy, "inception") <= 2, "%g",
		      ms_value(&copy, "inception"));
	ck_assert(ms_value(&copy, "real.inception") > 1.8);
	tk_assert_close(ms_value(&copy, "inception_accuracy"), 1, 0, 0);
	tk_assert_close(ms_value(&copy, "jensen_shannon"), 0, 0, 1e-12);
	ck_assert_msg(ms_value(&r, "inception") < 1.02, "%g", ms_value(&r, "inception"));
	ck_assert_msg(ms_value(&far, "jensen_shannon") > 0.6, "%g",
		      ms_value(&far, "jensen_shannon"));
	iso_table_free(train);
	iso_table_free(test);
	iso_table_free(one);
	iso_table_free(apart);
	iso_schema_free(s);
}
END_TEST

/* ---- groups ---- */

/* g = 0: the label is a > 1/2; g = 1: in the real rows the same, in the synthetic ones the other
 * way round.  A line in (a, g) trained on the synthetic rows cannot turn by g: with three quarters
 * of the rows in g = 0 it follows a, so group 0 is right; where g = 1 the real labels are right
 * too.  When the synthetic rows are all of g = 1, it is wrong in both. */
START_TEST(groups_values)
{
	iso_schema *s =
		ms_schema("{\"name\":\"g\",\"columns\":[{\"name\":\"a\",\"type\":\"continuous\","
			  "\"bounds\":[0,1]},"
			  "{\"name\":\"g\",\"type\":\"binary\",\"categories\":[\"0\",\"1\"]},"
			  "{\"name\":\"label\",\"type\":\"binary\",\"role\":\"label\","
			  "\"categories\":[\"no\",\"yes\"]"
			  "}]}");
	enum { N = 400 };
	double real[3 * N], one_sided[3 * N], blind[3 * N];

	for (size_t i = 0; i < N; i++) {
		const double a = ((double)i + 0.5) / N, g = (double)(i % 4 == 3);

		memcpy(real + 3 * i, (double[]){a, g, a > 0.5}, 3 * sizeof(double));
		/* group 1 is called yes whatever a is */
		memcpy(one_sided + 3 * i, (double[]){a, g, g > 0 ? 1 : a > 0.5},
		       3 * sizeof(double));
		memcpy(blind + 3 * i, (double[]){a, 0, a > 0.5}, 3 * sizeof(double));
	}
	iso_table *t = ms_table(s, N, real), *o = ms_table(s, N, one_sided),
		  *b = ms_table(s, N, blind);
	const ms_result copy = ms_measure("groups", NULL, t, t, t),
			r = ms_measure("groups", NULL, t, t, o),
			z = ms_measure("groups", "{\"column\":\"g\"}", t, t, b);

	ck_assert(ms_value(&copy, "worst_accuracy") > 0.97 &&
		  ms_value(&copy, "accuracy_gap") < 0.03);
	tk_assert_close(ms_value(&copy, "worst_accuracy"), ms_value(&copy, "real.worst_accuracy"),
			0, 0);
	tk_assert_close(ms_value(&copy, "share_gap"), 0, 0, 0);
	tk_assert_close(ms_value(&copy, "groups"), 2, 0, 0);
	/* group 1 is always called yes: half of its rows are wrong, parity 1 against 1/2 */
	ck_assert_msg(ms_value(&r, "worst_accuracy") < 0.6 && ms_value(&r, "accuracy_gap") > 0.35 &&
			      ms_value(&r, "parity_gap") > 0.35,
		      "%g %g %g", ms_value(&r, "worst_accuracy"), ms_value(&r, "accuracy_gap"),
		      ms_value(&r, "parity_gap"));
	ck_assert(ms_value(&r, "real.worst_accuracy") > 0.97);
	tk_assert_close(ms_value(&z, "share_gap"), 0.25, 1e-12, 0);
	iso_table_free(t);
	iso_table_free(o);
	iso_table_free(b);
	iso_schema_free(s);
}
END_TEST

/* ---- student ---- */

/* 8 x 8 images with a bar: upright or lying, at a random place; no pixel alone says which. */
static iso_table *bars(const iso_schema *s, size_t n, int turned, uint64_t seed)
{
	iso_stream r = iso_stream_new(iso_key_new(seed, "bars"));
	iso_table *t;
	iso_error err = {0};

	tk_ok(iso_table_new(s, n, &t, &err));
	for (size_t i = 0; i < n; i++) {
		const size_t at = (size_t)iso_next_below(&r, 8);
		const int upright = i % 2;

		for (size_t j = 0; j < 8; j++)
			t->pixels[64 * i + (upright ? 8 * j + at : 8 * at + j)] = 255;
		t->cells[i * s->ncol + (size_t)s->label] = turned ? !upright : upright;
	}
	return t;
}

START_TEST(student_values)
{
	iso_schema *s = ms_schema("{\"name\":\"bars\",\"columns\":[{\"name\":\"image\",\"type\":"
				  "\"pixel\",\"shape\":[8,8]},"
				  "{\"name\":\"label\",\"type\":\"binary\",\"role\":\"label\","
				  "\"categories\":[\"lying\","
				  "\"upright\"]}]}");
	iso_table *train = bars(s, 200, 0, 1), *test = bars(s, 100, 0, 2),
		  *turned = bars(s, 200, 1, 3);
	const ms_result r = ms_measure("student-cnn", "{\"steps\":150}", train, test, turned),
			copy = ms_measure("student-cnn", "{\"steps\":150}", train, test, train);

	ck_assert_msg(ms_value(&r, "real.accuracy") > 0.97 && ms_value(&r, "accuracy") < 0.03,
		      "%g %g", ms_value(&r, "real.accuracy"), ms_value(&r, "accuracy"));
	ck_assert(ms_value(&copy, "accuracy") > 0.97 && ms_value(&copy, "auroc_macro") > 0.99);
	iso_table_free(train);
	iso_table_free(test);
	iso_table_free(turned);
	iso_schema_free(s);
}
END_TEST

/* ---- row-count ---- */

/* j = (a > 1/2), but the other way round in the first `wrong` rows. */
static iso_table *turning(const iso_schema *s, size_t n, size_t wrong, uint64_t seed)
{
	iso_stream r = iso_stream_new(iso_key_new(seed, "turning"));
	double *cells = iso_alloc(2 * n, sizeof(*cells));

	for (size_t i = 0; i < n; i++) {
		cells[2 * i] = iso_next_u01(&r);
		cells[2 * i + 1] = (cells[2 * i] > 0.5) == (i >= wrong);
	}
	iso_table *t = ms_table(s, n, cells);
	iso_free(cells);
	return t;
}

/* 15 rows mislead: areas 0, 0, 1, 1, .. with the first 10, 20, 40, 80, .. rows. */
START_TEST(row_count_values)
{
	iso_schema *s = ms_schema("{\"name\":\"t\",\"columns\":[{\"name\":\"a\",\"type\":"
				  "\"continuous\",\"bounds\":[0,1]},"
				  "{\"name\":\"j\",\"type\":\"binary\",\"categories\":[\"0\",\"1\"]"
				  ",\"role\":\"label\"}]}");
	iso_table *test = turning(s, 200, 0, 2), *synthetic = turning(s, 300, 15, 3);
	const ms_result r = ms_measure("row-count", "{\"first\":10}", test, test, synthetic);

	tk_assert_close(ms_value(&r, "auroc_first"), 0, 1e-12, 0);
	tk_assert_close(ms_value(&r, "auroc"), 1, 1e-12, 0);
	tk_assert_close(ms_value(&r, "gain"), 1, 1e-12, 0);
	tk_assert_close(ms_value(&r, "enough"), 40, 0, 0);
	for (size_t i = 0; i < synthetic->n; i++)
		synthetic->cells[2 * i + 1] = 1;
	const ms_result one = ms_measure("row-count", NULL, test, test, synthetic);

	ck_assert(isnan(ms_value(&one, "auroc")) && isnan(ms_value(&one, "enough")));
	ck_assert_str_eq(ms_reason(&one, "auroc"),
			 "one class among the synthetic or the test rows");
	iso_table_free(test);
	iso_table_free(synthetic);
	iso_schema_free(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tasks");
	TCase *t = tcase_create("tasks");

	tcase_add_test(t, dimensions_values);
	tcase_add_test(t, clustering_values);
	tcase_add_test(t, inception_golden);
	tcase_add_test(t, scores_values);
	tcase_add_test(t, groups_values);
	tcase_add_test(t, student_values);
	tcase_add_test(t, row_count_values);
	suite_add_tcase(s, t);
	return tk_run(s);
}
