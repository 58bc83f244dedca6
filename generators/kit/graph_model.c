// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/graph_model.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/vmath.h"

/* A cell that was measured at nothing starts at this share of all rows: mirror descent multiplies,
 * so it could not leave zero. */
#define FLOOR 1e-7
#define ARMIJO_TRIES 25

/* A point of mirror descent: potentials, and the marginals of the measured tables under them. */
typedef struct point {
	double *theta, *mu; /* [ntheta] */
	double loss;
} point;

typedef struct work {
	const iso_graph_problem *p;
	iso_graph *g;
	size_t *host, *at; /* [nset] clique of each measured table; offset of its potentials */
	size_t *up_at;	   /* [cliques] offset of the message to the parent */
	double *up;	   /* messages */
	double *down;	   /* scratch, the largest separator */
} work;

/* ------------------------------------------------------------------ belief propagation */

static double *table_of(const iso_graph *g, size_t clique)
{
	return g->belief + g->first[clique];
}

static size_t cells_of(const iso_graph *g, size_t clique)
{
	return g->first[clique + 1] - g->first[clique];
}

/* belief = exp(sum of potentials), scaled to a largest value of 1. */
static void load_potentials(work *k, const double *theta)
{
	const iso_graph *g = k->g;
	memset(g->belief, 0, g->first[g->tree.n] * sizeof *g->belief);
	for (size_t m = 0; m < k->p->nset; m++)
		iso_factor_add(g->cells, &g->tree.clique[k->host[m]], table_of(g, k->host[m]),
			       &k->p->set[m].scope, theta + k->at[m]);
	for (size_t c = 0; c < g->tree.n; c++) {
		double *x = table_of(g, c), top = -INFINITY;
		const size_t n = cells_of(g, c);
		for (size_t i = 0; i < n; i++)
			top = x[i] > top ? x[i] : top;
		for (size_t i = 0; i < n; i++)
			x[i] = iso_exp(x[i] - top);
	}
}

static void scale_to(double *x, size_t n, double total)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += x[i];
	for (size_t i = 0; i < n; i++)
		x[i] = sum > 0 ? x[i] * (total / sum) : total / (double)n;
}

/* Messages from the leaves to the root. */
static void collect(work *k)
{
	const iso_graph *g = k->g;
	for (size_t c = g->tree.n; c-- > 1;) {
		const size_t q = g->tree.parent[c];
		const iso_scope *sep = &g->tree.sep[c];
		const size_t n = (size_t)iso_scope_cells(sep, g->cells);
		double *up = k->up + k->up_at[c], top = 0;
		iso_factor_sum(g->cells, &g->tree.clique[c], table_of(g, c), sep, up);
		for (size_t i = 0; i < n; i++)
			top = up[i] > top ? up[i] : top;
		for (size_t i = 0; i < n; i++)
			up[i] = top > 0 ? up[i] / top : 1;
		iso_factor_mul(g->cells, &g->tree.clique[q], table_of(g, q), sep, up);
	}
}

/* Back from the root; every clique's table then holds expected counts. */
static void distribute(work *k)
{
	const iso_graph *g = k->g;
	scale_to(g->belief, cells_of(g, 0), g->total);
	for (size_t c = 1; c < g->tree.n; c++) {
		const size_t q = g->tree.parent[c];
		const iso_scope *sep = &g->tree.sep[c];
		const size_t n = (size_t)iso_scope_cells(sep, g->cells);
		double *up = k->up + k->up_at[c];
		iso_factor_sum(g->cells, &g->tree.clique[q], table_of(g, q), sep, k->down);
		iso_factor_sum(g->cells, &g->tree.clique[c], table_of(g, c), sep, up);
		for (size_t i = 0; i < n; i++)
			k->down[i] = up[i] > 0 ? k->down[i] / up[i] : 0;
		iso_factor_mul(g->cells, &g->tree.clique[c], table_of(g, c), sep, k->down);
		scale_to(table_of(g, c), cells_of(g, c), g->total);
	}
}

static double weight_of(const iso_measured *m, size_t i)
{
	return m->weights ? m->weights[i] : m->weight;
}

static size_t table_size(const work *k, size_t m)
{
	return (m + 1 < k->p->nset ? k->at[m + 1] : k->g->ntheta) - k->at[m];
}

