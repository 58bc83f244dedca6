// SPDX-License-Identifier: Apache-2.0
/* The object that `evaluate` makes, printed as tables and written as a page. */
#ifndef ISO_CLI_EVALUATION_H
#define ISO_CLI_EVALUATION_H

#include "core/base/str.h"
#include "core/io/jsonw.h"

/* Metrics, attacks, caveats; a reason or caveat that many values share is printed once. */
void iso_evaluation_print(const cJSON *result, iso_str *out);
/* DIR/index.html, evaluation.json and evaluation.csv; DIR is made when it is not there. */
iso_status iso_evaluation_write(const cJSON *result, const char *title, const char *dir,
				iso_error *err) ISO_MUST_CHECK;

#endif
