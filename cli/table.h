// SPDX-License-Identifier: Apache-2.0
/* Tables for a terminal: cells are added row by row, columns are as wide as they must be. */
#ifndef ISO_CLI_TABLE_H
#define ISO_CLI_TABLE_H

#include "core/base/str.h"

typedef struct iso_grid {
	char **cell; /* owned */
	size_t n, cap, columns;
	int failed;
} iso_grid;

/* Zero-initialise, set columns.  The first row is the head. */
void iso_grid_add(iso_grid *g, const char *fmt, ...) ISO_PRINTF(2, 3);
/* Appends the table: text to the left, numbers to the right; frees the grid. */
void iso_grid_print(iso_grid *g, iso_str *out);
/* Appends text folded at `width` columns, with `indent` spaces before every line; keeps its
 * paragraphs. */
void iso_fold(iso_str *out, const char *text, int indent, int width);

#endif
