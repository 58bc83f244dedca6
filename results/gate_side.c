// SPDX-License-Identifier: Apache-2.0
/* One side of a gate: records as settings, and the file of a baseline. */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/io/file.h"
#include "core/io/jsonw.h"
#include "results/gate_parts.h"

#define LIMIT (256u << 20) /* bytes of a baseline */

const cJSON *iso_gate_get(const cJSON *obj, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(obj, key);
}

const char *iso_gate_string(const cJSON *obj, const char *key)
{
	const char *t = cJSON_GetStringValue(iso_gate_get(obj, key));

	return t ? t : "";
}

double iso_gate_number(const cJSON *v)
{
	if (cJSON_IsNumber(v))
		return v->valuedouble;
	if (cJSON_IsString(v) && strcmp(v->valuestring, "inf") == 0)
		return INFINITY;
	return cJSON_IsString(v) && strcmp(v->valuestring, "-inf") == 0 ? -INFINITY : NAN;
}

#define get iso_gate_get
#define text iso_gate_string

/* ------------------------------------------------------------------ records */

static int same_setting(const cJSON *setting, const cJSON *record)
{
	const cJSON *config = get(record, "config");

	return strcmp(text(get(setting, "dataset"), "name"),
		      text(get(config, "dataset"), "name")) == 0 &&
	       strcmp(text(setting, "method"), text(record, "label")) == 0 &&
	       cJSON_Compare(get(setting, "epsilon"), get(config, "epsilon"), 1);
}

static cJSON *new_setting(iso_jsonw *w, cJSON *settings, const cJSON *record, const char *hash)
{
	static const char *const config_keys[] = {"dataset", "generator",	   "epsilon",
						  "delta",   "adjacency",	   "accountant",
						  "secure",  "public_class_counts"},
				 *const record_keys[] = {"rows", "targets", "control", "guarantee"},
				 *const arrays[] = {"judged", "seeds", "status",
						    "accounted_epsilon", "uncharged"};
	const cJSON *config = get(record, "config");
	cJSON *s = iso_jsonw_object(w, settings, NULL);

	iso_jsonw_text(w, s, "method", text(record, "label"));
	iso_jsonw_text(w, s, "setting", hash);
	for (size_t i = 0; i < ISO_COUNT(config_keys); i++)
		iso_jsonw_copy(w, s, config_keys[i], get(config, config_keys[i]));
	for (size_t i = 0; i < ISO_COUNT(record_keys); i++)
		iso_jsonw_copy(w, s, record_keys[i], get(record, record_keys[i]));
	iso_jsonw_text(w, s, "verified", text(record, "verified"));
	for (size_t i = 0; i < ISO_COUNT(arrays); i++)
		iso_jsonw_array(w, s, arrays[i]);
	iso_jsonw_object(w, s, "values");
	return s;
}

/* What judged: label, plug-in, options and code; from the first record that has any. */
static void take_judged(iso_jsonw *w, cJSON *setting, const cJSON *record)
{
	static const char *const keys[] = {"kind", "label", "name", "version", "code", "options"};
	cJSON *list = cJSON_GetObjectItemCaseSensitive(setting, "judged");
	const cJSON *j;

	if (!list || list->child)
		return;
	cJSON_ArrayForEach(j, get(record, "judged"))
	{
		cJSON *o = iso_jsonw_object(w, list, NULL);

		for (size_t i = 0; i < ISO_COUNT(keys); i++)
			iso_jsonw_copy(w, o, keys[i], get(j, keys[i]));
	}
}

typedef struct taker {
	iso_jsonw *w;
	cJSON *values;
	size_t at; /* place of the seed */
	int all, copies;
} taker;

/* An iso_value_fn. */
static iso_status take_value(void *ctx, const cJSON *record, const iso_value *v, iso_error *err)
{
	taker *t = ctx;
	const int attack = strcmp(v->kind, "attack") == 0;
	int higher = strcmp(v->direction, "higher") == 0;
	cJSON *o, *list;

	(void)record;
	if ((!attack && strcmp(v->kind, "metric") != 0) ||
	    (!higher && strcmp(v->direction, "lower") != 0) || (!t->all && !v->headline))
		return ISO_OK;
	if (attack && t->copies) /* an attack that no longer finds copied rows is broken */
		higher = !higher;
	o = cJSON_GetObjectItemCaseSensitive(t->values, v->name);
	if (!o) {
		o = iso_jsonw_object(t->w, t->values, v->name);
		iso_jsonw_text(t->w, o, "kind", v->kind);
		iso_jsonw_text(t->w, o, "better", higher ? "higher" : "lower");
		iso_jsonw_array(t->w, o, "v");
	}
	list = cJSON_GetObjectItemCaseSensitive(o, "v");
	for (size_t n = list ? (size_t)cJSON_GetArraySize(list) : t->at; n < t->at; n++)
		iso_jsonw_number(t->w, list, NULL, NAN);
	iso_jsonw_number(t->w, list, NULL, v->value);
	return iso_jsonw_check(t->w, "a baseline", err);
}

