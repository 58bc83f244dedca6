// SPDX-License-Identifier: Apache-2.0
/* Named data sets that need no files; catalogue_files.c has the others. */
#include "core/data/catalogue.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/data/sources.h"
#include "core/io/file.h"
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

static void count_labels(const iso_table *t, size_t *count, size_t n)
{
	memset(count, 0, n * sizeof(*count));
	for (size_t r = 0; r < t->n; r++) {
		ck_assert_uint_lt(iso_table_label(t, r), n);
		count[iso_table_label(t, r)]++;
	}
}

START_TEST(test_embedded)
{
	static const char *const names[] = {"sim-mixture", "sim-census", "sim-digits",
					    "sim-series",  "wdbc",	 "digits"};
	size_t count[10];
	iso_dataset *d;

	ck_assert_int_eq(chdir("/"), 0); /* nothing may depend on the working directory */
	for (size_t i = 0; i < ISO_COUNT(names); i++) {
		d = load(names[i], NULL);
		tk_ok(iso_table_check(d->table, &err));
		ck_assert_uint_eq(strlen(d->hash), 64);
		ck_assert_int_eq(d->schema->learned, 0);
		iso_dataset_free(d);
	}
	d = load("wdbc", NULL);
	count_labels(d->table, count, 2);
	ck_assert_uint_eq(count[0], 357);
	ck_assert_uint_eq(count[1], 212);
	ck_assert_int_eq(d->schema->column[d->schema->label].positive, 0); /* benign */
	iso_dataset_free(d);
	d = load("digits", NULL);
	count_labels(d->table, count, 10);
	ck_assert_uint_eq(d->table->n, 1797);
	ck_assert_uint_eq(count[0], 178);
	iso_dataset_free(d);
}
END_TEST

/* 100 rows are the first 100 of 300; another seed gives others; the truth of the networks shows in
 * the frequencies. */
START_TEST(test_simulators)
{
	static const char *const names[] = {"sim-mixture", "sim-census", "sim-digits",
					    "sim-series"};
	iso_dataset *a, *b, *c;
	double male = 0, high = 0, north = 0, missing = 0;

	for (size_t i = 0; i < ISO_COUNT(names); i++) {
		a = load(names[i], "{\"rows\":100}");
		b = load(names[i], "{\"rows\":300}");
		c = load(names[i], "{\"rows\":100,\"seed\":2}");
		ck_assert_uint_eq(b->table->n, 300);
		b->table->n = 100;
		for (size_t k = 0; k < 100 * a->schema->ncol; k++)
			ck_assert(a->table->cells[k] == b->table->cells[k] ||
				  (isnan(a->table->cells[k]) && isnan(b->table->cells[k])));
		if (a->schema->npixel)
			ck_assert(memcmp(a->table->pixels, b->table->pixels,
					 100 * a->schema->npixel) == 0);
		ck_assert_str_ne(a->hash, c->hash);
		iso_dataset_free(a);
		iso_dataset_free(b);
		iso_dataset_free(c);
	}
	a = load("sim-census", "{\"rows\":40000}");
	for (size_t r = 0; r < 40000; r++) {
		male += iso_table_cell(a->table, r, 5) / 40000;
		north += (iso_table_cell(a->table, r, 7) == 0) / 40000.0;
		high += iso_table_cell(a->table, r, 8) / 40000;
		missing += isnan(iso_table_cell(a->table, r, 2)) / 40000.0;
	}
	tk_assert_close(male, 0.5, 0,
			0.0125); /* 5 standard errors of 40,000 draws: false alarm 6e-7 */
	tk_assert_close(north, 0.3, 0, 0.0115);
	ck_assert(high > 0.15 && high < 0.35);
	ck_assert(missing > 0.05 && missing < 0.15);
	iso_dataset_free(a);
	a = load("sim-mixture", "{\"rows\":5000}");
	for (size_t r = 0; r < 5000; r++) {
		size_t mode = iso_table_label(a->table, r);

		ck_assert(fabs(iso_table_cell(a->table, r, 0) - (2.0 * (double)(mode / 5) - 4)) <
			  0.9); /* 6 standard deviations */
		ck_assert(fabs(iso_table_cell(a->table, r, 1) - (2.0 * (double)(mode % 5) - 4)) <
			  0.9);
	}
	iso_dataset_free(a);
}
END_TEST

