// SPDX-License-Identifier: Apache-2.0
/* Suite files: "published", figures of papers that the report sets beside the measured ones. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "suites/suite_parts.h"

static iso_status known_label(iso_suite_place *p, const char *key, const char *text,
			      const char *where)
{
	const iso_suite *s = p->s;
	const int of_data = strcmp(key, "dataset") == 0;
	int found = of_data && iso_suite_find_dataset(s, text) != SIZE_MAX;

	for (size_t i = 0; !of_data && i < s->ngenerator; i++)
		found |= strcmp(s->generator[i].label, text) == 0;
	ISO_FAIL_IF(!found, p->err, ISO_E_CONFIG,
		    "unknown label (%s): \"%s\" is \"%s\", which the suite does not list; use the "
		    "label of one of its %ss",
		    where, key, text, of_data ? "data set" : "generator");
	return ISO_OK;
}

static iso_status read_one(iso_suite_place *p, const cJSON *o, size_t i)
{
	static const char *const keys[] = {"dataset", "generator", "epsilon",
					   "value",   "published", "source"};
	static const char *const texts[] = {"dataset", "generator", "value", "source"};
	char where[ISO_WHERE_MAX];
	const char *text = NULL;
	double x = 0;

	snprintf(where, sizeof(where), "%.200s: published[%zu]", p->file, i);
	ISO_FAIL_IF(!cJSON_IsObject(o), p->err, ISO_E_CONFIG,
		    "wrong type (%s): an object {...} is expected", where);
	ISO_TRY(iso_json_only_keys(o, keys, ISO_COUNT(keys), where, p->err));
	for (size_t k = 0; k < ISO_COUNT(texts); k++) {
		ISO_TRY(iso_json_get_string(o, texts[k], 1, &text, where, p->err));
		if (k < 2)
			ISO_TRY(known_label(p, texts[k], text, where));
	}
	ISO_TRY(iso_json_get_number(o, "epsilon", 0, 1e-6, 1e6, &x, where, p->err));
	return iso_json_get_number(o, "published", 1, -1e15, 1e15, &x, where, p->err);
}

iso_status iso_suite_published(iso_suite_place *p)
{
	const cJSON *list, *o;
	size_t n, i = 0;

	ISO_TRY(iso_suite_list(p->s->root, "published", &list, &n, p->file, p->err));
	cJSON_ArrayForEach(o, list) ISO_TRY(read_one(p, o, i++));
	p->s->published = n ? list : NULL;
	return ISO_OK;
}
