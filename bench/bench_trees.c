// SPDX-License-Identifier: Apache-2.0
/* The random forest, the kernel density and nearest rows on codes, on the table of
 * bench/peers/sklearn_learn.py: 6 numbers, then one-hot blocks, which the product keeps as codes.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "core/base/alloc.h"
#include "core/learn/classifier.h"
#include "core/learn/kde.h"
#include "core/learn/pairs.h"

#define FOREST_ROWS 8000
#define NUMBERS 6
#define BANDWIDTH 0.5

/* Widths of the blocks behind the numbers; LEVELS of sklearn_learn.py. */
static const size_t levels[] = {9, 16, 7, 15, 6, 5, 2, 11, 8, 10, 6, 7};

typedef struct trees {
	const float *x;
	const uint32_t *y;
	size_t n, d, queries;
	void *model;	      /* owned */
	iso_rowset all, some; /* owned: the rows, and the queries among them */
} trees;

static void fit(void *ctx)
{
	trees *t = ctx;
	const iso_examples e = {.x = t->x,
				.n = t->n < FOREST_ROWS ? t->n : FOREST_ROWS,
				.d = t->d,
				.y = t->y,
				.classes = 2};
	iso_error err = {0};

	iso_learn_forest.free(t->model);
	t->model = NULL;
	if (iso_learn_forest.fit(&e, iso_key_new(1, "bench"), &t->model, &err) != ISO_OK)
		bench_fail(&err);
}

static void predict(void *ctx)
{
	trees *t = ctx;
	double *p = iso_alloc(t->n, 2 * sizeof(*p));
	iso_error err = {0};

	if (!p || !t->model || iso_learn_forest.predict(t->model, t->x, t->n, p, &err) != ISO_OK)
		bench_fail(&err);
	iso_free(p);
}

static void density(void *ctx)
{
	const trees *t = ctx;
	double *p = iso_alloc(t->queries, sizeof(*p));
	iso_error err = {0};
	iso_kde k;

	if (!p || iso_kde_init(&k, &t->all, BANDWIDTH, iso_key_new(1, "bench"), &err) != ISO_OK ||
	    iso_kde_log_density(&k, &t->some, p, &err) != ISO_OK)
		bench_fail(&err);
	iso_free(p);
}

static void nearest(void *ctx)
{
	const trees *t = ctx;
	double *dist = iso_alloc(t->queries, sizeof(*dist));
	iso_error err = {0};

	if (!dist || iso_pair_nearest(&t->some, &t->all, 1, 0, dist, NULL, &err) != ISO_OK)
		bench_fail(&err);
	iso_free(dist);
}

/* The first n rows as numbers and codes. */
static int codes(const trees *t, size_t n, iso_rowset *out)
{
	const size_t d = NUMBERS + ISO_COUNT(levels);

	*out = (iso_rowset){
		.n = n, .d = d, .nnumber = NUMBERS, .x = iso_alloc(n * d, sizeof(float))};
	for (size_t r = 0; out->x && r < n; r++) {
		const float *row = t->x + r * t->d;
		size_t at = NUMBERS;

		for (size_t j = 0; j < NUMBERS; j++)
			out->x[j * n + r] = row[j];
		for (size_t b = 0; b < ISO_COUNT(levels); b++) {
			for (size_t l = 0; l < levels[b]; l++)
				if (row[at + l] > 0.5f)
					out->x[(NUMBERS + b) * n + r] = (float)l;
			at += levels[b];
		}
	}
	return out->x != NULL;
}

void bench_trees(const float *x, const uint32_t *y, size_t n, size_t d, size_t queries)
{
	static bench_case c[4];
	static const char *const name[] = {"forest", "forest_predict", "kde", "nearest_codes"};
	void (*const run[])(void *) = {fit, predict, density, nearest};
	const size_t rounds = bench.rounds;
	trees t = {.x = x, .y = y, .n = n, .d = d, .queries = queries};
	iso_error err = {0};

	if (!codes(&t, n, &t.all) || !codes(&t, queries, &t.some)) {
		iso_fail(&err, ISO_E_NOMEM, "out of memory");
		bench_fail(&err);
	} else {
		memset(c, 0, sizeof(c));
		for (size_t i = 0; i < ISO_COUNT(name); i++)
			c[i] = (bench_case){.name = name[i], .run = run[i], .ctx = &t};
		fit(&t);
		bench.rounds = rounds > 9 ? 5 : 2;
		bench_rounds(c, ISO_COUNT(name));
		for (size_t i = 0; i < ISO_COUNT(name); i++) {
			const bench_stat s = bench_stat_of(c[i].sec, bench.rounds);
			char path[64];

			snprintf(path, sizeof(path), "learn_s.%s", c[i].name);
			bench_put(path, s.min);
			bench_detail(path, s, 1);
			bench_say("learn: %-14s %.4f s\n", c[i].name, s.min);
		}
		bench.rounds = rounds;
	}
	iso_learn_forest.free(t.model);
	iso_rowset_free(&t.all);
	iso_rowset_free(&t.some);
}
