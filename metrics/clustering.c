// SPDX-License-Identifier: Apache-2.0
/* Clustering as a task (attacks.md section 8): k-means of the synthetic and of the real training
 * rows, judged on real test rows in the attack encoding without the label.
 *
 *     ari_label      adjusted Rand index of the cells of the synthetic centres, as many as there
 * are classes, and the labels; beside it the same of the real centres ari_partition  adjusted Rand
 * index of the cells of synthetic and of real centres inertia_ratio  squared distance of test rows
 * to the synthetic centres over that to the real
 */
#include <math.h>

#include "core/base/alloc.h"
#include "core/learn/kmeans.h"
#include "metrics/kit/sample.h"

#define STARTS 5

typedef struct opts {
	int64_t max_rows, clusters;
} opts;
static const iso_option options[] = {
	ISO_OPT_INT(opts, max_rows, "2000", 10, 100000000,
		    "at most so many rows of each table, drawn at random"),
	ISO_OPT_INT(opts, clusters, "8", 2, 1000, "clusters of ari_partition and inertia_ratio"),
	{0}};

static const iso_output outputs[] = {
	{"ari_label", "clusters against labels, ARI", "", ISO_HIGHER, -1, 1, NAN, NULL, "utility",
	 0, "real.ari_label"},
	{"real.ari_label", "clusters against labels, real training rows, ARI", "", ISO_NEITHER, -1,
	 1, NAN, NULL, "utility", 0, "real.ari_label"},
	{"ari_partition", "synthetic against real clusters, ARI", "", ISO_HIGHER, -1, 1, 1, NULL,
	 "utility", 0},
	{"inertia_ratio", "squared distance to synthetic over real centres", "", ISO_LOWER, 0,
	 INFINITY, 1, NULL, "utility", 1},
	{0}};
enum { LABEL, REAL_LABEL, PARTITION, INERTIA, NVALUE };

typedef struct bench {
	iso_table *t[3]; /* owned: training, test, synthetic */
	float *x[3];	 /* owned [n][d] */
	size_t d;
	uint32_t *cell[2]; /* owned [test]: by real, by synthetic centres */
	double far[2];
} bench;

/* Centres of both tables and the cells of the test rows. */
static iso_status cluster(bench *b, size_t k, iso_error *err)
{
	for (int i = 0; i < 2; i++) {
		const int from = i ? 2 : 0;
		iso_kmeans m;

		ISO_TRY(iso_kmeans_fit(b->x[from], b->t[from]->n, b->d, k, STARTS,
				       iso_key_new(0, "metrics/clustering"), &m, err));
		b->far[i] = 0;
		for (size_t r = 0; r < b->t[1]->n; r++) {
			double d2;

			b->cell[i][r] = (uint32_t)iso_kmeans_cell(&m, b->x[1] + r * b->d, &d2);
			b->far[i] += d2;
		}
		iso_kmeans_free(&m);
	}
	return ISO_OK;
}

/* Labelled test rows alone. */
static double against_labels(const bench *b, int i, size_t classes, iso_error *err, iso_status *st)
{
	const size_t n = b->t[1]->n;
	uint32_t *cell = iso_alloc(n, sizeof(*cell)), *y = iso_alloc(n, sizeof(*y));
	double v = NAN;
	size_t m = 0;

	for (size_t r = 0; cell && y && r < n; r++)
		if (iso_table_label(b->t[1], r) < classes) {
			y[m] = (uint32_t)iso_table_label(b->t[1], r);
			cell[m++] = b->cell[i][r];
		}
	if (!cell || !y)
		*st = iso_no_memory(err, "clusters");
	else if (m > 1 && isnan(v = iso_adjusted_rand(cell, classes, y, classes, m)))
		*st = iso_no_memory(err, "clusters");
	iso_free(cell);
	iso_free(y);
	return v;
}

