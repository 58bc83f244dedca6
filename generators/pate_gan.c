// SPDX-License-Identifier: Apache-2.0
/* pate-gan: a student discriminator taught by the noisy votes of teachers on disjoint data (Jordon
 * et al. 2019).
 *
 * WHAT.  k teacher discriminators, each on its own part of the rows, judge generated rows; a
 * student learns from their noisy majority alone; the generator plays against the student.  Privacy
 * from votes, not from gradients.
 *
 * ALGORITHM (card "pate-gan" section 7).  Rows are dealt to k parts once, by a keyed hash of their
 * identity.  Repeat: n_T times, every teacher i:  Adam on BCE of ~b rows of part i (target 1) and b
 * fakes (target 0)      (curator side) n_S times:  fakes u_1..u_b;  n_1(j) = #{i: T_i(u_j) >
 * threshold_i},  n_0 = k - n_1 r_j = argmax(n_0 + V_0, n_1 + V_1),  V ~ Lap(s) (lnmax) or N(0, s^2)
 * (gnmax), fresh on each count Adam step of the student S on BCE(S(u_j), r_j) n_G times:  Adam step
 * of G on BCE(S(G(z)), 1),  z ~ U[-1,1]^(d/4) The label is one generated column.  The number of
 * queries n_S b x iterations is fixed beforehand and s is calibrated to it: nothing stops on a
 * data-dependent epsilon.
 *
 * PRIVACY ARGUMENT.  Neighbours: add or remove one record.
 *  - The part of a record depends on its identity and the seed alone, so a record touches one
 * teacher, through all its steps.  That teacher can change its vote on every query: per query (n_0,
 * n_1) moves by (1, 1): L1 2, L2 sqrt 2.
 *  - "votes": iso_mech_votes, booked query by query under full composition, also where the teachers
 * agree; the accountant uses the data-independent curve (LNMax: 2/s-DP per query; GNMax: Gaussian
 * of multiplier s / sqrt 2).
 *  - S and G see fakes, released labels and keys: post-processing.  Teachers, their counts and the
 * sizes of parts stay with the curator: save writes G and S only.
 *
 * DEVIATIONS (all on the public side or inside one teacher; threshold=half past=0 is as published).
 *  - threshold=median: teacher i votes "real" above its own median logit of the query batch.  Its
 * vote stays a function of its part and of public fakes.  With the fixed 1/2 all teachers soon
 * agree on "fake", and unanimous votes teach nothing.
 *  - past, jitter: half of the fakes that teachers and student judge are earlier fakes plus noise,
 * so that the student is told about the ground that the generator left and not only about the point
 * where it stands.
 *  - Stop rule: data-independent, as the paper's eps_hat is itself a function of private votes.
 * Fakes of a step are shared by all teachers.  k = n/50 instead of n/1000: at fixed epsilon the
 * noise grows with the square root of the number of queries, so what the votes tell in total grows
 * with k alone.  Adam 3e-3 for teachers and student, 2e-4 (beta1 0.5) for G, which has to follow
 * slowly and is given out as a running average.
 *
 * COST.  Per iteration about n_T k b and n_S k b rows through a teacher, forward and backward the
 * former.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/privacy/mechanism.h"
#include "generators/heads.h"
#include "generators/support.h"

enum { GNMAX, LNMAX };
enum { MEDIAN, HALF };

typedef struct opts {
	int votes, threshold, categories;
	int64_t teachers, iterations, batch, teacher_steps, student_steps, generator_steps, hidden,
		z_dim;
	double lr, lr_g, past, jitter, average;
} opts;

static const iso_option options[] = {
	ISO_OPT_ENUM(opts, votes, "gnmax", "gnmax|lnmax",
		     "noise on the votes: Gaussian or Laplace"),
	ISO_OPT_ENUM(opts, threshold, "median", "median|half",
		     "a teacher calls a fake real above its own median logit of the queries, or "
		     "above 1/2 (as published)"),
	ISO_OPT_INT(opts, teachers, "0", 0, 4096, "teachers; 0: n/50, from 2 to 200"),
	ISO_OPT_INT(opts, iterations, "1000", 1, 1000000, "outer iterations"),
	ISO_OPT_INT(opts, batch, "32", 1, 4096, "rows and fakes per step"),
	ISO_OPT_INT(opts, teacher_steps, "2", 1, 1000, "steps of every teacher per iteration"),
	ISO_OPT_INT(opts, student_steps, "5", 1, 1000,
		    "steps of the student per iteration; each asks `batch` queries"),
	ISO_OPT_INT(opts, generator_steps, "1", 1, 1000, "steps of the generator per iteration"),
	ISO_OPT_INT(opts, hidden, "0", 0, 4096,
		    "hidden units of teachers and student (two layers); 0: width, 8 to 64"),
	ISO_OPT_INT(opts, z_dim, "0", 0, 4096,
		    "latent dimensions; 0: a quarter of the width, at least 4"),
	ISO_OPT_REAL(opts, past, "0.5", 0, 1,
		     "share of earlier fakes among those that are judged; 0: as published"),
	ISO_OPT_REAL(opts, jitter, "0.1", 0, 1, "standard deviation of the noise on earlier fakes"),
	ISO_OPT_REAL(opts, average, "0.2", 0, 1,
		     "horizon of the average of G's weights as a share of the iterations"),
	ISO_OPT_REAL(opts, lr, "3e-3", 0, 1, "learning rate of teachers and student (Adam)"),
	ISO_OPT_REAL(opts, lr_g, "2e-4", 0, 1, "learning rate of the generator (Adam)"),
	ISO_OPT_ENUM(opts, categories, "draw", "draw|argmax", "categories of a sample"),
	{0},
};

typedef struct model {
	const iso_schema *schema; /* borrowed: public */
	iso_encoder *enc;	  /* features and label */
	iso_heads heads;
	iso_net *gen, *student; /* owned */
	size_t z_dim, hidden;
	int argmax;
} model;

