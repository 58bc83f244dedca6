// SPDX-License-Identifier: Apache-2.0
#include "core/io/options.h"

#include <string.h>

#include "core/io/json.h"
#include "tests/support/testkit.h"

typedef struct opts {
	int64_t hidden;
	double lr;
	int fast;
	int mode;
	char note[ISO_OPT_TEXT_MAX];
	int64_t layers[ISO_OPT_LIST_MAX + 1];
} opts;
static const iso_option table[] = {
	ISO_OPT_INT(opts, hidden, "128", 1, 65536, "units"),
	ISO_OPT_REAL(opts, lr, "1e-3", 0, INFINITY, "learning rate"),
	ISO_OPT_BOOL(opts, fast, "no", "quick"),
	ISO_OPT_ENUM(opts, mode, "sound", "sound|paper|soundest", "mode"),
	ISO_OPT_STRING(opts, note, "", "free text"),
	ISO_OPT_INTS(opts, layers, "64,32", 1, 1000, "widths"),
	{0},
};
static iso_error err;

static iso_status resolve(const char *json, opts *o, cJSON **resolved)
{
	cJSON *v = NULL;
	iso_status st;

	iso_error_clear(&err);
	tk_ok(iso_json_parse(json, strlen(json), "o", &v, &err));
	st = iso_options_resolve(table, v, "gan", o, sizeof(*o), resolved, &err);
	cJSON_Delete(v);
	return st;
}

START_TEST(test_defaults_and_values)
{
	iso_str text = {0};
	cJSON *resolved;
	opts o;

	tk_ok(iso_options_resolve(table, NULL, "gan", &o, sizeof(o), &resolved, &err));
	ck_assert_int_eq(o.hidden, 128);
	ck_assert_double_eq(o.lr, 1e-3);
	ck_assert_int_eq(o.fast, 0);
	ck_assert_int_eq(o.mode, 0);
	ck_assert_int_eq(o.layers[0], 2);
	ck_assert_int_eq(o.layers[2], 32);
	tk_ok(iso_json_canonical(resolved, &text, &err));
	ck_assert_str_eq(text.p, "{\"fast\":false,\"hidden\":128,\"layers\":[64,32],\"lr\":0.001,"
				 "\"mode\":\"sound\",\"note\":\"\"}");
	iso_str_free(&text);
	cJSON_Delete(resolved);
	tk_ok(resolve("{\"hidden\":\"3e2\",\"lr\":\"inf\",\"fast\":true,\"mode\":\"soundest\","
		      "\"note\":\"x\",\"layers\":[7]}",
		      &o, &resolved));
	ck_assert_int_eq(o.hidden, 300);
	ck_assert(isinf(o.lr));
	ck_assert_int_eq(o.fast, 1);
	ck_assert_int_eq(o.mode, 2);
	ck_assert_str_eq(o.note, "x");
	ck_assert_int_eq(o.layers[0], 1);
	tk_ok(iso_json_canonical(resolved, &text, &err));
	ck_assert_str_eq(text.p, "{\"fast\":true,\"hidden\":300,\"layers\":[7],\"lr\":\"inf\","
				 "\"mode\":\"soundest\",\"note\":\"x\"}");
	iso_str_free(&text);
	cJSON_Delete(resolved);
	tk_ok(resolve("{\"layers\":\"\",\"fast\":\"on\"}", &o, NULL));
	ck_assert_int_eq(o.layers[0], 0);
	ck_assert_int_eq(o.fast, 1);
}
END_TEST

/* Resolving what was resolved changes nothing. */
START_TEST(test_resolved_is_a_fixed_point)
{
	iso_str a = {0}, b = {0};
	cJSON *one, *two;
	opts o, p;

	tk_ok(resolve("{\"lr\":0.1,\"hidden\":77,\"mode\":\"paper\",\"layers\":\"1,2,3\"}", &o,
		      &one));
	tk_ok(iso_options_resolve(table, one, "gan", &p, sizeof(p), &two, &err));
	ck_assert(memcmp(&o, &p, sizeof(o)) == 0);
	tk_ok(iso_json_canonical(one, &a, &err));
	tk_ok(iso_json_canonical(two, &b, &err));
	ck_assert_str_eq(a.p, b.p);
	iso_str_free(&a);
	iso_str_free(&b);
	cJSON_Delete(one);
	cJSON_Delete(two);
}
END_TEST

