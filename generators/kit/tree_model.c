// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/tree_model.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/vmath.h"

/* A cell that was measured at nothing starts at this share of all rows: mirror descent multiplies,
 * so it could not leave zero. */
#define FLOOR 1e-7
#define ARMIJO_TRIES 25

/* A point of mirror descent: potentials and the marginals that follow from them. */
typedef struct point {
	double *theta; /* [total] node potentials, then edge potentials [parent][child] */
	double *mu;    /* [total] marginals as counts, in the same places */
	double loss;
} point;

typedef struct work {
	const iso_tree_problem *p;
	iso_tree_model *m;
	size_t *node, *edge; /* [nvar] offsets; edge[v] = that of the edge to the parent of v */
	size_t *up_at;	     /* [nvar] offset of the message of v to its parent */
	size_t total;	     /* numbers in a point */
	double *y, *w;	     /* [total] measured counts and weights in the places of a point */
	double *pot;	     /* [total] exp of the potentials */
	double *up;	     /* messages to the parents */
	double *belief;	     /* [sum of cells] node potential times the children's messages */
} work;

/* ------------------------------------------------------------------ the forest */

static const iso_tree_edge *edge_between(const iso_tree_problem *p, size_t a, size_t b)
{
	for (size_t e = 0; e < p->nedge; e++)
		if ((p->edge[e].a == a && p->edge[e].b == b) ||
		    (p->edge[e].a == b && p->edge[e].b == a))
			return &p->edge[e];
	return NULL;
}

/* Breadth first from the lowest variable of every component. */
static iso_status orient(const iso_tree_problem *p, iso_tree_model *m, iso_error *err)
{
	size_t n = 0, roots = 0;
	uint8_t *seen = iso_alloc(p->nvar, 1);
	if (!seen)
		return iso_no_memory(err, "a forest");
	for (size_t root = 0; root < p->nvar; root++) {
		size_t next = n;
		if (seen[root])
			continue;
		roots++;
		seen[root] = 1;
		m->parent[root] = SIZE_MAX;
		m->order[n++] = root;
		for (; next < n; next++)
			for (size_t e = 0; e < p->nedge; e++) {
				const iso_tree_edge *d = &p->edge[e];
				const size_t v = m->order[next];
				const size_t to = d->a == v ? d->b : d->b == v ? d->a : SIZE_MAX;
				if (to == SIZE_MAX || seen[to])
					continue;
				seen[to] = 1;
				m->parent[to] = v;
				m->order[n++] = to;
			}
	}
	iso_free(seen);
	ISO_FAIL_IF(p->nedge + roots != p->nvar, err, ISO_E_INTERNAL,
		    "forest: %zu edges and %zu components among %zu variables close a circle",
		    p->nedge, roots, p->nvar);
	return ISO_OK;
}

static size_t parent_cells(const iso_tree_model *m, size_t v)
{
	return m->parent[v] == SIZE_MAX ? 1 : m->cells[m->parent[v]];
}

static iso_status model_new(const iso_tree_problem *p, iso_tree_model *m, iso_error *err)
{
	size_t total = 0;
	*m = (iso_tree_model){.nvar = p->nvar};
	m->cells = iso_alloc(p->nvar, sizeof *m->cells);
	m->order = iso_alloc(p->nvar, sizeof *m->order);
	m->parent = iso_alloc(p->nvar, sizeof *m->parent);
	m->first = iso_alloc(p->nvar, sizeof *m->first);
	if (!m->cells || !m->order || !m->parent || !m->first)
		return iso_no_memory(err, "a forest");
	memcpy(m->cells, p->cells, p->nvar * sizeof *m->cells);
	ISO_TRY(orient(p, m, err));
	for (size_t v = 0; v < p->nvar; v++) {
		m->first[v] = total;
		total += m->cells[v] * parent_cells(m, v);
	}
	m->law = iso_alloc(total, sizeof *m->law);
	return m->law ? ISO_OK : iso_no_memory(err, "a forest");
}

void iso_tree_free(iso_tree_model *m)
{
	iso_free(m->cells);
	iso_free(m->order);
	iso_free(m->parent);
	iso_free(m->first);
	iso_free(m->law);
	*m = (iso_tree_model){0};
}

const double *iso_tree_law(const iso_tree_model *m, size_t variable, size_t pcell)
{
	const size_t row = m->parent[variable] == SIZE_MAX ? 0 : pcell;
	return m->law + m->first[variable] + row * m->cells[variable];
}

/* ------------------------------------------------------------------ belief propagation */

