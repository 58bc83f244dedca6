// SPDX-License-Identifier: Apache-2.0
/* core/learn/assess.c and kfold.c: scikit-learn's numbers, the published TLD table, definitions. */
#include "core/learn/assess.h"

#include <string.h>

#include "core/learn/kfold.h"
#include "core/learn/logreg.h"
#include "core/math/stats.h"
#include "tests/support/testkit.h"

static iso_error err;

START_TEST(many_classes)
{
	cJSON *g = tk_golden("oracle_learn.json.gz");
	const cJSON *v = cJSON_GetObjectItem(g, "metrics"), *e;
	double prob[800];
	uint32_t y[200];
	size_t n = 0;
	iso_assessment a;
	cJSON_ArrayForEach(e, cJSON_GetObjectItem(v, "prob")) prob[n++] = e->valuedouble;
	n = 0;
	cJSON_ArrayForEach(e, cJSON_GetObjectItem(v, "y")) y[n++] = (uint32_t)e->valuedouble;
	tk_ok(iso_assess(prob, y, n, 4, 1, &a, &err));
	tk_assert_close(a.accuracy, tk_number(v, "accuracy"), 0, 1e-12);
	tk_assert_close(a.f1_macro, tk_number(v, "f1_macro"), 0, 1e-12);
	tk_assert_close(a.auroc_micro, tk_number(v, "auroc_micro"), 0, 1e-12);
	tk_assert_close(a.auroc_macro, tk_number(v, "auroc_macro"), 0, 1e-12);
	tk_assert_close(a.auprc, tk_number(v, "auprc_macro"), 0, 1e-12);
	ck_assert(isnan(a.f1_positive) && isnan(a.auroc_low) && a.accuracy_low < a.accuracy &&
		  a.accuracy < a.accuracy_high);
	cJSON_Delete(g);
}
END_TEST

/* By hand: truths 1 1 0 0, calls 1 0 1 0. */
START_TEST(two_classes)
{
	const double prob[] = {0.1, 0.9, 0.7, 0.3, 0.4, 0.6, 0.8, 0.2};
	const uint32_t y[] = {1, 1, 0, 0}, one[] = {1, 1, 1, 1};
	iso_assessment a;
	tk_ok(iso_assess(prob, y, 4, 2, 1, &a, &err));
	tk_assert_close(a.accuracy, 0.5, 0, 0);
	tk_assert_close(a.f1_positive, 0.5, 0, 1e-15);
	tk_assert_close(a.auroc_macro, 0.75, 0, 1e-15);
	ck_assert(a.auroc_micro == a.auroc_macro && a.auroc_low < 0.75 && a.auroc_high > 0.75);
	tk_ok(iso_assess(prob, y, 4, 2, 0, &a, &err)); /* the other class: the same area */
	tk_assert_close(a.auroc_macro, 0.75, 0, 1e-15);
	tk_ok(iso_assess(prob, one, 4, 2, 1, &a, &err));
	ck_assert(isnan(a.auroc_macro) && a.accuracy == 0.5);
	tk_ok(iso_assess(prob, one, 0, 2, 1, &a, &err));
	ck_assert(isnan(a.accuracy));
	const double bad[] = {0.5, NAN};
	tk_fails(iso_assess(bad, y, 1, 2, 1, &a, &err), ISO_E_NUMERIC, "not finite");
	tk_assert_close(iso_f1(0, 3, 2), 0, 0, 0);
	tk_assert_close(iso_f1(2, 1, 1), 2.0 / 3, 0, 1e-15);
}
END_TEST

