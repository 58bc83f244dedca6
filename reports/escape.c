// SPDX-License-Identifier: Apache-2.0
#include "reports/escape.h"

#include <ctype.h>
#include <string.h>

#include "core/base/text.h"
#include "core/io/csv.h"

#define STEM_MAX 48

/* What stands for an ASCII character, or NULL for itself. */
typedef const char *(*substitute_fn)(char c);

static void escape(const char *text, substitute_fn substitute, size_t max, iso_str *out)
{
	iso_str shown = {0};

	iso_text_visible(text, max, &shown);
	iso_str_add(out, "");
	for (const char *p = shown.p; p && *p; p++) {
		const char *s = substitute(*p);

		if (s)
			iso_str_add(out, s);
		else
			iso_str_addn(out, p, 1);
	}
	out->failed |= shown.failed;
	iso_str_free(&shown);
}

static const char *html(char c)
{
	return c == '&'	   ? "&amp;"
	       : c == '<'  ? "&lt;"
	       : c == '>'  ? "&gt;"
	       : c == '"'  ? "&quot;"
	       : c == '\'' ? "&#39;"
			   : NULL;
}

void iso_html_escape(const char *text, iso_str *out)
{
	escape(text, html, ISO_SHOWN_MAX, out);
}

void iso_html_escape_long(const char *text, iso_str *out)
{
	escape(text, html, ISO_NOTE_MAX, out);
}

static const char *markdown(char c)
{
	static const char special[] = "\\`*_{}[]<>|#~!&";
	static const char *const with[] = {"\\\\", "\\`", "\\*", "\\_", "\\{", "\\}", "\\[", "\\]",
					   "\\<",  "\\>", "\\|", "\\#", "\\~", "\\!", "\\&"};
	const char *at = strchr(special, c);

	return at ? with[at - special] : NULL;
}

void iso_markdown_escape(const char *text, iso_str *out)
{
	escape(text, markdown, ISO_SHOWN_MAX, out);
}

void iso_markdown_escape_long(const char *text, iso_str *out)
{
	escape(text, markdown, ISO_NOTE_MAX, out);
}

static const char *latex(char c)
{
	static const char special[] = "&%$#_{}\\~^<>|\"[]*`";
	static const char *const with[] = {"\\&",
					   "\\%",
					   "\\$",
					   "\\#",
					   "\\_",
					   "\\{",
					   "\\}",
					   "\\textbackslash{}",
					   "\\textasciitilde{}",
					   "\\textasciicircum{}",
					   "$<$",
					   "$>$",
					   "\\textbar{}",
					   "\\textquotedbl{}",
					   "{[}",
					   "{]}",
					   "{*}",
					   "\\textasciigrave{}"};
	const char *at = strchr(special, c);

	return at ? with[at - special] : NULL;
}

static void latex_wide(const char *p, size_t n, uint32_t cp, iso_str *out)
{
	if (cp == 0xb1)
		iso_str_add(out, "$\\pm$");
	else if (cp == 0x2026)
		iso_str_add(out, "\\ldots{}");
	else if (cp == 0x2191 || cp == 0x2193)
		iso_str_add(out, cp == 0x2191 ? "$\\uparrow$" : "$\\downarrow$");
	else if (cp == 0x3b5)
		iso_str_add(out, "$\\varepsilon$");
	else if (cp == 0x3b4)
		iso_str_add(out, "$\\delta$");
	else if (cp == 0x2212)
		iso_str_add(out, "$-$");
	else if (cp == 0x2013 || cp == 0x2014)
		iso_str_add(out, cp == 0x2013 ? "--" : "---");
	else if (cp >= 0xc0 && cp <= 0xff && cp != 0xd7 && cp != 0xf7)
		iso_str_addn(out, p, n);
	else
		iso_str_addf(out, "{[}U+%04X{]}", (unsigned)cp);
}

static void latex_text(const char *text, size_t max, iso_str *out)
{
	iso_str shown = {0};
	uint32_t cp;
	size_t n;

	iso_text_visible(text, max, &shown);
	iso_str_add(out, "");
	for (const char *p = shown.p; p && (n = iso_utf8_next(p, &cp)) != 0; p += n) {
		const char *s = cp < 0x80 ? latex(*p) : NULL;

		if (cp >= 0x80)
			latex_wide(p, n, cp, out);
		else if (s)
			iso_str_add(out, s);
		else
			iso_str_addn(out, p, 1);
	}
	out->failed |= shown.failed;
	iso_str_free(&shown);
}

void iso_latex_escape(const char *text, iso_str *out)
{
	latex_text(text, ISO_SHOWN_MAX, out);
}

void iso_latex_escape_long(const char *text, iso_str *out)
{
	latex_text(text, ISO_NOTE_MAX, out);
}

void iso_csv_text(const char *text, int last, iso_str *out)
{
	iso_str shown = {0};

	if (*text && strchr("=+-@", *text) && text[1])
		iso_str_add(&shown, "'");
	iso_text_visible(text, ISO_SHOWN_MAX, &shown);
	iso_csv_field(out, shown.p ? shown.p : "", last);
	out->failed |= shown.failed;
	iso_str_free(&shown);
}

static const char *gnuplot(char c)
{
	/* gnuplot 5.4 takes a doubled quote at the start of a string for an empty string */
	return c == '\'' ? "\xe2\x80\x99" : NULL;
}

void iso_gnuplot_string(const char *text, iso_str *out)
{
	iso_str_add(out, "'");
	escape(text, gnuplot, ISO_SHOWN_MAX, out);
	iso_str_add(out, "'");
}

void iso_file_stem(const char *text, iso_str *out)
{
	const size_t start = out->n;

	for (; *text && out->n - start < STEM_MAX && !out->failed; text++) {
		const unsigned char c = (unsigned char)*text;

		if (c < 0x80 && isalnum(c))
			iso_str_addn(out, text, 1);
		else if (out->n > start)
			iso_str_add(out, c == '-' || c == '.' ? (c == '-' ? "-" : ".") : "_");
	}
	if (out->n == start)
		iso_str_add(out, "x");
}
