// SPDX-License-Identifier: Apache-2.0
/* dpa: the deep private auto-encoder by the functional mechanism (Phan, Wang, Wu, Dou 2016).
 *
 * ALGORITHM, mode=sound (kit/taylor.h; functional mechanism of Zhang et al. 2012).  Per class,
 * layer by layer:
 *   1. a random public encoder gives a record its code h = (1, g), |g| <= radius;
 *   2. the coefficients of the Taylor polynomial of the cross-entropy, A = sum h (t - u)^T and M =
 * sum h h^T, are released once, with noise; M trimmed to its positive part;
 *   3. the decoder is solved from them in closed form: no descent, no epochs;
 *   4. the next layer takes (g + 1)/2 as its rows.
 * Sample (card, option G1): the top code from the Gaussian whose mean and covariance M holds,
 * decoded down; a number gets the deviation that the decoder leaves; the class by the released
 * numbers of rows.
 *
 * PRIVACY ARGUMENT.  Neighbours: add or remove one record.  The encoder knows no data, so the
 * coefficients are sums over records of vectors with public bounds (taylor.h).  Entry "taylor-l":
 * the blocks A, M and squares jointly, one Gaussian (or, noise=laplace, one Laplace: pure epsilon)
 * release a layer; classes in parallel (group 1), in sequence under replace-one.  The number of
 * rows per class is read off M.  What follows is post-processing.
 *
 * MODE=PAPER (guarantee "heuristic", epsilon infinite).  As in the authors' code: one Laplace
 * vector of scale d (b + b^2/4) / (epsilon n) on the codes, drawn once, then ten passes of Adam
 * over the raw rows.  What was "perturbed" changes with the weights at every step, their gradient
 * carries raw rows, and a constant shift is learned away.  "reconstruction-gradients" and
 * "code-moments" (our sampler's) stand uncharged; `verify` finds the weights.
 *
 * DEVIATIONS of mode=sound.  Random instead of trained encoder (the reason above); codes clipped in
 * place of the normalisation layer; categories enter A as -u (the rest is known from M, and the
 * norm is 1 a block, not sqrt(width)/2); Gaussian noise by default; the ridge spares the intercept;
 * decoded means are the polynomial's own minimiser 1/2 + s/4, since sigmoid(s) draws to the middle.
 *
 * COST.  n d b multiply-adds, and d solves of b x b: seconds.
 */
#include <math.h>

#include "core/base/alloc.h"
#include "generators/kit/labels.h"
#include "generators/kit/rows.h"
#include "generators/kit/taylor.h"
#include "generators/kit/taylor_published.h"

typedef struct opts {
	int mode, noise;
	int64_t code, layers;
	double radius;
} opts;

static const iso_option options[] = {
	ISO_OPT_ENUM(opts, mode, "sound", "sound|paper",
		     "paper: one noise vector, then descent on the raw rows; not private"),
	ISO_OPT_ENUM(opts, noise, "gaussian", "gaussian|laplace",
		     "noise of the coefficients; laplace: pure epsilon (mode=sound)"),
	ISO_OPT_INT(opts, code, "0", 0, 1024,
		    "units of the first code; 0: the row's width, at most 64, and 25 for images"),
	ISO_OPT_INT(opts, layers, "1", 1, ISO_TAYLOR_LAYERS,
		    "auto-encoders on top of each other; each has half the units of the one below "
		    "(mode=sound)"),
	ISO_OPT_REAL(opts, radius, "1", 0.01, 100, "L2 bound of a code (mode=sound)"),
	{0},
};

typedef struct model {
	const iso_schema *schema; /* borrowed: public */
	iso_encoder *enc;	  /* owned */
	size_t classes, parts;
	iso_taylor_stack *part; /* [parts] owned; NULL with mode=paper */
	iso_taylor_published published;
	double *law; /* [parts] cumulative */
} model;

