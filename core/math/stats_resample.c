// SPDX-License-Identifier: Apache-2.0
/* Statistics by drawing; see stats.h. */
#include <math.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/math/stats.h"

iso_status iso_bootstrap_interval(const iso_bootstrap *b, double *low, double *high, iso_error *err)
{
	size_t *item = iso_alloc(b->n, sizeof(*item)), kept = 0;
	double *value = iso_alloc(b->resamples, sizeof(*value));
	iso_status st = item && value ? ISO_OK : iso_no_memory(err, "a bootstrap");

	*low = *high = NAN;
	for (size_t r = 0; st == ISO_OK && b->n && r < b->resamples; r++) {
		for (size_t i = 0; i < b->n; i++)
			item[i] = (size_t)b->below(b->draw, b->n);
		value[kept] = b->f(b->ctx, item, b->n);
		kept += !isnan(value[kept]);
	}
	if (st == ISO_OK && kept && 2 * kept >= b->resamples) {
		*low = iso_quantile(value, kept, 0.5 * (1 - b->level));
		*high = iso_quantile(value, kept, 0.5 * (1 + b->level));
	}
	iso_free(item);
	iso_free(value);
	return st;
}

/* The first m of row [n] become a random subset of it. */
static void draw_subset(size_t *row, size_t n, size_t m, uint64_t (*below)(void *, uint64_t),
			void *draw)
{
	for (size_t i = 0; i < m; i++) {
		const size_t j = i + (size_t)below(draw, n - i), keep = row[i];

		row[i] = row[j];
		row[j] = keep;
	}
}

static int rising(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* How many of the m highest of the 2m scores are the members', those at the border in proportion;
 * against m / 2. */
static double game_won(const double *score, const size_t *in, const size_t *out, size_t m,
		       double *sorted)
{
	double border, above = 0, at = 0, own = 0, own_at = 0;

	for (size_t i = 0; i < m; i++) {
		sorted[i] = score[in[i]];
		sorted[m + i] = score[out[i]];
	}
	qsort(sorted, 2 * m, sizeof(*sorted), rising);
	border = sorted[m]; /* the m-th highest */
	for (size_t i = 0; i < 2 * m; i++) {
		above += sorted[i] > border;
		at += sorted[i] == border;
	}
	for (size_t i = 0; i < m; i++) {
		own += score[in[i]] > border;
		own_at += score[in[i]] == border;
	}
	own += at > 0 ? ((double)m - above) * own_at / at : 0;
	return own > 0.5 * (double)m ? 1 : own == 0.5 * (double)m ? 0.5 : 0;
}

iso_status iso_set_accuracy(const double *score, const uint8_t *truth, size_t n, size_t m,
			    size_t games, uint64_t (*below)(void *draw, uint64_t n), void *draw,
			    double *out, iso_error *err)
{
	size_t *row[2] = {iso_alloc(n, sizeof(size_t)), iso_alloc(n, sizeof(size_t))};
	double *x = iso_alloc(2 * m, sizeof(*x)), won = 0;
	size_t side[2] = {0};
	iso_status st = row[0] && row[1] && x ? ISO_OK : iso_no_memory(err, "games of sets");

	*out = NAN;
	for (size_t i = 0; st == ISO_OK && i < n; i++) {
		const int k = truth[i] != 0;

		row[k][side[k]++] = i;
	}
	if (st == ISO_OK && m && games && side[0] >= m && side[1] >= m) {
		for (size_t g = 0; g < games; g++) {
			draw_subset(row[0], side[0], m, below, draw);
			draw_subset(row[1], side[1], m, below, draw);
			won += game_won(score, row[1], row[0], m, x);
		}
		*out = won / (double)games;
	}
	iso_free(row[0]);
	iso_free(row[1]);
	iso_free(x);
	return st;
}
