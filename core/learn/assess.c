// SPDX-License-Identifier: Apache-2.0
#include "core/learn/assess.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/stats.h"
#include "core/math/vmath.h"

double iso_f1(double tp, double fp, double fn)
{
	return tp > 0 ? 2 * tp / (2 * tp + fp + fn) : 0;
}

static size_t largest(const double *p, size_t k)
{
	size_t best = 0;
	for (size_t c = 1; c < k; c++)
		best = p[c] > p[best] ? c : best;
	return best;
}

/* Accuracy and F1 from the confusion counts [classes][3]: right, wrongly called, missed. */
static void assess_labels(const double *prob, const uint32_t *truth, size_t n, size_t classes,
			  size_t positive, double *count, iso_assessment *j)
{
	memset(count, 0, 3 * classes * sizeof(*count));
	for (size_t i = 0; i < n; i++) {
		const size_t called = largest(prob + i * classes, classes);
		j->correct += called == truth[i];
		if (called == truth[i]) {
			count[3 * called]++;
		} else {
			count[3 * called + 1]++;
			count[3 * truth[i] + 2]++;
		}
	}
	j->accuracy = (double)j->correct / (double)n;
	iso_wilson((double)j->correct, (double)n, 1.959963984540054, &j->accuracy_low,
		   &j->accuracy_high);
	double sum = 0, seen = 0;
	for (size_t c = 0; c < classes; c++) {
		const double *k = count + 3 * c;
		if (k[0] + k[1] + k[2] == 0)
			continue;
		sum += iso_f1(k[0], k[1], k[2]);
		seen++;
	}
	j->f1_macro = sum / seen;
	if (classes == 2)
		j->f1_positive = iso_f1(count[3 * positive], count[3 * positive + 1],
					count[3 * positive + 2]);
}

static iso_status assess_binary(const double *prob, const uint32_t *truth, size_t n,
				size_t positive, double *s, uint8_t *y, iso_assessment *j,
				iso_error *err)
{
	iso_roc r;
	size_t npos = 0;
	for (size_t i = 0; i < n; i++) {
		s[i] = prob[2 * i + positive];
		y[i] = truth[i] == positive;
		npos += y[i];
	}
	if (npos)
		j->auprc = iso_average_precision(s, y, n);
	if (npos && isnan(j->auprc))
		return iso_no_memory(err, "the areas of a classifier");
	if (!npos || npos == n)
		return ISO_OK;
	ISO_TRY(iso_roc_of(s, y, n, &r, err));
	j->auroc_micro = j->auroc_macro = r.auc;
	j->auroc_low = r.low;
	j->auroc_high = r.high;
	return ISO_OK;
}

static iso_status assess_many(const double *prob, const uint32_t *truth, size_t n, size_t classes,
			      double *s, uint8_t *y, iso_assessment *j, iso_error *err)
{
	double area = 0, precision = 0, areas = 0, precisions = 0;
	for (size_t e = 0; e < n * classes; e++)
		y[e] = truth[e / classes] == e % classes;
	j->auroc_micro = iso_auc(prob, y, n * classes);
	for (size_t c = 0; c < classes; c++) {
		size_t npos = 0;
		for (size_t i = 0; i < n; i++) {
			s[i] = prob[i * classes + c];
			y[i] = truth[i] == c;
			npos += y[i];
		}
		if (npos) {
			precision += iso_average_precision(s, y, n);
			precisions++;
		}
		if (npos && npos < n) {
			area += iso_auc(s, y, n);
			areas++;
		}
	}
	if (areas > 0)
		j->auroc_macro = area / areas;
	if (precisions > 0)
		j->auprc = precision / precisions;
	/* of finite scores these are NaN only for lack of memory */
	return isnan(area + precision + j->auroc_micro)
		       ? iso_no_memory(err, "the areas of a classifier")
		       : ISO_OK;
}

