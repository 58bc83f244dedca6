// SPDX-License-Identifier: Apache-2.0
/* Tests between settings: paired over seeds, adjusted by Holm. */
#include <math.h>
#include <stdlib.h>

#include "core/math/special.h"
#include "reports/aggregate.h"

#define SEEDS_MAX 4096

double iso_student_975(size_t n)
{
	double dof = (double)n - 1, x;

	if (n < 2)
		return NAN;
	/* t^2 = dof (1/x - 1) with x the 5 % quantile of Beta(dof/2, 1/2). */
	x = iso_beta_ppf(dof / 2, 0.5, 0.05);
	return sqrt(dof * (1 / x - 1));
}

size_t iso_aggregate_values(const iso_aggregate *a, size_t s, size_t name, double *value,
			    double *seed, size_t cap)
{
	size_t lo = 0, hi = a->nsample, n = 0; /* samples are sorted by setting, name, seed */

	while (lo < hi) {
		const size_t mid = lo + (hi - lo) / 2;
		const iso_sample *x = &a->sample[mid];

		if (x->setting < s || (x->setting == s && x->name < name))
			lo = mid + 1;
		else
			hi = mid;
	}
	for (;
	     lo < a->nsample && n < cap && a->sample[lo].setting == s && a->sample[lo].name == name;
	     lo++) {
		value[n] = a->sample[lo].value;
		seed[n++] = a->sample[lo].seed;
	}
	return n;
}

double iso_paired_p(const iso_aggregate *a, size_t s, size_t t, size_t name)
{
	static double x[SEEDS_MAX], y[SEEDS_MAX], xs[SEEDS_MAX], ys[SEEDS_MAX];
	const size_t nx = iso_aggregate_values(a, s, name, x, xs, SEEDS_MAX);
	const size_t ny = iso_aggregate_values(a, t, name, y, ys, SEEDS_MAX);
	double mean = 0, square = 0, tt, dof;
	size_t n = 0;

	for (size_t i = 0; i < nx; i++)
		for (size_t j = 0; j < ny; j++)
			if (xs[i] == ys[j] && isfinite(x[i] - y[j])) {
				/* Welford */
				const double d = x[i] - y[j], before = mean;

				n++;
				mean += (d - mean) / (double)n;
				square += (d - before) * (d - mean);
			}
	if (n < ISO_PAIRS_MIN)
		return NAN;
	if (square <= 1e-24 * (double)n)
		return fabs(mean) < 1e-12 ? 1 : 0;
	dof = (double)n - 1;
	tt = mean * mean * (double)n / (square / dof);
	return iso_beta_inc(dof / 2, 0.5, dof / (dof + tt));
}

void iso_holm(double *p, size_t n)
{
	double running = 0;
	size_t left = 0;

	for (size_t i = 0; i < n; i++)
		left += !isnan(p[i]);
	for (double last = -1; left; left--) { /* adjusted values are kept below -1 until the end */
		size_t best = n;

		for (size_t i = 0; i < n; i++)
			if (p[i] >= 0 && p[i] >= last && (best == n || p[i] < p[best]))
				best = i;
		if (best == n)
			break;
		last = p[best];
		running = fmax(running, fmin(1, (double)left * p[best]));
		p[best] = -2 - running;
	}
	for (size_t i = 0; i < n; i++)
		if (p[i] <= -2)
			p[i] = -2 - p[i];
}
