// SPDX-License-Identifier: Apache-2.0
#ifndef ISO_REPORTS_PUBLISHED_H
#define ISO_REPORTS_PUBLISHED_H

#include "reports/tables.h"

/* Appends the table of published beside measured figures on data set d; nothing where the suite
 * names none for it.  ISO_E_MEMORY. */
iso_status iso_published_table(const iso_aggregate *a, size_t d, iso_rtables *out,
			       iso_error *err) ISO_MUST_CHECK;

#endif
