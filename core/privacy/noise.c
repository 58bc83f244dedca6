// SPDX-License-Identifier: Apache-2.0
/* Privacy noise from AES-256-CTR.
 *
 * Counter block = stream (32 bits) | step (32) | kind (8) | block index (56).  The kind keeps the
 * samplers apart, so that one (stream, step) may feed several of them.
 *
 * Float path: Box-Muller on 32-bit words (core/math/vmath.h); a radius word below 2^-20 takes 32
 * more bits from the tail kind, and 96 if it is 0.
 *
 * TAILS.  A sampler that cannot return numbers beyond some bound is that of a truncated law, at a
 * distance of the mass beyond the bound from the law that the proof is about: delta grows by at
 * most (1 + e^epsilon) times that mass, for all the numbers of a training together.  Uniform
 * numbers here have 53 bits, and 64 more where they are small (below 2^-20; for Gumbel also where
 * they are large): every sampler leaves out less than ISO_NOISE_TAIL = 2^-116 a number.  A training
 * that draws 10^12 of them stays below 2e-23.
 *
 * HARDENED samplers (secure mode).  A textbook sampler in floating point reaches only some doubles,
 * and which ones depends on what the noise is added to: the low bits of the released value tell
 * (Mironov 2012, "On significance of the least significant bits for differential privacy").  Two
 * remedies together:
 *   - several variates make one noise value (Holohan and Braghin 2021, "Secure random sampling in
 * differential privacy", section 4): Gaussian (z1 + z2) / sqrt 2 from two independent pairs;
 * Laplace E1 cos(pi U1) + E2 cos(pi U2), E exponential.  To search the preimages of one output
 * costs 2^104 and more;
 *   - the sum and the noise are each rounded to multiples of a power of two g, 2^-41 sd < g <=
 * 2^-40 sd, before they are added.  g depends on the public scale alone; the exact sum of two
 * multiples of g is again one, and the final rounding to a double or float is post-processing.
 * Rounding moves a sum of d coordinates by at most g sqrt(d) / 2 in L2: for d = 10^8 that is 5e-9
 * of the noise's sd.
 */
#include "core/privacy/noise.h"

#include <math.h>
#include <openssl/crypto.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/gemm.h"
#include "core/math/vmath.h"
#include "core/privacy/aes.h"

#define CHUNK 2048 /* floats at a time: words, normals and target stay in L1 */
#define INDEX_LIMIT ((uint64_t)1 << 32)
#define TWO_PI 0x1.921fb54442d18p+2

enum kind {
	KIND_WORDS,
	KIND_F32,
	KIND_F32_TAIL,
	KIND_GAUSSIAN,
	KIND_LAPLACE,
	KIND_GUMBEL,
	KIND_F32_SECURE,
	KIND_COIN,
	KIND_MORE = 0x80 /* added to a kind: the further bits of its small words */
};

struct iso_noise {
	iso_aes *aes; /* owned */
	int secure;
	uint32_t words[CHUNK] __attribute__((aligned(64)));
	float z[CHUNK] __attribute__((aligned(64)));
};

iso_status iso_noise_new(const uint8_t key[32], int secure, iso_noise **out, iso_error *err)
{
	iso_noise *z = iso_alloc(1, sizeof(*z));
	iso_status st;

	*out = NULL;
	if (!z)
		return iso_no_memory(err, "the noise generator");
	st = iso_aes_new(key, &z->aes, err);
	if (st != ISO_OK) {
		iso_free(z);
		return st;
	}
	z->secure = secure != 0;
	*out = z;
	return ISO_OK;
}

void iso_noise_free(iso_noise *z)
{
	if (!z)
		return;
	iso_aes_free(z->aes);
	OPENSSL_cleanse(z, sizeof(*z));
	iso_free(z);
}

int iso_noise_is_secure(const iso_noise *z)
{
	return z->secure;
}

/* Blocks first .. first + n - 1 of one kind, as little-endian words. */
static iso_status blocks(iso_noise *z, uint32_t stream, uint32_t step, enum kind kind,
			 uint64_t first, size_t n, void *out, iso_error *err)
{
	const uint64_t prefix = (uint64_t)stream << 32 | step;
	return iso_aes_stream(z->aes, prefix, (uint64_t)kind << 56 | first, n, out, err);
}

static uint32_t little32(uint32_t x)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return __builtin_bswap32(x);
#else
	return x;
#endif
}

static uint64_t little64(uint64_t x)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return __builtin_bswap64(x);
#else
	return x;
#endif
}

