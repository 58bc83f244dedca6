// SPDX-License-Identifier: Apache-2.0
/* Diagnostics of copying by nearest rows (attacks.md section 3), in the attacks' distance.  None of
 * them is a privacy guarantee and none may gate: they are averages over rows that need not be at
 * risk, computed on private rows without noise.
 *
 *     nearer_train     share of synthetic rows nearer to a training than to a hold-out row, as many
 *                      of both; 1/2 when the generator remembers nobody.  Ties are left out.
 *     identifiability  share of training rows whose nearest synthetic row is nearer than their
 *                      nearest other training row
 *     copying_z        data-copying test (Meehan et al. 2020): L(A) = distance of each row of A to
 *                      its nearest training row;  U counts pairs with L(synthetic) > L(hold-out),
 *                      ties half;  Z = (U - (nm/2 - 1/2)) / sqrt(nm(n+m+1)/12)
 *     copying_cells    C_T: the same in the cells of a k-means of the training rows, averaged by
 *                      the hold-out rows of each cell that holds more than 20 synthetic rows
 */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/learn/kmeans.h"
#include "core/learn/pairs.h"
#include "core/math/stats.h"
#include "metrics/kit/sample.h"

#define TAIL 0.025

typedef struct opts {
	int64_t max_rows;
} opts;
static const iso_option options[] = {
	ISO_OPT_INT(opts, max_rows, "2000", 10, 1000000,
		    "at most so many rows of each table, drawn at random"),
	{0}};

#define NO_GUARANTEE \
	"a diagnostic, never a privacy guarantee: averages hide the row at risk, tables that " \
	"pass " \
	"are attacked all the same, and it is computed on private rows without noise"
#define ONE(key, title, unit, lo, hi) \
	{ \
		key, title, unit, ISO_NEITHER, lo, hi, NAN, NO_GUARANTEE, "diagnostic" \
	}
static const iso_output outputs[] = {
	ONE("nearer_train", "synthetic rows nearer to a training than to a hold-out row", "share",
	    0, 1),
	ONE("tied", "synthetic rows equally near to both", "share", 0, 1),
	ONE("dcr_holdout_median", "hold-out rows: distance to the closest training row, median", "",
	    0, INFINITY),
	ONE("dcr_holdout_p5", "hold-out rows: distance to the closest training row, 5 %", "", 0,
	    INFINITY),
	ONE("nndr_p5", "ratio of the two nearest distances, 5 %", "", 0, 1),
	ONE("identifiability", "identifiable training rows", "share", 0, 1),
	ONE("copying_z", "data-copying test, Z", "", -INFINITY, INFINITY),
	ONE("copying_cells", "data-copying test by cells, C_T (below -3: copying)", "", -INFINITY,
	    INFINITY),
	{0}};
enum { NEARER, TIED, HOLD_MEDIAN, HOLD_P5, NNDR, IDENTIFIABLE, COPY_Z, COPY_CELLS, NVALUE };

typedef struct tables {
	iso_table *t[3];   /* owned: training, hold-out, synthetic */
	iso_rowset set[3]; /* owned */
	double *near[3];   /* owned: to the nearest (other) training row; synthetic: [2m] */
	double *other;	   /* owned: training rows to their nearest synthetic row, or scratch */
} tables;
enum { TRAIN, HOLD, SYN };

static void tables_free(tables *x)
{
	for (int i = 0; i < 3; i++) {
		iso_table_free(x->t[i]);
		iso_rowset_free(&x->set[i]);
		iso_free(x->near[i]);
	}
	iso_free(x->other);
}

static iso_status tables_new(const iso_metric_view *v, size_t most, tables *x, iso_error *err)
{
	const iso_key fixed = iso_key_new(0, "metrics/closest");
	size_t m = v->train->n < v->test->n ? v->train->n : v->test->n, largest = 0;

	m = m < most ? m : most;
	ISO_TRY(iso_sample_table(v->train, m, iso_key_child(fixed, "train", 0), &x->t[TRAIN], err));
	ISO_TRY(iso_sample_table(v->test, m, iso_key_child(fixed, "test", 0), &x->t[HOLD], err));
	ISO_TRY(iso_sample_table(v->synthetic, most, iso_key_child(v->key, "rows", 0), &x->t[SYN],
				 err));
	for (int i = 0; i < 3; i++) {
		const size_t n = x->t[i]->n;

		ISO_TRY(iso_rowset_new(x->t[i], &x->set[i], err));
		x->near[i] = iso_alloc(2 * n, sizeof(double));
		if (!x->near[i])
			return iso_no_memory(err, "distances");
		largest = n > largest ? n : largest;
	}
	x->other = iso_alloc(largest, sizeof(double));
	return x->other ? ISO_OK : iso_no_memory(err, "distances");
}

