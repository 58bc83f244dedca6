// SPDX-License-Identifier: Apache-2.0
/* A small table with every kind of column that a careless method trips over, made without files or
 * data sets. */
#ifndef ISO_TESTS_PLUGINS_FIXTURE_H
#define ISO_TESTS_PLUGINS_FIXTURE_H

#include "core/data/table.h"

/* age integer, income continuous with missing codes, city and job categorical, member binary label.
 * Lives for the process. */
const iso_schema *fx_schema(void);
/* One feature and no label; images with a label. */
const iso_schema *fx_schema_single(void);
const iso_schema *fx_schema_pixels(void);
/* n rows that depend on each other and on the label; caller frees. */
iso_table *fx_table(const iso_schema *s, size_t n, uint64_t seed);

#endif
