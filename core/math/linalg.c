// SPDX-License-Identifier: Apache-2.0
/* Products in double precision with a multiplication and an addition per term (no fusing: baseline
 * CPUs could only emulate it), each output summed in an order that the shapes alone decide.  The
 * text is compiled once per instruction set; vectors run across independent outputs or across a
 * fixed number of partial sums, so the width changes nothing.
 */
#include "core/math/linalg.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/gemm.h"

#define INLINE static inline __attribute__((always_inline))
#define W 16	/* columns of a panel; also the number of partial sums of a dot product */
#define RUN 512 /* terms between visits to memory */
#define ROWS 4

/* ---- bodies ---- */

/* W partial sums (term t goes to t mod W), then a fixed tree. */
INLINE double dot_body(size_t n, const double *a, const double *b)
{
	double s[W] = {0};
	size_t i = 0;
	int l, h;

	for (; i + W <= n; i += W)
		for (l = 0; l < W; l++)
			s[l] += a[i + (size_t)l] * b[i + (size_t)l];
	for (l = 0; i < n; i++, l++)
		s[l] += a[i] * b[i];
	for (h = W / 2; h > 0; h /= 2)
		for (l = 0; l < h; l++)
			s[l] += s[l + h];
	return s[0];
}

/* y[rows][p] += x[rows][d] w[d][p] for one panel of at most W columns, w packed [d][W]; d <= RUN.
 */
INLINE void mul_panel_body(size_t n, size_t d, size_t cols, const double *x, size_t ldx,
			   const double *w, double *y, size_t ldy)
{
	size_t i, k, r;
	int j;

	for (i = 0; i < n; i += ROWS) {
		double acc[ROWS][W] = {{0}};
		const double *row[ROWS];

		for (r = 0; r < ROWS; r++)
			row[r] =
				x + (i + r < n ? i + r : n - 1) * ldx; /* repeats are thrown away */
		for (k = 0; k < d; k++) {
#pragma GCC unroll 4
			for (r = 0; r < ROWS; r++) {
				const double v = row[r][k];

				for (j = 0; j < W; j++)
					acc[r][j] += v * w[k * W + (size_t)j];
			}
		}
		for (r = 0; r < ROWS && i + r < n; r++)
			for (k = 0; k < cols; k++)
				y[(i + r) * ldy + k] += acc[r][k];
	}
}

/* g[d][W] += x[n][d]^T r[n][W] for one packed panel; n <= RUN.  Sums run over i in ascending order.
 */
INLINE void mul_tn_panel_body(size_t n, size_t d, const double *x, size_t ldx, const double *r,
			      double *g)
{
	size_t i, k;
	int u, j;

	for (i = 0; i + 8 <= n; i += 8) {
		for (k = 0; k < d; k++) {
			double acc[W];

			memcpy(acc, g + k * W, sizeof(acc));
#pragma GCC unroll 8
			for (u = 0; u < 8; u++) {
				const double v = x[(i + (size_t)u) * ldx + k];

				for (j = 0; j < W; j++)
					acc[j] += v * r[(i + (size_t)u) * W + (size_t)j];
			}
			memcpy(g + k * W, acc, sizeof(acc));
		}
	}
	for (; i < n; i++)
		for (k = 0; k < d; k++)
			for (j = 0; j < W; j++)
				g[k * W + (size_t)j] += x[i * ldx + k] * r[i * W + (size_t)j];
}

INLINE void axpy_body(size_t n, double a, const double *x, double *y)
{
	size_t i;

	for (i = 0; i < n; i++)
		y[i] += a * x[i];
}

/* Tile of h: ROWS rows at a0 and W columns at b0, over n records of packed panels xa [n][ROWS], xb
 * [n][W]. */
INLINE void syrk_tile_body(size_t n, const double *xa, const double *xb, double *tile)
{
	double acc[ROWS][W];
	size_t i;
	int r, j;

	memcpy(acc, tile, sizeof(acc));
	for (i = 0; i < n; i++) {
#pragma GCC unroll 4
		for (r = 0; r < ROWS; r++) {
			const double v = xa[i * ROWS + (size_t)r];

			for (j = 0; j < W; j++)
				acc[r][j] += v * xb[i * W + (size_t)j];
		}
	}
	memcpy(tile, acc, sizeof(acc));
}

