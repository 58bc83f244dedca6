// SPDX-License-Identifier: Apache-2.0
/* The mechanisms against closed forms.  Statistical tests use fixed seeds and reject at 1e-6, so a
 * failure is a bug. */
#include "core/privacy/mechanism.h"

#include <string.h>

#include "core/math/special.h"
#include "core/privacy/mechanism_trusted.h"
#include "core/privacy/release_key.h"
#include "tests/support/testkit.h"

static iso_error err;
#define ALPHA 5e-7

/* A ledger under a plain seeded key. */
static iso_status new_ledger(const iso_plan *p, const char *who, uint64_t seed, iso_ledger **out)
{
	iso_release_key key;

	tk_ok(iso_release_key_plain(seed, who, 0, &key, &err));
	return iso_ledger_new(p, who, ISO_ADD_REMOVE, &key, out, &err);
}

static iso_ledger *ledger_of(iso_plan *p, uint64_t seed)
{
	iso_ledger *l = NULL;

	tk_ok(new_ledger(p, "test", seed, &l));
	iso_plan_free(p);
	return l;
}

static iso_ledger *gaussian(double noise, uint64_t count, double sensitivity)
{
	iso_plan p = {0};

	tk_ok(iso_plan_gaussian(&p, (iso_entry){.why = "g"}, noise, 1, count, sensitivity, &err));
	return ledger_of(&p, 11);
}

/* Noise so small that the release shows the aggregate. */
START_TEST(histogram_counts)
{
	const uint32_t cell[] = {0, 3, 1, 3, 0, 4, 0, 3};
	const double want[5] = {3, 1, 0, 3, 1};
	iso_ledger *l = gaussian(1e-9, 2, sqrt(2));
	uint32_t twice[] = {2, 2}, beyond[] = {0, 5};
	double out[5];

	tk_ok(iso_mech_histogram(l, (iso_entry){.why = "g"}, cell, 4, 2, 5, out, &err));
	for (int i = 0; i < 5; i++)
		tk_assert_close(out[i], want[i], 0, 1e-6);
	tk_fails(iso_mech_histogram(l, (iso_entry){.why = "g"}, twice, 1, 2, 5, out, &err),
		 ISO_E_PLUGIN, "counted twice");
	iso_ledger_free(l);
	l = gaussian(1e-9, 1, sqrt(2));
	tk_fails(iso_mech_histogram(l, (iso_entry){.why = "g"}, beyond, 1, 2, 5, out, &err),
		 ISO_E_PLUGIN, "outside the histogram");
	iso_ledger_free(l);
}
END_TEST

START_TEST(vector_sum_clips_each_row)
{
	/* norms: 1 (kept), 500 (clipped to 5), infinite and NaN (left out), 0 */
	const double x[] = {0.6, 0.8, 300, 400, INFINITY, 0, NAN, 1, 0, 0};
	iso_ledger *l = gaussian(1e-9, 1, 5);
	iso_plan p = {0};
	double out[2];

	tk_ok(iso_mech_vector_sum(l, (iso_entry){.why = "g"}, x, 5, 2, 5, out, &err));
	tk_assert_close(out[0], 0.6 + 3, 0, 1e-6);
	tk_assert_close(out[1], 0.8 + 4, 0, 1e-6);
	iso_ledger_free(l);
	/* Laplace clips by L1: |(300,400)| = 700 to 7 gives (3,4) */
	tk_ok(iso_plan_laplace(&p, (iso_entry){.why = "g"}, 1e-9, 1, 7, &err));
	l = ledger_of(&p, 3);
	tk_ok(iso_mech_vector_sum(l, (iso_entry){.why = "g"}, x, 2, 2, 7, out, &err));
	tk_assert_close(out[0], 0.6 + 3, 0, 1e-6);
	tk_assert_close(out[1], 0.8 + 4, 0, 1e-6);
	iso_ledger_free(l);
}
END_TEST

static double two_tails(double x, double dof)
{
	const double up = iso_chi2_sf(x, dof);

	return up < 1 - up ? up : 1 - up;
}

