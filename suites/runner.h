// SPDX-License-Identifier: Apache-2.0
/* Running a plan: workers, resume, shards. */
#ifndef ISO_SUITES_RUNNER_H
#define ISO_SUITES_RUNNER_H

#include "results/record.h"
#include "suites/audits.h"
#include "suites/worker.h"

#define ISO_ONLY_MAX 64

typedef struct iso_run_options {
	const char *dir;
	int jobs;
	size_t shard, shards;		/* 1 of 1 = all */
	int force;			/* redo finished cells */
	const char *only[ISO_ONLY_MAX]; /* "dataset=wdbc": values of one key are alternatives, keys
					   are all required */
	size_t nonly;
	/* NULL, or called with every record of the suite (light, sorted) when the run has ended */
	iso_record_take_fn each;
	void *each_ctx;
} iso_run_options;

typedef struct iso_failure {
	const iso_cell *cell;
	iso_status code;
	char text[768];
} iso_failure;

typedef struct iso_run_summary {
	size_t cells;		   /* of the suite */
	size_t selected;	   /* by shard and only */
	size_t finished;	   /* of those, done before this run */
	size_t done, failed;	   /* by this run */
	size_t unsupported;	   /* cells that their method cannot take, by this run .. */
	size_t unsupported_before; /* .. and among the finished ones */
	size_t refuted;		   /* selected cells whose promise of privacy was refuted */
	size_t violated; /* selected cells that promise privacy and whose audit found a violation */
	size_t audited;	 /* audits done by this run */
	/* Tasks: trainings and judgements (one attack or metric of one cell) done by this run, and
	 * taken from earlier ones. */
	size_t trained, judged, reused;
	size_t lost; /* judgements that crashed or ran out of time and cost their cell nothing else
		      */
	int interrupted;
	double seconds;
	iso_failure *failure; /* [nfailure]; owned */
	size_t nfailure, failure_cap;
} iso_run_summary;

/* Which cells would run: *todo [ncell] flags, owned by the caller; counts into the summary.
 * ISO_E_USAGE for an `only` that fits no cell. */
iso_status iso_run_select(const iso_agenda *a, const iso_run_options *o, const iso_verdicts *v,
			  const iso_audits *audits, uint8_t **todo, iso_run_summary *sum,
			  iso_error *err) ISO_MUST_CHECK;
/* Flags [ncell], owned by the caller: is there a file of the cell in DIR/cells? */
iso_status iso_cells_on_disk(const iso_agenda *a, const char *dir, uint8_t **out,
			     iso_error *err) ISO_MUST_CHECK;
/* Runs them and writes suite.json and results.csv.  Failed cells are in the summary, not in the
 * return value. */
iso_status iso_run(const iso_agenda *a, const iso_run_options *o, iso_run_summary *sum,
		   iso_error *err) ISO_MUST_CHECK;
void iso_run_summary_free(iso_run_summary *sum);

/* How long the selected cells will take on `jobs` workers: from the times of finished cells of the
 * same generator in the output directory, else by short trials of training, verification and
 * judging. */
typedef struct iso_estimate {
	double seconds;			     /* of everything, spread over the jobs */
	double training, judging, verifying; /* its parts, in seconds of one worker */
	double longest;			     /* seconds of the longest cell or check */
	double peak_bytes;		     /* of memory, of finished cells; 0 without any */
	int at_least;			     /* something did not end in its trial .. */
	char open[256];			     /* .. and what */
	size_t from_records, from_probes;    /* cells by where their estimate comes from */
	size_t unknown, verifications;	     /* cells with an open part; methods to verify */
} iso_estimate;
iso_status iso_run_estimate(const iso_agenda *a, const iso_run_options *o, const uint8_t *todo,
			    iso_estimate *out, iso_error *err) ISO_MUST_CHECK;

#endif
