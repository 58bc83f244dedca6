// SPDX-License-Identifier: Apache-2.0
/* AES-256-CTR: FIPS 197, NIST SP 800-38A section 6.5.  The key schedule of the wide path is FIPS
 * 197 section 5.2 by the CPU's own instruction; the bytes of both paths are compared in
 * tests/unit/privacy/noise.c. */
#include "core/privacy/aes.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/gemm.h"

struct iso_aes {
	EVP_CIPHER_CTX *evp;
	int can_be_wide;
	uint8_t round_key[15][16];
};

#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>

/* CPUID leaf 1 ECX bit 25 (AES), leaf 7 ECX bit 9 (VAES); AVX-512 also asks whether the system
 * saves its registers. */
static int cpu_is_wide(void)
{
	unsigned a, b, c1, c7, d;
	if (!__get_cpuid(1, &a, &b, &c1, &d) || !__get_cpuid_count(7, 0, &a, &b, &c7, &d))
		return 0;
	return (c1 >> 25 & 1) && (c7 >> 9 & 1) && iso_isa_supported(ISO_ISA_AVX512);
}

/* Words w[4i .. 4i+3] of the schedule from the eight before them; rot: RotWord and Rcon apply (even
 * i). */
#define NEXT_KEY(prev, last, rcon, lane) \
	mix_key((prev), _mm_shuffle_epi32(_mm_aeskeygenassist_si128((last), (rcon)), (lane)))

__attribute__((target("aes,sse2"))) static inline __m128i mix_key(__m128i k, __m128i word)
{
	k = _mm_xor_si128(k, _mm_slli_si128(k, 4));
	k = _mm_xor_si128(k, _mm_slli_si128(k, 8));
	return _mm_xor_si128(k, word);
}

__attribute__((target("aes,sse2"))) static void expand_key(const uint8_t key[32],
							   uint8_t round_key[15][16])
{
	__m128i k[15];
	memcpy(&k[0], key, 16);
	memcpy(&k[1], key + 16, 16);
	k[2] = NEXT_KEY(k[0], k[1], 0x01, 0xff);
	k[3] = NEXT_KEY(k[1], k[2], 0x00, 0xaa);
	k[4] = NEXT_KEY(k[2], k[3], 0x02, 0xff);
	k[5] = NEXT_KEY(k[3], k[4], 0x00, 0xaa);
	k[6] = NEXT_KEY(k[4], k[5], 0x04, 0xff);
	k[7] = NEXT_KEY(k[5], k[6], 0x00, 0xaa);
	k[8] = NEXT_KEY(k[6], k[7], 0x08, 0xff);
	k[9] = NEXT_KEY(k[7], k[8], 0x00, 0xaa);
	k[10] = NEXT_KEY(k[8], k[9], 0x10, 0xff);
	k[11] = NEXT_KEY(k[9], k[10], 0x00, 0xaa);
	k[12] = NEXT_KEY(k[10], k[11], 0x20, 0xff);
	k[13] = NEXT_KEY(k[11], k[12], 0x00, 0xaa);
	k[14] = NEXT_KEY(k[12], k[13], 0x40, 0xff);
	memcpy(round_key, k, sizeof(k));
	OPENSSL_cleanse(k, sizeof(k));
}

