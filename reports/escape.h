// SPDX-License-Identifier: Apache-2.0
/* One escaping function per language that a report is written in. Every text of a record goes
 * through one of these; characters that act instead of being seen are shown as <U+XXXX>. */
#ifndef ISO_REPORTS_ESCAPE_H
#define ISO_REPORTS_ESCAPE_H

#include "core/base/str.h"

#define ISO_SHOWN_MAX 120 /* characters of one text that a table or figure shows */
#define ISO_NOTE_MAX 1000

/* & < > " ' escaped: for text and for attributes in quotes. The `_long` forms show up to
 * ISO_NOTE_MAX characters: for notes. */
void iso_html_escape(const char *text, iso_str *out);
void iso_html_escape_long(const char *text, iso_str *out);
void iso_markdown_escape(const char *text, iso_str *out);
void iso_markdown_escape_long(const char *text, iso_str *out);
/* For pdflatex with UTF-8 input: letters of Latin-1 stay, others are shown as [U+XXXX]. */
void iso_latex_escape(const char *text, iso_str *out);
void iso_latex_escape_long(const char *text, iso_str *out);
/* A CSV field of text, then a comma or newline: a leading = + - @ gets an apostrophe in front, so
 * that no spreadsheet takes it for a formula (OWASP, "CSV injection"). */
void iso_csv_text(const char *text, int last, iso_str *out);
/* A gnuplot string in single quotes, in which neither back quotes nor backslashes act; a single
 * quote becomes a typographic one. */
void iso_gnuplot_string(const char *text, iso_str *out);
/* A file stem of at most 48 letters, digits, `-`, `_` and `.`, beginning with a letter or digit. */
void iso_file_stem(const char *text, iso_str *out);

#endif
