// SPDX-License-Identifier: Apache-2.0
/* One call to train a registered generator on a table and to sample it. */
#ifndef ISO_TESTS_ORACLE_GEN_SUPPORT_H
#define ISO_TESTS_ORACLE_GEN_SUPPORT_H

#include "suites/flow/train.h"
#include "tests/plugins/fixture.h"
#include "tests/support/testkit.h"

/* options: "key=value key=value"; scale > 0: no calibration.  options_out (free with iso_free)
 * holds the struct. */
iso_training gen_train(const iso_generator *g, const char *options, const iso_table *t,
		       double epsilon, double scale, const size_t *class_count, void **options_out);
iso_table *gen_sample(const iso_training *t, const iso_schema *s, size_t n);
const iso_generator *gen_find(const char *name);
/* Mean of column c over the rows whose label is y (y < 0: all), missing left out. */
double gen_mean(const iso_table *t, size_t c, int y);

#endif
