// SPDX-License-Identifier: Apache-2.0
#include "core/data/table.h"

#include <stdio.h>
#include <string.h>

#include "core/base/sha256.h"
#include "core/data/rows.h"
#include "tests/support/testkit.h"

static iso_error err;
static iso_schema *s;

static const char schema_text[] =
	"{\"name\":\"t\",\"columns\":["
	"{\"name\":\"key\",\"role\":\"id\"},"
	"{\"name\":\"age\",\"type\":\"integer\",\"bounds\":[0,120]},"
	"{\"name\":\"dose\",\"type\":\"continuous\",\"bounds\":[-1,2.5],\"decimals\":2,\"missing\":"
	"[\"NA\",\"\"]},"
	"{\"name\":\"job\",\"type\":\"categorical\",\"categories\":[\"cook\",\"smith\",\"a,b "
	"\\\"c\\\"\"],\"missing\":[\"?\"]},"
	"{\"name\":\"im\",\"type\":\"pixel\",\"shape\":[1,2]},"
	"{\"name\":\"y\",\"type\":\"binary\",\"role\":\"label\",\"categories\":[\"n\",\"p\"]}]}";

static void setup(void)
{
	cJSON *v = NULL;

	iso_error_clear(&err);
	tk_ok(iso_json_parse(schema_text, strlen(schema_text), "s", &v, &err));
	tk_ok(iso_schema_from_json(v, "s", &s, &err));
	cJSON_Delete(v);
}

static void teardown(void)
{
	iso_schema_free(s);
}

static iso_status parse(const char *text, iso_table **t)
{
	iso_error_clear(&err);
	return iso_table_parse_csv(text, strlen(text), "d.csv", s, t, &err);
}

START_TEST(test_read)
{
	iso_table *t;

	tk_ok(parse("y,im_1,im_0,job,dose,age,key\nn,255,0,smith,NA,30.0,x9\np,7,8,?,-0,120,\n",
		    &t));
	ck_assert_uint_eq(t->n, 2);
	ck_assert_double_eq(iso_table_cell(t, 0, 1), 30);
	ck_assert(isnan(iso_table_cell(t, 0, 0)) && isnan(iso_table_cell(t, 0, 2)) &&
		  isnan(iso_table_cell(t, 1, 3)));
	ck_assert(!signbit(iso_table_cell(t, 1, 2)));
	ck_assert_double_eq(iso_table_cell(t, 0, 3), 1);
	ck_assert_int_eq(t->pixels[0], 0);
	ck_assert_int_eq(t->pixels[1], 255);
	ck_assert_int_eq(t->pixels[2], 8);
	ck_assert_uint_eq(iso_table_label(t, 1), 1);
	ck_assert_uint_eq(t->id[1], 1);
	tk_ok(iso_table_check(t, &err));
	iso_table_free(t);
	tk_ok(parse("y,im_1,im_0,job,dose,age\n", &t));
	ck_assert_uint_eq(t->n, 0);
	iso_table_free(t);
}
END_TEST

