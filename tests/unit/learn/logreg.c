// SPDX-License-Identifier: Apache-2.0
/* core/learn/logreg.c and design.c: coefficients frozen from scikit-learn's newton-cholesky, finite
 * differences, edge cases. */
#include "core/learn/logreg.h"

#include <string.h>

#include "core/math/gemm.h"
#include "core/math/vmath.h"
#include "core/rand/rand.h"
#include "tests/support/testkit.h"

static uint64_t seed = 7;

static double uniform(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (double)(seed >> 11) * 0x1p-53;
}

static size_t read_matrix(const cJSON *a, double *x, size_t at)
{
	const cJSON *row, *v;
	cJSON_ArrayForEach(row, a) cJSON_ArrayForEach(v, row) x[at++] = v->valuedouble;
	return at;
}

/* Pooled real (1) and synthetic (0) rows of the small data set. */
static size_t small(const cJSON *s, double *x, uint32_t *y)
{
	const size_t a = read_matrix(cJSON_GetObjectItem(s, "real"), x, 0) / 3;
	const size_t b = read_matrix(cJSON_GetObjectItem(s, "synth"), x, 3 * a) / 3;
	for (size_t i = 0; i < b; i++)
		y[i] = i < a;
	return b;
}

static void check_coef(const iso_logreg *m, const cJSON *g, double tol)
{
	const cJSON *coef = cJSON_GetObjectItem(g, "coef");
	for (int j = 0; j < 3; j++)
		tk_assert_close(m->w[j], cJSON_GetArrayItem(coef, j)->valuedouble, 0, tol);
	tk_assert_close(m->w[3], tk_number(g, "intercept"), 0, tol);
}

START_TEST(goldens_small)
{
	cJSON *g = tk_golden("oracle_stats.json.gz");
	const cJSON *s = cJSON_GetObjectItem(g, "small_dataset");
	double x[360];
	uint32_t y[120];
	iso_error err = {0};
	iso_design d;
	iso_logreg m;
	iso_logreg_config c = iso_logreg_default();
	const size_t n = small(s, x, y);
	ck_assert_uint_eq(n, 120);
	tk_ok(iso_design_new_f64(x, n, 3, &d, &err));
	tk_ok(iso_logreg_fit(&c, &d, NULL, n, y, 2, &m, &err));
	ck_assert(m.converged && m.gradient <= 1e-8);
	check_coef(&m, cJSON_GetObjectItem(s, "lr_l2_C1"), 1e-8);
	iso_logreg_free(&m);
	c.c = INFINITY;
	tk_ok(iso_logreg_fit(&c, &d, NULL, n, y, 2, &m, &err));
	check_coef(&m, cJSON_GetObjectItem(s, "lr_unpenalised"), 1e-7);
	iso_logreg_free(&m);
	iso_design_free(&d);
	cJSON_Delete(g);
}
END_TEST

/* The four-class set: n, then x and y. */
static size_t load_multi(const cJSON *v, double *x, uint32_t *y)
{
	const cJSON *e;
	size_t n = 0;
	cJSON_ArrayForEach(e, cJSON_GetObjectItem(v, "x")) x[n++] = e->valuedouble;
	n = 0;
	cJSON_ArrayForEach(e, cJSON_GetObjectItem(v, "y")) y[n++] = (uint32_t)e->valuedouble;
	return n;
}

static void check_weights(const iso_logreg *m, const cJSON *v, const char *key)
{
	const cJSON *e;
	size_t at = 0;
	ck_assert(m->converged && m->p == 4);
	cJSON_ArrayForEach(e, cJSON_GetObjectItem(v, key))
		tk_assert_close(m->w[at++], e->valuedouble, 0, 1e-8);
	ck_assert_uint_eq(at, 28);
}

