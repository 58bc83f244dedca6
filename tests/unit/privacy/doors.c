// SPDX-License-Identifier: Apache-2.0
/* Open histogram, bounds, choices, randomised response and joint sums against closed forms.
 * Each statistic is tested at 1e-6 two-sided, on fixed seeds; each test also shows its power: the
 * same statistic rejects the law of a plausible mistake (the other adjacency, a factor of 2). */
#include <stdio.h>
#include <string.h>

#include "core/math/special.h"
#include "core/privacy/mechanism.h"
#include "core/privacy/release_key.h"
#include "core/privacy/replay.h"
#include "tests/support/testkit.h"

static iso_error err;
#define TAIL 5e-7
static const iso_entry door = {.why = "door"};

static iso_ledger *ledger_of(iso_plan *p, iso_adjacency adj)
{
	iso_release_key key;
	iso_ledger *l;

	tk_ok(iso_release_key_plain(31, "doors", 0, &key, &err));
	tk_ok(iso_ledger_new(p, "doors", adj, &key, &l, &err));
	iso_plan_free(p);
	return l;
}

/* A ledger with `count` uses of one declared event. */
static iso_ledger *declared(iso_mech m, double epsilon, double delta, uint64_t count,
			    double sensitivity, iso_adjacency adj)
{
	const iso_event e = {.mechanism = m, .epsilon = epsilon, .delta = delta, .count = count};
	iso_plan p = {0};

	tk_ok(iso_plan_event(&p, door, &e, sensitivity, &err));
	return ledger_of(&p, adj);
}

static uint64_t used(const iso_ledger *l)
{
	return iso_ledger_items(l)->v[0].used;
}

static int share_fits(size_t seen, size_t n, double p)
{
	return iso_binom_sf(seen, n, p) > TAIL && iso_binom_sf(n - seen, n, 1 - p) > TAIL;
}

static int chi2_fits(double x, double dof)
{
	const double up = iso_chi2_sf(x, dof);

	return up > TAIL && 1 - up > TAIL;
}

/* ------------------------------------------------------------------ open histogram */

#define SINGLES 40000
#define PAIRS 10000
static char text[SINGLES + PAIRS][12];
static const char *value[SINGLES + 2 * PAIRS];

/* SINGLES categories of one record, PAIRS of two, in an order that is not the sorted one. */
static void fill_categories(void)
{
	for (size_t i = 0; i < SINGLES; i++) {
		snprintf(text[i], sizeof(text[i]), "s%05zu", i * 7919 % SINGLES);
		value[i] = text[i];
	}
	for (size_t i = 0; i < PAIRS; i++) {
		snprintf(text[SINGLES + i], sizeof(text[0]), "p%05zu", i);
		value[SINGLES + i] = value[SINGLES + 2 * PAIRS - 1 - i] = text[SINGLES + i];
	}
}

/* Pr[a category of one record shows] = delta, of two: delta e^(1/b); what exceeds the threshold is
 * exponential of scale b (Laplace has no memory), so twice its sum over b is chi-square. */
START_TEST(open_histogram_has_its_law)
{
	const iso_adjacency adj = _i ? ISO_REPLACE_ONE : ISO_ADD_REMOVE;
	const double eps = 1, delta = 0.05, b = (_i ? 2 : 1) / eps, other = (_i ? 1 : 2) / eps;
	iso_ledger *l = declared(ISO_MECH_PURE, eps, delta, 1, 1, adj);
	size_t shown[2] = {0};
	iso_open_counts c;
	double excess = 0;

	fill_categories();
	tk_ok(iso_mech_open_histogram(l, door, value, ISO_COUNT(value), &c, &err));
	tk_assert_close(c.threshold, 1 + b * log(10), 1e-14, 0);
	for (size_t i = 0; i < c.n; i++) {
		shown[c.name[i][0] == 'p']++;
		ck_assert(c.count[i] >= c.threshold);
		ck_assert(i == 0 || strcmp(c.name[i - 1], c.name[i]) < 0);
		excess += c.count[i] - c.threshold;
	}
	ck_assert_msg(share_fits(shown[0], SINGLES, delta), "%zu shown", shown[0]);
	ck_assert(!share_fits(shown[0], SINGLES, 1.15 * delta));
	ck_assert(!share_fits(shown[0], SINGLES, delta / 1.15));
	ck_assert_msg(share_fits(shown[1], PAIRS, delta * exp(1 / b)), "%zu shown", shown[1]);
	ck_assert(!share_fits(shown[1], PAIRS, delta * exp(1 / other)));
	ck_assert_msg(chi2_fits(2 * excess / b, 2 * (double)c.n), "scale %g", excess / (double)c.n);
	ck_assert(!chi2_fits(2 * excess / other, 2 * (double)c.n));
	iso_open_counts_free(&c);
	ck_assert_ptr_null(c.name);
	tk_ok(iso_ledger_settled(l, &err));
	iso_ledger_free(l);
}
END_TEST

