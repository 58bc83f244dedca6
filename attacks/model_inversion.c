// SPDX-License-Identifier: Apache-2.0
/* Game: inversion (one typical row for each class).  Knowledge: NB (the downstream classifier is
 * trained on the released rows by the attacker, who knows its weights).
 * Source: M. Fredrikson, S. Jha, T. Ristenpart, Model Inversion Attacks that Exploit Confidence
 * Information and Basic Countermeasures, CCS 2015, algorithm 1 (attacks.md section 4.2).
 *
 *     classifier   x_0 = the middle of the domain; x <- clip(x - rate * d(1 - f_y(x))/dx) until
 *                  1 - f_y(x) <= 0.01, or 100 steps without progress, or 5,000 steps
 *     generator    the mean of the synthetic rows of class y: a generator that makes classes is a
 *                  sampler of typical rows already
 *
 * One-hot blocks stay in [0,1] during the descent and become a category by their largest value.
 */
#include <math.h>
#include <string.h>

#include "attacks/kit/masked.h"
#include "core/base/alloc.h"
#include "core/learn/mlp_classifier.h"
#include "core/math/vmath.h"

#define STEPS 5000
#define PATIENCE 100
#define ENOUGH 0.01 /* 1 - gamma */
#define RATE 0.1

enum { CLASSIFIER, GENERATOR };
typedef struct opts {
	int target;
} opts;
static const iso_option options[] = {
	ISO_OPT_ENUM(opts, target, "classifier", "classifier|generator",
		     "the gradient of a downstream classifier, or class means of the release"),
	{0}};

static iso_status check(const iso_schema *s, const void *opt, iso_error *err)
{
	(void)opt;
	ISO_FAIL_IF(iso_schema_classes(s) < 2, err, ISO_E_UNSUPPORTED,
		    "model-inversion: there is no label of two or more classes");
	return ISO_OK;
}

/* Probability of class y, and with d the gradient of 1 - f_y into d [dim]. */
static double probability(const iso_mlp *m, iso_ws *ws, const float *x, size_t y, float *d)
{
	const size_t units = iso_net_out(m->net);
	double p, top = -INFINITY, sum = 0;

	iso_net_forward(m->net, ws, x, m->d, 1, NULL);
	const float *z = iso_ws_out(ws);
	if (units == 1) { /* a logit of class 1 */
		p = iso_sigmoid(y ? (double)z[0] : -(double)z[0]);
		iso_ws_delta(ws)[0] = (float)((y ? -1 : 1) * p * (1 - p));
	} else {
		for (size_t k = 0; k < units; k++)
			top = fmax(top, (double)z[k]);
		for (size_t k = 0; k < units; k++)
			sum += iso_exp((double)z[k] - top);
		p = iso_exp((double)z[y] - top) / sum;
		for (size_t k = 0; k < units; k++)
			iso_ws_delta(ws)[k] =
				(float)(p * (iso_exp((double)z[k] - top) / sum - (k == y)));
	}
	iso_net_backward(m->net, ws, 0, d, m->d);
	return p;
}

static iso_status descend(const iso_mlp *m, size_t y, float *x, iso_error *err)
{
	float *d = iso_alloc(m->d, sizeof(*d)), *best = iso_alloc(m->d, sizeof(*best));
	iso_ws *ws = NULL;
	double least = INFINITY;
	iso_status st =
		d && best ? iso_ws_new(m->net, 1, 0, &ws, err) : iso_no_memory(err, "a descent");

	for (size_t j = 0; st == ISO_OK && j < m->d; j++)
		x[j] = 0.5f;
	for (size_t step = 0, last = 0; st == ISO_OK && step < STEPS; step++) {
		const double cost = 1 - probability(m, ws, x, y, d);

		if (cost < least) {
			least = cost;
			last = step;
			memcpy(best, x, m->d * sizeof(*x));
		}
		if (cost <= ENOUGH || step - last >= PATIENCE)
			break;
		for (size_t j = 0; j < m->d; j++)
			x[j] = fminf(1, fmaxf(0, x[j] - (float)RATE * d[j]));
	}
	if (st == ISO_OK)
		memcpy(x, best, m->d * sizeof(*x));
	iso_ws_free(ws);
	iso_free(d);
	iso_free(best);
	return st;
}

