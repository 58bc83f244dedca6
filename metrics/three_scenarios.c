// SPDX-License-Identifier: Apache-2.0
/* What a pool of shared generators is worth to each client: the three scenarios of 3DGL (Lomurno et
 * al. 2022, section IV.C, Tables IV and V), with logistic regression.
 *
 *   local.real     the client's own rows alone, 10-fold cross-validation on them
 *   local.pool     synthetic rows, as many as do best on the client's own rows, judged on those
 *                  same rows (the paper's "fold-fold": judged where it was chosen)
 *   all.real       the rows of all clients in one place, judged on test rows
 *   test.real      the client's own rows alone, judged on test rows
 *   test.balanced  the same with every class repeated up to the size of the largest: what balanced
 *                  classes alone do to F1
 *   test.pool      chosen on the client's own rows, judged on test rows ("fold-test")
 *   test.oracle    chosen and judged on the test rows ("test-test"): an upper bound, not a result
 *
 * Sizes: the first 200, 300, 450, ... synthetic rows, to the last; ties go to the smaller.  Each
 * value is the mean over the clients.  A client chooses at home, from what is public, so nothing is
 * released by it; whoever publishes the chosen number or the classifier publishes something about
 * its rows.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/learn/assess.h"
#include "core/learn/classifier.h"
#include "core/learn/kfold.h"
#include "metrics/kit/sample.h"

enum { FOLDS = 10, MOST_SIZES = 32, FIRST = 200 };
enum { LOCAL_REAL, LOCAL_POOL, TEST_REAL, TEST_BALANCED, TEST_POOL, TEST_ORACLE, ALL_REAL, NARM };
enum { ACCURACY, F1, AUC, NVALUE };
static const char *const arm_key[NARM] = {"local.real", "local.pool",  "test.real", "test.balanced",
					  "test.pool",	"test.oracle", "all.real"};
static const char *const value_key[NVALUE] = {"accuracy", "f1", "auc"};

// clang-format off
#define ARM(key, title, dir, real, headline) \
	{key ".accuracy", title ", accuracy", "share", dir, 0, 1, NAN, NULL, "utility", headline, real ".accuracy"}, \
	{key ".f1", title ", F1", "", dir, 0, 1, NAN, NULL, "utility", 0, real ".f1"}, \
	{key ".auc", title ", AUC", "", dir, 0, 1, NAN, NULL, "utility", 0, real ".auc", 0.5}
static const iso_output outputs[] = {
	ARM("local.real", "own rows, cross-validated", ISO_NEITHER, "local.real", 0),
	ARM("local.pool", "pool on own rows", ISO_HIGHER, "local.real", 0),
	ARM("all.real", "rows of all clients together, on test rows", ISO_NEITHER, "all.real", 0),
	ARM("test.real", "own rows on test rows", ISO_NEITHER, "test.real", 0),
	ARM("test.balanced", "own rows, classes balanced, on test rows", ISO_NEITHER, "test.real", 0),
	ARM("test.pool", "pool on test rows, chosen on own rows", ISO_HIGHER, "test.real", 1),
	ARM("test.oracle", "pool on test rows, chosen on them", ISO_NEITHER, "test.real", 0),
	{"rows", "synthetic rows chosen by the clients", "rows", ISO_NEITHER, 0, INFINITY, NAN, NULL, "utility"},
	{"clients", "clients with rows of two classes", "", ISO_NEITHER, 0, INFINITY, NAN, NULL, "utility"},
	{0}};
// clang-format on

typedef struct opts {
	double c;
	int coding, standardise;
	int64_t most;
} opts;
static const iso_option options[] = {
	ISO_OPT_REAL(opts, c, "1", 1e-6, 1e6, "C of the logistic regression"),
	ISO_OPT_ENUM(
		opts, coding, "onehot", "onehot|ordinal",
		"features of a category: one a category, or its alphabetical rank as a number"),
	ISO_OPT_BOOL(opts, standardise, "true", "features by mean and sd of the training rows"),
	ISO_OPT_INT(opts, most, "20000", 200, 100000000, "largest number of synthetic rows"),
	{0}};

typedef struct bench {
	const iso_metric_view *view;
	iso_lr_options lr;
	size_t classes, positive, nclient, nsize;
	iso_labelled train, test, synthetic;
	size_t size[MOST_SIZES];
	uint32_t *first, *own;	  /* owned [nclient + 1], [train.n]: rows of each client */
	double *on_own, *on_test; /* owned [nsize][train.n or test.n][classes] */
	double *prob;		  /* owned: room for the largest table */
	float *x;		  /* owned: rows of one client, and balanced ones */
	uint32_t *y, *fold, *row;
	double tally[3][NARM][NVALUE]; /* sum, sum of squares, number */
	double rows, clients;
} bench;