/* The five TLD values of the 3DGL paper, then the corners. */
START_TEST(tld)
{
	cJSON *g = tk_golden("oracle_stats.json.gz");
	const cJSON *v;
	int degenerate;
	size_t seen = 0;
	cJSON_ArrayForEach(v, cJSON_GetObjectItem(g, "tld_3dgl_table3"))
	{
		const double t = iso_tld(tk_number(v, "kld"), tk_number(v, "acc"),
					 tk_number(v, "auc"), &degenerate);
		tk_assert_close(t, tk_number(v, "tld"), 1e-12, 0);
		tk_assert_close(t, tk_number(v, "tld_printed"), 0, 0.005);
		ck_assert(!degenerate);
		seen++;
	}
	ck_assert_uint_eq(seen, 5);
	cJSON_Delete(g);
	tk_assert_close(iso_tld(342, 0.9, 1, &degenerate), 1, 0, 0);
	ck_assert(degenerate);
	tk_assert_close(iso_tld(0, 0.9, 1, &degenerate), 1, 0, 0);
	ck_assert(degenerate);
	tk_assert_close(iso_tld(0, 0.5, 0.6, &degenerate), 0, 0, 0);
	ck_assert(!degenerate);
	tk_assert_close(iso_tld(INFINITY, 0.5, 0.6, &degenerate), INFINITY, 0, 0);
	tk_assert_close(iso_tld(INFINITY, 0.5, 1, &degenerate), 1, 0, 0);
	tk_assert_close(iso_tld(8, 0.5, 0.25, &degenerate), 8, 1e-12,
			0); /* 16^0.75: below chance, not flipped */
	ck_assert(isnan(iso_tld(1, 0, 0.5, &degenerate)));
	ck_assert(isnan(iso_tld(1, NAN, 0.5, &degenerate)));
}
END_TEST

START_TEST(divergences)
{
	cJSON *g = tk_golden("oracle_stats.json.gz");
	const cJSON *s = cJSON_GetObjectItem(g, "small_dataset"), *row;
	const cJSON *per =
		cJSON_GetObjectItem(cJSON_GetObjectItem(s, "kld_10bins_alpha0.5"), "per_column");
	for (int c = 0; c < 3; c++) {
		double a[60], b[60];
		size_t na = 0, nb = 0;
		cJSON_ArrayForEach(row, cJSON_GetObjectItem(s, "real")) a[na++] =
			cJSON_GetArrayItem(row, c)->valuedouble;
		cJSON_ArrayForEach(row, cJSON_GetObjectItem(s, "synth")) b[nb++] =
			cJSON_GetArrayItem(row, c)->valuedouble;
		tk_assert_close(iso_kl_samples(a, na, b, nb, 10, 0.5),
				cJSON_GetArrayItem(per, c)->valuedouble, 1e-12, 0);
	}
	cJSON_Delete(g);
	const double same[] = {2, 2, 2}, p[] = {1, 3}, q[] = {3, 1}, none[] = {0, 0},
		     gone[] = {NAN, NAN, 5};
	tk_assert_close(iso_kl_samples(same, 3, same, 3, 10, 0.5), 0, 0, 0);
	/* cells (number, NaN): 3,0 against 1,2, half a count more */
	tk_assert_close(iso_kl_samples(same, 3, gone, 3, 1, 0.5),
			3.5 / 4 * log(3.5 / 1.5) + 0.5 / 4 * log(0.5 / 2.5), 1e-12, 0);
	tk_assert_close(iso_kl_counts(p, q, 2, 0), 0.25 * log(1.0 / 3) + 0.75 * log(3), 1e-12, 0);
	tk_assert_close(iso_kl_counts(p, none, 2, 0.5), 0.3 * log(0.6) + 0.7 * log(1.4), 1e-12, 0);
	tk_assert_close(iso_tv_counts(p, q, 2), 0.5, 0, 1e-15);
	tk_assert_close(iso_tv_counts(p, none, 2), 1, 0, 0);
	tk_assert_close(iso_tv_counts(none, none, 2), 0, 0, 0);
}
END_TEST

