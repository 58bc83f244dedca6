// SPDX-License-Identifier: Apache-2.0
/* Declarative option tables: one table per plug-in is the source of defaults, validation, help,
 * docs and the record.
 *
 *     typedef struct opts { int64_t hidden; double lr; int mode; int64_t layers[ISO_OPT_LIST_MAX];
 * } opts; static const iso_option table[] = { ISO_OPT_INT(opts, hidden, "128", 1, 65536, "units of
 * the hidden layer"), ISO_OPT_REAL(opts, lr, "1e-3", 0, 10, "learning rate"), ISO_OPT_ENUM(opts,
 * mode, "sound", "sound|paper", "sound: ...; paper: as published"), {0}};
 */
#ifndef ISO_IO_OPTIONS_H
#define ISO_IO_OPTIONS_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/str.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum iso_option_kind {
	ISO_OPTION_INT,	   /* int64_t */
	ISO_OPTION_REAL,   /* double */
	ISO_OPTION_BOOL,   /* int */
	ISO_OPTION_ENUM,   /* int: index into choices "a|b|c" */
	ISO_OPTION_STRING, /* char [ISO_OPT_TEXT_MAX] */
	ISO_OPTION_INTS /* int64_t [ISO_OPT_LIST_MAX + 1]: element 0 is the count; text "64,32" or a
			   JSON array */
} iso_option_kind;
#define ISO_OPT_TEXT_MAX 128
#define ISO_OPT_LIST_MAX 15

typedef struct iso_option {
	const char *key; /* NULL ends the table */
	iso_option_kind kind;
	size_t offset;
	const char *def;     /* as it would be typed */
	double lo, hi;	     /* inclusive range of numbers (of each element of a list) */
	const char *choices; /* ENUM only: "sound|paper" */
	const char *help;    /* one line */
} iso_option;

#define ISO_OPT_INT(s, f, d, l, h, t) \
	{ \
#f, ISO_OPTION_INT, offsetof(s, f), d, l, h, 0, t \
	}
#define ISO_OPT_REAL(s, f, d, l, h, t) \
	{ \
#f, ISO_OPTION_REAL, offsetof(s, f), d, l, h, 0, t \
	}
#define ISO_OPT_BOOL(s, f, d, t) \
	{ \
#f, ISO_OPTION_BOOL, offsetof(s, f), d, 0, 1, 0, t \
	}
#define ISO_OPT_ENUM(s, f, d, c, t) \
	{ \
#f, ISO_OPTION_ENUM, offsetof(s, f), d, 0, 0, c, t \
	}
#define ISO_OPT_STRING(s, f, d, t) \
	{ \
#f, ISO_OPTION_STRING, offsetof(s, f), d, 0, 0, 0, t \
	}
#define ISO_OPT_INTS(s, f, d, l, h, t) \
	{ \
#f, ISO_OPTION_INTS, offsetof(s, f), d, l, h, 0, t \
	}

/* Fill *out (a plain struct of `size` bytes) with defaults, then with the members of `values` (a
 * cJSON object or NULL; numbers, booleans, strings as typed and arrays are accepted).  Unknown or
 * duplicate key: ISO_E_CONFIG with the nearest valid key; out of range: the range.  `where` names
 * the plug-in in errors.  *resolved (if not NULL) gets a new object with every option's final
 * value, in table order; owned by the caller. */
iso_status iso_options_resolve(const iso_option *table, const cJSON *values, const char *where,
			       void *out, size_t size, cJSON **resolved,
			       iso_error *err) ISO_MUST_CHECK;
/* Every option's value in a resolved struct, as a new object in table order; owned by the caller.
 * NaN (settled by calibration) becomes null, which resolve reads as the default. */
iso_status iso_options_values(const iso_option *table, const void *options, cJSON **out,
			      iso_error *err) ISO_MUST_CHECK;
/* Adds KEY=VALUE texts (the --set of the command line) to an object as strings; ISO_E_USAGE without
 * '='. */
iso_status iso_options_set(cJSON *values, const char *assignment, iso_error *err) ISO_MUST_CHECK;
/* Text and JSON description of a table, for --help, describe and the generated docs. */
void iso_options_describe(const iso_option *table, iso_str *out);
cJSON *iso_options_json(const iso_option *table);

#ifdef __cplusplus
}
#endif

#endif
