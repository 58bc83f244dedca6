// SPDX-License-Identifier: Apache-2.0
/* Inside core/io: what reading and writing files share. */
#ifndef ISO_IO_FILE_PRIVATE_H
#define ISO_IO_FILE_PRIVATE_H

#include "core/base/status.h"

/* ISO_E_IO for an errno, with what the caller might do about it. */
iso_status iso_io_fail(iso_error *err, const char *what, const char *path, int e) ISO_MUST_CHECK;

#endif
