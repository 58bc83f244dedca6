// SPDX-License-Identifier: Apache-2.0
/* `isoeps account` as text in, text out. */
#include "core/privacy/account_json.h"

#include "tests/support/testkit.h"

#include <stdio.h>
#include <string.h>

static const iso_account_options as_json = {.delta = NAN,
					    .adjacency = -1,
					    .epsilon = NAN,
					    .target_epsilon = NAN,
					    .accountant = -1,
					    .json = 1};
static const iso_account_options as_text = ISO_ACCOUNT_OPTIONS_NONE;

static cJSON *ask(const char *text, const iso_account_options *o)
{
	iso_str out = {0};
	iso_error err = {0};
	cJSON *v;

	tk_ok(iso_account_text(text, strlen(text), "in.json", o, &out, &err));
	ck_assert_msg(out.p[out.n - 1] == '\n' && strchr(out.p, '\n') == out.p + out.n - 1,
		      "one line: %s", out.p);
	v = cJSON_Parse(out.p);
	ck_assert_msg(v != NULL, "not JSON: %s", out.p);
	iso_str_free(&out);
	return v;
}

static const cJSON *get(const cJSON *v, const char *key)
{
	const cJSON *c = cJSON_GetObjectItemCaseSensitive(v, key);

	ck_assert_msg(c != NULL, "no key %s", key);
	return c;
}

#define DPSGD \
	"{\"delta\":1e-5,\"events\":[{\"mechanism\":\"gaussian\",\"noise_multiplier\":1.1," \
	"\"sampling_rate\":0.01," \
	"\"count\":10000}]}"

START_TEST(epsilon)
{
	cJSON *v = ask(DPSGD, &as_json);
	const cJSON *e = get(v, "epsilon");

	tk_assert_close(tk_number(v, "delta"), 1e-5, 0, 0);
	ck_assert_str_eq(cJSON_GetStringValue(get(v, "adjacency")), "add-remove");
	tk_assert_close(tk_number(get(e, "pld"), "upper"), 5.19258, 0, 5e-5);
	ck_assert(tk_number(get(e, "pld"), "lower") < 5.19258 &&
		  tk_number(get(e, "pld"), "lower") > 5.192);
	tk_assert_close(tk_number(e, "rdp"), 5.63181, 0, 1e-5);
	ck_assert(tk_number(e, "rdp_classic") < tk_number(e, "moments"));
	ck_assert(tk_number(e, "gdp") < 5.1 && tk_number(get(v, "order"), "rdp") > 4);
	ck_assert(cJSON_IsNull(get(get(v, "data_dependent"), "rdp")));
	cJSON_Delete(v);
	/* null where an accountant does not apply, "inf" where there is no guarantee */
	v = ask("{\"delta\":1e-5,\"adjacency\":\"replace-one\",\"events\":[{\"mechanism\":\"zcdp\","
		"\"rho\":0.1},"
		"{\"mechanism\":\"laplace\",\"scale\":5}]}",
		&as_json);
	ck_assert(cJSON_IsNull(get(get(get(v, "epsilon"), "pld"), "upper")) &&
		  cJSON_IsNull(get(get(v, "epsilon"), "gdp")));
	cJSON_Delete(v);
	v = ask("{\"delta\":1e-5,\"events\":[{\"mechanism\":\"gaussian\",\"noise_multiplier\":0}]}",
		&as_json);
	ck_assert_str_eq(cJSON_GetStringValue(get(get(v, "epsilon"), "rdp")), "inf");
	ck_assert_str_eq(cJSON_GetStringValue(get(get(get(v, "epsilon"), "pld"), "upper")), "inf");
	cJSON_Delete(v);
}
END_TEST

