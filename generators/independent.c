// SPDX-License-Identifier: Apache-2.0
/* independent: noisy one-way marginals, optionally each joint with the label (baseline).
 *
 * WHAT.  Every column is released as a noisy histogram and sampled on its own: right 1-way
 * statistics, no dependence. marg_label=true releases the tables (x_j, y) instead: a naive-Bayes
 * generator, the strongest cheap baseline.
 *
 * ALGORITHM (method card "independent").  Bins: categories; `bins` equal-width bins of the public
 * bounds for numbers and pixels; one more where missing is allowed.  Let c be all counts side by
 * side, d tables. release  c~ = c + N(0, (s sqrt d)^2) per cell      (gaussian)      or  c + Lap(s
 * d)      (laplace) p_j = clip(c~_j, 0) / sum                          (uniform if nothing is left)
 *     x_j ~ p_j, uniform inside the bin, rounded to the column's grain.
 * marg_label: y ~ p_y, where the count of y is the mean over j of sum_x c~_j(x, y) weighted by 1 /
 * (number of bins of j) (inverse variance), then x_j ~ p_j(. | y).
 *
 * PRIVACY ARGUMENT.  Neighbours: add or remove one record.  A record falls into exactly one cell of
 * each of d tables, so all counts together move by sqrt d in L2 and by d in L1: one Gaussian or one
 * Laplace release of one vector, entry "marginals", is the only touch of private rows
 * (iso_mech_histogram).  Bins come from the public schema alone. Replace-one moves two cells per
 * table; the accountant doubles the sensitivity.  Sampling is post-processing.
 *
 * DEVIATIONS.  No thresholding of small cells (it biases totals); numbers are uniform inside a bin.
 * mechanism=auto takes Gaussian noise for d > 10 and Laplace noise below, as the card advises.
 *
 * COST.  One pass over the rows; memory 4 n d bytes during fit.
 */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/vmath.h"
#include "core/privacy/mechanism.h"
#include "generators/kit/counts_layout.h"
#include "generators/kit/labels.h"
#include "generators/kit/parts.h"

enum { AUTO, GAUSSIAN, LAPLACE };

typedef struct opts {
	int64_t bins;
	int mechanism, marg_label;
} opts;

static const iso_option options[] = {
	ISO_OPT_INT(opts, bins, "32", 2, 65536, "equal-width bins of a numeric column"),
	ISO_OPT_ENUM(opts, mechanism, "auto", "auto|gaussian|laplace",
		     "noise; auto: gaussian with more than 10 tables, else laplace"),
	ISO_OPT_BOOL(opts, marg_label, "false",
		     "release every column jointly with the label (naive Bayes)"),
	{0},
};

typedef struct model {
	const iso_schema *schema; /* borrowed: public */
	opts o;
	iso_counts_layout l;
	double *count;	   /* [total] as released; owned */
	double *cdf;	   /* [total] cumulative, per table or per (table, label); owned */
	double *label_cdf; /* [labels] when joint; owned */
} model;

static iso_status check(const iso_gen_env *env, iso_error *err)
{
	const opts *o = env->options;
	size_t features = 0;
	for (size_t j = 0; j < env->schema->ncol; j++)
		features +=
			!iso_is_dropped(&env->schema->column[j]) && (int)j != env->schema->label;
	ISO_FAIL_IF(o->marg_label && iso_schema_classes(env->schema) == 0, err, ISO_E_UNSUPPORTED,
		    "marg_label (independent): the schema has no discrete label; give one column "
		    "the role \"label\"");
	ISO_FAIL_IF(features == 0 && (o->marg_label || env->schema->label < 0), err,
		    ISO_E_UNSUPPORTED,
		    "no feature columns (independent): there is nothing to release; add a feature "
		    "to the schema");
	return ISO_OK;
}

static int is_laplace(const opts *o, size_t ntable)
{
	return o->mechanism == LAPLACE || (o->mechanism == AUTO && ntable <= 10);
}

static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	const opts *o = env->options;
	iso_counts_layout l;
	ISO_TRY(iso_counts_layout_new(env->schema, (size_t)o->bins, o->marg_label, &l, err));
	const double d = (double)l.ntable;
	const iso_status st =
		is_laplace(o, l.ntable)
			? iso_plan_laplace(out, (iso_entry){.why = "marginals"}, scale, 1, d, err)
			: iso_plan_gaussian(out, (iso_entry){.why = "marginals"}, scale, 1, 1,
					    sqrt(d), err);
	iso_counts_layout_free(&l);
	return st;
}

