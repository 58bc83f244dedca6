// SPDX-License-Identifier: Apache-2.0
/* Drafts of schemas from files as R, pandas and spreadsheets write them: what is guessed, what is
 * noted, what is refused; and every odd table comes back exactly as it was. */
#include <stdio.h>
#include <string.h>

#include "core/data/date.h"
#include "core/data/table.h"
#include "core/io/file.h"
#include "tests/support/testkit.h"

static iso_error err;
static iso_str notes;

static iso_status infer_with(const char *csv, const iso_infer_options *o, iso_schema **s)
{
	static int number;
	char name[32];

	snprintf(name, sizeof(name), "t%d.csv", number++);
	iso_str_free(&notes);
	return iso_schema_infer(tk_write(tk_tempdir(), name, csv), o, s, &notes, &err);
}

static int noted(const char *part)
{
	return notes.p && strstr(notes.p, part) != NULL;
}

/* Draft, JSON, schema, table, text: the same bytes as before. */
static void comes_back(const char *csv, const char *want)
{
	iso_schema *s = NULL, *again = NULL;
	iso_table *t = NULL;
	cJSON *v = NULL;
	iso_str text = {0};

	tk_ok(infer_with(csv, NULL, &s));
	tk_ok(iso_schema_to_json(s, &v, &err));
	tk_ok(iso_schema_from_json(v, "again", &again, &err));
	tk_ok(iso_table_parse_csv(csv, strlen(csv), "t.csv", again, &t, &err));
	tk_ok(iso_table_check(t, &err));
	tk_ok(iso_table_to_csv(t, &text, &err));
	ck_assert_str_eq(text.p, want);
	iso_table_free(t);
	t = NULL;
	tk_ok(iso_table_parse_csv(text.p, text.n, "again.csv", again, &t, &err));
	iso_table_free(t);
	iso_str_free(&text);
	cJSON_Delete(v);
	iso_schema_free(s);
	iso_schema_free(again);
}

#define SAME(csv) comes_back(csv, csv)

START_TEST(test_nothing_is_damaged)
{
	SAME("n,y\n9007199254740995,a\n9007199254740997,b\n12345678901234567890,a\n");
	SAME("zip,y\n00501,a\n07030,b\n10001,a\n");
	SAME("k,x,y\n7.5,1,a\n7.5,2,b\n7.5,3,a\n");
	SAME("t,x\n-999,1\n3,2\n4,3\n5,4\n");
	SAME("flag,x\nTRUE,1\nFALSE,2\nTRUE,5\n");
	SAME("x,y\n0.1,a\n0.30000000000000004,b\n1e-300,a\n");
	SAME("x,y\nNA,a\n0.50,b\n1.25,a\n");
	SAME("w;g\n18,5;A\n19,0;B\n20,5;A\n");
	SAME("a\tb\n1\tx y\n2\t,\n3\tx y\n");
	SAME("a|b\n1|x\n9|y\n4|x\n");
	SAME("seen,x\n2020-02-29,1\n2019-12-31,5\n0001-01-01,3\n");
	SAME("seen,x\n29.02.2020,1\n31.12.2019,5\n01.03.2020,3\n");
	SAME("w;d\n18,5;29.02.2020\n19,0;01.03.2020\n");
	SAME("x,y\n\"a,b\",1\n\"say \"\"hi\"\"\",5\n,3\n");
	/* index columns are dropped; row names need no header */
	comes_back(",x,y\n0,1.5,a\n1,2.5,b\n2,3.5,a\n", "x,y\n1.5,a\n2.5,b\n3.5,a\n");
}
END_TEST

START_TEST(test_row_names)
{
	iso_schema *s;

	comes_back("x\ty\nr1\t1.5\ta\nr2\t2.5\tb\nr3\t3.5\ta\n", "x\ty\n1.5\ta\n2.5\tb\n3.5\ta\n");
	ck_assert(noted("lacks a name for the first column"));
	tk_ok(infer_with("# made by a tool\n# on a day\nx,y\n1,a\n# between\n9,b\n5,a\n", NULL,
			 &s));
	ck_assert(noted("begin with # are comments"));
	ck_assert_uint_eq(s->ncol, 2);
	ck_assert_double_eq(s->column[0].hi, 9);
	iso_schema_free(s);
	tk_ok(infer_with("x, y, label\n1, a, p\n9, b, q\n5, a, p\n", NULL, &s));
	ck_assert_str_eq(s->column[1].name, "y");
	ck_assert_str_eq(s->column[1].category[0], "a");
	ck_assert_int_eq(s->label, 2);
	ck_assert(noted("spaces around fields"));
	iso_schema_free(s);
}
END_TEST

