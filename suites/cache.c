// SPDX-License-Identifier: Apache-2.0
/* DIR/cache/HASH.json: values that cells share because they depend on real rows alone
 * (train-real-test-real).  A file that is damaged, or that answers another question, counts as
 * absent; a file that cannot be written is no loss. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/log.h"
#include "core/base/sha256.h"
#include "core/io/file.h"
#include "core/io/jsonw.h"
#include "suites/cell.h"

static iso_status hash_text(const char *a, const char *b, char hex[65], iso_error *err)
{
	iso_sha256 s;
	uint8_t digest[32];

	iso_sha256_init(&s);
	iso_sha256_add(&s, a, strlen(a) + 1);
	iso_sha256_add(&s, b, strlen(b));
	ISO_TRY(iso_sha256_end(&s, digest, err));
	iso_hex(digest, 32, hex);
	return ISO_OK;
}

iso_status iso_cache_open(const char *dir, const char *data, uint64_t seed, const char *judge,
			  iso_cache *out, iso_error *err)
{
	char text[32];
	char hex[65];

	out->dir = dir;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)seed);
	ISO_TRY(hash_text(text, data, hex, err));
	return hash_text(hex, judge, out->prefix, err);
}

static int cache_path(const iso_cache *c, const char *name, iso_str *path)
{
	char hex[65];

	if (!c->dir || hash_text(c->prefix, name, hex, NULL) != ISO_OK)
		return 0;
	hex[32] = 0;
	iso_str_addf(path, "%s/cache/%s.json", c->dir, hex);
	return !path->failed;
}

/* Checksum of the values as they are written. */
static int check_text(const cJSON *values, char hex[65])
{
	iso_str text = {0};
	int ok = iso_json_canonical(values, &text, NULL) == ISO_OK &&
		 hash_text("cache", text.p, hex, NULL) == ISO_OK;

	iso_str_free(&text);
	return ok;
}

int iso_cache_get(void *ctx, const char *name, double *v, size_t n)
{
	const iso_cache *c = ctx;
	iso_str path = {0};
	iso_error ignored = {0};
	cJSON *file = NULL;
	const cJSON *values, *item, *stored, *sum;
	char hex[65];
	size_t i = 0;
	int ok;

	ok = cache_path(c, name, &path) && iso_file_exists(path.p) &&
	     iso_json_read(path.p, &file, &ignored) == ISO_OK;
	values = cJSON_GetObjectItemCaseSensitive(file, "values");
	stored = cJSON_GetObjectItemCaseSensitive(file, "name");
	sum = cJSON_GetObjectItemCaseSensitive(file, "check");
	ok = ok && cJSON_IsArray(values) && (size_t)cJSON_GetArraySize(values) == n &&
	     cJSON_IsString(stored) && strcmp(stored->valuestring, name) == 0 &&
	     cJSON_IsString(sum) && check_text(values, hex) && strcmp(hex, sum->valuestring) == 0;
	if (ok)
		cJSON_ArrayForEach(item, values) v[i++] =
			cJSON_IsNumber(item) ? item->valuedouble : NAN;
	cJSON_Delete(file);
	iso_str_free(&path);
	return ok;
}

void iso_cache_put(void *ctx, const char *name, const double *v, size_t n)
{
	const iso_cache *c = ctx;
	iso_str path = {0}, text = {0}, dir = {0};
	iso_error err = {0};
	iso_jsonw w = {0};
	cJSON *file = cJSON_CreateObject(), *values = cJSON_CreateArray();
	char hex[65];
	int ok = file && values && cache_path(c, name, &path);

	for (size_t i = 0; ok && i < n; i++)
		iso_jsonw_number(&w, values, NULL, v[i]);
	ok = ok && !w.failed;
	ok = ok && check_text(values, hex) && cJSON_AddStringToObject(file, "name", name) &&
	     cJSON_AddStringToObject(file, "check", hex);
	if (ok && cJSON_AddItemToObject(file, "values", values))
		values = NULL;
	iso_str_addf(&dir, "%s/cache", c->dir ? c->dir : "");
	ok = ok && !values && !dir.failed && iso_json_canonical(file, &text, &err) == ISO_OK &&
	     iso_make_dirs(dir.p, &err) == ISO_OK &&
	     iso_file_write_atomic(path.p, text.p, text.n, &err) == ISO_OK;
	if (!ok)
		iso_debug("cache not written: %s", err.text);
	cJSON_Delete(values);
	cJSON_Delete(file);
	iso_str_free(&path);
	iso_str_free(&text);
	iso_str_free(&dir);
}
