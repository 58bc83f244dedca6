// SPDX-License-Identifier: Apache-2.0
/* Utility by a whole set of learners (attacks.md section 8), as the PATE-GAN papers average it:
 *
 *     NAME.*            trained on synthetic rows, tested on real ones (TSTR)
 *     real.NAME.*       trained on the real training rows (TRTR)
 *     augmented.NAME.*  trained on both
 *     trts.NAME.*       trained on real rows, tested on synthetic ones
 *
 * A discrete label: area and accuracy.  A numeric label: R2 and root mean squared error of ridge
 * and forest regression.  Every learner sees at most max_rows rows, so that a metric costs no more
 * than a training.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/learn/assess.h"
#include "core/learn/classifier.h"
#include "core/learn/kfold.h"
#include "core/math/stats.h"
#include "metrics/metric.h"

typedef struct opts {
	int64_t max_rows;
} opts;
static const iso_option options[] = {
	ISO_OPT_INT(opts, max_rows, "4000", 10, 100000000,
		    "train and test on at most so many rows each, drawn at random"),
	{0}};

// clang-format off
#define ONE(prefix, name, title, dir, real) \
	{prefix name ".auroc", title " AUROC (micro)", "", dir, 0, 1, NAN, NULL, "utility", 0, real name ".auroc", 0.5}, \
	{prefix name ".accuracy", title " accuracy", "share", dir, 0, 1, NAN, NULL, "utility"}
#define ARM(name, title) \
	ONE("", name, title, ISO_HIGHER, "real."), ONE("real.", name, title ", real rows,", ISO_NEITHER, "real.")
#define FIT(name, title) \
	{name ".r2", title " R2", "", ISO_HIGHER, -INFINITY, 1, NAN, NULL, "utility", 0, "real." name ".r2"}, \
	{name ".rmse", title " RMSE", "", ISO_LOWER, 0, INFINITY, NAN, NULL, "utility"}, \
	{"real." name ".r2", title ", real rows, R2", "", ISO_NEITHER, -INFINITY, 1, NAN, NULL, "utility"}, \
	{"real." name ".rmse", title ", real rows, RMSE", "", ISO_NEITHER, 0, INFINITY, NAN, NULL, "utility"}
static const iso_output outputs[] = {
	ONE("", "mean", "mean of the learners'", ISO_HIGHER, "real."),
	ONE("real.", "mean", "mean of the learners', real rows,", ISO_NEITHER, "real."),
	ARM("lr", "LR"),
	ARM("mlp", "MLP"),
	ARM("knn", "k-NN"),
	ARM("forest", "forest"),
	ARM("boosting", "boosting"),
	ARM("naive-bayes", "naive Bayes"),
	ARM("svm", "SVM"),
	ARM("tree", "tree"),
	ARM("lda", "LDA"),
	ARM("bagging", "bagging"),
	ONE("augmented.", "lr", "LR, real and synthetic rows,", ISO_HIGHER, "real."),
	ONE("augmented.", "forest", "forest, real and synthetic rows,", ISO_HIGHER, "real."),
	ONE("trts.", "lr", "LR, tested on synthetic rows,", ISO_NEITHER, "real."),
	ONE("trts.", "forest", "forest, tested on synthetic rows,", ISO_NEITHER, "real."),
	FIT("ridge", "ridge"), FIT("forest-regression", "forest"), {0}};
// clang-format on

/* Labelled rows, encoded. */
typedef struct rows {
	float *x;    /* owned [n][d] */
	uint32_t *y; /* owned [n] */
	double *t;   /* owned [n] */
	size_t n, d;
} rows;

static void rows_free(rows *r)
{
	iso_free(r->x);
	iso_free(r->y);
	iso_free(r->t);
	*r = (rows){0};
}

static int labelled(const iso_table *t, size_t r)
{
	return !isnan(iso_table_cell(t, r, (size_t)t->schema->label));
}

static iso_status rows_new(const iso_encoder *e, const iso_table *t, size_t most, iso_key key,
			   rows *out, iso_error *err)
{
	uint32_t *row = iso_alloc(t->n, sizeof(*row)), *pick = NULL;
	size_t n = 0;
	iso_status st = row ? ISO_OK : iso_no_memory(err, "labelled rows");

	*out = (rows){.d = e->dim};
	for (size_t r = 0; row && r < t->n; r++)
		if (labelled(t, r))
			row[n++] = (uint32_t)r;
	if (st == ISO_OK && n > most) {
		st = iso_subset(key, n, most, &pick, err);
		for (size_t i = 0; st == ISO_OK && i < most; i++)
			row[i] = row[pick[i]];
		n = most;
	}
	out->n = n;
	if (st == ISO_OK) {
		out->x = iso_alloc(n * e->dim, sizeof(float));
		out->y = iso_alloc(n, sizeof(uint32_t));
		out->t = iso_alloc(n, sizeof(double));
		if (!out->x || !out->y || !out->t)
			st = iso_no_memory(err, "labelled rows");
	}
	if (st == ISO_OK) {
		iso_encode(e, t, row, n, out->x, e->dim);
		for (size_t i = 0; i < n; i++) {
			out->t[i] = iso_table_cell(t, row[i], (size_t)t->schema->label);
			out->y[i] = (uint32_t)fmax(0, out->t[i]);
		}
	}
	iso_free(row);
	iso_free(pick);
	if (st != ISO_OK)
		rows_free(out);
	return st;
}

