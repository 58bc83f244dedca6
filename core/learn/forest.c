// SPDX-License-Identifier: Apache-2.0
/* Trees in numbers: random forest (Breiman 2001: bootstrap, sqrt(d) columns a node, unlimited
 * depth, mean of the leaves' class shares as scikit-learn takes it), bagging (all columns), a
 * single tree, and gradient boosting (Friedman 2001: 100 rounds of depth 3 at rate 0.1 on the log
 * loss, one tree a class, Newton's step in the leaves). */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/learn/trees.h"
#include "core/math/vmath.h"

#define ROUNDS 100
#define DEPTH 3
#define RATE 0.1
#define BAGS 30

typedef struct forest {
	iso_dtree *tree; /* owned [n] */
	size_t n, k, d;
	double *start; /* boosting: [k] */
	double rate;   /* boosting; 0 = mean */
} forest;

static void forest_free(void *model)
{
	forest *f = model;

	if (!f)
		return;
	for (size_t i = 0; i < f->n; i++)
		iso_dtree_free(&f->tree[i]);
	iso_free(f->tree);
	iso_free(f->start);
	iso_free(f);
}

static iso_status forest_new(size_t trees, size_t k, size_t d, forest **out, iso_error *err)
{
	forest *f = iso_alloc(1, sizeof(*f));

	*out = f;
	if (!f)
		return iso_no_memory(err, "a forest");
	f->k = k;
	f->d = d;
	f->tree = iso_alloc(trees, sizeof(*f->tree));
	f->start = iso_alloc(k, sizeof(*f->start));
	return f->tree && f->start ? ISO_OK : iso_no_memory(err, "a forest");
}

/* ---- independent trees ---- */

static iso_status grow_all(forest *f, const iso_examples *e, const iso_binned *b, size_t trees,
			   size_t features, iso_key key, iso_error *err)
{
	iso_dtree_config c = {
		.k = f->k, .y = e->t ? NULL : e->y, .target = e->t, .features = features};
	iso_status st = ISO_OK;

	c.weight = iso_alloc(e->n, sizeof(*c.weight));
	if (!c.weight)
		return iso_no_memory(err, "a forest");
	for (size_t t = 0; st == ISO_OK && t < trees; t++) {
		iso_stream s = iso_stream_new(iso_key_child(key, "tree", t));

		for (size_t i = 0; i < e->n; i++)
			c.weight[i] = trees == 1;
		for (size_t i = 0; trees > 1 && i < e->n; i++)
			c.weight[iso_next_below(&s, e->n)]++;
		st = iso_dtree_grow(b, &c, &s, &f->tree[t], err);
		f->n += st == ISO_OK;
	}
	iso_free(c.weight);
	return st;
}

static iso_status fit_trees(const iso_examples *e, size_t trees, size_t features, iso_key key,
			    void **model, iso_error *err)
{
	iso_binned b = {0};
	forest *f = NULL;
	iso_status st = forest_new(trees, e->t ? 1 : e->classes, e->d, &f, err);

	if (st == ISO_OK)
		st = iso_binned_new(e->x, e->n, e->d, &b, err);
	if (st == ISO_OK)
		st = grow_all(f, e, &b, trees, features, key, err);
	iso_binned_free(&b);
	if (st != ISO_OK) {
		forest_free(f);
		f = NULL;
	}
	*model = f;
	return st;
}

#define ROWS_AT_ONCE 1024 /* they stay in the second cache while the trees pass */

static iso_status predict_mean(const void *model, const float *x, size_t n, double *out,
			       iso_error *err)
{
	const forest *f = model;
	const size_t k = f->k;
	uint32_t *leaf = iso_alloc(ROWS_AT_ONCE, sizeof(*leaf));

	if (!leaf)
		return iso_no_memory(err, "predictions");
	memset(out, 0, n * k * sizeof(*out));
	for (size_t at = 0; at < n; at += ROWS_AT_ONCE) {
		const size_t m = n - at < ROWS_AT_ONCE ? n - at : ROWS_AT_ONCE;

		for (size_t t = 0; t < f->n; t++) {
			iso_dtree_leaves(&f->tree[t], x + at * f->d, f->d, m, leaf);
			for (size_t i = 0; i < m; i++)
				for (size_t c = 0; c < k; c++)
					out[(at + i) * k + c] +=
						f->tree[t].value[leaf[i] * k + c] / (double)f->n;
		}
	}
	iso_free(leaf);
	return ISO_OK;
}