/* Every mechanism of the input format, and numbers that read back exactly. */
START_TEST(mechanisms)
{
	const char *const events[] = {
		"{\"mechanism\":\"gaussian\",\"noise_multiplier\":3}",
		"{\"mechanism\":\"gaussian\",\"noise_multiplier\":3,\"sampling\":\"none\","
		"\"count\":2}",
		"{\"mechanism\":\"gaussian\",\"noise_multiplier\":3,\"sampling\":\"poisson\","
		"\"sampling_rate\":1}",
		"{\"mechanism\":\"gaussian\",\"noise_multiplier\":3,\"sampling\":\"without-"
		"replacement\",\"sampling_"
		"rate\":0.1}",
		"{\"mechanism\":\"laplace\",\"scale\":5,\"count\":3}",
		"{\"mechanism\":\"exponential\",\"epsilon\":0.2}",
		"{\"mechanism\":\"pure\",\"epsilon\":0.2,\"delta\":1e-9}",
		"{\"mechanism\":\"pure\",\"epsilon\":0.2}",
		"{\"mechanism\":\"zcdp\",\"rho\":0.02}",
		"{\"mechanism\":\"randomized-response\",\"epsilon\":1}",
		"{\"mechanism\":\"pate-lnmax\",\"scale\":40,\"votes\":[[30,1,2],[0,33,0]]}",
		"{\"mechanism\":\"pate-gnmax\",\"scale\":40,\"queries\":20,\"classes\":3}",
		"{\"mechanism\":\"parallel\",\"groups\":[[{\"mechanism\":\"laplace\",\"scale\":5}],"
		"[]]}"};

	for (size_t i = 0; i < ISO_COUNT(events); i++) {
		char text[512];
		cJSON *v;

		snprintf(text, sizeof(text),
			 "{\"delta\":1e-6,\"adjacency\":\"replace-one\",\"events\":[%s]}",
			 events[i]);
		v = ask(text, &as_json);
		ck_assert_msg(tk_number(get(v, "epsilon"), "rdp") > 0, "%s", events[i]);
		ck_assert((i == 10) == cJSON_IsNumber(get(get(v, "data_dependent"), "rdp")));
		ck_assert((i == 3 || i == 8) ==
			  cJSON_IsNull(get(get(get(v, "epsilon"), "pld"), "upper")));
		cJSON_Delete(v);
	}
}
END_TEST

START_TEST(numbers)
{
	const double x[] = {0.1, 1e-5, 1.0 / 3, 5e-324, 1.7976931348623157e308, 123456789, 0, -2.5};

	for (size_t i = 0; i < ISO_COUNT(x); i++) {
		iso_str s = {0};

		iso_account_number(x[i], &s);
		ck_assert_msg(strtod(s.p, NULL) == x[i], "%s", s.p);
		if (i == 0)
			ck_assert_str_eq(s.p, "0.1");
		iso_str_free(&s);
	}
}
END_TEST

START_TEST(delta_and_target)
{
	iso_account_options o = as_json;
	cJSON *v;

	o.epsilon = 5.1926;
	v = ask(DPSGD, &o);
	tk_assert_close(tk_number(get(v, "delta"), "pld"), 1e-5, 1e-3, 0);
	ck_assert(tk_number(get(v, "delta"), "rdp") > 2e-5);
	cJSON_Delete(v);
	o = as_json;
	o.target_epsilon = 8;
	v = ask(DPSGD, &o);
	ck_assert(tk_number(v, "epsilon") <= 8 && tk_number(v, "epsilon") >= 7.992);
	tk_assert_close(tk_number(v, "noise_multiplier"), 0.88253, 1e-4, 0);
	tk_assert_close(tk_number(v, "factor"), tk_number(v, "noise_multiplier") / 1.1, 1e-15, 0);
	cJSON_Delete(v);
	o.accountant = ISO_ACC_RDP;
	v = ask(DPSGD, &o);
	tk_assert_close(tk_number(v, "noise_multiplier"), 0.91680, 1e-4, 0);
	cJSON_Delete(v);
	/* keys in the input do the same; the noise may be left out; several events keep their
	 * proportions */
	v = ask("{\"delta\":1e-5,\"target_epsilon\":1,\"solve\":\"scale\",\"accountant\":\"rdp\","
		"\"events\":["
		"{\"mechanism\":\"gaussian\",\"sampling_rate\":0.1,\"count\":5,\"noise_"
		"multiplier\":2},{\"mechanism\":"
		"\"laplace\"}]}",
		&as_json);
	ck_assert(tk_number(v, "scale") > 1 && tk_number(v, "epsilon") <= 1 &&
		  tk_number(v, "epsilon") >= 0.999);
	cJSON_Delete(v);
}
END_TEST

