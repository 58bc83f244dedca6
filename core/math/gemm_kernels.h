// SPDX-License-Identifier: Apache-2.0
/* Private to core/math/gemm*.c: what one instruction set offers to the blocking in gemm.c.
 *
 * A tile is mr x nr outputs held in registers over a run of k.  Whatever its size, every output is
 * the chain of gemm.h, so the kernels differ in speed only.  Runs of k follow one another through C
 * itself: storing and reloading an fp32 accumulator is exact.
 */
#ifndef ISO_MATH_GEMM_KERNELS_H
#define ISO_MATH_GEMM_KERNELS_H

#include <stddef.h>

#include "core/math/gemm.h"

/* The part of an epilogue that a tile finishes in registers; pointers stand at the tile's first row
 * and column. */
typedef struct iso_tile_epilogue {
	const float *bias;     /* [cols] or NULL */
	iso_act act;	       /* LINEAR, RELU or LRELU */
	const float *deriv_of; /* [rows][deriv_ld] or NULL */
	size_t deriv_ld;
	iso_act deriv_act; /* the same three */
} iso_tile_epilogue;

typedef struct iso_tile {
	const float *a; /* row-major: a[i * a_ld + k]; k-major: a[k * a_ld + i] */
	size_t a_ld;
	const float
		*b; /* b[k * b_ld + j]; readable for whole vectors: 1 if cols <= lanes, else 2 */
	size_t b_ld;
	float *b_copy; /* [k][2 * lanes]: B as it is read is also packed here for later tiles; NULL:
			  not */
	float *c;
	size_t ldc;
	size_t k, cols;		    /* cols <= 2 * lanes */
	int load_c;		    /* start from C instead of 0 */
	const iso_tile_epilogue *e; /* NULL: store as it is */
	/* One cache line per step of k is brought to L2 for later: at fetch, then fetch_ld floats
	 * on per step and fetch_jump more after every fetch_period steps (a multiple of 4).  NULL:
	 * none. */
	const float *fetch;
	ptrdiff_t fetch_ld, fetch_jump;
	unsigned fetch_period;
} iso_tile;

typedef struct iso_gemm_kernels {
	size_t mr, lanes; /* rows at most, columns per vector; nr = 2 * lanes */
	size_t mr_pad; /* row stride of packed A: a multiple of lanes, so that stores are aligned */
	size_t kc;     /* longest run of k that keeps the panels in L1 */
	void (*tile)(const iso_tile *t, size_t rows, int k_major);
	/* dst[kk][width] = src[kk][0..w-1], zeros behind; w <= width <= 2 * lanes, a multiple of
	 * lanes. */
	void (*pack_copy)(size_t k, size_t w, const float *src, size_t ld, size_t width,
			  float *dst);
	/* dst[kk][width] = src[j][kk] for j < w, zeros behind; w and width as above. */
	void (*pack_transposed)(size_t k, size_t w, const float *src, size_t ld, size_t width,
				float *dst);
	/* N <= 4 columns; b(k, n) = b[k * b_k + n * b_n].  A is [m][k], or [k][m] for gemv_t. */
	void (*gemv)(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
		     size_t b_k, size_t b_n, int beta, float *c, size_t ldc);
	void (*gemv_t)(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
		       size_t b_k, size_t b_n, int beta, float *c, size_t ldc);
	/* out[i] += the 16 chains and their tree (gemm.h). */
	void (*row_norms2)(size_t m, size_t n, const float *a, size_t lda, float *out);
	/* out[j] = chain of additions over i, from out[j]. */
	void (*col_sums)(size_t m, size_t n, const float *a, size_t lda, float *out);
	/* d[i] *= act'(h[i]) */
	void (*backward)(iso_act act, size_t n, const float *h, float *d);
} iso_gemm_kernels;

#define ISO_GEMV_COLS 4
#define ISO_NORM_CHAINS 16
/* Hide how a pointer came about: else the compiler keeps one pointer per row and spills them. */
#define OPAQUE(p) __asm__("" : "+r"(p))
#define ISO_INLINE static inline __attribute__((always_inline))

/* NULL where the compiler does not target the set. */
const iso_gemm_kernels *iso_gemm_kernels_avx512(void);
const iso_gemm_kernels *iso_gemm_kernels_avx2(void);
const iso_gemm_kernels *iso_gemm_kernels_portable(void);

#endif
