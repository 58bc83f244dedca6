// SPDX-License-Identifier: Apache-2.0
/* How far the samplers reach.  The linker puts chosen words in the place of the key stream: the
 * most extreme ones give the largest number that each sampler can return, and the mass of its law
 * beyond that must be at most ISO_NOISE_TAIL. */
#include "core/privacy/noise.h"

#include <math.h>
#include <string.h>

#include "core/privacy/aes.h"
#include "core/privacy/ledger.h"
#include "core/privacy/release_key.h"
#include "tests/support/testkit.h"

static int words, further; /* bytes of the ordinary blocks and of those that refine a tail */

iso_status __wrap_iso_aes_stream(iso_aes *s, uint64_t prefix, uint64_t first, size_t n,
				 uint8_t *out, iso_error *err);
iso_status __wrap_iso_aes_stream(iso_aes *s, uint64_t prefix, uint64_t first, size_t n,
				 uint8_t *out, iso_error *err)
{
	const int tail = first >> 63 || (first >> 56 & 0x7f) == 2; /* kind of the float tail */

	(void)s, (void)prefix, (void)err;
	memset(out, tail ? further : words, 16 * n);
	return ISO_OK;
}

static iso_noise *noise_of(int secure)
{
	const uint8_t key[32] = {1};
	iso_error err = {0};
	iso_noise *z;

	tk_ok(iso_noise_new(key, secure, &z, &err));
	return z;
}

/* e^-118 log 2 = 2^-118 of an exponential variate is out of reach; a hardened number uses two. */
#define REACH 81.79136730607127 /* 118 log 2 */

START_TEST(gaussian)
{
	iso_error err = {0};
	iso_noise *z = noise_of(_i);
	double x = 0;

	words = further = 0;
	tk_ok(iso_noise_add_gaussian(z, 0, 0, 1, 1, &x, &err));
	tk_assert_close(x, sqrt(2 * REACH) * (_i ? sqrt(2) : 1), 1e-12, 0);
	ck_assert_double_le((_i ? 2 : 1) * exp(-REACH), ISO_NOISE_TAIL);
	iso_noise_free(z);
}
END_TEST

START_TEST(floats)
{
	iso_error err = {0};
	iso_noise *z = noise_of(_i);
	float x[64] = {0};

	words = further = 0;
	tk_ok(iso_noise_add_gaussian_f32(z, 0, 0, 0, 64, 1, x, &err));
	tk_assert_close(x[0], _i ? 2 * sqrt(REACH) : sqrt(2 * 128 * log(2)), 1e-6, 0);
	further = 0xff; /* the refinement goes on where the ordinary words end */
	x[0] = 0;
	tk_ok(iso_noise_add_gaussian_f32(z, 0, 0, 0, 64, 1, x, &err));
	tk_assert_close(x[0], _i ? 2 * sqrt(53 * log(2)) : sqrt(2 * 31 * log(2)), 1e-6, 0);
	iso_noise_free(z);
}
END_TEST

START_TEST(laplace)
{
	iso_error err = {0};
	iso_noise *z = noise_of(_i);
	double x = 0;

	words = further = 0;
	tk_ok(iso_noise_add_laplace(z, 0, 0, 1, 1, &x, &err));
	tk_assert_close(x, _i ? 2 * REACH : -REACH, 1e-12, 0);
	iso_noise_free(z);
}
END_TEST

START_TEST(gumbel)
{
	iso_error err = {0};
	iso_noise *z = noise_of(0);
	double x = 0;

	words = further = 0;
	tk_ok(iso_noise_add_gumbel(z, 0, 0, 1, 1, &x, &err));
	tk_assert_close(x, -log(REACH), 1e-12, 0);
	words = 0xff;
	x = 0;
	tk_ok(iso_noise_add_gumbel(z, 0, 0, 1, 1, &x, &err));
	tk_assert_close(x, REACH, 1e-12, 0);
	iso_noise_free(z);
}
END_TEST

/* The delta that every sampler of a training of 10^12 numbers adds at epsilon 18, against the least
 * delta that a training may have. */
START_TEST(below_every_accepted_delta)
{
	ck_assert_double_lt(1e12 * (1 + exp(18)) * ISO_NOISE_TAIL, ISO_LEAST_DELTA);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("privacy/tails");
	TCase *c = tcase_create("reach");

	tcase_add_loop_test(c, gaussian, 0, 2);
	tcase_add_loop_test(c, floats, 0, 2);
	tcase_add_loop_test(c, laplace, 0, 2);
	tcase_add_test(c, gumbel);
	tcase_add_test(c, below_every_accepted_delta);
	suite_add_tcase(s, c);
	return tk_run(s);
}