#define CELLS 50000
/* sd = noise * sensitivity; 50,000 numbers resolve 1.6 % of scale at 1e-6. */
START_TEST(gaussian_noise_has_the_planned_scale)
{
	const double noise = 1.7, sensitivity = sqrt(3);
	iso_ledger *l = gaussian(noise, 1, sensitivity);
	double *out = malloc(CELLS * sizeof(*out)), sum = 0;
	const uint32_t cell[3] = {0, 1, 2};

	tk_ok(iso_mech_histogram(l, (iso_entry){.why = "g"}, cell, 1, 3, CELLS, out, &err));
	for (size_t i = 0; i < CELLS; i++) {
		const double z = (out[i] - (i < 3)) / (noise * sensitivity);

		sum += z * z;
	}
	ck_assert_msg(two_tails(sum, CELLS) > ALPHA, "sd is %g of the planned", sqrt(sum / CELLS));
	/* the test would see an error of sqrt 2 and of 2 % */
	ck_assert(two_tails(sum / 2, CELLS) < ALPHA);
	ck_assert(two_tails(sum * 1.04, CELLS) < ALPHA);
	free(out);
	iso_ledger_free(l);
}
END_TEST

START_TEST(laplace_noise_has_the_planned_scale)
{
	iso_plan p = {0};
	iso_ledger *l;
	double *out = malloc(CELLS * sizeof(*out)), sum = 0;

	tk_ok(iso_plan_laplace(&p, (iso_entry){.why = "l"}, 0.8, 1, 2, &err));
	l = ledger_of(&p, 5);
	tk_ok(iso_mech_histogram(l, (iso_entry){.why = "l"}, NULL, 0, 2, CELLS, out, &err));
	for (size_t i = 0; i < CELLS; i++)
		sum += 2 * fabs(out[i]) / 1.6;
	ck_assert_msg(two_tails(sum, 2 * CELLS) > ALPHA, "scale is %g of the planned",
		      sum / (2 * CELLS));
	free(out);
	iso_ledger_free(l);
}
END_TEST

START_TEST(noise_is_addressed_by_entry_and_call)
{
	iso_ledger *l[2];
	double a[2][8], b[8];

	for (int k = 0; k < 2; k++) {
		iso_plan p = {0};

		tk_ok(iso_plan_gaussian(&p, (iso_entry){.why = "one"}, 1, 1, 2, 1, &err));
		tk_ok(iso_plan_gaussian(&p, (iso_entry){.why = "two"}, 1, 1, 2, 1, &err));
		l[k] = ledger_of(&p, 77);
		/* in the second ledger the other entry goes first: no draw may shift */
		if (k)
			tk_ok(iso_mech_histogram(l[k], (iso_entry){.why = "two"}, NULL, 0, 1, 8, b,
						 &err));
		tk_ok(iso_mech_histogram(l[k], (iso_entry){.why = "one"}, NULL, 0, 1, 8, a[k],
					 &err));
	}
	ck_assert_int_eq(memcmp(a[0], a[1], sizeof(b)), 0);
	ck_assert_int_ne(memcmp(a[0], b, sizeof(b)), 0);
	tk_ok(iso_mech_histogram(l[0], (iso_entry){.why = "one"}, NULL, 0, 1, 8, b, &err));
	ck_assert_int_ne(memcmp(a[0], b, sizeof(b)), 0);
	iso_ledger_free(l[0]);
	iso_ledger_free(l[1]);
}
END_TEST

/* Pr[i] = exp(e u_i / 2 Delta) / sum; chi-square over 20,000 choices. */
START_TEST(exponential_mechanism_has_its_law)
{
	const double score[4] = {0, 1, 2.5, NAN}, eps = 1.2, sens = 0.5;
	const size_t n = 20000;
	double seen[4] = {0}, sum = 0, chi = 0;
	iso_plan p = {0};
	iso_plan_item it = {
		.why = "c",
		.event = {.mechanism = ISO_MECH_EXPONENTIAL, .epsilon = eps, .rate = 1, .count = n},
		.sensitivity = sens};
	iso_ledger *l;

	tk_ok(iso_plan_add(&p, &it, &err));
	l = ledger_of(&p, 9);
	for (size_t i = 0; i < n; i++) {
		size_t c = 99;

		tk_ok(iso_mech_exponential(l, (iso_entry){.why = "c"}, score, 4, &c, &err));
		ck_assert_uint_lt(c, 4);
		seen[c]++;
	}
	for (int i = 0; i < 3; i++)
		sum += exp(eps * score[i] / (2 * sens));
	for (int i = 0; i < 3; i++) {
		const double want = (double)n * exp(eps * score[i] / (2 * sens)) / sum;

		chi += (seen[i] - want) * (seen[i] - want) / want;
	}
	ck_assert_double_eq(seen[3], 0); /* a score that is not a number never wins */
	ck_assert_msg(iso_chi2_sf(chi, 2) > 1e-6, "chi-square %g: %g %g %g", chi, seen[0], seen[1],
		      seen[2]);
	tk_fails(iso_mech_exponential(l, (iso_entry){.why = "c"}, score, 0, &(size_t){0}, &err),
		 ISO_E_PLUGIN, "choice among nothing");
	iso_ledger_free(l);
}
END_TEST

