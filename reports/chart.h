// SPDX-License-Identifier: Apache-2.0
/* A figure while it is being made: series of points, axes, and how each series looks.  Colour and
 * marker follow the method over the whole report (Okabe and Ito 2008, with markers and dashes that
 * tell them apart in grey). */
#ifndef ISO_REPORTS_CHART_H
#define ISO_REPORTS_CHART_H

#include "reports/figures.h"
#include "reports/tables.h"

enum { ISO_LINE = 1, ISO_LEVEL, ISO_PLAIN, ISO_POINTS, ISO_FRONT, ISO_CLOUD, ISO_BAR };
#define ISO_TOGETHER 8 /* methods in one figure; more make a further figure */

typedef struct iso_chart {
	iso_str stem, caption, csv, title, kind, colour, marker, dash, ticks;
	size_t dataset, nseries, nticks, npoints, nlevel; /* nlevel: levels of no method */
	const char *xlab, *ylab;
	int xlog, ylog;
	double xlo, xhi, ylo, yhi; /* NaN = by the data */
	double size;		   /* of markers */
	char xtext[ISO_NUMBER_TEXT * 2], ytext[ISO_NUMBER_TEXT * 2];
} iso_chart;

void iso_chart_init(iso_chart *c, const iso_aggregate *a, size_t dataset, const char *kind);
/* A further series, looking like `method` of the report (ISO_NO_METHOD: black). Returns its number,
 * from 1. */
#define ISO_NO_METHOD SIZE_MAX
size_t iso_chart_series(iso_chart *c, const iso_aggregate *a, const char *title, size_t method,
			int kind);
void iso_chart_point(iso_chart *c, size_t series, const char *label, double x, double y, double low,
		     double high, double xlow, double xhigh);
/* A tick of the vertical axis, for rows that have names. */
void iso_chart_row(iso_chart *c, const char *name, double y);
/* Writes, draws, adds to the list, and frees the chart.  A chart without points is dropped. */
iso_status iso_chart_finish(iso_chart *c, const iso_aggregate *a, const char *dir, iso_figures *f,
			    iso_error *err) ISO_MUST_CHECK;

#endif
