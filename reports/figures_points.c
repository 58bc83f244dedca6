// SPDX-License-Identifier: Apache-2.0
/* What metrics give beside their values.  Points: real values against synthetic ones
 * (dimension-wise probability, Choi et al. 2017, figure 2; Xie et al. 2018, figure 6; associations
 * of pairs).  Curves: a value against what the metric varies (the number of synthetic rows). */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "reports/figures_more.h"

enum { MOST = 6 }; /* figures of a data set */

static const cJSON *field(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

static int says(const cJSON *o, const char *key, const char *text)
{
	const cJSON *v = field(o, key);

	return cJSON_IsString(v) && strcmp(v->valuestring, text) == 0;
}

/* An output of a metric of the suite; texts borrowed. */
typedef struct source {
	const char *metric, *name, *title;
	const char *axis; /* NULL: points; else a curve */
} source;

static const cJSON *across(const cJSON *m, const source *s)
{
	return field(m, s->axis ? "curve_x" : "points_real");
}

static const cJSON *upwards(const cJSON *m, const source *s)
{
	return field(m, s->axis ? "curve_y" : "points_synthetic");
}

/* Light records keep empty arrays of points. */
static size_t sources_of(const iso_aggregate *a, size_t d, source out[MOST])
{
	size_t n = 0;

	for (size_t i = 0; i < a->nsetting; i++) {
		const cJSON *m;

		if (!iso_on(a, i, d))
			continue;
		cJSON_ArrayForEach(m, field(a->setting[i].record, "metrics"))
		{
			const cJSON *metric = field(m, "metric"), *name = field(m, "name"),
				    *title = field(m, "title"), *axis = field(m, "curve_axis");
			source s = {.axis = cJSON_IsString(axis) ? axis->valuestring : NULL};
			size_t k = 0;

			if (!cJSON_IsArray(across(m, &s)) || !cJSON_IsString(metric) ||
			    !cJSON_IsString(name) || !cJSON_IsString(title))
				continue;
			s.metric = metric->valuestring;
			s.name = name->valuestring;
			s.title = title->valuestring;
			while (k < n && (strcmp(out[k].metric, metric->valuestring) != 0 ||
					 strcmp(out[k].name, name->valuestring) != 0))
				k++;
			if (k == n && n < MOST)
				out[n++] = s;
		}
	}
	return n;
}

static void add_points(iso_chart *c, const iso_aggregate *a, size_t setting, const source *s)
{
	size_t first = 0, series;
	char title[160], eps[32];
	const cJSON *m, *record;
	cJSON *owned;

	while (first < a->records->n && a->of_record[first] != setting)
		first++;
	if (first == a->records->n)
		return;
	record = iso_whole_record(a, first, &owned);
	iso_setting_title(&a->setting[setting], title);
	iso_epsilon_text(a->setting[setting].epsilon, eps);
	cJSON_ArrayForEach(m, field(record, "metrics"))
	{
		const cJSON *x = across(m, s), *y = upwards(m, s);

		if (!says(m, "metric", s->metric) || !says(m, "name", s->name) ||
		    !cJSON_IsArray(x) || !cJSON_IsArray(y))
			continue;
		series = iso_chart_series(c, a, title, a->setting[setting].method,
					  s->axis ? ISO_PLAIN : ISO_CLOUD);
		for (x = x->child, y = y->child; x && y; x = x->next, y = y->next)
			iso_chart_point(c, series, eps, x->valuedouble, y->valuedouble, NAN, NAN,
					NAN, NAN);
		for (x = across(m, s)->child; x; x = x->next) {
			c->xlo = fmin(c->xlo, x->valuedouble);
			c->xhi = fmax(c->xhi, x->valuedouble);
		}
	}
	cJSON_Delete(owned);
}

static iso_status draw(const iso_aggregate *a, size_t d, size_t part, const source *s,
		       const char *dir, iso_figures *f, iso_error *err)
{
	iso_str kind = {0};
	iso_chart c;
	size_t k;
	double lo, hi;

	iso_str_addf(&kind, "%s-%s.%s", s->axis ? "curve-of" : "points", s->metric, s->name);
	iso_chart_init(&c, a, d, kind.p ? kind.p : "points");
	iso_str_free(&kind);
	c.xlab = s->axis ? s->axis : "real training rows";
	c.ylab = s->axis ? s->title : "synthetic rows";
	c.xlog = s->axis != NULL;
	c.size = 0.6;
	c.xlo = INFINITY;
	c.xhi = -INFINITY;
	for (size_t m = 0; m < a->nmethod; m++) {
		const size_t i = iso_in_part(a, m, part) ? iso_loosest(a, d, m) : SIZE_MAX;

		if (i != SIZE_MAX)
			add_points(&c, a, i, s);
	}
	lo = c.xlo;
	hi = c.xhi;
	c.xlo = s->axis ? lo / 1.25 : NAN;
	c.xhi = s->axis ? hi * 1.25 : NAN;
	k = c.npoints && !s->axis ? iso_chart_series(&c, a, "equal", ISO_NO_METHOD, ISO_LEVEL) : 0;
	for (int i = 0; k && i < 2; i++)
		iso_chart_point(&c, k, "equal", i ? hi : lo, i ? hi : lo, NAN, NAN, NAN, NAN);
	iso_str_addf(&c.caption, "%s: ", a->dataset[d]);
	if (s->axis)
		iso_str_addf(&c.caption, "%s against %s", s->title, s->axis);
	else
		iso_str_addf(&c.caption,
			     "the values behind \"%s\", real against synthetic rows, a point each",
			     s->title);
	iso_str_add(&c.caption, "; every method at its largest epsilon, first seed");
	iso_part_text(a, part, &c.caption);
	iso_str_add(&c.caption, ".");
	return iso_chart_finish(&c, a, dir, f, err);
}

iso_status iso_figure_points(const iso_aggregate *a, size_t d, const char *dir, iso_figures *f,
			     iso_error *err)
{
	source s[MOST];
	const size_t n = sources_of(a, d, s);

	for (size_t i = 0; i < n; i++)
		for (size_t part = 0; part < iso_parts(a); part++)
			ISO_TRY(draw(a, d, part, &s[i], dir, f, err));
	return ISO_OK;
}
