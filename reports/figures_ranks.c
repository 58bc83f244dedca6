// SPDX-License-Identifier: Apache-2.0
/* Critical differences over all data sets (Demsar, "Statistical comparisons of classifiers over
 * multiple data sets", JMLR 7, 2006, section 3.2.2 and figure 1). */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/special.h"
#include "core/math/vmath.h"
#include "reports/figures_more.h"

#define MOST_METHODS 64

/* Share of samples of k standard normals whose range is at most q: the integral over z, the
 * largest, of k phi(z) (Phi(z) - Phi(z - q))^(k - 1), by Simpson's rule. */
static double range_cdf(double q, size_t k)
{
	enum { STEPS = 400 };
	const double lo = -8, hi = 9, h = (hi - lo) / STEPS;
	double sum = 0;

	for (int i = 0; i <= STEPS; i++) {
		const double z = lo + h * i, weight = i == 0 || i == STEPS ? 1 : i % 2 ? 4 : 2;
		const double inside = iso_norm_cdf(z) - iso_norm_cdf(z - q);

		sum += weight *
		       iso_exp(-z * z / 2 + ((double)k - 1) * iso_log(fmax(inside, 1e-300)));
	}
	return (double)k * sum * h / 3 / sqrt(2 * M_PI);
}

/* The 95 % quantile of the studentised range with infinitely many degrees of freedom over sqrt(2),
 * as Nemenyi's test takes it (Demsar 2006, table 5). */
static double nemenyi_q(size_t k)
{
	double lo = 0, hi = 12;

	if (k < 2 || k > MOST_METHODS)
		return NAN;
	for (int i = 0; i < 50; i++) {
		const double q = (lo + hi) / 2;

		if (range_cdf(q, k) < 0.95)
			lo = q;
		else
			hi = q;
	}
	return hi / sqrt(2);
}

void iso_friedman(const double *value, size_t n, size_t k, double *rank, double *p, double *cd)
{
	double chi = 0, ties = 0;

	memset(rank, 0, k * sizeof(*rank));
	for (size_t b = 0; b < n; b++)
		for (size_t i = 0; i < k; i++) {
			double above = 0, equal = 0;

			for (size_t j = 0; j < k; j++) {
				above += value[b * k + j] > value[b * k + i];
				equal += value[b * k + j] == value[b * k + i];
			}
			rank[i] += (above + (equal + 1) / 2) / (double)n;
			ties += equal * equal - 1; /* sums t^3 - t over groups */
		}
	for (size_t i = 0; i < k; i++)
		chi += (rank[i] - ((double)k + 1) / 2) * (rank[i] - ((double)k + 1) / 2);
	chi *= 12 * (double)n / ((double)k * ((double)k + 1));
	if (ties > 0)
		chi /= 1 - ties / ((double)n * (double)k * ((double)(k * k) - 1));
	*p = k > 1 && isfinite(chi) ? iso_chi2_sf(chi, (double)k - 1) : NAN;
	*cd = nemenyi_q(k) * sqrt((double)k * ((double)k + 1) / (6 * (double)n));
}

/* Blocks are (data set, epsilon) pairs in which every method of the choice was measured. */
typedef struct blocks {
	double *value; /* [n][k] */
	size_t *method, k, n;
} blocks;

static double mean_at(const iso_aggregate *a, size_t d, size_t method, double eps, size_t name)
{
	for (size_t i = 0; i < a->nsetting; i++)
		if (a->setting[i].method == method && a->setting[i].epsilon == eps &&
		    iso_on(a, i, d) && iso_aggregate_at(a, i, name)->n)
			return a->name[name].direction * iso_aggregate_at(a, i, name)->mean;
	return NAN;
}

static void take_blocks(const iso_aggregate *a, size_t name, blocks *b)
{
	for (size_t i = 0; i < a->nsetting; i++) {
		const iso_setting *s = &a->setting[i];
		size_t d = 0, k = 0, first = 0;

		if (!isfinite(s->epsilon))
			continue;
		while (!iso_on(a, i, d))
			d++;
		while (first < i &&
		       (a->setting[first].epsilon != s->epsilon || !iso_on(a, first, d)))
			first++;
		if (first < i)
			continue; /* the block was met before */
		for (; k < b->k; k++) {
			b->value[b->n * b->k + k] = mean_at(a, d, b->method[k], s->epsilon, name);
			if (isnan(b->value[b->n * b->k + k]))
				break;
		}
		b->n += k == b->k;
	}
}

/* Methods measured in the most blocks: those that are in every block in which any is. */
static void take_methods(const iso_aggregate *a, size_t name, blocks *b)
{
	size_t most = 0;

	for (int pass = 0; pass < 2; pass++)
		for (size_t m = 0; m < a->nmethod; m++) {
			size_t n = 0;

			for (size_t i = 0; i < a->nsetting; i++)
				n += a->setting[i].method == m && isfinite(a->setting[i].epsilon) &&
				     iso_aggregate_at(a, i, name)->n;
			if (pass == 0)
				most = n > most ? n : most;
			else if (n && n == most)
				b->method[b->k++] = m;
		}
}