/* Two classes, gap d.  GNMax: Phi(d / (s sqrt 2)).  LNMax: the difference of two Laplaces of scale
 * b has tail (2 + g) e^-g / 4 at g = d / b. */
static double win_share(iso_mech m, double noise, double d, size_t queries)
{
	double *votes = malloc(2 * queries * sizeof(*votes));
	uint32_t *label = malloc(queries * sizeof(*label));
	size_t won = 0;
	iso_plan p = {0};
	iso_plan_item it = {.why = "v",
			    .event = {.mechanism = m,
				      .noise = noise,
				      .rate = 1,
				      .count = queries,
				      .queries = queries,
				      .classes = 2},
			    .norm = m == ISO_MECH_PATE_GNMAX ? ISO_NORM_L2 : ISO_NORM_L1};
	iso_ledger *l;

	tk_ok(iso_plan_add(&p, &it, &err));
	l = ledger_of(&p, 21);
	for (size_t q = 0; q < queries; q++) {
		votes[2 * q] = 10 + d;
		votes[2 * q + 1] = 10;
	}
	tk_ok(iso_mech_votes(l, (iso_entry){.why = "v"}, votes, queries, 2, label, &err));
	for (size_t q = 0; q < queries; q++)
		won += label[q] == 0;
	ck_assert_uint_eq(iso_ledger_items(l)->v[0].used, queries);
	tk_fails(iso_mech_votes(l, (iso_entry){.why = "v"}, (const double *)8, 1, 2, label, &err),
		 ISO_E_BUDGET, "budget exceeded");
	iso_ledger_free(l);
	free(votes);
	free(label);
	return (double)won / (double)queries;
}

START_TEST(votes_have_their_law)
{
	const size_t n = 40000;
	const double d = 3, s = 4, b = 4;
	const double gn = iso_norm_cdf(d / (s * sqrt(2))), ln = 1 - (2 + d / b) * exp(-d / b) / 4;

	/* five standard errors of a share are 1.2 % here */
	tk_assert_close(win_share(ISO_MECH_PATE_GNMAX, s, d, n), gn, 0,
			5 * sqrt(gn * (1 - gn) / (double)n));
	tk_assert_close(win_share(ISO_MECH_PATE_LNMAX, b, d, n), ln, 0,
			5 * sqrt(ln * (1 - ln) / (double)n));
}
END_TEST

START_TEST(pieces_equal_the_whole)
{
	iso_ledger *l[2] = {gaussian(2, 2, 1), gaussian(2, 2, 1)};
	float whole[1001] = {0}, piece[1001] = {0};
	uint32_t call;

	tk_ok(iso_release_begin(l[0], 0, 1, 1, &call, &err));
	tk_ok(iso_release_finish_f32(l[0], 0, call, whole, 1001, &err));
	tk_ok(iso_release_begin(l[1], 0, 1, 1, &call, &err));
	ck_assert(iso_release_piecewise_ok(l[1]));
	tk_ok(iso_release_piece_f32(l[1], 0, call, 0, 128, piece, &err));
	tk_ok(iso_release_piece_f32(l[1], 0, call, 128, 472, piece + 128, &err));
	/* the same noise on another sum would give the difference of the sums away */
	tk_fails(iso_release_piece_f32(l[1], 0, call, 598, 2, piece, &err), ISO_E_BUDGET,
		 "released twice");
	tk_fails(iso_release_piece_f32(l[0], 0, call, 0, 128, piece, &err), ISO_E_BUDGET,
		 "released twice");
	tk_ok(iso_release_piece_f32(l[1], 0, call, 600, 401, piece + 600, &err));
	ck_assert_int_eq(memcmp(whole, piece, sizeof(whole)), 0);
	tk_fails(iso_release_piece_f32(l[1], 0, call, 3, 2, piece, &err), ISO_E_INTERNAL, "even");
	tk_fails(iso_release_piece_f32(l[1], 0, call + 1, 0, 2, piece, &err), ISO_E_BUDGET,
		 "not booked");
	iso_ledger_free(l[0]);
	iso_ledger_free(l[1]);
}
END_TEST

