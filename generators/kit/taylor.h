// SPDX-License-Identifier: Apache-2.0
/* An auto-encoder by the functional mechanism (Zhang et al. 2012; Phan et al. 2016): the
 * coefficients of the second-order Taylor polynomial of its cross-entropy are released once, and
 * the decoder is solved from them in closed form.
 *
 * Per record, for output j with logit s = w_j . h:
 *     log(1 + e^s) - u_j s  ~  log 2 + s/2 + s^2/8 - u_j s
 * so what depends on data is  A = sum_i h_i (1/2 - u_i)^T  and  M = sum_i h_i h_i^T, the same M for
 * all j.  They are functions of the data alone only if the encoder is: it is random and public, h =
 * (1, g),  g = tanh((W u + c) / 2) clipped to L2 norm rho,  W ~ N(0, 4 / blocks of the row) with c
 * such that the middle of the public domain falls near g = 0.
 *
 * RELEASED SUMS of one record, as blocks with a bound each:
 *     h (t - u)^T   t_j = 1/2 for numbers, 0 for categories (the difference is a multiple of sum h,
 *                   which M holds): L2 at most R |t - u|, R^2 = 1 + rho^2, |t - u|^2 <= 1 per
 * one-hot block, 1/4 per number upper triangle of h h^T:  L2 at most R^2 (u_j - 1/2)^2 of numeric
 * columns: L2 at most sqrt(numbers) / 4.  For the deviation around the decoded mean.
 */
#ifndef ISO_GENERATORS_KIT_TAYLOR_H
#define ISO_GENERATORS_KIT_TAYLOR_H

#include "core/privacy/mechanism.h"
#include "generators/generator.h"
#include "generators/kit/parts.h"
#include "generators/kit/rows.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_taylor {
	const iso_encoder *enc; /* borrowed: the blocks of the input; NULL: codes, all numbers */
	size_t in, code;	/* d, b */
	size_t nnumber;		/* numeric columns with a deviation of their own; 0 without enc */
	double radius;		/* rho */
	double *w;		/* [b][d], public */
	double *c;		/* [b], public */
	double *sum;		/* released: A [b+1][d], M upper triangle, squares; owned */
	double noise;		/* standard deviation of M's entries, public */
	/* derived by iso_taylor_solve: */
	double rows;   /* released number of records, at least 1 */
	double *mean;  /* [b] of g */
	double *chol;  /* [b][b] lower factor of the covariance of g */
	double *first; /* [d] mean of u */
	double *slope; /* [b][d] of u in g */
	double *sd;    /* [nnumber] deviation around the decoded mean */
} iso_taylor;

/* Draws the public encoder from `key`.  On failure *t is empty. */
iso_status iso_taylor_new(const iso_encoder *enc, size_t in, size_t code, double radius,
			  iso_key key, iso_taylor *t, iso_error *err) ISO_MUST_CHECK;
void iso_taylor_free(iso_taylor *t);
size_t iso_taylor_sums(const iso_taylor *t); /* numbers in one record's vector */
/* The blocks of the release, for one norm; returns how many (2 or 3). */
size_t iso_taylor_blocks(const iso_taylor *t, iso_norm norm, iso_sum_block block[3]);
/* Codes g [b] of an input u [d]. */
void iso_taylor_code(const iso_taylor *t, const double *u, double *g);
/* One record's vector of coefficients [iso_taylor_sums]; work [b]. */
void iso_taylor_record(const iso_taylor *t, const double *u, double *work, double *x);
/* The decoder and the law of the codes from t->sum and t->noise.  The ridge on the covariance of
 * the codes is what noise alone can give it: noise sqrt(b). */
iso_status iso_taylor_solve(iso_taylor *t, iso_error *err) ISO_MUST_CHECK;
/* A code drawn from N(mean, covariance), clipped to [-1, 1]. */
void iso_taylor_draw(const iso_taylor *t, iso_key key, uint64_t row, double *g);
/* Decoded means u [d] of a code g [b]: 1/2 + s/4, the minimiser of the polynomial. */
void iso_taylor_decode(const iso_taylor *t, const double *g, double *u);

void iso_taylor_save(iso_str *out, const iso_taylor *t);
iso_status iso_taylor_take(iso_parts *in, iso_taylor *t, iso_error *err) ISO_MUST_CHECK;

/* ---- Layers on top of each other: the codes of one, moved to [0,1], are the rows of the next ----
 */
#define ISO_TAYLOR_LAYERS 2
typedef struct iso_taylor_stack {
	size_t layers;
	iso_taylor layer[ISO_TAYLOR_LAYERS];
	double *tilt; /* [d] factors of the categories; owned */
} iso_taylor_stack;
/* Each layer has half the units of the one below.  On failure the stack may be half made: free it.
 */
iso_status iso_taylor_stack_new(const iso_encoder *enc, size_t code, size_t layers, double radius,
				iso_key key, iso_taylor_stack *s, iso_error *err) ISO_MUST_CHECK;
void iso_taylor_stack_free(iso_taylor_stack *s);
/* Streams the rows' coefficients of layer l through one call of `entry` and solves the layer. */
iso_status iso_taylor_release(iso_taylor_stack *s, size_t l, const iso_fit *f, iso_entry entry,
			      iso_norm norm, const iso_class_rows *rows,
			      iso_error *err) ISO_MUST_CHECK;
/* After the last layer is solved.  Decoded probabilities are linear in a Gaussian code, and cutting
 * them off at zero moves their mean; factors per category are fitted to 1,024 drawn codes so that
 * the mean is the released one again.  Post-processing. */
iso_status iso_taylor_calibrate(iso_taylor_stack *s, iso_error *err) ISO_MUST_CHECK;
size_t iso_taylor_stack_work(const iso_taylor_stack *s); /* numbers of scratch of a draw */
/* Row `i` of a sample: an encoded row x. */
void iso_taylor_stack_draw(const iso_taylor_stack *s, iso_key key, uint64_t i, double *work,
			   float *x);

#ifdef __cplusplus
}
#endif

#endif
