// SPDX-License-Identifier: Apache-2.0
/* pate-gan: a student discriminator taught by the noisy votes of teachers on disjoint data (Jordon
 * et al. 2019).
 *
 * WHAT.  k teacher discriminators, each on its own part of the rows, judge public rows; a student
 * learns from their noisy majority alone; the generator plays against the student.  Privacy from
 * votes, not from gradients.
 *
 * ALGORITHM (card "pate-gan" section 7).  Rows are dealt to k parts once, by a keyed hash of their
 * identity.  R rounds:
 *   n_T times, every teacher i: Adam on BCE of ~b rows of part i (target 1) and b fakes (target 0)
 *   Q/R queries u_j: n_1(j) = #{i: T_i(u_j) > 1/2}, n_0 = k - n_1,
 *     r_j = argmax(n_0 + V_0, n_1 + V_1), V ~ N(0, s^2) (gnmax) or Lap(s) (lnmax) on each count
 *   n_S times: Adam step of the student S on BCE(S(u), r) over released pairs (u, r)
 *   n_G times: Adam step of G on max(0, 1 - S(G(z))), z ~ U[-1,1]^z
 * The label is one generated column.  Q is fixed beforehand and s is calibrated to it: nothing
 * stops on a data-dependent epsilon.
 *
 * HOW MANY.  With data-independent accounts Q queries at (epsilon, delta) need noise of
 * sigma(Q) = sqrt(Q/2) / (sqrt(L + epsilon) - sqrt(L)) per unit of L2 sensitivity, L = log(1/delta)
 * (zCDP; Bun and Steinke 2016).  The noise on the difference of the two counts is twice that, and
 * even a unanimous vote differs by k only, so k < 2 sigma is refused, and the defaults are
 * k = 4 sigma with as many queries (100 to 20,000) as leave a teacher 32 rows, or fewer queries
 * where the table is small.
 *
 * PRIVACY ARGUMENT.  Neighbours: add or remove one record.
 *  - The part of a record depends on its identity and the seed alone, so a record touches one
 * teacher, through all its steps.  That teacher can change its vote on every query: per query (n_0,
 * n_1) moves by (1, 1): L1 2, L2 sqrt 2.
 *  - "votes": iso_mech_votes, booked query by query under full composition, also where the teachers
 * agree; the accountant uses the data-independent curve (LNMax: 2/s-DP per query; GNMax: Gaussian
 * of multiplier s / sqrt 2).
 *  - S and G see fakes, public probes, released labels and keys: post-processing.  Teachers, their
 * counts and the sizes of parts stay with the curator: save writes G and S only.  The share of
 * labels that equal the majority is a function of the counts and is not released; the curve
 * "unanimous-vote-right" is its ceiling, Phi(k / (s sqrt 2)), a function of public numbers.
 *
 * DEVIATIONS.
 *  - probes: a share of the queries are drawn uniformly over the public domain.  A student that is
 * only asked about fakes hears "fake" wherever G stands and never where the data are, which is why
 * the published loop does not learn even without noise.  probes=0: as published.
 *  - G's loss is a hinge and the student's labels are smoothed (0.1, 0.9): a fake moves until the
 * student takes it for real and no further, so that few queries do not gather all fakes in the one
 * point that the student likes best.
 *  - The student keeps the released pairs and takes many steps on them (free); half of each batch
 * is of the last round.
 *  - Categories of fakes are relaxed draws (Gumbel-softmax), so that G keeps its diversity.
 *  - Stop rule: data-independent.  Fakes of a step are shared by all teachers.  Given out is a
 * running average of G's weights.
 *
 * COST.  About R n_T k b rows through teachers forward and backward, and Q k forward.
 */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/special.h"
#include "core/math/vmath.h"
#include "core/privacy/mechanism.h"
#include "generators/kit/latent_model.h"

enum { GNMAX, LNMAX };

