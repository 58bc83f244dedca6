// SPDX-License-Identifier: Apache-2.0
#include "core/privacy/account_json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/privacy/account_scan.h"

#define MAX_VOTES 20000000 /* numbers in one "votes" array */
#define WHERE 160

/* ---- reading
 * ----------------------------------------------------------------------------------------------------
 */

void iso_account_number(double x, iso_str *out)
{
	char text[40];

	if (isnan(x)) {
		iso_str_add(out, "null");
		return;
	}
	if (isinf(x)) {
		iso_str_add(out, x > 0 ? "\"inf\"" : "\"-inf\"");
		return;
	}
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, x);
		if (strtod(text, NULL) == x)
			break;
	}
	iso_str_add(out, text);
}

/* An object whose keys are all known and appear once. */
static iso_status only_keys(const cJSON *v, const char *const *keys, size_t n, const char *where,
			    iso_error *err)
{
	ISO_FAIL_IF(!cJSON_IsObject(v), err, ISO_E_CONFIG,
		    "wrong input (%s): a JSON object is expected; see --help", where);
	for (const cJSON *c = v->child; c; c = c->next) {
		size_t i = 0;

		while (i < n && strcmp(c->string, keys[i]) != 0)
			i++;
		if (i == n) {
			const char *near = iso_nearest_word(c->string, keys, n);

			return iso_fail(err, ISO_E_CONFIG,
					"unknown key (%s): \"%.60s\" is not known here; %s%s%s",
					where, c->string, near ? "did you mean \"" : "see --help",
					near ? near : "", near ? "\"?" : "");
		}
		for (const cJSON *d = c->next; d; d = d->next)
			ISO_FAIL_IF(strcmp(c->string, d->string) == 0, err, ISO_E_CONFIG,
				    "key given twice (%s): \"%.60s\"; keep one", where, c->string);
	}
	return ISO_OK;
}

static iso_status get_number(const cJSON *v, const char *key, int required, double *out,
			     const char *where, iso_error *err)
{
	const cJSON *c = cJSON_GetObjectItemCaseSensitive(v, key);

	ISO_FAIL_IF(!c && required, err, ISO_E_CONFIG, "missing key (%s): \"%s\" is needed; add it",
		    where, key);
	if (!c)
		return ISO_OK;
	ISO_FAIL_IF(!cJSON_IsNumber(c) || !isfinite(c->valuedouble), err, ISO_E_CONFIG,
		    "wrong value (%s.%s): a finite number is expected; correct it", where, key);
	*out = c->valuedouble;
	return ISO_OK;
}

static iso_status get_string(const cJSON *v, const char *key, const char **out, const char *where,
			     iso_error *err)
{
	const cJSON *c = cJSON_GetObjectItemCaseSensitive(v, key);

	*out = NULL;
	if (!c)
		return ISO_OK;
	ISO_FAIL_IF(!cJSON_IsString(c), err, ISO_E_CONFIG,
		    "wrong value (%s.%s): a string is expected; quote it", where, key);
	*out = c->valuestring;
	return ISO_OK;
}

static iso_status get_count(const cJSON *v, const char *key, uint64_t *out, const char *where,
			    iso_error *err)
{
	double x = (double)*out;

	ISO_TRY(get_number(v, key, 0, &x, where, err));
	ISO_FAIL_IF(!(x >= 1 && x <= 1e12) || x != floor(x), err, ISO_E_CONFIG,
		    "wrong value (%s.%s): %g is not a whole number of 1 to 1e12; correct it", where,
		    key, x);
	*out = (uint64_t)x;
	return ISO_OK;
}

static iso_status unknown_word(const char *what, const char *word, const char *const *words,
			       size_t n, const char *where, iso_error *err)
{
	const char *near = iso_nearest_word(word, words, n);
	char list[256] = "";

	for (size_t i = 0; i < n; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", i ? ", " : "",
			 words[i]);
	return iso_fail(err, ISO_E_CONFIG, "unknown %s (%s): \"%.60s\"; %s%s%suse one of %s", what,
			where, word, near ? "did you mean \"" : "", near ? near : "",
			near ? "\"? " : "", list);
}