/* Noise of scale 0.001: the counts themselves; missing rows take no part. */
START_TEST(open_histogram_counts)
{
	const char *v[] = {"b", NULL, "a", "b", "", "a", "b", NULL, "", "single"};
	iso_ledger *l = declared(ISO_MECH_PURE, 1000, 1e-6, 2, 1, ISO_ADD_REMOVE);
	iso_open_counts c;

	tk_ok(iso_mech_open_histogram(l, door, v, ISO_COUNT(v), &c, &err));
	ck_assert_uint_eq(c.n, 3); /* "single" lies 13 scales below the threshold */
	ck_assert_str_eq(c.name[0], "");
	ck_assert_str_eq(c.name[1], "a");
	ck_assert_str_eq(c.name[2], "b");
	tk_assert_close(c.count[0], 2, 0, 0.02);
	tk_assert_close(c.count[1], 2, 0, 0.02);
	tk_assert_close(c.count[2], 3, 0, 0.02);
	iso_open_counts_free(&c);
	tk_ok(iso_mech_open_histogram(l, door, NULL, 0, &c, &err));
	ck_assert_uint_eq(c.n, 0);
	iso_open_counts_free(&c);
	tk_fails(iso_mech_open_histogram(l, door, v, 1, &c, &err), ISO_E_BUDGET, "budget exceeded");
	iso_ledger_free(l);
}
END_TEST

START_TEST(open_histogram_refuses)
{
	static const double delta[] = {0, 0.5, 0.9};
	const char *v[] = {"a"};
	iso_open_counts c;
	iso_ledger *l;
	iso_replay *r;

	for (size_t i = 0; i < ISO_COUNT(delta); i++) {
		l = declared(ISO_MECH_PURE, 1, delta[i], 1, 1, ISO_ADD_REMOVE);
		tk_fails(iso_mech_open_histogram(l, door, v, 1, &c, &err), ISO_E_BUDGET,
			 "delta between 0 and 1/2");
		ck_assert_uint_eq(used(l), 0);
		iso_ledger_free(l);
	}
	l = declared(ISO_MECH_PURE, 1, 0.01, 1, 0.5, ISO_ADD_REMOVE);
	tk_fails(iso_mech_open_histogram(l, door, v, 1, &c, &err), ISO_E_BUDGET,
		 "sensitivity above the plan");
	iso_ledger_free(l);
	l = declared(ISO_MECH_EXPONENTIAL, 1, 0, 1, 1, ISO_ADD_REMOVE);
	tk_fails(iso_mech_open_histogram(l, door, v, 1, &c, &err), ISO_E_BUDGET, "other mechanism");
	iso_ledger_free(l);
	l = declared(ISO_MECH_PURE, 1, 0.01, 1, 1, ISO_ADD_REMOVE);
	tk_ok(iso_replay_new(&r, &err));
	iso_ledger_set_replay(l, r);
	tk_fails(iso_mech_open_histogram(l, door, v, 1, &c, &err), ISO_E_UNSUPPORTED, "replay");
	ck_assert_uint_eq(used(l), 0);
	iso_ledger_free(l);
	iso_replay_free(r);
}
END_TEST

/* ------------------------------------------------------------------ choices */

#define CHOICES 40000

