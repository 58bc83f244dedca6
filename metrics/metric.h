// SPDX-License-Identifier: Apache-2.0
/* THE CONTRACT of metrics: a table of declared outputs and one function that measures each of them
 * exactly once. */
#ifndef ISO_METRICS_METRIC_H
#define ISO_METRICS_METRIC_H

#include "core/data/encode.h"
#include "core/data/table.h"
#include "core/io/options.h"
#include "core/io/output.h"
#include "core/rand/rand.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ISO_METRIC_ABI 3

enum { /* inputs */
       ISO_IN_TRAIN = 1,
       ISO_IN_TEST = 2,
       ISO_IN_SYNTHETIC = 4
};
/* One measured value. */
typedef struct iso_measure {
	const char *key;  /* of the output table */
	double value;	  /* NaN = undefined, then `reason` says why */
	double low, high; /* 95 % interval; NaN = none */
	char reason[96];
} iso_measure;
/* Real values against synthetic ones, which an output sums up: for a figure. */
typedef struct iso_points {
	size_t output;	   /* index into the outputs */
	size_t n;	   /* at most ISO_POINTS_MAX */
	double *real;	   /* [n], of a curve: what is varied; owned */
	double *synthetic; /* [n], behind real in one block; of a curve: the value there */
	const char *axis;  /* NULL: points; else a curve, and the text of its horizontal axis */
} iso_points;
typedef struct iso_measures {
	const iso_output *outputs;
	iso_measure *v; /* [number of outputs], in output order; owned by the harness */
	size_t n;
	iso_points *points; /* [npoints], owned by the harness */
	size_t npoints, cap_points;
} iso_measures;
#define ISO_POINTS_MAX 400
/* Each declared output exactly once; a NaN or infinite value is ISO_E_PLUGIN (say undefined
 * instead). */
iso_status iso_measure_set(iso_measures *m, const char *key, double value, double low, double high,
			   iso_error *err) ISO_MUST_CHECK;
iso_status iso_measure_undefined(iso_measures *m, const char *key, const char *reason,
				 iso_error *err) ISO_MUST_CHECK;

/* What a tolerant reader met in the synthetic file. */
typedef struct iso_validity {
	size_t rows, cells;	    /* read */
	size_t broken_rows;	    /* rows with at least one finding */
	size_t clipped, rounded;    /* values: out of bounds, fraction of an integer */
	size_t unknown, unreadable; /* values: category, number */
	size_t missing;		    /* values that the schema does not allow to be missing */
} iso_validity;

/* n pairs of one real and one synthetic value behind the output `key`, once for an output: the
 * report draws them as a cloud about the diagonal.  Of more than ISO_POINTS_MAX every k-th is kept.
 * ISO_E_PLUGIN where a value is not finite or the output is not declared. */
iso_status iso_measure_points(iso_measures *m, const char *key, const double *real,
			      const double *synthetic, size_t n, iso_error *err) ISO_MUST_CHECK;
/* The output `key` against something that the metric varies (x, rising and above 0, drawn on a log
 * scale): n points of a line.  axis: what x is, a literal text.  Otherwise as iso_measure_points.
 */
iso_status iso_measure_curve(iso_measures *m, const char *key, const char *axis, const double *x,
			     const double *y, size_t n, iso_error *err) ISO_MUST_CHECK;
void iso_measures_free(iso_measures *m);

typedef struct iso_metric_view {
	const iso_schema *schema;
	const iso_table *train; /* real, the generator's training rows */
	const iso_table *test;	/* real, never seen by the generator */
	const iso_table *synthetic;
	iso_key key;
	/* Values that depend on real rows alone (train-real-test-real), shared by the cells of a
	 * suite; both may be NULL. `name` must name everything that they depend on beyond data and
	 * split.  get returns 1 if found. */
	int (*cache_get)(void *ctx, const char *name, double *v, size_t n);
	void (*cache_put)(void *ctx, const char *name, const double *v, size_t n);
	void *cache_ctx;
	/* the classifier that the method released, for ISO_IN_TEST rows: prob [rows][classes]; NULL
	 * where it released none */
	iso_status (*classify)(void *ctx, const iso_table *rows, double *prob, iso_error *err);
	void *classify_ctx;
	const iso_validity *found; /* NULL: the synthetic rows were checked and obey the schema */
} iso_metric_view;

typedef struct iso_metric {
	uint32_t abi;				    /* required */
	const char *name, *title, *citation, *card; /* required */
	uint32_t inputs;
	uint32_t version;
	const iso_output *outputs; /* required */
	const iso_option *options;
	size_t options_size;
	/* optional; default: accept. ISO_E_UNSUPPORTED: recorded as not applicable with the reason.
	 */
	iso_status (*check)(const iso_schema *s, const void *options, iso_error *err);
	/* required */
	iso_status (*measure)(const iso_metric_view *view, const void *options, iso_measures *out,
			      iso_error *err);
} iso_metric;

size_t iso_metric_count(void);
const iso_metric *iso_metric_at(size_t i);
iso_status iso_metric_find(const char *name, const iso_metric **out, iso_error *err) ISO_MUST_CHECK;
/* Checks ABI and required slots (ISO_E_PLUGIN names the slot), then registers.  A shared object
 * exports `const iso_metric *iso_plugin_metric(void)`. */
iso_status iso_metric_register(const iso_metric *m, iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
