// SPDX-License-Identifier: Apache-2.0
/* What metrics share: rows drawn from a table, two tables pooled, a value or the reason why there
 * is none. */
#ifndef ISO_METRICS_KIT_SAMPLE_H
#define ISO_METRICS_KIT_SAMPLE_H

#include "metrics/metric.h"

#ifdef __cplusplus
extern "C" {
#endif

/* At most `most` rows of t (0 = all), drawn by key without replacement, in their order; *out is new
 * and never t itself. */
iso_status iso_sample_table(const iso_table *t, size_t most, iso_key key, iso_table **out,
			    iso_error *err) ISO_MUST_CHECK;

/* Rows of two tables, as many of each: those of `a` first.  All owned. */
typedef struct iso_pooled {
	iso_table *a, *b, *both;
	size_t m;    /* rows of each */
	uint32_t *y; /* [2m] 1 = of a */
	size_t d;    /* width of an encoded row */
	float *x;    /* [2m][d] features and label in [0,1] */
} iso_pooled;
/* m rows of each table, drawn by the key's children "real" and "synthetic"; encode 0: without x. */
iso_status iso_pooled_new(const iso_table *a, const iso_table *b, size_t m, iso_key key, int encode,
			  iso_pooled *out, iso_error *err) ISO_MUST_CHECK;
void iso_pooled_free(iso_pooled *p);

/* Labelled rows of a table: encoded features with the class or the number that the label holds. */
typedef struct iso_labelled {
	float *x;      /* owned [n][d] */
	uint32_t *y;   /* owned [n] class; 0 where the label is a number */
	double *t;     /* owned [n] the label's value */
	uint32_t *row; /* owned [n] rows of the table */
	size_t n, d;
} iso_labelled;
/* At most `most` of them (0 = all), drawn by key; e encodes the features alone. */
iso_status iso_labelled_new(const iso_encoder *e, const iso_table *t, size_t most, iso_key key,
			    iso_labelled *out, iso_error *err) ISO_MUST_CHECK;
/* Replaces the encoded features by one number a column: the alphabetical rank of a category, as a
 * label encoder gives it, over the largest rank; numbers in [0,1] by their bounds; missing: -1.
 * ISO_E_UNSUPPORTED for pixels. */
iso_status iso_labelled_ordinal(const iso_table *t, iso_labelled *r, iso_error *err) ISO_MUST_CHECK;
/* The rows of a, then those of b. */
iso_status iso_labelled_join(const iso_labelled *a, const iso_labelled *b, iso_labelled *out,
			     iso_error *err) ISO_MUST_CHECK;
void iso_labelled_free(iso_labelled *r);
/* The class that the schema calls positive, or the last; 0 without classes. */
size_t iso_positive_class(const iso_schema *s);

/* A value without an interval; NaN: undefined for the reason `why`. */
iso_status iso_put(iso_measures *out, const char *key, double v, const char *why,
		   iso_error *err) ISO_MUST_CHECK;
/* v = value, low, high. */
iso_status iso_put3(iso_measures *out, const char *key, const double v[3], const char *why,
		    iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
