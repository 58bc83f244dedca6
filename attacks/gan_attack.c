// SPDX-License-Identifier: Apache-2.0
/* Game: federated (rows of a class that another client alone holds).  Knowledge: a client of the
 * training, who sees the shared model in every round where the training has rounds, and the
 * finished one otherwise.
 * Source: B. Hitaj, G. Ateniese, F. Perez-Cruz, Deep Models Under the GAN: Information Leakage from
 * Collaborative Deep Learning, CCS 2017, arXiv:1702.07464 (attacks.md section 6).
 *
 *     a shared classifier (fedavg)   in every round a generator G of the attacker's takes steps on
 *                     -log p_a(G(z)) + prior/2 |(G(z) - m)/s|^2, the shared model as a fixed
 *                     discriminator, m and s mean and spread of its own rows; then fakes G(z),
 *                     labelled as one of the attacker's own classes, join its own rows, so that the
 *                     victim has to tell its class from them and shows more of it
 *     a shared generator (fl-gan, asyn-dgan, 3dgl)   there is no classifier to be turned against
 *                     the victim; the rows of class a that the shared model makes are what it shows
 *
 * The score of a target is its nearness to the rows shown.
 */
#include <math.h>
#include <string.h>

#include "attacks/attack.h"
#include "core/base/alloc.h"
#include "core/nn/net.h"

enum { LATENT = 16, HIDDEN = 64, BATCH = 64, WORLDS = 2, TRIES = 8 };

typedef struct opts {
	char class[ISO_OPT_TEXT_MAX];
	int64_t steps;
	double lr, inject, prior;
} opts;
static const iso_option options[] = {
	ISO_OPT_STRING(opts, class, "", "the victim's class; empty: the positive one, or the last"),
	ISO_OPT_INT(opts, steps, "60", 1, 100000, "steps of the attacker's generator in a round"),
	ISO_OPT_REAL(opts, lr, "2e-3", 1e-6, 1, "their size (Adam)"),
	ISO_OPT_REAL(opts, prior, "0", 0, 1000,
		     "weight of the attacker's own rows' mean and spread, which keep its generator "
		     "out of the corners of the domain; 0: as published"),
	ISO_OPT_REAL(opts, inject, "0.5", 0, 10,
		     "fakes among the attacker's rows, as a share of its own; 0: it only looks"),
	{0}};

/* The attacker's generator in one world; net NULL: the training had no rounds to join. */
typedef struct forger {
	iso_net *net;
	iso_ws *ws;
	iso_optim opt;
	iso_encoder *enc;    /* as the shared classifier's */
	float *mean, *scale; /* [enc->dim] of the attacker's own rows, and 1 / variance; owned */
} forger;

typedef struct state {
	size_t class;
	iso_key key;
	forger own[WORLDS];
	float z[BATCH * LATENT];
} state;

static void destroy(void *state_)
{
	state *s = state_;

	for (size_t w = 0; s && w < WORLDS; w++) {
		iso_ws_free(s->own[w].ws);
		iso_net_free(s->own[w].net);
		iso_optim_deinit(&s->own[w].opt);
		iso_encoder_free(s->own[w].enc);
		iso_free(s->own[w].mean);
		iso_free(s->own[w].scale);
	}
	iso_free(s);
}

static iso_status prepare(const iso_attack_view *v, const void *opt, void **out, iso_error *err)
{
	state *s = iso_alloc(1, sizeof(*s));

	(void)opt;
	if (!s)
		return iso_no_memory(err, "an attack");
	s->class = (size_t)v->secret;
	s->key = v->key;
	*out = s;
	return ISO_OK;
}

/* Mean and spread of the attacker's rows; a spread of .05 at the least. */
static iso_status know_own(forger *f, const iso_table *own, iso_error *err)
{
	const size_t d = f->enc->dim;
	float *x = NULL;

	f->mean = iso_alloc(d, sizeof(*f->mean));
	f->scale = iso_alloc(d, sizeof(*f->scale));
	if (!f->mean || !f->scale)
		return iso_no_memory(err, "an attack");
	ISO_TRY(iso_encode_new(f->enc, own, &x, err));
	for (size_t j = 0; j < d; j++) {
		double sum = 0, square = 0;

		for (size_t i = 0; i < own->n; i++) {
			sum += (double)x[i * d + j];
			square += (double)x[i * d + j] * (double)x[i * d + j];
		}
		const double n = fmax(1, (double)own->n), mean = own->n ? sum / n : 0.5;

		f->mean[j] = (float)mean;
		f->scale[j] = (float)(1 / fmax(0.0025, own->n ? square / n - mean * mean : 1));
	}
	iso_free(x);
	return ISO_OK;
}

