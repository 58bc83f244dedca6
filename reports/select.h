// SPDX-License-Identifier: Apache-2.0
/* `report --select KEY=VALUE`: which records and values a report shows. */
#ifndef ISO_REPORTS_SELECT_H
#define ISO_REPORTS_SELECT_H

#include "reports/report.h"
#include "results/record.h"

/* ISO_E_USAGE names the first term whose key is none of dataset, method, epsilon, value. */
iso_status iso_select_check(const iso_report_select *s, iso_error *err) ISO_MUST_CHECK;
/* Records that s takes, as a view: out->v is owned, the records stay with `all`. */
iso_status iso_select_records(const iso_report_select *s, const iso_records *all, iso_records *out,
			      iso_error *err) ISO_MUST_CHECK;
/* Whether a value of this kind and name is shown. */
int iso_select_value(const iso_report_select *s, const char *kind, const char *name);

#endif
