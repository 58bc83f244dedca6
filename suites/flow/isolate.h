// SPDX-License-Identifier: Apache-2.0
/* A function run in a process of its own, with its output captured.
 *
 * SEALED: the child has no files but its result and its captured output, and a seccomp filter (no
 * privileges needed: PR_SET_NO_NEW_PRIVS) answers every attempt to open a file, ask about a path,
 * reach the network, start a process, share memory or signal others with "permission denied" and
 * notes the first one.  Where the kernel has no such filter the file limit of the process is zero:
 * attempts fail, and are not seen.  Threads of the process itself are allowed.  What a few lines
 * of the C library try by themselves (the time zone, the overcommit setting) is refused without a
 * note.
 */
#ifndef ISO_SUITES_FLOW_ISOLATE_H
#define ISO_SUITES_FLOW_ISOLATE_H

#include "core/base/status.h"
#include "core/base/str.h"

typedef struct iso_isolated {
	iso_str result;	   /* what fn appended; empty if the child did not come back */
	iso_str said;	   /* its standard output and error, cut after 64 KiB */
	char touched[160]; /* the first thing that a sealed child tried outside itself, "" = none */
	int watched;	   /* attempts can be seen on this kernel */
	int signal;	   /* the child was killed by it; 0 = it came back */
	int timed_out;	   /* killed by the limit */
} iso_isolated;

/* Runs fn(ctx, result) in a child.  seconds > 0 limits its processor time, and 20 times as much its
 * time by the clock.  A crash or time-out of the child is an
 * outcome (ISO_OK), not an error.  Free with iso_isolated_free. */
iso_status iso_isolate(void (*fn)(void *ctx, iso_str *result), void *ctx, int sealed,
		       double seconds, iso_isolated *out, iso_error *err) ISO_MUST_CHECK;
void iso_isolated_free(iso_isolated *x);

#endif
