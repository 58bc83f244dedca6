// SPDX-License-Identifier: Apache-2.0
/* Named data sets that are read from files: run where the files are ($ISOEPS_DATA or
 * ../shared/data), skipped with the reason where they are not. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/data/catalogue.h"
#include "tests/support/testkit.h"

static iso_error err;

static iso_dataset *load(const char *name, const char *options)
{
	cJSON *v = options ? cJSON_Parse(options) : NULL;
	iso_dataset *d = NULL;

	iso_error_clear(&err);
	tk_ok(iso_dataset_load(name, v, &d, &err));
	cJSON_Delete(v);
	return d;
}

static int present(const char *name)
{
	iso_str where = {0};
	int yes = 0;

	tk_ok(iso_dataset_locate(name, &where, &yes, &err));
	iso_str_free(&where);
	if (!yes)
		tk_skip("the files of %s are not here ($ISOEPS_DATA, ../shared/data)", name);
	return yes;
}

static void count_labels(const iso_table *t, size_t *count, size_t n)
{
	memset(count, 0, n * sizeof(*count));
	for (size_t r = 0; r < t->n; r++) {
		ck_assert_uint_lt(iso_table_label(t, r), n);
		count[iso_table_label(t, r)]++;
	}
}

START_TEST(test_wdbc_equals_uci)
{
	iso_dataset *d;
	iso_table *t;
	char path[512], a[65], b[65];

	snprintf(path, sizeof(path), "%s/wdbc.csv.gz", tk_shared_data() ? tk_shared_data() : "");
	if (access(path, R_OK) != 0) {
		tk_skip("wdbc.csv.gz is not here ($ISOEPS_DATA, ../shared/data)");
		return;
	}
	d = load("wdbc", NULL);
	tk_ok(iso_table_read_csv(path, d->schema, &t, &err));
	tk_ok(iso_table_hash(t, a, &err));
	tk_ok(iso_table_hash(d->table, b, &err));
	ck_assert_str_eq(a, b);
	iso_table_free(t);
	iso_dataset_free(d);
}
END_TEST

/* Counts of the published descriptions and of the papers' protocols.  One Check case per data set,
 * so that CTest (CK_RUN_CASE) tells which one is absent. */
static const struct {
	const char *name, *options;
	size_t rows, test, classes[10];
} cases[] = {
	{"adult", NULL, 32561, 16281, {24720, 7841}},
	{"adult", "{\"merge_test\":true,\"drop_missing\":true}", 45222, 0, {34014, 11208}},
	{"adult",
	 "{\"merge_test\":true,\"drop_missing\":true,\"dedup\":true}",
	 45175,
	 0,
	 {33973, 11202}},
	{"adult", "{\"drop_missing\":true}", 30162, 15060, {22654, 7508}},
	{"mushroom", NULL, 8124, 0, {4208, 3916}},
	{"wine-quality", NULL, 6497, 0, {1599, 4898}},
	{"wine-quality", "{\"dedup\":true}", 5320, 0, {1359, 3961}},
	{"titanic", NULL, 1309, 0, {809, 500}},
	{"mnist", NULL, 60000, 10000, {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}},
	{"mnist", "{\"rows\":100}", 100, 100, {13, 14, 6, 11, 11, 5, 11, 10, 8, 11}},
	{"fashion-mnist",
	 NULL,
	 60000,
	 10000,
	 {6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000}},
	{"pima", NULL, 768, 0, {500, 268}},
	{"german-credit", NULL, 1000, 0, {700, 300}},
	{"satellite", NULL, 6435, 0, {1533, 703, 1358, 626, 707, 0, 1508}},
	{"cmc", NULL, 1473, 0, {629, 333, 511}},
	{"optdigits", NULL, 3823, 1797, {376, 389, 380, 389, 387, 376, 377, 387, 380, 382}},
	{"credit-default", NULL, 30000, 0, {23364, 6636}},
	{"cervical-cancer", NULL, 858, 0, {803, 55}},
};

START_TEST(test_counts)
{
	size_t count[10];
	iso_dataset *d;

	if (!present(cases[_i].name))
		return;
	d = load(cases[_i].name, cases[_i].options);
	ck_assert_uint_eq(d->table->n, cases[_i].rows);
	ck_assert_uint_eq(d->test ? d->test->n : 0, cases[_i].test);
	count_labels(d->table, count, iso_schema_classes(d->schema));
	for (size_t k = 0; k < iso_schema_classes(d->schema); k++)
		ck_assert_msg(count[k] == cases[_i].classes[k], "%s %s class %zu: %zu rows",
			      cases[_i].name, cases[_i].options ? cases[_i].options : "", k,
			      count[k]);
	tk_ok(iso_table_check(d->table, &err));
	iso_dataset_free(d);
}
END_TEST

START_TEST(test_mnist_is_quick)
{
	double start = iso_clock_wall();
	iso_dataset *d;

	if (!present("mnist"))
		return;
	d = load("mnist", NULL);
	ck_assert_int_eq(d->table->pixels[28 * 5 + 12],
			 3); /* first inked pixel of the first image */
	ck_assert_uint_eq(iso_table_label(d->table, 0), 5);
	iso_dataset_free(d);
	ck_assert_msg(iso_clock_wall() - start < 20, "%g s",
		      iso_clock_wall() - start); /* half a second; a loaded machine is no failure */
}
END_TEST

static void add_case(Suite *s, const char *name, const TTest *test, int first, int last)
{
	TCase *t = tcase_create(name);

	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, test, first, last);
	suite_add_tcase(s, t);
}

int main(void)
{
	Suite *s = suite_create("catalogue of files");
	const int n = (int)ISO_COUNT(cases);
	int first = 0;

	for (int i = 1; i <= n; i++)
		if (i == n || strcmp(cases[i].name, cases[first].name) != 0) {
			add_case(s, cases[first].name, test_counts, first, i);
			first = i;
		}
	add_case(s, "wdbc", test_wdbc_equals_uci, 0, 1);
	add_case(s, "mnist-quick", test_mnist_is_quick, 0, 1);
	return tk_run(s);
}
