// SPDX-License-Identifier: Apache-2.0
/* Figures that read more of a record than its values, and what figures share. */
#ifndef ISO_REPORTS_FIGURES_MORE_H
#define ISO_REPORTS_FIGURES_MORE_H

#include "reports/chart.h"

int iso_on(const iso_aggregate *a, size_t setting, size_t dataset);
int iso_is_control(const iso_aggregate *a, size_t method);
const char *iso_method_name(const iso_aggregate *a, size_t method);
/* Methods come in parts of at most ISO_TOGETHER; controls are in every part. */
size_t iso_parts(const iso_aggregate *a);
int iso_in_part(const iso_aggregate *a, size_t method, size_t part);
void iso_part_text(const iso_aggregate *a, size_t part, iso_str *out);
/* The first headline value of an attack, or of a metric (one that is better when higher, if there
 * is one), measured on the data set; SIZE_MAX if none. */
size_t iso_first_headline(const iso_aggregate *a, size_t dataset, int attack);

iso_status iso_figure_roc(const iso_aggregate *a, size_t d, const char *dir, iso_figures *f,
			  iso_error *err) ISO_MUST_CHECK;
iso_status iso_figure_claims(const iso_aggregate *a, size_t d, const char *dir, iso_figures *f,
			     iso_error *err) ISO_MUST_CHECK;
iso_status iso_figure_curves(const iso_aggregate *a, size_t d, const char *dir, iso_figures *f,
			     iso_error *err) ISO_MUST_CHECK;
iso_status iso_figure_cost(const iso_aggregate *a, size_t d, const char *dir, iso_figures *f,
			   iso_error *err) ISO_MUST_CHECK;
/* figures_points.c: what an output compares, a point for each value (a column's mean, a pair's
 * association): real training rows across, synthetic rows up, each method at its largest epsilon
 * and first seed. */
iso_status iso_figure_points(const iso_aggregate *a, size_t d, const char *dir, iso_figures *f,
			     iso_error *err) ISO_MUST_CHECK;
/* published.c: figures of papers against those measured. */
iso_status iso_figure_published(const iso_aggregate *a, size_t d, const char *dir, iso_figures *f,
				iso_error *err) ISO_MUST_CHECK;
/* Per method its largest epsilon: where an attack has the best chance; SIZE_MAX if none. */
size_t iso_loosest(const iso_aggregate *a, size_t d, size_t method);
/* "dp-x, 8", or the name alone without an epsilon. */
void iso_setting_title(const iso_setting *s, char out[160]);
/* Critical differences over all data sets. */
iso_status iso_figure_ranks(const iso_aggregate *a, const char *dir, iso_figures *f,
			    iso_error *err) ISO_MUST_CHECK;
/* Mean rank of each of k methods over n blocks (value[block][method], larger is better, ties share
 * the mean), Friedman's chi-square p-value, and Nemenyi's critical difference at 5 % (Demsar 2006);
 * NaN where k is not in 2..64. */
void iso_friedman(const double *value, size_t n, size_t k, double *rank, double *p, double *cd);
/* Maximal runs of methods whose mean ranks differ by at most cd: order[k] sorts rank[k]; run g is
 * order[first[g]] .. order[last[g]] (room for k each).  Returns their number. */
size_t iso_rank_groups(const double *rank, const size_t *order, size_t k, double cd, size_t *first,
		       size_t *last);
/* ROC of scores: points (fpr, tpr) at every threshold, from (0,0) to (1,1); returns their number.
 */
size_t iso_roc_points(const double *score, const int *truth, size_t n, double *fpr, double *tpr);

#endif
