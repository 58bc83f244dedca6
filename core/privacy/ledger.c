// SPDX-License-Identifier: Apache-2.0
/* Plan, ledger and guarantee: the books.  Noise and sampling are in release.c, JSON in
 * ledger_json.c. */
#include "core/privacy/ledger.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/str.h"
#include "core/privacy/ledger_private.h"
#include "core/privacy/release_key.h"

const char *iso_guarantee_name(iso_guarantee g)
{
	switch (g) {
	case ISO_GUARANTEE_HEURISTIC:
		return "heuristic";
	case ISO_GUARANTEE_DP:
		return "dp";
	default:
		return "none";
	}
}

const char *iso_unit_name(iso_unit u)
{
	return u == ISO_UNIT_CLIENT ? "client" : "record";
}

/* ------------------------------------------------------------------ index of names */

#define NOT_FOUND SIZE_MAX

static uint64_t hash_of(const iso_entry *e)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a, then a finaliser */

	for (const char *why = e->why; *why; why++)
		h = (h ^ (unsigned char)*why) * 1099511628211u;
	h = (h ^ (uint64_t)(unsigned)e->group) * 1099511628211u;
	h = (h ^ (uint64_t)(unsigned)e->part) * 1099511628211u;
	h = (h ^ (uint64_t)(unsigned)e->scope) * 1099511628211u;
	h ^= h >> 32;
	return (h * 0x9e3779b97f4a7c15u) >> 16;
}

static iso_entry name_of(const iso_plan_item *it)
{
	return (iso_entry){it->why, it->group, it->part, it->unit, it->scope};
}

/* Slots hold position + 1, 0 = empty; linear probing at most half full. */
static size_t find_item(const iso_plan *p, iso_entry e)
{
	if (!p->nslot)
		return NOT_FOUND;
	for (uint64_t k = hash_of(&e);; k++) {
		const uint32_t at = p->slot[k & (p->nslot - 1)];
		const iso_plan_item *it = at ? &p->v[at - 1] : NULL;

		if (!it)
			return NOT_FOUND;
		if (it->part == e.part && it->group == e.group && it->scope == e.scope &&
		    strcmp(it->why, e.why) == 0)
			return at - 1;
	}
}

static void put_slot(iso_plan *p, size_t i)
{
	const iso_entry name = name_of(&p->v[i]);
	uint64_t k = hash_of(&name);

	while (p->slot[k & (p->nslot - 1)])
		k++;
	p->slot[k & (p->nslot - 1)] = (uint32_t)i + 1;
}

/* Room for n names. */
static iso_status grow_index(iso_plan *p, size_t n, iso_error *err)
{
	size_t want = p->nslot ? p->nslot : 16;
	uint32_t *slot;

	while (2 * n > want)
		want *= 2;
	if (want == p->nslot)
		return ISO_OK;
	slot = iso_alloc(want, sizeof(*slot));
	if (!slot)
		return iso_no_memory(err, "the index of a plan");
	iso_free(p->slot);
	p->slot = slot;
	p->nslot = want;
	for (size_t i = 0; i < p->n; i++)
		put_slot(p, i);
	return ISO_OK;
}

/* The unit of the charged entries; `otherwise` while there are none. */
static iso_unit plan_unit(const iso_plan *p, iso_unit otherwise)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].event.mechanism != ISO_MECH_UNCHARGED)
			return p->v[i].unit;
	return otherwise;
}

/* ------------------------------------------------------------------ plan */

/* Gaussian noise is calibrated to L2, Laplace noise to L1: any other pairing has no proof behind
 * it. */
