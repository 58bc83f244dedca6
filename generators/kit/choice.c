// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/choice.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/learn/classifier.h"
#include "core/nn/dpsgd.h"
#include "core/privacy/mechanism.h"
#include "generators/kit/labels.h"

#define EVALUATOR_EPOCHS 20.0
#define EVALUATOR_BATCH 128

static const char *const pick_entry = "checkpoint-choice", *const step_entry = "evaluator-step";

static iso_entry entry_of(const char *why, iso_adjacency adjacency)
{
	return (iso_entry){
		.why = why, .group = adjacency == ISO_ADD_REMOVE ? ISO_CHOICE_GROUP : 0, .part = 1};
}

size_t iso_choice_training_rows(const iso_choice_options *o, size_t n)
{
	const double left = (o->picks > 0 ? 1 - o->holdout : 1) * (double)n;
	return left < 1 ? 1 : (size_t)left;
}

static size_t reserved(const iso_choice_options *o, size_t n)
{
	const double r = o->holdout * (double)n;
	return r < 1 ? 1 : (size_t)r;
}

static double evaluator_rate(const iso_choice_options *o, size_t n)
{
	const size_t rows = reserved(o, n);
	return iso_rate_of(iso_batch_of(0, EVALUATOR_BATCH, rows), rows);
}

static uint64_t evaluator_steps(const iso_choice_options *o, size_t n)
{
	return (uint64_t)ceil(EVALUATOR_EPOCHS / evaluator_rate(o, n));
}

iso_status iso_choice_plan(const iso_choice_options *o, const iso_gen_env *env, double noise,
			   double rate, double steps, iso_plan *plan, iso_error *err)
{
	if (o->picks == 0)
		return ISO_OK;
	if (o->evaluator == ISO_EVALUATE_PRIVATE) {
		/* the same mu as the training: q sqrt(T) / s (labels.h) */
		const double q = evaluator_rate(o, env->n), t = (double)evaluator_steps(o, env->n);
		return iso_plan_gaussian(plan, entry_of(step_entry, env->adjacency),
					 noise * q * sqrt(t) / (rate * sqrt(steps)), q, (uint64_t)t,
					 1, err);
	}
	const double epsilon = env->epsilon > 0 && env->epsilon < INFINITY ? env->epsilon : 1;
	const iso_event e = {.mechanism = ISO_MECH_PURE,
			     .epsilon = o->share * epsilon / (double)o->picks,
			     .count = (uint64_t)o->picks};
	ISO_TRY(iso_plan_event(plan, entry_of(pick_entry, env->adjacency), &e, 1, err));
	plan->v[plan->n - 1].fixed = 1;
	return ISO_OK;
}

static iso_status deal(iso_choice *c, iso_error *err)
{
	const size_t n = c->f->train->n;
	const iso_key key = iso_key_child(c->f->key, "reserved", 0);
	iso_federation *const d = &c->parts;
	*d = (iso_federation){.clients = 2,
			      .pos = iso_alloc(n, sizeof *d->pos),
			      .id = iso_alloc(n, sizeof *d->id),
			      .first = iso_alloc(3, sizeof *d->first)};
	if (!d->pos || !d->id || !d->first)
		return iso_no_memory(err, "reserved rows");
	size_t at = 0;
	for (int part = 0; part < 2; part++) {
		for (size_t r = 0; r < n; r++) {
			const uint64_t id = c->f->train->id[r];
			if ((iso_rand_u01(key, id, 0) < c->o.holdout) != part)
				continue;
			d->pos[at] = (uint32_t)r;
			d->id[at++] = id;
		}
		d->first[part + 1] = at;
	}
	return ISO_OK;
}

iso_status iso_choice_init(iso_choice *c, const iso_choice_options *o, const iso_fit *f,
			   const iso_net *generator, uint64_t steps, iso_error *err)
{
	const uint64_t t = (uint64_t)o->checkpoints < steps ? (uint64_t)o->checkpoints : steps;
	*c = (iso_choice){.o = *o, .f = f, .nparam = iso_net_params(generator)};
	c->every = t ? steps / t : 1;
	c->theta = iso_alloc((size_t)t * c->nparam, sizeof *c->theta);
	if (!c->theta)
		return iso_no_memory(err, "checkpoints");
	c->o.checkpoints = (int64_t)t;
	return deal(c, err);
}

void iso_choice_free(iso_choice *c)
{
	if (!c)
		return;
	iso_federation_free(&c->parts);
	iso_free(c->theta);
}

void iso_choice_keep(iso_choice *c, const iso_net *generator, uint64_t done)
{
	if (done % c->every != 0 || c->kept == (size_t)c->o.checkpoints)
		return;
	memcpy(c->theta + c->kept++ * c->nparam, iso_net_theta(generator),
	       c->nparam * sizeof *c->theta);
}

/* ---- Scores ---- */

/* Features and labels of a table. */
typedef struct cases {
	float *x;
	uint32_t *y;
	size_t n, d;
} cases;

static void cases_free(cases *e)
{
	iso_free(e->x);
	iso_free(e->y);
}

