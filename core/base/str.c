// SPDX-License-Identifier: Apache-2.0
#include "core/base/str.h"

#include <ctype.h>
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

/* Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours, each of
 * cost 1; a letter in the other case is the same.  Words above 63 bytes count as far. */
static size_t edit_distance(const char *a, const char *b)
{
	const size_t na = strlen(a), nb = strlen(b);
	size_t row[3][64];

	if (na > 63 || nb > 63)
		return SIZE_MAX;
	for (size_t j = 0; j <= nb; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t *now = row[i % 3], *before = row[(i + 2) % 3], *earlier = row[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			const int x = tolower((unsigned char)a[i - 1]);
			const int y = tolower((unsigned char)b[j - 1]);
			size_t best = before[j - 1] + (x != y);

			if (before[j] + 1 < best)
				best = before[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
			    y == tolower((unsigned char)a[i - 2]) && earlier[j - 2] + 1 < best)
				best = earlier[j - 2] + 1;
			now[j] = best;
		}
	}
	return row[na % 3][nb];
}

/* The only word that begins with `word`, which has three letters or more. */
static const char *completed(const char *word, const char *const *words, size_t n)
{
	const size_t length = strlen(word);
	const char *found = NULL;

	for (size_t i = 0; i < n && length >= 3; i++) {
		if (strncmp(word, words[i], length) != 0)
			continue;
		if (found)
			return NULL;
		found = words[i];
	}
	return found;
}

const char *iso_nearest_word(const char *word, const char *const *words, size_t n)
{
	const size_t third = strlen(word) / 3;
	size_t best = third > 1 ? third + 1 : 2;
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		const size_t d = edit_distance(word, words[i]);

		if (d < best && d < strlen(word)) {
			best = d;
			found = words[i];
		}
	}
	return found ? found : completed(word, words, n);
}
