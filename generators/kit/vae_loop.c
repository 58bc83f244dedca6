// SPDX-License-Identifier: Apache-2.0
/* One step for class c (Lomurno et al. 2022, section III.A; DP-Adam of Abadi et al. 2016):
 *
 *   each record x of a Poisson(q_c) batch of class c:  (mu, lv) = enc(x), lv clamped to [-6, 2],
 *       z = mu + exp(lv/2) e, e ~ N(0, I) addressed by the record's identity,   x^ = dec(z)
 *       L = recon(x, x^) + beta/2 sum_k (exp lv_k + mu_k^2 - 1 - lv_k)
 *       dL/dmu = dz + beta mu,     dL/dlv = dz e exp(lv/2) / 2 + beta/2 (exp lv - 1)   (0 where
 * clamped) clip_C over encoder and decoder together, sum, noise, / (expected batch), Adam. Nothing
 * is allocated inside a step.
 *
 * WHY recon=likelihood.  A squared error with beta is beta times the log loss of a Gaussian of
 * variance beta/2 on every output, with a KL term of weight 1.  Where a column's variance inside a
 * class is below beta/2 the best code for it is none: the better the training, the more the decoded
 * column shrinks to its mean, and the marginals get worse with epsilon.  A deviation that is
 * learned, and drawn from when sampling, has no such floor.
 */
#include "generators/kit/vae_loop.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/vmath.h"

/* Table I of the paper: encoder layers, latent dimensions, beta.  auto: by the width of the encoded
 * row. */
typedef struct preset {
	int64_t hidden[2], latent;
	double beta;
} preset;

static preset preset_of(int net, size_t dim)
{
	static const preset table[] = {
		{{64, 32}, 3, 0.1},    {{64, 32}, 3, 0.05}, {{64, 32}, 3, 0.1},
		{{128, 64}, 7, 0.005}, {{64, 32}, 4, 0.05},
	};
	static const preset image = {
		{256, 128}, 16, 0.05}; /* not in the paper: rows as wide as images */
	if (net > 0)
		return table[net - 1];
	return dim >= 300 ? image : dim >= 100 ? table[3] : table[4];
}

/* ---- Settings ---- */

/* Of a class that is taken to have n rows. */
static iso_pace pace_of(const iso_vae_spec *s, size_t n)
{
	return iso_pace_of((size_t)s->batch, (size_t)s->o.epochs, n);
}

/* Rows of class c as far as the plan may know: public counts, else n / k.  Noisy counts come too
 * late for a rate. */
static size_t planned_rows(const iso_gen_env *env, const iso_vae_spec *s, size_t k, size_t c)
{
	return k > 1 && s->counts == ISO_LABELS_PUBLIC ? env->class_count[c] : (env->n + k - 1) / k;
}

static size_t vaes_of(const iso_gen_env *env, const iso_vae_spec *s)
{
	const size_t labels = iso_schema_classes(env->schema);
	return s->o.single || labels == 0 ? 1 : labels;
}

/* Do rates follow the noisy counts, under a cap?  Under replace-one the parts do not compose in
 * parallel, and one cap per part would have to hold for pairs. */
static int by_count(const iso_gen_env *env, const iso_vae_spec *s)
{
	return s->by_count && s->counts == ISO_LABELS_HISTOGRAM && vaes_of(env, s) > 1 &&
	       env->adjacency == ISO_ADD_REMOVE;
}

/* All parts shall cost the same, so the slowest class sets the scale: by the central-limit account
 * of T subsampled Gaussians, mu^2 = q^2 T (exp(1/sigma^2) - 1) (Bu, Dong, Long, Su 2020, Corollary
 * 4), the multiplier of class c is sigma_c = 1 / sqrt(log(1 + rho (exp(1/s^2) - 1))),  rho =
 * q_ref^2 T_ref / (q_c^2 T_c) >= 1. Only a division of labour: the ledger accounts every part
 * exactly. */
