// SPDX-License-Identifier: Apache-2.0
/* The results table that `run` ends with and `status` shows: per data set, generator and epsilon
 * the mean over seeds. */
#ifndef ISO_CLI_SUMMARY_H
#define ISO_CLI_SUMMARY_H

#include "results/record.h"

/* Zero-initialise; add records in the order of iso_index_each. */
typedef struct iso_summary {
	struct iso_summary_line *line; /* owned */
	size_t n, cap;
	iso_arena arena;
} iso_summary;
/* An iso_record_fn: ctx is the summary.  Cells that failed are passed over; records of another
 * version, other code, other data or another split are another row. */
iso_status iso_summary_add(void *ctx, const cJSON *record, iso_error *err) ISO_MUST_CHECK;
void iso_summary_free(iso_summary *s);
/* As text; nothing when there is no finished record. */
iso_status iso_summary_text(const iso_summary *s, iso_str *out, iso_error *err) ISO_MUST_CHECK;
/* The same rows as a JSON array; owned by the caller. */
iso_status iso_summary_json(const iso_summary *s, cJSON **out, iso_error *err) ISO_MUST_CHECK;
/* Epsilon as people write it: "8", "1.5", "inf". */
void iso_eps_text(double x, char out[32]);

#endif
