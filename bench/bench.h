// SPDX-License-Identifier: Apache-2.0
/* isoeps-bench: ratios that hold on a shared machine.
 *
 * Cases that shall be compared run in interleaved rounds, each sample between two probes of the
 * machine's FMA peak; a sample whose probes differ by more than 5 % is taken again, at last
 * dropped.  Thread CPU time.  Every figure keeps its minimum, median and spread.
 */
#ifndef ISO_BENCH_BENCH_H
#define ISO_BENCH_BENCH_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

#define BENCH_ROUNDS 96

typedef struct bench_case {
	const char *name;
	void (*run)(void *ctx); /* one repetition */
	void *ctx;
	size_t inner;		  /* repetitions per sample, set by bench_rounds */
	double sec[BENCH_ROUNDS]; /* seconds per repetition, NaN if dropped */
	double rel[BENCH_ROUNDS]; /* seconds * FMA peak in Gflop/s: Gflop that the machine could
				     have done */
	double calmest, calm_sec, calm_rel; /* the sample with the least difference of probes */
} bench_case;

typedef struct bench_stat {
	double min, best, median,
		spread; /* best = 10th percentile; spread = (p90 - p10) / median */
	size_t n;
} bench_stat;

typedef struct bench_run {
	size_t rounds;
	cJSON *out; /* the report */
	int failed;
	double peak[16384]; /* every probe, Gflop/s */
	size_t npeak;
} bench_run;
extern bench_run bench;

double bench_probe(void); /* FMA peak of this core now, Gflop/s, for the active instruction set */
void bench_rounds(bench_case *c, size_t n);
bench_stat bench_stat_of(const double *v, size_t n); /* NaNs are skipped */
/* Statistics over rounds of a[r] / b[r]. */
bench_stat bench_ratio(const double *a, const double *b);

/* out.detail.PATH = {"min":..,"median":..,"spread":..,"rounds":..} scaled by `unit`. */
void bench_detail(const char *path, bench_stat s, double unit);
/* out.a.b... = value, objects made on the way; path "step_us.plain.disc600". */
void bench_put(const char *path, double value);
void bench_say(const char *fmt, ...) ISO_PRINTF(1, 2); /* progress, on standard error */
void bench_fail(const iso_error *err);

void bench_gemm(void);
void bench_steps(void);
void bench_noise(void);
void bench_account(void);
void bench_learn(const char *folder); /* only with --learn: the table of bench/peers */
/* Forest, density and nearest rows on the same table; called by bench_learn. */
void bench_trees(const float *x, const uint32_t *y, size_t n, size_t d, size_t queries);
void bench_cells(char **argv);
int bench_cell_main(const char *what); /* the child of bench_cells: prints its figures */

/* One training cell, for bench_cells. */
typedef struct bench_cell bench_cell;
bench_cell *bench_cell_new(void);
void bench_cell_step(bench_cell *c);
void bench_cell_free(bench_cell *c);

#endif
