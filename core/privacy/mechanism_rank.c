// SPDX-License-Identifier: Apache-2.0
/* Kendall's rank correlations, released jointly. */
#include <math.h>

#include "core/base/alloc.h"
#include "core/privacy/ledger_private.h"
#include "core/privacy/mechanism.h"
#include "core/privacy/mechanism_trusted.h"

/* Sum over unordered pairs of rows of sign(x_i - x_j) sign(y_i - y_j): with counts t [rows][n] of
 * (x, y), every cell meets the cells below it to the right (concordant) and to the left
 * (discordant). below [n + 1]: cumulative counts of all rows of t beyond the present one. */
static double concordance(const double *t, size_t rows, size_t n, double *column, double *below)
{
	double sum = 0;

	for (size_t c = 0; c < n; c++)
		column[c] = 0;
	for (size_t r = rows; r-- > 0;) {
		below[0] = 0;
		for (size_t c = 0; c < n; c++)
			below[c + 1] = below[c] + column[c];
		for (size_t c = 0; c < n; c++)
			sum += t[r * n + c] * (below[n] - below[c + 1] - below[c]);
		for (size_t c = 0; c < n; c++)
			column[c] += t[r * n + c];
	}
	return sum;
}

double iso_kendall_moves(size_t n, size_t ncode, iso_norm norm)
{
	const double pairs = (double)ncode * (double)(ncode - 1) / 2;

	return (norm == ISO_NORM_L1 ? pairs : sqrt(pairs)) * 2 / (n > 2 ? (double)n - 1 : 1);
}

/* tau_ij for i < j, in order. */
static iso_status taus(const uint32_t *code, size_t n, size_t ncode, const size_t *cells,
		       double pairs_of_rows, double *out, iso_error *err)
{
	size_t most = 1, at = 0;

	for (size_t j = 0; j < ncode; j++)
		most = cells[j] > most ? cells[j] : most;
	double *t = iso_alloc(most + 2, most * sizeof(*t));
	double *column = iso_alloc(2 * most + 1, sizeof(*column));
	if (!t || !column) {
		iso_free(t);
		iso_free(column);
		return iso_no_memory(err, "rank correlations");
	}
	for (size_t i = 0; i < ncode; i++)
		for (size_t j = i + 1; j < ncode; j++) {
			for (size_t c = 0; c < cells[i] * cells[j]; c++)
				t[c] = 0;
			for (size_t r = 0; r < n; r++)
				t[code[r * ncode + i] * cells[j] + code[r * ncode + j]] += 1;
			out[at++] = concordance(t, cells[i], cells[j], column, column + most) /
				    pairs_of_rows;
		}
	iso_free(t);
	iso_free(column);
	return ISO_OK;
}

iso_status iso_mech_kendall(iso_ledger *l, iso_entry entry, const uint32_t *code, size_t n,
			    size_t ncode, const size_t *cells, size_t public_n, double *out,
			    iso_error *err)
{
	const double m = public_n > 2 ? (double)public_n : 2;
	iso_norm norm;
	uint32_t call;
	int handle;

	ISO_TRY(iso_ledger_mechanism(l, entry, ISO_SET_GAUSSIAN | ISO_SET_LAPLACE, 0, &handle,
				     err));
	ISO_FAIL_IF(ncode < 2, err, ISO_E_PLUGIN,
		    "rank correlations (%s: %s): %zu columns; they need two", l->who, entry.why,
		    ncode);
	for (size_t k = 0; k < n * ncode; k++)
		ISO_FAIL_IF(code[k] >= cells[k % ncode], err, ISO_E_PLUGIN,
			    "rank correlations (%s: %s): code %u of %zu in column %zu; derive "
			    "codes from the schema",
			    l->who, entry.why, (unsigned)code[k], cells[k % ncode], k % ncode);
	ISO_FAIL_IF(n > public_n + 1, err, ISO_E_PLUGIN,
		    "rank correlations (%s: %s): more rows than the public number and one; the "
		    "sensitivity is not proved for them",
		    l->who, entry.why);
	norm = iso_event_norm(iso_ledger_event(l, handle));
	ISO_TRY(iso_release_begin(l, handle, 1, iso_kendall_moves(public_n, ncode, norm), &call,
				  err));
	ISO_TRY(taus(code, n, ncode, cells, m * (m - 1) / 2, out, err));
	return iso_release_finish(l, handle, call, out, ncode * (ncode - 1) / 2, err);
}
