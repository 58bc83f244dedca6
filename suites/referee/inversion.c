// SPDX-License-Identifier: Apache-2.0
/* Model inversion: one typical row for each class (Fredrikson, Jha & Ristenpart 2015; attacks.md
 * section 4.2).  Measured without people: is the nearest member of the class asked for, and is the
 * row nearer to the mean of the class among members than to that among non-members?  Only the
 * second is about these members; the first is as true of the population. */
#include <math.h>

#include "core/base/alloc.h"
#include "suites/referee/game.h"

static const iso_output outputs[] = {
	{"hit", "nearest member is of the class", "share", ISO_NEITHER, 0, 1, NAN,
	 "what a class looks like is knowledge of the population, no leak"},
	{"hit_control", "nearest non-member is of the class", "share", ISO_NEITHER, 0, 1, NAN,
	 NULL},
	{"distance", "distance to the class mean of members", "", ISO_NEITHER, 0, INFINITY, NAN,
	 NULL},
	{"leak", "nearer to members than to non-members", "", ISO_LOWER, -INFINITY, INFINITY, 0,
	 "mean over classes of the distance to the class mean of non-members, minus that to "
	 "members; bootstrap interval over classes"},
	{0}};

static iso_status deal(iso_game *g, const iso_attack *a, const void *options, iso_deal *d,
		       iso_error *err)
{
	const iso_schema *s = iso_game_rules(g)->members->schema;
	const size_t classes = iso_schema_classes(s);

	(void)a;
	(void)options;
	ISO_FAIL_IF(classes < 2, err, ISO_E_UNSUPPORTED,
		    "not applicable: inversion needs a label of two or more classes");
	d->n = classes;
	d->column = s->label;
	d->truth = iso_alloc(d->n, 1);
	if (!d->truth)
		return iso_no_memory(err, "classes");
	ISO_TRY(iso_table_new(s, classes, &d->targets, err));
	ISO_TRY(iso_table_new(s, classes, &d->rebuilt, err));
	for (size_t k = 0; k < classes; k++)
		for (size_t c = 0; c < s->ncol; c++) {
			const double v = (int)c == s->label ? (double)k : NAN;

			d->targets->cells[k * s->ncol + c] = v;
			d->rebuilt->cells[k * s->ncol + c] = v;
		}
	return ISO_OK;
}

/* Is the row of t nearest to x [dim] of class k?  -1: t has no rows. */
static int nearest_is(const iso_encoder *e, const iso_table *t, const float *all, const float *x,
		      size_t k)
{
	double least = INFINITY;
	int hit = -1;

	for (size_t r = 0; r < t->n; r++) {
		double s = 0;

		for (size_t j = 0; j < e->dim; j++) {
			const double z = (double)(all[r * e->dim + j] - x[j]);

			s += z * z;
		}
		if (s < least) {
			least = s;
			hit = iso_table_label(t, r) == k;
		}
	}
	return hit;
}

/* Distance of x [dim] to the mean of class k; NaN without rows. */
static double to_class_mean(const iso_encoder *e, const iso_table *t, const float *all,
			    const float *x, size_t k, double *mean)
{
	double n = 0, s = 0;

	for (size_t j = 0; j < e->dim; j++)
		mean[j] = 0;
	for (size_t r = 0; r < t->n; r++) {
		if (iso_table_label(t, r) != k)
			continue;
		n++;
		for (size_t j = 0; j < e->dim; j++)
			mean[j] += (double)all[r * e->dim + j];
	}
	for (size_t j = 0; j < e->dim; j++)
		s += (mean[j] / n - (double)x[j]) * (mean[j] / n - (double)x[j]);
	return n > 0 ? sqrt(s) : NAN;
}

typedef struct marks { /* [classes] each, NaN where undefined */
	double *near, *leak;
	double hits[2], n[2];
} marks;