/* scikit-learn's ten folds, exported: the means of the 3DGL protocol. */
START_TEST(ten_folds)
{
	cJSON *g = tk_golden("oracle_learn.json.gz"), *o = tk_golden("oracle_stats.json.gz");
	const cJSON *v = cJSON_GetObjectItem(g, "tenfold"), *e, *c;
	double x[360], prob[240], acc[10], f1[10], auc[10];
	uint32_t y[120], fold[120], train[120], test[120];
	size_t at = 0;
	iso_design d;
	cJSON_ArrayForEach(e, cJSON_GetObjectItem(cJSON_GetObjectItem(o, "small_dataset"), "real"))
		cJSON_ArrayForEach(c, e) x[at++] = c->valuedouble;
	cJSON_ArrayForEach(e, cJSON_GetObjectItem(cJSON_GetObjectItem(o, "small_dataset"), "synth"))
		cJSON_ArrayForEach(c, e) x[at++] = c->valuedouble;
	for (size_t i = 0; i < 120; i++) {
		y[i] = i < 60;
		fold[i] = (uint32_t)cJSON_GetArrayItem(cJSON_GetObjectItem(v, "fold"), (int)i)
				  ->valuedouble;
	}
	tk_ok(iso_design_new_f64(x, 120, 3, &d, &err));
	for (size_t f = 0; f < 10; f++) {
		iso_logreg_config cf = iso_logreg_default();
		iso_logreg m;
		size_t ntrain = 0, ntest = 0;
		double s[120], tp = 0, fp = 0, fn = 0, right = 0;
		uint8_t t[120];
		for (uint32_t i = 0; i < 120; i++)
			*(fold[i] == f ? &test[ntest++] : &train[ntrain++]) = i;
		cf.standardise = 1;
		tk_ok(iso_logreg_fit(&cf, &d, train, ntrain, y, 2, &m, &err));
		tk_ok(iso_logreg_predict(&m, &d, test, ntest, prob, &err));
		iso_logreg_free(&m);
		for (size_t i = 0; i < ntest; i++) {
			s[i] = prob[2 * i + 1];
			t[i] = (uint8_t)y[test[i]];
			right += (s[i] >= 0.5) == t[i];
			tp += s[i] >= 0.5 && t[i];
			fp += s[i] >= 0.5 && !t[i];
			fn += s[i] < 0.5 && t[i];
		}
		acc[f] = right / (double)ntest;
		f1[f] = iso_f1(tp, fp, fn);
		auc[f] = iso_auc(s, t, ntest);
	}
	tk_assert_close(iso_mean(acc, 10), tk_number(v, "accuracy"), 0, 1e-12);
	tk_assert_close(iso_mean(f1, 10), tk_number(v, "f1_real"), 0, 1e-12);
	tk_assert_close(iso_mean(auc, 10), tk_number(v, "auc"), 0, 1e-9);
	tk_assert_close(iso_sd(acc, 10), tk_number(v, "accuracy_sd"), 0, 1e-9);
	iso_design_free(&d);
	cJSON_Delete(g);
	cJSON_Delete(o);
}
END_TEST

/* Folds: every row in one, sizes within one of each other in a class and in all, another key
 * another deal. */
START_TEST(folds)
{
	uint32_t y[157], a[157], b[157];
	size_t size[10] = {0}, in_class[3][10] = {{0}}, differ = 0;
	for (size_t i = 0; i < 157; i++)
		y[i] = i % 11 ? i % 2 : 2;
	tk_ok(iso_stratified_folds(iso_key_new(1, "f"), y, NULL, 157, 3, 10, a, &err));
	tk_ok(iso_stratified_folds(iso_key_new(2, "f"), y, NULL, 157, 3, 10, b, &err));
	for (size_t i = 0; i < 157; i++) {
		ck_assert(a[i] < 10);
		size[a[i]]++;
		in_class[y[i]][a[i]]++;
		differ += a[i] != b[i];
	}
	ck_assert(differ > 50);
	for (size_t f = 0; f < 10; f++) {
		ck_assert(size[f] == 15 || size[f] == 16);
		for (size_t c = 0; c < 3; c++)
			ck_assert(in_class[c][f] <= in_class[c][0] + 1 &&
				  in_class[c][0] <= in_class[c][f] + 1);
	}
	tk_fails(iso_stratified_folds(iso_key_new(1, "f"), y, NULL, 157, 3, 0, a, &err),
		 ISO_E_USAGE, "zero folds");
}
END_TEST