/* ---- events
 * -----------------------------------------------------------------------------------------------------
 */

static iso_status read_gaussian(const cJSON *v, int need_noise, iso_event *e, const char *where,
				iso_error *err)
{
	static const char *const keys[] = {"mechanism", "count", "noise_multiplier", "sampling",
					   "sampling_rate"};
	static const char *const words[] = {"none", "poisson", "without-replacement"};
	const char *sampling;
	double rate = NAN;

	ISO_TRY(only_keys(v, keys, ISO_COUNT(keys), where, err));
	e->noise = 1;
	ISO_TRY(get_number(v, "noise_multiplier", need_noise, &e->noise, where, err));
	ISO_TRY(get_number(v, "sampling_rate", 0, &rate, where, err));
	ISO_TRY(get_string(v, "sampling", &sampling, where, err));
	ISO_FAIL_IF(rate < 0 || rate > 1, err, ISO_E_CONFIG,
		    "wrong value (%s.sampling_rate): %g, it must lie in 0 to 1; give expected "
		    "batch size over rows",
		    where, rate);
	if (!sampling)
		sampling = rate < 1 ? "poisson" : "none";
	e->rate = isnan(rate) ? 1 : rate;
	for (int i = 0; i < 3; i++)
		if (strcmp(sampling, words[i]) == 0) {
			e->sampling = (iso_sampling)i;
			ISO_FAIL_IF(
				i > 0 && isnan(rate), err, ISO_E_CONFIG,
				"missing key (%s): sampling \"%s\" needs \"sampling_rate\"; add it",
				where, sampling);
			ISO_FAIL_IF(i == 0 && rate < 1, err, ISO_E_CONFIG,
				    "contradiction (%s): sampling \"none\" with a sampling_rate of "
				    "%g; remove one",
				    where, rate);
			return ISO_OK;
		}
	return unknown_word("sampling", sampling, words, 3, where, err);
}

static iso_status read_votes(const cJSON *votes, iso_event *e, const char *where, iso_error *err)
{
	const cJSON *row, *x;
	size_t rows = 0, classes = 0, at = 0;

	ISO_FAIL_IF(!cJSON_IsArray(votes) || !votes->child || !cJSON_IsArray(votes->child), err,
		    ISO_E_CONFIG,
		    "wrong value (%s.votes): an array of arrays of counts is expected; correct it",
		    where);
	for (row = votes->child; row; row = row->next)
		rows++;
	for (x = votes->child->child; x; x = x->next)
		classes++;
	ISO_FAIL_IF(classes < 2 || classes > MAX_VOTES / rows, err, ISO_E_CONFIG,
		    "wrong value (%s.votes): %zu queries over %zu classes; at least 2 classes and "
		    "at most %d counts",
		    where, rows, classes, MAX_VOTES);
	e->votes = iso_alloc(rows * classes, sizeof(double));
	if (!e->votes)
		return iso_no_memory(err, "votes");
	for (row = votes->child; row; row = row->next) {
		const size_t start = at;

		for (x = cJSON_IsArray(row) ? row->child : NULL; x && at - start < classes;
		     x = x->next) {
			ISO_FAIL_IF(!cJSON_IsNumber(x) ||
					    !(x->valuedouble >= 0 && x->valuedouble <= 1e15),
				    err, ISO_E_CONFIG,
				    "wrong value (%s.votes[%zu]): counts of 0 or above are "
				    "expected; correct it",
				    where, start / classes);
			e->votes[at++] = x->valuedouble;
		}
		ISO_FAIL_IF(x || at - start != classes, err, ISO_E_CONFIG,
			    "wrong value (%s.votes[%zu]): %zu counts are expected as in the first "
			    "row; correct it",
			    where, start / classes, classes);
	}
	e->queries = e->count = rows;
	e->classes = classes;
	return ISO_OK;
}

