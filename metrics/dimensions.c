// SPDX-License-Identifier: Apache-2.0
/* Dimension-wise probability and prediction (Choi et al. 2017; Xie et al. 2018; attacks.md section
 * 8).
 *
 *     probability  mean of every encoded column (a category's share, a number's mean on [0,1]) in
 *                  real against synthetic rows; R2 about the diagonal
 *     prediction   every column from all others by logistic regression, trained on real and on
 *                  synthetic rows, area on real test rows; a number is predicted as above or not
 *                  above the median of the real training rows
 *
 * Columns with one class among the real training or test rows are skipped.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/learn/assess.h"
#include "core/learn/classifier.h"
#include "core/learn/kfold.h"
#include "core/math/stats.h"
#include "metrics/kit/sample.h"

typedef struct opts {
	int64_t max_rows, columns;
} opts;
static const iso_option options[] = {
	ISO_OPT_INT(opts, max_rows, "1500", 10, 100000000,
		    "prediction: at most so many rows of each table, drawn at random"),
	ISO_OPT_INT(opts, columns, "20", 1, 100000,
		    "prediction: at most so many columns, drawn at random"),
	{0}};

static const iso_output outputs[] = {
	{"probability_rmse", "dimension-wise probability, RMSE", "", ISO_LOWER, 0, 1, 0, NULL,
	 "fidelity", 1},
	{"probability_r2", "dimension-wise probability, R2", "", ISO_HIGHER, -INFINITY, 1, 1, NULL,
	 "fidelity"},
	{"probability_max", "dimension-wise probability, largest difference", "", ISO_LOWER, 0, 1,
	 0, NULL, "fidelity"},
	{"prediction_auroc", "dimension-wise prediction, mean AUROC", "", ISO_HIGHER, 0, 1, NAN,
	 NULL, "utility", 1, "real.prediction_auroc", 0.5},
	{"real.prediction_auroc", "dimension-wise prediction, real training rows, mean AUROC", "",
	 ISO_NEITHER, 0, 1, NAN, NULL, "utility", 0, "real.prediction_auroc", 0.5},
	{"prediction_rmse", "dimension-wise prediction, RMSE of the areas", "", ISO_LOWER, 0, 1, 0,
	 NULL, "utility"},
	{"prediction_columns", "columns predicted", "", ISO_NEITHER, 0, INFINITY, NAN, NULL,
	 "utility"},
	{0}};

/* ---- probability ---- */

static void column_means(const float *x, size_t n, size_t d, double *mean)
{
	memset(mean, 0, d * sizeof(*mean));
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < d; j++)
			mean[j] += (double)x[i * d + j] / (double)n;
}

static iso_status put_probability(const iso_encoder *e, const iso_metric_view *v, iso_measures *out,
				  iso_error *err)
{
	const char *why = "no rows, or equal means";
	const size_t d = e->dim;
	float *x = NULL, *y = NULL;
	double *a = iso_alloc(d, sizeof(*a)), *b = iso_alloc(d, sizeof(*b)), left = 0, all = 0,
	       most = 0;
	iso_status st = a && b ? ISO_OK : iso_no_memory(err, "means");
	const int ok = v->train->n && v->synthetic->n;

	ISO_TRY_OUT(st);
	ISO_TRY_OUT(iso_encode_new(e, v->train, &x, err));
	ISO_TRY_OUT(iso_encode_new(e, v->synthetic, &y, err));
	if (ok) {
		column_means(x, v->train->n, d, a);
		column_means(y, v->synthetic->n, d, b);
	}
	const double mean = iso_mean(a, d);
	for (size_t j = 0; j < d; j++) {
		left += (a[j] - b[j]) * (a[j] - b[j]);
		all += (a[j] - mean) * (a[j] - mean);
		most = fmax(most, fabs(a[j] - b[j]));
	}
	ISO_TRY_OUT(iso_put(out, "probability_rmse", ok ? sqrt(left / (double)d) : NAN, why, err));
	ISO_TRY_OUT(
		iso_put(out, "probability_r2", ok && all > 1e-15 ? 1 - left / all : NAN, why, err));
	ISO_TRY_OUT(iso_put(out, "probability_max", ok ? fmin(1, most) : NAN, why, err));
	if (ok)
		ISO_TRY_OUT(iso_measure_points(out, "probability_rmse", a, b, d, err));
out:
	iso_free(x);
	iso_free(y);
	iso_free(a);
	iso_free(b);
	return st;
}

/* ---- prediction ---- */

