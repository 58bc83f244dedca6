// SPDX-License-Identifier: Apache-2.0
/* The ledger in a record, and the events back out of it: what `isoeps verify DIR --ledger`
 * recomputes from. */
#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/privacy/ledger_private.h"

static const char *const norm_names[] = {[ISO_NORM_L1] = "l1", [ISO_NORM_L2] = "l2"};

/* JSON has no infinities; records spell them as strings. */
static int add_number(cJSON *o, const char *key, double x)
{
	if (isfinite(x))
		return cJSON_AddNumberToObject(o, key, x) != NULL;
	if (isnan(x))
		return cJSON_AddNullToObject(o, key) != NULL;
	return cJSON_AddStringToObject(o, key, x > 0 ? "inf" : "-inf") != NULL;
}

static cJSON *entry_json(const iso_ledger *l, const iso_plan_item *it)
{
	const iso_event *e = &it->event;
	cJSON *o = cJSON_CreateObject();
	int ok = o != NULL;

	ok = ok && cJSON_AddStringToObject(o, "who", l->who);
	ok = ok && cJSON_AddStringToObject(o, "why", it->why);
	ok = ok && add_number(o, "group", it->group);
	ok = ok && add_number(o, "part", it->part);
	ok = ok && cJSON_AddStringToObject(o, "mechanism", iso_mech_name(e->mechanism));
	ok = ok && add_number(o, "noise", e->noise);
	ok = ok && add_number(o, "epsilon", e->epsilon);
	ok = ok && add_number(o, "delta", e->delta);
	ok = ok && add_number(o, "rho", e->rho);
	ok = ok && cJSON_AddStringToObject(o, "sampling", iso_sampling_name(e->sampling));
	ok = ok && add_number(o, "rate", e->rate);
	ok = ok && add_number(o, "count", it->adaptive ? 1 : (double)it->used);
	ok = ok && cJSON_AddStringToObject(o, "norm", norm_names[it->norm]);
	ok = ok && add_number(o, "sensitivity", it->sensitivity);
	if (e->classes)
		ok = ok && add_number(o, "classes", (double)e->classes);
	if (e->mechanism == ISO_MECH_RDP)
		ok = ok && add_number(o, "order", e->order);
	if (it->unit != ISO_UNIT_RECORD)
		ok = ok && cJSON_AddStringToObject(o, "unit", iso_unit_name(it->unit));
	if (it->scope)
		ok = ok && add_number(o, "scope", it->scope);
	if (it->adaptive) {
		ok = ok && cJSON_AddTrueToObject(o, "adaptive");
		ok = ok && add_number(o, "spent", it->spent);
	}
	if (!ok) {
		cJSON_Delete(o);
		return NULL;
	}
	return o;
}

iso_status iso_ledger_to_json(const iso_ledger *l, cJSON **out, iso_error *err)
{
	cJSON *array = cJSON_CreateArray();

	*out = NULL;
	for (size_t i = 0; array && i < l->plan.n; i++) {
		cJSON *o;

		if (l->plan.v[i].used == 0 && !l->plan.v[i].adaptive)
			continue;
		o = entry_json(l, &l->plan.v[i]);
		if (!o || !cJSON_AddItemToArray(array, o)) {
			cJSON_Delete(o);
			cJSON_Delete(array);
			array = NULL;
		}
	}
	if (!array)
		return iso_no_memory(err, "the JSON of a ledger");
	*out = array;
	return ISO_OK;
}

/* ------------------------------------------------------------------ reading */

typedef struct reader {
	const cJSON *o;
	size_t at;
	const char *hint; /* what may be the matter */
	iso_error *err;
} reader;
#define EDITED "the record was edited or is of another version"

static iso_status bad(const reader *r, const char *key, const char *want)
{
	return iso_fail(r->err, ISO_E_DATA, "malformed ledger (entry %zu, \"%s\"): expected %s; %s",
			r->at, key, want, r->hint);
}

static iso_status get_number(const reader *r, const char *key, double lo, double hi, double *out)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(r->o, key);
	double x;

	if (cJSON_IsNumber(v))
		x = v->valuedouble;
	else if (cJSON_IsString(v) && strcmp(v->valuestring, "inf") == 0)
		x = INFINITY;
	else
		return bad(r, key, "a number");
	if (!(x >= lo && x <= hi))
		return bad(r, key, "a number in range");
	*out = x;
	return ISO_OK;
}

static iso_status get_whole(const reader *r, const char *key, double hi, double *out)
{
	ISO_TRY(get_number(r, key, 0, hi, out));
	return *out == floor(*out) ? ISO_OK : bad(r, key, "a whole number");
}

/* One of the names that `name` gives for 0..n-1. */
static iso_status get_name(const reader *r, const char *key, const char *(*name)(int), int n,
			   int *out)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(r->o, key);

	for (int i = 0; cJSON_IsString(v) && i < n; i++)
		if (strcmp(v->valuestring, name(i)) == 0) {
			*out = i;
			return ISO_OK;
		}
	return bad(r, key, "a known name");
}

