// SPDX-License-Identifier: Apache-2.0
/* Propensity mean squared error (Snoke et al. 2018; attacks.md section 7.3).
 *
 * As many real as synthetic rows; a logistic regression without penalty estimates p_i, the
 * probability that row i is synthetic;  pMSE = mean (p_i - 1/2)^2.  With k parameters (the constant
 * among them) and N rows in all, two nulls that must not be mixed:
 *
 *     two independent samples of one law:    mean (k-1)/(4N), sd sqrt(2(k-1))/(4N)
 *     synthetic rows from a correct model fitted to these very rows:  half of both
 *
 * Columns: numbers, and indicators of all but one category; every product of two of them where so
 * many parameters leave twenty rows each.  Columns that the others span are left out, so that k is
 * the rank.  A ridge of 1e-6 keeps separated rows finite; `separated` says that it was needed.
 */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/learn/logreg.h"
#include "core/math/linalg.h"
#include "metrics/kit/sample.h"

#define LEAST_ROWS 10
#define ROWS_A_PARAMETER 20
#define RIDGE 1e-6
#define SPANNED 1e-8 /* what is left of a column's unit variance */

typedef struct opts {
	int64_t max_rows;
	int interactions;
} opts;
static const iso_option options[] = {
	ISO_OPT_INT(opts, max_rows, "2500", 10, 1000000,
		    "at most so many real and so many synthetic rows, drawn at random"),
	ISO_OPT_BOOL(opts, interactions, "true",
		     "also the products of two columns, where each parameter keeps twenty rows"),
	{0}};

static const iso_output outputs[] = {
	{"pmse", "pMSE", "", ISO_LOWER, 0, 1, 0, NULL, "fidelity", 1},
	{"ratio", "pMSE over its mean for two samples of one law", "", ISO_LOWER, 0, INFINITY, NAN,
	 "1 on average for two independent samples of one law, 0 for a copy", "fidelity"},
	{"z", "pMSE, standard errors above that mean", "", ISO_LOWER, -INFINITY, INFINITY, NAN,
	 NULL, "fidelity"},
	{"ratio_fitted", "pMSE over its mean for a correct fitted model", "", ISO_LOWER, 0,
	 INFINITY, NAN, NULL, "fidelity"},
	{"parameters", "parameters of the propensity model", "", ISO_NEITHER, 1, INFINITY, NAN,
	 NULL, "fidelity"},
	{"separated", "pMSE with separated rows", "", ISO_LOWER, 0, 1, 0, NULL, "fidelity"},
	{0}};
enum { PMSE, RATIO, Z, FITTED, PARAMETERS, SEPARATED, NVALUE };

/* The columns of the model, [n][d], standardised. */
typedef struct matrix {
	double *x; /* owned [n][cap] */
	size_t n, d, cap;
} matrix;

/* The column in place d becomes one of mean 0 and variance 1, or goes when it is constant. */
static void settle_column(matrix *m)
{
	const size_t j = m->d;
	double mean = 0, var = 0;

	for (size_t i = 0; i < m->n; i++)
		mean += m->x[i * m->cap + j] / (double)m->n;
	for (size_t i = 0; i < m->n; i++) {
		const double r = m->x[i * m->cap + j] -= mean;
		var += r * r / (double)m->n;
	}
	if (!(var > 1e-14))
		return;
	for (size_t i = 0; i < m->n; i++)
		m->x[i * m->cap + j] /= sqrt(var);
	m->d++;
}

/* Which encoded columns take part: all but the last of each block of categories; block [d]. */
static size_t choose_columns(const iso_encoder *e, uint32_t *column, uint32_t *block)
{
	size_t n = 0;

	for (size_t b = 0; b < e->nblock; b++) {
		const iso_block *k = &e->block[b];
		const size_t use = k->kind == ISO_BLOCK_ONEHOT ? k->width - 1 : k->width;

		for (size_t j = 0; j < use; j++, n++) {
			column[n] = (uint32_t)(k->first + j);
			block[n] = (uint32_t)b;
		}
	}
	return n;
}

static size_t count_pairs(const uint32_t *block, size_t n)
{
	size_t pairs = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			pairs += block[i] != block[j];
	return pairs;
}

