// SPDX-License-Identifier: Apache-2.0
/* The matrix of a linear model in double precision: stored sparse (compressed rows) when at least
 * 40 % of it is zero, else dense.  Columns may be standardised on the fly, without storing the
 * result; every sum has one fixed order, so that bits depend neither on the CPU nor on anything
 * else. */
#ifndef ISO_LEARN_DESIGN_H
#define ISO_LEARN_DESIGN_H

#include "core/learn/source.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_design {
	size_t n, d;
	double *dense; /* [n][d], or NULL: sparse */
	size_t *start; /* [n+1] */
	uint32_t *col; /* [nnz], ascending within a row */
	float *val;    /* [nnz] */
} iso_design;	       /* owns its arrays */

iso_status iso_design_new(const iso_source *s, iso_design *out, iso_error *err) ISO_MUST_CHECK;
/* Always dense: exact doubles, not through float. */
iso_status iso_design_new_f64(const double *x, size_t n, size_t d, iso_design *out,
			      iso_error *err) ISO_MUST_CHECK;
void iso_design_free(iso_design *x);

/* Some rows of a design, each column as (x - shift) * scale, with a last column of ones for the
 * intercept: what a linear learner multiplies with. */
typedef struct iso_design_view {
	const iso_design *x; /* borrowed */
	const uint32_t *row; /* [n] borrowed; NULL = all */
	size_t n;
	double *shift, *scale; /* [d] owned; NULL = 0 and 1 */
	size_t pmax;	       /* widest w or r */
	double *scratch;       /* owned */
} iso_design_view;

/* standardise: shift = mean and scale = 1/sd (ddof 0; 1 for a constant column) over these very
 * rows. */
iso_status iso_design_view_init(iso_design_view *v, const iso_design *x, const uint32_t *row,
				size_t n, size_t pmax, int standardise,
				iso_error *err) ISO_MUST_CHECK;
void iso_design_view_free(iso_design_view *v);
/* z[n][p] = [x 1] w; w [d+1][p]. */
void iso_design_forward(const iso_design_view *v, size_t p, const double *w, double *z);
/* g[d+1][p] = [x 1]^T r; r [n][p]. */
void iso_design_backward(const iso_design_view *v, size_t p, const double *r, double *g);
/* h[d+1][d+1] = [x 1]^T diag(weight) [x 1], both triangles; rows with weight 0 cost nothing in
 * sparse form. */
void iso_design_gram(const iso_design_view *v, const double *weight, double *h);
/* The diagonal of that matrix alone, [d+1]. */
void iso_design_gram_diagonal(const iso_design_view *v, const double *weight, double *diag);
/* Multiplications that a full Gram matrix takes, for choosing between methods. */
double iso_design_gram_cost(const iso_design_view *v);

#ifdef __cplusplus
}
#endif

#endif
