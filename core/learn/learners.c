// SPDX-License-Identifier: Apache-2.0
/* Classifiers in a few lines each: nearest neighbours, naive Bayes (Gaussian and Bernoulli), linear
 * discriminant analysis, a linear support vector machine; and ridge regression. */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/learn/classifier.h"
#include "core/learn/knn.h"
#include "core/math/linalg.h"
#include "core/math/vmath.h"

/* ---- what the rest keep: a copy of the rows, or a few vectors ---- */

typedef struct plain {
	size_t n, d, classes;
	float *x;      /* knn: [n][d] */
	uint32_t *y;   /* knn: [n] */
	double *w;     /* see each learner */
	double *v;     /* see each learner */
	double *prior; /* [classes]: log share, -inf without rows */
} plain;

static void plain_free(void *model)
{
	plain *m = model;

	if (!m)
		return;
	iso_free(m->x);
	iso_free(m->y);
	iso_free(m->w);
	iso_free(m->v);
	iso_free(m->prior);
	iso_free(m);
}

static iso_status plain_new(const iso_examples *e, size_t nw, size_t nv, plain **out,
			    iso_error *err)
{
	plain *m = iso_alloc(1, sizeof(*m));
	const size_t k = e->classes ? e->classes : 1;

	*out = m;
	if (!m)
		return iso_no_memory(err, "a classifier");
	*m = (plain){.n = e->n,
		     .d = e->d,
		     .classes = k,
		     .w = iso_alloc(nw, sizeof(double)),
		     .v = iso_alloc(nv, sizeof(double)),
		     .prior = iso_alloc(k, sizeof(double))};
	if (!m->w || !m->v || !m->prior)
		return iso_no_memory(err, "a classifier");
	for (size_t i = 0; e->y && i < e->n; i++)
		m->prior[e->y[i]] += 1 / (double)e->n;
	for (size_t c = 0; c < k; c++)
		m->prior[c] = m->prior[c] > 0 ? iso_log(m->prior[c]) : -INFINITY;
	return ISO_OK;
}

static iso_status hand_over(plain *m, iso_status st, void **model)
{
	if (st != ISO_OK) {
		plain_free(m);
		m = NULL;
	}
	*model = m;
	return st;
}

/* Log scores to probabilities, in place. */
static void soft_max(double *s, size_t k)
{
	double most = -INFINITY, sum = 0;

	for (size_t c = 0; c < k; c++)
		most = fmax(most, s[c]);
	for (size_t c = 0; c < k; c++)
		sum += s[c] = iso_exp(s[c] - most);
	for (size_t c = 0; c < k; c++)
		s[c] /= sum;
}

/* ---- nearest neighbours: five, on the caller's scale ---- */

#define NEIGHBOURS 5

static iso_status knn_fit(const iso_examples *e, iso_key key, void **model, iso_error *err)
{
	plain *m;
	iso_status st = plain_new(e, 1, 1, &m, err);

	(void)key;
	if (st == ISO_OK) {
		m->x = iso_alloc(e->n * e->d, sizeof(float));
		m->y = iso_alloc(e->n, sizeof(uint32_t));
		if (!m->x || !m->y)
			st = iso_no_memory(err, "a classifier");
	}
	if (st == ISO_OK) {
		memcpy(m->x, e->x, e->n * e->d * sizeof(float));
		memcpy(m->y, e->y, e->n * sizeof(uint32_t));
	}
	return hand_over(m, st, model);
}

static iso_status knn_predict(const void *model, const float *x, size_t n, double *out,
			      iso_error *err)
{
	const plain *m = model;
	const size_t k = m->n < NEIGHBOURS ? m->n : NEIGHBOURS;
	iso_knn s;

	ISO_TRY(iso_knn_init(&s, x, m->d, n, m->d, k, err));
	iso_knn_feed(&s, m->x, m->d, m->n, 0);
	memset(out, 0, n * m->classes * sizeof(*out));
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < k; j++)
			out[i * m->classes + m->y[s.index[i * k + j]]] += 1 / (double)k;
	iso_knn_free(&s);
	return ISO_OK;
}

/* ---- Gaussian naive Bayes: w = means, v = variances, [classes][d] ---- */

