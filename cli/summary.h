// SPDX-License-Identifier: Apache-2.0
/* The results table that `run` ends with and `status` shows: per data set, generator and epsilon
 * the mean over seeds. */
#ifndef ISO_CLI_SUMMARY_H
#define ISO_CLI_SUMMARY_H

#include "results/record.h"

/* As text; nothing when there is no finished record. */
iso_status iso_summary_text(const iso_records *r, iso_str *out, iso_error *err) ISO_MUST_CHECK;
/* The same rows as a JSON array; owned by the caller. */
iso_status iso_summary_json(const iso_records *r, cJSON **out, iso_error *err) ISO_MUST_CHECK;
/* Epsilon as people write it: "8", "1.5", "inf". */
void iso_eps_text(double x, char out[32]);

#endif
