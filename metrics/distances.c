// SPDX-License-Identifier: Apache-2.0
/* Fidelity by distances between rows and between columns (attacks.md sections 3 and 9).
 *
 *     w1_mean           Wasserstein-1 of each numeric column scaled to [0,1], mean
 *     ks_mean           Kolmogorov-Smirnov statistic of each numeric column, mean
 *     jsd_mean          Jensen-Shannon divergence of each categorical column, nats, mean
 *     correlation       mean absolute difference of Pearson correlations of numeric columns
 *     precision, recall, density, coverage (Naeem et al. 2020), k = 5, strict <, self excluded
 *     authenticity      share of synthetic rows farther from their nearest real row than that is
 * from its nearest other real row (Alaa et al. 2022) dcr_median, dcr_p5, nndr_median, copies:
 * diagnostics, never a privacy guarantee
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/learn/kfold.h"
#include "core/learn/pairs.h"
#include "core/math/stats.h"
#include "core/math/vmath.h"
#include "metrics/metric.h"

#define K 5

typedef struct opts {
	int64_t max_rows;
} opts;
static const iso_option options[] = {
	ISO_OPT_INT(opts, max_rows, "2000", 10, 1000000,
		    "distances between at most so many rows of each table, drawn at random"),
	{0}};

#define NO_GUARANTEE \
	"computed on private rows without noise, and averages hide the row at risk: a good value " \
	"is no " \
	"privacy guarantee, and it must not be released beside a private table"
static const iso_output outputs[] = {
	{"w1_mean", "Wasserstein-1 of columns, mean", "", ISO_LOWER, 0, 1, 0, NULL},
	{"ks_mean", "Kolmogorov-Smirnov of columns, mean", "", ISO_LOWER, 0, 1, 0, NULL},
	{"jsd_mean", "Jensen-Shannon of categories, mean", "nats", ISO_LOWER, 0, 0.6931471805599453,
	 0, NULL},
	{"correlation", "difference of correlations, mean", "", ISO_LOWER, 0, 2, 0, NULL},
	{"precision", "precision", "share", ISO_HIGHER, 0, 1, NAN, NULL},
	{"recall", "recall", "share", ISO_HIGHER, 0, 1, NAN, NULL},
	{"density", "density", "", ISO_HIGHER, 0, INFINITY, NAN, NULL},
	{"coverage", "coverage", "share", ISO_HIGHER, 0, 1, NAN, NULL},
	{"authenticity", "authenticity", "share", ISO_NEITHER, 0, 1, NAN, NO_GUARANTEE},
	{"dcr_median", "distance to the closest record, median", "", ISO_NEITHER, 0, INFINITY, NAN,
	 NO_GUARANTEE},
	{"dcr_p5", "distance to the closest record, 5 %", "", ISO_NEITHER, 0, INFINITY, NAN,
	 NO_GUARANTEE},
	{"nndr_median", "ratio of the two nearest distances, median", "", ISO_NEITHER, 0, 1, NAN,
	 NO_GUARANTEE},
	{"copies", "exact copies", "share", ISO_NEITHER, 0, 1, NAN, NO_GUARANTEE},
	{0}};

/* ---- columns ---- */

