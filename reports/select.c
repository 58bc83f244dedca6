// SPDX-License-Identifier: Apache-2.0
#include "reports/select.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

static const cJSON *get(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

/* The value of a term with this key, or NULL. */
static const char *term(const char *text, const char *key)
{
	const size_t n = strlen(key);

	return strncmp(text, key, n) == 0 && text[n] == '=' ? text + n + 1 : NULL;
}

iso_status iso_select_check(const iso_report_select *s, iso_error *err)
{
	static const char *const keys[] = {"dataset", "method", "epsilon", "value"};

	for (size_t i = 0; s && i < s->n; i++) {
		size_t k = 0;

		while (k < ISO_COUNT(keys) && !term(s->v[i], keys[k]))
			k++;
		ISO_FAIL_IF(k == ISO_COUNT(keys), err, ISO_E_USAGE,
			    "unknown selection (--select %s): it must be KEY=VALUE with KEY one of "
			    "dataset, method, epsilon, value",
			    s->v[i]);
	}
	return ISO_OK;
}

/* Terms of one key are alternatives; no term of it takes all. */
static int takes(const iso_report_select *s, const char *key, const char *text)
{
	int any = 0;

	for (size_t i = 0; s && i < s->n; i++) {
		const char *want = term(s->v[i], key);

		if (want && text && strcmp(want, text) == 0)
			return 1;
		any |= want != NULL;
	}
	return !any;
}

static int takes_number(const iso_report_select *s, const char *key, double x)
{
	int any = 0;

	for (size_t i = 0; s && i < s->n; i++) {
		const char *want = term(s->v[i], key);

		if (want && strtod(want, NULL) == x)
			return 1;
		any |= want != NULL;
	}
	return !any;
}

static const char *text_of(const cJSON *v)
{
	return cJSON_IsString(v) ? v->valuestring : NULL;
}

int iso_select_record(const iso_report_select *s, const cJSON *r)
{
	const cJSON *config = get(r, "config"), *epsilon = get(config, "epsilon");

	return takes(s, "dataset", text_of(get(get(config, "dataset"), "name"))) &&
	       takes(s, "method", text_of(get(r, "label"))) &&
	       takes_number(s, "epsilon",
			    cJSON_IsNumber(epsilon) ? epsilon->valuedouble : INFINITY);
}

int iso_select_value(const iso_report_select *s, const char *kind, const char *name)
{
	return (strcmp(kind, "metric") != 0 && strcmp(kind, "attack") != 0) ||
	       takes(s, "value", name);
}