static iso_status bayes_fit(const iso_examples *e, iso_key key, void **model, iso_error *err)
{
	const size_t d = e->d;
	plain *m;
	iso_status st = plain_new(e, e->classes * d, e->classes * d, &m, err);
	double widest = 0;

	(void)key;
	for (size_t i = 0; st == ISO_OK && i < e->n; i++)
		for (size_t j = 0; j < d; j++)
			m->w[e->y[i] * d + j] += (double)e->x[i * d + j] /
						 ((double)e->n * iso_exp(m->prior[e->y[i]]));
	for (size_t i = 0; st == ISO_OK && i < e->n; i++)
		for (size_t j = 0; j < d; j++) {
			const double r = (double)e->x[i * d + j] - m->w[e->y[i] * d + j];

			m->v[e->y[i] * d + j] +=
				r * r / ((double)e->n * iso_exp(m->prior[e->y[i]]));
		}
	for (size_t i = 0; st == ISO_OK && i < e->classes * d; i++)
		widest = fmax(widest, m->v[i]);
	for (size_t i = 0; st == ISO_OK && i < e->classes * d; i++)
		m->v[i] += 1e-9 * widest + 1e-30; /* scikit-learn's var_smoothing */
	return hand_over(m, st, model);
}

static iso_status bayes_predict(const void *model, const float *x, size_t n, double *out,
				iso_error *err)
{
	const plain *m = model;

	(void)err;
	for (size_t i = 0; i < n; i++) {
		double *s = out + i * m->classes;

		for (size_t c = 0; c < m->classes; c++) {
			s[c] = m->prior[c];
			for (size_t j = 0; j < m->d && isfinite(m->prior[c]); j++) {
				const double v = m->v[c * m->d + j];
				const double r = (double)x[i * m->d + j] - m->w[c * m->d + j];

				s[c] -= 0.5 * (iso_log(v) + r * r / v);
			}
		}
		soft_max(s, m->classes);
	}
	return ISO_OK;
}

/* ---- Bernoulli naive Bayes: a value above 1/2 is a 1, one row of each added to every count; w =
 * log p, v = log(1 - p), [classes][d] ---- */

static iso_status bernoulli_fit(const iso_examples *e, iso_key key, void **model, iso_error *err)
{
	const size_t d = e->d;
	plain *m;
	iso_status st = plain_new(e, e->classes * d, e->classes * d, &m, err);

	(void)key;
	for (size_t i = 0; st == ISO_OK && i < e->n; i++)
		for (size_t j = 0; j < d; j++)
			m->w[e->y[i] * d + j] += e->x[i * d + j] > 0.5f;
	for (size_t c = 0; st == ISO_OK && c < e->classes; c++) {
		const double n = (double)e->n * iso_exp(m->prior[c]);

		for (size_t j = 0; j < d; j++) {
			const double p = (m->w[c * d + j] + 1) / (n + 2);

			m->w[c * d + j] = iso_log(p);
			m->v[c * d + j] = iso_log(1 - p);
		}
	}
	return hand_over(m, st, model);
}

static iso_status bernoulli_predict(const void *model, const float *x, size_t n, double *out,
				    iso_error *err)
{
	const plain *m = model;

	(void)err;
	for (size_t i = 0; i < n; i++) {
		double *s = out + i * m->classes;

		for (size_t c = 0; c < m->classes; c++) {
			s[c] = m->prior[c];
			for (size_t j = 0; j < m->d; j++)
				s[c] += x[i * m->d + j] > 0.5f ? m->w[c * m->d + j]
							       : m->v[c * m->d + j];
		}
		soft_max(s, m->classes);
	}
	return ISO_OK;
}

/* ---- linear scores: w [classes][d + 1], the constant last ---- */

static void linear_scores(const plain *m, const float *x, double *s)
{
	for (size_t c = 0; c < m->classes; c++) {
		const double *w = m->w + c * (m->d + 1);

		s[c] = w[m->d];
		for (size_t j = 0; j < m->d; j++)
			s[c] += w[j] * (double)x[j];
	}
}

/* ---- linear discriminant analysis: one covariance for all classes, a ridge of 1e-6 of its mean
 * variance ---- */

