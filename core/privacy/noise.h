// SPDX-License-Identifier: Apache-2.0
/* The stream of privacy noise: AES-256-CTR (OpenSSL's libcrypto), keyed, counter-addressed.
 *
 * The number at (stream, step, index) is a pure function of the key: the same on any machine, in
 * any order, in any piece size.  Seeded by the suite for reproducibility, or by the operating
 * system in secure mode.  Only core/privacy and core/nn/dpsgd.c include this file; a lint checks
 * it.
 */
#ifndef ISO_PRIVACY_NOISE_H
#define ISO_PRIVACY_NOISE_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_noise iso_noise;

/* What any sampler below leaves out of its law's tails, per number: it adds at most (1 + e^epsilon)
 * times this, for each number that a training draws, to delta.  ISO_LEAST_DELTA (ledger.h) leaves
 * room for 10^12 numbers up to epsilon 18. */
#define ISO_NOISE_TAIL 0x1p-116

/* The key of the release (core/privacy/release_key.h); secure: hardened samplers. */
iso_status iso_noise_new(const uint8_t key[32], int secure, iso_noise **out,
			 iso_error *err) ISO_MUST_CHECK;
void iso_noise_free(iso_noise *z);
int iso_noise_is_secure(const iso_noise *z);

/* Raw 64-bit words at (stream, step, first .. first+n-1); stream < 2^32, step < 2^32, index < 2^32.
 */
iso_status iso_noise_words(iso_noise *z, uint32_t stream, uint32_t step, uint64_t first, size_t n,
			   uint64_t *out, iso_error *err) ISO_MUST_CHECK;
/* Poisson sampling from the AES stream: out gets the positions p in 0..n-1 whose coin at (stream,
 * step, id[p]) falls below q, in order; returns how many.  A record's coin depends on its id alone.
 * Ids below 2^57. */
iso_status iso_noise_poisson(iso_noise *z, uint32_t stream, uint32_t step, const uint64_t *id,
			     size_t n, double q, uint32_t *out, size_t *count,
			     iso_error *err) ISO_MUST_CHECK;
/* out[i] += sd * N(0,1) at index first + i.  fp32, for DP-SGD sums: the hot path (goal 1 ns per
 * float). `first` must be even. */
iso_status iso_noise_add_gaussian_f32(iso_noise *z, uint32_t stream, uint32_t step, uint64_t first,
				      size_t n, float sd, float *out,
				      iso_error *err) ISO_MUST_CHECK;
/* Double-precision samplers for histograms, counts and votes.  In secure mode the hardened samplers
 * (rounded to a power-of-two grid that does not depend on the data; Mironov 2012, Holohan and
 * Braghin 2021). */
iso_status iso_noise_add_gaussian(iso_noise *z, uint32_t stream, uint32_t step, size_t n, double sd,
				  double *out, iso_error *err) ISO_MUST_CHECK;
iso_status iso_noise_add_laplace(iso_noise *z, uint32_t stream, uint32_t step, size_t n,
				 double scale, double *out, iso_error *err) ISO_MUST_CHECK;
/* Standard Gumbel, for the exponential mechanism. */
iso_status iso_noise_add_gumbel(iso_noise *z, uint32_t stream, uint32_t step, size_t n,
				double scale, double *out, iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