static double scaled_exp(const double *theta, size_t n, double *out)
{
	double top = -INFINITY, sum = 0;
	for (size_t i = 0; i < n; i++)
		top = theta[i] > top ? theta[i] : top;
	for (size_t i = 0; i < n; i++)
		sum += out[i] = iso_exp(theta[i] - top);
	return sum;
}

/* Messages from the leaves to the roots: up_v[i] = sum_j psi(i, j) belief_v[j], scaled to a largest
 * value of 1. */
static void collect(work *k)
{
	const iso_tree_model *m = k->m;
	size_t sum = 0;
	for (size_t v = 0; v < m->nvar; v++)
		sum += m->cells[v];
	memcpy(k->belief, k->pot, sum * sizeof *k->belief);
	for (size_t r = m->nvar; r-- > 0;) {
		const size_t v = m->order[r], q = m->parent[v];
		if (q == SIZE_MAX)
			continue;
		const double *psi = k->pot + k->edge[v], *b = k->belief + k->node[v];
		double *up = k->up + k->up_at[v], top = 0;
		for (size_t i = 0; i < m->cells[q]; i++) {
			up[i] = 0;
			for (size_t j = 0; j < m->cells[v]; j++)
				up[i] += psi[i * m->cells[v] + j] * b[j];
			top = up[i] > top ? up[i] : top;
		}
		for (size_t i = 0; i < m->cells[q]; i++) {
			up[i] = top > 0 ? up[i] / top : 1;
			k->belief[k->node[q] + i] *= up[i];
		}
	}
}

static void normalise(double *x, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += x[i];
	for (size_t i = 0; i < n; i++)
		x[i] = sum > 0 ? x[i] / sum : 1 / (double)n;
}

/* From the roots to the leaves: conditional laws and marginals. */
static void distribute(work *k, double *mu)
{
	iso_tree_model *m = k->m;
	for (size_t r = 0; r < m->nvar; r++) {
		const size_t v = m->order[r], q = m->parent[v], n = m->cells[v];
		double *law = m->law + m->first[v], *own = mu + k->node[v];
		const double *b = k->belief + k->node[v];
		for (size_t i = 0; i < parent_cells(m, v); i++) {
			for (size_t j = 0; j < n; j++)
				law[i * n + j] = q == SIZE_MAX
							 ? b[j]
							 : k->pot[k->edge[v] + i * n + j] * b[j];
			normalise(law + i * n, n);
		}
		for (size_t j = 0; j < n; j++)
			own[j] = q == SIZE_MAX ? k->p->total * law[j] : 0;
		for (size_t i = 0; q != SIZE_MAX && i < m->cells[q]; i++)
			for (size_t j = 0; j < n; j++) {
				const double x = mu[k->node[q] + i] * law[i * n + j];
				mu[k->edge[v] + i * n + j] = x;
				own[j] += x;
			}
	}
}

static void infer(work *k, point *at)
{
	const iso_tree_model *m = k->m;
	for (size_t v = 0; v < m->nvar; v++) {
		(void)scaled_exp(at->theta + k->node[v], m->cells[v], k->pot + k->node[v]);
		if (m->parent[v] != SIZE_MAX)
			(void)scaled_exp(at->theta + k->edge[v], m->cells[v] * parent_cells(m, v),
					 k->pot + k->edge[v]);
	}
	collect(k);
	distribute(k, at->mu);
	at->loss = 0;
	for (size_t i = 0; i < k->total; i++)
		at->loss += 0.5 * k->w[i] * (at->mu[i] - k->y[i]) * (at->mu[i] - k->y[i]);
}

/* ------------------------------------------------------------------ mirror descent */

