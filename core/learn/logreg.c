// SPDX-License-Identifier: Apache-2.0
/* Newton's method with preconditioned conjugate gradients; see logreg.h.
 *
 * The Newton equation H s = -g is solved by conjugate gradients, the Hessian being used only in
 * products
 *
 *     H v = v' + X^T R,   R_i = C (diag(p_i) - p_i p_i^T) (X v)_i        (v' = v without the
 * intercept's row)
 *
 * so that 60,000 x 784 x 10 fits.  Preconditioner: for each class the Cholesky factor of I + C X^T
 * diag(p (1 - p)) X. With one output that is the Hessian itself and the method is plain Newton;
 * with softmax it is the block diagonal, whose spectrum relative to H is bounded by 2 (the coupling
 * of two classes can at most double or cancel).  On large problems rows whose weight is negligible
 * are left out of the factor and it is renewed only when the iteration slows down: that changes the
 * path, never the solution.  Step lengths by Armijo's rule on z = X w + t X s, which needs no pass
 * over X.
 */
#include "core/learn/logreg.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/linalg.h"
#include "core/math/vmath.h"

#define CHEAP_FACTOR 3e7  /* multiplications up to which exact factors are made at every step */
#define FACTOR_MEMORY 5e8 /* bytes; beyond, only the diagonal preconditions */
#define WARM_ROWS 20000	  /* from so many rows on, a fit to every eighth row is the start */
#define WARM_STEP 8

iso_logreg_config iso_logreg_default(void)
{
	return (iso_logreg_config){
		.c = 1, .scheme = ISO_MULTINOMIAL, .tolerance = 1e-8, .max_iterations = 200};
}

/* One optimisation: p = 1 with targets 0/1, or p > 1 with softmax. */
typedef struct problem {
	const iso_design_view *x;
	size_t n, q, p;				       /* q = d + 1 */
	const uint32_t *y;			       /* [n] 0..p-1, or 0/1 */
	double c, penalty;			       /* loss weight; 1, or 0 without a penalty */
	double *w, *g, *step, *res, *dir, *hdir, *pre; /* [q][p] */
	double *z, *zs, *prob, *r;		       /* [n][p] */
	double *weight;				       /* [n] */
	double *column;				       /* [q] */
	double *factor;				       /* [p][q][q], or [p][q] when diagonal */
	const double *gram; /* [q][q] X^T X for the first factors of a large problem, borrowed; NULL
			       = not used */
	int diagonal, exact;
	size_t products;
} problem;

static void *slice(double **at, size_t n)
{
	double *p = *at;
	*at += (n + 7) / 8 * 8;
	return p;
}

static iso_status problem_init(problem *o, const iso_design_view *x, size_t p, iso_error *err)
{
	const size_t q = x->x->d + 1, qp = (q * p + 7) / 8 * 8, np = (x->n * p + 7) / 8 * 8;
	const double cost = iso_design_gram_cost(x) + (double)q * (double)q * (double)q / 6;
	*o = (problem){.x = x, .n = x->n, .q = q, .p = p};
	o->exact = cost * (double)p < CHEAP_FACTOR;
	o->diagonal = (double)q * (double)q * (double)p * 8 > FACTOR_MEMORY;
	double *at = iso_alloc(8 * qp + 4 * np + x->n + 8, sizeof(double));
	o->factor = at ? iso_alloc(p * q, (o->diagonal ? 1 : q) * sizeof(double)) : NULL;
	if (!o->factor) {
		iso_free(at);
		return iso_no_memory(err, "the Newton system of a logistic regression");
	}
	o->w = slice(&at, q * p);
	o->g = slice(&at, q * p);
	o->step = slice(&at, q * p);
	o->res = slice(&at, q * p);
	o->dir = slice(&at, q * p);
	o->hdir = slice(&at, q * p);
	o->pre = slice(&at, q * p);
	o->z = slice(&at, x->n * p);
	o->zs = slice(&at, x->n * p);
	o->prob = slice(&at, x->n * p);
	o->r = slice(&at, x->n * p);
	o->column = slice(&at, q);
	o->weight = slice(&at, x->n);
	return ISO_OK;
}

