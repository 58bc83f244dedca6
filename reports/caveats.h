// SPDX-License-Identifier: Apache-2.0
/* Caveats of many records, told once: texts that differ only in their numbers become one text with
 * the range of each number ("4 to 10 of 1251 test rows equal a training row"). */
#ifndef ISO_REPORTS_CAVEATS_H
#define ISO_REPORTS_CAVEATS_H

#include "core/base/str.h"

#define ISO_CAVEAT_NUMBERS 12 /* of a text; further ones are taken as words */

typedef struct iso_caveat {
	char *text;		       /* as first met; owned */
	char *low[ISO_CAVEAT_NUMBERS]; /* the least text of each number; owned */
	char *high[ISO_CAVEAT_NUMBERS];
} iso_caveat;

typedef struct iso_caveats {
	iso_caveat *v;
	size_t n, cap;
} iso_caveats;

/* Copies text.  ISO_E_MEMORY. */
iso_status iso_caveats_add(iso_caveats *c, const char *text, iso_error *err) ISO_MUST_CHECK;
/* Appends the text of caveat i, a number that was not always the same as "LOW to HIGH". */
void iso_caveat_text(const iso_caveats *c, size_t i, iso_str *out);
void iso_caveats_free(iso_caveats *c);

#endif
