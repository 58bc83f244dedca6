// SPDX-License-Identifier: Apache-2.0
/* The output directory of a run: one writer at a time, and nothing left of runs that died. */
#ifndef ISO_SUITES_OUTPUT_DIR_H
#define ISO_SUITES_OUTPUT_DIR_H

#include "suites/plan.h"

/* A run of all cells has the directory for itself; runs of different shards share it.  The locks
 * (DIR/.lock, DIR/.lock-I-of-N) are the system's and end with the process. */
typedef struct iso_dir_lock {
	int whole, shard; /* descriptors, -1 = none */
} iso_dir_lock;
/* Makes DIR with its folders, takes the lock (ISO_E_IO, says that another run is writing there),
 * and removes temporary files of processes that are gone. */
iso_status iso_output_open(const char *dir, size_t shard, size_t shards, iso_dir_lock *out,
			   iso_error *err) ISO_MUST_CHECK;
void iso_output_close(iso_dir_lock *l);
/* DIR/suite.json: the resolved suite with the keys of its cells. */
iso_status iso_output_write_suite(const iso_agenda *a, const char *dir,
				  iso_error *err) ISO_MUST_CHECK;

#endif
