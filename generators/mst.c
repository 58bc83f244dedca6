// SPDX-License-Identifier: Apache-2.0
/* mst: a maximum spanning tree of noisy two-way marginals (reference method).
 *
 * McKenna, Miklau, Sheldon 2021, "Winning the NIST contest: a scalable and general approach to
 * differentially private synthetic data", JPC 11(3).
 *
 * ALGORITHM (method card "mst").  Numbers are cut into `bins` bins of their public bounds.
 *  1. Measure every one-way marginal.
 *  2. Per column, cells that were measured below three standard deviations are merged into one.
 *  3. d - 1 times: among the pairs that join two components of the forest, draw one by the
 *     exponential mechanism with score |true 2-way counts - product of the released 1-way
 * counts|_1.
 *  4. Measure the chosen pairs, and fit the graphical model of the tree (kit/tree_model.h).
 *  5. Sample rows down the tree; a merged cell gives one of its cells, uniformly.
 *
 * PRIVACY ARGUMENT.  Neighbours: add or remove one record.  One third of the budget (zCDP) each:
 *  "one-way"  one Gaussian histogram of d tables: a record is in one cell of each, L2 sqrt d.
 *  "edge"     d - 1 choices by the exponential mechanism; a record moves one true count by one and
 *             the released marginals not at all, so a score moves by at most 1.
 *  "two-way"  one Gaussian histogram of the d - 1 chosen tables: L2 sqrt(d - 1).
 * With multiplier s for the histograms (zCDP 1/(2 s^2) each) a choice gets epsilon 2 / (s
 * sqrt(d-1)), since epsilon-bounded range is epsilon^2/8 zCDP.  The ledger composes them exactly.
 * Which pairs may be chosen follows from the schema and from earlier choices; the rest is
 * post-processing.
 *
 * DEVIATIONS.  Rows are independent draws from the tree instead of the authors' rounding of counts,
 * so that row i does not depend on how many rows are asked for.  The model starts at the measured
 * tables, not at the uniform distribution.
 *
 * COST.  d^2/2 passes over the codes for the scores; memory 4 n d bytes during fit. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/vmath.h"
#include "core/privacy/mechanism.h"
#include "generators/generator.h"
#include "generators/kit/labels.h"
#include "generators/kit/merged.h"
#include "generators/kit/pairs.h"
#include "generators/kit/parts.h"
#include "generators/kit/tree_model.h"

typedef struct opts {
	int64_t bins, max_cells, iterations;
} opts;

static const iso_option options[] = {
	ISO_OPT_INT(opts, bins, "32", 2, 4096, "equal-width bins of a numeric column"),
	ISO_OPT_INT(opts, max_cells, "1000000", 4, 100000000,
		    "pairs of columns with more cells than this are never measured"),
	ISO_OPT_INT(opts, iterations, "2000", 1, 100000,
		    "steps of mirror descent when the model is fitted"),
	{0},
};

typedef struct model {
	const iso_schema *schema; /* borrowed: public */
	opts o;
	iso_binning bin; /* layout of the codes, no rows; owned */
	double scale;	 /* noise multiplier of both histograms */
	size_t nedge;
	double *one;	 /* [bin.total] as released; owned */
	uint32_t *pair;	 /* [nedge][2] as chosen; owned */
	double *two;	 /* chosen tables one after the other, as released; owned */
	size_t two_size; /* numbers in `two` */
	/* derived from the above */
	iso_merged merged; /* owned */
	iso_tree_model tree;
} model;

/* ------------------------------------------------------------------ layout and plan */

static iso_status layout(const iso_schema *s, const opts *o, iso_binning *out, iso_error *err)
{
	iso_table *empty = NULL;
	ISO_TRY(iso_table_new(s, 0, &empty, err));
	const iso_status st =
		iso_bin_table(empty, (size_t)o->bins, ISO_ENC_FEATURES | ISO_ENC_LABEL, out, err);
	iso_table_free(empty);
	return st;
}

static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	const opts *o = env->options;
	iso_binning b;
	size_t n;
	iso_status st;
	ISO_TRY(layout(env->schema, o, &b, err));
	ISO_TRY_OUT(iso_forest_edges(b.cells, b.ncode, (double)o->max_cells, &n, err));
	ISO_TRY_OUT(iso_plan_gaussian(out, (iso_entry){.why = "one-way"}, scale, 1, 1,
				      sqrt((double)b.ncode), err));
	if (n == 0)
		goto out;
	const iso_plan_item edge = {.why = "edge",
				    .event = {.mechanism = ISO_MECH_EXPONENTIAL,
					      .epsilon = 2 / (scale * sqrt((double)n)),
					      .count = n},
				    .norm = ISO_NORM_L1,
				    .sensitivity = 1};
	ISO_TRY_OUT(iso_plan_add(out, &edge, err));
	ISO_TRY_OUT(iso_plan_gaussian(out, (iso_entry){.why = "two-way"}, scale, 1, 1,
				      sqrt((double)n), err));
