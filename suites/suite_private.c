// SPDX-License-Identifier: Apache-2.0
/* "schema": {"private": {..}} of a data set. */
#include <string.h>

#include "suites/suite_parts.h"

static iso_status read_types(iso_suite_place *p, const cJSON *types, iso_private_schema *q,
			     const char *where)
{
	iso_column_hint *hint;
	const cJSON *v;

	hint = iso_suite_room(p, (size_t)cJSON_GetArraySize(types), sizeof(*hint));
	if (!hint)
		return iso_no_memory(p->err, "a suite");
	cJSON_ArrayForEach(v, types)
	{
		ISO_FAIL_IF(!cJSON_IsString(v), p->err, ISO_E_CONFIG,
			    "wrong type (%s: types): \"%.80s\" must be \"continuous\", "
			    "\"integer\", \"categorical\" or \"id\"",
			    where, v->string);
		hint[q->nhint++] = (iso_column_hint){.name = v->string, .type = v->valuestring};
	}
	q->hint = hint;
	return ISO_OK;
}

/* One character of a list, or 0 without the key. */
static iso_status read_sign(const cJSON *v, const char *key, const char *known, char *out,
			    const char *where, iso_error *err)
{
	const char *text = NULL;

	ISO_TRY(iso_json_get_string(v, key, 0, &text, where, err));
	if (!text)
		return ISO_OK;
	ISO_FAIL_IF(strlen(text) != 1 || !strchr(known, *text), err, ISO_E_CONFIG,
		    "unknown sign (%s): \"%s\" is \"%.20s\"; use one of %s", where, key, text,
		    known);
	*out = *text;
	return ISO_OK;
}

iso_status iso_suite_private(iso_suite_place *p, const cJSON *v, iso_suite_dataset *d,
			     const char *where)
{
	static const char *const outer[] = {"private"};
	static const char *const keys[] = {"epsilon", "delta",	   "label",
					   "types",   "separator", "decimal"};
	const cJSON *o, *types;
	iso_private_schema *q;

	ISO_TRY(iso_json_only_keys(v, outer, ISO_COUNT(outer), where, p->err));
	ISO_TRY(iso_suite_object(v, "private", &o, where, p->err));
	ISO_FAIL_IF(!o, p->err, ISO_E_CONFIG,
		    "empty schema (%s): \"schema\" must be a file or {\"private\": {\"epsilon\": "
		    "..}}",
		    where);
	q = iso_suite_room(p, 1, sizeof(*q));
	if (!q)
		return iso_no_memory(p->err, "a suite");
	*q = (iso_private_schema){.epsilon = 0};
	ISO_TRY(iso_json_only_keys(o, keys, ISO_COUNT(keys), where, p->err));
	ISO_TRY(iso_json_get_number(o, "epsilon", 1, 1e-9, 1e6, &q->epsilon, where, p->err));
	ISO_TRY(iso_json_get_number(o, "delta", 0, 0, 0.4, &q->delta, where, p->err));
	ISO_TRY(iso_json_get_string(o, "label", 0, &q->label, where, p->err));
	ISO_TRY(read_sign(o, "separator", ",;|\t", &q->format.separator, where, p->err));
	ISO_TRY(read_sign(o, "decimal", ".,", &q->format.decimal, where, p->err));
	ISO_TRY(iso_suite_object(o, "types", &types, where, p->err));
	if (types)
		ISO_TRY(read_types(p, types, q, where));
	d->private_json = v;
	d->private_schema = q;
	return ISO_OK;
}
