// SPDX-License-Identifier: Apache-2.0
#include "reports/figures_more.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/special.h"

static const cJSON *get(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

/* ------------------------------------------------------------------ ROC */

typedef struct scored {
	double score;
	int truth;
} scored;

static int descending(const void *a, const void *b)
{
	const scored *x = a, *y = b;

	return (x->score < y->score) - (x->score > y->score);
}

size_t iso_roc_points(const double *score, const int *truth, size_t n, double *fpr, double *tpr)
{
	scored *v = iso_alloc(n + 1, sizeof(*v));
	size_t pos = 0, neg = 0, tp = 0, fp = 0, k = 1;

	fpr[0] = tpr[0] = 0;
	for (size_t i = 0; v && i < n; i++) {
		v[i] = (scored){score[i], truth[i]};
		*(truth[i] ? &pos : &neg) += 1;
	}
	if (v && pos && neg) {
		qsort(v, n, sizeof(*v), descending);
		for (size_t i = 0; i < n; i++) {
			*(v[i].truth ? &tp : &fp) += 1;
			if (i + 1 < n && v[i + 1].score == v[i].score)
				continue;
			fpr[k] = (double)fp / (double)neg;
			tpr[k++] = (double)tp / (double)pos;
		}
	}
	iso_free(v);
	return k;
}

/* TPR of the curve at a false positive rate: the largest that a threshold reaches within it. */
static double tpr_at(const double *fpr, const double *tpr, size_t n, double x)
{
	double best = 0;

	for (size_t i = 0; i < n && fpr[i] <= x * (1 + 1e-12); i++)
		best = tpr[i];
	return best;
}

/* False positive rates at which curves are averaged, ascending: ten a decade, from lo to 1. */
#define GRID 80
static size_t rates(double lo, double x[GRID])
{
	static const double step[] = {1, 0.8, 0.65, 0.5, 0.4, 0.32, 0.25, 0.2, 0.16, 0.125};
	double decade = 1;
	size_t n = 0;

	for (size_t i = 0; n < GRID - 1 && decade * step[i % 10] > lo; i++) {
		x[n++] = decade * step[i % 10];
		decade /= i % 10 == 9 ? 10 : 1;
	}
	x[n++] = lo;
	for (size_t i = 0; i < n / 2; i++) {
		const double swap = x[i];

		x[i] = x[n - 1 - i];
		x[n - 1 - i] = swap;
	}
	return n;
}

/* Adds one record's curve to the sum over seeds. */
static int add_curve(const cJSON *attack, const double *grid, size_t ngrid, double sum[GRID])
{
	const cJSON *scores = get(attack, "scores"), *truth = get(attack, "truth"), *s, *t;
	const size_t cap = (size_t)cJSON_GetArraySize(scores) + 2;
	double *x = iso_alloc(3 * cap, sizeof(*x));
	int *y = iso_alloc(cap, sizeof(*y));
	size_t n = 0, k;

	if (x && y && scores && truth)
		for (s = scores->child, t = truth->child; s && t; s = s->next, t = t->next) {
			x[n] = s->valuedouble;
			y[n++] = t->valuedouble > 0.5;
		}
	if (n) {
		k = iso_roc_points(x, y, n, x + cap, x + 2 * cap);
		for (size_t g = 0; g < ngrid; g++)
			sum[g] += tpr_at(x + cap, x + 2 * cap, k, grid[g]);
	}
	iso_free(x);
	iso_free(y);
	return n > 0;
}

/* The first attack of the data set that has scores. */
static const char *first_scored(const iso_aggregate *a, size_t d, double *lo)
{
	const char *label = NULL;

	for (size_t i = 0; i < a->records->n; i++) {
		const cJSON *attack;

		if (!iso_on(a, a->of_record[i], d))
			continue;
		cJSON_ArrayForEach(attack, get(a->records->v[i], "attacks"))
		{
			const cJSON *n = get(attack, "n_neg"), *l = get(attack, "label");

			if ((!get(attack, "scores") && !get(attack, "auc_even")) ||
			    !cJSON_IsString(l) || (label && strcmp(label, l->valuestring) != 0))
				continue;
			label = l->valuestring;
			if (cJSON_IsNumber(n) && n->valuedouble > 1)
				*lo = fmin(*lo, 1 / n->valuedouble);
		}
	}
	return label;
}

#define ROC_SEEDS 100 /* curves in a mean: each costs the reading of a record's raw scores */

/* Returns whether seeds were left out. */
static int roc_series(iso_chart *c, const iso_aggregate *a, size_t setting, const char *label,
		      double lo)
{
	double sum[GRID] = {0}, grid[GRID];
	const size_t ngrid = rates(lo, grid);
	size_t n = 0, series, i;
	char title[160], eps[32];

	for (i = 0; i < a->records->n && n < ROC_SEEDS; i++) {
		const cJSON *attack, *record;
		cJSON *owned;

		if (a->of_record[i] != setting)
			continue;
		record = iso_whole_record(a, i, &owned);
		cJSON_ArrayForEach(
			attack,
			get(record, "attacks")) if (cJSON_IsString(get(attack, "label")) &&
						    strcmp(get(attack, "label")->valuestring,
							   label) == 0) n +=
			(size_t)add_curve(attack, grid, ngrid, sum);
		cJSON_Delete(owned);
	}
	if (!n)
		return 0;
	iso_epsilon_text(a->setting[setting].epsilon, eps);
	iso_setting_title(&a->setting[setting], title);
	series = iso_chart_series(c, a, title, a->setting[setting].method, ISO_PLAIN);
	for (size_t g = 0; g < ngrid; g++)
		iso_chart_point(c, series, eps, grid[g], fmax(sum[g] / (double)n, lo / 2), NAN, NAN,
				NAN, NAN);
	return n == ROC_SEEDS && a->setting[setting].seeds > n;
}

iso_status iso_figure_roc(const iso_aggregate *a, size_t d, const char *dir, iso_figures *f,
			  iso_error *err)
{
	double lo = 0.1;
	const char *label = first_scored(a, d, &lo);

	for (size_t part = 0; label && part < iso_parts(a); part++) {
		iso_chart c;
		int capped = 0;
		size_t k;

		iso_chart_init(&c, a, d, "roc");
		c.xlab = "false positive rate";
		c.ylab = "true positive rate";
		c.xlog = c.ylog = 1;
		c.xlo = lo;
		c.xhi = 1;
		c.ylo = lo / 2;
		c.yhi = 1.3; /* a curve along the frame must be seen */
		for (size_t m = 0; m < a->nmethod; m++) {
			const size_t s =
				iso_in_part(a, m, part) ? iso_loosest(a, d, m) : ISO_NO_SETTING;

			if (s != SIZE_MAX)
				capped |= roc_series(&c, a, s, label, lo);
		}
		k = c.npoints ? iso_chart_series(&c, a, "chance", ISO_NO_METHOD, ISO_LEVEL) : 0;
		for (int i = 0; k && i < 2; i++)
			iso_chart_point(&c, k, "chance", i ? 1 : lo, i ? 1 : lo, NAN, NAN, NAN,
					NAN);
		iso_str_addf(
			&c.caption,
			"%s: ROC of the attack %s, mean over %sseeds, each method at its largest "
			"epsilon",
			a->dataset[d], label, capped ? "the first 100 " : "");
		iso_part_text(a, part, &c.caption);
		iso_str_add(&c.caption, ". Both axes are logarithmic.");
		ISO_TRY(iso_chart_finish(&c, a, dir, f, err));
	}
	return ISO_OK;
}

/* ------------------------------------------------------------------ three epsilons */

static int measured(const iso_aggregate *a, size_t d, const char *name)
{
	const size_t j = iso_aggregate_find(a, name);

	return j != SIZE_MAX && iso_measured_on(a, a->dataset[d], j);
}

iso_status iso_figure_claims(const iso_aggregate *a, size_t d, const char *dir, iso_figures *f,
			     iso_error *err)
{
	static const struct {
		const char *name, *title;
		size_t look;
	} kinds[] = {{"claimed_epsilon", "claimed by the paper", 1},
		     {"accounted_epsilon", "accounted by the ledger", 0},
		     {"audited_epsilon", "audited (lower bound)", 2}};
	double row = 0;
	size_t series[ISO_COUNT(kinds)] = {0};
	iso_chart c;

	if (!measured(a, d, "claimed_epsilon") && !measured(a, d, "audited_epsilon"))
		return ISO_OK;
	iso_chart_init(&c, a, d, "claims");
	c.xlab = "epsilon";
	c.ylab = "";
	c.xlog = 1;
	for (size_t i = 0; i < a->nsetting; i++) {
		char name[160];
		int any = 0;

		if (!iso_on(a, i, d))
			continue;
		for (size_t k = 0; k < ISO_COUNT(kinds); k++) {
			const size_t j = iso_aggregate_find(a, kinds[k].name);
			const iso_summary *v = j == SIZE_MAX ? NULL : iso_aggregate_at(a, i, j);

			if (!v || !v->n || !isfinite(v->mean) || !(v->mean > 0))
				continue;
			if (!any)
				row++;
			any = 1;
			if (!series[k])
				series[k] =
					iso_chart_series(&c, a, kinds[k].title,
							 kinds[k].look % a->nmethod, ISO_POINTS);
			iso_chart_point(&c, series[k], a->setting[i].name, v->mean, -row, NAN, NAN,
					NAN, NAN);
		}
		if (!any)
			continue;
		iso_setting_title(&a->setting[i], name);
		iso_chart_row(&c, name, -row);
	}
	c.ylo = -row - 0.7;
	c.yhi = -0.3;
	iso_str_addf(&c.caption,
		     "%s: epsilon as claimed, as accounted and as audited. Infinite values are not "
		     "drawn.",
		     a->dataset[d]);
	return iso_chart_finish(&c, a, dir, f, err);
}

/* ------------------------------------------------------------------ training */

static void curve_points(iso_chart *c, size_t series, const char *label, const cJSON *curve)
{
	double last = 0;
	const cJSON *p;

	cJSON_ArrayForEach(p, curve) last =
		fmax(last, cJSON_GetArrayItem(p, 0) ? cJSON_GetArrayItem(p, 0)->valuedouble : 0);
	cJSON_ArrayForEach(p, curve)
	{
		const cJSON *x = cJSON_GetArrayItem(p, 0), *y = cJSON_GetArrayItem(p, 1);

		if (cJSON_IsNumber(x) && cJSON_IsNumber(y) && last > 0)
			iso_chart_point(c, series, label, 100 * x->valuedouble / last,
					y->valuedouble, NAN, NAN, NAN, NAN);
	}
}

/* Curves of one name: one figure for all methods that have it. */
static iso_status curves_named(const iso_aggregate *a, size_t d, const char *name, const char *dir,
			       iso_figures *f, iso_error *err)
{
	iso_chart c;
	iso_str kind = {0};

	iso_str_addf(&kind, "curve-%s", name);
	iso_chart_init(&c, a, d, kind.p ? kind.p : "curve");
	iso_str_free(&kind);
	c.xlab = "share of the training's steps and of its budget's releases (%)";
	snprintf(c.ytext, sizeof(c.ytext), "%.100s", name);
	c.ylab = c.ytext;
	c.xlo = 0;
	c.xhi = 100;
	for (size_t m = 0; m < a->nmethod; m++) {
		const size_t s = iso_loosest(a, d, m);
		const cJSON *curve =
			s == SIZE_MAX ? NULL : get(get(a->setting[s].record, "curves"), name);
		char title[160], eps[32];

		if (!cJSON_IsArray(curve) || c.nseries == ISO_TOGETHER)
			continue;
		iso_epsilon_text(a->setting[s].epsilon, eps);
		iso_setting_title(&a->setting[s], title);
		curve_points(&c, iso_chart_series(&c, a, title, m, ISO_PLAIN), eps, curve);
	}
	iso_str_addf(&c.caption, "%s: %s during training (first seed, largest epsilon).",
		     a->dataset[d], name);
	return iso_chart_finish(&c, a, dir, f, err);
}

iso_status iso_figure_curves(const iso_aggregate *a, size_t d, const char *dir, iso_figures *f,
			     iso_error *err)
{
	enum { MOST = 6 };
	const char *seen[MOST];
	size_t n = 0;

	for (size_t i = 0; i < a->nsetting; i++) {
		const cJSON *curve;

		if (!iso_on(a, i, d))
			continue;
		cJSON_ArrayForEach(curve, get(a->setting[i].record, "curves"))
		{
			size_t k = 0;

			while (k < n && strcmp(seen[k], curve->string) != 0)
				k++;
			if (k == n && n < MOST)
				seen[n++] = curve->string;
		}
	}
	for (size_t k = 0; k < n; k++)
		ISO_TRY(curves_named(a, d, seen[k], dir, f, err));
	return ISO_OK;
}

/* ------------------------------------------------------------------ time and memory */

static iso_status cost_of(const iso_aggregate *a, size_t d, size_t name, const char *dir,
			  iso_figures *f, iso_error *err)
{
	const iso_name *n = &a->name[name];
	const char *unit;
	const double scale = iso_shown_unit(n->unit, &unit);
	double row = 0;
	iso_chart c;
	iso_str kind = {0};

	iso_str_addf(&kind, "cost-%s", n->name);
	iso_chart_init(&c, a, d, kind.p ? kind.p : "cost");
	iso_str_free(&kind);
	iso_title_text(n, c.xtext);
	c.xlab = c.xtext;
	c.ylab = "";
	c.xlog = 1;
	for (size_t m = 0; m < a->nmethod; m++) {
		const size_t s = iso_loosest(a, d, m);
		const iso_summary *v = s == SIZE_MAX ? NULL : iso_aggregate_at(a, s, name);
		size_t series;

		if (!v || !v->n || !(v->mean > 0))
			continue;
		row++;
		series = iso_chart_series(&c, a, "", m, ISO_POINTS);
		iso_chart_row(&c, iso_method_name(a, m), -row);
		iso_chart_point(&c, series, iso_method_name(a, m), v->mean * scale, -row, NAN, NAN,
				v->low > 0 ? v->low * scale : NAN, v->high * scale);
	}
	c.ylo = -row - 0.7;
	c.yhi = -0.3;
	iso_str_addf(&c.caption, "%s: %s, each method at its largest epsilon.", a->dataset[d],
		     c.xtext);
	return iso_chart_finish(&c, a, dir, f, err);
}

iso_status iso_figure_cost(const iso_aggregate *a, size_t d, const char *dir, iso_figures *f,
			   iso_error *err)
{
	static const char *const shown[] = {"fit_seconds", "peak_memory_bytes"};

	for (size_t i = 0; i < ISO_COUNT(shown); i++) {
		const size_t j = iso_aggregate_find(a, shown[i]);

		if (j != SIZE_MAX)
			ISO_TRY(cost_of(a, d, j, dir, f, err));
	}
	return ISO_OK;
}
