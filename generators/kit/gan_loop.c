// SPDX-License-Identifier: Apache-2.0
/* One D step (B = expected batch, a constant of the plan; C_t = the bound of this step, public):
 *
 *   PUBLIC  sum_{i in Poisson batch} clip(grad loss(D(x_i), real)) + N(0, (sigma C_t)^2 I)
 *             + sum_{j = 1..B} clip(grad loss(D(G(z_j, y_j)), fake))
 *   PAIRED  sum_i clip(grad [ loss(D(x_i), real) + loss(D(G(z_i, y_i)), fake) ]) + noise, z_i
 *             addressed by the record's identity
 *   divided by B, then the optimiser, then every weight into [-c, c] when asked.
 *
 * One G step on B fresh public fakes after every n_d D steps.
 *
 * The bound C_t may move: the loss is divided by C_t / C, so that what is clipped and noised always
 * stands in units of the planned C, and the result is multiplied back.  Nothing is allocated inside
 * a step.
 */
#include "generators/kit/gan_loop.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/nn/dpsgd.h"
#include "core/nn/penalty.h"

/* ---- Training ---- */

/* Inputs of G and the pass that made fakes of them. */
typedef struct fakes {
	iso_ws *ws;
	float *in, *u; /* [cap][zw] latents and labels; [cap][dim] uniform draws, or NULL */
	iso_key z, draw;
} fakes;

typedef struct trainer {
	const iso_fit *f;
	const iso_gan_spec *s;
	iso_latent_model *m;
	size_t dim, batch, chunk,
		cap;	    /* encoded row; public fakes; records per piece; the larger */
	iso_rows rows;	    /* PRIVATE */
	iso_federation fed; /* with clients */
	uint32_t *row;	    /* PRIVATE [chunk] rows of a client's batch */
	iso_rows open;	    /* public rows, when the method uses them */
	iso_key ykey, pkey;
	fakes pub, rec;		     /* public fakes; PRIVATE: fakes that carry a record's label */
	uint64_t drawn;		     /* public fakes so far */
	iso_ws *real, *fake, *judge; /* D on private rows, on fakes, for G's step */
	float *x, *fx, *dx;	     /* [chunk (2 if paired)], [cap], [cap] rows of `width` */
	float *norm, *sum;	     /* [cap] norms of fakes; [P of D] clipped gradients of fakes */
	size_t shared;		     /* fakes that the last closure left behind */
	float unit;		     /* C_t / C */
	iso_optim opt_d, opt_g;
	iso_average mean; /* of G */
	iso_dpsgd dp;
	size_t per; /* rows per record: real; with a fake when paired; with its penalty's */
	uint64_t since, n_d; /* D steps since the last G step; D steps per G step now */
	uint64_t gsteps;
	double right; /* running share of fakes that D recognises */
} trainer;

static void trainer_free(trainer *t)
{
	iso_ws *const ws[] = {t->real, t->fake, t->judge, t->pub.ws, t->rec.ws};
	for (size_t i = 0; i < ISO_COUNT(ws); i++)
		iso_ws_free(ws[i]);
	float *const v[] = {t->x,      t->fx,	 t->dx,	    t->norm, t->sum,
			    t->pub.in, t->pub.u, t->rec.in, t->rec.u};
	for (size_t i = 0; i < ISO_COUNT(v); i++)
		iso_free(v[i]);
	iso_rows_close(&t->rows);
	iso_federation_free(&t->fed);
	iso_free(t->row);
	iso_rows_close(&t->open);
	iso_optim_deinit(&t->opt_d);
	iso_optim_deinit(&t->opt_g);
	iso_average_finish(&t->mean, NULL);
	iso_dpsgd_deinit(&t->dp);
}

static int is_paired(const trainer *t)
{
	return t->s->fakes == ISO_FAKES_PAIRED;
}

