// SPDX-License-Identifier: Apache-2.0
/* Numbers of a record, its text and its key. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/sha256.h"
#include "results/record.h"

double iso_record_round(double x)
{
	char text[40];

	if (!isfinite(x))
		return x;
	snprintf(text, sizeof(text), "%.12g", x);
	x = strtod(text, NULL);
	return x == 0 ? 0 : x; /* no negative zero: equal values, equal bytes */
}

static void round_all(cJSON *v)
{
	if (cJSON_IsNumber(v))
		cJSON_SetNumberHelper(v, iso_record_round(v->valuedouble));
	for (cJSON *c = v->child; c; c = c->next)
		round_all(c);
}

/* Everything of the record but `run` and `digest`, rounded; `run` is taken out of the copy. */
static iso_status body_text(const cJSON *record, cJSON **run, iso_str *out, iso_error *err)
{
	cJSON *copy = cJSON_Duplicate(record, 1);
	iso_status st;

	*run = cJSON_DetachItemFromObjectCaseSensitive(copy, "run");
	cJSON_DeleteItemFromObjectCaseSensitive(copy, "digest");
	if (!copy)
		return iso_no_memory(err, "a record");
	round_all(copy);
	st = iso_json_pretty(copy, out, err);
	cJSON_Delete(copy);
	return st;
}

/* Ends the body's last member: "...}\n}\n" becomes "...},\n". */
static void open_end(iso_str *s)
{
	while (s->n && (s->p[s->n - 1] == '\n' || s->p[s->n - 1] == '}')) {
		const int brace = s->p[s->n - 1] == '}';

		s->p[--s->n] = 0;
		if (brace)
			break;
	}
	while (s->n && s->p[s->n - 1] == '\n')
		s->p[--s->n] = 0;
	iso_str_add(s, ",");
}

/* The digest stands for the bytes before its own line. */
static iso_status add_digest(iso_str *s, iso_error *err)
{
	uint8_t digest[32];
	char hex[65];

	ISO_TRY(iso_str_check(s, err));
	ISO_TRY(iso_sha256_of(s->p, s->n, digest, err));
	iso_hex(digest, 32, hex);
	iso_str_addf(s, ISO_DIGEST_LINE "%s\",\n", hex);
	return ISO_OK;
}

iso_status iso_record_text(const cJSON *record, iso_str *out, iso_error *err)
{
	cJSON *run, *tail = cJSON_CreateObject();
	iso_str body = {0}, last = {0};
	iso_status st = body_text(record, &run, &body, err);

	if (st == ISO_OK && (!tail || (run && !cJSON_AddItemToObject(tail, "run", run)))) {
		cJSON_Delete(run);
		st = iso_no_memory(err, "a record");
	}
	ISO_TRY_OUT(st);
	open_end(&body);
	ISO_TRY_OUT(add_digest(&body, err));
	ISO_TRY_OUT(iso_json_pretty(tail, &last, err));
	iso_str_addn(out, body.p, body.n);
	iso_str_add(out, last.p + 2); /* without its "{\n" */
	st = iso_str_check(out, err);
out:
	cJSON_Delete(tail);
	iso_str_free(&body);
	iso_str_free(&last);
	return st;
}

iso_status iso_record_check_digest(const char *text, size_t n, const char *where, iso_error *err)
{
	const size_t mark = strlen(ISO_DIGEST_LINE);
	const char *line = n ? memmem(text, n, ISO_DIGEST_LINE, mark) : NULL;
	uint8_t digest[32];
	char hex[65];

	ISO_FAIL_IF(!line || (size_t)(text + n - line) < mark + 64, err, ISO_E_DATA,
		    "damaged record (%s: digest): it is missing or the file was written by another "
		    "program; run the cell again",
		    where);
	ISO_TRY(iso_sha256_of(text, (size_t)(line - text), digest, err));
	iso_hex(digest, 32, hex);
	ISO_FAIL_IF(memcmp(hex, line + mark, 64) != 0, err, ISO_E_DATA,
		    "damaged record (%s: digest): the file was changed after it was written; run "
		    "the cell again",
		    where);
	return ISO_OK;
}

iso_status iso_record_canonical(const cJSON *v, iso_str *out, iso_error *err)
{
	cJSON *copy = cJSON_Duplicate(v, 1);
	iso_status st;

	if (!copy)
		return iso_no_memory(err, "a configuration");
	round_all(copy);
	st = iso_json_canonical(copy, out, err);
	cJSON_Delete(copy);
	return st;
}

iso_status iso_key_of(const char *text, size_t n, char key[33], iso_error *err)
{
	uint8_t digest[32];

	ISO_TRY(iso_sha256_of(text, n, digest, err));
	iso_hex(digest, 16, key);
	return ISO_OK;
}

iso_status iso_record_key(const cJSON *config, char key[33], iso_error *err)
{
	iso_str text = {0};
	iso_status st = iso_record_canonical(config, &text, err);

	if (st == ISO_OK)
		st = iso_key_of(text.p, text.n, key, err);
	iso_str_free(&text);
	return st;
}

iso_status iso_record_setting(const cJSON *record, char key[33], iso_error *err)
{
	cJSON *copy = cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(record, "config"), 1);
	iso_status st;

	if (!copy)
		return iso_no_memory(err, "a configuration");
	cJSON_DeleteItemFromObjectCaseSensitive(copy, "seed");
	st = iso_record_key(copy, key, err);
	cJSON_Delete(copy);
	return st;
}
