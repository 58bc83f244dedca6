// SPDX-License-Identifier: Apache-2.0
/* The accountants' front: checks, composition rules, and the closed forms. */
#include "core/privacy/accountant.h"

#include <math.h>

#include "core/math/special.h"
#include "core/math/vmath.h"
#include "core/privacy/account_private.h"
#include "core/privacy/pld.h"

double iso_epsilon_bound(const iso_epsilons *e, iso_accountant a)
{
	return a == ISO_ACC_RDP || isnan(e->pld_upper) ? e->rdp : e->pld_upper;
}

const char *iso_accountant_name(iso_accountant a)
{
	return a == ISO_ACC_RDP ? "rdp" : "pld";
}

/* Balle and Wang 2018, Theorem 8, in logarithms: log delta = log Phi(x) + log(1 - e^(eps + log
 * Phi(y) - log Phi(x))), x = mu/2 - eps/mu, y = -mu/2 - eps/mu. */
static double gaussian_log_delta(double mu, double epsilon)
{
	const double x = mu / 2 - epsilon / mu, y = -mu / 2 - epsilon / mu;
	const double lx = iso_log_ndtr(x), ratio = epsilon + iso_log_ndtr(y) - lx;

	/* y < x, so the ratio is below 0 but for rounding */
	return ratio < 0 ? lx + iso_log1mexp(ratio) : -INFINITY;
}

double iso_gaussian_delta(double mu, double epsilon)
{
	if (!(mu >= 0) || !(epsilon >= 0))
		return NAN;
	if (mu == 0)
		return 0;
	if (mu == INFINITY)
		return 1;
	return iso_exp(gaussian_log_delta(mu, epsilon));
}

struct gaussian_target {
	double mu, log_delta;
};

static double gaussian_gap(void *ctx, double epsilon)
{
	const struct gaussian_target *t = ctx;
	const double l = gaussian_log_delta(t->mu, epsilon);

	return (l > -1e6 ? l : -1e6) - t->log_delta;
}

double iso_gaussian_epsilon(double mu, double delta)
{
	struct gaussian_target t = {.mu = mu, .log_delta = iso_log(delta)};
	double hi;

	if (!(mu >= 0) || !(delta > 0) || !(delta < 1))
		return NAN;
	if (mu == INFINITY)
		return INFINITY;
	if (mu == 0 || gaussian_gap(&t, 0) <= 0)
		return 0;
	/* Q(z) <= e^(-z^2/2): delta(mu^2/2 + mu z) <= delta at z = sqrt(-2 log delta) */
	hi = mu * mu / 2 + mu * (sqrt(-2 * t.log_delta) + 1);
	return iso_brent_root(gaussian_gap, &t, 0, hi, 1e-14 * hi);
}

static iso_status check_delta(double delta, iso_error *err)
{
	ISO_FAIL_IF(!(delta > 0 && delta < 1), err, ISO_E_CONFIG,
		    "wrong delta (%g): it must lie between 0 and 1, both excluded; "
		    "1e-5 or 1 over the number of rows is usual",
		    delta);
	return ISO_OK;
}

/* Moments accountant (Abadi et al. 2016): orders 2..33, classic conversion. */
static void moments(const iso_events *events, iso_adjacency adj, double delta, iso_epsilons *out)
{
	const double survive = iso_events_delta0(events, adj),
		     left = -iso_expm1(iso_log1p(-delta) + survive);

	out->moments = INFINITY;
	if (!(left > 0))
		return;
	for (int a = 2; a <= 33; a++)
		out->moments = fmin(
			out->moments,
			iso_rdp_to_epsilon_classic(a, iso_events_rdp(events, adj, a, 0), left));
}

/* Central limit theorem (Dong, Roth and Su 2022; Bu et al. 2020): mu^2 adds.  NaN where no limit is
 * stated. */