/* Mann-Whitney's U of a [n] above b [m] standardised; NaN: out of memory. */
static double mann_whitney(const double *a, size_t n, const double *b, size_t m)
{
	double *s = iso_alloc(n + m, sizeof(*s));
	uint8_t *first = iso_alloc(n + m, 1);
	double z = NAN;

	if (s && first) {
		const double nm = (double)n * (double)m;

		memcpy(s, a, n * sizeof(*s));
		memcpy(s + n, b, m * sizeof(*s));
		memset(first, 1, n);
		z = (iso_auc(s, first, n + m) * nm - (nm / 2 - 0.5)) /
		    sqrt(nm * (double)(n + m + 1) / 12);
	}
	iso_free(s);
	iso_free(first);
	return z;
}

/* ---- cells ---- */

typedef struct cells {
	iso_kmeans m;
	size_t *count[3];  /* owned [k] */
	uint32_t *cell[3]; /* owned, of each row */
	float *x[3];	   /* owned, encoded */
} cells;

static void cells_free(cells *c)
{
	iso_kmeans_free(&c->m);
	for (int i = 0; i < 3; i++) {
		iso_free(c->count[i]);
		iso_free(c->cell[i]);
		iso_free(c->x[i]);
	}
}

static iso_status cells_new(const tables *x, cells *c, iso_error *err)
{
	const size_t n = x->t[TRAIN]->n, want = n / 200 > 5 ? n / 200 : 5;
	iso_encoder *e;
	iso_status st;

	ISO_TRY(iso_encoder_new(x->t[0]->schema, ISO_ENC_FEATURES | ISO_ENC_LABEL | ISO_ENC_ATTACK,
				&e, err));
	for (int i = 0; i < 3; i++)
		ISO_TRY_OUT(iso_encode_new(e, x->t[i], &c->x[i], err));
	ISO_TRY_OUT(iso_kmeans_fit(c->x[TRAIN], n, e->dim, want, 1,
				   iso_key_new(0, "metrics/closest/cells"), &c->m, err));
	for (int i = 0; i < 3; i++) {
		c->count[i] = iso_alloc(c->m.k, sizeof(size_t));
		c->cell[i] = iso_alloc(x->t[i]->n, sizeof(uint32_t));
		if (!c->count[i] || !c->cell[i]) {
			st = iso_no_memory(err, "cells");
			goto out;
		}
		for (size_t r = 0; r < x->t[i]->n; r++)
			c->count[i][c->cell[i][r] = (uint32_t)iso_kmeans_cell(
					    &c->m, c->x[i] + r * e->dim, NULL)]++;
	}
out:
	iso_encoder_free(e);
	return st;
}

/* A cell without hold-out rows joins the nearest that has some. */
static void merge_cells(const tables *x, cells *c)
{
	const size_t d = c->m.d;

	for (size_t k = 0; k < c->m.k; k++) {
		size_t to = SIZE_MAX;
		double least = INFINITY;

		for (size_t l = 0; l < c->m.k && !c->count[HOLD][k]; l++) {
			double s = 0;

			for (size_t j = 0; j < d; j++) {
				const double r = c->m.centre[k * d + j] - c->m.centre[l * d + j];
				s += r * r;
			}
			if (c->count[HOLD][l] && s < least) {
				least = s;
				to = l;
			}
		}
		for (int i = 0; to != SIZE_MAX && i < 3; i++) {
			for (size_t r = 0; r < x->t[i]->n; r++)
				if (c->cell[i][r] == k)
					c->cell[i][r] = (uint32_t)to;
			c->count[i][to] += c->count[i][k];
			c->count[i][k] = 0;
		}
	}
}

static size_t gather(const double *near, size_t step, const uint32_t *cell, size_t n, size_t k,
		     double *out)
{
	size_t m = 0;

	for (size_t i = 0; i < n; i++)
		if (cell[i] == k)
			out[m++] = near[i * step];
	return m;
}

static iso_status copying_by_cells(const tables *x, double *value, iso_error *err)
{
	const size_t n = x->t[SYN]->n, m = x->t[HOLD]->n;
	double *a = iso_alloc(n, sizeof(*a)), *b = iso_alloc(m, sizeof(*b)), sum = 0, weight = 0;
	cells c = {0};
	iso_status st = a && b ? cells_new(x, &c, err) : iso_no_memory(err, "cells");

	if (st == ISO_OK)
		merge_cells(x, &c);
	for (size_t k = 0; st == ISO_OK && k < c.m.k; k++) {
		const size_t na = gather(x->near[SYN], 2, c.cell[SYN], n, k, a),
			     nb = gather(x->near[HOLD], 1, c.cell[HOLD], m, k, b);

		if (na <= 20 || !nb)
			continue;
		const double z = mann_whitney(a, na, b, nb);
		if (isnan(z))
			st = iso_no_memory(err, "cells");
		sum += (double)nb * z;
		weight += (double)nb;
	}
	*value = weight > 0 ? sum / weight : NAN;
	cells_free(&c);
	iso_free(a);
	iso_free(b);
	return st;
}

/* ---- rows ---- */