static int is_paper(const iso_gen_env *env)
{
	return ((const opts *)env->options)->mode == 1;
}

/* mode=paper: one auto-encoder, the label in the row. */
static size_t parts_of(const iso_gen_env *env)
{
	const size_t k = iso_schema_classes(env->schema);
	return k && !is_paper(env) ? k : 1;
}

static iso_status encoder_of(const iso_gen_env *env, iso_encoder **e, iso_error *err)
{
	const int in_row = is_paper(env) || iso_schema_classes(env->schema) == 0;
	return iso_encoder_new(env->schema, ISO_ENC_FEATURES | (in_row ? ISO_ENC_LABEL : 0), e,
			       err);
}

static size_t code_of(const opts *o, size_t dim)
{
	return o->code ? (size_t)o->code : dim >= 300 ? 25 : dim < 64 ? dim : 64;
}

static iso_status resolve(const iso_gen_env *env, void *options_, iso_error *err)
{
	opts *o = options_;
	iso_encoder *e = NULL;
	ISO_TRY(encoder_of(env, &e, err));
	o->code = (int64_t)code_of(o, e->dim);
	iso_encoder_free(e);
	return ISO_OK;
}

static void destroy(void *model_)
{
	model *m = model_;
	if (!m)
		return;
	for (size_t c = 0; m->part && c < m->parts; c++)
		iso_taylor_stack_free(&m->part[c]);
	iso_taylor_published_free(&m->published);
	iso_free(m->part);
	iso_free(m->law);
	iso_encoder_free(m->enc);
	iso_free(m);
}

static iso_status make_layers(model *m, const opts *o, iso_key key, iso_error *err)
{
	m->part = iso_alloc(m->parts, sizeof *m->part);
	m->law = iso_alloc(m->parts, sizeof *m->law);
	if (!m->part || !m->law)
		return iso_no_memory(err, "coefficients");
	for (size_t c = 0; c < m->parts; c++)
		ISO_TRY(iso_taylor_stack_new(m->enc, code_of(o, m->enc->dim), (size_t)o->layers,
					     o->radius, key, &m->part[c], err));
	return ISO_OK;
}

static iso_status model_new(const iso_gen_env *env, iso_key key, model **out, iso_error *err)
{
	const opts *o = env->options;
	model *m = iso_alloc(1, sizeof *m);
	iso_status st;
	if (!m)
		return iso_no_memory(err, "coefficients");
	m->schema = env->schema;
	m->parts = parts_of(env);
	m->classes = m->parts > 1 ? m->parts : 0;
	ISO_TRY_OUT(encoder_of(env, &m->enc, err));
	ISO_TRY_OUT(is_paper(env) ? iso_taylor_published_new(m->enc->dim, code_of(o, m->enc->dim),
							     &m->published, err)
				  : make_layers(m, o, key, err));
	*out = m;
	m = NULL;
out:
	destroy(m);
	return st;
}

static iso_guarantee guarantee_of(const void *o)
{
	return ((const opts *)o)->mode == 1 ? ISO_GUARANTEE_HEURISTIC : ISO_GUARANTEE_DP;
}

static double claimed_epsilon(const iso_gen_env *env)
{
	return is_paper(env) ? env->epsilon : NAN;
}

static iso_entry entry_of(const iso_gen_env *env, size_t c, size_t l)
{
	static const char *const why[ISO_TAYLOR_LAYERS] = {"taylor-1", "taylor-2"};
	return (iso_entry){.why = why[l],
			   .group = env->adjacency == ISO_ADD_REMOVE && parts_of(env) > 1,
			   .part = (int)c};
}

static iso_status plan_paper(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	iso_encoder *e = NULL;
	ISO_TRY(encoder_of(env, &e, err));
	const double bound = iso_taylor_published_bound(e->dim, code_of(env->options, e->dim));
	iso_encoder_free(e);
	ISO_TRY(iso_plan_laplace(out, (iso_entry){.why = "code-noise"}, scale, 1, bound, err));
	ISO_TRY(iso_plan_uncharged(out, "reconstruction-gradients", err));
	return iso_plan_uncharged(out, "code-moments", err);
}