static void bench_free(bench *b)
{
	iso_labelled_free(&b->train);
	iso_labelled_free(&b->test);
	iso_labelled_free(&b->synthetic);
	iso_free(b->first);
	iso_free(b->own);
	iso_free(b->on_own);
	iso_free(b->on_test);
	iso_free(b->prob);
	iso_free(b->x);
	iso_free(b->y);
	iso_free(b->fold);
	iso_free(b->row);
}

/* The rows of the clients, in table order. */
static void group_rows(bench *b)
{
	const iso_table *t = b->view->train;

	for (size_t i = 0; i < b->train.n; i++)
		b->first[t->client[b->train.row[i]] + 1]++;
	for (size_t k = 0; k < b->nclient; k++)
		b->first[k + 1] += b->first[k];
	for (size_t i = 0; i < b->train.n; i++)
		b->own[b->first[t->client[b->train.row[i]]]++] = (uint32_t)i;
	memmove(b->first + 1, b->first, b->nclient * sizeof(*b->first));
	b->first[0] = 0;
}

static iso_status bench_init(bench *b, const opts *o, iso_error *err)
{
	const iso_metric_view *v = b->view;
	const size_t most = (size_t)o->most < v->synthetic->n ? (size_t)o->most : v->synthetic->n;
	iso_encoder *e = NULL;
	iso_status st;
	iso_labelled *const table[] = {&b->train, &b->test, &b->synthetic};
	const iso_table *const from[] = {v->train, v->test, v->synthetic};

	b->classes = iso_schema_classes(v->schema);
	b->positive = iso_positive_class(v->schema);
	b->nclient = v->train->nclient;
	b->lr = (iso_lr_options){.c = o->c, .standardise = o->standardise};
	ISO_TRY(iso_encoder_new(v->schema, ISO_ENC_FEATURES, &e, err));
	for (size_t i = 0; i < ISO_COUNT(table); i++) {
		ISO_TRY_OUT(iso_labelled_new(e, from[i], 0, v->key, table[i], err));
		if (o->coding == 1)
			ISO_TRY_OUT(iso_labelled_ordinal(from[i], table[i], err));
	}
	for (double s = FIRST; s < (double)most && b->nsize + 1 < MOST_SIZES; s *= 1.5)
		b->size[b->nsize++] = (size_t)s;
	b->size[b->nsize++] = most;
	const size_t cells = (2 * b->train.n + b->test.n) * b->classes + 1;
	b->first = iso_alloc(b->nclient + 2, sizeof(*b->first));
	b->own = iso_alloc(b->train.n + 1, sizeof(*b->own));
	b->on_own = iso_alloc(b->nsize * b->train.n * b->classes + 1, sizeof(*b->on_own));
	b->on_test = iso_alloc(b->nsize * b->test.n * b->classes + 1, sizeof(*b->on_test));
	b->prob = iso_alloc(cells, sizeof(*b->prob));
	b->x = iso_alloc((b->train.n * (b->classes + 1) + 1) * b->train.d, sizeof(*b->x));
	b->y = iso_alloc(b->train.n * (b->classes + 1) + 1, sizeof(*b->y));
	b->fold = iso_alloc(b->train.n + 1, sizeof(*b->fold));
	b->row = iso_alloc(b->train.n + 1, sizeof(*b->row));
	if (!b->first || !b->own || !b->on_own || !b->on_test || !b->prob || !b->x || !b->y ||
	    !b->fold || !b->row) {
		st = iso_no_memory(err, "the scenarios of clients");
		goto out;
	}
	group_rows(b);
out:
	iso_encoder_free(e);
	return st;
}

