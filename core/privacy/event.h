// SPDX-License-Identifier: Apache-2.0
/* What a release of private data costs: the vocabulary shared by plans, ledger, accountants and
 * `isoeps account`. */
#ifndef ISO_PRIVACY_EVENT_H
#define ISO_PRIVACY_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum iso_adjacency { ISO_ADD_REMOVE, ISO_REPLACE_ONE } iso_adjacency;
typedef enum iso_sampling {
	ISO_SAMPLING_NONE,
	ISO_SAMPLING_POISSON,
	ISO_SAMPLING_WITHOUT_REPLACEMENT
} iso_sampling;

typedef enum iso_mech {
	ISO_MECH_GAUSSIAN,    /* noise = standard deviation / L2 sensitivity of one added or removed
				 record */
	ISO_MECH_LAPLACE,     /* noise = scale / L1 sensitivity */
	ISO_MECH_EXPONENTIAL, /* epsilon, bounded range */
	ISO_MECH_PURE,	      /* epsilon (and delta), worst case */
	ISO_MECH_ZCDP,	      /* rho */
	ISO_MECH_RANDOMIZED_RESPONSE, /* epsilon */
	ISO_MECH_RDP,	     /* Renyi DP of `epsilon` at `order`, hence at every lower order */
	ISO_MECH_PATE_LNMAX, /* noise = Laplace scale per count; one record moves two counts by one
			      */
	ISO_MECH_PATE_GNMAX, /* noise = Gaussian sd per count */
	ISO_MECH_PARALLEL,   /* parts on disjoint records */
	ISO_MECH_UNCHARGED /* something chosen by looking at real data and not paid for; epsilon is
			    * infinite in truth, accountants skip it, and every table that shows the
			    * result says so */
} iso_mech;

typedef struct iso_event iso_event;
typedef struct iso_events {
	iso_event *v; /* owned */
	size_t n, cap;
} iso_events;

struct iso_event {
	iso_mech mechanism;
	double noise;
	double epsilon, delta, rho;
	double order; /* RDP only */
	iso_sampling sampling;
	double rate;	/* q, with sampling */
	uint64_t count; /* releases; each on a fresh sample */
	/* PATE: votes [queries][classes] for the data-dependent diagnostic, or NULL; count =
	 * queries */
	double *votes; /* owned */
	size_t queries, classes;
	/* PARALLEL: parts[nparts], each composed in full */
	iso_events *parts; /* owned */
	size_t nparts;
};

/* Copy `e` (with its votes and parts) to the end of the list. */
iso_status iso_events_add(iso_events *list, const iso_event *e, iso_error *err) ISO_MUST_CHECK;
void iso_events_free(iso_events *list);
/* ISO_E_CONFIG for anything that is not a legal event: NaN, negative, q > 1, delta >= 1, count 0,
 * without-replacement under add/remove, ...; the text names the event's position and the field. */
iso_status iso_events_check(const iso_events *list, iso_adjacency adj,
			    iso_error *err) ISO_MUST_CHECK;

const char *iso_mech_name(iso_mech m); /* the JSON spelling: "gaussian", "pate-lnmax", ... */
const char *iso_adjacency_name(iso_adjacency a); /* "add-remove", "replace-one" */
const char *iso_sampling_name(iso_sampling s);	 /* "none", "poisson", "without-replacement" */

#ifdef __cplusplus
}
#endif

#endif
