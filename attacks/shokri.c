// SPDX-License-Identifier: Apache-2.0
/* Game: membership.  Knowledge: NB (loss), SH and auxiliary rows (shadows).
 * Sources: R. Shokri, M. Stronati, C. Song, V. Shmatikov, Membership Inference Attacks Against
 * Machine Learning Models, S&P 2017; S. Yeom et al., CSF 2018, for the loss (attacks.md section
 * 2.1, use A: does a classifier trained on synthetic rows tell who was behind them?).
 *
 *     f        the downstream classifier, trained on the released table
 *     loss     s(x, y) = log f_y(x) / (1 - f_y(x))
 *     shadows  k shadow generators, each on its own random half of the auxiliary rows; the same
 *              classifier on the rows that each gives; a logistic regression learns "in" from
 *              f_y, its log odds, the entropy, the largest probability and whether y was predicted,
 *              per class where a class has 50 rows a side, and is asked about f
 */
#include <math.h>
#include <string.h>

#include "attacks/kit/masked.h"
#include "core/base/alloc.h"
#include "core/learn/classifier.h"
#include "core/learn/kfold.h"
#include "core/math/vmath.h"

#define FEATURES 5
#define LEAST 1e-6   /* probability */
#define PER_CLASS 50 /* rows a side for an attack model of its own */

enum { LOSS, SHADOWS };
enum { MLP, FOREST, LR };
static const char *const learners[] = {"mlp", "forest", "lr"};
typedef struct opts {
	int variant, learner;
	int64_t shadows;
} opts;
static const iso_option options[] = {
	ISO_OPT_ENUM(opts, variant, "loss", "loss|shadows",
		     "loss: the classifier's log odds of the true class; shadows: learned on "
		     "shadow models"),
	ISO_OPT_ENUM(opts, learner, "forest", "mlp|forest|lr", "the downstream classifier"),
	ISO_OPT_INT(opts, shadows, "8", 1, 10000, "shadow models"),
	{0}};

static uint32_t knows_of(const void *opt)
{
	const opts *o = opt;

	return ISO_KNOWS_SYNTHETIC |
	       (o->variant == SHADOWS ? ISO_KNOWS_SHADOW | ISO_KNOWS_AUXILIARY : 0);
}

static iso_status check(const iso_schema *s, const void *opt, iso_error *err)
{
	(void)opt;
	ISO_FAIL_IF(iso_schema_classes(s) < 2, err, ISO_E_UNSUPPORTED,
		    "shokri: there is no label of two or more classes to train a classifier for");
	return ISO_OK;
}

typedef struct rows {
	float *x;    /* owned [n][d] */
	uint32_t *y; /* owned [n] */
	size_t n;
} rows;

static void rows_free(rows *r)
{
	iso_free(r->x);
	iso_free(r->y);
	*r = (rows){0};
}

static iso_status rows_of(const iso_encoder *e, const iso_table *t, rows *out, iso_error *err)
{
	const size_t classes = iso_schema_classes(t->schema);

	*out = (rows){.y = iso_alloc(t->n, sizeof(*out->y)), .n = t->n};
	if (!out->y)
		return iso_no_memory(err, "rows of a classifier");
	for (size_t i = 0; i < t->n; i++) {
		const size_t y = iso_table_label(t, i);

		out->y[i] = (uint32_t)(y < classes ? y : 0);
	}
	return iso_encode_new(e, t, &out->x, err);
}

/* What the classifier says of a row's own class, as the attack model reads it. */
static void features_of(const double *p, size_t classes, uint32_t y, float *x)
{
	const double own = fmin(fmax(p[y], LEAST), 1 - LEAST);
	double entropy = 0, top = 0;
	size_t best = 0;

	for (size_t k = 0; k < classes; k++) {
		entropy -= p[k] > LEAST ? p[k] * iso_log(p[k]) : 0;
		if (p[k] > top) {
			top = p[k];
			best = k;
		}
	}
	x[0] = (float)own;
	x[1] = (float)iso_log(own / (1 - own));
	x[2] = (float)entropy;
	x[3] = (float)top;
	x[4] = best == y;
}