static iso_status read_pate(const cJSON *v, int need_noise, iso_event *e, const char *where,
			    iso_error *err)
{
	static const char *const keys[] = {"mechanism", "scale", "votes", "queries", "classes"};
	const cJSON *votes = cJSON_GetObjectItemCaseSensitive(v, "votes");
	uint64_t classes = 2;

	ISO_TRY(only_keys(v, keys, ISO_COUNT(keys), where, err));
	e->noise = 1;
	ISO_TRY(get_number(v, "scale", need_noise, &e->noise, where, err));
	if (votes) {
		ISO_FAIL_IF(cJSON_GetObjectItemCaseSensitive(v, "queries") ||
				    cJSON_GetObjectItemCaseSensitive(v, "classes"),
			    err, ISO_E_CONFIG,
			    "contradiction (%s): \"votes\" beside \"queries\" or \"classes\"; keep "
			    "the votes",
			    where);
		return read_votes(votes, e, where, err);
	}
	ISO_FAIL_IF(!cJSON_GetObjectItemCaseSensitive(v, "queries"), err, ISO_E_CONFIG,
		    "missing key (%s): \"votes\" or \"queries\" is needed; add one", where);
	ISO_TRY(get_count(v, "queries", &e->count, where, err));
	return get_count(v, "classes", &classes, where, err);
}

static iso_status read_parallel(const cJSON *v, int need_noise, iso_event *e, const char *where,
				int depth, iso_error *err);

static iso_status read_epsilon(const cJSON *v, const char *key, int with_delta, iso_event *e,
			       const char *where, iso_error *err)
{
	const char *const keys[] = {"mechanism", "count", key, "delta"};

	ISO_TRY(only_keys(v, keys, with_delta ? 4 : 3, where, err));
	ISO_TRY(get_number(v, key, 1, strcmp(key, "rho") == 0 ? &e->rho : &e->epsilon, where, err));
	return with_delta ? get_number(v, "delta", 0, &e->delta, where, err) : ISO_OK;
}

static iso_status read_rdp(const cJSON *v, iso_event *e, const char *where, iso_error *err)
{
	const char *const keys[] = {"mechanism", "count", "order", "epsilon"};

	ISO_TRY(only_keys(v, keys, ISO_COUNT(keys), where, err));
	ISO_TRY(get_number(v, "order", 1, &e->order, where, err));
	return get_number(v, "epsilon", 1, &e->epsilon, where, err);
}

static iso_status read_event(const cJSON *v, int need_noise, iso_event *e, const char *where,
			     int depth, iso_error *err)
{
	static const char *const laplace_keys[] = {"mechanism", "count", "scale"};
	static const char *const words[] = {
		"gaussian", "laplace",	  "exponential", "pure",    "zcdp", "randomized-response",
		"rdp",	    "pate-lnmax", "pate-gnmax",	 "parallel"};
	const char *name;
	size_t i = 0;

	ISO_FAIL_IF(!cJSON_IsObject(v), err, ISO_E_CONFIG,
		    "wrong event (%s): a JSON object is expected; see --help", where);
	ISO_TRY(get_string(v, "mechanism", &name, where, err));
	ISO_FAIL_IF(!name, err, ISO_E_CONFIG, "missing key (%s): \"mechanism\" is needed; add it",
		    where);
	while (i < ISO_COUNT(words) && strcmp(name, words[i]) != 0)
		i++;
	if (i == ISO_COUNT(words))
		return unknown_word("mechanism", name, words, ISO_COUNT(words), where, err);
	e->mechanism = (iso_mech)i; /* words stand in the order of iso_mech */
	e->count = 1;
	if (e->mechanism != ISO_MECH_PATE_LNMAX && e->mechanism != ISO_MECH_PATE_GNMAX)
		ISO_TRY(get_count(v, "count", &e->count, where, err));
	switch (e->mechanism) {
	case ISO_MECH_GAUSSIAN:
		return read_gaussian(v, need_noise, e, where, err);
	case ISO_MECH_LAPLACE:
		ISO_TRY(only_keys(v, laplace_keys, ISO_COUNT(laplace_keys), where, err));
		e->noise = 1;
		return get_number(v, "scale", need_noise, &e->noise, where, err);
	case ISO_MECH_PURE:
		return read_epsilon(v, "epsilon", 1, e, where, err);
	case ISO_MECH_ZCDP:
		return read_epsilon(v, "rho", 0, e, where, err);
	case ISO_MECH_RDP:
		return read_rdp(v, e, where, err);
	case ISO_MECH_EXPONENTIAL:
	case ISO_MECH_RANDOMIZED_RESPONSE:
		return read_epsilon(v, "epsilon", 0, e, where, err);
	case ISO_MECH_PATE_LNMAX:
	case ISO_MECH_PATE_GNMAX:
		return read_pate(v, need_noise, e, where, err);
	default:
		return read_parallel(v, need_noise, e, where, depth, err);
	}
}

