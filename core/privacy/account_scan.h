// SPDX-License-Identifier: Apache-2.0
/* Private to account_json.c and account_batch.c: JSON text to a tree, with the exact place of a
 * fault. */
#ifndef ISO_PRIVACY_ACCOUNT_SCAN_H
#define ISO_PRIVACY_ACCOUNT_SCAN_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "core/privacy/account_json.h"

/* `name` and, counted from first_line, the line and column stand in the error. */
iso_status iso_scan_parse(const char *text, size_t n, const char *name, size_t first_line,
			  cJSON **out, iso_error *err) ISO_MUST_CHECK;
/* The answer to one question, appended with a final newline; nothing is appended on failure. */
iso_status iso_account_answer(const cJSON *v, const char *where, const iso_account_options *o,
			      iso_str *out, iso_error *err) ISO_MUST_CHECK;

#endif
