// SPDX-License-Identifier: Apache-2.0
/* Learners learn: at epsilon 10,000, practically without noise, every method that trains a network
 * is nearer to the data than `uniform` in one-way and two-way marginals, and nearer in two-way than
 * `independent`, whose one-way marginals are exact; and it is no worse there than at epsilon 1.
 *
 * One case per generator and table; ISO_GENERATOR=NAME restricts it to one.  Deterministic: seeds
 * are fixed, so a failure is a change of the code. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/data/encode.h"
#include "suites/flow/train.h"
#include "tests/support/testkit.h"

static iso_error err;

#define ROWS 2000
#define BINS 10
#define MARGIN 0.05 /* between two trainings of one method, in mean total variation */

static const char mixed[] =
	"{\"name\": \"mixed\", \"columns\": [{\"name\": \"score\", \"type\": \"continuous\", "
	"\"bounds\": [0, 100], \"decimals\": 1}, {\"name\": \"colour\", \"type\": \"binary\", "
	"\"categories\": [\"blue\", \"red\"]}, {\"name\": \"visits\", \"type\": \"integer\", "
	"\"bounds\": [0, 9]}, {\"name\": \"label\", \"type\": \"binary\", \"role\": \"label\", "
	"\"categories\": [\"no\", \"yes\"]}]}";

static const char clusters[] =
	"{\"name\": \"clusters\", \"columns\": [{\"name\": \"x\", \"type\": \"continuous\", "
	"\"bounds\": [0, 1]}, {\"name\": \"y\", \"type\": \"continuous\", \"bounds\": [0, 1]}, "
	"{\"name\": \"kind\", \"type\": \"categorical\", \"categories\": [\"a\", \"b\", \"c\", "
	"\"d\", \"e\"]}, {\"name\": \"class\", \"type\": \"categorical\", \"role\": \"label\", "
	"\"categories\": [\"one\", \"two\", \"three\"]}]}";

/* Three classes: a cluster of (x, y) each, and the kinds that go with it. */
static iso_table *cluster_table(const iso_schema *s)
{
	static const double mid[3][2] = {{0.25, 0.3}, {0.7, 0.35}, {0.5, 0.8}};
	const iso_key key = iso_key_new(4, "clusters");
	iso_table *t;

	tk_ok(iso_table_new(s, ROWS, &t, &err));
	for (size_t r = 0; r < ROWS; r++) {
		double *x = t->cells + 4 * r;
		const size_t y = (size_t)(3 * iso_rand_u01(key, r, 0));
		float e[2];

		iso_rand_fill_normal(key, r, 0, 1, e, 2);
		x[0] = fmin(fmax(mid[y][0] + 0.08 * (double)e[0], 0), 1);
		x[1] = fmin(fmax(mid[y][1] + 0.08 * (double)e[1], 0), 1);
		x[2] = iso_rand_u01(key, r, 1) < 0.8 ? (double)y
						     : 3 + (iso_rand_u01(key, r, 2) < 0.5);
		x[3] = (double)y;
	}
	return t;
}

/* Two columns tell the class almost surely, one is a spike at zero. */
static iso_table *mixed_table(const iso_schema *s)
{
	const iso_key key = iso_key_new(3, "mixed");
	iso_table *t;
	float e[1];

	tk_ok(iso_table_new(s, ROWS, &t, &err));
	for (size_t r = 0; r < ROWS; r++) {
		double *x = t->cells + 4 * r;
		const int y = iso_rand_u01(key, r, 0) < 0.4;

		iso_rand_fill_normal(key, r, 0, 1, e, 1);
		x[0] = rint(10 * fmin(fmax((y ? 70 : 30) + 8 * (double)e[0], 0), 100)) / 10;
		x[1] = iso_rand_u01(key, r, 1) < (y ? 0.9 : 0.2);
		x[2] = iso_rand_u01(key, r, 2) < 0.7 ? 0 : 1 + floor(6 * iso_rand_u01(key, r, 3));
		x[3] = y;
	}
	return t;
}

static double half_l1(const double *p, const double *q, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += fabs(p[i] - q[i]);
	return sum / 2;
}

static void count(const iso_binning *b, size_t n, size_t i, size_t j, double *h)
{
	memset(h, 0, b->cells[i] * b->cells[j] * sizeof(*h));
	for (size_t r = 0; r < n; r++) {
		const uint32_t *c = b->code + r * b->ncode;

		h[c[i] * b->cells[j] + (i == j ? 0 : c[j])] += 1.0 / (double)n;
	}
}

