// SPDX-License-Identifier: Apache-2.0
/* Philox 4x32-10: Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", section 3.3.
 *
 * Counter (i low, i high, j low, j high), key 64 bits.  Array fills, Poisson sampling and streams each derive a key of
 * their own from the caller's, so that none of them can meet an addressed draw of the same key. */
#include "core/rand/rand.h"

#include <math.h>
#include <string.h>

#include "core/math/gemm.h"
#include "core/math/vmath.h"

#define PHILOX_M0 0xd2511f53u
#define PHILOX_M1 0xcd9e8d57u
#define PHILOX_W0 0x9e3779b9u
#define PHILOX_W1 0xbb67ae85u

/* What a derived key is for. */
#define TAG_UNIFORM 0x3c79ac492ba7b653u
#define TAG_NORMAL 0x1c69b3f74ac4ae35u
#define TAG_TAIL 0x9fb21c651e98df25u
#define TAG_POISSON 0xd6e8feb86659fd93u
#define TAG_POISSON_MORE 0xa0761d6478bd642fu
#define TAG_STREAM 0xe7037ed1a0b428dbu

/* Bijective mixing: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators" (variant 13). */
static uint64_t mix(uint64_t z)
{
	z += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint64_t absorb(uint64_t h, const char *text)
{
	const size_t n = strlen(text);
	for (size_t at = 0; at < n; at += 8) {
		uint64_t w = 0;
		for (size_t b = 0; b < 8 && at + b < n; b++)
			w |= (uint64_t)(unsigned char)text[at + b] << (8 * b);
		h = mix(h ^ mix(w));
	}
	return mix(h ^ (uint64_t)n);
}

static iso_key derive(iso_key key, uint64_t tag)
{
	return (iso_key){mix(key.k ^ tag)};
}

iso_key iso_key_new(uint64_t seed, const char *path)
{
	return (iso_key){absorb(mix(seed), path)};
}

iso_key iso_key_child(iso_key key, const char *label, uint64_t index)
{
	return (iso_key){mix(absorb(key.k ^ 0x5851f42d4c957f2du, label) ^ mix(index))};
}

void iso_rand_words(iso_key key, uint64_t i, uint64_t j, uint32_t out[4])
{
	uint32_t x0 = (uint32_t)i, x1 = (uint32_t)(i >> 32), x2 = (uint32_t)j, x3 = (uint32_t)(j >> 32);
	uint32_t k0 = (uint32_t)key.k, k1 = (uint32_t)(key.k >> 32);
	for (int round = 0; round < 10; round++) {
		const uint64_t p0 = (uint64_t)PHILOX_M0 * x0, p1 = (uint64_t)PHILOX_M1 * x2;
		x0 = (uint32_t)(p1 >> 32) ^ x1 ^ k0;
		x1 = (uint32_t)p1;
		x2 = (uint32_t)(p0 >> 32) ^ x3 ^ k1;
		x3 = (uint32_t)p0;
		k0 += PHILOX_W0;
		k1 += PHILOX_W1;
	}
	out[0] = x0;
	out[1] = x1;
	out[2] = x2;
	out[3] = x3;
}

/* LANES calls at once, j = first .. first + LANES - 1: 64-bit lanes whose low halves hold the words, since that is what
 * the vector multiply takes.  out[4 * c + w] = word w of call c.  Inlined below once per instruction set. */
#define LANES 16
static inline __attribute__((always_inline)) void words_block(iso_key key, uint64_t i, uint64_t first, uint32_t *out)
{
	uint64_t x0[LANES], x1[LANES], x2[LANES], x3[LANES];
	for (int c = 0; c < LANES; c++) {
		x0[c] = (uint32_t)i;
		x1[c] = i >> 32;
		x2[c] = (uint32_t)(first + (uint64_t)c);
		x3[c] = (first + (uint64_t)c) >> 32;
	}
	uint32_t k0 = (uint32_t)key.k, k1 = (uint32_t)(key.k >> 32);
	for (int round = 0; round < 10; round++) {
		for (int c = 0; c < LANES; c++) {
			const uint64_t p0 = (uint64_t)PHILOX_M0 * (uint32_t)x0[c];
			const uint64_t p1 = (uint64_t)PHILOX_M1 * (uint32_t)x2[c];
			x0[c] = (p1 >> 32) ^ x1[c] ^ k0;
			x1[c] = (uint32_t)p1;
			x2[c] = (p0 >> 32) ^ x3[c] ^ k1;
			x3[c] = (uint32_t)p0;
		}
		k0 += PHILOX_W0;
		k1 += PHILOX_W1;
	}
	for (int c = 0; c < LANES; c++) {
		out[4 * c] = (uint32_t)x0[c];
		out[4 * c + 1] = (uint32_t)x1[c];
		out[4 * c + 2] = (uint32_t)x2[c];
		out[4 * c + 3] = (uint32_t)x3[c];
	}
}

typedef void words_fn(iso_key key, uint64_t i, uint64_t first, uint32_t *out);

static void words_portable(iso_key key, uint64_t i, uint64_t first, uint32_t *out)
{
	words_block(key, i, first, out);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void words_avx2(iso_key key, uint64_t i, uint64_t first, uint32_t *out)
{
	words_block(key, i, first, out);
}

__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,prefer-vector-width=512"))) static void
words_avx512(iso_key key, uint64_t i, uint64_t first, uint32_t *out)
{
	words_block(key, i, first, out);
}
#endif

static words_fn *words_kernel(void)
{
#ifdef __x86_64__
	const iso_isa isa = iso_isa_active();
	if (isa == ISO_ISA_AVX512)
		return words_avx512;
	if (isa == ISO_ISA_AVX2)
		return words_avx2;
#endif
	return words_portable;
}

/* (52 bits + 1/2) / 2^52: never 0, never 1. */
static double to_u01(uint32_t a, uint32_t b)
{
	const uint64_t w = ((uint64_t)a << 32 | b) >> 12;
	return ((double)w + 0.5) * 0x1p-52;
}

double iso_rand_u01(iso_key key, uint64_t i, uint64_t j)
{
	uint32_t w[4];
	iso_rand_words(key, i, j, w);
	return to_u01(w[0], w[1]);
}

void iso_rand_fill_uniform(iso_key key, uint64_t i, float lo, float hi, float *out, size_t n)
{
	words_fn *const words = words_kernel();
	const iso_key k = derive(key, TAG_UNIFORM);
	const float width = hi - lo;
	uint32_t w[4 * LANES];
	for (size_t at = 0; at < n; at += 4 * LANES) {
		const size_t m = n - at < 4 * LANES ? n - at : 4 * LANES;
		words(k, i, at / 4, w);
		for (size_t e = 0; e < m; e++)
			out[at + e] = lo + width * (((float)(w[e] >> 9) + 0.5f) * 0x1p-23f);
	}
}

/* The rare pairs whose radius word is too small to carry the tail: 32 more bits (vmath.h). */
static void mend_tails(iso_key tail, uint64_t i, size_t at, const uint32_t *w, float *out)
{
	for (size_t b = 0; b < 4 * LANES; b += ISO_BM_BLOCK) {
		for (size_t l = 0; l < ISO_BM_BLOCK / 2; l++) {
			const uint32_t radius = w[b + l], angle = w[b + ISO_BM_BLOCK / 2 + l];
			if (radius >= ISO_BM_TAIL)
				continue;
			uint32_t more[4];
			iso_rand_words(tail, i, at + b + l, more);
			iso_box_muller_tail(radius, angle, more[0], &out[b + l], &out[b + ISO_BM_BLOCK / 2 + l]);
		}
	}
}

void iso_rand_fill_normal(iso_key key, uint64_t i, float mean, float sd, float *out, size_t n)
{
	words_fn *const words = words_kernel();
	const iso_key k = derive(key, TAG_NORMAL), tail = derive(key, TAG_TAIL);
	uint32_t w[4 * LANES];
	float z[4 * LANES];
	for (size_t at = 0; at < n; at += 4 * LANES) {
		const size_t m = n - at < 4 * LANES ? n - at : 4 * LANES;
		words(k, i, at / 4, w);
		if (iso_vbox_muller(4 * LANES, w, z))
			mend_tails(tail, i, at, w, z);
		for (size_t e = 0; e < m; e++)
			out[at + e] = mean + sd * z[e];
	}
}

/* u < q for u = (word, more bits) / 2^64: only a word equal to the top of q, once in 2^32, needs the second word. */
typedef struct threshold {
	uint32_t top, low;
	int all;
} threshold;

static threshold threshold_of(double q)
{
	if (!(q > 0))
		return (threshold){0, 0, 0};
	if (q >= 1)
		return (threshold){0, 0, 1};
	const uint64_t t = (uint64_t)(q * 0x1p64);
	return (threshold){(uint32_t)(t >> 32), (uint32_t)t, 0};
}

static int below(threshold th, uint32_t word, iso_key key, uint64_t t, uint64_t id)
{
	if (word != th.top)
		return word < th.top;
	uint32_t w[4];
	iso_rand_words(derive(key, TAG_POISSON_MORE), t, id, w);
	return w[0] < th.low;
}

/* Are id[0 .. n-1] = id[0], id[0] + 1, ...? */
static int consecutive(const uint64_t *id, size_t n)
{
	uint64_t different = 0;
	for (size_t k = 0; k < n; k++)
		different |= id[k] ^ (id[0] + k);
	return different == 0;
}

/* Record id looks at word id mod 4 of call (t, id / 4). */
size_t iso_rand_poisson(iso_key key, uint64_t t, const uint64_t *id, size_t n, double q, uint32_t *out)
{
	const threshold th = threshold_of(q);
	const iso_key k = derive(key, TAG_POISSON);
	words_fn *const words = words_kernel();
	uint32_t w[4 * LANES] = {0};
	uint64_t have = 0; /* w holds call `have` - 1 in its first four words, 0 = none */
	size_t count = 0;
	for (size_t p = 0; p < n;) {
		if (th.all) {
			out[count++] = (uint32_t)p++;
			continue;
		}
		if (id[p] % 4 == 0 && n - p >= 4 * LANES && consecutive(id + p, 4 * LANES)) {
			words(k, t, id[p] / 4, w);
			for (size_t e = 0; e < 4 * LANES; e++) {
				out[count] = (uint32_t)(p + e);
				count += (size_t)below(th, w[e], key, t, id[p + e]);
			}
			have = id[p] / 4 + 1;
			p += 4 * LANES;
			continue;
		}
		if (have != id[p] / 4 + 1) {
			iso_rand_words(k, t, id[p] / 4, w);
			have = id[p] / 4 + 1;
		}
		if (below(th, w[id[p] % 4], key, t, id[p]))
			out[count++] = (uint32_t)p;
		p++;
	}
	return count;
}

iso_stream iso_stream_new(iso_key key)
{
	return (iso_stream){derive(key, TAG_STREAM), 0};
}

uint64_t iso_next_u64(iso_stream *s)
{
	uint32_t w[4];
	iso_rand_words(s->key, s->at++, 0, w);
	return (uint64_t)w[0] << 32 | w[1];
}

double iso_next_u01(iso_stream *s)
{
	return ((double)(iso_next_u64(s) >> 12) + 0.5) * 0x1p-52;
}

/* Box-Muller, one of the two values: a stream draw costs the same whatever came before. */
double iso_next_normal(iso_stream *s)
{
	uint32_t w[4];
	iso_rand_words(s->key, s->at++, 0, w);
	const double r = sqrt(-2 * iso_log(to_u01(w[0], w[1])));
	return r * iso_cos(0x1.921fb54442d18p+2 * to_u01(w[2], w[3]));
}

/* Lemire 2019, "Fast random integer generation in an interval": multiply, reject the short remainder. */
uint64_t iso_next_below(iso_stream *s, uint64_t n)
{
	unsigned __int128 m = (unsigned __int128)iso_next_u64(s) * n;
	if ((uint64_t)m < n) {
		const uint64_t reject = n ? -n % n : 0;
		while ((uint64_t)m < reject)
			m = (unsigned __int128)iso_next_u64(s) * n;
	}
	return (uint64_t)(m >> 64);
}

void iso_shuffle(iso_stream *s, uint32_t *x, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		const size_t j = (size_t)iso_next_below(s, i);
		const uint32_t keep = x[i - 1];
		x[i - 1] = x[j];
		x[j] = keep;
	}
}

size_t iso_next_choice(iso_stream *s, const double *w, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += w[i];
	const double u = iso_next_u01(s) * sum;
	double upto = 0;
	size_t last = 0; /* the last index with weight, should rounding run past the end */
	for (size_t i = 0; i < n; i++) {
		upto += w[i];
		if (w[i] > 0)
			last = i;
		if (u < upto)
			return i;
	}
	return last;
}
