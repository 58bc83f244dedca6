// SPDX-License-Identifier: Apache-2.0
/* Classifier two-sample test (Lopez-Paz and Oquab 2017; attacks.md section 7.3).
 *
 * As many real as synthetic rows, half of each to learn from and half to judge; equal rows stay
 * together.  For two samples of one law the accuracy on n judged rows is 1/2 with standard error
 * sqrt(1/(4n)).  Trees separate many a table from its copy by how its numbers are printed, so
 * everything is done twice: as the tables stand, and with both sides rounded to the schema's
 * decimals (a thousandth of the public range where it names none).
 */
#include <math.h>
#include <stdio.h>

#include "core/base/alloc.h"
#include "core/math/stats.h"
#include "metrics/kit/halves.h"

#define LEAST_ROWS 20

typedef struct opts {
	int64_t max_rows;
} opts;
static const iso_option options[] = {
	ISO_OPT_INT(opts, max_rows, "2500", 20, 1000000,
		    "at most so many real and so many synthetic rows, drawn at random"),
	{0}};

// clang-format off
#define TEST(prefix, name, title, headline) \
	{prefix name ".accuracy", title " tells real from synthetic: accuracy", "share", ISO_LOWER, 0, 1, 0.5, NULL, "fidelity", 0}, \
	{prefix name ".auc", title " tells real from synthetic: AUC", "", ISO_LOWER, 0, 1, 0.5, NULL, "fidelity", headline}, \
	{prefix name ".z", title " tells real from synthetic: standard errors above 1/2", "", ISO_LOWER, -INFINITY, INFINITY, NAN, NULL, "fidelity", 0}
static const iso_output outputs[] = {
	TEST("", "lr", "LR", 0),
	TEST("", "forest", "forest", 0),
	TEST("", "boosting", "boosting", 0),
	TEST("rounded.", "lr", "LR, both rounded,", 0),
	TEST("rounded.", "forest", "forest, both rounded,", 0),
	TEST("rounded.", "boosting", "boosting, both rounded,", 1),
	{0}};
// clang-format on
static const char *const learner[] = {"lr", "forest", "boosting"};

/* Numbers to the schema's decimals, or to a thousandth of the range. */
static void round_cells(iso_table *t)
{
	const iso_schema *s = t->schema;

	for (size_t c = 0; c < s->ncol; c++) {
		const iso_column *col = &s->column[c];
		const double range = col->hi - col->lo;
		double step = range / 1000;

		if (iso_is_dropped(col) || iso_is_discrete(col) || col->type == ISO_PIXEL ||
		    !(range > 0))
			continue;
		if (iso_is_whole(col))
			step = 1;
		for (int i = 0; col->decimals >= 0 && i <= col->decimals; i++)
			step = i ? step / 10 : 1;
		for (size_t r = 0; r < t->n; r++) {
			double *v = &t->cells[r * s->ncol + c];

			*v = fmin(fmax(step * rint(*v / step), col->lo), col->hi);
		}
	}
}

static iso_status put_test(iso_measures *out, const char *prefix, const char *name,
			   const double v[3][3], const char *why, iso_error *err)
{
	static const char *const suffix[] = {"accuracy", "auc", "z"};

	for (size_t k = 0; k < 3; k++) {
		char key[48];

		snprintf(key, sizeof(key), "%s%s.%s", prefix, name, suffix[k]);
		ISO_TRY(iso_put3(out, key, v[k], why, err));
	}
	return ISO_OK;
}

