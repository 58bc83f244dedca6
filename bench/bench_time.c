// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "core/base/clock.h"
#include "core/math/gemm.h"
#ifdef __x86_64__
#include <immintrin.h>
#endif

#define SAMPLE 3e-4 /* seconds */
#define CHAINS 24   /* independent accumulators: more than latency 4 x 2 ports */
#define PROBE 4000
#define TRIES 4 /* for a sample whose probes agree */

bench_run bench;

static volatile float sink;

/* Gflop/s of a loop of nothing but independent fused multiply-adds. */
#ifdef __x86_64__
__attribute__((target("avx512f"))) static double probe_avx512(void)
{
	const __m512 x = _mm512_set1_ps(0.999999f), y = _mm512_set1_ps(1e-9f);
	__m512 a[CHAINS], s = _mm512_setzero_ps();
	double t;
	int i, k;

	for (i = 0; i < CHAINS; i++)
		a[i] = _mm512_set1_ps((float)i);
	t = iso_clock_cpu();
	for (k = 0; k < PROBE; k++)
#pragma GCC unroll 24
		for (i = 0; i < CHAINS; i++)
			a[i] = _mm512_fmadd_ps(a[i], x, y);
	t = iso_clock_cpu() - t;
	for (i = 0; i < CHAINS; i++)
		s = _mm512_add_ps(s, a[i]);
	sink = _mm512_reduce_add_ps(s);
	return (double)PROBE * CHAINS * 32 / t * 1e-9;
}

__attribute__((target("avx2,fma"))) static double probe_avx2(void)
{
	enum { FEWER = 12 };
	const __m256 x = _mm256_set1_ps(0.999999f), y = _mm256_set1_ps(1e-9f);
	__m256 a[FEWER], s = _mm256_setzero_ps();
	double t;
	int i, k;

	for (i = 0; i < FEWER; i++)
		a[i] = _mm256_set1_ps((float)i);
	t = iso_clock_cpu();
	for (k = 0; k < 2 * PROBE; k++)
#pragma GCC unroll 12
		for (i = 0; i < FEWER; i++)
			a[i] = _mm256_fmadd_ps(a[i], x, y);
	t = iso_clock_cpu() - t;
	for (i = 0; i < FEWER; i++)
		s = _mm256_add_ps(s, a[i]);
	sink = _mm256_cvtss_f32(s);
	return 2.0 * PROBE * FEWER * 16 / t * 1e-9;
}
#endif

static double probe_portable(void)
{
	float a[8];
	double t;
	int i, k;

	for (i = 0; i < 8; i++)
		a[i] = (float)i;
	t = iso_clock_cpu();
	for (k = 0; k < PROBE; k++)
		for (i = 0; i < 8; i++)
			a[i] = a[i] * 0.999999f + 1e-9f;
	t = iso_clock_cpu() - t;
	sink = a[0] + a[1] + a[2] + a[3] + a[4] + a[5] + a[6] + a[7];
	return (double)PROBE * 8 * 2 / t * 1e-9;
}

static double probe_once(void)
{
#ifdef __x86_64__
	switch (iso_isa_active()) {
	case ISO_ISA_AVX512:
		return probe_avx512();
	case ISO_ISA_AVX2:
		return probe_avx2();
	default:
		break;
	}
#endif
	return probe_portable();
}

double bench_probe(void)
{
	double best = 0;
	int i;

	for (i = 0; i < 3; i++)
		best = fmax(best, probe_once());
	if (bench.npeak < ISO_COUNT(bench.peak))
		bench.peak[bench.npeak++] = best;
	return best;
}

static double sample(const bench_case *c)
{
	double t = iso_clock_cpu();
	size_t i;

	for (i = 0; i < c->inner; i++)
		c->run(c->ctx);
	return (iso_clock_cpu() - t) / (double)c->inner;
}

/* The sample whose probes differ least, whatever they are. */
static void remember(bench_case *c, double t, double before, double after)
{
	const double off = fabs(before / after - 1);

	if (off < c->calmest) {
		c->calmest = off;
		c->calm_sec = t;
		c->calm_rel = t * 0.5 * (before + after);
	}
}

/* A case whose samples were all dropped keeps the calmest one in every round, so that no figure is
 * missing. */
