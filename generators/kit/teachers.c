// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/teachers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/special.h"
#include "core/math/vmath.h"

double iso_lesson_step(iso_net *net, iso_ws *ws, iso_optim *opt, const iso_lesson *l)
{
	const size_t out = iso_net_out(net);
	float *const d = iso_ws_delta(ws);
	double sum = 0;
	iso_net_forward(net, ws, l->x, iso_net_in(net), l->n, NULL);
	const double loss =
		l->loss->eval(l->n, out, iso_ws_out(ws), out, l->target, l->target_ld, d, out);
	for (size_t j = 0; j < l->n; j++)
		sum += l->weight ? (double)l->weight[j] : 1;
	iso_net_backward(net, ws, 0, NULL, 0);
	iso_net_weight_grad(net, ws, l->weight, 0, iso_net_grad(net));
	iso_optim_step(opt, iso_net_theta(net), iso_net_grad(net), (float)(1 / sum));
	return loss / (double)l->n;
}

void iso_teachers_deinit(iso_teachers *t)
{
	for (size_t i = 0; t->net && i < t->k; i++)
		iso_net_free(t->net[i]);
	for (size_t i = 0; t->opt && i < t->k; i++)
		iso_optim_deinit(&t->opt[i]);
	iso_federation_free(&t->fed);
	iso_ws_free(t->ws);
	iso_free(t->net);
	iso_free(t->opt);
	iso_free(t->row);
	iso_free(t->scores);
	iso_free(t->fixed);
}

static int holds(const iso_teachers *t, size_t i, uint64_t id)
{
	for (size_t r = t->fed.first[i]; r < t->fed.first[i + 1]; r++)
		if (t->fed.id[r] == id)
			return 1;
	return 0;
}

/* In an audit a teacher votes for class 1 with the canary among its rows, and the one that would be
 * dealt it for class 0 without it. */
static iso_status find_canary(iso_teachers *t, const iso_fit *f, iso_error *err)
{
	uint64_t id;
	if (!iso_ledger_canary(f->ledger, &id) || f->train->client)
		return ISO_OK;
	t->fixed = iso_alloc(t->k, 1);
	if (!t->fixed)
		return iso_no_memory(err, "votes of a canary");
	t->fixed[iso_federation_client(f, t->k, id)] = 1;
	for (size_t i = 0; i < t->k; i++)
		if (holds(t, i, id))
			t->fixed[i] = 2;
	return ISO_OK;
}

iso_status iso_teachers_init(iso_teachers *t, const iso_fit *f, size_t k, size_t width,
			     iso_hidden hidden, size_t outs, double lr, size_t cap, iso_error *err)
{
	*t = (iso_teachers){.k = k,
			    .width = width,
			    .outs = outs,
			    .cap = cap,
			    .key = iso_key_child(f->key, "teachers", 0)};
	ISO_TRY(iso_federation_deal(f, k, &t->fed, err));
	ISO_TRY(find_canary(t, f, err));
	t->net = iso_alloc(k, sizeof *t->net);
	t->opt = iso_alloc(k, sizeof *t->opt);
	t->row = iso_alloc(cap, sizeof *t->row);
	t->scores = iso_alloc(cap, sizeof *t->scores);
	if (!t->net || !t->opt || !t->row || !t->scores)
		return iso_no_memory(err, "teachers");
	for (size_t i = 0; i < k; i++) {
		ISO_TRY(iso_kit_net(&t->net[i], width, hidden, outs, ISO_ACT_LINEAR, err));
		iso_net_randomize(t->net[i], ISO_INIT_HE, iso_key_child(t->key, "init", i));
		ISO_TRY(iso_optim_init(&t->opt[i], ISO_ADAM, (float)lr, iso_net_params(t->net[i]),
				       err));
	}
	return iso_ws_new(t->net[0], cap, 0, &t->ws, err);
}

