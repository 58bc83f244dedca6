// SPDX-License-Identifier: Apache-2.0
/* Hostile strings in every text of a record against every output of a report. Oracles: small
 * decoders written here, and a canary: no file whose name begins with PWN may appear. */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/text.h"
#include "core/io/csv.h"
#include "core/io/file.h"
#include "reports/escape.h"
#include "reports/report.h"
#include "tests/unit/reports/records.h"

static char long_name[10001];

/* The string, and whether the rule of labels takes it. */
static const struct {
	const char *text;
	int label;
} hostile[] = {
	{"`touch PWN1`", 1},
	{"$(touch PWN2)", 1},
	{"|touch PWN3", 0},
	{"<touch PWN4", 1},
	{"'; system('touch PWN5'); '", 1},
	{"';system(`touch PWN6`);'", 1},
	{"\"; !touch PWN7", 0},
	{"a\\", 0},
	{"%s%n%d", 1},
	{"a&b;touch PWN8", 1},
	{"a\n!touch PWN9\n", 0},
	{"../PWN10", 0},
	{".hidden", 0},
	{"..", 0},
	{"=HYPERLINK(1)", 0},
	{"+1", 0},
	{"-2+3", 0},
	{"@SUM(A1)", 0},
	{"\xe2\x80\xae"
	 "abc",
	 0},
	{"\xc2\x9b"
	 "31m",
	 0},
	{"\x1b[31mred", 0},
	{"\xff\xfe", 0},
	{"\xc0\xaf", 0},
	{"<script>alert(1)</script>", 0},
	{"<img src=x onerror=alert(1)>", 0},
	{"#comment", 1},
	{"[opt]", 1},
	{"*", 1},
	{"\\input{/etc/passwd}", 0},
	{"$x^2_3~{", 1},
	{"@macro", 0},
	{"a\tb", 0},
	{"\xe4\xb8\xad\xe6\x96\x87 \xc3\xa9", 1},
	{long_name, 0},
};

static void fill_long(void)
{
	memset(long_name, 'A', sizeof(long_name) - 1);
}

static iso_status first_field_of(void *ctx, size_t row, size_t line, char **field, size_t n,
				 iso_error *e)
{
	(void)line;
	(void)e;
	if (row == 1) {
		ck_assert_uint_eq(n, 2);
		snprintf(ctx, 4096, "%s", field[0]);
	}
	return ISO_OK;
}

/* No byte of `text` acts on a terminal, newline apart. */
static void assert_quiet(const char *text, const char *where)
{
	uint32_t cp;
	size_t n;

	for (const char *p = text; (n = iso_utf8_next(p, &cp)) != 0; p += n)
		ck_assert_msg(cp != ISO_UTF8_BAD &&
				      (cp == '\n' || cp == '\t' || !iso_text_acts(cp)),
			      "%s: byte %d acts: %.20s", where, (int)(p - text), p);
}

START_TEST(labels_by_rule)
{
	for (size_t i = 0; i < ISO_COUNT(hostile); i++)
		ck_assert_msg((iso_label_fault(hostile[i].text) == NULL) == hostile[i].label,
			      "%.40s", hostile[i].text);
	ck_assert_ptr_nonnull(iso_label_fault(""));
	ck_assert_ptr_null(iso_label_fault("dp-cgan (eps 1)"));
}
END_TEST

START_TEST(utf8_by_table)
{
	static const struct {
		const char *text;
		size_t n;
		uint32_t cp;
	} t[] = {{"A", 1, 'A'},
		 {"\xc2\xa3", 2, 0xa3},
		 {"\xe2\x82\xac", 3, 0x20ac},
		 {"\xf0\x9d\x84\x9e", 4, 0x1d11e},
		 {"\xed\xa0\x80", 1, ISO_UTF8_BAD},	/* a surrogate */
		 {"\xe0\x80\x80", 1, ISO_UTF8_BAD},	/* overlong */
		 {"\xf4\x90\x80\x80", 1, ISO_UTF8_BAD}, /* above U+10FFFF */
		 {"\xe2\x82", 1, ISO_UTF8_BAD},		/* cut off */
		 {"\x80", 1, ISO_UTF8_BAD}};
	uint32_t cp;

	for (size_t i = 0; i < ISO_COUNT(t); i++) {
		ck_assert_uint_eq(iso_utf8_next(t[i].text, &cp), t[i].n);
		ck_assert_uint_eq(cp, t[i].cp);
	}
	ck_assert_uint_eq(iso_utf8_next("", &cp), 0);
}
END_TEST