static iso_status fakes_init(fakes *k, const trainer *t, size_t cap, const char *of, iso_error *err)
{
	ISO_TRY(iso_ws_new(t->m->decoder[0], cap, 0, &k->ws, err));
	k->in = iso_alloc(cap * t->m->zw, sizeof *k->in);
	k->z = iso_key_child(t->f->key, of, 0);
	k->draw = iso_key_child(t->f->key, of, 1);
	if (t->m->heads.kind == ISO_HEADS_GUMBEL)
		k->u = iso_alloc(cap * t->dim, sizeof *k->u);
	return k->in && (k->u || t->m->heads.kind != ISO_HEADS_GUMBEL)
		       ? ISO_OK
		       : iso_no_memory(err, "fakes of a GAN");
}

static iso_status trainer_buffers(trainer *t, iso_error *err)
{
	const iso_latent_model *m = t->m;
	const size_t all = t->cap * t->per;
	const int flags = (t->s->is_private ? ISO_WS_NORMS : 0) | (t->per > 2 ? ISO_WS_TANGENT : 0);
	const size_t of_records = t->s->fakes == ISO_FAKES_PUBLIC ? 1 : t->chunk;
	ISO_TRY(iso_ws_new(m->scorer, t->chunk * t->per, flags, &t->real, err));
	ISO_TRY(iso_ws_new(m->scorer, all, flags, &t->fake, err));
	ISO_TRY(iso_ws_new(m->scorer, t->cap, 0, &t->judge, err));
	ISO_TRY(fakes_init(&t->pub, t, t->cap, "public-fake", err));
	ISO_TRY(fakes_init(&t->rec, t, of_records, "record-fake", err));
	t->x = iso_alloc(t->chunk * t->per * m->width, sizeof *t->x);
	t->fx = iso_alloc(all * m->width, sizeof *t->fx);
	t->dx = iso_alloc(all * m->width, sizeof *t->dx);
	t->norm = iso_alloc(all, sizeof *t->norm);
	t->sum = iso_alloc(iso_net_params(m->scorer), sizeof *t->sum);
	if (!t->x || !t->fx || !t->dx || !t->norm || !t->sum)
		return iso_no_memory(err, "workspaces of a GAN");
	return ISO_OK;
}

static iso_status optimisers(trainer *t, iso_error *err)
{
	const iso_gan_spec *s = t->s;
	ISO_TRY(iso_optim_init(&t->opt_g, s->rule_g, (float)s->o.lr_g,
			       iso_net_params(t->m->decoder[0]), err));
	ISO_TRY(iso_optim_init(&t->opt_d, s->rule_d, (float)s->o.lr_d, iso_net_params(t->m->scorer),
			       err));
	if (s->rule_g == ISO_ADAM)
		t->opt_g.beta1 = (float)s->o.beta1;
	if (s->rule_d == ISO_ADAM)
		t->opt_d.beta1 = (float)s->o.beta1;
	return iso_average_init(&t->mean, t->m->decoder[0], s->o.average, (uint64_t)s->o.steps,
				err);
}

/* The step's records are those of client k from now on. */
static iso_status hand_over(trainer *t, size_t k, iso_error *err)
{
	t->dp.id = t->fed.id + t->fed.first[k];
	t->dp.n = t->fed.first[k + 1] - t->fed.first[k];
	t->dp.rate = iso_rate_of(t->batch, iso_federation_rows(&t->f->env, t->s->clients, k));
	return iso_ledger_find(t->f->ledger,
			       (iso_entry){.why = "disc-step",
					   .group = t->f->env.adjacency == ISO_ADD_REMOVE,
					   .part = (int)k},
			       &t->dp.handle, err);
}

