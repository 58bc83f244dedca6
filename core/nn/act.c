// SPDX-License-Identifier: Apache-2.0
#include "core/nn/act.h"

#include <math.h>

#include "core/math/vmath.h"

#define SELU_SCALE 1.0507009873554805f
#define SELU_ALPHA 1.6732632423543772f
#define BLOCK 256

float iso_nn_slope(iso_act act, float slope)
{
	if (act != ISO_ACT_LRELU && act != ISO_ACT_ELU)
		return slope == 0 ? 0 : NAN;
	if (slope == 0)
		return act == ISO_ACT_LRELU ? ISO_LRELU_SLOPE : 1.0f;
	return slope > 0 && slope < INFINITY ? slope : NAN;
}

int iso_nn_act_fused(iso_act act, float slope)
{
	return act <= ISO_ACT_SIGMOID && (act != ISO_ACT_LRELU || slope == ISO_LRELU_SLOPE);
}

int iso_nn_act_smooth(iso_act act)
{
	return act != ISO_ACT_LINEAR && act != ISO_ACT_RELU && act != ISO_ACT_LRELU;
}

/* scale * (s > 0 ? s : alpha (e^s - 1)) */
static void elu(float scale, float alpha, size_t n, float *x)
{
	float e[BLOCK];
	for (size_t at = 0; at < n; at += BLOCK) {
		const size_t m = n - at < BLOCK ? n - at : BLOCK;
		for (size_t i = 0; i < m; i++)
			e[i] = x[at + i] < 0 ? x[at + i] : 0;
		iso_vexp(m, e, e);
		for (size_t i = 0; i < m; i++) {
			const float s = x[at + i];
			x[at + i] = s < 0 ? scale * (alpha * (e[i] - 1.0f)) : scale * s;
		}
	}
}

/* max(s, 0) + log(1 + e^-|s|) */
static void softplus(size_t n, float *x)
{
	float e[BLOCK];
	for (size_t at = 0; at < n; at += BLOCK) {
		const size_t m = n - at < BLOCK ? n - at : BLOCK;
		for (size_t i = 0; i < m; i++)
			e[i] = x[at + i] > 0 ? -x[at + i] : x[at + i];
		iso_vexp(m, e, e);
		for (size_t i = 0; i < m; i++)
			e[i] = (float)iso_log1p(e[i]);
		for (size_t i = 0; i < m; i++)
			x[at + i] = (x[at + i] > 0 ? x[at + i] : 0) + e[i];
	}
}

void iso_nn_act_apply(iso_act act, float slope, size_t n, float *x)
{
	if (iso_nn_act_fused(act, slope)) {
		iso_act_apply(act, x, n);
		return;
	}
	switch (act) {
	case ISO_ACT_LRELU:
		for (size_t i = 0; i < n; i++)
			x[i] = x[i] < 0 ? x[i] * slope : x[i];
		break;
	case ISO_ACT_ELU:
		elu(1, slope, n, x);
		break;
	case ISO_ACT_SELU:
		elu(SELU_SCALE, SELU_ALPHA, n, x);
		break;
	case ISO_ACT_SOFTPLUS:
		softplus(n, x);
		break;
	default:
		break;
	}
}

void iso_nn_act_backward(iso_act act, float slope, size_t n, const float *h, float *d)
{
	float e[BLOCK];
	if (iso_nn_act_fused(act, slope)) {
		iso_act_backward(act, n, h, d);
		return;
	}
	switch (act) {
	case ISO_ACT_LRELU:
		for (size_t i = 0; i < n; i++)
			d[i] *= h[i] > 0 ? 1.0f : slope;
		break;
	case ISO_ACT_ELU:
		for (size_t i = 0; i < n; i++)
			d[i] *= h[i] > 0 ? 1.0f : h[i] + slope;
		break;
	case ISO_ACT_SELU:
		for (size_t i = 0; i < n; i++)
			d[i] *= h[i] > 0 ? SELU_SCALE : h[i] + SELU_SCALE * SELU_ALPHA;
		break;
	case ISO_ACT_SOFTPLUS: /* sigmoid(s) = 1 - e^-h */
		for (size_t at = 0; at < n; at += BLOCK) {
			const size_t m = n - at < BLOCK ? n - at : BLOCK;
			for (size_t i = 0; i < m; i++)
				e[i] = -h[at + i];
			iso_vexp(m, e, e);
			for (size_t i = 0; i < m; i++)
				d[at + i] *= 1.0f - e[i];
		}
		break;
	default:
		break;
	}
}

/* tanh'' = -2 h tanh', sigmoid'' = (1 - 2h) sigmoid', ELU'' = ELU' below 0, softplus'' = e^-h
 * softplus'. */
float iso_nn_act_curvature(iso_act act, float slope, float h)
{
	(void)slope;
	switch (act) {
	case ISO_ACT_TANH:
		return -2.0f * h;
	case ISO_ACT_SIGMOID:
		return 1.0f - 2.0f * h;
	case ISO_ACT_ELU:
	case ISO_ACT_SELU:
		return h > 0 ? 0.0f : 1.0f;
	case ISO_ACT_SOFTPLUS:
		return (float)iso_exp(-(double)h);
	default:
		return 0;
	}
}