static double gdp_mu2(const iso_events *events, iso_adjacency adj)
{
	const double unit = adj == ISO_REPLACE_ONE ? 2 : 1;
	double sum = 0;

	for (size_t i = 0; i < events->n; i++) {
		const iso_event *e = &events->v[i];
		const double s = e->noise / unit, count = (double)e->count;

		if (e->mechanism == ISO_MECH_UNCHARGED)
			continue;
		if (e->mechanism == ISO_MECH_PATE_GNMAX) {
			sum += count * 2 / (e->noise * e->noise);
		} else if (e->mechanism == ISO_MECH_ZCDP) {
			sum += count * 2 * e->rho;
		} else if (e->mechanism == ISO_MECH_PARALLEL) {
			double first = 0, second = 0;

			for (size_t k = 0; k < e->nparts; k++) {
				const double m = gdp_mu2(&e->parts[k], adj);

				if (isnan(m))
					return m;
				second = m > first ? first : fmax(second, m);
				first = fmax(first, m);
			}
			sum += adj == ISO_REPLACE_ONE ? first + second : first;
		} else if (e->mechanism != ISO_MECH_GAUSSIAN) {
			return NAN;
		} else if (e->sampling == ISO_SAMPLING_NONE || e->rate == 1) {
			sum += count / (s * s);
		} else if (e->sampling == ISO_SAMPLING_POISSON && adj == ISO_ADD_REMOVE) {
			sum += count * e->rate * e->rate * iso_expm1(1 / (s * s));
		} else {
			/* fixed size; under replace-one the two records' contributions differ by 2
			 */
			sum += count * e->rate * e->rate * 2 *
			       (iso_exp(1 / (s * s)) * iso_norm_cdf(1.5 / s) +
				3 * iso_norm_cdf(-0.5 / s) - 2);
		}
	}
	return sum;
}

static void set_nan(iso_epsilons *out)
{
	*out = (iso_epsilons){.pld_lower = NAN,
			      .pld_upper = NAN,
			      .rdp = NAN,
			      .rdp_classic = NAN,
			      .moments = NAN,
			      .gdp = NAN,
			      .rdp_order = NAN,
			      .data_dependent_rdp = NAN};
}

iso_status iso_account_epsilon(const iso_events *events, iso_adjacency adj, double delta,
			       unsigned want, iso_epsilons *out, iso_error *err)
{
	iso_epsilons e;

	set_nan(&e);
	ISO_TRY(iso_events_check(events, adj, err));
	ISO_TRY(check_delta(delta, err));
	if (want & (ISO_WANT_RDP | ISO_WANT_PLD))
		e.rdp = iso_rdp_epsilon(events, adj, delta, 0, 0, &e.rdp_order);
	if (want & ISO_WANT_RDP) {
		e.rdp_classic = iso_rdp_epsilon(events, adj, delta, 1, 0, NULL);
		if (iso_events_any(events, iso_event_is_voting))
			e.data_dependent_rdp = iso_rdp_epsilon(events, adj, delta, 0, 1, NULL);
	}
	if (want & ISO_WANT_MOMENTS)
		moments(events, adj, delta, &e);
	if (want & ISO_WANT_GDP) {
		const double mu2 = gdp_mu2(events, adj);

		e.gdp = isnan(mu2) ? NAN : iso_gaussian_epsilon(sqrt(mu2), delta);
	}
	if (want & ISO_WANT_PLD)
		ISO_TRY(iso_pld_epsilon(events, adj, delta, e.rdp, 0, NULL, &e.pld_lower,
					&e.pld_upper, err));
	if (!(want & ISO_WANT_RDP))
		e.rdp = e.rdp_order = NAN;
	*out = e;
	return ISO_OK;
}

iso_status iso_account_delta(const iso_events *events, iso_adjacency adj, double epsilon,
			     double *pld, double *rdp, iso_error *err)
{
	double d, upper = NAN;

	ISO_TRY(iso_events_check(events, adj, err));
	ISO_FAIL_IF(!(epsilon >= 0 && epsilon <= 1e100), err, ISO_E_CONFIG,
		    "wrong epsilon (%g): it must be a finite number, 0 or above; give one",
		    epsilon);
	d = iso_rdp_delta(events, adj, epsilon);
	if (pld)
		ISO_TRY(iso_pld_delta(events, adj, epsilon, d, &upper, err));
	if (pld)
		*pld = upper;
	if (rdp)
		*rdp = d;
	return ISO_OK;
}

iso_status iso_account_one_with(const iso_events *events, iso_adjacency adj, double delta,
				iso_accountant which, struct iso_pld_work *work, double *epsilon,
				iso_error *err)
{
	double rdp, lower, upper;

	ISO_TRY(iso_events_check(events, adj, err));
	ISO_TRY(check_delta(delta, err));
	rdp = iso_rdp_epsilon(events, adj, delta, 0, 0, NULL);
	if (which == ISO_ACC_RDP) {
		*epsilon = rdp;
		return ISO_OK;
	}
	ISO_TRY(iso_pld_epsilon(events, adj, delta, rdp, 1, work, &lower, &upper, err));
	/* no privacy loss distribution is known for zCDP, RDP and fixed-size events: the RDP bound
	 * holds whichever accountant was asked for */
	*epsilon = isnan(upper) ? rdp : upper;
	return ISO_OK;
}

iso_status iso_account_one(const iso_events *events, iso_adjacency adj, double delta,
			   iso_accountant which, double *epsilon, iso_error *err)
{
	return iso_account_one_with(events, adj, delta, which, NULL, epsilon, err);
}
