// SPDX-License-Identifier: Apache-2.0
/* The files of suites/data and suites/schemas, compiled in (core/data/embed.cmake), so that a
 * binary needs no tree. */
#ifndef ISO_DATA_EMBEDDED_H
#define ISO_DATA_EMBEDDED_H

#include <stddef.h>

typedef struct iso_embedded {
	const char *name, *text; /* file name without folder; not terminated */
	size_t size;
} iso_embedded;
extern const iso_embedded iso_embedded_files[]; /* ends with a NULL name */

#endif