static void destroy(void *model_)
{
	model *m = model_;
	if (!m)
		return;
	iso_counts_layout_free(&m->l);
	iso_free(m->count);
	iso_free(m->cdf);
	iso_free(m->label_cdf);
	iso_free(m);
}

static iso_status model_new(const iso_gen_env *env, model **out, iso_error *err)
{
	model *m = iso_alloc(1, sizeof *m);
	if (!m)
		return iso_no_memory(err, "marginals");
	m->schema = env->schema;
	m->o = *(const opts *)env->options;
	iso_status st =
		iso_counts_layout_new(env->schema, (size_t)m->o.bins, m->o.marg_label, &m->l, err);
	if (st != ISO_OK) {
		m->l = (iso_counts_layout){0};
		goto out;
	}
	m->count = iso_alloc(m->l.total, sizeof *m->count);
	m->cdf = iso_alloc(m->l.total, sizeof *m->cdf);
	m->label_cdf = iso_alloc(m->l.joint ? m->l.bin.cells[m->l.label] : 1, sizeof *m->label_cdf);
	if (!m->count || !m->cdf || !m->label_cdf)
		st = iso_no_memory(err, "marginals");
out:
	if (st != ISO_OK)
		destroy(m);
	else
		*out = m;
	return st;
}

static void cumulate(const double *count, size_t n, double *cdf, double *tmp)
{
	for (size_t k = 0; k < n; k++)
		tmp[k] = count[k] > 0 ? count[k] : 0;
	iso_law_from_counts(tmp, n, cdf);
}

/* Everything that is a function of the released counts. */
static iso_status derive(model *m, iso_error *err)
{
	const iso_counts_layout *l = &m->l;
	const size_t labels = l->joint ? l->bin.cells[l->label] : 1;
	size_t most = labels;
	double weights = 0;
	for (size_t j = 0; j < l->bin.ncode; j++)
		most = l->bin.cells[j] > most ? l->bin.cells[j] : most;
	double *tmp = iso_alloc(most, sizeof *tmp), *ycount = iso_alloc(labels, sizeof *ycount);
	if (!tmp || !ycount) {
		iso_free(tmp);
		iso_free(ycount);
		return iso_no_memory(err, "marginals");
	}
	for (size_t j = 0; j < l->bin.ncode; j++) {
		const size_t cells = l->bin.cells[j];
		if (l->joint && j == l->label)
			continue;
		for (size_t y = 0; y < labels; y++) {
			const double *c = m->count + l->first[j] + y * cells;
			for (size_t k = 0; k < cells; k++)
				ycount[y] += c[k] / (double)cells;
			cumulate(c, cells, m->cdf + l->first[j] + y * cells, tmp);
		}
		weights += 1.0 / (double)cells;
	}
	for (size_t y = 0; y < labels; y++)
		ycount[y] /= weights > 0 ? weights : 1;
	cumulate(ycount, labels, m->label_cdf, tmp);
	iso_free(tmp);
	iso_free(ycount);
	return ISO_OK;
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	iso_binning b = {0};
	model *m = NULL;
	iso_status st;
	ISO_TRY(model_new(&f->env, &m, err));
	ISO_TRY_OUT(iso_bin_table(f->train, (size_t)m->o.bins, ISO_ENC_FEATURES | ISO_ENC_LABEL, &b,
				  err));
	iso_counts_cells(&m->l, b.code, f->train->n);
	ISO_TRY_OUT(iso_mech_histogram(f->ledger, (iso_entry){.why = "marginals"}, b.code,
				       f->train->n, m->l.ntable, m->l.total, m->count, err));
	ISO_TRY_OUT(derive(m, err));
	*out = m;
	m = NULL;
out:
	iso_binning_free(&b);
	destroy(m);
	return st;
}

