// SPDX-License-Identifier: Apache-2.0
#include "core/data/schema.h"

#include <string.h>

#include "core/data/table.h"
#include "tests/support/testkit.h"

static iso_error err;

static iso_status read_text(const char *text, iso_schema **out)
{
	cJSON *v = NULL;
	iso_status st;

	*out = NULL;
	iso_error_clear(&err);
	tk_ok(iso_json_parse(text, strlen(text), "s.json", &v, &err));
	st = iso_schema_from_json(v, "s.json", out, &err);
	cJSON_Delete(v);
	return st;
}

#define COLUMN(text) "{\"name\":\"n\",\"columns\":[" text "]}"

START_TEST(test_all_types)
{
	static const char text[] = COLUMN(
		"{\"name\":\"a\",\"type\":\"continuous\",\"bounds\":[0,1.5],\"decimals\":2},"
		"{\"name\":\"b\",\"type\":\"integer\",\"bounds\":[-3,9],\"missing\":[\"?\",\"\"]},"
		"{\"name\":\"c\",\"type\":\"categorical\",\"categories\":[\"x\",\"y\",\"z\"]},"
		"{\"name\":\"d\",\"type\":\"ordinal\",\"categories\":[1,2.5,10]},"
		"{\"name\":\"e\",\"type\":\"binary\",\"role\":\"label\",\"categories\":[\"no\","
		"\"yes\"],\"positive\":\"yes\"},"
		"{\"name\":\"f\",\"type\":\"latitude\"},{\"name\":\"g\",\"type\":\"longitude\","
		"\"bounds\":[-10,10]},"
		"{\"name\":\"h\",\"type\":\"sequence\",\"shape\":[3],\"bounds\":[0,1]},"
		"{\"name\":\"i\",\"type\":\"pixel\",\"shape\":[2,3]},{\"name\":\"j\",\"type\":"
		"\"pixel\",\"shape\":[1,2]},"
		"{\"name\":\"k\",\"role\":\"id\"}");
	iso_str one = {0}, two = {0};
	iso_schema *s, *again;
	cJSON *v;

	tk_ok(read_text(text, &s));
	ck_assert_uint_eq(s->ncol, 13);
	ck_assert_int_eq(s->label, 4);
	ck_assert_uint_eq(s->npixel, 8);
	ck_assert_uint_eq(iso_schema_classes(s), 2);
	ck_assert_int_eq(s->column[4].positive, 1);
	ck_assert_str_eq(s->column[3].category[1], "2.5");
	ck_assert_double_eq(s->column[5].lo, -90);
	ck_assert_str_eq(s->column[8].name, "h_1");
	ck_assert_int_eq(iso_schema_find(s, "h_2"), 9);
	ck_assert_uint_eq(s->column[11].offset, 6);
	ck_assert_int_eq(s->column[12].role, ISO_ID);
	ck_assert(iso_is_discrete(&s->column[3]) && !iso_is_discrete(&s->column[1]));
	tk_ok(iso_schema_to_json(s, &v, &err));
	tk_ok(iso_json_canonical(v, &one, &err));
	tk_ok(iso_schema_from_json(v, "again", &again, &err));
	cJSON_Delete(v);
	tk_ok(iso_schema_to_json(again, &v, &err));
	tk_ok(iso_json_canonical(v, &two, &err));
	ck_assert_str_eq(one.p, two.p);
	ck_assert_uint_eq(again->ncol, 13);
	cJSON_Delete(v);
	iso_str_free(&one);
	iso_str_free(&two);
	iso_schema_free(s);
	iso_schema_free(again);
}
END_TEST

