// SPDX-License-Identifier: Apache-2.0
#include "core/privacy/event.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/privacy/account_private.h"

#define MAX_EVENTS 100000 /* of one list, nested lists included */
#define MAX_DEPTH 8
#define MAX_COUNT 1000000000000ull
#define MAX_CLASSES 100000
#define MAX_PARAMETER 1e100

const char *iso_mech_name(iso_mech m)
{
	switch (m) {
	case ISO_MECH_GAUSSIAN:
		return "gaussian";
	case ISO_MECH_LAPLACE:
		return "laplace";
	case ISO_MECH_EXPONENTIAL:
		return "exponential";
	case ISO_MECH_PURE:
		return "pure";
	case ISO_MECH_ZCDP:
		return "zcdp";
	case ISO_MECH_RANDOMIZED_RESPONSE:
		return "randomized-response";
	case ISO_MECH_RDP:
		return "rdp";
	case ISO_MECH_PATE_LNMAX:
		return "pate-lnmax";
	case ISO_MECH_PATE_GNMAX:
		return "pate-gnmax";
	case ISO_MECH_PARALLEL:
		return "parallel";
	case ISO_MECH_UNCHARGED:
		return "uncharged";
	}
	return "unknown";
}

const char *iso_adjacency_name(iso_adjacency a)
{
	return a == ISO_REPLACE_ONE ? "replace-one" : "add-remove";
}

const char *iso_sampling_name(iso_sampling s)
{
	switch (s) {
	case ISO_SAMPLING_NONE:
		return "none";
	case ISO_SAMPLING_POISSON:
		return "poisson";
	case ISO_SAMPLING_WITHOUT_REPLACEMENT:
		return "without-replacement";
	}
	return "unknown";
}

static void event_free(iso_event *e)
{
	iso_free(e->votes);
	for (size_t i = 0; i < e->nparts && e->parts; i++)
		iso_events_free(&e->parts[i]);
	iso_free(e->parts);
	memset(e, 0, sizeof(*e));
}

void iso_events_free(iso_events *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->n; i++)
		event_free(&list->v[i]);
	iso_free(list->v);
	memset(list, 0, sizeof(*list));
}

/* Deep copy of src into the zeroed or shallow-copied dst. */
static iso_status event_copy(iso_event *dst, const iso_event *src, iso_error *err)
{
	*dst = *src;
	dst->votes = NULL;
	dst->parts = NULL;
	dst->nparts = 0;
	if (src->votes) {
		size_t n;

		if (__builtin_mul_overflow(src->queries, src->classes, &n))
			return iso_no_memory(err, "votes");
		dst->votes = iso_alloc(n, sizeof(double));
		if (!dst->votes)
			return iso_no_memory(err, "votes");
		memcpy(dst->votes, src->votes, n * sizeof(double));
	}
	if (src->parts && src->nparts) {
		dst->parts = iso_alloc(src->nparts, sizeof(*dst->parts));
		if (!dst->parts) {
			event_free(dst);
			return iso_no_memory(err, "parts of a parallel event");
		}
		dst->nparts = src->nparts;
		for (size_t i = 0; i < src->nparts; i++)
			for (size_t k = 0; k < src->parts[i].n; k++) {
				iso_status st =
					iso_events_add(&dst->parts[i], &src->parts[i].v[k], err);

				if (st != ISO_OK) {
					event_free(dst);
					return st;
				}
			}
	}
	return ISO_OK;
}

iso_status iso_events_add(iso_events *list, const iso_event *e, iso_error *err)
{
	iso_event copy;

	ISO_TRY(iso_grow(&list->v, &list->cap, list->n + 1, sizeof(*list->v), err));
	ISO_TRY(event_copy(&copy, e, err));
	list->v[list->n++] = copy;
	return ISO_OK;
}

/* Where an event stands; written out for a refusal only, since a plan may have 30,000 parts. */
typedef struct place {
	const struct place *outer;
	const char *what;
	size_t index;
} place;

#define PATH_SIZE 160

static const char *path_of(const place *where, char text[PATH_SIZE])
{
	size_t n;

	if (!where->outer) {
		snprintf(text, PATH_SIZE, "%s", where->what);
		return text;
	}
	path_of(where->outer, text);
	n = strlen(text);
	snprintf(text + n, PATH_SIZE - n, "%s[%zu]", where->what, where->index);
	return text;
}

