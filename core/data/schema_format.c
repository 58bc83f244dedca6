// SPDX-License-Identifier: Apache-2.0
/* How the files of a schema are written: separators and dates. */
#include <string.h>

#include "core/base/alloc.h"
#include "core/data/date.h"
#include "core/data/schema_private.h"

/* A key whose value is one character of `allowed`; absent leaves *out. */
static iso_status read_char(const cJSON *v, const char *key, const char *allowed, char *out,
			    const char *where, iso_error *err)
{
	const char *text = NULL;

	ISO_TRY(iso_json_get_string(v, key, 0, &text, where, err));
	if (!text)
		return ISO_OK;
	ISO_FAIL_IF(strlen(text) != 1 || !strchr(allowed, *text), err, ISO_E_CONFIG,
		    "wrong format (%s: csv): \"%s\" must be one character of \"%s\" (got "
		    "\"%.20s\")",
		    where, key, strchr(allowed, '\t') ? ",;|\\t" : allowed, text);
	*out = *text;
	return ISO_OK;
}

iso_status iso_csv_format_read(const cJSON *v, const char *where, iso_csv_format *out,
			       iso_error *err)
{
	static const char *const keys[] = {"separator", "decimal", "comment", "trim", "row_names"};
	const cJSON *trim = cJSON_GetObjectItemCaseSensitive(v, "trim");
	const cJSON *names = cJSON_GetObjectItemCaseSensitive(v, "row_names");

	*out = (iso_csv_format){.name_first = 1};
	if (!v)
		return ISO_OK;
	ISO_FAIL_IF(!cJSON_IsObject(v), err, ISO_E_CONFIG,
		    "wrong type (%s): \"csv\" must be an object such as {\"separator\": \";\"}",
		    where);
	ISO_TRY(iso_json_only_keys(v, keys, ISO_COUNT(keys), where, err));
	ISO_TRY(read_char(v, "separator", ",;|\t", &out->separator, where, err));
	ISO_TRY(read_char(v, "decimal", ".,", &out->decimal, where, err));
	ISO_TRY(read_char(v, "comment", "#%;!", &out->comment, where, err));
	ISO_FAIL_IF(
		(trim && !cJSON_IsBool(trim)) || (names && !cJSON_IsBool(names)), err, ISO_E_CONFIG,
		"wrong type (%s: csv): \"trim\" and \"row_names\" must be true or false", where);
	out->trim = cJSON_IsTrue(trim);
	out->row_names = cJSON_IsTrue(names);
	ISO_FAIL_IF(out->separator && out->separator == out->comment, err, ISO_E_CONFIG,
		    "wrong format (%s: csv): the separator cannot begin a comment, too; change "
		    "one",
		    where);
	if (out->separator == ',')
		out->separator = 0;
	if (out->decimal == '.')
		out->decimal = 0;
	ISO_FAIL_IF(out->decimal == ',' && !out->separator, err, ISO_E_CONFIG,
		    "wrong format (%s: csv): decimal commas need another separator than the "
		    "comma; give \"separator\"",
		    where);
	return ISO_OK;
}

static int add_char(cJSON *v, const char *key, char c)
{
	return !c || cJSON_AddStringToObject(v, key, (char[]){c, 0}) != NULL;
}

int iso_csv_format_write(cJSON *schema, const iso_csv_format *f)
{
	cJSON *v;

	if (!f->separator && !f->decimal && !f->comment && !f->trim && !f->row_names)
		return 1;
	v = cJSON_AddObjectToObject(schema, "csv");
	return v && add_char(v, "separator", f->separator) && add_char(v, "decimal", f->decimal) &&
	       add_char(v, "comment", f->comment) &&
	       (!f->trim || cJSON_AddTrueToObject(v, "trim")) &&
	       (!f->row_names || cJSON_AddTrueToObject(v, "row_names"));
}

static int known_format(const char *name, int *format)
{
	for (int f = 0; f < ISO_DATE_FORMATS; f++)
		if (strcmp(name, iso_date_names[f]) == 0) {
			*format = f;
			return 1;
		}
	return 0;
}

iso_status iso_date_column_read(const cJSON *v, iso_column *c, const char *where, iso_error *err)
{
	const cJSON *b = cJSON_GetObjectItemCaseSensitive(v, "bounds");
	const cJSON *lo = cJSON_GetArrayItem(b, 0), *hi = cJSON_GetArrayItem(b, 1);
	const char *format = iso_date_names[0];

	ISO_TRY(iso_json_get_string(v, "format", 0, &format, where, err));
	ISO_FAIL_IF(!known_format(format, &c->date_format), err, ISO_E_CONFIG,
		    "wrong format (%s): \"%.40s\" is not a format of dates; use YYYY-MM-DD, "
		    "YYYY/MM/DD, DD.MM.YYYY, DD/MM/YYYY or MM/DD/YYYY",
		    where, format);
	ISO_FAIL_IF(!cJSON_IsArray(b) || cJSON_GetArraySize(b) != 2 || !cJSON_IsString(lo) ||
			    !cJSON_IsString(hi) ||
			    !iso_date_read(lo->valuestring, c->date_format, &c->lo) ||
			    !iso_date_read(hi->valuestring, c->date_format, &c->hi) ||
			    !(c->lo < c->hi),
		    err, ISO_E_CONFIG,
		    "wrong bounds (%s): a date column needs \"bounds\": [first, last], two dates "
		    "in the format %s, the first before the last; give public ones",
		    where, format);
	return ISO_OK;
}
