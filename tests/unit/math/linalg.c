// SPDX-License-Identifier: Apache-2.0
/* Oracles: naive loops in long double, LAPACK-free identities (L L^T = A, A v = lambda v), and
 * equal bits on every instruction set. */
#include "core/math/linalg.h"

#include <stdint.h>
#include <string.h>

#include "core/math/gemm.h"
#include "tests/support/testkit.h"

static uint64_t state = 0x9e3779b97f4a7c15u;
static double entropy(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (double)(int64_t)(state * 2685821657736338717u) * 0x1p-63;
}

static double *matrix(size_t n)
{
	double *x = iso_alloc(n + 1, sizeof(*x));
	size_t i;

	ck_assert_ptr_nonnull(x);
	for (i = 0; i < n; i++)
		x[i] = entropy();
	return x;
}

/* The value of f on each instruction set must be the same bytes; leaves the last in out. */
#define FOR_EACH_ISA(out, size, first, statement) \
	do { \
		int isa_; \
		double *seen_ = NULL; \
		for (isa_ = ISO_ISA_PORTABLE; isa_ <= ISO_ISA_AVX512; isa_++) { \
			if (!iso_isa_force((iso_isa)isa_)) \
				continue; \
			memcpy((out), (first), (size) * sizeof(double)); \
			statement; \
			if (!seen_) { \
				seen_ = iso_alloc((size) + 1, sizeof(double)); \
				memcpy(seen_, (out), (size) * sizeof(double)); \
			} \
			ck_assert_msg(memcmp(seen_, (out), (size) * sizeof(double)) == 0, \
				      "%s gives other bits", iso_isa_name((iso_isa)isa_)); \
		} \
		iso_free(seen_); \
	} while (0)

static const size_t dims[][3] = {{1, 1, 1},    {7, 5, 1},     {33, 20, 2}, {70, 37, 10},
				 {65, 530, 3}, {600, 19, 17}, {3, 700, 1}, {520, 40, 33},
				 {0, 4, 2},    {4, 0, 2},     {64, 16, 16}};

START_TEST(products_match_the_naive_loops)
{
	size_t t, i, j, k;
	int beta;

	for (t = 0; t < ISO_COUNT(dims); t++) {
		const size_t n = dims[t][0], d = dims[t][1], p = dims[t][2];
		double *x = matrix(n * d), *w = matrix(d * p), *y0 = matrix(n * p),
		       *y = matrix(n * p), *r = matrix(n * p), *g0 = matrix(d * p),
		       *g = matrix(d * p);

		FOR_EACH_ISA(y, n * p, y0, iso_dmul(n, d, p, x, w, y));
		for (i = 0; i < n; i++)
			for (j = 0; j < p; j++) {
				long double s = 0;

				for (k = 0; k < d; k++)
					s += (long double)x[i * d + k] * w[k * p + j];
				tk_assert_close(y[i * p + j], (double)s, 0, 1e-13);
			}
		for (beta = 0; beta < 2; beta++) {
			FOR_EACH_ISA(g, d * p, g0, iso_dmul_tn(n, d, p, x, r, beta, g));
			for (k = 0; k < d; k++)
				for (j = 0; j < p; j++) {
					long double s = beta ? g0[k * p + j] : 0;

					for (i = 0; i < n; i++)
						s += (long double)x[i * d + k] * r[i * p + j];
					tk_assert_close(g[k * p + j], (double)s, 0, 1e-13);
				}
		}
		iso_free(x);
		iso_free(w);
		iso_free(y0);
		iso_free(y);
		iso_free(r);
		iso_free(g0);
		iso_free(g);
	}
}
END_TEST

START_TEST(weighted_gram)
{
	size_t t, i, a, b;
	int beta;

	for (t = 0; t < ISO_COUNT(dims); t++) {
		const size_t n = dims[t][0], d = dims[t][1] > 100 ? 61 : dims[t][1];
		double *x = matrix(n * d), *w = matrix(n), *h0 = matrix(d * d), *h = matrix(d * d);

		for (a = 0; a < d; a++) /* what is added to must be symmetric */
			for (b = 0; b < a; b++)
				h0[b * d + a] = h0[a * d + b];
		for (beta = 0; beta < 2; beta++) {
			FOR_EACH_ISA(h, d * d, h0, iso_dsyrk_weighted(n, d, x, w, beta, h));
			for (a = 0; a < d; a++)
				for (b = 0; b < d; b++) {
					long double s = beta ? h0[a * d + b] : 0;

					for (i = 0; i < n; i++)
						s += (long double)x[i * d + a] * w[i] *
						     x[i * d + b];
					tk_assert_close(h[a * d + b], (double)s, 0, 1e-13);
				}
		}
		iso_free(x);
		iso_free(w);
		iso_free(h0);
		iso_free(h);
	}
}
END_TEST

START_TEST(dot_products)
{
	size_t n, i;

	for (n = 0; n < 70; n++) {
		double *a = matrix(n), *b = matrix(n), zero = 0, got;
		long double s = 0;

		for (i = 0; i < n; i++)
			s += (long double)a[i] * b[i];
		FOR_EACH_ISA(&got, 1, &zero, got = iso_ddot(n, a, b));
		tk_assert_close(got, (double)s, 0, 1e-14);
		iso_free(a);
		iso_free(b);
	}
}
END_TEST

