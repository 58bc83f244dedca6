// SPDX-License-Identifier: Apache-2.0
/* IDX files of MNIST (ubyte), plain or gzip. */
#ifndef ISO_IO_IDX_H
#define ISO_IO_IDX_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_idx {
	size_t ndim, dim[4];
	uint8_t *data; /* owned, product of dims */
} iso_idx;
iso_status iso_idx_read(const char *path, iso_idx *out, iso_error *err) ISO_MUST_CHECK;
/* The same on bytes in memory, an iso_alloc block that is taken over, also on failure; name is used
 * in errors. */
iso_status iso_idx_take(char *text, size_t n, const char *name, iso_idx *out,
			iso_error *err) ISO_MUST_CHECK;
void iso_idx_free(iso_idx *x);

#ifdef __cplusplus
}
#endif

#endif
