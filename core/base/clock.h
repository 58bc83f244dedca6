// SPDX-License-Identifier: Apache-2.0
/* The only clocks.  Results never depend on them: times live under a record's key "run". */
#ifndef ISO_BASE_CLOCK_H
#define ISO_BASE_CLOCK_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Seconds of wall time (monotonic), of CPU time of this thread, and since 1970. */
double iso_clock_wall(void);
double iso_clock_cpu(void);
double iso_clock_epoch(void);
/* Peak resident memory of this process in bytes. */
size_t iso_peak_memory(void);

#ifdef __cplusplus
}
#endif

#endif
