// SPDX-License-Identifier: Apache-2.0
/* Single-precision matrix products, the same bits on every machine.
 *
 * THE CONTRACT.  Row-major.  Every output element is one sequential chain of
 * fused multiply-adds over k = 0, 1, ..., K-1:
 *
 *     acc = beta ? C[i][j] : 0;   acc = fmaf(op(A)[i][k], op(B)[k][j], acc);
 *
 * whatever the instruction set, the tile size or the other rows and columns.
 * So a row of the result depends on nothing but its own row of A: private and
 * public rows may share a call without touching one another's bits.
 * NaN and infinity pass through.  K = 0 gives 0 (or C when beta is set).
 *
 * ISOEPS_GEMM=openblas replaces the kernels by OpenBLAS (then bits depend on
 * the machine); ISOEPS_ISA=avx512|avx2|portable picks the kernel.
 */
#ifndef ISO_MATH_GEMM_H
#define ISO_MATH_GEMM_H

#include <stddef.h>

#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum iso_act {
	ISO_ACT_LINEAR,
	ISO_ACT_RELU,
	ISO_ACT_LRELU, /* slope 0.2 below zero */
	ISO_ACT_TANH,
	ISO_ACT_SIGMOID,
	/* not for an epilogue: core/nn/act.h */
	ISO_ACT_ELU,
	ISO_ACT_SELU,
	ISO_ACT_SOFTPLUS,
	ISO_ACT_COUNT
} iso_act;
#define ISO_LRELU_SLOPE 0.2f

/* What is done to a finished tile while it is still in registers or L1; all fields optional.
 * Order: + bias, activation, times derivative; row_norm2 then adds the squares of the final values.
 */
typedef struct iso_epilogue {
	const float *bias; /* [n] added to every row */
	iso_act act;	   /* applied after the bias */
	const float
		*deriv_of; /* [m][deriv_ld] activated outputs h: multiply by act'(h), for deltas */
	size_t deriv_ld;
	iso_act deriv_act;
	float *row_norm2; /* [m] row_norm2[i] += |row i of the result|^2, summed as iso_row_norms2
			     does */
} iso_epilogue;

typedef enum iso_trans { ISO_NN, ISO_NT, ISO_TN } iso_trans;

/* C [m][n] = op(A) [m][k] * op(B) [k][n] (+ C when beta).  NN: A is [m][k], B is [k][n].
 * NT: B is stored [n][k].  TN: A is stored [k][m].  lda, ldb, ldc are row strides of the stored
 * matrices. e may be NULL.  Never allocates: packing buffers are per thread and static.  C overlaps
 * neither A nor B. */
void iso_gemm(iso_trans t, size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
	      size_t ldb, int beta, float *c, size_t ldc, const iso_epilogue *e);

/* out[j] (+)= sum_i a[i][j], one chain of additions over i: the bias gradient. */
void iso_col_sums(size_t m, size_t n, const float *a, size_t lda, int beta, float *out);
/* out[i] (+)= sum_j a[i][j]^2: 16 chains of fused multiply-adds, chain l over j = l, l + 16, ...,
 * then chains l and l + 8 added, l and l + 4, l + 2, l + 1.  Off by at most (n / 16 + 5) 2^-24
 * relative. */
void iso_row_norms2(size_t m, size_t n, const float *a, size_t lda, int beta, float *out);

/* Derivative of an activation from its output h. */
float iso_act_deriv(iso_act act, float h);
void iso_act_apply(iso_act act, float *x, size_t n); /* in place */
/* d[i] *= act'(h[i]), the same bits as iso_act_deriv. */
void iso_act_backward(iso_act act, size_t n, const float *h, float *d);

typedef enum iso_isa { ISO_ISA_PORTABLE, ISO_ISA_AVX2, ISO_ISA_AVX512 } iso_isa;
/* The instruction set in use: the best of the machine, or what ISOEPS_ISA asks for (an unknown or
 * unavailable name falls back with a warning on standard error).  Decided once per process. */
iso_isa iso_isa_active(void);
const char *iso_isa_name(iso_isa isa);
int iso_isa_supported(iso_isa isa);
/* Switch the kernels; for tests and benchmarks only.  Returns 0 if the machine cannot. */
int iso_isa_force(iso_isa isa);
/* "own" or "openblas". */
const char *iso_gemm_backend(void);

#ifdef __cplusplus
}
#endif

#endif