/* Twenty numbers and one token. */
static const char *with_token(const char *token)
{
	static char csv[512];
	size_t n = (size_t)snprintf(csv, sizeof(csv), "x,y\n");

	for (int i = 0; i < 20; i++)
		n += (size_t)snprintf(csv + n, sizeof(csv) - n, "%d.5,%c\n", i, "ab"[i % 2]);
	snprintf(csv + n, sizeof(csv) - n, "%s,a\n", token);
	return csv;
}

START_TEST(test_tokens)
{
	static const char *const tokens[] = {".", "-", "None", "missing", "k.A."};
	static const char *const given[] = {"-999"};
	iso_schema *s;

	for (size_t i = 0; i < ISO_COUNT(tokens); i++) {
		tk_ok(infer_with(with_token(tokens[i]), NULL, &s));
		ck_assert_int_eq(s->column[0].type, ISO_CONTINUOUS);
		ck_assert_uint_eq(s->column[0].nmissing, 1);
		ck_assert_str_eq(s->column[0].missing[0], tokens[i]);
		ck_assert_double_eq(s->column[0].hi, 19.5);
		ck_assert_msg(noted("column x: 20 of 21 values are numbers, line 22 is"), "%s",
			      notes.p);
		iso_schema_free(s);
	}
	tk_ok(infer_with(with_token("-999"), NULL, &s));
	ck_assert_double_eq(s->column[0].lo, -999);
	ck_assert_msg(noted("column x, line 22: -999 lies far from the other values (0.5 to 19.5)"),
		      "%s", notes.p);
	iso_schema_free(s);
	tk_ok(infer_with(with_token("-999"), &(iso_infer_options){.missing = given, .nmissing = 1},
			 &s));
	ck_assert_double_eq(s->column[0].lo, 0.5);
	ck_assert_str_eq(s->column[0].missing[0], "-999");
	ck_assert(!noted("lies far"));
	iso_schema_free(s);
	/* two tokens are no code: text, and said so */
	tk_ok(infer_with("x,y\n1,a\n2,b\n3,a\n4,b\nlow,a\nhigh,b\n", NULL, &s));
	ck_assert_int_eq(s->column[0].type, ISO_CATEGORICAL);
	ck_assert(noted("4 of 6 values are numbers, line 6 is \"low\": read as text"));
	iso_schema_free(s);
}
END_TEST

START_TEST(test_given)
{
	iso_schema *s;

	tk_ok(infer_with(
		"a;b\n1,5;x\n2,25;y\n9,0;x\n",
		&(iso_infer_options){.csv = {.separator = ';', .decimal = ','}, .label = "b"}, &s));
	ck_assert_int_eq(s->label, 1);
	ck_assert_double_eq(s->column[0].hi, 9);
	ck_assert_int_eq(s->column[0].decimals, 2);
	iso_schema_free(s);
	/* a numeric label is a regression target */
	tk_ok(infer_with("a,price\n1,1.5\n2,2.5\n3,3.25\n", &(iso_infer_options){.label = "price"},
			 &s));
	ck_assert_int_eq(s->label, 1);
	ck_assert_int_eq(s->column[1].type, ISO_CONTINUOUS);
	iso_schema_free(s);
	tk_fails(infer_with("a,price\n1,1\n2,2\n", &(iso_infer_options){.label = "prize"}, &s),
		 ISO_E_CONFIG, "did you mean \"price\"");
}
END_TEST

