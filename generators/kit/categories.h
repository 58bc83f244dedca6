// SPDX-License-Identifier: Apache-2.0
/* The law of conditions that are a category of one discrete column (latent_model.h, by_column), and
 * what it costs. */
#ifndef ISO_GENERATORS_KIT_CATEGORIES_H
#define ISO_GENERATORS_KIT_CATEGORIES_H

#include "generators/kit/labels.h"
#include "generators/kit/latent_model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Discrete columns of a schema, the label among them. */
size_t iso_categories_columns(const iso_schema *s);
/* Entry "category-histograms": the histograms of all discrete columns in one Gaussian release, to
 * which a record adds 1 per column: L2 sensitivity sqrt(columns) (HISTOGRAM); uncharged (EXACT);
 * nothing for UNIFORM, or without a discrete column. */
iso_status iso_categories_plan(const iso_gen_env *env, int source, double noise, int fixed,
			       iso_plan *plan, iso_error *err) ISO_MUST_CHECK;
/* The law as released into m->law: a column, all as likely, then its category. */
iso_status iso_categories_law(const iso_fit *f, int source, const iso_rows *rows,
			      iso_latent_model *m, iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