/* Places of a point, and the measurements brought there. */
static iso_status work_new(const iso_tree_problem *p, iso_tree_model *m, work *k, iso_error *err)
{
	size_t ups = 0;
	*k = (work){.p = p, .m = m};
	k->node = iso_alloc(p->nvar, sizeof *k->node);
	k->edge = iso_alloc(p->nvar, sizeof *k->edge);
	k->up_at = iso_alloc(p->nvar, sizeof *k->up_at);
	if (!k->node || !k->edge || !k->up_at)
		return iso_no_memory(err, "a forest");
	for (size_t v = 0; v < p->nvar; v++) {
		k->node[v] = k->total;
		k->total += p->cells[v];
	}
	const size_t nodes = k->total;
	for (size_t v = 0; v < p->nvar; v++) {
		if (m->parent[v] == SIZE_MAX)
			continue;
		k->edge[v] = k->total;
		k->up_at[v] = ups;
		k->total += p->cells[v] * parent_cells(m, v);
		ups += parent_cells(m, v);
	}
	k->y = iso_alloc(k->total, sizeof *k->y);
	k->w = iso_alloc(k->total, sizeof *k->w);
	k->pot = iso_alloc(k->total, sizeof *k->pot);
	k->up = iso_alloc(ups, sizeof *k->up);
	k->belief = iso_alloc(nodes, sizeof *k->belief);
	if (!k->y || !k->w || !k->pot || !k->up || !k->belief)
		return iso_no_memory(err, "a forest");
	memcpy(k->y, p->y, nodes * sizeof *k->y);
	memcpy(k->w, p->weight, nodes * sizeof *k->w);
	for (size_t v = 0; v < p->nvar; v++) {
		if (m->parent[v] == SIZE_MAX)
			continue;
		const iso_tree_edge *e = edge_between(p, v, m->parent[v]);
		const size_t nq = parent_cells(m, v), nv = p->cells[v];
		for (size_t i = 0; i < nq; i++)
			for (size_t j = 0; j < nv; j++) {
				k->y[k->edge[v] + i * nv + j] =
					e->a == v ? e->y[j * nq + i] : e->y[i * nv + j];
				k->w[k->edge[v] + i * nv + j] = e->weight;
			}
	}
	return ISO_OK;
}

static void work_free(work *k)
{
	iso_free(k->node);
	iso_free(k->edge);
	iso_free(k->up_at);
	iso_free(k->y);
	iso_free(k->w);
	iso_free(k->pot);
	iso_free(k->up);
	iso_free(k->belief);
}

static double log_share(double count, double total)
{
	const double share = count / total;
	return iso_log(share > FLOOR ? share : FLOOR);
}

/* Start: log of the measured counts, edges relative to the sums of their own rows and columns.
 * Exact and consistent measurements are reproduced at once. */
static void start(const work *k, double *theta)
{
	const iso_tree_model *m = k->m;
	for (size_t v = 0; v < m->nvar; v++)
		for (size_t j = 0; j < m->cells[v]; j++)
			theta[k->node[v] + j] = log_share(k->y[k->node[v] + j], k->p->total);
	for (size_t v = 0; v < m->nvar; v++) {
		const size_t q = m->parent[v], n = m->cells[v];
		for (size_t i = 0; q != SIZE_MAX && i < m->cells[q]; i++)
			for (size_t j = 0; j < n; j++) {
				const size_t at = k->edge[v] + i * n + j;
				theta[at] = log_share(k->y[at], k->p->total) -
					    theta[k->node[q] + i] - theta[k->node[v] + j];
			}
	}
}

/* theta' = theta - step dL; 1 if the loss falls by at least half of what the step promises. */
static int try_step(work *k, const point *from, double step, point *to)
{
	double promised = 0;
	for (size_t i = 0; i < k->total; i++)
		to->theta[i] = from->theta[i] - step * k->w[i] * (from->mu[i] - k->y[i]);
	infer(k, to);
	for (size_t i = 0; i < k->total; i++)
		promised += k->w[i] * (from->mu[i] - k->y[i]) * (from->mu[i] - to->mu[i]);
	return from->loss - to->loss >= 0.5 * step * promised;
}

static void descend(work *k, point *a, point *b)
{
	double step = 2 / k->p->total;
	point *at = a, *next = b;
	start(k, at->theta);
	infer(k, at);
	for (size_t t = 0; t < k->p->iterations; t++) {
		int found = 0;
		for (int i = 0; i < ARMIJO_TRIES && !found; i++) {
			found = try_step(k, at, step, next);
			step *= found ? 1.01 : 0.5;
		}
		if (!found || !(at->loss - next->loss > 1e-9 * at->loss))
			break;
		point *swap = at;
		at = next;
		next = swap;
	}
	infer(k, at);
	k->m->loss = at->loss;
}

iso_status iso_tree_fit(const iso_tree_problem *p, iso_tree_model *out, iso_error *err)
{
	work k = {0};
	point a = {0}, b = {0};
	iso_status st;
	ISO_TRY_OUT(model_new(p, out, err));
	ISO_TRY_OUT(work_new(p, out, &k, err));
	a = (point){iso_alloc(k.total, sizeof(double)), iso_alloc(k.total, sizeof(double)), 0};
	b = (point){iso_alloc(k.total, sizeof(double)), iso_alloc(k.total, sizeof(double)), 0};
	if (!a.theta || !a.mu || !b.theta || !b.mu) {
		st = iso_no_memory(err, "a forest");
		goto out;
	}
	descend(&k, &a, &b);
out:
	iso_free(a.theta);
	iso_free(a.mu);
	iso_free(b.theta);
	iso_free(b.mu);
	work_free(&k);
	if (st != ISO_OK)
		iso_tree_free(out);
	return st;
}