static iso_status fit_forest(const iso_examples *e, iso_key key, void **model, iso_error *err)
{
	const size_t features = (size_t)sqrt((double)e->d);

	return fit_trees(e, ROUNDS, features ? features : 1, key, model, err);
}

static iso_status fit_bagging(const iso_examples *e, iso_key key, void **model, iso_error *err)
{
	return fit_trees(e, BAGS, 0, key, model, err);
}

static iso_status fit_tree(const iso_examples *e, iso_key key, void **model, iso_error *err)
{
	return fit_trees(e, 1, 0, key, model, err);
}

/* A third of the columns a node (Breiman 2001 for regression). */
static iso_status fit_regression(const iso_examples *e, iso_key key, void **model, iso_error *err)
{
	return fit_trees(e, ROUNDS, e->d / 3 ? e->d / 3 : 1, key, model, err);
}

/* ---- AdaBoost: SAMME (Zhu et al. 2009), 50 stumps; probabilities are shares of the votes ---- */

#define STUMPS 50
#define GRAIN 1e6 /* row weights are whole numbers of this share of a row */

typedef struct stumps {
	const iso_examples *e;
	iso_binned b;
	uint32_t *weight, *leaf; /* owned [n] */
	double *w;		 /* owned [n], sum n */
	double *alpha;		 /* owned [STUMPS] */
} stumps;

/* The leaf's value becomes a vote for its most frequent class; the weighted share of wrong votes.
 */
static double vote(const stumps *q, iso_dtree *t)
{
	double wrong = 0;

	for (size_t i = 0; i < t->n; i++) {
		double *v = t->value + i * t->k;
		size_t best = 0;

		for (size_t c = 1; c < t->k; c++)
			best = v[c] > v[best] ? c : best;
		for (size_t c = 0; c < t->k; c++)
			v[c] = c == best;
	}
	for (size_t i = 0; i < q->e->n; i++)
		if (t->value[q->leaf[i] * t->k + q->e->y[i]] == 0)
			wrong += q->w[i];
	return wrong / (double)q->e->n;
}

/* Rows that the stump gets wrong weigh more; the sum stays n. */
static void reweigh(stumps *q, const iso_dtree *t, double alpha)
{
	double sum = 0;

	for (size_t i = 0; i < q->e->n; i++) {
		if (t->value[q->leaf[i] * t->k + q->e->y[i]] == 0)
			q->w[i] *= iso_exp(alpha);
		sum += q->w[i];
	}
	for (size_t i = 0; i < q->e->n; i++)
		q->w[i] *= (double)q->e->n / sum;
}

static iso_status grow_stumps(stumps *q, forest *m, iso_key key, iso_error *err)
{
	const iso_dtree_config c = {
		.k = m->k, .y = q->e->y, .depth = 1, .weight = q->weight, .leaf = q->leaf};
	const double others = m->k > 1 ? (double)m->k - 1 : 1;
	double sum = 0;
	int going = 1;

	for (size_t t = 0; going && t < STUMPS; t++) {
		iso_stream s = iso_stream_new(iso_key_child(key, "tree", t));

		for (size_t i = 0; i < q->e->n; i++)
			q->weight[i] = (uint32_t)fmin(fmax(1, rint(q->w[i] * GRAIN)), 4e9);
		ISO_TRY(iso_dtree_grow(&q->b, &c, &s, &m->tree[t], err));
		m->n++;
		const double wrong = vote(q, &m->tree[t]);
		q->alpha[t] = fmax(0, iso_log(fmax(1 - wrong, 1e-10) / fmax(wrong, 1e-10)) +
					      iso_log(others));
		going = wrong > 0 && q->alpha[t] > 0;
		sum += q->alpha[t];
		reweigh(q, &m->tree[t], q->alpha[t]);
	}
	for (size_t t = 0; t < m->n; t++) /* predict_mean divides by the number of trees */
		for (size_t i = 0; i < m->tree[t].n * m->k; i++)
			m->tree[t].value[i] *= sum > 0 ? q->alpha[t] / sum * (double)m->n : 1;
	return ISO_OK;
}

