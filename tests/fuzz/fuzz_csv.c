// SPDX-License-Identifier: Apache-2.0
/* What parses is written back and parses to the same rows. */
#include <string.h>

#include "core/io/csv.h"
#include "tests/fuzz/fuzz.h"

static iso_status rewrite(void *ctx, size_t row, size_t line, char **field, size_t nfield,
			  iso_error *err)
{
	FUZZ_CHECK(line >= 1 && (row > 0 || nfield > 0));
	for (size_t i = 0; i < nfield; i++)
		iso_csv_field(ctx, field[i], i + 1 == nfield);
	return iso_str_check(ctx, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	iso_str one = {0}, two = {0};
	iso_error err = {0};

	if (iso_csv_parse((const char *)data, n, "input", rewrite, &one, &err) == ISO_OK) {
		FUZZ_CHECK(iso_csv_parse(one.p, one.n, "again", rewrite, &two, &err) == ISO_OK);
		FUZZ_CHECK(one.n == two.n && memcmp(one.p, two.p, one.n) == 0);
	} else {
		FUZZ_CHECK(err.code != ISO_OK && err.text[0]);
	}
	iso_str_free(&one);
	iso_str_free(&two);
	return 0;
}
