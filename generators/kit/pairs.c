// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/pairs.h"

#include <math.h>

#include "core/base/alloc.h"
#include "core/math/vmath.h"

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

int iso_pair_with_hub(const iso_pair_rule *r, size_t j)
{
	return r->hub != SIZE_MAX && j != r->hub &&
	       (double)r->cells[j] * (double)r->cells[r->hub] <= r->max_cells;
}

int iso_pair_allowed(const iso_pair_rule *r, size_t i, size_t j)
{
	const int both = iso_pair_with_hub(r, i) && iso_pair_with_hub(r, j);
	return i != r->hub && j != r->hub &&
	       (double)r->cells[i] * (double)r->cells[j] * (both ? (double)r->cells[r->hub] : 1) <=
		       r->max_cells;
}

iso_status iso_forest_edges(const iso_pair_rule *r, size_t *edges, iso_error *err)
{
	size_t *root = iso_alloc(r->n, sizeof *root);
	*edges = 0;
	if (!root)
		return iso_no_memory(err, "a forest");
	for (size_t v = 0; v < r->n; v++)
		root[v] = v;
	for (size_t i = 0; i < r->n; i++)
		for (size_t j = i + 1; j < r->n; j++)
			if (iso_pair_allowed(r, i, j) &&
			    iso_forest_find(root, i) != iso_forest_find(root, j)) {
				iso_forest_join(root, i, j);
				(*edges)++;
			}
	iso_free(root);
	return ISO_OK;
}

static double margin(const double *t, size_t n, size_t stride)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += t[i * stride];
	return sum;
}

/* Sum of term(count, product of its margins, all) over the cells. */
static double sum_cells(const double *t, size_t rows, size_t n,
			double (*term)(double both, double apart, double all))
{
	const double all = margin(t, rows * n, 1);
	double sum = 0;
	for (size_t r = 0; r < rows; r++) {
		const double cr = margin(t + r * n, n, 1);
		for (size_t c = 0; c < n && cr > 0; c++)
			sum += term(t[r * n + c], cr * margin(t + c, rows, n), all);
	}
	return sum;
}

static double distance_term(double both, double apart, double all)
{
	return 0.5 * fabs(both - apart / all);
}

static double information_term(double both, double apart, double all)
{
	return both > 0 ? both * iso_log(both * all / apart) : 0;
}

double iso_pair_distance(const double *t, size_t rows, size_t n)
{
	return sum_cells(t, rows, n, distance_term);
}

double iso_pair_information(const double *t, size_t rows, size_t n)
{
	return sum_cells(t, rows, n, information_term);
}

double iso_pair_distance_moves(void)
{
	return 2;
}

double iso_pair_information_moves(double most)
{
	return (most + 1) * iso_log(most + 1) - (most > 0 ? most * iso_log(most) : 0);
}