typedef struct opts {
	int votes, categories;
	int64_t teachers, queries, iterations, batch, teacher_steps, student_steps, generator_steps,
		hidden[ISO_OPT_LIST_MAX + 1], teacher_hidden[ISO_OPT_LIST_MAX + 1], z_dim;
	double lr, lr_g, probes, average, tau;
} opts;

static const iso_option options[] = {
	ISO_OPT_ENUM(opts, votes, "gnmax", "gnmax|lnmax",
		     "noise on the votes: Gaussian or Laplace"),
	ISO_OPT_INT(opts, teachers, "0", 0, 65536,
		    "teachers; 0: four times the noise per unit of sensitivity, at least 10"),
	ISO_OPT_INT(opts, queries, "0", 0, 10000000,
		    "queries in total; 0: 100 to 20,000, as epsilon and the rows permit"),
	ISO_OPT_INT(opts, iterations, "0", 0, 1000000,
		    "rounds over which they are spread; 0: one for every 20 queries, 5 to 100"),
	ISO_OPT_INT(opts, batch, "32", 1, 4096, "rows and fakes per step"),
	ISO_OPT_INT(opts, teacher_steps, "40", 1, 1000, "steps of every teacher per round"),
	ISO_OPT_INT(opts, student_steps, "50", 1, 100000, "steps of the student per round"),
	ISO_OPT_INT(opts, generator_steps, "20", 1, 100000, "steps of the generator per round"),
	ISO_OPT_INTS(opts, hidden, "64,64", 1, 8192, "hidden layers of student and generator"),
	ISO_OPT_INTS(opts, teacher_hidden, "64", 1, 8192, "hidden layers of a teacher"),
	ISO_OPT_INT(opts, z_dim, "16", 1, 4096, "latent dimensions"),
	ISO_OPT_REAL(opts, probes, "0.5", 0, 1,
		     "share of the queries drawn over the public domain; 0: as published"),
	ISO_OPT_REAL(opts, average, "0.2", 0, 1,
		     "horizon of the average of G's weights as a share of the rounds"),
	ISO_OPT_REAL(opts, lr, "2e-3", 0, 1, "learning rate of teachers and student (Adam)"),
	ISO_OPT_REAL(opts, lr_g, "1e-3", 0, 1, "learning rate of the generator (Adam)"),
	ISO_OPT_REAL(opts, tau, "0.3", 0.01, 10, "temperature of the relaxed draws"),
	ISO_OPT_ENUM(opts, categories, "draw", "draw|argmax", "categories of a sample"),
	{0},
};

/* Noise per unit of sensitivity that one query costs; q of them cost sqrt(q) times as much. */
static double unit_noise(const iso_gen_env *env)
{
	const double l = -iso_log(env->delta > 0 ? env->delta : 1e-9);
	const double e = env->epsilon > 0 ? env->epsilon : 1e-9;
	return isfinite(e) ? 1 / (sqrt(2) * (sqrt(l + e) - sqrt(l))) : 0;
}

static double within(double x, double lo, double hi)
{
	return !(x > lo) ? lo : x > hi ? hi : x;
}

static opts settled(const iso_gen_env *env)
{
	opts o = *(const opts *)env->options;
	const double c = unit_noise(env), n = (double)env->n;
	if (o.queries == 0) {
		const double wide = c > 0 ? iso_pow(n / 32 / (4 * c), 2) : 20000;
		const double narrow = c > 0 ? iso_pow(n / 4 / (4 * c), 2) : 20000;
		o.queries = (int64_t)within(fmin(within(wide, 100, 20000), narrow), 16, 20000);
	}
	if (o.teachers == 0)
		o.teachers = (int64_t)within(ceil(4 * c * sqrt((double)o.queries)), 10,
					     fmax(floor(n / 2), 2));
	if (o.iterations == 0)
		o.iterations = (int64_t)within((double)o.queries / 20, 5, 100);
	if (o.iterations > o.queries)
		o.iterations = o.queries;
	return o;
}