/* Data sets and seeds share an audit: the first record that has one. */
static void take_audit(iso_jsonw *w, cJSON *setting, const cJSON *record)
{
	static const char *const keys[] = {
		"key",	 "outcome", "epsilon", "ceiling", "accounted_epsilon",
		"alpha", "runs",    "tests"};
	const cJSON *audit = get(record, "audit");
	cJSON *o;

	if (!audit || get(setting, "audit"))
		return;
	o = iso_jsonw_object(w, setting, "audit");
	for (size_t i = 0; i < ISO_COUNT(keys); i++)
		iso_jsonw_copy(w, o, keys[i], get(audit, keys[i]));
}

static void start(iso_jsonw *w, iso_gate_side *s, const cJSON *record)
{
	if (s->doc)
		return;
	s->doc = iso_jsonw_object(w, NULL, NULL);
	iso_jsonw_number(w, s->doc, "isoeps_baseline", ISO_GATE_FORMAT);
	iso_jsonw_text(w, s->doc, "suite", text(record, "suite"));
	iso_jsonw_array(w, s->doc, "settings");
}

static cJSON *member(cJSON *setting, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(setting, key);
}

/* The verdict of a setting is the worst of its records. */
static void worst_verdict(iso_jsonw *w, cJSON *setting, const cJSON *record)
{
	const char *have = text(setting, "verified"), *new = text(record, "verified");

	if (strcmp(have, new) != 0 && strcmp(have, "refuted") != 0 && strcmp(new, "verified") != 0)
		iso_jsonw_put(w, setting, "verified", cJSON_CreateString(new));
}

iso_status iso_gate_take(iso_gate_side *s, const cJSON *record, iso_error *err)
{
	iso_jsonw w = {0};
	cJSON *settings, *setting;
	const cJSON *privacy = get(record, "privacy"), *uncharged = get(privacy, "uncharged");
	taker t = {.w = &w, .all = s->all, .copies = !strcmp(text(record, "control"), "copies")};
	char hash[33];

	ISO_TRY(iso_record_setting(record, hash, err));
	start(&w, s, record);
	settings = member(s->doc, "settings");
	setting = settings && settings->child ? settings->child->prev : NULL;
	if (!setting || !same_setting(setting, record))
		setting = new_setting(&w, settings, record, hash);
	ISO_TRY(iso_jsonw_check(&w, "a baseline", err));
	ISO_FAIL_IF(strcmp(text(setting, "setting"), hash) != 0, err, ISO_E_DATA,
		    "records of two settings under one name (cell %s): \"%s\" was trained with "
		    "other options, data or code in another record of the directory; gate the "
		    "results of one suite",
		    text(record, "key"), text(record, "label"));
	t.values = member(setting, "values");
	t.at = (size_t)cJSON_GetArraySize(get(setting, "seeds"));
	worst_verdict(&w, setting, record);
	take_judged(&w, setting, record);
	take_audit(&w, setting, record);
	iso_jsonw_copy(&w, member(setting, "seeds"), NULL, get(get(record, "config"), "seed"));
	iso_jsonw_text(&w, member(setting, "status"), NULL, text(record, "status"));
	iso_jsonw_number(&w, member(setting, "accounted_epsilon"), NULL,
			 iso_gate_number(get(privacy, "accounted_epsilon")));
	iso_jsonw_number(&w, member(setting, "uncharged"), NULL,
			 uncharged ? cJSON_GetArraySize(uncharged) : NAN);
	ISO_TRY(iso_jsonw_check(&w, "a baseline", err));
	return iso_record_values(record, take_value, &t, err);
}

/* ------------------------------------------------------------------ files */

