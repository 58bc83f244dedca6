// SPDX-License-Identifier: Apache-2.0
/* A generator that consists of measured marginals: one-way counts with small cells merged, further
 * tables as they are chosen, the graphical model of all of them.  What mst and aim share: releases,
 * fits, and every slot of a descriptor but options, plan and fit. */
#ifndef ISO_GENERATORS_KIT_MARGINAL_MODEL_H
#define ISO_GENERATORS_KIT_MARGINAL_MODEL_H

#include "generators/kit/discrete.h"
#include "generators/kit/graph_model.h"
#include "generators/kit/merged.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_released {
	iso_scope scope;
	double sd; /* of every count */
	double *y; /* counts over merged cells; owned */
} iso_released;

typedef struct iso_marginals {
	const char *who;
	iso_discrete cols;
	double sd;	   /* of the one-way counts */
	double *one;	   /* [cols.bin.total] as released; owned */
	iso_merged merged; /* follows from `one` */
	iso_released *set; /* [nset] tables beyond the one-way ones; owned */
	size_t nset, cap;
	iso_graph graph;   /* fitted to the one-way tables and the first tables of the set */
	double limit;	   /* cells that the junction tree was allowed, or 0 */
	const char *shape; /* what the method calls these settings, or NULL: for `describe` */
} iso_marginals;

iso_status iso_marginals_new(const iso_gen_env *env, const char *who, size_t bins,
			     iso_marginals **out, iso_error *err) ISO_MUST_CHECK;
/* Releases every column's counts (one call each, with this noise multiplier), merges small cells,
 * brings the rows' codes to merged cells and fits the independent model. */
iso_status iso_marginals_one_way(iso_marginals *m, iso_ledger *l, iso_entry entry, double noise,
				 iso_binning *rows, size_t n, iso_error *err) ISO_MUST_CHECK;
/* Releases one more table; the model does not change. */
iso_status iso_marginals_measure(iso_marginals *m, iso_ledger *l, iso_entry entry, double noise,
				 const iso_binning *rows, size_t n, const iso_scope *scope,
				 iso_error *err) ISO_MUST_CHECK;
/* Fits the model to all tables, from where it stands. */
iso_status iso_marginals_fit(iso_marginals *m, size_t iterations, iso_error *err) ISO_MUST_CHECK;
/* *yes: the table lies in a clique of the model, or the junction tree with it has at most `limit`
 * cells. */
iso_status iso_marginals_fits(const iso_marginals *m, const iso_scope *scope, double limit,
			      int *yes, iso_error *err) ISO_MUST_CHECK;
/* |true counts - model|_1 of a table: a record more or less moves it by at most 1.  PRIVATE.
 * truth [cells] as iso_discrete_count gives it. */
iso_status iso_marginals_distance(const iso_marginals *m, const iso_scope *scope,
				  const double *truth, double *out, iso_error *err) ISO_MUST_CHECK;

/* Slots of the descriptor; model is an iso_marginals. */
void iso_marginals_destroy(void *model);
iso_status iso_marginals_sample(const void *model, iso_key key, iso_table *out, iso_error *err);
iso_status iso_marginals_save(const void *model, iso_str *out, iso_error *err);
iso_status iso_marginals_describe(const void *model, cJSON *out, iso_error *err);
#define ISO_MARGINALS_SLOTS \
	.sample = iso_marginals_sample, .destroy = iso_marginals_destroy, \
	.save = iso_marginals_save, .describe = iso_marginals_describe
/* A model from save's bytes. */
iso_status iso_marginals_load(const iso_gen_env *env, const char *who, size_t bins,
			      const char *bytes, size_t n, void **out,
			      iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