static iso_status check_item(const iso_plan *p, const iso_plan_item *it, iso_error *err)
{
	const iso_mech m = it->event.mechanism;

	ISO_FAIL_IF(it->why[0] == 0 || memchr(it->why, 0, sizeof(it->why)) == NULL, err,
		    ISO_E_PLUGIN,
		    "planned entry without a name (plan): every release says why; name it in 1 to "
		    "%zu characters",
		    sizeof(it->why) - 1);
	ISO_FAIL_IF(m == ISO_MECH_PARALLEL, err, ISO_E_PLUGIN,
		    "nested parallel event (plan: %s): a plan is flat; use group and part",
		    it->why);
	ISO_FAIL_IF(it->group < 0 || it->part < 0 || it->scope < 0, err, ISO_E_PLUGIN,
		    "group %d, part %d, scope %d (plan: %s): none may be negative; use group 0 for "
		    "sequential entries",
		    it->group, it->part, it->scope, it->why);
	ISO_FAIL_IF(
		!(it->sensitivity >= 0), err, ISO_E_PLUGIN,
		"sensitivity %g (plan: %s): must be a number and not negative; declare the clip "
		"bound",
		it->sensitivity, it->why);
	ISO_FAIL_IF((m == ISO_MECH_GAUSSIAN && it->norm != ISO_NORM_L2) ||
			    (m == ISO_MECH_LAPLACE && it->norm != ISO_NORM_L1),
		    err, ISO_E_PLUGIN,
		    "%s noise with the %s norm (plan: %s): no proof covers it; use L2 with "
		    "gaussian, L1 with "
		    "laplace",
		    iso_mech_name(m), it->norm == ISO_NORM_L1 ? "L1" : "L2", it->why);
	ISO_FAIL_IF(it->event.count == 0, err, ISO_E_PLUGIN,
		    "count 0 (plan: %s): an entry that releases nothing; leave it out", it->why);
	ISO_FAIL_IF(it->adaptive &&
			    ((m != ISO_MECH_ZCDP && m != ISO_MECH_RDP) || it->event.count != 1),
		    err, ISO_E_PLUGIN,
		    "adaptive entry of %s (plan: %s): a cap is zcdp or rdp, of count 1; use "
		    "iso_plan_adaptive_zcdp or iso_plan_adaptive_rdp",
		    iso_mech_name(m), it->why);
	ISO_FAIL_IF(m == ISO_MECH_RDP && !it->adaptive, err, ISO_E_PLUGIN,
		    "rdp entry (plan: %s): no mechanism is declared by its divergence; plan the "
		    "mechanism, or a cap",
		    it->why);
	ISO_FAIL_IF(m != ISO_MECH_UNCHARGED && p->n > 0 && it->unit != plan_unit(p, it->unit), err,
		    ISO_E_PLUGIN,
		    "two units (plan: %s): one entry protects records, another clients, and their "
		    "epsilons do not add up; plan one unit",
		    it->why);
	ISO_FAIL_IF(
		find_item(p, name_of(it)) != NOT_FOUND, err, ISO_E_PLUGIN,
		"planned twice (plan: %s, group %d, part %d): the ledger could not tell the two "
		"apart; rename one",
		it->why, it->group, it->part);
	return ISO_OK;
}

static iso_status append_item(iso_plan *p, const iso_plan_item *item, iso_error *err)
{
	ISO_FAIL_IF(p->n >= ISO_MAX_ENTRIES, err, ISO_E_PLUGIN,
		    "more than %u entries (plan): too many to check; merge entries",
		    ISO_MAX_ENTRIES);
	ISO_TRY(iso_grow(&p->v, &p->cap, p->n + 1, sizeof(*p->v), err));
	ISO_TRY(grow_index(p, p->n + 1, err));
	p->v[p->n] = *item;
	/* votes are a diagnostic of the data and have no place in a plan */
	p->v[p->n].event.votes = NULL;
	p->v[p->n].event.parts = NULL;
	p->v[p->n].event.nparts = 0;
	p->v[p->n].used = 0;
	p->v[p->n].spent = 0;
	put_slot(p, p->n);
	p->n++;
	return ISO_OK;
}

