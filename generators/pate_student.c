// SPDX-License-Identifier: Apache-2.0
/* pate-student: a classifier taught by the noisy votes of teachers on disjoint data (Papernot et
 * al. 2017; GNMax: 2018).  The private-classifier arm beside pate-gan.
 *
 * ALGORITHM.  Rows are dealt to k parts once (kit/teachers.h).  Every teacher: n_T Adam steps of
 * cross entropy on Poisson samples of its own part.  Q questions u_j, public rows where there are
 * any, else rows drawn uniformly over the public domain:
 *   n_c(j) = #{i: argmax T_i(u_j) = c},  r_j = argmax_c n_c(j) + V_c,  V ~ N(0, s^2) or Lap(s)
 * The student is trained on the pairs (u_j, r_j) alone and released.  `classify` and `sample` as of
 * direct.
 *
 * PRIVACY ARGUMENT.  Neighbours: add or remove one record.  A record touches one teacher, which can
 * change its vote on every question: two counts move by one (L1 2, L2 sqrt 2).  "votes": Q answers
 * with the data-independent bound, under full composition.  Questions are public; teachers and
 * counts stay with the curator; the student is post-processing.
 *
 * DEVIATIONS.  The papers' semi-supervised students and the confidence threshold (Confident-GNMax)
 * are left out; the bound is data-independent.  Uniform questions are ours: where most of the
 * domain is empty, the teachers' answers there say little about the rows.
 *
 * COST.  n_T k B rows through teachers forward and backward, and Q k forward.
 */
#include <math.h>

#include "core/base/alloc.h"
#include "generators/kit/answers.h"
#include "generators/kit/student.h"

enum { GNMAX, LNMAX };

typedef struct opts {
	int votes, nearly_coins;
	int64_t teachers, queries, batch, teacher_steps, student_steps,
		teacher_hidden[ISO_OPT_LIST_MAX + 1], hidden[ISO_OPT_LIST_MAX + 1];
	double lr;
} opts;

static const iso_option options[] = {
	ISO_OPT_ENUM(opts, votes, "gnmax", "gnmax|lnmax", "Gaussian or Laplace noise on counts"),
	ISO_OPT_INT(opts, teachers, "0", 0, 65536,
		    "teachers; 0: four times the noise per unit of sensitivity, at least 10"),
	ISO_OPT_INT(opts, queries, "0", 0, 10000000,
		    "questions; 0: 100 to 2,000, as epsilon and the rows permit"),
	ISO_OPT_INT(opts, batch, "32", 1, 4096, "rows of a step"),
	ISO_OPT_INT(opts, teacher_steps, "300", 1, 1000000, "steps of every teacher"),
	ISO_OPT_INT(opts, student_steps, "1500", 1, 1000000, "steps of the student"),
	ISO_OPT_INTS(opts, teacher_hidden, "", 1, 8192,
		     "hidden layers of a teacher; empty: logistic regression"),
	ISO_OPT_INTS(opts, hidden, "", 1, 8192,
		     "hidden layers of the student; empty: logistic regression"),
	ISO_OPT_REAL(opts, lr, "5e-3", 0, 1, "learning rate of both (Adam)"),
	ISO_OPT_BOOL(opts, nearly_coins, "false",
		     "accept so few teachers that their votes drown in the noise: for audits"),
	{0},
};

static opts settled(const iso_gen_env *env)
{
	opts o = *(const opts *)env->options;
	o.queries = o.queries ? o.queries : iso_votes_queries(env, 32, 100, 2000);
	o.teachers = o.teachers ? o.teachers : iso_votes_teachers(env, o.queries);
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
	if (o.nearly_coins)
		return iso_teachers_check(env, "pate-student", o.teachers, err);
	return iso_votes_check(env, "pate-student", o.teachers, o.queries, err);
}

static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	const opts o = settled(env);
	return iso_votes_plan(o.votes == LNMAX, scale, o.queries, iso_schema_classes(env->schema),
			      out, err);
}

/* ---- Training ---- */

typedef struct school {
	const iso_fit *f;
	opts o;
	iso_answers *m;
	iso_rows rows;	       /* PRIVATE */
	iso_teachers teachers; /* PRIVATE */
	iso_student student;
	float *x, *want; /* PRIVATE a teacher's batch; owned */
} school;

static void school_free(school *s)
{
	iso_rows_close(&s->rows);
	iso_teachers_deinit(&s->teachers);
	iso_student_deinit(&s->student);
	iso_free(s->x);
	iso_free(s->want);
}

