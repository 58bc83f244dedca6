// SPDX-License-Identifier: Apache-2.0
/* `isoeps account`: an answer that is a line of JSON, or an error with a text. */
#include <math.h>
#include <string.h>

#include "core/io/json.h"
#include "core/privacy/account_json.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	iso_account_options options = ISO_ACCOUNT_OPTIONS_NONE;
	iso_error err = {0};
	iso_str out = {0};
	cJSON *answer = NULL;

	options.json = 1;
	if (iso_account_text((const char *)data, n, "input", &options, &out, &err) == ISO_OK) {
		FUZZ_CHECK(out.n > 2 && out.p[out.n - 1] == '\n');
		FUZZ_CHECK(iso_json_parse(out.p, out.n, "answer", &answer, &err) == ISO_OK);
		FUZZ_CHECK(cJSON_IsObject(answer));
		cJSON_Delete(answer);
	} else {
		FUZZ_CHECK(err.text[0] && strlen(err.text) < sizeof(err.text));
	}
	iso_str_free(&out);
	return 0;
}
