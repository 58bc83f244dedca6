// SPDX-License-Identifier: Apache-2.0
/* `isoeps account --batch`: JSON Lines in, JSON Lines out, answers remembered. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/privacy/account_json.h"
#include "core/privacy/account_scan.h"

#define SLOTS 8192    /* a power of two */
#define WINDOW 8      /* places that a question may stand in */
#define LONGEST 65536 /* longer questions are computed each time */
#define WHERE 160

/* One remembered question (without its id) and its answer. */
typedef struct memory {
	char *question, *answer; /* owned */
} memory;

struct iso_account_lines {
	iso_account_options options;
	char name[128];
	size_t number;
	size_t next; /* place of a full window that is given up */
	memory slot[SLOTS];
};

iso_status iso_account_lines_new(const char *name, const iso_account_options *options,
				 iso_account_lines **out, iso_error *err)
{
	iso_account_lines *b = iso_alloc(1, sizeof(*b));

	*out = NULL;
	if (!b)
		return iso_no_memory(err, "the answers of a batch");
	b->options = *options;
	b->options.json = 1;
	snprintf(b->name, sizeof(b->name), "%.100s", name);
	*out = b;
	return ISO_OK;
}

static void forget(memory *m)
{
	iso_free(m->question);
	iso_free(m->answer);
	*m = (memory){0};
}

void iso_account_lines_free(iso_account_lines *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		forget(&b->slot[i]);
	iso_free(b);
}

static size_t place_of(const char *question)
{
	uint64_t h = 14695981039346656037u;

	for (; *question; question++)
		h = (h ^ (unsigned char)*question) * 1099511628211u;
	return (size_t)(h ^ h >> 29) % SLOTS / WINDOW * WINDOW;
}

static const char *recall(const iso_account_lines *b, const char *question)
{
	const size_t at = place_of(question);

	for (size_t i = at; i < at + WINDOW; i++)
		if (b->slot[i].question && strcmp(b->slot[i].question, question) == 0)
			return b->slot[i].answer;
	return NULL;
}

static char *copy_of(const char *text, size_t n)
{
	char *p = iso_alloc(n + 1, 1);

	if (p)
		memcpy(p, text, n);
	return p;
}

/* No memory to remember it in is no error. */
static void remember(iso_account_lines *b, const char *question, const iso_str *answer)
{
	const size_t at = place_of(question), n = strlen(question);
	memory m, *to = NULL;

	if (n > LONGEST)
		return;
	for (size_t i = at; i < at + WINDOW && !to; i++)
		if (!b->slot[i].question)
			to = &b->slot[i];
	if (!to)
		to = &b->slot[at + b->next++ % WINDOW];
	m = (memory){copy_of(question, n), copy_of(answer->p, answer->n)};
	if (!m.question || !m.answer) {
		forget(&m);
		return;
	}
	forget(to);
	*to = m;
}

/* A JSON string literal. */
static void add_quoted(iso_str *out, const char *text)
{
	iso_str_add(out, "\"");
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p == '"' || *p == '\\')
			iso_str_addf(out, "\\%c", *p);
		else if (*p < 0x20)
			iso_str_addf(out, "\\u%04x", *p);
		else
			iso_str_addn(out, (const char *)p, 1);
	}
	iso_str_add(out, "\"");
}

/* The answer to v, which has lost its id. */
static iso_status answer(iso_account_lines *b, const cJSON *v, iso_str *out, iso_error *err)
{
	char where[WHERE], *question = cJSON_PrintUnformatted(v);
	const char *known = question ? recall(b, question) : NULL;
	iso_status st = ISO_OK;

	snprintf(where, sizeof(where), "%s:%zu", b->name, b->number);
	if (known)
		iso_str_add(out, known);
	else
		st = iso_account_answer(v, where, &b->options, out, err);
	if (st == ISO_OK)
		st = iso_str_check(out, err);
	if (st == ISO_OK && question && !known)
		remember(b, question, out);
	cJSON_free(question);
	return st;
}

static void write_line(const char *id, iso_status st, const iso_error *failure,
		       const iso_str *result, iso_str *out)
{
	if (st != ISO_OK) {
		iso_str_addf(out, "{\"id\":%s,\"error\":", id ? id : "null");
		add_quoted(out, failure->text);
		iso_str_add(out, "}\n");
	} else if (id) {
		iso_str_addf(out, "{\"id\":%s,", id);
		iso_str_addn(out, result->p + 1, result->n - 1);
	} else {
		iso_str_addn(out, result->p, result->n);
	}
}

static int is_blank(const char *line, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isspace((unsigned char)line[i]))
			return 0;
	return 1;
}

iso_status iso_account_lines_next(iso_account_lines *b, const char *line, size_t n, iso_str *out,
				  int *failed, iso_error *err)
{
	iso_error mine = {0};
	iso_str result = {0};
	cJSON *v = NULL, *id;
	char *id_text = NULL;
	iso_status st;

	*failed = 0;
	b->number++;
	if (is_blank(line, n))
		return ISO_OK;
	st = iso_scan_parse(line, n, b->name, b->number, &v, &mine);
	if (st == ISO_OK) {
		id = cJSON_DetachItemFromObjectCaseSensitive(v, "id");
		id_text = id ? cJSON_PrintUnformatted(id) : NULL;
		cJSON_Delete(id);
		st = answer(b, v, &result, &mine);
	}
	cJSON_Delete(v);
	*failed = st != ISO_OK;
	write_line(id_text, st, &mine, &result, out);
	cJSON_free(id_text);
	iso_str_free(&result);
	return iso_str_check(out, err);
}

iso_status iso_account_batch(const char *text, size_t n, const char *name,
			     const iso_account_options *options, iso_str *out, size_t *bad,
			     iso_error *err)
{
	iso_account_lines *b;
	iso_status st = ISO_OK;

	*bad = 0;
	ISO_TRY(iso_account_lines_new(name, options, &b, err));
	for (size_t at = 0; at < n && st == ISO_OK;) {
		const char *newline = memchr(text + at, '\n', n - at);
		const size_t length = newline ? (size_t)(newline - (text + at)) : n - at;
		int failed;

		st = iso_account_lines_next(b, text + at, length, out, &failed, err);
		*bad += (size_t)failed;
		at += length + 1;
	}
	iso_account_lines_free(b);
	return st;
}