/* Every scheme on the dense and on the sparse form of the same numbers (half of them zero). */
START_TEST(goldens_multi)
{
	cJSON *g = tk_golden("oracle_learn.json.gz");
	const cJSON *v = cJSON_GetObjectItem(g, "multi");
	static double x[2000];
	static float f[2000];
	uint32_t y[400];
	iso_error err = {0};
	const size_t n = load_multi(v, x, y), d = 6;
	for (size_t e = 0; e < n * d; e++)
		f[e] = (float)x[e];
	for (int sparse = 0; sparse < 2; sparse++) {
		const iso_source src = iso_source_floats(f, d, n, d);
		iso_design des;
		iso_logreg m;
		iso_logreg_config c = iso_logreg_default();
		c.c = tk_number(v, "c");
		if (sparse)
			tk_ok(iso_design_new(&src, &des, &err));
		else
			tk_ok(iso_design_new_f64(x, n, d, &des, &err));
		ck_assert((des.dense == NULL) == sparse);
		tk_ok(iso_logreg_fit(&c, &des, NULL, n, y, 4, &m, &err));
		check_weights(&m, v, "multinomial");
		iso_logreg_free(&m);
		c.standardise = 1;
		tk_ok(iso_logreg_fit(&c, &des, NULL, n, y, 4, &m, &err));
		check_weights(&m, v, "multinomial_standardised");
		iso_logreg_free(&m);
		c.standardise = 0;
		c.scheme = ISO_ONE_VS_REST;
		tk_ok(iso_logreg_fit(&c, &des, NULL, n, y, 4, &m, &err));
		check_weights(&m, v, "ovr");
		iso_logreg_free(&m);
		iso_design_free(&des);
	}
	cJSON_Delete(g);
}
END_TEST

/* Products of a view against the definition, every form, with a row subset. */
static void check_products(const iso_design *des, const double *x, size_t p, int standardise)
{
	enum { N = 30, D = 7, Q = D + 1 };
	uint32_t row[N];
	static double dense[N][Q], w[Q * 40], r[N * 40], z[N * 40], g[Q * 40], h[Q * Q], diag[Q],
		weight[N];
	iso_error err = {0};
	iso_design_view v;
	for (size_t i = 0; i < N; i++)
		row[i] = (uint32_t)((i * 7 + 3) % 50);
	tk_ok(iso_design_view_init(&v, des, row, N, p, standardise, &err));
	for (size_t j = 0; j < D; j++) {
		double m = 0, s = 0;
		for (size_t i = 0; i < N; i++)
			m += x[row[i] * D + j] / N;
		for (size_t i = 0; i < N; i++)
			s += (x[row[i] * D + j] - m) * (x[row[i] * D + j] - m) / N;
		for (size_t i = 0; i < N; i++)
			dense[i][j] = standardise
					      ? (x[row[i] * D + j] - m) / (s > 1e-20 ? sqrt(s) : 1)
					      : x[row[i] * D + j];
	}
	for (size_t i = 0; i < N; i++) {
		dense[i][D] = 1;
		weight[i] = i % 4 ? uniform() : 0;
	}
	for (size_t e = 0; e < N * p; e++)
		r[e] = uniform() - 0.5;
	for (size_t e = 0; e < Q * p; e++)
		w[e] = uniform() - 0.5;
	iso_design_forward(&v, p, w, z);
	iso_design_backward(&v, p, r, g);
	iso_design_gram(&v, weight, h);
	iso_design_gram_diagonal(&v, weight, diag);
	for (size_t k = 0; k < p; k++) {
		for (size_t i = 0; i < N; i++) {
			double want = 0;
			for (size_t j = 0; j < Q; j++)
				want += dense[i][j] * w[j * p + k];
			tk_assert_close(z[i * p + k], want, 1e-11, 1e-11);
		}
		for (size_t j = 0; j < Q; j++) {
			double want = 0;
			for (size_t i = 0; i < N; i++)
				want += dense[i][j] * r[i * p + k];
			tk_assert_close(g[j * p + k], want, 1e-11, 1e-11);
		}
	}
	for (size_t j = 0; j < Q; j++)
		for (size_t k = 0; k < Q; k++) {
			double want = 0;
			for (size_t i = 0; i < N; i++)
				want += weight[i] * dense[i][j] * dense[i][k];
			tk_assert_close(h[j * Q + k], want, 1e-11, 1e-11);
			if (j == k)
				tk_assert_close(diag[j], want, 1e-11, 1e-11);
		}
	iso_design_view_free(&v);
}

START_TEST(products)
{
	static double x[350];
	static float f[350];
	const size_t widths[] = {1, 2, 4, 5, 8, 9, 12, 13, 27, 40};
	iso_error err = {0};
	for (size_t e = 0; e < 350; e++) {
		x[e] = e % 7 == 3	 ? 0.75
		       : uniform() < 0.5 ? 0
					 : floor(uniform() * 64) / 64; /* column 3 is constant */
		f[e] = (float)x[e];
	}
	const iso_source src = iso_source_floats(f, 7, 50, 7);
	iso_design a, b;
	tk_ok(iso_design_new(&src, &a, &err));
	tk_ok(iso_design_new_f64(x, 50, 7, &b, &err));
	ck_assert(!a.dense && b.dense);
	for (size_t i = 0; i < ISO_COUNT(widths); i++)
		for (int s = 0; s < 2; s++) {
			check_products(&a, x, widths[i], s);
			check_products(&b, x, widths[i], s);
		}
	iso_design_free(&a);
	iso_design_free(&b);
}
END_TEST