static void check_gnuplot(const char *text)
{
	iso_str s = {0};

	iso_gnuplot_string(text, &s);
	ck_assert(s.n >= 2 && s.p[0] == '\'' && s.p[s.n - 1] == '\'');
	ck_assert_ptr_null(strchr(s.p, '\n'));
	ck_assert_ptr_eq(strchr(s.p + 1, '\''), s.p + s.n - 1);
	iso_str_free(&s);
}

static void check_latex(const char *text)
{
	iso_str s = {0};
	int depth = 0;

	iso_latex_escape(text, &s);
	for (const char *p = s.p; *p; p++) {
		ck_assert_ptr_null(strchr("&%#_~^", *p));
		if (*p == '\\' && strchr("&%$#_{}", p[1])) {
			p++;
			continue;
		}
		if (*p == '\\')
			ck_assert(strncmp(p, "\\text", 5) == 0 || strncmp(p, "\\ldots{", 7) == 0);
		depth += (*p == '{') - (*p == '}');
		ck_assert_int_ge(depth, 0);
	}
	ck_assert_int_eq(depth, 0);
	iso_str_free(&s);
}

START_TEST(every_escape_on_every_string)
{
	for (size_t i = 0; i < ISO_COUNT(hostile); i++) {
		iso_str html = {0}, md = {0}, csv = {0}, stem = {0}, plain = {0};
		iso_error err = {0};
		char field[4096];

		iso_html_escape(hostile[i].text, &html);
		ck_assert_ptr_null(strpbrk(html.p, "<>\"'\n"));
		assert_quiet(html.p, "html");
		iso_markdown_escape(hostile[i].text, &md);
		for (const char *p = md.p; *p; p++)
			if (*p == '\\')
				p++;
			else
				ck_assert_ptr_null(strchr("<>|`*_[]#&", *p));
		iso_str_add(&csv, "a,b\n");
		iso_csv_text(hostile[i].text, 0, &csv);
		iso_str_add(&csv, "x\n");
		tk_ok(iso_csv_parse(csv.p, csv.n, "t", first_field_of, field, &err));
		ck_assert(!strchr("=+-@\t\r", field[0]) || !field[0]);
		iso_text_visible(hostile[i].text, ISO_SHOWN_MAX, &plain);
		ck_assert_str_eq(field + (field[0] == '\'' && hostile[i].text[0] != '\''), plain.p);
		iso_file_stem(hostile[i].text, &stem);
		ck_assert(isalnum((unsigned char)stem.p[0]) && stem.n <= 48);
		for (const char *p = stem.p; *p; p++)
			ck_assert(isalnum((unsigned char)*p) || strchr("-_.", *p));
		check_gnuplot(hostile[i].text);
		check_latex(hostile[i].text);
		iso_str_free(&html);
		iso_str_free(&md);
		iso_str_free(&csv);
		iso_str_free(&stem);
		iso_str_free(&plain);
	}
}
END_TEST

START_TEST(terminal_text)
{
	iso_str a = {0}, b = {0};

	iso_text_visible_lines("a\n\x1b[2J\xe2\x80\xae\xff", &a);
	ck_assert_str_eq(a.p, "a\n<U+001B>[2J<U+202E><0xFF>");
	iso_text_visible_json("{\"k\": \"\xc2\x9b\xe2\x80\xae\"}\n", &b);
	ck_assert_str_eq(b.p, "{\"k\": \"\\u009b\\u202e\"}\n");
	iso_str_free(&a);
	iso_str_free(&b);
}
END_TEST

/* A record whose label and data set are hostile as far as the rule allows, and all of whose other
 * texts are hostile. */
static cJSON *record(const char *dataset, const char *label, const char *text, const char *epsilon,
		     int seed)
{
	cJSON *v = tk_record(dataset, label, epsilon, seed), *m, *a;
	static const char *const metric[] = {"name", "title", "unit", "reason"};

	cJSON_ReplaceItemInObject(v, "suite", cJSON_CreateString(text));
	m = cJSON_GetArrayItem(cJSON_GetObjectItem(v, "metrics"), 0);
	for (size_t i = 0; i < ISO_COUNT(metric); i++)
		cJSON_ReplaceItemInObject(m, metric[i], cJSON_CreateString(text));
	a = cJSON_GetArrayItem(cJSON_GetObjectItem(v, "attacks"), 0);
	cJSON_ReplaceItemInObject(a, "label", cJSON_CreateString(label));
	cJSON_ReplaceItemInObject(a, "attack", cJSON_CreateString(text));
	cJSON_AddItemToArray(cJSON_GetObjectItem(v, "caveats"), cJSON_CreateString(text));
	return v;
}