/* How often the better of two candidates at distance `gap` is chosen. */
static size_t wins(iso_mech m, double eps, double sens, double gap, iso_adjacency adj)
{
	iso_ledger *l = declared(m, eps, 0, CHOICES, sens, adj);
	const double score[2] = {5, 5 + gap};
	size_t won = 0, c = 9;

	for (size_t i = 0; i < CHOICES; i++) {
		tk_ok(m == ISO_MECH_PURE ? iso_mech_noisy_max(l, door, score, 2, &c, &err)
					 : iso_mech_exponential(l, door, score, 2, &c, &err));
		won += c == 1;
	}
	tk_ok(iso_ledger_settled(l, &err));
	iso_ledger_free(l);
	return won;
}

/* Gumbel noise of scale b: the logistic function of gap / b.  Laplace: the difference of two has
 * the upper tail (2 + g) e^-g / 4 at g = gap / b. */
static double win_law(iso_mech m, double gap, double b)
{
	const double g = gap / b;

	return m == ISO_MECH_PURE ? 1 - (2 + g) * exp(-g) / 4 : 1 / (1 + exp(-g));
}

START_TEST(choices_have_their_law)
{
	static const iso_mech form[] = {ISO_MECH_PURE, ISO_MECH_EXPONENTIAL};
	const double eps = 0.8, sens = 0.5, gap = 3.75;

	for (size_t k = 0; k < 4; k++) {
		const iso_mech m = form[k / 2];
		const double unit = k % 2 ? 2 : 1, b = 2 * unit * sens / eps;
		const size_t won =
			wins(m, eps, sens, gap, k % 2 ? ISO_REPLACE_ONE : ISO_ADD_REMOVE);

		ck_assert_msg(share_fits(won, CHOICES, win_law(m, gap, b)), "%zu: %zu", k, won);
		ck_assert(!share_fits(won, CHOICES, win_law(m, gap, b / 2)));
		ck_assert(!share_fits(won, CHOICES, win_law(m, gap, b * 2)));
		ck_assert(!share_fits(won, CHOICES, win_law(form[1 - k / 2], gap, b)));
	}
}
END_TEST

START_TEST(choices_refuse)
{
	iso_ledger *l = declared(ISO_MECH_PURE, 1, 0.01, 1, 1, ISO_ADD_REMOVE);
	const double score[3] = {NAN, -2, INFINITY};
	size_t c;

	tk_fails(iso_mech_noisy_max(l, door, score, 3, &c, &err), ISO_E_BUDGET, "delta");
	ck_assert_uint_eq(used(l), 0);
	iso_ledger_free(l);
	l = declared(ISO_MECH_EXPONENTIAL, 1, 0, 1, 1, ISO_ADD_REMOVE);
	tk_fails(iso_mech_noisy_max(l, door, score, 3, &c, &err), ISO_E_BUDGET, "other mechanism");
	iso_ledger_free(l);
	l = declared(ISO_MECH_PURE, 1, 0, 50, 1, ISO_ADD_REMOVE);
	tk_fails(iso_mech_noisy_max(l, door, score, 0, &c, &err), ISO_E_PLUGIN, "among nothing");
	for (int i = 0; i < 50; i++) { /* what is not a number never wins */
		tk_ok(iso_mech_noisy_max(l, door, score, 3, &c, &err));
		ck_assert_uint_eq(c, 1);
	}
	tk_fails(iso_mech_noisy_max(l, door, score, 3, &c, &err), ISO_E_BUDGET, "budget exceeded");
	iso_ledger_free(l);
}
END_TEST

/* ------------------------------------------------------------------ randomised response */

#define REPORTS 60000
#define MAX_K 5
static uint32_t truth[REPORTS], report[REPORTS];

/* Pearson's statistic of all k x k cells against truth with probability 1 - lie. */
static double confusion(uint32_t k, double lie)
{
	double seen[MAX_K][MAX_K] = {{0}}, row[MAX_K] = {0}, chi = 0;

	for (size_t i = 0; i < REPORTS; i++) {
		ck_assert_uint_lt(report[i], k);
		seen[truth[i]][report[i]] += 1;
		row[truth[i]] += 1;
	}
	for (uint32_t a = 0; a < k; a++)
		for (uint32_t b = 0; b < k; b++) {
			const double want = row[a] * (a == b ? 1 - lie : lie / (k - 1));

			chi += (seen[a][b] - want) * (seen[a][b] - want) / want;
		}
	return chi;
}

