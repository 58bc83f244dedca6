// SPDX-License-Identifier: Apache-2.0
/* pate-gan: a student discriminator taught by the noisy votes of teachers on disjoint data (Jordon
 * et al. 2019).
 *
 * k teacher discriminators, each on its own part of the rows, judge public rows; a student learns
 * from their noisy majority alone; the generator plays against the student.
 *
 * ALGORITHM (card "pate-gan" section 7).  Rows are dealt to k parts once (kit/teachers.h).  G
 * begins at the uniform law of the public domain.  R rounds:
 *   n_T times, every teacher i: Adam on BCE of ~b rows of part i (target 1) and b fakes (target 0)
 *   Q/R queries u_j, half of them fakes and half drawn over the domain:
 *     n_1(j) = #{i: T_i(u_j) > 1/2}, n_0 = k - n_1,
 *     r_j = argmax(n_0 + V_0, n_1 + V_1), V ~ N(0, s^2) (gnmax) or Lap(s) (lnmax) on each count
 *   n_S times: Adam step of the student S on BCE(S(u), r) over released pairs (u, r)
 *   n_G times: Adam step of G on max(0, 1 - S(G(z))) + anchor |G(z) - u(z)|^2, z ~ U[-1,1]^z
 * With classes the label is drawn from a noisy histogram and G, T and S are conditional, with a
 * first layer per class.  Q is fixed beforehand and s calibrated to it: nothing stops on a
 * data-dependent epsilon.
 *
 * PRIVACY ARGUMENT.  Neighbours: add or remove one record.
 *  - A record touches one teacher, through all its steps, and that teacher can change its vote on
 * every query: per query (n_0, n_1) moves by (1, 1): L1 2, L2 sqrt 2.  A threshold of a teacher's
 * own (`least`) is part of its vote.
 *  - "votes": iso_mech_votes, booked query by query under full composition, also where the teachers
 * agree; data-independent curve (LNMax: 2/s-DP per query; GNMax: Gaussian of multiplier s / sqrt
 * 2).
 *  - "label-histogram": one noisy histogram, share label_share.
 *  - S and G see fakes, probes, released labels and keys: post-processing.  Teachers, counts and
 * the sizes of parts stay with the curator.  "unanimous-vote-right" is the ceiling of the share of
 * labels that equal the majority, Phi(k / (s sqrt 2)); the share itself is a function of the
 * counts: diagnose=true shows it, books it as uncharged and gives up the guarantee.
 *
 * DEVIATIONS, all to learn from some hundred votes; probes=0 least=0 start_steps=0 is as published.
 *  - probes: a student that is only asked about fakes never hears where the data are.
 *  - start_steps: a generator with random weights stands in a corner of the domain, where every
 * vote says "fake" and no direction is better than another.
 *  - least: where all fakes are poor a teacher still calls the best quarter real.
 *  - anchor: the student of few votes is wrong about most of the domain; a fake moves only as far
 * as the gain is worth the way.  The hinge ends its way where S takes it for real.
 *  - The student keeps the released pairs, with smoothed labels; half of each batch is new.
 *  - Categories of fakes are relaxed draws in G's step and one-hot for teachers and queries.
 *  - Data-independent stop; teachers share the fakes of a step; a running average of G is given
 * out.  COST: about R n_T k b rows through teachers forward and backward, and Q k forward.
 */
#include <math.h>
#include <string.h>

#include "generators/kit/labels.h"
#include "generators/kit/maker.h"
#include "generators/kit/student.h"

enum { GNMAX, LNMAX };

typedef struct opts {
	int votes, labels, categories, diagnose;
	int64_t teachers, queries, iterations, batch, teacher_steps, student_steps, generator_steps,
		start_steps, hidden[ISO_OPT_LIST_MAX + 1], teacher_hidden[ISO_OPT_LIST_MAX + 1],
		z_dim;
	double lr, lr_g, probes, label_share, least, anchor, average, tau;
} opts;

