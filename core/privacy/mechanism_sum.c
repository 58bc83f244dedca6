// SPDX-License-Identifier: Apache-2.0
/* Histograms and clipped vector sums, whole or streamed: count or clip, add noise, book. */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/privacy/ledger_private.h"
#include "core/privacy/mechanism.h"
#include "core/privacy/mechanism_trusted.h"

#define SUM_SET (ISO_SET_GAUSSIAN | ISO_SET_LAPLACE)

static int pays_for(const iso_event *e, unsigned set)
{
	/* an event with a delta pays for an open histogram only */
	return (ISO_SET(e->mechanism) & set) &&
	       !(e->mechanism == ISO_MECH_PURE && e->delta > 0 && set != ISO_SET(ISO_MECH_PURE));
}

iso_status iso_ledger_mechanism(const iso_ledger *l, iso_entry entry, unsigned set, int sampled,
				int *handle, iso_error *err)
{
	const iso_event *e;

	ISO_TRY(iso_ledger_find(l, entry, handle, err));
	e = iso_ledger_event(l, *handle);
	ISO_FAIL_IF(l->plan.v[*handle].adaptive && l->state[*handle].left == 0, err, ISO_E_BUDGET,
		    "call that was not charged (%s: %s, part %d): the entry is a cap; charge the "
		    "call's event by iso_ledger_spend first",
		    l->who, entry.why, entry.part);
	ISO_FAIL_IF(!pays_for(e, set), err, ISO_E_BUDGET,
		    "other mechanism than planned (%s: %s, part %d): the plan pays for %s, which "
		    "this call is not; plan the one that fit uses",
		    l->who, entry.why, entry.part, iso_mech_name(e->mechanism));
	ISO_FAIL_IF(!sampled && e->sampling != ISO_SAMPLING_NONE, err, ISO_E_BUDGET,
		    "sampled entry (%s: %s, part %d): the plan pays for a sample at rate %g and "
		    "this mechanism reads every row; plan rate 1, or use iso_mech_sum_begin",
		    l->who, entry.why, entry.part, e->rate);
	return ISO_OK;
}

/* ------------------------------------------------------------------ histogram */

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

iso_status iso_mech_histogram(iso_ledger *l, iso_entry entry, const uint32_t *cell, size_t n,
			      size_t per_row, size_t ncell, double *out, iso_error *err)
{
	const double p = (double)per_row;
	uint32_t call;
	iso_norm norm;
	int handle;

	ISO_TRY(iso_ledger_mechanism(l, entry, SUM_SET, 0, &handle, err));
	norm = iso_event_norm(iso_ledger_event(l, handle));
	ISO_TRY(iso_release_begin(l, handle, 1, norm == ISO_NORM_L1 ? p : sqrt(p), &call, err));
	ISO_TRY(check_cells(cell, n, per_row, ncell, entry.why, err));
	for (size_t i = 0; i < ncell; i++)
		out[i] = 0;
	for (size_t i = 0; i < n * per_row; i++)
		out[cell[i]] += 1;
	return iso_release_finish(l, handle, call, out, ncell, err);
}

/* ------------------------------------------------------------------ sums */

static double norm_of(const double *x, size_t n, iso_norm norm)
{
	double s = 0;

	for (size_t i = 0; i < n; i++)
		s += norm == ISO_NORM_L1 ? fabs(x[i]) : x[i] * x[i];
	return norm == ISO_NORM_L1 ? s : sqrt(s);
}

/* sum += x clipped to `clip`.  A vector whose norm is not finite has no direction to clip along: it
 * counts as the zero vector, a rule that looks at this row alone. */
static void add_clipped(const double *x, size_t dim, double clip, iso_norm norm, double *sum)
{
	const double len = norm_of(x, dim, norm);
	const double scale = len > clip ? clip / len : 1;

	if (!isfinite(len))
		return;
	for (size_t j = 0; j < dim; j++)
		sum[j] += scale * x[j];
}

