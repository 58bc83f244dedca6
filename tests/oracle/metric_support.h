// SPDX-License-Identifier: Apache-2.0
/* What the oracle tests of metrics share: a metric measured as the suite measures it, tables from
 * numbers, the golden small_dataset. */
#ifndef ISO_TESTS_ORACLE_METRIC_SUPPORT_H
#define ISO_TESTS_ORACLE_METRIC_SUPPORT_H

#include "metrics/metric.h"
#include "tests/support/testkit.h"

#define MS_MOST 128
typedef struct ms_result {
	const iso_metric *metric;
	iso_measure v[MS_MOST];
	size_t n;
} ms_result;

/* The schema of a JSON text; fails the test when it does not parse. */
iso_schema *ms_schema(const char *text);
/* n rows of cells [n][ncol]. */
iso_table *ms_table(const iso_schema *s, size_t n, const double *cells);
/* options: JSON text or NULL.  Every declared output must have been set. */
ms_result ms_measure(const char *metric, const char *options, const iso_table *train,
		     const iso_table *test, const iso_table *synthetic);
/* The value of an output (NaN: undefined); fails the test when there is no such output. */
double ms_value(const ms_result *r, const char *key);
const char *ms_reason(const ms_result *r, const char *key);

/* small_dataset of oracle_stats.json.gz: three columns a, b, c in [-10, 10]. */
typedef struct ms_small {
	cJSON *root;
	const cJSON *golden;
	iso_schema *schema;
	iso_table *real, *synthetic, *holdout;
} ms_small;
ms_small ms_small_new(void);
void ms_small_free(ms_small *m);

#endif
