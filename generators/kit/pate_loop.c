// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/pate_loop.h"

#include <math.h>
#include <string.h>

#include "generators/kit/categories.h"
#include "generators/kit/maker.h"
#include "generators/kit/student.h"

enum { GNMAX, LNMAX };

/* Without classes the label is one more generated column. */
static int source_of(const iso_gen_env *env, const iso_pate_spec *s, const iso_pate_options *o)
{
	return iso_schema_classes(env->schema) > 0 && !s->by_column ? o->labels : ISO_LABELS_COLUMN;
}

iso_pate_options iso_pate_settled(const iso_gen_env *env)
{
	iso_pate_options o = *(const iso_pate_options *)env->options;
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

iso_status iso_pate_check(const iso_gen_env *env, const iso_pate_spec *s, iso_error *err)
{
	const iso_pate_options o = iso_pate_settled(env);
	ISO_FAIL_IF((size_t)o.hidden[0] > ISO_KIT_LAYERS ||
			    (size_t)o.teacher_hidden[0] > ISO_KIT_LAYERS,
		    err, ISO_E_CONFIG, "hidden (%s): more than %d layers; shorten the list", s->who,
		    ISO_KIT_LAYERS);
	ISO_TRY(iso_labels_check(env, source_of(env, s, &o), s->who, err));
	if (o.nearly_coins)
		return iso_teachers_check(env, s->who, o.teachers, err);
	return iso_votes_check(env, s->who, o.teachers, o.queries, err);
}

iso_status iso_pate_plan(const iso_gen_env *env, const iso_pate_spec *s, double scale,
			 iso_plan *out, iso_error *err)
{
	const iso_pate_options o = iso_pate_settled(env);
	ISO_TRY(iso_votes_plan(o.votes == LNMAX, scale, o.queries, 2, out, err));
	/* mu^2 of the votes is 2 queries / scale^2, or 4 queries / scale^2 for Laplace noise */
	const double noise =
		scale / sqrt((o.votes == LNMAX ? 4 : 2) * (double)o.queries * o.label_share);
	ISO_TRY(s->by_column ? iso_categories_plan(env, o.labels, noise, 0, out, err)
			     : iso_labels_plan(env, source_of(env, s, &o), noise, 0, out, err));
	return o.diagnose ? iso_plan_uncharged(out, "vote-diagnosis", err) : ISO_OK;
}

iso_guarantee iso_pate_guarantee(const void *o)
{
	return ((const iso_pate_options *)o)->diagnose ? ISO_GUARANTEE_HEURISTIC : ISO_GUARANTEE_DP;
}

static iso_latent_shape shape_of(const iso_gen_env *env, const iso_pate_spec *s,
				 const iso_pate_options *o)
{
	const int labelled = iso_schema_classes(env->schema) > 0 && !s->by_column;
	return (iso_latent_shape){
		.who = s->who,
		.columns = ISO_ENC_FEATURES | (labelled ? 0 : ISO_ENC_LABEL),
		.experts = 1,
		.conditional = s->by_column ? iso_categories_columns(env->schema) > 0 : labelled,
		.by_column = s->by_column,
		.crossed = labelled,
		.latent = (size_t)o->z_dim,
		.decoder = {o->hidden, ISO_ACT_LRELU},
		.scorer = {o->hidden, ISO_ACT_LRELU},
		.heads = ISO_HEADS_GUMBEL,
		.tau = o->tau,
		.argmax = o->categories};
}

iso_status iso_pate_load(const iso_gen_env *env, const iso_pate_spec *s, const char *bytes,
			 size_t n, void **out, iso_error *err)
{
	const iso_pate_options o = iso_pate_settled(env);
	const iso_latent_shape shape = shape_of(env, s, &o);
	return iso_latent_load(env, &shape, bytes, n, out, err);
}

/* ---- Training ---- */

typedef struct trainer {
	const iso_fit *f;
	const iso_pate_spec *s;
	iso_pate_options o;
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
static size_t until(const iso_pate_options *o, uint64_t it)
{
	return (size_t)((double)o->queries * (double)(it + 1) / (double)o->iterations);
}

static iso_status trainer_init(trainer *t, iso_error *err)
{
	iso_latent_model *const m = t->m;
	const iso_pate_options *const o = &t->o;
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
		iso_latent_scored(
			t->m, t->maker.x,
			iso_latent_told(t->m, key, asked + j, t->maker.label[j], t->maker.x),
			u + j * t->m->width);
	}
	return iso_student_ask(&t->student, &t->teachers, t->f->ledger, n, t->o.least, err);
}

static iso_status iterate(trainer *t, uint64_t it, iso_error *err)
{
	const iso_fit *f = t->f;
	const iso_pate_options *o = &t->o;
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
		loss_g = iso_maker_step(&t->maker, batch, o->anchor, t->s->agree);
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
		ISO_TRY(t->s->by_column ? iso_categories_law(f, t->o.labels, &t->rows, t->m, err)
					: iso_labels_law(f, source_of(&f->env, t->s, &t->o),
							 t->m->law, err));
	iso_maker_start_uniform(&t->maker, (size_t)t->o.batch, (size_t)t->o.start_steps);
	for (uint64_t it = 0; it < (uint64_t)t->o.iterations; it++) {
		ISO_FAIL_IF(f->cancelled && f->cancelled(f->cancelled_ctx), err, ISO_E_CANCELLED,
			    "cancelled (%s): in round %llu; start again", t->s->who,
			    (unsigned long long)it);
		ISO_TRY(iterate(t, it, err));
		if (f->progress)
			iso_progress_update(f->progress, f->progress->total * (double)it /
								 (double)t->o.iterations);
	}
	iso_average_finish(&t->mean, t->m->decoder[0]);
	return t->o.diagnose ? iso_ledger_uncharged(f->ledger, "vote-diagnosis", err) : ISO_OK;
}

iso_status iso_pate_fit(const iso_fit *f, const iso_pate_spec *s, void **out, iso_error *err)
{
	trainer t = {.f = f, .s = s, .o = iso_pate_settled(&f->env)};
	const iso_latent_shape shape = shape_of(&f->env, s, &t.o);
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
