// SPDX-License-Identifier: Apache-2.0
/* Total variation distance of one- and two-way marginals, real training rows against synthetic rows
 * (attacks.md section 9):
 *
 *     TVD = 1/2 sum over cells |p - q|,   numeric columns in equal bins of their public bounds.
 *
 * Two tables drawn from one law differ too: the floor is the same distance between the two halves
 * of a shuffle of the real rows.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/learn/assess.h"
#include "core/learn/kfold.h"
#include "metrics/metric.h"

#define PIECE 2048		     /* rows that are binned at a time */
#define MOST_CELLS ((size_t)1 << 24) /* of one two-way table */

typedef struct opts {
	int64_t bins, pairs;
	int two_way;
} opts;

static const iso_option options[] = {
	ISO_OPT_INT(opts, bins, "10", 2, 1000, "equal bins of a numeric column's public bounds"),
	ISO_OPT_BOOL(opts, two_way, "true", "also all pairs of columns (pixels only one way)"),
	ISO_OPT_INT(opts, pairs, "2000", 0, 100000000,
		    "at most so many pairs of columns, drawn at random; 0 = all"),
	{0}};

#define PIXELS "pixels take part one way only"
static const iso_output outputs[] = {
	{"tvd1_mean", "1-way TVD, mean", "", ISO_LOWER, 0, 1, 0, NULL, "fidelity", 0,
	 "floor.tvd1_mean"},
	{"tvd1_max", "1-way TVD, max", "", ISO_LOWER, 0, 1, 0, NULL},
	{"tvd2_mean", "2-way TVD, mean", "", ISO_LOWER, 0, 1, 0, NULL, "fidelity", 1,
	 "floor.tvd2_mean"},
	{"tvd2_max", "2-way TVD, max", "", ISO_LOWER, 0, 1, 0,
	 "beyond the option `pairs` (2,000) over a random sample of the pairs"},
	{"floor.tvd1_mean", "1-way TVD of two real halves, mean", "", ISO_NEITHER, 0, 1, NAN, NULL},
	{"floor.tvd2_mean", "2-way TVD of two real halves, mean", "", ISO_NEITHER, 0, 1, NAN, NULL},
	{0}};
enum { MEAN1, MAX1, MEAN2, MAX2, NSTAT };

/* Codes of a table: histograms of all of them, and the codes themselves of the columns that are not
 * pixels. */
typedef struct codes {
	size_t n, ncode, total, nplain;
	size_t *cells, *first; /* [ncode] */
	size_t *plain;	       /* [nplain] places among the codes */
	uint32_t *value;       /* [nplain][n] */
} codes;

static void codes_free(codes *c)
{
	iso_free(c->cells);
	iso_free(c->first);
	iso_free(c->plain);
	iso_free(c->value);
	*c = (codes){0};
}

/* The table's rows at .. at+n-1 without copying them. */
static iso_table rows_of(const iso_table *t, size_t at, size_t n)
{
	const iso_schema *s = t->schema;
	return (iso_table){.schema = s,
			   .n = n,
			   .cells = t->cells + at * s->ncol,
			   .id = t->id + at,
			   .pixels = t->pixels ? t->pixels + at * s->npixel : NULL};
}

static iso_status layout(const iso_table *t, size_t bins, codes *c, iso_error *err)
{
	const iso_table none = rows_of(t, 0, 0);
	iso_binning b;
	ISO_TRY(iso_bin_table(&none, bins, ISO_ENC_FEATURES | ISO_ENC_LABEL, &b, err));
	*c = (codes){.n = t->n, .ncode = b.ncode, .total = b.total};
	c->cells = iso_alloc(b.ncode, sizeof(*c->cells));
	c->first = iso_alloc(b.ncode, sizeof(*c->first));
	c->plain = iso_alloc(b.ncode, sizeof(*c->plain));
	if (c->cells && c->first && c->plain) {
		memcpy(c->cells, b.cells, b.ncode * sizeof(*c->cells));
		memcpy(c->first, b.first, b.ncode * sizeof(*c->first));
		for (size_t k = 0; k < b.ncode; k++)
			if (t->schema->column[b.column[k]].type != ISO_PIXEL)
				c->plain[c->nplain++] = k;
		c->value = iso_alloc(c->nplain * t->n, sizeof(*c->value));
	}
	iso_binning_free(&b);
	if (c->value)
		return ISO_OK;
	codes_free(c);
	return iso_no_memory(err, "the marginals of a table");
}

