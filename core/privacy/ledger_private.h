// SPDX-License-Identifier: Apache-2.0
/* The inside of a ledger: for core/privacy/{ledger,ledger_json,release,mechanism_*}.c only. */
#ifndef ISO_PRIVACY_LEDGER_PRIVATE_H
#define ISO_PRIVACY_LEDGER_PRIVATE_H

#include "core/privacy/ledger.h"
#include "core/privacy/mechanism_trusted.h"
#include "core/privacy/noise.h"
#include "core/rand/rand.h"

/* Stream of the noise that keys the Poisson draws: no entry has this handle. */
#define ISO_STREAM_SAMPLING 0xffffffffu
#define ISO_MAX_ENTRIES 1000000u

typedef struct iso_entry_state {
	uint32_t calls;	    /* begun so far */
	uint64_t booked;    /* uses booked by the last call */
	int open;	    /* the last call was begun and not finished */
	int drawn;	    /* its Poisson batch was drawn */
	size_t covered;	    /* numbers of the last call that got their noise piece by piece */
	int appended;	    /* uncharged entry that no plan had announced */
	double sensitivity; /* of the last call */
	iso_event now;	    /* adaptive: the event charged last */
	uint64_t left;	    /* adaptive: its calls still to be made */
} iso_entry_state;

struct iso_ledger {
	iso_plan plan;		/* planned counts in event.count, booked ones in used */
	iso_entry_state *state; /* [plan.n] */
	size_t state_cap;
	char who[64];
	iso_adjacency adjacency;
	int closed;
	int scope; /* of the entries that are looked up; 0: as named */
	iso_noise *noise;
	iso_key sampling;
	struct iso_replay *replay; /* borrowed or NULL */
};

/* Of whose records the events are asked: a scope, or a part of a group outside all scopes. */
typedef struct iso_whose {
	int scope, group, part;
} iso_whose;
/* whose: the events that a record of it stands in, its own part in sequence; NULL: all. */
iso_status iso_plan_events_of(const iso_plan *p, int used, const iso_whose *whose, iso_events *out,
			      iso_error *err) ISO_MUST_CHECK;

/* The item and its state for a call that is about to be booked or finished; refusals as in
 * mechanism_trusted.h. */
iso_status iso_ledger_entry(const iso_ledger *l, int handle, const iso_plan_item **item,
			    iso_error *err) ISO_MUST_CHECK;
/* 2 under replace-one, where a record leaves and another comes; for what is declared by its cost.
 */
double iso_ledger_unit(const iso_ledger *l);
/* Finds the entry, requires one of the mechanisms of `set` (bits 1 << iso_mech) and, unless
 * `sampled`, no sampling: what every iso_mech_* function starts with. */
iso_status iso_ledger_mechanism(const iso_ledger *l, iso_entry entry, unsigned set, int sampled,
				int *handle, iso_error *err) ISO_MUST_CHECK;
#define ISO_SET(m) (1u << (m))
#define ISO_SET_GAUSSIAN (ISO_SET(ISO_MECH_GAUSSIAN) | ISO_SET(ISO_MECH_ZCDP))
#define ISO_SET_LAPLACE (ISO_SET(ISO_MECH_LAPLACE) | ISO_SET(ISO_MECH_PURE))
/* The norm that an event's noise is calibrated to. */
iso_norm iso_event_norm(const iso_event *e);
/* Noise of the selection mechanisms: adds `sd_or_scale` of the entry's family to x [n] and takes
 * part in record/replay. block: numbers that belong to one query (n for one choice). */
iso_status iso_release_scores(iso_ledger *l, int handle, uint32_t call, double scale, double *x,
			      size_t n, size_t block, iso_error *err) ISO_MUST_CHECK;

/* Randomised response on report [n] (categories 0..k-1), in place, with record/replay. */
iso_status iso_release_reports(iso_ledger *l, int handle, uint32_t call, uint32_t k, double *report,
			       size_t n, iso_error *err) ISO_MUST_CHECK;

#endif