static iso_status judge(bench *b, const opts *o, size_t classes, double *value, iso_error *err)
{
	const size_t k = (size_t)o->clusters;
	iso_status st = ISO_OK;

	for (int i = 0; i < 2; i++) {
		b->cell[i] = iso_alloc(b->t[1]->n, sizeof(*b->cell[i]));
		if (!b->cell[i])
			return iso_no_memory(err, "clusters");
	}
	ISO_TRY(cluster(b, k, err));
	value[PARTITION] = iso_adjusted_rand(b->cell[0], k, b->cell[1], k, b->t[1]->n);
	if (isnan(value[PARTITION]))
		return iso_no_memory(err, "clusters");
	value[INERTIA] = b->far[0] > 0 ? b->far[1] / b->far[0] : NAN;
	if (classes < 2)
		return ISO_OK;
	ISO_TRY(cluster(b, classes, err));
	value[REAL_LABEL] = against_labels(b, 0, classes, err, &st);
	if (st == ISO_OK)
		value[LABEL] = against_labels(b, 1, classes, err, &st);
	return st;
}

static iso_status measure(const iso_metric_view *v, const void *opt, iso_measures *out,
			  iso_error *err)
{
	const opts *o = opt;
	const size_t most = (size_t)o->max_rows, classes = iso_schema_classes(v->schema);
	const iso_key fixed = iso_key_new(0, "metrics/clustering/rows");
	double value[NVALUE] = {NAN, NAN, NAN, NAN};
	iso_encoder *e = NULL;
	bench b = {0};
	iso_status st;

	ISO_TRY_OUT(iso_encoder_new(v->schema, ISO_ENC_FEATURES | ISO_ENC_ATTACK, &e, err));
	b.d = e->dim;
	ISO_TRY_OUT(
		iso_sample_table(v->train, most, iso_key_child(fixed, "train", 0), &b.t[0], err));
	ISO_TRY_OUT(iso_sample_table(v->test, most, iso_key_child(fixed, "test", 0), &b.t[1], err));
	ISO_TRY_OUT(iso_sample_table(v->synthetic, most, iso_key_child(v->key, "rows", 0), &b.t[2],
				     err));
	for (int i = 0; i < 3; i++)
		ISO_TRY_OUT(iso_encode_new(e, b.t[i], &b.x[i], err));
	const int ok = b.d && b.t[0]->n && b.t[1]->n > 1 && b.t[2]->n;
	if (ok)
		ISO_TRY_OUT(judge(&b, o, classes, value, err));
	for (size_t i = 0; i < NVALUE; i++)
		ISO_TRY_OUT(iso_put(out, outputs[i].key, value[i],
				    !ok ? "no features, or too few rows"
				    : i <= REAL_LABEL
					    ? "fewer than two labelled test rows, or no classes"
					    : "every test row stands on a real centre",
				    err));
out:
	iso_encoder_free(e);
	for (int i = 0; i < 3; i++) {
		iso_table_free(b.t[i]);
		iso_free(b.x[i]);
	}
	iso_free(b.cell[0]);
	iso_free(b.cell[1]);
	return st;
}

const iso_metric iso_metric_clustering = {
	.abi = ISO_METRIC_ABI,
	.name = "clustering",
	.title = "Clustering as a task",
	.citation =
		"L. Hubert, P. Arabie: Comparing partitions. Journal of Classification 2(1), 1985",
	.card = "k-means (five starts of k-means++) of the synthetic and of the real training "
		"rows, "
		"features only, in the attack encoding; real test rows go to the nearest centre. "
		"`ari_label` compares as many clusters as there are classes with the labels, "
		"`ari_partition` the synthetic with the real clusters, `inertia_ratio` how far "
		"test "
		"rows lie from the centres.",
	.inputs = ISO_IN_TRAIN | ISO_IN_TEST | ISO_IN_SYNTHETIC,
	.version = 1,
	.outputs = outputs,
	.options = options,
	.options_size = sizeof(opts),
	.measure = measure,
};
