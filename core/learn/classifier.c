// SPDX-License-Identifier: Apache-2.0
#include "core/learn/classifier.h"

#include <string.h>

#include "core/base/alloc.h"

static const iso_classifier *const table[] = {
	&iso_learn_lr,	     &iso_learn_mlp,	     &iso_learn_knn,   &iso_learn_forest,
	&iso_learn_boosting, &iso_learn_naive_bayes, &iso_learn_svm,   &iso_learn_tree,
	&iso_learn_lda,	     &iso_learn_bagging,     &iso_learn_ridge, &iso_learn_forest_regression,
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

iso_status iso_classify(const iso_classifier *c, const iso_examples *train, iso_key key,
			const float *x, size_t n, double *out, iso_error *err)
{
	void *model = NULL;
	iso_status st;

	ISO_FAIL_IF(!train->n, err, ISO_E_DATA, "%s: there is no row to learn from", c->name);
	st = c->fit(train, key, &model, err);
	if (st == ISO_OK)
		st = c->predict(model, x, n, out, err);
	c->free(model);
	return st;
}
