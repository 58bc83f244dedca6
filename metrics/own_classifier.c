// SPDX-License-Identifier: Apache-2.0
/* What the classifier that a method releases is worth on real test rows.
 *
 * For methods whose release is a classifier (the slot `classify`): the figures stand beside those
 * of "tstr", where a classifier is trained on synthetic rows.
 */
#include <math.h>

#include "core/base/alloc.h"
#include "core/learn/assess.h"
#include "metrics/kit/sample.h"

static const iso_output outputs[] = {{"accuracy", "accuracy of the method's own classifier",
				      "share", ISO_HIGHER, 0, 1, NAN, NULL, "utility", 1},
				     {"auroc_macro", "AUROC (macro) of the method's own classifier",
				      "", ISO_HIGHER, 0, 1, NAN, NULL, "utility", 1},
				     {"auprc", "AUPRC of the method's own classifier", "",
				      ISO_HIGHER, 0, 1, NAN, NULL, "utility"},
				     {"f1_macro", "F1 (macro) of the method's own classifier", "",
				      ISO_HIGHER, 0, 1, NAN, NULL, "utility"},
				     {0}};
static const iso_option options[] = {{0}};
#define WHY "no test rows, or a class is missing among them"

static iso_status check(const iso_schema *s, const void *opt, iso_error *err)
{
	(void)opt;
	ISO_FAIL_IF(
		iso_schema_classes(s) < 2, err, ISO_E_UNSUPPORTED,
		"not applicable (own-classifier): %s has no label of at least two classes; give "
		"one column the role \"label\"",
		s->name);
	return ISO_OK;
}

static iso_status undefined(iso_measures *out, const char *why, iso_error *err)
{
	for (const iso_output *o = outputs; o->key; o++)
		ISO_TRY(iso_measure_undefined(out, o->key, why, err));
	return ISO_OK;
}

/* Probabilities and truths of the test rows that have a label. */
static iso_status answers(const iso_metric_view *view, double *prob, uint32_t *truth, size_t *n,
			  iso_error *err)
{
	const size_t classes = iso_schema_classes(view->schema);
	ISO_TRY(view->classify(view->classify_ctx, view->test, prob, err));
	*n = 0;
	for (size_t r = 0; r < view->test->n; r++) {
		const size_t y = iso_table_label(view->test, r);
		if (y >= classes)
			continue;
		for (size_t c = 0; c < classes; c++)
			prob[*n * classes + c] = prob[r * classes + c];
		truth[(*n)++] = (uint32_t)y;
	}
	return ISO_OK;
}

static iso_status measure(const iso_metric_view *view, const void *opt, iso_measures *out,
			  iso_error *err)
{
	const size_t classes = iso_schema_classes(view->schema);
	const int named = view->schema->column[view->schema->label].positive;
	iso_assessment a;
	size_t n = 0;
	iso_status st;
	(void)opt;
	if (!view->classify)
		return undefined(out, "the method releases no classifier", err);
	double *prob = iso_alloc(view->test->n * classes + 1, sizeof *prob);
	uint32_t *truth = iso_alloc(view->test->n + 1, sizeof *truth);
	if (!prob || !truth) {
		st = iso_no_memory(err, "answers of a classifier");
		goto out;
	}
	ISO_TRY_OUT(answers(view, prob, truth, &n, err));
	ISO_TRY_OUT(iso_assess(prob, truth, n, classes, named < 0 ? 1 : (size_t)named, &a, err));
	ISO_TRY_OUT(iso_put3(out, "accuracy",
			     (double[]){a.accuracy, a.accuracy_low, a.accuracy_high}, WHY, err));
	ISO_TRY_OUT(iso_put3(out, "auroc_macro",
			     (double[]){a.auroc_macro, a.auroc_low, a.auroc_high}, WHY, err));
	ISO_TRY_OUT(iso_put(out, "auprc", a.auprc, WHY, err));
	st = iso_put(out, "f1_macro", a.f1_macro, WHY, err);
out:
	iso_free(prob);
	iso_free(truth);
	return st;
}

const iso_metric iso_metric_own_classifier = {
	.abi = ISO_METRIC_ABI,
	.name = "own-classifier",
	.title = "The method's own classifier on test rows",
	.citation = "M. Abadi et al., \"Deep Learning with Differential Privacy\", CCS 2016, "
		    "arXiv:1607.00133 (the arm without synthetic data)",
	.card = "For methods that release a classifier in place of rows: its accuracy (Wilson "
		"interval), AUROC (DeLong with two classes), AUPRC and F1 on real test rows that "
		"the method never saw, in the definitions of the metric tstr. Undefined for every "
		"other method.",
	.inputs = ISO_IN_TEST,
	.version = 1,
	.outputs = outputs,
	.options = options,
	.check = check,
	.measure = measure,
};