static iso_status check_range(uint64_t first, size_t n, double scale, iso_error *err)
{
	ISO_FAIL_IF(first > INDEX_LIMIT || n > INDEX_LIMIT - first, err, ISO_E_USAGE,
		    "noise index too large (noise): first %llu + count %zu, the limit is 2^32; "
		    "release in several steps",
		    (unsigned long long)first, n);
	ISO_FAIL_IF(!(scale >= 0 && scale < 1e200) || (scale > 0 && scale < 1e-200), err,
		    ISO_E_USAGE,
		    "noise scale out of range (noise): %g, want 0 or 1e-200 to 1e200; rescale the "
		    "release",
		    scale);
	return ISO_OK;
}

iso_status iso_noise_words(iso_noise *z, uint32_t stream, uint32_t step, uint64_t first, size_t n,
			   uint64_t *out, iso_error *err)
{
	ISO_TRY(check_range(first, n, 0, err));
	uint64_t pair[2];
	size_t at = 0;
	if (n && first % 2) {
		ISO_TRY(blocks(z, stream, step, KIND_WORDS, first / 2, 1, pair, err));
		out[at++] = little64(pair[1]);
	}
	const size_t whole = (n - at) / 2;
	ISO_TRY(blocks(z, stream, step, KIND_WORDS, (first + at) / 2, whole, out + at, err));
	for (size_t i = 0; i < 2 * whole; i++, at++)
		out[at] = little64(out[at]);
	if (at < n) {
		ISO_TRY(blocks(z, stream, step, KIND_WORDS, (first + at) / 2, 1, pair, err));
		out[at] = little64(pair[0]);
	}
	return ISO_OK;
}

/* ---- coins ---- */

#define WINDOW 256 /* blocks of two coins read at once */

/* How many positions from p on have ascending ids within one window of blocks. */
static size_t window_of(const uint64_t *id, size_t n, size_t p)
{
	size_t end = p + 1;

	while (end < n && id[end] > id[end - 1] && id[end] / 2 - id[p] / 2 < WINDOW)
		end++;
	return end;
}

iso_status iso_noise_poisson(iso_noise *z, uint32_t stream, uint32_t step, const uint64_t *id,
			     size_t n, double q, uint32_t *out, size_t *count, iso_error *err)
{
	/* a coin w lies below q when w < q 2^64; at q = 1 every one does */
	const uint64_t limit = q < 1 ? (uint64_t)(q * 0x1p64) : UINT64_MAX;
	uint64_t w[2 * WINDOW];

	*count = 0;
	for (size_t p = 0; p < n;) {
		const size_t end = window_of(id, n, p);
		const uint64_t first = id[p] / 2;

		ISO_FAIL_IF(id[end - 1] >> 57, err, ISO_E_LIMIT,
			    "record id too large (noise): %llu, the limit is 2^57; number the rows",
			    (unsigned long long)id[end - 1]);
		ISO_TRY(blocks(z, stream, step, KIND_COIN, first,
			       (size_t)(id[end - 1] / 2 - first) + 1, w, err));
		for (; p < end; p++)
			if (q >= 1 || little64(w[id[p] - 2 * first]) < limit)
				out[(*count)++] = (uint32_t)p;
	}
	return ISO_OK;
}

/* ---- float path ---- */

static inline __attribute__((always_inline)) void
add_scaled_loop(size_t n, float sd, const float *restrict z, float *restrict out)
{
	for (size_t i = 0; i < n; i++)
		out[i] += sd * z[i];
}

/* out += sd z, product and sum rounded each: the same bits in every version. */
#ifdef __x86_64__
ISO_TARGET_AVX512 static void add_scaled_avx512(size_t n, float sd, const float *z, float *out)
{
	add_scaled_loop(n, sd, z, out);
}

ISO_TARGET_AVX2 static void add_scaled_avx2(size_t n, float sd, const float *z, float *out)
{
	add_scaled_loop(n, sd, z, out);
}
#endif

static void add_scaled(size_t n, float sd, const float *z, float *out)
{
#ifdef __x86_64__
	const iso_isa isa = iso_isa_active();
	if (isa == ISO_ISA_AVX512) {
		add_scaled_avx512(n, sd, z, out);
		return;
	}
	if (isa == ISO_ISA_AVX2) {
		add_scaled_avx2(n, sd, z, out);
		return;
	}
#endif
	add_scaled_loop(n, sd, z, out);
}

/* Pairs whose radius word is too small to carry the tail, once in 2^20: 32 more bits each. */
static iso_status mend_tails(iso_noise *z, uint32_t stream, uint32_t step, uint64_t start, size_t n,
			     iso_error *err)
{
	const size_t half = ISO_BM_BLOCK / 2;
	for (size_t b = 0; b < n; b += ISO_BM_BLOCK) {
		for (size_t l = b; l < b + half; l++) {
			if (z->words[l] >= ISO_BM_TAIL)
				continue;
			uint32_t more[4];
			ISO_TRY(blocks(z, stream, step, KIND_F32_TAIL, start + l, 1, more, err));
			for (int k = 0; k < 4; k++)
				more[k] = little32(more[k]);
			if (z->words[l] < 2)
				iso_box_muller_deep(z->words[l + half], more, &z->z[l],
						    &z->z[l + half]);
			else
				iso_box_muller_tail(z->words[l], z->words[l + half], more[0],
						    &z->z[l], &z->z[l + half]);
		}
	}
	return ISO_OK;
}

