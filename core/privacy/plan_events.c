// SPDX-License-Identifier: Apache-2.0
/* The events of a flat plan: scopes and groups become parallel events, groups nested in scopes. */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/privacy/ledger_private.h"

/* A cap costs what it is, however much of it was spent: that is what the filter proves. */
static uint64_t event_count(const iso_plan_item *it, int used)
{
	return used && !it->adaptive ? it->used : it->event.count;
}

static iso_status add_event(iso_events *list, const iso_plan_item *it, int used, iso_error *err)
{
	iso_event e = it->event;

	e.count = event_count(it, used);
	if (e.queries)
		e.queries = (size_t)e.count;
	return iso_events_add(list, &e, err);
}

typedef struct place {
	int scope, group, part;
	size_t at;
} place;

static int by_place(const void *a_, const void *b_)
{
	const place *a = a_, *b = b_;

	if (a->scope != b->scope)
		return a->scope < b->scope ? -1 : 1;
	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	if (a->part != b->part)
		return a->part < b->part ? -1 : 1;
	return a->at < b->at ? -1 : a->at > b->at;
}

/* Every item counts, the uncharged ones outside all scopes and groups; in order of scope, group,
 * part and position. */
static size_t places_of(const iso_plan *p, int used, place *out)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++) {
		const iso_plan_item *it = &p->v[i];
		const int charged = it->event.mechanism != ISO_MECH_UNCHARGED;

		if (event_count(it, used))
			out[n++] =
				charged ? (place){it->scope, it->group, it->group ? it->part : 0, i}
					: (place){.at = i};
	}
	qsort(out, n, sizeof(*out), by_place);
	return n;
}

typedef struct lister {
	const iso_plan *p;
	int used;
	const iso_whose *whose;
	iso_error *err;
} lister;

static iso_status add_all(const lister *x, const place *at, size_t n, iso_events *out)
{
	for (size_t i = 0; i < n; i++)
		ISO_TRY(add_event(out, &x->p->v[at[i].at], x->used, x->err));
	return ISO_OK;
}

/* Of places that agree up to the field that `same` compares, the first range. */
static size_t range(const place *at, size_t n, int (*same)(const place *, const place *))
{
	size_t i = 1;

	while (i < n && same(at, at + i))
		i++;
	return i;
}

static int same_scope(const place *a, const place *b)
{
	return a->scope == b->scope;
}

static int same_group(const place *a, const place *b)
{
	return a->group == b->group;
}

static int same_part(const place *a, const place *b)
{
	return a->part == b->part;
}

/* Room for exactly n events: there may be 30,000 parts. */
static iso_status start_part(iso_events *part, size_t n, iso_error *err)
{
	part->cap = n;
	part->v = iso_alloc(n, sizeof(*part->v));
	return part->v ? ISO_OK : iso_no_memory(err, "a parallel group");
}

/* Places at[0..n) as one parallel event, a part for every range of `same`, filled by `fill`. */
static iso_status
add_parallel(const lister *x, const place *at, size_t n, int (*same)(const place *, const place *),
	     iso_status (*fill)(const lister *, const place *, size_t, iso_events *),
	     iso_events *out)
{
	iso_event e = {.mechanism = ISO_MECH_PARALLEL, .rate = 1, .count = 1};
	size_t nparts = 0;
	iso_status st = ISO_OK;

	for (size_t i = 0; i < n; i += range(at + i, n - i, same))
		nparts++;
	e.parts = iso_alloc(nparts, sizeof(*e.parts));
	if (!e.parts)
		return iso_no_memory(x->err, "a parallel group");
	for (size_t i = 0, m; i < n && st == ISO_OK; i += m) {
		m = range(at + i, n - i, same);
		st = start_part(&e.parts[e.nparts++], m, x->err);
		if (st == ISO_OK)
			st = fill(x, at + i, m, &e.parts[e.nparts - 1]);
	}
	if (st == ISO_OK)
		st = iso_grow(&out->v, &out->cap, out->n + 1, sizeof(*out->v), x->err);
	if (st == ISO_OK) {
		out->v[out->n++] = e; /* moved: 30,000 parts are not copied */
		return ISO_OK;
	}
	for (size_t i = 0; i < nparts; i++)
		iso_events_free(&e.parts[i]);
	iso_free(e.parts);
	return st;
}

/* The places of one scope: what is in sequence, then its groups. */
static iso_status add_scope(const lister *x, const place *at, size_t n, iso_events *out)
{
	const iso_whose *w = at->scope ? NULL : x->whose;

	for (size_t i = 0, m; i < n; i += m) {
		m = range(at + i, n - i, same_group);
		if (at[i].group == 0) {
			ISO_TRY(add_all(x, at + i, m, out));
		} else if (!w || w->scope || w->group != at[i].group) {
			ISO_TRY(add_parallel(x, at + i, m, same_part, add_all, out));
		} else {
			for (size_t k = i; k < i + m; k++)
				if (at[k].part == w->part)
					ISO_TRY(add_all(x, at + k, 1, out));
		}
	}
	return ISO_OK;
}

static iso_status add_scopes(const lister *x, const place *at, size_t n, iso_events *out)
{
	const size_t outside = n && at[0].scope == 0 ? range(at, n, same_scope) : 0;

	if (outside)
		ISO_TRY(add_scope(x, at, outside, out));
	if (n == outside)
		return ISO_OK;
	if (!x->whose || !x->whose->scope)
		return add_parallel(x, at + outside, n - outside, same_scope, add_scope, out);
	for (size_t i = outside, m; i < n; i += m) {
		m = range(at + i, n - i, same_scope);
		if (at[i].scope == x->whose->scope)
			return add_scope(x, at + i, m, out);
	}
	return ISO_OK;
}

iso_status iso_plan_events_of(const iso_plan *p, int used, const iso_whose *whose, iso_events *out,
			      iso_error *err)
{
	const lister x = {p, used, whose, err};
	place *at = iso_alloc(p->n + 1, sizeof(*at));
	iso_status st;

	*out = (iso_events){0};
	if (!at)
		return iso_no_memory(err, "the events of a plan");
	st = add_scopes(&x, at, places_of(p, used, at), out);
	iso_free(at);
	if (st != ISO_OK)
		iso_events_free(out);
	return st;
}

iso_status iso_plan_events(const iso_plan *p, int used, iso_events *out, iso_error *err)
{
	return iso_plan_events_of(p, used, NULL, out, err);
}
