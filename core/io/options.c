// SPDX-License-Identifier: Apache-2.0
#include "core/io/options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/io/json.h"

#define EXACT_MAX 9007199254740992.0 /* 2^53: above it a double skips integers */
#define MAX_OPTIONS 128

static const char *kind_word(iso_option_kind k)
{
	static const char *const words[] = {"an integer",	  "a number", "true or false",
					    "one of its choices", "text",     "a list of integers"};

	return words[k];
}

/* The choice list without its bars, for messages: "sound|paper" as it stands is clear enough. */
static iso_status wrong_value(const iso_option *o, const char *text, const char *where,
			      iso_error *err)
{
	if (o->kind == ISO_OPTION_ENUM)
		return iso_fail(
			err, ISO_E_CONFIG,
			"wrong option value (%s): %s is \"%.80s\", expected one of %s; choose one",
			where, o->key, text, o->choices);
	if (o->kind == ISO_OPTION_STRING)
		return iso_fail(err, ISO_E_CONFIG,
				"wrong option value (%s): %s is longer than %d bytes; shorten it",
				where, o->key, ISO_OPT_TEXT_MAX - 1);
	return iso_fail(err, ISO_E_CONFIG,
			"wrong option value (%s): %s is \"%.80s\", expected %s; correct it", where,
			o->key, text, kind_word(o->kind));
}

static iso_status in_range(const iso_option *o, double x, const char *where, iso_error *err)
{
	char a[32], b[32], c[32];

	if (x >= o->lo && x <= o->hi)
		return ISO_OK;
	iso_json_number_text(x, a);
	iso_json_number_text(o->lo, b);
	iso_json_number_text(o->hi, c);
	return iso_fail(err, ISO_E_CONFIG,
			"option out of range (%s): %s is %s, allowed is %s to %s; choose another",
			where, o->key, a, b, c);
}

/* "30000", "3e4" and "30000.0" are the same integer; anything with a fraction is none. 1 on
 * success. */
static int text_to_int(const char *text, int64_t *out)
{
	char *end = NULL;
	long long i;
	double x;

	if (!*text || strchr(" \t\n\r\f\v", *text) || strpbrk(text, "xX"))
		return 0;
	i = strtoll(text, &end, 10);
	if (*end == 0 && i > INT64_MIN && i < INT64_MAX) {
		*out = i;
		return 1;
	}
	x = strtod(text, &end);
	if (*end || !(fabs(x) <= EXACT_MAX) || x != floor(x))
		return 0;
	*out = (int64_t)x;
	return 1;
}

static int text_to_real(const char *text, double *out)
{
	char *end = NULL;

	if (!*text || strchr(" \t\n\r\f\v", *text) || strpbrk(text, "xX"))
		return 0;
	*out = strtod(text, &end);
	return *end == 0 && !isnan(*out);
}

static int text_to_bool(const char *text, int *out)
{
	static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};

	for (size_t i = 0; i < ISO_COUNT(words); i++)
		if (strcmp(text, words[i]) == 0) {
			*out = (int)(i & 1);
			return 1;
		}
	return 0;
}

static int choice_index(const char *choices, const char *text, int *out)
{
	size_t n = strlen(text);
	int index = 0;

	for (const char *p = choices; p; p = strchr(p, '|'), index++) {
		p += *p == '|';
		if (strncmp(p, text, n) == 0 && (p[n] == '|' || p[n] == 0) && n > 0 &&
		    !strchr(text, '|')) {
			*out = index;
			return 1;
		}
	}
	return 0;
}

static iso_status put_int(const iso_option *o, int64_t x, char *at, const char *where,
			  iso_error *err)
{
	ISO_TRY(in_range(o, (double)x, where, err));
	memcpy(at, &x, sizeof(x));
	return ISO_OK;
}

static iso_status put_list_text(const iso_option *o, const char *text, char *at, const char *where,
				iso_error *err)
{
	int64_t list[ISO_OPT_LIST_MAX + 1] = {0};
	const char *p = text;

	while (*p) {
		size_t n = strcspn(p, ",");
		char one[32];

		if (n == 0 || n >= sizeof(one) || list[0] == ISO_OPT_LIST_MAX ||
		    (p[n] == ',' && !p[n + 1]))
			return wrong_value(o, text, where, err);
		memcpy(one, p, n);
		one[n] = 0;
		list[0]++;
		if (!text_to_int(one, &list[list[0]]))
			return wrong_value(o, text, where, err);
		ISO_TRY(in_range(o, (double)list[list[0]], where, err));
		p += n + (p[n] == ',');
	}
	memcpy(at, list, sizeof(list));
	return ISO_OK;
}

