// SPDX-License-Identifier: Apache-2.0
/* One run of an external program (kit/external.h): files in, program, files out. */
#ifndef ISO_GENERATORS_KIT_EXTERNAL_JOB_H
#define ISO_GENERATORS_KIT_EXTERNAL_JOB_H

#include "generators/generator.h"
#include "generators/kit/sandbox.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_external_job {
	const iso_fit *f;	 /* private rows, ledger, key */
	const char *name, *path; /* "external:./prog.sh", /home/me/prog.sh */
	size_t rows;		 /* asked of the program */
	int claims;		 /* epsilon and delta are given, ledger.jsonl is read */
	int folder;
	iso_isolation isolation;
	double seconds, memory; /* memory in MiB */
	const char *parameters;
	char dir[64]; /* filled by the run */
} iso_external_job;

/* Runs the program once and declares its ledger.jsonl in f->ledger.  *rows: exactly j->rows rows,
 * owned by the caller; *isolated: bubblewrap was used.  ISO_E_PLUGIN: it failed, crashed, or left
 * nothing; ISO_E_DATA: it left something malformed; ISO_E_LIMIT: it took too long; ISO_E_BUDGET:
 * its ledger costs more than the target. */
iso_status iso_external_run(iso_external_job *j, iso_table **rows, int *isolated,
			    iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
