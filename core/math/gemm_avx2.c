// SPDX-License-Identifier: Apache-2.0
/* 6 x 16 tiles: 12 accumulators, 2 vectors of B, 2 broadcasts of A: all 16 registers. */
#include "core/math/gemm_kernels.h"

#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>

#define LANES 8
#define MR 6
#define TILE_LIST(X) X(1) X(2) X(3) X(4) X(5) X(6)
typedef __m256 vec;
typedef __m256_u vec_u; /* unaligned */
typedef __m256i mask;
#define V_ZERO() _mm256_setzero_ps()
#define V_SET1(x) _mm256_set1_ps(x)
#define V_LOAD(p) _mm256_loadu_ps(p)
#define V_LOADM(m, p) _mm256_maskload_ps(p, m)
#define V_STORE(p, v) _mm256_storeu_ps(p, v)
#define V_STOREM(m, p, v) _mm256_maskstore_ps(p, m, v)
#define V_FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define V_ADD(a, b) _mm256_add_ps(a, b)
#define V_SUB(a, b) _mm256_sub_ps(a, b)
#define V_MUL(a, b) _mm256_mul_ps(a, b)
#define V_AND(a, b) _mm256_and_ps(a, b)
#define V_BITS(i) _mm256_castsi256_ps(_mm256_set1_epi32(i))
/* x < 0 ? a : b and x > 0 ? a : b, per lane; false for NaN. */
#define V_LT0(x, a, b) _mm256_blendv_ps(b, a, _mm256_cmp_ps(x, V_ZERO(), _CMP_LT_OQ))
#define V_GT0(x, a, b) _mm256_blendv_ps(b, a, _mm256_cmp_ps(x, V_ZERO(), _CMP_GT_OQ))

ISO_INLINE mask V_MASK(size_t n)
{
	return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n),
				  _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/* out[4c + e] lane 4q + r = p[(4q + r) ld + 4c + e], 0 from row `rows` on: halves of two rows side
 * by side, then 4 x 4 inside the lanes. */
ISO_INLINE void transpose_load(const float *p, size_t ld, size_t rows, vec *out)
{
	static const float none[LANES];
	int c, r;

#pragma GCC unroll 2
	for (c = 0; c < 2; c++) {
		const float *lo = p + 4 * c, *hi = lo + 4 * ld;
		__m256 z[4], lo0, hi0, lo1, hi1;

#pragma GCC unroll 4
		for (r = 0; r < 4; r++) {
			z[r] = _mm256_castps128_ps256(_mm_loadu_ps((size_t)r < rows ? lo : none));
			z[r] = _mm256_insertf128_ps(
				z[r], _mm_loadu_ps(4 + (size_t)r < rows ? hi : none), 1);
			lo += ld;
			hi += ld;
			OPAQUE(lo);
			OPAQUE(hi);
		}
		lo0 = _mm256_unpacklo_ps(z[0], z[1]);
		hi0 = _mm256_unpackhi_ps(z[0], z[1]);
		lo1 = _mm256_unpacklo_ps(z[2], z[3]);
		hi1 = _mm256_unpackhi_ps(z[2], z[3]);
		out[4 * c] = _mm256_shuffle_ps(lo0, lo1, 0x44);
		out[4 * c + 1] = _mm256_shuffle_ps(lo0, lo1, 0xee);
		out[4 * c + 2] = _mm256_shuffle_ps(hi0, hi1, 0x44);
		out[4 * c + 3] = _mm256_shuffle_ps(hi0, hi1, 0xee);
	}
}

/* Halves added to halves until one is left. */
ISO_INLINE float norm_tree(const __m256 *acc)
{
	const __m256 h = _mm256_add_ps(acc[0], acc[1]);
	__m128 q = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));

	q = _mm_add_ps(q, _mm_movehl_ps(q, q));
	return _mm_cvtss_f32(_mm_add_ss(q, _mm_shuffle_ps(q, q, 1)));
}

#include "core/math/gemm_simd.h"

const iso_gemm_kernels *iso_gemm_kernels_avx2(void)
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
const iso_gemm_kernels *iso_gemm_kernels_avx2(void)
{
	return NULL;
}
#endif
