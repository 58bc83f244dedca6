// SPDX-License-Identifier: Apache-2.0
/* Text that came from outside: what a terminal or a page would act upon is shown instead, and the
 * one rule of labels. */
#ifndef ISO_BASE_TEXT_H
#define ISO_BASE_TEXT_H

#include <stdint.h>

#include "core/base/str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What iso_utf8_next gives for a byte that begins no valid sequence. */
#define ISO_UTF8_BAD 0xffffffffu

/* Decodes one code point of a terminated string and returns the number of its bytes (1 for a byte
 * that begins no valid sequence; 0 at the end). Overlong forms and surrogates are not valid. */
size_t iso_utf8_next(const char *p, uint32_t *cp);
/* Code points that act instead of being seen: C0 and C1 controls, line and paragraph separators,
 * zero-width characters, and the controls of bidirectional text (Unicode TR 36). */
int iso_text_acts(uint32_t cp);
/* Appends `text` on one line: acting characters as <U+202E>, invalid bytes as <0x9B>; at most `max`
 * characters and then an ellipsis (0 = all). */
void iso_text_visible(const char *text, size_t max, iso_str *out);
/* The same for text of several lines: newline and tab are kept. */
void iso_text_visible_lines(const char *text, iso_str *out);
/* JSON text with acting characters of its strings as \uXXXX: the same value. */
void iso_text_visible_json(const char *text, iso_str *out);

/* Why `label` cannot be a label, or NULL. A label stands in tables, file lists and --only: 1 to 63
 * bytes of valid UTF-8 that does not act, without " \ , = / | and without a first character that a
 * spreadsheet, a shell or a directory listing takes for something else. */
const char *iso_label_fault(const char *label);

#ifdef __cplusplus
}
#endif

#endif
