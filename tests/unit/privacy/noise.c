// SPDX-License-Identifier: Apache-2.0
/* The privacy noise: published AES vectors, addressing, and the distribution of every sampler.
 *
 * POWER.  Each statistical test has a false-alarm rate of 1e-6 on fixed seeds, and must notice a
 * scale that is off by 1 %: every sample is also judged after multiplication by 1.01 and by 0.99,
 * and then each of the tests that claim this power (chi-square, Kolmogorov-Smirnov, second moment)
 * must fail. */
#include "core/privacy/noise.h"

#include <openssl/evp.h>
#include <string.h>

#include "core/math/gemm.h"
#include "core/privacy/aes.h"
#include "core/privacy/release_key.h"
#include "tests/support/testkit.h"

#define Z_1E6 4.7534 /* upper 1e-6 point of the normal distribution; two-sided: */
#define Z2_1E6 4.8916
#define N_LARGE ((size_t)1 << 22)
#define BINS 4096

static iso_noise *noise_new(uint64_t seed, const char *label, int secure)
{
	iso_error err = {0};
	iso_release_key key;
	iso_noise *z;
	tk_ok(iso_release_key_plain(seed, label, secure, &key, &err));
	tk_ok(iso_noise_new(key.digest, secure, &z, &err));
	return z;
}

/* ---- AES ---- */

static void unhex(const char *text, uint8_t *out)
{
	for (size_t b = 0; text[2 * b]; b++) {
		unsigned v;
		ck_assert_int_eq(sscanf(text + 2 * b, "%2x", &v), 1);
		out[b] = (uint8_t)v;
	}
}

/* FIPS 197, appendix C.3; NIST SP 800-38A, F.5.5. */
START_TEST(test_known_answers)
{
	iso_error err = {0};
	uint8_t key[32], want[64], got[64];
	const iso_isa best = iso_isa_active();
	for (int wide = 0; wide < 2; wide++) {
		iso_isa_force(wide ? best : ISO_ISA_PORTABLE);
		iso_aes *a;
		unhex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", key);
		unhex("8ea2b7ca516745bfeafc49904b496089", want);
		tk_ok(iso_aes_new(key, &a, &err));
		tk_ok(iso_aes_stream(a, 0x0011223344556677, 0x8899aabbccddeeff, 1, got, &err));
		ck_assert_mem_eq(got, want, 16);
		iso_aes_free(a);
		unhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", key);
		unhex("0bdf7df1591716335e9a8b15c860c5025a6e699d536119065433863c8f657b94"
		      "1bc12c9c01610d5d0d8bd6a3378eca622956e1c8693536b1bee99c73a31576b6",
		      want);
		tk_ok(iso_aes_new(key, &a, &err));
		tk_ok(iso_aes_stream(a, 0xf0f1f2f3f4f5f6f7, 0xf8f9fafbfcfdfeff, 4, got, &err));
		ck_assert_mem_eq(got, want, 64);
		iso_aes_free(a);
	}
	iso_isa_force(best);
}
END_TEST

/* Wide registers and libcrypto give the same bytes at any length and start. */
START_TEST(test_both_paths)
{
	iso_error err = {0};
	static uint8_t a[16 * 300], b[16 * 300];
	uint8_t key[32];
	for (int k = 0; k < 32; k++)
		key[k] = (uint8_t)(37 * k + 5);
	iso_aes *s;
	tk_ok(iso_aes_new(key, &s, &err));
	const iso_isa best = iso_isa_active();
	for (size_t n = 0; n <= 300; n += n < 70 ? 1 : 23) {
		const uint64_t first = n * n * 0x123456789u;
		memset(a, 1, sizeof(a));
		memset(b, 1, sizeof(b));
		tk_ok(iso_aes_stream(s, 77, first, n, a, &err));
		iso_isa_force(ISO_ISA_PORTABLE);
		tk_ok(iso_aes_stream(s, 77, first, n, b, &err));
		iso_isa_force(best);
		ck_assert(memcmp(a, b, sizeof(a)) == 0);
	}
	iso_aes_free(s);
}
END_TEST

/* ---- addressing ---- */

