// SPDX-License-Identifier: Apache-2.0
/* Data sets by name: embedded simulators (sim-mixture, sim-census, sim-digits, sim-series), small
 * real sets in the tree (wdbc, digits), and files found in $ISOEPS_DATA, else ../shared/data
 * (beside the source tree or the working directory), else the user's cache or /usr/share/datasets,
 * with a pinned SHA-256 of the uncompressed content. */
#ifndef ISO_DATA_CATALOGUE_H
#define ISO_DATA_CATALOGUE_H

#include "core/data/table.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_dataset_info {
	const char *name, *title, *licence, *citation;
	size_t rows;  /* 0 = any */
	int embedded; /* needs no file */
	int has_test; /* comes with its own test part */
} iso_dataset_info;
size_t iso_dataset_count(void);
const iso_dataset_info *iso_dataset_at(size_t i);
const iso_dataset_info *iso_dataset_find(const char *name);

typedef struct iso_dataset {
	char *name;
	iso_schema *schema; /* owned */
	iso_table *table;   /* all rows (without the official test part, if any); owned */
	iso_table *test;    /* official test part or NULL; owned */
	char hash[65];	    /* of table and test */
} iso_dataset;
/* options (cJSON object or NULL), checked against the data set's table: "rows" and "seed" of
 * simulators, "drop_missing", "dedup", "merge_test" of real ones, ... */
iso_status iso_dataset_load(const char *name, const cJSON *options, iso_dataset **out,
			    iso_error *err) ISO_MUST_CHECK;
/* A user's own CSV with its schema file. */
iso_status iso_dataset_from_files(const char *csv, const char *schema, iso_dataset **out,
				  iso_error *err) ISO_MUST_CHECK;
/* The same with a schema in memory, which the data set owns from now on (also on failure). */
iso_status iso_dataset_from_schema(const char *csv, iso_schema *schema, iso_dataset **out,
				   iso_error *err) ISO_MUST_CHECK;
void iso_dataset_free(iso_dataset *d);
/* Where the files of a data set were found or would be fetched from, for `data list|get|check`. */
iso_status iso_dataset_locate(const char *name, iso_str *text, int *present,
			      iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
