// SPDX-License-Identifier: Apache-2.0
/* The registered figures, each made from what outputs declare: no metric, attack or method is named
 * here.  A new figure is a function and a line of the table at the end. */
#include "reports/figures.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/io/file.h"
#include "reports/figures_more.h"

int iso_on(const iso_aggregate *a, size_t i, size_t d)
{
	return strcmp(a->setting[i].dataset, a->dataset[d]) == 0;
}

int iso_is_control(const iso_aggregate *a, size_t method)
{
	return method >= a->nmethod - a->ncontrol;
}

const char *iso_method_name(const iso_aggregate *a, size_t method)
{
	for (size_t i = 0; i < a->nsetting; i++)
		if (a->setting[i].method == method)
			return a->setting[i].name;
	return "";
}

size_t iso_parts(const iso_aggregate *a)
{
	const size_t n = a->nmethod - a->ncontrol;

	return n ? (n + ISO_TOGETHER - 1) / ISO_TOGETHER : 1;
}

int iso_in_part(const iso_aggregate *a, size_t method, size_t part)
{
	return iso_is_control(a, method) || method / ISO_TOGETHER == part;
}

/* " (methods 1 to 8 of 11)" where one figure does not hold all. */
void iso_part_text(const iso_aggregate *a, size_t part, iso_str *out)
{
	const size_t n = a->nmethod - a->ncontrol, first = part * ISO_TOGETHER;

	if (iso_parts(a) > 1)
		iso_str_addf(out, " (methods %zu to %zu of %zu)", first + 1,
			     first + ISO_TOGETHER < n ? first + ISO_TOGETHER : n, n);
}

/* ------------------------------------------------------------------ a value against epsilon */

typedef struct span {
	double lo, hi;
} span;

static void widen(span *s, double x)
{
	if (isfinite(x)) {
		s->lo = fmin(s->lo, x);
		s->hi = fmax(s->hi, x);
	}
}

static span epsilon_span(const iso_aggregate *a, size_t d, size_t name)
{
	span s = {INFINITY, -INFINITY};

	for (size_t i = 0; i < a->nsetting; i++)
		if (iso_on(a, i, d) && iso_aggregate_at(a, i, name)->n)
			widen(&s, a->setting[i].epsilon);
	if (!(s.hi >= s.lo))
		s = (span){1, 1};
	return (span){s.lo / 1.6, s.hi * 1.6};
}

static void level(iso_chart *c, const iso_aggregate *a, const char *title, size_t method, double y,
		  span x)
{
	const size_t k = iso_chart_series(c, a, title, method, ISO_LEVEL);

	iso_chart_point(c, k, title, x.lo, y, NAN, NAN, NAN, NAN);
	iso_chart_point(c, k, title, x.hi, y, NAN, NAN, NAN, NAN);
}

/* Points of one method at its finite epsilons, moved aside a little so that intervals show. */
static size_t method_line(iso_chart *c, const iso_aggregate *a, size_t d, size_t method,
			  size_t name, double scale, span *y)
{
	const double aside = 1 + 0.02 * (double)(method % ISO_TOGETHER);
	size_t series = 0;

	for (size_t i = 0; i < a->nsetting; i++) {
		const iso_setting *s = &a->setting[i];
		const iso_summary *v = iso_aggregate_at(a, i, name);
		char eps[32];

		if (s->method != method || !iso_on(a, i, d) || !v->n || !isfinite(s->epsilon))
			continue;
		if (!series)
			series = iso_chart_series(c, a, s->name, method, ISO_LINE);
		iso_epsilon_text(s->epsilon, eps);
		iso_chart_point(c, series, eps, s->epsilon * aside, v->mean * scale, v->low * scale,
				v->high * scale, NAN, NAN);
		widen(y, v->mean * scale);
		widen(y, v->low * scale);
		widen(y, v->high * scale);
	}
	return series;
}

static double ceiling_of(const iso_aggregate *a, size_t d, size_t name)
{
	const size_t real = iso_aggregate_find(a, a->name[name].real);

	for (size_t i = 0; i < a->nsetting && real != SIZE_MAX; i++)
		if (iso_on(a, i, d) && iso_aggregate_at(a, i, real)->n)
			return iso_aggregate_at(a, i, real)->mean;
	return NAN;
}

static void value_axis(iso_chart *c, const iso_name *n, double scale, span y)
{
	const double pad = 0.06 * (y.hi > y.lo ? y.hi - y.lo : 1);

	c->ylo = y.lo - pad;
	c->yhi = y.hi + pad;
	/* never beyond what is possible by more than a line's breadth */
	if (isfinite(n->lo))
		c->ylo = fmax(c->ylo, n->lo * scale - 0.02 * (c->yhi - c->ylo));
	if (isfinite(n->hi))
		c->yhi = fmin(c->yhi, n->hi * scale + 0.02 * (c->yhi - c->ylo));
}

