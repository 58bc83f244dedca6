// SPDX-License-Identifier: Apache-2.0
/* Fidelity of sequences: one row is one series of one or several variables.
 *
 *     autocorrelation  mean over numeric variables and lags 1..max_lag of |r_k(real) - r_k(syn)|,
 *                      r_k = sum (x_t - m)(x_(t+k) - m) / n_k / variance, pooled over all rows
 *     profile          mean over steps of the difference of the steps' means (a daily profile when
 * a row is a day), numbers scaled to [0,1] profile_w1       the same of the Wasserstein-1 distance
 * of the steps' values length           difference of the mean lengths, as a share of the steps dtw
 * median dynamic-time-warping distance of a synthetic row to its nearest training row, beside that
 * of a hold-out row: sqrt of the least sum of squared differences over warpings within `band` of
 * the diagonal; a category differs by 1
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/stats.h"
#include "metrics/kit/sample.h"

typedef struct opts {
	int64_t max_rows, max_lag, dtw_rows;
	double band;
} opts;
static const iso_option options[] = {
	ISO_OPT_INT(opts, max_rows, "5000", 10, 100000000,
		    "at most so many rows of each table, drawn at random"),
	ISO_OPT_INT(opts, max_lag, "24", 1, 10000,
		    "lags of the autocorrelation (at most half a row)"),
	ISO_OPT_INT(opts, dtw_rows, "200", 2, 10000, "rows of each table that are warped"),
	ISO_OPT_REAL(opts, band, "0.1", 0, 1,
		     "how far a warping may leave the diagonal, as a share of the steps"),
	{0}};

#define NO_GUARANTEE \
	"a diagnostic, never a privacy guarantee: computed on private rows without noise"
static const iso_output outputs[] = {
	{"autocorrelation", "difference of autocorrelations, mean", "", ISO_LOWER, 0, 2, 0, NULL,
	 "fidelity", 1},
	{"profile", "difference of the steps' means, mean", "", ISO_LOWER, 0, 1, 0, NULL,
	 "fidelity"},
	{"profile_w1", "Wasserstein-1 of the steps, mean", "", ISO_LOWER, 0, 1, 0, NULL, "fidelity",
	 1},
	{"length", "difference of the mean lengths", "share", ISO_LOWER, 0, 1, 0, NULL, "fidelity"},
	{"dtw_median", "warped distance to the nearest training row, median", "", ISO_NEITHER, 0,
	 INFINITY, NAN, NO_GUARANTEE, "diagnostic"},
	{"dtw_holdout_median", "hold-out rows: warped distance to the nearest training row, median",
	 "", ISO_NEITHER, 0, INFINITY, NAN, NO_GUARANTEE, "diagnostic"},
	{0}};
enum { AUTO, PROFILE, W1, LENGTH, DTW, DTW_HOLD, NVALUE };

/* One sequence of a table: cells scaled, [n][steps][variables]; NaN behind the end of a row. */
typedef struct rows {
	const iso_schema *s;
	const iso_series *q;
	double *x;	/* owned */
	size_t *length; /* owned [n] */
	size_t n;
} rows;

static void rows_free(rows *r)
{
	iso_free(r->x);
	iso_free(r->length);
}

static const iso_column *variable(const rows *r, size_t v)
{
	return &r->s->column[r->q->first + v];
}

static iso_status rows_new(const iso_table *t, const iso_series *q, rows *r, iso_error *err)
{
	const size_t wide = q->steps * q->variables;

	*r = (rows){.s = t->schema, .q = q, .n = t->n};
	r->x = iso_alloc(t->n * wide, sizeof(*r->x));
	r->length = iso_alloc(t->n, sizeof(*r->length));
	if (!r->x || !r->length)
		return iso_no_memory(err, "series");
	for (size_t i = 0; i < t->n; i++) {
		r->length[i] = iso_sequence_length(q, t->cells + i * t->schema->ncol);
		for (size_t j = 0; j < wide; j++) {
			const iso_column *c = &t->schema->column[q->first + j];
			const double v = iso_table_cell(t, i, q->first + j);

			r->x[i * wide + j] = iso_is_discrete(c) || !(c->hi > c->lo)
						     ? v
						     : (v - c->lo) / (c->hi - c->lo);
		}
	}
	return ISO_OK;
}

static double cell(const rows *r, size_t i, size_t step, size_t v)
{
	return r->x[(i * r->q->steps + step) * r->q->variables + v];
}

/* ---- autocorrelation ---- */

static void moments(const rows *r, size_t v, double *mean, double *variance)
{
	double n = 0, m = 0, all = 0;

	for (size_t i = 0; i < r->n; i++)
		for (size_t t = 0; t < r->q->steps; t++) {
			const double x = cell(r, i, t, v);

			if (isnan(x))
				continue;
			n++;
			const double d = x - m;
			m += d / n;
			all += d * (x - m);
		}
	*mean = m;
	*variance = n > 0 ? all / n : 0;
}

