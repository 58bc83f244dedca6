// SPDX-License-Identifier: Apache-2.0
/* Game: attribute inference.  Knowledge: NB, all other columns of the target and its true label.
 * Source: M. Fredrikson et al., Privacy in Pharmacogenetics, USENIX Security 2014, algorithm 1
 * (attacks.md section 4.1); the model under attack is the downstream classifier of the release.
 *
 *     f       a classifier of the label, trained on the synthetic rows
 *     pi      its error model: pi(y, y') = P[label y | f says y'], counted on the synthetic rows by
 *             five-fold cross-validation, half a count added
 *     value = argmax over v of pi(y, f(x with v)) p(v), p the synthetic marginal of the secret
 *
 * A numeric secret takes the middles of ten cells of its public range.  Equal weights: the
 * commoner value.  score = the winner's share of the weights.
 */
#include <math.h>
#include <string.h>

#include "attacks/kit/masked.h"
#include "core/base/alloc.h"
#include "core/learn/classifier.h"
#include "core/learn/kfold.h"

#define CELLS 10
#define FOLDS 5

enum { FOREST, MLP, LR };
static const char *const learners[] = {"forest", "mlp", "lr"};
typedef struct opts {
	char secret[ISO_OPT_TEXT_MAX];
	int learner;
} opts;
static const iso_option options[] = {
	ISO_OPT_STRING(opts, secret, "-",
		       "the secret column, not the label; - = the last such column"),
	ISO_OPT_ENUM(opts, learner, "lr", "forest|mlp|lr", "the downstream classifier"),
	{0}};

static const char *secret_of(const void *opt)
{
	return ((const opts *)opt)->secret;
}

static iso_status check(const iso_schema *s, const void *opt, iso_error *err)
{
	const char *name = secret_of(opt);

	ISO_FAIL_IF(iso_schema_classes(s) < 2, err, ISO_E_UNSUPPORTED,
		    "fredrikson-map: there is no label of two or more classes to train a "
		    "classifier for");
	ISO_FAIL_IF(!name[0] || strcmp(name, s->column[s->label].name) == 0, err, ISO_E_UNSUPPORTED,
		    "fredrikson-map: the secret is the label, which the attacker knows; name a "
		    "feature");
	return ISO_OK;
}

typedef struct model {
	iso_encoder *e; /* owned: features */
	float *x;	/* owned [n][dim] of the synthetic rows */
	uint32_t *y;	/* owned [n] */
	size_t n, classes, values;
	double *pi;    /* owned [classes][classes]: true, predicted */
	double *prior; /* owned [values] */
} model;

static void model_free(model *m)
{
	iso_encoder_free(m->e);
	iso_free(m->x);
	iso_free(m->y);
	iso_free(m->pi);
	iso_free(m->prior);
}

static double value_of(const iso_column *c, size_t k)
{
	return iso_is_discrete(c) ? (double)k : c->lo + (c->hi - c->lo) * ((double)k + 0.5) / CELLS;
}

static void count_values(const iso_table *t, size_t secret, model *m)
{
	const iso_column *c = &t->schema->column[secret];

	for (size_t k = 0; k < m->values; k++)
		m->prior[k] = 0.5; /* nothing is impossible */
	for (size_t r = 0; r < t->n; r++) {
		const double v = iso_table_cell(t, r, secret);
		double k = v;

		if (isnan(v))
			continue;
		if (!iso_is_discrete(c))
			k = fmin(CELLS - 1, floor(CELLS * (v - c->lo) / (c->hi - c->lo)));
		m->prior[(size_t)k]++;
	}
}

static size_t largest(const double *p, size_t n)
{
	size_t best = 0;

	for (size_t k = 1; k < n; k++)
		best = p[k] > p[best] ? k : best;
	return best;
}

/* Counts of (true, predicted) over the folds, then each column as shares. */
static iso_status error_model(const iso_attack_view *v, const opts *o, model *m, iso_error *err)
{
	const size_t d = m->e->dim, k = m->classes;
	uint32_t *fold = iso_alloc(m->n, sizeof(*fold)), *y = iso_alloc(m->n, sizeof(*y));
	float *x = iso_alloc(m->n * d, sizeof(*x));
	double *p = iso_alloc(m->n * k, sizeof(*p));
	iso_status st = fold && y && x && p ? ISO_OK : iso_no_memory(err, "an error model");

	ISO_TRY_OUT(st);
	ISO_TRY_OUT(iso_stratified_folds(iso_key_child(v->key, "folds", 0), m->y, NULL, m->n, k,
					 FOLDS, fold, err));
	for (size_t i = 0; i < k * k; i++)
		m->pi[i] = 0.5;
	for (uint32_t f = 0; f < FOLDS; f++) {
		size_t n = 0;

		for (size_t i = 0; i < m->n; i++)
			if (fold[i] != f) {
				memcpy(x + n * d, m->x + i * d, d * sizeof(*x));
				y[n++] = m->y[i];
			}
		const iso_examples e = {.x = x, .n = n, .d = d, .y = y, .classes = k};
		ISO_TRY_OUT(iso_classify(iso_classifier_find(learners[o->learner]), &e,
					 iso_key_child(v->key, "fold", f), m->x, m->n, p, err));
		for (size_t i = 0; i < m->n; i++)
			if (fold[i] == f)
				m->pi[m->y[i] * k + largest(p + i * k, k)]++;
	}
	for (size_t said = 0; said < k; said++) {
		double sum = 0;

		for (size_t is = 0; is < k; is++)
			sum += m->pi[is * k + said];
		for (size_t is = 0; is < k; is++)
			m->pi[is * k + said] /= sum;
	}
out:
	iso_free(fold);
	iso_free(y);
	iso_free(x);
	iso_free(p);
	return st;
}