static double multiplier(iso_pace ref, iso_pace c, double s)
{
	const double rho = ref.q * ref.q * (double)ref.steps / (c.q * c.q * (double)c.steps),
		     inv = 1 / (s * s);
	if (rho == 1)
		return s;
	return 1 / sqrt(inv > 500 ? inv + iso_log(rho) : iso_log1p(rho * iso_expm1(inv)));
}

static iso_pace reference_pace(const iso_gen_env *env, const iso_vae_spec *s, size_t k)
{
	iso_pace ref = {0};
	for (size_t c = 0; c < k; c++) {
		const size_t rows = planned_rows(env, s, k, c);
		const iso_pace p = pace_of(s, rows);
		if (rows && p.q * p.q * (double)p.steps > ref.q * ref.q * (double)ref.steps)
			ref = p;
	}
	return ref;
}

iso_status iso_vae_spec_of(const char *who, const iso_gen_env *env, int is_private,
			   iso_vae_spec *out, iso_error *err)
{
	const iso_vae_options *asked = env->options;
	iso_vae_spec s = {.who = who,
			  .o = *asked,
			  .batch = asked->batch,
			  .counts = asked->counts,
			  .is_private = is_private};
	iso_vae_options *o = &s.o;
	const size_t k = vaes_of(env, &s);
	size_t dim = 0;
	ISO_TRY(iso_rows_width(env->schema, ISO_ENC_FEATURES | (k == 1 ? ISO_ENC_LABEL : 0), &dim,
			       err));
	const preset p = preset_of(o->net, dim);
	if (o->hidden[0] == 0) {
		o->hidden[0] = 2;
		o->hidden[1] = p.hidden[0];
		o->hidden[2] = p.hidden[1];
	}
	if (o->latent == 0)
		o->latent = p.latent;
	if (!(o->beta >= 0))
		o->beta = o->recon == ISO_RECON_LIKELIHOOD ? 1 : p.beta;
	if (!(o->average >= 0))
		o->average = o->mode == 1 ? 0 : 0.2;
	const size_t rows = (env->n + k - 1) / k;
	const iso_pace ref = pace_of(&s, rows);
	o->batch = (int64_t)iso_batch_of((size_t)s.batch, 64, rows ? rows : 1);
	o->lr = iso_pace_lr(o->lr, ref);
	o->steps = (int64_t)ref.steps;
	if (!(o->alpha >= 0))
		o->alpha = o->divergence == ISO_DIVERGENCE_MMD ? 100 : 1;
	if (!(o->clip_term > 0))
		o->clip_term = o->clip / 10;
	if (!(o->term_share > 0))
		o->term_share = iso_batch_term_share(o->clip, (double)o->batch, o->clip_term);
	*out = s;
	return ISO_OK;
}

iso_status iso_vae_check(const iso_gen_env *env, const iso_vae_spec *s, iso_error *err)
{
	ISO_FAIL_IF(env->n == 0, err, ISO_E_DATA,
		    "no rows (%s): the training table is empty; give it at least one row", s->who);
	ISO_FAIL_IF((size_t)s->o.hidden[0] > ISO_KIT_LAYERS, err, ISO_E_CONFIG,
		    "hidden (%s): %d layers, at most %d; shorten the list", s->who,
		    (int)s->o.hidden[0], ISO_KIT_LAYERS);
	ISO_FAIL_IF(s->o.prior + 1 == ISO_PRIOR_CLUSTERS && s->o.latent < 2, err, ISO_E_CONFIG,
		    "latent (%s): prior=clusters lies in the plane and needs at least 2 latent "
		    "dimensions (got %d)",
		    s->who, (int)s->o.latent);
	return iso_schema_classes(env->schema) ? iso_labels_check(env, s->counts, s->who, err)
					       : ISO_OK;
}

/* The classes' networks compose in parallel.  Replacing a record may move it to another class: two
 * parts change, so they then compose in sequence. */
