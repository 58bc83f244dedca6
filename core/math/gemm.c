// SPDX-License-Identifier: Apache-2.0
/* Blocking, packing and dispatch of the matrix products; the arithmetic is in
 * gemm_{avx512,avx2,portable}.c.
 *
 *     for columns in blocks of NC            the row-wise part of an epilogue follows the columns
 * in order for k in runs of about kc            the chain goes on through C for rows in blocks of
 * MC           packed A stays in L2 for panels of nr columns         a panel of B stays in L1 ...
 *             for tiles of mr rows           ... while the tiles of the block use it
 *
 * B is packed when it is transposed, when its rows are not contiguous enough to stream, and for a
 * ragged last panel (so kernels never mask a load of B).  A is packed when it is transposed and
 * used often, or when its rows fall on the same cache sets.  Goto and van de Geijn 2008, "Anatomy
 * of high-performance matrix multiplication".
 */
#include "core/math/gemm.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/math/blas.h"
#include "core/math/gemm_kernels.h"
#include "core/math/vmath.h"

#define KC_MAX 384 /* no kernel's kc is larger */
#define NC 512	   /* a multiple of every nr */
#define MC_TILES 12
#define MR_MAX 16 /* no kernel's mr_pad is larger */
#define NR_MAX 32

static _Thread_local float packed_b[KC_MAX * NC] __attribute__((aligned(64)));
static _Thread_local float packed_a[KC_MAX * MC_TILES * MR_MAX] __attribute__((aligned(64)));

/* ---- which kernels ---- */

static const char *const isa_names[] = {"portable", "avx2", "avx512"};
static atomic_int isa_now = -1;
static atomic_int backend_now = -1; /* 0 own, 1 openblas */

const char *iso_isa_name(iso_isa isa)
{
	return (unsigned)isa < ISO_COUNT(isa_names) ? isa_names[isa] : "unknown";
}

int iso_isa_supported(iso_isa isa)
{
	if (isa == ISO_ISA_PORTABLE)
		return 1;
#ifdef __x86_64__
	if (isa == ISO_ISA_AVX2)
		return iso_gemm_kernels_avx2() && __builtin_cpu_supports("avx2") &&
		       __builtin_cpu_supports("fma");
	if (isa == ISO_ISA_AVX512)
		return iso_gemm_kernels_avx512() && iso_isa_supported(ISO_ISA_AVX2) &&
		       __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
		       __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#endif
	return 0;
}

static iso_isa best_isa(void)
{
	return iso_isa_supported(ISO_ISA_AVX512) ? ISO_ISA_AVX512
	       : iso_isa_supported(ISO_ISA_AVX2) ? ISO_ISA_AVX2
						 : ISO_ISA_PORTABLE;
}

static iso_isa choose_isa(void)
{
	const char *want = getenv("ISOEPS_ISA");
	iso_isa best = best_isa();
	size_t i;

	if (!want || !*want)
		return best;
	for (i = 0; i < ISO_COUNT(isa_names); i++) {
		if (strcmp(want, isa_names[i]) != 0)
			continue;
		if (iso_isa_supported((iso_isa)i))
			return (iso_isa)i;
		iso_warn("instruction set not available (ISOEPS_ISA=%s): this CPU lacks it; using "
			 "%s",
			 want, iso_isa_name(best));
		return best;
	}
	iso_warn("unknown instruction set (ISOEPS_ISA=%s): want avx512, avx2 or portable; using %s",
		 want, iso_isa_name(best));
	return best;
}

iso_isa iso_isa_active(void)
{
	int isa = atomic_load_explicit(&isa_now, memory_order_relaxed);

	if (isa < 0) {
		int expected = -1;

		isa = (int)choose_isa();
		if (!atomic_compare_exchange_strong(&isa_now, &expected, isa))
			isa = expected;
	}
	return (iso_isa)isa;
}

int iso_isa_force(iso_isa isa)
{
	if (!iso_isa_supported(isa))
		return 0;
	atomic_store(&isa_now, (int)isa);
	return 1;
}

