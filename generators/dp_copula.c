// SPDX-License-Identifier: Apache-2.0
/* dp-copula: noisy margins joined by a Gaussian copula of noisy rank correlations (Li, Xiong, Jiang
 * 2014, "DPCopula-Kendall").
 *
 * ALGORITHM (method card "dp-copula").  Numbers are cut into `bins` bins of their public bounds;
 * categories are taken in the order of the schema.  m columns, P = m (m-1) / 2 pairs.
 *  1. Release the counts of every column.
 *  2. correlation=tau: release Kendall's tau-a of every pair.  Ties count zero in tau-a, so it is
 *     divided by sqrt((1 - sum p^2)(1 - sum q^2)) of the released margins p, q (which makes it
 *     tau-b), and r = sin(pi/2 tau).
 *     correlation=cov: release S = sum z z^T of normal scores z_j = Phi^-1(middle of the cell in
 *     the released law of column j), cut to [-3, 3], and z scaled back to |z|^2 <= 2 m + 6;
 *     r = S_ij / sqrt(S_ii S_jj).
 *  3. Raise eigenvalues below 1e-3 and scale to a unit diagonal.
 *  4. Sample z ~ N(0, R), x_j = the cell of the released law of column j at Phi(z_j).
 *
 * PRIVACY ARGUMENT.  Neighbours: add or remove one record.  A share k/(k+1) for the margins.
 *  "margin"      m histograms of sensitivity 1.
 *  "correlation" tau: one joint release (iso_mech_kendall) whose entries move by 2/(n-1) each, with
 *                tau normalised by the public n.
 *                cov: one sum of the vector (z_i z_j, i <= j, off the diagonal times sqrt 2), of
 *                norm |z|^2 <= 2 m + 6; the scores follow from the released margins.
 *  The rest is post-processing.
 *
 * DEVIATIONS.  Plain noisy histograms instead of Fourier perturbation (EFPA) of the margins.  noise
 * is Gaussian with five columns and more: P Laplace releases cost P times one, P Gaussian ones
 * sqrt P times.  tau is normalised by the public n: 2/(n-1) instead of 4/(n+1) for the actual n.
 *
 * COST.  A pass over the rows and bins^2 cells per pair. */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/linalg.h"
#include "core/math/special.h"
#include "core/math/vmath.h"
#include "generators/kit/correlation.h"
#include "generators/kit/discrete.h"
#include "generators/kit/labels.h"
#include "generators/kit/parts.h"

#define EIGEN_FLOOR 1e-3
enum { TAU, COV };
enum { AUTO, GAUSSIAN, LAPLACE };

typedef struct opts {
	int correlation, noise;
	int64_t bins;
	double k;
} opts;

static const iso_option options[] = {
	ISO_OPT_ENUM(opts, correlation, "tau", "tau|cov",
		     "Kendall's tau, or the covariance of normal scores"),
	ISO_OPT_ENUM(opts, noise, "auto", "auto|gaussian|laplace",
		     "auto: gaussian with five columns and more (cov: always)"),
	ISO_OPT_INT(opts, bins, "64", 2, 256, "equal-width bins of a numeric column"),
	ISO_OPT_REAL(opts, k, "8", 0.01, 1000,
		     "budget of the margins over that of the correlations"),
	{0},
};

typedef struct model {
	opts o;
	iso_discrete cols;
	size_t m, pairs;
	double *law;  /* [cols.bin.total] cumulative, column after column; owned */
	double *r;    /* [m][m] correlations; owned */
	double *root; /* [m][m] its Cholesky factor; owned */
} model;

static int gaussian(const opts *o, size_t m)
{
	return o->noise == GAUSSIAN || (o->noise == AUTO && m >= 5);
}

static iso_status check(const iso_gen_env *env, iso_error *err)
{
	const opts *o = env->options;
	ISO_FAIL_IF(o->correlation == COV && o->noise == LAPLACE, err, ISO_E_CONFIG,
		    "noise (dp-copula): the covariance is bounded in L2 only; set noise=gaussian "
		    "or correlation=tau");
	return ISO_OK;
}

/* count releases of this sensitivity, with the share of the free scale. */
static iso_status add(iso_plan *out, const char *why, int normal, double scale, double share,
		      uint64_t count, double sensitivity, iso_error *err)
{
	const iso_entry entry = {.why = why};
	const double n = (double)count;
	return normal ? iso_plan_gaussian(out, entry, scale * sqrt(n / share), 1, count,
					  sensitivity, err)
		      : iso_plan_laplace(out, entry, scale * n / share, count, sensitivity, err);
}

static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	const opts *o = env->options;
	const double share = o->k / (o->k + 1);
	iso_discrete cols;
	ISO_TRY(iso_discrete_new(env->schema, (size_t)o->bins, &cols, err));
	const size_t m = cols.bin.ncode;
	const int normal = gaussian(o, m);
	iso_discrete_free(&cols);
	ISO_TRY(add(out, "margin", normal, scale, share, m, 1, err));
	if (m < 2)
		return ISO_OK;
	if (o->correlation == COV)
		return add(out, "correlation", 1, scale, 1 - share, 1, 2 * (double)m + 6, err);
	return add(out, "correlation", normal, scale, 1 - share, 1,
		   iso_kendall_moves(env->n, m, normal ? ISO_NORM_L2 : ISO_NORM_L1), err);
}

