// SPDX-License-Identifier: Apache-2.0
/* THE CONTRACT OF LAYERS, for the files of core/nn and the harness tests/conformance/layer.c;
 * methods see net.h only.
 *
 * A layer maps rows x [rows][nin] to h = act(s), s [rows][nout], and owns nparam floats of the
 * network's theta.  Its delta is d = dLoss/ds, before the activation, since the layer above applies
 * the derivative while its own product is still in registers (iso_epilogue).
 *
 * PER-EXAMPLE GRADIENTS.  A record is m consecutive rows.  Its gradient in a layer is a sum of
 * factor rows, a^T e for the weights and e for the bias: dense has one per row (a = x, e = d), a
 * convolution one per position, an LSTM one per step.  The last `nobias` rows of every record
 * (iso_pass) are tangent rows: their factor rows leave the bias alone (gradient penalties, net.h).
 *
 * RULES.
 *  - Without couples_rows a row of h, d and dx depends on that row of the input alone, bit for bit,
 *    and sums over rows are one chain in row order, so that one record more or less changes nothing
 *    else; the same bits on every instruction set.
 *  - norms2 never lies below the true squared norm of the gradient that weighted_grad would sum for
 *    the record with scale 1: it adds a bound of its own rounding.  NaN and infinity give NaN or
 *    infinity.
 *  - Nothing is allocated in a pass: what is kept per row is declared by `keep`, what is needed for
 *    the moment by `scratch`.
 *  - A layer that couples rows (batch norm) says so and is refused wherever per-example norms are
 *    wanted.
 */
#ifndef ISO_NN_LAYER_H
#define ISO_NN_LAYER_H

#include "core/nn/net.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ISO_MAX_TENSORS 4

/* A part of the layer's parameters that is initialised, saved and decayed as one. */
typedef struct iso_layer_tensor {
	const char *name;	/* "w", "b" */
	size_t at, n;		/* floats from the layer's first parameter on */
	size_t fan_in, fan_out; /* of a weight matrix; 0: not drawn but filled */
	float fill;		/* initial value where fan_in is 0 */
} iso_layer_tensor;

typedef struct iso_layer {
	const iso_layer_ops *ops;
	iso_layer_spec spec;
	iso_shape in, out; /* of a row; set by init: out */
	size_t nin, nout;  /* floats of a row */
	size_t first;	   /* of its parameters, in theta */
	iso_act act;	   /* of the output, as far as the layer above is concerned */
	float slope;	   /* of act (act.h) */
	size_t index;	   /* in the network */
	/* set by init */
	size_t nparam;
	size_t ntensor;
	iso_layer_tensor tensor[ISO_MAX_TENSORS];
	size_t keep;	  /* floats a row that a pass leaves behind */
	size_t scratch;	  /* floats for the moment, whatever the number of rows */
	size_t most_rows; /* of a record, where norms2 has a limit; 0: none */
	int wants_input_norms, wants_delta_norms; /* fills or reads a2, d2 */
	void *own;				  /* released by deinit */
} iso_layer;

/* A layer's share of a workspace. */
typedef struct iso_pass {
	size_t rows;
	const float *x; /* [rows][x_ld] input, borrowed */
	size_t x_ld;
	float *h;	/* [rows][nout] output, activated */
	float *d;	/* [rows][nout] delta */
	float *a2, *d2; /* [rows] |x_i|^2 and |d_i|^2 where the layer wants them and norms are kept,
			   else NULL */
	float *keep;	/* [rows][keep_ld], keep of each */
	size_t keep_ld, cap; /* keep is [cap][keep_ld] in all; a layer may divide it as it likes */
	float *scratch;	     /* shared by all layers */
	size_t m, nobias;    /* rows of a record; tangent rows among them, the last (0 or 1) */
	int norms;
	int training;	    /* draw from key, addressed by id [rows] (NULL: the row's position) */
	const uint64_t *id; /* borrowed */
	iso_key key;
} iso_pass;

struct iso_layer_ops {
	/* required */
	const char *name;
	/* From y->spec and y->in: out, nparam, tensors, keep, scratch; refuses what does not fit.
	 */
	iso_status (*init)(iso_layer *y, iso_error *err);
	/* theta: the layer's parameters, written only by running statistics in training.  out2
	 * [rows]: |h_i|^2 for the layer above, or NULL. */
	void (*forward)(const iso_layer *y, const iso_pass *p, float *theta, float *out2);
	/* From p->d: dx [rows][dx_ld] finished by e (derivative and row norms of the layer below)
	 * or, for e NULL, as it is; dx NULL: only what norms2 and weighted_grad need. */
	void (*backward)(const iso_layer *y, const iso_pass *p, const float *theta, float *dx,
			 size_t dx_ld, const iso_epilogue *e);
	/* required with parameters; default: no parameters.  total[k] += squared norm of record
	 * first + k, k < n, for records of p->m rows. */
	void (*norms2)(const iso_layer *y, const iso_pass *p, size_t first, size_t n,
		       double *total);
	/* required with parameters.  grad [nparam] (+)= the sum over rows from .. to-1, whole
	 * records, of scale[row] (1 where scale is NULL) times the row's gradient.  May scale its
	 * deltas in place. */
	void (*weighted_grad)(const iso_layer *y, const iso_pass *p, const float *scale,
			      size_t from, size_t to, int beta, float *grad);
	/* optional; default: gradient penalties through this layer are refused.  sdot [n][nout] =
	 * derivative of s along xdot [n][xdot_ld] at rows row, row + step, ... of the pass.  With
	 * it, `backward` may depend on d, theta and keep only, and s must be linear in x. */
	void (*tangent)(const iso_layer *y, const iso_pass *p, const float *theta, size_t n,
			const float *xdot, size_t xdot_ld, size_t row, size_t step, float *sdot);
	/* optional; default: nothing to release */
	void (*deinit)(iso_layer *y);
	int couples_rows;
	int fuses; /* backward takes an epilogue */
};

/* For layers that do not fuse it: the activation of p->h, then the norms of its rows. */
void iso_layer_finish(const iso_layer *y, const iso_pass *p, float *out2);
/* Randomness of row i of a pass in training; `what` tells apart a layer's draws. */
iso_key iso_pass_key(const iso_layer *y, const iso_pass *p, const char *what);
uint64_t iso_pass_id(const iso_pass *p, size_t row);

/* All layers. */
extern const iso_layer_ops *const iso_layer_registry[];
extern const size_t iso_layer_count;

const iso_layer *iso_net_layer(const iso_net *net, size_t l);
/* Layer l's share, for tests and for white-box measurements: the input, output and delta of a
 * layer in the middle. */
const iso_pass *iso_ws_pass(const iso_ws *ws, size_t l);

#ifdef __cplusplus
}
#endif

#endif
