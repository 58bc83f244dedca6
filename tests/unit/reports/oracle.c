// SPDX-License-Identifier: Apache-2.0
/* What the page shows, against values worked out by hand. */
#include "reports/figures_more.h"
#include "core/base/alloc.h"
#include "core/io/file.h"
#include "reports/caveats.h"
#include "reports/controls.h"
#include "reports/published.h"
#include "reports/tables.h"
#include "tests/unit/reports/records.h"

static iso_records records;
static iso_aggregate a;

/* methods: "a", "b", .. with one value per seed. */
static void build(const double *value, size_t methods, size_t seeds)
{
	iso_error err = {0};

	records = (iso_records){.v = calloc(methods * seeds, sizeof(cJSON *))};
	for (size_t m = 0; m < methods; m++)
		for (size_t s = 0; s < seeds; s++) {
			const char label[] = {(char)('a' + m), 0};

			records.v[records.n++] =
				record_of("d", label, "1", (int)s + 1, value[m * seeds + s], 0.5);
		}
	tk_ok(iso_aggregate_new(&records, &a, &err));
}

static void drop(void)
{
	iso_aggregate_free(&a);
	for (size_t i = 0; i < records.n; i++)
		cJSON_Delete(records.v[i]);
	free(records.v);
}

START_TEST(interval_over_seeds)
{
	static const double v[] = {0.5, 0.6, 0.7, 0.8};
	char text[ISO_NUMBER_TEXT];
	size_t j;

	build(v, 1, 4);
	j = iso_aggregate_find(&a, "tstr.lr.auroc");
	/* .6500 +- t(3, .975) * sqrt(.05/3) / 2 = 3.18245 * .129099 / 2 */
	tk_assert_close(iso_aggregate_at(&a, 0, j)->mean, 0.65, 1e-12, 0);
	tk_assert_close(iso_aggregate_at(&a, 0, j)->low, 0.65 - 0.20542603, 1e-7, 0);
	tk_assert_close(iso_aggregate_at(&a, 0, j)->high, 0.65 + 0.20542603, 1e-7, 0);
	iso_free(a.name[j].unit);
	a.name[j].unit = iso_strdup(""); /* else it is shown in % */
	iso_mean_text(iso_aggregate_at(&a, 0, j), &a.name[j], text);
	ck_assert_str_eq(text, "0.650 \xc2\xb1 0.205");
	drop();
}
END_TEST

/* Texts that differ in numbers alone are told once, with the range of each number. */
START_TEST(caveats_told_once)
{
	static const char *const said[] = {
		"4 of 1251 test rows equal a training row",
		"beyond the option `pairs` (2,000)",
		"10 of 1251 test rows equal a training row",
		"tvd2 at 1e-05, 3 columns",
		"beyond the option `pairs` (12,000)",
		"7 of 1251 test rows equal a training row",
		"tvd3 at 1e-05, 3 columns",
		"share 0.25.",
		"share 0.5.",
	};
	static const char *const told[] = {
		"4 to 10 of 1251 test rows equal a training row",
		"beyond the option `pairs` (2,000 to 12,000)",
		"tvd2 at 1e-05, 3 columns",
		"tvd3 at 1e-05, 3 columns",
		"share 0.25 to 0.5.",
	};
	iso_caveats c = {0};
	iso_error err = {0};

	for (size_t i = 0; i < ISO_COUNT(said); i++)
		tk_ok(iso_caveats_add(&c, said[i], &err));
	ck_assert_uint_eq(c.n, ISO_COUNT(told));
	for (size_t i = 0; i < c.n; i++) {
		iso_str text = {0};

		iso_caveat_text(&c, i, &text);
		ck_assert_str_eq(text.p, told[i]);
		iso_str_free(&text);
	}
	iso_caveats_free(&c);
}
END_TEST

