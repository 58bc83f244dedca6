// SPDX-License-Identifier: Apache-2.0
/* The fidelity metrics beside golden values of other programs and tables that are counted by hand.
 */
#include <string.h>

#include "core/rand/rand.h"
#include "tests/oracle/metric_support.h"

static double golden(const ms_small *m, const char *group, const char *key)
{
	return tk_number(cJSON_GetObjectItem(m->golden, group), key);
}

/* scipy and the metrics' own public code on 60 rows of three columns; distances scale by the range
 * of 20. */
START_TEST(small_dataset)
{
	ms_small m = ms_small_new();
	const ms_result a = ms_measure("associations", NULL, m.real, m.real, m.synthetic),
			k = ms_measure("kernel", NULL, m.real, m.real, m.synthetic),
			d = ms_measure("distances", NULL, m.real, m.real, m.synthetic);

	tk_assert_close(ms_value(&a, "pearson_frobenius"),
			tk_number(m.golden, "corr_diff_frobenius"), 1e-9, 0);
	tk_assert_close(ms_value(&a, "pearson_mean"),
			tk_number(m.golden, "corr_diff_mean_abs_offdiag"), 1e-9, 0);
	tk_assert_close(ms_value(&a, "mean"), ms_value(&a, "pearson_mean"), 0, 0);
	tk_assert_close(20 * ms_value(&k, "bandwidth"), golden(&m, "mmd", "sigma_median_pooled"),
			1e-6, 0);
	tk_assert_close(ms_value(&k, "mmd2_biased"), golden(&m, "mmd", "biased"), 1e-5, 0);
	tk_assert_close(ms_value(&k, "mmd2_unbiased"), golden(&m, "mmd", "unbiased"), 1e-5, 0);
	tk_assert_close(ms_value(&d, "precision"), golden(&m, "prdc_k5", "precision"), 1e-12, 0);
	tk_assert_close(ms_value(&d, "recall"), golden(&m, "prdc_k5", "recall"), 1e-12, 0);
	tk_assert_close(ms_value(&d, "density"), golden(&m, "prdc_k5", "density"), 1e-12, 0);
	tk_assert_close(ms_value(&d, "coverage"), golden(&m, "prdc_k5", "coverage"), 1e-12, 0);
	tk_assert_close(ms_value(&d, "authenticity"),
			tk_number(m.golden, "authenticity_alaa_definition"), 1e-12, 0);
	tk_assert_close(20 * ms_value(&d, "dcr_median"), golden(&m, "dcr_synth_to_real", "median"),
			1e-6, 0);
	tk_assert_close(20 * ms_value(&d, "dcr_p5"), golden(&m, "dcr_synth_to_real", "p5"), 1e-6,
			0);
	tk_assert_close(ms_value(&d, "nndr_median"), golden(&m, "nndr", "median"), 1e-5, 0);
	ms_small_free(&m);
}
END_TEST

