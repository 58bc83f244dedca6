// SPDX-License-Identifier: Apache-2.0
/* Histograms and clipped vector sums: count or clip, add noise, book, in one call. */
#include "core/privacy/mechanism.h"

#include <math.h>

#include "core/base/alloc.h"
#include "core/privacy/ledger_private.h"
#include "core/privacy/mechanism_trusted.h"

iso_status iso_ledger_mechanism(const iso_ledger *l, const char *why, int part, iso_mech a,
				iso_mech b, int *handle, iso_error *err)
{
	const iso_plan_item *it;

	ISO_TRY(iso_ledger_find(l, why, part, handle, err));
	ISO_TRY(iso_ledger_entry(l, *handle, &it, err));
	ISO_FAIL_IF(it->event.mechanism != a && it->event.mechanism != b, err, ISO_E_BUDGET,
		    "other mechanism than planned (%s: %s, part %d): the plan pays for %s, the "
		    "call is %s or %s; plan "
		    "the one that "
		    "fit uses",
		    l->who, why, part, iso_mech_name(it->event.mechanism), iso_mech_name(a),
		    iso_mech_name(b));
	ISO_FAIL_IF(it->event.sampling != ISO_SAMPLING_NONE, err, ISO_E_BUDGET,
		    "sampled entry (%s: %s, part %d): the plan pays for a sample at rate %g and "
		    "this mechanism reads "
		    "every row; "
		    "plan rate 1",
		    l->who, why, part, it->event.rate);
	return ISO_OK;
}

/* A row that counted twice in one cell would move it by two: the cells of a row must differ. */
static iso_status check_cells(const uint32_t *cell, size_t n, size_t per_row, size_t ncell,
			      const char *why, iso_error *err)
{
	for (size_t r = 0; r < n; r++) {
		const uint32_t *row = cell + r * per_row;

		for (size_t c = 0; c < per_row; c++) {
			ISO_FAIL_IF(row[c] >= ncell, err, ISO_E_PLUGIN,
				    "cell outside the histogram (%s): index %u of %zu; derive "
				    "cells from the schema",
				    why, row[c], ncell);
			/* ascending cells, the usual layout, need one comparison */
			if (c == 0 || row[c] > row[c - 1])
				continue;
			for (size_t d = 0; d < c; d++)
				ISO_FAIL_IF(row[d] == row[c], err, ISO_E_PLUGIN,
					    "row counted twice in one cell (%s): its sensitivity "
					    "is not %zu; give each "
					    "column cells "
					    "of its own",
					    why, per_row);
		}
	}
	return ISO_OK;
}

iso_status iso_mech_histogram(iso_ledger *l, const char *why, int part, const uint32_t *cell,
			      size_t n, size_t per_row, size_t ncell, double *out, iso_error *err)
{
	const double p = (double)per_row;
	const iso_plan_item *it;
	uint32_t call;
	int handle;

	ISO_TRY(iso_ledger_mechanism(l, why, part, ISO_MECH_GAUSSIAN, ISO_MECH_LAPLACE, &handle,
				     err));
	ISO_TRY(iso_ledger_entry(l, handle, &it, err));
	ISO_TRY(iso_release_begin(l, handle, 1, it->norm == ISO_NORM_L1 ? p : sqrt(p), &call, err));
	ISO_TRY(check_cells(cell, n, per_row, ncell, why, err));
	for (size_t i = 0; i < ncell; i++)
		out[i] = 0;
	for (size_t i = 0; i < n * per_row; i++)
		out[cell[i]] += 1;
	return iso_release_finish(l, handle, call, out, ncell, err);
}

static double norm_of(const double *x, size_t n, iso_norm norm)
{
	double s = 0;

	for (size_t i = 0; i < n; i++)
		s += norm == ISO_NORM_L1 ? fabs(x[i]) : x[i] * x[i];
	return norm == ISO_NORM_L1 ? s : sqrt(s);
}

iso_status iso_mech_vector_sum(iso_ledger *l, const char *why, int part, const double *x, size_t n,
			       size_t dim, double clip, double *out, iso_error *err)
{
	const iso_plan_item *it;
	uint32_t call;
	int handle;

	ISO_TRY(iso_ledger_mechanism(l, why, part, ISO_MECH_GAUSSIAN, ISO_MECH_LAPLACE, &handle,
				     err));
	ISO_TRY(iso_ledger_entry(l, handle, &it, err));
	ISO_TRY(iso_release_begin(l, handle, 1, clip, &call, err));
	for (size_t j = 0; j < dim; j++)
		out[j] = 0;
	for (size_t r = 0; r < n; r++) {
		const double len = norm_of(x + r * dim, dim, it->norm);
		const double scale = len > clip ? clip / len : 1;

		/* A row whose norm is not finite has no direction to clip along: it counts as the
		 * zero vector, a rule that looks at this row alone. */
		if (!isfinite(len))
			continue;
		for (size_t j = 0; j < dim; j++)
			out[j] += scale * x[r * dim + j];
	}
	return iso_release_finish(l, handle, call, out, dim, err);
}

void iso_simplex_from_counts(double *counts, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++) {
		counts[i] = counts[i] > 0 ? counts[i] : 0;
		sum += counts[i];
	}
	for (size_t i = 0; i < n; i++)
		counts[i] = sum > 0 && isfinite(sum) ? counts[i] / sum : 1 / (double)n;
}