static int group_of(const iso_gen_env *env, size_t k)
{
	return env->adjacency == ISO_ADD_REMOVE && k > 1;
}

static iso_entry step_of(const iso_gen_env *env, size_t k, size_t c)
{
	return (iso_entry){.why = "vae-step", .group = group_of(env, k), .part = (int)c};
}

/* Records of a batch whose gradients depend on each other; 0: none do. */
static size_t coupled_rows(const iso_vae_spec *s, iso_pace p, size_t rows)
{
	return s->o.divergence && s->terms == ISO_TERMS_NAIVE
		       ? (size_t)ceil(p.q * (double)rows - 1e-9)
		       : 0;
}

/* What a step of this pace declares. */
static double step_sensitivity(const iso_vae_spec *s, iso_pace p, size_t rows)
{
	const iso_dpsgd step = {.clip = (float)s->o.clip, .coupled = coupled_rows(s, p, rows)};
	return iso_dpsgd_sensitivity(&step);
}

/* One cap per class, whatever its rows and steps will be (pace.h). */
static iso_status plan_caps(const iso_gen_env *env, const iso_vae_spec *s, size_t k, double scale,
			    iso_plan *plan, iso_error *err)
{
	const double order = iso_pace_order(env->epsilon, env->delta),
		     cap = iso_pace_cap(order, scale, 1 - s->o.label_share);
	for (size_t c = 0; c < k; c++)
		ISO_TRY(iso_plan_adaptive_rdp(plan, step_of(env, k, c), order, cap,
					      (float)s->o.clip, err));
	return iso_labels_plan(env, s->counts, scale / sqrt(s->o.label_share), 0, plan, err);
}

iso_status iso_vae_plan(const iso_gen_env *env, const iso_vae_spec *s, double scale, iso_plan *plan,
			iso_error *err)
{
	const size_t k = vaes_of(env, s);
	const iso_pace ref = reference_pace(env, s, k);
	if (!s->is_private)
		return ISO_OK;
	if (by_count(env, s))
		return plan_caps(env, s, k, scale, plan, err);
	for (size_t c = 0; c < k; c++) {
		const size_t rows = planned_rows(env, s, k, c);
		const iso_pace p = pace_of(s, rows);
		if (rows)
			ISO_TRY(iso_plan_gaussian(plan, step_of(env, k, c),
						  multiplier(ref, p, scale), p.q, p.steps,
						  step_sensitivity(s, p, rows), err));
	}
	if (k == 1)
		return ISO_OK;
	return iso_labels_plan(env, s->counts, iso_vae_noise(env, s, scale, s->o.label_share), 0,
			       plan, err);
}

double iso_vae_noise(const iso_gen_env *env, const iso_vae_spec *s, double scale, double share)
{
	const iso_pace ref = reference_pace(env, s, vaes_of(env, s));
	return scale * iso_noise_ratio(ref.q, (double)ref.steps, share);
}

/* The encoder's hidden layers in reverse order: the decoder's. */
static void reversed(const int64_t *of, int64_t *out)
{
	out[0] = of[0];
	for (int64_t i = 0; i < of[0]; i++)
		out[i + 1] = of[of[0] - i];
}

static iso_latent_shape shape_of(const iso_gen_env *env, const iso_vae_spec *s, int64_t *back)
{
	const size_t k = vaes_of(env, s);
	const int pooled = s->o.single || iso_schema_classes(env->schema) == 0,
		  conv = s->o.layers == ISO_NET_CONV;
	const iso_act act = conv ? ISO_ACT_LRELU : ISO_ACT_TANH;
	reversed(s->o.hidden, back);
	return (iso_latent_shape){
		.who = s->who,
		.columns = ISO_ENC_FEATURES | (pooled ? ISO_ENC_LABEL : 0),
		.experts = k,
		.prior = ISO_PRIOR_NORMAL + s->o.prior,
		.latent = (size_t)s->o.latent,
		.net = s->o.layers,
		.decoder = {conv ? s->o.hidden : back, act}, /* channels are read backwards */
		.encoder = {s->o.hidden, act},
		.heads = s->o.heads ? ISO_HEADS_SOFTMAX : ISO_HEADS_SIGMOID,
		.spread = s->o.recon == ISO_RECON_LIKELIHOOD,
		.tau = 1,
		.recon = s->o.recon,
		.argmax = s->o.categories,
		.balanced = s->o.classes == ISO_CLASSES_BALANCED,
		.class_count = s->counts == ISO_LABELS_PUBLIC ? env->class_count : NULL,
	};
}