START_TEST(test_faults)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{"[]", "an array where an object"},
		{"{\"name\":\"n\"}", "\"columns\" must be a list"},
		{"{\"columns\":[]}", "\"name\" is required"},
		{"{\"name\":\"n\",\"columns\":[]}", "at least one column"},
		{"{\"name\":\"n\",\"columns\":[1]}",
		 "s.json: columns[0]): a number where an object"},
		{"{\"name\":\"n\",\"colums\":[1]}", "did you mean \"columns\""},
		{COLUMN("{\"name\":\"a\"}"), "\"type\" is required"},
		{COLUMN("{\"name\":\"a\",\"type\":\"intger\"}"),
		 "s.json: columns[0] a): \"intger\"; did you mean \"integer\""},
		{COLUMN("{\"name\":\"\",\"role\":\"id\"}"), "empty name"},
		{COLUMN("{\"name\":\"a\",\"type\":\"integer\"}"), "needs \"bounds\""},
		{COLUMN("{\"name\":\"a\",\"type\":\"integer\",\"bounds\":[1]}"),
		 "needs \"bounds\""},
		{COLUMN("{\"name\":\"a\",\"type\":\"integer\",\"bounds\":[2,1]}"), "low < high"},
		{COLUMN("{\"name\":\"a\",\"type\":\"integer\",\"bounds\":[1,1]}"), "low < high"},
		{COLUMN("{\"name\":\"a\",\"type\":\"integer\",\"bounds\":[0.5,2]}"),
		 "whole bounds"},
		{COLUMN("{\"name\":\"a\",\"type\":\"continuous\",\"bounds\":[-1e308,1e308]}"),
		 "both finite"},
		{COLUMN("{\"name\":\"a\",\"type\":\"latitude\",\"bounds\":[-91,0]}"),
		 "lies in -90 to 90"},
		{COLUMN("{\"name\":\"a\",\"type\":\"categorical\"}"), "needs its closed list"},
		{COLUMN("{\"name\":\"a\",\"type\":\"categorical\",\"categories\":[]}"),
		 "needs its closed list"},
		{COLUMN("{\"name\":\"a\",\"type\":\"categorical\",\"categories\":[\"x\",\"x\"]}"),
		 "\"x\" is in \"categories\" twice"},
		{COLUMN("{\"name\":\"a\",\"type\":\"categorical\",\"categories\":[null]}"),
		 "list of texts"},
		{COLUMN("{\"name\":\"a\",\"type\":\"binary\",\"categories\":[\"x\"]}"),
		 "has two, but 1 are listed"},
		{COLUMN("{\"name\":\"a\",\"type\":\"continuous\",\"bounds\":[0,1],\"categories\":["
			"\"x\"]}"),
		 "has no \"categories\""},
		{COLUMN("{\"name\":\"a\",\"type\":\"binary\",\"categories\":[\"x\",\"y\"],"
			"\"missing\":[\"x\"]}"),
		 "means missing"},
		{COLUMN("{\"name\":\"a\",\"type\":\"binary\",\"categories\":[\"x\",\"y\"],"
			"\"positive\":\"z\"}"),
		 "\"positive\" is \"z\""},
		{COLUMN("{\"name\":\"a\",\"type\":\"binary\",\"categories\":[\"x\",\"y\"],"
			"\"positive\":\"x\"}"),
		 "only the label"},
		{COLUMN("{\"name\":\"a\",\"type\":\"pixel\"}"), "\"shape\": [height, width]"},
		{COLUMN("{\"name\":\"a\",\"type\":\"pixel\",\"shape\":[0,3]}"), "1 to 4096"},
		{COLUMN("{\"name\":\"a\",\"type\":\"sequence\",\"shape\":[1.5],\"bounds\":[0,1]}"),
		 "\"shape\": [steps]"},
		{COLUMN("{\"name\":\"a\",\"type\":\"pixel\",\"shape\":[4096,4096]},{\"name\":\"b\","
			"\"type\":\"pixel\",\"shape\":[4096,"
			"4096]}"),
		 "too many pixels"},
		{COLUMN("{\"name\":\"a\",\"role\":\"id\"},{\"name\":\"a\",\"role\":\"id\"}"),
		 "\"a\" is in \"columns\" twice"},
		{COLUMN("{\"name\":\"a_1\",\"role\":\"id\"},{\"name\":\"a\",\"type\":\"sequence\","
			"\"shape\":[2],\"bounds\":[0,1]}"),
		 "\"a_1\" is in \"columns\" twice"},
		{COLUMN("{\"name\":\"a\",\"type\":\"integer\",\"bounds\":[0,1],\"role\":\"label\"},"
			"{\"name\":\"b\",\"type\":\"integer\","
			"\"bounds\":[0,1],\"role\":\"label\"}"),
		 "two labels"},
		{COLUMN("{\"name\":\"a\",\"role\":\"id\",\"learned\":1}"),
		 "\"learned\" must be true or false"},
		{COLUMN("{\"name\":\"a\",\"role\":\"id\",\"decimals\":99}"), "\"decimals\" is 99"},
		{COLUMN("{\"name\":\"a\",\"role\":\"id\",\"bound\":[0,1]}"),
		 "did you mean \"bounds\""},
	};
	iso_schema *s;

	for (size_t i = 0; i < ISO_COUNT(cases); i++) {
		tk_fails(read_text(cases[i].text, &s), ISO_E_CONFIG, cases[i].part);
		ck_assert_ptr_null(s);
	}
}
END_TEST