static iso_status fit_adaboost(const iso_examples *e, iso_key key, void **model, iso_error *err)
{
	stumps q = {.e = e,
		    .weight = iso_alloc(e->n, sizeof(uint32_t)),
		    .leaf = iso_alloc(e->n, sizeof(uint32_t)),
		    .w = iso_alloc(e->n, sizeof(double)),
		    .alpha = iso_alloc(STUMPS, sizeof(double))};
	forest *m = NULL;
	iso_status st = forest_new(STUMPS, e->classes, e->d, &m, err);

	if (st == ISO_OK && (!q.weight || !q.leaf || !q.w || !q.alpha))
		st = iso_no_memory(err, "boosting");
	if (st == ISO_OK)
		st = iso_binned_new(e->x, e->n, e->d, &q.b, err);
	for (size_t i = 0; st == ISO_OK && i < e->n; i++)
		q.w[i] = 1;
	if (st == ISO_OK)
		st = grow_stumps(&q, m, key, err);
	iso_binned_free(&q.b);
	iso_free(q.weight);
	iso_free(q.leaf);
	iso_free(q.w);
	iso_free(q.alpha);
	if (st != ISO_OK) {
		forest_free(m);
		m = NULL;
	}
	*model = m;
	return st;
}

/* ---- boosting ---- */

typedef struct boost {
	const iso_examples *e;
	iso_binned b;
	double *f;	   /* [n][k] scores so far */
	double *residual;  /* [n] */
	double *top, *low; /* [nodes]: Newton's step */
	uint32_t *weight, *leaf;
	size_t k; /* trees a round: 1 with two classes */
} boost;

/* Probability of class c for scores s [k] (k = 1: of class 1). */
static double probability(const double *s, size_t k, size_t c)
{
	double most = s[0], sum = 0;

	if (k == 1)
		return iso_sigmoid(s[0]);
	for (size_t i = 1; i < k; i++)
		most = fmax(most, s[i]);
	for (size_t i = 0; i < k; i++)
		sum += iso_exp(s[i] - most);
	return iso_exp(s[c] - most) / sum;
}

/* One tree on the residuals y - p; each leaf's step is sum r / sum p (1 - p), times (k-1)/k with
 * more than two classes. */
static iso_status boost_tree(boost *q, const double *p, size_t c, iso_dtree *t, iso_stream *s,
			     iso_error *err)
{
	const iso_examples *e = q->e;
	const double factor = q->k == 1 ? 1 : (double)(q->k - 1) / (double)q->k;
	const iso_dtree_config config = {.k = 1,
					 .target = q->residual,
					 .depth = DEPTH,
					 .least = 1,
					 .weight = q->weight,
					 .leaf = q->leaf};

	for (size_t i = 0; i < e->n; i++)
		q->residual[i] = (e->y[i] == (q->k == 1 ? 1 : c)) - p[i * q->k + c];
	ISO_TRY(iso_dtree_grow(&q->b, &config, s, t, err));
	memset(q->top, 0, t->n * sizeof(*q->top));
	memset(q->low, 0, t->n * sizeof(*q->low));
	for (size_t i = 0; i < e->n; i++) {
		const double pi = p[i * q->k + c];

		q->top[q->leaf[i]] += q->residual[i];
		q->low[q->leaf[i]] += pi * (1 - pi);
	}
	for (size_t i = 0; i < t->n; i++)
		t->value[i] = q->low[i] > 1e-150 ? factor * q->top[i] / q->low[i] : 0;
	for (size_t i = 0; i < e->n; i++)
		q->f[i * q->k + c] += RATE * t->value[q->leaf[i]];
	return ISO_OK;
}

static iso_status boost_rounds(boost *q, forest *m, iso_key key, iso_error *err)
{
	const iso_examples *e = q->e;
	double *p = iso_alloc(e->n * q->k, sizeof(*p));
	iso_status st = p ? ISO_OK : iso_no_memory(err, "boosting");

	for (size_t r = 0; st == ISO_OK && r < ROUNDS; r++) {
		for (size_t i = 0; i < e->n; i++)
			for (size_t c = 0; c < q->k; c++)
				p[i * q->k + c] = probability(q->f + i * q->k, q->k, c);
		for (size_t c = 0; st == ISO_OK && c < q->k; c++) {
			iso_stream s = iso_stream_new(iso_key_child(key, "tree", m->n));

			st = boost_tree(q, p, c, &m->tree[m->n], &s, err);
			m->n += st == ISO_OK;
		}
	}
	iso_free(p);
	return st;
}

