// SPDX-License-Identifier: Apache-2.0
#include "core/io/csv.h"

#include <stdio.h>
#include <string.h>

#include "core/io/file.h"
#include "core/io/idx.h"
#include "tests/support/testkit.h"

static iso_error err;

/* Collects "ROW@LINE[a|b]" for comparison. */
static iso_status collect(void *ctx, size_t row, size_t line, char **field, size_t nfield,
			  iso_error *e)
{
	iso_str *out = ctx;

	if (nfield > 0 && strcmp(field[0], "stop") == 0)
		return iso_fail(e, ISO_E_CANCELLED, "stopped at line %zu", line);
	iso_str_addf(out, "%zu@%zu[", row, line);
	for (size_t i = 0; i < nfield; i++)
		iso_str_addf(out, "%s%s", i ? "|" : "", field[i]);
	iso_str_add(out, "]");
	return ISO_OK;
}

/* The same in pieces of `piece` bytes. */
static iso_status in_pieces(const char *text, size_t n, size_t piece, iso_str *out, iso_error *e)
{
	static const iso_csv_format usual = {0};
	iso_csv_stream *s;
	iso_status st;

	ISO_TRY(iso_csv_open("t.csv", &usual, collect, out, &s, e));
	st = ISO_OK;
	for (size_t at = 0; st == ISO_OK && at < n; at += piece)
		st = iso_csv_feed(s, text + at, n - at < piece ? n - at : piece, e);
	return iso_csv_close(s, st, e);
}

/* Whole; and in pieces of any size the rows, the outcome and the error text are the same. */
static iso_status parse(const char *text, size_t n, iso_str *out)
{
	iso_status st;

	iso_str_free(out);
	iso_error_clear(&err);
	st = iso_csv_parse(text, n, "t.csv", collect, out, &err);
	for (size_t piece = 1; piece <= 8; piece++) {
		iso_str again = {0};
		iso_error e = {0};

		ck_assert_int_eq(in_pieces(text, n, piece, &again, &e), st);
		ck_assert_str_eq(e.text, err.text);
		ck_assert_str_eq(again.p ? again.p : "", out->p ? out->p : "");
		iso_str_free(&again);
	}
	return st;
}

START_TEST(test_rows)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"a,b\n1,2\n", "0@1[a|b]1@2[1|2]"},
		{"a,b\r\n1,2", "0@1[a|b]1@2[1|2]"},
		{"a,b\n\n\n1,2\n", "0@1[a|b]1@4[1|2]"},
		{"a,b\n\"x\ny\",\"say \"\"hi\"\"\"\n3,4\n", "0@1[a|b]1@2[x\ny|say \"hi\"]2@4[3|4]"},
		{"a,b\n, \n 1 ,\"\"\n", "0@1[a|b]1@2[| ]2@3[ 1 |]"},
		{"\xef\xbb\xbf"
		 "a\n1\n",
		 "0@1[a]1@2[1]"},
		{"a\n\"\"\n", "0@1[a]1@2[]"},
		{"caf\xc3\xa9\n\xe2\x82\xac\n", "0@1[caf\xc3\xa9]1@2[\xe2\x82\xac]"},
	};
	iso_str out = {0};

	for (size_t i = 0; i < ISO_COUNT(cases); i++) {
		tk_ok(parse(cases[i].text, strlen(cases[i].text), &out));
		ck_assert_str_eq(out.p, cases[i].want);
	}
	iso_str_free(&out);
}
END_TEST

START_TEST(test_faults)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{"", "t.csv:1:1): no header"},
		{"\n\n", "no header"},
		{"a,b\n1,2\n1\n", "t.csv:3:1): 1 fields, the header has 2"},
		{"a,b\n1,2,3\n", "t.csv:2:3): 3 fields, the header has 2"},
		{"a,b\n1,x\"y\n", "t.csv:2:2): a quote inside"},
		{"a,b\n\"x\"y,1\n", "t.csv:2:1): a quote inside"},
		{"a,b\n1,\"open\n2,3\n", "t.csv:2:2): the quote opened"},
		{"a,b\n1,\xff\n", "t.csv:2:2): the field is not UTF-8"},
		{"a,b\n1,\xed\xa0\x80\n", "t.csv:2:2): the field is not UTF-8"},
		{"a,b\n1,2\nstop,1\n3,4\n", "stopped at line 3"},
	};
	iso_str out = {0};

	for (size_t i = 0; i < ISO_COUNT(cases); i++)
		tk_fails(parse(cases[i].text, strlen(cases[i].text), &out),
			 i == 9 ? ISO_E_CANCELLED : ISO_E_DATA, cases[i].part);
	tk_fails(parse("a,b\n1,2\0003\n", 10, &out), ISO_E_DATA, "t.csv:2:2): a zero byte");
	tk_fails(iso_csv_read("/nonexistent.csv", collect, &out, &err), ISO_E_IO,
		 "/nonexistent.csv");
	iso_str_free(&out);
}
END_TEST