static iso_status model_new(const iso_attack_view *v, const opts *o, model *m, iso_error *err)
{
	const iso_column *c = &v->schema->column[v->secret];

	*m = (model){.n = v->synthetic->n,
		     .classes = iso_schema_classes(v->schema),
		     .values = iso_is_discrete(c) ? c->ncategory : CELLS};
	m->y = iso_alloc(m->n, sizeof(*m->y));
	m->pi = iso_alloc(m->classes * m->classes, sizeof(*m->pi));
	m->prior = iso_alloc(m->values, sizeof(*m->prior));
	if (!m->y || !m->pi || !m->prior)
		return iso_no_memory(err, "an error model");
	for (size_t i = 0; i < m->n; i++) {
		const size_t y = iso_table_label(v->synthetic, i);

		m->y[i] = (uint32_t)(y < m->classes ? y : 0);
	}
	count_values(v->synthetic, (size_t)v->secret, m);
	ISO_TRY(iso_encoder_new(v->schema, ISO_ENC_FEATURES, &m->e, err));
	ISO_TRY(iso_encode_new(m->e, v->synthetic, &m->x, err));
	return error_model(v, o, m, err);
}

/* Every target under every value: [targets][values] rows, asked at once. */
static iso_status candidates(const iso_attack_view *v, const model *m, float **x, iso_error *err)
{
	const iso_column *c = &v->schema->column[v->secret];
	const size_t n = v->targets->n, ncol = v->schema->ncol;
	iso_table *t;

	ISO_TRY(iso_table_new(v->schema, n * m->values, &t, err));
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < m->values; k++) {
			iso_table_copy_row(v->targets, i, t, i * m->values + k);
			t->cells[(i * m->values + k) * ncol + (size_t)v->secret] = value_of(c, k);
		}
	const iso_status st = iso_encode_new(m->e, t, x, err);
	iso_table_free(t);
	return st;
}

/* The largest weight pi(y, f(x with k)) p(k); equal weights: the commoner value. */
static iso_guess choose(const model *m, const iso_column *c, size_t y, const double *p)
{
	double sum = 0, best = -1;
	size_t at = 0;

	for (size_t k = 0; k < m->values; k++) {
		const size_t said = largest(p + k * m->classes, m->classes);
		const double w = (y < m->classes ? m->pi[y * m->classes + said] : 1) * m->prior[k];

		sum += w;
		if (w > best || (w == best && m->prior[k] > m->prior[at])) {
			best = w;
			at = k;
		}
	}
	return (iso_guess){best / sum, value_of(c, at)};
}

static iso_status guess(const iso_attack_view *v, const void *opt, void *state, iso_guess *out,
			iso_error *err)
{
	const opts *o = opt;
	const size_t n = v->targets->n;
	model m = {0};
	float *x = NULL;
	double *p = NULL;
	iso_status st;

	(void)state;
	ISO_TRY(iso_needs_synthetic(v, "fredrikson-map", FOLDS, err));
	ISO_FAIL_IF(v->secret < 0 || v->secret == v->schema->label, err, ISO_E_UNSUPPORTED,
		    "fredrikson-map: the secret must be a feature");
	ISO_TRY_OUT(model_new(v, o, &m, err));
	ISO_TRY_OUT(candidates(v, &m, &x, err));
	p = iso_alloc(n * m.values * m.classes, sizeof(*p));
	st = p ? ISO_OK : iso_no_memory(err, "predictions");
	ISO_TRY_OUT(st);
	const iso_examples e = {.x = m.x, .n = m.n, .d = m.e->dim, .y = m.y, .classes = m.classes};
	ISO_TRY_OUT(iso_classify(iso_classifier_find(learners[o->learner]), &e,
				 iso_key_child(v->key, "victim", 0), x, n * m.values, p, err));
	for (size_t i = 0; i < n; i++)
		out[i] = choose(&m, &v->schema->column[v->secret], iso_table_label(v->targets, i),
				p + i * m.values * m.classes);
out:
	model_free(&m);
	iso_free(x);
	iso_free(p);
	return st;
}

const iso_attack iso_attack_fredrikson_map = {
	.abi = ISO_ATTACK_ABI,
	.name = "fredrikson-map",
	.title = "Model inversion of a missing attribute (Fredrikson 2014)",
	.citation = "M. Fredrikson, E. Lantz, S. Jha, S. Lin, D. Page, T. Ristenpart: Privacy in "
		    "Pharmacogenetics: An End-to-End Case Study of Personalized Warfarin Dosing. "
		    "USENIX Security 2014",
	.card = "The attacker knows every column but one of a record, its true label and the "
		"downstream classifier that was trained on the synthetic rows, and takes the value "
		"whose prediction fits the label best, weighted by how common it is. The risk "
		"compares members with non-members, because the same works on anybody as far as "
		"the classifier describes the population. Deviation: the error model is counted on "
		"synthetic rows by cross-validation.",
	.goal = ISO_GOAL_ATTRIBUTE,
	.knows = ISO_KNOWS_SYNTHETIC,
	.version = 1,
	.knowledge = "NB",
	.options = options,
	.options_size = sizeof(opts),
	.check = check,
	.guess = guess,
	.secret = secret_of,
};
