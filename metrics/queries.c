// SPDX-License-Identifier: Apache-2.0
/* Counting queries and three-way marginals (attacks.md section 9).
 *
 * A query names one to three columns, drawn at random: of a category one level (missing is one
 * more), of a number an interval between two uniform points of its public bounds.  Its answer is
 * the share of rows that satisfy all of them; its error |real - synthetic|, relative to the real
 * share or to `sanity`, whichever is larger.  Queries depend on the schema alone, so that all cells
 * of a suite answer the same ones.
 *
 * tvd3: total variation distance of the joint table of three columns, numbers in ten equal cells,
 * over random triples; its floor is the same between two halves of the real rows.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/learn/assess.h"
#include "core/learn/kfold.h"
#include "core/math/stats.h"
#include "metrics/kit/sample.h"

#define MOST_TERMS 3
#define BINS 10
#define MOST_CELLS ((size_t)1 << 20)

typedef struct opts {
	int64_t queries, triples;
	double sanity;
} opts;
static const iso_option options[] = {
	ISO_OPT_INT(opts, queries, "1000", 10, 1000000, "random counting queries"),
	ISO_OPT_INT(opts, triples, "100", 1, 100000, "random triples of columns"),
	ISO_OPT_REAL(opts, sanity, "0.01", 1e-6, 1,
		     "smallest share that a relative error divides by"),
	{0}};

static const iso_output outputs[] = {
	{"error_mean", "counting queries: absolute error, mean", "share", ISO_LOWER, 0, 1, 0, NULL,
	 "fidelity", 1},
	{"error_p95", "counting queries: absolute error, 95 %", "share", ISO_LOWER, 0, 1, 0, NULL,
	 "fidelity"},
	{"error_max", "counting queries: absolute error, max", "share", ISO_LOWER, 0, 1, 0, NULL,
	 "fidelity"},
	{"relative_mean", "counting queries: relative error, mean", "", ISO_LOWER, 0, INFINITY, 0,
	 NULL, "fidelity"},
	{"tvd3_mean", "3-way TVD, mean", "", ISO_LOWER, 0, 1, 0, NULL, "fidelity", 0,
	 "floor.tvd3_mean"},
	{"tvd3_max", "3-way TVD, max", "", ISO_LOWER, 0, 1, 0, NULL, "fidelity"},
	{"floor.tvd3_mean", "3-way TVD of two real halves, mean", "", ISO_NEITHER, 0, 1, NAN, NULL,
	 "fidelity"},
	{0}};
enum { MEAN, P95, MOST, RELATIVE, TVD_MEAN, TVD_MAX, FLOOR, NVALUE };

static size_t flat_columns(const iso_schema *s, size_t *column)
{
	size_t n = 0;

	for (size_t c = 0; c < s->ncol; c++)
		if (!iso_is_dropped(&s->column[c]) && s->column[c].type != ISO_PIXEL)
			column[n++] = c;
	return n;
}

/* ---- queries ---- */

typedef struct term {
	size_t column;
	double low, high; /* a level twice; NaN twice: missing */
} term;

/* The first k of `column` become a random subset. */
static void draw_columns(iso_stream *s, size_t *column, size_t n, size_t k)
{
	for (size_t i = 0; i < k; i++) {
		const size_t j = i + (size_t)iso_next_below(s, n - i), c = column[i];

		column[i] = column[j];
		column[j] = c;
	}
}

static term draw_term(const iso_schema *schema, size_t c, iso_stream *s)
{
	const iso_column *col = &schema->column[c];
	const double a = iso_next_u01(s), b = iso_next_u01(s), range = col->hi - col->lo;
	term t = {.column = c,
		  .low = col->lo + fmin(a, b) * range,
		  .high = col->lo + fmax(a, b) * range};

	if (iso_is_discrete(col)) {
		const size_t levels = col->ncategory + (col->nmissing > 0);
		const size_t k = (size_t)(a * (double)levels);

		t.low = t.high = k < col->ncategory ? (double)k : NAN;
	}
	return t;
}

static double answer(const iso_table *t, const term *q, size_t k)
{
	double n = 0;

	for (size_t r = 0; r < t->n; r++) {
		int all = 1;

		for (size_t i = 0; all && i < k; i++) {
			const double v = iso_table_cell(t, r, q[i].column);

			all = isnan(q[i].low) ? isnan(v) : v >= q[i].low && v <= q[i].high;
		}
		n += all;
	}
	return n / (double)t->n;
}

static iso_status ask(const opts *o, const iso_table *real, const iso_table *syn, size_t *column,
		      size_t n, double *value, iso_error *err)
{
	const size_t queries = (size_t)o->queries, widest = n < MOST_TERMS ? n : MOST_TERMS;
	double *error = iso_alloc(queries, sizeof(*error));
	iso_stream s = iso_stream_new(iso_key_new(0, "metrics/queries"));

	if (!error)
		return iso_no_memory(err, "queries");
	value[MEAN] = value[MOST] = value[RELATIVE] = 0;
	for (size_t q = 0; q < queries; q++) {
		const size_t k = 1 + (size_t)iso_next_below(&s, widest);
		term t[MOST_TERMS];

		draw_columns(&s, column, n, k);
		for (size_t i = 0; i < k; i++)
			t[i] = draw_term(real->schema, column[i], &s);
		const double truth = answer(real, t, k);
		error[q] = fabs(truth - answer(syn, t, k));
		value[MEAN] += error[q] / (double)queries;
		value[MOST] = fmax(value[MOST], error[q]);
		value[RELATIVE] += error[q] / fmax(truth, o->sanity) / (double)queries;
	}
	value[P95] = iso_quantile(error, queries, 0.95);
	iso_free(error);
	return isnan(value[P95]) ? iso_no_memory(err, "queries") : ISO_OK;
}