/* The stated construction, from single AES blocks. */
START_TEST(test_words_construction)
{
	iso_error err = {0};
	uint8_t key[32];
	for (uint8_t b = 0; b < 32; b++)
		key[b] = (uint8_t)(7 * b + 1);
	iso_noise *z;
	tk_ok(iso_noise_new(key, 0, &z, &err));
	uint64_t w[64];
	tk_ok(iso_noise_words(z, 3, 0x01020304, 5, 40, w, &err));
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	ck_assert_int_eq(EVP_EncryptInit_ex(c, EVP_aes_256_ecb(), NULL, key, NULL), 1);
	for (uint8_t i = 0; i < 40; i++) {
		const uint8_t block[16] = {0, 0, 0, 3, 1, 2, 3, 4,
					   0, 0, 0, 0, 0, 0, 0, (uint8_t)((5 + i) / 2)};
		uint8_t out[32];
		int n;
		uint64_t v = 0;
		ck_assert_int_eq(EVP_EncryptUpdate(c, out, &n, block, 16), 1);
		for (int b = 7; b >= 0; b--)
			v = v << 8 | out[(5 + i) % 2 * 8 + b];
		ck_assert(v == w[i]);
	}
	EVP_CIPHER_CTX_free(c);
	iso_noise_free(z);
}
END_TEST

static int by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

START_TEST(test_no_repeats)
{
	enum { EACH = 500, STREAMS = 12, STEPS = 12 };
	iso_error err = {0};
	const size_t total = (size_t)EACH * STREAMS * STEPS * 2;
	uint64_t *w = iso_alloc(total, sizeof(*w));
	ck_assert_ptr_nonnull(w);
	size_t at = 0;
	for (uint64_t seed = 0; seed < 2; seed++) {
		iso_noise *z = noise_new(seed, "x", 0);
		for (uint32_t s = 0; s < STREAMS; s++)
			for (uint32_t t = 0; t < STEPS; t++, at += EACH)
				tk_ok(iso_noise_words(z, s << (2 * s), t << (2 * t), 0, EACH,
						      w + at, &err));
		iso_noise_free(z);
	}
	qsort(w, total, sizeof(*w), by_value);
	size_t repeats = 0;
	for (size_t k = 1; k < total; k++)
		repeats += w[k] == w[k - 1];
	ck_assert_uint_eq(repeats, 0);
	iso_free(w);
}
END_TEST

static int same_key(uint64_t seed_a, const char *label_a, int secure_a, uint64_t seed_b,
		    const char *label_b, int secure_b)
{
	iso_error err = {0};
	iso_noise *a = noise_new(seed_a, label_a, secure_a),
		  *b = noise_new(seed_b, label_b, secure_b);
	uint64_t x, y;
	tk_ok(iso_noise_words(a, 0, 0, 0, 1, &x, &err));
	tk_ok(iso_noise_words(b, 0, 0, 0, 1, &y, &err));
	ck_assert_int_eq(iso_noise_is_secure(a), secure_a);
	iso_noise_free(a);
	iso_noise_free(b);
	return x == y;
}

START_TEST(test_keys)
{
	ck_assert(same_key(1, "a", 0, 1, "a", 0));
	ck_assert(!same_key(1, "a", 0, 2, "a", 0));
	ck_assert(!same_key(1, "a", 0, 1, "b", 0));
	ck_assert(!same_key(1, "a", 1, 1, "a",
			    1)); /* the operating system's key is fresh each time */
	ck_assert(!same_key(1, "a", 1, 1, "a", 0));
}
END_TEST

/* Any split into even starts gives the same floats, on every instruction set. */
START_TEST(test_pieces)
{
	enum { N = 10007 };
	iso_error err = {0};
	static float whole[N], part[N];
	const iso_isa best = iso_isa_active();
	for (int secure = 0; secure < 2; secure++) {
		iso_noise *z = noise_new(3, "pieces", secure);
		for (size_t e = 0; e < N; e++)
			whole[e] = (float)e;
		tk_ok(iso_noise_add_gaussian_f32(z, 1, 2, 0, N, 3, whole, &err));
		for (iso_isa isa = ISO_ISA_PORTABLE; isa <= ISO_ISA_AVX512; isa++) {
			if (!iso_isa_force(isa))
				continue;
			for (size_t e = 0; e < N; e++)
				part[e] = (float)e;
			for (size_t at = 0, n = 2; at < N;
			     at += n, n = (n * 5 + 2) % 4700 / 2 * 2 + 2) {
				const size_t m = N - at < n ? N - at : n;
				tk_ok(iso_noise_add_gaussian_f32(z, 1, 2, at, m, 3, part + at,
								 &err));
			}
			ck_assert(memcmp(part, whole, sizeof(whole)) == 0);
		}
		iso_isa_force(best);
		memset(part, 0, sizeof(part));
		tk_ok(iso_noise_add_gaussian_f32(z, 1, 3, 0, N, 3, part, &err));
		ck_assert(part[0] != whole[0]);
		iso_noise_free(z);
	}
}
END_TEST

