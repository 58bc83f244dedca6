// SPDX-License-Identifier: Apache-2.0
#include "suites/code.h"

#include <stdio.h>
#include <string.h>

#include "core/base/code.h"
#include "core/base/sha256.h"

static const char *row(const char *name)
{
	for (const iso_code_row *r = iso_code_rows; r->name; r++)
		if (strcmp(r->name, name) == 0)
			return r->hash;
	return NULL;
}

static void add(iso_sha256 *s, const char *text)
{
	iso_sha256_add(s, text, strlen(text) + 1);
}

iso_status iso_code_hash(const char *kind, const char *name, const void *descriptor, char hex[65],
			 iso_error *err)
{
	const char *own = iso_code_noted(descriptor), *core = row("core"), *shared = row(kind);
	char stem[128];
	iso_sha256 s;
	uint8_t digest[32];

	snprintf(stem, sizeof(stem), "%s/%s", kind, name);
	for (char *c = stem; *c; c++)
		*c = *c == '-' ? '_' : *c;
	if (!own)
		own = row(stem);
	ISO_FAIL_IF(!core || !shared || !own, err, ISO_E_INTERNAL,
		    "no code hash (%s): its source is not in the build's table, so a change of it "
		    "could not be noticed; name the source file after the plug-in",
		    stem);
	iso_sha256_init(&s);
	add(&s, core);
	add(&s, shared);
	add(&s, own);
	ISO_TRY(iso_sha256_end(&s, digest, err));
	iso_hex(digest, 32, hex);
	return ISO_OK;
}

iso_status iso_code_check(const char *name, const char **hash, iso_error *err)
{
	*hash = row(name);
	ISO_FAIL_IF(!*hash, err, ISO_E_INTERNAL,
		    "no code hash (%s): the build did not write one; report it", name);
	return ISO_OK;
}