out:
	iso_binning_free(&b);
	return st;
}

/* ------------------------------------------------------------------ model */

static void destroy(void *model_)
{
	model *m = model_;
	if (!m)
		return;
	iso_binning_free(&m->bin);
	iso_free(m->one);
	iso_free(m->pair);
	iso_free(m->two);
	iso_merged_free(&m->merged);
	iso_tree_free(&m->tree);
	iso_free(m);
}

static iso_status model_new(const iso_gen_env *env, model **out, iso_error *err)
{
	model *m = iso_alloc(1, sizeof *m);
	iso_status st;
	if (!m)
		return iso_no_memory(err, "a tree of marginals");
	m->schema = env->schema;
	m->o = *(const opts *)env->options;
	ISO_TRY_OUT(layout(env->schema, &m->o, &m->bin, err));
	ISO_TRY_OUT(iso_forest_edges(m->bin.cells, m->bin.ncode, (double)m->o.max_cells, &m->nedge,
				     err));
	m->one = iso_alloc(m->bin.total, sizeof *m->one);
	m->pair = iso_alloc(m->nedge, 2 * sizeof *m->pair);
	if (!m->one || !m->pair)
		st = iso_no_memory(err, "a tree of marginals");
out:
	if (st != ISO_OK)
		destroy(m);
	else
		*out = m;
	return st;
}

static iso_status merge(model *m, iso_error *err)
{
	return iso_merged_new(&m->bin, m->one, m->scale * sqrt((double)m->bin.ncode), &m->merged,
			      err);
}

/* Numbers that the chosen tables hold. */
static size_t two_size(const model *m)
{
	size_t n = 0;
	for (size_t e = 0; e < m->nedge; e++)
		n += m->merged.cells[m->pair[2 * e]] * m->merged.cells[m->pair[2 * e + 1]];
	return n;
}

/* Step 4, second half. */
static iso_status fit_tree(model *m, iso_error *err)
{
	iso_tree_edge *edge = iso_alloc(m->nedge, sizeof *edge);
	const double *y = m->two;
	if (!edge)
		return iso_no_memory(err, "a tree of marginals");
	for (size_t e = 0; e < m->nedge; e++) {
		edge[e] = (iso_tree_edge){.a = m->pair[2 * e],
					  .b = m->pair[2 * e + 1],
					  .y = y,
					  .weight = 1 / (m->scale * sqrt((double)m->nedge))};
		y += m->merged.cells[edge[e].a] * m->merged.cells[edge[e].b];
	}
	const iso_tree_problem p = {.nvar = m->bin.ncode,
				    .nedge = m->nedge,
				    .cells = m->merged.cells,
				    .y = m->merged.count,
				    .weight = m->merged.weight,
				    .edge = edge,
				    .total = m->merged.total,
				    .iterations = (size_t)m->o.iterations};
	const iso_status st = iso_tree_fit(&p, &m->tree, err);
	iso_free(edge);
	return st;
}

/* ------------------------------------------------------------------ fit */

/* Scores of step 3: distances from the product of the released marginals. */
static iso_status score_pairs(const model *m, const iso_binning *b, size_t n, iso_pair_scores *out,
			      iso_error *err)
{
	double *share = iso_alloc(b->total, sizeof *share);
	if (!share)
		return iso_no_memory(err, "scores of pairs");
	memcpy(share, m->merged.count, b->total * sizeof *share);
	for (size_t j = 0; j < b->ncode; j++)
		iso_simplex_from_counts(share + m->merged.first[j], m->merged.cells[j]);
	const iso_pair_data data = {.code = b->code,
				    .n = n,
				    .d = b->ncode,
				    .cells = m->merged.cells,
				    .public_cells = b->cells,
				    .max_cells = (double)m->o.max_cells,
				    .share = share,
				    .first = m->merged.first,
				    .total = m->merged.total};
	const iso_status st = iso_pair_scores_new(&data, out, err);
	iso_free(share);
	return st;
}

