// SPDX-License-Identifier: Apache-2.0
/* Plug-ins with resolved options, and the part that each has in the keys of cells and judgements.
 */
#include <stdio.h>
#include <string.h>

#include "core/io/jsonw.h"
#include "results/record.h"
#include "suites/code.h"
#include "suites/plan.h"

/* Options of a plug-in: `base`, then the members of `over`. */
static iso_status resolve(const iso_option *table, size_t size, const cJSON *base,
			  const cJSON *over, const char *where, void **options, cJSON **resolved,
			  iso_error *err)
{
	static const iso_option none[] = {{0}};
	cJSON *values = base ? cJSON_Duplicate(base, 1) : cJSON_CreateObject();
	const cJSON *item;
	iso_status st;

	*options = NULL;
	*resolved = NULL;
	if (!values)
		return iso_no_memory(err, "options");
	cJSON_ArrayForEach(item, over)
	{
		cJSON *copy = cJSON_Duplicate(item, 1);

		cJSON_DeleteItemFromObjectCaseSensitive(values, item->string);
		if (!copy || !cJSON_AddItemToObject(values, item->string, copy)) {
			cJSON_Delete(copy);
			cJSON_Delete(values);
			return iso_no_memory(err, "options");
		}
	}
	*options = iso_alloc(1, size ? size : 1);
	if (!*options)
		st = iso_no_memory(err, "options");
	else
		st = iso_options_resolve(table ? table : none, values, where, *options, size,
					 resolved, err);
	cJSON_Delete(values);
	return st;
}

/* The canonical text of root, which is deleted. */
static iso_status canonical(const iso_jsonw *w, cJSON *root, char **out, iso_error *err)
{
	iso_str text = {0};
	cJSON *v;
	iso_status st;

	ISO_TRY(iso_jsonw_end(w, root, "a configuration", &v, err));
	st = iso_record_canonical(v, &text, err);
	cJSON_Delete(v);
	if (st != ISO_OK) {
		iso_str_free(&text);
		return st;
	}
	*out = text.p;
	return ISO_OK;
}

iso_status iso_setup_text(const iso_setup *s, const cJSON *options, char **out, iso_error *err)
{
	iso_jsonw w = {0};
	cJSON *o;
	char code[65];

	ISO_TRY(iso_code_hash("generators", s->generator->name, s->generator, code, err));
	o = iso_jsonw_object(&w, NULL, NULL);
	iso_jsonw_text(&w, o, "name", s->generator->name);
	iso_jsonw_number(&w, o, "version", s->generator->version);
	iso_jsonw_text(&w, o, "code", code);
	iso_jsonw_copy(&w, o, "options", options);
	return canonical(&w, o, out, err);
}

static iso_status describe_judge(const char *kind, const char *name, const void *descriptor,
				 uint32_t version, const char *label, const cJSON *options,
				 char **out, iso_error *err)
{
	iso_jsonw w = {0};
	cJSON *o;
	char code[65], kinds[16];

	snprintf(kinds, sizeof(kinds), "%ss", kind);
	ISO_TRY(iso_code_hash(kinds, name, descriptor, code, err));
	o = iso_jsonw_object(&w, NULL, NULL);
	iso_jsonw_text(&w, o, "kind", kind);
	iso_jsonw_text(&w, o, "label", label);
	iso_jsonw_text(&w, o, "name", name);
	iso_jsonw_number(&w, o, "version", version);
	iso_jsonw_text(&w, o, "code", code);
	iso_jsonw_copy(&w, o, "options", options);
	return canonical(&w, o, out, err);
}

iso_status iso_attack_setup_new(const iso_suite_item *item, const char *where,
				iso_attack_setup *out, iso_error *err)
{
	memset(out, 0, sizeof(*out));
	if (iso_attack_find(item->name, &out->attack, err) != ISO_OK)
		return iso_fail_context(err, "%s", where);
	out->label = item->label;
	ISO_TRY(resolve(out->attack->options, out->attack->options_size, item->options, NULL, where,
			&out->options, &out->resolved, err));
	return describe_judge("attack", out->attack->name, out->attack, out->attack->version,
			      out->label, out->resolved, &out->judge, err);
}

void iso_attack_setup_free(iso_attack_setup *s)
{
	iso_free(s->judge);
	iso_free(s->options);
	cJSON_Delete(s->resolved);
	memset(s, 0, sizeof(*s));
}

iso_status iso_metric_setup_new(const iso_suite_item *item, const char *where,
				iso_metric_setup *out, iso_error *err)
{
	memset(out, 0, sizeof(*out));
	if (iso_metric_find(item->name, &out->metric, err) != ISO_OK)
		return iso_fail_context(err, "%s", where);
	out->label = item->label;
	ISO_TRY(resolve(out->metric->options, out->metric->options_size, item->options, NULL, where,
			&out->options, &out->resolved, err));
	return describe_judge("metric", out->metric->name, out->metric, out->metric->version,
			      out->label, out->resolved, &out->judge, err);
}

void iso_metric_setup_free(iso_metric_setup *s)
{
	iso_free(s->judge);
	iso_free(s->options);
	cJSON_Delete(s->resolved);
	memset(s, 0, sizeof(*s));
}

iso_status iso_setup_new(const char *name, const cJSON *base, const cJSON *over, const char *where,
			 iso_setup *out, iso_error *err)
{
	memset(out, 0, sizeof(*out));
	if (iso_generator_find(name, &out->generator, err) != ISO_OK)
		return iso_fail_context(err, "%s", where);
	ISO_TRY(resolve(out->generator->options, out->generator->options_size, base, over, where,
			&out->options, &out->resolved, err));
	out->guarantee = iso_generator_guarantee(out->generator, out->options);
	out->used = 1;
	return ISO_OK;
}

void iso_setup_free(iso_setup *s)
{
	iso_free(s->options);
	cJSON_Delete(s->resolved);
	memset(s, 0, sizeof(*s));
}