static iso_status classify(const bench *b, const float *x, const uint32_t *y, size_t n,
			   const float *at, size_t m, double *prob, iso_error *err)
{
	const iso_examples e = {
		.x = x, .n = n, .d = b->train.d, .y = y, .classes = b->classes, .options = &b->lr};

	return iso_classify(&iso_learn_lr, &e, iso_key_new(0, "three-scenarios"), at, m, prob, err);
}

/* One model for every size of the pool; what it says of all real rows. */
static iso_status learn_pool(bench *b, iso_error *err)
{
	for (size_t s = 0; s < b->nsize; s++) {
		const iso_examples e = {.x = b->synthetic.x,
					.n = b->size[s] < b->synthetic.n ? b->size[s]
									 : b->synthetic.n,
					.d = b->synthetic.d,
					.y = b->synthetic.y,
					.classes = b->classes,
					.options = &b->lr};
		void *m = NULL;
		iso_status st = iso_learn_lr.fit(&e, b->view->key, &m, err);

		if (st == ISO_OK)
			st = iso_learn_lr.predict(m, b->train.x, b->train.n,
						  b->on_own + s * b->train.n * b->classes, err);
		if (st == ISO_OK)
			st = iso_learn_lr.predict(m, b->test.x, b->test.n,
						  b->on_test + s * b->test.n * b->classes, err);
		iso_learn_lr.free(m);
		ISO_TRY(st);
	}
	return ISO_OK;
}

static iso_status judge(bench *b, int arm, const double *prob, const uint32_t *y, size_t n,
			iso_error *err)
{
	iso_assessment a;

	ISO_TRY(iso_assess(prob, y, n, b->classes, b->positive, &a, err));
	const double v[NVALUE] = {a.accuracy, b->classes == 2 ? a.f1_positive : a.f1_macro,
				  a.auroc_macro};
	for (size_t k = 0; k < NVALUE; k++)
		if (!isnan(v[k])) {
			b->tally[0][arm][k] += v[k];
			b->tally[1][arm][k] += v[k] * v[k];
			b->tally[2][arm][k]++;
		}
	return ISO_OK;
}

/* What the model of one size says of the client's rows, gathered into b->prob. */
static void gather(bench *b, size_t s, const uint32_t *own, size_t n)
{
	const size_t c = b->classes;

	for (size_t i = 0; i < n; i++)
		memcpy(b->prob + i * c, b->on_own + (s * b->train.n + own[i]) * c,
		       c * sizeof(*b->prob));
}

static size_t right(const double *prob, const uint32_t *y, size_t n, size_t classes)
{
	size_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		size_t best = 0;

		for (size_t k = 1; k < classes; k++)
			best = prob[i * classes + k] > prob[i * classes + best] ? k : best;
		sum += best == y[i];
	}
	return sum;
}

/* The size that does best on the client's rows; on the test rows when own is NULL. */
static size_t choose(bench *b, const uint32_t *own, size_t n)
{
	size_t best = 0, top = 0;

	for (size_t s = 0; s < b->nsize; s++) {
		if (own)
			gather(b, s, own, n);
		const size_t k = right(own ? b->prob : b->on_test + s * b->test.n * b->classes,
				       own ? b->y : b->test.y, n, b->classes);
		if (s == 0 || k > top) {
			top = k;
			best = s;
		}
	}
	return best;
}

/* 10-fold cross-validation on n rows at b->x, b->y: predictions of all into b->prob. */
static iso_status cross_validate(bench *b, size_t n, size_t client, iso_error *err)
{
	const size_t d = b->train.d, folds = n < FOLDS ? n : FOLDS;
	float *x = b->x + n * d;
	uint32_t *y = b->y + n;
	double *out = b->prob + n * b->classes;

	ISO_TRY(iso_stratified_folds(iso_key_new(client, "three-scenarios/folds"), b->y, NULL, n,
				     b->classes, folds, b->fold, err));
	for (size_t f = 0; f < folds; f++) {
		size_t m = 0, left = 0;

		for (size_t i = 0; i < n; i++)
			if (b->fold[i] != f) {
				memcpy(x + m * d, b->x + i * d, d * sizeof(*x));
				y[m++] = b->y[i];
			}
		/* the judged rows behind the learning ones: n rows in all */
		for (size_t i = 0; i < n; i++)
			if (b->fold[i] == f) {
				memcpy(x + (m + left) * d, b->x + i * d, d * sizeof(*x));
				b->row[left++] = (uint32_t)i;
			}
		if (!left)
			continue;
		ISO_TRY(classify(b, x, y, m, x + m * d, left, out, err));
		for (size_t i = 0; i < left; i++)
			memcpy(b->prob + b->row[i] * b->classes, out + i * b->classes,
			       b->classes * sizeof(*out));
	}
	return ISO_OK;
}