static iso_status trainer_init(trainer *t, const iso_fit *f, const iso_gan_spec *s,
			       iso_latent_model *m, iso_error *err)
{
	*t = (trainer){.f = f, .s = s, .m = m, .dim = m->enc->dim, .unit = 1, .right = 0.75};
	t->batch = (size_t)s->o.batch;
	t->chunk = iso_chunk_of((double)t->batch);
	t->cap = t->batch > t->chunk ? t->batch : t->chunk;
	t->per = is_paired(t) ? 2 : 1;
	if (s->o.penalty > 0) {
		size_t more = 0;
		ISO_TRY(iso_penalty_rows(m->scorer, &more, err));
		t->per += more;
	}
	t->n_d = s->o.n_d > 0 ? (uint64_t)s->o.n_d : 1;
	t->ykey = iso_key_child(f->key, "label", 0);
	t->pkey = iso_key_child(f->key, "public-batch", 0);
	ISO_TRY(trainer_buffers(t, err));
	ISO_TRY(iso_rows_open(&t->rows, f->train, m->enc, ISO_ROWS_KEEP, err));
	if (f->env.public_rows)
		ISO_TRY(iso_rows_open(&t->open, f->env.public_rows, m->enc, ISO_ROWS_KEEP, err));
	iso_net_randomize(m->decoder[0], s->init, iso_key_child(f->key, "init-g", 0));
	iso_net_randomize(m->scorer, s->init, iso_key_child(f->key, "init-d", 0));
	ISO_TRY(optimisers(t, err));
	t->dp = (iso_dpsgd){
		.ledger = s->is_private ? f->ledger : NULL,
		.batch_key = iso_key_child(f->key, "batch", 0),
		.rate = iso_rate_of(t->batch, f->env.n),
		.id = f->train->id,
		.n = f->train->n,
		.rows_per_record = t->per,
		.chunk = t->chunk,
		.clip = (float)s->o.clip,
		.normaliser = (float)t->batch,
		.nparts = 1,
		.part = {{m->scorer, t->real, &t->opt_d}},
		.public_grad = {is_paired(t) ? NULL : t->sum},
	};
	if (s->clients > 0) {
		ISO_TRY(iso_federation_deal(f, s->clients, &t->fed, err));
		t->row = iso_alloc(t->chunk, sizeof *t->row);
		if (!t->row)
			return iso_no_memory(err, "rows of a client");
		t->dp.rate = iso_rate_of(t->batch, iso_federation_rows(&f->env, s->clients, 0));
	}
	if (s->is_private)
		ISO_TRY(iso_ledger_find(
			f->ledger,
			(iso_entry){.why = "disc-step",
				    .group = s->clients > 0 && f->env.adjacency == ISO_ADD_REMOVE},
			&t->dp.handle, err));
	return iso_dpsgd_init(&t->dp, err);
}

enum role { REAL, FAKE, FOOL }; /* D's loss on a real row, on a fake; G's loss on a fake */

/* d = dLoss/dlogit / unit of n rows; returns the summed loss. */
static double loss_rows(const trainer *t, enum role role, const float *logit, size_t ld, size_t n,
			float *d)
{
	const float sign = role == FAKE ? 1 : -1;
	double sum = 0;
	if (t->s->loss == ISO_GAN_BCE)
		sum = iso_loss_bce_logits(logit, ld, n, role == FAKE ? 0 : 1, d, ld);
	for (size_t j = 0; j < n; j++) {
		const float l = sign * logit[j * ld];
		const int hinge = t->s->loss == ISO_GAN_HINGE && role != FOOL;
		if (t->s->loss != ISO_GAN_BCE) {
			d[j * ld] = hinge && l <= -1 ? 0 : sign;
			sum += hinge ? (l > -1 ? (double)l + 1 : 0) : (double)l;
		}
		d[j * ld] /= role == FOOL ? 1 : t->unit;
	}
	return sum;
}

/* Rows x [n][ld] = G(k->in), the first `dim` of each. */
static void make_fakes(trainer *t, fakes *k, size_t n, float *x, size_t ld)
{
	iso_net_forward(t->m->decoder[0], k->ws, k->in, t->m->zw, n, NULL);
	iso_heads_forward(&t->m->heads, iso_ws_out(k->ws), n, k->u, x, ld);
}

/* The label of row j beside its latent and its row. */
static void condition(trainer *t, fakes *k, size_t j, uint32_t y, float *row)
{
	const iso_latent_model *m = t->m;
	if (!m->shape.conditional)
		return;
	iso_one_hot(y, m->classes, k->in + j * m->zw + m->shape.latent);
	iso_one_hot(y, m->classes, row + t->dim);
}

