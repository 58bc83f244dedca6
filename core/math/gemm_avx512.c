// SPDX-License-Identifier: Apache-2.0
/* 14 x 32 tiles: 28 accumulators, 2 vectors of B, the rest for broadcasts of A; 28 fused multiply-adds against 16
 * loads per step of k, so the two FMA ports stay busy. */
#include "core/math/gemm_kernels.h"

#ifdef __AVX512F__
#include <immintrin.h>

#define LANES 16
#define MR 14
#define TILE_LIST(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
typedef __m512 vec;
typedef __m512_u vec_u; /* unaligned */
typedef __mmask16 mask;
#define V_MASK(n) ((mask)((1u << (n)) - 1u))
#define V_ZERO() _mm512_setzero_ps()
#define V_SET1(x) _mm512_set1_ps(x)
#define V_LOAD(p) _mm512_loadu_ps(p)
#define V_LOADM(m, p) _mm512_maskz_loadu_ps(m, p)
#define V_STORE(p, v) _mm512_storeu_ps(p, v)
#define V_STOREM(m, p, v) _mm512_mask_storeu_ps(p, m, v)
#define V_FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define V_ADD(a, b) _mm512_add_ps(a, b)
#define V_SUB(a, b) _mm512_sub_ps(a, b)
#define V_MUL(a, b) _mm512_mul_ps(a, b)
/* x < 0 ? a : b and x > 0 ? a : b, per lane; false for NaN. */
#define V_LT0(x, a, b) _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, V_ZERO(), _CMP_LT_OQ), b, a)
#define V_GT0(x, a, b) _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, V_ZERO(), _CMP_GT_OQ), b, a)

/* out[4c + e] lane 4q + r = row[4q + r][k + 4c + e]: four quarter rows per vector, then 4 x 4 inside the lanes. */
ISO_INLINE void transpose_load(const float *const *row, size_t k, vec *out)
{
	int c, r;

#pragma GCC unroll 4
	for (c = 0; c < 4; c++) {
		__m512 z[4], lo0, hi0, lo1, hi1;

#pragma GCC unroll 4
		for (r = 0; r < 4; r++) {
			z[r] = _mm512_castps128_ps512(_mm_loadu_ps(row[r] + k + 4 * c));
			z[r] = _mm512_insertf32x4(z[r], _mm_loadu_ps(row[4 + r] + k + 4 * c), 1);
			z[r] = _mm512_insertf32x4(z[r], _mm_loadu_ps(row[8 + r] + k + 4 * c), 2);
			z[r] = _mm512_insertf32x4(z[r], _mm_loadu_ps(row[12 + r] + k + 4 * c), 3);
		}
		lo0 = _mm512_unpacklo_ps(z[0], z[1]);
		hi0 = _mm512_unpackhi_ps(z[0], z[1]);
		lo1 = _mm512_unpacklo_ps(z[2], z[3]);
		hi1 = _mm512_unpackhi_ps(z[2], z[3]);
		out[4 * c] = _mm512_shuffle_ps(lo0, lo1, 0x44);
		out[4 * c + 1] = _mm512_shuffle_ps(lo0, lo1, 0xee);
		out[4 * c + 2] = _mm512_shuffle_ps(hi0, hi1, 0x44);
		out[4 * c + 3] = _mm512_shuffle_ps(hi0, hi1, 0xee);
	}
}

#include "core/math/gemm_simd.h"

const iso_gemm_kernels *iso_gemm_kernels_avx512(void)
{
	static const iso_gemm_kernels k = {
		.mr = MR,
		.mr_pad = LANES,
		.lanes = LANES,
		.kc = 256,
		.tile = tile_run,
		.pack_copy = pack_copy,
		.pack_transposed = pack_transposed,
		.gemv = gemv,
		.gemv_t = gemv_t,
		.row_norms2 = row_norms2,
	};

	return &k;
}
#else
const iso_gemm_kernels *iso_gemm_kernels_avx512(void)
{
	return NULL;
}
#endif