/* Equal rows share a fold, the sides stay balanced, and rows of their own are dealt as without
 * groups. */
START_TEST(grouped_folds)
{
	uint32_t y[300], group[300], a[300], b[300];
	size_t size[5] = {0}, ones[5] = {0};
	for (size_t i = 0; i < 300; i++) {
		y[i] = i < 150;
		group[i] = (uint32_t)(i < 150 ? i : i - 150); /* a copy: row i equals row 150 + i */
	}
	tk_ok(iso_stratified_folds(iso_key_new(1, "f"), y, group, 300, 2, 5, a, &err));
	for (size_t i = 0; i < 300; i++) {
		ck_assert(a[i] < 5);
		ck_assert_uint_eq(a[i], a[group[i]]);
		size[a[i]]++;
		ones[a[i]] += y[i];
	}
	for (size_t f = 0; f < 5; f++)
		ck_assert(size[f] == 60 && ones[f] == 30);
	for (size_t i = 0; i < 300; i++)
		group[i] = (uint32_t)i;
	tk_ok(iso_stratified_folds(iso_key_new(1, "f"), y, group, 300, 2, 5, a, &err));
	tk_ok(iso_stratified_folds(iso_key_new(1, "f"), y, NULL, 300, 2, 5, b, &err));
	ck_assert_mem_eq(a, b, sizeof(a));
	for (size_t i = 0; i < 300; i++)
		group[i] = i < 100 ? 0 : i < 140 ? 1 : (uint32_t)i; /* sizes 100, 40, then ones */
	tk_ok(iso_stratified_folds(iso_key_new(1, "f"), y, group, 300, 2, 3, a, &err));
	for (size_t i = 0; i < 140; i++)
		ck_assert_uint_eq(a[i], a[i < 100 ? 0 : 100]);
	ck_assert_uint_ne(a[0], a[100]);
	size[0] = size[1] = size[2] = 0;
	for (size_t i = 150; i < 300; i++)
		size[a[i]]++;
	for (size_t f = 0; f < 3; f++)
		ck_assert_uint_eq(size[f], 50); /* class 0 has no large group */
}
END_TEST

/* All pairs of 0..4 come up, about equally often: 10 subsets, 2,000 draws, chi-square at 1e-6. */
START_TEST(subsets)
{
	double seen[25] = {0}, observed[10], expected[10];
	size_t k = 0;
	for (uint64_t r = 0; r < 2000; r++) {
		uint32_t *s;
		tk_ok(iso_subset(iso_key_new(r, "s"), 5, 2, &s, &err));
		ck_assert(s[0] < s[1] && s[1] < 5);
		seen[s[0] * 5 + s[1]]++;
		iso_free(s);
	}
	for (size_t i = 0; i < 5; i++)
		for (size_t j = i + 1; j < 5; j++) {
			observed[k] = seen[i * 5 + j];
			expected[k++] = 200;
		}
	ck_assert(iso_chi2_test(observed, expected, 10, 9) > 1e-6);
	uint32_t *all;
	tk_ok(iso_subset(iso_key_new(1, "s"), 4, 4, &all, &err));
	ck_assert(all[0] == 0 && all[3] == 3);
	iso_free(all);
	tk_fails(iso_subset(iso_key_new(1, "s"), 4, 5, &all, &err), ISO_E_USAGE, "5 rows of 4");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("assess");
	TCase *t = tcase_create("assess");
	tcase_add_test(t, many_classes);
	tcase_add_test(t, two_classes);
	tcase_add_test(t, tld);
	tcase_add_test(t, divergences);
	tcase_add_test(t, ten_folds);
	tcase_add_test(t, folds);
	tcase_add_test(t, grouped_folds);
	tcase_add_test(t, subsets);
	suite_add_tcase(s, t);
	return tk_run(s);
}