static void infer(work *k, point *pt)
{
	const iso_graph *g = k->g;
	load_potentials(k, pt->theta);
	collect(k);
	distribute(k);
	pt->loss = 0;
	for (size_t m = 0; m < k->p->nset; m++) {
		const iso_measured *set = &k->p->set[m];
		double *mu = pt->mu + k->at[m];
		iso_factor_sum(g->cells, &g->tree.clique[k->host[m]], table_of(g, k->host[m]),
			       &set->scope, mu);
		for (size_t i = 0, n = table_size(k, m); i < n; i++)
			pt->loss +=
				0.5 * weight_of(set, i) * (mu[i] - set->y[i]) * (mu[i] - set->y[i]);
	}
}

/* ------------------------------------------------------------------ mirror descent */

static double log_share(double count, double total)
{
	const double share = count / total;
	return iso_log(share > FLOOR ? share : FLOOR);
}

/* Potentials of the tables that `warm` has not seen: log(y / its marginal), so that exact counts of
 * an edge between two independent variables are reproduced at once. */
static iso_status start(const work *k, double *theta, iso_error *err)
{
	const iso_graph_problem *p = k->p;
	const iso_graph *warm = p->warm;
	const size_t known = p->theta ? k->g->ntheta : warm ? warm->ntheta : 0;
	if (known)
		memcpy(theta, p->theta ? p->theta : warm->theta, known * sizeof *theta);
	for (size_t m = 0; m < p->nset; m++) {
		double *out = theta + k->at[m];
		if (k->at[m] < known)
			continue;
		if (warm)
			ISO_TRY(iso_graph_marginal(warm, &p->set[m].scope, out, err));
		for (size_t i = 0, n = table_size(k, m); i < n; i++)
			out[i] = log_share(p->set[m].y[i], p->total) -
				 (warm ? log_share(out[i], warm->total) : 0);
	}
	return ISO_OK;
}

/* theta' = theta - step dL; 1 if the loss falls by at least half of what the step promises. */
static int try_step(work *k, const point *from, double step, point *to)
{
	double promised = 0;
	for (size_t m = 0; m < k->p->nset; m++)
		for (size_t i = 0, a = k->at[m], n = table_size(k, m); i < n; i++)
			to->theta[a + i] =
				from->theta[a + i] - step * weight_of(&k->p->set[m], i) *
							     (from->mu[a + i] - k->p->set[m].y[i]);
	infer(k, to);
	for (size_t m = 0; m < k->p->nset; m++)
		for (size_t i = 0, a = k->at[m], n = table_size(k, m); i < n; i++)
			promised += weight_of(&k->p->set[m], i) *
				    (from->mu[a + i] - k->p->set[m].y[i]) *
				    (from->mu[a + i] - to->mu[a + i]);
	return from->loss - to->loss >= 0.5 * step * promised;
}

/* Leaves the beliefs at the best point, whose potentials it copies to the model. */
static void descend(work *k, point *a, point *b)
{
	double step = 2 / k->p->total;
	point *at = a, *next = b;
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
	memcpy(k->g->theta, at->theta, k->g->ntheta * sizeof *at->theta);
	k->g->loss = at->loss;
}

/* ------------------------------------------------------------------ laws */

static void make_laws(iso_graph *g)
{
	for (size_t c = 0; c < g->tree.n; c++) {
		const iso_scope *clique = &g->tree.clique[c], *sep = &g->tree.sep[c];
		const iso_scope rest = iso_scope_minus(clique, sep);
		const size_t rows = (size_t)iso_scope_cells(sep, g->cells);
		const size_t n = (size_t)iso_scope_cells(&rest, g->cells);
		double *law = g->law + g->first[c];
		iso_factor_split(g->cells, clique, table_of(g, c), sep, &rest, law);
		for (size_t r = 0; r < rows; r++, law += n) {
			scale_to(law, n, 1);
			for (size_t i = 1; i < n; i++)
				law[i] += law[i - 1];
			law[n - 1] = 1;
		}
	}
}

void iso_graph_draw(const iso_graph *g, iso_key key, uint64_t i, uint32_t *cell)
{
	for (size_t c = 0; c < g->tree.n; c++) {
		const iso_scope *sep = &g->tree.sep[c];
		const iso_scope rest = iso_scope_minus(&g->tree.clique[c], sep);
		const size_t n = (size_t)iso_scope_cells(&rest, g->cells);
		const double *law = g->law + g->first[c] + n * iso_scope_index(sep, g->cells, cell);
		const double u = iso_rand_u01(key, i, c);
		size_t lo = 0, hi = n - 1;
		while (lo < hi) {
			const size_t mid = (lo + hi) / 2;
			if (u < law[mid])
				hi = mid;
			else
				lo = mid + 1;
		}
		for (size_t v = rest.n; v-- > 0; lo /= g->cells[rest.v[v]])
			cell[rest.v[v]] = (uint32_t)(lo % g->cells[rest.v[v]]);
	}
}

