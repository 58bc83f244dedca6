// SPDX-License-Identifier: Apache-2.0
/* Messages to standard error, and the progress line.  Results go to standard output, never through
 * here. */
#ifndef ISO_BASE_LOG_H
#define ISO_BASE_LOG_H

#include "core/base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum iso_log_level { ISO_LOG_QUIET, ISO_LOG_NORMAL, ISO_LOG_VERBOSE } iso_log_level;
void iso_log_set_level(iso_log_level level);
/* "isoeps: note: ..." / "isoeps: warning: ..." on one line; both silent when quiet. */
void iso_note(const char *fmt, ...) ISO_PRINTF(1, 2);
void iso_warn(const char *fmt, ...) ISO_PRINTF(1, 2);
/* Only with --verbose. */
void iso_debug(const char *fmt, ...) ISO_PRINTF(1, 2);

/* A progress line "LABEL 12/96 (12 %) 3.1/s, 27 s left", redrawn in place on a terminal, at most
 * ten times a second; elsewhere, and under NO_COLOR or TERM=dumb, one line every ten seconds.
 * `total` 0 = unknown. */
typedef struct iso_progress {
	const char *label;
	double done, total, started, shown;
	int active;
} iso_progress;
void iso_progress_start(iso_progress *p, const char *label, double total);
void iso_progress_update(iso_progress *p, double done);
void iso_progress_finish(iso_progress *p);

#ifdef __cplusplus
}
#endif

#endif
