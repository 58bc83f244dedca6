// SPDX-License-Identifier: Apache-2.0
/* What left two trainings, compared byte by byte, with the place of the first difference in words.
 */
#include <stdio.h>
#include <string.h>

#include "suites/flow/verify_run.h"

#define WORDS 180 /* characters of a finding's text */

/* A part header "name count\n" at p[0..n): its length, the name's length and the count; 0 if there
 * is none. */
static size_t header_at(const char *p, size_t n, size_t *name, size_t *count)
{
	size_t i = 0, digits = 0;

	while (i < n && i < 64 && p[i] > ' ' && p[i] < 127)
		i++;
	*name = i;
	if (i == 0 || i >= n || p[i] != ' ')
		return 0;
	for (i++, *count = 0; i < n && p[i] >= '0' && p[i] <= '9' && digits < 15; i++, digits++)
		*count = *count * 10 + (size_t)(p[i] - '0');
	return digits > 0 && i < n && p[i] == '\n' ? i + 1 : 0;
}

/* Length of the part's data: count elements of 1, 4 or 8 bytes, whichever is followed by a header
 * or by the end. */
static size_t data_length(const char *p, size_t n, size_t count)
{
	static const size_t size[] = {1, 4, 8};

	for (size_t k = 0; k < ISO_COUNT(size); k++) {
		const size_t len = count * size[k];
		size_t name, next;

		if (len == n || (len < n && header_at(p + len, n - len, &name, &next)))
			return len;
	}
	return n;
}

static size_t first_difference(const iso_str *a, const iso_str *b)
{
	const size_t n = a->n < b->n ? a->n : b->n;
	size_t i = 0;

	while (i < n && a->p[i] == b->p[i])
		i++;
	return i;
}

/* Names the parts of saved bytes that differ: all of them while both sides have the same layout. */
static void name_parts(const iso_str *a, const iso_str *b, char *out, size_t room)
{
	const size_t diff = first_difference(a, b), cap = room < WORDS ? room : WORDS;
	size_t at = 0, used = 0, shown = 0, hidden = 0;

	snprintf(out, cap, "model byte %zu", diff);
	while (at < a->n) {
		size_t name, count, head = header_at(a->p + at, a->n - at, &name, &count), len;

		if (!head)
			break;
		len = head + data_length(a->p + at + head, a->n - at - head, count);
		if (diff < at + len &&
		    (at + len > b->n || memcmp(a->p + at, b->p + at, len) != 0)) {
			if (used + name + 32 < cap)
				used += (size_t)snprintf(out + used, cap - used, "%s\"%.*s\"",
							 shown++ ? ", " : "model parts ", (int)name,
							 a->p + at);
			else
				hidden++;
		}
		at += len;
		if (a->n != b->n && shown) /* what follows is shifted */
			break;
	}
	if (hidden && used + 16 < cap)
		snprintf(out + used, cap - used, " and %zu more", hidden);
}

static int same_bytes(const iso_str *a, const iso_str *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->p, b->p, a->n) == 0);
}

/* Row and column of the first byte that differs. */
static void name_cell(const iso_str *a, const iso_str *b, size_t row_bytes, const iso_schema *s,
		      const char *what, char *out, size_t cap)
{
	const size_t at = first_difference(a, b), row = at / row_bytes,
		     cell = at % row_bytes / sizeof(double);

	if (a->n != b->n)
		snprintf(out, cap, "%s: number of rows", what);
	else if (cell < s->ncol)
		snprintf(out, cap, "%s %zu, column %.40s", what, row, s->column[cell].name);
	else
		snprintf(out, cap, "%s %zu, pixel %zu", what, row,
			 at % row_bytes - s->ncol * sizeof(double));
}

static void name_text(const iso_str *a, const iso_str *b, const char *what, char *out, size_t cap)
{
	const size_t at = first_difference(a, b), from = at > 30 ? at - 30 : 0;
	const char *x = a->n ? a->p + from : "", *y = b->n ? b->p + from : "";

	snprintf(out, cap, "%s: \"%.60s\" and \"%.60s\"", what, x, y);
	for (char *c = out; *c; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c > 126)
			*c = ' ';
}

/* First lines of two curves that differ are rarely of use: the name is. */
static void name_difference(iso_outlet k, const iso_released *a, const iso_released *b,
			    const iso_schema *s, char *out, size_t cap)
{
	static const char *const plain[ISO_OUT_COUNT] = {
		[ISO_OUT_FACTS] = "facts of the model (describe)",
		[ISO_OUT_CURVE] = "training curve",
		[ISO_OUT_SCORE] = "scores of fixed rows (score)",
		[ISO_OUT_DENSITY] = "densities of fixed rows (log_density)",
		[ISO_OUT_ENCODE] = "latents of fixed rows (encode)",
	};
	const iso_str *x = &a->out[k], *y = &b->out[k];

	switch (k) {
	case ISO_OUT_FAILURE:
		snprintf(out, cap, "outcome: %.150s", x->n ? x->p : y->n ? y->p : "");
		break;
	case ISO_OUT_MODEL:
		name_parts(x, y, out, cap);
		break;
	case ISO_OUT_ROWS:
	case ISO_OUT_FAR:
		name_cell(x, y, a->row_bytes, s, "sample row", out, cap);
		break;
	case ISO_OUT_DECODE:
		name_cell(x, y, a->row_bytes, s, "row decoded from fixed latents (decode)", out,
			  cap);
		break;
	case ISO_OUT_SAID:
		name_text(x, y, "standard output or error", out, cap);
		break;
	default:
		snprintf(out, cap, "%s", plain[k]);
	}
}

int iso_released_differ(const iso_released *a, const iso_released *b, const iso_schema *s,
			char *words, size_t cap)
{
	const int failed = a->out[ISO_OUT_FAILURE].n > 0 || b->out[ISO_OUT_FAILURE].n > 0;

	for (int k = 0; k < ISO_OUT_COUNT; k++) {
		/* a training that failed gives its text and what it had said */
		if (failed && k != ISO_OUT_FAILURE && k != ISO_OUT_SAID)
			continue;
		if (k == ISO_OUT_FAR && (a->out[k].n == 0 || b->out[k].n == 0))
			continue;
		if (same_bytes(&a->out[k], &b->out[k]))
			continue;
		name_difference((iso_outlet)k, a, b, s, words, cap);
		return 1;
	}
	return 0;
}