START_TEST(test_refusals)
{
	iso_error err = {0};
	iso_noise *z = noise_new(1, "r", 0);
	float x[4] = {1, 2, 3, 4};
	double d[2] = {1, 2};
	uint64_t w[4];
	tk_fails(iso_noise_words(z, 0, 0, ((uint64_t)1 << 32) - 1, 2, w, &err), ISO_E_USAGE,
		 "2^32");
	tk_ok(iso_noise_words(z, 0, 0, ((uint64_t)1 << 32) - 2, 2, w, &err));
	tk_fails(iso_noise_add_gaussian_f32(z, 0, 0, (uint64_t)1 << 32, 2, 1, x, &err), ISO_E_USAGE,
		 "2^32");
	tk_fails(iso_noise_add_gaussian_f32(z, 0, 0, 0, 4, -1, x, &err), ISO_E_USAGE, "scale");
	tk_fails(iso_noise_add_gaussian_f32(z, 0, 0, 0, 4, NAN, x, &err), ISO_E_USAGE, "scale");
	tk_fails(iso_noise_add_laplace(z, 0, 0, 2, INFINITY, d, &err), ISO_E_USAGE, "scale");
	tk_fails(iso_noise_add_gaussian(z, 0, 0, 2, NAN, d, &err), ISO_E_USAGE, "scale");
	ck_assert(x[0] == 1 && x[3] == 4 && d[0] == 1 && d[1] == 2);
	tk_ok(iso_noise_add_gaussian(z, 0, 0, 2, 0, d, &err));
	ck_assert(d[0] == 1 && d[1] == 2);
	tk_ok(iso_noise_add_gaussian_f32(z, 0, 0, 0, 0, 1, x, &err));
	iso_noise_free(z);
	iso_noise_free(NULL);
}
END_TEST

/* ---- distributions ---- */

typedef double cdf_fn(double x);

static double cdf_gaussian(double x)
{
	return 0.5 * erfc(-x * 0.70710678118654752);
}

static double cdf_laplace(double x)
{
	return x < 0 ? 0.5 * exp(x) : 1 - 0.5 * exp(-x);
}

static double cdf_gumbel(double x)
{
	return exp(-exp(-x));
}

/* Number of failed tests out of three, as bits: 1 chi-square on 256 equal bins, 2
 * Kolmogorov-Smirnov on the edges of 4096 bins, 4 second moment (variance m2 and kurtosis m4 of the
 * distribution given). */
static int judge(const double *z, size_t n, double factor, cdf_fn *cdf, double mean, double m2,
		 double m4)
{
	static uint32_t count[BINS];
	memset(count, 0, sizeof(count));
	double square = 0, chi2 = 0, ks = 0;
	for (size_t e = 0; e < n; e++) {
		const double x = factor * z[e];
		const size_t b = (size_t)(cdf(x) * BINS);
		count[b < BINS ? b : BINS - 1]++;
		square += (x - mean) * (x - mean);
	}
	const double each = (double)n / 256;
	double seen = 0;
	for (size_t b = 0; b < BINS; b++) {
		seen += count[b];
		ks = fmax(ks, fabs(seen / (double)n - (double)(b + 1) / BINS));
	}
	for (size_t b = 0; b < 256; b++) {
		double sum = 0;
		for (size_t k = 0; k < BINS / 256; k++)
			sum += count[b * (BINS / 256) + k];
		chi2 += (sum - each) * (sum - each) / each;
	}
	/* limits: Wilson and Hilferty 1931; Kolmogorov's 2 exp(-2 t^2); the central limit */
	const double c = 2 / (9 * 255.0), t = 1 - c + Z_1E6 * sqrt(c);
	const double limit2 = Z2_1E6 * sqrt(m4 - m2 * m2);
	return (chi2 > 255 * t * t * t) | (ks * sqrt((double)n) > sqrt(-0.5 * log(0.5e-6))) << 1 |
	       (fabs(square / (double)n - m2) * sqrt((double)n) > limit2) << 2;
}

