// SPDX-License-Identifier: Apache-2.0
/* cJSON builds the tree, but reads more than JSON: control characters, leading zeros, wrong UTF-8,
 * duplicate keys.  A strict scan of the grammar (RFC 8259) goes first; it finds every fault with
 * its line and column, and notes where the keys are. */
#include "core/io/json.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/io/file.h"
#include "core/io/jsonw.h"

#define MAX_DEPTH 64

typedef struct scan {
	const char *name;
	const unsigned char *p;
	size_t n, at;
	size_t *key; /* offset of each key in document order */
	size_t nkey, key_cap;
	int depth;
	iso_error *err;
} scan;

/* Line and column (in bytes) from 1, of an offset. */
static void position(const scan *s, size_t at, size_t *line, size_t *column)
{
	*line = *column = 1;
	for (size_t i = 0; i < at && i < s->n; i++) {
		*column += 1;
		if (s->p[i] == '\n') {
			*line += 1;
			*column = 1;
		}
	}
}

static iso_status scan_fail(const scan *s, size_t at, const char *why)
{
	size_t line, column;

	position(s, at, &line, &column);
	return iso_fail(s->err, ISO_E_CONFIG,
			"malformed JSON (%s:%zu:%zu): %s; correct the text there", s->name, line,
			column, why);
}

static void skip_space(scan *s)
{
	while (s->at < s->n && strchr(" \t\r\n", s->p[s->at]) && s->p[s->at])
		s->at++;
}

static int peek(const scan *s)
{
	return s->at < s->n ? s->p[s->at] : -1;
}

static int hex4(const scan *s, size_t at)
{
	int x = 0;

	for (size_t i = at; i < at + 4; i++) {
		int c = i < s->n ? s->p[i] : -1;
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;

		if (digit < 0)
			return -1;
		x = x * 16 + digit;
	}
	return x;
}

static iso_status scan_escape(scan *s)
{
	int c = s->at + 1 < s->n ? s->p[s->at + 1] : 0, x, low;

	if (c && strchr("\"\\/bfnrt", c)) {
		s->at += 2;
		return ISO_OK;
	}
	if (c != 'u')
		return scan_fail(s, s->at,
				 "expected one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX");
	x = hex4(s, s->at + 2);
	if (x <= 0)
		return scan_fail(s, s->at,
				 x ? "expected four hexadecimal digits"
				   : "the character \\u0000 is not allowed");
	if (x >= 0xdc00 && x < 0xe000)
		return scan_fail(s, s->at, "a low surrogate without its high one");
	if (x >= 0xd800 && x < 0xdc00) {
		low = peek(s) == '\\' && s->at + 7 < s->n && s->p[s->at + 6] == '\\' &&
				      s->p[s->at + 7] == 'u'
			      ? hex4(s, s->at + 8)
			      : -1;
		if (low < 0xdc00 || low >= 0xe000)
			return scan_fail(s, s->at, "a high surrogate without its low one");
		s->at += 6;
	}
	s->at += 6;
	return ISO_OK;
}

/* One character of two to four bytes (Unicode 15, table 3-7). */
static iso_status scan_utf8(scan *s)
{
	const unsigned char *p = s->p + s->at;
	size_t left = s->n - s->at;
	size_t more = p[0] >= 0xc2 && p[0] < 0xe0    ? 1
		      : (p[0] & 0xf0) == 0xe0	     ? 2
		      : p[0] >= 0xf0 && p[0] <= 0xf4 ? 3
						     : 0;
	int good = more > 0 && left > more;

	for (size_t i = 1; good && i <= more; i++)
		good = (p[i] & 0xc0) == 0x80;
	if (good && ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
		     (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)))
		good = 0;
	if (!good)
		return scan_fail(s, s->at, "bytes that are not UTF-8");
	s->at += more + 1;
	return ISO_OK;
}

static iso_status scan_string(scan *s)
{
	size_t open = s->at++;

	for (;;) {
		int c = peek(s);

		if (c < 0)
			return scan_fail(s, open, "the string that starts here is never closed");
		if (c < 0x20)
			return scan_fail(
				s, s->at,
				"a control character in a string, expected its escape such as \\n");
		if (c == '"')
			break;
		if (c == '\\')
			ISO_TRY(scan_escape(s));
		else if (c >= 0x80)
			ISO_TRY(scan_utf8(s));
		else
			s->at++;
	}
	s->at++;
	return ISO_OK;
}

static size_t scan_digits(scan *s)
{
	size_t from = s->at;

	while (peek(s) >= '0' && peek(s) <= '9')
		s->at++;
	return s->at - from;
}