static size_t teachers_of(const opts *o, size_t n)
{
	const size_t k = n / 50;
	return o->teachers ? (size_t)o->teachers : k < 2 ? 2 : k > 200 ? 200 : k;
}

static uint64_t queries_of(const opts *o)
{
	return (uint64_t)o->iterations * (uint64_t)o->student_steps * (uint64_t)o->batch;
}

static iso_status check(const iso_gen_env *env, iso_error *err)
{
	const opts *o = env->options;
	ISO_FAIL_IF(teachers_of(o, env->n) > env->n, err, ISO_E_CONFIG,
		    "teachers (pate-gan): %zu teachers for %zu rows; a teacher needs rows of its "
		    "own, ask for fewer",
		    teachers_of(o, env->n), env->n);
	ISO_FAIL_IF(o->teachers == 1, err, ISO_E_CONFIG,
		    "teachers (pate-gan): one teacher is no vote; ask for 2 or more");
	return ISO_OK;
}

static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	const opts *o = env->options;
	const int laplace = o->votes == LNMAX;
	const iso_plan_item item = {
		.why = "votes",
		.event = {.mechanism = laplace ? ISO_MECH_PATE_LNMAX : ISO_MECH_PATE_GNMAX,
			  .noise = scale,
			  .rate = 1,
			  .count = queries_of(o),
			  .queries = queries_of(o),
			  .classes = 2},
		.norm = laplace ? ISO_NORM_L1 : ISO_NORM_L2,
		.sensitivity = laplace ? 2 : sqrt(2),
	};
	return iso_plan_add(out, &item, err);
}

static void destroy(void *model_)
{
	model *m = model_;
	if (!m)
		return;
	iso_net_free(m->gen);
	iso_net_free(m->student);
	iso_encoder_free(m->enc);
	iso_free(m);
}

static size_t clamp(size_t x, size_t lo, size_t hi)
{
	return x < lo ? lo : x > hi ? hi : x;
}

