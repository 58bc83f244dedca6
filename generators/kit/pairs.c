// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/pairs.h"

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