/* z->z[0 .. n-1] = standard normals at start ..; both multiples of ISO_BM_BLOCK. */
static iso_status normals(iso_noise *z, uint32_t stream, uint32_t step, uint64_t start, size_t n,
			  iso_error *err)
{
	ISO_TRY(blocks(z, stream, step, KIND_F32, start / 4, n / 4, z->words, err));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	for (size_t i = 0; i < n; i++)
		z->words[i] = little32(z->words[i]);
#endif
	if (iso_vbox_muller(n, z->words, z->z))
		return mend_tails(z, stream, step, start, n, err);
	return ISO_OK;
}

/* ---- double samplers ---- */

/* The words of one variate, and for each small or large one 64 bits more. */
typedef struct draw {
	uint64_t w[4], more[2];
} draw;

#define SMALL ((uint64_t)1 << 33) /* of 2^53 */
#define LARGE (((uint64_t)1 << 53) - SMALL)

static int is_rare(uint64_t w)
{
	return w >> 11 < SMALL || w >> 11 >= LARGE;
}

/* (53 bits + 1/2) / 2^53, in (0, 1]: 1 is reached by rounding alone, so only logarithms take it. */
static double u53(uint64_t w)
{
	return ((double)(w >> 11) + 0.5) * 0x1p-53;
}

/* (k + 64 bits of fraction) / 2^53 */
static double deep(uint64_t k, uint64_t more)
{
	return ((double)k + ((double)more + 0.5) * 0x1p-64) * 0x1p-53;
}

/* E = -log u of word 2 i, to full relative precision at both ends; to 81. */
static double exponential(const draw *d, int i)
{
	const uint64_t k = d->w[2 * i] >> 11;

	return -iso_log(k < SMALL ? deep(k, d->more[i]) : u53(d->w[2 * i]));
}

/* The same down to 2^-117 where u is near 1. */
static double small_exponential(const draw *d, int i)
{
	const uint64_t k = d->w[2 * i] >> 11;

	if (k >= LARGE)
		return -iso_log1p(-deep(((uint64_t)1 << 53) - 1 - k, d->more[i]));
	return exponential(d, i);
}

/* Box-Muller's cosine: |z| up to 12.7. */
static double one_normal(const draw *d, int i)
{
	return sqrt(2 * exponential(d, i)) * iso_cos(TWO_PI * u53(d->w[2 * i + 1]));
}

/* One variate from 2 words (plain) or 4 (hardened). */
typedef double sampler_fn(const draw *d);

static double gaussian_plain(const draw *d)
{
	return one_normal(d, 0);
}

static double gaussian_hard(const draw *d)
{
	return (one_normal(d, 0) + one_normal(d, 1)) * 0x1.6a09e667f3bcdp-1;
}

static double laplace_plain(const draw *d)
{
	const double e = exponential(d, 0);
	return d->w[1] & 1 ? e : -e;
}

/* With normals X: X1 X2 + X3 X4 is Laplace, and X1 X2 = (R^2 / 2) sin 2A = E cos(pi U). */
static double laplace_hard(const draw *d)
{
	const double pi = TWO_PI / 2;
	return exponential(d, 0) * iso_cos(pi * u53(d->w[1])) +
	       exponential(d, 1) * iso_cos(pi * u53(d->w[3]));
}

static double gumbel_plain(const draw *d)
{
	return -iso_log(small_exponential(d, 0));
}

/* E = sum of two independent Gamma(1/2) = (X1^2 + X2^2) / 2 from one normal of each of two pairs.
 */
static double gumbel_hard(const draw *d)
{
	const double a = one_normal(d, 0), b = one_normal(d, 1), e = 0.5 * (a * a + b * b);
	return -iso_log(e > 0 ? e : 0x1p-117);
}

/* The power of two g with 2^-41 scale < g <= 2^-40 scale. */
static double grid_of(double scale)
{
	int e;
	frexp(scale, &e);
	return ldexp(1, e - 41);
}

static double to_grid(double x, double g)
{
	const double k = x / g;
	return fabs(k) < 0x1p52 ? rint(k) * g
				: x; /* larger: already a multiple of g; also infinities and NaN */
}

/* The words of variate `at` of its kind, 2 per block, w in the machine's order; one in 2^19 takes a
 * block more. */