static size_t walk(const char *dir, int scan)
{
	DIR *d = opendir(dir);
	size_t files = 0;

	ck_assert_ptr_nonnull(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		char path[2048];
		struct stat s;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		ck_assert_msg(strncmp(e->d_name, "PWN", 3) != 0, "%s was made", path);
		ck_assert_int_eq(lstat(path, &s), 0);
		if (S_ISDIR(s.st_mode)) {
			files += walk(path, scan || strcmp(e->d_name, "report") == 0);
			continue;
		}
		files++;
		if (!scan)
			continue;
		for (const char *p = e->d_name; *p; p++)
			ck_assert_msg(isalnum((unsigned char)*p) || strchr("-_.~", *p), "%s", path);
		ck_assert(isalnum((unsigned char)e->d_name[0]));
		if (!strstr(path, ".pdf") && !strstr(path, ".png")) {
			iso_error err = {0};
			char *text = NULL;
			size_t n;

			tk_ok(iso_file_read(path, 0, &text, &n, &err));
			ck_assert_uint_eq(strlen(text), n);
			assert_quiet(text, path);
			if (strstr(path, ".html") || strstr(path, ".svg"))
				ck_assert(!strstr(text, "<script>alert") &&
					  !strstr(text, "<img src=x"));
			free(text);
		}
	}
	closedir(d);
	return files;
}

START_TEST(every_string_in_a_report)
{
	const char *dir = tk_tempdir();
	iso_report_summary s;
	iso_error err = {0};
	size_t labels = 0, records = 0;

	for (size_t i = 0; i < ISO_COUNT(hostile); i++) {
		const char *text = hostile[i].text;
		char plain[32];
		cJSON *v;

		if (strchr(text, '\xff') || strchr(text, '\xc0'))
			continue; /* no JSON */
		snprintf(plain, sizeof(plain), "m%zu", i);
		labels += (size_t)hostile[i].label;
		v = record((i == 0 || i == 5) && hostile[i].label ? text : "d",
			   hostile[i].label ? text : plain, text, i % 2 ? "1" : "8", 1);
		tk_ok(iso_record_write(dir, v, &err));
		cJSON_Delete(v);
		records++;
	}
	ck_assert_uint_gt(labels, 8);
	tk_ok(iso_report_write(dir, NULL, ISO_REPORT_ALL, NULL, &s, &err));
	ck_assert_uint_eq(s.records, records);
	ck_assert_uint_eq(s.figures_failed, 0);
	ck_assert_uint_gt(walk(dir, 0), records * 3);
}
END_TEST

START_TEST(labels_of_records_are_checked)
{
	for (size_t i = 0; i < ISO_COUNT(hostile); i++) {
		cJSON *v = tk_record("d", "g", "1", 1);
		iso_error err = {0};

		cJSON_ReplaceItemInObject(v, "label", cJSON_CreateString(hostile[i].text));
		if (hostile[i].label)
			tk_ok(iso_record_check(v, "r", &err));
		else
			tk_fails(iso_record_check(v, "r", &err), ISO_E_DATA, "label");
		cJSON_Delete(v);
	}
}
END_TEST

START_TEST(samples_stay_in_their_folder)
{
	cJSON *v = tk_record("d", "g", "1", 1);
	iso_error err = {0};

	cJSON_ReplaceItemInObject(v, "samples", cJSON_CreateString("samples/../../x.csv.gz"));
	tk_fails(iso_record_check(v, "r", &err), ISO_E_DATA, "samples");
	cJSON_Delete(v);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hostile");
	TCase *c = tcase_create("hostile");

	fill_long();
	tcase_add_test(c, labels_by_rule);
	tcase_add_test(c, utf8_by_table);
	tcase_add_test(c, every_escape_on_every_string);
	tcase_add_test(c, terminal_text);
	tcase_add_test(c, every_string_in_a_report);
	tcase_add_test(c, labels_of_records_are_checked);
	tcase_add_test(c, samples_stay_in_their_folder);
	suite_add_tcase(s, c);
	return tk_run(s);
}