static iso_status read_list(const cJSON *array, const char *where, int need_noise, int depth,
			    iso_events *out, iso_error *err)
{
	size_t at = 0;

	ISO_FAIL_IF(!cJSON_IsArray(array), err, ISO_E_CONFIG,
		    "wrong value (%s): an array of events is expected; see --help", where);
	for (const cJSON *c = array->child; c; c = c->next, at++) {
		iso_event e = {0};
		char inner[WHERE];
		iso_status st;

		ISO_FAIL_IF(
			at >= 100000, err, ISO_E_CONFIG,
			"too many events (%s): more than 100000; join equal ones with \"count\"",
			where);
		snprintf(inner, sizeof(inner), "%.120s[%zu]", where, at);
		st = read_event(c, need_noise, &e, inner, depth, err);
		if (st == ISO_OK)
			st = iso_events_add(out, &e, err);
		/* the list keeps a copy */
		iso_free(e.votes);
		for (size_t i = 0; i < e.nparts; i++)
			iso_events_free(&e.parts[i]);
		iso_free(e.parts);
		ISO_TRY(st);
	}
	return ISO_OK;
}

static iso_status read_parallel(const cJSON *v, int need_noise, iso_event *e, const char *where,
				int depth, iso_error *err)
{
	static const char *const keys[] = {"mechanism", "count", "groups"};
	const cJSON *groups = cJSON_GetObjectItemCaseSensitive(v, "groups"), *c;
	size_t n = 0, i = 0;

	ISO_TRY(only_keys(v, keys, ISO_COUNT(keys), where, err));
	ISO_FAIL_IF(depth >= 8, err, ISO_E_CONFIG,
		    "wrong event (%s): parallel events nested deeper than 8; flatten them", where);
	ISO_FAIL_IF(!cJSON_IsArray(groups) || !groups->child, err, ISO_E_CONFIG,
		    "wrong value (%s.groups): an array with one array of events per disjoint part "
		    "is expected; see --help",
		    where);
	for (c = groups->child; c; c = c->next)
		n++;
	e->parts = iso_alloc(n, sizeof(*e->parts));
	if (!e->parts)
		return iso_no_memory(err, "parts of a parallel event");
	e->nparts = n;
	for (c = groups->child; c; c = c->next, i++) {
		char inner[WHERE];

		snprintf(inner, sizeof(inner), "%.110s.groups[%zu]", where, i);
		ISO_TRY(read_list(c, inner, need_noise, depth + 1, &e->parts[i], err));
	}
	return ISO_OK;
}

iso_status iso_events_from_json(const cJSON *array, const char *where, int need_noise,
				iso_events *out, iso_error *err)
{
	iso_events list = {0};
	const iso_status st = read_list(array, where, need_noise, 0, &list, err);

	if (st != ISO_OK)
		iso_events_free(&list);
	else
		*out = list;
	return st;
}

/* ---- one question
 * -----------------------------------------------------------------------------------------------
 */

typedef struct question {
	iso_events events;
	iso_adjacency adjacency;
	double delta, epsilon, target;
	int accountant, by_scale; /* by_scale: -1 not asked, 0 noise_multiplier, 1 scale */
} question;

