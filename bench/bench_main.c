// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "core/base/clock.h"
#include "core/math/blas.h"
#include "core/math/gemm.h"

static int usage(FILE *to, int status)
{
	fputs("usage: isoeps-bench [--json] [--quick] [--only gemm,step,noise,account,cells,learn] "
	      "[--learn DIR]\n"
	      "Measures kernels, training steps and accountants of this machine as ratios to its "
	      "FMA peak.\n"
	      "  --json   the report as JSON on standard output (progress stays on standard "
	      "error)\n"
	      "  --quick  fewer rounds\n"
	      "  --learn  also the learners, on the table that bench/peers/sklearn_learn.py DIR "
	      "--make wrote\n",
	      to);
	return status;
}

static void head(void)
{
	cJSON_AddNumberToObject(bench.out, "format", 1);
	cJSON_AddStringToObject(bench.out, "version", ISO_VERSION);
	cJSON_AddStringToObject(bench.out, "isa", iso_isa_name(iso_isa_active()));
	cJSON_AddStringToObject(bench.out, "gemm", iso_gemm_backend());
	cJSON_AddStringToObject(bench.out, "openblas_core", iso_blas_core());
	cJSON_AddNumberToObject(bench.out, "rounds", (double)bench.rounds);
	cJSON_AddNumberToObject(bench.out, "fma_peak_gflops", 0);
}

/* Every probe of the run: best, median, and how far it wandered. */
static void peak(void)
{
	double slowness[ISO_COUNT(bench.peak)];
	bench_stat s;
	size_t i;

	for (i = 0; i < bench.npeak; i++)
		slowness[i] = 1 / bench.peak[i];
	s = bench_stat_of(slowness, bench.npeak);
	cJSON_ReplaceItemInObject(bench.out, "fma_peak_gflops", cJSON_CreateNumber(1 / s.median));
	bench_put("detail.fma_peak_gflops.max", 1 / s.best);
	bench_put("detail.fma_peak_gflops.spread", s.spread);
	bench_put("detail.fma_peak_gflops.probes", (double)bench.npeak);
	bench_say("FMA peak: %.1f Gflop/s (best %.1f, spread %.0f %%, %s)\n", 1 / s.median,
		  1 / s.best, 100 * s.spread, iso_isa_name(iso_isa_active()));
}

static double number(const char *key)
{
	const cJSON *o = cJSON_GetObjectItem(bench.out, key);

	return cJSON_IsNumber(o) ? o->valuedouble : NAN;
}

static int wanted(const char *only, const char *part)
{
	return !only || strstr(only, part) != NULL;
}

static void all(const char *only, const char *learn, char **argv)
{
	bench_probe();
	if (wanted(only, "gemm")) {
		bench_gemm();
		bench_say("  geometric mean %.3f (median of rounds %.3f, worst cell %.3f); "
			  "OpenBLAS / own %.3f\n",
			  number("gemm_peak_fraction"), number("gemm_peak_fraction_median"),
			  number("gemm_peak_fraction_worst"), number("gemm_vs_openblas"));
	}
	if (wanted(only, "step"))
		bench_steps();
	if (wanted(only, "noise"))
		bench_noise();
	if (wanted(only, "account"))
		bench_account();
	if (learn && wanted(only, "learn"))
		bench_learn(learn);
	if (wanted(only, "cells"))
		bench_cells(argv);
	bench_probe();
	peak();
}

int main(int argc, char **argv)
{
	const char *only = NULL, *learn = NULL;
	int json = 0, i;

	iso_blas_fix_core(argv);
	bench.rounds = 40;
	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = 1;
		else if (strcmp(argv[i], "--quick") == 0)
			bench.rounds = 9;
		else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
			only = argv[++i];
		else if (strcmp(argv[i], "--learn") == 0 && i + 1 < argc)
			learn = argv[++i];
		else if (strcmp(argv[i], "--cell") == 0 && i + 1 < argc)
			return bench_cell_main(argv[++i]);
		else if (strcmp(argv[i], "--help") == 0)
			return usage(stdout, 0);
		else
			return usage(stderr, 2);
	}
	bench.out = cJSON_CreateObject();
	head();
	all(only, learn, argv);
	if (json && !bench.failed) {
		char *text = cJSON_Print(bench.out);

		puts(text ? text : "{}");
		cJSON_free(text);
	}
	cJSON_Delete(bench.out);
	return bench.failed ? 4 : 0;
}
