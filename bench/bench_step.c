// SPDX-License-Identifier: Apache-2.0
/* Training steps, plain and private, through the public interface: forward, loss, backward, norms,
 * clip, sum, noise, Adam.  Batches are fixed (rate 1 over as many records as the batch), as in the
 * peers' scripts. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "core/base/alloc.h"
#include "core/math/vmath.h"
#include "core/nn/dpsgd.h"
#include "core/nn/layer.h"
#include "core/privacy/release_key.h"

#define LATENT 7

typedef enum loss { LOSS_BCE, LOSS_SQUARES, LOSS_VAE } loss;
typedef enum kind { DENSE, CONV, CONV_TRANSPOSED, LSTM } kind;

typedef struct shape {
	const char *name;
	loss loss;
	size_t batch, sizes[4], nsizes;
	double goal; /* DP / plain, 0 = none stated */
	kind kind;
} shape;

/* performance.md section 3.  VAE: encoder 108-128-64-14, decoder 7-64-128-108, tanh inside. */
static const shape shapes[] = {
	{"disc600", LOSS_BCE, 600, {794, 128, 1}, 3, 1.08},
	{"gen600", LOSS_SQUARES, 600, {110, 128, 784}, 3, 1.08},
	{"disc256", LOSS_BCE, 256, {784, 128, 1}, 3, 1.10},
	{"vae256", LOSS_VAE, 256, {108, 128, 64, 2 * LATENT}, 4, 1.10},
	{"disc128", LOSS_BCE, 128, {784, 128, 1}, 3, 1.22},
	{"disc64", LOSS_BCE, 64, {794, 128, 1}, 3, 1.35},
	{"vae64", LOSS_VAE, 64, {108, 128, 64, 2 * LATENT}, 4, 1.35},
	/* section 2: the discriminator 1-64-128 of 4 x 4 filters with stride 2, a generator's last
	 * layer from 14 x 14 x 64 to one channel, 24 steps of 64 variables into 64 hidden units */
	{"conv64", LOSS_BCE, 64, {28 * 28, 1}, 2, 1.25, CONV},
	{"convt64", LOSS_SQUARES, 64, {14 * 14 * 64, 28 * 28}, 2, 0, CONV_TRANSPOSED},
	{"lstm64", LOSS_BCE, 64, {24 * 64, 1}, 2, 1.3, LSTM},
};

typedef struct model {
	const shape *s;
	iso_net *net[2]; /* owned */
	iso_ws *ws[2];	 /* owned */
	iso_optim opt[2];
	size_t nnet, batch, in;
	float *x, *target, *eps, *z, *dz, *sd;
	uint64_t *id;
	iso_ledger *ledger;
	iso_dpsgd dp;
} model;

static void squares(const float *h, const float *target, size_t n, float *d)
{
	size_t i;

	for (i = 0; i < n; i++)
		d[i] = h[i] - target[i];
}

/* z = mu + exp(lv / 2) e; the sums of squares and the KL term differentiated. */
static void vae_pass(model *m, size_t n)
{
	const float *out;
	float *d;
	size_t r, j;

	iso_net_forward(m->net[0], m->ws[0], m->x, m->in, n, NULL);
	out = iso_ws_out(m->ws[0]);
	for (r = 0; r < n; r++)
		for (j = 0; j < LATENT; j++)
			m->sd[r * LATENT + j] = 0.5f * out[r * 2 * LATENT + LATENT + j];
	iso_vexp(n * LATENT, m->sd, m->sd);
	for (r = 0; r < n; r++)
		for (j = 0; j < LATENT; j++)
			m->z[r * LATENT + j] = out[r * 2 * LATENT + j] +
					       m->sd[r * LATENT + j] * m->eps[r * LATENT + j];
	iso_net_forward(m->net[1], m->ws[1], m->z, LATENT, n, NULL);
	squares(iso_ws_out(m->ws[1]), m->x, n * m->in, iso_ws_delta(m->ws[1]));
	iso_net_backward(m->net[1], m->ws[1], 1, m->dz, LATENT);
	d = iso_ws_delta(m->ws[0]);
	for (r = 0; r < n; r++) {
		for (j = 0; j < LATENT; j++) {
			const float g = m->dz[r * LATENT + j], s = m->sd[r * LATENT + j];

			d[r * 2 * LATENT + j] = g + 0.005f * out[r * 2 * LATENT + j];
			d[r * 2 * LATENT + LATENT + j] =
				0.5f * g * s * m->eps[r * LATENT + j] + 0.0025f * (s * s - 1);
		}
	}
	iso_net_backward(m->net[0], m->ws[0], 0, NULL, 0);
}