static iso_status fill(const opts *o, const iso_pooled *p, matrix *m, iso_error *err)
{
	uint32_t *column = iso_alloc(p->d, sizeof(*column)),
		 *block = iso_alloc(p->d, sizeof(*block));
	iso_encoder *e = NULL;
	iso_status st = column && block ? iso_encoder_new(p->both->schema,
							  ISO_ENC_FEATURES | ISO_ENC_LABEL, &e, err)
					: iso_no_memory(err, "propensities");

	*m = (matrix){.n = 2 * p->m};
	const size_t n = st == ISO_OK ? choose_columns(e, column, block) : 0;
	const size_t pairs = o->interactions ? count_pairs(block, n) : 0;
	const int both = pairs && (1 + n + pairs) * ROWS_A_PARAMETER < m->n;
	m->cap = n + (both ? pairs : 0) + 1;
	m->x = st == ISO_OK ? iso_alloc(m->n * m->cap, sizeof(*m->x)) : NULL;
	if (st == ISO_OK && !m->x)
		st = iso_no_memory(err, "propensities");
	for (size_t k = 0; st == ISO_OK && k < n; k++) {
		for (size_t i = 0; i < m->n; i++)
			m->x[i * m->cap + m->d] = (double)p->x[i * p->d + column[k]];
		settle_column(m);
	}
	for (size_t k = 0; st == ISO_OK && both && k < n; k++)
		for (size_t l = 0; l < k; l++) {
			for (size_t i = 0; i < m->n && block[k] != block[l]; i++)
				m->x[i * m->cap + m->d] = (double)p->x[i * p->d + column[k]] *
							  (double)p->x[i * p->d + column[l]];
			if (block[k] != block[l])
				settle_column(m);
		}
	iso_encoder_free(e);
	iso_free(column);
	iso_free(block);
	return st;
}

/* keep [d]: columns that those before do not span, by the Cholesky factor of their correlations. */
static iso_status independent(const matrix *m, uint32_t *keep, size_t *kept, iso_error *err)
{
	const size_t d = m->d;
	double *l = iso_alloc(d * d + 1, sizeof(*l)), *g = iso_alloc(d * d + 1, sizeof(*g));
	double *packed = iso_alloc(m->n * d, sizeof(*packed)), *w = iso_alloc(m->n, sizeof(*w));
	const int ok = l && g && packed && w;

	*kept = 0;
	for (size_t i = 0; ok && i < m->n; i++) {
		memcpy(packed + i * d, m->x + i * m->cap, d * sizeof(*packed));
		w[i] = 1 / (double)m->n;
	}
	if (ok)
		iso_dsyrk_weighted(m->n, d, packed, w, 0, g);
	for (size_t j = 0; ok && j < d; j++) {
		double *row = l + *kept * d, left = g[j * d + j];

		for (size_t a = 0; a < *kept; a++) {
			const double *la = l + a * d;

			row[a] = (g[j * d + keep[a]] - iso_ddot(a, la, row)) / la[a];
			left -= row[a] * row[a];
		}
		if (left > SPANNED) {
			row[*kept] = sqrt(left);
			keep[(*kept)++] = (uint32_t)j;
		}
	}
	iso_free(l);
	iso_free(g);
	iso_free(packed);
	iso_free(w);
	return ok ? ISO_OK : iso_no_memory(err, "propensities");
}

static iso_status propensities(const iso_pooled *p, const double *x, size_t d, double *value,
			       iso_error *err)
{
	const size_t n = 2 * p->m;
	iso_logreg_config c = iso_logreg_default();
	double *prob = iso_alloc(n, 2 * sizeof(*prob)), extreme = 0;
	iso_design design = {0};
	iso_logreg m = {0};
	iso_status st = prob ? ISO_OK : iso_no_memory(err, "propensities");

	c.c = 1 / RIDGE;
	c.tolerance = 1e-7 * (double)n * c.c;
	c.max_iterations = 60;
	if (st == ISO_OK)
		st = iso_design_new_f64(x, n, d, &design, err);
	if (st == ISO_OK)
		st = iso_logreg_fit(&c, &design, NULL, n, p->y, 2, &m, err);
	if (st == ISO_OK)
		st = iso_logreg_predict(&m, &design, NULL, n, prob, err);
	value[PMSE] = 0;
	for (size_t i = 0; st == ISO_OK && i < n; i++) {
		const double r = prob[2 * i] - 0.5;

		value[PMSE] += r * r / (double)n;
		extreme = fmax(extreme, fabs(r));
	}
	value[SEPARATED] = !m.converged || extreme > 0.5 - 1e-4;
	iso_logreg_free(&m);
	iso_design_free(&design);
	iso_free(prob);
	return st;
}