static iso_status resolve(const iso_gen_env *env, void *out, iso_error *err)
{
	(void)err;
	*(opts *)out = settled(env);
	return ISO_OK;
}

static iso_status check(const iso_gen_env *env, iso_error *err)
{
	const opts o = settled(env);
	const double k = (double)o.teachers, noise = unit_noise(env) * sqrt((double)o.queries);
	ISO_FAIL_IF(o.teachers > (int64_t)env->n, err, ISO_E_CONFIG,
		    "teachers (pate-gan): %d teachers for %zu rows; a teacher needs rows of its "
		    "own, ask for fewer",
		    (int)o.teachers, env->n);
	ISO_FAIL_IF(o.teachers == 1, err, ISO_E_CONFIG,
		    "teachers (pate-gan): one teacher is no vote; ask for 2 or more");
	ISO_FAIL_IF((size_t)o.hidden[0] > ISO_KIT_LAYERS ||
			    (size_t)o.teacher_hidden[0] > ISO_KIT_LAYERS,
		    err, ISO_E_CONFIG, "hidden (pate-gan): more than %d layers; shorten the list",
		    ISO_KIT_LAYERS);
	ISO_FAIL_IF(k < 2 * noise, err, ISO_E_BUDGET,
		    "teachers (pate-gan): %d votes against noise of %.3g per unit of sensitivity "
		    "(%d queries at epsilon %g): even a unanimous vote would be nearly a coin; "
		    "ask for %.0f teachers or more, fewer queries, or a larger epsilon",
		    (int)o.teachers, noise, (int)o.queries, env->epsilon, ceil(2 * noise));
	return ISO_OK;
}

static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	const opts o = settled(env);
	const int laplace = o.votes == LNMAX;
	const iso_plan_item item = {
		.why = "votes",
		.event = {.mechanism = laplace ? ISO_MECH_PATE_LNMAX : ISO_MECH_PATE_GNMAX,
			  .noise = scale,
			  .rate = 1,
			  .count = (uint64_t)o.queries,
			  .queries = (size_t)o.queries,
			  .classes = 2},
		.norm = laplace ? ISO_NORM_L1 : ISO_NORM_L2,
		.sensitivity = laplace ? 2 : sqrt(2),
	};
	return iso_plan_add(out, &item, err);
}

static iso_latent_shape shape_of(const opts *o)
{
	return (iso_latent_shape){.who = "pate-gan",
				  .columns = ISO_ENC_FEATURES | ISO_ENC_LABEL,
				  .experts = 1,
				  .latent = (size_t)o->z_dim,
				  .decoder = {o->hidden, ISO_ACT_LRELU},
				  .scorer = {o->hidden, ISO_ACT_LRELU},
				  .heads = ISO_HEADS_GUMBEL,
				  .tau = o->tau,
				  .argmax = o->categories};
}

static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **out,
		       iso_error *err)
{
	const opts o = settled(env);
	const iso_latent_shape shape = shape_of(&o);
	return iso_latent_load(env, &shape, bytes, n, out, err);
}

/* ---- Training ---- */

typedef struct teacher {
	iso_net *net;
	iso_optim opt;
	size_t first, n; /* PRIVATE: its rows in `pos` and `id` */
} teacher;