/* Step 3.  Which candidates are left follows from the choices that were released. */
static iso_status choose_edges(model *m, iso_ledger *l, const iso_pair_scores *all, iso_error *err)
{
	size_t *root = iso_alloc(m->bin.ncode, sizeof *root);
	size_t *index = iso_alloc(all->n, sizeof *index);
	double *score = iso_alloc(all->n, sizeof *score);
	iso_status st = ISO_OK;
	if (!root || !index || !score) {
		st = iso_no_memory(err, "choices of pairs");
		goto out;
	}
	for (size_t v = 0; v < m->bin.ncode; v++)
		root[v] = v;
	for (size_t e = 0; e < m->nedge; e++) {
		size_t n = 0, k;
		for (size_t i = 0; i < all->n; i++)
			if (iso_forest_find(root, all->pair[2 * i]) !=
			    iso_forest_find(root, all->pair[2 * i + 1])) {
				score[n] = all->score[i];
				index[n++] = i;
			}
		ISO_TRY_OUT(iso_mech_exponential(l, (iso_entry){.why = "edge"}, score, n, &k, err));
		memcpy(m->pair + 2 * e, all->pair + 2 * index[k], 2 * sizeof *m->pair);
		iso_forest_join(root, m->pair[2 * e], m->pair[2 * e + 1]);
	}
out:
	iso_free(root);
	iso_free(index);
	iso_free(score);
	return st;
}

/* Step 4, first half. */
static iso_status measure_edges(model *m, iso_ledger *l, const iso_binning *b, size_t n,
				iso_error *err)
{
	uint32_t *cell = iso_alloc(n, m->nedge * sizeof *cell);
	m->two_size = two_size(m);
	m->two = iso_alloc(m->two_size, sizeof *m->two);
	if (!cell || !m->two) {
		iso_free(cell);
		return iso_no_memory(err, "two-way counts");
	}
	for (size_t r = 0; r < n; r++) {
		const uint32_t *code = b->code + r * b->ncode;
		size_t first = 0;
		for (size_t e = 0; e < m->nedge; e++) {
			const uint32_t i = m->pair[2 * e], j = m->pair[2 * e + 1];
			cell[r * m->nedge + e] =
				(uint32_t)(first + code[i] * m->merged.cells[j] + code[j]);
			first += m->merged.cells[i] * m->merged.cells[j];
		}
	}
	const iso_status st = iso_mech_histogram(l, (iso_entry){.why = "two-way"}, cell, n,
						 m->nedge, m->two_size, m->two, err);
	iso_free(cell);
	return st;
}

static iso_status measure_one_way(model *m, iso_ledger *l, const iso_binning *b, size_t n,
				  iso_error *err)
{
	uint32_t *cell = iso_alloc(n, b->ncode * sizeof *cell);
	if (!cell)
		return iso_no_memory(err, "one-way counts");
	for (size_t r = 0; r < n; r++)
		for (size_t j = 0; j < b->ncode; j++)
			cell[r * b->ncode + j] =
				(uint32_t)(b->first[j] + b->code[r * b->ncode + j]);
	const iso_status st = iso_mech_histogram(l, (iso_entry){.why = "one-way"}, cell, n,
						 b->ncode, b->total, m->one, err);
	iso_free(cell);
	return st;
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	const size_t n = f->train->n;
	iso_binning b = {0};
	iso_pair_scores all = {0};
	model *m = NULL;
	iso_status st;
	ISO_TRY(model_new(&f->env, &m, err));
	m->scale = f->scale;
	ISO_TRY_OUT(iso_bin_table(f->train, (size_t)m->o.bins, ISO_ENC_FEATURES | ISO_ENC_LABEL, &b,
				  err));
	ISO_TRY_OUT(measure_one_way(m, f->ledger, &b, n, err));
	ISO_TRY_OUT(merge(m, err));
	if (m->nedge) {
		iso_merged_codes(&m->merged, &b, n);
		ISO_TRY_OUT(score_pairs(m, &b, n, &all, err));
		ISO_TRY_OUT(choose_edges(m, f->ledger, &all, err));
		ISO_TRY_OUT(measure_edges(m, f->ledger, &b, n, err));
	}
	ISO_TRY_OUT(fit_tree(m, err));
	*out = m;
	m = NULL;
out:
	iso_pair_scores_free(&all);
	iso_binning_free(&b);
	destroy(m);
	return st;
}

/* ------------------------------------------------------------------ what the model gives */

static iso_status sample(const void *model_, iso_key key, iso_table *out, iso_error *err)
{
	const model *m = model_;
	const iso_key bin = iso_key_child(key, "bin", 0), within = iso_key_child(key, "within", 0);
	const iso_key part = iso_key_child(key, "merged", 0);
	uint32_t *cell = iso_alloc(m->bin.ncode, sizeof *cell);
	if (!cell)
		return iso_no_memory(err, "a row");
	for (size_t i = 0; i < out->n; i++)
		for (size_t r = 0; r < m->bin.ncode; r++) {
			const size_t j = m->tree.order[r], q = m->tree.parent[j];
			const size_t c = m->bin.column[j];
			const double *law = iso_tree_law(&m->tree, j, q == SIZE_MAX ? 0 : cell[q]);
			cell[j] = iso_law_pick(law, m->merged.cells[j], iso_rand_u01(bin, i, j));
			out->cells[i * m->schema->ncol + c] =
				iso_unbin(m->schema, c, (size_t)m->o.bins,
					  iso_merged_undo(&m->merged, &m->bin, j, cell[j],
							  iso_rand_u01(part, i, j)),
					  iso_rand_u01(within, i, j));
		}
	iso_free(cell);
	return ISO_OK;
}