static int compare_doubles(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The values of column c that are there, scaled to [0,1], sorted. */
static size_t sorted_column(const iso_table *t, size_t c, double *x)
{
	const iso_column *col = &t->schema->column[c];
	const double range = col->hi > col->lo ? col->hi - col->lo : 1;
	size_t n = 0;

	for (size_t r = 0; r < t->n; r++) {
		const double v = iso_table_cell(t, r, c);

		if (!isnan(v))
			x[n++] = (v - col->lo) / range;
	}
	qsort(x, n, sizeof(*x), compare_doubles);
	return n;
}

/* Both distances of two sorted samples from their distribution functions. */
static void compare_samples(const double *x, size_t n, const double *y, size_t m, double *w1,
			    double *ks)
{
	size_t i = 0, j = 0;
	double last = 0;

	*w1 = *ks = 0;
	while (i < n || j < m) {
		const double at = j == m || (i < n && x[i] <= y[j]) ? x[i] : y[j];
		const double gap = fabs((double)i / (double)n - (double)j / (double)m);

		if (i + j)
			*w1 += gap * (at - last);
		while (i < n && x[i] == at)
			i++;
		while (j < m && y[j] == at)
			j++;
		*ks = fmax(*ks, fabs((double)i / (double)n - (double)j / (double)m));
		last = at;
	}
}

static double jensen_shannon(const double *p, double np, const double *q, double nq, size_t k)
{
	double s = 0;

	for (size_t i = 0; i < k; i++) {
		const double a = p[i] / np, b = q[i] / nq, m = 0.5 * (a + b);

		s += a > 0 ? 0.5 * a * iso_log(a / m) : 0;
		s += b > 0 ? 0.5 * b * iso_log(b / m) : 0;
	}
	return fmax(0, s);
}

typedef struct column_stats {
	double w1, ks, jsd, numbers, categories;
} column_stats;

static iso_status compare_columns(const iso_table *a, const iso_table *b, column_stats *out,
				  iso_error *err)
{
	const iso_schema *s = a->schema;
	size_t most = 1;

	for (size_t c = 0; c < s->ncol; c++)
		most = s->column[c].ncategory + 1 > most ? s->column[c].ncategory + 1 : most;
	const size_t size = (a->n > most ? a->n : most) + (b->n > most ? b->n : most);
	double *x = iso_alloc(size, sizeof(*x)), *y = x + (a->n > most ? a->n : most);

	*out = (column_stats){0};
	if (!x)
		return iso_no_memory(err, "columns");
	for (size_t c = 0; c < s->ncol; c++) {
		const iso_column *col = &s->column[c];

		if (iso_is_dropped(col) || col->type == ISO_PIXEL)
			continue;
		if (iso_is_discrete(col)) {
			memset(x, 0, size * sizeof(*x));
			for (size_t r = 0; r < a->n; r++) {
				const double v = iso_table_cell(a, r, c);
				x[isnan(v) ? col->ncategory : (size_t)v]++;
			}
			for (size_t r = 0; r < b->n; r++) {
				const double v = iso_table_cell(b, r, c);
				y[isnan(v) ? col->ncategory : (size_t)v]++;
			}
			out->jsd += jensen_shannon(x, (double)a->n, y, (double)b->n,
						   col->ncategory + 1);
			out->categories++;
			continue;
		}
		const size_t n = sorted_column(a, c, x), m = sorted_column(b, c, y);
		double w1, ks;
		if (!n || !m)
			continue;
		compare_samples(x, n, y, m, &w1, &ks);
		out->w1 += w1;
		out->ks += ks;
		out->numbers++;
	}
	iso_free(x);
	return ISO_OK;
}

/* Pearson's correlation of numeric columns a and b over the rows where both are there; 0 when one
 * is constant. */
static double correlation(const iso_table *t, size_t a, size_t b)
{
	double n = 0, ma = 0, mb = 0, saa = 0, sbb = 0, sab = 0;

	for (size_t r = 0; r < t->n; r++) {
		const double x = iso_table_cell(t, r, a), y = iso_table_cell(t, r, b);

		if (isnan(x) || isnan(y))
			continue;
		n++;
		const double dx = x - ma, dy = y - mb;
		ma += dx / n;
		mb += dy / n;
		saa += dx * (x - ma);
		sbb += dy * (y - mb);
		sab += dx * (y - mb);
	}
	return saa > 0 && sbb > 0 ? sab / sqrt(saa * sbb) : 0;
}

/* NaN with fewer than two numeric columns.  At most 200 columns: the first. */
static double correlation_difference(const iso_table *a, const iso_table *b)
{
	enum { MOST = 200 };
	size_t column[MOST], n = 0;
	double sum = 0, pairs = 0;

	for (size_t c = 0; c < a->schema->ncol && n < MOST; c++) {
		const iso_column *col = &a->schema->column[c];

		if (!iso_is_dropped(col) && col->type != ISO_PIXEL && !iso_is_discrete(col))
			column[n++] = c;
	}
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++, pairs++)
			sum += fabs(correlation(a, column[i], column[j]) -
				    correlation(b, column[i], column[j]));
	return pairs > 0 ? sum / pairs : NAN;
}

/* ---- rows ---- */

typedef struct row_stats {
	double precision, recall, density, coverage, authenticity;
	double *dcr, *nndr; /* owned [n synthetic] */
	double copies;
} row_stats;