START_TEST(text_mode)
{
	iso_str out = {0};
	iso_error err = {0};

	tk_ok(iso_account_text(DPSGD, strlen(DPSGD), "in.json", &as_text, &out, &err));
	ck_assert(strstr(out.p, "APPROXIMATION") && strstr(out.p, "pld") &&
		  strstr(out.p, "5.1926") && strstr(out.p, "add-remove"));
	iso_str_free(&out);
}
END_TEST

static void wrong(const char *text, const char *part)
{
	iso_str out = {0};
	iso_error err = {0};

	tk_fails(iso_account_text(text, strlen(text), "in.json", &as_json, &out, &err),
		 ISO_E_CONFIG, part);
	ck_assert_uint_eq(out.n, 0);
	iso_str_free(&out);
}

#define EVENT(e) "{\"delta\":1e-5,\"events\":[" e "]}"

START_TEST(bad_input)
{
	/* malformed, with line and column */
	wrong("", "in.json:1:1");
	wrong("{\"delta\":1e-5,\n \"events\":[}", "in.json:2:12");
	wrong("{\"delta\":1e-5,\n\n  oops}", "in.json:3:3");
	wrong(DPSGD " x", "malformed JSON");
	wrong("{\"delta\":1e-5,\"events\":[", "malformed JSON");
	wrong("[1,2]", "object");
	wrong("{\"delta\":NaN,\"events\":[]}", "in.json:1:10");
	/* keys and types */
	wrong("{\"delta\":1e-5,\"evnets\":[]}", "did you mean \"events\"");
	wrong("{\"delta\":1e-5,\"delta\":1e-6,\"events\":[]}", "twice");
	wrong("{\"events\":[{\"mechanism\":\"gaussian\",\"noise_multiplier\":1}]}",
	      "\"delta\" is needed");
	wrong("{\"delta\":\"1e-5\",\"events\":[]}", "finite number");
	wrong("{\"delta\":1e999,\"events\":[]}", "finite number");
	wrong("{\"delta\":1e-5}", "array of events");
	wrong("{\"delta\":1e-5,\"events\":[]}", "empty");
	wrong("{\"delta\":1e-5,\"adjacency\":\"add_remove\",\"events\":[]}",
	      "did you mean \"add-remove\"");
	wrong("{\"delta\":1e-5,\"epsilon\":1,\"target_epsilon\":1,\"events\":[]}", "one question");
	wrong("{\"delta\":1,\"events\":[{\"mechanism\":\"laplace\",\"scale\":1}]}", "delta");
	wrong("{\"delta\":-1e-5,\"events\":[{\"mechanism\":\"laplace\",\"scale\":1}]}", "delta");
	/* events */
	wrong(EVENT("3"), "events[0]");
	wrong(EVENT("{}"), "\"mechanism\" is needed");
	wrong(EVENT("{\"mechanism\":\"gausian\"}"), "did you mean \"gaussian\"");
	wrong(EVENT("{\"mechanism\":\"gaussian\"}"), "\"noise_multiplier\" is needed");
	wrong(EVENT("{\"mechanism\":\"gaussian\",\"noise_multiplier\":-1}"),
	      "noise multiplier is -1");
	wrong(EVENT("{\"mechanism\":\"gaussian\",\"noise_multiplier\":1,\"sigma\":2}"),
	      "unknown key (events[0])");
	wrong(EVENT("{\"mechanism\":\"gaussian\",\"noise_multiplier\":1,\"sampling_rate\":1.5}"),
	      "sampling_rate");
	wrong(EVENT("{\"mechanism\":\"gaussian\",\"noise_multiplier\":1,\"sampling\":\"poisson\"}"),
	      "sampling_rate");
	wrong(EVENT("{\"mechanism\":\"gaussian\",\"noise_multiplier\":1,\"sampling\":\"none\","
		    "\"sampling_rate\":0.1}"),
	      "contradiction");
	wrong(EVENT("{\"mechanism\":\"gaussian\",\"noise_multiplier\":1,\"sampling\":\"without-"
		    "replacement\","
		    "\"sampling_rate\":0.1}"),
	      "replace-one");
	wrong(EVENT("{\"mechanism\":\"laplace\",\"scale\":1,\"count\":0}"), "count");
	wrong(EVENT("{\"mechanism\":\"laplace\",\"scale\":1,\"count\":2.5}"), "whole number");
	wrong(EVENT("{\"mechanism\":\"laplace\",\"scale\":1,\"count\":1e15}"), "whole number");
	wrong(EVENT("{\"mechanism\":\"laplace\",\"scale\":0}"), "scale");
	wrong(EVENT("{\"mechanism\":\"pure\",\"epsilon\":1,\"delta\":1}"), "delta");
	wrong(EVENT("{\"mechanism\":\"pate-lnmax\",\"scale\":1}"), "\"queries\" is needed");
	wrong(EVENT("{\"mechanism\":\"pate-lnmax\",\"scale\":1,\"votes\":[[1,2],[3]]}"),
	      "votes[1]");
	wrong(EVENT("{\"mechanism\":\"pate-lnmax\",\"scale\":1,\"votes\":[[1,2],[3,-1]]}"),
	      "votes[1]");
	wrong(EVENT("{\"mechanism\":\"pate-lnmax\",\"scale\":1,\"votes\":[]}"), "votes");
	wrong(EVENT("{\"mechanism\":\"parallel\",\"groups\":[]}"), "groups");
	wrong(EVENT("{\"mechanism\":\"parallel\",\"groups\":[[{\"mechanism\":\"zcdp\",\"rho\":-1}]]"
		    "}"),
	      "groups[0][0]");
	wrong("{\"delta\":1e-5,\"target_epsilon\":1,\"events\":[{\"mechanism\":\"pure\","
	      "\"epsilon\":1}]}",
	      "nothing to solve for");
	wrong("{\"delta\":1e-5,\"solve\":\"scale\",\"events\":[{\"mechanism\":\"laplace\","
	      "\"scale\":1}]}",
	      "target_epsilon");
}
END_TEST

