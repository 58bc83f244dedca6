// SPDX-License-Identifier: Apache-2.0
/* PATE: Renyi curves of one noisy-argmax query (Papernot et al. 2017, arXiv 1610.05755; 2018, arXiv
 * 1802.08908).
 *
 * One record belongs to one teacher, whose changed vote moves two counts by one.  The
 * data-independent curves (votes NULL) are guarantees; the data-dependent ones depend on private
 * votes and are diagnostics only.
 */
#include <math.h>

#include "core/math/special.h"
#include "core/math/vmath.h"
#include "core/privacy/account_private.h"

static size_t winner(const double *votes, size_t classes)
{
	size_t best = 0;

	for (size_t i = 1; i < classes; i++)
		if (votes[i] > votes[best])
			best = i;
	return best;
}

/* Log of a bound on Pr[answer is not the plurality], at most 1 - 1/m (Papernot et al. 2018,
 * Proposition 7). */
double iso_pate_logq_gnmax(const double *votes, size_t classes, double sigma)
{
	const size_t top = winner(votes, classes);
	double log_q = -INFINITY;

	for (size_t i = 0; i < classes; i++)
		if (i != top)
			log_q = iso_log_add(log_q, iso_log_ndtr(-(votes[top] - votes[i]) /
								(1.41421356237309504880 * sigma)));
	return fmin(log_q, iso_log1p(-1 / (double)classes));
}

/* Papernot et al. 2017, Lemma 4: Pr <= sum (2 + g)/(4 e^g), g = gap / scale. */
double iso_pate_logq_lnmax(const double *votes, size_t classes, double scale)
{
	const size_t top = winner(votes, classes);
	double log_q = -INFINITY;

	for (size_t i = 0; i < classes; i++)
		if (i != top) {
			const double g = (votes[top] - votes[i]) / scale;

			log_q = iso_log_add(log_q, iso_log((2 + g) / 4) - g);
		}
	return fmin(log_q, iso_log1p(-1 / (double)classes));
}

/* GNMax from log q~: Papernot et al. 2018, Theorem 6 with the orders of Proposition 10. */
double iso_rdp_gnmax_logq(double alpha, double sigma, double lq)
{
	const double s2 = sigma * sigma, plain = alpha / s2;
	double mu1, mu2, e1, e2, a, b, log_1q;

	if (!(lq < 0))
		return plain;
	if (lq == -INFINITY)
		return 0;
	mu2 = sigma * sqrt(-lq);
	mu1 = mu2 + 1;
	e1 = mu1 / s2;
	e2 = mu2 / s2;
	if (!(alpha < mu1) || !(mu2 > 1) || !(-lq > e2))
		return plain;
	if (!(lq <= (mu2 - 1) * e2 - mu2 * (iso_log(mu1 / (mu1 - 1)) + iso_log(mu2 / (mu2 - 1)))))
		return plain;
	log_1q = iso_log1mexp(lq);
	a = log_1q + (alpha - 1) * (log_1q - iso_log1mexp((lq + e2) * (1 - 1 / mu2)));
	b = lq + (alpha - 1) * (e1 - lq / (mu1 - 1));
	return fmax(0, fmin(plain, iso_log_add(a, b) / (alpha - 1)));
}

double iso_rdp_gnmax(double alpha, double sigma, const double *votes, size_t classes)
{
	if (!(sigma > 0))
		return INFINITY;
	return votes ? iso_rdp_gnmax_logq(alpha, sigma, iso_pate_logq_gnmax(votes, classes, sigma))
		     : alpha / (sigma * sigma);
}

/* Any e-DP choice with log Pr[not the plurality] <= lq: Papernot et al. 2017, Theorem 3, valid only
 * for q <= 1/(1 + e^e). */
double iso_rdp_lnmax_logq(double alpha, double e, double lq)
{
	const double plain = fmin(alpha * e * e / 2, e);
	double log_1q, a;

	if (!(lq <= -e - iso_log1p(iso_exp(-e))))
		return plain;
	log_1q = iso_log1mexp(lq);
	a = iso_log_add(log_1q + (alpha - 1) * (log_1q - iso_log1mexp(e + lq)),
			lq + e * (alpha - 1));
	return fmax(0, fmin(plain, a / (alpha - 1)));
}

/* LNMax is 2/scale-DP. */
double iso_rdp_lnmax(double alpha, double scale, const double *votes, size_t classes)
{
	const double e = 2 / scale;

	if (!(scale > 0))
		return INFINITY;
	/* the curve of pure epsilon-DP is below the simpler min(alpha e^2/2, e) of the papers */
	if (!votes)
		return iso_rdp_pure(alpha, e);
	return fmin(iso_rdp_pure(alpha, e),
		    iso_rdp_lnmax_logq(alpha, e, iso_pate_logq_lnmax(votes, classes, scale)));
}
