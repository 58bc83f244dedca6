// SPDX-License-Identifier: Apache-2.0
/* A record: one cell's result, one JSON file DIR/cells/KEY.json, written atomically.
 *
 * Everything that may differ between two correct runs sits under "run"; the rest is
 * byte-comparable.
 *
 * {"isoeps": 1,                                    format
 *  "key": "3f2a...",                               32 hex digits: hash of "config" in canonical
 * JSON "suite": "demo", "config": {                                     all that determines the
 * result "dataset": {"name": "wdbc", "options": {...}, "hash": "..", "split": {"train": .5,
 * "holdout": .25, "aux": .25}}, "generator": {"name": "dp-cgan", "version": 1, "options": {...
 * every option ...}}, "epsilon": 1.0 | "inf", "delta": 1e-5, "adjacency": "add-remove",
 * "accountant": "pld", "seed": 1, "rows": 284, "attacks": [{"label": "gan-leaks", "name": ..,
 * "version": .., "options": {..}}], "metrics": [...]}, "label": "dp-cgan", "mode": "sound", the
 * generator's label in the suite (default: its name) and mode "status": "ok" | "error" | "timeout"
 * | "memory" | "crash", "error": "text" | null, "guarantee": "dp" | "heuristic" | "none", "n":
 * {"train": .., "holdout": .., "aux": .., "test": .., "features": ..}, "privacy":
 * {"target_epsilon": 1.0, "delta": .., "scale": .., "claimed_epsilon": 9.6 | null, "epsilon":
 * {"pld": {"lower": .., "upper": ..}, "rdp": .., "rdp_classic": .., "moments": .., "gdp": ..},
 *     "accounted_epsilon": number | "inf",         what the tables show: the calibrating
 * accountant's bound on the ledger; "inf" when the guarantee is not dp or anything is uncharged
 *     "audited_epsilon": null | number, "uncharged": ["label-counts", ...]},
 *  "ledger": [ ... as core/privacy/ledger.h ...],
 *  "metrics": [{"metric": "tstr", "name": "lr.auroc_micro", "title": .., "value": .., "low": ..,
 * "high": .., "unit": .., "direction": "higher", "reason": null}, ...], "attacks": [{"label":
 * "gan-leaks", "attack": "gan-leaks", "goal": "membership", "knows": "FBB", "status": "ok" |
 * "unsupported" | "error", "reason": null, "n_pos": .., "n_neg": .., "auc": .., "auc_se": ..,
 * "auc_low": .., "auc_high": .., "advantage": .., "bal_acc_median": .., "tpr_fpr_10": ..,
 * "tpr_fpr_10_low": .., "tpr_fpr_10_high": .., "tpr_fpr_1": .., "tpr_fpr_1_low": ..,
 *               "tpr_fpr_1_high": .., "tpr_fpr_0_1": .., "fpr_denominator_ok": true,
 *               "scores": [..], "truth": [0, 1, ..]}, ...],      raw, so that every statistic can
 * be recomputed "curves": {"disc_loss": [[step, value], ...]}, "model": {..}, the generator's
 * describe "caveats": ["..."],                             learned bounds, metric caveats,
 * uncharged entries, few trials "samples": "samples/KEY.csv.gz" | null, "run": {"started": ..,
 * "host": .., "cpu": .., "isa": .., "gemm": .., "blas": .., "compiler": .., "build": .., "version":
 * .., "load": .., "fit_seconds": .., "sample_seconds": .., "attack_seconds": {...},
 * "metric_seconds": {...}, "total_seconds": .., "steps_per_second": .., "peak_memory_bytes": ..,
 * "jobs": .., "progress": {"done": .., ...}}} Numbers in a record outside "run" are rounded to 12
 * significant digits.
 *
 * This folder sees core/base and core/io only.
 */
#ifndef ISO_RESULTS_RECORD_H
#define ISO_RESULTS_RECORD_H

#include "core/io/json.h"

/* One row of results.csv:
 * cell,suite,dataset,generator,mode,guarantee,epsilon,delta,seed,kind,name,value,low,high,unit. */
typedef struct iso_value {
	const char *kind;	 /* "metric", "attack", "privacy", "cost" */
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

/* The key of a configuration: the first 32 hex digits of SHA-256 over its canonical JSON, numbers
 * rounded to 12 significant digits. */
iso_status iso_record_key(const cJSON *config, char key[33], iso_error *err) ISO_MUST_CHECK;
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

/* All valid records of DIR/cells, sorted by (dataset, generator, label, epsilon, seed, key);
 * damaged files are reported by a warning and left out.  When DIR/suite.json lists the suite's
 * cells, records of other cells (an earlier version of the suite) are counted as foreign and left
 * out too. */
typedef struct iso_records {
	cJSON **v; /* owned */
	size_t n;
	size_t damaged, foreign;
} iso_records;
iso_status iso_records_load(const char *dir, iso_records *out, iso_error *err) ISO_MUST_CHECK;
void iso_records_free(iso_records *r);
/* One valid record, or *out = NULL if there is none or it is damaged (a warning says so). */
iso_status iso_record_read(const char *dir, const char *key, cJSON **out,
			   iso_error *err) ISO_MUST_CHECK;
iso_status iso_record_path(const char *dir, const char *key, iso_str *out,
			   iso_error *err) ISO_MUST_CHECK;
iso_status iso_record_write(const char *dir, const cJSON *record, iso_error *err) ISO_MUST_CHECK;
/* DIR/results.csv of all records, atomically. */
iso_status iso_results_csv(const iso_records *r, iso_str *out, iso_error *err) ISO_MUST_CHECK;

#endif
