// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/marginal_model.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "generators/kit/parts.h"

#define FIRST_STEPS 1000 /* of mirror descent on the one-way tables */

iso_status iso_marginals_new(const iso_gen_env *env, const char *who, size_t bins,
			     iso_marginals **out, iso_error *err)
{
	iso_marginals *m = iso_alloc(1, sizeof *m);
	iso_status st;
	if (!m)
		return iso_no_memory(err, "a model of marginals");
	m->who = who;
	ISO_TRY_OUT(iso_discrete_new(env->schema, bins, &m->cols, err));
	m->one = iso_alloc(m->cols.bin.total, sizeof *m->one);
	if (!m->one)
		st = iso_no_memory(err, "one-way counts");
out:
	if (st != ISO_OK)
		iso_marginals_destroy(m);
	else
		*out = m;
	return st;
}

void iso_marginals_destroy(void *model)
{
	iso_marginals *m = model;
	if (!m)
		return;
	for (size_t k = 0; k < m->nset; k++)
		iso_free(m->set[k].y);
	iso_free(m->set);
	iso_free(m->one);
	iso_graph_free(&m->graph);
	iso_merged_free(&m->merged);
	iso_discrete_free(&m->cols);
	iso_free(m);
}

/* ------------------------------------------------------------------ fits */

/* The measurements of the model: columns, then tables.  `theta` as in iso_graph_problem. */
static iso_status refit(iso_marginals *m, const double *theta, size_t iterations, iso_error *err)
{
	const size_t d = m->cols.bin.ncode;
	iso_measured *set = iso_alloc(d + m->nset, sizeof *set);
	iso_graph next = {0};
	if (!set)
		return iso_no_memory(err, "measurements");
	for (size_t j = 0; j < d; j++)
		set[j] = (iso_measured){.scope = {.n = 1, .v = {(uint32_t)j}},
					.y = m->merged.count + m->merged.first[j],
					.weights = m->merged.weight + m->merged.first[j]};
	for (size_t k = 0; k < m->nset; k++)
		set[d + k] = (iso_measured){
			.scope = m->set[k].scope, .y = m->set[k].y, .weight = 1 / m->set[k].sd};
	const iso_graph_problem p = {.nvar = d,
				     .cells = m->merged.cells,
				     .set = set,
				     .nset = d + m->nset,
				     .total = m->merged.total,
				     .iterations = iterations,
				     .warm = m->graph.cells ? &m->graph : NULL,
				     .theta = theta};
	const iso_status st = iso_graph_fit(&p, &next, err);
	iso_free(set);
	if (st != ISO_OK)
		return st;
	iso_graph_free(&m->graph);
	m->graph = next;
	return ISO_OK;
}

iso_status iso_marginals_fit(iso_marginals *m, size_t iterations, iso_error *err)
{
	return refit(m, NULL, iterations, err);
}

iso_status iso_marginals_fits(const iso_marginals *m, const iso_scope *scope, double limit,
			      int *yes, iso_error *err)
{
	iso_scope *all;
	iso_junction j;
	*yes = iso_junction_host(&m->graph.tree, scope) != SIZE_MAX;
	if (*yes)
		return ISO_OK;
	all = iso_alloc(m->nset + 1, sizeof *all);
	if (!all)
		return iso_no_memory(err, "a junction tree");
	for (size_t k = 0; k < m->nset; k++)
		all[k] = m->set[k].scope;
	all[m->nset] = *scope;
	const iso_status st =
		iso_junction_new(m->merged.cells, m->cols.bin.ncode, all, m->nset + 1, &j, err);
	iso_free(all);
	if (st != ISO_OK)
		return st;
	*yes = j.total <= limit;
	iso_junction_free(&j);
	return ISO_OK;
}

/* ------------------------------------------------------------------ releases */

