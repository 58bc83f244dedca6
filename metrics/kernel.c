// SPDX-License-Identifier: Apache-2.0
/* Maximum mean discrepancy with a Gaussian kernel (Gretton et al. 2012; attacks.md section 9):
 *
 *     MMD^2 = mean k(x, x') + mean k(y, y') - 2 mean k(x, y),   k(a, b) = exp(-d^2(a, b) / 2 s^2)
 *
 * with s the median distance of two rows of both samples together; biased (all pairs) and unbiased
 * (without a row against itself).  p: the share of random divisions of the pooled rows whose
 * statistic is at least as large, among `permutations` and the true one.  Distance: the attacks'
 * (core/learn/pairs.h).
 */
#include <math.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/learn/pairs.h"
#include "core/math/stats.h"
#include "core/math/vmath.h"
#include "metrics/kit/sample.h"

typedef struct opts {
	int64_t max_rows, permutations;
} opts;
static const iso_option options[] = {
	ISO_OPT_INT(opts, max_rows, "500", 2, 5000,
		    "at most so many real and so many synthetic rows, drawn at random"),
	ISO_OPT_INT(opts, permutations, "200", 19, 100000, "random divisions behind the p-value"),
	{0}};

static const iso_output outputs[] = {
	{"mmd2_unbiased", "MMD squared, unbiased", "", ISO_LOWER, -INFINITY, 2, 0, NULL, "fidelity",
	 1},
	{"mmd2_biased", "MMD squared, biased", "", ISO_LOWER, 0, 2, 0, NULL, "fidelity"},
	{"p", "MMD: p-value of one law", "", ISO_HIGHER, 0, 1, NAN,
	 "under one law p is uniform: a small p counts against the synthetic rows, a large one "
	 "says "
	 "little",
	 "fidelity"},
	{"bandwidth", "MMD: median distance of the pooled rows", "", ISO_NEITHER, 0, INFINITY, NAN,
	 NULL, "fidelity"},
	{0}};

/* k [n][n] squared distances; the median of those above the diagonal. */
static iso_status distances(const iso_table *both, float *k, double *median, iso_error *err)
{
	const size_t n = both->n, pairs = n * (n - 1) / 2;
	double *d = iso_alloc(pairs, sizeof(*d));
	iso_rowset x = {0};
	iso_status st = d ? iso_rowset_new(both, &x, err) : iso_no_memory(err, "a kernel");
	size_t at = 0;

	for (size_t i = 0; st == ISO_OK && i < n; i++) {
		iso_pair_distances(&x, i, &x, k + i * n);
		for (size_t j = 0; j < i; j++)
			d[at++] = sqrt((double)k[i * n + j]);
	}
	*median = st == ISO_OK ? iso_quantile(d, pairs, 0.5) : NAN;
	if (st == ISO_OK && isnan(*median))
		st = iso_no_memory(err, "a kernel");
	iso_rowset_free(&x);
	iso_free(d);
	return st;
}

/* sum_ij s_i s_j k_ij with s = +1 (first sample) and -1, in halves of each row. */
static double signed_sum(const float *k, const float *s, size_t n)
{
	double all = 0;

	for (size_t i = 0; i < n; i++) {
		float part[8] = {0};
		const float *row = k + i * n;
		size_t j = 0;
		double sum = 0;

		for (; j + 8 <= n; j += 8)
			for (size_t l = 0; l < 8; l++)
				part[l] += s[j + l] * row[j + l];
		for (; j < n; j++)
			sum += (double)(s[j] * row[j]);
		for (size_t l = 0; l < 8; l++)
			sum += (double)part[l];
		all += (double)s[i] * sum;
	}
	return all;
}

static double p_value(const float *k, float *s, size_t n, size_t permutations, iso_key key)
{
	const double seen = signed_sum(k, s, n);
	iso_stream r = iso_stream_new(key);
	size_t above = 0;

	for (size_t t = 0; t < permutations; t++) {
		for (size_t i = n; i > 1; i--) {
			const size_t j = (size_t)iso_next_below(&r, i);
			const float swap = s[i - 1];

			s[i - 1] = s[j];
			s[j] = swap;
		}
		above += signed_sum(k, s, n) >= seen * (1 - 1e-6) - 1e-6;
	}
	return (1 + (double)above) / (1 + (double)permutations);
}

static iso_status discrepancy(const opts *o, const iso_pooled *p, iso_key key, double value[4],
			      iso_error *err)
{
	const size_t m = p->m, n = 2 * m;
	float *k = iso_alloc(n * n, sizeof(*k)), *s = iso_alloc(n, sizeof(*s));
	double same = 0, cross = 0;
	iso_status st =
		k && s ? distances(p->both, k, &value[3], err) : iso_no_memory(err, "a kernel");

	for (size_t e = 0; st == ISO_OK && e < n * n; e++) /* all rows equal: all similar */
		k[e] = value[3] > 0 ? (float)(-0.5 * (double)k[e] / (value[3] * value[3]))
				    : (k[e] > 0 ? -INFINITY : 0);
	for (size_t i = 0; st == ISO_OK && i < n; i++) {
		iso_vexp(n, k + i * n, k + i * n);
		s[i] = i < m ? 1 : -1;
		for (size_t j = 0; j < n; j++)
			if ((i < m) != (j < m))
				cross += (double)k[i * n + j];
			else if (i != j)
				same += (double)k[i * n + j];
	}
	const double mm = (double)m * (double)m;
	if (st == ISO_OK) {
		value[1] = fmax(0, (same + (double)n - cross) / mm);
		value[0] = same / (mm - (double)m) - cross / mm;
		value[2] = p_value(k, s, n, (size_t)o->permutations, iso_key_child(key, "deal", 0));
	}
	iso_free(k);
	iso_free(s);
	return st;
}

static iso_status measure(const iso_metric_view *v, const void *opt, iso_measures *out,
			  iso_error *err)
{
	const opts *o = opt;
	double value[4] = {NAN, NAN, NAN, NAN};
	size_t m = v->train->n < v->synthetic->n ? v->train->n : v->synthetic->n;
	iso_pooled p = {0};
	iso_status st = ISO_OK;

	m = m < (size_t)o->max_rows ? m : (size_t)o->max_rows;
	if (m > 1)
		st = iso_pooled_new(v->train, v->synthetic, m, v->key, 0, &p, err);
	if (st == ISO_OK && m > 1)
		st = discrepancy(o, &p, v->key, value, err);
	for (size_t i = 0; st == ISO_OK && i < 4; i++)
		st = iso_put(out, outputs[i].key, value[i], "fewer than two real or synthetic rows",
			     err);
	iso_pooled_free(&p);
	return st;
}

const iso_metric iso_metric_kernel = {
	.abi = ISO_METRIC_ABI,
	.name = "kernel",
	.title = "Maximum mean discrepancy",
	.citation = "A. Gretton, K. M. Borgwardt, M. J. Rasch, B. Schoelkopf, A. Smola: A Kernel "
		    "Two-Sample Test. Journal of Machine Learning Research 13, 2012",
	.card = "Squared maximum mean discrepancy of equally many real and synthetic rows under a "
		"Gaussian kernel whose width is the median distance of the pooled rows, in the "
		"attacks' distance; biased and unbiased, with a permutation p-value.",
	.inputs = ISO_IN_TRAIN | ISO_IN_SYNTHETIC,
	.version = 1,
	.outputs = outputs,
	.options = options,
	.options_size = sizeof(opts),
	.measure = measure,
};