START_TEST(cholesky_factors_and_solves)
{
	static const size_t sizes[] = {0, 1, 2, 5, 17, 64, 101};
	iso_error err = {0};
	size_t t, i, j, k;

	for (t = 0; t < ISO_COUNT(sizes); t++) {
		const size_t n = sizes[t];
		double *x = matrix((n + 3) * n), *one = iso_alloc(n + 4, sizeof(double)),
		       *a = matrix(n * n), *l = matrix(n * n), *b = matrix(n), *s = matrix(n);

		for (i = 0; i < n + 3; i++)
			one[i] = 1;
		iso_dsyrk_weighted(n + 3, n, x, one, 0, a);
		for (i = 0; i < n; i++)
			a[i * n + i] += 0.1;
		FOR_EACH_ISA(l, n * n, a, tk_ok(iso_cholesky(l, n, &err)));
		for (i = 0; i < n; i++)
			for (j = 0; j <= i; j++) {
				long double sum = 0;

				for (k = 0; k <= j; k++)
					sum += (long double)l[i * n + k] * l[j * n + k];
				tk_assert_close((double)sum, a[i * n + j], 1e-13, 1e-12);
			}
		FOR_EACH_ISA(s, n, b, iso_cholesky_solve(l, n, s));
		for (i = 0; i < n; i++) {
			long double sum = 0;

			for (j = 0; j < n; j++)
				sum += (long double)a[i * n + j] * s[j];
			tk_assert_close((double)sum, b[i], 1e-9, 1e-9);
		}
		iso_free(x);
		iso_free(one);
		iso_free(a);
		iso_free(l);
		iso_free(b);
		iso_free(s);
	}
}
END_TEST

START_TEST(cholesky_refuses_what_it_cannot)
{
	double indefinite[4] = {1, 2, 2, 1}, nan[1] = {NAN}, zero[1] = {0}, inf[1] = {INFINITY};
	iso_error err = {0};

	tk_fails(iso_cholesky(indefinite, 2, &err), ISO_E_NUMERIC, "row 2 of 2");
	tk_fails(iso_cholesky(nan, 1, &err), ISO_E_NUMERIC, "not positive definite");
	tk_fails(iso_cholesky(zero, 1, &err), ISO_E_NUMERIC, "not positive definite");
	tk_fails(iso_cholesky(inf, 1, &err), ISO_E_NUMERIC, "not positive definite");
}
END_TEST

/* Random symmetric matrices, one with equal eigenvalues, one diagonal. */
START_TEST(eigen_of_symmetric)
{
	static const size_t sizes[] = {0, 1, 2, 9, 40};
	iso_error err = {0};
	size_t t, i, j, k, kind;

	for (t = 0; t < ISO_COUNT(sizes); t++) {
		for (kind = 0; kind < 3; kind++) {
			const size_t n = sizes[t];
			double *a = matrix(n * n), *work = matrix(n * n), *value = matrix(n),
			       *v = matrix(n * n);

			for (i = 0; i < n; i++)
				for (j = 0; j <= i; j++)
					a[j * n + i] = a[i * n + j] = kind == 0	  ? a[i * n + j]
								      : kind == 1 ? 1 + 2 * (i == j)
								      : i == j	  ? (double)(i % 3)
										  : 0;
			FOR_EACH_ISA(work, n * n, a,
				     tk_ok(iso_eigen_symmetric(work, n, value, v, &err)));
			for (i = 0; i < n; i++) {
				ck_assert(i == 0 || value[i] <= value[i - 1]);
				for (j = 0; j < n; j++) {
					long double av = 0, vv = 0;

					for (k = 0; k < n; k++) {
						av += (long double)a[j * n + k] * v[i * n + k];
						vv += (long double)v[i * n + k] * v[j * n + k];
					}
					tk_assert_close((double)av, value[i] * v[i * n + j], 0,
							1e-11);
					tk_assert_close((double)vv, i == j, 0, 1e-12);
				}
			}
			iso_free(a);
			iso_free(work);
			iso_free(value);
			iso_free(v);
		}
	}
}
END_TEST

START_TEST(eigen_refuses_nan)
{
	double a[4] = {1, NAN, NAN, 1}, values[2], v[4];
	iso_error err = {0};

	tk_fails(iso_eigen_symmetric(a, 2, values, v, &err), ISO_E_NUMERIC, "not finite");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("math/linalg");
	TCase *t = tcase_create("linalg");

	tcase_add_test(t, products_match_the_naive_loops);
	tcase_add_test(t, weighted_gram);
	tcase_add_test(t, dot_products);
	tcase_add_test(t, cholesky_factors_and_solves);
	tcase_add_test(t, cholesky_refuses_what_it_cannot);
	tcase_add_test(t, eigen_of_symmetric);
	tcase_add_test(t, eigen_refuses_nan);
	suite_add_tcase(s, t);
	return tk_run(s);
}