static iso_status covariance(const iso_examples *e, const double *mean, double *a, iso_error *err)
{
	const size_t d = e->d;
	double *r = iso_alloc(d, sizeof(*r)), trace = 0;

	if (!r)
		return iso_no_memory(err, "a covariance");
	for (size_t i = 0; i < e->n; i++) {
		for (size_t j = 0; j < d; j++)
			r[j] = (double)e->x[i * d + j] - mean[e->y[i] * d + j];
		for (size_t j = 0; j < d; j++)
			for (size_t k = 0; k <= j && r[j] != 0; k++)
				a[j * d + k] += r[j] * r[k] / (double)e->n;
	}
	for (size_t j = 0; j < d; j++)
		trace += a[j * d + j];
	for (size_t j = 0; j < d; j++) {
		a[j * d + j] += 1e-6 * trace / (double)d + 1e-12;
		for (size_t k = 0; k < j; k++)
			a[k * d + j] = a[j * d + k];
	}
	iso_free(r);
	return ISO_OK;
}

static iso_status lda_fit(const iso_examples *e, iso_key key, void **model, iso_error *err)
{
	const size_t d = e->d, k = e->classes;
	double *a = iso_alloc(d * d, sizeof(*a));
	plain *m;
	iso_status st = plain_new(e, k * (d + 1), k * d, &m, err);

	(void)key;
	if (st == ISO_OK && !a)
		st = iso_no_memory(err, "a covariance");
	for (size_t i = 0; st == ISO_OK && i < e->n; i++)
		for (size_t j = 0; j < d; j++)
			m->v[e->y[i] * d + j] += (double)e->x[i * d + j] /
						 ((double)e->n * iso_exp(m->prior[e->y[i]]));
	if (st == ISO_OK)
		st = covariance(e, m->v, a, err);
	if (st == ISO_OK)
		st = iso_cholesky(a, d, err);
	for (size_t c = 0; st == ISO_OK && c < k; c++) {
		double *w = m->w + c * (d + 1);

		memcpy(w, m->v + c * d, d * sizeof(*w));
		iso_cholesky_solve(a, d, w);
		w[d] = m->prior[c] - 0.5 * iso_ddot(d, w, m->v + c * d);
	}
	iso_free(a);
	return hand_over(m, st, model);
}

static iso_status lda_predict(const void *model, const float *x, size_t n, double *out,
			      iso_error *err)
{
	const plain *m = model;

	(void)err;
	for (size_t i = 0; i < n; i++) {
		linear_scores(m, x + i * m->d, out + i * m->classes);
		soft_max(out + i * m->classes, m->classes);
	}
	return ISO_OK;
}

/* ---- linear support vector machine: squared hinge, C = 1, one class against the rest, by dual
 * coordinate descent (Hsieh et al. 2008); the constant is a column of ones.  Probabilities are the
 * logistic function of the margin, normalised: an order, no calibration. ---- */

#define EPOCHS 60
#define HALF_OVER_C 0.5 /* D_ii = 1 / 2C */

static void descend(const iso_examples *e, uint32_t c, const uint32_t *order, const double *norm2,
		    double *alpha, double *w)
{
	const size_t d = e->d;

	for (size_t k = 0; k < e->n; k++) {
		const size_t i = order[k];
		const float *x = e->x + i * d;
		const double y = e->y[i] == c ? 1 : -1;
		double f = w[d];

		for (size_t j = 0; j < d; j++)
			f += w[j] * (double)x[j];
		const double slope = y * f - 1 + HALF_OVER_C * alpha[i];
		const double next = fmax(0, alpha[i] - slope / (norm2[i] + 1 + HALF_OVER_C));
		const double step = (next - alpha[i]) * y;

		alpha[i] = next;
		for (size_t j = 0; j < d && step != 0; j++)
			w[j] += step * (double)x[j];
		w[d] += step;
	}
}

static iso_status svm_fit(const iso_examples *e, iso_key key, void **model, iso_error *err)
{
	uint32_t *order = iso_alloc(e->n, sizeof(*order));
	double *alpha = iso_alloc(e->n, sizeof(*alpha)), *norm2 = iso_alloc(e->n, sizeof(*norm2));
	plain *m;
	iso_status st = plain_new(e, e->classes * (e->d + 1), 1, &m, err);

	if (st == ISO_OK && (!order || !alpha || !norm2))
		st = iso_no_memory(err, "a support vector machine");
	for (size_t i = 0; st == ISO_OK && i < e->n; i++) {
		order[i] = (uint32_t)i;
		for (size_t j = 0; j < e->d; j++)
			norm2[i] += (double)e->x[i * e->d + j] * (double)e->x[i * e->d + j];
	}
	for (size_t c = 0; st == ISO_OK && c < e->classes; c++) {
		iso_stream s = iso_stream_new(iso_key_child(key, "class", c));

		memset(alpha, 0, e->n * sizeof(*alpha));
		for (size_t t = 0; t < EPOCHS; t++) {
			iso_shuffle(&s, order, e->n);
			descend(e, (uint32_t)c, order, norm2, alpha, m->w + c * (e->d + 1));
		}
	}
	iso_free(order);
	iso_free(alpha);
	iso_free(norm2);
	return hand_over(m, st, model);
}

