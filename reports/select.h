// SPDX-License-Identifier: Apache-2.0
/* `report --select KEY=VALUE`: which records and values a report shows. */
#ifndef ISO_REPORTS_SELECT_H
#define ISO_REPORTS_SELECT_H

#include "reports/report.h"
#include "results/record.h"

/* ISO_E_USAGE names the first term whose key is none of dataset, method, epsilon, value. */
iso_status iso_select_check(const iso_report_select *s, iso_error *err) ISO_MUST_CHECK;
/* Whether a record is taken. */
int iso_select_record(const iso_report_select *s, const cJSON *record);
/* Whether a value of this kind and name is shown. */
int iso_select_value(const iso_report_select *s, const char *kind, const char *name);

#endif