static iso_status sample(const void *model_, iso_key key, iso_table *out, iso_error *err)
{
	const model *m = model_;
	const iso_counts_layout *l = &m->l;
	const iso_key bin = iso_key_child(key, "bin", 0), within = iso_key_child(key, "within", 0);
	(void)err;
	for (size_t i = 0; i < out->n; i++) {
		size_t y = 0;
		if (l->joint) {
			y = iso_law_draw(m->label_cdf, l->bin.cells[l->label],
					 iso_rand_u01(bin, i, l->label));
			iso_counts_put(l, out, i, l->label, y, 0.5);
		}
		for (size_t j = 0; j < l->bin.ncode; j++) {
			if (l->joint && j == l->label)
				continue;
			const size_t cells = l->bin.cells[j];
			const size_t k = iso_law_draw(m->cdf + l->first[j] + y * cells, cells,
						      iso_rand_u01(bin, i, j));
			iso_counts_put(l, out, i, j, k, iso_rand_u01(within, i, j));
		}
	}
	return ISO_OK;
}

/* log p(row) = [log p(y) +] sum_j log p_j(bin of x_j [| y]), a mass over bins; log 0 is given as
 * log 1e-12. */
static iso_status log_density(const void *model_, const iso_table *rows, double *out,
			      iso_error *err)
{
	const model *m = model_;
	const iso_counts_layout *l = &m->l;
	iso_binning b;
	ISO_TRY(iso_bin_table(rows, (size_t)m->o.bins, ISO_ENC_FEATURES | ISO_ENC_LABEL, &b, err));
	for (size_t i = 0; i < rows->n; i++) {
		const uint32_t *code = b.code + i * l->bin.ncode;
		const size_t y = l->joint ? code[l->label] : 0;
		out[i] = 0;
		for (size_t j = 0; j < l->bin.ncode; j++) {
			const double *cdf = l->joint && j == l->label
						    ? m->label_cdf
						    : m->cdf + l->first[j] + y * l->bin.cells[j];
			const double p = cdf[code[j]] - (code[j] ? cdf[code[j] - 1] : 0);
			out[i] += iso_log(p > 1e-12 ? p : 1e-12);
		}
	}
	iso_binning_free(&b);
	return ISO_OK;
}

static iso_status save(const void *model_, iso_str *out, iso_error *err)
{
	const model *m = model_;
	iso_part_add(out, "marginals", m->count, m->l.total * sizeof *m->count);
	return iso_str_check(out, err);
}

static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **out,
		       iso_error *err)
{
	iso_parts in = {bytes, bytes + n};
	model *m = NULL;
	ISO_TRY(model_new(env, &m, err));
	iso_status st =
		iso_part_take(&in, "marginals", m->count, m->l.total * sizeof *m->count, err);
	if (st == ISO_OK)
		st = derive(m, err);
	if (st == ISO_OK)
		*out = m;
	else
		destroy(m);
	return st;
}

static iso_status describe(const void *model_, cJSON *out, iso_error *err)
{
	const model *m = model_;
	if (!cJSON_AddNumberToObject(out, "tables", (double)m->l.ntable) ||
	    !cJSON_AddNumberToObject(out, "cells", (double)m->l.total) ||
	    !cJSON_AddStringToObject(out, "noise",
				     is_laplace(&m->o, m->l.ntable) ? "laplace" : "gaussian"))
		return iso_no_memory(err, "description of marginals");
	return ISO_OK;
}

const iso_generator iso_generator_independent = {
	.abi = ISO_GENERATOR_ABI,
	.name = "independent",
	.title = "Independent noisy marginals (baseline; marg_label: naive Bayes)",
	.citation = "folklore; for the naive-Bayes form see e.g. McKenna, Miklau, Sheldon, "
		    "\"Winning the NIST contest\", "
		    "Journal of Privacy and Confidentiality 11(3), 2021",
	.card = "Releases one noisy histogram per column (with marg_label: per column and label) "
		"and samples each "
		"column on its own.\n"
		"Privacy: a record falls into one cell of each of d tables: L2 sensitivity "
		"sqrt(d), L1 sensitivity d; "
		"one Gaussian or Laplace release pays for everything. Bins come from the schema.\n"
		"Deviations: none; no thresholding of small cells.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	.options = options,
	.options_size = sizeof(opts),
	.check = check,
	.plan = plan,
	.fit = fit,
	.sample = sample,
	.destroy = destroy,
	.log_density = log_density,
	.save = save,
	.load = load,
	.describe = describe,
	.control = "floor",
};
