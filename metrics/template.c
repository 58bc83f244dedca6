// SPDX-License-Identifier: Apache-2.0
/* A complete metric to copy: mean gap of column means (docs/adding-a-method.md walks through it).
 *
 * `isoeps new metric mine` makes a plug-in of it, outside the tree.  Inside:
 * 1. Copy this file to metrics/mine.c and rename iso_metric_template to iso_metric_mine.
 * 2. Add the word "mine" to metrics/CMakeLists.txt.
 * 3. Name it in a suite: "metrics": ["mine"].
 */
#include <math.h>

#include "core/base/alloc.h"
#include "metrics/metric.h"

/* Options: one struct, one table.  Defaults are written as a user would type them; the table is
 * also the help text. */
typedef struct opts {
	int label;
} opts;
static const iso_option options[] = {
	ISO_OPT_BOOL(opts, label, "true", "count the label column too"), {0}};

/* Outputs: everything that this metric measures, before it measures anything.  key, title of a
 * table's head, unit, better direction, possible range, value for perfect synthetic data (NAN =
 * none), caveat (NULL = none), the table of the report that shows it, and 1 if methods are ranked
 * on it. */
static const iso_output outputs[] = {
	{"mean_gap", "gap of column means", "", ISO_LOWER, 0, 1, 0, NULL, "fidelity", 1}, {0}};

/* Mean of each encoded column, [dim].  Encoded values lie in [0,1] by the public schema. */
static iso_status column_means(const iso_encoder *e, const iso_table *t, double *mean,
			       iso_error *err)
{
	float *x;
	ISO_TRY(iso_encode_new(
		e, t, &x,
		err)); /* every failing call is tried; what it allocated is freed on all paths */
	for (size_t i = 0; i < t->n; i++)
		for (size_t j = 0; j < e->dim; j++)
			mean[j] += (double)x[i * e->dim + j] / (double)t->n;
	iso_free(x);
	return ISO_OK;
}

static iso_status measure(const iso_metric_view *view, const void *opt, iso_measures *out,
			  iso_error *err)
{
	const opts *o = opt; /* filled and checked against the table already */
	iso_encoder *e = NULL;
	double *real = NULL, *synthetic = NULL, gap = 0;
	iso_status st;
	if (!view->train->n ||
	    !view->synthetic
		     ->n) /* what cannot be measured is undefined, with a reason, never NaN */
		return iso_measure_undefined(out, "mean_gap", "no rows", err);
	ISO_TRY_OUT(iso_encoder_new(view->schema, ISO_ENC_FEATURES | (o->label ? ISO_ENC_LABEL : 0),
				    &e, err));
	real = iso_alloc(e->dim, sizeof(*real)); /* zeroed */
	synthetic = iso_alloc(e->dim, sizeof(*synthetic));
	if (!real || !synthetic) {
		st = iso_no_memory(err, "the means of the columns");
		goto out;
	}
	ISO_TRY_OUT(column_means(e, view->train, real, err));
	ISO_TRY_OUT(column_means(e, view->synthetic, synthetic, err));
	for (size_t j = 0; j < e->dim; j++)
		gap += fabs(real[j] - synthetic[j]) / (double)e->dim;
	ISO_TRY_OUT(
		iso_measure_set(out, "mean_gap", gap, NAN, NAN, err)); /* NAN, NAN: no interval */
out:
	iso_free(real);
	iso_free(synthetic);
	iso_encoder_free(e);
	return st;
}

const iso_metric iso_metric_template = {
	.abi = ISO_METRIC_ABI,
	.name = "template",
	.title = "Gap of column means",
	.citation = "none; an example",
	.card = "Mean absolute difference between the means of the encoded columns of real and "
		"synthetic rows.",
	.inputs =
		ISO_IN_TRAIN | ISO_IN_SYNTHETIC, /* what is not named here stays NULL in the view */
	.version = 1,				 /* raise it when results change */
	.outputs = outputs,
	.options = options,
	.options_size = sizeof(opts),
	.measure = measure,
};
