// SPDX-License-Identifier: Apache-2.0
/* Design matrices; see design.h.
 *
 * With x' = (x - m) s, the sparse form never builds the dense x':  x' w = x (s w) - (m s w),
 * x'^T r = s (x^T r - m sum r),  and the Gram matrix is  s_j s_k (H_jk - m_j h_k - m_k h_j + m_j
 * m_k W)  where H, h, W are the weighted products x^T x, x^T 1, 1^T 1.
 */
#include "core/learn/design.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/gemm.h"
#include "core/math/linalg.h"

#define BODY static inline __attribute__((always_inline)) void
#define BLOCK 256     /* rows that are gathered at a time in the dense form */
#define PMAX 12	      /* columns of a product that are kept in registers */
#define SPARSE_AT 0.6 /* share of non-zeros below which the sparse form is kept */

static inline size_t row_of(const iso_design_view *v, size_t i)
{
	return v->row ? v->row[i] : i;
}

/* ---- building ---- */

static size_t count_nonzeros(const iso_source *s, float *buf)
{
	size_t nnz = 0;
	for (size_t i = 0; i < s->n; i += BLOCK) {
		const size_t m = s->n - i < BLOCK ? s->n - i : BLOCK;
		iso_source_get(s, NULL, i, m, buf, s->d);
		for (size_t e = 0; e < m * s->d; e++)
			nnz += buf[e] != 0;
	}
	return nnz;
}

static void fill_sparse(const iso_source *s, float *buf, iso_design *x)
{
	size_t at = 0;
	for (size_t i = 0; i < s->n; i++) {
		iso_source_get(s, NULL, i, 1, buf, s->d);
		for (size_t j = 0; j < s->d; j++)
			if (buf[j] != 0) {
				x->col[at] = (uint32_t)j;
				x->val[at++] = buf[j];
			}
		x->start[i + 1] = at;
	}
}

static void fill_dense(const iso_source *s, float *buf, iso_design *x)
{
	for (size_t i = 0; i < s->n; i++) {
		iso_source_get(s, NULL, i, 1, buf, s->d);
		for (size_t j = 0; j < s->d; j++)
			x->dense[i * s->d + j] = buf[j];
	}
}

iso_status iso_design_new(const iso_source *s, iso_design *out, iso_error *err)
{
	iso_design x = {.n = s->n, .d = s->d};
	float *buf = iso_alloc(BLOCK * s->d, sizeof(float));
	if (!buf)
		return iso_no_memory(err, "a block of encoded rows");
	const size_t nnz = count_nonzeros(s, buf);
	const int sparse = (double)nnz < SPARSE_AT * (double)s->n * (double)s->d;
	if (sparse) {
		x.start = iso_alloc(s->n + 1, sizeof(*x.start));
		x.col = iso_alloc(nnz, sizeof(*x.col));
		x.val = iso_alloc(nnz, sizeof(*x.val));
	} else {
		x.dense = iso_alloc(s->n, s->d * sizeof(double));
	}
	if (sparse ? !x.start || !x.col || !x.val : !x.dense) {
		iso_free(buf);
		iso_design_free(&x);
		return iso_no_memory(err, "the design matrix of a linear model");
	}
	if (sparse)
		fill_sparse(s, buf, &x);
	else
		fill_dense(s, buf, &x);
	iso_free(buf);
	*out = x;
	return ISO_OK;
}

iso_status iso_design_new_f64(const double *x, size_t n, size_t d, iso_design *out, iso_error *err)
{
	double *copy = iso_alloc(n, d * sizeof(double));
	if (!copy)
		return iso_no_memory(err, "the design matrix of a linear model");
	if (n > 0 && d > 0)
		memcpy(copy, x, n * d * sizeof(double));
	*out = (iso_design){.n = n, .d = d, .dense = copy};
	return ISO_OK;
}

void iso_design_free(iso_design *x)
{
	iso_free(x->dense);
	iso_free(x->start);
	iso_free(x->col);
	iso_free(x->val);
	*x = (iso_design){0};
}

/* ---- views ---- */

static size_t padded(size_t p)
{
	return p == 1 ? 1 : (p + 3) / 4 * 4;
}

