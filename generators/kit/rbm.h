// SPDX-License-Identifier: Apache-2.0
/* A restricted Boltzmann machine over an encoded row, with contrastive divergence (Hinton 2002).
 *
 *     F(v) = -a . v - sum_k softplus(b_k + (v W)_k)      free energy of a row
 *     gradient of a record = dF(v0) - dF(v1),   dF/dW = -v h^T,  dF/da = -v,  dF/db = -h,
 *     h = sigmoid(v W + b),  v1 = heads(a + s W^T),  s a draw from h(v0)
 *
 * Visible units are sigmoids, and a softmax per one-hot block; numbers are kept as probabilities.
 * One chain per record, addressed by its identity: the negative phase is part of the record's own
 * gradient, and its squared norm is |v0|^2 |h0|^2 + |v1|^2 |h1|^2 - 2 (v0 . v1)(h0 . h1) + |v0 -
 * v1|^2 + |h0 - h1|^2.
 */
#ifndef ISO_GENERATORS_KIT_RBM_H
#define ISO_GENERATORS_KIT_RBM_H

#include "core/nn/dpsgd.h"
#include "generators/kit/heads.h"
#include "generators/kit/parts.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_rbm {
	iso_heads heads; /* softmax; the encoder is borrowed */
	size_t visible, hidden, nparam;
	float *theta; /* W [visible][hidden], a [visible], b [hidden]; owned */
} iso_rbm;
iso_status iso_rbm_new(const iso_encoder *enc, size_t hidden, iso_key key, iso_rbm *m,
		       iso_error *err) ISO_MUST_CHECK;
void iso_rbm_free(iso_rbm *m);
double iso_rbm_free_energy(const iso_rbm *m, const float *v);

typedef struct iso_rbm_ws {
	const iso_rbm *m; /* borrowed */
	size_t cap, rows;
	float *v0, *v1, *raw; /* [cap][visible] */
	float *h0, *h1;	      /* [cap][hidden] */
	float *draw;	      /* [cap][hidden] */
} iso_rbm_ws;
iso_status iso_rbm_ws_new(const iso_rbm *m, size_t cap, iso_rbm_ws *ws,
			  iso_error *err) ISO_MUST_CHECK;
void iso_rbm_ws_free(iso_rbm_ws *ws);
/* Both phases of n rows in ws->v0; the draws of row r come from (key, id[r]). */
void iso_rbm_phases(iso_rbm_ws *ws, size_t n, iso_key key, const uint64_t *id);
/* norm2 [n], never below the true value; and the weighted sum of the gradients. */
void iso_rbm_norms2(const iso_rbm_ws *ws, float *norm2);
void iso_rbm_weighted_grad(iso_rbm_ws *ws, const float *scale, int beta, float *grad);
/* k machines: new from keys child(key, "init", c); all of them, or none, NULL is legal to free. */
iso_status iso_rbms_new(const iso_encoder *enc, size_t hidden, iso_key key, size_t k, iso_rbm **out,
			iso_error *err) ISO_MUST_CHECK;
void iso_rbms_free(iso_rbm *m, size_t k);
/* Their parameters as parts, and back. */
void iso_rbms_save(iso_str *out, const iso_rbm *m, size_t k);
iso_status iso_rbms_take(iso_parts *in, iso_rbm *m, size_t k, iso_error *err) ISO_MUST_CHECK;
/* Gibbs sampling: n rows into x [n][visible], from a uniform start, `sweeps` times; the draws of
 * row r from (key, row[r]). */
void iso_rbm_gibbs(iso_rbm_ws *ws, size_t n, size_t sweeps, iso_key key, const uint64_t *row,
		   float *x);
/* Rows of a mixture of k machines with cumulative law [k]. */
iso_status iso_rbm_sample(const iso_rbm *m, const double *law, size_t k, size_t sweeps, iso_key key,
			  iso_table *out, iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