/* ------------------------------------------------------------------ model */

static void destroy(void *model_)
{
	model *m = model_;
	if (!m)
		return;
	iso_discrete_free(&m->cols);
	iso_free(m->law);
	iso_free(m->r);
	iso_free(m->root);
	iso_free(m);
}

static iso_status model_new(const iso_gen_env *env, model **out, iso_error *err)
{
	model *m = iso_alloc(1, sizeof *m);
	iso_status st;
	if (!m)
		return iso_no_memory(err, "a copula");
	m->o = *(const opts *)env->options;
	ISO_TRY_OUT(iso_discrete_new(env->schema, (size_t)m->o.bins, &m->cols, err));
	m->m = m->cols.bin.ncode;
	m->pairs = m->m * (m->m - 1) / 2;
	m->law = iso_alloc(m->cols.bin.total, sizeof *m->law);
	m->r = iso_alloc(m->m, m->m * sizeof *m->r);
	m->root = iso_alloc(m->m, m->m * sizeof *m->root);
	if (!m->law || !m->r || !m->root)
		st = iso_no_memory(err, "a copula");
out:
	if (st != ISO_OK)
		destroy(m);
	else
		*out = m;
	return st;
}

static iso_status factorise(model *m, iso_error *err)
{
	memcpy(m->root, m->r, m->m * m->m * sizeof *m->root);
	return iso_cholesky(m->root, m->m, err);
}

/* ------------------------------------------------------------------ fit */

static iso_status margins(model *m, const iso_fit *f, const iso_binning *rows, iso_error *err)
{
	double *count = iso_alloc(m->cols.bin.total, sizeof *count);
	iso_status st = count ? ISO_OK : iso_no_memory(err, "margins");
	for (size_t j = 0; j < m->m && st == ISO_OK; j++) {
		const iso_scope s = {.n = 1, .v = {(uint32_t)j}};
		const size_t n = m->cols.bin.cells[j];
		st = iso_discrete_release(rows, f->train->n, m->cols.bin.cells, &s, f->ledger,
					  (iso_entry){.why = "margin"}, count, err);
		for (size_t c = 0; c < n; c++)
			count[c] = fmax(count[c], 0);
		if (st == ISO_OK)
			iso_law_from_counts(count, n, m->law + m->cols.bin.first[j]);
	}
	iso_free(count);
	return st;
}

/* sqrt(1 - sum p^2) of column j. */
static double untied(const model *m, size_t j)
{
	return iso_untied_share(m->law + m->cols.bin.first[j], m->cols.bin.cells[j]);
}

static iso_status by_tau(model *m, const iso_fit *f, const iso_binning *rows, iso_error *err)
{
	double *tau = iso_alloc(m->pairs, sizeof *tau);
	size_t at = 0;
	if (!tau)
		return iso_no_memory(err, "rank correlations");
	const iso_status st =
		iso_mech_kendall(f->ledger, (iso_entry){.why = "correlation"}, rows->code,
				 f->train->n, m->m, m->cols.bin.cells, f->env.n, tau, err);
	for (size_t i = 0; i < m->m && st == ISO_OK; i++)
		for (size_t j = i + 1; j < m->m; j++) {
			const double b = tau[at++] / (untied(m, i) * untied(m, j));
			const double cut = b < -1 ? -1 : b > 1 ? 1 : b;
			m->r[i * m->m + j] = m->r[j * m->m + i] =
				iso_sin(1.57079632679489662 * cut);
		}
	iso_free(tau);
	return st;
}

