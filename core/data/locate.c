// SPDX-License-Identifier: Apache-2.0
/* Where data files are: $ISOEPS_DATA, ../shared/data beside the source tree, ../shared/data beside
 * the working directory, the user's cache (where `isoeps data get` puts them), and Debian's folder
 * of data sets. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/sha256.h"
#include "core/data/sources.h"
#include "core/io/file.h"
#include "core/io/share.h"

#define PLACES 5

/* Place i of the search, "" if it does not apply here. */
static void place(int i, char *path, size_t size)
{
	const char *home = getenv("ISOEPS_DATA"), *cache;

	path[0] = 0;
	if (i == 0 && home && *home)
		snprintf(path, size, "%s", home);
	else if (i == 1)
		(void)iso_share_find("source/../shared/data", path, size);
	else if (i == 2)
		snprintf(path, size, "../shared/data");
	else if (i == 3 && (cache = getenv("XDG_CACHE_HOME")) != NULL && *cache == '/')
		snprintf(path, size, "%s/isoeps/data", cache);
	else if (i == 3 && (cache = getenv("HOME")) != NULL && *cache == '/')
		snprintf(path, size, "%s/.cache/isoeps/data", cache);
	else if (i == 4)
		snprintf(path, size, "/usr/share/datasets");
}

iso_status iso_data_home(char *path, size_t size, iso_error *err)
{
	place(0, path, size);
	if (!*path)
		place(3, path, size);
	ISO_FAIL_IF(!*path, err, ISO_E_CONFIG,
		    "no place for data files (environment): neither ISOEPS_DATA nor HOME is set; "
		    "set ISOEPS_DATA to a directory");
	return ISO_OK;
}

void iso_data_file_find(const iso_data_file *f, char *path, size_t size)
{
	for (int i = 0; i < PLACES; i++) {
		char dir[PATH_MAX];

		place(i, dir, sizeof(dir));
		if (!*dir)
			continue;
		snprintf(path, size, "%s/%s", dir, f->path);
		if (access(path, F_OK) == 0)
			return;
		path[strlen(path) - 3] = 0; /* the same, already unpacked */
		if (access(path, F_OK) == 0)
			return;
	}
	path[0] = 0;
}

iso_status iso_data_digest(const void *data, size_t n, char hex[65], iso_error *err)
{
	uint8_t digest[32];

	ISO_TRY(iso_sha256_of(data, n, digest, err));
	iso_hex(digest, 32, hex);
	return ISO_OK;
}

iso_status iso_data_file_load(const iso_data_source *s, const iso_data_file *f, char **text,
			      size_t *n, iso_error *err)
{
	char path[2 * PATH_MAX], hex[65];
	iso_status st;

	*text = NULL;
	iso_data_file_find(f, path, sizeof(path));
	if (!*path)
		return iso_fail(err, ISO_E_IO,
				"data set not found (%s): no file %s; run `isoeps data get %s`, or "
				"take it from %s%s%s%s and put it "
				"into a directory named by ISOEPS_DATA",
				s->info.name, f->path, s->info.name, s->upstream,
				s->manual ? " (" : "", s->manual ? s->manual : "",
				s->manual ? ")" : "");
	ISO_TRY(iso_file_read(path, 0, text, n, err));
	st = iso_data_digest(*text, *n, hex, err);
	if (st == ISO_OK && strcmp(hex, f->sha256) != 0)
		st = iso_fail(err, ISO_E_DATA,
			      "data file changed (%.300s): its content has SHA-256 %s, pinned is "
			      "%s; replace it with "
			      "the published one",
			      path, hex, f->sha256);
	if (st != ISO_OK) {
		iso_free(*text);
		*text = NULL;
	}
	return st;
}

iso_status iso_dataset_locate(const char *name, iso_str *text, int *present, iso_error *err)
{
	const iso_data_source *s;
	const iso_data_file *files[4];
	char path[2 * PATH_MAX];

	*present = 1;
	ISO_TRY(iso_data_source_need(name, &s, err));
	if (s->info.embedded) {
		iso_str_add(text, "embedded\n");
		return iso_str_check(text, err);
	}
	files[0] = &s->table[0];
	files[1] = &s->table[1];
	files[2] = &s->test[0];
	files[3] = &s->test[1];
	for (int i = 0; i < 4; i++) {
		if (!files[i]->path)
			continue;
		iso_data_file_find(files[i], path, sizeof(path));
		if (*path) {
			iso_str_addf(text, "%s\n", path);
			continue;
		}
		*present = 0;
		iso_str_addf(text, "%s: absent; from %s\n", files[i]->path,
			     files[i]->part[0].url ? files[i]->part[0].url : s->upstream);
	}
	return iso_str_check(text, err);
}
