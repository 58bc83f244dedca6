// SPDX-License-Identifier: Apache-2.0
/* A record: one cell's result, one JSON file DIR/cells/KEY.json, written atomically.
 *
 * Everything that may differ between two correct runs sits under "run", the last key; the bytes
 * before it are the same in every correct run.  "digest" stands before it: SHA-256 over the bytes
 * of the file up to its own line, which every reader checks.  results/README.md lists the fields
 * (isoeps describe record prints the list); record.c has the one table that they come from.
 *
 * "key" is the hash of "config": all that determines the training.  "judged" lists every attack and
 * metric with a key of its own, so that a record grows by a judgement without being trained again.
 * Numbers outside "run" are rounded to 12 significant digits.
 *
 * This folder sees core/base, core/io and core/math only. */
#ifndef ISO_RESULTS_RECORD_H
#define ISO_RESULTS_RECORD_H

#include "core/base/alloc.h"
#include "core/io/json.h"

/* One row of results.csv:
 * cell,suite,dataset,generator,mode,guarantee,epsilon,delta,seed,kind,name,value,low,high,unit,
 * adjacency,accountant,n,claimed_epsilon,verified,status.  A cell without results has one row, of
 * kind "status", so that no cell of a suite is missing from the table. */
typedef struct iso_value {
	const char *kind;	 /* "metric", "attack", "privacy", "cost", "status" */
	const char *name;	 /* "tstr.lr.auroc_micro", "gan-leaks.auc", "accounted_epsilon",
				    "fit_seconds" */
	double value, low, high; /* NaN = none */
	const char *unit;
	const char *direction; /* "higher", "lower", "neither" */
	const char *title;
	const char *section; /* the table that shows it */
	const char *real;    /* full name of the same value for the real training rows, or "" */
	int headline;
	double lo, hi, ideal, chance; /* possible range; NaN = none */
} iso_value;
typedef iso_status (*iso_value_fn)(void *ctx, const cJSON *record, const iso_value *v,
				   iso_error *err);
/* Calls fn for every value of a record, in a fixed order: the one place that turns records into
 * rows. */
iso_status iso_record_values(const cJSON *record, iso_value_fn fn, void *ctx,
			     iso_error *err) ISO_MUST_CHECK;
/* The label that tables print: "dp" only for a promise that was verified, else "claimed" or
 * "refuted"; "heuristic" and "none" as declared. */
const char *iso_record_guarantee(const cJSON *record);
/* How the caveat begins that marks an attack beyond what the accounted budget allows, and whether a
 * record has one. */
#define ISO_ADVANTAGE_WARNING "warning: the membership advantage"
int iso_record_warned(const cJSON *record);

#define ISO_RECORD_FORMAT 2
#define ISO_DIGEST_LINE "\n\t\"digest\": \""

/* Canonical JSON with numbers rounded to 12 significant digits: what keys are hashes of. */
iso_status iso_record_canonical(const cJSON *v, iso_str *out, iso_error *err) ISO_MUST_CHECK;
/* The first 32 hex digits of SHA-256. */
iso_status iso_key_of(const char *text, size_t n, char key[33], iso_error *err) ISO_MUST_CHECK;
/* The key of a configuration: the first 32 hex digits of SHA-256 over its canonical JSON, numbers
 * rounded to 12 significant digits. */
iso_status iso_record_key(const cJSON *config, char key[33], iso_error *err) ISO_MUST_CHECK;
/* The key of a record's setting: its configuration without the seed.  Records may be averaged
 * exactly when their settings are equal: same data, split, method, version, code, options, epsilon.
 */
iso_status iso_record_setting(const cJSON *record, char key[33], iso_error *err) ISO_MUST_CHECK;
/* x rounded to 12 significant digits: what a record can hold. */
double iso_record_round(double x);

/* The table of fields: one row per field is the source of the validator and of results/README.md.
 */
typedef struct iso_record_field {
	const char *path;    /* "config.dataset.name", "metrics[].value"; NULL ends the table */
	unsigned types;	     /* bits of the validator */
	int need;	     /* 0 may be absent, 1 always there, 2 there when status is ok */
	const char *choices; /* "ok|error|...": allowed texts, or NULL */
	const char *meaning; /* one line */
} iso_record_field;
const iso_record_field *iso_record_fields(void);
/* Markdown of the table. */
void iso_record_describe(iso_str *out);

/* Structure and types, and that the key is the hash of the configuration; ISO_E_DATA names the
 * field. A record that fails is never taken for a result. */
