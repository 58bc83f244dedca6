// SPDX-License-Identifier: Apache-2.0
/* Logistic regression and nearest neighbours on the table that bench/peers/sklearn_learn.py made:
 * DIR/shape ("rows columns queries"), DIR/x.f32, DIR/y.u8. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "core/base/alloc.h"
#include "core/learn/knn.h"
#include "core/learn/logreg.h"

typedef struct table {
	size_t n, d, queries;
	float *x;
	uint32_t *y;
	double gradient;
} table;

static int read_all(const char *folder, const char *name, void *to, size_t bytes)
{
	char path[600];
	FILE *f;
	size_t got;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "rb");
	if (!f)
		return 0;
	got = fread(to, 1, bytes, f);
	fclose(f);
	return got == bytes;
}

static int table_read(table *t, const char *folder)
{
	char path[600];
	unsigned char *label;
	size_t i;
	FILE *f;
	int ok;

	snprintf(path, sizeof(path), "%s/shape", folder);
	f = fopen(path, "r");
	if (!f)
		return 0;
	ok = fscanf(f, "%zu %zu %zu", &t->n, &t->d, &t->queries) == 3 && t->n < 10000000 &&
	     t->d < 10000 && t->queries <= t->n;
	fclose(f);
	if (!ok)
		return 0;
	t->x = iso_alloc(t->n * t->d, sizeof(float));
	t->y = iso_alloc(t->n, sizeof(*t->y));
	label = iso_alloc(t->n, 1);
	ok = t->x && t->y && label &&
	     read_all(folder, "x.f32", t->x, t->n * t->d * sizeof(float)) &&
	     read_all(folder, "y.u8", label, t->n);
	for (i = 0; ok && i < t->n; i++)
		t->y[i] = label[i];
	iso_free(label);
	return ok;
}

/* From floats to a converged model: building the design is part of it, as it is for the peer. */
static void logreg(void *ctx)
{
	table *t = ctx;
	const iso_logreg_config c = iso_logreg_default();
	const iso_source s = iso_source_floats(t->x, t->d, t->n, t->d);
	iso_design x = {0};
	iso_logreg m;
	iso_error err = {0};

	if (iso_design_new(&s, &x, &err) != ISO_OK) {
		bench_fail(&err);
		return;
	}
	if (iso_logreg_fit(&c, &x, NULL, t->n, t->y, 2, &m, &err) == ISO_OK) {
		t->gradient = m.gradient;
		iso_logreg_free(&m);
	} else {
		bench_fail(&err);
	}
	iso_design_free(&x);
}

static void nearest(void *ctx)
{
	const table *t = ctx;
	double *dist = iso_alloc(t->queries, sizeof(*dist));
	iso_error err = {0};

	if (!dist || iso_nearest_distance(t->x, t->queries, t->x, t->n, t->d, dist, &err) != ISO_OK)
		bench_fail(&err);
	iso_free(dist);
}

void bench_learn(const char *folder)
{
	static bench_case c[2];
	const size_t rounds = bench.rounds;
	table t = {0};
	iso_error err = {0};
	size_t i;

	if (!table_read(&t, folder)) {
		iso_fail(&err, ISO_E_IO,
			 "cannot read the table (%s): want shape, x.f32 and y.u8; make them by "
			 "bench/peers/sklearn_learn.py",
			 folder);
		bench_fail(&err);
	} else {
		c[0] = (bench_case){.name = "logreg", .run = logreg, .ctx = &t};
		c[1] = (bench_case){.name = "nearest", .run = nearest, .ctx = &t};
		bench.rounds = rounds > 9 ? 9 : 3;
		bench_rounds(c, 2);
		for (i = 0; i < 2; i++) {
			const bench_stat s = bench_stat_of(c[i].sec, bench.rounds);
			char path[64];

			snprintf(path, sizeof(path), "learn_s.%s", c[i].name);
			bench_put(path, s.min);
			bench_detail(path, s, 1);
			bench_say("learn: %-8s %.4f s\n", c[i].name, s.min);
		}
		bench_say("learn: gradient reached by the logistic regression %.1e\n", t.gradient);
		bench.rounds = rounds;
		bench_trees(t.x, t.y, t.n, t.d, t.queries);
	}
	iso_free(t.x);
	iso_free(t.y);
}
