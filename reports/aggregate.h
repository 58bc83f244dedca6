// SPDX-License-Identifier: Apache-2.0
/* Records -> settings (rows) and named values (columns), with the values of every seed.
 *
 * Two records share a row only if their configurations are equal but for the seed and for what
 * judges them: other versions, other data, another delta or split are rows of their own. */
#ifndef ISO_REPORTS_AGGREGATE_H
#define ISO_REPORTS_AGGREGATE_H

#include "results/record.h"

/* A row of every table: one generator setting at one target epsilon on one data set. Strings
 * borrowed from records. */
typedef struct iso_setting {
	const char *dataset, *label, *generator, *mode, *guarantee;
	const char *control; /* "" for a method; "copies", "blind", "floor" */
	const char *verdict; /* "verified", "claimed", "refuted"; "" when nothing is promised */
	int warned;	     /* an attack of some seed exceeds what the budget allows */
	double epsilon;	     /* target; +inf = not private */
	double delta, rows;  /* rows: the first record's training rows */
	size_t seeds;	     /* records with status ok */
	size_t failed;
	size_t method;	     /* index of its label over the whole report: colour and marker */
	const cJSON *record; /* the first */
	char *identity;	     /* owned: what makes two records one row */
	char *name;	     /* owned: the label, with the mode or a number where that alone is not
				enough */
} iso_setting;

typedef struct iso_summary {
	size_t setting; /* index */
	size_t name;	/* index into names */
	size_t n;	/* seeds */
	double mean, sd;
	double low, high; /* 4 seeds or more: 95 % Student interval of the mean; 2 or 3: smallest
			   * and largest value; one: the value's own interval; NaN = none.  Kept
			   * inside the possible range. */
} iso_summary;

typedef struct iso_name {
	char *name, *title, *unit, *section, *real; /* owned */
	const char *kind;
	int direction; /* +1 higher is better, -1 lower, 0 neither */
	int headline;
	double lo, hi, ideal, chance; /* NaN = none */
} iso_name;
#define ISO_STUDENT_SEEDS \
	4 /* fewer values say nothing about their spread: their range is shown instead */

typedef struct iso_sample {
	size_t setting, name;
	double seed, value, low, high;
} iso_sample;

typedef struct iso_aggregate {
	const iso_records *records; /* borrowed; light ones when `dir` is set */
	const char *dir; /* where whole records can be read again, one at a time; NULL: records are
			  * whole */
	size_t *of_record; /* [records->n] setting of each record */
	iso_setting *setting;
	size_t nsetting, cap_setting;
	iso_name *name;
	size_t nname, cap_name;
	iso_summary *cell; /* [nsetting][nname]; n = 0 where nothing was measured */
	iso_sample *sample;
	size_t nsample, cap_sample;
	size_t nmethod;	      /* distinct labels */
	size_t ncontrol;      /* of them controls: the last ones */
	const char **dataset; /* distinct, in order of appearance */
	char **slug;	      /* [ndataset] owned: each data set in names of files, all different */
	size_t ndataset;
	const cJSON *published; /* of the suite, borrowed; NULL = none */
	int split;		/* some label is several rows because configurations differ */
} iso_aggregate;

/* shown: which values to take, by kind and name; NULL takes all. */
typedef int (*iso_shown_fn)(const void *ctx, const char *kind, const char *name);
iso_status iso_aggregate_of(const iso_records *r, iso_shown_fn shown, const void *ctx,
			    iso_aggregate *out, iso_error *err) ISO_MUST_CHECK;
/* The same record by record, so that what was taken of one can be freed before the next: begin, add
 * every record of r in order (r->v[at] is there from then on), end.  *first: the record is the one
 * that its setting keeps; it must stay whole. */
iso_status iso_aggregate_begin(const iso_records *r, size_t room, iso_aggregate *out,
			       iso_error *err) ISO_MUST_CHECK;
iso_status iso_aggregate_add(iso_aggregate *a, size_t at, iso_shown_fn shown, const void *ctx,
			     int *first, iso_error *err) ISO_MUST_CHECK;
iso_status iso_aggregate_end(iso_aggregate *a, iso_error *err) ISO_MUST_CHECK;
iso_status iso_aggregate_new(const iso_records *r, iso_aggregate *out,
			     iso_error *err) ISO_MUST_CHECK;
void iso_aggregate_free(iso_aggregate *a);
/* Record i with its raw scores: read again (then *owned is to be deleted) or as it is; NULL when it
 * is no longer there. */
const cJSON *iso_whole_record(const iso_aggregate *a, size_t i, cJSON **owned);
const iso_summary *iso_aggregate_at(const iso_aggregate *a, size_t setting, size_t name);
/* Index of a name; SIZE_MAX if no record has it. */
size_t iso_aggregate_find(const iso_aggregate *a, const char *name);
int iso_measured_on(const iso_aggregate *a, const char *dataset, size_t name);
/* Half-width factor of a 95 % Student interval with n values. */
double iso_student_975(size_t n);
/* Values of setting s for name, by seed: *n of them into value[] and seed[], at most cap. */
size_t iso_aggregate_values(const iso_aggregate *a, size_t s, size_t name, double *value,
			    double *seed, size_t cap);

#define ISO_PAIRS_MIN 3 /* two seeds say nothing about a spread */
/* Two-sided p-value of the paired t-test of two settings over the seeds that they share; NaN with
 * fewer than ISO_PAIRS_MIN pairs; 1 when all differences are 0. */
double iso_paired_p(const iso_aggregate *a, size_t s, size_t t, size_t name);
/* Holm's step-down adjustment of n p-values in place; NaN stays NaN and counts for nothing (Holm
 * 1979). */
void iso_holm(double *p, size_t n);

#endif
