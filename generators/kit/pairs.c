// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/pairs.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"

size_t iso_forest_find(size_t *root, size_t v)
{
	while (root[v] != v)
		v = root[v] = root[root[v]];
	return v;
}

void iso_forest_join(size_t *root, size_t a, size_t b)
{
	root[iso_forest_find(root, a)] = iso_forest_find(root, b);
}

static int allowed(const size_t *cells, size_t i, size_t j, double max_cells)
{
	return (double)cells[i] * (double)cells[j] <= max_cells;
}

iso_status iso_forest_edges(const size_t *cells, size_t n, double max_cells, size_t *edges,
			    iso_error *err)
{
	size_t *root = iso_alloc(n, sizeof *root);
	*edges = 0;
	if (!root)
		return iso_no_memory(err, "a forest");
	for (size_t v = 0; v < n; v++)
		root[v] = v;
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			if (allowed(cells, i, j, max_cells) &&
			    iso_forest_find(root, i) != iso_forest_find(root, j)) {
				iso_forest_join(root, i, j);
				(*edges)++;
			}
	iso_free(root);
	return ISO_OK;
}

/* table: scratch for the counts of the pair */
static double score_of(const iso_pair_data *p, size_t i, size_t j, double *table)
{
	const size_t ni = p->cells[i], nj = p->cells[j];
	const double *si = p->share + p->first[i], *sj = p->share + p->first[j];
	double sum = 0;
	memset(table, 0, ni * nj * sizeof *table);
	for (size_t r = 0; r < p->n; r++)
		table[p->code[r * p->d + i] * nj + p->code[r * p->d + j]] += 1;
	for (size_t a = 0; a < ni; a++)
		for (size_t c = 0; c < nj; c++)
			sum += fabs(table[a * nj + c] - p->total * si[a] * sj[c]);
	return sum;
}

iso_status iso_pair_scores_new(const iso_pair_data *p, iso_pair_scores *out, iso_error *err)
{
	size_t most = 1, pairs = 0;
	*out = (iso_pair_scores){0};
	for (size_t i = 0; i < p->d; i++)
		for (size_t j = i + 1; j < p->d; j++)
			if (allowed(p->public_cells, i, j, p->max_cells)) {
				const size_t n = p->cells[i] * p->cells[j];
				most = n > most ? n : most;
				pairs++;
			}
	double *table = iso_alloc(most, sizeof *table);
	out->pair = iso_alloc(pairs, 2 * sizeof *out->pair);
	out->score = iso_alloc(pairs, sizeof *out->score);
	if (!table || !out->pair || !out->score) {
		iso_free(table);
		iso_pair_scores_free(out);
		return iso_no_memory(err, "scores of pairs");
	}
	for (size_t i = 0; i < p->d; i++)
		for (size_t j = i + 1; j < p->d; j++) {
			if (!allowed(p->public_cells, i, j, p->max_cells))
				continue;
			out->pair[2 * out->n] = (uint32_t)i;
			out->pair[2 * out->n + 1] = (uint32_t)j;
			out->score[out->n++] = score_of(p, i, j, table);
		}
	iso_free(table);
	return ISO_OK;
}

void iso_pair_scores_free(iso_pair_scores *s)
{
	iso_free(s->pair);
	iso_free(s->score);
	*s = (iso_pair_scores){0};
}
