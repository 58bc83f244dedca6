// SPDX-License-Identifier: Apache-2.0
/* Plan, ledger and guarantee.
 *
 * PLAN: a generator lists, before it sees data, every release it will make, as a function of one
 * free noise scale. The harness calibrates the scale, then arms a ledger with the plan.  LEDGER:
 * every mechanism call names its planned entry and is booked there; a call that is not planned, or
 * that would exceed the planned count, is refused before it touches data (ISO_E_BUDGET).  At the
 * end the ledger must equal the plan.
 *
 * ADAPTIVE ENTRIES.  Where the parameters of a release follow from earlier releases (a rate from a
 * noisy count, the next query), the plan holds a CAP in zCDP or in Renyi DP at one order.
 * iso_ledger_spend charges every call's event under a privacy filter (Feldman and Zrnic 2021,
 * "Individual privacy accounting via a Renyi filter", Theorem 4.3: as long as the sum of the
 * adaptively chosen divergences at an order stays below a fixed cap, the whole is Renyi DP with
 * that cap at that order; zCDP is the same at all orders at once) and refuses beyond the cap.  The
 * cost of the training is the cap, however much of it was spent.
 */
#ifndef ISO_PRIVACY_LEDGER_H
#define ISO_PRIVACY_LEDGER_H

#include "core/privacy/accountant.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum iso_norm { ISO_NORM_L1, ISO_NORM_L2 } iso_norm;

/* What a generator may promise. */
typedef enum iso_guarantee {
	ISO_GUARANTEE_NONE,	 /* no claim */
	ISO_GUARANTEE_HEURISTIC, /* noise, but no proof */
	ISO_GUARANTEE_DP	 /* proved, ledger complete */
} iso_guarantee;
const char *iso_guarantee_name(iso_guarantee g); /* "none", "heuristic", "dp" */

/* Whose data a neighbouring table differs in: one record, or all records of one client
 * (user-level). A plan has one unit; the sensitivities are of that unit. */
typedef enum iso_unit { ISO_UNIT_RECORD, ISO_UNIT_CLIENT } iso_unit;
const char *iso_unit_name(iso_unit u); /* "record", "client" */

/* The name of an entry; (why, group, part, scope) is unique in a plan.  Use designated members:
 * (iso_entry){.why = "step"}. */
typedef struct iso_entry {
	const char *why; /* name of the step, 1 to 47 characters: "disc-step" */
	int group;	 /* 0 = sequential; items of one group > 0 with different part compose in
			  * parallel.  Two groups compose one after the other: a nested partition
			  * written as two groups is an upper bound. */
	int part;	 /* disjoint part of the records (or clients) */
	iso_unit unit;
	int scope; /* 0 = the whole table; k > 0: the k-th of disjoint parts of the table, each with
		    * a ledger of its own inside this one: scopes compose in parallel, and the
		    * groups of a scope inside it.  Unlike two groups this nests exactly. */
} iso_entry;

/* The least delta that a training may have: the tails that the samplers leave out stay below it. */
#define ISO_LEAST_DELTA 1e-15

/* One planned kind of release. */
typedef struct iso_plan_item {
	char why[48];
	iso_event event;    /* PARALLEL not allowed: use group and part.  Adaptive: the cap, as a
			     * ZCDP or an RDP event of count 1 */
	iso_norm norm;	    /* norm of the sensitivity */
	double sensitivity; /* the largest that a call may declare, in data units: clip bound C,
			     * sqrt(d), ...  The noise follows the sensitivity of the CALL, the plan
			     * fixes the multiplier: bounds that adapt to released things are free.
			     * INFINITY = no limit. */
	int group, part, scope;
	iso_unit unit;
	uint64_t used; /* booked so far (ledger only) */
	int fixed;     /* 1: event.noise does not scale with the free scale (paid as declared) */
	int adaptive;  /* 1: a cap */
	int prior;     /* 1: released before this training (a schema that was inferred privately);
			* booked as the ledger is made, and no call may use it */
	double spent;  /* of the cap: rho, or the divergence at the order (ledger only) */
} iso_plan_item;

typedef struct iso_plan {
	iso_plan_item *v; /* owned */
	size_t n, cap;
	uint32_t *slot; /* hash index of the names; owned, made by iso_plan_add */
	size_t nslot;
} iso_plan;

iso_status iso_plan_add(iso_plan *p, const iso_plan_item *item, iso_error *err) ISO_MUST_CHECK;
void iso_plan_free(iso_plan *p);
/* The events of a plan (or of a ledger's booked counts when `used`), parallel groups nested. */
iso_status iso_plan_events(const iso_plan *p, int used, iso_events *out,
			   iso_error *err) ISO_MUST_CHECK;

/* Short-hands for planning. */
iso_status iso_plan_gaussian(iso_plan *p, iso_entry entry, double noise_multiplier, double rate,
			     uint64_t count, double sensitivity,
			     iso_error *err) ISO_MUST_CHECK; /* rate 1 = no sampling */
iso_status iso_plan_laplace(iso_plan *p, iso_entry entry, double scale, uint64_t count,
			    double sensitivity, iso_error *err) ISO_MUST_CHECK;
/* Mechanisms that are declared by what they cost, under the adjacency of the ledger: EXPONENTIAL
 * and RANDOMIZED_RESPONSE (epsilon), PURE (epsilon and, for an open histogram, delta), ZCDP (rho).
 * sensitivity: of one record more or less; the doors double it under replace-one. */
iso_status iso_plan_event(iso_plan *p, iso_entry entry, const iso_event *event, double sensitivity,
			  iso_error *err) ISO_MUST_CHECK;
