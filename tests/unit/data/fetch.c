// SPDX-License-Identifier: Apache-2.0
/* The reshaping of published files into ours, without a network: the published text is rebuilt from
 * our pinned file by the opposite steps, its hash is compared with the one that upstream is known
 * by, and it is reshaped again. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/data/sources.h"
#include "core/io/file.h"
#include "tests/support/testkit.h"

static iso_error err;

START_TEST(test_steps)
{
	static const struct {
		unsigned how;
		const char *append, *in, *want;
	} cases[] = {
		{ISO_RAW, NULL, "a, b\r\n\n", "a, b\r\n\n"},
		{ISO_RESHAPE, NULL, "a, b\r\n\n \nc", "a, b\nc\n"},
		{ISO_TRIM, NULL, "a, b,  c d\n", "a,b, c d\n"},
		{ISO_TRIM | ISO_DROP_DOT, NULL, "a, b.\n", "a,b\n"},
		{ISO_SPLIT_SEMICOLON | ISO_DROP_LINE, ",red", "\"h\"\n1;2\n", "1,2,red\n"},
		{ISO_SPLIT_SPACE, NULL, "1 2 \n3 4\n", "1,2\n3,4\n"},
		{ISO_SPLIT_SEMICOLON, NULL, "\"a;b\";c\n", "\"a;b\",c\n"},
		{ISO_RESHAPE, NULL, "", ""},
	};

	for (size_t i = 0; i < ISO_COUNT(cases); i++) {
		iso_data_file f = {.path = "x",
				   .reshape = cases[i].how,
				   .part = {{.url = "u", .append = cases[i].append}}};
		const char *const text[2] = {cases[i].in, NULL};
		const size_t n[2] = {strlen(cases[i].in), 0};
		iso_str out = {0};

		tk_ok(iso_data_reshape(&f, NULL, text, n, &out, &err));
		ck_assert_str_eq(out.p ? out.p : "", cases[i].want);
		iso_str_free(&out);
	}
}
END_TEST

/* What upstream did otherwise: separators, a text at each line's end, a first line, a blank last
 * line. */
typedef struct published {
	const char *name;
	int test; /* the test part */
	int part; /* of a file in two parts; its rows carry part[].append */
	const char *first, *comma, *end, *last;
} published;

static int ends_with(const char *line, size_t n, const char *text)
{
	size_t m = strlen(text);

	return n >= m && memcmp(line + n - m, text, m) == 0;
}

static void rebuild(const published *p, const iso_upstream *up, const char *text, size_t n,
		    iso_str *out)
{
	size_t at = (size_t)((const char *)memchr(text, '\n', n) - text) + 1; /* after our header */

	iso_str_add(out, p->first);
	while (at < n) {
		size_t len = (size_t)((const char *)memchr(text + at, '\n', n - at) - (text + at)),
		       keep = len;
		int mine = !up->append || ends_with(text + at, len, up->append);

		if (up->append)
			keep -= strlen(up->append);
		for (size_t i = 0; i < keep && mine; i++) {
			if (text[at + i] == ',')
				iso_str_add(out, p->comma);
			else
				iso_str_addn(out, text + at + i, 1);
		}
		if (mine)
			iso_str_add(out, p->end);
		at += len + 1;
	}
	iso_str_add(out, p->last);
}

#define WINE_HEADER \
	"\"fixed acidity\";\"volatile acidity\";\"citric acid\";\"residual " \
	"sugar\";\"chlorides\";\"free sulfur dioxide\";" \
	"\"total sulfur dioxide\";\"density\";\"pH\";\"sulphates\";\"alcohol\";\"quality\""
static const published all[] = {
	{"adult", 0, 0, "", ", ", "\n", "\n"},
	{"adult", 1, 0, "|1x3 Cross validator\n", ", ", ".\n", "\n"},
	{"mushroom", 0, 0, "", ",", "\n", ""},
	{"wine-quality", 0, 0, WINE_HEADER "\n", ";", "\n", ""},
	{"wine-quality", 0, 1, WINE_HEADER "\n", ";", "\n", ""},
	{"pima", 0, 0, "", ",", "\n", ""},
	{"german-credit", 0, 0, "", " ", "\n", ""},
	{"cmc", 0, 0, "", ",", "\n", ""},
	{"optdigits", 0, 0, "", ",", "\n", ""},
	{"optdigits", 1, 0, "", ",", "\n", ""},
	{"credit-default", 0, 0, "ID,X1,Y\n", ",", "\r\n", ""},
	{"cervical-cancer", 0, 0, "Age,Citology\r\n", ",", "\r\n", ""},
};

