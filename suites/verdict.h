// SPDX-License-Identifier: Apache-2.0
/* Promises that are tried: `run` verifies each generator that declares differential privacy once
 * for its options and data set (suites/flow/verify.h), before its cells are done.  Verdicts are
 * kept in DIR/verdicts/KEY.json; the key is the hash of the method with options and code, of the
 * data, of the setting, and of the code that verifies. */
#ifndef ISO_SUITES_VERDICT_H
#define ISO_SUITES_VERDICT_H

#include "core/io/jsonw.h"
#include "suites/flow/verify.h"
#include "suites/worker.h"

typedef enum iso_verdict_state {
	ISO_VERDICT_NONE,    /* nothing is promised, or the suite does not ask */
	ISO_VERDICT_PENDING, /* to be tried */
	ISO_VERDICT_RUNNING,
	ISO_VERDICT_READY
} iso_verdict_state;

typedef struct iso_verdict_entry {
	iso_verdict_state state;
	const iso_cell *cell; /* the first cell of the setup: its epsilon and delta are tried */
	cJSON *verdict;	      /* owned; {"key"} until it is ready */
	/* where it is kept below the output directory, and its outcome when it cannot be had */
	const char *folder, *failed;
} iso_verdict_entry;

typedef struct iso_verdicts {
	iso_verdict_entry *v; /* [ngenerator][ndataset]; owned */
	size_t n;
} iso_verdicts;

iso_status iso_verdicts_new(const iso_agenda *a, iso_verdicts *out, iso_error *err) ISO_MUST_CHECK;
void iso_verdicts_free(iso_verdicts *v);
/* The entry of a cell's setup. */
iso_verdict_entry *iso_verdicts_of(const iso_verdicts *v, const iso_agenda *a, const iso_cell *c);
/* What the record of the cell must hold under "verdict" (at least its key), or NULL. */
const cJSON *iso_verdicts_expected(const iso_verdicts *v, const iso_agenda *a, const iso_cell *c);
/* Takes a verdict of an earlier run from the directory, if it is there. */
iso_status iso_verdict_take(const char *dir, iso_verdict_entry *e, iso_error *err) ISO_MUST_CHECK;
/* A verification that did not end by itself: "claimed" with the reason, not kept on disk. */
iso_status iso_verdict_give_up(iso_verdict_entry *e, const char *why,
			       iso_error *err) ISO_MUST_CHECK;

/* The options of a setup with the sizes of a check of seconds (*options owned by the caller), and
 * what was made smaller. */
iso_status iso_setup_small(const iso_setup *u, void **options, iso_str *note,
			   iso_error *err) ISO_MUST_CHECK;

/* Verifies a method as `run` does: with small options, on rows of the data, in the setting of env.
 * note: what was made smaller. */
iso_status iso_setup_verify(const iso_setup *u, const iso_table *data, const iso_gen_env *env,
			    iso_verdict *out, iso_str *note, iso_error *err) ISO_MUST_CHECK;

/* The task of a worker: verifies and writes the verdict's file. */
typedef struct iso_verdict_job {
	const iso_agenda *agenda;
	const iso_verdict_entry *entry;
	const char *dir;
} iso_verdict_job;
/* Writes a finished verdict, of which `w` is the builder; takes it over. */
iso_status iso_verdict_write(const iso_verdict_job *job, const iso_jsonw *w, cJSON *verdict,
			     iso_error *err) ISO_MUST_CHECK;
/* A new {"key", "outcome", "reason"} of the entry. */
cJSON *iso_verdict_head(iso_jsonw *w, const iso_verdict_entry *e, const char *outcome,
			const char *reason);
/* Makes {"key"} the verdict of an entry. */
iso_status iso_verdict_await(iso_verdict_entry *e, const char *key, iso_error *err) ISO_MUST_CHECK;
iso_status iso_verdict_task(void *ctx, iso_worker_page *page, iso_error *err) ISO_MUST_CHECK;

#endif