iso_status iso_assess(const double *prob, const uint32_t *truth, size_t n, size_t classes,
		      size_t positive, iso_assessment *out, iso_error *err)
{
	iso_assessment j = {.n = n,
			    .accuracy = NAN,
			    .accuracy_low = NAN,
			    .accuracy_high = NAN,
			    .f1_positive = NAN,
			    .f1_macro = NAN,
			    .auroc_micro = NAN,
			    .auroc_macro = NAN,
			    .auroc_low = NAN,
			    .auroc_high = NAN,
			    .auprc = NAN};
	*out = j;
	if (!n || classes < 2)
		return ISO_OK;
	for (size_t e = 0; e < n * classes; e++)
		ISO_FAIL_IF(!isfinite(prob[e]), err, ISO_E_NUMERIC,
			    "a predicted probability is not finite (row %zu, class %zu)",
			    e / classes, e % classes);
	double *s = iso_alloc(n + 3 * classes, sizeof(*s));
	uint8_t *y = iso_alloc(n, classes);
	iso_status st = ISO_OK;
	if (!s || !y) {
		st = iso_no_memory(err, "the scores of a classifier");
	} else {
		assess_labels(prob, truth, n, classes, positive, s + n, &j);
		if (classes == 2)
			st = assess_binary(prob, truth, n, positive, s, y, &j, err);
		else
			st = assess_many(prob, truth, n, classes, s, y, &j, err);
	}
	iso_free(s);
	iso_free(y);
	if (st == ISO_OK)
		*out = j;
	return st;
}

double iso_kl_counts(const double *p, const double *q, size_t k, double smoothing)
{
	double np = 0, nq = 0, s = 0;
	for (size_t c = 0; c < k; c++) {
		np += p[c] + smoothing;
		nq += q[c] + smoothing;
	}
	for (size_t c = 0; c < k; c++) {
		const double a = (p[c] + smoothing) / np, b = (q[c] + smoothing) / nq;
		if (a > 0)
			s += b > 0 ? a * iso_log(a / b) : INFINITY;
	}
	return s > 0 ? s : 0;
}

static void pooled_range(const double *x, size_t n, double *lo, double *hi, int *missing)
{
	for (size_t i = 0; i < n; i++) {
		*missing |= isnan(x[i]);
		*lo = x[i] < *lo ? x[i] : *lo;
		*hi = x[i] > *hi ? x[i] : *hi;
	}
}

static void fill_bins(const double *x, size_t n, double lo, double hi, size_t bins, double *count)
{
	for (size_t i = 0; i < n; i++) {
		const double at = hi > lo ? floor((x[i] - lo) / (hi - lo) * (double)bins) : 0;
		if (isnan(x[i]))
			count[bins]++;
		else
			count[at < (double)bins ? (size_t)at : bins - 1]++;
	}
}

double iso_kl_samples(const double *p, size_t np, const double *q, size_t nq, size_t bins,
		      double smoothing)
{
	enum { MOST = 64 };
	double a[MOST + 1] = {0}, b[MOST + 1] = {0}, lo = INFINITY, hi = -INFINITY;
	int missing = 0;
	pooled_range(p, np, &lo, &hi, &missing);
	pooled_range(q, nq, &lo, &hi, &missing);
	if (!bins || bins > MOST)
		return NAN;
	if (!(hi > lo))
		bins = 1; /* constant, or missing throughout */
	fill_bins(p, np, lo, hi, bins, a);
	fill_bins(q, nq, lo, hi, bins, b);
	return iso_kl_counts(a, b, bins + (missing ? 1 : 0), smoothing);
}

double iso_tv_counts(const double *p, const double *q, size_t k)
{
	double np = 0, nq = 0, s = 0;
	for (size_t c = 0; c < k; c++) {
		np += p[c];
		nq += q[c];
	}
	if (!(np > 0) || !(nq > 0))
		return np > 0 || nq > 0;
	for (size_t c = 0; c < k; c++)
		s += fabs(p[c] / np - q[c] / nq);
	return fmin(1, 0.5 * s);
}

double iso_tld(double kld, double accuracy, double auc, int *degenerate)
{
	*degenerate = auc >= 1;
	if (!(accuracy > 0) || !(kld >= 0) || !(auc >= 0))
		return NAN;
	if (*degenerate)
		return 1;
	if (kld == 0)
		return 0;
	return iso_pow(kld / accuracy, 1 - auc);
}

double iso_inception_score(const double *prob, size_t n, size_t k)
{
	double *mean = iso_alloc(k, sizeof(*mean)), sum = 0;

	for (size_t e = 0; mean && e < n * k; e++)
		mean[e % k] += prob[e] / (double)n;
	for (size_t e = 0; mean && e < n * k; e++)
		sum += prob[e] > 0 ? prob[e] * iso_log(prob[e] / mean[e % k]) : 0;
	const int ok = mean && n;
	iso_free(mean);
	return ok ? iso_exp(fmax(0, sum / (double)n)) : NAN;
}
