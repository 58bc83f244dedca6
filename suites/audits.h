// SPDX-License-Identifier: Apache-2.0
/* Audits as tasks of a run: each method is audited once for its options, epsilon and delta in a
 * micro world (suites/flow/audit.h), before its cells are done; all data sets and seeds share the
 * audit.  Kept in DIR/audits/KEY.json; the key is the hash of the method with options and code, of
 * the setting, of the suite's "audits", and of the code that audits. */
#ifndef ISO_SUITES_AUDITS_H
#define ISO_SUITES_AUDITS_H

#include "suites/verdict.h"

typedef struct iso_audits {
	iso_verdict_entry *v; /* owned */
	size_t n, cap;
	size_t *of; /* [ncell] 1 + the entry of the cell, 0 = none; owned */
} iso_audits;

iso_status iso_audits_new(const iso_agenda *a, iso_audits *out, iso_error *err) ISO_MUST_CHECK;
void iso_audits_free(iso_audits *x);
/* NULL = the cell is not audited. */
iso_verdict_entry *iso_audits_of(const iso_audits *x, const iso_agenda *a, const iso_cell *c);
/* What the record of the cell must hold under "audit" (at least its key), or NULL. */
const cJSON *iso_audits_expected(const iso_audits *x, const iso_agenda *a, const iso_cell *c);
/* The task of a worker (ctx: iso_verdict_job): trains, judges and writes the audit's file. */
iso_status iso_audit_task(void *ctx, iso_worker_page *page, iso_error *err) ISO_MUST_CHECK;

#endif
