// SPDX-License-Identifier: Apache-2.0
/* Plan, ledger and guarantee: the books.  Noise and sampling are in release.c, JSON in
 * ledger_json.c. */
#include "core/privacy/ledger.h"

#include <math.h>
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
	ISO_FAIL_IF(it->group < 0 || it->part < 0, err, ISO_E_PLUGIN,
		    "group %d, part %d (plan: %s): neither may be negative; use group 0 for "
		    "sequential entries",
		    it->group, it->part, it->why);
	ISO_FAIL_IF(!(it->sensitivity >= 0) || isinf(it->sensitivity), err, ISO_E_PLUGIN,
		    "sensitivity %g (plan: %s): must be finite and not negative; declare the clip "
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
	for (size_t i = 0; i < p->n; i++)
		ISO_FAIL_IF(p->v[i].part == it->part && strcmp(p->v[i].why, it->why) == 0, err,
			    ISO_E_PLUGIN,
			    "planned twice (plan: %s, part %d): the ledger could not tell the two "
			    "apart; rename one",
			    it->why, it->part);
	return ISO_OK;
}

static iso_status append_item(iso_plan *p, const iso_plan_item *item, iso_error *err)
{
	ISO_FAIL_IF(p->n >= ISO_MAX_ENTRIES, err, ISO_E_PLUGIN,
		    "more than %u entries (plan): too many to check; merge entries",
		    ISO_MAX_ENTRIES);
	ISO_TRY(iso_grow(&p->v, &p->cap, p->n + 1, sizeof(*p->v), err));
	p->v[p->n] = *item;
	/* votes are a diagnostic of the data and have no place in a plan */
	p->v[p->n].event.votes = NULL;
	p->v[p->n].event.parts = NULL;
	p->v[p->n].event.nparts = 0;
	p->v[p->n].used = 0;
	p->n++;
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
	*p = (iso_plan){0};
}

static iso_status name_item(iso_plan_item *it, const char *why, iso_error *err)
{
	size_t n = why ? strlen(why) : 0;

	ISO_FAIL_IF(n == 0 || n >= sizeof(it->why), err, ISO_E_PLUGIN,
		    "name of a planned entry (%.60s): it has %zu characters; use 1 to %zu",
		    why ? why : "", n, sizeof(it->why) - 1);
	memcpy(it->why, why, n + 1);
	return ISO_OK;
}

iso_status iso_plan_gaussian(iso_plan *p, const char *why, int group, int part,
			     double noise_multiplier, double rate, uint64_t count,
			     double sensitivity, iso_error *err)
{
	iso_plan_item it = {
		.event = {.mechanism = ISO_MECH_GAUSSIAN,
			  .noise = noise_multiplier,
			  .sampling = rate == 1 ? ISO_SAMPLING_NONE : ISO_SAMPLING_POISSON,
			  .rate = rate,
			  .count = count},
		.norm = ISO_NORM_L2,
		.sensitivity = sensitivity,
		.group = group,
		.part = part};

	ISO_TRY(name_item(&it, why, err));
	return iso_plan_add(p, &it, err);
}

iso_status iso_plan_laplace(iso_plan *p, const char *why, int group, int part, double scale,
			    uint64_t count, double sensitivity, iso_error *err)
{
	iso_plan_item it = {
		.event = {.mechanism = ISO_MECH_LAPLACE, .noise = scale, .rate = 1, .count = count},
		.norm = ISO_NORM_L1,
		.sensitivity = sensitivity,
		.group = group,
		.part = part};

	ISO_TRY(name_item(&it, why, err));
	return iso_plan_add(p, &it, err);
}

iso_status iso_plan_uncharged(iso_plan *p, const char *why, iso_error *err)
{
	iso_plan_item it = {.event = {.mechanism = ISO_MECH_UNCHARGED, .rate = 1, .count = 1},
			    .fixed = 1};

	ISO_TRY(name_item(&it, why, err));
	return iso_plan_add(p, &it, err);
}

/* ------------------------------------------------------------------ events */

static uint64_t event_count(const iso_plan_item *it, int used)
{
	return used ? it->used : it->event.count;
}

