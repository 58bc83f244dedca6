// SPDX-License-Identifier: Apache-2.0
/* Real or synthetic?  Logistic regression, stratified 10-fold, and the KLD and TLD of Lomurno et
 * al. (attacks.md sections 7.1, 7.2).
 *
 * Rows: the training rows as 1, as many synthetic rows as 0 (the smaller of both counts on both
 * sides).  Equal rows share a fold: a copy of a test row in the training folds, with the other
 * answer, would push the accuracy on a perfect copy far below one half.  Columns: everything, the
 * label too, standardised by the training folds.  Accuracy at 1/2, F1 with either side positive,
 * AUC: means over the folds.
 *
 *     KLD = mean over columns of KL(real || synthetic), nats, half a count added to every cell
 *     TLD = (KLD / accuracy)^(1 - AUC)
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/data/rows.h"
#include "core/learn/assess.h"
#include "core/learn/classifier.h"
#include "core/learn/kfold.h"

#include "core/math/stats.h"
#include "metrics/kit/sample.h"

#define MOST_FOLDS 20
#define KL_BINS 10
#define KL_SMOOTHING 0.5

typedef struct opts {
	double lr_c;
	int label, standardise;
	int64_t folds, max_rows;
} opts;

static const iso_option options[] = {
	ISO_OPT_REAL(opts, lr_c, "1", 1e-6, 1e6,
		     "C of the logistic regression (inverse strength of its penalty)"),
	ISO_OPT_BOOL(opts, label, "true", "the label is one of the columns"),
	ISO_OPT_BOOL(opts, standardise, "true", "columns by mean and sd of the training folds"),
	ISO_OPT_INT(opts, folds, "10", 2, MOST_FOLDS, "folds of the cross-validation"),
	ISO_OPT_INT(opts, max_rows, "0", 0, 100000000,
		    "at most so many real and so many synthetic rows; 0 = all"),
	{0}};

#define LEAST_ROWS 10 /* of each side: below, folds of one or two rows say nothing */

#define FOLDS "interval: Student's t, folds taken as independent"
#define TLD \
	"TLD grows with KLD, so junk that a linear model cannot tell apart scores high: never a " \
	"gate"
static const iso_output outputs[] = {
	{"accuracy", "discriminator accuracy", "share", ISO_LOWER, 0, 1, 0.5, FOLDS},
	{"f1_real", "discriminator F1 (real positive)", "", ISO_LOWER, 0, 1, NAN, NULL},
	{"f1_synthetic", "discriminator F1 (synthetic positive)", "", ISO_LOWER, 0, 1, NAN, NULL},
	{"auc", "discriminator AUC", "", ISO_LOWER, 0, 1, 0.5, NULL},
	{"accuracy_sd", "sd of the accuracy over folds", "share", ISO_NEITHER, 0, 1, NAN, NULL},
	{"f1_real_sd", "sd of the F1 (real positive) over folds", "", ISO_NEITHER, 0, 1, NAN, NULL},
	{"f1_synthetic_sd", "sd of the F1 (synthetic positive) over folds", "", ISO_NEITHER, 0, 1,
	 NAN, NULL},
	{"auc_sd", "sd of the AUC over folds", "", ISO_NEITHER, 0, 1, NAN, NULL},
	{"kld", "KLD, mean over columns", "nats", ISO_LOWER, 0, INFINITY, 0, NULL},
	{"kld_rowsum", "KLD times real rows", "nats", ISO_LOWER, 0, INFINITY, 0, NULL},
	{"tld", "TLD", "", ISO_NEITHER, 0, INFINITY, NAN, TLD},
	{"tld_rowsum", "TLD from KLD times real rows", "", ISO_NEITHER, 0, INFINITY, NAN, NULL},
	{"tld_degenerate", "TLD degenerate (AUC = 1)", "", ISO_LOWER, 0, 1, 0, NULL},
	{0}};
enum { ACC, F1R, F1S, AUC, NSCORE };

/* ---- the pooled rows ---- */

typedef struct pool {
	iso_table *real, *synthetic, *both; /* both = real, then synthetic; owned */
	size_t m;			    /* rows of each side */
	uint32_t *y, *fold, *row;	    /* [2m] 1 = real */
	uint32_t *yfold;		    /* [2m] of the rows at hand */
	iso_key key;
	double *prob; /* [2m][2] */
} pool;

static void pool_free(pool *p)
{
	iso_table_free(p->real);
	iso_table_free(p->synthetic);
	iso_table_free(p->both);
	iso_free(p->y);
	iso_free(p->fold);
	iso_free(p->row);
	iso_free(p->yfold);
	iso_free(p->prob);
	*p = (pool){0};
}