/* The rows at b->x behind themselves with every class repeated up to the largest; how many. */
static size_t balance(bench *b, size_t n)
{
	const size_t d = b->train.d;
	size_t most = 0, m = n;

	for (size_t c = 0; c < b->classes; c++) {
		size_t have = 0;

		for (size_t i = 0; i < n; i++)
			have += b->y[i] == c;
		most = have > most ? have : most;
	}
	for (size_t c = 0; c < b->classes; c++)
		for (size_t have = 0, before = 1; have < most && have != before;) {
			before = have;
			for (size_t i = 0; i < n && have < most; i++)
				if (b->y[i] == c) {
					memcpy(b->x + m * d, b->x + i * d, d * sizeof(*b->x));
					b->y[m++] = (uint32_t)c;
					have++;
				}
		}
	return m - n;
}

/* The client's rows into b->x and b->y; how many. */
static size_t take_own(bench *b, size_t client)
{
	const uint32_t *own = b->own + b->first[client];
	const size_t n = b->first[client + 1] - b->first[client], d = b->train.d;

	for (size_t i = 0; i < n; i++) {
		memcpy(b->x + i * d, b->train.x + own[i] * d, d * sizeof(*b->x));
		b->y[i] = b->train.y[own[i]];
	}
	return n;
}

static iso_status real_of_client(bench *b, size_t client, iso_error *err)
{
	const size_t n = take_own(b, client), d = b->train.d;

	if (n == 0)
		return ISO_OK;
	ISO_TRY(classify(b, b->x, b->y, n, b->test.x, b->test.n, b->prob, err));
	ISO_TRY(judge(b, TEST_REAL, b->prob, b->test.y, b->test.n, err));
	const size_t m = balance(b, n);
	ISO_TRY(classify(b, b->x + n * d, b->y + n, m, b->test.x, b->test.n, b->prob, err));
	ISO_TRY(judge(b, TEST_BALANCED, b->prob, b->test.y, b->test.n, err));
	if (n < 2)
		return ISO_OK;
	ISO_TRY(cross_validate(b, n, client, err));
	return judge(b, LOCAL_REAL, b->prob, b->y, n, err);
}

/* The arms without synthetic rows, before all others: they are the same for every cell of the data.
 */
static iso_status run_real(bench *b, const opts *o, iso_error *err)
{
	const iso_metric_view *v = b->view;
	const size_t cells = sizeof(b->tally) / sizeof(b->tally[0][0][0]);
	double *all = &b->tally[0][0][0];
	char name[96];

	snprintf(name, sizeof(name), "three-scenarios/1/%.17g/%d/%d", o->c, o->coding,
		 o->standardise);
	if (v->cache_get && v->cache_get(v->cache_ctx, name, all, cells))
		return ISO_OK;
	ISO_TRY(classify(b, b->train.x, b->train.y, b->train.n, b->test.x, b->test.n, b->prob,
			 err));
	ISO_TRY(judge(b, ALL_REAL, b->prob, b->test.y, b->test.n, err));
	for (size_t k = 0; k < b->nclient; k++)
		ISO_TRY(real_of_client(b, k, err));
	if (v->cache_put)
		v->cache_put(v->cache_ctx, name, all, cells);
	return ISO_OK;
}

static iso_status pool_of_client(bench *b, size_t client, size_t oracle, iso_error *err)
{
	const uint32_t *own = b->own + b->first[client];
	const size_t n = take_own(b, client), t = b->test.n * b->classes;
	size_t seen = 0;

	if (n == 0)
		return ISO_OK;
	for (size_t i = 0; i < n; i++)
		seen += b->y[i] == b->y[0];
	b->clients += seen < n;
	const size_t best = choose(b, own, n);
	b->rows += (double)b->size[best];
	gather(b, best, own, n);
	ISO_TRY(judge(b, LOCAL_POOL, b->prob, b->y, n, err));
	ISO_TRY(judge(b, TEST_POOL, b->on_test + best * t, b->test.y, b->test.n, err));
	return judge(b, TEST_ORACLE, b->on_test + oracle * t, b->test.y, b->test.n, err);
}