/* n fresh fakes from keys and the released label law. */
static void public_fakes(trainer *t, size_t n, float *x, size_t ld)
{
	const iso_latent_model *m = t->m;
	fakes *const k = &t->pub;
	iso_latent_draw_z(m, k->z, t->drawn, n, k->in);
	for (size_t j = 0; j < n; j++) {
		const uint64_t at = t->drawn + j;
		if (m->shape.conditional)
			condition(t, k, j,
				  iso_law_draw(m->law, m->classes, iso_rand_u01(t->ykey, at, 0)),
				  x + j * ld);
		if (k->u)
			iso_rand_fill_uniform(k->draw, at, 0, 1, k->u + j * t->dim, t->dim);
	}
	t->drawn += n;
	make_fakes(t, k, n, x, ld);
}

/* PRIVATE (label of the record): a fake for each record. */
static void record_fakes(trainer *t, const uint32_t *rec, size_t n, uint64_t step, float *x,
			 size_t ld)
{
	fakes *const k = &t->rec;
	const iso_key z = iso_key_child(k->z, "step", step),
		      draw = iso_key_child(k->draw, "step", step);
	for (size_t r = 0; r < n; r++) {
		const uint64_t id = t->f->train->id[rec[r]];
		iso_latent_draw_z(t->m, z, id, 1, k->in + r * t->m->zw);
		condition(t, k, r, t->rows.label[rec[r]], x + r * ld);
		if (k->u)
			iso_rand_fill_uniform(draw, id, 0, 1, k->u + r * t->dim, t->dim);
	}
	make_fakes(t, k, n, x, ld);
}

/* Real rows and their labels. */
static void real_rows(trainer *t, const iso_rows *from, const uint32_t *rec, size_t n, float *x,
		      size_t ld)
{
	iso_rows_get(from, rec, n, x, ld);
	for (size_t r = 0; t->m->shape.conditional && r < n; r++)
		iso_one_hot(from->label[rec[r]], t->m->classes, x + r * ld + t->dim);
}

/* Between the real row and the fake of record r, one e for all columns (Gulrajani et al. 2017,
 * Algorithm 1); the rows of the penalty. */
static void interpolate(const trainer *t, float *record, float e)
{
	const size_t w = t->m->width;
	for (size_t k = 2; k < t->per; k++)
		for (size_t i = 0; i < w; i++)
			record[k * w + i] = e * record[i] + (1 - e) * record[w + i];
}

/* Forward, losses, penalty and backward of D on n records of `per` rows. */
static void judge_rows(trainer *t, iso_ws *ws, float *x, size_t n)
{
	const size_t m = t->per, w = t->m->width, last = m - 1;
	float *const d = iso_ws_delta(ws);
	iso_net_forward(t->m->scorer, ws, x, w, m * n, NULL);
	loss_rows(t, REAL, iso_ws_out(ws), m, n, d);
	if (m > 1)
		loss_rows(t, FAKE, iso_ws_out(ws) + 1, m, n, d + 1);
	for (size_t r = 0; r < n; r++)
		for (size_t k = 2; k < m; k++)
			d[r * m + k] = k == last;
	iso_net_backward(t->m->scorer, ws, 0, m > 2 ? t->dx : NULL, w);
	if (m <= 2)
		return;
	iso_penalty(n, w, t->dx + last * w, m * w, (float)t->s->o.penalty / t->unit, 1, 0,
		    x + last * w, m * w);
	iso_net_tangent(t->m->scorer, ws, m, x);
}

/* sum (+)= sum_j clip(grad of the loss on fake j of fx); returns the summed loss. */
static double fake_gradients(trainer *t, size_t n, int beta)
{
	iso_net *const disc = t->m->scorer;
	iso_net_forward(disc, t->fake, t->fx, t->m->width, n, NULL);
	const double loss = loss_rows(t, FAKE, iso_ws_out(t->fake), 1, n, iso_ws_delta(t->fake));
	iso_net_backward(disc, t->fake, 0, NULL, 0);
	if (t->s->is_private) {
		const float clip = (float)t->s->o.clip;
		iso_net_grad_norms2(disc, t->fake, 1, 0, t->norm);
		for (size_t j = 0; j < n; j++) {
			const float g = sqrtf(t->norm[j]);
			t->norm[j] = g > clip ? clip / g : 1;
		}
	}
	iso_net_weight_grad(disc, t->fake, t->s->is_private ? t->norm : NULL, beta, t->sum);
	return loss;
}