static iso_status by_scores(model *m, const iso_fit *f, const iso_binning *rows, iso_error *err)
{
	const size_t dim = m->pairs + m->m;
	const iso_sum_block block = {.dim = dim, .clip = 2 * (double)m->m + 6, .norm = ISO_NORM_L2};
	double *z = iso_alloc(m->cols.bin.total + m->m + dim, sizeof *z);
	double *row = z + m->cols.bin.total, *s = row + m->m;
	iso_sum_stream *stream = NULL;
	iso_status st;
	if (!z)
		return iso_no_memory(err, "normal scores");
	for (size_t j = 0; j < m->m; j++)
		iso_normal_scores(m->law + m->cols.bin.first[j], m->cols.bin.cells[j],
				  z + m->cols.bin.first[j]);
	ISO_TRY_OUT(iso_mech_sum_begin(f->ledger, (iso_entry){.why = "correlation"}, f->train->id,
				       f->train->n, &block, 1, &stream, err));
	for (size_t r = 0; r < f->train->n && st == ISO_OK; r++) {
		for (size_t j = 0; j < m->m; j++)
			row[j] = z[m->cols.bin.first[j] + rows->code[r * m->m + j]];
		iso_moment_vector(row, m->m, block.clip, s);
		st = iso_mech_sum_add(stream, (uint32_t)r, s, err);
	}
	if (st != ISO_OK) {
		iso_mech_sum_cancel(stream);
		goto out;
	}
	ISO_TRY_OUT(iso_mech_sum_finish(stream, s, err));
	/* at least a tenth of what n standard scores give */
	iso_moment_correlations(s, m->m, 0.1 * (double)f->env.n + 1, m->r);
out:
	iso_free(z);
	return st;
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	iso_binning rows = {0};
	model *m = NULL;
	iso_status st;
	ISO_TRY(model_new(&f->env, &m, err));
	ISO_TRY_OUT(iso_discrete_rows(&m->cols, f->train, &rows, err));
	ISO_TRY_OUT(margins(m, f, &rows, err));
	if (m->m > 1)
		ISO_TRY_OUT((m->o.correlation == TAU ? by_tau : by_scores)(m, f, &rows, err));
	for (size_t i = 0; i < m->m; i++)
		m->r[i * m->m + i] = 1;
	ISO_TRY_OUT(iso_make_correlation(m->r, m->m, EIGEN_FLOOR, err));
	ISO_TRY_OUT(factorise(m, err));
	*out = m;
	m = NULL;
out:
	iso_binning_free(&rows);
	destroy(m);
	return st;
}

/* ------------------------------------------------------------------ what the model gives */

static iso_status sample(const void *model_, iso_key key, iso_table *out, iso_error *err)
{
	const model *m = model_;
	const iso_key normal = iso_key_child(key, "normal", 0),
		      within = iso_key_child(key, "within", 0);
	float *g = iso_alloc(m->m, sizeof *g);
	if (!g)
		return iso_no_memory(err, "a row");
	for (size_t i = 0; i < out->n; i++) {
		iso_rand_fill_normal(normal, i, 0, 1, g, m->m);
		for (size_t j = 0; j < m->m; j++) {
			double z = 0;
			for (size_t k = 0; k <= j; k++)
				z += m->root[j * m->m + k] * (double)g[k];
			iso_discrete_put(&m->cols, within, out, i, j,
					 iso_law_draw(m->law + m->cols.bin.first[j],
						      m->cols.bin.cells[j], iso_norm_cdf(z)));
		}
	}
	iso_free(g);
	return ISO_OK;
}

static iso_status save(const void *model_, iso_str *out, iso_error *err)
{
	const model *m = model_;
	iso_part_add(out, "margins", m->law, m->cols.bin.total * sizeof *m->law);
	iso_part_add(out, "correlations", m->r, m->m * m->m * sizeof *m->r);
	return iso_str_check(out, err);
}

static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **out,
		       iso_error *err)
{
	iso_parts in = {bytes, bytes + n};
	model *m = NULL;
	iso_status st;
	ISO_TRY(model_new(env, &m, err));
	ISO_TRY_OUT(iso_part_take(&in, "margins", m->law, m->cols.bin.total * sizeof *m->law, err));
	ISO_TRY_OUT(iso_part_take(&in, "correlations", m->r, m->m * m->m * sizeof *m->r, err));
	ISO_TRY_OUT(factorise(m, err));
	*out = m;
	m = NULL;
out:
	destroy(m);
	return st;
}

static iso_status describe(const void *model_, cJSON *out, iso_error *err)
{
	const model *m = model_;
	double most = 0;
	for (size_t i = 0; i < m->m * m->m; i++)
		if (i / m->m != i % m->m)
			most = fmax(most, fabs(m->r[i]));
	if (!cJSON_AddNumberToObject(out, "columns", (double)m->m) ||
	    !cJSON_AddNumberToObject(out, "cells", (double)m->cols.bin.total) ||
	    !cJSON_AddNumberToObject(out, "largest_correlation", most))
		return iso_no_memory(err, "description of a copula");
	return ISO_OK;
}

const iso_generator iso_generator_dp_copula = {
	.abi = ISO_GENERATOR_ABI,
	.name = "dp-copula",
	.title = "DPCopula: noisy margins joined by a Gaussian copula",
	.citation = "H. Li, L. Xiong, X. Jiang, \"Differentially Private Synthesization of "
		    "Multi-Dimensional Data using Copula Functions\", EDBT 2014",
	.card = "Releases the counts of every column and Kendall's rank correlations (or the "
		"covariance of normal scores), and samples correlated normals through the noisy "
		"margins.\n"
		"Privacy: histograms of sensitivity 1; one joint release of correlations that "
		"move by 2/(n-1) each, or one sum of clipped second moments.\n"
		"Deviations: plain histograms, Gaussian noise with five columns and more, tau "
		"corrected for ties by the released margins.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_TABULAR | ISO_ACCEPTS_SEQUENCE | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	.options = options,
	.options_size = sizeof(opts),
	.check = check,
	.plan = plan,
	.fit = fit,
	.sample = sample,
	.destroy = destroy,
	.save = save,
	.load = load,
	.describe = describe,
};
