// SPDX-License-Identifier: Apache-2.0
#include "results/artefact.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/alloc.h"
#include "core/base/log.h"
#include "core/base/sha256.h"
#include "core/io/file.h"

#define HEAD "isoeps-model 1 "

static iso_status artefact_path(const char *dir, const char *folder, const char *key, iso_str *out,
				iso_error *err)
{
	iso_str_addf(out, "%s/%s/%s", dir, folder, key);
	return iso_str_check(out, err);
}

static iso_status hash_of(const char *p, size_t n, char hex[65], iso_error *err)
{
	uint8_t digest[32];

	ISO_TRY(iso_sha256_of(p, n, digest, err));
	iso_hex(digest, 32, hex);
	return ISO_OK;
}

iso_status iso_artefact_write(const char *dir, const char *folder, const char *key,
			      const cJSON *facts, const char *bytes, size_t n, int private,
			      iso_error *err)
{
	const unsigned flags =
		ISO_WRITE_IN_PLACE | ISO_WRITE_UNSYNCED | (private ? ISO_WRITE_PRIVATE : 0);
	iso_str json = {0}, body = {0}, file = {0}, path = {0};
	char hex[65];
	iso_status st;

	ISO_TRY_OUT(iso_json_pretty(facts, &json, err)); /* keeps the order of the keys */
	iso_str_addn(&body, json.p, json.n);
	iso_str_addn(&body, bytes, n);
	ISO_TRY_OUT(iso_str_check(&body, err));
	ISO_TRY_OUT(hash_of(body.p, body.n, hex, err));
	iso_str_addf(&file, HEAD "%s %zu\n", hex, json.n);
	iso_str_addn(&file, body.p, body.n);
	ISO_TRY_OUT(iso_str_check(&file, err));
	ISO_TRY_OUT(artefact_path(dir, folder, key, &path, err));
	st = iso_file_write_flags(path.p, file.p, file.n, flags, err);
out:
	iso_str_free(&json);
	iso_str_free(&body);
	iso_str_free(&file);
	iso_str_free(&path);
	return st;
}

/* Fills everything but facts; ISO_E_DATA for a file that is not what its first line says. */
static iso_status check_file(const char *path, size_t n, iso_artefact *a, size_t *json,
			     const char **body, iso_error *err)
{
	const char *end = n ? memchr(a->file, '\n', n) : NULL;
	char want[65] = "", got[65] = "";
	size_t left;

	*json = 0;
	*body = a->file;
	if (!end || sscanf(a->file, HEAD "%64[0-9a-f] %zu", want, json) != 2)
		return iso_fail(err, ISO_E_DATA, "damaged model (%s): it has no valid first line",
				path);
	*body = end + 1;
	left = n - (size_t)(*body - a->file);
	ISO_TRY(hash_of(*body, left, got, err));
	ISO_FAIL_IF(*json > left || strcmp(want, got) != 0, err, ISO_E_DATA,
		    "damaged model (%s): the file was changed after it was written", path);
	a->bytes = *body + *json;
	a->n = left - *json;
	return ISO_OK;
}

static iso_status read_file(const char *path, iso_artefact *out, iso_error *err)
{
	const char *body;
	size_t n = 0, json;

	ISO_TRY(iso_file_read(path, 0, &out->file, &n, err));
	ISO_TRY(check_file(path, n, out, &json, &body, err));
	return iso_json_parse(body, json, path, &out->facts, err);
}

iso_status iso_artefact_read(const char *dir, const char *folder, const char *key,
			     iso_artefact *out, iso_error *err)
{
	iso_str path = {0};
	iso_error why = {0};
	struct stat at;
	iso_status st;

	memset(out, 0, sizeof(*out));
	st = artefact_path(dir, folder, key, &path, err);
	if (st == ISO_OK && lstat(path.p, &at) == 0 && S_ISREG(at.st_mode)) {
		st = read_file(path.p, out, &why);
		if (st != ISO_OK)
			iso_artefact_free(out);
		if (st == ISO_E_NOMEM)
			st = iso_fail(err, st, "%s", why.text);
		else if (st != ISO_OK)
			iso_warn("%s; it is trained again", why.text);
		st = st == ISO_E_NOMEM ? st : ISO_OK;
	}
	iso_str_free(&path);
	return st;
}

void iso_artefact_free(iso_artefact *a)
{
	cJSON_Delete(a->facts);
	iso_free(a->file);
	memset(a, 0, sizeof(*a));
}