/* Digits must be told apart: a nearest-class-mean rule learned on 2,000 recognises others far above
 * the 10 % of chance. */
START_TEST(test_digits_are_digits)
{
	iso_dataset *d = load("sim-digits", "{\"rows\":2500}");
	static double mean[10][784];
	size_t count[10], right = 0;

	count_labels(d->table, count, 10);
	for (size_t r = 0; r < 2000; r++)
		for (size_t i = 0; i < 784; i++)
			mean[iso_table_label(d->table, r)][i] +=
				d->table->pixels[r * 784 + i] / 200.0;
	for (size_t r = 2000; r < 2500; r++) {
		double best = INFINITY;
		size_t guess = 0;

		for (size_t k = 0; k < 10; k++) {
			double sum = 0;

			for (size_t i = 0; i < 784; i++)
				sum += (mean[k][i] - d->table->pixels[r * 784 + i]) *
				       (mean[k][i] - d->table->pixels[r * 784 + i]);
			if (sum < best) {
				best = sum;
				guess = k;
			}
		}
		right += guess == iso_table_label(d->table, r);
	}
	ck_assert_msg(right > 350, "%zu of 500", right);
	for (size_t k = 0; k < 10; k++)
		ck_assert(count[k] > 170 && count[k] < 330);
	iso_dataset_free(d);
}
END_TEST

START_TEST(test_faults)
{
	const char *dir = tk_tempdir();
	cJSON *v = cJSON_Parse("{\"row\":1}");
	char path[512];
	iso_dataset *d;

	tk_fails(iso_dataset_load("adlt", NULL, &d, &err), ISO_E_CONFIG, "did you mean \"adult\"");
	tk_fails(iso_dataset_load("wdbc", v, &d, &err), ISO_E_CONFIG, "did you mean \"rows\"");
	cJSON_Delete(v);
	v = cJSON_Parse("{\"merge_test\":true}");
	tk_fails(iso_dataset_load("mushroom", v, &d, &err), ISO_E_CONFIG,
		 "\"merge_test\" is not an option");
	cJSON_Delete(v);
	v = cJSON_Parse("{\"seed\":1}");
	tk_fails(iso_dataset_load("wdbc", v, &d, &err), ISO_E_CONFIG, "\"seed\" is not an option");
	cJSON_Delete(v);
	/* another content than the pinned one */
	ck_assert_int_eq(setenv("ISOEPS_DATA", dir, 1), 0);
	snprintf(path, sizeof(path), "%s/mushroom.csv.gz", dir);
	tk_ok(iso_file_write_gz(path, "class\ne\n", 8, &err));
	tk_fails(iso_dataset_load("mushroom", NULL, &d, &err), ISO_E_DATA, "data file changed");
	unsetenv("ISOEPS_DATA");
}
END_TEST

/* A binary that was moved away from its tree: what is absent says where to get it. */
START_TEST(test_absent)
{
	const iso_data_source *s;
	iso_data_source gone;
	char *text;
	size_t n;

	tk_ok(iso_data_source_need("mushroom", &s, &err));
	gone = *s;
	gone.table[0].path = "no-such-file.csv.gz";
	tk_fails(iso_data_file_load(&gone, &gone.table[0], &text, &n, &err), ISO_E_IO,
		 "https://archive.ics.uci.edu/dataset/73/mushroom");
	ck_assert_ptr_null(text);
	tk_fails(iso_data_file_load(&gone, &gone.table[0], &text, &n, &err), ISO_E_IO,
		 "ISOEPS_DATA");
}
END_TEST

START_TEST(test_from_files)
{
	const char *dir = tk_tempdir();
	const char *schema =
		tk_write(dir, "s.json",
			 "{\"name\":\"mine\",\"columns\":[{\"name\":\"a\",\"type\":\"integer\","
			 "\"bounds\":[0,9]}]}");
	iso_dataset *d;

	tk_ok(iso_dataset_from_files(tk_write(dir, "d.csv", "a\n1\n2\n"), schema, &d, &err));
	ck_assert_str_eq(d->name, "mine");
	ck_assert_uint_eq(d->table->n, 2);
	iso_dataset_free(d);
	tk_fails(iso_dataset_from_files(tk_write(dir, "e.csv", "a\n1\n10\n"), schema, &d, &err),
		 ISO_E_DATA, "e.csv:3:1");
	tk_fails(iso_dataset_from_files("/none.csv", schema, &d, &err), ISO_E_IO, "/none.csv");
	tk_fails(iso_dataset_from_files("/none.csv", "/none.json", &d, &err), ISO_E_IO,
		 "/none.json");
}
END_TEST