static iso_status against_epsilon(const iso_aggregate *a, size_t d, size_t name, size_t part,
				  const char *dir, iso_figures *f, iso_error *err)
{
	const iso_name *n = &a->name[name];
	const span x = epsilon_span(a, d, name);
	span y = {INFINITY, -INFINITY};
	const char *unit;
	const double scale = iso_shown_unit(n->unit, &unit), top = ceiling_of(a, d, name);
	iso_chart c;
	iso_str kind = {0};

	iso_str_addf(&kind, "%s-vs-epsilon", n->name);
	iso_chart_init(&c, a, d, kind.p ? kind.p : "value");
	iso_str_free(&kind);
	iso_title_text(n, c.ytext);
	c.xlab = "privacy budget epsilon";
	c.ylab = c.ytext;
	c.xlog = 1;
	c.xlo = x.lo;
	c.xhi = x.hi;
	for (size_t m = 0; m < a->nmethod; m++) {
		if (!iso_in_part(a, m, part))
			continue;
		method_line(&c, a, d, m, name, scale, &y);
		for (size_t i = 0; i < a->nsetting; i++) {
			const iso_summary *v = iso_aggregate_at(a, i, name);

			if (a->setting[i].method != m || !iso_on(a, i, d) || !v->n ||
			    isfinite(a->setting[i].epsilon))
				continue;
			level(&c, a, a->setting[i].name, m, v->mean * scale, x);
			widen(&y, v->mean * scale);
		}
	}
	if (isfinite(top)) {
		level(&c, a, "real training rows", ISO_NO_METHOD, top * scale, x);
		widen(&y, top * scale);
	}
	if (isfinite(n->chance) && c.npoints) {
		level(&c, a, "chance", ISO_NO_METHOD, n->chance * scale, x);
		widen(&y, n->chance * scale);
	}
	value_axis(&c, n, scale, y);
	iso_str_addf(&c.caption, "%s: %s against epsilon", a->dataset[d], c.ytext);
	iso_part_text(a, part, &c.caption);
	iso_str_add(&c.caption, ". Bands: interval over seeds; dashed: without an epsilon.");
	return iso_chart_finish(&c, a, dir, f, err);
}

static int has_finite_epsilon(const iso_aggregate *a, size_t d, size_t name)
{
	for (size_t i = 0; i < a->nsetting; i++)
		if (iso_on(a, i, d) && isfinite(a->setting[i].epsilon) &&
		    iso_aggregate_at(a, i, name)->n)
			return 1;
	return 0;
}

/* Every headline value, and rates of attacks that chance would give rarely. */
static iso_status values_against_epsilon(const iso_aggregate *a, size_t d, const char *dir,
					 iso_figures *f, iso_error *err)
{
	for (size_t j = 0; j < a->nname; j++) {
		const iso_name *n = &a->name[j];
		const int rare = strcmp(n->kind, "attack") == 0 && n->chance == 0.01;

		if ((n->headline || rare) && has_finite_epsilon(a, d, j))
			for (size_t p = 0; p < iso_parts(a); p++)
				ISO_TRY(against_epsilon(a, d, j, p, dir, f, err));
	}
	return ISO_OK;
}

/* ------------------------------------------------------------------ privacy against utility */

size_t iso_first_headline(const iso_aggregate *a, size_t d, int attack)
{
	size_t found = SIZE_MAX;

	for (size_t j = a->nname; j-- > 0;) {
		const iso_name *n = &a->name[j];

		if (!n->headline || (strcmp(n->kind, "attack") == 0) != attack ||
		    !iso_measured_on(a, a->dataset[d], j))
			continue;
		if (found == SIZE_MAX || attack || n->direction > 0 ||
		    a->name[found].direction <= 0)
			found = j;
	}
	return found;
}

static int dominated(const iso_aggregate *a, size_t d, size_t i, size_t x, size_t y)
{
	const double dx = a->name[x].direction, dy = a->name[y].direction;
	const iso_summary *ix = iso_aggregate_at(a, i, x), *iy = iso_aggregate_at(a, i, y);

	for (size_t k = 0; k < a->nsetting; k++) {
		const iso_summary *kx = iso_aggregate_at(a, k, x), *ky = iso_aggregate_at(a, k, y);

		if (k == i || !iso_on(a, k, d) || !kx->n || !ky->n ||
		    strcmp(a->setting[k].control, "copies") == 0)
			continue;
		if (dx * kx->mean >= dx * ix->mean && dy * ky->mean >= dy * iy->mean &&
		    (kx->mean != ix->mean || ky->mean != iy->mean))
			return 1;
	}
	return 0;
}

static int by_x(const void *pa, const void *pb)
{
	const double *a = pa, *b = pb;

	return (a[0] > b[0]) - (a[0] < b[0]);
}

