// SPDX-License-Identifier: Apache-2.0
/* Figures of papers ("published" of a suite) beside the measured ones: a table per data set, and a
 * figure of one against the other. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "reports/figures_more.h"
#include "reports/published.h"

/* One figure of a paper; texts borrowed. */
typedef struct claim {
	const char *dataset, *generator, *value, *source;
	double epsilon; /* NaN = whatever the setting has */
	double published;
} claim;

static const char *text_of(const cJSON *o, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

	return cJSON_IsString(v) ? v->valuestring : NULL;
}

/* 0 where an entry is not as the suite's parser lets it through: results may come from elsewhere.
 */
static int read_claim(const cJSON *o, claim *c)
{
	const cJSON *eps = cJSON_GetObjectItemCaseSensitive(o, "epsilon");
	const cJSON *x = cJSON_GetObjectItemCaseSensitive(o, "published");

	*c = (claim){.dataset = text_of(o, "dataset"),
		     .generator = text_of(o, "generator"),
		     .value = text_of(o, "value"),
		     .source = text_of(o, "source"),
		     .epsilon = cJSON_IsNumber(eps) ? eps->valuedouble : NAN,
		     .published = cJSON_IsNumber(x) ? x->valuedouble : NAN};
	return c->dataset && c->generator && c->value && c->source && isfinite(c->published);
}

static int is_of(const claim *c, const iso_setting *s)
{
	return strcmp(c->dataset, s->dataset) == 0 && strcmp(c->generator, s->label) == 0 &&
	       (isnan(c->epsilon) || c->epsilon == s->epsilon);
}

/* fn for each pair of a claim on data set d and a setting that it is about. */
typedef iso_status (*pair_fn)(void *ctx, const claim *c, size_t setting, iso_error *err);
static iso_status each_pair(const iso_aggregate *a, size_t d, pair_fn fn, void *ctx, iso_error *err)
{
	const cJSON *o;

	cJSON_ArrayForEach(o, a->published)
	{
		claim c;

		if (!read_claim(o, &c) || strcmp(c.dataset, a->dataset[d]) != 0)
			continue;
		for (size_t i = 0; i < a->nsetting; i++)
			if (is_of(&c, &a->setting[i]))
				ISO_TRY(fn(ctx, &c, i, err));
	}
	return ISO_OK;
}

/* ------------------------------------------------------------------ the table */

enum { METHOD, EPSILON, VALUE, PUBLISHED, MEASURED, DIFFERENCE, SOURCE, COLUMNS };

typedef struct tabling {
	const iso_aggregate *a;
	size_t d;
	iso_rtables *out;
	iso_rtable *t; /* NULL before the first row */
} tabling;

static iso_status begin_table(tabling *w, iso_error *err)
{
	static const char *const head[COLUMNS] = {"Method",    "Target epsilon", "Value",
						  "Published", "Measured",	 "Difference",
						  "Source"};
	iso_str file = {0}, caption = {0};
	iso_status st;

	iso_str_addf(&file, "%s-published", w->a->slug[w->d]);
	iso_str_addf(&caption, "%s. Published figures beside measured ones", w->a->dataset[w->d]);
	st = iso_str_check(&file, err);
	if (st == ISO_OK)
		st = iso_str_check(&caption, err);
	if (st == ISO_OK)
		st = iso_rtable_new(w->out, file.p, caption.p, w->d, COLUMNS, &w->t, err);
	iso_str_free(&file);
	iso_str_free(&caption);
	for (size_t j = 0; st == ISO_OK && j < COLUMNS; j++)
		st = iso_rcell_set(&w->t->head[j], head[j], NAN, err);
	if (st == ISO_OK)
		iso_note_add(&w->t->notes,
			     "Difference: measured less published. Other data splits, seeds and "
			     "code make other figures; docs/reproduction.md discusses them.");
	return st;
}

/* A number in the unit that the value is shown in. */
static iso_status number(iso_rcell *cell, const iso_name *n, double x, iso_error *err)
{
	const char *unit = "";
	char text[32];

	x *= n ? iso_shown_unit(n->unit, &unit) : 1;
	iso_number_text(x, text);
	return iso_rcell_set(cell, text, x, err);
}