static iso_status forger_new(forger *f, const iso_shared *shared, double lr, iso_key key,
			     iso_error *err)
{
	const size_t size[3] = {LATENT, HIDDEN, shared->enc->dim};
	const iso_act act[2] = {ISO_ACT_TANH, ISO_ACT_SIGMOID};

	ISO_TRY(iso_encoder_new(shared->enc->schema, shared->enc->flags, &f->enc, err));
	ISO_TRY(know_own(f, shared->own, err));
	ISO_TRY(iso_net_new_dense(2, size, act, &f->net, err));
	iso_net_randomize(f->net, ISO_INIT_GLOROT, key);
	ISO_TRY(iso_ws_new(f->net, BATCH, 0, &f->ws, err));
	return iso_optim_init(&f->opt, ISO_ADAM, (float)lr, iso_net_params(f->net), err);
}

/* n <= BATCH rows of the generator in its workspace, from latents addressed by first + i. */
static const float *forge(state *s, const forger *f, iso_key key, uint64_t first, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		iso_stream r = iso_stream_new(iso_key_child(key, "row", first + i));

		for (size_t j = 0; j < LATENT; j++)
			s->z[i * LATENT + j] = (float)iso_next_normal(&r);
	}
	iso_net_forward(f->net, f->ws, s->z, LATENT, n, NULL);
	return iso_ws_out(f->ws);
}

/* G against the shared model, which does not move. */
static iso_status learn(state *s, forger *f, const iso_shared *shared, const opts *o, iso_key key,
			iso_error *err)
{
	const size_t d = f->enc->dim;
	double value[BATCH];

	for (size_t t = 0; t < (size_t)o->steps; t++) {
		const float *x = forge(s, f, key, t * BATCH, BATCH);
		float *const slope = iso_ws_delta(f->ws);

		ISO_TRY(shared->answer(shared->ctx, x, BATCH, s->class, value, slope, err));
		for (size_t i = 0; i < BATCH * d; i++)
			slope[i] = (float)o->prior * f->scale[i % d] * (x[i] - f->mean[i % d]) -
				   slope[i];
		iso_net_backward(f->net, f->ws, 1, NULL, 0);
		iso_net_weight_grad(f->net, f->ws, NULL, 0, iso_net_grad(f->net));
		iso_optim_step(&f->opt, iso_net_theta(f->net), iso_net_grad(f->net), 1.0F / BATCH);
	}
	return ISO_OK;
}

/* n rows of the generator at at.. of t, labelled `label`. */
static void fill(state *s, const forger *f, iso_key key, iso_table *t, size_t at, size_t n,
		 size_t label)
{
	const uint32_t y = (uint32_t)label;

	for (size_t i = 0; i < n; i += BATCH) {
		const size_t m = n - i < BATCH ? n - i : BATCH;

		iso_decode(f->enc, forge(s, f, key, i, m), f->enc->dim, m, NULL, t, at + i);
	}
	for (size_t i = 0; i < n; i++)
		iso_set_labels(t, at + i, &y, 1);
}

/* The attacker's own rows and fakes of them that bear its own label. */
static iso_status mixed(state *s, const forger *f, const iso_shared *shared, double share,
			iso_key key, iso_table **out, iso_error *err)
{
	const iso_table *own = shared->own;
	const size_t n = (size_t)(share * (double)own->n);
	iso_table *fakes = NULL;
	iso_status st;

	if (n == 0 || own->n == 0 || iso_table_label(own, 0) >= shared->classes)
		return ISO_OK;
	ISO_TRY(iso_table_new(own->schema, n, &fakes, err));
	fill(s, f, key, fakes, 0, n, iso_table_label(own, 0));
	st = own->client ? iso_table_add_clients(fakes, own->nclient, err) : ISO_OK;
	if (st == ISO_OK)
		st = iso_table_concat(own, fakes, out, err);
	iso_table_free(fakes);
	return st;
}

static iso_status join(const void *opt, void *state_, size_t world, const iso_shared *shared,
		       iso_table **rows, iso_error *err)
{
	const opts *o = opt;
	state *s = state_;
	forger *f = &s->own[world];
	const iso_key key = iso_key_child(s->key, "world", world);

	if (!f->net)
		ISO_TRY(forger_new(f, shared, o->lr, iso_key_child(key, "init", 0), err));
	ISO_TRY(learn(s, f, shared, o, iso_key_child(key, "learn", shared->round), err));
	return mixed(s, f, shared, o->inject, iso_key_child(key, "inject", shared->round), rows,
		     err);
}

