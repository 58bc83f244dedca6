// SPDX-License-Identifier: Apache-2.0
#include "core/io/json.h"

#include <float.h>
#include <stdio.h>
#include <string.h>

#include "core/io/file.h"
#include "tests/support/testkit.h"

static iso_error err;

static iso_status parse(const char *text, cJSON **v)
{
	iso_error_clear(&err);
	return iso_json_parse(text, strlen(text), "t.json", v, &err);
}

START_TEST(test_bad_text_has_position)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{"", "t.json:1:1): the text ends"},
		{"{", "t.json:1:2): expected a key"},
		{"{\"a\": 1,\n  \"b\" 2}", "t.json:2:7): expected ':'"},
		{"{\"a\": 1,\n\n }", "t.json:3:2): expected a key"},
		{"[1, 2", "t.json:1:1): the array that starts here is never closed"},
		{"{\"a\": 1", "t.json:1:1): the object that starts here"},
		{"[1 2]", "t.json:1:4): expected ',' or ']'"},
		{"{\"a\":1 \"b\":2}", "t.json:1:8): expected ',' or '}'"},
		{"[1,]", "t.json:1:4): expected a value"},
		{"[01]", "t.json:1:3): expected ',' or ']'"},
		{"[-]", "t.json:1:2): expected a digit"},
		{"[1.]", "t.json:1:4): expected a digit after the decimal point"},
		{"[1e+]", "t.json:1:5): expected a digit in the exponent"},
		{"[NaN]", "t.json:1:2): expected a value"},
		{"[1] x", "t.json:1:5): text after"},
		{"\"abc", "t.json:1:1): the string that starts here"},
		{"\"a\nb\"", "t.json:1:3): a control character"},
		{"\"\\q\"", "t.json:1:2): expected one of"},
		{"\"\\u12g4\"", "t.json:1:2): expected four"},
		{"\"\\u0000\"", "\\u0000 is not allowed"},
		{"\"\\ud800\"", "high surrogate"},
		{"\"\\udc00\"", "low surrogate"},
		{"\"\xff\"", "not UTF-8"},
		{"\"\xc0\x80\"", "not UTF-8"},
		{"{\"a\":1,\n \"a\":2}", "t.json:2:2): this key is in the object twice"},
		{"{\"b\":{\"x\":1},\n \"\\u0062\":2}",
		 "t.json:2:2): this key is in the object twice"},
		{"[{\"k\":[{\"z\":1,\"z\":1}]}]", "t.json:1:15): this key"},
		{"'a'", "t.json:1:1): expected a value"},
		{"// x\n1", "t.json:1:1): expected a value"},
	};
	cJSON *v;

	for (size_t i = 0; i < ISO_COUNT(cases); i++) {
		tk_fails(parse(cases[i].text, &v), ISO_E_CONFIG, cases[i].part);
		ck_assert_ptr_null(v);
	}
	iso_error_clear(&err);
	ck_assert_int_eq(iso_json_parse("[1\0]", 4, "t.json", &v, &err), ISO_E_CONFIG);
}
END_TEST

START_TEST(test_depth)
{
	char text[512];
	cJSON *v;

	for (int depth = 60; depth <= 70; depth++) {
		memset(text, '[', (size_t)depth);
		memset(text + depth, ']', (size_t)depth);
		text[2 * depth] = 0;
		if (depth <= 64) {
			tk_ok(parse(text, &v));
			cJSON_Delete(v);
		} else {
			tk_fails(parse(text, &v), ISO_E_CONFIG, "deeper than 64");
		}
	}
}
END_TEST

START_TEST(test_canonical)
{
	static const char text[] = "\xef\xbb\xbf {\"b\": [1, 2.50, -0, 1e2, true, null], \"a\": "
				   "{\"z\": \"\\u00e9\\n\\u0001\\\"/\","
				   "\"y\": \"\xf0\x9f\x98\x80\"}, \"\": {}}";
	iso_str out = {0}, again = {0};
	cJSON *v, *w;

	tk_ok(parse(text, &v));
	tk_ok(iso_json_canonical(v, &out, &err));
	ck_assert_str_eq(
		out.p,
		"{\"\":{},\"a\":{\"y\":\"\xf0\x9f\x98\x80\",\"z\":\"\xc3\xa9\\n\\u0001\\\"/\"},"
		"\"b\":[1,2.5,0,100,true,null]}");
	tk_ok(parse(out.p, &w));
	tk_ok(iso_json_canonical(w, &again, &err));
	ck_assert_str_eq(out.p, again.p);
	iso_str_free(&again);
	tk_ok(iso_json_pretty(w, &again, &err));
	ck_assert_str_eq(
		again.p,
		"{\n\t\"\": {},\n\t\"a\": {\n\t\t\"y\": \"\xf0\x9f\x98\x80\",\n\t\t\"z\": "
		"\"\xc3\xa9\\n\\u0001\\\"/\"\n\t},\n\t\"b\": [1, 2.5, 0, 100, true, null]\n}\n");
	iso_str_free(&out);
	iso_str_free(&again);
	cJSON_Delete(v);
	cJSON_Delete(w);
	v = cJSON_CreateObject();
	ck_assert_ptr_nonnull(iso_json_add_number(v, "x", INFINITY));
	cJSON_AddItemToObject(v, "y", cJSON_CreateNumber(-INFINITY));
	cJSON_AddItemToObject(v, "n", cJSON_CreateNumber(NAN));
	tk_ok(iso_json_canonical(v, &out, &err));
	ck_assert_str_eq(out.p, "{\"n\":null,\"x\":\"inf\",\"y\":\"-inf\"}");
	iso_str_free(&out);
	cJSON_Delete(v);
}
END_TEST

