// SPDX-License-Identifier: Apache-2.0
/* What the Check suites share: comparisons that treat NaN as a failure, golden files, temporary
 * directories. */
#ifndef ISO_TESTS_TESTKIT_H
#define ISO_TESTS_TESTKIT_H

#include <cjson/cJSON.h>
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/status.h"

/* |a - b| <= abs + rel * |b|, false for NaN; equal infinities pass. */
int tk_close(double a, double b, double rel, double abs_tol);
#define tk_assert_close(a, b, rel, abs_tol) \
	do { \
		double tk_a_ = (a), tk_b_ = (b); \
		ck_assert_msg(tk_close(tk_a_, tk_b_, (rel), (abs_tol)), \
			      "%s = %.17g, expected %s = %.17g", #a, tk_a_, #b, tk_b_); \
	} while (0)
/* The call must give ISO_OK; prints the error text otherwise. `err` is a local iso_error. */
#define tk_ok(expr) \
	do { \
		iso_status tk_s_ = (expr); \
		ck_assert_msg(tk_s_ == ISO_OK, "%s: %s: %s", #expr, iso_status_name(tk_s_), \
			      err.text); \
	} while (0)
/* The call must give exactly this status and a text that contains `part`; clears err. */
#define tk_fails(expr, want, part) \
	do { \
		iso_status tk_s_ = (expr); \
		ck_assert_msg(tk_s_ == (want), "%s gave %s (%s)", #expr, iso_status_name(tk_s_), \
			      err.text); \
		ck_assert_msg(strstr(err.text, (part)) != NULL, "text \"%s\" lacks \"%s\"", \
			      err.text, (part)); \
		iso_error_clear(&err); \
	} while (0)

/* Parsed tests/data/NAME (also .json.gz); fails the test if it cannot be read. Caller deletes. */
cJSON *tk_golden(const char *name);
/* Number of a golden field; the strings "inf", "-inf", "nan" are numbers; null or absent gives NaN.
 */
double tk_number(const cJSON *object, const char *key);
/* A fresh directory, removed with its files at exit.  Static buffer per call order; valid until
 * exit. */
const char *tk_tempdir(void);
/* Writes text to DIR/name and returns the path (valid until exit). */
const char *tk_write(const char *dir, const char *name, const char *text);
/* Says why a part of a test cannot run here (data or a program that is absent).  A suite in which
 * something was skipped and nothing failed ends with 77, so that CTest shows it as skipped. */
void tk_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Runs one suite, returns the exit status for main: 0, 1 after a failure or when no test ran, 77
 * when something was skipped. */
int tk_run(Suite *s);
/* $ISOEPS_DATA or ../shared/data if it is there, else NULL. */
const char *tk_shared_data(void);

#endif
