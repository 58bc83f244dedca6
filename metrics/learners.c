// SPDX-License-Identifier: Apache-2.0
/* Utility by a whole set of learners (attacks.md section 8), as the PATE-GAN papers average it:
 *
 *     NAME.*            trained on synthetic rows, tested on real ones (TSTR)
 *     real.NAME.*       trained on the real training rows (TRTR)
 *     augmented.NAME.*  trained on both
 *     trts.NAME.*       trained on real rows, tested on synthetic ones
 *     tsts.NAME.*       trained on one half of the synthetic rows, tested on the other
 *     mean.*            over PATE-GAN's set: all classifiers but nearest neighbours
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
#include "core/math/stats.h"
#include "metrics/kit/sample.h"

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
#define REGRESSION(prefix, name, title, better, worse) \
	{prefix name ".r2", title " R2", "", better, -INFINITY, 1, NAN, NULL, "utility", 0, "real." name ".r2"}, \
	{prefix name ".rmse", title " RMSE", "", worse, 0, INFINITY, NAN, NULL, "utility", 0, "real." name ".rmse"}
#define FIT(name, title) \
	REGRESSION("", name, title, ISO_HIGHER, ISO_LOWER), \
	REGRESSION("real.", name, title ", real rows,", ISO_NEITHER, ISO_NEITHER)
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
	ARM("adaboost", "AdaBoost"),
	ARM("bernoulli", "Bernoulli naive Bayes"),
	ONE("augmented.", "lr", "LR, real and synthetic rows,", ISO_HIGHER, "real."),
	ONE("augmented.", "forest", "forest, real and synthetic rows,", ISO_HIGHER, "real."),
	ONE("trts.", "lr", "LR, tested on synthetic rows,", ISO_NEITHER, "real."),
	ONE("trts.", "forest", "forest, tested on synthetic rows,", ISO_NEITHER, "real."),
	ONE("tsts.", "lr", "LR, synthetic rows alone,", ISO_NEITHER, "real."),
	ONE("tsts.", "forest", "forest, synthetic rows alone,", ISO_NEITHER, "real."),
	FIT("ridge", "ridge"), FIT("forest-regression", "forest"),
	REGRESSION("augmented.", "ridge", "ridge, real and synthetic rows,", ISO_HIGHER, ISO_LOWER),
	REGRESSION("augmented.", "forest-regression", "forest, real and synthetic rows,", ISO_HIGHER, ISO_LOWER),
	REGRESSION("trts.", "ridge", "ridge, tested on synthetic rows,", ISO_NEITHER, ISO_NEITHER),
	REGRESSION("trts.", "forest-regression", "forest, tested on synthetic rows,", ISO_NEITHER, ISO_NEITHER),
	REGRESSION("tsts.", "ridge", "ridge, synthetic rows alone,", ISO_NEITHER, ISO_NEITHER),
	REGRESSION("tsts.", "forest-regression", "forest, synthetic rows alone,", ISO_NEITHER, ISO_NEITHER),
	{"mean.auprc", "mean of the learners' AUPRC (macro)", "", ISO_HIGHER, 0, 1, NAN, NULL, "utility", 0, "real.mean.auprc"},
	{"real.mean.auprc", "mean of the learners', real rows, AUPRC (macro)", "", ISO_NEITHER, 0, 1, NAN, NULL, "utility", 0, "real.mean.auprc"},
	{0}};
// clang-format on

enum { AREA, RIGHT, PRECISION, NVALUE }; /* of a class; of a number: R2, RMSE */