/* Column sums of x (power 1) or of (x - shift)^2 (power 2) over the view's rows. */
static void column_sums(const iso_design_view *v, const double *shift, double *out)
{
	const iso_design *x = v->x;
	memset(out, 0, x->d * sizeof(*out));
	for (size_t i = 0; i < v->n; i++) {
		const size_t r = row_of(v, i);
		for (size_t j = 0; x->dense && j < x->d; j++) {
			const double e = x->dense[r * x->d + j] - (shift ? shift[j] : 0);
			out[j] += shift ? e * e : e;
		}
		for (size_t k = x->dense ? 0 : x->start[r]; !x->dense && k < x->start[r + 1]; k++) {
			const double m = shift ? shift[x->col[k]] : 0, e = (double)x->val[k] - m;
			out[x->col[k]] +=
				shift ? e * e - m * m : e; /* a zero entry would have added m * m */
		}
	}
	for (size_t j = 0; shift && !x->dense && j < x->d; j++)
		out[j] += (double)v->n * shift[j] * shift[j];
}

static void moments(iso_design_view *v)
{
	const double n = (double)v->n;
	column_sums(v, NULL, v->shift);
	for (size_t j = 0; j < v->x->d; j++)
		v->shift[j] = v->n ? v->shift[j] / n : 0;
	column_sums(v, v->shift, v->scale);
	for (size_t j = 0; j < v->x->d; j++) {
		const double var = v->n ? v->scale[j] / n : 0, m = v->shift[j];
		/* below the rounding of the sums the column is constant */
		v->scale[j] = var > 1e-14 * (m * m) && var > 1e-300 ? 1 / sqrt(var) : 1;
	}
}

iso_status iso_design_view_init(iso_design_view *v, const iso_design *x, const uint32_t *row,
				size_t n, size_t pmax, int standardise, iso_error *err)
{
	const size_t dense = BLOCK * (x->d + 1), sparse = (x->d + 1) * padded(pmax);
	*v = (iso_design_view){.x = x, .row = row, .n = n, .pmax = pmax};
	v->scratch = iso_alloc(dense > sparse ? dense : sparse, sizeof(double));
	if (standardise) {
		v->shift = iso_alloc(x->d, sizeof(double));
		v->scale = iso_alloc(x->d, sizeof(double));
	}
	if (!v->scratch || (standardise && (!v->shift || !v->scale))) {
		iso_design_view_free(v);
		return iso_no_memory(err, "the view of a design matrix");
	}
	if (standardise)
		moments(v);
	return ISO_OK;
}

void iso_design_view_free(iso_design_view *v)
{
	iso_free(v->shift);
	iso_free(v->scale);
	iso_free(v->scratch);
	*v = (iso_design_view){0};
}

/* Rows first .. first+m-1 of a dense view into the scratch, [m][d+1] with the ones. */
static void gather(const iso_design_view *v, size_t first, size_t m)
{
	const size_t d = v->x->d;
	for (size_t i = 0; i < m; i++) {
		const double *from = v->x->dense + row_of(v, first + i) * d;
		double *to = v->scratch + i * (d + 1);
		if (v->shift)
			for (size_t j = 0; j < d; j++)
				to[j] = (from[j] - v->shift[j]) * v->scale[j];
		else
			memcpy(to, from, d * sizeof(double));
		to[d] = 1;
	}
}

/* ---- products ---- */

/* P columns of w (or g) at a time stay in registers; `p` of them are real, `ld` is the row stride
 * of z (or r).  Vectors run across columns, multiplications and additions are rounded one by one:
 * the same bits in every version. */
BODY forward_body(const int P, const iso_design_view *v, size_t p, size_t ld,
		  const double *restrict w, double *restrict z)
{
	for (size_t i = 0; i < v->n; i++) {
		const size_t r = row_of(v, i), end = v->x->start[r + 1];
		double acc[PMAX];
		for (int c = 0; c < P; c++)
			acc[c] = w[v->x->d * (size_t)P + (size_t)c];
		for (size_t k = v->x->start[r]; k < end; k++) {
			const double *wk = w + (size_t)v->x->col[k] * (size_t)P,
				     e = (double)v->x->val[k];
			for (int c = 0; c < P; c++)
				acc[c] += e * wk[c];
		}
		for (size_t c = 0; c < p; c++)
			z[i * ld + c] = acc[c];
	}
}

