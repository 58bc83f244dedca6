// SPDX-License-Identifier: Apache-2.0
/* Record/replay: the deterministic check behind `isoeps verify` (design section 3).
 *
 * RECORD keeps, for every mechanism call in order, the aggregate before noise and the released value.  REPLAY, on
 * neighbouring data, compares each call's aggregate with the recorded one (their distance must not exceed the
 * declared sensitivity, in the declared norm, times (1 + 1e-4) for rounding) and returns the recorded release.
 * If the calls themselves differ (order, entry, length), the control flow depended on private data outside the
 * mechanisms: also a finding.
 */
#ifndef ISO_PRIVACY_REPLAY_H
#define ISO_PRIVACY_REPLAY_H

#include "core/privacy/ledger.h"

typedef struct iso_replay iso_replay;

typedef enum iso_finding_kind {
	ISO_FINDING_NONE,
	ISO_FINDING_SENSITIVITY, /* a call's aggregate moved further than declared */
	ISO_FINDING_CONTROL_FLOW, /* other calls than recorded */
	ISO_FINDING_OUTPUT /* set by the driver: model bytes or samples differ */
} iso_finding_kind;

typedef struct iso_finding {
	iso_finding_kind kind;
	char what[160]; /* which call or which tensor differed first, in words */
	double moved, allowed; /* for SENSITIVITY */
} iso_finding;

iso_status iso_replay_new(iso_replay **out, iso_error *err) ISO_MUST_CHECK;
void iso_replay_free(iso_replay *r);
/* Starts in RECORD; rewind switches to REPLAY from the first call and clears the finding. */
void iso_replay_rewind(iso_replay *r);
/* The first finding of the last replay; kind NONE if clean. After the run, call end to detect missing calls. */
void iso_replay_end(iso_replay *r);
const iso_finding *iso_replay_finding(const iso_replay *r);
size_t iso_replay_calls(const iso_replay *r);
/* Largest moved/allowed ratio seen, for "how tight is the declared sensitivity". */
double iso_replay_worst_ratio(const iso_replay *r);

#endif