/* The outcome of the record/replay check is the record's "verified", whatever else it says. */
START_TEST(outcome_of_the_check)
{
	static const char *const says[] = {"verified", "refuted", "claimed", "none"},
				 *const shown[] = {"dp, verified", "refuted", "dp, claimed",
						   "dp, claimed"};
	static const double v[] = {0.5, 0.6};
	iso_error err = {0};
	char text[64];

	for (size_t i = 0; i < ISO_COUNT(says); i++) {
		build(v, 1, 2);
		iso_aggregate_free(&a);
		for (size_t r = 0; r < records.n; r++)
			cJSON_ReplaceItemInObject(records.v[r], "verified",
						  cJSON_CreateString(says[i]));
		tk_ok(iso_aggregate_new(&records, &a, &err));
		iso_label_text(&a.setting[0], text);
		ck_assert_str_eq(text, shown[i]);
		drop();
	}
}
END_TEST

START_TEST(numbers_as_people_read_them)
{
	static const struct {
		double x;
		const char *text;
	} t[] = {{0.8131, "0.813"}, {12.44, "12.4"},	     {1250, "1250"}, {0, "0"},
		 {0.05, "0.0500"},  {-0.00001, "-1.00e-05"}, {3, "3"},	     {99.96, "100.0"}};
	char text[32];
	const char *unit;

	for (size_t i = 0; i < ISO_COUNT(t); i++) {
		iso_number_text(t[i].x, text);
		ck_assert_str_eq(text, t[i].text);
	}
	tk_assert_close(iso_shown_unit("bytes", &unit), 1e-6, 0, 0);
	ck_assert_str_eq(unit, "MB");
	tk_assert_close(iso_shown_unit("share", &unit), 100, 0, 0);
	ck_assert_str_eq(unit, "%");
	iso_epsilon_text(INFINITY, text);
	ck_assert_str_eq(text, "inf");
}
END_TEST

START_TEST(paired_test)
{
	/* differences .1 .2 .3 .2: mean .2, sd .0816497, t = .2 / (.0816497 / 2) = 4.898979 with 3
	 * degrees of freedom: p = .0162766 (R: t.test(c(.1,.2,.3,.2))) */
	static const double v[] = {0.6, 0.7, 0.8, 0.7, 0.5, 0.5, 0.5, 0.5};
	size_t j;

	build(v, 2, 4);
	j = iso_aggregate_find(&a, "tstr.lr.auroc");
	tk_assert_close(iso_paired_p(&a, 0, 1, j), 0.0162766, 1e-4, 0);
	tk_assert_close(iso_paired_p(&a, 1, 0, j), iso_paired_p(&a, 0, 1, j), 1e-12, 0);
	tk_assert_close(iso_paired_p(&a, 0, 0, j), 1, 0, 0);
	drop();
}
END_TEST

START_TEST(two_seeds_show_no_difference)
{
	static const double v[] = {0.9, 0.9001, 0.1, 0.1};
	size_t setting[] = {0, 1};
	unsigned rank[2];

	build(v, 2, 2);
	ck_assert(isnan(iso_paired_p(&a, 0, 1, iso_aggregate_find(&a, "tstr.lr.auroc"))));
	iso_rank_settings(&a, setting, 2, iso_aggregate_find(&a, "tstr.lr.auroc"), rank);
	ck_assert(rank[0] == 1 && rank[1] == 1);
	drop();
}
END_TEST

START_TEST(holm_by_hand)
{
	/* Holm (1979): .01 * 4 = .04; .02 * 3 = .06; .03 * 2 = .06; .9 */
	double p[] = {0.03, 0.01, 0.9, NAN, 0.02};

	iso_holm(p, 5);
	tk_assert_close(p[0], 0.06, 1e-12, 0);
	tk_assert_close(p[1], 0.04, 1e-12, 0);
	tk_assert_close(p[2], 0.9, 1e-12, 0);
	ck_assert(isnan(p[3]));
	tk_assert_close(p[4], 0.06, 1e-12, 0);
}
END_TEST

