// SPDX-License-Identifier: Apache-2.0
/* One run of another program in a directory of its own, with limits on time, memory and output, and
 * isolated by bubblewrap (bwrap) where that works.
 *
 * ISOLATED: the program sees the system's programs and libraries (/usr and what they need of /etc),
 * itself under /program, the directory as /data, and an empty /tmp; nothing else of the file
 * system, no network, and no process of anybody else.  It begins in /data with a fresh environment.
 * NOT ISOLATED: the same limits in a process group of its own, which is killed in the end; the
 * program can read whatever its user can.
 */
#ifndef ISO_GENERATORS_KIT_SANDBOX_H
#define ISO_GENERATORS_KIT_SANDBOX_H

#include "core/base/status.h"
#include "core/base/str.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum iso_isolation {
	ISO_ISOLATION_AUTO,	/* where bubblewrap works */
	ISO_ISOLATION_REQUIRED, /* refused where it does not */
	ISO_ISOLATION_OFF
} iso_isolation;

typedef struct iso_sandbox {
	const char *program; /* absolute path of an executable file */
	const char *dir;     /* absolute path; the program's working directory */
	int folder;	     /* 1: the folder of the program is visible too (read-only) */
	iso_isolation isolation;
	double seconds; /* of wall time, and of processor time of any one process; > 0 */
	double memory;	/* bytes of address space of any one process; 0 = no limit */
	int (*cancelled)(void *ctx); /* NULL, or asked now and then */
	void *cancelled_ctx;
} iso_sandbox;

typedef struct iso_sandbox_end {
	int isolated;
	int status;    /* exit status; -1 unless it ended by itself */
	int signal;    /* that killed it; 0 = none */
	int timed_out; /* by the clock or by processor time */
	iso_str said;  /* standard output and error, cut after 64 KiB; owned */
} iso_sandbox_end;

/* Can bubblewrap be used here?  Tried once in a process, with the mounts of a real run. */
int iso_sandbox_works(void);
/* A program that fails, crashes or runs too long is an outcome (ISO_OK).  Errors: ISO_E_UNSUPPORTED
 * (isolation required and not to be had), ISO_E_CANCELLED, ISO_E_IO (no process).  Free `said` with
 * iso_str_free. */
iso_status iso_sandbox_run(const iso_sandbox *s, iso_sandbox_end *out,
			   iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
