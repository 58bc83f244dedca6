// SPDX-License-Identifier: Apache-2.0
/* One iteration (Torkzadehmahani, Kairouz, Paten 2019, Algorithm 1; B = expected batch, constants
 * of the plan):
 *
 *   fakes    x~_j = G(z_j, y_j), z_j ~ U[-1,1]^z, y_j ~ released label law, j = 1..B (public) D
 * step   sum_{i in Poisson batch} clip_C(grad CE(D(x_i, y_i), 1)) + N(0, (sigma C)^2)
 * (iso_dpsgd_step)
 *            + sum_j clip_C(grad CE(D(x~_j, y_j), 0)), divided by B, then SGD or Adam
 *   G step   Adam on mean_j CE(D(x~_j, y_j), 1) with the same z_j, y_j (public)
 *
 * PAIRED: the fake of record i is G(z_i, y_i), z_i addressed by the record's identity, and one clip
 * covers both halves. Nothing is allocated inside an iteration.
 */
#include "generators/train_gan.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/nn/dpsgd.h"
#include "generators/heads.h"

#define KEEP_BYTES ((size_t)64 << 20) /* encode once under this size, else batch by batch */
#define MOST_ROWS 4096		      /* rows of a workspace */

typedef struct gan {
	const iso_schema *schema; /* borrowed: public */
	iso_encoder *enc;	  /* features */
	iso_heads heads;
	iso_net *gen, *disc; /* owned */
	size_t z_dim, classes;
	double *law; /* [classes] cumulative label law, as released */
	int argmax;
} gan;

static size_t batch_of(const iso_gan_spec *s, size_t n)
{
	return iso_batch_of((size_t)s->o->batch, 600, n);
}

/* 0: 300 epochs, at most 30,000 steps (both what the paper's run comes to). */
static uint64_t steps_of(const iso_gan_spec *s, size_t n)
{
	if (s->o->steps)
		return (uint64_t)s->o->steps;
	const double t = ceil(300.0 / iso_rate_of(batch_of(s, n), n));
	return t < 30000 ? (uint64_t)t : 30000;
}

iso_status iso_gan_check(const iso_gen_env *env, const iso_gan_spec *s, iso_error *err)
{
	ISO_FAIL_IF(env->n == 0, err, ISO_E_DATA,
		    "no rows (%s): the training table is empty; give it at least one row", s->who);
	return iso_labels_check(env, s->labels, s->who, err);
}

iso_status iso_gan_plan(const iso_gen_env *env, const iso_gan_spec *s, double scale, iso_plan *plan,
			iso_error *err)
{
	if (!s->is_private)
		return ISO_OK;
	const double q = iso_rate_of(batch_of(s, env->n), env->n),
		     noise = s->sigma > 0 ? s->sigma : scale;
	const uint64_t steps = steps_of(s, env->n);
	/* the step clips in fp32: the bound that it proves is the rounded one */
	ISO_TRY(iso_plan_gaussian(plan, "disc-step", 0, 0, noise, q, steps, (float)s->o->clip,
				  err));
	plan->v[plan->n - 1].fixed = s->sigma > 0;
	return iso_labels_plan(env, s->labels,
			       noise * iso_noise_ratio(q, (double)steps, s->o->label_share),
			       s->sigma > 0, plan, err);
}

/* ---- The model
 * ------------------------------------------------------------------------------------------------
 */

void iso_gan_destroy(void *model)
{
	gan *m = model;
	if (!m)
		return;
	iso_net_free(m->gen);
	iso_net_free(m->disc);
	iso_encoder_free(m->enc);
	iso_free(m->law);
	iso_free(m);
}

