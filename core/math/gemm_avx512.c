// SPDX-License-Identifier: Apache-2.0
/* 14 x 32 tiles: 28 accumulators, 2 vectors of B, the rest for broadcasts of A; 28 fused
 * multiply-adds against 16 loads per step of k, so the two FMA ports stay busy. */
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
#define V_AND(a, b) _mm512_and_ps(a, b)
#define V_BITS(i) _mm512_castsi512_ps(_mm512_set1_epi32(i))
/* x < 0 ? a : b and x > 0 ? a : b, per lane; false for NaN. */
#define V_LT0(x, a, b) _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, V_ZERO(), _CMP_LT_OQ), b, a)
#define V_GT0(x, a, b) _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, V_ZERO(), _CMP_GT_OQ), b, a)

/* out[4c + e] lane 4q + r = p[(4q + r) ld + 4c + e], 0 from row `rows` on: quarters of four rows
 * side by side, then 4 x 4 inside the lanes.  Whole cache lines at a time, since rows a power of
 * two apart would evict one another. */
ISO_INLINE void transpose_load(const float *p, size_t ld, size_t rows, vec *out)
{
	static const float none[LANES];
	const float *p4 = p + 4 * ld, *p8 = p + 8 * ld, *p12 = p + 12 * ld;
	__m512 z[4][4];
	int c, r;

#pragma GCC unroll 4
	for (r = 0; r < 4; r++) {
		const float *q0 = (size_t)r < rows ? p : none,
			    *q4 = 4 + (size_t)r < rows ? p4 : none,
			    *q8 = 8 + (size_t)r < rows ? p8 : none,
			    *q12 = 12 + (size_t)r < rows ? p12 : none;

#pragma GCC unroll 4
		for (c = 0; c < 4; c++) {
			z[c][r] = _mm512_castps128_ps512(_mm_loadu_ps(q0 + 4 * c));
			z[c][r] = _mm512_insertf32x4(z[c][r], _mm_loadu_ps(q4 + 4 * c), 1);
			z[c][r] = _mm512_insertf32x4(z[c][r], _mm_loadu_ps(q8 + 4 * c), 2);
			z[c][r] = _mm512_insertf32x4(z[c][r], _mm_loadu_ps(q12 + 4 * c), 3);
		}
		p += ld;
		p4 += ld;
		p8 += ld;
		p12 += ld;
		OPAQUE(p);
		OPAQUE(p4);
		OPAQUE(p8);
		OPAQUE(p12);
	}
#pragma GCC unroll 4
	for (c = 0; c < 4; c++) {
		const __m512 lo0 = _mm512_unpacklo_ps(z[c][0], z[c][1]),
			     hi0 = _mm512_unpackhi_ps(z[c][0], z[c][1]);
		const __m512 lo1 = _mm512_unpacklo_ps(z[c][2], z[c][3]),
			     hi1 = _mm512_unpackhi_ps(z[c][2], z[c][3]);

		out[4 * c] = _mm512_shuffle_ps(lo0, lo1, 0x44);
		out[4 * c + 1] = _mm512_shuffle_ps(lo0, lo1, 0xee);
		out[4 * c + 2] = _mm512_shuffle_ps(hi0, hi1, 0x44);
		out[4 * c + 3] = _mm512_shuffle_ps(hi0, hi1, 0xee);
	}
}

/* Halves added to halves until one is left. */
ISO_INLINE float norm_tree(const __m512 *acc)
{
	const __m512d v = _mm512_castps_pd(acc[0]);
	const __m256 h = _mm256_add_ps(_mm512_castps512_ps256(acc[0]),
				       _mm256_castpd_ps(_mm512_extractf64x4_pd(v, 1)));
	__m128 q = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));

	q = _mm_add_ps(q, _mm_movehl_ps(q, q));
	return _mm_cvtss_f32(_mm_add_ss(q, _mm_shuffle_ps(q, q, 1)));
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
		.col_sums = col_sums,
		.backward = backward,
	};

	return &k;
}
#else
const iso_gemm_kernels *iso_gemm_kernels_avx512(void)
{
	return NULL;
}
#endif
