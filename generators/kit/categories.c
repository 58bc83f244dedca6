// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/categories.h"

#include <math.h>

#include "core/base/alloc.h"
#include "core/privacy/mechanism.h"

uint32_t iso_latent_condition(const iso_latent_model *m, const float *x, size_t k)
{
	size_t first = 0;
	for (size_t b = 0; b < m->enc->nblock; b++) {
		const iso_block *const block = &m->enc->block[b];
		if (block->kind != ISO_BLOCK_ONEHOT)
			continue;
		for (size_t i = 0; k == 0 && i < block->width; i++)
			if (x[block->first + i] > 0.5f)
				return (uint32_t)(first + i);
		if (k-- == 0)
			break;
		first += block->width;
	}
	return (uint32_t)m->conds;
}

uint32_t iso_latent_told(const iso_latent_model *m, iso_key turn, uint64_t id, uint32_t label,
			 const float *x)
{
	const double u = m->shape.by_column ? iso_rand_u01(turn, id, 0) : 0;
	return m->shape.by_column ? iso_latent_condition(m, x, (size_t)(u * (double)m->blocks))
				  : label;
}

size_t iso_latent_cell(const iso_latent_model *m, uint32_t condition)
{
	size_t left = condition;
	for (size_t b = 0; b < m->enc->nblock; b++) {
		const iso_block *const block = &m->enc->block[b];
		if (block->kind != ISO_BLOCK_ONEHOT)
			continue;
		if (left < block->width)
			return block->first + left;
		left -= block->width;
	}
	return m->enc->dim;
}

/* ---- Their law ---- */

static const iso_entry entry = {.why = "category-histograms"};

size_t iso_categories_columns(const iso_schema *s)
{
	size_t n = 0;
	for (size_t k = 0; k < s->ncol; k++)
		n += !iso_is_dropped(&s->column[k]) && iso_is_discrete(&s->column[k]);
	return n;
}

iso_status iso_categories_plan(const iso_gen_env *env, int source, double noise, int fixed,
			       iso_plan *plan, iso_error *err)
{
	const size_t columns = iso_categories_columns(env->schema);
	if (columns == 0 || source == ISO_LABELS_UNIFORM)
		return ISO_OK;
	if (source == ISO_LABELS_EXACT)
		return iso_plan_uncharged(plan, entry.why, err);
	ISO_TRY(iso_plan_gaussian(plan, entry, noise, 1, 1, sqrt((double)columns), err));
	plan->v[plan->n - 1].fixed = fixed;
	return ISO_OK;
}

/* PRIVATE: the cells of row r, one per column; a missing value has a cell of its column's own,
 * behind the others. */
static void cells_of(const iso_rows *rows, const iso_latent_model *m, uint32_t r, float *x,
		     uint32_t *cell)
{
	iso_rows_get(rows, &r, 1, x, m->enc->dim);
	for (size_t k = 0; k < m->blocks; k++) {
		const uint32_t c = iso_latent_condition(m, x, k);
		cell[k] = c < m->conds ? c : (uint32_t)(m->conds + k);
	}
}

static iso_status count(const iso_fit *f, int source, const iso_rows *rows,
			const iso_latent_model *m, double *counts, iso_error *err)
{
	const size_t n = f->train->n, per = m->blocks;
	uint32_t *const cell = iso_alloc(n * per + 1, sizeof *cell);
	float *const x = iso_alloc(m->enc->dim, sizeof *x);
	iso_status st = ISO_OK;
	if (!cell || !x) {
		st = iso_no_memory(err, "histograms of categories");
		goto out;
	}
	for (uint32_t r = 0; r < n; r++)
		cells_of(rows, m, r, x, cell + r * per);
	for (size_t i = 0; source == ISO_LABELS_EXACT && i < n * per; i++)
		counts[cell[i]]++;
	st = source == ISO_LABELS_EXACT ? iso_ledger_uncharged(f->ledger, entry.why, err)
					: iso_mech_histogram(f->ledger, entry, cell, n, per,
							     m->conds + per, counts, err);
out:
	iso_free(cell);
	iso_free(x);
	return st;
}

iso_status iso_categories_law(const iso_fit *f, int source, const iso_rows *rows,
			      iso_latent_model *m, iso_error *err)
{
	double *const counts = iso_alloc(m->conds + m->blocks + 1, sizeof *counts);
	iso_status st = ISO_OK;
	if (!counts)
		return iso_no_memory(err, "histograms of categories");
	if (source != ISO_LABELS_UNIFORM)
		ISO_TRY_OUT(count(f, source, rows, m, counts, err));
	for (size_t b = 0, first = 0; b < m->enc->nblock; b++) {
		const iso_block *const block = &m->enc->block[b];
		if (block->kind != ISO_BLOCK_ONEHOT)
			continue;
		iso_simplex_from_counts(counts + first, block->width);
		first += block->width;
	}
	iso_law_from_counts(counts, m->conds, m->law);
out:
	iso_free(counts);
	return st;
}