START_TEST(randomized_response_has_its_law)
{
	const uint32_t ks[] = {2, 5};
	const double eps = 1.2;

	for (size_t j = 0; j < 2; j++) {
		const uint32_t k = ks[j];
		iso_ledger *l =
			declared(ISO_MECH_RANDOMIZED_RESPONSE, eps, 0, 1, 1, ISO_REPLACE_ONE);
		const double e = exp(eps), dof = k * (k - 1.0);

		for (uint32_t i = 0; i < REPORTS; i++)
			truth[i] = (i * i + i / 3) % k;
		tk_ok(iso_mech_randomized_response(l, door, truth, REPORTS, k, report, &err));
		ck_assert(chi2_fits(confusion(k, (k - 1) / (e + k - 1)), dof));
		/* half or twice the epsilon, and a lie that may tell the truth */
		ck_assert(!chi2_fits(confusion(k, (k - 1) / (exp(eps / 2) + k - 1)), dof));
		ck_assert(!chi2_fits(confusion(k, (k - 1) / (exp(2 * eps) + k - 1)), dof));
		ck_assert(!chi2_fits(confusion(k, (k - 1) / (e + k)), dof));
		tk_ok(iso_ledger_settled(l, &err));
		iso_ledger_free(l);
	}
}
END_TEST

START_TEST(randomized_response_refuses)
{
	const iso_event e = {.mechanism = ISO_MECH_RANDOMIZED_RESPONSE, .epsilon = 1, .count = 1};
	const iso_entry part = {.why = "door", .group = 1};
	const uint32_t v[2] = {0, 3};
	iso_ledger *l = declared(e.mechanism, 1, 0, 1, 1, ISO_ADD_REMOVE);
	iso_plan p = {0};
	uint32_t out[2];

	tk_fails(iso_mech_randomized_response(l, door, v, 2, 4, out, &err), ISO_E_UNSUPPORTED,
		 "how many");
	iso_ledger_free(l);
	l = declared(e.mechanism, 1, 0, 1, 1, ISO_REPLACE_ONE);
	tk_fails(iso_mech_randomized_response(l, door, v, 2, 1, out, &err), ISO_E_PLUGIN, "two");
	tk_fails(iso_mech_randomized_response(l, door, v, 0, 4, out, &err), ISO_E_PLUGIN, "a row");
	tk_fails(iso_mech_randomized_response(l, door, v, 2, 3, out, &err), ISO_E_PLUGIN,
		 "row 1 has category 3 of 3");
	ck_assert_uint_eq(used(l), 0);
	tk_ok(iso_mech_randomized_response(l, door, v, 2, 4, out, &err));
	iso_ledger_free(l);
	/* a record replaced by one of another part shortens this list */
	tk_ok(iso_plan_event(&p, part, &e, 1, &err));
	l = ledger_of(&p, ISO_REPLACE_ONE);
	tk_fails(iso_mech_randomized_response(l, part, v, 2, 4, out, &err), ISO_E_UNSUPPORTED,
		 "one part of a group");
	ck_assert_uint_eq(used(l), 0);
	iso_ledger_free(l);
}
END_TEST

/* ------------------------------------------------------------------ bounds */

static void bounds_are(const double *x, size_t n, double low, double high)
{
	iso_ledger *l = declared(ISO_MECH_EXPONENTIAL, 1000, 0, 2, 1, ISO_ADD_REMOVE);
	double a, b;

	tk_ok(iso_mech_bounds(l, door, x, n, &a, &b, &err));
	ck_assert_msg(a == low && b == high, "%g to %g, expected %g to %g", a, b, low, high);
	tk_ok(iso_ledger_settled(l, &err));
	iso_ledger_free(l);
}

/* Noise of scale 0.002 and a slack of 0.009 rows: the tightest grid points that leave no row out.
 */
