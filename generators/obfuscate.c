// SPDX-License-Identifier: Apache-2.0
/* obfuscate: perturbed rows in front of any generator (Zhang, He and Lee 2018).
 *
 * ALGORITHM (card "obfuscate").  mode=noise:
 *   individual  each row is touched with probability r.  Of a touched row round(p d) of its d
 *               features (pixels count one by one), drawn for that row, change: a number gets
 *               N(0, (sigma h)^2), h half its public range, and is clipped to the range; a category
 *               is drawn uniformly over the public list with probability `resample`.
 *   group       m = copies |g| rows of the class `group` are appended as negatives: lo + hi - x
 *               with N(0, (sigma_neg h)^2), another category, the same label.  The means of the
 *               group move to the middle of the range.
 * mode=local: every cell, the label too, goes through k-ary randomised response (numbers in `bins`
 * equal bins of the public bounds, uniform inside the bin afterwards).
 * The `inner` generator is trained on the result; inner=memorise gives the result itself.
 *
 * PRIVACY ARGUMENT.
 *  - noise: none.  Untouched rows and features pass in clear and negatives can be undone: entry
 *    "obfuscated-rows" stands uncharged and epsilon is infinite, with one exception: without a
 *    group, a row's perturbation is a function of its own values and of fresh randomness, so that
 *    one record more or less is one row more or less for the inner generator, and the guarantee of
 *    an inner generator that is private by itself holds as it stands, at its own plan.
 *  - local: neighbours replace one record.  "report" of randomised response, one per cell of the
 *    row, epsilon each; everything behind it is post-processing.  The inner generator must be one
 *    without a plan, which would charge noise for rows that are noisy already.
 *
 * DEVIATIONS.  The paper's figures and code cannot be had; defaults are the card's.  Negatives take
 * the group's rows in a keyed order, not with replacement, so that m = |g| mirrors each once; |g|
 * is the public class count, or n over the classes.  A missing value stays missing.  local: bins in
 * place of Gaussian noise on numbers, which our door for reports takes.
 */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/data/encode.h"
#include "core/privacy/mechanism.h"
#include "generators/kit/disturb.h"
#include "generators/kit/inner.h"

enum { NOISE, LOCAL };

typedef struct opts {
	int mode;
	char inner[ISO_OPT_TEXT_MAX], inner_set[ISO_OPT_TEXT_MAX], group[ISO_OPT_TEXT_MAX];
	int64_t bins;
	double copies;
	iso_disturb how;
} opts;

#define REAL(f, d, lo, hi, text) \
	{ \
#f, ISO_OPTION_REAL, offsetof(opts, how.f), d, lo, hi, 0, text \
	}
static const iso_option options[] = {
	ISO_OPT_ENUM(opts, mode, "noise", "noise|local",
		     "noise: as published, no guarantee of its own; local: randomised response on "
		     "every cell, adjacency replace-one"),
	ISO_OPT_STRING(opts, inner, "vae",
		       "generator of the obfuscated rows; memorise: themselves"),
	ISO_OPT_STRING(opts, inner_set, "", "its options: \"key=value;key=value\""),
	REAL(rows, "1", 0, 1, "share r of the rows that are touched"),
	REAL(features, "0.333333333333", 0, 1, "share p of the features of a touched row"),
	REAL(sigma, "0.5", 0, 100, "noise on numbers, in half ranges"),
	REAL(resample, "0.5", 0, 1, "chance that a chosen category is drawn anew, uniformly"),
	ISO_OPT_STRING(opts, group, "", "class whose statistics are hidden; empty: none"),
	ISO_OPT_REAL(opts, copies, "0.5", 0, 100, "negatives per row of the group"),
	REAL(sigma_neg, "0.05", 0, 100, "noise on negatives, in half ranges"),
	ISO_OPT_INT(opts, bins, "16", 2, 4096, "bins of a number (mode=local)"),
	{0},
};

typedef struct model {
	iso_inner in;
	void *inner; /* its model; owned */
} model;

static void destroy(void *model_)
{
	model *m = model_;
	if (!m)
		return;
	if (m->inner)
		m->in.g->destroy(m->inner);
	iso_inner_close(&m->in);
	iso_free(m);
}

static iso_status open_inner(const opts *o, iso_inner *in, iso_error *err)
{
	return iso_inner_open("obfuscate", o->inner, o->inner_set, in, err);
}

/* Index of the group's class, -1 without one, -2 for a name that is no class. */
static int group_of(const iso_schema *s, const opts *o)
{
	const size_t classes = iso_schema_classes(s);
	if (!o->group[0])
		return -1;
	for (size_t c = 0; c < classes; c++)
		if (strcmp(s->column[s->label].category[c], o->group) == 0)
			return (int)c;
	return -2;
}