START_TEST(test_faults)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{"age,dose,job,im_0,im_1,y\n312,1,cook,0,0,n\n",
		 "value outside the schema (d.csv:2:1): age is \"312\", the schema allows integers "
		 "0 to 120 and no missing value; correct"},
		{"age,dose,job,im_0,im_1,y\n1,1,cook,0,0,n\n1.5,1,cook,0,0,n\n",
		 "d.csv:3:1): age is \"1.5\""},
		{"age,dose,job,im_0,im_1,y\n,1,cook,0,0,n\n", "d.csv:2:1): age is \"\""},
		{"age,dose,job,im_0,im_1,y\n0x10,1,cook,0,0,n\n", "age is \"0x10\""},
		{"age,dose,job,im_0,im_1,y\n1,nan,cook,0,0,n\n",
		 "d.csv:2:2): dose is \"nan\", the schema allows numbers -1 to 2.5; correct"},
		{"age,dose,job,im_0,im_1,y\n1,2.51,cook,0,0,n\n", "dose is \"2.51\""},
		{"age,dose,job,im_0,im_1,y\n1,1,smit,0,0,n\n",
		 "d.csv:2:3): job is \"smit\", the schema has 3 categories; did you mean "
		 "\"smith\""},
		{"age,dose,job,im_0,im_1,y\n1,1,cook,256,0,n\n", "d.csv:2:4): im is \"256\""},
		{"age,dose,job,im_0,im_1,y\n1,1,cook,0,0,\n", "y is \"\""},
		{"agee,dose,job,im_0,im_1,y\n",
		 "d.csv:1:1): \"agee\" is not in schema \"t\"; did you mean \"age\""},
		{"age,dose,job,im_0,im_1,y,qqqqqqq\n",
		 "d.csv:1:7): \"qqqqqqq\" is not in schema \"t\"; add it"},
		{"age,dose,job,im_0,y\n", "lacks \"im_0\" to \"_...\""},
		{"dose,job,im_0,im_1,y\n", "lacks \"age\""},
		{"age,age,dose,job,im_0,im_1,y\n", "names \"age\" twice"},
		{"age,dose,job,im_0,im_0,im_1,y\n", "names \"im_0\" twice"},
		{"age,dose,job,im_0,im_2,y\n", "\"im_2\" is not in schema"},
		{"age,dose,job,im_0,im_01,y\n", "\"im_01\" is not in schema"},
		{"age,dose,job,im,im_1,y\n", "\"im\" is not in schema"},
		{"age,dose\n1\n", "lacks"},
	};
	iso_table *t;

	for (size_t i = 0; i < ISO_COUNT(cases); i++) {
		tk_fails(parse(cases[i].text, &t), ISO_E_DATA, cases[i].part);
		ck_assert_ptr_null(t);
	}
}
END_TEST

START_TEST(test_write)
{
	static const char want[] =
		"age,dose,job,im_0,im_1,y\n30,1.50,smith,0,255,n\n120,NA,\"a,b \"\"c\"\"\",9,8,p\n"
		"0,0.123,?,1,2,p\n";
	iso_str out = {0};
	iso_table *t;

	tk_ok(parse(want, &t));
	tk_ok(iso_table_to_csv(t, &out, &err));
	ck_assert_str_eq(out.p, want);
	iso_str_free(&out);
	iso_table_free(t);
}
END_TEST

START_TEST(test_select_and_concat)
{
	static const uint32_t rows[] = {2, 0}, bad[] = {3};
	iso_table *t, *part, *both;

	tk_ok(parse("age,dose,job,im_0,im_1,y\n1,1,cook,1,2,n\n2,1,cook,3,4,n\n3,1,cook,5,6,p\n",
		    &t));
	tk_ok(iso_table_select(t, rows, 2, &part, &err));
	ck_assert_double_eq(iso_table_cell(part, 0, 1), 3);
	ck_assert_uint_eq(part->id[0], 2);
	ck_assert_int_eq(part->pixels[1], 6);
	tk_fails(iso_table_select(t, bad, 1, &both, &err), ISO_E_USAGE, "row 3 of 3");
	tk_ok(iso_table_concat(t, part, &both, &err));
	ck_assert_uint_eq(both->n, 5);
	for (size_t i = 0; i < 5; i++)
		for (size_t j = 0; j < i; j++)
			ck_assert_uint_ne(both->id[i], both->id[j]);
	ck_assert(iso_row_equal(both, 0, 4) && !iso_row_equal(both, 0, 1));
	iso_table_free(t);
	iso_table_free(part);
	iso_table_free(both);
}
END_TEST

