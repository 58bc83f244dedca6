// SPDX-License-Identifier: Apache-2.0
/* Body of gemm_avx512.c and gemm_avx2.c, private to them: the kernels in terms of a few vector
 * operations that the including file defines (LANES, MR, vec, mask, V_*, transpose_load).  Only
 * fused multiply-adds touch accumulators, in ascending k, so both files give the bits of the naive
 * loop.
 */
#ifndef ISO_MATH_GEMM_SIMD_H
#define ISO_MATH_GEMM_SIMD_H

#include <string.h>

/* ---- tiles ---- */

/* Bias, activation (linear, ReLU, leaky ReLU) and derivative of the same, one after the other over
 * all accumulators so that each is one branch.  x < 0 ? (s x) & keep : x with keep = 0 for ReLU: an
 * infinity times 0 would be a NaN. */
ISO_INLINE void tile_epilogue(vec (*acc)[2], const int mr, const int nv, const iso_tile_epilogue *e,
			      mask last)
{
	int i, j;

	if (e->bias) {
#pragma GCC unroll 2
		for (j = 0; j < nv; j++) {
			const vec b = j + 1 < nv ? V_LOAD(e->bias + j * LANES)
						 : V_LOADM(last, e->bias + j * LANES);

#pragma GCC unroll 16
			for (i = 0; i < mr; i++)
				acc[i][j] = V_ADD(acc[i][j], b);
		}
	}
	if (e->act != ISO_ACT_LINEAR) {
		const vec slope = V_SET1(ISO_LRELU_SLOPE),
			  keep = V_BITS(e->act == ISO_ACT_RELU ? 0 : -1);

#pragma GCC unroll 16
		for (i = 0; i < mr; i++)
#pragma GCC unroll 2
			for (j = 0; j < nv; j++)
				acc[i][j] = V_LT0(acc[i][j], V_AND(V_MUL(acc[i][j], slope), keep),
						  acc[i][j]);
	}
	if (e->deriv_of) {
		const vec one = V_SET1(1.0f),
			  low = V_SET1(e->deriv_act == ISO_ACT_RELU    ? 0.0f
				       : e->deriv_act == ISO_ACT_LRELU ? ISO_LRELU_SLOPE
								       : 1.0f);
		const float *h = e->deriv_of;

#pragma GCC unroll 16
		for (i = 0; i < mr; i++, h += e->deriv_ld) {
			OPAQUE(h);
#pragma GCC unroll 2
			for (j = 0; j < nv; j++) {
				const vec x = j + 1 < nv ? V_LOAD(h + j * LANES)
							 : V_LOADM(last, h + j * LANES);

				acc[i][j] = V_MUL(acc[i][j], V_GT0(x, one, low));
			}
		}
	}
}

ISO_INLINE void tile_store(vec (*acc)[2], const int mr, const int nv, float *c, size_t ldc,
			   mask last)
{
	int i;

#pragma GCC unroll 16
	for (i = 0; i < mr; i++, c += ldc) {
		OPAQUE(c);
		if (nv > 1) {
			V_STORE(c, acc[i][0]);
			V_STOREM(last, c + LANES, acc[i][1]);
		} else {
			V_STOREM(last, c, acc[i][0]);
		}
	}
}

/* The inner loop is pinned, instruction by instruction, in this order: left free, the compiler
 * moves loads ahead until accumulators spill, or swaps an accumulator with a factor and pays a
 * copy. */
#define PIN_LOAD(x, p) __asm__ volatile("vmovups %1, %0" : "=v"(x) : "m"(*(const vec_u *)(p)))
#define PIN_SET1(x, p) __asm__ volatile("vbroadcastss %1, %0" : "=v"(x) : "m"(*(p)))
#define PIN_FMA(acc, x, b) __asm__ volatile("vfmadd231ps %2, %1, %0" : "+v"(acc) : "v"(x), "v"(b))
#define PIN_STORE(p, x) __asm__ volatile("vmovups %1, %0" : "=m"(*(vec_u *)(p)) : "v"(x))
#define PIN_FETCH(p) __asm__ volatile("prefetcht1 %0" : : "m"(*(p)))

/* One step of k: rows 3g, 3g+1, 3g+2 are reached from base pointer g (row-major), or from one
 * pointer (k-major). */
