// SPDX-License-Identifier: Apache-2.0
/* Figures: data (.csv), script (.gp) and, by gnuplot, .svg .pdf .png.  Image grids are PNG written
 * here. */
#ifndef ISO_REPORTS_FIGURES_H
#define ISO_REPORTS_FIGURES_H

#include "reports/aggregate.h"

extern const char iso_plot_series[];

typedef struct iso_figure {
	char *stem, *title; /* owned */
	int png_only;	    /* an image grid: stem.png, no script */
	int drawn;	    /* the pictures exist */
	size_t dataset;	    /* index into the aggregate */
} iso_figure;

typedef struct iso_figures {
	iso_figure *v;
	size_t n, cap, failed; /* failed: gnuplot refused so many */
	int no_gnuplot;
} iso_figures;

/* Write data and scripts of all figures below dir (created), then draw them. */
/* figures.c holds the table of them. */
iso_status iso_figures_write(const iso_aggregate *a, const char *dir, iso_figures *out,
			     iso_error *err) ISO_MUST_CHECK;
void iso_figures_free(iso_figures *f);
/* Image grids of the data sets whose samples hold pixels: one strip per generator setting. */
iso_status iso_grids_write(const iso_aggregate *a, const char *records_dir, const char *dir,
			   iso_figures *out, iso_error *err) ISO_MUST_CHECK;

/* figure_run.c: writes dir/stem.csv and dir/stem.gp and draws them as svg, pdf and png in a new
 * directory of its own, from which the pictures are moved to dir.  stem: as iso_file_stem makes it.
 * Missing gnuplot: *missing = 1, ISO_OK.  ISO_E_PLUGIN: gnuplot ran and failed. */
iso_status iso_gnuplot(const char *dir, const char *stem, const iso_str *csv, const iso_str *script,
		       int *missing, iso_error *err) ISO_MUST_CHECK;
/* Append a figure; stem and title are copied. */
iso_status iso_figure_add(iso_figures *f, const char *stem, const char *title, size_t dataset,
			  iso_error *err) ISO_MUST_CHECK;

/* An 8-bit grey PNG [height][width]. */
iso_status iso_png_write(const char *path, const unsigned char *grey, size_t width, size_t height,
			 iso_error *err) ISO_MUST_CHECK;
void iso_base64(const unsigned char *bytes, size_t n, iso_str *out);

#endif
