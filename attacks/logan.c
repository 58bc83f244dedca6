// SPDX-License-Identifier: Apache-2.0
/* Game: membership.  Knowledge: NB, and for d1 auxiliary rows R of the population.
 * Source: J. Hayes, L. Melis, G. Danezis, E. De Cristofaro, LOGAN, PoPETs 2019, section 4.2, the
 * black-box attacks (attacks.md section 2.2).
 *
 *     d1    a network learns to tell the released rows S from R; s(x) = its logit of "released"
 *     gan   a local GAN is trained on S; s(x) = the logit of its discriminator ("LOGAN-0" in the
 *           comparison of the DOMIAS paper)
 *
 * Both see S alone of what the victim made.  Networks with two hidden layers of `units` ReLUs, Adam
 * at rate 1e-3 on batches of 128 rows a side.  Columns are standardised by the rows that the
 * attacker holds.
 */
#include <math.h>

#include "attacks/kit/masked.h"
#include "core/base/alloc.h"
#include "core/nn/net.h"

#define SIDE 128 /* rows of each side of a batch */
#define LATENT 16

enum { D1, GAN };
typedef struct opts {
	int variant;
	int64_t units, steps;
} opts;
static const iso_option options[] = {
	ISO_OPT_ENUM(opts, variant, "d1", "d1|gan",
		     "d1: against the attacker's own rows; gan: against a local generator"),
	ISO_OPT_INT(opts, units, "64", 1, 4096, "of each of the two hidden layers"),
	ISO_OPT_INT(opts, steps, "0", 0, 1000000,
		    "of training; 0 = 20 passes over the released rows, 1,500 to 5,000"),
	{0}};

static uint32_t knows_of(const void *opt)
{
	const opts *o = opt;

	return ISO_KNOWS_SYNTHETIC | (o->variant == D1 ? ISO_KNOWS_AUXILIARY : 0);
}

/* A network, the room for its passes and its optimiser. */
typedef struct learner {
	iso_net *net;
	iso_ws *ws;
	iso_optim opt;
} learner;

static void learner_free(learner *l)
{
	iso_net_free(l->net);
	iso_ws_free(l->ws);
	iso_optim_deinit(&l->opt);
}

static iso_status learner_new(size_t in, size_t units, size_t out, iso_key key, learner *l,
			      iso_error *err)
{
	const size_t size[] = {in, units, units, out};
	const iso_act act[] = {ISO_ACT_RELU, ISO_ACT_RELU, ISO_ACT_LINEAR};

	ISO_TRY(iso_net_new_dense(3, size, act, &l->net, err));
	iso_net_randomize(l->net, ISO_INIT_HE, key);
	ISO_TRY(iso_ws_new(l->net, 2 * SIDE, 0, &l->ws, err));
	return iso_optim_init(&l->opt, ISO_ADAM, 1e-3f, iso_net_params(l->net), err);
}

static void learner_step(learner *l, size_t rows)
{
	iso_net_weight_grad(l->net, l->ws, NULL, 0, iso_net_grad(l->net));
	iso_optim_step(&l->opt, iso_net_theta(l->net), iso_net_grad(l->net), 1.0f / (float)rows);
}

typedef struct contest {
	size_t d;
	float *own, *other; /* owned [nown][d] released rows; [nother][d] of R, NULL: a generator */
	size_t nown, nother;
	float *shift, *scale; /* owned [d] */
	float *x;	      /* owned [2 SIDE][d] the batch: released rows first */
	float *dx, *z;	      /* owned [2 SIDE][d], [2 SIDE][LATENT] */
	learner judge, maker;
} contest;

static void contest_free(contest *c)
{
	iso_free(c->own);
	iso_free(c->other);
	iso_free(c->shift);
	iso_free(c->scale);
	iso_free(c->x);
	iso_free(c->dx);
	iso_free(c->z);
	learner_free(&c->judge);
	learner_free(&c->maker);
}

