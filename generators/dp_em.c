// SPDX-License-Identifier: Apache-2.0
/* dp-em: a mixture per class, learned by EM on noisy sufficient statistics.
 *
 * M. Park, J. Foulds, K. Chaudhuri, M. Welling 2017, "DP-EM: Differentially Private Expectation
 * Maximization", AISTATS, arXiv:1605.06995; in the sum form of the method card "dp-em".
 *
 * ALGORITHM.  Rows are split by their label.  Per class, from a start that knows no data, J times:
 *     r_ik ~ pi_k p(x_i | k)                                  responsibilities of row i
 *     (c, s, q) = sum_i (r_i, r_i u_i, r_i v_i^2) + noise     kit/mixture.h
 *     pi_k = c_k / sum c,  mean_k = s_k / c_k,  var_k = q_k / c_k - mean_k^2    with floors
 * Sample: class by its noisy number of rows (the last sum of c), component by pi, row by component.
 *
 * PRIVACY ARGUMENT.  Neighbours: add or remove one record.  The E-step uses released parameters
 * only, so one record adds one vector to the sums of its own class; its norm is at most R =
 * iso_mixture_bound, which follows from the schema, and the door clips it there.  Entry "moments":
 * one Gaussian release of sensitivity R an iteration, J of them, in a parallel group over the
 * classes; the noise of all entries is the free scale.  The number of rows per class is read off
 * the released sums.  Replace-one moves two vectors; the accountant doubles the sensitivity, and
 * two parts of the group are charged.
 *
 * DEVIATIONS.  The paper noises weights, means and covariances of every component apart, 2K + 1
 * releases an iteration with scales that depend on the true counts; the sum form is one release and
 * its scale is public.  Covariances are diagonal, categories get categorical distributions, and the
 * radius comes from the public bounds instead of the largest row.
 *
 * COST.  n J K d multiply-adds; memory of one vector of statistics beside the table.
 */
#include <math.h>

#include "core/base/alloc.h"
#include "core/math/special.h"
#include "core/math/vmath.h"
#include "core/privacy/mechanism.h"
#include "generators/generator.h"
#include "generators/kit/labels.h"
#include "generators/kit/mixture.h"
#include "generators/kit/rows.h"

#define GROUP 1

typedef struct opts {
	int64_t components, iterations;
} opts;

static const iso_option options[] = {
	ISO_OPT_INT(opts, components, "5", 1, 1000,
		    "components per class; fewer with few rows per class"),
	ISO_OPT_INT(opts, iterations, "10", 1, 1000, "EM iterations, each one noisy release"),
	{0},
};

typedef struct model {
	const iso_schema *schema; /* borrowed: public */
	iso_encoder *enc;	  /* owned */
	size_t classes;		  /* 0: one mixture, the label (if any) inside the row */
	size_t n;		  /* mixtures */
	iso_mixture *mix;	  /* [n] owned */
	double *label_cdf;	  /* [n] owned; derived from the mixtures' rows */
} model;

static size_t mixtures_of(size_t classes)
{
	return classes ? classes : 1;
}

static iso_status encoder_of(const iso_schema *s, iso_encoder **out, iso_error *err)
{
	const unsigned label = iso_schema_classes(s) ? 0 : ISO_ENC_LABEL;
	return iso_encoder_new(s, ISO_ENC_FEATURES | label, out, err);
}

static void destroy(void *model_)
{
	model *m = model_;
	if (!m)
		return;
	for (size_t y = 0; m->mix && y < m->n; y++)
		iso_mixture_free(&m->mix[y]);
	iso_free(m->mix);
	iso_free(m->label_cdf);
	iso_encoder_free(m->enc);
	iso_free(m);
}