typedef struct bench {
	const iso_metric_view *view;
	iso_measures *out;
	size_t classes, positive, max_rows;
	double *prob;		     /* owned */
	double sum[2][NVALUE], n[2]; /* for the means: synthetic and real arm */
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

static void judge_numbers(const bench *b, const iso_labelled *test, double v[NVALUE][3])
{
	const double mean = iso_mean(test->t, test->n);
	double left = 0, all = 0;

	for (size_t i = 0; i < test->n; i++) {
		left += (test->t[i] - b->prob[i]) * (test->t[i] - b->prob[i]);
		all += (test->t[i] - mean) * (test->t[i] - mean);
	}
	v[0][0] = all > 0 ? 1 - left / all : NAN;
	v[1][0] = sqrt(left / (double)test->n);
}

static iso_status judge_classes(const bench *b, const iso_labelled *test, double v[NVALUE][3],
				iso_error *err)
{
	iso_assessment a;

	ISO_TRY(iso_assess(b->prob, test->y, test->n, b->classes, b->positive, &a, err));
	const double all[NVALUE][3] = {{a.auroc_micro, a.auroc_low, a.auroc_high},
				       {a.accuracy, a.accuracy_low, a.accuracy_high},
				       {a.auprc, NAN, NAN}};
	memcpy(v, all, sizeof(all));
	return ISO_OK;
}

/* The values of one learner of one arm; those of the real arm through the cache. */
static iso_status values_of(bench *b, const iso_classifier *c, const iso_labelled *train,
			    const iso_labelled *test, int real, double v[NVALUE][3], iso_error *err)
{
	const iso_metric_view *view = b->view;
	const iso_examples e = {.x = train->x,
				.n = train->n,
				.d = train->d,
				.y = train->y,
				.classes = b->classes,
				.t = c->regresses ? train->t : NULL};
	char name[80];

	for (size_t k = 0; k < NVALUE; k++)
		v[k][0] = v[k][1] = v[k][2] = NAN;
	snprintf(name, sizeof(name), "learners/2/%s/%zu", c->name, b->max_rows);
	if (real && view->cache_get && view->cache_get(view->cache_ctx, name, v[0], 3 * NVALUE))
		return ISO_OK;
	ISO_TRY(iso_classify(c, &e, iso_key_child(iso_key_new(0, "metrics/learners"), c->name, 0),
			     test->x, test->n, b->prob, err));
	if (c->regresses)
		judge_numbers(b, test, v);
	else
		ISO_TRY(judge_classes(b, test, v, err));
	if (real && view->cache_put)
		view->cache_put(view->cache_ctx, name, v[0], 3 * NVALUE);
	return ISO_OK;
}

/* PATE-GAN's set: all classifiers but nearest neighbours. */
static void add_to_mean(bench *b, const iso_classifier *c, int real, double v[NVALUE][3])
{
	if (c->regresses || c == &iso_learn_knn || isnan(v[AREA][0]))
		return;
	for (size_t k = 0; k < NVALUE; k++)
		b->sum[real][k] += v[k][0];
	b->n[real]++;
}

/* One learner of one arm; mean: into which mean it goes (1: the real arm), or -1. */
static iso_status run(bench *b, const iso_classifier *c, const char *prefix,
		      const iso_labelled *train, const iso_labelled *test, int mean, iso_error *err)
{
	static const char *const suffix[2][2] = {{"auroc", "accuracy"}, {"r2", "rmse"}};
	const char *reason = !c->regresses && b->classes < 2 ? "the label is a number, not a class"
			     : c->regresses && b->classes    ? "the label is a class, not a number"
			     : train->n < 2 ? "fewer than two labelled training rows"
			     : test->n < 2  ? "fewer than two labelled test rows"
					    : NULL;
	double v[NVALUE][3];

	if (!reason)
		ISO_TRY(values_of(b, c, train, test, mean == 1, v, err));
	if (!reason && mean >= 0)
		add_to_mean(b, c, mean, v);
	for (size_t k = 0; k < 2; k++)
		ISO_TRY(put(b, prefix, c->name, suffix[c->regresses][k], reason ? NULL : v[k],
			    reason	      ? reason
			    : !isnan(v[k][0]) ? NULL
			    : c->regresses    ? "the test labels are equal"
					      : "the test rows hold one class only",
			    err));
	return ISO_OK;
}

static iso_status put_means(bench *b, iso_error *err)
{
	static const char *const suffix[NVALUE] = {"auroc", "accuracy", "auprc"};

	for (int real = 0; real < 2; real++)
		for (int k = 0; k < NVALUE; k++) {
			const double v[3] = {b->sum[real][k] / fmax(1, b->n[real]), NAN, NAN};

			ISO_TRY(put(b, real ? "real." : "", "mean", suffix[k], v,
				    b->n[real] > 0 ? NULL : "no learner has a value", err));
		}
	return ISO_OK;
}

/* The first half of the rows (they are in no order that the label knows) and the rest, borrowed. */
static void cut(const iso_labelled *r, iso_labelled half[2])
{
	const size_t m = r->n / 2;

	for (size_t k = 0; k < 2; k++)
		half[k] = (iso_labelled){.x = r->x + (k ? m * r->d : 0),
					 .y = r->y + (k ? m : 0),
					 .t = r->t + (k ? m : 0),
					 .n = k ? r->n - m : m,
					 .d = r->d};
}

static iso_status run_all(bench *b, const iso_labelled *syn, const iso_labelled *real,
			  const iso_labelled *test, iso_error *err)
{
	static const char *const both[] = {"lr", "forest", "ridge", "forest-regression"};
	iso_labelled joined = {0}, half[2];
	iso_status st = ISO_OK;

	for (size_t i = 0; i < iso_classifier_count(); i++) {
		ISO_TRY_OUT(run(b, iso_classifier_at(i), "", syn, test, 0, err));
		ISO_TRY_OUT(run(b, iso_classifier_at(i), "real.", real, test, 1, err));
	}
	ISO_TRY_OUT(put_means(b, err));
	ISO_TRY_OUT(iso_labelled_join(real, syn, &joined, err));
	cut(syn, half);
	for (size_t i = 0; i < ISO_COUNT(both); i++) {
		const iso_classifier *c = iso_classifier_find(both[i]);

		ISO_TRY_OUT(run(b, c, "augmented.", &joined, test, -1, err));
		ISO_TRY_OUT(run(b, c, "trts.", real, syn, -1, err));
		ISO_TRY_OUT(run(b, c, "tsts.", &half[0], &half[1], -1, err));
	}
out:
	iso_labelled_free(&joined);
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
	bench b = {
		.view = v, .out = out, .max_rows = most, .classes = iso_schema_classes(v->schema)};
	iso_labelled syn = {0}, real = {0}, test = {0};
	iso_encoder *e = NULL;
	iso_status st;

	ISO_TRY(check(v->schema, opt, err));
	b.positive = iso_positive_class(v->schema);
	ISO_TRY_OUT(iso_encoder_new(v->schema, ISO_ENC_FEATURES, &e, err));
	ISO_TRY_OUT(iso_labelled_new(e, v->synthetic, most, iso_key_child(v->key, "rows", 0), &syn,
				     err));
	ISO_TRY_OUT(
		iso_labelled_new(e, v->train, most, iso_key_child(fixed, "train", 0), &real, err));
	ISO_TRY_OUT(
		iso_labelled_new(e, v->test, most, iso_key_child(fixed, "test", 0), &test, err));
	b.prob = iso_alloc((test.n > syn.n ? test.n : syn.n) * (b.classes ? b.classes : 1),
			   sizeof(*b.prob));
	if (!b.prob) {
		st = iso_no_memory(err, "predictions");
		goto out;
	}
	ISO_TRY_OUT(run_all(&b, &syn, &real, &test, err));
out:
	iso_free(b.prob);
	iso_labelled_free(&syn);
	iso_labelled_free(&real);
	iso_labelled_free(&test);
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
	.card = "Twelve classifiers (logistic regression, MLP, nearest neighbours, random forest, "
		"gradient boosting, Gaussian and Bernoulli naive Bayes, linear SVM, tree, LDA, "
		"bagging, "
		"AdaBoost) are trained on the synthetic rows and tested on real ones; beside them "
		"the "
		"same trained on real rows, and for logistic regression and the forest also on "
		"both "
		"together (augmentation), trained on real and tested on synthetic rows, and on "
		"synthetic "
		"rows alone. `mean` is over the set that the PATE-GAN papers average (all but "
		"nearest "
		"neighbours; their extreme gradient boosting is the gradient boosting here). A "
		"numeric "
		"label gives R2 and RMSE of ridge and forest regression. At most max_rows rows are "
		"used "
		"on each side. Intervals: DeLong for the area with two classes, Wilson for the "
		"accuracy; "
		"they cover the test rows' sampling alone.",
	.inputs = ISO_IN_TRAIN | ISO_IN_TEST | ISO_IN_SYNTHETIC,
	.version = 2,
	.outputs = outputs,
	.options = options,
	.options_size = sizeof(opts),
	.check = check,
	.measure = measure,
};