static const char *mech_name(int i)
{
	return iso_mech_name((iso_mech)i);
}

static const char *sampling_name(int i)
{
	return iso_sampling_name((iso_sampling)i);
}

static const char *norm_name(int i)
{
	return norm_names[i];
}

static iso_status get_text(const reader *r, const char *key, char *out, size_t cap)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(r->o, key);

	if (!cJSON_IsString(v) || v->valuestring[0] == 0 || strlen(v->valuestring) >= cap)
		return bad(r, key, "a short text");
	memcpy(out, v->valuestring, strlen(v->valuestring) + 1);
	return ISO_OK;
}

static iso_status only_known_keys(const reader *r)
{
	static const char *const keys[] = {
		"who",	   "why",   "group",	"part",	    "mechanism", "noise", "epsilon",
		"delta",   "rho",   "sampling", "rate",	    "count",	 "norm",  "sensitivity",
		"classes", "order", "unit",	"adaptive", "spent",	 "scope"};

	for (const cJSON *v = r->o->child; v; v = v->next) {
		size_t i = 0;

		while (i < ISO_COUNT(keys) && strcmp(v->string, keys[i]) != 0)
			i++;
		if (i == ISO_COUNT(keys))
			return bad(r, v->string, "no such key");
	}
	return ISO_OK;
}

static const char *unit_name(int i)
{
	return iso_unit_name((iso_unit)i);
}

static iso_status read_optional(const reader *r, iso_plan_item *it)
{
	const cJSON *adaptive = cJSON_GetObjectItemCaseSensitive(r->o, "adaptive");
	int unit = ISO_UNIT_RECORD;
	double scope = 0;

	if (cJSON_GetObjectItemCaseSensitive(r->o, "order"))
		ISO_TRY(get_number(r, "order", 1, 1e100, &it->event.order));
	if (cJSON_GetObjectItemCaseSensitive(r->o, "unit"))
		ISO_TRY(get_name(r, "unit", unit_name, ISO_UNIT_CLIENT + 1, &unit));
	it->unit = (iso_unit)unit;
	if (cJSON_GetObjectItemCaseSensitive(r->o, "scope"))
		ISO_TRY(get_whole(r, "scope", 1e9, &scope));
	it->scope = (int)scope;
	if (!adaptive)
		return ISO_OK;
	if (!cJSON_IsTrue(adaptive))
		return bad(r, "adaptive", "true, or no such key");
	it->adaptive = 1;
	return get_number(r, "spent", 0, INFINITY, &it->spent);
}

static iso_status read_entry(const reader *r, iso_plan_item *it)
{
	double group, part, count, classes = 0;
	int mechanism = 0, sampling = 0, norm = 0;
	char who[64];

	if (!cJSON_IsObject(r->o))
		return iso_fail(r->err, ISO_E_DATA,
				"malformed ledger (entry %zu): expected an object; %s", r->at,
				r->hint);
	ISO_TRY(only_known_keys(r));
	ISO_TRY(get_text(r, "who", who, sizeof(who)));
	ISO_TRY(get_text(r, "why", it->why, sizeof(it->why)));
	ISO_TRY(get_whole(r, "group", 1e9, &group));
	ISO_TRY(get_whole(r, "part", 1e9, &part));
	ISO_TRY(get_name(r, "mechanism", mech_name, ISO_MECH_UNCHARGED + 1, &mechanism));
	ISO_TRY(get_number(r, "noise", 0, INFINITY, &it->event.noise));
	ISO_TRY(get_number(r, "epsilon", 0, INFINITY, &it->event.epsilon));
	ISO_TRY(get_number(r, "delta", 0, 1, &it->event.delta));
	ISO_TRY(get_number(r, "rho", 0, INFINITY, &it->event.rho));
	ISO_TRY(get_name(r, "sampling", sampling_name, ISO_SAMPLING_WITHOUT_REPLACEMENT + 1,
			 &sampling));
	ISO_TRY(get_number(r, "rate", 0, 1, &it->event.rate));
	ISO_TRY(get_whole(r, "count", 9007199254740992.0, &count));
	ISO_TRY(get_name(r, "norm", norm_name, 2, &norm));
	ISO_TRY(get_number(r, "sensitivity", 0, INFINITY, &it->sensitivity));
	if (cJSON_GetObjectItemCaseSensitive(r->o, "classes"))
		ISO_TRY(get_whole(r, "classes", 1e6, &classes));
	ISO_TRY(read_optional(r, it));
	if (count < 1)
		return bad(r, "count", "at least 1");
	if (mechanism == ISO_MECH_PARALLEL)
		return bad(r, "mechanism",
			   "a mechanism, parallel parts are written by group and part");
	it->group = (int)group;
	it->part = (int)part;
	if (it->adaptive &&
	    (count > 1 || (mechanism != ISO_MECH_ZCDP && mechanism != ISO_MECH_RDP)))
		return bad(r, "adaptive", "a cap in zcdp or rdp, of count 1");
	if (it->adaptive &&
	    !(it->spent <=
	      (mechanism == ISO_MECH_ZCDP ? it->event.rho : it->event.epsilon) * (1 + 1e-9)))
		return bad(r, "spent", "at most the cap");
	it->event.mechanism = (iso_mech)mechanism;
	it->event.sampling = (iso_sampling)sampling;
	it->event.count = it->used = (uint64_t)count;
	it->event.classes = (size_t)classes;
	it->event.queries = classes > 0 ? (size_t)count : 0;
	it->norm = (iso_norm)norm;
	return ISO_OK;
}