static iso_status choose_words(const cJSON *v, const iso_account_options *o, question *q,
			       const char *where, iso_error *err)
{
	static const char *const adjacencies[] = {"add-remove", "replace-one"},
				 *const accountants[] = {"pld", "rdp"};
	static const char *const solves[] = {"noise_multiplier", "scale"};
	const char *s;
	int i;

	ISO_TRY(get_string(v, "adjacency", &s, where, err));
	for (i = 0; s && i < 2 && strcmp(s, adjacencies[i]) != 0; i++)
		;
	if (s && i == 2)
		return unknown_word("adjacency", s, adjacencies, 2, where, err);
	q->adjacency = (iso_adjacency)(o->adjacency >= 0 ? o->adjacency : s ? i : 0);
	ISO_TRY(get_string(v, "accountant", &s, where, err));
	for (i = 0; s && i < 2 && strcmp(s, accountants[i]) != 0; i++)
		;
	if (s && i == 2)
		return unknown_word("accountant", s, accountants, 2, where, err);
	q->accountant = o->accountant >= 0 ? o->accountant : s ? i : 0;
	ISO_TRY(get_string(v, "solve", &s, where, err));
	if (o->solve)
		s = o->solve;
	for (i = 0; s && i < 2 && strcmp(s, solves[i]) != 0; i++)
		;
	if (s && i == 2)
		return unknown_word("unknown to solve for", s, solves, 2, where, err);
	q->by_scale = s ? i : -1;
	return ISO_OK;
}

static iso_status read_question(const cJSON *v, const iso_account_options *o, const char *where,
				question *q, iso_error *err)
{
	static const char *const keys[] = {"delta",   "adjacency",	"events", "id",
					   "epsilon", "target_epsilon", "solve",  "accountant"};

	*q = (question){.delta = NAN, .epsilon = NAN, .target = NAN};
	ISO_TRY(only_keys(v, keys, ISO_COUNT(keys), where, err));
	ISO_TRY(get_number(v, "delta", 0, &q->delta, where, err));
	ISO_TRY(get_number(v, "epsilon", 0, &q->epsilon, where, err));
	ISO_TRY(get_number(v, "target_epsilon", 0, &q->target, where, err));
	ISO_TRY(choose_words(v, o, q, where, err));
	if (!isnan(o->delta))
		q->delta = o->delta;
	if (!isnan(o->epsilon))
		q->epsilon = o->epsilon;
	if (!isnan(o->target_epsilon))
		q->target = o->target_epsilon;
	ISO_FAIL_IF(
		!isnan(q->epsilon) && !isnan(q->target), err, ISO_E_CONFIG,
		"contradiction (%s): both epsilon and target_epsilon; ask one question at a time",
		where);
	ISO_FAIL_IF(isnan(q->target) && q->by_scale >= 0, err, ISO_E_CONFIG,
		    "missing target (%s): solve needs target_epsilon; give it", where);
	ISO_FAIL_IF(
		isnan(q->delta) && isnan(q->epsilon), err, ISO_E_CONFIG,
		"missing key (%s): \"delta\" is needed; 1e-5 or 1 over the number of rows is usual",
		where);
	ISO_TRY(iso_events_from_json(cJSON_GetObjectItemCaseSensitive(v, "events"), "events",
				     isnan(q->target), &q->events, err));
	ISO_FAIL_IF(q->events.n == 0, err, ISO_E_CONFIG,
		    "no events (%s): the list is empty; give at least one release of private data",
		    where);
	return iso_events_check(&q->events, q->adjacency, err);
}

static int noise_kind(const iso_event *e)
{
	switch (e->mechanism) {
	case ISO_MECH_GAUSSIAN:
		return 0;
	case ISO_MECH_LAPLACE:
	case ISO_MECH_PATE_GNMAX:
	case ISO_MECH_PATE_LNMAX:
		return 1;
	default:
		return -1;
	}
}

