// SPDX-License-Identifier: Apache-2.0
/* "private" of a schema: what was paid for bounds and categories that were estimated from private
 * rows; and "outside", which such a schema needs, since rare values are not in it. */
#include <math.h>
#include <string.h>

#include "core/data/schema_private.h"

static iso_status read_costs(const cJSON *v, const char *key, iso_schema_cost *out,
			     const char *where, iso_error *err)
{
	static const char *const keys[] = {"count", "epsilon", "delta"};
	const cJSON *o = cJSON_GetObjectItemCaseSensitive(v, key);
	double count = 0;

	if (!o)
		return ISO_OK;
	ISO_FAIL_IF(!cJSON_IsObject(o), err, ISO_E_CONFIG,
		    "wrong type (%s): \"%s\" must be an object with count, epsilon and delta",
		    where, key);
	ISO_TRY(iso_json_only_keys(o, keys, ISO_COUNT(keys), where, err));
	ISO_TRY(iso_json_get_number(o, "count", 1, 1, 65536, &count, where, err));
	ISO_TRY(iso_json_get_number(o, "epsilon", 1, 1e-9, 1e6, &out->epsilon, where, err));
	ISO_TRY(iso_json_get_number(o, "delta", 0, 0, 0.5, &out->delta, where, err));
	ISO_FAIL_IF(count != floor(count), err, ISO_E_CONFIG,
		    "not a whole number (%s: %s): \"count\" is %g", where, key, count);
	out->count = (size_t)count;
	return ISO_OK;
}

static int close_to(double a, double b)
{
	return fabs(a - b) <= 1e-9 * fabs(b);
}

iso_status iso_schema_release_read(const cJSON *v, iso_schema_release *out, const char *where,
				   iso_error *err)
{
	static const char *const keys[] = {"epsilon", "delta", "adjacency",
					   "seeded",  "types", "columns"};
	const cJSON *seeded = cJSON_GetObjectItemCaseSensitive(v, "seeded");
	const char *adjacency = "add-remove";

	*out = (iso_schema_release){0};
	if (!v)
		return ISO_OK;
	ISO_FAIL_IF(!cJSON_IsObject(v), err, ISO_E_CONFIG,
		    "wrong type (%s): \"private\" must be an object as `schema infer --private` "
		    "writes it",
		    where);
	ISO_TRY(iso_json_only_keys(v, keys, ISO_COUNT(keys), where, err));
	ISO_TRY(iso_json_get_number(v, "epsilon", 1, 1e-9, 1e6, &out->epsilon, where, err));
	ISO_TRY(iso_json_get_number(v, "delta", 1, 0, 0.5, &out->delta, where, err));
	ISO_TRY(iso_json_get_string(v, "adjacency", 0, &adjacency, where, err));
	out->replace_one = strcmp(adjacency, "replace-one") == 0;
	ISO_FAIL_IF(!out->replace_one && strcmp(adjacency, "add-remove") != 0, err, ISO_E_CONFIG,
		    "unknown adjacency (%s): \"%.40s\"; use add-remove or replace-one", where,
		    adjacency);
	ISO_FAIL_IF(seeded && !cJSON_IsBool(seeded), err, ISO_E_CONFIG,
		    "wrong type (%s): \"seeded\" must be true or false", where);
	out->seeded = cJSON_IsTrue(seeded);
	ISO_TRY(read_costs(v, "types", &out->types, where, err));
	ISO_TRY(read_costs(v, "columns", &out->columns, where, err));
	ISO_FAIL_IF(out->columns.count == 0 ||
			    !close_to((double)out->types.count * out->types.epsilon +
					      (double)out->columns.count * out->columns.epsilon,
				      out->epsilon) ||
			    !((double)out->columns.count * out->columns.delta <=
			      out->delta * (1 + 1e-9)) ||
			    out->types.delta > 0,
		    err, ISO_E_CONFIG,
		    "the parts do not add up (%s): \"types\" and \"columns\" must cost the epsilon "
		    "and the delta of the whole; restore what `schema infer --private` wrote",
		    where);
	return ISO_OK;
}

static int write_costs(cJSON *v, const char *key, const iso_schema_cost *c)
{
	cJSON *o;

	if (!c->count)
		return 1;
	o = cJSON_AddObjectToObject(v, key);
	return o && cJSON_AddNumberToObject(o, "count", (double)c->count) &&
	       cJSON_AddNumberToObject(o, "epsilon", c->epsilon) &&
	       (c->delta == 0 || cJSON_AddNumberToObject(o, "delta", c->delta));
}

int iso_schema_release_write(cJSON *schema, const iso_schema_release *r)
{
	cJSON *v;

	if (!r->columns.count)
		return 1;
	v = cJSON_AddObjectToObject(schema, "private");
	return v && cJSON_AddNumberToObject(v, "epsilon", r->epsilon) &&
	       cJSON_AddNumberToObject(v, "delta", r->delta) &&
	       cJSON_AddStringToObject(v, "adjacency",
				       r->replace_one ? "replace-one" : "add-remove") &&
	       (!r->seeded || cJSON_AddTrueToObject(v, "seeded")) &&
	       write_costs(v, "types", &r->types) && write_costs(v, "columns", &r->columns);
}

iso_status iso_outside_read(const cJSON *v, iso_column *c, const char *where, iso_error *err)
{
	const char *text = NULL;

	ISO_TRY(iso_json_get_string(v, "outside", 0, &text, where, err));
	if (!text)
		return ISO_OK;
	ISO_FAIL_IF(iso_is_dropped(c) || c->type > ISO_LONGITUDE, err, ISO_E_CONFIG,
		    "needless key (%s): only columns of numbers and of categories have "
		    "\"outside\"; remove it",
		    where);
	if (!iso_is_discrete(c)) {
		ISO_FAIL_IF(strcmp(text, "clip") != 0, err, ISO_E_CONFIG,
			    "unknown word (%s): \"outside\" of a column of numbers is \"clip\"",
			    where);
		c->outside = 1;
		return ISO_OK;
	}
	for (size_t i = 0; i < c->ncategory; i++)
		if (strcmp(c->category[i], text) == 0)
			c->outside = i + 1;
	ISO_FAIL_IF(c->outside == 0, err, ISO_E_CONFIG,
		    "unknown category (%s): \"outside\" is \"%.80s\", which is not in "
		    "\"categories\"; correct it",
		    where, text);
	return ISO_OK;
}

int iso_outside_write(cJSON *column, const iso_column *c)
{
	return !c->outside ||
	       cJSON_AddStringToObject(column, "outside",
				       iso_is_discrete(c) ? c->category[c->outside - 1] : "clip");
}

/* The nearest value that the column allows; the middle of the bounds for a text. */
double iso_outside_value(const iso_column *c, int is_number, double x)
{
	if (iso_is_discrete(c))
		return (double)(c->outside - 1);
	if (!is_number)
		x = c->lo / 2 + c->hi / 2;
	if (c->type == ISO_INTEGER)
		x = rint(x);
	return fmin(fmax(x, c->lo), c->hi) + 0.0;
}