static iso_status judge_new(iso_net **net, size_t dim, size_t hidden, iso_error *err)
{
	const size_t sizes[] = {dim, hidden, hidden, 1};
	const iso_act act[] = {ISO_ACT_RELU, ISO_ACT_RELU, ISO_ACT_LINEAR};
	return iso_net_new_dense(3, sizes, act, net, err);
}

static iso_status model_new(const iso_gen_env *env, model **out, iso_error *err)
{
	const opts *o = env->options;
	iso_status st;
	model *m = iso_alloc(1, sizeof *m);
	if (!m)
		return iso_no_memory(err, "networks");
	m->schema = env->schema;
	m->argmax = o->categories;
	ISO_TRY_OUT(iso_encoder_new(env->schema, ISO_ENC_FEATURES | ISO_ENC_LABEL, &m->enc, err));
	m->heads = iso_heads_new(m->enc, 1);
	const size_t dim = m->enc->dim, wide = clamp(dim, 16, 256);
	m->z_dim = o->z_dim ? (size_t)o->z_dim : clamp(dim / 4, 4, 256);
	m->hidden = o->hidden ? (size_t)o->hidden : clamp(dim, 8, 64);
	const size_t gs[] = {m->z_dim, wide, wide, dim};
	const iso_act ga[] = {ISO_ACT_TANH, ISO_ACT_TANH, iso_heads_act(&m->heads)};
	ISO_TRY_OUT(iso_net_new_dense(3, gs, ga, &m->gen, err));
	ISO_TRY_OUT(judge_new(&m->student, dim, m->hidden, err));
	*out = m;
	m = NULL;
out:
	destroy(m);
	return st;
}

/* ---- Training
 * -------------------------------------------------------------------------------------------------
 */

#define PAST 4096 /* earlier fakes that are remembered */

typedef struct teacher {
	iso_net *net; /* owned */
	iso_optim opt;
	size_t first, n; /* PRIVATE: its rows in `pos` and `id` */
} teacher;

typedef struct trainer {
	const iso_fit *f;
	const opts *o;
	model *m;
	size_t k, dim, batch, cap;
	iso_rows rows;	       /* PRIVATE */
	uint32_t *pos, *drawn; /* PRIVATE [n] rows grouped by teacher; a teacher's batch */
	uint64_t *id;	       /* PRIVATE [n] identities in that order */
	teacher *teacher;      /* PRIVATE [k] */
	iso_ws *real, *fake;   /* of a teacher, on its rows and on fakes */
	iso_ws *judge, *gen;   /* of the student, of G */
	iso_optim opt_s, opt_g;
	iso_average mean;  /* of G */
	float *x;	   /* PRIVATE [cap][dim] rows of a teacher */
	float *z, *u, *du; /* [batch] latents, fakes, dLoss/d(fake) */
	float *sorted;	   /* PRIVATE [batch] one teacher's logits */
	double *votes;	   /* PRIVATE [batch][2] */
	uint32_t *label;   /* [batch] released */
	float *past;	   /* [PAST][dim] earlier fakes, a ring */
	uint64_t at, kept; /* fakes drawn, fakes put into the ring so far */
} trainer;

static void trainer_free(trainer *t)
{
	for (size_t i = 0; t->teacher && i < t->k; i++) {
		iso_net_free(t->teacher[i].net);
		iso_optim_deinit(&t->teacher[i].opt);
	}
	iso_ws *const ws[] = {t->real, t->fake, t->judge, t->gen};
	for (size_t i = 0; i < ISO_COUNT(ws); i++)
		iso_ws_free(ws[i]);
	void *const v[] = {t->pos, t->drawn, t->id,	t->teacher, t->x,     t->z,
			   t->u,   t->du,    t->sorted, t->votes,   t->label, t->past};
	for (size_t i = 0; i < ISO_COUNT(v); i++)
		iso_free(v[i]);
	iso_rows_close(&t->rows);
	iso_optim_deinit(&t->opt_s);
	iso_optim_deinit(&t->opt_g);
	iso_average_finish(&t->mean, NULL);
}

