// SPDX-License-Identifier: Apache-2.0
/* A record that is accepted has values that every table of a report can show: its own text passes
 * the digest, and Markdown, HTML, CSV and LaTeX are made of it. */
#include <string.h>

#include "reports/tables.h"
#include "results/record.h"
#include "tests/fuzz/fuzz.h"

static iso_status count(void *ctx, const cJSON *record, const iso_value *v, iso_error *err)
{
	size_t *n = ctx;

	(void)record;
	(void)err;
	FUZZ_CHECK(v->name && v->name[0]);
	++*n;
	return ISO_OK;
}

static void show(cJSON *record)
{
	iso_records all = {.v = &record, .n = 1};
	iso_aggregate a = {0};
	iso_rtables t = {0};
	iso_error err = {0};
	iso_str out = {0};

	FUZZ_CHECK(iso_aggregate_new(&all, &a, &err) == ISO_OK);
	FUZZ_CHECK(iso_tables_build(&a, &t, &err) == ISO_OK);
	for (size_t i = 0; i < t.n; i++) {
		iso_rtable_html(&a, &t.v[i], &out);
		iso_rtable_markdown(&t.v[i], &out);
		iso_rtable_csv(&t.v[i], &out);
		iso_rtable_latex(&t.v[i], &out);
	}
	FUZZ_CHECK(iso_summary_csv(&a, &out, &err) == ISO_OK);
	iso_str_free(&out);
	iso_tables_free(&t);
	iso_aggregate_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	iso_error err = {0};
	iso_str text = {0};
	cJSON *record = NULL;
	size_t values = 0;

	if (iso_record_check_digest((const char *)data, n, "input", &err) != ISO_OK)
		FUZZ_CHECK(err.text[0]);
	iso_error_clear(&err);
	if (iso_json_parse((const char *)data, n, "input", &record, &err) != ISO_OK)
		return 0;
	if (iso_record_check(record, "input", &err) == ISO_OK) {
		FUZZ_CHECK(iso_record_text(record, &text, &err) == ISO_OK);
		FUZZ_CHECK(iso_record_check_digest(text.p, text.n, "again", &err) == ISO_OK);
		FUZZ_CHECK(iso_record_values(record, count, &values, &err) == ISO_OK);
		show(record);
	}
	iso_str_free(&text);
	cJSON_Delete(record);
	return 0;
}