/* Rows of a table without column c; y the class of column c; rows where it is missing left out. */
typedef struct part {
	float *x;    /* owned [n][d] */
	uint32_t *y; /* owned [n] */
	size_t n, d;
} part;

static void part_free(part *p)
{
	iso_free(p->x);
	iso_free(p->y);
	*p = (part){0};
}

static size_t width_of(const iso_encoder *e, size_t c)
{
	size_t w = 0;

	for (size_t b = 0; b < e->nblock; b++)
		w += e->block[b].column == c ? e->block[b].width : 0;
	return w;
}

/* x [n][dim] the whole rows */
static iso_status part_new(const iso_encoder *e, const iso_table *t, const float *x, size_t c,
			   double middle, part *p, iso_error *err)
{
	const int discrete = iso_is_discrete(&t->schema->column[c]);

	*p = (part){.d = e->dim - width_of(e, c)};
	p->x = iso_alloc(t->n * p->d, sizeof(*p->x));
	p->y = iso_alloc(t->n, sizeof(*p->y));
	if (!p->x || !p->y) {
		part_free(p);
		return iso_no_memory(err, "rows without a column");
	}
	for (size_t r = 0; r < t->n; r++) {
		const double v = iso_table_cell(t, r, c);
		float *to = p->x + p->n * p->d;

		if (isnan(v))
			continue;
		p->y[p->n++] = discrete ? (uint32_t)v : v > middle;
		for (size_t b = 0; b < e->nblock; b++) {
			const iso_block *k = &e->block[b];

			if (k->column == c)
				continue;
			memcpy(to, x + r * e->dim + k->first, k->width * sizeof(*to));
			to += k->width;
		}
	}
	return ISO_OK;
}

static int one_class(const part *p)
{
	for (size_t i = 1; i < p->n; i++)
		if (p->y[i] != p->y[0])
			return 0;
	return 1;
}

static iso_status area_of(const part *train, const part *test, size_t classes, double *area,
			  iso_error *err)
{
	const iso_examples e = {
		.x = train->x, .n = train->n, .d = train->d, .y = train->y, .classes = classes};
	double *prob = iso_alloc(test->n * classes, sizeof(*prob));
	iso_assessment a;
	iso_status st = prob ? iso_classify(&iso_learn_lr, &e, iso_key_new(0, "metrics/dimensions"),
					    test->x, test->n, prob, err)
			     : iso_no_memory(err, "predictions");

	if (st == ISO_OK)
		st = iso_assess(prob, test->y, test->n, classes, classes - 1, &a, err);
	*area = st == ISO_OK ? a.auroc_macro : NAN;
	iso_free(prob);
	return st;
}

typedef struct bench {
	const iso_encoder *e;
	iso_table *t[3]; /* owned: training, test, synthetic */
	float *x[3];	 /* owned */
	double real, synthetic, square, columns;
} bench;

static double middle_of(const iso_table *t, size_t c)
{
	double *v = iso_alloc(t->n, sizeof(*v)), m;
	size_t n = 0;

	for (size_t r = 0; v && r < t->n; r++)
		if (!isnan(iso_table_cell(t, r, c)))
			v[n++] = iso_table_cell(t, r, c);
	m = v ? iso_quantile(v, n, 0.5) : NAN;
	iso_free(v);
	return m;
}

static iso_status predict_column(bench *b, size_t c, iso_error *err)
{
	const iso_column *col = &b->t[0]->schema->column[c];
	const size_t classes = iso_is_discrete(col) ? col->ncategory : 2;
	const double middle = iso_is_discrete(col) ? 0 : middle_of(b->t[0], c);
	double area[2];
	part p[3] = {{0}};
	iso_status st = ISO_OK;

	for (int i = 0; i < 3; i++)
		ISO_TRY_OUT(part_new(b->e, b->t[i], b->x[i], c, middle, &p[i], err));
	if (classes < 2 || !p[2].n || one_class(&p[0]) || one_class(&p[1]))
		goto out;
	ISO_TRY_OUT(area_of(&p[0], &p[1], classes, &area[0], err));
	ISO_TRY_OUT(area_of(&p[2], &p[1], classes, &area[1], err));
	if (isnan(area[0]) || isnan(area[1]))
		goto out;
	b->real += area[0];
	b->synthetic += area[1];
	b->square += (area[0] - area[1]) * (area[0] - area[1]);
	b->columns++;
out:
	for (int i = 0; i < 3; i++)
		part_free(&p[i]);
	return st;
}