static iso_status by_classifier(const iso_attack_view *v, const float *rows, const uint32_t *y,
				size_t d, float *x, iso_error *err)
{
	const size_t classes = iso_schema_classes(v->schema);
	const iso_source s = iso_source_floats(rows, d, v->synthetic->n, d);
	iso_mlp_config c = iso_mlp_default();
	iso_mlp m;
	iso_status st;

	c.key = iso_key_child(v->key, "classifier", 0);
	ISO_TRY(iso_mlp_fit(&c, &s, y, classes, &m, err));
	st = m.only < 0 ? ISO_OK
			: iso_fail(err, ISO_E_UNSUPPORTED,
				   "model-inversion: all synthetic rows are of one class");
	for (size_t k = 0; st == ISO_OK && k < classes; k++)
		st = descend(&m, k, x + k * d, err);
	iso_mlp_free(&m);
	return st;
}

/* Class means; the middle of the domain for a class without rows. */
static void by_means(const iso_attack_view *v, const float *rows, const uint32_t *y, size_t d,
		     float *x)
{
	const size_t classes = iso_schema_classes(v->schema);

	for (size_t k = 0; k < classes; k++) {
		size_t n = 0;

		for (size_t i = 0; i < v->synthetic->n; i++)
			n += y[i] == k;
		for (size_t j = 0; j < d; j++) {
			double s = 0;

			for (size_t i = 0; i < v->synthetic->n; i++)
				s += y[i] == k ? (double)rows[i * d + j] : 0;
			x[k * d + j] = n ? (float)(s / (double)n) : 0.5f;
		}
	}
}

static iso_status invert(const iso_attack_view *v, const opts *o, const iso_encoder *e,
			 iso_error *err)
{
	const size_t classes = iso_schema_classes(v->schema), n = v->synthetic->n;
	float *rows = NULL, *x = iso_alloc(classes * e->dim, sizeof(*x));
	uint32_t *y = iso_alloc(n, sizeof(*y));
	iso_status st = x && y ? iso_encode_new(e, v->synthetic, &rows, err)
			       : iso_no_memory(err, "typical rows");

	for (size_t i = 0; st == ISO_OK && i < n; i++) {
		const size_t k = iso_table_label(v->synthetic, i);

		y[i] = (uint32_t)(k < classes ? k : 0);
	}
	if (st == ISO_OK && o->target == GENERATOR)
		by_means(v, rows, y, e->dim, x);
	else if (st == ISO_OK)
		st = by_classifier(v, rows, y, e->dim, x, err);
	if (st == ISO_OK)
		iso_decode(e, x, e->dim, classes, NULL, v->rebuilt, 0);
	iso_free(rows);
	iso_free(x);
	iso_free(y);
	return st;
}

static iso_status guess(const iso_attack_view *v, const void *opt, void *state, iso_guess *out,
			iso_error *err)
{
	iso_encoder *e;
	iso_status st;

	(void)state;
	ISO_TRY(iso_needs_synthetic(v, "model-inversion", 2, err));
	ISO_FAIL_IF(!v->rebuilt || v->rebuilt->n < iso_schema_classes(v->schema), err,
		    ISO_E_UNSUPPORTED, "model-inversion: there are no rows to fill");
	ISO_TRY(iso_encoder_new(v->schema, ISO_ENC_FEATURES, &e, err));
	st = invert(v, opt, e, err);
	iso_encoder_free(e);
	for (size_t i = 0; i < v->targets->n; i++)
		out[i] = (iso_guess){0, 0};
	return st;
}

const iso_attack iso_attack_model_inversion = {
	.abi = ISO_ATTACK_ABI,
	.name = "model-inversion",
	.title = "Typical rows of a class from confidences (Fredrikson 2015)",
	.citation = "M. Fredrikson, S. Jha, T. Ristenpart: Model Inversion Attacks that Exploit "
		    "Confidence Information and Basic Countermeasures. CCS 2015. "
		    "doi:10.1145/2810103.2813677",
	.card = "Finds a row that a downstream classifier (an MLP trained on the synthetic rows) "
		"assigns to a class with confidence, by projected gradient descent from the middle "
		"of the domain; or takes the class means of the synthetic rows. For tables it "
		"mostly returns the prototype of a class, which is knowledge of the population: "
		"the leak is how much nearer it lies to members than to non-members. Deviation: no "
		"auxiliary term, no denoising between steps.",
	.goal = ISO_GOAL_INVERSION,
	.knows = ISO_KNOWS_SYNTHETIC,
	.version = 1,
	.knowledge = "NB",
	.options = options,
	.options_size = sizeof(opts),
	.check = check,
	.guess = guess,
};