iso_status iso_plan_nest(iso_plan *p, const iso_plan *inner, int scope, iso_error *err)
{
	ISO_FAIL_IF(scope < 1, err, ISO_E_USAGE,
		    "scope %d (plan): scopes count from 1; name the part of the table", scope);
	for (size_t i = 0; i < inner->n; i++) {
		iso_plan_item it = inner->v[i];

		ISO_FAIL_IF(it.scope, err, ISO_E_PLUGIN,
			    "scope inside a scope (plan: %s): a method that deals its rows to "
			    "clients cannot stand inside another one; name another inner method",
			    it.why);
		if (it.event.mechanism != ISO_MECH_UNCHARGED)
			it.scope = scope;
		else if (find_item(p, name_of(&it)) != NOT_FOUND)
			continue; /* a look at the data stands once, whoever looked */
		ISO_TRY(iso_plan_add(p, &it, err));
	}
	return ISO_OK;
}

iso_status iso_plan_add(iso_plan *p, const iso_plan_item *item, iso_error *err)
{
	ISO_TRY(check_item(p, item, err));
	return append_item(p, item, err);
}

void iso_plan_free(iso_plan *p)
{
	if (!p)
		return;
	iso_free(p->v);
	iso_free(p->slot);
	*p = (iso_plan){0};
}

static iso_status name_item(iso_plan_item *it, iso_entry entry, iso_error *err)
{
	const size_t n = entry.why ? strlen(entry.why) : 0;

	ISO_FAIL_IF(n == 0 || n >= sizeof(it->why), err, ISO_E_PLUGIN,
		    "name of a planned entry (%.60s): it has %zu characters; use 1 to %zu",
		    entry.why ? entry.why : "", n, sizeof(it->why) - 1);
	memcpy(it->why, entry.why, n + 1);
	it->group = entry.group;
	it->part = entry.part;
	it->unit = entry.unit;
	it->scope = entry.scope;
	return ISO_OK;
}

static iso_status add_named(iso_plan *p, iso_plan_item *it, iso_entry entry, iso_error *err)
{
	ISO_TRY(name_item(it, entry, err));
	return iso_plan_add(p, it, err);
}

iso_status iso_plan_gaussian(iso_plan *p, iso_entry entry, double noise_multiplier, double rate,
			     uint64_t count, double sensitivity, iso_error *err)
{
	iso_plan_item it = {
		.event = {.mechanism = ISO_MECH_GAUSSIAN,
			  .noise = noise_multiplier,
			  .sampling = rate == 1 ? ISO_SAMPLING_NONE : ISO_SAMPLING_POISSON,
			  .rate = rate,
			  .count = count},
		.norm = ISO_NORM_L2,
		.sensitivity = sensitivity};

	return add_named(p, &it, entry, err);
}

iso_status iso_plan_laplace(iso_plan *p, iso_entry entry, double scale, uint64_t count,
			    double sensitivity, iso_error *err)
{
	iso_plan_item it = {
		.event = {.mechanism = ISO_MECH_LAPLACE, .noise = scale, .rate = 1, .count = count},
		.norm = ISO_NORM_L1,
		.sensitivity = sensitivity};

	return add_named(p, &it, entry, err);
}

iso_norm iso_event_norm(const iso_event *e)
{
	switch (e->mechanism) {
	case ISO_MECH_GAUSSIAN:
	case ISO_MECH_ZCDP:
	case ISO_MECH_PATE_GNMAX:
		return ISO_NORM_L2;
	default:
		return ISO_NORM_L1;
	}
}

iso_status iso_plan_event(iso_plan *p, iso_entry entry, const iso_event *event, double sensitivity,
			  iso_error *err)
{
	iso_plan_item it = {.event = *event, .sensitivity = sensitivity};

	it.norm = iso_event_norm(event);
	if (it.event.sampling == ISO_SAMPLING_NONE)
		it.event.rate = 1;
	return add_named(p, &it, entry, err);
}

iso_status iso_plan_adaptive_zcdp(iso_plan *p, iso_entry entry, double rho, double sensitivity,
				  iso_error *err)
{
	iso_plan_item it = {
		.event = {.mechanism = ISO_MECH_ZCDP, .rho = rho, .rate = 1, .count = 1},
		.norm = ISO_NORM_L2,
		.sensitivity = sensitivity,
		.adaptive = 1};

	return add_named(p, &it, entry, err);
}