/* A problem over the limit of cheap factors takes the shared Gram matrix, dropped rows and
 * conjugate gradients: the gradient of the loss, by its definition, vanishes there too. */
START_TEST(large_problem)
{
	enum { N = 1500, D = 200, K = 5 };
	static float f[N * D];
	static uint32_t y[N];
	static double prob[N * K];
	iso_error err = {0};
	for (size_t i = 0; i < N; i++) {
		y[i] = (uint32_t)(uniform() * K);
		for (size_t j = 0; j < D; j++)
			f[i * D + j] = uniform() < 0.7
					       ? 0
					       : (float)(uniform() + (j % K == y[i] ? 0.3 : 0));
	}
	const iso_source src = iso_source_floats(f, D, N, D);
	for (int ovr = 0; ovr < 2; ovr++) {
		iso_design des;
		iso_logreg m;
		iso_logreg_config c = iso_logreg_default();
		c.scheme = ovr ? ISO_ONE_VS_REST : ISO_MULTINOMIAL;
		c.c = 10;
		tk_ok(iso_design_new(&src, &des, &err));
		ck_assert(!des.dense);
		tk_ok(iso_logreg_fit(&c, &des, NULL, N, y, K, &m, &err));
		ck_assert(m.converged && m.gradient <= 1e-8);
		ck_assert(ovr || m.products > m.iterations);
		tk_ok(iso_logreg_predict(&m, &des, NULL, N, prob, &err));
		for (size_t k = 0; k < K; k++)
			for (size_t j = 0; j <= D; j++) {
				double g = j < D ? m.w[j * K + k] : 0;
				for (size_t i = 0; i < N; i++)
					g += c.c * (prob[i * K + k] - (y[i] == k)) *
					     (j < D ? (double)f[i * D + j] : 1);
				tk_assert_close(g, 0, 0, 2e-8);
			}
		iso_logreg_free(&m);
		iso_design_free(&des);
	}
}
END_TEST

/* The same weights to the last bit whatever the instruction set. */
START_TEST(same_bits)
{
	enum { N = 300, D = 40, K = 5 };
	static float f[N * D];
	static uint32_t y[N];
	iso_error err = {0};
	const iso_isa active = iso_isa_active();
	for (size_t i = 0; i < N; i++) {
		y[i] = (uint32_t)(uniform() * K);
		for (size_t j = 0; j < D; j++)
			f[i * D + j] = uniform() < 0.7 ? 0 : (float)uniform();
	}
	const iso_source src = iso_source_floats(f, D, N, D);
	for (int dense = 0; dense < 2; dense++) {
		iso_design des;
		iso_logreg m[3] = {{0}};
		iso_logreg_config c = iso_logreg_default();
		for (size_t e = 0; e < N * D && dense; e++)
			f[e] += 0.5f;
		tk_ok(iso_design_new(&src, &des, &err));
		ck_assert((des.dense != NULL) == dense);
		for (int isa = ISO_ISA_PORTABLE; isa <= ISO_ISA_AVX512; isa++)
			if (iso_isa_force((iso_isa)isa)) {
				tk_ok(iso_logreg_fit(&c, &des, NULL, N, y, K, &m[isa], &err));
				ck_assert(!memcmp(m[isa].w, m[0].w, (D + 1) * K * sizeof(double)));
			}
		iso_isa_force(active);
		for (int isa = 0; isa < 3; isa++)
			iso_logreg_free(&m[isa]);
		iso_design_free(&des);
	}
}
END_TEST

