// SPDX-License-Identifier: Apache-2.0
/* Plan, ledger and guarantee.
 *
 * PLAN: a generator lists, before it sees data, every release it will make, as a function of one
 * free noise scale. The harness calibrates the scale, then arms a ledger with the plan.  LEDGER:
 * every mechanism call names its planned entry and is booked there; a call that is not planned, or
 * that would exceed the planned count, is refused before it touches data (ISO_E_BUDGET).  At the
 * end the ledger must equal the plan.
 */
#ifndef ISO_PRIVACY_LEDGER_H
#define ISO_PRIVACY_LEDGER_H

#include "core/privacy/accountant.h"

typedef enum iso_norm { ISO_NORM_L1, ISO_NORM_L2 } iso_norm;

/* What a generator may promise. */
typedef enum iso_guarantee {
	ISO_GUARANTEE_NONE,	 /* no claim */
	ISO_GUARANTEE_HEURISTIC, /* noise, but no proof */
	ISO_GUARANTEE_DP	 /* proved, ledger complete */
} iso_guarantee;
const char *iso_guarantee_name(iso_guarantee g); /* "none", "heuristic", "dp" */

/* One planned kind of release. */
typedef struct iso_plan_item {
	char why[48]; /* name of the step, unique in (group, part): "disc-step", "label-histogram"
		       */
	iso_event event;    /* PARALLEL not allowed: use group and part */
	iso_norm norm;	    /* norm of the sensitivity */
	double sensitivity; /* of one call's aggregate, in data units: clip bound C, sqrt(d), ... */
	int group; /* 0 = sequential; items of one group > 0 with different part compose in parallel
		    */
	int part;  /* disjoint part of the records */
	uint64_t used; /* booked so far (ledger only) */
	int fixed;     /* 1: event.noise does not scale with the free scale (paid as declared) */
} iso_plan_item;

typedef struct iso_plan {
	iso_plan_item *v; /* owned */
	size_t n, cap;
} iso_plan;

iso_status iso_plan_add(iso_plan *p, const iso_plan_item *item, iso_error *err) ISO_MUST_CHECK;
void iso_plan_free(iso_plan *p);
/* The events of a plan (or of a ledger's booked counts when `used`), parallel groups nested. */
iso_status iso_plan_events(const iso_plan *p, int used, iso_events *out,
			   iso_error *err) ISO_MUST_CHECK;

/* Short-hands for planning. */
iso_status iso_plan_gaussian(iso_plan *p, const char *why, int group, int part,
			     double noise_multiplier, double rate, uint64_t count,
			     double sensitivity,
			     iso_error *err) ISO_MUST_CHECK; /* rate 1 = no sampling */
iso_status iso_plan_laplace(iso_plan *p, const char *why, int group, int part, double scale,
			    uint64_t count, double sensitivity, iso_error *err) ISO_MUST_CHECK;
iso_status iso_plan_uncharged(iso_plan *p, const char *why, iso_error *err) ISO_MUST_CHECK;

typedef struct iso_ledger iso_ledger;
struct iso_noise;
struct iso_release_key;
struct iso_replay;

/* Takes a copy of the plan.  `who` = generator name.  The key addresses the noise and the Poisson
 * batches: core/privacy/release_key.h makes it. */
iso_status iso_ledger_new(const iso_plan *plan, const char *who, iso_adjacency adj,
			  const struct iso_release_key *key, iso_ledger **out,
			  iso_error *err) ISO_MUST_CHECK;
void iso_ledger_free(iso_ledger *l);
iso_adjacency iso_ledger_adjacency(const iso_ledger *l);
/* Booked state; borrowed, valid until the next call on the ledger. */
const iso_plan *iso_ledger_items(const iso_ledger *l);
/* Handle of a planned entry; ISO_E_BUDGET with the nearest planned name if there is none. */
iso_status iso_ledger_find(const iso_ledger *l, const char *why, int part, int *handle,
			   iso_error *err) ISO_MUST_CHECK;
/* Something was chosen by looking at real data and is not paid for: visible in every table.  `why`
 * as planned or new. */
iso_status iso_ledger_uncharged(iso_ledger *l, const char *why, iso_error *err) ISO_MUST_CHECK;
size_t iso_ledger_uncharged_count(const iso_ledger *l);
/* No further release: sampling runs under a closed ledger. */
void iso_ledger_close(iso_ledger *l);
/* ISO_E_PLUGIN unless every planned count was used exactly. */
iso_status iso_ledger_settled(const iso_ledger *l, iso_error *err) ISO_MUST_CHECK;
/* Epsilon of what was booked, under the accountants of `want`; +inf if anything uncharged stands in
 * it. */
iso_status iso_ledger_epsilon(const iso_ledger *l, double delta, unsigned want, iso_epsilons *out,
			      iso_error *err) ISO_MUST_CHECK;

/* JSON of the ledger for the record, and back: round trip exact.  The value is a cJSON array (owned
 * by the caller) of
 * {"who","why","group","part","mechanism","noise","epsilon","delta","rho","sampling","rate","count","norm",
 * "sensitivity"} entries. */
struct cJSON;
iso_status iso_ledger_to_json(const iso_ledger *l, struct cJSON **out,
			      iso_error *err) ISO_MUST_CHECK;
iso_status iso_ledger_events_from_json(const struct cJSON *array, iso_events *out,
				       size_t *uncharged, iso_error *err) ISO_MUST_CHECK;

/* Record/replay (verify): attach before fit; see core/privacy/replay.h. Borrowed. */
void iso_ledger_set_replay(iso_ledger *l, struct iso_replay *r);

#endif
