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

iso_status iso_record_text(const cJSON *record, iso_str *out, iso_error *err)
{
	cJSON *copy = cJSON_Duplicate(record, 1),
	      *run = cJSON_DetachItemFromObjectCaseSensitive(copy, "run");
	iso_status st;

	/* "run" goes last: what comes before it is the part of the file that two correct runs share
	 * byte for byte. */
	if (!copy || (run && !cJSON_AddItemToObject(copy, "run", run))) {
		cJSON_Delete(copy);
		return iso_no_memory(err, "a record");
	}
	for (cJSON *c = copy->child; c; c = c->next)
		if (strcmp(c->string, "run") != 0)
			round_all(c);
	st = iso_json_pretty(copy, out, err);
	cJSON_Delete(copy);
	return st;
}

iso_status iso_record_key(const cJSON *config, char key[33], iso_error *err)
{
	cJSON *copy = cJSON_Duplicate(config, 1);
	iso_str text = {0};
	uint8_t digest[32];
	iso_status st;

	if (!copy)
		return iso_no_memory(err, "a configuration");
	round_all(copy);
	st = iso_json_canonical(copy, &text, err);
	if (st == ISO_OK)
		st = iso_sha256_of(text.p, text.n, digest, err);
	if (st == ISO_OK)
		iso_hex(digest, 16, key);
	iso_str_free(&text);
	cJSON_Delete(copy);
	return st;
}
