// SPDX-License-Identifier: Apache-2.0
/* RDP of whole event lists and its conversion to (epsilon, delta). */
#include <math.h>

#include "core/math/special.h"
#include "core/math/vmath.h"
#include "core/privacy/account_private.h"

/* Orders searched, as log(alpha - 1).  Any order gives a valid bound, so the search can only help.
 */
#define LOG_ORDER_MIN -7.6    /* alpha = 1.0005 */
#define LOG_ORDER_MAX 11.5129 /* alpha = 1e5 */

int iso_event_is_voting(const iso_event *e)
{
	return (e->mechanism == ISO_MECH_PATE_GNMAX || e->mechanism == ISO_MECH_PATE_LNMAX) &&
	       e->votes != NULL;
}

int iso_events_any(const iso_events *list, int (*test)(const iso_event *e))
{
	for (size_t i = 0; i < list->n; i++) {
		const iso_event *e = &list->v[i];

		if (test(e))
			return 1;
		for (size_t k = 0; k < e->nparts; k++)
			if (iso_events_any(&e->parts[k], test))
				return 1;
	}
	return 0;
}

/* One changed record under the adjacency moves a Gaussian or Laplace sum by 1 (add-remove) or 2
 * (replace-one) units of one record's sensitivity; epsilon and rho are declared under the adjacency
 * itself. */
static double gaussian_event(const iso_event *e, iso_adjacency adj, double alpha)
{
	const double unit = adj == ISO_REPLACE_ONE ? 2 : 1;

	switch (e->sampling) {
	case ISO_SAMPLING_POISSON:
		return unit > 1 ? iso_rdp_sgm_replace(alpha, e->rate, e->noise)
				: iso_rdp_sgm(alpha, e->rate, e->noise);
	case ISO_SAMPLING_WITHOUT_REPLACEMENT:
		return iso_rdp_wor(alpha, e->rate, e->noise / unit);
	case ISO_SAMPLING_NONE:
		break;
	}
	return iso_rdp_gaussian(alpha, e->noise / unit);
}

static double votes_total(const iso_event *e, double alpha)
{
	iso_sum sum = {0};

	for (size_t i = 0; i < e->queries; i++) {
		const double *votes = e->votes + i * e->classes;

		iso_sum_add(&sum, e->mechanism == ISO_MECH_PATE_GNMAX
					  ? iso_rdp_gnmax(alpha, e->noise, votes, e->classes)
					  : iso_rdp_lnmax(alpha, e->noise, votes, e->classes));
	}
	return iso_sum_value(&sum);
}

static double parallel_event(const iso_event *e, iso_adjacency adj, double alpha,
			     int data_dependent)
{
	double first = 0, second = 0;

	for (size_t i = 0; i < e->nparts; i++) {
		const double r = iso_events_rdp(&e->parts[i], adj, alpha, data_dependent);

		if (r > first) {
			second = first;
			first = r;
		} else if (r > second) {
			second = r;
		}
	}
	return adj == ISO_REPLACE_ONE ? first + second : first;
}

double iso_event_rdp(const iso_event *e, iso_adjacency adj, double alpha, int data_dependent)
{
	const double unit = adj == ISO_REPLACE_ONE ? 2 : 1, count = (double)e->count;

	switch (e->mechanism) {
	case ISO_MECH_GAUSSIAN:
		return count * gaussian_event(e, adj, alpha);
	case ISO_MECH_LAPLACE:
		return count * iso_rdp_laplace(alpha, e->noise / unit);
	case ISO_MECH_EXPONENTIAL:
		return count * iso_rdp_exponential(alpha, e->epsilon);
	case ISO_MECH_PURE:
		return count * iso_rdp_pure(alpha, e->epsilon);
	case ISO_MECH_ZCDP:
		return count * alpha * e->rho;
	case ISO_MECH_RDP: /* the divergence does not decrease with the order */
		return alpha <= e->order || e->epsilon == 0 ? count * e->epsilon : INFINITY;
	case ISO_MECH_RANDOMIZED_RESPONSE:
		return count * iso_rdp_randomized_response(alpha, e->epsilon);
	case ISO_MECH_PATE_LNMAX:
		return data_dependent && e->votes ? votes_total(e, alpha)
						  : count * iso_rdp_lnmax(alpha, e->noise, NULL, 0);
	case ISO_MECH_PATE_GNMAX:
		return data_dependent && e->votes ? votes_total(e, alpha)
						  : count * iso_rdp_gnmax(alpha, e->noise, NULL, 0);
	case ISO_MECH_PARALLEL:
		return parallel_event(e, adj, alpha, data_dependent);
	case ISO_MECH_UNCHARGED:
		return 0;
	}
	return INFINITY;
}

double iso_events_rdp(const iso_events *list, iso_adjacency adj, double alpha, int data_dependent)
{
	iso_sum sum = {0};

	for (size_t i = 0; i < list->n; i++) {
		const double r = iso_event_rdp(&list->v[i], adj, alpha, data_dependent);

		if (!(r < INFINITY))
			return INFINITY;
		iso_sum_add(&sum, r);
	}
	return iso_sum_value(&sum);
}