/* Mean and deviation of the released rows, from the columns of x [n][d]. */
static void measure_columns(contest *c)
{
	for (size_t j = 0; j < c->d; j++) {
		double sum = 0, square = 0;

		for (size_t i = 0; i < c->nown; i++)
			sum += (double)c->own[i * c->d + j];
		sum /= (double)c->nown;
		for (size_t i = 0; i < c->nown; i++) {
			const double e = (double)c->own[i * c->d + j] - sum;

			square += e * e;
		}
		square = sqrt(square / (double)c->nown);
		c->shift[j] = (float)sum;
		c->scale[j] = square > 1e-6 ? (float)(1 / square) : 1.0f;
	}
}

static void standardise(const contest *c, float *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < c->d; j++)
			x[i * c->d + j] = (x[i * c->d + j] - c->shift[j]) * c->scale[j];
}

static iso_status contest_new(const iso_attack_view *v, const opts *o, const iso_encoder *e,
			      contest *c, iso_error *err)
{
	*c = (contest){.d = e->dim, .nown = v->synthetic->n};
	ISO_TRY(iso_encode_new(e, v->synthetic, &c->own, err));
	if (o->variant == D1) {
		c->nother = v->auxiliary->n;
		ISO_TRY(iso_encode_new(e, v->auxiliary, &c->other, err));
	}
	c->shift = iso_alloc(c->d, sizeof(float));
	c->scale = iso_alloc(c->d, sizeof(float));
	c->x = iso_alloc(2 * SIDE * c->d, sizeof(float));
	c->dx = iso_alloc(2 * SIDE * c->d, sizeof(float));
	c->z = iso_alloc(2 * SIDE * LATENT, sizeof(float));
	if (!c->shift || !c->scale || !c->x || !c->dx || !c->z)
		return iso_no_memory(err, "a local discriminator");
	measure_columns(c);
	standardise(c, c->own, c->nown);
	standardise(c, c->other, c->nother);
	ISO_TRY(learner_new(c->d, (size_t)o->units, 1, iso_key_child(v->key, "judge", 0), &c->judge,
			    err));
	return o->variant == D1 ? ISO_OK
				: learner_new(LATENT, (size_t)o->units, c->d,
					      iso_key_child(v->key, "maker", 0), &c->maker, err);
}

static void draw_rows(const float *from, size_t n, size_t d, iso_stream *s, float *to)
{
	for (size_t i = 0; i < SIDE; i++) {
		const float *row = from + iso_next_below(s, n) * d;

		for (size_t j = 0; j < d; j++)
			to[i * d + j] = row[j];
	}
}

static void make_rows(contest *c, size_t n, iso_stream *s, float *to)
{
	for (size_t i = 0; i < n * LATENT; i++)
		c->z[i] = (float)iso_next_normal(s);
	iso_net_forward(c->maker.net, c->maker.ws, c->z, LATENT, n, NULL);
	for (size_t i = 0; i < n * c->d; i++)
		to[i] = iso_ws_out(c->maker.ws)[i];
}

static void judge_step(contest *c, iso_stream *s)
{
	learner *l = &c->judge;
	float *other = c->x + SIDE * c->d;

	draw_rows(c->own, c->nown, c->d, s, c->x);
	if (c->other)
		draw_rows(c->other, c->nother, c->d, s, other);
	else
		make_rows(c, SIDE, s, other);
	iso_net_forward(l->net, l->ws, c->x, c->d, 2 * SIDE, NULL);
	iso_loss_bce_logits(iso_ws_out(l->ws), 1, SIDE, 1, iso_ws_delta(l->ws), 1);
	iso_loss_bce_logits(iso_ws_out(l->ws) + SIDE, 1, SIDE, 0, iso_ws_delta(l->ws) + SIDE, 1);
	iso_net_backward(l->net, l->ws, 0, NULL, 0);
	learner_step(l, 2 * SIDE);
}

