// SPDX-License-Identifier: Apache-2.0
#include "core/base/str.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"

static int reserve(iso_str *s, size_t more)
{
	if (s->failed || more > SIZE_MAX / 4 ||
	    iso_grow(&s->p, &s->cap, s->n + more + 1, 1, NULL) != ISO_OK)
		s->failed = 1;
	return !s->failed;
}

void iso_str_addn(iso_str *s, const char *text, size_t n)
{
	if (!reserve(s, n))
		return;
	if (n) /* text may be NULL for nothing */
		memcpy(s->p + s->n, text, n);
	s->n += n;
	s->p[s->n] = 0;
}

void iso_str_add(iso_str *s, const char *text)
{
	iso_str_addn(s, text, strlen(text));
}

void iso_str_addf(iso_str *s, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !reserve(s, (size_t)n)) {
		s->failed = 1;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(s->p + s->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	s->n += (size_t)n;
}

iso_status iso_str_check(const iso_str *s, iso_error *err)
{
	return s->failed ? iso_no_memory(err, "text") : ISO_OK;
}

void iso_str_free(iso_str *s)
{
	iso_free(s->p);
	memset(s, 0, sizeof(*s));
}

/* Levenshtein distance of words up to 63 bytes; longer words count as far. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[64], na = strlen(a), nb = strlen(b);

	if (na > 63 || nb > 63)
		return SIZE_MAX;
	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[nb];
}

const char *iso_nearest_word(const char *word, const char *const *words, size_t n)
{
	size_t limit = strlen(word) / 2 + 1, best = SIZE_MAX;
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		size_t d = edit_distance(word, words[i]);

		if (d < best && d <= limit) {
			best = d;
			found = words[i];
		}
	}
	return found;
}
