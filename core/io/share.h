// SPDX-License-Identifier: Apache-2.0
/* Files that come with the program and are read at run time: suites, templates of plug-ins.  They
 * are found from where the program stands, so that an installation can be moved. */
#ifndef ISO_IO_SHARE_H
#define ISO_IO_SHARE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Path of `name` below ../share/isoeps beside the directory of the program (an installation) or
 * below share/isoeps in it (the build tree).  0 and "" when there is none. */
int iso_share_find(const char *name, char *path, size_t size);

#ifdef __cplusplus
}
#endif

#endif
