// SPDX-License-Identifier: Apache-2.0
#include "reports/chart.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/log.h"
#include "core/io/csv.h"

static const char *const palette[ISO_TOGETHER] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
						  "#e69f00", "#56b4e9", "#8c564b", "#6a51a3"};
static const int markers[ISO_TOGETHER] = {7, 5, 9, 13, 11, 4, 6, 8};
static const char *const greys[] = {"#4d4d4d", "#7f7f7f", "#a6a6a6"};

void iso_chart_init(iso_chart *c, const iso_aggregate *a, size_t dataset, const char *kind)
{
	*c = (iso_chart){
		.dataset = dataset, .xlo = NAN, .xhi = NAN, .ylo = NAN, .yhi = NAN, .size = 1};
	iso_str_addf(&c->stem, "%s-", dataset < a->ndataset ? a->slug[dataset] : "all");
	iso_file_stem(kind, &c->stem);
	iso_str_add(&c->csv, "series,label,x,y,low,high,xlow,xhigh\n");
}

size_t iso_chart_series(iso_chart *c, const iso_aggregate *a, const char *title, size_t method,
			int kind)
{
	const size_t nplain = a->nmethod - a->ncontrol;
	const char *comma = c->nseries ? ", " : "";
	const int control = method != ISO_NO_METHOD && method >= nplain;

	iso_str_add(&c->title, comma);
	iso_gnuplot_string(title, &c->title);
	iso_str_addf(&c->kind, "%s%d", comma, kind);
	iso_str_addf(&c->colour, "%s'%s'", comma,
		     method == ISO_NO_METHOD ? "#000000"
		     : control		     ? greys[(method - nplain) % ISO_COUNT(greys)]
					     : palette[method % ISO_TOGETHER]);
	iso_str_addf(&c->marker, "%s%d", comma,
		     method == ISO_NO_METHOD ? 2
		     : control		     ? 1 + (int)((method - nplain) % 3)
					     : markers[method % ISO_TOGETHER]);
	iso_str_addf(&c->dash, "%s%d", comma,
		     kind == ISO_LEVEL && method == ISO_NO_METHOD ? 4 - (int)(c->nlevel++ % 2)
		     : kind == ISO_LEVEL			  ? 2 + (int)(method % 4)
		     : method == ISO_NO_METHOD			  ? 3
					       : 1 + (int)(method / ISO_TOGETHER % 4));
	return ++c->nseries;
}

static void number_field(iso_str *csv, double x, int last)
{
	char text[32] = "nan";

	if (isfinite(x))
		iso_json_number_text(x, text);
	iso_csv_field(csv, text, last);
}

void iso_chart_point(iso_chart *c, size_t series, const char *label, double x, double y, double low,
		     double high, double xlow, double xhigh)
{
	if (!isfinite(x) || !isfinite(y))
		return;
	iso_str_addf(&c->csv, "%zu,", series);
	iso_csv_text(label, 0, &c->csv);
	number_field(&c->csv, x, 0);
	number_field(&c->csv, y, 0);
	number_field(&c->csv, isfinite(low) ? low : y, 0);
	number_field(&c->csv, isfinite(high) ? high : y, 0);
	number_field(&c->csv, isfinite(xlow) ? xlow : x, 0);
	number_field(&c->csv, isfinite(xhigh) ? xhigh : x, 1);
	c->npoints++;
}

void iso_chart_row(iso_chart *c, const char *name, double y)
{
	iso_str plain = {0};

	for (; *name; name++) /* gnuplot takes a tick's text for a format of printf */
		iso_str_addn(&plain, *name == '%' ? "%%" : name, *name == '%' ? 2 : 1);
	iso_str_add(&c->ticks, c->nticks++ ? ", " : "");
	iso_gnuplot_string(plain.p ? plain.p : "", &c->ticks);
	iso_str_addf(&c->ticks, " %.9g", y);
	iso_str_free(&plain);
}

static void range(iso_str *s, const char *axis, double lo, double hi)
{
	char from[32] = "*", to[32] = "*";

	if (isfinite(lo))
		iso_json_number_text(lo, from);
	if (isfinite(hi))
		iso_json_number_text(hi, to);
	iso_str_addf(s, "set %srange [%s:%s]\n", axis, from, to);
}

