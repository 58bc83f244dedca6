// SPDX-License-Identifier: Apache-2.0
/* The privacy filter of adaptive entries.
 *
 * Feldman and Zrnic 2021 (arXiv 2008.11193), Theorem 4.3: let the k-th release, given all earlier
 * ones, have Renyi divergence at most r_k at order a, r_k chosen by looking at the earlier
 * releases. If the sequence stops before sum r_k exceeds B, the whole has divergence at most B at
 * order a. The filter is that stopping rule.  One order is one filter; zCDP bounds every order at
 * once by a * rho, so a cap in rho filters all orders together.
 */
#include <math.h>

#include "core/privacy/account_private.h"
#include "core/privacy/ledger_private.h"

/* A cap is often spent in equal shares, whose sum may round above it. */
#define CAP_ROUNDING (1 + 1e-12)

const iso_event *iso_ledger_event(const iso_ledger *l, int handle)
{
	return l->plan.v[handle].adaptive ? &l->state[handle].now : &l->plan.v[handle].event;
}

double iso_ledger_unit(const iso_ledger *l)
{
	return l->adjacency == ISO_REPLACE_ONE ? 2 : 1;
}

/* rho of one release; NaN where none is known.  Pure epsilon: epsilon^2 / 2 (Bun and Steinke 2016,
 * Proposition 3); bounded range: epsilon^2 / 8 (Cesar and Rogers 2021, Lemma 3.4). */
static double zcdp_of(const iso_event *e, iso_adjacency adj)
{
	const double unit = adj == ISO_REPLACE_ONE ? 2 : 1;

	switch (e->mechanism) {
	case ISO_MECH_GAUSSIAN:
		return e->sampling == ISO_SAMPLING_NONE ? unit * unit / (2 * e->noise * e->noise)
							: NAN;
	case ISO_MECH_LAPLACE:
		return unit * unit / (2 * e->noise * e->noise);
	case ISO_MECH_EXPONENTIAL:
		return e->epsilon * e->epsilon / 8;
	case ISO_MECH_PURE:
	case ISO_MECH_RANDOMIZED_RESPONSE:
		return e->delta > 0 ? NAN : e->epsilon * e->epsilon / 2;
	case ISO_MECH_ZCDP:
		return e->rho;
	case ISO_MECH_PATE_GNMAX: /* two counts by one: L2 sensitivity sqrt 2 */
		return 1 / (e->noise * e->noise);
	case ISO_MECH_PATE_LNMAX:
		return 2 / (e->noise * e->noise);
	default:
		return NAN;
	}
}

static double cost_of(const iso_plan_item *it, const iso_event *e, iso_adjacency adj)
{
	if (it->event.mechanism == ISO_MECH_ZCDP)
		return (double)e->count * zcdp_of(e, adj);
	if (e->mechanism == ISO_MECH_PARALLEL || e->mechanism == ISO_MECH_UNCHARGED ||
	    (e->mechanism == ISO_MECH_PURE && e->delta > 0))
		return NAN;
	return iso_event_rdp(e, adj, it->event.order, 0);
}

static double cap_of(const iso_plan_item *it)
{
	return it->event.mechanism == ISO_MECH_ZCDP ? it->event.rho : it->event.epsilon;
}

double iso_ledger_left(const iso_ledger *l, int handle)
{
	const iso_plan_item *it;

	if (handle < 0 || (size_t)handle >= l->plan.n || !l->plan.v[handle].adaptive)
		return 0;
	it = &l->plan.v[handle];
	return fmax(0, cap_of(it) - it->spent);
}

static iso_status check_event(const iso_ledger *l, const iso_event *e, iso_error *err)
{
	iso_events list = {.v = (iso_event *)(uintptr_t)e, .n = 1, .cap = 1};

	return iso_events_check(&list, l->adjacency, err);
}

iso_status iso_ledger_spend(iso_ledger *l, int handle, const iso_event *event, iso_error *err)
{
	const iso_plan_item *it;
	iso_entry_state *s;
	double cost;

	ISO_TRY(iso_ledger_entry(l, handle, &it, err));
	s = &l->state[handle];
	ISO_FAIL_IF(l->closed, err, ISO_E_BUDGET,
		    "charge after training (%s: %s, part %d): the ledger is closed; spend in fit",
		    l->who, it->why, it->part);
	ISO_FAIL_IF(!it->adaptive, err, ISO_E_BUDGET,
		    "charge of a fixed entry (%s: %s, part %d): its events are planned; plan a cap",
		    l->who, it->why, it->part);
	ISO_FAIL_IF(
		s->left > 0 || s->open, err, ISO_E_BUDGET,
		"charge before the last one was used (%s: %s, part %d): %llu calls are paid for "
		"and were not made; make them first",
		l->who, it->why, it->part, (unsigned long long)s->left);
	ISO_TRY(check_event(l, event, err));
	cost = cost_of(it, event, l->adjacency);
	ISO_FAIL_IF(
		isnan(cost), err, ISO_E_UNSUPPORTED,
		"charge of a %s event (%s: %s, part %d): it has no cost under a cap in %s; plan "
		"the cap in rdp, or the event itself",
		iso_mech_name(event->mechanism), l->who, it->why, it->part,
		iso_mech_name(it->event.mechanism));
	ISO_FAIL_IF(
		!(it->spent + cost <= cap_of(it) * CAP_ROUNDING), err, ISO_E_BUDGET,
		"cap exceeded (%s: %s, part %d): %.9g of %.9g is spent, %.9g more is asked for; "
		"ask iso_ledger_left and stop, or spend less",
		l->who, it->why, it->part, it->spent, cap_of(it), cost);
	l->plan.v[handle].spent += cost;
	s->now = *event;
	s->now.votes = NULL;
	s->now.queries = 0;
	s->left = event->count;
	return ISO_OK;
}
