// SPDX-License-Identifier: Apache-2.0
/* A growable string.  Zero-initialise; free with iso_str_free.  After a failed append `failed`
 * stays set and further appends do nothing, so that a writer checks once, at the end. */
#ifndef ISO_BASE_STR_H
#define ISO_BASE_STR_H

#include <stddef.h>

#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_str {
	char *p; /* always terminated once anything was appended; NULL before */
	size_t n, cap;
	int failed;
} iso_str;

void iso_str_add(iso_str *s, const char *text);
void iso_str_addn(iso_str *s, const char *text, size_t n);
void iso_str_addf(iso_str *s, const char *fmt, ...) ISO_PRINTF(2, 3);
/* ISO_E_NOMEM if any append failed. */
iso_status iso_str_check(const iso_str *s, iso_error *err) ISO_MUST_CHECK;
void iso_str_free(iso_str *s);

/* For "did you mean": the word of least edit distance, at most one mistake for every three letters
 * (and one in a shorter word); else the only one that `word` begins; else NULL. */
const char *iso_nearest_word(const char *word, const char *const *words, size_t n);

#ifdef __cplusplus
}
#endif

#endif