/* ------------------------------------------------------------------ fit */

static iso_status graph_new(const iso_graph_problem *p, iso_graph *g, iso_error *err)
{
	iso_scope *scope = iso_alloc(p->nset, sizeof *scope);
	iso_status st;
	*g = (iso_graph){.nvar = p->nvar, .cells = p->cells, .total = p->total};
	if (!scope)
		return iso_no_memory(err, "a graphical model");
	for (size_t m = 0; m < p->nset; m++) {
		scope[m] = p->set[m].scope;
		g->ntheta += (size_t)iso_scope_cells(&scope[m], p->cells);
	}
	ISO_TRY_OUT(iso_junction_new(p->cells, p->nvar, scope, p->nset, &g->tree, err));
	if (!(g->tree.total < 1e12)) {
		st = iso_fail(err, ISO_E_UNSUPPORTED,
			      "graphical model: its junction tree would have %.3g cells; measure "
			      "fewer or smaller marginals",
			      g->tree.total);
		goto out;
	}
	g->first = iso_alloc(g->tree.n + 1, sizeof *g->first);
	g->belief = iso_alloc((size_t)g->tree.total, sizeof *g->belief);
	g->law = iso_alloc((size_t)g->tree.total, sizeof *g->law);
	g->theta = iso_alloc(g->ntheta, sizeof *g->theta);
	if (!g->first || !g->belief || !g->law || !g->theta) {
		st = iso_no_memory(err, "a graphical model");
		goto out;
	}
	for (size_t c = 0; c < g->tree.n; c++)
		g->first[c + 1] =
			g->first[c] + (size_t)iso_scope_cells(&g->tree.clique[c], p->cells);
out:
	iso_free(scope);
	return st;
}

static iso_status work_new(const iso_graph_problem *p, iso_graph *g, work *k, iso_error *err)
{
	size_t ups = 0, at = 0, widest = 1;
	*k = (work){.p = p, .g = g};
	k->host = iso_alloc(p->nset, sizeof *k->host);
	k->at = iso_alloc(p->nset, sizeof *k->at);
	k->up_at = iso_alloc(g->tree.n, sizeof *k->up_at);
	if (!k->host || !k->at || !k->up_at)
		return iso_no_memory(err, "a graphical model");
	for (size_t m = 0; m < p->nset; m++) {
		k->host[m] = iso_junction_host(&g->tree, &p->set[m].scope);
		k->at[m] = at;
		at += (size_t)iso_scope_cells(&p->set[m].scope, p->cells);
	}
	for (size_t c = 0; c < g->tree.n; c++) {
		const size_t n = (size_t)iso_scope_cells(&g->tree.sep[c], p->cells);
		k->up_at[c] = ups;
		ups += n;
		widest = n > widest ? n : widest;
	}
	k->up = iso_alloc(ups, sizeof *k->up);
	k->down = iso_alloc(widest, sizeof *k->down);
	return k->up && k->down ? ISO_OK : iso_no_memory(err, "a graphical model");
}

iso_status iso_graph_fit(const iso_graph_problem *p, iso_graph *out, iso_error *err)
{
	work k = {0};
	point a = {0}, b = {0};
	iso_status st;
	ISO_TRY_OUT(graph_new(p, out, err));
	ISO_TRY_OUT(work_new(p, out, &k, err));
	a = (point){iso_alloc(out->ntheta, sizeof(double)), iso_alloc(out->ntheta, sizeof(double)),
		    0};
	b = (point){iso_alloc(out->ntheta, sizeof(double)), iso_alloc(out->ntheta, sizeof(double)),
		    0};
	if (!a.theta || !a.mu || !b.theta || !b.mu) {
		st = iso_no_memory(err, "a graphical model");
		goto out;
	}
	ISO_TRY_OUT(start(&k, a.theta, err));
	descend(&k, &a, &b);
	make_laws(out);
out:
	iso_free(a.theta);
	iso_free(a.mu);
	iso_free(b.theta);
	iso_free(b.mu);
	iso_free(k.host);
	iso_free(k.at);
	iso_free(k.up_at);
	iso_free(k.up);
	iso_free(k.down);
	if (st != ISO_OK)
		iso_graph_free(out);
	return st;
}

void iso_graph_free(iso_graph *g)
{
	iso_junction_free(&g->tree);
	iso_free(g->first);
	iso_free(g->belief);
	iso_free(g->law);
	iso_free(g->theta);
	*g = (iso_graph){0};
}

/* ------------------------------------------------------------------ other marginals */

/* What a part of the tree says about the asked variables in it: p(carried | separator) as a table
 * over carried and separator. */
