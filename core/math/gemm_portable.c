// SPDX-License-Identifier: Apache-2.0
/* Plain C.  On an x86 CPU with FMA the same text compiled for it runs (one rounding is one
 * rounding); elsewhere the target's own fmaf if it has the instruction, else the fused operation in
 * double precision below, which is many times faster than the C library's and gives the same bits.
 *
 *     p = a b exactly (24 + 24 <= 53 bits);  s + e = p + c exactly (TwoSum, Knuth);
 *     s rounded to odd keeps the sticky bit, and 53 >= 24 + 2, so (float)s is the one correct
 * rounding (Boldo and Melquiond 2008, "Emulation of FMA and correctly rounded sums: proved
 * algorithms using rounding to odd").
 */
#include <string.h>

#include "core/math/gemm_kernels.h"

#define LANES 8
#define MR 4

ISO_INLINE float fma_soft(float a, float b, float c)
{
	double p = (double)a * (double)b, z = c, s = p + z, t = s - p, e = (p - (s - t)) + (z - t);
	long long sb, eb, even, inexact, toward;

	memcpy(&sb, &s, sizeof(sb));
	memcpy(&eb, &e, sizeof(eb));
	even = (sb & 1) - 1;			   /* all ones if the last bit is 0 */
	inexact = -(long long)((e > 0) | (e < 0)); /* not for NaN: s is infinite or NaN */
	toward = 1 - 2 * (long long)((unsigned long long)(sb ^ eb) >>
				     63); /* away from 0 if the signs agree */
	sb += toward & even & inexact;
	memcpy(&s, &sb, sizeof(s));
	return (float)s;
}

ISO_INLINE float fma_hard(float a, float b, float c)
{
	return __builtin_fmaf(a, b, c);
}

/* The bodies are written once and compiled per way of fusing. */
#define FMA(a, b, c) (hard ? fma_hard(a, b, c) : fma_soft(a, b, c))

ISO_INLINE void finish(const iso_tile *t, size_t rows, const float (*acc)[2 * LANES])
{
	const iso_tile_epilogue *e = t->e;
	size_t i, j;

	for (i = 0; i < rows; i++) {
		float *c = t->c + i * t->ldc;

		for (j = 0; j < t->cols; j++) {
			float x = acc[i][j];

			if (e && e->bias)
				x += e->bias[j];
			if (e && x < 0 && e->act != ISO_ACT_LINEAR)
				x = e->act == ISO_ACT_RELU ? 0 : ISO_LRELU_SLOPE * x;
			if (e && e->deriv_of)
				x *= iso_act_deriv(e->deriv_act, e->deriv_of[i * e->deriv_ld + j]);
			c[j] = x;
		}
	}
}

ISO_INLINE void tile_wide(const int hard, const int lanes, const iso_tile *t, size_t rows,
			  size_t a_row, size_t a_k)
{
	float acc[MR][2 * LANES];
	size_t i, k;
	int j;

	memset(acc, 0, sizeof(acc));
	for (i = 0; t->load_c && i < rows; i++)
		memcpy(acc[i], t->c + i * t->ldc, t->cols * sizeof(float));
	for (k = 0; k < t->k; k++) {
		const float *b = t->b + k * t->b_ld;

		if (t->b_copy)
			memcpy(t->b_copy + k * 2 * LANES, b, 2 * LANES * sizeof(float));
#pragma GCC unroll 4
		for (i = 0; i < MR; i++) { /* rows past the last repeat it and are thrown away */
			float x = t->a[(i < rows ? i : rows - 1) * a_row + k * a_k];

			for (j = 0; j < lanes; j++)
				acc[i][j] = FMA(x, b[j], acc[i][j]);
		}
	}
	finish(t, rows, (const float(*)[2 * LANES]) acc);
}

ISO_INLINE void tile_body(const int hard, const iso_tile *t, size_t rows, int k_major)
{
	if (t->cols > LANES)
		tile_wide(hard, 2 * LANES, t, rows, k_major ? 1 : t->a_ld, k_major ? t->a_ld : 1);
	else
		tile_wide(hard, LANES, t, rows, k_major ? 1 : t->a_ld, k_major ? t->a_ld : 1);
}

/* A element (i, k) at a[i * a_i + k * a_k]. */
ISO_INLINE void gemv_body(const int hard, size_t m, size_t n, size_t k, const float *a, size_t a_i,
			  size_t a_k, const float *b, size_t b_k, size_t b_n, int beta, float *c,
			  size_t ldc)
{
	size_t i, j, kk, u;

	for (i = 0; i < m; i += LANES) {
		size_t rows = m - i < LANES ? m - i : LANES;

		for (j = 0; j < n; j++) {
			float acc[LANES] = {0};

			for (u = 0; beta && u < rows; u++)
				acc[u] = c[(i + u) * ldc + j];
			for (kk = 0; kk < k; kk++)
				for (u = 0; u < rows; u++)
					acc[u] = FMA(a[(i + u) * a_i + kk * a_k],
						     b[kk * b_k + j * b_n], acc[u]);
			for (u = 0; u < rows; u++)
				c[(i + u) * ldc + j] = acc[u];
		}
	}
}