static iso_status model_new(const iso_gen_env *env, iso_key key, model **out, iso_error *err)
{
	const opts *o = env->options;
	model *m = iso_alloc(1, sizeof *m);
	iso_status st;
	if (!m)
		return iso_no_memory(err, "mixtures");
	m->schema = env->schema;
	m->classes = iso_schema_classes(env->schema);
	m->n = mixtures_of(m->classes);
	ISO_TRY_OUT(encoder_of(env->schema, &m->enc, err));
	m->mix = iso_alloc(m->n, sizeof *m->mix);
	m->label_cdf = iso_alloc(m->n, sizeof *m->label_cdf);
	if (!m->mix || !m->label_cdf) {
		st = iso_no_memory(err, "mixtures");
		goto out;
	}
	for (size_t y = 0; y < m->n; y++)
		ISO_TRY_OUT(iso_mixture_new(m->enc, (size_t)o->components,
					    iso_key_child(key, "start", y), &m->mix[y], err));
	*out = m;
	return ISO_OK;
out:
	destroy(m);
	return st;
}

static iso_entry entry_of(size_t classes, size_t y)
{
	return (iso_entry){.why = "moments", .group = classes ? GROUP : 0, .part = (int)y};
}

static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	const opts *o = env->options;
	const size_t classes = iso_schema_classes(env->schema);
	iso_mixture shape = {0};
	iso_status st = ISO_OK;
	iso_encoder *enc;
	ISO_TRY(encoder_of(env->schema, &enc, err));
	shape.enc = enc;
	for (size_t y = 0; y < mixtures_of(classes) && st == ISO_OK; y++)
		st = iso_plan_gaussian(out, entry_of(classes, y), scale, 1, (uint64_t)o->iterations,
				       iso_mixture_bound(&shape), err);
	iso_encoder_free(enc);
	return st;
}

/* ------------------------------------------------------------------ fit */

/* PRIVATE: encoded rows of one class on demand. */
typedef struct source {
	const iso_encoder *enc;
	const iso_table *table;
	iso_class_rows rows;
} source;

static void encode_rows(void *ctx, size_t first, size_t n, float *x)
{
	const source *s = ctx;
	iso_encode(s->enc, s->table, s->rows.row + first, n, x, s->enc->dim);
}

static iso_status fit_class(const iso_fit *f, model *m, size_t y, iso_error *err)
{
	const opts *o = f->env.options;
	source from = {.enc = m->enc, .table = f->train};
	ISO_TRY(iso_class_rows_take(f->train, m->classes ? y : SIZE_MAX, &from.rows, err));
	const iso_mixture_rows rows = {from.rows.id, from.rows.n, encode_rows, &from};
	const iso_status st = iso_mixture_fit(&m->mix[y], &rows, f->ledger, entry_of(m->classes, y),
					      f->scale, (size_t)o->iterations, err);
	iso_class_rows_free(&from.rows);
	if (f->progress)
		iso_progress_update(f->progress,
				    f->progress->total * (double)(y + 1) / (double)m->n);
	return st;
}

static void derive(model *m, double *rows)
{
	for (size_t y = 0; y < m->n; y++)
		rows[y] = m->mix[y].rows;
	iso_law_from_counts(rows, m->n, m->label_cdf);
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	model *m;
	iso_status st;
	ISO_TRY(model_new(&f->env, f->key, &m, err));
	double *rows = iso_alloc(m->n, sizeof *rows);
	if (!rows) {
		st = iso_no_memory(err, "sizes of mixtures");
		goto out;
	}
	for (size_t y = 0; y < m->n; y++)
		ISO_TRY_OUT(fit_class(f, m, y, err));
	derive(m, rows);
	*out = m;
	m = NULL;
out:
	iso_free(rows);
	destroy(m);
	return st;
}

/* ------------------------------------------------------------------ what the model gives */

static iso_status sample(const void *model_, iso_key key, iso_table *out, iso_error *err)
{
	const model *m = model_;
	const iso_key label = iso_key_child(key, "label", 0), row = iso_key_child(key, "row", 0);
	float *x = iso_alloc(m->enc->dim, sizeof *x);
	if (!x)
		return iso_no_memory(err, "a row");
	for (size_t i = 0; i < out->n; i++) {
		const uint32_t y = iso_law_draw(m->label_cdf, m->n, iso_rand_u01(label, i, 0));
		iso_mixture_draw(&m->mix[y], row, i, x);
		iso_decode(m->enc, x, m->enc->dim, 1, NULL, out, i);
		if (m->classes)
			iso_set_labels(out, i, &y, 1);
	}
	iso_free(x);
	return ISO_OK;
}

