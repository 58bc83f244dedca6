// SPDX-License-Identifier: Apache-2.0
/* How columns hang together, real against synthetic (attacks.md section 9): for every pair the
 * absolute difference of
 *
 *     two numbers           Pearson's correlation
 *     two categories        Cramer's V, bias-corrected (Bergsma 2013)
 *     a category, a number  the correlation ratio eta
 *
 * A missing category counts as a category; rows where a number is missing are left out of its
 * pairs; a constant column is associated with nothing (0).
 */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "metrics/kit/sample.h"

#define MOST_COLUMNS 80
#define MOST_LEVELS 256

typedef struct opts {
	int64_t max_rows;
} opts;
static const iso_option options[] = {
	ISO_OPT_INT(opts, max_rows, "10000", 10, 100000000,
		    "at most so many rows of each table, drawn at random"),
	{0}};

#define FIRST "the first 80 columns that are no pixels, categories of up to 256 levels"
static const iso_output outputs[] = {
	{"mean", "difference of associations, mean over all pairs", "", ISO_LOWER, 0, 2, 0, FIRST,
	 "fidelity", 1},
	{"pearson_mean", "difference of correlations, mean", "", ISO_LOWER, 0, 2, 0, NULL,
	 "fidelity"},
	{"pearson_frobenius", "difference of correlations, Frobenius norm", "", ISO_LOWER, 0,
	 INFINITY, 0, NULL, "fidelity"},
	{"cramer_mean", "difference of Cramer's V, mean", "", ISO_LOWER, 0, 1, 0, NULL, "fidelity"},
	{"eta_mean", "difference of correlation ratios, mean", "", ISO_LOWER, 0, 1, 0, NULL,
	 "fidelity"},
	{0}};
enum { PEARSON, CRAMER, ETA, KINDS };

static int is_number(const iso_column *c)
{
	return !iso_is_discrete(c);
}

static double pearson(const iso_table *t, size_t a, size_t b)
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

/* The level of a cell; the missing one is the last. */
static size_t level(const iso_table *t, size_t r, size_t c)
{
	const double v = iso_table_cell(t, r, c);

	return isnan(v) ? t->schema->column[c].ncategory : (size_t)v;
}

/* scratch: [(levels a + 1)(levels b + 1) + both margins] */
static double cramer(const iso_table *t, size_t a, size_t b, double *scratch)
{
	const size_t ka = t->schema->column[a].ncategory + 1,
		     kb = t->schema->column[b].ncategory + 1;
	double *joint = scratch, *pa = joint + ka * kb, *pb = pa + ka, chi2 = 0, ra = 0, rb = 0;
	const double n = (double)t->n;

	memset(scratch, 0, (ka * kb + ka + kb) * sizeof(*scratch));
	for (size_t r = 0; r < t->n; r++) {
		const size_t i = level(t, r, a), j = level(t, r, b);

		joint[i * kb + j]++;
		pa[i]++;
		pb[j]++;
	}
	for (size_t i = 0; i < ka; i++)
		for (size_t j = 0; j < kb; j++) {
			const double expected = pa[i] * pb[j] / n, d = joint[i * kb + j] - expected;

			chi2 += expected > 0 ? d * d / expected : 0;
		}
	for (size_t i = 0; i < ka; i++)
		ra += pa[i] > 0;
	for (size_t j = 0; j < kb; j++)
		rb += pb[j] > 0;
	if (ra < 2 || rb < 2 || n < 2)
		return 0;
	const double phi2 = fmax(0, chi2 / n - (ra - 1) * (rb - 1) / (n - 1)),
		     ca = ra - (ra - 1) * (ra - 1) / (n - 1),
		     cb = rb - (rb - 1) * (rb - 1) / (n - 1), least = fmin(ca, cb) - 1;
	return least > 1e-12 ? fmin(1, sqrt(phi2 / least)) : 0;
}

/* eta of number b given category a. */
static double ratio(const iso_table *t, size_t a, size_t b, double *scratch)
{
	const size_t k = t->schema->column[a].ncategory + 1;
	double *count = scratch, *sum = count + k, n = 0, mean = 0, all = 0, between = 0;

	memset(scratch, 0, 2 * k * sizeof(*scratch));
	for (size_t r = 0; r < t->n; r++) {
		const double x = iso_table_cell(t, r, b);

		if (isnan(x))
			continue;
		count[level(t, r, a)]++;
		sum[level(t, r, a)] += x;
		n++;
		const double d = x - mean;
		mean += d / n;
		all += d * (x - mean);
	}
	for (size_t i = 0; i < k; i++)
		if (count[i] > 0)
			between +=
				count[i] * (sum[i] / count[i] - mean) * (sum[i] / count[i] - mean);
	return all > 0 ? fmin(1, sqrt(between / all)) : 0;
}