static iso_status rows(void *ctx, const uint32_t *rec, size_t n, uint64_t step, iso_error *err)
{
	model *m = ctx;
	(void)rec;
	(void)step;
	(void)err;
	if (m->s->loss == LOSS_VAE) {
		vae_pass(m, n);
		return ISO_OK;
	}
	iso_net_forward(m->net[0], m->ws[0], m->x, m->in, n, NULL);
	if (m->s->loss == LOSS_BCE)
		iso_loss_bce_logits(iso_ws_out(m->ws[0]), 1, n, 1, iso_ws_delta(m->ws[0]), 1);
	else
		squares(iso_ws_out(m->ws[0]), m->target, n * iso_net_out(m->net[0]),
			iso_ws_delta(m->ws[0]));
	iso_net_backward(m->net[0], m->ws[0], 0, NULL, 0);
	return ISO_OK;
}

static void model_free(model *m)
{
	size_t i;

	if (!m)
		return;
	iso_dpsgd_deinit(&m->dp);
	iso_ledger_free(m->ledger);
	for (i = 0; i < 2; i++) {
		iso_ws_free(m->ws[i]);
		iso_optim_deinit(&m->opt[i]);
		iso_net_free(m->net[i]);
	}
	iso_free(m->x);
	iso_free(m->target);
	iso_free(m->eps);
	iso_free(m->z);
	iso_free(m->dz);
	iso_free(m->sd);
	iso_free(m->id);
	iso_free(m);
}

static iso_status layers(model *m, iso_error *err)
{
	const iso_layer_spec conv[] = {iso_conv(64, 4, 2, 1, ISO_ACT_LRELU),
				       iso_conv(128, 4, 2, 1, ISO_ACT_LRELU),
				       iso_dense(1, ISO_ACT_LINEAR)},
			     transposed[] = {iso_conv_transposed(1, 4, 2, 1, ISO_ACT_SIGMOID)},
			     lstm[] = {iso_lstm_last(64), iso_dense(1, ISO_ACT_LINEAR)};

	switch (m->s->kind) {
	case CONV:
		return iso_net_new(conv, 3, iso_image(28, 28, 1), &m->net[0], err);
	case CONV_TRANSPOSED:
		return iso_net_new(transposed, 1, iso_image(14, 14, 64), &m->net[0], err);
	default:
		return iso_net_new(lstm, 2, iso_sequence(24, 64), &m->net[0], err);
	}
}

static iso_status nets(model *m, int dp, iso_error *err)
{
	static const iso_act relu[] = {ISO_ACT_LRELU, ISO_ACT_LINEAR},
			     encoder[] = {ISO_ACT_TANH, ISO_ACT_TANH, ISO_ACT_LINEAR},
			     decoder[] = {ISO_ACT_TANH, ISO_ACT_TANH, ISO_ACT_SIGMOID};
	static const size_t decoder_sizes[] = {LATENT, 64, 128, 108};
	const int vae = m->s->loss == LOSS_VAE;
	size_t i;

	m->nnet = vae ? 2 : 1;
	if (m->s->kind != DENSE)
		ISO_TRY(layers(m, err));
	else
		ISO_TRY(iso_net_new_dense(m->s->nsizes - 1, m->s->sizes, vae ? encoder : relu,
					  &m->net[0], err));
	if (vae)
		ISO_TRY(iso_net_new_dense(3, decoder_sizes, decoder, &m->net[1], err));
	for (i = 0; i < m->nnet; i++) {
		iso_net_randomize(m->net[i], ISO_INIT_GLOROT, iso_key_new(i, "bench/step"));
		ISO_TRY(iso_ws_new(m->net[i], m->batch, dp, &m->ws[i], err));
		ISO_TRY(iso_optim_init(&m->opt[i], ISO_ADAM, 1e-5f, iso_net_params(m->net[i]),
				       err));
		m->dp.part[i] = (iso_dpsgd_part){m->net[i], m->ws[i], &m->opt[i]};
	}
	return ISO_OK;
}