/* log p(row) under the mixture of its class; a row without a label is summed over the classes. */
static iso_status log_density(const void *model_, const iso_table *rows, double *out,
			      iso_error *err)
{
	const model *m = model_;
	float *x = iso_alloc(m->enc->dim, sizeof *x);
	double *work = iso_alloc(m->mix[0].k, sizeof *work);
	if (!x || !work) {
		iso_free(x);
		iso_free(work);
		return iso_no_memory(err, "a row");
	}
	for (size_t i = 0; i < rows->n; i++) {
		const uint32_t at = (uint32_t)i;
		const size_t label = m->classes ? iso_table_label(rows, i) : 0;
		out[i] = -INFINITY;
		iso_encode(m->enc, rows, &at, 1, x, m->enc->dim);
		for (size_t y = 0; y < m->n; y++) {
			const double p = m->label_cdf[y] - (y ? m->label_cdf[y - 1] : 0);
			if (label >= m->n || label == y)
				out[i] = iso_log_add(
					out[i],
					iso_log(p > 1e-12 ? p : 1e-12) +
						iso_mixture_expect(&m->mix[y], x, work, NULL));
		}
	}
	iso_free(x);
	iso_free(work);
	return ISO_OK;
}

static iso_status save(const void *model_, iso_str *out, iso_error *err)
{
	const model *m = model_;
	for (size_t y = 0; y < m->n; y++)
		iso_mixture_save(out, &m->mix[y]);
	return iso_str_check(out, err);
}

static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **out,
		       iso_error *err)
{
	iso_parts in = {bytes, bytes + n};
	model *m;
	iso_status st;
	ISO_TRY(model_new(env, iso_key_new(0, "load"), &m, err));
	double *rows = iso_alloc(m->n, sizeof *rows);
	if (!rows) {
		st = iso_no_memory(err, "mixtures");
		goto out;
	}
	for (size_t y = 0; y < m->n; y++)
		ISO_TRY_OUT(iso_mixture_take(&in, &m->mix[y], err));
	derive(m, rows);
	*out = m;
	m = NULL;
out:
	iso_free(rows);
	destroy(m);
	return st;
}

static iso_status describe(const void *model_, cJSON *out, iso_error *err)
{
	const model *m = model_;
	cJSON *rows = cJSON_AddArrayToObject(out, "rows");
	for (size_t y = 0; rows && y < m->n; y++)
		if (!cJSON_AddItemToArray(rows, cJSON_CreateNumber(m->mix[y].rows)))
			return iso_no_memory(err, "description of mixtures");
	if (!rows || !cJSON_AddNumberToObject(out, "components", (double)m->mix[0].k))
		return iso_no_memory(err, "description of mixtures");
	return ISO_OK;
}

const iso_generator iso_generator_dp_em = {
	.abi = ISO_GENERATOR_ABI,
	.name = "dp-em",
	.title = "Mixture per class by EM on noisy sufficient statistics",
	.citation = "M. Park, J. Foulds, K. Chaudhuri, M. Welling, \"DP-EM: Differentially Private "
		    "Expectation Maximization\", AISTATS 2017, arXiv:1605.06995",
	.card = "A mixture of products per class; every EM iteration releases one noisy sum of the "
		"rows' sufficient statistics.\n"
		"Privacy: one record adds one vector of bounded norm to the sums of its own class; "
		"one Gaussian release an iteration, classes in parallel. The start knows no data.\n"
		"Deviations: sum form (one release an iteration, whose scale is public) instead of "
		"the paper's 2K + 1 releases with data-dependent scales; diagonal covariances; "
		"categories get categorical distributions.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	.options = options,
	.options_size = sizeof(opts),
	.plan = plan,
	.fit = fit,
	.sample = sample,
	.destroy = destroy,
	.log_density = log_density,
	.save = save,
	.load = load,
	.describe = describe,
};
