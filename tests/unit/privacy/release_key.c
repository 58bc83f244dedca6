// SPDX-License-Identifier: Apache-2.0
/* The key of a release: every fact changes it, nothing else does; the coins of secure mode. */
#include "core/privacy/release_key.h"

#include <string.h>

#include "core/privacy/noise.h"
#include "tests/support/testkit.h"

static iso_error err;

static iso_release_key key_of(const iso_release_facts *f)
{
	iso_release_key k;

	tk_ok(iso_release_key_of(f, &k, &err));
	return k;
}

static const size_t class_a[] = {3, 4}, class_b[] = {4, 3};

static iso_release_facts base(const iso_plan *p)
{
	return (iso_release_facts){.seed = 1,
				   .generator = "g",
				   .version = 1,
				   .options = "{}",
				   .data = "00",
				   .n = 7,
				   .class_count = class_a,
				   .classes = 2,
				   .epsilon = 1,
				   .delta = 1e-5,
				   .scale = 2,
				   .plan = p};
}

static iso_plan plan_of(double noise, double rate, uint64_t count, double sensitivity)
{
	iso_plan p = {0};

	tk_ok(iso_plan_gaussian(&p, (iso_entry){.why = "a"}, noise, rate, count, sensitivity,
				&err));
	return p;
}

/* Table of facts, one changed at a time: all keys differ, pair by pair. */
START_TEST(every_fact_changes_the_key)
{
	iso_plan p[] = {plan_of(1, 1, 1, 1), plan_of(2, 1, 1, 1), plan_of(1, 0.5, 1, 1),
			plan_of(1, 1, 2, 1), plan_of(1, 1, 1, 2)};
	iso_release_facts f[22];
	iso_release_key k[22];
	const size_t n = ISO_COUNT(f);

	for (size_t i = 0; i < n; i++)
		f[i] = base(&p[0]);
	f[1].seed = 2;
	f[2].generator = "h";
	f[3].version = 2;
	f[4].options = "{\"a\":1}";
	f[5].options = NULL;
	f[6].data = "01";
	f[7].n = 8;
	f[8].class_count = class_b;
	f[9].class_count = NULL;
	f[10].classes = 1;
	f[11].epsilon = 2;
	f[12].delta = 2e-5;
	f[13].scale = 2.0000001;
	f[14].adjacency = ISO_REPLACE_ONE;
	f[15].accountant = ISO_ACC_RDP;
	f[16].plan = &p[1];
	f[17].plan = &p[2];
	f[18].plan = &p[3];
	f[19].plan = &p[4];
	f[20].plan = NULL;
	f[21].options = ""; /* and its neighbour takes the characters */
	f[21].generator = "g{}";
	for (size_t i = 0; i < n; i++) {
		const iso_release_key again = key_of(&f[i]);

		k[i] = key_of(&f[i]);
		ck_assert_mem_eq(k[i].digest, again.digest, 32);
		ck_assert_int_eq(k[i].secure, 0);
		for (size_t j = 0; j < i; j++)
			ck_assert_msg(memcmp(k[i].digest, k[j].digest, 32) != 0,
				      "facts %zu and %zu share a key", j, i);
	}
	/* the last bits of the scale are another C library's and do not count */
	f[0].scale = nextafter(2, 3);
	ck_assert_mem_eq(key_of(&f[0]).digest, k[0].digest, 32);
	for (size_t i = 0; i < ISO_COUNT(p); i++)
		iso_plan_free(&p[i]);
}
END_TEST

