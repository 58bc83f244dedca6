// SPDX-License-Identifier: Apache-2.0
/* Utility against the number of synthetic rows (Tables of Xie et al. 2018 and Torkzadehmahani et
 * al. 2019 train on as many rows as they like: a generator gives any number for the same epsilon).
 *
 * Logistic regression is trained on the first m synthetic rows, for m doubling from `first` to all
 * of them, and judged on real test rows.  Each table is an extension of the one before it, so the
 * curve shows what further rows of the same release add.  A method that has little to say is flat
 * early.
 */
#include <math.h>

#include "core/base/alloc.h"
#include "core/learn/assess.h"
#include "core/learn/classifier.h"
#include "metrics/kit/sample.h"

#define MOST_POINTS 24

typedef struct opts {
	int64_t first, most, max_test;
} opts;
static const iso_option options[] = {
	ISO_OPT_INT(opts, first, "50", 2, 100000000, "rows of the first training"),
	ISO_OPT_INT(opts, most, "20000", 2, 100000000, "at most so many synthetic rows"),
	ISO_OPT_INT(opts, max_test, "5000", 10, 100000000,
		    "at most so many test rows, drawn at random"),
	{0}};

static const iso_output outputs[] = {{"auroc", "AUROC of a logistic regression", "", ISO_HIGHER, 0,
				      1, NAN, NULL, "utility", 0, NULL, 0.5},
				     {"auroc_first", "AUROC with the first synthetic rows", "",
				      ISO_HIGHER, 0, 1, NAN, NULL, "utility", 0, NULL, 0.5},
				     {"gain", "AUROC, all synthetic rows less the first", "",
				      ISO_NEITHER, -1, 1, NAN, NULL, "utility"},
				     {"enough", "synthetic rows within .01 AUROC of all", "rows",
				      ISO_NEITHER, 0, INFINITY, NAN, NULL, "utility"},
				     {0}};

typedef struct curve {
	size_t n;
	double rows[MOST_POINTS], auroc[MOST_POINTS];
} curve;

/* The area after training on the first m rows; NaN where they have one class. */
static iso_status area(const iso_metric_view *v, const iso_labelled *train, size_t m,
		       const iso_labelled *test, double *prob, double *out, iso_error *err)
{
	const size_t classes = iso_schema_classes(v->schema);
	const iso_examples e = {
		.x = train->x, .n = m, .d = train->d, .y = train->y, .classes = classes};
	iso_assessment a;
	size_t other = 1;

	*out = NAN;
	while (other < m && train->y[other] == train->y[0])
		other++;
	if (other >= m)
		return ISO_OK;
	ISO_TRY(iso_classify(&iso_learn_lr, &e, v->key, test->x, test->n, prob, err));
	ISO_TRY(iso_assess(prob, test->y, test->n, classes, iso_positive_class(v->schema), &a,
			   err));
	*out = a.auroc_macro;
	return ISO_OK;
}

static iso_status trace(const iso_metric_view *v, const opts *o, const iso_labelled *train,
			const iso_labelled *test, curve *c, iso_error *err)
{
	double *prob = iso_alloc(test->n * iso_schema_classes(v->schema) + 1, sizeof(*prob));
	iso_status st = prob ? ISO_OK : iso_no_memory(err, "probabilities");
	size_t m = (size_t)o->first;

	while (st == ISO_OK && train->n && c->n < MOST_POINTS) {
		m = m < train->n ? m : train->n;
		c->rows[c->n] = (double)m;
		st = area(v, train, m, test, prob, &c->auroc[c->n], err);
		c->n += !isnan(c->auroc[c->n]);
		if (m == train->n)
			break;
		m *= 2;
	}
	iso_free(prob);
	return st;
}

static iso_status put_curve(const curve *c, iso_measures *out, iso_error *err)
{
	static const char why[] = "one class among the synthetic or the test rows";
	const double last = c->n ? c->auroc[c->n - 1] : NAN, first = c->n ? c->auroc[0] : NAN;
	double enough = NAN;

	for (size_t i = c->n; i-- && fabs(c->auroc[i] - last) <= 0.01;)
		enough = c->rows[i];
	ISO_TRY(iso_put(out, "auroc", last, why, err));
	ISO_TRY(iso_put(out, "auroc_first", first, why, err));
	ISO_TRY(iso_put(out, "gain", last - first, why, err));
	ISO_TRY(iso_put(out, "enough", enough, why, err));
	return iso_measure_curve(out, "auroc", "synthetic rows", c->rows, c->auroc, c->n, err);
}

static iso_status check(const iso_schema *s, const void *opt, iso_error *err)
{
	(void)opt;
	ISO_FAIL_IF(iso_schema_classes(s) < 2, err, ISO_E_UNSUPPORTED,
		    "row-count (schema %s): there is no label of classes to predict", s->name);
	return ISO_OK;
}

static iso_status measure(const iso_metric_view *v, const void *opt, iso_measures *out,
			  iso_error *err)
{
	const opts *o = opt;
	iso_encoder *e = NULL;
	iso_labelled train = {0}, test = {0};
	iso_table *first = NULL;
	curve c = {0};
	const size_t n = v->synthetic->n < (size_t)o->most ? v->synthetic->n : (size_t)o->most;
	uint32_t *row = iso_alloc(n + 1, sizeof(*row));
	iso_status st = row ? ISO_OK : iso_no_memory(err, "rows");

	for (size_t i = 0; row && i < n; i++)
		row[i] = (uint32_t)i;
	ISO_TRY_OUT(st);
	ISO_TRY_OUT(iso_encoder_new(v->schema, ISO_ENC_FEATURES, &e, err));
	ISO_TRY_OUT(iso_table_select(v->synthetic, row, n, &first, err));
	ISO_TRY_OUT(iso_labelled_new(e, first, 0, v->key, &train, err));
	ISO_TRY_OUT(iso_labelled_new(e, v->test, (size_t)o->max_test, v->key, &test, err));
	ISO_TRY_OUT(trace(v, o, &train, &test, &c, err));
	st = put_curve(&c, out, err);
out:
	iso_free(row);
	iso_encoder_free(e);
	iso_table_free(first);
	iso_labelled_free(&train);
	iso_labelled_free(&test);
	return st;
}

const iso_metric iso_metric_row_count = {
	.abi = ISO_METRIC_ABI,
	.name = "row-count",
	.title = "Utility against the number of synthetic rows",
	.citation = "Xie et al., \"Differentially Private Generative Adversarial Network\", 2018",
	.card = "Trains a logistic regression on the first m synthetic rows, m doubling up to all "
		"of them, and gives its "
		"area under the ROC curve on real test rows as a curve: more rows of one release "
		"cost no privacy, but past some number "
		"they add nothing.",
	.inputs = ISO_IN_TEST | ISO_IN_SYNTHETIC,
	.version = 1,
	.outputs = outputs,
	.options = options,
	.options_size = sizeof(opts),
	.check = check,
	.measure = measure,
};