static iso_status pool_init(const iso_metric_view *v, size_t m, pool *p, iso_error *err)
{
	iso_status st;
	*p = (pool){.m = m, .key = v->key};
	ISO_TRY_OUT(iso_sample_table(v->train, m, iso_key_child(v->key, "real", 0), &p->real, err));
	ISO_TRY_OUT(iso_sample_table(v->synthetic, m, iso_key_child(v->key, "synthetic", 0),
				     &p->synthetic, err));
	ISO_TRY_OUT(iso_table_concat(p->real, p->synthetic, &p->both, err));
	p->y = iso_alloc(2 * m, sizeof(*p->y));
	p->fold = iso_alloc(2 * m, sizeof(*p->fold));
	p->row = iso_alloc(2 * m, sizeof(*p->row));
	p->yfold = iso_alloc(2 * m, sizeof(*p->yfold));
	p->prob = iso_alloc(4 * m, sizeof(*p->prob));
	if (!p->yfold || !p->y || !p->fold || !p->row || !p->prob) {
		st = iso_no_memory(err, "the pooled rows of a discriminator");
		goto out;
	}
	for (size_t i = 0; i < 2 * m; i++)
		p->y[i] = i < m;
	return ISO_OK;
out:
	pool_free(p);
	return st;
}

/* ---- cross-validation ---- */

/* Rows of the pool inside (or outside) a fold, into p->row. */
static size_t rows_of_fold(pool *p, size_t fold, int inside)
{
	size_t n = 0;
	for (size_t i = 0; i < 2 * p->m; i++)
		if ((p->fold[i] == fold) == inside)
			p->row[n++] = (uint32_t)i;
	return n;
}

static iso_status score_fold(const pool *p, size_t n, double score[NSCORE], iso_error *err)
{
	double tp = 0, fp = 0, fn = 0, tn = 0, *s = iso_alloc(n, sizeof(*s));
	uint8_t *y = iso_alloc(n, 1);
	if (!s || !y) {
		iso_free(s);
		iso_free(y);
		return iso_no_memory(err, "the scores of a fold");
	}
	for (size_t i = 0; i < n; i++) {
		s[i] = p->prob[2 * i + 1];
		y[i] = (uint8_t)p->y[p->row[i]];
		const int real = s[i] >= 0.5;
		tp += real && y[i];
		fp += real && !y[i];
		fn += !real && y[i];
		tn += !real && !y[i];
	}
	score[ACC] = (tp + tn) / (double)n;
	score[F1R] = iso_f1(tp, fp, fn);
	score[F1S] = iso_f1(tn, fn, fp);
	score[AUC] = iso_auc(s, y, n);
	iso_free(s);
	iso_free(y);
	return isnan(score[AUC]) ? iso_no_memory(err, "the area of a fold")
				 : ISO_OK; /* its only NaN of finite scores */
}

static iso_status one_fold(const opts *o, const iso_encoder *enc, pool *p, size_t fold,
			   double score[NSCORE], iso_error *err)
{
	const iso_lr_options lr = {.c = o->lr_c, .standardise = o->standardise};
	size_t n = rows_of_fold(p, fold, 0);
	iso_source s = iso_source_table(enc, p->both, p->row, n);
	const iso_examples e = {
		.source = &s, .n = n, .d = s.d, .y = p->yfold, .classes = 2, .options = &lr};
	void *model;
	for (size_t i = 0; i < n; i++)
		p->yfold[i] = p->y[p->row[i]];
	ISO_TRY(iso_classifier_fit(&iso_learn_lr, &e, p->key, &model, err));
	s.n = n = rows_of_fold(p, fold, 1);
	const iso_status st = iso_classifier_predict(&iso_learn_lr, model, &s, 2, p->prob, err);
	iso_learn_lr.free(model);
	return st == ISO_OK ? score_fold(p, n, score, err) : st;
}

static iso_status deal_folds(const iso_metric_view *v, pool *p, size_t folds, iso_error *err)
{
	uint32_t *first;
	ISO_TRY(iso_rows_first(p->both, &first, err));
	const iso_status st = iso_stratified_folds(iso_key_child(v->key, "folds", 0), p->y, first,
						   2 * p->m, 2, folds, p->fold, err);
	iso_free(first);
	return st;
}