static iso_status svm_predict(const void *model, const float *x, size_t n, double *out,
			      iso_error *err)
{
	const plain *m = model;

	(void)err;
	for (size_t i = 0; i < n; i++) {
		double *s = out + i * m->classes, sum = 0;

		linear_scores(m, x + i * m->d, s);
		for (size_t c = 0; c < m->classes; c++) {
			s[c] = isfinite(m->prior[c]) ? iso_sigmoid(2 * s[c]) : 0;
			sum += s[c];
		}
		for (size_t c = 0; c < m->classes; c++)
			s[c] /= sum;
	}
	return ISO_OK;
}

/* ---- ridge regression: w = (X^T X + n 1e-3 I)^-1 X^T t on centred columns; w [d + 1] ---- */

static iso_status ridge_fit(const iso_examples *e, iso_key key, void **model, iso_error *err)
{
	const size_t d = e->d;
	iso_examples one = *e;
	uint32_t *zero = iso_alloc(e->n, sizeof(*zero));
	double *a = iso_alloc(d * d, sizeof(*a)), mean = 0;
	plain *m;
	iso_status st;

	(void)key;
	one.y = zero;
	one.classes = 1;
	st = plain_new(&one, d + 1, d, &m, err);
	if (st == ISO_OK && (!zero || !a))
		st = iso_no_memory(err, "a regression");
	for (size_t i = 0; st == ISO_OK && i < e->n; i++) {
		mean += e->t[i] / (double)e->n;
		for (size_t j = 0; j < d; j++)
			m->v[j] += (double)e->x[i * d + j] / (double)e->n;
	}
	if (st == ISO_OK)
		st = covariance(&one, m->v, a, err);
	for (size_t j = 0; st == ISO_OK && j < d; j++) {
		a[j * d + j] += 1e-3 / (double)d;
		for (size_t i = 0; i < e->n; i++)
			m->w[j] += ((double)e->x[i * d + j] - m->v[j]) * (e->t[i] - mean) /
				   (double)e->n;
	}
	if (st == ISO_OK)
		st = iso_cholesky(a, d, err);
	if (st == ISO_OK) {
		iso_cholesky_solve(a, d, m->w);
		m->w[d] = mean - iso_ddot(d, m->w, m->v);
	}
	iso_free(zero);
	iso_free(a);
	return hand_over(m, st, model);
}

static iso_status ridge_predict(const void *model, const float *x, size_t n, double *out,
				iso_error *err)
{
	const plain *m = model;

	(void)err;
	for (size_t i = 0; i < n; i++)
		linear_scores(m, x + i * m->d, out + i);
	return ISO_OK;
}

const iso_classifier iso_learn_knn = {.name = "knn",
				      .title = "nearest neighbours",
				      .fit = knn_fit,
				      .predict = knn_predict,
				      .free = plain_free};
const iso_classifier iso_learn_naive_bayes = {.name = "naive-bayes",
					      .title = "Gaussian naive Bayes",
					      .fit = bayes_fit,
					      .predict = bayes_predict,
					      .free = plain_free};
const iso_classifier iso_learn_bernoulli = {.name = "bernoulli",
					    .title = "Bernoulli naive Bayes",
					    .fit = bernoulli_fit,
					    .predict = bernoulli_predict,
					    .free = plain_free};
const iso_classifier iso_learn_lda = {.name = "lda",
				      .title = "linear discriminant analysis",
				      .fit = lda_fit,
				      .predict = lda_predict,
				      .free = plain_free};
const iso_classifier iso_learn_svm = {.name = "svm",
				      .title = "linear SVM",
				      .fit = svm_fit,
				      .predict = svm_predict,
				      .free = plain_free};
const iso_classifier iso_learn_ridge = {.name = "ridge",
					.title = "ridge regression",
					.regresses = 1,
					.fit = ridge_fit,
					.predict = ridge_predict,
					.free = plain_free};
