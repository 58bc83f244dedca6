// SPDX-License-Identifier: Apache-2.0
#include "core/nn/loops.h"

#include <math.h>
#include <string.h>

#include "core/math/gemm.h"

#define BODY static inline __attribute__((always_inline)) void

BODY scale_rows_body(size_t rows, size_t n, const float *restrict scale, float *restrict d)
{
	for (size_t i = 0; i < rows; i++) {
		const float s = scale[i];
		for (size_t j = 0; j < n; j++)
			d[i * n + j] *= s;
	}
}

BODY add_body(size_t n, const float *restrict x, float *restrict y)
{
	for (size_t i = 0; i < n; i++)
		y[i] += x[i];
}

typedef float lanes __attribute__((vector_size(64), may_alias));

BODY dot_body(size_t n, const float *a, const float *b, float *out)
{
	lanes acc = {0}, x, y;
	float sum = 0;
	size_t i = 0;
	for (; i + 16 <= n; i += 16) {
		memcpy(&x, a + i, sizeof(x));
		memcpy(&y, b + i, sizeof(y));
		acc += x * y;
	}
	for (; i < n; i++)
		sum += a[i] * b[i];
	for (int l = 0; l < 16; l++)
		sum += acc[l];
	*out = sum;
}

/* Moments that decay towards nothing would become subnormal, which costs a hundred times an
 * ordinary operation; below 2^-100 they are far below what eps lets through. */
static inline __attribute__((always_inline)) float settle(float x)
{
	return fabsf(x) < 0x1p-100f ? 0 : x;
}

BODY sgd_body(const iso_step_constants *c, size_t n, const float *restrict grad,
	      float *restrict theta)
{
	const float scale = c->scale, lr = c->lr, shrink = c->shrink;
	for (size_t i = 0; i < n; i++)
		theta[i] = theta[i] * shrink - lr * (grad[i] * scale);
}

BODY momentum_body(const iso_step_constants *c, size_t n, const float *restrict grad,
		   float *restrict m, float *restrict theta)
{
	const float scale = c->scale, lr = c->lr, shrink = c->shrink, beta = c->beta1;
	for (size_t i = 0; i < n; i++) {
		m[i] = settle(beta * m[i] + grad[i] * scale);
		theta[i] = theta[i] * shrink - lr * m[i];
	}
}

BODY rmsprop_body(const iso_step_constants *c, size_t n, const float *restrict grad,
		  float *restrict v, float *restrict theta)
{
	const float scale = c->scale, lr = c->lr, shrink = c->shrink, beta = c->beta2,
		    keep = c->keep2, eps = c->eps;
	for (size_t i = 0; i < n; i++) {
		const float g = grad[i] * scale;
		v[i] = settle(beta * v[i] + keep * (g * g));
		theta[i] = theta[i] * shrink - (lr * g) / (sqrtf(v[i]) + eps);
	}
}

BODY adam_body(const iso_step_constants *c, size_t n, const float *restrict grad, float *restrict m,
	       float *restrict v, float *restrict theta)
{
	const float scale = c->scale, lr = c->lr, shrink = c->shrink, eps = c->eps;
	const float beta1 = c->beta1, keep1 = c->keep1, beta2 = c->beta2, keep2 = c->keep2;
	for (size_t i = 0; i < n; i++) {
		const float g = grad[i] * scale;
		m[i] = settle(beta1 * m[i] + keep1 * g);
		v[i] = settle(beta2 * v[i] + keep2 * (g * g));
		theta[i] = theta[i] * shrink - (lr * m[i]) / (sqrtf(v[i]) + eps);
	}
}

#define VERSIONS(name, attribute) \
	attribute static void scale_rows_##name(size_t rows, size_t n, const float *scale, \
						float *d) \
	{ \
		scale_rows_body(rows, n, scale, d); \
	} \
	attribute static void add_##name(size_t n, const float *x, float *y) \
	{ \
		add_body(n, x, y); \
	} \
	attribute static float dot_##name(size_t n, const float *a, const float *b) \
	{ \
		float sum; \
		dot_body(n, a, b, &sum); \
		return sum; \
	} \
	attribute static void sgd_##name(const iso_step_constants *c, size_t n, const float *grad, \
					 float *theta) \
	{ \
		sgd_body(c, n, grad, theta); \
	} \
	attribute static void momentum_##name(const iso_step_constants *c, size_t n, \
					      const float *grad, float *m, float *theta) \
	{ \
		momentum_body(c, n, grad, m, theta); \
	} \
	attribute static void rmsprop_##name(const iso_step_constants *c, size_t n, \
					     const float *grad, float *v, float *theta) \
	{ \
		rmsprop_body(c, n, grad, v, theta); \
	} \
	attribute static void adam_##name(const iso_step_constants *c, size_t n, \
					  const float *grad, float *m, float *v, float *theta) \
	{ \
		adam_body(c, n, grad, m, v, theta); \
	} \
	static const iso_nn_loops loops_##name = { \
		.scale_rows = scale_rows_##name, \
		.add = add_##name, \
		.dot = dot_##name, \
		.sgd = sgd_##name, \
		.momentum = momentum_##name, \
		.rmsprop = rmsprop_##name, \
		.adam = adam_##name, \
	};

VERSIONS(portable, )
#ifdef __x86_64__
VERSIONS(avx2, ISO_TARGET_AVX2)
VERSIONS(avx512, ISO_TARGET_AVX512)
#endif

const iso_nn_loops *iso_nn_loops_now(void)
{
#ifdef __x86_64__
	const iso_isa isa = iso_isa_active();
	if (isa == ISO_ISA_AVX512)
		return &loops_avx512;
	if (isa == ISO_ISA_AVX2)
		return &loops_avx2;
#endif
	return &loops_portable;
}