START_TEST(ranks_with_ties)
{
	/* a and b differ by noise, c is far below both at every seed, d far below c */
	static const double v[] = {0.80, 0.82, 0.81, 0.83, 0.81, 0.81, 0.82, 0.82,
				   0.50, 0.51, 0.50, 0.51, 0.20, 0.21, 0.20, 0.21};
	size_t setting[] = {3, 2, 1, 0};
	unsigned rank[4];
	size_t j;

	build(v, 4, 4);
	j = iso_aggregate_find(&a, "tstr.lr.auroc");
	iso_rank_settings(&a, setting, 4, j, rank);
	ck_assert(rank[3] == 1 && rank[2] == 1 && rank[1] == 3 && rank[0] == 4);
	a.name[j].direction = -1; /* lower is better: the other way round */
	iso_rank_settings(&a, setting, 4, j, rank);
	ck_assert(rank[0] == 1 && rank[1] == 2 && rank[2] == 3 && rank[3] == 3);
	drop();
}
END_TEST

START_TEST(a_tie_spans_what_lies_between)
{
	/* b is below a by exactly .1 at every seed: parted; c is lower still but so noisy that it
	 * is not: all three share the rank */
	static const double v[] = {0.80, 0.81, 0.80, 0.81, 0.70, 0.711,
				   0.70, 0.71, 0.10, 0.95, 0.20, 0.90};
	size_t setting[] = {0, 1, 2};
	unsigned rank[3];

	build(v, 3, 4);
	iso_rank_settings(&a, setting, 3, iso_aggregate_find(&a, "tstr.lr.auroc"), rank);
	ck_assert(rank[0] == 1 && rank[1] == 1 && rank[2] == 1);
	drop();
}
END_TEST

/* The sentences above the table of the answer of v [methods][seeds]. */
static char *words_of(const double *v, size_t methods, size_t seeds)
{
	iso_rtables tables = {0};
	iso_error err = {0};
	char *words;

	build(v, methods, seeds);
	a.name[iso_aggregate_find(&a, "tstr.lr.auroc")].headline = 1;
	tk_ok(iso_answers_build(&a, 0, &tables, &err));
	ck_assert_uint_eq(tables.n, 1);
	words = strdup(tables.v[0].words.p);
	iso_tables_free(&tables);
	drop();
	return words;
}

START_TEST(the_words_say_who_leads)
{
	static const double apart[] = {0.80, 0.81, 0.80, 0.81, 0.50, 0.51, 0.50, 0.51};
	static const double tied[] = {0.80, 0.82, 0.81, 0.83, 0.81, 0.81, 0.82, 0.83};
	static const double two[] = {0.80, 0.81, 0.90, 0.91};
	char *w = words_of(apart, 2, 4);

	ck_assert_ptr_nonnull(strstr(w, "To begin with at epsilon 1: a, first in the table below"));
	ck_assert_ptr_nonnull(strstr(w, "On d at epsilon 1, a is best by "));
	ck_assert_ptr_null(strstr(w, "cannot be told apart"));
	free(w);
	w = words_of(tied, 2, 4); /* means .815 and .8175 */
	ck_assert_ptr_nonnull(strstr(w, "To begin with at epsilon 1: b,"));
	ck_assert_ptr_nonnull(strstr(w, "b has the best mean "));
	ck_assert_ptr_nonnull(strstr(w, "; a cannot be told apart from it."));
	free(w);
	w = words_of(two, 2, 2);
	ck_assert_ptr_nonnull(strstr(w, "b has the best mean "));
	ck_assert_ptr_nonnull(strstr(w, "; with 2 seeds no difference between methods can be shown "
					"(3 or more are needed)."));
	free(w);
	w = words_of(two, 1, 2); /* one method: nobody to lead */
	ck_assert_ptr_null(strstr(w, "best"));
	free(w);
}
END_TEST

