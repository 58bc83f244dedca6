// SPDX-License-Identifier: Apache-2.0
/* Rows from other programs, read tolerantly: what breaks the schema is counted and named, never
 * fatal.  A number out of bounds is clipped, a fraction in an integer column is rounded; a row with
 * an unknown category, an unreadable number or a missing value that the schema does not allow is
 * left out. Columns may come in any order; columns that the schema does not know (an index) are
 * left out. */
#ifndef ISO_CLI_TOLERANT_H
#define ISO_CLI_TOLERANT_H

#include "metrics/metric.h"

/* `what` the rows are ("synthetic"), for the notes: note is called once for each finding, with a
 * whole sentence.  *found (NULL: not wanted) gets the counts.  A schema with images, sequences or
 * dates is read strictly, and its counts are those of clean rows. */
iso_status iso_read_tolerant(const char *path, const char *what, const iso_schema *s,
			     iso_status (*note)(void *ctx, const char *text, iso_error *err),
			     void *ctx, iso_validity *found, iso_table **out,
			     iso_error *err) ISO_MUST_CHECK;

#endif