/* Rotate rows p and q of a matrix: x' = c x - s y, y' = s x + c y. */
INLINE void rotate_body(size_t n, double c, double s, double *x, double *y)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const double u = x[i], v = y[i];

		x[i] = c * u - s * v;
		y[i] = s * u + c * v;
	}
}

/* ---- one copy per instruction set ---- */

typedef struct loops {
	double (*dot)(size_t, const double *, const double *);
	void (*mul_panel)(size_t, size_t, size_t, const double *, size_t, const double *, double *,
			  size_t);
	void (*mul_tn_panel)(size_t, size_t, const double *, size_t, const double *, double *);
	void (*axpy)(size_t, double, const double *, double *);
	void (*syrk_tile)(size_t, const double *, const double *, double *);
	void (*rotate)(size_t, double, double, double *, double *);
} loops;

#define LOOPS(isa, attribute) \
	attribute static double dot_##isa(size_t n, const double *a, const double *b) \
	{ \
		return dot_body(n, a, b); \
	} \
	attribute static void mul_panel_##isa(size_t n, size_t d, size_t cols, const double *x, \
					      size_t ldx, const double *w, double *y, size_t ldy) \
	{ \
		mul_panel_body(n, d, cols, x, ldx, w, y, ldy); \
	} \
	attribute static void mul_tn_panel_##isa(size_t n, size_t d, const double *x, size_t ldx, \
						 const double *r, double *g) \
	{ \
		mul_tn_panel_body(n, d, x, ldx, r, g); \
	} \
	attribute static void axpy_##isa(size_t n, double a, const double *x, double *y) \
	{ \
		axpy_body(n, a, x, y); \
	} \
	attribute static void syrk_tile_##isa(size_t n, const double *xa, const double *xb, \
					      double *tile) \
	{ \
		syrk_tile_body(n, xa, xb, tile); \
	} \
	attribute static void rotate_##isa(size_t n, double c, double s, double *x, double *y) \
	{ \
		rotate_body(n, c, s, x, y); \
	} \
	static const loops loops_##isa = {dot_##isa,  mul_panel_##isa, mul_tn_panel_##isa, \
					  axpy_##isa, syrk_tile_##isa, rotate_##isa}

LOOPS(portable, );
#ifdef __x86_64__
#ifdef __clang__
#define TARGET_AVX512 __attribute__((target("avx512f")))
#else
#define TARGET_AVX512 __attribute__((target("avx512f,prefer-vector-width=512")))
#endif
LOOPS(avx2, __attribute__((target("avx2"))));
LOOPS(avx512, TARGET_AVX512);
#endif

static const loops *active(void)
{
#ifdef __x86_64__
	switch (iso_isa_active()) {
	case ISO_ISA_AVX512:
		return &loops_avx512;
	case ISO_ISA_AVX2:
		return &loops_avx2;
	default:
		break;
	}
#endif
	return &loops_portable;
}

/* ---- products ---- */

/* Per thread, so that nothing allocates: a packed panel of weights or residuals, and one of
 * outputs. */
static _Thread_local double panel[RUN * W] __attribute__((aligned(64)));
static _Thread_local double narrow[RUN * ROWS] __attribute__((aligned(64)));

/* dst[n][width] = columns j0 .. j0+cols-1 of src, zeros behind. */
static void pack_columns(size_t n, const double *src, size_t ld, size_t cols, size_t width,
			 double *dst)
{
	size_t i, j;

	for (i = 0; i < n; i++) {
		for (j = 0; j < cols; j++)
			dst[i * width + j] = src[i * ld + j];
		for (; j < width; j++)
			dst[i * width + j] = 0;
	}
}

static size_t less(size_t a, size_t b)
{
	return a < b ? a : b;
}