/* A record's teacher is a function of the key and of its identity. */
static size_t part_of(const trainer *t, size_t row)
{
	uint32_t w[4];
	iso_rand_words(iso_key_child(t->f->key, "part", 0), t->f->train->id[row], 0, w);
	return (size_t)(((uint64_t)w[0] * t->k) >> 32);
}

/* Group the rows by teacher, in table order. */
static void deal(trainer *t)
{
	const iso_table *train = t->f->train;
	for (size_t r = 0; r < train->n; r++)
		t->teacher[part_of(t, r)].n++;
	for (size_t i = 1; i < t->k; i++)
		t->teacher[i].first = t->teacher[i - 1].first + t->teacher[i - 1].n;
	for (size_t i = 0; i < t->k; i++)
		t->teacher[i].n = 0;
	for (size_t r = 0; r < train->n; r++) {
		teacher *const own = &t->teacher[part_of(t, r)];
		const size_t at = own->first + own->n++;
		t->pos[at] = (uint32_t)r;
		t->id[at] = train->id[r];
	}
}

static iso_status trainer_buffers(trainer *t, iso_error *err)
{
	const size_t n = t->f->train->n;
	t->teacher = iso_alloc(t->k, sizeof *t->teacher);
	t->pos = iso_alloc(n, sizeof *t->pos);
	t->drawn = iso_alloc(n, sizeof *t->drawn);
	t->id = iso_alloc(n, sizeof *t->id);
	t->x = iso_alloc(t->cap * t->dim, sizeof *t->x);
	t->z = iso_alloc(t->batch * t->m->z_dim, sizeof *t->z);
	t->u = iso_alloc(t->batch * t->dim, sizeof *t->u);
	t->du = iso_alloc(t->batch * t->dim, sizeof *t->du);
	t->past = iso_alloc(PAST * t->dim, sizeof *t->past);
	t->sorted = iso_alloc(t->batch, sizeof *t->sorted);
	t->votes = iso_alloc(t->batch * 2, sizeof *t->votes);
	t->label = iso_alloc(t->batch, sizeof *t->label);
	if (t->teacher && t->pos && t->drawn && t->id && t->x && t->z && t->u && t->du && t->past &&
	    t->sorted && t->votes && t->label)
		return ISO_OK;
	return iso_no_memory(err, "workspaces of PATE-GAN");
}

static iso_status trainer_init(trainer *t, const iso_fit *f, model *m, iso_error *err)
{
	const opts *o = f->env.options;
	*t = (trainer){.f = f, .o = o, .m = m, .k = teachers_of(o, f->env.n), .dim = m->enc->dim};
	t->batch = (size_t)o->batch;
	t->cap = t->batch + 8 * (size_t)ceil(sqrt((double)t->batch)) + 16;
	ISO_TRY(trainer_buffers(t, err));
	for (size_t i = 0; i < t->k; i++) {
		ISO_TRY(judge_new(&t->teacher[i].net, t->dim, m->hidden, err));
		iso_net_randomize(t->teacher[i].net, ISO_INIT_HE,
				  iso_key_child(f->key, "init-teacher", i));
		ISO_TRY(iso_optim_init(&t->teacher[i].opt, ISO_ADAM, (float)o->lr,
				       iso_net_params(t->teacher[i].net), err));
	}
	iso_net_randomize(m->gen, ISO_INIT_GLOROT, iso_key_child(f->key, "init-g", 0));
	iso_net_randomize(m->student, ISO_INIT_HE, iso_key_child(f->key, "init-s", 0));
	ISO_TRY(iso_optim_init(&t->opt_g, ISO_ADAM, (float)o->lr_g, iso_net_params(m->gen), err));
	ISO_TRY(iso_optim_init(&t->opt_s, ISO_ADAM, (float)o->lr, iso_net_params(m->student), err));
	t->opt_g.beta1 = 0.5f;
	ISO_TRY(iso_average_init(&t->mean, m->gen, o->average, (uint64_t)o->iterations, err));
	/* teachers share workspaces: their networks have one shape */
	ISO_TRY(iso_ws_new(t->teacher[0].net, t->cap, 0, &t->real, err));
	ISO_TRY(iso_ws_new(t->teacher[0].net, t->batch, 0, &t->fake, err));
	ISO_TRY(iso_ws_new(m->student, t->batch, 0, &t->judge, err));
	ISO_TRY(iso_ws_new(m->gen, t->batch, 0, &t->gen, err));
	ISO_TRY(iso_rows_open(&t->rows, f->train, m->enc, (size_t)64 << 20, err));
	deal(t);
	return ISO_OK;
}

