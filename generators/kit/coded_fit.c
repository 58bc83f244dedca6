// SPDX-License-Identifier: Apache-2.0
/* Learning a coded mixture (coded.h). */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "generators/kit/coded_private.h"
#include "generators/kit/rows.h"

iso_status iso_coded_resolve(const iso_gen_env *env, void *options, iso_error *err)
{
	iso_coded_options *o = options;
	const unsigned label = iso_schema_classes(env->schema) ? 0 : ISO_ENC_LABEL;
	size_t width = 0;
	ISO_TRY(iso_rows_width(env->schema, ISO_ENC_FEATURES | label, &width, err));
	const int64_t dim = (int64_t)width;
	if (o->latent == 0)
		o->latent = dim >= 300 ? 32 : dim >= 50 ? 15 : 8;
	if (o->hidden[0] == 0) {
		o->hidden[0] = 1;
		o->hidden[1] = dim >= 300 ? 128 : dim + o->latent < 32 ? 16 : (dim + o->latent) / 2;
	}
	/* of a class of average size */
	const size_t k = iso_schema_classes(env->schema),
		     rows = k > 1 ? (env->n + k - 1) / k : env->n;
	const iso_pace p = iso_pace_of((size_t)o->batch, (size_t)o->epochs, rows);
	o->lr = (double)iso_pace_lr(o->lr, p);
	o->batch = (int64_t)iso_batch_of((size_t)o->batch, 64, rows ? rows : 1);
	return ISO_OK;
}

iso_status iso_coded_check(const iso_gen_env *env, const char *who, iso_error *err)
{
	const iso_coded_options *o = env->options;
	ISO_FAIL_IF(env->n == 0, err, ISO_E_DATA,
		    "no rows (%s): the training table is empty; give it at least one row", who);
	ISO_FAIL_IF(
		o->label_share + o->em_share >= 1, err, ISO_E_CONFIG,
		"label_share %g and em_share %g (%s) leave nothing for the auto-encoders; lower "
		"one of them",
		o->label_share, o->em_share, who);
	ISO_FAIL_IF((size_t)o->hidden[0] + 1 > ISO_TIED_LAYERS, err, ISO_E_CONFIG,
		    "hidden (%s): %d layers, at most %d; shorten the list", who, (int)o->hidden[0],
		    ISO_TIED_LAYERS - 1);
	return iso_schema_classes(env->schema) ? iso_labels_check(env, o->counts, who, err)
					       : ISO_OK;
}

/* ---- Plan ---- */

static size_t parts_of(const iso_gen_env *env)
{
	const size_t k = iso_schema_classes(env->schema);
	return k ? k : 1;
}

/* Replacing a record may move it to another class: two parts change, so they then compose in
 * sequence. */
static iso_entry entry_of(const iso_gen_env *env, const char *why, size_t c)
{
	return (iso_entry){.why = why,
			   .group = env->adjacency == ISO_ADD_REMOVE && parts_of(env) > 1,
			   .part = (int)c};
}

static int by_noisy_count(const iso_gen_env *env)
{
	const iso_coded_options *o = env->options;
	return parts_of(env) > 1 && env->adjacency == ISO_ADD_REMOVE &&
	       o->counts == ISO_LABELS_HISTOGRAM;
}

static iso_pace pace_of(const iso_gen_env *env, double rows)
{
	const iso_coded_options *o = env->options;
	return iso_pace_of((size_t)o->batch, (size_t)o->epochs, rows > 1 ? (size_t)rows : 1);
}

/* Rows of a class as far as public numbers tell. */
static double public_rows(const iso_gen_env *env, size_t c)
{
	const size_t k = parts_of(env);
	const iso_coded_options *o = env->options;
	return k > 1 && o->counts == ISO_LABELS_PUBLIC ? (double)env->class_count[c]
						       : (double)((env->n + k - 1) / k);
}

static double label_share(const iso_gen_env *env)
{
	const iso_coded_options *o = env->options;
	return parts_of(env) > 1 && o->counts == ISO_LABELS_HISTOGRAM ? o->label_share : 0;
}

static double em_noise(const iso_coded_options *o, double scale)
{
	return scale * sqrt((double)o->iterations / o->em_share);
}