/* How many of the balls (centre row j of `ball`, radius [j]) hold row i of `x`; `hit` is marked. */
static double balls_around(const iso_rowset *x, size_t i, const iso_rowset *ball,
			   const double *radius, float *d2, uint8_t *hit)
{
	double n = 0;

	iso_pair_distances(x, i, ball, d2);
	for (size_t j = 0; j < ball->n; j++)
		if (sqrt((double)d2[j]) < radius[j]) {
			n++;
			hit[j] = 1;
		}
	return n;
}

static double share(const uint8_t *hit, size_t n)
{
	double s = 0;

	for (size_t i = 0; i < n; i++)
		s += hit[i];
	return s / (double)n;
}

/* radius [n] = distance to the k-th nearest other row; nearest [n] to the nearest other row. */
static iso_status radii(const iso_rowset *x, double *radius, double *nearest, iso_error *err)
{
	double *dist = iso_alloc(x->n * K, sizeof(*dist));

	if (!dist)
		return iso_no_memory(err, "distances");
	const iso_status st = iso_pair_nearest(x, x, K, 1, dist, NULL, err);
	for (size_t i = 0; st == ISO_OK && i < x->n; i++) {
		radius[i] = dist[i * K + K - 1];
		nearest[i] = dist[i * K];
	}
	iso_free(dist);
	return st;
}

static iso_status compare_rows(const iso_rowset *real, const iso_rowset *syn, row_stats *out,
			       iso_error *err)
{
	const size_t n = real->n, m = syn->n, most = n > m ? n : m;
	double *radius = iso_alloc(2 * most, sizeof(*radius)),
	       *nearest = iso_alloc(2 * most, sizeof(*nearest)),
	       *near = iso_alloc(2 * m, sizeof(*near));
	size_t *place = iso_alloc(2 * m, sizeof(*place));
	float *d2 = iso_alloc(most, sizeof(*d2));
	uint8_t *hit = iso_alloc(most, 1);
	iso_status st = radius && nearest && near && place && d2 && hit
				? ISO_OK
				: iso_no_memory(err, "distances");

	ISO_TRY_OUT(st);
	ISO_TRY_OUT(radii(real, radius, nearest, err));
	ISO_TRY_OUT(iso_pair_nearest(syn, real, 2, 0, near, place, err));
	for (size_t j = 0; j < m; j++) {
		const double balls = balls_around(syn, j, real, radius, d2, hit);

		out->precision += (balls > 0) / (double)m;
		out->density += balls / (K * (double)m);
		out->authenticity += (near[2 * j] > nearest[place[2 * j]]) / (double)m;
		out->dcr[j] = near[2 * j];
		out->nndr[j] = near[2 * j + 1] > 0 ? near[2 * j] / near[2 * j + 1] : 1;
		out->copies += (near[2 * j] == 0) / (double)m;
	}
	out->coverage = share(hit, n);
	ISO_TRY_OUT(radii(syn, radius, nearest, err));
	for (size_t i = 0; i < n; i++)
		out->recall += (balls_around(real, i, syn, radius, d2, hit) > 0) / (double)n;
out:
	iso_free(radius);
	iso_free(nearest);
	iso_free(near);
	iso_free(place);
	iso_free(d2);
	iso_free(hit);
	return st;
}

/* ---- outputs ---- */

static iso_status put(iso_measures *out, const char *key, double v, const char *why, iso_error *err)
{
	return isnan(v) ? iso_measure_undefined(out, key, why, err)
			: iso_measure_set(out, key, v, NAN, NAN, err);
}

static iso_status put_columns(const iso_metric_view *v, iso_measures *out, iso_error *err)
{
	const char *none = "no such column, or no rows";
	const int ok = v->train->n && v->synthetic->n;
	column_stats c = {0};

	if (ok)
		ISO_TRY(compare_columns(v->train, v->synthetic, &c, err));
	ISO_TRY(put(out, "w1_mean", c.numbers > 0 ? c.w1 / c.numbers : NAN, none, err));
	ISO_TRY(put(out, "ks_mean", c.numbers > 0 ? c.ks / c.numbers : NAN, none, err));
	ISO_TRY(put(out, "jsd_mean", c.categories > 0 ? c.jsd / c.categories : NAN, none, err));
	return put(out, "correlation", ok ? correlation_difference(v->train, v->synthetic) : NAN,
		   "fewer than two numeric columns, or no rows", err);
}