/* The closure of a D step: private rows and, when the specification says so, a fake per record. */
static iso_status disc_rows(void *ctx, const uint32_t *rec, size_t n, uint64_t step, iso_error *err)
{
	trainer *t = ctx;
	const size_t ld = t->m->width * t->per;
	const iso_key mix = iso_key_child(t->rec.draw, "interpolate", step);
	(void)err;
	if (t->row) { /* positions in the client's list, to rows of the table */
		const size_t first = (size_t)(t->dp.id - t->fed.id);
		for (size_t r = 0; r < n; r++)
			t->row[r] = t->fed.pos[first + rec[r]];
		rec = t->row;
	}
	real_rows(t, &t->rows, rec, n, t->x, ld);
	if (is_paired(t))
		record_fakes(t, rec, n, step, t->x + t->m->width, ld);
	for (size_t r = 0; t->per > 2 && r < n; r++)
		interpolate(t, t->x + r * ld, (float)iso_rand_u01(mix, t->f->train->id[rec[r]], 0));
	judge_rows(t, t->real, t->x, n);
	if (t->s->fakes == ISO_FAKES_SHARED) {
		record_fakes(t, rec, n, step, t->fx, t->m->width);
		fake_gradients(t, n, 1);
	}
	t->shared = n;
	return ISO_OK;
}

/* One step of G on n fakes x [n][ld] made by k.  Returns the mean loss. */
static double gen_step(trainer *t, fakes *k, const float *x, size_t ld, size_t n)
{
	iso_latent_model *m = t->m;
	size_t seen = 0;
	iso_net_forward(m->scorer, t->judge, x, ld, n, NULL);
	const float *logit = iso_ws_out(t->judge);
	for (size_t j = 0; j < n; j++)
		seen += logit[j] < 0;
	const double loss = loss_rows(t, FOOL, logit, 1, n, iso_ws_delta(t->judge));
	iso_net_backward(m->scorer, t->judge, 0, t->dx, m->width);
	iso_heads_backward(&m->heads, x, ld, t->dx, m->width, n, k->u != NULL, iso_ws_delta(k->ws));
	iso_net_backward(m->decoder[0], k->ws, 0, NULL, 0);
	iso_net_weight_grad(m->decoder[0], k->ws, NULL, 0, iso_net_grad(m->decoder[0]));
	iso_optim_step(&t->opt_g, iso_net_theta(m->decoder[0]), iso_net_grad(m->decoder[0]),
		       1.0f / (float)n);
	t->right += 0.05 * ((double)seen / (double)n - t->right);
	return loss / (double)n;
}

/* The next rung of the adaptive schedule when D recognises fewer than 60 % of the fakes: a D near
 * chance has nothing to teach (Bie, Kamath, Zhang 2023, "Private GANs, revisited", section 5).  The
 * share is a function of D and of fakes: public. */
static void adapt(trainer *t)
{
	static const uint64_t rung[] = {1, 2, 5, 10, 20, 50, 100, 200};
	if (t->s->o.n_d > 0 || t->right >= 0.6)
		return;
	for (size_t i = 0; i + 1 < ISO_COUNT(rung); i++)
		if (t->n_d == rung[i]) {
			t->n_d = rung[i + 1];
			t->right = 0.75;
			return;
		}
}

/* ---- The bound of a step ---- */

/* n <= 256 public records into fx: rows drawn with replacement, each with a fake of its label and
 * its interpolate; D's losses on them. */
static void judge_public(trainer *t, uint64_t at, size_t n)
{
	const size_t w = t->m->width, ld = w * t->per;
	uint32_t row[256] = {0};
	for (size_t j = 0; j < n; j++)
		row[j] = (uint32_t)(iso_rand_u01(t->pkey, at, j) * (double)t->open.table->n);
	real_rows(t, &t->open, row, n, t->fx, ld);
	if (is_paired(t)) {
		iso_latent_draw_z(t->m, t->pub.z, t->drawn, n, t->pub.in);
		for (size_t j = 0; j < n; j++) {
			condition(t, &t->pub, j, t->open.label[row[j]], t->fx + j * ld + w);
			if (t->pub.u)
				iso_rand_fill_uniform(t->pub.draw, t->drawn + j, 0, 1,
						      t->pub.u + j * t->dim, t->dim);
		}
		t->drawn += n;
		make_fakes(t, &t->pub, n, t->fx + w, ld);
		for (size_t j = 0; j < n; j++)
			interpolate(t, t->fx + j * ld, (float)iso_rand_u01(t->pkey, at, 1000 + j));
	}
	judge_rows(t, t->fake, t->fx, n);
}