iso_status iso_mech_vector_sum(iso_ledger *l, iso_entry entry, const double *x, size_t n,
			       size_t dim, double clip, double *out, iso_error *err)
{
	uint32_t call;
	iso_norm norm;
	int handle;

	ISO_TRY(iso_ledger_mechanism(l, entry, SUM_SET, 0, &handle, err));
	norm = iso_event_norm(iso_ledger_event(l, handle));
	ISO_TRY(iso_release_begin(l, handle, 1, clip, &call, err));
	for (size_t j = 0; j < dim; j++)
		out[j] = 0;
	for (size_t r = 0; r < n; r++)
		add_clipped(x + r * dim, dim, clip, norm, out);
	return iso_release_finish(l, handle, call, out, dim, err);
}

struct iso_sum_stream {
	iso_ledger *ledger;
	int handle;
	uint32_t call;
	size_t dim, nblock, nrow, n;
	iso_sum_block *block; /* [nblock] share = w_b; owned */
	double *sum;   /* [dim]; block b in units of clip / w_b when there are several; owned */
	uint32_t *row; /* [nrow] who takes part; owned */
	uint8_t *todo; /* [n] 1 = takes part and was not added; owned */
};

void iso_mech_sum_cancel(iso_sum_stream *s)
{
	if (!s)
		return;
	iso_free(s->block);
	iso_free(s->sum);
	iso_free(s->row);
	iso_free(s->todo);
	iso_free(s);
}

static iso_status check_blocks(const iso_sum_stream *s, iso_norm pays, iso_error *err)
{
	size_t shared = 0;

	for (size_t b = 0; b < s->nblock; b++) {
		const iso_sum_block *k = &s->block[b];

		ISO_FAIL_IF(k->dim == 0 || !(k->clip >= 0) || isinf(k->clip) || !(k->share >= 0) ||
				    isinf(k->share),
			    err, ISO_E_PLUGIN,
			    "block %zu of a sum (clip %g, share %g): needs at least one number, a "
			    "finite clip bound and a finite share; correct it",
			    b, k->clip, k->share);
		ISO_FAIL_IF(pays == ISO_NORM_L1 && k->norm != ISO_NORM_L1, err, ISO_E_PLUGIN,
			    "block %zu of a sum: its bound is in L2 and the planned noise is "
			    "Laplace; bound it in L1, or plan Gaussian noise",
			    b);
		shared += k->share > 0;
	}
	ISO_FAIL_IF(s->nblock == 0 || (shared > 0 && shared < s->nblock), err, ISO_E_PLUGIN,
		    "blocks of a sum: %zu blocks, %zu with a share; give every block a share, or "
		    "none",
		    s->nblock, shared);
	return ISO_OK;
}

/* share := w_b: the squares (Gaussian) or the weights (Laplace) sum to 1. */
static iso_status normalise_shares(iso_sum_stream *s, iso_norm pays, iso_error *err)
{
	double total = 0;

	for (size_t b = 0; b < s->nblock; b++)
		total += s->block[b].share;
	for (size_t b = 0; b < s->nblock; b++) {
		const double part = total > 0 ? s->block[b].share / total : 1 / (double)s->nblock;

		ISO_FAIL_IF(!(part > 1e-100), err, ISO_E_PLUGIN,
			    "shares of a sum: block %zu gets %g of the total %g, they lie too far "
			    "apart; bring them closer together",
			    b, s->block[b].share, total);
		s->block[b].share = pays == ISO_NORM_L1 ? part : sqrt(part);
	}
	return ISO_OK;
}

