// SPDX-License-Identifier: Apache-2.0
#include "core/learn/classifier.h"

#include <string.h>

#include "core/base/alloc.h"

#define PIECE 2048 /* rows that are predicted at a time */

static const iso_classifier *const table[] = {
	&iso_learn_lr,	     &iso_learn_mlp,
	&iso_learn_knn,	     &iso_learn_forest,
	&iso_learn_boosting, &iso_learn_naive_bayes,
	&iso_learn_svm,	     &iso_learn_tree,
	&iso_learn_lda,	     &iso_learn_bagging,
	&iso_learn_adaboost, &iso_learn_bernoulli,
	&iso_learn_ridge,    &iso_learn_forest_regression,
};

size_t iso_classifier_count(void)
{
	return ISO_COUNT(table);
}

const iso_classifier *iso_classifier_at(size_t i)
{
	return i < ISO_COUNT(table) ? table[i] : NULL;
}

const iso_classifier *iso_classifier_find(const char *name)
{
	for (size_t i = 0; i < ISO_COUNT(table); i++)
		if (strcmp(table[i]->name, name) == 0)
			return table[i];
	return NULL;
}

iso_status iso_classifier_fit(const iso_classifier *c, const iso_examples *train, iso_key key,
			      void **model, iso_error *err)
{
	iso_examples e = *train;
	float *x = NULL;

	*model = NULL;
	ISO_FAIL_IF(!e.n, err, ISO_E_DATA, "%s: there is no row to learn from", c->name);
	if (!e.x && !c->streams) {
		x = iso_alloc(e.n * e.d, sizeof(*x));
		if (!x)
			return iso_no_memory(err, "the rows of a classifier");
		iso_source_get(e.source, NULL, 0, e.n, x, e.d);
		e.x = x;
	}
	const iso_status st = c->fit(&e, key, model, err);
	iso_free(x);
	return st;
}

iso_status iso_classifier_predict(const iso_classifier *c, const void *model, const iso_source *s,
				  size_t classes, double *out, iso_error *err)
{
	const size_t piece = s->n < PIECE ? s->n : PIECE;
	float *x = iso_alloc(piece * s->d, sizeof(*x));
	iso_status st = x ? ISO_OK : iso_no_memory(err, "predictions");

	for (size_t at = 0; st == ISO_OK && at < s->n; at += piece) {
		const size_t n = s->n - at < piece ? s->n - at : piece;

		iso_source_get(s, NULL, at, n, x, s->d);
		st = c->predict(model, x, n, out + at * classes, err);
	}
	iso_free(x);
	return st;
}

iso_status iso_classify(const iso_classifier *c, const iso_examples *train, iso_key key,
			const float *x, size_t n, double *out, iso_error *err)
{
	void *model = NULL;
	iso_status st;

	st = iso_classifier_fit(c, train, key, &model, err);
	if (st == ISO_OK)
		st = c->predict(model, x, n, out, err);
	c->free(model);
	return st;
}