START_TEST(bounds_on_a_known_grid)
{
	const double wide[] = {-3, 100, 7, NAN, INFINITY, -INFINITY, 0};
	const double on_grid[] = {-4, 64, 0.5}, above[] = {1.5, 1.25, 2, 1}, zero[] = {0, 0.25};
	const double below[] = {-0.3, -0.26}, same[] = {5, 5}, point[] = {4, 4};
	const double far[] = {-0x1p70, 0x1p70}, tiny[] = {0x1p-30, -0x1p-30};

	bounds_are(wide, ISO_COUNT(wide), -4, 128);
	bounds_are(on_grid, ISO_COUNT(on_grid), -4, 64);
	bounds_are(above, ISO_COUNT(above), 1, 2);
	bounds_are(zero, ISO_COUNT(zero), 0, 0.25);
	bounds_are(below, ISO_COUNT(below), -0.5, -0.25);
	bounds_are(same, ISO_COUNT(same), 4, 8);
	bounds_are(point, ISO_COUNT(point), 4, 8); /* one step between them */
	bounds_are(far, ISO_COUNT(far), -0x1p60, 0x1p60);
	bounds_are(tiny, ISO_COUNT(tiny), -0x1p-20, 0x1p-20);
}
END_TEST

#define MANY 1500
#define OUTLIERS 8
#define BOUNDS 4000
/* MANY rows at -1 and at 1 and OUTLIERS at 2.  The noise has scale b = 2 unit / epsilon, the slack
 * is t = b / 2 (ln 163 + 4).  As a lower bound -1 scores t and the 60 wider points -t.  As an upper
 * one, 1 scores t - OUTLIERS, 2 scores OUTLIERS - t and the 59 wider points -t.  Every other point
 * leaves out MANY rows. */
START_TEST(bounds_have_their_law)
{
	static double x[2 * MANY + OUTLIERS];
	const iso_adjacency adj = _i ? ISO_REPLACE_ONE : ISO_ADD_REMOVE;
	iso_ledger *l = declared(ISO_MECH_EXPONENTIAL, 1, 0, 2 * BOUNDS, 1, adj);
	size_t tight[2] = {0};
	double low, high, law[2][2];

	for (size_t i = 0; i < ISO_COUNT(x); i++)
		x[i] = i < MANY ? -1 : i < 2 * MANY ? 1 : 2;
	for (int k = 0; k < 2; k++) { /* under each adjacency */
		const double b = k ? 4 : 2, t = b / 2 * (log(163) + 4);
		const double one = exp(fmin(t - OUTLIERS, 2 * MANY) / b),
			     two = exp((OUTLIERS - t) / b), wide = exp(-t / b);

		law[k][0] = exp(t / b) / (exp(t / b) + 60 * wide);
		law[k][1] = one / (one + two + 59 * wide);
	}
	for (int i = 0; i < BOUNDS; i++) {
		tk_ok(iso_mech_bounds(l, door, x, ISO_COUNT(x), &low, &high, &err));
		ck_assert(low <= -1 && high >= 1);
		tight[0] += low == -1;
		tight[1] += high == 1;
	}
	for (int side = 0; side < 2; side++) {
		ck_assert_msg(share_fits(tight[side], BOUNDS, law[_i][side]), "side %d: %zu", side,
			      tight[side]);
		ck_assert(!share_fits(tight[side], BOUNDS, law[_i][side] - 0.06));
	}
	ck_assert(!share_fits(tight[1], BOUNDS, law[!_i][1]));
	tk_ok(iso_ledger_settled(l, &err));
	iso_ledger_free(l);
}
END_TEST