static iso_status buffers(model *m, iso_error *err)
{
	const size_t out = iso_net_out(m->net[0]);
	const iso_key key = iso_key_new(7, "bench/data");
	size_t i;

	m->x = iso_alloc(m->batch * m->in, sizeof(float));
	m->target = iso_alloc(m->batch * out, sizeof(float));
	m->eps = iso_alloc(m->batch * LATENT, sizeof(float));
	m->z = iso_alloc(m->batch * LATENT, sizeof(float));
	m->dz = iso_alloc(m->batch * LATENT, sizeof(float));
	m->sd = iso_alloc(m->batch * LATENT, sizeof(float));
	m->id = iso_alloc(m->batch, sizeof(*m->id));
	if (!m->x || !m->target || !m->eps || !m->z || !m->dz || !m->sd || !m->id)
		return iso_no_memory(err, "the benchmark's batch");
	iso_rand_fill_uniform(key, 0, 0, 1, m->x, m->batch * m->in);
	iso_rand_fill_uniform(key, 1, 0, 1, m->target, m->batch * out);
	iso_rand_fill_normal(key, 2, 0, 1, m->eps, m->batch * LATENT);
	for (i = 0; i < m->batch; i++)
		m->id[i] = i;
	return ISO_OK;
}

static iso_status model_init(model *m, int dp, iso_error *err)
{
	iso_plan plan = {0};
	iso_release_key key;
	iso_status st = ISO_OK;

	ISO_TRY(nets(m, dp, err));
	ISO_TRY(buffers(m, err));
	m->dp.batch_key = iso_key_new(3, "bench/batch");
	m->dp.rate = 1;
	m->dp.id = m->id;
	m->dp.n = m->dp.chunk = m->batch;
	m->dp.clip = 1e-3f; /* every record is clipped */
	m->dp.normaliser = (float)m->batch;
	m->dp.nparts = m->nnet;
	if (dp) {
		st = iso_plan_gaussian(&plan, (iso_entry){.why = "step"}, 1.1, 1, 1000000000,
				       m->dp.clip, err);
		if (st == ISO_OK)
			st = iso_release_key_plain(1, "bench", 0, &key, err);
		if (st == ISO_OK)
			st = iso_ledger_new(&plan, "bench", ISO_ADD_REMOVE, &key, &m->ledger, err);
		iso_plan_free(&plan);
		if (st == ISO_OK)
			st = iso_ledger_find(m->ledger, (iso_entry){.why = "step"}, &m->dp.handle,
					     err);
		m->dp.ledger = m->ledger;
	}
	return st == ISO_OK ? iso_dpsgd_init(&m->dp, err) : st;
}

static model *model_new(const shape *s, int dp)
{
	model *m = iso_alloc(1, sizeof(*m));
	iso_error err = {0};

	if (!m)
		return NULL;
	m->s = s;
	m->batch = s->batch;
	m->in = s->sizes[0];
	if (model_init(m, dp, &err) == ISO_OK)
		return m;
	bench_fail(&err);
	model_free(m);
	return NULL;
}

static void step(void *ctx)
{
	model *m = ctx;
	iso_error err = {0};

	if (!bench.failed && iso_dpsgd_step(&m->dp, rows, m, &err) != ISO_OK)
		bench_fail(&err);
}

static void forward(void *ctx)
{
	model *m = ctx;

	iso_net_forward(m->net[0], m->ws[0], m->x, m->in, m->batch, NULL);
}

/* How often a row meets the weights of a layer. */
static double positions(const iso_layer *y)
{
	if (y->ops == &iso_layer_conv)
		return (double)(y->out.h * y->out.w);
	return y->ops == &iso_layer_dense ? 1 : (double)(y->in.h * y->in.w);
}

/* Gflop of the products that any implementation has to do: forward, weights, and deltas below the
 * first layer. */
