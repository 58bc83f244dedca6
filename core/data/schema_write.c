// SPDX-License-Identifier: Apache-2.0
/* A schema back to its JSON. */
#include "core/base/alloc.h"
#include "core/data/date.h"
#include "core/data/schema_private.h"

static int add_words(cJSON *obj, const char *key, char *const *words, size_t n)
{
	cJSON *list = cJSON_AddArrayToObject(obj, key);

	for (size_t i = 0; list && i < n; i++) {
		cJSON *w = cJSON_CreateString(words[i]);

		if (!w || !cJSON_AddItemToArray(list, w)) {
			cJSON_Delete(w);
			return 0;
		}
	}
	return list != NULL;
}

static int add_numbers(cJSON *obj, const char *key, const double *number, int n)
{
	cJSON *list = cJSON_AddArrayToObject(obj, key), *x;

	for (int i = 0; list && i < n; i++) {
		x = cJSON_CreateNumber(number[i]);
		if (!x || !cJSON_AddItemToArray(list, x)) {
			cJSON_Delete(x);
			return 0;
		}
	}
	return list != NULL;
}

static int add_dates(cJSON *v, const iso_column *c)
{
	char lo[16], hi[16];
	const char *const pair[2] = {lo, hi};
	cJSON *list;

	iso_date_text(c->lo, (iso_date_format)c->date_format, lo);
	iso_date_text(c->hi, (iso_date_format)c->date_format, hi);
	list = cJSON_CreateStringArray(pair, 2);
	if (!list || !cJSON_AddItemToObject(v, "bounds", list)) {
		cJSON_Delete(list);
		return 0;
	}
	return cJSON_AddStringToObject(v, "format", iso_date_names[c->date_format]) != NULL;
}

static int add_domain(cJSON *v, const iso_column *c)
{
	int good = 1;

	if (c->type == ISO_SEQUENCE && c->role != ISO_ID)
		good = add_numbers(v, "shape", (double[]){(double)c->width}, 1);
	if (iso_column_pixels(c))
		good = add_numbers(
			v, "shape",
			(double[]){(double)c->height, (double)c->width, (double)c->channels},
			c->channels > 1 ? 3 : 2);
	else if (c->type == ISO_DATE && !iso_is_dropped(c))
		good = add_dates(v, c);
	else if (!iso_is_dropped(c) && !iso_is_discrete(c))
		good = good && add_numbers(v, "bounds", (double[]){c->lo, c->hi}, 2);
	if (c->ncategory)
		good = good && add_words(v, "categories", c->category, c->ncategory);
	if (c->nmissing)
		good = good && add_words(v, "missing", c->missing, c->nmissing);
	if (c->decimals >= 0)
		good = good && cJSON_AddNumberToObject(v, "decimals", c->decimals) != NULL;
	if (c->positive >= 0)
		good = good &&
		       cJSON_AddStringToObject(v, "positive", c->category[c->positive]) != NULL;
	good = good && iso_outside_write(v, c);
	if (c->learned)
		good = good && cJSON_AddTrueToObject(v, "learned") != NULL;
	return good;
}

static cJSON *add_object(cJSON *list)
{
	cJSON *v = cJSON_CreateObject();

	if (v && cJSON_AddItemToArray(list, v))
		return v;
	cJSON_Delete(v);
	return NULL;
}

static int add_column(cJSON *list, const iso_column *c, const char *name)
{
	cJSON *v = add_object(list);

	return v && cJSON_AddStringToObject(v, "name", name) &&
	       cJSON_AddStringToObject(v, "type", iso_type_name(c->type)) &&
	       cJSON_AddStringToObject(v, "role", iso_role_name(c->role)) && add_domain(v, c);
}

/* The first step of each variable stands for the whole. */
static int add_sequence(cJSON *list, const iso_schema *s, const iso_series *q)
{
	cJSON *v, *variables;

	if (!q->variable) {
		if (!add_column(list, &s->column[q->first], q->name))
			return 0;
		v = cJSON_GetArrayItem(list, cJSON_GetArraySize(list) - 1);
		return !q->variable_length || cJSON_AddStringToObject(v, "length", "variable");
	}
	v = add_object(list);
	if (!v || !cJSON_AddStringToObject(v, "name", q->name) ||
	    !cJSON_AddStringToObject(v, "type", iso_type_name(ISO_SEQUENCE)) ||
	    !cJSON_AddStringToObject(v, "role", iso_role_name(ISO_FEATURE)) ||
	    !add_numbers(v, "shape", (double[]){(double)q->steps}, 1) ||
	    (q->variable_length && !cJSON_AddStringToObject(v, "length", "variable")))
		return 0;
	variables = cJSON_AddArrayToObject(v, "variables");
	for (size_t i = 0; variables && i < q->variables; i++)
		if (!add_column(variables, &s->column[q->first + i], q->variable[i]))
			return 0;
	return variables != NULL;
}

iso_status iso_schema_to_json(const iso_schema *s, cJSON **out, iso_error *err)
{
	cJSON *v = cJSON_CreateObject(), *list = NULL;
	int good = v && cJSON_AddStringToObject(v, "name", s->name) &&
		   cJSON_AddStringToObject(v, "title", s->title);

	*out = NULL;
	good = good && iso_csv_format_write(v, &s->csv) && iso_schema_release_write(v, &s->release);
	if (good)
		good = (list = cJSON_AddArrayToObject(v, "columns")) != NULL;
	for (size_t i = 0; good && i < s->ncol; i++) {
		const iso_column *c = &s->column[i];

		if (!c->sequence)
			good = add_column(list, c, c->name);
		else if (i == s->sequence[c->sequence - 1].first)
			good = add_sequence(list, s, &s->sequence[c->sequence - 1]);
	}
	if (!good) {
		cJSON_Delete(v);
		return iso_no_memory(err, "a schema");
	}
	*out = v;
	return ISO_OK;
}
