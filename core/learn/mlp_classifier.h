// SPDX-License-Identifier: Apache-2.0
/* A classifier with one hidden ReLU layer, trained as scikit-learn's MLPClassifier: Adam,
 * mini-batches of a shuffled epoch, loss mean_i loss_i + alpha / (2 B) |W|^2 over a batch of B rows
 * (weights only), Glorot-uniform weights and biases, a fixed number of epochs.  Outputs: one
 * logistic unit for two classes, else softmax. */
#ifndef ISO_LEARN_MLP_CLASSIFIER_H
#define ISO_LEARN_MLP_CLASSIFIER_H

#include "core/learn/source.h"
#include "core/nn/net.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_mlp_config {
	size_t hidden, epochs, batch;
	double rate, alpha;
	int standardise; /* by the mean and sd of the training rows */
	iso_key key;
} iso_mlp_config;
iso_mlp_config
iso_mlp_default(void); /* 100 units, 30 epochs of batches of 200, rate 1e-3, alpha 1e-4 */

typedef struct iso_mlp {
	size_t d, classes;
	int only;	      /* the one class of the training rows, or -1 */
	iso_net *net;	      /* owned; NULL when only >= 0 */
	float *shift, *scale; /* owned [d], or NULL */
	double loss;	      /* mean loss of the last epoch's rows, without the penalty */
} iso_mlp;

/* y [s->n] = class 0..classes-1. */
iso_status iso_mlp_fit(const iso_mlp_config *c, const iso_source *s, const uint32_t *y,
		       size_t classes, iso_mlp *out, iso_error *err) ISO_MUST_CHECK;
void iso_mlp_free(iso_mlp *m);
/* prob [s->n][classes] */
iso_status iso_mlp_predict(const iso_mlp *m, const iso_source *s, double *prob,
			   iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