/* Rows row[0..n-1] of t (NULL: all).  A label that is missing becomes class 0. */
static iso_status cases_of(const iso_encoder *enc, size_t classes, const iso_table *t,
			   const uint32_t *row, size_t n, cases *e, iso_error *err)
{
	*e = (cases){.n = n, .d = enc->dim};
	e->x = iso_alloc(n * enc->dim + 1, sizeof *e->x);
	e->y = iso_alloc(n + 1, sizeof *e->y);
	if (!e->x || !e->y)
		return iso_no_memory(err, "rows that judge a checkpoint");
	iso_encode(enc, t, row, n, e->x, enc->dim);
	for (size_t r = 0; r < n; r++) {
		const size_t y = iso_table_label(t, row ? row[r] : r);
		e->y[r] = (uint32_t)(y < classes ? y : 0);
	}
	return ISO_OK;
}

static size_t best_class(const double *p, size_t classes)
{
	size_t best = 0;
	for (size_t k = 1; k < classes; k++)
		best = p[k] > p[best] ? k : best;
	return best;
}

/* PRIVATE: right answers on the reserved rows of a classifier that was trained on the synthetic
 * ones. */
static iso_status task_score(const iso_choice *c, size_t classes, const cases *synthetic,
			     const cases *real, double *score, iso_error *err)
{
	const iso_examples e = {.x = synthetic->x,
				.n = synthetic->n,
				.d = synthetic->d,
				.y = synthetic->y,
				.classes = classes};
	double *p = iso_alloc(real->n * classes + 1, sizeof *p);
	if (!p)
		return iso_no_memory(err, "answers of a task");
	const iso_status st = iso_classify(&iso_learn_lr, &e, iso_key_child(c->f->key, "task", 0),
					   real->x, real->n, p, err);
	*score = 0;
	for (size_t r = 0; st == ISO_OK && r < real->n; r++)
		*score += best_class(p + r * classes, classes) == real->y[r];
	iso_free(p);
	return st;
}

/* Softmax regression trained on the reserved rows by DP-SGD. */
typedef struct judge {
	iso_net *net;
	iso_ws *ws;
	iso_optim opt;
	iso_dpsgd dp;
	const cases *real; /* PRIVATE */
	float *x, *target;
	size_t classes;
} judge;

static void judge_free(judge *j)
{
	iso_dpsgd_deinit(&j->dp);
	iso_optim_deinit(&j->opt);
	iso_ws_free(j->ws);
	iso_net_free(j->net);
	iso_free(j->x);
	iso_free(j->target);
}

static iso_status judge_rows(void *ctx, const uint32_t *rec, size_t n, uint64_t step,
			     iso_error *err)
{
	judge *const j = ctx;
	const size_t d = j->real->d;
	(void)step, (void)err;
	for (size_t r = 0; r < n; r++) {
		memcpy(j->x + r * d, j->real->x + rec[r] * d, d * sizeof *j->x);
		iso_one_hot(j->real->y[rec[r]], j->classes, j->target + r * j->classes);
	}
	iso_net_forward(j->net, j->ws, j->x, d, n, NULL);
	iso_loss_cross_entropy.eval(n, j->classes, iso_ws_out(j->ws), j->classes, j->target,
				    j->classes, iso_ws_delta(j->ws), j->classes);
	iso_net_backward(j->net, j->ws, 0, NULL, 0);
	return ISO_OK;
}

static iso_status judge_train(judge *j, const iso_choice *c, const cases *real, iso_error *err)
{
	const size_t n = c->f->env.n, chunk = iso_chunk_of(EVALUATOR_BATCH);
	const double q = evaluator_rate(&c->o, n);
	const size_t first = c->parts.first[1];
	const iso_layer_spec layer[] = {iso_dense(j->classes, ISO_ACT_LINEAR)};
	int handle;
	j->real = real;
	ISO_TRY(iso_net_new(layer, 1, iso_flat(real->d), &j->net, err));
	ISO_TRY(iso_ws_new(j->net, chunk, ISO_WS_NORMS, &j->ws, err));
	ISO_TRY(iso_optim_init(&j->opt, ISO_ADAM, 0.02f, iso_net_params(j->net), err));
	j->x = iso_alloc(chunk * real->d, sizeof *j->x);
	j->target = iso_alloc(chunk * j->classes, sizeof *j->target);
	if (!j->x || !j->target)
		return iso_no_memory(err, "an evaluator");
	ISO_TRY(iso_ledger_find(c->f->ledger, entry_of(step_entry, c->f->env.adjacency), &handle,
				err));
	j->dp = (iso_dpsgd){.ledger = c->f->ledger,
			    .handle = handle,
			    .rate = q,
			    .id = c->parts.id + first,
			    .n = c->parts.first[2] - first,
			    .rows_per_record = 1,
			    .chunk = chunk,
			    .clip = 1,
			    .normaliser = (float)(q * (double)reserved(&c->o, n)),
			    .nparts = 1,
			    .part = {{j->net, j->ws, &j->opt, NULL}}};
	ISO_TRY(iso_dpsgd_init(&j->dp, err));
	for (uint64_t step = 0, steps = evaluator_steps(&c->o, n); step < steps; step++)
		ISO_TRY(iso_dpsgd_step(&j->dp, judge_rows, j, err));
	return ISO_OK;
}

