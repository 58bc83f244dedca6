// SPDX-License-Identifier: Apache-2.0
/* AES-256 in counter mode: the key stream behind the privacy noise.
 *
 * Two paths with the same bytes: libcrypto (AES-NI or its table-free software path), and, on CPUs
 * with VAES and AVX-512, four blocks per instruction.  Included by core/privacy/noise.c and its
 * tests only.
 */
#ifndef ISO_PRIVACY_AES_H
#define ISO_PRIVACY_AES_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_aes iso_aes;

iso_status iso_aes_new(const uint8_t key[32], iso_aes **out, iso_error *err) ISO_MUST_CHECK;
/* Wipes the key schedule. */
void iso_aes_free(iso_aes *a);
/* out [16 * n] = AES(prefix, first), AES(prefix, first + 1), ...: each counter block is prefix then
 * counter, both as 64-bit big-endian numbers.  No wrap: first + n <= 2^64. */
iso_status iso_aes_stream(iso_aes *a, uint64_t prefix, uint64_t first, size_t n, uint8_t *out,
			  iso_error *err) ISO_MUST_CHECK;
/* 1 when the wide path would be taken now (it follows ISOEPS_ISA, so that tests reach both). */
int iso_aes_is_wide(const iso_aes *a);

#ifdef __cplusplus
}
#endif

#endif