/* Mann-Whitney by counting pairs, shares by comparing every distance. */
START_TEST(closest_by_counting)
{
	ms_small m = ms_small_new();
	const size_t n = m.holdout->n, q = m.synthetic->n;
	double near[3][64], hold[64], pairs = 0, wins = 0, identified = 0;

	m.real->n = n; /* as many: nothing is drawn */
	const iso_table *t[3] = {m.real, m.holdout, m.synthetic};
	for (int i = 0; i < 3; i++)
		for (size_t r = 0; r < t[i]->n; r++) {
			near[i][r] = hold[r] = INFINITY;
			for (size_t s = 0; s < n; s++) {
				double a = 0, b = 0;
				for (size_t j = 0; j < 3; j++) {
					a += pow(t[i]->cells[3 * r + j] - m.real->cells[3 * s + j],
						 2);
					b += pow(t[i]->cells[3 * r + j] -
							 m.holdout->cells[3 * s + j],
						 2);
				}
				if (i || s != r)
					near[i][r] = fmin(near[i][r], a);
				hold[r] = fmin(hold[r], b);
			}
			wins += i == 2 && near[2][r] < hold[r];
		}
	for (size_t a = 0; a < q; a++)
		for (size_t b = 0; b < n; b++)
			pairs += near[2][a] > near[1][b] ? 1 : near[2][a] == near[1][b] ? 0.5 : 0;
	for (size_t r = 0; r < n; r++) {
		double least = INFINITY;
		for (size_t s = 0; s < q; s++) {
			double a = 0;
			for (size_t j = 0; j < 3; j++)
				a += pow(m.real->cells[3 * r + j] - m.synthetic->cells[3 * s + j],
					 2);
			least = fmin(least, a);
		}
		identified += least < near[0][r];
	}
	const double nm = (double)n * (double)q;
	const ms_result c = ms_measure("closest", NULL, m.real, m.holdout, m.synthetic);
	tk_assert_close(ms_value(&c, "nearer_train"), wins / (double)q, 1e-12, 0);
	tk_assert_close(ms_value(&c, "tied"), 0, 0, 0);
	tk_assert_close(ms_value(&c, "identifiability"), identified / (double)n, 1e-12, 0);
	tk_assert_close(ms_value(&c, "copying_z"),
			(pairs - (nm / 2 - 0.5)) / sqrt(nm * (double)(n + q + 1) / 12), 1e-9, 0);
	/* copies: every synthetic row stands on a training row */
	const ms_result copy = ms_measure("closest", NULL, m.real, m.holdout, m.real);
	tk_assert_close(ms_value(&copy, "nearer_train"), 1, 0, 0);
	tk_assert_close(ms_value(&copy, "identifiability"), 1, 0, 0);
	ck_assert_msg(ms_value(&copy, "copying_z") < -5, "Z %g", ms_value(&copy, "copying_z"));
	ms_small_free(&m);
}
END_TEST

static const char *const mixed =
	"{\"name\":\"mixed\",\"columns\":["
	"{\"name\":\"k\",\"type\":\"categorical\",\"categories\":[\"x\",\"y\"]},"
	"{\"name\":\"l\",\"type\":\"categorical\",\"categories\":[\"p\",\"q\"]},"
	"{\"name\":\"a\",\"type\":\"continuous\",\"bounds\":[0,10]}]}";

/* Real: k = l in all of 8 rows, a = 2 where k = x and 6 where k = y: V: chi2 = n, phi2 = 1 - 1/7,
 * the corrected sides 2 - 1/7, so V = 1; eta = 1.  Synthetic: k and l independent, and a: V = 0,
 * and eta of (2,6,2,6 | 2,6,2,6) = 0. */
START_TEST(associations_by_hand)
{
	iso_schema *s = ms_schema(mixed);
	double real[24], syn[24];

	for (size_t i = 0; i < 8; i++) {
		const double k = (double)(i / 4), l = (double)(i % 2);
		memcpy(real + 3 * i, (double[]){k, k, k > 0 ? 6 : 2}, 3 * sizeof(double));
		memcpy(syn + 3 * i, (double[]){k, l, (i / 2) % 2 ? 6 : 2}, 3 * sizeof(double));
	}
	iso_table *a = ms_table(s, 8, real), *b = ms_table(s, 8, syn);
	const ms_result r = ms_measure("associations", NULL, a, a, b);
	tk_assert_close(ms_value(&r, "cramer_mean"), 1, 1e-12, 0);
	tk_assert_close(ms_value(&r, "eta_mean"), 1, 1e-12, 0);
	tk_assert_close(ms_value(&r, "mean"), 1, 1e-12, 0);
	ck_assert(isnan(ms_value(&r, "pearson_mean")));
	/* one of four moved: 3 1 / 1 3: phi2 = 1/4, corrected 1/4 - 1/7 over 6/7 */
	for (size_t i = 0; i < 8; i++)
		b->cells[3 * i + 1] = i == 0 || i == 7 ? 1 - b->cells[3 * i] : b->cells[3 * i];
	const ms_result v = ms_measure("associations", NULL, a, a, b);
	tk_assert_close(ms_value(&v, "cramer_mean"), 1 - sqrt((1.0 / 4 - 1.0 / 7) / (6.0 / 7)),
			1e-12, 0);
	/* eta of k: 2 6 2 6 | 2 6 2 6 -> 2 2 6 6 | ... is 0 both ways; of l: groups (6,..) by hand
	 */
	iso_table_free(a);
	iso_table_free(b);
	iso_schema_free(s);
}
END_TEST