void iso_dmul(size_t n, size_t d, size_t p, const double *x, const double *w, double *y)
{
	const loops *l = active();
	size_t i, j, k;

	if (n == 0 || p == 0)
		return;
	memset(y, 0, n * p * sizeof(*y));
	if (d == 0)
		return;
	if (p == 1) {
		for (i = 0; i < n; i++)
			y[i] = l->dot(d, x + i * d, w);
		return;
	}
	/* rows in blocks that stay in L2 while the runs of k pass over them: x is read from memory
	 * once */
	for (i = 0; i < n; i += 64)
		for (j = 0; j < p; j += W)
			for (k = 0; k < d; k += RUN) {
				const size_t run = less(RUN, d - k), cols = less(W, p - j);

				pack_columns(run, w + k * p + j, p, cols, W, panel);
				l->mul_panel(less(64, n - i), run, cols, x + i * d + k, d, panel,
					     y + i * p + j, p);
			}
}

/* Columns of g in runs of RUN through the packed accumulators. */
static void mul_tn_columns(const loops *l, size_t n, size_t d, size_t cols, const double *x,
			   size_t ldx, const double *r, size_t ldr, double *g, size_t ldg)
{
	static _Thread_local double acc[RUN * W] __attribute__((aligned(64)));
	size_t i;

	pack_columns(d, g, ldg, cols, W, acc);
	for (i = 0; i < n; i += RUN) {
		const size_t run = less(RUN, n - i);

		pack_columns(run, r + i * ldr, ldr, cols, W, panel);
		l->mul_tn_panel(run, d, x + i * ldx, ldx, panel, acc);
	}
	for (i = 0; i < d; i++)
		memcpy(g + i * ldg, acc + i * W, cols * sizeof(*g));
}

void iso_dmul_tn(size_t n, size_t d, size_t p, const double *x, const double *r, int beta,
		 double *g)
{
	const loops *l = active();
	size_t i, j, k;

	if (d == 0 || p == 0)
		return;
	if (!beta)
		memset(g, 0, d * p * sizeof(*g));
	if (p == 1) {
		for (i = 0; i < n; i++)
			l->axpy(d, r[i], x + i * d, g);
		return;
	}
	for (k = 0; k < d; k += RUN)
		for (j = 0; j < p; j += W)
			mul_tn_columns(l, n, less(RUN, d - k), less(W, p - j), x + k, d, r + j, p,
				       g + k * p + j, p);
}

void iso_dsyrk_weighted(size_t n, size_t d, const double *x, const double *w, int beta, double *h)
{
	const loops *l = active();
	double tile[ROWS * W];
	size_t i, a, b, r, j;

	if (!beta)
		memset(h, 0, d * d * sizeof(*h));
	for (i = 0; i < n; i += RUN) {
		const size_t run = less(RUN, n - i);

		for (b = 0; b < d; b += W) {
			const size_t cb = less(W, d - b);

			pack_columns(run, x + i * d + b, d, cb, W, panel);
			for (a = b; a < d;
			     a +=
			     ROWS) { /* lower triangle: rows at and below the panel's columns */
				const size_t ca = less(ROWS, d - a);

				pack_columns(run, x + i * d + a, d, ca, ROWS, narrow);
				for (j = 0; j < run; j++)
					for (r = 0; r < ROWS; r++)
						narrow[j * ROWS + r] *= w[i + j];
				pack_columns(ca, h + a * d + b, d, cb, W, tile);
				l->syrk_tile(run, narrow, panel, tile);
				for (r = 0; r < ca; r++)
					memcpy(h + (a + r) * d + b, tile + r * W, cb * sizeof(*h));
			}
		}
	}
	for (a = 0; a < d; a++)
		for (b = 0; b < a; b++)
			h[b * d + a] = h[a * d + b];
}

double iso_ddot(size_t n, const double *a, const double *b)
{
	return active()->dot(n, a, b);
}

/* ---- Cholesky ---- */

/* Row by row (Cholesky-Banachiewicz): L_ij = (A_ij - sum_{k<j} L_ik L_jk) / L_jj. */
iso_status iso_cholesky(double *a, size_t n, iso_error *err)
{
	const loops *l = active();
	size_t i, j;

	for (i = 0; i < n; i++) {
		double *ri = a + i * n, left;

		for (j = 0; j < i; j++)
			ri[j] = (ri[j] - l->dot(j, ri, a + j * n)) / a[j * n + j];
		left = ri[i] - l->dot(i, ri, ri);
		if (!(left > 0) || !isfinite(left))
			return iso_fail(err, ISO_E_NUMERIC,
					"matrix not positive definite (Cholesky, row %zu of %zu): "
					"pivot is %g; add a "
					"ridge or remove columns that depend on others",
					i + 1, n, left);
		ri[i] = sqrt(left);
	}
	return ISO_OK;
}