/* Both classes inside the fold and outside it: else nothing can be learned or judged. */
static int usable(const pool *p, size_t fold)
{
	size_t inside[2] = {0};
	for (size_t i = 0; i < 2 * p->m; i++)
		if (p->fold[i] == fold)
			inside[p->y[i]]++;
	return inside[0] && inside[1] && inside[0] < p->m && inside[1] < p->m;
}

/* score [NSCORE][*used]: the usable ones of the folds */
static iso_status cross_validate(const iso_metric_view *v, const opts *o, pool *p, size_t folds,
				 double score[NSCORE][MOST_FOLDS], size_t *used, iso_error *err)
{
	iso_encoder *e;
	iso_status st;
	ISO_TRY(iso_encoder_new(
		v->schema, ISO_ENC_FEATURES | (o->label ? (unsigned)ISO_ENC_LABEL : 0), &e, err));
	*used = 0;
	ISO_TRY_OUT(deal_folds(v, p, folds, err));
	for (size_t f = 0; f < folds; f++) {
		double one[NSCORE] = {0};
		if (!usable(p, f))
			continue;
		ISO_TRY_OUT(one_fold(o, e, p, f, one, err));
		for (size_t k = 0; k < NSCORE; k++)
			score[k][*used] = one[k];
		(*used)++;
	}
out:
	iso_encoder_free(e);
	return st;
}

/* ---- divergence ---- */

static double kl_discrete(const iso_column *c, const double *a, const double *b, size_t m,
			  double *h)
{
	const size_t cells = c->ncategory + (c->nmissing > 0);
	memset(h, 0, 2 * (c->ncategory + 1) * sizeof(*h));
	for (size_t i = 0; i < m; i++) {
		h[isnan(a[i]) ? cells - 1 : (size_t)a[i]]++;
		h[cells + (isnan(b[i]) ? cells - 1 : (size_t)b[i])]++;
	}
	return iso_kl_counts(h, h + cells, cells, KL_SMOOTHING);
}

/* Column c of both sides; a pixel column gives one term per pixel. */
static void kl_column(const pool *p, const iso_schema *s, size_t k, double *a, double *h,
		      double *sum, double *terms)
{
	const iso_column *c = &s->column[k];
	const size_t m = p->m, many = c->type == ISO_PIXEL ? iso_column_pixels(c) : 1;
	double *b = a + m;
	for (size_t j = 0; j < many; j++) {
		for (size_t i = 0; i < m; i++) {
			a[i] = c->type == ISO_PIXEL ? p->real->pixels[i * s->npixel + c->offset + j]
						    : iso_table_cell(p->real, i, k);
			b[i] = c->type == ISO_PIXEL
				       ? p->synthetic->pixels[i * s->npixel + c->offset + j]
				       : iso_table_cell(p->synthetic, i, k);
		}
		*sum += iso_is_discrete(c) ? kl_discrete(c, a, b, m, h)
					   : iso_kl_samples(a, m, b, m, KL_BINS, KL_SMOOTHING);
		(*terms)++;
	}
}

static iso_status divergence(const pool *p, const iso_schema *s, double *kld, iso_error *err)
{
	size_t most = 0;
	for (size_t k = 0; k < s->ncol; k++)
		most = s->column[k].ncategory > most ? s->column[k].ncategory : most;
	double sum = 0, terms = 0, *a = iso_alloc(2 * p->m, sizeof(*a)),
	       *h = iso_alloc(2 * most + 2, sizeof(*h));
	if (a && h)
		for (size_t k = 0; k < s->ncol; k++)
			if (!iso_is_dropped(&s->column[k]))
				kl_column(p, s, k, a, h, &sum, &terms);
	const int ok = a && h;
	iso_free(a);
	iso_free(h);
	if (!ok)
		return iso_no_memory(err, "the divergence of the columns");
	*kld = terms > 0 ? sum / terms : 0;
	return ISO_OK;
}

/* ---- outputs ---- */

static iso_status put_tld(iso_measures *out, const char *key, double kld, const double mean[NSCORE],
			  iso_error *err)
{
	int degenerate;
	const double t = iso_tld(kld, mean[ACC], mean[AUC], &degenerate);
	if (!isfinite(t))
		return iso_measure_undefined(out, key, "the discriminator's accuracy is 0", err);
	return iso_measure_set(out, key, t, NAN, NAN, err);
}

/* Folds that all agree show no spread; what is known then is the number of rows. */
static void bounds_of(size_t which, double mean, size_t m, double *low, double *high)
{
	if (!isnan(*low)) {
		*low = fmax(0, *low);
		*high = fmin(1, *high);
	} else if (which == ACC) {
		iso_wilson(mean * 2 * (double)m, 2 * (double)m, 1.959963984540054, low, high);
	} else if (which == AUC) {
		iso_auc_interval(mean, 0, m, m, low, high);
	}
}