/* An enormous list is refused, in bounded time. */
START_TEST(enormous)
{
	iso_str text = {0}, out = {0};
	iso_error err = {0};

	iso_str_add(&text, "{\"delta\":1e-5,\"events\":[");
	for (int i = 0; i < 100001; i++)
		iso_str_add(&text, i ? ",{\"mechanism\":\"zcdp\",\"rho\":1}"
				     : "{\"mechanism\":\"zcdp\",\"rho\":1}");
	iso_str_add(&text, "]}");
	tk_fails(iso_account_text(text.p, text.n, "in.json", &as_json, &out, &err), ISO_E_CONFIG,
		 "too many events");
	iso_str_free(&text);
	/* nesting bomb */
	for (int i = 0; i < 200000; i++)
		iso_str_add(&text, "[");
	tk_fails(iso_account_text(text.p, text.n, "in.json", &as_json, &out, &err), ISO_E_CONFIG,
		 "malformed JSON");
	iso_str_free(&text);
	iso_str_free(&out);
}
END_TEST

START_TEST(batch)
{
	const char *text =
		"{\"id\":1,\"delta\":1e-5,\"events\":[{\"mechanism\":\"laplace\",\"scale\":2}]}\n"
		"\n"
		"{\"id\":\"b\",\"delta\":7,\"events\":[{\"mechanism\":\"laplace\",\"scale\":2}]}\n"
		"not json\n"
		"{\"id\":null,\"epsilon\":0.1,\"events\":[{\"mechanism\":\"laplace\",\"scale\":2}]}"
		"\r\n"
		"{\"id\":[2],\"delta\":1e-5,\"target_epsilon\":1,\"accountant\":\"rdp\",\"events\":"
		"[{\"mechanism\":"
		"\"laplace\",\"scale\":2}]}";
	iso_str out = {0};
	iso_error err = {0};
	cJSON *line[5];
	size_t bad, n = 0;

	tk_ok(iso_account_batch(text, strlen(text), "b.jsonl", &as_text, &out, &bad, &err));
	ck_assert_uint_eq(bad, 2);
	for (char *p = out.p, *end; *p; p = end + 1) {
		end = strchr(p, '\n');
		ck_assert(end && n < 5);
		line[n] = cJSON_ParseWithLength(p, (size_t)(end - p));
		ck_assert_msg(line[n] != NULL, "%s", p);
		n++;
	}
	ck_assert_uint_eq(n, 5);
	ck_assert(tk_number(line[0], "id") == 1 && cJSON_IsObject(get(line[0], "epsilon")));
	ck_assert_str_eq(cJSON_GetStringValue(get(line[1], "id")), "b");
	ck_assert(strstr(cJSON_GetStringValue(get(line[1], "error")), "delta"));
	ck_assert(cJSON_IsNull(get(line[2], "id")) &&
		  strstr(cJSON_GetStringValue(get(line[2], "error")), "b.jsonl:4:2"));
	ck_assert(cJSON_IsNumber(get(get(line[3], "delta"), "pld")));
	ck_assert(cJSON_IsArray(get(line[4], "id")) && tk_number(line[4], "scale") > 0.9);
	for (size_t i = 0; i < n; i++)
		cJSON_Delete(line[i]);
	iso_str_free(&out);
}
END_TEST