iso_status iso_record_check(const cJSON *record, const char *where, iso_error *err) ISO_MUST_CHECK;
/* Pretty JSON text with numbers rounded to 12 significant digits outside "run". */
iso_status iso_record_text(const cJSON *record, iso_str *out, iso_error *err) ISO_MUST_CHECK;

/* The bytes of a record's file against its digest; ISO_E_DATA names `where`. */
iso_status iso_record_check_digest(const char *text, size_t n, const char *where,
				   iso_error *err) ISO_MUST_CHECK;

/* What to read of a record.  ISO_RECORD_LIGHT leaves raw scores, truth, curves and ledger empty:
 * they are most of the bytes, and few readers need them.  ISO_RECORD_HEAD leaves metrics and
 * attacks empty, too: what the cell is and how it ended.  The digest of the whole file is checked
 * always. */
enum { ISO_RECORD_FULL = 0, ISO_RECORD_LIGHT = 1, ISO_RECORD_HEAD = 2 };

/* All valid records of DIR/cells, held at once with their raw scores (tens of kilobytes each: where
 * there may be thousands, use the index below), sorted by (dataset, generator, label, epsilon,
 * seed, key); damaged files are reported by a warning and left out.  When DIR/suite.json lists the
 * suite's cells, records of other cells (an earlier version of the suite) are counted as foreign
 * and left out too; `other_code` of them differ from a cell of the suite in nothing but the code
 * that made them. */
typedef struct iso_records {
	cJSON **v; /* owned */
	size_t n;
	size_t damaged, foreign, other_code;
} iso_records;
iso_status iso_records_load(const char *dir, iso_records *out, iso_error *err) ISO_MUST_CHECK;
void iso_records_free(iso_records *r);
struct iso_index;
iso_status iso_records_of_index(const struct iso_index *x, iso_records *out,
				iso_error *err) ISO_MUST_CHECK;

/* The same records one at a time: an index holds a few hundred bytes of each. */
typedef struct iso_index_entry {
	char key[33];
	char status[12];
	const char *dataset, *generator, *label; /* in the index's arena */
	double epsilon, seed;
	int foreign; /* not a cell of DIR/suite.json */
} iso_index_entry;
typedef struct iso_index {
	char *dir;
	iso_index_entry *v; /* owned; sorted as iso_records, foreign ones last */
	size_t n;	    /* without the foreign ones */
	size_t planned;	    /* cells of DIR/suite.json; 0 = unknown */
	size_t damaged, foreign, other_code;
	iso_arena arena;
} iso_index;
iso_status iso_index_load(const char *dir, iso_index *out, iso_error *err) ISO_MUST_CHECK;
void iso_index_free(iso_index *x);
/* Calls fn for every record of the index in order; `record` lives for the call. */
typedef iso_status (*iso_record_fn)(void *ctx, const cJSON *record, iso_error *err);
iso_status iso_index_each(const iso_index *x, int parts, iso_record_fn fn, void *ctx,
			  iso_error *err) ISO_MUST_CHECK;

/* One valid record, or *out = NULL if there is none or it is damaged (a warning says so). */
iso_status iso_record_read(const char *dir, const char *key, cJSON **out,
			   iso_error *err) ISO_MUST_CHECK;
iso_status iso_record_read_parts(const char *dir, const char *key, int parts, cJSON **out,
				 iso_error *err) ISO_MUST_CHECK;
iso_status iso_record_path(const char *dir, const char *key, iso_str *out,
			   iso_error *err) ISO_MUST_CHECK;
iso_status iso_record_write(const char *dir, const cJSON *record, iso_error *err) ISO_MUST_CHECK;
/* The text of results.csv for records in memory, and DIR/results.csv renewed from the records on
 * disk: written only when it differs. */
iso_status iso_results_csv(const iso_records *r, iso_str *out, iso_error *err) ISO_MUST_CHECK;
iso_status iso_results_renew(const char *dir, iso_error *err) ISO_MUST_CHECK;
iso_status iso_results_renew_from(const iso_index *x, iso_error *err) ISO_MUST_CHECK;
/* In the same pass every record (light, in the order of the index) goes through fn, which may keep
 * it: *record = NULL then. */
typedef iso_status (*iso_record_take_fn)(void *ctx, cJSON **record, iso_error *err);
iso_status iso_results_renew_each(const iso_index *x, iso_record_take_fn fn, void *ctx,
				  iso_error *err) ISO_MUST_CHECK;

#endif
