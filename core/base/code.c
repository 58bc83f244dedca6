// SPDX-License-Identifier: Apache-2.0
#include "core/base/code.h"

#include <stdio.h>

#include "core/base/alloc.h"

typedef struct note {
	const void *descriptor;
	char hex[65];
} note;

/* Grows for the life of the process, as the plug-ins that stay loaded. */
static note *notes;
static size_t nnote, cap;

iso_status iso_code_note(const void *descriptor, const char *hex, iso_error *err)
{
	ISO_TRY(iso_grow(&notes, &cap, nnote + 1, sizeof(*notes), err));
	notes[nnote].descriptor = descriptor;
	snprintf(notes[nnote].hex, sizeof(notes->hex), "%s", hex);
	nnote++;
	return ISO_OK;
}

const char *iso_code_noted(const void *descriptor)
{
	for (size_t i = nnote; i-- > 0;)
		if (notes[i].descriptor == descriptor)
			return notes[i].hex;
	return NULL;
}
