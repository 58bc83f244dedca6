// SPDX-License-Identifier: Apache-2.0
/* JSON by cJSON, with positions in errors, unknown-key checks and canonical output. */
#ifndef ISO_IO_JSON_H
#define ISO_IO_JSON_H

#include <cjson/cJSON.h>

#include "core/base/str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Parse; `name` stands in the error with line and column: "malformed JSON (suite.json:12:7):
 * expected ...". Duplicate keys and trailing text are errors.  Nesting deeper than 64 is refused.
 */
iso_status iso_json_parse(const char *text, size_t n, const char *name, cJSON **out,
			  iso_error *err) ISO_MUST_CHECK;
iso_status iso_json_read(const char *path, cJSON **out, iso_error *err) ISO_MUST_CHECK;
/* Canonical text: keys sorted, no spaces, numbers in shortest round-trip form, non-finite ones as
 * core/io/jsonw.h says.  Equal values give equal bytes. */
iso_status iso_json_canonical(const cJSON *v, iso_str *out, iso_error *err) ISO_MUST_CHECK;
/* Pretty text (tabs, stable key order as built, shortest round-trip numbers), ending in a newline.
 */
iso_status iso_json_pretty(const cJSON *v, iso_str *out, iso_error *err) ISO_MUST_CHECK;
/* Shortest decimal text that reads back as the same double ("0.1", "1e-05", "inf", "nan"). */
void iso_json_number_text(double x, char out[32]);

/* Typed access; `where` names the object in errors ("suite.json: generators[2]").  Missing with a
 * required flag, a wrong type or a value out of range is ISO_E_CONFIG. */
iso_status iso_json_get_number(const cJSON *obj, const char *key, int required, double lo,
			       double hi, double *out, const char *where,
			       iso_error *err) ISO_MUST_CHECK;
iso_status iso_json_get_string(const cJSON *obj, const char *key, int required, const char **out,
			       const char *where,
			       iso_error *err) ISO_MUST_CHECK; /* borrowed from obj */
/* ISO_E_CONFIG naming the first key of obj that is not in keys[], with the nearest that is. */
iso_status iso_json_only_keys(const cJSON *obj, const char *const *keys, size_t n,
			      const char *where, iso_error *err) ISO_MUST_CHECK;

/* x as core/io/jsonw.h writes it: NaN is null, an infinity its string.  NULL without memory. */
cJSON *iso_json_add_number(cJSON *obj, const char *key, double x);

#ifdef __cplusplus
}
#endif

#endif
