// SPDX-License-Identifier: Apache-2.0
/* An auto-encoder with tied weights (Abay et al. 2018, Algorithm 1: E = F(X theta), D = F(Z
 * theta^T)):
 *
 *     h_0 = x,  h_l+1 = F(h_l W_l + c_l);    g_L = h_L,  g_l = F(g_l+1 W_l^T + e_l)
 *
 * F is tanh in hidden layers and the sigmoid in the code, whose range [0,1] is then public; the
 * row's output goes through heads (heads.h) under cross-entropy.  The gradient of W_l is the sum of
 * an encoder's and a decoder's outer product, h_l^T a + d^T g_l+1, clipped as one:
 *
 *     |.|^2 = |h|^2 |a|^2 + |d|^2 |g|^2 + 2 (h . d) (a . g)
 */
#ifndef ISO_GENERATORS_KIT_TIED_H
#define ISO_GENERATORS_KIT_TIED_H

#include "core/io/options.h"
#include "core/nn/dpsgd.h"
#include "generators/kit/heads.h"
#include "generators/kit/parts.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ISO_TIED_LAYERS (ISO_OPT_LIST_MAX + 1)

typedef struct iso_tied {
	const iso_heads *heads; /* borrowed */
	size_t nlayer, size[ISO_TIED_LAYERS + 1];
	size_t nparam;
	float *theta; /* [nparam] per layer: W [in][out], c [out], e [in]; owned */
} iso_tied;

/* hidden: element 0 is the count, as in an option list.  On failure *t is empty. */
iso_status iso_tied_new(const iso_heads *heads, const int64_t *hidden, size_t latent, iso_tied *t,
			iso_error *err) ISO_MUST_CHECK;
void iso_tied_free(iso_tied *t);
void iso_tied_randomize(iso_tied *t, iso_key key);
size_t iso_tied_latent(const iso_tied *t);

/* Memory for up to cap rows. */
typedef struct iso_tied_ws {
	const iso_tied *t; /* borrowed */
	size_t cap, rows;
	float *h[ISO_TIED_LAYERS + 1]; /* encoder's outputs; h[0]: a copy of the rows */
	float *g[ISO_TIED_LAYERS + 1]; /* decoder's outputs; g[0]: before the heads */
	float *a[ISO_TIED_LAYERS + 1]; /* deltas of h */
	float *d[ISO_TIED_LAYERS + 1]; /* deltas of g, pre-activation */
	float *xhat;		       /* [cap][dim] */
	float *grad;		       /* [nparam] */
} iso_tied_ws;
iso_status iso_tied_ws_new(const iso_tied *t, size_t cap, iso_tied_ws *ws,
			   iso_error *err) ISO_MUST_CHECK;
void iso_tied_ws_free(iso_tied_ws *ws);

/* Codes of n rows x [n][dim] (or ws->h[0] itself); borrowed: [n][latent] of the workspace. */
const float *iso_tied_encode(iso_tied_ws *ws, const float *x, size_t n);
/* Rows [n][dim] of codes z [n][latent]; borrowed. */
const float *iso_tied_decode(iso_tied_ws *ws, const float *z, size_t n);
/* Forward and backward: deltas are left in the workspace.  loss [n] or NULL. */
void iso_tied_backward(iso_tied_ws *ws, const float *x, size_t n, double *loss);
/* For dpsgd.h: per-record gradients of the last backward pass. */
iso_grad_source iso_tied_source(iso_tied *t, iso_tied_ws *ws);

#ifdef __cplusplus
}
#endif

#endif
