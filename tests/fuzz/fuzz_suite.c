// SPDX-License-Identifier: Apache-2.0
/* A suite that is accepted, written with all its defaults, is accepted again and says the same. */
#include <string.h>

#include "suites/suite.h"
#include "tests/fuzz/fuzz.h"

static void resolved(const iso_suite *s, iso_str *out)
{
	iso_error err = {0};
	cJSON *v = NULL;

	FUZZ_CHECK(iso_suite_to_json(s, &v, &err) == ISO_OK);
	FUZZ_CHECK(iso_json_pretty(v, out, &err) == ISO_OK);
	cJSON_Delete(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	iso_suite *s = NULL, *again = NULL;
	iso_str one = {0}, two = {0};
	iso_error err = {0};

	if (iso_suite_parse((const char *)data, n, "input", NULL, &s, &err) != ISO_OK) {
		FUZZ_CHECK(!s && err.text[0]);
		return 0;
	}
	resolved(s, &one);
	FUZZ_CHECK(iso_suite_parse(one.p, one.n, "again", NULL, &again, &err) == ISO_OK);
	resolved(again, &two);
	FUZZ_CHECK(strcmp(one.p, two.p) == 0);
	iso_str_free(&one);
	iso_str_free(&two);
	iso_suite_free(s);
	iso_suite_free(again);
	return 0;
}