static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	const opts *o = env->options;
	if (is_paper(env))
		return plan_paper(env, scale, out, err);
	for (size_t c = 0; c < parts_of(env); c++)
		for (size_t l = 0; l < (size_t)o->layers; l++)
			ISO_TRY(o->noise ? iso_plan_laplace(out, entry_of(env, c, l), scale, 1, 1,
							    err)
					 : iso_plan_gaussian(out, entry_of(env, c, l), scale, 1, 1,
							     1, err));
	return ISO_OK;
}

static iso_status derive(model *m, iso_error *err)
{
	for (size_t c = 0; c < m->parts; c++)
		ISO_TRY(iso_taylor_calibrate(&m->part[c], err));
	double *rows = iso_alloc(m->parts, sizeof *rows);
	if (!rows)
		return iso_no_memory(err, "sizes of classes");
	for (size_t c = 0; c < m->parts; c++)
		rows[c] = m->part[c].layer[0].rows;
	iso_law_from_counts(rows, m->parts, m->law);
	iso_free(rows);
	return ISO_OK;
}

static iso_status fit_sound(const iso_fit *f, model *m, iso_error *err)
{
	const opts *o = f->env.options;
	for (size_t c = 0; c < m->parts; c++) {
		iso_class_rows rows;
		iso_status st =
			iso_class_rows_take(f->train, m->classes ? c : SIZE_MAX, &rows, err);
		for (size_t l = 0; st == ISO_OK && l < m->part[c].layers; l++)
			st = iso_taylor_release(&m->part[c], l, f, entry_of(&f->env, c, l),
						o->noise ? ISO_NORM_L1 : ISO_NORM_L2, &rows, err);
		iso_class_rows_free(&rows);
		ISO_TRY(st);
	}
	return derive(m, err);
}

static iso_status fit_paper(const iso_fit *f, model *m, iso_error *err)
{
	const size_t b = m->published.code;
	iso_status st;
	float *x = NULL;
	double *z = iso_alloc(b, sizeof *z);
	if (!z)
		return iso_no_memory(err, "noise of codes");
	ISO_TRY_OUT(iso_mech_vector_sum(f->ledger, (iso_entry){.why = "code-noise"}, z, 0, b,
					iso_taylor_published_bound(m->enc->dim, b), z, err));
	for (size_t k = 0; k < b; k++)
		z[k] /= (double)(f->env.n ? f->env.n : 1);
	ISO_TRY_OUT(iso_encode_new(m->enc, f->train, &x, err));
	ISO_TRY_OUT(iso_taylor_published_fit(&m->published, f, x, z, err));
	ISO_TRY_OUT(iso_ledger_uncharged(f->ledger, "reconstruction-gradients", err));
	ISO_TRY_OUT(iso_ledger_uncharged(f->ledger, "code-moments", err));
out:
	iso_free(x);
	iso_free(z);
	return st;
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	model *m = NULL;
	ISO_TRY(model_new(&f->env, f->key, &m, err));
	const iso_status st = is_paper(&f->env) ? fit_paper(f, m, err) : fit_sound(f, m, err);
	if (st == ISO_OK)
		*out = m;
	else
		destroy(m);
	return st;
}