/* x [q->n][FEATURES] of the rows q under the classifier trained on t. */
static iso_status query(const opts *o, const iso_encoder *e, const iso_table *t, iso_key key,
			const rows *q, float *x, iso_error *err)
{
	const size_t classes = iso_schema_classes(t->schema);
	double *p = iso_alloc(q->n * classes, sizeof(*p));
	rows train = {0};
	iso_status st = p ? rows_of(e, t, &train, err) : iso_no_memory(err, "probabilities");

	if (st == ISO_OK) {
		const iso_examples all = {
			.x = train.x, .n = train.n, .d = e->dim, .y = train.y, .classes = classes};

		st = iso_classify(iso_classifier_find(learners[o->learner]), &all, key, q->x, q->n,
				  p, err);
	}
	for (size_t i = 0; st == ISO_OK && i < q->n; i++)
		features_of(p + i * classes, classes, q->y[i], x + i * FEATURES);
	rows_free(&train);
	iso_free(p);
	return st;
}

/* ---- shadows ---- */

typedef struct study {	  /* rows of all shadows together */
	float *x;	  /* owned [n][FEATURES] */
	uint32_t *in, *y; /* owned [n] */
	size_t n;
} study;

static void destroy(void *state)
{
	study *s = state;

	if (!s)
		return;
	iso_free(s->x);
	iso_free(s->in);
	iso_free(s->y);
	iso_free(s);
}

static iso_status one_shadow(const iso_attack_view *v, const opts *o, const iso_encoder *e,
			     const rows *all, size_t k, study *s, iso_error *err)
{
	const size_t n = v->auxiliary->n, at = k * n;
	const iso_key key = iso_key_child(v->key, "shadow", k);
	const iso_model *m;
	iso_table *half = NULL, *drawn = NULL;
	uint32_t *row = NULL;
	iso_status st;

	ISO_TRY_OUT(iso_subset(key, n, n / 2, &row, err));
	ISO_TRY_OUT(iso_table_select(v->auxiliary, row, n / 2, &half, err));
	ISO_TRY_OUT(v->models->train(v->models->ctx, half, k, &m, err));
	ISO_TRY_OUT(v->models->draw(m, 0, n / 2, &drawn, err));
	ISO_TRY_OUT(query(o, e, drawn, key, all, s->x + at * FEATURES, err));
	for (size_t i = 0; i < n / 2; i++)
		s->in[at + row[i]] = 1;
	memcpy(s->y + at, all->y, n * sizeof(*s->y));
out:
	iso_table_free(half);
	iso_table_free(drawn);
	iso_free(row);
	return st;
}

static iso_status train_shadows(const iso_attack_view *v, const opts *o, study *s, iso_error *err)
{
	const size_t n = v->auxiliary->n, shadows = (size_t)o->shadows;
	iso_encoder *e = NULL;
	rows all = {0};
	iso_status st;

	s->n = shadows * n;
	s->x = iso_alloc(s->n * FEATURES, sizeof(*s->x));
	s->in = iso_alloc(s->n, sizeof(*s->in));
	s->y = iso_alloc(s->n, sizeof(*s->y));
	st = s->x && s->in && s->y ? ISO_OK : iso_no_memory(err, "shadow models");
	ISO_TRY_OUT(st);
	ISO_TRY_OUT(iso_encoder_new(v->schema, ISO_ENC_FEATURES, &e, err));
	ISO_TRY_OUT(rows_of(e, v->auxiliary, &all, err));
	for (size_t k = 0; k < shadows; k++)
		ISO_TRY_OUT(one_shadow(v, o, e, &all, k, s, err));
out:
	rows_free(&all);
	iso_encoder_free(e);
	return st;
}

static iso_status prepare(const iso_attack_view *v, const void *opt, void **state, iso_error *err)
{
	const opts *o = opt;
	study *s;
	iso_status st;

	if (o->variant == LOSS)
		return ISO_OK;
	ISO_FAIL_IF(!v->models || !v->auxiliary || v->auxiliary->n < 4, err, ISO_E_UNSUPPORTED,
		    "shokri: shadow models and auxiliary rows are needed");
	s = iso_alloc(1, sizeof(*s));
	if (!s)
		return iso_no_memory(err, "shadow models");
	st = train_shadows(v, o, s, err);
	if (st == ISO_OK)
		*state = s;
	else
		destroy(s);
	return st;
}

/* The attack model of one class (SIZE_MAX: of all) on the shadows' rows, asked about the targets of
 * that class. */