START_TEST(test_allocation_failures)
{
	static const char text[] = COLUMN(
		"{\"name\":\"b\",\"type\":\"integer\",\"bounds\":[-3,9],\"missing\":[\"?\",\"\"]},"
		"{\"name\":\"c\",\"type\":\"categorical\",\"categories\":[\"x\",\"y\",\"z\"]},"
		"{\"name\":\"h\",\"type\":\"sequence\",\"shape\":[30],\"bounds\":[0,1],\"missing\":"
		"[\"\"]}");
	iso_status st = ISO_E_NOMEM;
	cJSON *v = cJSON_Parse(text);
	int failures = 0;

	for (uint64_t k = 1; st != ISO_OK; k++) {
		iso_schema *s = NULL;

		iso_error_clear(&err);
		iso_alloc_fail_after(k);
		st = iso_schema_from_json(v, "s", &s, &err);
		iso_alloc_fail_after(0);
		ck_assert(st == ISO_OK || st == ISO_E_NOMEM);
		failures += st != ISO_OK;
		iso_schema_free(s);
	}
	ck_assert_int_ge(failures, 20);
	cJSON_Delete(v);
}
END_TEST

/* A draft must accept the very file that it was drawn from. */
START_TEST(test_infer)
{
	static const char csv[] = "patient_id,age,weight,sex,city,note,lat,label\n"
				  "1,30,70.5,f,Rome,aaa,41.9,0\n2,40,NA,m,Paris,bbb,48.85,1\n3,50,"
				  "81.25,f,Rome,ccc,50.1,2\n"
				  "5,30,70.5,f,Oslo,ddd,59.9,0\n";
	const char *dir = tk_tempdir(), *path = tk_write(dir, "people.v2.csv", csv);
	iso_schema *s;
	iso_table *t;

	tk_ok(iso_schema_infer(path, NULL, &s, NULL, &err));
	ck_assert_str_eq(s->name, "people");
	ck_assert_uint_eq(s->ncol, 8);
	ck_assert_int_eq(s->learned, 1);
	ck_assert_int_eq(s->column[0].role, ISO_ID);
	ck_assert_int_eq(s->column[1].type, ISO_INTEGER);
	ck_assert_double_eq(s->column[1].hi, 50);
	ck_assert_int_eq(s->column[2].type, ISO_CONTINUOUS);
	ck_assert_int_eq(s->column[2].decimals, 2);
	ck_assert_uint_eq(s->column[2].nmissing, 1);
	ck_assert_int_eq(s->column[3].type, ISO_BINARY);
	ck_assert_int_eq(s->column[4].type, ISO_CATEGORICAL);
	ck_assert_str_eq(s->column[4].category[0], "Oslo");
	ck_assert_int_eq(s->column[6].type, ISO_LATITUDE);
	ck_assert_int_eq(s->label, 7);
	ck_assert_uint_eq(iso_schema_classes(s), 3);
	tk_ok(iso_table_read_csv(path, s, &t, &err));
	tk_ok(iso_table_check(t, &err));
	iso_table_free(t);
	iso_schema_free(s);
	tk_fails(iso_schema_infer(tk_write(dir, "a.csv", "a,b\n"), NULL, &s, NULL, &err),
		 ISO_E_DATA, "a header and no rows");
	tk_fails(iso_schema_infer(tk_write(dir, "b.csv", "a,,c\n1,2,3\n"), NULL, &s, NULL, &err),
		 ISO_E_DATA, "empty column name");
	tk_fails(iso_schema_infer(tk_write(dir, "c.csv", "a,a\n1,2\n"), NULL, &s, NULL, &err),
		 ISO_E_CONFIG, "twice");
	tk_ok(iso_schema_infer(tk_write(dir, "d.csv", "a,b\n5,\n5,\n"), NULL, &s, NULL, &err));
	ck_assert_uint_eq(s->column[0].ncategory, 1); /* a constant stays what it is */
	iso_schema_free(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("schema");
	TCase *t = tcase_create("schema");

	tcase_add_test(t, test_all_types);
	tcase_add_test(t, test_faults);
	tcase_add_test(t, test_allocation_failures);
	tcase_add_test(t, test_infer);
	suite_add_tcase(s, t);
	return tk_run(s);
}