static iso_status join(const rows *a, const rows *b, rows *out, iso_error *err)
{
	*out = (rows){.n = a->n + b->n, .d = a->d};
	out->x = iso_alloc(out->n * out->d, sizeof(float));
	out->y = iso_alloc(out->n, sizeof(uint32_t));
	out->t = iso_alloc(out->n, sizeof(double));
	if (!out->x || !out->y || !out->t) {
		rows_free(out);
		return iso_no_memory(err, "labelled rows");
	}
	for (int k = 0; k < 2; k++) {
		const rows *r = k ? b : a;
		const size_t at = k ? a->n : 0;

		memcpy(out->x + at * out->d, r->x, r->n * r->d * sizeof(float));
		memcpy(out->y + at, r->y, r->n * sizeof(uint32_t));
		memcpy(out->t + at, r->t, r->n * sizeof(double));
	}
	return ISO_OK;
}

typedef struct bench {
	const iso_metric_view *view;
	iso_measures *out;
	size_t classes, positive;
	double *prob;		/* owned */
	double sum[2][2], n[2]; /* for the means: synthetic and real arm; area and accuracy */
} bench;

static iso_status put(bench *b, const char *prefix, const char *name, const char *suffix,
		      const double v[3], const char *reason, iso_error *err)
{
	char key[64];

	snprintf(key, sizeof(key), "%s%s.%s", prefix, name, suffix);
	if (reason)
		return iso_measure_undefined(b->out, key, reason, err);
	return iso_measure_set(b->out, key, v[0], v[1], v[2], err);
}

static iso_status regress(bench *b, const iso_classifier *c, const char *prefix, const rows *test,
			  iso_error *err)
{
	const double mean = iso_mean(test->t, test->n);
	double left = 0, all = 0;

	for (size_t i = 0; i < test->n; i++) {
		left += (test->t[i] - b->prob[i]) * (test->t[i] - b->prob[i]);
		all += (test->t[i] - mean) * (test->t[i] - mean);
	}
	const double r2[3] = {1 - left / all, NAN, NAN},
		     rmse[3] = {sqrt(left / (double)test->n), NAN, NAN};
	ISO_TRY(put(b, prefix, c->name, "r2", r2, all > 0 ? NULL : "the test labels are equal",
		    err));
	return put(b, prefix, c->name, "rmse", rmse, NULL, err);
}

static iso_status classify(bench *b, const iso_classifier *c, const char *prefix, const rows *test,
			   int mean, iso_error *err)
{
	iso_assessment a;

	ISO_TRY(iso_assess(b->prob, test->y, test->n, b->classes, b->positive, &a, err));
	const double area[3] = {a.auroc_micro, a.auroc_low, a.auroc_high},
		     right[3] = {a.accuracy, a.accuracy_low, a.accuracy_high};
	if (mean >= 0 && !isnan(area[0])) {
		b->sum[mean][0] += area[0];
		b->sum[mean][1] += right[0];
		b->n[mean]++;
	}
	ISO_TRY(put(b, prefix, c->name, "auroc", area,
		    isnan(area[0]) ? "the test rows hold one class only" : NULL, err));
	return put(b, prefix, c->name, "accuracy", right, NULL, err);
}

/* One learner of one arm; mean: into which mean it goes, or -1. */
static iso_status run(bench *b, const iso_classifier *c, const char *prefix, const rows *train,
		      const rows *test, int mean, iso_error *err)
{
	const char *reason = !c->regresses && b->classes < 2 ? "the label is a number, not a class"
			     : c->regresses && b->classes    ? "the label is a class, not a number"
			     : train->n < 2 ? "fewer than two labelled training rows"
			     : test->n < 2  ? "fewer than two labelled test rows"
					    : NULL;
	const iso_examples e = {.x = train->x,
				.n = train->n,
				.d = train->d,
				.y = train->y,
				.classes = b->classes,
				.t = c->regresses ? train->t : NULL};

	if (reason) {
		ISO_TRY(put(b, prefix, c->name, c->regresses ? "r2" : "auroc", NULL, reason, err));
		return put(b, prefix, c->name, c->regresses ? "rmse" : "accuracy", NULL, reason,
			   err);
	}
	ISO_TRY(iso_classify(c, &e, iso_key_child(iso_key_new(0, "metrics/learners"), c->name, 0),
			     test->x, test->n, b->prob, err));
	return c->regresses ? regress(b, c, prefix, test, err)
			    : classify(b, c, prefix, test, mean, err);
}