/* 0 where the values do not vary. */
static double autocorrelation(const rows *r, size_t v, size_t lag)
{
	double mean, variance, sum = 0, n = 0;

	moments(r, v, &mean, &variance);
	for (size_t i = 0; i < r->n; i++)
		for (size_t t = 0; t + lag < r->q->steps; t++) {
			const double a = cell(r, i, t, v), b = cell(r, i, t + lag, v);

			if (isnan(a) || isnan(b))
				continue;
			sum += (a - mean) * (b - mean);
			n++;
		}
	return n > 0 && variance > 1e-15 ? fmin(1, fmax(-1, sum / n / variance)) : 0;
}

static double autocorrelation_difference(const rows *a, const rows *b, size_t most)
{
	const size_t lags = a->q->steps / 2 < most ? a->q->steps / 2 : most;
	double sum = 0, n = 0;

	for (size_t v = 0; v < a->q->variables; v++)
		for (size_t k = 1; k <= lags && !iso_is_discrete(variable(a, v)); k++, n++)
			sum += fabs(autocorrelation(a, v, k) - autocorrelation(b, v, k));
	return n > 0 ? sum / n : NAN;
}

/* ---- profile ---- */

static int compare_doubles(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static size_t step_values(const rows *r, size_t step, size_t v, double *out)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		if (!isnan(cell(r, i, step, v)))
			out[n++] = cell(r, i, step, v);
	qsort(out, n, sizeof(*out), compare_doubles);
	return n;
}

/* Integral of |F - G| of two sorted samples. */
static double wasserstein(const double *x, size_t n, const double *y, size_t m)
{
	double sum = 0, last = 0;

	for (size_t i = 0, j = 0; i < n || j < m;) {
		const double at = j == m || (i < n && x[i] <= y[j]) ? x[i] : y[j];

		sum += i + j ? fabs((double)i / (double)n - (double)j / (double)m) * (at - last)
			     : 0;
		while (i < n && x[i] == at)
			i++;
		while (j < m && y[j] == at)
			j++;
		last = at;
	}
	return sum;
}

static iso_status profile(const rows *a, const rows *b, double *value, iso_error *err)
{
	double *x = iso_alloc(a->n + b->n, sizeof(*x)), n = 0;

	if (!x)
		return iso_no_memory(err, "a profile");
	value[PROFILE] = value[W1] = 0;
	for (size_t v = 0; v < a->q->variables; v++)
		for (size_t t = 0; t < a->q->steps && !iso_is_discrete(variable(a, v)); t++) {
			const size_t na = step_values(a, t, v, x),
				     nb = step_values(b, t, v, x + na);

			if (!na || !nb)
				continue;
			value[PROFILE] += fabs(iso_mean(x, na) - iso_mean(x + na, nb));
			value[W1] += wasserstein(x, na, x + na, nb);
			n++;
		}
	value[PROFILE] = n > 0 ? value[PROFILE] / n : NAN;
	value[W1] = n > 0 ? value[W1] / n : NAN;
	iso_free(x);
	return ISO_OK;
}

static double mean_length(const rows *r)
{
	double sum = 0;

	for (size_t i = 0; i < r->n; i++)
		sum += (double)r->length[i];
	return sum / (double)r->n / (double)r->q->steps;
}

/* ---- warping ---- */

static double step_distance(const rows *a, size_t i, size_t s, const rows *b, size_t j, size_t t)
{
	double sum = 0;

	for (size_t v = 0; v < a->q->variables; v++) {
		const double x = cell(a, i, s, v), y = cell(b, j, t, v);
		const double d = isnan(x) || isnan(y)		   ? (isnan(x) != isnan(y))
				 : iso_is_discrete(variable(a, v)) ? (x != y)
								   : x - y;
		sum += d * d;
	}
	return sum;
}

/* Squared distance, or infinity when it exceeds `bound`; line [2][steps + 1]. */
static double warp(const rows *a, size_t i, const rows *b, size_t j, size_t band, double bound,
		   double *line)
{
	const size_t n = a->length[i], m = b->length[j], wide = a->q->steps + 1,
		     slack = n > m ? n - m : m - n, w = band > slack ? band : slack;

	for (size_t k = 0; k < 2 * wide; k++)
		line[k] = INFINITY;
	line[0] = 0;
	for (size_t s = 1; s <= n; s++) {
		double *now = line + (s & 1) * wide, *before = line + (1 - (s & 1)) * wide,
		       least = INFINITY;

		for (size_t t = 0; t <= m; t++)
			now[t] = INFINITY;
		for (size_t t = s > w ? s - w : 1; t <= m && t <= s + w; t++) {
			const double best = fmin(before[t - 1], fmin(before[t], now[t - 1]));

			now[t] = best + step_distance(a, i, s - 1, b, j, t - 1);
			least = fmin(least, now[t]);
		}
		if (!(least <= bound))
			return INFINITY;
	}
	return line[(n & 1) * wide + m];
}