iso_status iso_coded_plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	const iso_coded_options *asked = env->options;
	const double order = iso_pace_order(env->epsilon, env->delta), f = label_share(env);
	const double cap = iso_pace_cap(order, scale, 1 - f - asked->em_share);
	iso_coded_options o = *asked;
	ISO_TRY(iso_coded_resolve(env, &o, err));
	iso_block block = {.kind = ISO_BLOCK_NUMERIC, .width = (size_t)o.latent};
	const iso_encoder code = {.dim = (size_t)o.latent, .block = &block, .nblock = 1};
	const double bound = iso_mixture_bound(&(iso_mixture){.enc = &code});
	if (f > 0)
		ISO_TRY(iso_labels_plan(env, o.counts, scale / sqrt(f), 0, out, err));
	for (size_t c = 0; c < parts_of(env); c++) {
		const iso_entry step = entry_of(env, "ae-step", c);
		const iso_pace p = pace_of(env, public_rows(env, c));
		ISO_TRY(by_noisy_count(env)
				? iso_plan_adaptive_rdp(out, step, order, cap, (float)o.clip, err)
				: iso_plan_gaussian(out, step, iso_pace_noise(order, cap, p), p.q,
						    p.steps, (float)o.clip, err));
		ISO_TRY(iso_plan_gaussian(out, entry_of(env, "moments", c), em_noise(&o, scale), 1,
					  (uint64_t)o.iterations, bound, err));
	}
	return ISO_OK;
}

/* ---- Fit ---- */

typedef struct trainer {
	const iso_fit *f;
	iso_ledger *ledger; /* NULL: not private */
	iso_coded_model *m;
	size_t c;
	iso_class_rows rows;
	float *x; /* PRIVATE [n][dim] encoded rows of the class */
	iso_tied_ws ws;
	iso_grad_source source;
	iso_optim opt;
	iso_average mean;
	iso_dpsgd dp;
} trainer;

static iso_status tied_rows(void *ctx, const uint32_t *rec, size_t n, uint64_t step, iso_error *err)
{
	trainer *t = ctx;
	const size_t dim = t->m->enc->dim;
	(void)step;
	(void)err;
	for (size_t r = 0; r < n; r++)
		memcpy(t->ws.h[0] + r * dim, t->x + rec[r] * dim, dim * sizeof *t->x);
	iso_tied_backward(&t->ws, t->ws.h[0], n, NULL);
	return ISO_OK;
}

static iso_status trainer_init(trainer *t, iso_pace p, double rows, iso_error *err)
{
	const iso_coded_options *o = t->f->env.options;
	const size_t dim = t->m->enc->dim;
	iso_tied *net = &t->m->net[t->c];
	ISO_TRY(iso_class_rows_take(t->f->train, t->m->classes ? t->c : SIZE_MAX, &t->rows, err));
	t->x = iso_alloc(t->rows.n * dim, sizeof *t->x);
	if (!t->x)
		return iso_no_memory(err, "encoded rows of a class");
	iso_encode(t->m->enc, t->f->train, t->rows.row, t->rows.n, t->x, dim);
	size_t chunk = iso_chunk_of(p.q * rows);
	chunk = chunk < ISO_MIXTURE_PIECE ? ISO_MIXTURE_PIECE : chunk;
	ISO_TRY(iso_tied_ws_new(net, chunk, &t->ws, err));
	ISO_TRY(iso_optim_init(&t->opt, ISO_ADAM, iso_pace_lr(o->lr, p), net->nparam, err));
	ISO_TRY(iso_average_begin(&t->mean, net->nparam, o->average, p.steps, err));
	t->source = iso_tied_source(net, &t->ws);
	t->dp = (iso_dpsgd){.ledger = t->ledger,
			    .batch_key = iso_key_child(t->f->key, "batch", t->c),
			    .rate = p.q,
			    .id = t->rows.id,
			    .n = t->rows.n,
			    .rows_per_record = 1,
			    .chunk = chunk,
			    .clip = (float)o->clip,
			    .normaliser = p.q * rows > 1 ? (float)(p.q * rows) : 1,
			    .nparts = 1,
			    .part = {{.opt = &t->opt, .source = &t->source}}};
	if (t->ledger) {
		ISO_TRY(iso_ledger_find(t->ledger, entry_of(&t->f->env, "ae-step", t->c),
					&t->dp.handle, err));
		if (by_noisy_count(&t->f->env))
			ISO_TRY(iso_pace_spend(t->ledger, t->dp.handle,
					       iso_pace_order(t->f->env.epsilon, t->f->env.delta),
					       p, err));
	}
	return iso_dpsgd_init(&t->dp, err);
}

