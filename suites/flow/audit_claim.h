// SPDX-License-Identifier: Apache-2.0
/* What an audit holds a training to. */
#ifndef ISO_SUITES_FLOW_AUDIT_CLAIM_H
#define ISO_SUITES_FLOW_AUDIT_CLAIM_H

#include "suites/flow/audit.h"

#define ISO_CLAIM_POINTS 32
typedef struct iso_claim {
	double epsilon[ISO_CLAIM_POINTS], delta[ISO_CLAIM_POINTS];
	iso_profile p; /* of these */
} iso_claim;

/* Epsilon of what the training booked: 0 if it releases nothing, +infinity if it promises nothing
 * or something stands uncharged. */
iso_status iso_audit_accounted(const iso_audit_request *r, const iso_training *t, double *out,
			       iso_error *err) ISO_MUST_CHECK;
/* The accountant's delta(epsilon), up to where a perfect attack (`ceiling`) can reach; without a
 * finite epsilon, the target as a single point. */
iso_status iso_claim_of(const iso_audit_request *r, const iso_ledger *ledger, double accounted,
			double ceiling, iso_claim *out, iso_error *err) ISO_MUST_CHECK;
/* 1: Gaussian sums and votes without sampling, so that their composition is a Gaussian mechanism.
 */
int iso_claim_is_gaussian(const iso_ledger *l);

#endif
