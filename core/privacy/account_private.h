// SPDX-License-Identifier: Apache-2.0
/* Shared by the accountants (event.c, accountant*.c, rdp*.c, pate.c, pld*.c, calibrate.c); nobody
 * else includes it. */
#ifndef ISO_PRIVACY_ACCOUNT_PRIVATE_H
#define ISO_PRIVACY_ACCOUNT_PRIVATE_H

#include "core/privacy/accountant.h"

/* RDP of all releases of an event (count included) at order alpha; the delta0 of (epsilon, delta0)
 * events is apart. data_dependent: PATE events with votes give their data-dependent total. */
double iso_event_rdp(const iso_event *e, iso_adjacency adj, double alpha, int data_dependent);
/* The whole list: sequential events add, parts of a parallel event enter by their maximum
 * (add-remove) or by the sum of the two largest (replace-one: one record may leave a part and enter
 * another). */
double iso_events_rdp(const iso_events *list, iso_adjacency adj, double alpha, int data_dependent);
/* Sum of pure epsilons, +inf if some event is not pure; and -log prod (1 - delta0) over (epsilon,
 * delta0) events. */
double iso_events_pure(const iso_events *list, iso_adjacency adj);
double iso_events_delta0(const iso_events *list, iso_adjacency adj);
/* Does any event (nested ones too) satisfy the predicate? */
int iso_events_any(const iso_events *list, int (*test)(const iso_event *e));
int iso_event_is_voting(const iso_event *e); /* PATE with votes */

/* Conversions of an RDP value r at order alpha: tight (Canonne, Kamath and Steinke 2020,
 * Proposition 12) and classic (Mironov 2017, Proposition 3). */
double iso_rdp_to_epsilon(double alpha, double r, double delta);
double iso_rdp_to_epsilon_classic(double alpha, double r, double delta);
double iso_rdp_to_delta(double alpha, double r, double epsilon);
/* Best over orders.  classic: the other conversion.  *order may be NULL. */
double iso_rdp_epsilon(const iso_events *list, iso_adjacency adj, double delta, int classic,
		       int data_dependent, double *order);
double iso_rdp_delta(const iso_events *list, iso_adjacency adj, double epsilon);

/* iso_account_one with buffers that a solver keeps between calls; work may be NULL. */
struct iso_pld_work;
iso_status iso_account_one_with(const iso_events *events, iso_adjacency adj, double delta,
				iso_accountant which, struct iso_pld_work *work, double *epsilon,
				iso_error *err) ISO_MUST_CHECK;

/* Poisson-subsampled Gaussian under replace-one, sigma per removed record: pair (1-q)N(0)+qN(1),
 * (1-q)N(0)+qN(-1). */
double iso_rdp_sgm_replace(double alpha, double q, double sigma);

/* PATE curves from log Pr[not the plurality]. */
double iso_rdp_gnmax_logq(double alpha, double sigma, double lq);
double iso_rdp_lnmax_logq(double alpha, double e, double lq);

#endif
