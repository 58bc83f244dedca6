// SPDX-License-Identifier: Apache-2.0
/* THE CONTRACT of classifiers and regressors: metrics and attacks loop over the table.
 *
 * Rows are dense floats [n][d], in the encoding that the caller chose (numbers about [0,1], one-hot
 * categories); a learner that needs standardised columns does so itself, by its training rows.
 * Randomness comes from the key alone.  A class without training rows gets probability 0 (the MLP:
 * next to 0); with one class the prediction is constant. */
#ifndef ISO_LEARN_CLASSIFIER_H
#define ISO_LEARN_CLASSIFIER_H

#include "core/io/options.h"
#include "core/learn/source.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_examples { /* borrowed */
	const float *x;	      /* [n][d], or NULL: the rows of `source` */
	size_t n, d;
	const iso_source *source;
	const uint32_t *y; /* [n] class 0..classes-1; classifiers */
	size_t classes;
	const double *t;     /* [n] target; regressors */
	const void *options; /* resolved from the learner's table; NULL = its defaults */
} iso_examples;

/* Options of lr: the penalty is 1/2 |w|^2 against c times the sum of losses. */
typedef struct iso_lr_options {
	double c;
	int ovr, standardise; /* more than two classes: one binary model each */
} iso_lr_options;
/* Options of mlp; epochs 0: as many as make 5,000 steps, between 30 and 200. */
typedef struct iso_mlp_options {
	int64_t hidden, epochs;
	double alpha;
	int ovr, standardise;
} iso_mlp_options;

typedef struct iso_classifier {
	const char *name;  /* required: "forest" */
	const char *title; /* required: for a table head */
	int regresses;	   /* 1: a regressor: fit reads t, predict gives one value a row */
	int streams;	   /* 1: fit reads `source` when there is no x; else x is made for it */
	const iso_option *options; /* optional: what can be set */
	size_t options_size;
	/* required.  *model is new. */
	iso_status (*fit)(const iso_examples *e, iso_key key, void **model, iso_error *err);
	/* required.  out [n][classes] probabilities, or [n] values. */
	iso_status (*predict)(const void *model, const float *x, size_t n, double *out,
			      iso_error *err);
	/* required; NULL is legal */
	void (*free)(void *model);
} iso_classifier;

/* In the order of the table: lr, mlp, knn, forest, boosting, naive-bayes, svm, tree, lda, bagging,
 * adaboost, bernoulli; regressors: ridge, forest-regression. */
size_t iso_classifier_count(void);
const iso_classifier *iso_classifier_at(size_t i);
const iso_classifier *iso_classifier_find(const char *name); /* NULL: none */
/* c->fit, with an x made from the source for a learner that does not stream. */
iso_status iso_classifier_fit(const iso_classifier *c, const iso_examples *train, iso_key key,
			      void **model, iso_error *err) ISO_MUST_CHECK;
/* Predictions for the rows of a source, encoded piece by piece; `classes` columns (regressors: 1).
 */
iso_status iso_classifier_predict(const iso_classifier *c, const void *model, const iso_source *s,
				  size_t classes, double *out, iso_error *err) ISO_MUST_CHECK;
/* fit and predict in one call. */
iso_status iso_classify(const iso_classifier *c, const iso_examples *train, iso_key key,
			const float *x, size_t n, double *out, iso_error *err) ISO_MUST_CHECK;

/* The learners, one file each or a few. */
extern const iso_classifier iso_learn_lr, iso_learn_mlp, iso_learn_knn, iso_learn_forest,
	iso_learn_boosting, iso_learn_naive_bayes, iso_learn_svm, iso_learn_tree, iso_learn_lda,
	iso_learn_bagging, iso_learn_adaboost, iso_learn_bernoulli, iso_learn_ridge,
	iso_learn_forest_regression;

#ifdef __cplusplus
}
#endif

#endif