static const iso_option options[] = {
	ISO_OPT_ENUM(opts, votes, "gnmax", "gnmax|lnmax",
		     "noise on the votes: Gaussian or Laplace"),
	ISO_OPT_ENUM(opts, labels, "histogram", ISO_LABEL_CHOICES,
		     "law of the labels: a noisy histogram, uniform, or the suite's public class "
		     "counts"),
	ISO_OPT_REAL(opts, label_share, "0.02", 1e-6, 0.9,
		     "share of the budget of the label histogram"),
	ISO_OPT_INT(opts, teachers, "0", 0, 65536,
		    "teachers; 0: four times the noise per unit of sensitivity, at least 10"),
	ISO_OPT_INT(opts, queries, "0", 0, 10000000,
		    "queries in total; 0: 100 to 2,000, as epsilon and the rows permit"),
	ISO_OPT_INT(opts, iterations, "0", 0, 1000000,
		    "rounds over which they are spread; 0: one for every 20 queries, 5 to 100"),
	ISO_OPT_INT(opts, batch, "32", 1, 4096, "rows and fakes per step"),
	ISO_OPT_INT(opts, teacher_steps, "15", 1, 1000, "steps of every teacher per round"),
	ISO_OPT_INT(opts, student_steps, "50", 1, 100000, "steps of the student per round"),
	ISO_OPT_INT(opts, generator_steps, "20", 1, 100000, "steps of the generator per round"),
	ISO_OPT_INT(opts, start_steps, "400", 0, 1000000,
		    "steps of the generator towards the uniform law of the public domain before "
		    "the first round; 0: random weights, as published"),
	ISO_OPT_REAL(opts, least, "0.25", 0, 0.5,
		     "share of a round's queries that a teacher calls real at the least, those "
		     "that it ranks highest; 0: as published"),
	ISO_OPT_INTS(opts, hidden, "64,64", 1, 8192, "hidden layers of student and generator"),
	ISO_OPT_INTS(opts, teacher_hidden, "64", 1, 8192, "hidden layers of a teacher"),
	ISO_OPT_INT(opts, z_dim, "16", 1, 4096, "latent dimensions"),
	ISO_OPT_REAL(opts, probes, "0.5", 0, 1,
		     "share of the queries drawn over the public domain; 0: as published"),
	ISO_OPT_REAL(opts, anchor, "1.5", 0, 1000,
		     "weight of the squared way of a fake from the uniform row where it began"),
	ISO_OPT_REAL(opts, average, "0.2", 0, 1,
		     "horizon of the average of G's weights as a share of the rounds"),
	ISO_OPT_REAL(opts, lr, "2e-3", 0, 1, "learning rate of teachers and student (Adam)"),
	ISO_OPT_REAL(opts, lr_g, "1e-3", 0, 1, "learning rate of the generator (Adam)"),
	ISO_OPT_REAL(opts, tau, "0.3", 0.01, 10, "temperature of the relaxed draws"),
	ISO_OPT_BOOL(opts, diagnose, "false",
		     "the curve shows the share of labels that equal the majority, which is read "
		     "off the votes: uncharged, so not private"),
	ISO_OPT_ENUM(opts, categories, "draw", "draw|argmax", "categories of a sample"),
	{0},
};

/* Without classes the label is one more generated column. */
static int source_of(const iso_gen_env *env, const opts *o)
{
	return iso_schema_classes(env->schema) > 0 ? o->labels : ISO_LABELS_COLUMN;
}

static opts settled(const iso_gen_env *env)
{
	opts o = *(const opts *)env->options;
	if (o.queries == 0)
		o.queries = iso_votes_queries(env, 32, 100, 2000);
	if (o.teachers == 0)
		o.teachers = iso_votes_teachers(env, o.queries);
	if (o.iterations == 0)
		o.iterations = o.queries < 100 ? 5 : o.queries > 2000 ? 100 : o.queries / 20;
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
	ISO_FAIL_IF((size_t)o.hidden[0] > ISO_KIT_LAYERS ||
			    (size_t)o.teacher_hidden[0] > ISO_KIT_LAYERS,
		    err, ISO_E_CONFIG, "hidden (pate-gan): more than %d layers; shorten the list",
		    ISO_KIT_LAYERS);
	ISO_TRY(iso_labels_check(env, source_of(env, &o), "pate-gan", err));
	return iso_votes_check(env, "pate-gan", o.teachers, o.queries, err);
}

