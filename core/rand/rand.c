// SPDX-License-Identifier: Apache-2.0
/* Philox 4x32-10: Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3",
 * section 3.3.
 *
 * Counter (i low, i high, j low, j high), key 64 bits.  Array fills, Poisson sampling and streams
 * each derive a key of their own from the caller's, so that none of them can meet an addressed draw
 * of the same key. */
#include "core/rand/rand.h"

#include <math.h>
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

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

/* Bijective mixing: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators"
 * (variant 13). */
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
	uint32_t x0 = (uint32_t)i, x1 = (uint32_t)(i >> 32), x2 = (uint32_t)j,
		 x3 = (uint32_t)(j >> 32);
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

/* A GROUP is 64 words: words 0 of LANES consecutive calls, then their words 1, 2, 3.  So element e
 * of an array is word (e mod 64) / 16 of call 16 (e / 64) + e mod 16, and no word changes place
 * after the vector arithmetic. The vector versions keep a word in the low half of a 64-bit lane, as
 * the multiply takes it, and let the high half hold anything. */
#define LANES 16
#define GROUP 64
#define FEW 3 /* more than so many records make a group worth its price */
typedef void words_fn(iso_key key, uint64_t i, uint64_t group, uint32_t *out);
/* Bit e: w[e] <= top. */
typedef uint64_t hits_fn(const uint32_t *w, uint32_t top);
/* Is id[0 .. GROUP-1] = id[0], id[0] + 1, ...? */
typedef int consecutive_fn(const uint64_t *id);

static uint64_t hits_portable(const uint32_t *w, uint32_t top)
{
	uint64_t hits = 0;
	for (size_t e = 0; e < GROUP; e++)
		hits |= (uint64_t)(w[e] <= top) << e;
	return hits;
}

static inline __attribute__((always_inline)) int consecutive_loop(const uint64_t *id)
{
	uint64_t different = 0;
	for (size_t k = 0; k < GROUP; k++)
		different |= id[k] ^ (id[0] + k);
	return different == 0;
}

static int consecutive_portable(const uint64_t *id)
{
	return consecutive_loop(id);
}

static void words_portable(iso_key key, uint64_t i, uint64_t group, uint32_t *out)
{
	for (uint64_t c = 0; c < LANES; c++) {
		uint32_t w[4];
		iso_rand_words(key, i, group * LANES + c, w);
		for (size_t word = 0; word < 4; word++)
			out[word * LANES + c] = w[word];
	}
}

#ifdef __x86_64__

ISO_TARGET_AVX2 static void words_avx2(iso_key key, uint64_t i, uint64_t group, uint32_t *out)
{
	enum { V = 4, STEP = 8 };
	const __m256i m0 = _mm256_set1_epi64x(PHILOX_M0), m1 = _mm256_set1_epi64x(PHILOX_M1);
	const __m256i even = _mm256_set_epi32(0, 0, 0, 0, 6, 4, 2, 0);
	for (uint64_t c = 0; c < LANES; c += STEP) {
		__m256i x[4][2];
		for (uint64_t h = 0; h < 2; h++) {
			const uint64_t j = group * LANES + c +
					   V * h; /* a multiple of 4: no carry into the high half */
			x[0][h] = _mm256_set1_epi64x((long long)(uint32_t)i);
			x[1][h] = _mm256_set1_epi64x((long long)(i >> 32));
			x[2][h] = _mm256_add_epi64(_mm256_set1_epi64x((long long)j),
						   _mm256_set_epi64x(3, 2, 1, 0));
			x[3][h] = _mm256_set1_epi64x((long long)(j >> 32));
		}
		uint32_t k0 = (uint32_t)key.k, k1 = (uint32_t)(key.k >> 32);
		for (int round = 0; round < 10; round++, k0 += PHILOX_W0, k1 += PHILOX_W1) {
			const __m256i v0 = _mm256_set1_epi64x(k0), v1 = _mm256_set1_epi64x(k1);
			for (int h = 0; h < 2; h++) {
				const __m256i p0 = _mm256_mul_epu32(x[0][h], m0),
					      p1 = _mm256_mul_epu32(x[2][h], m1);
				x[0][h] = _mm256_xor_si256(_mm256_srli_epi64(p1, 32),
							   _mm256_xor_si256(x[1][h], v0));
				x[2][h] = _mm256_xor_si256(_mm256_srli_epi64(p0, 32),
							   _mm256_xor_si256(x[3][h], v1));
				x[1][h] = p1;
				x[3][h] = p0;
			}
		}
		for (size_t word = 0; word < 4; word++)
			for (size_t h = 0; h < 2; h++)
				_mm_storeu_si128(
					(__m128i *)(void *)(out + word * LANES + c + V * h),
					_mm256_castsi256_si128(
						_mm256_permutevar8x32_epi32(x[word][h], even)));
	}
}

