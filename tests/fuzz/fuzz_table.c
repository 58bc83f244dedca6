// SPDX-License-Identifier: Apache-2.0
/* Input: a schema, a line "---", a CSV.  A table that is accepted passes its check, is written and
 * read back with the same hash, encodes into [0, 1], and decodes into the schema. */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/data/encode.h"
#include "tests/fuzz/fuzz.h"

static void check_codec(iso_table *t)
{
	iso_encoder *e = NULL;
	iso_error err = {0};
	float *x = NULL;

	if (iso_encoder_new(t->schema, ISO_ENC_FEATURES | ISO_ENC_LABEL, &e, &err) != ISO_OK)
		return;
	if (e->dim > 100000 || t->n > 1000) {
		iso_encoder_free(e);
		return;
	}
	FUZZ_CHECK(iso_encode_new(e, t, &x, &err) == ISO_OK);
	for (size_t i = 0; i < t->n * e->dim; i++)
		FUZZ_CHECK(x[i] >= 0 && x[i] <= 1);
	iso_decode(e, x, e->dim, t->n, NULL, t, 0);
	FUZZ_CHECK(iso_table_check(t, &err) == ISO_OK);
	iso_free(x);
	iso_encoder_free(e);
}

static void check_table(iso_table *t)
{
	char one[65], two[65];
	iso_table *again = NULL;
	iso_error err = {0};
	iso_str csv = {0};

	FUZZ_CHECK(iso_table_check(t, &err) == ISO_OK);
	FUZZ_CHECK(iso_table_hash(t, one, &err) == ISO_OK);
	if (iso_table_to_csv(t, &csv, &err) == ISO_OK) {
		FUZZ_CHECK(iso_table_parse_csv(csv.p, csv.n, "again", t->schema, &again, &err) ==
			   ISO_OK);
		FUZZ_CHECK(iso_table_hash(again, two, &err) == ISO_OK);
		FUZZ_CHECK(strcmp(one, two) == 0);
	}
	iso_table_free(again);
	iso_str_free(&csv);
	check_codec(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *text = (const char *)data, *cut = n ? memmem(text, n, "\n---\n", 5) : NULL;
	iso_schema *s = NULL;
	iso_table *t = NULL;
	iso_error err = {0};
	cJSON *v = NULL;
	size_t at;

	if (!cut)
		return 0;
	at = (size_t)(cut - text) + 5;
	if (iso_json_parse(text, at - 5, "input", &v, &err) == ISO_OK &&
	    iso_schema_from_json(v, "input", &s, &err) == ISO_OK && s->npixel < 100000 &&
	    iso_table_parse_csv(text + at, n - at, "input", s, &t, &err) == ISO_OK)
		check_table(t);
	cJSON_Delete(v);
	iso_table_free(t);
	iso_schema_free(s);
	return 0;
}