static void check_one(const iso_data_source *s, const iso_data_file *f, const published *p,
		      size_t parts, int *hashed)
{
	iso_str raw[2] = {{0}, {0}}, out = {0};
	const char *ptr[2] = {"", ""};
	size_t len[2] = {0, 0}, n;
	iso_schema *schema;
	char *text, hex[65];

	tk_ok(iso_data_file_load(s, f, &text, &n, &err));
	for (size_t i = 0; i < parts; i++) {
		rebuild(&p[i], &f->part[i], text, n, &raw[i]);
		ptr[i] = raw[i].p;
		len[i] = raw[i].n;
		if (!f->part[i].sha256)
			continue;
		tk_ok(iso_data_digest(raw[i].p, raw[i].n, hex, &err));
		*hashed += 1;
		ck_assert_msg(strcmp(hex, f->part[i].sha256) == 0,
			      "%s part %zu is not upstream's: %zu bytes", s->info.name, i, len[i]);
	}
	tk_ok(iso_data_schema(s, &schema, &err));
	tk_ok(iso_data_reshape(f, schema, ptr, len, &out, &err));
	ck_assert_msg(out.n == n && memcmp(out.p, text, n) == 0,
		      "%s: reshaping does not give the pinned file", s->info.name);
	iso_schema_free(schema);
	iso_str_free(&raw[0]);
	iso_str_free(&raw[1]);
	iso_str_free(&out);
	iso_free(text);
}

START_TEST(test_published_files)
{
	int hashed = 0, tried = 0;

	for (size_t i = 0; i < ISO_COUNT(all); i++) {
		const iso_data_source *s = iso_data_source_find(all[i].name);
		const iso_data_file *f = all[i].test ? &s->test[0] : &s->table[0];
		size_t parts = f->part[1].url ? 2 : 1;
		char path[4096];

		iso_data_file_find(f, path, sizeof(path));
		if (*path) {
			check_one(s, f, &all[i], parts, &hashed);
			tried++;
		}
		i += parts - 1;
	}
	if (tried == 11)
		ck_assert_int_eq(hashed, 5); /* adult twice, mushroom, wine twice */
}
END_TEST

/* Every set has a page, every pin 64 digits; what cannot be fetched says how to make it. */
START_TEST(test_table_is_complete)
{
	for (size_t i = 0; i < iso_data_source_count; i++) {
		const iso_data_source *s = &iso_data_sources[i];
		const iso_data_file *files[4] = {&s->table[0], &s->table[1], &s->test[0],
						 &s->test[1]};
		iso_schema *schema;

		ck_assert(*s->info.title && *s->info.licence && *s->info.citation && s->upstream);
		tk_ok(iso_data_schema(s, &schema, &err));
		ck_assert_int_ge(schema->label, 0);
		ck_assert_str_eq(schema->name, s->info.name);
		iso_schema_free(schema);
		ck_assert_int_eq(s->info.embedded, s->table[0].path == NULL);
		for (int k = 0; k < 4; k++) {
			if (!files[k]->path)
				continue;
			ck_assert(ends_with(files[k]->path, strlen(files[k]->path), ".gz"));
			ck_assert_uint_eq(strspn(files[k]->sha256, "0123456789abcdef"), 64);
			ck_assert(files[k]->part[0].url || s->manual);
		}
	}
}
END_TEST

/* A download that fails leaves nothing, and says so; curl is made to fail by an address that
 * resolves nowhere. */
START_TEST(test_failed_download)
{
	const char *dir = tk_tempdir();
	iso_data_source s = *iso_data_source_find("mushroom");
	char **names;
	size_t n;

	s.table[0].path = "no-such-set.csv.gz";
	s.table[0].part[0].url = "http://localhost:1/none";
	ck_assert_int_eq(setenv("ISOEPS_DATA", dir, 1), 0);
	ck_assert_int_eq(iso_data_fetch(&s, &n, &err), ISO_E_IO);
	ck_assert_ptr_nonnull(strstr(err.text, "http://localhost:1/none"));
	iso_error_clear(&err);
	ck_assert_int_eq(setenv("PATH", "/nonexistent", 1), 0);
	tk_fails(iso_data_fetch(&s, &n, &err), ISO_E_IO, "curl is not installed");
	ck_assert_int_eq(rmdir(dir), 0); /* empty, temporaries included */
	s.table[0].part[0].url = NULL;
	s.manual = "convert it";
	tk_fails(iso_data_fetch(&s, &n, &err), ISO_E_UNSUPPORTED, "another format");
	tk_ok(iso_list_dir(dir, "", &names, &n, &err));
	ck_assert_uint_eq(n, 0);
	iso_free(names);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("fetch");
	TCase *t = tcase_create("fetch");

	tcase_add_test(t, test_steps);
	tcase_add_test(t, test_published_files);
	tcase_add_test(t, test_table_is_complete);
	tcase_add_test(t, test_failed_download);
	suite_add_tcase(s, t);
	return tk_run(s);
}