/* One real and one synthetic point a apart from another pair: all of it in closed form. */
START_TEST(kernel_by_hand)
{
	iso_schema *s = ms_schema("{\"name\":\"one\",\"columns\":[{\"name\":\"a\",\"type\":"
				  "\"continuous\",\"bounds\":[0,1]}]}");
	iso_table *a = ms_table(s, 2, (double[]){0, 0.5}), *b = ms_table(s, 2, (double[]){0, 1});
	/* pooled distances .5 0 1 .5 .5 1: median .5 */
	const ms_result r = ms_measure("kernel", NULL, a, a, b);
	const double half = exp(-0.5), one = exp(-2);
	tk_assert_close(ms_value(&r, "bandwidth"), 0.5, 1e-6, 0);
	tk_assert_close(ms_value(&r, "mmd2_biased"),
			(2 + 2 * half) / 4 + (2 + 2 * one) / 4 - 2 * (1 + one + half + half) / 4,
			1e-6, 1e-7);
	tk_assert_close(ms_value(&r, "mmd2_unbiased"), half + one - (1 + one + half + half) / 2,
			1e-6, 1e-7);
	iso_table_free(a);
	iso_table_free(b);
	iso_schema_free(s);
	/* p under one law is uniform: of 40 pairs 10 below 1/4 expected, sd 2.7; 0..21 at 4 sd.
	 * Apart it is the least, 1/201. */
	ms_small m = ms_small_new();
	size_t low = 0;
	for (uint64_t i = 0; i < 40; i++) {
		iso_stream g = iso_stream_new(iso_key_new(i, "law"));
		for (size_t e = 0; e < 3 * m.real->n; e++)
			m.real->cells[e] = iso_next_normal(&g);
		for (size_t e = 0; e < 3 * m.synthetic->n; e++)
			m.synthetic->cells[e] = iso_next_normal(&g);
		const ms_result p =
			ms_measure("kernel", "{\"permutations\":99}", m.real, m.real, m.synthetic);
		low += ms_value(&p, "p") <= 0.25;
	}
	ck_assert_msg(low >= 1 && low <= 21, "%zu of 40 below 1/4", low);
	for (size_t e = 0; e < 3 * m.synthetic->n; e++)
		m.synthetic->cells[e] = fmin(10, m.synthetic->cells[e] + 3);
	const ms_result apart = ms_measure("kernel", NULL, m.real, m.real, m.synthetic);
	tk_assert_close(ms_value(&apart, "p"), 1.0 / 201, 1e-12, 0);
	ms_small_free(&m);
}
END_TEST

/* A copy is the diagonal; everything at the real centre lies inside every ball: the curve is 1
 * from the second level on, 1 - 2 (1 + sum (1 - k/29)) / 29 with the level 0 at 0 or 1. */
START_TEST(support_by_hand)
{
	iso_schema *s = ms_schema("{\"name\":\"one\",\"columns\":[{\"name\":\"a\",\"type\":"
				  "\"continuous\",\"bounds\":[-100,100]}]}");
	double grid[201], centre[201] = {0};

	for (size_t i = 0; i < 201; i++)
		grid[i] = (double)i - 100;
	iso_table *a = ms_table(s, 201, grid), *b = ms_table(s, 201, centre);
	const ms_result copy = ms_measure("support", NULL, a, a, a);
	/* at level k/29 the share inside is that of whole distances: within 1.5/201 of the level */
	tk_assert_close(ms_value(&copy, "alpha_precision"), 1, 0, 2 * 30 / 29.0 * 1.5 / 201);
	tk_assert_close(ms_value(&copy, "beta_recall"), 1, 0, 2 * 30 / 29.0 * 1.5 / 201);
	const ms_result r = ms_measure("support", NULL, a, a, b);
	double gap = 0; /* the row 0 of the grid is the centre, so level 0 holds all too */
	for (int k = 0; k < 30; k++)
		gap += 1 - (double)k / 29;
	tk_assert_close(ms_value(&r, "alpha_precision"), 1 - 2 * gap / 29, 1e-9, 0);
	/* real rows -1, 0, 1 are no farther from 0 than from one another: 3 of 201 at every level
	 */
	gap = 0;
	for (int k = 0; k < 30; k++)
		gap += fabs((double)k / 29 - 3.0 / 201);
	tk_assert_close(ms_value(&r, "beta_recall"), 1 - 2 * gap / 29, 1e-9, 0);
	iso_table_free(a);
	iso_table_free(b);
	iso_schema_free(s);
}
END_TEST