/* 8 registers of 4 blocks: enough to cover the latency of one round. */
#define WIDE 8
__attribute__((target("vaes,aes,avx512f,avx512bw,avx512dq,avx512vl"))) static void
stream_wide(const uint8_t round_key[15][16], uint64_t prefix, uint64_t first, size_t groups,
	    uint8_t *out)
{
	const __m512i reverse = _mm512_broadcast_i32x4(
		_mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
	const __m512i four = _mm512_set_epi64(0, 4, 0, 4, 0, 4, 0, 4);
	const long long p = (long long)prefix, f = (long long)first;
	__m512i counter = _mm512_add_epi64(_mm512_set_epi64(p, f, p, f, p, f, p, f),
					   _mm512_set_epi64(0, 3, 0, 2, 0, 1, 0, 0));
	__m512i key[15];
	for (int r = 0; r < 15; r++)
		key[r] = _mm512_broadcast_i32x4(
			_mm_loadu_si128((const __m128i *)(const void *)round_key[r]));
	for (size_t g = 0; g < groups; g++, out += 64 * WIDE) {
		__m512i s[WIDE];
		for (int i = 0; i < WIDE; i++) {
			s[i] = _mm512_xor_si512(_mm512_shuffle_epi8(counter, reverse), key[0]);
			counter = _mm512_add_epi64(counter, four);
		}
		for (int r = 1; r < 14; r++)
			for (int i = 0; i < WIDE; i++)
				s[i] = _mm512_aesenc_epi128(s[i], key[r]);
		for (int i = 0; i < WIDE; i++)
			_mm512_storeu_si512(out + 64 * i, _mm512_aesenclast_epi128(s[i], key[14]));
	}
}
#endif

iso_status iso_aes_new(const uint8_t key[32], iso_aes **out, iso_error *err)
{
	*out = NULL;
	iso_aes *a = iso_alloc(1, sizeof(*a));
	if (!a)
		return iso_no_memory(err, "the noise generator");
	a->evp = EVP_CIPHER_CTX_new();
	if (!a->evp || EVP_EncryptInit_ex(a->evp, EVP_aes_256_ctr(), NULL, key, NULL) != 1) {
		iso_aes_free(a);
		return iso_fail(err, ISO_E_INTERNAL,
				"no AES-256-CTR (libcrypto): initialisation failed; check the "
				"OpenSSL installation");
	}
#ifdef __x86_64__
	if (cpu_is_wide()) {
		expand_key(key, a->round_key);
		a->can_be_wide = 1;
	}
#endif
	*out = a;
	return ISO_OK;
}

void iso_aes_free(iso_aes *a)
{
	if (!a)
		return;
	EVP_CIPHER_CTX_free(a->evp);
	OPENSSL_cleanse(a->round_key, sizeof(a->round_key));
	iso_free(a);
}

int iso_aes_is_wide(const iso_aes *a)
{
	return a->can_be_wide && iso_isa_active() == ISO_ISA_AVX512;
}

static void put_big_endian(uint64_t x, uint8_t *p)
{
	for (int b = 0; b < 8; b++)
		p[b] = (uint8_t)(x >> (56 - 8 * b));
}

iso_status iso_aes_stream(iso_aes *a, uint64_t prefix, uint64_t first, size_t n, uint8_t *out,
			  iso_error *err)
{
#ifdef __x86_64__
	if (iso_aes_is_wide(a)) {
		const size_t groups = n / (4 * WIDE), done = groups * 4 * WIDE;
		stream_wide(a->round_key, prefix, first, groups, out);
		first += done;
		out += 16 * done;
		n -= done;
		if (n) { /* a short group: the rest of a full one is thrown away */
			uint8_t last[64 * WIDE];
			stream_wide(a->round_key, prefix, first, 1, last);
			memcpy(out, last, 16 * n);
		}
		return ISO_OK;
	}
#endif
	uint8_t iv[16];
	put_big_endian(prefix, iv);
	put_big_endian(first, iv + 8);
	int ok = EVP_EncryptInit_ex(a->evp, NULL, NULL, NULL, iv) == 1;
	for (size_t at = 0; ok && at < 16 * n;) {
		const size_t m = 16 * n - at < (1u << 20) ? 16 * n - at : 1u << 20;
		int got = 0;
		memset(out + at, 0, m);
		ok = EVP_EncryptUpdate(a->evp, out + at, &got, out + at, (int)m) == 1 &&
		     got == (int)m;
		at += m;
	}
	return ok ? ISO_OK
		  : iso_fail(err, ISO_E_INTERNAL,
			     "AES-256-CTR failed (libcrypto): encryption gave an error");
}
