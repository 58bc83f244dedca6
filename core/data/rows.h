// SPDX-License-Identifier: Apache-2.0
/* Exact comparison of whole records (every column but ids, the label included).
 */
#ifndef ISO_DATA_ROWS_H
#define ISO_DATA_ROWS_H

#include "core/data/table.h"

#ifdef __cplusplus
extern "C" {
#endif

uint64_t iso_row_hash(const iso_table *t, size_t r);
int iso_row_equal(const iso_table *t, size_t a, size_t b); /* missing equals missing */
/* first[r] = the first row that equals row r (r itself if none before); new array [n], free with
 * iso_free. */
iso_status iso_rows_first(const iso_table *t, uint32_t **first, iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
