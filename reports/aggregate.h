// SPDX-License-Identifier: Apache-2.0
/* Records -> groups over seeds: one summary per (dataset, generator label, mode, target epsilon,
 * value name). */
#ifndef ISO_REPORTS_AGGREGATE_H
#define ISO_REPORTS_AGGREGATE_H

#include "results/record.h"

/* A row of every table: one generator setting at one target epsilon on one data set. Strings
 * borrowed from records. */
typedef struct iso_setting {
	const char *dataset, *label, *generator, *mode, *guarantee;
	double epsilon; /* target; +inf = not private */
	size_t seeds;	/* records with status ok */
	size_t failed;
} iso_setting;

typedef struct iso_summary {
	size_t setting; /* index */
	size_t name;	/* index into names */
	size_t n;	/* seeds */
	double mean, sd;
	double low, high; /* 4 seeds or more: 95 % Student interval of the mean; 2 or 3: smallest
			   * and largest value; one: the value's own interval; NaN = none.  Shares
			   * are kept inside [0, 1]. */
} iso_summary;

typedef struct iso_name {
	char *name, *title; /* owned: "tstr.lr.auroc_micro", "LR AUROC (micro)" */
	const char *kind;
	int share; /* its unit is "share": a number in [0, 1] */
} iso_name;
#define ISO_STUDENT_SEEDS \
	4 /* fewer values say nothing about their spread: their range is shown instead */

typedef struct iso_aggregate {
	const iso_records *records; /* borrowed */
	iso_setting *setting;
	size_t nsetting, cap_setting;
	iso_name *name;
	size_t nname, cap_name;
	iso_summary *cell;    /* [nsetting][nname]; n = 0 where nothing was measured */
	const char **dataset; /* distinct, in order of appearance */
	char **slug;	      /* [ndataset] owned: each data set in names of files, all different */
	size_t ndataset;
} iso_aggregate;

iso_status iso_aggregate_new(const iso_records *r, iso_aggregate *out,
			     iso_error *err) ISO_MUST_CHECK;
void iso_aggregate_free(iso_aggregate *a);
const iso_summary *iso_aggregate_at(const iso_aggregate *a, size_t setting, size_t name);
/* Index of a name; SIZE_MAX if no record has it. */
size_t iso_aggregate_find(const iso_aggregate *a, const char *name);
/* The utility that figures show: the first of a list of preferred names that the data set has;
 * SIZE_MAX if none. */
size_t iso_aggregate_utility(const iso_aggregate *a, const char *dataset);
/* Half-width factor of a 95 % Student interval with n values. */
double iso_student_975(size_t n);

#endif