static iso_status draw_of(iso_noise *z, uint32_t stream, uint32_t step, enum kind kind,
			  uint64_t block, const uint64_t *w, size_t per, draw *d, iso_error *err)
{
	int rare = 0;

	for (size_t k = 0; k < 2 * per; k++)
		d->w[k] = w[k];
	for (size_t k = 0; k < per; k++)
		rare |= is_rare(w[2 * k]);
	if (!rare)
		return ISO_OK;
	ISO_TRY(blocks(z, stream, step, (enum kind)(kind + KIND_MORE), block, 1, d->more, err));
	for (int k = 0; k < 2; k++)
		d->more[k] = little64(d->more[k]);
	return ISO_OK;
}

static iso_status add_samples(iso_noise *z, uint32_t stream, uint32_t step, enum kind kind,
			      sampler_fn *plain, sampler_fn *hard, size_t n, double scale,
			      double *out, iso_error *err)
{
	ISO_TRY(check_range(0, n, scale, err));
	if (scale == 0)
		return ISO_OK;
	const size_t per = z->secure ? 2 : 1; /* blocks of two words a variate */
	const double g = grid_of(scale);
	uint64_t w[256];
	for (size_t at = 0; at < n;) {
		const size_t m = n - at < 128 / per ? n - at : 128 / per;
		ISO_TRY(blocks(z, stream, step, kind, (uint64_t)at * per, m * per, w, err));
		for (size_t i = 0; i < 2 * per * m; i++)
			w[i] = little64(w[i]);
		for (size_t i = 0; i < m; i++) {
			double *const x = &out[at + i];
			draw d;

			ISO_TRY(draw_of(z, stream, step, kind, (uint64_t)(at + i) * per,
					w + 2 * per * i, per, &d, err));
			if (z->secure)
				*x = to_grid(*x, g) + to_grid(scale * hard(&d), g);
			else
				*x += scale * plain(&d);
		}
		at += m;
	}
	return ISO_OK;
}

iso_status iso_noise_add_gaussian(iso_noise *z, uint32_t stream, uint32_t step, size_t n, double sd,
				  double *out, iso_error *err)
{
	return add_samples(z, stream, step, KIND_GAUSSIAN, gaussian_plain, gaussian_hard, n, sd,
			   out, err);
}

iso_status iso_noise_add_laplace(iso_noise *z, uint32_t stream, uint32_t step, size_t n,
				 double scale, double *out, iso_error *err)
{
	return add_samples(z, stream, step, KIND_LAPLACE, laplace_plain, laplace_hard, n, scale,
			   out, err);
}

iso_status iso_noise_add_gumbel(iso_noise *z, uint32_t stream, uint32_t step, size_t n,
				double scale, double *out, iso_error *err)
{
	return add_samples(z, stream, step, KIND_GUMBEL, gumbel_plain, gumbel_hard, n, scale, out,
			   err);
}

/* The float sums in secure mode: hardened, in double, rounded to float at the very end. */
static iso_status add_secure_f32(iso_noise *z, uint32_t stream, uint32_t step, uint64_t first,
				 size_t n, float sd, float *out, iso_error *err)
{
	const double g = grid_of(sd);
	uint64_t w[256];
	for (size_t at = 0; at < n;) {
		const size_t m = n - at < 64 ? n - at : 64;
		ISO_TRY(blocks(z, stream, step, KIND_F32_SECURE, (first + at) * 2, 2 * m, w, err));
		for (size_t i = 0; i < 4 * m; i++)
			w[i] = little64(w[i]);
		for (size_t i = 0; i < m; i++) {
			draw d;

			ISO_TRY(draw_of(z, stream, step, KIND_F32_SECURE, (first + at + i) * 2,
					w + 4 * i, 2, &d, err));
			out[at + i] = (float)(to_grid(out[at + i], g) +
					      to_grid(sd * gaussian_hard(&d), g));
		}
		at += m;
	}
	return ISO_OK;
}

iso_status iso_noise_add_gaussian_f32(iso_noise *z, uint32_t stream, uint32_t step, uint64_t first,
				      size_t n, float sd, float *out, iso_error *err)
{
	ISO_TRY(check_range(first, n, sd, err));
	if (sd == 0)
		return ISO_OK;
	if (z->secure)
		return add_secure_f32(z, stream, step, first, n, sd, out, err);
	for (size_t at = 0; at < n;) {
		const uint64_t start = (first + at) / ISO_BM_BLOCK * ISO_BM_BLOCK;
		const size_t skip = (size_t)(first + at - start);
		const size_t m = n - at < CHUNK - skip ? n - at : CHUNK - skip;
		const size_t whole = (skip + m + ISO_BM_BLOCK - 1) / ISO_BM_BLOCK * ISO_BM_BLOCK;
		ISO_TRY(normals(z, stream, step, start, whole, err));
		add_scaled(m, sd, z->z + skip, out + at);
		at += m;
	}
	return ISO_OK;
}