/* A finite positive number, or a refusal that names it. */
static iso_status positive(double x, const char *field, const place *where, iso_error *err)
{
	char text[PATH_SIZE];

	if (x > 0 && x <= MAX_PARAMETER)
		return ISO_OK;
	return iso_fail(
		err, ISO_E_CONFIG,
		"wrong event (%s): %s is %g, it must be a finite number above 0; correct it",
		path_of(where, text), field, x);
}

static iso_status not_negative(double x, const char *field, const place *where, iso_error *err)
{
	char text[PATH_SIZE];

	if (x >= 0 && x <= MAX_PARAMETER)
		return ISO_OK;
	return iso_fail(
		err, ISO_E_CONFIG,
		"wrong event (%s): %s is %g, it must be a finite number, 0 or above; correct it",
		path_of(where, text), field, x);
}

static iso_status check_gaussian(const iso_event *e, iso_adjacency adj, const place *where,
				 iso_error *err)
{
	char text[PATH_SIZE];

	ISO_TRY(not_negative(e->noise, "the noise multiplier", where, err));
	if (e->sampling == ISO_SAMPLING_NONE)
		return ISO_OK;
	ISO_FAIL_IF(e->sampling != ISO_SAMPLING_POISSON &&
			    e->sampling != ISO_SAMPLING_WITHOUT_REPLACEMENT,
		    err, ISO_E_CONFIG,
		    "wrong event (%s): sampling %d is unknown; use none, poisson or "
		    "without-replacement",
		    path_of(where, text), (int)e->sampling);
	ISO_FAIL_IF(!(e->rate >= 0 && e->rate <= 1), err, ISO_E_CONFIG,
		    "wrong event (%s): the sampling rate is %g, it must lie in 0 to 1; give "
		    "expected batch size over rows",
		    path_of(where, text), e->rate);
	ISO_FAIL_IF(e->sampling == ISO_SAMPLING_WITHOUT_REPLACEMENT && adj == ISO_ADD_REMOVE, err,
		    ISO_E_CONFIG,
		    "wrong event (%s): sampling without replacement has no amplification under "
		    "add-remove; "
		    "use the adjacency replace-one, or poisson sampling",
		    path_of(where, text));
	return ISO_OK;
}

static iso_status check_pate(const iso_event *e, const place *where, iso_error *err)
{
	char text[PATH_SIZE];

	ISO_TRY(positive(e->noise, "the noise scale", where, err));
	if (!e->votes)
		return ISO_OK;
	ISO_FAIL_IF(e->classes < 2 || e->classes > MAX_CLASSES || e->queries != e->count, err,
		    ISO_E_CONFIG,
		    "wrong event (%s): votes of %zu queries over %zu classes with count %llu; "
		    "give one row of at least 2 counts per query",
		    path_of(where, text), e->queries, e->classes, (unsigned long long)e->count);
	for (size_t i = 0; i < e->queries * e->classes; i++)
		ISO_FAIL_IF(!(e->votes[i] >= 0 && e->votes[i] <= 1e15), err, ISO_E_CONFIG,
			    "wrong event (%s): vote %zu of query %zu is %g, it must be a count of "
			    "0 or above; correct it",
			    path_of(where, text), i % e->classes, i / e->classes, e->votes[i]);
	return ISO_OK;
}

static iso_status check_list(const iso_events *list, iso_adjacency adj, const place *where,
			     int depth, size_t *total, iso_error *err);

static iso_status check_parallel(const iso_event *e, iso_adjacency adj, const place *where,
				 int depth, size_t *total, iso_error *err)
{
	char text[PATH_SIZE];

	ISO_FAIL_IF(e->nparts == 0 || !e->parts, err, ISO_E_CONFIG,
		    "wrong event (%s): a parallel event without groups; list the events of each "
		    "disjoint part",
		    path_of(where, text));
	ISO_FAIL_IF(e->count != 1, err, ISO_E_CONFIG,
		    "wrong event (%s): a parallel event with count %llu; put the counts on the "
		    "events inside",
		    path_of(where, text), (unsigned long long)e->count);
	ISO_FAIL_IF(depth >= MAX_DEPTH, err, ISO_E_CONFIG,
		    "wrong event (%s): parallel events nested deeper than %d; flatten them",
		    path_of(where, text), MAX_DEPTH);
	for (size_t i = 0; i < e->nparts; i++) {
		const place inner = {.outer = where, .what = ".groups", .index = i};

		ISO_TRY(check_list(&e->parts[i], adj, &inner, depth + 1, total, err));
	}
	return ISO_OK;
}

