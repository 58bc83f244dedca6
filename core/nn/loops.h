// SPDX-License-Identifier: Apache-2.0
/* Private to core/nn: elementwise loops, compiled once per instruction set from one text.
 *
 * Plain * + - / and square root, each rounded (no contraction), and sums over a fixed number of
 * lanes: the same bits in every version. */
#ifndef ISO_NN_LOOPS_H
#define ISO_NN_LOOPS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Constants of one optimiser step; g = grad * scale. */
typedef struct iso_step_constants {
	float scale, lr, shrink;	  /* shrink = 1 - lr * decay */
	float beta1, keep1, beta2, keep2; /* keep = 1 - beta */
	float eps;
} iso_step_constants;

typedef struct iso_nn_loops {
	/* row i of d [rows][n] times scale[i] */
	void (*scale_rows)(size_t rows, size_t n, const float *scale, float *d);
	void (*add)(size_t n, const float *x, float *y); /* y += x */
	float (*dot)(size_t n, const float *a,
		     const float *b); /* 16 interleaved chains, then their sum */
	void (*sgd)(const iso_step_constants *c, size_t n, const float *grad, float *theta);
	void (*momentum)(const iso_step_constants *c, size_t n, const float *grad, float *m,
			 float *theta);
	void (*rmsprop)(const iso_step_constants *c, size_t n, const float *grad, float *v,
			float *theta);
	void (*adam)(const iso_step_constants *c, size_t n, const float *grad, float *m, float *v,
		     float *theta);
} iso_nn_loops;

/* The versions for iso_isa_active(). */
const iso_nn_loops *iso_nn_loops_now(void);

#ifdef __cplusplus
}
#endif

#endif