static iso_status gan_new(const iso_gen_env *env, const iso_gan_options *o, gan **out,
			  iso_error *err)
{
	iso_status st = ISO_OK;
	gan *m = iso_alloc(1, sizeof *m);
	if (!m)
		return iso_no_memory(err, "networks");
	m->schema = env->schema;
	m->z_dim = (size_t)o->z_dim;
	m->classes = iso_schema_classes(env->schema);
	m->argmax = o->categories;
	m->law = iso_alloc(m->classes, sizeof *m->law);
	if (!m->law) {
		st = iso_no_memory(err, "label law");
		goto out;
	}
	ISO_TRY_OUT(iso_encoder_new(env->schema, ISO_ENC_FEATURES, &m->enc, err));
	if (m->enc->dim == 0) {
		st = iso_fail(err, ISO_E_UNSUPPORTED,
			      "no feature columns (GAN): there is nothing to generate; add a "
			      "feature to the schema");
		goto out;
	}
	m->heads = iso_heads_new(m->enc, 1);
	const size_t h = (size_t)o->hidden, dim = m->enc->dim;
	const size_t gs[] = {m->z_dim + m->classes, h, dim}, ds[] = {dim + m->classes, h, 1};
	const iso_act ga[] = {ISO_ACT_RELU, iso_heads_act(&m->heads)},
		      da[] = {ISO_ACT_RELU, ISO_ACT_LINEAR};
	ISO_TRY_OUT(iso_net_new_dense(2, gs, ga, &m->gen, err));
	ISO_TRY_OUT(iso_net_new_dense(2, ds, da, &m->disc, err));
out:
	if (st != ISO_OK)
		iso_gan_destroy(m);
	else
		*out = m;
	return st;
}

/* ---- Training
 * -------------------------------------------------------------------------------------------------
 */

typedef struct trainer {
	const iso_fit *f;
	const iso_gan_spec *s;
	gan *m;
	size_t dim, width, zw; /* encoded features; with label; input of G */
	size_t batch, chunk;   /* public fakes; records per piece */
	iso_rows rows;	       /* PRIVATE */
	uint32_t *label;       /* PRIVATE [n] */
	iso_key zkey, ykey, idkey;
	/* D on private rows, D on fakes, D for G's step, G on public latents, G on latents of
	 * records */
	iso_ws *real, *fake, *judge, *gen, *gen_rec; /* owned */
	float *x;				     /* [chunk (2 when paired)][width] */
	float *fx;				     /* [cap][width] fakes with labels */
	float *gin, *gin_rec;			     /* inputs of G */
	float *dx;				     /* [cap][width] dLoss/d(fake row) */
	float *norm, *pub; /* [cap] norms of fakes; [P of D] clipped sum of the fakes' gradients */
	size_t shared;	   /* fakes that the last closure left behind */
	iso_optim opt_d, opt_g;
	iso_average mean; /* of G */
	iso_dpsgd dp;
} trainer;

static void trainer_free(trainer *t)
{
	iso_ws *const ws[] = {t->real, t->fake, t->judge, t->gen, t->gen_rec};
	for (size_t i = 0; i < ISO_COUNT(ws); i++)
		iso_ws_free(ws[i]);
	float *const v[] = {t->x, t->fx, t->gin, t->gin_rec, t->dx, t->norm, t->pub};
	for (size_t i = 0; i < ISO_COUNT(v); i++)
		iso_free(v[i]);
	iso_rows_close(&t->rows);
	iso_free(t->label);
	iso_optim_deinit(&t->opt_d);
	iso_optim_deinit(&t->opt_g);
	iso_average_finish(&t->mean, NULL);
	iso_dpsgd_deinit(&t->dp);
}