size_t iso_teachers_batch(iso_teachers *t, size_t i, uint64_t step, size_t batch, size_t most)
{
	const size_t first = t->fed.first[i], own = t->fed.first[i + 1] - first;
	size_t n = 0;
	/* Poisson sampling by each row's identity */
	const double q = iso_rate_of(batch, own ? own : 1);
	const iso_key key = iso_key_child(iso_key_child(t->key, "batch", i), "step", step);
	for (size_t r = 0; r < own && n < most; r++)
		if (iso_rand_u01(key, t->fed.id[first + r], 0) < q)
			t->row[n++] = t->fed.pos[first + r];
	return n;
}

/* ---- Own rows against fakes ---- */

size_t iso_contrast_cap(size_t batch)
{
	return batch + iso_chunk_of((double)batch);
}

iso_status iso_contrast_init(iso_contrast *c, iso_error *err)
{
	const size_t all = iso_contrast_cap(c->batch);
	c->most = all - c->batch;
	c->row = iso_alloc(c->most * c->model->enc->dim, sizeof *c->row);
	c->x = iso_alloc(all * c->team->width, sizeof *c->x);
	c->want = iso_alloc(all, sizeof *c->want);
	c->weight = iso_alloc(all, sizeof *c->weight);
	return c->row && c->x && c->want && c->weight ? ISO_OK
						      : iso_no_memory(err, "batches of teachers");
}

void iso_contrast_deinit(iso_contrast *c)
{
	iso_free(c->row);
	iso_free(c->x);
	iso_free(c->want);
	iso_free(c->weight);
}

void iso_contrast_step(iso_contrast *c, const float *fakes, uint64_t step)
{
	iso_teachers *const team = c->team;
	const size_t dim = c->model->enc->dim, width = team->width, fake = c->batch;
	const iso_key turn = iso_key_child(team->key, "column", step);
	memcpy(c->x, fakes, fake * width * sizeof *c->x);
	for (size_t i = 0; i < team->k; i++) {
		const size_t n = iso_teachers_batch(team, i, step, fake, c->most);
		iso_rows_get(c->rows, team->row, n, c->row, dim);
		for (size_t j = 0; j < n; j++) {
			const float *const x = c->row + j * dim;
			const uint32_t r = team->row[j];
			iso_latent_scored(c->model, x,
					  iso_latent_told(c->model, turn, c->rows->table->id[r],
							  c->rows->label[r], x),
					  c->x + (fake + j) * width);
		}
		for (size_t j = 0; j < fake + n; j++) {
			c->want[j] = j < fake ? 0 : 1;
			c->weight[j] = j < fake && n ? (float)n / (float)fake : 1;
		}
		const iso_lesson l = {.loss = &iso_loss_bce,
				      .x = c->x,
				      .n = fake + n,
				      .target = c->want,
				      .target_ld = 1,
				      .weight = c->weight};
		iso_lesson_step(team->net[i], team->ws, &team->opt[i], &l);
	}
}

/* ---- Votes ---- */

