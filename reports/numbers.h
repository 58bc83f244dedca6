// SPDX-License-Identifier: Apache-2.0
/* Numbers as people read them: three significant figures, % for shares, MB for bytes. */
#ifndef ISO_REPORTS_NUMBERS_H
#define ISO_REPORTS_NUMBERS_H

#include "reports/aggregate.h"

#define ISO_NUMBER_TEXT 112

/* "1", "9.6", "inf", "-" for NaN. */
void iso_epsilon_text(double epsilon, char out[32]);
/* Three significant figures, at most four decimals: "0.813", "12.4", "1,250". */
void iso_number_text(double x, char out[32]);
/* The factor that turns a value of this unit into what is shown, and the unit shown: "share" is
 * shown in %, "bytes" in MB. */
double iso_shown_unit(const char *unit, const char **shown);
/* A title with its unit: "LR accuracy (%)". */
void iso_title_text(const iso_name *n, char out[ISO_NUMBER_TEXT * 2]);
/* "0.873 ± 0.004": mean and half-width of the 95 % interval over seeds; "0.87 (0.85 to 0.89)": mean
 * and range of two or three seeds; "0.87 [0.84, 0.90]": one value and its own interval. */
void iso_mean_text(const iso_summary *s, const iso_name *n, char out[ISO_NUMBER_TEXT]);

#endif
