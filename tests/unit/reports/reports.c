// SPDX-License-Identifier: Apache-2.0
/* Reports from hand-made records. Oracles: means and Student intervals computed by hand, escapes
 * written out. */
#include <stdio.h>
#include <string.h>

#include "core/io/file.h"
#include "reports/report.h"
#include "reports/tables.h"
#include "tests/unit/reports/records.h"

static const char *store(cJSON *const *v, size_t n)
{
	const char *dir = tk_tempdir();
	iso_error err = {0};

	for (size_t i = 0; i < n; i++) {
		tk_ok(iso_record_write(dir, v[i], &err));
		cJSON_Delete(v[i]);
	}
	return dir;
}

START_TEST(student_quantiles)
{
	/* Tables of Student's t, 97.5 %: 1, 2, 9, 30 degrees of freedom. */
	tk_assert_close(iso_student_975(2), 12.70620473617471, 1e-10, 0);
	tk_assert_close(iso_student_975(3), 4.302652729911275, 1e-10, 0);
	tk_assert_close(iso_student_975(10), 2.262157162740992, 1e-10, 0);
	tk_assert_close(iso_student_975(31), 2.0422724563012373, 1e-10, 0);
	ck_assert(isnan(iso_student_975(1)));
}
END_TEST

START_TEST(seeds_are_grouped)
{
	cJSON *v[] = {record_of("d", "a", "1", 1, 0.5, 0.6), record_of("d", "a", "1", 2, 0.7, 0.6),
		      record_of("d", "a", "8", 1, 0.9, 0.6), record_of("e", "a", "1", 1, 0.9, 0.6)};
	const char *dir = store(v, ISO_COUNT(v));
	iso_records r = {0};
	iso_aggregate a = {0};
	const iso_summary *s;
	iso_error err = {0};

	tk_ok(iso_records_load(dir, &r, &err));
	tk_ok(iso_aggregate_new(&r, &a, &err));
	ck_assert_uint_eq(a.nsetting, 3);
	ck_assert_uint_eq(a.ndataset, 2);
	s = iso_aggregate_at(&a, 0, iso_aggregate_find(&a, "tstr.lr.auroc"));
	ck_assert_uint_eq(s->n, 2);
	tk_assert_close(s->mean, 0.6, 1e-12, 0);
	tk_assert_close(s->low, 0.5, 1e-12, 0); /* two seeds: the range */
	tk_assert_close(s->high, 0.7, 1e-12, 0);
	iso_aggregate_free(&a);
	iso_records_free(&r);
}
END_TEST

START_TEST(four_seeds_give_a_student_interval)
{
	static const double value[] = {0.5, 0.6, 0.7, 0.8};
	cJSON *v[4];
	iso_records r = {0};
	iso_aggregate a = {0};
	const iso_summary *s;
	const char *dir;
	iso_error err = {0};

	for (int i = 0; i < 4; i++)
		v[i] = record_of("d", "a", "1", i + 1, value[i], 0.5);
	dir = store(v, 4);
	tk_ok(iso_records_load(dir, &r, &err));
	tk_ok(iso_aggregate_new(&r, &a, &err));
	s = iso_aggregate_at(&a, 0, iso_aggregate_find(&a, "tstr.lr.auroc"));
	ck_assert_uint_eq(s->n, 4);
	/* sd = sqrt(0.05/3), t(3) = 3.182446305284263, half-width = t sd / 2 */
	tk_assert_close(s->high - s->mean, 3.182446305284263 * sqrt(0.05 / 3) / 2, 1e-9, 0);
	tk_assert_close(s->mean - s->low, 3.182446305284263 * sqrt(0.05 / 3) / 2, 1e-9, 0);
	iso_aggregate_free(&a);
	iso_records_free(&r);
}
END_TEST

START_TEST(every_format_escapes)
{
	cJSON *v[] = {record_of("d", "a!b_<x>&y%;z", "1", 1, 0.5, 0.6)};
	const char *dir = store(v, 1);
	iso_records r = {0};
	iso_aggregate a = {0};
	iso_rtables t = {0};
	iso_str html = {0}, md = {0}, csv = {0}, tex = {0};
	iso_error err = {0};

	tk_ok(iso_records_load(dir, &r, &err));
	tk_ok(iso_aggregate_new(&r, &a, &err));
	tk_ok(iso_tables_build(&a, &t, &err));
	ck_assert_uint_gt(t.n, 2);
	ck_assert(t.v[0].answer);
	iso_rtable_html(&a, &t.v[0], &html);
	iso_rtable_markdown(&t.v[0], &md);
	iso_rtable_csv(&t.v[0], &csv);
	iso_rtable_latex(&t.v[0], &tex);
	ck_assert_ptr_nonnull(strstr(html.p, "a!b_&lt;x&gt;&amp;y%;z"));
	ck_assert_ptr_null(strstr(html.p, "<x>"));
	ck_assert_ptr_nonnull(strstr(html.p, "bounds were learned"));
	ck_assert_ptr_nonnull(strstr(md.p, "a\\!b\\_\\<x\\>\\&y%;z"));
	ck_assert_ptr_nonnull(strstr(csv.p, "a!b_<x>&y%;z"));
	ck_assert_ptr_nonnull(strstr(tex.p, "a!b\\_$<$x$>$\\&y\\%;z"));
	ck_assert_ptr_nonnull(strstr(tex.p, "\\toprule"));
	iso_str_free(&html);
	iso_str_free(&md);
	iso_str_free(&csv);
	iso_str_free(&tex);
	iso_tables_free(&t);
	iso_aggregate_free(&a);
	iso_records_free(&r);
}
END_TEST

