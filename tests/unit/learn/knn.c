// SPDX-License-Identifier: Apache-2.0
/* core/learn/knn.c against the quadratic search, with ties, copies and large offsets. */
#include "core/learn/knn.h"

#include <string.h>

#include "core/math/gemm.h"
#include "tests/support/testkit.h"

static uint64_t seed = 3;

static double uniform(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (double)(seed >> 11) * 0x1p-53;
}

/* kind 0: continuous; 1: few values, many ties; 2: far from the origin, where the filter is blind;
 * 3: copies of the queries */
static void fill(int kind, size_t d, float *q, size_t nq, float *r, size_t nr)
{
	for (size_t e = 0; e < nq * d; e++)
		q[e] = kind == 1 ? (float)(uniform() < 0.5)
				 : (float)uniform() + (kind == 2 ? 1000 : 0);
	for (size_t e = 0; e < nr * d; e++)
		r[e] = kind == 1 ? (float)(uniform() < 0.5)
				 : (float)uniform() + (kind == 2 ? 1000 : 0);
	for (size_t i = 0; kind == 3 && i < nr; i += 3)
		memcpy(r + i * d, q + (i * 7 % nq) * d, d * sizeof(*r));
}

static void check(const float *q, size_t nq, const float *r, size_t nr, size_t d, size_t k,
		  int not_self, size_t piece)
{
	iso_error err = {0};
	iso_knn s;
	tk_ok(iso_knn_init(&s, q, d, nq, d, k, &err));
	for (size_t at = 0; at < nr; at += piece)
		iso_knn_feed(&s, r + at * d, d, nr - at < piece ? nr - at : piece, not_self);
	for (size_t i = 0; i < nq; i++) {
		static double all[3000];
		for (size_t j = 0; j < nr; j++) {
			all[j] = 0;
			for (size_t c = 0; c < d; c++)
				all[j] += ((double)q[i * d + c] - (double)r[j * d + c]) *
					  ((double)q[i * d + c] - (double)r[j * d + c]);
		}
		for (size_t m = 0; m < k;
		     m++) { /* the m-th smallest, the earlier row among equals */
			size_t best = ISO_NO_NEIGHBOUR;
			for (size_t j = 0; j < nr; j++)
				if (all[j] >= 0 && !(not_self && j == i) &&
				    (best == ISO_NO_NEIGHBOUR || all[j] < all[best] * (1 - 1e-13)))
					best = j;
			if (best == ISO_NO_NEIGHBOUR) {
				ck_assert(isinf(s.dist2[i * k + m]) &&
					  s.index[i * k + m] == ISO_NO_NEIGHBOUR);
				continue;
			}
			tk_assert_close(s.dist2[i * k + m], all[best], 1e-13, 0);
			ck_assert_msg(
				s.index[i * k + m] == best || fabs(all[s.index[i * k + m]] -
								   all[best]) <= 1e-13 * all[best],
				"query %zu: row %zu, expected %zu", i, s.index[i * k + m], best);
			all[s.index[i * k + m]] = -1;
		}
	}
	iso_knn_free(&s);
}

START_TEST(against_all_pairs)
{
	static float q[200 * 40], r[1500 * 40];
	const size_t shape[][4] = {{1, 1, 1, 1},       {5, 3, 2, 4},	 {60, 700, 30, 1},
				   {130, 1100, 13, 3}, {20, 513, 40, 2}, {49, 31, 7, 40}};
	for (size_t s = 0; s < ISO_COUNT(shape); s++)
		for (int kind = 0; kind < 4; kind++) {
			fill(kind, shape[s][2], q, shape[s][0], r, shape[s][1]);
			check(q, shape[s][0], r, shape[s][1], shape[s][2], shape[s][3], 0, 10000);
			check(q, shape[s][0], r, shape[s][1], shape[s][2], shape[s][3], 0, 97);
			check(r, shape[s][1] < 200 ? shape[s][1] : 200, r, shape[s][1], shape[s][2],
			      shape[s][3], 1, 10000);
		}
}
END_TEST

/* A copy is at distance exactly 0; the bits do not depend on the kernel. */
START_TEST(exact)
{
	static float q[100 * 30], r[1000 * 30];
	double d[100], other[100];
	iso_error err = {0};
	const iso_isa active = iso_isa_active();
	fill(3, 30, q, 100, r, 1000);
	tk_ok(iso_nearest_distance(q, 100, r, 1000, 30, d, &err));
	size_t zero = 0;
	for (size_t i = 0; i < 100; i++)
		zero += d[i] == 0;
	ck_assert_uint_eq(zero, 100);
	fill(0, 30, q, 100, r, 1000);
	tk_ok(iso_nearest_distance(q, 100, r, 1000, 30, d, &err));
	for (int isa = ISO_ISA_PORTABLE; isa <= ISO_ISA_AVX512; isa++) {
		if (!iso_isa_force((iso_isa)isa))
			continue;
		tk_ok(iso_nearest_distance(q, 100, r, 1000, 30, other, &err));
		ck_assert(!memcmp(d, other, sizeof(d)));
	}
	iso_isa_force(active);
	tk_ok(iso_nearest_distance(q, 100, r, 0, 30, d, &err));
	ck_assert(isinf(d[0]));
	for (uint64_t k = 1; k <= 5; k++) {
		iso_alloc_fail_after(k);
		tk_fails(iso_nearest_distance(q, 100, r, 10, 30, d, &err), ISO_E_NOMEM,
			 "out of memory");
	}
	iso_alloc_fail_after(0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("knn");
	TCase *t = tcase_create("knn");
	tcase_add_test(t, against_all_pairs);
	tcase_add_test(t, exact);
	suite_add_tcase(s, t);
	return tk_run(s);
}