static iso_status scan_number(scan *s)
{
	size_t from = s->at;

	if (peek(s) == '-')
		s->at++;
	if (peek(s) == '0')
		s->at++;
	else if (!scan_digits(s))
		return scan_fail(s, from, "expected a digit after '-'");
	if (peek(s) == '.') {
		s->at++;
		if (!scan_digits(s))
			return scan_fail(s, s->at, "expected a digit after the decimal point");
	}
	if (peek(s) == 'e' || peek(s) == 'E') {
		s->at++;
		if (peek(s) == '+' || peek(s) == '-')
			s->at++;
		if (!scan_digits(s))
			return scan_fail(s, s->at, "expected a digit in the exponent");
	}
	if (s->at - from > 60) /* cJSON reads at most 63 bytes of a number */
		return scan_fail(s, from, "a number of more than 60 characters");
	return ISO_OK;
}

static iso_status scan_value(scan *s);

static iso_status scan_member(scan *s)
{
	skip_space(s);
	if (peek(s) != '"')
		return scan_fail(s, s->at, "expected a key in double quotes");
	ISO_TRY(iso_grow(&s->key, &s->key_cap, s->nkey + 1, sizeof(*s->key), s->err));
	s->key[s->nkey++] = s->at;
	ISO_TRY(scan_string(s));
	skip_space(s);
	if (peek(s) != ':')
		return scan_fail(s, s->at, "expected ':' after the key");
	s->at++;
	return scan_value(s);
}

/* Arrays and objects. */
static iso_status scan_list(scan *s, int object)
{
	size_t open = s->at++;
	int close = object ? '}' : ']';

	if (++s->depth > MAX_DEPTH)
		return scan_fail(s, open, "nested deeper than 64 levels");
	skip_space(s);
	if (peek(s) == close) {
		s->at++;
		s->depth--;
		return ISO_OK;
	}
	for (;;) {
		ISO_TRY(object ? scan_member(s) : scan_value(s));
		skip_space(s);
		if (peek(s) == close)
			break;
		if (peek(s) < 0)
			return scan_fail(s, open,
					 object ? "the object that starts here is never closed"
						: "the array that starts here is never closed");
		if (peek(s) != ',')
			return scan_fail(s, s->at,
					 object ? "expected ',' or '}'" : "expected ',' or ']'");
		s->at++;
	}
	s->at++;
	s->depth--;
	return ISO_OK;
}

static iso_status scan_value(scan *s)
{
	static const char *const words[] = {"true", "false", "null"};
	int c;

	skip_space(s);
	c = peek(s);
	if (c == '{' || c == '[')
		return scan_list(s, c == '{');
	if (c == '"')
		return scan_string(s);
	if (c == '-' || (c >= '0' && c <= '9'))
		return scan_number(s);
	for (size_t i = 0; i < ISO_COUNT(words); i++) {
		size_t n = strlen(words[i]);

		if (s->n - s->at >= n && memcmp(s->p + s->at, words[i], n) == 0) {
			s->at += n;
			return ISO_OK;
		}
	}
	return scan_fail(s, s->at,
			 c < 0 ? "the text ends where a value is expected" : "expected a value");
}

typedef struct keyed {
	const cJSON *item;
	size_t index; /* in document order */
} keyed;

static int compare_keyed(const void *a, const void *b)
{
	const keyed *x = a, *y = b;
	int d = strcmp(x->item->string, y->item->string);

	return d ? d : (x->index > y->index) - (x->index < y->index);
}

static size_t count_items(const cJSON *v)
{
	size_t n = 0;

	for (const cJSON *c = v->child; c; c = c->next)
		n++;
	return n;
}

/* Both the tree and the scan list the keys in document order, so that the k-th key of the one is
 * the k-th of the other. */
static iso_status reject_duplicates(const scan *s, const cJSON *v, size_t *next)
{
	size_t n = count_items(v), i = 0;
	keyed *list;
	iso_status st = ISO_OK;

	if (!v->child)
		return ISO_OK;
	list = iso_alloc(n, sizeof(*list));
	if (!list)
		return iso_no_memory(s->err, "the keys of a JSON object");
	for (const cJSON *c = v->child; c && st == ISO_OK; c = c->next, i++) {
		list[i] = (keyed){c, *next};
		*next += cJSON_IsObject(v) != 0;
		st = reject_duplicates(s, c, next);
	}
	if (st == ISO_OK && cJSON_IsObject(v)) {
		qsort(list, n, sizeof(*list), compare_keyed);
		for (i = 1; i < n && st == ISO_OK; i++)
			if (strcmp(list[i - 1].item->string, list[i].item->string) == 0)
				st = scan_fail(s,
					       list[i].index < s->nkey ? s->key[list[i].index] : 0,
					       "this key is in the object twice");
	}
	iso_free(list);
	return st;
}

