// SPDX-License-Identifier: Apache-2.0
/* The nine shapes of training (batch, in, out), three passes each, against the FMA peak and
 * OpenBLAS. */
#include <math.h>
#include <stdio.h>

#include "bench/bench.h"
#include "core/base/alloc.h"
#include "core/math/blas.h"
#include "core/math/gemm.h"
#include "core/rand/rand.h"

typedef struct product {
	iso_trans t;
	size_t m, n, k;
	const float *a, *b;
	float *c;
} product;

static void own(void *ctx)
{
	const product *p = ctx;

	iso_gemm(p->t, p->m, p->n, p->k, p->a, p->t == ISO_TN ? p->m : p->k, p->b,
		 p->t == ISO_NT ? p->k : p->n, 0, p->c, p->n, NULL);
}

static void other(void *ctx)
{
	const product *p = ctx;

	iso_blas_sgemm(p->t, p->m, p->n, p->k, p->a, p->t == ISO_TN ? p->m : p->k, p->b,
		       p->t == ISO_NT ? p->k : p->n, 0, p->c, p->n);
}

/* forward X W, backward D W^T, weights X^T D */
static product pass_of(const size_t s[3], int pass, float *const x[3])
{
	const size_t b = s[0], in = s[1], out = s[2];

	if (pass == 0)
		return (product){ISO_NN, b, out, in, x[0], x[1], x[2]};
	if (pass == 1)
		return (product){ISO_NT, b, in, out, x[0], x[1], x[2]};
	return (product){ISO_TN, in, out, b, x[0], x[1], x[2]};
}

static const char *const pass_name[] = {"forward", "backward", "weights"};

/* One cell of the table; returns the best fraction of the peak (of the fastest tenth of the rounds:
 * a single round may owe its luck to its probes), *versus = OpenBLAS time / own time. */
static double one(const size_t s[3], int pass, float *const x[3], bench_stat *fraction,
		  double *versus)
{
	static bench_case c[2];
	product p = pass_of(s, pass, x);
	const double gflop = 2e-9 * (double)p.m * (double)p.n * (double)p.k;
	char path[96];
	bench_stat t;

	c[0] = (bench_case){.name = "own", .run = own, .ctx = &p};
	c[1] = (bench_case){.name = "openblas", .run = other, .ctx = &p};
	bench_rounds(c, 2);
	*fraction = bench_stat_of(c[0].rel, bench.rounds); /* Gflop of the machine per product */
	*fraction = (bench_stat){gflop / fraction->min, gflop / fraction->best,
				 gflop / fraction->median, fraction->spread, fraction->n};
	*versus = bench_ratio(c[1].rel, c[0].rel).median;
	t = bench_stat_of(c[0].sec, bench.rounds);
	snprintf(path, sizeof(path), "gemm.%zux%zux%zu.%s", s[0], s[1], s[2], pass_name[pass]);
	bench_detail(path, t, 1e6);
	snprintf(path, sizeof(path), "gemm_shapes.%zux%zux%zu.%s", s[0], s[1], s[2],
		 pass_name[pass]);
	bench_put(path, fraction->best);
	snprintf(path, sizeof(path), "gemm_shapes_vs_openblas.%zux%zux%zu.%s", s[0], s[1], s[2],
		 pass_name[pass]);
	bench_put(path, *versus);
	return fraction->best;
}

void bench_gemm(void)
{
	static const size_t shapes[][3] = {{64, 110, 128},  {64, 30, 64},     {128, 784, 128},
					   {600, 794, 128}, {600, 110, 128},  {600, 128, 784},
					   {256, 512, 512}, {64, 1024, 1024}, {1000, 108, 64},
					   {600, 128, 1}};
	enum { NINE = 9, LARGEST = 1 << 20 };
	float *x[3];
	double logs = 0, medians = 0, versus_logs = 0, worst = 1, versus;
	bench_stat f;
	size_t i;
	int pass;

	for (i = 0; i < 3; i++) {
		x[i] = iso_alloc(LARGEST, sizeof(float));
		if (!x[i])
			return;
		iso_rand_fill_uniform(iso_key_new(1, "bench/gemm"), i, -0.5f, 0.5f, x[i], LARGEST);
	}
	bench_say("gemm: fraction of the FMA peak (OpenBLAS time / own time)\n");
	for (i = 0; i < ISO_COUNT(shapes); i++) {
		bench_say("  %4zu,%4zu,%4zu ", shapes[i][0], shapes[i][1], shapes[i][2]);
		for (pass = 0; pass < 3; pass++) {
			const double best = one(shapes[i], pass, x, &f, &versus);

			bench_say("  %s %.3f (%.2f)", pass_name[pass], best, versus);
			if (i >= NINE)
				continue;
			logs += log(best);
			medians += log(f.median);
			versus_logs += log(versus);
			worst = fmin(worst, best);
		}
		bench_say("\n");
	}
	bench_put("gemm_peak_fraction", exp(logs / (3 * NINE)));
	bench_put("gemm_peak_fraction_median", exp(medians / (3 * NINE)));
	bench_put("gemm_peak_fraction_worst", worst);
	bench_put("gemm_vs_openblas", exp(versus_logs / (3 * NINE)));
	for (i = 0; i < 3; i++)
		iso_free(x[i]);
}