BODY backward_body(const int P, const iso_design_view *v, size_t p, size_t ld,
		   const double *restrict rr, double *restrict g)
{
	for (size_t i = 0; i < v->n; i++) {
		const size_t r = row_of(v, i), end = v->x->start[r + 1];
		double ri[PMAX] = {0};
		for (size_t c = 0; c < p; c++)
			ri[c] = rr[i * ld + c];
		for (size_t k = v->x->start[r]; k < end; k++) {
			double *gk = g + (size_t)v->x->col[k] * (size_t)P;
			const double e = (double)v->x->val[k];
			for (int c = 0; c < P; c++)
				gk[c] += e * ri[c];
		}
		for (int c = 0; c < P; c++)
			g[v->x->d * (size_t)P + (size_t)c] += ri[c];
	}
}

/* q = padded(p) <= PMAX; in and out are w and z, or r and g. */
typedef void (*product)(const iso_design_view *v, size_t q, size_t p, size_t ld, const double *in,
			double *out);

#define VERSIONS(name, attribute) \
	attribute static void forward_##name(const iso_design_view *v, size_t q, size_t p, \
					     size_t ld, const double *w, double *z) \
	{ \
		switch (q) { \
		case 1: \
			forward_body(1, v, p, ld, w, z); \
			break; \
		case 4: \
			forward_body(4, v, p, ld, w, z); \
			break; \
		case 8: \
			forward_body(8, v, p, ld, w, z); \
			break; \
		default: \
			forward_body(PMAX, v, p, ld, w, z); \
		} \
	} \
	attribute static void backward_##name(const iso_design_view *v, size_t q, size_t p, \
					      size_t ld, const double *r, double *g) \
	{ \
		switch (q) { \
		case 1: \
			backward_body(1, v, p, ld, r, g); \
			break; \
		case 4: \
			backward_body(4, v, p, ld, r, g); \
			break; \
		case 8: \
			backward_body(8, v, p, ld, r, g); \
			break; \
		default: \
			backward_body(PMAX, v, p, ld, r, g); \
		} \
	}
VERSIONS(portable, )
#ifdef __x86_64__
VERSIONS(avx2, ISO_TARGET_AVX2)
#endif

static product pick(int backward)
{
#ifdef __x86_64__
	/* twelve columns are three vectors of four: wider ones gain nothing */
	if (iso_isa_active() != ISO_ISA_PORTABLE)
		return backward ? backward_avx2 : forward_avx2;
#endif
	return backward ? backward_portable : forward_portable;
}

static double column_scale(const iso_design_view *v, size_t j)
{
	return v->scale ? v->scale[j] : 1;
}

static double column_shift(const iso_design_view *v, size_t j)
{
	return v->shift ? v->shift[j] : 0;
}

/* p <= PMAX columns of w and z, both with row stride ld. */
static void sparse_forward(const iso_design_view *v, size_t p, size_t ld, const double *w,
			   double *z)
{
	const size_t d = v->x->d, q = padded(p);
	double *ws = v->scratch, *bias = ws + d * q;
	memset(ws, 0, (d + 1) * q * sizeof(*ws));
	memcpy(bias, w + d * ld, p * sizeof(*bias));
	for (size_t j = 0; j < d; j++)
		for (size_t c = 0; c < p; c++) {
			ws[j * q + c] = w[j * ld + c] * column_scale(v, j);
			bias[c] -= column_shift(v, j) * ws[j * q + c];
		}
	pick(0)(v, q, p, ld, ws, z);
}

static void sparse_backward(const iso_design_view *v, size_t p, size_t ld, const double *r,
			    double *g)
{
	const size_t d = v->x->d, q = padded(p);
	double *gs = v->scratch;
	memset(gs, 0, (d + 1) * q * sizeof(*gs));
	pick(1)(v, q, p, ld, r, gs);
	for (size_t j = 0; j < d; j++)
		for (size_t c = 0; c < p; c++)
			g[j * ld + c] = column_scale(v, j) *
					(gs[j * q + c] - column_shift(v, j) * gs[d * q + c]);
	memcpy(g + d * ld, gs + d * q, p * sizeof(*g));
}

void iso_design_forward(const iso_design_view *v, size_t p, const double *w, double *z)
{
	if (!v->x->dense) {
		for (size_t c = 0; c < p; c += PMAX)
			sparse_forward(v, p - c < PMAX ? p - c : PMAX, p, w + c, z + c);
		return;
	}
	for (size_t i = 0; i < v->n; i += BLOCK) {
		const size_t m = v->n - i < BLOCK ? v->n - i : BLOCK;
		gather(v, i, m);
		iso_dmul(m, v->x->d + 1, p, v->scratch, w, z + i * p);
	}
}