static const iso_gemm_kernels *kernels(void)
{
	switch (iso_isa_active()) {
	case ISO_ISA_AVX512:
		return iso_gemm_kernels_avx512();
	case ISO_ISA_AVX2:
		return iso_gemm_kernels_avx2();
	default:
		return iso_gemm_kernels_portable();
	}
}

static int use_openblas(void)
{
	int b = atomic_load_explicit(&backend_now, memory_order_relaxed);
	const char *want;

	if (b >= 0)
		return b;
	want = getenv("ISOEPS_GEMM");
	b = want && strcmp(want, "openblas") == 0;
	if (want && *want && !b && strcmp(want, "own") != 0)
		iso_warn("unknown matrix product (ISOEPS_GEMM=%s): want own or openblas; using own",
			 want);
	atomic_store(&backend_now, b);
	return b;
}

const char *iso_gemm_backend(void)
{
	return use_openblas() ? "openblas" : "own";
}

/* ---- elementwise functions and the row-wise part of an epilogue ---- */

float iso_act_deriv(iso_act act, float h)
{
	switch (act) {
	case ISO_ACT_RELU:
		return h > 0 ? 1.0f : 0.0f;
	case ISO_ACT_LRELU:
		return h > 0 ? 1.0f : ISO_LRELU_SLOPE;
	case ISO_ACT_TANH:
		return 1.0f - h * h;
	case ISO_ACT_SIGMOID:
		return h * (1.0f - h);
	default:
		return 1.0f;
	}
}

void iso_act_apply(iso_act act, float *x, size_t n)
{
	size_t i;

	switch (act) {
	case ISO_ACT_RELU:
		for (i = 0; i < n; i++)
			x[i] = x[i] < 0 ? 0.0f : x[i];
		break;
	case ISO_ACT_LRELU:
		for (i = 0; i < n; i++)
			x[i] = x[i] < 0 ? x[i] * ISO_LRELU_SLOPE : x[i];
		break;
	case ISO_ACT_TANH:
		iso_vtanh(n, x, x);
		break;
	case ISO_ACT_SIGMOID:
		iso_vsigmoid(n, x, x);
		break;
	default:
		break;
	}
}

void iso_act_backward(iso_act act, size_t n, const float *h, float *d)
{
	if (act != ISO_ACT_LINEAR)
		kernels()->backward(act, n, h, d);
}

/* Tanh and sigmoid need polynomials: done on finished rows in L1, and so is what comes after them.
 */
static int by_rows(iso_act act)
{
	return act == ISO_ACT_TANH || act == ISO_ACT_SIGMOID;
}

/* So the derivative waits for the rows if it is one of them or comes after one of them. */
static int deriv_by_rows(const iso_epilogue *e)
{
	return e->deriv_of && (by_rows(e->act) || by_rows(e->deriv_act));
}

/* Columns j0 .. j0+n-1 of rows i0 .. i0+m-1; c stands at their first element.  `all`: nothing was
 * done in tiles; `last`: no more columns follow. */
static void finish_rows(const iso_gemm_kernels *kern, const iso_epilogue *e, int all, int last,
			size_t i0, size_t m, size_t j0, size_t n, float *c, size_t ldc)
{
	const int act = all || by_rows(e->act),
		  deriv = all ? e->deriv_of != NULL : deriv_by_rows(e);
	size_t i, j;

	for (i = 0; act && i < m; i++) {
		float *x = c + i * ldc;

		for (j = 0; all && e->bias && j < n; j++)
			x[j] += e->bias[j0 + j];
		if (ldc != n || all)
			iso_act_apply(e->act, x, n);
	}
	if (act && ldc == n && !all)
		iso_act_apply(e->act, c, m * n);
	for (i = 0; deriv && i < m; i++)
		iso_act_backward(e->deriv_act, n, e->deriv_of + (i0 + i) * e->deriv_ld + j0,
				 c + i * ldc);
	if (e->row_norm2 &&
	    last) /* of whole rows, so that their sums do not depend on the blocks */
		kern->row_norms2(m, j0 + n, c - j0, ldc, e->row_norm2 + i0);
}