/* A row moves a score by one whatever was planned: a smaller sensitivity would buy less noise. */
START_TEST(bounds_refuse)
{
	iso_ledger *l = declared(ISO_MECH_EXPONENTIAL, 1, 0, 2, 0.5, ISO_ADD_REMOVE);
	const double x[] = {1};
	double low, high;

	tk_fails(iso_mech_bounds(l, door, x, 1, &low, &high, &err), ISO_E_BUDGET,
		 "sensitivity 0.5");
	ck_assert_uint_eq(used(l), 0);
	iso_ledger_free(l);
	l = declared(ISO_MECH_PURE, 1, 0, 2, 1, ISO_ADD_REMOVE);
	tk_fails(iso_mech_bounds(l, door, x, 1, &low, &high, &err), ISO_E_BUDGET,
		 "other mechanism");
	iso_ledger_free(l);
	l = declared(ISO_MECH_EXPONENTIAL, 1, 0, 1, 1, ISO_ADD_REMOVE);
	tk_fails(iso_mech_bounds(l, door, x, 1, &low, &high, &err), ISO_E_BUDGET,
		 "budget exceeded");
	iso_ledger_free(l);
}
END_TEST

/* ------------------------------------------------------------------ streamed and joint sums */

#define DIM 20000

/* The noise of a joint sum of nothing, two blocks of DIM numbers. */
static void joint_noise(iso_plan *p, iso_adjacency adj, const iso_sum_block *block, double *out)
{
	iso_ledger *l = ledger_of(p, adj);
	iso_sum_stream *s;
	size_t n;

	tk_ok(iso_mech_sum_begin(l, door, NULL, 0, block, 2, &s, &err));
	iso_mech_sum_rows(s, &n);
	ck_assert_uint_eq(n, 0);
	tk_ok(iso_mech_sum_finish(s, out, &err));
	tk_ok(iso_ledger_settled(l, &err));
	iso_ledger_free(l);
}

/* sum (x / sd)^2 is chi-square of DIM degrees; sum 2 |x| / scale of 2 DIM. */
static void noise_is(const double *x, int laplace, double scale)
{
	double s = 0;

	for (size_t i = 0; i < DIM; i++)
		s += laplace ? 2 * fabs(x[i]) / scale : x[i] * x[i] / (scale * scale);
	ck_assert_msg(chi2_fits(s, laplace ? 2 * DIM : DIM), "%g of the scale %g",
		      laplace ? s / (2 * DIM) : sqrt(s / DIM), scale);
	/* 6 % of scale would be seen */
	ck_assert(!chi2_fits(s * (laplace ? 1.06 : 1.12), laplace ? 2 * DIM : DIM));
	ck_assert(!chi2_fits(s / (laplace ? 1.06 : 1.12), laplace ? 2 * DIM : DIM));
}

START_TEST(joint_blocks_have_their_noise)
{
	static double out[2 * DIM];
	const iso_event z = {.mechanism = ISO_MECH_ZCDP, .rho = 0.125, .count = 1};
	iso_sum_block b[2] = {{DIM, 2, ISO_NORM_L2, 3}, {DIM, 5, ISO_NORM_L1, 1}};
	iso_plan p = {0};

	/* w = sqrt(3/4), sqrt(1/4) */
	tk_ok(iso_plan_gaussian(&p, door, 1.5, 1, 1, 1, &err));
	joint_noise(&p, ISO_ADD_REMOVE, b, out);
	noise_is(out, 0, 1.5 * 2 / sqrt(0.75));
	noise_is(out + DIM, 0, 1.5 * 5 / 0.5);
	/* rho 1/8 is sigma 2, twice that under replace-one */
	tk_ok(iso_plan_event(&p, door, &z, 1, &err));
	joint_noise(&p, ISO_REPLACE_ONE, b, out);
	noise_is(out, 0, 4 * 2 / sqrt(0.75));
	noise_is(out + DIM, 0, 4 * 5 / 0.5);
	/* Laplace: w = 3/4, 1/4 */
	b[0].norm = ISO_NORM_L1;
	tk_ok(iso_plan_laplace(&p, door, 1.5, 1, 1, &err));
	joint_noise(&p, ISO_ADD_REMOVE, b, out);
	noise_is(out, 1, 1.5 * 2 / 0.75);
	noise_is(out + DIM, 1, 1.5 * 5 / 0.25);
	/* no shares: equal ones */
	b[0].share = b[1].share = 0;
	tk_ok(iso_plan_laplace(&p, door, 1.5, 1, 1, &err));
	joint_noise(&p, ISO_ADD_REMOVE, b, out);
	noise_is(out, 1, 1.5 * 2 / 0.5);
	noise_is(out + DIM, 1, 1.5 * 5 / 0.5);
	tk_ok(iso_plan_gaussian(&p, door, 1.5, 1, 1, 1, &err));
	joint_noise(&p, ISO_ADD_REMOVE, b, out);
	noise_is(out, 0, 1.5 * 2 * sqrt(2));
	noise_is(out + DIM, 0, 1.5 * 5 * sqrt(2));
}
END_TEST

