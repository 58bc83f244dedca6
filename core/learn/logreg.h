// SPDX-License-Identifier: Apache-2.0
/* L2-regularised logistic regression, converged.
 *
 * Minimises  1/2 |w|^2 + C sum_i loss_i  with the intercept unpenalised (scikit-learn's
 * convention), by Newton's method. Two classes: the binary logistic loss.  More: one softmax over
 * all classes (multinomial), or one binary model a class (one versus the rest; its scores are not
 * normalised over the classes).  Classes without training rows get probability 0; with one class in
 * the training rows the classifier is constant.
 */
#ifndef ISO_LEARN_LOGREG_H
#define ISO_LEARN_LOGREG_H

#include "core/learn/design.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum iso_scheme { ISO_MULTINOMIAL, ISO_ONE_VS_REST } iso_scheme;

typedef struct iso_logreg_config {
	double c; /* inverse strength of the penalty, > 0; infinity = no penalty */
	iso_scheme scheme;
	int standardise;       /* by the mean and sd of the training rows */
	double tolerance;      /* on the Euclidean norm of the gradient */
	size_t max_iterations; /* Newton steps */
} iso_logreg_config;
iso_logreg_config iso_logreg_default(void); /* C = 1, multinomial, 1e-8, 200 */

typedef struct iso_logreg {
	size_t d, classes; /* columns; classes of the labels */
	size_t p; /* columns of w: 1 (two classes), 0 (one class) or one per present class */
	iso_scheme scheme;
	uint32_t *present; /* owned [npresent]: classes with training rows */
	size_t npresent;
	double *w; /* owned [d+1][p]: for raw columns (standardisation folded in), the intercept
		      last */
	double gradient; /* norm reached (the largest over the models of one-versus-rest) */
	size_t iterations, products; /* Newton steps; products with the Hessian */
	int converged;
} iso_logreg;

/* y [row of x] = class 0..classes-1; trained on the rows row[0..n-1] of x (NULL: the first n). Not
 * converging within the limit is not an error: `converged` says so. */
iso_status iso_logreg_fit(const iso_logreg_config *c, const iso_design *x, const uint32_t *row,
			  size_t n, const uint32_t *y, size_t classes, iso_logreg *out,
			  iso_error *err) ISO_MUST_CHECK;
void iso_logreg_free(iso_logreg *m);
/* prob [n][classes] of the rows of x (row NULL = the first n). */
iso_status iso_logreg_predict(const iso_logreg *m, const iso_design *x, const uint32_t *row,
			      size_t n, double *prob, iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