void iso_row_norms2(size_t m, size_t n, const float *a, size_t lda, int beta, float *out)
{
	if (!beta && m > 0)
		memset(out, 0, m * sizeof(*out));
	kernels()->row_norms2(m, n, a, lda, out);
}

void iso_col_sums(size_t m, size_t n, const float *a, size_t lda, int beta, float *out)
{
	if (!beta && n > 0)
		memset(out, 0, n * sizeof(*out));
	kernels()->col_sums(m, n, a, lda, out);
}

/* ---- blocking ---- */

typedef struct job {
	const iso_gemm_kernels *kern;
	iso_trans t;
	size_t m, n, k, lda, ldb, ldc, nr;
	const float *a, *b;
	float *c;
	int beta, pack_a, pack_b;
	const iso_epilogue *e;
	int tile_epilogue, row_epilogue; /* something to do in tiles, on rows */
	size_t k0, kc;			 /* the current run of k */
	size_t j0, nc;			 /* the current block of columns */
	size_t tiles, rows,
		longer; /* the first `longer` tiles have rows + 1 rows, the others `rows` */
} job;

static size_t tile_row(const job *g, size_t tile)
{
	return g->rows * tile + (tile < g->longer ? tile : g->longer);
}

/* The panel at column j of the current block.  On first use (`fresh`) a transposed or ragged one is
 * packed, and a whole one that shall be packed is copied by the first tile in passing (t->b_copy).
 */
static void panel_of_b(const job *g, size_t j, int fresh, float *slot, iso_tile *t)
{
	const size_t width = t->cols > g->kern->lanes ? g->nr : g->kern->lanes, col = g->j0 + j;

	t->b_copy = NULL;
	if (g->t != ISO_NT && t->cols == width && (fresh || !g->pack_b)) {
		t->b = g->b + g->k0 * g->ldb + col;
		t->b_ld = g->ldb;
		if (g->pack_b && width == g->nr)
			t->b_copy = slot;
		if (!g->pack_b || t->b_copy)
			return;
	}
	t->b = slot;
	t->b_ld = width;
	if (fresh && g->t == ISO_NT)
		g->kern->pack_transposed(g->kc, t->cols, g->b + col * g->ldb + g->k0, g->ldb, width,
					 slot);
	else if (fresh)
		g->kern->pack_copy(g->kc, t->cols, g->b + g->k0 * g->ldb + col, g->ldb, width,
				   slot);
}

/* What the next tiles will miss in L2 is fetched while this one runs, thinly, since few misses can
 * be under way at once.  First the next panel of B: four tiles take a quarter each, every line
 * named twice; if there are not four, two tiles take lines 0 and 1 of each row, or rows 0..15
 * and 16..31 of a transposed B.  Then, in the first panel, the next columns of a transposed A; else
 * the next tile of C. */