START_TEST(real_against_synthetic)
{
	static const double v[] = {0.8, 0.7, 0.6};
	static const double real[] = {0.25, 0.75}, synthetic[] = {0.5, 1};
	const char *dir = tk_tempdir();
	iso_figures figures = {0};
	iso_error err = {0};
	char path[300];
	char *text = NULL;
	size_t n;

	build(v, 3, 1);
	/* methods a and b have points, c has none */
	for (size_t i = 0; i < 2; i++) {
		cJSON *m = cJSON_GetObjectItem(records.v[i], "metrics")->child;

		cJSON_AddItemToObject(m, "points_real", cJSON_CreateDoubleArray(real, 2));
		cJSON_AddItemToObject(m, "points_synthetic", cJSON_CreateDoubleArray(synthetic, 2));
	}
	tk_ok(iso_figure_points(&a, 0, dir, &figures, &err));
	ck_assert_uint_eq(figures.n, 1);
	ck_assert_str_eq(figures.v[0].stem, "d-points-tstr.lr.auroc");
	snprintf(path, sizeof(path), "%s/%s.csv", dir, figures.v[0].stem);
	tk_ok(iso_file_read(path, 0, &text, &n, &err));
	ck_assert_str_eq(text, "series,label,x,y,low,high,xlow,xhigh\n"
			       "1,1,0.25,0.5,0.5,0.5,0.25,0.25\n"
			       "1,1,0.75,1,1,1,0.75,0.75\n"
			       "2,1,0.25,0.5,0.5,0.5,0.25,0.25\n"
			       "2,1,0.75,1,1,1,0.75,0.75\n"
			       "3,equal,0.25,0.25,0.25,0.25,0.25,0.25\n"
			       "3,equal,0.75,0.75,0.75,0.75,0.75,0.75\n");
	iso_free(text);
	iso_figures_free(&figures);
	drop();
}
END_TEST

/* A curve is a line over its own axis, without a diagonal. */
START_TEST(value_against_rows)
{
	static const double v[] = {0.8, 0.7}, x[] = {50, 100}, y[] = {0.5, 0.75};
	const char *dir = tk_tempdir();
	iso_figures figures = {0};
	iso_error err = {0};
	char path[300];
	char *text = NULL;
	size_t n;
	cJSON *m;

	build(v, 2, 1);
	m = cJSON_GetObjectItem(records.v[1], "metrics")->child;
	cJSON_AddStringToObject(m, "curve_axis", "synthetic rows");
	cJSON_AddItemToObject(m, "curve_x", cJSON_CreateDoubleArray(x, 2));
	cJSON_AddItemToObject(m, "curve_y", cJSON_CreateDoubleArray(y, 2));
	tk_ok(iso_figure_points(&a, 0, dir, &figures, &err));
	ck_assert_uint_eq(figures.n, 1);
	ck_assert_str_eq(figures.v[0].stem, "d-curve-of-tstr.lr.auroc");
	snprintf(path, sizeof(path), "%s/%s.csv", dir, figures.v[0].stem);
	tk_ok(iso_file_read(path, 0, &text, &n, &err));
	ck_assert_str_eq(text, "series,label,x,y,low,high,xlow,xhigh\n"
			       "1,1,50,0.5,0.5,0.5,50,50\n"
			       "1,1,100,0.75,0.75,0.75,100,100\n");
	iso_free(text);
	snprintf(path, sizeof(path), "%s/%s.gp", dir, figures.v[0].stem);
	tk_ok(iso_file_read(path, 0, &text, &n, &err));
	ck_assert(strstr(text, "xlog = 1\n") && strstr(text, "xlab = 'synthetic rows'\n"));
	iso_free(text);
	iso_figures_free(&figures);
	drop();
}
END_TEST

START_TEST(roc_by_hand)
{
	/* scores 4+ 3- 3+ 1-: (0,0) (0,.5) then the tie (.5,1), then (1,1) */
	static const double score[] = {4, 3, 3, 1};
	static const int truth[] = {1, 0, 1, 0};
	double fpr[6], tpr[6];

	ck_assert_uint_eq(iso_roc_points(score, truth, 4, fpr, tpr), 4);
	ck_assert(fpr[0] == 0 && tpr[0] == 0 && fpr[1] == 0 && tpr[1] == 0.5);
	ck_assert(fpr[2] == 0.5 && tpr[2] == 1 && fpr[3] == 1 && tpr[3] == 1);
}
END_TEST

