// SPDX-License-Identifier: Apache-2.0
/* Choices: the exponential mechanism (as report-noisy-max with Gumbel noise, the same law) and
 * PATE's votes. */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/privacy/ledger_private.h"
#include "core/privacy/mechanism.h"
#include "core/privacy/mechanism_trusted.h"

static size_t argmax(const double *x, size_t n)
{
	size_t best = 0;

	for (size_t i = 1; i < n; i++)
		if (x[i] > x[best])
			best = i;
	return best;
}

/* Pr[i] ~ exp(epsilon u_i / (2 Delta)) (McSherry and Talwar 2007) = argmax of u_i + Gumbel(2 Delta
 * / epsilon). */
iso_status iso_mech_exponential(iso_ledger *l, const char *why, int part, const double *score,
				size_t n, size_t *chosen, iso_error *err)
{
	const iso_plan_item *it;
	double *noisy;
	uint32_t call;
	int handle;
	iso_status st;

	ISO_TRY(iso_ledger_mechanism(l, why, part, ISO_MECH_EXPONENTIAL, ISO_MECH_EXPONENTIAL,
				     &handle, err));
	ISO_FAIL_IF(n == 0, err, ISO_E_PLUGIN,
		    "choice among nothing (%s: %s): give at least one candidate", l->who, why);
	noisy = iso_alloc(n, sizeof(*noisy));
	if (!noisy)
		return iso_no_memory(err, "the scores of a choice");
	ISO_TRY_OUT(iso_ledger_entry(l, handle, &it, err));
	ISO_TRY_OUT(iso_release_begin(l, handle, 1, it->sensitivity, &call, err));
	for (size_t i = 0; i < n;
	     i++) /* a score that is not a number never wins and moves nothing */
		noisy[i] = isfinite(score[i]) ? score[i] : -1e300;
	ISO_TRY_OUT(iso_release_scores(l, handle, call, 2 * it->sensitivity / it->event.epsilon,
				       noisy, n, n, err));
	*chosen = argmax(noisy, n);
out:
	iso_free(noisy);
	return st;
}

iso_status iso_mech_votes(iso_ledger *l, const char *why, int part, const double *votes,
			  size_t queries, size_t classes, uint32_t *label, iso_error *err)
{
	const iso_plan_item *it;
	double *noisy;
	uint32_t call;
	int handle;
	iso_status st;

	ISO_TRY(iso_ledger_mechanism(l, why, part, ISO_MECH_PATE_LNMAX, ISO_MECH_PATE_GNMAX,
				     &handle, err));
	ISO_FAIL_IF(queries == 0 || classes < 2, err, ISO_E_PLUGIN,
		    "vote without a choice (%s: %s): %zu queries, %zu classes; ask at least one "
		    "query of two classes",
		    l->who, why, queries, classes);
	noisy = iso_alloc(queries, classes * sizeof(*noisy));
	if (!noisy)
		return iso_no_memory(err, "the votes");
	ISO_TRY_OUT(iso_ledger_entry(l, handle, &it, err));
	/* one record moves one teacher: two counts by one.  The noise is planned per count, so no
	 * sensitivity enters.
	 */
	ISO_TRY_OUT(iso_release_begin(l, handle, queries, 0, &call, err));
	memcpy(noisy, votes, queries * classes * sizeof(*noisy));
	ISO_TRY_OUT(iso_release_scores(l, handle, call, it->event.noise, noisy, queries * classes,
				       classes, err));
	for (size_t q = 0; q < queries; q++)
		label[q] = (uint32_t)argmax(noisy + q * classes, classes);
out:
	iso_free(noisy);
	return st;
}
