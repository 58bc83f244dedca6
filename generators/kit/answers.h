// SPDX-License-Identifier: Apache-2.0
/* The model of a method whose release is a classifier, not rows: a network from encoded features to
 * logits of the classes.  Its sample are rows drawn uniformly over the public domain with labels
 * drawn from the classifier's probabilities, so that what needs rows has some. */
#ifndef ISO_GENERATORS_KIT_ANSWERS_H
#define ISO_GENERATORS_KIT_ANSWERS_H

#include "core/nn/net.h"
#include "generators/generator.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_answers {
	iso_encoder *enc; /* of the features; owned */
	iso_net *net;	  /* owned */
	size_t classes;
	iso_str note; /* a log that is saved behind the network, or empty; owned */
} iso_answers;

/* hidden: as an option list; a count of 0 is (multinomial) logistic regression, which begins at
 * weights of 0. */
iso_status iso_answers_new(const iso_gen_env *env, const int64_t *hidden, iso_key key,
			   iso_answers **out, iso_error *err) ISO_MUST_CHECK;
void iso_answers_destroy(void *model);
iso_status iso_answers_classify(const void *model, const iso_table *rows, double *prob,
				iso_error *err);
/* Log probability of class `of` for n encoded rows x [n][enc->dim], and its gradient by x. */
iso_status iso_answers_slope(const iso_answers *m, const float *x, size_t n, size_t of,
			     double *value, float *slope, iso_error *err) ISO_MUST_CHECK;
iso_status iso_answers_sample(const void *model, iso_key key, iso_table *out, iso_error *err);
iso_status iso_answers_save(const void *model, iso_str *out, iso_error *err);
iso_status iso_answers_load(const iso_gen_env *env, const int64_t *hidden, const char *bytes,
			    size_t n, void **out, iso_error *err);

#define ISO_ANSWERS_SLOTS \
	.sample = iso_answers_sample, .destroy = iso_answers_destroy, .save = iso_answers_save, \
	.classify = iso_answers_classify

#ifdef __cplusplus
}
#endif

#endif