static void problem_free(problem *o)
{
	iso_free(o->w); /* the first slice is the block */
	iso_free(o->factor);
}

/* ---- the function and its derivatives ---- */

/* Loss of one row of logits; fills its probabilities when prob is not NULL. */
static double row_loss(const double *z, size_t p, uint32_t y, double *prob)
{
	if (p == 1) {
		if (prob)
			*prob = iso_sigmoid(*z);
		return iso_softplus(y ? -*z : *z);
	}
	double top = z[0], sum = 0;
	for (size_t k = 1; k < p; k++)
		top = z[k] > top ? z[k] : top;
	for (size_t k = 0; k < p; k++) {
		const double e = iso_exp(z[k] - top);
		if (prob)
			prob[k] = e;
		sum += e;
	}
	for (size_t k = 0; prob && k < p; k++)
		prob[k] /= sum;
	return iso_log(sum) - (z[y] - top);
}

static double penalty_of(const problem *o, double t)
{
	double s = 0;
	for (size_t e = 0; e < (o->q - 1) * o->p; e++) {
		const double w = o->w[e] + t * o->step[e];
		s += w * w;
	}
	return 0.5 * o->penalty * s;
}

/* Value at w + t step, from z + t zs alone. */
static double value_along(const problem *o, double t)
{
	double s = 0, *buf = o->r; /* free between steps */
	for (size_t i = 0; i < o->n; i++) {
		for (size_t k = 0; k < o->p; k++)
			buf[k] = o->z[i * o->p + k] + t * o->zs[i * o->p + k];
		s += row_loss(buf, o->p, o->y[i], NULL);
	}
	return o->c * s + penalty_of(o, t);
}

/* z, prob and g at w; returns the value. */
static double evaluate(problem *o)
{
	double s = 0;
	iso_design_forward(o->x, o->p, o->w, o->z);
	for (size_t i = 0; i < o->n; i++) {
		double *pi = o->prob + i * o->p, *ri = o->r + i * o->p;
		s += row_loss(o->z + i * o->p, o->p, o->y[i], pi);
		for (size_t k = 0; k < o->p; k++) {
			const double target = o->p == 1 ? (double)o->y[i] : (double)(o->y[i] == k);
			ri[k] = o->c * (pi[k] - target);
		}
	}
	iso_design_backward(o->x, o->p, o->r, o->g);
	for (size_t e = 0; e < (o->q - 1) * o->p; e++)
		o->g[e] += o->penalty * o->w[e];
	double penalty = 0;
	for (size_t e = 0; e < (o->q - 1) * o->p; e++)
		penalty += o->w[e] * o->w[e];
	return o->c * s + 0.5 * o->penalty * penalty;
}

/* hv = H v; leaves X v in zv. */
static void hessian_product(problem *o, const double *v, double *zv, double *hv)
{
	const size_t p = o->p;
	iso_design_forward(o->x, p, v, zv);
	for (size_t i = 0; i < o->n; i++) {
		const double *pi = o->prob + i * p, *u = zv + i * p;
		double *ri = o->r + i * p, mean = 0;
		for (size_t k = 0; k < p; k++)
			mean += pi[k] * u[k];
		for (size_t k = 0; k < p; k++)
			ri[k] = o->c * pi[k] * (p == 1 ? (1 - pi[k]) * u[k] : u[k] - mean);
	}
	iso_design_backward(o->x, p, o->r, hv);
	for (size_t e = 0; e < (o->q - 1) * p; e++)
		hv[e] += o->penalty * v[e];
	o->products++;
}

/* ---- preconditioner ---- */