/* Oracle: reads back as the same double, and no text with fewer significant digits does. */
START_TEST(test_number_text)
{
	static const double fixed[] = {0,
				       0.1,
				       1e-5,
				       1.0 / 3,
				       1e22,
				       1e23,
				       DBL_MAX,
				       DBL_MIN,
				       5e-324,
				       123456789012345678.0,
				       9007199254740993.0,
				       2.2250738585072011e-308,
				       1e15,
				       0.3,
				       4.35,
				       100000,
				       -2.5};
	uint64_t state = 88172645463325252ull;
	char text[32], other[400];

	iso_json_number_text(0.1, text);
	ck_assert_str_eq(text, "0.1");
	iso_json_number_text(1e-5, text);
	ck_assert_str_eq(text, "1e-05");
	iso_json_number_text(5e-324, text);
	ck_assert_str_eq(text, "5e-324");
	iso_json_number_text(NAN, text);
	ck_assert_str_eq(text, "nan");
	for (size_t i = 0; i < 4000; i++) {
		double x = i < ISO_COUNT(fixed) ? fixed[i] : 0;
		size_t digits = 0;

		if (i >= ISO_COUNT(fixed)) { /* xorshift64: any bit pattern */
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			memcpy(&x, &state, sizeof(x));
			if (!isfinite(x))
				continue;
		}
		iso_json_number_text(x, text);
		ck_assert_msg(strtod(text, NULL) == x, "%s is not %.17g", text, x);
		for (const char *p = text; *p && *p != 'e'; p++)
			digits += *p >= '0' && *p <= '9';
		if (digits < 2 || strchr(text, 'e') == NULL)
			continue;
		snprintf(other, sizeof(other), "%.*g", (int)digits - 1, x);
		ck_assert_msg(strtod(other, NULL) != x, "%s is shorter than %s", other, text);
	}
}
END_TEST

START_TEST(test_typed_access)
{
	static const char *const keys[] = {"epsilon", "name", "rows"};
	const char *name = NULL;
	double x = 7;
	cJSON *v;

	tk_ok(parse("{\"epsilon\": 1.5, \"name\": \"n\", \"inf\": \"inf\", \"rowz\": 1}", &v));
	tk_ok(iso_json_get_number(v, "epsilon", 1, 0, 2, &x, "here", &err));
	ck_assert_double_eq(x, 1.5);
	tk_ok(iso_json_get_number(v, "absent", 0, 0, 2, &x, "here", &err));
	ck_assert_double_eq(x, 1.5);
	tk_ok(iso_json_get_number(v, "inf", 1, 0, INFINITY, &x, "here", &err));
	ck_assert(isinf(x));
	tk_fails(iso_json_get_number(v, "inf", 1, 0, 5, &x, "here", &err), ISO_E_CONFIG,
		 "\"inf\" is inf, allowed is 0 to 5");
	tk_fails(iso_json_get_number(v, "absent", 1, 0, 2, &x, "here", &err), ISO_E_CONFIG,
		 "\"absent\" is required");
	tk_fails(iso_json_get_number(v, "epsilon", 1, 2, 3, &x, "here", &err), ISO_E_CONFIG,
		 "allowed is 2 to 3");
	tk_fails(iso_json_get_number(v, "name", 1, 2, 3, &x, "here", &err), ISO_E_CONFIG,
		 "is a string, expected a number");
	tk_ok(iso_json_get_string(v, "name", 1, &name, "here", &err));
	ck_assert_str_eq(name, "n");
	tk_fails(iso_json_get_string(v, "epsilon", 1, &name, "here", &err), ISO_E_CONFIG,
		 "expected a string");
	cJSON_DeleteItemFromObject(v, "inf");
	tk_fails(iso_json_only_keys(v, keys, 3, "here", &err), ISO_E_CONFIG,
		 "\"rowz\" is not known here; did you mean \"rows\"");
	cJSON_Delete(v);
}
END_TEST

/* Every allocation of ours fails once: an error, and nothing left behind (the leak checker
 * watches). */
START_TEST(test_allocation_failures)
{
	const char *text = "{\"a\": [1, {\"b\": \"c\"}], \"d\": {\"e\": 1}}";
	iso_status st = ISO_E_NOMEM;
	int failures = 0;

	for (uint64_t k = 1; st != ISO_OK; k++) {
		iso_str out = {0};
		cJSON *v = NULL;

		iso_error_clear(&err);
		iso_alloc_fail_after(k);
		st = iso_json_parse(text, strlen(text), "t.json", &v, &err);
		if (st == ISO_OK)
			st = iso_json_canonical(v, &out, &err);
		iso_alloc_fail_after(0);
		ck_assert(st == ISO_OK || st == ISO_E_NOMEM);
		failures += st != ISO_OK;
		iso_str_free(&out);
		cJSON_Delete(v);
	}
	ck_assert_int_ge(failures, 5);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("json");
	TCase *t = tcase_create("json");

	tcase_add_test(t, test_bad_text_has_position);
	tcase_add_test(t, test_depth);
	tcase_add_test(t, test_canonical);
	tcase_add_test(t, test_number_text);
	tcase_add_test(t, test_typed_access);
	tcase_add_test(t, test_allocation_failures);
	suite_add_tcase(s, t);
	return tk_run(s);
}