ISO_TARGET_AVX2 static uint64_t hits_avx2(const uint32_t *w, uint32_t top)
{
	const __m256i t = _mm256_set1_epi32((int)top);
	uint64_t hits = 0;
	for (int e = 0; e < GROUP; e += 8) {
		const __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(w + e));
		const __m256i low = _mm256_cmpeq_epi32(_mm256_min_epu32(x, t), x);
		hits |= (uint64_t)(uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(low)) << e;
	}
	return hits;
}

ISO_TARGET_AVX2 static int consecutive_avx2(const uint64_t *id)
{
	return consecutive_loop(id);
}

ISO_TARGET_AVX512 static uint64_t hits_avx512(const uint32_t *w, uint32_t top)
{
	const __m512i t = _mm512_set1_epi32((int)top);
	uint64_t hits = 0;
	for (int e = 0; e < GROUP; e += 16)
		hits |= (uint64_t)_mm512_cmple_epu32_mask(_mm512_loadu_si512(w + e), t) << e;
	return hits;
}

ISO_TARGET_AVX512 static int consecutive_avx512(const uint64_t *id)
{
	return consecutive_loop(id);
}

ISO_TARGET_AVX512 static void words_avx512(iso_key key, uint64_t i, uint64_t group, uint32_t *out)
{
	enum { V = 8 };
	const __m512i m0 = _mm512_set1_epi64(PHILOX_M0), m1 = _mm512_set1_epi64(PHILOX_M1);
	__m512i x[4][2];
	for (uint64_t h = 0; h < 2; h++) {
		const uint64_t j = group * LANES + V * h;
		x[0][h] = _mm512_set1_epi64((long long)(uint32_t)i);
		x[1][h] = _mm512_set1_epi64((long long)(i >> 32));
		x[2][h] = _mm512_add_epi64(_mm512_set1_epi64((long long)j),
					   _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0));
		x[3][h] = _mm512_set1_epi64((long long)(j >> 32));
	}
	uint32_t k0 = (uint32_t)key.k, k1 = (uint32_t)(key.k >> 32);
	for (int round = 0; round < 10; round++, k0 += PHILOX_W0, k1 += PHILOX_W1) {
		const __m512i v0 = _mm512_set1_epi64(k0), v1 = _mm512_set1_epi64(k1);
		for (int h = 0; h < 2; h++) {
			const __m512i p0 = _mm512_mul_epu32(x[0][h], m0),
				      p1 = _mm512_mul_epu32(x[2][h], m1);
			x[0][h] = _mm512_xor_si512(_mm512_srli_epi64(p1, 32),
						   _mm512_xor_si512(x[1][h], v0));
			x[2][h] = _mm512_xor_si512(_mm512_srli_epi64(p0, 32),
						   _mm512_xor_si512(x[3][h], v1));
			x[1][h] = p1;
			x[3][h] = p0;
		}
	}
	for (size_t word = 0; word < 4; word++)
		for (size_t h = 0; h < 2; h++)
			_mm256_storeu_si256((__m256i *)(void *)(out + word * LANES + V * h),
					    _mm512_cvtepi64_epi32(x[word][h]));
}
#endif

typedef struct kernels {
	words_fn *words;
	hits_fn *hits;
	consecutive_fn *consecutive;
} kernels;