iso_status iso_marginals_one_way(iso_marginals *m, iso_ledger *l, iso_entry entry, double noise,
				 iso_binning *rows, size_t n, iso_error *err)
{
	m->sd = noise;
	for (size_t j = 0; j < m->cols.bin.ncode; j++) {
		const iso_scope s = {.n = 1, .v = {(uint32_t)j}};
		ISO_TRY(iso_discrete_release(rows, n, m->cols.bin.cells, &s, l, entry,
					     m->one + m->cols.bin.first[j], err));
	}
	ISO_TRY(iso_merged_new(&m->cols.bin, m->one, m->sd, &m->merged, err));
	iso_merged_codes(&m->merged, rows, n);
	return refit(m, NULL, FIRST_STEPS, err);
}

static iso_status add_table(iso_marginals *m, const iso_scope *scope, double sd, iso_error *err)
{
	ISO_TRY(iso_grow(&m->set, &m->cap, m->nset + 1, sizeof *m->set, err));
	iso_released *t = &m->set[m->nset];
	*t = (iso_released){.scope = *scope, .sd = sd};
	t->y = iso_alloc((size_t)iso_scope_cells(scope, m->merged.cells), sizeof *t->y);
	if (!t->y)
		return iso_no_memory(err, "a table of counts");
	m->nset++;
	return ISO_OK;
}

iso_status iso_marginals_measure(iso_marginals *m, iso_ledger *l, iso_entry entry, double noise,
				 const iso_binning *rows, size_t n, const iso_scope *scope,
				 iso_error *err)
{
	ISO_TRY(add_table(m, scope, noise, err));
	return iso_discrete_release(rows, n, m->merged.cells, scope, l, entry,
				    m->set[m->nset - 1].y, err);
}

iso_status iso_marginals_distance(const iso_marginals *m, const iso_scope *scope,
				  const double *truth, double *out, iso_error *err)
{
	const size_t n = (size_t)iso_scope_cells(scope, m->merged.cells);
	double *mu = iso_alloc(n, sizeof *mu);
	if (!mu)
		return iso_no_memory(err, "a marginal of the model");
	const iso_status st = iso_graph_marginal(&m->graph, scope, mu, err);
	*out = 0;
	for (size_t i = 0; i < n; i++)
		*out += fabs(truth[i] - mu[i]);
	iso_free(mu);
	return st;
}

/* ------------------------------------------------------------------ slots */

iso_status iso_marginals_sample(const void *model, iso_key key, iso_table *out, iso_error *err)
{
	const iso_marginals *m = model;
	const iso_key cell = iso_key_child(key, "cell", 0), part = iso_key_child(key, "merged", 0);
	const iso_key within = iso_key_child(key, "within", 0);
	uint32_t *row = iso_alloc(m->cols.bin.ncode, sizeof *row);
	if (!row)
		return iso_no_memory(err, "a row");
	for (size_t i = 0; i < out->n; i++) {
		iso_graph_draw(&m->graph, cell, i, row);
		for (size_t j = 0; j < m->cols.bin.ncode; j++)
			iso_discrete_put(&m->cols, within, out, i, j,
					 iso_merged_undo(&m->merged, &m->cols.bin, j, row[j],
							 iso_rand_u01(part, i, j)));
	}
	iso_free(row);
	return ISO_OK;
}

iso_status iso_marginals_save(const void *model, iso_str *out, iso_error *err)
{
	const iso_marginals *m = model;
	const uint64_t n = m->nset;
	iso_part_add(out, "one-way-sd", &m->sd, sizeof m->sd);
	iso_part_add(out, "one-way", m->one, m->cols.bin.total * sizeof *m->one);
	iso_part_add(out, "tables", &n, sizeof n);
	for (size_t k = 0; k < m->nset; k++) {
		const iso_released *t = &m->set[k];
		iso_part_add(out, "columns", &t->scope, sizeof t->scope);
		iso_part_add(out, "sd", &t->sd, sizeof t->sd);
		iso_part_add(out, "counts", t->y,
			     (size_t)iso_scope_cells(&t->scope, m->merged.cells) * sizeof *t->y);
	}
	iso_part_add(out, "potentials", m->graph.theta, m->graph.ntheta * sizeof *m->graph.theta);
	return iso_str_check(out, err);
}

