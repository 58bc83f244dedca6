// SPDX-License-Identifier: Apache-2.0
/* Calibration: the smallest noise scale, or the largest count, that a budget allows. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/math/special.h"
#include "core/math/vmath.h"
#include "core/privacy/account_private.h"
#include "core/privacy/pld_compose.h"

#define SCALE_MIN 1e-6
#define SCALE_MAX 1e6
#define MAX_EVALUATIONS 200

typedef struct solver {
	iso_build_events build;
	void *ctx;
	iso_adjacency adj;
	double epsilon, delta;
	iso_accountant which;
	iso_pld_work *work; /* NULL: none kept */
} solver;

/* Epsilon of the plan at scale s. */
static iso_status spent(const solver *v, double s, double *epsilon, iso_error *err)
{
	iso_events events = {0};
	iso_status st = v->build(v->ctx, s, &events, err);

	if (st == ISO_OK)
		st = iso_account_one_with(&events, v->adj, v->delta, v->which, v->work, epsilon,
					  err);
	iso_events_free(&events);
	return st;
}

/* The next number with 10 significant decimal digits at or above x: the same text and the same
 * value everywhere, whatever the last bits of the search were. */
static double round_up(double x)
{
	char text[32];
	double y;

	snprintf(text, sizeof(text), "%.9e", x);
	y = strtod(text, NULL);
	if (y < x) {
		const double unit = iso_exp(floor(iso_log(x) / 2.30258509299404568402) *
					    2.30258509299404568402) *
				    1e-9;

		snprintf(text, sizeof(text), "%.9e", y + unit);
		y = strtod(text, NULL);
	}
	return y;
}

/* lo: epsilon(lo) > target, hi: epsilon(hi) <= target, in log scale, with gap g =
 * log(epsilon/target) at both ends (clamped).  Illinois's regula falsi with a bisection whenever it
 * stalls. */
typedef struct bracket {
	double lo, hi, glo, ghi;
	double scale, reached; /* at hi: e^hi, or that rounded up where the accountant is the PLD,
				  and its epsilon */
	double x, g;	       /* the last probe */
	double slope;	       /* dg/dx between the last two */
} bracket;

static double gap(double epsilon, double target)
{
	if (epsilon == INFINITY)
		return 50;
	return epsilon > 0 ? fmax(-50, fmin(50, iso_log(epsilon / target))) : -50;
}

static iso_status probe(const solver *v, double x, bracket *b, int *side, iso_error *err)
{
	/* the PLD is dear: it is asked at ten digits, so that the last answer is the result */
	const double s = v->which == ISO_ACC_PLD ? round_up(iso_exp(x)) : iso_exp(x);
	double e, g;

	ISO_TRY(spent(v, s, &e, err));
	g = gap(e, v->epsilon);
	b->slope = x != b->x ? (g - b->g) / (x - b->x) : 0;
	b->x = x, b->g = g;
	if (e <= v->epsilon) {
		b->hi = x, b->ghi = g, b->reached = e, b->scale = s;
		*side = 1;
	} else {
		b->lo = x, b->glo = g;
		*side = -1;
	}
	return ISO_OK;
}

static iso_status out_of_reach(const solver *v, double scale, const char *why, double e,
			       iso_error *err)
{
	return iso_fail(err, ISO_E_BUDGET,
			"budget out of reach (epsilon %g, delta %g): with noise scale %g the %s "
			"accountant gives "
			"epsilon %g, %s",
			v->epsilon, v->delta, scale, iso_accountant_name(v->which), e, why);
}

