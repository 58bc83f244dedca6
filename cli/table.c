// SPDX-License-Identifier: Apache-2.0
#include "cli/table.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"

void iso_grid_add(iso_grid *g, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (iso_grow(&g->cell, &g->cap, g->n + 1, sizeof(*g->cell), NULL) != ISO_OK) {
		g->failed = 1;
		return;
	}
	g->cell[g->n] = iso_strdup(text);
	if (g->cell[g->n])
		g->n++;
	else
		g->failed = 1;
}

/* Columns on the screen: continuation bytes of UTF-8 take none. */
static int width_of(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xC0) != 0x80;
	return n;
}

static int is_numeric(const iso_grid *g, size_t column)
{
	int any = 0;

	for (size_t i = g->columns + column; i < g->n; i += g->columns) {
		const char *s = g->cell[i];

		if (strcmp(s, "-") == 0 || strcmp(s, "inf") == 0 || !*s)
			continue;
		if (!isdigit((unsigned char)*s) && !(*s == '-' && isdigit((unsigned char)s[1])))
			return 0;
		any = 1;
	}
	return any;
}

static void pad(iso_str *out, int n)
{
	for (; n > 0; n--)
		iso_str_add(out, " ");
}

void iso_grid_print(iso_grid *g, iso_str *out)
{
	const size_t rows = g->columns ? g->n / g->columns : 0;
	int width[32] = {0}, right[32] = {0};

	out->failed |= g->failed;
	for (size_t c = 0; c < g->columns && c < 32; c++) {
		right[c] = is_numeric(g, c);
		for (size_t r = 0; r < rows; r++) {
			int w = width_of(g->cell[r * g->columns + c]);

			width[c] = w > width[c] ? w : width[c];
		}
	}
	for (size_t r = 0; r < rows; r++) {
		for (size_t c = 0; c < g->columns && c < 32; c++) {
			const char *s = g->cell[r * g->columns + c];
			const int room = width[c] - width_of(s), last = c + 1 == g->columns;

			if (right[c])
				pad(out, room);
			iso_str_add(out, s);
			if (!right[c] && !last)
				pad(out, room);
			iso_str_add(out, last ? "\n" : "  ");
		}
		if (r > 0)
			continue;
		for (size_t c = 0; c < g->columns && c < 32; c++) {
			for (int i = 0; i < width[c]; i++)
				iso_str_add(out, "-");
			iso_str_add(out, c + 1 == g->columns ? "\n" : "  ");
		}
	}
	for (size_t i = 0; i < g->n; i++)
		iso_free(g->cell[i]);
	iso_free(g->cell);
	memset(g, 0, sizeof(*g));
}

void iso_fold(iso_str *out, const char *text, int indent, int width)
{
	int at = 0;

	while (*text) {
		size_t n = strcspn(text, " \n");

		if (at > 0 && at + 1 + (int)n > width) {
			iso_str_add(out, "\n");
			at = 0;
		}
		if (at == 0) {
			pad(out, indent);
			at = indent;
		} else {
			iso_str_add(out, " ");
			at++;
		}
		iso_str_addn(out, text, n);
		at += (int)n;
		text += n;
		if (text[0] == '\n' && text[1] == '\n') {
			iso_str_add(out, "\n\n");
			at = 0;
		}
		text += strspn(text, " \n");
	}
	if (at > 0)
		iso_str_add(out, "\n");
}