typedef struct trainer {
	const iso_fit *f;
	opts o;
	iso_latent_model *m;
	size_t k, dim, batch, cap, asked; /* asked: released pairs so far */
	iso_rows rows;			  /* PRIVATE */
	uint32_t *pos, *drawn;		  /* PRIVATE [n] rows by teacher; a teacher's batch */
	uint64_t *id;			  /* PRIVATE [n] identities in that order */
	teacher *teacher;		  /* PRIVATE [k] */
	iso_ws *real, *fake, *judge, *gen;
	iso_optim opt_s, opt_g;
	iso_average mean;
	float *x;	 /* PRIVATE [cap][dim] rows of a teacher */
	float *z, *g;	 /* [batch] latents; uniform draws of the heads */
	float *u, *du;	 /* [batch][dim] fakes, dLoss/d(fake) */
	float *pair;	 /* [queries][dim] judged rows */
	uint32_t *label; /* [queries] their released labels */
	double *votes;	 /* PRIVATE [batch][2] */
	uint64_t at;	 /* fakes so far */
	uint64_t step;	 /* of the student */
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
	void *const v[] = {t->pos, t->drawn, t->id, t->teacher, t->x,	  t->z,
			   t->g,   t->u,     t->du, t->pair,	t->label, t->votes};
	for (size_t i = 0; i < ISO_COUNT(v); i++)
		iso_free(v[i]);
	iso_rows_close(&t->rows);
	iso_optim_deinit(&t->opt_s);
	iso_optim_deinit(&t->opt_g);
	iso_average_finish(&t->mean, NULL);
}

/* The part of a row: its identity and the key, nothing else. */
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
	const size_t n = t->f->train->n, queries = (size_t)t->o.queries;
	t->teacher = iso_alloc(t->k, sizeof *t->teacher);
	t->pos = iso_alloc(n, sizeof *t->pos);
	t->drawn = iso_alloc(n, sizeof *t->drawn);
	t->id = iso_alloc(n, sizeof *t->id);
	t->x = iso_alloc(t->cap * t->dim, sizeof *t->x);
	t->z = iso_alloc(t->batch * t->m->zw, sizeof *t->z);
	t->g = iso_alloc(t->batch * t->dim, sizeof *t->g);
	t->u = iso_alloc(t->batch * t->dim, sizeof *t->u);
	t->du = iso_alloc(t->batch * t->dim, sizeof *t->du);
	t->pair = iso_alloc(queries * t->dim, sizeof *t->pair);
	t->label = iso_alloc(queries, sizeof *t->label);
	t->votes = iso_alloc(t->batch * 2, sizeof *t->votes);
	return t->teacher && t->pos && t->drawn && t->id && t->x && t->z && t->g && t->u && t->du &&
			       t->pair && t->label && t->votes
		       ? ISO_OK
		       : iso_no_memory(err, "workspaces of PATE-GAN");
}

static iso_status trainer_init(trainer *t, iso_error *err)
{
	iso_latent_model *const m = t->m;
	const iso_hidden hidden = {t->o.teacher_hidden, ISO_ACT_LRELU};
	t->cap = iso_chunk_of((double)t->batch);
	ISO_TRY(trainer_buffers(t, err));
	for (size_t i = 0; i < t->k; i++) {
		ISO_TRY(iso_kit_net(&t->teacher[i].net, t->dim, hidden, 1, ISO_ACT_LINEAR, err));
		iso_net_randomize(t->teacher[i].net, ISO_INIT_HE,
				  iso_key_child(t->f->key, "init-teacher", i));
		ISO_TRY(iso_optim_init(&t->teacher[i].opt, ISO_ADAM, (float)t->o.lr,
				       iso_net_params(t->teacher[i].net), err));
	}
	iso_net_randomize(m->decoder[0], ISO_INIT_HE, iso_key_child(t->f->key, "init-g", 0));
	iso_net_randomize(m->scorer, ISO_INIT_HE, iso_key_child(t->f->key, "init-s", 0));
	ISO_TRY(iso_optim_init(&t->opt_g, ISO_ADAM, (float)t->o.lr_g, iso_net_params(m->decoder[0]),
			       err));
	ISO_TRY(iso_optim_init(&t->opt_s, ISO_ADAM, (float)t->o.lr, iso_net_params(m->scorer),
			       err));
	t->opt_g.beta1 = 0.5f;
	ISO_TRY(iso_average_init(&t->mean, m->decoder[0], t->o.average,
				 (uint64_t)(t->o.iterations * t->o.generator_steps), err));
	/* teachers share workspaces: their networks have one shape */
	ISO_TRY(iso_ws_new(t->teacher[0].net, t->cap, 0, &t->real, err));
	ISO_TRY(iso_ws_new(t->teacher[0].net, t->batch, 0, &t->fake, err));
	ISO_TRY(iso_ws_new(m->scorer, t->batch, 0, &t->judge, err));
	ISO_TRY(iso_ws_new(m->decoder[0], t->batch, 0, &t->gen, err));
	ISO_TRY(iso_rows_open(&t->rows, t->f->train, m->enc, ISO_ROWS_KEEP, err));
	deal(t);
	return ISO_OK;
}

