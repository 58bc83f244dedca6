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
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/special.h"
#include "core/math/vmath.h"
#include "core/privacy/mechanism.h"
#include "generators/generator.h"
#include "generators/kit/labels.h"
#include "generators/kit/mixture.h"
#include "generators/kit/parts.h"

#define GROUP 1
#define CHUNK 64 /* rows that are encoded at once */

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

/* PRIVATE: the rows of one class */
typedef struct rows_of {
	const iso_table *table;
	uint32_t *row;
	uint64_t *id;
	size_t n;
} rows_of;

static iso_status take_class(const iso_table *t, size_t classes, size_t y, rows_of *out,
			     iso_error *err)
{
	*out = (rows_of){.table = t,
			 .row = iso_alloc(t->n, sizeof *out->row),
			 .id = iso_alloc(t->n, sizeof *out->id)};
	if (!out->row || !out->id)
		return iso_no_memory(err, "rows of a class");
	for (size_t r = 0; r < t->n; r++)
		if (!classes || iso_table_label(t, r) == y) {
			out->row[out->n] = (uint32_t)r;
			out->id[out->n++] = t->id[r];
		}
	return ISO_OK;
}

typedef struct buffers {
	float *x;	     /* [CHUNK][dim] */
	double *work, *stat; /* of one row */
} buffers;

/* One iteration: the noisy sums of all rows of the class into stat. */
static iso_status release(const iso_fit *f, const iso_mixture *m, iso_entry entry,
			  const rows_of *rows, buffers *b, double *sum, iso_error *err)
{
	const iso_sum_block block = {
		.dim = iso_mixture_stats(m), .clip = iso_mixture_bound(m), .norm = ISO_NORM_L2};
	iso_sum_stream *s;
	iso_status st;
	ISO_TRY(iso_mech_sum_begin(f->ledger, entry, rows->id, rows->n, &block, 1, &s, err));
	for (size_t first = 0; first < rows->n; first += CHUNK) {
		const size_t n = rows->n - first < CHUNK ? rows->n - first : CHUNK;
		iso_encode(m->enc, rows->table, rows->row + first, n, b->x, m->enc->dim);
		for (size_t i = 0; i < n; i++) {
			(void)iso_mixture_expect(m, b->x + i * m->enc->dim, b->work, b->stat);
			st = iso_mech_sum_add(s, (uint32_t)(first + i), b->stat, err);
			if (st != ISO_OK) {
				iso_mech_sum_cancel(s);
				return st;
			}
		}
	}
	return iso_mech_sum_finish(s, sum, err);
}

static iso_status fit_class(const iso_fit *f, model *m, size_t y, buffers *b, iso_error *err)
{
	const opts *o = f->env.options;
	iso_mixture *mix = &m->mix[y];
	const double sd = f->scale * iso_mixture_bound(mix);
	double *sum = iso_alloc(iso_mixture_stats(mix), sizeof *sum);
	rows_of rows = {0};
	iso_status st;
	if (!sum)
		return iso_no_memory(err, "statistics of a mixture");
	ISO_TRY_OUT(take_class(f->train, m->classes, y, &rows, err));
	for (int64_t t = 0; t < o->iterations; t++) {
		ISO_TRY_OUT(release(f, mix, entry_of(m->classes, y), &rows, b, sum, err));
		iso_mixture_maximise(mix, sum, sd);
		if (f->progress)
			iso_progress_update(
				f->progress,
				f->progress->total *
					(double)(y * (size_t)o->iterations + (size_t)t + 1) /
					(double)(m->n * (size_t)o->iterations));
	}
out:
	iso_free(rows.row);
	iso_free(rows.id);
	iso_free(sum);
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
	buffers b = {.x = iso_alloc(CHUNK, m->enc->dim * sizeof *b.x),
		     .work = iso_alloc(m->mix[0].k, sizeof *b.work),
		     .stat = iso_alloc(iso_mixture_stats(&m->mix[0]), sizeof *b.stat)};
	double *rows = iso_alloc(m->n, sizeof *rows);
	if (!b.x || !b.work || !b.stat || !rows) {
		st = iso_no_memory(err, "statistics of a mixture");
		goto out;
	}
	for (size_t y = 0; y < m->n; y++)
		ISO_TRY_OUT(fit_class(f, m, y, &b, err));
	derive(m, rows);
	*out = m;
	m = NULL;
out:
	iso_free(b.x);
	iso_free(b.work);
	iso_free(b.stat);
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
	const size_t dim = m->enc->dim;
	for (size_t y = 0; y < m->n; y++) {
		const iso_mixture *x = &m->mix[y];
		iso_part_add(out, "rows", &x->rows, sizeof x->rows);
		iso_part_add(out, "weight", x->weight, x->k * sizeof *x->weight);
		iso_part_add(out, "mean", x->mean, x->k * dim * sizeof *x->mean);
		iso_part_add(out, "var", x->var, x->k * dim * sizeof *x->var);
	}
	return iso_str_check(out, err);
}

static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **out,
		       iso_error *err)
{
	iso_parts in = {bytes, bytes + n};
	model *m;
	iso_status st;
	ISO_TRY(model_new(env, iso_key_new(0, "load"), &m, err));
	const size_t dim = m->enc->dim;
	double *rows = iso_alloc(m->n, sizeof *rows);
	if (!rows) {
		st = iso_no_memory(err, "mixtures");
		goto out;
	}
	for (size_t y = 0; y < m->n; y++) {
		iso_mixture *x = &m->mix[y];
		ISO_TRY_OUT(iso_part_take(&in, "rows", &x->rows, sizeof x->rows, err));
		ISO_TRY_OUT(iso_part_take(&in, "weight", x->weight, x->k * sizeof *x->weight, err));
		ISO_TRY_OUT(iso_part_take(&in, "mean", x->mean, x->k * dim * sizeof *x->mean, err));
		ISO_TRY_OUT(iso_part_take(&in, "var", x->var, x->k * dim * sizeof *x->var, err));
		iso_mixture_restore(x);
	}
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