static size_t public_batch(const trainer *t)
{
	return t->batch < 256 ? t->batch : 256;
}

/* Mean norm of the gradients of public records under today's D and G (dp-GAN, GANobfuscator). */
static double public_bound(trainer *t, uint64_t step)
{
	const size_t n = public_batch(t);
	double sum = 0;
	t->unit = 1;
	judge_public(t, step, n);
	iso_net_grad_norms2(t->m->scorer, t->fake, t->per, 0, t->norm);
	for (size_t j = 0; j < n; j++)
		sum += sqrt((double)t->norm[j]);
	return sum / (double)n;
}

/* C_t / C.  Public: a function of the step, or of D, fakes and public rows. */
static float unit_of(trainer *t, uint64_t step)
{
	const iso_gan_options *o = &t->s->o;
	double u = 1;
	if (o->bound == ISO_BOUND_DECAY)
		for (double e = floor((double)step * t->dp.rate); e >= 1 && u > 0.35; e--)
			u *= 1 - o->decay;
	if (o->bound == ISO_BOUND_DECAY)
		return (float)(u < 0.35 ? 0.35 : u);
	if (o->bound == ISO_BOUND_FIXED)
		return 1;
	u = public_bound(t, step);
	return (float)((u > o->bound_floor ? u : o->bound_floor) / o->clip);
}

/* Linear from lr_d to lr_d_end over lr_d_steps, then constant (DP-CGAN, section 5). */
static float rate_at(const iso_gan_options *o, uint64_t step)
{
	const double full = (double)o->lr_d_steps;
	const double f = full > 0 && (double)step < full ? (double)step / full : 1;
	return (float)(full > 0 ? o->lr_d + (o->lr_d_end - o->lr_d) * f : o->lr_d);
}

static void clip_weights(iso_net *net, float c)
{
	float *const w = iso_net_theta(net);
	for (size_t i = 0, n = iso_net_params(net); c > 0 && i < n; i++)
		w[i] = w[i] < -c ? -c : w[i] > c ? c : w[i];
}

/* ---- Steps ---- */

static iso_status disc_step(trainer *t, uint64_t step, double *loss_fake, iso_error *err)
{
	if (t->s->rule_d == ISO_SGD)
		t->opt_d.lr = rate_at(&t->s->o, step);
	t->unit = unit_of(t, step);
	t->dp.normaliser = (float)t->batch / t->unit;
	t->shared = 0;
	if (t->s->fakes == ISO_FAKES_PUBLIC) {
		public_fakes(t, t->batch, t->fx, t->m->width);
		*loss_fake = fake_gradients(t, t->batch, 0) * t->unit / (double)t->batch;
	} else {
		memset(t->sum, 0, iso_net_params(t->m->scorer) * sizeof *t->sum);
	}
	ISO_TRY(iso_dpsgd_step(&t->dp, disc_rows, t, err));
	clip_weights(t->m->scorer, (float)t->s->o.weight_clip);
	return ISO_OK;
}

/* Does this D step complete a round: n_d steps, or the burst of this round? */
static int round_done(trainer *t)
{
	if (++t->since < (t->s->o.burst > 0 ? iso_gan_burst(&t->s->o, t->gsteps) : t->n_d))
		return 0;
	t->since = 0;
	t->gsteps++;
	return 1;
}

static double generate_better(trainer *t)
{
	if (t->s->private_generator_step) {
		const size_t w = t->m->width;
		return !t->shared     ? NAN
		       : is_paired(t) ? gen_step(t, &t->rec, t->x + w, 2 * w, t->shared)
				      : gen_step(t, &t->rec, t->fx, w, t->shared);
	}
	public_fakes(t, t->batch, t->fx, t->m->width);
	const double loss = gen_step(t, &t->pub, t->fx, t->m->width, t->batch);
	adapt(t);
	return loss;
}