START_TEST(test_check_finds_every_fault)
{
	static const struct {
		size_t column;
		double x;
		int good;
	} cases[] = {{1, 121, 0}, {1, -1, 0},  {1, 1.5, 0},	 {1, NAN, 0},	  {1, 120, 1},
		     {2, NAN, 1}, {2, 2.5, 1}, {2, INFINITY, 0}, {2, -1.0001, 0}, {3, 3, 0},
		     {3, 2, 1},	  {3, -1, 0},  {3, 0.5, 0},	 {3, NAN, 1},	  {5, 2, 0},
		     {5, NAN, 0}, {0, 77, 1}};
	iso_table *t;

	tk_ok(iso_table_new(s, 3, &t, &err));
	tk_ok(iso_table_check(t, &err));
	for (size_t i = 0; i < ISO_COUNT(cases); i++) {
		double *cell = &t->cells[1 * s->ncol + cases[i].column], old = *cell;

		*cell = cases[i].x;
		iso_error_clear(&err);
		ck_assert_msg((iso_table_check(t, &err) == ISO_OK) == cases[i].good, "case %zu: %s",
			      i, err.text);
		*cell = old;
	}
	iso_table_free(t);
}
END_TEST

START_TEST(test_hash)
{
	char a[65], b[65];
	iso_table *t, *u;

	tk_ok(parse("age,dose,job,im_0,im_1,y\n1,NA,cook,1,2,n\n2,0,cook,3,4,n\n", &t));
	tk_ok(parse("age,job,dose,im_0,im_1,y\n1,cook,,1,2,n\n2,cook,-0.0,3,4,n\n", &u));
	tk_ok(iso_table_hash(t, a, &err));
	tk_ok(iso_table_hash(u, b, &err));
	ck_assert_str_eq(a, b);
	ck_assert_uint_eq(strlen(a), 64);
	u->pixels[3]++;
	tk_ok(iso_table_hash(u, b, &err));
	ck_assert_str_ne(a, b);
	u->pixels[3]--;
	u->cells[1]++;
	tk_ok(iso_table_hash(u, b, &err));
	ck_assert_str_ne(a, b);
	iso_table_free(t);
	iso_table_free(u);
}
END_TEST

START_TEST(test_first_of_equals)
{
	uint32_t *first;
	iso_table *t;

	tk_ok(parse("key,age,dose,job,im_0,im_1,y\na,1,NA,cook,1,2,n\nb,2,0,cook,3,4,n\nc,1,NA,"
		    "cook,1,2,n\nd,1,NA,cook,1,3,n\n"
		    "e,1,NA,cook,1,2,p\nf,2,0,cook,3,4,n\n",
		    &t));
	tk_ok(iso_rows_first(t, &first, &err));
	ck_assert_uint_eq(first[0], 0);
	ck_assert_uint_eq(first[1], 1);
	ck_assert_uint_eq(first[2], 0);
	ck_assert_uint_eq(first[3], 3);
	ck_assert_uint_eq(first[4], 4);
	ck_assert_uint_eq(first[5], 1);
	iso_free(first);
	iso_table_free(t);
}
END_TEST

START_TEST(test_allocation_failures)
{
	const char *text = "age,dose,job,im_0,im_1,y\n1,NA,cook,1,2,n\n2,0,cook,3,4,n\n";
	iso_status st = ISO_E_NOMEM;
	int failures = 0;

	for (uint64_t k = 1; st != ISO_OK; k++) {
		iso_table *t = NULL;
		iso_str out = {0};
		char hash[65];

		iso_error_clear(&err);
		iso_alloc_fail_after(k);
		st = iso_table_parse_csv(text, strlen(text), "d", s, &t, &err);
		if (st == ISO_OK)
			st = iso_table_to_csv(t, &out, &err);
		if (st == ISO_OK)
			st = iso_table_hash(t, hash, &err);
		iso_alloc_fail_after(0);
		ck_assert(st == ISO_OK || st == ISO_E_NOMEM);
		failures += st != ISO_OK;
		iso_table_free(t);
		iso_str_free(&out);
	}
	ck_assert_int_ge(failures, 15);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("table");
	TCase *t = tcase_create("table");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_read);
	tcase_add_test(t, test_faults);
	tcase_add_test(t, test_write);
	tcase_add_test(t, test_select_and_concat);
	tcase_add_test(t, test_check_finds_every_fault);
	tcase_add_test(t, test_hash);
	tcase_add_test(t, test_first_of_equals);
	tcase_add_test(t, test_allocation_failures);
	suite_add_tcase(suite, t);
	return tk_run(suite);
}