iso_status iso_vae_load(const iso_gen_env *env, const iso_vae_spec *s, const char *bytes, size_t n,
			void **model, iso_error *err)
{
	int64_t back[ISO_OPT_LIST_MAX + 1];
	iso_latent_shape shape = shape_of(env, s, back);
	if (!s->keep_encoder)
		shape.encoder.units = NULL;
	return iso_latent_load(env, &shape, bytes, n, model, err);
}

/* ---- Training ---- */

typedef struct trainer {
	const iso_fit *f;
	const iso_vae_spec *s;
	iso_latent_model *m;
	size_t c, dim;
	iso_vae v;
	iso_class_rows rows;
	size_t planned; /* rows that the pace was made for */
	float *x;	/* PRIVATE [n][dim] encoded rows of the class */
	float *batch;	/* [chunk][dim] */
	iso_key noise, draws;
	iso_vae_term term;
	iso_optim oe, od;
	iso_average me, md;
	iso_dpsgd dp;
} trainer;

/* Rows of these records, and the draws of their latents in this step. */
static void fetch(const trainer *t, const uint32_t *rec, size_t n, uint64_t step, float *x,
		  float *noise)
{
	const iso_key key = iso_key_child(t->noise, "step", step);
	for (size_t r = 0; r < n; r++) {
		memcpy(x + r * t->dim, t->x + rec[r] * t->dim, t->dim * sizeof *x);
		iso_rand_fill_normal(key, t->rows.id[rec[r]], 0, 1, noise + r * t->v.latent,
				     t->v.latent);
	}
}

static iso_status vae_rows(void *ctx, const uint32_t *rec, size_t n, uint64_t step, iso_error *err)
{
	trainer *t = ctx;
	(void)err;
	fetch(t, rec, n, step, t->batch, t->v.noise);
	t->v.couple_key = iso_key_child(t->draws, "step", step);
	iso_vae_backward(&t->v, t->batch, n, NULL);
	return ISO_OK;
}

/* Gradient of the batch-wise term, of at most term.cap records. */
static iso_status term_gradient(void *ctx, const uint32_t *rec, size_t n, uint64_t step, float *out,
				iso_error *err)
{
	trainer *t = ctx;
	const size_t most = n < t->term.cap ? n : t->term.cap;
	(void)err;
	fetch(t, rec, most, step, t->term.x, t->term.noise);
	(void)iso_vae_term_gradient(&t->term, iso_key_child(t->draws, "step", step), most, out);
	return ISO_OK;
}

/* The rows of class c (all rows when there is one VAE), encoded. */
static iso_status class_rows(trainer *t, iso_error *err)
{
	const iso_table *table = t->f->train;
	ISO_TRY(iso_class_rows_take(table, t->m->shape.experts == 1 ? SIZE_MAX : t->c, &t->rows,
				    err));
	t->x = iso_alloc(t->rows.n * t->dim, sizeof *t->x);
	if (!t->x)
		return iso_no_memory(err, "encoded rows of a class");
	iso_encode(t->m->enc, table, t->rows.row, t->rows.n, t->x, t->dim);
	return ISO_OK;
}

#define TERM_ROWS 512 /* of a batch, at most: a divergence costs their square */

