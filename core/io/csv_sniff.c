// SPDX-License-Identifier: Apache-2.0
/* The format of a CSV file, guessed from its first lines: the separator that cuts every line into
 * the same number of fields, and the most of them. */
#include <string.h>

#include "core/io/csv.h"

#define LINES 64

static const char separators[] = ",;\t|";

/* Length of the line at p, its end included; line ends inside quotes do not count. */
static size_t line_length(const char *p, size_t n)
{
	int quoted = 0;

	for (size_t i = 0; i < n; i++) {
		quoted ^= p[i] == '"';
		if (p[i] == '\n' && !quoted)
			return i + 1;
	}
	return n;
}

static size_t count_fields(const char *p, size_t n, char separator)
{
	size_t fields = 1;
	int quoted = 0;

	for (size_t i = 0; i < n; i++) {
		quoted ^= p[i] == '"';
		fields += p[i] == separator && !quoted;
	}
	return fields;
}

static int is_blank(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != '\r' && p[i] != '\n')
			return 0;
	return 1;
}

/* The next line that is neither blank nor a comment; 0 at the end. */
static size_t next_line(const char **p, size_t *left, char comment)
{
	while (*left > 0) {
		const size_t n = line_length(*p, *left);

		if (!is_blank(*p, n) && !(comment && **p == comment))
			return n;
		*p += n;
		*left -= n;
	}
	return 0;
}

/* Fields per line if all lines have as many, else 0; *short_header: all but the first, which has
 * one less. */
static size_t width_of(const char *p, size_t left, char separator, char comment, int *short_header)
{
	size_t header = 0, width = 0, n;

	*short_header = 0;
	for (int line = 0; line < LINES && (n = next_line(&p, &left, comment)) > 0; line++) {
		const size_t fields = count_fields(p, n, separator);

		if (line == 0)
			header = fields;
		else if (line == 1)
			width = fields;
		else if (fields != width)
			return 0;
		p += n;
		left -= n;
	}
	if (width == 0)
		return header;
	*short_header = header + 1 == width;
	return header == width || (*short_header && header > 1) ? width : 0;
}

/* A space behind a separator in every one of the first lines. */
static int has_spaces(const char *p, size_t left, char separator, char comment)
{
	size_t n, lines = 0;

	for (; lines < LINES && (n = next_line(&p, &left, comment)) > 0; lines++) {
		const char *cut = memchr(p, separator, n);

		if (!cut || cut + 1 >= p + n || cut[1] != ' ')
			return 0;
		p += n;
		left -= n;
	}
	return lines > 1;
}

/* "# text" above the header; a header that begins with # is cut like the line below it. */
static char comment_of(const char *p, size_t n)
{
	const size_t first = line_length(p, n);

	if (n == 0 || (*p != '#' && *p != '%'))
		return 0;
	for (const char *s = separators; *s && first < n; s++)
		if (count_fields(p, first, *s) > 1 &&
		    count_fields(p, first, *s) ==
			    count_fields(p + first, line_length(p + first, n - first), *s))
			return 0;
	return *p;
}

void iso_csv_sniff(const char *text, size_t n, const iso_csv_format *asked, iso_csv_format *out)
{
	size_t best = 1;
	int short_header = 0;

	*out = *asked;
	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		n -= 3;
	}
	if (!out->comment)
		out->comment = comment_of(text, n);
	for (const char *s = separators; *s; s++) {
		const size_t width = asked->separator && asked->separator != *s
					     ? 0
					     : width_of(text, n, *s, out->comment, &short_header);

		if (width > best) {
			best = width;
			out->separator = *s;
			out->row_names = asked->row_names || short_header;
		}
	}
	if (out->separator == ',')
		out->separator = 0;
	out->trim |= has_spaces(text, n, out->separator ? out->separator : ',', out->comment);
}