static iso_status check_event(const iso_event *e, iso_adjacency adj, const place *where, int depth,
			      size_t *total, iso_error *err)
{
	char text[PATH_SIZE];

	ISO_FAIL_IF(e->count == 0 || e->count > MAX_COUNT, err, ISO_E_CONFIG,
		    "wrong event (%s): count is %llu, it must lie in 1 to 1e12; correct it",
		    path_of(where, text), (unsigned long long)e->count);
	ISO_FAIL_IF(
		e->sampling != ISO_SAMPLING_NONE && e->mechanism != ISO_MECH_GAUSSIAN, err,
		ISO_E_CONFIG,
		"wrong event (%s): sampling of a %s mechanism is not accounted; drop the sampling",
		path_of(where, text), iso_mech_name(e->mechanism));
	switch (e->mechanism) {
	case ISO_MECH_GAUSSIAN:
		return check_gaussian(e, adj, where, err);
	case ISO_MECH_LAPLACE:
		return positive(e->noise, "the scale", where, err);
	case ISO_MECH_PURE:
		ISO_FAIL_IF(!(e->delta >= 0 && e->delta < 1), err, ISO_E_CONFIG,
			    "wrong event (%s): delta is %g, it must lie in 0 to 1, 1 excluded; "
			    "correct it",
			    path_of(where, text), e->delta);
		return not_negative(e->epsilon, "epsilon", where, err);
	case ISO_MECH_EXPONENTIAL:
	case ISO_MECH_RANDOMIZED_RESPONSE:
		return not_negative(e->epsilon, "epsilon", where, err);
	case ISO_MECH_ZCDP:
		return not_negative(e->rho, "rho", where, err);
	case ISO_MECH_RDP:
		ISO_FAIL_IF(
			!(e->order > 1 && e->order <= MAX_PARAMETER), err, ISO_E_CONFIG,
			"wrong event (%s): the order is %g, it must be a finite number above 1; "
			"correct it",
			path_of(where, text), e->order);
		return not_negative(e->epsilon, "epsilon", where, err);
	case ISO_MECH_PATE_LNMAX:
	case ISO_MECH_PATE_GNMAX:
		return check_pate(e, where, err);
	case ISO_MECH_PARALLEL:
		return check_parallel(e, adj, where, depth, total, err);
	case ISO_MECH_UNCHARGED:
		return ISO_OK;
	}
	return iso_fail(err, ISO_E_CONFIG,
			"wrong event (%s): mechanism %d is unknown; use a listed one",
			path_of(where, text), (int)e->mechanism);
}

static iso_status check_list(const iso_events *list, iso_adjacency adj, const place *where,
			     int depth, size_t *total, iso_error *err)
{
	char text[PATH_SIZE];

	*total += list->n;
	ISO_FAIL_IF(list->n && !list->v, err, ISO_E_CONFIG,
		    "wrong event list (%s): no events behind the count", path_of(where, text));
	ISO_FAIL_IF(*total > MAX_EVENTS, err, ISO_E_CONFIG,
		    "wrong event list (%s): more than %d events; join equal ones with count",
		    path_of(where, text), MAX_EVENTS);
	for (size_t i = 0; i < list->n; i++) {
		const place inner = {.outer = where, .what = "", .index = i};

		ISO_TRY(check_event(&list->v[i], adj, &inner, depth, total, err));
	}
	return ISO_OK;
}

iso_status iso_events_check(const iso_events *list, iso_adjacency adj, iso_error *err)
{
	const place events = {.what = "events"};
	size_t total = 0;

	ISO_FAIL_IF(!list, err, ISO_E_CONFIG, "wrong event list (events): missing; give a list");
	ISO_FAIL_IF(adj != ISO_ADD_REMOVE && adj != ISO_REPLACE_ONE, err, ISO_E_CONFIG,
		    "wrong adjacency (events): %d is unknown; use add-remove or replace-one",
		    (int)adj);
	return check_list(list, adj, &events, 0, &total, err);
}