static iso_status add_event(iso_events *list, const iso_plan_item *it, int used, iso_error *err)
{
	iso_event e = it->event;

	e.count = event_count(it, used);
	if (e.queries)
		e.queries = (size_t)e.count;
	return iso_events_add(list, &e, err);
}

/* All parts of one group as one parallel event. `done` marks the items taken. */
static iso_status add_group(const iso_plan *p, size_t first, int used, unsigned char *done,
			    iso_events *out, iso_error *err)
{
	iso_events *parts = iso_alloc(p->n, sizeof(*parts));
	size_t nparts = 0;
	iso_status st = parts ? ISO_OK : iso_no_memory(err, "a parallel group");

	for (size_t i = first; i < p->n && st == ISO_OK; i++) {
		if (done[i] || p->v[i].group != p->v[first].group)
			continue;
		for (size_t j = i; j < p->n && st == ISO_OK; j++) {
			if (done[j] || p->v[j].group != p->v[i].group ||
			    p->v[j].part != p->v[i].part)
				continue;
			done[j] = 1;
			if (event_count(&p->v[j], used))
				st = add_event(&parts[nparts], &p->v[j], used, err);
		}
		nparts += parts[nparts].n > 0;
	}
	if (st == ISO_OK && nparts > 0) {
		const iso_event e = {.mechanism = ISO_MECH_PARALLEL,
				     .rate = 1,
				     .count = 1,
				     .parts = parts,
				     .nparts = nparts};

		st = iso_events_add(out, &e, err); /* copies */
	}
	for (size_t i = 0; parts && i < p->n; i++)
		iso_events_free(&parts[i]);
	iso_free(parts);
	return st;
}

iso_status iso_plan_events(const iso_plan *p, int used, iso_events *out, iso_error *err)
{
	unsigned char *done = iso_alloc(p->n + 1, 1);
	iso_status st = ISO_OK;

	*out = (iso_events){0};
	if (!done)
		return iso_no_memory(err, "the events of a plan");
	for (size_t i = 0; i < p->n && st == ISO_OK; i++) {
		if (done[i])
			continue;
		if (p->v[i].group > 0 && p->v[i].event.mechanism != ISO_MECH_UNCHARGED)
			st = add_group(p, i, used, done, out, err);
		else if (event_count(&p->v[i], used))
			st = add_event(out, &p->v[i], used, err);
	}
	iso_free(done);
	if (st != ISO_OK)
		iso_events_free(out);
	return st;
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
	for (size_t i = 0; i < plan->n; i++) {
		ISO_TRY_OUT(check_item(&l->plan, &plan->v[i], err));
		ISO_TRY_OUT(append_item(&l->plan, &plan->v[i], err));
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

static iso_status not_planned(const iso_ledger *l, const char *why, int part, iso_error *err)
{
	const char **names = iso_alloc(l->plan.n + 1, sizeof(*names));
	const char *near = NULL;
	iso_status st;

	for (size_t i = 0; names && i < l->plan.n; i++)
		names[i] = l->plan.v[i].why;
	if (names)
		near = iso_nearest_word(why, names, l->plan.n);
	st = iso_fail(err, ISO_E_BUDGET,
		      "release that is not planned (%s: %s, part %d): the plan has %zu "
		      "entries%s%s%s; plan it",
		      l->who, why, part, l->plan.n, near ? ", the nearest is \"" : "",
		      near ? near : "", near ? "\"" : "");
	iso_free(names);
	return st;
}

iso_status iso_ledger_find(const iso_ledger *l, const char *why, int part, int *handle,
			   iso_error *err)
{
	*handle = -1;
	for (size_t i = 0; i < l->plan.n; i++)
		if (l->plan.v[i].part == part && strcmp(l->plan.v[i].why, why) == 0) {
			*handle = (int)i;
			return ISO_OK;
		}
	return not_planned(l, why, part, err);
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
	ISO_TRY(name_item(&it, why, err));
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
		ISO_FAIL_IF(it->used != it->event.count, err, ISO_E_PLUGIN,
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

iso_status iso_ledger_epsilon(const iso_ledger *l, double delta, unsigned want, iso_epsilons *out,
			      iso_error *err)
{
	iso_events events = {0};
	iso_status st;

	ISO_TRY(iso_plan_events(&l->plan, 1, &events, err));
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