/* Walks outward from x until both ends of the bracket are known. */
static iso_status find_bracket(const solver *v, double x, double step, bracket *b, iso_error *err)
{
	const double low = iso_log(SCALE_MIN), high = iso_log(SCALE_MAX);
	int side = 0, have_lo = 0, have_hi = 0;

	for (;;) {
		x = fmin(fmax(x, low), high);
		ISO_TRY(probe(v, x, b, &side, err));
		have_lo |= side < 0;
		have_hi |= side > 0;
		if (have_lo && have_hi)
			return ISO_OK;
		if (side < 0 && x >= high) {
			double e = INFINITY;

			ISO_TRY(spent(v, SCALE_MAX, &e, err));
			return out_of_reach(v, SCALE_MAX,
					    "which is above; raise epsilon or delta, or do less", e,
					    err);
		}
		if (side > 0 && x <= low) {
			if (b->reached >= 0.999 * v->epsilon) {
				b->lo = x, b->glo = b->ghi;
				return ISO_OK;
			}
			return out_of_reach(v, SCALE_MIN,
					    "which is far below; ask for less, or use no privacy",
					    b->reached, err);
		}
		x += side < 0 ? step : -step;
		step *= 2;
	}
}

static iso_status refine(const solver *v, double tolerance, double slack, bracket *b,
			 iso_error *err)
{
	int last = 0, repeat = 0;
	double wlo = b->glo, whi = b->ghi;

	for (int i = 0; i < MAX_EVALUATIONS && b->hi - b->lo > tolerance; i++) {
		const double width = b->hi - b->lo;
		double x = b->lo + width * (wlo / (wlo - whi));
		int side = 0;

		if (b->ghi > -slack)
			return ISO_OK;
		if (repeat >= 3 || !(x > b->lo && x < b->hi) || wlo >= 50 || whi <= -50) {
			x = 0.5 * (b->lo + b->hi);
			repeat = 0;
		} else {
			/* aim a little to the safe side, so that the upper end closes in on the
			 * root */
			x = fmin(x + 0.25 * tolerance + 0.25 * slack, b->hi - 0.01 * width);
		}
		ISO_TRY(probe(v, x, b, &side, err));
		if (side < 0) {
			wlo = b->glo;
			if (last < 0)
				whi /= 2;
		} else {
			whi = b->ghi;
			if (last > 0)
				wlo /= 2;
		}
		repeat = side == last ? repeat + 1 : 0;
		last = side;
	}
	return ISO_OK;
}

/* The bracket of the wanted accountant.  RDP first, which is cheap; the PLD never needs more noise
 * and seldom less than two thirds of it; on a coarse grid first, whose values differ by a few
 * millionths. */
static iso_status bracket_scale(solver *v, iso_accountant which, bracket *b, iso_error *err)
{
	const double slack = 5e-8;
	double slope;
	int side;

	ISO_TRY(find_bracket(v, 0, 1, b, err));
	if (which == ISO_ACC_RDP)
		return refine(v, 1e-11, 1e-11, b, err);
	ISO_TRY(refine(v, 1e-3, 1e-3, b, err));
	v->which = which;
	v->work->coarse = 4;
	ISO_TRY(find_bracket(v, b->hi - 0.07, 0.06, b, err));
	ISO_TRY(refine(v, 1e-7, 1e-5, b, err));
	slope = b->slope;
	v->work->coarse = 1;
	/* the coarse curve's slope is almost the fine curve's: two or three steps along it, seldom
	 * the whole search */
	for (int i = 0; i < 4 && slope < -1e-3 && slope > -1e3; i++) {
		ISO_TRY(probe(v, b->x - (b->g + 0.5 * slack) / slope, b, &side, err));
		if (side > 0 && b->ghi > -slack)
			return ISO_OK;
		slope = i ? b->slope
			  : slope; /* the first difference is one between the two grids */
	}
	ISO_TRY(find_bracket(v, b->hi, 3e-5, b, err));
	return refine(v, 1e-8, slack, b, err);
}