static void fetch_ahead(const job *g, size_t j, size_t tile, iso_tile *t)
{
	const int thin = g->tiles >= 4;
	size_t col = g->j0 + j, next = col + g->nr, k0 = g->k0;

	if (next >= g->j0 + g->nc &&
	    k0 + g->kc < g->k) { /* the next run starts with the first panel again */
		next = g->j0;
		k0 += g->kc;
	}
	t->fetch = NULL;
	t->fetch_jump = 0;
	t->fetch_period = 16;
	if (tile < (thin ? 4 : 2) && next < g->n) {
		if (g->t == ISO_NT) {
			t->fetch = g->b + (next + 16 * (tile % 2)) * g->ldb + k0 +
				   tile / 2 * (g->kc / 2);
			t->fetch_ld = (ptrdiff_t)g->ldb;
			t->fetch_jump = (thin ? 8 : 16) - 16 * (ptrdiff_t)g->ldb;
		} else if (thin) {
			t->fetch = g->b + (k0 + tile * (g->kc / 4)) * g->ldb + next;
			t->fetch_ld = 8;
			t->fetch_jump = (ptrdiff_t)g->ldb - 32;
			t->fetch_period = 4;
		} else {
			t->fetch = g->b + k0 * g->ldb + next + 16 * tile;
			t->fetch_ld = (ptrdiff_t)g->ldb;
		}
	} else if (tile + 1 < g->tiles && j == 0 && g->t == ISO_TN && !g->pack_a) {
		t->fetch = g->a + g->k0 * g->lda + tile_row(g, tile + 2) - 1;
		t->fetch_ld = (ptrdiff_t)g->lda;
	} else if (tile + 1 < g->tiles) {
		t->fetch = g->c + tile_row(g, tile + 1) * g->ldc + col;
		t->fetch_ld = (ptrdiff_t)g->ldc;
		t->fetch_jump = 16 - 16 * (ptrdiff_t)g->ldc;
	}
}

static void pack_rows_of_a(const job *g, size_t first, size_t last)
{
	const size_t width = g->kern->mr_pad;
	size_t tile;

	for (tile = first; tile < last; tile++) {
		size_t i = tile_row(g, tile), rows = tile_row(g, tile + 1) - i;
		float *dst = packed_a + (tile - first) * width * g->kc;

		if (g->t == ISO_TN)
			g->kern->pack_copy(g->kc, rows, g->a + g->k0 * g->lda + i, g->lda, width,
					   dst);
		else
			g->kern->pack_transposed(g->kc, rows, g->a + i * g->lda + g->k0, g->lda,
						 width, dst);
	}
}

/* What all tiles of a run have in common; the rest is set field by field, since a small tile takes
 * 200 ns. */
static void tile_start(const job *g, iso_tile *t, iso_tile_epilogue *e)
{
	memset(t, 0, sizeof(*t));
	memset(e, 0, sizeof(*e));
	t->ldc = g->ldc;
	t->k = g->kc;
	t->load_c = g->beta || g->k0 > 0;
	if (!g->tile_epilogue || g->k0 + g->kc < g->k)
		return;
	t->e = e;
	if (!by_rows(g->e->act))
		e->act = g->e->act;
	e->deriv_act = g->e->deriv_act;
	e->deriv_ld = g->e->deriv_ld;
}

static void run_tile(const job *g, size_t first, size_t tile, size_t j, iso_tile *t,
		     iso_tile_epilogue *e)
{
	const size_t i = tile_row(g, tile), rows = tile_row(g, tile + 1) - i, col = g->j0 + j;

	t->c = g->c + i * g->ldc + col;
	if (g->pack_a) {
		t->a = packed_a + (tile - first) * g->kern->mr_pad * g->kc;
		t->a_ld = g->kern->mr_pad;
	} else {
		t->a = g->t == ISO_TN ? g->a + g->k0 * g->lda + i : g->a + i * g->lda + g->k0;
		t->a_ld = g->lda;
	}
	if (t->e && g->e->deriv_of && !deriv_by_rows(g->e))
		e->deriv_of = g->e->deriv_of + i * e->deriv_ld + col;
	g->kern->tile(t, rows, g->pack_a || g->t == ISO_TN);
}