/* The generator's non-saturating step. */
static void maker_step(contest *c, iso_stream *s)
{
	learner *l = &c->judge;

	make_rows(c, SIDE, s, c->x);
	iso_net_forward(l->net, l->ws, c->x, c->d, SIDE, NULL);
	iso_loss_bce_logits(iso_ws_out(l->ws), 1, SIDE, 1, iso_ws_delta(l->ws), 1);
	iso_net_backward(l->net, l->ws, 0, c->dx, c->d);
	for (size_t i = 0; i < SIDE * c->d; i++)
		iso_ws_delta(c->maker.ws)[i] = c->dx[i];
	iso_net_backward(c->maker.net, c->maker.ws, 0, NULL, 0);
	learner_step(&c->maker, SIDE);
}

static void train(contest *c, const opts *o, iso_key key)
{
	iso_stream s = iso_stream_new(key);
	size_t steps = (size_t)o->steps;

	if (!steps) {
		steps = 20 * c->nown / SIDE;
		steps = steps < 1500 ? 1500 : steps > 5000 ? 5000 : steps;
	}
	for (size_t i = 0; i < steps; i++) {
		judge_step(c, &s);
		if (!c->other)
			maker_step(c, &s);
	}
}

static void ask(contest *c, const float *q, size_t n, iso_guess *out)
{
	for (size_t at = 0; at < n; at += 2 * SIDE) {
		const size_t m = n - at < 2 * SIDE ? n - at : 2 * SIDE;

		iso_net_forward(c->judge.net, c->judge.ws, q + at * c->d, c->d, m, NULL);
		for (size_t i = 0; i < m; i++)
			out[at + i].score = (double)iso_ws_out(c->judge.ws)[i];
	}
}

static iso_status guess(const iso_attack_view *v, const void *opt, void *state, iso_guess *out,
			iso_error *err)
{
	const opts *o = opt;
	iso_encoder *e = NULL;
	contest c = {0};
	float *q = NULL;
	iso_status st;

	(void)state;
	ISO_TRY(iso_needs_synthetic(v, "logan", 2, err));
	ISO_FAIL_IF(o->variant == D1 && (!v->auxiliary || v->auxiliary->n < 2), err,
		    ISO_E_UNSUPPORTED, "logan: d1 needs auxiliary rows");
	ISO_TRY_OUT(iso_encoder_new(v->schema, ISO_ENC_FEATURES | ISO_ENC_LABEL, &e, err));
	ISO_TRY_OUT(contest_new(v, o, e, &c, err));
	ISO_TRY_OUT(iso_encode_new(e, v->targets, &q, err));
	standardise(&c, q, v->targets->n);
	train(&c, o, iso_key_child(v->key, "batches", 0));
	ask(&c, q, v->targets->n, out);
out:
	contest_free(&c);
	iso_free(q);
	iso_encoder_free(e);
	return st;
}

const iso_attack iso_attack_logan = {
	.abi = ISO_ATTACK_ABI,
	.name = "logan",
	.title = "A local discriminator (LOGAN, black-box)",
	.citation = "J. Hayes, L. Melis, G. Danezis, E. De Cristofaro: LOGAN: Membership Inference "
		    "Attacks Against Generative Models. PoPETs 2019. arXiv:1705.07663",
	.card = "A discriminator of the attacker's own is trained on the released rows and ranks "
		"the targets by its logit: against the attacker's own rows of the population "
		"(d1), or against a generator trained along with it (gan), which is the paper's "
		"attack without auxiliary knowledge. Deviations: dense networks on the public "
		"encoding, and a fixed number of steps.",
	.goal = ISO_GOAL_MEMBERSHIP,
	.knows = ISO_KNOWS_SYNTHETIC | ISO_KNOWS_AUXILIARY,
	.knows_of = knows_of,
	.version = 1,
	.knowledge = "NB",
	.options = options,
	.options_size = sizeof(opts),
	.guess = guess,
};