/* All real rows in one cell, all synthetic ones in another.  Of a binary column every query is
 * answered 0 and 1: error 1, relative 1 or 100 (sanity .01) with probability 1/2 each; one column
 * alone has no triple. */
START_TEST(queries_by_hand)
{
	iso_schema *s =
		ms_schema("{\"name\":\"one\",\"columns\":[{\"name\":\"j\",\"type\":\"binary\","
			  "\"categories\":[\"0\",\"1\"]}]}");
	iso_table *a = ms_table(s, 4, (double[]){0, 0, 0, 0}),
		  *b = ms_table(s, 2, (double[]){1, 1}),
		  *c = ms_table(s, 4, (double[]){0, 0, 0, 1});
	const ms_result r = ms_measure("queries", NULL, a, a, b);

	tk_assert_close(ms_value(&r, "error_mean"), 1, 1e-9, 0);
	tk_assert_close(ms_value(&r, "error_p95"), 1, 0, 0);
	/* 1,000 fair coins: sd 1.565, four of them */
	tk_assert_close(ms_value(&r, "relative_mean"), 50.5, 0, 6.3);
	ck_assert(isnan(ms_value(&r, "tvd3_mean")));
	const ms_result q = ms_measure("queries", NULL, a, a, c);
	tk_assert_close(ms_value(&q, "error_mean"), 0.25, 1e-9, 0);
	tk_assert_close(ms_value(&q, "error_max"), 0.25, 1e-12, 0);
	iso_table_free(a);
	iso_table_free(b);
	iso_table_free(c);
	iso_schema_free(s);
	/* three columns, one triple: the joint cells by hand.  Interval queries of a number:
	 * uniform ends give [u, v] with a point x inside with probability 2 x (1 - x) */
	s = ms_schema(mixed);
	const double real[] = {0, 0, 1, 0, 0, 1, 1, 1, 9, 1, 1, 9},
		     syn[] = {0, 0, 1, 0, 1, 1, 1, 0, 9, 1, 1, 9};
	a = ms_table(s, 4, real);
	b = ms_table(s, 4, syn);
	const ms_result t = ms_measure("queries", NULL, a, a, b);
	tk_assert_close(ms_value(&t, "tvd3_mean"), 0.5, 1e-12, 0);
	tk_assert_close(ms_value(&t, "tvd3_max"), 0.5, 1e-12, 0);
	ck_assert(ms_value(&t, "floor.tvd3_mean") >= 0);
	iso_table_free(a);
	iso_table_free(b);
	iso_schema_free(s);
	s = ms_schema("{\"name\":\"one\",\"columns\":[{\"name\":\"a\",\"type\":\"continuous\","
		      "\"bounds\":[0,1]}]}");
	a = ms_table(s, 1, (double[]){0.5});
	b = ms_table(s, 1, (double[]){0});
	/* 0 is in no interval, 1/2 in half of them: error 1/2, sd of 1,000: .0158, four of them */
	const ms_result i = ms_measure("queries", NULL, a, a, b);
	tk_assert_close(ms_value(&i, "error_mean"), 0.5, 0, 0.064);
	iso_table_free(a);
	iso_table_free(b);
	iso_schema_free(s);
}
END_TEST

/* Rows of four steps.  Real 0 1 0 1 always: r_1 = -1, r_2 = 1; synthetic 0 0 1 1: r_1 of (-1 -1 1
 * 1) = (1 - 1 + 1)/3 = 1/3, r_2 = -1.  Means of the steps 0 1 0 1 against 0 0 1 1: half of them
 * differ by 1.  Warped without a band 0 1 0 1 to 0 0 1 1 costs 1 (one value 0 against 1). */