/* A value as typed on the command line, or as the table's default. */
static iso_status put_text(const iso_option *o, const char *text, char *at, const char *where,
			   iso_error *err)
{
	int64_t i;
	double x;
	int b;

	switch (o->kind) {
	case ISO_OPTION_INT:
		return text_to_int(text, &i) ? put_int(o, i, at, where, err)
					     : wrong_value(o, text, where, err);
	case ISO_OPTION_REAL:
		if (!text_to_real(text, &x))
			return wrong_value(o, text, where, err);
		ISO_TRY(in_range(o, x, where, err));
		memcpy(at, &x, sizeof(x));
		return ISO_OK;
	case ISO_OPTION_BOOL:
	case ISO_OPTION_ENUM:
		if (o->kind == ISO_OPTION_BOOL ? !text_to_bool(text, &b)
					       : !choice_index(o->choices, text, &b))
			return wrong_value(o, text, where, err);
		memcpy(at, &b, sizeof(b));
		return ISO_OK;
	case ISO_OPTION_STRING:
		if (strlen(text) >= ISO_OPT_TEXT_MAX)
			return wrong_value(o, text, where, err);
		memset(at, 0, ISO_OPT_TEXT_MAX);
		memcpy(at, text, strlen(text));
		return ISO_OK;
	case ISO_OPTION_INTS:
		return put_list_text(o, text, at, where, err);
	}
	return iso_fail(err, ISO_E_INTERNAL, "unknown option kind (%s): %s; report it", where,
			o->key);
}

static iso_status put_array(const iso_option *o, const cJSON *v, char *at, const char *where,
			    iso_error *err)
{
	int64_t list[ISO_OPT_LIST_MAX + 1] = {0};

	if (o->kind != ISO_OPTION_INTS || cJSON_GetArraySize(v) > ISO_OPT_LIST_MAX)
		return iso_fail(
			err, ISO_E_CONFIG,
			"wrong option value (%s): %s is a list of %d, expected %s%s; correct it",
			where, o->key, cJSON_GetArraySize(v), kind_word(o->kind),
			o->kind == ISO_OPTION_INTS ? " (at most 15)" : "");
	for (const cJSON *c = v->child; c; c = c->next) {
		double x = cJSON_IsNumber(c) ? c->valuedouble : NAN;

		if (!(fabs(x) <= EXACT_MAX) || x != floor(x))
			return wrong_value(o, "a list with something else", where, err);
		ISO_TRY(in_range(o, x, where, err));
		list[++list[0]] = (int64_t)x;
	}
	memcpy(at, list, sizeof(list));
	return ISO_OK;
}

static iso_status put_json(const iso_option *o, const cJSON *v, char *at, const char *where,
			   iso_error *err)
{
	char text[32];

	if (cJSON_IsString(v))
		return put_text(o, v->valuestring, at, where, err);
	if (cJSON_IsArray(v))
		return put_array(o, v, at, where, err);
	if (cJSON_IsBool(v) && o->kind == ISO_OPTION_BOOL) {
		int b = cJSON_IsTrue(v);

		memcpy(at, &b, sizeof(b));
		return ISO_OK;
	}
	if (cJSON_IsNumber(v) && o->kind != ISO_OPTION_BOOL && o->kind != ISO_OPTION_ENUM &&
	    o->kind != ISO_OPTION_STRING) {
		if (o->kind != ISO_OPTION_REAL && fabs(v->valuedouble) > EXACT_MAX)
			return iso_fail(err, ISO_E_CONFIG,
					"wrong option value (%s): %s is above 2^53, where JSON "
					"numbers skip integers; write it "
					"as a string",
					where, o->key);
		iso_json_number_text(v->valuedouble, text);
		return put_text(o, text, at, where, err);
	}
	if (cJSON_IsNumber(v))
		iso_json_number_text(v->valuedouble, text);
	else
		snprintf(text, sizeof(text), "%s",
			 cJSON_IsBool(v)   ? (cJSON_IsTrue(v) ? "true" : "false")
			 : cJSON_IsNull(v) ? "null"
					   : "an object");
	return wrong_value(o, text, where, err);
}

