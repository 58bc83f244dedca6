// SPDX-License-Identifier: Apache-2.0
/* Networks in fp32: forward, backward, per-example gradient norms by book-keeping.
 *
 * A network is a list of layers (spec.h).  Its parameters lie in one flat array theta [P], layer
 * after layer.  A network owns no activations; a workspace does, sized once for the largest batch,
 * so nothing is allocated inside a step.
 *
 * A training step on a batch x [rows][in]:
 *
 *     iso_net_forward(net, ws, x, in, rows, NULL);
 *     loss = iso_loss_bce_logits(iso_ws_out(ws), 1, rows, 1, iso_ws_delta(ws), 1);
 *     iso_net_backward(net, ws, 0, NULL, 0);
 *     iso_net_weight_grad(net, ws, NULL, 0, iso_net_grad(net));
 *     iso_optim_step(&opt, iso_net_theta(net), iso_net_grad(net), 1.0f / rows);
 *
 * and a private one: dpsgd.h; with a gradient penalty: penalty.h.
 */
#ifndef ISO_NN_NET_H
#define ISO_NN_NET_H

#include <stddef.h>
#include <stdint.h>

#include "core/math/gemm.h"
#include "core/nn/loss.h"
#include "core/nn/optim.h"
#include "core/nn/spec.h"
#include "core/rand/rand.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ISO_MAX_LAYERS 32

typedef struct iso_net iso_net;
typedef struct iso_ws iso_ws;

/* n layers on rows of shape `in`; parameters and gradient are zero.  *out is the caller's, released
 * by iso_net_free. */
iso_status iso_net_new(const iso_layer_spec *spec, size_t n, iso_shape in, iso_net **out,
		       iso_error *err) ISO_MUST_CHECK;
/* Dense layers: sizes [nlayer+1], act [nlayer]. */
iso_status iso_net_new_dense(size_t nlayer, const size_t *sizes, const iso_act *act, iso_net **out,
			     iso_error *err) ISO_MUST_CHECK;
void iso_net_free(iso_net *net); /* NULL is legal */

size_t iso_net_in(const iso_net *net);	/* floats of an input row */
size_t iso_net_out(const iso_net *net); /* floats of an output row */
iso_shape iso_net_out_shape(const iso_net *net);
size_t iso_net_layers(const iso_net *net);
size_t iso_net_params(const iso_net *net); /* P */
/* Most rows of a record whose norm can be taken; 0: any number. */
size_t iso_net_most_rows(const iso_net *net);
float *iso_net_theta(const iso_net *net); /* [P] */
/* [P] sum over the batch of (clipped) per-example gradients */
float *iso_net_grad(const iso_net *net);

/* A part of theta that is initialised, saved and decayed as one: a weight matrix, a bias. */
typedef struct iso_tensor {
	const char *name;	/* "w", "b" */
	size_t layer;		/* that it belongs to */
	size_t first, n;	/* in theta and grad */
	size_t fan_in, fan_out; /* of a weight matrix; 0 for biases and the like */
} iso_tensor;
size_t iso_net_tensors(const iso_net *net);
iso_tensor iso_net_tensor(const iso_net *net, size_t i);

typedef enum iso_init {
	ISO_INIT_XAVIER_TF,
	/* N(0, 1/sqrt(in/2)) of the DP-CGAN code */ ISO_INIT_GLOROT,
	ISO_INIT_HE
} iso_init;
/* Weights drawn from key, biases zero. */
void iso_net_randomize(iso_net *net, iso_init how, iso_key key);

enum {
	ISO_WS_NORMS = 1,  /* keep what per-example norms need (training under DP) */
	ISO_WS_TANGENT = 2 /* room for gradient penalties (penalty.h) */
};
/* Memory for batches of up to cap rows; flags as above.  A workspace serves every network of the
 * same layers as `net`, which it borrows.  Refuses norms of a network that couples rows. */
iso_status iso_ws_new(const iso_net *net, size_t cap, int flags, iso_ws **out,
		      iso_error *err) ISO_MUST_CHECK;
void iso_ws_free(iso_ws *ws);		     /* NULL is legal */
size_t iso_ws_cap(const iso_ws *ws);	     /* rows */
size_t iso_ws_rows(const iso_ws *ws);	     /* of the last forward */
int iso_ws_norms(const iso_ws *ws);	     /* were norms asked for? */
const iso_net *iso_ws_net(const iso_ws *ws); /* that it was made for */
float *iso_ws_out(const iso_ws *ws);	     /* [rows][out] activated outputs */
/* [rows][out] to be filled before iso_net_backward; afterwards dLoss/d(pre-activation). */
float *iso_ws_delta(const iso_ws *ws);

/* From now on passes are training passes: dropout, noise and Gumbel heads draw from key (a fresh
 * child per step), row i by id[i] (NULL: by its position); batch norm takes the batch's statistics.
 * id [rows of the pass], borrowed: identities of the records, so that a record's draws do not
 * depend on its neighbours.  iso_ws_infer: no longer; also the state of a new workspace. */
void iso_ws_train(iso_ws *ws, iso_key key, const uint64_t *id);
void iso_ws_infer(iso_ws *ws);

/* iso_ws_out = net(x).  x [rows][x_ld] stays borrowed until the gradients are taken.  rows <= cap.
 * x_norm2 [rows] = |x_i|^2 if already known (cached per record), or NULL. */
void iso_net_forward(const iso_net *net, iso_ws *ws, const float *x, size_t x_ld, size_t rows,
		     const float *x_norm2);
/* In: iso_ws_delta holds dLoss_i/d(activated output) per row when `through_act`, else
 * dLoss_i/d(pre-activation).  dx [rows][dx_ld] = dLoss/dx when not NULL. */
void iso_net_backward(const iso_net *net, iso_ws *ws, int through_act, float *dx, size_t dx_ld);
/* grad [P] (+)= sum_i scale_i * dLoss_i/dtheta; scale [rows] or NULL for 1.  Scales the deltas in
 * place. A row with scale 0 is left out, whatever it holds (NaN too). */
void iso_net_weight_grad(const iso_net *net, iso_ws *ws, const float *scale, int beta, float *grad);
/* grad [P] = the gradient of record r alone, the sum over its rows r*m .. r*m+m-1. */
void iso_net_record_grad(const iso_net *net, iso_ws *ws, size_t m, size_t r, float *grad);
/* norm2[r] (+)= |sum over the m rows r*m .. r*m+m-1 of their gradients|^2 for records of m
 * consecutive rows.  Rounded up by a bound of its own rounding: never below the true value. */
void iso_net_grad_norms2(const iso_net *net, const iso_ws *ws, size_t m, int beta, float *norm2);
/* Weights and biases into [-bound, bound] (Arjovsky et al. 2017, algorithm 1); NaN becomes 0. */
void iso_net_clip_weights(iso_net *net, float bound);

#ifdef __cplusplus
}
#endif

#endif
