// SPDX-License-Identifier: Apache-2.0
/* A schema that is accepted survives being written and read. */
#include <string.h>

#include "core/data/schema.h"
#include "tests/fuzz/fuzz.h"

static void canonical_of(const iso_schema *s, iso_str *out)
{
	iso_error err = {0};
	cJSON *v = NULL;

	FUZZ_CHECK(iso_schema_to_json(s, &v, &err) == ISO_OK);
	FUZZ_CHECK(iso_json_canonical(v, out, &err) == ISO_OK);
	cJSON_Delete(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	iso_schema *s = NULL, *again = NULL;
	iso_str one = {0}, two = {0};
	iso_error err = {0};
	cJSON *v = NULL;

	if (iso_json_parse((const char *)data, n, "input", &v, &err) != ISO_OK)
		return 0;
	if (iso_schema_from_json(v, "input", &s, &err) == ISO_OK) {
		canonical_of(s, &one);
		cJSON_Delete(v);
		v = NULL;
		FUZZ_CHECK(iso_json_parse(one.p, one.n, "again", &v, &err) == ISO_OK);
		FUZZ_CHECK(iso_schema_from_json(v, "again", &again, &err) == ISO_OK);
		canonical_of(again, &two);
		FUZZ_CHECK(strcmp(one.p, two.p) == 0 && s->ncol == again->ncol &&
			   s->label == again->label);
	}
	cJSON_Delete(v);
	iso_schema_free(s);
	iso_schema_free(again);
	iso_str_free(&one);
	iso_str_free(&two);
	return 0;
}
