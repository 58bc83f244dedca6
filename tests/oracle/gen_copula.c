// SPDX-License-Identifier: Apache-2.0
/* dp-copula and its door: tau by the definition and by hand, how far one record moves it, matrices
 * made correlations, and the correlation of a known bivariate normal. */
#include <string.h>

#include "core/math/linalg.h"
#include "core/math/special.h"
#include "core/privacy/mechanism.h"
#include "core/privacy/release_key.h"
#include "generators/kit/correlation.h"
#include "tests/oracle/gen_support.h"

static iso_error err;

/* Three columns of 3, 4 and 2 codes. */
static const size_t cells[] = {3, 4, 2};

static void codes(uint32_t *code, size_t n, uint64_t seed)
{
	for (size_t r = 0; r < n; r++)
		for (size_t j = 0; j < 3; j++)
			code[3 * r + j] = (uint32_t)((double)cells[j] *
						     iso_rand_u01(iso_key_new(seed, "code"), r, j));
}

static double sign(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

/* By the definition, over all pairs of rows. */
static void by_definition(const uint32_t *code, size_t n, double public_n, double *tau)
{
	memset(tau, 0, 3 * sizeof *tau);
	for (size_t a = 0; a < n; a++)
		for (size_t b = 0; b < a; b++) {
			size_t at = 0;
			for (size_t i = 0; i < 3; i++)
				for (size_t j = i + 1; j < 3; j++)
					tau[at++] += sign(code[3 * a + i], code[3 * b + i]) *
						     sign(code[3 * a + j], code[3 * b + j]) /
						     (public_n * (public_n - 1) / 2);
		}
}

/* The door with noise too small to see. */
static void by_door(const uint32_t *code, size_t n, size_t public_n, double *tau)
{
	iso_release_key key;
	const iso_entry entry = {.why = "tau"};
	iso_plan p = {0};
	iso_ledger *l;
	tk_ok(iso_release_key_plain(1, "test", 0, &key, &err));
	tk_ok(iso_plan_gaussian(&p, entry, 1e-12, 1, 1, iso_kendall_moves(public_n, 3, ISO_NORM_L2),
				&err));
	tk_ok(iso_ledger_new(&p, "test", ISO_ADD_REMOVE, &key, &l, &err));
	tk_ok(iso_mech_kendall(l, entry, code, n, 3, cells, public_n, tau, &err));
	iso_ledger_free(l);
	iso_plan_free(&p);
}

START_TEST(tau_is_that_of_all_pairs)
{
	uint32_t code[3 * 60];
	double got[3], want[3];
	for (uint64_t seed = 1; seed < 6; seed++) {
		codes(code, 60, seed);
		by_door(code, 60, 50 + 10, got);
		by_definition(code, 60, 60, want);
		for (size_t k = 0; k < 3; k++)
			tk_assert_close(got[k], want[k], 0, 1e-9);
	}
}
END_TEST

/* Rows (0,0) (1,1) (2,3) are concordant in all three pairs: tau 1; with (2,0) beside them two pairs
 * are concordant with it at most: (0,0) is tied in y, (1,1) discordant, (2,3) tied in x: 3 - 1 = 2
 * of 6 pairs. */
START_TEST(tau_by_hand)
{
	static const uint32_t three[] = {0, 0, 0, 1, 1, 0, 2, 3, 0},
			      four[] = {0, 0, 0, 1, 1, 0, 2, 3, 0, 2, 0, 0};
	double tau[3];
	by_door(three, 3, 3, tau);
	tk_assert_close(tau[0], 1, 0, 1e-9);
	tk_assert_close(tau[1], 0, 0, 1e-9);
	by_door(four, 4, 4, tau);
	tk_assert_close(tau[0], 1.0 / 3, 0, 1e-9);
}
END_TEST

/* Adding each of the 24 possible records to random tables of up to the public number of rows moves
 * every tau by at most 2/(n-1), and all three by at most what the plan declares; concordant rows
 * with one more reach 2/(n-1). */
START_TEST(a_record_moves_tau_by_at_most_what_is_declared)
{
	for (size_t n = 2; n <= 8; n++)
		for (uint64_t seed = 1; seed < 20; seed++) {
			uint32_t code[3 * 9];
			double before[3], after[3];
			codes(code, n, seed);
			by_definition(code, n, (double)n, before);
			for (uint32_t x = 0; x < 24; x++) {
				double l1 = 0, l2 = 0;
				code[3 * n] = x % 3;
				code[3 * n + 1] = x / 3 % 4;
				code[3 * n + 2] = x / 12;
				by_definition(code, n + 1, (double)n, after);
				for (size_t k = 0; k < 3; k++) {
					const double d = fabs(after[k] - before[k]);
					ck_assert(d <= 2 / ((double)n - 1) + 1e-12);
					l1 += d;
					l2 += d * d;
				}
				ck_assert(l1 <= iso_kendall_moves(n, 3, ISO_NORM_L1) + 1e-12);
				ck_assert(sqrt(l2) <= iso_kendall_moves(n, 3, ISO_NORM_L2) + 1e-12);
			}
		}
	tk_assert_close(iso_kendall_moves(101, 3, ISO_NORM_L1), 3 * .02, 1e-14, 0);
	tk_assert_close(iso_kendall_moves(101, 3, ISO_NORM_L2), sqrt(3) * .02, 1e-14, 0);
	/* reached: two concordant rows, and a third that is concordant with both, n = 2 */
	static const uint32_t up[] = {0, 0, 0, 1, 1, 0, 2, 2, 0};
	double before[3], after[3];
	by_definition(up, 2, 2, before);
	by_definition(up, 3, 2, after);
	tk_assert_close(after[0] - before[0], 2, 1e-12, 0);
}
END_TEST

/* More rows than the proof covers are refused. */
START_TEST(the_public_number_of_rows_is_held)
{
	iso_release_key key;
	const iso_entry entry = {.why = "tau"};
	uint32_t code[3 * 12] = {0};
	double tau[3];
	iso_plan p = {0};
	iso_ledger *l;
	tk_ok(iso_release_key_plain(1, "test", 0, &key, &err));
	tk_ok(iso_plan_gaussian(&p, entry, 1, 1, 1, 1, &err));
	tk_ok(iso_ledger_new(&p, "test", ISO_ADD_REMOVE, &key, &l, &err));
	tk_fails(iso_mech_kendall(l, entry, code, 12, 3, cells, 10, tau, &err), ISO_E_PLUGIN,
		 "public number");
	iso_ledger_free(l);
	iso_plan_free(&p);
}
END_TEST

/* [[1, .9, -.9], [.9, 1, .9], [-.9, .9, 1]] has eigenvalues 1.9, 1.9 and -.8. */
START_TEST(matrices_become_correlations)
{
	double a[] = {1, .9, -.9, .9, 1, .9, -.9, .9, 1}, work[9], vector[9], value[3];
	tk_ok(iso_make_correlation(a, 3, 1e-3, &err));
	memcpy(work, a, sizeof a);
	tk_ok(iso_eigen_symmetric(work, 3, value, vector, &err));
	ck_assert(value[2] > 0);
	for (size_t i = 0; i < 3; i++)
		tk_assert_close(a[4 * i], 1, 0, 0);
	/* raised to 1e-3 the matrix is 1.9 I - 1.899 v v^T, v = (1, -1, 1)/sqrt 3: off the diagonal
	 * .633 over 1.267 */
	tk_assert_close(a[1], .633 / 1.267, 1e-12, 0);
	tk_assert_close(a[2], -.633 / 1.267, 1e-12, 0);
}
END_TEST

/* Moments (1, 2): 1, sqrt 2 * 2, 4; |z|^2 = 5, halved for a bound of 2.5. */
START_TEST(moments_by_hand)
{
	static const double z[] = {1, 2}, sum[] = {4, 3 * 1.41421356237309505, 9};
	double v[3], a[4];
	iso_moment_vector(z, 2, 2.5, v);
	tk_assert_close(v[0], .5, 1e-14, 0);
	tk_assert_close(v[1], sqrt(2), 1e-14, 0);
	tk_assert_close(v[2], 2, 1e-14, 0);
	tk_assert_close(sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]), 2.5, 1e-14, 0);
	iso_moment_correlations(sum, 2, 1, a);
	tk_assert_close(a[1], .5, 1e-14, 0);
	tk_assert_close(a[2], .5, 1e-14, 0);
	tk_assert_close(a[3], 1, 0, 0);
}
END_TEST