static iso_status unknown_key(const iso_option *table, const char *key, const char *where,
			      iso_error *err)
{
	const char *words[MAX_OPTIONS], *near;
	size_t n = 0;

	while (table[n].key && n < MAX_OPTIONS) {
		words[n] = table[n].key;
		n++;
	}
	near = iso_nearest_word(key, words, n);
	if (near)
		return iso_fail(err, ISO_E_CONFIG,
				"unknown option (%s): \"%.80s\" is not an option of it; did you "
				"mean \"%s\"?",
				where, key, near);
	return iso_fail(err, ISO_E_CONFIG,
			"unknown option (%s): \"%.80s\" is not an option of it; %s", where, key,
			n ? "see its description for the list" : "it has none, remove the option");
}

static const iso_option *lookup(const iso_option *table, const char *key)
{
	for (const iso_option *o = table; o->key; o++)
		if (strcmp(o->key, key) == 0)
			return o;
	return NULL;
}

static cJSON *int_json(int64_t x)
{
	char text[32];

	if (fabs((double)x) <= EXACT_MAX)
		return cJSON_CreateNumber((double)x);
	snprintf(text, sizeof(text), "%lld", (long long)x);
	return cJSON_CreateString(text);
}

static cJSON *list_json(const int64_t *list)
{
	cJSON *array = cJSON_CreateArray();

	for (int64_t i = 1; array && i <= list[0]; i++) {
		cJSON *x = int_json(list[i]);

		if (!x || !cJSON_AddItemToArray(array, x)) {
			cJSON_Delete(x);
			cJSON_Delete(array);
			return NULL;
		}
	}
	return array;
}

static cJSON *choice_json(const char *choices, int index)
{
	const char *p = choices;
	char text[64];

	while (index-- > 0 && (p = strchr(p, '|')) != NULL)
		p++;
	snprintf(text, sizeof(text), "%.*s", p ? (int)strcspn(p, "|") : 0, p ? p : "");
	return cJSON_CreateString(text);
}

/* The resolved value at `at`, NULL if there is no memory. */
static cJSON *value_json(const iso_option *o, const char *at)
{
	char text[32];
	int64_t i;
	double x;
	int b;

	switch (o->kind) {
	case ISO_OPTION_INT:
		memcpy(&i, at, sizeof(i));
		return int_json(i);
	case ISO_OPTION_REAL:
		memcpy(&x, at, sizeof(x));
		if (isnan(x))
			return cJSON_CreateNull();
		if (isfinite(x))
			return cJSON_CreateNumber(x);
		iso_json_number_text(x, text);
		return cJSON_CreateString(text);
	case ISO_OPTION_BOOL:
		memcpy(&b, at, sizeof(b));
		return cJSON_CreateBool(b);
	case ISO_OPTION_ENUM:
		memcpy(&b, at, sizeof(b));
		return choice_json(o->choices, b);
	case ISO_OPTION_STRING:
		return cJSON_CreateString(at);
	case ISO_OPTION_INTS:
		return list_json((const int64_t *)(const void *)at);
	}
	return NULL;
}

iso_status iso_options_values(const iso_option *table, const void *options, cJSON **out,
			      iso_error *err)
{
	cJSON *object = cJSON_CreateObject();

	for (const iso_option *o = table; object && o->key; o++) {
		cJSON *v = value_json(o, (const char *)options + o->offset);

		if (!v || !cJSON_AddItemToObject(object, o->key, v)) {
			cJSON_Delete(v);
			cJSON_Delete(object);
			object = NULL;
			break;
		}
	}
	*out = object;
	return object ? ISO_OK : iso_no_memory(err, "the resolved options");
}

static iso_status apply(const iso_option *table, const cJSON *values, const char *where, char *out,
			iso_error *err)
{
	int seen[MAX_OPTIONS] = {0};

	if (values && !cJSON_IsObject(values) && !cJSON_IsNull(values))
		return iso_fail(err, ISO_E_CONFIG,
				"wrong type (%s): options must be a JSON object; correct it",
				where);
	for (const cJSON *v = values ? values->child : NULL; v; v = v->next) {
		const iso_option *o = lookup(table, v->string);

		if (!o)
			return unknown_key(table, v->string, where, err);
		if (o - table < MAX_OPTIONS && seen[o - table]++)
			return iso_fail(err, ISO_E_CONFIG, "option given twice (%s): %s; keep one",
					where, o->key);
		/* null for a number: settled by calibration, so the default */
		if (!cJSON_IsNull(v) || o->kind != ISO_OPTION_REAL)
			ISO_TRY(put_json(o, v, out + o->offset, where, err));
	}
	return ISO_OK;
}

