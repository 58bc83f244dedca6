// SPDX-License-Identifier: Apache-2.0
/* The one builder of JSON values.
 *
 *     iso_jsonw w = {0};
 *     cJSON *root = iso_jsonw_object(&w, NULL, NULL);
 *     iso_jsonw_text(&w, root, "name", name);
 *     iso_jsonw_number(&w, root, "epsilon", epsilon);
 *     return iso_jsonw_end(&w, root, "a record", out, err);
 *
 * A failed allocation sets `failed`; the calls after it do nothing, and iso_jsonw_end reports it
 * once.  `parent` NULL makes a root; `key` NULL appends to an array.  Numbers have one meaning in
 * everything that isoeps writes: NaN ("does not apply", "undefined") is null, an infinity is the
 * string "inf" or "-inf". */
#ifndef ISO_IO_JSONW_H
#define ISO_IO_JSONW_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_jsonw {
	int failed;
} iso_jsonw;

/* Each returns the new item, owned by the parent; NULL after a failure. */
cJSON *iso_jsonw_object(iso_jsonw *w, cJSON *parent, const char *key);
cJSON *iso_jsonw_array(iso_jsonw *w, cJSON *parent, const char *key);
/* text NULL is null. */
void iso_jsonw_text(iso_jsonw *w, cJSON *parent, const char *key, const char *text);
void iso_jsonw_number(iso_jsonw *w, cJSON *parent, const char *key, double x);
void iso_jsonw_numbers(iso_jsonw *w, cJSON *parent, const char *key, const double *x, size_t n);
void iso_jsonw_bool(iso_jsonw *w, cJSON *parent, const char *key, int value);
/* A deep copy of value; nothing is added when value is NULL. */
void iso_jsonw_copy(iso_jsonw *w, cJSON *parent, const char *key, const cJSON *value);
/* Takes ownership of item, also on failure; a NULL item counts as a failure. */
cJSON *iso_jsonw_add(iso_jsonw *w, cJSON *parent, const char *key, cJSON *item);
/* Likewise, in place of the member `key` that parent has; adds it if it has none. */
cJSON *iso_jsonw_put(iso_jsonw *w, cJSON *parent, const char *key, cJSON *item);
/* Hands root over to *out, or deletes it and reports that memory for `what` ran out. */
iso_status iso_jsonw_end(const iso_jsonw *w, cJSON *root, const char *what, cJSON **out,
			 iso_error *err) ISO_MUST_CHECK;
/* For a builder without a root of its own: ISO_E_NOMEM if any call failed. */
iso_status iso_jsonw_check(const iso_jsonw *w, const char *what, iso_error *err) ISO_MUST_CHECK;

/* A new item for x: number, null or string. */
cJSON *iso_jsonw_number_item(double x);

#ifdef __cplusplus
}
#endif

#endif