/* Each block is clipped by itself; a refused record leaves the sum as it was. */
START_TEST(stream_takes_each_record_once)
{
	const iso_sum_block b[2] = {{2, 5, ISO_NORM_L2, 0}, {2, 7, ISO_NORM_L1, 0}};
	const double x[3][4] = {{0.6, 0.8, 1, -2}, {300, 400, 300, -400}, {NAN, 1, 0.5, 0.25}};
	const uint64_t id[3] = {7, 8, 9};
	iso_sum_stream *s;
	iso_plan p = {0};
	iso_ledger *l;
	double out[4];

	tk_ok(iso_plan_gaussian(&p, door, 1e-9, 1, 2, 1, &err));
	l = ledger_of(&p, ISO_ADD_REMOVE);
	tk_ok(iso_mech_sum_begin(l, door, id, 3, b, 2, &s, &err));
	for (uint32_t i = 0; i < 3; i++)
		tk_ok(iso_mech_sum_add(s, 2 - i, x[2 - i], &err));
	tk_fails(iso_mech_sum_add(s, 1, x[0], &err), ISO_E_PLUGIN, "added before");
	tk_fails(iso_mech_sum_add(s, 3, x[0], &err), ISO_E_PLUGIN, "position 3 of 3");
	tk_ok(iso_mech_sum_finish(s, out, &err));
	tk_assert_close(out[0], 0.6 + 3, 0, 1e-6); /* the block with NaN counts as zero */
	tk_assert_close(out[1], 0.8 + 4, 0, 1e-6);
	tk_assert_close(out[2], 1 + 3 + 0.5, 0, 1e-6); /* and its other block in full */
	tk_assert_close(out[3], -2 - 4 + 0.25, 0, 1e-6);
	tk_ok(iso_mech_sum_begin(l, door, id, 3, b, 2, &s, &err));
	iso_mech_sum_cancel(s);
	ck_assert_uint_eq(used(l), 2);
	tk_fails(iso_ledger_settled(l, &err), ISO_E_PLUGIN, "");
	iso_ledger_free(l);
}
END_TEST

#define RECORDS 2000
/* Rate 0.1: every record of the sample is taken, every other one refused, the mean is 200. */
START_TEST(stream_keeps_to_its_sample)
{
	static uint64_t id[RECORDS];
	const iso_sum_block b = {1, 1, ISO_NORM_L2, 0};
	const double one[1] = {1};
	iso_sum_stream *s;
	const uint32_t *row;
	iso_plan p = {0};
	iso_ledger *l;
	size_t n, total = 0;
	double out[1];

	for (uint64_t i = 0; i < RECORDS; i++)
		id[i] = 11 * i + 3;
	tk_ok(iso_plan_gaussian(&p, door, 1e-9, 0.1, 20, 1, &err));
	l = ledger_of(&p, ISO_ADD_REMOVE);
	for (int t = 0; t < 20; t++) {
		tk_ok(iso_mech_sum_begin(l, door, id, RECORDS, &b, 1, &s, &err));
		row = iso_mech_sum_rows(s, &n);
		for (uint32_t i = 0, at = 0; i < RECORDS; i++) {
			if (at < n && row[at] == i) {
				tk_ok(iso_mech_sum_add(s, i, one, &err));
				at++;
			}
			/* taken already, or never drawn */
			tk_fails(iso_mech_sum_add(s, i, one, &err), ISO_E_PLUGIN,
				 "not in the sample, or was added before");
		}
		tk_ok(iso_mech_sum_finish(s, out, &err));
		tk_assert_close(out[0], (double)n, 0, 1e-6);
		total += n;
	}
	ck_assert(share_fits(total, 20 * RECORDS, 0.1));
	ck_assert(!share_fits(total, 20 * RECORDS, 0.11));
	iso_ledger_free(l);
}
END_TEST