/* Missing classes, one class, separable classes, nothing to learn from, bad labels. */
START_TEST(edges)
{
	const double x[] = {0, 1, 2, 3, 4, 5};
	const uint32_t two[] = {1, 1, 1, 3, 3, 3}, one[] = {2, 2, 2, 2, 2, 2},
		       bad[] = {0, 1, 2, 3, 4, 5};
	double prob[24];
	iso_error err = {0};
	iso_design d;
	iso_logreg m;
	iso_logreg_config c = iso_logreg_default();
	tk_ok(iso_design_new_f64(x, 6, 1, &d, &err));
	tk_ok(iso_logreg_fit(&c, &d, NULL, 6, two, 4, &m, &err));
	ck_assert(m.p == 1 && m.converged);
	tk_ok(iso_logreg_predict(&m, &d, NULL, 6, prob, &err));
	for (size_t i = 0; i < 6; i++) {
		ck_assert(prob[4 * i] == 0 && prob[4 * i + 2] == 0);
		tk_assert_close(prob[4 * i + 1] + prob[4 * i + 3], 1, 0, 1e-15);
		ck_assert((prob[4 * i + 3] > 0.5) == (i >= 3));
	}
	iso_logreg_free(&m);
	tk_ok(iso_logreg_fit(&c, &d, NULL, 6, one, 4, &m, &err));
	tk_ok(iso_logreg_predict(&m, &d, NULL, 6, prob, &err));
	ck_assert(m.p == 0 && prob[2] == 1 && prob[4 * 5 + 2] == 1 && prob[0] == 0);
	iso_logreg_free(&m);
	c.c = INFINITY; /* separable and unpenalised: no optimum, but an end */
	tk_ok(iso_logreg_fit(&c, &d, NULL, 6, two, 4, &m, &err));
	ck_assert(isfinite(m.w[0]) && isfinite(m.w[1]));
	iso_logreg_free(&m);
	tk_fails(iso_logreg_fit(&c, &d, NULL, 0, two, 4, &m, &err), ISO_E_DATA,
		 "without training rows");
	tk_fails(iso_logreg_fit(&c, &d, NULL, 6, bad, 4, &m, &err), ISO_E_DATA, "label 4");
	c.c = NAN;
	tk_fails(iso_logreg_fit(&c, &d, NULL, 6, two, 4, &m, &err), ISO_E_CONFIG, "above 0");
	c.c = 1;
	for (uint64_t k = 1; k < 8; k++) {
		iso_alloc_fail_after(k);
		const iso_status st = iso_logreg_fit(&c, &d, NULL, 6, two, 4, &m, &err);
		iso_alloc_fail_after(0);
		ck_assert(st == ISO_OK || st == ISO_E_NOMEM);
		if (st == ISO_OK)
			iso_logreg_free(&m);
		ck_assert(st == ISO_E_NOMEM || k > 5);
		iso_error_clear(&err);
	}
	iso_design_free(&d);
}
END_TEST

/* From 20,000 rows on the fit starts at that of every eighth row: it still ends at the optimum,
 * whose gradient is formed here.  In the second round the rare class has no row among the eighths.
 */
START_TEST(warm_start)
{
	enum { N = 20000 };
	float *x = iso_alloc(N, sizeof(*x));
	uint32_t *y = iso_alloc(N, sizeof(*y));
	iso_stream s = iso_stream_new(iso_key_new(1, "warm"));
	const iso_source src = iso_source_floats(x, 1, N, 1);

	for (int rare = 0; rare < 2; rare++) {
		iso_logreg_config c = iso_logreg_default();
		iso_design d;
		iso_logreg m;
		double g[2] = {0};
		iso_error err = {0};

		for (size_t i = 0; i < N; i++) {
			x[i] = (float)iso_next_normal(&s);
			y[i] = rare ? i == 5 : iso_next_u01(&s) < iso_sigmoid((double)x[i] - 1);
		}
		c.standardise = 1;
		c.tolerance = 1e-6;
		tk_ok(iso_design_new(&src, &d, &err));
		tk_ok(iso_logreg_fit(&c, &d, NULL, N, y, 2, &m, &err));
		ck_assert(m.converged);
		double mean = 0, var = 0;
		for (size_t i = 0; i < N; i++)
			mean += (double)x[i] / N;
		for (size_t i = 0; i < N; i++)
			var += pow((double)x[i] - mean, 2) / N;
		for (size_t i = 0; i < N; i++) {
			const double r = iso_sigmoid(m.w[0] * (double)x[i] + m.w[1]) - y[i];
			g[0] += r * ((double)x[i] - mean) / sqrt(var);
			g[1] += r;
		}
		g[0] += m.w[0] * sqrt(var); /* the penalty is on the standardised weight */
		ck_assert_msg(fabs(g[0]) < 2e-6 && fabs(g[1]) < 2e-6, "gradient %g %g", g[0], g[1]);
		iso_logreg_free(&m);
		iso_design_free(&d);
	}
	iso_free(x);
	iso_free(y);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("logreg");
	TCase *t = tcase_create("logreg");
	tcase_add_test(t, goldens_small);
	tcase_add_test(t, goldens_multi);
	tcase_add_test(t, products);
	tcase_add_test(t, large_problem);
	tcase_add_test(t, same_bits);
	tcase_add_test(t, edges);
	tcase_add_test(t, warm_start);
	suite_add_tcase(s, t);
	return tk_run(s);
}
