// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/junction.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/base/alloc.h"

/* The graph while its variables are eliminated. */
typedef struct graph {
	const size_t *cells;
	size_t n;
	uint8_t *edge; /* [n][n] */
	uint8_t *gone; /* [n] */
} graph;

static size_t neighbours(const graph *g, size_t v, uint32_t *out)
{
	size_t n = 0;
	for (size_t u = 0; u < g->n; u++)
		if (g->edge[v * g->n + u] && !g->gone[u])
			out[n++] = (uint32_t)u;
	return n;
}

/* Edges that eliminating v adds, and log of the cells of its clique. */
static size_t fill_of(const graph *g, size_t v, uint32_t *near, double *weight)
{
	const size_t k = neighbours(g, v, near);
	size_t fill = 0;
	*weight = (double)g->cells[v];
	for (size_t i = 0; i < k; i++) {
		*weight *= (double)g->cells[near[i]];
		for (size_t j = i + 1; j < k; j++)
			fill += !g->edge[near[i] * g->n + near[j]];
	}
	return fill;
}

static size_t next_variable(const graph *g, uint32_t *near)
{
	size_t best = SIZE_MAX, least = SIZE_MAX;
	double lightest = INFINITY;
	for (size_t v = 0; v < g->n; v++) {
		double weight;
		if (g->gone[v])
			continue;
		const size_t fill = fill_of(g, v, near, &weight);
		if (best != SIZE_MAX && (fill > least || (fill == least && weight >= lightest)))
			continue;
		best = v;
		least = fill;
		lightest = weight;
	}
	return best;
}

static void keep_maximal(iso_junction *j, const iso_scope *c)
{
	for (size_t i = 0; i < j->n; i++)
		if (iso_scope_within(c, &j->clique[i]))
			return;
	j->clique[j->n++] = *c;
}

/* Cliques in the order of elimination; 1 if one of them is too wide. */
static int eliminate(graph *g, uint32_t *near, iso_junction *out)
{
	for (size_t step = 0; step < g->n; step++) {
		const size_t v = next_variable(g, near);
		size_t k = neighbours(g, v, near);
		g->gone[v] = 1;
		for (size_t a = 0; a < k; a++)
			for (size_t b = 0; b < k; b++)
				if (a != b)
					g->edge[near[a] * g->n + near[b]] = 1;
		near[k++] = (uint32_t)v;
		if (k > ISO_SCOPE_MAX - 4) /* room for the variables of a marginal */
			return 1;
		const iso_scope c = iso_scope_of(k, near);
		keep_maximal(out, &c);
	}
	return 0;
}

/* Prim's algorithm from clique 0; the cliques are put into the order in which they join. */
static void hang_together(iso_junction *j)
{
	j->parent[0] = SIZE_MAX;
	j->sep[0] = (iso_scope){0};
	for (size_t done = 1; done < j->n; done++) {
		size_t best = done, parent = 0;
		iso_scope most = {0};
		for (size_t c = done; c < j->n; c++)
			for (size_t p = 0; p < done; p++) {
				const iso_scope s = iso_scope_meet(&j->clique[c], &j->clique[p]);
				if (s.n > most.n) {
					most = s;
					best = c;
					parent = p;
				}
			}
		const iso_scope c = j->clique[best];
		j->clique[best] = j->clique[done];
		j->clique[done] = c;
		j->sep[done] = most;
		j->parent[done] = parent;
	}
}

static iso_status graph_new(const size_t *cells, size_t nvar, const iso_scope *set, size_t nset,
			    graph *g, iso_error *err)
{
	*g = (graph){.cells = cells, .n = nvar};
	g->edge = iso_alloc(nvar, nvar);
	g->gone = iso_alloc(nvar, 1);
	if (!g->edge || !g->gone)
		return iso_no_memory(err, "a graph of variables");
	for (size_t s = 0; s < nset; s++)
		for (size_t i = 0; i < set[s].n; i++)
			for (size_t k = 0; k < set[s].n; k++)
				if (i != k)
					g->edge[set[s].v[i] * nvar + set[s].v[k]] = 1;
	return ISO_OK;
}

iso_status iso_junction_new(const size_t *cells, size_t nvar, const iso_scope *set, size_t nset,
			    iso_junction *out, iso_error *err)
{
	graph g = {0};
	uint32_t *near = iso_alloc(nvar + 1, sizeof *near);
	iso_status st;
	*out = (iso_junction){.clique = iso_alloc(nvar, sizeof *out->clique),
			      .sep = iso_alloc(nvar, sizeof *out->sep),
			      .parent = iso_alloc(nvar, sizeof *out->parent)};
	if (!near || !out->clique || !out->sep || !out->parent) {
		st = iso_no_memory(err, "a junction tree");
		goto out;
	}
	ISO_TRY_OUT(graph_new(cells, nvar, set, nset, &g, err));
	if (eliminate(&g, near, out)) {
		out->n = 0;
		out->total = INFINITY;
		goto out;
	}
	hang_together(out);
	for (size_t c = 0; c < out->n; c++)
		out->total += iso_scope_cells(&out->clique[c], cells);
out:
	iso_free(g.edge);
	iso_free(g.gone);
	iso_free(near);
	if (st != ISO_OK)
		iso_junction_free(out);
	return st;
}

void iso_junction_free(iso_junction *j)
{
	iso_free(j->clique);
	iso_free(j->sep);
	iso_free(j->parent);
	*j = (iso_junction){0};
}

size_t iso_junction_host(const iso_junction *j, const iso_scope *s)
{
	for (size_t c = 0; c < j->n; c++)
		if (iso_scope_within(s, &j->clique[c]))
			return c;
	return SIZE_MAX;
}