static iso_status sample(const void *model_, iso_key key, iso_table *out, iso_error *err)
{
	const model *m = model_;
	const iso_key label = iso_key_child(key, "label", 0),
		      draw = iso_key_child(key, "category", 0);
	float *x = iso_alloc(m->enc->dim, sizeof *x);
	double *work = iso_alloc(m->part ? iso_taylor_stack_work(&m->part[0]) : 1, sizeof *work);
	for (size_t i = 0; x && work && i < out->n; i++) {
		const uint32_t c =
			m->part ? iso_law_draw(m->law, m->parts, iso_rand_u01(label, i, 0)) : 0;
		if (m->part)
			iso_taylor_stack_draw(&m->part[c], key, i, work, x);
		else
			iso_taylor_published_draw(&m->published, key, i, x);
		iso_decode(m->enc, x, m->enc->dim, 1, &draw, out, i);
		if (m->classes)
			iso_set_labels(out, i, &c, 1);
	}
	const iso_status st = x && work ? ISO_OK : iso_no_memory(err, "a row");
	iso_free(x);
	iso_free(work);
	return st;
}

static iso_status save(const void *model_, iso_str *out, iso_error *err)
{
	const model *m = model_;
	if (!m->part)
		iso_taylor_published_save(out, &m->published);
	for (size_t c = 0; m->part && c < m->parts; c++)
		for (size_t l = 0; l < m->part[c].layers; l++)
			iso_taylor_save(out, &m->part[c].layer[l]);
	return iso_str_check(out, err);
}

static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **out,
		       iso_error *err)
{
	iso_parts in = {bytes, bytes + n};
	model *m = NULL;
	iso_status st = ISO_OK;
	ISO_TRY(model_new(env, iso_key_new(0, "load"), &m, err));
	if (!m->part)
		ISO_TRY_OUT(iso_taylor_published_take(&in, &m->published, err));
	for (size_t c = 0; m->part && c < m->parts; c++)
		for (size_t l = 0; l < m->part[c].layers; l++)
			ISO_TRY_OUT(iso_taylor_take(&in, &m->part[c].layer[l], err));
	if (m->part)
		ISO_TRY_OUT(derive(m, err));
	*out = m;
	m = NULL;
out:
	destroy(m);
	return st;
}

static iso_status describe(const void *model_, cJSON *out, iso_error *err)
{
	const model *m = model_;
	const size_t code = m->part ? m->part[0].layer[0].code : m->published.code;
	cJSON *rows = cJSON_AddArrayToObject(out, "rows");
	for (size_t c = 0; rows && m->part && c < m->parts; c++)
		cJSON_AddItemToArray(rows, cJSON_CreateNumber(m->part[c].layer[0].rows));
	if (!rows || !cJSON_AddNumberToObject(out, "encoded_columns", (double)m->enc->dim) ||
	    !cJSON_AddNumberToObject(out, "code", (double)code))
		return iso_no_memory(err, "description of coefficients");
	return ISO_OK;
}

const iso_generator iso_generator_dpa = {
	.abi = ISO_GENERATOR_ABI,
	.name = "dpa",
	.title = "dPA: private auto-encoder by noisy Taylor coefficients",
	.citation = "N. Phan, Y. Wang, X. Wu, D. Dou, \"Differential Privacy Preservation for Deep "
		    "Auto-Encoders: an Application of Human Behavior Prediction\", AAAI 2016",
	.card = "Releases the coefficients of the Taylor polynomial of an auto-encoder's "
		"cross-entropy once, solves the decoder from them and samples codes from the "
		"Gaussian "
		"that they describe.\n"
		"Privacy (sound): the encoder is random and public, so the coefficients are one "
		"noisy "
		"sum of bounded vectors per class and layer; epochs cost nothing because there are "
		"none.\n"
		"mode=paper trains on the raw rows with one fixed noise vector, as the released "
		"code "
		"does: epsilon is infinite; verify finds the weights.\n"
		"Deviations: see the head of generators/dpa.c.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	.options = options,
	.options_size = sizeof(opts),
	.guarantee_of = guarantee_of,
	.claimed_epsilon = claimed_epsilon,
	.resolve = resolve,
	.plan = plan,
	.fit = fit,
	.sample = sample,
	.destroy = destroy,
	.save = save,
	.load = load,
	.describe = describe,
};