static void trainer_free(trainer *t)
{
	iso_class_rows_free(&t->rows);
	iso_free(t->x);
	iso_tied_ws_free(&t->ws);
	iso_optim_deinit(&t->opt);
	iso_average_end(&t->mean, NULL);
	iso_dpsgd_deinit(&t->dp);
}

static iso_status train(trainer *t, iso_pace p, iso_error *err)
{
	const iso_fit *f = t->f;
	iso_tied *net = &t->m->net[t->c];
	for (uint64_t step = 0; step < p.steps; step++) {
		ISO_FAIL_IF(step % 16 == 0 && f->cancelled && f->cancelled(f->cancelled_ctx), err,
			    ISO_E_CANCELLED, "cancelled: in class %zu; start again", t->c);
		ISO_TRY(iso_dpsgd_step(&t->dp, tied_rows, t, err));
		iso_average_add(&t->mean, net->theta, step);
		if (f->progress && step % 64 == 0)
			iso_progress_update(f->progress, f->progress->total *
								 ((double)t->c +
								  (double)step / (double)p.steps) /
								 (double)t->m->parts);
	}
	iso_average_end(&t->mean, net->theta);
	return ISO_OK;
}

/* The codes of the trained encoder: what the mixture sees. */
static void codes_of(void *ctx, size_t first, size_t n, float *z)
{
	trainer *t = ctx;
	const size_t dim = t->m->enc->dim;
	const float *code = iso_tied_encode(&t->ws, t->x + first * dim, n);
	memcpy(z, code, n * t->m->code.dim * sizeof *z);
}

static iso_status fit_part(trainer *t, double rows, iso_error *err)
{
	const iso_coded_options *o = t->f->env.options;
	const iso_pace p = pace_of(&t->f->env, !t->ledger || by_noisy_count(&t->f->env)
						       ? rows
						       : public_rows(&t->f->env, t->c));
	ISO_TRY(trainer_init(t, p, rows, err));
	ISO_TRY(train(t, p, err));
	const iso_mixture_rows codes = {t->rows.id, t->rows.n, codes_of, t};
	return iso_mixture_fit(&t->m->mix[t->c], &codes, t->ledger,
			       entry_of(&t->f->env, "moments", t->c), em_noise(o, t->f->scale),
			       (size_t)o->iterations, err);
}

iso_status iso_coded_fit(const iso_fit *f, iso_ledger *ledger, void **model, iso_error *err)
{
	const iso_coded_options *o = f->env.options;
	iso_coded_model *m = NULL;
	iso_status st;
	ISO_TRY(iso_coded_new(&f->env, f->key, &m, err));
	double *counts = iso_alloc(m->parts, sizeof *counts);
	if (!counts) {
		st = iso_no_memory(err, "class counts");
		goto out;
	}
	counts[0] = (double)f->env.n;
	if (m->classes)
		ISO_TRY_OUT(iso_labels_counts(f, ledger ? o->counts : ISO_LABELS_EXACT, ledger,
					      counts, err));
	for (size_t c = 0; by_noisy_count(&f->env) && ledger && c < m->parts; c++)
		counts[c] = counts[c] > 1 ? counts[c] : 1; /* every class is generated */
	iso_coded_derive(m, counts);
	for (size_t c = 0; c < m->parts; c++) {
		trainer t = {.f = f, .ledger = ledger, .m = m, .c = c};
		const int uniform = m->classes && ledger && o->counts == ISO_LABELS_UNIFORM;
		st = fit_part(&t, uniform ? public_rows(&f->env, c) : counts[c], err);
		trainer_free(&t);
		if (st != ISO_OK)
			goto out;
	}
	*model = m;
	m = NULL;
out:
	iso_free(counts);
	iso_coded_destroy(m);
	return st;
}