static iso_status put_means(bench *b, iso_error *err)
{
	for (int real = 0; real < 2; real++)
		for (int k = 0; k < 2; k++) {
			const double v[3] = {b->sum[real][k] / fmax(1, b->n[real]), NAN, NAN};

			ISO_TRY(put(b, real ? "real." : "", "mean", k ? "accuracy" : "auroc", v,
				    b->n[real] > 0 ? NULL : "no learner has a value", err));
		}
	return ISO_OK;
}

static iso_status run_all(bench *b, const rows *syn, const rows *real, const rows *test,
			  iso_error *err)
{
	static const char *const both[] = {"lr", "forest"};
	rows joined = {0};
	iso_status st = ISO_OK;

	for (size_t i = 0; i < iso_classifier_count(); i++) {
		ISO_TRY_OUT(run(b, iso_classifier_at(i), "", syn, test, 0, err));
		ISO_TRY_OUT(run(b, iso_classifier_at(i), "real.", real, test, 1, err));
	}
	ISO_TRY_OUT(put_means(b, err));
	ISO_TRY_OUT(join(real, syn, &joined, err));
	for (size_t i = 0; i < ISO_COUNT(both); i++) {
		const iso_classifier *c = iso_classifier_find(both[i]);

		ISO_TRY_OUT(run(b, c, "augmented.", &joined, test, -1, err));
		ISO_TRY_OUT(run(b, c, "trts.", real, syn, -1, err));
	}
out:
	rows_free(&joined);
	return st;
}

static iso_status check(const iso_schema *s, const void *opt, iso_error *err)
{
	(void)opt;
	ISO_FAIL_IF(s->label < 0, err, ISO_E_UNSUPPORTED,
		    "learners (schema %s): there is no label to predict; give one column the role "
		    "label",
		    s->name);
	return ISO_OK;
}

static iso_status measure(const iso_metric_view *v, const void *opt, iso_measures *out,
			  iso_error *err)
{
	const size_t most = (size_t)((const opts *)opt)->max_rows;
	const iso_key fixed = iso_key_new(0, "metrics/learners/rows");
	bench b = {.view = v, .out = out, .classes = iso_schema_classes(v->schema)};
	rows syn = {0}, real = {0}, test = {0};
	iso_encoder *e = NULL;
	iso_status st;

	ISO_TRY(check(v->schema, opt, err));
	const int positive = v->schema->column[v->schema->label].positive;
	b.positive = positive >= 0 ? (size_t)positive : b.classes ? b.classes - 1 : 0;
	ISO_TRY_OUT(iso_encoder_new(v->schema, ISO_ENC_FEATURES, &e, err));
	ISO_TRY_OUT(rows_new(e, v->synthetic, most, iso_key_child(v->key, "rows", 0), &syn, err));
	ISO_TRY_OUT(rows_new(e, v->train, most, iso_key_child(fixed, "train", 0), &real, err));
	ISO_TRY_OUT(rows_new(e, v->test, most, iso_key_child(fixed, "test", 0), &test, err));
	b.prob = iso_alloc((test.n > syn.n ? test.n : syn.n) * (b.classes ? b.classes : 1),
			   sizeof(*b.prob));
	if (!b.prob) {
		st = iso_no_memory(err, "predictions");
		goto out;
	}
	ISO_TRY_OUT(run_all(&b, &syn, &real, &test, err));
out:
	iso_free(b.prob);
	rows_free(&syn);
	rows_free(&real);
	rows_free(&test);
	iso_encoder_free(e);
	return st;
}

const iso_metric iso_metric_learners = {
	.abi = ISO_METRIC_ABI,
	.name = "learners",
	.title = "Utility by a set of learners",
	.citation =
		"J. Jordon, J. Yoon, M. van der Schaar: PATE-GAN. ICLR 2019 (a set of predictive "
		"models, averaged)",
	.card = "Ten classifiers (logistic regression, MLP, nearest neighbours, random forest, "
		"gradient "
		"boosting, Gaussian naive Bayes, linear SVM, tree, LDA, bagging) are trained on "
		"the "
		"synthetic rows and tested on real ones; beside them the same trained on real "
		"rows, "
		"and for two of them on both together (augmentation) and tested on synthetic rows. "
		"A "
		"numeric label gives R2 and RMSE of ridge and forest regression. At most max_rows "
		"rows "
		"are used on each side. Intervals: DeLong for the area with two classes, Wilson "
		"for "
		"the accuracy; they cover the test rows' sampling alone.",
	.inputs = ISO_IN_TRAIN | ISO_IN_TEST | ISO_IN_SYNTHETIC,
	.version = 1,
	.outputs = outputs,
	.options = options,
	.options_size = sizeof(opts),
	.check = check,
	.measure = measure,
};