iso_status iso_ledger_events_from_json(const cJSON *array, iso_events *out, size_t *uncharged,
				       iso_error *err)
{
	iso_plan plan = {0};
	reader r = {.hint = EDITED, .err = err};
	iso_status st = ISO_OK;

	*out = (iso_events){0};
	*uncharged = 0;
	ISO_FAIL_IF(!cJSON_IsArray(array), err, ISO_E_DATA,
		    "malformed ledger (record): expected an array of entries; the record was "
		    "edited or is of another "
		    "version");
	for (r.o = array->child; r.o && st == ISO_OK; r.o = r.o->next, r.at++) {
		iso_plan_item it = {0};

		st = read_entry(&r, &it);
		if (st != ISO_OK)
			break;
		*uncharged += it.event.mechanism == ISO_MECH_UNCHARGED;
		st = iso_grow(&plan.v, &plan.cap, plan.n + 1, sizeof(*plan.v), err);
		if (st == ISO_OK)
			plan.v[plan.n++] = it;
	}
	if (st == ISO_OK)
		st = iso_plan_events(&plan, 1, out, err);
	iso_plan_free(&plan);
	return st;
}

/* ------------------------------------------------------------------ what another program declares
 */

/* The entry with every key that it leaves out; NULL without memory. */
static cJSON *with_defaults(const cJSON *entry, const char *who)
{
	static const struct {
		const char *key, *text;
		double number;
	} usual[] = {{"who", NULL, 0},	 {"group", NULL, 0},	   {"part", NULL, 0},
		     {"noise", NULL, 0}, {"epsilon", NULL, 0},	   {"delta", NULL, 0},
		     {"rho", NULL, 0},	 {"rate", NULL, 1},	   {"count", NULL, 1},
		     {"norm", NULL, 0},	 {"sensitivity", NULL, 1}, {"sampling", "none", 0}};
	const cJSON *m = cJSON_GetObjectItemCaseSensitive(entry, "mechanism");
	const int l1 =
		cJSON_IsString(m) && strcmp(m->valuestring, iso_mech_name(ISO_MECH_LAPLACE)) == 0;
	cJSON *o = cJSON_Duplicate(entry, 1);
	int ok = o != NULL;

	for (size_t i = 0; ok && i < ISO_COUNT(usual); i++) {
		const char *key = usual[i].key;

		if (cJSON_GetObjectItemCaseSensitive(o, key))
			continue;
		if (strcmp(key, "who") == 0)
			ok = cJSON_AddStringToObject(o, key, who) != NULL;
		else if (strcmp(key, "norm") == 0)
			ok = cJSON_AddStringToObject(o, key, norm_names[!l1]) != NULL;
		else if (usual[i].text)
			ok = cJSON_AddStringToObject(o, key, usual[i].text) != NULL;
		else
			ok = add_number(o, key, usual[i].number);
	}
	if (ok)
		return o;
	cJSON_Delete(o);
	return NULL;
}

iso_status iso_ledger_declare(iso_ledger *l, const cJSON *entry, iso_error *err)
{
	reader r = {.hint = "see docs/external.md", .err = err};
	iso_plan_item it = {0};
	cJSON *whole;
	iso_status st;

	ISO_FAIL_IF(l->closed, err, ISO_E_BUDGET,
		    "declared release (%s): the ledger is closed; do it in fit", l->who);
	ISO_FAIL_IF(!cJSON_IsObject(entry), err, ISO_E_DATA,
		    "malformed ledger: expected an object; see docs/external.md");
	r.o = whole = with_defaults(entry, "external");
	if (!whole)
		return iso_no_memory(err, "a declared release");
	st = read_entry(&r, &it);
	cJSON_Delete(whole);
	if (st == ISO_OK)
		st = iso_grow(&l->state, &l->state_cap, l->plan.n + 1, sizeof(*l->state), err);
	if (st == ISO_OK)
		st = iso_plan_add(&l->plan, &it, err);
	ISO_TRY(st);
	l->plan.v[l->plan.n - 1].used = it.event.count;
	l->state[l->plan.n - 1] = (iso_entry_state){.booked = it.event.count};
	return ISO_OK;
}
