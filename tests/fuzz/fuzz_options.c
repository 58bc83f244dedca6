// SPDX-License-Identifier: Apache-2.0
/* Options that resolve are inside their ranges, and resolving the result changes nothing. */
#include <math.h>
#include <string.h>

#include "core/io/json.h"
#include "core/io/options.h"
#include "tests/fuzz/fuzz.h"

typedef struct opts {
	int64_t hidden;
	double lr;
	int fast, mode;
	char note[ISO_OPT_TEXT_MAX];
	int64_t layers[ISO_OPT_LIST_MAX + 1];
} opts;
static const iso_option table[] = {
	ISO_OPT_INT(opts, hidden, "128", 1, 65536, "units"),
	ISO_OPT_REAL(opts, lr, "1e-3", 0, INFINITY, "learning rate"),
	ISO_OPT_BOOL(opts, fast, "no", "quick"),
	ISO_OPT_ENUM(opts, mode, "sound", "sound|paper", "mode"),
	ISO_OPT_STRING(opts, note, "", "free text"),
	ISO_OPT_INTS(opts, layers, "64,32", 1, 1000, "widths"),
	{0},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	cJSON *v = NULL, *one = NULL, *two = NULL;
	iso_error err = {0};
	opts a, b;

	if (iso_json_parse((const char *)data, n, "input", &v, &err) != ISO_OK)
		return 0;
	if (iso_options_resolve(table, v, "fuzz", &a, sizeof(a), &one, &err) == ISO_OK) {
		FUZZ_CHECK(a.hidden >= 1 && a.hidden <= 65536 && a.lr >= 0 && (a.fast & ~1) == 0 &&
			   (a.mode & ~1) == 0);
		FUZZ_CHECK(a.layers[0] >= 0 && a.layers[0] <= ISO_OPT_LIST_MAX &&
			   memchr(a.note, 0, sizeof(a.note)));
		FUZZ_CHECK(iso_options_resolve(table, one, "fuzz", &b, sizeof(b), &two, &err) ==
			   ISO_OK);
		FUZZ_CHECK(memcmp(&a, &b, sizeof(a)) == 0);
	} else {
		FUZZ_CHECK(err.text[0] && one == NULL);
	}
	cJSON_Delete(v);
	cJSON_Delete(one);
	cJSON_Delete(two);
	return 0;
}