static iso_status nearest(tables *x, double value[NVALUE][3], iso_error *err)
{
	const size_t n = x->t[SYN]->n, m = x->t[TRAIN]->n;
	double *to_hold = x->other, wins = 0, losses = 0, ratio_p5;

	ISO_TRY(iso_pair_nearest(&x->set[SYN], &x->set[TRAIN], 2, 0, x->near[SYN], NULL, err));
	ISO_TRY(iso_pair_nearest(&x->set[HOLD], &x->set[TRAIN], 1, 0, x->near[HOLD], NULL, err));
	ISO_TRY(iso_pair_nearest(&x->set[TRAIN], &x->set[TRAIN], 1, 1, x->near[TRAIN], NULL, err));
	ISO_TRY(iso_pair_nearest(&x->set[SYN], &x->set[HOLD], 1, 0, to_hold, NULL, err));
	for (size_t i = 0; i < n; i++) {
		wins += x->near[SYN][2 * i] < to_hold[i];
		losses += x->near[SYN][2 * i] > to_hold[i];
		to_hold[i] = x->near[SYN][2 * i + 1] > 0
				     ? x->near[SYN][2 * i] / x->near[SYN][2 * i + 1]
				     : 1;
	}
	ratio_p5 = iso_quantile(to_hold, n, 0.05);
	const uint64_t trials = (uint64_t)(wins + losses);
	if (trials) {
		value[NEARER][0] = wins / (double)trials;
		value[NEARER][1] = iso_cp_lower((uint64_t)wins, trials, TAIL);
		value[NEARER][2] = iso_cp_upper((uint64_t)wins, trials, TAIL);
	}
	value[TIED][0] = 1 - (wins + losses) / (double)n;
	value[HOLD_MEDIAN][0] = iso_quantile(x->near[HOLD], x->t[HOLD]->n, 0.5);
	value[HOLD_P5][0] = iso_quantile(x->near[HOLD], x->t[HOLD]->n, 0.05);
	value[NNDR][0] = ratio_p5;
	ISO_TRY(iso_pair_nearest(&x->set[TRAIN], &x->set[SYN], 1, 0, x->other, NULL, err));
	value[IDENTIFIABLE][0] = 0;
	for (size_t i = 0; i < m; i++)
		value[IDENTIFIABLE][0] += (x->other[i] < x->near[TRAIN][i]) / (double)m;
	for (size_t i = 0; i < n; i++) /* `other` has room for either table */
		x->other[i] = x->near[SYN][2 * i];
	value[COPY_Z][0] = mann_whitney(x->other, n, x->near[HOLD], x->t[HOLD]->n);
	return isnan(value[COPY_Z][0]) ? iso_no_memory(err, "distances") : ISO_OK;
}

static iso_status measure(const iso_metric_view *v, const void *opt, iso_measures *out,
			  iso_error *err)
{
	double value[NVALUE][3];
	tables x = {0};
	iso_status st;

	for (size_t i = 0; i < NVALUE; i++)
		value[i][0] = value[i][1] = value[i][2] = NAN;
	const int ok = v->train->n > 1 && v->test->n > 1 && v->synthetic->n > 1;
	if (ok) {
		ISO_TRY_OUT(tables_new(v, (size_t)((const opts *)opt)->max_rows, &x, err));
		ISO_TRY_OUT(nearest(&x, value, err));
		ISO_TRY_OUT(copying_by_cells(&x, &value[COPY_CELLS][0], err));
	}
	for (size_t i = 0; i < NVALUE; i++)
		ISO_TRY_OUT(iso_put3(out, outputs[i].key, value[i],
				     !ok ? "fewer than two training, hold-out or synthetic rows"
				     : i == NEARER ? "every synthetic row is equally near to both"
						   : "no cell holds more than 20 synthetic rows",
				     err));
out:
	tables_free(&x);
	return st;
}

const iso_metric iso_metric_closest = {
	.abi = ISO_METRIC_ABI,
	.name = "closest",
	.title = "Nearest rows and data copying",
	.citation = "C. Meehan, K. Chaudhuri, S. Dasgupta: A Non-Parametric Test to Detect "
		    "Data-Copying in Generative Models. AISTATS 2020. arXiv:2004.05675; G. Ganev, "
		    "E. De "
		    "Cristofaro: On the Inadequacy of Similarity-based Privacy Metrics. "
		    "arXiv:2312.05114 (why none of this is a guarantee)",
	.card = "Distances of synthetic and hold-out rows to their nearest training rows, as "
		"diagnostics that never gate: the share of synthetic rows nearer to the training "
		"than to the hold-out rows with its exact binomial interval, identifiable rows, "
		"and "
		"the data-copying test over all rows and over the cells of a k-means. Distances "
		"and "
		"their averages say nothing about the worst record, they contradict attacks that "
		"succeed, and releasing them beside a private table spends what the table saved.",
	.inputs = ISO_IN_TRAIN | ISO_IN_TEST | ISO_IN_SYNTHETIC,
	.version = 1,
	.outputs = outputs,
	.options = options,
	.options_size = sizeof(opts),
	.measure = measure,
};