/* Mean total variation of the one-way (way 1) or two-way histograms. */
static double distance(const iso_table *a, const iso_table *b, int way)
{
	iso_binning x, y;
	double p[1024], q[1024], sum = 0, n = 0;

	tk_ok(iso_bin_table(a, BINS, ISO_ENC_FEATURES | ISO_ENC_LABEL, &x, &err));
	tk_ok(iso_bin_table(b, BINS, ISO_ENC_FEATURES | ISO_ENC_LABEL, &y, &err));
	for (size_t i = 0; i < x.ncode; i++)
		for (size_t j = i; j < x.ncode; j++) {
			if ((way == 1) != (i == j))
				continue;
			ck_assert_uint_le(x.cells[i] * x.cells[j], 1024);
			count(&x, a->n, i, j, p);
			count(&y, b->n, i, j, q);
			sum += half_l1(p, q, x.cells[i] * x.cells[j]);
			n++;
		}
	iso_binning_free(&x);
	iso_binning_free(&y);
	return sum / n;
}

static iso_table *synthetic(const iso_generator *g, const iso_table *t, double epsilon)
{
	void *o = iso_alloc(1, g->options_size + 1);
	iso_training m;
	iso_table *out;

	tk_ok(iso_options_resolve(g->options, NULL, g->name, o, g->options_size, NULL, &err));
	const iso_training_request r = {.generator = g,
					.options = o,
					.train = t,
					.epsilon = epsilon,
					.delta = 1e-5,
					.accountant = ISO_ACC_RDP,
					.seed = 17};
	tk_ok(iso_train(&r, &m, &err));
	tk_ok(iso_training_sample(&m, t->schema, 5, 2 * ROWS, &out, &err));
	iso_training_free(&m);
	iso_free(o);
	return out;
}

/* Distance of the method named to the table. */
static double of(const char *name, const iso_table *t, double epsilon, int way)
{
	const iso_generator *g;

	tk_ok(iso_generator_find(name, &g, &err));
	iso_table *s = synthetic(g, t, epsilon);
	const double d = distance(t, s, way);

	iso_table_free(s);
	return d;
}

/* A method that trains networks: it decodes latents. */
static int is_learner(const iso_generator *g)
{
	return g->latent_dim != NULL;
}

/* _i = 2 generator + table */
START_TEST(learners_learn)
{
	const iso_generator *g = iso_generator_at((size_t)_i / 2);
	iso_schema *own = NULL;
	cJSON *v = cJSON_Parse(_i % 2 ? clusters : mixed);
	iso_table *t;

	if (!is_learner(g)) {
		cJSON_Delete(v);
		return;
	}
	tk_ok(iso_schema_from_json(v, "learn", &own, &err));
	cJSON_Delete(v);
	t = _i % 2 ? cluster_table(own) : mixed_table(own);
	iso_table *much = synthetic(g, t, 1e4);
	const double one = distance(t, much, 1), two = distance(t, much, 2);
	const double floor1 = of("uniform", t, 1, 1), floor2 = of("uniform", t, 1, 2),
		     apart = of("independent", t, 500, 2);

	ck_assert_msg(one < floor1, "%s: one-way %.3f, uniform %.3f", g->name, one, floor1);
	ck_assert_msg(two < floor2, "%s: two-way %.3f, uniform %.3f", g->name, two, floor2);
	ck_assert_msg(two < apart, "%s: two-way %.3f, independent %.3f", g->name, two, apart);
	if (g->guarantee == ISO_GUARANTEE_DP) {
		iso_table *little = synthetic(g, t, 1);
		const double noisy = distance(t, little, 2);

		ck_assert_msg(two <= noisy + MARGIN, "%s: two-way %.3f at epsilon 10000, %.3f at 1",
			      g->name, two, noisy);
		iso_table_free(little);
	}
	iso_table_free(much);
	iso_table_free(t);
	iso_schema_free(own);
}
END_TEST

int main(void)
{
	const char *only = getenv("ISO_GENERATOR");
	Suite *s = suite_create("conformance/learn");
	TCase *c = tcase_create("learn");
	int first = 0, last = (int)iso_generator_count();

	for (int i = 0; only && i < last; i++)
		if (strcmp(iso_generator_at((size_t)i)->name, only) == 0) {
			first = i;
			last = i + 1;
			only = NULL;
		}
	tcase_set_timeout(c, 300);
	tcase_add_loop_test(c, learners_learn, 2 * first, 2 * last);
	suite_add_tcase(s, c);
	return tk_run(s);
}