iso_status iso_json_parse(const char *text, size_t n, const char *name, cJSON **out, iso_error *err)
{
	scan s = {.name = name, .p = (const unsigned char *)text, .n = n, .err = err};
	const char *end = text;
	cJSON *v = NULL;
	size_t keys = 0;
	iso_status st;

	*out = NULL;
	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		s.at = 3; /* byte order mark */
	st = scan_value(&s);
	skip_space(&s);
	if (st == ISO_OK && s.at < n)
		st = scan_fail(&s, s.at, "text after the end of the value");
	if (st == ISO_OK) {
		v = cJSON_ParseWithLengthOpts(text, n, &end, 0);
		if (!v) /* the grammar holds, so what is left is memory */
			st = iso_no_memory(err, "a JSON document");
	}
	if (st == ISO_OK)
		st = reject_duplicates(&s, v, &keys);
	iso_free(s.key);
	if (st != ISO_OK) {
		cJSON_Delete(v);
		return st;
	}
	*out = v;
	return ISO_OK;
}

iso_status iso_json_read(const char *path, cJSON **out, iso_error *err)
{
	char *text = NULL;
	size_t n = 0;
	iso_status st;

	*out = NULL;
	ISO_TRY(iso_file_read(path, 0, &text, &n, err));
	st = iso_json_parse(text, n, strcmp(path, "-") == 0 ? "standard input" : path, out, err);
	iso_free(text);
	return st;
}

static const char *kind_name(const cJSON *v)
{
	return cJSON_IsObject(v)   ? "an object"
	       : cJSON_IsArray(v)  ? "an array"
	       : cJSON_IsString(v) ? "a string"
	       : cJSON_IsNumber(v) ? "a number"
	       : cJSON_IsBool(v)   ? "a boolean"
				   : "null";
}

static iso_status find(const cJSON *obj, const char *key, int required, const cJSON **v,
		       const char *where, iso_error *err)
{
	*v = NULL;
	if (!cJSON_IsObject(obj))
		return iso_fail(
			err, ISO_E_CONFIG,
			"wrong type (%s): %s where an object is expected; see its documentation",
			where, obj ? kind_name(obj) : "nothing");
	*v = cJSON_GetObjectItemCaseSensitive(obj, key);
	if (!*v && required)
		return iso_fail(err, ISO_E_CONFIG, "missing key (%s): \"%s\" is required; add it",
				where, key);
	return ISO_OK;
}

iso_status iso_json_get_number(const cJSON *obj, const char *key, int required, double lo,
			       double hi, double *out, const char *where, iso_error *err)
{
	const cJSON *v;
	double x = NAN;
	char text[3][32];

	ISO_TRY(find(obj, key, required, &v, where, err));
	if (!v)
		return ISO_OK; /* *out keeps the caller's default */
	if (cJSON_IsNumber(v))
		x = v->valuedouble;
	else if (cJSON_IsString(v) && strcmp(v->valuestring, "inf") == 0)
		x = INFINITY;
	else if (cJSON_IsString(v) && strcmp(v->valuestring, "-inf") == 0)
		x = -INFINITY;
	else
		return iso_fail(err, ISO_E_CONFIG,
				"wrong type (%s): \"%s\" is %s, expected a number; correct it",
				where, key, kind_name(v));
	if (!(x >= lo && x <= hi)) {
		iso_json_number_text(x, text[0]);
		iso_json_number_text(lo, text[1]);
		iso_json_number_text(hi, text[2]);
		return iso_fail(err, ISO_E_CONFIG,
				"value out of range (%s): \"%s\" is %s, allowed is %s to %s; "
				"choose another",
				where, key, text[0], text[1], text[2]);
	}
	*out = x;
	return ISO_OK;
}

iso_status iso_json_get_string(const cJSON *obj, const char *key, int required, const char **out,
			       const char *where, iso_error *err)
{
	const cJSON *v;

	ISO_TRY(find(obj, key, required, &v, where, err));
	if (!v)
		return ISO_OK;
	if (!cJSON_IsString(v))
		return iso_fail(err, ISO_E_CONFIG,
				"wrong type (%s): \"%s\" is %s, expected a string; correct it",
				where, key, kind_name(v));
	*out = v->valuestring;
	return ISO_OK;
}

iso_status iso_json_only_keys(const cJSON *obj, const char *const *keys, size_t n,
			      const char *where, iso_error *err)
{
	for (const cJSON *c = obj ? obj->child : NULL; c; c = c->next) {
		const char *key = c->string ? c->string : "", *near;
		size_t i = 0;

		while (i < n && strcmp(key, keys[i]) != 0)
			i++;
		if (i < n)
			continue;
		near = iso_nearest_word(key, keys, n);
		if (near)
			return iso_fail(err, ISO_E_CONFIG,
					"unknown key (%s): \"%.80s\" is not known here; did you "
					"mean \"%s\"?",
					where, key, near);
		return iso_fail(err, ISO_E_CONFIG,
				"unknown key (%s): \"%.80s\" is not known here; remove it", where,
				key);
	}
	return ISO_OK;
}

cJSON *iso_json_add_number(cJSON *obj, const char *key, double x)
{
	iso_jsonw w = {0};

	return iso_jsonw_add(&w, obj, key, iso_jsonw_number_item(x));
}
