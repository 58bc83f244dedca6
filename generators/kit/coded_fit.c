// SPDX-License-Identifier: Apache-2.0
/* Learning a coded mixture (coded.h). */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "generators/kit/coded_private.h"
#include "generators/kit/rows.h"
#include "generators/kit/tied_train.h"

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

/* PRIVATE: a class's encoded rows. */
typedef struct class_of {
	iso_class_rows rows;
	float *x; /* [n][dim] */
	size_t dim, latent;
	iso_tied_ws ws; /* of the trained encoder */
} class_of;

static void class_free(class_of *k)
{
	iso_class_rows_free(&k->rows);
	iso_tied_ws_free(&k->ws);
	iso_free(k->x);
}

static iso_status class_new(const iso_fit *f, const iso_coded_model *m, size_t c, class_of *k,
			    iso_error *err)
{
	k->dim = m->enc->dim;
	k->latent = m->code.dim;
	ISO_TRY(iso_class_rows_take(f->train, m->classes ? c : SIZE_MAX, &k->rows, err));
	k->x = iso_alloc(k->rows.n * k->dim, sizeof *k->x);
	if (!k->x)
		return iso_no_memory(err, "encoded rows of a class");
	iso_encode(m->enc, f->train, k->rows.row, k->rows.n, k->x, k->dim);
	return iso_tied_ws_new(&m->net[c], ISO_MIXTURE_PIECE, &k->ws, err);
}

/* The codes of the trained encoder: what the mixture sees. */
static void codes_of(void *ctx, size_t first, size_t n, float *z)
{
	class_of *k = ctx;
	memcpy(z, iso_tied_encode(&k->ws, k->x + first * k->dim, n), n * k->latent * sizeof *z);
}

static iso_status fit_part(const iso_fit *f, iso_ledger *ledger, iso_coded_model *m, size_t c,
			   double rows, class_of *k, iso_error *err)
{
	const iso_coded_options *o = f->env.options;
	const int capped = by_noisy_count(&f->env);
	ISO_TRY(class_new(f, m, c, k, err));
	const iso_tied_job job = {
		.f = f,
		.ledger = ledger,
		.entry = entry_of(&f->env, "ae-step", c),
		.capped = capped,
		.net = &m->net[c],
		.x = k->x,
		.id = k->rows.id,
		.n = k->rows.n,
		.parts = m->parts,
		.pace = pace_of(&f->env, !ledger || capped ? rows : public_rows(&f->env, c)),
		.rows = rows,
		.lr = o->lr,
		.clip = o->clip,
		.average = o->average};
	ISO_TRY(iso_tied_train(&job, err));
	const iso_mixture_rows codes = {k->rows.id, k->rows.n, codes_of, k};
	return iso_mixture_fit(&m->mix[c], &codes, ledger, entry_of(&f->env, "moments", c),
			       em_noise(o, f->scale), (size_t)o->iterations, err);
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
		class_of k = {0};
		const int uniform = m->classes && ledger && o->counts == ISO_LABELS_UNIFORM;
		st = fit_part(f, ledger, m, c, uniform ? public_rows(&f->env, c) : counts[c], &k,
			      err);
		class_free(&k);
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