static iso_status put_scores(iso_measures *out, double score[NSCORE][MOST_FOLDS], size_t folds,
			     size_t m, double mean[NSCORE], iso_error *err)
{
	static const char *const key[NSCORE] = {"accuracy", "f1_real", "f1_synthetic", "auc"};
	for (size_t k = 0; k < NSCORE; k++) {
		char sd_key[32];
		double low, high;
		mean[k] = iso_mean_interval(score[k], folds, &low, &high);
		bounds_of(k, mean[k], m, &low, &high);
		ISO_TRY(iso_measure_set(out, key[k], mean[k], low, high, err));
		snprintf(sd_key, sizeof(sd_key), "%s_sd", key[k]);
		ISO_TRY(iso_measure_set(out, sd_key, iso_sd(score[k], folds), NAN, NAN, err));
	}
	return ISO_OK;
}

static iso_status all_undefined(iso_measures *out, const char *reason, iso_error *err)
{
	for (size_t i = 0; i < out->n; i++)
		ISO_TRY(iso_measure_undefined(out, out->outputs[i].key, reason, err));
	return ISO_OK;
}

static iso_status measure(const iso_metric_view *v, const void *opt, iso_measures *out,
			  iso_error *err)
{
	const opts *o = opt;
	size_t m = v->train->n < v->synthetic->n ? v->train->n : v->synthetic->n;
	if (o->max_rows && m > (size_t)o->max_rows)
		m = (size_t)o->max_rows;
	if (m < LEAST_ROWS)
		return all_undefined(out, "fewer than ten real or synthetic rows", err);
	const size_t folds = m < (size_t)o->folds ? m : (size_t)o->folds;
	size_t used;
	double score[NSCORE][MOST_FOLDS], mean[NSCORE], kld = 0;
	pool p;
	iso_status st;
	ISO_TRY(pool_init(v, m, &p, err));
	ISO_TRY_OUT(cross_validate(v, o, &p, folds, score, &used, err));
	if (used < 2) {
		st = all_undefined(out, "nearly all rows are equal: no two folds hold both sides",
				   err);
		goto out;
	}
	ISO_TRY_OUT(divergence(&p, v->schema, &kld, err));
	ISO_TRY_OUT(put_scores(out, score, used, m, mean, err));
	const double rows = (double)v->train->n;
	ISO_TRY_OUT(iso_measure_set(out, "kld", kld, NAN, NAN, err));
	ISO_TRY_OUT(iso_measure_set(out, "kld_rowsum", rows * kld, NAN, NAN, err));
	ISO_TRY_OUT(put_tld(out, "tld", kld, mean, err));
	ISO_TRY_OUT(put_tld(out, "tld_rowsum", rows * kld, mean, err));
	ISO_TRY_OUT(iso_measure_set(out, "tld_degenerate", mean[AUC] >= 1, NAN, NAN, err));
out:
	pool_free(&p);
	return st;
}

const iso_metric iso_metric_discriminator = {
	.abi = ISO_METRIC_ABI,
	.name = "discriminator",
	.title = "Real-vs-synthetic discriminator, KLD and TLD",
	.citation = "E. Lomurno, L. Di Perna, L. Cazzella, S. Samele, M. Matteucci: A Generative "
		    "Federated Learning "
		    "Framework for "
		    "Differential Privacy. 2022 (3DGL)",
	.card = "L2 logistic regression (C = 1, intercept unpenalised, converged) tells training "
		"rows from as many "
		"synthetic rows by all "
		"columns, the label included, standardised by the training folds; stratified folds "
		"(equal rows in one fold) from the cell's "
		"seed; accuracy, F1 "
		"and AUC are means over the folds. The paper gives no binning, direction or units "
		"of its KLD. Here: "
		"KL(real || "
		"synthetic) in nats over public categories or ten equal cells of the pooled range, "
		"half a count added "
		"to each cell, mean "
		"over the columns; kld_rowsum multiplies it by the number of real rows, which is "
		"the order of the "
		"published values. "
		"TLD = (KLD / accuracy)^(1 - AUC); at AUC = 1 it is 1 by definition "
		"(tld_degenerate = 1).",
	.inputs = ISO_IN_TRAIN | ISO_IN_SYNTHETIC,
	.version = 2,
	.outputs = outputs,
	.options = options,
	.options_size = sizeof(opts),
	.measure = measure,
};