START_TEST(test_allocation_failures)
{
	cJSON *v = cJSON_Parse("{\"rows\":20}");
	iso_status st = ISO_E_NOMEM;
	int failures = 0;

	for (uint64_t k = 1; st != ISO_OK; k++) {
		iso_dataset *d = NULL;

		iso_error_clear(&err);
		iso_alloc_fail_after(k);
		st = iso_dataset_load("sim-census", v, &d, &err);
		iso_alloc_fail_after(0);
		ck_assert_msg(st == ISO_OK || st == ISO_E_NOMEM, "%s", err.text);
		failures += st != ISO_OK;
		iso_dataset_free(d);
	}
	ck_assert_int_ge(failures, 30);
	cJSON_Delete(v);
}
END_TEST

/* The share of the positive class is the one asked for (three standard errors of 20,000 draws:
 * .0046 at .05), its rows have the law of their class, and nothing else moves. */
START_TEST(test_simulator_with_few_positives)
{
	iso_dataset *a = load("sim-census", "{\"rows\":20000}"),
		    *b = load("sim-census", "{\"rows\":20000,\"positives\":0.05}");
	double n[2] = {0}, age[2] = {0};
	iso_dataset *const both[] = {a, b};

	for (size_t k = 0; k < 2; k++)
		for (size_t r = 0; r < 20000; r++)
			if (iso_table_label(both[k]->table, r) == 1) {
				n[k]++;
				age[k] += iso_table_cell(both[k]->table, r, 0);
			}
	tk_assert_close(n[1] / 20000, 0.05, 0, 0.0047);
	tk_assert_close(age[1] / n[1], age[0] / n[0], 0, 1.6); /* sd 15, 1,000 rows: 3.3 errors */
	iso_dataset_free(a);
	iso_dataset_free(b);
}
END_TEST

/* Every feature loses its share of values (.0121: four errors of 20,000 draws), the label none, and
 * the values that stay are those of the table without the option. */
START_TEST(test_simulator_with_missing_values)
{
	iso_dataset *a = load("sim-census", "{\"rows\":20000}"),
		    *b = load("sim-census", "{\"rows\":20000,\"missing\":0.25}");
	cJSON *v = cJSON_Parse("{\"positives\":0.5}");
	iso_dataset *none;

	for (size_t c = 0; c < b->schema->ncol; c++) {
		const int label = (int)c == b->schema->label;
		size_t lost = 0, moved = 0, before = 0;

		for (size_t r = 0; r < 20000; r++) {
			const double x = iso_table_cell(a->table, r, c),
				     y = iso_table_cell(b->table, r, c);
			before += isnan(x);
			lost += isnan(y) && !isnan(x);
			moved += !isnan(y) && y != x;
		}
		ck_assert_uint_eq(moved, 0);
		if (label)
			ck_assert_uint_eq(lost, 0);
		else
			tk_assert_close((double)lost / (20000 - (double)before), 0.25, 0, 0.0125);
	}
	tk_fails(iso_dataset_load("sim-series", v, &none, &err), ISO_E_CONFIG, "two classes");
	cJSON_Delete(v);
	iso_dataset_free(a);
	iso_dataset_free(b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("catalogue");
	TCase *t = tcase_create("catalogue");

	tcase_set_timeout(t, 300);
	tcase_add_test(t, test_embedded);
	tcase_add_test(t, test_simulators);
	tcase_add_test(t, test_simulator_with_few_positives);
	tcase_add_test(t, test_simulator_with_missing_values);
	tcase_add_test(t, test_digits_are_digits);
	tcase_add_test(t, test_faults);
	tcase_add_test(t, test_absent);
	tcase_add_test(t, test_from_files);
	tcase_add_test(t, test_allocation_failures);
	suite_add_tcase(s, t);
	return tk_run(s);
}