static const struct sampler {
	const char *name;
	cdf_fn *cdf;
	double mean, m2, m4;
	int which, secure;
	size_t n;
} samplers[] = {
	{"float gaussian", cdf_gaussian, 0, 1, 3, 0, 0, N_LARGE},
	{"float gaussian, secure", cdf_gaussian, 0, 1, 3, 0, 1, N_LARGE},
	{"gaussian", cdf_gaussian, 0, 1, 3, 1, 0, N_LARGE},
	{"gaussian, secure", cdf_gaussian, 0, 1, 3, 1, 1, N_LARGE},
	{"laplace", cdf_laplace, 0, 2, 24, 2, 0, N_LARGE},
	{"laplace, secure", cdf_laplace, 0, 2, 24, 2, 1, N_LARGE},
	/* Gumbel: Euler's constant; pi^2/6; pi^4 (3/20) */
	{"gumbel", cdf_gumbel, 0.57721566490153286, 1.6449340668482264, 14.611363655100368, 3, 0,
	 N_LARGE},
	{"gumbel, secure", cdf_gumbel, 0.57721566490153286, 1.6449340668482264, 14.611363655100368,
	 3, 1, N_LARGE},
};

static void draw(const struct sampler *s, iso_noise *z, double scale, double *out)
{
	iso_error err = {0};
	memset(out, 0, s->n * sizeof(*out));
	if (s->which == 0) {
		float *const f = iso_alloc(s->n, sizeof(*f));
		ck_assert_ptr_nonnull(f);
		tk_ok(iso_noise_add_gaussian_f32(z, 1, 1, 0, s->n, (float)scale, f, &err));
		for (size_t e = 0; e < s->n; e++)
			out[e] = f[e];
		iso_free(f);
	} else if (s->which == 1) {
		tk_ok(iso_noise_add_gaussian(z, 1, 1, s->n, scale, out, &err));
	} else if (s->which == 2) {
		tk_ok(iso_noise_add_laplace(z, 1, 1, s->n, scale, out, &err));
	} else {
		tk_ok(iso_noise_add_gumbel(z, 1, 1, s->n, scale, out, &err));
	}
}

/* The secure samplers are keyed by the system, so these tests are fresh experiments in every run:
 * three tests at 1e-6 each, four samplers. */
START_TEST(test_distribution)
{
	const struct sampler *const s = &samplers[_i];
	double *out = iso_alloc(s->n, sizeof(*out));
	ck_assert_ptr_nonnull(out);
	iso_noise *z = noise_new(20, s->name, s->secure);
	draw(s, z, 4, out);
	ck_assert_msg(judge(out, s->n, 0.25, s->cdf, s->mean, s->m2, s->m4) == 0,
		      "%s: wrong distribution (%d)", s->name,
		      judge(out, s->n, 0.25, s->cdf, s->mean, s->m2, s->m4));
	ck_assert_msg(judge(out, s->n, 0.2525, s->cdf, s->mean, s->m2, s->m4) == 7,
		      "%s: 1 %% too wide goes unnoticed", s->name);
	ck_assert_msg(judge(out, s->n, 0.2475, s->cdf, s->mean, s->m2, s->m4) == 7,
		      "%s: 1 %% too narrow goes unnoticed", s->name);
	/* neighbours are uncorrelated, at lags 1, 16 (the lanes of a pair) and 32 */
	for (size_t lag = 1; lag <= 32; lag = lag == 1 ? 16 : lag * 2) {
		double sum = 0;
		for (size_t e = lag; e < s->n; e++)
			sum += (out[e] / 4 - s->mean) * (out[e - lag] / 4 - s->mean);
		ck_assert_double_lt(fabs(sum) / (s->m2 * sqrt((double)(s->n - lag))), Z2_1E6);
	}
	iso_noise_free(z);
	iso_free(out);
}
END_TEST

/* P(Poisson(mean) >= k), P(Poisson(mean) <= k). */
static double poisson_tail(double mean, int k, int upper)
{
	double term = exp(-mean), below = 0;
	for (int i = 0; i < k + !upper; i++) {
		below += term;
		term *= mean / (i + 1);
	}
	return upper ? 1 - below : below;
}

