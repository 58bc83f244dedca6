// SPDX-License-Identifier: Apache-2.0
/* The code behind a plug-in's descriptor, as a hash: what a result depends on beside its inputs.
 * A loader notes the SHA-256 of the shared object's file; descriptors that nobody noted are built
 * in (suites/code.h knows the hashes of their sources).  Process-wide; not for threads. */
#ifndef ISO_BASE_CODE_H
#define ISO_BASE_CODE_H

#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* hex: 64 digits, copied. */
iso_status iso_code_note(const void *descriptor, const char *hex, iso_error *err) ISO_MUST_CHECK;
/* What was noted for the descriptor (the last note counts), or NULL. */
const char *iso_code_noted(const void *descriptor);

#ifdef __cplusplus
}
#endif

#endif