static iso_status add_row(void *ctx, const claim *c, size_t setting, iso_error *err)
{
	tabling *w = ctx;
	const iso_aggregate *a = w->a;
	const size_t j = iso_aggregate_find(a, c->value);
	const iso_name *n = j == SIZE_MAX ? NULL : &a->name[j];
	const iso_summary *s = n ? iso_aggregate_at(a, setting, j) : NULL;
	char eps[32], title[ISO_NUMBER_TEXT * 2], mean[ISO_NUMBER_TEXT] = "not measured";
	iso_rcell *row;

	if (!w->t)
		ISO_TRY(begin_table(w, err));
	ISO_TRY(iso_rtable_row(w->t, setting, err));
	row = &w->t->cell[(w->t->nrow - 1) * COLUMNS];
	iso_epsilon_text(a->setting[setting].epsilon, eps);
	if (n)
		iso_title_text(n, title);
	if (s && s->n)
		iso_mean_text(s, n, mean);
	ISO_TRY(iso_rcell_set(&row[METHOD], a->setting[setting].name, NAN, err));
	ISO_TRY(iso_rcell_set(&row[EPSILON], eps, a->setting[setting].epsilon, err));
	ISO_TRY(iso_rcell_set(&row[VALUE], n ? title : c->value, NAN, err));
	ISO_TRY(number(&row[PUBLISHED], n, c->published, err));
	ISO_TRY(iso_rcell_set(&row[MEASURED], mean, s && s->n ? s->mean : NAN, err));
	ISO_TRY(number(&row[DIFFERENCE], n, s && s->n ? s->mean - c->published : NAN, err));
	return iso_rcell_set(&row[SOURCE], c->source, NAN, err);
}

iso_status iso_published_table(const iso_aggregate *a, size_t d, iso_rtables *out, iso_error *err)
{
	tabling w = {.a = a, .d = d, .out = out};

	return each_pair(a, d, add_row, &w, err);
}

/* ------------------------------------------------------------------ the figure */

typedef struct drawing {
	const iso_aggregate *a;
	iso_chart *c;
	double lo, hi; /* of the published figures */
} drawing;

static iso_status add_point(void *ctx, const claim *c, size_t setting, iso_error *err)
{
	drawing *w = ctx;
	const size_t j = iso_aggregate_find(w->a, c->value);
	const iso_summary *s = j == SIZE_MAX ? NULL : iso_aggregate_at(w->a, setting, j);
	const iso_setting *m = &w->a->setting[setting];
	size_t series;

	(void)err;
	if (!s || !s->n)
		return ISO_OK;
	series = iso_chart_series(w->c, w->a, m->name, m->method, ISO_POINTS);
	iso_chart_point(w->c, series, w->a->name[j].title, c->published, s->mean, s->low, s->high,
			NAN, NAN);
	w->lo = fmin(w->lo, c->published);
	w->hi = fmax(w->hi, c->published);
	return ISO_OK;
}

iso_status iso_figure_published(const iso_aggregate *a, size_t d, const char *dir, iso_figures *f,
				iso_error *err)
{
	iso_chart c;
	drawing w = {.a = a, .c = &c, .lo = INFINITY, .hi = -INFINITY};
	size_t equal;

	iso_chart_init(&c, a, d, "published");
	c.xlab = "published";
	c.ylab = "measured";
	ISO_TRY(each_pair(a, d, add_point, &w, err));
	if (c.npoints) {
		equal = iso_chart_series(&c, a, "equal", ISO_NO_METHOD, ISO_LEVEL);
		iso_chart_point(&c, equal, "equal", w.lo, w.lo, NAN, NAN, NAN, NAN);
		iso_chart_point(&c, equal, "equal", w.hi, w.hi, NAN, NAN, NAN, NAN);
	}
	iso_str_addf(&c.caption,
		     "%s: figures of papers against those measured here, a marker for each.",
		     a->dataset[d]);
	return iso_chart_finish(&c, a, dir, f, err);
}