static kernels kernels_now(void)
{
#ifdef __x86_64__
	const iso_isa isa = iso_isa_active();
	if (isa == ISO_ISA_AVX512)
		return (kernels){words_avx512, hits_avx512, consecutive_avx512};
	if (isa == ISO_ISA_AVX2)
		return (kernels){words_avx2, hits_avx2, consecutive_avx2};
#endif
	return (kernels){words_portable, hits_portable, consecutive_portable};
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
	words_fn *const words = kernels_now().words;
	const iso_key k = derive(key, TAG_UNIFORM);
	const float width = hi - lo;
	uint32_t w[GROUP];
	for (size_t at = 0; at < n; at += GROUP) {
		const size_t m = n - at < GROUP ? n - at : GROUP;
		words(k, i, at / GROUP, w);
		for (size_t e = 0; e < m; e++)
			out[at + e] = lo + width * (((float)(w[e] >> 9) + 0.5f) * 0x1p-23f);
	}
}

/* The rare pairs whose radius word is too small to carry the tail: 32 more bits (vmath.h). */
static void mend_tails(iso_key tail, uint64_t i, size_t at, const uint32_t *w, float *out)
{
	for (size_t b = 0; b < GROUP; b += ISO_BM_BLOCK) {
		for (size_t l = 0; l < ISO_BM_BLOCK / 2; l++) {
			const uint32_t radius = w[b + l], angle = w[b + ISO_BM_BLOCK / 2 + l];
			if (radius >= ISO_BM_TAIL)
				continue;
			uint32_t more[4];
			iso_rand_words(tail, i, at + b + l, more);
			iso_box_muller_tail(radius, angle, more[0], &out[b + l],
					    &out[b + ISO_BM_BLOCK / 2 + l]);
		}
	}
}

void iso_rand_fill_normal(iso_key key, uint64_t i, float mean, float sd, float *out, size_t n)
{
	words_fn *const words = kernels_now().words;
	const iso_key k = derive(key, TAG_NORMAL), tail = derive(key, TAG_TAIL);
	uint32_t w[GROUP];
	float z[GROUP];
	for (size_t at = 0; at < n; at += GROUP) {
		const size_t m = n - at < GROUP ? n - at : GROUP;
		words(k, i, at / GROUP, w);
		if (iso_vbox_muller(GROUP, w, z))
			mend_tails(tail, i, at, w, z);
		for (size_t e = 0; e < m; e++)
			out[at + e] = mean + sd * z[e];
	}
}

/* u < q for u = (word, more bits) / 2^64: only a word equal to the top of q, once in 2^32, needs
 * the second word. */
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

/* Record id looks at element id of array t.  A group serves all of its records that follow one
 * another in id; where they are few, single calls are cheaper. */
size_t iso_rand_poisson(iso_key key, uint64_t t, const uint64_t *id, size_t n, double q,
			uint32_t *out)
{
	const threshold th = threshold_of(q);
	const iso_key k = derive(key, TAG_POISSON);
	const kernels with = kernels_now();
	uint32_t w[GROUP];
	size_t count = 0;
	for (size_t p = 0; th.all && p < n; p++)
		out[count++] = (uint32_t)p;
	for (size_t p = 0; !th.all && p < n;) {
		const uint64_t group = id[p] / GROUP;
		if (n - p > FEW && id[p + FEW] / GROUP == group) {
			with.words(k, t, group, w);
			if (id[p] % GROUP == 0 && n - p >= GROUP && with.consecutive(id + p)) {
				/* hit or miss is settled here but for a tie */
				for (uint64_t hits = with.hits(w, th.top); hits; hits &= hits - 1) {
					const unsigned e = (unsigned)__builtin_ctzll(hits);
					out[count] = (uint32_t)(p + e);
					count += (size_t)below(th, w[e], key, t, id[p + e]);
				}
				p += GROUP;
			}
			for (; p < n && id[p] / GROUP == group; p++) {
				out[count] = (uint32_t)p;
				count += (size_t)below(th, w[id[p] % GROUP], key, t, id[p]);
			}
			continue;
		}
		uint32_t one[4];
		iso_rand_words(k, t, group * LANES + id[p] % LANES, one);
		out[count] = (uint32_t)p;
		count += (size_t)below(th, one[id[p] % GROUP / LANES], key, t, id[p]);
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

/* Lemire 2019, "Fast random integer generation in an interval": multiply, reject the short
 * remainder. */
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
