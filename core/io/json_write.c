// SPDX-License-Identifier: Apache-2.0
/* JSON text: canonical and pretty. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/io/json.h"

/* cJSON nests no deeper when it reads; what is built must be readable again. */
#define MAX_DEPTH 64

static int compare_members(const void *a, const void *b)
{
	return strcmp((*(const cJSON *const *)a)->string, (*(const cJSON *const *)b)->string);
}

/* Members sorted by key; *out NULL on failure. */
static iso_status sort_members(const cJSON *v, size_t n, const cJSON ***out, iso_error *err)
{
	size_t i = 0;

	*out = iso_alloc(n, sizeof(**out));
	if (!*out)
		return iso_no_memory(err, "the keys of a JSON object");
	for (const cJSON *c = v->child; c; c = c->next)
		(*out)[i++] = c;
	qsort(*out, n, sizeof(**out), compare_members);
	return ISO_OK;
}

static size_t count_items(const cJSON *v)
{
	size_t n = 0;

	for (const cJSON *c = v->child; c; c = c->next)
		n++;
	return n;
}

void iso_json_number_text(double x, char out[32])
{
	if (isnan(x) || isinf(x)) {
		const char *word = isnan(x) ? "nan" : x > 0 ? "inf" : "-inf";

		memcpy(out, word, strlen(word) + 1);
		return;
	}
	/* A normal double that comes from at most 15 digits is found by %.15g, which drops trailing
	 * zeros; subnormals carry fewer digits, so they start from one. */
	for (int digits = fabs(x) < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
		char text[32] = "";

		snprintf(text, sizeof(text), "%.*g", digits, x);
		memcpy(out, text, sizeof(text));
		if (strtod(text, NULL) == x)
			return;
	}
}

static void write_string(iso_str *out, const char *text)
{
	static const char letters[] = "btnvfr"; /* 8, 9, 10, (11), 12, 13 */

	iso_str_add(out, "\"");
	for (const char *p = text ? text : ""; *p;) {
		size_t plain = 0;
		unsigned char c;

		while ((unsigned char)p[plain] >= 0x20 && p[plain] != '"' && p[plain] != '\\')
			plain++;
		iso_str_addn(out, p, plain);
		p += plain;
		c = (unsigned char)*p;
		if (!c)
			break;
		if (c == '"' || c == '\\')
			iso_str_addf(out, "\\%c", c);
		else if (c >= 8 && c <= 13 && c != 11)
			iso_str_addf(out, "\\%c", letters[c - 8]);
		else
			iso_str_addf(out, "\\u%04x", c);
		p++;
	}
	iso_str_add(out, "\"");
}

static void write_number(iso_str *out, double x)
{
	char text[32];

	iso_json_number_text(x == 0 ? 0 : x, text); /* -0 equals 0: one text for both */
	iso_str_addf(out, isinf(x) ? "\"%s\"" : "%s", isnan(x) ? "null" : text);
}

static void write_break(iso_str *out, int indent)
{
	iso_str_add(out, "\n");
	for (int i = 0; i < indent; i++)
		iso_str_add(out, "\t");
}

/* Arrays of numbers, strings, booleans go on one line. */
static int is_flat(const cJSON *v)
{
	for (const cJSON *c = v->child; c; c = c->next)
		if (cJSON_IsObject(c) || cJSON_IsArray(c))
			return 0;
	return !cJSON_IsObject(v);
}

static iso_status write_value(iso_str *out, const cJSON *v, int pretty, int depth, iso_error *err);

static iso_status write_list(iso_str *out, const cJSON *v, int pretty, int depth, iso_error *err)
{
	int object = cJSON_IsObject(v), flat = pretty && is_flat(v);
	const cJSON **sorted = NULL;
	const cJSON *c = v->child;
	const size_t n = count_items(v);
	iso_status st = ISO_OK;

	if (object && !pretty)
		ISO_TRY(sort_members(v, n, &sorted, err));
	iso_str_add(out, object ? "{" : "[");
	for (size_t i = 0; i < n && st == ISO_OK; i++, c = c->next) {
		const cJSON *item = sorted ? sorted[i] : c;

		if (i)
			iso_str_add(out, flat ? ", " : ",");
		if (pretty && !flat)
			write_break(out, depth + 1);
		if (object) {
			write_string(out, item->string);
			iso_str_add(out, pretty ? ": " : ":");
		}
		st = write_value(out, item, pretty, depth + 1, err);
	}
	if (pretty && !flat && n)
		write_break(out, depth);
	iso_str_add(out, object ? "}" : "]");
	iso_free(sorted);
	return st;
}

static iso_status write_value(iso_str *out, const cJSON *v, int pretty, int depth, iso_error *err)
{
	if (depth > MAX_DEPTH)
		return iso_fail(
			err, ISO_E_INTERNAL,
			"cannot write JSON (depth): nested deeper than %d levels; report it",
			MAX_DEPTH);
	if (cJSON_IsObject(v) || cJSON_IsArray(v))
		return write_list(out, v, pretty, depth, err);
	if (cJSON_IsString(v))
		write_string(out, v->valuestring);
	else if (cJSON_IsNumber(v))
		write_number(out, v->valuedouble);
	else if (cJSON_IsBool(v))
		iso_str_add(out, cJSON_IsTrue(v) ? "true" : "false");
	else if (cJSON_IsNull(v))
		iso_str_add(out, "null");
	else
		return iso_fail(err, ISO_E_INTERNAL,
				"cannot write JSON (type): a value of no JSON type; report it");
	return ISO_OK;
}

iso_status iso_json_canonical(const cJSON *v, iso_str *out, iso_error *err)
{
	ISO_TRY(write_value(out, v, 0, 0, err));
	return iso_str_check(out, err);
}

iso_status iso_json_pretty(const cJSON *v, iso_str *out, iso_error *err)
{
	ISO_TRY(write_value(out, v, 1, 0, err));
	iso_str_add(out, "\n");
	return iso_str_check(out, err);
}