static iso_status trainer_buffers(trainer *t, iso_error *err)
{
	const gan *m = t->m;
	const int paired = t->s->fakes == ISO_FAKES_PAIRED,
		  of_records = t->s->fakes != ISO_FAKES_PUBLIC;
	const size_t cap = t->batch > t->chunk ? t->batch : t->chunk;
	ISO_TRY(iso_ws_new(m->disc, t->chunk * (paired ? 2 : 1), t->s->is_private, &t->real, err));
	ISO_TRY(iso_ws_new(m->disc, cap, t->s->is_private, &t->fake, err));
	ISO_TRY(iso_ws_new(m->disc, cap, 0, &t->judge, err));
	ISO_TRY(iso_ws_new(m->gen, t->batch, 0, &t->gen, err));
	ISO_TRY(iso_ws_new(m->gen, of_records ? t->chunk : 1, 0, &t->gen_rec, err));
	t->x = iso_alloc(t->chunk * (paired ? 2 : 1) * t->width, sizeof *t->x);
	t->fx = iso_alloc(cap * t->width, sizeof *t->fx);
	t->gin = iso_alloc(t->batch * t->zw, sizeof *t->gin);
	t->gin_rec = iso_alloc((of_records ? t->chunk : 1) * t->zw, sizeof *t->gin_rec);
	t->dx = iso_alloc(cap * t->width, sizeof *t->dx);
	t->norm = iso_alloc(cap, sizeof *t->norm);
	t->pub = iso_alloc(iso_net_params(m->disc), sizeof *t->pub);
	t->label = iso_alloc(t->f->train->n, sizeof *t->label);
	if (!t->x || !t->fx || !t->gin || !t->gin_rec || !t->dx || !t->norm || !t->pub || !t->label)
		return iso_no_memory(err, "workspaces of a GAN");
	return ISO_OK;
}

static iso_status trainer_init(trainer *t, const iso_fit *f, const iso_gan_spec *s, gan *m,
			       iso_error *err)
{
	const size_t n = f->env.n;
	*t = (trainer){.f = f, .s = s, .m = m};
	t->dim = m->enc->dim;
	t->width = t->dim + m->classes;
	t->zw = m->z_dim + m->classes;
	t->batch = batch_of(s, n);
	/* a Poisson batch stays below this nearly always; larger ones come in pieces */
	const double most = (double)t->batch + 6 * sqrt((double)t->batch) + 16;
	t->chunk = most < MOST_ROWS ? (size_t)most : MOST_ROWS;
	t->zkey = iso_key_child(f->key, "z", 0);
	t->ykey = iso_key_child(f->key, "label", 0);
	t->idkey = iso_key_child(f->key, "record-z", 0);
	ISO_TRY(trainer_buffers(t, err));
	ISO_TRY(iso_rows_open(&t->rows, f->train, m->enc, KEEP_BYTES, err));
	for (size_t r = 0; r < f->train->n; r++)
		t->label[r] = (uint32_t)iso_table_label(f->train, r);
	iso_net_randomize(m->gen, ISO_INIT_XAVIER_TF, iso_key_child(f->key, "init-g", 0));
	iso_net_randomize(m->disc, ISO_INIT_XAVIER_TF, iso_key_child(f->key, "init-d", 0));
	ISO_TRY(iso_optim_init(&t->opt_g, ISO_ADAM, (float)s->o->lr_g, iso_net_params(m->gen),
			       err));
	ISO_TRY(iso_optim_init(&t->opt_d, s->adam_d ? ISO_ADAM : ISO_SGD, (float)s->o->lr_d,
			       iso_net_params(m->disc), err));
	ISO_TRY(iso_average_init(&t->mean, m->gen, s->average, steps_of(s, n), err));
	t->opt_g.beta1 = (float)s->beta1;
	if (s->adam_d)
		t->opt_d.beta1 = (float)s->beta1;
	t->dp = (iso_dpsgd){
		.ledger = s->is_private ? f->ledger : NULL,
		.batch_key = iso_key_child(f->key, "batch", 0),
		.rate = iso_rate_of(t->batch, n),
		.id = f->train->id,
		.n = f->train->n,
		.rows_per_record = s->fakes == ISO_FAKES_PAIRED ? 2 : 1,
		.chunk = t->chunk,
		.clip = (float)s->o->clip,
		.normaliser = (float)t->batch,
		.nparts = 1,
		.part = {{m->disc, t->real, &t->opt_d}},
		.public_grad = {s->fakes == ISO_FAKES_PAIRED ? NULL : t->pub},
	};
	if (s->is_private)
		ISO_TRY(iso_ledger_find(f->ledger, "disc-step", 0, &t->dp.handle, err));
	return iso_dpsgd_init(&t->dp, err);
}