/* The next batch of fakes into u. */
static void make_fakes(trainer *t)
{
	const model *m = t->m;
	const iso_key key = iso_key_child(t->f->key, "z", 0);
	for (size_t j = 0; j < t->batch; j++)
		iso_rand_fill_uniform(key, t->at++, -1, 1, t->z + j * m->z_dim, m->z_dim);
	iso_net_forward(m->gen, t->gen, t->z, m->z_dim, t->batch, NULL);
	iso_heads_forward(&m->heads, iso_ws_out(t->gen), t->batch, t->u, t->dim);
}

/* Fakes to be judged: the first `past` of them are replaced by jittered earlier ones, the rest is
 * remembered.  All of it is public, so teachers and queries may be fed with whatever makes their
 * verdicts informative. */
static void make_queries(trainer *t)
{
	const size_t old = (size_t)(t->o->past * (double)t->batch);
	const iso_key key = iso_key_child(t->f->key, "past", 0);
	make_fakes(t);
	for (size_t j = 0; j < t->batch; j++) {
		float *u = t->u + j * t->dim;
		const uint64_t at = t->at + j, have = t->kept < PAST ? t->kept : PAST;
		if (j >= old || have == 0) {
			/* reservoir: every fake so far is remembered with the same chance */
			const uint64_t to =
				t->kept < PAST
					? t->kept
					: (uint64_t)(iso_rand_u01(key, at, 1) * (double)t->kept);
			if (to < PAST)
				memcpy(t->past + to * t->dim, u, t->dim * sizeof *u);
			t->kept++;
			continue;
		}
		const size_t from = (size_t)(iso_rand_u01(key, at, 0) * (double)have);
		iso_rand_fill_normal(key, at, 0, (float)t->o->jitter, u, t->dim);
		for (size_t i = 0; i < t->dim; i++) {
			const float v = u[i] + t->past[from * t->dim + i];
			u[i] = v < 0 ? 0 : v > 1 ? 1 : v;
		}
	}
}

/* One step of teacher i on about `batch` of its own rows and the fakes in u. */
static void teach(trainer *t, size_t i, uint64_t step)
{
	teacher *const own = &t->teacher[i];
	const double q = iso_rate_of(t->batch, own->n ? own->n : 1);
	size_t n = iso_rand_poisson(iso_key_child(t->f->key, "teacher-batch", i), step,
				    t->id + own->first, own->n, q, t->drawn);
	n = n < t->cap ? n : t->cap;
	for (size_t r = 0; r < n; r++)
		t->drawn[r] = t->pos[own->first + t->drawn[r]];
	iso_rows_get(&t->rows, t->drawn, n, t->x, t->dim);
	iso_net_forward(own->net, t->fake, t->u, t->dim, t->batch, NULL);
	iso_loss_bce_logits(iso_ws_out(t->fake), 1, t->batch, 0, iso_ws_delta(t->fake), 1);
	iso_net_backward(own->net, t->fake, 0, NULL, 0);
	iso_net_weight_grad(own->net, t->fake, NULL, 0, iso_net_grad(own->net));
	if (n) {
		iso_net_forward(own->net, t->real, t->x, t->dim, n, NULL);
		iso_loss_bce_logits(iso_ws_out(t->real), 1, n, 1, iso_ws_delta(t->real), 1);
		iso_net_backward(own->net, t->real, 0, NULL, 0);
		iso_net_weight_grad(own->net, t->real, NULL, 1, iso_net_grad(own->net));
	}
	iso_optim_step(&own->opt, iso_net_theta(own->net), iso_net_grad(own->net),
		       1.0f / (float)t->batch);
}