/* Largest part, or the two largest, of a quantity that adds. */
static double parts_of(const iso_event *e, iso_adjacency adj,
		       double (*total)(const iso_events *, iso_adjacency))
{
	double first = 0, second = 0;

	for (size_t i = 0; i < e->nparts; i++) {
		const double r = total(&e->parts[i], adj);

		if (r > first) {
			second = first;
			first = r;
		} else if (r > second) {
			second = r;
		}
	}
	return adj == ISO_REPLACE_ONE ? first + second : first;
}

double iso_events_pure(const iso_events *list, iso_adjacency adj)
{
	const double unit = adj == ISO_REPLACE_ONE ? 2 : 1;
	iso_sum sum = {0};

	for (size_t i = 0; i < list->n; i++) {
		const iso_event *e = &list->v[i];
		double x;

		switch (e->mechanism) {
		case ISO_MECH_LAPLACE:
			x = unit / e->noise;
			break;
		case ISO_MECH_EXPONENTIAL:
		case ISO_MECH_PURE:
		case ISO_MECH_RANDOMIZED_RESPONSE:
			x = e->epsilon;
			break;
		case ISO_MECH_PATE_LNMAX:
			x = 2 / e->noise;
			break;
		case ISO_MECH_PARALLEL:
			x = parts_of(e, adj, iso_events_pure);
			break;
		case ISO_MECH_UNCHARGED:
			x = 0;
			break;
		case ISO_MECH_ZCDP:
			x = e->rho > 0 ? INFINITY : 0;
			break;
		case ISO_MECH_RDP:
			x = e->epsilon > 0 ? INFINITY : 0;
			break;
		default:
			x = INFINITY;
			if (e->mechanism == ISO_MECH_GAUSSIAN && e->sampling != ISO_SAMPLING_NONE &&
			    e->rate == 0)
				x = 0;
		}
		if (x == INFINITY)
			return x;
		iso_sum_add(&sum, (double)e->count * x);
	}
	return iso_sum_value(&sum);
}

double iso_events_delta0(const iso_events *list, iso_adjacency adj)
{
	iso_sum sum = {0};

	for (size_t i = 0; i < list->n; i++) {
		const iso_event *e = &list->v[i];

		if (e->mechanism == ISO_MECH_PURE && e->delta > 0)
			iso_sum_add(&sum, -(double)e->count * iso_log1p(-e->delta));
		else if (e->mechanism == ISO_MECH_PARALLEL)
			iso_sum_add(&sum, parts_of(e, adj, iso_events_delta0));
	}
	return iso_sum_value(&sum);
}

/* Canonne, Kamath and Steinke 2020, Proposition 12 (= Balle et al. 2020, Theorem 21); and epsilon =
 * 0 outright when the Renyi divergence, which bounds the Kullback-Leibler divergence, makes the
 * total variation small enough (Bretagnolle-Huber: TV <= sqrt(1 - e^-r)). */
double iso_rdp_to_epsilon(double alpha, double r, double delta)
{
	if (!(r < INFINITY))
		return INFINITY;
	if (delta * delta + iso_expm1(-r) > 0)
		return 0;
	return fmax(0, r + iso_log1p(-1 / alpha) - iso_log(delta * alpha) / (alpha - 1));
}

double iso_rdp_to_epsilon_classic(double alpha, double r, double delta)
{
	return r - iso_log(delta) / (alpha - 1);
}

double iso_rdp_to_delta(double alpha, double r, double epsilon)
{
	double d;

	if (!(r < INFINITY))
		return 1;
	d = iso_exp((alpha - 1) * (r - epsilon + iso_log1p(-1 / alpha)) - iso_log(alpha));
	return fmin(1, fmin(d, sqrt(-iso_expm1(-r))));
}

typedef struct search {
	const iso_events *list;
	iso_adjacency adj;
	double delta, epsilon;
	int classic, data_dependent, inverse;
	double best, best_order; /* over everything evaluated */
} search;

/* Objective at x = log(alpha - 1): epsilon, or log delta when inverse. */
static double objective(void *ctx, double x)
{
	search *s = ctx;
	const double alpha = 1 + iso_exp(x);
	const double r = iso_events_rdp(s->list, s->adj, alpha, s->data_dependent);
	double v;

	if (s->inverse)
		v = iso_log(iso_rdp_to_delta(alpha, r, s->epsilon));
	else if (s->classic)
		v = iso_rdp_to_epsilon_classic(alpha, r, s->delta);
	else
		v = iso_rdp_to_epsilon(alpha, r, s->delta);
	if (v < s->best || !(s->best_order > 0)) {
		s->best = v;
		s->best_order = alpha;
	}
	return v < 1e300
		       ? v
		       : 1e300; /* a finite ceiling keeps the parabolas of the minimiser defined */
}