/* ---- what it shows ---- */

/* Rows of the class that the shared model makes; others where it makes too few. */
static iso_status drawn(const iso_attack_view *v, const state *s, size_t world, size_t at, size_t n,
			iso_error *err)
{
	const uint32_t y = (uint32_t)s->class;
	size_t have = 0;

	for (size_t t = 0; t < TRIES && have < n; t++) {
		iso_table *rows = NULL;

		ISO_TRY(v->models->draw(v->world[world], t, 4 * n, &rows, err));
		for (size_t i = 0; i < rows->n && have < n; i++)
			if (iso_table_label(rows, i) == s->class ||
			    (t + 1 == TRIES && rows->n - i <= n - have)) {
				iso_table_copy_row(rows, i, v->rebuilt, at + have);
				iso_set_labels(v->rebuilt, at + have++, &y, 1);
			}
		iso_table_free(rows);
	}
	return ISO_OK;
}

/* Minus the distance of every target to the nearest of the first n rows shown. */
static iso_status score(const iso_attack_view *v, size_t n, iso_guess *out, iso_error *err)
{
	uint32_t *row = iso_alloc(n, sizeof(*row));
	double *near = iso_alloc(v->targets->n + 1, sizeof(*near));
	size_t *place = iso_alloc(v->targets->n + 1, sizeof(*place));
	iso_table *shown = NULL;
	iso_rowset a = {0}, b = {0};
	iso_status st = row && near && place ? ISO_OK : iso_no_memory(err, "scores");

	for (size_t i = 0; row && i < n; i++)
		row[i] = (uint32_t)i;
	if (st == ISO_OK)
		st = iso_table_select(v->rebuilt, row, n, &shown, err);
	if (st == ISO_OK)
		st = iso_rowset_new(v->targets, &a, err);
	if (st == ISO_OK)
		st = iso_rowset_new(shown, &b, err);
	if (st == ISO_OK)
		st = iso_pair_nearest(&a, &b, 1, 0, near, place, err);
	for (size_t i = 0; st == ISO_OK && i < v->targets->n; i++)
		out[i] = (iso_guess){-near[i], 0};
	iso_rowset_free(&a);
	iso_rowset_free(&b);
	iso_table_free(shown);
	iso_free(row);
	iso_free(near);
	iso_free(place);
	return st;
}

static iso_status guess(const iso_attack_view *v, const void *opt, void *state_, iso_guess *out,
			iso_error *err)
{
	state *s = state_;
	const size_t n = v->rebuilt ? v->rebuilt->n / WORLDS : 0;

	(void)opt;
	ISO_FAIL_IF(n == 0 || !v->world || v->nworld != WORLDS, err, ISO_E_UNSUPPORTED,
		    "gan-attack: there are no rows to show");
	for (size_t w = 0; w < WORLDS; w++) {
		if (s->own[w].net)
			fill(s, &s->own[w], iso_key_child(s->key, "show", w), v->rebuilt, w * n, n,
			     s->class);
		else
			ISO_TRY(drawn(v, s, w, w * n, n, err));
	}
	return score(v, n, out, err);
}

static const char *class_of(const void *opt)
{
	return ((const opts *)opt)->class;
}

const iso_attack iso_attack_gan_attack = {
	.abi = ISO_ATTACK_ABI,
	.name = "gan-attack",
	.title = "The GAN attack on collaborative training (Hitaj 2017)",
	.citation = "B. Hitaj, G. Ateniese, F. Perez-Cruz: Deep Models Under the GAN: Information "
		    "Leakage from Collaborative Deep Learning. CCS 2017, arXiv:1702.07464",
	.card = "A client shows rows of a class that another client alone holds. In a federated "
		"classifier it trains a generator against the shared model in every round and puts "
		"fakes of that class, labelled as its own, among its rows; of a federated "
		"generator it shows the rows of the class that the model makes. `gain` compares "
		"with a training in which nobody holds the class: it is about the class, which "
		"the privacy of a record does not hide; `auc` tells the victim's rows from fresh "
		"rows of the class. The intervals cover the rows shown, not the training. "
		"Deviations: fakes bear one of the attacker's own classes instead of an artificial "
		"one; a small dense generator, which prior > 0 keeps near the attacker's own rows.",
	.goal = ISO_GOAL_FEDERATED,
	.knows = ISO_KNOWS_ROUNDS,
	.version = 1,
	.knowledge = "AWB",
	.options = options,
	.options_size = sizeof(opts),
	.prepare = prepare,
	.join = join,
	.guess = guess,
	.destroy = destroy,
	.secret = class_of,
};