static void front(iso_chart *c, const iso_aggregate *a, size_t d, size_t x, size_t y, double sx,
		  double sy)
{
	double(*v)[2] = iso_alloc(a->nsetting + 1, sizeof(*v));
	size_t n = 0, series;

	for (size_t i = 0; v && i < a->nsetting; i++)
		if (iso_on(a, i, d) && iso_aggregate_at(a, i, x)->n &&
		    iso_aggregate_at(a, i, y)->n && !dominated(a, d, i, x, y)) {
			v[n][0] = iso_aggregate_at(a, i, x)->mean * sx;
			v[n++][1] = iso_aggregate_at(a, i, y)->mean * sy;
		}
	if (n > 1) {
		qsort(v, n, sizeof(*v), by_x);
		series = iso_chart_series(c, a, "Pareto front", ISO_NO_METHOD, ISO_FRONT);
		for (size_t i = 0; i < n; i++)
			iso_chart_point(c, series, "front", v[i][0], v[i][1], NAN, NAN, NAN, NAN);
	}
	iso_free(v);
}

static iso_status pareto(const iso_aggregate *a, size_t d, const char *dir, iso_figures *f,
			 iso_error *err)
{
	const size_t x = iso_first_headline(a, d, 1), y = iso_first_headline(a, d, 0);
	const char *unit;
	double sx, sy;
	iso_chart c;

	if (x == SIZE_MAX || y == SIZE_MAX)
		return ISO_OK;
	sx = iso_shown_unit(a->name[x].unit, &unit);
	sy = iso_shown_unit(a->name[y].unit, &unit);
	iso_chart_init(&c, a, d, "privacy-utility");
	iso_title_text(&a->name[x], c.xtext);
	iso_title_text(&a->name[y], c.ytext);
	c.xlab = c.xtext;
	c.ylab = c.ytext;
	for (size_t m = 0; m < a->nmethod; m++) {
		size_t series = 0;

		for (size_t i = 0; i < a->nsetting; i++) {
			const iso_setting *s = &a->setting[i];
			const iso_summary *vx = iso_aggregate_at(a, i, x),
					  *vy = iso_aggregate_at(a, i, y);
			char eps[32];

			if (s->method != m || !iso_on(a, i, d) || !vx->n || !vy->n)
				continue;
			if (!series)
				series = iso_chart_series(&c, a, s->name, m, ISO_POINTS);
			iso_epsilon_text(s->epsilon, eps);
			iso_chart_point(&c, series, eps, vx->mean * sx, vy->mean * sy, vy->low * sy,
					vy->high * sy, vx->low * sx, vx->high * sx);
		}
	}
	front(&c, a, d, x, y, sx, sy);
	iso_str_addf(&c.caption,
		     "%s: %s against %s, one point per epsilon (values in the CSV). Crosses: "
		     "intervals; dotted: the settings that no other beats in both.",
		     a->dataset[d], c.ytext, c.xtext);
	return iso_chart_finish(&c, a, dir, f, err);
}

void iso_setting_title(const iso_setting *s, char out[160])
{
	char eps[32];

	iso_epsilon_text(s->epsilon, eps);
	if (isfinite(s->epsilon))
		snprintf(out, 160, "%s, %s", s->name, eps);
	else
		snprintf(out, 160, "%s", s->name);
}

size_t iso_loosest(const iso_aggregate *a, size_t d, size_t method)
{
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < a->nsetting; i++)
		if (a->setting[i].method == method && iso_on(a, i, d) &&
		    (best == SIZE_MAX || a->setting[i].epsilon > a->setting[best].epsilon))
			best = i;
	return best;
}

/* ------------------------------------------------------------------ the table */

static const struct {
	iso_status (*draw)(const iso_aggregate *a, size_t d, const char *dir, iso_figures *f,
			   iso_error *err);
} registered[] = {
	{values_against_epsilon}, {pareto},	     {iso_figure_roc},	  {iso_figure_claims},
	{iso_figure_curves},	  {iso_figure_cost}, {iso_figure_points}, {iso_figure_published},
};

iso_status iso_figures_write(const iso_aggregate *a, const char *dir, iso_figures *out,
			     iso_error *err)
{
	ISO_TRY(iso_make_dirs(dir, err));
	for (size_t d = 0; d < a->ndataset; d++)
		for (size_t i = 0; i < ISO_COUNT(registered); i++)
			ISO_TRY(registered[i].draw(a, d, dir, out, err));
	return iso_figure_ranks(a, dir, out, err);
}

iso_status iso_figure_add(iso_figures *f, const char *stem, const char *title, size_t dataset,
			  iso_error *err)
{
	iso_figure *g;

	ISO_TRY(iso_grow(&f->v, &f->cap, f->n + 1, sizeof(*f->v), err));
	g = &f->v[f->n];
	*g = (iso_figure){.stem = iso_strdup(stem), .title = iso_strdup(title), .dataset = dataset};
	if (!g->stem || !g->title) {
		iso_free(g->stem);
		iso_free(g->title);
		return iso_no_memory(err, "figure");
	}
	f->n++;
	return ISO_OK;
}

void iso_figures_free(iso_figures *f)
{
	for (size_t i = 0; i < f->n; i++) {
		iso_free(f->v[i].stem);
		iso_free(f->v[i].title);
	}
	iso_free(f->v);
	memset(f, 0, sizeof(*f));
}
