// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/network.h"

#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "generators/kit/labels.h"
#include "generators/kit/parts.h"

void iso_network_destroy(void *model)
{
	iso_network *m = model;
	if (!m)
		return;
	for (size_t i = 0; m->node && i < m->d; i++)
		iso_free(m->node[i].law);
	iso_free(m->node);
	iso_discrete_free(&m->cols);
	iso_free(m);
}

iso_status iso_network_new(const iso_schema *s, size_t bins, iso_network **out, iso_error *err)
{
	iso_network *m = iso_alloc(1, sizeof *m);
	iso_status st;
	if (!m)
		return iso_no_memory(err, "a network");
	ISO_TRY_OUT(iso_discrete_new(s, bins, &m->cols, err));
	m->d = m->cols.bin.ncode;
	m->node = iso_alloc(m->d, sizeof *m->node);
	if (!m->node)
		st = iso_no_memory(err, "a network");
out:
	if (st != ISO_OK)
		iso_network_destroy(m);
	else
		*out = m;
	return st;
}

static iso_status add_node(iso_network *m, uint32_t x, const iso_scope *parents, iso_error *err)
{
	iso_network_node *v = &m->node[m->at];
	*v = (iso_network_node){.x = x,
				.parents = *parents,
				.rows = (size_t)iso_scope_cells(parents, m->cols.bin.cells),
				.n = m->cols.bin.cells[x]};
	v->law = iso_alloc(v->rows * v->n, sizeof *v->law);
	if (!v->law)
		return iso_no_memory(err, "a table of a network");
	m->at++;
	return ISO_OK;
}

iso_status iso_network_add(iso_network *m, uint32_t x, const iso_scope *parents, double *count,
			   iso_error *err)
{
	const iso_scope own = iso_scope_of(1, &x);
	iso_scope all = {0};
	ISO_TRY(add_node(m, x, parents, err));
	ISO_FAIL_IF(!iso_scope_join(parents, &own, &all), err, ISO_E_INTERNAL,
		    "network: a column with %u parents; at most %d", (unsigned)parents->n,
		    ISO_SCOPE_MAX - 1);
	const iso_network_node *v = &m->node[m->at - 1];
	iso_factor_split(m->cols.bin.cells, &all, count, parents, &own, v->law);
	for (size_t r = 0; r < v->rows; r++) {
		double *law = v->law + r * v->n;
		iso_simplex_from_counts(law, v->n);
		memcpy(count, law, v->n * sizeof *law);
		iso_law_from_counts(count, v->n, law);
	}
	return ISO_OK;
}

iso_status iso_network_sample(const void *model, iso_key key, iso_table *out, iso_error *err)
{
	const iso_network *m = model;
	const iso_key draw = iso_key_child(key, "cell", 0),
		      within = iso_key_child(key, "within", 0);
	uint32_t *cell = iso_alloc(m->d, sizeof *cell);
	if (!cell)
		return iso_no_memory(err, "a row");
	for (size_t i = 0; i < out->n; i++)
		for (size_t k = 0; k < m->d; k++) {
			const iso_network_node *v = &m->node[k];
			const size_t r = iso_scope_index(&v->parents, m->cols.bin.cells, cell);
			cell[v->x] =
				iso_law_draw(v->law + r * v->n, v->n, iso_rand_u01(draw, i, v->x));
			iso_discrete_put(&m->cols, within, out, i, v->x, cell[v->x]);
		}
	iso_free(cell);
	return ISO_OK;
}

iso_status iso_network_save(const void *model, iso_str *out, iso_error *err)
{
	const iso_network *m = model;
	for (size_t i = 0; i < m->d; i++) {
		const iso_network_node *v = &m->node[i];
		iso_part_add(out, "column", &v->x, sizeof v->x);
		iso_part_add(out, "parents", &v->parents, sizeof v->parents);
		iso_part_add(out, "law", v->law, v->rows * v->n * sizeof *v->law);
	}
	return iso_str_check(out, err);
}

/* A node's parents must stand before it. */
static iso_status take_node(iso_network *m, iso_parts *in, uint8_t *seen, iso_error *err)
{
	iso_scope parents;
	uint32_t x;
	int legal;
	ISO_TRY(iso_part_take(in, "column", &x, sizeof x, err));
	ISO_TRY(iso_part_take(in, "parents", &parents, sizeof parents, err));
	legal = x < m->d && !seen[x] && parents.n < ISO_SCOPE_MAX;
	for (size_t i = 0; legal && i < parents.n; i++)
		legal = parents.v[i] < m->d && seen[parents.v[i]] &&
			(i == 0 || parents.v[i] > parents.v[i - 1]);
	ISO_FAIL_IF(!legal || !(iso_scope_cells(&parents, m->cols.bin.cells) < 1e9), err,
		    ISO_E_DATA,
		    "saved network: node %zu is not a column of this schema with its parents "
		    "before it; save it again",
		    m->at);
	seen[x] = 1;
	ISO_TRY(add_node(m, x, &parents, err));
	const iso_network_node *v = &m->node[m->at - 1];
	return iso_part_take(in, "law", v->law, v->rows * v->n * sizeof *v->law, err);
}

iso_status iso_network_load(const iso_schema *s, size_t bins, const char *bytes, size_t n,
			    void **out, iso_error *err)
{
	iso_parts in = {bytes, bytes + n};
	iso_network *m = NULL;
	iso_status st = ISO_OK;
	ISO_TRY(iso_network_new(s, bins, &m, err));
	uint8_t *seen = iso_alloc(m->d, 1);
	if (!seen)
		st = iso_no_memory(err, "a network");
	for (size_t i = 0; i < m->d && st == ISO_OK; i++)
		st = take_node(m, &in, seen, err);
	iso_free(seen);
	if (st == ISO_OK)
		*out = m;
	else
		iso_network_destroy(m);
	return st;
}

iso_status iso_network_describe(const void *model, cJSON *out, iso_error *err)
{
	const iso_network *m = model;
	cJSON *list = cJSON_AddArrayToObject(out, "network");
	double cells = 0;
	for (size_t i = 0; list && i < m->d; i++) {
		const iso_network_node *v = &m->node[i];
		const iso_scope x = {.n = 1, .v = {v->x}};
		char name[512], parents[512], text[1040];
		iso_discrete_name(&m->cols, &x, name, sizeof name);
		iso_discrete_name(&m->cols, &v->parents, parents, sizeof parents);
		(void)snprintf(text, sizeof text, "%s%s%s", name, v->parents.n ? " <- " : "",
			       parents);
		cells += (double)(v->rows * v->n);
		if (!cJSON_AddItemToArray(list, cJSON_CreateString(text)))
			return iso_no_memory(err, "description of a network");
	}
	if (!list || !cJSON_AddNumberToObject(out, "cells", cells))
		return iso_no_memory(err, "description of a network");
	return ISO_OK;
}
