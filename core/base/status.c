// SPDX-License-Identifier: Apache-2.0
#include "core/base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *iso_status_name(iso_status s)
{
	switch (s) {
#define ISO_STATUS_CASE(name, number, exit_status, text) \
	case name: \
		return #name;
		ISO_STATUS_LIST(ISO_STATUS_CASE)
#undef ISO_STATUS_CASE
	}
	return "ISO_E_?";
}

const char *iso_status_text(iso_status s)
{
	switch (s) {
#define ISO_STATUS_CASE(name, number, exit_status, text) \
	case name: \
		return text;
		ISO_STATUS_LIST(ISO_STATUS_CASE)
#undef ISO_STATUS_CASE
	}
	return "unknown status";
}

int iso_status_exit(iso_status s)
{
	switch (s) {
#define ISO_STATUS_CASE(name, number, exit_status, text) \
	case name: \
		return exit_status;
		ISO_STATUS_LIST(ISO_STATUS_CASE)
#undef ISO_STATUS_CASE
	}
	return 4;
}

iso_status iso_fail(iso_error *err, iso_status code, const char *fmt, ...)
{
	if (err && err->code == ISO_OK) {
		va_list ap;

		err->code = code;
		va_start(ap, fmt);
		vsnprintf(err->text, sizeof(err->text), fmt, ap);
		va_end(ap);
	}
	return code;
}

iso_status iso_fail_context(iso_error *err, const char *fmt, ...)
{
	char tail[sizeof(err->text)];
	size_t used;
	va_list ap;

	if (!err)
		return ISO_E_INTERNAL;
	memcpy(tail, err->text, sizeof(tail));
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	used = strlen(err->text);
	snprintf(err->text + used, sizeof(err->text) - used, ": %s", tail);
	return err->code;
}

void iso_error_clear(iso_error *err)
{
	if (err)
		memset(err, 0, sizeof(*err));
}
