// SPDX-License-Identifier: Apache-2.0
/* What parses has a canonical text that parses to the same canonical text; so has its pretty text.
 */
#include <string.h>

#include "core/io/json.h"
#include "tests/fuzz/fuzz.h"

static void reparse(const char *text, size_t n, const char *want)
{
	iso_error err = {0};
	iso_str again = {0};
	cJSON *v = NULL;

	FUZZ_CHECK(iso_json_parse(text, n, "again", &v, &err) == ISO_OK);
	FUZZ_CHECK(iso_json_canonical(v, &again, &err) == ISO_OK);
	FUZZ_CHECK(strcmp(again.p, want) == 0);
	iso_str_free(&again);
	cJSON_Delete(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	iso_str canonical = {0}, pretty = {0};
	iso_error err = {0};
	cJSON *v = NULL;

	if (iso_json_parse((const char *)data, n, "input", &v, &err) != ISO_OK) {
		FUZZ_CHECK(err.code != ISO_OK && err.text[0] && v == NULL);
		return 0;
	}
	FUZZ_CHECK(iso_json_canonical(v, &canonical, &err) == ISO_OK);
	FUZZ_CHECK(iso_json_pretty(v, &pretty, &err) == ISO_OK);
	reparse(canonical.p, canonical.n, canonical.p);
	reparse(pretty.p, pretty.n, canonical.p);
	iso_str_free(&canonical);
	iso_str_free(&pretty);
	cJSON_Delete(v);
	return 0;
}