/* Places of k methods by mean rank, equal ranks in the order of the report. */
static void by_rank(const double *rank, size_t k, size_t *order)
{
	for (size_t i = 0; i < k; i++) {
		size_t j = i;

		for (; j && rank[order[j - 1]] > rank[i]; j--)
			order[j] = order[j - 1];
		order[j] = i;
	}
}

static void bar(iso_chart *c, const iso_aggregate *a, const char *title, double from, double to,
		double y)
{
	const size_t series = iso_chart_series(c, a, title, ISO_NO_METHOD, ISO_BAR);

	iso_chart_point(c, series, title, from, y, NAN, NAN, NAN, NAN);
	iso_chart_point(c, series, title, to, y, NAN, NAN, NAN, NAN);
}

size_t iso_rank_groups(const double *rank, const size_t *order, size_t k, double cd, size_t *first,
		       size_t *last)
{
	size_t n = 0, reached = 0;

	for (size_t i = 0; i < k; i++) {
		size_t j = i;

		while (j + 1 < k && rank[order[j + 1]] - rank[order[i]] <= cd)
			j++;
		if (j > i && j > reached) {
			first[n] = i;
			last[n++] = j;
			reached = j;
		}
	}
	return n;
}

/* A row for each method, the ruler above them, and below them a bar for each group of methods that
 * cannot be told apart. */
static iso_status ranks_chart(const iso_aggregate *a, size_t name, const blocks *b, const char *dir,
			      iso_figures *f, iso_error *err)
{
	double rank[MOST_METHODS], p, cd, y;
	size_t order[MOST_METHODS], first[MOST_METHODS], last[MOST_METHODS], groups;
	iso_chart c;
	iso_str kind = {0};

	iso_friedman(b->value, b->n, b->k, rank, &p, &cd);
	by_rank(rank, b->k, order);
	iso_str_addf(&kind, "ranks-%s", a->name[name].name);
	iso_chart_init(&c, a, a->ndataset, kind.p ? kind.p : "ranks");
	iso_str_free(&kind);
	c.xlab = "mean rank (1 is best)";
	c.ylab = "";
	c.xlo = 0.9;
	c.xhi = fmax((double)b->k, 1 + cd) + 0.1;
	iso_chart_row(&c, "critical difference", 0);
	bar(&c, a, "", 1, 1 + cd, 0);
	for (size_t i = 0; i < b->k; i++) {
		const size_t m = b->method[order[i]];
		const size_t series = iso_chart_series(&c, a, "", m, ISO_POINTS);

		y = -1 - (double)i;
		iso_chart_row(&c, iso_method_name(a, m), y);
		iso_chart_point(&c, series, iso_method_name(a, m), rank[order[i]], y, NAN, NAN, NAN,
				NAN);
	}
	groups = iso_rank_groups(rank, order, b->k, cd, first, last);
	y = -(double)b->k - 0.5;
	for (size_t g = 0; g < groups; g++) {
		y -= 0.5;
		bar(&c, a, g ? "" : "cannot be told apart", rank[order[first[g]]],
		    rank[order[last[g]]], y);
	}
	c.ylo = y - 0.5;
	c.yhi = 0.5;
	iso_str_addf(
		&c.caption,
		"Ranks by %s over %zu pairs of data set and epsilon: Friedman p = %.2g, critical "
		"difference %.2f (Nemenyi, 5 %%). Methods under one bar cannot be told apart.",
		a->name[name].title, b->n, p, cd);
	return iso_chart_finish(&c, a, dir, f, err);
}

static iso_status ranks_of(const iso_aggregate *a, size_t name, const char *dir, iso_figures *f,
			   iso_error *err)
{
	blocks b = {.value = iso_alloc(a->nsetting * a->nmethod + 1, sizeof(double)),
		    .method = iso_alloc(a->nmethod + 1, sizeof(size_t))};
	iso_status st = ISO_OK;

	if (!b.value || !b.method) {
		st = iso_no_memory(err, "ranks");
	} else {
		take_methods(a, name, &b);
		if (b.k >= 3 && b.k <= MOST_METHODS)
			take_blocks(a, name, &b);
		if (b.n >= 2)
			st = ranks_chart(a, name, &b, dir, f, err);
	}
	iso_free(b.value);
	iso_free(b.method);
	return st;
}

iso_status iso_figure_ranks(const iso_aggregate *a, const char *dir, iso_figures *f, iso_error *err)
{
	for (size_t j = 0; j < a->nname; j++)
		if (a->name[j].headline && a->name[j].direction &&
		    strcmp(a->name[j].kind, "attack") != 0)
			ISO_TRY(ranks_of(a, j, dir, f, err));
	return ISO_OK;
}