static int by_value(const void *a, const void *b)
{
	const float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

/* The logit above which this teacher votes "real": a function of its network and of public fakes.
 */
static float threshold_of(trainer *t, const float *logit)
{
	if (t->o->threshold == HALF)
		return 0;
	memcpy(t->sorted, logit, t->batch * sizeof *logit);
	qsort(t->sorted, t->batch, sizeof *logit, by_value);
	return t->sorted[(t->batch - 1) / 2];
}

/* Votes on the fakes in u, released with noise, and one step of the student on them; returns its
 * mean loss. */
static iso_status learn(trainer *t, double *loss, iso_error *err)
{
	model *m = t->m;
	for (size_t j = 0; j < t->batch; j++)
		t->votes[2 * j] = t->votes[2 * j + 1] = 0;
	for (size_t i = 0; i < t->k; i++) {
		iso_net_forward(t->teacher[i].net, t->fake, t->u, t->dim, t->batch, NULL);
		const float least = threshold_of(t, iso_ws_out(t->fake));
		for (size_t j = 0; j < t->batch; j++)
			t->votes[2 * j + (iso_ws_out(t->fake)[j] > least)] += 1;
	}
	ISO_TRY(iso_mech_votes(t->f->ledger, "votes", 0, t->votes, t->batch, 2, t->label, err));
	iso_net_forward(m->student, t->judge, t->u, t->dim, t->batch, NULL);
	*loss = iso_loss_bce_logits(iso_ws_out(t->judge), 1, t->batch, 0, iso_ws_delta(t->judge),
				    1);
	for (size_t j = 0; j < t->batch;
	     j++) { /* target r_j instead of 0: loss - r z, gradient - r */
		*loss -= t->label[j] * (double)iso_ws_out(t->judge)[j];
		iso_ws_delta(t->judge)[j] -= (float)t->label[j];
	}
	*loss /= (double)t->batch;
	iso_net_backward(m->student, t->judge, 0, NULL, 0);
	iso_net_weight_grad(m->student, t->judge, NULL, 0, iso_net_grad(m->student));
	iso_optim_step(&t->opt_s, iso_net_theta(m->student), iso_net_grad(m->student),
		       1.0f / (float)t->batch);
	return ISO_OK;
}

static double generate_better(trainer *t)
{
	model *m = t->m;
	iso_net_forward(m->student, t->judge, t->u, t->dim, t->batch, NULL);
	const double loss = iso_loss_bce_logits(iso_ws_out(t->judge), 1, t->batch, 1,
						iso_ws_delta(t->judge), 1);
	iso_net_backward(m->student, t->judge, 0, t->du, t->dim);
	iso_heads_backward(&m->heads, t->u, t->dim, t->du, t->dim, t->batch, iso_ws_delta(t->gen));
	iso_net_backward(m->gen, t->gen, 0, NULL, 0);
	iso_net_weight_grad(m->gen, t->gen, NULL, 0, iso_net_grad(m->gen));
	iso_optim_step(&t->opt_g, iso_net_theta(m->gen), iso_net_grad(m->gen),
		       1.0f / (float)t->batch);
	return loss / (double)t->batch;
}

static iso_status iterate(trainer *t, uint64_t it, iso_error *err)
{
	const iso_fit *f = t->f;
	double loss_s = 0, loss_g = 0;
	for (int64_t j = 0; j < t->o->teacher_steps; j++) {
		make_queries(t);
		for (size_t i = 0; i < t->k; i++)
			teach(t, i, it * (uint64_t)t->o->teacher_steps + (uint64_t)j);
	}
	for (int64_t j = 0; j < t->o->student_steps; j++) {
		make_queries(t);
		ISO_TRY(learn(t, &loss_s, err));
	}
	for (int64_t j = 0; j < t->o->generator_steps; j++) {
		make_fakes(t);
		loss_g = generate_better(t);
	}
	if (f->curve) { /* functions of fakes and of released votes */
		f->curve(f->curve_ctx, (double)it, "student-loss", loss_s);
		f->curve(f->curve_ctx, (double)it, "generator-loss", loss_g);
	}
	return ISO_OK;
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	const opts *o = f->env.options;
	model *m = NULL;
	trainer t = {0};
	iso_status st;
	ISO_TRY(model_new(&f->env, &m, err));
	ISO_TRY_OUT(trainer_init(&t, f, m, err));
	for (uint64_t it = 0; it < (uint64_t)o->iterations; it++) {
		if (f->cancelled && f->cancelled(f->cancelled_ctx)) {
			st = iso_fail(err, ISO_E_CANCELLED,
				      "cancelled (pate-gan): at iteration %llu; start again",
				      (unsigned long long)it);
			goto out;
		}
		ISO_TRY_OUT(iterate(&t, it, err));
		iso_average_step(&t.mean, m->gen, it);
		if (f->progress)
			iso_progress_update(f->progress, f->progress->total * (double)it /
								 (double)o->iterations);
	}
	iso_average_finish(&t.mean, m->gen);
	*out = m;
	m = NULL;
out:
	trainer_free(&t);
	destroy(m);
	return st;
}

/* ---- Slots
 * ----------------------------------------------------------------------------------------------------
 */

#define PIECE 256

typedef struct piece {
	iso_ws *ws;
	float *in, *x;
} piece;

static void piece_free(piece *p)
{
	iso_ws_free(p->ws);
	iso_free(p->in);
	iso_free(p->x);
}

static iso_status piece_init(piece *p, const model *m, const iso_net *net, iso_error *err)
{
	*p = (piece){0};
	ISO_TRY(iso_ws_new(net, PIECE, 0, &p->ws, err));
	p->in = iso_alloc(PIECE * iso_net_in(net), sizeof *p->in);
	p->x = iso_alloc(PIECE * m->enc->dim, sizeof *p->x);
	if (p->in && p->x)
		return ISO_OK;
	piece_free(p);
	return iso_no_memory(err, "workspace of PATE-GAN");
}

/* Rows at.. from the n <= PIECE latents in p->in. */
static void write_piece(const model *m, piece *p, size_t n, const iso_key *draw, iso_table *out,
			size_t at)
{
	iso_net_forward(m->gen, p->ws, p->in, m->z_dim, n, NULL);
	iso_heads_forward(&m->heads, iso_ws_out(p->ws), n, p->x, m->enc->dim);
	iso_decode(m->enc, p->x, m->enc->dim, n, draw, out, at);
}

static iso_status sample(const void *model_, iso_key key, iso_table *out, iso_error *err)
{
	const model *m = model_;
	const iso_key zkey = iso_key_child(key, "z", 0), draw = iso_key_child(key, "category", 0);
	piece p;
	ISO_TRY(piece_init(&p, m, m->gen, err));
	for (size_t at = 0; at < out->n; at += PIECE) {
		const size_t n = out->n - at < PIECE ? out->n - at : PIECE;
		for (size_t i = 0; i < n; i++)
			iso_rand_fill_uniform(zkey, at + i, -1, 1, p.in + i * m->z_dim, m->z_dim);
		write_piece(m, &p, n, m->argmax ? NULL : &draw, out, at);
	}
	piece_free(&p);
	return ISO_OK;
}

/* The student's logit. */
static iso_status score(const void *model_, const iso_table *rows, double *out, iso_error *err)
{
	const model *m = model_;
	uint32_t row[PIECE];
	piece p;
	ISO_TRY(piece_init(&p, m, m->student, err));
	for (size_t at = 0; at < rows->n; at += PIECE) {
		const size_t n = rows->n - at < PIECE ? rows->n - at : PIECE;
		for (size_t i = 0; i < n; i++)
			row[i] = (uint32_t)(at + i);
		iso_encode(m->enc, rows, row, n, p.in, m->enc->dim);
		iso_net_forward(m->student, p.ws, p.in, m->enc->dim, n, NULL);
		for (size_t i = 0; i < n; i++)
			out[at + i] = iso_ws_out(p.ws)[i];
	}
	piece_free(&p);
	return ISO_OK;
}

static size_t latent_dim(const void *model_)
{
	return ((const model *)model_)->z_dim;
}

/* The label is a generated column, so `label` plays no part. */
static iso_status decode(const void *model_, const float *z, const uint32_t *label, size_t n_all,
			 iso_table *out, iso_error *err)
{
	const model *m = model_;
	piece p;
	(void)label;
	ISO_TRY(piece_init(&p, m, m->gen, err));
	for (size_t at = 0; at < n_all; at += PIECE) {
		const size_t n = n_all - at < PIECE ? n_all - at : PIECE;
		memcpy(p.in, z + at * m->z_dim, n * m->z_dim * sizeof *p.in);
		write_piece(m, &p, n, NULL, out, at);
	}
	piece_free(&p);
	return ISO_OK;
}

static iso_status save(const void *model_, iso_str *out, iso_error *err)
{
	const model *m = model_;
	iso_net_parts(out, "generator", m->gen);
	iso_net_parts(out, "student", m->student);
	return iso_str_check(out, err);
}

static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **out,
		       iso_error *err)
{
	iso_parts in = {bytes, bytes + n};
	model *m = NULL;
	iso_status st;
	ISO_TRY(model_new(env, &m, err));
	ISO_TRY_OUT(iso_net_take(&in, "generator", m->gen, err));
	ISO_TRY_OUT(iso_net_take(&in, "student", m->student, err));
	*out = m;
	m = NULL;
out:
	destroy(m);
	return st;
}