static iso_status estimate(const opts *o, const iso_pooled *p, double *value, iso_error *err)
{
	matrix m;
	uint32_t *keep = NULL;
	double *x = NULL;
	size_t k = 0;
	iso_status st = fill(o, p, &m, err);

	if (st == ISO_OK && !(keep = iso_alloc(m.d + 1, sizeof(*keep))))
		st = iso_no_memory(err, "propensities");
	if (st == ISO_OK)
		st = independent(&m, keep, &k, err);
	if (st == ISO_OK && !(x = iso_alloc(m.n * k + 1, sizeof(*x))))
		st = iso_no_memory(err, "propensities");
	for (size_t i = 0; st == ISO_OK && i < m.n; i++)
		for (size_t j = 0; j < k; j++)
			x[i * k + j] = m.x[i * m.cap + keep[j]];
	value[PARAMETERS] = (double)k + 1;
	value[PMSE] = value[SEPARATED] = 0;
	if (st == ISO_OK && k)
		st = propensities(p, x, k, value, err);
	const double mean = (double)k / (4.0 * (double)m.n),
		     sd = sqrt(2 * (double)k) / (4.0 * (double)m.n);
	value[RATIO] = k ? value[PMSE] / mean : NAN;
	value[FITTED] = k ? 2 * value[PMSE] / mean : NAN;
	value[Z] = k ? (value[PMSE] - mean) / sd : NAN;
	iso_free(m.x);
	iso_free(keep);
	iso_free(x);
	return st;
}

static iso_status measure(const iso_metric_view *v, const void *opt, iso_measures *out,
			  iso_error *err)
{
	const opts *o = opt;
	double value[NVALUE];
	size_t m = v->train->n < v->synthetic->n ? v->train->n : v->synthetic->n;
	const char *why = m < LEAST_ROWS ? "fewer than ten real or synthetic rows"
					 : "every column is constant";
	iso_pooled p = {0};
	iso_status st = ISO_OK;

	for (size_t i = 0; i < NVALUE; i++)
		value[i] = NAN;
	m = m < (size_t)o->max_rows ? m : (size_t)o->max_rows;
	if (m >= LEAST_ROWS)
		st = iso_pooled_new(v->train, v->synthetic, m, v->key, 1, &p, err);
	if (st == ISO_OK && m >= LEAST_ROWS)
		st = estimate(o, &p, value, err);
	iso_pooled_free(&p);
	for (size_t i = 0; st == ISO_OK && i < NVALUE; i++)
		st = iso_put(out, outputs[i].key, value[i], why, err);
	return st;
}

const iso_metric iso_metric_pmse = {
	.abi = ISO_METRIC_ABI,
	.name = "pmse",
	.title = "Propensity mean squared error",
	.citation =
		"J. Snoke, G. M. Raab, B. Nowok, C. Dibben, A. Slavkovic: General and Specific "
		"Utility Measures for Synthetic Data. Journal of the Royal Statistical Society A "
		"181(3), 2018. arXiv:1604.06651",
	.card = "A logistic regression without penalty guesses which of equally many real and "
		"synthetic rows is synthetic; pMSE is the mean squared distance of its "
		"probabilities from one half. `ratio` divides by its mean for two independent "
		"samples of one law, (k-1)/(4N), and is 1 on average for perfect synthetic rows; "
		"`ratio_fitted` divides by half of that, the null of Snoke et al. for rows drawn "
		"from a correct model fitted to these very rows. Columns: numbers, all categories "
		"but one of each column, and the products of two wherever each parameter keeps "
		"twenty rows; k is the rank.",
	.inputs = ISO_IN_TRAIN | ISO_IN_SYNTHETIC,
	.version = 1,
	.outputs = outputs,
	.options = options,
	.options_size = sizeof(opts),
	.measure = measure,
};