/* Latents and labels of the public fakes of a step, and the fakes. */
static void public_fakes(trainer *t, uint64_t step)
{
	const gan *m = t->m;
	for (size_t j = 0; j < t->batch; j++) {
		const uint64_t at = step * t->batch + j;
		float *in = t->gin + j * t->zw;
		const uint32_t y = iso_law_draw(m->law, m->classes, iso_rand_u01(t->ykey, at, 0));
		iso_rand_fill_uniform(t->zkey, at, -1, 1, in, m->z_dim);
		iso_one_hot(y, m->classes, in + m->z_dim);
		iso_one_hot(y, m->classes, t->fx + j * t->width + t->dim);
	}
	iso_net_forward(m->gen, t->gen, t->gin, t->zw, t->batch, NULL);
	iso_heads_forward(&m->heads, iso_ws_out(t->gen), t->batch, t->fx, t->width);
}

/* PRIVATE (label of the record): a fake for each record, into rows x + r ld. */
static void record_fakes(trainer *t, const uint32_t *rec, size_t n, uint64_t step, float *x,
			 size_t ld)
{
	const gan *m = t->m;
	const iso_key key = iso_key_child(t->idkey, "step", step);
	for (size_t r = 0; r < n; r++) {
		float *in = t->gin_rec + r * t->zw;
		iso_rand_fill_uniform(key, t->f->train->id[rec[r]], -1, 1, in, m->z_dim);
		iso_one_hot(t->label[rec[r]], m->classes, in + m->z_dim);
		iso_one_hot(t->label[rec[r]], m->classes, x + r * ld + t->dim);
	}
	iso_net_forward(m->gen, t->gen_rec, t->gin_rec, t->zw, n, NULL);
	iso_heads_forward(&m->heads, iso_ws_out(t->gen_rec), n, x, ld);
}

/* pub (+)= sum_j clip_C(grad of the loss on fake j); returns the summed loss. */
static double fake_gradients(trainer *t, size_t n, int beta)
{
	iso_net_forward(t->m->disc, t->fake, t->fx, t->width, n, NULL);
	const double loss =
		iso_loss_bce_logits(iso_ws_out(t->fake), 1, n, 0, iso_ws_delta(t->fake), 1);
	iso_net_backward(t->m->disc, t->fake, 0, NULL, 0);
	if (t->s->is_private) {
		const float clip = (float)t->s->o->clip;
		iso_net_grad_norms2(t->m->disc, t->fake, 1, 0, t->norm);
		for (size_t j = 0; j < n; j++) {
			const float g = sqrtf(t->norm[j]);
			t->norm[j] = g > clip ? clip / g : 1;
		}
	}
	iso_net_weight_grad(t->m->disc, t->fake, t->s->is_private ? t->norm : NULL, beta, t->pub);
	return loss;
}

/* The closure of a D step: private rows and, when the specification says so, a fake per record. */
static iso_status disc_rows(void *ctx, const uint32_t *rec, size_t n, uint64_t step, iso_error *err)
{
	trainer *t = ctx;
	const int paired = t->s->fakes == ISO_FAKES_PAIRED;
	const size_t ld = t->width * (paired ? 2 : 1);
	(void)err;
	iso_rows_get(&t->rows, rec, n, t->x, ld);
	for (size_t r = 0; r < n; r++)
		iso_one_hot(t->label[rec[r]], t->m->classes, t->x + r * ld + t->dim);
	if (paired)
		record_fakes(t, rec, n, step, t->x + t->width, ld);
	iso_net_forward(t->m->disc, t->real, t->x, t->width, paired ? 2 * n : n, NULL);
	iso_loss_bce_logits(iso_ws_out(t->real), paired ? 2 : 1, n, 1, iso_ws_delta(t->real),
			    paired ? 2 : 1);
	if (paired)
		iso_loss_bce_logits(iso_ws_out(t->real) + 1, 2, n, 0, iso_ws_delta(t->real) + 1, 2);
	iso_net_backward(t->m->disc, t->real, 0, NULL, 0);
	if (t->s->fakes == ISO_FAKES_SHARED) {
		record_fakes(t, rec, n, step, t->fx, t->width);
		fake_gradients(t, n, 1);
	}
	t->shared = n;
	return ISO_OK;
}

