// SPDX-License-Identifier: Apache-2.0
/* Learning, saving and loading a mixture (mixture.h). */
#include <string.h>

#include "core/base/alloc.h"
#include "core/privacy/mechanism.h"
#include "generators/kit/mixture.h"

typedef struct buffers {
	float *x;	     /* [ISO_MIXTURE_PIECE][dim] */
	double *work, *stat; /* of one row */
	double *sum;	     /* of all rows */
} buffers;

/* One E-step over all rows: their statistics into the stream, or into b->sum without one. */
static iso_status pass(const iso_mixture *m, const iso_mixture_rows *rows, iso_sum_stream *s,
		       buffers *b, iso_error *err)
{
	const size_t stats = iso_mixture_stats(m);
	for (size_t first = 0; first < rows->n; first += ISO_MIXTURE_PIECE) {
		const size_t left = rows->n - first,
			     n = left < ISO_MIXTURE_PIECE ? left : ISO_MIXTURE_PIECE;
		rows->get(rows->ctx, first, n, b->x);
		for (size_t i = 0; i < n; i++) {
			(void)iso_mixture_expect(m, b->x + i * m->enc->dim, b->work, b->stat);
			if (s)
				ISO_TRY(iso_mech_sum_add(s, (uint32_t)(first + i), b->stat, err));
			for (size_t j = 0; !s && j < stats; j++)
				b->sum[j] += b->stat[j];
		}
	}
	return ISO_OK;
}

static iso_status release(const iso_mixture *m, const iso_mixture_rows *rows, iso_ledger *ledger,
			  iso_entry entry, buffers *b, iso_error *err)
{
	const iso_sum_block block = {
		.dim = iso_mixture_stats(m), .clip = iso_mixture_bound(m), .norm = ISO_NORM_L2};
	iso_sum_stream *s = NULL;
	if (!ledger) {
		memset(b->sum, 0, block.dim * sizeof *b->sum);
		return pass(m, rows, NULL, b, err);
	}
	ISO_TRY(iso_mech_sum_begin(ledger, entry, rows->id, rows->n, &block, 1, &s, err));
	const iso_status st = pass(m, rows, s, b, err);
	if (st != ISO_OK) {
		iso_mech_sum_cancel(s);
		return st;
	}
	return iso_mech_sum_finish(s, b->sum, err);
}

iso_status iso_mixture_fit(iso_mixture *m, const iso_mixture_rows *rows, iso_ledger *ledger,
			   iso_entry entry, double noise, size_t iterations, iso_error *err)
{
	const double sd = ledger ? noise * iso_mixture_bound(m) : 0;
	buffers b = {.x = iso_alloc(ISO_MIXTURE_PIECE, m->enc->dim * sizeof *b.x),
		     .work = iso_alloc(m->k, sizeof *b.work),
		     .stat = iso_alloc(iso_mixture_stats(m), sizeof *b.stat),
		     .sum = iso_alloc(iso_mixture_stats(m), sizeof *b.sum)};
	iso_status st = ISO_OK;
	if (!b.x || !b.work || !b.stat || !b.sum)
		st = iso_no_memory(err, "statistics of a mixture");
	for (size_t t = 0; st == ISO_OK && t < iterations; t++) {
		st = release(m, rows, ledger, entry, &b, err);
		if (st == ISO_OK)
			iso_mixture_maximise(m, b.sum, sd);
	}
	iso_free(b.x);
	iso_free(b.work);
	iso_free(b.stat);
	iso_free(b.sum);
	return st;
}

void iso_mixture_save(iso_str *out, const iso_mixture *m)
{
	const size_t cells = m->k * m->enc->dim;
	iso_part_add(out, "rows", &m->rows, sizeof m->rows);
	iso_part_add(out, "weight", m->weight, m->k * sizeof *m->weight);
	iso_part_add(out, "mean", m->mean, cells * sizeof *m->mean);
	iso_part_add(out, "var", m->var, cells * sizeof *m->var);
}

iso_status iso_mixture_take(iso_parts *in, iso_mixture *m, iso_error *err)
{
	const size_t cells = m->k * m->enc->dim;
	ISO_TRY(iso_part_take(in, "rows", &m->rows, sizeof m->rows, err));
	ISO_TRY(iso_part_take(in, "weight", m->weight, m->k * sizeof *m->weight, err));
	ISO_TRY(iso_part_take(in, "mean", m->mean, cells * sizeof *m->mean, err));
	ISO_TRY(iso_part_take(in, "var", m->var, cells * sizeof *m->var, err));
	iso_mixture_restore(m);
	return ISO_OK;
}