START_TEST(test_notes_and_refusals)
{
	iso_schema *s;

	tk_ok(infer_with("n,y\n9007199254740993,a\n5,b\n6,a\n", NULL, &s));
	ck_assert_msg(noted("column n, line 2: 9007199254740993 is not kept by a number"), "%s",
		      notes.p);
	iso_schema_free(s);
	tk_ok(infer_with("d,y\n01/02/2020,1\n03/04/2020,5\n", NULL, &s));
	ck_assert(noted("could be DD/MM/YYYY or MM/DD/YYYY"));
	iso_schema_free(s);
	tk_ok(infer_with("d,y\n01/20/2020,1\n03/04/2020,5\n", NULL, &s));
	ck_assert_int_eq(s->column[0].date_format, ISO_DATE_MDY_SLASH);
	ck_assert(!noted("could be"));
	iso_schema_free(s);
	tk_fails(infer_with("p,y\n\"$1,200\",a\n$30,b\n", NULL, &s), ISO_E_DATA,
		 "column p, line 2): \"$1,200\" is an amount of money");
	tk_fails(infer_with("p,y\n12%,a\n7.5%,b\n", NULL, &s), ISO_E_DATA,
		 "\"12%\" is a percentage");
	tk_fails(infer_with("1.5,a\n2.5,b\n3.5,a\n", NULL, &s), ISO_E_DATA, "no header");
	/* names that are all values of their own columns, and one that is not */
	tk_fails(infer_with("red,yes\nblue,no\nred,yes\n", NULL, &s), ISO_E_DATA, "no header");
	tk_ok(infer_with("red,won\nblue,no\nred,yes\n", NULL, &s));
	iso_schema_free(s);
	/* R's write.table, and a column of names with spaces, which is none of its files */
	tk_fails(infer_with("\"x\" \"y\"\n\"1\" 1.5 \"a\"\n\"2\" 2.5 \"b\"\n", NULL, &s),
		 ISO_E_DATA, "separated by spaces");
	tk_fails(infer_with("x y\n1 2\n3 4\n", NULL, &s), ISO_E_DATA, "separated by spaces");
	tk_ok(infer_with("full name\nJohn Smith\nJane Doe\nJohn Smith\n", NULL, &s));
	iso_schema_free(s);
	/* groups of digits are no numbers, with either decimal sign */
	tk_fails(infer_with("p,y\n\"1,234.50\",a\n950,b\n\"2,000\",a\n", NULL, &s), ISO_E_DATA,
		 "column p, line 2): \"1,234.50\" has separators of thousands");
	/* a date with a time is no date: dropped, with the reason */
	tk_ok(infer_with("t,y\n2024-01-31 10:00:00,a\n2024-02-01T09:30Z,b\n31.01.2024 08:15,a\n",
			 NULL, &s));
	ck_assert_str_eq(iso_role_name(s->column[0].role), "id");
	ck_assert(noted("column t has dates with times (2024-01-31 10:00:00): dropped"));
	iso_schema_free(s);
	tk_fails(infer_with("1,2\n3,4\n", NULL, &s), ISO_E_DATA, "looks like data (\"1\", \"2\")");
	/* years are names, when something else is, too */
	tk_ok(infer_with("country,1999,2000\nit,1,2\nfr,3,5\n", NULL, &s));
	iso_schema_free(s);
}
END_TEST

START_TEST(test_wrong_separator_is_named)
{
	iso_schema *s;
	iso_table *t;

	tk_ok(infer_with("a,b\n1,x\n5,y\n", NULL, &s));
	tk_fails(iso_table_parse_csv("a;b\n1;x\n", 8, "f.csv", s, &t, &err), ISO_E_DATA,
		 "\"csv\": {\"separator\": \";\"}");
	iso_schema_free(s);
}
END_TEST

/* Days against an independent count: walking the calendar from 1970-01-01. */
START_TEST(test_dates)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	double day = 0, got;
	char text[64], back[16];

	for (int y = 1970; y < 2110; y++)
		for (int m = 0; m < 12; m++) {
			const int leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

			for (int d = 1; d <= days[m] + (m == 1 && leap); d++, day++) {
				snprintf(text, sizeof(text), "%04d-%02d-%02d", y, m + 1, d);
				ck_assert(iso_date_read(text, ISO_DATE_YMD_DASH, &got));
				ck_assert_double_eq(got, day);
				iso_date_text(day, ISO_DATE_YMD_DASH, back);
				ck_assert_str_eq(back, text);
			}
		}
	ck_assert(iso_date_read("0001-01-01", ISO_DATE_YMD_DASH, &got) && got == ISO_DATE_LOW);
	ck_assert(iso_date_read("31.12.9999", ISO_DATE_DMY_DOT, &got) && got == ISO_DATE_HIGH);
	ck_assert(!iso_date_read("2019-02-29", ISO_DATE_YMD_DASH, &got));
	ck_assert(!iso_date_read("2019-13-01", ISO_DATE_YMD_DASH, &got));
	ck_assert(!iso_date_read("2019-01-01x", ISO_DATE_YMD_DASH, &got));
	ck_assert(!iso_date_read("19-01-01", ISO_DATE_YMD_DASH, &got));
	ck_assert(!iso_date_read("2019-00-10", ISO_DATE_YMD_DASH, &got));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("infer");
	TCase *t = tcase_create("infer");

	tcase_add_test(t, test_nothing_is_damaged);
	tcase_add_test(t, test_row_names);
	tcase_add_test(t, test_tokens);
	tcase_add_test(t, test_given);
	tcase_add_test(t, test_notes_and_refusals);
	tcase_add_test(t, test_wrong_separator_is_named);
	tcase_add_test(t, test_dates);
	suite_add_tcase(s, t);
	return tk_run(s);
}