/* Means with 95 % intervals over the clients. */
static iso_status put_all(const bench *b, iso_measures *out, const char *why, iso_error *err)
{
	size_t with_rows = 0;

	for (size_t k = 0; !why && k < b->nclient; k++)
		with_rows += b->first[k + 1] > b->first[k];
	for (size_t a = 0; a < NARM; a++)
		for (size_t k = 0; k < NVALUE; k++) {
			const double n = why ? 0 : b->tally[2][a][k],
				     mean = n ? b->tally[0][a][k] / n : NAN;
			const double var =
				n > 1 ? fmax(0, (b->tally[1][a][k] - n * mean * mean) / (n - 1))
				      : 0;
			const double half = 1.96 * sqrt(var / fmax(1, n));
			char key[40];

			snprintf(key, sizeof(key), "%s.%s", arm_key[a], value_key[k]);
			ISO_TRY(iso_put3(
				out, key,
				(double[]){mean, fmax(0, mean - half), fmin(1, mean + half)},
				why ? why : "no client has rows of two classes", err));
		}
	ISO_TRY(iso_put(out, "rows", with_rows ? b->rows / (double)with_rows : NAN,
			why ? why : "no client has rows", err));
	return iso_put(out, "clients", why ? NAN : b->clients, why, err);
}

static iso_status check(const iso_schema *s, const void *opt, iso_error *err)
{
	(void)opt;
	ISO_FAIL_IF(
		iso_schema_classes(s) < 2, err, ISO_E_UNSUPPORTED,
		"three-scenarios (schema %s): there is no label of classes to predict; give one "
		"column the role label",
		s->name);
	return ISO_OK;
}

static iso_status measure(const iso_metric_view *v, const void *opt, iso_measures *out,
			  iso_error *err)
{
	bench b = {.view = v};
	const char *why = !v->train->client  ? "the training rows have no clients"
			  : !v->synthetic->n ? "no synthetic rows"
					     : NULL;
	iso_status st = ISO_OK;

	if (why)
		return put_all(&b, out, why, err);
	ISO_TRY_OUT(bench_init(&b, opt, err));
	if (!b.test.n || !b.synthetic.n || !b.train.n) {
		st = put_all(&b, out, "no labelled rows to learn from or to judge on", err);
		goto out;
	}
	ISO_TRY_OUT(run_real(&b, opt, err));
	ISO_TRY_OUT(learn_pool(&b, err));
	const size_t oracle = choose(&b, NULL, b.test.n);
	for (size_t k = 0; k < b.nclient; k++)
		ISO_TRY_OUT(pool_of_client(&b, k, oracle, err));
	st = put_all(&b, out, NULL, err);
out:
	bench_free(&b);
	return st;
}

const iso_metric iso_metric_three_scenarios = {
	.abi = ISO_METRIC_ABI,
	.name = "three-scenarios",
	.title = "A shared pool of generators against each client's own rows",
	.citation = "E. Lomurno, L. Di Perna, L. Cazzella, S. Samele, M. Matteucci, \"A Generative "
		    "Federated Learning Framework for Differential Privacy\", 2022, Tables IV, V",
	.card = "For data with clients. Logistic regression on the first 200, 300, 450, ... "
		"synthetic "
		"rows; every client keeps the number that does best on its own rows. local.*: "
		"judged on the client's own rows, against 10-fold cross-validation on them; the "
		"pool is judged where it was chosen, as in the paper. test.*: judged on test rows; "
		"test.real is the client's own rows alone, test.balanced the same with balanced "
		"classes, all.real the rows of all clients in one place, test.oracle chooses on "
		"the test rows and is no result. Means over the "
		"clients, with the interval of that mean; F1 is of the positive class, "
		"or the mean over more than two.",
	.inputs = ISO_IN_TRAIN | ISO_IN_TEST | ISO_IN_SYNTHETIC,
	.version = 1,
	.outputs = outputs,
	.options = options,
	.options_size = sizeof(opts),
	.check = check,
	.measure = measure,
};