/* The next n fakes into u. */
static void make_fakes(trainer *t, size_t n)
{
	const iso_key draw = iso_key_child(t->f->key, "draw", 0);
	iso_latent_draw_z(t->m, iso_key_child(t->f->key, "z", 0), t->at, n, t->z);
	for (size_t j = 0; j < n; j++)
		iso_rand_fill_uniform(draw, t->at + j, 0, 1, t->g + j * t->dim, t->dim);
	t->at += n;
	iso_net_forward(t->m->decoder[0], t->gen, t->z, t->m->zw, n, NULL);
	iso_heads_forward(&t->m->heads, iso_ws_out(t->gen), n, t->g, t->u, t->dim);
}

/* One step of teacher i on about `batch` of its own rows and the fakes in u. */
static void teach(trainer *t, teacher *own, size_t i, uint64_t step)
{
	const double q = iso_rate_of(t->batch, own->n ? own->n : 1);
	size_t n = iso_rand_poisson(iso_key_child(t->f->key, "teacher-batch", i), step,
				    t->id + own->first, own->n, q, t->drawn);
	n = n < t->cap ? n : t->cap;
	for (size_t r = 0; r < n; r++)
		t->drawn[r] = t->pos[own->first + t->drawn[r]];
	iso_rows_get(&t->rows, t->drawn, n, t->x, t->dim);
	iso_net_forward(own->net, t->fake, t->u, t->dim, t->batch, NULL);
	iso_loss_bce_logits(iso_ws_out(t->fake), 1, t->batch, 0, iso_ws_delta(t->fake), 1);
	/* the two classes weigh the same, however few rows a teacher has */
	const float weight = n ? (float)n / (float)t->batch : 1;
	for (size_t j = 0; j < t->batch; j++)
		iso_ws_delta(t->fake)[j] *= weight;
	iso_net_backward(own->net, t->fake, 0, NULL, 0);
	iso_net_weight_grad(own->net, t->fake, NULL, 0, iso_net_grad(own->net));
	if (n) {
		iso_net_forward(own->net, t->real, t->x, t->dim, n, NULL);
		iso_loss_bce_logits(iso_ws_out(t->real), 1, n, 1, iso_ws_delta(t->real), 1);
		iso_net_backward(own->net, t->real, 0, NULL, 0);
		iso_net_weight_grad(own->net, t->real, NULL, 1, iso_net_grad(own->net));
	}
	iso_optim_step(&own->opt, iso_net_theta(own->net), iso_net_grad(own->net),
		       1.0f / (float)(n ? n : t->batch));
}

/* n queries: fakes, the first of them replaced by probes of the public domain; their noisy labels.
 */
static iso_status ask(trainer *t, size_t n, iso_error *err)
{
	const size_t probes = (size_t)(t->o.probes * (double)n + 0.5);
	make_fakes(t, n);
	for (size_t j = 0; j < probes; j++)
		iso_probe_row(t->m->enc, iso_key_child(t->f->key, "probe", 0), t->asked + j,
			      t->u + j * t->dim);
	memset(t->votes, 0, 2 * n * sizeof *t->votes);
	for (size_t i = 0; i < t->k; i++) {
		iso_net_forward(t->teacher[i].net, t->fake, t->u, t->dim, n, NULL);
		for (size_t j = 0; j < n; j++)
			t->votes[2 * j + (iso_ws_out(t->fake)[j] > 0)] += 1;
	}
	ISO_TRY(iso_mech_votes(t->f->ledger, (iso_entry){.why = "votes"}, t->votes, n, 2,
			       t->label + t->asked, err));
	memcpy(t->pair + t->asked * t->dim, t->u, n * t->dim * sizeof *t->pair);
	t->asked += n;
	return ISO_OK;
}