START_TEST(friedman_and_nemenyi)
{
	/* Ranks 1 2 3 in each of 4 blocks: chi2 = 12*4/(3*4) * (1+0+1) = 8, p = exp(-4); CD =
	 * 3.314493 / sqrt(2) * sqrt(3*4/(6*4)) = 1.657247 */
	static const double v[] = {3, 2, 1, 6, 5, 4, 30, 20, 10, 0.3, 0.2, 0.1};
	/* one tie: ranks 1.5 1.5 3 */
	static const double tied[] = {2, 2, 1};
	double rank[3], p, cd;

	iso_friedman(v, 4, 3, rank, &p, &cd);
	ck_assert(rank[0] == 1 && rank[1] == 2 && rank[2] == 3);
	tk_assert_close(p, 0.01831563888873418, 1e-9, 0);
	tk_assert_close(cd, 1.6572465, 1e-6, 0);
	iso_friedman(tied, 1, 3, rank, &p, &cd);
	ck_assert(rank[0] == 1.5 && rank[1] == 1.5 && rank[2] == 3);
}
END_TEST

/* Demsar (2006), table 5: critical values of Nemenyi's test at 5 %; a block of its own makes
 * cd = q sqrt(k (k + 1) / 6). */
START_TEST(nemenyi_table)
{
	static const double q[] = {1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164};
	double v[10] = {0}, rank[10], p, cd;

	for (size_t k = 2; k <= 10; k++) {
		iso_friedman(v, 1, k, rank, &p, &cd);
		tk_assert_close(cd / sqrt((double)(k * (k + 1)) / 6), q[k - 2], 6e-4, 0);
	}
}
END_TEST

/* Ranks 1, 1.5, 2.8, 4 with a critical difference of 1.4: the first two, the middle two, the last
 * two. */
START_TEST(groups_of_ranks)
{
	static const double rank[] = {2.8, 1, 4, 1.5};
	static const size_t order[] = {1, 3, 0, 2};
	size_t first[4], last[4];

	ck_assert_uint_eq(iso_rank_groups(rank, order, 4, 1.4, first, last), 3);
	for (size_t g = 0; g < 3; g++) {
		ck_assert_uint_eq(first[g], g);
		ck_assert_uint_eq(last[g], g + 1);
	}
	ck_assert_uint_eq(iso_rank_groups(rank, order, 4, 3, first, last), 1);
	ck_assert_uint_eq(first[0], 0);
	ck_assert_uint_eq(last[0], 3);
	ck_assert_uint_eq(iso_rank_groups(rank, order, 4, 0.4, first, last), 0);
}
END_TEST

/* Published .8 at epsilon 1 beside measured .5 and .7 (mean .6): difference -.2; an entry of
 * another epsilon, of another data set and one without a number make no row. */