/* The batch-wise term: beside the records' sum, or in every record's gradient. */
static iso_status term_init(trainer *t, double expected, iso_error *err)
{
	const iso_vae_spec *const s = t->s;
	const size_t chunk = t->dp.chunk, room = (size_t)ceil(expected + 4 * sqrt(expected)) + 2,
		     cap = s->terms != ISO_TERMS_APART ? chunk
			   : room < TERM_ROWS	       ? room
						       : TERM_ROWS;
	t->v.prior = ISO_PRIOR_NORMAL + s->o.prior;
	t->draws = iso_key_child(t->f->key, "prior", t->c);
	if (!s->o.divergence)
		return ISO_OK;
	t->term = (iso_vae_term){
		.divergence = s->o.divergence, .prior = t->v.prior, .weight = s->o.alpha};
	ISO_TRY(iso_vae_term_init(&t->term, t->m->encoder[t->c], cap, err));
	if (s->terms == ISO_TERMS_APART) {
		t->dp.term = (iso_batch_term){.grad = term_gradient,
					      .clip = (float)s->o.clip_term,
					      .share = s->o.term_share};
	} else {
		t->term.weight *= t->dp.normaliser; /* of the sum, as the records' losses are */
		t->v.couple = &t->term;
	}
	return ISO_OK;
}

static iso_status trainer_init(trainer *t, iso_pace p, double rows, iso_error *err)
{
	const iso_vae_spec *s = t->s;
	const size_t coupled = coupled_rows(s, p, t->planned),
		     pieces = iso_chunk_of(p.q * (double)t->f->env.n),
		     chunk = pieces < coupled ? coupled : pieces;
	const double expected = p.q * rows;
	iso_net *const enc = t->m->encoder[t->c], *const dec = t->m->decoder[t->c];
	ISO_TRY(class_rows(t, err));
	ISO_TRY(iso_vae_init(&t->v, enc, dec, &t->m->heads, s->o.recon, s->o.beta, chunk,
			     s->is_private, err));
	t->batch = iso_alloc(chunk * t->dim, sizeof *t->batch);
	if (!t->batch)
		return iso_no_memory(err, "batch of a VAE");
	ISO_TRY(iso_optim_init(&t->oe, ISO_ADAM, iso_pace_lr(s->o.lr, p), iso_net_params(enc),
			       err));
	ISO_TRY(iso_optim_init(&t->od, ISO_ADAM, iso_pace_lr(s->o.lr, p), iso_net_params(dec),
			       err));
	ISO_TRY(iso_average_init(&t->me, enc, s->o.average, p.steps, err));
	ISO_TRY(iso_average_init(&t->md, dec, s->o.average, p.steps, err));
	t->noise = iso_key_child(t->f->key, "latent", 0);
	t->dp = (iso_dpsgd){
		.ledger = s->is_private ? t->f->ledger : NULL,
		.batch_key = iso_key_child(t->f->key, "batch", t->c),
		.rate = p.q,
		.id = t->rows.id,
		.n = t->rows.n,
		.rows_per_record = 1,
		.chunk = chunk,
		.clip = (float)s->o.clip,
		.normaliser = expected > 1 ? (float)expected : 1,
		.coupled = coupled,
		.nparts = 2,
		.part = {{enc, t->v.wenc, &t->oe}, {dec, t->v.wdec, &t->od}},
	};
	ISO_TRY(term_init(t, expected, err));
	if (s->is_private)
		ISO_TRY(iso_ledger_find(t->f->ledger,
					step_of(&t->f->env, vaes_of(&t->f->env, s), t->c),
					&t->dp.handle, err));
	if (s->is_private && by_count(&t->f->env, s))
		ISO_TRY(iso_pace_spend(t->f->ledger, t->dp.handle,
				       iso_pace_order(t->f->env.epsilon, t->f->env.delta), p, err));
	return iso_dpsgd_init(&t->dp, err);
}

