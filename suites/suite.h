// SPDX-License-Identifier: Apache-2.0
/* A suite: what is to be compared, in one JSON file.  docs/suite-format.md explains every key to
 * users.
 *
 * {"name": "demo",                                  required: letters, digits, - and _
 *  "title": "..", "description": "..",              for the report
 *  "datasets": ["wdbc",                             required: names of the catalogue, or objects:
 *     {"name": "sim-census", "label": "census", "options": {..}, "split": {..}},
 *     {"name": "mine", "csv": "my.csv", "schema": "my.json"}],     or a schema that is estimated
 *     from the rows and paid for by every cell: {"private": {"epsilon": 0.5, "delta": 1e-6,
 *     "label": "y", "types": {"age": "integer"}, "separator": ";", "decimal": ","}}
 *     "clients": {"partition": "stratified", "count": 10, "alpha": .., "column": ".."} of a data
 * set deals its training rows to clients (suite_clients.c) "generators": ["cgan", required: names,
 * or objects:
 *     {"name": "dp-cgan", "label": "dp-cgan (paper)", "options": {"mode": "paper"}, "epsilons":
 * [1], "datasets": ["wdbc"], "per_dataset": {"wdbc": {..options..}}}], "epsilons": [1, 8], default
 * [1] "seeds": 2,                                      default 1; a number n = 1..n, or a list
 *  "delta": 1e-5,                                   default; "1/n" = one over the number of
 * training rows "adjacency": "add-remove",                       default; or "replace-one"
 *  "accountant": "pld",                             default; or "rdp"
 *  "split": {"train": 0.5, "holdout": 0.25, "aux": 0.25, "official_test": true, "dedup": true},
 * default "rows": "train",                                 default; synthetic rows: as many as
 * training rows, or a number "attacks": ["gan-leaks", {"name", "label", "options"}],   default:
 * every attack with its defaults; [] = none "metrics": [..], likewise "attack_targets": 1000,
 * default: at most so many members and as many non-members "keep_samples": false, default; true =
 * all synthetic rows, a number = the first so many "limits": {"seconds": 3600, "memory_mib": 4096},
 * default, per cell "public": {"class_counts": false}, default: the rows per class are private
 *  "keep": {"models": true}, "secure": false, "verify": true, defaults
 *  "audits": {"runs": 300, "alpha": 0.001, "threshold": "fixed"}, default: none; true = these
 *  "allow_large_delta": false}  default: a delta above 10/n is refused
 */
#ifndef ISO_SUITES_SUITE_H
#define ISO_SUITES_SUITE_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/alloc.h"
#include "core/data/split.h"
#include "core/io/json.h"
#include "core/privacy/accountant.h"
#include "suites/flow/schema_private.h"

typedef struct iso_suite_split {
	double train, holdout, aux;
	double public_rows; /* share that methods may learn from for free */
	int official_test;  /* test on the data set's own test part, if it has one */
	int dedup;	    /* values on both sides are targets of neither */
} iso_suite_split;

typedef struct iso_suite_dataset {
	const char *name, *label;
	const char *public_csv; /* NULL, or a file of public rows under the same schema */
	/* csv with schema or with private_schema, or none; resolved against the suite's directory
	 */
	const char *csv, *schema;
	const cJSON *private_json; /* {"private": {..}} as given, borrowed from the suite */
	iso_private_schema *private_schema; /* epsilon, delta, label, hints and format of it */
	const cJSON *options;		    /* object or NULL */
	iso_suite_split split;
	const cJSON *clients_json; /* {"partition", ..} as given, or NULL */
	iso_partition clients;	   /* of it */
} iso_suite_dataset;

typedef struct iso_suite_generator {
	const char *name, *label;
	const cJSON *options;	  /* object or NULL */
	const cJSON *per_dataset; /* object of objects or NULL */
	double *epsilon;	  /* NULL = the suite's */
	size_t nepsilon;
	const char **dataset; /* labels; NULL = all */
	size_t ndataset;
} iso_suite_generator;

/* Audits of every method: many trainings of a micro world (suites/flow/audit.h). */
typedef struct iso_suite_audits {
	size_t runs; /* of each world; 0 = no audits */
	double alpha;
	const char *threshold; /* "fixed", "hold-out" or "bonferroni" */
} iso_suite_audits;

typedef struct iso_suite_item { /* an attack or a metric */
	const char *name, *label;
	const cJSON *options;
} iso_suite_item;

#define ISO_ROWS_TRAIN 0 /* rows: as many as training rows */
#define ISO_KEEP_ALL SIZE_MAX
#define ISO_DELTA_ONE_OVER_N 0.0 /* delta: "1/n" */

typedef struct iso_suite {
	const char *name, *title, *description;
	iso_suite_dataset *dataset;
	size_t ndataset;
	iso_suite_generator *generator;
	size_t ngenerator;
	iso_suite_item *attack, *metric;
	size_t nattack, nmetric;
	double *epsilon;
	size_t nepsilon;
	uint64_t *seed;
	size_t nseed;
	double delta; /* ISO_DELTA_ONE_OVER_N */
	iso_adjacency adjacency;
	iso_accountant accountant;
	size_t rows; /* ISO_ROWS_TRAIN */
	size_t attack_targets;
	size_t keep_samples; /* 0 = none, ISO_KEEP_ALL */
	double limit_seconds;
	size_t limit_bytes;
	int public_class_counts;
	int allow_large_delta; /* a delta above 10/n is not refused */
	int keep_models;       /* keep what `save` wrote, so that later judgements train nothing */
	int secure;	       /* noise from the operating system: results cannot be repeated */
	int verify; /* check the promise of every generator that declares differential privacy */
	iso_suite_audits audits;
	const cJSON *published; /* figures of papers, checked; NULL = none; borrowed from root */
	/* owned: everything above lives in these */
	iso_arena arena;
	cJSON *root;
} iso_suite;

/* `name` stands in errors; `dir` is where relative csv and schema files are looked for first. */
iso_status iso_suite_parse(const char *text, size_t n, const char *name, const char *dir,
			   iso_suite **out, iso_error *err) ISO_MUST_CHECK;
/* A file, or the name of a suite that comes with isoeps ("demo"). */
iso_status iso_suite_read(const char *path, iso_suite **out, iso_error *err) ISO_MUST_CHECK;
void iso_suite_free(iso_suite *s);
/* With every default written out; owned by the caller. */
iso_status iso_suite_to_json(const iso_suite *s, cJSON **out, iso_error *err) ISO_MUST_CHECK;
/* Where the suites that come with isoeps are: $ISOEPS_SUITES, else those of the installation or of
 * the source (core/io/share.h). */
const char *iso_suite_directory(void);
size_t iso_suite_find_dataset(const iso_suite *s, const char *label); /* SIZE_MAX = none */

#endif