/* Log odds, or log shares, with half a row added to each class. */
static void boost_start(const iso_examples *e, size_t k, double *start)
{
	for (size_t c = 0; c < k; c++) {
		double n = 0.5;

		for (size_t i = 0; i < e->n; i++)
			n += e->y[i] == (k == 1 ? 1 : c);
		start[c] = k == 1 ? iso_log(n / ((double)e->n + 1 - n))
				  : iso_log(n / ((double)e->n + 0.5 * (double)k));
	}
}

static iso_status fit_boosting(const iso_examples *e, iso_key key, void **model, iso_error *err)
{
	enum { NODES = 2 << DEPTH };
	double step[2][NODES];
	boost q = {.e = e,
		   .k = e->classes == 2 ? 1 : e->classes,
		   .top = step[0],
		   .low = step[1],
		   .residual = iso_alloc(e->n, sizeof(double)),
		   .weight = iso_alloc(e->n, sizeof(uint32_t)),
		   .leaf = iso_alloc(e->n, sizeof(uint32_t))};
	forest *m = NULL;
	iso_status st = forest_new(ROUNDS * q.k, q.k, e->d, &m, err);

	q.f = iso_alloc(e->n * q.k, sizeof(double));
	if (st == ISO_OK && (!q.residual || !q.weight || !q.leaf || !q.f))
		st = iso_no_memory(err, "boosting");
	if (st == ISO_OK)
		st = iso_binned_new(e->x, e->n, e->d, &q.b, err);
	if (st == ISO_OK) {
		m->rate = RATE;
		boost_start(e, q.k, m->start);
		for (size_t i = 0; i < e->n; i++) {
			q.weight[i] = 1;
			memcpy(q.f + i * q.k, m->start, q.k * sizeof(double));
		}
		st = boost_rounds(&q, m, key, err);
	}
	iso_binned_free(&q.b);
	iso_free(q.residual);
	iso_free(q.weight);
	iso_free(q.leaf);
	iso_free(q.f);
	if (st != ISO_OK) {
		forest_free(m);
		m = NULL;
	}
	*model = m;
	return st;
}

static iso_status predict_boosting(const void *model, const float *x, size_t n, double *out,
				   iso_error *err)
{
	const forest *m = model;
	double *s = iso_alloc(m->k, sizeof(*s));

	if (!s)
		return iso_no_memory(err, "boosting");
	for (size_t i = 0; i < n; i++) {
		memcpy(s, m->start, m->k * sizeof(*s));
		for (size_t t = 0; t < m->n; t++)
			s[t % m->k] += m->rate *
				       m->tree[t].value[iso_dtree_leaf(&m->tree[t], x + i * m->d)];
		if (m->k == 1) {
			out[2 * i + 1] = probability(s, 1, 0);
			out[2 * i] = 1 - out[2 * i + 1];
		}
		for (size_t c = 0; m->k > 1 && c < m->k; c++)
			out[i * m->k + c] = probability(s, m->k, c);
	}
	iso_free(s);
	return ISO_OK;
}

const iso_classifier iso_learn_forest = {.name = "forest",
					 .title = "random forest",
					 .fit = fit_forest,
					 .predict = predict_mean,
					 .free = forest_free};
const iso_classifier iso_learn_bagging = {.name = "bagging",
					  .title = "bagged trees",
					  .fit = fit_bagging,
					  .predict = predict_mean,
					  .free = forest_free};
const iso_classifier iso_learn_tree = {.name = "tree",
				       .title = "decision tree",
				       .fit = fit_tree,
				       .predict = predict_mean,
				       .free = forest_free};
const iso_classifier iso_learn_adaboost = {.name = "adaboost",
					   .title = "AdaBoost",
					   .fit = fit_adaboost,
					   .predict = predict_mean,
					   .free = forest_free};
const iso_classifier iso_learn_boosting = {.name = "boosting",
					   .title = "gradient boosting",
					   .fit = fit_boosting,
					   .predict = predict_boosting,
					   .free = forest_free};
const iso_classifier iso_learn_forest_regression = {.name = "forest-regression",
						    .title = "random forest",
						    .regresses = 1,
						    .fit = fit_regression,
						    .predict = predict_mean,
						    .free = forest_free};