/* hist [2][total]: row r counts in half[r] (NULL: in the first). */
static iso_status count_rows(const iso_table *t, size_t bins, const uint8_t *half, codes *c,
			     double *hist, iso_error *err)
{
	for (size_t at = 0; at < t->n; at += PIECE) {
		const iso_table piece = rows_of(t, at, t->n - at < PIECE ? t->n - at : PIECE);
		iso_binning b;
		ISO_TRY(iso_bin_table(&piece, bins, ISO_ENC_FEATURES | ISO_ENC_LABEL, &b, err));
		for (size_t r = 0; r < piece.n; r++) {
			double *h = hist + (half && half[at + r] ? c->total : 0);
			for (size_t k = 0; k < c->ncode; k++)
				h[c->first[k] + b.code[r * c->ncode + k]]++;
			for (size_t k = 0; k < c->nplain; k++)
				c->value[k * t->n + at + r] = b.code[r * c->ncode + c->plain[k]];
		}
		iso_binning_free(&b);
	}
	return ISO_OK;
}

static void one_way(const codes *c, const double *p, const double *q, double *stat)
{
	stat[MEAN1] = stat[MAX1] = 0;
	for (size_t k = 0; k < c->ncode; k++) {
		const double t = iso_tv_counts(p + c->first[k], q + c->first[k], c->cells[k]);
		stat[MEAN1] += t / (double)c->ncode;
		stat[MAX1] = fmax(stat[MAX1], t);
	}
}

/* Rows of one table into the joint cells of columns a and b; h is [2][cells], row r into half[r].
 */
static void count_pair(const codes *c, size_t a, size_t b, const uint8_t *half, size_t cells,
		       double *h)
{
	const uint32_t *va = c->value + a * c->n, *vb = c->value + b * c->n;
	const size_t width = c->cells[c->plain[b]];
	for (size_t r = 0; r < c->n; r++)
		h[(half && half[r] ? cells : 0) + va[r] * width + vb[r]]++;
}

/* pick [*pairs] ascending places among the pairs a > b, or NULL for all of them: the cost grows
 * with the table and not with the square of its columns.  A constant key, so that all cells of a
 * suite look at the same pairs. */
static iso_status choose_pairs(size_t budget, size_t *pairs, uint32_t **pick, iso_error *err)
{
	*pick = NULL;
	if (!budget || *pairs <= budget)
		return ISO_OK;
	ISO_TRY(iso_subset(iso_key_new(0, "metrics/marginals/pairs"), *pairs, budget, pick, err));
	*pairs = budget;
	return ISO_OK;
}

/* Pairs of plain columns: x against y, or the two halves of x when y is NULL. */
static iso_status two_way(const codes *x, const codes *y, const uint8_t *half, size_t budget,
			  double *stat, iso_error *err)
{
	size_t most = 0, pairs = 0, at = 0, next = 0;
	uint32_t *pick;
	stat[MEAN2] = stat[MAX2] = NAN;
	for (size_t a = 0; a < x->nplain; a++)
		for (size_t b = 0; b < a; b++, pairs++) {
			const size_t cells = x->cells[x->plain[a]] * x->cells[x->plain[b]];
			most = cells > most ? cells : most;
		}
	if (!pairs || most > MOST_CELLS)
		return ISO_OK;
	ISO_TRY(choose_pairs(budget, &pairs, &pick, err));
	double *h = iso_alloc(2 * most, sizeof(*h));
	if (!h) {
		iso_free(pick);
		return iso_no_memory(err, "a two-way marginal");
	}
	stat[MEAN2] = stat[MAX2] = 0;
	for (size_t a = 0; a < x->nplain; a++)
		for (size_t b = 0; b < a; b++, at++) {
			if (pick && (next == pairs || pick[next] != at))
				continue;
			next++;
			const size_t cells = x->cells[x->plain[a]] * x->cells[x->plain[b]];
			memset(h, 0, 2 * cells * sizeof(*h));
			count_pair(x, a, b, half, cells, h);
			if (y)
				count_pair(y, a, b, NULL, cells, h + cells);
			const double t = iso_tv_counts(h, h + cells, cells);
			stat[MEAN2] += t / (double)pairs;
			stat[MAX2] = fmax(stat[MAX2], t);
		}
	iso_free(h);
	iso_free(pick);
	return ISO_OK;
}

/* The two halves of the real rows: data and a constant key decide, so that all cells of a suite
 * share the value. */
static iso_status floor_of(const iso_table *t, const opts *o, codes *c, double *hist, double *stat,
			   iso_error *err)
{
	uint8_t *half = iso_alloc(t->n, 1);
	uint32_t *row = NULL;
	iso_status st = half ? iso_subset(iso_key_new(0, "metrics/marginals/halves"), t->n,
					  t->n / 2, &row, err)
			     : iso_no_memory(err, "the halves of a table");
	for (size_t i = 0; st == ISO_OK && i < t->n / 2; i++)
		half[row[i]] = 1;
	memset(hist, 0, 2 * c->total * sizeof(*hist));
	if (st == ISO_OK)
		st = count_rows(t, (size_t)o->bins, half, c, hist, err);
	if (st == ISO_OK)
		one_way(c, hist, hist + c->total, stat);
	if (st == ISO_OK && o->two_way)
		st = two_way(c, NULL, half, (size_t)o->pairs, stat, err);
	iso_free(row);
	iso_free(half);
	return st;
}

