// SPDX-License-Identifier: Apache-2.0
/* Dense networks in fp32: forward, backward, per-example gradient norms by book-keeping.
 *
 * Parameters lie in one flat array theta [P]: for each layer W [in][out], then b [out].  A net owns
 * no activations; a workspace does, sized once for the largest batch, so nothing is allocated
 * inside a step.
 */
#ifndef ISO_NN_NET_H
#define ISO_NN_NET_H

#include <stddef.h>
#include <stdint.h>

#include "core/math/gemm.h"
#include "core/rand/rand.h"

typedef struct iso_layer {
	size_t in, out;
	iso_act act;
	size_t w, b; /* offsets of W [in][out] and b [out] in theta */
} iso_layer;

#define ISO_MAX_LAYERS 8
typedef struct iso_net {
	size_t nlayer, nparam;
	iso_layer layer[ISO_MAX_LAYERS];
	float *theta; /* [P] owned */
	float *grad;  /* [P] owned: sum over the batch of (clipped) per-example gradients */
} iso_net;

/* sizes [nlayer+1], act [nlayer]. */
iso_status iso_net_init(iso_net *net, size_t nlayer, const size_t *sizes, const iso_act *act,
			iso_error *err) ISO_MUST_CHECK;
void iso_net_deinit(iso_net *net);

typedef enum iso_init {
	ISO_INIT_XAVIER_TF,
	/* N(0, 1/sqrt(in/2)) of the DP-CGAN code */ ISO_INIT_GLOROT,
	ISO_INIT_HE
} iso_init;
/* Weights drawn from key, biases zero. */
void iso_net_randomize(iso_net *net, iso_init how, iso_key key);

typedef struct iso_ws {
	const iso_net *net; /* borrowed */
	size_t cap;	    /* rows */
	const float *x;	    /* [B][x_ld] input of the last forward, borrowed */
	size_t x_ld, rows;
	float *h[ISO_MAX_LAYERS];  /* [cap][out] activated outputs */
	float *d[ISO_MAX_LAYERS];  /* [cap][out] deltas: dLoss/d(pre-activation) */
	float *a2[ISO_MAX_LAYERS]; /* [cap] |input of the layer|^2, filled by forward when norms are
				      wanted */
	float *d2[ISO_MAX_LAYERS]; /* [cap] |delta|^2, filled by backward when norms are wanted */
	int norms;		   /* 1: keep row norms (training under DP) */
} iso_ws;

iso_status iso_ws_init(iso_ws *ws, const iso_net *net, size_t cap, int norms,
		       iso_error *err) ISO_MUST_CHECK;
void iso_ws_deinit(iso_ws *ws);

/* h[last] = net(x).  x [rows][x_ld] stays borrowed until backward.  rows <= cap.  x_norm2 [rows] =
 * |x_i|^2 if already known (cached per record), or NULL. */
void iso_net_forward(const iso_net *net, iso_ws *ws, const float *x, size_t x_ld, size_t rows,
		     const float *x_norm2);
/* In: ws->d[last] holds dLoss_i/d(activated output) per row when `through_act`, else
 * dLoss_i/d(pre-activation). Fills all d (and d2).  dx [rows][dx_ld] = dLoss/dx when not NULL. */
void iso_net_backward(const iso_net *net, iso_ws *ws, int through_act, float *dx, size_t dx_ld);
/* grad (+)= sum_i scale_i * dLoss_i/dtheta; scale [rows] or NULL for 1.  Scales d in place.
 * A row with scale 0 is left out, whatever it holds (NaN too). */
void iso_net_weight_grad(iso_net *net, iso_ws *ws, const float *scale, int beta);
/* norm2[r] (+)= |sum over the m rows r*m .. r*m+m-1 of their gradients|^2 for records of m
 * consecutive rows (m = 1 or 2; m > 2 also right, slower): sum over layers of (d_s . d_t)(a_s . a_t
 * + 1).  Rounded up by a bound of its own rounding (about (in + out) 2^-24, relative, of a layer):
 * never below the true value. */
void iso_net_grad_norms2(const iso_net *net, const iso_ws *ws, size_t m, int beta, float *norm2);

/* Losses, per row; fill dLoss/d(pre-activation) and return the summed loss (double, for curves
 * only). logits [n] stride ld. target 0 or 1. */
double iso_loss_bce_logits(const float *logits, size_t ld, size_t n, float target, float *d,
			   size_t d_ld);

/* Optimisers: theta -= update(grad * scale); state belongs to the optimiser. */
typedef enum iso_opt_rule { ISO_SGD, ISO_MOMENTUM, ISO_RMSPROP, ISO_ADAM } iso_opt_rule;
typedef struct iso_optim {
	iso_opt_rule rule;
	float lr, beta1, beta2, eps,
		decay; /* momentum uses beta1; decay = L2 weight decay (decoupled) */
	size_t n;
	uint64_t step;
	float *m, *v; /* [n] owned */
} iso_optim;
iso_status iso_optim_init(iso_optim *o, iso_opt_rule rule, float lr, size_t n,
			  iso_error *err) ISO_MUST_CHECK;
void iso_optim_deinit(iso_optim *o);
/* One step on all n parameters; piece-wise use: begin once, then pieces in any order. */
void iso_optim_step(iso_optim *o, float *theta, const float *grad, float scale);
void iso_optim_begin(iso_optim *o);
void iso_optim_piece(iso_optim *o, float *theta, const float *grad, float scale, size_t first,
		     size_t n);

#endif