/* Rounds the safe end up to ten digits and makes sure of it. */
static iso_status settle(const solver *v, const bracket *b, double *scale, double *reached,
			 iso_error *err)
{
	double s = round_up(b->scale), e = b->reached;

	if (s != b->scale)
		ISO_TRY(spent(v, s, &e, err));
	for (int i = 0; e > v->epsilon && i < 40; i++) { /* rounding of the search itself */
		s = round_up(s * (1 + 1e-10 * (double)(1 << (i < 20 ? i : 20))));
		ISO_TRY(spent(v, s, &e, err));
	}
	ISO_FAIL_IF(!(e <= v->epsilon), err, ISO_E_NUMERIC,
		    "calibration did not settle (epsilon %g, delta %g): the composed epsilon is "
		    "%g; use the accountant rdp",
		    v->epsilon, v->delta, e);
	*scale = s;
	*reached = e;
	return ISO_OK;
}

iso_status iso_calibrate(iso_build_events build, void *ctx, iso_adjacency adj, double epsilon,
			 double delta, iso_accountant which, double *scale, double *reached,
			 iso_error *err)
{
	iso_pld_work work = {0};
	solver v = {.build = build,
		    .ctx = ctx,
		    .adj = adj,
		    .epsilon = epsilon,
		    .delta = delta,
		    .which = ISO_ACC_RDP,
		    .work = &work};
	bracket b = {0};
	iso_status st;

	ISO_FAIL_IF(!(epsilon > 0 && epsilon <= 1e6), err, ISO_E_CONFIG,
		    "wrong target epsilon (%g): it must lie above 0 and at most 1e6; give one",
		    epsilon);
	ISO_FAIL_IF(!(delta > 0 && delta < 1), err, ISO_E_CONFIG,
		    "wrong delta (%g): it must lie between 0 and 1, both excluded; give one",
		    delta);
	st = bracket_scale(&v, which, &b, err);
	if (st == ISO_OK)
		st = settle(&v, &b, scale, reached, err);
	iso_pld_work_free(&work);
	return st;
}

static iso_status spent_by_count(iso_build_count build, void *ctx, uint64_t k, const solver *v,
				 double *e, iso_error *err)
{
	iso_events events = {0};
	iso_status st;

	st = build(ctx, k, &events, err);
	if (st == ISO_OK)
		st = iso_account_one_with(&events, v->adj, v->delta, v->which, v->work, e, err);
	iso_events_free(&events);
	return st;
}

iso_status iso_calibrate_count(iso_build_count build, void *ctx, iso_adjacency adj, double epsilon,
			       double delta, iso_accountant which, uint64_t max, uint64_t *count,
			       double *reached, iso_error *err)
{
	const solver v = {.adj = adj, .epsilon = epsilon, .delta = delta, .which = which};
	uint64_t lo = 0, hi = 0, step = 1;
	double e, at_lo;

	ISO_FAIL_IF(!(epsilon > 0 && epsilon <= 1e6), err, ISO_E_CONFIG,
		    "wrong target epsilon (%g): it must lie above 0 and at most 1e6; give one",
		    epsilon);
	ISO_TRY(spent_by_count(build, ctx, 0, &v, &at_lo, err));
	if (!(at_lo <= epsilon))
		return iso_fail(err, ISO_E_BUDGET,
				"budget out of reach (epsilon %g, delta %g): epsilon is %g before "
				"the first counted "
				"release; raise epsilon or delta",
				epsilon, delta, at_lo);
	while (lo < max) { /* doubling steps up to the first count that is too much */
		hi = max - lo < step ? max : lo + step;
		ISO_TRY(spent_by_count(build, ctx, hi, &v, &e, err));
		if (!(e <= epsilon))
			break;
		lo = hi, at_lo = e, step *= 2;
		hi = 0;
	}
	while (hi && hi - lo > 1) {
		const uint64_t mid = lo + (hi - lo) / 2;

		ISO_TRY(spent_by_count(build, ctx, mid, &v, &e, err));
		if (e <= epsilon)
			lo = mid, at_lo = e;
		else
			hi = mid;
	}
	*count = lo;
	*reached = at_lo;
	return ISO_OK;
}