static iso_status ask_model(const iso_attack_view *v, const study *s, size_t class, const rows *q,
			    const float *x, iso_guess *out, iso_error *err)
{
	float *at = iso_alloc(s->n * FEATURES, sizeof(*at));
	uint32_t *in = iso_alloc(s->n, sizeof(*in));
	double *p = iso_alloc(2 * q->n, sizeof(*p));
	size_t n = 0;
	iso_status st = at && in && p ? ISO_OK : iso_no_memory(err, "an attack model");

	for (size_t i = 0; st == ISO_OK && i < s->n; i++)
		if (class == SIZE_MAX || s->y[i] == class) {
			memcpy(at + n * FEATURES, s->x + i * FEATURES, FEATURES * sizeof(*at));
			in[n++] = s->in[i];
		}
	if (st == ISO_OK) {
		const iso_examples e = {.x = at, .n = n, .d = FEATURES, .y = in, .classes = 2};

		st = iso_classify(iso_classifier_find("lr"), &e, iso_key_child(v->key, "attack", 0),
				  x, q->n, p, err);
	}
	for (size_t i = 0; st == ISO_OK && i < q->n; i++)
		if (class == SIZE_MAX || q->y[i] == class)
			out[i].score = p[2 * i + 1];
	iso_free(at);
	iso_free(in);
	iso_free(p);
	return st;
}

static iso_status ask_models(const iso_attack_view *v, const study *s, const rows *q,
			     const float *x, iso_guess *out, iso_error *err)
{
	const size_t classes = iso_schema_classes(v->schema);

	ISO_TRY(ask_model(v, s, SIZE_MAX, q, x, out, err));
	for (size_t k = 0; k < classes; k++) {
		size_t side[2] = {0};

		for (size_t i = 0; i < s->n; i++)
			side[s->in[i]] += s->y[i] == k;
		if (side[0] >= PER_CLASS && side[1] >= PER_CLASS)
			ISO_TRY(ask_model(v, s, k, q, x, out, err));
	}
	return ISO_OK;
}

static iso_status guess(const iso_attack_view *v, const void *opt, void *state, iso_guess *out,
			iso_error *err)
{
	const opts *o = opt;
	iso_encoder *e = NULL;
	rows q = {0};
	float *x = NULL;
	iso_status st;

	ISO_TRY(iso_needs_synthetic(v, "shokri", 2, err));
	ISO_TRY_OUT(iso_encoder_new(v->schema, ISO_ENC_FEATURES, &e, err));
	ISO_TRY_OUT(rows_of(e, v->targets, &q, err));
	x = iso_alloc(q.n * FEATURES, sizeof(*x));
	st = x ? query(o, e, v->synthetic, iso_key_child(v->key, "victim", 0), &q, x, err)
	       : iso_no_memory(err, "what a classifier says");
	for (size_t i = 0; st == ISO_OK && i < q.n; i++)
		out[i].score = (double)x[i * FEATURES + 1];
	if (st == ISO_OK && o->variant == SHADOWS)
		st = ask_models(v, state, &q, x, out, err);
out:
	rows_free(&q);
	iso_free(x);
	iso_encoder_free(e);
	return st;
}

const iso_attack iso_attack_shokri = {
	.abi = ISO_ATTACK_ABI,
	.name = "shokri",
	.title = "Membership through the downstream classifier (Shokri; loss)",
	.citation =
		"R. Shokri, M. Stronati, C. Song, V. Shmatikov: Membership Inference Attacks "
		"Against Machine Learning Models. IEEE S&P 2017. arXiv:1610.05820; S. Yeom, I. "
		"Giacomelli, M. Fredrikson, S. Jha: Privacy Risk in Machine Learning. CSF 2018. "
		"arXiv:1709.01604",
	.card = "A classifier is trained on the synthetic rows; a target whose true label it "
		"predicts with confidence is called a member. With shadows, generator and "
		"classifier are trained on halves of the attacker's own rows, and a logistic "
		"regression learns what the classifier says of rows inside and outside. "
		"Deviation: the shadows' rows are real and disjoint from the members, not "
		"synthesised.",
	.goal = ISO_GOAL_MEMBERSHIP,
	.knows = ISO_KNOWS_SYNTHETIC | ISO_KNOWS_SHADOW | ISO_KNOWS_AUXILIARY,
	.knows_of = knows_of,
	.version = 1,
	.knowledge = "SH",
	.options = options,
	.options_size = sizeof(opts),
	.check = check,
	.prepare = prepare,
	.guess = guess,
	.destroy = destroy,
};
