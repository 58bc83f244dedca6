// SPDX-License-Identifier: Apache-2.0
/* Columns with their small cells merged (McKenna, Miklau, Sheldon 2021, section 5.2 "domain
 * compression"): noise in many nearly empty cells costs more than it tells. */
#ifndef ISO_GENERATORS_KIT_MERGED_H
#define ISO_GENERATORS_KIT_MERGED_H

#include "core/data/encode.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_merged {
	uint32_t *to;	/* [binning total] merged cell of each cell */
	size_t *cells;	/* [ncode] merged cells per column, at least 1 */
	size_t *first;	/* [ncode] offset of a column in count and weight */
	double *count;	/* released counts of the merged cells */
	double *weight; /* 1 / standard deviation of each count */
	double total;	/* estimated number of rows, at least 1 */
} iso_merged;

/* one [b->total]: released one-way counts of standard deviation sd each.  Cells below three
 * standard deviations become one cell of their column.  On failure *out is empty. */
iso_status iso_merged_new(const iso_binning *b, const double *one, double sd, iso_merged *out,
			  iso_error *err) ISO_MUST_CHECK;
void iso_merged_free(iso_merged *m);
/* Codes of n rows to merged cells, in place. */
void iso_merged_codes(const iso_merged *m, const iso_binning *b, size_t n);
/* One of the cells that a merged cell stands for; u in (0,1). */
size_t iso_merged_undo(const iso_merged *m, const iso_binning *b, size_t column, uint32_t cell,
		       double u);

#ifdef __cplusplus
}
#endif

#endif
