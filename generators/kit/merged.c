// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/merged.h"

#include <math.h>

#include "core/base/alloc.h"

#define KEEP_SD 3 /* cells below so many standard deviations are merged */

/* One column: cells that stay come first, the merged one last. */
static void merge_column(iso_merged *m, const double *y, uint32_t *to, size_t n, size_t j,
			 double sd)
{
	double *count = m->count + m->first[j], *weight = m->weight + m->first[j], rest = 0;
	size_t kept = 0;
	for (size_t c = 0; c < n; c++)
		if (y[c] >= KEEP_SD * sd) {
			count[kept] = y[c];
			weight[kept] = 1 / sd;
			to[c] = (uint32_t)kept++;
		}
	m->cells[j] = kept + (kept < n);
	if (kept == n)
		return;
	for (size_t c = 0; c < n; c++)
		if (!(y[c] >= KEEP_SD * sd)) {
			rest += y[c];
			to[c] = (uint32_t)kept;
		}
	count[kept] = rest;
	weight[kept] = 1 / (sd * sqrt((double)(n - kept)));
}

iso_status iso_merged_new(const iso_binning *b, const double *one, double sd, iso_merged *out,
			  iso_error *err)
{
	double weights = 0;
	size_t at = 0;
	*out = (iso_merged){.to = iso_alloc(b->total, sizeof *out->to),
			    .cells = iso_alloc(b->ncode, sizeof *out->cells),
			    .first = iso_alloc(b->ncode, sizeof *out->first),
			    .count = iso_alloc(b->total, sizeof *out->count),
			    .weight = iso_alloc(b->total, sizeof *out->weight)};
	if (!out->to || !out->cells || !out->first || !out->count || !out->weight) {
		iso_merged_free(out);
		return iso_no_memory(err, "merged cells");
	}
	for (size_t j = 0; j < b->ncode; j++) {
		const double *y = one + b->first[j], each = 1 / (double)b->cells[j];
		double sum = 0;
		for (size_t c = 0; c < b->cells[j]; c++)
			sum += y[c];
		out->total += sum * each; /* every column counts the rows; variance ~ cells */
		weights += each;
		out->first[j] = at;
		merge_column(out, y, out->to + b->first[j], b->cells[j], j, sd);
		at += out->cells[j];
	}
	out->total = fmax(out->total / weights, 1);
	return ISO_OK;
}

void iso_merged_free(iso_merged *m)
{
	iso_free(m->to);
	iso_free(m->cells);
	iso_free(m->first);
	iso_free(m->count);
	iso_free(m->weight);
	*m = (iso_merged){0};
}

void iso_merged_codes(const iso_merged *m, const iso_binning *b, size_t n)
{
	for (size_t r = 0; r < n; r++)
		for (size_t j = 0; j < b->ncode; j++)
			b->code[r * b->ncode + j] = m->to[b->first[j] + b->code[r * b->ncode + j]];
}

size_t iso_merged_undo(const iso_merged *m, const iso_binning *b, size_t column, uint32_t cell,
		       double u)
{
	const uint32_t *to = m->to + b->first[column];
	size_t n = 0, k;
	for (size_t c = 0; c < b->cells[column]; c++)
		n += to[c] == cell;
	k = (size_t)(u * (double)n);
	for (size_t c = 0; c < b->cells[column]; c++)
		if (to[c] == cell && k-- == 0)
			return c;
	return 0;
}
