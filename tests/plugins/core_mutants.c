// SPDX-License-Identifier: Apache-2.0
#include "tests/plugins/core_mutants.h"

#include <math.h>

#include "core/privacy/mechanism_trusted.h"
#include "core/privacy/noise.h"
#include "core/privacy/release_key.h"

core_bug core_bug_now = CORE_CLEAN;

/* The linker gives __real_X the library's X and sends every call of X from another object here. */
iso_status __real_iso_noise_add_gaussian(iso_noise *z, uint32_t stream, uint32_t step, size_t n,
					 double sd, double *out, iso_error *err);
iso_status __wrap_iso_noise_add_gaussian(iso_noise *z, uint32_t stream, uint32_t step, size_t n,
					 double sd, double *out, iso_error *err);
iso_status __real_iso_noise_add_gaussian_f32(iso_noise *z, uint32_t stream, uint32_t step,
					     uint64_t first, size_t n, float sd, float *out,
					     iso_error *err);
iso_status __wrap_iso_noise_add_gaussian_f32(iso_noise *z, uint32_t stream, uint32_t step,
					     uint64_t first, size_t n, float sd, float *out,
					     iso_error *err);
iso_status __real_iso_noise_add_laplace(iso_noise *z, uint32_t stream, uint32_t step, size_t n,
					double scale, double *out, iso_error *err);
iso_status __wrap_iso_noise_add_laplace(iso_noise *z, uint32_t stream, uint32_t step, size_t n,
					double scale, double *out, iso_error *err);
size_t __real_iso_rand_poisson(iso_key key, uint64_t t, const uint64_t *id, size_t n, double q,
			       uint32_t *out);
size_t __wrap_iso_rand_poisson(iso_key key, uint64_t t, const uint64_t *id, size_t n, double q,
			       uint32_t *out);
iso_status __real_iso_calibrate(iso_build_events build, void *ctx, iso_adjacency adj,
				double epsilon, double delta, iso_accountant which, double *scale,
				double *reached, iso_error *err);
iso_status __wrap_iso_calibrate(iso_build_events build, void *ctx, iso_adjacency adj,
				double epsilon, double delta, iso_accountant which, double *scale,
				double *reached, iso_error *err);
iso_status __real_iso_release_begin(iso_ledger *l, int handle, uint64_t count, double sensitivity,
				    uint32_t *call, iso_error *err);
iso_status __wrap_iso_release_begin(iso_ledger *l, int handle, uint64_t count, double sensitivity,
				    uint32_t *call, iso_error *err);
iso_status __real_iso_release_key_of(const iso_release_facts *f, iso_release_key *out,
				     iso_error *err);
iso_status __wrap_iso_release_key_of(const iso_release_facts *f, iso_release_key *out,
				     iso_error *err);

iso_status __wrap_iso_release_key_of(const iso_release_facts *f, iso_release_key *out,
				     iso_error *err)
{
	iso_release_facts same = *f;

	if (core_bug_now == CORE_SHARED_KEY) {
		same.data = "data";
		same.options = "";
		same.epsilon = same.scale = 1;
		same.plan = NULL;
	}
	return __real_iso_release_key_of(&same, out, err);
}

static double wrong_sd(double sd)
{
	switch (core_bug_now) {
	case CORE_NOISE_SQRT2:
		return sd / sqrt(2);
	case CORE_NOISE_BY_BATCH:
		return sd / 30;
	case CORE_NOISE_NONE:
		return 0;
	default:
		return sd;
	}
}

iso_status __wrap_iso_noise_add_gaussian(iso_noise *z, uint32_t stream, uint32_t step, size_t n,
					 double sd, double *out, iso_error *err)
{
	return __real_iso_noise_add_gaussian(
		z, stream, core_bug_now == CORE_NOISE_REUSED ? 0 : step, n, wrong_sd(sd), out, err);
}

iso_status __wrap_iso_noise_add_gaussian_f32(iso_noise *z, uint32_t stream, uint32_t step,
					     uint64_t first, size_t n, float sd, float *out,
					     iso_error *err)
{
	return __real_iso_noise_add_gaussian_f32(z, stream,
						 core_bug_now == CORE_NOISE_REUSED ? 0 : step,
						 first, n, (float)wrong_sd(sd), out, err);
}

iso_status __wrap_iso_noise_add_laplace(iso_noise *z, uint32_t stream, uint32_t step, size_t n,
					double scale, double *out, iso_error *err)
{
	return __real_iso_noise_add_laplace(z, stream, step, n,
					    core_bug_now == CORE_LAPLACE_SCALE ? 1 / scale : scale,
					    out, err);
}

size_t __wrap_iso_rand_poisson(iso_key key, uint64_t t, const uint64_t *id, size_t n, double q,
			       uint32_t *out)
{
	const size_t fixed = (size_t)rint(q * (double)n);

	if (core_bug_now == CORE_DOUBLE_RATE)
		return __real_iso_rand_poisson(key, t, id, n, 2 * q, out);
	if (core_bug_now != CORE_FIXED_SIZE)
		return __real_iso_rand_poisson(key, t, id, n, q, out);
	for (size_t i = 0; i < fixed; i++)
		out[i] = (uint32_t)((t * fixed + i) % n);
	return fixed;
}

iso_status __wrap_iso_calibrate(iso_build_events build, void *ctx, iso_adjacency adj,
				double epsilon, double delta, iso_accountant which, double *scale,
				double *reached, iso_error *err)
{
	const iso_status st =
		__real_iso_calibrate(build, ctx, adj, epsilon, delta, which, scale, reached, err);

	if (core_bug_now == CORE_CALIBRATION)
		*scale /= 2;
	return st;
}

/* Two steps under one booking: the second begin is skipped. */
iso_status __wrap_iso_release_begin(iso_ledger *l, int handle, uint64_t count, double sensitivity,
				    uint32_t *call, iso_error *err)
{
	static unsigned turn;

	if (core_bug_now == CORE_BOOKING && turn++ % 2)
		return ISO_OK;
	return __real_iso_release_begin(l, handle, count, sensitivity, call, err);
}