/* Truncations and flipped bytes of a good input: an answer or ISO_E_CONFIG, never a crash; run
 * under ASan. */
START_TEST(mutations)
{
	const char *good = "{\"delta\":1e-5,\"adjacency\":\"replace-one\",\"events\":[{"
			   "\"mechanism\":\"parallel\",\"groups\":[[{"
			   "\"mechanism\":\"pate-lnmax\",\"scale\":9,\"votes\":[[3,4],[5,6]]}],[{"
			   "\"mechanism\":\"zcdp\",\"rho\":1}"
			   "]]}]}";
	const size_t n = strlen(good);
	iso_error err = {0};
	char text[512];

	for (size_t i = 0; i < n; i++)
		for (int k = 0; k < 4; k++) {
			iso_str out = {0};
			size_t length = n;
			iso_status st;

			memcpy(text, good, n);
			if (k == 0)
				length = i;
			else
				text[i] = "\0]9"[k - 1];
			st = iso_account_text(text, length, "m", &as_json, &out, &err);
			ck_assert_msg(st == ISO_OK || st == ISO_E_CONFIG, "%s", err.text);
			iso_error_clear(&err);
			iso_str_free(&out);
		}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("account_json");
	TCase *t = tcase_create("json");

	tcase_add_test(t, epsilon);
	tcase_add_test(t, mechanisms);
	tcase_add_test(t, numbers);
	tcase_add_test(t, delta_and_target);
	tcase_add_test(t, text_mode);
	tcase_add_test(t, bad_input);
	tcase_add_test(t, enormous);
	tcase_add_test(t, batch);
	tcase_add_test(t, mutations);
	suite_add_tcase(s, t);
	return tk_run(s);
}
