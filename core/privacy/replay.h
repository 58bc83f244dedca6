// SPDX-License-Identifier: Apache-2.0
/* Record/replay: the deterministic check behind `isoeps verify` (design section 3).
 *
 * RECORD keeps, for every mechanism call in order, the aggregate before noise and the released
 * value.  REPLAY, on neighbouring data, compares each call's aggregate with the recorded one (their
 * distance must not exceed the declared sensitivity, in the declared norm, plus what rounding can
 * move a sum: 1e-4 of the sensitivity, and 64 units in the last place of the aggregate's norm up to
 * 1 % of it, since an honest sum may be taken in an order that follows the data) and returns the
 * recorded release. If the calls themselves differ (order, entry, length), the control flow
 * depended on private data outside the mechanisms: also a finding.  Three finer rules: a call on a
 * Poisson sample may move only if the differing record was in the batch that the core drew; of the
 * parts of one parallel group only one may move (two for a replaced record); a noiseless aggregate
 * of votes may move by one vote per query.
 *
 * BLIND replaces every aggregate by zero, so that only noise leaves the mechanisms (the "C = 0
 * test" of attacks.md section 11): two blind runs on any two tables must end in the same bytes.
 */
#ifndef ISO_PRIVACY_REPLAY_H
#define ISO_PRIVACY_REPLAY_H

#include "core/base/str.h"
#include "core/privacy/ledger.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_replay iso_replay;

typedef enum iso_finding_kind {
	ISO_FINDING_NONE,
	ISO_FINDING_SENSITIVITY,  /* a call's aggregate moved further than declared */
	ISO_FINDING_CONTROL_FLOW, /* other calls than recorded */
	ISO_FINDING_OUTPUT,	  /* set by the driver: model bytes or samples differ */
	ISO_FINDING_INCLUSION,	  /* a sampled call moved though the differing record was not in the
				     drawn batch */
	ISO_FINDING_PARTITION,	  /* two parts of one parallel group moved */
	ISO_FINDING_KINDS
} iso_finding_kind;
const char *iso_finding_name(iso_finding_kind k); /* "sensitivity", "control flow", ... */

typedef struct iso_finding {
	iso_finding_kind kind;
	char what[160];	       /* which call or which tensor differed first, in words */
	double moved, allowed; /* for SENSITIVITY */
} iso_finding;

iso_status iso_replay_new(iso_replay **out, iso_error *err) ISO_MUST_CHECK;
void iso_replay_free(iso_replay *r);
/* Starts in RECORD; rewind switches to REPLAY from the first call and clears the finding. */
void iso_replay_rewind(iso_replay *r);
/* From now on every aggregate is replaced by zero; nothing is recorded or compared. */
void iso_replay_blind(iso_replay *r);
/* The differing record's ids (0 to 2 of them, copied) and how many records differ: 1 for add and
 * remove, 2 for replace (the allowed distance doubles).  Before a replay; without a watch the
 * factor is 1 and the inclusion rule is not applied. */
void iso_replay_watch(iso_replay *r, const uint64_t *ids, size_t n, int factor);
/* The gradient of the record `id` is scaled to ten times the clip bound before it is clipped
 * (core/nn/dpsgd.h): the worst that a record can do, so that its clipped gradient moves every sum
 * by the whole bound ("gradient canary"); and its teacher votes for one class on every query with
 * it, for another without it ("vote canary", attacks.md section 10.2).  In every run under r. */
void iso_replay_canary(iso_replay *r, uint64_t id);
/* 1 and the id, or 0. */
int iso_replay_canary_of(const iso_replay *r, uint64_t *id);
/* The key of a run under r: that of the first run, for all later ones.  A neighbouring table has
 * another data hash and so another key; with it the batches of all other records would change, and
 * what differs would say nothing.  Sound because nothing that a replay releases leaves the
 * verifier.
 */
struct iso_release_key;
void iso_replay_pin_key(iso_replay *r, struct iso_release_key *key);
/* The first finding of the last replay; kind NONE if clean. After the run, call end to detect
 * missing calls. */
void iso_replay_end(iso_replay *r);
const iso_finding *iso_replay_finding(const iso_replay *r);
/* The first of one kind: what follows a first finding may be its consequence, and is told apart by
 * this. */
const iso_finding *iso_replay_finding_of(const iso_replay *r, iso_finding_kind k);
size_t iso_replay_calls(const iso_replay *r);
/* Log-likelihood ratio of the recorded releases, of the last replay's table against the recorded
 * one, over calls with Gaussian or Laplace noise and without sampling (whose coins an adversary
 * does not know): the best statistic of an auditor who sees every release. */
double iso_replay_likelihood(const iso_replay *r);
/* Largest moved/allowed ratio seen since the recording, for "how tight is the declared
 * sensitivity". */
double iso_replay_worst_ratio(const iso_replay *r);

/* What was recorded, for statistics on the noise and on the sampling.  PRIVATE: never leaves the
 * verifier. */
typedef struct iso_replay_call {
	int handle;
	uint32_t call;
	size_t n;     /* numbers in the vector */
	size_t block; /* numbers per query of votes; n otherwise */
	int is_float; /* float, else double */
	int choice;   /* scores of a choice: each may move by the sensitivity */
	const void *aggregate,
		*release;   /* [n]; release = aggregate + noise, also for votes and choices */
	iso_event event;    /* that paid for the call; without votes */
	double sensitivity; /* that the call declared */
	double unit;	    /* 2 under replace-one */
} iso_replay_call;
iso_replay_call iso_replay_at(const iso_replay *r, size_t i);
/* The recording as bytes, for another process of the same program, and back (a new recording, in
 * RECORD).  ISO_E_DATA for bytes that pack did not write. */
void iso_replay_pack(const iso_replay *r, iso_str *out);
iso_status iso_replay_unpack(const char *bytes, size_t n, iso_replay **out,
			     iso_error *err) ISO_MUST_CHECK;
typedef struct iso_replay_draw {
	int handle;
	uint32_t call;
	double rate;
	size_t n, batch; /* records offered, records drawn */
	size_t distinct; /* different ids among those offered */
} iso_replay_draw;
size_t iso_replay_draws(const iso_replay *r);
iso_replay_draw iso_replay_draw_at(const iso_replay *r, size_t i);

/* For core/privacy only: the mechanisms' side. */
typedef enum iso_replay_mode {
	ISO_REPLAY_RECORD,
	ISO_REPLAY_REPLAY,
	ISO_REPLAY_BLIND
} iso_replay_mode;
iso_replay_mode iso_replay_mode_of(const iso_replay *r);
/* RECORD: copies of what went in and what came out. */
iso_status iso_replay_put(iso_replay *r, const iso_replay_call *c, iso_error *err) ISO_MUST_CHECK;
/* REPLAY: compares c->aggregate with the recorded call and copies the recorded release into x;
 * *known = 0 when there is no such call any more (the caller then adds fresh noise). */
void iso_replay_compare(iso_replay *r, const iso_plan_item *item, const iso_replay_call *c, void *x,
			int *known);
/* Every Poisson draw: logged in RECORD, looked through for the watched ids in REPLAY. */
iso_status iso_replay_drawn(iso_replay *r, int handle, uint32_t call, double rate,
			    const uint64_t *id, size_t n, const uint32_t *batch, size_t nbatch,
			    iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