#define N 4000
/* Inclusion is keyed by id: without one record all others' draws stay; the rate is the entry's. */
START_TEST(poisson_batches)
{
	static uint64_t id[N], less[N - 1];
	static uint32_t a[N], b[N];
	size_t na, nb, total = 0, at = 0;
	iso_ledger *l[2];
	uint32_t call;

	for (size_t i = 0; i < N; i++) {
		id[i] = 3 * i + 5;
		if (i != 1234)
			less[at++] = id[i];
	}
	for (int k = 0; k < 2; k++) {
		iso_plan p = {0};

		tk_ok(iso_plan_gaussian(&p, (iso_entry){.why = "s"}, 1, 0.03, 50, 1, &err));
		l[k] = ledger_of(&p, 5);
	}
	for (int t = 0; t < 50; t++) {
		float x[1] = {0};

		tk_ok(iso_release_begin(l[0], 0, 1, 1, &call, &err));
		tk_ok(iso_release_poisson(l[0], 0, call, id, N, a, &na, &err));
		tk_fails(iso_release_poisson(l[0], 0, call, id, N, a, &nb, &err), ISO_E_BUDGET,
			 "has its batch");
		tk_ok(iso_release_finish_f32(l[0], 0, call, x, 1, &err));
		tk_ok(iso_release_begin(l[1], 0, 1, 1, &call, &err));
		tk_ok(iso_release_poisson(l[1], 0, call, less, N - 1, b, &nb, &err));
		tk_ok(iso_release_finish_f32(l[1], 0, call, x, 1, &err));
		total += na;
		for (size_t i = 0, j = 0; i < na; i++) {
			if (id[a[i]] == id[1234])
				continue;
			ck_assert_uint_lt(j, nb);
			ck_assert_uint_eq(id[a[i]], less[b[j++]]);
		}
	}
	ck_assert(iso_binom_sf(total, (uint64_t)N * 50, 0.03) > ALPHA);
	ck_assert(iso_binom_sf((uint64_t)N * 50 - total, (uint64_t)N * 50, 0.97) > ALPHA);
	iso_ledger_free(l[0]);
	iso_ledger_free(l[1]);
}
END_TEST

START_TEST(simplex)
{
	double a[3] = {-1, 3, 1}, b[2] = {-1, -2}, c[2] = {NAN, 1};

	iso_simplex_from_counts(a, 3);
	tk_assert_close(a[0], 0, 0, 0);
	tk_assert_close(a[1], 0.75, 1e-15, 0);
	iso_simplex_from_counts(b, 2);
	tk_assert_close(b[0], 0.5, 0, 0);
	iso_simplex_from_counts(c, 2);
	tk_assert_close(c[0], 0, 0, 0);
	tk_assert_close(c[1], 1, 0, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("privacy/mechanism");
	TCase *c = tcase_create("mechanism");

	tcase_add_test(c, histogram_counts);
	tcase_add_test(c, vector_sum_clips_each_row);
	tcase_add_test(c, gaussian_noise_has_the_planned_scale);
	tcase_add_test(c, laplace_noise_has_the_planned_scale);
	tcase_add_test(c, noise_is_addressed_by_entry_and_call);
	tcase_add_test(c, exponential_mechanism_has_its_law);
	tcase_add_test(c, votes_have_their_law);
	tcase_add_test(c, pieces_equal_the_whole);
	tcase_add_test(c, poisson_batches);
	tcase_add_test(c, simplex);
	suite_add_tcase(s, c);
	return tk_run(s);
}