iso_status iso_plan_adaptive_rdp(iso_plan *p, iso_entry entry, double order, double epsilon,
				 double sensitivity, iso_error *err)
{
	iso_plan_item it = {.event = {.mechanism = ISO_MECH_RDP,
				      .order = order,
				      .epsilon = epsilon,
				      .rate = 1,
				      .count = 1},
			    .norm = ISO_NORM_L2,
			    .sensitivity = sensitivity,
			    .adaptive = 1};

	return add_named(p, &it, entry, err);
}

iso_status iso_plan_uncharged(iso_plan *p, const char *why, iso_error *err)
{
	iso_plan_item it = {.event = {.mechanism = ISO_MECH_UNCHARGED, .rate = 1, .count = 1},
			    .fixed = 1};

	return add_named(p, &it, (iso_entry){.why = why}, err);
}

/* ------------------------------------------------------------------ ledger */

/* A plan with nothing to charge is legal: controls and non-private methods. */
static iso_status check_plan(const iso_plan *plan, iso_adjacency adj, iso_error *err)
{
	iso_events events = {0};
	iso_status st;

	ISO_TRY(iso_plan_events(plan, 0, &events, err));
	st = events.n ? iso_events_check(&events, adj, err) : ISO_OK;
	iso_events_free(&events);
	return st;
}

iso_status iso_ledger_new(const iso_plan *plan, const char *who, iso_adjacency adj,
			  const iso_release_key *key, iso_ledger **out, iso_error *err)
{
	iso_ledger *l = iso_alloc(1, sizeof(*l));
	iso_status st = ISO_OK;

	*out = NULL;
	if (!l)
		return iso_no_memory(err, "a ledger");
	for (size_t i = 0; i + 1 < sizeof(l->who) && who[i]; i++)
		l->who[i] = who[i];
	l->adjacency = adj;
	ISO_TRY_OUT(iso_grow(&l->plan.v, &l->plan.cap, plan->n, sizeof(*plan->v), err));
	ISO_TRY_OUT(grow_index(&l->plan, plan->n, err));
	for (size_t i = 0; i < plan->n; i++) {
		ISO_TRY_OUT(check_item(&l->plan, &plan->v[i], err));
		ISO_TRY_OUT(append_item(&l->plan, &plan->v[i], err));
		if (plan->v[i].prior)
			l->plan.v[i].used = plan->v[i].event.count;
	}
	ISO_TRY_OUT(iso_grow(&l->state, &l->state_cap, l->plan.n + 1, sizeof(*l->state), err));
	ISO_TRY_OUT(check_plan(&l->plan, adj, err));
	ISO_TRY_OUT(iso_noise_new(key->digest, key->secure, &l->noise, err));
	/* The batches must be as secret as the noise: amplification by sampling assumes it.  So
	 * their key is drawn from the noise and not from the master seed directly; in secure mode
	 * the coins themselves come from the noise (release.c). */
	ISO_TRY_OUT(iso_noise_words(l->noise, ISO_STREAM_SAMPLING, 0, 0, 1, &l->sampling.k, err));
	*out = l;
	return ISO_OK;
out:
	iso_ledger_free(l);
	return st;
}

void iso_ledger_free(iso_ledger *l)
{
	if (!l)
		return;
	iso_noise_free(l->noise);
	iso_free(l->state);
	iso_plan_free(&l->plan);
	iso_free(l);
}

iso_adjacency iso_ledger_adjacency(const iso_ledger *l)
{
	return l->adjacency;
}

const iso_plan *iso_ledger_items(const iso_ledger *l)
{
	return &l->plan;
}

void iso_ledger_set_replay(iso_ledger *l, struct iso_replay *r)
{
	l->replay = r;
}

