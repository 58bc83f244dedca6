// SPDX-License-Identifier: Apache-2.0
#include "core/privacy/release_key.h"

#include <math.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

#include "core/base/sha256.h"

#define SECRET_BYTES 32
#define SCALE_BITS 40

static void add_word(iso_sha256 *h, uint64_t x)
{
	uint8_t b[8];

	for (int i = 0; i < 8; i++)
		b[i] = (uint8_t)(x >> (8 * i));
	iso_sha256_add(h, b, sizeof(b));
}

static void add_real(iso_sha256 *h, double x)
{
	uint64_t bits;

	memcpy(&bits, &x, sizeof(bits));
	add_word(h, bits);
}

/* Rounded to SCALE_BITS significant bits. */
static void add_rounded(iso_sha256 *h, double x)
{
	int e = 0;

	if (isfinite(x)) {
		const double m = frexp(x, &e);

		x = ldexp(rint(ldexp(m, SCALE_BITS)), e - SCALE_BITS);
	}
	add_real(h, x);
}

/* With its length, so that two neighbouring texts cannot trade characters. */
static void add_text(iso_sha256 *h, const char *s)
{
	const size_t n = s ? strlen(s) : 0;

	add_word(h, s ? (uint64_t)n : UINT64_MAX);
	iso_sha256_add(h, s ? s : "", n);
}

static void add_item(iso_sha256 *h, const iso_plan_item *it)
{
	const iso_event *e = &it->event;

	add_text(h, it->why);
	add_word(h, (uint64_t)it->group);
	add_word(h, (uint64_t)it->part);
	add_word(h, (uint64_t)it->unit);
	add_word(h, (uint64_t)it->adaptive);
	add_text(h, iso_mech_name(e->mechanism));
	add_rounded(h, e->noise);
	add_rounded(h, e->epsilon);
	add_rounded(h, e->delta);
	add_rounded(h, e->rho);
	add_rounded(h, e->order);
	add_word(h, (uint64_t)e->sampling);
	add_rounded(h, e->rate);
	add_word(h, e->count);
	add_word(h, (uint64_t)it->norm);
	add_rounded(h, it->sensitivity);
}

static void add_facts(iso_sha256 *h, const iso_release_facts *f)
{
	add_text(h, f->generator);
	add_word(h, f->version);
	add_text(h, f->options);
	add_text(h, f->data);
	add_word(h, f->n);
	add_word(h, f->class_count ? f->classes : UINT64_MAX);
	for (size_t i = 0; f->class_count && i < f->classes; i++)
		add_word(h, f->class_count[i]);
	add_real(h, f->epsilon);
	add_real(h, f->delta);
	add_rounded(h, f->scale);
	add_word(h, (uint64_t)f->adjacency);
	add_word(h, (uint64_t)f->accountant);
	add_word(h, f->plan ? f->plan->n : UINT64_MAX);
	for (size_t i = 0; f->plan && i < f->plan->n; i++)
		add_item(h, &f->plan->v[i]);
}

iso_status iso_release_key_of(const iso_release_facts *f, iso_release_key *out, iso_error *err)
{
	uint8_t secret[SECRET_BYTES] = {0};
	iso_status st;
	iso_sha256 h;

	ISO_FAIL_IF(f->secure && RAND_priv_bytes(secret, sizeof(secret)) != 1, err, ISO_E_INTERNAL,
		    "no secure randomness (libcrypto): the operating system gave none; run without "
		    "secure mode");
	iso_sha256_init(&h);
	add_text(&h, f->secure ? "isoeps secure release" : "isoeps seeded release");
	iso_sha256_add(&h, secret, sizeof(secret));
	add_word(&h, f->secure ? 0 : f->seed);
	add_facts(&h, f);
	st = iso_sha256_end(&h, out->digest, err);
	OPENSSL_cleanse(secret, sizeof(secret));
	out->secure = f->secure != 0;
	return st;
}

iso_status iso_release_key_plain(uint64_t seed, const char *label, int secure, iso_release_key *out,
				 iso_error *err)
{
	const iso_release_facts f = {.seed = seed, .generator = label, .secure = secure};

	return iso_release_key_of(&f, out, err);
}

iso_status iso_release_key_fit(const iso_release_key *key, iso_key *out, iso_error *err)
{
	uint8_t digest[32];
	iso_sha256 h;

	iso_sha256_init(&h);
	add_text(&h, "isoeps fit");
	iso_sha256_add(&h, key->digest, sizeof(key->digest));
	ISO_TRY(iso_sha256_end(&h, digest, err));
	out->k = 0;
	for (int i = 0; i < 8; i++)
		out->k |= (uint64_t)digest[i] << (8 * i);
	OPENSSL_cleanse(digest, sizeof(digest));
	return ISO_OK;
}