START_TEST(series_by_hand)
{
	iso_schema *s = ms_schema("{\"name\":\"seq\",\"columns\":[{\"name\":\"x\",\"type\":"
				  "\"sequence\",\"shape\":[4],\"bounds\":[0,1]}]}");
	const double up[] = {0, 1, 0, 1, 0, 1, 0, 1}, step[] = {0, 0, 1, 1, 0, 0, 1, 1};
	iso_table *a = ms_table(s, 2, up), *b = ms_table(s, 2, step);
	const ms_result r = ms_measure("series", "{\"band\":1}", a, a, b);

	tk_assert_close(ms_value(&r, "autocorrelation"), (4.0 / 3 + 2) / 2, 1e-12, 0);
	tk_assert_close(ms_value(&r, "profile"), 0.5, 1e-12, 0);
	tk_assert_close(ms_value(&r, "profile_w1"), 0.5, 1e-12, 0);
	tk_assert_close(ms_value(&r, "length"), 0, 0, 0);
	tk_assert_close(ms_value(&r, "dtw_median"), 1, 1e-12, 0);
	tk_assert_close(ms_value(&r, "dtw_holdout_median"), 0, 0, 0);
	/* 0 0 1 1 to 0 1 1 1 is free with a warping of one step, and costs 1 on the diagonal */
	iso_table *c = ms_table(s, 1, (double[]){0, 1, 1, 1});
	const ms_result w = ms_measure("series", "{\"band\":0.25}", b, b, c),
			d = ms_measure("series", "{\"band\":0}", b, b, c);
	tk_assert_close(ms_value(&w, "dtw_median"), 0, 0, 0);
	tk_assert_close(ms_value(&d, "dtw_median"), 1, 1e-12, 0);
	iso_table_free(a);
	iso_table_free(b);
	iso_table_free(c);
	iso_schema_free(s);
}
END_TEST

/* k: the real rows have both levels, the synthetic ones one; a: half of them on a bound against
 * none; l constant only in the synthetic rows; what the reader counted becomes shares. */
START_TEST(validity_by_hand)
{
	iso_schema *s = ms_schema(mixed);
	const double real[] = {0, 0, 0, 1, 1, 10, 0, 1, 5, 1, 0, 4}, syn[] = {0, 0, 3, 0, 0, 4};
	iso_table *a = ms_table(s, 4, real), *b = ms_table(s, 2, syn);
	const ms_result r = ms_measure("schema-validity", NULL, a, a, b);

	tk_assert_close(ms_value(&r, "valid_rows"), 1, 0, 0);
	tk_assert_close(ms_value(&r, "levels"), 0.5, 0, 0);
	tk_assert_close(ms_value(&r, "at_bounds"), 0.5, 0, 0);
	tk_assert_close(ms_value(&r, "constant_columns"), 2.0 / 3, 1e-12, 0);
	tk_assert_close(ms_value(&r, "repeated_rows"), 0, 0, 0);
	ck_assert(isnan(ms_value(&r, "missing_gap")));
	b->cells[5] = 3;
	const iso_validity found = {.rows = 50,
				    .cells = 150,
				    .broken_rows = 5,
				    .clipped = 3,
				    .rounded = 6,
				    .unknown = 9,
				    .unreadable = 12,
				    .missing = 15};
	iso_measure v[16] = {{0}};
	const iso_metric_view view = {.schema = s,
				      .train = a,
				      .synthetic = b,
				      .found = &found,
				      .key = iso_key_new(1, "m")};
	iso_measures out = {.outputs = r.metric->outputs, .v = v, .n = r.n};
	iso_error err = {0};
	tk_ok(r.metric->measure(&view, NULL, &out, &err));
	const double want[] = {0.9, 0.02, 0.04, 0.06, 0.08, 0.1};
	for (size_t i = 0; i < ISO_COUNT(want); i++)
		tk_assert_close(v[i].value, want[i], 1e-12, 0);
	tk_assert_close(v[10].value, 0.5, 0, 0); /* the second synthetic row repeats the first */
	iso_table_free(a);
	iso_table_free(b);
	iso_schema_free(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("fidelity");
	TCase *t = tcase_create("fidelity");

	tcase_add_test(t, small_dataset);
	tcase_add_test(t, closest_by_counting);
	tcase_add_test(t, associations_by_hand);
	tcase_add_test(t, kernel_by_hand);
	tcase_add_test(t, support_by_hand);
	tcase_add_test(t, queries_by_hand);
	tcase_add_test(t, series_by_hand);
	tcase_add_test(t, validity_by_hand);
	suite_add_tcase(s, t);
	return tk_run(s);
}