static iso_status not_planned(const iso_ledger *l, iso_entry e, iso_error *err)
{
	const char **names = iso_alloc(l->plan.n + 1, sizeof(*names));
	const char *near = NULL;
	iso_status st;

	for (size_t i = 0; names && i < l->plan.n; i++)
		names[i] = l->plan.v[i].why;
	if (names)
		near = iso_nearest_word(e.why, names, l->plan.n);
	st = iso_fail(err, ISO_E_BUDGET,
		      "release that is not planned (%s: %s, group %d, part %d, scope %d): the plan "
		      "has %zu entries%s%s%s; plan it",
		      l->who, e.why, e.group, e.part, e.scope, l->plan.n,
		      near ? ", the nearest is \"" : "", near ? near : "", near ? "\"" : "");
	iso_free(names);
	return st;
}

iso_status iso_ledger_scope(iso_ledger *l, int scope, iso_error *err)
{
	ISO_FAIL_IF(scope < 0 || (scope > 0 && l->scope > 0), err, ISO_E_PLUGIN,
		    "scope %d inside scope %d (%s): scopes do not nest; end one by scope 0 first",
		    scope, l->scope, l->who);
	l->scope = scope;
	return ISO_OK;
}

iso_status iso_ledger_find(const iso_ledger *l, iso_entry entry, int *handle, iso_error *err)
{
	entry.scope = l->scope ? l->scope : entry.scope;
	const size_t i = find_item(&l->plan, entry);

	*handle = -1;
	if (i == NOT_FOUND)
		return not_planned(l, entry, err);
	ISO_FAIL_IF(l->plan.v[i].unit != entry.unit &&
			    l->plan.v[i].event.mechanism != ISO_MECH_UNCHARGED,
		    err, ISO_E_BUDGET,
		    "other unit than planned (%s: %s, part %d): the plan protects a %s, the call a "
		    "%s; name the planned unit",
		    l->who, entry.why, entry.part, iso_unit_name(l->plan.v[i].unit),
		    iso_unit_name(entry.unit));
	*handle = (int)i;
	return ISO_OK;
}

iso_status iso_ledger_entry(const iso_ledger *l, int handle, const iso_plan_item **item,
			    iso_error *err)
{
	*item = NULL;
	ISO_FAIL_IF(handle < 0 || (size_t)handle >= l->plan.n, err, ISO_E_BUDGET,
		    "entry %d of the ledger (%s): the plan has %zu entries; get the handle from "
		    "iso_ledger_find",
		    handle, l->who, l->plan.n);
	*item = &l->plan.v[handle];
	return ISO_OK;
}

iso_status iso_ledger_uncharged(iso_ledger *l, const char *why, iso_error *err)
{
	iso_plan_item it = {.event = {.mechanism = ISO_MECH_UNCHARGED, .rate = 1, .count = 1},
			    .fixed = 1};

	ISO_FAIL_IF(l->closed, err, ISO_E_BUDGET,
		    "uncharged use of data (%s: %s): the ledger is closed; do it in fit", l->who,
		    why);
	for (size_t i = 0; i < l->plan.n; i++) {
		if (strcmp(l->plan.v[i].why, why) != 0)
			continue;
		ISO_FAIL_IF(l->plan.v[i].event.mechanism != ISO_MECH_UNCHARGED, err, ISO_E_PLUGIN,
			    "uncharged use of data (%s: %s): an entry of that name is paid for; "
			    "use another name",
			    l->who, why);
		l->plan.v[i].used++;
		return ISO_OK;
	}
	ISO_TRY(name_item(&it, (iso_entry){.why = why}, err));
	ISO_TRY(iso_grow(&l->state, &l->state_cap, l->plan.n + 1, sizeof(*l->state), err));
	ISO_TRY(append_item(&l->plan, &it, err));
	l->plan.v[l->plan.n - 1].used = 1;
	l->state[l->plan.n - 1] = (iso_entry_state){.appended = 1};
	return ISO_OK;
}

