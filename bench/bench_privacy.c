// SPDX-License-Identifier: Apache-2.0
/* Noise per float and the accountants. */
#include <math.h>
#include <stdio.h>

#include "bench/bench.h"
#include "core/base/alloc.h"
#include "core/base/clock.h"
#include "core/privacy/accountant.h"
#include "core/privacy/noise.h"
#include "core/privacy/release_key.h"

typedef struct noise_job {
	iso_noise *z;
	float *x;
	size_t n;
	uint32_t step;
} noise_job;

static void add_noise(void *ctx)
{
	noise_job *j = ctx;
	iso_error err = {0};

	if (iso_noise_add_gaussian_f32(j->z, 1, j->step++, 0, j->n, 0.1f, j->x, &err) != ISO_OK)
		bench_fail(&err);
}

/* Share of a private step: noise for all its parameters over the step's time. */
static void shares(double ns)
{
	const cJSON *steps = cJSON_GetObjectItem(cJSON_GetObjectItem(bench.out, "step_us"), "dp"),
		    *s;

	cJSON_ArrayForEach(s, steps)
	{
		const cJSON *p = cJSON_GetObjectItem(cJSON_GetObjectItem(bench.out, "parameters"),
						     s->string);
		char path[96];

		snprintf(path, sizeof(path), "noise_share.%s", s->string);
		bench_put(path, p ? ns * 1e-3 * p->valuedouble / s->valuedouble : NAN);
	}
}

void bench_noise(void)
{
	static bench_case c;
	noise_job j = {.n = 121000};
	iso_release_key key;
	iso_error err = {0};
	bench_stat s, peak;

	j.x = iso_alloc(j.n, sizeof(float));
	if (!j.x || iso_release_key_plain(1, "bench", 0, &key, &err) != ISO_OK ||
	    iso_noise_new(key.digest, 0, &j.z, &err) != ISO_OK) {
		bench_fail(&err);
		iso_free(j.x);
		return;
	}
	c = (bench_case){.name = "noise", .run = add_noise, .ctx = &j};
	bench_rounds(&c, 1);
	s = bench_stat_of(c.sec, bench.rounds);
	peak = bench_stat_of(bench.peak, bench.npeak);
	bench_put("noise_ns_per_float", s.min / (double)j.n * 1e9);
	bench_detail("noise_ns_per_float", s, 1e9 / (double)j.n);
	bench_say("noise: %.3f ns per float (median %.3f; %.2f %% of the FMA peak's time for one "
		  "multiply-add per lane)\n",
		  s.min / (double)j.n * 1e9, s.median / (double)j.n * 1e9,
		  100 * 2 / (s.min / (double)j.n * 1e9 * peak.median));
	shares(s.min / (double)j.n * 1e9);
	iso_noise_free(j.z);
	iso_free(j.x);
}

/* ---- accountants: DP-SGD with q = 0.01, sigma = 1.1, 10,000 steps, delta = 1e-5 ---- */

static iso_status plan_of(void *ctx, double scale, iso_events *out, iso_error *err)
{
	const iso_event e = {.mechanism = ISO_MECH_GAUSSIAN,
			     .noise = 1.1 * scale,
			     .sampling = ISO_SAMPLING_POISSON,
			     .rate = 0.01,
			     .count = 10000};

	(void)ctx;
	return iso_events_add(out, &e, err);
}

static void account(unsigned want)
{
	iso_events e = {0};
	iso_epsilons eps;
	iso_error err = {0};

	if (plan_of(NULL, 1, &e, &err) != ISO_OK ||
	    iso_account_epsilon(&e, ISO_ADD_REMOVE, 1e-5, want, &eps, &err) != ISO_OK)
		bench_fail(&err);
	iso_events_free(&e);
}

static void pld(void *ctx)
{
	(void)ctx;
	account(ISO_WANT_PLD);
}

static void rdp(void *ctx)
{
	(void)ctx;
	account(ISO_WANT_RDP);
}

static void calibrate(void *ctx)
{
	const double *epsilon = ctx;
	double scale, reached;
	iso_error err = {0};

	if (iso_calibrate(plan_of, NULL, ISO_ADD_REMOVE, *epsilon, 1e-5, ISO_ACC_PLD, &scale,
			  &reached, &err) != ISO_OK)
		bench_fail(&err);
}

void bench_account(void)
{
	static double one = 1, eight = 8;
	static bench_case c[4];
	static const char *const key[] = {"pld_10k", "rdp", "calibrate_eps1", "calibrate_eps8"};
	static const double goal[] = {50, 1, 200, 200};
	const size_t rounds = bench.rounds;
	size_t i;

	c[0] = (bench_case){.name = key[0], .run = pld};
	c[1] = (bench_case){.name = key[1], .run = rdp};
	c[2] = (bench_case){.name = key[2], .run = calibrate, .ctx = &one};
	c[3] = (bench_case){.name = key[3], .run = calibrate, .ctx = &eight};
	bench.rounds = rounds > 9 ? 9 : rounds;
	bench_rounds(c, 4);
	bench_say("accountants: q 0.01, sigma 1.1, 10,000 steps, delta 1e-5\n");
	for (i = 0; i < 4; i++) {
		const bench_stat s = bench_stat_of(c[i].sec, bench.rounds);
		char path[64];

		snprintf(path, sizeof(path), "account_ms.%s", key[i]);
		bench_put(path, s.min * 1e3);
		bench_detail(path, s, 1e3);
		bench_say("  %-15s %8.3f ms (goal %.0f)\n", key[i], s.min * 1e3, goal[i]);
	}
	bench.rounds = rounds;
}
