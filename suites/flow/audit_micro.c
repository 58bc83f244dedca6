// SPDX-License-Identifier: Apache-2.0
/* The smallest worlds: four equal rows and a record that differs in every column. */
#include "core/base/alloc.h"
#include "suites/flow/audit.h"
#include "suites/flow/verify.h"

#include <string.h>

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

/* Does the method take the schema? */
static iso_status admits(const iso_generator *g, iso_gen_env *env, iso_error *err)
{
	iso_table *open = NULL;
	iso_status st = ISO_OK;

	if (g->accepts & ISO_REQUIRES_PUBLIC)
		ISO_TRY(iso_verify_open_rows(env->schema, &open, err));
	env->public_rows = open;
	st = iso_generator_accepts(g, env, err);
	if (st == ISO_OK && g->check)
		st = g->check(env, err);
	iso_table_free(open);
	return st;
}

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
		st = admits(g, &env, err);
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

/* Sets option `key` of g to `value`, unless it has none of that name or it is given. */
static iso_status choose(const iso_generator *g, cJSON *values, const char *key, const char *value,
			 iso_str *note, iso_error *err)
{
	const iso_option *o = g->options;

	while (o->key && strcmp(o->key, key) != 0)
		o++;
	if (!o->key || cJSON_GetObjectItemCaseSensitive(values, key))
		return ISO_OK;
	if (!cJSON_AddStringToObject(values, key, value))
		return iso_no_memory(err, "options of an audit");
	iso_str_addf(note, "%s%s=%s", note->n ? " " : "", key, value);
	return ISO_OK;
}

iso_status iso_audit_shrink(const iso_generator *g, cJSON *values, iso_str *note, iso_error *err)
{
	ISO_TRY(iso_verify_shrink(g, values, note, err));
	/* four rows make two teachers */
	ISO_TRY(choose(g, values, "nearly_coins", "true", note, err));
	if (cJSON_GetObjectItemCaseSensitive(values, "nearly_coins"))
		ISO_TRY(choose(g, values, "teachers", "2", note, err));
	return ISO_OK;
}
