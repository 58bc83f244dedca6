// SPDX-License-Identifier: Apache-2.0
/* Philox against the published vectors; addressed draws, Poisson batches and streams: uniform, and
 * independent of who else draws.  Statistical tests have a false-alarm rate of 1e-6 each, on fixed
 * seeds. */
#include "core/rand/rand.h"

#include <string.h>

#include "core/math/gemm.h"
#include "tests/support/testkit.h"

/* ck_assert reports each success to the parent process; inside long loops only failures should
 * talk. */
#define expect(cond, ...) \
	do { \
		if (!(cond)) \
			ck_abort_msg(__VA_ARGS__); \
	} while (0)

#define Z_1E6 4.7534 /* upper 1e-6 point of the normal distribution */

/* Upper 1e-6 point of chi-square: Wilson and Hilferty 1931. */
static double chi2_limit(double df)
{
	const double c = 2 / (9 * df), t = 1 - c + Z_1E6 * sqrt(c);
	return df * t * t * t;
}

static double chi2(const uint32_t *count, size_t bins, double total)
{
	double x = 0;
	for (size_t b = 0; b < bins; b++)
		x += (count[b] - total / (double)bins) * (count[b] - total / (double)bins) /
		     (total / (double)bins);
	return x;
}

/* Random123, kat_vectors, philox4x32 10 rounds. */
START_TEST(test_known_answers)
{
	static const struct {
		uint64_t key, i, j;
		uint32_t want[4];
	} v[] = {
		{0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{UINT64_MAX,
		 UINT64_MAX,
		 UINT64_MAX,
		 {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{0x299f31d0a4093822,
		 0x85a308d3243f6a88,
		 0x0370734413198a2e,
		 {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	};
	for (size_t k = 0; k < ISO_COUNT(v); k++) {
		uint32_t w[4];
		iso_rand_words((iso_key){v[k].key}, v[k].i, v[k].j, w);
		for (int b = 0; b < 4; b++)
			ck_assert_uint_eq(w[b], v[k].want[b]);
	}
}
END_TEST

START_TEST(test_keys_differ)
{
	const iso_key a = iso_key_new(1, "fit/x/init");
	ck_assert(a.k == iso_key_new(1, "fit/x/init").k);
	ck_assert(a.k != iso_key_new(2, "fit/x/init").k);
	ck_assert(a.k != iso_key_new(1, "fit/x/inis").k);
	ck_assert(a.k != iso_key_new(1, "fit/x/ini").k);
	ck_assert(iso_key_new(1, "").k != iso_key_new(1, "a").k);
	ck_assert(iso_key_new(1, "12345678").k != iso_key_new(1, "123456789").k);
	uint64_t seen[400];
	size_t n = 0;
	for (uint64_t i = 0; i < 200; i++) {
		seen[n++] = iso_key_child(a, "layer", i).k;
		seen[n++] = iso_key_child(a, "step", i).k;
	}
	for (size_t p = 0; p < n; p++)
		for (size_t q = 0; q < p; q++)
			expect(seen[p] != seen[q], "children %zu and %zu have one key", p, q);
}
END_TEST

START_TEST(test_u01_uniform)
{
	enum { N = 1 << 20, BINS = 256 };
	static uint32_t by_j[BINS], by_i[BINS], pairs[BINS];
	const iso_key key = iso_key_new(5, "u");
	double before = 0.5;
	for (uint64_t a = 0; a < N; a++) {
		const double u = iso_rand_u01(key, 3, a), v = iso_rand_u01(key, a, 3);
		expect(u > 0 && u < 1 && v > 0 && v < 1, "outside (0,1) at %llu",
		       (unsigned long long)a);
		by_j[(size_t)(u * BINS)]++;
		by_i[(size_t)(v * BINS)]++;
		pairs[(size_t)(before * 16) * 16 + (size_t)(u * 16)]++; /* neighbours */
		before = u;
	}
	ck_assert_double_lt(chi2(by_j, BINS, N), chi2_limit(BINS - 1));
	ck_assert_double_lt(chi2(by_i, BINS, N), chi2_limit(BINS - 1));
	ck_assert_double_lt(chi2(pairs, BINS, N), chi2_limit(BINS - 1));
	/* and the test can fail: one draw in 60 moved to the first bin */
	for (size_t b = 1; b < BINS; b++) {
		by_j[0] += by_j[b] / 60;
		by_j[b] -= by_j[b] / 60;
	}
	ck_assert_double_gt(chi2(by_j, BINS, N), chi2_limit(BINS - 1));
}
END_TEST

/* Element e depends on (key, i, e) alone, whatever n and the instruction set. */
START_TEST(test_fills_addressed)
{
	enum { N = 1000 };
	static float whole[2][N], part[N];
	const iso_key key = iso_key_new(6, "fill");
	const iso_isa best = iso_isa_active();
	iso_isa_force(ISO_ISA_PORTABLE);
	iso_rand_fill_uniform(key, 9, -1, 3, whole[0], N);
	iso_rand_fill_normal(key, 9, 1, 2, whole[1], N);
	for (iso_isa isa = ISO_ISA_PORTABLE; isa <= ISO_ISA_AVX512; isa++) {
		for (size_t n = 1; iso_isa_force(isa) && n <= N; n = n * 3 + 1) {
			iso_rand_fill_uniform(key, 9, -1, 3, part, n);
			ck_assert(memcmp(part, whole[0], n * sizeof(float)) == 0);
			iso_rand_fill_normal(key, 9, 1, 2, part, n);
			ck_assert(memcmp(part, whole[1], n * sizeof(float)) == 0);
		}
	}
	iso_isa_force(best);
	iso_rand_fill_normal(key, 10, 1, 2, part, N);
	ck_assert(memcmp(part, whole[1], sizeof(part)) != 0);
	for (size_t e = 0; e < N; e++)
		ck_assert(whole[0][e] >= -1 && whole[0][e] <= 3);
}
END_TEST

START_TEST(test_fill_normal_distribution)
{
	enum { N = 1 << 20, BINS = 256 };
	static float z[N];
	static uint32_t count[BINS];
	iso_rand_fill_normal(iso_key_new(7, "n"), 0, 0, 1, z, N);
	double m1 = 0, m2 = 0, m4 = 0;
	for (size_t e = 0; e < N; e++) {
		const double p = 0.5 * erfc(-z[e] * 0.70710678118654752);
		const size_t b = (size_t)(p * BINS);
		count[b < BINS ? b : BINS - 1]++;
		m1 += z[e];
		m2 += (double)z[e] * z[e];
		m4 += (double)z[e] * z[e] * z[e] * z[e];
	}
	const double root = sqrt((double)N), z2 = 4.8916; /* two-sided 1e-6 */
	ck_assert_double_lt(chi2(count, BINS, N), chi2_limit(BINS - 1));
	ck_assert_double_lt(fabs(m1 / N) * root, z2);
	ck_assert_double_lt(fabs(m2 / N - 1) * root / sqrt(2), z2);
	ck_assert_double_lt(fabs(m4 / N - 3) * root / sqrt(96), z2);
}
END_TEST

/* ---- Poisson sampling ---- */

enum { IDS = 20000 };

/* in[id] after one draw over ids 0 .. IDS-1. */
static size_t membership(iso_key key, uint64_t t, double q, uint8_t *in)
{
	static uint64_t id[IDS];
	static uint32_t out[IDS];
	memset(in, 0, IDS);
	for (uint64_t i = 0; i < IDS; i++)
		id[i] = i;
	const size_t n = iso_rand_poisson(key, t, id, IDS, q, out);
	for (size_t k = 0; k < n; k++) {
		expect(k == 0 || out[k] > out[k - 1], "positions are not in order");
		in[out[k]] = 1;
	}
	return n;
}

/* A record's inclusion is the same in any subset, order and offset, on any instruction set. */
START_TEST(test_poisson_independent_of_others)
{
	static uint8_t in[IDS];
	static uint64_t id[IDS];
	static uint32_t out[IDS];
	const iso_key key = iso_key_new(8, "poisson");
	const iso_isa best = iso_isa_active();
	static const double rates[] = {0.001, 0.03, 0.5, 0.97};
	for (size_t r = 0; r < ISO_COUNT(rates); r++) {
		membership(key, r, rates[r], in);
		for (int form = 0; form < 6; form++) {
			size_t n = 0;
			for (uint64_t i = 0; i < IDS; i++) {
				const int keep = form == 0   ? i != 777
						 : form == 1 ? i >= 13
						 : form == 2 ? i % 5 != 0
						 : form == 3 ? i % 37 == 5
						 : form == 4 ? i % 9 < 8 && i > 4000
							     : 1;
				if (keep)
					id[n++] = i;
			}
			if (form == 5) {
				iso_stream s = iso_stream_new(key);
				for (size_t k = n; k > 1; k--) {
					const size_t j = (size_t)iso_next_below(&s, k);
					const uint64_t x = id[k - 1];
					id[k - 1] = id[j];
					id[j] = x;
				}
			}
			iso_isa_force((iso_isa)(form % 3));
			const size_t got = iso_rand_poisson(key, r, id, n, rates[r], out);
			iso_isa_force(best);
			size_t at = 0;
			for (size_t p = 0; p < n; p++) {
				const int drawn = at < got && out[at] == p;
				expect(drawn == in[id[p]],
				       "record %llu changes with the others (form %d, rate %g)",
				       (unsigned long long)id[p], form, rates[r]);
				at += (size_t)drawn;
			}
			ck_assert_uint_eq(at, got);
		}
	}
}
END_TEST

START_TEST(test_poisson_rate)
{
	static uint8_t in[IDS];
	static uint32_t by_record[IDS], both;
	const iso_key key = iso_key_new(9, "rate");
	const double q = 0.02;
	enum { STEPS = 400 };
	double total = 0, square = 0, last = -1;
	for (uint64_t t = 0; t < STEPS; t++) {
		const double n = (double)membership(key, t, q, in);
		total += n;
		square += (n - q * IDS) * (n - q * IDS);
		both += n == last;
		last = n;
		for (size_t i = 0; i < IDS; i++)
			by_record[i] += in[i];
	}
	const double draws = (double)IDS * STEPS, var = IDS * q * (1 - q);
	ck_assert_double_lt(fabs(total - q * draws) / sqrt(draws * q * (1 - q)), 4.8916);
	/* the batch size is binomial: its variance over steps */
	ck_assert_double_lt(square / var, chi2_limit(STEPS));
	ck_assert_double_gt(square / var, STEPS - Z_1E6 * sqrt(2.0 * STEPS));
	/* and so is each record's number of steps */
	double x = 0;
	for (size_t i = 0; i < IDS; i++)
		x += (by_record[i] - q * STEPS) * (by_record[i] - q * STEPS) /
		     (STEPS * q * (1 - q));
	ck_assert_double_lt(fabs(x - IDS) / sqrt(2.0 * IDS), 6);
	ck_assert_uint_lt(both, STEPS / 4);
}
END_TEST

START_TEST(test_poisson_ends)
{
	static uint8_t in[IDS];
	const iso_key key = iso_key_new(10, "ends");
	ck_assert_uint_eq(membership(key, 0, 0, in), 0);
	ck_assert_uint_eq(membership(key, 0, -1, in), 0);
	ck_assert_uint_eq(membership(key, 0, NAN, in), 0);
	ck_assert_uint_eq(membership(key, 0, 1, in), IDS);
	ck_assert_uint_eq(membership(key, 0, 2, in), IDS);
	uint32_t out[1];
	ck_assert_uint_eq(iso_rand_poisson(key, 0, NULL, 0, 0.5, out), 0);
	/* larger rates only add records */
	static uint8_t more[IDS];
	membership(key, 4, 0.1, in);
	membership(key, 4, 0.2, more);
	for (size_t i = 0; i < IDS; i++)
		expect(more[i] >= in[i], "record %zu left when the rate rose", i);
}
END_TEST

/* ---- streams ---- */

START_TEST(test_below_unbiased)
{
	iso_stream s = iso_stream_new(iso_key_new(11, "below"));
	uint32_t count[7] = {0};
	enum { N = 700000 };
	for (int k = 0; k < N; k++)
		count[iso_next_below(&s, 7)]++;
	ck_assert_double_lt(chi2(count, 7, N), chi2_limit(6));
	ck_assert_uint_eq(iso_next_below(&s, 1), 0);
	/* 3 * 2^62: a plain modulo would put twice the mass on the first third */
	const uint64_t big = (uint64_t)3 << 62;
	uint32_t third[3] = {0};
	for (int k = 0; k < 30000; k++)
		third[iso_next_below(&s, big) >> 62]++;
	ck_assert_double_lt(chi2(third, 3, 30000), chi2_limit(2));
}
END_TEST

START_TEST(test_shuffle_uniform)
{
	iso_stream s = iso_stream_new(iso_key_new(12, "shuffle"));
	uint32_t count[24] = {0};
	for (int k = 0; k < 240000; k++) {
		uint32_t x[4] = {0, 1, 2, 3};
		iso_shuffle(&s, x, 4);
		expect((1u << x[0] | 1u << x[1] | 1u << x[2] | 1u << x[3]) == 15,
		       "not a permutation");
		const uint32_t b = x[1] - (x[1] > x[0]), c = x[2] - (x[2] > x[0]) - (x[2] > x[1]);
		count[x[0] * 6 + b * 2 + c]++;
	}
	ck_assert_double_lt(chi2(count, 24, 240000), chi2_limit(23));
	iso_shuffle(&s, NULL, 0);
}
END_TEST

START_TEST(test_choice_and_normal)
{
	iso_stream s = iso_stream_new(iso_key_new(13, "choice"));
	const double w[] = {0, 1, 0, 3, 4, 0};
	uint32_t got[6] = {0};
	double m2 = 0, m1 = 0;
	enum { N = 200000 };
	for (int k = 0; k < N; k++) {
		got[iso_next_choice(&s, w, 6)]++;
		const double z = iso_next_normal(&s);
		m1 += z;
		m2 += z * z;
	}
	ck_assert_uint_eq(got[0] + got[2] + got[5], 0);
	for (int k = 1; k < 5; k++)
		if (w[k] > 0)
			ck_assert_double_lt(fabs(got[k] - N * w[k] / 8) /
						    sqrt(N * w[k] / 8 * (1 - w[k] / 8)),
					    4.8916);
	ck_assert_double_lt(fabs(m1) / sqrt(N), 4.8916);
	ck_assert_double_lt(fabs(m2 / N - 1) * sqrt(N / 2.0), 4.8916);
}
END_TEST

START_TEST(test_stream_restarts)
{
	iso_stream a = iso_stream_new(iso_key_new(14, "s")), b = a;
	for (int k = 0; k < 100; k++)
		ck_assert(iso_next_u64(&a) == iso_next_u64(&b));
	b.at = 3;
	a = iso_stream_new(iso_key_new(14, "s"));
	for (int k = 0; k < 3; k++)
		iso_next_u64(&a);
	ck_assert(iso_next_u64(&a) == iso_next_u64(&b));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rand/rand");
	TCase *c = tcase_create("philox");
	tcase_add_test(c, test_known_answers);
	tcase_add_test(c, test_keys_differ);
	tcase_add_test(c, test_u01_uniform);
	tcase_add_test(c, test_fills_addressed);
	tcase_add_test(c, test_fill_normal_distribution);
	suite_add_tcase(s, c);
	c = tcase_create("poisson");
	tcase_add_test(c, test_poisson_independent_of_others);
	tcase_add_test(c, test_poisson_rate);
	tcase_add_test(c, test_poisson_ends);
	suite_add_tcase(s, c);
	c = tcase_create("streams");
	tcase_add_test(c, test_below_unbiased);
	tcase_add_test(c, test_shuffle_uniform);
	tcase_add_test(c, test_choice_and_normal);
	tcase_add_test(c, test_stream_restarts);
	suite_add_tcase(s, c);
	return tk_run(s);
}
