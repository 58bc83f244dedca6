// SPDX-License-Identifier: Apache-2.0
#include "core/base/sha256.h"

#include <openssl/evp.h>

void iso_sha256_init(iso_sha256 *s)
{
	s->ctx = EVP_MD_CTX_new();
	s->failed = !s->ctx || EVP_DigestInit_ex(s->ctx, EVP_sha256(), NULL) != 1;
}

void iso_sha256_add(iso_sha256 *s, const void *data, size_t n)
{
	if (!s->failed && n && EVP_DigestUpdate(s->ctx, data, n) != 1)
		s->failed = 1;
}

iso_status iso_sha256_end(iso_sha256 *s, uint8_t digest[32], iso_error *err)
{
	if (!s->failed && EVP_DigestFinal_ex(s->ctx, digest, NULL) != 1)
		s->failed = 1;
	EVP_MD_CTX_free(s->ctx);
	s->ctx = NULL;
	ISO_FAIL_IF(s->failed, err, ISO_E_INTERNAL,
		    "hash failed (SHA-256): libcrypto refused; check the OpenSSL installation");
	return ISO_OK;
}

iso_status iso_sha256_of(const void *data, size_t n, uint8_t digest[32], iso_error *err)
{
	iso_sha256 s;

	iso_sha256_init(&s);
	iso_sha256_add(&s, data, n);
	return iso_sha256_end(&s, digest, err);
}

void iso_hex(const uint8_t *bytes, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * n] = 0;
}
