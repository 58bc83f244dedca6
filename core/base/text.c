// SPDX-License-Identifier: Apache-2.0
#include "core/base/text.h"

#include <string.h>

static int continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

size_t iso_utf8_next(const char *p, uint32_t *cp)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char c = (unsigned char)*p;
	size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : 4;
	uint32_t x;

	*cp = c;
	if (n == 1)
		return c != 0;
	*cp = ISO_UTF8_BAD;
	if (c < 0xc2 || c > 0xf4)
		return 1;
	x = c & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if (!continues(p[i]))
			return 1;
		x = x << 6 | ((unsigned char)p[i] & 0x3f);
	}
	if (x < smallest[n] || x > 0x10ffff || (x >= 0xd800 && x < 0xe000))
		return 1;
	*cp = x;
	return n;
}

int iso_text_acts(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0xad || cp == 0x61c ||
	       (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
	       (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff || (cp >= 0xfff9 && cp <= 0xfffb) ||
	       (cp >= 0xe0000 && cp <= 0xe007f);
}

static void show(const char *p, size_t n, uint32_t cp, iso_str *out)
{
	if (cp == ISO_UTF8_BAD)
		iso_str_addf(out, "<0x%02X>", (unsigned char)*p);
	else if (iso_text_acts(cp))
		iso_str_addf(out, "<U+%04X>", (unsigned)cp);
	else
		iso_str_addn(out, p, n);
}

void iso_text_visible(const char *text, size_t max, iso_str *out)
{
	size_t count = 0, n;
	uint32_t cp;

	iso_str_add(out, "");
	for (const char *p = text; (n = iso_utf8_next(p, &cp)) != 0; p += n) {
		if (max && count++ == max) {
			iso_str_add(out, "\xe2\x80\xa6");
			return;
		}
		show(p, n, cp, out);
	}
}

void iso_text_visible_lines(const char *text, iso_str *out)
{
	uint32_t cp;
	size_t n;

	iso_str_add(out, "");
	for (const char *p = text; (n = iso_utf8_next(p, &cp)) != 0; p += n)
		if (cp == '\n' || cp == '\t')
			iso_str_addn(out, p, 1);
		else
			show(p, n, cp, out);
}

void iso_text_visible_json(const char *text, iso_str *out)
{
	uint32_t cp;
	size_t n;

	iso_str_add(out, "");
	for (const char *p = text; (n = iso_utf8_next(p, &cp)) != 0; p += n)
		if (cp == ISO_UTF8_BAD)
			iso_str_add(out, "\\ufffd");
		else if (cp >= 0x10000 && iso_text_acts(cp))
			iso_str_addf(out, "\\u%04x\\u%04x",
				     (unsigned)(0xd800 + ((cp - 0x10000) >> 10)),
				     (unsigned)(0xdc00 + ((cp - 0x10000) & 0x3ff)));
		else if (cp >= 0x7f && iso_text_acts(cp))
			iso_str_addf(out, "\\u%04x", (unsigned)cp);
		else
			iso_str_addn(out, p, n);
}

const char *iso_label_fault(const char *label)
{
	const size_t length = strlen(label);
	uint32_t cp;
	size_t n;

	if (length == 0 || length > 63)
		return "it must have 1 to 63 bytes";
	if (strchr(".-+@ ", *label))
		return "it must not begin with a space or one of . - + @";
	for (const char *p = label; (n = iso_utf8_next(p, &cp)) != 0; p += n) {
		if (cp == ISO_UTF8_BAD)
			return "it is not valid UTF-8";
		if (iso_text_acts(cp))
			return "it has a control character";
		if (cp < 0x80 && strchr("\"\\,=/|", (int)cp))
			return "it has one of \" \\ , = / |";
	}
	return NULL;
}
