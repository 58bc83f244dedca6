// SPDX-License-Identifier: Apache-2.0
/* What a record states, computed again from what it holds and from the plan that its configuration
 * gives. */
#ifndef ISO_SUITES_RECHECK_H
#define ISO_SUITES_RECHECK_H

#include "suites/flow/verify.h"
#include "suites/plan.h"

/* ISO_E_CHECK, ISO_E_DATA name what does not hold: every epsilon from the ledger; for a record that
 * promises differential privacy, that no number is missing and that the accounted epsilon does not
 * exceed its target; the area under the curve of every attack from its raw scores, to the bit; and,
 * when the plan has the cell (c not NULL), the ledger entry by entry against the plan that the
 * method makes of the configuration.  record: a whole one with status "ok".  memo:
 * zero-initialised, for many records in a row, or NULL. */
iso_status iso_record_recheck(const iso_agenda *a, const iso_cell *c, const cJSON *record,
			      iso_ledger_memo *memo, iso_error *err) ISO_MUST_CHECK;
/* Controls: some membership attack must catch a method that returns its training rows ("copies"),
 * and none may find one that never reads them ("blind") above chance, with a false alarm in one of
 * 1,000 records.  ISO_E_CHECK names the attack. */
iso_status iso_controls_check(const cJSON *record, iso_error *err) ISO_MUST_CHECK;

/* The suite of a run's directory (DIR/suite.json), planned again by this program; on failure either
 * may be NULL.  Both owned by the caller, the agenda freed first. */
iso_status iso_agenda_reread(const char *dir, iso_suite **suite, iso_agenda **agenda,
			     iso_error *err) ISO_MUST_CHECK;
/* The cell of that key, or NULL; a may be NULL. */
const iso_cell *iso_agenda_find(const iso_agenda *a, const char *key);

#endif