/* All columns that are no pixels, or `most` of them by a constant key. */
static iso_status choose(const iso_schema *s, size_t most, uint32_t **column, size_t *n,
			 iso_error *err)
{
	uint32_t *all = iso_alloc(s->ncol, sizeof(*all)), *pick = NULL;
	size_t m = 0;
	iso_status st = all ? ISO_OK : iso_no_memory(err, "columns");

	for (size_t c = 0; all && c < s->ncol; c++)
		if (!iso_is_dropped(&s->column[c]) && s->column[c].type != ISO_PIXEL)
			all[m++] = (uint32_t)c;
	*n = m < most ? m : most;
	if (st == ISO_OK)
		st = iso_subset(iso_key_new(0, "metrics/dimensions/columns"), m, *n, &pick, err);
	for (size_t i = 0; st == ISO_OK && i < *n; i++)
		all[i] = all[pick[i]];
	iso_free(pick);
	if (st != ISO_OK) {
		iso_free(all);
		all = NULL;
	}
	*column = all;
	return st;
}

static iso_status predict_all(bench *b, const iso_metric_view *v, const opts *o, iso_error *err)
{
	const size_t most = (size_t)o->max_rows;
	const iso_key fixed = iso_key_new(0, "metrics/dimensions/rows");
	uint32_t *column = NULL;
	size_t n = 0;
	iso_status st;

	ISO_TRY_OUT(
		iso_sample_table(v->train, most, iso_key_child(fixed, "train", 0), &b->t[0], err));
	ISO_TRY_OUT(
		iso_sample_table(v->test, most, iso_key_child(fixed, "test", 0), &b->t[1], err));
	ISO_TRY_OUT(iso_sample_table(v->synthetic, most, iso_key_child(v->key, "rows", 0), &b->t[2],
				     err));
	for (int i = 0; i < 3; i++)
		ISO_TRY_OUT(iso_encode_new(b->e, b->t[i], &b->x[i], err));
	ISO_TRY_OUT(choose(v->schema, (size_t)o->columns, &column, &n, err));
	for (size_t i = 0; i < n && b->t[0]->n && b->t[1]->n && b->t[2]->n; i++)
		if (b->e->dim > width_of(b->e, column[i]))
			ISO_TRY_OUT(predict_column(b, column[i], err));
out:
	iso_free(column);
	for (int i = 0; i < 3; i++) {
		iso_table_free(b->t[i]);
		iso_free(b->x[i]);
	}
	return st;
}

static iso_status measure(const iso_metric_view *v, const void *opt, iso_measures *out,
			  iso_error *err)
{
	const char *why = "no column could be predicted";
	iso_encoder *e;
	bench b = {0};
	iso_status st;

	ISO_TRY(iso_encoder_new(v->schema, ISO_ENC_FEATURES | ISO_ENC_LABEL, &e, err));
	b.e = e;
	ISO_TRY_OUT(put_probability(e, v, out, err));
	ISO_TRY_OUT(predict_all(&b, v, opt, err));
	const double n = b.columns > 0 ? b.columns : NAN;
	ISO_TRY_OUT(iso_put(out, "prediction_auroc", b.synthetic / n, why, err));
	ISO_TRY_OUT(iso_put(out, "real.prediction_auroc", b.real / n, why, err));
	ISO_TRY_OUT(iso_put(out, "prediction_rmse", sqrt(b.square / n), why, err));
	ISO_TRY_OUT(iso_put(out, "prediction_columns", b.columns, why, err));
out:
	iso_encoder_free(e);
	return st;
}

const iso_metric iso_metric_dimensions = {
	.abi = ISO_METRIC_ABI,
	.name = "dimensions",
	.title = "Dimension-wise probability and prediction",
	.citation =
		"E. Choi, S. Biswal, B. Malin, J. Duke, W. F. Stewart, J. Sun: Generating "
		"Multi-label Discrete Patient Records using Generative Adversarial Networks. MLHC "
		"2017. arXiv:1703.06490; L. Xie, K. Lin, S. Wang, F. Wang, J. Zhou: Differentially "
		"Private Generative Adversarial Network. arXiv:1802.06739, 2018",
	.card = "Probability: the mean of every encoded column in the synthetic against the real "
		"training rows (shares of categories, means of numbers on [0,1]), R2 about the "
		"diagonal. Prediction: every column from all others by logistic regression trained "
		"on "
		"real and on synthetic rows, area (macro) on real test rows; numbers are predicted "
		"as "
		"above or not above the real median. Columns of one class are skipped.",
	.inputs = ISO_IN_TRAIN | ISO_IN_TEST | ISO_IN_SYNTHETIC,
	.version = 2,
	.outputs = outputs,
	.options = options,
	.options_size = sizeof(opts),
	.measure = measure,
};