static iso_status school_init(school *s, iso_error *err)
{
	const opts *o = &s->o;
	const size_t dim = s->m->enc->dim, cap = iso_chunk_of((double)o->batch);
	s->x = iso_alloc(cap * dim, sizeof *s->x);
	s->want = iso_alloc(cap * s->m->classes, sizeof *s->want);
	if (!s->x || !s->want)
		return iso_no_memory(err, "batches of teachers");
	ISO_TRY(iso_rows_open(&s->rows, s->f->train, s->m->enc, ISO_ROWS_KEEP, err));
	ISO_TRY(iso_teachers_init(&s->teachers, s->f, (size_t)o->teachers, dim,
				  (iso_hidden){o->teacher_hidden, ISO_ACT_TANH}, s->m->classes,
				  o->lr, cap, err));
	return iso_student_init(&s->student, s->m->net, (size_t)o->queries, (size_t)o->batch, o->lr,
				s->f->key, err);
}

static void teach(school *s, size_t i, uint64_t step)
{
	iso_teachers *const t = &s->teachers;
	const size_t dim = s->m->enc->dim, classes = s->m->classes,
		     n = iso_teachers_batch(t, i, step, (size_t)s->o.batch, t->cap);
	if (n == 0)
		return;
	iso_rows_get(&s->rows, t->row, n, s->x, dim);
	for (size_t j = 0; j < n; j++)
		iso_one_hot(s->rows.label[t->row[j]], classes, s->want + j * classes);
	const iso_lesson l = {.loss = &iso_loss_cross_entropy,
			      .x = s->x,
			      .n = n,
			      .target = s->want,
			      .target_ld = classes};
	iso_lesson_step(t->net[i], t->ws, &t->opt[i], &l);
}

/* Questions behind the student's pairs: public rows, or uniform ones. */
static void write_questions(school *s)
{
	const iso_table *open = s->f->env.public_rows;
	const iso_key key = iso_key_child(s->f->key, "question", 0);
	const size_t dim = s->m->enc->dim;
	for (size_t j = 0; j < (size_t)s->o.queries; j++) {
		float *const u = s->student.row + j * dim;
		const uint32_t r = open && open->n ? (uint32_t)(j % open->n) : 0;
		if (open && open->n)
			iso_encode(s->m->enc, open, &r, 1, u, dim);
		else
			iso_probe_row(s->m->enc, key, j, u);
	}
}

static iso_status run(school *s, iso_error *err)
{
	const iso_fit *f = s->f;
	for (size_t i = 0; i < s->teachers.k; i++) {
		ISO_FAIL_IF(f->cancelled && f->cancelled(f->cancelled_ctx), err, ISO_E_CANCELLED,
			    "cancelled (pate-student): at teacher %zu; start again", i);
		for (uint64_t step = 0; step < (uint64_t)s->o.teacher_steps; step++)
			teach(s, i, step);
		if (f->progress)
			iso_progress_update(f->progress,
					    f->progress->total * (double)i / (double)s->teachers.k);
	}
	write_questions(s);
	ISO_TRY(iso_student_ask(&s->student, &s->teachers, f->ledger, (size_t)s->o.queries, 0,
				err));
	for (int64_t j = 0; j < s->o.student_steps; j++)
		iso_student_step(&s->student, s->student.n);
	return ISO_OK;
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	school s = {.f = f, .o = settled(&f->env)};
	iso_status st;
	ISO_TRY(iso_answers_new(&f->env, s.o.hidden, f->key, &s.m, err));
	ISO_TRY_OUT(school_init(&s, err));
	ISO_TRY_OUT(run(&s, err));
	*out = s.m;
	s.m = NULL;
out:
	school_free(&s);
	iso_answers_destroy(s.m);
	return st;
}

static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **out,
		       iso_error *err)
{
	return iso_answers_load(env, ((const opts *)env->options)->hidden, bytes, n, out, err);
}

const iso_generator iso_generator_pate_student = {
	.abi = ISO_GENERATOR_ABI,
	.name = "pate-student",
	.title = "PATE: a classifier taught by noisy votes of teachers, without synthetic rows",
	.citation = "N. Papernot, M. Abadi, U. Erlingsson, I. Goodfellow, K. Talwar, "
		    "\"Semi-supervised Knowledge Transfer for Deep Learning from Private Training "
		    "Data\", ICLR 2017, arXiv:1610.05755; GNMax: N. Papernot et al., \"Scalable "
		    "Private Learning with PATE\", ICLR 2018, arXiv:1802.08908",
	.card = "Teachers on disjoint parts of the rows vote on the classes of public rows, or of "
		"uniform rows of the public domain where there are none; a student learns from the "
		"noisy votes. The metric \"own-classifier\" judges it on test rows.\n"
		"Privacy: a record belongs to one teacher; every question is booked with the "
		"data-independent bound.\n"
		"Deviations: supervised student, no confidence threshold.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_CLASSES | ISO_ACCEPTS_PUBLIC,
	.version = 1,
	.options = options,
	.options_size = sizeof(opts),
	.resolve = resolve,
	.check = check,
	.plan = plan,
	.fit = fit,
	.load = load,
	ISO_ANSWERS_SLOTS,
};