static iso_status describe(const void *model_, cJSON *out, iso_error *err)
{
	const model *m = model_;
	if (!cJSON_AddNumberToObject(out, "generator_parameters", (double)iso_net_params(m->gen)) ||
	    !cJSON_AddNumberToObject(out, "student_parameters",
				     (double)iso_net_params(m->student)) ||
	    !cJSON_AddNumberToObject(out, "latent", (double)m->z_dim))
		return iso_no_memory(err, "description of PATE-GAN");
	return ISO_OK;
}

const iso_generator iso_generator_pate_gan = {
	.abi = ISO_GENERATOR_ABI,
	.name = "pate-gan",
	.title = "PATE-GAN: a student discriminator taught by noisy votes of teachers",
	.citation = "J. Jordon, J. Yoon, M. van der Schaar, \"PATE-GAN: Generating Synthetic Data "
		    "with Differential "
		    "Privacy "
		    "Guarantees\", ICLR 2019 (openreview S1zk9iRqF7); pitfalls of G. Ganev, M. S. "
		    "M. S. Annamalai, "
		    "E. De Cristofaro, arXiv:2406.13985",
	.card = "Teachers on a fixed disjoint partition of the rows vote on generated rows; a "
		"student discriminator "
		"learns from the noisy votes, the generator from the student.\n"
		"Privacy: a record belongs to one teacher, so each query moves two counts by one; "
		"every query is "
		"booked with the data-independent bound, their number is fixed and the noise is "
		"calibrated to it.\n"
		"Deviations: votes relative to each teacher's median, earlier fakes among the "
		"queries, "
		"data-independent stop, "
		"k = n/50 teachers (threshold=half past=0: votes as published).",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_TABULAR | ISO_ACCEPTS_SEQUENCE | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	.options = options,
	.options_size = sizeof(opts),
	.check = check,
	.plan = plan,
	.fit = fit,
	.sample = sample,
	.destroy = destroy,
	.score = score,
	.latent_dim = latent_dim,
	.decode = decode,
	.save = save,
	.load = load,
	.describe = describe,
};
