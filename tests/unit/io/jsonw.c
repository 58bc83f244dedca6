// SPDX-License-Identifier: Apache-2.0
/* The builder: what it writes, and that one failed allocation anywhere is reported at the end. */
#include <math.h>

#include "core/base/alloc.h"
#include "core/io/json.h"
#include "core/io/jsonw.h"
#include "tests/support/testkit.h"

static iso_error err;

static cJSON *build(iso_jsonw *w)
{
	static const double x[] = {1.5, NAN, -INFINITY};
	cJSON *root = iso_jsonw_object(w, NULL, NULL), *list = iso_jsonw_array(w, root, "list");
	cJSON *inner = iso_jsonw_object(w, list, NULL);

	iso_jsonw_text(w, inner, "t", "text");
	iso_jsonw_text(w, inner, "u", NULL);
	iso_jsonw_number(w, inner, "n", NAN);
	iso_jsonw_number(w, inner, "i", INFINITY);
	iso_jsonw_bool(w, list, NULL, 0);
	iso_jsonw_numbers(w, root, "x", x, ISO_COUNT(x));
	iso_jsonw_copy(w, root, "copy", inner);
	iso_jsonw_copy(w, root, "nothing", NULL);
	iso_jsonw_put(w, root, "x2", cJSON_CreateNumber(1));
	iso_jsonw_put(w, root, "x2", cJSON_CreateNumber(2));
	return root;
}

START_TEST(test_text)
{
	iso_jsonw w = {0};
	iso_str out = {0};
	cJSON *v;

	tk_ok(iso_jsonw_end(&w, build(&w), "a value", &v, &err));
	tk_ok(iso_json_canonical(v, &out, &err));
	ck_assert_str_eq(out.p,
			 "{\"copy\":{\"i\":\"inf\",\"n\":null,\"t\":\"text\",\"u\":null},"
			 "\"list\":[{\"i\":\"inf\",\"n\":null,\"t\":\"text\",\"u\":null},false],"
			 "\"x\":[1.5,null,\"-inf\"],\"x2\":2}");
	iso_str_free(&out);
	cJSON_Delete(v);
}
END_TEST

static size_t left;

static void *scarce(size_t n)
{
	return left && --left ? malloc(n) : NULL;
}

/* cJSON gets its memory through a hook of its own: the k-th request fails, for every k. */
START_TEST(test_no_memory)
{
	cJSON_Hooks hooks = {.malloc_fn = scarce, .free_fn = free};
	size_t k = 1;
	iso_status st;

	do {
		iso_jsonw w = {0};
		cJSON *root, *v = NULL;

		cJSON_InitHooks(&hooks);
		left = k;
		root = build(&w);
		cJSON_InitHooks(NULL);
		iso_error_clear(&err);
		st = iso_jsonw_end(&w, root, "a value", &v, &err);
		ck_assert_int_eq(st == ISO_OK, v != NULL);
		if (st != ISO_OK)
			tk_fails(st, ISO_E_NOMEM, "a value");
		cJSON_Delete(v);
	} while (st != ISO_OK && ++k < 200);
	ck_assert_uint_gt(k, 20);
	ck_assert_uint_lt(k, 200);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("jsonw");
	TCase *t = tcase_create("jsonw");

	tcase_add_test(t, test_text);
	tcase_add_test(t, test_no_memory);
	suite_add_tcase(s, t);
	return tk_run(s);
}
