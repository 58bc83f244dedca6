// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "core/math/vmath.h"
#include "core/nn/loss.h"

#define BLOCK 64

/* L = max(z, 0) - t z + log(1 + e^-|z|);  dL/dz = sigmoid(z) - t. */
double iso_loss_bce_logits(const float *logits, size_t ld, size_t n, float target, float *d,
			   size_t d_ld)
{
	float z[BLOCK], p[BLOCK], s[BLOCK];
	double sum = 0;
	for (size_t at = 0; at < n; at += BLOCK) {
		const size_t m = n - at < BLOCK ? n - at : BLOCK;
		for (size_t i = 0; i < m; i++)
			z[i] = logits[(at + i) * ld];
		iso_vsigmoid(m, z, p);
		for (size_t i = 0; i < m; i++) {
			d[(at + i) * d_ld] = p[i] - target;
			s[i] = z[i] > 0 ? -z[i] : z[i];
		}
		iso_vexp(m, s, s);
		for (size_t i = 0; i < m; i++)
			s[i] += 1.0f;
		iso_vlog(m, s, s);
		for (size_t i = 0; i < m; i++)
			sum += (double)s[i] + (z[i] > 0 ? z[i] : 0) - (double)target * z[i];
	}
	return sum;
}