START_TEST(published_beside_measured)
{
	static const double v[] = {0.5, 0.7};
	static const char text[] =
		"[{\"dataset\":\"d\",\"generator\":\"a\",\"epsilon\":1,\"value\":\"tstr.lr.auroc\","
		"\"published\":0.8,\"source\":\"paper, table 1\"},"
		"{\"dataset\":\"d\",\"generator\":\"a\",\"value\":\"no.such\",\"published\":3,"
		"\"source\":\"paper\"},"
		"{\"dataset\":\"d\",\"generator\":\"a\",\"epsilon\":2,\"value\":\"tstr.lr.auroc\","
		"\"published\":0.8,\"source\":\"x\"},"
		"{\"dataset\":\"e\",\"generator\":\"a\",\"value\":\"tstr.lr.auroc\",\"published\":"
		"1,"
		"\"source\":\"x\"},"
		"{\"dataset\":\"d\",\"generator\":\"a\",\"value\":\"tstr.lr.auroc\",\"source\":"
		"\"x\"},7]";
	static const char *const row[] = {"a",
					  "1",
					  "LR AUROC",
					  "0.800",
					  "0.600 (0.500 to 0.700)",
					  "-0.200",
					  "paper, table 1"};
	iso_error err = {0};
	iso_rtables t = {0};
	cJSON *list = cJSON_Parse(text);
	size_t j;

	build(v, 1, 2);
	j = iso_aggregate_find(&a, "tstr.lr.auroc");
	iso_free(a.name[j].unit);
	a.name[j].unit = iso_strdup("");
	iso_free(a.name[j].title);
	a.name[j].title = iso_strdup("LR AUROC");
	a.published = list;
	tk_ok(iso_published_table(&a, 0, &t, &err));
	ck_assert_uint_eq(t.n, 1);
	ck_assert_uint_eq(t.v[0].nrow, 2);
	for (size_t k = 0; k < ISO_COUNT(row); k++)
		ck_assert_str_eq(t.v[0].cell[k].text, row[k]);
	tk_assert_close(t.v[0].cell[5].sort, -0.2, 1e-12, 0);
	ck_assert_str_eq(t.v[0].cell[7 + 2].text, "no.such");
	ck_assert_str_eq(t.v[0].cell[7 + 4].text, "not measured");
	ck_assert_str_eq(t.v[0].cell[7 + 5].text, "-");
	iso_tables_free(&t);
	cJSON_Delete(list);
	drop();
}
END_TEST

/* Intervals of .10 are standard errors of .10 / 3.92 = .0255: .58 is 3.14 of them above chance, .57
 * is 2.74, .42 is 3.14 below. */
START_TEST(controls_by_three_errors)
{
	static const double v[] = {0.5, 0.5};
	static const double mean[][2] = {{0.58, 0.57}, {0.57, 0.42}};
	static const char *const said[][2] = {{"yes", "yes"}, {"no", "NO"}};
	iso_error err = {0};
	size_t j;

	build(v, 2, 1);
	j = iso_aggregate_find(&a, "gan-leaks.auc");
	a.setting[0].control = "copies";
	a.setting[1].control = "blind";
	for (size_t i = 0; i < a.nsample; i++)
		if (a.sample[i].name == j) {
			a.sample[i].low = 0.45;
			a.sample[i].high = 0.55;
		}
	for (size_t k = 0; k < 2; k++) {
		iso_rtables t = {0};

		for (size_t i = 0; i < 2; i++)
			a.cell[i * a.nname + j].mean = mean[k][i];
		tk_ok(iso_controls_table(&a, 0, &t, &err));
		ck_assert_uint_eq(t.n, 1);
		ck_assert_uint_eq(t.v[0].nrow, 1);
		ck_assert_str_eq(t.v[0].cell[2].text, said[k][0]);
		ck_assert_str_eq(t.v[0].cell[4].text, said[k][1]);
		tk_assert_close(t.v[0].cell[1].sort, mean[k][0], 0, 0);
		tk_assert_close(t.v[0].cell[3].sort, mean[k][1], 0, 0);
		iso_tables_free(&t);
	}
	ck_assert_int_eq(iso_control_outcome(&a, 1, j), -1);
	a.cell[a.nname + j].mean = 0.44;
	ck_assert_int_eq(iso_control_outcome(&a, 1, j), 0);
	drop();
}
END_TEST

START_TEST(strongest_attack_by_halves)
{
	/* Targets at even places choose the attack, those at odd places judge it. */
	cJSON *v = tk_record("d", "a", "1", 1), *attacks = cJSON_GetObjectItem(v, "attacks");
	cJSON *one = cJSON_GetArrayItem(attacks, 0), *two = cJSON_Duplicate(one, 1);
	const char *label;
	iso_error err = {0};

	cJSON_AddNumberToObject(one, "auc_even", 1);
	cJSON_AddNumberToObject(one, "auc_odd", 0.25);
	cJSON_ReplaceItemInObject(two, "label", cJSON_CreateString("other"));
	cJSON_AddNumberToObject(two, "auc_even", 0);
	cJSON_AddNumberToObject(two, "auc_odd", 1);
	cJSON_AddItemToArray(attacks, two);
	records = (iso_records){.v = calloc(1, sizeof(cJSON *)), .n = 1};
	records.v[0] = v;
	tk_ok(iso_aggregate_new(&records, &a, &err));
	tk_assert_close(iso_strongest_attack(&a, 0, &label), 0.25, 0, 0);
	ck_assert_str_eq(label, "gan-leaks");
	drop();
}
END_TEST