/* One step of the student on released pairs, half of them of the last round; the mean loss. */
static double learn(trainer *t, size_t fresh)
{
	iso_net *const net = t->m->scorer;
	const iso_key key = iso_key_child(t->f->key, "student-batch", t->step++);
	float want[4096];
	double loss;
	for (size_t j = 0; j < t->batch; j++) {
		const size_t from = j % 2 ? t->asked - fresh : 0;
		const size_t at =
			from + (size_t)(iso_rand_u01(key, j, 0) * (double)(t->asked - from));
		memcpy(t->u + j * t->dim, t->pair + at * t->dim, t->dim * sizeof *t->u);
		want[j] = t->label[at] ? 0.9f : 0.1f;
	}
	iso_net_forward(net, t->judge, t->u, t->dim, t->batch, NULL);
	float *const d = iso_ws_delta(t->judge);
	loss = iso_loss_bce_logits(iso_ws_out(t->judge), 1, t->batch, 0, d, 1);
	for (size_t j = 0; j < t->batch;
	     j++) { /* target r instead of 0: loss - r z, gradient - r */
		loss -= (double)want[j] * iso_ws_out(t->judge)[j];
		d[j] -= want[j];
	}
	iso_net_backward(net, t->judge, 0, NULL, 0);
	iso_net_weight_grad(net, t->judge, NULL, 0, iso_net_grad(net));
	iso_optim_step(&t->opt_s, iso_net_theta(net), iso_net_grad(net), 1.0f / (float)t->batch);
	return loss / (double)t->batch;
}

static double generate_better(trainer *t)
{
	iso_latent_model *m = t->m;
	make_fakes(t, t->batch);
	iso_net_forward(m->scorer, t->judge, t->u, t->dim, t->batch, NULL);
	double loss = 0;
	for (size_t j = 0; j < t->batch; j++) {
		const double l = iso_ws_out(t->judge)[j];
		loss += l < 1 ? 1 - l : 0;
		iso_ws_delta(t->judge)[j] = l < 1 ? -1 : 0;
	}
	iso_net_backward(m->scorer, t->judge, 0, t->du, t->dim);
	iso_heads_backward(&m->heads, t->u, t->dim, t->du, t->dim, t->batch, 1,
			   iso_ws_delta(t->gen));
	iso_net_backward(m->decoder[0], t->gen, 0, NULL, 0);
	iso_net_weight_grad(m->decoder[0], t->gen, NULL, 0, iso_net_grad(m->decoder[0]));
	iso_optim_step(&t->opt_g, iso_net_theta(m->decoder[0]), iso_net_grad(m->decoder[0]),
		       1.0f / (float)t->batch);
	return loss / (double)t->batch;
}

static iso_status iterate(trainer *t, uint64_t it, iso_error *err)
{
	const iso_fit *f = t->f;
	const opts *o = &t->o;
	const size_t until = (size_t)((double)o->queries * (double)(it + 1) /
				      (double)o->iterations),
		     before = t->asked;
	double loss_s = 0, loss_g = 0;
	for (int64_t j = 0; j < o->teacher_steps; j++) {
		make_fakes(t, t->batch);
		for (size_t i = 0; i < t->k; i++)
			teach(t, &t->teacher[i], i, it * (uint64_t)o->teacher_steps + (uint64_t)j);
	}
	while (t->asked < until)
		ISO_TRY(ask(t, until - t->asked < t->batch ? until - t->asked : t->batch, err));
	for (int64_t j = 0; j < o->student_steps; j++)
		loss_s = learn(t, t->asked - before);
	for (int64_t j = 0; j < o->generator_steps; j++) {
		loss_g = generate_better(t);
		iso_average_step(&t->mean, t->m->decoder[0],
				 it * (uint64_t)o->generator_steps + (uint64_t)j);
	}
	if (f->curve) { /* functions of fakes and of released votes */
		f->curve(f->curve_ctx, (double)it, "student-loss", loss_s);
		f->curve(f->curve_ctx, (double)it, "generator-loss", loss_g);
	}
	return ISO_OK;
}

