// SPDX-License-Identifier: Apache-2.0
/* Records: the validator takes what a run wrote and refuses every mutilation of it; values and CSV;
 * rounding; the store. */
#include <stdio.h>
#include <string.h>

#include "core/io/file.h"
#include "results/record.h"
#include "suites/runner.h"
#include "tests/support/testkit.h"

static iso_error err;
static cJSON *model; /* one record of a real run */
static const char *home;

/* One cell, run for real. */
static void setup(void)
{
	static const char *const text =
		"{\"name\":\"t\",\"datasets\":[{\"name\":\"sim-census\",\"options\":{\"rows\":200}}"
		"],\"generators\":[\"independent\"],"
		"\"epsilons\":[2],\"accountant\":\"rdp\",\"attacks\":[{\"name\":\"gan-leaks\","
		"\"options\":{\"samples\":50}},\"logan-wb\"],"
		"\"metrics\":[\"marginals\"],\"attack_targets\":20,\"keep_samples\":5,"
		"\"verify\":false}";
	iso_suite *s;
	iso_agenda *a;
	iso_run_summary sum;
	iso_run_options o = {.jobs = 1, .shard = 1, .shards = 1};

	if (model)
		return;
	home = o.dir = tk_tempdir();
	tk_ok(iso_suite_parse(text, strlen(text), "s.json", NULL, &s, &err));
	tk_ok(iso_agenda_new(s, &a, &err));
	tk_ok(iso_run(a, &o, &sum, &err));
	ck_assert_msg(sum.done == 1 && sum.failed == 0, "%s",
		      sum.nfailure ? sum.failure[0].text : "");
	tk_ok(iso_record_read(home, a->cell[0].key, &model, &err));
	ck_assert_ptr_nonnull(model);
	iso_run_summary_free(&sum);
	iso_agenda_free(a);
	iso_suite_free(s);
}

/* The item that a path of the field table leads to (in the first element of an array), and its
 * parent. */
static cJSON *follow(cJSON *root, const char *path, cJSON **parent, char *name)
{
	cJSON *v = root;

	*parent = NULL;
	while (v && *path) {
		size_t n = strcspn(path, ".[");

		snprintf(name, 64, "%.*s", (int)n, path);
		*parent = v;
		v = cJSON_GetObjectItemCaseSensitive(v, name);
		path += n;
		if (*path == '[') {
			v = v ? v->child : NULL;
			path += 2;
		}
		path += *path == '.';
	}
	return v;
}

static int config_field(const char *path)
{
	return strncmp(path, "config", 6) == 0;
}

START_TEST(real_record_is_valid)
{
	tk_ok(iso_record_check(model, "record", &err));
	for (const iso_record_field *f = iso_record_fields(); f->path; f++) {
		cJSON *parent;
		char name[64];

		if (f->need)
			ck_assert_msg(follow(model, f->path, &parent, name) != NULL,
				      "%s is not in a real record", f->path);
	}
}
END_TEST

/* Removing any required field, or giving any field another type, is found and named. */
START_TEST(every_mutilation_is_found)
{
	size_t removed = 0, retyped = 0;

	for (const iso_record_field *f = iso_record_fields(); f->path; f++) {
		for (int how = 0; how < 2; how++) {
			cJSON *copy = cJSON_Duplicate(model, 1), *parent = NULL;
			char name[64] = "";
			cJSON *v = follow(copy, f->path, &parent, name);

			if (!v || !parent || (how == 0 && !f->need)) {
				cJSON_Delete(copy);
				continue;
			}
			if (how == 0)
				cJSON_DeleteItemFromObjectCaseSensitive(parent, name);
			else /* true is no text, number, object, array or null */
				cJSON_ReplaceItemInObjectCaseSensitive(
					parent, name,
					strstr(f->path, "_ok") || strstr(f->path, "headline")
						? cJSON_CreateNumber(3)
						: cJSON_CreateTrue());
			tk_fails(iso_record_check(copy, "record", &err), ISO_E_DATA,
				 config_field(f->path) ? "config" : f->path);
			removed += how == 0;
			retyped += how == 1;
			cJSON_Delete(copy);
		}
	}
	ck_assert_uint_gt(removed, 50);
	ck_assert_uint_gt(retyped, 70);
}
END_TEST

