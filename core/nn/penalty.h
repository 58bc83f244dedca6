// SPDX-License-Identifier: Apache-2.0
/* Gradient penalties: lambda (|dD/dx(x^)| - 1)^2 in the loss of a critic D (Gulrajani et al. 2017),
 * per record, so that it can be clipped together with the record's other rows.
 *
 * With g = dD/dx(x^) and v = dP/dg held fixed, the penalty's gradient in theta is that of v . g,
 * the derivative of D along v.  Carrying the tangent v through the layers, sdot_l = adot_{l-1} W_l,
 * adot_l = act'(s_l) sdot_l, it is in layer l
 *
 *     adot_{l-1}^T delta_l                 no bias: the TANGENT row
 *   + a_{l-1}^T f_l,  f_l for the bias     the CURVATURE row, zero for piecewise-linear nets
 *
 * with delta the ordinary backward pass of D and f_l = act'(s_l) (f_{l+1} W^T) + act''(s_l) sdot_l
 * (delta_{l+1} W^T).  So each record gets one more row, two in a net with smooth activations.
 *
 * A critic's step with real and fake row of a record and its penalty, all under one clip
 * (iso_penalty_rows says k = 1 or 2; m = 2 + k):
 *
 *     rows r m: real, r m + 1: fake, r m + 2 .. r m + m - 1: the interpolate, k times
 *     iso_net_forward(net, ws, x, in, n * m, NULL);
 *     delta of rows 0, 1: the critic's loss;  of the last row: 1;  of the row before, if k = 2: 0
 *     iso_net_backward(net, ws, 0, dx, in);
 *     iso_penalty(n, in, dx + (m - 1) * in, m * in, lambda, 1, 0, x + (m - 1) * in, m * in);
 *     iso_net_tangent(net, ws, m, x);
 *
 * and dpsgd.h with rows_per_record = m goes on from there.  Workspace: ISO_WS_TANGENT.
 */
#ifndef ISO_NN_PENALTY_H
#define ISO_NN_PENALTY_H

#include "core/nn/net.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Rows that a record needs for its penalty, 1 or 2.  Refuses layers without a tangent (LSTM,
 * normalisations, embedding, heads) and a last activation that is not linear. */
iso_status iso_penalty_rows(const iso_net *net, size_t *rows, iso_error *err) ISO_MUST_CHECK;

/* v [n][v_ld] = dP/dg for P_i = lambda (|g_i| - target)^2, or lambda max(|g_i| - target, 0)^2 when
 * one_sided (Petzka et al. 2018); 0 where g is 0.  g [n][g_ld], `width` of each; v may lie over x.
 * Returns sum_i P_i. */
double iso_penalty(size_t n, size_t width, const float *g, size_t g_ld, float lambda, float target,
		   int one_sided, float *v, size_t v_ld);

/* Turns the last row of every record of m rows into the tangent row (and the one before into the
 * curvature row, where there is one).  x: the rows given to the last forward, whose last row of
 * every record now holds v. */
void iso_net_tangent(const iso_net *net, iso_ws *ws, size_t m, const float *x);

#ifdef __cplusplus
}
#endif

#endif