void iso_cholesky_solve(const double *l, size_t n, double *b)
{
	const loops *f = active();
	size_t i;

	for (i = 0; i < n; i++)
		b[i] = (b[i] - f->dot(i, l + i * n, b)) / l[i * n + i];
	for (i = n; i-- > 0;) {
		b[i] /= l[i * n + i];
		f->axpy(i, -b[i], l + i * n, b);
	}
}

/* ---- eigenvalues ---- */

/* Golub and Van Loan 2013, Matrix Computations, section 8.5: the rotation that zeroes a_pq. */
static void jacobi_rotate(const loops *l, double *a, size_t n, size_t p, size_t q, double *v)
{
	const double apq = a[p * n + q], theta = (a[q * n + q] - a[p * n + p]) / (2 * apq);
	const double t = (theta < 0 ? -1.0 : 1.0) / (fabs(theta) + sqrt(theta * theta + 1));
	const double c = 1 / sqrt(t * t + 1), s = t * c;
	size_t k;

	l->rotate(n, c, s, a + p * n, a + q * n);
	for (k = 0; k < n; k++) {
		const double x = a[k * n + p], y = a[k * n + q];

		a[k * n + p] = c * x - s * y;
		a[k * n + q] = s * x + c * y;
	}
	a[p * n + q] = 0;
	a[q * n + p] = 0;
	l->rotate(n, c, s, v + p * n, v + q * n);
}

/* Selection sort by value, descending; ties keep their order. */
static void sort_eigen(double *values, double *v, size_t n)
{
	size_t i, j, k;

	for (i = 0; i + 1 < n; i++) {
		size_t top = i;

		for (j = i + 1; j < n; j++)
			if (values[j] > values[top])
				top = j;
		for (k = 0; top != i && k < n; k++) {
			const double x = v[i * n + k];

			v[i * n + k] = v[top * n + k];
			v[top * n + k] = x;
		}
		if (top != i) {
			const double x = values[i];

			values[i] = values[top];
			values[top] = x;
		}
	}
}

/* Sum of squares off and on the diagonal. */
static void split_norm(const double *a, size_t n, double *off, double *all)
{
	size_t i, j;

	*off = *all = 0;
	for (i = 0; i < n; i++) {
		for (j = 0; j < n; j++) {
			const double x = a[i * n + j] * a[i * n + j];

			*all += x;
			*off += i == j ? 0 : x;
		}
	}
}

iso_status iso_eigen_symmetric(double *a, size_t n, double *values, double *v, iso_error *err)
{
	enum { SWEEPS = 60 };
	const loops *l = active();
	double off, all;
	size_t i, j, p, q;
	int sweep;

	for (i = 0; i < n; i++)
		for (j = 0; j < n; j++)
			v[i * n + j] = i == j;
	for (sweep = 0; sweep < SWEEPS; sweep++) {
		split_norm(a, n, &off, &all);
		if (!isfinite(all))
			return iso_fail(err, ISO_E_NUMERIC,
					"eigenvalues (%zu x %zu): the matrix is not finite; check "
					"its entries",
					n, n);
		if (off <= 1e-30 * all)
			break;
		for (p = 0; p + 1 < n; p++)
			for (q = p + 1; q < n; q++)
				if (a[p * n + q] != 0)
					jacobi_rotate(l, a, n, p, q, v);
	}
	ISO_FAIL_IF(
		sweep == SWEEPS, err, ISO_E_NUMERIC,
		"eigenvalues (%zu x %zu): Jacobi did not converge in %d sweeps; scale the matrix",
		n, n, (int)SWEEPS);
	for (i = 0; i < n; i++)
		values[i] = a[i * n + i];
	sort_eigen(values, v, n);
	return ISO_OK;
}