typedef struct message {
	iso_scope carried, scope;
	double *x; /* owned; NULL: nothing carried */
} message;

/* x over *scope becomes x times the message, over *scope minus its separator (unless kept) plus
 * what it carries. */
static iso_status absorb(const iso_graph *g, double **x, iso_scope *scope, const message *in,
			 const iso_scope *keep, iso_error *err)
{
	double *next = iso_alloc((size_t)iso_scope_cells(keep, g->cells), sizeof *next);
	if (!next)
		return iso_no_memory(err, "a marginal");
	iso_factor_contract(g->cells, scope, *x, &in->scope, in->x, keep, next);
	iso_free(*x);
	*x = next;
	*scope = *keep;
	return ISO_OK;
}

/* Joint counts of clique c's asked variables, its separator and all that its children carry. */
static iso_status gather(const iso_graph *g, const message *from, size_t c, const iso_scope *asked,
			 message *out, iso_error *err)
{
	iso_scope need = iso_scope_meet(&g->tree.clique[c], asked), scope;
	(void)iso_scope_join(&need, &g->tree.sep[c], &need);
	scope = need;
	for (size_t k = c + 1; k < g->tree.n; k++)
		if (g->tree.parent[k] == c && from[k].x)
			(void)iso_scope_join(&scope, &g->tree.sep[k], &scope);
	out->x = iso_alloc((size_t)iso_scope_cells(&scope, g->cells), sizeof *out->x);
	if (!out->x)
		return iso_no_memory(err, "a marginal");
	iso_factor_sum(g->cells, &g->tree.clique[c], g->belief + g->first[c], &scope, out->x);
	for (size_t k = c + 1; k < g->tree.n; k++) {
		if (g->tree.parent[k] != c || !from[k].x)
			continue;
		(void)iso_scope_join(&need, &from[k].carried, &need);
		iso_scope keep = need;
		for (size_t l = k + 1; l < g->tree.n; l++)
			if (g->tree.parent[l] == c && from[l].x)
				(void)iso_scope_join(&keep, &g->tree.sep[l], &keep);
		ISO_TRY(absorb(g, &out->x, &scope, &from[k], &keep, err));
	}
	out->scope = scope;
	out->carried = iso_scope_minus(&scope, &g->tree.sep[c]);
	return ISO_OK;
}

/* Counts to p(carried | separator). */
static iso_status condition(const iso_graph *g, size_t c, message *m, iso_error *err)
{
	const iso_scope *sep = &g->tree.sep[c];
	const size_t n = (size_t)iso_scope_cells(sep, g->cells);
	double *mass = iso_alloc(n, sizeof *mass);
	if (!mass)
		return iso_no_memory(err, "a marginal");
	iso_factor_sum(g->cells, &m->scope, m->x, sep, mass);
	for (size_t i = 0; i < n; i++)
		mass[i] = mass[i] > 0 ? 1 / mass[i] : 0;
	iso_factor_mul(g->cells, &m->scope, m->x, sep, mass);
	iso_free(mass);
	return ISO_OK;
}

static int has_news(const iso_graph *g, const message *from, size_t c, const iso_scope *asked)
{
	const iso_scope own = iso_scope_meet(&g->tree.clique[c], asked);
	if (!iso_scope_within(&own, &g->tree.sep[c]))
		return 1;
	for (size_t k = c + 1; k < g->tree.n; k++)
		if (g->tree.parent[k] == c && from[k].x)
			return 1;
	return 0;
}

iso_status iso_graph_marginal(const iso_graph *g, const iso_scope *s, double *out, iso_error *err)
{
	const size_t host = iso_junction_host(&g->tree, s);
	iso_status st = ISO_OK;
	if (host != SIZE_MAX) {
		iso_factor_sum(g->cells, &g->tree.clique[host], g->belief + g->first[host], s, out);
		return ISO_OK;
	}
	message *from = iso_alloc(g->tree.n, sizeof *from);
	if (!from)
		return iso_no_memory(err, "a marginal");
	for (size_t c = g->tree.n; c-- > 0;) {
		if (!has_news(g, from, c, s))
			continue;
		ISO_TRY_OUT(gather(g, from, c, s, &from[c], err));
		if (iso_scope_within(s, &from[c].scope)) {
			iso_factor_sum(g->cells, &from[c].scope, from[c].x, s, out);
			break;
		}
		ISO_TRY_OUT(condition(g, c, &from[c], err));
	}
out:
	for (size_t c = 0; c < g->tree.n; c++)
		iso_free(from[c].x);
	iso_free(from);
	return st;
}