iso_status iso_gate_write(const iso_gate_side *s, const char *path, cJSON *run, iso_error *err)
{
	cJSON *copy = cJSON_Duplicate(s->doc, 1);
	iso_jsonw w = {0};
	iso_str out = {0};
	iso_status st;

	iso_jsonw_add(&w, copy, "run", run);
	if (!copy)
		cJSON_Delete(run);
	st = copy ? iso_jsonw_check(&w, "a baseline", err) : iso_no_memory(err, "a baseline");
	if (st == ISO_OK)
		st = iso_record_text(copy, &out, err);
	if (st == ISO_OK)
		st = iso_file_write_atomic(path, out.p, out.n, err);
	cJSON_Delete(copy);
	iso_str_free(&out);
	return st;
}

static int is_list(const cJSON *s, const char *key)
{
	return cJSON_IsArray(get(s, key));
}

static iso_status check_setting(const cJSON *s, const char *path, iso_error *err)
{
	static const char *const lists[] = {"judged", "seeds", "status", "accounted_epsilon",
					    "uncharged"},
				 *const texts[] = {"method", "adjacency", "accountant", "guarantee",
						   "verified"};
	const int seeds = cJSON_GetArraySize(get(s, "seeds"));
	const cJSON *v;
	int good = cJSON_IsObject(get(s, "values")) && cJSON_IsNumber(get(s, "delta"));

	for (size_t i = 0; i < ISO_COUNT(lists); i++)
		good = good && is_list(s, lists[i]) &&
		       (i == 0 || cJSON_GetArraySize(get(s, lists[i])) == seeds);
	for (size_t i = 0; i < ISO_COUNT(texts); i++)
		good = good && cJSON_IsString(get(s, texts[i]));
	good = good && *text(get(s, "dataset"), "name") && *text(get(s, "dataset"), "hash") &&
	       *text(get(s, "generator"), "name");
	cJSON_ArrayForEach(v, get(s, "values")) good = good && is_list(v, "v") &&
						       cJSON_GetArraySize(get(v, "v")) <= seeds &&
						       *text(v, "kind") && *text(v, "better");
	ISO_FAIL_IF(!good, err, ISO_E_DATA,
		    "malformed baseline (%s): the setting of \"%s\" is not complete; write the "
		    "baseline again with --update",
		    path, text(s, "method"));
	return ISO_OK;
}

static iso_status check_doc(const cJSON *doc, const char *path, iso_error *err)
{
	const double format = iso_gate_number(get(doc, "isoeps_baseline"));
	const cJSON *s;

	ISO_FAIL_IF(isnan(format), err, ISO_E_DATA,
		    "not a baseline (%s): it has no \"isoeps_baseline\"; write one with isoeps "
		    "gate DIR --baseline FILE --update",
		    path);
	ISO_FAIL_IF(format != ISO_GATE_FORMAT || !get(doc, "settings") ||
			    !get(doc, "settings")->child,
		    err, ISO_E_DATA,
		    "unknown format of a baseline (%s): this program reads format %d with at least "
		    "one setting; write the baseline again with --update",
		    path, ISO_GATE_FORMAT);
	cJSON_ArrayForEach(s, get(doc, "settings")) ISO_TRY(check_setting(s, path, err));
	return ISO_OK;
}

iso_status iso_gate_read(const char *path, iso_gate_side *out, iso_error *err)
{
	char *bytes = NULL;
	size_t n = 0;
	cJSON *doc = NULL;
	iso_status st;

	memset(out, 0, sizeof(*out));
	ISO_FAIL_IF(!iso_file_exists(path), err, ISO_E_USAGE,
		    "no baseline (%s): there is no such file; write one from results that you "
		    "trust with isoeps gate DIR --baseline %s --update",
		    path, path);
	ISO_TRY(iso_file_read(path, LIMIT, &bytes, &n, err));
	st = iso_json_parse(bytes, n, path, &doc, err);
	if (st == ISO_OK)
		st = check_doc(doc, path, err);
	if (st == ISO_OK && iso_record_check_digest(bytes, n, path, NULL) != ISO_OK)
		st = iso_fail(err, ISO_E_DATA,
			      "changed baseline (%s: digest): the file was edited after it was "
			      "written; write it again with --update",
			      path);
	if (st != ISO_OK)
		cJSON_Delete(doc);
	else
		out->doc = doc;
	iso_free(bytes);
	if (st != ISO_OK && err && err->code == ISO_E_CONFIG)
		err->code = ISO_E_DATA;
	return st == ISO_E_CONFIG ? ISO_E_DATA : st;
}

void iso_gate_side_free(iso_gate_side *s)
{
	cJSON_Delete(s->doc);
	memset(s, 0, sizeof(*s));
}
