// SPDX-License-Identifier: Apache-2.0
#include "core/io/jsonw.h"

#include <math.h>

#include "core/base/alloc.h"

cJSON *iso_jsonw_add(iso_jsonw *w, cJSON *parent, const char *key, cJSON *item)
{
	int added = 0;

	if (item && parent && !w->failed)
		added = key ? cJSON_AddItemToObject(parent, key, item)
			    : cJSON_AddItemToArray(parent, item);
	if (added)
		return item;
	cJSON_Delete(item);
	w->failed = 1;
	return NULL;
}

cJSON *iso_jsonw_put(iso_jsonw *w, cJSON *parent, const char *key, cJSON *item)
{
	if (!parent || !cJSON_GetObjectItemCaseSensitive(parent, key))
		return iso_jsonw_add(w, parent, key, item);
	if (item && !w->failed && cJSON_ReplaceItemInObjectCaseSensitive(parent, key, item))
		return item;
	cJSON_Delete(item);
	w->failed = 1;
	return NULL;
}

/* A root stands alone; anything else goes into its parent. */
static cJSON *place(iso_jsonw *w, cJSON *parent, const char *key, cJSON *item)
{
	if (parent || key || w->failed)
		return iso_jsonw_add(w, parent, key, item);
	w->failed = !item;
	return item;
}

cJSON *iso_jsonw_object(iso_jsonw *w, cJSON *parent, const char *key)
{
	return place(w, parent, key, cJSON_CreateObject());
}

cJSON *iso_jsonw_array(iso_jsonw *w, cJSON *parent, const char *key)
{
	return place(w, parent, key, cJSON_CreateArray());
}

void iso_jsonw_text(iso_jsonw *w, cJSON *parent, const char *key, const char *text)
{
	iso_jsonw_add(w, parent, key, text ? cJSON_CreateString(text) : cJSON_CreateNull());
}

cJSON *iso_jsonw_number_item(double x)
{
	if (isnan(x))
		return cJSON_CreateNull();
	if (isinf(x))
		return cJSON_CreateString(x > 0 ? "inf" : "-inf");
	return cJSON_CreateNumber(x);
}

void iso_jsonw_number(iso_jsonw *w, cJSON *parent, const char *key, double x)
{
	iso_jsonw_add(w, parent, key, iso_jsonw_number_item(x));
}

void iso_jsonw_numbers(iso_jsonw *w, cJSON *parent, const char *key, const double *x, size_t n)
{
	cJSON *list = iso_jsonw_array(w, parent, key);

	for (size_t i = 0; list && i < n; i++)
		iso_jsonw_number(w, list, NULL, x[i]);
}

void iso_jsonw_bool(iso_jsonw *w, cJSON *parent, const char *key, int value)
{
	iso_jsonw_add(w, parent, key, cJSON_CreateBool(value));
}

void iso_jsonw_copy(iso_jsonw *w, cJSON *parent, const char *key, const cJSON *value)
{
	if (value)
		iso_jsonw_add(w, parent, key, cJSON_Duplicate(value, 1));
}

iso_status iso_jsonw_check(const iso_jsonw *w, const char *what, iso_error *err)
{
	return w->failed ? iso_no_memory(err, what) : ISO_OK;
}

iso_status iso_jsonw_end(const iso_jsonw *w, cJSON *root, const char *what, cJSON **out,
			 iso_error *err)
{
	*out = NULL;
	if (w->failed || !root) {
		cJSON_Delete(root);
		return iso_no_memory(err, what);
	}
	*out = root;
	return ISO_OK;
}