static iso_status take_table(iso_marginals *m, iso_parts *in, iso_error *err)
{
	iso_scope scope;
	double sd;
	int legal;
	ISO_TRY(iso_part_take(in, "columns", &scope, sizeof scope, err));
	ISO_TRY(iso_part_take(in, "sd", &sd, sizeof sd, err));
	legal = scope.n > 0 && scope.n <= ISO_SCOPE_MAX && sd > 0;
	for (size_t i = 0; legal && i < scope.n; i++)
		legal = scope.v[i] < m->cols.bin.ncode && (i == 0 || scope.v[i] > scope.v[i - 1]);
	ISO_FAIL_IF(!legal || !(iso_scope_cells(&scope, m->merged.cells) < 1e9), err, ISO_E_DATA,
		    "saved %s model: table %zu is not over columns of this schema; save it again",
		    m->who, m->nset);
	ISO_TRY(add_table(m, &scope, sd, err));
	return iso_part_take(in, "counts", m->set[m->nset - 1].y,
			     (size_t)iso_scope_cells(&scope, m->merged.cells) * sizeof(double),
			     err);
}

static iso_status take(iso_marginals *m, iso_parts *in, iso_error *err)
{
	size_t ntheta = 0;
	uint64_t n;
	ISO_TRY(iso_part_take(in, "one-way-sd", &m->sd, sizeof m->sd, err));
	ISO_TRY(iso_part_take(in, "one-way", m->one, m->cols.bin.total * sizeof *m->one, err));
	ISO_TRY(iso_merged_new(&m->cols.bin, m->one, m->sd, &m->merged, err));
	ISO_TRY(iso_part_take(in, "tables", &n, sizeof n, err));
	for (uint64_t k = 0; k < n; k++)
		ISO_TRY(take_table(m, in, err));
	for (size_t j = 0; j < m->cols.bin.ncode; j++)
		ntheta += m->merged.cells[j];
	for (size_t k = 0; k < m->nset; k++)
		ntheta += (size_t)iso_scope_cells(&m->set[k].scope, m->merged.cells);
	double *theta = iso_alloc(ntheta, sizeof *theta);
	if (!theta)
		return iso_no_memory(err, "potentials");
	iso_status st = iso_part_take(in, "potentials", theta, ntheta * sizeof *theta, err);
	if (st == ISO_OK)
		st = refit(m, theta, 0, err);
	iso_free(theta);
	return st;
}

iso_status iso_marginals_load(const iso_gen_env *env, const char *who, size_t bins,
			      const char *bytes, size_t n, void **out, iso_error *err)
{
	iso_parts in = {bytes, bytes + n};
	iso_marginals *m = NULL;
	ISO_TRY(iso_marginals_new(env, who, bins, &m, err));
	const iso_status st = take(m, &in, err);
	if (st == ISO_OK)
		*out = m;
	else
		iso_marginals_destroy(m);
	return st;
}

iso_status iso_marginals_describe(const void *model, cJSON *out, iso_error *err)
{
	const iso_marginals *m = model;
	cJSON *list = cJSON_AddArrayToObject(out, "tables");
	for (size_t k = 0; list && k < m->nset; k++) {
		char text[512];
		iso_discrete_name(&m->cols, &m->set[k].scope, text, sizeof text);
		if (!cJSON_AddItemToArray(list, cJSON_CreateString(text)))
			return iso_no_memory(err, "description of a model");
	}
	if (!list || !cJSON_AddNumberToObject(out, "rows", m->merged.total) ||
	    !cJSON_AddNumberToObject(out, "cliques", (double)m->graph.tree.n) ||
	    !cJSON_AddNumberToObject(out, "model_mb", m->graph.tree.total * 8 / (1 << 20)) ||
	    !cJSON_AddNumberToObject(out, "loss", m->graph.loss) ||
	    (m->limit > 0 && !cJSON_AddNumberToObject(out, "limit_mb", m->limit * 8 / (1 << 20))) ||
	    (m->shape && !cJSON_AddStringToObject(out, "settings", m->shape)))
		return iso_no_memory(err, "description of a model");
	return ISO_OK;
}