static int kind_of(const iso_schema *s, size_t a, size_t b)
{
	const int x = is_number(&s->column[a]), y = is_number(&s->column[b]);

	return x && y ? PEARSON : x || y ? ETA : CRAMER;
}

static double association(const iso_table *t, int kind, size_t a, size_t b, double *scratch)
{
	if (kind == PEARSON)
		return pearson(t, a, b);
	if (kind == CRAMER)
		return cramer(t, a, b, scratch);
	return is_number(&t->schema->column[a]) ? ratio(t, b, a, scratch) : ratio(t, a, b, scratch);
}

static size_t choose(const iso_schema *s, size_t *column)
{
	size_t n = 0;

	for (size_t c = 0; c < s->ncol && n < MOST_COLUMNS; c++) {
		const iso_column *col = &s->column[c];

		if (!iso_is_dropped(col) && col->type != ISO_PIXEL && col->ncategory <= MOST_LEVELS)
			column[n++] = c;
	}
	return n;
}

static iso_status put_all(iso_measures *out, const double *sum, const double *n, double square,
			  iso_error *err)
{
	static const char *const key[KINDS] = {"pearson_mean", "cramer_mean", "eta_mean"},
				 *const why[KINDS] = {
					 "fewer than two numeric columns, or no rows",
					 "fewer than two categorical columns, or no rows",
					 "no numeric beside a categorical column, or no rows"};
	double all = 0, pairs = 0;

	for (size_t k = 0; k < KINDS; k++) {
		ISO_TRY(iso_put(out, key[k], n[k] > 0 ? sum[k] / n[k] : NAN, why[k], err));
		all += sum[k];
		pairs += n[k];
	}
	ISO_TRY(iso_put(out, "pearson_frobenius", n[PEARSON] > 0 ? sqrt(square) : NAN, why[PEARSON],
			err));
	return iso_put(out, "mean", pairs > 0 ? all / pairs : NAN,
		       "fewer than two columns, or no rows", err);
}

static iso_status measure(const iso_metric_view *v, const void *opt, iso_measures *out,
			  iso_error *err)
{
	const size_t most = (size_t)((const opts *)opt)->max_rows;
	size_t column[MOST_COLUMNS];
	const size_t n = choose(v->schema, column), side = MOST_LEVELS + 1;
	double sum[KINDS] = {0}, pairs[KINDS] = {0}, square = 0,
	       *scratch = iso_alloc(side * side + 2 * side, sizeof(*scratch)),
	       *value[2] = {iso_alloc(n * n, sizeof(double)), iso_alloc(n * n, sizeof(double))};
	size_t at = 0;
	iso_table *real = NULL, *synthetic = NULL;
	iso_status st =
		scratch && value[0] && value[1] ? ISO_OK : iso_no_memory(err, "associations");

	ISO_TRY_OUT(st);
	ISO_TRY_OUT(iso_sample_table(v->train, most, iso_key_new(0, "metrics/associations"), &real,
				     err));
	ISO_TRY_OUT(iso_sample_table(v->synthetic, most, iso_key_child(v->key, "rows", 0),
				     &synthetic, err));
	for (size_t i = 0; i < n && real->n && synthetic->n; i++)
		for (size_t j = 0; j < i; j++) {
			const int kind = kind_of(v->schema, column[i], column[j]);
			value[0][at] = association(real, kind, column[i], column[j], scratch);
			value[1][at] = association(synthetic, kind, column[i], column[j], scratch);
			const double d = fabs(value[0][at] - value[1][at]);

			at++;
			sum[kind] += d;
			pairs[kind]++;
			square += kind == PEARSON ? 2 * d * d : 0;
		}
	ISO_TRY_OUT(put_all(out, sum, pairs, square, err));
	ISO_TRY_OUT(iso_measure_points(out, "mean", value[0], value[1], at, err));
out:
	iso_free(value[0]);
	iso_free(value[1]);
	iso_free(scratch);
	iso_table_free(real);
	iso_table_free(synthetic);
	return st;
}

const iso_metric iso_metric_associations = {
	.abi = ISO_METRIC_ABI,
	.name = "associations",
	.title = "Associations between columns",
	.citation =
		"W. Bergsma: A bias-correction for Cramer's V and Tschuprow's T. Journal of the "
		"Korean Statistical Society 42(3), 2013",
	.card = "For every pair of columns, label included, the absolute difference between the "
		"association in the real training rows and in the synthetic ones: Pearson's "
		"correlation of two numbers, bias-corrected Cramer's V of two categories, the "
		"correlation ratio of a category and a number. `pearson_frobenius` is the norm of "
		"the difference of the correlation matrices, both triangles.",
	.inputs = ISO_IN_TRAIN | ISO_IN_SYNTHETIC,
	.version = 2,
	.outputs = outputs,
	.options = options,
	.options_size = sizeof(opts),
	.measure = measure,
};