START_TEST(test_faults)
{
	static const struct {
		const char *json, *part;
	} cases[] = {
		{"{\"hiden\":1}", "\"hiden\" is not an option of it; did you mean \"hidden\""},
		{"{\"qqqqqqqqqq\":1}", "not an option of it; see"},
		{"{\"hidden\":0}", "hidden is 0, allowed is 1 to 65536"},
		{"{\"hidden\":1.5}", "hidden is \"1.5\", expected an integer"},
		{"{\"hidden\":\"\"}", "expected an integer"},
		{"{\"hidden\":\" 3\"}", "expected an integer"},
		{"{\"hidden\":\"0x10\"}", "expected an integer"},
		{"{\"hidden\":\"3 \"}", "expected an integer"},
		{"{\"hidden\":1e300}", "above 2^53"},
		{"{\"hidden\":true}", "hidden is \"true\""},
		{"{\"hidden\":null}", "hidden is \"null\""},
		{"{\"hidden\":{}}", "hidden is \"an object\""},
		{"{\"hidden\":[1]}", "hidden is a list of 1"},
		{"{\"lr\":-1}", "lr is -1, allowed is 0 to inf"},
		{"{\"lr\":\"nan\"}", "expected a number"},
		{"{\"lr\":\"1,5\"}", "expected a number"},
		{"{\"fast\":2}", "fast is \"2\", expected true or false"},
		{"{\"mode\":\"soun\"}", "expected one of sound|paper|soundest"},
		{"{\"mode\":\"\"}", "expected one of"},
		{"{\"mode\":\"sound|paper\"}", "expected one of"},
		{"{\"layers\":\"1,,2\"}", "expected a list"},
		{"{\"layers\":\"1,\"}", "expected a list"},
		{"{\"layers\":[1,\"x\"]}", "a list with something else"},
		{"{\"layers\":[0]}", "layers is 0, allowed is 1 to 1000"},
		{"{\"layers\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}", "at most 15"},
		{"{\"layers\":\"1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1\"}", "expected a list"},
		{"[]", "must be a JSON object"},
	};
	cJSON *v;
	char text[400];
	opts o;

	for (size_t i = 0; i < ISO_COUNT(cases); i++)
		tk_fails(resolve(cases[i].json, &o, NULL), ISO_E_CONFIG, cases[i].part);
	memset(text, 'x', sizeof(text));
	memcpy(text, "{\"note\":\"", 9);
	memcpy(text + 300, "\"}", 3);
	tk_fails(resolve(text, &o, NULL), ISO_E_CONFIG, "longer than 127");
	v = cJSON_CreateObject();
	cJSON_AddNumberToObject(v, "lr", 1);
	cJSON_AddNumberToObject(v, "lr", 2);
	tk_fails(iso_options_resolve(table, v, "gan", &o, sizeof(o), NULL, &err), ISO_E_CONFIG,
		 "given twice (gan): lr");
	cJSON_Delete(v);
}
END_TEST

START_TEST(test_set)
{
	cJSON *v = cJSON_CreateObject();
	opts o;

	tk_ok(iso_options_set(v, "hidden=9", &err));
	tk_ok(iso_options_set(v, "note=a=b", &err));
	tk_fails(iso_options_set(v, "hidden=9", &err), ISO_E_USAGE, "given twice");
	tk_fails(iso_options_set(v, "hidden", &err), ISO_E_USAGE, "KEY=VALUE");
	tk_fails(iso_options_set(v, "=1", &err), ISO_E_USAGE, "KEY=VALUE");
	tk_ok(iso_options_resolve(table, v, "gan", &o, sizeof(o), NULL, &err));
	ck_assert_int_eq(o.hidden, 9);
	ck_assert_str_eq(o.note, "a=b");
	cJSON_Delete(v);
}
END_TEST

START_TEST(test_describe)
{
	static const iso_option empty[] = {{0}};
	iso_str s = {0};
	cJSON *v = iso_options_json(table);

	iso_options_describe(table, &s);
	ck_assert_ptr_nonnull(strstr(s.p, "  hidden=128  (integer, 1 to 65536)\n      units\n"));
	ck_assert_ptr_nonnull(strstr(s.p, "  mode=sound  (sound|paper|soundest)"));
	iso_str_free(&s);
	iso_options_describe(empty, &s);
	ck_assert_ptr_nonnull(strstr(s.p, "no options"));
	iso_str_free(&s);
	ck_assert_int_eq(cJSON_GetArraySize(v), 6);
	tk_ok(iso_json_canonical(cJSON_GetArrayItem(v, 1), &s, &err));
	ck_assert_str_eq(s.p, "{\"default\":\"1e-3\",\"help\":\"learning "
			      "rate\",\"key\":\"lr\",\"max\":\"inf\",\"min\":0,"
			      "\"type\":\"real\"}");
	iso_str_free(&s);
	cJSON_Delete(v);
}
END_TEST

START_TEST(test_bad_table)
{
	static const iso_option bad[] = {ISO_OPT_INT(opts, hidden, "0", 1, 2, "units"), {0}};
	opts o;

	tk_fails(iso_options_resolve(bad, NULL, "gan", &o, sizeof(o), NULL, &err), ISO_E_INTERNAL,
		 "default of hidden");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("options");
	TCase *t = tcase_create("options");

	tcase_add_test(t, test_defaults_and_values);
	tcase_add_test(t, test_resolved_is_a_fixed_point);
	tcase_add_test(t, test_faults);
	tcase_add_test(t, test_set);
	tcase_add_test(t, test_describe);
	tcase_add_test(t, test_bad_table);
	suite_add_tcase(s, t);
	return tk_run(s);
}