static iso_status mark(const iso_game_setup *s, const iso_deal *d, marks *m, iso_error *err)
{
	const iso_table *t[2] = {s->members, s->nonmembers};
	float *all[2] = {NULL, NULL}, *x = NULL;
	iso_encoder *e = NULL;
	double *mean = NULL;
	iso_status st;

	ISO_TRY_OUT(
		iso_encoder_new(s->members->schema, ISO_ENC_FEATURES | ISO_ENC_ATTACK, &e, err));
	mean = iso_alloc(e->dim, sizeof(*mean));
	st = mean ? ISO_OK : iso_no_memory(err, "means of classes");
	ISO_TRY_OUT(st);
	ISO_TRY_OUT(iso_encode_new(e, d->rebuilt, &x, err));
	for (int i = 0; i < 2; i++)
		ISO_TRY_OUT(iso_encode_new(e, t[i], &all[i], err));
	for (size_t k = 0; k < d->n; k++) {
		double to[2];

		for (int i = 0; i < 2; i++) {
			const int hit = nearest_is(e, t[i], all[i], x + k * e->dim, k);

			m->n[i] += hit >= 0;
			m->hits[i] += hit > 0;
			to[i] = to_class_mean(e, t[i], all[i], x + k * e->dim, k, mean);
		}
		m->near[k] = to[0];
		m->leak[k] = to[1] - to[0];
	}
out:
	iso_free(all[0]);
	iso_free(all[1]);
	iso_free(x);
	iso_free(mean);
	iso_encoder_free(e);
	return st;
}

static double mean_of(void *ctx, const size_t *item, size_t n)
{
	const double *x = ctx;
	double s = 0;

	for (size_t i = 0; i < n; i++)
		s += x[item[i]];
	return s / (double)n;
}

static uint64_t below(void *draw, uint64_t n)
{
	return iso_next_below(draw, n);
}

static iso_status put(const iso_game_setup *s, const marks *x, size_t n, iso_measures *m,
		      iso_error *err)
{
	static const char *const key[2] = {"hit", "hit_control"};
	iso_stream draw = iso_stream_new(iso_key_new(s->seed, "referee/inversion"));
	const iso_bootstrap b = {n, 1000, 0.95, mean_of, x->leak, below, &draw};
	double low, high;

	for (int i = 0; i < 2; i++) {
		iso_wilson(x->hits[i], x->n[i], 1.959963984540054, &low, &high);
		ISO_TRY(iso_measure_set(m, key[i], x->hits[i] / x->n[i], low, high, err));
	}
	if (isnan(iso_mean(x->leak, n))) {
		ISO_TRY(iso_measure_undefined(m, "distance", "a class has no rows", err));
		return iso_measure_undefined(m, "leak", "a class has no rows", err);
	}
	ISO_TRY(iso_measure_set(m, "distance", iso_mean(x->near, n), NAN, NAN, err));
	ISO_TRY(iso_bootstrap_interval(&b, &low, &high, err));
	return iso_measure_set(m, "leak", iso_mean(x->leak, n), low, high, err);
}

static iso_status judge(const iso_game *g, const iso_deal *d, const iso_guess *guess, iso_play *p,
			iso_error *err)
{
	const iso_game_setup *s = iso_game_rules(g);
	marks x = {.near = iso_alloc(d->n, sizeof(double)),
		   .leak = iso_alloc(d->n, sizeof(double))};
	iso_status st = x.near && x.leak ? mark(s, d, &x, err) : iso_no_memory(err, "classes");

	(void)guess;
	if (st == ISO_OK)
		st = put(s, &x, d->n, &p->measures, err);
	iso_free(x.near);
	iso_free(x.leak);
	return st;
}

const iso_game_type iso_game_inversion = {
	.goal = ISO_GOAL_INVERSION,
	.title = "Model inversion",
	.control = 1,
	.outputs = outputs,
	.deal = deal,
	.judge = judge,
};