/* A cap: rho > 0 in zCDP, or `epsilon` of Renyi divergence at `order` > 1 (needed for sampled
 * Gaussians, which have no zCDP). */
iso_status iso_plan_adaptive_zcdp(iso_plan *p, iso_entry entry, double rho, double sensitivity,
				  iso_error *err) ISO_MUST_CHECK;
iso_status iso_plan_adaptive_rdp(iso_plan *p, iso_entry entry, double order, double epsilon,
				 double sensitivity, iso_error *err) ISO_MUST_CHECK;
iso_status iso_plan_uncharged(iso_plan *p, const char *why, iso_error *err) ISO_MUST_CHECK;
/* Adds the entries of a plan for the rows of scope `scope` >= 1 alone: a method inside another one,
 * at one client of several.  Uncharged entries stay without a scope.  ISO_E_PLUGIN for a plan that
 * has scopes already. */
iso_status iso_plan_nest(iso_plan *p, const iso_plan *inner, int scope,
			 iso_error *err) ISO_MUST_CHECK;

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
iso_status iso_ledger_find(const iso_ledger *l, iso_entry entry, int *handle,
			   iso_error *err) ISO_MUST_CHECK;
/* Until scope 0 follows, every entry that is looked up by name is the one of this scope, whatever
 * the caller named: a method runs inside another one and knows nothing of it.  The caller gives it
 * the rows of that scope and no others.  ISO_E_PLUGIN inside another scope. */
iso_status iso_ledger_scope(iso_ledger *l, int scope, iso_error *err) ISO_MUST_CHECK;
/* Charges one adaptive entry with the event of the calls that follow (event.count of them), under
 * the privacy filter; ISO_E_BUDGET, and nothing charged, beyond the cap or with the last event's
 * calls still to be made.  The event's parameters may depend on what was released and on public
 * things only.  ISO_E_UNSUPPORTED for an event without a curve (sampled Gaussians under a zCDP cap,
 * events with a delta). */
iso_status iso_ledger_spend(iso_ledger *l, int handle, const iso_event *event,
			    iso_error *err) ISO_MUST_CHECK;
/* What is left of an adaptive entry's cap, in its unit; 0 for another entry.  Public. */
double iso_ledger_left(const iso_ledger *l, int handle);
/* Something was chosen by looking at real data and is not paid for: visible in every table.  `why`
 * as planned or new. */
iso_status iso_ledger_uncharged(iso_ledger *l, const char *why, iso_error *err) ISO_MUST_CHECK;
size_t iso_ledger_uncharged_count(const iso_ledger *l);
/* No further release: sampling runs under a closed ledger. */
void iso_ledger_close(iso_ledger *l);
/* ISO_E_PLUGIN unless every planned count was used exactly; of an adaptive entry, at most the cap.
 */
iso_status iso_ledger_settled(const iso_ledger *l, iso_error *err) ISO_MUST_CHECK;
/* Epsilon of what was booked, under the accountants of `want`; +inf if anything uncharged stands in
 * it. */
iso_status iso_ledger_epsilon(const iso_ledger *l, double delta, unsigned want, iso_epsilons *out,
			      iso_error *err) ISO_MUST_CHECK;

/* Epsilon of the records (clients) of one part of a group, by iso_epsilon_bound: all sequential
 * entries, that part, and the worst part of every other group.  Under replace-one the record that
 * takes another's place stays in the part. */
iso_status iso_ledger_epsilon_of(const iso_ledger *l, int group, int part, double delta,
				 unsigned want, iso_epsilons *out, iso_error *err) ISO_MUST_CHECK;

/* The same of the records of one scope: all entries without a scope, and those of that scope. */
iso_status iso_ledger_epsilon_in(const iso_ledger *l, int scope, double delta, unsigned want,
				 iso_epsilons *out, iso_error *err) ISO_MUST_CHECK;

/* JSON of the ledger for the record, and back: round trip exact.  The value is a cJSON array (owned
 * by the caller) of
 * {"who","why","group","part","mechanism","noise","epsilon","delta","rho","sampling","rate","count","norm",
 * "sensitivity"} entries, with "classes", "order", "unit" (unless record), "scope" (unless 0),
 * "adaptive" and "spent" (of a cap) where they apply. */
struct cJSON;
iso_status iso_ledger_to_json(const iso_ledger *l, struct cJSON **out,
			      iso_error *err) ISO_MUST_CHECK;
iso_status iso_ledger_events_from_json(const struct cJSON *array, iso_events *out,
				       size_t *uncharged, iso_error *err) ISO_MUST_CHECK;

/* Books what another program says that it released: one entry as iso_ledger_to_json writes it, of
 * which "why" and "mechanism" are required; the rest defaults to one release without sampling, of
 * sensitivity 1.  The entry is as planned and used at once, and nothing of this process can spend
 * it. ISO_E_DATA for a malformed entry or a second one of its name (why, group, part). */
iso_status iso_ledger_declare(iso_ledger *l, const struct cJSON *entry,
			      iso_error *err) ISO_MUST_CHECK;

/* 1 and the id of the record that an audit makes as bad as a record can be (iso_replay_canary); 0
 * in every other training.  For core/nn/dpsgd.c, which scales its gradient, and the teachers of
 * PATE, whose votes follow it. */
int iso_ledger_canary(const iso_ledger *l, uint64_t *id);

/* Record/replay (verify): attach before fit; see core/privacy/replay.h. Borrowed. */
void iso_ledger_set_replay(iso_ledger *l, struct iso_replay *r);

#ifdef __cplusplus
}
#endif

#endif