START_TEST(wrong_values_are_found)
{
	cJSON *copy = cJSON_Duplicate(model, 1);

	cJSON_ReplaceItemInObject(copy, "status", cJSON_CreateString("fine"));
	tk_fails(iso_record_check(copy, "record", &err), ISO_E_DATA, "status");
	cJSON_ReplaceItemInObject(copy, "status", cJSON_CreateString("ok"));
	tk_ok(iso_record_check(copy, "record", &err));
	cJSON_SetNumberHelper(cJSON_GetObjectItem(cJSON_GetObjectItem(copy, "config"), "seed"), 99);
	tk_fails(iso_record_check(copy, "record", &err), ISO_E_DATA, "hashes to");
	cJSON_Delete(copy);
	copy = cJSON_Duplicate(model, 1);
	cJSON_DeleteItemFromArray(
		cJSON_GetObjectItem(cJSON_GetObjectItem(copy, "attacks")->child, "truth"), 0);
	tk_fails(iso_record_check(copy, "record", &err), ISO_E_DATA, "scores");
	cJSON_Delete(copy);
	copy = cJSON_Duplicate(model, 1);
	cJSON_ReplaceItemInObject(copy, "isoeps", cJSON_CreateNumber(1));
	tk_fails(iso_record_check(copy, "record", &err), ISO_E_DATA, "format");
	cJSON_Delete(copy);
	tk_fails(iso_record_check(NULL, "record", &err), ISO_E_DATA, "not a JSON object");
}
END_TEST

/* The whole cell in this process: with plenty of memory it gives the record that the worker gave;
 * with the n-th allocation failing it gives an error, or a record that says which part failed, and
 * never crashes or leaks (under a sanitizer). */
START_TEST(cell_without_memory)
{
	static const char *const text =
		"{\"name\":\"t\",\"datasets\":[{\"name\":\"sim-census\",\"options\":{\"rows\":200}}"
		"],\"generators\":[\"independent\"],"
		"\"epsilons\":[2],\"accountant\":\"rdp\",\"attacks\":[{\"name\":\"gan-leaks\","
		"\"options\":{\"samples\":50}},\"logan-wb\"],"
		"\"metrics\":[\"marginals\"],\"attack_targets\":20,\"keep_samples\":5,"
		"\"verify\":false}";
	iso_suite *s;
	iso_agenda *a;
	iso_cell_rows rows;
	size_t failures = 0;

	tk_ok(iso_suite_parse(text, strlen(text), "s.json", NULL, &s, &err));
	tk_ok(iso_agenda_new(s, &a, &err));
	tk_ok(iso_cell_rows_new(a, 0, 0, &rows, &err));
	for (uint64_t n = 0; n < 1000000; n = n < 64 ? n + 1 : n + n / 16) {
		/* by turns all anew, and with the model and judgements that are there */
		const iso_cell_job job = {.agenda = a,
					  .cell = &a->cell[0],
					  .rows = &rows,
					  .dir = home,
					  .force = n % 2 == 0,
					  .jobs = 1};
		const uint64_t before = iso_alloc_count();
		cJSON *record;
		iso_status st;

		tk_ok(iso_cell_record(&job, &record, &err));
		iso_alloc_fail_after(n);
		st = iso_cell_execute(&job, record, &err);
		iso_alloc_fail_after(0);
		if (n == 0) {
			cJSON_ReplaceItemInObject(
				record, "run",
				cJSON_Duplicate(cJSON_GetObjectItem(model, "run"), 1));
			iso_str x = {0}, y = {0};

			tk_ok(iso_record_text(record, &x, &err));
			tk_ok(iso_record_text(model, &y, &err));
			ck_assert_str_eq(x.p, y.p);
			iso_str_free(&x);
			iso_str_free(&y);
		}
		cJSON_Delete(record);
		iso_error_clear(&err);
		failures += st != ISO_OK;
		if (st == ISO_OK && n > iso_alloc_count() - before)
			break;
	}
	ck_assert_uint_gt(failures, 60);
	iso_cell_rows_free(&rows);
	iso_agenda_free(a);
	iso_suite_free(s);
}
END_TEST

typedef struct tally {
	size_t n, metric, attack, privacy, cost;
	double auc, accounted;
} tally;

