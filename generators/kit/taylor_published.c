// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/taylor_published.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/gemm.h"
#include "core/math/linalg.h"
#include "core/math/vmath.h"
#include "core/nn/optim.h"
#include "generators/kit/rows.h"

#define BATCH 600 /* of the released code, as are step size and passes */
#define PASSES 10
#define RATE 0.01f

void iso_taylor_published_free(iso_taylor_published *t)
{
	iso_free(t->w);
	iso_free(t->mean);
	iso_free(t->chol);
	*t = (iso_taylor_published){0};
}

static size_t params_of(const iso_taylor_published *t)
{
	return t->in * t->code + t->code + t->in;
}

iso_status iso_taylor_published_new(size_t in, size_t code, iso_taylor_published *t, iso_error *err)
{
	*t = (iso_taylor_published){.in = in, .code = code};
	t->w = iso_alloc(params_of(t), sizeof *t->w);
	t->mean = iso_alloc(code, sizeof *t->mean);
	t->chol = iso_alloc(code, code * sizeof *t->chol);
	if (!t->w || !t->mean || !t->chol) {
		iso_taylor_published_free(t);
		return iso_no_memory(err, "an auto-encoder");
	}
	t->c = t->w + in * code;
	t->e = t->c + code;
	return ISO_OK;
}

double iso_taylor_published_bound(size_t in, size_t code)
{
	const double b = (double)code;
	return (double)in * (b + b * b / 4);
}

typedef struct buffers {
	float *x, *h, *v, *d, *dh, *grad; /* rows, codes, outputs, their deltas, gradient */
	uint32_t *batch;
	size_t cap;
} buffers;

static iso_status open_buffers(const iso_taylor_published *t, size_t n, buffers *b, iso_error *err)
{
	const size_t cap = iso_chunk_of(BATCH);
	*b = (buffers){.x = iso_alloc(cap * t->in, sizeof(float)),
		       .h = iso_alloc(cap * t->code, sizeof(float)),
		       .v = iso_alloc(cap * t->in, sizeof(float)),
		       .d = iso_alloc(cap * t->in, sizeof(float)),
		       .dh = iso_alloc(cap * t->code, sizeof(float)),
		       .grad = iso_alloc(params_of(t), sizeof(float)),
		       .batch = iso_alloc(n, sizeof(uint32_t)),
		       .cap = cap};
	return b->x && b->h && b->v && b->d && b->dh && b->grad && b->batch
		       ? ISO_OK
		       : iso_no_memory(err, "batches of an auto-encoder");
}

static void close_buffers(buffers *b)
{
	float *const p[] = {b->x, b->h, b->v, b->d, b->dh, b->grad};
	for (size_t i = 0; i < ISO_COUNT(p); i++)
		iso_free(p[i]);
	iso_free(b->batch);
}

static void codes_of(const iso_taylor_published *t, const float *x, size_t n, float *h)
{
	const iso_epilogue e = {.bias = t->c, .act = ISO_ACT_SIGMOID};
	iso_gemm(ISO_NN, n, t->code, t->in, x, t->in, t->w, t->code, 0, h, t->code, &e);
}

/* h = sigmoid(x W + c) + z, v = sigmoid(h W^T + e); loss log 2 + v/2 + v^2/8 - x v with v in the
 * place of the logit, as the released code has it. */
static void step(iso_taylor_published *t, buffers *b, size_t n, const double *z, iso_optim *opt)
{
	const iso_epilogue out = {.bias = t->e, .act = ISO_ACT_SIGMOID};
	const size_t in = t->in, k = t->code;
	codes_of(t, b->x, n, b->h);
	for (size_t i = 0; i < n * k; i++)
		b->h[i] += (float)z[i % k];
	iso_gemm(ISO_NT, n, in, k, b->h, k, t->w, k, 0, b->v, in, &out);
	for (size_t i = 0; i < n * in; i++)
		b->d[i] = (0.5f + b->v[i] / 4 - b->x[i]) * b->v[i] * (1 - b->v[i]);
	iso_gemm(ISO_NN, n, k, in, b->d, in, t->w, k, 0, b->dh, k, NULL);
	for (size_t i = 0; i < n * k; i++) {
		const float h = b->h[i] - (float)z[i % k];
		b->dh[i] *= h * (1 - h);
	}
	iso_gemm(ISO_TN, in, k, n, b->d, in, b->h, k, 0, b->grad, k, NULL);
	iso_gemm(ISO_TN, in, k, n, b->x, in, b->dh, k, 1, b->grad, k, NULL);
	iso_col_sums(n, k, b->dh, k, 0, b->grad + in * k);
	iso_col_sums(n, in, b->d, in, 0, b->grad + in * k + k);
	iso_optim_step(opt, t->w, b->grad, 1 / (float)n);
}