/* Ordinary training on the public rows in front of the private one (dp-GAN, section on warm
 * starting): five D steps per G step. */
static void warm_start(trainer *t)
{
	const size_t n = t->open.table ? public_batch(t) : 0;
	iso_net *const disc = t->m->scorer;
	for (int64_t g = 0; n && g < t->s->o.warm_steps; g++) {
		for (uint64_t k = 0; k < 5; k++) {
			judge_public(t, UINT32_MAX + 5 * (uint64_t)g + k, n);
			iso_net_weight_grad(disc, t->fake, NULL, 0, t->sum);
			iso_optim_step(&t->opt_d, iso_net_theta(disc), t->sum, 1.0f / (float)n);
			clip_weights(disc, (float)t->s->o.weight_clip);
		}
		generate_better(t);
	}
}

static void show(trainer *t, uint64_t step, double loss_g, double loss_fake)
{
	const iso_fit *f = t->f;
	const uint64_t steps = (uint64_t)t->s->o.steps, every = steps / 100 ? steps / 100 : 1;
	if (f->curve && step % every == 0) {
		f->curve(f->curve_ctx, (double)step,
			 t->s->private_generator_step ? "uncharged:generator-loss"
						      : "generator-loss",
			 loss_g);
		if (t->s->fakes == ISO_FAKES_PUBLIC)
			f->curve(f->curve_ctx, (double)step, "discriminator-loss-fake", loss_fake);
	}
	if (f->progress && step % 64 == 0)
		iso_progress_update(f->progress, f->progress->total * (double)step / (double)steps);
}

static iso_status loop(trainer *t, iso_error *err)
{
	const iso_fit *f = t->f;
	const uint64_t steps = (uint64_t)t->s->o.steps;
	double loss_g = NAN, loss_fake = NAN;
	for (uint64_t step = 0; step < steps; step++) {
		if (step % 16 == 0 && f->cancelled && f->cancelled(f->cancelled_ctx))
			return iso_fail(err, ISO_E_CANCELLED,
					"cancelled (%s): at step %llu of %llu; start again",
					t->s->who, (unsigned long long)step,
					(unsigned long long)steps);
		if (t->s->clients > 0 && step % (steps / t->s->clients) == 0)
			ISO_TRY(hand_over(t, step / (steps / t->s->clients), err));
		ISO_TRY(disc_step(t, step, &loss_fake, err));
		if (round_done(t))
			loss_g = generate_better(t);
		iso_average_step(&t->mean, t->m->decoder[0], step);
		show(t, step, loss_g, loss_fake);
	}
	iso_average_finish(&t->mean, t->m->decoder[0]);
	return ISO_OK;
}

/* The label law as released. */
static iso_status learn_labels(trainer *t, iso_error *err)
{
	iso_latent_model *m = t->m;
	iso_status st;
	if (!t->s->conditional)
		return ISO_OK;
	double *counts = iso_alloc(m->classes, sizeof *counts);
	if (!counts)
		return iso_no_memory(err, "label law");
	ISO_TRY_OUT(iso_labels_counts(t->f, t->s->o.labels, t->s->is_private ? t->f->ledger : NULL,
				      counts, err));
	iso_law_from_counts(counts, m->classes, m->law);
out:
	iso_free(counts);
	return st;
}

iso_status iso_gan_fit(const iso_fit *f, const iso_gan_spec *s, void **model, iso_error *err)
{
	const iso_latent_shape shape = iso_gan_shape(s);
	iso_latent_model *m = NULL;
	trainer t = {0};
	iso_status st;
	ISO_TRY(iso_latent_new(&f->env, &shape, &m, err));
	ISO_TRY_OUT(trainer_init(&t, f, s, m, err));
	ISO_TRY_OUT(learn_labels(&t, err));
	warm_start(&t);
	ISO_TRY_OUT(loop(&t, err));
	*model = m;
	m = NULL;
out:
	trainer_free(&t);
	iso_latent_destroy(m);
	return st;
}
