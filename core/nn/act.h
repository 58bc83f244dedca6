// SPDX-License-Identifier: Apache-2.0
/* Private to core/nn: activations with their slope as a parameter, all functions of their output.
 *
 *     LRELU     s > 0 ? s : slope s                      slope 0 stands for 0.2
 *     ELU       s > 0 ? s : slope (e^s - 1)              slope 0 stands for 1
 *     SELU      1.0507009873554805 * ELU(s; 1.6732632423543772)   (Klambauer et al. 2017)
 *     SOFTPLUS  log(1 + e^s)
 */
#ifndef ISO_NN_ACT_H
#define ISO_NN_ACT_H

#include <stddef.h>

#include "core/math/gemm.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The slope that is meant, or NaN for one that is refused: it must be positive, so that the
 * derivative can be told from the output. */
float iso_nn_slope(iso_act act, float slope);
/* Can a matrix product's epilogue do it? */
int iso_nn_act_fused(iso_act act, float slope);
void iso_nn_act_apply(iso_act act, float slope, size_t n, float *x);
/* d[i] *= act'(h[i]) */
void iso_nn_act_backward(iso_act act, float slope, size_t n, const float *h, float *d);
/* act''/act' at output h; 0 for piecewise-linear ones. */
float iso_nn_act_curvature(iso_act act, float slope, float h);
int iso_nn_act_smooth(iso_act act); /* has it a second derivative? */

#ifdef __cplusplus
}
#endif

#endif