static iso_status stream_alloc(iso_sum_stream *s, const iso_sum_block *block, iso_error *err)
{
	s->block = iso_alloc(s->nblock + 1, sizeof(*block));
	s->row = iso_alloc(s->n + 1, sizeof(*s->row));
	s->todo = iso_alloc(s->n + 1, 1);
	if (!s->block || !s->row || !s->todo)
		return iso_no_memory(err, "a streamed sum");
	for (size_t b = 0; b < s->nblock; b++) {
		s->block[b] = block[b];
		s->dim += block[b].dim;
	}
	s->sum = iso_alloc(s->dim + 1, sizeof(*s->sum));
	return s->sum ? ISO_OK : iso_no_memory(err, "a streamed sum");
}

iso_status iso_mech_sum_begin(iso_ledger *l, iso_entry entry, const uint64_t *id, size_t n,
			      const iso_sum_block *block, size_t nblock, iso_sum_stream **out,
			      iso_error *err)
{
	iso_sum_stream *s;
	iso_norm pays;
	int handle;
	iso_status st;

	*out = NULL;
	ISO_TRY(iso_ledger_mechanism(l, entry, SUM_SET, 1, &handle, err));
	pays = iso_event_norm(iso_ledger_event(l, handle));
	s = iso_alloc(1, sizeof(*s));
	if (!s)
		return iso_no_memory(err, "a streamed sum");
	*s = (iso_sum_stream){.ledger = l, .handle = handle, .nblock = nblock, .n = n};
	ISO_TRY_OUT(stream_alloc(s, block, err));
	ISO_TRY_OUT(check_blocks(s, pays, err));
	ISO_TRY_OUT(normalise_shares(s, pays, err));
	ISO_TRY_OUT(
		iso_release_begin(l, handle, 1, nblock == 1 ? block[0].clip : 1, &s->call, err));
	ISO_TRY_OUT(iso_release_poisson(l, handle, s->call, id, n, s->row, &s->nrow, err));
	for (size_t i = 0; i < s->nrow; i++)
		s->todo[s->row[i]] = 1;
	*out = s;
	return ISO_OK;
out:
	iso_mech_sum_cancel(s);
	return st;
}

const uint32_t *iso_mech_sum_rows(const iso_sum_stream *s, size_t *count)
{
	*count = s->nrow;
	return s->row;
}

iso_status iso_mech_sum_add(iso_sum_stream *s, uint32_t position, const double *x, iso_error *err)
{
	size_t at = 0;

	ISO_FAIL_IF(
		position >= s->n || !s->todo[position], err, ISO_E_PLUGIN,
		"record of a streamed sum (%s): position %u of %zu is not in the sample, or was "
		"added before; add each of iso_mech_sum_rows once",
		s->ledger->plan.v[s->handle].why, (unsigned)position, s->n);
	s->todo[position] = 0;
	for (size_t b = 0; b < s->nblock; b++) {
		add_clipped(x + at, s->block[b].dim, s->block[b].clip, s->block[b].norm,
			    s->sum + at);
		at += s->block[b].dim;
	}
	return ISO_OK;
}

/* Block b times `factor(b)`: into joint units before the noise, and out of them after it. */
static void rescale(const iso_sum_stream *s, double *x, int out)
{
	size_t at = 0;

	for (size_t b = 0; b < s->nblock; b++) {
		const iso_sum_block *k = &s->block[b];
		const double unit = k->clip / k->share;

		for (size_t j = 0; j < k->dim; j++, at++)
			x[at] = unit > 0 ? (out ? x[at] * unit : x[at] / unit) : 0;
	}
}

iso_status iso_mech_sum_finish(iso_sum_stream *s, double *out, iso_error *err)
{
	iso_status st;

	if (s->nblock > 1)
		rescale(s, s->sum, 0);
	st = iso_release_finish(s->ledger, s->handle, s->call, s->sum, s->dim, err);
	if (s->nblock > 1)
		rescale(s, s->sum, 1);
	if (st == ISO_OK)
		memcpy(out, s->sum, s->dim * sizeof(*out));
	iso_mech_sum_cancel(s);
	return st;
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