static int not_convex(const iso_event *e)
{
	return e->mechanism == ISO_MECH_EXPONENTIAL || iso_event_is_voting(e) ||
	       e->sampling == ISO_SAMPLING_WITHOUT_REPLACEMENT;
}

/* The smallest order at which an event is declared, +inf without one. */
static double least_order(const iso_events *list)
{
	double least = INFINITY;

	for (size_t i = 0; i < list->n; i++) {
		const iso_event *e = &list->v[i];

		if (e->mechanism == ISO_MECH_RDP && e->epsilon > 0)
			least = fmin(least, e->order);
		for (size_t k = 0; k < e->nparts; k++)
			least = fmin(least, least_order(&e->parts[k]));
	}
	return least;
}

/* A whole curve ends at the least declared order: search from there downwards. */
static double start_below(search *s, double least)
{
	const double x = iso_log(least - 1) - 1e-9;

	if (x > LOG_ORDER_MIN && x < LOG_ORDER_MAX)
		objective(s, x);
	return fmin(fmax(x - 0.3, LOG_ORDER_MIN + 0.3), LOG_ORDER_MAX - 0.3);
}

/* For convex (alpha-1) eps(alpha) the objective is a convex function over alpha-1, hence unimodal:
 * walk downhill from a Gaussian guess, then Brent.  Other curves get a scan first. */
static void minimise(search *s, double log_inv_delta)
{
	const double rho = iso_events_rdp(s->list, s->adj, 2, 0) / 2;
	const double least = least_order(s->list);
	double x = 0.5 * iso_log(fmax(log_inv_delta, 1e-3) / rho), step = 0.7, fx, fl, fr;

	s->best = INFINITY;
	s->best_order = 0;
	if (!(rho < INFINITY) || !(x > LOG_ORDER_MIN + 1))
		x = rho < INFINITY ? LOG_ORDER_MIN + 1 : -1;
	if (!(x < LOG_ORDER_MAX - 1))
		x = LOG_ORDER_MAX - 1;
	if (iso_events_any(s->list, not_convex)) {
		for (double y = LOG_ORDER_MIN + 0.1; y < LOG_ORDER_MAX; y += 0.3)
			objective(s, y);
		if (s->best < INFINITY)
			x = fmin(fmax(iso_log(s->best_order - 1), LOG_ORDER_MIN + 0.3),
				 LOG_ORDER_MAX - 0.3);
		step = 0.3;
	}
	if (least < INFINITY) {
		x = start_below(s, least);
		step = 0.3;
	}
	fx = objective(s, x);
	fl = objective(s, fmax(x - step, LOG_ORDER_MIN));
	fr = objective(s, fmin(x + step, LOG_ORDER_MAX));
	while (fl <= fx && fl < 1e300 + (fx < 1e300) && x - step > LOG_ORDER_MIN) {
		fr = fx, fx = fl, x -= step;
		fl = objective(s, fmax(x - step, LOG_ORDER_MIN));
	}
	while ((fr < fx || fx >= 1e300) && x + step < LOG_ORDER_MAX && fl >= fx) {
		fl = fx, fx = fr, x += step;
		fr = objective(s, fmin(x + step, LOG_ORDER_MAX));
	}
	iso_brent_min(objective, s, fmax(x - step, LOG_ORDER_MIN), fmin(x + step, LOG_ORDER_MAX),
		      1e-6, NULL);
}

double iso_rdp_epsilon(const iso_events *list, iso_adjacency adj, double delta, int classic,
		       int data_dependent, double *order)
{
	const double survive = iso_events_delta0(list, adj);
	/* 1 - (1 - delta)/prod(1 - delta0): what is left for the curves */
	const double left = -iso_expm1(iso_log1p(-delta) + survive),
		     pure = iso_events_pure(list, adj);
	search s = {.list = list,
		    .adj = adj,
		    .delta = left,
		    .classic = classic,
		    .data_dependent = data_dependent};

	if (order)
		*order = NAN;
	if (left < 0)
		return INFINITY;
	if (pure == 0)
		return 0;
	s.best = INFINITY;
	if (left > 0) {
		minimise(&s, -iso_log(left));
		if (order)
			*order = s.best_order;
	}
	if (!classic &&
	    pure < s.best) { /* basic composition of pure mechanisms: accounting.md 3.4 */
		s.best = pure;
		if (order)
			*order = INFINITY;
	}
	return fmax(0, s.best);
}

double iso_rdp_delta(const iso_events *list, iso_adjacency adj, double epsilon)
{
	const double survive = iso_events_delta0(list, adj), pure = iso_events_pure(list, adj);
	search s = {.list = list, .adj = adj, .epsilon = epsilon, .inverse = 1};
	double d;

	if (pure <= epsilon)
		return -iso_expm1(-survive);
	minimise(&s, fmax(1, epsilon));
	d = iso_exp(fmin(0, s.best));
	/* delta = 1 - (1 - d) prod(1 - delta0) */
	return fmin(1, d + (1 - d) * -iso_expm1(-survive));
}
