// SPDX-License-Identifier: Apache-2.0
#ifndef ISO_REPORTS_CONTROLS_H
#define ISO_REPORTS_CONTROLS_H

#include "reports/tables.h"

/* Is the value a headline of an attack, with a value of chance, and measured on the setting? */
int iso_control_judges(const iso_aggregate *a, size_t setting, size_t name);
/* Of such a value: 1 above chance, -1 below, 0 neither, by three standard errors of the mean over
 * seeds, from the intervals of the records: a false alarm in 0.3 % of honest attacks. */
int iso_control_outcome(const iso_aggregate *a, size_t setting, size_t name);
/* Appends the table of the controls on data set d, a row for each attack that was tried on them;
 * nothing where there are none.  ISO_E_MEMORY. */
iso_status iso_controls_table(const iso_aggregate *a, size_t d, iso_rtables *out,
			      iso_error *err) ISO_MUST_CHECK;

#endif
