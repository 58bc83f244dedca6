// SPDX-License-Identifier: Apache-2.0
/* Histograms of all columns side by side, each alone or jointly with the label, as one vector of
 * counts.  A function of the public schema and the number of bins. */
#ifndef ISO_GENERATORS_KIT_COUNTS_LAYOUT_H
#define ISO_GENERATORS_KIT_COUNTS_LAYOUT_H

#include "generators/generator.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Tables of counts, one after the other.  With a label: table j is [labels][cells] and there are
 * ncode - 1 of them. */
typedef struct iso_counts_layout {
	iso_binning bin; /* without codes; owned */
	size_t bins;
	size_t *first; /* [ncode] offset of the table of code j; owned */
	size_t *pixel; /* [ncode] position of the code inside its pixel column; owned */
	size_t label;  /* the label's code when joint */
	size_t ntable, total;
	int joint;
} iso_counts_layout;

iso_status iso_counts_layout_new(const iso_schema *s, size_t bins, int joint, iso_counts_layout *l,
				 iso_error *err) ISO_MUST_CHECK;
void iso_counts_layout_free(iso_counts_layout *l);
/* Codes [n][ncode] to cells of the concatenated tables [n][ntable], in place. */
void iso_counts_cells(const iso_counts_layout *l, uint32_t *code, size_t n);
/* Writes bin `code` of column-code j into a row; u in (0,1): where inside the bin. */
void iso_counts_put(const iso_counts_layout *l, iso_table *t, size_t row, size_t j, size_t code,
		    double u);

#ifdef __cplusplus
}
#endif

#endif