/* Public number of negatives. */
static size_t negatives(const iso_gen_env *env, const opts *o)
{
	const int g = o->mode == NOISE ? group_of(env->schema, o) : -1;
	if (g < 0)
		return 0;
	const double rows = env->class_count
				    ? (double)env->class_count[g]
				    : (double)env->n / (double)iso_schema_classes(env->schema);
	return (size_t)(o->copies * rows + 0.5);
}

static iso_gen_env env_of(const iso_inner *in, const iso_gen_env *outer, const opts *o)
{
	iso_gen_env env = iso_inner_env(in, outer);
	const size_t more = negatives(outer, o);
	env.n += more;
	if (more || o->mode == LOCAL) { /* no longer the counts of the rows that it gets */
		env.class_count = NULL;
		env.client_count = NULL;
		env.nclient = 0;
	}
	return env;
}

static iso_status check(const iso_gen_env *env, iso_error *err)
{
	const opts *o = env->options;
	iso_inner in;
	iso_status st = ISO_OK;
	ISO_FAIL_IF(group_of(env->schema, o) == -2, err, ISO_E_CONFIG,
		    "group (obfuscate): %.80s is no class of the label of %s; name one of its "
		    "categories, or leave the group out",
		    o->group, env->schema->name);
	ISO_FAIL_IF(o->mode == LOCAL && env->adjacency != ISO_REPLACE_ONE, err, ISO_E_CONFIG,
		    "mode (obfuscate): the reports of mode=local show how many there are; use the "
		    "adjacency replace-one");
	ISO_FAIL_IF(o->mode == LOCAL && env->schema->npixel, err, ISO_E_UNSUPPORTED,
		    "mode (obfuscate): mode=local takes no images; use mode=noise");
	ISO_TRY(open_inner(o, &in, err));
	const iso_gen_env inner = env_of(&in, env, o);
	if (o->mode == LOCAL && in.g->plan)
		st = iso_fail(err, ISO_E_CONFIG,
			      "inner (obfuscate): mode=local makes the rows private, and %s adds "
			      "noise of its own; name a generator without a guarantee",
			      in.g->name);
	if (st == ISO_OK)
		st = iso_inner_check(&in, &inner, err);
	iso_inner_close(&in);
	return st;
}

static size_t cells_of(const iso_schema *s)
{
	size_t n = 0;
	for (size_t c = 0; c < s->ncol; c++)
		n += !iso_is_dropped(&s->column[c]);
	return n;
}

/* The inner generator's own guarantee holds: private by itself, and a record is one of its rows. */
static int carries(const iso_generator *g, const void *inner_options, const opts *o)
{
	return o->mode == NOISE && !o->group[0] &&
	       iso_generator_guarantee(g, inner_options) == ISO_GUARANTEE_DP;
}

static iso_guarantee guarantee_of(const void *options_)
{
	const opts *o = options_;
	const iso_generator *named;
	iso_guarantee g;
	iso_error err = {0};
	iso_inner in;
	if (o->mode == LOCAL)
		return ISO_GUARANTEE_DP;
	if (iso_generator_find(o->inner, &named, &err) != ISO_OK || !named->plan)
		return ISO_GUARANTEE_NONE; /* unknown: check refuses it */
	if (open_inner(o, &in, &err) != ISO_OK)
		return ISO_GUARANTEE_NONE; /* check refuses it, or there is no memory */
	/* a group's rows stand twice behind it */
	g = carries(in.g, in.options, o) ? ISO_GUARANTEE_DP : ISO_GUARANTEE_HEURISTIC;
	iso_inner_close(&in);
	return g;
}

static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	const opts *o = env->options;
	iso_inner in;
	if (o->mode == LOCAL)
		return iso_plan_event(out, (iso_entry){.why = "report"},
				      &(iso_event){.mechanism = ISO_MECH_RANDOMIZED_RESPONSE,
						   .epsilon = 1 / scale,
						   .rate = 1,
						   .count = cells_of(env->schema)},
				      1, err);
	ISO_TRY(open_inner(o, &in, err));
	const iso_gen_env inner = env_of(&in, env, o);
	iso_status st = iso_inner_plan(&in, &inner, scale, out, err);
	if (st == ISO_OK && !carries(in.g, in.options, o))
		st = iso_plan_uncharged(out, "obfuscated-rows", err);
	iso_inner_close(&in);
	return st;
}

/* ---- Rows ---- */

