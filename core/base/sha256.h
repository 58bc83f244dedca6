// SPDX-License-Identifier: Apache-2.0
/* SHA-256 (OpenSSL's libcrypto): data hashes, cell keys, key derivation. */
#ifndef ISO_BASE_SHA256_H
#define ISO_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_sha256 {
	void *ctx; /* owned */
	int failed;
} iso_sha256;

void iso_sha256_init(iso_sha256 *s);
void iso_sha256_add(iso_sha256 *s, const void *data, size_t n);
/* Finishes and frees; safe after a failed init (then ISO_E_NOMEM). */
iso_status iso_sha256_end(iso_sha256 *s, uint8_t digest[32], iso_error *err) ISO_MUST_CHECK;
/* One call; aborts never, a failure of libcrypto is ISO_E_INTERNAL. */
iso_status iso_sha256_of(const void *data, size_t n, uint8_t digest[32],
			 iso_error *err) ISO_MUST_CHECK;
/* 64 hexadecimal digits and a terminator. */
void iso_hex(const uint8_t *bytes, size_t n, char *out);

#ifdef __cplusplus
}
#endif

#endif