/* The first event (inside parallel ones too) with noise of the wanted kind (-1: any). */
static const iso_event *first_noisy(const iso_events *list, int kind)
{
	for (size_t i = 0; i < list->n; i++) {
		const iso_event *e = &list->v[i];

		if (noise_kind(e) >= 0 && (kind < 0 || noise_kind(e) == kind))
			return e;
		for (size_t k = 0; k < e->nparts; k++) {
			const iso_event *inner = first_noisy(&e->parts[k], kind);

			if (inner)
				return inner;
		}
	}
	return NULL;
}

static void scale_noise(iso_events *list, double from, double to)
{
	for (size_t i = 0; i < list->n; i++) {
		iso_event *e = &list->v[i];

		if (noise_kind(e) >= 0) /* exact for the event that is solved for */
			e->noise = e->noise == from ? to : e->noise * (to / from);
		for (size_t k = 0; k < e->nparts; k++)
			scale_noise(&e->parts[k], from, to);
	}
}

struct scaling {
	const iso_events *events;
	double from;
};

static iso_status build_scaled(void *ctx, double s, iso_events *out, iso_error *err)
{
	const struct scaling *c = ctx;

	for (size_t i = 0; i < c->events->n; i++)
		ISO_TRY(iso_events_add(out, &c->events->v[i], err));
	scale_noise(out, c->from, s);
	return ISO_OK;
}

static iso_status answer_target(const question *q, const iso_account_options *o, iso_str *out,
				iso_error *err)
{
	const iso_event *e = first_noisy(&q->events, q->by_scale);
	struct scaling c = {.events = &q->events};
	const char *name;
	double s, reached;

	ISO_FAIL_IF(!e, err, ISO_E_CONFIG,
		    "nothing to solve for (events): no event has a %s; add one",
		    q->by_scale == 0   ? "noise_multiplier"
		    : q->by_scale == 1 ? "scale"
				       : "noise_multiplier or scale");
	ISO_FAIL_IF(!(e->noise > 0), err, ISO_E_CONFIG,
		    "nothing to scale (events): the noise to solve for is 0; give a positive "
		    "starting value, 1 will do");
	c.from = e->noise;
	name = noise_kind(e) == 0 ? "noise_multiplier" : "scale";
	ISO_TRY(iso_calibrate(build_scaled, &c, q->adjacency, q->target, q->delta,
			      (iso_accountant)q->accountant, &s, &reached, err));
	if (o->json) {
		iso_str_addf(out, "{\"%s\":", name);
		iso_account_number(s, out);
		iso_str_add(out, ",\"factor\":");
		iso_account_number(s / c.from, out);
		iso_str_add(out, ",\"epsilon\":");
		iso_account_number(reached, out);
		iso_str_add(out, "}\n");
		return ISO_OK;
	}
	iso_str_addf(out,
		     "%-17s%.10g  (%.6g times the noise given)\n%-17s%.6g  (%s upper bound, %s, "
		     "delta %g)\n",
		     name, s, s / c.from, "epsilon", reached,
		     iso_accountant_name((iso_accountant)q->accountant),
		     iso_adjacency_name(q->adjacency), q->delta);
	return ISO_OK;
}

static void text_line(iso_str *out, const char *name, double x, const char *note)
{
	if (isnan(x))
		iso_str_addf(out, "  %-14s -          does not apply to these events\n", name);
	else if (isinf(x))
		iso_str_addf(out, "  %-14s inf        no finite guarantee\n", name);
	else
		iso_str_addf(out, "  %-14s %-10.6g %s\n", name, x, note);
}

static iso_status answer_delta(const question *q, const iso_account_options *o, iso_str *out,
			       iso_error *err)
{
	double pld, rdp;

	ISO_TRY(iso_account_delta(&q->events, q->adjacency, q->epsilon, &pld, &rdp, err));
	if (o->json) {
		iso_str_add(out, "{\"epsilon\":");
		iso_account_number(q->epsilon, out);
		iso_str_addf(out, ",\"adjacency\":\"%s\",\"delta\":{\"pld\":",
			     iso_adjacency_name(q->adjacency));
		iso_account_number(pld, out);
		iso_str_add(out, ",\"rdp\":");
		iso_account_number(rdp, out);
		iso_str_add(out, "}}\n");
		return ISO_OK;
	}
	iso_str_addf(out, "adjacency        %s\nepsilon          %g\ndelta\n",
		     iso_adjacency_name(q->adjacency), q->epsilon);
	text_line(out, "pld", pld, "upper bound");
	text_line(out, "rdp", rdp, "upper bound");
	return ISO_OK;
}