START_TEST(secure_keys_are_fresh)
{
	iso_release_facts f = base(NULL);
	iso_release_key a, b;
	iso_key fit_a, fit_b, again;

	f.secure = 1;
	a = key_of(&f);
	b = key_of(&f);
	ck_assert_int_eq(a.secure, 1);
	ck_assert(memcmp(a.digest, b.digest, 32) != 0);
	tk_ok(iso_release_key_fit(&a, &fit_a, &err));
	tk_ok(iso_release_key_fit(&a, &again, &err));
	tk_ok(iso_release_key_fit(&b, &fit_b, &err));
	ck_assert_uint_eq(fit_a.k, again.k);
	ck_assert_uint_ne(fit_a.k, fit_b.k);
	/* not the digest itself: who sees the key of fit must not see the key of the noise */
	ck_assert(memcmp(&fit_a.k, a.digest, sizeof(fit_a.k)) != 0);
}
END_TEST

/* ------------------------------------------------------------------ coins */

#define MANY 200000

static iso_noise *noise_of(void)
{
	iso_release_key k;
	iso_noise *z;

	tk_ok(iso_release_key_plain(3, "coins", 0, &k, &err));
	tk_ok(iso_noise_new(k.digest, 1, &z, &err));
	return z;
}

/* A binomial at 6 standard errors: false alarm 2e-9 each; a rate off by 4 % is noticed. */
START_TEST(coins_have_their_rate)
{
	iso_noise *z = noise_of();
	uint64_t *id = malloc(MANY * sizeof(*id));
	uint32_t *out = malloc(MANY * sizeof(*out));
	const double rate[] = {0.3, 0.01, 0, 1};

	for (size_t i = 0; i < MANY; i++)
		id[i] = i;
	for (size_t k = 0; k < ISO_COUNT(rate); k++) {
		const double q = rate[k], sd = sqrt(MANY * q * (1 - q));
		size_t n;

		tk_ok(iso_noise_poisson(z, 1, (uint32_t)k, id, MANY, q, out, &n, &err));
		ck_assert(fabs((double)n - MANY * q) <= 6 * sd);
		for (size_t i = 1; i < n; i++)
			ck_assert_uint_gt(out[i], out[i - 1]);
	}
	free(id);
	free(out);
	iso_noise_free(z);
}
END_TEST

static int in_batch(iso_noise *z, uint32_t stream, uint32_t step, uint64_t id)
{
	uint32_t out[1];
	size_t n;

	tk_ok(iso_noise_poisson(z, stream, step, &id, 1, 0.5, out, &n, &err));
	return n == 1;
}

/* In any order, with gaps, one by one: a record's coin is a function of its id, stream and step. */
START_TEST(coins_belong_to_ids)
{
	enum { N = 3000 };
	iso_noise *z = noise_of();
	uint64_t id[N], large = (uint64_t)1 << 57;
	uint32_t out[N];
	size_t n, at = 0, other = 0;

	for (uint64_t i = 0; i < N; i++) /* runs, gaps, jumps back, ids beyond 2^32 */
		id[i] = i % 7 == 6 ? i * 1315423911u : i % 5 == 4 ? N - i : 3 * i + (i % 3 == 0);
	tk_ok(iso_noise_poisson(z, 4, 9, id, N, 0.5, out, &n, &err));
	for (uint32_t i = 0; i < N; i++) {
		const int in = at < n && out[at] == i;

		at += (size_t)in;
		ck_assert_int_eq(in_batch(z, 4, 9, id[i]), in);
		other += (size_t)(in_batch(z, 4, 10, id[i]) != in);
	}
	ck_assert_uint_eq(at, n);
	ck_assert(other > 1300 && other < 1700); /* another step: independent, 7 sd */
	tk_fails(iso_noise_poisson(z, 4, 9, &large, 1, 0.5, out, &n, &err), ISO_E_LIMIT, "2^57");
	iso_noise_free(z);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("privacy/release_key");
	TCase *c = tcase_create("key");

	tcase_add_test(c, every_fact_changes_the_key);
	tcase_add_test(c, secure_keys_are_fresh);
	tcase_add_test(c, coins_have_their_rate);
	tcase_add_test(c, coins_belong_to_ids);
	suite_add_tcase(s, c);
	return tk_run(s);
}