/* 20,000 rows of a bivariate normal of correlation -.6, cut to 64 bins of [-4, 4]; without noise
 * the correlation of the samples is within .02 of it (standard error about .006 twice). */
START_TEST(a_known_correlation_comes_back)
{
	static const char text[] =
		"{\"name\":\"two\",\"columns\":[{\"name\":\"x\",\"type\":\"continuous\",\"bounds\":"
		"[-4,4]},{\"name\":\"y\",\"type\":\"continuous\",\"bounds\":[-4,4]}]}";
	static const char *const how[] = {"correlation=tau", "correlation=cov"};
	cJSON *v = cJSON_Parse(text);
	const size_t n = 20000;
	iso_schema *s;
	iso_table *t;
	tk_ok(iso_schema_from_json(v, "two", &s, &err));
	tk_ok(iso_table_new(s, n, &t, &err));
	for (size_t r = 0; r < n; r++) {
		float g[2];
		iso_rand_fill_normal(iso_key_new(2, "g"), r, 0, 1, g, 2);
		t->cells[2 * r] = (double)g[0];
		t->cells[2 * r + 1] = fmin(fmax(-.6 * (double)g[0] + .8 * (double)g[1], -4), 4);
		t->cells[2 * r] = fmin(fmax(t->cells[2 * r], -4), 4);
	}
	for (size_t k = 0; k < 2; k++) {
		double xx = 0, yy = 0, xy = 0;
		void *o;
		iso_training m = gen_train(gen_find("dp-copula"), how[k], t, 0, 1e-7, NULL, &o);
		iso_table *out = gen_sample(&m, s, n);
		for (size_t r = 0; r < n; r++) {
			const double *c = out->cells + 2 * r;
			xx += c[0] * c[0], yy += c[1] * c[1], xy += c[0] * c[1];
		}
		tk_assert_close(xy / sqrt(xx * yy), -.6, 0, .02);
		tk_assert_close(xx / (double)n, 1, 0, .06);
		iso_training_free(&m);
		iso_free(o);
		iso_table_free(out);
	}
	iso_table_free(t);
	iso_schema_free(s);
	cJSON_Delete(v);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("copula");
	TCase *c = tcase_create("copula");
	tcase_set_timeout(c, 120);
	tcase_add_test(c, tau_is_that_of_all_pairs);
	tcase_add_test(c, tau_by_hand);
	tcase_add_test(c, a_record_moves_tau_by_at_most_what_is_declared);
	tcase_add_test(c, the_public_number_of_rows_is_held);
	tcase_add_test(c, matrices_become_correlations);
	tcase_add_test(c, moments_by_hand);
	tcase_add_test(c, a_known_correlation_comes_back);
	suite_add_tcase(s, c);
	return tk_run(s);
}