/* One Adam step of G on mean CE(D(fake), 1); fakes x [n][ld] = heads(ws).  Returns the mean loss.
 */
static double gen_step(trainer *t, iso_ws *ws, const float *x, size_t ld, size_t n)
{
	gan *m = t->m;
	iso_net_forward(m->disc, t->judge, x, ld, n, NULL);
	const double loss =
		iso_loss_bce_logits(iso_ws_out(t->judge), 1, n, 1, iso_ws_delta(t->judge), 1);
	iso_net_backward(m->disc, t->judge, 0, t->dx, t->width);
	iso_heads_backward(&m->heads, x, ld, t->dx, t->width, n, iso_ws_delta(ws));
	iso_net_backward(m->gen, ws, 0, NULL, 0);
	iso_net_weight_grad(m->gen, ws, NULL, 0, iso_net_grad(m->gen));
	iso_optim_step(&t->opt_g, iso_net_theta(m->gen), iso_net_grad(m->gen), 1.0f / (float)n);
	return loss / (double)n;
}

/* Linear from lr_d to lr_d_end over lr_d_steps, then constant (section 5 of the paper). */
static float rate_at(const iso_gan_options *o, uint64_t step)
{
	const double full = (double)o->lr_d_steps;
	const double f = full > 0 && (double)step < full ? (double)step / full : 1;
	return (float)(o->lr_d + (o->lr_d_end - o->lr_d) * f);
}

static iso_status iterate(trainer *t, uint64_t step, double *loss_g, double *loss_fake,
			  iso_error *err)
{
	const int fakes = t->s->fakes;
	if (!t->s->adam_d)
		t->opt_d.lr = rate_at(t->s->o, step);
	t->shared = 0;
	if (fakes == ISO_FAKES_PUBLIC) {
		public_fakes(t, step);
		*loss_fake = fake_gradients(t, t->batch, 0) / (double)t->batch;
	} else {
		memset(t->pub, 0, iso_net_params(t->m->disc) * sizeof *t->pub);
	}
	ISO_TRY(iso_dpsgd_step(&t->dp, disc_rows, t, err));
	if (t->s->private_generator_step) {
		const int paired = fakes == ISO_FAKES_PAIRED;
		if (t->shared)
			*loss_g = gen_step(t, t->gen_rec, paired ? t->x + t->width : t->fx,
					   t->width * (paired ? 2 : 1), t->shared);
		return ISO_OK;
	}
	if (fakes == ISO_FAKES_PAIRED)
		public_fakes(t, step);
	*loss_g = gen_step(t, t->gen, t->fx, t->width, t->batch);
	return ISO_OK;
}

static iso_status loop(trainer *t, iso_error *err)
{
	const iso_fit *f = t->f;
	const uint64_t steps = steps_of(t->s, f->env.n), every = steps / 100 ? steps / 100 : 1;
	const char *const name =
		t->s->private_generator_step ? "uncharged:generator-loss" : "generator-loss";
	for (uint64_t step = 0; step < steps; step++) {
		double loss_g = NAN, loss_fake = NAN;
		if (step % 16 == 0 && f->cancelled && f->cancelled(f->cancelled_ctx))
			return iso_fail(err, ISO_E_CANCELLED,
					"cancelled (%s): at step %llu of %llu; start again",
					t->s->who, (unsigned long long)step,
					(unsigned long long)steps);
		ISO_TRY(iterate(t, step, &loss_g, &loss_fake, err));
		iso_average_step(&t->mean, t->m->gen, step);
		if (f->curve && step % every == 0) {
			f->curve(f->curve_ctx, (double)step, name, loss_g);
			if (t->s->fakes == ISO_FAKES_PUBLIC)
				f->curve(f->curve_ctx, (double)step, "discriminator-loss-fake",
					 loss_fake);
		}
		if (f->progress && step % 64 == 0)
			iso_progress_update(f->progress,
					    f->progress->total * (double)step / (double)steps);
	}
	iso_average_finish(&t->mean, t->m->gen);
	return ISO_OK;
}