/* How often the float noise passes 4.5 to 6 sigma: half the draws beyond 5.2 come from the refined
 * tail. */
START_TEST(test_float_tails)
{
	enum { PIECE = 1 << 16, STEPS = 1024 };
	static const double edge[] = {4.5, 5.0, 5.4, 6.0};
	iso_error err = {0};
	static float z[PIECE];
	int beyond[4] = {0};
	iso_noise *s = noise_new(21, "tails", 0);
	for (uint32_t t = 0; t < STEPS; t++) {
		memset(z, 0, sizeof(z));
		tk_ok(iso_noise_add_gaussian_f32(s, 0, t, 0, PIECE, 1, z, &err));
		for (size_t e = 0; e < PIECE; e++)
			for (int k = 0; z[e] * z[e] > 20 && k < 4; k++)
				beyond[k] += fabs((double)z[e]) > edge[k];
	}
	for (int k = 0; k < 4; k++) {
		const double mean = (double)PIECE * STEPS * erfc(edge[k] * 0.70710678118654752);
		ck_assert_msg(poisson_tail(mean, beyond[k], 1) > 5e-7 &&
				      poisson_tail(mean, beyond[k], 0) > 5e-7,
			      "%d draws beyond %g sigma, expected %g", beyond[k], edge[k], mean);
	}
	ck_assert_int_gt(beyond[1], 0);
	iso_noise_free(s);
}
END_TEST

/* Hardened values are multiples of a power of two that the scale alone decides, whatever they were
 * added to. */
START_TEST(test_secure_grid)
{
	enum { N = 2000 };
	iso_error err = {0};
	iso_noise *z = noise_new(1, "grid", 1);
	static double a[N];
	static float f[N];
	static const double scales[] = {1, 0.7, 3e-6, 12345.678};
	for (size_t k = 0; k < ISO_COUNT(scales); k++) {
		const double g = exp2(floor(log2(scales[k])) - 40);
		for (int which = 0; which < 3; which++) {
			for (size_t e = 0; e < N; e++)
				a[e] = scales[k] * sin((double)e) * 3;
			if (which == 0)
				tk_ok(iso_noise_add_gaussian(z, 1, (uint32_t)k, N, scales[k], a,
							     &err));
			else if (which == 1)
				tk_ok(iso_noise_add_laplace(z, 1, (uint32_t)k, N, scales[k], a,
							    &err));
			else
				tk_ok(iso_noise_add_gumbel(z, 1, (uint32_t)k, N, scales[k], a,
							   &err));
			size_t off = 0, odd = 0;
			for (size_t e = 0; e < N; e++) {
				off += a[e] / g != rint(a[e] / g);
				odd += fmod(a[e] / g, 2) != 0;
			}
			ck_assert_uint_eq(off, 0);
			/* and the grid is no coarser: half of the multiples are odd */
			ck_assert_double_lt(fabs((double)odd - N / 2.0) / sqrt(N / 4.0), Z2_1E6);
		}
	}
	/* infinities, NaN and values far above the grid pass through */
	f[0] = INFINITY;
	f[1] = NAN;
	f[2] = 1e30f;
	tk_ok(iso_noise_add_gaussian_f32(z, 2, 0, 0, 3, 1, f, &err));
	ck_assert(f[0] == INFINITY && isnan(f[1]) && f[2] == 1e30f);
	iso_noise_free(z);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("privacy/noise");
	TCase *c = tcase_create("stream");
	tcase_add_test(c, test_known_answers);
	tcase_add_test(c, test_both_paths);
	tcase_add_test(c, test_words_construction);
	tcase_add_test(c, test_no_repeats);
	tcase_add_test(c, test_keys);
	tcase_add_test(c, test_pieces);
	tcase_add_test(c, test_refusals);
	suite_add_tcase(s, c);
	c = tcase_create("samplers");
	tcase_set_timeout(c, 120);
	tcase_add_loop_test(c, test_distribution, 0, (int)ISO_COUNT(samplers));
	tcase_add_test(c, test_float_tails);
	tcase_add_test(c, test_secure_grid);
	suite_add_tcase(s, c);
	return tk_run(s);
}
