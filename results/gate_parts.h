// SPDX-License-Identifier: Apache-2.0
/* What the files of the gate share. */
#ifndef ISO_RESULTS_GATE_PARTS_H
#define ISO_RESULTS_GATE_PARTS_H

#include "results/gate.h"

const cJSON *iso_gate_get(const cJSON *obj, const char *key);
const char *iso_gate_string(const cJSON *obj, const char *key); /* "" without one */
/* A number, the texts "inf" and "-inf"; NaN for everything else. */
double iso_gate_number(const cJSON *v);

/* One pair of values of one setting and seed; worse > 0 means that the results are worse. */
typedef struct iso_gate_pair {
	const char *method, *name, *kind;
	double before, now; /* NaN = undefined */
	double worse;	    /* infinite where only one side is defined */
	double spread;	    /* of the baseline: its value minus that of the next seed; NaN */
} iso_gate_pair;

/* One test per (method, name): fills checks, the family and the outcomes.  Sorts the pairs. */
iso_status iso_gate_tests(iso_gate_pair *pair, size_t n, iso_gate_result *out,
			  iso_error *err) ISO_MUST_CHECK;
/* A new check, zeroed but for the texts, or NULL with ISO_E_NOMEM in err. */
iso_gate_check *iso_gate_add(iso_gate_result *r, const char *method, const char *where,
			     const char *name, const char *kind, iso_error *err);

/* Checks of the audits of a setting and its baseline: the verdicts exactly; the counts of tests at
 * one threshold by Fisher's exact test.  `visible` is not filled in. */
iso_status iso_gate_audits(const cJSON *baseline, const cJSON *now, const char *where,
			   iso_gate_result *out, iso_error *err) ISO_MUST_CHECK;
/* The smallest rise of the true positive rate that an audit like this `test` (JSON) would see. */
double iso_gate_audit_visible(const cJSON *test, double level);

#endif