static double model_gflop(const model *m)
{
	double f = 0;
	size_t i, l;

	for (i = 0; i < m->nnet; i++) {
		for (l = 0; l < iso_net_layers(m->net[i]); l++) {
			const iso_layer *y = iso_net_layer(m->net[i], l);

			f += (l == 0 && i == 0 ? 4e-9 : 6e-9) * (double)m->batch * positions(y) *
			     (double)y->tensor[0].n;
		}
	}
	return f;
}

static void report(const shape *s, const model *m, const bench_case c[3])
{
	const bench_stat plain = bench_stat_of(c[0].sec, bench.rounds),
			 dp = bench_stat_of(c[1].sec, bench.rounds),
			 ratio = bench_ratio(c[1].rel, c[0].rel);
	const double fraction = model_gflop(m) / bench_stat_of(c[0].rel, bench.rounds).best,
		     best = bench_stat_of(c[1].rel, bench.rounds).best /
			    bench_stat_of(c[0].rel, bench.rounds).best;
	char path[96];

	snprintf(path, sizeof(path), "step_us.plain.%s", s->name);
	bench_put(path, plain.min * 1e6);
	bench_detail(path, plain, 1e6);
	snprintf(path, sizeof(path), "step_us.dp.%s", s->name);
	bench_put(path, dp.min * 1e6);
	bench_detail(path, dp, 1e6);
	if (s->kind != DENSE) {
		const bench_stat f = bench_stat_of(c[2].sec, bench.rounds);

		snprintf(path, sizeof(path), "forward_us.%s", s->name);
		bench_put(path, f.min * 1e6);
		bench_detail(path, f, 1e6);
		bench_say("  %-8s forward alone %8.1f us\n", s->name, f.min * 1e6);
	}
	snprintf(path, sizeof(path), "dp_over_plain.%s", s->name);
	bench_put(path, ratio.median);
	bench_detail(path, ratio, 1);
	snprintf(path, sizeof(path), "dp_over_plain_best.%s", s->name);
	bench_put(path, best);
	snprintf(path, sizeof(path), "step_peak_fraction.%s", s->name);
	bench_put(path, fraction);
	snprintf(path, sizeof(path), "parameters.%s", s->name);
	bench_put(path, (double)(iso_net_params(m->net[0]) +
				 (m->nnet > 1 ? iso_net_params(m->net[1]) : 0)));
	bench_say("  %-8s plain %8.1f us  dp %8.1f us  dp/plain %.3f, best/best %.3f (goal %.2f)  "
		  "plain/peak "
		  "%.2f\n",
		  s->name, plain.min * 1e6, dp.min * 1e6, ratio.median, best, s->goal, fraction);
}

void bench_steps(void)
{
	static bench_case c[3];
	size_t i;

	bench_say("steps: best time; ratio = median over rounds, and of the best tenths\n");
	for (i = 0; i < ISO_COUNT(shapes) && !bench.failed; i++) {
		model *plain = model_new(&shapes[i], 0),
		      *dp = plain ? model_new(&shapes[i], 1) : NULL;

		if (dp) {
			c[0] = (bench_case){.name = "plain", .run = step, .ctx = plain};
			c[1] = (bench_case){.name = "dp", .run = step, .ctx = dp};
			c[2] = (bench_case){.name = "forward", .run = forward, .ctx = plain};
			bench_rounds(c, shapes[i].kind == DENSE ? 2 : 3);
			report(&shapes[i], plain, c);
			if (!isfinite(*iso_net_theta(dp->net[0])) ||
			    !isfinite(*iso_net_theta(plain->net[0])))
				bench_say("  (parameters are no longer finite: times are not those "
					  "of training)\n");
		}
		model_free(plain);
		model_free(dp);
	}
}

struct bench_cell {
	model *m;
};

bench_cell *bench_cell_new(void)
{
	bench_cell *c = iso_alloc(1, sizeof(*c));

	if (c)
		c->m = model_new(&shapes[0], 1);
	return c;
}

void bench_cell_step(bench_cell *c)
{
	step(c->m);
}

void bench_cell_free(bench_cell *c)
{
	model_free(c->m);
	iso_free(c);
}