START_TEST(other_versions_are_other_rows)
{
	cJSON *v[] = {tk_record("d", "a", "1", 1), tk_record("d", "a", "1", 2),
		      tk_record("d", "a", "1", 1), tk_record("d", "a", "1", 1),
		      tk_record("d", "a", "1", 1)};
	iso_error err = {0};

	cJSON_ReplaceItemInObject(
		cJSON_GetObjectItem(cJSON_GetObjectItem(v[2], "config"), "generator"), "version",
		cJSON_CreateNumber(2));
	cJSON_ReplaceItemInObject(
		cJSON_GetObjectItem(cJSON_GetObjectItem(v[3], "config"), "dataset"), "hash",
		cJSON_CreateString("other data"));
	cJSON_AddStringToObject(cJSON_GetObjectItem(v[4], "run"), "version", "9.9");
	records = (iso_records){.v = calloc(5, sizeof(cJSON *)), .n = 5};
	memcpy(records.v, v, sizeof(v));
	tk_ok(iso_aggregate_new(&records, &a, &err));
	ck_assert_uint_eq(a.nsetting, 4);
	ck_assert_uint_eq(a.setting[0].seeds, 2);
	ck_assert_int_eq(a.split, 1);
	ck_assert_str_eq(a.setting[0].name, "a #1");
	ck_assert_str_eq(a.setting[3].name, "a #4");
	drop();
}
END_TEST

START_TEST(summary_csv_values)
{
	static const double v[] = {0.5, 0.6, 0.7, 0.8};
	iso_str csv = {0};
	iso_error err = {0};

	build(v, 1, 4);
	a.name[iso_aggregate_find(&a, "tstr.lr.auroc")].headline = 1;
	tk_ok(iso_summary_csv(&a, &csv, &err));
	ck_assert_ptr_nonnull(strstr(csv.p, "tstr.lr.auroc,tstr.lr.auroc.low,tstr.lr.auroc.high"));
	ck_assert_ptr_nonnull(strstr(csv.p, "d,a,a,,dp,verified,1,1e-05,add-remove,pld,10,4,0,"));
	ck_assert_ptr_nonnull(strstr(csv.p, "0.65,0.444573"));
	iso_str_free(&csv);
	drop();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("oracle");
	TCase *c = tcase_create("oracle");

	tcase_add_test(c, outcome_of_the_check);
	tcase_add_test(c, interval_over_seeds);
	tcase_add_test(c, numbers_as_people_read_them);
	tcase_add_test(c, paired_test);
	tcase_add_test(c, two_seeds_show_no_difference);
	tcase_add_test(c, holm_by_hand);
	tcase_add_test(c, ranks_with_ties);
	tcase_add_test(c, a_tie_spans_what_lies_between);
	tcase_add_test(c, the_words_say_who_leads);
	tcase_add_test(c, real_against_synthetic);
	tcase_add_test(c, value_against_rows);
	tcase_add_test(c, roc_by_hand);
	tcase_add_test(c, friedman_and_nemenyi);
	tcase_add_test(c, nemenyi_table);
	tcase_add_test(c, groups_of_ranks);
	tcase_add_test(c, caveats_told_once);
	tcase_add_test(c, published_beside_measured);
	tcase_add_test(c, controls_by_three_errors);
	tcase_add_test(c, strongest_attack_by_halves);
	tcase_add_test(c, other_versions_are_other_rows);
	tcase_add_test(c, summary_csv_values);
	suite_add_tcase(s, c);
	return tk_run(s);
}