static int by_value(const void *a, const void *b)
{
	const float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

/* The largest limit of at most 0 that a share `least` of v [n] exceed; sorts v. */
static float threshold(float *v, size_t n, double least)
{
	const size_t over = (size_t)(least * (double)n);
	if (over == 0)
		return 0;
	qsort(v, n, sizeof *v, by_value);
	const float limit = over < n ? v[n - over - 1] : -INFINITY;
	return limit < 0 ? limit : 0;
}

void iso_teachers_vote(iso_teachers *t, const float *x, size_t n, double least, double *votes)
{
	const size_t ld = t->outs == 1 ? 2 : t->outs;
	for (size_t i = 0; i < t->k; i++) {
		const size_t fixed = t->fixed ? t->fixed[i] : 0;
		for (size_t j = 0; fixed && j < n; j++)
			votes[j * ld + fixed - 1] += 1;
		if (fixed)
			continue;
		iso_net_forward(t->net[i], t->ws, x, t->width, n, NULL);
		const float *const o = iso_ws_out(t->ws);
		if (t->outs == 1) {
			memcpy(t->scores, o, n * sizeof *t->scores);
			const float limit = threshold(t->scores, n, least);
			for (size_t j = 0; j < n; j++)
				votes[2 * j + (o[j] > limit)] += 1;
			continue;
		}
		for (size_t j = 0; j < n; j++) {
			size_t top = 0;
			for (size_t c = 1; c < t->outs; c++)
				top = o[j * t->outs + c] > o[j * t->outs + top] ? c : top;
			votes[j * t->outs + top] += 1;
		}
	}
}

/* ---- How many ---- */

double iso_votes_noise(const iso_gen_env *env)
{
	const double l = -iso_log(env->delta > 0 ? env->delta : 1e-9);
	const double e = env->epsilon > 0 ? env->epsilon : 1e-9;
	return isfinite(e) ? 1 / (sqrt(2) * (sqrt(l + e) - sqrt(l))) : 0;
}

static double within(double x, double lo, double hi)
{
	return !(x > lo) ? lo : x > hi ? hi : x;
}

int64_t iso_votes_queries(const iso_gen_env *env, double rows, double least, double most)
{
	const double c = iso_votes_noise(env), n = (double)env->n;
	const double wide = c > 0 ? iso_pow(n / rows / (4 * c), 2) : most;
	/* a small table: four rows a teacher, and fewer queries */
	const double narrow = c > 0 ? iso_pow(n / 4 / (4 * c), 2) : most;
	return (int64_t)within(fmin(within(wide, least, most), narrow), 16, most);
}

int64_t iso_votes_teachers(const iso_gen_env *env, int64_t queries)
{
	return (int64_t)within(ceil(4 * iso_votes_noise(env) * sqrt((double)queries)), 10,
			       fmax(floor((double)env->n / 2), 2));
}

iso_status iso_teachers_check(const iso_gen_env *env, const char *who, int64_t teachers,
			      iso_error *err)
{
	ISO_FAIL_IF(teachers > (int64_t)env->n, err, ISO_E_CONFIG,
		    "teachers (%s): %d teachers for %zu rows; a teacher needs rows of its "
		    "own, ask for fewer",
		    who, (int)teachers, env->n);
	ISO_FAIL_IF(teachers == 1, err, ISO_E_CONFIG,
		    "teachers (%s): one teacher is no vote; ask for 2 or more", who);
	return ISO_OK;
}

iso_status iso_votes_check(const iso_gen_env *env, const char *who, int64_t teachers,
			   int64_t queries, iso_error *err)
{
	const double noise = iso_votes_noise(env) * sqrt((double)queries);
	ISO_TRY(iso_teachers_check(env, who, teachers, err));
	ISO_FAIL_IF((double)teachers < 2 * noise, err, ISO_E_BUDGET,
		    "teachers (%s): %d votes against noise of %.3g per unit of sensitivity "
		    "(%d queries at epsilon %g): even a unanimous vote would be nearly a coin; "
		    "ask for %.0f teachers or more, fewer queries, or a larger epsilon",
		    who, (int)teachers, noise, (int)queries, env->epsilon, ceil(2 * noise));
	return ISO_OK;
}

iso_status iso_votes_plan(int laplace, double scale, int64_t queries, size_t classes, iso_plan *out,
			  iso_error *err)
{
	const iso_plan_item item = {
		.why = "votes",
		.event = {.mechanism = laplace ? ISO_MECH_PATE_LNMAX : ISO_MECH_PATE_GNMAX,
			  .noise = scale,
			  .rate = 1,
			  .count = (uint64_t)queries,
			  .queries = (size_t)queries,
			  .classes = classes},
		.norm = laplace ? ISO_NORM_L1 : ISO_NORM_L2,
		.sensitivity = laplace ? 2 : sqrt(2),
	};
	return iso_plan_add(out, &item, err);
}

double iso_votes_unanimous(int laplace, double scale, double k)
{
	if (!(scale > 0))
		return 1;
	return laplace ? 1 - 0.5 * iso_exp(-k / scale) * (1 + 0.5 * k / scale)
		       : 0.5 * iso_erfc(-k / (2 * scale));
}