START_TEST(blocks_refuse)
{
	static const struct {
		iso_sum_block b[2];
		size_t n;
		const char *says;
		iso_status status;
	} bad[] = {{{{1, 1, ISO_NORM_L1, 0}}, 0, "0 blocks", ISO_E_PLUGIN},
		   {{{0, 1, ISO_NORM_L1, 0}}, 1, "at least one number", ISO_E_PLUGIN},
		   {{{1, NAN, ISO_NORM_L1, 0}}, 1, "finite clip bound", ISO_E_PLUGIN},
		   {{{1, INFINITY, ISO_NORM_L1, 0}}, 1, "finite clip bound", ISO_E_PLUGIN},
		   {{{1, -1, ISO_NORM_L1, 0}}, 1, "finite clip bound", ISO_E_PLUGIN},
		   {{{1, 1, ISO_NORM_L1, -1}}, 1, "finite share", ISO_E_PLUGIN},
		   {{{1, 1, ISO_NORM_L2, 0}}, 1, "bound it in L1", ISO_E_PLUGIN},
		   {{{1, 1, ISO_NORM_L1, 1}, {1, 1, ISO_NORM_L1, 0}},
		    2,
		    "1 with a share",
		    ISO_E_PLUGIN},
		   {{{1, 1, ISO_NORM_L1, 1e308}, {1, 1, ISO_NORM_L1, 1e308}},
		    2,
		    "too far apart",
		    ISO_E_PLUGIN},
		   {{{1, 1, ISO_NORM_L1, 1e-300}, {1, 1, ISO_NORM_L1, 1e300}},
		    2,
		    "too far apart",
		    ISO_E_PLUGIN},
		   {{{1, 2, ISO_NORM_L1, 0}}, 1, "sensitivity above the plan", ISO_E_BUDGET}};
	iso_sum_stream *s;
	iso_plan p = {0};
	iso_ledger *l;

	tk_ok(iso_plan_laplace(&p, door, 1, 1, 1, &err));
	l = ledger_of(&p, ISO_ADD_REMOVE);
	for (size_t i = 0; i < ISO_COUNT(bad); i++) {
		tk_fails(iso_mech_sum_begin(l, door, NULL, 0, bad[i].b, bad[i].n, &s, &err),
			 bad[i].status, bad[i].says);
		ck_assert_ptr_null(s);
		ck_assert_uint_eq(used(l), 0);
	}
	iso_ledger_free(l);
	/* joint units move by 1, whatever the clip bounds */
	tk_ok(iso_plan_laplace(&p, door, 1, 1, 0.5, &err));
	l = ledger_of(&p, ISO_ADD_REMOVE);
	const iso_sum_block two[2] = {{1, 0.1, ISO_NORM_L1, 0}, {1, 0.1, ISO_NORM_L1, 0}};
	tk_fails(iso_mech_sum_begin(l, door, NULL, 0, two, 2, &s, &err), ISO_E_BUDGET,
		 "sensitivity above the plan");
	iso_ledger_free(l);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("privacy/doors");
	TCase *c = tcase_create("doors");

	tcase_add_loop_test(c, open_histogram_has_its_law, 0, 2);
	tcase_add_test(c, open_histogram_counts);
	tcase_add_test(c, open_histogram_refuses);
	tcase_add_test(c, choices_have_their_law);
	tcase_add_test(c, choices_refuse);
	tcase_add_test(c, randomized_response_has_its_law);
	tcase_add_test(c, randomized_response_refuses);
	tcase_add_test(c, bounds_on_a_known_grid);
	tcase_add_loop_test(c, bounds_have_their_law, 0, 2);
	tcase_add_test(c, bounds_refuse);
	tcase_add_test(c, joint_blocks_have_their_noise);
	tcase_add_test(c, stream_takes_each_record_once);
	tcase_add_test(c, stream_keeps_to_its_sample);
	tcase_add_test(c, blocks_refuse);
	suite_add_tcase(s, c);
	return tk_run(s);
}