/* One run of k of one block of columns. */
static void run_block(const job *g)
{
	const int last = g->k0 + g->kc == g->k, one_block = g->tiles <= MC_TILES;
	const size_t blocks = (g->tiles + MC_TILES - 1) / MC_TILES;
	size_t first, end, j, tile, block;
	iso_tile_epilogue e;
	iso_tile t;

	tile_start(g, &t, &e);
	for (block = 0, first = 0; block < blocks; block++, first = end) {
		end = g->tiles * (block + 1) / blocks;
		if (g->pack_a)
			pack_rows_of_a(g, first, end);
		for (j = 0; j < g->nc; j += g->nr) {
			float *slot = packed_b + (one_block ? 0 : j * g->kc);

			t.cols = g->nc - j < g->nr ? g->nc - j : g->nr;
			panel_of_b(g, j, first == 0, slot, &t);
			if (t.e && g->e->bias)
				e.bias = g->e->bias + g->j0 + j;
			for (tile = first; tile < end; tile++) {
				fetch_ahead(g, j, tile, &t);
				run_tile(g, first, tile, j, &t, &e);
				if (t.b_copy) {
					t.b = slot;
					t.b_ld = g->nr;
					t.b_copy = NULL;
				}
			}
		}
		if (last && g->row_epilogue) {
			size_t i = tile_row(g, first);

			finish_rows(g->kern, g->e, 0, g->j0 + g->nc == g->n, i,
				    tile_row(g, end) - i, g->j0, g->nc, g->c + i * g->ldc + g->j0,
				    g->ldc);
		}
	}
}

static void run_job(job *g)
{
	const size_t runs = (g->k + g->kern->kc - 1) / g->kern->kc;
	size_t r, nc;

	g->nr = 2 * g->kern->lanes;
	g->tiles = (g->m + g->kern->mr - 1) / g->kern->mr;
	g->rows = g->m / g->tiles;
	g->longer = g->m % g->tiles;
	g->tile_epilogue = g->e && (g->e->bias || g->e->act != ISO_ACT_LINEAR || g->e->deriv_of);
	g->row_epilogue = g->e && (by_rows(g->e->act) || deriv_by_rows(g->e) || g->e->row_norm2);
	nc = g->tiles <= MC_TILES ? g->n : NC; /* one block of rows needs room for one panel only */
	for (g->j0 = 0; g->j0 < g->n; g->j0 += g->nc) {
		g->nc = g->n - g->j0 < nc ? g->n - g->j0 : nc;
		for (r = 0, g->k0 = 0; r < runs; r++, g->k0 += g->kc) {
			g->kc = g->k / runs + (r < g->k % runs);
			run_block(g);
		}
	}
}

/* Rows a power of two apart share cache sets: of L1, one or two of 64. */
static int awkward_stride(size_t ld, size_t power)
{
	return ld >= power && ld % power == 0;
}

static void zero_rows(size_t m, size_t n, float *c, size_t ldc)
{
	size_t i;

	for (i = 0; i < m; i++)
		memset(c + i * ldc, 0, n * sizeof(*c));
}

void iso_gemm(iso_trans t, size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
	      size_t ldb, int beta, float *c, size_t ldc, const iso_epilogue *e)
{
	const iso_gemm_kernels *kern = kernels();
	const size_t b_k = t == ISO_NT ? 1 : ldb, b_n = t == ISO_NT ? ldb : 1;

	if (m == 0 || n == 0)
		return;
	if (k == 0) {
		if (!beta)
			zero_rows(m, n, c, ldc);
	} else if (use_openblas()) {
		iso_blas_sgemm(t, m, n, k, a, lda, b, ldb, beta, c, ldc);
	} else if (n <= ISO_GEMV_COLS) {
		if (t == ISO_TN)
			kern->gemv_t(m, n, k, a, lda, b, b_k, b_n, beta, c, ldc);
		else
			kern->gemv(m, n, k, a, lda, b, b_k, b_n, beta, c, ldc);
	} else {
		job g = {.kern = kern,
			 .t = t,
			 .m = m,
			 .n = n,
			 .k = k,
			 .lda = lda,
			 .ldb = ldb,
			 .ldc = ldc,
			 .a = a,
			 .b = b,
			 .c = c,
			 .beta = beta,
			 .e = e};

		g.pack_b = m >= 128 || awkward_stride(ldb, 512);
		g.pack_a = awkward_stride(lda, t == ISO_TN ? 512 : 1024);
		run_job(&g);
		return;
	}
	if (e)
		finish_rows(kern, e, 1, 1, 0, m, 0, n, c, ldc);
}