/* Mean and covariance of the exact codes. */
static iso_status moments(iso_taylor_published *t, const float *x, size_t n, buffers *b,
			  iso_error *err)
{
	const size_t k = t->code;
	for (size_t at = 0; at < n; at += b->cap) {
		const size_t m = n - at < b->cap ? n - at : b->cap;
		codes_of(t, x + at * t->in, m, b->h);
		for (size_t r = 0; r < m; r++)
			for (size_t i = 0; i < k; i++) {
				const double h = b->h[r * k + i];
				t->mean[i] += h / (double)n;
				for (size_t j = 0; j < k; j++)
					t->chol[i * k + j] +=
						h * (double)b->h[r * k + j] / (double)n;
			}
	}
	for (size_t i = 0; i < k; i++)
		for (size_t j = 0; j < k; j++)
			t->chol[i * k + j] -= t->mean[i] * t->mean[j] - (i == j) * 1e-6;
	return iso_cholesky(t->chol, k, err);
}

iso_status iso_taylor_published_fit(iso_taylor_published *t, const iso_fit *f, const float *x,
				    const double *z, iso_error *err)
{
	const size_t n = f->train->n;
	const double q = iso_rate_of(iso_batch_of(0, BATCH, n), n ? n : 1);
	const uint64_t steps = (uint64_t)ceil(PASSES / q);
	const iso_key key = iso_key_child(f->key, "batch", 0);
	iso_optim opt = {0};
	iso_status st;
	buffers b;
	iso_rand_fill_normal(iso_key_child(f->key, "init", 0), 0, 0, 0.1f, t->w, t->in * t->code);
	ISO_TRY_OUT(open_buffers(t, n, &b, err));
	ISO_TRY_OUT(iso_optim_init(&opt, ISO_ADAM, RATE, params_of(t), err));
	for (uint64_t s = 0; s < steps; s++) {
		size_t m = iso_rand_poisson(key, s, f->train->id, n, q, b.batch);
		m = m < b.cap ? m : b.cap;
		for (size_t r = 0; r < m; r++)
			memcpy(b.x + r * t->in, x + b.batch[r] * t->in, t->in * sizeof *x);
		if (m)
			step(t, &b, m, z, &opt);
	}
	ISO_TRY_OUT(moments(t, x, n, &b, err));
out:
	close_buffers(&b);
	iso_optim_deinit(&opt);
	return st;
}

void iso_taylor_published_draw(const iso_taylor_published *t, iso_key key, uint64_t row, float *u)
{
	iso_stream s = iso_stream_new(iso_key_child(key, "code", row));
	const size_t k = t->code;
	for (size_t j = 0; j < t->in; j++)
		u[j] = t->e[j];
	double e[1024];
	for (size_t i = 0; i < k; i++)
		e[i] = iso_next_normal(&s);
	for (size_t i = 0; i < k; i++) {
		double h = t->mean[i];
		for (size_t j = 0; j <= i; j++)
			h += t->chol[i * k + j] * e[j];
		h = fmax(0, fmin(1, h));
		for (size_t j = 0; j < t->in; j++)
			u[j] += (float)h * t->w[j * k + i];
	}
	iso_vsigmoid(t->in, u, u);
}

void iso_taylor_published_save(iso_str *out, const iso_taylor_published *t)
{
	iso_part_add(out, "weights", t->w, params_of(t) * sizeof *t->w);
	iso_part_add(out, "mean", t->mean, t->code * sizeof *t->mean);
	iso_part_add(out, "spread", t->chol, t->code * t->code * sizeof *t->chol);
}

iso_status iso_taylor_published_take(iso_parts *in, iso_taylor_published *t, iso_error *err)
{
	ISO_TRY(iso_part_take(in, "weights", t->w, params_of(t) * sizeof *t->w, err));
	ISO_TRY(iso_part_take(in, "mean", t->mean, t->code * sizeof *t->mean, err));
	return iso_part_take(in, "spread", t->chol, t->code * t->code * sizeof *t->chol, err);
}