/* weight[i] = C p (1 - p) of class k; returns the mean. */
static double class_weights(problem *o, size_t k)
{
	const double drop = o->exact ? 0 : 2e-3;
	double sum = 0;
	for (size_t i = 0; i < o->n; i++) {
		const double pk = o->prob[i * o->p + k], w = pk * (1 - pk);
		o->weight[i] = w > drop ? o->c * w : 0;
		sum += o->c * w;
	}
	return sum / (double)o->n;
}

/* Factor of class k's block from h = X^T diag(weight) X in place.  The ridge keeps a separable or
 * unpenalised problem positive definite. */
static iso_status factor_block(const problem *o, double *h, iso_error *err)
{
	double trace = 0;
	for (size_t j = 0; j < o->q; j++)
		trace += h[j * o->q + j];
	const double ridge = 1e-13 * trace + 1e-12;
	for (size_t j = 0; j < o->q; j++)
		h[j * o->q + j] += (j + 1 < o->q ? o->penalty : 0) + ridge;
	return iso_cholesky(h, o->q, err);
}

static iso_status renew_factors(problem *o, int first, iso_error *err)
{
	const size_t q = o->q;
	for (size_t k = 0; k < o->p; k++) {
		double *f = o->factor + k * q * (o->diagonal ? 1 : q);
		const double mean = class_weights(o, k);
		if (o->diagonal) {
			iso_design_gram_diagonal(o->x, o->weight, f);
			for (size_t j = 0; j < q; j++)
				f[j] += (j + 1 < q ? o->penalty : 0) + 1e-10 * o->c;
			continue;
		}
		if (first && o->gram) /* all rows weigh the same at the start */
			for (size_t e = 0; e < q * q; e++)
				f[e] = mean * o->gram[e];
		else
			iso_design_gram(o->x, o->weight, f);
		ISO_TRY(factor_block(o, f, err));
	}
	return ISO_OK;
}

/* pre = M^-1 res */
static void precondition(problem *o)
{
	const size_t q = o->q, p = o->p;
	double *col = o->column;
	for (size_t k = 0; k < p; k++) {
		const double *f = o->factor + k * q * (o->diagonal ? 1 : q);
		for (size_t j = 0; j < q; j++)
			col[j] = o->res[j * p + k];
		for (size_t j = 0; o->diagonal && j < q; j++)
			col[j] /= f[j];
		if (!o->diagonal)
			iso_cholesky_solve(f, q, col);
		for (size_t j = 0; j < q; j++)
			o->pre[j * p + k] = col[j];
	}
}

/* ---- iteration ---- */

static double norm(const double *x, size_t n)
{
	return sqrt(iso_ddot(n, x, x));
}

/* step ~ -H^-1 g to |residual| <= goal; returns the number of products. */
static size_t solve_newton(problem *o, double goal)
{
	const size_t n = o->q * o->p, limit = 500;
	memset(o->step, 0, n * sizeof(double));
	for (size_t e = 0; e < n; e++)
		o->res[e] = -o->g[e];
	precondition(o);
	memcpy(o->dir, o->pre, n * sizeof(double));
	double rz = iso_ddot(n, o->res, o->pre);
	size_t it = 0;
	while (it < limit) {
		hessian_product(o, o->dir, o->zs, o->hdir);
		it++;
		const double curve = iso_ddot(n, o->dir, o->hdir);
		if (!(curve > 0))
			break;
		const double a = rz / curve;
		for (size_t e = 0; e < n; e++) {
			o->step[e] += a * o->dir[e];
			o->res[e] -= a * o->hdir[e];
		}
		if (!(norm(o->res, n) > goal))
			break;
		precondition(o);
		const double next = iso_ddot(n, o->res, o->pre), b = next / rz;
		if (!(next > 0))
			break;
		for (size_t e = 0; e < n; e++)
			o->dir[e] = o->pre[e] + b * o->dir[e];
		rz = next;
	}
	return it;
}

