// SPDX-License-Identifier: Apache-2.0
/* Private to the accountants: privacy loss distributions (accounting.md section 4). */
#ifndef ISO_PRIVACY_PLD_H
#define ISO_PRIVACY_PLD_H

#include "core/privacy/event.h"

#ifdef __cplusplus
extern "C" {
#endif

struct iso_pld_work; /* may be NULL; see pld_compose.h */

/* Certified bounds on epsilon; NaN where some event has no privacy loss distribution.  `rdp` = the
 * RDP epsilon, which starts the search and caps the result.  upper_only: *lower stays NaN. */
iso_status iso_pld_epsilon(const iso_events *events, iso_adjacency adj, double delta, double rdp,
			   int upper_only, struct iso_pld_work *work, double *lower, double *upper,
			   iso_error *err) ISO_MUST_CHECK;
/* Certified upper bound on delta at epsilon, capped by the RDP delta; NaN as above. */
iso_status iso_pld_delta(const iso_events *events, iso_adjacency adj, double epsilon, double rdp,
			 double *upper, iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
