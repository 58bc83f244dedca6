// SPDX-License-Identifier: Apache-2.0
/* Questions to a schema. */
#include <string.h>

#include "core/base/alloc.h"
#include "core/data/schema.h"

const char *const iso_type_names[ISO_TYPES] = {"continuous", "integer",	 "categorical",
					       "ordinal",    "binary",	 "latitude",
					       "longitude",  "sequence", "pixel"};
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
