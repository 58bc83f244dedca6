// SPDX-License-Identifier: Apache-2.0
/* Status codes and error texts.
 *
 * Every fallible function returns an iso_status (0 = done) and takes, last, an
 * iso_error owned by the caller.  The text is written once, by the function that
 * found the fault, in the form
 *
 *     WHAT (WHERE): WHY; TRY
 *
 * "value outside the schema (adult.csv:17:3): age is 312, the schema allows
 * 0 to 120; correct the row or widen the bounds".  On failure outputs are untouched
 * or NULL and there is nothing for the caller to free.  `err` may be NULL.
 */
#ifndef ISO_BASE_STATUS_H
#define ISO_BASE_STATUS_H

#include "core/base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

/* name, number, exit status of the command line (design section 9), meaning */
#define ISO_STATUS_LIST(X) \
	X(ISO_OK, 0, 0, "done") \
	X(ISO_E_CHECK, 1, 1, "a check failed (gate, verify, audit)") \
	X(ISO_E_USAGE, 2, 2, "wrong use of the command line or of a function") \
	X(ISO_E_CONFIG, 3, 2, "wrong configuration: suite, options, budget") \
	X(ISO_E_BUDGET, 4, 2, "the privacy budget does not allow the call") \
	X(ISO_E_UNSUPPORTED, 5, 2, "not supported for this data or method") \
	X(ISO_E_DATA, 6, 3, "malformed or inadmissible data") \
	X(ISO_E_IO, 7, 4, "a file or a stream failed") \
	X(ISO_E_NOMEM, 8, 4, "out of memory") \
	X(ISO_E_NUMERIC, 9, 4, "a computation did not converge or is not finite") \
	X(ISO_E_PLUGIN, 10, 4, "a plug-in broke its contract") \
	X(ISO_E_LIMIT, 11, 4, "a time or memory limit was reached") \
	X(ISO_E_CANCELLED, 12, 4, "cancelled") \
	X(ISO_E_INTERNAL, 13, 4, "a bug in isoeps")

typedef enum iso_status {
#define ISO_STATUS_ENUM(name, number, exit_status, text) name = number,
	ISO_STATUS_LIST(ISO_STATUS_ENUM)
#undef ISO_STATUS_ENUM
} iso_status;

typedef struct iso_error {
	iso_status code;
	char text[768];
} iso_error;

/* "ISO_E_DATA" and the meaning of a status; never NULL. */
const char *iso_status_name(iso_status s);
const char *iso_status_text(iso_status s);
/* Exit status 0 to 4 of the command line. */
int iso_status_exit(iso_status s);

/* Write the error (the first writer wins: an error already set is kept) and return `code`. */
iso_status iso_fail(iso_error *err, iso_status code, const char *fmt, ...) ISO_PRINTF(3, 4);
/* Prefix an error already set with a context: "PREFIX: TEXT". Returns err's code. */
iso_status iso_fail_context(iso_error *err, const char *fmt, ...) ISO_PRINTF(2, 3);
void iso_error_clear(iso_error *err);

/* Return from the caller on failure.  Never compiled out. */
#define ISO_TRY(expr) \
	do { \
		iso_status iso_try_ = (expr); \
		if (iso_try_ != ISO_OK) \
			return iso_try_; \
	} while (0)

/* The same for functions with one clean-up label; needs a local `iso_status st`. */
#define ISO_TRY_OUT(expr) \
	do { \
		st = (expr); \
		if (st != ISO_OK) \
			goto out; \
	} while (0)

#define ISO_FAIL_IF(cond, err, code, ...) \
	do { \
		if (cond) \
			return iso_fail((err), (code), __VA_ARGS__); \
	} while (0)

#ifdef __cplusplus
}
#endif

#endif