static void epsilon_json(const question *q, const iso_epsilons *e, iso_str *out)
{
	const struct {
		const char *before;
		double x;
	} part[] = {{",\"epsilon\":{\"pld\":{\"lower\":", e->pld_lower},
		    {",\"upper\":", e->pld_upper},
		    {"},\"rdp\":", e->rdp},
		    {",\"rdp_classic\":", e->rdp_classic},
		    {",\"moments\":", e->moments},
		    {",\"gdp\":", e->gdp},
		    {"},\"data_dependent\":{\"rdp\":", e->data_dependent_rdp},
		    {"},\"order\":{\"rdp\":", e->rdp_order}};

	iso_str_add(out, "{\"delta\":");
	iso_account_number(q->delta, out);
	iso_str_addf(out, ",\"adjacency\":\"%s\"", iso_adjacency_name(q->adjacency));
	for (size_t i = 0; i < ISO_COUNT(part); i++) {
		iso_str_add(out, part[i].before);
		iso_account_number(part[i].x, out);
	}
	iso_str_add(out, "}}\n");
}

static iso_status answer_epsilon(const question *q, const iso_account_options *o, iso_str *out,
				 iso_error *err)
{
	iso_epsilons e;
	char note[64] = "upper bound";

	ISO_TRY(iso_account_epsilon(&q->events, q->adjacency, q->delta, ISO_WANT_ALL, &e, err));
	if (o->json) {
		epsilon_json(q, &e, out);
		return ISO_OK;
	}
	if (isfinite(e.rdp_order))
		snprintf(note, sizeof(note), "upper bound (order %.4g)", e.rdp_order);
	iso_str_addf(out, "adjacency        %s\ndelta            %g\nepsilon\n",
		     iso_adjacency_name(q->adjacency), q->delta);
	text_line(out, "pld", e.pld_upper, "upper bound, certified");
	text_line(out, "  at least", e.pld_lower, "lower bound, certified");
	text_line(out, "rdp", e.rdp, note);
	text_line(out, "rdp (classic)", e.rdp_classic, "upper bound, older conversion");
	text_line(out, "moments", e.moments, "upper bound, integer orders up to 33");
	text_line(out, "gdp", e.gdp, "APPROXIMATION by the central limit theorem, not a guarantee");
	if (!isnan(e.data_dependent_rdp))
		text_line(out, "rdp of votes", e.data_dependent_rdp,
			  "DATA-DEPENDENT diagnostic: itself private, not a guarantee");
	return ISO_OK;
}

iso_status iso_account_answer(const cJSON *v, const char *where, const iso_account_options *o,
			      iso_str *out, iso_error *err)
{
	question q;
	iso_status st = read_question(v, o, where, &q, err);

	if (st == ISO_OK)
		st = !isnan(q.target)	 ? answer_target(&q, o, out, err)
		     : !isnan(q.epsilon) ? answer_delta(&q, o, out, err)
					 : answer_epsilon(&q, o, out, err);
	iso_events_free(&q.events);
	return st;
}

iso_status iso_account_text(const char *text, size_t n, const char *name,
			    const iso_account_options *options, iso_str *out, iso_error *err)
{
	cJSON *v = NULL;
	iso_str mine = {0};
	iso_status st;

	ISO_TRY(iso_scan_parse(text, n, name, 1, &v, err));
	st = iso_account_answer(v, name, options, &mine, err);
	cJSON_Delete(v);
	if (st == ISO_OK)
		st = iso_str_check(&mine, err);
	if (st == ISO_OK)
		iso_str_addn(out, mine.p, mine.n);
	iso_str_free(&mine);
	return st;
}