ISO_INLINE void tile_step(vec (*acc)[2], const int mr, const int nv, const int k_major,
			  const float *const *q, size_t a_ld, const float *b, float *copy,
			  const int u)
{
	vec b0, b1, x;
	int i;

	PIN_LOAD(b0, b);
	if (nv > 1)
		PIN_LOAD(b1, b + LANES);
	if (copy) { /* known when this is compiled */
		PIN_STORE(copy, b0);
		PIN_STORE(copy + LANES, b1);
	}
#pragma GCC unroll 16
	for (i = 0; i < mr; i++) {
		PIN_SET1(x, k_major ? q[0] + i : q[i / 3] + (size_t)(i % 3) * a_ld + u);
		PIN_FMA(acc[i][0], x, b0);
		if (nv > 1)
			PIN_FMA(acc[i][1], x, b1);
	}
}

#define GROUPS ((MR + 2) / 3) /* of three rows */

ISO_INLINE void tile_body(const iso_tile *t, const int mr, const int nv, const int k_major,
			  const int copies)
{
	vec acc[MR][2];
	const float *q[GROUPS], *b = t->b;
	const char *fetch = (const char *)(t->fetch ? t->fetch : t->b);
	const ptrdiff_t fetch_ld = t->fetch ? 4 * t->fetch_ld : 0,
			fetch_jump = t->fetch ? 4 * t->fetch_jump : 0;
	const size_t b_ld = t->b_ld;
	size_t a_ld = t->a_ld;
	float *copy = t->b_copy;
	const mask last = V_MASK(t->cols - (size_t)(nv - 1) * LANES);
	size_t k = t->k;
	unsigned step = 0;
	int i, g;

#pragma GCC unroll 16
	for (i = 0; i < mr; i++) {
		acc[i][0] = V_ZERO();
		acc[i][1] = V_ZERO();
	}
	if (t->load_c) {
		const float *c = t->c;

#pragma GCC unroll 16
		for (i = 0; i < mr; i++, c += t->ldc) {
			OPAQUE(c);
			acc[i][0] = nv > 1 ? V_LOAD(c) : V_LOADM(last, c);
			if (nv > 1)
				acc[i][1] = V_LOADM(last, c + LANES);
		}
	}
#pragma GCC unroll 8
	for (g = 0; g < GROUPS; g++)
		if (3 * g < mr)
			q[g] = t->a + (k_major ? 0 : (size_t)(3 * g) * a_ld);
	for (; k >= 4; k -= 4) {
		int u;

#pragma GCC unroll 4
		for (u = 0; u < 4; u++) {
			tile_step(acc, mr, nv, k_major, q, a_ld, b, copies ? copy : NULL, u);
			if (copies)
				copy += 2 * LANES;
			if (nv > 1)
				PIN_FETCH(fetch);
			fetch += fetch_ld;
			b += b_ld;
			OPAQUE(b);
			OPAQUE(fetch);
			OPAQUE(a_ld);
			if (k_major) {
				q[0] += a_ld;
				OPAQUE(q[0]);
			}
		}
#pragma GCC unroll 8
		for (g = 0; g < GROUPS; g++) {
			if (!k_major && 3 * g < mr) {
				q[g] += 4;
				OPAQUE(q[g]);
			}
		}
		step += 4;
		if (step == t->fetch_period) {
			fetch += fetch_jump;
			step = 0;
		}
	}
	for (; k > 0; k--) {
		tile_step(acc, mr, nv, k_major, q, a_ld, b, copies ? copy : NULL, 0);
		if (copies)
			copy += 2 * LANES;
		b += b_ld;
#pragma GCC unroll 8
		for (g = 0; g < GROUPS; g++)
			if (3 * g < mr)
				q[g] += k_major ? a_ld : 1;
	}
	if (t->e)
		tile_epilogue(acc, mr, nv, t->e, last);
	tile_store(acc, mr, nv, t->c, t->ldc, last);
}

#define TILE(mr, nv, major, copies) \
	static void tile_##mr##_##nv##_##major##_##copies(const iso_tile *t) \
	{ \
		tile_body(t, mr, nv, major, copies); \
	}
#define TILES(mr) \
	TILE(mr, 1, 0, 0) \
	TILE(mr, 1, 1, 0) \
	TILE(mr, 2, 0, 0) \
	TILE(mr, 2, 1, 0) \
	TILE(mr, 2, 0, 1) \
	TILE(mr, 2, 1, 1)