iso_status iso_gan_fit(const iso_fit *f, const iso_gan_spec *s, void **model, iso_error *err)
{
	gan *m = NULL;
	trainer t = {0};
	iso_status st;
	ISO_TRY(gan_new(&f->env, s->o, &m, err));
	double *counts = iso_alloc(m->classes, sizeof *counts);
	if (!counts) {
		st = iso_no_memory(err, "label law");
		goto out;
	}
	ISO_TRY_OUT(iso_labels_counts(f, s->labels, s->is_private ? f->ledger : NULL, counts, err));
	iso_law_from_counts(counts, m->classes, m->law);
	ISO_TRY_OUT(trainer_init(&t, f, s, m, err));
	ISO_TRY_OUT(loop(&t, err));
	*model = m;
	m = NULL;
out:
	iso_free(counts);
	trainer_free(&t);
	iso_gan_destroy(m);
	return st;
}

/* ---- Slots
 * ----------------------------------------------------------------------------------------------------
 */

#define PIECE 256

/* Encoded rows x [n][dim] from latents and labels, n <= PIECE. */
static void generate(const gan *m, iso_ws *ws, const float *in, size_t n, float *x)
{
	iso_net_forward(m->gen, ws, in, m->z_dim + m->classes, n, NULL);
	iso_heads_forward(&m->heads, iso_ws_out(ws), n, x, m->enc->dim);
}

typedef struct piece {
	iso_ws *ws;
	float *in, *x; /* [PIECE][input of the net], [PIECE][features] */
	uint32_t label[PIECE];
} piece;

static void piece_free(piece *p)
{
	iso_ws_free(p->ws);
	iso_free(p->in);
	iso_free(p->x);
}

static iso_status piece_init(piece *p, const gan *m, const iso_net *net, iso_error *err)
{
	*p = (piece){0};
	ISO_TRY(iso_ws_new(net, PIECE, 0, &p->ws, err));
	p->in = iso_alloc(PIECE * iso_net_in(net), sizeof *p->in);
	p->x = iso_alloc(PIECE * m->enc->dim, sizeof *p->x);
	if (p->in && p->x)
		return ISO_OK;
	piece_free(p);
	return iso_no_memory(err, "workspace of a GAN");
}

iso_status iso_gan_sample(const void *model, iso_key key, iso_table *out, iso_error *err)
{
	const gan *m = model;
	const iso_key zkey = iso_key_child(key, "z", 0), ykey = iso_key_child(key, "label", 0);
	const iso_key draw = iso_key_child(key, "category", 0);
	piece p;
	ISO_TRY(piece_init(&p, m, m->gen, err));
	for (size_t at = 0; at < out->n; at += PIECE) {
		const size_t n = out->n - at < PIECE ? out->n - at : PIECE;
		for (size_t i = 0; i < n; i++) {
			float *in = p.in + i * (m->z_dim + m->classes);
			p.label[i] =
				iso_law_draw(m->law, m->classes, iso_rand_u01(ykey, at + i, 0));
			iso_rand_fill_uniform(zkey, at + i, -1, 1, in, m->z_dim);
			iso_one_hot(p.label[i], m->classes, in + m->z_dim);
		}
		generate(m, p.ws, p.in, n, p.x);
		iso_decode(m->enc, p.x, m->enc->dim, n, m->argmax ? NULL : &draw, out, at);
		iso_set_labels(out, at, p.label, n);
	}
	piece_free(&p);
	return ISO_OK;
}