static iso_status put_rows(const iso_rowset *real, const iso_rowset *syn, iso_measures *out,
			   iso_error *err)
{
	static const char *const key[] = {"precision", "recall",       "density",
					  "coverage",  "authenticity", "dcr_median",
					  "dcr_p5",    "nndr_median",  "copies"};
	const int ok = real->n > K && syn->n > K;
	row_stats r = {.dcr = iso_alloc(syn->n + 1, sizeof(double)),
		       .nndr = iso_alloc(syn->n + 1, sizeof(double))};
	iso_status st = r.dcr && r.nndr ? ISO_OK : iso_no_memory(err, "distances");

	if (st == ISO_OK && ok)
		st = compare_rows(real, syn, &r, err);
	const double value[] = {r.precision,
				r.recall,
				r.density,
				r.coverage,
				r.authenticity,
				ok && st == ISO_OK ? iso_quantile(r.dcr, syn->n, 0.5) : NAN,
				ok && st == ISO_OK ? iso_quantile(r.dcr, syn->n, 0.05) : NAN,
				ok && st == ISO_OK ? iso_quantile(r.nndr, syn->n, 0.5) : NAN,
				r.copies};
	for (size_t i = 0; st == ISO_OK && i < ISO_COUNT(key); i++)
		st = put(out, key[i], ok ? value[i] : NAN, "fewer than six real or synthetic rows",
			 err);
	iso_free(r.dcr);
	iso_free(r.nndr);
	return st;
}

static iso_status sample_of(const iso_table *t, size_t most, iso_key key, iso_rowset *out,
			    iso_error *err)
{
	uint32_t *row;
	iso_table *part;

	if (t->n <= most)
		return iso_rowset_new(t, out, err);
	ISO_TRY(iso_subset(key, t->n, most, &row, err));
	iso_status st = iso_table_select(t, row, most, &part, err);
	iso_free(row);
	if (st == ISO_OK) {
		st = iso_rowset_new(part, out, err);
		iso_table_free(part);
	}
	return st;
}

static iso_status measure(const iso_metric_view *v, const void *opt, iso_measures *out,
			  iso_error *err)
{
	const size_t most = (size_t)((const opts *)opt)->max_rows;
	iso_rowset real = {0}, syn = {0};
	iso_status st;

	ISO_TRY(put_columns(v, out, err));
	ISO_TRY_OUT(sample_of(v->train, most, iso_key_new(0, "metrics/distances"), &real, err));
	ISO_TRY_OUT(sample_of(v->synthetic, most, iso_key_child(v->key, "rows", 0), &syn, err));
	ISO_TRY_OUT(put_rows(&real, &syn, out, err));
out:
	iso_rowset_free(&real);
	iso_rowset_free(&syn);
	return st;
}

const iso_metric iso_metric_distances = {
	.abi = ISO_METRIC_ABI,
	.name = "distances",
	.title = "Distances between columns and between rows",
	.citation =
		"M. F. Naeem, S. J. Oh, Y. Uh, Y. Choi, J. Yoo: Reliable Fidelity and Diversity "
		"Metrics "
		"for Generative Models. ICML 2020. arXiv:2002.09797; A. Alaa, B. van Breugel, E. "
		"Saveliev, M. van der Schaar: How Faithful is your Synthetic Data? ICML 2022. "
		"arXiv:2102.08921 (authenticity)",
	.card = "Columns: Wasserstein-1 and Kolmogorov-Smirnov of numbers scaled by public bounds, "
		"Jensen-Shannon of categories, mean difference of Pearson correlations. Rows, in "
		"the "
		"attacks' distance: precision, recall, density and coverage with five neighbours "
		"and "
		"strict inequality, authenticity by its definition, and the distance to the "
		"closest "
		"record, the ratio of the two nearest and the share of exact copies as "
		"diagnostics.",
	.inputs = ISO_IN_TRAIN | ISO_IN_SYNTHETIC,
	.version = 1,
	.outputs = outputs,
	.options = options,
	.options_size = sizeof(opts),
	.measure = measure,
};