static iso_status loop(trainer *t, iso_error *err)
{
	const iso_fit *f = t->f;
	const double s = f->scale, k = (double)t->k;
	if (f->curve)
		f->curve(f->curve_ctx, 0, "unanimous-vote-right",
			 t->o.votes == LNMAX ? 1 - 0.5 * iso_exp(-k / s) * (1 + 0.5 * k / s)
					     : 0.5 * iso_erfc(-k / (2 * s)));
	for (uint64_t it = 0; it < (uint64_t)t->o.iterations; it++) {
		ISO_FAIL_IF(f->cancelled && f->cancelled(f->cancelled_ctx), err, ISO_E_CANCELLED,
			    "cancelled (pate-gan): in round %llu; start again",
			    (unsigned long long)it);
		ISO_TRY(iterate(t, it, err));
		if (f->progress)
			iso_progress_update(f->progress, f->progress->total * (double)it /
								 (double)t->o.iterations);
	}
	iso_average_finish(&t->mean, t->m->decoder[0]);
	return ISO_OK;
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	trainer t = {.f = f, .o = settled(&f->env)};
	const iso_latent_shape shape = shape_of(&t.o);
	iso_status st;
	ISO_TRY(iso_latent_new(&f->env, &shape, &t.m, err));
	t.k = (size_t)t.o.teachers;
	t.batch = (size_t)t.o.batch;
	t.dim = t.m->enc->dim;
	ISO_TRY_OUT(trainer_init(&t, err));
	ISO_TRY_OUT(loop(&t, err));
	*out = t.m;
	t.m = NULL;
out:
	trainer_free(&t);
	iso_latent_destroy(t.m);
	return st;
}

const iso_generator iso_generator_pate_gan = {
	.abi = ISO_GENERATOR_ABI,
	.name = "pate-gan",
	.title = "PATE-GAN: a student discriminator taught by noisy votes of teachers",
	.citation = "J. Jordon, J. Yoon, M. van der Schaar, \"PATE-GAN: Generating Synthetic Data "
		    "with Differential Privacy Guarantees\", ICLR 2019 (openreview S1zk9iRqF7); "
		    "pitfalls of G. Ganev, M. S. M. S. Annamalai, E. De Cristofaro, "
		    "arXiv:2406.13985",
	.card = "Teachers on a fixed disjoint partition of the rows vote on fakes and on probes of "
		"the public domain; a student discriminator learns from the noisy votes, the "
		"generator from the student.\n"
		"Privacy: a record belongs to one teacher, so each query moves two counts by one; "
		"every query is booked with the data-independent bound, their number is fixed and "
		"the noise is calibrated to it. The number of teachers follows from epsilon and "
		"the queries; fewer than twice the noise are refused.\n"
		"Deviations: probes among the queries, released pairs are kept, relaxed draws of "
		"categories, a data-independent stop.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_TABULAR | ISO_ACCEPTS_SEQUENCE | ISO_ACCEPTS_ANY_LABEL,
	.version = 2,
	.options = options,
	.options_size = sizeof(opts),
	.resolve = resolve,
	.check = check,
	.plan = plan,
	.fit = fit,
	.score = iso_latent_score,
	.load = load,
	ISO_LATENT_SLOTS,
};