static iso_status put(iso_measures *out, const char *key, double v, const char *reason,
		      iso_error *err)
{
	return isnan(v) ? iso_measure_undefined(out, key, reason, err)
			: iso_measure_set(out, key, v, NAN, NAN, err);
}

static iso_status put_all(iso_measures *out, const double *stat, const double *ground,
			  int two_way_wanted, iso_error *err)
{
	const char *why = two_way_wanted ? "no two columns whose joint table fits; " PIXELS
					 : "two_way is off";
	const char *few = "fewer than two real rows";
	ISO_TRY(put(out, "tvd1_mean", stat[MEAN1], "no rows", err));
	ISO_TRY(put(out, "tvd1_max", stat[MAX1], "no rows", err));
	ISO_TRY(put(out, "tvd2_mean", stat[MEAN2], why, err));
	ISO_TRY(put(out, "tvd2_max", stat[MAX2], why, err));
	ISO_TRY(put(out, "floor.tvd1_mean", ground[MEAN1], few, err));
	return put(out, "floor.tvd2_mean", ground[MEAN2], isnan(ground[MEAN1]) ? few : why, err);
}

static iso_status measure(const iso_metric_view *v, const void *opt, iso_measures *out,
			  iso_error *err)
{
	const opts *o = opt;
	const size_t bins = (size_t)o->bins;
	double stat[NSTAT] = {NAN, NAN, NAN, NAN}, ground[NSTAT] = {NAN, NAN, NAN, NAN},
	       *hist = NULL;
	codes real = {0}, syn = {0};
	char name[64];
	iso_status st;
	ISO_TRY_OUT(layout(v->train, bins, &real, err));
	ISO_TRY_OUT(layout(v->synthetic, bins, &syn, err));
	hist = iso_alloc(2 * real.total, sizeof(*hist));
	if (!hist) {
		st = iso_no_memory(err, "the marginals of a table");
		goto out;
	}
	snprintf(name, sizeof(name), "marginals/2/floor/%zu/%d/%lld", bins, o->two_way,
		 (long long)o->pairs);
	if (v->train->n >= 2 &&
	    !(v->cache_get && v->cache_get(v->cache_ctx, name, ground, NSTAT))) {
		ISO_TRY_OUT(floor_of(v->train, o, &real, hist, ground, err));
		if (v->cache_put)
			v->cache_put(v->cache_ctx, name, ground, NSTAT);
	}
	memset(hist, 0, 2 * real.total * sizeof(*hist));
	ISO_TRY_OUT(count_rows(v->train, bins, NULL, &real, hist, err));
	ISO_TRY_OUT(count_rows(v->synthetic, bins, NULL, &syn, hist + real.total, err));
	if (v->train->n && v->synthetic->n) {
		one_way(&real, hist, hist + real.total, stat);
		if (o->two_way)
			ISO_TRY_OUT(two_way(&real, &syn, NULL, (size_t)o->pairs, stat, err));
	}
	ISO_TRY_OUT(put_all(out, stat, ground, o->two_way, err));
out:
	iso_free(hist);
	codes_free(&real);
	codes_free(&syn);
	return st;
}

const iso_metric iso_metric_marginals = {
	.abi = ISO_METRIC_ABI,
	.name = "marginals",
	.title = "Total variation distance of 1- and 2-way marginals",
	.citation = "k-way marginal total variation distance, as in the evaluation of "
		    "marginal-based synthesis; e.g. R. "
		    "McKenna, "
		    "G. Miklau, D. Sheldon: Winning the NIST Contest. Journal of Privacy and "
		    "Confidentiality 11(3), 2021. "
		    "arXiv:2108.04978",
	.card = "Half the summed absolute difference between the real training rows' and the "
		"synthetic rows' shares of "
		"each cell, for "
		"every column (label included) and every pair of columns; mean and maximum. "
		"Numeric columns in equal "
		"bins of "
		"their public bounds, missing values as a cell of their own. Pixels count one way "
		"only. The floor is "
		"the same distance "
		"between two halves of the real rows: what sampling alone does at half the size.",
	.inputs = ISO_IN_TRAIN | ISO_IN_SYNTHETIC,
	.version = 1,
	.outputs = outputs,
	.options = options,
	.options_size = sizeof(opts),
	.measure = measure,
};