/* The median over rows of a of the distance to the nearest row of b; at most `most` rows each. */
static iso_status nearest_warped(const opts *o, const rows *a, const rows *b, double *median,
				 iso_error *err)
{
	const size_t most = (size_t)o->dtw_rows, n = a->n < most ? a->n : most,
		     m = b->n < most ? b->n : most,
		     band = (size_t)ceil(o->band * (double)a->q->steps);
	double *near = iso_alloc(n, sizeof(*near)),
	       *line = iso_alloc(2 * (a->q->steps + 1), sizeof(*line));
	const int ok = near && line;

	for (size_t i = 0; ok && i < n; i++) {
		double least = INFINITY;

		for (size_t j = 0; j < m; j++)
			least = fmin(least, warp(a, i, b, j, band, least, line));
		near[i] = sqrt(least);
	}
	*median = ok ? iso_quantile(near, n, 0.5) : NAN;
	iso_free(near);
	iso_free(line);
	return isnan(*median) ? iso_no_memory(err, "warped distances") : ISO_OK;
}

/* ---- */

static iso_status one_sequence(const opts *o, const iso_table *t[3], const iso_series *q,
			       double *value, iso_error *err)
{
	rows r[3] = {{0}};
	iso_status st;

	for (int i = 0; i < 3; i++)
		ISO_TRY_OUT(rows_new(t[i], q, &r[i], err));
	value[AUTO] = autocorrelation_difference(&r[0], &r[2], (size_t)o->max_lag);
	ISO_TRY_OUT(profile(&r[0], &r[2], value, err));
	value[LENGTH] = fabs(mean_length(&r[0]) - mean_length(&r[2]));
	ISO_TRY_OUT(nearest_warped(o, &r[2], &r[0], &value[DTW], err));
	if (r[1].n)
		ISO_TRY_OUT(nearest_warped(o, &r[1], &r[0], &value[DTW_HOLD], err));
out:
	for (int i = 0; i < 3; i++)
		rows_free(&r[i]);
	return st;
}

static iso_status check(const iso_schema *s, const void *opt, iso_error *err)
{
	(void)opt;
	ISO_FAIL_IF(!s->nsequence, err, ISO_E_UNSUPPORTED,
		    "series (schema %s): there is no column of type sequence", s->name);
	return ISO_OK;
}

/* Means over the sequences of the schema. */
static iso_status measure(const iso_metric_view *v, const void *opt, iso_measures *out,
			  iso_error *err)
{
	const opts *o = opt;
	const iso_key fixed = iso_key_new(0, "metrics/series");
	double sum[NVALUE] = {0}, n[NVALUE] = {0};
	iso_table *t[3] = {0};
	iso_status st;

	ISO_TRY(check(v->schema, opt, err));
	ISO_TRY_OUT(iso_sample_table(v->train, (size_t)o->max_rows,
				     iso_key_child(fixed, "train", 0), &t[0], err));
	ISO_TRY_OUT(iso_sample_table(v->test, (size_t)o->max_rows, iso_key_child(fixed, "test", 0),
				     &t[1], err));
	ISO_TRY_OUT(iso_sample_table(v->synthetic, (size_t)o->max_rows,
				     iso_key_child(v->key, "rows", 0), &t[2], err));
	for (size_t q = 0; t[0]->n && t[2]->n && q < v->schema->nsequence; q++) {
		double value[NVALUE] = {NAN, NAN, NAN, NAN, NAN, NAN};

		ISO_TRY_OUT(one_sequence(o, (const iso_table *[]){t[0], t[1], t[2]},
					 &v->schema->sequence[q], value, err));
		for (size_t i = 0; i < NVALUE; i++)
			if (!isnan(value[i])) {
				sum[i] += value[i];
				n[i]++;
			}
	}
	for (size_t i = 0; i < NVALUE; i++)
		ISO_TRY_OUT(iso_put(out, outputs[i].key, n[i] > 0 ? sum[i] / n[i] : NAN,
				    i < LENGTH ? "no numeric sequence of two steps, or no rows"
					       : "no rows",
				    err));
out:
	for (int i = 0; i < 3; i++)
		iso_table_free(t[i]);
	return st;
}

const iso_metric iso_metric_series = {
	.abi = ISO_METRIC_ABI,
	.name = "series",
	.title = "Fidelity of sequences",
	.citation =
		"J. Yoon, D. Jarrett, M. van der Schaar: Time-series Generative Adversarial "
		"Networks. NeurIPS 2019 (why temporal dynamics are judged); H. Sakoe, S. Chiba: "
		"Dynamic programming algorithm optimization for spoken word recognition. IEEE "
		"Transactions on Acoustics, Speech, and Signal Processing 26(1), 1978 (warping)",
	.card = "For schemas with columns of type sequence: the difference of autocorrelations "
		"over "
		"lags, of the mean and of the distribution at each step (the daily profile when a "
		"row "
		"is a day), of the mean lengths; and as a diagnostic the median warped distance of "
		"synthetic rows to their nearest training row, beside that of hold-out rows.",
	.inputs = ISO_IN_TRAIN | ISO_IN_TEST | ISO_IN_SYNTHETIC,
	.version = 1,
	.outputs = outputs,
	.options = options,
	.options_size = sizeof(opts),
	.check = check,
	.measure = measure,
};