iso_status iso_options_resolve(const iso_option *table, const cJSON *values, const char *where,
			       void *out, size_t size, cJSON **resolved, iso_error *err)
{
	if (resolved)
		*resolved = NULL;
	memset(out, 0, size);
	for (const iso_option *o = table; o->key; o++) {
		iso_error inner = {0};

		if (o->offset >= size ||
		    put_text(o, o->def, (char *)out + o->offset, where, &inner) != ISO_OK)
			return iso_fail(
				err, ISO_E_INTERNAL,
				"bad option table (%s): the default of %s is invalid: %.200s; "
				"report it",
				where, o->key, inner.text);
	}
	ISO_TRY(apply(table, values, where, out, err));
	return resolved ? iso_options_values(table, out, resolved, err) : ISO_OK;
}

iso_status iso_options_set(cJSON *values, const char *assignment, iso_error *err)
{
	const char *equals = strchr(assignment, '=');
	char key[ISO_OPT_TEXT_MAX];

	if (!equals || equals == assignment || (size_t)(equals - assignment) >= sizeof(key))
		return iso_fail(
			err, ISO_E_USAGE,
			"malformed option (--set %.80s): expected KEY=VALUE; write --set KEY=VALUE",
			assignment);
	memcpy(key, assignment, (size_t)(equals - assignment));
	key[equals - assignment] = 0;
	if (cJSON_GetObjectItemCaseSensitive(values, key))
		return iso_fail(err, ISO_E_USAGE,
				"option given twice (--set %s): it already has a value; keep one",
				key);
	return cJSON_AddStringToObject(values, key, equals + 1) ? ISO_OK
								: iso_no_memory(err, "an option");
}

static const char *type_name(iso_option_kind k)
{
	static const char *const names[] = {"integer", "real",	 "boolean",
					    "enum",    "string", "integers"};

	return names[k];
}

static int has_range(const iso_option *o)
{
	return o->kind == ISO_OPTION_INT || o->kind == ISO_OPTION_REAL ||
	       o->kind == ISO_OPTION_INTS;
}

void iso_options_describe(const iso_option *table, iso_str *out)
{
	if (!table->key)
		iso_str_add(out, "  (no options)\n");
	for (const iso_option *o = table; o->key; o++) {
		char lo[32], hi[32];

		iso_json_number_text(o->lo, lo);
		iso_json_number_text(o->hi, hi);
		iso_str_addf(out, "  %s=%s  (", o->key, o->def);
		if (o->kind == ISO_OPTION_ENUM)
			iso_str_add(out, o->choices);
		else if (has_range(o))
			iso_str_addf(out, "%s, %s to %s", type_name(o->kind), lo, hi);
		else
			iso_str_add(out, type_name(o->kind));
		iso_str_addf(out, ")\n      %s\n", o->help);
	}
}

static int describe_one(cJSON *array, const iso_option *o)
{
	cJSON *v = cJSON_CreateObject();
	int good = v && cJSON_AddItemToArray(array, v);

	if (!good) {
		cJSON_Delete(v);
		return 0;
	}
	good = cJSON_AddStringToObject(v, "key", o->key) &&
	       cJSON_AddStringToObject(v, "type", type_name(o->kind)) &&
	       cJSON_AddStringToObject(v, "default", o->def);
	if (good && o->kind == ISO_OPTION_ENUM)
		good = cJSON_AddStringToObject(v, "choices", o->choices) != NULL;
	if (good && has_range(o))
		good = iso_json_add_number(v, "min", o->lo) && iso_json_add_number(v, "max", o->hi);
	return good && cJSON_AddStringToObject(v, "help", o->help);
}

cJSON *iso_options_json(const iso_option *table)
{
	cJSON *array = cJSON_CreateArray();

	for (const iso_option *o = table; array && o->key; o++)
		if (!describe_one(array, o)) {
			cJSON_Delete(array);
			return NULL;
		}
	return array;
}