static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	const opts o = settled(env);
	ISO_TRY(iso_votes_plan(o.votes == LNMAX, scale, o.queries, 2, out, err));
	/* mu^2 of the votes is 2 queries / scale^2, or 4 queries / scale^2 for Laplace noise */
	const double noise =
		scale / sqrt((o.votes == LNMAX ? 4 : 2) * (double)o.queries * o.label_share);
	ISO_TRY(iso_labels_plan(env, source_of(env, &o), noise, 0, out, err));
	return o.diagnose ? iso_plan_uncharged(out, "vote-diagnosis", err) : ISO_OK;
}

static iso_guarantee guarantee_of(const void *o)
{
	return ((const opts *)o)->diagnose ? ISO_GUARANTEE_HEURISTIC : ISO_GUARANTEE_DP;
}

static iso_latent_shape shape_of(const iso_gen_env *env, const opts *o)
{
	const int conditional = iso_schema_classes(env->schema) > 0;
	return (iso_latent_shape){.who = "pate-gan",
				  .columns = ISO_ENC_FEATURES | (conditional ? 0 : ISO_ENC_LABEL),
				  .experts = 1,
				  .conditional = conditional,
				  .crossed = conditional,
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
	const iso_latent_shape shape = shape_of(env, &o);
	return iso_latent_load(env, &shape, bytes, n, out, err);
}

/* ---- Training ---- */

typedef struct trainer {
	const iso_fit *f;
	opts o;
	iso_latent_model *m;
	iso_rows rows;	       /* PRIVATE */
	iso_teachers teachers; /* PRIVATE */
	iso_contrast contrast; /* PRIVATE: their lessons */
	iso_student student;
	iso_maker maker;
	iso_average mean;
} trainer;

static void trainer_free(trainer *t)
{
	iso_contrast_deinit(&t->contrast);
	iso_rows_close(&t->rows);
	iso_teachers_deinit(&t->teachers);
	iso_student_deinit(&t->student);
	iso_maker_deinit(&t->maker);
	iso_average_finish(&t->mean, NULL);
}

/* Queries up to the end of round `it`. */
static size_t until(const opts *o, uint64_t it)
{
	return (size_t)((double)o->queries * (double)(it + 1) / (double)o->iterations);
}

static iso_status trainer_init(trainer *t, iso_error *err)
{
	iso_latent_model *const m = t->m;
	const opts *const o = &t->o;
	const iso_key key = t->f->key;
	const size_t batch = (size_t)o->batch, round = until(o, 0) + 1,
		     both = iso_contrast_cap(batch), cap = both > round ? both : round;
	ISO_TRY(iso_rows_open(&t->rows, t->f->train, m->enc, ISO_ROWS_KEEP, err));
	ISO_TRY(iso_teachers_init(&t->teachers, t->f, (size_t)o->teachers, m->width,
				  (iso_hidden){o->teacher_hidden, ISO_ACT_LRELU}, 1, o->lr, cap,
				  err));
	t->contrast =
		(iso_contrast){.team = &t->teachers, .model = m, .rows = &t->rows, .batch = batch};
	ISO_TRY(iso_contrast_init(&t->contrast, err));
	iso_net_randomize(m->decoder[0], ISO_INIT_HE, iso_key_child(key, "init-g", 0));
	iso_net_randomize(m->scorer, ISO_INIT_HE, iso_key_child(key, "init-s", 0));
	ISO_TRY(iso_student_init(&t->student, m->scorer, (size_t)o->queries, batch, o->lr, key,
				 err));
	ISO_TRY(iso_average_init(&t->mean, m->decoder[0], o->average,
				 (uint64_t)(o->iterations * o->generator_steps), err));
	return iso_maker_init(&t->maker, m, cap, o->lr_g, key, err);
}

/* n queries: fakes of labels that take turns, the first of them replaced by probes. */
static iso_status ask(trainer *t, size_t n, iso_error *err)
{
	const size_t probes = (size_t)(t->o.probes * (double)n + 0.5), asked = t->student.n;
	float *const u = t->student.row + asked * t->m->width;
	const iso_key key = iso_key_child(t->f->key, "probe", 0);
	iso_maker_fakes(&t->maker, n, 1, 1);
	memcpy(u, t->maker.in, n * t->m->width * sizeof *u);
	for (size_t j = 0; j < probes; j++) {
		iso_probe_row(t->m->enc, key, asked + j, t->maker.x);
		iso_latent_scored(t->m, t->maker.x, t->maker.label[j], u + j * t->m->width);
	}
	return iso_student_ask(&t->student, &t->teachers, t->f->ledger, n, t->o.least, err);
}

static iso_status iterate(trainer *t, uint64_t it, iso_error *err)
{
	const iso_fit *f = t->f;
	const opts *o = &t->o;
	const size_t fresh = until(o, it) - t->student.n, batch = (size_t)o->batch;
	double loss_s = 0, loss_g = 0;
	for (int64_t j = 0; j < o->teacher_steps; j++) {
		iso_maker_fakes(&t->maker, batch, 1, 0);
		iso_contrast_step(&t->contrast, t->maker.in,
				  it * (uint64_t)o->teacher_steps + (uint64_t)j);
	}
	if (fresh)
		ISO_TRY(ask(t, fresh, err));
	for (int64_t j = 0; j < o->student_steps; j++)
		loss_s = iso_student_step(&t->student, fresh);
	for (int64_t j = 0; j < o->generator_steps; j++) {
		loss_g = iso_maker_step(&t->maker, batch, o->anchor);
		iso_average_step(&t->mean, t->m->decoder[0],
				 it * (uint64_t)o->generator_steps + (uint64_t)j);
	}
	if (f->curve) { /* functions of fakes and of released votes */
		f->curve(f->curve_ctx, (double)it, "student-loss", loss_s);
		f->curve(f->curve_ctx, (double)it, "generator-loss", loss_g);
	}
	if (f->curve && o->diagnose)
		f->curve(f->curve_ctx, (double)it, "uncharged:labels-that-equal-the-majority",
			 t->student.agree / (double)t->student.n);
	return ISO_OK;
}

static iso_status loop(trainer *t, iso_error *err)
{
	const iso_fit *f = t->f;
	if (f->curve)
		f->curve(f->curve_ctx, 0, "unanimous-vote-right",
			 iso_votes_unanimous(t->o.votes == LNMAX, f->scale, (double)t->o.teachers));
	if (t->m->shape.conditional)
		ISO_TRY(iso_labels_law(f, source_of(&f->env, &t->o), t->m->law, err));
	iso_maker_start_uniform(&t->maker, (size_t)t->o.batch, (size_t)t->o.start_steps);
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
	return t->o.diagnose ? iso_ledger_uncharged(f->ledger, "vote-diagnosis", err) : ISO_OK;
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	trainer t = {.f = f, .o = settled(&f->env)};
	const iso_latent_shape shape = shape_of(&f->env, &t.o);
	iso_status st;
	ISO_TRY(iso_latent_new(&f->env, &shape, &t.m, err));
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
		"Deviations: probes among the queries, a uniform start, a pull back to it, at "
		"least "
		"a quarter of the queries called real, a first layer per class, kept pairs.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_TABULAR | ISO_ACCEPTS_SEQUENCE | ISO_ACCEPTS_ANY_LABEL,
	.version = 3,
	.options = options,
	.options_size = sizeof(opts),
	.guarantee_of = guarantee_of,
	.resolve = resolve,
	.check = check,
	.plan = plan,
	.fit = fit,
	.score = iso_latent_score,
	.load = load,
	ISO_LATENT_SLOTS,
};
