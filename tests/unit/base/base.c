// SPDX-License-Identifier: Apache-2.0
/* Status, allocation, strings, hashes. Oracles: FIPS 180-2 test vectors, hand counts. */
#include <stdio.h>
#include <string.h>

#include "core/base/sha256.h"
#include "core/base/str.h"
#include "tests/support/testkit.h"

START_TEST(first_error_wins_and_context_is_prefixed)
{
	iso_error err = {0};

	ck_assert_int_eq(iso_fail(&err, ISO_E_DATA, "bad cell (%s:%d)", "a.csv", 7), ISO_E_DATA);
	iso_fail(&err, ISO_E_IO, "later");
	ck_assert_str_eq(err.text, "bad cell (a.csv:7)");
	ck_assert_int_eq(iso_fail_context(&err, "suite %s", "demo"), ISO_E_DATA);
	ck_assert_str_eq(err.text, "suite demo: bad cell (a.csv:7)");
	ck_assert_int_eq(iso_fail(NULL, ISO_E_IO, "x"), ISO_E_IO);
}
END_TEST

START_TEST(long_error_texts_are_cut_not_overrun)
{
	iso_error err = {0};
	char big[4096];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	iso_fail(&err, ISO_E_DATA, "%s", big);
	ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
	iso_fail_context(&err, "%s", big);
	ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
}
END_TEST

START_TEST(every_status_has_name_text_and_exit)
{
#define ROW(name, number, exit_status, text) \
	ck_assert_str_eq(iso_status_name(name), #name); \
	ck_assert_int_eq(name, number); \
	ck_assert_int_eq(iso_status_exit(name), exit_status); \
	ck_assert(strlen(iso_status_text(name)) > 3);
	ISO_STATUS_LIST(ROW)
#undef ROW
}
END_TEST

START_TEST(allocation_is_zeroed_aligned_and_can_be_made_to_fail)
{
	unsigned char *p = iso_alloc(1000, 3);

	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq((uintptr_t)p % ISO_ALIGN, 0);
	for (size_t i = 0; i < 3000; i++)
		ck_assert_uint_eq(p[i], 0);
	iso_free(p);
	ck_assert_ptr_null(iso_alloc(SIZE_MAX, 2));
	iso_alloc_fail_after(2);
	p = iso_alloc(1, 1);
	ck_assert_ptr_nonnull(p);
	ck_assert_ptr_null(iso_alloc(1, 1));
	iso_free(p);
	p = iso_alloc(1, 1); /* the hook fires once */
	ck_assert_ptr_nonnull(p);
	iso_free(p);
}
END_TEST

START_TEST(grow_keeps_contents_and_survives_failure)
{
	int *v = NULL;
	size_t cap = 0;
	iso_error err = {0};

	for (int i = 0; i < 1000; i++) {
		tk_ok(iso_grow(&v, &cap, (size_t)i + 1, sizeof(*v), &err));
		v[i] = i * i;
	}
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(v[i], i * i);
	iso_alloc_fail_after(1);
	tk_fails(iso_grow(&v, &cap, 100000, sizeof(*v), &err), ISO_E_NOMEM, "out of memory");
	ck_assert_int_eq(v[999], 999 * 999);
	iso_free(v);
}
END_TEST

START_TEST(arena_blocks_do_not_overlap)
{
	iso_arena a = {0};
	unsigned char *p[200];

	for (size_t i = 0; i < 200; i++) {
		p[i] = iso_arena_alloc(&a, i * 37 + 1, 1);
		ck_assert_ptr_nonnull(p[i]);
		memset(p[i], (int)i, i * 37 + 1);
	}
	for (size_t i = 0; i < 200; i++)
		for (size_t j = 0; j < i * 37 + 1; j++)
			ck_assert_uint_eq(p[i][j], (unsigned char)i);
	ck_assert_str_eq(iso_arena_strdup(&a, "text"), "text");
	ck_assert_ptr_nonnull(iso_arena_alloc(&a, 1 << 20, 1));
	iso_arena_free(&a);
}
END_TEST

START_TEST(string_appends_and_reports_failure_once)
{
	iso_str s = {0};
	iso_error err = {0};

	iso_str_addf(&s, "%d-%s", 42, "x");
	iso_str_addn(&s, "abcdef", 3);
	ck_assert_str_eq(s.p, "42-xabc");
	ck_assert_uint_eq(s.n, 7);
	iso_alloc_fail_after(1);
	for (int i = 0; i < 100; i++)
		iso_str_add(&s, "0123456789");
	tk_fails(iso_str_check(&s, &err), ISO_E_NOMEM, "memory");
	iso_str_free(&s);
}
END_TEST

START_TEST(nearest_word)
{
	static const char *const words[] = {"generators", "metrics", "attacks", "seeds"};

	ck_assert_str_eq(iso_nearest_word("genrators", words, 4), "generators");
	ck_assert_str_eq(iso_nearest_word("seed", words, 4), "seeds");
	ck_assert_ptr_null(iso_nearest_word("q", words, 4));
	ck_assert_ptr_null(iso_nearest_word("", words, 0));
	/* a swap is one mistake; a third of the letters may be wrong; capitals are none */
	ck_assert_str_eq(iso_nearest_word("seesd", words, 4), "seeds");
	ck_assert_str_eq(iso_nearest_word("METRICS", words, 4), "metrics");
	ck_assert_str_eq(iso_nearest_word("atakcs", words, 4), "attacks");
	ck_assert_ptr_null(iso_nearest_word("antics", words, 4)); /* 3 of 6 from attacks, metrics */
	ck_assert_ptr_null(iso_nearest_word("needles", words, 4));
	/* a beginning that only one word has */
	ck_assert_str_eq(iso_nearest_word("gen", words, 4), "generators");
	ck_assert_ptr_null(iso_nearest_word("me", words, 4));
}
END_TEST

START_TEST(sha256_of_fips_vectors)
{
	static const struct {
		const char *text, *hex;
	} golden[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};
	iso_error err = {0};
	uint8_t digest[32];
	char hex[65];

	for (size_t i = 0; i < ISO_COUNT(golden); i++) {
		tk_ok(iso_sha256_of(golden[i].text, strlen(golden[i].text), digest, &err));
		iso_hex(digest, 32, hex);
		ck_assert_str_eq(hex, golden[i].hex);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("base");
	TCase *c = tcase_create("base");

	tcase_add_test(c, first_error_wins_and_context_is_prefixed);
	tcase_add_test(c, long_error_texts_are_cut_not_overrun);
	tcase_add_test(c, every_status_has_name_text_and_exit);
	tcase_add_test(c, allocation_is_zeroed_aligned_and_can_be_made_to_fail);
	tcase_add_test(c, grow_keeps_contents_and_survives_failure);
	tcase_add_test(c, arena_blocks_do_not_overlap);
	tcase_add_test(c, string_appends_and_reports_failure_once);
	tcase_add_test(c, nearest_word);
	tcase_add_test(c, sha256_of_fips_vectors);
	suite_add_tcase(s, c);
	return tk_run(s);
}