static iso_status judge(iso_halves *h, const iso_classifier *c, iso_key key, double v[3][3],
			iso_error *err)
{
	iso_roc roc;
	double right = 0;
	size_t n;

	ISO_TRY(iso_halves_judge(h, c, key, &n, err));
	for (size_t i = 0; i < n; i++)
		right += (h->score[i] >= 0.5) == h->truth[i];
	ISO_TRY(iso_roc_of(h->score, h->truth, n, &roc, err));
	v[0][0] = right / (double)n;
	iso_wilson(right, (double)n, 1.959963984540054, &v[0][1], &v[0][2]);
	v[1][0] = roc.auc;
	v[1][1] = roc.low;
	v[1][2] = roc.high;
	v[2][0] = (v[0][0] - 0.5) / sqrt(0.25 / (double)n);
	v[2][1] = v[2][2] = NAN;
	return ISO_OK;
}

static iso_status test_all(const iso_metric_view *view, iso_pooled *p, const char *prefix,
			   iso_measures *out, iso_error *err)
{
	double v[3][3] = {{NAN}, {NAN}, {NAN}};
	const char *why =
		p->m ? "one half holds one side only" : "fewer than twenty real or synthetic rows";
	iso_halves h = {0};
	iso_status st = p->m ? iso_halves_new(p, view->key, &h, err) : ISO_OK;
	const int can = st == ISO_OK && p->m && !iso_halves_one_sided(&h);

	for (size_t k = 0; st == ISO_OK && k < ISO_COUNT(learner); k++) {
		if (can)
			st = judge(&h, iso_classifier_find(learner[k]),
				   iso_key_child(view->key, learner[k], 0), v, err);
		if (st == ISO_OK)
			st = put_test(out, prefix, learner[k], v, why, err);
	}
	iso_halves_free(&h);
	return st;
}

static iso_status measure(const iso_metric_view *v, const void *opt, iso_measures *out,
			  iso_error *err)
{
	const size_t most = (size_t)((const opts *)opt)->max_rows;
	size_t m = v->train->n < v->synthetic->n ? v->train->n : v->synthetic->n;
	iso_pooled p = {0};
	iso_table *real = NULL, *synthetic = NULL;
	iso_status st = ISO_OK;

	m = m < LEAST_ROWS ? 0 : m < most ? m : most;
	if (m)
		ISO_TRY_OUT(iso_pooled_new(v->train, v->synthetic, m, v->key, 1, &p, err));
	ISO_TRY_OUT(test_all(v, &p, "", out, err));
	iso_pooled_free(&p);
	if (m) {
		ISO_TRY_OUT(iso_sample_table(v->train, 0, v->key, &real, err));
		ISO_TRY_OUT(iso_sample_table(v->synthetic, 0, v->key, &synthetic, err));
		round_cells(real);
		round_cells(synthetic);
		ISO_TRY_OUT(iso_pooled_new(real, synthetic, m, v->key, 1, &p, err));
	}
	ISO_TRY_OUT(test_all(v, &p, "rounded.", out, err));
out:
	iso_pooled_free(&p);
	iso_table_free(real);
	iso_table_free(synthetic);
	return st;
}

const iso_metric iso_metric_c2st = {
	.abi = ISO_METRIC_ABI,
	.name = "c2st",
	.title = "Classifier two-sample tests",
	.citation = "D. Lopez-Paz, M. Oquab: Revisiting Classifier Two-Sample Tests. ICLR 2017. "
		    "arXiv:1610.06545",
	.card = "Logistic regression, a random forest (100 trees, sqrt(d) columns a node, "
		"unlimited "
		"depth) and gradient boosting (100 rounds of depth 3, rate 0.1, 64 cells a column) "
		"learn from one half of equally many real and synthetic rows, label included, and "
		"are judged on the other; equal rows stay in one half. Under one law the accuracy "
		"is 1/2 with standard error sqrt(1/(4n)); `z` counts those. `rounded.` repeats it "
		"with both sides rounded to the schema's decimals, or to a thousandth of the "
		"public "
		"range: what is left is not the way the numbers are printed. Intervals: Wilson, "
		"DeLong.",
	.inputs = ISO_IN_TRAIN | ISO_IN_SYNTHETIC,
	.version = 1,
	.outputs = outputs,
	.options = options,
	.options_size = sizeof(opts),
	.measure = measure,
};