static iso_status count(void *ctx, const cJSON *record, const iso_value *v, iso_error *e)
{
	tally *t = ctx;

	(void)e;
	ck_assert_ptr_eq(record, model);
	ck_assert(!isnan(v->value) && v->name && v->unit && v->direction && v->title);
	t->n++;
	t->metric += strcmp(v->kind, "metric") == 0;
	t->attack += strcmp(v->kind, "attack") == 0;
	t->privacy += strcmp(v->kind, "privacy") == 0;
	t->cost += strcmp(v->kind, "cost") == 0;
	if (strcmp(v->name, "gan-leaks.auc") == 0)
		t->auc = v->value;
	if (strcmp(v->name, "accounted_epsilon") == 0)
		t->accounted = v->value;
	return ISO_OK;
}

START_TEST(values_and_csv)
{
	tally t = {.auc = -1};
	iso_records all;
	iso_str text = {0};
	size_t lines = 0;

	tk_ok(iso_record_values(model, count, &t, &err));
	/* 20 non-members carry no rate at a fixed false positive rate */
	ck_assert(t.metric >= 4 && t.attack == 5 && t.privacy >= 7 && t.cost >= 5);
	ck_assert_uint_eq(t.n, t.metric + t.attack + t.privacy + t.cost);
	ck_assert(t.auc >= 0 && t.auc <= 1 && t.accounted > 1.99 && t.accounted <= 2);
	tk_ok(iso_records_load(home, &all, &err));
	ck_assert(all.n == 1 && all.damaged == 0 && all.foreign == 0);
	tk_ok(iso_results_csv(&all, &text, &err));
	for (const char *p = text.p; *p; p++)
		lines += *p == '\n';
	ck_assert_uint_eq(lines, t.n + 1);
	iso_str_free(&text);
	iso_records_free(&all);
}
END_TEST

START_TEST(rounding)
{
	ck_assert(iso_record_round(1.0 / 3) == 0.333333333333);
	ck_assert(iso_record_round(123456789012345678.0) == 123456789012000000.0);
	ck_assert(!signbit(iso_record_round(-0.0)));
	ck_assert(isinf(iso_record_round(INFINITY)));
	/* written, read and written again: the same bytes */
	iso_str a = {0}, b = {0};
	cJSON *again;

	tk_ok(iso_record_text(model, &a, &err));
	tk_ok(iso_json_parse(a.p, a.n, "record", &again, &err));
	tk_ok(iso_record_text(again, &b, &err));
	ck_assert_str_eq(a.p, b.p);
	ck_assert_ptr_nonnull(strstr(a.p, "\n\t\"run\": {"));
	cJSON_Delete(again);
	iso_str_free(&a);
	iso_str_free(&b);
}
END_TEST

/* Damaged files are counted and left out; records of other suites are too. */
START_TEST(store)
{
	const char *dir = tk_tempdir();
	iso_records all;
	iso_str path = {0};
	cJSON *none;

	tk_fails(iso_records_load(dir, &all, &err), ISO_E_IO, "no results");
	tk_ok(iso_record_write(dir, model, &err));
	iso_str_addf(&path, "%s/cells/0123456789abcdef0123456789abcdef.json", dir);
	tk_ok(iso_file_write_atomic(path.p, "{\"isoeps\": 1", 12, &err));
	tk_ok(iso_records_load(dir, &all, &err));
	ck_assert(all.n == 1 && all.damaged == 1);
	iso_records_free(&all);
	tk_ok(iso_record_read(dir, "0123456789abcdef0123456789abcdef", &none, &err));
	ck_assert_ptr_null(none);
	tk_write(dir, "suite.json", "{\"cells\": [\"0123456789abcdef0123456789abcdef\"]}");
	tk_ok(iso_records_load(dir, &all, &err));
	ck_assert(all.n == 0 && all.damaged == 1 && all.foreign == 1);
	iso_records_free(&all);
	iso_str_free(&path);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("records");
	TCase *c = tcase_create("record");

	tcase_add_unchecked_fixture(c, setup, NULL);
	tcase_add_test(c, real_record_is_valid);
	tcase_add_test(c, every_mutilation_is_found);
	tcase_add_test(c, wrong_values_are_found);
	tcase_add_test(c, cell_without_memory);
	tcase_add_test(c, values_and_csv);
	tcase_add_test(c, rounding);
	tcase_add_test(c, store);
	suite_add_tcase(s, c);
	return tk_run(s);
}