/* Armijo's rule with a slack for the rounding of the value; 0 = no step helps. */
static double step_length(problem *o, double value)
{
	const double slope = iso_ddot(o->q * o->p, o->g, o->step),
		     slack = 1e-13 * (fabs(value) + 1);
	if (!(slope < 0))
		return 0;
	iso_design_forward(o->x, o->p, o->step, o->zs);
	for (double t = 1; t > 1e-12; t *= 0.5)
		if (value_along(o, t) <= value + 1e-4 * t * slope + slack)
			return t;
	return 0;
}

static iso_status minimise(problem *o, const iso_logreg_config *c, iso_logreg *m, iso_error *err)
{
	const size_t n = o->q * o->p;
	double value = evaluate(o), norm0 = norm(o->g, n), now = norm0, best = now;
	size_t it = 0, last = 0, stuck = 0;
	while (now > c->tolerance && it < c->max_iterations && stuck < 4) {
		/* as good a solution of the Newton equation as the distance from the optimum
		 * deserves (Eisenstat & Walker 1996), and not better than the answer is wanted */
		const double goal = fmax(fmin(0.1, sqrt(now / norm0)) * now, 0.3 * c->tolerance);
		if (!it || o->exact || last > 10)
			ISO_TRY(renew_factors(o, !it, err));
		last = solve_newton(o, goal);
		const double t = step_length(o, value);
		if (t == 0)
			break;
		for (size_t e = 0; e < n; e++)
			o->w[e] += t * o->step[e];
		value = evaluate(o);
		now = norm(o->g, n);
		ISO_FAIL_IF(!isfinite(now), err, ISO_E_NUMERIC,
			    "logistic regression (step %zu): the gradient is not finite; check the "
			    "features",
			    it);
		stuck = now < 0.5 * best ? 0 : stuck + 1;
		best = fmin(best, now);
		it++;
	}
	m->gradient = fmax(m->gradient, now);
	m->iterations += it;
	m->products += o->products;
	m->converged = m->converged && now <= c->tolerance;
	return ISO_OK;
}

/* ---- models ---- */

/* Start at the intercepts that give the class shares. */
static void start_at_shares(problem *o)
{
	double *bias = o->w + (o->q - 1) * o->p, mean = 0;
	memset(o->w, 0, o->q * o->p * sizeof(double));
	for (size_t i = 0; i < o->n; i++)
		if (o->p > 1 || o->y[i])
			bias[o->p == 1 ? 0 : o->y[i]] += 1;
	for (size_t k = 0; k < o->p; k++) {
		bias[k] = iso_log(o->p == 1 ? bias[k] / ((double)o->n - bias[k]) : bias[k]);
		mean += bias[k] / (double)o->p;
	}
	for (size_t k = 0; o->p > 1 && k < o->p; k++)
		bias[k] -= mean;
}

/* Start at column `first` onwards of a model on raw columns: the inverse of `store`. */
static void start_at(problem *o, const iso_logreg *m, size_t first)
{
	const size_t d = o->q - 1, p = o->p;
	for (size_t k = 0; k < p; k++) {
		double b = m->w[d * m->p + first + k];
		for (size_t j = 0; j < d; j++) {
			const double w = m->w[j * m->p + first + k];
			o->w[j * p + k] = w / (o->x->scale ? o->x->scale[j] : 1);
			b += w * (o->x->shift ? o->x->shift[j] : 0);
		}
		o->w[d * p + k] = b;
	}
}

/* Column `first` onwards of m->w = the solution on raw columns; the softmax intercepts with mean 0.
 */
static void store(const problem *o, iso_logreg *m, size_t first)
{
	const size_t d = o->q - 1, p = o->p;
	double mean = 0;
	for (size_t k = 0; k < p; k++)
		mean += p > 1 ? o->w[d * p + k] / (double)p : 0;
	for (size_t k = 0; k < p; k++) {
		double b = o->w[d * p + k] - mean;
		for (size_t j = 0; j < d; j++) {
			const double w = o->w[j * p + k] * (o->x->scale ? o->x->scale[j] : 1);
			m->w[j * m->p + first + k] = w;
			b -= w * (o->x->shift ? o->x->shift[j] : 0);
		}
		m->w[d * m->p + first + k] = b;
	}
}