/* ---- triples ---- */

/* Joint cells of three codes; rows of the second half (NULL: none) into h + cells. */
static void count_triple(const iso_binning *b, size_t rows, const size_t at[3], const uint8_t *half,
			 size_t cells, double *h)
{
	for (size_t r = 0; r < rows; r++) {
		const uint32_t *code = b->code + r * b->ncode;
		const size_t e = (code[at[0]] * b->cells[at[1]] + code[at[1]]) * b->cells[at[2]] +
				 code[at[2]];

		h[(half && half[r] ? cells : 0) + e]++;
	}
}

static iso_status triples(const opts *o, const iso_binning *x, size_t nx, const iso_binning *y,
			  size_t ny, const uint8_t *half, double *value, iso_error *err)
{
	iso_stream s = iso_stream_new(iso_key_new(0, "metrics/queries/triples"));
	size_t *code = iso_alloc(x->ncode, sizeof(*code)), done = 0;
	double sum = 0, most = 0, floor_sum = 0;
	iso_status st = code ? ISO_OK : iso_no_memory(err, "triples");

	for (size_t k = 0; code && k < x->ncode; k++)
		code[k] = k;
	for (int64_t t = 0; st == ISO_OK && t < o->triples; t++) {
		draw_columns(&s, code, x->ncode, 3);
		const size_t cells = x->cells[code[0]] * x->cells[code[1]] * x->cells[code[2]];
		double *h = cells <= MOST_CELLS ? iso_alloc(2 * cells, sizeof(*h)) : NULL;

		if (cells > MOST_CELLS)
			continue;
		if (!h) {
			st = iso_no_memory(err, "a three-way marginal");
			break;
		}
		count_triple(x, nx, code, NULL, cells, h);
		count_triple(y, ny, code, NULL, cells, h + cells);
		const double d = iso_tv_counts(h, h + cells, cells);
		memset(h, 0, 2 * cells * sizeof(*h));
		count_triple(x, nx, code, half, cells, h);
		floor_sum += iso_tv_counts(h, h + cells, cells);
		sum += d;
		most = fmax(most, d);
		done++;
		iso_free(h);
	}
	iso_free(code);
	value[TVD_MEAN] = done ? sum / (double)done : NAN;
	value[TVD_MAX] = done ? most : NAN;
	value[FLOOR] = done && nx > 1 ? floor_sum / (double)done : NAN;
	return st;
}

static iso_status three_way(const opts *o, const iso_table *real, const iso_table *syn,
			    double *value, iso_error *err)
{
	iso_binning x = {0}, y = {0};
	uint8_t *half = iso_alloc(real->n, 1);
	uint32_t *row = NULL;
	iso_status st = half ? ISO_OK : iso_no_memory(err, "halves");

	ISO_TRY_OUT(st);
	ISO_TRY_OUT(iso_subset(iso_key_new(0, "metrics/queries/halves"), real->n, real->n / 2, &row,
			       err));
	for (size_t i = 0; i < real->n / 2; i++)
		half[row[i]] = 1;
	ISO_TRY_OUT(iso_bin_table(real, BINS, ISO_ENC_FEATURES | ISO_ENC_LABEL, &x, err));
	ISO_TRY_OUT(iso_bin_table(syn, BINS, ISO_ENC_FEATURES | ISO_ENC_LABEL, &y, err));
	if (x.ncode >= 3)
		ISO_TRY_OUT(triples(o, &x, real->n, &y, syn->n, half, value, err));
out:
	iso_free(half);
	iso_free(row);
	iso_binning_free(&x);
	iso_binning_free(&y);
	return st;
}

static iso_status measure(const iso_metric_view *v, const void *opt, iso_measures *out,
			  iso_error *err)
{
	const opts *o = opt;
	double value[NVALUE];
	size_t *column = iso_alloc(v->schema->ncol, sizeof(*column));
	iso_status st = column ? ISO_OK : iso_no_memory(err, "queries");

	for (size_t i = 0; i < NVALUE; i++)
		value[i] = NAN;
	ISO_TRY_OUT(st);
	const size_t n = flat_columns(v->schema, column);
	if (n && v->train->n && v->synthetic->n)
		ISO_TRY_OUT(ask(o, v->train, v->synthetic, column, n, value, err));
	if (n >= 3 && !v->schema->npixel && v->train->n && v->synthetic->n)
		ISO_TRY_OUT(three_way(o, v->train, v->synthetic, value, err));
	for (size_t i = 0; i < NVALUE; i++)
		ISO_TRY_OUT(iso_put(out, outputs[i].key, value[i],
				    i < TVD_MEAN ? "no column that is no image, or no rows"
						 : "fewer than three such columns, or no rows",
				    err));
out:
	iso_free(column);
	return st;
}

const iso_metric iso_metric_queries = {
	.abi = ISO_METRIC_ABI,
	.name = "queries",
	.title = "Counting queries and 3-way marginals",
	.citation = "M. Hardt, K. Ligett, F. McSherry: A Simple and Practical Algorithm for "
		    "Differentially Private Data Release. NIPS 2012. arXiv:1012.4763 (error of "
		    "counting queries)",
	.card = "Random conjunctions over one to three columns, an interval of a number or a level "
		"of a category each, answered from the real training rows and from the synthetic "
		"ones; absolute errors as shares of the rows, and relative ones with a sanity "
		"bound. "
		"Three-way marginals over random triples of columns, numbers in ten cells of their "
		"public bounds, with the distance of two real halves as floor.",
	.inputs = ISO_IN_TRAIN | ISO_IN_SYNTHETIC,
	.version = 1,
	.outputs = outputs,
	.options = options,
	.options_size = sizeof(opts),
	.measure = measure,
};
