// SPDX-License-Identifier: Apache-2.0
/* Statistics of a privacy audit: from counts of a distinguishing game to bounds on epsilon.
 *
 * A threshold decides "in" or "out" on runs that had no part in choosing it.  fp: runs without the
 * target that were decided "in", of n_out; fn: runs with it that were decided "out", of n_in.  Each
 * Clopper-Pearson bound spends `tail`; joint confidence 1 - 2 tail.
 */
#ifndef ISO_SUITES_FLOW_AUDIT_BOUNDS_H
#define ISO_SUITES_FLOW_AUDIT_BOUNDS_H

#include <stddef.h>

typedef struct iso_counts {
	size_t fp, n_out, fn, n_in;
} iso_counts;

/* max(0, ln((1 - delta - FNR)/FPR), ln((1 - delta - FPR)/FNR)) at the upper bounds (Jagielski,
 * Ullman, Oprea 2020; with delta: the region of Kairouz, Oh, Viswanath 2015). */
double iso_audit_epsilon(const iso_counts *c, double delta, double tail);
/* mu-GDP bound Phi^-1(1 - FPR) - Phi^-1(FNR), at least 0 (Nasr et al. 2023), and the epsilon of a
 * mu at delta (Dong, Roth, Su 2022, corollary 2.13).  A bound for Gaussian claims only. */
double iso_audit_mu(const iso_counts *c, double tail);
double iso_gdp_epsilon(double mu, double delta);
double iso_gdp_delta(double mu, double epsilon);
/* What a perfect attack on n runs of each world can show. */
double iso_audit_ceiling(size_t n, double delta, double tail);

/* The claim as a curve: delta[i] at epsilon[i], ascending. */
typedef struct iso_profile {
	const double *epsilon, *delta;
	size_t n;
} iso_profile;
/* The decision rule: rejects iff at a point of the curve 1 - FNR > delta + e^epsilon FPR, or the
 * same with FPR and FNR exchanged.  One event, so no price for many epsilons.  1: rejected; *at =
 * the point that is violated most. */
int iso_profile_rejects(const iso_counts *c, const iso_profile *p, double tail, size_t *at);

/* One-run audit (Steinke, Nasr, Jagielski 2023, theorem 5.2): m canaries, each in with probability
 * 1/2; of r guesses v are right.  p-value of the claim (epsilon, delta), and the largest epsilon
 * whose p-value is below p. */
double iso_one_run_p(size_t m, size_t r, size_t v, double epsilon, double delta);
double iso_one_run_epsilon(size_t m, size_t r, size_t v, double delta, double p);
/* The same against Gaussian trade-off curves (Mahloujifar, Melis, Chaudhuri 2024): the largest mu
 * that is rejected at p. */
double iso_one_run_mu(size_t m, size_t r, size_t v, double p);

/* Zanella-Beguelin et al. 2023: the smallest epsilon whose (epsilon, delta) region holds the mass
 * `alpha` (0.05, say: epsilon is above it with probability 0.95) of the posterior of (FNR, FPR)
 * under Jeffreys' priors.  A credible bound without coverage: to report, never to decide. */
double iso_zanella_epsilon(const iso_counts *c, double delta, double alpha);

#endif