size_t iso_ledger_uncharged_count(const iso_ledger *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->plan.n; i++)
		n += l->plan.v[i].event.mechanism == ISO_MECH_UNCHARGED && l->plan.v[i].used > 0;
	return n;
}

void iso_ledger_close(iso_ledger *l)
{
	l->closed = 1;
}

iso_status iso_ledger_settled(const iso_ledger *l, iso_error *err)
{
	for (size_t i = 0; i < l->plan.n; i++) {
		const iso_plan_item *it = &l->plan.v[i];

		/* an uncharged look at the data has no count: once announced it must have happened
		 */
		if (it->event.mechanism == ISO_MECH_UNCHARGED && it->used > 0)
			continue;
		ISO_FAIL_IF(!it->adaptive && it->used != it->event.count, err, ISO_E_PLUGIN,
			    "ledger differs from the plan (%s: %s, part %d): %llu of %llu planned "
			    "releases were made; "
			    "plan what "
			    "fit does",
			    l->who, it->why, it->part, (unsigned long long)it->used,
			    (unsigned long long)it->event.count);
		ISO_FAIL_IF(l->state[i].open, err, ISO_E_PLUGIN,
			    "release begun and not finished (%s: %s, part %d): its noise was never "
			    "added; finish every "
			    "call",
			    l->who, it->why, it->part);
	}
	return ISO_OK;
}

static void make_infinite(iso_epsilons *e)
{
	double *const field[] = {&e->pld_lower,	  &e->pld_upper, &e->rdp,
				 &e->rdp_classic, &e->moments,	 &e->gdp};

	/* NaN stays: "does not apply" or not asked for */
	for (size_t i = 0; i < ISO_COUNT(field); i++)
		if (!isnan(*field[i]))
			*field[i] = INFINITY;
}

static iso_status epsilon_of(const iso_ledger *l, const iso_whose *whose, double delta,
			     unsigned want, iso_epsilons *out, iso_error *err)
{
	iso_events events = {0};
	iso_status st;

	ISO_TRY(iso_plan_events_of(&l->plan, 1, whose, &events, err));
	if (events.n == 0) {
		/* nothing was released: epsilon 0 under every accountant */
		*out = (iso_epsilons){.rdp_order = NAN, .data_dependent_rdp = NAN};
		if (!(want & ISO_WANT_PLD))
			out->pld_lower = out->pld_upper = NAN;
		if (!(want & ISO_WANT_RDP))
			out->rdp = out->rdp_classic = NAN;
		if (!(want & ISO_WANT_MOMENTS))
			out->moments = NAN;
		if (!(want & ISO_WANT_GDP))
			out->gdp = NAN;
		return ISO_OK;
	}
	st = iso_account_epsilon(&events, l->adjacency, delta, want, out, err);
	iso_events_free(&events);
	if (st == ISO_OK && iso_ledger_uncharged_count(l) > 0)
		make_infinite(out);
	return st;
}

iso_status iso_ledger_epsilon(const iso_ledger *l, double delta, unsigned want, iso_epsilons *out,
			      iso_error *err)
{
	return epsilon_of(l, NULL, delta, want, out, err);
}

iso_status iso_ledger_epsilon_of(const iso_ledger *l, int group, int part, double delta,
				 unsigned want, iso_epsilons *out, iso_error *err)
{
	ISO_FAIL_IF(group < 1 || part < 0, err, ISO_E_USAGE,
		    "part of a ledger (%s): group %d, part %d; groups count from 1, parts from 0",
		    l->who, group, part);
	return epsilon_of(l, &(iso_whose){.group = group, .part = part}, delta, want, out, err);
}

iso_status iso_ledger_epsilon_in(const iso_ledger *l, int scope, double delta, unsigned want,
				 iso_epsilons *out, iso_error *err)
{
	ISO_FAIL_IF(scope < 1, err, ISO_E_USAGE, "scope %d of a ledger (%s): scopes count from 1",
		    scope, l->who);
	return epsilon_of(l, &(iso_whose){.scope = scope}, delta, want, out, err);
}
