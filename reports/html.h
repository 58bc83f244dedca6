// SPDX-License-Identifier: Apache-2.0
/* The self-contained HTML page. */
#ifndef ISO_REPORTS_HTML_H
#define ISO_REPORTS_HTML_H

#include "reports/facts.h"
#include "reports/figures.h"
#include "reports/tables.h"

extern const char iso_page_style[], iso_page_script[];

iso_status iso_html_page(const iso_about *ab, const iso_aggregate *a, const iso_rtables *tables,
			 const iso_figures *figures, const char *figures_dir, iso_str *out,
			 iso_error *err) ISO_MUST_CHECK;

#endif