/* One binary model per class of y, or a single model; warm: where to start, or NULL. */
static iso_status fit_models(const iso_logreg_config *c, const iso_design_view *x,
			     const uint32_t *y, size_t models, uint32_t *target,
			     const iso_logreg *warm, iso_logreg *m, iso_error *err)
{
	problem o;
	iso_status st = ISO_OK;
	double *gram = NULL;
	ISO_TRY(problem_init(&o, x, models > 1 ? 1 : m->p, err));
	o.c = isinf(c->c) ? 1 : c->c;
	o.penalty = isinf(c->c) ? 0 : 1;
	if (!o.exact && !o.diagonal) {
		gram = iso_alloc(o.q * o.q, sizeof(double));
		if (!gram) {
			st = iso_no_memory(err, "the Gram matrix of a logistic regression");
			goto out;
		}
		for (size_t i = 0; i < o.n; i++)
			o.weight[i] = 1;
		iso_design_gram(x, o.weight, gram);
		o.gram = gram;
	}
	for (size_t k = 0; k < models; k++) {
		for (size_t i = 0; i < o.n; i++)
			target[i] = models > 1 ? y[i] == k : y[i];
		o.y = target;
		o.products = 0;
		if (warm)
			start_at(&o, warm, k);
		else
			start_at_shares(&o);
		ISO_TRY_OUT(minimise(&o, c, m, err));
		store(&o, m, k);
	}
out:
	iso_free(gram);
	problem_free(&o);
	return st;
}

/* Present classes, and each row's class as its place among them (y2 [2n], the second half is
 * scratch for targets). */
static iso_status present_classes(const uint32_t *row, size_t n, const uint32_t *y, size_t classes,
				  iso_logreg *m, uint32_t **y2, iso_error *err)
{
	m->present = iso_alloc(classes, sizeof(*m->present));
	*y2 = iso_alloc(2 * n + classes, sizeof(**y2));
	if (!m->present || !*y2)
		return iso_no_memory(err, "the labels of a classifier");
	uint32_t *place = *y2 + 2 * n;
	for (size_t i = 0; i < n; i++) {
		const uint32_t c = y[row ? row[i] : i];
		ISO_FAIL_IF(c >= classes, err, ISO_E_DATA,
			    "label %u of training row %zu is not below %zu classes", c, i, classes);
		place[c] = 1;
	}
	for (size_t c = 0; c < classes; c++)
		if (place[c]) {
			place[c] = (uint32_t)m->npresent;
			m->present[m->npresent++] = (uint32_t)c;
		}
	for (size_t i = 0; i < n; i++)
		(*y2)[i] = place[y[row ? row[i] : i]];
	return ISO_OK;
}

/* A rough fit to every eighth row, the penalty in proportion: on many rows most of Newton's way
 * costs an eighth.  Where a class has no row among them warm->w stays NULL. */
static iso_status warm_up(const iso_logreg_config *c, const iso_design *x, const uint32_t *row,
			  size_t n, const uint32_t *y, size_t classes, size_t npresent,
			  iso_logreg *warm, iso_error *err)
{
	iso_logreg_config rough = *c;
	uint32_t *some = iso_alloc(n / WARM_STEP + 1, sizeof(*some));
	size_t m = 0;
	if (!some)
		return iso_no_memory(err, "the rows of a first fit");
	for (size_t i = 0; i < n; i += WARM_STEP)
		some[m++] = row ? row[i] : (uint32_t)i;
	rough.c *= WARM_STEP;
	rough.tolerance = fmax(c->tolerance, 1e-5 * (double)n * (isinf(c->c) ? 1 : c->c));
	const iso_status st = iso_logreg_fit(&rough, x, some, m, y, classes, warm, err);
	iso_free(some);
	if (st == ISO_OK && warm->npresent < npresent)
		iso_logreg_free(warm);
	return st;
}