static void settle(bench_case *c)
{
	size_t r;

	for (r = 0; r < bench.rounds; r++)
		if (!isnan(c->sec[r]))
			return;
	if (!(c->calmest < INFINITY))
		return;
	bench_say("  (%s: the machine was never still; the calmest sample counts, probes %.0f %% "
		  "apart)\n",
		  c->name, 100 * c->calmest);
	for (r = 0; r < bench.rounds; r++) {
		c->sec[r] = c->calm_sec;
		c->rel[r] = c->calm_rel;
	}
}

void bench_rounds(bench_case *c, size_t n)
{
	size_t i, r;

	for (i = 0; i < n; i++) {
		double t;

		c[i].inner = 1;
		sample(&c[i]); /* caches, lazy choices */
		t = sample(&c[i]);
		c[i].inner = t < SAMPLE ? 1 + (size_t)(SAMPLE / t) : 1;
	}
	for (i = 0; i < n; i++)
		c[i].calmest = INFINITY;
	for (r = 0; r < bench.rounds; r++) {
		for (i = 0; i < n; i++) {
			int try;

			c[i].sec[r] = c[i].rel[r] = NAN;
			for (try = 0; try < TRIES && isnan(c[i].sec[r]); try++) {
				const double before = bench_probe(), t = sample(&c[i]),
					     after = bench_probe();

				remember(&c[i], t, before, after);
				if (!(fabs(before / after - 1) < 0.05))
					continue;
				c[i].sec[r] = t;
				c[i].rel[r] = t * 0.5 * (before + after);
			}
		}
	}
	for (i = 0; i < n; i++)
		settle(&c[i]);
}

static int ascending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

bench_stat bench_stat_of(const double *v, size_t n)
{
	static double sorted[ISO_COUNT(bench.peak)];
	bench_stat s = {NAN, NAN, NAN, NAN, 0};
	size_t i;

	for (i = 0; i < n; i++)
		if (!isnan(v[i]))
			sorted[s.n++] = v[i];
	if (s.n == 0)
		return s;
	qsort(sorted, s.n, sizeof(*sorted), ascending);
	s.min = sorted[0];
	s.best = sorted[(s.n - 1) / 10];
	s.median = sorted[s.n / 2];
	s.spread = (sorted[(s.n - 1) * 9 / 10] - s.best) / s.median;
	return s;
}

bench_stat bench_ratio(const double *a, const double *b)
{
	double q[BENCH_ROUNDS];
	bench_stat s;
	size_t r;

	for (r = 0; r < bench.rounds; r++)
		q[r] = a[r] / b[r];
	s = bench_stat_of(q, bench.rounds);
	if (s.n == 0) /* no round in which both were undisturbed */
		s.min = s.best = s.median = bench_stat_of(a, bench.rounds).median /
					    bench_stat_of(b, bench.rounds).median;
	return s;
}

static cJSON *member(cJSON *at, const char *name)
{
	cJSON *o = cJSON_GetObjectItemCaseSensitive(at, name);

	return o ? o : cJSON_AddObjectToObject(at, name);
}

void bench_put(const char *path, double value)
{
	char name[96];
	const char *dot;
	cJSON *at = bench.out;

	for (; (dot = strchr(path, '.')) != NULL; path = dot + 1) {
		snprintf(name, sizeof(name), "%.*s", (int)(dot - path), path);
		at = member(at, name);
	}
	if (isfinite(value))
		cJSON_AddNumberToObject(at, path, value);
	else
		cJSON_AddNullToObject(at, path);
}

void bench_detail(const char *path, bench_stat s, double unit)
{
	char at[160];

	snprintf(at, sizeof(at), "detail.%s.min", path);
	bench_put(at, s.min * unit);
	snprintf(at, sizeof(at), "detail.%s.median", path);
	bench_put(at, s.median * unit);
	snprintf(at, sizeof(at), "detail.%s.spread", path);
	bench_put(at, s.spread);
	snprintf(at, sizeof(at), "detail.%s.rounds", path);
	bench_put(at, (double)s.n);
}

void bench_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
}

void bench_fail(const iso_error *err)
{
	fprintf(stderr, "isoeps-bench: error: %s\n", err->text);
	bench.failed = 1;
}