static void trainer_free(trainer *t)
{
	iso_vae_deinit(&t->v);
	iso_vae_term_deinit(&t->term);
	iso_class_rows_free(&t->rows);
	iso_free(t->x);
	iso_free(t->batch);
	iso_optim_deinit(&t->oe);
	iso_optim_deinit(&t->od);
	iso_average_finish(&t->me, NULL);
	iso_average_finish(&t->md, NULL);
	iso_dpsgd_deinit(&t->dp);
}

static iso_status train_class(trainer *t, iso_pace p, double rows, iso_error *err)
{
	const iso_fit *f = t->f;
	iso_latent_model *m = t->m;
	iso_net *const enc = m->encoder[t->c], *const dec = m->decoder[t->c];
	iso_net_randomize(enc, ISO_INIT_GLOROT, iso_key_child(f->key, "init-enc", t->c));
	iso_net_randomize(dec, ISO_INIT_GLOROT, iso_key_child(f->key, "init-dec", t->c));
	ISO_TRY(trainer_init(t, p, rows, err));
	for (uint64_t step = 0; step < p.steps; step++) {
		ISO_FAIL_IF(step % 16 == 0 && f->cancelled && f->cancelled(f->cancelled_ctx), err,
			    ISO_E_CANCELLED, "cancelled (%s): in class %zu; start again", t->s->who,
			    t->c);
		ISO_TRY(iso_dpsgd_step(&t->dp, vae_rows, t, err));
		iso_average_step(&t->me, enc, step);
		iso_average_step(&t->md, dec, step);
		if (f->progress && step % 64 == 0)
			iso_progress_update(f->progress, f->progress->total *
								 ((double)t->c +
								  (double)step / (double)p.steps) /
								 (double)m->shape.experts);
	}
	iso_average_finish(&t->me, enc);
	iso_average_finish(&t->md, dec);
	return ISO_OK;
}

static iso_status train_all(const iso_fit *f, const iso_vae_spec *s, iso_latent_model *m,
			    const double *counts, iso_error *err)
{
	const size_t k = m->shape.experts;
	const int one = !iso_latent_labelled(m);
	for (size_t c = 0; c < k; c++) {
		/* not private: the true size may set the pace; under a cap, the noisy one */
		const int known = !one && (!s->is_private || by_count(&f->env, s));
		const size_t planned = known ? (size_t)counts[c] : planned_rows(&f->env, s, k, c);
		const double rows =
			one || s->counts == ISO_LABELS_UNIFORM ? (double)planned : counts[c];
		trainer t = {
			.f = f, .s = s, .m = m, .c = c, .planned = planned, .dim = m->enc->dim};
		if (planned == 0)
			continue;
		const iso_status st = train_class(&t, pace_of(s, planned), rows, err);
		trainer_free(&t);
		if (st != ISO_OK)
			return st;
	}
	return ISO_OK;
}

iso_status iso_vae_fit(const iso_fit *f, const iso_vae_spec *s, void **model, iso_error *err)
{
	int64_t back[ISO_OPT_LIST_MAX + 1];
	const iso_latent_shape shape = shape_of(&f->env, s, back);
	iso_latent_model *m = NULL;
	iso_status st;
	ISO_TRY(iso_latent_new(&f->env, &shape, &m, err));
	double *counts = iso_alloc(m->classes + 1, sizeof *counts);
	if (!counts) {
		st = iso_no_memory(err, "class counts");
		goto out;
	}
	if (iso_latent_labelled(m)) {
		ISO_TRY_OUT(iso_labels_counts(f, s->counts, s->is_private ? f->ledger : NULL,
					      counts, err));
		for (size_t c = 0; by_count(&f->env, s) && c < m->classes; c++)
			counts[c] = counts[c] > 1 ? counts[c] : 1; /* every class is generated */
		iso_law_from_counts(counts, m->classes, m->law);
	}
	ISO_TRY_OUT(train_all(f, s, m, counts, err));
	if (!s->keep_encoder)
		iso_latent_drop_encoders(m); /* decoders only are released */
	*model = m;
	m = NULL;
out:
	iso_free(counts);
	iso_latent_destroy(m);
	return st;
}
