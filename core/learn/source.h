// SPDX-License-Identifier: Apache-2.0
/* Where a learner's rows come from: a float matrix, or rows of a table encoded when they are
 * wanted, so that 60,000 images need never stand in memory as floats. */
#ifndef ISO_LEARN_SOURCE_H
#define ISO_LEARN_SOURCE_H

#include "core/data/encode.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_source {
	size_t n, d;
	const float *x; /* [n][ld], or NULL: encode */
	size_t ld;
	const iso_encoder *encoder;
	const iso_table *table;
	const uint32_t *row; /* [n] rows of the table; NULL = 0..n-1 */
	float scale;	     /* every value is multiplied by it; 0 = not */
} iso_source;		     /* all borrowed */

iso_source iso_source_floats(const float *x, size_t ld, size_t n, size_t d);
/* The rows row[0..n-1] of t (row NULL: the first n). */
iso_source iso_source_table(const iso_encoder *e, const iso_table *t, const uint32_t *row,
			    size_t n);
/* Rows at the positions pos[0..n-1] of the source (pos NULL: first, first+1, ...) into out [n][ld].
 */
void iso_source_get(const iso_source *s, const uint32_t *pos, size_t first, size_t n, float *out,
		    size_t ld);

#ifdef __cplusplus
}
#endif

#endif