static int has(const char *dir, const char *name)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return iso_file_exists(path);
}

START_TEST(whole_report_with_and_without_gnuplot)
{
	cJSON *v[] = {record_of("d", "a", "1", 1, 0.5, 0.6), record_of("d", "a", "8", 1, 0.7, 0.6),
		      record_of("d", "b", "\"inf\"", 1, 0.8, 0.9)};
	const char *dir = store(v, ISO_COUNT(v));
	iso_report_summary s;
	iso_error err = {0};
	char out[512];
	int missing;

	snprintf(out, sizeof(out), "%s/report", dir);
	tk_ok(iso_report_write(dir, NULL, ISO_REPORT_ALL, NULL, &s, &err));
	missing = s.no_gnuplot;
	ck_assert_uint_eq(s.records, 3);
	ck_assert(has(out, "index.html") && has(out, "report.md") &&
		  has(out, "tables/d-answer-epsilon-1.tex"));
	ck_assert(has(out, "figures/d-tstr.lr.auroc-vs-epsilon.csv") &&
		  has(out, "figures/d-tstr.lr.auroc-vs-epsilon.gp"));
	if (!missing)
		ck_assert(has(out, "figures/d-tstr.lr.auroc-vs-epsilon.svg") &&
			  has(out, "figures/d-tstr.lr.auroc-vs-epsilon.pdf") &&
			  has(out, "figures/d-tstr.lr.auroc-vs-epsilon.png") &&
			  has(out, "figures/d-privacy-utility.png") &&
			  has(out, "figures/d-roc.png") && has(out, "figures/d-claims.png"));
	/* without gnuplot on the path: tables, data and scripts all the same */
	setenv("PATH", "/nonexistent", 1);
	snprintf(out, sizeof(out), "%s/bare", dir);
	tk_ok(iso_report_write(dir, out, ISO_REPORT_ALL, NULL, &s, &err));
	ck_assert_int_eq(s.no_gnuplot, 1);
	ck_assert_uint_eq(s.figures, 0);
	ck_assert(has(out, "index.html") && has(out, "figures/d-roc.gp") &&
		  !has(out, "figures/d-roc.svg"));
}
END_TEST

START_TEST(selection)
{
	cJSON *v[] = {record_of("d", "a", "1", 1, 0.5, 0.6), record_of("d", "b", "1", 1, 0.5, 0.6),
		      record_of("d", "a", "8", 1, 0.7, 0.6), record_of("e", "a", "1", 1, 0.8, 0.9)};
	static const char *const terms[] = {"dataset=d", "epsilon=1", "method=a", "method=b",
					    "value=tstr.lr.auroc"};
	static const char *const wrong[] = {"seed=1"}, *const none[] = {"dataset=x"};
	const iso_report_select select = {terms, 5}, bad = {wrong, 1}, empty = {none, 1};
	const char *dir = store(v, ISO_COUNT(v));
	iso_report_summary s;
	iso_error err = {0};
	char out[512], path[600], *text;
	size_t n;

	snprintf(out, sizeof(out), "%s/some", dir);
	tk_ok(iso_report_write(dir, out, ISO_REPORT_MARKDOWN, &select, &s, &err));
	ck_assert_uint_eq(s.records, 2);
	snprintf(path, sizeof(path), "%s/report.md", out);
	tk_ok(iso_file_read(path, 0, &text, &n, &err));
	ck_assert(strstr(text, "LR AUROC") && !strstr(text, "gan-leaks AUC"));
	iso_free(text);
	tk_fails(iso_report_write(dir, out, ISO_REPORT_MARKDOWN, &bad, &s, &err), ISO_E_USAGE,
		 "seed=1");
	tk_fails(iso_report_write(dir, out, ISO_REPORT_MARKDOWN, &empty, &s, &err), ISO_E_DATA,
		 "is selected");
}
END_TEST

START_TEST(bad_input)
{
	const char *dir = tk_tempdir();
	iso_report_summary s;
	unsigned f;
	iso_error err = {0};

	tk_fails(iso_report_write(dir, NULL, ISO_REPORT_ALL, NULL, &s, &err), ISO_E_IO,
		 "no results");
	tk_fails(iso_report_formats("html,pdf", &f, &err), ISO_E_USAGE, "\"pdf\"");
	tk_fails(iso_report_formats("", &f, &err), ISO_E_USAGE, "empty");
	tk_ok(iso_report_formats("md,csv", &f, &err));
	ck_assert_uint_eq(f, ISO_REPORT_MARKDOWN | ISO_REPORT_CSV);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("reports");
	TCase *c = tcase_create("reports");

	tcase_add_test(c, student_quantiles);
	tcase_add_test(c, seeds_are_grouped);
	tcase_add_test(c, four_seeds_give_a_student_interval);
	tcase_add_test(c, every_format_escapes);
	tcase_add_test(c, whole_report_with_and_without_gnuplot);
	tcase_add_test(c, selection);
	tcase_add_test(c, bad_input);
	suite_add_tcase(s, c);
	return tk_run(s);
}