ISO_INLINE void row_norms2_body(const int hard, size_t m, size_t n, const float *a, size_t lda,
				float *out)
{
	size_t i, j, l, half;

	for (i = 0; i < m; i++) {
		float s[ISO_NORM_CHAINS] = {0};
		const float *x = a + i * lda;

		for (j = 0; j + ISO_NORM_CHAINS <= n; j += ISO_NORM_CHAINS)
			for (l = 0; l < ISO_NORM_CHAINS; l++)
				s[l] = FMA(x[j + l], x[j + l], s[l]);
		for (l = 0; j < n; j++, l++)
			s[l] = FMA(x[j], x[j], s[l]);
		for (half = ISO_NORM_CHAINS / 2; half > 0; half /= 2)
			for (l = 0; l < half; l++)
				s[l] += s[l + half];
		out[i] += s[0];
	}
}

static void col_sums(size_t m, size_t n, const float *a, size_t lda, float *out)
{
	enum { WIDE = 64 };
	size_t i, j, u;

	for (j = 0; j < n; j += WIDE) {
		const size_t w = n - j < WIDE ? n - j : WIDE;

		for (i = 0; i < m; i++)
			for (u = 0; u < w; u++)
				out[j + u] += a[i * lda + j + u];
	}
}

static void backward(iso_act act, size_t n, const float *h, float *d)
{
	size_t i;

	for (i = 0; i < n; i++)
		d[i] *= iso_act_deriv(act, h[i]);
}

static void pack_copy(size_t k, size_t w, const float *src, size_t ld, size_t width, float *dst)
{
	size_t kk;

	for (kk = 0; kk < k; kk++) {
		memcpy(dst + kk * width, src + kk * ld, w * sizeof(float));
		memset(dst + kk * width + w, 0, (width - w) * sizeof(float));
	}
}

static void pack_transposed(size_t k, size_t w, const float *src, size_t ld, size_t width,
			    float *dst)
{
	size_t kk, j;

	for (kk = 0; kk < k; kk++) {
		for (j = 0; j < w; j++)
			dst[kk * width + j] = src[j * ld + kk];
		for (; j < width; j++)
			dst[kk * width + j] = 0;
	}
}

#define KERNELS(way, hard, attribute) \
	attribute static void tile_##way(const iso_tile *t, size_t rows, int k_major) \
	{ \
		tile_body(hard, t, rows, k_major); \
	} \
	attribute static void gemv_##way(size_t m, size_t n, size_t k, const float *a, size_t lda, \
					 const float *b, size_t b_k, size_t b_n, int beta, \
					 float *c, size_t ldc) \
	{ \
		gemv_body(hard, m, n, k, a, lda, 1, b, b_k, b_n, beta, c, ldc); \
	} \
	attribute static void gemv_t_##way(size_t m, size_t n, size_t k, const float *a, \
					   size_t lda, const float *b, size_t b_k, size_t b_n, \
					   int beta, float *c, size_t ldc) \
	{ \
		gemv_body(hard, m, n, k, a, 1, lda, b, b_k, b_n, beta, c, ldc); \
	} \
	attribute static void row_norms2_##way(size_t m, size_t n, const float *a, size_t lda, \
					       float *out) \
	{ \
		row_norms2_body(hard, m, n, a, lda, out); \
	} \
	static const iso_gemm_kernels kernels_##way = { \
		.mr = MR, \
		.mr_pad = LANES, \
		.lanes = LANES, \
		.kc = 256, \
		.tile = tile_##way, \
		.pack_copy = pack_copy, \
		.pack_transposed = pack_transposed, \
		.gemv = gemv_##way, \
		.gemv_t = gemv_t_##way, \
		.row_norms2 = row_norms2_##way, \
		.col_sums = col_sums, \
		.backward = backward, \
	}

#ifdef __x86_64__
KERNELS(fma, 1, __attribute__((target("avx,fma"))));
KERNELS(soft, 0, );
#elif defined(__FP_FAST_FMAF)
KERNELS(fma, 1, );
#else
KERNELS(soft, 0, );
#endif

const iso_gemm_kernels *iso_gemm_kernels_portable(void)
{
#ifdef __x86_64__
	return __builtin_cpu_supports("fma") ? &kernels_fma : &kernels_soft;
#elif defined(__FP_FAST_FMAF)
	return &kernels_fma;
#else
	return &kernels_soft;
#endif
}