size_t iso_gan_latent_dim(const void *model)
{
	return ((const gan *)model)->z_dim;
}

iso_status iso_gan_decode(const void *model, const float *z, const uint32_t *label, size_t n_all,
			  iso_table *out, iso_error *err)
{
	const gan *m = model;
	piece p;
	ISO_TRY(piece_init(&p, m, m->gen, err));
	for (size_t at = 0; at < n_all; at += PIECE) {
		const size_t n = n_all - at < PIECE ? n_all - at : PIECE;
		for (size_t i = 0; i < n; i++) {
			float *in = p.in + i * (m->z_dim + m->classes);
			p.label[i] = label ? label[at + i] : (uint32_t)((at + i) % m->classes);
			memcpy(in, z + (at + i) * m->z_dim, m->z_dim * sizeof *in);
			iso_one_hot(p.label[i], m->classes, in + m->z_dim);
		}
		generate(m, p.ws, p.in, n, p.x);
		iso_decode(m->enc, p.x, m->enc->dim, n, NULL, out, at);
		iso_set_labels(out, at, p.label, n);
	}
	piece_free(&p);
	return ISO_OK;
}

/* The discriminator's logit. */
iso_status iso_gan_score(const void *model, const iso_table *rows, double *out, iso_error *err)
{
	const gan *m = model;
	const size_t dim = m->enc->dim, width = dim + m->classes;
	uint32_t row[PIECE];
	piece p;
	ISO_TRY(piece_init(&p, m, m->disc, err));
	for (size_t at = 0; at < rows->n; at += PIECE) {
		const size_t n = rows->n - at < PIECE ? rows->n - at : PIECE;
		for (size_t i = 0; i < n; i++) {
			row[i] = (uint32_t)(at + i);
			iso_one_hot(iso_table_label(rows, at + i), m->classes,
				    p.in + i * width + dim);
		}
		iso_encode(m->enc, rows, row, n, p.in, width);
		iso_net_forward(m->disc, p.ws, p.in, width, n, NULL);
		for (size_t i = 0; i < n; i++)
			out[at + i] = iso_ws_out(p.ws)[i];
	}
	piece_free(&p);
	return ISO_OK;
}

iso_status iso_gan_save(const void *model, iso_str *out, iso_error *err)
{
	const gan *m = model;
	iso_part_add(out, "labels", m->law, m->classes * sizeof *m->law);
	iso_net_parts(out, "generator", m->gen);
	iso_net_parts(out, "discriminator", m->disc);
	return iso_str_check(out, err);
}

iso_status iso_gan_load(const iso_gen_env *env, const iso_gan_spec *s, const char *bytes, size_t n,
			void **model, iso_error *err)
{
	iso_parts in = {bytes, bytes + n};
	gan *m = NULL;
	iso_status st;
	ISO_TRY(gan_new(env, s->o, &m, err));
	ISO_TRY_OUT(iso_part_take(&in, "labels", m->law, m->classes * sizeof *m->law, err));
	ISO_TRY_OUT(iso_net_take(&in, "generator", m->gen, err));
	ISO_TRY_OUT(iso_net_take(&in, "discriminator", m->disc, err));
	*model = m;
	m = NULL;
out:
	iso_gan_destroy(m);
	return st;
}

iso_status iso_gan_describe(const void *model, cJSON *out, iso_error *err)
{
	const gan *m = model;
	if (!cJSON_AddNumberToObject(out, "generator_parameters", (double)iso_net_params(m->gen)) ||
	    !cJSON_AddNumberToObject(out, "discriminator_parameters",
				     (double)iso_net_params(m->disc)) ||
	    !cJSON_AddNumberToObject(out, "encoded_features", (double)m->enc->dim))
		return iso_no_memory(err, "description of a GAN");
	return ISO_OK;
}
