// SPDX-License-Identifier: Apache-2.0
#include "core/privacy/account_scan.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"

/* Line and column, from 1, of an offset. */
static void position(const char *text, size_t at, size_t *line, size_t *column)
{
	*line = *column = 1;
	for (size_t i = 0; i < at; i++) {
		if (text[i] == '\n') {
			++*line;
			*column = 1;
		} else {
			++*column;
		}
	}
}

static iso_status malformed(const char *text, size_t n, size_t at, const char *name,
			    size_t first_line, iso_error *err)
{
	size_t line, column;
	char found[32];

	if (at > n)
		at = n;
	position(text, at, &line, &column);
	line += first_line - 1;
	if (at < n && isprint((unsigned char)text[at]))
		snprintf(found, sizeof(found), "'%c' is unexpected", text[at]);
	else
		snprintf(found, sizeof(found),
			 at < n ? "byte 0x%02x is unexpected" : "the text ends too early",
			 at < n ? (unsigned char)text[at] : 0);
	return iso_fail(err, ISO_E_CONFIG,
			"malformed JSON (%s:%zu:%zu): %s; correct the text there", name, line,
			column, found);
}

/* A strict scanner (RFC 8259): cJSON builds the tree, but says only roughly where a fault lies and
 * forgives some. Every function moves *at over one item and returns 0, with *at on the fault, if
 * there is none. */
#define MAX_JSON_DEPTH 64

struct scanner {
	const char *p;
	size_t n, at;
};

static int peek(const struct scanner *s)
{
	return s->at < s->n ? (unsigned char)s->p[s->at] : -1;
}

static void skip_space(struct scanner *s)
{
	while (peek(s) == ' ' || peek(s) == '\t' || peek(s) == '\n' || peek(s) == '\r')
		s->at++;
}

static int scan_word(struct scanner *s, const char *word)
{
	for (; *word; word++, s->at++)
		if (peek(s) != *word)
			return 0;
	return 1;
}

static int scan_digits(struct scanner *s)
{
	const size_t start = s->at;

	while (peek(s) >= '0' && peek(s) <= '9')
		s->at++;
	return s->at > start;
}

static int scan_number(struct scanner *s)
{
	if (peek(s) == '-')
		s->at++;
	if (peek(s) == '0')
		s->at++;
	else if (!scan_digits(s))
		return 0;
	if (peek(s) == '.') {
		s->at++;
		if (!scan_digits(s))
			return 0;
	}
	if (peek(s) == 'e' || peek(s) == 'E') {
		s->at++;
		if (peek(s) == '+' || peek(s) == '-')
			s->at++;
		return scan_digits(s);
	}
	return 1;
}

static int scan_string(struct scanner *s)
{
	if (peek(s) != '"')
		return 0;
	for (s->at++; peek(s) != '"'; s->at++) {
		if (peek(s) < 0x20)
			return 0;
		if (peek(s) != '\\')
			continue;
		s->at++;
		if (peek(s) == 'u') {
			for (int i = 0; i < 4; i++)
				if (s->at++, peek(s) < 0 || !isxdigit(peek(s)))
					return 0;
		} else if (peek(s) < 0 || !strchr("\"\\/bfnrt", peek(s)) || peek(s) == 0) {
			return 0;
		}
	}
	s->at++;
	return 1;
}

static int scan_value(struct scanner *s, int depth);

/* The items of an array or, with keys, of an object; the opening bracket is read already. */
static int scan_items(struct scanner *s, char close, int keys, int depth)
{
	skip_space(s);
	if (peek(s) == close)
		return s->at++, 1;
	for (;;) {
		skip_space(s);
		if (keys) {
			if (!scan_string(s))
				return 0;
			skip_space(s);
			if (peek(s) != ':')
				return 0;
			s->at++;
		}
		if (!scan_value(s, depth + 1))
			return 0;
		skip_space(s);
		if (peek(s) == close)
			return s->at++, 1;
		if (peek(s) != ',')
			return 0;
		s->at++;
	}
}

static int scan_value(struct scanner *s, int depth)
{
	skip_space(s);
	switch (peek(s)) {
	case '{':
	case '[':
		if (depth >= MAX_JSON_DEPTH)
			return 0;
		s->at++;
		return s->p[s->at - 1] == '{' ? scan_items(s, '}', 1, depth)
					      : scan_items(s, ']', 0, depth);
	case '"':
		return scan_string(s);
	case 't':
		return scan_word(s, "true");
	case 'f':
		return scan_word(s, "false");
	case 'n':
		return scan_word(s, "null");
	default:
		return scan_number(s);
	}
}

iso_status iso_scan_parse(const char *text, size_t n, const char *name, size_t first_line,
			  cJSON **out, iso_error *err)
{
	struct scanner s = {.p = text, .n = n};
	const int good = scan_value(&s, 0);

	if (good)
		skip_space(&s);
	if (!good || s.at < n)
		return malformed(text, n, s.at, name, first_line, err);
	*out = cJSON_ParseWithLengthOpts(text, n, NULL, 0);
	return *out ? ISO_OK : iso_no_memory(err, "JSON");
}