#define TILE_ROW(mr) \
	{{tile_##mr##_1_0_0, tile_##mr##_1_1_0}, \
	 {tile_##mr##_2_0_0, tile_##mr##_2_1_0}, \
	 {tile_##mr##_2_0_1, tile_##mr##_2_1_1}},
TILE_LIST(TILES)

static void tile_run(const iso_tile *t, size_t rows, int k_major)
{
	static void (*const table[MR][3][2])(const iso_tile *) = {TILE_LIST(TILE_ROW)};

	table[rows - 1][t->cols <= LANES ? 0 : t->b_copy ? 2 : 1][k_major != 0](t);
}

/* ---- packing ---- */

static void pack_copy(size_t k, size_t w, const float *src, size_t ld, size_t width, float *dst)
{
	const mask m0 = V_MASK(w < LANES ? w : LANES), m1 = V_MASK(w > LANES ? w - LANES : 0);
	size_t kk;

	if (width > LANES && w == 2 * LANES) {
		for (kk = 0; kk < k; kk++, src += ld, dst += width) {
			vec x = V_LOAD(src), y = V_LOAD(src + LANES);

			V_STORE(dst, x);
			V_STORE(dst + LANES, y);
		}
		return;
	}
	for (kk = 0; kk < k; kk++, src += ld, dst += width) {
		V_STORE(dst, V_LOADM(m0, src));
		if (width > LANES)
			V_STORE(dst + LANES, V_LOADM(m1, src + LANES));
	}
}

/* The next k steps, at most LANES, of `rows` rows: out[from + kk] lane i = src[i][kk], lanes behind
 * `rows` are 0; returns `from`.  A short run is the end of a whole one if `before` steps stand in
 * front of it. */
ISO_INLINE size_t transpose_next(const float *src, size_t ld, size_t rows, size_t before, size_t k,
				 vec *out)
{
	float block[LANES * LANES] __attribute__((aligned(64)));
	size_t i;

	if (k >= LANES || before >= LANES - k) {
		const size_t from = k >= LANES ? 0 : LANES - k;

		if (rows == LANES)
			transpose_load(src - from, ld, LANES, out);
		else
			transpose_load(src - from, ld, rows, out);
		return from;
	}
	for (i = 0; i < LANES; i++)
		V_STORE(block + i * LANES, i < rows ? V_LOADM(V_MASK(k), src + i * ld) : V_ZERO());
	transpose_load(block, LANES, LANES, out);
	return 0;
}

ISO_INLINE size_t run_of(size_t left)
{
	return left < LANES ? left : LANES;
}

/* Inlined twice, so that whole blocks are spared the selection of rows. */
ISO_INLINE void pack_transposed_lanes(size_t k, size_t w, const float *src, size_t ld, size_t width,
				      float *dst)
{
	vec out[LANES];
	size_t kk, i, from;

	for (kk = 0; kk + LANES <= k; kk += LANES) {
		transpose_load(src + kk, ld, w, out);
#pragma GCC unroll 16
		for (i = 0; i < LANES; i++, dst += width) {
			V_STORE(dst, out[i]);
			OPAQUE(dst);
		}
	}
	if (kk < k) {
		from = transpose_next(src + kk, ld, w, kk, k - kk, out);
		for (i = from; i < from + k - kk; i++, dst += width)
			V_STORE(dst, out[i]);
	}
}

static void pack_transposed(size_t k, size_t w, const float *src, size_t ld, size_t width,
			    float *dst)
{
	for (; w >= LANES; w -= LANES, src += LANES * ld, dst += LANES)
		pack_transposed_lanes(k, LANES, src, ld, width, dst);
	if (w > 0)
		pack_transposed_lanes(k, w, src, ld, width, dst);
}

/* ---- one to four columns ---- */

/* Lanes are rows: 2 * LANES rows at a time through transposed blocks of A. */
ISO_INLINE void gemv_rows(const int n, size_t rows, size_t k, const float *a, size_t lda,
			  const float *b, size_t b_k, size_t b_n, int beta, float *c, size_t ldc)
{
	float lane[LANES];
	vec acc[2][ISO_GEMV_COLS], x[LANES];
	size_t kk, i, r, run, from;
	int j;

	for (r = 0; r < 2; r++) {
		for (j = 0; j < n; j++) {
			for (i = 0; i < LANES; i++)
				lane[i] = beta && r * LANES + i < rows
						  ? c[(r * LANES + i) * ldc + (size_t)j]
						  : 0;
			acc[r][j] = V_LOAD(lane);
		}
	}
	for (kk = 0; kk < k; kk += run) {
		run = run_of(k - kk);
		for (r = 0; r * LANES < rows; r++) {
			from = transpose_next(a + r * LANES * lda + kk, lda,
					      run_of(rows - r * LANES), kk, run, x);
			for (i = 0; i < run; i++)
				for (j = 0; j < n; j++)
					acc[r][j] =
						V_FMA(x[from + i],
						      V_SET1(b[(kk + i) * b_k + (size_t)j * b_n]),
						      acc[r][j]);
		}
	}
	for (r = 0; r * LANES < rows; r++) {
		for (j = 0; j < n; j++) {
			V_STORE(lane, acc[r][j]);
			for (i = 0; i < LANES && r * LANES + i < rows; i++)
				c[(r * LANES + i) * ldc + (size_t)j] = lane[i];
		}
	}
}

static void gemv(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
		 size_t b_k, size_t b_n, int beta, float *c, size_t ldc)
{
	size_t i;

	for (i = 0; i < m; i += 2 * LANES) {
		size_t rows = m - i < 2 * LANES ? m - i : 2 * LANES;
		const float *x = a + i * lda;
		float *y = c + i * ldc;

		if (n == 1)
			gemv_rows(1, rows, k, x, lda, b, b_k, b_n, beta, y, ldc);
		else if (n == 2)
			gemv_rows(2, rows, k, x, lda, b, b_k, b_n, beta, y, ldc);
		else if (n == 3)
			gemv_rows(3, rows, k, x, lda, b, b_k, b_n, beta, y, ldc);
		else
			gemv_rows(4, rows, k, x, lda, b, b_k, b_n, beta, y, ldc);
	}
}

/* Lanes are columns of the stored [k][m] matrix. */
ISO_INLINE void gemv_t_block(const int n, const int nv, size_t w, size_t k, const float *a,
			     size_t lda, const float *b, size_t b_k, size_t b_n, int beta, float *c,
			     size_t ldc)
{
	const mask last = V_MASK(w - (size_t)(nv - 1) * LANES);
	float lane[LANES];
	vec acc[8][ISO_GEMV_COLS];
	size_t i, kk;
	int v, j;

	for (v = 0; v < nv; v++) {
		for (j = 0; j < n; j++) {
			for (i = 0; i < LANES; i++) {
				size_t at = (size_t)v * LANES + i;

				lane[i] = beta && at < w ? c[at * ldc + (size_t)j] : 0;
			}
			acc[v][j] = V_LOAD(lane);
		}
	}
	for (kk = 0; kk < k; kk++, a += lda) {
#pragma GCC unroll 8
		for (v = 0; v < nv; v++) {
			vec x = v + 1 < nv ? V_LOAD(a + v * LANES) : V_LOADM(last, a + v * LANES);

#pragma GCC unroll 4
			for (j = 0; j < n; j++)
				acc[v][j] =
					V_FMA(x, V_SET1(b[kk * b_k + (size_t)j * b_n]), acc[v][j]);
		}
	}
	for (v = 0; v < nv; v++) {
		for (j = 0; j < n; j++) {
			V_STORE(lane, acc[v][j]);
			for (i = 0; i < LANES && (size_t)v * LANES + i < w; i++)
				c[((size_t)v * LANES + i) * ldc + (size_t)j] = lane[i];
		}
	}
}

static void gemv_t(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
		   size_t b_k, size_t b_n, int beta, float *c, size_t ldc)
{
	size_t i = 0, w;

	for (; i < m; i += w) {
		const float *x = a + i;
		float *y = c + i * ldc;

		w = m - i < LANES ? m - i : LANES;
		if (n == 1 && m - i >= 8 * LANES)
			gemv_t_block(1, 8, w = 8 * LANES, k, x, lda, b, b_k, b_n, beta, y, ldc);
		else if (n == 1)
			gemv_t_block(1, 1, w, k, x, lda, b, b_k, b_n, beta, y, ldc);
		else if (n == 2 && m - i >= 2 * LANES)
			gemv_t_block(2, 2, w = 2 * LANES, k, x, lda, b, b_k, b_n, beta, y, ldc);
		else if (n == 2)
			gemv_t_block(2, 1, w, k, x, lda, b, b_k, b_n, beta, y, ldc);
		else if (n == 3)
			gemv_t_block(3, 1, w, k, x, lda, b, b_k, b_n, beta, y, ldc);
		else
			gemv_t_block(4, 1, w, k, x, lda, b, b_k, b_n, beta, y, ldc);
	}
}

/* ---- sums and derivatives ---- */

/* Chains l of one row as vectors, LANES chains each. */
#define NORM_VECS (ISO_NORM_CHAINS / LANES)

ISO_INLINE void norm_chains(size_t n, const float *x, vec *acc)
{
	size_t j = 0, v;

	for (v = 0; v < NORM_VECS; v++)
		acc[v] = V_ZERO();
	for (; j + ISO_NORM_CHAINS <= n; j += ISO_NORM_CHAINS) {
#pragma GCC unroll 2
		for (v = 0; v < NORM_VECS; v++) {
			const vec y = V_LOAD(x + j + v * LANES);

			acc[v] = V_FMA(y, y, acc[v]);
		}
	}
	for (v = 0; j < n; j += LANES, v++) {
		const vec y = V_LOADM(V_MASK(run_of(n - j)), x + j);

		acc[v] = V_FMA(y, y, acc[v]);
	}
}

static void row_norms2(size_t m, size_t n, const float *a, size_t lda, float *out)
{
	size_t i = 0;

	if (n == 1 && lda == 1) {
		for (; i < m; i++)
			out[i] += a[i] * a[i];
		return;
	}
	for (; i + 4 <= m;
	     i += 4, a += 4 * lda) { /* four rows at once: a chain has to wait for itself */
		vec acc[4][NORM_VECS];
		size_t r;

#pragma GCC unroll 4
		for (r = 0; r < 4; r++)
			norm_chains(n, a + r * lda, acc[r]);
#pragma GCC unroll 4
		for (r = 0; r < 4; r++)
			out[i + r] += norm_tree(acc[r]);
	}
	for (; i < m; i++, a += lda) {
		vec acc[NORM_VECS];

		norm_chains(n, a, acc);
		out[i] += norm_tree(acc);
	}
}

/* nv vectors of columns, the last one with w columns. */
ISO_INLINE void col_sums_block(const int nv, size_t w, size_t m, const float *a, size_t lda,
			       float *out)
{
	const mask last = V_MASK(w);
	vec acc[8];
	size_t i;
	int v;

#pragma GCC unroll 8
	for (v = 0; v < nv; v++)
		acc[v] = v + 1 < nv ? V_LOAD(out + v * LANES) : V_LOADM(last, out + v * LANES);
	for (i = 0; i < m; i++, a += lda) {
#pragma GCC unroll 8
		for (v = 0; v < nv; v++)
			acc[v] = V_ADD(acc[v], v + 1 < nv ? V_LOAD(a + v * LANES)
							  : V_LOADM(last, a + v * LANES));
	}
#pragma GCC unroll 8
	for (v = 0; v + 1 < nv; v++)
		V_STORE(out + v * LANES, acc[v]);
	V_STOREM(last, out + (nv - 1) * LANES, acc[nv - 1]);
}

static void col_sums(size_t m, size_t n, const float *a, size_t lda, float *out)
{
	size_t j = 0;

	for (; n - j >= 8 * LANES; j += 8 * LANES)
		col_sums_block(8, LANES, m, a + j, lda, out + j);
	for (; n - j >= 2 * LANES; j += 2 * LANES)
		col_sums_block(2, LANES, m, a + j, lda, out + j);
	for (; j < n; j += LANES)
		col_sums_block(1, run_of(n - j), m, a + j, lda, out + j);
}

ISO_INLINE vec derivative(iso_act act, vec h)
{
	const vec one = V_SET1(1.0f);

	switch (act) {
	case ISO_ACT_RELU:
		return V_GT0(h, one, V_ZERO());
	case ISO_ACT_LRELU:
		return V_GT0(h, one, V_SET1(ISO_LRELU_SLOPE));
	case ISO_ACT_TANH:
		return V_SUB(one, V_MUL(h, h));
	default:
		return V_MUL(h, V_SUB(one, h)); /* sigmoid */
	}
}

static void backward(iso_act act, size_t n, const float *h, float *d)
{
	size_t i = 0;

	for (; i + LANES <= n; i += LANES)
		V_STORE(d + i, V_MUL(V_LOAD(d + i), derivative(act, V_LOAD(h + i))));
	if (i < n) {
		const mask some = V_MASK(n - i);

		V_STOREM(some, d + i,
			 V_MUL(V_LOADM(some, d + i), derivative(act, V_LOADM(some, h + i))));
	}
}

#endif