void iso_design_backward(const iso_design_view *v, size_t p, const double *r, double *g)
{
	if (!v->x->dense) {
		for (size_t c = 0; c < p; c += PMAX)
			sparse_backward(v, p - c < PMAX ? p - c : PMAX, p, r + c, g + c);
		return;
	}
	memset(g, 0, (v->x->d + 1) * p * sizeof(*g));
	for (size_t i = 0; i < v->n; i += BLOCK) {
		const size_t m = v->n - i < BLOCK ? v->n - i : BLOCK;
		gather(v, i, m);
		iso_dmul_tn(m, v->x->d + 1, p, v->scratch, r + i * p, 1, g);
	}
}

/* ---- Gram matrices ---- */

/* Lower triangle of the raw weighted products, the ones' row last. */
static void sparse_gram(const iso_design_view *v, const double *weight, double *h)
{
	const iso_design *x = v->x;
	const size_t q = x->d + 1;
	for (size_t i = 0; i < v->n; i++) {
		if (weight[i] == 0)
			continue;
		const size_t r = row_of(v, i), first = x->start[r], last = x->start[r + 1];
		double *ones = h + x->d * q;
		for (size_t k = first; k < last; k++) {
			const double t = weight[i] * (double)x->val[k];
			double *row = h + x->col[k] * q;
			for (size_t l = first; l <= k; l++)
				row[x->col[l]] += t * (double)x->val[l];
			ones[x->col[k]] += t;
		}
		ones[x->d] += weight[i];
	}
}

static void standardise_gram(const iso_design_view *v, double *h)
{
	const size_t d = v->x->d, q = d + 1;
	double *ones = h + d * q;
	for (size_t j = 0; j < d; j++)
		for (size_t k = 0; k <= j; k++) {
			const double mj = v->shift[j], mk = v->shift[k];
			h[j * q + k] =
				v->scale[j] * v->scale[k] *
				(h[j * q + k] - mj * ones[k] - mk * ones[j] + mj * mk * ones[d]);
		}
	for (size_t j = 0; j < d; j++)
		ones[j] = v->scale[j] * (ones[j] - v->shift[j] * ones[d]);
}

void iso_design_gram(const iso_design_view *v, const double *weight, double *h)
{
	const size_t q = v->x->d + 1;
	memset(h, 0, q * q * sizeof(*h));
	for (size_t i = 0; v->x->dense && i < v->n; i += BLOCK) {
		const size_t m = v->n - i < BLOCK ? v->n - i : BLOCK;
		gather(v, i, m);
		iso_dsyrk_weighted(m, q, v->scratch, weight + i, 1, h);
	}
	if (v->x->dense)
		return;
	sparse_gram(v, weight, h);
	if (v->shift)
		standardise_gram(v, h);
	for (size_t j = 0; j < q; j++)
		for (size_t k = 0; k < j; k++)
			h[k * q + j] = h[j * q + k];
}

void iso_design_gram_diagonal(const iso_design_view *v, const double *weight, double *diag)
{
	const iso_design *x = v->x;
	memset(diag, 0, (x->d + 1) * sizeof(*diag));
	double total = 0;
	for (size_t i = 0; i < v->n; i++) {
		const size_t r = row_of(v, i);
		total += weight[i];
		for (size_t j = 0; x->dense && j < x->d; j++) {
			const double e =
				(x->dense[r * x->d + j] - column_shift(v, j)) * column_scale(v, j);
			diag[j] += weight[i] * e * e;
		}
		for (size_t k = x->dense ? 0 : x->start[r]; !x->dense && k < x->start[r + 1]; k++) {
			const size_t j = x->col[k];
			const double m = column_shift(v, j), e = (double)x->val[k] - m,
				     s = column_scale(v, j);
			diag[j] += weight[i] * (e * e - m * m) * s * s;
		}
	}
	for (size_t j = 0; !x->dense && j < x->d; j++) {
		const double m = column_shift(v, j) * column_scale(v, j);
		diag[j] = fmax(0, diag[j] + total * m * m);
	}
	diag[x->d] = total;
}

double iso_design_gram_cost(const iso_design_view *v)
{
	const double d = (double)v->x->d;
	double cost = 0;
	if (v->x->dense)
		return 0.5 * d * d * (double)v->n;
	for (size_t i = 0; i < v->n; i++) {
		const size_t r = row_of(v, i);
		const double k = (double)(v->x->start[r + 1] - v->x->start[r]);
		cost += 0.5 * k * k;
	}
	return cost;
}
