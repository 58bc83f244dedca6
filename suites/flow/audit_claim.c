// SPDX-License-Identifier: Apache-2.0
#include "suites/flow/audit_claim.h"

#include <math.h>

/* The accountant's delta(epsilon), up to where a perfect attack on so many runs can reach; without
 * a finite epsilon, the target as a single point. */
iso_status iso_claim_of(const iso_audit_request *r, const iso_ledger *ledger, double accounted,
			double ceiling, iso_claim *out, iso_error *err)
{
	iso_events events = {0};
	iso_status st;

	out->p = (iso_profile){.epsilon = out->epsilon, .delta = out->delta, .n = ISO_CLAIM_POINTS};
	for (size_t i = 0; i < ISO_CLAIM_POINTS; i++)
		out->epsilon[i] = (ceiling + 0.5) * (double)i / (ISO_CLAIM_POINTS - 1);
	if (!isfinite(accounted) || accounted == 0) {
		const double at = isfinite(accounted) ? 0 : r->epsilon;

		out->p.n = 1;
		out->epsilon[0] = at;
		out->delta[0] = isfinite(accounted) ? 0 : r->delta;
		return ISO_OK;
	}
	ISO_TRY(iso_plan_events(iso_ledger_items(ledger), 1, &events, err));
	st = ISO_OK;
	for (size_t i = 0; i < ISO_CLAIM_POINTS && st == ISO_OK; i++) {
		double pld = NAN, rdp = NAN;

		st = iso_account_delta(&events, r->adjacency, out->epsilon[i], &pld, &rdp, err);
		out->delta[i] = isnan(pld) ? rdp : !(rdp < pld) ? pld : rdp;
		if (isnan(out->delta[i]))
			out->delta[i] = out->epsilon[i] >= accounted ? r->delta : 1;
	}
	iso_events_free(&events);
	return st;
}

iso_status iso_audit_accounted(const iso_audit_request *r, const iso_training *t, double *out,
			       iso_error *err)
{
	iso_epsilons e;

	*out = INFINITY;
	if (!t->ledger || t->guarantee != ISO_GUARANTEE_DP)
		return ISO_OK;
	ISO_TRY(iso_ledger_epsilon(t->ledger, r->delta, ISO_WANT_PLD | ISO_WANT_RDP, &e, err));
	*out = iso_epsilon_bound(&e, r->accountant);
	if (isnan(*out)) /* nothing is released, or nothing that has an epsilon */
		*out = iso_ledger_items(t->ledger)->n == 0 ? 0 : INFINITY;
	return ISO_OK;
}

/* All Gaussian sums and votes without sampling: the composition is a Gaussian mechanism itself. */
int iso_claim_is_gaussian(const iso_ledger *l)
{
	const iso_plan *items = l ? iso_ledger_items(l) : NULL;
	int any = 0;

	for (size_t i = 0; items && i < items->n; i++) {
		const iso_event *e = &items->v[i].event;
		const int sampled = e->sampling != ISO_SAMPLING_NONE && e->rate < 1;

		if ((e->mechanism != ISO_MECH_GAUSSIAN && e->mechanism != ISO_MECH_PATE_GNMAX) ||
		    sampled)
			return 0;
		any = 1;
	}
	return any;
}