iso_status iso_logreg_fit(const iso_logreg_config *c, const iso_design *x, const uint32_t *row,
			  size_t n, const uint32_t *y, size_t classes, iso_logreg *out,
			  iso_error *err)
{
	ISO_FAIL_IF(!n || !classes, err, ISO_E_DATA, "logistic regression without training rows");
	ISO_FAIL_IF(!(c->c > 0), err, ISO_E_CONFIG,
		    "logistic regression (C = %g): C must be above 0", c->c);
	iso_logreg m = {.d = x->d, .classes = classes, .scheme = c->scheme, .converged = 1};
	iso_logreg warm = {0};
	iso_design_view v = {0};
	uint32_t *y2 = NULL;
	iso_status st;
	ISO_TRY_OUT(present_classes(row, n, y, classes, &m, &y2, err));
	m.p = m.npresent < 2 ? 0 : m.npresent == 2 ? 1 : m.npresent;
	m.w = iso_alloc((x->d + 1) * (m.p ? m.p : 1), sizeof(double));
	if (!m.w) {
		st = iso_no_memory(err, "the weights of a logistic regression");
		goto out;
	}
	if (m.p) {
		const size_t models = m.p > 1 && c->scheme == ISO_ONE_VS_REST ? m.p : 1;
		ISO_TRY_OUT(iso_design_view_init(&v, x, row, n, models > 1 ? 1 : m.p,
						 c->standardise, err));
		if (n >= WARM_ROWS)
			ISO_TRY_OUT(warm_up(c, x, row, n, y, classes, m.npresent, &warm, err));
		ISO_TRY_OUT(fit_models(c, &v, y2, models, y2 + n, warm.w ? &warm : NULL, &m, err));
	}
	*out = m;
	m = (iso_logreg){0};
out:
	iso_design_view_free(&v);
	iso_free(y2);
	iso_logreg_free(&m);
	iso_logreg_free(&warm);
	return st;
}

void iso_logreg_free(iso_logreg *m)
{
	iso_free(m->present);
	iso_free(m->w);
	*m = (iso_logreg){0};
}

iso_status iso_logreg_predict(const iso_logreg *m, const iso_design *x, const uint32_t *row,
			      size_t n, double *prob, iso_error *err)
{
	ISO_FAIL_IF(x->d != m->d, err, ISO_E_USAGE,
		    "logistic regression of %zu columns asked about rows of %zu", m->d, x->d);
	memset(prob, 0, n * m->classes * sizeof(*prob));
	iso_design_view v;
	ISO_TRY(iso_design_view_init(&v, x, row, n, m->p ? m->p : 1, 0, err));
	double *z = iso_alloc(n, (m->p ? m->p : 1) * sizeof(double));
	if (!z) {
		iso_design_view_free(&v);
		return iso_no_memory(err, "predictions");
	}
	if (m->p)
		iso_design_forward(&v, m->p, m->w, z);
	for (size_t i = 0; i < n; i++) {
		double *pi = prob + i * m->classes, tmp[2];
		if (m->p == 0) {
			pi[m->present[0]] = 1;
		} else if (m->p == 1) {
			row_loss(z + i, 1, 0, tmp);
			pi[m->present[0]] = 1 - tmp[0];
			pi[m->present[1]] = tmp[0];
		} else if (m->scheme == ISO_ONE_VS_REST) {
			for (size_t k = 0; k < m->p; k++)
				pi[m->present[k]] = iso_sigmoid(z[i * m->p + k]);
		} else {
			row_loss(z + i * m->p, m->p, 0, z + i * m->p);
			for (size_t k = 0; k < m->p; k++)
				pi[m->present[k]] = z[i * m->p + k];
		}
	}
	iso_free(z);
	iso_design_view_free(&v);
	return ISO_OK;
}