/* Share of synthetic rows that carry the label which the private model would give them. */
static double judge_score(judge *j, const cases *synthetic)
{
	const size_t cap = iso_ws_cap(j->ws), k = j->classes;
	size_t right = 0;
	for (size_t at = 0; at < synthetic->n; at += cap) {
		const size_t left = synthetic->n - at, n = left < cap ? left : cap;
		iso_net_forward(j->net, j->ws, synthetic->x + at * synthetic->d, synthetic->d, n,
				NULL);
		const float *const out = iso_ws_out(j->ws);
		for (size_t r = 0; r < n; r++) {
			size_t best = 0;
			for (size_t c = 1; c < k; c++)
				best = out[r * k + c] > out[r * k + best] ? c : best;
			right += best == synthetic->y[at + r];
		}
	}
	return (double)right / (double)synthetic->n;
}

static void take_weights(const iso_choice *c, iso_latent_model *m, size_t expert, size_t checkpoint)
{
	memcpy(iso_net_theta(m->decoder[expert]), c->theta + checkpoint * c->nparam,
	       c->nparam * sizeof *c->theta);
}

/* score [kept] of every checkpoint; `real`: the reserved rows. */
static iso_status score_all(iso_choice *c, iso_latent_model *m, const iso_encoder *enc,
			    const cases *real, judge *j, double *score, iso_error *err)
{
	for (size_t t = 0; t < c->kept; t++) {
		iso_table *made = NULL;
		cases e = {0};
		iso_status st;
		for (size_t k = 0; k < m->shape.experts; k++)
			take_weights(c, m, k, t);
		ISO_TRY(iso_table_new(m->schema, (size_t)c->o.rows, &made, err));
		ISO_TRY_OUT(iso_latent_sample(m, iso_key_child(c->f->key, "judged", 0), made, err));
		ISO_TRY_OUT(cases_of(enc, m->classes, made, NULL, made->n, &e, err));
		if (j)
			score[t] = judge_score(j, &e);
		else
			ISO_TRY_OUT(task_score(c, m->classes, &e, real, &score[t], err));
	out:
		cases_free(&e);
		iso_table_free(made);
		if (st != ISO_OK)
			return st;
	}
	return ISO_OK;
}

/* The next pick among those that are left; chosen ones are taken out of the list. */
static iso_status pick_one(const iso_choice *c, const double *score, size_t *left, size_t nleft,
			   size_t *at, iso_error *err)
{
	double *now = iso_alloc(nleft, sizeof *now);
	iso_status st = ISO_OK;
	if (!now)
		return iso_no_memory(err, "scores of checkpoints");
	*at = 0;
	for (size_t i = 0; i < nleft; i++) {
		now[i] = score[left[i]];
		*at = now[i] > now[*at] ? i : *at;
	}
	if (c->o.evaluator == ISO_EVALUATE_TASK)
		st = iso_mech_noisy_max(c->f->ledger, entry_of(pick_entry, c->f->env.adjacency),
					now, nleft, at, err);
	iso_free(now);
	return st;
}

static iso_status pick(iso_choice *c, iso_latent_model *m, const double *score, iso_error *err)
{
	size_t left[4096], nleft = c->kept;
	for (size_t t = 0; t < nleft; t++)
		left[t] = t;
	for (size_t q = 0; q < m->shape.experts; q++) {
		size_t at;
		char name[32];
		ISO_TRY(pick_one(c, score, left, nleft, &at, err));
		take_weights(c, m, q, left[at]);
		(void)snprintf(name, sizeof name, "picked_%zu", q + 1);
		ISO_TRY(iso_latent_note(m, name, (double)left[at] + 1, err));
		if (nleft > 1) /* with fewer checkpoints than picks the last is taken again */
			left[at] = left[--nleft];
	}
	return ISO_OK;
}

iso_status iso_choice_finish(iso_choice *c, iso_latent_model *m, iso_error *err)
{
	const size_t first = c->parts.first[1], n = c->parts.first[2] - first;
	iso_encoder *enc = NULL;
	cases real = {0};
	judge j = {.classes = m->classes};
	double *score = iso_alloc(c->kept + 1, sizeof *score);
	iso_status st;
	if (!score)
		return iso_no_memory(err, "scores of checkpoints");
	ISO_TRY_OUT(iso_encoder_new(m->schema, ISO_ENC_FEATURES, &enc, err));
	ISO_TRY_OUT(cases_of(enc, m->classes, c->f->train, c->parts.pos + first, n, &real, err));
	if (c->o.evaluator == ISO_EVALUATE_PRIVATE)
		ISO_TRY_OUT(judge_train(&j, c, &real, err));
	ISO_TRY_OUT(score_all(c, m, enc, &real, c->o.evaluator == ISO_EVALUATE_PRIVATE ? &j : NULL,
			      score, err));
	ISO_TRY_OUT(pick(c, m, score, err));
out:
	judge_free(&j);
	cases_free(&real);
	iso_encoder_free(enc);
	iso_free(score);
	return st;
}
