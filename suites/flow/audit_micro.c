// SPDX-License-Identifier: Apache-2.0
/* The smallest worlds: four equal rows and a record that differs in every column. */
#include "core/base/alloc.h"
#include "suites/flow/audit.h"

static const char *const micro[] = {
	"{\"name\":\"micro\",\"columns\":["
	"{\"name\":\"a\",\"type\":\"binary\",\"categories\":[\"0\",\"1\"]},"
	"{\"name\":\"b\",\"type\":\"binary\",\"categories\":[\"0\",\"1\"]},"
	"{\"name\":\"c\",\"type\":\"binary\",\"role\":\"label\",\"categories\":[\"0\",\"1\"],"
	"\"positive\":\"1\"}]}",
	"{\"name\":\"micro\",\"columns\":["
	"{\"name\":\"a\",\"type\":\"binary\",\"categories\":[\"0\",\"1\"]},"
	"{\"name\":\"b\",\"type\":\"binary\",\"categories\":[\"0\",\"1\"]},"
	"{\"name\":\"c\",\"type\":\"binary\",\"categories\":[\"0\",\"1\"]}]}"};

static iso_status micro_schema(const iso_generator *g, const void *options, iso_schema **out,
			       iso_error *err)
{
	iso_status st = ISO_OK;

	for (size_t i = 0; i < ISO_COUNT(micro); i++) {
		cJSON *v = cJSON_Parse(micro[i]);
		iso_gen_env env = {.n = 4, .options = options, .epsilon = 1, .delta = 1e-5};

		if (!v)
			return iso_no_memory(err, "a schema");
		st = iso_schema_from_json(v, "micro", out, err);
		cJSON_Delete(v);
		ISO_TRY(st);
		env.schema = *out;
		st = iso_generator_accepts(g, &env, err);
		if (st == ISO_OK && g->check)
			st = g->check(&env, err);
		if (st == ISO_OK)
			return ISO_OK;
		iso_schema_free(*out);
		*out = NULL;
		if (i + 1 < ISO_COUNT(micro))
			iso_error_clear(err);
	}
	return st;
}

iso_status iso_audit_micro(const iso_generator *g, const void *options, iso_schema **schema,
			   iso_table **table, iso_table **target, iso_error *err)
{
	*table = *target = NULL;
	*schema = NULL;
	ISO_TRY(micro_schema(g, options, schema, err));
	ISO_TRY(iso_table_new(*schema, 4, table, err));
	ISO_TRY(iso_table_new(*schema, 1, target, err));
	for (size_t j = 0; j < (*schema)->ncol; j++)
		(*target)->cells[j] = 1;
	for (size_t i = 0; i < 4; i++)
		(*table)->id[i] = i;
	return ISO_OK;
}