static iso_status save(const void *model_, iso_str *out, iso_error *err)
{
	const model *m = model_;
	iso_part_add(out, "scale", &m->scale, sizeof m->scale);
	iso_part_add(out, "one-way", m->one, m->bin.total * sizeof *m->one);
	iso_part_add(out, "pairs", m->pair, m->nedge * 2 * sizeof *m->pair);
	iso_part_add(out, "two-way", m->two, m->two_size * sizeof *m->two);
	return iso_str_check(out, err);
}

/* The model follows from what was released. */
static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **out,
		       iso_error *err)
{
	iso_parts in = {bytes, bytes + n};
	model *m = NULL;
	iso_status st;
	ISO_TRY(model_new(env, &m, err));
	ISO_TRY_OUT(iso_part_take(&in, "scale", &m->scale, sizeof m->scale, err));
	ISO_TRY_OUT(iso_part_take(&in, "one-way", m->one, m->bin.total * sizeof *m->one, err));
	ISO_TRY_OUT(iso_part_take(&in, "pairs", m->pair, m->nedge * 2 * sizeof *m->pair, err));
	for (size_t e = 0; e < 2 * m->nedge; e++)
		if (m->pair[e] >= m->bin.ncode) {
			st = iso_fail(err, ISO_E_DATA,
				      "saved mst model: pair %zu names column %u of %zu", e / 2,
				      m->pair[e], m->bin.ncode);
			goto out;
		}
	ISO_TRY_OUT(merge(m, err));
	m->two_size = two_size(m);
	m->two = iso_alloc(m->two_size, sizeof *m->two);
	if (!m->two) {
		st = iso_no_memory(err, "two-way counts");
		goto out;
	}
	ISO_TRY_OUT(iso_part_take(&in, "two-way", m->two, m->two_size * sizeof *m->two, err));
	ISO_TRY_OUT(fit_tree(m, err));
	*out = m;
	m = NULL;
out:
	destroy(m);
	return st;
}

static iso_status describe(const void *model_, cJSON *out, iso_error *err)
{
	const model *m = model_;
	cJSON *list = cJSON_AddArrayToObject(out, "tree");
	for (size_t e = 0; list && e < m->nedge; e++) {
		char text[256];
		snprintf(text, sizeof text, "%s - %s",
			 m->schema->column[m->bin.column[m->pair[2 * e]]].name,
			 m->schema->column[m->bin.column[m->pair[2 * e + 1]]].name);
		if (!cJSON_AddItemToArray(list, cJSON_CreateString(text)))
			return iso_no_memory(err, "description of a tree");
	}
	if (!list || !cJSON_AddNumberToObject(out, "rows", m->merged.total) ||
	    !cJSON_AddNumberToObject(out, "cells", (double)m->two_size))
		return iso_no_memory(err, "description of a tree");
	return ISO_OK;
}

const iso_generator iso_generator_mst = {
	.abi = ISO_GENERATOR_ABI,
	.name = "mst",
	.title = "Maximum spanning tree of noisy two-way marginals",
	.citation =
		"R. McKenna, G. Miklau, D. Sheldon, \"Winning the NIST contest: a scalable and "
		"general approach to differentially private synthetic data\", Journal of Privacy "
		"and Confidentiality 11(3), 2021",
	.card = "Measures every one-way marginal, chooses a spanning tree of pairs by the "
		"exponential "
		"mechanism, measures these pairs, fits the graphical model of the tree and samples "
		"from it.\n"
		"Privacy: one Gaussian histogram of all columns, d - 1 exponential-mechanism "
		"choices "
		"whose scores a record moves by at most one, one Gaussian histogram of the chosen "
		"pairs; a third of the zCDP budget each. Bins and allowed pairs come from the "
		"schema.\n"
		"Deviations: rows are independent draws instead of rounded counts.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_TABULAR | ISO_ACCEPTS_SEQUENCE | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	.options = options,
	.options_size = sizeof(opts),
	.plan = plan,
	.fit = fit,
	.sample = sample,
	.destroy = destroy,
	.save = save,
	.load = load,
	.describe = describe,
};
