// SPDX-License-Identifier: Apache-2.0
/* Questions to a schema. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/data/date.h"
#include "core/data/table.h"

const char *const iso_type_names[ISO_TYPES] = {"continuous", "integer",	 "categorical", "ordinal",
					       "binary",     "latitude", "longitude",	"sequence",
					       "pixel",	     "date"};
const char *const iso_role_names[ISO_ROLES] = {"feature", "label", "id", "client"};

const char *iso_type_name(iso_type t)
{
	return (size_t)t < ISO_TYPES ? iso_type_names[t] : "?";
}

int iso_is_discrete(const iso_column *c)
{
	return c->type == ISO_CATEGORICAL || c->type == ISO_ORDINAL || c->type == ISO_BINARY;
}

int iso_schema_find(const iso_schema *s, const char *name)
{
	for (size_t i = 0; i < s->ncol; i++)
		if (strcmp(s->column[i].name, name) == 0)
			return (int)i;
	return -1;
}

int iso_is_whole(const iso_column *c)
{
	return c->type == ISO_INTEGER || c->type == ISO_DATE || c->type == ISO_PIXEL;
}

int iso_is_dropped(const iso_column *c)
{
	return c->role == ISO_ID || c->role == ISO_CLIENT;
}

size_t iso_column_pixels(const iso_column *c)
{
	return c->type == ISO_PIXEL && !iso_is_dropped(c) ? c->height * c->width * c->channels : 0;
}

const char *iso_role_name(iso_role r)
{
	return (size_t)r < ISO_ROLES ? iso_role_names[r] : "?";
}

size_t iso_schema_classes(const iso_schema *s)
{
	return s->label >= 0 && iso_is_discrete(&s->column[s->label])
		       ? s->column[s->label].ncategory
		       : 0;
}

int iso_number_read(const char *text, char decimal, double *x)
{
	char copy[64], *end = NULL, *comma;
	const size_t n = strlen(text);

	if (n == 0 || text[strspn(text, decimal == ',' ? "0123456789+-,eE" : "0123456789+-.eE")])
		return 0;
	if (decimal == ',') {
		if (n >= sizeof(copy))
			return 0;
		memcpy(copy, text, n + 1);
		comma = strchr(copy, ',');
		if (comma)
			*comma = '.';
		text = copy;
	}
	*x = strtod(text, &end);
	return *end == 0 && isfinite(*x);
}

void iso_bound_text(const iso_column *c, double x, char text[32])
{
	if (c->type == ISO_DATE)
		iso_date_text(x, (iso_date_format)c->date_format, text);
	else
		iso_json_number_text(x, text);
}