static void array(iso_str *s, const char *name, const iso_chart *c, const iso_str *list)
{
	iso_str_addf(s, "array %s[%zu] = [%s]\n", name, c->nseries, list->p ? list->p : "");
}

static void text_variable(iso_str *s, const char *name, const char *text)
{
	iso_str_addf(s, "%s = ", name);
	iso_gnuplot_string(text ? text : "", s);
	iso_str_add(s, "\n");
}

static void write_script(const iso_chart *c, iso_str *s)
{
	iso_str_add(s, "# ");
	iso_gnuplot_string(c->caption.p ? c->caption.p : "", s);
	iso_str_addf(s, "\nstem = '%s'\ndata = '%s.csv'\nid = '", c->stem.p, c->stem.p);
	for (const char *p = c->stem.p; *p; p++)
		iso_str_addn(s, isalnum((unsigned char)*p) ? p : "_", 1);
	iso_str_addf(s, "'\nN = %zu\nkeyrows = %zu\nsize = %.3g\nxlog = %d\nylog = %d\n",
		     c->nseries, (c->nseries + 2) / 3, c->size, c->xlog, c->ylog);
	text_variable(s, "xlab", c->xlab);
	text_variable(s, "ylab", c->ylab);
	array(s, "T", c, &c->title);
	array(s, "K", c, &c->kind);
	array(s, "C", c, &c->colour);
	array(s, "P", c, &c->marker);
	array(s, "D", c, &c->dash);
	range(s, "x", c->xlo, c->xhi);
	range(s, "y", c->ylo, c->yhi);
	iso_str_add(s, iso_plot_series);
}

/* Names of rows must be known before the plot: in front of the loop over formats. */
static void insert_ticks(const iso_chart *c, iso_str *s)
{
	char *at = s->p ? strstr(s->p, "do for [f in formats]") : NULL;
	iso_str all = {0};

	if (!c->nticks || !at)
		return;
	iso_str_addn(&all, s->p, (size_t)(at - s->p));
	iso_str_addf(&all, "set ytics (%s) noenhanced\n", c->ticks.p);
	iso_str_add(&all, at);
	iso_str_free(s);
	*s = all;
}

static void chart_free(iso_chart *c)
{
	iso_str *const all[] = {&c->stem,   &c->caption, &c->csv,  &c->title, &c->kind,
				&c->colour, &c->marker,	 &c->dash, &c->ticks};

	for (size_t i = 0; i < ISO_COUNT(all); i++)
		iso_str_free(all[i]);
}

iso_status iso_chart_finish(iso_chart *c, const iso_aggregate *a, const char *dir, iso_figures *f,
			    iso_error *err)
{
	iso_error why = {0};
	iso_str script = {0};
	iso_status st = ISO_OK;

	if (c->npoints == 0 || c->nseries == 0)
		goto out;
	ISO_TRY_OUT(iso_str_check(&c->stem, err));
	ISO_TRY_OUT(iso_str_check(&c->caption, err));
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].stem, c->stem.p) == 0) {
			iso_str_addf(&c->stem, "-%zu", f->n + 1);
			break;
		}
	ISO_TRY_OUT(iso_str_check(&c->stem, err));
	write_script(c, &script);
	insert_ticks(c, &script);
	ISO_TRY_OUT(iso_figure_add(f, c->stem.p, c->caption.p, c->dataset, err));
	st = iso_gnuplot(dir, c->stem.p, &c->csv, &script, &f->no_gnuplot, &why);
	f->v[f->n - 1].drawn = st == ISO_OK && !f->no_gnuplot;
	if (st == ISO_E_PLUGIN) {
		iso_warn("figure %s (%s): %s", c->stem.p,
			 c->dataset < a->ndataset ? a->dataset[c->dataset] : "all data sets",
			 why.text);
		f->failed++;
		st = ISO_OK;
	} else if (st != ISO_OK) {
		st = iso_fail(err, st, "%s", why.text);
	}
out:
	iso_str_free(&script);
	chart_free(c);
	return st;
}
