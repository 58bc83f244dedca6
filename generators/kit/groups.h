// SPDX-License-Identifier: Apache-2.0
/* Groups of parameters that are clipped apart, each with a bound of its own, released as ONE
 * Gaussian.
 *
 * A record's gradient g is cut into g_1 .. g_L, each clipped to c_j, and multiplied by a_j with
 * sum_j (c_j a_j)^2 = C^2: the whole then has norm at most C, so the event is that of one clip at
 * C and multiplier z, and group j receives noise of z C / a_j.  EQUAL (Zhang, Ji, Wang 2018;
 * noise in proportion to the bound): a_j = C / (sqrt(L) c_j).  OPTIMAL: the least noise energy,
 * sum_j P_j / a_j^2, gives a_j^2 = C^2 sqrt(P_j) / (c_j sum_k c_k sqrt(P_k)), P_j parameters in
 * group j.
 *
 * Groups and bounds must be functions of public things.
 */
#ifndef ISO_GENERATORS_KIT_GROUPS_H
#define ISO_GENERATORS_KIT_GROUPS_H

#include "core/nn/net.h"

#ifdef __cplusplus
extern "C" {
#endif

enum iso_cluster {
	ISO_CLUSTER_NONE,
	ISO_CLUSTER_WEIGHT_BIAS, /* every weight tensor, and all biases together */
	ISO_CLUSTER_TENSOR,	 /* tensors, the nearest merged until there are `groups` */
	ISO_CLUSTER_COORDINATE,	 /* coordinates by the size of their public gradients */
	ISO_CLUSTER_AUTO,	 /* coordinates with public rows, else none; settled before use */
	ISO_CLUSTER_EACH	 /* every tensor at the same bound (the code of DP-CGAN) */
};
enum iso_allocation { ISO_ALLOCATE_EQUAL, ISO_ALLOCATE_OPTIMAL };

#define ISO_GROUPS_MAX 64

typedef struct iso_grouping {
	size_t nparam, n;
	uint8_t *of; /* [nparam] group of each parameter; owned */
	size_t size[ISO_GROUPS_MAX];
	double bound[ISO_GROUPS_MAX]; /* c_j > 0 */
	float scale[ISO_GROUPS_MAX];  /* a_j */
} iso_grouping;

iso_status iso_grouping_init(iso_grouping *g, size_t nparam, iso_error *err) ISO_MUST_CHECK;
void iso_grouping_free(iso_grouping *g);
/* One group per tensor, or one per weight tensor and one for all biases. */
iso_status iso_grouping_tensors(iso_grouping *g, const iso_net *net, int join_biases,
				iso_error *err) ISO_MUST_CHECK;
/* Merges the two groups whose bounds have the least ratio, bound sqrt(c_u^2 + c_v^2), until at
 * most `most` are left (weight clustering of Zhang, Ji, Wang 2018). */
void iso_grouping_merge(iso_grouping *g, size_t most);
/* Groups of coordinates of like size: square [nparam] = mean squares of public gradients.  Cut into
 * at most k ranges of log size such that sum_j sqrt(P_j S_j), S_j the sum of squares in group j, is
 * least: the noise energy under OPTIMAL with bounds sqrt(S_j). */
void iso_grouping_coordinates(iso_grouping *g, const double *square, size_t k);
/* Scales for the planned bound C from sizes and bounds. */
void iso_grouping_allocate(iso_grouping *g, int how, double bound);
/* sum_j P_j / a_j^2: energy of the noise of a release at z C = 1. */
double iso_grouping_energy(const iso_grouping *g);
/* Norm of each group of a gradient. */
void iso_grouping_norms(const iso_grouping *g, const float *grad, double norm[ISO_GROUPS_MAX]);
/* Clips and scales a record's gradient in place; returns the squared norm of the result, rounded up
 * (NaN or infinity when the gradient is not finite). */
double iso_grouping_apply(const iso_grouping *g, float *grad);
/* A released sum back in units of the gradient. */
void iso_grouping_undo(const iso_grouping *g, float *sum);

#ifdef __cplusplus
}
#endif

#endif
