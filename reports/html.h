// SPDX-License-Identifier: Apache-2.0
/* The self-contained HTML page. */
#ifndef ISO_REPORTS_HTML_H
#define ISO_REPORTS_HTML_H

#include "reports/figures.h"
#include "reports/tables.h"

/* title, description: the suite's texts, borrowed. */
iso_status iso_html_page(const char *title, const char *description, const iso_aggregate *a,
			 const iso_rtables *tables, const iso_figures *figures,
			 const char *figures_dir, iso_str *out, iso_error *err) ISO_MUST_CHECK;

#endif
