// SPDX-License-Identifier: Apache-2.0
/* Accountants: pure functions from events to (epsilon, delta).  Specification and sources per
 * formula in the .c files.  All return upper bounds unless the name says lower or approximate;
 * "does not apply" is a NaN in the result and JSON null outside, "no finite guarantee" is
 * +infinity.
 */
#ifndef ISO_PRIVACY_ACCOUNTANT_H
#define ISO_PRIVACY_ACCOUNTANT_H

#include "core/privacy/event.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum iso_accountant {
	ISO_ACC_PLD,
	ISO_ACC_RDP
} iso_accountant; /* those that may calibrate */

typedef struct iso_epsilons {
	double pld_lower, pld_upper; /* certified bounds */
	double rdp; /* tight conversion (Canonne, Kamath, Steinke 2020), continuous orders */
	double rdp_classic;	   /* Mironov 2017 conversion */
	double moments;		   /* integer orders 2..33, classic conversion */
	double gdp;		   /* central limit: an approximation, never a guarantee */
	double rdp_order;	   /* the order that gave rdp */
	double data_dependent_rdp; /* PATE diagnostic; NaN without votes */
} iso_epsilons;

/* Which fields to compute; the rest are NaN. */
enum {
	ISO_WANT_PLD = 1,
	ISO_WANT_RDP = 2,
	ISO_WANT_MOMENTS = 4,
	ISO_WANT_GDP = 8,
	ISO_WANT_ALL = 15
};

iso_status iso_account_epsilon(const iso_events *events, iso_adjacency adj, double delta,
			       unsigned want, iso_epsilons *out, iso_error *err) ISO_MUST_CHECK;
/* delta at a given epsilon: upper bounds. */
iso_status iso_account_delta(const iso_events *events, iso_adjacency adj, double epsilon,
			     double *pld, double *rdp, iso_error *err) ISO_MUST_CHECK;
/* The bound that a guarantee is stated with: PLD upper or RDP; RDP too where no privacy loss
 * distribution is known (zCDP, RDP, fixed-size sampling), so ask for both (ISO_WANT_PLD |
 * ISO_WANT_RDP). */
double iso_epsilon_bound(const iso_epsilons *e, iso_accountant a);
/* The same in one call. */
iso_status iso_account_one(const iso_events *events, iso_adjacency adj, double delta,
			   iso_accountant which, double *epsilon, iso_error *err) ISO_MUST_CHECK;

const char *iso_accountant_name(iso_accountant a); /* "pld", "rdp" */

/* Calibration.  `build` lists the events for one free scale s > 0 (more noise for larger s); the
 * solver finds the smallest s whose composed epsilon lies in [0.999 epsilon, epsilon]. ISO_E_BUDGET
 * if no s in [1e-3, 1e6] does. */
typedef iso_status (*iso_build_events)(void *ctx, double s, iso_events *out, iso_error *err);
iso_status iso_calibrate(iso_build_events build, void *ctx, iso_adjacency adj, double epsilon,
			 double delta, iso_accountant which, double *scale, double *reached,
			 iso_error *err) ISO_MUST_CHECK;
/* The largest count k >= 0 for which build(k) stays within epsilon: PATE's number of queries. */
typedef iso_status (*iso_build_count)(void *ctx, uint64_t k, iso_events *out, iso_error *err);
iso_status iso_calibrate_count(iso_build_count build, void *ctx, iso_adjacency adj, double epsilon,
			       double delta, iso_accountant which, uint64_t max, uint64_t *count,
			       double *reached, iso_error *err) ISO_MUST_CHECK;

/* Pure curves, exposed for tests and for methods' cards. */
double iso_rdp_gaussian(double alpha, double sigma);
double iso_rdp_sgm(double alpha, double q,
		   double sigma); /* Poisson-subsampled Gaussian, any real alpha > 1 */
double iso_rdp_laplace(double alpha, double b);
double iso_rdp_pure(double alpha, double epsilon);
double iso_rdp_exponential(double alpha, double epsilon);
double iso_rdp_randomized_response(double alpha, double epsilon);
double iso_rdp_wor(double alpha, double q,
		   double sigma); /* without replacement, replace-one; Wang et al. 2019 */
double iso_rdp_gnmax(double alpha, double sigma, const double *votes,
		     size_t classes); /* votes NULL: independent */
double iso_rdp_lnmax(double alpha, double scale, const double *votes, size_t classes);
double iso_pate_logq_gnmax(const double *votes, size_t classes, double sigma);
double iso_pate_logq_lnmax(const double *votes, size_t classes, double scale);
double iso_gaussian_delta(double mu,
			  double epsilon); /* Balle and Wang 2018; mu = sqrt(sum 1/sigma^2) */
double iso_gaussian_epsilon(double mu, double delta);

#ifdef __cplusplus
}
#endif

#endif
