// SPDX-License-Identifier: Apache-2.0
/* Choices: the exponential mechanism (as report-noisy-max with Gumbel noise, the same law), the
 * noisy maximum, randomised response and PATE's votes. */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/vmath.h"
#include "core/privacy/ledger_private.h"
#include "core/privacy/mechanism.h"
#include "core/privacy/mechanism_trusted.h"
#include "core/privacy/replay.h"

static size_t argmax(const double *x, size_t n)
{
	size_t best = 0;

	for (size_t i = 1; i < n; i++)
		if (x[i] > x[best])
			best = i;
	return best;
}

/* Scale 2 Delta / epsilon on every score: Gumbel for the exponential mechanism, Pr[i] ~ exp(epsilon
 * u_i / (2 Delta)) (McSherry and Talwar 2007), Laplace for the noisy maximum. */
static iso_status choose(iso_ledger *l, iso_entry entry, iso_mech mechanism, const double *score,
			 size_t n, size_t *chosen, iso_error *err)
{
	const iso_plan_item *it;
	double *noisy, scale;
	uint32_t call;
	int handle;
	iso_status st;

	ISO_TRY(iso_ledger_mechanism(l, entry, ISO_SET(mechanism), 0, &handle, err));
	ISO_TRY(iso_ledger_entry(l, handle, &it, err));
	ISO_FAIL_IF(n == 0, err, ISO_E_PLUGIN,
		    "choice among nothing (%s: %s): give at least one candidate", l->who,
		    entry.why);
	ISO_FAIL_IF(iso_ledger_event(l, handle)->delta > 0, err, ISO_E_BUDGET,
		    "choice with a delta (%s: %s): the noisy maximum has none; plan delta 0",
		    l->who, entry.why);
	noisy = iso_alloc(n, sizeof(*noisy));
	if (!noisy)
		return iso_no_memory(err, "the scores of a choice");
	ISO_TRY_OUT(iso_release_begin(l, handle, 1, it->sensitivity, &call, err));
	for (size_t i = 0; i < n;
	     i++) /* a score that is not a number never wins and moves nothing */
		noisy[i] = isfinite(score[i]) ? score[i] : -1e300;
	scale = 2 * iso_ledger_unit(l) * it->sensitivity / iso_ledger_event(l, handle)->epsilon;
	ISO_TRY_OUT(iso_release_scores(l, handle, call, scale, noisy, n, n, err));
	*chosen = argmax(noisy, n);
out:
	iso_free(noisy);
	return st;
}

iso_status iso_mech_exponential(iso_ledger *l, iso_entry entry, const double *score, size_t n,
				size_t *chosen, iso_error *err)
{
	return choose(l, entry, ISO_MECH_EXPONENTIAL, score, n, chosen, err);
}

iso_status iso_mech_noisy_max(iso_ledger *l, iso_entry entry, const double *score, size_t n,
			      size_t *chosen, iso_error *err)
{
	return choose(l, entry, ISO_MECH_PURE, score, n, chosen, err);
}

static iso_status check_values(const iso_ledger *l, const char *why, const uint32_t *value,
			       size_t n, uint32_t k, iso_error *err)
{
	ISO_FAIL_IF(k < 2 || n == 0, err, ISO_E_PLUGIN,
		    "randomised response (%s: %s): %zu rows of %u categories; needs a row and two "
		    "categories",
		    l->who, why, n, (unsigned)k);
	for (size_t i = 0; i < n; i++)
		ISO_FAIL_IF(
			value[i] >= k, err, ISO_E_PLUGIN,
			"randomised response (%s: %s): row %zu has category %u of %u; derive it "
			"from the schema",
			l->who, why, i, (unsigned)value[i], (unsigned)k);
	return ISO_OK;
}

iso_status iso_mech_randomized_response(iso_ledger *l, iso_entry entry, const uint32_t *value,
					size_t n, uint32_t k, uint32_t *out, iso_error *err)
{
	double *report;
	uint32_t call;
	int handle;
	iso_status st;

	ISO_FAIL_IF(l->adjacency != ISO_REPLACE_ONE, err, ISO_E_UNSUPPORTED,
		    "randomised response under add-remove (%s: %s): the list of reports shows how "
		    "many there are; use the adjacency replace-one",
		    l->who, entry.why);
	ISO_TRY(iso_ledger_mechanism(l, entry, ISO_SET(ISO_MECH_RANDOMIZED_RESPONSE), 0, &handle,
				     err));
	ISO_FAIL_IF(
		l->plan.v[handle].group > 0, err, ISO_E_UNSUPPORTED,
		"randomised response on one part of a group (%s: %s, part %d): a record replaced "
		"by one of another part changes the number of reports; report on all records, "
		"in a sequential entry",
		l->who, entry.why, entry.part);
	ISO_TRY(check_values(l, entry.why, value, n, k, err));
	report = iso_alloc(n, sizeof(*report));
	if (!report)
		return iso_no_memory(err, "reports");
	ISO_TRY_OUT(iso_release_begin(l, handle, 1, 1, &call, err));
	for (size_t i = 0; i < n; i++)
		report[i] = value[i];
	ISO_TRY_OUT(iso_release_reports(l, handle, call, k, report, n, err));
	for (size_t i = 0; i < n; i++)
		out[i] = (uint32_t)report[i];
out:
	iso_free(report);
	return st;
}

iso_status iso_mech_votes(iso_ledger *l, iso_entry entry, const double *votes, size_t queries,
			  size_t classes, uint32_t *label, iso_error *err)
{
	double *noisy;
	uint32_t call;
	int handle;
	iso_status st;

	ISO_TRY(iso_ledger_mechanism(l, entry,
				     ISO_SET(ISO_MECH_PATE_LNMAX) | ISO_SET(ISO_MECH_PATE_GNMAX), 0,
				     &handle, err));
	ISO_FAIL_IF(queries == 0 || classes < 2, err, ISO_E_PLUGIN,
		    "vote without a choice (%s: %s): %zu queries, %zu classes; ask at least one "
		    "query of two classes",
		    l->who, entry.why, queries, classes);
	noisy = iso_alloc(queries, classes * sizeof(*noisy));
	if (!noisy)
		return iso_no_memory(err, "the votes");
	/* one record moves one teacher: two counts by one.  The noise is planned per count, so no
	 * sensitivity enters.
	 */
	ISO_TRY_OUT(iso_release_begin(l, handle, queries, 0, &call, err));
	memcpy(noisy, votes, queries * classes * sizeof(*noisy));
	ISO_TRY_OUT(iso_release_scores(l, handle, call, iso_ledger_event(l, handle)->noise, noisy,
				       queries * classes, classes, err));
	for (size_t q = 0; q < queries; q++)
		label[q] = (uint32_t)argmax(noisy + q * classes, classes);
out:
	iso_free(noisy);
	return st;
}