/* What is written reads back, for every awkward field. */
START_TEST(test_round_trip)
{
	static const char *const fields[] = {"",   "a",	 " ",	   "a,b",      "\"",	   "\"\"",
					     "\n", "\r", "x\r\ny", "\xc3\xa9", "a\"b,c\nd"};
	iso_str text = {0}, out = {0}, want = {0};

	for (size_t width = 1; width <= 3; width++) {
		iso_str_free(&text);
		iso_str_free(&want);
		for (size_t row = 0; row < ISO_COUNT(fields); row++)
			for (size_t c = 0; c < width; c++)
				iso_csv_field(&text, fields[(row * 3 + c * 5) % ISO_COUNT(fields)],
					      c + 1 == width);
		tk_ok(parse(text.p, text.n, &out));
		for (size_t row = 0, line = 1; row < ISO_COUNT(fields); row++) {
			size_t here = line;

			iso_str_addf(&want, "%zu@%zu[", row, here);
			for (size_t c = 0; c < width; c++) {
				const char *f = fields[(row * 3 + c * 5) % ISO_COUNT(fields)];

				iso_str_addf(&want, "%s%s", c ? "|" : "", f);
				for (const char *p = f; *p; p++)
					line += *p == '\n';
			}
			iso_str_add(&want, "]");
			line++;
		}
		ck_assert_str_eq(out.p, want.p);
	}
	iso_str_free(&text);
	iso_str_free(&out);
	iso_str_free(&want);
}
END_TEST

START_TEST(test_allocation_failures)
{
	const char *text = "a,b,c,d,e,f,g,h,i\n1,2,3,4,5,6,7,8,9\n";
	iso_str out = {0};
	iso_status st = ISO_E_NOMEM;

	for (uint64_t k = 1; st != ISO_OK; k++) {
		iso_str_free(&out);
		iso_error_clear(&err);
		iso_alloc_fail_after(k);
		st = iso_csv_parse(text, strlen(text), "t", collect, &out, &err);
		iso_alloc_fail_after(0);
		ck_assert(st == ISO_OK || st == ISO_E_NOMEM);
		if (st == ISO_OK && out.failed)
			st = ISO_E_NOMEM; /* the collector's own string */
	}
	iso_str_free(&out);
}
END_TEST

static const char *write_bytes(const char *dir, const void *p, size_t n)
{
	const char *path = tk_write(dir, "x", "");
	FILE *f = fopen(path, "wb");

	fwrite(p, 1, n, f);
	fclose(f);
	return path;
}

START_TEST(test_idx)
{
	uint8_t good[] = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6},
		bad[sizeof(good) + 1];
	static const uint8_t huge[] = {0,   0,	 8,   3,   255, 255, 255, 255,
				       255, 255, 255, 255, 255, 255, 255, 255};
	const char *dir = tk_tempdir();
	iso_idx x;

	tk_ok(iso_idx_read(write_bytes(dir, good, sizeof(good)), &x, &err));
	ck_assert_uint_eq(x.ndim, 2);
	ck_assert_uint_eq(x.dim[0], 2);
	ck_assert_uint_eq(x.dim[1], 3);
	ck_assert_int_eq(x.data[5], 6);
	iso_idx_free(&x);
	for (size_t n = 0; n < sizeof(good); n++) {
		ck_assert_int_eq(iso_idx_read(write_bytes(dir, good, n), &x, &err), ISO_E_DATA);
		ck_assert_ptr_null(x.data);
		iso_error_clear(&err);
	}
	memcpy(bad, good, sizeof(good));
	tk_fails(iso_idx_read(write_bytes(dir, bad, sizeof(bad)), &x, &err), ISO_E_DATA,
		 "7 bytes of values");
	bad[2] = 0x0d;
	tk_fails(iso_idx_read(write_bytes(dir, bad, sizeof(bad)), &x, &err), ISO_E_DATA, "0x0d");
	bad[2] = 8;
	bad[3] = 9;
	tk_fails(iso_idx_read(write_bytes(dir, bad, sizeof(bad)), &x, &err), ISO_E_DATA,
		 "9 dimensions");
	tk_fails(iso_idx_read(write_bytes(dir, huge, sizeof(huge)), &x, &err), ISO_E_DATA,
		 "overflow");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("csv");
	TCase *t = tcase_create("csv");

	tcase_add_test(t, test_rows);
	tcase_add_test(t, test_faults);
	tcase_add_test(t, test_round_trip);
	tcase_add_test(t, test_allocation_failures);
	tcase_add_test(t, test_idx);
	suite_add_tcase(s, t);
	return tk_run(s);
}