static iso_status report(const iso_fit *f, iso_table **out, iso_error *err)
{
	const opts *const o = f->env.options;
	const iso_table *const from = f->train; /* all that follows the reports is public */
	const iso_key key = iso_key_child(f->key, "inside-bin", 0);
	iso_status st = ISO_OK;
	iso_binning b = {0};
	uint32_t *code = iso_alloc(from->n, 2 * sizeof *code), *noisy = code + from->n;
	if (!code)
		return iso_no_memory(err, "reports");
	ISO_TRY_OUT(
		iso_bin_table(from, (size_t)o->bins, ISO_ENC_FEATURES | ISO_ENC_LABEL, &b, err));
	ISO_TRY_OUT(iso_table_new(from->schema, from->n, out, err));
	for (size_t j = 0; j < b.ncode; j++) {
		const size_t c = b.column[j];
		for (size_t r = 0; r < from->n; r++)
			code[r] = b.code[r * b.ncode + j];
		ISO_TRY_OUT(iso_mech_randomized_response(f->ledger, (iso_entry){.why = "report"},
							 code, from->n, (uint32_t)b.cells[j], noisy,
							 err));
		for (size_t r = 0; r < from->n; r++)
			(*out)->cells[r * from->schema->ncol + c] =
				iso_unbin(from->schema, c, (size_t)o->bins, noisy[r],
					  iso_rand_u01(key, r, j));
	}
	for (size_t r = 0; r < from->n; r++)
		iso_sequences_settle(from->schema, (*out)->cells + r * from->schema->ncol);
out:
	iso_binning_free(&b);
	iso_free(code);
	return st;
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	const opts *const o = f->env.options;
	iso_table *t = NULL;
	iso_status st = ISO_OK;
	model *m = iso_alloc(1, sizeof *m);
	if (!m)
		return iso_no_memory(err, "a model behind obfuscated rows");
	ISO_TRY_OUT(open_inner(o, &m->in, err));
	ISO_TRY_OUT(o->mode == LOCAL ? report(f, &t, err)
				     : iso_disturb_table(&o->how, f, group_of(f->train->schema, o),
							 negatives(&f->env, o), &t, err));
	iso_fit inner = *f;
	inner.env = env_of(&m->in, &f->env, o);
	inner.train = t;
	inner.key = iso_key_child(f->key, "inner", 0);
	ISO_TRY_OUT(m->in.g->fit(&inner, &m->inner, err));
	if (o->mode == NOISE && !carries(m->in.g, m->in.options, o))
		ISO_TRY_OUT(iso_ledger_uncharged(f->ledger, "obfuscated-rows", err));
	*out = m;
	m = NULL;
out:
	iso_table_free(t);
	destroy(m);
	return st;
}

static iso_status sample(const void *model_, iso_key key, iso_table *out, iso_error *err)
{
	const model *m = model_;
	return m->in.g->sample(m->inner, key, out, err);
}

static iso_status save(const void *model_, iso_str *out, iso_error *err)
{
	const model *m = model_;
	return m->in.g->save(m->inner, out, err);
}

static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **out,
		       iso_error *err)
{
	iso_status st;
	model *m = iso_alloc(1, sizeof *m);
	if (!m)
		return iso_no_memory(err, "a model behind obfuscated rows");
	ISO_TRY_OUT(open_inner(env->options, &m->in, err));
	const iso_gen_env inner = env_of(&m->in, env, env->options);
	ISO_TRY_OUT(m->in.g->load(&inner, bytes, n, &m->inner, err));
	*out = m;
	m = NULL;
out:
	destroy(m);
	return st;
}

const iso_generator iso_generator_obfuscate = {
	.abi = ISO_GENERATOR_ABI,
	.name = "obfuscate",
	.title = "Obfuscate: perturbed rows in front of any generator",
	.citation =
		"T. Zhang, Z. He, R. B. Lee, \"Privacy-preserving Machine Learning through Data "
		"Obfuscation\", 2018, arXiv:1807.01860",
	.card = "Adds noise to some features of some rows, appends negatives of the rows of a "
		"group, and trains another generator (inner) on the result.\n"
		"Privacy: none of its own in mode=noise: rows and features pass in clear, epsilon "
		"is infinite; the guarantee of a private inner generator holds where no group is "
		"named. mode=local: randomised response on every cell, replace-one.\n"
		"Deviations: negatives without replacement; bins in place of Gaussian noise in "
		"mode=local.",
	.guarantee = ISO_GUARANTEE_NONE,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL | ISO_ACCEPTS_PUBLIC |
		   ISO_ACCEPTS_CLIENTS,
	.version = 1,
	.options = options,
	.options_size = sizeof(opts),
	.guarantee_of = guarantee_of,
	.check = check,
	.plan = plan,
	.fit = fit,
	.sample = sample,
	.destroy = destroy,
	.save = save,
	.load = load,
};
